//! What can go wrong here, and what a caller is told.

use std::time::Duration;

use domain::casework::{NumberError, Refusal};
use http::StatusCode;
use platform::http::{FieldFault, Problem};

/// A failure of casework.
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
    /// Database, bus, cache or keys failed.
    #[error(transparent)]
    Platform(#[from] platform::Error),
    /// A setting makes no sense.
    #[error("setting {name} {reason}")]
    Setting {
        /// Its key in the configuration file.
        name: &'static str,
        /// What is wrong.
        reason: String,
    },
    /// Fields that are wrong.
    #[error("{} fields of the request are wrong", .0.len())]
    Invalid(Vec<FieldFault>),
    /// What should be a case's number is none.
    #[error("what was given is no case's number")]
    Number(#[from] NumberError),
    /// No case has the number with this PIN.
    #[error("no case has this number and PIN")]
    NumberOrPin,
    /// Too many wrong PINs.
    #[error("too many wrong PINs for one case")]
    TooManyTries {
        /// After so long there are tries again.
        after: Duration,
        /// Where to call instead.
        hotline: String,
    },
    /// More than anybody does with a case, or asks for from one network.
    #[error("too often")]
    TooOften {
        /// After so long it is taken again.
        after: Duration,
        /// Where to call instead.
        hotline: String,
    },
    /// More cases than anybody brings.
    #[error("too many cases")]
    TooManyCases {
        /// After so long another one is taken.
        after: Duration,
        /// Where to call instead.
        hotline: String,
    },
    /// No such case, or not the caller's to see.
    #[error("no such case, or it is not the caller's to see")]
    NoSuchCase,
    /// Somebody took a step in between.
    #[error("the case is at version {found}, not {expected}")]
    VersionPassed {
        /// The version that was looked at.
        expected: i32,
        /// The one it has.
        found: i32,
    },
    /// The step is not permitted.
    #[error("the step is not permitted: {0}")]
    Refused(#[from] Refusal),
    /// No such unit.
    #[error("no unit has this number")]
    NoSuchUnit,
    /// A unit has this name already.
    #[error("a unit has this name already")]
    UnitExists,
    /// The request that makes a case has no name of its own.
    #[error("the request has no idempotency key")]
    KeyMissing,
    /// The name was given to another request.
    #[error("the idempotency key was used for something else")]
    KeyReused,
    /// A case cannot go on as part of itself, or of one that has ended.
    #[error("the case to be joined with is the same, or has ended")]
    CannotMergeInto,
    /// Nobody left a number.
    #[error("whoever brought the case left no phone number")]
    NoPhone,
    /// More contacts opened in a day than work takes.
    #[error("more than {most} contacts in a day")]
    TooManyContacts {
        /// What a day may have.
        most: u32,
    },
    /// Stored values that cannot be read back.
    #[error("stored {what} cannot be read")]
    Stored {
        /// What it is.
        what: &'static str,
    },
}

impl Error {
    /// For `map_err`: names what was being done.
    pub(crate) fn database(action: &'static str) -> impl Fn(sqlx::Error) -> Self {
        move |source| Self::Database { action, source }
    }

    /// For `map_err`: what is stored is not what was written.
    pub(crate) fn stored<E>(what: &'static str) -> impl Fn(E) -> Self {
        move |_| Self::Stored { what }
    }

    /// One field that is wrong.
    pub(crate) fn field(field: &str, reason: impl Into<String>, reason_en: impl Into<String>) -> Self {
        Self::Invalid(vec![FieldFault::new(field, reason, reason_en)])
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        match error {
            Error::Database { .. } | Error::Platform(_) => Self::unavailable(&error),
            Error::Stored { .. } | Error::Setting { .. } => Self::internal(&error),
            Error::Invalid(faults) => Self::invalid(faults),
            Error::Number(fault) => Self::bad_request("case_number_wrong", format!("{fault}。"), fault.english()),
            Error::NumberOrPin => Self::not_found(
                "number_or_pin_wrong",
                "编号或查询码不对。请核对受理时告知的编号和 6 位查询码。",
                "The number or the PIN is wrong. Compare both with what you were told.",
            ),
            Error::TooManyTries { after, hotline } => Self::new(
                StatusCode::TOO_MANY_REQUESTS,
                "too_many_tries",
                format!("有人多次输错该事项的查询码，请一小时后再试，或拨打 {hotline} 查询。"),
                format!("The PIN of this case was entered wrongly too often. Try again in an hour, or call {hotline}."),
            )
            .retry_after(after),
            Error::TooOften { after, hotline } => Self::new(
                StatusCode::TOO_MANY_REQUESTS,
                "too_often",
                format!("操作过于频繁，请稍后再试，或拨打 {hotline}。"),
                format!("This came too often. Try again later, or call {hotline}."),
            )
            .retry_after(after),
            Error::TooManyCases { after, hotline } => Self::new(
                StatusCode::TOO_MANY_REQUESTS,
                "too_many_cases",
                format!("提交过于频繁，请稍后再试；急需帮助请直接拨打 {hotline}。"),
                format!("Too many cases are coming from you. Try again later; for urgent help call {hotline}."),
            )
            .retry_after(after),
            Error::NoSuchCase => Self::not_found(
                "no_such_case",
                "没有此事项，或不在您的范围内。请核对编号。",
                "There is no such case, or it is not yours to see. Check the number.",
            ),
            Error::VersionPassed { .. } => Self::conflict(
                "version_passed",
                "其他人刚处理过该事项，请刷新查看后再操作。",
                "Somebody else took a step with this case just now. Reload it, look, and decide again.",
            ),
            Error::Refused(refusal) => refused(refusal),
            Error::NoSuchUnit => {
                Self::not_found("no_such_unit", "没有此承办单位，请刷新单位列表。", "There is no such unit. Reload the list.")
            }
            Error::UnitExists => {
                Self::conflict("unit_exists", "已有同名单位，请核对名称。", "A unit has this name already. Check the name.")
            }
            Error::KeyMissing => Self::bad_request(
                "idempotency_key_missing",
                "请在请求头 Idempotency-Key 中给出 8 到 64 个字符的唯一标识，以免重复受理。",
                "Give the request a name of its own in the header Idempotency-Key, 8 to 64 characters, so that a repeat is not a second case.",
            ),
            Error::KeyReused => Self::conflict(
                "idempotency_key_reused",
                "该标识已用于另一份内容，请换一个标识重新提交。",
                "This idempotency key was used for something else. Send it again under another one.",
            ),
            Error::CannotMergeInto => Self::conflict(
                "cannot_merge_into",
                "不能并入该事项：它就是本事项，或已经办结。请核对编号。",
                "It cannot be joined with that case: it is the same one, or has ended. Check the number.",
            ),
            Error::NoPhone => Self::conflict(
                "no_phone",
                "来访人没有留下电话，请以网上答复或书面方式联系。",
                "Nobody left a phone number. Answer on line or by letter.",
            ),
            Error::TooManyContacts { most } => Self::new(
                StatusCode::TOO_MANY_REQUESTS,
                "too_many_contacts",
                format!("您今天查看的联系方式已达 {most} 个，请明日再查看，或请同事办理。"),
                format!("You have opened {most} contacts today. Go on tomorrow, or ask a colleague."),
            ),
        }
    }
}

fn refused(refusal: Refusal) -> Problem {
    let status = match refusal {
        Refusal::WrongRole { .. }
        | Refusal::NotYours { .. }
        | Refusal::OutsideScope { .. }
        | Refusal::OutsideUnit { .. }
        | Refusal::SamePerson { .. } => StatusCode::FORBIDDEN,
        Refusal::ReasonMissing { .. } | Refusal::ExtensionTooLong { .. } | Refusal::ProposesItself => StatusCode::UNPROCESSABLE_ENTITY,
        _ => StatusCode::CONFLICT,
    };
    Problem::new(status, refusal.as_ref(), format!("{refusal}。"), english(refusal))
}

/// The same in English.
pub(crate) fn english(refusal: Refusal) -> String {
    let text = match refusal {
        Refusal::NotFromHere { .. } => "The case is in another state by now. Reload it.",
        Refusal::WrongRole { .. } => "Your role does not take this step.",
        Refusal::NotYours { .. } => "This step is not yours to take.",
        Refusal::OutsideScope { .. } => "The case lies outside your area.",
        Refusal::OutsideUnit { .. } => "Another unit has this case.",
        Refusal::SamePerson { .. } => "You had a hand in this case before: somebody else has to take this step.",
        Refusal::ReasonMissing { .. } => "Say what there is to say.",
        Refusal::OrderBinding => "Supervision has decided that your unit is competent: the order cannot be refused again.",
        Refusal::UnitRefusedBefore => "This unit has said that it is not competent. Choose another, or have it decided.",
        Refusal::UnitDecidedBefore => "This unit has decided the case before: a review goes to another.",
        Refusal::ProposesItself => "Name another unit.",
        Refusal::AssistsOpen => "Units that assist have not finished yet.",
        Refusal::ExtensionUsed => "A case gets more time once.",
        Refusal::ExtensionTooLong { longest } => return format!("At most half of the period: {longest} working days."),
        Refusal::NoExtensionAsked => "Nobody has asked for more time.",
        Refusal::PauseUsedUp => "The case has waited for its citizen as long as it may.",
        Refusal::ReviewUsedUp => "The case was reviewed as often as it may be.",
        Refusal::ReviewTooLate { days } => return format!("A review is asked for within {days} days of the answer."),
        Refusal::NoMergeProposed => "Nobody has proposed to join it with another case.",
        Refusal::OthersGoOnInIt => "Others go on in this case and are answered by it: it is neither declined nor joined with another.",
        Refusal::NoSuchAssist => "This unit does not assist, or has finished.",
        Refusal::PeriodOver => "The period is over: there is no more time to give.",
        Refusal::NotUpwards => "What is changed automatically goes upwards only.",
    };
    text.to_owned()
}
