//! Carries the outbox of one schema to the carrier: woken by commits and, in case a wake was lost with its process, by a timer.

use std::time::Duration;

use sqlx::{AssertSqlSafe, PgExecutor};

use super::Carrier;
use crate::clock::Clock;
use crate::database::Database;
use crate::error::Error;
use crate::tasks::Tasks;
use crate::worker;

/// Rows carried in one turn.
pub(super) const BATCH: i64 = 200;
/// How long a row of a process that died waits for another one.
const INTERVAL: Duration = Duration::from_secs(2);

/// Starts the relay of `schema`.
pub(super) fn start(database: &Database, tasks: &Tasks, carrier: Carrier, schema: &'static str) {
    let (wake, database) = (database.wakes().of(schema), database.clone());
    worker::run(tasks, &Clock::real(), "relay", INTERVAL, &wake, move || {
        let (carrier, database) = (carrier.clone(), database.clone());
        async move {
            Ok(match &carrier {
                Carrier::Local(local) => local.take_over(schema).await?,
                Carrier::Rabbit(rabbit) => rabbit.take_over(&database, schema).await?,
            })
        }
    });
}

/// Whether no outbox of `schemas` holds a row. Their names are constants of the program.
pub(super) async fn outboxes_empty(executor: impl PgExecutor<'_>, schemas: &[&'static str], and: &str) -> Result<bool, Error> {
    let mut statement = String::from("select true");
    for schema in schemas {
        statement.push_str(" and not exists (select from ");
        statement.push_str(schema);
        statement.push_str(".outbox)");
    }
    statement.push_str(and);
    Ok(sqlx::query_scalar(AssertSqlSafe(statement)).fetch_one(executor).await?)
}
