//! Which alert a reply without a code is about.
//!
//! Nobody answers what they have not been sent. So it is the newest alert that this phone was handed by SMS before the reply was written, that is
//! still open, and that the person has not acknowledged yet: two alerts are confirmed in turn by "1" and "1". Whoever has acknowledged
//! everything says it once more of the newest.

use chrono::{DateTime, TimeDelta, Utc};

use crate::ids::AlertId;

/// An alert that was handed to a phone by SMS and was open when the reply was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Handed {
    /// Which.
    pub alert: AlertId,
    /// When it was written down as handed over: at once or some time after the SMS centre took it.
    pub at: DateTime<Utc>,
    /// Whether the person has acknowledged it already.
    pub acknowledged: bool,
}

/// So much later than the reply may the hand-over be written down: centres tell a reply's time to the minute, clocks differ, and what was handed
/// over is stored many at a time.
pub const WRITTEN_DOWN_WITHIN: TimeDelta = TimeDelta::minutes(2);

/// The alert that a reply of this time means.
pub fn meant(handed: &[Handed], said_at: DateTime<Utc>) -> Option<AlertId> {
    let candidates = || handed.iter().filter(|handed| handed.at <= said_at + WRITTEN_DOWN_WITHIN);
    // Before the reply the newest; after it the one that was written down soonest.
    let likely = |handed: &&Handed| if handed.at <= said_at { (1, handed.at - said_at) } else { (0, said_at - handed.at) };
    candidates()
        .filter(|handed| !handed.acknowledged)
        .max_by_key(likely)
        .or_else(|| candidates().max_by_key(likely))
        .map(|handed| handed.alert)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use uuid::Uuid;

    use super::*;

    /// Alerts by a letter, each with the second of its hand-over; in capitals what is acknowledged.
    fn handed(story: &[(char, i64)]) -> Vec<Handed> {
        let handed = |(name, at): &(char, i64)| Handed {
            alert: AlertId::from_uuid(Uuid::from_u128(u128::from(u32::from(name.to_ascii_lowercase())))),
            at: DateTime::UNIX_EPOCH + TimeDelta::seconds(*at),
            acknowledged: name.is_ascii_uppercase(),
        };
        story.iter().map(handed).collect()
    }

    #[rstest]
    #[case::nothing_was_handed(&[], 600, None)]
    #[case::the_only_one(&[('a', 0)], 600, Some('a'))]
    #[case::the_newest(&[('a', 0), ('b', 500)], 600, Some('b'))]
    #[case::the_order_of_the_list_is_of_no_importance(&[('b', 500), ('a', 0)], 600, Some('b'))]
    #[case::the_newest_is_acknowledged(&[('a', 0), ('B', 500)], 600, Some('a'))]
    #[case::everything_is_acknowledged(&[('A', 0), ('B', 500)], 600, Some('b'))]
    #[case::the_newer_one_came_after_the_reply(&[('a', 0), ('b', 5_000)], 600, Some('a'))]
    #[case::the_newer_one_was_written_down_just_after_the_reply(&[('a', 0), ('b', 660)], 600, Some('a'))]
    #[case::a_quick_answer_overtakes_what_is_written_down(&[('b', 660)], 600, Some('b'))]
    #[case::of_two_such_the_sooner(&[('c', 700), ('b', 660)], 600, Some('b'))]
    #[case::but_not_for_ever(&[('b', 721)], 600, None)]
    fn a_reply_without_a_code_is_about(#[case] story: &[(char, i64)], #[case] said_at: i64, #[case] about: Option<char>) {
        let said_at = DateTime::UNIX_EPOCH + TimeDelta::seconds(said_at);
        let about = about.map(|name| AlertId::from_uuid(Uuid::from_u128(u128::from(u32::from(name)))));
        assert_eq!(meant(&handed(story), said_at), about);
    }
}
