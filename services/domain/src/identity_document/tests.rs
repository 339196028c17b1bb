use proptest::prelude::*;
use rstest::rstest;

use super::*;

use IdentityKind::{HongKongMacaoPermit, IdentityCard, Passport, PermanentResidentCard, ResidencePermit, TaiwanPermit};

fn read(text: &str, kind: Option<IdentityKind>) -> Result<IdentityDocument, IdentityError> {
    IdentityDocument::read(text, kind, None)
}

#[rstest]
#[case::identity_card("11010519491231002X", IdentityCard, "11010519491231002X")]
#[case::in_groups("110105 19491231 002x", IdentityCard, "11010519491231002X")]
#[case::full_width("１１０１０５１９４９１２３１００２Ｘ", IdentityCard, "11010519491231002X")]
#[case::copied_out("\u{202d}11010519491231002X\u{202c}", IdentityCard, "11010519491231002X")]
#[case::resident_of_hong_kong("810000199001010019", ResidencePermit, "810000199001010019")]
#[case::resident_of_macao("820000198506150022", ResidencePermit, "820000198506150022")]
#[case::resident_of_taiwan("830000197712240034", ResidencePermit, "830000197712240034")]
#[case::foreigner("911398199012310021", PermanentResidentCard, "911398199012310021")]
#[case::foreigner_before_2023("KAZ110090123105", PermanentResidentCard, "KAZ110090123105")]
#[case::foreigner_full_width("ｋａｚ １１００ ９０１２３１０５", PermanentResidentCard, "KAZ110090123105")]
#[case::renewed_permit("H1234567801", HongKongMacaoPermit, "H12345678")]
#[case::older_permit("0123456701(B)", TaiwanPermit, "01234567")]
#[case::older_permit_full_width("０１２３４５６７０１（Ｂ）", TaiwanPermit, "01234567")]
fn a_number_of_one_form_tells_its_kind(#[case] typed: &str, #[case] kind: IdentityKind, #[case] number: &str) {
    for said in [None, Some(kind)] {
        let document = read(typed, said).unwrap();
        assert_eq!((document.kind(), document.number()), (kind, number));
    }
}

#[rstest]
#[case::permit("H12345678", HongKongMacaoPermit, "H12345678")]
#[case::permit_of_macao(" m 1234 5678", HongKongMacaoPermit, "M12345678")]
#[case::permit_of_taiwan("01234567", TaiwanPermit, "01234567")]
#[case::older_permit_without_letter("0123456702", TaiwanPermit, "01234567")]
fn a_number_of_several_kinds_is_taken_with_its_kind_only(#[case] typed: &str, #[case] kind: IdentityKind, #[case] number: &str) {
    assert_eq!(read(typed, Some(kind)).unwrap().number(), number);
    assert_eq!(read(typed, None), Err(IdentityError::KindNeeded));
}

#[rstest]
#[case::british("123456789", "GBR")]
#[case::german("c01x00t47", "D")]
#[case::chinese("E12345678", "中国")]
#[case::of_hong_kong("H12345678", "香港")]
#[case::short("AB1234", "IND")]
fn a_passport_is_taken_with_the_country_that_issued_it(#[case] typed: &str, #[case] country: &str) {
    let country = country.parse().unwrap();
    let passport = IdentityDocument::read(typed, Some(Passport), Some(country)).unwrap();
    assert_eq!((passport.kind(), passport.country()), (Passport, Some(country)));
    assert_eq!(read(typed, Some(Passport)), Err(IdentityError::CountryNeeded));
    assert_eq!(read(typed, None), Err(IdentityError::KindNeeded));
}

#[rstest]
#[case::nothing("", None, IdentityError::Unknown)]
#[case::fifteen_digits("110105491231002", None, IdentityError::FifteenDigits)]
#[case::fifteen_digits_of_a_card("110105491231002", Some(IdentityCard), IdentityError::FifteenDigits)]
#[case::too_short("11010519491231002", None, IdentityError::Unknown)]
#[case::too_short_for_its_kind("11010519491231002", Some(IdentityCard), IdentityError::Form(IdentityCard))]
#[case::too_long("11010519491231002X1", None, IdentityError::Unknown)]
#[case::x_in_the_middle("1101051949123X002X", None, IdentityError::Unknown)]
#[case::no_such_province("99010519491231002X", Some(IdentityCard), IdentityError::OtherKind(PermanentResidentCard))]
#[case::no_such_day("110105194902310029", None, IdentityError::RegionOrBirth(IdentityCard))]
#[case::wrong_check("110105194912310021", None, IdentityError::Check(IdentityCard))]
#[case::wrong_check_of_a_residence_permit("810000199001010011", None, IdentityError::Check(ResidencePermit))]
#[case::identity_card_said_to_be_a_residence_permit("11010519491231002X", Some(ResidencePermit), IdentityError::OtherKind(IdentityCard))]
#[case::foreigner_wrong_check("911398199012310022", None, IdentityError::Check(PermanentResidentCard))]
#[case::foreigner_of_no_province("999398199012310021", None, IdentityError::RegionOrBirth(PermanentResidentCard))]
#[case::foreigner_of_no_country("911999199012310021", None, IdentityError::RegionOrBirth(PermanentResidentCard))]
#[case::foreigner_of_no_day("911398199002310021", None, IdentityError::RegionOrBirth(PermanentResidentCard))]
#[case::foreigner_before_2023_wrong_check("KAZ110090123107", None, IdentityError::Check(PermanentResidentCard))]
#[case::foreigner_before_2023_of_no_country("KAA110090123105", None, IdentityError::RegionOrBirth(PermanentResidentCard))]
#[case::foreigner_before_2023_too_short("KAZ11009012310", Some(PermanentResidentCard), IdentityError::Form(PermanentResidentCard))]
#[case::permit_of_nobody("A12345678", Some(HongKongMacaoPermit), IdentityError::Form(HongKongMacaoPermit))]
#[case::permit_too_short("H1234567", Some(HongKongMacaoPermit), IdentityError::Form(HongKongMacaoPermit))]
#[case::permit_of_nine_digits("H123456789", Some(HongKongMacaoPermit), IdentityError::Form(HongKongMacaoPermit))]
#[case::permit_of_taiwan_too_long("012345678", Some(TaiwanPermit), IdentityError::Form(TaiwanPermit))]
#[case::permit_of_hong_kong_said_to_be_of_taiwan("H1234567801", Some(TaiwanPermit), IdentityError::OtherKind(HongKongMacaoPermit))]
#[case::passport_too_short("E1234", Some(Passport), IdentityError::Form(Passport))]
#[case::passport_without_digits("ABCDEFG", Some(Passport), IdentityError::Form(Passport))]
#[case::passport_with_other_signs("E1234567#", Some(Passport), IdentityError::Form(Passport))]
#[case::identity_card_said_to_be_a_passport("11010519491231002X", Some(Passport), IdentityError::Form(Passport))]
#[case::phone_number("13800005678", None, IdentityError::Unknown)]
fn a_number_that_breaks_its_rule_is_refused_with_its_own_reason(
    #[case] typed: &str,
    #[case] kind: Option<IdentityKind>,
    #[case] why: IdentityError,
) {
    assert_eq!(read(typed, kind), Err(why));
    assert!(!why.chinese().is_empty() && !why.to_string().is_empty());
    assert!(typed.is_empty() || !why.chinese().contains(typed), "a reason repeats no number");
}

