//! The chain of hashes, and how a proof of it is checked. No I/O.
//!
//! The hash of an entry is `SHA-256(previous hash ‖ body)`, where the body is the entry's JSON text exactly as exported and
//! the hash before the first entry is 32 zero bytes.
//!
//! A proof is lines of JSON: one `{"entry": …, "hash": "…"}` for every entry in order, then one
//! `{"head": {"sequence": …, "hash": "…"}}`, without which the proof is incomplete.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};
use utoipa::ToSchema;

/// A hash of the chain. As text: 64 hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ToSchema)]
#[schema(value_type = String)]
pub struct Hash([u8; 32]);

impl Hash {
    /// The hash of an entry with this body after an entry with this hash.
    pub fn after(self, body: &str) -> Self {
        Self(Sha256::new().chain_update(self.0).chain_update(body.as_bytes()).finalize().into())
    }

    /// Its bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    pub(crate) const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }
}

impl TryFrom<&[u8]> for Hash {
    type Error = std::array::TryFromSliceError;

    fn try_from(bytes: &[u8]) -> Result<Self, Self::Error> {
        bytes.try_into().map(Self)
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl FromStr for Hash {
    type Err = hex::FromHexError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut bytes = [0; 32];
        hex::decode_to_slice(text, &mut bytes)?;
        Ok(Self(bytes))
    }
}

impl Serialize for Hash {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Hash {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// An end of the chain: whoever keeps one can later show that everything up to it is unchanged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = AuditHead)]
pub struct Head {
    /// Number of the last entry; 0 for a chain without any.
    pub sequence: i64,
    /// Its hash.
    pub hash: Hash,
}

impl Head {
    /// The chain without entries.
    pub const GENESIS: Self = Self { sequence: 0, hash: Hash([0; 32]) };

    /// The end after one more entry with this body.
    pub fn then(self, body: &str) -> Self {
        Self { sequence: self.sequence + 1, hash: self.hash.after(body) }
    }
}

/// A line of a proof.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub enum ProofLine {
    /// An entry with its hash.
    Entry {
        /// The body, byte for byte.
        entry: Box<RawValue>,
        /// Its hash.
        hash: Hash,
    },
    /// The last line.
    Head {
        /// Where the chain ended when the proof was made.
        head: Head,
    },
}

/// Where a proof does not hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Broken {
    /// A line is no line of a proof.
    #[error("line {line} is not a line of a proof: {reason}")]
    Unreadable {
        /// Which, from 1.
        line: usize,
        /// Why.
        reason: String,
    },
    /// An entry is missing, repeated or in another place.
    #[error("line {line} holds entry {found} where entry {expected} belongs")]
    OutOfSequence {
        /// Which, from 1.
        line: usize,
        /// The number that should follow.
        expected: i64,
        /// The number that does.
        found: i64,
    },
    /// An entry was altered, or one before it.
    #[error("entry {sequence} (line {line}) does not fit its hash: it or what stands before it was altered")]
    Altered {
        /// Which, from 1.
        line: usize,
        /// The entry.
        sequence: i64,
    },
    /// The head is not the end of the entries before it.
    #[error("the proof says that it ends with entry {stated}, its entries end with {found}")]
    WrongHead {
        /// Number in the head.
        stated: i64,
        /// Number of the last entry.
        found: i64,
    },
    /// There is no head: the end is missing.
    #[error("the proof has no last line: it is incomplete after entry {after}")]
    Incomplete {
        /// Number of the last entry.
        after: i64,
    },
}

impl ProofLine {
    /// Reads a line. By hand, because serde's untagged enums rewrite the JSON that they try, and the body counts byte for byte.
    pub(crate) fn read(text: &str) -> Result<Self, String> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Line {
            entry: Option<Box<RawValue>>,
            hash: Option<Hash>,
            head: Option<Head>,
        }

        match serde_json::from_str(text).map_err(|error| error.to_string())? {
            Line { entry: Some(entry), hash: Some(hash), head: None } => Ok(Self::Entry { entry, hash }),
            Line { entry: None, hash: None, head: Some(head) } => Ok(Self::Head { head }),
            _ => Err("it takes an entry with its hash, or the head".to_owned()),
        }
    }
}

#[derive(Deserialize)]
struct Numbered {
    sequence: i64,
}

