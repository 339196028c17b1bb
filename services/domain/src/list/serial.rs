//! The numbers by which spreadsheets count days: 46353.354 is 27 November 2026, 08:30.

use chrono::{NaiveDate, NaiveDateTime, NaiveTime, TimeDelta};

/// Days from 30 December 1899, where serial 1 is 31 December by the calendar and 1 January 1900 by Lotus, to 1 January 1904.
const FROM_1900_TO_1904: f64 = 1_462.0;
/// The first serial behind 29 February 1900, a day that spreadsheets count and that never was.
const BEHIND_THE_LEAP_DAY: f64 = 61.0;
/// Serials below this lie in the 22nd century at the latest; a larger number is no day but, say, 20261127.
const LAST: f64 = 100_000.0;

/// The time of a serial, to the second; none for what is no day of the 20th to 22nd century.
#[must_use]
pub fn of_serial(serial: f64, counts_from_1904: bool) -> Option<NaiveDateTime> {
    let serial = if counts_from_1904 { serial + FROM_1900_TO_1904 } else { serial };
    if !(BEHIND_THE_LEAP_DAY..LAST).contains(&serial) {
        return None;
    }
    // at most 8.64e9 seconds
    let seconds = (serial * 86_400.0).round() as i64;
    NaiveDate::from_ymd_opt(1899, 12, 30)?.and_time(NaiveTime::MIN).checked_add_signed(TimeDelta::seconds(seconds))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(46_353.0, false, Some("2026-11-27T00:00:00"))]
    #[case(46_353.354_166_666_664, false, Some("2026-11-27T08:30:00"))]
    #[case(44_891.354_166_666_664, true, Some("2026-11-27T08:30:00"))]
    #[case(61.0, false, Some("1900-03-01T00:00:00"))]
    #[case(60.0, false, None)]
    #[case(0.354, false, None)]
    #[case(20_261_127.0, false, None)]
    #[case(-1.0, false, None)]
    #[case(f64::NAN, false, None)]
    fn a_serial_is_a_time_to_the_second(#[case] serial: f64, #[case] counts_from_1904: bool, #[case] time: Option<&str>) {
        assert_eq!(of_serial(serial, counts_from_1904), time.map(|time| time.parse().unwrap()));
    }
}
