//! One step of a case: permitted or not, and what it changes.

use chrono::{DateTime, TimeDelta, Utc};

use super::promises::{Promise, Promises};
use super::refusal::Refusal;
use super::table::{By, Event, State, TRANSITIONS, Transition, When};
use super::words::{Grade, Kind, Urgency};
use crate::area::{Area, DistrictCode};
use crate::ids::{StaffId, UnitId};
use crate::staff::{Role, Scope};

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
    },
    /// Whoever brought the case, by the app, by number and PIN, or told by call.
    Citizen,
    /// The platform, by its clocks.
    System,
}

/// That more time was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ExtensionAsked {
    /// How much.
    pub working_days: u32,
    /// When.
    pub at: DateTime<Utc>,
}

/// That somebody proposed to join the case with another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MergeProposed {
    /// Who.
    pub by: StaffId,
}

/// Everything about a case that decisions are made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Case {
    /// What was brought.
    pub kind: Kind,
    /// Where it stands.
    pub state: State,
    /// How soon it is begun.
    pub urgency: Urgency,
    /// How much there is to find out.
    pub grade: Grade,
    /// Whose it is; none where nobody said which district.
    pub district: Option<DistrictCode>,
    /// The first time it is 1; each review adds one.
    pub round: u8,
    /// When it came.
    pub received_at: DateTime<Utc>,
    /// Who wrote the registration.
    pub writer: Option<StaffId>,
    /// The unit that leads.
    pub lead: Option<UnitId>,
    /// The unit above it.
    pub unit_above: Option<UnitId>,
    /// Units that assist and have not finished.
    pub assists: Vec<UnitId>,
    /// Units that said in this round that they are not competent.
    pub refused: Vec<UnitId>,
    /// Whether supervision decided whose it is.
    pub binding: bool,
    /// Units that decided the case in earlier rounds.
    pub earlier_units: Vec<UnitId>,
    /// Who in units had a hand in it.
    pub handlers: Vec<StaffId>,
    /// Who wrote the result.
    pub author: Option<StaffId>,
    /// Who decided it first, in this round.
    pub decider: Option<StaffId>,
    /// Who decided it second, in this round.
    pub second_decider: Option<StaffId>,
    /// Who decided anything of it in earlier rounds.
    pub earlier_deciders: Vec<StaffId>,
    /// Working days for which it waited for its citizen, in all.
    pub paused_days: u32,
    /// More time that was asked for and not decided about.
    pub extension: Option<ExtensionAsked>,
    /// Whether more time was given in this round.
    pub extended: bool,
    /// What it is to be joined with, and who says so.
    pub merge: Option<MergeProposed>,
    /// When its citizen was told; of what was answered at once, then.
    pub told_at: Option<DateTime<Utc>>,
    /// Whether its citizen is called back: all who are known, some of the others by lot.
    pub is_called_back: bool,
    /// Whether others go on in it, and are answered by it.
    pub joined: bool,
}

impl Case {
    /// A case as it comes.
    #[must_use]
    pub const fn received(kind: Kind, district: Option<DistrictCode>, at: DateTime<Utc>, is_called_back: bool) -> Self {
        Self {
            kind,
            state: State::Received,
            urgency: kind.least_urgency(),
            grade: Grade::Simple,
            district,
            round: 1,
            received_at: at,
            writer: None,
            lead: None,
            unit_above: None,
            assists: Vec::new(),
            refused: Vec::new(),
            binding: false,
            earlier_units: Vec::new(),
            handlers: Vec::new(),
            author: None,
            decider: None,
            second_decider: None,
            earlier_deciders: Vec::new(),
            paused_days: 0,
            extension: None,
            extended: false,
            merge: None,
            told_at: None,
            is_called_back,
            joined: false,
        }
    }

    /// Where it lies.
    #[must_use]
    pub const fn area(&self) -> Area {
        match self.district {
            Some(district) => Area::District(district),
            None => Area::City,
        }
    }

    fn holds(&self, when: When) -> bool {
        match when {
            When::Always => true,
            When::Checked => self.kind.is_checked(),
            When::Unchecked => !self.kind.is_checked(),
            When::NoViolation => self.kind != Kind::ViolationReport,
            When::DeskDeclines => self.kind != Kind::ViolationReport && self.round == 1,
            When::SupervisionDeclines => self.kind == Kind::ViolationReport || self.round > 1,
            When::EndsWithCitizen => self.kind != Kind::ViolationReport && !self.joined,
            When::GoesOnWithout => self.kind == Kind::ViolationReport || self.joined,
            When::FirstRefusal => self.refused.is_empty(),
            When::LaterRefusal => !self.refused.is_empty(),
            When::Major => self.grade == Grade::Major,
            When::NotMajor => self.grade != Grade::Major,
            When::UnitAbove => self.reviewer().is_some(),
            When::NoUnitAbove => self.lead.is_some() && self.reviewer().is_none(),
            When::NoUnit => self.lead.is_none(),
        }
    }

