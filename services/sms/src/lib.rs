//! Short messages to those without the app (CQ9 b), by SMPP 3.4 to an SMS centre.
//!
//! ```text
//! sms.batches ─▶ batches ─▶ smpp::submit ═▶ SMS centre ═▶ delivered ─┬▶ receipts ─▶ sms.undelivered
//!                   │                                                └▶ reply ─▶ sms.replied
//!                   └▶ dispatch's ledger, sms.part          sms.codes ─▶ codes ─▶ smpp::submit
//!                                                         sms.stopped ─▶ stopped ─▶ smpp::cancel
//!                                                       sms.in-danger ─▶ duty ─▶ smpp::submit
//! ```
//!
//! What is guaranteed:
//! * Every answer of the centre has a named outcome ([`smpp::answer`]); refused credentials hold the batch, nothing is lost. So does a
//!   refusal that everybody gets ([`brake`]).
//! * No answer is no failure: a part whose answer stays out is submitted once more at most, and its late answer settles it. A message goes
//!   on at its missing part ([`begun`]).
//! * No more than the window is unanswered on a bind, no more than the rate leaves the account, whatever the number of
//!   processes; urgent parts go before routine ones; one-time codes go before them at a small rate of their own. A broken bind comes back by itself.
//! * What is accepted has a row before the ledger knows; a receipt finds it even if it comes first ([`receipts`]).
//!   Whom a message does not reach is told to dispatch.
//! * A message ends with its alert: by its validity, and when the alert is stopped by taking it back ([`stopped`]).
//! * What the centre delivers is answered when it is stored, and counts once however often it comes ([`delivered`], [`reply`]).
//! * A killed process repeats at most what [`batches`] says.
//! * An exercise reaches the phones of enrolled participants only, and says that it is one.
//! * No number and no text is stored or logged readable.

mod batches;
mod begun;
mod brake;
mod codes;
mod delivered;
mod duty;
mod error;
mod kept;
mod message;
mod once;
mod phones;
mod receipts;
mod reply;
mod routes;
mod schema;
mod settings;
pub mod smpp;
mod stopped;
mod texts;

use platform::compiled_once;
use std::sync::Arc;

use chrono::TimeDelta;
use platform::{
    Platform,
    database::Monthly,
    http::Routes,
    jobs::{Did, Job},
};
use proto::{CodeRequested, topology::SMS_CODES};

pub use error::Error;
pub use schema::{MIGRATOR, SCHEMA};
pub use settings::Settings;

use batches::SmsChannel;
use brake::Memory;
use once::Once;
use smpp::{
    late::LateAnswer,
    submit::{Account, FromCentre},
};
use tokio::sync::{Mutex, mpsc};

/// What it does on schedule.
pub const JOBS: &[Job] = &[KEEP_MESSAGES, FORGET_RECEIPTS];

const KEEP_MESSAGES: Job = Job {
    name: "sms.keep_messages",
    cron: "0 14 */6 * * *",
    about: "短信记录按月保存：提前建好后两个月的分区，删除超过保留期的月份。",
    about_en: "Keeps the record of messages by the month: makes the two months to come, drops those past their time.",
    at_start: true,
};

const FORGET_RECEIPTS: Job = Job {
    name: "sms.forget_receipts",
    cron: "0 40 * * * *",
    about: "删除等不到短信的回执，以及不会再重复送来的回复的痕迹。",
    about_en: "Removes receipts whose message never turned up, and the traces of replies that cannot come again.",
    at_start: false,
};

/// One-time codes sent at the same time.
const CODES_AT_ONCE: usize = 16;

/// Starts the service: binds to the centre, works through batches, returns its routes.
#[compiled_once]
pub async fn start(platform: &Platform, settings: Settings) -> Result<Routes, Error> {
    let months = settings.keep_messages_months;
    if months < domain::retention::FEWEST_MONTHS {
        return Err(Error::Setting { name: "sms.keep_messages_months", reason: domain::retention::TOO_FEW_MONTHS });
    }
    if settings.signature.trim().is_empty() {
        return Err(Error::Setting { name: "sms.signature", reason: "says who sends; without it no message can be written" });
    }
    if settings.longest_validity_h == 0 {
        return Err(Error::Setting { name: "sms.longest_validity_h", reason: "must be at least 1" });
    }
    let settings = Arc::new(settings);
    Monthly::keep(platform, &KEEP_MESSAGES, vec![Monthly { schema: SCHEMA, table: "part", column: "alert_id", months }])?;
    let (account, FromCentre { delivered, late }) = Account::start(platform, settings.clone())?;
    let (own, settings_of_taking, delivered) = (platform.clone(), settings.clone(), Arc::new(Mutex::new(delivered)));
    platform.tasks.keep("sms.delivered", move || {
        let (platform, settings, delivered) = (own.clone(), settings_of_taking.clone(), Arc::clone(&delivered));
        async move {
            let mut delivered = delivered.lock().await;
            delivered::take(platform, settings, &mut delivered).await;
        }
    });

    let (own, late) = (platform.clone(), Arc::new(Mutex::new(late)));
    platform.tasks.keep("sms.late-answers", move || {
        let (platform, late) = (own.clone(), Arc::clone(&late));
        async move { settle_late_answers(&platform, &mut *late.lock().await).await }
    });
    stopped::start(platform, &settings, &account)?;

    let channel =
        SmsChannel { platform: platform.clone(), settings: settings.clone(), account: account.clone(), memory: Memory::default() };
    dispatch::worker::run(platform, &settings.worker, Arc::new(channel))?;
    let once = Once { platform: platform.clone(), account };
    duty::start(platform, &settings, &once)?;
    platform.bus.subscribe(&SMS_CODES, CODES_AT_ONCE, move |request: CodeRequested| {
        let once = once.clone();
        async move { Ok(codes::send(&once, request).await?) }
    })?;
    platform.bus.start_relay(SCHEMA);

    let (database, clock) = (platform.database.clone(), platform.clock.clone());
    let keep = TimeDelta::hours(settings.receipt_keep_hours.into());
    platform.jobs.register(&FORGET_RECEIPTS, move || {
        let (database, before) = (database.clone(), clock.now() - keep);
        async move {
            let gone = message::forget(&database, before).await?;
            Ok(Did::nothing()
                .and("删除短信回执", "receipts removed", gone.receipts)
                .and("删除回复痕迹", "traces of replies removed", gone.replies)
                .and("删除未发完的短信分段", "parts of messages that never became whole removed", gone.begun))
        }
    })?;
    Ok(routes::routes(platform, &settings))
}

/// Late answers stored in one statement.
const LATE_TOGETHER: usize = 256;

/// Runs until the platform stops or the account has gone. One that cannot be stored is one that never came: its part goes out once more.
async fn settle_late_answers(platform: &Platform, late: &mut mpsc::UnboundedReceiver<LateAnswer>) {
    let stop = platform.tasks.token().clone();
    let mut answers = Vec::with_capacity(LATE_TOGETHER);
    while stop.run_until_cancelled(late.recv_many(&mut answers, LATE_TOGETHER)).await.is_some_and(|taken| taken > 0) {
        if let Err(error) = begun::settle_late(&platform.database, std::mem::take(&mut answers), platform.clock.now()).await {
            tracing::warn!(error = platform::tasks::chain(&error), "late answers of the SMS centre could not be stored");
        }
    }
}
