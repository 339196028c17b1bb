//! Seoul, 31 May 2023: a district told people to get ready to leave, the ministry that it was a mistake, the city something else again. Here whoever writes or
//! approves is shown what holds for the same place, and what contradicts it is approved only by somebody who says that they know.

use domain::alert::{AlertContent, AlertText};
use domain::language::Language;
use domain::staff::Role;
use http::StatusCode;
use rstest::rstest;
use serde_json::{Value, json};
use stages::Store::{self, Embedded, Services};

use crate::city::{City, OFFICER, OTHER_REVIEWER, REVIEWER, SECOND_OFFICER, SUBMITTER, everybody_in, path};

/// An alert that says this.
fn saying(city: &City, headline: &str, instruction: &str) -> AlertContent {
    let text = AlertText {
        headline: headline.to_owned(),
        body: "河堤出现险情。".to_owned(),
        instruction: instruction.to_owned(),
        sms: instruction.to_owned(),
    };
    let mut content = city.content();
    content.texts.insert(Language::ZhCn, text);
    content
}

async fn written(city: &City, token: &str, district: Option<&str>, content: &AlertContent) -> Value {
    let body = json!({ "district": district, "content": content, "audience": everybody_in(district.unwrap_or("city")) });
    let (status, alert) = city.post(token, "/api/v1/alerts", body).await;
    assert_eq!(status, StatusCode::CREATED, "{alert}");
    alert
}

async fn conflicts(city: &City, token: &str, alert: &Value) -> Value {
    let (status, answer) = city.get(token, &format!("{}/conflicts", path(alert))).await;
    assert_eq!(status, StatusCode::OK, "{answer}");
    answer
}

#[rstest]
#[tokio::test]
async fn a_district_that_says_leave_while_the_city_says_stay_is_approved_only_knowingly(#[values(Embedded, Services)] store: Store) {
    let city = City::open(store).await;
    city.on_duty(OFFICER, Role::CityCommandOfficer, "city", true).await;
    let stay = saying(&city, "请留在室内", "请居家，不外出。");
    let leave = saying(&city, "请准备离开", "请立即撤离到体育馆。");
    let whole = written(&city, OFFICER, None, &stay).await;
    let whole = city.take(whole, &[(OFFICER, "compose_urgent"), (SECOND_OFFICER, "confirm")]).await;

    // while it is written
    let draft = json!({ "district": "500103", "content": leave, "audience": everybody_in("500103") });
    let (status, seen) = city.post(SUBMITTER, "/api/v1/alerts/conflicts", draft).await;
    assert_eq!(status, StatusCode::OK, "{seen}");
    let conflict = &seen["conflicts"][0];
    assert_eq!((conflict["kind"].as_str(), conflict["overlap"].as_str()), (Some("contradicts"), Some("within")), "{seen}");
    assert_eq!(conflict["alert_id"], whole["alert_id"]);
    assert_eq!(conflict["headline"], "请留在室内");
    assert_eq!(conflict["by"]["name"], OFFICER);
    assert_eq!(conflict["areas"], json!(["500103"]));
    assert_eq!(conflict["measures"], json!([{ "measure": "leave", "taken": true }]));

    let alert = written(&city, SUBMITTER, Some("500103"), &leave).await;
    let alert = city.take(alert, &[(SUBMITTER, "submit"), (REVIEWER, "pass_district")]).await;
    assert_eq!(conflicts(&city, REVIEWER, &alert).await["conflicts"][0]["must_be_confirmed"], true);
    let (status, problem) = city.decide(OFFICER, &alert, "approve", "").await;
    assert_eq!((status, problem["code"].as_str()), (StatusCode::CONFLICT, Some("contradicts_another")), "{problem}");
    let knowing = json!({ "version": alert["version"], "action": "approve", "known": ["contradicts_another"] });
    let (status, approved) = city.decide_with(OFFICER, &alert, knowing).await;
    assert_eq!((status, approved["state"].as_str()), (StatusCode::OK, Some("approved")), "{approved}");
    city.close().await;
}

#[tokio::test]
async fn a_district_learns_that_the_city_reviews_a_contradiction_and_reads_nothing_of_it() {
    let city = City::open(Embedded).await;
    city.on_duty(OFFICER, Role::CityCommandOfficer, "city", true).await;
    let whole = written(&city, OFFICER, None, &saying(&city, "请立即撤离", "请立即撤离到体育馆。")).await;
    city.take(whole, &[(OFFICER, "compose_urgent")]).await;
    let alert = written(&city, SUBMITTER, Some("500103"), &saying(&city, "请居家", "请居家，不外出。")).await;
    let seen = conflicts(&city, SUBMITTER, &alert).await;
    let conflict = &seen["conflicts"][0];
    assert_eq!(conflict["kind"], "contradicts", "{seen}");
    assert_eq!((conflict["by"]["role"].as_str(), conflict["by"]["scope"].as_str()), (Some("city_command_officer"), Some("city")));
    for hidden in ["alert_id", "short_code", "headline"] {
        assert_eq!(conflict[hidden], Value::Null, "{hidden}");
    }
    assert_eq!(conflict["by"]["name"], Value::Null);
    let text = seen.to_string();
    assert!(!text.contains("体育馆") && !text.contains("请立即撤离"), "{text}");
    // what another district writes is none of its business, and holds elsewhere anyway
    written(&city, OTHER_REVIEWER, Some("500104"), &saying(&city, "请立即撤离", "请立即撤离。")).await;
    assert_eq!(conflicts(&city, SUBMITTER, &alert).await["conflicts"].as_array().unwrap().len(), 1);
    city.close().await;
}

#[tokio::test]
async fn what_has_ended_and_what_is_only_a_draft_contradicts_nothing() {
    let city = City::open(Embedded).await;
    let stay = saying(&city, "请居家", "请居家，不外出。");
    let whole = written(&city, OFFICER, None, &saying(&city, "请立即撤离", "请立即撤离。")).await;
    let alert = written(&city, SUBMITTER, Some("500103"), &stay).await;
    assert_eq!(conflicts(&city, SUBMITTER, &alert).await["conflicts"], json!([]), "a draft holds for nobody");
    let whole = city.take(whole, &[(OFFICER, "compose_urgent"), (SECOND_OFFICER, "confirm")]).await;
    assert_eq!(conflicts(&city, SUBMITTER, &alert).await["conflicts"].as_array().unwrap().len(), 1);
    assert_eq!(city.decide(OFFICER, &whole, "cancel", "险情已排除").await.0, StatusCode::OK);
    assert_eq!(conflicts(&city, SUBMITTER, &alert).await["conflicts"], json!([]));
    city.close().await;
}

#[tokio::test]
async fn the_same_event_told_twice_and_another_authors_alert_are_shown_and_need_no_word() {
    let city = City::open(Embedded).await;
    let first = written(&city, OFFICER, None, &saying(&city, "请居家", "请居家，不外出。")).await;
    city.take(first, &[(OFFICER, "compose_urgent"), (SECOND_OFFICER, "confirm")]).await;
    let again = written(&city, SUBMITTER, Some("500103"), &saying(&city, "请居家", "请居家，不外出。")).await;
    let seen = conflicts(&city, SUBMITTER, &again).await;
    assert_eq!((seen["conflicts"][0]["kind"].as_str(), seen["more"].as_bool()), (Some("doubles"), Some(false)), "{seen}");
    city.take(again, &[(SUBMITTER, "submit"), (REVIEWER, "pass_district"), (OFFICER, "approve")]).await;
    city.close().await;
}
