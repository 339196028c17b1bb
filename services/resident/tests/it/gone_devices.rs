//! Stories of devices that providers say are gone.

use crate::city::{City, Person};
use domain::ids::AlertId;
use http::StatusCode;
use proto::EndpointsGone;
use proto::endpoints_gone::Entry;
use rstest::rstest;
use serde_json::json;
use stages::Store::{self, Embedded, Services};
use stages::{DAY, SECOND};

/// A phone of one person, when it was registered, and its number.
struct Phone<'a> {
    person: &'a Person,
    registered_at_ms: i64,
    id: i64,
}

async fn phone<'a>(city: &City, person: &'a Person, name: usize) -> Phone<'a> {
    let registered_at_ms = city.platform.clock.now().timestamp_millis();
    let body = json!({ "kind": "apns", "token": format!("{name:064x}") });
    let (status, answer) = city.post(&person.token, "/api/v1/me/devices", body).await;
    assert_eq!(status, StatusCode::CREATED, "{answer}");
    Phone { person, registered_at_ms, id: answer["endpoint_id"].as_i64().unwrap() }
}

/// While a batch of so many recipients of the alert was sent, the provider said that these are gone.
async fn said_gone(city: &City, alert: AlertId, asked: u32, phones: &[&Phone<'_>]) {
    let entry =
        |phone: &&Phone<'_>| Entry { resident_no: phone.person.no, endpoint_id: phone.id, registered_at_ms: Some(phone.registered_at_ms) };
    city.tell(&EndpointsGone { entries: phones.iter().map(entry).collect(), alert_id: Some(alert.to_string()), asked }).await;
}

async fn people(city: &City, number: usize) -> Vec<Person> {
    let mut people = Vec::new();
    for at in 0..number {
        people.push(city.register(&format!("138{at:08}")).await);
    }
    people
}

#[rstest]
#[tokio::test]
async fn a_device_that_is_gone_is_not_addressed_comes_back_when_it_registers_and_is_deleted_after_two_weeks(
    #[values(Embedded, Services)] store: Store,
) {
    let city = City::open(store).await;
    let person = city.register("13812345678").await;
    let gone = phone(&city, &person, 1).await;
    city.platform.clock.forward(SECOND);
    said_gone(&city, AlertId::new(), 4_000, &[&gone]).await;
    assert_eq!((city.reach(&person).await, city.endpoints(&person).await), (Some((false, true)), vec!["phone".to_owned()]));
    assert_eq!(city.count("select count(*) from resident.device").await, 1, "it may have been a mistake");

    city.forward_with_jobs(DAY * 13).await;
    let back = phone(&city, &person, 1).await;
    assert_eq!((back.id, city.reach(&person).await), (gone.id, Some((true, true))));
    city.forward_with_jobs(DAY * 2).await;
    assert_eq!(city.endpoints(&person).await, ["apns", "phone"], "it counts from anew");

    said_gone(&city, AlertId::new(), 4_000, &[&back]).await;
    city.forward_with_jobs(DAY * 13).await;
    assert_eq!(city.count("select count(*) from resident.device").await, 1);
    city.forward_with_jobs(DAY * 2).await;
    assert_eq!(city.count("select count(*) from resident.device").await, 0);
    city.close().await;
}

#[rstest]
#[tokio::test]
async fn what_was_registered_after_it_had_been_addressed_stays(#[values(Embedded, Services)] store: Store) {
    let city = City::open(store).await;
    let person = city.register("13812345678").await;
    let addressed = phone(&city, &person, 1).await;
    city.platform.clock.forward(SECOND);
    let again = phone(&city, &person, 1).await;
    assert_eq!(addressed.id, again.id, "the same token");
    said_gone(&city, AlertId::new(), 4_000, &[&addressed]).await;
    assert_eq!(city.reach(&person).await, Some((true, true)));
    said_gone(&city, AlertId::new(), 4_000, &[&again]).await;
    assert_eq!(city.reach(&person).await, Some((false, true)));
    city.close().await;
}

#[rstest]
#[tokio::test]
async fn no_alert_takes_the_app_from_more_than_a_small_share_of_its_people(#[values(Embedded, Services)] store: Store) {
    let city = City::open(store).await;
    let people = people(&city, 26).await;
    let mut phones = Vec::new();
    for (at, person) in people.iter().enumerate() {
        phones.push(phone(&city, person, at + 1).await);
    }
    let with_app = "select count(*) from resident.reach where app";
    let (wrong, right) = (AlertId::new(), AlertId::new());
    // Batch after batch: each is small, together they are all of the alert's.
    for batch in phones[..24].chunks(8) {
        said_gone(&city, wrong, 8, &batch.iter().collect::<Vec<_>>()).await;
    }
    assert_eq!(city.count(with_app).await, 26, "what the first batches marked has come back");
    said_gone(&city, wrong, 4_000, &[&phones[25]]).await;
    assert_eq!(city.count(with_app).await, 26, "what this alert says is not believed any more");

    said_gone(&city, right, 4_000, &phones[..24].iter().collect::<Vec<_>>()).await;
    assert_eq!(city.count(with_app).await, 2, "24 of 4,000 are gone as every day");
    city.close().await;
}
