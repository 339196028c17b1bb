//! Stories of reviews: three different people, or two officers on the urgent path.

use std::time::Duration;

use crate::city::{
    City, NEW_OFFICER, NEW_REVIEWER, OFFICER, OTHER_REVIEWER, REVIEWER, SECOND_OFFICER, SECOND_REVIEWER, SUBMITTER, THIRD_OFFICER,
    everybody_in, path, words,
};
use http::StatusCode;
use rstest::rstest;
use serde_json::{Value, json};
use stages::Store::{self, Embedded, Services};
use stages::{DAY, HOUR, id};

#[rstest]
#[tokio::test]
async fn three_people_approve_an_alert_and_dispatch_hears_of_it_once(#[values(Embedded, Services)] store: Store) {
    let city = City::open(store).await;
    let alert = city.approved_alert().await;
    assert_eq!((&alert["state"], &alert["approved_at"]), (&json!("approved"), &json!("2026-03-10T04:00:00Z")));
    let people = ["submitter", "district_reviewer", "city_reviewer"].map(|role| alert[role].clone());
    assert_eq!(people, [SUBMITTER, REVIEWER, OFFICER].map(|token| json!(id(token))));
    assert_eq!(city.approved().await, [alert["alert_id"].as_str().unwrap()]);
    assert_eq!(city.count("select count(*) from review.approved_alert where class = 'routine' and not exercise").await, 1);

    let (status, problem) = city.decide(SECOND_OFFICER, &alert, "approve", "").await;
    assert_eq!((status, &problem["code"]), (StatusCode::CONFLICT, &json!("not_from_here")));
    assert_eq!(city.approved().await, [""; 0]);
    let expected = [(SUBMITTER, "alert_write"), (SUBMITTER, "alert_submit"), (REVIEWER, "alert_pass_district"), (OFFICER, "alert_approve")];
    assert_eq!(city.trail().await, expected.map(|(token, action)| (id(token).to_string(), action.to_owned())));
    assert_eq!(words(&alert["history"], "action"), ["write", "submit", "pass_district", "approve"]);
    city.close().await;
}

#[rstest]
#[tokio::test]
async fn nobody_takes_two_of_the_three_parts(#[values(Embedded, Services)] store: Store) {
    let city = City::open(store).await;
    // the district's reviewer writes one, so their own review is not open to them
    let own = city.write(REVIEWER).await;
    let own = city.take(own, &[(REVIEWER, "submit")]).await;
    let refused = async |token: &str, alert: &Value, action: &str| {
        let (status, problem) = city.decide(token, alert, action, "不妥").await;
        assert_eq!(status, StatusCode::FORBIDDEN, "{problem}");
        problem["code"].as_str().unwrap().to_owned()
    };
    assert_eq!(refused(REVIEWER, &own, "pass_district").await, "same_person");
    assert_eq!(refused(OFFICER, &own, "pass_district").await, "outside_scope", "a district's alert is reviewed in the district");
    assert_eq!(refused(SUBMITTER, &own, "pass_district").await, "wrong_role");
    assert_eq!(words(&city.get(REVIEWER, &path(&own)).await.1["open_actions"], ""), [""; 0]);
    assert_eq!(words(&city.get(SECOND_REVIEWER, &path(&own)).await.1["open_actions"], ""), ["pass_district", "return_district"]);

    // the city's alert is reviewed twice by the command
    let body = json!({ "content": city.content(), "audience": everybody_in("city") });
    let (_, whole) = city.post(OFFICER, "/api/v1/alerts", body).await;
    let whole = city.take(whole, &[(OFFICER, "submit")]).await;
    assert_eq!(refused(OFFICER, &whole, "pass_district").await, "same_person");
    let whole = city.take(whole, &[(SECOND_OFFICER, "pass_district")]).await;
    assert_eq!(refused(OFFICER, &whole, "approve").await, "same_person");
    assert_eq!(refused(SECOND_OFFICER, &whole, "approve").await, "same_person");
    let whole = city.take(whole, &[(THIRD_OFFICER, "approve")]).await;
    assert_eq!(city.approved().await, [whole["alert_id"].as_str().unwrap()]);
    city.close().await;
}

