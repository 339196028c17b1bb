//! What can go wrong in this crate.

use domain::ids::{AlertId, ScreenId};
use platform::{BoxError, http::Problem};

/// A failure of the display service.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The platform below failed.
    #[error("the display service could not use the platform")]
    Platform(#[from] platform::Error),
    /// A statement failed.
    #[error("the tables of the display service could not be used")]
    Database(#[from] sqlx::Error),
    /// Stored data cannot be read.
    #[error("the {what} of {of} cannot be read")]
    Damaged {
        /// Which value.
        what: &'static str,
        /// Of which alert or screen.
        of: String,
        /// Why.
        #[source]
        source: BoxError,
    },
    /// No such screen, or it was retired.
    #[error("screen {0} is not known")]
    NoSuchScreen(ScreenId),
    /// No such alert was ever given to screens.
    #[error("alert {0} was not given to screens")]
    NotDisplayed(AlertId),
}

impl Error {
    pub(crate) fn damaged(what: &'static str, of: impl ToString, source: impl Into<BoxError>) -> Self {
        Self::Damaged { what, of: of.to_string(), source: source.into() }
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        match error {
            Error::NoSuchScreen(_) => Self::not_found(
                "screen_not_found",
                "没有该显示屏，或已停用，请刷新列表。",
                "There is no such screen, or it was retired. Load the list again.",
            ),
            Error::NotDisplayed(_) => {
                Self::not_found("alert_not_displayed", "该弹窗未投放到公共显示屏。", "This alert was not given to public screens.")
            }
            Error::Platform(_) | Error::Database(_) => Self::unavailable(&error),
            Error::Damaged { .. } => Self::internal(&error),
        }
    }
}
