//! What is promised: which clocks there are, and how long each runs. Every figure is the city's.

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

use super::clock::Period;
use super::step::Case;
use super::words::{Grade, Kind, Urgency};

crate::words! {
    /// What is promised by when.
    pub enum Promise {
        /// Somebody takes it up.
        Take => "有人受理",
        /// A report is filed or declined.
        FirstCheck => "初步核查",
        /// The order is at a unit.
        Order => "派至承办单位",
        /// The unit has begun.
        Begin => "开始办理",
        /// The unit tells how far it is.
        Progress => "报告进展",
        /// There is a result.
        Finish => "办结",
        /// There is a result of the review.
        Review => "复核办结",
        /// A refused order is at another unit.
        Reroute => "重新派单",
        /// Supervision has decided whose it is.
        Dispute => "裁定责任单位",
        /// The citizen answers what was asked.
        Citizen => "您补充材料",
        /// The citizen knows the result.
        Tell => "答复",
        /// The citizen was asked whether it helped.
        CallBack => "回访",
        /// The citizen may say that it did not.
        Silence => "异议期",
    }
}

impl Promise {
    /// Whether the clock stands still while the citizen is asked.
    #[must_use]
    pub const fn pauses(self) -> bool {
        matches!(self, Self::Finish | Self::Review | Self::Progress)
    }

    /// Whether it is a promise of the city, which warns before it is broken; the others are of the citizen.
    #[must_use]
    pub const fn is_ours(self) -> bool {
        !matches!(self, Self::Citizen | Self::Silence)
    }

    /// Whether it counts from the day on which the case came, whatever has become of it since: a refused order wins nobody time.
    #[must_use]
    pub const fn counts_from_intake(self) -> bool {
        matches!(self, Self::Take | Self::FirstCheck | Self::Order | Self::Finish)
    }
}

/// What the city promises of cases, and what it leaves its citizens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Promises {
    /// Within this time somebody takes up what came on line.
    ///
    /// The work plan of public reporting promises two hours.
    ///
    /// Unit: minutes
    pub take_minutes: u32,
    /// Within this time somebody takes up a call for urgent help.
    ///
    /// Somebody waits who cannot wait.
    ///
    /// Unit: minutes
    pub take_help_minutes: u32,
    /// Within so many working days a report is filed or declined.
    ///
    /// The work plan promises three.
    ///
    /// Unit: working days
    pub first_check_days: u32,
    /// Within this time after it came an order is in the hands of a unit.
    ///
    /// The hotline promises 24 hours to the unit's liaison.
    ///
    /// Unit: hours
    pub order_hours: u32,
    /// Within this time an ordinary order is begun.
    ///
    /// The work plan promises 48 hours.
    ///
    /// Unit: hours
    pub begin_ordinary_hours: u32,
    /// Within this time an urgent order is begun.
    ///
    /// The work plan promises 24 hours.
    ///
    /// Unit: hours
    pub begin_urgent_hours: u32,
    /// Within this time an order of the highest urgency is begun.
    ///
    /// It promises "at once": so long somebody may need to see it.
    ///
    /// Unit: minutes
    pub begin_top_minutes: u32,
    /// Within so many working days a simple matter has its result.
    ///
    /// The work plan promises three. Counted from the day on which it came.
    ///
    /// Unit: working days
    pub finish_simple_days: u32,
    /// Within so many working days a complex matter has its result.
    ///
    /// The work plan promises fifteen.
    ///
    /// Unit: working days
    pub finish_complex_days: u32,
    /// Within so many working days a major matter has its result.
    ///
    /// The work plan promises thirty.
    ///
    /// Unit: working days
    pub finish_major_days: u32,
    /// Every so many working days a unit tells how far a simple matter is.
    ///
    /// Progress, not the end alone: supervision sees early where nothing moves.
    ///
    /// Unit: working days
    pub progress_simple_days: u32,
    /// Every so many working days a unit tells how far a complex matter is.
    ///
    /// Three of fifteen leave time to help.
    ///
    /// Unit: working days
    pub progress_complex_days: u32,
    /// Every so many working days a unit tells how far a major matter is.
    ///
    /// Five of thirty leave time to help.
    ///
    /// Unit: working days
    pub progress_major_days: u32,
    /// Within so many working days a review has its result.
    ///
    /// Whoever was not satisfied has waited once already.
    ///
    /// Unit: working days
    pub review_days: u32,
    /// Within so many working days a refused order is at another unit.
    ///
    /// The period of the case runs on meanwhile.
    ///
    /// Unit: working days
    pub reroute_days: u32,
    /// Within so many working days supervision decides who is competent.
    ///
    /// The work plan lets a monthly meeting decide; the person does not wait a month.
    ///
    /// Unit: working days
    pub dispute_days: u32,
    /// For so many working days in all a case waits for what its citizen was asked.
    ///
    /// So long its period stands still at the most, however often somebody asks.
    ///
    /// Unit: working days
    pub pause_days: u32,
    /// Within so many working days after the decision the citizen is told.
    ///
    /// The work plan promises five.
    ///
    /// Unit: working days
    pub tell_days: u32,
    /// Within so many working days after the answer the citizen is called back.
    ///
    /// Soon enough that they remember.
    ///
    /// Unit: working days
    pub call_back_days: u32,
    /// Of a hundred anonymous cases with an answer, so many are looked at again; of the others all are called back.
    ///
    /// Drawn by the number under a key, so that nobody picks.
    ///
    /// Unit: percent
    pub call_back_anonymous_percent: u32,
    /// After so many days without a word the answer counts as having satisfied.
    ///
    /// Whoever is not satisfied later still has the time for a review.
    ///
    /// Unit: days
    pub silence_days: u32,
    /// For so many days after the answer a review may be asked for.
    ///
    /// Afterwards it is a new matter.
    ///
    /// Unit: days
    pub review_within_days: u32,
    /// How many times one case is reviewed.
    ///
    /// Each review goes one level up, and there are not many.
    ///
    /// Unit: reviews
    pub reviews: u8,
    /// With so many chases in all a case is raised to supervision.
    ///
    /// Who asks three times was not told enough.
    ///
    /// Unit: chases
    pub chases_in_all: u32,
    /// With so many chases within a day a case is raised to supervision.
    ///
    /// Who asks twice in a day cannot wait.
    ///
    /// Unit: chases
    pub chases_within_a_day: u32,
}

