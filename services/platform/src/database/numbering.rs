//! The numbers of audit entries: each process counts what it publishes from each schema, so that an entry that is lost on its way to the trace
//! (a row deleted from an outbox, a message purged from a queue) leaves a gap that the trace can see.
//!
//! Why the numbers are a process's own: a counter in the database either keeps writers waiting for each other until they commit, or has gaps of
//! its own with every transaction that is undone; and a number given by the relay comes too late, for an entry deleted before it leaves none.
//! A process knows without asking anybody what became of each of its transactions. It numbers an entry when it is published, and tells in a
//! *count* ([`Numbering::count`], about once a minute, [`COUNT`]) how many numbers it has drawn and which of them were undone. Only what a count
//! covers and does not excuse is missed, so a process that dies without a last word raises no alarm: what it published since its last count is
//! what nobody can vouch for.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use prost::Message as _;
use proto::{AuditEntry, Event as _};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The action of a count.
pub const COUNT: &str = "audit.count";

/// What a count says, in the `detail_json` of its entry.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Count {
    /// It is known what became of every number up to this one.
    pub drawn: u64,
    /// Numbers, not told of before, of transactions that were undone: nothing bears them.
    pub void: Vec<u64>,
    /// Numbers, not told of before, of transactions of which it is not known whether they were committed.
    pub doubtful: Vec<u64>,
}

/// The counters of a process. Shared by all transactions on one database.
#[derive(Debug)]
pub(crate) struct Numbering {
    process: Uuid,
    counters: Mutex<BTreeMap<&'static str, Counter>>,
}

#[derive(Debug, Default)]
struct Counter {
    drawn: u64,
    /// What the last count said.
    told: u64,
    /// Drawn by transactions that have not ended.
    open: BTreeSet<u64>,
    void: Vec<u64>,
    doubtful: Vec<u64>,
}

impl Default for Numbering {
    fn default() -> Self {
        Self { process: Uuid::now_v7(), counters: Mutex::default() }
    }
}

impl Numbering {
    fn counters(&self) -> MutexGuard<'_, BTreeMap<&'static str, Counter>> {
        // whole between any two statements
        self.counters.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn publisher(&self, schema: &str) -> String {
        format!("{schema}:{}", self.process)
    }

    /// What is to be told of what was published from `schema`, as an entry; `None` where nothing is new. It ends before the first number whose
    /// transaction is still open. [`Numbering::untold`] takes it back.
    pub(crate) fn count(&self, schema: &'static str, at_ms: i64) -> Option<(Count, AuditEntry)> {
        let mut counters = self.counters();
        let counter = counters.get_mut(schema)?;
        let drawn = counter.open.first().map_or(counter.drawn, |open| open - 1);
        if drawn <= counter.told {
            return None;
        }
        counter.told = drawn;
        let of = |numbers: &mut Vec<u64>| numbers.extract_if(.., |number| *number <= drawn).collect();
        let count = Count { drawn, void: of(&mut counter.void), doubtful: of(&mut counter.doubtful) };
        let detail_json = serde_json::to_string(&count).unwrap_or_default();
        let publisher = self.publisher(schema);
        let entry = AuditEntry {
            entry_id: Uuid::now_v7().to_string(),
            actor_kind: "system".to_owned(),
            actor: schema.to_owned(),
            action: COUNT.to_owned(),
            object_kind: "publisher".to_owned(),
            object: publisher.clone(),
            at_ms,
            detail_json,
            publisher,
            ..AuditEntry::default()
        };
        Some((count, entry))
    }

    /// A count could not be published: it is told with the next one.
    pub(crate) fn untold(&self, schema: &'static str, count: Count) {
        let mut counters = self.counters();
        let counter = counters.entry(schema).or_default();
        counter.told = 0;
        counter.void.extend(count.void);
        counter.doubtful.extend(count.doubtful);
    }
}

/// The numbers that one transaction has drawn, and what becomes of them when it ends.
#[derive(Debug)]
pub(super) struct Drawn {
    numbering: Arc<Numbering>,
    numbers: Vec<(&'static str, u64)>,
    fate: Fate,
}

/// What has become of a transaction.
#[derive(Clone, Copy, Debug)]
enum Fate {
    /// It was undone, or will be when it is dropped.
    Undone,
    /// Its commit was asked for, and nobody knows more.
    Doubtful,
    /// It was committed.
    Kept,
}

impl Drawn {
    pub(super) fn none(numbering: &Arc<Numbering>) -> Self {
        Self { numbering: Arc::clone(numbering), numbers: Vec::new(), fate: Fate::Undone }
    }

