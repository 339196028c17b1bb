//! Who hears that an alert has ended: those who hold its word, by what they got it.

use roaring::RoaringBitmap;

use crate::outcome::Channel;

/// People by the channel on which they hold the word of an alert. Who got it on both holds it on both.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Hearers {
    /// On the phone's screen.
    pub app: RoaringBitmap,
    /// Among the short messages.
    pub sms: RoaringBitmap,
}

impl Hearers {
    /// These people were handed the alert on this channel. Screens hold nothing that outlasts the alert.
    pub fn handed_over(&mut self, channel: Channel, residents: impl IntoIterator<Item = u32>) {
        match channel {
            Channel::App => self.app.extend(residents),
            Channel::Sms => self.sms.extend(residents),
            Channel::Display => {}
        }
    }

    /// Everybody, whatever they got it by.
    #[must_use]
    pub fn everybody(&self) -> RoaringBitmap {
        &self.app | &self.sms
    }

    /// Leaves out people who know already, or hear of it otherwise.
    pub fn leave_out(&mut self, residents: &RoaringBitmap) {
        self.app -= residents;
        self.sms -= residents;
    }

    /// Who holds some word of a chain of corrections, when the next correction was handed over to `next`: a person's last word counts.
    #[must_use]
    pub fn corrected_by(mut self, next: Self) -> Self {
        self.leave_out(&next.everybody());
        Self { app: self.app | next.app, sms: self.sms | next.sms }
    }

    /// Those of the numbers above `after` that come first, at most `limit` people, ascending, and the last of them if there may be more.
    #[must_use]
    pub fn next(&self, everybody: &RoaringBitmap, after: Option<u32>, limit: usize) -> (Vec<u32>, Vec<u32>, Option<u32>) {
        let from = match after {
            Some(u32::MAX) => return (Vec::new(), Vec::new(), None),
            Some(after) => after + 1,
            None => 0,
        };
        let people: Vec<u32> = everybody.range(from..).take(limit).collect();
        let Some(last) = people.last().copied() else { return (Vec::new(), Vec::new(), None) };
        let of = |channel: &RoaringBitmap| channel.range(from..=last).collect();
        (of(&self.app), of(&self.sms), (people.len() == limit).then_some(last))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hearers(app: &[u32], sms: &[u32]) -> Hearers {
        Hearers { app: app.iter().copied().collect(), sms: sms.iter().copied().collect() }
    }

    #[test]
    fn people_are_told_on_every_channel_that_carried_the_alert() {
        let mut held = Hearers::default();
        held.handed_over(Channel::App, [1, 2]);
        held.handed_over(Channel::Sms, [2, 3]);
        held.handed_over(Channel::Display, [4]);
        assert_eq!(held, hearers(&[1, 2], &[2, 3]));
        assert_eq!(held.everybody().len(), 3);
    }

    #[test]
    fn the_last_word_of_a_chain_of_corrections_counts() {
        let held = hearers(&[1, 2], &[3, 4]).corrected_by(hearers(&[2, 3], &[]));
        assert_eq!(held, hearers(&[1, 2, 3], &[4]), "whoever got the correction by app no longer holds the old message");
        let mut left = held;
        left.leave_out(&[1, 4].into_iter().collect());
        assert_eq!(left, hearers(&[2, 3], &[]));
    }

    #[test]
    fn they_are_gone_through_by_ascending_number_and_nobody_is_passed_over() {
        let held = hearers(&[1, 5, 9, u32::MAX], &[2, 5, 7]);
        let (everybody, mut after, mut app, mut sms) = (held.everybody(), None, Vec::new(), Vec::new());
        loop {
            let (by_app, by_sms, last) = held.next(&everybody, after, 2);
            app.extend(by_app);
            sms.extend(by_sms);
            if last.is_none() {
                break;
            }
            after = last;
        }
        assert_eq!((app, sms), (vec![1, 5, 9, u32::MAX], vec![2, 5, 7]));
        assert_eq!(Hearers::default().next(&RoaringBitmap::new(), None, 2), (vec![], vec![], None));
    }
}
