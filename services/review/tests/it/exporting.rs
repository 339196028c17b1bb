//! Stories of taking alerts along as a file.

use http::StatusCode;
use rstest::rstest;
use serde_json::json;
use stages::Store::{self, Embedded, Services};

use crate::city::{City, OFFICER, OTHER_REVIEWER, REVIEWER, SUBMITTER, everybody_in};

#[rstest]
#[tokio::test]
async fn what_a_search_finds_is_exported_with_a_trace_and_without_formulas(#[values(Embedded, Services)] store: Store) {
    let city = City::open(store).await;
    city.approved_alert().await;
    let mut content = city.content();
    content.contact = "=HYPERLINK(\"http://192.0.2.1\") 12320".to_owned();
    let body = json!({ "district": "500104", "content": content, "audience": everybody_in("500104") });
    assert_eq!(city.post(OTHER_REVIEWER, "/api/v1/alerts", body).await.0, StatusCode::CREATED);
    city.trail().await;

    let (status, file) = city.read(OFFICER, "/api/v1/alerts/export?format=csv").await;
    assert_eq!(status, StatusCode::OK, "{file}");
    let lines: Vec<&str> = file.trim_start_matches('\u{feff}').lines().collect();
    assert!(lines[0].starts_with("弹窗编号,短码,标题"), "{file}");
    assert_eq!(lines.len(), 3, "{file}");
    assert!(file.contains("'=HYPERLINK"), "{file}");
    assert!(file.contains("渝中区") && file.contains("已批准"), "{file}");
    let trail = city.trail().await;
    let did: Vec<&str> = trail.iter().map(|(_, action)| action.as_str()).collect();
    assert_eq!(did, ["alerts.export", "alerts.exported"]);

    let (_, english) = city.read(REVIEWER, "/api/v1/alerts/export?language=en&district=500103").await;
    assert!(english.contains("Alert id,Short code") && english.contains("Yuzhong"), "{english}");
    assert_eq!(english.lines().count(), 2);
    let (_, nothing) = city.read(OTHER_REVIEWER, "/api/v1/alerts/export?district=500103").await;
    assert_eq!(nothing.lines().count(), 1, "what one does not see one does not take along");
    city.close().await;
}

#[tokio::test]
async fn a_workbook_is_taken_along_too_and_a_day_has_no_more_than_work_takes() {
    let city = City::open_with(Embedded, review::Settings { exports_a_day: 2, ..review::Settings::default() }).await;
    city.write(SUBMITTER).await;
    let request = stages::request(http::Method::GET, OFFICER, "/api/v1/alerts/export?format=xlsx", &json!(null));
    let (parts, file) = city.answered(request).await;
    assert_eq!(parts.status, StatusCode::OK);
    assert!(file.starts_with(b"PK"));
    assert_eq!(city.read(OFFICER, "/api/v1/alerts/export").await.0, StatusCode::OK);
    let (status, problem) = city.get(OFFICER, "/api/v1/alerts/export").await;
    assert_eq!((status, problem["code"].as_str()), (StatusCode::TOO_MANY_REQUESTS, Some("exports_spent")), "{problem}");
    assert_eq!(city.read(REVIEWER, "/api/v1/alerts/export").await.0, StatusCode::OK, "another person has a day of their own");
    city.platform.clock.forward(std::time::Duration::from_secs(24 * 3600));
    assert_eq!(city.read(OFFICER, "/api/v1/alerts/export").await.0, StatusCode::OK);
    city.close().await;
}
