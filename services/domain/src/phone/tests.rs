use proptest::prelude::*;
use rstest::rstest;

use super::*;

#[rstest]
#[case::plain("13800005678")]
#[case::spaced("138 0000 5678")]
#[case::dashed("138-0000-5678")]
#[case::country_code("+8613800005678")]
#[case::country_code_apart("+86 138 0000 5678")]
#[case::country_code_in_parentheses("(+86) 138 0000 5678")]
#[case::country_code_without_plus("8613800005678")]
#[case::international_access("0086-138-0000-5678")]
#[case::full_width("１３８０００0５６７８")]
#[case::padded("  13800005678\t")]
#[case::direction_override("\u{202d}13800005678\u{202c}")]
#[case::direction_mark("\u{200e}+86 138 0000 5678")]
#[case::byte_order_mark("\u{feff}13800005678")]
#[case::isolated("\u{2068}13800005678\u{2069}")]
#[case::joined_within("138\u{200b}0000\u{2060}5678")]
fn a_number_of_the_mainland_is_read_however_it_was_typed(#[case] typed: &str) {
    let number: PhoneNumber = typed.parse().unwrap();
    assert_eq!(number.e164(), "+8613800005678");
}

#[rstest]
#[case::hong_kong("+852 5123 4567", "+85251234567")]
#[case::hong_kong_new_range("+852 7012 3456", "+85270123456")]
#[case::hong_kong_by_access_code("00852-5123-4567", "+85251234567")]
#[case::hong_kong_full_width("＋８５２　５１２３　４５６７", "+85251234567")]
#[case::hong_kong_copied_out("\u{202a}+852 5123 4567\u{202c}", "+85251234567")]
#[case::hong_kong_in_parentheses("（+852）5123-4567", "+85251234567")]
#[case::macao("+853 6612 3456", "+85366123456")]
#[case::taiwan("+886 912 345 678", "+886912345678")]
#[case::taiwan_as_at_home("+886 0912-345-678", "+886912345678")]
#[case::britain("+44 (0)7911 123456", "+447911123456")]
#[case::america("+1 (312) 555-0123", "+13125550123")]
#[case::korea("+82 10-1234-5678", "+821012345678")]
#[case::japan("0081 90 1234 5678", "+819012345678")]
#[case::russia("+7 912 345-67-89", "+79123456789")]
#[case::kazakhstan("+7 701 234 5678", "+77012345678")]
#[case::singapore("+65 8123 4567", "+6581234567")]
fn a_number_of_another_place_is_read_with_its_code(#[case] typed: &str, #[case] e164: &str) {
    assert_eq!(typed.parse::<PhoneNumber>().unwrap().e164(), e164);
}

fn country(name: &str) -> Country {
    name.parse().unwrap()
}

#[rstest]
#[case::empty("", PhoneNumberError::Mainland)]
#[case::too_short("1380000567", PhoneNumberError::Mainland)]
#[case::too_long("138000056789", PhoneNumberError::Mainland)]
#[case::no_mobile_prefix("12800005678", PhoneNumberError::Mainland)]
#[case::landline("023-63840000", PhoneNumberError::Mainland)]
#[case::eight_digits_are_never_guessed("51234567", PhoneNumberError::Mainland)]
#[case::nor_is_a_code_without_plus("85251234567", PhoneNumberError::Mainland)]
#[case::landline_of_the_mainland("+86 23 63840000", PhoneNumberError::Mainland)]
#[case::two_numbers("13800005678 13800005679", PhoneNumberError::Mainland)]
#[case::letters("1380000567a", PhoneNumberError::Signs)]
#[case::plus_within("138+00005678", PhoneNumberError::Signs)]
#[case::two_with_a_slash("13800005678/13800005679", PhoneNumberError::Signs)]
#[case::no_country("+999 1234 5678", PhoneNumberError::CallingCode)]
#[case::nothing_behind_plus("+", PhoneNumberError::CallingCode)]
#[case::hong_kong_too_long("+85213800005678", PhoneNumberError::Impossible(country("HK")))]
#[case::hong_kong_too_short("+852 5123 456", PhoneNumberError::Impossible(country("HK")))]
#[case::hong_kong_landline("+852 2123 4567", PhoneNumberError::Impossible(country("HK")))]
#[case::macao_landline("+853 2812 3456", PhoneNumberError::Impossible(country("MO")))]
#[case::taiwan_landline("+886 2 2345 6789", PhoneNumberError::Impossible(country("TW")))]
#[case::mainland_without_its_code("+13800005678", PhoneNumberError::Impossible(country("US")))]
#[case::mainland_without_its_code_again("+13912345678", PhoneNumberError::Impossible(country("US")))]
#[case::endless("+1 3125550123 3125550123 3125550123", PhoneNumberError::Impossible(country("US")))]
fn what_is_none_is_refused_with_its_own_reason(#[case] typed: &str, #[case] why: PhoneNumberError) {
    assert_eq!(typed.parse::<PhoneNumber>(), Err(why));
    assert!(!why.chinese().is_empty() && !why.to_string().is_empty());
}

