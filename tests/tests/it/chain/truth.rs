//! What a story knows to be true: which alerts were made for whom and how they ended, who agrees to be told, who has answered, and every word that
//! came to a phone. Nothing here was read from the platform's tables.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use super::steps::{Class, Person, Place, To};

/// An alert that staff have approved.
#[derive(Debug)]
pub(super) struct Alert {
    pub(super) id: Uuid,
    /// By which its texts tell it from all others.
    pub(super) mark: usize,
    /// The one that it corrects.
    pub(super) corrects: Option<usize>,
    pub(super) class: Class,
    pub(super) to: To,
    pub(super) short_code: String,
    pub(super) approved_at: DateTime<Utc>,
    pub(super) expires_at: DateTime<Utc>,
    /// When it was cancelled, or another one took its place.
    pub(super) stopped_at: Option<DateTime<Utc>>,
    /// For whom it was when it was approved and who has stayed so.
    pub(super) constant: BTreeSet<Person>,
    /// For whom it has been at any time.
    pub(super) ever: BTreeSet<Person>,
}

impl Alert {
    pub(super) fn stands(&self, now: DateTime<Utc>) -> bool {
        self.stopped_at.is_none() && now < self.expires_at
    }
}

/// How a word came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum By {
    App,
    Sms,
}

/// What a message says: an alert, or that it has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Word {
    pub(super) alert: usize,
    pub(super) ended: bool,
}

/// A word that came to somebody's phone.
#[derive(Clone, Debug)]
pub(super) struct Heard {
    pub(super) who: Person,
    pub(super) by: By,
    pub(super) word: Word,
    /// Pushes with the same take each other's place.
    pub(super) collapse_id: Option<String>,
    pub(super) at: DateTime<Utc>,
    /// The life of the process that sent it, counted from the beginning of the story.
    pub(super) life: usize,
    /// The process was killed before what it was doing then came to rest, so another one may send it again.
    pub(super) cut_off: bool,
    /// They had agreed to be told.
    pub(super) agreed: bool,
}

/// Whether somebody agrees to be told.
#[derive(Clone, Copy, Debug)]
pub(super) struct Consent {
    pub(super) stands: bool,
    /// The last time at which they gave it anew.
    pub(super) given_at: Option<DateTime<Utc>>,
}

/// The truth.
#[derive(Debug)]
pub(super) struct Truth {
    pub(super) alerts: Vec<Alert>,
    pub(super) homes: BTreeMap<Person, Place>,
    pub(super) consents: BTreeMap<Person, Consent>,
    /// In the order in which it came.
    pub(super) heard: Vec<Heard>,
    pub(super) answers: BTreeSet<(usize, Person)>,
    /// What happened, for whoever reads of a failure.
    pub(super) diary: String,
}

impl Truth {
    pub(super) fn new() -> Self {
        let home = |who| if who == Person::Guest { Place::There } else { Place::Here };
        Self {
            alerts: Vec::new(),
            homes: Person::ALL.into_iter().map(|who| (who, home(who))).collect(),
            consents: Person::ALL.into_iter().map(|who| (who, Consent { stands: true, given_at: None })).collect(),
            heard: Vec::new(),
            answers: BTreeSet::new(),
            diary: String::new(),
        }
    }

    pub(super) fn note(&mut self, now: DateTime<Utc>, what: &str) {
        let local = now + TimeDelta::hours(8);
        let _ = writeln!(self.diary, "{} {what}", local.format("%d. %H:%M"));
    }

    /// Whom an alert for these people is for now.
    pub(super) fn audience(&self, to: &To) -> BTreeSet<Person> {
        match to {
            To::Named(people) => people.clone(),
            To::Living(place) => self.homes.iter().filter(|(_, home)| *home == place).map(|(who, _)| *who).collect(),
        }
    }

    pub(super) fn standing(&self, now: DateTime<Utc>) -> Vec<usize> {
        (0..self.alerts.len()).filter(|alert| self.alerts[*alert].stands(now)).collect()
    }

    pub(super) fn moved(&mut self, who: Person, place: Place, now: DateTime<Utc>) {
        self.homes.insert(who, place);
        for alert in &mut self.alerts {
            match &alert.to {
                To::Living(area) if *area == place && alert.stands(now) => {
                    alert.ever.insert(who);
                }
                To::Living(area) if *area != place => {
                    alert.constant.remove(&who);
                }
                _ => {}
            }
        }
    }

    pub(super) fn consent(&mut self, who: Person, stands: bool, now: DateTime<Utc>) {
        let consent = self.consents.get_mut(&who).unwrap();
        if stands && !consent.stands {
            consent.given_at = Some(now);
        }
        consent.stands = stands;
    }

    /// Whether somebody was to be told nothing, at any moment since then.
    pub(super) fn was_mute_since(&self, who: Person, then: DateTime<Utc>) -> bool {
        let consent = self.consents[&who];
        !consent.stands || consent.given_at.is_some_and(|given_at| given_at >= then)
    }

    /// The first alert of the chain of corrections that this one is in.
    pub(super) fn root(&self, alert: usize) -> usize {
        self.alerts[alert].corrects.map_or(alert, |corrected| self.root(corrected))
    }

    /// The last alert of a chain of corrections.
    pub(super) fn tail(&self, root: usize) -> usize {
        (0..self.alerts.len()).rev().find(|alert| self.root(*alert) == root).unwrap()
    }

    /// What a message says, if it is a word of this story and no answer to somebody's own.
    pub(super) fn word(&self, text: &str) -> Option<Word> {
        let mark = text.split_once("第")?.1.split_once("次饮水提醒")?.0.parse::<usize>().ok()?;
        let alert = self.alerts.iter().position(|alert| alert.mark == mark)?;
        let ended = ["【已撤销】", "【已撤回】", "【已更正】"].iter().any(|mark| text.contains(mark));
        (!text.contains("已确认《")).then_some(Word { alert, ended })
    }

    /// The alerts that somebody holds as short messages, with when each came last.
    pub(super) fn held_by_sms(&self, who: Person) -> BTreeMap<usize, DateTime<Utc>> {
        self.said(who).filter(|heard| heard.by == By::Sms).map(|heard| (heard.word.alert, heard.at)).collect()
    }

    /// Every time that somebody was told an alert, not its end.
    pub(super) fn said(&self, who: Person) -> impl Iterator<Item = &Heard> {
        self.heard.iter().filter(move |heard| heard.who == who && !heard.word.ended)
    }
}
