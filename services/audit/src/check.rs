//! Holds the trace against the heads that somebody kept, and says what was done to it. No I/O, and nothing of the installation's: the entries as
//! they were exported or stand in the database, the signed heads, the public key.
//!
//! It goes through the entries once. What it can say depends on what was kept: with no head, whether the entries still fit each other; with one,
//! whether they are those that were signed; with every head, which of them is not.

use std::collections::{BTreeMap, BTreeSet};

use platform::database::{COUNT, Count};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::chain::{Hash, Head, ProofLine};
use crate::gaps::Gaps;
use crate::head::{PublicKey, SignedHead};
use crate::losses::Ledger;
use crate::tree::{self, Frontier};

/// What somebody kept of the trace.
#[derive(Debug, Clone, Default)]
pub struct Kept {
    /// Signed heads, in any order.
    pub heads: Vec<SignedHead>,
    /// The key that signs them.
    pub key: Option<PublicKey>,
}

/// Something that was done to the trace, or is missing from it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "the sentences say what the numbers are")]
pub enum Finding {
    #[error("line {line} is not a line of a proof: {reason}")]
    Unreadable { line: usize, reason: String },
    #[error("entry {sequence} was edited: it does not fit its hash any more")]
    Edited { sequence: i64 },
    #[error("{} rewritten: {} not what was signed, though the hashes were made to fit", entries(.first, .last), it_is(.first, .last))]
    Rewritten { first: i64, last: i64 },
    #[error(
        "something among entries {first} to {last} was edited, left out or moved: the trace of {last} entries is not the one that was signed"
    )]
    RewrittenWithin { first: i64, last: i64 },
    #[error("{} deleted", entries(.first, .last))]
    Deleted { first: i64, last: i64 },
    #[error("entry {sequence} was moved: it stands behind entry {behind}")]
    Moved { sequence: i64, behind: i64 },
    #[error("entry {sequence} stands there again, behind entry {behind}")]
    Repeated { sequence: i64, behind: i64 },
    #[error("the end was cut off: a head was signed over {signed} entries, and the trace ends with entry {last}")]
    CutOff { last: i64, signed: u64 },
    #[error("the trace says that it ends with entry {stated}, its entries end with {found}")]
    OtherEnd { stated: i64, found: i64 },
    #[error("the proof has no last line: it is incomplete after entry {after}")]
    Incomplete { after: i64 },
    #[error("the trace was forked: two heads over {size} entries were signed, and they differ")]
    Forked { size: u64 },
    #[error("the head over {size} entries was signed with another key ({fingerprint})")]
    ForeignKey { size: u64, fingerprint: String },
    #[error("the head over {size} entries bears a signature that its key did not make")]
    FalseSignature { size: u64 },
    #[error("the head over {size} entries that was signed is not among those in the database any more")]
    HeadGone { size: u64 },
    #[error("{} of {publisher} {} published and never reached the trace: deleted from an outbox or a queue", numbers(.first, .last), was(.first, .last))]
    Lost { publisher: String, first: u64, last: u64 },
}

fn entries(first: &i64, last: &i64) -> String {
    if first == last { format!("entry {first} was") } else { format!("entries {first} to {last} were") }
}

fn it_is(first: &i64, last: &i64) -> &'static str {
    if first == last { "it is" } else { "they are" }
}

fn was(first: &u64, last: &u64) -> &'static str {
    if first == last { "was" } else { "were" }
}

fn numbers(first: &u64, last: &u64) -> String {
    if first == last { format!("entry {first}") } else { format!("entries {first} to {last}") }
}

/// What a check came to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// The number of the last entry.
    pub last: i64,
    /// Up to here every entry is the one that was signed.
    pub proved: u64,
    /// Signed heads that it was held against.
    pub heads: usize,
    /// What was done to it.
    pub findings: Vec<Finding>,
    /// What could not be checked, and why.
    pub notes: Vec<String>,
}