    /// The unit that a review goes to: the one above, unless it has decided the case before.
    fn reviewer(&self) -> Option<UnitId> {
        self.unit_above.filter(|above| self.lead.is_some() && Some(*above) != self.lead && !self.earlier_units.contains(above))
    }
}

/// What is done, with what has to be said for it to be decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step<'a> {
    /// An event that needs nothing beside words.
    Plain(Event),
    /// Given to a unit, and to others that assist.
    Route {
        /// The unit that leads.
        lead: UnitId,
        /// Units that assist.
        assists: &'a [UnitId],
    },
    /// Another unit is competent.
    RefuseCompetence {
        /// Which.
        proposal: UnitId,
    },
    /// Supervision says which unit is.
    DecideDispute {
        /// Which.
        lead: UnitId,
    },
    /// Supervision lets a unit go that assists.
    ReleaseAssist {
        /// Which.
        unit: UnitId,
    },
    /// The citizen was called.
    CallBack {
        /// Whether they answered; what was promised is done only then.
        reached: bool,
    },
    /// More time.
    AskExtension {
        /// How much.
        working_days: u32,
    },
    /// Accepted, or classed anew.
    Class {
        /// `Accept` or `Regrade`.
        event: Event,
        /// How soon it is begun.
        urgency: Urgency,
        /// How much there is to find out.
        grade: Grade,
    },
    /// More urgent than was thought.
    Raise {
        /// How soon it is begun.
        urgency: Urgency,
    },
}

impl Step<'_> {
    /// Its name in the table.
    #[must_use]
    pub const fn event(&self) -> Event {
        match self {
            Self::Plain(event) | Self::Class { event, .. } => *event,
            Self::Route { .. } => Event::Route,
            Self::RefuseCompetence { .. } => Event::RefuseCompetence,
            Self::DecideDispute { .. } => Event::DecideDispute,
            Self::ReleaseAssist { .. } => Event::ReleaseAssist,
            Self::CallBack { .. } => Event::CallBack,
            Self::AskExtension { .. } => Event::AskExtension,
            Self::Raise { .. } => Event::Raise,
        }
    }
}

/// A step that was permitted, and what it leads to. Storing it is all that is left to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// The case as it is now.
    pub case: Case,
    /// Clocks that start, unless they run.
    pub starts: &'static [Promise],
    /// Clocks that stop.
    pub stops: &'static [Promise],
    /// Whether clocks stand still from now on.
    pub pauses: bool,
    /// Whether they go on.
    pub resumes: bool,
}

/// Takes one step, or says why not.
///
/// # Errors
/// The most helpful reason: what the actor could change comes after what they could not.
pub fn next(
    case: &Case,
    step: &Step<'_>,
    actor: &Actor,
    has_words: bool,
    now: DateTime<Utc>,
    promises: &Promises,
) -> Result<Decision, Refusal> {
    let event = step.event();
    let transition = permitted(case, event, actor)?;
    conditions(case, event, now, promises)?;
    details(case, step, actor, promises)?;
    if transition.needs_words && !has_words {
        return Err(Refusal::ReasonMissing { event });
    }
    let from = case.state;
    let mut after = case.clone();
    after.state = transition.to.unwrap_or(from);
    after.take(step, actor, now);
    Ok(Decision {
        pauses: after.state == State::Waiting && from != State::Waiting,
        resumes: from == State::Waiting && after.state != State::Waiting,
        case: after,
        starts: transition.starts,
        stops: if matches!(step, Step::CallBack { reached: false }) { &[] } else { transition.stops },
    })
}

/// The steps that the table knows from here, each with whether this actor may take it, or why not; of those that are never theirs, none.
#[must_use]
pub fn open_events(case: &Case, actor: &Actor, now: DateTime<Utc>, promises: &Promises) -> Vec<(Event, Result<(), Refusal>)> {
    let mut known: Vec<(Event, Result<(), Refusal>)> = Vec::new();
    for transition in TRANSITIONS.iter().filter(|transition| transition.from.contains(&case.state) && case.holds(transition.when)) {
        let event = transition.event;
        if known.iter().any(|(one, _)| *one == event) {
            continue;
        }
        match permitted(case, event, actor).and_then(|_| conditions(case, event, now, promises)) {
            Err(Refusal::WrongRole { .. } | Refusal::NotYours { .. } | Refusal::OutsideUnit { .. } | Refusal::OutsideScope { .. }) => {}
            standing => known.push((event, standing)),
        }
    }
    known
}

