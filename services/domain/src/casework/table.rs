//! The table itself: where a case can stand, what can happen to it, who may do it, and which clocks follow.

use super::promises::Promise;

crate::words! {
    /// Where a case stands.
    #[schema(as = CaseState)]
    pub enum State {
        /// Taken in; nobody has looked at it.
        Received => "已收到",
        /// Registered; a second person checks it.
        ToCheck => "待第二人核对",
        /// Registered: accepted or declined next.
        Registered => "已登记",
        /// Accepted; goes to a unit next.
        Accepted => "已受理",
        /// Two units say that they are not competent: supervision decides.
        Disputed => "责任争议",
        /// With a unit that has not signed for it.
        Routed => "已派单",
        /// Being worked on.
        Working => "办理中",
        /// Waits for what the citizen was asked.
        Waiting => "待您补充",
        /// The result waits for a decision.
        ToDecide => "待审定",
        /// The result of a major matter waits for a second person.
        ToConfirm => "待第二人审定",
        /// Decided; the citizen is told next.
        Decided => "已审定",
        /// The citizen knows the answer.
        Told => "已答复",
        /// The answer satisfied, or nobody said otherwise in time.
        Closed => "已办结",
        /// Not taken, with the reason and where to go.
        Declined => "不予受理",
        /// Taken back by whoever brought it.
        Withdrawn => "已撤回",
        /// Goes on as part of another case.
        Merged => "已并入",
    }

    /// What can happen to a case.
    #[schema(as = CaseEvent)]
    pub enum Event {
        /// Answered in the same call.
        AnswerAtOnce => "当场答复",
        /// Registered to be worked on.
        Register => "登记",
        /// The second person agrees with the registration.
        ConfirmRegistration => "核对通过",
        /// The second person does not.
        CorrectRegistration => "退回登记",
        /// Not taken.
        Decline => "不予受理",
        /// Taken, with its class.
        Accept => "受理",
        /// Given to a unit.
        Route => "派单",
        /// The unit has it.
        SignFor => "签收",
        /// The unit says that it is another's.
        RefuseCompetence => "提出不属本单位职责",
        /// Supervision says whose it is.
        DecideDispute => "裁定责任单位",
        /// The unit tells how far it is.
        ReportProgress => "报告进展",
        /// The unit asks the citizen.
        AskCitizen => "请您补充",
        /// An assisting unit has done its part.
        FinishAssist => "完成协办",
        /// Supervision lets an assisting unit go that does nothing.
        ReleaseAssist => "解除协办",
        /// The unit asks for more time.
        AskExtension => "申请延期",
        /// It has it.
        GrantExtension => "同意延期",
        /// It has not.
        RefuseExtension => "不同意延期",
        /// Supervision classes it anew.
        Regrade => "调整等级",
        /// The unit has a result.
        SubmitResult => "提交结果",
        /// The result stands.
        Decide => "审定",
        /// It does not.
        SendBack => "退回办理",
        /// The citizen is told.
        Tell => "答复",
        /// The citizen is asked whether it helped.
        CallBack => "回访",
        /// It is another case's matter.
        ProposeMerge => "提出并案",
        /// A second person agrees.
        Merge => "并案",
        /// A second person does not.
        RefuseMerge => "不同意并案",
        /// The citizen adds something.
        Supplement => "补充",
        /// The citizen asks where it is.
        Chase => "催办",
        /// The answer satisfied.
        Satisfied => "满意",
        /// It did not: reviewed by somebody else.
        NotSatisfied => "不满意",
        /// The citizen takes it back.
        Withdraw => "撤回",
        /// What was asked was not answered in time.
        TimeOver => "补充期满",
        /// Nobody said in time that the answer did not satisfy.
        Silence => "期满办结",
        /// It is more urgent than was thought.
        Raise => "升级",
    }
}

impl State {
    /// Whether somebody still owes something.
    #[must_use]
    pub const fn is_open(self) -> bool {
        !matches!(self, Self::Closed | Self::Declined | Self::Withdrawn | Self::Merged)
    }

    /// Whether a unit leads it: not before one was ordered to, nor while it is open whose it is.
    #[must_use]
    pub const fn has_a_lead(self) -> bool {
        self.is_open() && !matches!(self, Self::Received | Self::ToCheck | Self::Registered | Self::Accepted | Self::Disputed)
    }
}

/// Who may do it, as the table names them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// An operator of the hotline.
    Operator,
    /// An operator who did not write the registration.
    Checker,
    /// An operator who did not propose it.
    OtherOperator,
    /// An operator or a supervisor.
    OperatorOrSupervisor,
    /// A supervisor.
    Supervisor,
    /// Somebody of the unit that leads.
    LeadUnit,
    /// A lead of the unit that leads.
    UnitLead,
    /// Somebody of a unit that assists and has not finished.
    AssistUnit,
    /// A lead of the unit that leads who did not write the result, and decided nothing of the case in an earlier round.
    Decider,
    /// A supervisor who neither wrote nor decided the result, nor decided anything of the case in an earlier round.
    SecondDecider,
    /// An operator who did not handle it.
    CallerBack,
    /// Whoever brought it.
    Citizen,
    /// The platform.
    System,
}

