//! Whom a provider's answer is about: this recipient, our account, or us.
//!
//! "Bad device token" is what Apple says of one token that is none, and of every token where we ask the wrong service. No answer tells which
//! of the two it is; what the others get does. So a refusal counts as ours only when nearly everybody gets it ([`Answers::are_ours`]). Until then
//! it is the recipient's, who is told another way: a mistake of ours that looks like a recipient's costs some short messages, a recipient's that
//! looks like ours would keep everybody waiting.

/// Whom an answer is about that says it itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// This recipient alone: nobody else's message waits for it.
    Recipient,
    /// Our account as a whole: all of its messages.
    Account,
}

/// How plainly a refusal speaks of us.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Refusal {
    /// It may be about the recipient as well, such as a token that is none.
    Doubtful,
    /// It names our credentials: one is enough where nobody is accepted.
    Plain,
}

/// So many doubtful refusals are needed to blame us: a person has a few devices, and a few people may have useless ones.
const FEWEST_DOUBTFUL: u32 = 5;

impl Refusal {
    const fn fewest(self) -> u32 {
        match self {
            Self::Doubtful => FEWEST_DOUBTFUL,
            Self::Plain => 1,
        }
    }
}

/// What was said to some messages that went the same way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Answers {
    /// Messages that the provider took.
    pub accepted: u32,
    /// Messages that it refused, for whatever reason could be ours.
    pub refused: u32,
}

impl Answers {
    /// Too few to judge by alone: what was said before has to be looked at too.
    pub const fn are_few(self) -> bool {
        self.accepted + self.refused < FEWEST_DOUBTFUL
    }

    /// Whether the refusals are ours to mend: three in four of all, and enough of them.
    pub const fn are_ours(self, plainest: Refusal) -> bool {
        self.refused >= plainest.fewest() && self.refused as u64 * 4 >= (self.accepted as u64 + self.refused as u64) * 3
    }

    /// Whether a token that is called none may be believed to be none: some were taken, and hardly any are called so.
    pub const fn are_single(self) -> bool {
        self.accepted > 0 && (self.refused < FEWEST_DOUBTFUL || self.refused as u64 * 20 <= self.accepted as u64 + self.refused as u64)
    }

    /// Whether so many are refused that somebody should look, whoever's fault it is.
    pub const fn are_strange(self) -> bool {
        self.refused >= FEWEST_DOUBTFUL && self.refused as u64 * 20 > self.accepted as u64 + self.refused as u64
    }
}

/// What one answer says of the account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Said {
    /// The message was taken.
    Accepted,
    /// It was refused, for a reason that could be ours.
    Refused,
    /// The account was asked to slow down.
    Throttled,
}

/// The last [`Window::SIZE`] answers of an account, over all batches.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Window {
    refused: u64,
    throttled: u64,
    seen: u32,
}

/// One answer that asks to slow down is about its moment; so many are about the account.
const FEWEST_THROTTLED: u32 = 3;

impl Window {
    /// How many answers are remembered.
    pub const SIZE: u32 = u64::BITS;

    /// One more answer; the oldest is forgotten.
    pub const fn saw(&mut self, said: Said) {
        self.saw_accepted(1);
        match said {
            Said::Accepted => {}
            Said::Refused => self.refused |= 1,
            Said::Throttled => self.throttled |= 1,
        }
    }

    /// So many more were taken.
    pub const fn saw_accepted(&mut self, many: u32) {
        self.refused = shifted(self.refused, many);
        self.throttled = shifted(self.throttled, many);
        self.seen = if many > Self::SIZE - self.seen { Self::SIZE } else { self.seen + many };
    }

    /// The account was left alone for a while: what it was asked before says nothing more.
    pub const fn rested(&mut self) {
        self.throttled = 0;
    }

    /// What was accepted and refused of late.
    pub const fn answers(self) -> Answers {
        let (refused, throttled) = (self.refused.count_ones(), self.throttled.count_ones());
        Answers { accepted: self.seen - refused - throttled, refused }
    }

    /// Whether the account as a whole is asked to slow down: half of its messages, and more than a few.
    pub const fn is_throttled(self) -> bool {
        let throttled = self.throttled.count_ones();
        throttled >= FEWEST_THROTTLED && throttled * 2 >= self.seen
    }
}

const fn shifted(bits: u64, by: u32) -> u64 {
    if by >= u64::BITS { 0 } else { bits << by }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    // accepted, refused, how plainly; ours?
    #[case::one_bad_token_among_many(3_999, 1, Refusal::Doubtful, false)]
    #[case::a_few_bad_tokens_and_nobody_else(0, 4, Refusal::Doubtful, false)]
    #[case::the_wrong_topic(0, 4_000, Refusal::Doubtful, true)]
    #[case::the_wrong_topic_for_a_small_batch(0, 5, Refusal::Doubtful, true)]
    #[case::a_second_app_of_the_city_has_a_third(2_600, 1_400, Refusal::Doubtful, false)]
    #[case::nearly_everybody(100, 3_900, Refusal::Doubtful, true)]
    #[case::a_key_that_is_none(0, 1, Refusal::Plain, true)]
    #[case::one_hiccup_among_accepted_ones(3, 1, Refusal::Plain, false)]
    #[case::nothing_was_refused(0, 0, Refusal::Plain, false)]
    fn a_refusal_is_ours_when_nearly_everybody_gets_it(
        #[case] accepted: u32,
        #[case] refused: u32,
        #[case] plainest: Refusal,
        #[case] ours: bool,
    ) {
        assert_eq!(Answers { accepted, refused }.are_ours(plainest), ours);
    }

    #[rstest]
    #[case::one_of_three(2, 1, true)]
    #[case::one_of_a_thousand(999, 1, true)]
    #[case::nobody_else_to_compare_with(0, 1, false)]
    #[case::four_in_a_hundred(96, 4, true)]
    #[case::a_fifth(80, 20, false)]
    #[case::one_in_twenty(95, 5, true)]
    fn a_token_is_called_none_only_among_tokens_that_are_taken(#[case] accepted: u32, #[case] refused: u32, #[case] single: bool) {
        let answers = Answers { accepted, refused };
        assert_eq!(answers.are_single(), single);
        assert_eq!(answers.are_strange(), !single && refused >= 5);
    }

    #[test]
    fn the_window_forgets_what_is_long_past() {
        let mut window = Window::default();
        window.saw_accepted(200);
        (0..5).for_each(|_| window.saw(Said::Refused));
        assert_eq!(window.answers(), Answers { accepted: 59, refused: 5 });
        (0..64).for_each(|_| window.saw(Said::Refused));
        assert_eq!(window.answers(), Answers { accepted: 0, refused: 64 });
    }

    #[test]
    fn one_answer_that_asks_to_wait_stops_no_account_and_repeated_ones_do() {
        let mut window = Window::default();
        (0..2).for_each(|_| window.saw(Said::Throttled));
        assert!(!window.is_throttled());
        window.saw(Said::Throttled);
        assert!(window.is_throttled());
        (0..4).for_each(|_| window.saw(Said::Accepted));
        assert!(!window.is_throttled(), "three of seven");
        (0..9).for_each(|_| window.saw(Said::Throttled));
        window.rested();
        window.saw(Said::Throttled);
        assert!(!window.is_throttled(), "it was left alone");
        let mut busy = Window::default();
        (0..10_000).for_each(|nth| busy.saw(if nth % 200 == 0 { Said::Throttled } else { Said::Accepted }));
        assert!(!busy.is_throttled());
    }
}
