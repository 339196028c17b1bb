//! Dispatch turns an approved alert into waves and batches, in deadline order, watches the clock, and decides on reminders.
//!
//! ```text
//! alert.approved ─▶ approved ─▶ planning ─▶ ledger (table dispatch.batch) ◀── claim, checkpoint, close ── push, sms
//! alert.stopped  ─▶ ending ─▶ planning          │            ▲                                             ▲
//! alert.held     ─▶ checked                      │            │                                             │
//! alert.withdrawn-for ─▶ withdrawn_for ─▶ planning           │                                             │
//!                                              ▼            └─ retry and fallback batches                 │
//!                                            pump ─▶ batch.ready.app, batch.ready.sms (a short window) ───┘
//! progress: wave closed ─▶ alert.handed-over      reminders: silence ─▶ wave 2 ─▶ follow-up items      ending: expiry ─▶ alert.closed
//! ```
//!
//! The database is the queue with the order; the broker carries only what is about to be sent. What is guaranteed:
//!
//! * Everybody in the audience of a released alert ends in exactly one of: handed over, unreachable, withdrawn; also when any process
//!   is killed at any moment. Nobody outside of it is in a batch. An exercise reaches enrolled residents only.
//! * Urgent before routine, then by deadline; routine alerts not in quiet hours, not even in the middle of a wave (CQ10).
//! * After a crash only what was sent since the last checkpoint is sent again, under the same collapse id.
//! * Who acknowledges is not reminded; who stays silent is reminded once, then becomes a follow-up item once (CQ11).
//!
//! * One alert for which a step fails, or one row that cannot be read, never stops the others ([`aside`]); what review has approved or stopped
//!   and no event has told is found all the same ([`sweep`]).
//! * A stop waits for nobody, and senders hear of it at once ([`ending`], [`word`]). Whoever was handed an alert that staff end is told so, on the channels
//!   that carried it ([`planning`], wave 9); who was not, hears nothing of it any more.
//!
//! * An alert that is being checked waits as it stands: nothing of it leaves, nothing of it is lost ([`checked`]). A correction that two people have
//!   made reaches exactly those who have what it corrects ([`planning`], `for_holders`).
//!
//! * An alert may be withdrawn for some people alone, whatever is under way: who was not handed it is not told any more, who was is told that it does
//!   not hold for them, once ([`withdrawn_for`], [`planning`], wave 10).
//!
//! * Who was reached on one device is reached; a device of theirs that failed for now is tried again alone, and who has an urgent alert in a browser only and
//!   does not answer gets the SMS ([`beside`], [`in_a_browser`]).
//!
//! * What was approved is what leaves: words, audience, terms or people that are not as they were approved are held, and ring ([`unlike`]).
//!
//! * Before a deadline is missed there is an alarm, and before an approval an answer whether it can be held ([`forecast`]).
//!
//! Parts: [`approved`], [`planning`], [`pump`], [`progress`], [`ending`], [`reminders`] are run twice without harm and are woken by
//! [`signals`] and the clock. [`ledger`] and [`worker`] are what push and sms build on. [`routes`] show staff what is going on.

mod approved;
mod aside;
mod beside;
mod checked;
mod ending;
mod error;
mod follow_ups;
mod forecast;
mod held;
mod in_a_browser;
mod kin;
pub mod ledger;
mod planning;
mod progress;
mod pump;
mod reminders;
mod routes;
mod schema;
mod sending_again;
mod settings;
mod signals;
#[cfg(test)]
mod stories;
mod sweep;
mod undelivered;
mod unheard;
mod unlike;
mod withdrawn_for;
mod word;
pub mod worker;

use platform::compiled_once;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use platform::bus::understood;
use platform::database::Monthly;
use platform::jobs::Job;
use platform::worker::Turn;
use platform::{BoxError, Platform};
use proto::topology::{DISPATCH_APPROVED, DISPATCH_HELD, DISPATCH_STOPPED, DISPATCH_UNDELIVERED, DISPATCH_WITHDRAWN_FOR};
use proto::{AlertApproved, AlertHeld, AlertStopped, AlertWithdrawnFor, SmsUndelivered};
use resident::headcount::Headcount;

pub use error::Error;
pub use follow_ups::{Reason, VisitOutcome};
pub use forecast::Capacity;
pub use schema::{MIGRATOR, SCHEMA};
pub use settings::{ForecastSettings, Settings};

/// Alerts handled at once; each is a few rows.
const CONCURRENCY: usize = 4;
/// What it does on schedule.
pub const JOBS: &[Job] = &[KEEP_LEDGER, follow_ups::FOLLOW_PEOPLE, sweep::TAKE_OVER];

const KEEP_LEDGER: Job = Job {
    name: "dispatch.keep_ledger",
    cron: "0 10 */6 * * *",
    about: "推送台账按月保存：提前建好后两个月的分区，删除超过保留期的月份。",
    about_en: "Keeps the ledger of deliveries by the month: makes the two months to come, drops those past their time.",
    at_start: true,
};

