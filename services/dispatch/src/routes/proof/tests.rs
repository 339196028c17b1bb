//! The proof of a delivery, and an officer's word about one that is held.

use axum::response::IntoResponse as _;
use domain::alert::DeliveryClass::Urgent;
use domain::audience::{Audience, AudienceQuery};
use domain::second_factor::Proof;
use domain::staff::Role;

use super::*;
use crate::Capacity;
use crate::routes::delivery;
use crate::settings::Settings;
use crate::stories::city::{City, Store, alert, named, staff};

fn officer(city: &City, proof: Proof) -> StaffCaller {
    let proof = if proof == Proof::NotAsked { proof } else { Proof::shown(city.clock().now(), chrono::TimeDelta::minutes(5)) };
    StaffCaller { proof, ..staff(Role::CityCommandOfficer, "city") }
}

#[tokio::test]
async fn the_proof_of_a_delivery_shows_what_was_approved_and_what_left() {
    let city = City::new(Store::Embedded).await;
    city.residents(1..=3, true, false, false).await;
    let content = alert();
    let alert_id = city.sealed(Urgent, content.clone(), named(1..=3), None).await;
    city.hear_of_approval(alert_id).await;
    let shared = Shared::of(&city.platform, &city.settings);
    let before = proof(&shared, alert_id).await.unwrap().unwrap();
    assert!(before.texts.iter().all(|text| text.sent.is_none() && text.same.is_none()), "nothing has left");
    city.settle().await;
    let after = proof(&shared, alert_id).await.unwrap().unwrap();
    let on = |channel| after.texts.iter().filter(move |text| text.channel == channel);
    assert!(on(Channel::App).count() > 0 && on(Channel::App).all(|text| text.same == Some(true) && text.sent_at.is_some()));
    assert!(on(Channel::Sms).all(|text| text.sent.is_none()), "nobody got an SMS");
    assert_eq!(on(Channel::Display).count(), 0, "it is for no screen");
    assert_eq!((after.people_planned, after.people_approved), (3, None), "who is named is not counted");

    let unsealed = city.approve(Urgent, content, named([1])).await;
    assert!(proof(&shared, unsealed).await.unwrap().is_none());
}

#[tokio::test]
async fn an_officer_lets_more_people_go_on_by_the_number_that_is_shown_and_with_a_fresh_proof() {
    let city = City::new(Store::Postgres).await;
    let settings = Settings { more_people: 2, ..city.settings.clone() };
    let city = city.with(settings, Capacity::default());
    city.residents(1..=20, true, false, false).await;
    let everybody = Audience::Query(AudienceQuery::everybody_in("500103".parse().unwrap()));
    let alert_id = city.sealed(Urgent, alert(), everybody, Some(10)).await;
    city.hear_of_approval(alert_id).await;
    city.settle().await;
    let shared = Shared::of(&city.platform, &city.settings);
    let (page, _) = delivery::load(&shared, alert_id).await.unwrap();
    let unlike = serde_json::to_value(&page).unwrap()["unlike"].clone();
    assert_eq!((unlike["may_go_on"].as_bool(), unlike["parts"][0]["approved"].as_str()), (Some(true), Some("10")), "{unlike}");
    let planned: u64 = unlike["parts"][0]["found"].as_str().unwrap().parse().unwrap();
    assert!(unlike["sentence"].as_str().unwrap().contains(&planned.to_string()), "{unlike}");

    let say = async |proof: Proof, planned: u64, reason: &str| {
        let body = Json(GoOn { planned, reason: reason.to_owned() });
        let answer = go_on(State(shared.clone()), officer(&city, proof), Path(alert_id), body).await;
        answer.unwrap_or_else(|problem| problem.into_response().status())
    };
    let fresh = Proof::shown(city.clock().now(), chrono::TimeDelta::minutes(5));
    assert_eq!(say(fresh, planned, " ").await, StatusCode::UNPROCESSABLE_ENTITY, "a reason is needed");
    assert_eq!(say(Proof::NotAsked, planned, "新并入街道").await, StatusCode::FORBIDDEN, "and a fresh proof");
    assert_eq!(say(fresh, planned + 1, "新并入街道").await, StatusCode::CONFLICT, "of the number that is shown");
    assert_eq!(say(fresh, planned, "新并入街道").await, StatusCode::NO_CONTENT);
    assert_eq!(say(fresh, planned, "新并入街道").await, StatusCode::CONFLICT, "once");
    city.settle().await;
    assert_eq!(city.phones.take(Channel::App).len(), 20, "everybody once");
    let trace = city.told::<AuditEntry>().await;
    let actions: Vec<&str> = trace.iter().map(|entry| entry.action.as_str()).collect();
    assert_eq!(actions, ["alert.unlike_approved", "alert.go_on"]);
}
