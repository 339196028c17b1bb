//! Signing in through the city's own directory of staff (OpenID Connect, authorization code with PKCE).
//!
//! A browser is sent there ([`Directory::begin`]) with a state and a nonce that it takes along sealed, in a cookie of its own (`errand`): nothing is
//! kept here, and an answer that another browser asked for is worth nothing. It comes back with a code, which is exchanged once for a signed word
//! (`word`) about who somebody is; the keys for that come from the directory itself and are fetched again when it has changed them (`provider`).
//! Of that word only **issuer and subject** say who it is ([`domain::directory`]); whose account that is, two administrators have decided
//! (`binding`). Who is bound to none is remembered for a while (`arrival`), so that administrators need not type a subject.
//!
//! What the directory answers is bounded in time and size (`wire`), and nothing waits for it but who signs in through it.

pub(crate) mod arrival;
pub(crate) mod binding;
mod errand;
mod fault;
mod provider;
mod settings;
mod wire;
mod word;

use domain::console_path::ConsolePath;
use openidconnect::core::{CoreAuthPrompt, CoreIdToken, CoreResponseType};
use openidconnect::{
    AuthType, AuthenticationFlow, AuthorizationCode, ClientId, ClientSecret, CsrfToken, Nonce, PkceCodeChallenge, PkceCodeVerifier,
    RedirectUrl, RequestTokenError, Scope, TokenResponse as _,
};
use platform::clock::Clock;
use platform::{Platform, compiled_once};
use secrecy::ExposeSecret;

use crate::Error;
use crate::token::Token;

pub(crate) use errand::Errand;
pub use fault::Fault;
use provider::{Client, Provider};
pub use settings::DirectorySettings;
use settings::Sound;
pub(crate) use word::Arrived;

/// Where the directory sends browsers back to.
pub(crate) const RETURN: &str = "/api/v1/session/directory/return";

/// What a browser brings back from the directory.
pub(crate) struct Returned {
    /// The code, where the directory let somebody in.
    pub code: Option<String>,
    /// Which directory answers, as it says itself (RFC 9207).
    pub issuer: Option<String>,
}

/// Somebody on their way to the directory.
pub(crate) struct Begun {
    /// Where the browser goes.
    pub address: String,
    /// What it takes along and brings back, sealed.
    pub errand: String,
}

/// The city's directory.
pub(crate) struct Directory {
    platform: Platform,
    settings: Sound,
    provider: Provider,
}

/// Asks the directory that is set to describe itself; what it calls itself.
pub(crate) async fn look_at(settings: &DirectorySettings, console: &str, clock: Clock) -> Result<String, Error> {
    let settings = settings.sound(console)?;
    Provider::new(&settings, clock)?.known().await?;
    Ok(settings.issuer.as_str().to_owned())
}

impl Directory {
    /// The directory that is set. `console` is the address of the console, which it has to know.
    pub(crate) fn new(platform: &Platform, settings: &DirectorySettings, console: &str) -> Result<Self, Error> {
        let settings = settings.sound(console)?;
        let provider = Provider::new(&settings, platform.clock.clone())?;
        Ok(Self { platform: platform.clone(), settings, provider })
    }

    /// What people call it, in Chinese and English.
    pub(crate) fn names(&self) -> (&str, &str) {
        (&self.settings.name, &self.settings.name_en)
    }

    /// What it calls itself.
    pub(crate) fn issuer(&self) -> &str {
        self.settings.issuer.as_str()
    }

    /// Sends a browser there. `device` is the token by which it is known, which it does not bring along when it comes back from elsewhere.
    #[compiled_once]
    pub(crate) async fn begin(&self, to: ConsolePath, device: Option<Token>) -> Result<Begun, Error> {
        let client = self.client().await?;
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let request = client.authorize_url(
            AuthenticationFlow::<CoreResponseType>::AuthorizationCode,
            || CsrfToken::new_random_len(32),
            || Nonce::new_random_len(32),
        );
        // The console stands in shared rooms: whoever sits there now is asked, not whoever signed in at the directory before.
        let request = request.add_prompt(CoreAuthPrompt::Login).set_max_age(std::time::Duration::ZERO);
        let (address, state, nonce) = request.add_scope(Scope::new("profile".to_owned())).set_pkce_challenge(challenge).url();
        let errand = Errand {
            state: state.secret().clone(),
            nonce: nonce.secret().clone(),
            verifier: verifier.secret().clone(),
            to,
            device: device.map(Token::into_text),
            begun_at: self.platform.clock.now(),
        };
        Ok(Begun { address: address.into(), errand: errand.sealed(&self.platform)? })
    }

    /// The errand on which the browser was that brings this back, if it is its own, has not taken too long and was not run before.
    pub(crate) async fn errand(&self, cookie: &str, state: &str) -> Result<Errand, Error> {
        errand::take(&self.platform, cookie, state).await
    }

    /// Who it is that came back, by the word of the directory.
    pub(crate) async fn arrived(&self, errand: &Errand, returned: Returned) -> Result<Arrived, Error> {
        let provider = self.provider.known().await?;
        // another directory's answer must not be taken to this one (RFC 9207)
        match returned.issuer.as_deref() {
            Some(issuer) if issuer != self.settings.issuer.as_str() => return Err(Fault::AnotherIssuer.into()),
            None if provider.tells_issuer() => return Err(Fault::AnotherIssuer.into()),
            _ => {}
        }
        let token = &self.exchanged(returned.code.ok_or(Fault::BrokenOff)?, errand.verifier.clone()).await?;
        let expected = word::Expected { errand, settings: &self.settings, now: self.platform.clock.now() };
        let claims = match word::checked(token, &provider, &expected) {
            Err(Fault::Unsigned) => {
                // it may have changed its keys since they were fetched
                let provider = self.provider.with_new_keys().await?;
                word::checked(token, &provider, &expected)?
            }
            checked => checked?,
        };
        Ok(word::read(&claims, &expected)?)
    }

    /// The word that the directory gives for a code.
    #[compiled_once]
    async fn exchanged(&self, code: String, verifier: String) -> Result<CoreIdToken, Error> {
        let client = self.client().await?;
        let asked = client.exchange_code(AuthorizationCode::new(code)).map_err(|_| Fault::NoTokenEndpoint)?;
        let asked = asked.set_pkce_verifier(PkceCodeVerifier::new(verifier));
        let answer = asked.request_async(self.provider.wire()).await.map_err(|error| match error {
            RequestTokenError::Request(fault) => fault,
            RequestTokenError::ServerResponse(_) => Fault::CodeRefused,
            _ => Fault::NoWord,
        })?;
        Ok(answer.id_token().ok_or(Fault::NoWord)?.clone())
    }

    /// As whom we speak to it.
    async fn client(&self) -> Result<Client, Error> {
        let known = self.provider.known().await?;
        let secret = self.settings.secret.expose_secret();
        let secret = (!secret.is_empty()).then(|| ClientSecret::new(secret.to_owned()));
        let client = Client::from_provider_metadata(known.metadata(), ClientId::new(self.settings.client_id.clone()), secret);
        let back = RedirectUrl::new(self.settings.back_to.clone()).map_err(|_| Error::Stored { what: "address of the console" })?;
        let kind = if known.takes_the_secret_in_a_header() { AuthType::BasicAuth } else { AuthType::RequestBody };
        Ok(client.set_redirect_uri(back).set_auth_type(kind))
    }
}
