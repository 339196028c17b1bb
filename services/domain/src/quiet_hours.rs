//! Quiet hours 免打扰时段: the local hours in which routine alerts are held back (CQ10).
//!
//! Quiet hours are told by the clock on the wall, so a window is a stretch of *instants*: from the first time the wall shows `from` until the last
//! time it shows `to`. When the clocks go back inside a window, it is an hour longer and nobody is woken by the hour that comes twice; when they go
//! forward over one of its ends, that end is the moment of the change. Ends are half-open: at `from` it is quiet, at `to` no longer.

use chrono::{DateTime, Days, Duration, LocalResult, NaiveDate, NaiveDateTime, NaiveTime, TimeZone, Timelike, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A city's quiet hours. Where `from` equals `to` there are none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct QuietHours {
    /// When they begin, in local time.
    ///
    /// Nobody is woken by what can wait until the morning.
    #[serde(with = "wall_clock")]
    #[schema(value_type = String, example = "22:00")]
    pub from: NaiveTime,
    /// When they end, in local time; before `from` means on the next day, equal to `from` means that there are none.
    ///
    /// What was held back goes out at this moment.
    #[serde(with = "wall_clock")]
    #[schema(value_type = String, example = "07:00")]
    pub to: NaiveTime,
    /// The city's time zone, by its IANA name.
    ///
    /// Quiet is when the residents sleep, wherever the servers are.
    #[schema(value_type = String, example = "Asia/Shanghai")]
    pub tz: Tz,
}

impl Default for QuietHours {
    /// 22:00–07:00 in China.
    fn default() -> Self {
        Self { from: NaiveTime::MIN + Duration::hours(22), to: NaiveTime::MIN + Duration::hours(7), tz: Tz::Asia__Shanghai }
    }
}

impl QuietHours {
    /// No quiet hours.
    pub fn none(tz: Tz) -> Self {
        Self { from: NaiveTime::MIN, to: NaiveTime::MIN, tz }
    }

    /// Whether there are no quiet hours.
    pub fn is_none(&self) -> bool {
        self.from == self.to
    }

    /// Whether it is quiet at `t`.
    pub fn is_quiet(&self, t: DateTime<Utc>) -> bool {
        self.window_around(t).is_some()
    }

    /// The end of the quiet hours that hold at `t`; `t` itself when it is not quiet.
    pub fn ends_after(&self, t: DateTime<Utc>) -> DateTime<Utc> {
        let mut end = t;
        // Where clocks go back, the end of one day's window can lie inside the next day's.
        while let Some(window) = self.window_around(end) {
            end = window.end;
        }
        end
    }

    /// When it next becomes quiet after `t`, which is not quiet itself; `None` without quiet hours.
    pub fn begins_after(&self, t: DateTime<Utc>) -> Option<DateTime<Utc>> {
        if self.is_none() {
            return None;
        }
        // A change of the clocks can swallow a whole day's window, never two days' in a row.
        self.windows(t, -1..=3).filter(|window| window.start > t && window.start < window.end).map(|window| window.start).min()
    }

    /// The instant at which `length` of time that is not quiet has passed since `start`.
    pub fn after_sendable(&self, start: DateTime<Utc>, length: Duration) -> DateTime<Utc> {
        let (mut now, mut left) = (self.ends_after(start), length.max(Duration::zero()));
        while let Some(quiet_again) = self.begins_after(now) {
            if now + left <= quiet_again {
                break;
            }
            left -= quiet_again - now;
            now = self.ends_after(quiet_again);
        }
        now + left
    }

    fn window_around(&self, t: DateTime<Utc>) -> Option<Window> {
        if self.is_none() {
            return None;
        }
        self.windows(t, -1..=1).find(|window| window.start <= t && t < window.end)
    }

    /// The windows that begin on the local days around `t`.
    fn windows(&self, t: DateTime<Utc>, days: std::ops::RangeInclusive<i64>) -> impl Iterator<Item = Window> {
        let today = t.with_timezone(&self.tz).date_naive();
        let quiet_hours = *self;
        days.filter_map(move |offset| quiet_hours.window_of(today.checked_add_signed(Duration::days(offset))?))
    }

