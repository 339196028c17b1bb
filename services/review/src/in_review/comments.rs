//! Remarks beside the texts of a draft, each about a passage or the whole, with replies. The words stay here: history and audit trail say who and when.

use axum::extract::State as Shared;
use chrono::{DateTime, Utc};
use domain::comment::{self, Remark, may_comment, may_resolve};
use domain::ids::{AlertId, StaffId};
use domain::passage::Passage;
use domain::staff::Role;
use http::StatusCode;
use platform::database::{Connection, readable_row};
use platform::http::{Access, FieldFault, Json, Path, Problem, Routes, StaffCaller, routes};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::work::{self, What};
use super::{WORKING, leave_trace, must_see_draft, sees_draft};
use crate::actor::actor_for;
use crate::history::HistoryLine;
use crate::store::{self, Alert};
use crate::{Error, Service, passage};

/// Who reads them: whoever sees drafts.
const READING: &[Role] = &[Role::CityCommandOfficer, Role::DistrictReviewer, Role::SubmittingUnit, Role::Auditor];

pub(super) fn routes() -> Routes<Service> {
    Routes::new("review")
        .allow(Access::Staff(READING), routes!(read_comments))
        .allow(Access::Staff(WORKING), routes!(make))
        .allow(Access::Staff(WORKING), routes!(resolve))
}

/// A remark on a draft.
#[derive(Serialize, ToSchema)]
struct AlertComment {
    comment_id: Uuid,
    /// The remark that it replies to.
    reply_to: Option<Uuid>,
    by: StaffId,
    at: DateTime<Utc>,
    /// The version that was looked at.
    version: i32,
    /// What it is about; none: the whole, or what its remark is about.
    passage: Option<Passage>,
    /// Whether the passage still stands in the alert; none where there is none.
    stands: Option<bool>,
    text: String,
    /// When somebody said that it is settled; a reply is settled with its remark.
    resolved_at: Option<DateTime<Utc>>,
    resolved_by: Option<StaffId>,
    /// Whether the caller may say that it is settled, or is not after all.
    may_resolve: bool,
}

/// The remarks on an alert.
#[derive(Serialize, ToSchema)]
struct AlertComments {
    /// The first one first, replies among them.
    comments: Vec<AlertComment>,
    /// How many are not settled.
    open: usize,
    /// Whether the caller may make another.
    may_comment: bool,
}

/// A remark to make.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewComment {
    /// The version that was looked at.
    version: i32,
    /// In words: 1 to 1,000 characters, without personal data.
    text: String,
    /// The passage that it is about; left out, the whole.
    #[serde(default)]
    passage: Option<Passage>,
    /// The remark that it replies to. A reply to a reply stands under the remark of both.
    #[serde(default)]
    reply_to: Option<Uuid>,
}

/// Whether a remark is settled.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct CommentResolution {
    /// `false` opens it again.
    resolved: bool,
}

/// Remarks on an alert while it was written and reviewed
#[utoipa::path(get, path = "/api/v1/alerts/{alert_id}/comments", params(("alert_id" = AlertId, Path, description = "The alert")),
    responses((status = 200, description = "All of them", body = AlertComments)))]
async fn read_comments(
    Shared(service): Shared<Service>,
    caller: StaffCaller,
    Path(id): Path<AlertId>,
) -> Result<axum::Json<AlertComments>, Problem> {
    let mut connection = service.platform.database.pool().acquire().await.map_err(Error::database("taking a connection"))?;
    let alert = store::load(&mut connection, id, false).await?;
    must_see_draft(&caller, &alert)?;
    let kept = kept(&mut connection, id).await?;
    Ok(axum::Json(shown(&alert, &caller, kept)))
}

/// Remark on a draft
///
/// About a passage of a text or the whole, or in reply to another remark. A passage has to stand in the alert as it is now. Remarks end when the
/// alert is approved or thrown away.
#[utoipa::path(post, path = "/api/v1/alerts/{alert_id}/comments", params(("alert_id" = AlertId, Path, description = "The alert")),
    request_body = NewComment, responses((status = 201, description = "All remarks on it", body = AlertComments)))]
