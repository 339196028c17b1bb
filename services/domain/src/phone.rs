//! Mobile numbers of the Chinese mainland, as a person types them and as a provider wants them.
//!
//! A number is personal data: it shows itself masked in logs and errors, has no `Display` and no JSON form to write, and
//! leaves only through [`PhoneNumber::e164`] and [`PhoneNumber::national`].

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer};

use crate::digits::{ascii_digit, is_separator, visible};
use crate::text_form;

/// A mobile number of the mainland.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PhoneNumber(u64);

/// The text is no mobile number. It is not repeated: it may be somebody's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a mobile number has 11 digits and begins with 13 to 19; +86 or 0086 may stand before it")]
pub struct PhoneNumberError;

impl PhoneNumber {
    /// Whether eleven digits are a mobile number: the first is 1, the second 3 to 9.
    pub(crate) fn is_national(digits: &str) -> bool {
        let bytes = digits.as_bytes();
        bytes.len() == 11 && bytes[0] == b'1' && (b'3'..=b'9').contains(&bytes[1])
    }

    /// With the country's code, as ITU-T E.164 writes it: `+8613800005678`.
    #[must_use]
    pub fn e164(self) -> String {
        format!("+86{}", self.0)
    }

    /// As it is dialled within the country: `13800005678`.
    #[must_use]
    pub fn national(self) -> String {
        self.0.to_string()
    }

    /// As staff may see it (CQ14): `138****5678`.
    #[must_use]
    pub fn masked(self) -> String {
        format!("{:03}****{:04}", self.0 / 100_000_000, self.0 % 10_000)
    }
}

impl FromStr for PhoneNumber {
    type Err = PhoneNumberError;

    fn from_str(text: &str) -> Result<Self, PhoneNumberError> {
        let text = visible(text);
        let (text, international) = match text.strip_prefix(['+', '＋']) {
            Some(rest) => (rest, true),
            None => (&*text, false),
        };
        let mut digits = String::new();
        for sign in text.chars().filter(|sign| !is_separator(*sign)) {
            digits.push(ascii_digit(sign).ok_or(PhoneNumberError)?);
        }
        let national = if international {
            digits.strip_prefix("86").ok_or(PhoneNumberError)?
        } else {
            let shorter = digits.strip_prefix("0086").or_else(|| digits.strip_prefix("86"));
            shorter.unwrap_or(&digits)
        };
        if Self::is_national(national) { national.parse().map(Self).map_err(|_| PhoneNumberError) } else { Err(PhoneNumberError) }
    }
}

impl fmt::Debug for PhoneNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PhoneNumber({})", self.masked())
    }
}

impl<'de> Deserialize<'de> for PhoneNumber {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        text_form::from_text(deserializer)
    }
}

text_form::text_schema!(PhoneNumber, "A mobile number of the mainland, with or without +86", "+8613800005678");

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::plain("13800005678")]
    #[case::spaced("138 0000 5678")]
    #[case::dashed("138-0000-5678")]
    #[case::country_code("+8613800005678")]
    #[case::country_code_apart("+86 138 0000 5678")]
    #[case::country_code_without_plus("8613800005678")]
    #[case::international_access("0086-138-0000-5678")]
    #[case::full_width("１３８０００0５６７８")]
    #[case::padded("  13800005678\t")]
    #[case::direction_override("\u{202d}13800005678\u{202c}")]
    #[case::direction_mark("\u{200e}+86 138 0000 5678")]
    #[case::byte_order_mark("\u{feff}13800005678")]
    #[case::isolated("\u{2068}13800005678\u{2069}")]
    #[case::joined_within("138\u{200b}0000\u{2060}5678")]
    fn is_read_however_it_was_typed(#[case] typed: &str) {
        let number: PhoneNumber = typed.parse().unwrap();
        assert_eq!((number.e164().as_str(), number.national().as_str()), ("+8613800005678", "13800005678"));
    }

    #[rstest]
    #[case::empty("")]
    #[case::too_short("1380000567")]
    #[case::too_long("138000056789")]
    #[case::no_mobile_prefix("12800005678")]
    #[case::landline("023-63840000")]
    #[case::other_country("+85213800005678")]
    #[case::plus_without_country("+13800005678")]
    #[case::letters("1380000567a")]
    #[case::two_numbers("13800005678 13800005679")]
    fn is_refused_if_it_is_something_else(#[case] typed: &str) {
        assert_eq!(typed.parse::<PhoneNumber>(), Err(PhoneNumberError));
    }

    #[test]
    fn shows_itself_masked() {
        let number: PhoneNumber = "13900000042".parse().unwrap();
        assert_eq!(number.masked(), "139****0042");
        assert_eq!(format!("{number:?}"), "PhoneNumber(139****0042)");
    }

    proptest! {
        #[test]
        fn every_mobile_number_survives_its_own_writing(national in 13_000_000_000_u64..=19_999_999_999) {
            let number: PhoneNumber = national.to_string().parse().unwrap();
            prop_assert_eq!(number.e164().parse(), Ok(number));
            prop_assert_eq!(number.national(), national.to_string());
        }

        #[test]
        fn no_text_makes_the_parser_panic(text in "\\PC*") {
            let _ = text.parse::<PhoneNumber>();
        }
    }
}
