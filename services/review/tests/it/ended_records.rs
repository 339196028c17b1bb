//! Stories of alerts whose records their source corrected or took back (CQ2, CQ8; inputs case 16).

use domain::ids::AlertId;
use http::StatusCode;
use proto::RecordsBehindAlertEnded;
use proto::events::records_behind_alert_ended::Entry;
use rstest::rstest;
use serde_json::{Value, json};
use stages::Store::{self, Embedded, Postgres};

use crate::city::{City, OFFICER, OTHER_REVIEWER, REVIEWER, SECOND_OFFICER, SUBMITTER, THIRD_OFFICER, path, words};

const APPROVED: &[(&str, &str)] = &[(REVIEWER, "pass_district"), (SECOND_OFFICER, "approve")];

/// A record that was taken back, about this resident.
fn taken_back(record_no: i64, resident_no: u32) -> Entry {
    Entry {
        record_no,
        resident_no: Some(resident_no),
        area: "500103001".to_owned(),
        source: "市疾控中心".to_owned(),
        retracted: true,
        reason: "同名误报".to_owned(),
        still_named: false,
        still_met: false,
        at_ms: 1_795_000_000_000,
    }
}

impl City {
    /// Rules tell that records behind the alert ended, twice as events do.
    async fn ends(&self, alert: &Value, entries: &[Entry]) {
        let event = || RecordsBehindAlertEnded { alert_id: alert["alert_id"].as_str().unwrap().to_owned(), entries: entries.to_vec() };
        self.publish_all(&[event(), event()]).await;
        self.settle().await;
    }

    /// An alert that a rule made for residents 7 to 9, waiting for its district.
    async fn gathered(&self) -> Value {
        let draft = self.draft(&self.content(), 7..=9, &[]);
        let id = json!({ "alert_id": draft.draft_id.clone() });
        self.publish_all(&[draft]).await;
        self.settle().await;
        self.look(&id).await
    }

    async fn remedy(&self, token: &str, alert: &Value, records: &[i64], remedy: &str, reason: &str) -> (StatusCode, Value) {
        let body = json!({ "version": alert["version"], "records": records, "remedy": remedy, "reason": reason });
        self.post(token, &format!("{}/ended-records", path(alert)), body).await
    }

    async fn listed(&self, token: &str) -> Vec<(String, i64, bool)> {
        let list = self.get(token, "/api/v1/ended-records").await.1;
        let line = |one: &Value| (one["alert_id"].as_str().unwrap().to_owned(), one["records"].as_i64().unwrap(), one["told"] == true);
        list.as_array().unwrap().iter().map(line).collect()
    }
}

#[rstest]
#[tokio::test]
async fn a_waiting_alert_shows_what_was_taken_back_and_goes_on_when_somebody_has_decided(#[values(Embedded, Postgres)] store: Store) {
    let city = City::open(store).await;
    let before = city.gathered().await;
    city.ends(&before, &[taken_back(1, 8)]).await;
    let (status, problem) = city.decide(REVIEWER, &before, "pass_district", "").await;
    assert_eq!((status, &problem["code"]), (StatusCode::CONFLICT, &json!("changed_meanwhile")), "who looked at it before looks again");

    let alert = city.look(&before).await;
    assert_eq!(alert["ended_records"][0]["reason"], "同名误报");
    assert_eq!(alert["ended_records"][0]["remedies"], json!(["leave_out", "stand"]));
    assert!(alert["ended_records"][0].get("resident_no").is_none());
    let (status, problem) = city.decide(REVIEWER, &alert, "pass_district", "").await;
    assert_eq!((status, &problem["code"]), (StatusCode::CONFLICT, &json!("records_ended")));

    assert_eq!(city.listed(REVIEWER).await, [(alert["alert_id"].as_str().unwrap().to_owned(), 1, false)]);
    assert_eq!(city.listed(OTHER_REVIEWER).await, []);

    let (status, alert) = city.remedy(REVIEWER, &alert, &[1], "leave_out", "").await;
    assert_eq!(status, StatusCode::OK, "{alert}");
    assert_eq!(alert["audience"], json!({ "residents": 9 }));
    assert_eq!(words(&alert["history"], "action"), ["gathered", "submit", "records_ended", "leave_out"]);
    assert_eq!(city.listed(REVIEWER).await, []);
    let alert = city.take(alert, &[(REVIEWER, "pass_district"), (SECOND_OFFICER, "approve")]).await;
    assert_eq!(city.approved().await, [alert["alert_id"].as_str().unwrap()]);
    city.close().await;
}

