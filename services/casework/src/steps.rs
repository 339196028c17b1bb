//! Steps of staff. One route takes them all, since one table permits them all; a step names the version that was looked at.

use axum::extract::State as Shared;
use chrono::{DateTime, TimeDelta, Utc};
use domain::casework::{
    CallOutcome, CaseNumber, Channel, DeclineGround, Event, Grade, Kind, Nature, Promise, Refusal, State, Step, TellBy, Urgency,
};
use domain::ids::UnitId;
use platform::crypto::Purpose;
use platform::database::Tx;
use platform::http::{FieldFault, Json, Problem, Routes, StaffCaller, routes};
use proto::CodeRequested;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::access::CASEWORKERS;
use crate::applying::{self, Said, Who};
use crate::clocks::{self, KeptClock};
use crate::file::{self, CaseFile};
use crate::numbered::Numbered;
use crate::orders::Words;
use crate::service::Parts;
use crate::statements::{self, Speaker};
use crate::store::{self, Kept};
use crate::{Error, SCHEMA, Service, texts, units};

/// A short message that there is an answer is worth sending for so long.
const NEWS: TimeDelta = TimeDelta::days(1);

pub(crate) fn routes() -> Routes<Service> {
    Routes::new("casework").allow(CASEWORKERS, routes!(step))
}

/// A step with a case. Which fields it takes goes by the event.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct CaseStepRequest {
    /// The version that was looked at.
    version: i32,
    /// What is done.
    event: Event,
    /// What is said: the answer (`answer_at_once`), progress, the question to the citizen, what an assisting unit found, the finding
    /// (`submit_result`), what the citizen said (`call_back`). Up to 5,000 characters.
    #[serde(default)]
    text: Option<String>,
    /// Why, up to 1,000 characters: `correct_registration`, `decline`, `refuse_competence`, `decide_dispute`, `ask_extension`, `refuse_extension`,
    /// `regrade`, `send_back`, `propose_merge`, `refuse_merge`, `release_assist`.
    #[serde(default)]
    reason: Option<String>,
    /// On what ground it is declined.
    #[serde(default)]
    ground: Option<DeclineGround>,
    /// Where to go instead of what is declined, up to 200 characters.
    #[serde(default)]
    where_to: Option<String>,
    /// What it is by its nature (`accept`).
    #[serde(default)]
    nature: Option<Nature>,
    /// How soon it is begun (`accept`, `regrade`).
    #[serde(default)]
    urgency: Option<Urgency>,
    /// How much there is to find out (`accept`, `regrade`).
    #[serde(default)]
    grade: Option<Grade>,
    /// The unit that leads (`route`, `decide_dispute`).
    #[serde(default)]
    lead: Option<u32>,
    /// Units that assist (`route`), up to ten.
    #[serde(default)]
    assists: Vec<u32>,
    /// What the units are to do (`route`, `decide_dispute`), up to 500 characters.
    #[serde(default)]
    task: Option<String>,
    /// The assisting unit that is let go (`release_assist`).
    #[serde(default)]
    unit: Option<u32>,
    /// The unit that is competent instead (`refuse_competence`).
    #[serde(default)]
    proposal: Option<u32>,
    /// Whether the citizen reads the progress.
    #[serde(default)]
    visible: bool,
    /// How much more time is asked for, in working days.
    #[serde(default)]
    working_days: Option<u32>,
    /// The answer to the citizen: drafted (`submit_result`), or put better (`decide`). Up to 5,000 characters.
    #[serde(default)]
    answer: Option<String>,
    /// How the citizen is told.
    #[serde(default)]
    by: Option<TellBy>,
    /// What the call back found.
    #[serde(default)]
    outcome: Option<CallOutcome>,
    /// The case that it is joined with.
    #[serde(default)]
    into: Option<String>,
}

/// Take a step with a case
///
/// Which steps are open to the caller, and why others are not, is in the file's `open_events`. Somebody else's step in between is a conflict
/// (`version_passed`): reload, look, decide again.
#[utoipa::path(post, path = "/api/v1/casework/cases/{number}/steps", params(("number" = String, Path, description = "The case")),
    request_body = CaseStepRequest, responses((status = 200, description = "Taken; the file as it is now", body = CaseFile)))]
