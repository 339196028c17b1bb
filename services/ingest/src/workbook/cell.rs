//! What a cell of a workbook says, as the text that it would be in a CSV file.

use std::borrow::Cow;

use calamine::{DataRef, ExcelDateTime};
use domain::list;

/// Numbers of more digits than a spreadsheet keeps are shown as it shows them: with an exponent, by which they are known as rounded.
const EXACT: f64 = 1e15;

/// The text of a cell; empty for one without a value.
pub(super) fn text<'c>(value: DataRef<'c>, since_1904: bool) -> Cow<'c, str> {
    match value {
        DataRef::Empty => Cow::Borrowed(""),
        DataRef::SharedString(text) => Cow::Borrowed(text),
        DataRef::String(text) | DataRef::DateTimeIso(text) | DataRef::DurationIso(text) => Cow::Owned(text),
        DataRef::Int(number) => Cow::Owned(number.to_string()),
        DataRef::Float(number) => Cow::Owned(self::number(number)),
        DataRef::Bool(true) => Cow::Borrowed("true"),
        DataRef::Bool(false) => Cow::Borrowed("false"),
        DataRef::DateTime(time) => Cow::Owned(moment(time, since_1904)),
        DataRef::Error(error) => Cow::Owned(error.to_string()),
    }
}

/// A number as a spreadsheet shows it: fifteen digits.
fn number(number: f64) -> String {
    if number.fract() == 0.0 && number.abs() < EXACT {
        return format!("{number:.0}");
    }
    let rounded: f64 = format!("{number:.14e}").parse().unwrap_or(number);
    if rounded.abs() < EXACT {
        return rounded.to_string();
    }
    format!("{rounded:E}").replace('E', "E+")
}

/// A day, an hour of a day, or both.
fn moment(time: ExcelDateTime, since_1904: bool) -> String {
    let serial = time.as_f64();
    if time.is_duration() || (0.0..1.0).contains(&serial) {
        // no list reckons with spans of centuries
        let seconds = (serial * 86_400.0).round() as i64;
        return format!("{}:{:02}:{:02}", seconds / 3_600, seconds / 60 % 60, seconds % 60);
    }
    match list::of_serial(serial, since_1904) {
        Some(day) if serial.fract() == 0.0 => day.format("%Y-%m-%d").to_string(),
        Some(moment) => moment.format("%Y-%m-%d %H:%M:%S").to_string(),
        None => number(serial),
    }
}

/// A number in a column of times, which is the serial of a day even if nobody gave the cell the format of one.
pub(super) fn time(value: &DataRef<'_>, since_1904: bool) -> Option<String> {
    let DataRef::Float(serial) = value else { return None };
    list::of_serial(*serial, since_1904).map(|moment| moment.format("%Y-%m-%d %H:%M:%S").to_string())
}

#[cfg(test)]
mod tests {
    use calamine::{CellErrorType, ExcelDateTimeType};
    use rstest::rstest;

    use super::*;

    fn day(serial: f64) -> DataRef<'static> {
        DataRef::DateTime(ExcelDateTime::new(serial, ExcelDateTimeType::DateTime, false))
    }

    #[rstest]
    #[case::phone(DataRef::Float(19_000_000_001.0), "19000000001")]
    #[case::zero(DataRef::Float(0.0), "0")]
    #[case::fraction(DataRef::Float(1.1), "1.1")]
    #[case::sum_of_fractions(DataRef::Float(0.1 + 0.2), "0.3")]
    #[case::rounded(DataRef::Float(500_101_199_001_011_000.0), "5.00101199001011E+17")]
    #[case::whole(DataRef::Int(12), "12")]
    #[case::yes(DataRef::Bool(true), "true")]
    #[case::day(day(46_353.0), "2026-11-27")]
    #[case::minute(day(46_353.354_166_666_664), "2026-11-27 08:30:00")]
    #[case::hour(day(0.354_166_666_666), "8:30:00")]
    #[case::error(DataRef::Error(CellErrorType::NA), "#N/A")]
    #[case::nothing(DataRef::Empty, "")]
    fn a_cell_is_the_text_that_it_shows(#[case] value: DataRef<'static>, #[case] expected: &str) {
        assert_eq!(text(value, false), expected);
    }

    #[test]
    fn a_number_that_was_rounded_is_known_as_such() {
        assert!(list::is_rounded(&text(DataRef::Float(500_101_199_001_011_000.0), false)));
        assert!(list::is_rounded(&text(DataRef::Float(1e17), false)));
    }

    #[test]
    fn a_number_among_times_is_a_day() {
        assert_eq!(time(&DataRef::Float(46_353.354_166_666_664), false).as_deref(), Some("2026-11-27 08:30:00"));
        assert_eq!(time(&DataRef::Float(20_261_127.0), false), None);
    }
}
