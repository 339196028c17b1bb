//! What can be served, and how each service starts.

use anyhow::{Context as _, Result};
use clap::ValueEnum;
use platform::bus;
use platform::clock::Clock;
use platform::http::{Authenticators, Routes, Shell};
use platform::jobs::{self, Job};
use platform::{Platform, StoreSettings};
use sqlx::migrate::Migrator;
use strum::VariantArray;

use crate::configuration::Configuration;
use crate::{capacity, pages};

/// A service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum, VariantArray, strum::Display)]
#[strum(serialize_all = "snake_case")]
pub(crate) enum Service {
    /// Staff, roles, sessions, keys.
    Identity,
    /// The trace of staff actions.
    Audit,
    /// The residents' app.
    Resident,
    /// Risk records.
    Ingest,
    /// Rules and gathering drafts.
    Rules,
    /// The life of alerts.
    Review,
    /// Waves, batches, deadlines, reminders.
    Dispatch,
    /// APNs, FCM and Web Push.
    Push,
    /// The SMS centre.
    Sms,
    /// Public screens.
    Display,
    /// What citizens bring: cases, orders, clocks.
    Casework,
}

impl Service {
    /// Schema and migrations; push has no tables of its own.
    fn tables(self) -> Option<(&'static str, &'static Migrator)> {
        Some(match self {
            Self::Identity => (identity::SCHEMA, &identity::MIGRATOR),
            Self::Audit => (audit::SCHEMA, &audit::MIGRATOR),
            Self::Resident => (resident::SCHEMA, &resident::MIGRATOR),
            Self::Ingest => (ingest::SCHEMA, &ingest::MIGRATOR),
            Self::Rules => (rules::SCHEMA, &rules::MIGRATOR),
            Self::Review => (review::SCHEMA, &review::MIGRATOR),
            Self::Dispatch => (dispatch::SCHEMA, &dispatch::MIGRATOR),
            Self::Push => return None,
            Self::Sms => (sms::SCHEMA, &sms::MIGRATOR),
            Self::Display => (display::SCHEMA, &display::MIGRATOR),
            Self::Casework => (casework::SCHEMA, &casework::MIGRATOR),
        })
    }

    /// Its schema, where it has tables of its own.
    pub(crate) fn schema(self) -> Option<&'static str> {
        self.tables().map(|(schema, _)| schema)
    }

    /// What it does on schedule.
    pub(crate) fn jobs(self) -> &'static [Job] {
        match self {
            Self::Resident => resident::JOBS,
            Self::Dispatch => dispatch::JOBS,
            Self::Sms => sms::JOBS,
            Self::Rules => rules::JOBS,
            Self::Review => review::JOBS,
            Self::Display => display::JOBS,
            Self::Ingest => ingest::JOBS,
            Self::Audit => audit::JOBS,
            Self::Casework => casework::JOBS,
            Self::Identity => identity::JOBS,
            Self::Push => &[],
        }
    }

    async fn start(self, platform: &Platform, settings: &Configuration, city: City) -> Result<Routes> {
        Ok(match self {
            Self::Identity if city == City::Demo => identity::demo::start(platform, settings.identity.clone()).await?,
            Self::Identity => identity::start(platform, settings.identity.clone()).await?,
            Self::Audit => audit::start(platform, settings.audit.clone()).await?,
            Self::Resident => resident::start(platform, of_resident(settings)?).await?,
            Self::Ingest => ingest::start(platform, settings.ingest.clone()).await?,
            Self::Rules => rules::start(platform, settings.rules.clone()).await?,
            Self::Review => review::start(platform, settings.review.clone(), settings.dispatch.quiet_hours).await?,
            Self::Dispatch => dispatch::start(platform, settings.dispatch.clone(), capacity::of(settings)).await?,
            Self::Push => push::start(platform, settings.push.clone()).await?,
            Self::Sms => sms::start(platform, settings.sms.clone()).await?,
            Self::Display => display::start(platform, settings.display.clone()).await?,
            Self::Casework => casework::start(platform, settings.casework.clone()).await?,
        })
    }
}