#[tokio::test]
async fn what_is_told_before_its_alert_is_there_is_found_by_it() {
    let city = City::open(Postgres).await;
    let draft = city.draft(&city.content(), 7..=9, &[]);
    let alert = json!({ "alert_id": draft.draft_id.clone() });
    city.ends(&alert, &[taken_back(1, 8)]).await;
    city.publish_all(&[draft]).await;
    city.settle().await;
    let alert = city.look(&alert).await;
    let (status, problem) = city.decide(REVIEWER, &alert, "pass_district", "").await;
    assert_eq!((status, &problem["code"]), (StatusCode::CONFLICT, &json!("records_ended")));
    city.close().await;
}

#[tokio::test]
async fn nobody_is_left_out_of_an_alert_until_nobody_is_left() {
    let city = City::open(Postgres).await;
    let alert = city.gathered().await;
    city.ends(&alert, &[taken_back(1, 7), taken_back(2, 8), taken_back(3, 9)]).await;
    let alert = city.look(&alert).await;
    let (status, problem) = city.remedy(REVIEWER, &alert, &[1, 2, 3], "leave_out", "").await;
    assert_eq!((status, &problem["code"]), (StatusCode::CONFLICT, &json!("nobody_left")));
    assert_eq!(city.look(&alert).await["audience"], json!({ "residents": 9 }));
    city.close().await;
}

#[rstest]
#[tokio::test]
async fn who_was_told_by_a_record_that_was_taken_back_stands_on_a_list_until_somebody_decides(#[values(Embedded, Postgres)] store: Store) {
    let city = City::open(store).await;
    let alert = city.gathered().await;
    let alert = city.take(alert, &[(REVIEWER, "pass_district"), (SECOND_OFFICER, "approve")]).await;
    city.ends(&alert, &[taken_back(1, 8), taken_back(2, 9)]).await;
    let id = alert["alert_id"].as_str().unwrap().to_owned();
    assert_eq!(city.listed(OFFICER).await, [(id.clone(), 2, true)]);

    let alert = city.look(&alert).await;
    let (status, correction) = city.remedy(SECOND_OFFICER, &alert, &[1], "correct", "其中一人的记录有误").await;
    assert_eq!(status, StatusCode::OK, "{correction}");
    assert_eq!((&correction["corrects"], &correction["audience"]), (&json!(id), &json!({ "residents": 9 })), "everybody but them");
    assert_eq!(correction["state"], "draft");

    let alert = city.look(&alert).await;
    let (status, problem) = city.remedy(SECOND_OFFICER, &alert, &[2], "stand", " ").await;
    assert_eq!((status, &problem["errors"][0]["field"]), (StatusCode::UNPROCESSABLE_ENTITY, &json!("reason")), "{problem}");
    let (_, alert) = city.remedy(SECOND_OFFICER, &alert, &[2], "stand", "已电话告知").await;
    let decided: Vec<_> =
        alert["ended_records"].as_array().unwrap().iter().map(|one| (&one["decided"]["remedy"], &one["decided"]["note"])).collect();
    assert_eq!(decided, [(&json!("correct"), &json!("其中一人的记录有误")), (&json!("stand"), &json!("已电话告知"))]);
    assert_eq!(alert["ended_records"][0]["decided"]["correction"], correction["alert_id"]);
    assert_eq!(city.listed(OFFICER).await, []);

    let (status, problem) = city.remedy(OFFICER, &alert, &[2], "stand", "再次").await;
    assert_eq!((status, &problem["code"]), (StatusCode::CONFLICT, &json!("nothing_to_decide")));
    let trail = city.trail().await;
    assert!(trail.iter().any(|(_, action)| action == "alert_records_stand"), "{trail:?}");

    city.take(correction, &[(SECOND_OFFICER, "submit"), (REVIEWER, "pass_district"), (THIRD_OFFICER, "approve")]).await;
    assert_eq!(city.stopped().await[0].alert_id, id, "the old one ends, and who is left out hears that it does");
    city.close().await;
}

