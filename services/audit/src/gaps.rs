//! Numbers that are not there, as ranges: a gap takes as much room as a number, however long it is. No I/O.

use std::collections::BTreeMap;

/// Ranges of numbers that do not overlap, each with what is known of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Gaps<T>(BTreeMap<u64, (u64, T)>);

impl<T> Default for Gaps<T> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<T: Copy> Gaps<T> {
    /// From `first` to `last`; nothing where that is no range.
    pub(crate) fn open(&mut self, first: u64, last: u64, known: T) {
        if first <= last {
            self.0.insert(first, (last, known));
        }
    }

    /// This one is there after all. Whether it was not.
    pub(crate) fn fill(&mut self, number: u64) -> bool {
        let Some((&first, &(last, known))) = self.0.range(..=number).next_back().filter(|(_, (last, _))| number <= *last) else {
            return false;
        };
        self.0.remove(&first);
        if first < number {
            self.open(first, number - 1, known);
        }
        if number < last {
            self.open(number + 1, last, known);
        }
        true
    }

    /// Learns something of every number up to this one.
    pub(crate) fn learn(&mut self, until: u64, learn: impl Fn(&mut T)) {
        if let Some((_, (last, known))) = self.0.range_mut(..=until).next_back()
            && *last > until
        {
            let (end, known) = (*last, *known);
            *last = until;
            self.open(until + 1, end, known);
        }
        self.0.range_mut(..=until).for_each(|(_, (_, known))| learn(known));
    }

    /// First, last, and what is known, in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (u64, u64, T)> {
        self.0.iter().map(|(first, (last, known))| (*first, *last, *known))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn filling_leaves_what_was_not_filled(first in 1_u64..50, length in 0_u64..50, filled in prop::collection::vec(0_u64..120, 0..40)) {
            let mut gaps = Gaps::default();
            let mut numbers: BTreeSet<u64> = (first..=first + length).collect();
            gaps.open(first, first + length, ());
            for number in filled {
                prop_assert_eq!(gaps.fill(number), numbers.remove(&number));
            }
            prop_assert_eq!(gaps.iter().flat_map(|(first, last, ())| first..=last).collect::<BTreeSet<_>>(), numbers);
        }

        #[test]
        fn what_is_learnt_holds_up_to_there_and_no_further(until in 0_u64..40) {
            let mut gaps = Gaps::default();
            gaps.open(5, 14, false);
            gaps.open(20, 29, false);
            gaps.learn(until, |known| *known = true);
            for (first, last, known) in gaps.iter() {
                prop_assert!((first..=last).all(|number| (number <= until) == known));
            }
            prop_assert_eq!(gaps.iter().map(|(first, last, _)| last - first + 1).sum::<u64>(), 20);
        }
    }

    #[test]
    fn the_longest_gap_of_all_is_one_range() {
        let mut gaps = Gaps::default();
        gaps.open(1, u64::MAX, ());
        assert!(gaps.fill(u64::MAX) && gaps.fill(1));
        assert_eq!(gaps.iter().collect::<Vec<_>>(), [(2, u64::MAX - 1, ())]);
    }
}
