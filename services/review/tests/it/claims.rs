//! Stories of who reviews an alert just now.

use domain::staff::Role;
use http::StatusCode;
use rstest::rstest;
use serde_json::{Value, json};
use stages::Store::{self, Embedded, Services};
use stages::{MINUTE, id};

use crate::city::{City, OFFICER, OTHER_REVIEWER, REVIEWER, SECOND_OFFICER, SECOND_REVIEWER, SUBMITTER, path, words};

async fn claim(city: &City, token: &str, alert: &Value, take_over: bool) -> (StatusCode, Value) {
    city.put(token, &format!("{}/claim", path(alert)), json!({ "take_over": take_over })).await
}

async fn owner(city: &City, alert: &Value) -> Value {
    city.look(alert).await["claimed_by"].clone()
}

/// An alert that was handed in, and two reviewers and two officers who have signed in.
async fn a_working_day(store: Store) -> (City, Value) {
    let city = City::open(store).await;
    for reviewer in [REVIEWER, SECOND_REVIEWER] {
        city.on_duty(reviewer, Role::DistrictReviewer, "district:500103", true).await;
    }
    for officer in [OFFICER, SECOND_OFFICER] {
        city.on_duty(officer, Role::CityCommandOfficer, "city", true).await;
    }
    let alert = city.take(city.write(SUBMITTER).await, &[(SUBMITTER, "submit")]).await;
    city.trail().await;
    (city, alert)
}

#[rstest]
#[tokio::test]
async fn a_review_that_somebody_is_at_is_seen_by_others_who_may_still_decide(#[values(Embedded, Services)] store: Store) {
    let (city, alert) = a_working_day(store).await;
    let (status, claimed) = claim(&city, REVIEWER, &alert, false).await;
    assert_eq!((status, &claimed["claimed_by"]), (StatusCode::OK, &json!(id(REVIEWER))), "{claimed}");
    assert_eq!(claimed["claimed_until"], json!("2026-03-10T04:15:00Z"));
    let seen = city.get(SECOND_REVIEWER, &path(&alert)).await.1;
    assert_eq!((&seen["claimed_by"], &seen["may_claim"]), (&json!(id(REVIEWER)), &json!(true)));
    assert_eq!(words(&seen["cautions"], "caution"), ["claimed_by_other"]);
    let (_, lines) = city.get(SECOND_REVIEWER, "/api/v1/alerts?waiting=true").await;
    assert_eq!(lines[0]["claimed_by"], json!(id(REVIEWER)));

    let (status, problem) = city.decide(SECOND_REVIEWER, &seen, "pass_district", "").await;
    assert_eq!((status, &problem["code"]), (StatusCode::CONFLICT, &json!("claimed_by_other")));
    let known = json!({ "version": seen["version"], "action": "pass_district", "known": ["claimed_by_other"] });
    let (status, passed) = city.decide_with(SECOND_REVIEWER, &seen, known).await;
    assert_eq!((status, &passed["state"], &passed["claimed_by"]), (StatusCode::OK, &json!("city_review"), &Value::Null), "{passed}");
    let expected = [(REVIEWER, "alert_claim"), (SECOND_REVIEWER, "alert_pass_district")];
    assert_eq!(city.trail().await, expected.map(|(token, action)| (id(token).to_string(), action.to_owned())));
    city.close().await;
}

