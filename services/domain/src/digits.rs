//! Digits as people type them.

use std::borrow::Cow;

/// A digit in its ASCII form, also if it was typed on a Chinese keyboard in full width (１３８).
pub(crate) fn ascii_digit(sign: char) -> Option<char> {
    match sign {
        '0'..='9' => Some(sign),
        '０'..='９' => char::from_digit(sign as u32 - '０' as u32, 10),
        _ => None,
    }
}

/// The signs that people put between digits to make them readable, and those that nobody sees.
pub(crate) fn is_separator(sign: char) -> bool {
    matches!(sign, ' ' | '\u{a0}' | '\u{3000}' | '-' | '－' | '‐' | '‑' | '–' | '.' | '·') || is_invisible(sign)
}

/// What people put around a part of a number: a country's code, the digit that is dialled only within it, who issued a permit.
pub(crate) const fn is_parenthesis(sign: char) -> bool {
    matches!(sign, '(' | ')' | '（' | '）')
}

/// Signs that show nothing and mean nothing beside digits: direction marks, joiners, byte order marks and the others that Unicode
/// calls default-ignorable. Address books and messengers put them around a number that is copied out of them.
pub(crate) const fn is_invisible(sign: char) -> bool {
    matches!(
        sign,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}'
            | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fff8}' | '\u{e0000}'..='\u{e0fff}'
    )
}

/// The text without signs that nobody sees, and without blanks around it.
pub(crate) fn visible(text: &str) -> Cow<'_, str> {
    let text = text.trim();
    if text.is_ascii() || !text.contains(is_invisible) {
        return Cow::Borrowed(text);
    }
    let shown: String = text.chars().filter(|sign| !is_invisible(*sign)).collect();
    Cow::Owned(shown.trim().to_owned())
}

/// The text without signs that nobody sees, its digits in ASCII.
pub(crate) fn plain(text: &str) -> Cow<'_, str> {
    if text.is_ascii() {
        return Cow::Borrowed(text);
    }
    Cow::Owned(visible(text).chars().map(|sign| ascii_digit(sign).unwrap_or(sign)).collect())
}