/// A check under way.
#[derive(Debug)]
pub struct Check {
    /// By size, each once.
    heads: BTreeMap<u64, SignedHead>,
    held: usize,
    /// The last entry so far, and its hash as it was stated.
    end: Head,
    /// The tree as it was signed, as far as that is known.
    tree: Option<Frontier>,
    /// The leaves as they were signed, up to the next head.
    leaves: Vec<Hash>,
    proved: u64,
    missing: Gaps<()>,
    /// First and last of each row of them.
    rewritten: Vec<(i64, i64)>,
    publishers: BTreeMap<String, Ledger>,
    newest_ms: i64,
    findings: Vec<Finding>,
    notes: Vec<String>,
}

#[derive(Deserialize)]
struct Read {
    sequence: i64,
    #[serde(default)]
    at_ms: i64,
    #[serde(default)]
    action: String,
    publisher: Option<String>,
    number: Option<u64>,
    detail: Option<Box<RawValue>>,
}

impl Check {
    /// Looks at the heads themselves, and is ready for the first entry.
    pub fn against(kept: Kept) -> Self {
        let mut check = Self {
            heads: BTreeMap::new(),
            held: 0,
            end: Head::GENESIS,
            tree: Some(Frontier::default()),
            leaves: Vec::new(),
            proved: 0,
            missing: Gaps::default(),
            rewritten: Vec::new(),
            publishers: BTreeMap::new(),
            newest_ms: 0,
            findings: Vec::new(),
            notes: Vec::new(),
        };
        if kept.heads.is_empty() {
            check.notes.push("no signed head was given: it can only be said whether the entries fit each other".to_owned());
        }
        let key = kept.key.or_else(|| {
            let believed = kept.heads.first()?.public_key;
            check.notes.push(format!("no public key was given: that of the first head is believed ({})", believed.fingerprint()));
            Some(believed)
        });
        let mut forked = BTreeSet::new();
        for head in kept.heads {
            let size = head.size;
            if Some(head.public_key) != key {
                check.findings.push(Finding::ForeignKey { size, fingerprint: head.public_key.fingerprint() });
            } else if !head.is_signed() {
                check.findings.push(Finding::FalseSignature { size });
            } else if check.heads.get(&size).is_some_and(|other| other.root != head.root) {
                forked.insert(size);
            } else if check.heads.get(&size).is_none_or(|other| other.leaves.is_empty()) {
                check.heads.insert(size, head);
            }
        }
        check.findings.extend(forked.into_iter().map(|size| Finding::Forked { size }));
        check.held = check.heads.len();
        check.look_ahead();
        check
    }

    /// Takes the next entry: its body, byte for byte, and the hash that is stated with it.
    pub fn entry(&mut self, line: usize, body: &str, hash: Hash) {
        let read: Read = match serde_json::from_str(body) {
            Ok(read) => read,
            Err(error) => return self.findings.push(Finding::Unreadable { line, reason: error.to_string() }),
        };
        let (sequence, next) = (read.sequence, self.end.sequence.saturating_add(1));
        if sequence < next {
            let behind = self.end.sequence;
            let moved = u64::try_from(sequence).is_ok_and(|sequence| self.missing.fill(sequence));
            self.findings.push(if moved { Finding::Moved { sequence, behind } } else { Finding::Repeated { sequence, behind } });
            return self.hear(read);
        }
        self.missing.open(next.unsigned_abs(), (sequence - 1).unsigned_abs(), ());
        // as far as it is known what stood there: a number may be anything
        for gone in next..sequence {
            if self.tree.is_none() {
                break;
            }
            self.grow(gone, None);
        }
        let fits = sequence > next || self.end.hash.after(body) == hash;
        if !fits {
            self.findings.push(Finding::Edited { sequence });
        }
        self.end = Head { sequence, hash };
        if !self.grow(sequence, Some(tree::leaf(body))) && fits {
            match self.rewritten.last_mut() {
                Some((_, last)) if *last + 1 == sequence => *last = sequence,
                _ => self.rewritten.push((sequence, sequence)),
            }
        }
        self.hear(read);
    }

