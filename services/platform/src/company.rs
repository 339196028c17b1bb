//! Who works on a database: one process alone, or several in company.
//!
//! With the bus or the cache inside the process, two processes on one database would both handle every event, would know nothing of each
//! other's sessions, and would each spend the whole of a provider's rate. So a process that is alone by its settings takes the place alone,
//! one that shares bus and cache takes it with the others, and whoever does not fit does not start.
//!
//! The place is an advisory lock on a connection of its own, so it is free again as soon as PostgreSQL knows that the process is gone:
//! a stopped or killed one at once, one whose machine has lost its power after half a minute ([`NOTICED`]). It is held for as long as the process
//! runs; when the connection breaks, it is taken again.

use std::time::Duration;

use sqlx::PgConnection;

use crate::bus::BusMode;
use crate::cache::CacheMode;
use crate::database::{DatabaseMode, DatabaseSettings, standing};
use crate::error::Error;
use crate::tasks::{Tasks, chain};
use crate::{StoreSettings, compiled_once};

/// The advisory lock, the same for every process of the platform; it counts within one database.
const PLACE: i64 = 0x6665_6e67_6875_6f02;
/// A process that takes over may be started while the one before it still ends.
const PATIENCE: Duration = Duration::from_secs(10);
/// The server may be started at the same moment.
const STARTING: Duration = Duration::from_secs(30);
/// Between two tries.
const PAUSE: Duration = Duration::from_millis(500);
/// Between two looks whether the place is still held.
const LOOK: Duration = Duration::from_secs(5);
/// PostgreSQL asks a silent machine after 10 s, three times 5 s apart, and then gives it up.
const NOTICED: &str = "set tcp_keepalives_idle = 10; set tcp_keepalives_interval = 5; set tcp_keepalives_count = 3";

/// With whom a process works.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Company {
    /// With nobody: its bus or its cache is its own.
    Alone,
    /// With every process that has the same bus and cache.
    Others,
}

impl Company {
    fn of(settings: &StoreSettings) -> Self {
        if settings.bus.mode == BusMode::InProcess || settings.cache.mode == CacheMode::InProcess { Self::Alone } else { Self::Others }
    }

    const fn refusal(self) -> &'static str {
        match self {
            Self::Alone => {
                "another process works on this database already, and bus.mode or cache.mode \"in_process\" is for one process alone: \
                 stop the other one, or set bus.mode = \"rabbitmq\" and cache.mode = \"redis\" for all of them"
            }
            Self::Others => {
                "a process with bus.mode or cache.mode \"in_process\" works on this database, which is for one process alone: \
                 stop it, or set bus.mode = \"rabbitmq\" and cache.mode = \"redis\" for it as well"
            }
        }
    }
}

/// The place of this process on its database. It is given up when this is dropped.
#[derive(Debug)]
pub struct Place(Option<Taken>);

#[derive(Debug)]
struct Taken {
    settings: DatabaseSettings,
    company: Company,
    connection: PgConnection,
}

/// Takes the place of a process with these settings on its database, before it does anything there. The embedded database needs none: it
/// serves no other process.
///
/// # Errors
/// [`Error::Company`] when somebody who does not fit has been there for longer than a change of guard takes; others when the database does
/// not answer.
#[compiled_once]
pub async fn join(settings: &StoreSettings) -> Result<Place, Error> {
    if settings.database.mode == DatabaseMode::Embedded {
        return Ok(Place(None));
    }
    let (settings, company) = (settings.database.clone(), Company::of(settings));
    let began = tokio::time::Instant::now();
    loop {
        match take(&settings, company).await {
            Ok(Some(connection)) => return Ok(Place(Some(Taken { settings, company, connection }))),
            Ok(None) if began.elapsed() >= PATIENCE => return Err(Error::Company { reason: company.refusal() }),
            Err(error) if began.elapsed() >= STARTING || !is_starting(&error) => return Err(error),
            Ok(None) | Err(_) => {}
        }
        tokio::time::sleep(PAUSE).await;
    }
}

impl Place {
    /// Holds it until the tasks are stopped.
    pub fn keep(self, tasks: &Tasks) {
        let Some(taken) = self.0 else { return };
        let stopping = tasks.token().clone();
        tasks.spawn("database.company", async move {
            stopping.run_until_cancelled(taken.hold()).await;
        });
    }
}

/// Whether the server is not there yet: nobody listens, or it does not take connections yet (57P03).
fn is_starting(error: &Error) -> bool {
    match error {
        Error::Database(sqlx::Error::Io(error)) => error.kind() == std::io::ErrorKind::ConnectionRefused,
        Error::Database(sqlx::Error::Database(error)) => error.code().is_some_and(|code| code == "57P03"),
        _ => false,
    }
}

/// A connection that holds the place; none while others hold it.
async fn take(settings: &DatabaseSettings, company: Company) -> Result<Option<PgConnection>, Error> {
    let mut connection = standing::connect(settings, LOOK).await?;
    sqlx::raw_sql(NOTICED).execute(&mut connection).await?;
    let taken = match company {
        Company::Alone => sqlx::query_scalar!(r#"select pg_try_advisory_lock($1) as "taken!""#, PLACE).fetch_one(&mut connection).await?,
        Company::Others => {
            sqlx::query_scalar!(r#"select pg_try_advisory_lock_shared($1) as "taken!""#, PLACE).fetch_one(&mut connection).await?
        }
    };
    Ok(taken.then_some(connection))
}

impl Taken {
    /// Looks now and then whether the connection lives, and takes the place again when it does not.
    async fn hold(mut self) {
        let mut held = true;
        loop {
            metrics::gauge!("database_place_held").set(if held { 1.0 } else { 0.0 });
            tokio::time::sleep(LOOK).await;
            if held && sqlx::query_scalar!(r#"select 1 as "one!""#).fetch_one(&mut self.connection).await.is_ok() {
                continue;
            }
            match take(&self.settings, self.company).await {
                Ok(Some(again)) => {
                    tracing::info!("the place on the database was taken again");
                    (self.connection, held) = (again, true);
                }
                // Somebody came in between: both work now, and people have to be told.
                Ok(None) => {
                    held = false;
                    tracing::error!(reason = self.company.refusal(), "this process goes on beside another one: stop one of them");
                }
                Err(error) => {
                    held = false;
                    tracing::warn!(error = chain(&error), "the place on the database could not be taken again yet");
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bus::BusSettings;
    use crate::cache::CacheSettings;

    #[test]
    fn only_a_process_that_shares_both_bus_and_cache_has_company() {
        let of = |bus, cache| {
            let (bus, cache) =
                (BusSettings { mode: bus, ..BusSettings::default() }, CacheSettings { mode: cache, ..CacheSettings::default() });
            Company::of(&StoreSettings { bus, cache, ..StoreSettings::default() })
        };
        assert_eq!(of(BusMode::Rabbitmq, CacheMode::Redis), Company::Others);
        assert_eq!(of(BusMode::InProcess, CacheMode::Redis), Company::Alone);
        assert_eq!(of(BusMode::Rabbitmq, CacheMode::InProcess), Company::Alone);
        assert_eq!(of(BusMode::InProcess, CacheMode::InProcess), Company::Alone);
    }
}