impl Default for Promises {
    fn default() -> Self {
        Self {
            take_minutes: 120,
            take_help_minutes: 5,
            first_check_days: 3,
            order_hours: 24,
            begin_ordinary_hours: 48,
            begin_urgent_hours: 24,
            begin_top_minutes: 5,
            finish_simple_days: 3,
            finish_complex_days: 15,
            finish_major_days: 30,
            progress_simple_days: 1,
            progress_complex_days: 3,
            progress_major_days: 5,
            review_days: 15,
            reroute_days: 1,
            dispute_days: 1,
            pause_days: 10,
            tell_days: 5,
            call_back_days: 5,
            call_back_anonymous_percent: 10,
            silence_days: 15,
            review_within_days: 30,
            reviews: 2,
            chases_in_all: 3,
            chases_within_a_day: 2,
        }
    }
}

impl Promises {
    /// How long this promise runs for this case; `None` where it is not made: a consultation has no first check, a review replaces the period, and
    /// `call_back` is drawn.
    #[must_use]
    pub fn period(&self, promise: Promise, case: &Case) -> Option<Period> {
        let days = |days: u32| Some(Period::WorkingDays(days));
        let minutes = |minutes: u32| Some(Period::Time(TimeDelta::minutes(minutes.into())));
        match promise {
            Promise::Take if case.kind == Kind::UrgentHelp => minutes(self.take_help_minutes),
            Promise::Take => minutes(self.take_minutes),
            Promise::FirstCheck if case.kind.is_report() => days(self.first_check_days),
            Promise::FirstCheck => None,
            Promise::Order => minutes(self.order_hours.saturating_mul(60)),
            Promise::Begin => minutes(match case.urgency {
                Urgency::Ordinary => self.begin_ordinary_hours.saturating_mul(60),
                Urgency::Urgent => self.begin_urgent_hours.saturating_mul(60),
                Urgency::Top => self.begin_top_minutes,
            }),
            Promise::Progress => days(match case.grade {
                Grade::Simple => self.progress_simple_days,
                Grade::Complex => self.progress_complex_days,
                Grade::Major => self.progress_major_days,
            }),
            Promise::Finish if case.round == 1 => days(self.finish_days(case.grade)),
            Promise::Finish => None,
            Promise::Review => days(self.review_days),
            Promise::Reroute => days(self.reroute_days),
            Promise::Dispute => days(self.dispute_days),
            Promise::Citizen => days(self.pause_days.saturating_sub(case.paused_days)),
            Promise::Tell => days(self.tell_days),
            Promise::CallBack => case.is_called_back.then_some(Period::WorkingDays(self.call_back_days)),
            Promise::Silence => Some(Period::Time(TimeDelta::days(self.silence_days.into()))),
        }
    }

    /// The longest extension of the period that runs now: half of it.
    #[must_use]
    pub fn longest_extension(&self, case: &Case) -> u32 {
        if case.round == 1 { self.finish_days(case.grade) / 2 } else { self.review_days / 2 }
    }

    const fn finish_days(&self, grade: Grade) -> u32 {
        match grade {
            Grade::Simple => self.finish_simple_days,
            Grade::Complex => self.finish_complex_days,
            Grade::Major => self.finish_major_days,
        }
    }
}
