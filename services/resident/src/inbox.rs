//! The inbox of one resident: the live alerts whose bitmap holds them.
//!
//! The bitmaps of live alerts are kept in memory, and what the alerts say as the JSON that is sent ([`live_alerts`], [`item`]). One
//! small query tells whether the copy is old, so every process sees a release or a cancellation at the next request, whichever process
//! handled the event; the same query reads what the resident was told late and has acknowledged, and what was
//! withdrawn for them alone, as review shows it. A phone that names the tag of what it has is spared the rest.

mod item;
pub(crate) mod live_alerts;
mod recipients;

use std::collections::{HashMap, HashSet};
use std::hash::{DefaultHasher, Hasher as _};
use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use domain::ids::{ResidentNo, ShortCode};
use domain::language::Language;
use http::header::{CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use http::{HeaderMap, HeaderValue, StatusCode};
use platform::http::{Access, Problem, ResidentCaller, Routes, routes};
use uuid::Uuid;

use crate::{Error, Service, directory};
use item::{InboxItem, Own};
use live_alerts::{LATE, LiveAlert, Reading};

pub(crate) fn routes() -> Routes<Service> {
    Routes::new("inbox").allow(Access::Resident, routes!(inbox))
}

/// My alerts, newest first
#[utoipa::path(get, path = "/api/v1/me/inbox",
    params(("if-none-match" = Option<String>, Header, description = "The `etag` of the answer that the app has")),
    responses(
        (status = 200, description = "Alerts that have not expired", body = Vec<InboxItem>, headers(("etag" = String, description = "Names this answer"))),
        (status = 304, description = "Nothing has changed")))]
async fn inbox(State(service): State<Service>, caller: ResidentCaller, asked: HeaderMap) -> Result<Response, Problem> {
    let reader = Reader::of(&service, caller.no).await?;
    let alerts = service.inboxes.as_of(&reader.reading, caller.no, service.platform.clock.now()).await?;
    let list = reader.list(&alerts).map_err(|_| Error::Stored { what: "alert" })?;
    let tag = tag(&list);
    if asked.get(IF_NONE_MATCH) == Some(&tag) {
        return Ok((StatusCode::NOT_MODIFIED, [(ETAG, tag)]).into_response());
    }
    Ok(([(CONTENT_TYPE, HeaderValue::from_static("application/json")), (ETAG, tag)], list).into_response())
}

/// Names an answer by what it says: the same in every process of one release, and after a new release read once more.
fn tag(list: &str) -> HeaderValue {
    let mut hasher = DefaultHasher::new();
    hasher.write(list.as_bytes());
    HeaderValue::try_from(format!("\"{:016x}\"", hasher.finish())).expect("hexadecimal digits in quotes")
}

/// Whose inbox it is.
struct Reader {
    language: Language,
    acknowledged: HashMap<Uuid, DateTime<Utc>>,
    /// Alerts that stand for others and do not hold for them.
    withdrawn: HashSet<Uuid>,
    reading: Reading,
}

impl Reader {
    async fn of(service: &Service, no: ResidentNo) -> Result<Self, Error> {
        let row = sqlx::query!(
            r#"select (select coalesce(sum(revision), 0)::bigint
                       from (select revision from resident.alert order by revision desc limit $2) as newest) as "mark!",
                      (select language from resident.resident where resident_no = $1) as language,
                      array(select alert_id from dispatch.late_recipient where resident_no = $1) as "late!",
                      array(select alert_id from review.withdrawn_for where resident_no = $1) as "withdrawn!",
                      coalesce(array_agg(alert_id), '{}') as "alerts!", coalesce(array_agg(acknowledged_at), '{}') as "times!"
               from resident.acknowledgement where resident_no = $1"#,
            directory::stored(no),
            LATE
        )
        .fetch_one(service.platform.database.pool())
        .await
        .map_err(Error::database("reading what an inbox depends on"))?;
        Ok(Self {
            language: row.language.and_then(|language| language.parse().ok()).unwrap_or_default(),
            reading: Reading { mark: row.mark, theirs: row.late.into_iter().chain(row.alerts.iter().copied()).collect() },
            withdrawn: row.withdrawn.into_iter().collect(),
            acknowledged: row.alerts.into_iter().zip(row.times).collect(),
        })
    }

    /// The alerts as JSON.
    fn list(&self, alerts: &[Arc<LiveAlert>]) -> serde_json::Result<String> {
        let mut list = String::with_capacity(1024 * (alerts.len() + 1));
        list.push('[');
        for (at, alert) in alerts.iter().enumerate() {
            if at > 0 {
                list.push(',');
            }
            let id = alert.id.uuid();
            let own = Own { acknowledged_at: self.acknowledged.get(&id).copied(), withdrawn: self.withdrawn.contains(&id) };
            alert.item.write(&mut list, self.language, own)?;
        }
        list.push(']');
        Ok(list)
    }
}

/// The alert that a short code names among a resident's alerts.
pub(crate) fn named(alerts: &[Arc<LiveAlert>], code: ShortCode) -> Option<&Arc<LiveAlert>> {
    alerts.iter().find(|alert| alert.short_code == code.as_str())
}
