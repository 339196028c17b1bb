//! Which words of a source may stand in an official text (CQ14): the name of a place, a date, a level; nothing that leads people elsewhere.
//!
//! What a source writes into a record's attributes comes to millions of people under the city's name if a rule's text has a place for it, and a
//! reviewer who reads a hundred drafts may take it for the district's own. So what would be a link, a number to call, an address of a message or
//! personal data is not taken over: its place stays open, and a person fills it in.

use crate::privacy;

/// Longer words than a place's name or a sentence's half are no value for a text.
const LONGEST: usize = 60;
/// Digits one behind the other, and in all, that make no number to call: a year has four, a house and a floor a few.
const MOST_IN_A_ROW: usize = 4;
const MOST_DIGITS: usize = 6;

/// Whether it may.
#[must_use]
pub fn may_stand_in_a_text(value: &str) -> bool {
    let plain: String = value.chars().map(half_width).collect();
    plain.chars().count() <= LONGEST
        && !plain.chars().any(|sign| sign.is_control() || "{}<>@\\".contains(sign) || is_invisible(sign))
        && !is_like_a_link(&plain)
        && !is_like_a_number_to_call(&plain)
        && privacy::find(value, "").is_empty()
}

fn half_width(sign: char) -> char {
    match sign {
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(sign) - 0xfee0).unwrap_or(sign),
        '\u{3002}' | '\u{ff61}' => '.',
        _ => sign,
    }
}

fn is_invisible(sign: char) -> bool {
    matches!(sign, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

/// A scheme, a path, or a point between letters as in `a.cn`; the full stop of a Chinese sentence counts as one, since phones take it for one.
fn is_like_a_link(plain: &str) -> bool {
    let signs: Vec<char> = plain.chars().collect();
    let is_latin = |sign: Option<&char>| sign.is_some_and(char::is_ascii_alphanumeric);
    let pointed = signs.windows(3).any(|around| around[1] == '.' && is_latin(around.first()) && around[2].is_ascii_alphabetic());
    pointed || plain.contains("//") || plain.to_ascii_lowercase().contains("www")
}

fn is_like_a_number_to_call(plain: &str) -> bool {
    let digits = plain.chars().filter(|sign| sign.is_numeric()).count();
    let mut row = 0;
    let longest = plain.chars().filter(|sign| !matches!(sign, ' ' | '-' | '(' | ')' | '+' | '.')).fold(0, |longest: usize, sign| {
        row = if sign.is_numeric() { row + 1 } else { 0 };
        longest.max(row)
    });
    // a date reads 2026-03-10: its parts together are no number to call
    (longest > MOST_IN_A_ROW && !is_a_date(plain)) || (digits > MOST_DIGITS && !is_a_date(plain))
}

fn is_a_date(plain: &str) -> bool {
    let day = plain.split(['T', ' ']).next().unwrap_or(plain);
    chrono::NaiveDate::parse_from_str(day, "%Y-%m-%d").is_ok() && plain.len() <= 25
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_place_or_a_day_is_called_may() {
        for value in "区集中隔离点|江北机场 T3 到达层|渝中区人民医院 3 号楼 2 层|2026-03-10|2026-03-10T08:00:00Z|高风险|No. 7 Hospital|1,200|K123 次|第 5 人民医院".split('|')
        {
            assert!(may_stand_in_a_text(value), "{value}");
        }
    }

    #[test]
    fn what_leads_people_elsewhere_may_not() {
        for value in "http://evil.example|见 evil.cn/a|evil．cn|evil。cn|www evil|致电 13800138000|１３８００１３８０００|023-6363 6363|拨打 12320 登记|400 800 1234|a@b|\
            {place}|加微信 wx1234567|医院\u{202e}moc|138\u{200b}0013"
            .split('|')
        {
            assert!(!may_stand_in_a_text(value), "{value}");
        }
        assert!(!may_stand_in_a_text(&"长".repeat(61)));
    }
}
