//! Who takes an alert back together, what happens when they do it at once, and where it waits for them.

use http::StatusCode;
use proto::AlertClosed;
use rstest::rstest;
use serde_json::{Value, json};
use stages::Store::{self, Embedded, Services};

use crate::city::{
    City, NEW_OFFICER, OFFICER, OTHER_REVIEWER, REVIEWER, SECOND_OFFICER, SECOND_REVIEWER, STALE_OFFICER, SUBMITTER, THIRD_OFFICER, WORKER,
    path, words,
};

async fn asked(city: &City, alert: &Value, token: &str) -> Value {
    let (status, asked) = city.ask_for(token, alert, json!({ "kind": "withdraw", "reason": "误发" })).await;
    assert_eq!(status, StatusCode::CREATED, "{asked}");
    asked
}

async fn alert_of_500103(city: &City) -> Value {
    let alert = city.approved_alert().await;
    city.release(&alert).await;
    city.look(&alert).await
}

#[rstest]
#[case::of_the_same_district(SECOND_REVIEWER, "needs_city_officer")]
#[case::of_another_district(OTHER_REVIEWER, "no_such_alert")]
#[case::themselves(REVIEWER, "same_person")]
#[case::a_new_officer(NEW_OFFICER, "account_too_new")]
#[case::a_session_that_was_left_open(STALE_OFFICER, "fresh_proof_needed")]
#[case::a_unit(SUBMITTER, "role_not_allowed")]
#[case::a_community(WORKER, "role_not_allowed")]
#[tokio::test]
async fn the_second_person_is_another_one_who_is_right_for_the_place(#[case] token: &str, #[case] code: &str) {
    let city = City::open(Embedded).await;
    let alert = alert_of_500103(&city).await;
    let waits = asked(&city, &alert, REVIEWER).await;
    let (_, problem) = city.say(token, &alert, &waits, "confirm", "").await;
    assert_eq!(problem["code"], json!(code), "{problem}");
    assert!(city.stopped().await.is_empty());
    // who approved the alert may be the second: it is they who are awake
    assert_eq!(city.say(OFFICER, &alert, &waits, "confirm", "").await.0, StatusCode::OK);
    city.close().await;
}

#[rstest]
#[case::of_another_district(OTHER_REVIEWER, "no_such_alert")]
#[case::a_unit(SUBMITTER, "role_not_allowed")]
#[case::a_session_that_was_left_open(STALE_OFFICER, "fresh_proof_needed")]
#[tokio::test]
async fn the_first_person_speaks_for_the_place(#[case] token: &str, #[case] code: &str) {
    let city = City::open(Embedded).await;
    let alert = alert_of_500103(&city).await;
    let (_, problem) = city.ask_for(token, &alert, json!({ "kind": "withdraw", "reason": "误发" })).await;
    assert_eq!(problem["code"], json!(code), "{problem}");
    city.close().await;
}

#[rstest]
#[tokio::test]
async fn of_two_who_decide_in_the_same_second_exactly_one_does_and_the_other_is_told(#[values(Embedded, Services)] store: Store) {
    let city = City::open(store).await;
    for _ in 0..5 {
        let alert = alert_of_500103(&city).await;
        let waits = asked(&city, &alert, THIRD_OFFICER).await;
        city.stopped().await;
        let (confirmed, taken_back, refused) = tokio::join!(
            city.say(OFFICER, &alert, &waits, "confirm", ""),
            city.say(THIRD_OFFICER, &alert, &waits, "take_back", ""),
            city.say(SECOND_OFFICER, &alert, &waits, "refuse", "内容属实"),
        );
        let answers = [confirmed, taken_back, refused];
        let done: Vec<&Value> = answers.iter().filter(|(status, _)| *status == StatusCode::OK).map(|(_, answer)| answer).collect();
        let [done] = done[..] else { panic!("exactly one: {answers:?}") };
        for (status, problem) in answers.iter().filter(|(status, _)| *status != StatusCode::OK) {
            assert_eq!((*status, &problem["code"]), (StatusCode::CONFLICT, &json!("retraction_over")), "{problem}");
            assert!(problem.to_string().contains("不能再处理"), "a sentence says what it has become: {problem}");
        }
        let said = done["earlier"][0]["state"] == json!("confirmed");
        assert_eq!(city.stopped().await.len(), usize::from(said));
        assert_eq!(done["state"] == json!("cancelled"), said);
    }
    city.close().await;
}

#[tokio::test]
async fn one_waits_at_a_time_and_its_asker_may_think_better_of_it() {
    let city = City::open(Embedded).await;
    let alert = alert_of_500103(&city).await;
    let waits = asked(&city, &alert, OFFICER).await;
    let (status, problem) = city.ask_for(SECOND_OFFICER, &alert, json!({ "kind": "all_clear", "reason": "已恢复" })).await;
    assert_eq!((status, &problem["code"]), (StatusCode::CONFLICT, &json!("retraction_waits")), "{problem}");
    assert_eq!(city.say(SECOND_OFFICER, &alert, &waits, "take_back", "").await.1["code"], json!("not_asker"));
    let (status, answer) = city.say(OFFICER, &alert, &waits, "take_back", "看错了").await;
    assert_eq!((status, &answer["earlier"][0]["state"]), (StatusCode::OK, &json!("taken_back")), "{answer}");
    assert_eq!(asked(&city, &alert, SECOND_OFFICER).await["waiting"]["kind"], json!("withdraw"));
    let unknown = json!({ "waiting": { "retraction_id": uuid::Uuid::now_v7() } });
    assert_eq!(city.say(OFFICER, &alert, &unknown, "confirm", "").await.1["code"], json!("no_such_retraction"));
    city.close().await;
}

