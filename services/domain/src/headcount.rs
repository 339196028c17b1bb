//! How many people staff are told that an audience has (CQ14): not exactly, so that nobody is counted who could be told apart.
//!
//! A number is told in tens, and fewer than ten people, nobody among them, are told as [`HeadCount::FEW`]. Whoever may choose what is asked could
//! still find one person out by adding others until the sum turns over. Therefore an audience is told as the sum of the places it is made up of,
//! each rounded by itself ([`HeadCount::load`], nobody where they are fewer than ten): a place of which everybody is asked for, otherwise those
//! inside it, down to communities. People elsewhere change nothing, and two questions that differ by one person are told alike unless ten of the
//! smallest such place that they live in are asked about. A place with fewer than ten people is not listed at all: that it appears would tell of the
//! first who lives there. Of people named one by one only the number is told, not what reaches them.
//!
//! What the platform itself reckons with stays exact and is of another type: only this one can be told over the interface.

use std::fmt;

use serde::Serialize;
use utoipa::ToSchema;

/// The number of people in an audience, as it may be told: a multiple of ten, or 9 for fewer than ten.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, ToSchema)]
#[serde(transparent)]
pub struct HeadCount(u64);

impl HeadCount {
    /// Fewer than ten, or nobody.
    pub const FEW: Self = Self(Self::LEAST - 1);

    const LEAST: u64 = 10;

    /// What may be told of so many people.
    #[must_use]
    pub const fn of(people: u64) -> Self {
        if people < Self::LEAST { Self::FEW } else { Self(people.saturating_add(Self::LEAST / 2) / Self::LEAST * Self::LEAST) }
    }

    /// Whether it is fewer than ten, which may be none.
    #[must_use]
    pub const fn is_few(self) -> bool {
        self.0 < Self::LEAST
    }

    /// The number that is told: 9 stands for fewer than ten.
    #[must_use]
    pub const fn told(self) -> u64 {
        self.0
    }

    /// The number to reckon with in an answer to staff, so that nothing else in the answer tells more than this does; fewer than ten are no load.
    #[must_use]
    pub const fn load(self) -> u64 {
        if self.is_few() { 0 } else { self.0 }
    }

    /// In Chinese: `不到 10`, `约 120`.
    #[must_use]
    pub fn zh(self) -> String {
        if self.is_few() { "不到 10".to_owned() } else { format!("约 {}", self.0) }
    }
}

impl fmt::Display for HeadCount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_few() { f.write_str("fewer than 10") } else { write!(f, "about {}", self.0) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::nobody(0, 9)]
    #[case::one(1, 9)]
    #[case::nine(9, 9)]
    #[case::ten(10, 10)]
    #[case::fourteen(14, 10)]
    #[case::fifteen(15, 20)]
    #[case::a_city(32_054_159, 32_054_160)]
    fn people_are_told_in_tens(#[case] people: u64, #[case] told: u64) {
        assert_eq!(HeadCount::of(people).told(), told);
    }

    proptest! {
        #[test]
        fn audiences_that_differ_by_one_person_are_told_alike_or_one_step_apart(people in 0_u64..40_000_000) {
            let (one, other) = (HeadCount::of(people), HeadCount::of(people + 1));
            prop_assert!(one == other || (one.is_few() && other.told() == 10) || one.told() + 10 == other.told());
        }

        #[test]
        fn a_number_that_is_told_stands_for_at_least_five_others(people in 0_u64..40_000_000) {
            let told = HeadCount::of(people);
            let alike = (people.saturating_sub(10)..=people + 10).filter(|other| HeadCount::of(*other) == told).count();
            prop_assert!(alike >= 5, "{people}: {alike}");
        }

        #[test]
        fn who_is_in_and_who_is_not_cannot_be_told_among_a_few(known in 0_u64..9) {
            prop_assert_eq!(HeadCount::of(known), HeadCount::of(known + 1));
        }
    }
}
