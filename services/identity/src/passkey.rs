//! Passkeys (WebAuthn): a key pair that a phone, a computer or a security key keeps, and that opens with a finger, a face or a PIN.
//!
//! They are bound to the name under which the console is reached ([`Place`]): what a page of another name was shown is worth nothing here. They
//! are discoverable and always ask for the person, so one alone is both factors: it signs somebody in without name and password.

use domain::ids::StaffId;
use http::Uri;
use serde_json::Value;
use uuid::Uuid;
use webauthn_rp::bin::{Decode as _, Encode as _};
use webauthn_rp::request::auth::{AuthenticationVerificationOptions, DiscoverableCredentialRequestOptions};
use webauthn_rp::request::register::{
    PublicKeyCredentialCreationOptions, PublicKeyCredentialUserEntity, RegistrationVerificationOptions, UserHandle,
};
use webauthn_rp::request::{AsciiDomain, PublicKeyCredentialDescriptor, RpId};
use webauthn_rp::response::auth::DiscoverableAuthentication;
use webauthn_rp::response::register::{CompressedPubKey, DynamicState, StaticState};
use webauthn_rp::response::{AuthTransports, CredentialId};
use webauthn_rp::{AuthenticatedCredential, DiscoverableAuthenticationServerState, Registration, RegistrationServerState};

use crate::Error;
use crate::factor::{OfPasskey, Secret};

/// A member of staff is named to authenticators by the number of their account.
const HANDLE: usize = 16;
type Handle = UserHandle<HANDLE>;

/// Where the console is reached: what passkeys are bound to.
#[derive(Debug)]
pub(crate) struct Place {
    rp_id: RpId,
    origin: String,
}

/// What a browser is asked, and what has to come back with its answer.
pub(crate) struct Asked {
    pub options: Value,
    pub state: Vec<u8>,
}

impl Place {
    /// The place of an address such as `https://alerts.example.cn`; none: passkeys are not set up.
    pub(crate) fn of(address: &str) -> Result<Option<Self>, Error> {
        if address.is_empty() {
            return Ok(None);
        }
        let wrong = |reason: &str| Error::Setting { name: "identity.console_address", reason: reason.to_owned() };
        let uri: Uri = address.trim_end_matches('/').parse().map_err(|_| wrong("is no address such as https://alerts.example.cn"))?;
        let (Some(scheme), Some(host)) = (uri.scheme_str(), uri.host()) else {
            return Err(wrong("is no address such as https://alerts.example.cn"));
        };
        let host = host.to_ascii_lowercase();
        if !uri.path().trim_matches('/').is_empty() || uri.query().is_some() {
            return Err(wrong("takes the address without a path"));
        }
        if scheme != "https" && !(scheme == "http" && host == "localhost") {
            return Err(wrong("takes https://: browsers give passkeys to no other page, except on localhost"));
        }
        if host.parse::<std::net::Ipv4Addr>().is_ok() || host.starts_with('[') {
            return Err(wrong("takes a name: browsers give no passkeys to a page that is reached by number"));
        }
        let port = uri.port_u16().filter(|port| *port != if scheme == "https" { 443 } else { 80 });
        let origin = port.map_or_else(|| format!("{scheme}://{host}"), |port| format!("{scheme}://{host}:{port}"));
        let domain = AsciiDomain::try_from(host).map_err(|_| wrong("has a name that is no domain"))?;
        Ok(Some(Self { rp_id: RpId::Domain(domain), origin }))
    }

    /// What a browser is asked to make a passkey for this account, on none of the authenticators that have one already.
    pub(crate) fn ask_to_make(&self, staff: StaffId, login: &str, name: &str, known: Vec<Vec<u8>>) -> Result<Asked, Error> {
        let unsuited = |what: &'static str| Error::Stored { what };
        let handle = handle(staff);
        let known = known.into_iter().filter_map(|id| {
            Some(PublicKeyCredentialDescriptor { id: CredentialId::decode(id).ok()?, transports: AuthTransports::decode(0).ok()? })
        });
        let user = PublicKeyCredentialUserEntity {
            name: login.try_into().map_err(|_| unsuited("staff.login"))?,
            id: &handle,
            // a name that authenticators would not show is left out
            display_name: name.try_into().ok(),
        };
        let options = PublicKeyCredentialCreationOptions::passkey(&self.rp_id, user, known.collect());
        let (server, client) = options.start_ceremony().map_err(|_| unsuited("passkey"))?;
        let state = server.encode().map_err(|_| unsuited("passkey"))?;
        Ok(Asked { options: of_creation(serde_json::to_value(client).map_err(|_| unsuited("passkey"))?), state })
    }

