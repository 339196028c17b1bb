//! Stories of what staff may see: how many people an audience has, and whom to call.

use crate::city::Store::{self, Embedded, Services};
use crate::city::{City, ELSEWHERE, NEXT_DOOR, OFFICER, REVIEWER, WORKER, WORKER_NEXT_DOOR, fields};
use http::StatusCode;
use rstest::rstest;
use serde_json::{Value, json};

#[rstest]
#[tokio::test]
async fn a_phone_number_is_opened_for_the_persons_own_community_with_a_reason_and_leaves_a_trace(
    #[values(Embedded, Services)] store: Store,
) {
    let city = City::open(store).await;
    let person = city.register_with("13812345678", json!({ "name": "张三" })).await;
    let open = async |token: &str, no: u32, reason: &str| {
        city.post(token, &format!("/api/v1/residents/{no}/contact"), json!({ "reason": reason })).await
    };
    for reason in ["", "  回访    ", &"长".repeat(201)] {
        let (status, problem) = open(WORKER, person.no, reason).await;
        assert_eq!((status, fields(&problem)), (StatusCode::UNPROCESSABLE_ENTITY, vec!["reason".to_owned()]));
    }
    for (token, no) in [(WORKER_NEXT_DOOR, person.no), (WORKER, 9_999), (WORKER, u32::MAX - 1)] {
        let (status, problem) = open(token, no, "电话回访密接人员").await;
        assert_ne!(status, StatusCode::OK, "{problem}");
    }
    assert_eq!(open(OFFICER, person.no, "电话回访密接人员").await.0, StatusCode::FORBIDDEN, "the command does not call people");
    assert!(city.trail().await.is_empty(), "nothing was opened");

    for token in [WORKER, REVIEWER] {
        let contact = open(token, person.no, " 电话回访密接人员 ").await;
        assert_eq!(contact, (StatusCode::OK, json!({ "name": "张三", "phone": "+8613812345678" })));
    }
    let trail = city.trail().await;
    let told: Vec<_> = trail.iter().map(|entry| (entry.role.as_str(), entry.action.as_str(), entry.object.as_str())).collect();
    let no = person.no.to_string();
    let opened = |role: &'static str| (role, "contact_opened", no.as_str());
    assert_eq!(told, [opened("community_worker"), opened("district_reviewer")]);
    assert!(trail.iter().all(|entry| entry.detail_json == r#"{"reason":"电话回访密接人员"}"# && entry.district == Some(500_103)));
    city.close().await;
}

#[rstest]
#[tokio::test]
async fn an_audience_is_counted_with_its_exclusions_and_by_the_way_it_is_reached(#[values(Embedded, Services)] store: Store) {
    let city = City::open(store).await;
    let with_app = city.register("13800000001").await;
    let device = json!({ "kind": "apns", "token": "0a".repeat(32) });
    assert_eq!(city.post(&with_app.token, "/api/v1/me/devices", device).await.0, StatusCode::CREATED);
    city.register_with("13800000002", json!({ "industry": "catering" })).await;
    city.register_with("13800000003", json!({ "community": NEXT_DOOR, "language": "en" })).await;
    let silent = city.register_with("13800000004", json!({ "community": NEXT_DOOR })).await;
    assert_eq!(city.delete(&silent.token, "/api/v1/me/consent").await, StatusCode::NO_CONTENT);
    city.register_with("13800000005", json!({ "community": ELSEWHERE })).await;
    let forgotten = city.register("13800000006").await;
    assert_eq!(city.delete(&forgotten.token, "/api/v1/me").await, StatusCode::NO_CONTENT);

    let size = async |token: &str, query: Value| city.post(token, "/api/v1/audience/size", query).await;
    for (query, (people, app, sms, unreachable)) in [
        (json!({ "include": [{ "areas": ["city"] }] }), (5, 1, 3, 1)),
        (json!({ "include": [{ "areas": ["500103"] }] }), (4, 1, 2, 1)),
        (json!({ "include": [{ "areas": ["500103"] }], "exclude": [{ "areas": [NEXT_DOOR] }] }), (2, 1, 1, 0)),
        (
            json!({ "include": [{ "areas": ["500103"] }], "exclude": [{ "industries": ["catering"] }, { "languages": ["en"] }] }),
            (2, 1, 0, 1),
        ),
        (json!({ "include": [{ "areas": [NEXT_DOOR], "languages": ["en"] }, { "areas": [ELSEWHERE] }] }), (2, 0, 2, 0)),
    ] {
        let expected = json!({ "people": people, "app": app, "sms": sms, "unreachable": unreachable });
        assert_eq!(size(OFFICER, query.clone()).await, (StatusCode::OK, expected), "{query}");
    }

    assert_eq!(size(REVIEWER, json!({ "include": [{ "areas": ["500103"] }] })).await.0, StatusCode::OK);
    assert_eq!(size(REVIEWER, json!({ "include": [{ "areas": ["500104"] }] })).await.0, StatusCode::FORBIDDEN);
    assert_eq!(size(WORKER, json!({ "include": [{ "areas": ["500103"] }] })).await.0, StatusCode::FORBIDDEN);
    for nobody in [json!({ "include": [] }), json!({ "include": [{}] }), json!({ "include": [{ "areas": ["500199"] }] })] {
        assert_eq!(size(OFFICER, nobody).await.0, StatusCode::UNPROCESSABLE_ENTITY);
    }
    city.close().await;
}
