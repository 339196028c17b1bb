//! How a case is called: `261128-4071-3392-1`.
//!
//! The date, eight digits, a check digit. The eight digits are a daily sequence run through a keyed permutation, so neither how many cases there were
//! today nor the number of the next can be guessed. The check digit (H. M. Damm, 2004) finds every single wrong digit and every swap of neighbours,
//! which is how dictated numbers go wrong. The number alone opens nothing: a PIN is told with it.

use std::fmt;
use std::str::FromStr;

use chrono::{Datelike, NaiveDate};

use crate::digits::{ascii_digit, is_separator};

/// Numbers of one day.
const A_DAY: u32 = 100_000_000;
/// Half of the digits of a sequence number.
const HALF: u32 = 10_000;
/// Rounds of the permutation; four are enough for a random function in each, ten is what NIST's decimal ciphers have.
const ROUNDS: u8 = 10;

/// A totally anti-symmetric quasigroup of order ten: what makes the check digit find swaps.
const DAMM: [[u8; 10]; 10] = [
    [0, 3, 1, 7, 5, 9, 8, 6, 4, 2],
    [7, 0, 9, 2, 1, 5, 4, 8, 6, 3],
    [4, 2, 0, 6, 8, 7, 1, 3, 5, 9],
    [1, 7, 5, 0, 9, 8, 3, 4, 2, 6],
    [6, 1, 2, 3, 0, 4, 5, 9, 7, 8],
    [3, 6, 7, 4, 2, 0, 9, 5, 8, 1],
    [5, 8, 6, 9, 7, 2, 0, 1, 3, 4],
    [8, 9, 4, 5, 3, 6, 2, 0, 1, 7],
    [9, 4, 3, 8, 6, 1, 7, 2, 0, 5],
    [2, 5, 8, 1, 4, 3, 6, 7, 9, 0],
];

/// A case's number: fifteen digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CaseNumber(u64);

/// The text is no number of a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NumberError {
    /// Something else than fifteen digits and what people put between them.
    #[error("编号是 15 位数字，例如 261128-4071-3392-1")]
    Signs,
    /// The check digit does not fit: at least one digit is wrong.
    #[error("编号中有一位数字不对，请逐组核对")]
    Check,
    /// What should be the date is none.
    #[error("编号前六位不是日期，请核对")]
    Date,
}

impl NumberError {
    /// The same in English.
    #[must_use]
    pub const fn english(self) -> &'static str {
        match self {
            Self::Signs => "A case's number has 15 digits, such as 261128-4071-3392-1.",
            Self::Check => "One digit of the number is wrong: compare it group by group.",
            Self::Date => "The first six digits of the number are no date: compare them.",
        }
    }
}

impl CaseNumber {
    /// The number of the `sequence`-th case of a day, from 0; sequences repeat after a hundred million. `keyed` is a pseudo-random function under a key
    /// that nobody outside knows.
    #[must_use]
    pub fn of(day: NaiveDate, sequence: u32, keyed: impl Fn(&[u8]) -> [u8; 32]) -> Self {
        let date = u64::from(day.year().rem_euclid(100).unsigned_abs() * 10_000 + day.month() * 100 + day.day());
        let eight = permuted(date, sequence % A_DAY, keyed);
        let unchecked = date * u64::from(A_DAY) + u64::from(eight);
        Self(unchecked * 10 + u64::from(damm(unchecked, 14)))
    }

    /// The plain number, for instance for a table.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }
}

impl TryFrom<u64> for CaseNumber {
    type Error = NumberError;

    fn try_from(number: u64) -> Result<Self, NumberError> {
        if number >= 1_000_000_000_000_000 {
            return Err(NumberError::Signs);
        }
        if damm(number, 15) != 0 {
            return Err(NumberError::Check);
        }
        let date = u32::try_from(number / 1_000_000_000).map_err(|_| NumberError::Date)?;
        let day = NaiveDate::from_ymd_opt(2000 + (date / 10_000).cast_signed(), date / 100 % 100, date % 100);
        day.map(|_| Self(number)).ok_or(NumberError::Date)
    }
}

