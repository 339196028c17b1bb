//! The documents by which people are known: which there are, and what their numbers look like.
//!
//! The platform never stores a number, only its keyed hash; so every kind has its own rule, and what breaks it is refused before it is
//! hashed, where nobody could see the mistake any more. A number that could be of several kinds is taken only with its kind: eight digits
//! are a permit, or anything else.
//!
//! Who is given a new permit has the same person's number with another count behind it ([`IdentityKind::HongKongMacaoPermit`],
//! [`IdentityKind::TaiwanPermit`]); the count is left out, so that a record still finds the person after a renewal.

use std::borrow::Cow;
use std::fmt;

use crate::country::Country;
use crate::digits::{is_parenthesis, is_separator, plain};
use crate::identity_number::{IdentityNumber, IdentityNumberError, is_birthday, is_province};

crate::words! {
    /// A kind of identity document.
    pub enum IdentityKind {
        /// Identity card of a citizen: 18 characters (GB 11643-1999).
        IdentityCard => "居民身份证",
        /// Residence permit of a resident of Hong Kong, Macao or Taiwan: 18 characters of the same form, from 810000, 820000 or 830000 on.
        ResidencePermit => "港澳台居民居住证",
        /// Mainland travel permit of a resident of Hong Kong or Macao: H or M and 8 digits, or 10 with the count of renewals.
        HongKongMacaoPermit => "港澳居民来往内地通行证",
        /// Mainland travel permit of a resident of Taiwan: 8 digits; on older ones 10 digits and a letter.
        TaiwanPermit => "台湾居民来往大陆通行证",
        /// Identity card of a foreigner with permanent residence: 18 characters from 9 on (since 2023), or three letters and 12 digits.
        PermanentResidentCard => "外国人永久居留身份证",
        /// A passport: 6 to 9 letters and digits (ICAO Doc 9303), and the country that issued it.
        Passport => "护照",
    }
}

impl IdentityKind {
    /// The kind in English.
    #[must_use]
    pub const fn title_en(self) -> &'static str {
        match self {
            Self::IdentityCard => "identity card",
            Self::ResidencePermit => "residence permit of a resident of Hong Kong, Macao or Taiwan",
            Self::HongKongMacaoPermit => "mainland travel permit of a resident of Hong Kong or Macao",
            Self::TaiwanPermit => "mainland travel permit of a resident of Taiwan",
            Self::PermanentResidentCard => "permanent resident card of a foreigner",
            Self::Passport => "passport",
        }
    }

    /// What its numbers look like, in Chinese and English.
    const fn form(self) -> (&'static str, &'static str) {
        match self {
            Self::IdentityCard => ("应为 18 位，末位为数字或 X", "it has 17 digits and a digit or X"),
            Self::ResidencePermit => {
                ("应为 18 位，以 810000、820000 或 830000 开头", "it has 18 characters and begins with 810000, 820000 or 830000")
            }
            Self::HongKongMacaoPermit => ("应为 H 或 M 加 8 位或 10 位数字", "it is H or M and 8 or 10 digits"),
            Self::TaiwanPermit => ("应为 8 位数字，旧证为 10 位数字加字母", "it has 8 digits; an older one 10 digits and a letter"),
            Self::PermanentResidentCard => (
                "应为 9 开头的 18 位，旧证为 3 个字母加 12 位数字",
                "it has 18 characters and begins with 9; an older one has 3 letters and 12 digits",
            ),
            Self::Passport => ("应为 6 至 9 位字母和数字", "it has 6 to 9 letters and digits"),
        }
    }
}

/// A document whose number keeps the rule of its kind. It shows nobody its number.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct IdentityDocument {
    kind: IdentityKind,
    /// Of a passport.
    country: Option<Country>,
    number: Cow<'static, str>,
    year_of_birth: Option<u16>,
}

