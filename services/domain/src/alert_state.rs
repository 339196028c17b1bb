//! The life of an alert as one table (CQ8), and the rules about who may take which step.
//!
//! [`TRANSITIONS`] is all there is: the service applies it, the API and the console ask it which steps are open to
//! somebody. Three rules stand above it and hold in every sequence of steps:
//!
//! * an alert is approved by three different people — submitter, first reviewer, final reviewer — or, on the urgent
//!   path, by two officers of the city command;
//! * a district's alert is first reviewed in that district, and nowhere else; an alert across districts is the city's:
//!   its first reviewer is an officer of the city command too;
//! * who sends back, refuses, cancels or throws away says why.
//!
//! A rule's draft has a submitter as well: the officer who activated the rule answers for it. If nothing is missing the
//! platform submits it by itself, once; after a return, or if something was missing, a person takes it over by editing it.

mod table;
#[cfg(test)]
mod tests;

use strum::AsRefStr;

use crate::alert::DeliveryClass;
use crate::area::{Area, DistrictCode};
use crate::ids::StaffId;
use crate::staff::{Role, Scope};

pub use table::{Action, By, State, TRANSITIONS, Transition};

/// Who wants to take a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Actor {
    /// A member of staff.
    Staff {
        /// Who.
        id: StaffId,
        /// As what.
        role: Role,
        /// Where.
        scope: Scope,
        /// Whether they had a hand in what is to be reviewed, beside the parts of [`Participants`]: wrote an earlier version of it or the
        /// rule that made it, or delivered a record behind it.
        involved: bool,
    },
    /// The platform itself, following its own events.
    System,
}

/// Who has had a hand in an alert so far, and whose alert it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Participants {
    /// The district it belongs to; none for an alert across districts, which is the city's.
    pub district: Option<DistrictCode>,
    /// Whether the platform may submit it: made by a rule, nothing missing, never returned or edited.
    pub automatic: bool,
    /// Who answers for its text: the last author, or the officer who activated its rule.
    pub submitter: StaffId,
    /// Who passed the first review since it was last submitted.
    pub district_reviewer: Option<StaffId>,
    /// Who approved it, or confirmed it on the urgent path.
    pub city_reviewer: Option<StaffId>,
}

impl Participants {
    /// A draft that somebody wrote.
    #[must_use]
    pub const fn written_by(author: StaffId, district: Option<DistrictCode>) -> Self {
        Self { district, automatic: false, submitter: author, district_reviewer: None, city_reviewer: None }
    }

    /// A rule's draft; `complete` if no template variable is missing.
    #[must_use]
    pub const fn gathered_by_rule(activated_by: StaffId, district: DistrictCode, complete: bool) -> Self {
        Self { automatic: complete, ..Self::written_by(activated_by, Some(district)) }
    }

    /// After somebody changed the draft: they answer for it from now on.
    #[must_use]
    pub const fn edited_by(self, author: StaffId) -> Self {
        Self::written_by(author, self.district)
    }

    const fn area(&self) -> Area {
        match self.district {
            Some(district) => Area::District(district),
            None => Area::City,
        }
    }

    /// Who has a hand in it after a permitted step.
    const fn after(self, action: Action, actor: &Actor) -> Self {
        let person = match actor {
            Actor::Staff { id, .. } => Some(*id),
            Actor::System => None,
        };
        match (action, person) {
            (Action::Submit | Action::ComposeUrgent, Some(id)) => self.edited_by(id),
            (Action::PassDistrict, Some(_)) => Self { district_reviewer: person, ..self },
            (Action::Approve | Action::Confirm, Some(_)) => Self { city_reviewer: person, ..self },
            (Action::ReturnDistrict | Action::ReturnCity | Action::Decline, _) => self.edited_by(self.submitter),
            _ => self,
        }
    }
}

/// A step that was permitted, and what it leads to. Storing it is all that is left to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Decision {
    /// Where the alert stands now.
    pub state: State,
    /// Who has had a hand in it now.
    pub participants: Participants,
    /// The class that handing it in gives it; none for every other step, which leaves the class as it is.
    pub class: Option<DeliveryClass>,
}

/// Why a step is not permitted. The text is for the person who tried; `as_ref()` is a code for programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error, AsRefStr)]
#[strum(serialize_all = "snake_case")]
pub enum Refusal {
    /// The table has no such step from there.
    #[error("弹窗当前状态为“{}”，不能{}", .state.title(), .action.title())]
    NotFromHere {
        /// Where the alert stands.
        state: State,
        /// What was tried.
        action: Action,
    },
    /// Somebody of this role never takes this step.
    #[error("{}无权{}", .role.title(), .action.title())]
    WrongRole {
        /// As what they came.
        role: Role,
        /// What was tried.
        action: Action,
    },
    /// The right role for another place.
    #[error("该弹窗不在您的管辖范围内，不能{}", .action.title())]
    OutsideScope {
        /// What was tried.
        action: Action,
    },
    /// They had a hand in it already.
    #[error("您已参与该弹窗的前一环节，须由另一人{}", .action.title())]
    SamePerson {
        /// What was tried.
        action: Action,
    },
    /// Only the author can hand it in; somebody else edits it first.
    #[error("该草稿由他人编写，请先修改并保存，再{}", .action.title())]
    NotAuthor {
        /// What was tried.
        action: Action,
    },
    /// The platform may not take this step by itself.
    #[error("系统不能自动{}，须由人工处理", .action.title())]
    NotAutomatic {
        /// What was tried.
        action: Action,
    },
    /// Nothing was said where a reason is due.
    #[error("请填写{}的理由", .action.title())]
    ReasonMissing {
        /// What was tried.
        action: Action,
    },
}

