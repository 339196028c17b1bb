//! What holds at the end of every story, whatever happened in it: everything is told, answered and followed up by then.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Timelike as _, Utc};

use super::steps::{Class, Person, To};
use super::truth::{By, Heard, Truth, Word};

/// To acknowledge an alert, and to acknowledge its reminder.
const WINDOW: TimeDelta = TimeDelta::hours(1);
/// A night, and both windows with it: who was told so long before the end has been reminded and was due to be followed up.
const A_NIGHT: TimeDelta = TimeDelta::hours(13);

/// What happens within is of one moment: what staff end may just be on its way.
const AT_ONCE: TimeDelta = TimeDelta::minutes(1);

/// What the platform has written down of a story's alerts and people.
#[derive(Debug, Default)]
pub(super) struct Kept {
    pub(super) acknowledged: BTreeSet<(usize, Person)>,
    pub(super) followed_up: BTreeSet<(usize, Person)>,
}

/// Everything that was promised and not kept, each in a sentence.
pub(super) fn broken(truth: &Truth, kept: &Kept) -> Vec<String> {
    let mut broken = Vec::new();
    told_once_a_wave(truth, &mut broken);
    told_only_who_is_meant(truth, &mut broken);
    told_whoever_is_meant(truth, &mut broken);
    the_last_word_is_true(truth, &mut broken);
    every_answer_counts(truth, kept, &mut broken);
    nobody_is_lost(truth, kept, &mut broken);
    broken
}

/// Nobody gets one wave of one alert twice. Of an alert there are two, the second after the window, and of its end there is one. Only what a
/// process sent before it was killed comes again, under the same collapse id, so that the phone shows one.
fn told_once_a_wave(truth: &Truth, broken: &mut Vec<String>) {
    let mut times: BTreeMap<(Person, Word), Vec<&Heard>> = BTreeMap::new();
    for heard in &truth.heard {
        times.entry((heard.who, heard.word)).or_default().push(heard);
        let root = truth.alerts[truth.root(heard.word.alert)].id.to_string();
        if heard.by == By::App && heard.collapse_id.as_ref() != Some(&root) {
            broken.push(format!("{:?} sees {:?} beside what it belongs to: {:?}", heard.who, heard.word, heard.collapse_id));
        }
    }
    for ((who, word), all) in times {
        for (at, heard) in all.iter().enumerate() {
            if all[..at].iter().any(|before| (before.by, before.life, before.at) == (heard.by, heard.life, heard.at)) {
                broken.push(format!("{who:?} was told {word:?} twice by {:?} in one moment", heard.by));
            }
        }
        let whole: Vec<&&Heard> = all.iter().filter(|heard| !heard.cut_off).collect();
        if word.ended {
            for by in [By::App, By::Sms] {
                let often = whole.iter().filter(|heard| heard.by == by).count();
                if often > 1 {
                    broken.push(format!("{who:?} was told {word:?} {often} times by {by:?}"));
                }
            }
            continue;
        }
        if whole.len() > 2 {
            broken.push(format!("{who:?} was told {word:?} {} times", whole.len()));
        }
        if whole.windows(2).any(|two| two[1].at - two[0].at < WINDOW - AT_ONCE) {
            broken.push(format!("{who:?} was told {word:?} again before the window was over"));
        }
    }
}

/// An alert comes to whom it is for, who agrees to be told, outside the quiet hours unless it is urgent, and never after its end. Of its end hears only
/// who heard of it.
fn told_only_who_is_meant(truth: &Truth, broken: &mut Vec<String>) {
    for (at, heard) in truth.heard.iter().enumerate() {
        let (who, word, alert) = (heard.who, heard.word, &truth.alerts[heard.word.alert]);
        if !heard.agreed {
            broken.push(format!("{who:?} was told {word:?} without their consent"));
        }
        if alert.class == Class::Routine && is_night(heard.at) {
            broken.push(format!("{who:?} was woken by {word:?}"));
        }
        if word.ended {
            let chain = truth.root(word.alert);
            let knew =
                truth.heard[..at].iter().any(|before| before.who == who && !before.word.ended && truth.root(before.word.alert) == chain);
            if !knew {
                broken.push(format!("{who:?} was told {word:?} and had not heard of it"));
            }
            continue;
        }
        if !alert.ever.contains(&who) {
            broken.push(format!("{who:?} was told {word:?}, which is not for them"));
        }
        if alert.stopped_at.is_some_and(|stopped_at| stopped_at + AT_ONCE < heard.at) {
            broken.push(format!("{who:?} was told {word:?} after its end"));
        }
    }
}

