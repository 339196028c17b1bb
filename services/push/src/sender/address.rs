//! Where a provider is: a base URL, parsed once.

use http::Uri;
use http::uri::{Authority, Scheme};

/// A provider's scheme, host and port.
///
/// `https` speaks HTTP/2 by ALPN, `http` by prior knowledge (RFC 9113 §3.3), which only a test or a proxy on the same machine wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    scheme: Scheme,
    authority: Authority,
    port: u16,
}

/// Why a base URL cannot be used.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum AddressFault {
    /// Not a URL at all.
    #[error("it is not a URL")]
    NotAUrl,
    /// Something else than `https` or `http`.
    #[error("it must begin with https:// or http://")]
    Scheme,
    /// A path or a query: the provider's paths are fixed by its protocol.
    #[error("it must end after the host and port")]
    Path,
}

impl Address {
    /// Reads a base URL such as `https://api.push.apple.com` or `https://127.0.0.1:2197`.
    ///
    /// # Errors
    /// When it is no URL, of another scheme, or carries a path.
    pub fn parse(url: &str) -> Result<Self, AddressFault> {
        let parts = url.parse::<Uri>().map_err(|_| AddressFault::NotAUrl)?.into_parts();
        let (Some(scheme), Some(authority)) = (parts.scheme, parts.authority) else {
            return Err(AddressFault::NotAUrl);
        };
        let default_port = match scheme.as_str() {
            "https" => 443,
            "http" => 80,
            _ => return Err(AddressFault::Scheme),
        };
        if parts.path_and_query.is_some_and(|path| path.as_str() != "/") {
            return Err(AddressFault::Path);
        }
        let port = authority.port_u16().unwrap_or(default_port);
        Ok(Self { scheme, authority, port })
    }

    /// The scheme, for the `:scheme` of every request.
    pub fn scheme(&self) -> &Scheme {
        &self.scheme
    }

    /// Host and port as they stood in the URL, for the `:authority` of every request.
    pub fn authority(&self) -> &Authority {
        &self.authority
    }

    /// Whether the connection is encrypted.
    pub fn is_tls(&self) -> bool {
        self.scheme == Scheme::HTTPS
    }

    /// The host without the brackets of an IPv6 address.
    pub fn host(&self) -> &str {
        self.authority.host().trim_start_matches('[').trim_end_matches(']')
    }

    /// The TCP port.
    pub fn port(&self) -> u16 {
        self.port
    }
}

impl std::fmt::Display for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}://{}", self.scheme, self.authority)
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("https://api.push.apple.com", "api.push.apple.com", 443, true)]
    #[case("https://127.0.0.1:2197/", "127.0.0.1", 2197, true)]
    #[case("http://[::1]:8081", "::1", 8081, false)]
    fn a_base_url_names_host_and_port(#[case] url: &str, #[case] host: &str, #[case] port: u16, #[case] tls: bool) {
        let address = Address::parse(url).unwrap();
        assert_eq!((address.host(), address.port(), address.is_tls()), (host, port, tls));
    }

    #[rstest]
    #[case("", AddressFault::NotAUrl)]
    #[case("api.push.apple.com", AddressFault::NotAUrl)]
    #[case("ftp://api.push.apple.com", AddressFault::Scheme)]
    #[case("https://api.push.apple.com/3/device", AddressFault::Path)]
    fn anything_else_is_refused(#[case] url: &str, #[case] fault: AddressFault) {
        assert_eq!(Address::parse(url), Err(fault));
    }
}
