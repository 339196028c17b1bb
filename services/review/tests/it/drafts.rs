//! Stories of drafts: those that rules gather, and those that people write and edit.

use crate::city::{
    City, OFFICER, OTHER_REVIEWER, REVIEWER, SECOND_OFFICER, SECOND_REVIEWER, SUBMITTER, THIRD_OFFICER, WORKER, everybody_in, path, words,
};
use domain::alert::AckWindow;
use domain::language::Language;
use http::StatusCode;
use rstest::rstest;
use serde_json::{Value, json};
use stages::Store::{self, Embedded, Services};
use stages::id;

#[rstest]
#[tokio::test]
async fn a_rules_draft_that_misses_nothing_goes_to_its_district_by_itself(#[values(Embedded, Services)] store: Store) {
    let city = City::open(store).await;
    let draft = city.draft(&city.content(), [7, 8, 9], &[]);
    city.tell(&draft).await;
    city.tell(&draft).await;
    assert_eq!(city.count("select count(*) from review.alert").await, 1, "a repeat changes nothing");

    let alert = city.look(&json!({ "alert_id": draft.draft_id })).await;
    assert_eq!((&alert["state"], &alert["class"], &alert["district"]), (&json!("district_review"), &json!("routine"), &json!("500103")));
    assert_eq!((&alert["submitter"], &alert["rule_version"], &alert["records"]), (&json!(id(OFFICER)), &json!(3), &json!(2)));
    assert_eq!(alert["audience"], json!({ "residents": 9 }), "how many, not who");
    assert_eq!(words(&alert["history"], "action"), ["gathered", "submit"]);
    let alert = city.take(alert, &[(REVIEWER, "pass_district"), (SECOND_OFFICER, "approve")]).await;
    assert_eq!(alert["state"], json!("approved"));
    assert_eq!(city.approved().await, [draft.draft_id]);
    city.close().await;
}

#[rstest]
#[tokio::test]
async fn who_delivered_a_record_or_wrote_an_earlier_version_reviews_nothing_of_the_alert(#[values(Embedded, Services)] store: Store) {
    let city = City::open(store).await;
    // the reviewer brought the record, the second officer wrote the rule
    let mut draft = city.draft(&city.content(), [7, 8], &[]);
    draft.involved = vec![id(REVIEWER).to_string(), id(SECOND_OFFICER).to_string()];
    city.tell(&draft).await;
    let alert = city.get(OFFICER, &format!("/api/v1/alerts/{}", draft.draft_id)).await.1;
    assert_eq!(alert["state"], json!("district_review"));
    let code = async |token: &str, alert: &Value, action: &str| city.decide(token, alert, action, "").await.1["code"].clone();
    assert_eq!(code(REVIEWER, &alert, "pass_district").await, json!("same_person"));
    let waiting = async |token: &str| city.get(token, "/api/v1/alerts?waiting=true").await.1.as_array().unwrap().len();
    assert_eq!((waiting(REVIEWER).await, waiting(SECOND_REVIEWER).await), (0, 1), "it does not wait for who may not decide");
    let seen = city.get(REVIEWER, &path(&alert)).await.1;
    assert_eq!(seen["open_actions"], json!([]));
    let alert = city.take(alert, &[(SECOND_REVIEWER, "pass_district")]).await;
    assert_eq!(code(SECOND_OFFICER, &alert, "approve").await, json!("same_person"));
    city.take(alert, &[(THIRD_OFFICER, "approve")]).await;

    // one character changed by a colleague does not make an author a reviewer
    let mine = city.write(REVIEWER).await;
    let edit = json!({ "version": mine["version"], "content": city.content(), "audience": everybody_in("500103") });
    let (status, edited) = city.put(SUBMITTER, &path(&mine), edit).await;
    assert_eq!(status, StatusCode::OK, "{edited}");
    let submitted = city.take(edited, &[(SUBMITTER, "submit")]).await;
    assert_eq!(code(REVIEWER, &submitted, "pass_district").await, json!("same_person"));
    city.take(submitted, &[(SECOND_REVIEWER, "pass_district")]).await;
    city.close().await;
}

