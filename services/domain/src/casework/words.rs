//! What a case is: its kind, the way it came, how it is classed.

crate::words! {
    /// What a citizen brings (HL1, RP1).
    #[schema(as = CaseKind)]
    pub enum Kind {
        /// A question: about isolation, tests, vaccination, policy.
        Consultation => "咨询",
        /// About a body and what it did; names what outcome is wanted.
        Complaint => "投诉",
        /// Escort to a doctor, medicine, food: of the old, the pregnant, the chronically ill. Has a lane of its own.
        UrgentHelp => "急需帮助",
        /// Somebody wants to talk.
        Psychological => "心理支持",
        /// Something is not as it should be.
        ProblemReport => "反映问题",
        /// Somebody breaks a rule.
        ViolationReport => "举报",
        /// About an alert.
        Feedback => "弹窗反馈",
        /// Against an alert: it does not hold for me.
        Objection => "弹窗异议",
    }

    /// How it came.
    #[schema(as = CaseChannel)]
    pub enum Channel {
        /// The page, without signing in.
        Web => "网页",
        /// The resident app.
        App => "手机应用",
        /// A call to the hotline.
        Call => "来电",
        /// In person.
        Visit => "来访",
        /// Entered by somebody for the person whose matter it is.
        Proxy => "代办",
    }

    /// What it is by its nature, as whoever accepts it found (RP3).
    #[schema(as = CaseNature)]
    pub enum Nature {
        /// A question.
        Consultation => "咨询",
        /// About a body.
        Complaint => "投诉",
        /// Something is needed.
        RequestForHelp => "求助",
        /// How something could be better.
        Suggestion => "建议",
        /// A rule is broken.
        Report => "举报",
        /// A decision or an alert is wrong.
        Objection => "申诉",
        /// Thanks.
        Commendation => "表扬",
        /// None of these.
        Other => "其他",
    }

    /// How soon it is begun (RP3).
    #[schema(as = CaseUrgency)]
    pub enum Urgency {
        /// In 48 hours.
        Ordinary => "一般",
        /// In 24 hours.
        Urgent => "紧急",
        /// At once.
        Top => "特急",
    }

    /// How much there is to find out and decide (RP3).
    #[schema(as = CaseGrade)]
    pub enum Grade {
        /// Three working days.
        Simple => "简单",
        /// Fifteen.
        Complex => "复杂",
        /// Thirty, and two people decide.
        Major => "重大",
    }

    /// Why something is not taken (RP2).
    pub enum DeclineGround {
        /// Another body's matter: where to go is said.
        OutOfScope => "不属于受理范围",
        /// It contains a secret of the state.
        StateSecret => "涉及国家秘密",
        /// It contains a secret of a business.
        TradeSecret => "涉及商业秘密",
        /// It contains what is private of somebody else.
        PrivacyOfOthers => "涉及他人隐私",
        /// A court or a reconsideration has it.
        InCourt => "已进入诉讼或复议",
        /// It was answered before, and nothing new is said.
        AlreadyAnswered => "已就同一事项答复",
    }

    /// How a result is told (HL3).
    pub enum TellBy {
        /// In the app, or to whoever asks by number.
        App => "网上答复",
        /// By SMS that there is an answer.
        Sms => "短信",
        /// By call.
        Call => "电话",
        /// By letter.
        Letter => "书面",
    }

    /// What a call back found (RP5).
    pub enum CallOutcome {
        /// They are satisfied.
        Satisfied => "满意",
        /// They are not.
        NotSatisfied => "不满意",
        /// Nobody answered.
        Unreachable => "未接通",
    }
}

impl Kind {
    /// Whether a second person checks what was registered, before anything follows from it (RP4).
    #[must_use]
    pub const fn is_checked(self) -> bool {
        matches!(self, Self::Complaint | Self::ViolationReport)
    }

    /// Whether it is a report, which is first checked and then filed or declined (RP4).
    #[must_use]
    pub const fn is_report(self) -> bool {
        matches!(self, Self::ProblemReport | Self::ViolationReport)
    }

    /// How soon it is begun at the least, whatever is said of it.
    #[must_use]
    pub const fn least_urgency(self) -> Urgency {
        match self {
            Self::UrgentHelp => Urgency::Top,
            Self::Psychological | Self::Objection => Urgency::Urgent,
            _ => Urgency::Ordinary,
        }
    }
}
