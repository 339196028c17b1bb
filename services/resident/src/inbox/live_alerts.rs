//! The process's copy of the live alerts: who they are for, and what they say, ready to be sent.
//!
//! The bitmaps are kept as Roaring leaves them smallest. An audience by area of people who registered together is a few runs; one
//! scattered over the numbers takes two bytes a person, and never more than one bit for each resident of the city (4 MB for 32 million).
//!
//! An audience grows while it is planned and is published now and then, so whoever a growing one does not hold is looked for in the ledger
//! ([`recipients`](super::recipients)); and who was told late has the alert by a row of their own.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use domain::alert::{AlertContent, AlertText};
use domain::ids::{AlertId, ResidentNo};
use domain::late_answer;
use domain::public_reason::PublicReason;
use futures::TryStreamExt as _;
use futures::future::try_join_all;
use platform::Platform;
use platform::clock::Clock;
use platform::database::{Database, readable_row};
use platform::gather::Gather;
use roaring::RoaringBitmap;
use serde_json::Value;
use tokio::sync::{Mutex, RwLock};
use uuid::Uuid;

use super::item::{ALL_CLEAR, InboxItem, Stopped, WrittenItem};
use super::recipients::{AT_ONCE, Ledger};
use crate::{Error, directory};

/// One alert as inboxes keep it.
pub(crate) struct LiveAlert {
    pub(crate) id: AlertId,
    pub(crate) short_code: String,
    pub(super) item: WrittenItem,
    audience: RoaringBitmap,
    growing: bool,
    released_at: DateTime<Utc>,
    expires_at: DateTime<Utc>,
    revision: i64,
}

impl LiveAlert {
    fn is_for(&self, no: ResidentNo) -> bool {
        self.audience.contains(no.get())
    }
}

/// One alert as the table has it.
struct Row {
    alert_id: Uuid,
    short_code: String,
    content: Value,
    audience: Vec<u8>,
    growing: bool,
    released_at: DateTime<Utc>,
    expires_at: DateTime<Utc>,
    ack_by: DateTime<Utc>,
    state: String,
    superseded_by: Option<Uuid>,
    stop_reason: Option<String>,
    checked: bool,
    revision: i64,
}

impl Row {
    fn read(self) -> Result<LiveAlert, Error> {
        let id = AlertId::from_uuid(self.alert_id);
        let content: AlertContent = serde_json::from_value(self.content).map_err(Error::stored_alert("content", id))?;
        let mut audience = RoaringBitmap::deserialize_from(&self.audience[..]).map_err(Error::stored_alert("audience", id))?;
        audience.optimize();
        // what an older version of the platform kept was written for colleagues
        let reason: Option<PublicReason> = self.stop_reason.and_then(|word| word.parse().ok());
        let stopped = Stopped { reason, checked: self.checked };
        let is_over = self.state == "cancelled" && reason == Some(PublicReason::Over);
        let item = InboxItem {
            alert_id: id,
            short_code: self.short_code.clone(),
            state: if is_over { ALL_CLEAR.to_owned() } else { self.state },
            superseded_by: self.superseded_by,
            stop_reason: None,
            being_checked: None,
            status: content.status,
            msg_type: content.msg_type,
            severity: content.severity,
            urgency: content.urgency,
            text: AlertText::default(),
            contact: content.contact.clone(),
            purpose: content.purpose.clone(),
            place: content.place.as_ref().map(|place| place.name.clone()),
            released_at: self.released_at,
            expires_at: self.expires_at,
            ack_by: self.ack_by,
            acknowledged_at: None,
        };
        Ok(LiveAlert {
            id,
            short_code: self.short_code,
            item: WrittenItem::of(item, &content, stopped).map_err(Error::stored_alert("content", id))?,
            audience,
            growing: self.growing,
            released_at: self.released_at,
            expires_at: self.expires_at,
            revision: self.revision,
        })
    }
}

/// How far behind the newest a revision may still appear: numbers are drawn before they are committed.
pub(super) const LATE: i64 = 64;

/// For how long the copy keeps what has expired: for answers that were given in time and come late, and for a clock that goes back by less.
const KEPT: TimeDelta = late_answer::LATE;

/// What somebody said of an alert.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Said {
    pub(crate) alert: AlertId,
    pub(crate) no: ResidentNo,
    /// When it arrived.
    pub(crate) now: DateTime<Utc>,
    /// How long before it was said.
    pub(crate) ago: Duration,
}

