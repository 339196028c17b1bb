//! The deadline forecast: dispatch says for every alert in line when its last recipient will be reached, raises the alarm before a deadline is
//! missed, and answers the same question before an alert is approved (CQ3, CQ10).
//!
//! ```text
//! settings of push and sms ─▶ capacity ─┐
//! resident's headcount ─▶ audience ─▶ dispatch.headcount ───────────┐     ┌─▶ dispatch.forecast ─▶ GET …/alerts/{id}/forecast
//! ledger: done, open, waiting ─▶ line ──────────────────────────────┼─▶ domain::forecast ─▶ alarms: event, metric, log
//!                          └─▶ seen: what channels hand over ────────┘     └─▶ POST …/forecast, before approval
//! ```
//!
//! One turn, every few seconds and when an alert arrives, is one transaction in one process at a time:
//!
//! * **What is left** ([`line`]) is read from the ledger by wave: one pass over the batches of the waves in line (8,000 rows for a whole
//!   city), nothing of what is done with. What is not planned yet comes from the count of the audience, made once for each alert.
//! * **What channels do** ([`seen`]) is what the ledger shows as done with from one turn to the next, counted only while there was something to
//!   be sent at both. Batches know app and SMS, not APNs and FCM; so what is seen is a rate of the channel, and a lane is named as the
//!   reason only where its accounts' limit explains the rate.
//! * **Alarms** ([`record`]) are compared with what was told last, in the same transaction, so each is raised once.

pub(crate) mod alert_routes;
pub(crate) mod audience;
mod audience_routes;
mod capacity;
mod forecaster;
mod limits;
mod line;
pub(crate) mod question;
mod record;
mod seen;

use std::sync::Arc;
use std::time::Duration;

use platform::Platform;
use platform::http::Routes;
use platform::tasks::chain;
use platform::worker::Turn;
use resident::headcount::Headcount;

use crate::settings::Settings;
use crate::{Error, signals};

pub use capacity::Capacity;
pub(crate) use forecaster::Forecaster;

use seen::Seen;

/// Starts the worker and returns the routes.
pub(crate) fn start(platform: &Platform, settings: &Arc<Settings>, capacity: Capacity, headcount: Headcount) -> Routes {
    let forecaster = Forecaster { headcount, ..Forecaster::new(platform, settings, capacity) };
    let every = Duration::from_secs(u64::from(settings.forecast.every_s));
    let own = forecaster.clone();
    platform::worker::run(&platform.tasks, &platform.clock, "dispatch.forecast", every, &signals::FORECAST, move || {
        let forecaster = own.clone();
        async move { Ok(if forecaster.turn().await? { Turn::More } else { Turn::Idle }) }
    });
    alert_routes::routes().merge(question::routes()).merge(audience_routes::routes()).merge(limits::routes()).with_state(forecaster)
}

impl Forecaster {
    /// Counts the audience of one alert that has not been counted yet, else makes the forecast. True: there is more to count.
    pub(crate) async fn turn(&self) -> Result<bool, Error> {
        match self.count_next(self.clock.now()).await {
            Ok(true) => return Ok(true),
            Ok(false) => {}
            // What is planned is known all the same.
            Err(error) => {
                tracing::warn!(error = chain(&error), "the audience of an alert was not counted: its forecast lacks who is not planned yet")
            }
        }
        let now = self.clock.now();
        let mut tx = self.database.begin().await?;
        let mine = sqlx::query_scalar!(r#"select pg_try_advisory_xact_lock(hashtextextended('dispatch.forecast', 0)) as "mine!""#)
            .fetch_one(&mut *tx)
            .await?;
        if !mine {
            return Ok(false);
        }
        let line = line::read(&mut tx, now).await?;
        let unseen = self.capacity.rates(&self.settings.forecast, Seen::default());
        let seen = seen::note(&mut tx, now, &line, &unseen, &self.settings).await?;
        let rates = self.capacity.rates(&self.settings.forecast, seen);
        let outlooks = self.outlooks(now, &line, &rates);
        let told = record::write(&mut tx, now, &line, &outlooks, self.settings.forecast.margin()).await?;
        tx.commit().await?;
        told.make_known();
        Ok(false)
    }
}
