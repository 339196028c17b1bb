//! What stands ready beside an alert, what waits, what was said, and how far it has gone out.

use std::collections::BTreeMap;

use axum::extract::State as Shared;
use chrono::{DateTime, TimeDelta, Utc};
use domain::alert::{AlertContent, AlertText, ContentFault, DeliveryClass};
use domain::alert_state::State;
use domain::ids::{AlertId, StaffId};
use domain::language::Language;
use domain::public_reason::PublicReason;
use domain::retraction::prepared::short_message;
use domain::retraction::{self as rules, Kind, Progress, Standing, Step};
use platform::database::Connection;
use platform::http::{Access, Path, Problem, Query, Routes, StaffCaller, routes};
use serde::{Deserialize, Serialize};
use strum::VariantArray as _;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::asking::prepared;
use super::kept::{self, Retraction};
use super::playbook::{self, Playbook};
use super::{is_handed, standing};
use crate::actor::actor;
use crate::reading::{self, READING, SmsPreview};
use crate::store::{self, Alert};
use crate::{Error, Service, cautions};

pub(super) fn routes() -> Routes<Service> {
    Routes::new("review").allow(Access::Staff(READING), routes!(read))
}

/// Everything about taking an alert back.
#[derive(Serialize, ToSchema)]
pub(super) struct RetractionAnswer {
    alert_id: AlertId,
    version: i32,
    state: State,
    class: DeliveryClass,
    /// Since when it is stopped.
    held_at: Option<DateTime<Utc>>,
    /// Whether somebody may have it.
    handed: bool,
    /// What the caller may ask for now.
    may_ask: Vec<Kind>,
    /// The reasons that a withdrawal may give to the public.
    public_reasons: Vec<PublicReason>,
    /// The words that stand ready; none of an alert that was never approved, or has ended.
    prepared: Vec<PreparedWord>,
    /// The one that waits for a second person.
    waiting: Option<RetractionView>,
    /// Those that were decided about, the newest first.
    earlier: Vec<RetractionView>,
    /// Who may do it now, and how.
    playbook: Playbook,
}

/// A word that stands ready, as every channel will say it. Screens that show the alert show headline, body and instruction.
#[derive(Serialize, ToSchema)]
struct PreparedWord {
    kind: Kind,
    #[schema(value_type = std::collections::HashMap<String, AlertText>)]
    texts: BTreeMap<Language, AlertText>,
    /// The short message by language, as it will be sent.
    #[schema(value_type = std::collections::HashMap<String, SmsPreview>)]
    sms: BTreeMap<Language, SmsPreview>,
    /// Of a correction: what the alert says, to be changed where it was wrong.
    content: Option<AlertContent>,
    /// What would keep a correction from being sent as it stands.
    faults: Vec<ContentFault>,
}

/// One that was asked for.
#[derive(Serialize, ToSchema)]
struct RetractionView {
    retraction_id: Uuid,
    kind: Kind,
    state: Progress,
    /// Asked for by whoever stopped the alert, in the same action.
    by_stop: bool,
    /// Why, for colleagues.
    reason: String,
    /// Why, as the public is told.
    public_reason: Option<PublicReason>,
    asked_by: StaffId,
    asked_at: DateTime<Utc>,
    decided_by: Option<StaffId>,
    decided_at: Option<DateTime<Utc>>,
    decided_reason: Option<String>,
    /// What is said, to the letter.
    #[schema(value_type = std::collections::HashMap<String, AlertText>)]
    texts: BTreeMap<Language, AlertText>,
    #[schema(value_type = std::collections::HashMap<String, SmsPreview>)]
    sms: BTreeMap<Language, SmsPreview>,
    /// Of a correction.
    content: Option<AlertContent>,
    /// The alert that it has become.
    correction: Option<AlertId>,
    /// What the caller may do about it.
    open_steps: Vec<Step>,
    /// From asking to confirming, in seconds.
    ask_to_confirm_s: Option<f64>,
    /// How it has gone out, once it is confirmed and the first message is planned.
    told: Option<WordTold>,
}

