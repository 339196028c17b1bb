//! The inbox of one resident: the live alerts whose bitmap holds them.
//!
//! The bitmaps of live alerts are kept in memory. One small query tells whether the copy is old, so every process sees a
//! release or a cancellation at the next request, whichever process handled the event.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::State;
use chrono::{DateTime, Utc};
use domain::alert::{AlertContent, AlertText};
use domain::cap::{MsgType, Severity, Status, Urgency};
use domain::ids::{AlertId, ResidentNo, ShortCode};
use domain::language::Language;
use platform::database::Database;
use platform::http::{Access, Problem, ResidentCaller, Routes, routes};
use roaring::RoaringBitmap;
use serde::Serialize;
use tokio::sync::{Mutex, RwLock};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{Error, Service, directory};

pub(crate) fn routes() -> Routes<Service> {
    Routes::new("inbox").allow(Access::Resident, routes!(inbox))
}

/// One alert as inboxes keep it.
pub(crate) struct LiveAlert {
    pub(crate) id: AlertId,
    pub(crate) short_code: String,
    pub(crate) state: String,
    superseded_by: Option<Uuid>,
    stop_reason: Option<String>,
    content: AlertContent,
    audience: RoaringBitmap,
    released_at: DateTime<Utc>,
    pub(crate) expires_at: DateTime<Utc>,
    ack_by: DateTime<Utc>,
}

impl LiveAlert {
    pub(crate) fn is_for(&self, no: ResidentNo) -> bool {
        self.audience.contains(no.get())
    }

    /// Whether it asks for an acknowledgement now.
    pub(crate) fn is_open(&self, now: DateTime<Utc>) -> bool {
        self.state == "live" && now < self.expires_at
    }
}

/// How far behind the newest a revision may still appear: numbers are drawn before they are committed.
const LATE: i64 = 64;

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
        self.refresh(now).await?;
        let copy = self.copy.read().await;
        Ok(copy.alerts.values().rev().filter(|alert| now < alert.expires_at && alert.is_for(no)).cloned().collect())
    }

    /// Takes over what changed since the copy was made, and drops what has expired.
    async fn refresh(&self, now: DateTime<Utc>) -> Result<(), Error> {
        let mark = self.mark().await?;
        if mark == self.copy.read().await.mark {
            return Ok(());
        }
        let _turn = self.turn.lock().await;
        // Whoever had the turn before may have done it all.
        let mark = self.mark().await?;
        let known = {
            let copy = self.copy.read().await;
            if mark == copy.mark {
                return Ok(());
            }
            copy.revision
        };
        let rows = sqlx::query!(
            "select alert_id, short_code, content, audience, released_at, expires_at, ack_by, state, superseded_by, stop_reason, revision
             from resident.alert where revision > $1 and expires_at > $2",
            known - LATE,
            now
        )
        .fetch_all(self.database.pool())
        .await
        .map_err(Error::database("reading newer alerts"))?;
        let mut copy = self.copy.write().await;
        for row in rows {
            let id = AlertId::from_uuid(row.alert_id);
            copy.alerts.insert(
                (row.released_at, id),
                Arc::new(LiveAlert {
                    id,
                    short_code: row.short_code,
                    state: row.state,
                    superseded_by: row.superseded_by,
                    stop_reason: row.stop_reason,
                    content: serde_json::from_value(row.content).map_err(|_| Error::Stored { what: "alert content" })?,
                    audience: RoaringBitmap::deserialize_from(&row.audience[..]).map_err(|_| Error::Stored { what: "audience" })?,
                    released_at: row.released_at,
                    expires_at: row.expires_at,
                    ack_by: row.ack_by,
                }),
            );
            copy.revision = copy.revision.max(row.revision);
        }
        copy.mark = mark;
        copy.alerts.retain(|_, alert| now < alert.expires_at);
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

/// One alert in an inbox.
#[derive(Serialize, ToSchema)]
struct InboxItem {
    alert_id: AlertId,
    /// Names the alert in an SMS reply.
    #[schema(value_type = String)]
    short_code: String,
    /// `live`, `cancelled`, `superseded` or `closed`.
    state: String,
    superseded_by: Option<Uuid>,
    /// Why it was stopped.
    stop_reason: Option<String>,
    status: Status,
    msg_type: MsgType,
    severity: Severity,
    urgency: Urgency,
    /// In the resident's language, or in Chinese where the alert lacks it.
    text: AlertText,
    contact: String,
    purpose: String,
    /// Name of the place it is about.
    place: Option<String>,
    released_at: DateTime<Utc>,
    expires_at: DateTime<Utc>,
    /// Until when to acknowledge before a reminder comes.
    ack_by: DateTime<Utc>,
    acknowledged_at: Option<DateTime<Utc>>,
}

/// My alerts, newest first
#[utoipa::path(get, path = "/api/v1/me/inbox", responses((status = 200, description = "Alerts that have not expired", body = Vec<InboxItem>)))]
async fn inbox(State(service): State<Service>, caller: ResidentCaller) -> Result<axum::Json<Vec<InboxItem>>, Problem> {
    let alerts = service.inboxes.of(caller.no, service.platform.clock.now()).await?;
    let ids: Vec<Uuid> = alerts.iter().map(|alert| alert.id.uuid()).collect();
    let pool = service.platform.database.pool();
    let language = sqlx::query_scalar!("select language from resident.resident where resident_no = $1", directory::stored(caller.no))
        .fetch_optional(pool)
        .await
        .map_err(Error::database("reading the resident's language"))?
        .and_then(|language| language.parse::<Language>().ok())
        .unwrap_or_default();
    let acknowledged: BTreeMap<Uuid, DateTime<Utc>> = sqlx::query!(
        "select alert_id, acknowledged_at from resident.acknowledgement where resident_no = $1 and alert_id = any($2)",
        directory::stored(caller.no),
        &ids
    )
    .fetch_all(pool)
    .await
    .map_err(Error::database("reading acknowledgements"))?
    .into_iter()
    .map(|row| (row.alert_id, row.acknowledged_at))
    .collect();
    let items = alerts
        .iter()
        .map(|alert| InboxItem {
            alert_id: alert.id,
            short_code: alert.short_code.clone(),
            state: alert.state.clone(),
            superseded_by: alert.superseded_by,
            stop_reason: alert.stop_reason.clone(),
            status: alert.content.status,
            msg_type: alert.content.msg_type,
            severity: alert.content.severity,
            urgency: alert.content.urgency,
            text: alert.content.text(language).cloned().unwrap_or_default(),
            contact: alert.content.contact.clone(),
            purpose: alert.content.purpose.clone(),
            place: alert.content.place.as_ref().map(|place| place.name.clone()),
            released_at: alert.released_at,
            expires_at: alert.expires_at,
            ack_by: alert.ack_by,
            acknowledged_at: acknowledged.get(&alert.id.uuid()).copied(),
        })
        .collect();
    Ok(axum::Json(items))
}

/// The alert that a short code names among a resident's open alerts.
pub(crate) fn named(open: &[Arc<LiveAlert>], code: ShortCode) -> Option<&Arc<LiveAlert>> {
    open.iter().find(|alert| alert.short_code == code.to_string())
}