#[rstest]
#[tokio::test]
async fn of_two_who_claim_at_once_one_has_it_and_the_other_may_take_it_over(#[values(Embedded, Services)] store: Store) {
    let (city, alert) = a_working_day(store).await;
    let (one, other) = tokio::join!(claim(&city, REVIEWER, &alert, false), claim(&city, SECOND_REVIEWER, &alert, false));
    let refused: Vec<_> = [&one, &other].into_iter().filter(|(status, _)| *status == StatusCode::CONFLICT).collect();
    assert_eq!((refused.len(), &refused[0].1["code"]), (1, &json!("claimed_by_other")), "{one:?} {other:?}");
    let (first, second) = if one.0 == StatusCode::OK { (REVIEWER, SECOND_REVIEWER) } else { (SECOND_REVIEWER, REVIEWER) };

    let mut line = city.listen_as(first).await;
    line.next().await;
    assert_eq!(claim(&city, second, &alert, true).await.0, StatusCode::OK);
    let mut told = String::new();
    while !told.starts_with("event: work") {
        told = line.next().await;
    }
    assert!(told.contains("\"what\":\"claim\""), "{told}");
    assert_eq!(owner(&city, &alert).await, json!(id(second)));
    assert_eq!(city.delete(first, &format!("{}/claim", path(&alert))).await, StatusCode::NO_CONTENT);
    assert_eq!(owner(&city, &alert).await, json!(id(second)), "nobody lets go what is a colleague's");
    assert_eq!(city.delete(second, &format!("{}/claim", path(&alert))).await, StatusCode::NO_CONTENT);
    assert_eq!(owner(&city, &alert).await, Value::Null);
    drop(line);
    city.close().await;
}

#[rstest]
#[tokio::test]
async fn a_claim_lapses_with_its_time_and_when_its_owner_signs_out(#[values(Embedded, Services)] store: Store) {
    let (city, alert) = a_working_day(store).await;
    claim(&city, REVIEWER, &alert, false).await;
    city.platform.clock.forward(MINUTE * 10);
    assert_eq!(
        claim(&city, REVIEWER, &alert, false).await.1["claimed_until"],
        json!("2026-03-10T04:25:00Z"),
        "said again, it lasts longer"
    );
    city.platform.clock.forward(MINUTE * 14);
    assert_eq!(owner(&city, &alert).await, json!(id(REVIEWER)));
    city.platform.clock.forward(MINUTE);
    assert_eq!(owner(&city, &alert).await, Value::Null);

    claim(&city, REVIEWER, &alert, false).await;
    sqlx::query("update identity.officer set session_until = null where name = $1").bind(REVIEWER).execute(city.pool()).await.unwrap();
    assert_eq!(owner(&city, &alert).await, Value::Null);
    assert_eq!(claim(&city, SECOND_REVIEWER, &alert, false).await.0, StatusCode::OK, "nothing was left to take over");
    city.close().await;
}

#[rstest]
#[case::its_author(SUBMITTER, StatusCode::FORBIDDEN, "role_not_allowed")]
#[case::an_officer_too_early(OFFICER, StatusCode::FORBIDDEN, "not_yours_to_decide")]
#[case::another_district(OTHER_REVIEWER, StatusCode::NOT_FOUND, "no_such_alert")]
#[tokio::test]
async fn who_may_not_decide_claims_nothing(#[case] token: &str, #[case] status: StatusCode, #[case] code: &str) {
    let (city, alert) = a_working_day(Embedded).await;
    let refused = claim(&city, token, &alert, true).await;
    assert_eq!((refused.0, &refused.1["code"]), (status, &json!(code)));
    let draft = city.write(SUBMITTER).await;
    assert_eq!(claim(&city, REVIEWER, &draft, false).await.1["code"], json!("not_waiting"));
    city.close().await;
}

#[rstest]
#[tokio::test]
async fn an_urgent_alert_waits_for_nobodys_lunch_and_two_in_the_same_second_confirm_it_once(#[values(Embedded, Services)] store: Store) {
    let (city, _) = a_working_day(store).await;
    let alert = city.take(city.write(OFFICER).await, &[(OFFICER, "compose_urgent")]).await;
    city.on_duty(crate::city::THIRD_OFFICER, Role::CityCommandOfficer, "city", true).await;
    claim(&city, SECOND_OFFICER, &alert, false).await;
    let known = json!({ "version": alert["version"], "action": "confirm", "known": ["claimed_by_other"] });
    let (one, other) = tokio::join!(
        city.decide_with(SECOND_OFFICER, &alert, known.clone()),
        city.decide_with(crate::city::THIRD_OFFICER, &alert, known.clone())
    );
    let mut statuses = [one.0, other.0];
    statuses.sort();
    assert_eq!(statuses, [StatusCode::OK, StatusCode::CONFLICT], "{one:?} {other:?}");
    assert_eq!(city.approved().await.len(), 1);
    city.close().await;
}