#[tokio::test]
async fn a_new_account_releases_nothing_on_its_first_day_and_everything_after_it() {
    let city = City::open(Embedded).await;
    let refused = async |token: &str, alert: &Value, action: &str| {
        let (status, problem) = city.decide(token, alert, action, "不妥").await;
        assert_eq!((status, &problem["code"]), (StatusCode::FORBIDDEN, &json!("account_too_new")), "{action}: {problem}");
    };
    let alert = city.write(SUBMITTER).await;
    let alert = city.take(alert, &[(SUBMITTER, "submit")]).await;
    refused(NEW_REVIEWER, &alert, "pass_district").await;
    assert_eq!(words(&city.get(NEW_REVIEWER, &path(&alert)).await.1["open_actions"], ""), ["return_district"], "it may stop what it sees");
    let alert = city.take(alert, &[(REVIEWER, "pass_district")]).await;
    refused(NEW_OFFICER, &alert, "approve").await;
    refused(NEW_OFFICER, &alert, "refuse").await;
    let urgent = city.write(NEW_OFFICER).await;
    refused(NEW_OFFICER, &urgent, "compose_urgent").await;
    let urgent = city.take(city.write(OFFICER).await, &[(OFFICER, "compose_urgent")]).await;
    refused(NEW_OFFICER, &urgent, "confirm").await;
    let approved = city.approved_alert().await;
    refused(NEW_OFFICER, &approved, "cancel").await;

    city.platform.clock.forward(DAY - HOUR);
    refused(NEW_OFFICER, &alert, "approve").await;
    city.platform.clock.forward(HOUR);
    let fresh = city.write(SUBMITTER).await;
    let fresh = city.take(fresh, &[(SUBMITTER, "submit"), (NEW_REVIEWER, "pass_district"), (NEW_OFFICER, "approve")]).await;
    assert_eq!(fresh["state"], json!("approved"));
    city.close().await;
}

#[rstest]
#[case::submitter_reviews("update review.alert set district_reviewer = submitter")]
#[case::submitter_approves("update review.alert set city_reviewer = submitter")]
#[case::reviewer_approves("update review.alert set city_reviewer = district_reviewer")]
#[tokio::test]
async fn the_database_refuses_one_person_in_two_parts(#[case] write: &'static str) {
    let city = City::open(Embedded).await;
    city.approved_alert().await;
    let error = sqlx::query(write).execute(city.pool()).await.unwrap_err();
    assert_eq!(error.as_database_error().unwrap().constraint(), Some("different_people"));
    city.close().await;
}

#[rstest]
#[case::unreviewed("update review.alert set approved_at = now()")]
#[case::urgent_and_unconfirmed("update review.alert set approved_at = now(), class = 'urgent'")]
#[tokio::test]
async fn the_database_refuses_an_approval_without_its_reviews(#[case] write: &'static str) {
    let city = City::open(Embedded).await;
    city.write(SUBMITTER).await;
    let error = sqlx::query(write).execute(city.pool()).await.unwrap_err();
    assert_eq!(error.as_database_error().unwrap().constraint(), Some("reviewed"));
    city.close().await;
}

#[rstest]
#[tokio::test]
async fn a_return_needs_a_reason_and_clears_who_has_reviewed(#[values(Embedded, Services)] store: Store) {
    let city = City::open(store).await;
    let alert = city.write(SUBMITTER).await;
    let alert = city.take(alert, &[(SUBMITTER, "submit")]).await;
    let (status, problem) = city.decide(REVIEWER, &alert, "return_district", "  ").await;
    assert_eq!((status, &problem["code"]), (StatusCode::UNPROCESSABLE_ENTITY, &json!("reason_missing")));
    let (_, alert) = city.decide(REVIEWER, &alert, "return_district", "缺少地点").await;
    assert_eq!(alert["state"], json!("draft"));

    let alert = city.take(alert, &[(SUBMITTER, "submit"), (REVIEWER, "pass_district")]).await;
    let (_, alert) = city.decide(OFFICER, &alert, "return_city", "措施过严").await;
    assert_eq!((&alert["state"], &alert["district_reviewer"]), (&json!("draft"), &Value::Null));
    let (_, lines) = city.get(SUBMITTER, "/api/v1/alerts").await;
    assert_eq!(lines[0]["last_reason"], json!("措施过严"), "its author reads why");

    let alert = city.take(alert, &[(SUBMITTER, "submit"), (SECOND_REVIEWER, "pass_district")]).await;
    assert_eq!(city.decide(OFFICER, &alert, "refuse", "").await.0, StatusCode::UNPROCESSABLE_ENTITY);
    let (_, alert) = city.decide(OFFICER, &alert, "refuse", "已有全市通告").await;
    assert_eq!(alert["state"], json!("refused"));
    assert_eq!(city.decide(OFFICER, &alert, "approve", "").await.0, StatusCode::CONFLICT);
    assert_eq!(city.approved().await, [""; 0]);
    city.close().await;
}

