//! Countries and regions (ISO 3166-1): what they are called, and what mobile numbers there look like.
//!
//! Of a number no more is asked than how many digits it has and which is the first: within that, operators open new ranges every month, and
//! whoever is refused for one of them is not warned.

use std::fmt;
use std::str::FromStr;
use std::sync::LazyLock;

use crate::digits::{is_parenthesis, is_separator, plain};

/// A country or region, by its row in the list.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Country(u8);

/// The text names no country or region, or by a name that is not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("names no country or region: write its name, or its code of two or three letters, such as HK or HKG")]
pub struct CountryError;

impl CountryError {
    /// The same in Chinese.
    #[must_use]
    pub const fn chinese(self) -> &'static str {
        "不是可识别的国家或地区，请填写名称或两位、三位字母代码，如 香港、HK、HKG"
    }
}

struct Row {
    alpha2: &'static str,
    alpha3: &'static str,
    numeric: &'static str,
    /// 0 for a place without telephones of its own.
    calling_code: u16,
    /// Whether the calling code is first of all its own, where several share one.
    main: bool,
    mobiles: Mobiles,
    name: &'static str,
    name_en: &'static str,
}

/// What the mobile numbers of one calling code look like, without that code.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Mobiles {
    /// A bit for every number of digits.
    lengths: u16,
    /// A bit for every digit that may be the first.
    first_digits: u16,
    /// What is dialled before a number within the country.
    trunk_prefix: Option<char>,
}

impl Mobiles {
    fn has(self, number: &str) -> bool {
        let first = number.bytes().next().filter(u8::is_ascii_digit).map(|digit| digit - b'0');
        let fits = |bits: u16, at: usize| bits.checked_shr(u32::try_from(at).unwrap_or(u32::MAX)).is_some_and(|bits| bits & 1 == 1);
        first.is_some_and(|first| fits(self.first_digits, first.into())) && fits(self.lengths, number.len())
    }

    fn or(self, other: Self) -> Self {
        Self {
            lengths: self.lengths | other.lengths,
            first_digits: self.first_digits | other.first_digits,
            trunk_prefix: self.trunk_prefix.or(other.trunk_prefix),
        }
    }
}

struct Countries {
    rows: Vec<Row>,
    /// By calling code: the country that it is first of all, and the mobile numbers of all that share it.
    calling_codes: Vec<Option<(Country, Mobiles)>>,
}

static COUNTRIES: LazyLock<Countries> = LazyLock::new(|| {
    let rows: Vec<Row> = include_str!("../data/countries.csv")
        .lines()
        .skip(1)
        .map(|line| row(&line.split(',').collect::<Vec<_>>()).expect("the list is part of the program and a test reads every row"))
        .collect();
    let mut calling_codes: Vec<Option<(Country, Mobiles)>> = vec![None; 1000];
    for (at, row) in (0..=u8::MAX).zip(&rows).filter(|(_, row)| row.calling_code > 0) {
        let slot = &mut calling_codes[usize::from(row.calling_code)];
        let (country, mobiles) = slot.unwrap_or((Country(at), Mobiles::default()));
        // with which digit one dials abroad from the smaller of them says nothing about the others
        let own = Mobiles { trunk_prefix: row.mobiles.trunk_prefix.filter(|_| row.main), ..row.mobiles };
        *slot = Some((if row.main { Country(at) } else { country }, mobiles.or(own)));
    }
    Countries { rows, calling_codes }
});