#[rstest]
#[tokio::test]
async fn an_alert_that_was_approved_is_withdrawn_for_them_alone(#[values(Embedded, Postgres)] store: Store) {
    let city = City::open(store).await;
    let alert = city.gathered().await;
    let alert = city.take(alert, &[(REVIEWER, "pass_district"), (SECOND_OFFICER, "approve")]).await;
    city.approved().await;
    city.ends(&alert, &[taken_back(1, 8), taken_back(2, 8)]).await;
    let before = city.look(&alert).await;
    assert_eq!(before["ended_records"][0]["remedies"], json!(["withdraw", "correct", "stand"]));

    let (status, problem) = city.remedy(REVIEWER, &alert, &[1], "withdraw", "同名误报").await;
    assert_eq!((status, &problem["code"]), (StatusCode::CONFLICT, &json!("changed_meanwhile")), "what was looked at before");
    let (_, problem) = city.remedy(REVIEWER, &before, &[1], "withdraw", "").await;
    assert_eq!(problem["errors"][0]["field"], "reason", "{problem}");
    let (status, alert) = city.remedy(REVIEWER, &before, &[1], "withdraw", "同名误报").await;
    assert_eq!(status, StatusCode::OK, "{alert}");
    assert_eq!((&alert["state"], &alert["audience"], &alert["withdrawn_for"]), (&before["state"], &json!({ "residents": 9 }), &json!(1)));
    let decided: Vec<_> = alert["ended_records"].as_array().unwrap().iter().map(|one| &one["decided"]["remedy"]).collect();
    assert_eq!(decided, [&json!("withdraw"), &json!("withdraw")], "of the same person nothing else is to be decided");
    assert_eq!(words(&alert["history"], "action").last().map(String::as_str), Some("withdraw"));
    assert_eq!(city.listed(OFFICER).await, []);
    let id = alert["alert_id"].as_str().unwrap().to_owned();
    assert_eq!(city.withdrawn_for().await, [id.as_str()]);
    assert_eq!(city.stopped().await, [], "it stands for everybody else");
    assert!(city.trail().await.iter().any(|(_, action)| action == "alert_records_withdraw"));
    let people =
        async || sqlx::query_scalar::<_, i32>("select resident_no from review.withdrawn_for").fetch_all(city.pool()).await.unwrap();
    assert_eq!(people().await, [8]);

    let (status, problem) = city.remedy(REVIEWER, &alert, &[1], "withdraw", "再次").await;
    assert_eq!((status, &problem["code"]), (StatusCode::CONFLICT, &json!("nothing_to_decide")));
    // another record of theirs ends later
    city.ends(&alert, &[taken_back(3, 8)]).await;
    assert_eq!((city.listed(OFFICER).await, city.withdrawn_for().await, people().await), (vec![], vec![], vec![8]));

    // a correction is for those who are left, and tells them nothing again
    let body = json!({ "reason": "写明地点" });
    let (status, correction) = city.post(SECOND_OFFICER, &format!("{}/correction", path(&alert)), body).await;
    assert_eq!((status, &correction["audience"]), (StatusCode::CREATED, &json!({ "residents": 9 })));
    city.close().await;
}

#[tokio::test]
async fn a_correction_that_waits_leaves_out_for_whom_the_alert_is_withdrawn() {
    let city = City::open(Postgres).await;
    let alert = city.gathered().await;
    let alert = city.take(alert, APPROVED).await;
    city.ends(&alert, &[taken_back(1, 8), taken_back(2, 9)]).await;
    // one is begun for another reason, one leaves 9 out
    let body = json!({ "reason": "写明地点" });
    let (_, other) = city.post(SECOND_OFFICER, &format!("{}/correction", path(&alert)), body).await;
    let (_, without) = city.remedy(SECOND_OFFICER, &city.look(&alert).await, &[2], "correct", "记录有误").await;
    let open = |correction: &Value| words(&correction["ended_records"], "reason").len();
    assert_eq!((&other["audience"], open(&without)), (&json!({ "residents": 9 }), 1));

    let (status, answer) = city.remedy(REVIEWER, &city.look(&alert).await, &[1], "withdraw", "同名误报").await;
    assert_eq!(status, StatusCode::OK, "{answer}");
    let (other, without) = (city.look(&other).await, city.look(&without).await);
    assert_eq!((&other["audience"], &without["audience"]), (&json!({ "residents": 9 }), &json!({ "residents": 9 })));
    assert_eq!(without["ended_records"][0]["decided"]["remedy"], "leave_out");
    city.take(without, &[(SECOND_OFFICER, "submit"), (REVIEWER, "pass_district"), (THIRD_OFFICER, "approve")]).await;
    city.close().await;
}

