//! Stories of registering with the code from an SMS.

use crate::city::{City, Code, HOME, fields, registration};
use http::StatusCode;
use rstest::rstest;
use serde_json::{Value, json};
use stages::Store::{self, Embedded, Services};
use stages::{HOUR, MINUTE, NOBODY, SECOND};

const PHONE: &str = "138 1234 5678";
const IDENTITY: &str = "11010519491231002X";

#[rstest]
#[tokio::test]
async fn a_person_registers_with_the_code_and_is_known_when_they_come_again(#[values(Embedded, Services)] store: Store) {
    let city = City::open(store).await;
    let person = city.register_with(PHONE, json!({ "name": " 张三 ", "identity_number": IDENTITY, "industry": "catering" })).await;

    let (status, profile) = city.get(&person.token, "/api/v1/me").await;
    assert_eq!(status, StatusCode::OK);
    let expected = json!({ "resident_no": person.no, "phone": "138****5678", "name": "张三", "community": HOME, "language": "zh-CN",
        "identity_kind": "identity_card", "identity": "claimed", "industry": "catering", "notices": true, "number_waits": false });
    assert_eq!(profile, expected);
    assert_eq!(city.reach(&person).await, Some((false, true)));
    let told = city.registered().await;
    assert_eq!(told.len(), 1);
    assert_eq!(told[0].resident_no, person.no);
    assert_eq!(told[0].identity_hash, None, "records find nobody by what is only claimed");

    city.platform.clock.forward(MINUTE);
    let again = city.register(PHONE).await;
    assert_eq!(again.no, person.no);
    assert_ne!(again.token, person.token, "a session of its own");
    let (_, profile) = city.get(&again.token, "/api/v1/me").await;
    assert_eq!((&profile["name"], &profile["industry"]), (&json!("张三"), &json!("catering")), "what is not said again stays");
    city.close().await;
}

