//! Stories of what follows an approval: correction, cancellation, and what dispatch reports.

use crate::city::{City, OFFICER, OTHER_REVIEWER, REVIEWER, SECOND_OFFICER, SECOND_REVIEWER, SUBMITTER, path, words};
use http::StatusCode;
use proto::{AlertClosed, AlertHandedOver, AlertReleased, StopReason};
use rstest::rstest;
use serde_json::{Value, json};
use stages::Store::{self, Embedded, Services};
use stages::{MINUTE, noon, views};

async fn correct(city: &City, token: &str, alert: &Value) -> (StatusCode, Value) {
    city.post(token, &format!("{}/correction", path(alert)), json!({ "reason": "地点有误" })).await
}

const APPROVAL: [(&str, &str); 3] = [(SUBMITTER, "submit"), (REVIEWER, "pass_district"), (OFFICER, "approve")];

#[rstest]
#[tokio::test]
async fn a_correction_takes_the_place_of_the_old_alert_when_it_is_approved(#[values(Embedded, Services)] store: Store) {
    let city = City::open(store).await;
    let old = city.approved_alert().await;
    city.approved().await;
    assert_eq!(correct(&city, OTHER_REVIEWER, &old).await.0, StatusCode::NOT_FOUND);
    let (status, new) = correct(&city, SUBMITTER, &old).await;
    assert_eq!(status, StatusCode::CREATED, "{new}");
    assert_eq!((&new["corrects"], &new["state"]), (&old["alert_id"], &json!("draft")));
    assert_eq!((&new["content"]["msg_type"], &new["content"]["references"]), (&json!("update"), &old["alert_id"]));
    assert_eq!((&new["audience"], &new["content"]["purpose"]), (&old["audience"], &old["content"]["purpose"]));
    assert_ne!(new["short_code"], old["short_code"]);

    // an edit does not change what it corrects
    let edit = json!({ "version": new["version"], "content": city.content() });
    let (_, new) = city.put(SUBMITTER, &path(&new), edit).await;
    assert_eq!((&new["content"]["msg_type"], &new["content"]["references"]), (&json!("update"), &old["alert_id"]));
    let before = city.take(new, &APPROVAL[..2]).await;
    assert_eq!(city.look(&old).await["state"], json!("approved"), "it stands until then");
    assert!(city.stopped().await.is_empty());

    let new = city.take(before, &APPROVAL[2..]).await;
    assert_eq!(city.look(&old).await["state"], json!("superseded"));
    assert_eq!(city.approved().await, [new["alert_id"].as_str().unwrap()]);
    let [stop] = &city.stopped().await[..] else { panic!("one stop") };
    assert_eq!((json!(stop.alert_id), stop.how()), (old["alert_id"].clone(), StopReason::Superseded));
    assert_eq!(json!(stop.by_alert_id), new["alert_id"]);
    let again = correct(&city, SUBMITTER, &old).await;
    assert_eq!((again.0, &again.1["code"]), (StatusCode::CONFLICT, &json!("not_correctable")));
    city.close().await;
}

#[rstest]
#[tokio::test]
async fn what_dispatch_shows_and_no_event_has_told_is_taken_over(#[values(Embedded, Services)] store: Store) {
    let city = City::open(store).await;
    let alert = city.approved_alert().await;
    let id = alert["alert_id"].as_str().unwrap().parse().unwrap();
    for (dispatch, review) in [("dispatching", "dispatching"), ("active", "active"), ("closed", "closed")] {
        views::progress(&city.platform, id, dispatch).await;
        city.forward_with_jobs(2 * MINUTE).await;
        assert_eq!(city.look(&alert).await["state"], json!(review));
    }
    let missed = city.approved_alert().await;
    let id = missed["alert_id"].as_str().unwrap().parse().unwrap();
    views::progress(&city.platform, id, "active").await;
    views::progress(&city.platform, id, "closed").await;
    city.forward_with_jobs(2 * MINUTE).await;
    let missed = city.look(&missed).await;
    assert_eq!((&missed["state"], missed["handed_over_at"].is_string()), (&json!("closed"), true), "both steps at once: {missed}");
    city.close().await;
}

