//! Whether somebody who writes back is in need: read first, before everything else that waits.
//!
//! A word too many costs somebody a look; a word too few may cost a life. So these are looked for anywhere in the text, and only a symptom that is
//! denied ("没有发烧") is left out.

/// Cries for help, and what nobody says without need.
const CRIES: &[&str] = &[
    "求助",
    "求救",
    "救命",
    "救救",
    "救我",
    "帮帮",
    "没人管",
    "无人管",
    "没有人管",
    "没人理",
    "不管我",
    "没人来",
    "联系不上",
    "断药",
    "断粮",
    "没药",
    "没有药",
    "买不到药",
    "没吃的",
    "没有吃的",
    "没饭吃",
    "没水喝",
    "饿",
    "报警",
    "急救",
    "救护车",
    "自杀",
    "不想活",
    "想死",
    "活不下去",
    "绝望",
    "要生了",
    "临产",
    "羊水",
    "打不通",
    "危险",
    "快不行了",
    "撑不住",
    "受不了",
    "很急",
];
/// Symptoms.
const SYMPTOMS: &[&str] = &[
    "发烧",
    "高烧",
    "发热",
    "呼吸困难",
    "喘不",
    "喘气",
    "胸痛",
    "胸闷",
    "昏迷",
    "晕倒",
    "昏倒",
    "吐血",
    "咳血",
    "出血",
    "抽搐",
    "休克",
    "摔倒",
    "受伤",
    "呕吐",
    "难受",
];
const DENIED: &[&str] = &["没", "没有", "不", "无", "未", "未曾"];
/// Words, and pairs of words, in English.
const CRIES_LATIN: &[&str] = &[
    "HELP",
    "SOS",
    "EMERGENCY",
    "AMBULANCE",
    "DYING",
    "SUICIDE",
    "STARVING",
    "FEVER",
    "BREATHE",
    "BREATHING",
    "BLEEDING",
    "UNCONSCIOUS",
    "URGENT",
    "NO FOOD",
];

/// Whether a text in plain characters asks for help.
pub(super) fn is_asked_for(plain: &str) -> bool {
    let joined: String = plain.split_whitespace().collect();
    let words = format!(" {plain} ");
    CRIES.iter().any(|cry| joined.contains(cry))
        || SYMPTOMS.iter().any(|symptom| {
            joined
                .match_indices(symptom)
                .any(|(at, _)| !DENIED.iter().any(|denied| joined.get(..at).is_some_and(|before| before.ends_with(denied))))
        })
        || CRIES_LATIN.iter().any(|cry| words.contains(&format!(" {cry} ")))
}
