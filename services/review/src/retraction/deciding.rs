//! A second person says it, or does not; or who asked has thought better of it.

use axum::extract::State as Shared;
use chrono::{DateTime, Utc};
use domain::alert::DeliveryClass;
use domain::alert_state::{self, Action, Actor, Participants};
use domain::approval_seal::ApprovalSeal;
use domain::ids::AlertId;
use domain::public_reason::PublicReason;
use domain::retraction::{self as rules, Asked, Kind, Progress, Standing, Step as Decision};
use domain::second_factor::Act;
use domain::staff::{Role, Scope};
use platform::database::Tx;
use platform::http::{Access, Json, Path, Problem, Routes, StaffCaller, routes};
use platform::urgent;
use proto::{AlertApproved, AlertStopped, DraftSettled, StopReason};
use serde::Deserialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::asking::{SPEAKING, checked};
use super::kept::{self, Retraction, Second, Waiting};
use super::shown::{self, RetractionAnswer};
use super::{changed, changed_from, is_handed, resume, standing};
use crate::actor::{actor, actor_for};
use crate::reading;
use crate::store::{self, Alert, Step};
use crate::{Error, SCHEMA, Service, ended_records, reason, trace};

pub(super) fn routes() -> Routes<Service> {
    Routes::new("review").allow(Access::Staff(SPEAKING), routes!(decide))
}

/// What is decided about one that waits.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct RetractionDecision {
    /// The one that was looked at. What it says never changes, so what is confirmed is what was seen.
    retraction_id: Uuid,
    step: Decision,
    /// Why, in at most 500 characters; refusing needs it.
    #[serde(default)]
    reason: String,
    /// When it is not said after all, and the alert is stopped: let it go on in the same action.
    #[serde(default)]
    resume: bool,
}

/// Confirm a withdrawal, an all-clear or a correction, refuse it, or take back what one asked for
///
/// Confirming takes a fresh proof of the second factor. Everybody who has the alert is told at once, and at any hour where the alert was urgent.
#[utoipa::path(post, path = "/api/v1/alerts/{alert_id}/retraction/decisions", operation_id = "decide_about_retraction",
    params(("alert_id" = AlertId, Path, description = "The alert")), request_body = RetractionDecision,
    responses((status = 200, description = "Decided", body = RetractionAnswer)))]
async fn decide(
    Shared(service): Shared<Service>,
    caller: StaffCaller,
    Path(id): Path<AlertId>,
    Json(request): Json<RetractionDecision>,
) -> Result<axum::Json<RetractionAnswer>, Problem> {
    let now = service.platform.clock.now();
    let said = reason::check(&request.reason)?;
    let goes_on = request.resume && request.step != Decision::Confirm;
    // saying no keeps standing what may be false, so it takes as much as saying it
    if request.step != Decision::TakeBack || goes_on {
        caller.may_act(now)?;
        caller.must_have_proved(Act::TakeBack, now)?;
    }
    let mut tx = service.platform.database.begin().await.map_err(Error::from)?;
    let mut alert = store::load(&mut tx, id, true).await?;
    if !reading::may_see(&caller, &alert) {
        return Err(Error::NoSuchAlert(id).into());
    }
    // under the lock of the alert, so of two who decide at once the second finds what the first has made of it
    let all = kept::of_alert(&mut tx, id).await?;
    let retraction = all.into_iter().find(|retraction| retraction.id == request.retraction_id).ok_or(Error::NoSuchRetraction)?;
    match request.step {
        Decision::Confirm => confirm(&service, &mut tx, &mut alert, &caller, &retraction, said).await?,
        Decision::Refuse => refuse(&mut tx, &mut alert, &caller, &retraction, said, now).await?,
        Decision::TakeBack => take_back(&mut tx, &mut alert, &caller, &retraction, said, now).await?,
    }
    if goes_on && alert.held.is_some() {
        let why = said.unwrap_or(&retraction.reason);
        alert_state::next(alert.state, Action::Resume, &alert.participants, &actor_for(&caller, &alert), why).map_err(Error::from)?;
        resume(&service, &mut tx, &mut alert, &caller, Some(why)).await?;
    }
    tx.commit().await.map_err(Error::from)?;
    if request.step == Decision::Confirm && alert.class == DeliveryClass::Urgent {
        urgent::announce(&service.platform.cache, id).await;
    }
    service.changed.wake();
    // whatever keeps the answer from being read, it is decided
    let mut connection = service.platform.database.pool().acquire().await.map_err(Error::database("taking a connection"))?;
    Ok(axum::Json(shown::answer(&service, &mut connection, &alert, &caller, None).await?))
}

