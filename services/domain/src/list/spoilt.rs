//! What a spreadsheet, or the program that exported to it, leaves in a cell when something went wrong there.

/// What became of a cell. Each holds no value any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Spoilt {
    /// A formula that failed; the word that the spreadsheet shows.
    Error(&'static str),
    /// A value that the exporting program did not have; the word that it wrote.
    Missing(&'static str),
    /// A text with signs that were lost when somebody read it in another encoding.
    Unreadable,
}

impl Spoilt {
    /// The word that stands in the cell.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Error(word) | Self::Missing(word) => word,
            Self::Unreadable => "\u{fffd}",
        }
    }
}

const ERRORS: [&str; 13] = [
    "#N/A",
    "#REF!",
    "#VALUE!",
    "#DIV/0!",
    "#NAME?",
    "#NUM!",
    "#NULL!",
    "#SPILL!",
    "#CALC!",
    "#FIELD!",
    "#DATA!",
    "#GETTING_DATA",
    "#####",
];
const MISSING: [&str; 4] = ["NULL", "(NULL)", "NaN", "undefined"];

/// What is wrong with a cell's text, if it is none that anybody wrote.
#[must_use]
pub fn spoilt(text: &str) -> Option<Spoilt> {
    // nearly every cell is decided by its first byte
    if matches!(text.as_bytes().first(), Some(b'#' | b'N' | b'n' | b'(' | b'u')) {
        let known = |words: &[&'static str]| words.iter().copied().find(|word| word.eq_ignore_ascii_case(text));
        if text.len() >= 4 && text.bytes().all(|byte| byte == b'#') {
            return Some(Spoilt::Error("####"));
        }
        return known(&ERRORS).map(Spoilt::Error).or_else(|| known(&MISSING).map(Spoilt::Missing));
    }
    (!text.is_ascii() && text.contains('\u{fffd}')).then_some(Spoilt::Unreadable)
}

/// Whether a cell's text is how people write that there is nothing.
#[must_use]
pub fn is_nothing(text: &str) -> bool {
    matches!(text, "" | "-" | "--" | "/" | "－" | "—" | "——" | "–" | "／")
}

/// Whether a number was rounded by a spreadsheet, which then shows it with an exponent: `1.38E+10`. Its last digits are lost.
#[must_use]
pub fn is_rounded(text: &str) -> bool {
    let Some((digits, exponent)) = text.split_once(['e', 'E']) else { return false };
    let exponent = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
    let all_digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let digits = digits.strip_prefix('-').unwrap_or(digits);
    // 3E5 may be the number of a room: what was rounded has a fraction or a sign before its exponent
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let marked = !fraction.is_empty() || text.contains(['+', '-']);
    marked && all_digits(whole) && (fraction.is_empty() || all_digits(fraction)) && all_digits(exponent)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("#N/A", Some(Spoilt::Error("#N/A")))]
    #[case("#ref!", Some(Spoilt::Error("#REF!")))]
    #[case("#VALUE!", Some(Spoilt::Error("#VALUE!")))]
    #[case("#DIV/0!", Some(Spoilt::Error("#DIV/0!")))]
    #[case("##########", Some(Spoilt::Error("####")))]
    #[case("NULL", Some(Spoilt::Missing("NULL")))]
    #[case("null", Some(Spoilt::Missing("NULL")))]
    #[case("nan", Some(Spoilt::Missing("NaN")))]
    #[case("渝\u{fffd}宾馆", Some(Spoilt::Unreadable))]
    #[case("渝州宾馆", None)]
    #[case("#3 楼", None)]
    #[case("Nullagine", None)]
    #[case("none", None)]
    #[case("", None)]
    fn what_no_hand_wrote_is_known(#[case] text: &str, #[case] expected: Option<Spoilt>) {
        assert_eq!(spoilt(text), expected);
    }

    #[rstest]
    #[case("1.38E+10", true)]
    #[case("5.00101199001011E+17", true)]
    #[case("5e+17", true)]
    #[case("1.9e10", true)]
    #[case("13800005678", false)]
    #[case("3E5", false)]
    #[case("E+5", false)]
    #[case("case-1", false)]
    #[case("1.2.3E+5", false)]
    fn a_number_with_an_exponent_was_rounded(#[case] text: &str, #[case] rounded: bool) {
        assert_eq!(is_rounded(text), rounded);
    }
}