    /// Takes the leaf of this entry into the tree, or that which was signed in its place. Whether it is what was signed, as far as is known.
    fn grow(&mut self, sequence: i64, leaf: Option<Hash>) -> bool {
        let Some(tree) = &mut self.tree else { return true };
        let signed = self.leaves.pop();
        let as_signed = signed.is_none() || signed == leaf;
        let Some(leaf) = signed.or(leaf) else {
            self.tree = None;
            return true;
        };
        drop(tree.push(leaf));
        let (size, root) = (tree.size(), tree.root());
        if let Some(head) = self.heads.get(&size) {
            if head.root == root {
                self.proved = size;
            } else {
                self.findings.push(Finding::RewrittenWithin { first: self.proved.cast_signed() + 1, last: sequence });
                self.tree = None;
            }
            self.look_ahead();
        }
        as_signed
    }

    /// Takes up the leaves beside the next head, if they are those that were signed.
    fn look_ahead(&mut self) {
        let Some(tree) = &self.tree else { return };
        let Some((_, next)) = self.heads.range(tree.size() + 1..).next() else { return };
        if next.leaves_fit(tree) {
            self.leaves = next.leaves.iter().rev().copied().collect();
        }
    }

    /// Keeps count of what the publishers published.
    fn hear(&mut self, read: Read) {
        self.newest_ms = self.newest_ms.max(read.at_ms);
        let Some(publisher) = read.publisher else { return };
        let ledger = self.publishers.entry(publisher).or_default();
        if let Some(number) = read.number {
            ledger.came(number, read.at_ms);
        } else if read.action == COUNT
            && let Some(count) = read.detail.and_then(|detail| serde_json::from_str::<Count>(detail.get()).ok())
        {
            ledger.counted(&count, read.at_ms);
        }
    }

    /// After the last entry; `stated` is where the trace says that it ends.
    pub fn finish(mut self, stated: Option<Head>) -> Report {
        let last = self.end.sequence;
        match stated {
            Some(stated) if stated != self.end => self.findings.push(Finding::OtherEnd { stated: stated.sequence, found: last }),
            Some(_) => {}
            None => self.findings.push(Finding::Incomplete { after: last }),
        }
        let deleted =
            self.missing.iter().map(|(first, last, ())| Finding::Deleted { first: first.cast_signed(), last: last.cast_signed() });
        self.findings.extend(deleted);
        self.findings.extend(self.rewritten.into_iter().map(|(first, last)| Finding::Rewritten { first, last }));
        if let Some((&signed, _)) = self.heads.last_key_value()
            && signed.cast_signed() > last
        {
            self.findings.push(Finding::CutOff { last, signed });
        }
        for (publisher, ledger) in &self.publishers {
            for (first, last, lost) in ledger.missed(self.newest_ms) {
                if lost {
                    self.findings.push(Finding::Lost { publisher: publisher.clone(), first, last });
                } else {
                    self.notes.push(format!("entries {first} to {last} of {publisher} have not come yet"));
                }
            }
        }
        if self.proved < last.cast_unsigned() && self.held > 0 && self.tree.is_some() {
            self.notes.push(format!("entries after {} are newer than every head that was given", self.proved));
        }
        Report { last, proved: self.proved, heads: self.held, findings: self.findings, notes: self.notes }
    }
}

/// Checks an exported proof, from its first entry, line by line.
pub fn check_proof<L: AsRef<str>>(kept: Kept, lines: impl IntoIterator<Item = L>) -> Report {
    let mut check = Check::against(kept);
    let mut stated = None;
    for (line, text) in (1..).zip(lines) {
        match ProofLine::read(text.as_ref()) {
            Ok(ProofLine::Entry { entry, hash }) => check.entry(line, entry.get(), hash),
            Ok(ProofLine::Head { head }) => stated = Some(head),
            Err(reason) => check.findings.push(Finding::Unreadable { line, reason }),
        }
    }
    check.finish(stated)
}
