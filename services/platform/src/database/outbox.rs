//! The outbox of a schema: events written in the transaction of the change they tell of.
//!
//! The schema's name cannot be a parameter of a prepared statement, so these statements are put together from text. The
//! name is always a constant of the program (`&'static str`), never input.
//!
//! Entries of the audit trace are numbered on the way ([`super::numbering`]).

use futures::future::BoxFuture;
use proto::Event;
use sqlx::AssertSqlSafe;
use uuid::Uuid;

use super::Tx;
use crate::error::Error;

impl Tx {
    /// Publishes `event` from `schema` if and when this transaction is committed: it then arrives at least once at every
    /// queue of its topic.
    pub fn publish<E: Event>(&mut self, schema: &'static str, event: &E) -> BoxFuture<'_, Result<(), Error>> {
        self.publish_all(schema, std::slice::from_ref(event))
    }

    /// Publishes many events of one kind in one statement.
    pub fn publish_all<E: Event>(&mut self, schema: &'static str, events: &[E]) -> BoxFuture<'_, Result<(), Error>> {
        let mut payloads: Vec<Vec<u8>> = events.iter().map(prost::Message::encode_to_vec).collect();
        self.drawn.number(schema, E::TOPIC, &mut payloads);
        self.put_out(schema, E::TOPIC, payloads)
    }

    /// Publishes what tells of the numbers and has none.
    pub(super) fn publish_unnumbered<E: Event>(&mut self, schema: &'static str, event: &E) -> BoxFuture<'_, Result<(), Error>> {
        self.put_out(schema, E::TOPIC, vec![event.encode_to_vec()])
    }

    fn put_out(&mut self, schema: &'static str, topic: &'static str, payloads: Vec<Vec<u8>>) -> BoxFuture<'_, Result<(), Error>> {
        Box::pin(async move {
            if payloads.is_empty() {
                return Ok(());
            }
            let ids: Vec<Uuid> = payloads.iter().map(|_| Uuid::now_v7()).collect();
            let statement = format!(
                "insert into {schema}.outbox (event_id, topic, payload, occurred_at) \
                 select id, $1, payload, now() from unnest($2::uuid[], $3::bytea[]) with ordinality as e (id, payload, at) order by at"
            );
            sqlx::query(AssertSqlSafe(statement)).bind(topic).bind(ids).bind(payloads).execute(&mut **self).await?;
            if !self.published.contains(&schema) {
                self.published.push(schema);
            }
            Ok(())
        })
    }
}
