//! How many people an audience has and what reaches them: resident's headcount, as the forecast needs it.

use chrono::{DateTime, Utc};
use domain::alert::AlertContent;
use domain::audience::Audience;
use domain::forecast::Reach;
use domain::headcount::HeadCount;
use domain::ids::{AlertId, ShortCode};
use domain::language::Language;
use domain::sms_text::{self, Composition};
use platform::database::readable_row;
use resident::headcount::{self, AudienceCounts, RoundedCounts};

use super::forecaster::Forecaster;
use crate::Error;
use crate::aside::{self, Slot, Step};
use crate::ledger::people;

/// An audience in numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    /// All of them.
    pub people: u64,
    /// Those who can be reached.
    pub reach: Reach,
    /// Those who cannot.
    pub unreachable: u64,
}

impl From<headcount::Counts> for Counts {
    fn from(counts: headcount::Counts) -> Self {
        // Numbers of people.
        let reach = Reach {
            app: people(counts.app),
            apns: people(counts.apns),
            fcm: people(counts.fcm),
            web: people(counts.web),
            sms: people(counts.sms),
        };
        Self { people: people(counts.people), reach, unreachable: people(counts.unreachable) }
    }
}

impl Counts {
    /// The same with no number that tells more than staff may be told. Of fewer than ten people it does not show what reaches them.
    pub(super) fn told(self) -> Self {
        if HeadCount::of(self.people).is_few() {
            return Self::unseen(HeadCount::FEW.told());
        }
        let load = |people: u64| HeadCount::of(people).load();
        let Reach { app, apns, fcm, web, sms } = self.reach;
        let reach = Reach { app: load(app), apns: load(apns), fcm: load(fcm), web: load(web), sms: load(sms) };
        Self { people: load(self.people), reach, unreachable: load(self.unreachable) }
    }

    /// People of whom nothing is known: taken to have the app on both kinds of phone, so that the slower provider rules. Push services of browsers
    /// name no limit, so they would change nothing.
    pub(super) fn unseen(people: u64) -> Self {
        Self { people, reach: Reach { app: people, apns: people, fcm: people, web: 0, sms: 0 }, unreachable: 0 }
    }
}

impl Forecaster {
    /// Counts an audience as of now. Not to be asked inside a transaction.
    pub(super) async fn count(&self, audience: &Audience) -> Result<AudienceCounts, Error> {
        Ok(self.headcount.of_audience(audience).await?)
    }

    /// Counts an audience as far as staff may be told. Not to be asked inside a transaction.
    pub(super) async fn count_rounded(&self, audience: &Audience) -> Result<RoundedCounts, Error> {
        Ok(self.headcount.rounded(audience).await?)
    }

    /// Counts the audience of the most urgent alert in line that was not counted yet. False: there is none. An exercise is for those who are enrolled.
    pub(super) async fn count_next(&self, now: DateTime<Utc>) -> Result<bool, Error> {
        let slot = Slot::default();
        aside::stepping(&self.database, &self.clock, Step::Count, &slot, self.count_one(now, &slot)).await
    }

    async fn count_one(&self, now: DateTime<Utc>, slot: &Slot) -> Result<bool, Error> {
        let Some(alert) = sqlx::query!(
            r#"select a.alert_id, a.short_code, a.exercise, a.audience, a.content, s.failures is not null as "again!"
                 from dispatch.alert a
                 left join dispatch.set_aside s on s.alert_id = a.alert_id and s.wave = 0 and s.step = 'count'
                where a.state in ('waiting', 'dispatching') and (s.until is null or s.until <= $1)
                  and not exists (select from dispatch.headcount h where h.alert_id = a.alert_id)
                order by a.class = 'urgent' desc, a.due_at limit 1"#,
            now,
        )
        .fetch_optional(self.database.pool())
        .await?
        else {
            return Ok(false);
        };
        let alert_id = AlertId::from_uuid(alert.alert_id);
        slot.is_about(alert_id, 0, alert.again);
        // An audience that cannot be read counts as nobody, a text as one that is not known yet: otherwise none behind it was ever counted.
        let audience = Audience::from_bytes(&alert.audience).map_err(|error| Error::damaged("audience", alert_id, error));
        let counts = match readable_row("audiences to count", audience) {
            Some(audience) => self.count(&audience).await?,
            None => AudienceCounts::default(),
        };
        let counts = Counts::from(if alert.exercise { counts.drill } else { counts.everybody });
        let content = serde_json::from_value::<AlertContent>(alert.content).ok().zip(alert.short_code.parse().ok());
        let sms_parts = content.and_then(|(content, short_code)| parts(&content, short_code, &self.capacity.sms_signature));
        let sms_parts = sms_parts.unwrap_or(self.settings.forecast.sms_parts);
        let stored = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
        sqlx::query!(
            r#"insert into dispatch.headcount (alert_id, people, app, apns, fcm, web, sms, sms_parts, counted_at)
               values ($1, $2, $3, $4, $5, $6, $7, $8, $9) on conflict (alert_id) do nothing"#,
            alert.alert_id,
            stored(counts.people),
            stored(counts.reach.app),
            stored(counts.reach.apns),
            stored(counts.reach.fcm),
            stored(counts.reach.web),
            stored(counts.reach.sms),
            i16::from(sms_parts),
            now,
        )
        .execute(self.database.pool())
        .await?;
        Ok(true)
    }
}

/// Parts of the alert's SMS in Chinese, which nearly everybody gets; none where it cannot be written as one.
fn parts(content: &AlertContent, short_code: ShortCode, signature: &str) -> Option<u8> {
    let text = &content.text(Language::ZhCn)?.sms;
    let composition = Composition { signature, text, contact: &content.contact, short_code: Some(short_code), language: Language::ZhCn };
    u8::try_from(sms_text::compose(&composition).ok()?.segments).ok()
}
