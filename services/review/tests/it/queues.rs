//! Stories of the queues: which alerts are listed for whom.

use crate::city::{City, OFFICER, OTHER_REVIEWER, REVIEWER, SUBMITTER, WORKER, everybody_in, words};
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
    assert_eq!(list(REVIEWER, "").await, [whole, submitted, first], "their own and the whole city's");
    assert_eq!(list(WORKER, "").await, [whole, submitted, first]);
    assert_eq!(list(OTHER_REVIEWER, "").await, [whole, elsewhere]);
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
    city.close().await;
}