async fn step(
    Shared(service): Shared<Service>,
    caller: StaffCaller,
    Numbered(number): Numbered,
    Json(request): Json<CaseStepRequest>,
) -> Result<axum::Json<CaseFile>, Problem> {
    let mut tx = service.platform.database.begin().await.map_err(Error::from)?;
    if request.event == Event::Merge {
        // both are changed: two people who join cases crosswise wait for each other, and neither for ever
        let into = store::load(&mut tx, number, false).await?.merge_into;
        store::lock_both(&mut tx, number, into.unwrap_or(number)).await?;
    }
    let mut kept = store::load(&mut tx, number, true).await?;
    file::must_see(&mut tx, &caller, &kept).await?;
    if kept.version != request.version {
        return Err(Error::VersionPassed { expected: request.version, found: kept.version }.into());
    }
    take(&mut tx, &service, &mut kept, &caller, &request).await?;
    let shown = file::shown(&mut tx, &service, &caller, &kept).await?;
    tx.commit().await.map_err(Error::from)?;
    Ok(axum::Json(shown))
}

async fn take(tx: &mut Tx, parts: &Parts, kept: &mut Kept, caller: &StaffCaller, request: &CaseStepRequest) -> Result<(), Error> {
    let (keyring, now, event) = (&parts.platform.keyring, parts.now(), request.event);
    let mut faults = Vec::new();
    let text = texts::optional("text", request.text.as_deref(), 5_000, &mut faults);
    let answer = texts::optional("answer", request.answer.as_deref(), 5_000, &mut faults);
    let reason = texts::optional("reason", request.reason.as_deref(), 1_000, &mut faults);
    let where_to = texts::optional("where_to", request.where_to.as_deref(), 200, &mut faults);
    let task = texts::optional("task", request.task.as_deref(), 500, &mut faults);
    if request.assists.len() > 10 {
        faults.push(FieldFault::new("assists", "最多 10 个协办单位", "has at most 10 units"));
    }
    if !faults.is_empty() {
        return Err(Error::Invalid(faults));
    }
    let assists: Vec<UnitId> = request.assists.iter().map(|unit| UnitId::new(*unit)).collect();
    let step = asked(request, &assists)?;
    match step {
        Step::Route { lead, assists } => units::must_exist(tx, &[&[lead][..], assists].concat()).await?,
        Step::DecideDispute { lead } => units::must_exist(tx, &[lead]).await?,
        Step::RefuseCompetence { proposal } => units::must_exist(tx, &[proposal]).await?,
        _ => {}
    }
    if matches!(event, Event::AskExtension | Event::GrantExtension) && is_over(tx, kept, now).await? {
        return Err(Refusal::PeriodOver.into());
    }
    let mut said = text.clone().or(reason.clone());
    let mut visible = false;
    match event {
        Event::AnswerAtOnce => {
            (said, visible) = (text.clone(), true);
            kept.answer_sealed = text.as_deref().map(|text| texts::seal(keyring, text));
            kept.told_by = Some(if kept.channel == Channel::Call { TellBy::Call } else { TellBy::App });
        }
        Event::Decline => {
            kept.declined = Some(given("ground", request.ground)?);
            let told = [reason.clone(), where_to.map(|place| format!("办理去处：{place}"))];
            (said, visible) = (reason.and(Some(told.into_iter().flatten().collect::<Vec<_>>().join("\n"))), true);
        }
        Event::Accept => kept.nature = Some(given("nature", request.nature)?),
        Event::ReportProgress => visible = request.visible,
        Event::AskCitizen => visible = true,
        Event::SubmitResult => {
            said = text.clone();
            kept.result_sealed = text.as_deref().map(|text| texts::seal(keyring, text));
            let answer = given("answer", answer.clone())?;
            kept.answer_sealed = Some(texts::seal(keyring, &answer));
        }
        Event::Decide if answer.is_some() && kept.case.state == State::ToConfirm => {
            let reason = "第二人审定时不能改动答复，如需修改请退回办理";
            return Err(Error::field("answer", reason, "cannot be changed by the second person: send it back"));
        }
        Event::Decide => {
            if let Some(answer) = &answer {
                kept.answer_sealed = Some(texts::seal(keyring, answer));
            }
        }
        Event::Tell => {
            kept.told_by = Some(given("by", request.by)?);
            said = texts::open_some(keyring, Purpose::CaseText, kept.answer_sealed.clone())?;
            visible = true;
        }
        Event::CallBack => {
            let outcome = given("outcome", request.outcome)?;
            if outcome != CallOutcome::Unreachable {
                kept.called_at = Some(now);
            }
            said = Some(text.as_deref().map_or_else(|| outcome.title().to_owned(), |text| format!("{}：{text}", outcome.title())));
        }
        Event::ProposeMerge => kept.merge_into = Some(mergeable(tx, kept, caller, request).await?),
        Event::Merge => join(tx, kept, caller, now).await?,
        _ => {}
    }
    let task_sealed = task.as_deref().map(|task| texts::seal(keyring, task));
    let ground_sealed = said.as_deref().map(|ground| texts::seal(keyring, ground));
    let order = Words { task_sealed: task_sealed.as_deref(), ground_sealed: ground_sealed.as_deref() };
    applying::take(tx, parts, kept, &step, Who::Staff(caller), Said { text: said.as_deref(), visible, order }).await?;
    if let (Event::SubmitResult | Event::Decide, Some(answer)) = (event, &answer) {
        // what the citizen is to be told is kept as each wrote it
        let unit = kept.case.lead;
        statements::add(tx, keyring, kept.number, Speaker::Staff { caller, unit }, event, (answer.as_str(), false), now).await?;
    }
    match (event, request.outcome) {
        (Event::Tell, _) => tell(tx, parts, kept).await,
        (Event::AskCitizen, _) => send_news(tx, parts, kept, "需要您补充材料").await,
        (Event::Decline, _) => send_news(tx, parts, kept, "已有处理意见").await,
        (Event::AnswerAtOnce, _) if kept.channel != Channel::Call => send_news(tx, parts, kept, "已有答复").await,
        (Event::CallBack, Some(CallOutcome::Satisfied)) => on_behalf(tx, parts, kept, Event::Satisfied, said.as_deref()).await,
        (Event::CallBack, Some(CallOutcome::NotSatisfied)) => on_behalf(tx, parts, kept, Event::NotSatisfied, said.as_deref()).await,
        _ => Ok(()),
    }
}