#[rstest]
#[tokio::test]
async fn what_waits_ends_with_its_alert(#[values(Embedded, Services)] store: Store) {
    let city = City::open(store).await;
    // its validity ends
    let alert = alert_of_500103(&city).await;
    let waits = asked(&city, &alert, OFFICER).await;
    city.platform.clock.forward(25 * 60 * stages::MINUTE);
    let (status, problem) = city.say(SECOND_OFFICER, &alert, &waits, "confirm", "").await;
    assert_eq!((status, &problem["code"]), (StatusCode::CONFLICT, &json!("not_retractable")), "{problem}");
    let at_ms = city.platform.clock.now().timestamp_millis();
    city.tell(&AlertClosed { alert_id: alert["alert_id"].as_str().unwrap().to_owned(), at_ms }).await;
    assert_eq!(city.retraction(OFFICER, &alert).await["earlier"][0]["state"], json!("expired"));
    assert_eq!(city.say(SECOND_OFFICER, &alert, &waits, "confirm", "").await.1["code"], json!("retraction_over"));

    // a correction came the long way
    let alert = alert_of_500103(&city).await;
    asked(&city, &alert, OFFICER).await;
    let (_, correction) = city.post(SUBMITTER, &format!("{}/correction", path(&alert)), json!({ "reason": "地点有误" })).await;
    city.take(correction, &[(SUBMITTER, "submit"), (REVIEWER, "pass_district"), (SECOND_OFFICER, "approve")]).await;
    assert_eq!(city.retraction(OFFICER, &alert).await["earlier"][0]["state"], json!("overtaken"));
    let overview = city.get(OFFICER, "/api/v1/alerts/overview").await.1;
    assert_eq!(overview["retractions"], json!([]));
    city.close().await;
}

#[tokio::test]
async fn only_what_a_person_did_since_keeps_from_asking() {
    let city = City::open(Embedded).await;
    let looked_at = city.approved_alert().await;
    city.release(&looked_at).await;
    let wish = json!({ "kind": "withdraw", "reason": "误发", "version": looked_at["version"] });
    let (status, asked) = city.ask_for(OFFICER, &looked_at, wish.clone()).await;
    assert_eq!(status, StatusCode::CREATED, "the platform has gone on meanwhile: {asked}");
    city.say(OFFICER, &looked_at, &asked, "take_back", "").await;
    let (status, problem) = city.ask_for(SECOND_OFFICER, &looked_at, wish).await;
    assert_eq!((status, &problem["code"]), (StatusCode::CONFLICT, &json!("changed_meanwhile")), "{problem}");
    city.close().await;
}

#[rstest]
#[tokio::test]
async fn it_waits_where_the_second_person_looks_and_is_told_live(#[values(Embedded, Services)] store: Store) {
    let city = City::open(store).await;
    let alert = city.urgent_alert_with_people().await;
    let id = alert["alert_id"].as_str().unwrap().to_owned();
    let waiting = async |token: &str| words(&city.get(token, "/api/v1/alerts?waiting=true").await.1, "alert_id");
    assert_eq!(waiting(SECOND_OFFICER).await, [""; 0]);
    let mut line = city.listen_as(SECOND_OFFICER).await;
    assert!(line.next().await.contains("clock"));
    asked(&city, &alert, OFFICER).await;
    let mut told = line.next().await;
    while !told.contains("\"retraction\":\"withdraw\"") {
        // what had changed a moment before is told as well
        told = line.next().await;
    }
    assert!(told.contains(&id) && told.contains("\"urgent\":true"), "{told}");

    assert_eq!((waiting(SECOND_OFFICER).await, waiting(OFFICER).await), (vec![id.clone()], vec![]), "not for who asked");
    let line = city.get(SECOND_OFFICER, "/api/v1/alerts?waiting=true").await.1[0].clone();
    assert_eq!((&line["retraction"], line["retraction_asked_at"].is_string()), (&json!("withdraw"), true));
    for (token, mine) in [(SECOND_OFFICER, true), (OFFICER, false)] {
        let waits = city.get(token, "/api/v1/alerts/overview").await.1["retractions"][0].clone();
        assert_eq!((&waits["alert_id"], &waits["class"], &waits["mine"]), (&json!(id), &json!("urgent"), &json!(mine)), "{token}: {waits}");
    }
    // an alert of another district is nobody's here
    assert_eq!(city.get(OTHER_REVIEWER, "/api/v1/alerts/overview").await.1["retractions"][0]["mine"], json!(false));
    let trail: Vec<String> = city.trail().await.into_iter().map(|(_, action)| action).collect();
    assert!(trail.contains(&"alert_ask_withdraw".to_owned()), "{trail:?}");
    city.close().await;
}
