//! What a resident's reply by SMS means (CQ11).
//!
//! People reply as their phone, their input method and their habit have it: full-width digits, small letters, no space, the example copied with its
//! quotation marks. What is meant clearly is taken; everything else is [`Reply::Other`] and is read by a person, never guessed at: an acknowledgement
//! that nobody gave would stop the reminder, a withdrawal that nobody wanted would silence every later alert.

use crate::ids::ShortCode;

/// The meaning of a reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reply {
    /// The alert was read. With a code it is that alert, without one the sender's latest.
    Acknowledge {
        /// The alert's code.
        code: Option<ShortCode>,
    },
    /// No more alerts by SMS: consent is withdrawn (CQ1).
    Withdraw,
    /// Anything else: a question, a remark.
    Other,
}

/// Words that acknowledge, in capitals.
const ACKNOWLEDGE: [&str; 6] = ["1", "收到", "已收到", "确认", "Y", "YES"];
/// Those of them that a code may stand next to without a space: a letter and a code would read like a word.
const JOINABLE: [&str; 4] = ["1", "收到", "已收到", "确认"];
/// Words that withdraw, in capitals. STOP is what English readers know from elsewhere.
const WITHDRAW: [&str; 4] = ["T", "TD", "退订", "STOP"];
/// What people copy from the instruction in front of the word itself.
const COPIED: [&str; 3] = ["回复", "回", "REPLY"];

/// Reads a reply. Total: every text has a meaning.
pub fn parse(text: &str) -> Reply {
    // "退订?" is a question.
    if text.contains(['?', '？']) {
        return Reply::Other;
    }
    let plain = plain(text);
    let said = COPIED.iter().find_map(|copied| plain.strip_prefix(copied)).unwrap_or(&plain);
    let words: Vec<&str> = said.split_ascii_whitespace().collect();
    match words[..] {
        [word] => one_word(word),
        [first, second] => word_and_code(first, second).or_else(|| word_and_code(second, first)),
        _ => None,
    }
    .unwrap_or(Reply::Other)
}

fn one_word(word: &str) -> Option<Reply> {
    if WITHDRAW.contains(&word) {
        return Some(Reply::Withdraw);
    }
    if ACKNOWLEDGE.contains(&word) {
        return Some(Reply::Acknowledge { code: None });
    }
    let code = JOINABLE.iter().find_map(|said| word.strip_prefix(said).or_else(|| word.strip_suffix(said))?.parse().ok())?;
    Some(Reply::Acknowledge { code: Some(code) })
}

fn word_and_code(word: &str, code: &str) -> Option<Reply> {
    let code: ShortCode = code.parse().ok()?;
    if ACKNOWLEDGE.contains(&word) {
        Some(Reply::Acknowledge { code: Some(code) })
    } else {
        WITHDRAW.contains(&word).then_some(Reply::Withdraw)
    }
}

/// Full-width forms (U+FF01–FF5E) as the ASCII they stand for, letters as capitals, whatever is neither letter nor digit as a space.
fn plain(text: &str) -> String {
    let half_width = |c: char| match c {
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(c) - 0xfee0).unwrap_or(c),
        _ => c,
    };
    text.chars()
        .map(half_width)
        .map(|c| if c.is_alphanumeric() { c.to_ascii_uppercase() } else { ' ' })
        .collect::<String>()
        .trim()
        .to_owned()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;
    use strum::VariantArray;

    use super::*;
    use crate::language::Language;
    use crate::sms_text::how_to_reply;

    fn acknowledge(code: &str) -> Reply {
        Reply::Acknowledge { code: (!code.is_empty()).then(|| code.parse().unwrap()) }
    }

    #[test]
    fn the_latest_alert_is_acknowledged() {
        for text in
            "1|１| 1 |\u{3000}1\n|1。|“1”|+1|Y|y|ｙ|Yes|收到|收到！|收到👍|【收到】|已收到|确认|回复1|回1|回复 收到|Reply 1|\u{feff}1"
                .split('|')
        {
            assert_eq!(parse(text), acknowledge(""), "{text}");
        }
    }

    #[test]
    fn the_alert_named_is_acknowledged() {
        for text in "1 AB3C|1 ab3c|１　ＡＢ３Ｃ|AB3C 1|1AB3C|AB3C1|1+AB3C|1，AB3C|1  AB3C.|Y AB3C|ab3c y|收到AB3C|收到 AB3C|\
            AB3C收到|AB3C，收到。|回复1 AB3C|回复“1 AB3C”|Reply 1 AB3C"
            .split('|')
        {
            assert_eq!(parse(text), acknowledge("AB3C"), "{text}");
        }
    }

    #[test]
    fn consent_is_withdrawn() {
        for text in
            ["T", "t", "Ｔ", "TD", "td", " td。", "退订", "退订！", "回复T", "回T", "回复 TD", "T AB3C", "退订 AB3C", "STOP", "stop"]
        {
            assert_eq!(parse(text), Reply::Withdraw, "{text}");
        }
    }

    #[test]
    fn what_is_not_clear_is_left_to_a_person() {
        for text in "| |。|11|2|1 2|1.5|1?|退订？|T?|没收到|未收到|不退订|AB3C|YEAH|YEAHS|TEST|1 AB3|1 AB3CD|1 AB0C|1 T|T 1|\
            1 AB3C DE4F|1 请问在哪里检测|我不是密接|TDAB3C|回复|I stop here"
            .split('|')
        {
            assert_eq!(parse(text), Reply::Other, "{text}");
        }
    }

    #[rstest]
    #[case::the_word_one_then_a_code_that_begins_with_y("1 Y222", "Y222")]
    #[case::a_code_that_begins_with_t("1T222", "T222")]
    fn a_code_is_not_taken_for_a_word(#[case] text: &str, #[case] code: &str) {
        assert_eq!(parse(text), acknowledge(code));
    }

    proptest! {
        #[test]
        fn every_text_has_a_meaning(text in "\\PC*") {
            parse(&text);
        }

        #[test]
        fn what_a_message_asks_for_is_understood(random: u32, spaced: bool) {
            let code = ShortCode::from_random(random);
            for &language in Language::VARIANTS {
                let asked = how_to_reply(language, code);
                let example = if spaced { format!("1 {code}") } else { format!("1{code}") };
                prop_assert!(asked.contains(&format!("1 {code}")), "{asked}");
                prop_assert_eq!(parse(&example), Reply::Acknowledge { code: Some(code) });
                let first_clause = asked.split(['，', ',']).next().unwrap();
                // Whoever copies the clause word for word has done what was asked too.
                let copied = first_clause.trim_start_matches("收到请").trim_end_matches(" to confirm");
                prop_assert_eq!(parse(copied), Reply::Acknowledge { code: Some(code) });
            }
            prop_assert_eq!(parse("T"), Reply::Withdraw);
        }
    }
}
