//! Stories of lists that are looked at before anything counts.

use domain::ids::StaffId;
use http::StatusCode;
use rstest::rstest;
use serde_json::{Value, json};
use stages::Store::{self, Embedded, Postgres};

use crate::city::{CDC, City, contact, counts};

const HEADER: &str = "编号,类别,发生时间,手机号,等级,区县,隔离地点\n";

/// Rows of close contacts, one a phone.
fn rows(numbers: impl IntoIterator<Item = u32>) -> String {
    numbers.into_iter().map(|n| format!("x-{n},密接,2026-11-02 11:00,1380000{n:04},高,万州区,渝州宾馆\n")).collect()
}

async fn preview(city: &City, query: &str, file: impl Into<reqwest::Body>) -> (StatusCode, Value) {
    let answer = city.post(CDC, &format!("/api/v1/records/preview{query}"), "application/octet-stream").body(file).send().await.unwrap();
    (answer.status(), answer.json().await.unwrap())
}

async fn nothing_counts(city: &City) {
    city.settle().await;
    for count in [
        "select count(*) from ingest.load",
        "select count(*) from ingest.record",
        "select count(*) from ingest.refused_row",
        "select count(*) from ingest.outbox",
    ] {
        assert_eq!(city.count(count).await, 0, "{count}");
    }
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_list_is_shown_as_it_is_understood_and_nothing_counts(#[values(Embedded, Postgres)] store: Store) {
    let city = City::new(store).await;
    rules::install_shipped(&city.platform, StaffId::new()).await.unwrap();
    let list = format!("{HEADER}{}x-9,密接,11/2/26,1380000,高,万州区,\n{}", rows(1..=4), rows([4]));
    let (status, seen) = preview(&city, "", list).await;
    assert_eq!(status, StatusCode::OK, "{seen}");
    let columns: Vec<_> = seen["columns"].as_array().unwrap().iter().map(|one| one["meaning"].as_str().unwrap()).collect();
    assert_eq!(columns, ["source_id", "kind", "occurred_at", "phone", "level", "district", "attributes.isolation_site"]);
    let figures = |name: &str| seen[name].as_u64().unwrap();
    assert_eq!((figures("looked_at"), figures("accepted"), figures("repeated"), figures("refused")), (6, 4, 1, 1));
    assert_eq!((figures("waiting"), figures("unmatched")), (4, 4), "nobody of them is registered: no rule can tell them yet");
    assert_eq!((&seen["whole"], &seen["format"]), (&json!(true), &json!("csv")));
    assert_eq!(seen["refused_rows"][0]["line"], 6);
    assert_eq!(seen["refused_rows"][0]["others"].as_array().unwrap().len(), 1, "all that is wrong with the row");
    let first = &seen["rows"][0];
    assert_eq!((&first["kind"], &first["level"], &first["subject"]), (&json!("close_contact"), &json!("high"), &json!("phone")));
    assert_eq!(first["district"], "500101 万州区");
    assert!(!seen.to_string().contains("13800000001"), "whom a row is about is not shown");
    nothing_counts(&city).await;
    city.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_rules_that_would_match_are_told_with_how_many_they_would_tell() {
    let city = City::new(Postgres).await;
    rules::install_shipped(&city.platform, StaffId::new()).await.unwrap();
    city.register("+8613800000001", 17).await;
    city.register("+8613800000002", 18).await;
    city.settle().await;
    let (_, seen) = preview(&city, "", format!("{HEADER}{}", rows(1..=3))).await;
    assert_eq!((&seen["accepted"], &seen["waiting"], &seen["unmatched"]), (&json!(3), &json!(1), &json!(1)));
    assert_eq!((&seen["rules"][0]["records"], &seen["rules"][0]["people"]), (&json!(2), &json!(2)), "{seen}");
    assert_eq!(seen["rules"][0]["name"], "密切接触者：立即隔离");
    city.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_known_what_is_corrected_and_what_is_taken_back_is_told_before_it_happens() {
    let city = City::new(Postgres).await;
    city.ndjson(CDC, contact("x-1", "13800000001") + &contact("x-2", "13800000002") + &contact("x-3", "13800000003")).await;
    let list = contact("x-1", "13800000001")
        + &contact("x-2", "13800000002").replacen('{', r#"{"correction":"replace","correction_reason":"等级","#, 1).replace("high", "low")
        + "{\"source_id\":\"x-3\",\"correction\":\"retract\",\"correction_reason\":\"误报\"}\n"
        + &contact("x-4", "13800000004");
    let (_, seen) = preview(&city, "", list.clone()).await;
    let figures = ["accepted", "repeated", "corrected", "retracted", "refused"].map(|name| seen[name].as_u64().unwrap());
    assert_eq!(figures, [1, 1, 1, 1, 0]);
    assert_eq!(
        seen["rows"][2],
        json!({ "line": 3, "source_id": "x-3", "correction": "retract", "kind": null, "level": null,
        "occurred_at": null, "subject": null, "district": null, "attributes": {} })
    );
    assert_eq!(city.count("select count(*) from ingest.record_version").await, 0);
    let report = city.ndjson(CDC, list).await;
    assert_eq!((counts(&report), report.corrected, report.retracted), ((1, 1, 0), 1, 1), "and it happens as it was told");
    city.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_name_that_nobody_knows_is_given_a_meaning_once_and_remembered() {
    let city = City::new(Postgres).await;
    let list = format!("发病编号A,类别,发生时间,手机号,等级,区县,内部备注\n{}", rows(1..=2).replace("渝州宾馆", "x"));
    let (status, seen) = preview(&city, "", list.clone()).await;
    assert_eq!(status, StatusCode::OK);
    assert!(!seen["header_fault"].is_null(), "{seen}");
    let unknown: Vec<_> =
        seen["columns"].as_array().unwrap().iter().filter(|one| one["meaning"].is_null()).map(|one| &one["name"]).collect();
    assert_eq!(unknown, ["发病编号A", "内部备注"]);
    nothing_counts(&city).await;

    let names =
        "?names=%7B%22%E5%8F%91%E7%97%85%E7%BC%96%E5%8F%B7A%22%3A%22source_id%22%2C%22%E5%86%85%E9%83%A8%E5%A4%87%E6%B3%A8%22%3A%22-%22%7D";
    let (_, seen) = preview(&city, names, list.clone()).await;
    assert_eq!((&seen["header_fault"], &seen["accepted"]), (&json!(null), &json!(2)), "{seen}");
    assert_eq!(preview(&city, "", list.clone()).await.1["accepted"], 0, "looking at it remembers nothing");

    let upload = async |query: &str, list: String| {
        let request = city.post(CDC, &format!("/api/v1/records/upload{query}"), "application/octet-stream").body(list);
        crate::city::report(request).await
    };
    assert_eq!(counts(&upload(names, list.clone()).await), (2, 0, 0));
    let more = list.replace("x-1,", "x-7,").replace("x-2,密接", "x-8,谣言");
    let report = upload("", more).await;
    assert_eq!(counts(&report), (1, 0, 1), "the next list needs no choice");
    assert!(city.refused(CDC, &report).await.contains("发病编号A"), "and its refused rows are given back");
    city.end().await;
}

#[rstest]
#[case::no_json("?names=x", "names")]
#[case::no_meaning("?names=%7B%22a%22%3A%22phone_number%22%7D", "names")]
#[case::no_name("?names=%7B%22%20%22%3A%22phone%22%7D", "names")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_choice_that_means_nothing_is_refused(#[case] query: &str, #[case] field: &str) {
    let city = City::new(Embedded).await;
    let (status, problem) = preview(&city, query, format!("{HEADER}{}", rows([1]))).await;
    assert_eq!((status, &problem["errors"][0]["field"]), (StatusCode::UNPROCESSABLE_ENTITY, &json!(field)));
    city.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_is_no_list_says_what_it_is() {
    let city = City::new(Embedded).await;
    let (status, problem) = preview(&city, "", "%PDF-1.7\n…").await;
    assert_eq!((status, &problem["code"]), (StatusCode::BAD_REQUEST, &json!("file_not_a_list")));
    city.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_a_list_without_end_a_part_is_looked_at() {
    let city = City::in_chunks_of(Postgres, 10).await;
    let list = HEADER.to_owned() + &rows(0..9_999) + &rows(0..9_999);
    let (_, seen) = preview(&city, "", list).await;
    assert_eq!(seen["whole"], false, "{seen}");
    let looked_at = seen["looked_at"].as_u64().unwrap();
    assert!((10_000..10_010).contains(&looked_at), "{looked_at}");
    assert_eq!(seen["rows"].as_array().unwrap().len(), 20);
    nothing_counts(&city).await;
    city.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn records_that_no_rule_meets_say_which_came_nearest_and_why_it_did_not() {
    let city = City::new(Postgres).await;
    rules::install_shipped(&city.platform, StaffId::new()).await.unwrap();
    for n in 1..=3 {
        city.register(&format!("+861380000000{n}"), n).await;
    }
    city.settle().await;
    // close contacts of half a year ago, one of a low risk, and one whom nobody knows
    let old = rows(1..=2).replace("2026-11-02", "2026-05-02");
    let list = format!("{HEADER}{old}{}{}", rows([3]).replace("高", "低"), rows([9]));
    let (_, seen) = preview(&city, "", list.clone()).await;
    let misses = seen["near_misses"].as_array().unwrap();
    let told: Vec<(u64, &Value, &Value)> = misses
        .iter()
        .map(|miss| (miss["records"].as_u64().unwrap(), &miss["nearest"]["unmet"], &miss["nearest"]["nobody_to_tell"]))
        .collect();
    assert_eq!(seen["unmatched"].as_u64().unwrap(), told.iter().map(|(records, ..)| records).sum::<u64>(), "{misses:?}");
    assert_eq!(told[0].0, 2, "{misses:?}");
    let old = &told[0].1[0];
    assert!(old["wanted"].as_str().unwrap().starts_with("age_hours < "), "{old}");
    assert!(told.iter().any(|(_, unmet, why)| unmet.as_array().unwrap().is_empty() && **why == json!("stranger")), "{misses:?}");
    nothing_counts_but_people(&city).await;

    // and so does the record once it is there, for its source
    city.csv(CDC, list).await;
    let verdict = async |id: &str| {
        let found: Value = city.get(CDC, &format!("/api/v1/records?source_id={id}")).await.json().await.unwrap();
        found[0]["rules"].clone()
    };
    let unknown = verdict("x-9").await;
    assert_eq!((&unknown["met"], &unknown["nearest"]["nobody_to_tell"]), (&json!([]), &json!("stranger")));
    let old = verdict("x-1").await;
    assert_eq!(old["nearest"]["unmet"][0]["wanted"], told[0].1[0]["wanted"]);
    let sound = rows([2]).replace("x-2", "x-20");
    city.csv(CDC, format!("{HEADER}{sound}")).await;
    let met = verdict("x-20").await;
    assert_eq!((&met["met"][0]["name"], &met["nearest"]), (&json!("密切接触者：立即隔离"), &Value::Null));
    city.ndjson(CDC, "{\"source_id\":\"x-20\",\"correction\":\"retract\",\"correction_reason\":\"误报\"}\n").await;
    assert_eq!(verdict("x-20").await, Value::Null, "what was taken back says nothing to any rule");
    city.end().await;
}

async fn nothing_counts_but_people(city: &City) {
    assert_eq!(city.count("select count(*) from ingest.record").await, 0);
    assert_eq!(city.count("select count(*) from ingest.load").await, 0);
}