    /// The passkey that a browser made, if it is what was asked for.
    pub(crate) fn made(&self, state: &[u8], credential: &Value) -> Option<Secret> {
        let server = RegistrationServerState::<HANDLE>::decode(state).ok()?;
        let registration = Registration::from_json_relaxed(&serde_json::to_vec(credential).ok()?).ok()?;
        let options = RegistrationVerificationOptions::<&str, &str> {
            allowed_origins: &[self.origin.as_str()],
            // what nobody asked for gives nothing, and some browsers say more than they were asked
            error_on_unsolicited_extensions: false,
            ..RegistrationVerificationOptions::default()
        };
        let registered = server.verify(&self.rp_id, &registration, &options).map_err(refused).ok()?;
        let (id, _, _, fixed, changing, _) = registered.into_parts();
        Some(Secret::Passkey { id: id.as_ref().to_vec(), credential: fixed.encode().ok()?, state: changing.encode().ok()?.to_vec() })
    }

    /// What a browser is asked to show a passkey, whosever it is.
    pub(crate) fn ask_to_show(&self) -> Result<Asked, Error> {
        let wrong = || Error::Stored { what: "passkey" };
        let (server, client) = DiscoverableCredentialRequestOptions::passkey(&self.rp_id).start_ceremony().map_err(|_| wrong())?;
        let state = server.encode().map_err(|_| wrong())?;
        Ok(Asked { options: of_request(serde_json::to_value(client).map_err(|_| wrong())?), state })
    }

    /// The passkey's state after it was shown, if it was shown to us, now, by the person whose it is.
    pub(crate) fn shown(&self, state: &[u8], presented: &Presented, passkey: &OfPasskey) -> Option<Vec<u8>> {
        let server = DiscoverableAuthenticationServerState::decode(state).ok()?;
        let response = &presented.0;
        let fixed = StaticState::<CompressedPubKey<[u8; 32], [u8; 32], [u8; 48], Vec<u8>>>::decode(&passkey.credential).ok()?;
        let changing = DynamicState::decode(passkey.state.as_slice().try_into().ok()?).ok()?;
        let mut credential = AuthenticatedCredential::new(response.raw_id(), response.response().user_handle(), fixed, changing).ok()?;
        let options = AuthenticationVerificationOptions::<&str, &str> {
            allowed_origins: &[self.origin.as_str()],
            error_on_unsolicited_extensions: false,
            ..AuthenticationVerificationOptions::default()
        };
        server.verify(&self.rp_id, response, &mut credential, &options).map_err(refused).ok()?;
        Some(credential.dynamic_state().encode().ok()?.to_vec())
    }
}

/// What a browser says about a passkey that somebody shows: whose it says it is, until that is verified.
pub(crate) struct Presented(DiscoverableAuthentication<HANDLE>);

impl Presented {
    pub(crate) fn read(credential: &Value) -> Option<Self> {
        DiscoverableAuthentication::from_json_relaxed(&serde_json::to_vec(credential).ok()?).ok().map(Self)
    }

    pub(crate) fn staff(&self) -> StaffId {
        let Ok(bytes) = self.0.response().user_handle().encode();
        Uuid::from_bytes(bytes).into()
    }

    pub(crate) fn credential_id(&self) -> Vec<u8> {
        self.0.raw_id().as_ref().to_vec()
    }
}

fn handle(staff: StaffId) -> Handle {
    let Ok(handle) = Handle::decode(staff.uuid().into_bytes());
    handle
}

/// Why one was refused is for the log of whoever looks for a fault; whoever presented it learns nothing.
fn refused(reason: impl std::fmt::Debug) {
    tracing::debug!(?reason, "a passkey was refused");
}

/// What `PublicKeyCredential.parseCreationOptionsFromJSON` takes.
fn of_creation(options: Value) -> Value {
    options.get("publicKey").cloned().unwrap_or(options)
}

/// What `PublicKeyCredential.parseRequestOptionsFromJSON` takes.
fn of_request(options: Value) -> Value {
    options.get("publicKey").cloned().unwrap_or(options)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("https://alerts.example.cn", "https://alerts.example.cn")]
    #[case("https://Alerts.example.cn:443/", "https://alerts.example.cn")]
    #[case("https://alerts.example.cn:8443", "https://alerts.example.cn:8443")]
    #[case("http://localhost:8080", "http://localhost:8080")]
    fn passkeys_are_bound_to_the_address_of_the_console(#[case] address: &str, #[case] origin: &str) {
        assert_eq!(Place::of(address).unwrap().unwrap().origin, origin);
    }

    #[rstest]
    #[case::without_tls("http://alerts.example.cn")]
    #[case::a_number("https://10.0.0.7")]
    #[case::a_number_of_version_six("https://[2001:db8::1]")]
    #[case::a_path("https://example.cn/console")]
    #[case::no_scheme("alerts.example.cn")]
    #[case::nonsense("https://")]
    fn what_browsers_give_no_passkeys_to_is_refused_at_the_start(#[case] address: &str) {
        assert!(matches!(Place::of(address), Err(Error::Setting { name: "identity.console_address", .. })));
    }

    #[test]
    fn without_an_address_there_are_none() {
        assert!(Place::of("").unwrap().is_none());
    }
}
