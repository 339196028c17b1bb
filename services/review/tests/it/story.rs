//! The whole story of an alert, from the record behind it to the last acknowledgement.

use domain::ids::AlertId;
use domain::staff::Role;
use http::StatusCode;
use rstest::rstest;
use serde_json::Value;
use stages::Store::{self, Embedded, Services};

use crate::city::{AUDITOR, City, OFFICER, OTHER_REVIEWER, REVIEWER, SUBMITTER, path, words};

async fn told(city: &City, sql: &'static str, alert: AlertId) {
    sqlx::query(sql).bind(alert.uuid()).bind(city.platform.clock.now()).execute(city.pool()).await.unwrap();
}

async fn story(city: &City, token: &str, alert: &Value, query: &str) -> Value {
    let (status, story) = city.get(token, &format!("{}/story{query}", path(alert))).await;
    assert_eq!(status, StatusCode::OK, "{story}");
    story
}

#[rstest]
#[tokio::test]
async fn every_part_of_an_alerts_life_stands_in_its_story_in_the_order_of_time(#[values(Embedded, Services)] store: Store) {
    let city = City::open(store).await;
    city.on_duty(OFFICER, Role::CityCommandOfficer, "city", true).await;
    let alert = city.write(SUBMITTER).await;
    let id: AlertId = alert["alert_id"].as_str().unwrap().parse().unwrap();
    told(&city, "insert into rules.behind_alert values ($1, 12, 'case', '市疾控中心', '500103', false, $2, $2, null)", id).await;
    let step = async || city.platform.clock.forward(stages::MINUTE);
    step().await;
    let alert = city.take(alert, &[(SUBMITTER, "submit")]).await;
    step().await;
    let alert = city.take(alert, &[(REVIEWER, "pass_district")]).await;
    step().await;
    let alert = city.take(alert, &[(OFFICER, "approve")]).await;
    step().await;
    city.release(&alert).await;
    told(&city, "insert into dispatch.wave_story values ($1, 1, 3, 1, $2, $2, null)", id).await;
    step().await;
    told(&city, "insert into dispatch.handed_story values ($1, 1, 'app', $2, null, 2, 0, 0, 1)", id).await;
    told(&city, "insert into display.shown_story values ($1, null, $2, 4, 40, $2, $2)", id).await;
    step().await;
    told(&city, "insert into resident.acknowledgement values ($1, 7, $2, 'app'), ($1, 8, $2, 'app')", id).await;
    step().await;
    told(&city, "insert into dispatch.follow_up_story values ($1, 'informed', 1, $2, $2)", id).await;
    step().await;
    let alert = city.look(&alert).await;
    assert_eq!(city.decide(OFFICER, &alert, "stop", "核实中").await.0, StatusCode::OK);

    let whole = story(&city, AUDITOR, &alert, "").await;
    let kinds = words(&whole["entries"], "kind");
    for kind in ["record", "step", "sealed", "released", "wave", "handed", "screens", "acknowledged", "follow_ups", "word"] {
        assert!(kinds.iter().any(|told| told == kind), "{kind} is missing: {kinds:?}");
    }
    let times: Vec<&str> = whole["entries"].as_array().unwrap().iter().map(|entry| entry["at"].as_str().unwrap()).collect();
    assert!(times.is_sorted(), "{times:?}");
    let of = |kind: &str| whole["entries"].as_array().unwrap().iter().find(|entry| entry["kind"] == kind).unwrap().clone();
    assert_eq!(of("acknowledged")["people"], 2);
    assert_eq!(of("record")["area"], "500103");
    let approved = whole["entries"].as_array().unwrap().iter().find(|entry| entry["action"] == "approve").unwrap();
    assert_eq!(approved["by"]["name"], OFFICER, "who took it");
    assert_eq!(words(&approved["answers"], "answer"), ["yes"; 5], "what was answered to the checklist");
    assert!(!whole.to_string().contains("resident_no"), "nobody is named but staff");

    // page by page it is the same
    let (mut pages, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = story(&city, AUDITOR, &alert, &format!("?limit=3{cursor}")).await;
        pages.extend(page["entries"].as_array().unwrap().clone());
        let Some(next) = page["next"].as_str() else { break };
        cursor = format!("&cursor={next}");
    }
    assert_eq!(Value::from(pages), whole["entries"]);
    city.close().await;
}

#[tokio::test]
async fn a_story_is_read_by_whoever_reads_its_alert() {
    let city = City::open(Embedded).await;
    let alert = city.write(SUBMITTER).await;
    assert_eq!(city.get(OTHER_REVIEWER, &format!("{}/story", path(&alert))).await.0, StatusCode::NOT_FOUND);
    assert_eq!(city.get(REVIEWER, &format!("{}/story", path(&alert))).await.0, StatusCode::OK);
    let (status, problem) = city.get(REVIEWER, &format!("{}/story?cursor=-1", path(&alert))).await;
    assert_eq!((status, problem["code"].as_str()), (StatusCode::UNPROCESSABLE_ENTITY, Some("invalid_fields")));
    city.close().await;
}
