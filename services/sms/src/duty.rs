//! Word to who is on duty at the city command: an alert is in danger of missing its deadline, or worse than was told (CQ10).
//!
//! The console shows it to whoever looks; at night nobody may. So the phones that the operator has set get a short message for each such
//! alarm, before every alert in the line. That the danger is over, the console says.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta};
use domain::ids::AlertId;
use futures::future::join_all;
use platform::{Platform, bus::understood};
use proto::{AlertInDanger, topology::SMS_IN_DANGER};

use crate::{
    error::Error,
    once::{Once, Word, answer},
    settings::Settings,
    smpp::lanes::Lane,
};

/// Alarms attended to at the same time: a repeat waits until the first is noted.
const AT_ONCE: usize = 1;
/// An alarm that reaches nobody within this time is known by then otherwise.
const OF_USE: TimeDelta = TimeDelta::hours(2);
/// Of the headline, so that the message stays a short one.
const HEADLINE_CHARACTERS: usize = 20;

/// Listens for alarms.
pub(crate) fn start(platform: &Platform, settings: &Arc<Settings>, once: &Once) -> Result<(), platform::Error> {
    let (settings, once) = (settings.clone(), once.clone());
    platform.bus.subscribe(&SMS_IN_DANGER, AT_ONCE, move |alarm: AlertInDanger| {
        let (settings, once) = (settings.clone(), once.clone());
        async move { Ok(tell(&once, &settings, understood("alert id", alarm.alert_id.parse())?, &alarm).await?) }
    })
}

async fn tell(once: &Once, settings: &Settings, alert_id: AlertId, alarm: &AlertInDanger) -> Result<(), Error> {
    let Some(at) = DateTime::from_timestamp_millis(alarm.at_ms).filter(|_| !settings.duty_phones.is_empty()) else { return Ok(()) };
    let headline = headline(once, alert_id).await?.unwrap_or_default();
    let text = text(&settings.signature, &headline, alarm);
    let sends = settings.duty_phones.iter().enumerate().map(async |(place, to)| {
        let id = format!("{}:{place}", alarm.alarm_id);
        let sent = once.send(Word { id: &id, to: *to, text: &text, lane: Lane::Duty, until: at + OF_USE }).await;
        if let Some(outcome) = answer(&sent) {
            metrics::counter!("sms_duty_total", "answer" => outcome.to_string()).increment(1);
        }
        sent
    });
    // Each is tried; one phone that is off keeps nothing from the others.
    join_all(sends).await.into_iter().collect::<Result<Vec<_>, Error>>()?;
    Ok(())
}

/// What the alert is called.
async fn headline(once: &Once, alert_id: AlertId) -> Result<Option<String>, Error> {
    let headline = sqlx::query_scalar!(
        "select content #>> '{texts,zh-CN,headline}' as headline from review.approved_alert where alert_id = $1",
        alert_id.uuid()
    )
    .fetch_optional(once.platform.database.pool())
    .await?;
    Ok(headline.flatten())
}

fn text(signature: &str, headline: &str, alarm: &AlertInDanger) -> String {
    let mut called: String = headline.chars().take(HEADLINE_CHARACTERS).collect();
    if called.len() < headline.len() {
        called.push('…');
    }
    let kind = if alarm.again { "时限告警（加重）" } else { "时限告警" };
    format!("【{signature}】{kind}：弹窗「{called}」{}请登录控制台处理。", alarm.sentence)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_alarm_says_which_alert_and_why_and_what_to_do() {
        let alarm = AlertInDanger {
            sentence: "将超出时限 12 分钟，原因：短信每分钟最多 60,000 条。".to_owned(),
            ..AlertInDanger::default()
        };
        let told = text("烽火", "请立即居家隔离", &alarm);
        assert_eq!(told, "【烽火】时限告警：弹窗「请立即居家隔离」将超出时限 12 分钟，原因：短信每分钟最多 60,000 条。请登录控制台处理。");
        let worse = text("烽火", &"长".repeat(30), &AlertInDanger { again: true, ..alarm });
        assert!(worse.starts_with(&format!("【烽火】时限告警（加重）：弹窗「{}…」", "长".repeat(20))), "{worse}");
    }
}
