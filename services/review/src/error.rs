//! What can go wrong here, and what a caller is told.

mod in_review;

use domain::alert::{ContentFault, FaultKind};
use domain::alert_state::{Refusal, State};
use domain::audience::AudienceError;
use domain::conflict::Conflict;
use domain::ids::AlertId;
use domain::retention::OLDEST_DRAFT;
use domain::{checklist, claim, comment, many_decisions, retraction};
use http::StatusCode;
use platform::http::{FieldFault, Problem};

/// A failure of the review service.
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
    /// Bus or keys failed.
    #[error(transparent)]
    Platform(#[from] platform::Error),
    /// No such alert, or not in the caller's area.
    #[error("alert {0} does not exist or is not the caller's to see")]
    NoSuchAlert(AlertId),
    /// Somebody else decided in the meantime.
    #[error("the alert was changed since version {expected}; it is at version {found} now")]
    Conflict {
        /// The version the decision was made on.
        expected: i32,
        /// The version there is.
        found: i32,
        /// Where the alert stands now.
        state: State,
    },
    /// The domain does not permit the step.
    #[error("the step is not permitted: {}", .0.as_ref())]
    Refused(#[from] Refusal),
    /// The content has faults.
    #[error("the content has {} faults", .0.len())]
    Content(Vec<ContentFault>),
    /// The audience has a fault.
    #[error("the audience is not usable")]
    Audience(#[source] AudienceError),
    /// The audience or district lies outside the author's area.
    #[error("the alert reaches outside the author's area")]
    OutsideScope,
    /// The draft is not the caller's to change now.
    #[error("the alert cannot be edited in state {}", .0.as_ref())]
    NotEditable(State),
    /// The alert cannot be corrected, since nobody has received it.
    #[error("the alert cannot be corrected in state {}", .0.as_ref())]
    NotCorrectable(State),
    /// Approved, it would reach nobody.
    #[error("neither app nor SMS reaches anybody of {people} people in the audience")]
    ReachesNobody {
        /// In the audience.
        people: domain::headcount::HeadCount,
    },
    /// Quiet hours leave less time to send than it is allowed.
    #[error("quiet hours leave too little time to send the alert")]
    CutByQuietHours,
    /// It ends before the silent can be reminded.
    #[error("the alert ends before the silent can be reminded")]
    NoReminder,
    /// Another alert asks people in the same place for the opposite.
    #[error("another alert for the same place contradicts it")]
    ContradictsAnother(Box<Conflict>),
    /// More alerts hold for the same place than are compared, and none of those that were contradicts it.
    #[error("not all alerts for the same place were compared")]
    NotAllCompared,
    /// Records behind it hold no longer, and nobody has decided about whom they brought into it.
    #[error("{0} records behind the alert ended and were not decided about")]
    RecordsEnded(i64),
    /// Without them nobody is left.
    #[error("nobody would be left in the audience")]
    NobodyLeft,
    /// Withdrawn for all whom it is for, it would hold for nobody.
    #[error("the alert would hold for nobody")]
    NobodyLeftToHold,
    /// The records are about places: nobody is in the alert by them alone.
    #[error("the records name nobody")]
    NamesNobody,
    /// What is wanted cannot be done where the alert stands.
    #[error("the remedy is not open in state {}", .0.as_ref())]
    NoSuchRemedy(State),
    /// Somebody else has decided about these records, or they are not behind this alert.
    #[error("these records are not there to be decided about")]
    NothingToDecide,
    /// It was first written so long ago that what is known of it might be dropped while it holds.
    #[error("the draft is too old to be approved")]
    DraftTooOld,
    /// Somebody has it: that it ends is said by two people.
    #[error("people have the alert: its end takes a second person")]
    NeedsSecondOfficer,
    /// It is stopped already.
    #[error("the alert is stopped already")]
    HeldAlready,
    /// It is not stopped.
    #[error("the alert is not stopped")]
    NotHeld,
    /// A word about it waits for a second person.
    #[error("a retraction of the alert waits")]
    RetractionWaits,
    /// The alert has no such retraction.
    #[error("there is no such retraction of the alert")]
    NoSuchRetraction,
    /// Who asked may not do so any more.
    #[error("who asked for the retraction is in office no longer")]
    AskerGone,
    /// The two people, or the one, may not.
    #[error("the retraction is not permitted: {}", .0.as_ref())]
    Retraction(#[from] retraction::Refusal),
    /// What was answered of the checklist does not let the alert go on.
    #[error("the answers do not permit the step")]
    Checklist(#[from] checklist::Refusal),
    /// Remarks are not settled.
    #[error("{0} comments on the alert are open")]
    OpenComments(i64),
    /// A remark is not taken, or not settled.
    #[error("the comment is not permitted: {}", .0.as_ref())]
    Comment(#[from] comment::Refusal),
    /// The words of a remark are none.
    #[error("the words of a comment are not permitted")]
    CommentText(#[source] comment::Fault),
    /// The alert has no such remark.
    #[error("there is no such comment on the alert")]
    NoSuchComment,
    /// The words that a remark is about do not stand in the alert any more.
    #[error("the passage does not stand in the alert")]
    PassageGone,
    /// The alert is not claimed, or a colleague has.
    #[error("the claim is in the way or not permitted: {}", .0.as_ref())]
    Claim(#[from] claim::Refusal),
    /// A decision is not taken among others.
    #[error("the decision is not taken among others: {}", .0.as_ref())]
    AmongOthers(#[from] many_decisions::Refusal),
    /// Fields of a decision are wrong.
    #[error("{} fields are wrong", .0.len())]
    Invalid(Vec<FieldFault>),
    /// A setting that makes no sense.
    #[error("the setting {name} {reason}")]
    Setting {
        /// Its key.
        name: &'static str,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// All short codes that were drawn are in use.
    #[error("no free short code was found")]
    NoShortCode,
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
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        match error {
            Error::Database { .. } | Error::Platform(_) => Self::unavailable(&error),
            Error::Stored { .. } | Error::NoShortCode | Error::Setting { .. } => Self::internal(&error),
            Error::NoSuchAlert(_) => {
                Self::not_found("no_such_alert", "没有此弹窗，或不在您的管辖范围内。", "There is no such alert in your area.")
            }
            Error::Conflict { found, state, .. } => Self::conflict(
                "changed_meanwhile",
                format!("他人已先处理：弹窗现为“{}”（版本 {found}）。请刷新后再决定。", state.title()),
                format!(
                    "Somebody decided before you: the alert is now \"{}\" (version {found}). Reload it and decide again.",
                    state.as_ref()
                ),
            ),
            Error::Refused(refusal) => {
                let status = match refusal {
                    Refusal::NotFromHere { .. } => StatusCode::CONFLICT,
                    Refusal::ReasonMissing { .. } => StatusCode::UNPROCESSABLE_ENTITY,
                    _ => StatusCode::FORBIDDEN,
                };
                Self::new(status, refusal.as_ref(), format!("{refusal}。"), english(&refusal))
            }
            Error::Invalid(faults) => Self::invalid(faults),
            Error::Content(faults) => Self::invalid(
                faults
                    .into_iter()
                    .map(|fault| FieldFault::new(format!("content.{}", fault.field), fault.message, english_fault(fault.kind)))
                    .collect(),
            ),
            Error::Audience(source) => Self::invalid(vec![FieldFault::new("audience", source.to_string(), source.english())]),
            Error::OutsideScope => Self::forbidden(
                "outside_scope",
                "受众或区县超出您的管辖范围，请缩小范围或报市级指挥部。",
                "The audience reaches outside your area. Make it smaller, or ask the city command.",
            ),
            Error::NotEditable(state) => Self::conflict(
                "not_editable",
                format!("弹窗当前为“{}”，不能修改；请先退回为草稿。", state.title()),
                "Only a draft can be changed. Have it returned first.",
            ),
            Error::ReachesNobody { people } => Self::conflict(
                "reaches_nobody",
                format!(
                    "受众现有{}人，弹窗和短信都到不了其中任何人，批准后没有人会收到。请扩大受众；如确需批准，请勾选“知道无人收到”后再批准。",
                    people.zh()
                ),
                format!(
                    "The audience has {people} people now, and neither app nor SMS reaches any of them: nobody would be told. Widen the audience, or approve it with the mark that you know."
                ),
            ),
            Error::CutByQuietHours => Self::conflict(
                "cut_by_quiet_hours",
                "免打扰时段使有效期内的可发送时间不足两小时，之前没有收到的人可能永远收不到。请延长有效期或改为紧急推送；如确需批准，请勾选知道后再批准。",
                "Quiet hours leave less than two hours to send before it ends: some people may never be told. Extend its validity or make it urgent, or approve it with the mark that you know.",
            ),
            Error::NoReminder => Self::conflict(
                "no_reminder",
                "有效期结束得太早，没有确认的人来不及收到二次提醒和跟进。请延长有效期或缩短确认时限；如确需批准，请勾选知道后再批准。",
                "It ends too early for a reminder to those who do not confirm, and for following them up. Extend its validity or shorten the time to confirm, or approve it with the mark that you know.",
            ),
            Error::ContradictsAnother(conflict) => {
                let (sentence, sentence_en) = conflict.sentence();
                Self::conflict(
                    "contradicts_another",
                    format!("{sentence}请先与对方核对；如确需批准，请勾选“知道有矛盾”后再批准。"),
                    format!("{sentence_en} Settle it with its author first, or approve it with the mark that you know."),
                )
            }
            Error::NotAllCompared => Self::conflict(
                "contradicts_another",
                "同一地区有效或正在审核的弹窗过多，未能逐一比对是否矛盾。请自行核对；如确需批准，请勾选“知道有矛盾”后再批准。",
                "More alerts hold or are being reviewed for the same place than can be compared. Look yourself whether one contradicts this, or approve it with the mark that you know.",
            ),
            Error::RecordsEnded(records) => Self::conflict(
                "records_ended",
                format!("有 {records} 条来源记录已被更正或撤回。请先逐条决定（移出受众或维持），再继续审核。"),
                format!("{records} records behind this alert were corrected or taken back. Decide about each of them first."),
            ),
            Error::NobodyLeft => Self::conflict(
                "nobody_left",
                "移出后受众为空。请改为退回、驳回或作废此弹窗。",
                "Without them nobody is left in the audience. Return, refuse or discard the alert instead.",
            ),
            Error::NobodyLeftToHold => Self::conflict(
                "nobody_left_to_hold",
                "撤销后此弹窗对任何人都不再有效。请改为“停止并撤销”整个弹窗，已收到的人都会被告知。",
                "Without them the alert would hold for nobody. Stop and withdraw the whole alert instead: everybody who has it is told.",
            ),
            Error::NamesNobody => Self::conflict(
                "names_nobody",
                "所选记录指向地点，不指向居民，不能对个人撤销。请选择更正或维持。",
                "These records are about places and name nobody to withdraw it for. Correct the alert, or let it stand.",
            ),
            Error::NoSuchRemedy(state) => Self::conflict(
                "no_such_remedy",
                format!("弹窗当前为“{}”，不能这样处理。请刷新后再决定。", state.title()),
                "This cannot be done where the alert stands. Reload it and decide again.",
            ),
            Error::NothingToDecide => Self::conflict(
                "nothing_to_decide",
                "所选记录已由他人处理，或不属于此弹窗。请刷新。",
                "Somebody else has decided about these records, or they are not behind this alert. Reload it.",
            ),
            Error::DraftTooOld => Self::conflict(
                "draft_too_old",
                format!("草稿写成已超过 {} 天，不能再提交或批准，请按现在的情况新写一份。", OLDEST_DRAFT.num_days()),
                format!(
                    "The draft was first written more than {} days ago. Write a new one for the situation as it is.",
                    OLDEST_DRAFT.num_days()
                ),
            ),
            Error::NeedsSecondOfficer => Self::conflict(
                "needs_second_officer",
                "已有人收到这条弹窗，一个人不能撤销。请先“停止推送”，再提请“撤回”或“解除”，由第二人确认后告知所有收到的人。",
                "People have this alert, so one person alone does not cancel it. Stop it first, then ask for a withdrawal or an all-clear: a second person confirms it, and everybody who has the alert is told.",
            ),
            Error::HeldAlready => Self::conflict(
                "held_already",
                "这条弹窗已经停止推送，请处理待确认的撤回、解除或更正。",
                "This alert is stopped already. Attend to the withdrawal, all-clear or correction that waits.",
            ),
            Error::NotHeld => {
                Self::conflict("not_held", "这条弹窗没有停止推送，无须恢复。", "This alert is not stopped: there is nothing to resume.")
            }
            Error::RetractionWaits => Self::conflict(
                "retraction_waits",
                "已有一项撤回、解除或更正待第二人确认。请先确认、不予确认，或由提请人收回。",
                "A withdrawal, all-clear or correction waits for a second person already. Confirm it, refuse it, or have it taken back first.",
            ),
            Error::AskerGone => Self::conflict(
                "asker_gone",
                "提请人已停用或不再有权提请，这项提请不能确认。请不予确认，再由有权的人重新提请。",
                "Whoever asked for it has no account in use any more, or may not ask any more. Refuse it, and have somebody who may ask anew.",
            ),
            Error::NoSuchRetraction => Self::conflict(
                "no_such_retraction",
                "这条弹窗没有这项撤回、解除或更正。",
                "This alert has no such withdrawal, all-clear or correction.",
            ),
            Error::Retraction(refusal) => of_retraction(refusal),
            Error::Checklist(refusal) => in_review::of_checklist(refusal),
            Error::OpenComments(open) => in_review::of_open_comments(open),
            Error::Comment(refusal) => in_review::of_comment(refusal),
            Error::CommentText(fault) => in_review::of_words(fault),
            Error::NoSuchComment => {
                Self::conflict("no_such_comment", "这条弹窗没有这条批注，请刷新。", "This alert has no such comment. Reload it.")
            }
            Error::PassageGone => Self::conflict(
                "passage_gone",
                "所标的文字已不在弹窗中，可能刚被修改。请刷新后重新标注。",
                "The words that you marked do not stand in the alert any more: somebody may have changed them. Reload it and mark them again.",
            ),
            Error::Claim(refusal) => in_review::of_claim(refusal),
            Error::AmongOthers(refusal) => in_review::of_many(refusal),
            Error::NotCorrectable(state) => Self::conflict(
                "not_correctable",
                format!("弹窗当前为“{}”，尚无人收到或已终止，不能更正。", state.title()),
                "Only an alert that was approved and still stands can be corrected.",
            ),
        }
    }
}

fn of_retraction(refusal: retraction::Refusal) -> Problem {
    use retraction::Refusal as No;
    let said = format!("{refusal}。");
    match refusal {
        No::NotStanding { .. } => {
            Problem::conflict("not_retractable", said, "The alert was never approved, or has ended: there is nothing to take back.")
        }
        No::NobodyHasIt => Problem::conflict("not_retractable", said, "Nobody has this alert yet: cancel it instead."),
        No::Over { .. } => {
            Problem::conflict("retraction_over", said, "Somebody decided about it before you. Reload it and look what it has become.")
        }
        No::WrongRole { .. } => Problem::forbidden("wrong_role", said, "Your role does not take alerts back."),
        No::OutsideScope => Problem::forbidden("outside_scope", said, "The alert lies outside your area."),
        No::SamePerson => Problem::forbidden("same_person", said, "You asked for it: somebody else has to confirm it."),
        No::NeedsCityOfficer => Problem::forbidden(
            "needs_city_officer",
            said,
            "It was asked for in the district: an officer of the city command has to confirm it.",
        ),
        No::NotAsker => Problem::forbidden("not_asker", said, "Only who asked for it takes it back; anybody else may refuse it."),
        No::OverIsAnAllClear => {
            let english = "that the danger is over is said by an all-clear, which two people give";
            Problem::invalid(vec![FieldFault::new("public_reason", refusal.to_string(), english)])
        }
        No::ReasonOfAWithdrawal => {
            Problem::invalid(vec![FieldFault::new("public_reason", refusal.to_string(), "is told to the public of a withdrawal only")])
        }
    }
}

fn english(refusal: &Refusal) -> &'static str {
    match refusal {
        Refusal::NotFromHere { .. } => "The alert is in another state by now. Reload it.",
        Refusal::WrongRole { .. } => "Your role does not take this step.",
        Refusal::OutsideScope { .. } => "The alert lies outside your area.",
        Refusal::SamePerson { .. } => "You had a hand in this alert before: somebody else has to take this step.",
        Refusal::NotAuthor { .. } => "Somebody else wrote this draft. Edit and save it first, then hand it in.",
        Refusal::NotAutomatic { .. } => "The platform does not take this step by itself.",
        Refusal::ReasonMissing { .. } => "Say why.",
    }
}

fn english_fault(kind: FaultKind) -> &'static str {
    match kind {
        FaultKind::Missing => "Fill this in.",
        FaultKind::TooLong => "This is too long.",
        FaultKind::Invalid => "This is not a permitted value.",
        FaultKind::Unfilled => "A variable of the template was not filled in.",
        FaultKind::PersonalData => "This contains personal data; take it out.",
        FaultKind::NeverSent => {
            "It would be over before the quiet hours are, and nobody would receive it: extend its validity, or make it urgent."
        }
        FaultKind::TooManyParts => "With signature, contact and how to reply, the SMS takes more than eight parts: shorten it.",
    }
}
