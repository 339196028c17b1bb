use domain::ids::{ApiKeyId, StaffId};
use domain::risk_record::{Origin, RecordKind, RiskLevel, SubjectHash};
use domain::second_factor::Proof;
use domain::staff::{Role, Scope};
use platform::crypto::Purpose;
use platform::http::{Caller, SourceCaller, StaffCaller};
use proptest::prelude::*;
use rstest::rstest;

use super::*;
use crate::framing::{Cutter, Framing};

const ROW: &str = r#"{"source_id":"cdc-1","kind":"close_contact","occurred_at":"2026-11-02T11:00:00+08:00","subject":{"phone":"13800005678"},"level":"high","district":"500101"}"#;
const HEADER: [&str; 7] = ["source_id", "kind", "occurred_at", "phone", "level", "district", "nights"];

fn noon() -> DateTime<Utc> {
    "2026-11-02T04:00:00Z".parse().unwrap()
}

fn source() -> Sender {
    Sender::of(Caller::Source(SourceCaller {
        key_id: ApiKeyId::new(),
        unit: "市疾控中心".into(),
        origin: Origin::Surveillance,
        area: "500101".parse().unwrap(),
        kinds: vec![RecordKind::CloseContact, RecordKind::Case],
        asks: Vec::new(),
        networks: Vec::new(),
    }))
    .unwrap()
}

fn staff(role: Role, scope: Scope) -> Sender {
    Sender::of(Caller::Staff(StaffCaller {
        id: StaffId::new(),
        name: "王".into(),
        role,
        scope,
        acts_from: None,
        session: "s".into(),
        proof: Proof::NotAsked,
    }))
    .unwrap()
}

fn checker(sender: Sender, form: Form) -> Checker {
    Checker {
        keyring: Keyring::random(),
        sender: Arc::new(sender),
        form,
        time_zone: Tz::Asia__Shanghai,
        oldest_event_days: 731,
        pairs: false,
    }
}