/// The longest a lost signal can delay planning, watching or reminding.
const INTERVAL: Duration = Duration::from_secs(1);

/// Starts the service: subscribes, starts its workers, and returns its routes. `capacity` is what the accounts of push and sms allow.
#[compiled_once]
pub async fn start(platform: &Platform, settings: Settings, capacity: Capacity) -> Result<platform::http::Routes, Error> {
    let settings = Arc::new(pump::sized(settings.checked()?, &capacity));
    platform.bus.start_relay(SCHEMA);
    subscribe(platform, &settings)?;
    let months = settings.keep_ledger_months;
    let tables = ["batch", "recipient_list", "undelivered"].map(|table| Monthly { schema: SCHEMA, table, column: "alert_id", months });
    Monthly::keep(platform, &KEEP_LEDGER, tables.into())?;
    follow_ups::follow_people(platform)?;
    sweep::register(platform, &settings)?;
    let headcount = Headcount::new(platform.database.clone());
    let warm = headcount.clone();
    // so that the first alert of this process does not wait for it; without it audiences are counted when they are planned
    platform.tasks.spawn("dispatch.headcount", async move { warm.refresh().await.map(|_| ()) });
    start_workers(platform, &settings, &capacity, &headcount);
    Ok(routes::routes(platform, &settings).merge(forecast::start(platform, &settings, capacity, headcount)))
}

fn subscribe(platform: &Platform, settings: &Arc<Settings>) -> Result<(), Error> {
    let (own, shared) = (platform.clone(), Arc::clone(settings));
    platform.bus.subscribe(&DISPATCH_APPROVED, CONCURRENCY, move |event: AlertApproved| {
        let (platform, settings) = (own.clone(), Arc::clone(&shared));
        async move { Ok(approved::on_approved(&platform, &settings, understood("alert id", event.alert_id.parse())?).await?) }
    })?;
    let own = platform.clone();
    platform.bus.subscribe(&DISPATCH_STOPPED, CONCURRENCY, move |event: AlertStopped| {
        let platform = own.clone();
        async move { Ok(ending::on_stopped(&platform, understood("alert id", event.alert_id.parse())?, event.how().into()).await?) }
    })?;
    let own = platform.clone();
    platform.bus.subscribe(&DISPATCH_HELD, CONCURRENCY, move |event: AlertHeld| {
        let platform = own.clone();
        async move { Ok(checked::on_held(&platform, understood("alert id", event.alert_id.parse())?).await?) }
    })?;
    let own = platform.clone();
    platform.bus.subscribe(&DISPATCH_WITHDRAWN_FOR, CONCURRENCY, move |event: AlertWithdrawnFor| {
        let platform = own.clone();
        async move { Ok(withdrawn_for::on_withdrawn(&platform, understood("alert id", event.alert_id.parse())?).await?) }
    })?;
    let (database, clock, shared) = (platform.database.clone(), platform.clock.clone(), Arc::clone(settings));
    platform.bus.subscribe(&DISPATCH_UNDELIVERED, CONCURRENCY, move |event: SmsUndelivered| {
        let (database, clock, settings) = (database.clone(), clock.clone(), Arc::clone(&shared));
        async move {
            let alert_id = understood("alert id", event.alert_id.parse())?;
            Ok(undelivered::on_undelivered(&database, &clock, &settings, alert_id, &event).await?)
        }
    })?;
    Ok(())
}

fn start_workers(platform: &Platform, settings: &Arc<Settings>, capacity: &Capacity, headcount: &Headcount) {
    // An urgent alert must not wait for a chunk of a routine one that is being written.
    for (name, wake, line) in [
        ("dispatch.planner", &signals::PLANNER, planning::Line::All),
        ("dispatch.urgent-planner", &signals::URGENT_PLANNER, planning::Line::Urgent),
    ] {
        let planner = Arc::new(planning::Planner::new(platform, (**settings).clone(), line).counting_with(headcount.clone()));
        platform::worker::run(&platform.tasks, &platform.clock, name, INTERVAL, wake, move || {
            let planner = Arc::clone(&planner);
            async move { more(planner.turn().await) }
        });
    }
    let pump_interval = Duration::from_millis(u64::from(settings.pump_interval_ms));
    let pump = Arc::new(pump::Pump::new(platform, (**settings).clone(), capacity.clone()).starting());
    platform::worker::run(&platform.tasks, &platform.clock, "dispatch.pump", pump_interval, &signals::PUMP, move || {
        let pump = Arc::clone(&pump);
        async move { more(pump.turn().await.map(|_| false)) }
    });
    let own = platform.clone();
    platform::worker::run(&platform.tasks, &platform.clock, "dispatch.watch", INTERVAL, &signals::WATCH, move || {
        let (database, clock, platform) = (own.database.clone(), own.clock.clone(), own.clone());
        async move {
            let unlike = unlike::turn(&platform).await?;
            unlike::measure(&database).await?;
            let closed = progress::close_wave(&database, &clock).await?;
            let expired = ending::close_expired(&database, &clock).await?;
            let withdrawn = ending::withdraw_next(&database, &clock).await?;
            let let_go = held::turn(&database, &clock).await?;
            aside::measure(&database).await?;
            more(Ok(closed || expired || withdrawn || let_go || unlike))
        }
    });
    let (database, clock, shared) = (platform.database.clone(), platform.clock.clone(), Arc::clone(settings));
    platform::worker::run(&platform.tasks, &platform.clock, "dispatch.reminders", INTERVAL, &signals::REMINDERS, move || {
        let (database, clock, settings) = (database.clone(), clock.clone(), Arc::clone(&shared));
        async move {
            let reminded = reminders::turn(&database, &clock, &settings).await?;
            let again = sending_again::turn(&database, &clock, &settings).await?;
            let unheard = unheard::turn(&database, &clock).await?;
            let in_a_browser = in_a_browser::turn(&database, &clock, &settings).await?;
            more(Ok(reminded || again || unheard || in_a_browser))
        }
    });
}

