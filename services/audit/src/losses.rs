//! Entries that were published and never came.
//!
//! Each publisher numbers its entries and tells about once a minute how many there were ([`platform::database::Count`]). What it counted and did
//! not excuse, and what has not come some time later, was taken away on the way: out of an outbox, or out of a queue.

use std::collections::BTreeSet;

use platform::clock::Clock;
use platform::compiled_once;
use platform::database::{COUNT, Connection, Count, Database};
use proto::AuditEntry;
use serde::Serialize;
use utoipa::ToSchema;

use crate::Error;

/// A publisher that skips more numbers at once does not count, it lies.
const LONGEST_GAP: u64 = 10_000;
/// What a publisher counted and has not come after this time is lost: 15 minutes, longer than any retry waits.
pub const PATIENCE_MS: i64 = 15 * 60 * 1_000;

/// What an entry tells about its publisher's numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Heard {
    /// Nothing: it was not published by a service.
    Nothing,
    /// That the one with this number has come.
    Number(String, u64),
    /// How many there were.
    Count(String, Count),
}

impl Heard {
    pub(crate) fn of(entry: &AuditEntry) -> Result<Self, Error> {
        Ok(match (entry.publisher.as_str(), entry.number) {
            ("", _) => Self::Nothing,
            (publisher, 0) if entry.action == COUNT => {
                let count = serde_json::from_str(&entry.detail_json).map_err(|_| Error::Malformed { field: "detail_json" })?;
                Self::Count(publisher.to_owned(), count)
            }
            (_, 0) => Self::Nothing,
            (publisher, number) => Self::Number(publisher.to_owned(), number),
        })
    }
}

/// What is known of a publisher's numbers. No I/O: the table holds the same, and an offline check keeps one for each publisher.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Ledger {
    heard: u64,
    counted: u64,
    missing: BTreeSet<u64>,
}

impl Ledger {
    pub(crate) fn came(&mut self, number: u64) {
        self.reach(number);
        self.missing.remove(&number);
    }

    pub(crate) fn counted(&mut self, count: &Count) {
        self.reach(count.drawn);
        self.counted = self.counted.max(count.drawn);
        for excused in count.void.iter().chain(&count.doubtful) {
            self.missing.remove(excused);
        }
    }

    fn reach(&mut self, number: u64) {
        if number > self.heard {
            self.missing.extend((self.heard + 1).max(number.saturating_sub(LONGEST_GAP))..=number);
            self.heard = number;
        }
    }

    /// What it published for certain and has not come.
    pub(crate) fn lost(&self) -> impl Iterator<Item = u64> {
        self.missing.range(..=self.counted).copied()
    }
}

/// Notes in the tables what was heard.
pub(crate) async fn note(tx: &mut Connection, heard: &Heard) -> Result<(), Error> {
    let (publisher, reached, counted, accounted) = match heard {
        Heard::Nothing => return Ok(()),
        Heard::Number(publisher, number) => (publisher, *number, 0, vec![*number]),
        Heard::Count(publisher, count) => (publisher, count.drawn, count.drawn, [count.void.as_slice(), &count.doubtful].concat()),
    };
    let accounted: Vec<i64> = accounted.into_iter().map(signed).collect::<Result<_, _>>()?;
    // one statement for the usual case, that the next one has come: it leaves no gap, and fills none
    let before = sqlx::query_scalar!(
        r#"insert into audit.publisher as p (publisher, heard, counted) values ($1, $2, $3)
           on conflict (publisher) do update set heard = greatest(p.heard, $2), counted = greatest(p.counted, $3)
           returning coalesce((select heard from audit.publisher where publisher = $1), 0) as "before!""#,
        publisher,
        signed(reached)?,
        signed(counted)?,
    )
    .fetch_one(&mut *tx)
    .await?;
    if before.unsigned_abs() + 1 == reached && matches!(heard, Heard::Number(..)) {
        return Ok(());
    }
    if reached.saturating_sub(before.unsigned_abs()) > LONGEST_GAP {
        return Err(Error::Malformed { field: "number" });
    }
    sqlx::query!(
        "insert into audit.missing (publisher, number, noticed_at_ms)
         select $1, number, (extract(epoch from clock_timestamp()) * 1000)::bigint
         from generate_series($2::bigint + 1, $3::bigint) as number where number <> all ($4)
         on conflict do nothing",
        publisher,
        before,
        signed(reached)?,
        &accounted,
    )
    .execute(&mut *tx)
    .await?;
    sqlx::query!("delete from audit.missing where publisher = $1 and number = any ($2)", publisher, &accounted).execute(tx).await?;
    Ok(())
}

fn signed(number: u64) -> Result<i64, Error> {
    i64::try_from(number).map_err(|_| Error::Malformed { field: "number" })
}

/// Entries that a service published and that never reached the trace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = AuditLoss)]
pub struct Loss {
    /// The service, and which process of it.
    pub publisher: String,
    /// The first of their numbers.
    pub first: i64,
    /// The last of their numbers.
    pub last: i64,
    /// When it was noticed, in milliseconds since 1970 UTC.
    pub noticed_at_ms: i64,
}

/// What is lost, at most 1,000 of them. Messages travel by real time, whatever the clock of the city says.
#[compiled_once]
pub(crate) async fn lost(database: &Database) -> Result<Vec<Loss>, Error> {
    let noticed_before_ms = Clock::real().now().timestamp_millis() - PATIENCE_MS;
    let rows = sqlx::query!(
        "select m.publisher, m.number, m.noticed_at_ms from audit.missing m join audit.publisher p using (publisher)
         where m.number <= p.counted and m.noticed_at_ms <= $1 order by m.publisher, m.number limit 1000",
        noticed_before_ms,
    )
    .fetch_all(database.pool())
    .await?;
    let mut losses: Vec<Loss> = Vec::new();
    for row in rows {
        match losses.last_mut() {
            Some(loss) if loss.publisher == row.publisher && loss.last + 1 == row.number => loss.last = row.number,
            _ => losses.push(Loss { publisher: row.publisher, first: row.number, last: row.number, noticed_at_ms: row.noticed_at_ms }),
        }
    }
    Ok(losses)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lost(ledger: &Ledger) -> Vec<u64> {
        ledger.lost().collect()
    }

    #[test]
    fn a_number_that_was_counted_and_did_not_come_is_lost() {
        let mut ledger = Ledger::default();
        [1, 2, 4].into_iter().for_each(|number| ledger.came(number));
        assert_eq!(lost(&ledger), [0; 0], "it may be on its way");
        ledger.counted(&Count { drawn: 5, ..Count::default() });
        assert_eq!(lost(&ledger), [3, 5], "the last one too, after which nothing comes");
        ledger.came(3);
        assert_eq!(lost(&ledger), [5]);
    }

    #[test]
    fn what_was_undone_or_is_in_doubt_is_not_lost() {
        let mut ledger = Ledger::default();
        ledger.counted(&Count { drawn: 4, void: vec![2], doubtful: vec![3] });
        ledger.came(1);
        assert_eq!(lost(&ledger), [4]);
    }
}
