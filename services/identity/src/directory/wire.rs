//! Requests to the directory: encrypted, without following anybody elsewhere, bounded in time and size.

use std::net::IpAddr;
use std::pin::Pin;
use std::time::Duration;

use openidconnect::url::{Host, Url};
use openidconnect::{AsyncHttpClient, HttpRequest, HttpResponse};
use reqwest::redirect::Policy;
use reqwest::{Certificate, Client};

use super::Fault;
use super::settings::Sound;
use crate::Error;

/// The directory answers within this time, or is away: two answers and a sign-in fit into what a browser waits.
const PATIENCE: Duration = Duration::from_secs(5);
/// No description, set of keys or token is longer (bytes).
const LARGEST: usize = 256 * 1024;

/// Whether what the directory of this issuer names may be asked or shown to a browser. Only one on this machine leads to this machine without
/// encryption: another would have us send codes and our secret to a service of ours.
pub(super) fn may_lead_to(address: &Url, issuer: &Url) -> bool {
    address.scheme() == "https" || (issuer.scheme() == "http" && is_safe(issuer) && is_safe(address))
}

/// Whether a directory may be here: encrypted, or on this machine.
pub(super) fn is_safe(address: &Url) -> bool {
    let here = match address.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => IpAddr::V4(address).is_loopback(),
        Some(Host::Ipv6(address)) => IpAddr::V6(address).is_loopback(),
        None => return false,
    };
    address.scheme() == "https" || (address.scheme() == "http" && here)
}

/// The way to the directory.
#[derive(Clone)]
pub(super) struct Wire {
    client: Client,
    issuer: Url,
}

impl Wire {
    #[expect(clippy::disallowed_methods, reason = "where the one client of the directory is made, with the directory's own authority")]
    pub(super) fn to(settings: &Sound) -> Result<Self, Error> {
        let unusable = |reason: &dyn std::fmt::Display| Error::Setting { name: "identity.directory.extra_ca", reason: reason.to_string() };
        let mut client = Client::builder().redirect(Policy::none()).timeout(PATIENCE).referer(false);
        if settings.issuer.url().scheme() == "http" {
            // on this machine: no proxy of the network has to do with it
            client = client.no_proxy();
        }
        if let Some(path) = &settings.extra_ca {
            let text = std::fs::read(path).map_err(|error| unusable(&format!("{} cannot be read: {error}", path.display())))?;
            client = client.tls_certs_merge(Certificate::from_pem_bundle(&text).map_err(|error| unusable(&error))?);
        }
        Ok(Self { client: client.build().map_err(|error| unusable(&error))?, issuer: settings.issuer.url().clone() })
    }
}

/// Asks, and gives the answer whole.
async fn answer(wire: Wire, request: HttpRequest) -> Result<HttpResponse, Fault> {
    let request = reqwest::Request::try_from(request).map_err(|_| Fault::NotItself)?;
    if !may_lead_to(request.url(), &wire.issuer) {
        return Err(Fault::NotItself);
    }
    let mut answer = wire.client.execute(request).await.map_err(|_| Fault::Away)?;
    let (status, headers) = (answer.status(), answer.headers().clone());
    let mut body = Vec::new();
    while let Some(piece) = answer.chunk().await.map_err(|_| Fault::Away)? {
        if body.len() + piece.len() > LARGEST {
            return Err(Fault::TooLarge);
        }
        body.extend_from_slice(&piece);
    }
    if status.is_server_error() {
        return Err(Fault::Away);
    }
    let mut whole = HttpResponse::new(body);
    (*whole.status_mut(), *whole.headers_mut()) = (status, headers);
    Ok(whole)
}

impl AsyncHttpClient<'_> for Wire {
    type Error = Fault;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, Fault>> + Send>>;

    fn call(&self, request: HttpRequest) -> Self::Future {
        Box::pin(answer(self.clone(), request))
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("https://login.example.cn/realms/staff", true)]
    #[case("http://127.0.0.1:4711", true)]
    #[case("http://[::1]:4711", true)]
    #[case("http://localhost:4711", true)]
    #[case("http://login.example.cn", false)]
    #[case("http://localhost.example.cn", false)]
    #[case("file:///etc/passwd", false)]
    fn only_what_is_encrypted_or_on_this_machine_is_asked(#[case] address: &str, #[case] safe: bool) {
        assert_eq!(is_safe(&address.parse().unwrap()), safe);
    }

    #[rstest]
    #[case("https://login.example.cn", "https://keys.example.cn/keys", true)]
    #[case("https://login.example.cn", "http://127.0.0.1:9000/token", false)]
    #[case("https://login.example.cn", "http://login.example.cn/token", false)]
    #[case("http://127.0.0.1:4711", "http://127.0.0.1:4711/token", true)]
    #[case("http://127.0.0.1:4711", "http://login.example.cn/token", false)]
    fn a_directory_elsewhere_leads_nobody_to_this_machine(#[case] issuer: &str, #[case] address: &str, #[case] may: bool) {
        assert_eq!(may_lead_to(&address.parse().unwrap(), &issuer.parse().unwrap()), may);
    }
}
