//! What can go wrong in this crate. What providers answer is no error: see [`crate::answer`].

use std::path::PathBuf;

use platform::http::Problem;

use crate::sender::{AddressFault, TlsFault};

/// A failure of the push service.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A setting is missing or cannot be used.
    #[error("setting {name}: {reason}")]
    Setting {
        /// Its key in the configuration file.
        name: &'static str,
        /// What is wanted.
        reason: &'static str,
    },
    /// A provider's base URL cannot be used.
    #[error("setting {name}: {source}")]
    Address {
        /// Its key in the configuration file.
        name: &'static str,
        /// What is wrong with it.
        source: AddressFault,
    },
    /// A key file cannot be read.
    #[error("setting {name}: {} cannot be read", path.display())]
    KeyFile {
        /// Its key in the configuration file.
        name: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// The certificates to trust cannot be loaded.
    #[error("no trusted connection to a push provider can be made")]
    Tls(#[from] TlsFault),
    /// The APNs key is not an ES256 key in PKCS#8 PEM.
    #[error("setting push.apns.key: it cannot sign")]
    ApnsKey(#[source] jsonwebtoken::errors::Error),
    /// The VAPID key is not an ES256 key in PKCS#8 PEM.
    #[error("setting push.web_push.key: it cannot sign")]
    VapidKey(#[source] jsonwebtoken::errors::Error),
    /// The FCM service account is not what Google hands out.
    #[error("setting push.fcm.projects: a service account cannot be used")]
    ServiceAccount(#[source] gcp_auth::Error),
    /// Google gives no access token.
    #[error("Google gives no access token for a service account")]
    AccessToken(#[source] gcp_auth::Error),
    /// The endpoints of a batch could not be loaded.
    #[error("the endpoints of a batch could not be loaded")]
    Endpoints(#[from] sqlx::Error),
    /// The platform below failed.
    #[error("the push service could not use the platform")]
    Platform(#[from] platform::Error),
    /// The ledger failed.
    #[error("the push service could not use the batch ledger")]
    Dispatch(#[from] dispatch::Error),
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        match error {
            Error::Endpoints(_) | Error::Platform(_) | Error::Dispatch(_) => Self::unavailable(&error),
            _ => Self::internal(&error),
        }
    }
}

/// A secret that may be given in place or as a file.
pub(crate) fn secret_of(
    name: &'static str,
    in_place: &secrecy::SecretString,
    file: Option<&std::path::Path>,
) -> Result<secrecy::SecretString, Error> {
    use secrecy::ExposeSecret as _;
    match file {
        _ if !in_place.expose_secret().is_empty() => Ok(in_place.clone()),
        Some(path) => std::fs::read_to_string(path).map(secrecy::SecretString::from).map_err(|source| Error::KeyFile {
            name,
            path: path.to_owned(),
            source,
        }),
        None => Err(Error::Setting { name, reason: "must be given, in place or as a file" }),
    }
}
