//! Stories of feedback: a resident says something about an alert, somebody of their area answers.

use crate::city::{City, ELSEWHERE, NEW_OFFICER, OFFICER, REVIEWER, WORKER, WORKER_NEXT_DOOR, alert, text};
use http::StatusCode;
use rstest::rstest;
use serde_json::{Value, json};
use stages::Store::{self, Embedded, Services};

async fn say(city: &City, token: &str, alert: &crate::city::Alert, kind: &str, words: &str) -> (StatusCode, Value) {
    city.post(token, &format!("/api/v1/me/alerts/{}/feedback", alert.id), json!({ "kind": kind, "text": words })).await
}

async fn waiting(city: &City, token: &str) -> Vec<String> {
    let (status, list) = city.get(token, "/api/v1/feedback").await;
    assert_eq!(status, StatusCode::OK, "{list}");
    list.as_array().unwrap().iter().map(|feedback| text(&feedback["text"])).collect()
}

#[rstest]
#[tokio::test]
async fn a_question_is_answered_once_by_the_area_and_the_answer_reaches_who_asked(#[values(Embedded, Services)] store: Store) {
    let city = City::open(store).await;
    let (asks, elsewhere) =
        (city.register("13812345678").await, city.register_with("13912345678", json!({ "community": ELSEWHERE })).await);
    let water = alert("AB2C", "请煮沸饮用水");
    city.release(&water, &[&asks, &elsewhere]).await;

    let (status, taken) = say(&city, &asks.token, &water, "question", "  何时解除？ ").await;
    assert_eq!(status, StatusCode::CREATED, "{taken}");
    assert_eq!(say(&city, &elsewhere.token, &water, "wrong", "本街道并未停水").await.0, StatusCode::CREATED);
    assert_eq!(waiting(&city, WORKER).await, ["何时解除？"], "their own community's");
    assert_eq!(waiting(&city, WORKER_NEXT_DOOR).await, [""; 0]);
    assert_eq!(waiting(&city, REVIEWER).await, ["何时解除？"], "their own district's");
    assert_eq!(waiting(&city, OFFICER).await, ["何时解除？", "本街道并未停水"]);
    let summary = city.get(OFFICER, &format!("/api/v1/feedback/summary?alert={}", water.id)).await.1;
    assert_eq!(summary, json!({ "unclear": 0, "wrong": 1, "question": 1, "objection": 0, "unanswered": 2 }));
    assert!(city.tables_with("何时解除").await.is_empty(), "nobody's words are kept in plain text");

    let path = format!("/api/v1/feedback/{}/answer", taken["feedback_id"]);
    let answer = json!({ "answer": "预计明早八点，请留意通知。" });
    assert_eq!(city.post(WORKER_NEXT_DOOR, &path, answer.clone()).await.0, StatusCode::NOT_FOUND);
    let (status, problem) = city.post(NEW_OFFICER, &path, answer.clone()).await;
    assert_eq!((status, &problem["code"]), (StatusCode::FORBIDDEN, &json!("account_too_new")), "an answer may go out as an SMS");
    assert_eq!(city.post(WORKER, &path, answer.clone()).await.0, StatusCode::NO_CONTENT);
    let (status, problem) = city.post(REVIEWER, &path, answer).await;
    assert_eq!((status, &problem["code"]), (StatusCode::CONFLICT, &json!("feedback_answered")));
    let own = city.get(&asks.token, "/api/v1/me/feedback").await.1;
    assert_eq!((&own[0]["answer"], &own[0]["headline"]), (&json!("预计明早八点，请留意通知。"), &json!("请煮沸饮用水")));
    assert_eq!(waiting(&city, WORKER).await, [""; 0]);
    let trail = city.trail().await;
    assert!(trail.iter().any(|entry| entry.action == "feedback.answer" && !entry.detail_json.contains("八点")), "the trace has no words");
    city.close().await;
}

#[rstest]
#[tokio::test]
async fn feedback_is_about_ones_own_alerts_within_bounds_and_goes_with_its_author(#[values(Embedded, Services)] store: Store) {
    let city = City::open(store).await;
    let reader = city.register("13812345678").await;
    let (own, others) = (alert("AB2C", "请煮沸饮用水"), alert("AB2D", "请勿外出"));
    city.release(&own, &[&reader]).await;
    assert_eq!(say(&city, &reader.token, &others, "unclear", "看不懂").await.0, StatusCode::NOT_FOUND);
    for (kind, words) in [("praise", "很好"), ("unclear", " "), ("unclear", &"长".repeat(501)), ("unclear", "\u{7}")] {
        assert!(say(&city, &reader.token, &own, kind, words).await.0.is_client_error(), "{kind}");
    }
    for _ in 0..20 {
        assert_eq!(say(&city, &reader.token, &own, "unclear", "看不懂").await.0, StatusCode::CREATED);
    }
    assert_eq!(say(&city, &reader.token, &own, "unclear", "看不懂").await.0, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(city.delete(&reader.token, "/api/v1/me").await, StatusCode::NO_CONTENT);
    assert_eq!(city.count("select count(*) from resident.feedback").await, 0);
    city.close().await;
}
