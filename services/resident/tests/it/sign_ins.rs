//! Stories of being signed in on several devices, and of sign-ins that end.

use std::borrow::Cow;

use crate::city::{City, Person};
use http::StatusCode;
use rstest::rstest;
use serde_json::{Value, json};
use sqlx::migrate::Migrator;
use stages::Store::{self, Embedded, Services};
use stages::{DAY, MINUTE, until};

const PHONE: &str = "13812345678";

async fn sign_ins(city: &City, person: &Person) -> Vec<Value> {
    let (status, list) = city.get(&person.token, "/api/v1/me/sign-ins").await;
    assert_eq!(status, StatusCode::OK, "{list}");
    list.as_array().unwrap().clone()
}

async fn is_signed_in(city: &City, person: &Person) -> bool {
    city.get(&person.token, "/api/v1/me").await.0 == StatusCode::OK
}

#[rstest]
#[tokio::test]
async fn a_lost_phone_is_signed_out_from_another_and_hears_no_alert(#[values(Embedded, Services)] store: Store) {
    let city = City::open(store).await;
    let lost = city.register_with(PHONE, json!({ "device": "Android" })).await;
    let device = json!({ "kind": "fcm_fid", "token": "f".repeat(22) });
    assert_eq!(city.post(&lost.token, "/api/v1/me/devices", device).await.0, StatusCode::CREATED);
    city.platform.clock.forward(MINUTE);
    let other = city.register_with(PHONE, json!({ "device": "iPhone" })).await;

    let listed = sign_ins(&city, &other).await;
    let told: Vec<_> = listed.iter().map(|one| (&one["device"], &one["this"], &one["alerts"])).collect();
    assert_eq!(told, [(&json!("iPhone"), &json!(true), &json!(false)), (&json!("Android"), &json!(false), &json!(true))]);
    let path = format!("/api/v1/me/sign-ins/{}", listed[1]["sign_in"].as_str().unwrap());
    let stranger = city.register("13900001111").await;
    assert_eq!(city.delete(&stranger.token, &path).await, StatusCode::NOT_FOUND);
    assert!(is_signed_in(&city, &lost).await, "nobody signs out somebody else");

    assert_eq!(city.delete(&other.token, &path).await, StatusCode::NO_CONTENT);
    assert!(!is_signed_in(&city, &lost).await && is_signed_in(&city, &other).await);
    assert_eq!((city.endpoints(&other).await, city.reach(&other).await), (vec!["phone".to_owned()], Some((false, true))));
    assert_eq!(city.delete(&other.token, &path).await, StatusCode::NOT_FOUND);
    city.close().await;
}

#[rstest]
#[tokio::test]
async fn all_other_devices_are_signed_out_at_once() {
    let city = City::open(Embedded).await;
    let mut people = Vec::new();
    for _ in 0..3 {
        people.push(city.register(PHONE).await);
        city.platform.clock.forward(MINUTE);
    }
    assert_eq!(city.delete(&people[1].token, "/api/v1/me/sign-ins").await, StatusCode::NO_CONTENT);
    assert!(!is_signed_in(&city, &people[0]).await && is_signed_in(&city, &people[1]).await && !is_signed_in(&city, &people[2]).await);
    assert_eq!(sign_ins(&city, &people[1]).await.len(), 1);
    city.close().await;
}

/// Until it is noted that somebody used their sign-in at this time of the city.
async fn is_noted(city: &City, who: &Person) {
    let used_now = "select count(*) from resident.session where resident_no = $1 and last_used_at = $2";
    until("that it was used is noted", async || {
        let query = sqlx::query_scalar::<_, i64>(used_now).bind(who.no.cast_signed()).bind(city.platform.clock.now());
        query.fetch_one(city.pool()).await.unwrap() == 1
    })
    .await;
}

#[rstest]
#[tokio::test]
async fn a_sign_in_ends_when_it_is_not_used_and_after_a_year_when_it_is_not_in_use(#[values(Embedded, Services)] store: Store) {
    let city = City::open(store).await;
    let (idle, busy) = (city.register(PHONE).await, city.register("13900001111").await);
    assert!(is_signed_in(&city, &idle).await);
    for day in (0..360).step_by(60) {
        assert!(is_signed_in(&city, &busy).await, "on day {day}");
        is_noted(&city, &busy).await;
        city.platform.clock.forward(60 * DAY);
    }
    assert!(!is_signed_in(&city, &idle).await, "nobody used it");
    assert!(is_signed_in(&city, &busy).await, "used until now");
    is_noted(&city, &busy).await;
    city.platform.clock.forward(14 * DAY);
    assert_eq!(sign_ins(&city, &busy).await.len(), 1, "a year is over, and it is in use");
    is_noted(&city, &busy).await;
    city.platform.clock.forward(15 * DAY);
    assert!(!is_signed_in(&city, &busy).await, "a year is over, and it was left alone");
    city.close().await;
}

/// Before, only signing in was noted as use: who uses the app every day looks as if they had not been here since.
#[rstest]
#[tokio::test]
async fn whoever_was_registered_before_the_upgrade_is_heard_of_from_then_on() {
    let platform = Embedded.open().await;
    let earlier = resident::MIGRATOR.migrations.iter().filter(|one| one.version < 28).cloned().collect();
    platform.database.migrate(resident::SCHEMA, &Migrator { migrations: Cow::Owned(earlier), ..Migrator::DEFAULT }).await.unwrap();
    // whatever the clock of the database says, it was long before
    let long_ago = platform.clock.now() - chrono::TimeDelta::days(400);
    let phone = |number: &str| {
        platform.keyring.hash(platform::crypto::Purpose::ResidentPhone, crate::city::e164(number).as_bytes()).bytes().to_vec()
    };
    for (no, number) in [(1, PHONE), (2, "13900001111")] {
        sqlx::query(
            "insert into resident.resident (resident_no, phone_hash, phone_sealed, district, township, community, notices, registered_at)
             values ($1, $2, '', 500103, 500103001, 500103001003, true, $3)",
        )
        .bind(no)
        .bind(phone(number))
        .bind(long_ago)
        .execute(platform.database.pool())
        .await
        .unwrap();
    }
    sqlx::query("select setval(pg_get_serial_sequence('resident.resident', 'resident_no'), 2)")
        .execute(platform.database.pool())
        .await
        .unwrap();
    sqlx::query(
        "insert into resident.session (token_hash, resident_no, created_at, last_used_at) values (sha256('fhr_of_long_ago'::bytea), 1, $1, $1)",
    )
    .bind(long_ago)
    .execute(platform.database.pool())
    .await
    .unwrap();

    let city = City::on(platform, resident::Settings::default()).await;
    let person = Person { no: 1, token: "fhr_of_long_ago".to_owned() };
    assert_eq!(sign_ins(&city, &person).await.len(), 1, "who was signed in is");
    assert_eq!(city.register("13900001111").await.no, 2, "and who only had SMS is who they were");
    city.close().await;
}

#[rstest]
#[tokio::test]
async fn what_is_long_over_is_let_go_of() {
    let city = City::open(Embedded).await;
    let person = city.register(PHONE).await;
    city.delete(&person.token, "/api/v1/me/session").await;
    let kept = async || city.count("select count(*) from resident.session").await;
    assert_eq!(kept().await, 1, "it tells when they were last heard of");
    city.platform.clock.forward(271 * DAY);
    until("nothing is left of it", async || kept().await == 0).await;
    city.close().await;
}
