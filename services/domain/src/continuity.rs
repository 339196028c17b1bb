//! Who registers with a phone number that is known: the person it was registered by, or somebody else.
//!
//! Numbers are given out again, and phones are shared. Who shows that they read a message to the number shows that it is theirs *now*; whether they
//! are who had it before is another question. A stranger is never shown anything of the person before; and nobody's registration ends because of a
//! slip of the pen or a quiet year: where it is in doubt whose the number is, whoever registers is asked, and somebody new begins only by their word.

use chrono::TimeDelta;

use crate::identity_document::IdentityKind;

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

    /// The same of documents. Somebody has several: one of another kind says nothing about the one that is stored.
    pub fn of_document<T: PartialEq + ?Sized>(said: Option<(IdentityKind, &T)>, stored: Option<(IdentityKind, &T)>, proved: bool) -> Self {
        match (said, stored) {
            (Some((said, _)), Some((stored, _))) if said != stored => Self::Silent,
            (said, stored) => Self::of(said.map(|(_, document)| document), stored.map(|(_, document)| document), proved),
        }
    }
}

/// A name without what two keyboards write differently: spaces, full and half width, the dot within names, capitals.
#[must_use]
pub fn plain_name(name: &str) -> String {
    let plain = |c: char| match c {
        '．' => '·',
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(c) - 0xfee0).unwrap_or(c),
        '•' | '・' | '‧' | '∙' | '･' | '.' => '·',
        c => c,
    };
    name.chars().filter(|c| !c.is_whitespace()).map(plain).flat_map(char::to_lowercase).collect()
}

/// What there is to tell by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Evidence {
    /// Whether they are signed in as that person while they register.
    pub signed_in: bool,
    /// Whether they say that they are not the person before, and begin anew.
    pub begins_anew: bool,
    /// For how long nothing has been heard of that person.
    pub silent_for: TimeDelta,
    /// Their name.
    pub name: Fact,
    /// Their identity document; proved by more than their word.
    pub identity: Fact,
}

/// Whom a known number belongs to now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Owner {
    /// The person who registered with it before.
    Same,
    /// Somebody else.
    New,
    /// Whoever registers has to say.
    InDoubt(Doubt),
}

/// Why it is in doubt whose a number is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Doubt {
    /// Its owner was heard of lately, and something else is said than what they said. Without it they are signed in.
    Contradicted,
    /// Its owner was not heard of for long: the number may have been given out again. Their name and a proved document show that it was not.
    Silent,
}