#[rstest]
#[tokio::test]
async fn what_a_rule_could_not_fill_in_a_person_completes_for_the_same_people(#[values(Embedded, Services)] store: Store) {
    let city = City::open(store).await;
    let mut content = city.content();
    content.texts.get_mut(&Language::ZhCn).unwrap().instruction = "请前往{isolation_site}。".into();
    let draft = city.draft(&content, [7, 8, 9], &["isolation_site"]);
    city.tell(&draft).await;
    let alert = city.look(&json!({ "alert_id": draft.draft_id })).await;
    assert_eq!((&alert["state"], &alert["missing"]), (&json!("draft"), &json!(["isolation_site"])));
    assert_eq!(words(&alert["faults"], "field"), ["texts.zh-CN.instruction"]);
    assert_eq!(city.decide(OFFICER, &alert, "submit", "").await.0, StatusCode::UNPROCESSABLE_ENTITY);

    let other = city.decide(SUBMITTER, &alert, "submit", "").await;
    assert_eq!((other.0, &other.1["code"]), (StatusCode::FORBIDDEN, &json!("not_author")));
    let edit = json!({ "version": alert["version"], "content": city.content() });
    let (status, alert) = city.put(SUBMITTER, &path(&alert), edit).await;
    assert_eq!(status, StatusCode::OK, "{alert}");
    assert_eq!((&alert["missing"], &alert["submitter"]), (&json!([]), &json!(id(SUBMITTER))));
    assert_eq!(alert["audience"], json!({ "residents": 9 }), "it stays for those whom the records name");
    assert_eq!(city.take(alert, &[(SUBMITTER, "submit")]).await["state"], json!("district_review"));
    city.close().await;
}

#[rstest]
#[case::approved(&[(REVIEWER, "pass_district"), (SECOND_OFFICER, "approve")], &[true])]
#[case::cancelled_after_all(&[(REVIEWER, "pass_district"), (SECOND_OFFICER, "approve"), (SECOND_OFFICER, "cancel")], &[true, false])]
#[case::refused(&[(REVIEWER, "pass_district"), (SECOND_OFFICER, "refuse")], &[false])]
#[case::thrown_away(&[(REVIEWER, "return_district"), (OFFICER, "discard")], &[false])]
#[case::sent_back(&[(REVIEWER, "return_district")], &[])]
#[tokio::test]
async fn its_rule_is_told_what_became_of_a_draft(#[case] steps: &[(&str, &str)], #[case] expected: &[bool]) {
    let city = City::open(Embedded).await;
    let draft = city.draft(&city.content(), [7, 8, 9], &[]);
    city.tell(&draft).await;
    let mut alert = city.look(&json!({ "alert_id": draft.draft_id })).await;
    for (token, action) in steps {
        let (status, after) = city.decide(token, &alert, action, "情况有变").await;
        assert_eq!(status, StatusCode::OK, "{after}");
        alert = after;
    }
    let expected: Vec<_> = expected.iter().map(|approved| (draft.draft_id.clone(), *approved)).collect();
    assert_eq!(city.settled().await, expected);
    // what people wrote concerns no rule
    city.approved_alert().await;
    assert_eq!(city.settled().await, []);
    city.close().await;
}

#[rstest]
#[tokio::test]
async fn a_rules_draft_with_a_fault_in_its_text_waits_for_a_person() {
    let city = City::open(Embedded).await;
    let mut content = city.content();
    content.texts.get_mut(&Language::ZhCn).unwrap().body = "致电13900001111".into();
    let draft = city.draft(&content, [7], &[]);
    city.tell(&draft).await;
    let alert = city.look(&json!({ "alert_id": draft.draft_id })).await;
    assert_eq!((&alert["state"], &alert["missing"]), (&json!("draft"), &json!([])));
    city.close().await;
}

#[rstest]
#[tokio::test]
async fn every_field_with_a_fault_is_named_and_personal_data_is_not_repeated(#[values(Embedded, Services)] store: Store) {
    let city = City::open(store).await;
    let mut content = city.content();
    content.purpose = " ".into();
    let text = content.texts.get_mut(&Language::ZhCn).unwrap();
    text.body = "王某11010519491231002X为病例。".into();
    text.sms = "长".repeat(201);
    content.ack_window_s = AckWindow::capped(1);
    let body = json!({ "district": "500103", "content": content, "audience": everybody_in("500103") });
    let (_, alert) = city.post(SUBMITTER, "/api/v1/alerts", body).await;
    let named = ["purpose", "texts.zh-CN.body", "texts.zh-CN.sms", "ack_window_s"];
    assert_eq!(words(&alert["faults"], "field"), named);

    let (status, problem) = city.decide(SUBMITTER, &alert, "submit", "").await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(words(&problem["errors"], "field"), named.map(|field| format!("content.{field}")));
    assert!(!problem.to_string().contains("110105"), "{problem}");
    assert_eq!(city.look(&alert).await["state"], json!("draft"));
    city.close().await;
}

