//! Entries that were published and never came.
//!
//! Each publisher numbers its entries and tells about once a minute how many there were ([`platform::database::Count`]). What it counted and did
//! not excuse, and what has not come some time later, was taken away on the way: out of an outbox, or out of a queue.

use platform::clock::Clock;
use platform::compiled_once;
use platform::database::{COUNT, Connection, Count, Database};
use proto::AuditEntry;
use serde::Serialize;
use utoipa::ToSchema;

use crate::Error;
use crate::gaps::Gaps;

/// What a publisher counted and has not come after this time is lost: 15 minutes, longer than any retry waits.
pub const PATIENCE_MS: i64 = 15 * 60 * 1_000;
/// A publisher that goes on for this time after a gap and does not count is not believed to be still at it: an hour, in which it counts sixty times.
const UNCOUNTED_MS: i64 = 60 * 60 * 1_000;

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
    pub(crate) fn of(entry: &AuditEntry) -> Self {
        let publisher = || entry.publisher.clone();
        match entry.number {
            _ if entry.publisher.is_empty() => Self::Nothing,
            0 if entry.action == COUNT => {
                serde_json::from_str(&entry.detail_json).map_or(Self::Nothing, |count| Self::Count(publisher(), count))
            }
            0 => Self::Nothing,
            number => Self::Number(publisher(), number),
        }
    }
}

/// When a gap showed, and since when its publisher has counted it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Noticed {
    at_ms: i64,
    counted_ms: Option<i64>,
}

/// What is known of a publisher's numbers. No I/O: the tables hold the same, and an offline check keeps one for each publisher.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Ledger {
    heard: u64,
    heard_ms: i64,
    missing: Gaps<Noticed>,
}

impl Ledger {
    pub(crate) fn came(&mut self, number: u64, at_ms: i64) {
        self.reach(number, at_ms);
        self.missing.fill(number);
    }

    pub(crate) fn counted(&mut self, count: &Count, at_ms: i64) {
        self.reach(count.drawn, at_ms);
        // the first count that covers a number is when it should have been there; a publisher that lives goes on counting
        self.missing.learn(count.drawn, |noticed| noticed.counted_ms = noticed.counted_ms.or(Some(at_ms)));
        for excused in count.void.iter().chain(&count.doubtful) {
            self.missing.fill(*excused);
        }
    }

    fn reach(&mut self, number: u64, at_ms: i64) {
        self.heard_ms = self.heard_ms.max(at_ms);
        if number > self.heard {
            self.missing.open(self.heard + 1, number, Noticed { at_ms, counted_ms: None });
            self.heard = number;
        }
    }

    /// First and last of what has not come though it was counted, or passed over for long; and whether that is for good, in a trace whose newest
    /// entry is of this time.
    pub(crate) fn missed(&self, newest_ms: i64) -> impl Iterator<Item = (u64, u64, bool)> {
        self.missing.iter().filter_map(move |(first, last, noticed)| {
            let uncounted = self.heard_ms.saturating_sub(noticed.at_ms) >= UNCOUNTED_MS;
            let late = noticed.counted_ms.map(|counted| newest_ms.saturating_sub(counted) >= PATIENCE_MS);
            uncounted.then_some(true).or(late).map(|lost| (first, last, lost))
        })
    }
}

/// Notes in the tables what was heard. However far a number is from the last: what is between is one row.
pub(crate) async fn note(tx: &mut Connection, heard: &Heard) -> Result<(), Error> {
    let (publisher, reached, counted, accounted) = match heard {
        Heard::Nothing => return Ok(()),
        Heard::Number(publisher, number) => (publisher, *number, 0, vec![*number]),
        Heard::Count(publisher, count) => (publisher, count.drawn, count.drawn, [count.void.as_slice(), &count.doubtful].concat()),
    };
    // one statement for the usual case, that the next one has come: it leaves no gap, and fills none
    let before = sqlx::query_scalar!(
        r#"insert into audit.publisher as p (publisher, heard, counted, heard_at_ms)
           values ($1, $2, $3, (extract(epoch from clock_timestamp()) * 1000)::bigint)
           on conflict (publisher) do update
           set heard = greatest(p.heard, $2), counted = greatest(p.counted, $3), heard_at_ms = greatest(p.heard_at_ms, excluded.heard_at_ms)
           returning coalesce((select heard from audit.publisher where publisher = $1), 0) as "before!""#,
        publisher,
        stored(reached),
        stored(counted),
    )
    .fetch_one(&mut *tx)
    .await?;
    let next = before.saturating_add(1);
    let is_number = matches!(heard, Heard::Number(..));
    if next == stored(reached) && is_number {
        return Ok(());
    }
    let last = if is_number { stored(reached).saturating_sub(1) } else { stored(reached) };
    if next <= last {
        sqlx::query!(
            "insert into audit.missing (publisher, first, last, noticed_at_ms)
             values ($1, $2, $3, (extract(epoch from clock_timestamp()) * 1000)::bigint) on conflict do nothing",
            publisher,
            next,
            last,
        )
        .execute(&mut *tx)
        .await?;
    }
    fill(tx, publisher, &accounted).await
}

