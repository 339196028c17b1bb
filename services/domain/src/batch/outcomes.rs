//! What became of everybody in a batch, one byte each.

use crate::outcome::{Outcome, UnknownOutcome};

/// What became of each recipient of a batch, in the order of its [`RecipientList`]. One byte each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcomes(Vec<Outcome>);

/// Why bytes are not the outcomes of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OutcomesError {
    /// As many bytes as recipients were expected.
    #[error("{found} outcomes for {expected} recipients")]
    WrongCount {
        /// Recipients of the batch.
        expected: usize,
        /// Bytes found.
        found: usize,
    },
    /// A byte that names no outcome.
    #[error("recipient {position}: {unknown}")]
    Unknown {
        /// Counted from 0.
        position: usize,
        /// The byte.
        unknown: UnknownOutcome,
    },
}

impl Outcomes {
    /// The outcomes of a batch of `recipients` of whom nobody was sent to.
    pub fn pending(recipients: usize) -> Self {
        Self(vec![Outcome::Pending; recipients])
    }

    /// Reads the bytes of the ledger for a batch of `recipients`.
    pub fn decode(bytes: &[u8], recipients: usize) -> Result<Self, OutcomesError> {
        if bytes.len() != recipients {
            return Err(OutcomesError::WrongCount { expected: recipients, found: bytes.len() });
        }
        let read =
            |(position, byte): (usize, &u8)| Outcome::try_from(*byte).map_err(|unknown| OutcomesError::Unknown { position, unknown });
        bytes.iter().enumerate().map(read).collect::<Result<_, _>>().map(Self)
    }

    /// The bytes of the ledger.
    pub fn encode(&self) -> Vec<u8> {
        self.0.iter().map(|outcome| u8::from(*outcome)).collect()
    }

    /// All of them, in the order of the recipients.
    pub fn as_slice(&self) -> &[Outcome] {
        &self.0
    }

    /// The outcome of the recipient at `position`.
    pub fn get(&self, position: usize) -> Option<Outcome> {
        self.0.get(position).copied()
    }

    /// Notes the outcome of the recipient at `position`; without effect beyond the end.
    pub fn set(&mut self, position: usize, outcome: Outcome) {
        if let Some(noted) = self.0.get_mut(position) {
            *noted = outcome;
        }
    }

    /// How many it was handed over to.
    pub fn handed_over(&self) -> usize {
        self.0.iter().filter(|noted| noted.is_handed_over()).count()
    }

    /// How many have `outcome`.
    pub fn count(&self, outcome: Outcome) -> usize {
        self.0.iter().filter(|noted| **noted == outcome).count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_checkpoint_is_read_as_it_was_written() {
        let mut outcomes = Outcomes::pending(3);
        outcomes.set(1, Outcome::Accepted);
        outcomes.set(3, Outcome::Accepted);
        assert_eq!(outcomes.encode(), [0, 1, 0]);
        assert_eq!(Outcomes::decode(&outcomes.encode(), 3), Ok(outcomes.clone()));
        assert_eq!(outcomes.get(1), Some(Outcome::Accepted));
        assert_eq!(outcomes.get(3), None);
        assert_eq!((outcomes.count(Outcome::Pending), outcomes.count(Outcome::Accepted)), (2, 1));
        outcomes.set(0, Outcome::AcceptedByBrowser);
        assert_eq!(outcomes.handed_over(), 2);
    }

    #[test]
    fn a_damaged_checkpoint_is_refused() {
        assert_eq!(Outcomes::decode(&[0, 1], 3), Err(OutcomesError::WrongCount { expected: 3, found: 2 }));
        assert_eq!(Outcomes::decode(&[0, 99, 0], 3), Err(OutcomesError::Unknown { position: 1, unknown: UnknownOutcome(99) }));
    }
}
