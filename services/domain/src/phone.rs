//! Mobile numbers (ITU-T E.164), as a person types them and as a provider wants them.
//!
//! Who lives in the city may have a phone of another place. A number without a country's code is one of the mainland or none: eight digits
//! are never guessed to be of Hong Kong, unless it is said beside them ([`PhoneNumber::read`]).
//!
//! A number is personal data: it shows itself masked in logs and errors, has no `Display` and no JSON form to write, and
//! leaves only through [`PhoneNumber::e164`].

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer};

use crate::country::Country;
use crate::digits::{ascii_digit, is_parenthesis, is_separator, visible};
use crate::text_form;

/// What stands before the eleven digits of the mainland.
const MAINLAND: u64 = 8_600_000_000_000;

/// A mobile number: the digits of its country's code and those behind it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PhoneNumber(u64);

/// The text is no mobile number. It is not repeated: it may be somebody's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PhoneNumberError {
    /// Something else than digits and what people put between them.
    #[error("a phone number has digits only, after + and a country's code if it is not of the mainland")]
    Signs,
    /// Digits that are no mobile number of the mainland, and no country's code before them.
    #[error(
        "a mobile number of the mainland has 11 digits and begins with 13 to 19; another one needs + and its country's code, such as +852"
    )]
    Mainland,
    /// No country has a code that these digits begin with.
    #[error("no country or region has this calling code")]
    CallingCode,
    /// The country has no such numbers.
    #[error("{} has no mobile numbers like this: check how many digits it has and the first of them", .0.name_en())]
    Impossible(Country),
    /// It is a number of the mainland, and one of the country that is said beside it.
    #[error("may be a number of the mainland or of {}: write + and the country's code before it", .0.name_en())]
    Ambiguous(Country),
}

impl PhoneNumberError {
    /// The same in Chinese.
    #[must_use]
    pub fn chinese(self) -> String {
        match self {
            Self::Signs => "电话号码只应有数字；非大陆号码前请写 + 和国际区号".to_owned(),
            Self::Mainland => "不是 11 位大陆手机号码；其他国家和地区的号码前请写 + 和国际区号，如 +852".to_owned(),
            Self::CallingCode => "没有这个国际区号".to_owned(),
            Self::Impossible(country) => format!("不可能是{}的手机号码，请核对位数和首位", country.name()),
            Self::Ambiguous(country) => format!("可能是大陆号码，也可能是{}的号码，请在前面写 + 和国际区号", country.name()),
        }
    }
}

impl PhoneNumber {
    /// Whether eleven digits are a mobile number of the mainland: the first is 1, the second 3 to 9.
    pub(crate) fn is_national(digits: &str) -> bool {
        let bytes = digits.as_bytes();
        bytes.len() == 11 && bytes[0] == b'1' && (b'3'..=b'9').contains(&bytes[1])
    }

    /// Reads a number beside which is said of which country it is. What is written in the number goes before that.
    ///
    /// # Errors
    /// When it is no mobile number of the mainland, of the country that its code names, or of the country said; or when it could be of both.
    pub fn read(text: &str, country: Option<Country>) -> Result<Self, PhoneNumberError> {
        // nearly all are written in one of these two ways
        if let Some(number) = text.strip_prefix("+86").and_then(|national| Self::of_eleven(national.as_bytes())) {
            return Ok(number);
        }
        if let Some(number) = Self::of_eleven(text.as_bytes()) {
            return match country.filter(|country| *country != Country::mainland()) {
                Some(country) if country.mobile(text).is_some() => Err(PhoneNumberError::Ambiguous(country)),
                _ => Ok(number),
            };
        }
        let Written { digits, international } = Written::of(text)?;
        if international {
            return Self::of_international(&digits);
        }
        if let Some(abroad) = digits.strip_prefix("00") {
            return Self::of_international(abroad);
        }
        let other = country.filter(|country| *country != Country::mainland());
        let of_other = other.and_then(|country| {
            let code = country.calling_code()?;
            let behind = digits.strip_prefix(&code.to_string()).and_then(|number| country.mobile(number));
            Self::joined(code, country.mobile(&digits).or(behind)?)
        });
        let of_the_mainland = Self::of_eleven(digits.strip_prefix("86").unwrap_or(&digits).as_bytes());
        match (of_the_mainland, of_other, other) {
            (Some(_), Some(_), Some(country)) => Err(PhoneNumberError::Ambiguous(country)),
            (Some(number), ..) | (None, Some(number), _) => Ok(number),
            (None, None, Some(country)) => Err(PhoneNumberError::Impossible(country)),
            (None, None, None) => Err(PhoneNumberError::Mainland),
        }
    }

