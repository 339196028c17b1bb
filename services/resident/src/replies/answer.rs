//! What somebody who wrote by SMS is answered: one short message, and none to whoever writes again and again, since machines answer machines.
//!
//! Who has confirmed with the code, or had only one alert to confirm, knows what they did and is not answered: an urgent alert has millions of
//! such replies. Who could have meant several is told which one counts.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use domain::ids::AlertId;
use domain::language::Language;
use platform::Platform;
use platform::database::{Connection, Tx};

use crate::{Error, Service, short_message};

/// What is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// This of several alerts counts as confirmed.
    Confirmed,
    /// There is nothing to confirm.
    NothingOpen,
    /// It will be read.
    Kept,
    /// It will be read, and first.
    KeptAsUrgent,
    /// The number is not registered; it will be read.
    Stranger,
    /// No alerts come any more; how to have them again.
    Withdrawn,
    /// They come again.
    Resumed,
}

/// Changes of mind are answered so often in this time, which the city pays for.
const DAY: Duration = Duration::from_hours(24);
/// Within this time the same is answered to one phone so often.
const OFTEN: Duration = Duration::from_secs(3600);
/// Who asks something knows after one answer where to ask.
const ONCE: u64 = 1;
/// Nobody confirms so many alerts in an hour.
const CONFIRMATIONS: u64 = 10;
/// Nor changes their mind so often in a day.
const CHANGES: u64 = 3;
/// An answer that comes later answers nothing.
const GOOD_FOR: TimeDelta = TimeDelta::hours(2);
/// Characters of a headline that are repeated: the answer fits one part.
const LONGEST_HEADLINE: usize = 30;

/// What an answer says of its alert.
#[derive(Default)]
pub(super) struct About {
    headline: String,
    contact: String,
    exercise: bool,
}

impl About {
    /// What is kept of the alert.
    pub(super) async fn of(connection: &mut Connection, alert: Option<AlertId>, language: Language) -> Result<Self, Error> {
        let Some(alert) = alert else { return Ok(Self::default()) };
        let row = sqlx::query!(
            r#"select coalesce(content #>> array['texts', $2, 'headline'], content #>> '{texts,zh-CN,headline}', '') as "headline!",
                      coalesce(content ->> 'contact', '') as "contact!", coalesce(content ->> 'status' = 'exercise', false) as "exercise!"
                 from resident.alert where alert_id = $1"#,
            alert.uuid(),
            language.as_ref()
        )
        .fetch_optional(connection)
        .await
        .map_err(Error::database("reading what an answer is about"))?;
        Ok(row.map(|row| Self { headline: row.headline, contact: row.contact, exercise: row.exercise }).unwrap_or_default())
    }
}

impl Answer {
    fn text(self, signature: &str, hotline: &str, about: &About, language: Language) -> String {
        let headline: String = about.headline.chars().take(LONGEST_HEADLINE).collect();
        let ask = if about.contact.trim().is_empty() { hotline } else { about.contact.trim() };
        // What is about an exercise says so in every message (CQ15).
        let (mark, said) = match language {
            Language::ZhCn => (
                "【演练】",
                match self {
                    Self::Confirmed => format!("已确认《{headline}》。"),
                    Self::NothingOpen => format!("没有找到等您确认的提醒，可能已结束；如刚收到，稍后自动计入。咨询{ask}。"),
                    Self::Kept => format!("您的短信已转工作人员。咨询请拨打{ask}；确认收到请回复1，退订回复T。"),
                    Self::KeptAsUrgent => format!("您的短信已按紧急情况转工作人员。有生命危险请立即拨打120；咨询{ask}。"),
                    Self::Stranger => format!("本手机号未登记，您的短信已转工作人员。咨询请拨打{ask}。"),
                    Self::Withdrawn => format!("已退订，不再向您发送健康提醒。如非本人操作或要恢复，30天内回复HF。咨询{ask}。"),
                    Self::Resumed => format!("已恢复接收健康提醒。咨询{ask}。"),
                },
            ),
            Language::En => (
                "[EXERCISE] ",
                match self {
                    Self::Confirmed => format!("Confirmed: \"{headline}\"."),
                    Self::NothingOpen => format!("No alert waits for you now; one that came just now will be counted. Ask {ask}."),
                    Self::Kept => format!("Your message goes to our staff. Call {ask} to ask; reply 1 to confirm, T to stop."),
                    Self::KeptAsUrgent => format!("Your message goes to our staff as urgent. In danger call 120 at once. Ask {ask}."),
                    Self::Stranger => format!("This number is not registered. Your message goes to our staff. Call {ask} to ask."),
                    Self::Withdrawn => {
                        format!("No health alerts will be sent to you. Not you, or not meant? Reply HF within 30 days. Ask {ask}.")
                    }
                    Self::Resumed => format!("You get health alerts again. Ask {ask}."),
                },
            ),
        };
        format!("【{signature}】{}{said}", if about.exercise { mark } else { "" })
    }