async fn make(
    Shared(service): Shared<Service>,
    caller: StaffCaller,
    Path(id): Path<AlertId>,
    Json(new): Json<NewComment>,
) -> Result<(StatusCode, axum::Json<AlertComments>), Problem> {
    let now = service.platform.clock.now();
    let mut tx = service.platform.database.begin().await.map_err(Error::from)?;
    let alert = store::load(&mut tx, id, true).await?;
    must_see_draft(&caller, &alert)?;
    if !(1..=alert.version).contains(&new.version) {
        return Err(Error::Conflict { expected: new.version, found: alert.version, state: alert.state }.into());
    }
    let there = kept(&mut tx, id).await?;
    may_comment(alert.state, alert.area(), &actor_for(&caller, &alert), there.len()).map_err(Error::from)?;
    let text = comment::checked(&new.text).map_err(Error::CommentText)?;
    let reply_to = new.reply_to.map(|to| remark_of(&there, to)).transpose()?;
    check_passage(&alert, new.passage.as_ref(), reply_to)?;
    sqlx::query!(
        "insert into review.comment (comment_id, alert_id, reply_to, version, passage, words, made_by, made_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8)",
        Uuid::now_v7(),
        id.uuid(),
        reply_to,
        new.version,
        new.passage.as_ref().map(serde_json::to_value).transpose().map_err(|_| Error::Stored { what: "passage" })?,
        text,
        caller.id.uuid(),
        now
    )
    .execute(&mut *tx)
    .await
    .map_err(Error::database("keeping a comment"))?;
    leave_trace(&mut tx, &caller, "alert_comment", &alert, now).await?;
    work::tell(&mut tx, id, What::Comments, now).await?;
    let kept = kept(&mut tx, id).await?;
    tx.commit().await.map_err(Error::from)?;
    service.changed.wake();
    metrics::counter!("alert_comments_total").increment(1);
    Ok((StatusCode::CREATED, axum::Json(shown(&alert, &caller, kept))))
}

/// Say that a remark is settled, or is not after all
#[utoipa::path(put, path = "/api/v1/alerts/{alert_id}/comments/{comment_id}/resolved",
    params(("alert_id" = AlertId, Path, description = "The alert"), ("comment_id" = Uuid, Path, description = "The remark")),
    request_body = CommentResolution, responses((status = 200, description = "All remarks on it", body = AlertComments)))]
async fn resolve(
    Shared(service): Shared<Service>,
    caller: StaffCaller,
    Path((id, comment_id)): Path<(AlertId, Uuid)>,
    Json(wanted): Json<CommentResolution>,
) -> Result<axum::Json<AlertComments>, Problem> {
    let now = service.platform.clock.now();
    let mut tx = service.platform.database.begin().await.map_err(Error::from)?;
    let alert = store::load(&mut tx, id, true).await?;
    must_see_draft(&caller, &alert)?;
    let there = kept(&mut tx, id).await?;
    let found = there.iter().find(|one| one.comment_id == comment_id).ok_or(Error::NoSuchComment)?;
    may_resolve(alert.state, alert.area(), &alert.participants, &actor_for(&caller, &alert), found.remark()).map_err(Error::from)?;
    if found.resolved_at.is_some() == wanted.resolved {
        return Ok(axum::Json(shown(&alert, &caller, there)));
    }
    sqlx::query!(
        "update review.comment set resolved_at = $2, resolved_by = $3 where comment_id = $1",
        comment_id,
        wanted.resolved.then_some(now),
        wanted.resolved.then(|| caller.id.uuid())
    )
    .execute(&mut *tx)
    .await
    .map_err(Error::database("settling a comment"))?;
    let action = if wanted.resolved { "alert_resolve_comment" } else { "alert_reopen_comment" };
    leave_trace(&mut tx, &caller, action, &alert, now).await?;
    work::tell(&mut tx, id, What::Comments, now).await?;
    let kept = kept(&mut tx, id).await?;
    tx.commit().await.map_err(Error::from)?;
    service.changed.wake();
    Ok(axum::Json(shown(&alert, &caller, kept)))
}

/// One remark as it is kept.
struct Kept {
    comment_id: Uuid,
    reply_to: Option<Uuid>,
    version: i32,
    passage: Option<Passage>,
    words: String,
    made_by: StaffId,
    made_at: DateTime<Utc>,
    resolved_at: Option<DateTime<Utc>>,
    resolved_by: Option<StaffId>,
}

impl Kept {
    const fn remark(&self) -> Remark {
        Remark { by: self.made_by, is_reply: self.reply_to.is_some() }
    }
}

/// All remarks on an alert: there are at most [`comment::MOST`].
async fn kept(connection: &mut Connection, alert: AlertId) -> Result<Vec<Kept>, Error> {
    let rows = sqlx::query!(
        "select comment_id, reply_to, version, passage, words, made_by, made_at, resolved_at, resolved_by
           from review.comment where alert_id = $1 order by made_at, comment_id",
        alert.uuid()
    )
    .fetch_all(connection)
    .await
    .map_err(Error::database("reading comments"))?;
    let kept = rows.into_iter().map(|row| Kept {
        comment_id: row.comment_id,
        reply_to: row.reply_to,
        version: row.version,
        passage: row.passage.and_then(|passage| readable_row("passages of comments", serde_json::from_value(passage))),
        words: row.words,
        made_by: StaffId::from_uuid(row.made_by),
        made_at: row.made_at,
        resolved_at: row.resolved_at,
        resolved_by: row.resolved_by.map(StaffId::from_uuid),
    });
    Ok(kept.collect())
}