/// Checks a proof that goes on from `known` (for a whole proof [`Head::GENESIS`]) and returns its end.
pub fn verify<L: AsRef<str>>(known: Head, lines: impl IntoIterator<Item = L>) -> Result<Head, Broken> {
    let mut end = known;
    for (line, text) in (1..).zip(lines) {
        let unreadable = |reason| Broken::Unreadable { line, reason };
        match ProofLine::read(text.as_ref()).map_err(unreadable)? {
            ProofLine::Entry { entry, hash } => {
                let Numbered { sequence } = serde_json::from_str(entry.get()).map_err(|error| unreadable(error.to_string()))?;
                let next = end.then(entry.get());
                if sequence != next.sequence {
                    return Err(Broken::OutOfSequence { line, expected: next.sequence, found: sequence });
                }
                if hash != next.hash {
                    return Err(Broken::Altered { line, sequence });
                }
                end = next;
            }
            ProofLine::Head { head } if head == end => return Ok(end),
            ProofLine::Head { head } => return Err(Broken::WrongHead { stated: head.sequence, found: end.sequence }),
        }
    }
    Err(Broken::Incomplete { after: end.sequence })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(sequence: i64) -> String {
        format!("{{\"sequence\":{sequence},\"action\":\"alert.approve\"}}")
    }

    /// A proof of three entries.
    fn proof() -> Vec<String> {
        let mut end = Head::GENESIS;
        let mut lines = Vec::new();
        for sequence in 1..=3 {
            end = end.then(&body(sequence));
            lines.push(format!("{{\"entry\":{},\"hash\":\"{}\"}}", body(sequence), end.hash));
        }
        lines.push(serde_json::to_string(&ProofLine::Head { head: end }).unwrap());
        lines
    }

    fn end_of(lines: &[String]) -> Head {
        verify(Head::GENESIS, lines).unwrap()
    }

    #[test]
    fn an_untouched_proof_holds_and_tells_its_end() {
        assert_eq!(end_of(&proof()).sequence, 3);
    }

    #[test]
    fn a_proof_of_nothing_holds() {
        let line = serde_json::to_string(&ProofLine::Head { head: Head::GENESIS }).unwrap();
        assert_eq!(verify(Head::GENESIS, [line]), Ok(Head::GENESIS));
    }

    #[test]
    fn the_hash_is_the_one_that_the_description_says() {
        // { printf '%064d' 0 | xxd -r -p; printf '{}'; } | sha256sum
        let expected = "fb1634c4e6cd4b1f1afe3ce2d6ef080f7ac5d1f357d723ad4dfca782733b62db";
        assert_eq!(Head::GENESIS.then("{}").hash.to_string(), expected);
    }

    #[test]
    fn an_altered_entry_is_found() {
        let mut lines = proof();
        lines[1] = lines[1].replace("approve", "refuse");
        assert_eq!(verify(Head::GENESIS, &lines), Err(Broken::Altered { line: 2, sequence: 2 }));
    }

    #[test]
    fn an_entry_altered_together_with_its_hash_breaks_the_next_one() {
        let mut lines = proof();
        let forged = body(2).replace("approve", "refuse");
        let hash = Head::GENESIS.then(&body(1)).then(&forged).hash;
        lines[1] = format!("{{\"entry\":{forged},\"hash\":\"{hash}\"}}");
        assert_eq!(verify(Head::GENESIS, &lines), Err(Broken::Altered { line: 3, sequence: 3 }));
    }

    #[test]
    fn missing_repeated_and_exchanged_entries_are_found() {
        let mut missing = proof();
        missing.remove(1);
        assert_eq!(verify(Head::GENESIS, &missing), Err(Broken::OutOfSequence { line: 2, expected: 2, found: 3 }));
        let mut repeated = proof();
        repeated.insert(1, repeated[0].clone());
        assert_eq!(verify(Head::GENESIS, &repeated), Err(Broken::OutOfSequence { line: 2, expected: 2, found: 1 }));
        let mut exchanged = proof();
        exchanged.swap(0, 1);
        assert_eq!(verify(Head::GENESIS, &exchanged), Err(Broken::OutOfSequence { line: 1, expected: 1, found: 2 }));
    }

    #[test]
    fn a_missing_end_is_found() {
        let mut without_head = proof();
        without_head.pop();
        assert_eq!(verify(Head::GENESIS, &without_head), Err(Broken::Incomplete { after: 3 }));
        let mut without_last_entry = proof();
        without_last_entry.remove(2);
        assert_eq!(verify(Head::GENESIS, &without_last_entry), Err(Broken::WrongHead { stated: 3, found: 2 }));
    }

    #[test]
    fn a_proof_goes_on_from_a_head_that_somebody_kept() {
        let lines = proof();
        let kept = Head::GENESIS.then(&body(1)).then(&body(2));
        assert_eq!(verify(kept, &lines[2..]), Ok(end_of(&lines)));
        let other = Head { sequence: 2, ..Head::GENESIS };
        assert_eq!(verify(other, &lines[2..]), Err(Broken::Altered { line: 1, sequence: 3 }));
    }

    #[test]
    fn a_line_that_is_none_is_named() {
        assert!(matches!(verify(Head::GENESIS, ["no proof"]), Err(Broken::Unreadable { line: 1, .. })));
    }
}
