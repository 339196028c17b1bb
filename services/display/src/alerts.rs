//! Alerts come and go: the handlers of `alert.released`, `alert.stopped` and `alert.closed`, and the expiry.
//!
//! Events may come twice and in any order. A stop that comes first is kept; an alert that has ended never comes back. What no event has told is
//! found by a sweep, which compares every minute with what dispatch and review show.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use domain::{
    alert::{AlertContent, DeliveryClass},
    approval_seal::{ApprovalSeal, Terms, words},
    area::{Area, DistrictCode},
    audience::Audience,
    ids::AlertId,
    outcome::Channel,
    withdrawal,
};
use platform::{
    BoxError, Platform,
    database::{Tx, readable},
    jobs::{Did, Job},
    sweep::{GRACE, Sweep},
    worker::Wake,
};
use proto::AuditEntry;
use uuid::Uuid;

use crate::{
    SCHEMA,
    error::Error,
    playlist::{self, Shown},
};

/// What the handlers need.
#[derive(Clone)]
pub(crate) struct Alerts {
    pub(crate) platform: Platform,
    /// Tells the feed of this process.
    pub(crate) changed: Wake,
}

/// Ended alerts are told to screens for so long; a screen that was away for longer is told its whole list anyway.
const ENDED_KEPT_S: f64 = 86_400.0;

pub(crate) const TAKE_OVER: Job = Job {
    name: "display.take_over",
    cron: "30 * * * * *",
    about: "核对推送与审核记录：补上屏幕遗漏的弹窗，撤下已结束的弹窗，标明正在核实的弹窗。",
    about_en: "Compares screens with dispatch and review: takes in alerts, takes out ended alerts, and marks those that are being checked, where no event has told.",
    at_start: false,
};

impl Alerts {
    /// Gives a released alert to the screens, if it is meant for screens.
    pub(crate) async fn released(&self, alert_id: AlertId) -> Result<(), Error> {
        let mut tx = self.platform.database.begin().await?;
        one_at_a_time(&mut tx, alert_id).await?;
        // An explicit audience has no places of its own; then the district counts in which the alert came up.
        let row = sqlx::query!(
            r#"select class as "class!", exercise as "exercise!", content as "content!", released.audience as "audience!",
                      released_at as "released_at!", expires_at as "expires_at!", approved.district as "district?", approved.seal as "seal?"
               from dispatch.released_alert released
               left join (select alert_id, district, seal from review.approved_alert) approved using (alert_id)
               where alert_id = $1"#,
            alert_id.uuid()
        )
        .fetch_optional(&mut *tx)
        .await?;
        // No longer among the released ones: it ended before we came to it.
        let Some(row) = row else { return Ok(()) };
        let content: AlertContent =
            serde_json::from_value(row.content.clone()).map_err(|error| Error::damaged("content", alert_id, error))?;
        if !content.display {
            return Ok(());
        }
        let seal: Option<ApprovalSeal> =
            row.seal.map(serde_json::from_value).transpose().map_err(|error| Error::damaged("seal", alert_id, error))?;
        // what was approved is what screens show: anything else is shown by none
        let class: DeliveryClass = row.class.parse().map_err(|error: strum::ParseError| Error::damaged("class", alert_id, error))?;
        let terms = Terms { exercise: row.exercise, ..Terms::of(class, &content) };
        let is_unlike =
            |seal: &ApprovalSeal| !seal.unlike_words(&content, Channel::Display).is_empty() || seal.unlike_terms(&terms).is_some();
        if seal.as_ref().is_some_and(is_unlike) {
            note_unlike(&mut tx, alert_id, self.platform.clock.now()).await?;
            return Ok(tx.commit().await?);
        }
        let given = seal.map(|_| given(&content)).transpose().map_err(|error| Error::damaged("content", alert_id, error))?;
        let audience = Audience::from_bytes(&row.audience).map_err(|error| Error::damaged("audience", alert_id, error))?;
        let district = row.district.map(DistrictCode::try_from).transpose();
        let district = district.map_err(|error| Error::damaged("district", alert_id, error))?;
        let areas: Vec<String> = playlist::areas(&audience, &content, district).iter().map(ToString::to_string).collect();
        sqlx::query!(
            "insert into display.alert (alert_id, urgent, exercise, content, areas, released_at, expires_at, given, checked_since)
             select $1, $2, $3, $4, $5, $6, $7, $8, (select held_at from review.alert_standing where alert_id = $1) 
              where not exists (select from display.stop where alert_id = $1)
                -- what is being checked comes onto no further screen until it is found to hold
                and not exists (select from review.alert_standing where alert_id = $1 and held_at is not null)
             on conflict (alert_id) do nothing",
            alert_id.uuid(),
            row.class == "urgent",
            row.exercise,
            row.content,
            &areas,
            row.released_at,
            row.expires_at,
            given,
        )
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        self.changed.wake();
        Ok(())
    }

