//! Who registers with a phone number that is known: the person it was registered by, or somebody else.
//!
//! Numbers are given out again, and phones are shared. Who shows that they read a message to the number shows that it is theirs *now*; whether they
//! are who had it before is another question. A stranger is never shown anything of the person before; at worst somebody registers anew.

use chrono::TimeDelta;

/// What somebody says about themselves, beside what is stored under their number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fact {
    /// They say nothing about it, or nothing is stored.
    Silent,
    /// The same, and it was proved.
    SameAndProved,
    /// The same; nobody has proved it.
    Same,
    /// Something else.
    Other,
}

impl Fact {
    /// What is said beside what is stored.
    pub fn of<T: PartialEq + ?Sized>(said: Option<&T>, stored: Option<&T>, proved: bool) -> Self {
        match (said, stored) {
            (Some(said), Some(stored)) if said != stored => Self::Other,
            (Some(_), Some(_)) if proved => Self::SameAndProved,
            (Some(_), Some(_)) => Self::Same,
            _ => Self::Silent,
        }
    }
}

/// What there is to tell by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Evidence {
    /// Whether they are signed in as that person while they register.
    pub signed_in: bool,
    /// For how long no device of that person has been heard of.
    pub silent_for: TimeDelta,
    /// Their name.
    pub name: Fact,
    /// Their identity document.
    pub identity: Fact,
}

/// Whom a known number belongs to now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Owner {
    /// The person who registered with it before.
    Same,
    /// Somebody else, or somebody who cannot be told from somebody else.
    New,
}

impl Evidence {
    /// Who it is, where a number that is silent for longer than `silent_after` may have been given out again.
    #[must_use]
    pub fn owner(self, silent_after: TimeDelta) -> Owner {
        let contradicted = self.name == Fact::Other || self.identity == Fact::Other;
        let heard_of = self.silent_for <= silent_after || self.identity == Fact::SameAndProved;
        if self.signed_in || (!contradicted && heard_of) { Owner::Same } else { Owner::New }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    const QUARTER: TimeDelta = TimeDelta::days(90);

    #[rstest]
    #[case::a_second_device(false, 1, Fact::Silent, Fact::Silent, Owner::Same)]
    #[case::with_their_own_name(false, 1, Fact::Same, Fact::Silent, Owner::Same)]
    #[case::on_the_last_day(false, 90, Fact::Silent, Fact::Silent, Owner::Same)]
    #[case::long_silent(false, 91, Fact::Silent, Fact::Silent, Owner::New)]
    #[case::long_silent_with_the_same_name(false, 91, Fact::Same, Fact::Silent, Owner::New)]
    #[case::long_silent_with_a_document_that_was_only_claimed(false, 91, Fact::Same, Fact::Same, Owner::New)]
    #[case::long_silent_with_their_proved_document(false, 400, Fact::Silent, Fact::SameAndProved, Owner::Same)]
    #[case::another_name(false, 1, Fact::Other, Fact::Silent, Owner::New)]
    #[case::another_name_with_the_document(false, 1, Fact::Other, Fact::SameAndProved, Owner::New)]
    #[case::another_document(false, 1, Fact::Same, Fact::Other, Owner::New)]
    #[case::signed_in_under_a_new_name(true, 400, Fact::Other, Fact::Other, Owner::Same)]
    fn whose_a_known_number_is(
        #[case] signed_in: bool,
        #[case] days: i64,
        #[case] name: Fact,
        #[case] identity: Fact,
        #[case] owner: Owner,
    ) {
        let evidence = Evidence { signed_in, silent_for: TimeDelta::days(days), name, identity };
        assert_eq!(evidence.owner(QUARTER), owner);
    }

    #[rstest]
    #[case(None, Some("张三"), false, Fact::Silent)]
    #[case(Some("张三"), None, false, Fact::Silent)]
    #[case(Some("张三"), Some("张三"), false, Fact::Same)]
    #[case(Some("张三"), Some("张三"), true, Fact::SameAndProved)]
    #[case(Some("李四"), Some("张三"), true, Fact::Other)]
    fn what_is_said_beside_what_is_stored(
        #[case] said: Option<&str>,
        #[case] stored: Option<&str>,
        #[case] proved: bool,
        #[case] fact: Fact,
    ) {
        assert_eq!(Fact::of(said, stored, proved), fact);
    }

    fn fact() -> impl Strategy<Value = Fact> {
        proptest::sample::select(&[Fact::Silent, Fact::SameAndProved, Fact::Same, Fact::Other][..])
    }

    proptest! {
        #[test]
        fn nobody_inherits_by_the_number_alone_after_a_long_silence(days in 91..10_000_i64, name in fact(), identity in fact()) {
            let evidence = Evidence { signed_in: false, silent_for: TimeDelta::days(days), name, identity };
            prop_assert_eq!(evidence.owner(QUARTER) == Owner::Same, identity == Fact::SameAndProved && name != Fact::Other);
        }

        #[test]
        fn to_say_more_that_is_wrong_never_helps(days in 0..10_000_i64, name in fact(), identity in fact()) {
            let evidence = Evidence { signed_in: false, silent_for: TimeDelta::days(days), name, identity };
            for worse in [Evidence { name: Fact::Other, ..evidence }, Evidence { identity: Fact::Other, ..evidence }] {
                prop_assert_eq!(worse.owner(QUARTER), Owner::New);
            }
        }
    }
}