/// Whether the time for a result is over.
async fn is_over(tx: &mut Tx, kept: &Kept, now: DateTime<Utc>) -> Result<bool, Error> {
    let clocks = clocks::of(tx, kept.number).await?;
    let over = |one: &KeptClock| {
        matches!(one.clock.promise, Promise::Finish | Promise::Review) && one.clock.is_running() && one.clock.is_late(now)
    };
    Ok(clocks.iter().any(over))
}

/// The step that was asked for, with what it needs.
fn asked<'a>(request: &CaseStepRequest, assists: &'a [UnitId]) -> Result<Step<'a>, Error> {
    Ok(match request.event {
        Event::Route => Step::Route { lead: UnitId::new(given("lead", request.lead)?), assists },
        Event::DecideDispute => Step::DecideDispute { lead: UnitId::new(given("lead", request.lead)?) },
        Event::RefuseCompetence => Step::RefuseCompetence { proposal: UnitId::new(given("proposal", request.proposal)?) },
        Event::AskExtension => Step::AskExtension { working_days: given("working_days", request.working_days)? },
        event @ (Event::Accept | Event::Regrade) => {
            Step::Class { event, urgency: given("urgency", request.urgency)?, grade: given("grade", request.grade)? }
        }
        Event::CallBack => Step::CallBack { reached: given("outcome", request.outcome)? != CallOutcome::Unreachable },
        Event::ReleaseAssist => Step::ReleaseAssist { unit: UnitId::new(given("unit", request.unit)?) },
        plain => Step::Plain(plain),
    })
}

