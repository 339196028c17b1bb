//! Why a step is not permitted.

use strum::AsRefStr;

use super::table::{Event, State};
use crate::staff::Role;

/// Why a step is not permitted. The text is for the person who tried; `as_ref()` is a code for programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error, AsRefStr)]
#[strum(serialize_all = "snake_case")]
pub enum Refusal {
    /// The table has no such step from there.
    #[error("事项当前为“{}”，不能{}", .state.title(), .event.title())]
    NotFromHere {
        /// Where the case stands.
        state: State,
        /// What was tried.
        event: Event,
    },
    /// Somebody of this role never takes this step, or not with a case of this kind.
    #[error("{}不能对该事项{}", .role.title(), .event.title())]
    WrongRole {
        /// As what they came.
        role: Role,
        /// What was tried.
        event: Event,
    },
    /// Citizens and the platform do not take steps of staff, and staff do not take theirs.
    #[error("只有{}才能{}", .whose, .event.title())]
    NotYours {
        /// Whose step it is.
        whose: &'static str,
        /// What was tried.
        event: Event,
    },
    /// The right role for another place.
    #[error("该事项不在您的管辖范围内，不能{}", .event.title())]
    OutsideScope {
        /// What was tried.
        event: Event,
    },
    /// The right role of another unit.
    #[error("该事项由其他单位承办，不能{}", .event.title())]
    OutsideUnit {
        /// What was tried.
        event: Event,
    },
    /// They had a hand in it already.
    #[error("您已参与该事项的前一环节，须由另一人{}", .event.title())]
    SamePerson {
        /// What was tried.
        event: Event,
    },
    /// Nothing was said where something is due.
    #[error("请填写{}的内容", .event.title())]
    ReasonMissing {
        /// What was tried.
        event: Event,
    },
    /// Supervision has decided whose it is.
    #[error("责任单位已由督办裁定，不能再次推出")]
    OrderBinding,
    /// The unit has said in this round that it is not competent.
    #[error("该单位已提出不属其职责，请派给其他单位或提请裁定")]
    UnitRefusedBefore,
    /// The unit has decided the case before: a review goes to another.
    #[error("该单位此前已办结该事项，复核须由另一单位办理")]
    UnitDecidedBefore,
    /// A unit cannot name itself.
    #[error("请提出另一个责任单位")]
    ProposesItself,
    /// Units that assist have not finished.
    #[error("尚有协办单位未完成，不能提交结果")]
    AssistsOpen,
    /// It has had its extension.
    #[error("每个事项只能延期一次")]
    ExtensionUsed,
    /// More than half of the period.
    #[error("延期不得超过办理时限的一半，最多 {longest} 个工作日")]
    ExtensionTooLong {
        /// What there may be, in working days.
        longest: u32,
    },
    /// Nobody has asked for one.
    #[error("没有待批的延期申请")]
    NoExtensionAsked,
    /// It has waited for its citizen as long as it may.
    #[error("等待补充的时间已用完，不能再次暂停计时")]
    PauseUsedUp,
    /// It was reviewed as often as it may be.
    #[error("该事项的复核次数已用完")]
    ReviewUsedUp,
    /// The time for it is over.
    #[error("复核须在答复后 {days} 天内提出")]
    ReviewTooLate {
        /// How long it is.
        days: u32,
    },
    /// Nobody has proposed to join it with another.
    #[error("没有待确认的并案")]
    NoMergeProposed,
    /// Others are answered by it.
    #[error("其他事项已并入本事项，不能拒办或再并入别处")]
    OthersGoOnInIt,
    /// No unit of this number assists.
    #[error("该单位不是未完成的协办单位")]
    NoSuchAssist,
    /// Time that is over is not given more of.
    #[error("办理时限已过，不能再延期")]
    PeriodOver,
    /// What the platform changes by itself goes upwards only.
    #[error("自动调整只能升级")]
    NotUpwards,
}
