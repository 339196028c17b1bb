//! Work orders 工单: each unit's part of a case.

use chrono::{DateTime, Utc};
use domain::casework::{Event, State, Step};
use domain::ids::UnitId;
use platform::database::Tx;

use crate::store::Kept;
use crate::{Error, store};

/// What is said with an order.
#[derive(Clone, Copy, Default)]
pub(crate) struct Words<'a> {
    /// The task, sealed.
    pub(crate) task_sealed: Option<&'a [u8]>,
    /// Why a unit is not competent, sealed.
    pub(crate) ground_sealed: Option<&'a [u8]>,
}

/// What a step, which has led to `kept`, does to the orders. `unit` is the unit of whoever took it.
pub(crate) async fn follow(
    tx: &mut Tx,
    before: &Kept,
    kept: &Kept,
    step: &Step<'_>,
    unit: Option<UnitId>,
    words: Words<'_>,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    match step {
        Step::Route { lead, .. } => {
            end(tx, kept, now).await?;
            make(tx, kept, &[*lead], "lead", words.task_sealed, now).await?;
            make(tx, kept, &kept.case.assists, "assist", words.task_sealed, now).await?;
        }
        Step::DecideDispute { lead } => {
            end_assist(tx, kept, *lead, now).await?;
            make(tx, kept, &[*lead], "lead", words.task_sealed, now).await?;
        }
        Step::ReleaseAssist { unit } => end_assist(tx, kept, *unit, now).await?,
        Step::RefuseCompetence { proposal } => refuse(tx, before, *proposal, words.ground_sealed, now).await?,
        Step::Plain(event) => note(tx, kept, *event, unit, now).await?,
        _ => {}
    }
    if step.event() == Event::NotSatisfied {
        end(tx, kept, now).await?;
        if let (State::Routed, Some(lead)) = (kept.case.state, kept.case.lead) {
            make(tx, kept, &[lead], "lead", None, now).await?;
        }
    } else if !kept.case.state.is_open() || kept.case.state == State::Told {
        end(tx, kept, now).await?;
    }
    Ok(())
}

async fn make(tx: &mut Tx, kept: &Kept, units: &[UnitId], part: &str, task: Option<&[u8]>, now: DateTime<Utc>) -> Result<(), Error> {
    let units: Vec<i32> = units.iter().map(|unit| store::stored_unit(*unit)).collect();
    sqlx::query!(
        "insert into casework.work_order (number, round, unit, part, task_sealed, binding, made_at)
         select $1, $2, unit, $4, $5, $6, $7 from unnest($3::int[]) as unit",
        store::stored(kept.number),
        i16::from(kept.case.round),
        &units,
        part,
        task,
        kept.case.binding,
        now
    )
    .execute(&mut **tx)
    .await
    .map_err(Error::database("making an order"))?;
    Ok(())
}

async fn refuse(tx: &mut Tx, before: &Kept, proposal: UnitId, ground: Option<&[u8]>, now: DateTime<Utc>) -> Result<(), Error> {
    sqlx::query!(
        "update casework.work_order set refused_at = $3, ended_at = $3, ground_sealed = $4, proposal = $5
          where number = $1 and unit = $2 and part = 'lead' and ended_at is null",
        store::stored(before.number),
        before.case.lead.map(store::stored_unit),
        now,
        ground,
        store::stored_unit(proposal)
    )
    .execute(&mut **tx)
    .await
    .map_err(Error::database("noting a refusal"))?;
    Ok(())
}

/// Notes on a unit's open order what it did.
async fn note(tx: &mut Tx, kept: &Kept, event: Event, unit: Option<UnitId>, now: DateTime<Utc>) -> Result<(), Error> {
    if !matches!(event, Event::SignFor | Event::ReportProgress | Event::FinishAssist | Event::SubmitResult | Event::SendBack) {
        return Ok(());
    }
    // what is sent back is the lead's again, whoever sends it
    let unit = if event == Event::SendBack { kept.case.lead } else { unit };
    sqlx::query!(
        "update casework.work_order set
             signed_at = case when $3 = 'sign_for' then $4 else signed_at end,
             progress_at = case when $3 = 'report_progress' then $4 else progress_at end,
             done_at = case when $3 in ('finish_assist', 'submit_result') then $4 when $3 = 'send_back' then null else done_at end,
             ended_at = case when $3 = 'finish_assist' then $4 else ended_at end
          where number = $1 and unit = $2 and ended_at is null
            and part = case when $3 = 'finish_assist' then 'assist' when $3 = 'report_progress' then part else 'lead' end",
        store::stored(kept.number),
        unit.map(store::stored_unit),
        event.as_ref(),
        now
    )
    .execute(&mut **tx)
    .await
    .map_err(Error::database("noting what a unit did"))?;
    Ok(())
}

/// A unit does not assist any more.
async fn end_assist(tx: &mut Tx, kept: &Kept, unit: UnitId, now: DateTime<Utc>) -> Result<(), Error> {
    sqlx::query!(
        "update casework.work_order set ended_at = $3 where number = $1 and unit = $2 and part = 'assist' and ended_at is null",
        store::stored(kept.number),
        store::stored_unit(unit),
        now
    )
    .execute(&mut **tx)
    .await
    .map_err(Error::database("ending an assisting order"))?;
    Ok(())
}

/// Nobody has anything to do any more.
async fn end(tx: &mut Tx, kept: &Kept, now: DateTime<Utc>) -> Result<(), Error> {
    sqlx::query!("update casework.work_order set ended_at = $2 where number = $1 and ended_at is null", store::stored(kept.number), now)
        .execute(&mut **tx)
        .await
        .map_err(Error::database("ending orders"))?;
    Ok(())
}
