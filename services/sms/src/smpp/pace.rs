//! How hard the centre is driven, by what it answers: a decision without I/O.
//!
//! * **Rate.** A centre that throttles a part here and there delays those parts alone. When it throttles many, the rate falls by
//!   a third, again and again; when it takes them, the rate rises slowly to what was agreed.
//! * **Window.** A centre whose answers become slow has enough to do: fewer parts are put to it at once. When they stay out
//!   altogether, one part at a time tries whether it is back; each answer in good time lets one more go.

use std::time::Duration;

/// Answers after which the share of the throttled is judged.
const JUDGED: u32 = 50;
/// More of them than this share are many.
const MANY: f64 = 0.1;
/// What the rate becomes where many are throttled,
const FALL: f64 = 0.7;
/// by how much of the full rate it rises where few are,
const RISE: f64 = 0.05;
/// and the share of the full rate that it never falls below.
const LEAST_RATE: f64 = 0.01;
/// An answer that takes longer is slow. As long as they do come, half of the window is put to the centre.
const SLOW: Duration = Duration::from_secs(5);

/// What the centre did with a part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answer {
    /// It answered, yes or no, after so long.
    After(Duration),
    /// It asked to slow down.
    Throttled,
    /// It said nothing until the time-out.
    None,
}

/// The pace of one account.
#[derive(Debug)]
pub(super) struct Pace {
    rate: f64,
    answers: u32,
    throttled: u32,
    full_window: f64,
    window: f64,
    /// Answers until the window may shrink again: a whole window of parts was put to the centre before it did.
    settling: f64,
}

impl Pace {
    /// Full speed, with a window of so many parts over all links.
    pub(super) fn new(window: usize) -> Self {
        let window = window as f64;
        Self { rate: 1.0, answers: 0, throttled: 0, full_window: window, window, settling: 0.0 }
    }

    /// The share of the agreed rate at which parts go out.
    pub(super) fn rate(&self) -> f64 {
        self.rate
    }

    /// How many parts may be without their answer, at least one.
    pub(super) fn window(&self) -> usize {
        self.window.max(1.0) as usize
    }

    /// Takes an answer in.
    pub(super) fn took(&mut self, answer: Answer) {
        self.settling = (self.settling - 1.0).max(0.0);
        match answer {
            Answer::None => self.shrink(1.0),
            Answer::After(time) if time > SLOW => self.shrink(self.full_window / 2.0),
            Answer::After(_) => self.window = (self.window + 1.0).min(self.full_window),
            Answer::Throttled => {}
        }
        if answer != Answer::None {
            self.judge(answer == Answer::Throttled);
        }
    }

    fn shrink(&mut self, least: f64) {
        if self.settling <= 0.0 && self.window > least {
            self.window = (self.window / 2.0).max(least);
            self.settling = self.window;
        }
    }

    fn judge(&mut self, throttled: bool) {
        self.answers += 1;
        self.throttled += u32::from(throttled);
        if self.answers < JUDGED {
            return;
        }
        let share = f64::from(self.throttled) / f64::from(self.answers);
        self.rate = if share > MANY { (self.rate * FALL).max(LEAST_RATE) } else { (self.rate + RISE).min(1.0) };
        (self.answers, self.throttled) = (0, 0);
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    const QUICK: Answer = Answer::After(Duration::from_millis(20));
    const SLOWLY: Answer = Answer::After(Duration::from_secs(12));

    /// A pace after so many answers, every so-manieth of them another.
    fn after(answers: usize, usual: Answer, every: usize, other: Answer) -> Pace {
        let mut pace = Pace::new(128);
        (1..=answers).for_each(|number| pace.took(if number % every == 0 { other } else { usual }));
        pace
    }

    #[rstest]
    #[case::all_is_well(QUICK, 1.0..=1.0)]
    #[case::one_in_a_hundred(Answer::Throttled, 1.0..=1.0)]
    fn few_throttled_parts_change_nothing_for_the_others(#[case] other: Answer, #[case] rate: std::ops::RangeInclusive<f64>) {
        let pace = after(5_000, QUICK, 100, other);
        assert!(rate.contains(&pace.rate()) && pace.window() == 128, "{pace:?}");
    }

    #[test]
    fn many_throttled_parts_lower_the_rate_until_few_are_left_and_it_rises_again() {
        let mut pace = after(500, QUICK, 2, Answer::Throttled);
        assert!(pace.rate() < 0.05, "{pace:?}");
        (0..100_000).for_each(|_| pace.took(Answer::Throttled));
        assert!(pace.rate() >= LEAST_RATE, "never at a stand");
        (0..1_200).for_each(|_| pace.took(QUICK));
        assert!(pace.rate() >= 1.0, "{pace:?}");
    }

    #[test]
    fn slow_answers_halve_the_window_once_and_quick_ones_open_it() {
        let mut pace = after(1_000, SLOWLY, 1_000, SLOWLY);
        assert_eq!(pace.window(), 64);
        (0..64).for_each(|_| pace.took(QUICK));
        assert_eq!(pace.window(), 128);
    }

    #[test]
    fn a_silent_centre_is_tried_with_one_part_at_a_time_until_it_answers() {
        let mut pace = after(256, Answer::None, 256, Answer::None);
        assert_eq!(pace.window(), 1);
        pace.took(QUICK);
        assert_eq!(pace.window(), 2);
        (0..126).for_each(|_| pace.took(QUICK));
        assert_eq!((pace.window(), pace.rate()), (128, 1.0));
    }
}