/// The text is no number of a document. It is not repeated: it may be nearly somebody's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum IdentityError {
    /// The number of a card that is valid no more (since 2013).
    #[error("an identity number of 15 digits is valid no more; give the one of 18 characters")]
    FifteenDigits,
    /// It has the form of no kind.
    #[error("is the number of no document that is known: check how long it is (a spreadsheet may have rounded it), and say its kind")]
    Unknown,
    /// It has not the form of the kind that was said.
    #[error("is no number of this kind ({}): {}", .0.title_en(), .0.form().1)]
    Form(IdentityKind),
    /// It begins with no region, country or date of birth where one stands.
    #[error("carries no region, country or date of birth where a number of this kind has one ({})", .0.title_en())]
    RegionOrBirth(IdentityKind),
    /// The last character does not fit the others.
    #[error("has a check character that does not fit: look for a typing error ({})", .0.title_en())]
    Check(IdentityKind),
    /// It is a number of another kind than was said.
    #[error("is another one by the number: {}", .0.title_en())]
    OtherKind(IdentityKind),
    /// It could be of several kinds.
    #[error("is needed: the number could be of several kinds, such as passport or travel permit")]
    KindNeeded,
    /// A passport without the country that issued it.
    #[error("is needed: the country that issued the passport")]
    CountryNeeded,
}

impl IdentityError {
    /// The same in Chinese.
    #[must_use]
    pub fn chinese(self) -> String {
        match self {
            Self::FifteenDigits => "15 位旧身份证号已停用，请填写 18 位号码".to_owned(),
            Self::Unknown => "不是可识别的证件号码，请核对位数（Excel 可能改变了末几位），并填写证件类型".to_owned(),
            Self::Form(kind) => format!("不是{}的号码：{}", kind.title(), kind.form().0),
            Self::RegionOrBirth(kind) => format!("{}号码中的地区、国籍或出生日期有误，请核对", kind.title()),
            Self::Check(kind) => format!("{}号码的校验位不符，请核对是否有误", kind.title()),
            Self::OtherKind(kind) => format!("与号码不符：号码是{}的", kind.title()),
            Self::KindNeeded => "请填写证件类型：此号码可能属于几种证件，如护照、通行证".to_owned(),
            Self::CountryNeeded => "护照须填写签发国家或地区".to_owned(),
        }
    }
}

impl IdentityDocument {
    /// Reads the number of a document, with what is said of it: its kind, and the country that issued it.
    ///
    /// # Errors
    /// When it breaks the rule of the kind, is of another kind than is said, or could be of several and none is said.
    pub fn read(text: &str, kind: Option<IdentityKind>, country: Option<Country>) -> Result<Self, IdentityError> {
        let number = bare(text);
        match (of_its_form(&number), kind) {
            (Some(found), Some(said)) if found != said && said != IdentityKind::Passport => Err(IdentityError::OtherKind(found)),
            (Some(_), Some(IdentityKind::Passport)) => Err(IdentityError::Form(IdentityKind::Passport)),
            (Some(kind), _) => Self::of(kind, number, country),
            (None, Some(IdentityKind::IdentityCard)) if is_fifteen_digits(&number) => Err(IdentityError::FifteenDigits),
            (None, Some(kind)) => Self::of(kind, number, country),
            (None, None) if is_fifteen_digits(&number) => Err(IdentityError::FifteenDigits),
            (None, None) if is_of_several(&number) => Err(IdentityError::KindNeeded),
            (None, None) => Err(IdentityError::Unknown),
        }
    }