/// How a word back has gone out.
#[derive(Serialize, ToSchema)]
struct WordTold {
    first_hand_over_at: Option<DateTime<Utc>>,
    /// When the last person was done with; none while somebody is not.
    last_hand_over_at: Option<DateTime<Utc>>,
    /// Who is told: those who have the alert.
    people: i64,
    handed_over: i64,
    open: i64,
    unreachable: i64,
    /// From confirming to the first hand-over, in seconds.
    confirm_to_first_s: Option<f64>,
    /// From confirming until everybody was done with, in seconds.
    confirm_to_last_s: Option<f64>,
}

/// How the prepared words are to be shown.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Shown {
    /// The reason that the prepared withdrawal gives.
    public_reason: Option<PublicReason>,
}

/// What can be said about an alert that people have, what waits, and who may say it
#[utoipa::path(get, path = "/api/v1/alerts/{alert_id}/retraction", operation_id = "read_retraction",
    params(("alert_id" = AlertId, Path, description = "The alert"), Shown),
    responses((status = 200, description = "As of now", body = RetractionAnswer)))]
async fn read(
    Shared(service): Shared<Service>,
    caller: StaffCaller,
    Path(id): Path<AlertId>,
    Query(shown): Query<Shown>,
) -> Result<axum::Json<RetractionAnswer>, Problem> {
    rules::check_reason(Kind::Withdraw, shown.public_reason).map_err(Error::from)?;
    let mut connection = service.platform.database.pool().acquire().await.map_err(Error::database("taking a connection"))?;
    let alert = store::load(&mut connection, id, false).await?;
    if !reading::may_see(&caller, &alert) {
        return Err(Error::NoSuchAlert(id).into());
    }
    Ok(axum::Json(answer(&service, &mut connection, &alert, &caller, shown.public_reason).await?))
}

/// The answer as the caller sees it.
pub(super) async fn answer(
    service: &Service,
    connection: &mut Connection,
    alert: &Alert,
    caller: &StaffCaller,
    public_reason: Option<PublicReason>,
) -> Result<RetractionAnswer, Error> {
    let now = service.platform.clock.now();
    let handed = is_handed(connection, alert).await?;
    let standing = standing(alert, handed);
    let all = kept::of_alert(connection, alert.id).await?;
    let told = told(connection, alert, &all).await?;
    let asked = all.iter().map(|retraction| retraction.asked).find(|asked| asked.progress == Progress::Asked);
    let playbook = playbook::of(service, connection, caller, &standing, alert, asked.as_ref(), &all).await?;
    let as_seen = |retraction: Retraction| seen(service, alert, caller, &standing, retraction, told, now);
    let (waiting, earlier): (Vec<_>, Vec<_>) = all.into_iter().partition(|retraction| retraction.asked.progress == Progress::Asked);
    let may_act = caller.may_act(now).is_ok();
    Ok(RetractionAnswer {
        alert_id: alert.id,
        version: alert.version,
        state: alert.state,
        class: alert.class,
        held_at: alert.held.map(|held| held.at),
        handed,
        may_ask: if may_act && waiting.is_empty() { rules::kinds_open(&standing, &actor(caller), now) } else { Vec::new() },
        public_reasons: PublicReason::OF_A_WITHDRAWAL.to_vec(),
        prepared: if is_under_way(&standing, now) { words(service, alert, public_reason, now) } else { Vec::new() },
        waiting: waiting.into_iter().map(&as_seen).next(),
        earlier: earlier.into_iter().map(&as_seen).collect(),
        playbook,
    })
}

fn is_under_way(standing: &Standing, now: DateTime<Utc>) -> bool {
    matches!(standing.state, State::Approved | State::Dispatching | State::Active) && now < standing.expires_at
}

fn words(service: &Service, alert: &Alert, public_reason: Option<PublicReason>, now: DateTime<Utc>) -> Vec<PreparedWord> {
    let prepared = prepared(service, alert);
    let word = |kind: Kind| {
        let texts = prepared.texts(kind, public_reason);
        let content = (kind == Kind::Correct).then(|| prepared.correction());
        let sending = cautions::sending(service, alert, alert.class, now);
        let faults = content.as_ref().and_then(|content| content.check_sending(&sending).err()).unwrap_or_default();
        PreparedWord { kind, sms: short_messages(service, alert, &texts), texts, content, faults }
    };
    Kind::VARIANTS.iter().copied().map(word).collect()
}

