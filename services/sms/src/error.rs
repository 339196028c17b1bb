//! What can go wrong in this crate.

use domain::{ids::AlertId, outcome::Outcome};
use platform::http::Problem;

/// A failure of the SMS service.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A setting cannot be used.
    #[error("setting {name}: {reason}")]
    Setting {
        /// Its key in the configuration file.
        name: &'static str,
        /// What is wanted.
        reason: &'static str,
    },
    /// The platform below failed.
    #[error("the SMS service could not use the platform")]
    Platform(#[from] platform::Error),
    /// The worker could not be started.
    #[error("the worker of SMS batches could not be started")]
    Worker(#[from] dispatch::Error),
    /// A statement failed.
    #[error("the SMS tables could not be used")]
    Database(#[from] sqlx::Error),
    /// What was sealed is not what it should be. It is not repeated: it may be personal.
    #[error("a {what} cannot be read")]
    Unreadable {
        /// Which value.
        what: &'static str,
    },
    /// The centre did not take a message to one phone now.
    #[error("a message to one phone was not sent: {outcome}")]
    NotSent {
        /// Its answer.
        outcome: Outcome,
    },
    /// No such alert, or it was never approved.
    #[error("alert {0} is not among the approved alerts")]
    NoSuchAlert(AlertId),
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        match error {
            Error::NoSuchAlert(_) => Self::not_found(
                "alert_not_sent",
                "该弹窗不存在或尚未批准，请核对编号。",
                "There is no such alert, or it is not approved yet. Check its id.",
            ),
            Error::Database(_) | Error::Platform(_) => Self::unavailable(&error),
            Error::Setting { .. } | Error::Worker(_) | Error::Unreadable { .. } | Error::NotSent { .. } => Self::internal(&error),
        }
    }
}
