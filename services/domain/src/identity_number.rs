//! Resident identity numbers (GB 11643-1999): region, date of birth, sequence, check character.
//!
//! The platform never stores one, only its keyed hash; this type exists so that a mistyped number is refused before it is
//! hashed, where nobody could see the mistake any more.

use std::fmt;
use std::str::FromStr;

use chrono::NaiveDate;
use serde::{Deserialize, Deserializer};

use crate::digits::{ascii_digit, visible};
use crate::text_form;

const LENGTH: usize = 18;

/// An identity number whose check character is right.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct IdentityNumber([u8; LENGTH]);

/// The text is no identity number. It is not repeated: it may be nearly somebody's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum IdentityNumberError {
    /// Not 17 digits and a digit or X.
    #[error("an identity number has 17 digits and a digit or X")]
    Form,
    /// It begins with no province or carries no date of birth.
    #[error("an identity number begins with a region and a date of birth; these are none")]
    RegionOrBirth,
    /// The last character does not fit the others.
    #[error("the check character of the identity number is wrong: look for a typing error")]
    Check,
}

impl IdentityNumber {
    /// The number as it is written. For hashing; not for storing or showing.
    #[must_use]
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).expect("only ASCII digits and X are ever put in")
    }

    /// The year in which its bearer was born.
    #[must_use]
    pub fn year_of_birth(&self) -> u16 {
        // four of the digits that were checked
        self.0[6..10].iter().fold(0, |year, digit| year * 10 + u16::from(digit - b'0'))
    }

    /// Whether the last of eighteen characters is the check character of those before it.
    pub(crate) fn has_its_check_character(number: &[u8]) -> bool {
        number.split_at_checked(LENGTH - 1).is_some_and(|(digits, check)| check == [check_character(digits)])
    }

    /// As staff may see it (CQ14): the province and nothing else.
    #[must_use]
    pub fn masked(&self) -> String {
        format!("{}****************", &self.as_str()[..2])
    }
}

/// The first two digits of the regions of GB/T 2260 that have issued numbers.
pub(crate) fn is_province(digits: &str) -> bool {
    matches!(digits.parse(), Ok(11..=15 | 21..=23 | 31..=37 | 41..=46 | 50..=54 | 61..=65 | 71 | 81..=83 | 91))
}

/// Whether eight digits are a day on which the bearer of a number can be born.
pub(crate) fn is_birthday(digits: &str) -> bool {
    ["18", "19", "20"].iter().any(|century| digits.starts_with(century)) && NaiveDate::parse_from_str(digits, "%Y%m%d").is_ok()
}

/// The check character of the first seventeen digits (ISO 7064, MOD 11-2).
fn check_character(digits: &[u8]) -> u8 {
    const WEIGHTS: [u32; LENGTH - 1] = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
    let sum: u32 = digits.iter().zip(WEIGHTS).map(|(digit, weight)| u32::from(digit - b'0') * weight).sum();
    b"10X98765432"[(sum % 11) as usize]
}

impl FromStr for IdentityNumber {
    type Err = IdentityNumberError;

    fn from_str(text: &str) -> Result<Self, IdentityNumberError> {
        let mut number = [0; LENGTH];
        let text = visible(text);
        let mut signs = text.chars();
        for place in &mut number[..LENGTH - 1] {
            *place = signs.next().and_then(ascii_digit).ok_or(IdentityNumberError::Form)? as u8;
        }
        number[LENGTH - 1] = match signs.next() {
            Some('x' | 'X' | 'Ｘ' | 'ｘ') => b'X',
            other => other.and_then(ascii_digit).ok_or(IdentityNumberError::Form)? as u8,
        };
        if signs.next().is_some() {
            return Err(IdentityNumberError::Form);
        }
        let number = Self(number);
        if !is_province(&number.as_str()[..2]) || !is_birthday(&number.as_str()[6..14]) {
            return Err(IdentityNumberError::RegionOrBirth);
        }
        let (digits, check) = number.0.split_at(LENGTH - 1);
        if check == [check_character(digits)] { Ok(number) } else { Err(IdentityNumberError::Check) }
    }
}

impl fmt::Debug for IdentityNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "IdentityNumber({})", self.masked())
    }
}

impl<'de> Deserialize<'de> for IdentityNumber {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        text_form::from_text(deserializer)
    }
}

text_form::text_schema!(IdentityNumber, "A resident identity number (GB 11643-1999); kept as a keyed hash only", "11010519491231002X");

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    /// The two examples that GB 11643-1999 itself prints.
    #[rstest]
    #[case("11010519491231002X", "11010519491231002X")]
    #[case("440524188001010014", "440524188001010014")]
    #[case::small_x(" 11010519491231002x ", "11010519491231002X")]
    #[case::direction_marks("\u{202d}11010519491231002X\u{202c}", "11010519491231002X")]
    #[case::full_width("１１０１０５１９４９１２３１００２Ｘ", "11010519491231002X")]
    fn the_standards_examples_are_read(#[case] typed: &str, #[case] number: &str) {
        assert_eq!(typed.parse::<IdentityNumber>().unwrap().as_str(), number);
    }

    #[rstest]
    #[case::empty("", IdentityNumberError::Form)]
    #[case::too_short("11010519491231002", IdentityNumberError::Form)]
    #[case::too_long("11010519491231002X1", IdentityNumberError::Form)]
    #[case::x_in_the_middle("1101051949123X002X", IdentityNumberError::Form)]
    #[case::no_such_province("99010519491231002X", IdentityNumberError::RegionOrBirth)]
    #[case::no_such_day("110105194902310029", IdentityNumberError::RegionOrBirth)]
    #[case::wrong_check("110105194912310021", IdentityNumberError::Check)]
    fn a_mistyped_number_is_refused(#[case] typed: &str, #[case] why: IdentityNumberError) {
        assert_eq!(typed.parse::<IdentityNumber>(), Err(why));
    }

    #[test]
    fn tells_the_year_of_birth() {
        let number: IdentityNumber = "11010519491231002X".parse().unwrap();
        assert_eq!(number.year_of_birth(), 1949);
    }

    #[test]
    fn shows_nothing_but_the_province() {
        let number: IdentityNumber = "11010519491231002X".parse().unwrap();
        assert_eq!(format!("{number:?}"), "IdentityNumber(11****************)");
    }

    proptest! {
        /// What the check character is for: one wrong digit never passes.
        #[test]
        fn one_wrong_digit_is_always_noticed(place in 0_usize..17, shift in 1_u8..10) {
            let mut digits = *b"11010519491231002X";
            digits[place] = b'0' + (digits[place] - b'0' + shift) % 10;
            let mistyped = std::str::from_utf8(&digits).unwrap();
            prop_assert!(mistyped.parse::<IdentityNumber>().is_err());
        }

        #[test]
        fn no_text_makes_the_parser_panic(text in "\\PC*") {
            let _ = text.parse::<IdentityNumber>();
        }
    }
}
