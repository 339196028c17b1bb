//! The push services that may be called.

use serde::{Deserialize, Serialize};

use super::address::{PushAddress, is_authority};

/// The push services of the browsers there are: Chrome and others on Android, Firefox (two), Safari, Edge.
const BROWSERS: [&str; 5] =
    ["fcm.googleapis.com", "updates.push.services.mozilla.com", "*.push.services.mozilla.com", "*.push.apple.com", "*.notify.windows.com"];

/// The push services that may be called: hosts, or `*.` and all below a domain. A port other than 443 must be named.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(try_from = "Vec<String>", into = "Vec<String>")]
pub struct PushServices(Vec<String>);

/// An entry that is no host.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no host, host:port or *.domain")]
pub struct ServiceFault(pub String);

impl PushServices {
    /// The entry that allows this address, if one does.
    #[must_use]
    pub fn of(&self, address: &PushAddress) -> Option<&str> {
        let called = address.authority();
        let allows = |entry: &&String| match entry.strip_prefix('*') {
            // `.domain`, with at least a label before it
            Some(domain) => called.len() > domain.len() && called.ends_with(domain),
            None => called == entry.as_str(),
        };
        self.0.iter().find(allows).map(String::as_str)
    }

    /// The entries.
    pub fn entries(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }
}

impl Default for PushServices {
    /// Those of the browsers there are.
    fn default() -> Self {
        Self(BROWSERS.map(str::to_owned).into())
    }
}

impl TryFrom<Vec<String>> for PushServices {
    type Error = ServiceFault;

    fn try_from(entries: Vec<String>) -> Result<Self, ServiceFault> {
        // A wildcard for all below a top-level domain would allow everybody.
        let is_entry = |entry: &str| match entry.strip_prefix("*.") {
            Some(domain) => is_authority(domain) && domain.contains('.'),
            None => is_authority(entry),
        };
        match entries.iter().find(|entry| !is_entry(entry)) {
            Some(wrong) => Err(ServiceFault(wrong.clone())),
            None => Ok(Self(entries)),
        }
    }
}

impl From<PushServices> for Vec<String> {
    fn from(services: PushServices) -> Self {
        services.0
    }
}