#[rstest]
#[tokio::test]
async fn how_a_stop_came_about_is_shown_to_those_who_compare(#[values(Embedded, Services)] store: Store) {
    let city = City::open(store).await;
    let (cancelled, old) = (city.approved_alert().await, city.approved_alert().await);
    let withdrawal = json!({ "action": "cancel", "reason": "样本有误", "public_reason": "wrong_finding" });
    assert_eq!(city.decide_with(OFFICER, &cancelled, withdrawal).await.0, StatusCode::OK);
    let (_, new) = correct(&city, SUBMITTER, &old).await;
    let new = city.take(new, &APPROVAL).await;
    let shown = async |alert: &Value| -> (String, Option<String>, Option<String>) {
        sqlx::query_as("select state, stop_reason, superseded_by::text from review.alert_standing where alert_id = $1::uuid")
            .bind(uuid::Uuid::parse_str(alert["alert_id"].as_str().unwrap()).unwrap())
            .fetch_one(city.pool())
            .await
            .unwrap()
    };
    assert_eq!(shown(&cancelled).await, ("cancelled".to_owned(), Some("wrong_finding".to_owned()), None));
    assert_eq!(shown(&old).await, ("superseded".to_owned(), None, new["alert_id"].as_str().map(str::to_owned)));
    city.close().await;
}

#[rstest]
#[tokio::test]
async fn of_two_corrections_of_one_alert_only_the_first_is_approved(#[values(Embedded, Services)] store: Store) {
    let city = City::open(store).await;
    let old = city.approved_alert().await;
    let (_, first) = correct(&city, SUBMITTER, &old).await;
    let (_, second) = correct(&city, SUBMITTER, &old).await;
    let second = city.take(second, &APPROVAL[..2]).await;
    city.take(first, &APPROVAL).await;
    city.approved().await;

    let (status, problem) = city.decide(OFFICER, &second, "approve", "").await;
    assert_eq!((status, &problem["code"]), (StatusCode::CONFLICT, &json!("not_correctable")));
    assert_eq!(city.look(&second).await["state"], json!("city_review"));
    assert_eq!(city.approved().await, [""; 0]);
    city.close().await;
}

/// A hand-written end would look like one and end nothing.
#[rstest]
#[case::an_end("cancel", true, "content.msg_type", "cancel")]
#[case::an_end_of_nothing("cancel", false, "content.msg_type", "cancel")]
#[case::a_correction("update", true, "content.msg_type", "correction")]
#[case::a_first_alert_that_names_another("alert", true, "content.references", "correction")]
#[tokio::test]
async fn an_end_or_a_correction_is_not_written_by_hand(
    #[case] kind: &str,
    #[case] names: bool,
    #[case] field: &str,
    #[case] decision: &str,
) {
    let city = City::open(Embedded).await;
    let live = city.approved_alert().await;
    for references in [live["alert_id"].clone(), json!(uuid::Uuid::now_v7())] {
        let mut content = serde_json::to_value(city.content()).unwrap();
        content["msg_type"] = json!(kind);
        content["references"] = if names { references } else { Value::Null };
        let draft = json!({ "district": "500103", "content": content.clone(), "audience": live["audience"] });
        let refused = city.post(SUBMITTER, "/api/v1/alerts", draft).await;
        let own = city.write(SUBMITTER).await;
        let edited = city.put(SUBMITTER, &path(&own), json!({ "version": own["version"], "content": content })).await;
        for (status, problem) in [refused, edited] {
            assert_eq!((status, &problem["errors"][0]["field"]), (StatusCode::UNPROCESSABLE_ENTITY, &json!(field)), "{problem}");
            assert!(problem["errors"][0].to_string().contains(decision), "{problem}");
        }
    }
    assert_eq!(city.look(&live).await["state"], json!("approved"));
    city.close().await;
}

#[rstest]
#[tokio::test]
async fn a_correction_says_of_which_alert_it_is_by_where_it_is_written() {
    let city = City::open(Embedded).await;
    let old = city.approved_alert().await;
    let correction = format!("{}/correction", path(&old));
    let mut content = serde_json::to_value(city.content()).unwrap();
    content["msg_type"] = json!("cancel");
    let (status, problem) = city.post(SUBMITTER, &correction, json!({ "reason": "有误", "content": content })).await;
    assert_eq!((status, &problem["errors"][0]["field"]), (StatusCode::UNPROCESSABLE_ENTITY, &json!("content.msg_type")), "{problem}");
    content["msg_type"] = json!("update");
    content["references"] = json!(uuid::Uuid::now_v7());
    let (status, problem) = city.post(SUBMITTER, &correction, json!({ "reason": "有误", "content": content })).await;
    assert_eq!((status, &problem["errors"][0]["field"]), (StatusCode::UNPROCESSABLE_ENTITY, &json!("content.references")), "{problem}");
    content["references"] = old["alert_id"].clone();
    assert_eq!(city.post(SUBMITTER, &correction, json!({ "reason": "有误", "content": content })).await.0, StatusCode::CREATED);
    city.close().await;
}