/// These have come, or are excused.
async fn fill(tx: &mut Connection, publisher: &str, numbers: &[u64]) -> Result<(), Error> {
    let (Some(least), Some(most)) = (numbers.iter().min(), numbers.iter().max()) else { return Ok(()) };
    let rows = sqlx::query!(
        "select first, last, noticed_at_ms from audit.missing where publisher = $1 and first <= $2 and last >= $3",
        publisher,
        stored(*most),
        stored(*least),
    )
    .fetch_all(&mut *tx)
    .await?;
    let mut gaps = Gaps::default();
    rows.iter().for_each(|row| gaps.open(row.first.unsigned_abs(), row.last.unsigned_abs(), row.noticed_at_ms));
    if numbers.iter().filter(|number| gaps.fill(**number)).count() == 0 {
        return Ok(());
    }
    let before: Vec<i64> = rows.iter().map(|row| row.first).collect();
    sqlx::query!("delete from audit.missing where publisher = $1 and first = any($2)", publisher, &before).execute(&mut *tx).await?;
    let ((first, last), noticed): ((Vec<i64>, Vec<i64>), Vec<i64>) =
        gaps.iter().map(|(first, last, noticed)| ((stored(first), stored(last)), noticed)).unzip();
    sqlx::query!(
        "insert into audit.missing (publisher, first, last, noticed_at_ms) select $1, * from unnest($2::bigint[], $3::bigint[], $4::bigint[])",
        publisher,
        &first,
        &last,
        &noticed,
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// A number that no column can hold is the largest that can: it is none that was ever drawn.
fn stored(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
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
    let losses = sqlx::query_as!(
        Loss,
        r#"select m.publisher, m.first, case when p.heard_at_ms - m.noticed_at_ms >= $2 then m.last else least(m.last, p.counted) end as "last!",
                  m.noticed_at_ms
           from audit.missing m join audit.publisher p using (publisher)
           where (m.first <= p.counted and m.noticed_at_ms <= $1) or p.heard_at_ms - m.noticed_at_ms >= $2
           order by m.publisher, m.first limit 1000"#,
        noticed_before_ms,
        UNCOUNTED_MS,
    )
    .fetch_all(database.pool())
    .await?;
    Ok(losses)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE_MS: i64 = 60 * 1_000;

    fn drawn(drawn: u64) -> Count {
        Count { drawn, ..Count::default() }
    }

    fn missed(ledger: &Ledger, newest_ms: i64) -> Vec<(u64, u64, bool)> {
        ledger.missed(newest_ms).collect()
    }

    #[test]
    fn a_number_that_was_counted_and_did_not_come_is_lost() {
        let mut ledger = Ledger::default();
        [1, 2, 4].into_iter().for_each(|number| ledger.came(number, 0));
        assert_eq!(missed(&ledger, PATIENCE_MS), [], "it may be on its way");
        ledger.counted(&drawn(5), 0);
        assert_eq!(missed(&ledger, PATIENCE_MS - 1), [(3, 3, false), (5, 5, false)]);
        assert_eq!(missed(&ledger, PATIENCE_MS), [(3, 3, true), (5, 5, true)], "the last one too, after which nothing comes");
        ledger.came(3, 0);
        assert_eq!(missed(&ledger, PATIENCE_MS), [(5, 5, true)]);
    }

    #[test]
    fn a_number_of_a_publisher_that_goes_on_counting_is_lost_all_the_same() {
        let mut ledger = Ledger::default();
        ledger.came(2, 0);
        for minute in 0..20 {
            ledger.counted(&drawn(2), minute * MINUTE_MS);
        }
        assert_eq!(missed(&ledger, 19 * MINUTE_MS), [(1, 1, true)]);
    }

    #[test]
    fn a_number_of_a_publisher_that_goes_on_and_never_counts_is_lost() {
        let mut ledger = Ledger::default();
        ledger.came(2, 0);
        ledger.came(3, UNCOUNTED_MS - 1);
        assert_eq!(missed(&ledger, i64::MAX), [], "one that died has counted no more");
        ledger.came(4, UNCOUNTED_MS);
        assert_eq!(missed(&ledger, UNCOUNTED_MS), [(1, 1, true)]);
    }

    #[test]
    fn what_was_undone_or_is_in_doubt_is_not_lost() {
        let mut ledger = Ledger::default();
        ledger.counted(&Count { drawn: 4, void: vec![2], doubtful: vec![3] }, 0);
        ledger.came(1, 0);
        assert_eq!(missed(&ledger, PATIENCE_MS), [(4, 4, true)]);
    }

    #[test]
    fn a_gap_of_any_length_is_one() {
        let mut ledger = Ledger::default();
        ledger.came(u64::MAX, 0);
        ledger.counted(&drawn(u64::MAX), 0);
        assert_eq!(missed(&ledger, PATIENCE_MS), [(1, u64::MAX - 1, true)]);
    }
}
