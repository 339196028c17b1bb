//! Clocks as the table keeps them, and what a step does to them.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use domain::casework::{Case, CaseNumber, Clock, Decision, Due, Event, Promise};
use platform::database::{Connection, Tx};

use crate::service::Parts;
use crate::{Error, store};

/// Later than anything is due: of a case with no clock that runs.
pub(crate) const NOTHING_DUE: DateTime<Utc> = DateTime::from_timestamp_secs(253_370_764_800).expect("the year 9999");

/// A clock with its place.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct KeptClock {
    pub(crate) n: i32,
    pub(crate) round: i16,
    pub(crate) warned: i16,
    pub(crate) clock: Clock,
}

/// What a clock is read from.
struct Row {
    number: i64,
    n: i32,
    round: i16,
    promise: String,
    started_at: DateTime<Utc>,
    counts_from: DateTime<Utc>,
    working_days: Option<i32>,
    due_at: DateTime<Utc>,
    due_day: Option<NaiveDate>,
    provisional: bool,
    pauses: serde_json::Value,
    extended_days: i32,
    changes: serde_json::Value,
    stopped_at: Option<DateTime<Utc>>,
    warned: i16,
}

impl Row {
    fn read(self) -> Result<KeptClock, Error> {
        Ok(KeptClock {
            n: self.n,
            round: self.round,
            warned: self.warned,
            clock: Clock {
                promise: self.promise.parse().map_err(Error::stored("promise"))?,
                started_at: self.started_at,
                counts_from: self.counts_from,
                working_days: self.working_days.map(i32::unsigned_abs),
                due: Due { at: self.due_at, day: self.due_day, provisional: self.provisional },
                pauses: serde_json::from_value(self.pauses).map_err(Error::stored("pauses"))?,
                extended_days: self.extended_days.unsigned_abs(),
                changes: serde_json::from_value(self.changes).map_err(Error::stored("changes"))?,
                stopped_at: self.stopped_at,
            },
        })
    }
}

/// All clocks of a case, in the order in which they were started.
pub(crate) async fn of(connection: &mut Connection, number: CaseNumber) -> Result<Vec<KeptClock>, Error> {
    sqlx::query_as!(
        Row,
        "select number, n, round, promise, started_at, counts_from, working_days, due_at, due_day, provisional, pauses, extended_days, changes,
                stopped_at, warned
           from casework.clock where number = $1 order by n",
        store::stored(number)
    )
    .fetch_all(connection)
    .await
    .map_err(Error::database("reading clocks"))?
    .into_iter()
    .map(Row::read)
    .collect()
}

/// The clocks that run, of some cases.
pub(crate) async fn running_of(connection: &mut Connection, numbers: &[i64]) -> Result<BTreeMap<i64, Vec<KeptClock>>, Error> {
    let rows = sqlx::query_as!(
        Row,
        "select number, n, round, promise, started_at, counts_from, working_days, due_at, due_day, provisional, pauses, extended_days, changes,
                stopped_at, warned
           from casework.clock where number = any($1) and stopped_at is null order by number, n",
        numbers
    )
    .fetch_all(connection)
    .await
    .map_err(Error::database("reading clocks that run"))?;
    let mut clocks: BTreeMap<i64, Vec<KeptClock>> = BTreeMap::new();
    for row in rows {
        clocks.entry(row.number).or_default().push(row.read()?);
    }
    Ok(clocks)
}

/// Writes the clocks that are new or were changed.
pub(crate) async fn save(tx: &mut Tx, parts: &Parts, number: CaseNumber, before: &[KeptClock], after: &[KeptClock]) -> Result<(), Error> {
    for kept in after.iter().filter(|kept| !before.contains(kept)) {
        let clock = &kept.clock;
        let next = clock.next_look(u32::from(kept.warned.unsigned_abs()), &parts.calendar, parts.zone());
        sqlx::query!(
            "insert into casework.clock (number, n, round, promise, started_at, counts_from, working_days, due_at, due_day, provisional, pauses,
                 extended_days, changes, stopped_at, warned, next_at)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)
             on conflict (number, n) do update set due_at = excluded.due_at, due_day = excluded.due_day, provisional = excluded.provisional,
                 pauses = excluded.pauses, extended_days = excluded.extended_days, changes = excluded.changes,
                 stopped_at = excluded.stopped_at, warned = excluded.warned, next_at = excluded.next_at",
            store::stored(number),
            kept.n,
            kept.round,
            clock.promise.as_ref(),
            clock.started_at,
            clock.counts_from,
            clock.working_days.map(u32::cast_signed),
            clock.due.at,
            clock.due.day,
            clock.due.provisional,
            serde_json::to_value(&clock.pauses).map_err(Error::stored("pauses"))?,
            clock.extended_days.cast_signed(),
            serde_json::to_value(&clock.changes).map_err(Error::stored("changes"))?,
            clock.stopped_at,
            kept.warned,
            next
        )
        .execute(&mut **tx)
        .await
        .map_err(Error::database("writing a clock"))?;
    }
    Ok(())
}