/// The alerts of all inboxes, newest last.
#[derive(Default)]
struct Copy {
    /// The sum of the newest revisions when the copy was made. It grows with every change, one that appears late included.
    mark: i64,
    /// The newest revision.
    revision: i64,
    /// The latest time by which something was left out because it had expired.
    as_of: DateTime<Utc>,
    alerts: BTreeMap<(DateTime<Utc>, AlertId), Arc<LiveAlert>>,
}

impl Copy {
    /// Whether nothing has changed since it was made, and nothing that it left out is valid at this time.
    fn holds(&self, mark: i64, now: DateTime<Utc>) -> bool {
        mark == self.mark && !self.is_ahead_of(now)
    }

    fn is_ahead_of(&self, now: DateTime<Utc>) -> bool {
        now < self.as_of - KEPT
    }
}

/// What the tables say of one reader beside the audiences.
pub(super) struct Reading {
    /// What tells a copy of the live alerts whether it is old.
    pub(super) mark: i64,
    /// The alerts that they were told late, or have acknowledged.
    pub(super) theirs: HashSet<Uuid>,
}

/// The process's copy of the live alerts.
#[derive(Clone)]
pub(crate) struct LiveAlerts {
    database: Database,
    clock: Clock,
    copy: Arc<RwLock<Copy>>,
    ledger: Gather<Ledger>,
    /// Held by whoever brings the copy up to date, so that nobody writes over something newer.
    turn: Arc<Mutex<()>>,
}

impl LiveAlerts {
    pub(crate) fn new(platform: &Platform) -> Self {
        let ledger = Gather::new(&platform.tasks, "resident.recipients", AT_ONCE, Ledger(platform.database.clone()));
        Self { database: platform.database.clone(), clock: platform.clock.clone(), copy: Arc::default(), ledger, turn: Arc::default() }
    }