fn permitted(case: &Case, event: Event, actor: &Actor) -> Result<&'static Transition, Refusal> {
    let mut refusal = Refusal::NotFromHere { state: case.state, event };
    for transition in TRANSITIONS
        .iter()
        .filter(|transition| transition.event == event && transition.from.contains(&case.state) && case.holds(transition.when))
    {
        match transition.by.allows(case, event, actor) {
            Ok(()) => return Ok(transition),
            Err(why) => refusal = why,
        }
    }
    Err(refusal)
}

/// What must be so, whatever is said.
fn conditions(case: &Case, event: Event, now: DateTime<Utc>, promises: &Promises) -> Result<(), Refusal> {
    match event {
        Event::RefuseCompetence if case.binding => Err(Refusal::OrderBinding),
        Event::SubmitResult if !case.assists.is_empty() => Err(Refusal::AssistsOpen),
        Event::AskCitizen if case.paused_days >= promises.pause_days => Err(Refusal::PauseUsedUp),
        Event::AskExtension if case.extended || case.extension.is_some() => Err(Refusal::ExtensionUsed),
        Event::GrantExtension | Event::RefuseExtension if case.extension.is_none() => Err(Refusal::NoExtensionAsked),
        Event::NotSatisfied if case.round > promises.reviews => Err(Refusal::ReviewUsedUp),
        Event::NotSatisfied => {
            let days = promises.review_within_days;
            let until = case.told_at.map(|told| told + TimeDelta::days(days.into()));
            if until.is_some_and(|until| now > until) { Err(Refusal::ReviewTooLate { days }) } else { Ok(()) }
        }
        Event::Decline | Event::ProposeMerge | Event::Merge if case.joined => Err(Refusal::OthersGoOnInIt),
        Event::Merge | Event::RefuseMerge if case.merge.is_none() => Err(Refusal::NoMergeProposed),
        _ => Ok(()),
    }
}

/// What must be so of what is said.
fn details(case: &Case, step: &Step<'_>, actor: &Actor, promises: &Promises) -> Result<(), Refusal> {
    match step {
        Step::Route { lead, .. } if case.refused.contains(lead) => Err(Refusal::UnitRefusedBefore),
        Step::Route { lead, .. } | Step::DecideDispute { lead } if case.earlier_units.contains(lead) => Err(Refusal::UnitDecidedBefore),
        Step::RefuseCompetence { proposal } if Some(*proposal) == case.lead => Err(Refusal::ProposesItself),
        Step::ReleaseAssist { unit } if !case.assists.contains(unit) => Err(Refusal::NoSuchAssist),
        Step::AskExtension { working_days } => {
            let longest = promises.longest_extension(case);
            if (1..=longest).contains(working_days) { Ok(()) } else { Err(Refusal::ExtensionTooLong { longest }) }
        }
        Step::Raise { urgency } if *actor == Actor::System && *urgency <= case.urgency => Err(Refusal::NotUpwards),
        _ => Ok(()),
    }
}

impl Case {
    /// What a permitted step changes, beside the state.
    fn take(&mut self, step: &Step<'_>, actor: &Actor, now: DateTime<Utc>) {
        let person = match actor {
            Actor::Staff { id, role, .. } => {
                if matches!(role, Role::UnitHandler | Role::UnitLead) && !self.handlers.contains(id) {
                    self.handlers.push(*id);
                }
                Some(*id)
            }
            Actor::Citizen | Actor::System => None,
        };
        match *step {
            Step::Route { lead, assists } => {
                self.lead = Some(lead);
                self.assists = assists.iter().copied().filter(|unit| *unit != lead).collect();
                self.assists.sort_unstable();
                self.assists.dedup();
            }
            Step::DecideDispute { lead } => {
                (self.lead, self.binding) = (Some(lead), true);
                // who leads does not assist
                self.assists.retain(|unit| *unit != lead);
            }
            Step::ReleaseAssist { unit } => self.assists.retain(|assists| *assists != unit),
            Step::CallBack { .. } => {}
            Step::RefuseCompetence { .. } => self.refused.extend(self.lead),
            Step::AskExtension { working_days } => self.extension = Some(ExtensionAsked { working_days, at: now }),
            Step::Class { urgency, grade, .. } => (self.urgency, self.grade) = (urgency.max(self.kind.least_urgency()), grade),
            Step::Raise { urgency } => self.urgency = self.urgency.max(urgency),
            Step::Plain(event) => self.take_plain(event, actor, person, now),
        }
    }

