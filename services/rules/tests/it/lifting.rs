//! Stories of records that lift what stands against people: a negative test, for instance (CQ12).

use http::StatusCode;
use rstest::rstest;
use serde_json::{Value, json};
use stages::DAY;
use stages::Store::{self, Embedded, Postgres};

use crate::city::{City, OFFICER, Record, contact};

fn test(id: i64, resident: i32, result: &str) -> Record {
    Record { kind: "test_result", level: "low", attributes: json!({ "result": result }), ..contact(id, resident, "500103001") }
}

impl City {
    /// Whom which records lift something of, as resident reads it: resident, record, whether it holds.
    async fn lifts(&self) -> Vec<(i32, i64, bool)> {
        let query = "select distinct resident_no, record_id, ended_at is null from rules.lifts order by 1, 2";
        sqlx::query_as(query).fetch_all(self.pool()).await.unwrap()
    }
}

#[rstest]
#[tokio::test]
async fn resident_is_told_at_once_of_whom_a_negative_test_lifts_something(#[values(Embedded, Postgres)] store: Store) {
    let city = City::open(store).await;
    let unregistered = Record { resident: None, ..test(4, 0, "negative") };
    city.report(&[test(1, 11, "negative"), test(2, 12, "positive"), contact(3, 13, "500103001"), unregistered]).await;
    assert_eq!(city.lifts().await, [(11, 1, true)], "whatever stands or not: the alert may come after it");
    assert_eq!(city.lifted().await, [[11]]);
    city.report(&[contact(5, 11, "500103001")]).await;
    assert!(city.lifted().await.is_empty(), "a record of another kind lifts nothing");
    city.close().await;
}

#[rstest]
#[tokio::test]
async fn a_test_that_is_taken_back_lifts_nothing_also_where_it_is_read_afterwards(#[values(Embedded, Postgres)] store: Store) {
    let city = City::open(store).await;
    city.report(&[test(1, 11, "negative"), test(2, 12, "negative")]).await;
    assert_eq!(city.lifted().await, [[11, 12]]);
    city.take_back(&[1]).await;
    assert_eq!(city.lifted().await, [[11]], "once");
    assert_eq!(city.lifts().await, [(11, 1, false), (12, 2, true)]);
    let load = city.store(&[test(3, 13, "negative")]).await;
    city.take_back(&[3]).await;
    city.tell_of(&[load]).await;
    assert_eq!(city.lifts().await, [(11, 1, false), (12, 2, true)]);
    // a corrected result is another one
    city.correct(2, test(4, 12, "positive")).await;
    assert_eq!(city.lifts().await, [(11, 1, false), (12, 2, false)]);
    city.close().await;
}

#[tokio::test]
async fn what_a_person_was_told_lifts_theirs_stays_true_when_the_rule_is_taken_out_of_force() {
    let city = City::open(Embedded).await;
    for rule in domain::shipped::SHIPPED.iter().filter(|rule| rule.standing.is_some()) {
        assert_eq!(city.delete(OFFICER, &format!("/api/v1/rules/{}/activation", rule.rule_id)).await, StatusCode::NO_CONTENT);
    }
    city.report(&[test(1, 11, "negative")]).await;
    assert_eq!(city.lifted().await, [[11]]);
    city.close().await;
}

#[tokio::test]
async fn what_is_too_old_to_lift_anything_is_forgotten() {
    let city = City::open(Embedded).await;
    city.report(&[test(1, 11, "negative")]).await;
    city.forward_with_jobs(50 * DAY).await;
    assert_eq!(city.lifts().await.len(), 1);
    city.forward_with_jobs(12 * DAY).await;
    assert_eq!(city.lifts().await.len(), 0);
    city.close().await;
}

#[tokio::test]
async fn an_alert_shows_resident_whom_which_records_named_and_a_correction_with_its_own_facts() {
    let city = City::open(Embedded).await;
    city.report(&[Record { attributes: json!({ "isolation_site": "酒店甲", "place": "渝州宾馆" }), ..contact(1, 11, "500103001") }]).await;
    let draft = &city.end_of_window().await[0];
    let named = async || {
        let query = "select record_id, kind, place, ended_at is null from rules.named where resident_no = 11 order by record_id";
        sqlx::query_as::<_, (i64, Option<String>, Option<String>, bool)>(query).fetch_all(city.pool()).await.unwrap()
    };
    let fact = |record, place: &str, holds| (record, Some("close_contact".to_owned()), Some(place.to_owned()), holds);
    assert_eq!(named().await, [fact(1, "渝州宾馆", true)]);
    city.correct(1, Record { attributes: json!({ "isolation_site": "酒店甲", "place": "解放碑商场" }), ..contact(2, 11, "500103001") })
        .await;
    assert_eq!(named().await, [fact(1, "渝州宾馆", false), fact(2, "解放碑商场", true)]);
    let left: Value = sqlx::query_scalar("select definition -> 'standing' from rules.leaves_standing where alert_id = $1::uuid")
        .bind(&draft.event.draft_id)
        .fetch_one(city.pool())
        .await
        .unwrap();
    assert_eq!(left["reason"], json!("close_contact"));
    city.close().await;
}

#[tokio::test]
async fn a_rule_says_what_its_alerts_leave_and_for_what_it_may_be_asked() {
    let city = City::open(Embedded).await;
    let asked = async || city.count("select count(*) from rules.asked_for where code = 'hospital_visit'").await;
    let (_, rules) = city.get(OFFICER, "/api/v1/rules").await;
    let kept = rules.as_array().unwrap().iter().find(|kept| kept["rule"]["standing"]["reason"] == "close_contact").unwrap();
    let mut definition = kept["rule"].clone();
    let (id, fields) = (definition["rule_id"].as_str().unwrap().to_owned(), definition.as_object_mut().unwrap());
    fields.remove("rule_id");
    fields.remove("version");
    definition["standing"]["asked_for"] = json!([{ "code": "Hospital", "label": { "zh-CN": "入院", "en": "Hospital visit" } }]);
    let (status, problem) = city.post(OFFICER, &format!("/api/v1/rules/{id}/versions"), definition.clone()).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{problem}");
    assert_eq!(problem["errors"][0]["field"], json!("standing.asked_for[0].code"));
    definition["standing"]["asked_for"][0]["code"] = json!("hospital_visit");
    let (status, saved) = city.post(OFFICER, &format!("/api/v1/rules/{id}/versions"), definition).await;
    assert_eq!(status, StatusCode::CREATED, "{saved}");
    assert_eq!(asked().await, 0, "not before it is in force");
    let (status, answer) = city.post(OFFICER, &format!("/api/v1/rules/{id}/activation"), json!({ "version": 2 })).await;
    assert_eq!(status, StatusCode::NO_CONTENT, "{answer}");
    assert_eq!(asked().await, 1);
    city.close().await;
}
