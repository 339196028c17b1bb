//! The words of which a clear reply consists, and how a text is taken apart into them.
//!
//! A reply is clear when *every* word of it is known: what is left over decides. So "收到，谢谢" acknowledges, and "没收到", "收到了吗" or
//! "我不是密接" do not, without a list of everything that would turn a word into its opposite.

use crate::ids::ShortCode;

/// Acknowledge, in Chinese.
const ACKNOWLEDGE: &[&str] = &[
    "收到",
    "已收到",
    "收悉",
    "已收悉",
    "确认",
    "已确认",
    "确定",
    "好",
    "好的",
    "好滴",
    "好哒",
    "好嘞",
    "行",
    "可以",
    "嗯",
    "嗯嗯",
    "明白",
    "知道",
    "晓得",
    "要得",
    "知悉",
    "知晓",
    "已阅",
    "已读",
    "看到",
    "已看到",
    "了解",
    "没问题",
    "一",
];
/// Acknowledge, in Latin letters and digits.
const ACKNOWLEDGE_LATIN: &[&str] = &[
    "1",
    "Y",
    "YES",
    "OK",
    "OKAY",
    "OKEY",
    "K",
    "RECEIVED",
    "CONFIRM",
    "CONFIRMED",
    "ROGER",
    "GOT",
    "UNDERSTOOD",
    "NOTED",
    "SHOUDAO",
    "HAODE",
];
/// What says who has, or that it is so already. Only in front of [`FIRM`]: "我收到了" acknowledges, "我好了" tells of a recovery.
const LEADING: &[&str] = &["我们", "我", "本人", "俺", "已经", "已", "都"];
/// Words that mean the message itself, whoever says them.
const FIRM: &[&str] = &["收到", "收悉", "知道", "知晓", "知悉", "明白", "看到", "了解", "晓得"];
/// Withdraw. STOP is what English readers know from elsewhere.
const WITHDRAW: &[&str] = &["退订", "我要退订", "请退订", "申请退订", "取消订阅"];
const WITHDRAW_LATIN: &[&str] = &["T", "TD", "STOP", "UNSUBSCRIBE"];
/// What changes nothing: thanks, how people are addressed, what they call the message, and what they copy from the instruction.
const COURTESY: &[&str] = &[
    "谢谢",
    "谢谢您",
    "谢谢你",
    "谢谢你们",
    "谢谢您们",
    "谢谢了",
    "多谢",
    "感谢",
    "非常感谢",
    "十分感谢",
    "辛苦",
    "辛苦了",
    "您辛苦了",
    "你们辛苦了",
    "大家辛苦了",
    "了",
    "啦",
    "哈",
    "啊",
    "呀",
    "哦",
    "噢",
    "哟",
    "的",
    "您好",
    "你好",
    "医生",
    "老师",
    "领导",
    "同志",
    "通知",
    "短信",
    "信息",
    "消息",
    "提醒",
    "请放心",
    "会注意",
    "会注意的",
    "会配合",
    "一定配合",
    "回复",
    "回",
];
/// Behind them "VERY MUCH" is courtesy, although each word has the shape of a code.
const THANKS: &[&str] = &["THANKS", "THANK", "THX", "TKS", "TY"];
const COURTESY_LATIN: &[&str] =
    &["THANKS", "THANK", "YOU", "THX", "TKS", "TY", "VERY", "MUCH", "IT", "THE", "MESSAGE", "ALERT", "REPLY", "SIR"];

/// A text, taken apart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Said {
    pub(super) acknowledges: bool,
    pub(super) withdraws: bool,
    pub(super) codes: Vec<ShortCode>,
}

/// What takes a withdrawal back: the whole of a reply, as our answer asks for it. It is not read in parts, since "恢复" is said of health too.
const RESUME: &[&str] = &["HF", "恢复", "恢复接收", "RESUME"];

/// Whether a reply takes a withdrawal back.
pub(super) fn resumes(plain: &str) -> bool {
    let asked_for = ["回复", "REPLY"].iter().find_map(|word| plain.strip_prefix(word)).unwrap_or(plain);
    RESUME.contains(&asked_for.trim())
}

