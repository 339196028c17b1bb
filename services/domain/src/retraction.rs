//! Taking back what people were told, by two people and in one step (CQ2, CQ8, CQ12).
//!
//! A false alarm costs as long as it stands: 38 minutes over Hawaii, 108 at Pickering, because no words were prepared and nobody knew who may send
//! them. So beside every alert that people have stand three words ready ([`prepared`]): that it was false, that what it told of is over, and what is
//! right instead. One person asks for one of them, another confirms it, and it goes to exactly those who have the alert.
//!
//! Both are right for the place of the alert, each an officer of the city command or a reviewer of the district whose alert it is, and one of them at
//! least is an officer of the city command ([`may_ask`], [`may_confirm`]). Whoever wrote or reviewed the alert may be one of the two: a word back is
//! no review, and at three in the morning it is they who are awake.

pub mod prepared;
#[cfg(test)]
mod tests;

use chrono::{DateTime, Utc};
use strum::{AsRefStr, VariantArray as _};

use crate::alert_state::{Action, Actor, State};
use crate::area::{Area, DistrictCode};
use crate::ids::StaffId;
use crate::public_reason::PublicReason;
use crate::staff::{Role, Scope};

crate::words! {
    /// What is said of an alert that people have.
    #[schema(as = RetractionKind)]
    pub enum Kind {
        /// It was false: nothing of it had to be done.
        Withdraw => "撤回",
        /// What it told of is over.
        AllClear => "解除",
        /// Something in it was wrong; this is right.
        Correct => "更正",
    }

    /// What became of it.
    #[schema(as = RetractionState)]
    pub enum Progress {
        /// Waits for the second person.
        Asked => "待第二人确认",
        /// Two people have said it.
        Confirmed => "已确认",
        /// The second person does not say it.
        Refused => "未予确认",
        /// Whoever asked has thought better of it.
        TakenBack => "提请人已收回",
        /// The alert ended in another way.
        Overtaken => "弹窗已另行终止",
        /// The validity of the alert ended first.
        Expired => "弹窗已到期",
    }

    /// What is done about one that waits.
    #[schema(as = RetractionStep)]
    pub enum Step {
        /// Say it.
        Confirm => "确认",
        /// Do not.
        Refuse => "不予确认",
        /// Ask for it no longer.
        TakeBack => "收回",
    }
}

impl Kind {
    /// The step that an alert takes by it.
    #[must_use]
    pub const fn ends_by(self) -> Action {
        match self {
            Self::Withdraw => Action::Retract,
            Self::AllClear => Action::Lift,
            Self::Correct => Action::Supersede,
        }
    }
}

/// An alert that may be taken back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// Where it stands.
    pub state: State,
    /// The district whose alert it is; none: the whole city's.
    pub district: Option<DistrictCode>,
    /// Whether somebody may have it, in the hand, in the inbox or on a screen.
    pub handed: bool,
    /// When its validity ends.
    pub expires_at: DateTime<Utc>,
}

impl Standing {
    /// Whether it can still be taken back at all, in this way. What nobody has is corrected or lifted for nobody: it is simply not to be sent.
    fn allows(&self, kind: Kind, now: DateTime<Utc>) -> Result<(), Refusal> {
        let stands = matches!(self.state, State::Approved | State::Dispatching | State::Active) && now < self.expires_at;
        if !stands {
            return Err(Refusal::NotStanding { state: self.state });
        }
        if self.handed || kind == Kind::Withdraw { Ok(()) } else { Err(Refusal::NobodyHasIt) }
    }

    const fn area(&self) -> Area {
        match self.district {
            Some(district) => Area::District(district),
            None => Area::City,
        }
    }
}

/// One of the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Person {
    /// Who.
    pub id: StaffId,
    /// As what.
    pub role: Role,
}

/// One that waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Asked {
    /// What is to be said.
    pub kind: Kind,
    /// Who asked for it.
    pub by: Person,
    /// What became of it.
    pub progress: Progress,
}

/// Why somebody may not. The text is for the person who tried; `as_ref()` names it in logs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error, AsRefStr)]
#[strum(serialize_all = "snake_case")]
pub enum Refusal {
    /// It was never approved, or has ended.
    #[error("弹窗当前为“{}”或已到期，没有可撤回、解除或更正的内容", .state.title())]
    NotStanding {
        /// Where the alert stands.
        state: State,
    },
    /// Nobody has it.
    #[error("还没有人收到这条弹窗，无须解除或更正；请直接撤销")]
    NobodyHasIt,
    /// People of this role never take back.
    #[error("{}无权撤回、解除或更正弹窗", .role.title())]
    WrongRole {
        /// As what they came.
        role: Role,
    },
    /// The right role for another place.
    #[error("该弹窗不在您的管辖范围内")]
    OutsideScope,
    /// Nobody confirms what they asked for.
    #[error("您是提请人，须由另一人确认")]
    SamePerson,
    /// Both are of the district.
    #[error("提请人是区县人员，须由市级指挥部人员确认")]
    NeedsCityOfficer,
    /// Only who asked takes it back.
    #[error("只有提请人可以收回；其他人可以不予确认")]
    NotAsker,
    /// It was decided about.
    #[error("这项提请{}，不能再处理", .progress.title())]
    Over {
        /// What became of it.
        progress: Progress,
    },
    /// That the danger is over is said by an all-clear.
    #[error("“情况已解除”请用“解除”")]
    OverIsAnAllClear,
    /// Why it was wrong is said of a withdrawal.
    #[error("只有撤回才对公众说明原因")]
    ReasonOfAWithdrawal,
}

