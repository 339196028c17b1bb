//! The address of a subscription, read strictly.
//!
//! URL parsers are generous: `https:\\host`, `https://allowed@other`, `0x7f.1` and full-width letters all become something. What is not plainly
//! `https://host[:port]/path` is refused here instead, so that what is compared with the list is what is called.

/// Longer than any push service's.
const LONGEST: usize = 2_048;

/// Where the messages for one browser go.
#[derive(Clone, PartialEq, Eq)]
pub struct PushAddress {
    authority: String,
    path: String,
}

/// Why a text is no address of a push service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressFault {
    /// It does not begin with `https://`.
    #[error("it does not begin with https://")]
    NotHttps,
    /// The host is no plain domain name or address, or something stands before it.
    #[error("its host is no plain name")]
    Host,
    /// It names nothing at the push service, or has characters that no path has.
    #[error("its path cannot be used")]
    Path,
    /// It is longer than any.
    #[error("it is too long")]
    TooLong,
}

impl PushAddress {
    /// Reads the `endpoint` of a subscription.
    ///
    /// # Errors
    /// When it is anything but `https://host[:port]/path`.
    pub fn parse(text: &str) -> Result<Self, AddressFault> {
        if text.len() > LONGEST {
            return Err(AddressFault::TooLong);
        }
        let rest = text.strip_prefix("https://").ok_or(AddressFault::NotHttps)?;
        let (authority, path) = rest.split_at(rest.find('/').ok_or(AddressFault::Path)?);
        if !is_authority(authority) {
            return Err(AddressFault::Host);
        }
        let in_a_path = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@/?%".contains(&byte);
        if path.len() < 2 || !path.bytes().all(in_a_path) {
            return Err(AddressFault::Path);
        }
        Ok(Self { authority: authority.to_owned(), path: path.to_owned() })
    }

    /// Host, and port where it is not the usual one.
    #[must_use]
    pub fn authority(&self) -> &str {
        &self.authority
    }

    /// Scheme, host and port: whom a VAPID token is for.
    #[must_use]
    pub fn origin(&self) -> String {
        format!("https://{}", self.authority)
    }

    /// Path and query.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }
}

impl std::fmt::Display for PushAddress {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "https://{}{}", self.authority, self.path)
    }
}

/// Printed as dots: it is as good as the person's number.
impl std::fmt::Debug for PushAddress {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PushAddress(…)")
    }
}

/// `host` or `host:port`, in small letters as browsers write it.
pub(super) fn is_authority(text: &str) -> bool {
    let (host, port) = text.split_once(':').map_or((text, None), |(host, port)| (host, Some(port)));
    let is_label = |label: &str| {
        let letters = label.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
        (1..=63).contains(&label.len()) && letters && !label.starts_with('-') && !label.ends_with('-')
    };
    let is_port = |port: &str| port.bytes().all(|byte| byte.is_ascii_digit()) && port.parse::<u16>().is_ok_and(|port| port > 0);
    host.len() <= 253 && host.split('.').all(is_label) && port.is_none_or(is_port)
}