#[tokio::test]
async fn who_wrote_an_alert_reviews_no_correction_of_it_and_an_exercise_stays_one() {
    let city = City::open(Embedded).await;
    let old = city.write(REVIEWER).await;
    let old = city.take(old, &[(REVIEWER, "submit"), (SECOND_REVIEWER, "pass_district"), (OFFICER, "approve")]).await;
    let (_, correction) = correct(&city, SUBMITTER, &old).await;
    let mut content = serde_json::to_value(city.content()).unwrap();
    content["status"] = json!("exercise");
    let edit = json!({ "version": correction["version"], "content": content });
    let (status, problem) = city.put(SUBMITTER, &path(&correction), edit).await;
    assert_eq!((status, &problem["errors"][0]["field"]), (StatusCode::UNPROCESSABLE_ENTITY, &json!("content.status")), "{problem}");
    let submitted = city.take(correction, &[(SUBMITTER, "submit")]).await;
    assert_eq!(city.decide(REVIEWER, &submitted, "pass_district", "").await.1["code"], json!("same_person"), "they are the same words");
    city.take(submitted, &[(SECOND_REVIEWER, "pass_district")]).await;
    city.close().await;
}

#[rstest]
#[tokio::test]
async fn nobody_has_received_what_was_not_approved_so_it_is_not_corrected() {
    let city = City::open(Embedded).await;
    let alert = city.write(SUBMITTER).await;
    assert_eq!(correct(&city, SUBMITTER, &alert).await.1["code"], json!("not_correctable"));
    city.close().await;
}

