//! The centre's ids of messages, as answers and receipts write them.
//!
//! One id is written in many ways: in capitals or not, with zeros in front or without, and by some centres in one base in the answer to a
//! submission and in another in its receipt. [`plain`] takes away what never matters; [`ReceiptIds`] says which base receipts use.

domain::words! {
    /// In which base receipts write the id that the answer to a submission gave.
    #[derive(Default)]
    pub enum ReceiptIds {
        /// Found out: as answered, until receipts fit no message so but do in the other base.
        #[default]
        Learned,
        /// In the same.
        AsAnswered,
        /// The answer is hexadecimal, the receipt decimal.
        Decimal,
        /// The answer is decimal, the receipt hexadecimal.
        Hexadecimal,
    }
}

impl ReceiptIds {
    /// The id of a receipt as the answer gave it, plain. What is no number of the receipt's base is taken as it is.
    pub fn answered(self, id: &str) -> String {
        let other_base = match self {
            Self::Learned | Self::AsAnswered => None,
            Self::Decimal => to_hexadecimal(id),
            Self::Hexadecimal => to_decimal(id),
        };
        other_base.unwrap_or_else(|| plain(id))
    }
}

/// The id without what never matters: case, and zeros in front. The index of `sms.part` does the same.
pub fn plain(id: &str) -> String {
    id.trim().trim_start_matches('0').to_ascii_lowercase()
}

/// A decimal id in hexadecimal.
pub fn to_hexadecimal(id: &str) -> Option<String> {
    let is_number = id.bytes().all(|octet| octet.is_ascii_digit());
    id.parse::<u128>().ok().filter(|_| is_number).map(|number| plain(&format!("{number:x}")))
}

/// A hexadecimal id in decimal.
pub fn to_decimal(id: &str) -> Option<String> {
    let is_number = id.bytes().all(|octet| octet.is_ascii_hexdigit());
    u128::from_str_radix(id, 16).ok().filter(|_| is_number).map(|number| plain(&number.to_string()))
}

/// Shorter ids are counted up from one: read in the other base, one is another message's.
const LONG: usize = 8;

/// Whether the id is so long that, read in the other base, it lies far from all that are given at the time.
pub fn is_long(id: &str) -> bool {
    plain(id).len() >= LONG
}

/// Whether the id looks otherwise in the other base: a single digit does not.
pub fn differs_by_base(id: &str) -> bool {
    plain(id).len() > 1
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::decimal(ReceiptIds::Decimal, "870928761", "33E95179")]
    #[case::decimal_with_zeros(ReceiptIds::Decimal, "0000870928761", "033E95179")]
    #[case::no_number_is_left_alone(ReceiptIds::Decimal, "A1B2-1EEDF843", "a1b2-1eedf843")]
    #[case::hexadecimal(ReceiptIds::Hexadecimal, "33e95179", "870928761")]
    #[case::other_case(ReceiptIds::AsAnswered, "A1B2-1EEDF843", "a1b2-1eedf843")]
    #[case::zeros_in_front_of_the_answer(ReceiptIds::Learned, "12345", "0000012345")]
    #[case::zeros_in_front_of_the_receipt(ReceiptIds::AsAnswered, "0012345", "12345")]
    #[case::blanks(ReceiptIds::AsAnswered, " 77 ", "77")]
    #[case::longer_than_a_number(ReceiptIds::Decimal, &"9".repeat(64), &"9".repeat(64))]
    #[case::signed_is_no_number(ReceiptIds::Decimal, "+5", "+5")]
    fn a_receipt_names_what_was_answered(#[case] receipts: ReceiptIds, #[case] of_receipt: &str, #[case] of_answer: &str) {
        assert_eq!(receipts.answered(of_receipt), plain(of_answer));
    }

    #[rstest]
    #[case::counted_up("0000000026", false)]
    #[case::decimal("870928761", true)]
    #[case::hexadecimal("33E95179", true)]
    fn a_short_id_is_not_read_in_the_other_base(#[case] id: &str, #[case] long: bool) {
        assert_eq!(is_long(id), long);
    }

    proptest! {
        #[test]
        fn the_two_bases_name_the_same(number in any::<u64>()) {
            let (decimal, hexadecimal) = (number.to_string(), format!("{number:X}"));
            prop_assert_eq!(to_hexadecimal(&decimal), Some(plain(&hexadecimal)));
            prop_assert_eq!(to_decimal(&hexadecimal), Some(plain(&decimal)));
        }

        #[test]
        fn any_id_has_a_plain_writing(id in "\\PC{0,70}") {
            prop_assert_eq!(plain(&plain(&id)), plain(&id));
            ReceiptIds::Decimal.answered(&id);
            ReceiptIds::Hexadecimal.answered(&id);
        }
    }
}
