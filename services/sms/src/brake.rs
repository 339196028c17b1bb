//! Whether a refusal is one message's or everybody's: a decision without I/O.
//!
//! A wrong sender, a wrong service type, a coding that the centre does not know: it refuses every message with the same words as it
//! would refuse one. Closed as unreachable, a city could not be told any more. So refusals are kept until it is seen what most get: when
//! most are refused, the fault is ours and an operator has to mend it; one among many that are taken is that message's. So, too,
//! when the centre fails with nearly all of a first try: then it is away, and whoever was not tried yet waits without a try counted. (In a second try those come
//! together for whom it failed; there it says nothing of the others.)

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use domain::outcome::Outcome;

/// So many answers are looked at, the latest ones,
const LOOKED_AT: usize = 32;
/// and so many are needed before the brake is applied under way.
const ENOUGH: usize = 16;

/// What an answer says of the account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sign {
    /// The centre works for us: it took the message, or named the recipient's fault.
    Works,
    /// It refuses what we send.
    Refuses,
    /// It fails.
    Fails,
}

impl Sign {
    fn of(outcome: Outcome) -> Option<Self> {
        match outcome {
            Outcome::Accepted | Outcome::AcceptedByBrowser | Outcome::EndpointGone => Some(Self::Works),
            Outcome::Permanent | Outcome::CredentialsRefused => Some(Self::Refuses),
            Outcome::Temporary => Some(Self::Fails),
            Outcome::Pending | Outcome::Throttled | Outcome::NoEndpoint | Outcome::Withdrawn => None,
        }
    }
}

/// The latest answers.
#[derive(Debug, Default)]
struct Latest(VecDeque<Sign>);

impl Latest {
    fn add(&mut self, sign: Sign) {
        if self.0.len() == LOOKED_AT {
            self.0.pop_front();
        }
        self.0.push_back(sign);
    }

    fn count(&self, sign: Sign) -> usize {
        self.0.iter().filter(|seen| **seen == sign).count()
    }
}

/// What the account was answered lately, over all batches: a batch of few cannot tell by itself.
#[derive(Debug, Default)]
pub(crate) struct Memory(Mutex<Latest>);

/// Why a batch goes no further.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Applied {
    /// The centre refuses everything: an operator acts.
    Ours,
    /// The centre fails with nearly everything: later.
    Away,
}

/// The brake of one batch.
#[derive(Debug)]
pub(crate) struct Brake<'a> {
    memory: &'a Memory,
    first_try: bool,
    latest: Latest,
    answers: usize,
}

impl<'a> Brake<'a> {
    pub(crate) fn new(memory: &'a Memory, first_try: bool) -> Self {
        Self { memory, first_try, latest: Latest::default(), answers: 0 }
    }

    /// Takes an answer in, and tells whether to go no further.
    pub(crate) fn took(&mut self, outcome: Outcome) -> Option<Applied> {
        let sign = Sign::of(outcome)?;
        self.answers += 1;
        self.latest.add(sign);
        self.memory.0.lock().unwrap_or_else(PoisonError::into_inner).add(sign);
        (self.latest.0.len() >= ENOUGH).then(|| self.applied()).flatten()
    }

    fn applied(&self) -> Option<Applied> {
        let (all, refused, failed) = (self.latest.0.len(), self.latest.count(Sign::Refuses), self.latest.count(Sign::Fails));
        if refused * 2 > all {
            Some(Applied::Ours)
        } else if self.first_try && failed * 8 >= all * 7 {
            Some(Applied::Away)
        } else {
            None
        }
    }

    /// At the end: whether the batch's refusals are the fault of the account, not of its messages.
    pub(crate) fn refusals_are_ours(&self) -> bool {
        let memory = self.memory.0.lock().unwrap_or_else(PoisonError::into_inner);
        // The memory holds this batch's answers too.
        let seen = if self.answers >= ENOUGH { &self.latest } else { &*memory };
        seen.count(Sign::Refuses) > seen.count(Sign::Works)
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use Outcome::*;

    /// Every so-manieth answer is another.
    fn answers(count: usize, usual: Outcome, every: usize, other: Outcome) -> Vec<Outcome> {
        (1..=count).map(|number| if number % every == 0 { other } else { usual }).collect()
    }

    #[rstest]
    #[case::all_is_well(answers(100, Accepted, 100, Accepted), None, false)]
    #[case::one_refused_among_many(answers(100, Accepted, 50, Permanent), None, false)]
    #[case::a_few_refused(answers(100, Accepted, 4, Permanent), None, false)]
    #[case::all_refused(answers(100, Permanent, 100, Permanent), Some(Applied::Ours), true)]
    #[case::most_refused(answers(100, Permanent, 3, Accepted), Some(Applied::Ours), true)]
    #[case::refused_from_the_middle_on([answers(500, Accepted, 500, Accepted), answers(30, Permanent, 30, Permanent)].concat(), Some(Applied::Ours), true)]
    #[case::one_person(vec![Permanent], None, true)]
    #[case::a_few_people(vec![Permanent, EndpointGone, Permanent], None, true)]
    #[case::one_who_may_not_be_written_to(answers(100, Accepted, 60, CredentialsRefused), None, false)]
    #[case::an_account_that_may_not_send(answers(100, CredentialsRefused, 100, CredentialsRefused), Some(Applied::Ours), true)]
    #[case::half_of_a_few(vec![Permanent, Accepted], None, false)]
    #[case::numbers_that_are_gone(answers(100, EndpointGone, 100, EndpointGone), None, false)]
    #[case::the_centre_fails(answers(100, Temporary, 100, Temporary), Some(Applied::Away), false)]
    #[case::it_fails_now_and_then(answers(100, Temporary, 2, Accepted), None, false)]
    #[case::throttled_says_nothing(answers(100, Throttled, 100, Throttled), None, false)]
    fn what_most_get_is_the_accounts(#[case] answers: Vec<Outcome>, #[case] applied: Option<Applied>, #[case] ours: bool) {
        let memory = Memory::default();
        let mut brake = Brake::new(&memory, true);
        assert_eq!(answers.into_iter().find_map(|outcome| brake.took(outcome)), applied);
        assert_eq!(brake.refusals_are_ours(), ours);
    }

    #[test]
    fn those_for_whom_it_failed_before_do_not_make_the_centre_away() {
        let memory = Memory::default();
        let mut again = Brake::new(&memory, false);
        assert_eq!(answers(100, Temporary, 100, Temporary).into_iter().find_map(|outcome| again.took(outcome)), None);
    }

    #[test]
    fn a_batch_of_one_is_judged_by_what_others_got_lately() {
        let memory = Memory::default();
        let mut others = Brake::new(&memory, true);
        answers(50, Accepted, 50, Accepted).into_iter().for_each(|outcome| assert_eq!(others.took(outcome), None));
        let mut one = Brake::new(&memory, true);
        assert_eq!(one.took(Permanent), None);
        assert!(!one.refusals_are_ours(), "the account works: it is that message");
    }
}