fn short_messages(service: &Service, alert: &Alert, texts: &BTreeMap<Language, AlertText>) -> BTreeMap<Language, SmsPreview> {
    let message = |(language, text): (&Language, &AlertText)| {
        let (text, segments) = short_message(&alert.content, *language, text, &service.signature)?;
        Some((*language, SmsPreview { text, segments }))
    };
    texts.iter().filter_map(message).collect()
}

fn seen(
    service: &Service,
    alert: &Alert,
    caller: &StaffCaller,
    standing: &Standing,
    retraction: Retraction,
    told: Option<Told>,
    now: DateTime<Utc>,
) -> RetractionView {
    let is_confirmed = retraction.asked.progress == Progress::Confirmed;
    let confirmed_at = retraction.decided_at.filter(|_| is_confirmed);
    let told = told.zip(confirmed_at).map(|(told, confirmed_at)| told.since(confirmed_at));
    RetractionView {
        retraction_id: retraction.id,
        kind: retraction.asked.kind,
        state: retraction.asked.progress,
        by_stop: retraction.by_stop,
        reason: retraction.reason,
        public_reason: retraction.public_reason,
        asked_by: retraction.asked.by.id,
        asked_at: retraction.asked_at,
        decided_by: retraction.decided_by,
        decided_at: retraction.decided_at,
        decided_reason: retraction.decided_reason,
        sms: short_messages(service, alert, &retraction.texts),
        texts: retraction.texts,
        content: retraction.content,
        correction: retraction.correction,
        open_steps: rules::open_steps(&retraction.asked, standing, &actor(caller), now),
        ask_to_confirm_s: confirmed_at.map(|at| seconds(at - retraction.asked_at)),
        told,
    }
}

fn seconds(time: TimeDelta) -> f64 {
    time.as_seconds_f64()
}

/// What dispatch shows of a word back.
#[derive(Clone, Copy)]
struct Told {
    first: Option<DateTime<Utc>>,
    last: Option<DateTime<Utc>>,
    handed_over: i64,
    unreachable: i64,
    open: i64,
}

impl Told {
    fn since(self, confirmed_at: DateTime<Utc>) -> WordTold {
        let last = self.last.filter(|_| self.open == 0);
        WordTold {
            first_hand_over_at: self.first,
            last_hand_over_at: last,
            people: self.handed_over + self.unreachable + self.open,
            handed_over: self.handed_over,
            open: self.open,
            unreachable: self.unreachable,
            confirm_to_first_s: self.first.map(|at| seconds(at - confirmed_at)),
            confirm_to_last_s: last.map(|at| seconds(at - confirmed_at)),
        }
    }
}

/// How the word that was confirmed has gone out: as the end of the alert, or as its correction. An alert ends once, so there is one at most.
async fn told(connection: &mut Connection, alert: &Alert, all: &[Retraction]) -> Result<Option<Told>, Error> {
    let Some(confirmed) = all.iter().find(|retraction| retraction.asked.progress == Progress::Confirmed) else { return Ok(None) };
    let (of, wave) = confirmed.correction.map_or((alert.id, 9_i16), |correction| (correction, 1));
    let row = sqlx::query!(
        r#"select first_hand_over_at, last_closed_at, handed_over as "handed_over!", unreachable as "unreachable!", open as "open!"
             from dispatch.word_told where alert_id = $1 and wave = $2"#,
        of.uuid(),
        wave
    )
    .fetch_optional(connection)
    .await
    .map_err(Error::database("reading how a word back has gone out"))?;
    Ok(row.map(|row| Told {
        first: row.first_hand_over_at,
        last: row.last_closed_at,
        handed_over: row.handed_over,
        unreachable: row.unreachable,
        open: row.open,
    }))
}
