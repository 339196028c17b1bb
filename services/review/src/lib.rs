//! The life of an alert from draft to its end (CQ8).
//!
//! Drafts come from rules ([`drafts`]) or are written by staff ([`writing`]); every step after that is a decision
//! ([`decisions`]) that `domain::alert_state` permits or refuses. What is approved goes to dispatch by event, and dispatch's
//! events bring the alert through its last states ([`progress`]). A correction is a new alert that names the old one; the
//! old one is superseded in the transaction that approves the new one ([`writing`], CAP *Update*).
//!
//! Whom a record had brought into an alert that its source corrected or took back stands on a list until somebody has decided
//! ([`ended_records`]); until then an alert that waits is not passed on, and one that was approved may be withdrawn for them alone ([`withdrawal`]).
//!
//! What people have is taken back by two people in one step, and stopped by one at any moment ([`retraction`]).
//!
//! While it is written and reviewed, people remark on it, say that they review it just now, see who else has it open and what changed since it was sent
//! back, and decide about many after looking at each ([`in_review`]).
//!
//! Pages listen to what changes ([`events`], from one [`feed`] a process) and ask for the whole at a glance ([`overview`]).
//!
//! Guarantees: submitter, first and final reviewer are three different people, composer and confirmer of an urgent alert
//! two, enforced by the domain and again by a constraint of the table; a decision names the version it was made on, so of
//! two reviewers deciding at once one gets a conflict (only an emergency stop needs none: it holds whatever happened meanwhile);
//! what would reach nobody, or not in time, or remind nobody, is approved only by somebody who says that they know ([`cautions`]); every step is in the alert's history, every step of a person in the
//! audit trail as well, written in the transaction of the step itself.

mod actor;
mod brief;
mod cautions;
mod colleagues;
mod conflicts;
mod decisions;
mod drafts;
mod ended_records;
mod error;
mod events;
mod export;
mod feed;
mod history;
mod in_review;
mod message_kind;
mod named_by_hand;
mod overview;
mod passage;
mod progress;
mod reading;
mod reason;
mod retraction;
mod schema;
mod search;
mod service;
mod store;
mod story;
mod trace;
mod withdrawal;
mod writing;

use chrono::TimeDelta;
use domain::claim;
use domain::quiet_hours::QuietHours;
use platform::Platform;
use platform::compiled_once;
use platform::http::Routes;
use platform::jobs::Job;
use platform::worker::Wake;
use resident::headcount::Headcount;
use serde::{Deserialize, Serialize};

pub use error::Error;
pub use schema::{MIGRATOR, SCHEMA};

use feed::Feed;
use service::Service;

/// What it does on schedule.
pub const JOBS: &[Job] = &[progress::TAKE_OVER, search::INDEX, in_review::FORGET];

/// What the operator sets.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Signature 签名 with which a reviewer sees the SMS and its number of segments before approving.
    ///
    /// Set it as in `[sms]`: what is reviewed should be what is sent.
    pub signature: String,
    /// An alert to more people than this is approved by an officer who has just shown their second factor, and by no other.
    ///
    /// Most alerts are for a township or a list of contacts; what reaches a whole district is worth a look at the phone.
    ///
    /// Unit: people
    pub fresh_proof_over_people: u64,
    /// How long colleagues see that somebody reviews an alert, after they have last said so.
    ///
    /// As long as a careful review takes. It locks nothing: whoever else may decide still may, and is told first. From a minute to four hours.
    ///
    /// Unit: seconds
    pub claim_lasts_s: u32,
    /// Lists of alerts that one member of staff may export in a day.
    ///
    /// Each is in the trace all the same; the number keeps one account from carrying everything away unnoticed. Raise it where reports take more.
    ///
    /// Unit: files
    pub exports_a_day: u32,
}

impl Default for Settings {
    fn default() -> Self {
        Self { signature: "烽火".to_owned(), fresh_proof_over_people: 100_000, claim_lasts_s: 900, exports_a_day: 20 }
    }
}

impl Settings {
    fn claim_lasts(&self) -> Result<TimeDelta, Error> {
        let lasts = TimeDelta::seconds(self.claim_lasts_s.into());
        let wrong = Error::Setting { name: "review.claim_lasts_s", reason: "must be from 60 to 14400" };
        if (claim::SHORTEST..=claim::LONGEST).contains(&lasts) { Ok(lasts) } else { Err(wrong) }
    }
}

/// Subscribes to drafts and to dispatch's progress, and returns the routes. The quiet hours are those that dispatch keeps.
///
/// # Errors
/// When the bus refuses a subscription, or a setting makes no sense.
#[compiled_once]
pub async fn start(platform: &Platform, settings: Settings, quiet_hours: QuietHours) -> Result<Routes, Error> {
    let changed = Wake::new();
    let feed = Feed::start(platform, &changed);
    let headcount = Headcount::new(platform.database.clone());
    let claim_lasts = settings.claim_lasts()?;
    let Settings { signature, fresh_proof_over_people, exports_a_day, .. } = settings;
    let service = Service {
        platform: platform.clone(),
        signature: signature.into(),
        quiet_hours,
        headcount,
        fresh_proof_over_people,
        claim_lasts,
        exports_a_day,
        changed,
        feed,
    };
    let own = platform.clone();
    platform.jobs.register(&search::INDEX, move || {
        let platform = own.clone();
        async move { search::fill(&platform).await }
    })?;
    platform.bus.start_relay(SCHEMA);
    drafts::subscribe(&service)?;
    progress::subscribe(&service)?;
    ended_records::subscribe(&service)?;
    in_review::register(&service)?;
    let routes = writing::routes()
        .merge(decisions::routes())
        .merge(reading::routes())
        .merge(named_by_hand::routes())
        .merge(overview::routes())
        .merge(events::routes())
        .merge(ended_records::routes())
        .merge(retraction::routes())
        .merge(conflicts::routes())
        .merge(search::routes())
        .merge(export::routes())
        .merge(story::routes())
        .merge(in_review::routes());
    Ok(routes.with_state(service))
}
