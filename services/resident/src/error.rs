//! What can go wrong here, and what a caller is told.

use std::time::Duration;

use domain::ids::{AlertId, ResidentNo};
use http::StatusCode;
use platform::BoxError;
use platform::gather::Failure;
use platform::http::{FieldFault, Problem};

/// A failure of the resident service.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A statement failed.
    #[error("the database failed on {action}")]
    Database {
        /// What was being done.
        action: &'static str,
        /// What the database said.
        #[source]
        source: sqlx::Error,
    },
    /// Bus, cache or keys failed.
    #[error(transparent)]
    Platform(#[from] platform::Error),
    /// What was asked together with others failed, or was broken off.
    #[error(transparent)]
    Gathered(#[from] Failure<Self>),
    /// Fields that are wrong.
    #[error("{} fields of the request are wrong", .0.len())]
    Invalid(Vec<FieldFault>),
    /// The code is wrong, used up or too old.
    #[error("the one-time code is not valid")]
    Code,
    /// Too many codes asked for, or too many tried.
    #[error("too many attempts with one-time codes")]
    TooManyCodes {
        /// When to try again.
        after: Duration,
    },
    /// More contacts opened than a day may have.
    #[error("more than {most} contacts were opened in a day")]
    TooManyContacts {
        /// How many a day may have.
        most: u32,
    },
    /// Consent was not given, or to a text that is no longer current.
    #[error("consent to version {current} of the text is missing")]
    ConsentMissing {
        /// The version that must be shown.
        current: u16,
    },
    /// The identity number belongs to another registration.
    #[error("the identity number is already registered with another phone")]
    IdentityTaken,
    /// No such resident.
    #[error("resident {0} does not exist")]
    NoSuchResident(ResidentNo),
    /// No such alert, or it never was for this resident.
    #[error("alert {0} is not in this inbox")]
    NotInInbox(AlertId),
    /// The caller may not see this resident.
    #[error("the resident lives outside the caller's area")]
    OutsideScope,
    /// No such feedback, or not in the caller's area.
    #[error("there is no such feedback in the caller's area")]
    NoSuchFeedback,
    /// Somebody has answered already.
    #[error("the feedback has an answer already")]
    FeedbackAnswered,
    /// Web Push is not set.
    #[error("this installation offers no Web Push")]
    NoWebPush,
    /// Synthetic residents are only written into an empty table.
    #[error("there are residents already: synthetic ones are only written into an empty database")]
    ResidentsExist,
    /// Stored bytes that should be a bitmap or content are not.
    #[error("stored {what} cannot be read")]
    Stored {
        /// What it is.
        what: &'static str,
    },
    /// The same of an alert.
    #[error("stored {what} of alert {alert} cannot be read")]
    StoredAlert {
        /// What it is.
        what: &'static str,
        /// Of which alert.
        alert: AlertId,
        /// Why.
        #[source]
        source: BoxError,
    },
}

impl Error {
    /// For `map_err`: names what was being done.
    pub(crate) fn database(action: &'static str) -> impl Fn(sqlx::Error) -> Self {
        move |source| Self::Database { action, source }
    }

    /// For `map_err`: names what of which alert could not be read.
    pub(crate) fn stored_alert<E: Into<BoxError>>(what: &'static str, alert: AlertId) -> impl Fn(E) -> Self {
        move |source| Self::StoredAlert { what, alert, source: source.into() }
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        match error {
            Error::Database { .. } | Error::Platform(_) | Error::Gathered(_) => Self::unavailable(&error),
            Error::Stored { .. } | Error::StoredAlert { .. } | Error::ResidentsExist => Self::internal(&error),
            Error::Invalid(faults) => Self::invalid(faults),
            Error::NoWebPush => Self::not_found(
                "web_push_not_offered",
                "本平台未开通浏览器推送，请留意短信。",
                "This installation offers no Web Push; alerts come by SMS.",
            ),
            Error::Code => Self::forbidden(
                "code_not_valid",
                "验证码不正确或已过期，请核对短信，或重新获取验证码。",
                "The code is wrong or too old. Check the SMS, or ask for a new code.",
            ),
            Error::TooManyCodes { after } => Self::too_many_requests(after),
            Error::TooManyContacts { most } => Self::new(
                StatusCode::TOO_MANY_REQUESTS,
                "too_many_contacts",
                format!("您今天已查看 {most} 人的联系方式，达到上限。确有需要请联系技术运维调整上限，或请同事协助。"),
                format!(
                    "You have opened {most} contacts today, which is all that a day may have. Ask the operator or a colleague if the work takes more."
                ),
            ),
            Error::ConsentMissing { current } => Self::bad_request(
                "consent_missing",
                format!("请先阅读并同意《个人信息告知书》（版本 {current}）。"),
                format!("Show the privacy notice, version {current}, and send the consent to it."),
            ),
            Error::IdentityTaken => Self::conflict(
                "identity_taken",
                "该证件号码已用其他手机号登记，请使用原手机号登录，或联系社区更正。",
                "This identity number is registered with another phone. Sign in with that phone, or ask your community.",
            ),
            Error::NoSuchResident(_) => Self::not_found("no_such_resident", "没有此居民。", "There is no such resident."),
            Error::NotInInbox(_) => Self::not_found(
                "no_such_alert",
                "您的收件箱中没有这条提醒，请刷新后重试。",
                "This alert is not in your inbox. Refresh and try again.",
            ),
            Error::NoSuchFeedback => {
                Self::not_found("no_such_feedback", "没有此反馈，或不在您的管辖范围内。", "There is no such feedback in your area.")
            }
            Error::FeedbackAnswered => Self::conflict(
                "feedback_answered",
                "该反馈已有答复，请刷新后查看。",
                "This feedback has been answered. Reload to read the answer.",
            ),
            Error::OutsideScope => Self::forbidden("outside_scope", "该居民不在您的管辖范围内。", "This resident lives outside your area."),
        }
    }
}
