//! Writing alerts: a draft of one's own, changing a draft, correcting what was sent.

use axum::extract::State as Shared;
use chrono::{DateTime, Utc};
use domain::alert::AlertContent;
use domain::alert_state::{self, Participants, State};
use domain::area::{Area, DistrictCode};
use domain::audience::Audience;
use domain::cap::Status;
use domain::ids::{AlertId, StaffId};
use domain::staff::Role;
use http::StatusCode;
use platform::database::Tx;
use platform::http::{Access, Json, Path, Problem, Routes, StaffCaller, routes};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::actor::actor;
use crate::named_by_hand::{self, Naming};
use crate::reading::{self, AlertDetail};
use crate::store::{self, Alert, Step};
use crate::{Error, Service, message_kind, reason, trace};

pub(crate) const WRITING: &[Role] = &[Role::CityCommandOfficer, Role::DistrictReviewer, Role::SubmittingUnit];

pub(crate) fn routes() -> Routes<Service> {
    Routes::new("review")
        .allow(Access::Staff(WRITING), routes!(write))
        .allow(Access::Staff(WRITING), routes!(edit))
        .allow(Access::Staff(WRITING), routes!(correct))
}

/// A new draft.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Draft {
    /// The district whose alert it is; left out for the whole city.
    #[schema(value_type = Option<String>, example = "500103")]
    district: Option<DistrictCode>,
    content: AlertContent,
    audience: Audience,
    /// Why, where the audience names people: 10 to 500 characters, which the auditor reads.
    named_because: Option<String>,
}

/// Write a draft
#[utoipa::path(post, path = "/api/v1/alerts", request_body = Draft, responses((status = 201, description = "Written", body = AlertDetail)))]
async fn write(
    Shared(service): Shared<Service>,
    caller: StaffCaller,
    Json(draft): Json<Draft>,
) -> Result<(StatusCode, axum::Json<AlertDetail>), Problem> {
    let area = draft.district.map_or(Area::City, Area::District);
    message_kind::check(&draft.content, None)?;
    check(&caller, area, &draft.content, Some(&draft.audience))?;
    let naming = Naming::of(&draft.content, Some(&draft.audience), draft.named_because.as_deref())?;
    let participants = Participants::written_by(caller.id, draft.district);
    let alert = Alert::draft(AlertId::new(), draft.content, draft.audience, participants, service.platform.clock.now());
    add(&service, &caller, alert, "write", None, naming).await
}

/// Changes of a draft.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Edit {
    /// The version that was looked at.
    version: i32,
    content: AlertContent,
    /// The audience; left out, it stays. The people whom records name are never listed, so they cannot be sent back.
    audience: Option<Audience>,
    /// Why, where the audience names people: 10 to 500 characters, which the auditor reads.
    named_because: Option<String>,
}

/// Change a draft; whoever does answers for it from then on
#[utoipa::path(put, path = "/api/v1/alerts/{alert_id}", params(("alert_id" = AlertId, Path, description = "The alert")), request_body = Edit,
    responses((status = 200, description = "Changed", body = AlertDetail)))]
async fn edit(
    Shared(service): Shared<Service>,
    caller: StaffCaller,
    Path(id): Path<AlertId>,
    Json(edit): Json<Edit>,
) -> Result<axum::Json<AlertDetail>, Problem> {
    let mut tx = service.platform.database.begin().await.map_err(Error::from)?;
    let mut alert = store::load(&mut tx, id, true).await?;
    if !reading::may_see(&caller, &alert) {
        return Err(Error::NoSuchAlert(id).into());
    }
    if alert.version != edit.version {
        return Err(Error::Conflict { expected: edit.version, found: alert.version, state: alert.state }.into());
    }
    if !alert_state::may_edit(alert.state, &alert.participants, &actor(&caller)) {
        return Err(if alert.state == State::Draft { Error::OutsideScope } else { Error::NotEditable(alert.state) }.into());
    }
    check(&caller, alert.area(), &edit.content, edit.audience.as_ref())?;
    // an exercise that named people becomes the real thing
    let in_earnest = alert.rule.is_none() && alert.content.status != Status::Actual && edit.content.status == Status::Actual;
    let named = edit.audience.as_ref().or_else(|| in_earnest.then_some(&alert.audience));
    let naming = Naming::of(&edit.content, named, edit.named_because.as_deref())?;
    let names_nobody = matches!(edit.audience, Some(Audience::Query(_)));
    // What it corrects stays what it was.
    match alert.corrects {
        None => message_kind::check(&edit.content, None)?,
        Some(_) => message_kind::check_status(&edit.content, alert.content.status)?,
    }
    alert.content = message_kind::of(edit.content, alert.corrects);
    alert.audience = edit.audience.unwrap_or(alert.audience);
    alert.pass_to(alert.participants.edited_by(caller.id));
    alert.missing.clear();
    alert.changed_at = service.platform.clock.now();
    store::save(&mut tx, &mut alert).await?;
    match naming {
        Some(naming) => naming.keep(&mut tx, id, caller.id, alert.changed_at).await?,
        None if names_nobody => named_by_hand::forget(&mut tx, id).await?,
        None => {}
    }
    store::record(&mut tx, &alert, Step::of(caller.id, "edit", alert.state, None).writing()).await?;
    trace::leave(&mut tx, &caller, "edit", &alert, None).await?;
    let detail = reading::detail(&service, &mut tx, alert, &caller).await?;
    tx.commit().await.map_err(Error::from)?;
    service.changed.wake();
    Ok(axum::Json(detail))
}

