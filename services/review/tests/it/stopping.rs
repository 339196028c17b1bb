//! Stories of an alert that one officer stops, and of what becomes of it.

use http::StatusCode;
use rstest::rstest;
use serde_json::{Value, json};
use stages::Store::{self, Embedded, Services};

use crate::city::{City, NEW_OFFICER, OFFICER, REVIEWER, SECOND_OFFICER, STALE_OFFICER, SUBMITTER, THIRD_OFFICER, words};

async fn stop(city: &City, token: &str, alert: &Value) -> (StatusCode, Value) {
    city.decide_with(token, alert, json!({ "action": "stop", "reason": "疑似误发" })).await
}

async fn is_held(city: &City, alert: &Value) -> bool {
    sqlx::query_scalar("select held_at is not null from review.alert_standing where alert_id = $1::uuid")
        .bind(uuid::Uuid::parse_str(alert["alert_id"].as_str().unwrap()).unwrap())
        .fetch_one(city.pool())
        .await
        .unwrap()
}

#[rstest]
#[tokio::test]
async fn one_officer_stops_an_alert_at_once_and_asks_for_its_withdrawal_in_the_same_action(#[values(Embedded, Services)] store: Store) {
    let city = City::open(store).await;
    let alert = city.urgent_alert_with_people().await;
    let (status, stopped) = stop(&city, THIRD_OFFICER, &alert).await;
    assert_eq!(status, StatusCode::OK, "{stopped}");
    assert_eq!((&stopped["state"], stopped["held_at"].is_string()), (&alert["state"], true), "it has not ended");
    assert_eq!((&stopped["retraction"]["kind"], &stopped["retraction"]["open_steps"]), (&json!("withdraw"), &json!(["take_back"])));
    assert_eq!((city.held().await, is_held(&city, &alert).await), (vec![alert["alert_id"].as_str().unwrap().to_owned()], true));
    assert!(city.stopped().await.is_empty(), "nobody is told anything by one person");
    let actions = words(&stopped["history"], "action");
    assert_eq!(actions[actions.len() - 2..], ["stop", "ask_withdraw"]);

    let (status, problem) = stop(&city, OFFICER, &alert).await;
    assert_eq!((status, &problem["code"]), (StatusCode::CONFLICT, &json!("held_already")));
    // a colleague sees it and confirms what stands ready
    let seen = city.retraction(OFFICER, &alert).await;
    assert_eq!((&seen["waiting"]["by_stop"], &seen["waiting"]["open_steps"]), (&json!(true), &json!(["confirm", "refuse"])));
    let (status, said) = city.say(OFFICER, &alert, &seen, "confirm", "").await;
    assert_eq!((status, &said["state"]), (StatusCode::OK, &json!("cancelled")), "{said}");
    assert_eq!((city.stopped().await.len(), is_held(&city, &alert).await), (1, false));
    city.close().await;
}

#[rstest]
#[tokio::test]
async fn what_was_stopped_and_holds_after_all_goes_on(#[values(Embedded, Services)] store: Store) {
    let city = City::open(store).await;
    let alert = city.urgent_alert_with_people().await;
    stop(&city, THIRD_OFFICER, &alert).await;
    city.held().await;
    let resume = json!({ "action": "resume", "reason": "已核实属实" });
    let (status, problem) = city.decide_with(OFFICER, &alert, resume.clone()).await;
    assert_eq!((status, &problem["code"]), (StatusCode::CONFLICT, &json!("retraction_waits")), "what waits is decided about first");

    let seen = city.retraction(OFFICER, &alert).await;
    assert_eq!(city.say(OFFICER, &alert, &seen, "refuse", "").await.0, StatusCode::UNPROCESSABLE_ENTITY, "who says no says why");
    let id = &seen["waiting"]["retraction_id"];
    let refusal = json!({ "retraction_id": id, "step": "refuse", "reason": "现场已核实，内容属实", "resume": true });
    let (status, answer) =
        city.post(OFFICER, &format!("/api/v1/alerts/{}/retraction/decisions", alert["alert_id"].as_str().unwrap()), refusal).await;
    assert_eq!((status, &answer["held_at"], &answer["waiting"]), (StatusCode::OK, &Value::Null, &Value::Null), "{answer}");
    assert_eq!(
        (&answer["earlier"][0]["state"], &answer["earlier"][0]["decided_reason"]),
        (&json!("refused"), &json!("现场已核实，内容属实"))
    );
    assert_eq!((city.held().await.len(), is_held(&city, &alert).await), (1, false));
    assert!(city.stopped().await.is_empty());
    let (status, problem) = city.decide_with(OFFICER, &alert, resume).await;
    assert_eq!((status, &problem["code"]), (StatusCode::CONFLICT, &json!("not_held")));

    // refused alone, it stays stopped, and another word may be asked for
    stop(&city, THIRD_OFFICER, &alert).await;
    let seen = city.retraction(SECOND_OFFICER, &alert).await;
    let (_, answer) = city.say(SECOND_OFFICER, &alert, &seen, "refuse", "应更正而不是撤回").await;
    assert!(answer["held_at"].is_string() && answer["waiting"].is_null(), "{answer}");
    assert_eq!(words(&answer["may_ask"], ""), ["withdraw", "all_clear", "correct"]);
    let open = words(&city.look(&alert).await["open_actions"], "");
    assert_eq!((open.contains(&"resume".to_owned()), open.contains(&"stop".to_owned())), (true, false));
    city.close().await;
}