impl Evidence {
    /// Who it is, where a number that is silent for longer than `silent_after` may have been given out again.
    #[must_use]
    pub fn owner(self, silent_after: TimeDelta) -> Owner {
        if self.signed_in {
            return Owner::Same;
        }
        if self.begins_anew {
            return Owner::New;
        }
        if self.silent_for > silent_after {
            // Who got the number may know the document of who had it: one of them alone is not enough.
            let proved = self.name == Fact::Same && self.identity == Fact::SameAndProved;
            return if proved { Owner::Same } else { Owner::InDoubt(Doubt::Silent) };
        }
        let contradicted = self.name == Fact::Other || self.identity == Fact::Other;
        if contradicted { Owner::InDoubt(Doubt::Contradicted) } else { Owner::Same }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    const QUARTER: TimeDelta = TimeDelta::days(90);
    const CONTRADICTED: Owner = Owner::InDoubt(Doubt::Contradicted);
    const SILENT: Owner = Owner::InDoubt(Doubt::Silent);

    #[rstest]
    #[case::a_second_device(1, Fact::Silent, Fact::Silent, Owner::Same)]
    #[case::with_their_own_name(1, Fact::Same, Fact::Silent, Owner::Same)]
    #[case::on_the_last_day(90, Fact::Silent, Fact::Silent, Owner::Same)]
    #[case::another_name(1, Fact::Other, Fact::Silent, CONTRADICTED)]
    #[case::another_name_with_the_document(1, Fact::Other, Fact::SameAndProved, CONTRADICTED)]
    #[case::another_document(1, Fact::Same, Fact::Other, CONTRADICTED)]
    #[case::long_silent(91, Fact::Silent, Fact::Silent, SILENT)]
    #[case::long_silent_with_the_same_name(91, Fact::Same, Fact::Silent, SILENT)]
    #[case::long_silent_with_a_document_that_was_only_claimed(91, Fact::Same, Fact::Same, SILENT)]
    #[case::long_silent_with_a_proved_document_alone(91, Fact::Silent, Fact::SameAndProved, SILENT)]
    #[case::long_silent_with_name_and_proved_document(400, Fact::Same, Fact::SameAndProved, Owner::Same)]
    fn whose_a_known_number_is(#[case] days: i64, #[case] name: Fact, #[case] identity: Fact, #[case] owner: Owner) {
        let evidence = Evidence { signed_in: false, begins_anew: false, silent_for: TimeDelta::days(days), name, identity };
        assert_eq!(evidence.owner(QUARTER), owner);
        assert_eq!(Evidence { begins_anew: true, ..evidence }.owner(QUARTER), Owner::New, "who says so begins anew");
        for begins_anew in [false, true] {
            assert_eq!(
                Evidence { signed_in: true, begins_anew, ..evidence }.owner(QUARTER),
                Owner::Same,
                "who is signed in is who they are"
            );
        }
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

    #[rstest]
    #[case::the_same(IdentityKind::IdentityCard, "one", Fact::SameAndProved)]
    #[case::another_number(IdentityKind::IdentityCard, "two", Fact::Other)]
    #[case::another_kind(IdentityKind::Passport, "two", Fact::Silent)]
    fn a_document_of_another_kind_contradicts_nothing(#[case] kind: IdentityKind, #[case] number: &str, #[case] fact: Fact) {
        assert_eq!(Fact::of_document(Some((kind, number)), Some((IdentityKind::IdentityCard, "one")), true), fact);
    }

    #[rstest]
    #[case("王秀英", "王 秀英")]
    #[case("王秀英", "　王秀英 ")]
    #[case("买买提·艾力", "买买提•艾力")]
    #[case("买买提·艾力", "买买提．艾力")]
    #[case("Anna Lee", "ＡＮＮＡ　ｌｅｅ")]
    fn one_name_written_in_two_ways_is_one_name(#[case] one: &str, #[case] other: &str) {
        assert_eq!(plain_name(one), plain_name(other));
    }

    fn fact() -> impl Strategy<Value = Fact> {
        proptest::sample::select(&[Fact::Silent, Fact::SameAndProved, Fact::Same, Fact::Other][..])
    }

    proptest! {
        #[test]
        fn nobody_begins_anew_without_saying_so(days in 0..10_000_i64, signed_in in any::<bool>(), name in fact(), identity in fact()) {
            let evidence = Evidence { signed_in, begins_anew: false, silent_for: TimeDelta::days(days), name, identity };
            prop_assert_ne!(evidence.owner(QUARTER), Owner::New);
        }

        #[test]
        fn nobody_inherits_by_the_number_alone_after_a_long_silence(days in 91..10_000_i64, name in fact(), identity in fact()) {
            let evidence = Evidence { signed_in: false, begins_anew: false, silent_for: TimeDelta::days(days), name, identity };
            prop_assert_eq!(evidence.owner(QUARTER) == Owner::Same, identity == Fact::SameAndProved && name == Fact::Same);
        }

        #[test]
        fn to_say_more_that_is_wrong_never_helps(days in 0..10_000_i64, name in fact(), identity in fact()) {
            let evidence = Evidence { signed_in: false, begins_anew: false, silent_for: TimeDelta::days(days), name, identity };
            for worse in [Evidence { name: Fact::Other, ..evidence }, Evidence { identity: Fact::Other, ..evidence }] {
                prop_assert_ne!(worse.owner(QUARTER), Owner::Same);
            }
        }

        #[test]
        fn a_plain_name_stays_as_it_is(name in "\\PC{0,20}") {
            prop_assert_eq!(plain_name(&plain_name(&name)), plain_name(&name));
        }
    }
}