fn more(found: Result<bool, Error>) -> Result<Turn, BoxError> {
    Ok(if found? { Turn::More } else { Turn::Idle })
}

/// Whether dispatch has nothing to do before the clock moves: what a rehearsal asks, beside the bus, before it moves it. Events on their way to
/// dispatch are not seen here.
#[compiled_once]
pub async fn settled(platform: &Platform, settings: &Settings) -> Result<bool, Error> {
    let now: DateTime<Utc> = platform.clock.now();
    let quiet = settings.quiet_hours.is_quiet(now);
    let busy = sqlx::query_scalar!(
        r#"with aside as materialized (select alert_id from dispatch.set_aside where until > $1
                                       union all select alert_id from dispatch.alert where held_at is not null)
           select (exists (select from dispatch.alert a where (a.state = 'waiting' and (a.release_at <= $1 or a.corrects is not null) and a.expires_at > $1
                              and a.alert_id not in (select alert_id from aside))
                                                      or (a.state in ('waiting', 'dispatching', 'active') and a.expires_at <= $1))
                or exists (select from dispatch.wave w where w.state = 'planning' and w.alert_id not in (select alert_id from aside))
                or exists (select from dispatch.alert a join dispatch.wave w on w.alert_id = a.alert_id and w.wave = 1
                            where a.state in ('dispatching', 'active') and (a.exercise or not a.personal) and not a.for_holders
                              and w.state <> 'planning' and w.chunks > a.audience_revision and a.alert_id not in (select alert_id from aside))
                or exists (select from dispatch.wave w join dispatch.alert a using (alert_id)
                            where w.state <> 'settled' and w.wave < 9 and a.state in ('closed', 'cancelled', 'superseded')
                              and w.alert_id not in (select alert_id from aside))
                or exists (select from dispatch.stop st join dispatch.alert a using (alert_id)
                            where st.withdrawal_planned_at is null and a.state in ('cancelled', 'superseded')
                              and st.alert_id not in (select alert_id from aside))
                or exists (select from dispatch.withdrawn_for f join dispatch.alert a using (alert_id)
                            where f.settled_at is null and f.alert_id not in (select alert_id from aside))
                or exists (select from dispatch.wave w where w.state = 'sending' and w.alert_id not in (select alert_id from aside) and not exists (
                       select from dispatch.batch b where b.alert_id = w.alert_id and b.wave = w.wave and b.state <> 'closed' and b.due_at <= w.due_at))
                or (select count(*) from dispatch.arrivals_seen s join resident.arrived r on r.tx >= s.tx) <> (select seen from dispatch.arrivals_seen)
                or exists (select from dispatch.wave w join dispatch.alert a using (alert_id)
                            where w.wave = 1 and w.state <> 'planning' and not w.caught_up and a.held_at is null and a.state in ('dispatching', 'active'))
                or exists (select from dispatch.latecomer l join dispatch.alert a using (alert_id)
                            where l.planned_at is null and a.state in ('dispatching', 'active') and l.alert_id not in (select alert_id from aside))
                or exists (select from dispatch.batch where state = 'ready' and not_before <= $1 and (urgent or not $2)
                              and (wave >= 9 or alert_id <> all(array(select h.alert_id from dispatch.alert h where h.held_at is not null))))
                or exists (select from dispatch.batch where state in ('released', 'claimed'))) as "busy!""#,
        now,
        quiet,
    )
    .fetch_one(platform.database.pool())
    .await?;
    let database = &platform.database;
    Ok(!busy
        && !reminders::is_due(database, now, settings).await?
        && !sending_again::is_due(database, now).await?
        && !unheard::is_due(database, now).await?
        && !in_a_browser::is_due(database, now, settings).await?)
}
