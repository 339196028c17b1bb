//! Who has an alert open, and who is writing in it: shown before two write over each other.
//!
//! A page says so every few seconds ([`arrived`]) and when it is left ([`left`]); who has not said so for [`LASTS`] has gone. It is a courtesy: nothing is
//! decided by it, and it may be lost.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use crate::ids::StaffId;

/// For so long somebody is there after their page has last said so.
pub const LASTS: TimeDelta = TimeDelta::seconds(45);
/// People who are remembered at once: who comes later is not shown.
pub const MOST: usize = 50;

/// Somebody who has the alert open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Present {
    /// Who.
    pub staff: StaffId,
    /// Whether they are writing in it.
    pub editing: bool,
    /// Since when they have it open.
    pub since: DateTime<Utc>,
    /// When their page last said so.
    pub seen: DateTime<Utc>,
}

/// Those who are still there.
#[must_use]
pub fn still_there(people: Vec<Present>, now: DateTime<Utc>) -> Vec<Present> {
    people.into_iter().filter(|one| now < one.seen + LASTS).collect()
}

/// Somebody's page says that it is open. Also whether anything is new to the others: that they are there, or write, or no longer.
#[must_use]
pub fn arrived(people: Vec<Present>, staff: StaffId, editing: bool, now: DateTime<Utc>) -> (Vec<Present>, bool) {
    let before = people.len();
    let mut people = still_there(people, now);
    let somebody_left = people.len() != before;
    let is_new = match people.iter().position(|one| one.staff == staff) {
        Some(at) => {
            let writes_otherwise = people[at].editing != editing;
            (people[at].editing, people[at].seen) = (editing, now);
            writes_otherwise
        }
        None if people.len() < MOST => {
            people.push(Present { staff, editing, since: now, seen: now });
            true
        }
        None => false,
    };
    (people, somebody_left || is_new)
}

/// Somebody's page is left. Also whether they were there.
#[must_use]
pub fn left(mut people: Vec<Present>, staff: StaffId) -> (Vec<Present>, bool) {
    let before = people.len();
    people.retain(|one| one.staff != staff);
    let was_there = people.len() != before;
    (people, was_there)
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn person(number: usize) -> StaffId {
        StaffId::from_uuid(Uuid::from_u128(number as u128))
    }

    fn at(seconds: i64) -> DateTime<Utc> {
        "2026-11-02T04:00:00Z".parse::<DateTime<Utc>>().unwrap() + TimeDelta::seconds(seconds)
    }

    #[test]
    fn others_hear_of_who_comes_writes_and_leaves_but_not_of_every_breath() {
        let (people, news) = arrived(Vec::new(), person(1), false, at(0));
        assert!(news);
        let (people, news) = arrived(people, person(1), false, at(15));
        assert!(!news, "the same as before");
        let (people, news) = arrived(people, person(1), true, at(30));
        assert!(news, "begins to write");
        assert_eq!(people, [Present { staff: person(1), editing: true, since: at(0), seen: at(30) }]);
        assert_eq!(left(people.clone(), person(2)), (people.clone(), false));
        assert_eq!(left(people, person(1)), (vec![], true));
    }

    #[test]
    fn who_says_nothing_for_a_while_has_gone() {
        let (people, _) = arrived(Vec::new(), person(1), true, at(0));
        assert_eq!(still_there(people.clone(), at(44)).len(), 1);
        assert_eq!(still_there(people.clone(), at(45)), []);
        let (people, _) = arrived(people, person(2), false, at(30));
        let (people, news) = arrived(people, person(2), false, at(50));
        assert!(news, "the other has gone");
        assert_eq!(people.len(), 1);
    }

    #[test]
    fn a_crowd_is_not_counted() {
        let crowd = (0..MOST + 5).fold(Vec::new(), |people, number| arrived(people, person(number), false, at(0)).0);
        assert_eq!(crowd.len(), MOST);
    }
}
