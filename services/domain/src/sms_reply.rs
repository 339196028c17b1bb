//! What a resident's reply by SMS means (CQ11).
//!
//! People reply as their phone, their input method and their habit have it: full-width digits, small letters, no space, traditional characters, a word
//! of thanks, the example copied with its quotation marks. What is meant clearly is taken ([`words`]); everything else is [`Reply::Other`], is kept for
//! a person to read, and never guessed at: an acknowledgement that nobody gave would stop the reminder, a withdrawal that nobody wanted would silence
//! every later alert. Who is in need is read first ([`help`]). Which alert is meant where none is named, [`meant`] says.

mod help;
mod meant;
mod words;

pub use meant::{Handed, WRITTEN_DOWN_WITHIN, meant};

use crate::ids::ShortCode;

/// The meaning of a reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reply {
    /// The alert was read. With a code it is that alert, without one the one that was [`meant`].
    Acknowledge {
        /// The alert's code.
        code: Option<ShortCode>,
    },
    /// No more alerts by SMS: consent is withdrawn (CQ1).
    Withdraw,
    /// The withdrawal before was not meant, or not mine: alerts again.
    Resume,
    /// Anything else: a question, a remark, a call for help.
    Other {
        /// Whether somebody seems to be in need.
        needs_help: bool,
    },
}

/// Reads a reply. Total: every text has a meaning.
pub fn parse(text: &str) -> Reply {
    let plain = words::plain(text);
    let other = Reply::Other { needs_help: help::is_asked_for(&plain) };
    // "退订?" is a question.
    if text.contains(['?', '？']) {
        return other;
    }
    if words::resumes(&plain) {
        return Reply::Resume;
    }
    match words::read(&plain) {
        Some(said) if said.codes.len() > 1 || said.acknowledges == said.withdraws => other,
        Some(said) if said.withdraws => Reply::Withdraw,
        Some(said) => Reply::Acknowledge { code: said.codes.first().copied() },
        None => other,
    }
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
            "1|１| 1 |\u{3000}1\n|1。|“1”|+1|Y|y|ｙ|Yes|收到|收到！|收到👍|【收到】|已收到|确认|回复1|回1|回复 收到|Reply 1|\u{feff}1|\
            收到，谢谢|收到谢谢！|收到了|收到啦|收到 谢谢您|已收到，辛苦了|我收到了|我已收到|我已经收到了，谢谢|我们都收到了|收到通知|收到短信，谢谢医生|确认收到|收\u{200b}到|\
            好|好的|好的，谢谢|好的好的|好的收到|嗯嗯|明白了|知道了|知道了，谢谢！|我知道了|晓得了|要得|已阅|看到了|了解|没问题|收到，会注意的|您好，收到|\
            OK|ok!|Ok.|ok好的|O\u{200b}K|Okay thanks|Got it|received, thank you|OK thank you very much|Confirmed|noted|1谢谢|1,谢谢|谢谢 1|１谢谢|①|1️⃣|1 1|回复1，谢谢|\
            確認|收到，謝謝|我知道了，謝謝|已讀|瞭解|ＯＫ|一"
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
        for text in [
            "T",
            "t",
            "Ｔ",
            "TD",
            "td",
            " td。",
            "退订",
            "退订！",
            "回复T",
            "回T",
            "回复 TD",
            "T AB3C",
            "退订 AB3C",
            "STOP",
            "stop",
            "退订 谢谢",
            "退订，谢谢！",
            "谢谢，退订",
            "退訂",
            "ＴＤ",
            "我要退订",
            "T，谢谢",
            "Stop. Thank you",
            "取消订阅",
        ] {
            assert_eq!(parse(text), Reply::Withdraw, "{text}");
        }
    }

    #[test]
    fn a_withdrawal_is_taken_back() {
        for text in "HF|hf|ＨＦ| HF。|恢复|回复HF|回复 恢复|恢复接收|恢復|RESUME|Resume.".split('|') {
            assert_eq!(parse(text), Reply::Resume, "{text}");
        }
        for text in "恢复？|不恢复|怎么恢复|我恢复了|HF 1|已恢复健康".split('|') {
            assert!(matches!(parse(text), Reply::Other { .. }), "{text}");
        }
    }

    #[test]
    fn what_is_not_clear_is_left_to_a_person() {
        for text in "| |。|11|2|1 2|1.5|1?|退订？|T?|没收到|未收到|不退订|AB3C|YEAH|YEAHS|TEST|1 AB3|1 AB3CD|1 AB0C|1 T|T 1|\
            1 AB3C DE4F|1 请问在哪里检测|我不是密接|TDAB3C|回复|I stop here|不是|不|不好|不行|不可以|不知道|不明白|没看到|没有收到|沒收到|還沒收到|尚未收到|没收到短信|并没有收到|\
            收到了吗|收到了嗎|收到没|收到没有|收到后怎么办|收到但我不是密接|我不是密接，请核实|我好了|我已经好了|好难受|好吧我去医院|确认密接|我确认是密接|我确诊了|是|是的|谢谢|多谢|\
            不收到|别退订|先不退订|怎么退订|退订了还发|好的，退订|收到，但是搞错人了|知道了但是去不了|not received|I have not got it|no|No.|don't stop|I have it|ok but where|\
            1不是|1没收到|OK不|回|短信|你好"
            .split('|')
        {
            assert_eq!(parse(text), Reply::Other { needs_help: text.contains("难受") }, "{text}");
        }
    }

    #[test]
    fn who_is_in_need_is_told_from_who_is_not() {
        for text in "求助|救命！|我发烧了，没人管，求助|发烧没人管|收到，我在发烧|1 求助|家里老人呼吸困难|我們斷糧了，幫幫我們|没药了|我高 烧 三天|help|Please help me|SOS|I can't breathe|\
            有人晕倒了|打不通12320怎么办？"
            .split('|')
        {
            assert_eq!(parse(text), Reply::Other { needs_help: true }, "{text}");
        }
        for text in "我没有发烧|不发热也要隔离吗|无发热|请问在哪里检测|我不是密接，请核实|helpful information for whom|没收到".split('|')
        {
            assert_eq!(parse(text), Reply::Other { needs_help: false }, "{text}");
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
        fn a_word_against_it_acknowledges_and_withdraws_nothing(
            before in "(收到|好的|1|OK |T |谢谢|我|，){0,3}", against in "(不|没|未|别|吗|非|无|but|not)", after in "(收到|确认|退订|好的| 1|是密接|。){0,3}",
        ) {
            let text = format!("{before}{against}{after}");
            prop_assert!(matches!(parse(&text), Reply::Other { .. }), "{}", text);
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
