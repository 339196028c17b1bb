//! The table itself: states, steps, and who may take them.

crate::words! {
    /// Where an alert stands.
    #[schema(as = AlertState)]
    pub enum State {
        /// Being written.
        Draft => "草稿",
        /// Waits for the first review.
        DistrictReview => "区县审核中",
        /// Waits for the final review.
        CityReview => "市级审核中",
        /// Urgent: waits for the second officer of the city command.
        AwaitingConfirmation => "待第二人确认",
        /// Approved, not yet planned or held back by quiet hours.
        Approved => "已批准",
        /// Being sent.
        Dispatching => "推送中",
        /// With everybody who could be reached; may still be acknowledged.
        Active => "生效中",
        /// Its validity ended.
        Closed => "已结束",
        /// Not approved, for good.
        Refused => "已驳回",
        /// Stopped, or thrown away as a draft.
        Cancelled => "已撤销",
        /// Replaced by its correction.
        Superseded => "已被更正",
        /// What it told of is over, as two people have said.
        AllClear => "已解除",
    }

    /// A step in an alert's life.
    #[schema(as = AlertAction)]
    pub enum Action {
        /// Hand the draft in.
        Submit => "提交",
        /// First review: complete and accurate.
        PassDistrict => "区县审核通过",
        /// First review: back to its author.
        ReturnDistrict => "区县退回",
        /// Final review: compliant, measures reasonable.
        Approve => "批准",
        /// Final review: back to its author.
        ReturnCity => "市级退回",
        /// Final review: no.
        Refuse => "驳回",
        /// Hand the draft in on the urgent path.
        ComposeUrgent => "提交紧急推送",
        /// The second officer agrees.
        Confirm => "确认紧急推送",
        /// The second officer does not.
        Decline => "不予确认",
        /// Its first wave was planned.
        Release => "开始推送",
        /// Everybody is handed over or closed as unreachable.
        HandedOver => "推送完成",
        /// Its validity ended.
        Close => "结束",
        /// Stop what is not yet sent, withdraw the rest.
        Cancel => "撤销",
        /// Its correction was approved.
        Supersede => "更正替代",
        /// Throw the draft away.
        Discard => "作废",
        /// Send nothing more of it, until it is known whether it holds.
        Stop => "停止推送",
        /// It holds: go on sending.
        Resume => "恢复推送",
        /// Two people have said that it was false ([`crate::retraction`]).
        Retract => "撤回",
        /// Two people have said that what it told of is over.
        Lift => "解除",
    }
}

impl Action {
    /// Whether people are told something by it, now or at its end, or never will be: what a new account may not do yet. Sending back only stops.
    #[must_use]
    pub const fn releases(self) -> bool {
        matches!(
            self,
            Self::PassDistrict
                | Self::Approve
                | Self::Refuse
                | Self::ComposeUrgent
                | Self::Confirm
                | Self::Cancel
                | Self::Stop
                | Self::Resume
        )
    }

    /// Whether by it a text goes on, to the next review or to people.
    #[must_use]
    pub const fn goes_forward(self) -> bool {
        matches!(self, Self::Submit | Self::ComposeUrgent | Self::PassDistrict | Self::Approve | Self::Confirm)
    }

    /// Whether a reviewer sends the text back to its author by it.
    #[must_use]
    pub const fn sends_back(self) -> bool {
        matches!(self, Self::ReturnDistrict | Self::ReturnCity | Self::Decline)
    }

    /// Whether somebody says by it what becomes of an alert that waits for a review.
    #[must_use]
    pub const fn reviews(self) -> bool {
        self.sends_back() || matches!(self, Self::PassDistrict | Self::Approve | Self::Refuse | Self::Confirm)
    }
}

impl State {
    /// Whether it waits for a review.
    #[must_use]
    pub const fn waits(self) -> bool {
        matches!(self, Self::DistrictReview | Self::CityReview | Self::AwaitingConfirmation)
    }

    /// Whether it is written or reviewed: nobody was told anything yet.
    #[must_use]
    pub const fn in_the_making(self) -> bool {
        self.waits() || matches!(self, Self::Draft)
    }

    /// Whether nothing follows any more.
    #[must_use]
    pub fn is_final(self) -> bool {
        TRANSITIONS.iter().all(|transition| transition.from != self)
    }
}