fn row(fields: &[&'static str]) -> Option<Row> {
    let [alpha2, alpha3, numeric, calling_code, main, trunk_prefix, lengths, first_digits, name, name_en] = *fields else { return None };
    let mut mobiles = Mobiles { trunk_prefix: trunk_prefix.chars().next(), ..Mobiles::default() };
    for length in lengths.split_ascii_whitespace() {
        mobiles.lengths |= 1_u16.checked_shl(length.parse().ok()?)?;
    }
    for digit in first_digits.chars() {
        mobiles.first_digits |= 1 << digit.to_digit(10)?;
    }
    let calling_code = if calling_code.is_empty() { 0 } else { calling_code.parse().ok()? };
    Some(Row { alpha2, alpha3, numeric, calling_code, main: !main.is_empty(), mobiles, name, name_en })
}

/// Names and codes that lists and passports write beside those of the standard.
const ALSO: [(&str, &str); 24] = [
    ("香港", "HK"),
    ("香港特别行政区", "HK"),
    ("中国香港特别行政区", "HK"),
    ("HONGKONG", "HK"),
    ("HONGKONGSARCHINA", "HK"),
    ("澳门", "MO"),
    ("澳门特别行政区", "MO"),
    ("中国澳门特别行政区", "MO"),
    ("MACAO", "MO"),
    ("MACAU", "MO"),
    ("台湾", "TW"),
    ("台湾省", "TW"),
    ("台湾地区", "TW"),
    ("TAIWAN", "TW"),
    ("中华人民共和国", "CN"),
    ("中国大陆", "CN"),
    ("大陆", "CN"),
    ("内地", "CN"),
    ("美利坚合众国", "US"),
    ("大韩民国", "KR"),
    ("蒙古国", "MN"),
    // in passports
    ("D", "DE"),
    ("RKS", "XK"),
    ("GBN", "GB"),
];

impl Country {
    /// The mainland of China, whose mobile numbers are written without a country's code.
    #[must_use]
    pub fn mainland() -> Self {
        Self::of_alpha2("CN").expect("a row of the list; a test reads it")
    }

    /// All of them, by their code of two letters.
    pub fn all() -> impl Iterator<Item = Self> {
        (0..=u8::MAX).take(COUNTRIES.rows.len()).map(Self)
    }

    fn row(self) -> &'static Row {
        // only the list makes them
        &COUNTRIES.rows[usize::from(self.0)]
    }

    fn of_alpha2(code: &str) -> Option<Self> {
        Self::all().find(|country| country.row().alpha2 == code)
    }

    /// Its code of two letters, such as HK.
    #[must_use]
    pub fn alpha2(self) -> &'static str {
        self.row().alpha2
    }

    /// Its code of three letters, as passports bear it, such as HKG.
    #[must_use]
    pub fn alpha3(self) -> &'static str {
        self.row().alpha3
    }

    /// The name in Chinese.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.row().name
    }

    /// The name in English.
    #[must_use]
    pub fn name_en(self) -> &'static str {
        self.row().name_en
    }

    /// The country that ISO 3166-1 numbers so, as the cards of permanent residents have it: `398` is Kazakhstan.
    #[must_use]
    pub fn of_numeric(code: &str) -> Option<Self> {
        Self::all().find(|country| country.row().numeric == code)
    }

    /// The country with this code of three letters.
    #[must_use]
    pub fn of_alpha3(code: &str) -> Option<Self> {
        Self::all().find(|country| country.row().alpha3 == code)
    }

    /// Its calling code, without +.
    #[must_use]
    pub(crate) fn calling_code(self) -> Option<u16> {
        Some(self.row().calling_code).filter(|code| *code > 0)
    }

    /// Splits digits that begin with a calling code: the country that has it and the digits behind it.
    pub(crate) fn of_international(digits: &str) -> Option<(Self, &str)> {
        // no calling code begins with another one
        (1..=3.min(digits.len())).find_map(|length| {
            let code: usize = digits.get(..length)?.parse().ok()?;
            let (country, _) = (*COUNTRIES.calling_codes.get(code)?)?;
            Some((country, &digits[length..]))
        })
    }

    /// The number as it stands behind the calling code, if digits can be a mobile number there; the digit that is dialled before a number
    /// within the country may be there or not.
    pub(crate) fn mobile(self, digits: &str) -> Option<&str> {
        let code = self.calling_code()?;
        let (_, mobiles) = COUNTRIES.calling_codes[usize::from(code)]?;
        let has = |digits: &str| mobiles.has(digits) && (code != 1 || is_north_american(digits.as_bytes()));
        if has(digits) {
            return Some(digits);
        }
        digits.strip_prefix(mobiles.trunk_prefix?).filter(|digits| has(digits))
    }
}

