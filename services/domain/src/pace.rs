//! How fast an account that was asked to slow down is used: half as fast at once, then faster step by step, until it is asked again.
//!
//! That is how senders share a way whose width nobody tells them (additive increase, multiplicative decrease). An account stands still only
//! where the provider asks for it again and again ([`crate::refusal::Window::is_throttled`]).

use chrono::{DateTime, TimeDelta, Utc};

/// Answers to messages that were sent before a cut come in for about so long, and say nothing about the new pace.
const ROUND_TRIP: TimeDelta = TimeDelta::seconds(1);
/// After so long without a cut the next word of the provider is a new one.
const FRESH: TimeDelta = TimeDelta::seconds(30);
/// What is won back each second; so the pace never falls below a tenth either.
const STEP: f64 = 0.1;

/// The pace of one account, as a share of its rate.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pace {
    /// After the last cut.
    share: f64,
    cut_at: Option<DateTime<Utc>>,
    answers: u64,
    throttled: u64,
}

impl Default for Pace {
    fn default() -> Self {
        Self { share: 1.0, cut_at: None, answers: 0, throttled: 0 }
    }
}

impl Pace {
    /// The share of the rate that may be used at `now`: above 0, at most 1.
    pub fn share(&self, now: DateTime<Utc>) -> f64 {
        let Some(cut_at) = self.cut_at else { return 1.0 };
        let seconds = (now - cut_at).num_milliseconds().max(0) as f64 / 1_000.0;
        (self.share + seconds * STEP).min(1.0)
    }

    /// So many messages were taken.
    pub fn accepted(&mut self, many: u32) {
        self.answers += u64::from(many);
    }

    /// The provider asked to slow down. True: the pace was cut in half.
    ///
    /// A few in a thousand are told so by every busy provider: after a cut it takes more than one in fifty for another.
    pub fn throttled(&mut self, now: DateTime<Utc>) -> bool {
        let since = self.cut_at.map_or(TimeDelta::MAX, |cut_at| now - cut_at);
        if since < ROUND_TRIP {
            return false;
        }
        self.answers += 1;
        self.throttled += 1;
        let cut = since >= FRESH || self.throttled * 50 >= self.answers;
        if cut {
            *self = Self { share: self.share(now) / 2.0, cut_at: Some(now), answers: 0, throttled: 0 };
        }
        cut
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::milliseconds(ms)
    }

    #[test]
    fn the_first_word_halves_the_pace_and_it_comes_back_in_steps() {
        let mut pace = Pace::default();
        assert_eq!(pace.share(at(0)), 1.0);
        assert!(pace.throttled(at(0)));
        assert_eq!(pace.share(at(0)), 0.5);
        assert!((pace.share(at(2_000)) - 0.7).abs() < 1e-9);
        assert_eq!(pace.share(at(5_000)), 1.0);
        assert_eq!(pace.share(at(3_600_000)), 1.0);
    }

    #[test]
    fn a_thousand_messages_on_the_way_are_one_word() {
        let mut pace = Pace::default();
        let cuts = (0..1_000).filter(|nth| pace.throttled(at(nth % 900))).count();
        assert_eq!((cuts, pace.share(at(0))), (1, 0.5));
    }

    #[test]
    fn a_provider_that_goes_on_asking_is_sent_less_and_less_but_never_nothing() {
        let mut pace = Pace::default();
        for second in 0..60 {
            (0..10).for_each(|_| _ = pace.throttled(at(second * 1_000)));
        }
        let share = pace.share(at(59_000));
        assert!((0.1..0.15).contains(&share), "{share}");
    }

    #[test]
    fn a_few_in_a_thousand_cost_next_to_nothing() {
        let (mut pace, mut sent) = (Pace::default(), 0.0);
        for ms in 0..120_000 {
            // ten messages a millisecond, one in two hundred is asked to slow down
            sent += pace.share(at(ms));
            pace.accepted(10);
            if ms % 20 == 0 {
                pace.throttled(at(ms));
            }
        }
        assert!(sent > 120_000.0 / 1.1, "{sent}");
    }
}
