//! What can go wrong here, and how it is told over HTTP.

use platform::http::Problem;

/// A failure of this service.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A statement failed.
    #[error("database statement failed")]
    Database(#[from] sqlx::Error),
    /// The platform failed below us.
    #[error(transparent)]
    Platform(#[from] platform::Error),
    /// An entry arrived that cannot be read. It is not appended and ends as a dead letter, for somebody to look at.
    #[error("audit entry is malformed: {field}")]
    Malformed {
        /// Which field.
        field: &'static str,
    },
    /// A row holds what no version of this service writes.
    #[error("stored audit entry {sequence} cannot be read")]
    Stored {
        /// Which.
        sequence: i64,
        /// Why.
        #[source]
        source: serde_json::Error,
    },
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        match error {
            Error::Database(error) => error.into(),
            Error::Platform(error) => error.into(),
            Error::Malformed { .. } | Error::Stored { .. } => Self::internal(&error),
        }
    }
}
