//! What can go wrong here, and what a caller is told.

use std::time::Duration;

use domain::continuity::Doubt;
use domain::ids::{AlertId, ResidentNo};
use http::StatusCode;
use platform::BoxError;
use platform::gather::Failure;
use platform::http::{FieldFault, Problem};

use crate::headcount;

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
    /// More questions about audiences than a day may have.
    #[error("more than {most} questions about audiences in a day")]
    TooManyQuestions {
        /// How many a day may have.
        most: u32,
    },
    /// Consent was not given, or to a text that is no longer current.
    #[error("consent to version {current} of the text is missing")]
    ConsentMissing {
        /// The version that must be shown.
        current: u16,
    },
    /// It is in doubt whether who registers is who is registered with the number.
    #[error("it is in doubt whose the number is")]
    WhoseNumber(Doubt),
    /// No document was claimed.
    #[error("the resident has not said which document is theirs")]
    NothingClaimed,
    /// The document is held by somebody who is bound to it by more.
    #[error("the document is held by somebody with a stronger proof")]
    IdentityHeld,
    /// The document that was seen is not the one that the resident said is theirs.
    #[error("the document is not the one that the resident claims")]
    NotAsClaimed,
    /// There is nothing to object to, or no more.
    #[error("there is nothing to object to, or not any more")]
    NothingToObjectTo,
    /// No such objection in the caller's area, or somebody has settled it.
    #[error("there is no such objection in the caller's area")]
    NoSuchObjection,
    /// No change of number waits.
    #[error("no change of number waits for a check")]
    NoNumberWaits,
    /// No such sign-in of this resident.
    #[error("the resident is not signed in there")]
    NoSuchSignIn,
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
    /// The caller may not answer what is objected to an alert that their unit sent or that they decided about.
    #[error("who sent an alert does not answer objections to it")]
    ObjectionToOwnAlert,
    /// No such standing, or not of this person or in the caller's area.
    #[error("nothing of the kind stands against this person or in the caller's area")]
    NoSuchStanding,
    /// It does not stand any more.
    #[error("it does not stand any more")]
    StandingIsOver,
    /// It ended too long ago to be objected to.
    #[error("it ended too long ago to be objected to")]
    StandingLongOver,
    /// An objection to it waits for its answer.
    #[error("an objection waits for its answer already")]
    ObjectionWaits,
    /// The rule does not let the caller's role lift it.
    #[error("the rule does not let the caller's role lift it")]
    MayNotLift,
    /// No rule in force names the purpose, or the key may not ask for it.
    #[error("the purpose is named by no rule in force, or the key may not ask for it")]
    PurposeNotNamed,
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
            Error::TooManyQuestions { most } => headcount::too_many_questions(most),
            Error::ConsentMissing { current } => Self::bad_request(
                "consent_missing",
                format!("请先阅读并同意《个人信息告知书》（版本 {current}）。"),
                format!("Show the privacy notice, version {current}, and send the consent to it."),
            ),
            Error::WhoseNumber(Doubt::Contradicted) => Self::conflict(
                "somebody_registered",
                "此号码已有人登记，姓名或证件与登记的不一致。如果是您本人，请直接登录；如果不是您，请重新登记。",
                "Somebody is registered with this number, under another name or document. If that is you, only sign in; if it is not, begin anew.",
            ),
            Error::WhoseNumber(Doubt::Silent) => Self::conflict(
                "number_long_silent",
                "此号码曾有人登记，但已很久没有使用。如果是您本人，请填写登记的姓名和已核验的证件；否则请重新登记。",
                "Somebody registered with this number and was not heard of for long. If that is you, give your name and your proved document; \
                 otherwise begin anew.",
            ),
            Error::NothingClaimed => Self::conflict(
                "no_identity_claimed",
                "您还没有填写证件，请先填写。",
                "You have not said which identity document is yours. Do that first.",
            ),
            Error::IdentityHeld => Self::conflict(
                "identity_held",
                "此证件须由社区当面核验，请带证件到所在社区。",
                "This document has to be seen by your community. Take it there.",
            ),
            Error::NotAsClaimed => Self::conflict(
                "identity_not_as_claimed",
                "证件号码与居民本人填写的不一致。请居民在应用“我的”中核对证件，再行核验。",
                "This is not the document that the resident gave. Have them check it in the app, under Me, and try again.",
            ),
            Error::NothingToObjectTo => Self::conflict(
                "nothing_to_object_to",
                "没有可以提出异议的事项，或已过期限。请带证件到所在社区。",
                "There is nothing to object to, or it is too late. Take your document to your community.",
            ),
            Error::NoSuchObjection => Self::not_found(
                "no_such_objection",
                "没有此异议，或已处理，或不在您的管辖范围内。",
                "There is no such objection in your area, or somebody has settled it.",
            ),
            Error::NoNumberWaits => Self::conflict(
                "no_number_waits",
                "没有待核验的换号申请。请居民先在应用“我的”中申请，七天内有效。",
                "No change of number waits. The resident has to ask for it in the app first; it waits for seven days.",
            ),
            Error::NoSuchSignIn => {
                Self::not_found("no_such_sign_in", "该设备已经退出，请刷新。", "That device is signed out already. Refresh the list.")
            }
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
            Error::ObjectionToOwnAlert => Self::forbidden(
                "objection_to_own_alert",
                "此异议针对本单位发送或您参与审核的提醒，须由其他单位答复，请转告市级指挥部。",
                "This objects to an alert that your unit sent or that you decided about: somebody else has to answer. Tell the city command.",
            ),
            Error::NoSuchStanding => Self::not_found(
                "no_such_standing",
                "没有此弹窗状态，或不在您的管辖范围内，请刷新。",
                "There is nothing of the kind against you or in your area. Refresh.",
            ),
            Error::StandingIsOver => Self::conflict(
                "standing_is_over",
                "此弹窗状态已解除，无需再操作，请刷新。",
                "It does not stand any more. Refresh to see why.",
            ),
            Error::StandingLongOver => Self::conflict(
                "standing_long_over",
                "此弹窗状态已结束超过 30 天，不能再提出异议。如有疑问请来电。",
                "It ended more than 30 days ago. Call the number of the alert if you have a question.",
            ),
            Error::ObjectionWaits => Self::conflict(
                "objection_waits",
                "您的异议已受理，正在核实，请等待答复。",
                "Your objection was taken and waits for its answer.",
            ),
            Error::MayNotLift => Self::forbidden(
                "may_not_lift",
                "按规则，您的岗位不能解除此弹窗状态，请联系规则指定的单位。",
                "The rule does not let your role lift this. Ask one of the units that it names.",
            ),
            Error::PurposeNotNamed => Self::forbidden(
                "purpose_not_named",
                "现行规则未列出此用途，或此密钥不能用于此用途，不能查询。",
                "No rule in force names this purpose, or the key may not ask for it.",
            ),
            Error::OutsideScope => Self::forbidden("outside_scope", "该居民不在您的管辖范围内。", "This resident lives outside your area."),
        }
    }
}
