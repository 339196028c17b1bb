//! Decisions of staff: submit, pass, return, approve, refuse, confirm, cancel.
//!
//! One route takes them all, since one table permits them all. A decision names the version it was made on; a cancellation or a stop need not,
//! since every step of the platform makes a new one, and whoever stops an alert means the alert.

use axum::extract::State as Shared;
use domain::alert::DeliveryClass;
use domain::alert_state::{self, Action, Actor, State};
use domain::approval_seal::ApprovalSeal;
use domain::before_sending::Caution;
use domain::checklist::{self, Answered};
use domain::ids::AlertId;
use domain::passage::Passage;
use domain::public_reason::PublicReason;
use domain::retention::OLDEST_DRAFT;
use domain::retraction::{Kind, Progress, check_reason};
use domain::second_factor::Act;
use domain::since_return::AudienceMark;
use domain::staff::Role;
use platform::database::Tx;
use platform::http::{Access, FieldFault, Json, Path, Problem, Routes, StaffCaller, routes};
use platform::urgent;
use proto::{AlertApproved, AlertStopped, DraftSettled, StopReason};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::actor::actor_for;
use crate::reading::{self, AlertDetail};
use crate::store::{self, Alert, Step};
use crate::{Error, SCHEMA, Service, cautions, ended_records, in_review, message_kind, passage, reason, retraction, trace};

/// The roles that take any step at all.
const DECIDING: &[Role] = &[Role::CityCommandOfficer, Role::DistrictReviewer, Role::SubmittingUnit];

pub(crate) fn routes() -> Routes<Service> {
    Routes::new("review").allow(Access::Staff(DECIDING), routes!(decide))
}

/// A decision about an alert.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct DecisionRequest {
    /// The version that was looked at. A cancellation, a stop and letting go on need none: they hold for whatever version there is.
    #[serde(default)]
    version: Option<i32>,
    /// What is decided.
    action: Action,
    /// Why, in at most 500 characters. Returns, refusals and cancellations need it; whoever submitted is told.
    #[serde(default)]
    reason: String,
    /// Why an alert was wrong, as the public is told: of a cancellation, and of the withdrawal that a stop asks for. Left out, nothing is said of why;
    /// the reason above is for colleagues and reaches nobody else.
    #[serde(default)]
    public_reason: Option<PublicReason>,
    /// The passage of the text that the reason is about.
    #[serde(default)]
    passage: Option<Passage>,
    /// Marks for the history, as they were sent before items were answered. They stand for no answer.
    #[serde(default)]
    checked: Vec<String>,
    /// What is said of the alert's `checklist`, item by item: a step forward from a review takes an answer to each and no `no`, a step back or a refusal
    /// takes any of them.
    #[serde(default)]
    answers: Vec<Answered>,
    /// What is known, and meant, although it is unusual: an alert with a caution that has to be confirmed is not approved without it.
    #[serde(default)]
    known: Vec<Caution>,
    /// How many open comments were there when it was looked at: one more by now is asked about again, whatever is known.
    #[serde(default)]
    seen_comments: Option<i64>,
}

impl DecisionRequest {
    /// What is decided.
    pub(crate) const fn action(&self) -> Action {
        self.action
    }

    /// The version that was looked at.
    pub(crate) const fn version(&self) -> Option<i32> {
        self.version
    }
}

/// Decide about an alert
///
/// Which actions are open to the caller is in the alert's `open_actions`. Somebody else's decision in between is a
/// conflict: reload, look, decide again. So is an approval that would reach nobody, or some not in time, or leave no time for a reminder, or contradict
/// another alert for the same place, unless `known` names that caution; so is a step forward while comments are open, and a review of what a colleague has claimed. Confirming an urgent alert, approving one to very many people, cancelling and stopping take a fresh proof of the
/// second factor.
///
/// `stop` keeps everything more of an approved alert from being sent, at once and by one person, and asks for its withdrawal in the same action: a
/// second person says whether it goes out (`/retraction`). `resume` lets it go on. What nobody has yet is simply cancelled.
#[utoipa::path(post, path = "/api/v1/alerts/{alert_id}/decisions", params(("alert_id" = AlertId, Path, description = "The alert")),
    request_body = DecisionRequest, responses((status = 200, description = "Decided", body = AlertDetail)))]