#[rstest]
#[case::hong_kong("5123 4567", "HK", "+85251234567")]
#[case::with_the_code("85251234567", "香港", "+85251234567")]
#[case::macao("66123456", "澳门", "+85366123456")]
#[case::taiwan("0912-345-678", "TW", "+886912345678")]
#[case::america("312 555 0123", "US", "+13125550123")]
#[case::a_phone_of_the_mainland("138 0000 5678", "HK", "+8613800005678")]
#[case::its_own_code_goes_first("+853 6612 3456", "HK", "+85366123456")]
#[case::of_the_mainland("13800005678", "CN", "+8613800005678")]
fn a_number_beside_which_its_country_stands_needs_no_code(#[case] typed: &str, #[case] said: &str, #[case] e164: &str) {
    assert_eq!(PhoneNumber::read(typed, Some(country(said))).unwrap().e164(), e164);
}

#[rstest]
#[case("13125550123", "US", PhoneNumberError::Ambiguous(country("US")))]
#[case("1 312 555 0123", "CA", PhoneNumberError::Ambiguous(country("CA")))]
#[case("2123 4567", "HK", PhoneNumberError::Impossible(country("HK")))]
#[case("51234567", "CN", PhoneNumberError::Mainland)]
fn a_number_that_could_be_of_both_or_neither_is_refused(#[case] typed: &str, #[case] said: &str, #[case] why: PhoneNumberError) {
    assert_eq!(PhoneNumber::read(typed, Some(country(said))), Err(why));
}

#[rstest]
#[case("13800005678", Some("+8613800005678"))]
#[case("8613800005678", Some("+8613800005678"))]
#[case("85251234567", Some("+85251234567"))]
#[case("+85251234567", Some("+85251234567"))]
#[case("13125550123", Some("+8613125550123"))]
#[case::services("10086", None)]
#[case("95588", None)]
#[case("106575123456789", None)]
#[case("02363840000", None)]
#[case("FENGHUO", None)]
fn a_centre_names_numbers_without_a_plus(#[case] address: &str, #[case] e164: Option<&str>) {
    assert_eq!(PhoneNumber::of_centre(address).ok().map(PhoneNumber::e164).as_deref(), e164);
}

#[rstest]
#[case("13900000042", "139****0042")]
#[case("+85251234567", "+852 ****4567")]
#[case("+13125550123", "+1 ****0123")]
fn shows_itself_masked(#[case] typed: &str, #[case] masked: &str) {
    let number: PhoneNumber = typed.parse().unwrap();
    assert_eq!(number.masked(), masked);
    assert_eq!(format!("{number:?}"), format!("PhoneNumber({masked})"));
}

#[test]
fn four_digits_of_every_number_are_hidden() {
    // of the Faroe Islands, with six digits
    let number: PhoneNumber = "+298 211234".parse().unwrap();
    assert_eq!(number.masked(), "+298 ****34");
}

proptest! {
    #[test]
    fn every_mobile_number_of_the_mainland_survives_its_own_writing(national in 13_000_000_000_u64..=19_999_999_999) {
        let number: PhoneNumber = national.to_string().parse().unwrap();
        prop_assert_eq!(number.e164().parse(), Ok(number));
        prop_assert_eq!(number.e164(), format!("+86{national}"));
    }

    #[test]
    fn whatever_is_read_is_the_same_when_it_is_read_again(digits in "(\\+|00)[1-9][0-9]{6,15}") {
        if let Ok(number) = digits.parse::<PhoneNumber>() {
            let e164 = number.e164();
            prop_assert!(e164.len() <= 16);
            prop_assert_eq!(e164.parse(), Ok(number));
            prop_assert_eq!(PhoneNumber::of_centre(&e164), Ok(number));
        }
    }

    #[test]
    fn no_text_makes_the_parser_panic(text in "\\PC*", said in 0_usize..250) {
        let _ = text.parse::<PhoneNumber>();
        let _ = PhoneNumber::read(&text, Country::all().nth(said));
        let _ = PhoneNumber::of_centre(&text);
        let _ = text.parse::<Country>();
    }
}
