//! What becomes of a standing, decided from what is known of it.
//!
//! [`Known::hear`] takes what has happened, in any order and however often; [`StandingTerms::course`] decides from all of it together. So a lifting record that
//! comes before the alert, a correction that comes twice, a withdrawal that overtakes a test lead to the same end.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};

use super::{LiftedHow, LiftingRecord, StandingTerms};

/// Something that happened to a standing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Happened {
    /// A record brought the person into the alert.
    Named {
        /// Its number.
        record: i64,
        /// When what it tells of was.
        at: DateTime<Utc>,
    },
    /// A record that the rule says lifts.
    Sampled {
        /// Its number.
        record: i64,
        /// When the sample was taken.
        at: DateTime<Utc>,
    },
    /// The source of a record of either kind corrected it or took it back.
    RecordEnded {
        /// Its number.
        record: i64,
    },
    /// Staff lifted it.
    Decided {
        /// When.
        at: DateTime<Utc>,
    },
    /// The alert was withdrawn for this person.
    WithdrawnForPerson,
    /// The alert was withdrawn for everybody.
    AlertWithdrawn,
}

/// What is known of a standing: sets and firsts only, so that it is the same in whichever order it was heard.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Known {
    named: BTreeMap<i64, DateTime<Utc>>,
    sampled: BTreeMap<i64, DateTime<Utc>>,
    ended: BTreeSet<i64>,
    decided: Option<DateTime<Utc>>,
    withdrawn_for_person: bool,
    alert_withdrawn: bool,
}

impl Known {
    /// Takes note of something that happened. A repeat changes nothing.
    pub fn hear(&mut self, happened: Happened) {
        match happened {
            Happened::Named { record, at } => _ = self.named.insert(record, at),
            Happened::Sampled { record, at } => _ = self.sampled.insert(record, at),
            Happened::RecordEnded { record } => _ = self.ended.insert(record),
            Happened::Decided { at } => self.decided = Some(self.decided.map_or(at, |before| before.min(at))),
            Happened::WithdrawnForPerson => self.withdrawn_for_person = true,
            Happened::AlertWithdrawn => self.alert_withdrawn = true,
        }
    }

    fn holding<'k>(&'k self, records: &'k BTreeMap<i64, DateTime<Utc>>) -> impl Iterator<Item = DateTime<Utc>> + 'k {
        records.iter().filter(|(record, _)| !self.ended.contains(record)).map(|(_, at)| *at)
    }
}

/// How a standing stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Course {
    /// From the time of the newest record behind it that holds, until when it stands; none: no record holds.
    pub span: Option<(DateTime<Utc>, DateTime<Utc>)>,
    /// How many lifting records count so far.
    pub counted: u8,
    /// What lifted it, but for its time; none: nothing has.
    pub lifted: Option<LiftedHow>,
}

impl Course {
    /// What has lifted it at `now`; none: it stands. Its time needs nobody to watch it: it is a comparison.
    #[must_use]
    pub fn lifted_at(&self, now: DateTime<Utc>) -> Option<LiftedHow> {
        self.lifted.or_else(|| self.span.is_none_or(|(_, until)| until <= now).then_some(LiftedHow::Time))
    }
}

impl StandingTerms {
    /// What becomes of a standing of which this is known, by an alert that holds until `alert_ends`.
    #[must_use]
    pub fn course(&self, known: &Known, alert_ends: DateTime<Utc>) -> Course {
        let since = known.holding(&known.named).max();
        let span = since.map(|since| (since, self.stands_for().map_or(alert_ends, |long| since + long)));
        let counted = match (&self.lifted_by, span) {
            (Some(lifting), Some((since, until))) => lifting.counted(known.holding(&known.sampled), since, until),
            _ => 0,
        };
        let by_record = self.lifted_by.as_ref().is_some_and(|lifting| counted >= lifting.times.max(1));
        let decided = known.decided.is_some_and(|at| span.is_none_or(|(_, until)| at < until));
        let lifted = [
            (span.is_none(), LiftedHow::EvidenceEnded),
            (known.alert_withdrawn, LiftedHow::AlertWithdrawn),
            (known.withdrawn_for_person, LiftedHow::WithdrawnForPerson),
            (decided, LiftedHow::Decision),
            (by_record, LiftedHow::Record),
        ]
        .into_iter()
        .find_map(|(so, how)| so.then_some(how));
        Course { span, counted, lifted }
    }
}

