//! What whoever brought a case sees of it, in plain words: where it stands, who has it, until when, and why that day.

use std::time::Duration;

use chrono::{DateTime, NaiveDate, Utc};
use domain::casework::{CaseNumber, DeclineGround, Event, Kind, Promise, State, Step, TellBy, Urgency, open_events, raises};
use domain::working_day::DayCounted;
use platform::crypto::Purpose;
use platform::database::{Connection, Tx};
use serde::Serialize;
use utoipa::ToSchema;

use crate::applying::{self, Said, Who};
use crate::clocks::{self, KeptClock};
use crate::service::Parts;
use crate::statements::{self, Statement};
use crate::store::{self, Kept};
use crate::{Error, texts};

/// A case, as whoever brought it sees it.
#[derive(Serialize, ToSchema)]
pub(crate) struct CitizenCase {
    #[schema(value_type = String, example = "261128-4071-3392-1")]
    number: CaseNumber,
    kind: Kind,
    state: State,
    received_at: DateTime<Utc>,
    /// Where it stands, in a sentence.
    step: String,
    step_en: String,
    /// Who has it now.
    who: Option<String>,
    /// Until when what is next is promised.
    due: Option<CitizenDue>,
    /// What may be done now.
    open_events: Vec<Event>,
    /// What was asked, while it waits for the answer.
    asked: Option<String>,
    answer: Option<CitizenAnswer>,
    declined: Option<Declined>,
    /// What was said on both sides, oldest first.
    statements: Vec<CitizenStatement>,
    chases: usize,
    /// The first time it is 1; each review adds one.
    round: u8,
    /// The case that it goes on in; its answer is shown here.
    #[schema(value_type = Option<String>)]
    merged_into: Option<CaseNumber>,
}

/// Until when something is promised.
#[derive(Serialize, ToSchema)]
struct CitizenDue {
    promise: Promise,
    at: DateTime<Utc>,
    /// The last day, where it is counted in working days.
    day: Option<NaiveDate>,
    /// Whether it may still move, since the holidays of its year are not announced.
    provisional: bool,
    late: bool,
    /// Each day from the day on which it came to the last, and whether it counts.
    why: Vec<DayCounted>,
}

/// The answer as it was told.
#[derive(Serialize, ToSchema)]
struct CitizenAnswer {
    text: String,
    by_unit: Option<String>,
    told_at: DateTime<Utc>,
    by: Option<TellBy>,
}

/// Why it was not taken.
#[derive(Serialize, ToSchema)]
struct Declined {
    ground: DeclineGround,
    /// The reason, and where to go instead.
    reason: String,
}

/// Something that was said.
#[derive(Serialize, ToSchema)]
struct CitizenStatement {
    at: DateTime<Utc>,
    by: statements::Voice,
    text: String,
}

/// What whoever brought a case does with it.
pub(crate) struct Wish<'a> {
    pub(crate) event: Event,
    pub(crate) text: Option<&'a str>,
}

const AN_HOUR: Duration = Duration::from_secs(3600);
/// So many moments at which somebody chased a case are kept.
const CHASES_KEPT: usize = 100;

/// The steps that are theirs.
const THEIRS: [Event; 5] = [Event::Supplement, Event::Chase, Event::Satisfied, Event::NotSatisfied, Event::Withdraw];

/// Takes a step of whoever brought the case and shows how it stands then, if it `is_theirs`.
pub(crate) async fn step(
    parts: &Parts,
    number: CaseNumber,
    wish: &Wish<'_>,
    is_theirs: impl FnOnce(&Kept) -> Result<(), Error>,
) -> Result<CitizenCase, Error> {
    let mut tx = parts.platform.database.begin().await?;
    let mut kept = store::load(&mut tx, number, true).await?;
    is_theirs(&kept)?;
    take(&mut tx, parts, &mut kept, wish).await?;
    let shown = shown(&mut tx, parts, &kept).await?;
    tx.commit().await?;
    Ok(shown)
}