    fn take_plain(&mut self, event: Event, actor: &Actor, person: Option<StaffId>, now: DateTime<Utc>) {
        match event {
            Event::Register => self.writer = person,
            Event::AnswerAtOnce => (self.writer, self.told_at) = (person, Some(now)),
            Event::FinishAssist => {
                if let Actor::Staff { scope: Scope::Unit(unit), .. } = actor {
                    self.assists.retain(|assists| assists != unit);
                }
            }
            Event::GrantExtension => (self.extension, self.extended) = (None, true),
            Event::RefuseExtension => self.extension = None,
            Event::SubmitResult => (self.author, self.decider, self.second_decider) = (person, None, None),
            Event::SendBack => (self.decider, self.second_decider) = (None, None),
            Event::Decide if self.decider.is_none() => self.decider = person,
            Event::Decide => self.second_decider = person,
            Event::Tell => self.told_at = Some(now),
            Event::ProposeMerge => self.merge = person.map(|by| MergeProposed { by }),
            Event::RefuseMerge => self.merge = None,
            Event::NotSatisfied => self.begin_review(),
            _ => {}
        }
    }

    /// The next round: to the unit above, or to whom it is routed next; nobody who decided decides again.
    fn begin_review(&mut self) {
        let reviewer = self.reviewer();
        self.earlier_units.extend(self.lead);
        self.earlier_deciders.extend(self.decider.into_iter().chain(self.second_decider));
        self.round += 1;
        (self.lead, self.unit_above) = (reviewer, None);
        (self.author, self.decider, self.second_decider) = (None, None, None);
        (self.extension, self.extended, self.binding, self.told_at, self.merge) = (None, false, false, None, None);
        self.refused.clear();
        self.assists.clear();
    }
}

impl By {
    const fn whose(self) -> &'static str {
        match self {
            Self::Citizen => "来访人本人",
            Self::System => "系统",
            _ => "工作人员",
        }
    }

    pub(super) fn includes(self, role: Role) -> bool {
        match self {
            Self::Operator | Self::Checker | Self::OtherOperator | Self::CallerBack => role == Role::HotlineOperator,
            Self::OperatorOrSupervisor => matches!(role, Role::HotlineOperator | Role::Supervisor),
            Self::Supervisor | Self::SecondDecider => role == Role::Supervisor,
            Self::LeadUnit | Self::AssistUnit => matches!(role, Role::UnitHandler | Role::UnitLead),
            Self::UnitLead | Self::Decider => role == Role::UnitLead,
            Self::Citizen | Self::System => false,
        }
    }

    fn allows(self, case: &Case, event: Event, actor: &Actor) -> Result<(), Refusal> {
        let (id, role, scope) = match (self, *actor) {
            (Self::Citizen, Actor::Citizen) | (Self::System, Actor::System) => return Ok(()),
            (Self::Citizen | Self::System, _) | (_, Actor::Citizen | Actor::System) => {
                return Err(Refusal::NotYours { whose: self.whose(), event });
            }
            (_, Actor::Staff { id, role, scope }) => (id, role, scope),
        };
        if !self.includes(role) {
            return Err(Refusal::WrongRole { role, event });
        }
        match (self, scope) {
            (Self::LeadUnit | Self::UnitLead | Self::Decider, Scope::Unit(unit)) if Some(unit) == case.lead => {}
            (Self::AssistUnit, Scope::Unit(unit)) if case.assists.contains(&unit) => {}
            (Self::LeadUnit | Self::UnitLead | Self::Decider | Self::AssistUnit, _) => return Err(Refusal::OutsideUnit { event }),
            (_, scope) if scope.covers(case.area()) => {}
            _ => return Err(Refusal::OutsideScope { event }),
        }
        let had_a_hand = match self {
            Self::Checker => Some(id) == case.writer,
            Self::OtherOperator => case.merge.is_some_and(|merge| merge.by == id),
            Self::Decider => Some(id) == case.author || case.earlier_deciders.contains(&id),
            Self::SecondDecider => [case.author, case.decider].contains(&Some(id)) || case.earlier_deciders.contains(&id),
            Self::CallerBack => case.handlers.contains(&id),
            _ => false,
        };
        if had_a_hand { Err(Refusal::SamePerson { event }) } else { Ok(()) }
    }
}
