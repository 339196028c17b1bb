//! A step with all that follows from it, inside one transaction: state, clocks, orders, what was said, history, trace.

use chrono::{DateTime, Utc};
use domain::area::DistrictCode;
use domain::casework::{Actor, Event, State, Step, next};
use domain::ids::UnitId;
use domain::staff::Scope;
use platform::database::Tx;
use platform::http::StaffCaller;
use proto::AuditEntry;

use crate::clocks::{self, NOTHING_DUE};
use crate::orders::{self, Words};
use crate::service::Parts;
use crate::statements::{self, Speaker};
use crate::store::{self, Kept};
use crate::{Error, SCHEMA};

/// Who takes a step.
#[derive(Clone, Copy)]
pub(crate) enum Who<'a> {
    /// Whoever brought the case.
    Citizen,
    /// A member of staff.
    Staff(&'a StaffCaller),
    /// The platform, by its clocks.
    Platform,
}

impl Who<'_> {
    /// As the table of steps knows them.
    pub(crate) fn actor(self) -> Actor {
        match self {
            Self::Citizen => Actor::Citizen,
            Self::Platform => Actor::System,
            Self::Staff(caller) => Actor::Staff { id: caller.id, role: caller.role, scope: caller.scope },
        }
    }

    fn unit(self) -> Option<UnitId> {
        match self {
            Self::Staff(StaffCaller { scope: Scope::Unit(unit), .. }) => Some(*unit),
            _ => None,
        }
    }
}

/// What is said with a step.
#[derive(Clone, Copy, Default)]
pub(crate) struct Said<'a> {
    /// The words; none where none were needed.
    pub(crate) text: Option<&'a str>,
    /// Whether the citizen reads them.
    pub(crate) visible: bool,
    /// What is said with an order.
    pub(crate) order: Words<'a>,
}

/// Takes one step.
pub(crate) async fn take(tx: &mut Tx, parts: &Parts, kept: &mut Kept, step: &Step<'_>, who: Who<'_>, said: Said<'_>) -> Result<(), Error> {
    let (event, now) = (step.event(), parts.now());
    let mut decision = next(&kept.case, step, &who.actor(), said.text.is_some(), now, &parts.settings.promises)?;
    let running = clocks::of(tx, kept.number).await?;
    let mut turned = running.clone();
    clocks::turn(parts, &mut turned, &kept.case, &mut decision, event, now);
    clocks::save(tx, parts, kept.number, &running, &turned).await?;

    let after = Kept { case: decision.case, ..kept.clone() };
    let before = std::mem::replace(kept, after);
    kept.due_at = clocks::foremost(&turned).map_or(NOTHING_DUE, |foremost| foremost.clock.due.at);
    kept.warned = clocks::warned(&turned);
    if kept.case.merge.is_none() && kept.case.state != State::Merged {
        kept.merge_into = None;
    }
    if event == Event::NotSatisfied {
        (kept.result_sealed, kept.answer_sealed, kept.told_by, kept.called_at) = (None, None, None, None);
    }
    let statement = match said.text {
        Some(text) => {
            let speaker = match who {
                Who::Staff(caller) => Speaker::Staff { caller, unit: who.unit() },
                Who::Citizen | Who::Platform => Speaker::Citizen,
            };
            Some(statements::add(tx, &parts.platform.keyring, kept.number, speaker, event, (text, said.visible), now).await?)
        }
        None => None,
    };
    store::save(tx, kept, now).await?;
    orders::follow(tx, &before, kept, step, who.unit(), said.order, now).await?;
    record(tx, kept, event, before.case.state, who, statement, now).await?;
    if let Who::Staff(caller) = who {
        trace(tx, caller, event.as_ref(), kept, now).await?;
    }
    metrics::counter!("casework_steps_total", "event" => event.as_ref().to_owned()).increment(1);
    Ok(())
}

/// Adds a step to the case's history.
pub(crate) async fn record(
    tx: &mut Tx,
    kept: &Kept,
    event: Event,
    from: State,
    who: Who<'_>,
    statement: Option<i32>,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    let caller = match who {
        Who::Staff(caller) => Some(caller),
        Who::Citizen | Who::Platform => None,
    };
    let role = caller.map_or(if matches!(who, Who::Citizen) { "citizen" } else { "platform" }, |caller| caller.role.into());
    sqlx::query!(
        "insert into casework.step (number, n, at, event, from_state, to_state, actor, actor_name, role, unit, statement)
         select $1, coalesce(max(n), 0) + 1, $2, $3, $4, $5, $6, $7, $8, $9, $10 from casework.step where number = $1",
        store::stored(kept.number),
        now,
        event.as_ref(),
        from.as_ref(),
        kept.case.state.as_ref(),
        caller.map(|caller| caller.id.uuid()),
        caller.map(|caller| caller.name.as_str()),
        role,
        who.unit().map(store::stored_unit),
        statement
    )
    .execute(&mut **tx)
    .await
    .map_err(Error::database("writing a case's history"))?;
    Ok(())
}

/// Publishes what a member of staff did to a case.
pub(crate) async fn trace(tx: &mut Tx, caller: &StaffCaller, action: &str, kept: &Kept, now: DateTime<Utc>) -> Result<(), Error> {
    let entry = AuditEntry {
        district: kept.case.district.map(DistrictCode::get),
        detail_json: serde_json::json!({ "version": kept.version, "state": kept.case.state }).to_string(),
        ..caller.did(&format!("case_{action}"), "case", kept.number, now)
    };
    Ok(tx.publish(SCHEMA, &entry).await?)
}