async fn decide(
    Shared(service): Shared<Service>,
    caller: StaffCaller,
    Path(id): Path<AlertId>,
    Json(request): Json<DecisionRequest>,
) -> Result<axum::Json<AlertDetail>, Problem> {
    take_one(&service, &caller, id, &request).await.map(axum::Json)
}

/// Takes one decision, alone or among others, in a transaction of its own.
pub(crate) async fn take_one(
    service: &Service,
    caller: &StaffCaller,
    id: AlertId,
    request: &DecisionRequest,
) -> Result<AlertDetail, Problem> {
    let now = service.platform.clock.now();
    if request.action.releases() {
        caller.may_act(now)?;
    }
    if request.action == Action::Confirm {
        caller.must_have_proved(Act::ConfirmUrgent, now)?;
    }
    // how many people whoever sends it was shown
    let mut counted = None;
    if matches!(request.action, Action::Approve | Action::Confirm) {
        let mut connection = service.platform.database.pool().acquire().await.map_err(Error::database("taking a connection"))?;
        let alert = store::load(&mut connection, id, false).await?;
        drop(connection);
        if let Some(expected) = request.version.filter(|_| reading::may_see(caller, &alert)) {
            // what was counted has to be what is approved
            if expected != alert.version {
                return Err(Error::Conflict { expected, found: alert.version, state: alert.state }.into());
            }
            let people = cautions::check(service, caller, &alert, request.action, &request.known).await?;
            counted = people;
            if request.action == Action::Approve {
                caller.must_have_proved(Act::Approve { people, many: service.fresh_proof_over_people }, now)?;
                if alert.corrects.is_some() {
                    // the alert that it corrects ends for everybody who has it
                    caller.must_have_proved(Act::TakeBack, now)?;
                }
            }
        }
    }
    let mut tx = service.platform.database.begin().await.map_err(Error::from)?;
    let mut alert = store::load(&mut tx, id, true).await?;
    if !reading::may_see(caller, &alert) {
        return Err(Error::NoSuchAlert(id).into());
    }
    match (request.action, request.version) {
        (Action::Stop | Action::Resume, _) => caller.must_have_proved(Act::TakeBack, now)?,
        (Action::Cancel, _) if alert.approved_at.is_some() => caller.must_have_proved(Act::TakeBack, now)?,
        (Action::Cancel, _) => {}
        (_, Some(looked_at)) if looked_at == alert.version => {}
        (_, Some(expected)) => return Err(Error::Conflict { expected, found: alert.version, state: alert.state }.into()),
        (_, None) => return Err(Error::Invalid(vec![FieldFault::new("version", "缺少此字段", "is missing")]).into()),
    }
    passage::check(request.passage.as_ref(), &alert.content.contact, &request.checked)?;
    match request.public_reason {
        Some(_) if !matches!(request.action, Action::Cancel | Action::Stop) => {
            let fault = FieldFault::new("public_reason", "只有撤销才对公众说明原因", "is told to the public of a cancellation only");
            return Err(Error::Invalid(vec![fault]).into());
        }
        // that the danger is over is said by two
        reason => check_reason(Kind::Withdraw, reason).map_err(Error::from)?,
    }
    take(service, &mut tx, &mut alert, caller, request, counted).await?;
    let detail = reading::detail(service, &mut tx, alert, caller).await?;
    tx.commit().await.map_err(Error::from)?;
    service.changed.wake();
    Ok(detail)
}