    /// Numbers the encoded events of this topic if they are entries of the trace. The fields are put behind the message: its bytes and those of
    /// a message with other fields, one after the other, are both in one.
    pub(super) fn number(&mut self, schema: &'static str, topic: &str, payloads: &mut [Vec<u8>]) {
        if topic != AuditEntry::TOPIC {
            return;
        }
        let publisher = self.numbering.publisher(schema);
        let mut counters = self.numbering.counters();
        let counter = counters.entry(schema).or_default();
        for payload in payloads {
            counter.drawn += 1;
            counter.open.insert(counter.drawn);
            self.numbers.push((schema, counter.drawn));
            let number = AuditEntry { publisher: publisher.clone(), number: counter.drawn, ..AuditEntry::default() };
            payload.extend(number.encode_to_vec());
        }
    }

    pub(super) fn commit_begins(&mut self) {
        self.fate = Fate::Doubtful;
    }

    pub(super) fn committed(mut self) {
        self.fate = Fate::Kept;
    }
}

impl Drop for Drawn {
    fn drop(&mut self) {
        if self.numbers.is_empty() {
            return;
        }
        let mut counters = self.numbering.counters();
        for (schema, number) in self.numbers.drain(..) {
            let counter = counters.entry(schema).or_default();
            counter.open.remove(&number);
            match self.fate {
                Fate::Undone => counter.void.push(number),
                Fate::Doubtful => counter.doubtful.push(number),
                Fate::Kept => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn published(numbering: &Arc<Numbering>) -> (Drawn, AuditEntry) {
        let mut drawn = Drawn::none(numbering);
        let entry = AuditEntry { entry_id: "e".to_owned(), district: Some(500_103), detail_json: "{}".to_owned(), ..AuditEntry::default() };
        let mut payloads = [entry.encode_to_vec()];
        drawn.number("review", AuditEntry::TOPIC, &mut payloads);
        (drawn, AuditEntry::decode(payloads[0].as_slice()).unwrap())
    }

    #[test]
    fn entries_are_numbered_in_turn_and_are_otherwise_as_they_were() {
        let numbering = Arc::new(Numbering::default());
        let (_one, first) = published(&numbering);
        let (_two, second) = published(&numbering);
        assert_eq!((first.number, second.number), (1, 2));
        assert_eq!((first.entry_id.as_str(), first.district, first.detail_json.as_str()), ("e", Some(500_103), "{}"));
        assert!(first.publisher.starts_with("review:") && first.publisher == second.publisher);
    }

    #[test]
    fn a_count_excuses_what_was_undone_and_what_is_in_doubt_once() {
        let numbering = Arc::new(Numbering::default());
        published(&numbering).0.committed();
        drop(published(&numbering).0);
        let mut lost_on_the_way = published(&numbering).0;
        lost_on_the_way.commit_begins();
        drop(lost_on_the_way);
        let (count, entry) = numbering.count("review", 7).unwrap();
        assert_eq!(count, Count { drawn: 3, void: vec![2], doubtful: vec![3] });
        assert_eq!(serde_json::from_str::<Count>(&entry.detail_json).unwrap(), count);
        assert_eq!((entry.number, entry.action.as_str()), (0, COUNT), "a count has no number of its own");
        assert_eq!(numbering.count("review", 8), None, "nothing is new");
        numbering.untold("review", count.clone());
        assert_eq!(numbering.count("review", 9).unwrap().0, count, "one that failed is told again");
    }

    #[test]
    fn a_count_ends_before_a_transaction_that_is_open() {
        let numbering = Arc::new(Numbering::default());
        published(&numbering).0.committed();
        let (open, _) = published(&numbering);
        drop(published(&numbering).0);
        assert_eq!(numbering.count("review", 1).unwrap().0, Count { drawn: 1, ..Count::default() });
        open.committed();
        assert_eq!(numbering.count("review", 2).unwrap().0, Count { drawn: 3, void: vec![3], doubtful: vec![] });
    }
}
