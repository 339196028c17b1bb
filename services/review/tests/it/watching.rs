//! Stories of what pages show: what waits for whom, what was marked and checked, what changes live, the city at a glance.

use crate::city::{City, OFFICER, OTHER_REVIEWER, REVIEWER, SECOND_OFFICER, SUBMITTER, WORKER, everybody_in, path, words};
use http::StatusCode;
use rstest::rstest;
use serde_json::{Value, json};
use stages::MINUTE;
use stages::Store::{self, Embedded, Services};

#[rstest]
#[tokio::test]
async fn what_waits_is_what_the_reader_can_decide(#[values(Embedded, Services)] store: Store) {
    let city = City::open(store).await;
    let waiting = async |token: &str| words(&city.get(token, "/api/v1/alerts?waiting=true").await.1, "alert_id");
    let alert = city.write(SUBMITTER).await;
    let id = alert["alert_id"].as_str().unwrap().to_owned();
    assert_eq!(waiting(SUBMITTER).await, [id.as_str()], "their own draft");
    assert_eq!(waiting(REVIEWER).await, [""; 0], "not somebody else's");

    let alert = city.take(alert, &[(SUBMITTER, "submit")]).await;
    assert_eq!(waiting(REVIEWER).await, [id.as_str()]);
    for other in [SUBMITTER, OTHER_REVIEWER, OFFICER, WORKER] {
        assert_eq!(waiting(other).await, [""; 0], "{other}");
    }
    city.take(alert, &[(REVIEWER, "pass_district")]).await;
    assert_eq!((waiting(REVIEWER).await, waiting(OFFICER).await), (vec![], vec![id.clone()]));

    let body = json!({ "content": city.content(), "audience": everybody_in("city") });
    let (_, whole) = city.post(OFFICER, "/api/v1/alerts", body).await;
    let urgent = city.take(whole, &[(OFFICER, "compose_urgent")]).await["alert_id"].as_str().unwrap().to_owned();
    assert_eq!(waiting(OFFICER).await, std::slice::from_ref(&id), "nobody confirms their own");
    assert_eq!(waiting(SECOND_OFFICER).await, [urgent, id]);
    city.close().await;
}

#[rstest]
#[tokio::test]
async fn a_marked_passage_the_checklist_and_what_each_version_said_stay_in_the_history(#[values(Embedded, Services)] store: Store) {
    let city = City::open(store).await;
    let alert = city.write(SUBMITTER).await;
    let alert = city.take(alert, &[(SUBMITTER, "submit")]).await;
    let passage = json!({ "language": "zh-CN", "field": "body", "quote": "细菌超标" });
    let decision = json!({
        "version": alert["version"], "action": "return_district", "reason": "请写明是哪种细菌", "passage": passage, "checked": ["source"],
    });
    let (status, returned) = city.post(REVIEWER, &format!("{}/decisions", path(&alert)), decision).await;
    assert_eq!(status, StatusCode::OK, "{returned}");
    let last = returned["history"].as_array().unwrap().last().unwrap();
    assert_eq!((&last["passage"], &last["checked"], &last["content"]), (&passage, &json!(["source"]), &json!(null)));

    let mut content = city.content();
    content.texts.values_mut().for_each(|text| text.body = "本区水厂检出大肠杆菌超标。".into());
    let edit = json!({ "version": returned["version"], "content": content });
    let (status, edited) = city.put(SUBMITTER, &path(&alert), edit).await;
    assert_eq!(status, StatusCode::OK, "{edited}");
    let said: Vec<_> = edited["history"].as_array().unwrap().iter().map(|step| &step["content"]["texts"]["zh-CN"]["body"]).collect();
    assert_eq!(said, [&json!("本区水厂检出细菌超标。"), &json!(null), &json!(null), &json!("本区水厂检出大肠杆菌超标。")]);

    let long = json!({ "language": "zh-CN", "field": "body", "quote": "长".repeat(301) });
    let decision = json!({ "version": edited["version"], "action": "submit", "passage": long });
    let (status, problem) = city.post(SUBMITTER, &format!("{}/decisions", path(&alert)), decision).await;
    assert_eq!((status, &problem["errors"][0]["field"]), (StatusCode::UNPROCESSABLE_ENTITY, &json!("passage.quote")));
    city.close().await;
}

