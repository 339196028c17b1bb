//! What citizens bring gets a number, an owner and an answer (HL1 to HL5, RP1 to RP5).
//!
//! ```text
//! public, mine ─┐                      steps (staff) ─┐
//! desk ─────────┴▶ intake ─▶ matter ◀──── applying ◀──┴ citizen (by PIN, or in the app), keeping (by the clock)
//!                  numbers    ▲              │
//!                             └ clocks, orders, statements, history, trace: one transaction
//! ```
//!
//! A case comes from a page, the app, or the desk where somebody writes it down ([`intake`]); its number comes from a block that this process has
//! alone ([`numbers`]). Everything that happens to it is a step that `domain::casework` permits or refuses ([`applying`]); staff take theirs on the
//! version that they looked at ([`steps`]), citizens by the app or by number and PIN ([`citizen`]), and what time does is done by a job ([`keeping`]).
//! Staff find cases in lists by what is due ([`lists`]) and see one with its whole file ([`file`]); supervision sees the whole ([`overview`]).
//!
//! Guarantees:
//! - a case that was answered with its number is stored; a repeat of the request, also after this process died, is told the same number and PIN, and no
//!   number is given twice;
//! - texts, names and numbers are sealed at rest; number and PIN together open a case, five wrong ones close it for an hour; opening a phone number
//!   leaves a trace, as do reading a case and looking up who calls;
//! - every step is in the case's history, every step of staff in the audit trail as well, written in the transaction of the step;
//! - of two people who take a step at once, one gets a conflict;
//! - what somebody sees is part of the statement that finds it: an area's cases, or what a unit has or had an order for.

mod access;
mod applying;
mod citizen;
mod clocks;
mod contact;
mod days;
mod desk;
mod error;
mod file;
mod intake;
mod keeping;
mod lists;
mod mine;
mod numbered;
mod numbers;
mod orders;
mod overview;
mod public;
mod schema;
mod service;
mod settings;
mod statements;
mod steps;
mod store;
mod texts;
mod units;

use std::sync::Arc;

use platform::Platform;
use platform::compiled_once;
use platform::http::Routes;
use platform::jobs::Job;

pub use error::Error;
pub use schema::{MIGRATOR, SCHEMA};
pub use settings::Settings;
pub use units::{NewUnit, UnitLevel, ensure as ensure_unit};

use numbers::Numbers;
use service::{Parts, Service};

/// What it does on schedule.
pub const JOBS: &[Job] = &[keeping::FORGET, keeping::KEEP];

/// Starts keeping the clocks, and returns the routes.
///
/// # Errors
/// When a setting makes no sense, or the list of days cannot be read.
#[compiled_once]
pub async fn start(platform: &Platform, settings: Settings) -> Result<Routes, Error> {
    let calendar = settings.calendar()?;
    let service = Service(Arc::new(Parts { platform: platform.clone(), settings, calendar, numbers: Numbers::default() }));
    platform.bus.start_relay(SCHEMA);
    keeping::keep(&service)?;
    Ok(public::routes()
        .merge(mine::routes())
        .merge(desk::routes())
        .merge(lists::routes())
        .merge(file::routes())
        .merge(steps::routes())
        .merge(contact::routes())
        .merge(overview::routes())
        .merge(days::routes())
        .merge(units::routes())
        .with_state(service))
}