#[rstest]
#[tokio::test]
async fn another_districts_alert_is_hidden() {
    let city = City::open(Embedded).await;
    let alert = city.write(SUBMITTER).await;
    let alert = city.take(alert, &[(SUBMITTER, "submit")]).await;
    assert_eq!(city.get(OTHER_REVIEWER, &path(&alert)).await.0, StatusCode::NOT_FOUND);
    assert_eq!(city.decide(OTHER_REVIEWER, &alert, "pass_district", "").await.0, StatusCode::NOT_FOUND);
    assert_eq!(city.get(OTHER_REVIEWER, "/api/v1/alerts").await.1, json!([]));
    city.close().await;
}

/// With several connections the two transactions really meet at the row.
#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_two_who_decide_at_once_one_is_told_that_it_changed_meanwhile(#[values(Embedded, Services)] store: Store) {
    let city = City::open(store).await;
    for _ in 0..5 {
        let alert = city.write(SUBMITTER).await;
        let alert = city.take(alert, &[(SUBMITTER, "submit"), (REVIEWER, "pass_district")]).await;
        let (first, second, third) = tokio::join!(
            city.decide(OFFICER, &alert, "approve", ""),
            city.decide(SECOND_OFFICER, &alert, "approve", ""),
            city.decide(THIRD_OFFICER, &alert, "return_city", "措施过严"),
        );
        let answers = [first, second, third];
        assert_eq!(answers.iter().filter(|(status, _)| *status == StatusCode::OK).count(), 1, "{answers:?}");
        let others: Vec<_> = answers.iter().filter(|(status, _)| *status != StatusCode::OK).collect();
        for (status, problem) in others {
            assert_eq!((*status, &problem["code"]), (StatusCode::CONFLICT, &json!("changed_meanwhile")));
        }
        let stands = city.look(&alert).await;
        assert_eq!(stands["history"].as_array().unwrap().len(), 4, "one decision was taken");
        let told = if stands["state"] == json!("approved") { vec![stands["alert_id"].as_str().unwrap().to_owned()] } else { Vec::new() };
        assert_eq!(city.approved().await, told);
    }
    city.close().await;
}

#[rstest]
#[tokio::test]
async fn an_urgent_alert_is_confirmed_by_a_second_officer(#[values(Embedded, Services)] store: Store) {
    let city = City::open(store).await;
    let alert = city.write(OFFICER).await;
    assert_eq!(city.decide(SUBMITTER, &alert, "compose_urgent", "").await.0, StatusCode::FORBIDDEN);
    let alert = city.take(alert, &[(OFFICER, "compose_urgent")]).await;
    assert_eq!((&alert["state"], &alert["class"]), (&json!("awaiting_confirmation"), &json!("urgent")));
    for action in ["confirm", "decline"] {
        let (status, problem) = city.decide(OFFICER, &alert, action, "我自己").await;
        assert_eq!((status, &problem["code"]), (StatusCode::FORBIDDEN, &json!("same_person")));
    }
    let (_, declined) = city.decide(SECOND_OFFICER, &alert, "decline", "尚未核实").await;
    assert_eq!(declined["state"], json!("draft"));

    let alert = city.take(declined, &[(OFFICER, "compose_urgent"), (SECOND_OFFICER, "confirm")]).await;
    assert_eq!((&alert["state"], &alert["city_reviewer"]), (&json!("approved"), &json!(id(SECOND_OFFICER))));
    assert_eq!(city.approved().await, [alert["alert_id"].as_str().unwrap()]);
    assert_eq!(city.count("select count(*) from review.approved_alert where class = 'urgent'").await, 1);
    city.close().await;
}

#[rstest]
#[tokio::test]
async fn what_has_expired_under_review_is_not_approved() {
    let city = City::open(Embedded).await;
    let alert = city.write(SUBMITTER).await;
    let alert = city.take(alert, &[(SUBMITTER, "submit"), (REVIEWER, "pass_district")]).await;
    city.platform.clock.forward(24 * HOUR);
    let (status, problem) = city.decide(OFFICER, &alert, "approve", "").await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(words(&problem["errors"], "field"), ["content.expires_at"]);
    city.close().await;
}

