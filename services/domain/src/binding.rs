//! Whose an identity document is: what proves it, who gives way to whom, and what the earlier holder may say.
//!
//! A number that somebody gives is *claimed*. Records find nobody by a claim, and a claim keeps nobody else from the number: identity numbers are
//! known to many. It counts when it is *proved*, and it is proved for one person at a time.

use chrono::{DateTime, TimeDelta, Utc};

crate::words! {
    /// What proved that an identity document is a person's.
    pub enum Proof {
        /// Nothing but their word: registered before proof was asked for. Anything else counts for more.
        Earlier,
        /// A record source that is trusted with it named this document and this phone together.
        Record,
        /// A code that was sent to the phone of whom the document was bound to before.
        Code,
        /// Somebody of their community saw the document and the person.
        InPerson,
    }

    /// How an identity document stands with a person.
    #[schema(as = DocumentStanding)]
    pub enum Standing {
        /// They have given none.
        None,
        /// They say that it is theirs. No record finds them by it.
        Claimed,
        /// It is proved to be theirs: records find them by it.
        Proved,
    }
}

impl Proof {
    /// Whether who brings this proof takes the document over from a holder who was bound by that one.
    ///
    /// What a source wrote may be old: it gives way to a check in person, and to a code that the holder's own phone received.
    #[must_use]
    pub const fn displaces(self, holder: Self) -> bool {
        match self {
            Self::InPerson | Self::Code => true,
            Self::Record => matches!(holder, Self::Earlier | Self::Record),
            Self::Earlier => false,
        }
    }
}

/// A document that went from one person to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Taken {
    /// What the earlier holder was bound by.
    pub before: Proof,
    /// What it was taken over with.
    pub by: Proof,
    /// When.
    pub at: DateTime<Utc>,
    /// Whether the same document was put back before, on somebody's objection.
    pub put_back_before: bool,
}

/// What an objection of the earlier holder comes to. Staff of the community see it in any case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Objection {
    /// The document is theirs again, until somebody checks in person.
    PutBack,
    /// It stays where it is until staff have looked at it.
    LookedAt,
    /// It comes too late.
    TooLate,
}

impl Taken {
    /// What becomes of an objection at `now`, where the earlier holder has `within` to object.
    ///
    /// One objection puts a document back: after it people who know of it decide. Who was never proved puts nothing back against a proof; only
    /// against a code to their own phone, which others may have read.
    #[must_use]
    pub fn objected(self, now: DateTime<Utc>, within: TimeDelta) -> Objection {
        if now > self.at + within {
            return Objection::TooLate;
        }
        let never_proved = self.before == Proof::Earlier && self.by != Proof::Code;
        if never_proved || self.put_back_before { Objection::LookedAt } else { Objection::PutBack }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;
    use strum::VariantArray as _;

    use super::*;

    const WITHIN: TimeDelta = TimeDelta::days(7);

    fn taken(before: Proof, by: Proof, put_back_before: bool) -> Taken {
        Taken { before, by, at: DateTime::UNIX_EPOCH, put_back_before }
    }

    #[rstest]
    #[case::a_code_to_the_holders_own_phone(Proof::Code, Proof::InPerson, true)]
    #[case::a_check_in_person(Proof::InPerson, Proof::InPerson, true)]
    #[case::a_source_against_a_mere_word(Proof::Record, Proof::Earlier, true)]
    #[case::a_newer_word_of_a_source(Proof::Record, Proof::Record, true)]
    #[case::a_source_against_a_check(Proof::Record, Proof::InPerson, false)]
    #[case::a_source_against_a_code(Proof::Record, Proof::Code, false)]
    #[case::a_mere_word(Proof::Earlier, Proof::Earlier, false)]
    fn who_takes_a_document_over(#[case] proof: Proof, #[case] holder: Proof, #[case] displaces: bool) {
        assert_eq!(proof.displaces(holder), displaces);
    }

    #[rstest]
    #[case::a_stolen_code(Proof::InPerson, Proof::Code, false, Objection::PutBack)]
    #[case::two_who_were_seen(Proof::InPerson, Proof::InPerson, false, Objection::PutBack)]
    #[case::seen_again_after_an_objection(Proof::InPerson, Proof::InPerson, true, Objection::LookedAt)]
    #[case::one_who_never_proved_it(Proof::Earlier, Proof::InPerson, false, Objection::LookedAt)]
    #[case::one_who_never_proved_it_against_a_source(Proof::Earlier, Proof::Record, false, Objection::LookedAt)]
    #[case::one_who_never_proved_it_against_a_code_to_their_own_phone(Proof::Earlier, Proof::Code, false, Objection::PutBack)]
    #[case::a_source_against_a_source_again(Proof::Record, Proof::Record, true, Objection::LookedAt)]
    #[case::a_code_again(Proof::InPerson, Proof::Code, true, Objection::LookedAt)]
    fn what_an_objection_comes_to(#[case] before: Proof, #[case] by: Proof, #[case] put_back: bool, #[case] becomes: Objection) {
        let taken = taken(before, by, put_back);
        assert_eq!(taken.objected(DateTime::UNIX_EPOCH + WITHIN, WITHIN), becomes);
        assert_eq!(taken.objected(DateTime::UNIX_EPOCH + WITHIN + TimeDelta::seconds(1), WITHIN), Objection::TooLate);
    }

    fn proof() -> impl Strategy<Value = Proof> {
        proptest::sample::select(Proof::VARIANTS)
    }

    proptest! {
        #[test]
        fn a_document_is_put_back_once_whatever_took_it(before in proof(), by in proof()) {
            let objected = |put_back| taken(before, by, put_back).objected(DateTime::UNIX_EPOCH, WITHIN);
            prop_assert_eq!(objected(true), Objection::LookedAt);
            if objected(false) == Objection::PutBack {
                prop_assert!(before != Proof::Earlier || by == Proof::Code);
            }
        }

        #[test]
        fn nobody_takes_anything_by_their_word_alone(holder in proof()) {
            prop_assert!(!Proof::Earlier.displaces(holder));
            prop_assert!(Proof::InPerson.displaces(holder), "who was seen with the document can always have it");
        }
    }
}
