//! What the operator sets about the directory.

use std::path::PathBuf;

use openidconnect::IssuerUrl;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

use super::RETURN;
use super::wire::is_safe;
use crate::Error;

/// The city's directory of staff, section `identity.directory`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DirectorySettings {
    /// What the directory calls itself: the address below which `/.well-known/openid-configuration` stands, as it writes it there. `https`, or a
    /// machine of its own on loopback.
    ///
    /// Everything else about the directory, addresses and keys, is read from there.
    ///
    /// Example: "https://login.example.cn/realms/staff"
    pub issuer: String,
    /// As whom the directory knows this platform.
    ///
    /// Its word counts only where it is said to this name. Register it as a confidential client with the authorization code flow, PKCE, and the
    /// one address to come back to, `<console_address>/api/v1/session/directory/return`.
    ///
    /// Example: "fenghuo"
    pub client_id: String,
    /// The secret that goes with it; empty where the directory knows this platform as a public client.
    ///
    /// With PKCE a code that was seen on its way is worth nothing in either case; the secret keeps others from asking in our name.
    ///
    /// Example: "…"
    #[serde(skip_serializing)]
    pub client_secret: SecretString,
    /// Which claim tells the name by which the directory knows somebody.
    ///
    /// It binds nothing: it proposes to administrators whose account it may be.
    pub name_claim: String,
    /// What staff call the directory, on the button of the console, in Chinese.
    ///
    /// People look for the name that they know.
    pub name: String,
    /// The same in English.
    ///
    /// For who reads the console in English.
    pub name_en: String,
    /// The words by which the directory tells of a second factor of its own that is to count here: of `amr`, or of `acr`.
    ///
    /// Empty: whoever has a second factor here shows it here. Name only words that the directory uses for nothing weaker than a code of an app or a
    /// passkey; what takes a fresh proof asks for the factor that somebody has here all the same.
    ///
    /// Unit: list of texts
    pub second_factors: Vec<String>,
    /// PEM certificates that are trusted besides the system's.
    ///
    /// For a directory behind a certificate authority of the city's own.
    ///
    /// Example: "/etc/fenghuo/directory-ca.pem"
    pub extra_ca: Option<PathBuf>,
}

impl Default for DirectorySettings {
    fn default() -> Self {
        Self {
            issuer: String::new(),
            client_id: String::new(),
            client_secret: SecretString::default(),
            name_claim: "preferred_username".to_owned(),
            name: "统一身份认证".to_owned(),
            name_en: "the city's directory".to_owned(),
            second_factors: Vec::new(),
            extra_ca: None,
        }
    }
}

/// Settings that make sense.
pub(super) struct Sound {
    pub issuer: IssuerUrl,
    pub client_id: String,
    pub secret: SecretString,
    pub name_claim: String,
    pub name: String,
    pub name_en: String,
    pub second_factors: Vec<String>,
    pub extra_ca: Option<PathBuf>,
    /// Where browsers come back to.
    pub back_to: String,
}

impl DirectorySettings {
    /// Refuses what makes no sense, by name.
    pub(super) fn sound(&self, console: &str) -> Result<Sound, Error> {
        let wrong = |name, reason: &str| Error::Setting { name, reason: reason.to_owned() };
        let issuer = IssuerUrl::new(self.issuer.clone())
            .ok()
            .filter(|issuer| is_safe(issuer.url()) && issuer.url().query().is_none() && issuer.url().fragment().is_none())
            .ok_or_else(|| wrong("identity.directory.issuer", "must be an https address, or one on loopback"))?;
        if self.client_id.trim().is_empty() {
            return Err(wrong("identity.directory.client_id", "must be what the directory calls this platform"));
        }
        if console.is_empty() {
            return Err(wrong("identity.console_address", "must be set where there is a directory: it sends staff back there"));
        }
        if self.name_claim.is_empty() {
            return Err(wrong("identity.directory.name_claim", "must name a claim"));
        }
        if self.name.trim().is_empty() || self.name_en.trim().is_empty() {
            return Err(wrong("identity.directory.name", "must say what staff call the directory"));
        }
        Ok(Sound {
            issuer,
            client_id: self.client_id.clone(),
            secret: SecretString::from(self.client_secret.expose_secret().to_owned()),
            name_claim: self.name_claim.clone(),
            name: self.name.clone(),
            name_en: self.name_en.clone(),
            second_factors: self.second_factors.clone(),
            extra_ca: self.extra_ca.clone(),
            back_to: format!("{}{RETURN}", console.trim_end_matches('/')),
        })
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn sound() -> DirectorySettings {
        DirectorySettings {
            issuer: "https://login.example.cn/realms/staff".into(),
            client_id: "fenghuo".into(),
            ..DirectorySettings::default()
        }
    }

    #[rstest]
    #[case::in_the_clear(DirectorySettings { issuer: "http://login.example.cn".into(), ..sound() }, "https://alerts.example.cn", "identity.directory.issuer")]
    #[case::no_address(DirectorySettings { issuer: "login.example.cn".into(), ..sound() }, "https://alerts.example.cn", "identity.directory.issuer")]
    #[case::a_question(DirectorySettings { issuer: "https://login.example.cn?a".into(), ..sound() }, "https://alerts.example.cn", "identity.directory.issuer")]
    #[case::nobody_asks(DirectorySettings { client_id: " ".into(), ..sound() }, "https://alerts.example.cn", "identity.directory.client_id")]
    #[case::no_name(DirectorySettings { name: String::new(), ..sound() }, "https://alerts.example.cn", "identity.directory.name")]
    #[case::nowhere_to_come_back_to(sound(), "", "identity.console_address")]
    fn a_directory_that_could_not_be_trusted_or_reached_is_refused_by_name(
        #[case] settings: DirectorySettings,
        #[case] console: &str,
        #[case] refused: &str,
    ) {
        assert!(matches!(settings.sound(console), Err(Error::Setting { name, .. }) if name == refused));
        assert_eq!(
            sound().sound("https://alerts.example.cn/").map(|sound| sound.back_to).ok(),
            Some("https://alerts.example.cn/api/v1/session/directory/return".to_owned())
        );
    }
}