/// When a row holds, beside state and event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// Always.
    Always,
    /// A kind that a second person checks.
    Checked,
    /// One that needs no check.
    Unchecked,
    /// Anything but a report of a violation, which nobody answers at once.
    NoViolation,
    /// A first round of what the desk may decline.
    DeskDeclines,
    /// A report of a violation, or a review: whoever answered before does not turn it away.
    SupervisionDeclines,
    /// It ends with whoever brought it.
    EndsWithCitizen,
    /// A report of a violation, which endangers others, or a case in which others go on.
    GoesOnWithout,
    /// No unit has refused it in this round.
    FirstRefusal,
    /// One has.
    LaterRefusal,
    /// Of grade major.
    Major,
    /// Of a lower grade.
    NotMajor,
    /// There is a unit above the one that led, and it has decided nothing of the case.
    UnitAbove,
    /// A unit led, and there is none above it.
    NoUnitAbove,
    /// No unit led: it was answered at once.
    NoUnit,
}

/// One row of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Transition {
    /// Where the case may stand.
    pub from: &'static [State],
    /// What happens.
    pub event: Event,
    /// Where it stands afterwards; none: where it stood.
    pub to: Option<State>,
    /// Who may do it.
    pub by: By,
    /// When the row holds.
    pub when: When,
    /// Whether something has to be said: a reason, a question, an answer.
    pub needs_words: bool,
    /// Clocks that start, unless they run already.
    pub starts: &'static [Promise],
    /// Clocks that stop. At an end all do.
    pub stops: &'static [Promise],
}

/// A row that always holds, needs no words, and touches no clock.
const fn row(from: &'static [State], event: Event, to: State, by: By) -> Transition {
    Transition { from, event, to: Some(to), by, when: When::Always, needs_words: false, starts: &[], stops: &[] }
}

/// A row that leaves the case where it stands.
const fn stays(from: &'static [State], event: Event, by: By) -> Transition {
    Transition { to: None, ..row(from, event, State::Received, by) }
}

impl Transition {
    const fn when(self, when: When) -> Self {
        Self { when, ..self }
    }

    const fn said(self) -> Self {
        Self { needs_words: true, ..self }
    }

    const fn starts(self, starts: &'static [Promise]) -> Self {
        Self { starts, ..self }
    }

    const fn stops(self, stops: &'static [Promise]) -> Self {
        Self { stops, ..self }
    }
}

/// Before an order is at a unit.
const AT_THE_DESK: &[State] = &[State::Received, State::ToCheck, State::Registered, State::Accepted, State::Disputed];
/// Where whoever brought it may still add to it or take it back.
const BEFORE_THE_ANSWER: &[State] = &[
    State::Received,
    State::ToCheck,
    State::Registered,
    State::Accepted,
    State::Disputed,
    State::Routed,
    State::Working,
    State::Waiting,
    State::ToDecide,
    State::ToConfirm,
    State::Decided,
];
/// The same without where what they add is an answer.
const NOT_ASKED: &[State] = &[
    State::Received,
    State::ToCheck,
    State::Registered,
    State::Accepted,
    State::Disputed,
    State::Routed,
    State::Working,
    State::ToDecide,
    State::ToConfirm,
    State::Decided,
    State::Told,
];
/// Classed, and not yet answered.
const CLASSED: &[State] =
    &[State::Accepted, State::Disputed, State::Routed, State::Working, State::Waiting, State::ToDecide, State::ToConfirm];
/// At a unit that has signed for it.
const AT_WORK: &[State] = &[State::Working, State::Waiting, State::ToDecide, State::ToConfirm];