/// Whether ten digits are in the form of the North American Numbering Plan: no area code has 9 in its middle or begins with 37 or 96, no
/// exchange code begins with 0 or 1. Most numbers of the mainland that somebody writes behind + without 86 are not.
fn is_north_american(digits: &[u8]) -> bool {
    match digits {
        [first, second, _, exchange, ..] => {
            *second != b'9' && !matches!([*first, *second], [b'3', b'7'] | [b'9', b'6']) && matches!(exchange, b'2'..=b'9')
        }
        _ => false,
    }
}

impl FromStr for Country {
    type Err = CountryError;

    /// Reads a name, a code of letters, or a calling code with `+` or `00`: of several that share one it is the largest.
    fn from_str(text: &str) -> Result<Self, CountryError> {
        let bare = bare(text).replace('＋', "+");
        if let Some(code) = bare.strip_prefix('+').or_else(|| bare.strip_prefix("00")) {
            return Self::of_international(code).filter(|(_, rest)| rest.is_empty()).map(|(country, _)| country).ok_or(CountryError);
        }
        let named = |row: &Row| row.alpha2 == bare || row.alpha3 == bare || row.name == bare;
        Self::all()
            .find(|country| named(country.row()))
            .or_else(|| ALSO.iter().find(|(name, _)| *name == bare).and_then(|(_, code)| Self::of_alpha2(code)))
            .or_else(|| Self::all().find(|country| [country.name(), country.name_en()].iter().any(|name| self::bare(name) == bare)))
            .ok_or(CountryError)
    }
}

/// A name as it is compared: in capitals, without blanks, dashes, parentheses and signs that nobody sees.
fn bare(name: &str) -> String {
    plain(name).trim().chars().filter(|sign| !is_separator(*sign) && !is_parenthesis(*sign)).flat_map(char::to_uppercase).collect()
}

impl fmt::Display for Country {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.alpha3())
    }
}

impl fmt::Debug for Country {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.alpha2())
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[test]
    fn every_country_is_found_by_its_codes_and_its_names() {
        assert_eq!(Country::all().count(), 250);
        assert_eq!(Country::mainland().name(), "中国");
        for country in Country::all() {
            let row = country.row();
            for name in [row.alpha2, row.alpha3, row.name, row.name_en] {
                assert_eq!(name.parse(), Ok(country), "{name}");
            }
            assert_eq!(Country::of_numeric(row.numeric), Some(country));
        }
    }

    #[rstest]
    #[case("香港", "HK")]
    #[case(" 中国（香港）", "HK")]
    #[case("hong kong", "HK")]
    #[case("+852", "HK")]
    #[case("＋８５２", "HK")]
    #[case("00853", "MO")]
    #[case("台湾地区", "TW")]
    #[case("韩国", "KR")]
    #[case("+1", "US")]
    #[case("+7", "RU")]
    #[case("D", "DE")]
    fn a_country_is_known_by_what_people_call_it(#[case] text: &str, #[case] code: &str) {
        assert_eq!(text.parse::<Country>().map(Country::alpha2), Ok(code));
    }

    #[rstest]
    #[case("")]
    #[case("汉族")]
    #[case("852")]
    #[case("+999")]
    #[case("+8521")]
    fn what_names_no_country_is_refused(#[case] text: &str) {
        assert_eq!(text.parse::<Country>(), Err(CountryError));
    }

    #[test]
    fn a_calling_code_is_the_one_that_the_digits_begin_with() {
        let of = |digits| Country::of_international(digits).map(|(country, rest)| (country.alpha2(), rest));
        assert_eq!(of("85251234567"), Some(("HK", "51234567")));
        assert_eq!(of("13125550123"), Some(("US", "3125550123")));
        assert_eq!(of("77012345678"), Some(("RU", "7012345678")));
        assert_eq!(of("9990000000"), None);
        assert_eq!(of(""), None);
    }
}
