//! Times as people and spreadsheets write them: every form that can be read in one way only.
//!
//! `2026-11-27 08:30`, `2026/11/27 8:30:00`, `2026.11.27`, `2026年11月27日8时30分`, `20261127`, `2026-11-27T08:30+08:00`. The year has four
//! digits and stands first. What could be read in two ways is refused with its own reason: `11/2/26` is a day in November to one and in
//! February to another, and of `26/11/02` not even the century is sure.

use chrono::{DateTime, FixedOffset, NaiveDate, NaiveDateTime, NaiveTime, TimeZone as _, Timelike as _, Utc};

use crate::digits::{ascii_digit, is_invisible};

/// A time that was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WrittenTime {
    /// With its offset, so that it is one moment everywhere.
    Moment(DateTime<Utc>),
    /// By the clocks of the place where it was written. A day without an hour begins at midnight.
    Local(NaiveDateTime),
}

/// Why a text is no time. Never repeats it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WrittenTimeError {
    /// The year has two digits.
    #[error("the year has two digits")]
    TwoDigitYear,
    /// The year stands last, so nobody knows whether the day or the month stands first.
    #[error("day and month may stand either way round")]
    YearLast,
    /// The number by which a spreadsheet counts its days.
    #[error("it is the number of a day in a spreadsheet")]
    Serial,
    /// There is no such day or hour.
    #[error("there is no such day or hour")]
    NoSuchTime,
    /// Something else.
    #[error("it does not have the form of a time")]
    Form,
}

type Read<T> = Result<T, WrittenTimeError>;

/// Reads a time.
///
/// # Errors
/// When it is none, or could be read in two ways.
pub fn read(text: &str) -> Read<WrittenTime> {
    // what programs write is read without a copy
    if text.as_bytes().get(10) == Some(&b'T')
        && let Ok(moment) = DateTime::parse_from_rfc3339(text)
    {
        return Ok(WrittenTime::Moment(moment.to_utc()));
    }
    let text = plain(text);
    let mut reader = Reader { rest: text.trim() };
    let (date, time) = reader.date()?;
    let time = match time {
        Some(time) => time,
        None => reader.time()?,
    };
    let offset = reader.offset()?;
    if !reader.rest.is_empty() {
        return Err(WrittenTimeError::Form);
    }
    let local = date.and_time(time);
    match offset {
        None => Ok(WrittenTime::Local(local)),
        Some(offset) => {
            let moment = offset.from_local_datetime(&local).single().ok_or(WrittenTimeError::NoSuchTime)?;
            Ok(WrittenTime::Moment(moment.to_utc()))
        }
    }
}

/// The text in half-width signs, without those that nobody sees.
fn plain(text: &str) -> String {
    text.chars()
        .filter(|sign| !is_invisible(*sign))
        .map(|sign| match sign {
            '：' => ':',
            '／' => '/',
            '－' | '‐' | '‑' | '–' => '-',
            '．' => '.',
            '＋' => '+',
            '\u{a0}' | '\u{3000}' | '\u{202f}' => ' ',
            sign => ascii_digit(sign).unwrap_or(sign),
        })
        .collect()
}

/// Some digits, and how many they were.
#[derive(Clone, Copy)]
struct Number {
    value: u64,
    digits: usize,
}

impl Number {
    /// The number, if it is written with one or two digits.
    fn short(self) -> Read<u32> {
        // two digits fit
        if self.digits <= 2 { Ok(self.value as u32) } else { Err(WrittenTimeError::Form) }
    }
}

struct Reader<'t> {
    rest: &'t str,
}

