//! How long the centre may try to deliver a message: `validity_period` (SMPP 3.4 §5.2.16, §7.1.1.2).
//!
//! In the relative form, so that the centre's clock need not agree with ours.

use chrono::TimeDelta;
use rusmpp::types::EmptyOrFullCOctetString;

/// A period of less makes no sense to a centre.
const SHORTEST: TimeDelta = TimeDelta::minutes(1);
/// The form has two digits for days, and centres accept no month of more.
const LONGEST: TimeDelta = TimeDelta::days(30);

/// As the PDU has it.
pub(super) fn validity_period(left: TimeDelta) -> EmptyOrFullCOctetString<17> {
    EmptyOrFullCOctetString::from_string(written(left)).unwrap_or_else(|_| EmptyOrFullCOctetString::empty())
}

fn written(left: TimeDelta) -> String {
    let left = left.clamp(SHORTEST, LONGEST);
    let (days, hours, minutes, seconds) = (left.num_days(), left.num_hours() % 24, left.num_minutes() % 60, left.num_seconds() % 60);
    // no years, no months
    format!("0000{days:02}{hours:02}{minutes:02}{seconds:02}000R")
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::two_days(TimeDelta::days(2), "000002000000000R")]
    #[case::of_all_units(TimeDelta::seconds(93_784), "000001020304000R")]
    #[case::over_already(TimeDelta::seconds(-5), "000000000100000R")]
    #[case::far_too_long(TimeDelta::days(400), "000030000000000R")]
    fn a_period_is_written_in_days_hours_minutes_and_seconds(#[case] left: TimeDelta, #[case] period: &str) {
        assert_eq!(written(left), period);
        assert_eq!(validity_period(left).as_str(), period);
    }
}
