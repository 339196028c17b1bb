//! What time does to cases: warnings, questions that nobody answered, answers that nobody objected to, help that waits.

use chrono::{DateTime, TimeDelta, Utc};
use domain::casework::{CaseNumber, Event, Promise, State, Step};
use platform::jobs::{Did, Job};

use crate::applying::{self, Said, Who};
use crate::service::Parts;
use crate::{Error, Service, clocks, store};

pub(crate) const KEEP: Job = Job {
    name: "casework.keep_clocks",
    cron: "0 * * * * *",
    about: "检查办理时限：到 50%、80%、100% 时预警，补充期满的继续办理，异议期满的办结，急需帮助无人受理的报警。",
    about_en: "Looks at the clocks of cases: warns at half, at four fifths and at the end, lets go on what waited for its citizen too long, closes what nobody objected to, and rings where urgent help waits.",
    at_start: true,
};

/// Clocks of one look; the rest has its turn in the same run.
const TOGETHER: i64 = 200;

pub(crate) const FORGET: Job = Job {
    name: "casework.forget_contacts",
    cron: "0 15 4 * * *",
    about: "删除早已办结事项中来访人的姓名和电话；事项本身保留。",
    about_en: "Removes names and phone numbers from cases that ended long ago; the cases stay.",
    at_start: false,
};

pub(crate) fn keep(service: &Service) -> Result<(), Error> {
    let own = service.clone();
    service.platform.jobs.register(&FORGET, move || {
        let service = own.clone();
        async move { Ok(forget(&service).await?) }
    })?;
    let own = service.clone();
    service.platform.jobs.register(&KEEP, move || {
        let service = own.clone();
        async move { Ok(look(&service).await?) }
    })?;
    Ok(())
}

/// What one run did.
#[derive(Default)]
struct Seen {
    warned: u64,
    resumed: u64,
    closed: u64,
    moved: u64,
}

async fn look(service: &Parts) -> Result<Did, Error> {
    let now = service.now();
    help_waits(service, now).await?;
    let mut seen = Seen::default();
    let mut past = (DateTime::UNIX_EPOCH, 0, 0);
    loop {
        let due = due(service, now, past).await?;
        let Some(last) = due.last() else { break };
        past = (last.at, store::stored(last.number), last.n);
        for clock in &due {
            // one case that cannot be read stops none of the others
            if let Err(error) = attend(service, clock, &mut seen).await {
                tracing::error!(case = %clock.number, %error, "the clock of a case could not be looked at");
            }
        }
    }
    seen.moved = recount(service, now).await?;
    Ok(Did::nothing()
        .and("发出的时限预警", "warnings", seen.warned)
        .and("补充期满继续办理", "cases that go on", seen.resumed)
        .and("异议期满办结", "cases closed", seen.closed)
        .and("因节假日安排公布调整的时限", "clocks counted with a notice of holidays", seen.moved))
}

/// A clock that is to be looked at.
struct DueClock {
    number: CaseNumber,
    n: i32,
    promise: Promise,
    at: DateTime<Utc>,
}

async fn due(service: &Parts, now: DateTime<Utc>, past: (DateTime<Utc>, i64, i32)) -> Result<Vec<DueClock>, Error> {
    let rows = sqlx::query!(
        r#"select number, n, promise, next_at as "next_at!" from casework.clock
            where stopped_at is null and next_at is not null and next_at <= $1 and (next_at, number, n) > ($2, $3, $4)
            order by next_at, number, n limit $5"#,
        now,
        past.0,
        past.1,
        past.2,
        TOGETHER
    )
    .fetch_all(service.platform.database.pool())
    .await
    .map_err(Error::database("finding clocks to look at"))?;
    rows.into_iter()
        .map(|row| {
            Ok(DueClock {
                number: store::number(row.number)?,
                n: row.n,
                promise: row.promise.parse().map_err(Error::stored("promise"))?,
                at: row.next_at,
            })
        })
        .collect()
}

