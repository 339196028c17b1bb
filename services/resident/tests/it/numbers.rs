//! Stories of phone numbers that change hands, and of people who change their number.

use crate::city::{City, Code, ELSEWHERE, Person, WORKER, WORKER_NEXT_DOOR, alert, fields, registration};
use chrono::TimeDelta;
use http::{Method, StatusCode};
use rstest::rstest;
use serde_json::{Value, json};
use stages::Store::{self, Embedded, Services};
use stages::{DAY, MINUTE, NOBODY};

const PHONE: &str = "13812345678";
const NEW_PHONE: &str = "13900001111";
const IDENTITY: &str = "11010519491231002X";

#[rstest]
#[tokio::test]
async fn who_gets_a_number_that_was_given_out_again_is_somebody_new(#[values(Embedded, Services)] store: Store) {
    let city = City::open(store).await;
    let before = city.register_with(PHONE, json!({ "name": "张三" })).await;
    city.prove(&before, IDENTITY).await;
    let device = json!({ "kind": "fcm_fid", "token": "f".repeat(22) });
    assert_eq!(city.post(&before.token, "/api/v1/me/devices", device).await.0, StatusCode::CREATED);
    city.platform.clock.forward(91 * DAY);
    let told = crate::city::Alert { valid: TimeDelta::hours(4), ..alert("AB2C", "您是密切接触者") };
    city.release(&told, &[&before]).await;

    let code = city.code(PHONE).await;
    let register = async |says: Value| city.post(NOBODY, "/api/v1/registration", registration(PHONE, &code, says)).await;
    let (status, problem) = register(json!({})).await;
    assert_eq!((status, &problem["code"]), (StatusCode::CONFLICT, &json!("number_long_silent")), "nobody begins anew without a word");
    assert_eq!(city.endpoints(&before).await.len(), 2, "and nothing of the one before is lost by asking");
    let (status, answer) = register(json!({ "begin_anew": true })).await;
    assert_eq!(status, StatusCode::CREATED, "the code is still good: {answer}");
    let now = Person { no: u32::try_from(answer["resident_no"].as_u64().unwrap()).unwrap(), token: crate::city::text(&answer["token"]) };
    assert_ne!(now.no, before.no);
    assert!(city.inbox(&now).await.is_empty(), "nothing of the one before");
    let (_, profile) = city.get(&now.token, "/api/v1/me").await;
    assert_eq!((&profile["name"], &profile["identity"]), (&Value::Null, &json!("none")));
    assert_eq!(city.get(&now.token, "/api/v1/me/feedback").await.1, json!([]));
    assert_eq!(city.get(&now.token, "/api/v1/me/sign-ins").await.1.as_array().unwrap().len(), 1);

    assert_eq!((city.reach(&before).await, city.endpoints(&before).await), (None, Vec::new()), "nothing goes to who left the number");
    assert_eq!(city.found_by(IDENTITY).await, None, "records about them wait until they prove it again");
    let (status, problem) = city.get(&before.token, "/api/v1/me").await;
    assert_eq!((status, &problem["code"]), (StatusCode::UNAUTHORIZED, &json!("number_changed_hands")), "and their device is told why");

    // who left the number has theirs again with the new one
    let again = city.register(NEW_PHONE).await;
    assert_eq!(city.prove(&again, IDENTITY).await.0, StatusCode::OK);
    assert_eq!(city.found_by(IDENTITY).await, Some(again.no.cast_signed()));
    city.close().await;
}

#[rstest]
#[case::another_name(json!({ "name": "李四" }), false)]
#[case::another_document(json!({ "identity_number": "110101199003070097" }), false)]
#[case::a_document_of_another_kind(json!({ "identity_number": "H12345678", "identity_kind": "hong_kong_macao_permit" }), true)]
#[case::their_own_name(json!({ "name": "张三" }), true)]
#[case::their_own_name_written_otherwise(json!({ "name": "张　三" }), true)]
#[case::nothing_more(json!({}), true)]
#[tokio::test]
async fn on_a_number_in_use_other_facts_are_a_question(#[case] says: Value, #[case] same: bool) {
    let city = City::open(Embedded).await;
    let before = city.register_with(PHONE, json!({ "name": "张三", "identity_number": IDENTITY })).await;
    city.platform.clock.forward(DAY);
    let code = city.code(PHONE).await;
    let register = async |says: Value| city.post(NOBODY, "/api/v1/registration", registration(PHONE, &code, says)).await;
    let (status, answer) = register(says.clone()).await;
    assert_eq!(city.get(&before.token, "/api/v1/me").await.0, StatusCode::OK, "whoever is registered stays so");
    if same {
        assert_eq!((status, &answer["resident_no"]), (StatusCode::CREATED, &json!(before.no)));
        assert_eq!(city.notices(&before).await, ["signed_in_elsewhere"], "the other device is told");
    } else {
        assert_eq!((status, &answer["code"]), (StatusCode::CONFLICT, &json!("somebody_registered")));
        let mut anew = says;
        anew["begin_anew"] = json!(true);
        let (status, answer) = register(anew).await;
        assert_eq!(status, StatusCode::CREATED, "{answer}");
        assert_ne!(answer["resident_no"], json!(before.no));
        assert_eq!(city.get(&before.token, "/api/v1/me").await.0, StatusCode::UNAUTHORIZED);
    }
    city.close().await;
}

