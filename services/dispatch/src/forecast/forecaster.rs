//! What every part of the forecast asks: what is in line, how fast it goes, and when each alert will have been delivered.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use domain::forecast::{self, Outlook, Rates, Work};
use platform::Platform;
use platform::clock::Clock;
use platform::database::{Connection, Database};
use resident::headcount::{AudienceQuestions, Headcount};

use super::capacity::Capacity;
use super::line::{self, InLine};
use super::seen;
use crate::Error;
use crate::settings::Settings;

/// Foresees.
#[derive(Clone, Debug)]
pub(crate) struct Forecaster {
    pub(crate) database: Database,
    pub(crate) clock: Clock,
    pub(super) settings: Arc<Settings>,
    pub(super) capacity: Arc<Capacity>,
    pub(super) headcount: Headcount,
    pub(super) questions: AudienceQuestions,
}

/// What is in line at one moment, and how fast it goes.
pub(super) struct Look {
    pub(super) line: Vec<InLine>,
    pub(super) rates: Rates,
}

impl Forecaster {
    pub(crate) fn new(platform: &Platform, settings: &Arc<Settings>, capacity: Capacity) -> Self {
        Self {
            database: platform.database.clone(),
            clock: platform.clock.clone(),
            settings: Arc::clone(settings),
            questions: AudienceQuestions::new(platform, crate::SCHEMA, capacity.audience_questions_per_day),
            capacity: Arc::new(capacity),
            headcount: Headcount::new(platform.database.clone()),
        }
    }

    /// What the newest turn knew, brought up to date with the ledger; nothing is written.
    pub(super) async fn look(&self, connection: &mut Connection, now: DateTime<Utc>) -> Result<Look, Error> {
        let line = line::read(connection, now).await?;
        let seen = seen::read(connection, now, &self.settings.forecast).await?;
        Ok(Look { line, rates: self.capacity.rates(&self.settings.forecast, seen) })
    }

    /// For each of the line what is foreseen; none for what is over.
    pub(super) fn outlooks(&self, now: DateTime<Utc>, line: &[InLine], rates: &Rates) -> Vec<Option<Outlook>> {
        let open = |entry: &InLine| entry.over.is_none();
        let works: Vec<Work> =
            line.iter().filter(|entry| open(entry)).map(|entry| entry.work(now, rates, &self.settings.forecast)).collect();
        let mut outlooks = forecast::of_line(now, &works, rates, &self.settings.quiet_hours).into_iter();
        line.iter().map(|entry| open(entry).then(|| outlooks.next()).flatten()).collect()
    }
}
