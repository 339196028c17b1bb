//! Short messages to those without the app (CQ9 b), by SMPP 3.4 to an SMS centre.
//!
//! ```text
//! sms.batches ─▶ batches ─▶ smpp::submit ═▶ SMS centre ═▶ delivered ─┬▶ message (receipts)
//!                   │                                                └▶ reply ─▶ sms.replied
//!                   └▶ dispatch's ledger, sms.part          sms.codes ─▶ codes ─▶ smpp::submit
//! ```
//!
//! What is guaranteed:
//! * Every answer of the centre has a named outcome ([`smpp::answer`]); refused credentials hold the batch, nothing is lost.
//! * No more than the window is unanswered on a bind, no more than the rate leaves the account, whatever the number of
//!   processes. A broken bind comes back by itself.
//! * What is accepted has a row before the ledger knows; a receipt finds it even if it comes first ([`message`]).
//! * What the centre delivers is answered when it is stored, and counts once however often it comes ([`delivered`], [`reply`]).
//! * A killed process repeats at most what [`batches`] says.
//! * An exercise reaches the phones of enrolled participants only, and says that it is one.
//! * No number and no text is stored or logged readable.

mod batches;
mod codes;
mod delivered;
mod error;
mod message;
mod phones;
mod reply;
mod routes;
mod schema;
mod settings;
pub mod smpp;

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
use codes::Codes;
use smpp::submit::Account;
use tokio::sync::Mutex;

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
    let settings = Arc::new(settings);
    Monthly::keep(platform, &KEEP_MESSAGES, vec![Monthly { schema: SCHEMA, table: "part", column: "alert_id", months }])?;
    let (account, delivered) = Account::start(platform, settings.clone())?;
    let (own, settings_of_taking, delivered) = (platform.clone(), settings.clone(), Arc::new(Mutex::new(delivered)));
    platform.tasks.keep("sms.delivered", move || {
        let (platform, settings, delivered) = (own.clone(), settings_of_taking.clone(), Arc::clone(&delivered));
        async move {
            let mut delivered = delivered.lock().await;
            delivered::take(platform, settings, &mut delivered).await;
        }
    });

    let channel = SmsChannel { platform: platform.clone(), settings: settings.clone(), account: account.clone() };
    dispatch::worker::run(platform, &settings.worker, Arc::new(channel))?;
    let codes = Codes { platform: platform.clone(), account };
    platform.bus.subscribe(&SMS_CODES, CODES_AT_ONCE, move |request: CodeRequested| {
        let codes = codes.clone();
        async move { Ok(codes.send(request).await?) }
    })?;
    platform.bus.start_relay(SCHEMA);

    let (database, clock) = (platform.database.clone(), platform.clock.clone());
    let keep = TimeDelta::hours(settings.receipt_keep_hours.into());
    platform.jobs.register(&FORGET_RECEIPTS, move || {
        let (database, before) = (database.clone(), clock.now() - keep);
        async move {
            let gone = message::forget(&database, before).await?;
            Ok(Did::nothing().and("删除短信回执", "receipts removed", gone.receipts).and(
                "删除回复痕迹",
                "traces of replies removed",
                gone.replies,
            ))
        }
    })?;
    Ok(routes::routes(platform))
}
