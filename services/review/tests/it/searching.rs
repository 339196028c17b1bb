//! Stories of finding an alert again.

use domain::alert::AlertText;
use domain::language::Language;
use http::StatusCode;
use rstest::rstest;
use serde_json::{Value, json};
use stages::Store::{self, Embedded, Services};

use crate::city::{City, OFFICER, OTHER_REVIEWER, REVIEWER, SECOND_OFFICER, SUBMITTER, WORKER, everybody_in, words};

/// Writes an alert of a district, or of the whole city, with this headline; its id.
async fn written(city: &City, token: &str, district: Option<&str>, headline: &str) -> Value {
    let mut content = city.content();
    let text = AlertText { headline: headline.to_owned(), ..content.texts[&Language::ZhCn].clone() };
    content.texts.insert(Language::ZhCn, text);
    let body = json!({ "district": district, "content": content, "audience": everybody_in(district.unwrap_or("city")) });
    let (status, alert) = city.post(token, "/api/v1/alerts", body).await;
    assert_eq!(status, StatusCode::CREATED, "{alert}");
    alert
}

async fn found(city: &City, token: &str, query: &str) -> Vec<String> {
    let (status, page) = city.get(token, &format!("/api/v1/alerts/search?{query}")).await;
    assert_eq!(status, StatusCode::OK, "{page}");
    words(&page["alerts"], "headline")
}

#[rstest]
#[tokio::test]
async fn an_alert_is_found_by_its_words_its_code_and_its_id_by_those_who_may_see_it(#[values(Embedded, Services)] store: Store) {
    let city = City::open(store).await;
    let market = written(&city, SUBMITTER, Some("500103"), "较场口市场暂停开放").await;
    written(&city, OTHER_REVIEWER, Some("500104"), "双山农贸市场消杀通知").await;
    written(&city, OFFICER, None, "全市供水检测 2026 号通告").await;
    city.platform.clock.forward(stages::MINUTE);

    // 市场, 较场口, 市场 消杀, 2026
    assert_eq!(found(&city, OFFICER, "q=%E5%B8%82%E5%9C%BA").await, ["双山农贸市场消杀通知", "较场口市场暂停开放"], "newest first");
    assert_eq!(found(&city, OFFICER, "q=%E8%BE%83%E5%9C%BA%E5%8F%A3").await, ["较场口市场暂停开放"]);
    assert_eq!(found(&city, OFFICER, "q=%E5%B8%82%E5%9C%BA%20%E6%B6%88%E6%9D%80").await, ["双山农贸市场消杀通知"]);
    assert_eq!(found(&city, OFFICER, "q=2026").await, ["全市供水检测 2026 号通告"]);
    assert_eq!(found(&city, OFFICER, "q=63840000").await.len(), 3, "a number of the contact");
    assert_eq!(
        found(&city, OFFICER, &format!("q={}", market["short_code"].as_str().unwrap().to_lowercase())).await,
        ["较场口市场暂停开放"]
    );
    assert_eq!(found(&city, OFFICER, &format!("q={}", market["alert_id"].as_str().unwrap())).await, ["较场口市场暂停开放"]);

    // the scope is part of the question
    assert_eq!(found(&city, REVIEWER, "q=%E5%B8%82%E5%9C%BA").await, ["较场口市场暂停开放"]);
    assert_eq!(found(&city, OTHER_REVIEWER, &format!("q={}", market["alert_id"].as_str().unwrap())).await, [""; 0]);
    assert_eq!(found(&city, OTHER_REVIEWER, &format!("q={}", market["short_code"].as_str().unwrap())).await, [""; 0]);
    assert_eq!(found(&city, WORKER, "q=%E5%B8%82%E5%9C%BA").await, [""; 0], "a draft is not theirs");

    // filters
    assert_eq!(found(&city, OFFICER, "district=500103").await, ["较场口市场暂停开放"]);
    assert_eq!(found(&city, OFFICER, "q=%E5%B8%82%E5%9C%BA&district=500104&state=draft").await, ["双山农贸市场消杀通知"]);
    assert_eq!(found(&city, OFFICER, "author=mine").await, ["全市供水检测 2026 号通告"]);
    assert_eq!(found(&city, OFFICER, "to=2020-01-01T00:00:00Z").await, [""; 0]);
    assert_eq!(found(&city, OFFICER, "from=2020-01-01T00:00:00Z").await.len(), 3);
    city.close().await;
}