/// Everything that can happen to a case.
pub const TRANSITIONS: &[Transition] = &[
    row(&[State::Received], Event::AnswerAtOnce, State::Closed, By::Operator).when(When::NoViolation).said(),
    row(&[State::Received], Event::Register, State::ToCheck, By::Operator).when(When::Checked).stops(&[Promise::Take]),
    row(&[State::Received], Event::Register, State::Registered, By::Operator).when(When::Unchecked).stops(&[Promise::Take]),
    row(&[State::ToCheck], Event::ConfirmRegistration, State::Registered, By::Checker),
    row(&[State::ToCheck], Event::CorrectRegistration, State::Received, By::Checker).said(),
    row(&[State::Received, State::Registered], Event::Decline, State::Declined, By::Operator).when(When::DeskDeclines).said(),
    row(&[State::Received, State::Registered], Event::Decline, State::Declined, By::Supervisor).when(When::SupervisionDeclines).said(),
    row(&[State::Registered], Event::Accept, State::Accepted, By::OperatorOrSupervisor)
        .starts(&[Promise::Finish])
        .stops(&[Promise::FirstCheck]),
    row(&[State::Accepted], Event::Route, State::Routed, By::OperatorOrSupervisor)
        .starts(&[Promise::Begin])
        .stops(&[Promise::Order, Promise::Reroute]),
    row(&[State::Routed], Event::SignFor, State::Working, By::LeadUnit).starts(&[Promise::Progress]).stops(&[Promise::Begin]),
    row(&[State::Routed], Event::RefuseCompetence, State::Accepted, By::UnitLead)
        .when(When::FirstRefusal)
        .said()
        .starts(&[Promise::Reroute]),
    row(&[State::Routed], Event::RefuseCompetence, State::Disputed, By::UnitLead)
        .when(When::LaterRefusal)
        .said()
        .starts(&[Promise::Dispute]),
    row(&[State::Disputed], Event::DecideDispute, State::Routed, By::Supervisor).said().stops(&[Promise::Dispute]),
    // the lead's progress is what is promised; what assists report is kept with it
    stays(&[State::Working], Event::ReportProgress, By::LeadUnit).said().starts(&[Promise::Progress]).stops(&[Promise::Progress]),
    stays(&[State::Working], Event::ReportProgress, By::AssistUnit).said(),
    row(&[State::Working], Event::AskCitizen, State::Waiting, By::LeadUnit).said().starts(&[Promise::Citizen]),
    row(&[State::Waiting], Event::Supplement, State::Working, By::Citizen).said().stops(&[Promise::Citizen]),
    row(&[State::Waiting], Event::TimeOver, State::Working, By::System).stops(&[Promise::Citizen]),
    stays(&[State::Working, State::Waiting], Event::FinishAssist, By::AssistUnit).said(),
    stays(&[State::Working, State::Waiting], Event::ReleaseAssist, By::Supervisor).said(),
    stays(&[State::Working], Event::AskExtension, By::UnitLead).said(),
    stays(AT_WORK, Event::GrantExtension, By::Supervisor),
    stays(AT_WORK, Event::RefuseExtension, By::Supervisor).said(),
    stays(CLASSED, Event::Regrade, By::Supervisor).said(),
    row(&[State::Working], Event::SubmitResult, State::ToDecide, By::LeadUnit).said().stops(&[Promise::Progress]),
    row(&[State::ToDecide], Event::Decide, State::Decided, By::Decider)
        .when(When::NotMajor)
        .starts(&[Promise::Tell])
        .stops(&[Promise::Finish, Promise::Review]),
    row(&[State::ToDecide], Event::Decide, State::ToConfirm, By::Decider).when(When::Major),
    row(&[State::ToConfirm], Event::Decide, State::Decided, By::SecondDecider)
        .starts(&[Promise::Tell])
        .stops(&[Promise::Finish, Promise::Review]),
    row(&[State::ToDecide], Event::SendBack, State::Working, By::UnitLead).said().starts(&[Promise::Progress]),
    row(&[State::ToConfirm], Event::SendBack, State::Working, By::SecondDecider).said().starts(&[Promise::Progress]),
    row(&[State::Decided], Event::Tell, State::Told, By::LeadUnit).starts(&[Promise::CallBack, Promise::Silence]).stops(&[Promise::Tell]),
    stays(&[State::Told], Event::CallBack, By::CallerBack).stops(&[Promise::CallBack]),
    row(&[State::Told], Event::Satisfied, State::Closed, By::Citizen),
    row(&[State::Told], Event::Silence, State::Closed, By::System),
    // a review goes one level up, or to somebody else; never to whoever decided
    row(&[State::Told, State::Closed], Event::NotSatisfied, State::Routed, By::Citizen)
        .when(When::UnitAbove)
        .said()
        .starts(&[Promise::Review, Promise::Begin])
        .stops(&[Promise::CallBack, Promise::Silence]),
    row(&[State::Told, State::Closed], Event::NotSatisfied, State::Accepted, By::Citizen)
        .when(When::NoUnitAbove)
        .said()
        .starts(&[Promise::Review, Promise::Reroute])
        .stops(&[Promise::CallBack, Promise::Silence]),
    row(&[State::Closed], Event::NotSatisfied, State::Registered, By::Citizen)
        .when(When::NoUnit)
        .said()
        .starts(&[Promise::Review, Promise::Order]),
    stays(BEFORE_THE_ANSWER, Event::ProposeMerge, By::Operator).said(),
    row(BEFORE_THE_ANSWER, Event::Merge, State::Merged, By::OtherOperator),
    stays(BEFORE_THE_ANSWER, Event::RefuseMerge, By::Operator).said(),
    stays(NOT_ASKED, Event::Supplement, By::Citizen).said(),
    stays(BEFORE_THE_ANSWER, Event::Chase, By::Citizen),
    stays(AT_THE_DESK, Event::Raise, By::System),
    stays(&[State::Routed, State::Working, State::Waiting], Event::Raise, By::System),
    row(BEFORE_THE_ANSWER, Event::Withdraw, State::Withdrawn, By::Citizen).when(When::EndsWithCitizen),
    stays(BEFORE_THE_ANSWER, Event::Withdraw, By::Citizen).when(When::GoesOnWithout),
];