/// Who may take a step, as the table names them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// Somebody who writes alerts for the alert's area.
    Author,
    /// The author, or the city command.
    AuthorOrCity,
    /// The platform, for a rule's draft that misses nothing and was never returned.
    RuleEngine,
    /// A reviewer of the alert's district; for an alert across districts an officer of the city command. Not the submitter.
    FirstReviewer,
    /// An officer of the city command who is neither submitter nor first reviewer.
    FinalReviewer,
    /// An officer of the city command.
    CityOfficer,
    /// An officer of the city command who is not the composer.
    SecondOfficer,
    /// The platform.
    System,
}

/// One row of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Transition {
    /// Where the alert stands.
    pub from: State,
    /// What is done.
    pub action: Action,
    /// Where it stands afterwards.
    pub to: State,
    /// Who may do it.
    pub by: By,
    /// Whether they have to say why.
    pub needs_reason: bool,
}

const fn row(from: State, action: Action, to: State, by: By) -> Transition {
    Transition { from, action, to, by, needs_reason: false }
}

const fn why(from: State, action: Action, to: State, by: By) -> Transition {
    Transition { from, action, to, by, needs_reason: true }
}

/// Every step there is.
pub const TRANSITIONS: &[Transition] = &[
    row(State::Draft, Action::Submit, State::DistrictReview, By::Author),
    row(State::Draft, Action::Submit, State::DistrictReview, By::RuleEngine),
    row(State::Draft, Action::ComposeUrgent, State::AwaitingConfirmation, By::CityOfficer),
    why(State::Draft, Action::Discard, State::Cancelled, By::AuthorOrCity),
    row(State::DistrictReview, Action::PassDistrict, State::CityReview, By::FirstReviewer),
    why(State::DistrictReview, Action::ReturnDistrict, State::Draft, By::FirstReviewer),
    row(State::CityReview, Action::Approve, State::Approved, By::FinalReviewer),
    why(State::CityReview, Action::ReturnCity, State::Draft, By::FinalReviewer),
    why(State::CityReview, Action::Refuse, State::Refused, By::FinalReviewer),
    row(State::AwaitingConfirmation, Action::Confirm, State::Approved, By::SecondOfficer),
    why(State::AwaitingConfirmation, Action::Decline, State::Draft, By::SecondOfficer),
    row(State::Approved, Action::Release, State::Dispatching, By::System),
    // Events may overtake each other: "handed over" can be heard before "released".
    row(State::Approved, Action::HandedOver, State::Active, By::System),
    row(State::Dispatching, Action::HandedOver, State::Active, By::System),
    row(State::Approved, Action::Close, State::Closed, By::System),
    row(State::Dispatching, Action::Close, State::Closed, By::System),
    row(State::Active, Action::Close, State::Closed, By::System),
    row(State::Approved, Action::Supersede, State::Superseded, By::System),
    row(State::Dispatching, Action::Supersede, State::Superseded, By::System),
    row(State::Active, Action::Supersede, State::Superseded, By::System),
    why(State::CityReview, Action::Cancel, State::Cancelled, By::CityOfficer),
    why(State::AwaitingConfirmation, Action::Cancel, State::Cancelled, By::CityOfficer),
    why(State::Approved, Action::Cancel, State::Cancelled, By::CityOfficer),
    why(State::Dispatching, Action::Cancel, State::Cancelled, By::CityOfficer),
    why(State::Active, Action::Cancel, State::Cancelled, By::CityOfficer),
    // One stops and lets go on; that a word goes out takes two, and then the platform takes the step.
    why(State::Approved, Action::Stop, State::Approved, By::CityOfficer),
    why(State::Dispatching, Action::Stop, State::Dispatching, By::CityOfficer),
    why(State::Active, Action::Stop, State::Active, By::CityOfficer),
    why(State::Approved, Action::Resume, State::Approved, By::CityOfficer),
    why(State::Dispatching, Action::Resume, State::Dispatching, By::CityOfficer),
    why(State::Active, Action::Resume, State::Active, By::CityOfficer),
    row(State::Approved, Action::Retract, State::Cancelled, By::System),
    row(State::Dispatching, Action::Retract, State::Cancelled, By::System),
    row(State::Active, Action::Retract, State::Cancelled, By::System),
    row(State::Approved, Action::Lift, State::AllClear, By::System),
    row(State::Dispatching, Action::Lift, State::AllClear, By::System),
    row(State::Active, Action::Lift, State::AllClear, By::System),
];