/// The remark that a reply to this one stands under.
fn remark_of(there: &[Kept], id: Uuid) -> Result<Uuid, Error> {
    let found = there.iter().find(|one| one.comment_id == id).ok_or(Error::NoSuchComment)?;
    Ok(found.reply_to.unwrap_or(id))
}

/// Whether a remark may be about this passage.
fn check_passage(alert: &Alert, about: Option<&Passage>, reply_to: Option<Uuid>) -> Result<(), Error> {
    let Some(about) = about else { return Ok(()) };
    if reply_to.is_some() {
        let fault = FieldFault::new("passage", "回复不另标文字，去掉后再发送", "a reply is about what its remark is about: leave it out");
        return Err(Error::Invalid(vec![fault]));
    }
    if let Some(fault) = passage::fault(about, &alert.content.contact) {
        return Err(Error::Invalid(vec![fault]));
    }
    if about.stands_in(&alert.content) { Ok(()) } else { Err(Error::PassageGone) }
}

fn shown(alert: &Alert, caller: &StaffCaller, kept: Vec<Kept>) -> AlertComments {
    let actor = actor_for(caller, alert);
    let open = kept.iter().filter(|one| one.reply_to.is_none() && one.resolved_at.is_none()).count();
    let may_comment = may_comment(alert.state, alert.area(), &actor, kept.len()).is_ok();
    let comments = kept.into_iter().map(|one| AlertComment {
        may_resolve: may_resolve(alert.state, alert.area(), &alert.participants, &actor, one.remark()).is_ok(),
        stands: one.passage.as_ref().map(|passage| passage.stands_in(&alert.content)),
        comment_id: one.comment_id,
        reply_to: one.reply_to,
        by: one.made_by,
        at: one.made_at,
        version: one.version,
        passage: one.passage,
        text: one.words,
        resolved_at: one.resolved_at,
        resolved_by: one.resolved_by,
    });
    AlertComments { comments: comments.collect(), open, may_comment }
}

/// How many remarks on an alert nobody has said are settled.
pub(super) async fn open(connection: &mut Connection, alert: AlertId) -> Result<i64, Error> {
    sqlx::query_scalar!(
        r#"select count(*) as "open!" from review.comment where alert_id = $1 and reply_to is null and resolved_at is null"#,
        alert.uuid()
    )
    .fetch_one(connection)
    .await
    .map_err(Error::database("counting comments"))
}

/// Who remarked when, and who said when that it is settled, among the steps of the alert: for those who see drafts.
pub(crate) async fn as_history(
    connection: &mut Connection,
    alert: &Alert,
    caller: &StaffCaller,
    steps: Vec<HistoryLine>,
) -> Result<Vec<HistoryLine>, Error> {
    if !sees_draft(caller, alert) {
        return Ok(steps);
    }
    let rows = sqlx::query!(
        "select version, made_by, made_at, resolved_at, resolved_by from review.comment where alert_id = $1 order by made_at, comment_id",
        alert.id.uuid()
    )
    .fetch_all(connection)
    .await
    .map_err(Error::database("reading who remarked on an alert"))?;
    let made = rows.iter().map(|row| ("comment", row.version, row.made_by, row.made_at));
    let settled = rows.iter().filter_map(|row| Some(("resolve_comment", row.version, row.resolved_by?, row.resolved_at?)));
    let beside =
        made.chain(settled).map(|(action, version, by, at)| HistoryLine::beside(&steps, version, action, StaffId::from_uuid(by), at));
    let mut beside: Vec<_> = beside.collect();
    beside.sort_by_key(HistoryLine::at);
    Ok(merged(steps, beside))
}

/// The steps in their own order, with what was done beside them before the first step that came later.
fn merged(steps: Vec<HistoryLine>, beside: Vec<HistoryLine>) -> Vec<HistoryLine> {
    let mut lines = Vec::with_capacity(steps.len() + beside.len());
    let mut beside = beside.into_iter().peekable();
    for step in steps {
        while let Some(line) = beside.next_if(|line| line.at() < step.at()) {
            lines.push(line);
        }
        lines.push(step);
    }
    lines.extend(beside);
    lines
}