#[rstest]
#[case::name_and_document(json!({ "name": "张 三", "identity_number": IDENTITY }), false, true)]
#[case::the_document_alone(json!({ "identity_number": IDENTITY }), false, false)]
#[case::the_name_alone(json!({ "name": "张三" }), false, false)]
#[case::a_document_from_before_proof_was_asked_for(json!({ "name": "张三", "identity_number": IDENTITY }), true, false)]
#[tokio::test]
async fn a_long_silent_number_goes_on_with_the_name_and_the_document_that_was_proved(
    #[case] says: Value,
    #[case] earlier: bool,
    #[case] same: bool,
) {
    let city = City::open(Embedded).await;
    let before = city.register_with(PHONE, json!({ "name": "张三" })).await;
    city.prove(&before, IDENTITY).await;
    if earlier {
        sqlx::query("update resident.resident set identity_proof = null").execute(city.pool()).await.unwrap();
    }
    city.platform.clock.forward(200 * DAY);
    assert_eq!(city.get(&before.token, "/api/v1/me").await.0, StatusCode::UNAUTHORIZED, "not used for so long");
    let code = city.code(PHONE).await;
    let (status, answer) = city.post(NOBODY, "/api/v1/registration", registration(PHONE, &code, says)).await;
    if same {
        assert_eq!((status, &answer["resident_no"]), (StatusCode::CREATED, &json!(before.no)));
    } else {
        assert_eq!((status, &answer["code"]), (StatusCode::CONFLICT, &json!("number_long_silent")));
    }
    city.close().await;
}

#[rstest]
#[case::a_reply_by_sms(true)]
#[case::a_confirmation_in_the_app(false)]
#[tokio::test]
async fn who_answers_alerts_is_heard_of(#[case] by_sms: bool) {
    let city = City::open(Embedded).await;
    let person = city.register(PHONE).await;
    city.platform.clock.forward(80 * DAY);
    let told = alert("AB2C", "请煮沸饮用水");
    city.release(&told, &[&person]).await;
    if by_sms {
        city.reply(PHONE, "1", "reply-1").await;
        city.settle().await;
    } else {
        assert_eq!(city.acknowledge(&person, &told).await.0, StatusCode::OK);
    }
    // that the app was used is not noted here: what they did is enough
    sqlx::query("update resident.session set last_used_at = created_at").execute(city.pool()).await.unwrap();
    city.platform.clock.forward(80 * DAY);
    assert_eq!(city.register(PHONE).await.no, person.no);
    city.close().await;
}

/// Both come at once: the second waits for the first and is signed in.
#[rstest]
#[tokio::test]
async fn two_first_registrations_of_one_number_at_once_are_one_person(#[values(Embedded, Services)] store: Store) {
    let city = City::open(store).await;
    let one = city.code(PHONE).await;
    city.platform.clock.forward(2 * MINUTE);
    let other = city.code(PHONE).await;
    let register = async |code: &Code| city.post(NOBODY, "/api/v1/registration", registration(PHONE, code, json!({}))).await;
    let (first, second) = tokio::join!(register(&one), register(&other));
    assert_eq!((first.0, second.0), (StatusCode::CREATED, StatusCode::CREATED), "{first:?} {second:?}");
    assert_eq!(first.1["resident_no"], second.1["resident_no"]);
    city.close().await;
}

