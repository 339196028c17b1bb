//! One day of a calendar, as people are told of it.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

crate::words! {
    /// What a day is for a period in working days.
    pub enum DayKind {
        /// The day of the cause: counting begins on the next working day.
        IntakeDay => "当日不计",
        /// An ordinary day from Monday to Friday.
        WorkingDay => "工作日",
        /// A weekend day on which people work, to make up for a holiday.
        MakeUpWorkday => "调休上班",
        /// Saturday or Sunday.
        Weekend => "周末",
        /// A weekday that is free.
        Holiday => "节假日",
        /// The same in a year without a notice: the date is fixed by law, the days around it are not known.
        ProvisionalHoliday => "法定节日（当年安排尚未公布）",
        /// A working day while the clock stood still.
        Paused => "暂停计时",
    }

    /// Why a day differs from the week's usual.
    pub enum Holiday {
        /// 1 January.
        NewYear => "元旦",
        /// The first days of the lunar year.
        SpringFestival => "春节",
        /// About 5 April.
        TombSweeping => "清明节",
        /// 1 May.
        LabourDay => "劳动节",
        /// The fifth of the fifth lunar month.
        DragonBoat => "端午节",
        /// The fifteenth of the eighth lunar month.
        MidAutumn => "中秋节",
        /// 1 October.
        NationalDay => "国庆节",
        /// 3 September 2015, once.
        VictoryDay => "抗战胜利纪念日",
        /// A day of a city's own list.
        Local => "本地节日",
    }
}

impl DayKind {
    /// Whether people work on it.
    #[must_use]
    pub const fn works(self) -> bool {
        matches!(self, Self::WorkingDay | Self::MakeUpWorkday)
    }
}

/// One day of a period, and whether it counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DayCounted {
    /// The day.
    pub day: NaiveDate,
    /// Whether it is one of the period's working days.
    pub counts: bool,
    /// What it is.
    pub reason: DayKind,
    /// The holiday because of which it is so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub holiday: Option<Holiday>,
    /// The how-many-th working day of the period it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub n: Option<u32>,
}
