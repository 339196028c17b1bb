//! Stories of sources that come as usual, fall silent and come back.

use http::StatusCode;
use serde_json::{Value, json};
use stages::Store::{self, Embedded, Postgres};
use stages::{DAY, HOUR, MINUTE};

use crate::city::{CDC, COMMAND, City, OPERATOR, REVIEWER, contact};

/// Monday noon in the city, when a working day's list comes.
const NOON: &str = "2026-11-02T04:00:00Z";

/// The health of the source, as the operator sees it.
async fn health(city: &City) -> Value {
    let all: Vec<Value> = city.get(OPERATOR, "/api/v1/sources").await.json().await.unwrap();
    all.into_iter().find(|one| one["source"] == "市疾控中心").unwrap()
}

/// A list comes at noon of every working day for so many weeks; then it is Monday noon.
async fn working_weeks(store: Store, weeks: u32) -> City {
    let city = City::new(store).await;
    assert_eq!(city.platform.clock.now(), NOON.parse::<chrono::DateTime<chrono::Utc>>().unwrap());
    for week in 0..weeks {
        for day in 0..7 {
            if day < 5 {
                city.ndjson(CDC, contact(&format!("w{week}-{day}"), "13800000001")).await;
            }
            city.forward(DAY).await;
        }
    }
    city
}

async fn silences(city: &City) -> i64 {
    city.count("select count(*) from ingest.source where silent_since is not null").await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_source_that_falls_silent_is_told_once_until_it_comes_back() {
    let city = working_weeks(Postgres, 3).await;
    assert_eq!(health(&city).await["rhythm"], "kept", "it was the weekend, as always");
    assert_eq!(health(&city).await["usual_pause_hours"], 24);
    city.forward(3 * HOUR).await;
    assert_eq!(silences(&city).await, 0, "it may be a little late");
    city.forward(12 * HOUR).await;
    let seen = health(&city).await;
    assert_eq!((&seen["rhythm"], &seen["silent_since"]), (&json!("silent"), &seen["last_at"]));
    city.forward(DAY).await;
    assert_eq!(silences(&city).await, 1);

    city.ndjson(CDC, contact("back", "13800000001")).await;
    assert_eq!(health(&city).await["rhythm"], "kept", "at once");
    city.forward(6 * MINUTE).await;
    assert_eq!(silences(&city).await, 0);
    let told = "select coalesce(sum((figure ->> 'number')::bigint), 0)::bigint from jobs.run, jsonb_array_elements(did) figure
                where job = 'ingest.watch_sources' and figure ->> 'what_en' = 'sources that fell silent'";
    assert_eq!(city.count(told).await, 1, "told once, whatever the number of looks");
    city.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_weekend_without_a_list_is_no_silence() {
    let city = working_weeks(Embedded, 3).await;
    for day in 0..7 {
        if day < 5 {
            city.ndjson(CDC, contact(&format!("last-{day}"), "13800000001")).await;
        }
        for _ in 0..4 {
            city.forward(6 * HOUR).await;
            assert_eq!(silences(&city).await, 0, "day {day}");
        }
    }
    city.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_source_has_no_rhythm_until_somebody_sets_one() {
    let city = City::new(Embedded).await;
    city.ndjson(CDC, contact("first", "13800000001")).await;
    city.forward(10 * DAY).await;
    assert_eq!((&health(&city).await["rhythm"], silences(&city).await), (&json!("none"), 0));

    let expect = async |token: &str, wanted: Value| city.put(token, "/api/v1/sources/expectation", &wanted).await.status();
    let within = json!({ "source": "市疾控中心", "expected": "within", "hours": 48 });
    assert_eq!(expect(COMMAND, within.clone()).await, StatusCode::FORBIDDEN);
    assert_eq!(expect(OPERATOR, json!({ "source": "市疾控中心", "expected": "within" })).await, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(expect(OPERATOR, json!({ "source": "无此单位", "expected": "nothing" })).await, StatusCode::NOT_FOUND);
    assert_eq!(expect(OPERATOR, within).await, StatusCode::NO_CONTENT);
    city.forward(6 * MINUTE).await;
    assert_eq!((&health(&city).await["rhythm"], silences(&city).await), (&json!("silent"), 1), "what a person sets wins");
    assert_eq!(expect(OPERATOR, json!({ "source": "市疾控中心", "expected": "nothing" })).await, StatusCode::NO_CONTENT);
    city.forward(6 * MINUTE).await;
    assert_eq!((&health(&city).await["rhythm"], silences(&city).await), (&json!("none"), 0));
    city.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_came_how_late_and_what_was_refused_or_corrected_is_told_for_each_source() {
    let city = City::new(Embedded).await;
    // an hour late, six hours late, a day late; one of them corrected, one taken back, one row refused
    let at = |id: &str, time: &str| contact(id, "13800000001").replace("2026-11-02T11:00:00+08:00", time);
    let list = at("a", "2026-11-02T11:00:00+08:00") + &at("b", "2026-11-02T06:00:00+08:00") + &at("c", "2026-11-01T12:00:00+08:00");
    city.ndjson(CDC, list.clone() + "{\"source_id\":\"x\"}\n").await;
    city.ndjson(CDC, list).await;
    let correction = |id: &str, how: &str| format!("{{\"source_id\":\"{id}\",\"correction\":\"{how}\",\"correction_reason\":\"误报\"}}\n");
    city.ndjson(CDC, correction("c", "retract")).await;
    city.ndjson(REVIEWER, contact("by-hand", "13800000002")).await;

    let seen = health(&city).await;
    let days = seen["days"].as_array().unwrap();
    assert_eq!((days.len(), &days[27]), (28, &json!({ "day": "2026-11-02", "taken": 3, "refused": 1 })));
    assert_eq!((&seen["late_half_min"], &seen["late_most_min"]), (&json!(480), &json!(1_440)));
    assert_eq!((&seen["refused_lately"], &seen["refused_before"]), (&json!(0.125), &json!(null)));
    assert_eq!(seen["retracted_per_thousand"].as_f64().unwrap().round(), 333.0);
    let all: Vec<Value> = city.get(COMMAND, "/api/v1/sources").await.json().await.unwrap();
    assert_eq!(all.len(), 1, "staff who deliver by hand are no source");
    city.end().await;
}