/// A permutation of the numbers below 10^8: a Feistel network over two halves of four digits, each day another.
fn permuted(date: u64, sequence: u32, keyed: impl Fn(&[u8]) -> [u8; 32]) -> u32 {
    let (mut left, mut right) = (sequence / HALF, sequence % HALF);
    for round in 0..ROUNDS {
        let asked = [&date.to_be_bytes()[..], &[round], &right.to_be_bytes()].concat();
        let answer = keyed(&asked);
        let random = u64::from_be_bytes([answer[0], answer[1], answer[2], answer[3], answer[4], answer[5], answer[6], answer[7]]);
        let added = u32::try_from(random % u64::from(HALF)).unwrap_or_default();
        (left, right) = (right, (left + added) % HALF);
    }
    left * HALF + right
}

/// The check digit of the last `digits` digits; zero where it stands at their end and fits.
fn damm(number: u64, digits: u32) -> u8 {
    (0..digits).rev().fold(0, |interim, place| DAMM[usize::from(interim)][(number / 10_u64.pow(place) % 10) as usize])
}

impl fmt::Display for CaseNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = format!("{:015}", self.0);
        write!(f, "{}-{}-{}-{}", &text[..6], &text[6..10], &text[10..14], &text[14..])
    }
}

impl FromStr for CaseNumber {
    type Err = NumberError;

    /// Reads a number as people write and dictate it: in groups or not, in digits of a Chinese keyboard, in spoken digits (幺 is one).
    fn from_str(text: &str) -> Result<Self, NumberError> {
        let mut number = 0_u64;
        let mut digits = 0;
        for sign in text.chars().filter(|sign| !is_separator(*sign) && !matches!(sign, '—' | '_' | '，' | ',')) {
            let digit = digit(sign).ok_or(NumberError::Signs)?;
            digits += 1;
            if digits > 15 {
                return Err(NumberError::Signs);
            }
            number = number * 10 + u64::from(digit);
        }
        if digits == 15 { Self::try_from(number) } else { Err(NumberError::Signs) }
    }
}

fn digit(sign: char) -> Option<u32> {
    const SPOKEN: [&str; 10] = ["零〇○", "一幺", "二两", "三", "四", "五", "六", "七", "八", "九"];
    let spoken = || (0..).zip(SPOKEN).find(|(_, signs)| signs.contains(sign)).map(|(digit, _)| digit);
    ascii_digit(sign).and_then(|digit| digit.to_digit(10)).or_else(spoken)
}

crate::text_form::text_form!(CaseNumber, "the number of a case: date, eight digits, check digit", "261128-4071-3392-1");

/// What is told with a number, and opens the case's state: six digits. It is kept hashed alone, and never prints.
#[derive(Clone, PartialEq, Eq)]
pub struct Pin(String);

/// The text is no PIN. It is not repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("查询码是 6 位数字")]
pub struct PinError;

impl Pin {
    /// A PIN from random bits.
    #[must_use]
    pub fn from_random(random: u64) -> Self {
        Self(format!("{:06}", random % 1_000_000))
    }

    /// Its digits, to be told once or hashed.
    #[must_use]
    pub fn digits(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Pin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pin(······)")
    }
}

impl FromStr for Pin {
    type Err = PinError;

