//! Stories of consent taken back and given again, of a profile changed and deleted.

use crate::city::{City, ELSEWHERE, fields};
use http::{Method, StatusCode};
use rstest::rstest;
use serde_json::{Value, json};
use stages::HOUR;
use stages::Store::{self, Embedded, Services};

const DEVICE: &str = "cAbCdEfGhIjKlMnOpQrStU";

#[rstest]
#[tokio::test]
async fn after_withdrawal_no_channel_and_no_address_is_left_until_consent_is_given_again(#[values(Embedded, Services)] store: Store) {
    let city = City::open(store).await;
    let person = city.register("13812345678").await;
    city.post(&person.token, "/api/v1/me/devices", json!({ "kind": "fcm_fid", "token": DEVICE })).await;
    assert_eq!(city.reach(&person).await, Some((true, true)));
    assert_eq!(city.endpoints(&person).await, ["fcm_fid", "phone"]);

    city.platform.clock.forward(HOUR);
    assert_eq!(city.delete(&person.token, "/api/v1/me/consent").await, StatusCode::NO_CONTENT);
    assert_eq!(city.reach(&person).await, Some((false, false)), "whom a record names is followed up by a person");
    assert_eq!(city.endpoints(&person).await, [""; 0]);
    assert_eq!(city.get(&person.token, "/api/v1/me").await.1["notices"], json!(false));
    assert_eq!(city.delete(&person.token, "/api/v1/me/consent").await, StatusCode::NO_CONTENT);
    let trail = city.trail().await;
    assert_eq!(trail.iter().map(|entry| entry.action.as_str()).collect::<Vec<_>>(), ["consent_withdrawn"], "once");
    assert_eq!(trail[0].object, person.no.to_string());

    city.platform.clock.forward(HOUR);
    let outdated = json!({ "version": domain::consent::CURRENT_VERSION + 1 });
    assert_eq!(city.post(&person.token, "/api/v1/me/consent", outdated).await.0, StatusCode::BAD_REQUEST);
    assert_eq!(city.reach(&person).await, Some((false, false)));
    for _ in 0..2 {
        let current = json!({ "version": domain::consent::CURRENT_VERSION });
        assert_eq!(city.post(&person.token, "/api/v1/me/consent", current).await.0, StatusCode::NO_CONTENT);
    }
    assert_eq!(city.reach(&person).await, Some((true, true)));
    assert_eq!(city.endpoints(&person).await, ["fcm_fid", "phone"]);

    let (_, history) = city.get(&person.token, "/api/v1/me/consent").await;
    let [now, before] = &history.as_array().unwrap()[..] else { panic!("two consents: {history}") };
    assert_eq!((&now["given_at"], &now["withdrawn_at"]), (&json!("2026-03-10T06:00:00Z"), &Value::Null));
    assert_eq!((&before["given_at"], &before["withdrawn_at"]), (&json!("2026-03-10T04:00:00Z"), &json!("2026-03-10T05:00:00Z")));
    city.close().await;
}

#[rstest]
#[tokio::test]
async fn what_a_change_leaves_out_stays(#[values(Embedded, Services)] store: Store) {
    let city = City::open(store).await;
    let person = city.register_with("13812345678", json!({ "name": "张三" })).await;
    let change = async |body| city.send(Method::PATCH, &person.token, "/api/v1/me", body).await;
    assert_eq!(change(json!({ "community": ELSEWHERE, "language": "en" })).await.0, StatusCode::NO_CONTENT);
    assert_eq!(change(json!({ "industry": "postal" })).await.0, StatusCode::NO_CONTENT);
    let (_, profile) = city.get(&person.token, "/api/v1/me").await;
    let told = ["name", "community", "language", "industry"].map(|field| profile[field].as_str().unwrap().to_owned());
    assert_eq!(told, ["张三", ELSEWHERE, "en", "postal"]);
    let moved = city.count("select count(*) from resident.reach where district = 500104 and township = 500104001").await;
    assert_eq!(moved, 1, "district and township follow the community");

    let (status, problem) = change(json!({ "community": "500103001999" })).await;
    assert_eq!((status, fields(&problem)), (StatusCode::UNPROCESSABLE_ENTITY, vec!["community".to_owned()]));
    city.close().await;
}

#[rstest]
#[tokio::test]
async fn who_deletes_everything_is_forgotten_and_comes_back_as_somebody_new(#[values(Embedded, Services)] store: Store) {
    let city = City::open(store).await;
    let person = city.register_with("13812345678", json!({ "name": "张三", "identity_number": "11010519491231002X" })).await;
    city.post(&person.token, "/api/v1/me/devices", json!({ "kind": "fcm_fid", "token": DEVICE })).await;
    assert_eq!(city.delete(&person.token, "/api/v1/me").await, StatusCode::NO_CONTENT);

    assert_eq!(city.get(&person.token, "/api/v1/me").await.0, StatusCode::UNAUTHORIZED);
    assert_eq!(city.reach(&person).await, None);
    assert_eq!(city.endpoints(&person).await, [""; 0]);
    let left =
        "select (select count(*) from resident.device) + (select count(*) from resident.consent) + (select count(*) from resident.session)
        + (select count(*) from resident.resident where coalesce(phone_hash, phone_sealed, name_sealed, identity_hash, claimed_hash) is not null)";
    assert_eq!(city.count(left).await, 0);
    assert_eq!(city.trail().await.last().unwrap().action, "resident_forgotten");

    city.platform.clock.forward(HOUR);
    let again = city.register_with("13812345678", json!({ "identity_number": "11010519491231002X" })).await;
    assert_ne!(again.no, person.no, "numbers are not given out again");
    city.close().await;
}