#[tokio::test]
async fn a_text_that_changes_is_found_by_what_it_says_now() {
    let city = City::open(Embedded).await;
    let alert = written(&city, SUBMITTER, Some("500103"), "停水通知").await;
    let mut content = city.content();
    content.texts.get_mut(&Language::ZhCn).unwrap().headline = "恢复供水通知".to_owned();
    let edit = json!({ "version": alert["version"], "content": content });
    let (status, answer) = city.put(SUBMITTER, &crate::city::path(&alert), edit).await;
    assert_eq!(status, StatusCode::OK, "{answer}");
    // 停水, 恢复供水
    assert_eq!(found(&city, OFFICER, "q=%E5%81%9C%E6%B0%B4").await, [""; 0]);
    assert_eq!(found(&city, OFFICER, "q=%E6%81%A2%E5%A4%8D%E4%BE%9B%E6%B0%B4").await, ["恢复供水通知"]);
    city.close().await;
}

#[tokio::test]
async fn pages_follow_each_other_without_a_gap_or_a_repeat() {
    let city = City::open(Embedded).await;
    for number in 0..7 {
        written(&city, SUBMITTER, Some("500103"), &format!("市场通知第{number}期")).await;
        // two in a moment, so that the id decides
        if number % 2 == 1 {
            city.platform.clock.forward(stages::MINUTE);
        }
    }
    for words_asked in ["", "&q=%E5%B8%82%E5%9C%BA"] {
        let (mut seen, mut cursor) = (Vec::new(), String::new());
        for _ in 0..10 {
            let (status, page) = city.get(OFFICER, &format!("/api/v1/alerts/search?limit=2{words_asked}{cursor}")).await;
            assert_eq!(status, StatusCode::OK, "{page}");
            seen.extend(words(&page["alerts"], "headline"));
            let Some(next) = page["next"].as_str() else { break };
            cursor = format!("&cursor={}", next.replace('+', "%2B"));
        }
        assert_eq!(seen, (0..7).rev().map(|number| format!("市场通知第{number}期")).collect::<Vec<_>>());
    }
    city.close().await;
}

#[rstest]
#[case::a_wildcard("q=%25%25")]
#[case::an_underscore("q=__")]
#[case::a_quote("q=%27%20or%201%3D1")]
#[case::a_backslash("q=%5C%5C")]
#[tokio::test]
async fn a_question_that_is_no_words_finds_nothing_and_harms_nothing(#[case] query: &str) {
    let city = City::open(Embedded).await;
    written(&city, SUBMITTER, Some("500103"), "市场通知").await;
    let (status, page) = city.get(OFFICER, &format!("/api/v1/alerts/search?{query}")).await;
    assert!(status == StatusCode::OK || status == StatusCode::UNPROCESSABLE_ENTITY, "{status} {page}");
    if status == StatusCode::OK {
        assert_eq!(page["alerts"], json!([]), "{page}");
    }
    city.close().await;
}

#[tokio::test]
async fn ten_thousand_characters_and_a_broken_cursor_are_answered_in_words() {
    let city = City::open(Embedded).await;
    written(&city, SUBMITTER, Some("500103"), "市场通知").await;
    let long = "x".repeat(10_000);
    let (status, _) = city.get(OFFICER, &format!("/api/v1/alerts/search?q={long}")).await;
    assert_eq!(status, StatusCode::OK);
    for cursor in ["x", "2026-01-01T00:00:00Z", "0000-01-01T00:00:00Z,0"] {
        let (status, problem) = city.get(OFFICER, &format!("/api/v1/alerts/search?cursor={cursor}")).await;
        assert_eq!((status, problem["code"].as_str()), (StatusCode::UNPROCESSABLE_ENTITY, Some("invalid_fields")), "{problem}");
    }
    city.close().await;
}

#[tokio::test]
async fn alerts_from_before_the_index_are_indexed_and_people_named_by_hand_never_are() {
    let city = City::open(Embedded).await;
    written(&city, SUBMITTER, Some("500103"), "市场通知").await;
    let body = json!({
        "content": city.content(), "audience": { "residents": [7, 8] }, "named_because": "流调名单尚未入库，先行通知本人",
    });
    let (status, named) = city.post(OFFICER, "/api/v1/alerts", body).await;
    assert_eq!(status, StatusCode::CREATED, "{named}");
    city.take(named, &[(OFFICER, "compose_urgent"), (SECOND_OFFICER, "confirm")]).await;
    for query in ["q=%E6%B5%81%E8%B0%83%E5%90%8D%E5%8D%95", "q=residents"] {
        assert_eq!(found(&city, OFFICER, query).await, [""; 0], "why and whom is in no index");
    }
    sqlx::query("delete from review.alert_search").execute(city.pool()).await.unwrap();
    sqlx::query("update review.alert_search_filled set done = false").execute(city.pool()).await.unwrap();
    assert_eq!(found(&city, OFFICER, "q=%E5%B8%82%E5%9C%BA").await, [""; 0]);
    city.forward_with_jobs(std::time::Duration::from_secs(24 * 3600)).await;
    assert_eq!(found(&city, OFFICER, "q=%E5%B8%82%E5%9C%BA").await, ["市场通知"]);
    city.close().await;
}