/// Whether somebody may ask for this word about an alert.
///
/// # Errors
/// Why not: what they could not change comes first.
pub fn may_ask(standing: &Standing, kind: Kind, actor: &Actor, now: DateTime<Utc>) -> Result<(), Refusal> {
    right_for_the_place(standing, actor)?;
    standing.allows(kind, now)
}

/// What somebody may ask for.
#[must_use]
pub fn kinds_open(standing: &Standing, actor: &Actor, now: DateTime<Utc>) -> Vec<Kind> {
    Kind::VARIANTS.iter().copied().filter(|kind| may_ask(standing, *kind, actor, now).is_ok()).collect()
}

/// Whether this reason goes with it, as the public is told.
///
/// # Errors
/// Why not.
pub fn check_reason(kind: Kind, reason: Option<PublicReason>) -> Result<(), Refusal> {
    match (kind, reason) {
        (_, None) => Ok(()),
        (Kind::Withdraw, Some(reason)) if reason.is_of_a_withdrawal() => Ok(()),
        (Kind::Withdraw, Some(_)) => Err(Refusal::OverIsAnAllClear),
        (Kind::AllClear | Kind::Correct, Some(_)) => Err(Refusal::ReasonOfAWithdrawal),
    }
}

/// Whether somebody may say it together with whoever asked.
///
/// # Errors
/// Why not: what they could not change comes first.
pub fn may_confirm(asked: &Asked, standing: &Standing, actor: &Actor, now: DateTime<Utc>) -> Result<(), Refusal> {
    waits(asked)?;
    let second = may_decide(asked, standing, actor)?;
    if asked.by.role != Role::CityCommandOfficer && second.role != Role::CityCommandOfficer {
        return Err(Refusal::NeedsCityOfficer);
    }
    standing.allows(asked.kind, now)
}

/// Whether somebody may refuse to say it: whoever is right for the place and did not ask. Saying no stops a word, so one is enough.
///
/// # Errors
/// Why not.
pub fn may_refuse(asked: &Asked, standing: &Standing, actor: &Actor) -> Result<(), Refusal> {
    waits(asked)?;
    may_decide(asked, standing, actor).map(|_| ())
}

/// Whether somebody may ask for it no longer.
///
/// # Errors
/// Why not.
pub fn may_take_back(asked: &Asked, actor: &Actor) -> Result<(), Refusal> {
    waits(asked)?;
    match actor {
        Actor::Staff { id, .. } if *id == asked.by.id => Ok(()),
        _ => Err(Refusal::NotAsker),
    }
}

/// The steps that are open to somebody now.
#[must_use]
pub fn open_steps(asked: &Asked, standing: &Standing, actor: &Actor, now: DateTime<Utc>) -> Vec<Step> {
    let open = [
        (Step::Confirm, may_confirm(asked, standing, actor, now).is_ok()),
        (Step::Refuse, may_refuse(asked, standing, actor).is_ok()),
        (Step::TakeBack, may_take_back(asked, actor).is_ok()),
    ];
    open.into_iter().filter(|(_, open)| *open).map(|(step, _)| step).collect()
}

const fn waits(asked: &Asked) -> Result<(), Refusal> {
    match asked.progress {
        Progress::Asked => Ok(()),
        progress => Err(Refusal::Over { progress }),
    }
}

fn may_decide(asked: &Asked, standing: &Standing, actor: &Actor) -> Result<Person, Refusal> {
    let second = right_for_the_place(standing, actor)?;
    if second.id == asked.by.id { Err(Refusal::SamePerson) } else { Ok(second) }
}

/// Whoever speaks for this place: an officer of the city command, or a reviewer of the district whose alert it is.
fn right_for_the_place(standing: &Standing, actor: &Actor) -> Result<Person, Refusal> {
    let Actor::Staff { id, role, scope, .. } = *actor else { return Err(Refusal::OutsideScope) };
    let in_place = match role {
        Role::CityCommandOfficer => scope.covers(standing.area()),
        Role::DistrictReviewer => standing.district.is_some_and(|district| scope == Scope::District(district)),
        _ => return Err(Refusal::WrongRole { role }),
    };
    if in_place { Ok(Person { id, role }) } else { Err(Refusal::OutsideScope) }
}
