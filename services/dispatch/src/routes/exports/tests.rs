//! What staff take along.

use domain::alert::DeliveryClass::Urgent;
use domain::outcome::Outcome;
use domain::staff::Role;
use http_body_util::BodyExt as _;

use super::*;
use crate::stories::city::{City, Store, alert, named, staff};

async fn text(answer: Result<Response, Problem>) -> String {
    let body = answer.unwrap().into_body().collect().await.unwrap().to_bytes();
    String::from_utf8(body.to_vec()).unwrap()
}

#[tokio::test]
async fn deliveries_are_taken_along_in_numbers_and_only_those_that_one_sees() {
    let city = City::new(Store::Embedded).await;
    city.residents(1..=3, true, false, false).await;
    city.residents([4], false, false, false).await;
    city.approve(Urgent, alert(), named(1..=4)).await;
    city.settle().await;
    let shared = Shared::of(&city.platform, &city.settings);
    let query = || Query(DeliveryExport { from: None, to: None, format: Format::Csv, language: Language::En });
    let file = text(deliveries(State(shared.clone()), staff(Role::CityCommandOfficer, "city"), query()).await).await;
    let lines: Vec<&str> = file.lines().collect();
    assert_eq!(lines.len(), 2, "{file}");
    assert!(lines[0].contains("People planned") && lines[1].contains("Yuzhong"), "{file}");
    assert!(lines[1].ends_with("4,1,3,0,0,1,0"), "{file}");
    let others = text(deliveries(State(shared.clone()), staff(Role::DistrictReviewer, "district:500104"), query()).await).await;
    assert_eq!(others.lines().count(), 1, "{others}");
    let actions: Vec<String> = city.told::<AuditEntry>().await.into_iter().map(|entry| entry.action).collect();
    assert_eq!(actions, ["deliveries.export", "deliveries.exported", "deliveries.export", "deliveries.exported"]);
}

#[tokio::test]
async fn follow_ups_of_ones_area_are_taken_along_by_number() {
    let city = City::new(Store::Embedded).await;
    city.residents(1..=3, false, true, false).await;
    city.phones.answers.lock().unwrap().extend((1..=3).map(|number| (number, vec![Outcome::Permanent])));
    city.approve(Urgent, alert(), named(1..=3)).await;
    city.settle().await;
    let shared = Shared::of(&city.platform, &city.settings);
    let query = || Query(FollowUpExport { closed: false, format: Format::Csv, language: Language::ZhCn });
    let file = text(follow_ups(State(shared.clone()), staff(Role::CommunityWorker, "community:500103001001"), query()).await).await;
    assert_eq!(file.lines().count(), 4, "{file}");
    assert!(file.contains("居民编号"), "{file}");
    let others = text(follow_ups(State(shared.clone()), staff(Role::CommunityWorker, "community:500103001002"), query()).await).await;
    assert_eq!(others.lines().count(), 1, "{others}");
}