async fn take(tx: &mut Tx, parts: &Parts, kept: &mut Kept, wish: &Wish<'_>) -> Result<(), Error> {
    let event = wish.event;
    if !THEIRS.contains(&event) {
        let reason = "只能补充、催办、评价或撤回";
        return Err(Error::field("event", reason, "is supplement, chase, satisfied, not_satisfied or withdraw"));
    }
    let mut faults = Vec::new();
    let text = texts::optional("text", wish.text, 5_000, &mut faults);
    if !faults.is_empty() {
        return Err(Error::Invalid(faults));
    }
    let now = parts.now();
    if matches!(event, Event::Supplement | Event::Chase) {
        let added = parts.platform.cache.incr(&format!("case-additions:{}", kept.number), AN_HOUR).await?;
        if added > u64::from(parts.settings.additions_per_hour) {
            return Err(Error::TooOften { after: AN_HOUR, hotline: parts.settings.hotline.clone() });
        }
    }
    if event == Event::Chase {
        let raised = raises(&kept.chased, now, &parts.settings.promises);
        kept.chased.push(now);
        let older = kept.chased.len().saturating_sub(CHASES_KEPT);
        kept.chased.drain(..older);
        if raised && kept.raised_at.is_none() {
            kept.raised_at = Some(now);
        }
    }
    let said = Said { text: text.as_deref(), visible: true, ..Said::default() };
    applying::take(tx, parts, kept, &Step::Plain(event), Who::Citizen, said).await?;
    if event == Event::Chase && kept.raised_at == Some(now) && kept.case.urgency < Urgency::Urgent {
        let step = Step::Raise { urgency: Urgency::Urgent };
        match applying::take(tx, parts, kept, &step, Who::Platform, Said::default()).await {
            // where it is being decided, it is seen by supervision all the same
            Ok(()) | Err(Error::Refused(_)) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// What they see.
pub(crate) async fn shown(connection: &mut Connection, parts: &Parts, kept: &Kept) -> Result<CitizenCase, Error> {
    let (keyring, now) = (&parts.platform.keyring, parts.now());
    let said = statements::of(connection, keyring, kept.number, true).await?;
    let clocks = clocks::of(connection, kept.number).await?;
    let main = match kept.merge_into.filter(|_| kept.case.state == State::Merged) {
        Some(number) => Some(store::load(connection, number, false).await?),
        None => None,
    };
    let answering = main.as_ref().unwrap_or(kept);
    let lead = match answering.case.lead {
        Some(unit) => Some(crate::units::name(connection, unit).await?),
        None => None,
    };
    let answer = match (answering.case.told_at, &answering.answer_sealed) {
        (Some(told_at), Some(sealed)) => Some(CitizenAnswer {
            text: texts::open(keyring, Purpose::CaseText, sealed.clone())?,
            by_unit: lead.clone(),
            told_at,
            by: answering.told_by,
        }),
        _ => None,
    };
    let (step, step_en) = sentence(kept.case.state);
    let last_of = |event: Event| said.iter().rev().find(|statement| statement.event == event).map(|statement| statement.text.clone());
    let declined = kept.declined.map(|ground| Declined { ground, reason: last_of(Event::Decline).unwrap_or_default() });
    let open = open_events(&kept.case, &Who::Citizen.actor(), now, &parts.settings.promises);
    Ok(CitizenCase {
        number: kept.number,
        kind: kept.case.kind,
        state: kept.case.state,
        received_at: kept.case.received_at,
        step: step.to_owned(),
        step_en: step_en.to_owned(),
        who: who(kept.case.state, lead),
        due: promised(kept.case.state, &clocks).map(|kept| due(parts, kept, now)),
        open_events: open.into_iter().filter(|(_, standing)| standing.is_ok()).map(|(event, _)| event).collect(),
        asked: if kept.case.state == State::Waiting { last_of(Event::AskCitizen) } else { None },
        answer,
        declined,
        chases: kept.chased.len(),
        round: kept.case.round,
        merged_into: main.map(|main| main.number),
        statements: said.into_iter().map(of_statement).collect(),
    })
}

fn of_statement(statement: Statement) -> CitizenStatement {
    CitizenStatement { at: statement.at, by: statement.by, text: statement.text }
}

/// The clock that matters to whoever waits: what they are to do, then the result, then the answer, then what is next.
fn promised(state: State, clocks: &[KeptClock]) -> Option<&KeptClock> {
    let running = |promise: Promise| clocks.iter().find(|kept| kept.clock.is_running() && kept.clock.promise == promise);
    let first = match state {
        State::Waiting => running(Promise::Citizen),
        State::Told => running(Promise::Silence),
        _ => None,
    };
    first
        .or_else(|| running(Promise::Review))
        .or_else(|| running(Promise::Finish))
        .or_else(|| running(Promise::Tell))
        .or_else(|| running(Promise::FirstCheck))
        .or_else(|| clocks::foremost(clocks))
}

fn due(parts: &Parts, kept: &KeptClock, now: DateTime<Utc>) -> CitizenDue {
    let clock = &kept.clock;
    CitizenDue {
        promise: clock.promise,
        at: clock.due.at,
        day: clock.due.day,
        provisional: clock.due.provisional,
        late: clock.is_late(now),
        why: clock.reasons(&parts.calendar, parts.zone()),
    }
}

/// Who has it, as people are told.
fn who(state: State, lead: Option<String>) -> Option<String> {
    match state {
        State::Received | State::ToCheck | State::Registered | State::Accepted => Some("热线坐席".to_owned()),
        State::Disputed => Some("督办".to_owned()),
        State::Waiting => Some("等您补充".to_owned()),
        State::Closed | State::Declined | State::Withdrawn | State::Merged => None,
        _ => lead,
    }
}

fn sentence(state: State) -> (&'static str, &'static str) {
    match state {
        State::Received => ("我们已收到，正在安排坐席受理。", "We have it, and somebody is about to take it up."),
        State::ToCheck => ("已登记，第二位坐席正在核对。", "It is registered; a second person is checking it."),
        State::Registered => ("已登记，正在判断是否受理。", "It is registered; whether it is accepted comes next."),
        State::Accepted => ("已受理，正在派给承办单位。", "It is accepted, and on its way to a unit."),
        State::Disputed => (
            "两个单位对职责有不同意见，督办正在裁定由谁办理；办理时限照常计算。",
            "Two units disagree about who is competent; supervision is deciding. The time runs on.",
        ),
        State::Routed => ("已派给承办单位，等待签收。", "It is with a unit, which has yet to sign for it."),
        State::Working => ("承办单位正在办理。", "The unit is working on it."),
        State::Waiting => {
            ("承办单位请您补充材料；补充之前暂停计时。", "The unit has asked you something; the time stands still until you answer.")
        }
        State::ToDecide => ("已有结果，正在审定。", "There is a result, which is being decided."),
        State::ToConfirm => ("已有结果，重大事项由第二人审定。", "There is a result; in a major matter a second person decides."),
        State::Decided => ("结果已审定，即将答复您。", "The result is decided; you will be told soon."),
        State::Told => ("已答复。如不满意，可申请复核。", "You have an answer. If it does not satisfy you, ask for a review."),
        State::Closed => ("已办结。", "It is closed."),
        State::Declined => ("未受理，原因和办理去处见下。", "It was not taken; why, and where to go, is below."),
        State::Withdrawn => ("已按您的要求撤回。", "You have taken it back."),
        State::Merged => {
            ("已并入同一事项一并办理，答复也会显示在这里。", "It goes on together with another case; the answer is shown here too.")
        }
    }
}