async fn attend(service: &Parts, due: &DueClock, seen: &mut Seen) -> Result<(), Error> {
    let mut tx = service.platform.database.begin().await?;
    let mut kept = store::load(&mut tx, due.number, true).await?;
    let running = clocks::of(&mut tx, due.number).await?;
    let now = service.now();
    // somebody may have been quicker, and have been asked anew
    let Some(clock) = running.iter().find(|one| one.n == due.n && one.clock.is_running() && !one.clock.is_paused()) else {
        return Ok(());
    };
    if !due.promise.is_ours() && clock.clock.due.at > now {
        return Ok(());
    }
    match (due.promise, kept.case.state) {
        (Promise::Citizen, State::Waiting) => {
            applying::take(&mut tx, service, &mut kept, &Step::Plain(Event::TimeOver), Who::Platform, Said::default()).await?;
            seen.resumed += 1;
        }
        (Promise::Silence, State::Told) => {
            applying::take(&mut tx, service, &mut kept, &Step::Plain(Event::Silence), Who::Platform, Said::default()).await?;
            seen.closed += 1;
        }
        _ => {
            let before = running;
            let mut after = before.clone();
            if let Some(clock) = after.iter_mut().find(|one| one.n == due.n) {
                let warning = clock.clock.warning(now, &service.calendar, service.zone());
                let warning = i16::try_from(warning).unwrap_or(100);
                if warning > clock.warned {
                    clock.warned = warning;
                    seen.warned += 1;
                    metrics::counter!("casework_warnings_total", "promise" => due.promise.as_ref().to_owned(), "share" => warning.to_string())
                        .increment(1);
                }
            }
            clocks::save(&mut tx, service, due.number, &before, &after).await?;
            clocks::put_in_line(&mut tx, due.number, &after).await?;
        }
    }
    tx.commit().await?;
    Ok(())
}

/// Counts again what runs and was due provisionally, where the notice of that year is known by now. What has ended stays as it was.
async fn recount(service: &Parts, now: DateTime<Utc>) -> Result<u64, Error> {
    let (mut moved, mut past) = (0, 0_i64);
    loop {
        let numbers = sqlx::query_scalar!(
            "select distinct number from casework.clock where stopped_at is null and provisional and due_day <= $1 and number > $2
              order by number limit $3",
            service.calendar.noticed_until(),
            past,
            TOGETHER
        )
        .fetch_all(service.platform.database.pool())
        .await
        .map_err(Error::database("finding clocks that were due provisionally"))?;
        let Some(last) = numbers.last() else { return Ok(moved) };
        past = *last;
        for number in numbers {
            match count_again(service, number, now).await {
                Ok(()) => moved += 1,
                Err(error) => tracing::error!(case = number, %error, "the clocks of a case could not be counted again"),
            }
        }
    }
}

async fn count_again(service: &Parts, number: i64, now: DateTime<Utc>) -> Result<(), Error> {
    let number = store::number(number)?;
    let mut tx = service.platform.database.begin().await?;
    store::load(&mut tx, number, true).await?;
    let before = clocks::of(&mut tx, number).await?;
    let mut after = before.clone();
    for kept in &mut after {
        kept.clock.recount(now, &service.calendar, service.zone());
    }
    clocks::warn_anew(service, &mut after, now);
    clocks::save(&mut tx, service, number, &before, &after).await?;
    clocks::put_in_line(&mut tx, number, &after).await?;
    Ok(tx.commit().await?)
}

/// For how long the oldest call for urgent help waits for somebody.
async fn help_waits(service: &Parts, now: DateTime<Utc>) -> Result<(), Error> {
    let since = sqlx::query_scalar!(
        "select min(received_at) from casework.matter
          where lane = 0 and state = 'received' and state not in ('closed', 'declined', 'withdrawn', 'merged')"
    )
    .fetch_one(service.platform.database.pool())
    .await
    .map_err(Error::database("finding urgent help that waits"))?;
    let waits = since.map_or(0, |since| (now - since).num_seconds().max(0));
    metrics::gauge!("casework_urgent_waiting_seconds").set(waits as f64);
    if waits > i64::from(service.settings.help_waits_minutes) * 60 {
        tracing::warn!(waits_s = waits, "a call for urgent help waits for somebody at the desk");
    }
    Ok(())
}

/// Cases keep nobody's name and number for longer than somebody may have to be called.
async fn forget(service: &Parts) -> Result<Did, Error> {
    let before = service.now() - TimeDelta::days(service.settings.keep_contacts_days.into());
    let (mut forgotten, mut some) = (0, TOGETHER.unsigned_abs());
    while some == TOGETHER.unsigned_abs() {
        some = sqlx::query!(
            "update casework.matter set name_sealed = null, phone_sealed = null, phone_hash = null, resident_no = null
              where number in (select number from casework.matter
                                where state in ('closed', 'declined', 'withdrawn', 'merged')
                                  and (phone_hash is not null or name_sealed is not null or resident_no is not null) and changed_at < $1
                                limit $2)",
            before,
            TOGETHER
        )
        .execute(service.platform.database.pool())
        .await
        .map_err(Error::database("forgetting who brought a case"))?
        .rows_affected();
        forgotten += some;
    }
    Ok(Did::nothing().and("删除联系方式的事项", "cases whose contacts were removed", forgotten))
}
