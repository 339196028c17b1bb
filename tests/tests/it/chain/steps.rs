//! What can happen in a story: the words in which one that failed is told.

use std::collections::BTreeSet;

use proptest::prelude::*;
use proptest::sample::subsequence;

/// Somebody in the story. All have a phone for short messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Person {
    /// With the app on an iPhone.
    Apple,
    /// With the app on an Android phone.
    Robot,
    /// With short messages only.
    Plain,
    /// With short messages only, too.
    Other,
    /// With the app, and at first at home in the other place.
    Guest,
}

impl Person {
    pub(super) const ALL: [Self; 5] = [Self::Apple, Self::Robot, Self::Plain, Self::Other, Self::Guest];

    pub(super) fn has_app(self) -> bool {
        matches!(self, Self::Apple | Self::Robot | Self::Guest)
    }
}

/// A community in which people of the story live.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Place {
    Here,
    There,
}

/// Whom an alert is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum To {
    /// People named one by one.
    Named(BTreeSet<Person>),
    /// Whoever lives there.
    Living(Place),
}

/// How soon an alert goes out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    Routine,
    Urgent,
}

/// How long it is until the next step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wait {
    /// Somewhat more than the hour in which an alert is to be acknowledged.
    TheWindow,
    /// Half past ten in the evening.
    ForTheNight,
    /// Five past seven in the morning.
    ForTheMorning,
}

/// One of several, by its place.
pub(super) type Which = u8;

/// One step. A [`Which`] chooses among what there is then, from the oldest on and round again; where there is nothing to choose from, nothing
/// happens.
#[derive(Clone, Debug)]
pub(super) enum Step {
    /// Staff write and approve an alert.
    Approve(Class, To),
    /// Staff correct an alert that stands; none: for whom the old one was.
    Correct(Which, Class, Option<To>),
    /// Staff cancel an alert that stands.
    Cancel(Which),
    /// Somebody's new home.
    Move(Person, Place),
    /// Somebody takes their consent back, in the app or by SMS.
    Withdraw { who: Person, by_sms: bool },
    /// Somebody who took their consent back gives it again.
    Consent(Which),
    /// Somebody acknowledges in the app an alert that stands and that they were told.
    Tap(Which),
    /// Somebody answers `1` to a short message, and names the alert or not.
    Reply { which: Which, named: bool },
    /// Time passes.
    Pass(Wait),
    /// The process is killed in the middle of what the step before has set going: as soon as so many messages have arrived at phones. Another
    /// one goes on.
    Crash { after: u8 },
}

fn person() -> impl Strategy<Value = Person> {
    proptest::sample::select(&Person::ALL[..])
}

fn place() -> impl Strategy<Value = Place> {
    prop_oneof![Just(Place::Here), Just(Place::There)]
}

fn class() -> impl Strategy<Value = Class> {
    prop_oneof![Just(Class::Routine), Just(Class::Urgent)]
}

fn to() -> impl Strategy<Value = To> {
    prop_oneof![
        subsequence(Person::ALL.to_vec(), 2..=5).prop_map(|people| To::Named(people.into_iter().collect())),
        place().prop_map(To::Living),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    let which = || 0..16_u8;
    prop_oneof![
        3 => (class(), to()).prop_map(|(class, to)| Step::Approve(class, to)),
        4 => (which(), class(), proptest::option::of(to())).prop_map(|(which, class, to)| Step::Correct(which, class, to)),
        3 => which().prop_map(Step::Cancel),
        3 => (person(), place()).prop_map(|(who, place)| Step::Move(who, place)),
        2 => (person(), any::<bool>()).prop_map(|(who, by_sms)| Step::Withdraw { who, by_sms }),
        2 => which().prop_map(Step::Consent),
        3 => which().prop_map(Step::Tap),
        4 => (which(), any::<bool>()).prop_map(|(which, named)| Step::Reply { which, named }),
        4 => proptest::sample::select(vec![Wait::TheWindow, Wait::TheWindow, Wait::ForTheNight, Wait::ForTheMorning]).prop_map(Step::Pass),
        4 => (0..6_u8).prop_map(|after| Step::Crash { after }),
    ]
}

/// A story: it begins with an alert, at noon or half an hour before the night.
pub(super) fn story() -> impl Strategy<Value = (bool, Vec<Step>)> {
    let first = (class(), to()).prop_map(|(class, to)| Step::Approve(class, to));
    (any::<bool>(), first, proptest::collection::vec(step(), 3..=9))
        .prop_map(|(evening, first, others)| (evening, std::iter::once(first).chain(others).collect()))
}
