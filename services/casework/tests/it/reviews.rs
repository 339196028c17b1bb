//! Answers that did not satisfy, and citizens who chase.

use http::StatusCode;
use serde_json::json;
use stages::{DAY, HOUR, Store};

use crate::city::{
    CENTRE, CLINIC, COMMISSION, City, HANDLER, LEAD, OPERATOR, OTHER_HANDLER, OTHER_LEAD, SUPERVISOR, UPPER_HANDLER, UPPER_LEAD,
};

#[tokio::test]
async fn what_did_not_satisfy_goes_one_level_up_and_to_another_lead() {
    let city = City::open(Store::Embedded).await;
    let case = city.at_work("simple").await;
    city.answered_by(&case, HANDLER, LEAD).await;
    let (status, _) = city.says(&case, "not_satisfied", None).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "what did not satisfy is said");
    let (_, shown) = city.says(&case, "not_satisfied", Some("没有回答我的问题")).await;
    assert_eq!((&shown["state"], &shown["round"], &shown["who"]), (&json!("routed"), &json!(2), &json!("市卫生健康委")));
    assert!(shown["answer"].is_null(), "a review has its own answer");

    city.does(UPPER_HANDLER, &case, "sign_for", json!({})).await;
    city.answered_by(&case, UPPER_HANDLER, UPPER_LEAD).await;
    let (_, third) = city.says(&case, "not_satisfied", Some("仍未解决")).await;
    assert_eq!((&third["state"], &third["round"]), (&json!("accepted"), &json!(3)), "above the commission there is none");
    for earlier in [CENTRE, COMMISSION] {
        assert_eq!(city.refuses(OPERATOR, &case, "route", json!({ "lead": earlier })).await, "unit_decided_before");
    }
    city.routed(&case, CLINIC, &[]).await;
    city.does(OTHER_HANDLER, &case, "sign_for", json!({})).await;
    city.answered_by(&case, OTHER_HANDLER, OTHER_LEAD).await;
    let (status, problem) = city.says(&case, "not_satisfied", Some("仍不满意")).await;
    assert_eq!((status, &problem["code"]), (StatusCode::CONFLICT, &json!("review_used_up")));
    city.close().await;
}

#[tokio::test]
async fn a_review_is_asked_for_within_thirty_days() {
    let city = City::open(Store::Embedded).await;
    let case = city.at_work("simple").await;
    city.answered_by(&case, HANDLER, LEAD).await;
    city.platform.clock.forward(DAY * 31);
    let (status, problem) = city.says(&case, "not_satisfied", Some("没有解决")).await;
    assert_eq!((status, &problem["code"]), (StatusCode::CONFLICT, &json!("review_too_late")));
    city.close().await;
}

#[tokio::test]
async fn two_chases_in_a_day_bring_a_case_to_supervision() {
    let city = City::open(Store::Embedded).await;
    let case = city.at_work("simple").await;
    let chased = async || {
        let (_, list) = city.get(SUPERVISOR, "/api/v1/casework/cases?list=chased").await;
        list["cases"].as_array().unwrap().len()
    };
    city.says(&case, "chase", None).await;
    assert_eq!(chased().await, 0);
    city.platform.clock.forward(HOUR);
    city.says(&case, "chase", Some("请尽快")).await;
    assert_eq!(chased().await, 1);
    let file = city.file(SUPERVISOR, &case).await;
    assert_eq!((&file["raised"], &file["urgency"], &file["chases"]), (&json!(true), &json!("urgent"), &json!(2)));
    city.close().await;
}

#[tokio::test]
async fn who_is_called_back_and_not_satisfied_gets_a_review() {
    let city = City::open(Store::Embedded).await;
    let complaint = json!({ "kind": "complaint", "text": "拒绝接种", "against": "接种点", "district": "500103", "phone": "19012345678" });
    let case = city.calls(complaint).await;
    city.does(OPERATOR, &case, "register", json!({})).await;
    city.does(crate::city::SECOND_OPERATOR, &case, "confirm_registration", json!({})).await;
    city.accepted(&case, "simple").await;
    city.routed(&case, CENTRE, &[]).await;
    city.does(HANDLER, &case, "sign_for", json!({})).await;
    city.answered_by(&case, HANDLER, LEAD).await;
    let (_, list) = city.get(OPERATOR, "/api/v1/casework/cases?list=callback").await;
    assert_eq!(list["cases"][0]["number"], json!(case.number));
    assert_eq!(city.refuses(HANDLER, &case, "call_back", json!({ "outcome": "satisfied" })).await, "wrong_role");
    city.does(OPERATOR, &case, "call_back", json!({ "outcome": "unreachable" })).await;
    let (_, list) = city.get(OPERATOR, "/api/v1/casework/cases?list=callback").await;
    assert_eq!(list["cases"][0]["number"], json!(case.number), "who was not reached is called again");
    let file = city.does(OPERATOR, &case, "call_back", json!({ "outcome": "not_satisfied", "text": "无人联系我" })).await;
    assert_eq!((&file["state"], &file["round"]), (&json!("routed"), &json!(2)));
    city.close().await;
}

#[tokio::test]
async fn somebody_takes_back_what_they_brought() {
    let city = City::open(Store::Embedded).await;
    let case = city.at_work("simple").await;
    let (status, shown) = city.says(&case, "withdraw", Some("已解决")).await;
    assert_eq!((status, &shown["state"]), (StatusCode::OK, &json!("withdrawn")));
    let (_, inbox) = city.get(HANDLER, "/api/v1/casework/cases?list=inbox").await;
    assert_eq!(inbox["cases"].as_array().unwrap().len(), 0, "nobody has anything to do any more");
    city.close().await;
}