#[rstest]
#[tokio::test]
async fn an_author_reaches_no_further_than_their_own_district() {
    let city = City::open(Embedded).await;
    let write = async |token: &str, district: Value, audience: Value| {
        let body = json!({ "district": district, "content": city.content(), "audience": audience });
        let (status, answer) = city.post(token, "/api/v1/alerts", body).await;
        (status.as_u16(), answer["code"].as_str().unwrap_or_default().to_owned())
    };
    let outside = (403, "outside_scope".to_owned());
    assert_eq!(write(SUBMITTER, json!("500104"), everybody_in("500104")).await, outside);
    assert_eq!(write(SUBMITTER, Value::Null, everybody_in("500103")).await, outside);
    assert_eq!(write(SUBMITTER, json!("500103"), everybody_in("500104001")).await, outside);
    assert_eq!(write(SUBMITTER, json!("500103"), json!({ "residents": [1, 2] })).await, outside, "numbers may live anywhere");
    assert_eq!(write(SUBMITTER, json!("500103"), everybody_in("500103001")).await.0, 201);
    assert_eq!(write(OFFICER, Value::Null, everybody_in("city")).await.0, 201);
    assert_eq!(write(OFFICER, json!("500103"), everybody_in("500199")).await, (422, "invalid_fields".to_owned()));
    assert_eq!(write(OFFICER, json!("500103"), json!({ "query": { "include": [] } })).await, (422, "invalid_fields".to_owned()));
    assert_eq!(write(WORKER, json!("500103"), everybody_in("500103")).await.0, 403);
    city.close().await;
}

#[rstest]
#[tokio::test]
async fn only_a_draft_is_edited_by_its_own_district_on_the_version_that_was_looked_at() {
    let city = City::open(Embedded).await;
    let alert = city.write(SUBMITTER).await;
    let edit = async |token: &str, version: &Value| {
        let body = json!({ "version": version, "content": city.content(), "audience": everybody_in("500103001") });
        let (status, answer) = city.put(token, &path(&alert), body).await;
        (status.as_u16(), answer)
    };
    assert_eq!(edit(OTHER_REVIEWER, &alert["version"]).await.0, 404);
    let (status, edited) = edit(REVIEWER, &alert["version"]).await;
    assert_eq!((status, &edited["submitter"]), (200, &json!(id(REVIEWER))), "who edits answers for it");
    assert_eq!(edit(SUBMITTER, &alert["version"]).await.1["code"], json!("changed_meanwhile"));
    let submitted = city.take(edited, &[(REVIEWER, "submit")]).await;
    assert_eq!(edit(REVIEWER, &submitted["version"]).await.1["code"], json!("not_editable"));
    city.close().await;
}

#[rstest]
#[tokio::test]
async fn the_sms_is_shown_as_it_will_be_sent_with_its_segments() {
    let city = City::open(Embedded).await;
    let alert = city.write(SUBMITTER).await;
    let sms = &alert["sms"]["zh-CN"];
    let text = sms["text"].as_str().unwrap();
    assert!(text.starts_with("【烽火】本区自来水饮用前请煮沸"), "{text}");
    for part in ["023-63840000", alert["short_code"].as_str().unwrap()] {
        assert!(text.contains(part), "{text}");
    }
    let length = text.encode_utf16().count();
    assert_eq!(sms["segments"], json!(if length <= 70 { 1 } else { length.div_ceil(67) }));

    let mut long = city.content();
    long.texts.get_mut(&Language::ZhCn).unwrap().sms = "长".repeat(200);
    let body = json!({ "version": alert["version"], "content": long });
    let (_, longer) = city.put(SUBMITTER, &path(&alert), body).await;
    let length = longer["sms"]["zh-CN"]["text"].as_str().unwrap().encode_utf16().count();
    assert!(length > 200);
    assert_eq!(longer["sms"]["zh-CN"]["segments"], json!(length.div_ceil(67)));
    city.close().await;
}