/// Says it: the alert ends, and everybody who has it is told, in the transaction of the second person.
async fn confirm(
    service: &Service,
    tx: &mut Tx,
    alert: &mut Alert,
    caller: &StaffCaller,
    retraction: &Retraction,
    said: Option<&str>,
) -> Result<(), Error> {
    let now = service.platform.clock.now();
    let standing = standing(alert, is_handed(tx, alert).await?);
    rules::may_confirm(&retraction.asked, &standing, &actor(caller), now)?;
    if !still_speaks(tx, &retraction.asked, &standing, now).await? {
        return Err(Error::AskerGone);
    }
    let correction = match (retraction.asked.kind, &retraction.content) {
        (Kind::Correct, Some(content)) => {
            // time has passed: it may have run out by now, or reach into the night
            let content = checked(service, alert, content.clone())?;
            Some(correct(tx, alert, Alert { content, ..correction_of(alert, retraction, caller, now) }, retraction, caller, said).await?)
        }
        (Kind::Correct, None) => return Err(Error::Stored { what: "content of a correction" }),
        _ => None,
    };
    let waiting = Waiting { id: retraction.id, asked: retraction.asked, asked_at: retraction.asked_at };
    let second = Second { by: caller.id, reason: said, correction: correction.as_ref().map(|correction| correction.id) };
    kept::decide(tx, &waiting, Progress::Confirmed, Some(second), now).await?;
    let kind = retraction.asked.kind;
    let (from, action) = (alert.state, kind.ends_by());
    let decision = alert_state::next(from, action, &alert.participants, &Actor::System, "")?;
    alert.step(action, decision, now);
    let why = said.unwrap_or(&retraction.reason);
    changed_from(tx, alert, caller, (&format!("confirm_{kind}"), from), Some(why), retraction.public_reason, now).await?;
    let how = if correction.is_some() { StopReason::Superseded } else { StopReason::Cancelled };
    let public_reason = if kind == Kind::AllClear { Some(PublicReason::Over) } else { retraction.public_reason };
    let stopped = AlertStopped {
        alert_id: alert.id.to_string(),
        how: how.into(),
        by_alert_id: correction.map(|correction| correction.id.to_string()),
        reason: public_reason.map(|reason| reason.to_string()).unwrap_or_default(),
    };
    tx.publish(SCHEMA, &stopped).await?;
    if stopped.by_alert_id.is_none() && alert.rule.is_some() && alert.corrects.is_none() {
        // whom a rule had told is told anew, should it come again
        tx.publish(SCHEMA, &DraftSettled { draft_id: alert.id.to_string(), approved: false }).await?;
    }
    let waited = (now - retraction.asked_at).as_seconds_f64().max(0.0);
    metrics::histogram!("retraction_confirm_seconds", "class" => alert.class.as_ref().to_owned(), "kind" => kind.as_ref().to_owned())
        .record(waited);
    tracing::warn!(alert = %alert.id, kind = kind.as_ref(), waited_s = waited, "two people have taken an alert back");
    Ok(())
}

/// Whether whoever asked may still do so: they are one of the two also now. Of an account that identity does not know there is nothing to say.
async fn still_speaks(tx: &mut Tx, asked: &Asked, standing: &Standing, now: DateTime<Utc>) -> Result<bool, Error> {
    let officer = sqlx::query!(
        r#"select role as "role!", scope as "scope!", in_use as "in_use!" from identity.officer where staff_id = $1"#,
        asked.by.id.uuid()
    )
    .fetch_optional(&mut **tx)
    .await
    .map_err(Error::database("looking for who asked"))?;
    let Some(officer) = officer else { return Ok(true) };
    let (Ok(role), Ok(scope)) = (officer.role.parse::<Role>(), officer.scope.parse::<Scope>()) else { return Ok(false) };
    let actor = Actor::Staff { id: asked.by.id, role, scope, involved: false };
    Ok(officer.in_use && role == asked.by.role && rules::may_ask(standing, asked.kind, &actor, now).is_ok())
}