impl Reader<'_> {
    fn number(&mut self) -> Option<Number> {
        /// More digits than any part of a time has.
        const LONGEST: usize = 14;
        let digits = self.rest.bytes().take_while(u8::is_ascii_digit).count();
        let (number, rest) = self.rest.split_at(digits);
        if digits == 0 || digits > LONGEST {
            return None;
        }
        self.rest = rest;
        number.parse().ok().map(|value| Number { value, digits })
    }

    fn skip(&mut self, sign: char) -> bool {
        self.one_of(&[sign]).is_some()
    }

    fn one_of(&mut self, signs: &[char]) -> Option<char> {
        let sign = self.rest.chars().next().filter(|sign| signs.contains(sign))?;
        self.rest = &self.rest[sign.len_utf8()..];
        Some(sign)
    }

    fn blanks(&mut self) {
        self.rest = self.rest.trim_start_matches(' ');
    }

    /// The day, with the hour where both are one number.
    fn date(&mut self) -> Read<(NaiveDate, Option<NaiveTime>)> {
        let first = self.number().ok_or(WrittenTimeError::Form)?;
        if self.rest.trim_start_matches(' ').starts_with('年') {
            self.blanks();
        }
        let Some(sign) = self.one_of(&['-', '/', '.', '年']) else { return self.one_number(first) };
        self.blanks();
        if sign == '.' && first.digits == 5 {
            return Err(WrittenTimeError::Serial);
        }
        let month = self.number().ok_or(WrittenTimeError::Form)?;
        self.blanks();
        if !self.skip(if sign == '年' { '月' } else { sign }) {
            return Err(WrittenTimeError::Form);
        }
        self.blanks();
        let day = self.number().ok_or(WrittenTimeError::Form)?;
        if sign == '年' {
            self.blanks();
            self.one_of(&['日', '号']).ok_or(WrittenTimeError::Form)?;
        }
        match (first.digits, day.digits) {
            (4, 1 | 2) => Ok((date(first.value, month.short()?, day.short()?)?, None)),
            (1 | 2, 4) => Err(WrittenTimeError::YearLast),
            (1 | 2, 1 | 2) => Err(WrittenTimeError::TwoDigitYear),
            _ => Err(WrittenTimeError::Form),
        }
    }

    /// `20261127`, `202611270830`, `20261127083000`.
    fn one_number(&mut self, number: Number) -> Read<(NaiveDate, Option<NaiveTime>)> {
        let (day, clock) = match number.digits {
            8 => (number.value, None),
            12 => (number.value / 10_000, Some(number.value % 10_000 * 100)),
            14 => (number.value / 1_000_000, Some(number.value % 1_000_000)),
            6 => return Err(WrittenTimeError::TwoDigitYear),
            5 => return Err(WrittenTimeError::Serial),
            _ => return Err(WrittenTimeError::Form),
        };
        // each part has two digits
        let part = |number: u64, below: u64| (number / below % 100) as u32;
        let time = clock.map(|clock| time(part(clock, 10_000), part(clock, 100), part(clock, 1))).transpose()?;
        Ok((date(day / 10_000, part(day, 100), part(day, 1))?, time))
    }

    /// The hour; midnight if there is none.
    fn time(&mut self) -> Read<NaiveTime> {
        self.blanks();
        self.one_of(&['T', 't']);
        let half = self.half_of_day();
        let Some(hour) = self.number() else {
            return if half.is_none() { Ok(NaiveTime::MIN) } else { Err(WrittenTimeError::Form) };
        };
        let hour = hour.short()?;
        let (mut minute, mut second, mut nanosecond) = (0, 0, 0);
        match self.one_of(&[':', '时', '点']) {
            Some(':') => {
                minute = self.number().ok_or(WrittenTimeError::Form)?.short()?;
                if self.skip(':') {
                    second = self.number().ok_or(WrittenTimeError::Form)?.short()?;
                    if self.one_of(&['.', ',']).is_some() {
                        nanosecond = self.fraction()?;
                    }
                }
            }
            Some(_) => {
                if let Some(number) = self.number() {
                    minute = number.short()?;
                    // 8时30 is written too
                    if self.skip('分')
                        && let Some(number) = self.number()
                    {
                        second = number.short()?;
                        self.skip('秒');
                    }
                }
            }
            None => return Err(WrittenTimeError::Form),
        }
        let half = half.or_else(|| self.half_of_day());
        let hour = match half {
            None => hour,
            Some(_) if hour == 0 || hour > 12 => return Err(WrittenTimeError::NoSuchTime),
            Some(Half::Morning) => hour % 12,
            Some(Half::Afternoon) => hour % 12 + 12,
        };
        time(hour, minute, second)?.with_nanosecond(nanosecond).ok_or(WrittenTimeError::NoSuchTime)
    }

    fn fraction(&mut self) -> Read<u32> {
        let Number { value, digits } = self.number().ok_or(WrittenTimeError::Form)?;
        let scale = 9_u32.checked_sub(digits as u32).map(|zeros| 10_u64.pow(zeros)).ok_or(WrittenTimeError::Form)?;
        u32::try_from(value * scale).map_err(|_| WrittenTimeError::Form)
    }

    fn half_of_day(&mut self) -> Option<Half> {
        const WORDS: [(&str, Half); 6] = [
            ("上午", Half::Morning),
            ("下午", Half::Afternoon),
            ("AM", Half::Morning),
            ("PM", Half::Afternoon),
            ("am", Half::Morning),
            ("pm", Half::Afternoon),
        ];
        self.blanks();
        let (word, half) = WORDS.into_iter().find(|(word, _)| self.rest.starts_with(word))?;
        self.rest = &self.rest[word.len()..];
        self.blanks();
        Some(half)
    }

    /// `Z`, `+08:00`, `+0800`, `+08`.
    fn offset(&mut self) -> Read<Option<FixedOffset>> {
        self.blanks();
        let Some(sign) = self.one_of(&['Z', 'z', '+', '-']) else { return Ok(None) };
        let seconds = match sign {
            'Z' | 'z' => 0,
            _ => {
                let hours = self.number().ok_or(WrittenTimeError::Form)?;
                let minutes = match hours.digits {
                    4 => hours.value,
                    2 if self.skip(':') => hours.value * 100 + u64::from(self.number().ok_or(WrittenTimeError::Form)?.short()?),
                    2 => hours.value * 100,
                    _ => return Err(WrittenTimeError::Form),
                };
                // four digits fit
                let seconds = (minutes / 100 * 3_600 + minutes % 100 * 60) as i32;
                if sign == '-' { -seconds } else { seconds }
            }
        };
        FixedOffset::east_opt(seconds).map(Some).ok_or(WrittenTimeError::NoSuchTime)
    }
}

