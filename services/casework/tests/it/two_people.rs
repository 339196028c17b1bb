//! Two people where one could err or hide.

use http::StatusCode;
use serde_json::{Value, json};
use stages::Store;

use crate::city::{City, HANDLER, LEAD, OPERATOR, OPERATOR_ELSEWHERE, SECOND_LEAD, SECOND_OPERATOR, SUPERVISOR, question};

fn complaint() -> Value {
    json!({ "kind": "complaint", "text": "窗口拒绝接种", "against": "某社区卫生服务中心", "request": "请道歉", "district": "500103", "phone": "19012345678" })
}

#[tokio::test]
async fn who_writes_a_registration_does_not_check_it() {
    let city = City::open(Store::Embedded).await;
    let case = city.calls(complaint()).await;
    assert_eq!(city.does(OPERATOR, &case, "register", json!({})).await["state"], "to_check");
    let (_, own) = city.get(OPERATOR, "/api/v1/casework/cases?list=check").await;
    assert_eq!(own["cases"].as_array().unwrap().len(), 0, "it is not offered to whoever wrote it");
    assert_eq!(city.refuses(OPERATOR, &case, "confirm_registration", json!({})).await, "same_person");
    assert_eq!(city.refuses(SECOND_OPERATOR, &case, "correct_registration", json!({})).await, "reason_missing");
    city.does(SECOND_OPERATOR, &case, "correct_registration", json!({ "reason": "被投诉单位名称不全" })).await;
    city.does(OPERATOR, &case, "register", json!({})).await;
    assert_eq!(city.does(SECOND_OPERATOR, &case, "confirm_registration", json!({})).await["state"], "registered");
    city.close().await;
}

#[tokio::test]
async fn who_writes_the_result_does_not_decide_it_and_a_major_matter_takes_two() {
    let city = City::open(Store::Embedded).await;
    let case = city.at_work("major").await;
    let result = json!({ "text": "已查明", "answer": "已责令整改" });
    city.does(LEAD, &case, "submit_result", result).await;
    assert_eq!(city.refuses(LEAD, &case, "decide", json!({})).await, "same_person");
    assert_eq!(city.refuses(HANDLER, &case, "decide", json!({})).await, "wrong_role");
    assert_eq!(city.does(SECOND_LEAD, &case, "decide", json!({})).await["state"], "to_confirm");
    assert_eq!(city.refuses(HANDLER, &case, "tell", json!({ "by": "app" })).await, "not_from_here");
    assert_eq!(
        city.refuses(SUPERVISOR, &case, "decide", json!({ "answer": "另一个答复" })).await,
        "invalid_fields",
        "the second agrees or sends back"
    );
    city.does(SUPERVISOR, &case, "decide", json!({})).await;
    assert_eq!(city.does(HANDLER, &case, "tell", json!({ "by": "letter" })).await["state"], "told");
    city.close().await;
}

#[tokio::test]
async fn of_two_handlers_at_once_one_is_told_to_look_again() {
    let city = City::open(Store::Embedded).await;
    let case = city.at_work("simple").await;
    let seen = city.file(HANDLER, &case).await["version"].clone();
    let path = format!("/api/v1/casework/cases/{}/steps", case.number);
    let progress = |text: &str| json!({ "version": seen, "event": "report_progress", "text": text });
    let (one, other) = tokio::join!(city.post(HANDLER, &path, progress("一")), city.post(LEAD, &path, progress("二")));
    let mut codes = [one, other].map(|(status, answer)| (status, answer["code"].clone()));
    codes.sort_by_key(|(status, _)| status.as_u16());
    assert_eq!(codes, [(StatusCode::OK, Value::Null), (StatusCode::CONFLICT, json!("version_passed"))]);
    city.close().await;
}

#[tokio::test]
async fn a_district_s_operator_sees_and_does_nothing_with_another_district_s_case() {
    let city = City::open(Store::Embedded).await;
    let case = city.calls(question()).await;
    let (status, problem) = city.get(OPERATOR_ELSEWHERE, &format!("/api/v1/casework/cases/{}", case.number)).await;
    assert_eq!((status, &problem["code"]), (StatusCode::NOT_FOUND, &json!("no_such_case")));
    let (status, _) = city.tries(OPERATOR_ELSEWHERE, &case, "register", json!({})).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    let (_, list) = city.get(OPERATOR_ELSEWHERE, "/api/v1/casework/cases?list=desk").await;
    assert_eq!(list["cases"].as_array().unwrap().len(), 0);
    city.close().await;
}

#[tokio::test]
async fn what_is_open_to_somebody_and_why_the_rest_is_not_stands_in_the_file() {
    let city = City::open(Store::Embedded).await;
    let case = city.calls(complaint()).await;
    let file = city.does(OPERATOR, &case, "register", json!({})).await;
    let confirm = file["open_events"].as_array().unwrap().iter().find(|open| open["event"] == "confirm_registration").unwrap();
    assert_eq!((&confirm["allowed"], &confirm["refusal"]["code"]), (&json!(false), &json!("same_person")));
    city.close().await;
}
