//! Stories of what staff may see: how many people an audience has, and whom to call.

use crate::city::{City, ELSEWHERE, HOME, NEXT_DOOR, OFFICER, REVIEWER, STALE_WORKER, WORKER, WORKER_NEXT_DOOR, fields};
use http::{Method, StatusCode};
use proto::EndpointsGone;
use proto::endpoints_gone::Entry;
use resident::Settings;
use resident::headcount::{AudienceCounts, Counts, Headcount};
use rstest::rstest;
use serde_json::{Value, json};
use stages::Store::{self, Embedded, Services};

#[rstest]
#[tokio::test]
async fn a_phone_number_is_opened_for_the_persons_own_community_with_a_reason_and_leaves_a_trace(
    #[values(Embedded, Services)] store: Store,
) {
    let city = City::open(store).await;
    let person = city.register_with("13812345678", json!({ "name": "张三", "identity_number": "820000198506150022" })).await;
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
        assert_eq!(
            contact,
            (
                StatusCode::OK,
                json!({ "name": "张三", "phone": "+8613812345678", "identity_kind": "residence_permit", "identity_proved": false })
            )
        );
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
async fn nobody_carries_a_phone_book_away_in_a_day(#[values(Embedded, Services)] store: Store) {
    let city = City::open(store).await;
    let person = city.register("13812345678").await;
    let open = async |token: &str| {
        let path = format!("/api/v1/residents/{}/contact", person.no);
        city.post(token, &path, json!({ "reason": "电话回访密接人员" })).await
    };
    for _ in 0..200 {
        assert_eq!(open(WORKER).await.0, StatusCode::OK);
    }
    let (status, problem) = open(WORKER).await;
    assert_eq!((status, &problem["code"]), (StatusCode::TOO_MANY_REQUESTS, &json!("too_many_contacts")));
    assert_eq!(city.trail().await.len(), 200, "what was refused was not opened");
    assert_eq!(open(REVIEWER).await.0, StatusCode::OK, "colleagues go on");
    city.platform.clock.forward(stages::DAY);
    assert_eq!(open(WORKER).await.0, StatusCode::OK);
    city.close().await;
}

#[tokio::test]
async fn many_contacts_are_not_opened_in_a_session_that_was_left_open() {
    let city = City::open(Embedded).await;
    let person = city.register("13812345678").await;
    let path = format!("/api/v1/residents/{}/contact", person.no);
    let open = async |token: &str| city.post(token, &path, json!({ "reason": "电话回访密接人员" })).await;
    for _ in 0..5 {
        assert_eq!(open(STALE_WORKER).await.0, StatusCode::OK, "a visit");
    }
    let (status, problem) = open(STALE_WORKER).await;
    assert_eq!((status, &problem["code"]), (StatusCode::FORBIDDEN, &json!("fresh_proof_needed")));
    assert_eq!(city.trail().await.len(), 5, "nothing more was opened");
    for _ in 0..6 {
        assert_eq!(open(WORKER).await.0, StatusCode::OK, "whoever has just shown it goes on");
    }
    city.close().await;
}

#[tokio::test]
async fn what_is_refused_for_want_of_a_proof_takes_nothing_from_the_day() {
    let city = City::open(Embedded).await;
    let person = city.register("13812345678").await;
    let path = format!("/api/v1/residents/{}/contact", person.no);
    let open = async |token: &str| city.post(token, &path, json!({ "reason": "电话回访密接人员" })).await;
    for _ in 0..5 {
        assert_eq!(open(STALE_WORKER).await.0, StatusCode::OK);
    }
    for _ in 0..250 {
        assert_eq!(open(STALE_WORKER).await.1["code"], "fresh_proof_needed", "never that there are too many");
    }
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
        (json!({ "include": [{ "areas": ["500105"] }] }), (0, 0, 0, 0)),
    ] {
        let Counts { people: all, app: by_app, sms: by_sms, unreachable: by_neither, .. } = counted(&city, &query).await.everybody;
        assert_eq!([all, by_app, by_sms, by_neither], [people, app, sms, unreachable], "{query}");
        let (status, answer) = size(OFFICER, query.clone()).await;
        assert_eq!(status, StatusCode::OK, "{answer}");
        let told = ["people", "app", "sms", "unreachable"].map(|field| answer[field].as_i64().unwrap());
        assert_eq!(told, [9; 4], "of a handful, or of nobody, staff are told that it is fewer than ten");
        assert_eq!((&answer["districts"], &answer["townships"]), (&json!({}), &json!({})), "nor is it told where they live");
    }
    let whole = counted(&city, &json!({ "include": [{ "areas": ["city"] }] })).await;
    let by_district: Vec<_> = whole.districts.iter().map(|(district, counts)| (district.get(), counts.people)).collect();
    assert_eq!((whole.drill.people, by_district), (0, vec![(500_103, 4), (500_104, 1)]));
    assert_eq!(whole.townships.into_values().collect::<Vec<_>>(), [4, 1]);

    assert_eq!(size(REVIEWER, json!({ "include": [{ "areas": ["500103"] }] })).await.0, StatusCode::OK);
    for beyond in [
        json!([{ "areas": ["500104"] }]),
        json!([{ "areas": ["city"] }]),
        json!([{ "areas": ["500103", "500104001"] }]),
        json!([{ "areas": ["500103"] }, { "areas": [ELSEWHERE] }]),
    ] {
        assert_eq!(size(REVIEWER, json!({ "include": beyond })).await.0, StatusCode::FORBIDDEN);
    }
    assert_eq!(size(WORKER, json!({ "include": [{ "areas": ["500103"] }] })).await.0, StatusCode::FORBIDDEN);
    for nobody in [json!({ "include": [] }), json!({ "include": [{}] }), json!({ "include": [{ "areas": ["500199"] }] })] {
        assert_eq!(size(OFFICER, nobody).await.0, StatusCode::UNPROCESSABLE_ENTITY);
    }
    city.close().await;
}