/// What a permitted step does to the clocks. The working days that the case waited are added to it.
pub(crate) fn turn(parts: &Parts, clocks: &mut Vec<KeptClock>, before: &Case, decision: &mut Decision, event: Event, now: DateTime<Utc>) {
    let (calendar, zone, promises) = (&parts.calendar, parts.zone(), &parts.settings.promises);
    let ends = !decision.case.state.is_open();
    for kept in clocks.iter_mut().filter(|kept| kept.clock.is_running()) {
        if decision.resumes && kept.clock.is_paused() {
            let left = promises.pause_days.saturating_sub(before.paused_days);
            kept.clock.resume(now, left, calendar, zone);
            let days = kept.clock.pauses.last().map_or(0, |pause| pause.days);
            decision.case.paused_days = decision.case.paused_days.max(before.paused_days + days);
        }
        if ends || decision.stops.contains(&kept.clock.promise) {
            kept.clock.stop(now);
        }
    }
    match event {
        Event::GrantExtension => {
            let days = before.extension.map_or(0, |asked| asked.working_days);
            for kept in running(clocks, &[Promise::Finish, Promise::Review]) {
                kept.clock.extend(days, now, calendar, zone);
            }
        }
        Event::Regrade | Event::Raise => {
            for kept in running(clocks, &[Promise::Finish, Promise::Begin, Promise::Progress]) {
                if let Some(period) = promises.period(kept.clock.promise, &decision.case) {
                    kept.clock.regrade(period, now, calendar, zone);
                }
            }
        }
        _ => {}
    }
    if !ends {
        for promise in decision.starts {
            start(parts, clocks, *promise, &decision.case, now);
        }
    }
    if decision.pauses {
        for kept in clocks.iter_mut().filter(|kept| kept.clock.promise.pauses()) {
            kept.clock.pause(now);
        }
    }
    warn_anew(parts, clocks, now);
}

/// Where an end was moved away, who was warned before is warned again when it comes near.
pub(crate) fn warn_anew(parts: &Parts, clocks: &mut [KeptClock], now: DateTime<Utc>) {
    for kept in clocks.iter_mut().filter(|kept| kept.clock.is_running() && !kept.clock.is_paused()) {
        let warning = kept.clock.warning(now, &parts.calendar, parts.zone());
        kept.warned = kept.warned.min(i16::try_from(warning).unwrap_or(100));
    }
}

/// Starts the clock of a promise, if it is made to this case and does not run.
pub(crate) fn start(parts: &Parts, clocks: &mut Vec<KeptClock>, promise: Promise, case: &Case, now: DateTime<Utc>) {
    if clocks.iter().any(|kept| kept.clock.promise == promise && kept.clock.is_running()) {
        return;
    }
    let Some(period) = parts.settings.promises.period(promise, case) else { return };
    let from = if promise.counts_from_intake() && case.round == 1 { case.received_at } else { now };
    let clock = Clock::start(promise, period, from, now, &parts.calendar, parts.zone());
    let n = clocks.last().map_or(1, |last| last.n + 1);
    clocks.push(KeptClock { n, round: i16::from(case.round), warned: 0, clock });
}

fn running<'a>(clocks: &'a mut [KeptClock], promises: &'a [Promise]) -> impl Iterator<Item = &'a mut KeptClock> {
    clocks.iter_mut().filter(move |kept| kept.clock.is_running() && promises.contains(&kept.clock.promise))
}

/// The clock by which a list sorts the case: of those of the city that run, the one that is due first.
pub(crate) fn foremost(clocks: &[KeptClock]) -> Option<&KeptClock> {
    clocks
        .iter()
        .filter(|kept| kept.clock.is_running() && !kept.clock.is_paused() && kept.clock.promise.is_ours())
        .min_by_key(|kept| kept.clock.due.at)
}

/// The most that anybody was warned of, of those that run.
pub(crate) fn warned(clocks: &[KeptClock]) -> i16 {
    clocks.iter().filter(|kept| kept.clock.is_running() && !kept.clock.is_paused()).map(|kept| kept.warned).max().unwrap_or_default()
}

/// Puts a case where its clocks have it in the lists. That is no step: whoever looks at the case takes theirs on the version that they see.
pub(crate) async fn put_in_line(tx: &mut Tx, number: CaseNumber, clocks: &[KeptClock]) -> Result<(), Error> {
    sqlx::query!(
        "update casework.matter set due_at = $2, warned = $3 where number = $1",
        store::stored(number),
        foremost(clocks).map_or(NOTHING_DUE, |foremost| foremost.clock.due.at),
        warned(clocks)
    )
    .execute(&mut **tx)
    .await
    .map_err(Error::database("putting a case in line"))?;
    Ok(())
}