#[rstest]
#[case::a_reviewer(REVIEWER, "wrong_role")]
#[case::a_new_officer(NEW_OFFICER, "account_too_new")]
#[case::a_session_that_was_left_open(STALE_OFFICER, "fresh_proof_needed")]
#[tokio::test]
async fn it_is_stopped_by_an_officer_of_the_city_who_is_there(#[case] token: &str, #[case] code: &str) {
    let city = City::open(Embedded).await;
    let alert = city.approved_alert().await;
    city.release(&alert).await;
    let (status, problem) = stop(&city, token, &alert).await;
    assert_eq!((status, &problem["code"]), (StatusCode::FORBIDDEN, &json!(code)), "{problem}");
    assert!(city.held().await.is_empty() && !is_held(&city, &alert).await);
    city.close().await;
}

#[tokio::test]
async fn one_alone_cancels_only_what_nobody_has_and_never_says_that_the_danger_is_over() {
    let city = City::open(Embedded).await;
    let alert = city.approved_alert().await;
    assert_eq!(alert["handed"], json!(false));
    for action in ["cancel", "stop"] {
        let over = json!({ "action": action, "reason": "已恢复", "public_reason": "over" });
        let (status, problem) = city.decide_with(OFFICER, &alert, over).await;
        assert_eq!((status, &problem["errors"][0]["field"]), (StatusCode::UNPROCESSABLE_ENTITY, &json!("public_reason")), "{problem}");
    }
    city.release(&alert).await;
    let seen = city.look(&alert).await;
    let open = words(&seen["open_actions"], "");
    assert_eq!((&seen["handed"], open.contains(&"cancel".to_owned())), (&json!(true), false));
    let (status, problem) = city.decide_with(OFFICER, &alert, json!({ "action": "cancel", "reason": "误发" })).await;
    assert_eq!((status, &problem["code"]), (StatusCode::CONFLICT, &json!("needs_second_officer")), "{problem}");
    assert!(city.stopped().await.is_empty());

    // dispatch may have given it to people, and review has not heard of it yet
    let other = city.approved_alert().await;
    stages::views::progress(&city.platform, other["alert_id"].as_str().unwrap().parse().unwrap(), "dispatching").await;
    let (_, problem) = city.decide_with(OFFICER, &other, json!({ "action": "cancel", "reason": "误发" })).await;
    assert_eq!(problem["code"], json!("needs_second_officer"), "{problem}");
    // what waits for the morning is stopped, and then simply cancelled
    let waiting = city.approved_alert().await;
    stop(&city, OFFICER, &waiting).await;
    let (status, cancelled) = city.decide_with(SECOND_OFFICER, &waiting, json!({ "action": "cancel", "reason": "误发" })).await;
    assert_eq!((status, &cancelled["state"]), (StatusCode::OK, &json!("cancelled")), "{cancelled}");
    assert_eq!(city.retraction(OFFICER, &waiting).await["earlier"][0]["state"], json!("overtaken"));
    city.close().await;
}

#[tokio::test]
async fn what_was_never_approved_is_neither_stopped_nor_taken_back() {
    let city = City::open(Embedded).await;
    let draft = city.write(SUBMITTER).await;
    assert_eq!(stop(&city, OFFICER, &draft).await.1["code"], json!("not_from_here"));
    assert_eq!(city.retraction(OFFICER, &draft).await["prepared"], json!([]));
    let (status, problem) = city.ask_for(OFFICER, &draft, json!({ "kind": "withdraw", "reason": "误发" })).await;
    assert_eq!((status, &problem["code"]), (StatusCode::CONFLICT, &json!("not_retractable")), "{problem}");
    city.close().await;
}