#[tokio::test]
async fn who_is_in_an_audience_is_not_found_out_by_asking_twice() {
    let city = City::open(Embedded).await;
    for number in 0..25 {
        city.register(&format!("138000001{number:02}")).await;
    }
    let ask = async |query: &Value| city.post(OFFICER, "/api/v1/audience/size", query.clone()).await;
    let with = json!({ "include": [{ "areas": ["500103"] }] });
    let before = ask(&with).await.1;
    assert_eq!((&before["people"], &before["townships"]["500103001"]), (&json!(30), &json!(30)), "in tens");
    city.register("13800000199").await;
    assert_eq!(ask(&with).await.1, before, "one more is not seen");
    let without = json!({ "include": [{ "areas": ["500103"] }], "exclude": [{ "areas": ["500103"], "industries": ["health"] }] });
    city.register_with("13800000198", json!({ "industry": "health" })).await;
    assert_eq!(ask(&with).await.1, ask(&without).await.1, "nor is the only one who is left out");
}

#[tokio::test]
async fn questions_about_audiences_are_traced_and_a_day_has_only_so_many() {
    let city = City::open_with(Embedded, Settings { audience_questions_per_day: 2, ..Settings::default() }).await;
    let ask = async |area: &str| city.post(OFFICER, "/api/v1/audience/size", json!({ "include": [{ "areas": [area] }] })).await;
    for area in ["500103", "500103", "500104", "500103"] {
        assert_eq!(ask(area).await.0, StatusCode::OK, "what was asked within the hour is asked once");
    }
    let (status, problem) = ask("500105").await;
    assert_eq!((status, &problem["code"]), (StatusCode::TOO_MANY_REQUESTS, &json!("too_many_audience_questions")), "{problem}");
    let asked: Vec<_> = city.trail().await.into_iter().filter(|entry| entry.action == "audience.ask").collect();
    assert_eq!(asked.len(), 2, "what is refused is not answered");
    assert!(asked[0].detail_json.contains("500103"), "what was asked is traced: {}", asked[0].detail_json);
}

#[rstest]
#[tokio::test]
async fn the_size_of_an_audience_follows_what_happens_to_its_people(#[values(Embedded, Services)] store: Store) {
    let city = City::open(store).await;
    let size = async |area: &str| {
        let Counts { people, apns, fcm, sms, unreachable, .. } =
            counted(&city, &json!({ "include": [{ "areas": [area] }] })).await.everybody;
        [people, apns, fcm, sms, unreachable]
    };
    assert_eq!(size("city").await, [0, 0, 0, 0, 0]);
    let person = city.register("13812345678").await;
    assert_eq!(size("city").await, [1, 0, 0, 1, 0], "registered");

    let add = async |kind: &str, token: String| {
        let (status, answer) = city.post(&person.token, "/api/v1/me/devices", json!({ "kind": kind, "token": token })).await;
        assert_eq!(status, StatusCode::CREATED, "{answer}");
        answer["endpoint_id"].as_i64().unwrap()
    };
    let iphone = add("apns", "0a".repeat(32)).await;
    assert_eq!(size(HOME).await, [1, 1, 0, 0, 0], "an iPhone");
    let android = add("fcm_fid", "f".repeat(22)).await;
    assert_eq!(size(HOME).await, [1, 1, 1, 0, 0], "and an Android phone");
    let entry = Entry { resident_no: person.no, endpoint_id: iphone, registered_at_ms: None };
    city.tell(&EndpointsGone { entries: vec![entry], ..EndpointsGone::default() }).await;
    assert_eq!(size(HOME).await, [1, 0, 1, 0, 0], "the provider says the iPhone is gone");
    assert_eq!(city.delete(&person.token, &format!("/api/v1/me/devices/{android}")).await, StatusCode::NO_CONTENT);
    assert_eq!(size(HOME).await, [1, 0, 0, 1, 0], "the Android phone was removed");

    assert_eq!(city.delete(&person.token, "/api/v1/me/consent").await, StatusCode::NO_CONTENT);
    assert_eq!(size(HOME).await, [1, 0, 0, 0, 1], "consent withdrawn");
    let again = json!({ "version": domain::consent::CURRENT_VERSION });
    assert_eq!(city.post(&person.token, "/api/v1/me/consent", again).await.0, StatusCode::NO_CONTENT);
    assert_eq!(size(HOME).await, [1, 0, 0, 1, 0], "and given again");

    let moved = city.send(Method::PATCH, &person.token, "/api/v1/me", json!({ "community": ELSEWHERE })).await.0;
    assert_eq!(moved, StatusCode::NO_CONTENT);
    assert_eq!((size(HOME).await, size("500104").await), ([0, 0, 0, 0, 0], [1, 0, 0, 1, 0]), "moved");
    assert_eq!(city.delete(&person.token, "/api/v1/me").await, StatusCode::NO_CONTENT);
    assert_eq!(size("city").await, [0, 0, 0, 0, 0], "everything deleted");
    city.close().await;
}

/// What the platform itself reckons with, which it tells nobody.
async fn counted(city: &City, query: &Value) -> AudienceCounts {
    Headcount::new(city.platform.database.clone()).of(&serde_json::from_value(query.clone()).unwrap()).await.unwrap()
}
