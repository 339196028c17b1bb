//! The bus inside the process: messages stand in `bus.message` from the relay until their handler has succeeded.
//!
//! One process owns the table. Which messages are being handled is known only in its memory, so after a crash all that
//! were not finished are handled again.

pub(super) mod consumer;

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use proto::QUEUES;
use sqlx::AssertSqlSafe;

use super::dead_letter::{self, Letter};
use super::handler::Retries;
use super::outboxes;
use crate::database::{Connection, Database};
use crate::error::Error;
use crate::worker::{Turn, Wake};

/// The table and what its readers share.
pub(super) struct LocalBus {
    database: Database,
    retries: Retries,
    lines: Mutex<HashMap<String, Arc<Line>>>,
}

/// What the readers of one queue share.
#[derive(Default)]
struct Line {
    signal: Wake,
    /// Messages that a reader has fetched and whose ending is not written down. Locked while the table is read or
    /// written, so that no reader fetches what another one has just finished.
    held: tokio::sync::Mutex<HashSet<i64>>,
}

impl LocalBus {
    pub(super) fn new(database: Database, retries: Retries) -> Self {
        Self { database, retries, lines: Mutex::default() }
    }

    fn line(&self, queue: &str) -> Arc<Line> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner).entry(queue.to_owned()).or_default().clone()
    }

    /// Moves a batch from the outbox of `schema` to the queues of its topics, in one statement.
    pub(super) async fn take_over(&self, schema: &'static str) -> Result<Turn, Error> {
        let statement = format!(
            "with picked as (select id from {schema}.outbox order by id limit $1 for update skip locked), \
             moved as (delete from {schema}.outbox o using picked p where o.id = p.id returning o.id, o.event_id, o.topic, o.payload), \
             routed as (insert into bus.message (queue, event_id, topic, payload) \
               select q.name, m.event_id, m.topic, m.payload from moved m \
               join unnest($2::text[], $3::text[]) as q (name, topic) using (topic) order by m.id returning queue) \
             select (select count(*) from moved), array(select distinct queue from routed)"
        );
        let (names, topics): (Vec<_>, Vec<_>) = QUEUES.iter().map(|queue| (queue.name, queue.topic)).unzip();
        let (moved, queues): (i64, Vec<String>) =
            sqlx::query_as(AssertSqlSafe(statement)).bind(outboxes::BATCH).bind(names).bind(topics).fetch_one(self.database.pool()).await?;
        for queue in queues {
            self.line(&queue).signal.wake();
        }
        Ok(if moved < outboxes::BATCH { Turn::Idle } else { Turn::More })
    }

    /// One statement sees outboxes and messages at one moment, and a message goes only after its handler's commit.
    pub(super) async fn settled(&self, schemas: &[&'static str]) -> Result<bool, Error> {
        let nor_messages = " and not exists (select from bus.message where dead_reason is null)";
        outboxes::all_empty(self.database.pool(), schemas, nor_messages).await
    }

    /// Has these letters delivered again when the transaction is committed, and who reads them is told ([`LocalBus::wake`]).
    pub(super) async fn redrive(&self, tx: &mut Connection, letters: &[Letter]) -> Result<(), Error> {
        let numbers: Vec<i64> = letters.iter().map(|letter| letter.letter_id).collect();
        dead_letter::revive(tx, &numbers).await
    }

    /// Tells the readers of this queue.
    pub(super) fn wake(&self, queue: &str) {
        self.line(queue).signal.wake();
    }

    pub(super) async fn delete_all(&self) -> Result<(), Error> {
        sqlx::query!("delete from bus.message").execute(self.database.pool()).await?;
        Ok(())
    }
}
