//! Stories of the queues: which alerts are listed for whom.

use crate::city::{City, OFFICER, OTHER_REVIEWER, REVIEWER, SECOND_OFFICER, SECOND_REVIEWER, SUBMITTER, WORKER, everybody_in, words};
use http::StatusCode;
use rstest::rstest;
use serde_json::json;
use stages::Store::{self, Embedded, Services};

#[rstest]
#[tokio::test]
async fn a_queue_is_filtered_paged_and_held_to_the_readers_area(#[values(Embedded, Services)] store: Store) {
    let city = City::open(store).await;
    let mut ids = Vec::new();
    for (token, district) in [(SUBMITTER, Some("500103")), (REVIEWER, Some("500103")), (OTHER_REVIEWER, Some("500104")), (OFFICER, None)] {
        let audience = everybody_in(district.unwrap_or("city"));
        let body = json!({ "district": district, "content": city.content(), "audience": audience });
        let (status, alert) = city.post(token, "/api/v1/alerts", body).await;
        assert_eq!(status, StatusCode::CREATED, "{alert}");
        ids.push(alert["alert_id"].as_str().unwrap().to_owned());
        if token == REVIEWER {
            city.take(alert, &[(REVIEWER, "submit")]).await;
        }
    }
    let [first, submitted, elsewhere, whole] = [0, 1, 2, 3].map(|at: usize| ids[at].as_str());
    let list = async |token: &str, query: &str| {
        let (status, lines) = city.get(token, &format!("/api/v1/alerts{query}")).await;
        assert_eq!(status, StatusCode::OK, "{lines}");
        words(&lines, "alert_id")
    };
    assert_eq!(list(OFFICER, "").await, [whole, elsewhere, submitted, first], "newest first");
    assert_eq!(list(REVIEWER, "").await, [submitted, first], "their own; what the city writes is its own until it is approved");
    assert_eq!(list(WORKER, "").await, [""; 0], "who writes and reviews nothing sees what was approved");
    assert_eq!(list(OTHER_REVIEWER, "").await, [elsewhere]);
    assert_eq!(list(OTHER_REVIEWER, "?district=500103").await, [""; 0], "a filter opens nothing");
    assert_eq!(list(OFFICER, "?state=district_review").await, [submitted]);
    assert_eq!(list(OFFICER, "?district=500103&state=draft").await, [first]);
    assert_eq!(list(REVIEWER, "?mine=true").await, [submitted]);

    assert_eq!(list(OFFICER, "?limit=2").await, [whole, elsewhere]);
    assert_eq!(list(OFFICER, &format!("?limit=2&before={elsewhere}")).await, [submitted, first]);
    assert_eq!(list(OFFICER, &format!("?limit=2&before={first}")).await, [""; 0]);
    assert_ne!(city.get(OFFICER, "/api/v1/alerts?state=nonsense").await.0, StatusCode::OK);
    assert_ne!(city.get(OFFICER, "/api/v1/alerts?stat=draft").await.0, StatusCode::OK);
    assert_eq!(city.get("fhs_nobody", "/api/v1/alerts").await.0, StatusCode::UNAUTHORIZED);

    // approved, it is for everybody of the place, whatever becomes of it; read one by one as in the list
    let read = async |token: &str, id: &str| city.get(token, &format!("/api/v1/alerts/{id}")).await.0;
    for (token, id) in [(WORKER, submitted), (WORKER, whole), (REVIEWER, whole), (OTHER_REVIEWER, submitted)] {
        assert_eq!(read(token, id).await, StatusCode::NOT_FOUND, "{token}");
    }
    let alert = city.get(OFFICER, &format!("/api/v1/alerts/{submitted}")).await.1;
    let alert = city.take(alert, &[(SECOND_REVIEWER, "pass_district"), (OFFICER, "approve")]).await;
    let urgent = city.get(OFFICER, &format!("/api/v1/alerts/{whole}")).await.1;
    city.take(urgent, &[(OFFICER, "compose_urgent"), (SECOND_OFFICER, "confirm")]).await;
    assert_eq!(list(WORKER, "").await, [whole, submitted]);
    assert_eq!(list(OTHER_REVIEWER, "").await, [whole, elsewhere]);
    assert_eq!(city.decide(OFFICER, &alert, "cancel", "地点有误").await.0, StatusCode::OK);
    assert_eq!(list(WORKER, "").await, [whole, submitted]);
    assert_eq!(read(WORKER, submitted).await, StatusCode::OK);
    city.close().await;
}