#[tokio::test]
async fn an_alert_that_would_hold_for_nobody_is_to_be_cancelled_instead() {
    let city = City::open(Postgres).await;
    let alert = city.gathered().await;
    let alert = city.take(alert, &[(REVIEWER, "pass_district"), (SECOND_OFFICER, "approve")]).await;
    city.ends(&alert, &[taken_back(1, 7), taken_back(2, 8), taken_back(3, 9)]).await;
    let (status, alert) = city.remedy(OFFICER, &city.look(&alert).await, &[1], "withdraw", "同名误报").await;
    assert_eq!(status, StatusCode::OK, "{alert}");
    let (status, problem) = city.remedy(OFFICER, &alert, &[2, 3], "withdraw", "同名误报").await;
    assert_eq!((status, &problem["code"]), (StatusCode::CONFLICT, &json!("nobody_left_to_hold")));
    assert_eq!(city.look(&alert).await["audience"], json!({ "residents": 9 }));
    city.decide(OFFICER, &alert, "cancel", "来源误报").await;
    let alert = city.look(&alert).await;
    let (status, problem) = city.remedy(OFFICER, &alert, &[2], "withdraw", "同名误报").await;
    assert_eq!((status, &problem["code"]), (StatusCode::CONFLICT, &json!("no_such_remedy")));
    assert_eq!((city.withdrawn_for().await.len(), city.stopped().await.len()), (1, 1));
    city.close().await;
}

#[rstest]
#[case::before_it_is_approved(&[], 8, REVIEWER, StatusCode::CONFLICT, "no_such_remedy")]
#[case::somebody_of_another_district(APPROVED, 8, OTHER_REVIEWER, StatusCode::NOT_FOUND, "no_such_alert")]
#[case::who_does_not_review(APPROVED, 8, SUBMITTER, StatusCode::FORBIDDEN, "role_not_allowed")]
#[tokio::test]
async fn nobody_withdraws_an_alert_for_somebody_but_who_reviews_it_when_it_stands(
    #[case] steps: &[(&str, &str)],
    #[case] resident: u32,
    #[case] who: &str,
    #[case] status: StatusCode,
    #[case] code: &str,
) {
    let city = City::open(Embedded).await;
    let alert = city.gathered().await;
    let alert = city.take(alert, steps).await;
    city.ends(&alert, &[taken_back(1, resident)]).await;
    let (answered, problem) = city.remedy(who, &city.look(&alert).await, &[1], "withdraw", "同名误报").await;
    assert_eq!((answered, &problem["code"]), (status, &json!(code)));
    assert_eq!(city.withdrawn_for().await, [""; 0]);
    city.close().await;
}

#[tokio::test]
async fn a_place_is_nobody_to_withdraw_an_alert_for() {
    let city = City::open(Embedded).await;
    let alert = city.gathered().await;
    let alert = city.take(alert, APPROVED).await;
    city.ends(&alert, &[Entry { resident_no: None, ..taken_back(1, 8) }]).await;
    let (status, problem) = city.remedy(REVIEWER, &city.look(&alert).await, &[1], "withdraw", "同名误报").await;
    assert_eq!((status, &problem["code"]), (StatusCode::CONFLICT, &json!("names_nobody")));
    city.close().await;
}

#[rstest]
#[tokio::test]
async fn a_correction_hides_nobody_about_whom_nobody_has_decided(#[values(Embedded, Postgres)] store: Store) {
    let city = City::open(store).await;
    let alert = city.gathered().await;
    let alert = city.take(alert, &[(REVIEWER, "pass_district"), (SECOND_OFFICER, "approve")]).await;
    city.ends(&alert, &[taken_back(1, 8), taken_back(2, 9)]).await;
    let alert = city.look(&alert).await;
    let (_, correction) = city.remedy(SECOND_OFFICER, &alert, &[1], "correct", "其中一人的记录有误").await;
    let open: Vec<_> = correction["ended_records"].as_array().unwrap().iter().map(|one| &one["record_no"]).collect();
    assert_eq!(open, [&json!(2)], "who stays in it is to be decided about");
    let (status, problem) = city.decide(SECOND_OFFICER, &correction, "submit", "").await;
    assert_eq!((status, &problem["code"]), (StatusCode::CONFLICT, &json!("records_ended")));

    // what ends later is told to the correction as well, but for whom it leaves out
    city.ends(&alert, &[taken_back(3, 7), taken_back(4, 8)]).await;
    let correction = city.look(&correction).await;
    let open: Vec<_> = correction["ended_records"].as_array().unwrap().iter().map(|one| &one["record_no"]).collect();
    assert_eq!(open, [&json!(2), &json!(3)]);
    city.close().await;
}

