//! Can this be held? Asked of the whole platform before an alert is approved.

use chrono::{DateTime, Utc};
use domain::staff::Role;
use http::{Method, StatusCode};
use resident::generate::{self, People};
use serde_json::{Value, json};
use tests::{Who, Whole};

/// Ten in the morning in Chongqing.
fn morning() -> DateTime<Utc> {
    "2026-03-02T02:00:00Z".parse().unwrap()
}

fn who(role: Role, scope: &str) -> Who {
    Who::Staff(role, scope.parse().unwrap(), 1)
}

async fn asked(whole: &Whole, who: Who, question: &Value) -> (StatusCode, Value) {
    whole.ask(Some(who), &Method::POST, "/api/v1/forecast", question).await
}

#[tokio::test]
async fn a_forecast_is_about_the_people_whom_the_audience_selects() {
    let whole = Whole::start(morning()).await;
    let platform = &whole.platform;
    generate::write(&People::new(3_800, 7), &platform.database, &platform.keyring, morning(), |_| ()).await.unwrap();
    let reviewer = who(Role::DistrictReviewer, "district:500103");
    let selection = json!({ "include": [{ "areas": ["500103"] }] });
    let (status, size) = whole.ask(Some(reviewer), &Method::POST, "/api/v1/audience/size", &selection).await;
    assert_eq!(status, StatusCode::OK, "{size}");

    let question = json!({ "class": "routine", "audience": { "query": selection }, "sms_parts": 3 });
    let (status, answer) = asked(&whole, reviewer, &question).await;
    assert_eq!(status, StatusCode::OK, "{answer}");
    assert!(answer["people"].as_i64().unwrap() > 0);
    for (field, number) in [("people", &size["people"]), ("unreachable", &size["unreachable"])] {
        assert_eq!(&answer[field], number, "{field}: {answer}");
    }
    let lane = |name: &str| {
        let lanes = answer["lanes"].as_array().unwrap();
        lanes.iter().find(|lane| lane["lane"] == name).map_or(0, |lane| lane["recipients"].as_i64().unwrap())
    };
    assert_eq!((&json!(lane("apns")), &json!(lane("fcm"))), (&size["apns"], &size["fcm"]));
    let by_sms = size["sms"].as_i64().unwrap();
    assert!((by_sms..by_sms + size["people"].as_i64().unwrap() / 10).contains(&lane("sms")), "some fall back: {answer}");
    assert_eq!(answer["holds"], json!(true));
    assert!(answer["sentence"].as_str().unwrap().starts_with("可以按时完成"), "{answer}");

    let elsewhere = who(Role::DistrictReviewer, "district:500112");
    assert_eq!(asked(&whole, elsewhere, &question).await.0, StatusCode::FORBIDDEN);
    let residents = People::new(3_800, 7).of_district("500103".parse().unwrap()).take(20).collect::<Vec<_>>();
    let named = json!({ "class": "urgent", "audience": { "residents": residents } });
    assert_eq!(asked(&whole, who(Role::CityCommandOfficer, "city"), &named).await.0, StatusCode::OK);
    for district in [reviewer, elsewhere] {
        assert_eq!(
            asked(&whole, district, &named).await.0,
            StatusCode::FORBIDDEN,
            "a district names nobody one by one, its own people neither"
        );
    }
    assert_eq!(asked(&whole, who(Role::IndustrySupervisor, "industry:education"), &named).await.0, StatusCode::FORBIDDEN);
    whole.end().await;
}

#[tokio::test]
async fn a_question_that_makes_no_sense_is_refused_field_by_field() {
    let whole = Whole::start(morning()).await;
    let officer = who(Role::CityCommandOfficer, "city");
    for (question, field) in [
        (json!({ "class": "urgent" }), "audience"),
        (json!({ "class": "urgent", "recipients": { "fcm": 1 }, "audience": { "residents": [1] } }), "audience"),
        (json!({ "class": "urgent", "audience": { "query": { "include": [] } } }), "audience"),
        (json!({ "class": "urgent", "recipients": { "fcm": 2_000_000_000_u64 } }), "recipients"),
        (json!({ "class": "urgent", "recipients": { "fcm": 1 }, "sms_parts": 9 }), "sms_parts"),
        (json!({ "class": "urgent", "recipients": { "fcm": 1 }, "starts_at": "2026-04-02T02:00:00Z" }), "starts_at"),
    ] {
        let (status, problem) = asked(&whole, officer, &question).await;
        assert_eq!((status, &problem["errors"][0]["field"]), (StatusCode::UNPROCESSABLE_ENTITY, &json!(field)), "{question}: {problem}");
    }
    whole.end().await;
}