/// The alert that says what is right instead: of the same class, for those who have the old one, answered for by who asked and who confirmed.
fn correction_of(old: &Alert, retraction: &Retraction, caller: &StaffCaller, now: DateTime<Utc>) -> Alert {
    let asker = retraction.asked.by.id;
    let participants = Participants { city_reviewer: Some(caller.id), ..Participants::written_by(asker, old.participants.district) };
    // whose words they are, too
    let authors = old.involved.iter().copied().chain([old.participants.submitter]);
    Alert {
        class: old.class,
        corrects: Some(old.id),
        for_holders: true,
        rule: old.rule,
        records: old.records,
        involved: authors.filter(|staff| *staff != asker && *staff != caller.id).collect(),
        ..Alert::draft(AlertId::new(), old.content.clone(), old.audience.clone(), participants, now)
    }
}

/// Writes the correction and approves it. It needs no third person: two have said it of what three had approved, and people act on what is wrong.
async fn correct(
    tx: &mut Tx,
    old: &Alert,
    mut correction: Alert,
    retraction: &Retraction,
    caller: &StaffCaller,
    said: Option<&str>,
) -> Result<Alert, Error> {
    store::insert(tx, &correction).await?;
    let asker = retraction.asked.by.id;
    store::record(tx, &correction, Step::of(asker, "correct", correction.state, Some(&retraction.reason)).writing()).await?;
    let (from, now) = (correction.state, correction.changed_at);
    correction.state = alert_state::State::Approved;
    correction.approved_at = Some(now);
    // both were shown these words; it goes to whoever has the old one, so nobody is counted
    correction.seal = Some(ApprovalSeal::of(correction.class, &correction.content, &correction.audience, None));
    store::save(tx, &mut correction).await?;
    store::record(tx, &correction, Step::of(caller.id, "confirm_correct", from, said)).await?;
    trace::leave(tx, caller, "confirm_correct", &correction, said).await?;
    // what is undecided about somebody in the old one is so about them in the new one
    ended_records::hand_on(tx, old, &correction, &[]).await?;
    tx.publish(SCHEMA, &AlertApproved { alert_id: correction.id.to_string() }).await?;
    metrics::counter!("alerts_approved_total", "class" => old.class.as_ref().to_owned()).increment(1);
    Ok(correction)
}

async fn refuse(
    tx: &mut Tx,
    alert: &mut Alert,
    caller: &StaffCaller,
    retraction: &Retraction,
    said: Option<&str>,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    // refused is also what could not be said any more: an alert that has ended, or nobody has
    let handed = is_handed(tx, alert).await?;
    rules::may_refuse(&retraction.asked, &standing(alert, handed), &actor(caller))?;
    let said = said.ok_or_else(reason::missing)?;
    close(tx, retraction, Progress::Refused, caller, Some(said), now).await?;
    changed(tx, alert, caller, "refuse_retraction", Some(said), None, now).await
}

async fn take_back(
    tx: &mut Tx,
    alert: &mut Alert,
    caller: &StaffCaller,
    retraction: &Retraction,
    said: Option<&str>,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    rules::may_take_back(&retraction.asked, &actor(caller))?;
    close(tx, retraction, Progress::TakenBack, caller, said, now).await?;
    changed(tx, alert, caller, "take_back_retraction", said, None, now).await
}

async fn close(
    tx: &mut Tx,
    retraction: &Retraction,
    how: Progress,
    caller: &StaffCaller,
    said: Option<&str>,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    let waiting = Waiting { id: retraction.id, asked: retraction.asked, asked_at: retraction.asked_at };
    kept::decide(tx, &waiting, how, Some(Second { by: caller.id, reason: said, correction: None }), now).await
}
