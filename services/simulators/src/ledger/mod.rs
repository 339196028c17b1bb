//! Who received what, how often, under which collapse id: the proof that nobody was lost.
//!
//! [`named`] keeps recipients by name with all their collapse ids; [`dense`] keeps two bytes per resident, so that 32 million
//! fit into 64 MB; [`phones`] keeps two bytes per phone number beside the number. Totals are kept while recording: asking is free at any size.

mod cell;
mod dense;
mod kept;
mod named;
mod phones;

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

pub(crate) use kept::Kept;
pub(crate) use named::Count;

use self::{cell::Arrival, dense::Dense, named::Named, phones::Phones};
use crate::options::Counting;

/// Sums over all recipients.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Totals {
    pub(crate) messages: u64,
    pub(crate) recipients: u64,
    pub(crate) duplicates: u64,
    pub(crate) repeats: u64,
}

/// One provider's ledger.
#[derive(Debug)]
pub(crate) struct Ledger {
    dense: Option<(Dense, Phones)>,
    named: Named,
    messages: AtomicU64,
    recipients: AtomicU64,
    duplicates: AtomicU64,
    repeats: AtomicU64,
}

impl Ledger {
    pub(crate) fn new(counting: Counting) -> Self {
        Self {
            dense: (counting == Counting::Dense).then(|| (Dense::default(), Phones::default())),
            named: Named::default(),
            messages: AtomicU64::new(0),
            recipients: AtomicU64::new(0),
            duplicates: AtomicU64::new(0),
            repeats: AtomicU64::new(0),
        }
    }

    /// Enters one message. `collapse_id` is what makes two messages one on the phone: for SMS, which has none, the text.
    pub(crate) fn record(&self, recipient: &str, collapse_id: &str) {
        let arrival = match &self.dense {
            Some((dense, phones)) => dense
                .record(recipient, collapse_id)
                .or_else(|| phones.record(recipient, collapse_id))
                .unwrap_or_else(|| self.named.record(recipient, collapse_id)),
            None => self.named.record(recipient, collapse_id),
        };
        self.messages.fetch_add(1, Relaxed);
        match arrival {
            Arrival::First => &self.recipients,
            Arrival::Duplicate => &self.duplicates,
            Arrival::Repeat => &self.repeats,
        }
        .fetch_add(1, Relaxed);
    }

    pub(crate) fn totals(&self) -> Totals {
        Totals {
            messages: self.messages.load(Relaxed),
            recipients: self.recipients.load(Relaxed),
            duplicates: self.duplicates.load(Relaxed),
            repeats: self.repeats.load(Relaxed),
        }
    }

    /// What one recipient got.
    pub(crate) fn count(&self, recipient: &str) -> Count {
        let dense = self.dense.as_ref().and_then(|(dense, phones)| dense.times(recipient).or_else(|| phones.times(recipient)));
        match dense {
            Some(times) => Count { times, collapse_ids: std::collections::BTreeMap::new() },
            None => self.named.count(recipient),
        }
    }

    /// Every recipient with its count, in slices small enough to stream; `None` after the last slice.
    pub(crate) fn slice(&self, index: usize) -> Option<Vec<(String, u64)>> {
        let dense = self.dense.as_ref().map_or(0, |(dense, _)| dense.slices());
        let phones = self.dense.as_ref().map_or(0, |(_, phones)| phones.slices());
        match &self.dense {
            Some((residents, _)) if index < dense => Some(residents.slice(index)),
            Some((_, numbers)) if index < dense + phones => Some(numbers.slice(index - dense)),
            _ => self.named.slice(index - dense - phones),
        }
    }

    /// Forgets everything.
    pub(crate) fn reset(&self) {
        if let Some((dense, phones)) = &self.dense {
            dense.reset();
            phones.reset();
        }
        self.named.reset();
        for total in [&self.messages, &self.recipients, &self.duplicates, &self.repeats] {
            total.store(0, Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn everybody(ledger: &Ledger) -> std::collections::BTreeMap<String, u64> {
        (0..).map_while(|index| ledger.slice(index)).flatten().collect()
    }

    #[rstest]
    #[case::named(Counting::Named)]
    #[case::dense(Counting::Dense)]
    fn duplicates_and_repeats_are_told_apart(#[case] counting: Counting) {
        let ledger = Ledger::new(counting);
        let tokens = [
            format!("{:08x}{:056}", 7, 0),
            format!("{:08x}{:056}", 32_054_158, 0),
            "fcm:token-of-somebody".to_owned(),
            "13800138000".to_owned(),
        ];
        for token in &tokens {
            ledger.record(token, "alert-1");
        }
        ledger.record(&tokens[0], "alert-1");
        ledger.record(&tokens[1], "alert-2");
        ledger.record(&tokens[3], "alert-1");
        assert_eq!(ledger.totals(), Totals { messages: 7, recipients: 4, duplicates: 2, repeats: 1 });
        assert_eq!(tokens.each_ref().map(|token| ledger.count(token).times), [2, 2, 1, 2]);
        assert_eq!(everybody(&ledger).values().sum::<u64>(), 7);
        assert_eq!(everybody(&ledger).len(), 4);
        assert_eq!(ledger.count("nobody").times, 0);

        ledger.reset();
        assert_eq!(ledger.totals(), Totals { messages: 0, recipients: 0, duplicates: 0, repeats: 0 });
        assert_eq!(everybody(&ledger).len(), 0);
    }

    #[test]
    fn named_counting_knows_every_collapse_id() {
        let ledger = Ledger::new(Counting::Named);
        for collapse_id in ["a", "b", "a"] {
            ledger.record("token", collapse_id);
        }
        assert_eq!(ledger.count("token").collapse_ids, [("a".to_owned(), 2), ("b".to_owned(), 1)].into());
    }

    #[test]
    fn a_dense_count_saturates_instead_of_wrapping() {
        let ledger = Ledger::new(Counting::Dense);
        let token = format!("{:08x}{:056}", 1, 0);
        for _ in 0..300 {
            ledger.record(&token, "alert");
        }
        assert_eq!(ledger.count(&token).times, 255);
        assert_eq!(ledger.totals().messages, 300);
    }
}