#[rstest]
#[tokio::test]
async fn a_change_is_told_live_to_those_whom_it_concerns(#[values(Embedded, Services)] store: Store) {
    let city = City::open(store).await;
    let (mut concerned, mut elsewhere) = (city.listen_as(REVIEWER).await, city.listen_as(OTHER_REVIEWER).await);
    assert_eq!(concerned.next().await, "event: clock\ndata: 2026-03-10T04:00:00.000Z");
    assert_eq!(elsewhere.next().await, "event: clock\ndata: 2026-03-10T04:00:00.000Z");
    let alert = city.write(SUBMITTER).await;
    city.take(alert.clone(), &[(SUBMITTER, "submit")]).await;
    let mut told = String::new();
    while !told.contains("district_review") {
        told = concerned.next().await;
        assert!(told.starts_with("event: alert\n") && told.contains(alert["alert_id"].as_str().unwrap()), "{told}");
    }
    // the page listens when the clock is put forward
    let (heard, ()) = tokio::join!(elsewhere.next(), async { city.platform.clock.forward(MINUTE) });
    assert!(heard == "event: clock\ndata: 2026-03-10T04:01:00.000Z" || heard == "event: alert\ndata: []", "{heard}");
    drop((concerned, elsewhere));
    city.close().await;
}

#[rstest]
#[tokio::test]
async fn the_city_at_a_glance_counts_by_district_state_and_class(#[values(Embedded, Services)] store: Store) {
    let city = City::open(store).await;
    for _ in 0..2 {
        let alert = city.write(SUBMITTER).await;
        city.take(alert, &[(SUBMITTER, "submit")]).await;
    }
    let elsewhere = json!({ "district": "500104", "content": city.content(), "audience": everybody_in("500104") });
    assert_eq!(city.post(OTHER_REVIEWER, "/api/v1/alerts", elsewhere).await.0, StatusCode::CREATED);
    let glance = async |token: &str| {
        let (status, overview) = city.get(token, "/api/v1/alerts/overview").await;
        assert_eq!(status, StatusCode::OK, "{overview}");
        let mut rows: Vec<_> = overview["rows"]
            .as_array()
            .unwrap()
            .iter()
            .map(|row| {
                (
                    row["district"].as_str().unwrap_or("city").to_owned(),
                    row["state"].as_str().unwrap().to_owned(),
                    row["count"].as_i64().unwrap(),
                )
            })
            .collect();
        rows.sort();
        rows
    };
    let row = |district: &str, state: &str, count| (district.to_owned(), state.to_owned(), count);
    assert_eq!(glance(OFFICER).await, [row("500103", "district_review", 2), row("500104", "draft", 1)]);
    assert_eq!(glance(REVIEWER).await, [row("500103", "district_review", 2)]);

    let audience = json!({ "query": { "include": [{ "areas": ["500105", "500106001"] }] } });
    let of_the_city = json!({ "content": city.content(), "audience": audience });
    assert_eq!(city.post(OFFICER, "/api/v1/alerts", of_the_city).await.0, StatusCode::CREATED);
    let (_, overview) = city.get(OFFICER, "/api/v1/alerts/overview").await;
    let reached =
        |district: Value| overview["rows"].as_array().unwrap().iter().find(|row| row["district"] == district).unwrap()["reaches"].clone();
    assert_eq!(reached(Value::Null), json!(["500105", "500106"]), "an alert of city level may be about some districts");
    assert_eq!(reached(json!("500104")), json!(["500104"]));
    city.close().await;
}