    fn from_str(text: &str) -> Result<Self, PinError> {
        let digits: Option<String> = text
            .chars()
            .filter(|sign| !is_separator(*sign))
            .map(|sign| digit(sign).and_then(|digit| char::from_digit(digit, 10)))
            .collect();
        digits.filter(|digits| digits.len() == 6).map(Self).ok_or(PinError)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    /// A keyed function good enough for a test: FNV with a key, spread over 32 bytes.
    fn keyed(key: u64) -> impl Fn(&[u8]) -> [u8; 32] {
        move |asked| {
            let hash =
                asked.iter().fold(key ^ 0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3));
            let mixed = (hash ^ (hash >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9).to_be_bytes();
            std::array::from_fn(|at| mixed[at % 8])
        }
    }

    fn number(sequence: u32) -> CaseNumber {
        CaseNumber::of("2026-11-28".parse().unwrap(), sequence, keyed(7))
    }

    #[test]
    fn a_number_is_its_date_eight_digits_and_a_check_digit() {
        let text = number(0).to_string();
        assert!(text.starts_with("261128-"), "{text}");
        assert_eq!((text.len(), text.matches('-').count()), (18, 3));
        assert_eq!(text.parse(), Ok(number(0)));
    }

    #[test]
    fn the_numbers_of_a_block_are_all_different_and_tell_nothing_of_their_order() {
        let numbers: Vec<u64> = (0..10_000).map(|sequence| number(sequence).get()).collect();
        assert_eq!(numbers.iter().collect::<BTreeSet<_>>().len(), 10_000);
        let ascents = numbers.windows(2).filter(|pair| pair[0] < pair[1]).count();
        assert!((4_500..5_500).contains(&ascents), "{ascents} of 9,999 are larger than the one before");
    }

    #[test]
    fn a_number_is_read_as_people_write_and_say_it() {
        let written = number(42);
        let plain = format!("{:015}", written.get());
        let full_width: String = plain.chars().map(|digit| char::from_u32(digit as u32 - '0' as u32 + '０' as u32).unwrap()).collect();
        let spoken: String = plain
            .chars()
            .map(|digit| ['零', '幺', '二', '三', '四', '五', '六', '七', '八', '九'][digit.to_digit(10).unwrap() as usize])
            .collect();
        let spaced: String = plain.chars().flat_map(|digit| [digit, ' ']).collect();
        for text in [written.to_string(), plain, full_width, spoken, spaced, format!("  {written}\u{200b}")] {
            assert_eq!(text.parse(), Ok(written), "{text}");
        }
    }

    #[rstest]
    #[case::nothing("", NumberError::Signs)]
    #[case::letters("261128-4071-3392-X", NumberError::Signs)]
    #[case::a_digit_short("261128-4071-339-6", NumberError::Signs)]
    #[case::a_digit_long("261128-4071-3392-16", NumberError::Signs)]
    #[case::no_date("000000-0000-0000-0", NumberError::Date)]
    fn what_is_no_number_is_refused(#[case] text: &str, #[case] error: NumberError) {
        assert_eq!(text.parse::<CaseNumber>(), Err(error));
    }

    #[rstest]
    #[case("123456", true)]
    #[case("１２３ ４５６", true)]
    #[case("12345", false)]
    #[case("12345a", false)]
    fn a_pin_is_six_digits(#[case] text: &str, #[case] good: bool) {
        assert_eq!(text.parse::<Pin>().is_ok(), good);
        assert!(!format!("{:?}", text.parse::<Pin>()).contains("123"), "it never prints");
    }

    proptest! {
        #[test]
        fn every_number_is_read_back(sequence in 0..A_DAY, key: u64, days in 0..30_000i64) {
            let day = NaiveDate::from_ymd_opt(2004, 1, 1).unwrap() + chrono::TimeDelta::days(days);
            let number = CaseNumber::of(day, sequence, keyed(key));
            prop_assert_eq!(number.to_string().parse(), Ok(number));
            prop_assert_eq!(CaseNumber::try_from(number.get()), Ok(number));
        }

        #[test]
        fn two_cases_of_a_day_never_share_a_number(one in 0..A_DAY, other in 0..A_DAY, key: u64) {
            let day = "2026-11-28".parse().unwrap();
            let same = CaseNumber::of(day, one, keyed(key)) == CaseNumber::of(day, other, keyed(key));
            prop_assert_eq!(same, one == other);
        }

        #[test]
        fn every_wrong_digit_is_found(sequence in 0..A_DAY, place in 0..15usize, by in 1..10u8) {
            let mut digits = format!("{:015}", number(sequence).get()).into_bytes();
            digits[place] = b'0' + (digits[place] - b'0' + by) % 10;
            prop_assert_eq!(String::from_utf8(digits).unwrap().parse::<CaseNumber>(), Err(NumberError::Check));
        }

        #[test]
        fn every_swap_of_neighbours_is_found(sequence in 0..A_DAY, place in 0..14usize) {
            let mut digits = format!("{:015}", number(sequence).get()).into_bytes();
            prop_assume!(digits[place] != digits[place + 1]);
            digits.swap(place, place + 1);
            prop_assert_eq!(String::from_utf8(digits).unwrap().parse::<CaseNumber>(), Err(NumberError::Check));
        }

        #[test]
        fn no_text_breaks_the_reader(text in "\\PC{0,40}") {
            let _ = text.parse::<CaseNumber>();
            let _ = text.parse::<Pin>();
        }
    }
}