/// 500105 has no residents here; the exercise has nobody enrolled; who has withdrawn consent is reached by neither way.
#[rstest]
#[case::a_place_without_residents(json!({ "district": "500105", "audience": everybody_in("500105") }), "actual", "")]
#[case::people_who_are_not_registered(json!({ "audience": { "residents": [4711, 4712] }, "named_because": "流调名单尚未入库，先行通知" }), "actual", "")]
#[case::people_who_have_withdrawn_consent(json!({ "audience": { "residents": [7] }, "named_because": "流调名单尚未入库，先行通知" }), "actual", "update resident.resident set notices = false")]
#[case::an_exercise_without_participants(json!({ "audience": everybody_in("500103") }), "exercise", "")]
#[tokio::test]
async fn what_would_reach_nobody_is_approved_only_by_somebody_who_says_that_they_know(
    #[case] draft: Value,
    #[case] status: &str,
    #[case] before: &'static str,
) {
    let city = City::open(Embedded).await;
    sqlx::raw_sql(before).execute(city.pool()).await.unwrap();
    let mut body = draft;
    body["content"] = json!(city.content());
    body["content"]["status"] = json!(status);
    let (written, alert) = city.post(OFFICER, "/api/v1/alerts", body).await;
    assert_eq!(written, StatusCode::CREATED, "{alert}");
    let alert = city.take(alert, &[(OFFICER, "compose_urgent")]).await;

    let (refused, problem) = city.decide(SECOND_OFFICER, &alert, "confirm", "").await;
    assert_eq!((refused, &problem["code"]), (StatusCode::CONFLICT, &json!("reaches_nobody")), "{problem}");
    assert_eq!(city.look(&alert).await["state"], json!("awaiting_confirmation"), "nothing has happened");
    assert_eq!(city.approved().await, [""; 0]);
    // whoever may not take the step is told that, not who lives where
    assert_eq!(city.decide(OFFICER, &alert, "confirm", "").await.1["code"], json!("same_person"));

    let known = json!({ "version": alert["version"], "action": "confirm", "known": ["reaches_nobody"] });
    let (status, confirmed) = city.decide_with(SECOND_OFFICER, &alert, known).await;
    assert_eq!((status, &confirmed["state"]), (StatusCode::OK, &json!("approved")), "{confirmed}");
    city.close().await;
}

#[rstest]
#[tokio::test]
async fn a_draft_that_has_lain_for_more_than_a_month_is_not_approved_any_more() {
    let city = City::open(Embedded).await;
    let alert = city.write(SUBMITTER).await;
    city.platform.clock.forward(31 * 24 * HOUR + HOUR);
    let edit = json!({ "version": alert["version"], "content": city.content() });
    let (_, fresh) = city.put(SUBMITTER, &path(&alert), edit).await;
    let (status, problem) = city.decide(SUBMITTER, &fresh, "submit", "").await;
    assert_eq!((status, &problem["code"]), (StatusCode::CONFLICT, &json!("draft_too_old")));
    city.close().await;
}

/// How long after the stage opens, at noon in the city.
const HALF_PAST_TEN_AT_NIGHT: Duration = Duration::from_secs(10 * 3_600 + 1_800);

#[rstest]
#[case::over_in_the_night("2026-03-11T06:30:00+08:00")]
#[case::over_as_the_night_is("2026-03-11T07:00:00+08:00")]
#[tokio::test]
async fn what_quiet_hours_would_hold_until_it_is_over_is_not_approved(#[case] expires_at: &str) {
    let city = City::open(Embedded).await;
    let mut content = json!(city.content());
    (content["expires_at"], content["ack_window_s"]) = (json!(expires_at), json!(300));
    let body = json!({ "district": "500103", "content": content, "audience": everybody_in("500103") });
    let (_, alert) = city.post(SUBMITTER, "/api/v1/alerts", body.clone()).await;
    let by_day = city.take(alert, &[(SUBMITTER, "submit"), (REVIEWER, "pass_district")]).await;
    assert_eq!(by_day["faults"], json!([]));

    city.platform.clock.forward(HALF_PAST_TEN_AT_NIGHT);
    let by_night = city.look(&by_day).await;
    assert_eq!(words(&by_night["faults"], "kind"), ["never_sent"], "whoever reviews it sees it");
    let (status, problem) = city.decide(OFFICER, &by_day, "approve", "").await;
    assert_eq!((status, &problem["errors"][0]["field"]), (StatusCode::UNPROCESSABLE_ENTITY, &json!("content.expires_at")), "{problem}");
    assert_eq!(city.approved().await, [""; 0]);

    // urgent, it goes out at night
    let (_, alert) = city.post(OFFICER, "/api/v1/alerts", body).await;
    let urgent = city.take(alert, &[(OFFICER, "compose_urgent"), (SECOND_OFFICER, "confirm")]).await;
    assert_eq!(city.approved().await, [urgent["alert_id"].as_str().unwrap()]);
    city.close().await;
}