    fn of(kind: IdentityKind, number: String, country: Option<Country>) -> Result<Self, IdentityError> {
        let document = |number: String, year_of_birth| Self { kind, country: None, number: number.into(), year_of_birth };
        let form = IdentityError::Form(kind);
        match kind {
            IdentityKind::IdentityCard | IdentityKind::ResidencePermit => {
                let read: IdentityNumber = number.parse().map_err(|error| of_number(error, kind))?;
                if of_its_form(&number) == Some(kind) { Ok(document(number, Some(read.year_of_birth()))) } else { Err(form) }
            }
            IdentityKind::PermanentResidentCard if number.len() == 18 => {
                of_permanent_resident(&number).map(|year| document(number, Some(year)))
            }
            IdentityKind::PermanentResidentCard => of_older_permanent_resident(&number).map(|()| document(number, None)),
            IdentityKind::HongKongMacaoPermit => {
                let person = matches!(number.len(), 9 | 11) && number.starts_with(['H', 'M']) && is_digits(&number[1..]);
                if person { Ok(document(number[..9].to_owned(), None)) } else { Err(form) }
            }
            IdentityKind::TaiwanPermit => {
                let digits =
                    number.strip_suffix(|sign: char| sign.is_ascii_uppercase()).filter(|digits| digits.len() == 10).unwrap_or(&number);
                let person = matches!(digits.len(), 8 | 10) && is_digits(digits);
                if person { Ok(document(digits[..8].to_owned(), None)) } else { Err(form) }
            }
            IdentityKind::Passport if !is_of_a_passport(&number) => Err(form),
            IdentityKind::Passport => {
                let country = country.ok_or(IdentityError::CountryNeeded)?;
                Ok(Self { country: Some(country), ..document(number, None) })
            }
        }
    }

    /// Which kind of document it is.
    #[must_use]
    pub fn kind(&self) -> IdentityKind {
        self.kind
    }

    /// The country that issued a passport.
    #[must_use]
    pub fn country(&self) -> Option<Country> {
        self.country
    }

    /// The number without what people put between its characters. Not for storing or showing.
    #[must_use]
    pub fn number(&self) -> &str {
        &self.number
    }

    /// The year in which its bearer was born, where the number tells.
    #[must_use]
    pub fn year_of_birth(&self) -> Option<u16> {
        self.year_of_birth
    }

    /// What the keyed hash is over: the number alone where it is one of 18 characters with the check character of GB 11643, of which there are
    /// no two; otherwise the kind and the number, of a passport also the country.
    #[must_use]
    pub fn hashed(&self) -> Cow<'_, str> {
        match (self.kind, self.country) {
            (IdentityKind::IdentityCard | IdentityKind::ResidencePermit, _) => Cow::Borrowed(&self.number),
            (IdentityKind::PermanentResidentCard, _) if self.number.len() == 18 => Cow::Borrowed(&self.number),
            (kind, Some(country)) => Cow::Owned(format!("{kind}:{country}:{}", self.number)),
            (kind, None) => Cow::Owned(format!("{kind}:{}", self.number)),
        }
    }
}

/// What breaks the rule of GB 11643, said of the kind of document.
fn of_number(error: IdentityNumberError, kind: IdentityKind) -> IdentityError {
    match error {
        IdentityNumberError::Form => IdentityError::Form(kind),
        IdentityNumberError::RegionOrBirth => IdentityError::RegionOrBirth(kind),
        IdentityNumberError::Check => IdentityError::Check(kind),
    }
}

/// The year of birth on a card of 2023: 9, the province, the country by its number, the date of birth, a sequence, the check character.
fn of_permanent_resident(number: &str) -> Result<u16, IdentityError> {
    const KIND: IdentityKind = IdentityKind::PermanentResidentCard;
    if !has_eighteen(number) || !number.starts_with('9') {
        return Err(IdentityError::Form(KIND));
    }
    if !is_province(&number[1..3]) || Country::of_numeric(&number[3..6]).is_none() || !is_birthday(&number[6..14]) {
        return Err(IdentityError::RegionOrBirth(KIND));
    }
    if !IdentityNumber::has_its_check_character(number.as_bytes()) {
        return Err(IdentityError::Check(KIND));
    }
    number[6..10].parse().map_err(|_| IdentityError::RegionOrBirth(KIND))
}

