//! The stores that a story is told on, and its time.

use std::time::Duration;

use chrono::{DateTime, Utc};
use platform::clock::Clock;
use platform::database::Database;
use platform::{Platform, StoreSettings, scratch};
use sqlx::migrate::Migrator;

/// A second of the moved clock.
pub const SECOND: Duration = Duration::from_secs(1);
/// A minute.
pub const MINUTE: Duration = Duration::from_secs(60);
/// An hour.
pub const HOUR: Duration = Duration::from_secs(3_600);
/// A day.
pub const DAY: Duration = Duration::from_secs(24 * 3_600);

/// What a story is told on. Each story has a database, queues and keys of its own, which are gone afterwards. Servers are those that
/// [`platform::scratch`] finds; where none is named, the first of these stands in for the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Store {
    /// Everything comes with the platform: its own PostgreSQL, bus and cache in this process.
    Embedded,
    /// PostgreSQL as a server, bus and cache in this process.
    Postgres,
    /// PostgreSQL, RabbitMQ and Redis.
    Services,
}

/// What a story's database begins with.
#[derive(Clone, Copy, Debug)]
pub struct Tables {
    /// In the place of what other services show: [`views`](crate::views).
    pub stand_ins: &'static [&'static str],
    /// Of services: the schema, and the steps that make it.
    pub schemas: &'static [(&'static str, &'static Migrator)],
}

impl Tables {
    async fn make(self, database: Database) -> Result<(), platform::Error> {
        for tables in self.stand_ins {
            sqlx::raw_sql(*tables).execute(database.pool()).await?;
        }
        for (schema, migrator) in self.schemas {
            database.migrate(schema, migrator).await?;
        }
        Ok(())
    }

    /// What is the same is prepared once.
    fn kind(self) -> String {
        self.schemas.iter().map(|(schema, _)| *schema).chain(self.stand_ins.iter().copied()).collect::<Vec<_>>().join("\n")
    }
}

impl Store {
    /// A platform whose clock stands at [`noon`].
    pub async fn open(self) -> Platform {
        self.open_at(noon()).await
    }

    /// A platform that has these tables, and whose clock stands at [`noon`].
    pub async fn open_with(self, tables: Tables) -> Platform {
        self.open_at_with(noon(), tables).await
    }

    /// A platform that has these tables, and whose clock stands at `now`.
    pub async fn open_at_with(self, now: DateTime<Utc>, tables: Tables) -> Platform {
        if self != Self::Embedded && scratch::are_services_named() {
            let platform = self.open_at(now).await;
            self.well(tables.make(platform.database.clone()).await);
            return platform;
        }
        self.well(scratch::temporary_with(Clock::moved(now), tables.kind(), |database| tables.make(database)).await)
    }

    /// A platform whose clock stands at `now`.
    pub async fn open_at(self, now: DateTime<Utc>) -> Platform {
        let clock = Clock::moved(now);
        let opened = match self {
            Self::Embedded => scratch::temporary(clock).await,
            Self::Services => scratch::services(clock).await,
            Self::Postgres => {
                let settings = StoreSettings { keys: scratch::passing_key(), ..StoreSettings::default() };
                Platform::on(self.database().await, &settings, clock).await
            }
        };
        self.well(opened)
    }

    /// A database alone with these tables.
    pub async fn database_with(self, tables: Tables) -> Database {
        if self == Self::Embedded || !scratch::are_services_named() {
            return self.well(Database::temporary_with(tables.kind(), |database| tables.make(database)).await);
        }
        let database = self.database().await;
        self.well(tables.make(database.clone()).await);
        database
    }

    /// A database alone, for what needs nothing else.
    pub async fn database(self) -> Database {
        let opened = match self {
            Self::Embedded => Database::temporary().await,
            Self::Postgres | Self::Services => scratch::database().await,
        };
        self.well(opened)
    }

    /// What was made, or the end of the story with why it was not.
    fn well<T>(self, made: Result<T, platform::Error>) -> T {
        made.unwrap_or_else(|error| panic!("{self:?}: {}", platform::tasks::chain(&error)))
    }
}

/// 12:00 in the city, on a day without anything special.
pub fn noon() -> DateTime<Utc> {
    "2026-03-10T12:00:00+08:00".parse().unwrap()
}

/// Ends a platform and removes what it made in its stores.
pub async fn close(platform: &Platform) {
    scratch::remove(platform).await.unwrap();
}