/// Whom an alert is for that nobody stopped, and who agreed to be told all the time, has been told.
fn told_whoever_is_meant(truth: &Truth, broken: &mut Vec<String>) {
    for (number, alert) in truth.alerts.iter().enumerate().filter(|(_, alert)| alert.stopped_at.is_none()) {
        for who in &alert.constant {
            if !truth.was_mute_since(*who, alert.approved_at) && !truth.said(*who).any(|heard| heard.word.alert == number) {
                broken.push(format!("{who:?} was never told alert {number}"));
            }
        }
    }
}

/// The last word that somebody holds of a chain of corrections is the true one: the alert that stands at its end, if they were told that,
/// and else that what they were told has ended. Who takes back their consent is told nothing more.
fn the_last_word_is_true(truth: &Truth, broken: &mut Vec<String>) {
    let roots = (0..truth.alerts.len()).filter(|alert| truth.alerts[*alert].corrects.is_none());
    for (root, who) in roots.flat_map(|root| Person::ALL.map(|who| (root, who))) {
        let of_chain: Vec<&Heard> = truth.heard.iter().filter(|heard| heard.who == who && truth.root(heard.word.alert) == root).collect();
        let Some(last) = of_chain.last() else { continue };
        let tail = truth.tail(root);
        let holds = truth.alerts[tail].stopped_at.is_none();
        let was_told_tail = of_chain.iter().any(|heard| heard.word == Word { alert: tail, ended: false });
        let word = last.word;
        if let (false, Some(stopped_at)) = (word.ended, truth.alerts[word.alert].stopped_at) {
            if !truth.was_mute_since(who, stopped_at) {
                broken.push(format!("{who:?} still holds {word:?}, which has ended"));
            }
        } else if word.ended && holds && was_told_tail {
            broken.push(format!("{who:?} holds {word:?} although alert {tail} is for them and stands"));
        }
    }
}

/// Every answer counts for its alert, and nothing counts that nobody answered.
fn every_answer_counts(truth: &Truth, kept: &Kept, broken: &mut Vec<String>) {
    for (alert, who) in truth.answers.difference(&kept.acknowledged) {
        broken.push(format!("the answer of {who:?} to alert {alert} was lost"));
    }
    for (alert, who) in kept.acknowledged.difference(&truth.answers) {
        broken.push(format!("{who:?} never answered alert {alert}, and it counts as acknowledged"));
    }
}

/// When an alert is over that nobody stopped, everybody whom it names has acknowledged it or is on the list of their community; of a place,
/// everybody who was told it early enough.
fn nobody_is_lost(truth: &Truth, kept: &Kept, broken: &mut Vec<String>) {
    for (number, alert) in truth.alerts.iter().enumerate().filter(|(_, alert)| alert.stopped_at.is_none()) {
        let owed: BTreeSet<Person> = match &alert.to {
            To::Named(people) => people.clone(),
            To::Living(_) => {
                let early = |who: &Person| {
                    let mut times = truth.said(*who).filter(|heard| heard.word.alert == number);
                    times.next().is_some_and(|first| first.at + A_NIGHT <= alert.expires_at)
                };
                alert.ever.iter().copied().filter(early).collect()
            }
        };
        for who in owed {
            if !kept.acknowledged.contains(&(number, who)) && !kept.followed_up.contains(&(number, who)) {
                broken.push(format!("{who:?} has neither acknowledged alert {number} nor is anybody to see them"));
            }
        }
    }
}

/// By the clock of the city, in which it is quiet from ten to seven.
pub(super) fn is_night(at: DateTime<Utc>) -> bool {
    let hour = (at + TimeDelta::hours(8)).hour();
    !(7..22).contains(&hour)
}