#[rstest]
#[tokio::test]
async fn the_sixth_try_ends_a_code_even_if_it_is_right(#[values(Embedded, Services)] store: Store) {
    let city = City::open(store).await;
    let code = city.code(PHONE).await;
    let wrong = code.missed();
    for _ in 0..5 {
        let (status, problem) = city.post(NOBODY, "/api/v1/registration", registration(PHONE, &wrong, json!({}))).await;
        assert_eq!((status, &problem["code"]), (StatusCode::FORBIDDEN, &json!("code_not_valid")));
    }
    let sixth = city.post(NOBODY, "/api/v1/registration", registration(PHONE, &code, json!({}))).await;
    assert_eq!(sixth.0, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(city.count("select count(*) from resident.resident").await, 0);

    city.platform.clock.forward(MINUTE);
    city.register(PHONE).await;
    city.close().await;
}

#[rstest]
#[tokio::test]
async fn a_code_is_good_for_five_minutes_and_for_one_registration(#[values(Embedded, Services)] store: Store) {
    let city = City::open(store).await;
    let code = city.code(PHONE).await;
    city.platform.clock.forward(5 * MINUTE + SECOND);
    let late = city.post(NOBODY, "/api/v1/registration", registration(PHONE, &code, json!({}))).await;
    assert_eq!((late.0, &late.1["code"]), (StatusCode::FORBIDDEN, &json!("code_not_valid")));

    let code = city.code(PHONE).await;
    city.platform.clock.forward(5 * MINUTE - SECOND);
    assert_eq!(city.post(NOBODY, "/api/v1/registration", registration(PHONE, &code, json!({}))).await.0, StatusCode::CREATED);
    let twice = city.post(NOBODY, "/api/v1/registration", registration(PHONE, &code, json!({}))).await;
    assert_eq!(twice.0, StatusCode::FORBIDDEN, "it was used up");
    city.close().await;
}

#[rstest]
#[tokio::test]
async fn the_code_of_one_number_does_not_open_another() {
    let city = City::open(Embedded).await;
    let code = city.code(PHONE).await;
    let other = city.code("13900001111").await;
    if code.digits != other.digits {
        let (status, _) = city.post(NOBODY, "/api/v1/registration", registration("13900001111", &code, json!({}))).await;
        assert_eq!(status, StatusCode::FORBIDDEN);
    }
    city.close().await;
}

#[rstest]
#[tokio::test]
async fn a_number_may_ask_once_a_minute_and_ten_times_a_day(#[values(Embedded, Services)] store: Store) {
    let city = City::open(store).await;
    let ask = async || city.post(NOBODY, "/api/v1/registration/code", json!({ "phone": PHONE })).await;
    for _ in 0..10 {
        assert_eq!(ask().await.0, StatusCode::ACCEPTED);
        let (status, problem) = ask().await;
        assert_eq!((status, &problem["retry_after"]), (StatusCode::TOO_MANY_REQUESTS, &json!(60)));
        city.platform.clock.forward(MINUTE);
    }
    assert_eq!(ask().await.0, StatusCode::TOO_MANY_REQUESTS, "the eleventh of the day");
    city.platform.clock.forward(24 * HOUR);
    assert_eq!(ask().await.0, StatusCode::ACCEPTED);
    city.close().await;
}

#[rstest]
#[tokio::test]
async fn number_name_identity_and_code_are_in_no_table_in_clear(#[values(Embedded, Services)] store: Store) {
    let city = City::open(store).await;
    let code = city.code(PHONE).await;
    assert_eq!(city.tables_with(&format!("验证码 {}", code.digits)).await, [""; 0]);
    let body = registration(PHONE, &code, json!({ "name": "欧阳若兰", "identity_number": IDENTITY }));
    let (status, answer) = city.post(NOBODY, "/api/v1/registration", body).await;
    assert_eq!(status, StatusCode::CREATED);
    let token = answer["token"].as_str().unwrap();
    let device = json!({ "kind": "fcm_fid", "token": "cAbCdEfGhIjKlMnOpQrStU" });
    assert_eq!(city.post(token, "/api/v1/me/devices", device).await.0, StatusCode::CREATED);
    city.reply(PHONE, "我在渝州宾馆", "ref-1").await;

    for plain in ["13812345678", "欧阳若兰", IDENTITY, "cAbCdEfGhIjKlMnOpQrStU", "渝州宾馆", token] {
        assert_eq!(city.tables_with(plain).await, [""; 0]);
    }
    assert!(city.tables_with(HOME).await.contains(&"resident.resident".to_owned()), "the search finds what is there");
    city.close().await;
}

#[rstest]
#[tokio::test]
async fn without_consent_to_the_text_in_force_nobody_is_registered_and_the_code_stays_good() {
    let city = City::open(Embedded).await;
    let code = city.code(PHONE).await;
    let outdated = json!({ "consent_version": domain::consent::CURRENT_VERSION - 1 });
    let (status, problem) = city.post(NOBODY, "/api/v1/registration", registration(PHONE, &code, outdated)).await;
    assert_eq!((status, &problem["code"]), (StatusCode::BAD_REQUEST, &json!("consent_missing")));
    assert_eq!(city.count("select count(*) from resident.resident").await, 0);

    let (_, notice) = city.get(NOBODY, "/api/v1/consent/notice").await;
    let shown: Vec<_> = notice.as_array().unwrap().iter().map(|text| (&text["version"], &text["language"])).collect();
    let current = json!(domain::consent::CURRENT_VERSION);
    assert_eq!(shown, [(&current, &json!("zh-CN")), (&current, &json!("en"))]);
    assert_eq!(city.post(NOBODY, "/api/v1/registration", registration(PHONE, &code, json!({}))).await.0, StatusCode::CREATED);
    city.close().await;
}

#[rstest]
#[case::a_landline(json!({ "phone": "023-63840000" }), "phone")]
#[case::a_community_that_is_not(json!({ "community": "500103001999" }), "community")]
#[case::a_wrong_checksum(json!({ "identity_number": "110105194912310021" }), "identity_number")]
#[case::eight_digits_of_no_country(json!({ "phone": "51234567" }), "phone")]
#[case::a_landline_of_hong_kong(json!({ "phone": "+852 2123 4567" }), "phone")]
#[case::fifteen_digits(json!({ "identity_number": "110105491231002" }), "identity_number")]
#[case::a_number_of_several_kinds(json!({ "identity_number": "12345678" }), "identity_kind")]
#[case::another_kind(json!({ "identity_number": IDENTITY, "identity_kind": "residence_permit" }), "identity_kind")]
#[case::a_passport_of_no_country(json!({ "identity_number": "E12345678", "identity_kind": "passport" }), "identity_country")]
#[case::a_country_that_is_not(json!({ "identity_number": "E12345678", "identity_kind": "passport", "identity_country": "Atlantis" }), "identity_country")]
#[case::a_name_too_long(json!({ "name": "长".repeat(51) }), "name")]
#[case::a_name_of_two_lines(json!({ "name": "张\n三" }), "name")]
#[tokio::test]
async fn a_field_that_is_wrong_is_named(#[case] says: Value, #[case] field: &str) {
    let city = City::open(Embedded).await;
    let (status, problem) = city.post(NOBODY, "/api/v1/registration", registration(PHONE, &Code::of_nobody(), says)).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{problem}");
    assert_eq!(fields(&problem), [field]);
    city.close().await;
}

#[rstest]
#[case::permit("+852 5123 4567", "+852 ****4567", json!({ "identity_number": "H1234567801", "identity_kind": "hong_kong_macao_permit" }))]
#[case::older_permit("+886 912 345 678", "+886 ****5678", json!({ "identity_number": "0123456701(B)", "identity_kind": "taiwan_permit" }))]
#[case::residence_permit("+85366123456", "+853 ****3456", json!({ "identity_number": "820000198506150022", "identity_kind": "residence_permit" }))]
#[case::card("13900001111", "139****1111", json!({ "identity_number": "KAZ110090123105", "identity_kind": "permanent_resident_card" }))]
#[case::passport("+1 312 555 0123", "+1 ****0123", json!({ "identity_number": "E12345678", "identity_kind": "passport", "identity_country": "韩国" }))]
#[tokio::test]
async fn who_comes_from_elsewhere_registers_with_their_phone_and_document(#[case] phone: &str, #[case] masked: &str, #[case] says: Value) {
    let city = City::open(Embedded).await;
    let person = city.register_with(phone, says.clone()).await;
    let (_, profile) = city.get(&person.token, "/api/v1/me").await;
    assert_eq!((&profile["phone"], &profile["identity_kind"]), (&json!(masked), &says["identity_kind"]));
    city.platform.clock.forward(MINUTE);
    let again = city.register_with(phone, json!({})).await;
    assert_eq!(again.no, person.no);
    let (_, profile) = city.get(&again.token, "/api/v1/me").await;
    assert_eq!(profile["identity_kind"], says["identity_kind"], "what is not said again stays");
    let number = says["identity_number"].as_str().unwrap();
    assert_eq!(city.tables_with(&number[..8]).await, [""; 0]);

    assert_eq!(city.delete(&again.token, "/api/v1/me").await, StatusCode::NO_CONTENT);
    assert_eq!(city.count("select count(*) from resident.resident where identity_kind is not null").await, 0);
    city.close().await;
}