fn given<T>(field: &str, value: Option<T>) -> Result<T, Error> {
    value.ok_or_else(|| Error::field(field, "缺少此字段", "is missing"))
}

/// What somebody said on the phone counts as theirs. Where there is no further review, what they said is kept all the same.
async fn on_behalf(tx: &mut Tx, parts: &Parts, kept: &mut Kept, event: Event, text: Option<&str>) -> Result<(), Error> {
    let said = Said { text, visible: true, ..Said::default() };
    match applying::take(tx, parts, kept, &Step::Plain(event), Who::Citizen, said).await {
        Err(Error::Refused(Refusal::ReviewUsedUp | Refusal::ReviewTooLate { .. })) => Ok(()),
        taken => taken,
    }
}

/// Has whoever left a number told that there is an answer, unless they are called or written to.
async fn tell(tx: &mut Tx, parts: &Parts, kept: &Kept) -> Result<(), Error> {
    match (kept.told_by, &kept.phone_sealed) {
        (Some(TellBy::Sms), None) => Err(Error::NoPhone),
        (Some(TellBy::Sms | TellBy::App), _) => send_news(tx, parts, kept, "已有答复").await,
        _ => Ok(()),
    }
}

/// Has whoever left a number told by SMS that there is something new. It says neither what the case is about nor what was said.
async fn send_news(tx: &mut Tx, parts: &Parts, kept: &Kept, news: &str) -> Result<(), Error> {
    let (keyring, settings, now) = (&parts.platform.keyring, &parts.settings, parts.now());
    let Some(phone_sealed) = &kept.phone_sealed else { return Ok(()) };
    let text = format!(
        "【{}】您反映的事项（编号 {}）{news}，请凭编号和查询码在网上查看，或拨打 {}。",
        settings.signature, kept.number, settings.hotline
    );
    let message = CodeRequested {
        request_id: uuid::Uuid::now_v7().to_string(),
        phone_sealed: phone_sealed.clone(),
        text_sealed: keyring.seal(Purpose::SmsText, text.as_bytes()).into_bytes(),
        expires_at_ms: (now + NEWS).timestamp_millis(),
    };
    Ok(tx.publish(SCHEMA, &message).await?)
}

/// The case that this one is to be joined with: another that is open, and that the caller may see.
async fn mergeable(tx: &mut Tx, kept: &Kept, caller: &StaffCaller, request: &CaseStepRequest) -> Result<CaseNumber, Error> {
    let into: CaseNumber = given("into", request.into.as_deref())?.parse()?;
    if into == kept.number {
        return Err(Error::CannotMergeInto);
    }
    let other = store::load(tx, into, false).await?;
    file::must_see(tx, caller, &other).await?;
    // what endangers others is not hidden in another kind of case
    let fitting = kept.case.kind != Kind::ViolationReport || other.case.kind == Kind::ViolationReport;
    if other.case.state.is_open() && fitting { Ok(into) } else { Err(Error::CannotMergeInto) }
}

/// Links both cases; nothing is moved, so nobody's number or answer is lost.
async fn join(tx: &mut Tx, kept: &Kept, caller: &StaffCaller, now: DateTime<Utc>) -> Result<(), Error> {
    let Some(into) = kept.merge_into else { return Ok(()) };
    let other = store::load(tx, into, true).await?;
    file::must_see(tx, caller, &other).await?;
    if !other.case.state.is_open() {
        return Err(Error::CannotMergeInto);
    }
    sqlx::query!(
        "insert into casework.link (number, kind, other, at) values ($1, 'merged_into', $2, $3), ($2, 'merged_from', $1, $3)
         on conflict do nothing",
        store::stored(kept.number),
        store::stored(into),
        now
    )
    .execute(&mut **tx)
    .await
    .map_err(Error::database("joining cases"))?;
    Ok(())
}
