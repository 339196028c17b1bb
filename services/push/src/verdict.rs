//! Refusals that may be ours, kept until it is known what the others of the batch were answered ([`domain::refusal`]).

use std::collections::BTreeMap;

use domain::outcome::Outcome;
use domain::refusal::{Answers, Refusal, Window};

use crate::account::Account;
use crate::answer::ProviderAnswer;

/// What one batch was answered by one account.
#[derive(Debug, Default)]
pub(crate) struct Verdict {
    answers: Answers,
    plainest: Option<Refusal>,
    /// Who was refused, by the place in the batch.
    refused: Vec<(usize, ProviderAnswer)>,
}

/// Whose fault the refusals are.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Judged {
    /// Ours: who was refused, or not even asked, waits for an operator.
    Ours(Vec<usize>),
    /// Each recipient's own, with what becomes of it.
    Theirs(Vec<(usize, Outcome)>),
}

impl Verdict {
    /// One more message was taken.
    pub(crate) fn accepted(&mut self) {
        self.answers.accepted += 1;
    }

    /// One was refused, so plainly.
    pub(crate) fn refused(&mut self, at: usize, answer: ProviderAnswer, how: Refusal) {
        self.answers.refused += 1;
        self.plainest = self.plainest.max(Some(how));
        self.refused.push((at, answer));
    }

    /// Whether it is of no use to ask for the others: so many were told plainly that we are refused. A doubtful refusal never comes to that: the
    /// first of a batch may all be of people who would like to hold the others up.
    pub(crate) fn is_hopeless(&self) -> bool {
        self.plainest == Some(Refusal::Plain) && self.answers.refused >= Window::SIZE && self.answers.are_ours(Refusal::Plain)
    }

    /// Judges, all answers being in. `unsent` were not asked because it was hopeless.
    pub(crate) fn judge(self, account: &Account, unsent: Vec<usize>) -> Judged {
        let Some(plainest) = self.plainest else { return Judged::Theirs(Vec::new()) };
        // A few doubtful refusals say nothing by themselves; with what the account was answered before they may.
        let seen = if self.answers.are_few() && plainest == Refusal::Doubtful { account.answers() } else { self.answers };
        let ours = seen.are_ours(plainest);
        self.tell(account, seen, ours);
        if ours {
            return Judged::Ours(self.refused.into_iter().map(|(at, _)| at).chain(unsent).collect());
        }
        let outcome = |answer: &ProviderAnswer| match answer {
            ProviderAnswer::NoSuchEndpoint { .. } if seen.are_single() => Outcome::EndpointGone,
            // Others are taken with the same credentials: it may have been a moment's trouble.
            ProviderAnswer::CredentialsRefused { .. } => Outcome::Temporary,
            _ => Outcome::Permanent,
        };
        Judged::Theirs(self.refused.iter().map(|(at, answer)| (*at, outcome(answer))).collect())
    }

    fn tell(&self, account: &Account, seen: Answers, ours: bool) {
        let mut reasons: BTreeMap<&'static str, u64> = BTreeMap::new();
        for (_, reason) in self.refused.iter().filter_map(|(_, answer)| answer.refusal()) {
            *reasons.entry(reason).or_default() += 1;
        }
        let whose = if ours { "us" } else { "recipient" };
        for (reason, count) in &reasons {
            metrics::counter!("push_refusals_total", "account" => account.name.clone(), "reason" => *reason, "whose" => whose)
                .increment(*count);
        }
        let most = reasons.iter().max_by_key(|(_, count)| **count).map(|(reason, _)| *reason);
        match most {
            Some(reason) if ours => account.refuse(reason),
            Some(reason) if seen.are_strange() => {
                let Answers { accepted, refused } = seen;
                tracing::warn!(
                    account = account.name,
                    reason,
                    accepted,
                    refused,
                    "many devices are refused: they may belong to another app or key"
                );
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use platform::cache::Cache;
    use platform::clock::Clock;

    use super::*;

    const BAD_TOKEN: ProviderAnswer = ProviderAnswer::NoSuchEndpoint { reason: "BadDeviceToken" };
    const NO_KEY: ProviderAnswer = ProviderAnswer::CredentialsRefused { reason: "InvalidProviderToken" };
    const TOO_LARGE: ProviderAnswer = ProviderAnswer::Permanent { reason: "PayloadTooLarge" };

    fn account() -> Account {
        let clock = Clock::moved(DateTime::from_timestamp(1_700_000_000, 0).unwrap());
        Account::new("apns".to_owned(), None, Cache::in_process(&clock), clock)
    }

    fn judged(account: &Account, accepted: usize, refused: &[ProviderAnswer]) -> Judged {
        let mut verdict = Verdict::default();
        (0..accepted).for_each(|_| verdict.accepted());
        account.accepted(u32::try_from(accepted).unwrap());
        for (at, answer) in refused.iter().enumerate() {
            let (how, _) = answer.refusal().unwrap();
            account.refused_one();
            verdict.refused(at, answer.clone(), how);
        }
        verdict.judge(account, Vec::new())
    }

    #[test]
    fn one_refusal_among_many_is_the_recipients_own() {
        assert_eq!(judged(&account(), 99, &[BAD_TOKEN]), Judged::Theirs(vec![(0, Outcome::EndpointGone)]));
        assert_eq!(judged(&account(), 99, &[TOO_LARGE]), Judged::Theirs(vec![(0, Outcome::Permanent)]));
        assert_eq!(judged(&account(), 99, &[NO_KEY]), Judged::Theirs(vec![(0, Outcome::Temporary)]));
    }

    #[test]
    fn what_everybody_is_told_is_ours() {
        for answer in [BAD_TOKEN, TOO_LARGE, NO_KEY] {
            assert_eq!(judged(&account(), 0, &vec![answer; 20]), Judged::Ours((0..20).collect()));
        }
    }

    #[test]
    fn of_many_bad_tokens_none_is_called_gone() {
        assert_eq!(judged(&account(), 30, &vec![BAD_TOKEN; 10]), Judged::Theirs((0..10).map(|at| (at, Outcome::Permanent)).collect()));
    }

    #[test]
    fn a_few_are_judged_by_what_was_said_before() {
        let account = account();
        assert_eq!(judged(&account, 0, &[BAD_TOKEN, BAD_TOKEN]), Judged::Theirs(vec![(0, Outcome::Permanent), (1, Outcome::Permanent)]));
        assert_eq!(judged(&account, 0, &[BAD_TOKEN, BAD_TOKEN]), Judged::Theirs(vec![(0, Outcome::Permanent), (1, Outcome::Permanent)]));
        assert_eq!(judged(&account, 0, &[BAD_TOKEN, BAD_TOKEN]), Judged::Ours(vec![0, 1]));
        assert_eq!(judged(&account, 40, &[]), Judged::Theirs(Vec::new()));
        assert_eq!(judged(&account, 0, &[BAD_TOKEN]), Judged::Theirs(vec![(0, Outcome::Permanent)]));
    }

    #[test]
    fn only_a_plain_refusal_of_very_many_ends_the_asking() {
        let (mut plain, mut doubtful) = (Verdict::default(), Verdict::default());
        for at in 0..500 {
            doubtful.refused(at, BAD_TOKEN, Refusal::Doubtful);
            assert_eq!(plain.is_hopeless(), at >= 64);
            plain.refused(at, NO_KEY, Refusal::Plain);
        }
        assert!(!doubtful.is_hopeless());
    }
}