#[rstest]
#[case::a_window_as_long_as_the_alert(Duration::ZERO, "2026-03-11T12:00:00+08:00", 86_400, "no_reminder")]
#[case::the_night_takes_most_of_it(HOUR.saturating_mul(9), "2026-03-11T07:30:00+08:00", 300, "cut_by_quiet_hours")]
#[tokio::test]
async fn what_will_not_happen_is_confirmed_by_name_before_it_is_approved(
    #[case] later: Duration,
    #[case] expires_at: &str,
    #[case] window: u32,
    #[case] caution: &str,
) {
    let city = City::open(Embedded).await;
    city.platform.clock.forward(later);
    let mut content = json!(city.content());
    (content["expires_at"], content["ack_window_s"]) = (json!(expires_at), json!(window));
    let body = json!({ "district": "500103", "content": content, "audience": everybody_in("500103") });
    let (_, alert) = city.post(SUBMITTER, "/api/v1/alerts", body).await;
    let alert = city.take(alert, &[(SUBMITTER, "submit"), (REVIEWER, "pass_district")]).await;
    assert_eq!(words(&alert["cautions"], "caution"), [caution]);

    let (status, problem) = city.decide(OFFICER, &alert, "approve", "").await;
    assert_eq!((status, &problem["code"]), (StatusCode::CONFLICT, &json!(caution)), "{problem}");
    let other = json!({ "version": alert["version"], "action": "approve", "known": ["reaches_nobody", "other_language"] });
    assert_eq!(city.decide_with(OFFICER, &alert, other).await.1["code"], json!(caution), "knowing something else is not enough");
    let known = json!({ "version": alert["version"], "action": "approve", "known": [caution] });
    let (status, approved) = city.decide_with(OFFICER, &alert, known).await;
    assert_eq!((status, &approved["state"]), (StatusCode::OK, &json!("approved")), "{approved}");
    city.close().await;
}

#[rstest]
#[tokio::test]
async fn an_sms_too_long_in_one_language_is_sent_back_to_its_author() {
    let city = City::open(Embedded).await;
    let mut content = json!(city.content());
    content["contact"] = json!(format!("{} 12320", "x".repeat(54)));
    content["texts"]["en"] =
        json!({ "headline": "Boil the water", "body": "The water is not clean.", "instruction": "Boil it.", "sms": "y".repeat(450) });
    let body = json!({ "district": "500103", "content": content, "audience": everybody_in("500103") });
    let (written, alert) = city.post(SUBMITTER, "/api/v1/alerts", body).await;
    assert_eq!(written, StatusCode::CREATED, "a draft may be unfinished");
    assert_eq!(
        (words(&alert["faults"], "field"), words(&alert["faults"], "kind")),
        (vec!["texts.en.sms".to_owned()], vec!["too_many_parts".to_owned()])
    );
    let (status, problem) = city.decide(SUBMITTER, &alert, "submit", "").await;
    assert_eq!((status, &problem["errors"][0]["field"]), (StatusCode::UNPROCESSABLE_ENTITY, &json!("content.texts.en.sms")), "{problem}");
    city.close().await;
}

#[rstest]
#[tokio::test]
async fn whoever_reviews_a_text_in_another_language_than_it_says_is_told_and_not_held_up() {
    let city = City::open(Embedded).await;
    let mut content = json!(city.content());
    content["texts"]["en"] =
        json!({ "headline": "请立即居家隔离", "body": "请立即居家隔离。", "instruction": "请立即居家隔离。", "sms": "请立即居家隔离。" });
    let body = json!({ "district": "500103", "content": content, "audience": everybody_in("500103") });
    let (_, alert) = city.post(SUBMITTER, "/api/v1/alerts", body).await;
    assert_eq!(words(&alert["cautions"], "caution"), ["other_language"]);
    city.take(alert, &[(SUBMITTER, "submit"), (REVIEWER, "pass_district"), (OFFICER, "approve")]).await;
    city.close().await;
}