#[test]
fn a_number_of_eighteen_characters_is_hashed_as_it_always_was() {
    for number in ["11010519491231002X", "810000199001010019", "911398199012310021"] {
        assert_eq!(read(number, None).unwrap().hashed(), number);
    }
}

#[test]
fn equal_numbers_of_two_kinds_or_countries_are_two_people() {
    let of = |text, kind, country: &str| IdentityDocument::read(text, Some(kind), country.parse().ok()).unwrap().hashed().into_owned();
    let hashed = [
        of("H12345678", HongKongMacaoPermit, ""),
        of("H12345678", Passport, "HKG"),
        of("H12345678", Passport, "GBR"),
        of("01234567", TaiwanPermit, ""),
        of("01234567", Passport, "GBR"),
    ];
    assert_eq!(hashed[1], "passport:HKG:H12345678");
    assert!(hashed.iter().enumerate().all(|(at, one)| !hashed[..at].contains(one)), "{hashed:?}");
}

#[test]
fn a_renewed_permit_is_the_same_persons() {
    let of = |text| read(text, Some(HongKongMacaoPermit)).unwrap().hashed().into_owned();
    assert_eq!(of("H12345678"), of("H1234567800"));
    assert_eq!(of("H1234567800"), of("H1234567803"));
}

#[test]
fn shows_its_kind_and_nothing_else() {
    let document = read("11010519491231002X", None).unwrap();
    assert_eq!(format!("{document:?}"), "IdentityDocument(identity_card)");
    assert_eq!(document.kind().title(), "居民身份证");
    assert_eq!(document.year_of_birth(), Some(1949));
}

fn said() -> impl Strategy<Value = Option<IdentityKind>> {
    proptest::option::of(proptest::sample::select(<IdentityKind as strum::VariantArray>::VARIANTS))
}

/// Numbers that are often right: the last character is put right.
fn number() -> impl Strategy<Value = String> {
    let day = || (1950_u32..2020, 1_u32..13, 1_u32..29).prop_map(|(year, month, day)| format!("{year}{month:02}{day:02}"));
    let eighteen = ("(110105|500103|810000|820000|830000|911398|931840)", day(), "[0-9]{3}").prop_map(|(region, day, sequence)| {
        let digits = format!("{region}{day}{sequence}");
        let check = "0123456789X".chars().find(|check| IdentityNumber::has_its_check_character(format!("{digits}{check}").as_bytes()));
        format!("{digits}{}", check.unwrap())
    });
    prop_oneof![eighteen, "[HM][0-9]{8}([0-9]{2})?", "[0-9]{8}([0-9]{2}[A-Z]?)?", "[A-Z0-9]{6,9}", "(KAZ|USA)1100[0-9]{8}"]
}

proptest! {
    #[test]
    fn whatever_is_read_is_the_same_when_it_is_read_again(number in number(), kind in said(), country in 0_usize..250) {
        let country = Country::all().nth(country);
        if let Ok(document) = IdentityDocument::read(&number, kind, country) {
            let again = IdentityDocument::read(document.number(), Some(document.kind()), document.country());
            prop_assert_eq!(again, Ok(document));
        }
    }

    #[test]
    fn one_wrong_digit_of_a_card_is_always_noticed(place in 0_usize..17, shift in 1_u8..10) {
        for card in [*b"11010519491231002X", *b"810000199001010019", *b"911398199012310021"] {
            let mut digits = card;
            digits[place] = b'0' + (digits[place] - b'0' + shift) % 10;
            prop_assert!(read(std::str::from_utf8(&digits).unwrap(), None).is_err());
        }
    }

    #[test]
    fn no_text_makes_the_parser_panic(text in "\\PC*", kind in said()) {
        let _ = IdentityDocument::read(&text, kind, Some(Country::mainland()));
    }
}