/// Whatever a draft holds can be read back by everything that reads drafts later: it is refused where it is taken.
#[rstest]
#[case::window_beyond_32_bits_with_sign("/ack_window_s", json!(2_147_483_648_u32))]
#[case::largest_window_of_all("/ack_window_s", json!(u32::MAX))]
#[case::window_beyond_any_number("/ack_window_s", json!(i64::MAX))]
#[case::negative_window("/ack_window_s", json!(-1))]
#[case::half_a_second("/ack_window_s", json!(0.5))]
#[case::enormous_window("/ack_window_s", json!(1e308))]
#[case::year_9999("/expires_at", json!("9999-12-31T23:59:59Z"))]
#[case::before_any_calendar("/expires_at", json!("-262143-01-01T00:00:00Z"))]
#[case::after_every_calendar("/expires_at", json!("+262142-12-31T23:59:59Z"))]
#[case::no_time("/expires_at", json!(""))]
#[case::endless_headline("/texts/zh-CN/headline", json!("长".repeat(5_001)))]
#[case::endless_note("/source_note", json!("x".repeat(200_000)))]
#[case::nul("/texts/zh-CN/body", json!("自来水\0请煮沸"))]
#[case::control("/purpose", json!("\u{b}"))]
#[tokio::test]
async fn a_draft_with_a_value_that_nothing_could_read_later_is_refused_and_named(#[case] place: &str, #[case] value: Value) {
    let city = City::open(Embedded).await;
    let mut content = json!(city.content());
    *content.pointer_mut(place).unwrap() = value;
    let body = json!({ "district": "500103", "content": content, "audience": everybody_in("500103") });
    let (status, problem) = city.post(SUBMITTER, "/api/v1/alerts", body).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{problem}");
    let field = format!("content{}", place.replace('/', "."));
    assert_eq!(problem["errors"][0]["field"], json!(field), "{problem}");

    let good = city.write(SUBMITTER).await;
    let edit = json!({ "version": good["version"], "content": content });
    assert_eq!(city.put(SUBMITTER, &path(&good), edit).await.0, StatusCode::UNPROCESSABLE_ENTITY);
    for token in [SUBMITTER, REVIEWER, OFFICER] {
        let (status, lines) = city.get(token, "/api/v1/alerts").await;
        assert_eq!((status, lines.as_array().map(Vec::len)), (StatusCode::OK, Some(1)), "{lines}");
    }
    city.close().await;
}

/// What an older version took, or a hand in the database wrote.
#[rstest]
#[case::a_window_that_no_number_holds("update review.alert set content = jsonb_set(content, '{ack_window_s}', '2147483648')", 2)]
#[case::a_time_that_is_none("update review.alert set content = jsonb_set(content, '{expires_at}', '\"soon\"')", 2)]
#[case::no_content_at_all("update review.alert set content = '[]'", 2)]
#[case::a_state_that_a_newer_version_knows("update review.alert set state = 'archived'", 1)]
#[tokio::test]
async fn one_alert_that_cannot_be_read_hides_no_other(#[case] damage: &'static str, #[case] listed: usize) {
    let city = City::open(Embedded).await;
    city.write(SUBMITTER).await;
    sqlx::query(damage).execute(city.pool()).await.unwrap();
    let good = city.write(SUBMITTER).await;
    let (status, lines) = city.get(OFFICER, "/api/v1/alerts").await;
    assert_eq!((status, lines.as_array().map(Vec::len)), (StatusCode::OK, Some(listed)), "{lines}");
    assert_eq!((&lines[0]["alert_id"], &lines[0]["ack_window_s"]), (&good["alert_id"], &json!(3_600)));
    assert_eq!(city.get(OFFICER, "/api/v1/alerts/overview").await.0, StatusCode::OK);
    city.close().await;
}

#[rstest]
#[tokio::test]
async fn a_step_whose_text_cannot_be_read_any_more_still_stands_in_the_history() {
    let city = City::open(Embedded).await;
    let alert = city.write(SUBMITTER).await;
    let alert = city.take(alert, &[(SUBMITTER, "submit")]).await;
    sqlx::query("update review.step set content = '[]' where version = 1").execute(city.pool()).await.unwrap();
    let seen = city.look(&alert).await;
    assert_eq!(words(&seen["history"], "action"), ["write", "submit"], "{seen}");
    assert_eq!(seen["history"][0]["content"], Value::Null);
    city.close().await;
}