impl LiftingRecord {
    /// How many of these samples count: taken after the newest record behind the standing, before its time is over, and far enough apart.
    fn counted(&self, samples: impl Iterator<Item = DateTime<Utc>>, since: DateTime<Utc>, until: DateTime<Utc>) -> u8 {
        let (after, apart) = (TimeDelta::hours(self.after_hours.into()), TimeDelta::hours(self.apart_hours.into()));
        let mut taken: Vec<_> = samples.filter(|at| *at > since && *at >= since + after && *at < until).collect();
        taken.sort_unstable();
        // the earliest that can count leaves most room for the next, so no other choice counts more
        let mut last: Option<DateTime<Utc>> = None;
        let mut counted = 0_u8;
        for at in taken {
            if last.is_none_or(|last| at >= last + apart) {
                (last, counted) = (Some(at), counted.saturating_add(1));
            }
        }
        counted
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::super::terms::tests::close_contact;
    use super::Happened::{AlertWithdrawn, Decided, Named, RecordEnded, Sampled, WithdrawnForPerson};
    use super::*;

    /// So many hours after midnight of the first day.
    fn hour(hours: i64) -> DateTime<Utc> {
        "2026-11-02T00:00:00Z".parse::<DateTime<Utc>>().unwrap() + TimeDelta::hours(hours)
    }

    /// One negative test lifts it.
    fn by_one_test() -> StandingTerms {
        let mut terms = close_contact();
        terms.lifted_by.as_mut().unwrap().times = 1;
        terms
    }

    fn after(terms: &StandingTerms, happened: &[Happened], now: DateTime<Utc>) -> Option<LiftedHow> {
        let mut known = Known::default();
        happened.iter().for_each(|one| known.hear(*one));
        terms.course(&known, hour(72)).lifted_at(now)
    }

    const CONTACT: i64 = 1;
    const TEST: i64 = 2;

    fn contact() -> Happened {
        Named { record: CONTACT, at: hour(10) }
    }

    #[rstest]
    #[case::it_stands(&[], 20, None)]
    #[case::its_last_hour(&[], 177, None)]
    #[case::its_time_is_over(&[], 178, Some(LiftedHow::Time))]
    #[case::a_negative_test(&[Sampled { record: TEST, at: hour(30) }], 31, Some(LiftedHow::Record))]
    #[case::a_sample_from_before_the_contact(&[Sampled { record: TEST, at: hour(9) }], 31, None)]
    #[case::a_sample_of_the_same_moment(&[Sampled { record: TEST, at: hour(10) }], 31, None)]
    #[case::a_sample_from_when_it_was_over(&[Sampled { record: TEST, at: hour(178) }], 200, Some(LiftedHow::Time))]
    #[case::a_result_that_comes_when_it_is_over(&[Sampled { record: TEST, at: hour(30) }], 200, Some(LiftedHow::Record))]
    #[case::a_test_that_was_taken_back(&[Sampled { record: TEST, at: hour(30) }, RecordEnded { record: TEST }], 31, None)]
    #[case::evidence_that_was_taken_back(&[RecordEnded { record: CONTACT }], 20, Some(LiftedHow::EvidenceEnded))]
    #[case::evidence_that_was_corrected(&[RecordEnded { record: CONTACT }, Named { record: 3, at: hour(12) }], 20, None)]
    #[case::a_later_contact_after_the_test(&[Sampled { record: TEST, at: hour(30) }, Named { record: 3, at: hour(40) }], 41, None)]
    #[case::staff(&[Decided { at: hour(20) }], 21, Some(LiftedHow::Decision))]
    #[case::for_one(&[WithdrawnForPerson], 21, Some(LiftedHow::WithdrawnForPerson))]
    #[case::for_all(&[AlertWithdrawn], 21, Some(LiftedHow::AlertWithdrawn))]
    #[case::what_undoes_more(&[Decided { at: hour(20) }, RecordEnded { record: CONTACT }], 21, Some(LiftedHow::EvidenceEnded))]
    fn what_lifts_a_standing(#[case] happened: &[Happened], #[case] now: i64, #[case] lifted: Option<LiftedHow>) {
        let all = [&[contact()], happened].concat();
        assert_eq!(after(&by_one_test(), &all, hour(now)), lifted);
    }

    #[rstest]
    #[case::one(&[30], 1, false)]
    #[case::two_of_one_morning(&[30, 33], 1, false)]
    #[case::two_a_day_apart(&[30, 54], 2, true)]
    #[case::three_of_which_two_are_far_enough_apart(&[30, 42, 54], 2, true)]
    fn tests_count_when_they_are_far_enough_apart(#[case] samples: &[i64], #[case] counted: u8, #[case] lifted: bool) {
        let mut known = Known::default();
        known.hear(contact());
        for (at, sample) in samples.iter().enumerate() {
            known.hear(Sampled { record: 10 + i64::try_from(at).unwrap(), at: hour(*sample) });
        }
        let course = close_contact().course(&known, hour(72));
        assert_eq!((course.counted, course.lifted == Some(LiftedHow::Record)), (counted, lifted));
    }

    #[test]
    fn a_test_in_the_first_days_shows_nothing_where_the_rule_says_so() {
        let mut terms = by_one_test();
        terms.lifted_by.as_mut().unwrap().after_hours = 48;
        assert_eq!(after(&terms, &[contact(), Sampled { record: TEST, at: hour(57) }], hour(60)), None);
        assert_eq!(after(&terms, &[contact(), Sampled { record: TEST, at: hour(58) }], hour(60)), Some(LiftedHow::Record));
    }

    #[test]
    fn without_days_of_its_own_it_stands_until_the_alerts_end() {
        let mut terms = by_one_test();
        terms.stands_for_days = None;
        let mut known = Known::default();
        known.hear(contact());
        assert_eq!(terms.course(&known, hour(72)).span, Some((hour(10), hour(72))));
    }

    fn happening() -> impl Strategy<Value = Happened> {
        // few records and hours, so that they meet
        let (record, at) = (1..6_i64, (0..200_i64).prop_map(hour));
        prop_oneof![
            4 => (1..3_i64).prop_map(|record| Named { record, at: hour(record * 20) }),
            4 => (3..6_i64).prop_map(|record| Sampled { record, at: hour(record * 25) }),
            2 => record.prop_map(|record| RecordEnded { record }),
            1 => at.prop_map(|at| Decided { at }),
            1 => Just(WithdrawnForPerson),
            1 => Just(AlertWithdrawn),
        ]
    }

    proptest! {
        /// Beijing: what came late counts as if it had come in time, and nothing depends on what came first or twice.
        #[test]
        fn the_end_does_not_depend_on_the_order_in_which_things_become_known(
            (happened, shuffled) in prop::collection::vec(happening(), 0..12)
                .prop_flat_map(|happened| (Just(happened.clone()), Just([happened.clone(), happened].concat()).prop_shuffle())),
            now in 0..300_i64,
        ) {
            for terms in [close_contact(), by_one_test()] {
                prop_assert_eq!(after(&terms, &happened, hour(now)), after(&terms, &shuffled, hour(now)));
            }
        }

        #[test]
        fn a_lifting_record_that_is_taken_back_leaves_no_trace(happened in prop::collection::vec(happening(), 0..8), at in 0..200_i64, now in 0..300_i64) {
            let without = after(&by_one_test(), &happened, hour(now));
            let with = [&happened[..], &[Sampled { record: 99, at: hour(at) }, RecordEnded { record: 99 }]].concat();
            prop_assert_eq!(after(&by_one_test(), &with, hour(now)), without);
        }

        #[test]
        fn who_is_named_by_no_record_that_holds_does_not_stand(happened in prop::collection::vec(happening(), 0..8), now in 0..300_i64) {
            let ended = [1, 2].map(|record| RecordEnded { record });
            let all = [&happened[..], &ended].concat();
            prop_assert_eq!(after(&by_one_test(), &all, hour(now)), Some(LiftedHow::EvidenceEnded));
        }
    }
}
