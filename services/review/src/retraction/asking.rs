//! One person asks for a word about an alert that people have.

use axum::extract::State as Shared;
use domain::alert::{AlertContent, ContentFault, FaultKind};
use domain::ids::AlertId;
use domain::public_reason::PublicReason;
use domain::retraction::prepared::Prepared;
use domain::retraction::{self as rules, Kind, Person};
use domain::second_factor::Act;
use domain::staff::Role;
use http::StatusCode;
use platform::database::Tx;
use platform::http::{Access, FieldFault, Json, Path, Problem, Routes, StaffCaller, routes};
use serde::Deserialize;
use utoipa::ToSchema;

use super::shown::{self, RetractionAnswer};
use super::{changed, is_handed, kept, standing, waiting};
use crate::actor::actor;
use crate::reading;
use crate::store::{self, Alert};
use crate::{Error, Service, cautions, message_kind, reason};

/// Who speaks for a place.
pub(super) const SPEAKING: &[Role] = &[Role::CityCommandOfficer, Role::DistrictReviewer];

pub(super) fn routes() -> Routes<Service> {
    Routes::new("review").allow(Access::Staff(SPEAKING), routes!(ask))
}

/// What is asked for.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct RetractionRequest {
    kind: Kind,
    /// Why, for colleagues, in at most 500 characters.
    reason: String,
    /// Why it was wrong, as the public is told: of a withdrawal only. Left out, nothing is said of why.
    #[serde(default)]
    public_reason: Option<PublicReason>,
    /// What is right instead: of a correction only, made from the prepared one.
    #[serde(default)]
    content: Option<AlertContent>,
    /// The version that was looked at. Given, it is asked for nothing if a person has changed the alert since; what the platform did since does not
    /// matter. Left out, it is asked for whatever happened.
    #[serde(default)]
    version: Option<i32>,
}

/// Somebody's wish for a word.
pub(super) struct Wish<'a> {
    pub(super) kind: Kind,
    pub(super) reason: &'a str,
    pub(super) public_reason: Option<PublicReason>,
    pub(super) content: Option<AlertContent>,
    pub(super) by_stop: bool,
}

/// Ask that an alert is withdrawn, lifted or corrected for everybody who has it
///
/// Nothing is said until a second person confirms it. Takes a fresh proof of the second factor.
#[utoipa::path(post, path = "/api/v1/alerts/{alert_id}/retraction", operation_id = "ask_for_retraction",
    params(("alert_id" = AlertId, Path, description = "The alert")), request_body = RetractionRequest,
    responses((status = 201, description = "It waits for a second person", body = RetractionAnswer)))]
async fn ask(
    Shared(service): Shared<Service>,
    caller: StaffCaller,
    Path(id): Path<AlertId>,
    Json(request): Json<RetractionRequest>,
) -> Result<(StatusCode, axum::Json<RetractionAnswer>), Problem> {
    let now = service.platform.clock.now();
    caller.may_act(now)?;
    caller.must_have_proved(Act::TakeBack, now)?;
    let RetractionRequest { kind, reason, public_reason, content, version } = request;
    let said = reason::check(&reason)?.ok_or_else(reason::missing)?;
    let mut tx = service.platform.database.begin().await.map_err(Error::from)?;
    let mut alert = store::load(&mut tx, id, true).await?;
    if !reading::may_see(&caller, &alert) {
        return Err(Error::NoSuchAlert(id).into());
    }
    if let Some(looked_at) = version {
        unchanged_by_people(&mut tx, &alert, looked_at).await?;
    }
    open(&service, &mut tx, &mut alert, &caller, Wish { kind, reason: said, public_reason, content, by_stop: false }).await?;
    let answer = shown::answer(&service, &mut tx, &alert, &caller, None).await?;
    tx.commit().await.map_err(Error::from)?;
    service.changed.wake();
    Ok((StatusCode::CREATED, axum::Json(answer)))
}