    /// The window that begins on the local day `day`; `None` only at the end of the calendar.
    fn window_of(&self, day: NaiveDate) -> Option<Window> {
        let last_day = if self.from < self.to { day } else { day.checked_add_days(Days::new(1))? };
        let start = self.instants(day.and_time(self.from))?.0;
        let end = self.instants(last_day.and_time(self.to))?.1;
        Some(Window { start, end })
    }

    /// The first and the last instant at which the wall clock shows `local`; where the clocks jump over it, the moment of the jump.
    fn instants(&self, local: NaiveDateTime) -> Option<(DateTime<Utc>, DateTime<Utc>)> {
        match self.tz.from_local_datetime(&local) {
            LocalResult::Single(instant) => Some((instant.to_utc(), instant.to_utc())),
            LocalResult::Ambiguous(first, last) => Some((first.to_utc(), last.to_utc())),
            LocalResult::None => {
                // Clocks change at whole minutes: the first minute that the wall shows again is the moment of the jump.
                let minute = local.with_second(0)?;
                let shown =
                    (1..=MINUTES_OF_A_DAY).find_map(|m| self.tz.from_local_datetime(&(minute + Duration::minutes(m))).earliest())?;
                Some((shown.to_utc(), shown.to_utc()))
            }
        }
    }
}

/// One night's quiet hours: `start` is quiet, `end` no longer.
#[derive(Clone, Copy)]
struct Window {
    start: DateTime<Utc>,
    end: DateTime<Utc>,
}

/// How many minutes the wall clock can be put forward at most: a whole day was skipped where the date line moved.
const MINUTES_OF_A_DAY: i64 = 24 * 60;

/// Wall-clock times as `22:00`.
mod wall_clock {
    use chrono::NaiveTime;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    const FORMAT: &str = "%H:%M";

