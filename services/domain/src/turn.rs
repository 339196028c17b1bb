//! Whose turn it is on a channel: whose batches a channel gets next.
//!
//! The earliest deadline first is right as long as every deadline can be held. Where one cannot, that order takes all behind it along: ten close
//! contacts would wait for ten million. So
//!
//! * an alert that will miss its deadline anyway yields to those that can still hold theirs ([`order`]), and
//! * a share of what is sent is always for alerts that are not first, people who are named before areas, the least work before the most
//!   ([`next`]): nobody waits for the end of another alert, whatever was foreseen.

use chrono::{DateTime, Utc};

/// Of what a channel sends next, so much is for alerts that are not first: a percentage.
const FOR_OTHERS: u64 = 15;
/// The first has so many batches on their way, however large they are: a sender that is done with one finds the next.
const ALWAYS: usize = 2;

/// An alert's wave in line on one channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InLine {
    /// When everybody is to be reached.
    pub due_at: DateTime<Utc>,
    /// Whether it names people rather than areas.
    pub personal: bool,
    /// Recipients still to be sent to, on their way or not.
    pub left: u64,
}

impl InLine {
    /// People who are named before areas, the least work first.
    fn small_first(&self) -> (bool, u64, DateTime<Utc>) {
        (!self.personal, self.left, self.due_at)
    }
}

/// What is on its way to the senders.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Load {
    /// Recipients in it.
    pub people: u64,
    /// Batches.
    pub batches: usize,
}

impl Load {
    fn add(&mut self, people: u64) {
        self.people += people;
        self.batches += 1;
    }
}

/// How much may be on its way at once. What is on its way cannot be overtaken, so it is little.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window(pub Load);

impl Window {
    fn has_room_beside(self, load: Load, people: u64) -> bool {
        load.batches < self.0.batches && load.people + people <= self.0.people
    }

    /// What of it is for those who are not first.
    #[must_use]
    pub fn for_others(self) -> Self {
        Self(Load { people: self.0.people * FOR_OTHERS / 100, batches: (self.0.batches / 8).max(1) })
    }
}

/// The places in `line` of those whose turn it is, first to last.
///
/// Who can hold their deadline at `per_second` recipients a second go by deadline. Where not all can, as few as possible miss theirs: the one with
/// most work steps back until the others can hold (Moore and Hodgson). Who steps back goes last, the least work first. `None`: nothing is known
/// of the speed, and all can hold.
pub fn order(line: &[InLine], now: DateTime<Utc>, per_second: Option<f64>) -> Vec<usize> {
    let mut by_deadline: Vec<usize> = (0..line.len()).collect();
    by_deadline.sort_by_key(|&at| (line[at].due_at, line[at].small_first()));
    let Some(per_second) = per_second.filter(|rate| *rate > 0.0) else { return by_deadline };
    let seconds = |at: usize| line[at].left as f64 / per_second;
    let (mut holding, mut missing) = (Vec::new(), Vec::new());
    let mut busy = 0.0;
    for at in by_deadline {
        holding.push(at);
        busy += seconds(at);
        if busy > (line[at].due_at - now).as_seconds_f64()
            && let Some(most) = (0..holding.len()).max_by_key(|&place| line[holding[place]].left)
        {
            let steps_back = holding.remove(most);
            busy -= seconds(steps_back);
            missing.push(steps_back);
        }
    }
    missing.sort_by_key(|&at| line[at].small_first());
    holding.extend(missing);
    holding
}

/// The places of those who are not first, in the order in which they get what is for them.
pub fn others(line: &[InLine], order: &[usize]) -> Vec<usize> {
    let mut others = order.get(1..).unwrap_or_default().to_vec();
    others.sort_by_key(|&at| line[at].small_first());
    others
}

fn sum<'a>(loads: impl Iterator<Item = &'a Load>) -> Load {
    loads.fold(Load::default(), |sum, load| Load { people: sum.people + load.people, batches: sum.batches + load.batches })
}

