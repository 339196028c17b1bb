//! Stories of many alerts that are decided about at once, each after it was looked at.

use domain::checklist::all_well;
use http::StatusCode;
use rstest::rstest;
use serde_json::{Value, json};
use stages::Store::{self, Embedded, Services};
use stages::{DAY, id};

use crate::city::{City, OFFICER, OTHER_REVIEWER, REVIEWER, SECOND_OFFICER, SECOND_REVIEWER, STALE_OFFICER, SUBMITTER, path, words};

async fn handed_in(city: &City, alerts: usize) -> Vec<Value> {
    let mut waiting = Vec::new();
    for _ in 0..alerts {
        waiting.push(city.take(city.write(SUBMITTER).await, &[(SUBMITTER, "submit")]).await);
    }
    waiting
}

async fn look(city: &City, token: &str, alert: &Value) -> StatusCode {
    city.post(token, &format!("{}/look", path(alert)), json!({ "version": alert["version"] })).await.0
}

fn decision(alert: &Value, action: &str, reason: &str) -> Value {
    let answers = all_well(alert, action);
    let decision = json!({ "version": alert["version"], "action": action, "reason": reason, "answers": answers });
    json!({ "alert_id": alert["alert_id"], "decision": decision })
}

/// What became of each: where it stands, or why not.
async fn decide(city: &City, token: &str, decisions: &[Value]) -> Vec<String> {
    let (status, answer) = city.post(token, "/api/v1/alerts/decisions", json!({ "decisions": decisions })).await;
    assert_eq!(status, StatusCode::OK, "{answer}");
    let said = |one: &Value| one["state"].as_str().or(one["problem"]["code"].as_str()).unwrap().to_owned();
    let results = answer["results"].as_array().unwrap();
    assert_eq!(words(&answer["results"], "alert_id"), decisions.iter().map(|one| one["alert_id"].as_str().unwrap()).collect::<Vec<_>>());
    results.iter().inspect(|one| assert_eq!(one["decided"], json!(one["problem"].is_null()))).map(said).collect()
}

#[rstest]
#[tokio::test]
async fn what_was_looked_at_is_decided_and_what_was_not_or_has_changed_stays(#[values(Embedded, Services)] store: Store) {
    let city = City::open(store).await;
    let alerts = handed_in(&city, 5).await;
    for alert in &alerts[..4] {
        assert_eq!(look(&city, REVIEWER, alert).await, StatusCode::NO_CONTENT);
    }
    assert_eq!(city.get(REVIEWER, &path(&alerts[0])).await.1["looked"], json!(true));
    assert_eq!(city.get(SECOND_REVIEWER, &path(&alerts[0])).await.1["looked"], json!(false), "one looks for oneself");
    // a colleague is faster with one, and one has a no
    city.take(alerts[1].clone(), &[(SECOND_REVIEWER, "pass_district")]).await;
    let mut denied = decision(&alerts[3], "pass_district", "");
    denied["decision"]["answers"][0] = json!({ "item": "complete", "answer": "no", "note": "缺少咨询电话" });
    city.trail().await;

    let asked = [
        decision(&alerts[0], "pass_district", ""),
        decision(&alerts[1], "pass_district", ""),
        decision(&alerts[2], "return_district", "请写明地点"),
        denied,
        decision(&alerts[4], "pass_district", ""),
    ];
    let became = decide(&city, REVIEWER, &asked).await;
    assert_eq!(became, ["city_review", "changed_meanwhile", "draft", "checklist_says_no", "not_looked_at"]);
    let expected = [(REVIEWER, "alert_pass_district"), (REVIEWER, "alert_return_district")];
    assert_eq!(
        city.trail().await,
        expected.map(|(token, action)| (id(token).to_string(), action.to_owned())),
        "as if they were decided singly"
    );
    let returned = city.look(&alerts[2]).await;
    assert_eq!((&returned["returned"]["reason"], &returned["submitter"]), (&json!("请写明地点"), &json!(id(SUBMITTER))));
    city.close().await;
}

#[rstest]
#[tokio::test]
async fn an_alert_that_stands_twice_in_a_request_is_decided_once() {
    let city = City::open(Embedded).await;
    let [alert] = &handed_in(&city, 1).await[..] else { panic!("one alert") };
    look(&city, REVIEWER, alert).await;
    let asked = [decision(alert, "pass_district", ""), decision(alert, "return_district", "请改")];
    assert_eq!(decide(&city, REVIEWER, &asked).await, ["city_review", "twice"]);
    city.close().await;
}

#[rstest]
#[case::none(0)]
#[case::more_than_anybody_reads(31)]
#[tokio::test]
async fn nobody_decides_about_more_than_they_can_have_read(#[case] alerts: usize) {
    let city = City::open(Embedded).await;
    let [alert] = &handed_in(&city, 1).await[..] else { panic!("one alert") };
    look(&city, REVIEWER, alert).await;
    let body = json!({ "decisions": vec![decision(alert, "pass_district", ""); alerts] });
    let (status, problem) = city.post(REVIEWER, "/api/v1/alerts/decisions", body).await;
    assert_eq!((status, &problem["errors"][0]["field"]), (StatusCode::UNPROCESSABLE_ENTITY, &json!("decisions")));
    assert_eq!(city.look(alert).await["state"], json!("district_review"));
    city.close().await;
}

#[rstest]
#[tokio::test]
async fn what_takes_a_fresh_proof_or_is_no_review_is_not_done_in_passing() {
    let city = City::open(Embedded).await;
    let urgent = city.take(city.write(OFFICER).await, &[(OFFICER, "compose_urgent")]).await;
    let approved = city.approved_alert().await;
    for (officer, alert) in [(STALE_OFFICER, &urgent), (SECOND_OFFICER, &urgent), (SECOND_OFFICER, &approved)] {
        assert_eq!(look(&city, officer, alert).await, StatusCode::NO_CONTENT);
    }
    assert_eq!(decide(&city, STALE_OFFICER, &[decision(&urgent, "confirm", "")]).await, ["fresh_proof_needed"]);
    let asked = [decision(&approved, "cancel", "误发"), decision(&urgent, "confirm", "")];
    assert_eq!(decide(&city, SECOND_OFFICER, &asked).await, ["not_in_bulk", "approved"]);
    city.close().await;
}

#[rstest]
#[tokio::test]
async fn one_looks_at_what_there_is_and_it_is_forgotten_in_time() {
    let city = City::open(Embedded).await;
    let [alert] = &handed_in(&city, 1).await[..] else { panic!("one alert") };
    let old = json!({ "alert_id": alert["alert_id"], "version": 1 });
    assert_eq!(look(&city, REVIEWER, &old).await, StatusCode::CONFLICT);
    assert_eq!(look(&city, OTHER_REVIEWER, alert).await, StatusCode::NOT_FOUND);
    city.trail().await;
    for _ in 0..2 {
        assert_eq!(look(&city, REVIEWER, alert).await, StatusCode::NO_CONTENT);
    }
    assert_eq!(city.trail().await, [(id(REVIEWER).to_string(), "alert_look".to_owned())], "once a version");
    city.forward_with_jobs(DAY * 91).await;
    assert_eq!(city.count("select count(*) from review.look").await, 0);
    city.close().await;
}
