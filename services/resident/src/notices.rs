//! What a resident is told about their own sign-in, number and document: in the app, and by SMS where it cannot wait for the app to be opened.

use axum::extract::State;
use chrono::{DateTime, TimeDelta, Utc};
use http::StatusCode;
use platform::database::Tx;
use platform::http::{Access, Problem, ResidentCaller, Routes, routes};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{Error, Service, directory};

pub(crate) fn routes() -> Routes<Service> {
    Routes::new("notices").allow(Access::Resident, routes!(list)).allow(Access::Resident, routes!(seen))
}

domain::words! {
    /// What is told.
    #[schema(as = PersonalNoticeKind)]
    pub(crate) enum NoticeKind {
        /// Somebody signed in to me on another device.
        SignedInElsewhere,
        /// My document is proved: records find me by it.
        IdentityProved,
        /// My document was proved to be somebody else's; I can object.
        IdentityTaken,
        /// Another document of mine was proved, and records find me by it instead of the one before.
        IdentityReplaced,
        /// A document that was mine went back to whom it belonged to before.
        IdentityPutBack,
        /// I have another phone number now.
        NumberChanged,
        /// A message from my number took my consent back: no alerts come any more. I can consent again.
        ConsentWithdrawnBySms,
        /// A message from my number took that back: alerts come again. I can withdraw in the app.
        ConsentResumedBySms,
        /// Something that stood against me was lifted before its time; how, the list of what stands says.
        StandingLifted,
        /// What had lifted it was taken back by its source: it stands again.
        StandingAgain,
    }
}

/// Something that I am told about my own registration.
#[derive(Serialize, ToSchema)]
struct PersonalNotice {
    notice_id: i64,
    kind: NoticeKind,
    at: DateTime<Utc>,
    seen: bool,
    /// What an objection is about, and until when there may be one.
    binding_id: Option<i64>,
    object_until: Option<DateTime<Utc>>,
}

/// For so long somebody reads what happened.
const SHOWN: TimeDelta = TimeDelta::days(90);

/// What I am told about my own registration, newest first
#[utoipa::path(get, path = "/api/v1/me/notices", responses((status = 200, description = "Of the last 90 days", body = Vec<PersonalNotice>)))]
async fn list(State(service): State<Service>, caller: ResidentCaller) -> Result<axum::Json<Vec<PersonalNotice>>, Problem> {
    let now = service.platform.clock.now();
    let rows = sqlx::query!(
        r#"select n.notice_id, n.kind, n.at, n.seen_at is not null as "seen!", b.binding_id as "binding_id?", b.at as "taken_at?"
             from resident.notice n
             left join resident.binding b on n.kind = 'identity_taken' and b.binding_id = n.binding_id and b.objected_at is null
            where n.resident_no = $1 and n.at >= $2 order by n.notice_id desc limit 50"#,
        directory::stored(caller.no),
        now - SHOWN
    )
    .fetch_all(service.platform.database.pool())
    .await
    .map_err(Error::database("reading notices"))?;
    let within = service.settings.objection_within();
    let told = rows.into_iter().filter_map(|row| {
        let object_until = row.taken_at.map(|at| at + within).filter(|until| *until >= now);
        Some(PersonalNotice {
            notice_id: row.notice_id,
            kind: row.kind.parse().ok()?,
            at: row.at,
            seen: row.seen,
            binding_id: object_until.and(row.binding_id),
            object_until,
        })
    });
    Ok(axum::Json(told.collect()))
}

/// I have read them
#[utoipa::path(post, path = "/api/v1/me/notices/seen", responses((status = 204, description = "None of them is new any more")))]
async fn seen(State(service): State<Service>, caller: ResidentCaller) -> Result<StatusCode, Problem> {
    sqlx::query!(
        "update resident.notice set seen_at = $2 where resident_no = $1 and seen_at is null",
        directory::stored(caller.no),
        service.platform.clock.now()
    )
    .execute(service.platform.database.pool())
    .await
    .map_err(Error::database("noting what was read"))?;
    Ok(StatusCode::NO_CONTENT)
}

/// Tells a resident.
pub(crate) async fn tell(tx: &mut Tx, stored: i32, kind: NoticeKind, binding: Option<i64>, now: DateTime<Utc>) -> Result<(), Error> {
    sqlx::query!(
        "insert into resident.notice (resident_no, kind, binding_id, at) values ($1, $2, $3, $4)",
        stored,
        kind.as_ref(),
        binding,
        now
    )
    .execute(&mut **tx)
    .await
    .map_err(Error::database("telling a resident"))?;
    Ok(())
}
