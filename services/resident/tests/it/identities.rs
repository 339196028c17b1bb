//! Stories of whose an identity document is: claimed by anybody, proved by one, objected to by another.

use crate::city::{City, HOME, NEXT_DOOR, Person, REVIEWER, WORKER, WORKER_ELSEWHERE, WORKER_NEXT_DOOR};
use http::StatusCode;
use rstest::rstest;
use serde_json::{Value, json};
use stages::DAY;
use stages::Store::{self, Embedded, Services};

const IDENTITY: &str = "11010519491231002X";
const OTHER_IDENTITY: &str = "820000198506150022";

#[rstest]
#[tokio::test]
async fn who_registers_with_somebody_elses_document_gets_none_of_their_records(#[values(Embedded, Services)] store: Store) {
    let city = City::open(store).await;
    let thief = city.register_with("13900001111", json!({ "identity_number": IDENTITY })).await;
    assert_eq!((city.identity(&thief).await.as_str(), city.found_by(IDENTITY).await), ("claimed", None));
    assert!(city.registered().await.iter().all(|told| told.identity_hash.is_none()), "records that wait go on waiting");

    // whose it is registers without being told that somebody else has said it, and has it with a look at the document
    let owner = city.register_with("13812345678", json!({ "identity_number": IDENTITY })).await;
    assert_eq!(city.check_identity(WORKER, &owner, IDENTITY).await, (StatusCode::OK, json!({ "taken_over": false })));
    assert_eq!((city.identity(&owner).await.as_str(), city.found_by(IDENTITY).await), ("proved", Some(owner.no.cast_signed())));
    let told = city.registered().await;
    assert!(told.iter().any(|told| told.resident_no == owner.no && told.identity_hash.is_some()), "waiting records are theirs");
    assert_eq!(city.notices(&owner).await, ["identity_proved"]);
    let seen = city.trail().await.into_iter().find(|entry| entry.action == "identity.proved").unwrap();
    assert_eq!((seen.role.as_str(), seen.object), ("community_worker", owner.no.to_string()));
    assert!(seen.detail_json.contains(r#""document":"identity_card""#) && !seen.detail_json.contains(IDENTITY), "{}", seen.detail_json);
    city.close().await;
}

#[rstest]
#[tokio::test]
async fn nobody_learns_by_claiming_a_document_whether_somebody_holds_it() {
    let city = City::open(Embedded).await;
    let owner = city.register("13812345678").await;
    assert_eq!(city.prove(&owner, IDENTITY).await.0, StatusCode::OK);
    let stranger = city.register("13900001111").await;
    let mut answers = Vec::new();
    for number in [IDENTITY, OTHER_IDENTITY] {
        let (claimed, _) = city.put(&stranger.token, "/api/v1/me/identity", json!({ "identity_number": number })).await;
        let (status, asked) = city.post(&stranger.token, "/api/v1/me/identity/code", Value::Null).await;
        let fields: Vec<String> = asked.as_object().unwrap().keys().cloned().collect();
        let mut guesses = Vec::new();
        for _ in 0..7 {
            // no chance makes it right
            let guess = json!({ "request": asked["request"], "code": "none" });
            let (proved, problem) = city.post(&stranger.token, "/api/v1/me/identity/proof", guess).await;
            guesses.push((proved, problem["code"].clone()));
        }
        assert!(guesses.iter().any(|(status, _)| *status == StatusCode::TOO_MANY_REQUESTS), "{guesses:?}");
        answers.push((claimed, status, fields, asked["request"].as_str().unwrap().len(), guesses));
    }
    assert_eq!(answers[0], answers[1]);
    assert_eq!(city.identity(&stranger).await, "claimed");
    assert_eq!(city.found_by(IDENTITY).await, Some(owner.no.cast_signed()));
    city.close().await;
}

/// Somebody with a new phone, who still reads the old one.
#[rstest]
#[tokio::test]
async fn a_code_to_the_phone_a_document_was_bound_to_moves_it_and_the_earlier_holder_is_told(#[values(Embedded, Services)] store: Store) {
    let city = City::open(store).await;
    let before = city.register("13812345678").await;
    city.prove(&before, IDENTITY).await;
    let now = city.register_with("13900001111", json!({ "identity_number": IDENTITY })).await;
    let (status, asked) = city.post(&now.token, "/api/v1/me/identity/code", Value::Null).await;
    assert_eq!(status, StatusCode::ACCEPTED, "{asked}");
    let code = city.code_to("13812345678", &asked).await;

    let prove =
        async |digits: &str| city.post(&now.token, "/api/v1/me/identity/proof", json!({ "request": code.request, "code": digits })).await;
    assert_eq!(prove(&code.missed().digits).await.0, StatusCode::FORBIDDEN);
    assert_eq!(prove(&code.digits).await.0, StatusCode::NO_CONTENT);
    assert_eq!(city.found_by(IDENTITY).await, Some(now.no.cast_signed()));
    assert_eq!((city.identity(&before).await.as_str(), city.notices(&before).await[0].as_str()), ("claimed", "identity_taken"));
    assert!(city.written().await.iter().any(|(phone, text)| phone == "+8613812345678" && text.contains("异议")), "by SMS as well");
    city.close().await;
}

#[rstest]
#[tokio::test]
async fn no_code_goes_to_a_holder_of_whom_nothing_was_heard_for_long() {
    let city = City::open(Embedded).await;
    let before = city.register("13812345678").await;
    city.prove(&before, IDENTITY).await;
    city.platform.clock.forward(91 * DAY);
    let stranger = city.register_with("13900001111", json!({ "identity_number": IDENTITY })).await;
    city.written().await;
    assert_eq!(city.post(&stranger.token, "/api/v1/me/identity/code", Value::Null).await.0, StatusCode::ACCEPTED);
    assert_eq!(city.written().await, [], "the number may be a stranger's by now");
    city.close().await;
}

#[rstest]
#[tokio::test]
async fn a_second_document_takes_the_place_of_the_first_and_its_owner_is_told() {
    let city = City::open(Embedded).await;
    let person = city.register("13812345678").await;
    city.prove(&person, IDENTITY).await;
    city.prove(&person, OTHER_IDENTITY).await;
    assert_eq!((city.found_by(IDENTITY).await, city.found_by(OTHER_IDENTITY).await), (None, Some(person.no.cast_signed())));
    assert!(city.notices(&person).await.contains(&"identity_replaced".to_owned()));
    city.close().await;
}

#[rstest]
#[tokio::test]
async fn two_who_object_in_turn_come_to_an_end() {
    let city = City::open(Embedded).await;
    let one = city.register_with("13812345678", json!({ "identity_number": IDENTITY })).await;
    let other = city.register_with("13900001111", json!({ "identity_number": IDENTITY })).await;
    city.source_pairs(&[("13812345678", IDENTITY)]).await;
    city.source_pairs(&[("13900001111", IDENTITY)]).await;
    assert_eq!(city.found_by(IDENTITY).await, Some(other.no.cast_signed()));
    assert_eq!(object(&city, &one).await, (StatusCode::OK, json!({ "put_back": true })));
    city.source_pairs(&[("13900001111", IDENTITY)]).await;
    assert_eq!(object(&city, &one).await, (StatusCode::OK, json!({ "put_back": false })), "now staff decide");
    assert_eq!(city.found_by(IDENTITY).await, Some(other.no.cast_signed()));
    city.close().await;
}

async fn object(city: &City, person: &Person) -> (StatusCode, Value) {
    let (_, notices) = city.get(&person.token, "/api/v1/me/notices").await;
    let taken = notices.as_array().unwrap().iter().find(|notice| notice["kind"] == "identity_taken").unwrap();
    city.post(&person.token, "/api/v1/me/identity/objection", json!({ "binding_id": taken["binding_id"] })).await
}

#[rstest]
#[tokio::test]
async fn an_objection_puts_a_document_back_and_the_community_decides_with_one_look_at_it(#[values(Embedded, Services)] store: Store) {
    let city = City::open(store).await;
    let owner = city.register("13812345678").await;
    city.prove(&owner, IDENTITY).await;
    let thief = city.register_with("13900001111", json!({ "community": NEXT_DOOR, "identity_number": IDENTITY })).await;
    assert_eq!(city.check_identity(WORKER_NEXT_DOOR, &thief, IDENTITY).await.1, json!({ "taken_over": true }), "with a forged document");
    assert_eq!(city.found_by(IDENTITY).await, Some(thief.no.cast_signed()));

    assert_eq!(object(&city, &owner).await, (StatusCode::OK, json!({ "put_back": true })));
    assert_eq!(city.found_by(IDENTITY).await, Some(owner.no.cast_signed()));
    assert_eq!((city.identity(&thief).await.as_str(), city.notices(&thief).await[0].as_str()), ("claimed", "identity_put_back"));

    let disputed = async |token: &str| city.get(token, "/api/v1/identity-objections").await.1;
    for token in [WORKER, WORKER_NEXT_DOOR, REVIEWER] {
        let seen = disputed(token).await;
        assert_eq!(
            (&seen[0]["proved_for"], &seen[0]["objector"], &seen[0]["put_back"]),
            (&json!(thief.no), &json!(owner.no), &json!(true))
        );
    }
    // seen again by somebody who knows of the objection: that decides, and there is nothing to object to a second time
    assert_eq!(city.check_identity(WORKER_NEXT_DOOR, &thief, IDENTITY).await.0, StatusCode::OK);
    assert_eq!(disputed(WORKER).await, json!([]));
    assert_eq!(object(&city, &owner).await, (StatusCode::OK, json!({ "put_back": false })));
    assert_eq!(city.found_by(IDENTITY).await, Some(thief.no.cast_signed()));
    let waiting = disputed(WORKER).await;
    let settle = format!("/api/v1/identity-objections/{}/settled", waiting[0]["binding_id"]);
    assert_eq!(city.post(WORKER, &settle, Value::Null).await.0, StatusCode::NO_CONTENT);
    assert_eq!(city.post(WORKER_ELSEWHERE, &settle, Value::Null).await.0, StatusCode::NOT_FOUND);
    assert_eq!(disputed(WORKER).await, json!([]));
    city.close().await;
}

#[rstest]
#[tokio::test]
async fn an_objection_after_its_time_changes_nothing() {
    let city = City::open(Embedded).await;
    let (owner, other) = (city.register("13812345678").await, city.register("13900001111").await);
    city.prove(&owner, IDENTITY).await;
    city.prove(&other, IDENTITY).await;
    let (_, notices) = city.get(&owner.token, "/api/v1/me/notices").await;
    let body = json!({ "binding_id": notices[0]["binding_id"] });
    city.platform.clock.forward(8 * DAY);
    let (status, problem) = city.post(&owner.token, "/api/v1/me/identity/objection", body).await;
    assert_eq!((status, &problem["code"]), (StatusCode::CONFLICT, &json!("nothing_to_object_to")));
    assert_eq!(city.get(&owner.token, "/api/v1/me/notices").await.1[0]["binding_id"], Value::Null, "nor is it offered");
    assert_eq!(city.found_by(IDENTITY).await, Some(other.no.cast_signed()));
    city.close().await;
}

/// Registered before proof was asked for: found by the document as before, until somebody proves more.
#[rstest]
#[tokio::test]
async fn a_document_from_before_proof_was_asked_for_gives_way_to_any_proof() {
    let city = City::open(Embedded).await;
    let earlier = city.register("13812345678").await;
    city.prove(&earlier, IDENTITY).await;
    let change = "update resident.resident set identity_proof = null where resident_no = $1";
    sqlx::query(change).bind(earlier.no.cast_signed()).execute(city.pool()).await.unwrap();
    assert_eq!((city.identity(&earlier).await.as_str(), city.found_by(IDENTITY).await), ("proved", Some(earlier.no.cast_signed())));

    let owner = city.register("13900001111").await;
    assert_eq!(city.prove(&owner, IDENTITY).await.1, json!({ "taken_over": true }));
    assert_eq!(
        object(&city, &earlier).await,
        (StatusCode::OK, json!({ "put_back": false })),
        "staff look at it, and nothing moves till then"
    );
    assert_eq!(city.found_by(IDENTITY).await, Some(owner.no.cast_signed()));
    city.close().await;
}

#[rstest]
#[tokio::test]
async fn a_trusted_source_proves_what_the_owner_of_the_phone_claims_and_nothing_else(#[values(Embedded, Services)] store: Store) {
    let city = City::open(store).await;
    let seen = city.register("13800000001").await;
    city.prove(&seen, OTHER_IDENTITY).await;
    let claims = city.register_with("13812345678", json!({ "identity_number": IDENTITY })).await;
    let thief = city.register_with("13900001111", json!({ "identity_number": IDENTITY })).await;
    let wants = city.register_with("13900002222", json!({ "identity_number": OTHER_IDENTITY })).await;
    city.source_pairs(&[("13812345678", IDENTITY), ("13900002222", OTHER_IDENTITY), ("13800009999", IDENTITY)]).await;

    assert_eq!((city.found_by(IDENTITY).await, city.identity(&claims).await.as_str()), (Some(claims.no.cast_signed()), "proved"));
    assert_eq!(city.identity(&thief).await, "claimed");
    assert_eq!(
        (city.found_by(OTHER_IDENTITY).await, city.identity(&wants).await.as_str()),
        (Some(seen.no.cast_signed()), "claimed"),
        "a check in person is more"
    );
    city.close().await;
}

#[rstest]
#[tokio::test]
async fn staff_bind_only_what_the_resident_says_is_theirs_and_only_in_their_area() {
    let city = City::open(Embedded).await;
    let person = city.register_with("13812345678", json!({ "identity_number": IDENTITY })).await;
    let (status, problem) = city.check_identity(WORKER_NEXT_DOOR, &person, IDENTITY).await;
    assert_eq!((status, &problem["code"]), (StatusCode::FORBIDDEN, &json!("outside_scope")));
    let (status, problem) = city.check_identity(WORKER, &person, OTHER_IDENTITY).await;
    assert_eq!((status, &problem["code"]), (StatusCode::CONFLICT, &json!("identity_not_as_claimed")));
    assert_eq!(city.found_by(OTHER_IDENTITY).await, None);
    assert_eq!(city.trail().await.last().unwrap().action, "identity.not_as_claimed", "who tries leaves a trace");
    assert_eq!(city.check_identity(REVIEWER, &person, IDENTITY).await.0, StatusCode::OK);
    assert_eq!(city.get(&person.token, "/api/v1/me").await.1["community"], HOME);
    city.close().await;
}