    /// Takes an alert off all screens: it was cancelled, corrected or closed. Where two people have said in words that it has ended, the screens that
    /// show it say that instead, for a while: who saw the one there sees the other.
    pub(crate) async fn ended(&self, alert_id: AlertId) -> Result<(), Error> {
        let now = self.platform.clock.now();
        let mut tx = self.platform.database.begin().await?;
        one_at_a_time(&mut tx, alert_id).await?;
        let is_news = sqlx::query!(
            "insert into display.stop (alert_id, stopped_at) values ($1, $2) on conflict (alert_id) do nothing",
            alert_id.uuid(),
            now
        )
        .execute(&mut *tx)
        .await?
        .rows_affected()
            > 0;
        // on a repeat it says its end already, or has done so
        if !(is_news && say_its_end(&mut tx, alert_id, now).await?) {
            sqlx::query!(
                "update display.alert set state = 'stopped', ended_at = $2, revision = nextval('display.revision')
                 where alert_id = $1 and state = 'live' and not says_its_end",
                alert_id.uuid(),
                now
            )
            .execute(&mut *tx)
            .await?;
        }
        tx.commit().await?;
        self.changed.wake();
        Ok(())
    }

    /// Says beside an alert that it is being checked, or no longer: as review shows it.
    pub(crate) async fn checked(&self, alert_id: AlertId) -> Result<(), Error> {
        let mut tx = self.platform.database.begin().await?;
        one_at_a_time(&mut tx, alert_id).await?;
        sqlx::query!(
            "update display.alert a set checked_since = r.held_at, revision = nextval('display.revision') from review.alert_standing r
              where a.alert_id = $1 and r.alert_id = $1 and a.state = 'live' and not a.says_its_end and a.checked_since is distinct from r.held_at",
            alert_id.uuid()
        )
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        self.changed.wake();
        // what was kept back meanwhile is shown if it holds
        self.released(alert_id).await
    }

    /// Takes over what dispatch and review show and no event has told.
    pub(crate) async fn sweep(&self) -> Result<Did, BoxError> {
        let (pool, before) = (self.platform.database.pool(), self.platform.clock.now() - GRACE);
        let missing = sqlx::query_scalar!(
            r#"select r.alert_id as "alert_id!" from dispatch.released_alert r
                where r.released_at < $1 and r.content @> '{"display": true}'
                  and not exists (select from display.alert a where a.alert_id = r.alert_id)
                  and not exists (select from display.stop s where s.alert_id = r.alert_id)
                  and not exists (select from review.alert_standing h where h.alert_id = r.alert_id and h.held_at is not null)"#,
            before
        )
        .fetch_all(pool)
        .await?;
        let over = sqlx::query!(
            r#"select a.alert_id as "alert_id!", 'stop' as "what!" from display.alert a join review.alert_standing r using (alert_id)
                where a.state = 'live' and not a.says_its_end and r.state in ('cancelled', 'superseded') and r.changed_at < $1
               union all
               select a.alert_id, 'check' from display.alert a join review.alert_standing r using (alert_id)
                where a.state = 'live' and not a.says_its_end and r.state in ('approved', 'dispatching', 'active')
                  and a.checked_since is distinct from r.held_at and r.changed_at < $1
               union all
               select a.alert_id, 'close' from display.alert a join dispatch.alert_progress p using (alert_id)
                where a.state = 'live' and p.state = 'closed' and p.ended_at < $1"#,
            before
        )
        .fetch_all(pool)
        .await?;
        let mut sweep = Sweep::of("display");
        for alert_id in missing.into_iter().map(AlertId::from_uuid) {
            sweep.take_over("release", alert_id, self.released(alert_id)).await;
        }
        for row in over {
            let alert_id = AlertId::from_uuid(row.alert_id);
            match row.what.as_str() {
                "check" => sweep.take_over("check", alert_id, self.checked(alert_id)).await,
                "close" => sweep.take_over("close", alert_id, self.ended(alert_id)).await,
                _ => sweep.take_over("stop", alert_id, self.ended(alert_id)).await,
            };
        }
        sweep.done()
    }