#[rstest]
#[tokio::test]
async fn a_cancelled_alert_is_stopped_with_a_reviewed_reason_and_no_words_of_whoever_stopped_it(
    #[values(Embedded, Services)] store: Store,
) {
    let city = City::open(store).await;
    let alert = city.approved_alert().await;
    assert_eq!(city.decide(REVIEWER, &alert, "cancel", "误报").await.0, StatusCode::FORBIDDEN);
    assert_eq!(city.decide(SECOND_OFFICER, &alert, "cancel", "").await.0, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(city.stopped().await.is_empty());
    let words = json!({ "action": "cancel", "reason": "误报", "public_reason": "请加微信领取补偿" });
    assert_eq!(city.decide_with(SECOND_OFFICER, &alert, words).await.0, StatusCode::UNPROCESSABLE_ENTITY);
    let approval = json!({ "version": alert["version"], "action": "approve", "public_reason": "over" });
    assert_eq!(city.decide_with(SECOND_OFFICER, &alert, approval).await.1["errors"][0]["field"], json!("public_reason"));

    let withdrawal = json!({ "action": "cancel", "reason": "误报", "public_reason": "sent_by_mistake" });
    let (_, cancelled) = city.decide_with(SECOND_OFFICER, &alert, withdrawal).await;
    assert_eq!(cancelled["state"], json!("cancelled"));
    let [stop] = &city.stopped().await[..] else { panic!("one stop") };
    let told = (json!(stop.alert_id), stop.how(), stop.reason.as_str());
    assert_eq!(told, (alert["alert_id"].clone(), StopReason::Cancelled, "sent_by_mistake"));
    let last = cancelled["history"].as_array().unwrap().last().unwrap();
    assert_eq!((&last["reason"], &last["public_reason"]), (&json!("误报"), &json!("sent_by_mistake")), "colleagues read both");

    // in a hurry nothing is said of why, and what was written stays inside all the same
    let other = city.approved_alert().await;
    assert_eq!(city.decide(OFFICER, &other, "cancel", "张三的样本拿错了").await.0, StatusCode::OK);
    assert_eq!(city.stopped().await[0].reason, "");

    // what dispatch had under way changes nothing any more
    let alert_id = alert["alert_id"].as_str().unwrap().to_owned();
    city.tell(&AlertHandedOver { alert_id, at_ms: 0, recipients: 1, unreachable: 0 }).await;
    assert_eq!(city.look(&alert).await["version"], cancelled["version"]);
    city.close().await;
}

/// Every step of the platform makes a new version: who stops an alert must not have to race with it.
#[rstest]
#[tokio::test]
async fn an_emergency_stop_needs_no_version_and_holds_whatever_happened_meanwhile(#[values(Embedded, Services)] store: Store) {
    let city = City::open(store).await;
    let looked_at = city.approved_alert().await;
    let alert_id = looked_at["alert_id"].as_str().unwrap().to_owned();
    city.tell(&AlertReleased { alert_id }).await;
    assert_ne!(city.look(&looked_at).await["version"], looked_at["version"], "it is another version by now");
    let (status, stopped) = city.decide(SECOND_OFFICER, &looked_at, "stop", "误报").await;
    assert_eq!((status, stopped["held_at"].is_string()), (StatusCode::OK, true), "{stopped}");

    let other = city.approved_alert().await;
    let (status, cancelled) = city.decide_with(OFFICER, &other, json!({ "action": "cancel", "reason": "误报" })).await;
    assert_eq!((status, &cancelled["state"]), (StatusCode::OK, &json!("cancelled")), "{cancelled}");
    let again = city.decide_with(OFFICER, &other, json!({ "action": "cancel", "reason": "误报" })).await;
    assert_eq!((again.0, &again.1["code"]), (StatusCode::CONFLICT, &json!("not_from_here")), "it has ended");
    // every other decision is about what was looked at
    let draft = city.write(SUBMITTER).await;
    let (status, problem) = city.decide_with(SUBMITTER, &draft, json!({ "action": "submit" })).await;
    assert_eq!((status, &problem["errors"][0]["field"]), (StatusCode::UNPROCESSABLE_ENTITY, &json!("version")));
    city.close().await;
}

#[rstest]
#[tokio::test]
async fn what_was_never_approved_is_cancelled_without_telling_dispatch() {
    let city = City::open(Embedded).await;
    let alert = city.write(SUBMITTER).await;
    let alert = city.take(alert, &APPROVAL[..2]).await;
    assert_eq!(city.decide(OFFICER, &alert, "cancel", "误报").await.1["state"], json!("cancelled"));
    let draft = city.write(SUBMITTER).await;
    assert_eq!(city.decide(SUBMITTER, &draft, "discard", "重复").await.1["state"], json!("cancelled"));
    assert!(city.stopped().await.is_empty());
    city.close().await;
}

#[derive(Clone, Copy, Debug)]
enum Report {
    Released,
    HandedOver,
    Closed,
}

/// Released at 12:01, handed over at 12:02, closed at 12:03; the events come when they come.
async fn report(city: &City, alert: &Value, report: Report) {
    let alert_id = alert["alert_id"].as_str().unwrap().to_owned();
    let minute = |minutes: i64| noon().timestamp_millis() + minutes * 60_000;
    match report {
        Report::Released => city.tell(&AlertReleased { alert_id }).await,
        Report::HandedOver => city.tell(&AlertHandedOver { alert_id, at_ms: minute(2), recipients: 3, unreachable: 0 }).await,
        Report::Closed => city.tell(&AlertClosed { alert_id, at_ms: minute(3) }).await,
    }
}

use Report::{Closed, HandedOver, Released};

#[rstest]
#[case::in_order(&[Released, HandedOver, Closed], &["dispatching", "active", "closed"])]
#[case::repeated(&[Released, Released, HandedOver, Released, HandedOver], &["dispatching", "dispatching", "active", "active", "active"])]
#[case::handed_over_first(&[HandedOver, Released, Closed], &["active", "active", "closed"])]
#[case::closed_first(&[Closed, HandedOver, Released], &["closed", "closed", "closed"])]
#[tokio::test]
async fn reports_of_dispatch_in_any_order_never_bring_an_alert_back(#[case] reports: &[Report], #[case] states: &[&str]) {
    let city = City::open(Embedded).await;
    let alert = city.approved_alert().await;
    city.platform.clock.forward(10 * MINUTE);
    for (heard, state) in reports.iter().zip(states) {
        report(&city, &alert, *heard).await;
        assert_eq!(city.look(&alert).await["state"], json!(state), "after {heard:?}");
    }
    let seen = city.look(&alert).await;
    if states.contains(&"active") {
        assert_eq!(seen["handed_over_at"], json!("2026-03-10T04:02:00Z"), "when it was, not when it was heard");
    }
    let actions = words(&seen["history"], "action");
    assert_eq!(actions.iter().filter(|action| *action == "handed_over").count(), usize::from(states.contains(&"active")));
    city.close().await;
}