#[test]
fn only_a_trusted_source_names_a_phone_and_a_document_of_one_person() {
    let row = with("subject", r#"{"phone":"13812345678","identity_number":"11010519491231002X"}"#);
    let own = checker(source(), Form::Json);
    assert_eq!(one(&own, &row).err().unwrap().field, "subject");
    let trusted = Checker { pairs: true, ..own };
    let both = one(&trusted, &row).ok().unwrap();
    let phone = one(&trusted, &with("subject", r#"{"phone":"13812345678"}"#)).ok().unwrap();
    let document = one(&trusted, &with("subject", r#"{"identity_number":"11010519491231002X"}"#)).ok().unwrap();
    assert!(both.record.subject == phone.record.subject && phone.paired.is_none() && document.paired.is_none());
    assert!(both.paired.is_some_and(|paired| document.record.subject == domain::risk_record::Subject::IdentityHash(paired.document)));
    let third = with("subject", r#"{"phone":"13812345678","identity_number":"11010519491231002X","place":"500101"}"#);
    assert_eq!(one(&trusted, &third).err().unwrap().field, "subject");
}

fn check(checker: &Checker, bytes: &[u8]) -> Chunk {
    let framing = match &checker.form {
        Form::Json => Framing::Lines,
        Form::List(columns) => Framing::Csv { delimiter: columns.delimiter() },
    };
    let mut cutter = Cutter::new(framing, usize::MAX, 1);
    assert_eq!(cutter.push(bytes), bytes.len());
    cutter.finish(false);
    checker.check(cutter.take(), noon())
}

fn one(checker: &Checker, row: &str) -> Result<Candidate, FieldFault> {
    let mut chunk = check(checker, row.as_bytes());
    assert_eq!(chunk.candidates.len() + chunk.refusals.len(), 1, "one row has one fate");
    chunk.candidates.pop().ok_or_else(|| chunk.refusals.remove(0).faults.remove(0))
}

/// The example with one field written otherwise; `null` leaves it out.
fn with(field: &str, value: &str) -> String {
    let mut row: serde_json::Value = serde_json::from_str(ROW).unwrap();
    row[field] = serde_json::from_str(value).unwrap();
    row.to_string()
}

#[test]
fn a_row_becomes_a_record_without_its_phone_number() {
    let checker = checker(source(), Form::Json);
    let candidate = one(&checker, ROW).unwrap();
    let record = &candidate.record;
    assert_eq!((record.kind, record.origin, record.level), (RecordKind::CloseContact, Origin::Surveillance, RiskLevel::High));
    assert_eq!(record.occurred_at, noon() - chrono::TimeDelta::hours(1));
    assert_eq!(candidate.district.map(DistrictCode::get), Some(500_101));
    let hash = checker.keyring.hash(Purpose::ResidentPhone, b"+8613800005678");
    assert_eq!(record.subject, Subject::PhoneHash(SubjectHash::new(*hash.bytes())));
}

#[rstest]
#[case::no_id("source_id", "null", "source_id")]
#[case::empty_id("source_id", r#"" ""#, "source_id")]
#[case::nested_id("source_id", "{}", "source_id")]
#[case::long_id("source_id", &format!("\"{}\"", "长".repeat(129)), "source_id")]
#[case::no_kind("kind", "null", "kind")]
#[case::unknown_kind("kind", r#""rumour""#, "kind")]
#[case::kind_of_another_source("kind", r#""community_report""#, "kind")]
#[case::unknown_origin("origin", r#""gossip""#, "origin")]
#[case::another_origin("origin", r#""analysis""#, "origin")]
#[case::no_time("occurred_at", "null", "occurred_at")]
#[case::local_time("occurred_at", r#""2026-11-02 11:00""#, "occurred_at")]
#[case::no_date("occurred_at", r#""2026-02-30T11:00:00+08:00""#, "occurred_at")]
#[case::unix_time("occurred_at", "1790000000", "occurred_at")]
#[case::six_minutes_ahead("occurred_at", r#""2026-11-02T12:06:00+08:00""#, "occurred_at")]
#[case::no_subject("subject", "null", "subject")]
#[case::empty_subject("subject", "{}", "subject")]
#[case::two_subjects("subject", r#"{"phone":"13800005678","resident_no":1}"#, "subject")]
#[case::unknown_subject("subject", r#"{"name":"张三"}"#, "subject")]
#[case::subject_as_text("subject", r#""13800005678""#, "subject")]
#[case::wrong_phone("subject", r#"{"phone":"1380000567"}"#, "subject.phone")]
#[case::rounded_phone("subject", r#"{"phone":"1.38E+10"}"#, "subject.phone")]
#[case::wrong_identity_number("subject", r#"{"identity_number":"500101199001011234"}"#, "subject.identity_number")]
#[case::negative_resident("subject", r#"{"resident_no":-1}"#, "subject.resident_no")]
#[case::huge_resident("subject", r#"{"resident_no":4294967296}"#, "subject.resident_no")]
#[case::no_area("subject", r#"{"place":"the market"}"#, "subject.place")]
#[case::unknown_area("subject", r#"{"place":"500101999"}"#, "subject")]
#[case::place_in_another_district("subject", r#"{"place":"500103"}"#, "subject")]
#[case::unknown_level("level", r#""extreme""#, "level")]
#[case::level_as_number("level", "3", "level")]
#[case::short_district("district", r#""5001""#, "district")]
#[case::unknown_district("district", r#""500199""#, "district")]
#[case::foreign_district("district", r#""110101""#, "district")]
#[case::district_of_others("district", "500103", "district")]
#[case::unknown_township("township", r#""500101999""#, "township")]
#[case::township_elsewhere("township", r#""500102001""#, "township")]
#[case::unknown_community("community", r#""500101001999""#, "community")]
#[case::attributes_as_list("attributes", "[1]", "attributes")]
#[case::attribute_name("attributes", r#"{"Isolation site":true}"#, "attributes")]
#[case::nested_attribute("attributes", r#"{"site":{"name":"x"}}"#, "attributes.site")]
#[case::long_attribute("attributes", &format!("{{\"note\":\"{}\"}}", "长".repeat(501)), "attributes.note")]
#[case::zero_in_attribute("attributes", r#"{"note":"\u0000"}"#, "attributes.note")]
#[case::unknown_field("colour", r#""red""#, "colour")]
#[case::field_that_may_be_a_name("张三", "1", "row")]
fn a_wrong_field_is_named_in_both_languages(#[case] field: &str, #[case] value: &str, #[case] named: &str) {
    let fault = one(&checker(source(), Form::Json), &with(field, value)).err().expect("the row is wrong");
    assert_eq!(fault.field, named, "{fault:?}");
    assert!(!fault.reason.is_ascii() && fault.reason != "内容无效", "{fault:?}");
    assert!(fault.reason_en.is_ascii(), "{fault:?}");
    for personal in ["13800005678", "张三", "1.38E+10", "500101199001011234"] {
        assert!(!format!("{fault:?}").contains(personal), "{fault:?}");
    }
}

#[rstest]
#[case::no_object("[1,2]", "must be a JSON object")]
#[case::a_number("17", "must be a JSON object")]
#[case::cut(&ROW[..80], "ends in the middle")]
#[case::no_json("source_id=1", "is not valid JSON at column 1")]
#[case::two_on_a_line("{}{}", "is not valid JSON at column 3")]
#[case::field_twice(r#"{"kind":"case","kind":"case"}"#, "is given twice")]
#[case::subject_twice(r#"{"subject":{},"subject":{}}"#, "is given twice")]
fn a_row_of_another_form_is_refused_with_its_reason(#[case] row: &str, #[case] reason: &str) {
    assert_eq!(one(&checker(source(), Form::Json), row).err().expect("the row is wrong").reason_en, reason);
}

#[test]
fn a_row_in_gbk_is_refused_alone() {
    let mut bytes = ROW.replace("cdc-1", "cdc-2").into_bytes();
    bytes.extend(b"\n{\"source_id\":\"\xD6\xD0\"}\n");
    bytes.extend(ROW.as_bytes());
    let chunk = check(&checker(source(), Form::Json), &bytes);
    assert_eq!((chunk.candidates.len(), chunk.refusals.len()), (2, 1));
    assert_eq!((chunk.refusals[0].line, &chunk.refusals[0].faults[..]), (2, &[reason::not_utf8()][..]));
}

#[rstest]
#[case::five_minutes_ahead("occurred_at", r#""2026-11-02T12:05:00+08:00""#)]
#[case::id_as_number("source_id", "17")]
#[case::phone_as_number("subject", r#"{"phone":13800005678}"#)]
#[case::phone_with_spaces("subject", r#"{"phone":"+86 138 0000 5678"}"#)]
#[case::place("subject", r#"{"place":"500101001001"}"#)]
#[case::district_as_number("district", "500101")]
#[case::own_origin("origin", r#""surveillance""#)]
#[case::what_we_added_to_a_refused_row("refused", r#"{"line":1}"#)]
#[case::attribute_without_value("attributes", r#"{"note":null}"#)]
fn what_can_be_understood_is_taken(#[case] field: &str, #[case] value: &str) {
    assert_eq!(one(&checker(source(), Form::Json), &with(field, value)).err(), None);
}

#[test]
fn the_larger_areas_follow_from_the_smaller() {
    let row = with("community", r#""500101001001""#).replace(r#""district":"500101","#, "");
    let candidate = one(&checker(source(), Form::Json), &row).unwrap();
    assert_eq!(candidate.township.map(TownshipCode::get), Some(500_101_001));
    assert_eq!(candidate.district.map(DistrictCode::get), Some(500_101));
}

#[test]
fn the_same_content_written_otherwise_has_the_same_hash_and_another_content_another() {
    let checker = checker(source(), Form::Json);
    let hash = |row: &str| one(&checker, row).unwrap().content_hash;
    let row = with("attributes", r#"{"nights":7,"site":"渝州宾馆"}"#);
    let other_order = with("attributes", r#"{"site":"渝州宾馆","nights":7.0}"#);
    assert_eq!(hash(&row), hash(&other_order));
    assert_eq!(hash(&row), hash(&row.replace("11:00:00+08:00", "03:00:00Z")));
    assert_eq!(hash(&row), hash(&row.replace("13800005678", "+86 138-0000-5678")));
    for other in [
        row.replace("渝州", "两江"),
        row.replace("high", "low"),
        row.replace("5678", "5679"),
        row.replace(":7", ":8"),
        row.replace(":7", ":\"7\""),
    ] {
        assert_ne!(hash(&row), hash(&other), "{other}");
    }
}

#[rstest]
#[case::district_reviewer(Role::DistrictReviewer, "district:500101", "close_contact", None)]
#[case::elsewhere(Role::DistrictReviewer, "district:500103", "close_contact", Some("district"))]
#[case::for_the_city(Role::SubmittingUnit, "city", "test_result", None)]
#[case::community_worker(Role::CommunityWorker, "community:500101001001", "community_report", None)]
#[case::not_a_worker_s_kind(Role::CommunityWorker, "community:500101001001", "case", Some("kind"))]
#[case::another_district_than_the_worker_s(Role::CommunityWorker, "community:500103001001", "community_report", Some("community"))]
fn staff_deliver_within_their_scope(#[case] role: Role, #[case] scope: &str, #[case] kind: &str, #[case] refused: Option<&str>) {
    let mut row = with("kind", &format!("\"{kind}\""));
    if role == Role::CommunityWorker {
        row = row.replace(r#""district":"500101""#, r#""community":"500101001001""#);
    }
    let checked = one(&checker(staff(role, scope.parse().unwrap()), Form::Json), &row);
    assert_eq!(checked.err().map(|fault| fault.field).as_deref(), refused);
}

#[test]
fn a_community_worker_reports_from_the_own_community() {
    let worker = staff(Role::CommunityWorker, "community:500101001001".parse().unwrap());
    let row = with("kind", r#""community_report""#).replace(r#","district":"500101""#, "").replace(r#""district":"500101","#, "");
    let candidate = one(&checker(worker, Form::Json), &row).unwrap();
    assert_eq!(candidate.community.map(CommunityCode::get), Some(500_101_001_001));
    assert_eq!(candidate.record.origin, Origin::Grassroots);
}

fn csv(sender: Sender) -> Checker {
    checker(
        sender,
        Form::List(Arc::new(Columns::of_names(HEADER.map(str::to_owned).into(), b',', domain::list::ColumnNames::shipped()).unwrap())),
    )
}

#[rstest]
#[case::city_time("cdc-1,case,2026-11-02 11:00,13800005678,high,500101,7")]
#[case::as_excel_writes_it("cdc-1,case,2026/11/2 11:00,13800005678,high,500101,7\r\n")]
#[case::in_chinese("cdc-1,病例,2026年11月2日11时00分,１３８００００５６７８,高,万州区,7")]
#[case::copied_out_of_a_messenger("cdc-1,case,2026-11-02 11:00,\u{202d}13800005678\u{202c},high,\u{feff}500101,7")]
#[case::neutralised("cdc-1,case,2026-11-02 11:00,'+8613800005678,high,500101,7")]
#[case::with_offset("cdc-1,case,2026-11-02T03:00:00Z,13800005678,high,500101,7")]
#[case::quoted("\"cdc-1\",\"case\",\"2026-11-02 11:00\",\"13800005678\",\"high\",\"500101\",\"7\"")]
#[case::empty_cells_behind("cdc-1, case ,2026-11-02 11:00,13800005678,high,500101,7,,,")]
fn a_row_of_a_spreadsheet_is_the_same_record(#[case] row: &str) {
    let checker = csv(source());
    let candidate = one(&checker, row).unwrap();
    assert_eq!(candidate.record.occurred_at, noon() - chrono::TimeDelta::hours(1));
    assert_eq!(candidate.record.attributes["nights"], AttributeValue::Text("7".into()));
}

#[rstest]
#[case::too_few_cells("cdc-1,case,2026-11-02 11:00", "level")]
#[case::too_many_cells("cdc-1,case,2026-11-02 11:00,13800005678,high,500101,7,8", "row")]
#[case::no_time("cdc-1,case,yesterday,13800005678,high,500101,7", "occurred_at")]
#[case::empty_kind("cdc-1,,2026-11-02 11:00,13800005678,high,500101,7", "kind")]
fn a_wrong_row_of_a_spreadsheet_names_its_field(#[case] row: &str, #[case] field: &str) {
    assert_eq!(one(&csv(source()), row).err().expect("the row is wrong").field, field);
}

fn faults(checker: &Checker, row: &str) -> Vec<(String, String)> {
    let chunk = check(checker, row.as_bytes());
    assert_eq!(chunk.refusals.len(), 1, "the row is wrong");
    chunk.refusals[0].faults.iter().map(|fault| (fault.field.clone(), fault.reason_en.clone())).collect()
}

#[test]
fn all_that_is_wrong_with_a_row_is_said_at_once() {
    let found = faults(&csv(source()), "#N/A,rumour,11/2/26,1.38E+10,very high,500199,#REF!");
    let fields: Vec<&str> = found.iter().map(|(field, _)| field.as_str()).collect();
    assert_eq!(fields, ["source_id", "attributes.nights", "kind", "occurred_at", "level", "subject.phone", "district"]);
    let found =
        faults(&checker(source(), Form::Json), &with("level", "3").replace("13800005678", "138").replace("close_contact", "rumour"));
    assert_eq!(found.iter().map(|(field, _)| field.as_str()).collect::<Vec<_>>(), ["kind", "level", "subject.phone"]);
}

#[rstest]
#[case::rounded_id("1.38E+10,case,2026-11-02 11:00,13800005678,high,500101,7", "source_id", "rounded by a spreadsheet")]
#[case::rounded_phone("a,case,2026-11-02 11:00,1.38E+10,high,500101,7", "subject.phone", "rounded by a spreadsheet")]
#[case::error_value("a,case,2026-11-02 11:00,13800005678,high,500101,#N/A", "attributes.nights", "#N/A")]
#[case::no_value("a,case,2026-11-02 11:00,13800005678,high,500101,NULL", "attributes.nights", "NULL")]
#[case::lost_signs("a,case,2026-11-02 11:00,13800005678,high,500101,渝\u{fffd}", "attributes.nights", "cannot be read")]
#[case::two_digit_year("a,case,26/11/02 08:30,13800005678,high,500101,7", "occurred_at", "year of two digits")]
#[case::year_last("a,case,11/02/2026,13800005678,high,500101,7", "occurred_at", "year last")]
#[case::serial("a,case,46328.35,13800005678,high,500101,7", "occurred_at", "number of a day")]
#[case::long_ago("a,case,2024-11-01 08:30,13800005678,high,500101,7", "occurred_at", "731 days")]
#[case::far_away("a,case,2026-11-02 11:00,13800005678,high,朝阳区,7", "district", "neither the name")]
fn a_cell_that_cannot_be_used_has_words_of_its_own(#[case] row: &str, #[case] field: &str, #[case] words: &str) {
    let found = faults(&csv(source()), row);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].0 == field && found[0].1.contains(words), "{found:?}");
}

#[rstest]
#[case::first_century(r#""0026-11-02T08:30:00+08:00""#)]
#[case::long_ago(r#""2024-11-01T08:30:00+08:00""#)]
fn a_time_long_ago_is_refused_in_json_too(#[case] time: &str) {
    let fault = one(&checker(source(), Form::Json), &with("occurred_at", time)).err();
    assert_eq!(fault, Some(reason::too_old(731)));
}

#[rstest]
#[case::more_than_the_machine_holds("123456789012345678901234567890")]
#[case::the_most_it_holds("18446744073709551615")]
#[case::more_than_a_float_holds("9007199254740993")]
fn an_id_that_is_a_number_is_kept_to_its_last_digit(#[case] id: &str) {
    assert_eq!(
        one(&checker(source(), Form::Json), &with("source_id", "1").replace("\"source_id\":1", &format!("\"source_id\":{id}")))
            .unwrap()
            .record
            .source_id,
        id
    );
}

#[test]
fn an_identity_number_of_the_century_before_last_is_nobodys() {
    let row = with("subject", r#"{"identity_number":"440524188001010014"}"#);
    assert_eq!(one(&checker(source(), Form::Json), &row).err(), Some(reason::born_too_early()));
}

#[rstest]
#[case::hong_kong(r#"{"phone":"+852 5123 4567"}"#, "+85251234567")]
#[case::with_its_country(r#"{"phone":"5123 4567","number_country":"HK"}"#, "+85251234567")]
#[case::as_a_number(r#"{"phone":51234567,"number_country":"香港"}"#, "+85251234567")]
#[case::what_is_no_country_beside_a_number_that_needs_none(r#"{"phone":"13800005678","number_country":"汉族"}"#, "+8613800005678")]
fn a_phone_of_another_place_is_known_by_its_number_with_its_code(#[case] subject: &str, #[case] e164: &str) {
    let checker = checker(source(), Form::Json);
    let hash = checker.keyring.hash(Purpose::ResidentPhone, e164.as_bytes());
    let record = one(&checker, &with("subject", subject)).unwrap().record;
    assert_eq!(record.subject, Subject::PhoneHash(SubjectHash::new(*hash.bytes())));
}

#[rstest]
#[case::of_itself(r#"{"identity_number":"11010519491231002X"}"#, "11010519491231002X")]
#[case::with_its_kind(r#"{"identity_number":"11010519491231002X","identity_kind":"identity_card"}"#, "11010519491231002X")]
#[case::resident_of_macao(r#"{"identity_number":"820000198506150022"}"#, "820000198506150022")]
#[case::permit(r#"{"identity_number":"H12345678","identity_kind":"hong_kong_macao_permit"}"#, "hong_kong_macao_permit:H12345678")]
#[case::permit_as_a_number(r#"{"identity_number":12345678,"identity_kind":"taiwan_permit"}"#, "taiwan_permit:12345678")]
#[case::passport(r#"{"identity_number":"123456789","identity_kind":"passport","number_country":"GBR"}"#, "passport:GBR:123456789")]
fn an_identity_document_is_known_by_its_kind_and_number(#[case] subject: &str, #[case] hashed: &str) {
    let checker = checker(source(), Form::Json);
    let hash = checker.keyring.hash(Purpose::IdentityNumber, hashed.as_bytes());
    let record = one(&checker, &with("subject", subject)).unwrap().record;
    assert_eq!(record.subject, Subject::IdentityHash(SubjectHash::new(*hash.bytes())));
}

#[rstest]
#[case::eight_digits(r#"{"phone":"51234567"}"#, "subject.phone", "+852")]
#[case::eight_digits_of_no_country(r#"{"phone":"51234567","number_country":"nowhere"}"#, "subject.number_country", "no country")]
#[case::landline_of_hong_kong(r#"{"phone":"+852 2123 4567"}"#, "subject.phone", "Hong Kong (China) has no mobile numbers like this")]
#[case::eight_digits_of_a_document(r#"{"identity_number":"12345678"}"#, "subject.identity_kind", "several kinds")]
#[case::fifteen_digits(r#"{"identity_number":"110105491231002"}"#, "subject.identity_number", "valid no more")]
#[case::passport_of_no_country(
    r#"{"identity_number":"E12345678","identity_kind":"passport"}"#,
    "subject.number_country",
    "issued the passport"
)]
#[case::wrong_check(r#"{"identity_number":"911398199012310022"}"#, "subject.identity_number", "check character")]
#[case::another_kind(
    r#"{"identity_number":"820000198506150022","identity_kind":"identity_card"}"#,
    "subject.identity_kind",
    "by the number: residence permit"
)]
#[case::no_such_kind(r#"{"identity_number":"E12345678","identity_kind":"driving_licence"}"#, "subject.identity_kind", "passport")]
#[case::kind_alone(r#"{"identity_kind":"passport"}"#, "subject", "exactly one")]
fn a_number_that_is_nobodys_says_what_it_lacks(#[case] subject: &str, #[case] field: &str, #[case] words: &str) {
    let fault = one(&checker(source(), Form::Json), &with("subject", subject)).err().expect("refused");
    assert!(fault.field == field && fault.reason_en.contains(words), "{fault:?}");
}

#[test]
fn a_list_names_documents_and_countries_as_people_do() {
    let names = ["编号", "类别", "发生时间", "风险等级", "区县", "证件类型", "证件号码", "国籍"].map(str::to_owned);
    let checker =
        checker(source(), Form::List(Arc::new(Columns::of_names(names.into(), b',', domain::list::ColumnNames::shipped()).unwrap())));
    let of = |cells: &str| one(&checker, &format!("a,病例,2026-11-02 11:00,高,500101,{cells}")).map(|candidate| candidate.record.subject);
    let hash =
        |text: &str| Subject::IdentityHash(SubjectHash::new(*checker.keyring.hash(Purpose::IdentityNumber, text.as_bytes()).bytes()));
    assert_eq!(of("身份证,11010519491231002Ｘ,中国"), Ok(hash("11010519491231002X")));
    assert_eq!(of("回乡证,H1234567801,中国香港"), Ok(hash("hong_kong_macao_permit:H12345678")));
    assert_eq!(of("台胞证,0123456701（B）,"), Ok(hash("taiwan_permit:01234567")));
    assert_eq!(of("永居证,kaz 1100 90123105,哈萨克斯坦"), Ok(hash("permanent_resident_card:KAZ110090123105")));
    assert_eq!(of("护照,Ｅ12345678,韩国"), Ok(hash("passport:KOR:E12345678")));
    assert_eq!(of("居住证,11010519491231002X,").map_err(|fault| fault.field), Err("subject.identity_kind".to_owned()));
}

#[test]
fn an_error_value_in_json_is_refused_too() {
    let fault = one(&checker(source(), Form::Json), &with("attributes", r##"{"isolation_site":"#N/A"}"##)).err().expect("refused");
    assert_eq!(fault.field, "attributes.isolation_site");
}

#[test]
fn a_time_that_the_clocks_leapt_over_is_refused() {
    let berlin = Checker { time_zone: Tz::Europe__Berlin, ..csv(source()) };
    let fault = one(&berlin, "cdc-1,case,2026-03-29 02:30,13800005678,high,500101,7").err();
    assert_eq!(fault, Some(reason::no_such_time()));
}

#[test]
fn rows_whose_cells_are_all_empty_are_none() {
    let chunk = check(&csv(source()), b",,,,,,\r\n\r\n");
    assert!(chunk.candidates.is_empty() && chunk.refusals.is_empty());
}

proptest! {
    #[test]
    fn no_bytes_make_the_parser_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        check(&checker(source(), Form::Json), &bytes);
        check(&csv(source()), &bytes);
    }

    #[test]
    fn a_row_with_a_piece_replaced_is_stored_or_refused_with_a_reason(at in 0..ROW.len(), piece in "[\\PC\"{}\\[\\],:0-9\\\\]{0,6}") {
        let mut row = ROW.to_owned();
        row.replace_range(at..=at, &piece);
        let chunk = check(&checker(source(), Form::Json), row.as_bytes());
        prop_assert!(chunk.refusals.iter().all(|refusal| refusal.faults.iter().all(|fault| !fault.reason.is_empty() && !fault.field.is_empty())));
    }
}