    /// Reads the address that an SMS centre names: the country's code stands before it, and no sign says so; only numbers of the mainland
    /// come without.
    ///
    /// # Errors
    /// When it is no mobile number: services write short messages, too.
    pub fn of_centre(address: &str) -> Result<Self, PhoneNumberError> {
        address.parse().or_else(|error| match Written::of(address)? {
            Written { digits, international: false } => Self::of_international(&digits),
            Written { .. } => Err(error),
        })
    }

    fn of_eleven(digits: &[u8]) -> Option<Self> {
        let digits: &[u8; 11] = digits.try_into().ok()?;
        let is_mobile = digits[0] == b'1' && (b'3'..=b'9').contains(&digits[1]) && digits.iter().all(u8::is_ascii_digit);
        is_mobile.then(|| Self(digits.iter().fold(0, |number, digit| number * 10 + u64::from(digit - b'0')) + MAINLAND))
    }

    fn of_international(digits: &str) -> Result<Self, PhoneNumberError> {
        let (country, number) = Country::of_international(digits).ok_or(PhoneNumberError::CallingCode)?;
        if country == Country::mainland() {
            return Self::of_eleven(number.as_bytes()).ok_or(PhoneNumberError::Mainland);
        }
        let impossible = PhoneNumberError::Impossible(country);
        let code = country.calling_code().ok_or(impossible)?;
        Self::joined(code, country.mobile(number).ok_or(impossible)?).ok_or(impossible)
    }

    /// A number behind its calling code: fifteen digits at most (ITU-T E.164 §6.2.1).
    fn joined(calling_code: u16, number: &str) -> Option<Self> {
        format!("{calling_code}{number}").parse().ok().filter(|joined| *joined < 10_u64.pow(15)).map(Self)
    }

    /// With the country's code, as ITU-T E.164 writes it: `+8613800005678`.
    #[must_use]
    pub fn e164(self) -> String {
        format!("+{}", self.0)
    }

    /// As staff may see it (CQ14): `138****5678`, `+852 ****4567`.
    #[must_use]
    pub fn masked(self) -> String {
        if (MAINLAND..MAINLAND + 100_000_000_000).contains(&self.0) {
            return format!("{:03}****{:04}", self.0 / 100_000_000 % 1000, self.0 % 10_000);
        }
        let digits = self.0.to_string();
        let (code, number) =
            Country::of_international(&digits).map_or(("", digits.as_str()), |(_, number)| digits.split_at(digits.len() - number.len()));
        // of a short number fewer are left, so that never less than four are hidden
        let shown = number.len().saturating_sub(4).min(4);
        format!("+{code} ****{}", &number[number.len() - shown..])
    }
}

/// The digits of a number as somebody wrote it.
struct Written {
    digits: String,
    /// Whether + stands before them.
    international: bool,
}

impl Written {
    fn of(text: &str) -> Result<Self, PhoneNumberError> {
        let mut written = Self { digits: String::new(), international: false };
        for sign in visible(text).chars().filter(|sign| !is_separator(*sign) && !is_parenthesis(*sign)) {
            match (ascii_digit(sign), sign) {
                (Some(digit), _) => written.digits.push(digit),
                (None, '+' | '＋') if written.digits.is_empty() && !written.international => written.international = true,
                _ => return Err(PhoneNumberError::Signs),
            }
        }
        Ok(written)
    }
}

impl FromStr for PhoneNumber {
    type Err = PhoneNumberError;

    fn from_str(text: &str) -> Result<Self, PhoneNumberError> {
        Self::read(text, None)
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

text_form::text_schema!(
    PhoneNumber,
    "A mobile number: of the mainland with or without +86, of another country or region with + or 00 and its code",
    "+8613800005678"
);

#[cfg(test)]
mod tests;
