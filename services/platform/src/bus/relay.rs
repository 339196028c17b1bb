//! Carries the outbox of one schema to the carrier: woken by commits and, in case a wake was lost with its process, by a timer.

use std::time::Duration;

use super::carrier::Carrier;
use crate::clock::Clock;
use crate::database::Database;
use crate::tasks::Tasks;
use crate::worker::{self, Turn, Wake};

/// How long a row of a process that died waits for another one.
const INTERVAL: Duration = Duration::from_secs(2);

/// How often it is told how many audit entries this process has published from a schema ([`Database::tell_count`]).
const COUNTS: Duration = Duration::from_secs(60);

/// Starts the relay of `schema`, and the counting of its audit entries.
pub(super) fn start(database: &Database, tasks: &Tasks, carrier: Carrier, schema: &'static str) {
    let (wake, counted, database) = (database.wakes().of(schema), database.clone(), database.clone());
    worker::run(tasks, &Clock::real(), format!("relay of {schema}"), INTERVAL, &wake, move || {
        let (carrier, database) = (carrier.clone(), database.clone());
        async move {
            Ok(match &carrier {
                Carrier::Local(local) => local.take_over(schema).await?,
                Carrier::Rabbit(rabbit) => rabbit.take_over(&database, schema).await?,
            })
        }
    });
    worker::run(tasks, &Clock::real(), format!("count of {schema}"), COUNTS, &Wake::new(), move || {
        let database = counted.clone();
        async move {
            database.tell_count(schema).await?;
            Ok(Turn::Idle)
        }
    });
}