#[derive(Clone, Copy)]
enum Half {
    Morning,
    Afternoon,
}

fn date(year: u64, month: u32, day: u32) -> Read<NaiveDate> {
    let year = i32::try_from(year).map_err(|_| WrittenTimeError::NoSuchTime)?;
    NaiveDate::from_ymd_opt(year, month, day).ok_or(WrittenTimeError::NoSuchTime)
}

fn time(hour: u32, minute: u32, second: u32) -> Read<NaiveTime> {
    NaiveTime::from_hms_opt(hour, minute, second).ok_or(WrittenTimeError::NoSuchTime)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("2026-11-27 08:30", "2026-11-27T08:30:00")]
    #[case("2026-11-27 08:30:15.250", "2026-11-27T08:30:15.250")]
    #[case("2026-11-27T08:30", "2026-11-27T08:30:00")]
    #[case::as_a_spreadsheet_shows_it("2026/11/2 8:05", "2026-11-02T08:05:00")]
    #[case::points("2026.11.27 08:30", "2026-11-27T08:30:00")]
    #[case::chinese("2026年11月27日8时30分", "2026-11-27T08:30:00")]
    #[case::chinese_with_blanks("2026 年 11 月 27 日 8时30分15秒", "2026-11-27T08:30:15")]
    #[case::chinese_to_the_second("2026年11月27日 8时30分15秒", "2026-11-27T08:30:15")]
    #[case::chinese_hour("2026年11月27号8点", "2026-11-27T08:00:00")]
    #[case::chinese_afternoon("2026年11月27日 下午3:05", "2026-11-27T15:05:00")]
    #[case::english_noon("2026/11/27 12:05 PM", "2026-11-27T12:05:00")]
    #[case::day("2026-11-27", "2026-11-27T00:00:00")]
    #[case::one_number("20261127", "2026-11-27T00:00:00")]
    #[case::one_number_to_the_minute("202611270830", "2026-11-27T08:30:00")]
    #[case::one_number_to_the_second("20261127083015", "2026-11-27T08:30:15")]
    #[case::full_width("２０２６－１１－２７　０８：３０", "2026-11-27T08:30:00")]
    #[case::invisible_signs("\u{202d}2026-11-27 08:30\u{202c}", "2026-11-27T08:30:00")]
    fn a_local_time_is_read_however_it_is_written(#[case] text: &str, #[case] time: &str) {
        let expected = time.parse().map(WrittenTime::Local).map_err(|_| WrittenTimeError::Form);
        assert_eq!(read(text), expected);
    }

    #[rstest]
    #[case("2026-11-27T08:30:00+08:00")]
    #[case("2026-11-27T08:30+08:00")]
    #[case("2026-11-27 08:30 +0800")]
    #[case("2026-11-27T00:30Z")]
    #[case("2026-11-26T19:30:00-05")]
    #[case("2026年11月27日8时30分+08:00")]
    fn an_offset_makes_it_one_moment(#[case] text: &str) {
        assert_eq!(read(text), Ok(WrittenTime::Moment("2026-11-27T00:30:00Z".parse().unwrap())));
    }

    #[rstest]
    #[case("11/2/26", WrittenTimeError::TwoDigitYear)]
    #[case("11/2/26 8:30", WrittenTimeError::TwoDigitYear)]
    #[case("26/11/02 08:30", WrittenTimeError::TwoDigitYear)]
    #[case("26年11月2日", WrittenTimeError::TwoDigitYear)]
    #[case("261127", WrittenTimeError::TwoDigitYear)]
    #[case("11/02/2026", WrittenTimeError::YearLast)]
    #[case("27.11.2026 08:30", WrittenTimeError::YearLast)]
    #[case("46353", WrittenTimeError::Serial)]
    #[case("46353.3541666667", WrittenTimeError::Serial)]
    #[case("2026-02-30", WrittenTimeError::NoSuchTime)]
    #[case("2026-11-27 24:00", WrittenTimeError::NoSuchTime)]
    #[case("2026-11-27 13:00 PM", WrittenTimeError::NoSuchTime)]
    #[case("20261327", WrittenTimeError::NoSuchTime)]
    #[case("", WrittenTimeError::Form)]
    #[case("yesterday", WrittenTimeError::Form)]
    #[case("2026-11", WrittenTimeError::Form)]
    #[case("2026-11/27", WrittenTimeError::Form)]
    #[case("2026-11-27 8", WrittenTimeError::Form)]
    #[case("2026-11-27 08:30 h", WrittenTimeError::Form)]
    #[case("026-11-27", WrittenTimeError::Form)]
    #[case("2026-11-027", WrittenTimeError::Form)]
    #[case("1790000000", WrittenTimeError::Form)]
    fn what_could_be_read_in_two_ways_is_refused_with_its_reason(#[case] text: &str, #[case] error: WrittenTimeError) {
        assert_eq!(read(text), Err(error));
    }

    proptest! {
        #[test]
        fn no_text_makes_the_reader_panic(text in "\\PC*") {
            let _ = read(&text);
        }

        #[test]
        fn nothing_near_a_time_makes_the_reader_panic(text in "[0-9]{1,15}[-/.年 ]?[0-9]{0,5}[-/.月]?[0-9]{0,5}[日T ]?(上午|PM)?[0-9]{0,3}[:时]?[0-9]{0,3}[:分.]?[0-9]{0,12}[Z+-]?[0-9:]{0,6}") {
            let _ = read(&text);
        }

        #[test]
        fn every_minute_is_read_back_in_every_form(minutes in 0_i64..100_000_000) {
            let time = NaiveDate::from_ymd_opt(1900, 1, 1).unwrap().and_time(NaiveTime::MIN) + chrono::TimeDelta::minutes(minutes);
            for form in ["%Y-%m-%d %H:%M", "%Y/%-m/%-d %-H:%M", "%Y.%m.%d %H:%M:%S", "%Y年%-m月%-d日%-H时%M分", "%Y%m%d%H%M", "%Y-%m-%dT%H:%M:%S%.3f"] {
                prop_assert_eq!(read(&time.format(form).to_string()), Ok(WrittenTime::Local(time)), "{}", form);
            }
            let moment = time.and_utc();
            prop_assert_eq!(read(&moment.to_rfc3339()), Ok(WrittenTime::Moment(moment)));
        }
    }
}