    /// Whether this phone may still be answered so. While the cache is away nobody is: a machine that answers would be answered without end.
    pub(super) async fn is_due(self, platform: &Platform, phone_hash: &[u8]) -> bool {
        let (kind, most, within) = match self {
            Self::Confirmed => ("confirmed", CONFIRMATIONS, OFTEN),
            Self::NothingOpen => ("nothing_open", ONCE, OFTEN),
            Self::Kept | Self::Stranger => ("kept", ONCE, OFTEN),
            Self::KeptAsUrgent => ("urgent", ONCE, OFTEN),
            // whoever sends them in somebody's name must not be able to use the answer up
            Self::Withdrawn => ("withdrawn", CHANGES, DAY),
            Self::Resumed => ("resumed", CHANGES, DAY),
        };
        match platform.cache.incr(&format!("sms-answer:{kind}:{}", hex::encode(phone_hash)), within).await {
            Ok(times) => times <= most,
            Err(error) => {
                tracing::warn!(error = platform::tasks::chain(&error), "a reply by SMS is not answered");
                false
            }
        }
    }
}

/// A number to write to, as it came.
pub(super) struct Phone<'a> {
    pub(super) sealed: &'a [u8],
    pub(super) language: Language,
}

/// Has the answer sent, in the transaction that keeps the reply.
pub(super) async fn send(
    tx: &mut Tx,
    service: &Service,
    answer: Answer,
    about: &About,
    phone: &Phone<'_>,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    let settings = &service.settings;
    let text = answer.text(&settings.signature, &settings.hotline, about, phone.language);
    short_message::send(tx, &service.platform, phone.sealed.to_vec(), &text, now + GOOD_FOR).await
}

#[cfg(test)]
mod tests {
    use domain::sms_text::SmsText;
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(Answer::Confirmed, Language::ZhCn, "【烽火】已确认《请煮沸饮用水》。")]
    #[case(Answer::Confirmed, Language::En, "【烽火】Confirmed: \"请煮沸饮用水\".")]
    #[case(Answer::Kept, Language::ZhCn, "【烽火】您的短信已转工作人员。咨询请拨打023-12320；确认收到请回复1，退订回复T。")]
    fn an_answer_says_what_became_of_it(#[case] answer: Answer, #[case] language: Language, #[case] text: &str) {
        let about = About { headline: "请煮沸饮用水".into(), contact: "023-12320".into(), exercise: false };
        assert_eq!(answer.text("烽火", "12320", &about, language), text);
    }

    #[test]
    fn an_answer_about_an_exercise_says_so_and_every_answer_is_short() {
        let about = About { headline: "长".repeat(200), contact: String::new(), exercise: true };
        for answer in [
            Answer::Confirmed,
            Answer::NothingOpen,
            Answer::Kept,
            Answer::KeptAsUrgent,
            Answer::Stranger,
            Answer::Withdrawn,
            Answer::Resumed,
        ] {
            let text = answer.text("烽火", "12320", &about, Language::ZhCn);
            assert!(text.starts_with("【烽火】【演练】"), "{text}");
            assert_eq!(SmsText::new(&text).segments, 1, "{text}");
            assert!(answer == Answer::Confirmed || text.contains("12320"), "{text}");
        }
    }
}
