//! A forecast as people read it.

use chrono::{DateTime, Utc};

use crate::outcome::Channel;

use super::{Brake, Lane, Outlook, Slowest, Verdict};

/// One sentence in Chinese and in English.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sentence {
    /// In Chinese.
    pub zh: String,
    /// In English.
    pub en: String,
}

impl Outlook {
    /// Whether the deadline can be held and what stands against it. Times are told from `start` on.
    #[must_use]
    pub fn sentence(&self, start: DateTime<Utc>) -> Sentence {
        match self.verdict() {
            Verdict::Holds { spare_s } => {
                let (takes, spare) = (Span::up((self.last_at - start).num_seconds()), Span::down(spare_s));
                Sentence {
                    zh: format!("可以按时完成：{}内全部送达，比时限提前 {}。", takes.zh(), spare.zh()),
                    en: format!("Can be held: everybody is reached within {}, {} before the deadline.", takes.en(), spare.en()),
                }
            }
            Verdict::Misses { by_s, because } => {
                let by = Span::up(by_s);
                match because.map(reason) {
                    Some(Sentence { zh, en }) => Sentence {
                        zh: format!("将超出时限 {}，原因：{zh}。", by.zh()),
                        en: format!("Misses the deadline by {} because of {en}.", by.en()),
                    },
                    None => {
                        Sentence { zh: format!("已超出时限 {}。", by.zh()), en: format!("Is {} past the deadline already.", by.en()) }
                    }
                }
            }
        }
    }
}

/// Such as "FCM: 600,000 a minute; 32,054,159 recipients take 54 min".
fn reason(slowest: Slowest) -> Sentence {
    let takes = Span::up(slowest.takes_s);
    let (zh, en) = match slowest.brake {
        Brake::Rate(lane) => match lane {
            Lane::Apns => ("APNs 每分钟最多", "APNs:"),
            Lane::Fcm => ("FCM 每分钟最多", "FCM:"),
            Lane::WebPush => ("浏览器推送每分钟最多", "Web Push:"),
            Lane::Sms => ("短信每分钟最多", "SMS:"),
        },
        Brake::Seen(Channel::Sms) => ("短信近来每分钟仅送出", "the slow SMS channel: lately"),
        Brake::Seen(Channel::App | Channel::Display) => ("App 推送近来每分钟仅送出", "slow app pushes: lately"),
        Brake::Processes => ("本平台各进程每分钟最多送出", "our own processes:"),
        Brake::Waiting(channel) => {
            let (zh, en) = if channel == Channel::Sms { ("短信", "by SMS") } else { ("App 推送", "by the app") };
            return Sentence {
                zh: format!("部分{zh}须等待 {}后才能再次发送", takes.zh()),
                en: format!("a wait: some messages {en} are not tried again before {}", takes.en()),
            };
        }
    };
    let (rate, own, ahead) = (grouped(slowest.per_minute), grouped(slowest.recipients), grouped(slowest.ahead));
    let (parts_zh, parts_en) = match slowest.parts {
        0 | 1 => (String::new(), String::new()),
        parts => (format!("（每人 {parts} 条）"), format!(" of {parts} parts each")),
    };
    let (ahead_zh, ahead_en) = match slowest.ahead {
        0 => (String::new(), String::new()),
        _ => (format!("前面另有 {ahead} 人，"), format!(" behind {ahead} of alerts before")),
    };
    Sentence {
        zh: format!("{zh} {rate} 条，{ahead_zh}{own} 人{parts_zh}共需 {}", takes.zh()),
        en: format!("{en} {rate} a minute; {own} recipients{parts_en}{ahead_en} take {}", takes.en()),
    }
}

/// A length of time in the two largest units that matter.
struct Span {
    minutes: i64,
}

const HOUR: i64 = 60;
const DAY: i64 = 24 * HOUR;

impl Span {
    /// A begun minute counts.
    fn up(seconds: i64) -> Self {
        Self { minutes: seconds.max(0).saturating_add(59) / 60 }
    }

    /// A begun minute does not count.
    fn down(seconds: i64) -> Self {
        Self { minutes: seconds.max(0) / 60 }
    }

    fn zh(&self) -> String {
        match self.minutes {
            minutes if minutes < 2 * HOUR => format!("{minutes} 分钟"),
            minutes if minutes < 2 * DAY => format!("{} 小时 {} 分钟", minutes / HOUR, minutes % HOUR),
            minutes => format!("{} 天 {} 小时", minutes / DAY, minutes % DAY / HOUR),
        }
    }

    fn en(&self) -> String {
        match self.minutes {
            minutes if minutes < 2 * HOUR => format!("{minutes} min"),
            minutes if minutes < 2 * DAY => format!("{} h {} min", minutes / HOUR, minutes % HOUR),
            minutes => format!("{} d {} h", minutes / DAY, minutes % DAY / HOUR),
        }
    }
}

/// 32054159 as `32,054,159`.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.char_indices() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(0, "0")]
    #[case(999, "999")]
    #[case(1_000, "1,000")]
    #[case(32_054_159, "32,054,159")]
    fn numbers_are_grouped(#[case] number: u64, #[case] text: &str) {
        assert_eq!(grouped(number), text);
    }

    #[rstest]
    #[case(1, "1 min", "1 分钟")]
    #[case(3_206, "54 min", "54 分钟")]
    #[case(19_200, "5 h 20 min", "5 小时 20 分钟")]
    #[case(604_800, "7 d 0 h", "7 天 0 小时")]
    fn a_begun_minute_counts(#[case] seconds: i64, #[case] en: &str, #[case] zh: &str) {
        let span = Span::up(seconds);
        assert_eq!((span.en().as_str(), span.zh().as_str()), (en, zh));
    }

    #[rstest]
    #[case::quota(
        Brake::Rate(Lane::Fcm),
        600_000,
        1,
        "FCM: 600,000 a minute; 1,000 recipients behind 2,000 of alerts before take 54 min",
        "FCM 每分钟最多 600,000 条，前面另有 2,000 人，1,000 人共需 54 分钟"
    )]
    #[case::long_sms(
        Brake::Rate(Lane::Sms),
        60_000,
        3,
        "SMS: 60,000 a minute; 1,000 recipients of 3 parts each behind 2,000 of alerts before take 54 min",
        "短信每分钟最多 60,000 条，前面另有 2,000 人，1,000 人（每人 3 条）共需 54 分钟"
    )]
    #[case::slow(
        Brake::Seen(Channel::App),
        60,
        1,
        "slow app pushes: lately 60 a minute; 1,000 recipients behind 2,000 of alerts before take 54 min",
        "App 推送近来每分钟仅送出 60 条，前面另有 2,000 人，1,000 人共需 54 分钟"
    )]
    #[case::wait(
        Brake::Waiting(Channel::Sms),
        0,
        1,
        "a wait: some messages by SMS are not tried again before 54 min",
        "部分短信须等待 54 分钟后才能再次发送"
    )]
    fn a_reason_names_what_is_slow(#[case] brake: Brake, #[case] per_minute: u64, #[case] parts: u8, #[case] en: &str, #[case] zh: &str) {
        let sentence = reason(Slowest { brake, per_minute, recipients: 1_000, ahead: 2_000, parts, takes_s: 3_206 });
        assert_eq!((sentence.en.as_str(), sentence.zh.as_str()), (en, zh));
    }
}