#[tokio::test]
async fn a_correction_that_comes_to_nothing_decides_nothing() {
    let city = City::open(Postgres).await;
    let alert = city.gathered().await;
    let alert = city.take(alert, &[(REVIEWER, "pass_district"), (SECOND_OFFICER, "approve")]).await;
    city.ends(&alert, &[taken_back(1, 8)]).await;
    let (_, correction) = city.remedy(SECOND_OFFICER, &city.look(&alert).await, &[1], "correct", "记录有误").await;
    assert_eq!(city.listed(OFFICER).await, []);
    city.decide(SECOND_OFFICER, &correction, "discard", "写错了").await;
    assert_eq!(city.listed(OFFICER).await.len(), 1, "somebody was told, and nobody has told them otherwise");
    let alert = city.look(&alert).await;
    assert!(alert["ended_records"][0]["decided"].is_null());
    assert_eq!(city.remedy(SECOND_OFFICER, &alert, &[1], "stand", "已电话告知").await.0, StatusCode::OK);
    assert_eq!(city.listed(OFFICER).await, []);
    city.close().await;
}

#[tokio::test]
async fn whom_another_record_names_needs_no_decision() {
    let city = City::open(Postgres).await;
    let alert = city.gathered().await;
    city.ends(&alert, &[Entry { still_named: true, ..taken_back(1, 8) }]).await;
    assert_eq!(city.listed(OFFICER).await, []);
    let alert = city.look(&alert).await;
    assert_eq!(alert["ended_records"][0]["still_named"], true);
    city.take(alert, &[(REVIEWER, "pass_district")]).await;
    city.close().await;
}

#[tokio::test]
async fn an_area_loses_nobody_by_a_record_and_a_cancelled_alert_needs_no_decision() {
    let city = City::open(Postgres).await;
    let alert = city.write(SUBMITTER).await;
    city.ends(&alert, &[taken_back(1, 8)]).await;
    let alert = city.look(&alert).await;
    assert_eq!(alert["ended_records"][0]["remedies"], json!(["stand"]));
    let (status, problem) = city.remedy(REVIEWER, &alert, &[1], "leave_out", "").await;
    assert_eq!((status, &problem["code"]), (StatusCode::CONFLICT, &json!("no_such_remedy")));
    city.decide(SUBMITTER, &alert, "discard", "误报").await;
    assert_eq!(city.listed(OFFICER).await, []);
    city.close().await;
}

#[rstest]
#[case::no_such_record(&[5], "stand", "已告知", "nothing_to_decide")]
#[case::some_of_them(&[1, 5], "leave_out", "", "nothing_to_decide")]
#[case::none_at_all(&[], "stand", "已告知", "invalid_fields")]
#[tokio::test]
async fn what_cannot_be_decided_says_so(#[case] records: &[i64], #[case] remedy: &str, #[case] reason: &str, #[case] code: &str) {
    let city = City::open(Embedded).await;
    let alert = city.gathered().await;
    city.ends(&alert, &[taken_back(1, 8)]).await;
    let alert = city.look(&alert).await;
    assert_eq!(city.remedy(REVIEWER, &alert, records, remedy, reason).await.1["code"], code);
    let (status, _) = city.remedy(SUBMITTER, &alert, &[1], "leave_out", "").await;
    assert_eq!(status, StatusCode::FORBIDDEN);
    let (status, _) = city.remedy(OTHER_REVIEWER, &alert, &[1], "leave_out", "").await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    let elsewhere = json!({ "alert_id": AlertId::new().to_string(), "version": 1 });
    assert_eq!(city.remedy(REVIEWER, &elsewhere, &[1], "leave_out", "").await.0, StatusCode::NOT_FOUND);
    city.close().await;
}
