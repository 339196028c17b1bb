//! The process's copy of the live alerts: who they are for, and what they say, ready to be sent.
//!
//! The bitmaps are kept as Roaring leaves them smallest. An audience by area of people who registered together is a few runs; one
//! scattered over the numbers takes two bytes a person, and never more than one bit for each resident of the city (4 MB for 32 million).

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use chrono::{DateTime, Utc};
use domain::alert::{AlertContent, AlertText};
use domain::ids::{AlertId, ResidentNo};
use futures::TryStreamExt as _;
use platform::database::{Database, readable_row};
use roaring::RoaringBitmap;
use serde_json::Value;
use tokio::sync::{Mutex, RwLock};
use uuid::Uuid;

use super::item::{InboxItem, WrittenItem};
use crate::Error;

/// One alert as inboxes keep it.
pub(crate) struct LiveAlert {
    pub(crate) id: AlertId,
    pub(crate) short_code: String,
    pub(crate) state: String,
    pub(super) item: WrittenItem,
    audience: RoaringBitmap,
    released_at: DateTime<Utc>,
    expires_at: DateTime<Utc>,
    revision: i64,
}

impl LiveAlert {
    fn is_for(&self, no: ResidentNo) -> bool {
        self.audience.contains(no.get())
    }

    /// Whether it asks for an acknowledgement now.
    pub(crate) fn is_open(&self, now: DateTime<Utc>) -> bool {
        self.state == "live" && now < self.expires_at
    }
}

/// One alert as the table has it.
struct Row {
    alert_id: Uuid,
    short_code: String,
    content: Value,
    audience: Vec<u8>,
    released_at: DateTime<Utc>,
    expires_at: DateTime<Utc>,
    ack_by: DateTime<Utc>,
    state: String,
    superseded_by: Option<Uuid>,
    stop_reason: Option<String>,
    revision: i64,
}

impl Row {
    fn read(self) -> Result<LiveAlert, Error> {
        let id = AlertId::from_uuid(self.alert_id);
        let content: AlertContent = serde_json::from_value(self.content).map_err(Error::stored_alert("content", id))?;
        let mut audience = RoaringBitmap::deserialize_from(&self.audience[..]).map_err(Error::stored_alert("audience", id))?;
        audience.optimize();
        let item = InboxItem {
            alert_id: id,
            short_code: self.short_code.clone(),
            state: self.state.clone(),
            superseded_by: self.superseded_by,
            stop_reason: self.stop_reason,
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
            state: self.state,
            item: WrittenItem::of(item, &content).map_err(Error::stored_alert("content", id))?,
            audience,
            released_at: self.released_at,
            expires_at: self.expires_at,
            revision: self.revision,
        })
    }
}

/// How far behind the newest a revision may still appear: numbers are drawn before they are committed.
pub(super) const LATE: i64 = 64;

/// The alerts of all inboxes, newest last.
#[derive(Default)]
struct Copy {
    /// The sum of the newest revisions when the copy was made. It grows with every change, one that appears late included.
    mark: i64,
    /// The newest revision.
    revision: i64,
    alerts: BTreeMap<(DateTime<Utc>, AlertId), Arc<LiveAlert>>,
}

/// The process's copy of the live alerts.
#[derive(Clone)]
pub(crate) struct LiveAlerts {
    database: Database,
    copy: Arc<RwLock<Copy>>,
    /// Held by whoever brings the copy up to date, so that nobody writes over something newer.
    turn: Arc<Mutex<()>>,
}

impl LiveAlerts {
    pub(crate) fn new(database: Database) -> Self {
        Self { database, copy: Arc::default(), turn: Arc::default() }
    }

    /// The alerts that are or were for this resident and have not expired, newest first.
    pub(crate) async fn of(&self, no: ResidentNo, now: DateTime<Utc>) -> Result<Vec<Arc<LiveAlert>>, Error> {
        let mark = self.mark().await?;
        self.as_of(mark, no, now).await
    }

    /// The same for whoever has read the mark already.
    pub(super) async fn as_of(&self, mark: i64, no: ResidentNo, now: DateTime<Utc>) -> Result<Vec<Arc<LiveAlert>>, Error> {
        if mark != self.copy.read().await.mark {
            self.catch_up(now).await?;
        }
        let copy = self.copy.read().await;
        Ok(copy.alerts.values().rev().filter(|alert| now < alert.expires_at && alert.is_for(no)).cloned().collect())
    }

    /// Which of these people have or had this alert, not expired at that time. One look at what has changed answers for all.
    pub(crate) async fn hold(&self, asked: &[(AlertId, ResidentNo, DateTime<Utc>)]) -> Result<Vec<bool>, Error> {
        let Some(latest) = asked.iter().map(|(_, _, at)| *at).max() else { return Ok(Vec::new()) };
        if self.mark().await? != self.copy.read().await.mark {
            self.catch_up(latest).await?;
        }
        let copy = self.copy.read().await;
        let alerts: HashMap<AlertId, &LiveAlert> = copy.alerts.values().map(|alert| (alert.id, &**alert)).collect();
        let holds = |(alert, no, at): &(AlertId, ResidentNo, DateTime<Utc>)| {
            alerts.get(alert).is_some_and(|alert| *at < alert.expires_at && alert.is_for(*no))
        };
        Ok(asked.iter().map(holds).collect())
    }

    /// Takes over what changed since the copy was made, and drops what has expired.
    async fn catch_up(&self, now: DateTime<Utc>) -> Result<(), Error> {
        let _turn = self.turn.lock().await;
        // Whoever had the turn before may have done it all.
        let mark = self.mark().await?;
        let (since, (known, revisions)) = {
            let copy = self.copy.read().await;
            if mark == copy.mark {
                return Ok(());
            }
            let since = copy.revision - LATE;
            let known = copy.alerts.values().filter(|alert| alert.revision > since).map(|alert| (alert.id.uuid(), alert.revision));
            (since, known.unzip::<_, _, Vec<_>, Vec<_>>())
        };
        // Audiences are large, so what is known already is not read again.
        let mut rows = sqlx::query_as!(
            Row,
            "select alert_id, short_code, content, audience, released_at, expires_at, ack_by, state, superseded_by, stop_reason, revision
             from resident.alert
             where revision > $1 and expires_at > $2
               and (alert_id, revision) not in (select * from unnest($3::uuid[], $4::bigint[]))",
            since,
            now,
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
        for alert in changed {
            copy.revision = copy.revision.max(alert.revision);
            copy.alerts.insert((alert.released_at, alert.id), Arc::new(alert));
        }
        copy.mark = mark;
        copy.alerts.retain(|_, alert| now < alert.expires_at);
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
