//! Stories of the devices that push messages go to.

use crate::city::{City, Person};
use http::StatusCode;
use proto::EndpointsGone;
use proto::endpoints_gone::Entry;
use rstest::rstest;
use serde_json::json;
use stages::SECOND;
use stages::Store::{self, Embedded, Services};

async fn add(city: &City, person: &Person, kind: &str, token: &str) -> (StatusCode, i64) {
    let (status, answer) = city.post(&person.token, "/api/v1/me/devices", json!({ "kind": kind, "token": token })).await;
    (status, answer["endpoint_id"].as_i64().unwrap_or_default())
}

/// An installation id of a phone that is told apart by a letter.
fn fid(letter: char) -> String {
    String::from(letter).repeat(22)
}

async fn gone(city: &City, entries: &[(&Person, i64)]) {
    let entry =
        |(person, endpoint_id): &(&Person, i64)| Entry { resident_no: person.no, endpoint_id: *endpoint_id, registered_at_ms: None };
    city.tell(&EndpointsGone { entries: entries.iter().map(entry).collect(), ..EndpointsGone::default() }).await;
}

#[rstest]
#[tokio::test]
async fn a_token_has_the_form_of_its_kind() {
    let city = City::open(Embedded).await;
    let person = city.register("13812345678").await;
    for (kind, token, accepted) in [
        ("apns", "0a".repeat(32), true),
        ("apns", "0A".repeat(32), true),
        ("apns", "0a".repeat(31), false),
        ("apns", "0g".repeat(32), false),
        ("fcm_token", format!("{}:APA91b-x_Y", "d".repeat(22)), true),
        ("fcm_token", "d".repeat(19), false),
        ("fcm_token", "d".repeat(4_097), false),
        ("fcm_token", format!("{} x", "d".repeat(22)), false),
        ("fcm_token", format!("{}\"x", "d".repeat(22)), false),
        ("fcm_fid", "cAbC-EfGhIjK_MnOpQrStU".to_owned(), true),
        ("fcm_fid", "cAbC-EfGhIjK_MnOpQrSt".to_owned(), false),
        ("fcm_fid", "cAbC.EfGhIjK_MnOpQrStU".to_owned(), false),
    ] {
        let expected = if accepted { StatusCode::CREATED } else { StatusCode::UNPROCESSABLE_ENTITY };
        assert_eq!(add(&city, &person, kind, &token).await.0, expected, "{kind} {token}");
    }
    city.close().await;
}

#[rstest]
#[tokio::test]
async fn a_phone_belongs_to_who_signed_in_last(#[values(Embedded, Services)] store: Store) {
    let city = City::open(store).await;
    let (first, second) = (city.register("13812345678").await, city.register("13900001111").await);
    let before = add(&city, &first, "fcm_fid", &fid('a')).await;
    let after = add(&city, &second, "fcm_fid", &fid('a')).await;
    assert_eq!(before, after, "it is the same device");
    assert_eq!((city.reach(&first).await, city.reach(&second).await), (Some((false, true)), Some((true, true))));

    let path = format!("/api/v1/me/devices/{}", after.1);
    city.delete(&first.token, &path).await;
    assert_eq!(city.reach(&second).await, Some((true, true)), "another's device cannot be removed");
    city.delete(&second.token, &path).await;
    assert_eq!(city.reach(&second).await, Some((false, true)));
    city.close().await;
}

#[rstest]
#[tokio::test]
async fn of_six_devices_the_one_not_seen_longest_leaves(#[values(Embedded, Services)] store: Store) {
    let city = City::open(store).await;
    let person = city.register("13812345678").await;
    let mut ids = Vec::new();
    for letter in ['a', 'b', 'c', 'd', 'e', 'a', 'f'] {
        city.platform.clock.forward(SECOND);
        ids.push(add(&city, &person, "fcm_fid", &fid(letter)).await.1);
    }
    assert_eq!(ids[0], ids[5], "a was seen again");
    let left: Vec<i64> =
        sqlx::query_scalar("select endpoint_id from resident.device order by registered_at").fetch_all(city.pool()).await.unwrap();
    assert_eq!(left, [ids[2], ids[3], ids[4], ids[5], ids[6]]);
    city.close().await;
}

#[rstest]
#[tokio::test]
async fn who_has_no_live_device_left_is_reached_by_sms(#[values(Embedded, Services)] store: Store) {
    let city = City::open(store).await;
    let (first, second) = (city.register("13812345678").await, city.register("13900001111").await);
    let (_, a) = add(&city, &first, "fcm_fid", &fid('a')).await;
    let (_, b) = add(&city, &first, "apns", &"0a".repeat(32)).await;
    gone(&city, &[(&first, a)]).await;
    assert_eq!(city.reach(&first).await, Some((true, true)), "one is left");
    assert_eq!(city.endpoints(&first).await, ["apns", "phone"]);

    add(&city, &second, "apns", &"0a".repeat(32)).await;
    let (_, c) = add(&city, &first, "fcm_fid", &fid('c')).await;
    gone(&city, &[(&first, b), (&first, c), (&first, c)]).await;
    gone(&city, &[(&first, c)]).await;
    assert_eq!(city.reach(&first).await, Some((false, true)));
    assert_eq!(city.reach(&second).await, Some((true, true)), "a token that has moved on in the meantime stays");
    city.close().await;
}

/// Two phones of one person at the same moment: neither forgets the other.
#[rstest]
#[tokio::test]
async fn devices_that_come_and_go_at_the_same_time_are_all_known(#[values(Embedded, Services)] store: Store) {
    let city = City::open(store).await;
    let person = city.register("13812345678").await;
    let (apple, google) = ("0a".repeat(32), fid('a'));
    for _ in 0..5 {
        let ((_, iphone), (_, android)) = futures::join!(add(&city, &person, "apns", &apple), add(&city, &person, "fcm_fid", &google));
        let kinds = "select count(*) from resident.reach where apns and fcm";
        assert_eq!(city.count(kinds).await, 1);
        let remove = async |device: i64| city.delete(&person.token, &format!("/api/v1/me/devices/{device}")).await;
        futures::join!(remove(iphone), remove(android));
        assert_eq!(city.count("select count(*) from resident.reach where apns or fcm or app").await, 0);
    }
    city.close().await;
}
