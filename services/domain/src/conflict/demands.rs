//! What an alert asks people to do, told by the words for action in its texts.

use std::collections::BTreeSet;

use crate::alert::AlertContent;

crate::words! {
    /// Something that people are asked to do, of which doing and not doing exclude each other.
    pub enum Measure {
        /// Stay at home or inside.
        StayIn => "居家或留在室内",
        /// Leave the place.
        Leave => "撤离",
        /// Isolate.
        Isolate => "隔离",
        /// Get tested.
        Test => "检测",
        /// Drink no water from the tap, or boil it.
        BoilWater => "煮沸或不饮用自来水",
        /// Keep something closed, or away from it.
        KeepAway => "不要前往或暂停开放",
    }
}

/// What is asked of people about a measure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Demand {
    /// Which.
    pub measure: Measure,
    /// Whether it is to be taken; else it was lifted, or is not to be taken.
    pub taken: bool,
}

impl Demand {
    /// Whether nobody can do both.
    #[must_use]
    pub fn contradicts(self, other: Self) -> bool {
        let opposite = |one: Measure, two: Measure| (one, two) == (Measure::StayIn, Measure::Leave);
        if self.measure == other.measure {
            self.taken != other.taken
        } else {
            self.taken && other.taken && (opposite(self.measure, other.measure) || opposite(other.measure, self.measure))
        }
    }

    /// After "the alert", in Chinese.
    pub(super) fn zh(self) -> String {
        let title = self.measure.title();
        if self.taken { format!("要求{title}") } else { format!("说明无需{title}（或已解除）") }
    }

    /// After "the alert", in English.
    pub(super) fn en(self) -> String {
        let what = match self.measure {
            Measure::StayIn => "stay inside",
            Measure::Leave => "leave",
            Measure::Isolate => "isolate",
            Measure::Test => "get tested",
            Measure::BoilWater => "boil water or not drink it",
            Measure::KeepAway => "keep away",
        };
        if self.taken { format!("asks people to {what}") } else { format!("says that people need not {what} (any more)") }
    }
}

/// The words for each measure, in lower case.
const WORDS: &[(Measure, &[&str])] = &[
    (
        Measure::StayIn,
        &[
            "居家",
            "留在室内",
            "待在室内",
            "留在家中",
            "待在家中",
            "不外出",
            "勿外出",
            "不要外出",
            "足不出户",
            "原地等待",
            "就地避险",
            "stay at home",
            "stay home",
            "stay indoors",
            "stay inside",
            "remain indoors",
            "shelter in place",
            "do not go out",
        ],
    ),
    (Measure::Leave, &["撤离", "疏散", "撤出", "转移到安全", "转移至安全", "evacuate", "evacuation", "leave the area", "leave your home"]),
    (Measure::Isolate, &["隔离", "isolate", "isolation", "quarantine"]),
    (Measure::Test, &["核酸检测", "尽快检测", "检测一次", "get tested", "take a test"]),
    (Measure::BoilWater, &["煮沸", "烧开", "不要饮用自来水", "勿饮用自来水", "boil water", "boil your water", "do not drink tap water"]),
    (Measure::KeepAway, &["不要前往", "勿前往", "请勿进入", "停止开放", "暂停开放", "do not go to", "keep away", "stay away"]),
];

/// What stands shortly before a measure that is not asked for.
const NOT_BEFORE: &[&str] = &[
    "无需",
    "无须",
    "不必",
    "不用",
    "不需要",
    "解除",
    "取消",
    "停止",
    "请勿",
    "不要",
    "切勿",
    "no need to",
    "need not",
    "do not have to",
    "don't have to",
    "do not need to",
    "do not",
    "don't",
    "no longer need to",
    "no longer have to",
    "may stop",
    "lifted the",
    "lifting the",
    "end of the",
];
/// What stands shortly after a measure that is asked for no longer.
const NOT_AFTER: &[&str] = &[
    "要求解除",
    "措施解除",
    "要求已解除",
    "措施已解除",
    "已解除",
    "已取消",
    "要求取消",
    "已结束",
    "不再需要",
    "is lifted",
    "has been lifted",
    "was lifted",
    "are lifted",
    "is over",
    "has ended",
    "is cancelled",
    "is no longer",
];
/// How many characters before and after a word are looked at.
const NEAR: usize = 16;

/// What an alert asks for. A measure that one text both asks for and lifts is left out: nobody can tell which.
#[must_use]
pub fn demands(content: &AlertContent) -> BTreeSet<Demand> {
    let mut found = BTreeSet::new();
    for text in content.texts.values() {
        for part in [&text.headline, &text.body, &text.instruction, &text.sms] {
            for sentence in part.to_lowercase().split(['。', '；', '！', '!', ';', '\n']).flat_map(|part| part.split(". ")) {
                find_in(sentence, &mut found);
            }
        }
    }
    let both = |measure: Measure| [true, false].iter().all(|taken| found.contains(&Demand { measure, taken: *taken }));
    let unclear: Vec<Measure> = found.iter().map(|demand| demand.measure).filter(|measure| both(*measure)).collect();
    found.retain(|demand| !unclear.contains(&demand.measure));
    found
}

fn find_in(sentence: &str, found: &mut BTreeSet<Demand>) {
    for (measure, words) in WORDS {
        for word in *words {
            for (at, _) in sentence.match_indices(word) {
                let before: String = tail(&sentence[..at]);
                let after: String = sentence[at + word.len()..].chars().take(NEAR).collect();
                // "exit from isolation" and the like: what stands at once before or shortly after
                let negated =
                    NOT_BEFORE.iter().any(|not| before.trim_end().ends_with(not)) || NOT_AFTER.iter().any(|not| after.contains(not));
                found.insert(Demand { measure: *measure, taken: !negated });
            }
        }
    }
}

/// The last characters of a text.
fn tail(text: &str) -> String {
    let from = text.char_indices().rev().nth(NEAR - 1).map_or(0, |(at, _)| at);
    text[from..].to_owned()
}
