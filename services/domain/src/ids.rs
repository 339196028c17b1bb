//! Names of things: one type for each kind, so that a rule is never taken for an alert.
//!
//! What staff and services make has a UUID of version 7, which sorts by the time it was made. What exists by the
//! million has a dense number: residents, because their sets are bitmaps, and batches, because the ledger is large.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

/// The text is no name of the kind that was asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    /// Not a UUID in its usual form.
    #[error("an id of a {kind} is a UUID like 0190b5a0-6f2e-7c3a-9d1e-2b4c6d8e0f12")]
    NotUuid {
        /// What the id was to name.
        kind: &'static str,
    },
    /// Not a whole number in the type's range.
    #[error("a {kind} is a whole number")]
    NotNumber {
        /// What the number was to name.
        kind: &'static str,
    },
    /// Not four characters of the short code's alphabet.
    #[error("a short code is four of the characters {ALPHABET}")]
    NotShortCode,
}

macro_rules! uuid_ids {
    ($($(#[$doc:meta])* $name:ident $kind:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl $name {
            /// A name never given before; later ones sort after earlier ones (RFC 9562 §5.7).
            #[expect(clippy::new_without_default, reason = "a default would be the same value each time; a name is not")]
            #[must_use]
            pub fn new() -> Self {
                Self(Uuid::now_v7())
            }

            /// The name kept as a plain UUID, for instance in a table.
            #[must_use]
            pub const fn from_uuid(uuid: Uuid) -> Self {
                Self(uuid)
            }

            /// The plain UUID, for instance for a table.
            #[must_use]
            pub const fn uuid(self) -> Uuid {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                Uuid::parse_str(text).map(Self).map_err(|_| IdError::NotUuid { kind: $kind })
            }
        }

        impl From<Uuid> for $name {
            fn from(uuid: Uuid) -> Self {
                Self(uuid)
            }
        }

        impl From<$name> for Uuid {
            fn from(id: $name) -> Self {
                id.0
            }
        }
    )*};
}

uuid_ids! {
    /// An alert, from its draft to its end.
    AlertId "alert";
    /// A rule; its versions share the id.
    RuleId "rule";
    /// A member of staff.
    StaffId "member of staff";
    /// One delivery of risk records by a source.
    LoadId "load";
    /// A file that is sent in pieces.
    UploadId "upload";
    /// A public display.
    ScreenId "screen";
    /// A session of a member of staff.
    SessionId "session";
    /// A second factor of a member of staff.
    FactorId "second factor";
    /// The key with which a source system calls.
    ApiKeyId "API key";
    /// A change of an account or key that one administrator proposed.
    ProposalId "proposal";
}