#[rstest]
#[tokio::test]
async fn who_is_signed_in_is_who_they_are_whatever_they_say_anew() {
    let city = City::open(Embedded).await;
    let person = city.register_with(PHONE, json!({ "name": "张三" })).await;
    city.platform.clock.forward(DAY);
    let code = city.code(PHONE).await;
    let (status, again) = city.post(&person.token, "/api/v1/registration", registration(PHONE, &code, json!({ "name": "张三丰" }))).await;
    assert_eq!((status, &again["resident_no"]), (StatusCode::CREATED, &json!(person.no)), "{again}");
    assert_eq!(city.get(&person.token, "/api/v1/me").await.1["name"], "张三丰");
    city.close().await;
}

#[rstest]
#[tokio::test]
async fn a_second_device_changes_nothing_that_its_form_leaves_out(#[values(Embedded, Services)] store: Store) {
    let city = City::open(store).await;
    let person = city.register_with(PHONE, json!({ "language": "en", "industry": "catering", "community": ELSEWHERE })).await;
    assert_eq!(city.delete(&person.token, "/api/v1/me/consent").await, StatusCode::NO_CONTENT);
    city.platform.clock.forward(MINUTE);
    let second = city.register_with(PHONE, json!({ "community": null, "consent_version": null })).await;
    assert_eq!(second.no, person.no);
    let (_, profile) = city.get(&second.token, "/api/v1/me").await;
    let told = ["community", "language", "industry", "notices"].map(|field| profile[field].clone());
    assert_eq!(told, [json!(ELSEWHERE), json!("en"), json!("catering"), json!(false)]);

    let given = async || city.get(&second.token, "/api/v1/me/consent").await.1.as_array().unwrap().len();
    city.platform.clock.forward(MINUTE);
    city.register(PHONE).await;
    assert_eq!(
        (given().await, city.get(&second.token, "/api/v1/me").await.1["notices"].clone()),
        (2, json!(true)),
        "consent is given with a word"
    );
    city.platform.clock.forward(MINUTE);
    city.register(PHONE).await;
    assert_eq!(given().await, 2, "and not given twice to the same text");
    city.close().await;
}

#[rstest]
#[tokio::test]
async fn who_is_not_known_is_asked_for_what_is_missing_and_the_code_stays_good() {
    let city = City::open(Embedded).await;
    let code = city.code(PHONE).await;
    let register = async |says: Value| city.post(NOBODY, "/api/v1/registration", registration(PHONE, &code, says)).await;
    let (status, problem) = register(json!({ "community": null })).await;
    assert_eq!((status, fields(&problem)), (StatusCode::UNPROCESSABLE_ENTITY, vec!["community".to_owned()]));
    let (status, problem) = register(json!({ "consent_version": null })).await;
    assert_eq!((status, &problem["code"]), (StatusCode::BAD_REQUEST, &json!("consent_missing")));
    assert_eq!(register(json!({})).await.0, StatusCode::CREATED);
    city.close().await;
}

async fn codes(city: &City, person: &Person, old_is_lost: bool) -> (Code, Option<Code>) {
    let body = json!({ "phone": NEW_PHONE, "old_is_lost": old_is_lost });
    let (status, asked) = city.post(&person.token, "/api/v1/me/number/codes", body).await;
    assert_eq!(status, StatusCode::ACCEPTED, "{asked}");
    let written = city.written().await;
    let read = |phone: &str, asked: &Value| {
        let text = &written.iter().find(|(to, _)| to == phone)?.1;
        Some(Code { request: asked["request"].as_str()?.to_owned(), digits: text.chars().filter(char::is_ascii_digit).take(6).collect() })
    };
    (read("+8613900001111", &asked["new"]).unwrap(), read("+8613812345678", &asked["old"]))
}

