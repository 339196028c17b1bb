//! Messages that can never be handled as they are: kept in `bus.message` with the reason, whatever carries the rest, until an operator has them
//! delivered again.

use chrono::{DateTime, Utc};
use serde::Serialize;
use sqlx::PgConnection;
use utoipa::ToSchema;
use uuid::Uuid;

use super::handler::ATTEMPTS;
use crate::database::{Connection, Database};
use crate::error::Error;

/// A message given up, for people to look at. Its payload is left out: it may hold personal data.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct DeadLetter {
    /// Its number here.
    pub letter_id: i64,
    /// Whose handler failed.
    pub queue: String,
    /// Which event it is, by its topic.
    pub topic: String,
    /// The event's id.
    pub event_id: Uuid,
    /// The last failure.
    pub reason: String,
    /// When it was given up, by the machine's clock.
    pub died_at: DateTime<Utc>,
}

/// How many dead letters are shown at most.
pub(super) const MOST_SHOWN: i64 = 1_000;

/// How much of the bus needs a person.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Trouble {
    /// Dead letters.
    pub dead: u64,
    /// Messages that have failed so often that it rings; they are tried on.
    pub stuck: u64,
}

/// What the broker gave back of a message that was given up.
pub(super) struct Given {
    pub(super) queue: String,
    pub(super) topic: String,
    pub(super) event_id: Uuid,
    pub(super) reason: String,
    pub(super) payload: Vec<u8>,
}

/// A dead letter that is to be delivered again.
pub(super) struct Letter {
    pub(super) letter_id: i64,
    pub(super) queue: String,
    pub(super) topic: String,
    pub(super) event_id: Uuid,
    pub(super) payload: Vec<u8>,
}

/// The oldest of them, at most [`MOST_SHOWN`].
pub(super) async fn oldest(database: &Database) -> Result<Vec<DeadLetter>, Error> {
    Ok(sqlx::query_as!(
        DeadLetter,
        r#"select id as letter_id, queue, topic, event_id, dead_reason as "reason!", coalesce(died_at, not_before) as "died_at!"
             from bus.message where dead_reason is not null order by id limit $1"#,
        MOST_SHOWN,
    )
    .fetch_all(database.pool())
    .await?)
}

/// How many there are, and how much is stuck in the table.
pub(super) async fn count(database: &Database) -> Result<Trouble, Error> {
    let found = sqlx::query!(
        r#"select (select count(*) from bus.message where dead_reason is not null) as "dead!",
                  (select count(*) from bus.message where dead_reason is null and attempt >= 8) as "stuck!""#
    )
    .fetch_one(database.pool())
    .await?;
    const { assert!(ATTEMPTS == 8, "the statement and its index say so") };
    Ok(Trouble { dead: found.dead.unsigned_abs(), stuck: found.stuck.unsigned_abs() })
}

/// How many there are in this database: for those who look after it without a bus.
///
/// # Errors
/// When the database fails.
pub async fn dead_letters_in(connection: &mut PgConnection) -> Result<u64, Error> {
    let dead =
        sqlx::query_scalar!(r#"select count(*) as "dead!" from bus.message where dead_reason is not null"#).fetch_one(connection).await?;
    Ok(dead.unsigned_abs())
}

/// Keeps what was given up elsewhere. What is here already is kept once.
pub(super) async fn keep(database: &Database, given: &[Given]) -> Result<(), Error> {
    let texts = |text: fn(&Given) -> &str| given.iter().map(|letter| text(letter).replace('\0', " ")).collect::<Vec<_>>();
    sqlx::query!(
        "insert into bus.message (queue, event_id, topic, payload, dead_reason, died_at) \
         select queue, event_id, topic, payload, reason, clock_timestamp() \
         from unnest($1::text[], $2::uuid[], $3::text[], $4::bytea[], $5::text[]) as given (queue, event_id, topic, payload, reason) \
         where not exists (select from bus.message m where m.dead_reason is not null and m.event_id = given.event_id and m.queue = given.queue)",
        &texts(|letter| &letter.queue),
        &given.iter().map(|letter| letter.event_id).collect::<Vec<_>>(),
        &texts(|letter| &letter.topic),
        &given.iter().map(|letter| letter.payload.clone()).collect::<Vec<_>>(),
        &texts(|letter| &letter.reason),
    )
    .execute(database.pool())
    .await?;
    Ok(())
}

/// The numbers of the oldest.
pub(super) async fn oldest_numbers(database: &Database) -> Result<Vec<i64>, Error> {
    let found = sqlx::query_scalar!("select id from bus.message where dead_reason is not null order by id limit $1", MOST_SHOWN);
    Ok(found.fetch_all(database.pool()).await?)
}

/// Locks those of these letters that are still there.
pub(super) async fn take(connection: &mut Connection, letters: &[i64]) -> Result<Vec<Letter>, Error> {
    Ok(sqlx::query_as!(
        Letter,
        "select id as letter_id, queue, topic, event_id, payload from bus.message
          where dead_reason is not null and id = any($1) order by id for update skip locked",
        letters,
    )
    .fetch_all(connection)
    .await?)
}

/// Makes the letters messages again, as if they had never failed.
pub(super) async fn revive(connection: &mut Connection, letters: &[i64]) -> Result<(), Error> {
    sqlx::query!(
        "update bus.message set dead_reason = null, died_at = null, attempt = 0, not_before = clock_timestamp() where id = any($1)",
        letters,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Removes letters that something else carries again.
pub(super) async fn remove(connection: &mut Connection, letters: &[i64]) -> Result<(), Error> {
    sqlx::query!("delete from bus.message where id = any($1)", letters).execute(connection).await?;
    Ok(())
}