    /// Ends what has expired, then reads all that screens have to know.
    pub(crate) async fn current(&self) -> Result<Vec<Shown>, Error> {
        let (pool, now) = (self.platform.database.pool(), self.platform.clock.now());
        sqlx::query!(
            "update display.alert set state = 'expired', ended_at = $1, revision = nextval('display.revision')
             where state = 'live' and expires_at <= $1",
            now
        )
        .execute(pool)
        .await?;
        let rows = sqlx::query!(
            r#"select alert_id, urgent, exercise, content, areas, released_at, revision, state = 'live' as "live!",
                      checked_since is not null as "checked!"
               from display.alert where state = 'live' or ended_at > $1::timestamptz - make_interval(secs => $2)"#,
            now,
            ENDED_KEPT_S
        )
        .fetch_all(pool)
        .await?;
        let alerts = rows.into_iter().map(|row| {
            let alert_id = AlertId::from_uuid(row.alert_id);
            let areas: Result<Vec<Area>, _> = row.areas.iter().map(|area| area.parse()).collect();
            Ok::<_, Error>(Shown {
                alert_id,
                urgent: row.urgent,
                exercise: row.exercise,
                content: serde_json::from_value(row.content).map_err(|error| Error::damaged("content", alert_id, error))?,
                areas: areas.map_err(|error| Error::damaged("areas", alert_id, error))?,
                released_at: row.released_at,
                live: row.live,
                checked: row.checked,
                revision: row.revision,
            })
        });
        Ok(readable("alerts of screens", alerts))
    }
}

/// Notes, once, that an alert is shown by no screen since it is not what was approved.
async fn note_unlike(tx: &mut Tx, alert_id: AlertId, now: DateTime<Utc>) -> Result<(), Error> {
    let is_news = sqlx::query!(
        "insert into display.unlike_approved (alert_id, found_at) values ($1, $2) on conflict (alert_id) do nothing",
        alert_id.uuid(),
        now
    )
    .execute(&mut **tx)
    .await?
    .rows_affected()
        > 0;
    if is_news {
        metrics::counter!("display_unlike_approved_total").increment(1);
        tracing::error!(%alert_id, "what screens would show is not what was approved: no screen shows it");
        let entry = AuditEntry {
            entry_id: Uuid::now_v7().to_string(),
            actor_kind: "system".to_owned(),
            actor: "display".to_owned(),
            action: "alert.unlike_approved".to_owned(),
            object_kind: "alert".to_owned(),
            object: alert_id.to_string(),
            at_ms: now.timestamp_millis(),
            detail_json: serde_json::json!({ "channel": Channel::Display }).to_string(),
            ..AuditEntry::default()
        };
        tx.publish(SCHEMA, &entry).await?;
    }
    Ok(())
}

/// The digests of the words that screens are given, by language.
fn given(content: &AlertContent) -> serde_json::Result<serde_json::Value> {
    let each = content.texts.keys().filter_map(|&language| Some((language, words(content, language, Channel::Display)?)));
    serde_json::to_value(each.collect::<BTreeMap<_, _>>())
}

/// Puts the word of its end in the place of what an alert says, on the screens that show it. False: there is no such word, or nothing shows it.
async fn say_its_end(tx: &mut Tx, alert_id: AlertId, now: DateTime<Utc>) -> Result<bool, Error> {
    let shown = sqlx::query!(
        "select a.content, r.last_word from display.alert a left join review.alert_standing r using (alert_id)
          where a.alert_id = $1 and a.state = 'live' and a.expires_at > $2",
        alert_id.uuid(),
        now
    )
    .fetch_optional(&mut **tx)
    .await?;
    let Some((content, word)) = shown.and_then(|row| Some((row.content, row.last_word?))) else { return Ok(false) };
    let content: AlertContent = serde_json::from_value(content).map_err(|error| Error::damaged("content", alert_id, error))?;
    let texts = serde_json::from_value(word).map_err(|error| Error::damaged("last word", alert_id, error))?;
    let until = withdrawal::shown_until(now);
    let content =
        serde_json::to_value(withdrawal::ending(&content, texts, until)).map_err(|error| Error::damaged("content", alert_id, error))?;
    sqlx::query!(
        "update display.alert set content = $2, expires_at = $3, says_its_end = true, checked_since = null, revision = nextval('display.revision')
          where alert_id = $1",
        alert_id.uuid(),
        content,
        until
    )
    .execute(&mut **tx)
    .await?;
    Ok(true)
}

/// Release and end of one alert wait for each other; otherwise neither might see what the other writes.
async fn one_at_a_time(tx: &mut Tx, alert_id: AlertId) -> Result<(), Error> {
    sqlx::query!("select pg_advisory_xact_lock(hashtextextended('display.alert:' || $1, 0))", alert_id.to_string())
        .execute(&mut **tx)
        .await?;
    Ok(())
}
