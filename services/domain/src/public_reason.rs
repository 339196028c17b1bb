//! Why an alert was taken back, as the public is told: one of a few sentences that were reviewed beforehand (CQ2).
//!
//! Whoever stops an alert writes for colleagues why, and in a hurry. Nothing of that reaches a recipient: one person alone would speak to a whole city.

use crate::language::Language;

crate::words! {
    /// Why an alert was taken back, as the public is told.
    pub enum PublicReason {
        /// The place or area was wrong.
        WrongPlace => "地点或范围有误",
        /// It went to people whom it is not about.
        WrongPeople => "发送对象有误",
        /// Time or dates were wrong.
        WrongTime => "时间有误",
        /// A test result or a report behind it was wrong.
        WrongFinding => "依据的检测结果或报告已更正",
        /// The measure asked for was wrong.
        WrongMeasure => "要求的措施有误",
        /// It was sent by mistake, a technical one included.
        SentByMistake => "误发",
        /// The danger is over.
        Over => "情况已解除",
    }
}

impl PublicReason {
    /// Why an alert may have been wrong from the first: what a withdrawal may give. That the danger is over is said by an all-clear alone, which two
    /// people give.
    pub const OF_A_WITHDRAWAL: [Self; 6] =
        [Self::WrongPlace, Self::WrongPeople, Self::WrongTime, Self::WrongFinding, Self::WrongMeasure, Self::SentByMistake];

    /// Whether a withdrawal may give it.
    #[must_use]
    pub fn is_of_a_withdrawal(self) -> bool {
        Self::OF_A_WITHDRAWAL.contains(&self)
    }

    /// The same in this language, to stand behind “reason: ”.
    #[must_use]
    pub const fn said_in(self, language: Language) -> &'static str {
        match (language, self) {
            (Language::ZhCn, _) => self.title(),
            (Language::En, Self::WrongPlace) => "the place or area was wrong",
            (Language::En, Self::WrongPeople) => "it was sent to the wrong people",
            (Language::En, Self::WrongTime) => "the time was wrong",
            (Language::En, Self::WrongFinding) => "a test result or report behind it was corrected",
            (Language::En, Self::WrongMeasure) => "it asked for the wrong thing to be done",
            (Language::En, Self::SentByMistake) => "it was sent by mistake",
            (Language::En, Self::Over) => "the danger is over",
        }
    }
}