#[rstest]
#[tokio::test]
async fn with_a_code_to_both_numbers_a_person_moves_to_the_new_one(#[values(Embedded, Services)] store: Store) {
    let city = City::open(store).await;
    let person = city.register_with(PHONE, json!({ "name": "张三" })).await;
    city.prove(&person, IDENTITY).await;
    city.written().await;
    let (new, old) = codes(&city, &person, false).await;
    let old = old.unwrap();
    let change = async |new: &Code, old: &Code| {
        let body = json!({ "phone": NEW_PHONE, "new_request": new.request, "new_code": new.digits, "old_request": old.request, "old_code": old.digits });
        city.put(&person.token, "/api/v1/me/number", body).await.0
    };
    assert_eq!(change(&new, &old.missed()).await, StatusCode::FORBIDDEN, "the old number has a say");
    assert_eq!(change(&new.missed(), &old).await, StatusCode::FORBIDDEN);
    assert_eq!(change(&new, &old).await, StatusCode::NO_CONTENT);

    let (_, profile) = city.get(&person.token, "/api/v1/me").await;
    assert_eq!((&profile["phone"], &profile["name"], &profile["identity"]), (&json!("139****1111"), &json!("张三"), &json!("proved")));
    assert!(city.written().await.iter().any(|(to, _)| to == "+8613812345678"), "the number that was left is told");
    let told = city.registered().await.pop().unwrap();
    assert_eq!(told.resident_no, person.no, "records that waited for the new number are theirs");
    city.platform.clock.forward(MINUTE);
    assert_eq!(city.register(NEW_PHONE).await.no, person.no);
    assert_ne!(city.register(PHONE).await.no, person.no, "the old number is anybody's");
    city.close().await;
}

#[rstest]
#[tokio::test]
async fn who_has_lost_the_old_number_moves_with_the_eyes_of_their_community() {
    let city = City::open(Embedded).await;
    let (person, had) = (city.register(PHONE).await, city.register(NEW_PHONE).await);
    city.prove(&person, IDENTITY).await;
    city.written().await;
    city.platform.clock.forward(MINUTE);
    let (new, none) = codes(&city, &person, true).await;
    assert!(none.is_none(), "nothing goes to a number that is lost");
    let confirm = async |worker: &str, number: &str| {
        let path = format!("/api/v1/residents/{}/number-check", person.no);
        city.post(worker, &path, json!({ "kind": "identity_card", "number": number })).await.0
    };
    assert_eq!(confirm(WORKER, IDENTITY).await, StatusCode::CONFLICT, "nobody has asked");
    let body = json!({ "phone": NEW_PHONE, "new_request": new.request, "new_code": new.digits });
    assert_eq!(city.post(&person.token, "/api/v1/me/number/lost", body).await.0, StatusCode::ACCEPTED);
    assert!(city.written().await.iter().any(|(to, _)| to == "+8613812345678"), "the old number is told, should it not be lost");
    let (_, profile) = city.get(&person.token, "/api/v1/me").await;
    assert_eq!((&profile["phone"], &profile["number_waits"]), (&json!("138****5678"), &json!(true)), "it waits");

    assert_eq!(confirm(WORKER_NEXT_DOOR, IDENTITY).await, StatusCode::FORBIDDEN);
    assert_eq!(confirm(WORKER, "110101199003070097").await, StatusCode::CONFLICT, "another document");
    assert_eq!(confirm(WORKER, IDENTITY).await, StatusCode::NO_CONTENT);
    assert_eq!(city.get(&person.token, "/api/v1/me").await.1["phone"], "139****1111");
    assert_eq!(city.get(&person.token, "/api/v1/me").await.1["number_waits"], false);
    assert_eq!(city.get(&had.token, "/api/v1/me").await.1["code"], "number_changed_hands", "whoever had it has it no more");
    let seen = city.trail().await.into_iter().find(|entry| entry.action == "number.changed").unwrap();
    assert_eq!((seen.role.as_str(), seen.detail_json.as_str()), ("community_worker", r#"{"document":"identity_card"}"#));
    city.close().await;
}

#[rstest]
#[tokio::test]
async fn a_change_that_nobody_came_for_in_a_week_waits_no_more() {
    let city = City::open(Embedded).await;
    let person = city.register(PHONE).await;
    city.written().await;
    for (wait, withdraw) in [(8 * DAY, false), (DAY, true)] {
        let (new, _) = codes(&city, &person, true).await;
        let body = json!({ "phone": NEW_PHONE, "new_request": new.request, "new_code": new.digits });
        assert_eq!(city.post(&person.token, "/api/v1/me/number/lost", body).await.0, StatusCode::ACCEPTED);
        city.platform.clock.forward(wait);
        if withdraw {
            assert_eq!(city.send(Method::DELETE, &person.token, "/api/v1/me/number/lost", Value::Null).await.0, StatusCode::NO_CONTENT);
        }
        let path = format!("/api/v1/residents/{}/number-check", person.no);
        let (status, problem) = city.post(WORKER, &path, json!({ "kind": "identity_card" })).await;
        assert_eq!((status, &problem["code"]), (StatusCode::CONFLICT, &json!("no_number_waits")));
        city.written().await;
    }
    city.close().await;
}