/// Takes one step, or says why not.
///
/// # Errors
/// The most helpful reason: what the actor could change comes after what they could not.
pub fn next(state: State, action: Action, participants: &Participants, actor: &Actor, reason: &str) -> Result<Decision, Refusal> {
    let transition = permitted(state, action, participants, actor)?;
    if transition.needs_reason && reason.trim().is_empty() {
        return Err(Refusal::ReasonMissing { action });
    }
    let class = match action {
        Action::Submit => Some(DeliveryClass::Routine),
        Action::ComposeUrgent => Some(DeliveryClass::Urgent),
        _ => None,
    };
    Ok(Decision { state: transition.to, participants: participants.after(action, actor), class })
}

/// The steps that are open to somebody for this alert, in the order of the table. Some of them need a reason.
#[must_use]
pub fn open_actions(state: State, participants: &Participants, actor: &Actor) -> Vec<Action> {
    let mut open: Vec<Action> = Vec::new();
    for transition in TRANSITIONS.iter().filter(|transition| transition.from == state) {
        if !open.contains(&transition.action) && transition.by.allows(transition.action, participants, actor).is_ok() {
            open.push(transition.action);
        }
    }
    open
}

/// Whether somebody may change the text or the audience of this alert. Who does becomes its author
/// ([`Participants::edited_by`]).
#[must_use]
pub fn may_edit(state: State, participants: &Participants, actor: &Actor) -> bool {
    state == State::Draft && may_write(participants.area(), actor)
}

/// Whether somebody may write alerts for this area.
#[must_use]
pub fn may_write(area: Area, actor: &Actor) -> bool {
    matches!(actor, Actor::Staff { role, scope, .. } if role.writes() && scope.covers(area))
}

impl Role {
    /// Whether this role ever takes this step: what a console shows at all.
    #[must_use]
    pub fn may(self, action: Action) -> bool {
        TRANSITIONS.iter().any(|transition| transition.action == action && transition.by.includes(self))
    }

    /// Whether this role writes alerts.
    #[must_use]
    pub const fn writes(self) -> bool {
        matches!(self, Self::CityCommandOfficer | Self::DistrictReviewer | Self::SubmittingUnit)
    }
}

fn permitted(state: State, action: Action, participants: &Participants, actor: &Actor) -> Result<&'static Transition, Refusal> {
    let mut refusal = Refusal::NotFromHere { state, action };
    for transition in TRANSITIONS.iter().filter(|transition| transition.from == state && transition.action == action) {
        match transition.by.allows(action, participants, actor) {
            Ok(()) => return Ok(transition),
            // A step of people and of the platform has two rows: each is told about its own.
            Err(why) if matches!(refusal, Refusal::NotFromHere { .. }) || transition.by.is_system() == matches!(actor, Actor::System) => {
                refusal = why;
            }
            Err(_) => {}
        }
    }
    Err(refusal)
}

impl By {
    const fn is_system(self) -> bool {
        matches!(self, Self::RuleEngine | Self::System)
    }

    /// Whether people of this role can be meant.
    fn includes(self, role: Role) -> bool {
        match self {
            Self::Author | Self::AuthorOrCity => role.writes(),
            Self::FirstReviewer => matches!(role, Role::DistrictReviewer | Role::CityCommandOfficer),
            Self::FinalReviewer | Self::CityOfficer | Self::SecondOfficer => role == Role::CityCommandOfficer,
            Self::RuleEngine | Self::System => false,
        }
    }

    fn allows(self, action: Action, participants: &Participants, actor: &Actor) -> Result<(), Refusal> {
        let Actor::Staff { id, role, scope, involved } = *actor else {
            let automatic = match self {
                Self::System => true,
                Self::RuleEngine => participants.automatic,
                _ => false,
            };
            return if automatic { Ok(()) } else { Err(Refusal::NotAutomatic { action }) };
        };
        if !self.includes(role) {
            return Err(Refusal::WrongRole { role, action });
        }
        let city_officer = role == Role::CityCommandOfficer;
        // A district's own people review it first; only what has no district is reviewed by the city twice.
        let in_place = match self {
            Self::FirstReviewer => match participants.district {
                Some(district) => role == Role::DistrictReviewer && scope == Scope::District(district),
                None => city_officer && scope == Scope::City,
            },
            _ => scope.covers(participants.area()),
        };
        if !in_place {
            return Err(Refusal::OutsideScope { action });
        }
        match self {
            Self::Author if id != participants.submitter => Err(Refusal::NotAuthor { action }),
            Self::AuthorOrCity if id != participants.submitter && !city_officer => Err(Refusal::NotAuthor { action }),
            Self::FirstReviewer | Self::SecondOfficer | Self::FinalReviewer if involved => Err(Refusal::SamePerson { action }),
            Self::FirstReviewer | Self::SecondOfficer if id == participants.submitter => Err(Refusal::SamePerson { action }),
            Self::FinalReviewer if id == participants.submitter || Some(id) == participants.district_reviewer => {
                Err(Refusal::SamePerson { action })
            }
            _ => Ok(()),
        }
    }
}
