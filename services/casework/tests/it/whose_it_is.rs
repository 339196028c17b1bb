//! An order that cannot bounce.

use serde_json::json;
use stages::Store;

use crate::city::{CENTRE, CLINIC, COMMISSION, City, HANDLER, LEAD, OPERATOR, OTHER_HANDLER, OTHER_LEAD, SUPERVISOR, UPPER_LEAD, question};

#[tokio::test]
async fn an_order_is_refused_once_then_decided_and_then_done() {
    let city = City::open(Store::Embedded).await;
    let case = city.calls(question()).await;
    city.does(OPERATOR, &case, "register", json!({})).await;
    city.accepted(&case, "simple").await;
    let due = city.looks(&case).await["due"].clone();
    city.routed(&case, CENTRE, &[]).await;

    assert_eq!(city.refuses(HANDLER, &case, "refuse_competence", json!({ "reason": "非本单位", "proposal": CLINIC })).await, "wrong_role");
    let refused = json!({ "reason": "接种点由卫生服务中心管理", "proposal": CLINIC });
    assert_eq!(city.does(LEAD, &case, "refuse_competence", refused).await["state"], "accepted");
    let (_, again) = city.tries(OPERATOR, &case, "route", json!({ "lead": CENTRE })).await;
    assert_eq!(again["code"], "unit_refused_before");
    city.routed(&case, CLINIC, &[]).await;
    let file = city.does(OTHER_LEAD, &case, "refuse_competence", json!({ "reason": "政策解释归疾控", "proposal": CENTRE })).await;
    assert_eq!(file["state"], "disputed");
    assert_eq!(city.looks(&case).await["who"], "督办", "the citizen sees who has it");

    let (_, disputes) = city.get(SUPERVISOR, "/api/v1/casework/cases?list=disputes").await;
    assert_eq!(disputes["cases"][0]["number"], json!(case.number));
    city.does(SUPERVISOR, &case, "decide_dispute", json!({ "lead": CENTRE, "reason": "政策解释由疾控负责" })).await;
    assert_eq!(city.refuses(LEAD, &case, "refuse_competence", json!({ "reason": "仍不同意", "proposal": CLINIC })).await, "order_binding");
    assert_eq!(city.looks(&case).await["due"]["at"], due["at"], "the period ran on from the day on which it came");

    let file = city.does(HANDLER, &case, "sign_for", json!({})).await;
    let orders: Vec<_> = file["orders"]
        .as_array()
        .unwrap()
        .iter()
        .map(|order| (order["unit"]["unit_id"].as_u64().unwrap(), order["refused"].is_object(), order["binding"] == true))
        .collect();
    let (centre, clinic) = (u64::from(CENTRE), u64::from(CLINIC));
    assert_eq!(orders, [(centre, true, false), (clinic, true, false), (centre, false, true)]);
    city.close().await;
}

#[tokio::test]
async fn an_assisting_unit_that_is_found_competent_has_the_case_in_its_inbox() {
    let city = City::open(Store::Embedded).await;
    let case = city.calls(question()).await;
    city.does(OPERATOR, &case, "register", json!({})).await;
    city.accepted(&case, "simple").await;
    city.routed(&case, CENTRE, &[CLINIC]).await;
    city.does(LEAD, &case, "refuse_competence", json!({ "reason": "非本单位", "proposal": COMMISSION })).await;
    city.routed(&case, COMMISSION, &[CLINIC]).await;
    city.does(UPPER_LEAD, &case, "refuse_competence", json!({ "reason": "非本单位", "proposal": CENTRE })).await;
    city.does(SUPERVISOR, &case, "decide_dispute", json!({ "lead": CLINIC, "reason": "接种点由其管理" })).await;
    city.does(OTHER_HANDLER, &case, "sign_for", json!({})).await;
    let (_, inbox) = city.get(OTHER_HANDLER, "/api/v1/casework/cases?list=inbox").await;
    assert_eq!(inbox["cases"][0]["number"], json!(case.number));
    city.answered_by(&case, OTHER_HANDLER, OTHER_LEAD).await;
    city.close().await;
}

#[tokio::test]
async fn a_unit_that_there_is_not_gets_no_order() {
    let city = City::open(Store::Embedded).await;
    let case = city.calls(question()).await;
    city.does(OPERATOR, &case, "register", json!({})).await;
    city.accepted(&case, "simple").await;
    assert_eq!(city.refuses(OPERATOR, &case, "route", json!({ "lead": 999 })).await, "no_such_unit");
    assert_eq!(city.refuses(OPERATOR, &case, "route", json!({})).await, "invalid_fields");
    city.close().await;
}