/// Opens the question, in the transaction that holds the alert.
pub(super) async fn open(service: &Service, tx: &mut Tx, alert: &mut Alert, caller: &StaffCaller, wish: Wish<'_>) -> Result<(), Error> {
    let now = service.platform.clock.now();
    rules::check_reason(wish.kind, wish.public_reason)?;
    let standing = standing(alert, is_handed(tx, alert).await?);
    rules::may_ask(&standing, wish.kind, &actor(caller), now)?;
    if waiting(tx, alert.id, false).await?.is_some() {
        return Err(Error::RetractionWaits);
    }
    let content = match (wish.kind, wish.content) {
        (Kind::Correct, Some(content)) => Some(checked(service, alert, content)?),
        (Kind::Correct, None) => {
            return Err(Error::Invalid(vec![FieldFault::new("content", "请写明更正后的内容", "is missing: say what is right instead")]));
        }
        (_, Some(_)) => {
            return Err(Error::Invalid(vec![FieldFault::new("content", "只有更正才有内容", "is of a correction only")]));
        }
        (_, None) => None,
    };
    let texts = match &content {
        Some(content) => content.texts.clone(),
        None => prepared(service, alert).texts(wish.kind, wish.public_reason),
    };
    let new = kept::New {
        alert: alert.id,
        kind: wish.kind,
        reason: wish.reason,
        public_reason: wish.public_reason,
        texts: &texts,
        content: content.as_ref(),
        by_stop: wish.by_stop,
        by: Person { id: caller.id, role: caller.role },
        at: now,
    };
    kept::insert(tx, new).await?;
    changed(tx, alert, caller, &format!("ask_{}", wish.kind), Some(wish.reason), wish.public_reason, now).await?;
    tracing::warn!(alert = %alert.id, kind = wish.kind.as_ref(), class = alert.class.as_ref(), "a retraction waits for a second person");
    Ok(())
}

/// The words that stand ready beside the alert. People have it since it was approved, as far as anybody can say of all of them at once.
pub(super) fn prepared<'a>(service: &Service, alert: &'a Alert) -> Prepared<'a> {
    Prepared { id: alert.id, of: &alert.content, since: alert.approved_at.unwrap_or(alert.created_at), zone: service.quiet_hours.tz }
}

/// The content of a correction as it is sent, if it may be: checked as the text of any alert, in every language that the old one had, to the same
/// people and screens.
pub(super) fn checked(service: &Service, alert: &Alert, content: AlertContent) -> Result<AlertContent, Error> {
    let is_of_the_old = content.references == alert.content.references;
    let content = AlertContent { references: content.references.filter(|_| !is_of_the_old), ..content };
    message_kind::check(&content, Some(alert.id))?;
    message_kind::check_status(&content, alert.content.status)?;
    if content.display != alert.content.display {
        let fault =
            FieldFault::new("content.display", "更正发给原来的人和屏幕，不能更改", "a correction goes to the same people and screens");
        return Err(Error::Invalid(vec![fault]));
    }
    let content = message_kind::of(content, Some(alert.id));
    let mut faults = content.check_draft().err().unwrap_or_default();
    let now = service.platform.clock.now();
    faults.extend(content.check_sending(&cautions::sending(service, alert, alert.class, now)).err().unwrap_or_default());
    let lacking = alert.content.texts.keys().filter(|language| !content.texts.contains_key(language));
    faults.extend(lacking.map(|language| ContentFault {
        field: format!("texts.{language}"),
        kind: FaultKind::Missing,
        message: format!("原弹窗有 {language} 文本，更正也须有"),
    }));
    // Chinese is looked for by both
    faults.dedup_by(|one, other| one.field == other.field && one.kind == other.kind);
    if faults.is_empty() { Ok(content) } else { Err(Error::Content(faults)) }
}

/// Refuses what was asked on a version that a person has changed since.
async fn unchanged_by_people(tx: &mut Tx, alert: &Alert, looked_at: i32) -> Result<(), Error> {
    let by_people = sqlx::query_scalar!(
        r#"select exists (select from review.step where alert_id = $1 and version > $2 and actor is not null) as "by_people!""#,
        alert.id.uuid(),
        looked_at
    )
    .fetch_one(&mut **tx)
    .await
    .map_err(Error::database("looking for what was done to an alert"))?;
    if by_people { Err(Error::Conflict { expected: looked_at, found: alert.version, state: alert.state }) } else { Ok(()) }
}