    /// The alerts that are or were for this resident and have not expired, newest first.
    pub(crate) async fn of(&self, no: ResidentNo, now: DateTime<Utc>) -> Result<Vec<Arc<LiveAlert>>, Error> {
        let row = sqlx::query!(
            r#"select (select coalesce(sum(revision), 0)::bigint
                       from (select revision from resident.alert order by revision desc limit $2) as newest) as "mark!",
                      array(select alert_id from dispatch.late_recipient where resident_no = $1
                            union select alert_id from resident.acknowledgement where resident_no = $1) as "theirs!""#,
            directory::stored(no),
            LATE
        )
        .fetch_one(self.database.pool())
        .await
        .map_err(Error::database("reading what somebody was told"))?;
        self.as_of(&Reading { mark: row.mark, theirs: row.theirs.into_iter().collect() }, no, now).await
    }

    /// The same for whoever has read the rest already.
    pub(super) async fn as_of(&self, reading: &Reading, no: ResidentNo, now: DateTime<Utc>) -> Result<Vec<Arc<LiveAlert>>, Error> {
        self.bring_up_to(reading.mark).await?;
        let (mut theirs, growing): (Vec<_>, Vec<_>) = {
            let copy = self.copy.read().await;
            let valid = copy.alerts.values().rev().filter(|alert| now < alert.expires_at);
            let held = |alert: &LiveAlert| alert.is_for(no) || reading.theirs.contains(&alert.id.uuid());
            valid.filter(|alert| alert.growing || held(alert)).cloned().partition(|alert| held(alert))
        };
        if !growing.is_empty() {
            let asked = growing.iter().map(|alert| self.ledger.ask((alert.id, no, now)));
            let found = try_join_all(asked).await?;
            theirs.extend(growing.into_iter().zip(found).filter_map(|(alert, found)| found.then_some(alert)));
            theirs.sort_unstable_by_key(|alert| Reverse((alert.released_at, alert.id)));
        }
        Ok(theirs)
    }

    /// Whether this person has, had or is being sent this alert, and it has not expired.
    pub(crate) async fn holds(&self, alert: AlertId, no: ResidentNo, now: DateTime<Utc>) -> Result<bool, Error> {
        let said = Said { alert, no, now, ago: Duration::ZERO };
        Ok(self.count_from(&[said]).await?.iter().any(Option::is_some) || self.is_being_sent(alert, no, now).await?)
    }

    /// From when each of these counts; none where the alert never was for this person, was over when they said it, or is over for too long. One look
    /// at what has changed answers for all.
    pub(crate) async fn count_from(&self, all: &[Said]) -> Result<Vec<Option<DateTime<Utc>>>, Error> {
        if all.is_empty() {
            return Ok(Vec::new());
        }
        self.bring_up_to(self.mark().await?).await?;
        let copy = self.copy.read().await;
        let alerts: HashMap<AlertId, &LiveAlert> = copy.alerts.values().map(|alert| (alert.id, &**alert)).collect();
        let from = |said: &Said| {
            let alert = alerts.get(&said.alert).filter(|alert| alert.is_for(said.no))?;
            late_answer::counts_from(said.now, said.ago, alert.released_at, alert.expires_at)
        };
        Ok(all.iter().map(from).collect())
    }

    /// Whether somebody whom no audience here holds is to get this alert all the same: it is being planned, its event is late, or they were told
    /// late.
    pub(crate) async fn is_being_sent(&self, alert: AlertId, no: ResidentNo, at: DateTime<Utc>) -> Result<bool, Error> {
        Ok(self.ledger.ask((alert, no, at)).await? || self.of(no, at).await?.iter().any(|theirs| theirs.id == alert))
    }

    async fn bring_up_to(&self, mark: i64) -> Result<(), Error> {
        let now = self.clock.now();
        if self.copy.read().await.holds(mark, now) { Ok(()) } else { self.catch_up(now).await }
    }

    /// Takes over what changed since the copy was made, and drops what expired a while ago. Where the clock has gone back behind what was
    /// dropped, everything is read anew.
    async fn catch_up(&self, now: DateTime<Utc>) -> Result<(), Error> {
        let _turn = self.turn.lock().await;
        // Whoever had the turn before may have done it all.
        let mark = self.mark().await?;
        let (anew, since, (known, revisions)) = {
            let copy = self.copy.read().await;
            if copy.holds(mark, now) {
                return Ok(());
            }
            let anew = copy.is_ahead_of(now);
            let since = if anew { 0 } else { copy.revision - LATE };
            let known = copy.alerts.values().filter(|alert| !anew && alert.revision > since);
            (anew, since, known.map(|alert| (alert.id.uuid(), alert.revision)).unzip::<_, _, Vec<_>, Vec<_>>())
        };
        // Audiences are large, so what is known already is not read again.
        let mut rows = sqlx::query_as!(
            Row,
            r#"select alert_id, short_code, content, audience, growing, released_at, expires_at, ack_by, state, superseded_by, stop_reason,
                      checked_since is not null as "checked!", revision
             from resident.alert
             where revision > $1 and expires_at > $2
               and (alert_id, revision) not in (select * from unnest($3::uuid[], $4::bigint[]))"#,
            since,
            now - KEPT,
            &known,
            &revisions
        )
        .fetch(self.database.pool());
        let mut changed = Vec::new();
        while let Some(row) = rows.try_next().await.map_err(Error::database("reading newer alerts"))? {
            changed.extend(readable_row("inboxes", row.read()));
        }
        drop(rows);
        let mut copy = self.copy.write().await;
        copy.as_of = if anew { now } else { copy.as_of.max(now) };
        for alert in changed {
            copy.revision = copy.revision.max(alert.revision);
            copy.alerts.insert((alert.released_at, alert.id), Arc::new(alert));
        }
        copy.mark = mark;
        copy.alerts.retain(|_, alert| now - KEPT < alert.expires_at);
        let bytes: usize = copy.alerts.values().map(|alert| alert.audience.serialized_size()).sum();
        metrics::gauge!("inbox_live_alerts").set(copy.alerts.len() as f64);
        metrics::gauge!("inbox_audience_bytes").set(bytes as f64);
        Ok(())
    }

    async fn mark(&self) -> Result<i64, Error> {
        sqlx::query_scalar!(
            r#"select coalesce(sum(revision), 0)::bigint as "mark!"
               from (select revision from resident.alert order by revision desc limit $1) as newest"#,
            LATE
        )
        .fetch_one(self.database.pool())
        .await
        .map_err(Error::database("looking for newer alerts"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A copy made at noon of the tenth keeps what expired after noon of the ninth.
    #[rstest::rstest]
    #[case::the_same(7, "10T12:00", true)]
    #[case::later(7, "10T18:00", true)]
    #[case::something_has_changed(8, "10T12:00", false)]
    #[case::the_clock_was_set_back_by_a_day(7, "09T12:00", true)]
    #[case::the_clock_was_set_back_behind_what_was_dropped(7, "09T11:59", false)]
    fn a_copy_serves_until_something_changes_or_the_clock_goes_back(#[case] mark: i64, #[case] now: &str, #[case] holds: bool) {
        let at = |time: &str| format!("2026-03-{time}:00Z").parse().unwrap();
        let copy = Copy { mark: 7, as_of: at("10T12:00"), ..Copy::default() };
        assert_eq!(copy.holds(mark, at(now)), holds);
    }
}