/// Takes the step with all that follows from it, inside the transaction. `counted`: how many people it is for at this moment, if they could
/// be counted.
async fn take(
    service: &Service,
    tx: &mut Tx,
    alert: &mut Alert,
    caller: &StaffCaller,
    request: &DecisionRequest,
    counted: Option<u64>,
) -> Result<(), Error> {
    let (action, said) = (request.action, reason::check(&request.reason)?);
    let reason = said.unwrap_or_default();
    let now = service.platform.clock.now();
    let decision = alert_state::next(alert.state, action, &alert.participants, &actor_for(caller, alert), reason)?;
    checklist::check(alert.state, action, &alert.nature(), &request.answers)?;
    in_review::cautions(tx, alert, caller.id, action, &request.known, request.seen_comments, now).await?;
    // A text is checked whenever it goes forward: time passes between the steps, and a draft may expire.
    if matches!(action, Action::Submit | Action::ComposeUrgent | Action::PassDistrict | Action::Approve | Action::Confirm) {
        message_kind::check(&alert.content, alert.corrects)?;
        ended_records::all_decided(tx, alert.id).await?;
        let class = decision.class.unwrap_or(alert.class);
        alert.content.check_sending(&cautions::sending(service, alert, class, now)).map_err(Error::Content)?;
        if now - alert.created_at > OLDEST_DRAFT {
            return Err(Error::DraftTooOld);
        }
    }
    let (from, was_approved) = (alert.state, alert.approved_at.is_some());
    match action {
        Action::Stop => return retraction::stop(service, tx, alert, caller, said, request.public_reason).await,
        Action::Resume => return retraction::resume(service, tx, alert, caller, said).await,
        Action::Cancel if was_approved => {
            if retraction::is_handed(tx, alert).await? {
                return Err(Error::NeedsSecondOfficer);
            }
            retraction::end_waiting(tx, alert.id, Progress::Overtaken, now).await?;
        }
        _ => {}
    }
    alert.step(action, decision, now);
    if matches!(action, Action::Approve | Action::Confirm) {
        // this version, which nobody changes any more: what they had before them
        alert.seal = Some(ApprovalSeal::of(alert.class, &alert.content, &alert.audience, counted));
    }
    store::save(tx, alert).await?;
    in_review::end_claim(tx, alert.id, now).await?;
    let step = Step {
        public_reason: request.public_reason,
        passage: request.passage.as_ref(),
        checked: &request.checked,
        answers: &request.answers,
        audience_mark: action.sends_back().then(|| AudienceMark::of(&alert.audience)),
        ..Step::of(caller.id, action.as_ref(), from, said)
    };
    store::record(tx, alert, step).await?;
    trace::leave(tx, caller, action.as_ref(), alert, said).await?;
    if alert.rule.is_some() && alert.corrects.is_none() && (alert.approved_at == Some(now) || alert.state.is_final()) {
        let approved = !alert.state.is_final();
        tx.publish(SCHEMA, &DraftSettled { draft_id: alert.id.to_string(), approved }).await?;
    }
    match action {
        Action::Approve | Action::Confirm => {
            tx.publish(SCHEMA, &AlertApproved { alert_id: alert.id.to_string() }).await?;
            if alert.class == DeliveryClass::Urgent {
                urgent::announce(&service.platform.cache, alert.id).await;
            }
            if let Some(corrected) = alert.corrects {
                supersede(service, tx, corrected, alert).await?;
            }
            metrics::counter!("alerts_approved_total", "class" => alert.class.as_ref().to_owned()).increment(1);
        }
        Action::Cancel if was_approved => {
            tx.publish(
                SCHEMA,
                &AlertStopped {
                    alert_id: alert.id.to_string(),
                    how: StopReason::Cancelled.into(),
                    by_alert_id: None,
                    reason: request.public_reason.map(|reason| reason.to_string()).unwrap_or_default(),
                },
            )
            .await?;
        }
        _ => {}
    }
    tracing::info!(alert = %alert.id, action = action.as_ref(), state = alert.state.as_ref(), "alert decided");
    Ok(())
}

/// The alert that was corrected ends with the approval of its correction.
async fn supersede(service: &Service, tx: &mut Tx, corrected: AlertId, by: &Alert) -> Result<(), Error> {
    let mut old = store::load(tx, corrected, true).await?;
    // Two corrections of one alert would contradict each other; the later one has to correct the earlier.
    if old.state == State::Superseded {
        return Err(Error::NotCorrectable(old.state));
    }
    let Ok(decision) = alert_state::next(old.state, Action::Supersede, &old.participants, &Actor::System, "") else { return Ok(()) };
    let from = old.state;
    retraction::end_waiting(tx, old.id, Progress::Overtaken, service.platform.clock.now()).await?;
    old.step(Action::Supersede, decision, service.platform.clock.now());
    store::save(tx, &mut old).await?;
    store::record(tx, &old, Step::of_platform(Action::Supersede.as_ref(), from)).await?;
    tx.publish(
        SCHEMA,
        &AlertStopped {
            alert_id: old.id.to_string(),
            how: StopReason::Superseded.into(),
            by_alert_id: Some(by.id.to_string()),
            reason: String::new(),
        },
    )
    .await?;
    Ok(())
}