macro_rules! number_ids {
    ($($(#[$doc:meta])* $name:ident($number:ty) $kind:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
        #[serde(transparent)]
        pub struct $name($number);

        impl $name {
            /// The name made from its number.
            #[must_use]
            pub const fn new(number: $number) -> Self {
                Self(number)
            }

            /// The plain number.
            #[must_use]
            pub const fn get(self) -> $number {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                text.parse().map(Self).map_err(|_| IdError::NotNumber { kind: $kind })
            }
        }

        impl From<$number> for $name {
            fn from(number: $number) -> Self {
                Self(number)
            }
        }

        impl From<$name> for $number {
            fn from(id: $name) -> Self {
                id.0
            }
        }
    )*};
}

number_ids! {
    /// A resident: dense, so that millions of them are one small Roaring bitmap.
    ResidentNo(u32) "resident number";
    /// A unit that works on what citizens bring, such as a centre for disease control.
    UnitId(u32) "unit number";
    /// A row of the batch ledger.
    BatchId(i64) "batch id";
    /// One pass over an alert's audience: 1 is the first push, 2 the reminder, 9 the word that it has ended.
    WaveNo(u8) "wave number";
}

impl WaveNo {
    /// The first push.
    pub const FIRST: Self = Self(1);

    /// A further message to people whom a wave has reached: to another device of theirs, or by SMS to who has an alert in a browser only.
    pub const BESIDE: Self = Self(8);

    /// The word that the alert has ended ([`crate::withdrawal`]), after all others.
    pub const WITHDRAWAL: Self = Self(9);

    /// The word to some people that an alert, which stands for everybody else, does not hold for them.
    pub const WITHDRAWAL_FOR_SOME: Self = Self(10);

    /// Whether this wave tells of the end of an alert, for all or for some, instead of saying what it says.
    #[must_use]
    pub const fn is_withdrawal(self) -> bool {
        self.0 == Self::WITHDRAWAL.0 || self.0 == Self::WITHDRAWAL_FOR_SOME.0
    }

    /// Whether this is beside the waves, and counts nobody.
    #[must_use]
    pub const fn is_beside(self) -> bool {
        self.0 == Self::BESIDE.0
    }

    /// The wave after this one; the last number there is stays the last.
    #[must_use]
    pub const fn following(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

/// Digits and capitals that nobody misreads or misdials: no 0 O, 1 I L.
const ALPHABET: &str = "23456789ABCDEFGHJKMNPQRSTUVWXYZ";
const CODE_LENGTH: usize = 4;

/// The four characters by which a resident names an alert in an SMS reply (CQ11): 923,521 of them, unique among live
/// alerts only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ShortCode([u8; CODE_LENGTH]);

impl ShortCode {
    /// The code that belongs to a random number; all codes are equally likely to within 1 in 4,600.
    #[must_use]
    pub fn from_random(random: u32) -> Self {
        let letters = ALPHABET.as_bytes();
        let mut rest = random as usize;
        Self(std::array::from_fn(|_| {
            let letter = letters[rest % letters.len()];
            rest /= letters.len();
            letter
        }))
    }

    /// The code as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).expect("every byte comes from the ASCII alphabet")
    }
}

impl fmt::Display for ShortCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for ShortCode {
    type Err = IdError;

    /// Small letters are taken for capitals: people type as their keyboard likes.
    fn from_str(text: &str) -> Result<Self, IdError> {
        let code: [u8; CODE_LENGTH] = text.as_bytes().try_into().map_err(|_| IdError::NotShortCode)?;
        let code = code.map(|byte| byte.to_ascii_uppercase());
        if code.iter().all(|byte| ALPHABET.as_bytes().contains(byte)) { Ok(Self(code)) } else { Err(IdError::NotShortCode) }
    }
}

crate::text_form::text_form!(ShortCode, "four characters of 23456789ABCDEFGHJKMNPQRSTUVWXYZ", "7KQ3");

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    #[test]
    fn later_ids_sort_after_earlier_ones_and_survive_text_and_json() {
        let ids: Vec<AlertId> = (0..100).map(|_| AlertId::new()).collect();
        assert!(ids.is_sorted() && ids.windows(2).all(|pair| pair[0] != pair[1]));
        assert_eq!(ids[0].to_string().parse(), Ok(ids[0]));
        assert_eq!(serde_json::to_string(&ids[0]).unwrap(), format!("\"{}\"", ids[0]));
    }

    #[test]
    fn waves_count_up_and_stop_at_the_last() {
        assert_eq!(WaveNo::FIRST.following(), WaveNo::new(2));
        assert_eq!(WaveNo::new(u8::MAX).following(), WaveNo::new(u8::MAX));
    }

    #[rstest]
    #[case("7KQ3", Some("7KQ3"))]
    #[case::small("7kq3", Some("7KQ3"))]
    #[case::misreadable("7KO3", None)]
    #[case::misreadable_digit("7K13", None)]
    #[case::short("7KQ", None)]
    #[case::long("7KQ33", None)]
    #[case::four_bytes_of_chinese("中a", None)]
    fn a_short_code_is_read_from_what_people_type(#[case] typed: &str, #[case] code: Option<&str>) {
        assert_eq!(typed.parse::<ShortCode>().ok().map(|code| code.to_string()).as_deref(), code);
    }

    #[test]
    fn every_random_number_up_to_the_number_of_codes_gives_another_code() {
        let codes: BTreeSet<ShortCode> = (0..31_u32.pow(4)).map(ShortCode::from_random).collect();
        assert_eq!(codes.len(), 923_521);
    }

    proptest! {
        #[test]
        fn every_short_code_is_read_back(random: u32) {
            let code = ShortCode::from_random(random);
            prop_assert_eq!(code.to_string().parse(), Ok(code));
            prop_assert_eq!(serde_json::from_str::<ShortCode>(&serde_json::to_string(&code).unwrap()).unwrap(), code);
        }
    }
}