    pub fn serialize<S: Serializer>(time: &NaiveTime, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&time.format(FORMAT))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<NaiveTime, D::Error> {
        let text = String::deserialize(deserializer)?;
        NaiveTime::parse_from_str(&text, FORMAT)
            .map_err(|_| D::Error::custom(format_args!("\"{text}\" is not a time of day such as \"22:00\"")))
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn quiet_hours(from: &str, to: &str, tz: Tz) -> QuietHours {
        let time = |text: &str| NaiveTime::parse_from_str(text, "%H:%M").unwrap();
        QuietHours { from: time(from), to: time(to), tz }
    }

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    const CHINA: Tz = Tz::Asia__Shanghai;
    const BERLIN: Tz = Tz::Europe__Berlin;

    #[rstest]
    // window, zone, instant, when sending may begin ("" where it is not quiet)
    #[case::a_second_before("22:00", "07:00", CHINA, "2026-11-20T21:59:59+08:00", "")]
    #[case::at_the_start("22:00", "07:00", CHINA, "2026-11-20T22:00:00+08:00", "2026-11-21T07:00:00+08:00")]
    #[case::at_midnight("22:00", "07:00", CHINA, "2026-11-21T00:00:00+08:00", "2026-11-21T07:00:00+08:00")]
    #[case::a_second_before_the_end("22:00", "07:00", CHINA, "2026-11-21T06:59:59+08:00", "2026-11-21T07:00:00+08:00")]
    #[case::at_the_end("22:00", "07:00", CHINA, "2026-11-21T07:00:00+08:00", "")]
    #[case::until_midnight("22:00", "00:00", CHINA, "2026-11-20T23:59:59+08:00", "2026-11-21T00:00:00+08:00")]
    #[case::after_midnight("22:00", "00:00", CHINA, "2026-11-21T00:00:00+08:00", "")]
    #[case::before_the_midday_rest("12:00", "14:00", CHINA, "2026-11-20T11:59:59+08:00", "")]
    #[case::in_the_midday_rest("12:00", "14:00", CHINA, "2026-11-20T13:00:00+08:00", "2026-11-20T14:00:00+08:00")]
    #[case::night_beside_the_midday_rest("12:00", "14:00", CHINA, "2026-11-20T02:00:00+08:00", "")]
    #[case::no_quiet_hours("22:00", "22:00", CHINA, "2026-11-20T22:00:00+08:00", "")]
    // Berlin, 29 March 2026: 02:00 +01:00 becomes 03:00 +02:00.
    #[case::the_short_night("22:00", "07:00", BERLIN, "2026-03-28T22:00:00+01:00", "2026-03-29T07:00:00+02:00")]
    #[case::an_end_that_is_skipped("22:00", "02:30", BERLIN, "2026-03-29T01:59:59+01:00", "2026-03-29T03:00:00+02:00")]
    #[case::after_an_end_that_is_skipped("22:00", "02:30", BERLIN, "2026-03-29T03:00:00+02:00", "")]
    #[case::a_start_that_is_skipped("02:30", "06:00", BERLIN, "2026-03-29T03:00:00+02:00", "2026-03-29T06:00:00+02:00")]
    #[case::before_a_start_that_is_skipped("02:30", "06:00", BERLIN, "2026-03-29T01:59:59+01:00", "")]
    #[case::a_window_that_is_skipped("02:10", "02:50", BERLIN, "2026-03-29T03:00:00+02:00", "")]
    // Berlin, 25 October 2026: 03:00 +02:00 becomes 02:00 +01:00, the hour from two to three comes twice.
    #[case::the_long_night("22:00", "07:00", BERLIN, "2026-10-24T22:00:00+02:00", "2026-10-25T07:00:00+01:00")]
    #[case::an_end_that_comes_twice("22:00", "02:30", BERLIN, "2026-10-25T02:30:00+02:00", "2026-10-25T02:30:00+01:00")]
    #[case::after_an_end_that_came_twice("22:00", "02:30", BERLIN, "2026-10-25T02:30:00+01:00", "")]
    #[case::a_start_that_comes_twice("02:30", "06:00", BERLIN, "2026-10-25T02:30:00+02:00", "2026-10-25T06:00:00+01:00")]
    #[case::between_the_two_starts("02:30", "06:00", BERLIN, "2026-10-25T02:00:00+01:00", "2026-10-25T06:00:00+01:00")]
    fn quiet_hours_hold_and_end(#[case] from: &str, #[case] to: &str, #[case] tz: Tz, #[case] t: &str, #[case] ends: &str) {
        let quiet_hours = quiet_hours(from, to, tz);
        assert_eq!(quiet_hours.is_quiet(at(t)), !ends.is_empty());
        assert_eq!(quiet_hours.ends_after(at(t)), at(if ends.is_empty() { t } else { ends }));
    }

    #[rstest]
    #[case::this_evening("22:00", "07:00", CHINA, "2026-11-20T12:00:00+08:00", Some("2026-11-20T22:00:00+08:00"))]
    #[case::right_after_the_end("22:00", "07:00", CHINA, "2026-11-20T07:00:00+08:00", Some("2026-11-20T22:00:00+08:00"))]
    #[case::tomorrow_at_midday("12:00", "14:00", CHINA, "2026-11-20T14:00:00+08:00", Some("2026-11-21T12:00:00+08:00"))]
    #[case::never("07:00", "07:00", CHINA, "2026-11-20T14:00:00+08:00", None)]
    #[case::a_night_without_its_window("02:10", "02:50", BERLIN, "2026-03-28T12:00:00+01:00", Some("2026-03-30T02:10:00+02:00"))]
    fn quiet_hours_begin(#[case] from: &str, #[case] to: &str, #[case] tz: Tz, #[case] t: &str, #[case] begins: Option<&str>) {
        assert_eq!(quiet_hours(from, to, tz).begins_after(at(t)), begins.map(at));
    }

    #[test]
    fn a_setting_is_written_as_people_write_it() {
        let setting = r#"{"from":"22:00","to":"07:00","tz":"Asia/Shanghai"}"#;
        assert_eq!(serde_json::from_str::<QuietHours>(setting).unwrap(), QuietHours::default());
        assert_eq!(serde_json::to_string(&QuietHours::default()).unwrap(), setting);
        for wrong in [r#"{"from":"25:00","to":"07:00","tz":"Asia/Shanghai"}"#, r#"{"from":"22:00","to":"07:00","tz":"Chongqing"}"#] {
            assert!(serde_json::from_str::<QuietHours>(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn two_windows_that_touch_when_clocks_go_back_are_one() {
        // Havana, 1 November 2026: 01:00 becomes 00:00, so the window that ends at midnight ends after the next one has begun.
        let nearly_always = quiet_hours("00:30", "00:00", Tz::America__Havana);
        let end = nearly_always.ends_after(at("2026-10-31T12:00:00-04:00"));
        assert!(!nearly_always.is_quiet(end));
        assert_eq!(end, at("2026-11-02T00:00:00-05:00"));
    }
}