/// What resident is set to, with what push offers to browsers.
fn of_resident(settings: &Configuration) -> Result<resident::Settings> {
    let offer = settings.push.web_push.as_ref().map(|web_push| {
        let public_key = push::web_push::public_key(web_push)?;
        Ok::<_, push::Error>(resident::WebPushOffer { public_key, services: web_push.allowed_hosts.clone() })
    });
    Ok(resident::Settings { web_push: offer.transpose()?, ..settings.resident.clone() })
}

/// Every schema, the platform's first, with the steps that make its tables.
pub(crate) fn schemas() -> Vec<(&'static str, &'static Migrator)> {
    let platform =
        [("keys", &platform::crypto::MIGRATOR), ("bus", &platform::bus::MIGRATOR), (platform::jobs::SCHEMA, &platform::jobs::MIGRATOR)];
    platform.into_iter().chain(Service::VARIANTS.iter().filter_map(|service| service.tables())).collect()
}

/// Opens the stores, and tells a setting that is wrong from a store that is away.
pub(crate) async fn open(settings: &StoreSettings, clock: Clock) -> Result<Platform> {
    Platform::open(settings, clock).await.map_err(told)
}

/// Why the stores could not be used: what is set or started wrongly says so itself, anything else is a store that is away.
pub(crate) fn told(error: platform::Error) -> anyhow::Error {
    match error {
        platform::Error::Setting { .. } | platform::Error::Company { .. } => error.into(),
        error => anyhow::Error::from(error).context("the stores do not answer"),
    }
}

/// Brings the tables of all services up to date. A view of one service may read another's, never the other way round, so
/// any order will do.
pub(crate) async fn migrate(platform: &Platform) -> Result<()> {
    for (schema, migrator) in Service::VARIANTS.iter().filter_map(|service| service.tables()) {
        platform
            .database
            .migrate(schema, migrator)
            .await
            .with_context(|| format!("the tables of {schema} could not be brought up to date"))?;
    }
    Ok(())
}

/// Whose city it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum City {
    /// People live in it: `fenghuo serve`.
    Real,
    /// Nobody does: a demo, or a rehearsal. Its staff carry a second factor that is no secret.
    Demo,
}

/// Tells a last time how many entries of the trace this process has published, for nobody can do so later; when nothing publishes any more.
pub(crate) async fn count_a_last_time(platform: &Platform) {
    for (schema, _) in schemas() {
        if let Err(error) = platform.database.tell_count(schema).await {
            tracing::warn!(%error, schema, "the last entries of the audit trace were not counted");
        }
    }
}

/// Starts services and returns the shell that answers for them.
pub(crate) async fn start(platform: &Platform, settings: &Configuration, services: &[Service], city: City) -> Result<Shell> {
    platform.jobs.check_settings(Service::VARIANTS.iter().flat_map(|service| service.jobs()))?;
    let mut routes: Option<Routes> = None;
    for &service in services {
        let own = service.start(platform, settings, city).await.with_context(|| format!("service {service:?} did not start"))?;
        routes = Some(match routes {
            Some(others) => others.merge(own),
            None => own,
        });
    }
    let routes = routes.context("no service was named")?.merge(jobs::routes(platform)).merge(bus::routes(platform));
    // Staff and sources call every service. Who knows a resident or a screen is the service that they call: no other has a right to their sessions.
    let mut authenticators = Authenticators::new().with(identity::authenticator(platform));
    if services.contains(&Service::Resident) {
        authenticators = authenticators.with(resident::SessionAuthenticator::new(platform, &settings.resident));
    }
    if services.contains(&Service::Display) {
        authenticators = authenticators.with(display::authenticator(platform));
    }
    let mut checks = platform.checks();
    if services.contains(&Service::Audit) {
        checks.push(audit::check(platform, &settings.audit));
    }
    Ok(Shell::new(routes, authenticators)
        .settings(settings.http.clone())
        .checks(checks)
        .clock(platform.clock.clone())
        .pages(pages::router()))
}