/// The rule of the older card: the country by its letters, the place that issued it, the date of birth, a digit, and a check digit over all
/// of them with the weights 7, 3 and 1 of machine-readable documents (ICAO Doc 9303-3, 4.9).
fn of_older_permanent_resident(number: &str) -> Result<(), IdentityError> {
    const KIND: IdentityKind = IdentityKind::PermanentResidentCard;
    if !has_letters_and_twelve(number) {
        return Err(IdentityError::Form(KIND));
    }
    let born = ["19", "20"].iter().any(|century| is_birthday(&format!("{century}{}", &number[7..13])));
    if Country::of_alpha3(&number[..3]).is_none() || !is_province(&number[3..5]) || !born {
        return Err(IdentityError::RegionOrBirth(KIND));
    }
    let mut values = number.chars().map(|sign| sign.to_digit(36).unwrap_or_default());
    let sum: u32 = values.clone().take(14).zip([7, 3, 1].into_iter().cycle()).map(|(value, weight)| value * weight).sum();
    if values.next_back() == Some(sum % 10) { Ok(()) } else { Err(IdentityError::Check(KIND)) }
}

/// The number without blanks, dashes, parentheses and signs that nobody sees, in ASCII and capitals.
fn bare(text: &str) -> String {
    let ascii = |sign: char| match sign {
        'Ａ'..='Ｚ' => char::from_u32(sign as u32 - 'Ａ' as u32 + 'A' as u32).unwrap_or(sign),
        'ａ'..='ｚ' => char::from_u32(sign as u32 - 'ａ' as u32 + 'A' as u32).unwrap_or(sign),
        _ => sign.to_ascii_uppercase(),
    };
    plain(text.trim()).chars().filter(|sign| !is_separator(*sign) && !is_parenthesis(*sign)).map(ascii).collect()
}

fn is_digits(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_fifteen_digits(number: &str) -> bool {
    number.len() == 15 && is_digits(number)
}

fn has_eighteen(number: &str) -> bool {
    number.len() == 18
        && number.is_ascii()
        && is_digits(&number[..17])
        && number.ends_with(|sign: char| sign.is_ascii_digit() || sign == 'X')
}

fn has_letters_and_twelve(number: &str) -> bool {
    number.len() == 15 && number.is_ascii() && number[..3].bytes().all(|byte| byte.is_ascii_uppercase()) && is_digits(&number[3..])
}

fn is_of_a_passport(number: &str) -> bool {
    (6..=9).contains(&number.len())
        && number.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
        && number.bytes().any(|byte| byte.is_ascii_digit())
}

/// Whether a number of this form is one of a passport, or of a permit as well.
fn is_of_several(number: &str) -> bool {
    is_of_a_passport(number) || (number.len() == 10 && is_digits(number))
}

/// The one kind of which a number of this form can be.
fn of_its_form(number: &str) -> Option<IdentityKind> {
    if has_eighteen(number) {
        return Some(match &number[..6] {
            "810000" | "820000" | "830000" => IdentityKind::ResidencePermit,
            nine if nine.starts_with('9') => IdentityKind::PermanentResidentCard,
            _ => IdentityKind::IdentityCard,
        });
    }
    if has_letters_and_twelve(number) {
        return Some(IdentityKind::PermanentResidentCard);
    }
    let (first, last) = (number.chars().next()?, number.chars().last()?);
    match number.len() {
        11 if number.is_ascii() && matches!(first, 'H' | 'M') && is_digits(&number[1..]) => Some(IdentityKind::HongKongMacaoPermit),
        11 if number.is_ascii() && last.is_ascii_uppercase() && is_digits(&number[..10]) => Some(IdentityKind::TaiwanPermit),
        _ => None,
    }
}

impl fmt::Debug for IdentityDocument {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "IdentityDocument({})", self.kind)
    }
}

#[cfg(test)]
mod tests;
