//! Stories of what a reviewer answers before an alert goes on.

use http::StatusCode;
use rstest::rstest;
use serde_json::{Value, json};
use stages::Store::{self, Embedded, Services};

use crate::city::{City, OFFICER, REVIEWER, SECOND_OFFICER, SECOND_REVIEWER, SUBMITTER, everybody_in, words};

fn answers(alert: &Value) -> Vec<Value> {
    alert["checklist"]["items"].as_array().unwrap().iter().map(|asked| json!({ "item": asked["item"], "answer": "yes" })).collect()
}

fn faults(problem: &Value) -> Vec<String> {
    words(&problem["errors"], "field")
}

#[rstest]
#[tokio::test]
async fn an_alert_goes_on_when_every_item_is_answered_and_the_history_shows_what_was_said(#[values(Embedded, Services)] store: Store) {
    let city = City::open(store).await;
    let alert = city.take(city.write(SUBMITTER).await, &[(SUBMITTER, "submit")]).await;
    assert_eq!(alert["checklist"]["action"], json!("pass_district"), "everybody sees what will be asked");
    assert_eq!(
        words(&alert["checklist"]["items"], "item"),
        ["complete", "accurate", "source_known", "measure_reasonable", "audience_needed"]
    );

    let decide = async |answers: Value| {
        let body = json!({ "version": alert["version"], "action": "pass_district", "answers": answers });
        city.decide_with(REVIEWER, &alert, body).await
    };
    let (status, problem) = decide(json!([])).await;
    assert_eq!((status, faults(&problem).len()), (StatusCode::UNPROCESSABLE_ENTITY, 5), "{problem}");
    let all = answers(&alert);
    assert_eq!(faults(&decide(json!(all[1..])).await.1), ["answers.complete"]);
    let mut unsure = all.clone();
    unsure[1] = json!({ "item": "accurate", "answer": "no" });
    assert_eq!(faults(&decide(json!(unsure)).await.1), ["answers.accurate"], "a no says what is wrong");
    unsure[1]["note"] = json!("张先生 13800138000 说日期不对");
    assert_eq!(faults(&decide(json!(unsure)).await.1), ["answers.accurate"], "and names nobody");
    unsure[1]["note"] = json!("日期与来源记录不符");
    let (status, problem) = decide(json!(unsure)).await;
    assert_eq!((status, &problem["code"]), (StatusCode::CONFLICT, &json!("checklist_says_no")));
    assert_eq!(city.look(&alert).await["version"], alert["version"], "nothing has happened");

    let back = json!({ "version": alert["version"], "action": "return_district", "reason": "日期有误", "answers": [unsure[1]] });
    let (status, returned) = city.decide_with(REVIEWER, &alert, back).await;
    assert_eq!(status, StatusCode::OK, "{returned}");
    let last = returned["history"].as_array().unwrap().last().unwrap();
    assert_eq!(
        last["answers"],
        json!([{ "item": "accurate", "question": "内容准确：与来源记录一致", "question_en": "Accurate: agrees with the records behind it",
                 "answer": "no", "note": "日期与来源记录不符" }])
    );

    let passed = city.take(returned, &[(SUBMITTER, "submit"), (SECOND_REVIEWER, "pass_district")]).await;
    let last = passed["history"].as_array().unwrap().last().unwrap();
    assert_eq!(words(&last["answers"], "answer"), ["yes"; 5]);
    assert_eq!(passed["checklist"]["action"], json!("approve"));
    city.close().await;
}

#[rstest]
#[tokio::test]
async fn what_the_alert_is_adds_to_what_is_asked() {
    let city = City::open(Embedded).await;
    let body = json!({ "content": city.content(), "audience": everybody_in("city") });
    let (_, whole) = city.post(OFFICER, "/api/v1/alerts", body).await;
    let whole = city.take(whole, &[(OFFICER, "compose_urgent")]).await;
    let items = words(&whole["checklist"]["items"], "item");
    assert!(items.contains(&"true_emergency".to_owned()) && items.contains(&"districts_informed".to_owned()), "{items:?}");
    let mut said = answers(&whole);
    let last = said.last_mut().unwrap();
    assert_eq!(last["item"], json!("districts_informed"));
    last["answer"] = json!("not_applicable");
    let body = json!({ "version": whole["version"], "action": "confirm", "answers": said });
    let (status, confirmed) = city.decide_with(SECOND_OFFICER, &whole, body).await;
    assert_eq!((status, &confirmed["state"], &confirmed["checklist"]), (StatusCode::OK, &json!("approved"), &Value::Null));

    let correction = format!("/api/v1/alerts/{}/correction", confirmed["alert_id"].as_str().unwrap());
    let (_, correction) = city.post(OFFICER, &correction, json!({ "reason": "地点有误" })).await;
    let correction = city.take(correction, &[(OFFICER, "submit")]).await;
    assert!(words(&correction["checklist"]["items"], "item").contains(&"correction_clear".to_owned()));

    let draft = city.draft(&city.content(), [7, 8], &[]);
    city.tell(&draft).await;
    let (_, named) = city.get(REVIEWER, &format!("/api/v1/alerts/{}", draft.draft_id)).await;
    assert!(words(&named["checklist"]["items"], "item").contains(&"people_evidenced".to_owned()), "{named}");
    city.close().await;
}

#[rstest]
#[tokio::test]
async fn a_step_that_reviews_nothing_takes_no_answers() {
    let city = City::open(Embedded).await;
    let alert = city.write(SUBMITTER).await;
    assert_eq!(alert["checklist"], Value::Null);
    let body = json!({ "version": alert["version"], "action": "submit", "answers": [{ "item": "complete", "answer": "yes" }] });
    assert_eq!(faults(&city.decide_with(SUBMITTER, &alert, body).await.1), ["answers.complete"]);
    city.take(alert, &[(SUBMITTER, "submit")]).await;
    city.close().await;
}