/// How many of each alert's waiting batches go on their way now.
///
/// `order`: from [`order`]; `on_way`: what each has on its way; `waiting`: the recipients of each one's next batches. What is for those who are not
/// first is theirs beside a window that is full.
pub fn next(line: &[InLine], order: &[usize], window: Window, on_way: &[Load], waiting: &[Vec<u64>]) -> Vec<usize> {
    let mut taken = vec![0; line.len()];
    let Some(&first) = order.first() else { return taken };
    let mut all = sum(on_way.iter());
    let mut of_others = sum(on_way.iter().enumerate().filter(|(at, _)| *at != first).map(|(_, load)| load));
    for at in others(line, order) {
        while let Some(&people) = waiting[at].get(taken[at])
            && window.for_others().has_room_beside(of_others, people)
        {
            of_others.add(people);
            all.add(people);
            taken[at] += 1;
        }
    }
    let mut of_first = on_way[first].batches;
    for &at in order {
        while let Some(&people) = waiting[at].get(taken[at])
            && (window.has_room_beside(all, people) || at == first && of_first < ALWAYS.min(window.0.batches))
        {
            of_first += usize::from(at == first);
            all.add(people);
            taken[at] += 1;
        }
    }
    taken
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    const NOW: DateTime<Utc> = DateTime::UNIX_EPOCH;

    /// Due in so many minutes, with so many people left.
    fn area(minutes: i64, left: u64) -> InLine {
        InLine { due_at: NOW + TimeDelta::minutes(minutes), personal: false, left }
    }

    fn personal(minutes: i64, left: u64) -> InLine {
        InLine { personal: true, ..area(minutes, left) }
    }

    #[rstest]
    #[case::nobody(&[], Some(100.0), &[])]
    #[case::all_can_hold(&[area(90, 1_000), area(30, 50_000), area(60, 10)], Some(100.0), &[1, 2, 0])]
    #[case::nothing_known_of_the_speed(&[area(31, 10), area(30, 10_000_000)], None, &[1, 0])]
    #[case::a_great_one_that_misses_yields(&[area(30, 10_000_000), area(31, 10)], Some(500.0), &[1, 0])]
    #[case::the_one_with_most_work_steps_back(&[area(10, 50_000), area(11, 30_000), area(12, 40_000)], Some(100.0), &[1, 2, 0])]
    #[case::two_that_miss_the_smaller_first(&[area(1, 90_000), area(2, 50_000), area(3, 100)], Some(100.0), &[2, 1, 0])]
    #[case::people_who_are_named_before_areas(&[area(1, 50_000), personal(2, 90_000)], Some(100.0), &[1, 0])]
    #[case::late_already(&[area(-5, 10), area(30, 100)], Some(100.0), &[1, 0])]
    fn whose_turn_it_is(#[case] line: &[InLine], #[case] per_second: Option<f64>, #[case] expected: &[usize]) {
        assert_eq!(order(line, NOW, per_second), expected);
    }

    const HUNDRED: Window = Window(Load { people: 100, batches: 32 });
    const NONE: Load = Load { people: 0, batches: 0 };
    const FULL: Load = Load { people: 100, batches: 10 };

    #[rstest]
    // each one's left, what it has on its way, its next batches, how many of these go
    #[case::alone(&[(area(30, 1_000), NONE, vec![10; 32])], &[10])]
    #[case::nearly_done(&[(area(30, 7), NONE, vec![7])], &[1])]
    #[case::no_room(&[(area(30, 1_000), FULL, vec![10; 32])], &[0])]
    #[case::the_small_one_beside_a_full_window(&[(area(30, 1_000), FULL, vec![10; 32]), (area(31, 10), NONE, vec![10])], &[0, 1])]
    #[case::two_great_ones(&[(area(30, 1_000), NONE, vec![5; 32]), (area(31, 1_000), NONE, vec![5; 32])], &[17, 3])]
    #[case::the_smallest_of_the_others(
        &[(area(30, 1_000), NONE, vec![5; 32]), (area(31, 900), NONE, vec![5; 32]), (area(32, 10), NONE, vec![5, 5])], &[17, 1, 2]
    )]
    #[case::the_named_before_the_smaller_area(
        &[(area(30, 1_000), NONE, vec![5; 32]), (area(31, 10), NONE, vec![5, 5]), (personal(32, 15), NONE, vec![5; 3])], &[17, 0, 3]
    )]
    #[case::others_have_their_share_already(
        &[(area(30, 1_000), Load { people: 85, batches: 17 }, vec![5; 32]), (area(31, 1_000), Load { people: 15, batches: 3 }, vec![5; 32])], &[0, 0]
    )]
    #[case::what_the_first_leaves_goes_to_the_next(&[(area(30, 5), NONE, vec![5]), (area(31, 1_000), NONE, vec![5; 32])], &[1, 19])]
    #[case::who_waits_for_another_attempt_takes_no_place(&[(area(30, 1_000), NONE, vec![]), (area(31, 1_000), NONE, vec![5; 32])], &[0, 20])]
    #[case::a_batch_larger_than_the_window(&[(area(30, 4_000), NONE, vec![400; 10])], &[2])]
    #[case::many_small_batches(&[(area(30, 40), NONE, vec![1; 40])], &[32])]
    fn what_goes_on_its_way(#[case] line: &[(InLine, Load, Vec<u64>)], #[case] expected: &[usize]) {
        let of: Vec<InLine> = line.iter().map(|(of, ..)| of.clone()).collect();
        let on_way: Vec<Load> = line.iter().map(|(_, load, _)| *load).collect();
        let waiting: Vec<Vec<u64>> = line.iter().map(|(.., waiting)| waiting.clone()).collect();
        let turns: Vec<usize> = (0..line.len()).collect();
        assert_eq!(next(&of, &turns, HUNDRED, &on_way, &waiting), expected);
    }

    proptest! {
        #[test]
        fn everybody_has_a_turn_and_a_sender_never_stands_idle(
            of in prop::collection::vec((-60i64..600, any::<bool>(), prop::collection::vec(1u64..4_000, 0..40)), 0..12), people in 1u64..150_000
        ) {
            let line: Vec<InLine> =
                of.iter().map(|(minutes, personal, sizes)| InLine { personal: *personal, ..area(*minutes, sizes.iter().sum()) }).collect();
            let waiting: Vec<Vec<u64>> = of.into_iter().map(|(.., sizes)| sizes).collect();
            let turns = order(&line, NOW, Some(500.0));
            let mut all = turns.clone();
            all.sort_unstable();
            prop_assert_eq!(all, (0..line.len()).collect::<Vec<_>>());
            let window = Window(Load { people, batches: 32 });
            let taken = next(&line, &turns, window, &vec![Load::default(); line.len()], &waiting);
            let batches: usize = taken.iter().sum();
            let released: u64 = taken.iter().zip(&waiting).map(|(taken, sizes)| sizes[..*taken].iter().sum::<u64>()).sum();
            prop_assert!(batches <= 36);
            prop_assert!(released <= people + people * FOR_OTHERS / 100 + 2 * 4_000);
            if turns.first().is_some_and(|first| !waiting[*first].is_empty()) {
                prop_assert!(taken[turns[0]] > 0);
            }
        }
    }
}