/// What a text in plain characters consists of; none if any of it is not known.
pub(super) fn read(plain: &str) -> Option<Said> {
    let (mut said, mut thanked) = (Said::default(), false);
    for piece in pieces(plain) {
        match piece {
            Piece::Latin(word) => {
                said.latin(&word, thanked)?;
                thanked |= THANKS.contains(&word.as_str());
            }
            Piece::Other(run) => said.chinese(&run)?,
        }
    }
    Some(said)
}

enum Piece {
    /// One word of letters and digits.
    Latin(String),
    /// Characters of another script, whatever blanks were between them.
    Other(String),
}

fn pieces(plain: &str) -> Vec<Piece> {
    let mut pieces: Vec<Piece> = Vec::new();
    let mut blank = true;
    for c in plain.chars() {
        if c == ' ' {
            blank = true;
            continue;
        }
        match (pieces.last_mut(), c.is_ascii()) {
            (Some(Piece::Latin(word)), true) if !blank => word.push(c),
            (Some(Piece::Other(run)), false) => run.push(c),
            (_, true) => pieces.push(Piece::Latin(c.into())),
            (_, false) => pieces.push(Piece::Other(c.into())),
        }
        blank = false;
    }
    pieces
}

impl Said {
    fn latin(&mut self, word: &str, thanked: bool) -> Option<()> {
        if thanked && COURTESY_LATIN.contains(&word) {
            return Some(());
        }
        if ACKNOWLEDGE_LATIN.contains(&word) {
            self.acknowledges = true;
        } else if WITHDRAW_LATIN.contains(&word) {
            self.withdraws = true;
        } else if let Ok(code) = word.parse() {
            self.codes.push(code);
        } else if let Some(code) = word.strip_prefix('1').or_else(|| word.strip_suffix('1')) {
            self.acknowledges = true;
            self.codes.push(code.parse().ok()?);
        } else if !COURTESY_LATIN.contains(&word) {
            return None;
        }
        Some(())
    }

    fn chinese(&mut self, run: &str) -> Option<()> {
        let mut rest = run;
        while !rest.is_empty() {
            let known = |words: &[&str]| longest(words, rest);
            let (acknowledge, withdraw, courtesy) = (known(ACKNOWLEDGE), known(WITHDRAW), known(COURTESY));
            let length = acknowledge.max(withdraw).max(courtesy);
            if length == 0 {
                let after = LEADING.iter().find_map(|leading| rest.strip_prefix(leading))?;
                let firm = FIRM.iter().chain(LEADING).any(|word| after.starts_with(word));
                rest = firm.then_some(after)?;
                continue;
            }
            self.acknowledges |= acknowledge == length;
            self.withdraws |= withdraw == length;
            rest = rest.get(length..)?;
        }
        Some(())
    }
}

/// Octets of the longest of the words with which a text begins.
fn longest(words: &[&str], text: &str) -> usize {
    words.iter().filter(|word| text.starts_with(**word)).map(|word| word.len()).max().unwrap_or(0)
}

/// Full-width forms (U+FF01–FF5E) as the ASCII they stand for, letters as capitals, the traditional characters of replies as simplified ones,
/// invisible signs dropped, whatever else is neither letter nor digit as a blank.
pub(super) fn plain(text: &str) -> String {
    let plain: String = text.chars().filter(|c| !is_invisible(*c)).map(half_width).map(simplified).collect();
    plain.chars().map(|c| if c.is_alphanumeric() { c.to_ascii_uppercase() } else { ' ' }).collect::<String>().trim().to_owned()
}

fn is_invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}')
}

fn half_width(c: char) -> char {
    match c {
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(c) - 0xfee0).unwrap_or(c),
        '①' | '⑴' | '⒈' => '1',
        _ => c,
    }
}

/// Traditional characters of the words that are looked for here and in [`help`](super::help), each before the simplified one.
const TRADITIONAL: &str = "確确認认訂订謝谢沒没無无閱阅讀读瞭了曉晓覆复複复復复燒烧熱热難难氣气藥药糧粮飯饭餓饿報报殺杀醫医師师領领導导訊讯們们經经嗎吗麼么\
                           請请問问幫帮產产發发養养傷伤來来會会鄉乡聯联繫系絕绝暈晕嘔呕斷断";

fn simplified(c: char) -> char {
    if c.is_ascii() {
        return c;
    }
    let mut pairs = TRADITIONAL.chars();
    while let (Some(traditional), Some(simplified)) = (pairs.next(), pairs.next()) {
        if traditional == c {
            return simplified;
        }
    }
    c
}
