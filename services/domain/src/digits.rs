//! Digits as people type them.

/// A digit in its ASCII form, also if it was typed on a Chinese keyboard in full width (１３８).
pub(crate) fn ascii_digit(sign: char) -> Option<char> {
    match sign {
        '0'..='9' => Some(sign),
        '０'..='９' => char::from_digit(sign as u32 - '０' as u32, 10),
        _ => None,
    }
}

/// The signs that people put between digits to make them readable.
pub(crate) fn is_separator(sign: char) -> bool {
    matches!(sign, ' ' | '\u{a0}' | '\u{3000}' | '-' | '－' | '‐' | '‑' | '–' | '.' | '·')
}