/// A correction of an alert that was approved.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Correction {
    /// What was wrong.
    reason: String,
    /// The corrected content; left out, the old one is taken over to be edited.
    content: Option<AlertContent>,
    /// The audience; left out, the one that got the old alert.
    audience: Option<Audience>,
    /// Why, where the audience names people: 10 to 500 characters, which the auditor reads.
    named_because: Option<String>,
}

/// Write a correction (CAP Update); the old alert is superseded when it is approved
#[utoipa::path(post, path = "/api/v1/alerts/{alert_id}/correction", params(("alert_id" = AlertId, Path, description = "The alert to correct")),
    request_body = Correction, responses((status = 201, description = "A draft that references the old alert", body = AlertDetail)))]
async fn correct(
    Shared(service): Shared<Service>,
    caller: StaffCaller,
    Path(id): Path<AlertId>,
    Json(correction): Json<Correction>,
) -> Result<(StatusCode, axum::Json<AlertDetail>), Problem> {
    let mut connection = service.platform.database.pool().acquire().await.map_err(Error::database("taking a connection"))?;
    let old = store::load(&mut connection, id, false).await?;
    drop(connection);
    if !reading::may_see(&caller, &old) {
        return Err(Error::NoSuchAlert(id).into());
    }
    if !matches!(old.state, State::Approved | State::Dispatching | State::Active) {
        return Err(Error::NotCorrectable(old.state).into());
    }
    let written = correction.content.map(|content| {
        // what was read of the old alert may be sent back as it was, were that itself a correction
        let is_of_the_old = content.references == old.content.references;
        let content = AlertContent { references: content.references.filter(|_| !is_of_the_old), ..content };
        message_kind::check(&content, Some(id)).map(|()| content)
    });
    let content = written.transpose()?.unwrap_or_else(|| old.content.clone());
    let content = AlertContent { status: old.content.status, ..message_kind::of(content, Some(id)) };
    let reason = reason::check(&correction.reason)?;
    check(&caller, old.area(), &content, correction.audience.as_ref())?;
    let naming = Naming::of(&content, correction.audience.as_ref(), correction.named_because.as_deref())?;
    let audience = correction.audience.unwrap_or_else(|| old.audience.clone());
    let alert = correction_of(&old, content, audience, caller.id, service.platform.clock.now());
    add(&service, &caller, alert, "correct", reason, naming).await
}

/// A draft that takes the place of an alert when it is approved.
fn correction_of(old: &Alert, content: AlertContent, audience: Audience, author: StaffId, now: DateTime<Utc>) -> Alert {
    let participants = Participants::written_by(author, old.participants.district);
    let mut alert = Alert::draft(AlertId::new(), content, audience, participants, now);
    alert.corrects = Some(old.id);
    alert.rule = old.rule;
    alert.records = old.records;
    // whose words they are, too
    let authors = old.involved.iter().copied().chain([old.participants.submitter]);
    alert.involved = authors.filter(|staff| *staff != author).collect();
    alert
}

/// Writes a correction of an alert that says the same to an audience that is smaller.
pub(crate) async fn correct_for_fewer(
    tx: &mut Tx,
    caller: &StaffCaller,
    old: &Alert,
    audience: Audience,
    reason: Option<&str>,
    now: DateTime<Utc>,
) -> Result<Alert, Error> {
    if !alert_state::may_write(old.area(), &actor(caller)) {
        return Err(Error::OutsideScope);
    }
    let content = AlertContent { status: old.content.status, ..message_kind::of(old.content.clone(), Some(old.id)) };
    let alert = correction_of(old, content, audience, caller.id, now);
    store::insert(tx, &alert).await?;
    store::record(tx, &alert, Step::of(caller.id, "correct", alert.state, reason).writing()).await?;
    trace::leave(tx, caller, "correct", &alert, reason).await?;
    store::load(tx, alert.id, false).await
}

async fn add(
    service: &Service,
    caller: &StaffCaller,
    alert: Alert,
    action: &str,
    reason: Option<&str>,
    naming: Option<Naming<'_>>,
) -> Result<(StatusCode, axum::Json<AlertDetail>), Problem> {
    let mut tx = service.platform.database.begin().await.map_err(Error::from)?;
    store::insert(&mut tx, &alert).await?;
    if let Some(naming) = naming {
        naming.keep(&mut tx, alert.id, caller.id, alert.created_at).await?;
    }
    store::record(&mut tx, &alert, Step::of(caller.id, action, alert.state, reason).writing()).await?;
    trace::leave(&mut tx, caller, action, &alert, reason).await?;
    let stored = store::load(&mut tx, alert.id, false).await?;
    let detail = reading::detail(service, &mut tx, stored, caller).await?;
    tx.commit().await.map_err(Error::from)?;
    service.changed.wake();
    metrics::counter!("alerts_drafted_total", "by" => "staff").increment(1);
    Ok((StatusCode::CREATED, axum::Json(detail)))
}

/// Whether the caller may write this for this area and give it this audience. Faults of the content may wait until it is submitted,
/// unless nobody could read it back.
fn check(caller: &StaffCaller, area: Area, content: &AlertContent, audience: Option<&Audience>) -> Result<(), Error> {
    content.check_draft().map_err(Error::Content)?;
    audience.map_or(Ok(()), Audience::validate).map_err(Error::Audience)?;
    if !alert_state::may_write(area, &actor(caller)) {
        return Err(Error::OutsideScope);
    }
    match audience {
        Some(Audience::Query(query)) if !query.lies_within(area) => Err(Error::OutsideScope),
        // Numbers do not say where people live: only who may reach the whole city may name people.
        Some(Audience::Residents(_)) if !caller.scope.covers(Area::City) => Err(Error::OutsideScope),
        _ => Ok(()),
    }
}
