//! Stories of records that were wrong: corrected and taken back by their source (CQ2, CQ6; inputs case 16).

use http::StatusCode;
use ingest::LoadReport;
use rstest::rstest;
use serde_json::{Value, json};
use stages::Store::{self, Embedded, Postgres};

use crate::city::{CDC, COMMAND, City, LABORATORY, contact, counts};

/// This line as the correction of what was delivered under its id.
fn corrects(line: &str, reason: &str) -> String {
    line.replacen('{', &format!(r#"{{"correction":"replace","correction_reason":"{reason}","#), 1)
}

fn takes_back(source_id: &str, reason: &str) -> String {
    format!("{}\n", json!({ "source_id": source_id, "correction": "retract", "correction_reason": reason }))
}

/// Corrected, taken back.
fn changes(report: &LoadReport) -> (u64, u64) {
    (report.corrected, report.retracted)
}

fn refused(report: &LoadReport) -> Vec<(u64, &str, &str)> {
    report.refused_rows.iter().map(|row| (row.line, row.field.as_str(), row.reason.as_str())).collect()
}

/// What rules is shown to stand in a load.
async fn feed(city: &City, event: &proto::RecordsStored) -> Vec<(String, String)> {
    sqlx::query_as("select source_id, level from ingest.record_feed where load_id = $1 order by 1")
        .bind(event.load_id.parse::<uuid::Uuid>().unwrap())
        .fetch_all(city.platform.database.pool())
        .await
        .unwrap()
}

/// What rules is shown to have ended: id, how, and whether something stands in its place.
async fn ended(city: &City) -> Vec<(String, String, bool)> {
    sqlx::query_as("select source_id, how, replaced_by is not null from ingest.ended_feed order by record_id")
        .fetch_all(city.platform.database.pool())
        .await
        .unwrap()
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_source_corrects_what_it_delivered_and_both_versions_stay(#[values(Embedded, Postgres)] store: Store) {
    let mut city = City::new(store).await;
    let wrong = contact("cdc-1", "13800005678");
    city.ndjson(CDC, wrong.clone() + &contact("cdc-2", "13800005679")).await;
    let first = city.next_told().await;

    let right = wrong.replace("high", "low");
    let report = city.ndjson(CDC, corrects(&right, "等级录入错误")).await;
    assert_eq!((counts(&report), changes(&report)), ((0, 0, 0), (1, 0)));
    let second = city.next_told().await;
    assert_eq!(feed(&city, &second).await, [("cdc-1".into(), "low".into())], "the new version is evaluated like any record");
    assert_eq!(feed(&city, &first).await, [("cdc-2".into(), "high".into())], "the old one is in no load any more");
    assert_eq!(ended(&city).await, [("cdc-1".into(), "replace".into(), true)]);

    // sent once more, the correction is known; what it corrected does not come back by a list that is sent every night
    let again = city.ndjson(CDC, corrects(&right, "等级录入错误") + &right).await;
    assert_eq!((counts(&again), changes(&again)), ((0, 2, 0), (0, 0)));
    let nightly = city.ndjson(CDC, wrong).await;
    assert_eq!(refused(&nightly), [(1, "source_id", "此记录其后已更正，保留更正后的内容；确需改回请按“更正”报送")]);

    let (status, body) = look_up(&city, CDC, "cdc-1").await;
    assert_eq!(status, StatusCode::OK);
    let versions = body[0]["versions"].as_array().unwrap();
    let said: Vec<_> =
        versions.iter().map(|one| (one["version"].as_i64(), one["level"].as_str(), one["ended"]["reason"].as_str())).collect();
    assert_eq!(said, [(Some(2), Some("low"), None), (Some(1), Some("high"), Some("等级录入错误"))]);
    assert!(!body.to_string().contains("13800005678"));
    city.end().await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_record_that_was_taken_back_is_in_no_load_and_waits_for_nobody(#[values(Embedded, Postgres)] store: Store) {
    let mut city = City::new(store).await;
    city.ndjson(CDC, contact("cdc-1", "13800005678")).await;
    let told = city.next_told().await;
    let report = city.ndjson(CDC, takes_back("cdc-1", "同名误报")).await;
    assert_eq!((counts(&report), changes(&report)), ((0, 0, 0), (0, 1)));
    assert_eq!(feed(&city, &told).await, []);
    assert_eq!(ended(&city).await, [("cdc-1".into(), "retract".into(), false)]);

    city.register("+8613800005678", 17).await;
    city.settle().await;
    assert!(city.told.try_recv().is_err(), "whom it named registers, and it is not theirs");

    let again = city.ndjson(CDC, takes_back("cdc-1", "同名误报") + &contact("cdc-1", "13800005678")).await;
    assert_eq!((counts(&again), changes(&again)), ((0, 1, 1), (0, 0)), "a list that is sent every night does not bring it back");
    assert_eq!(refused(&again)[0].2, "此记录已撤回；确需恢复请按“更正”报送并写明原因");

    let back = city.ndjson(CDC, corrects(&contact("cdc-1", "13800005678"), "核实后恢复")).await;
    assert_eq!(changes(&back), (1, 0));
    let told = city.next_told().await;
    assert_eq!(feed(&city, &told).await, [("cdc-1".into(), "high".into())]);
    assert_eq!(ended(&city).await.len(), 1, "what was brought back had ended already");
    let (_, body) = look_up(&city, CDC, "cdc-1").await;
    assert_eq!((&body[0]["retracted"], body[0]["versions"].as_array().unwrap().len()), (&json!(false), 2));
    city.end().await;
}

#[rstest]
#[case::chinese("编号,更正,更正原因\ncdc-1,撤回,同名误报\ncdc-2,作废,重复录入\n")]
#[case::english("source_id;correction;correction_reason\ncdc-1;retract;duplicate\ncdc-2;Retract;duplicate\n")]
#[case::a_whole_row(
    "来源编号,类别,发生时间,手机号,风险等级,区县,撤回,撤回原因\ncdc-1,密接,#N/A,,,,撤回,同名误报\ncdc-2,密接,2026-11-02 11:00,138,高,500101,撤回,误报\n"
)]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_list_takes_records_back_by_their_ids(#[case] list: &'static str) {
    let city = City::new(Embedded).await;
    city.ndjson(CDC, contact("cdc-1", "13800005678") + &contact("cdc-2", "13800005679")).await;
    let report = city.csv(CDC, list).await;
    assert_eq!((counts(&report), changes(&report)), ((0, 0, 0), (0, 2)), "{:?}", report.refused_rows);
    city.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_list_corrects_some_rows_and_delivers_the_others() {
    let mut city = City::new(Embedded).await;
    city.ndjson(CDC, contact("cdc-1", "13800005678")).await;
    city.next_told().await;
    let list = "编号,类别,发生时间,手机号,等级,区县,更正,更正原因\n\
                cdc-1,密接,2026-11-02 11:00,13800005679,高,渝中区,更正,电话错误\n\
                cdc-2,病例,2026-11-02 11:00,13800005680,高,渝中区,,\n";
    let report = city.csv(CDC, list).await;
    assert_eq!((counts(&report), changes(&report)), ((1, 0, 0), (1, 0)), "{:?}", report.refused_rows);
    let told = city.next_told().await;
    assert_eq!(feed(&city, &told).await, [("cdc-1".into(), "high".into()), ("cdc-2".into(), "high".into())]);
    city.end().await;
}

#[rstest]
#[case::without_a_reason(json!({ "source_id": "cdc-1", "correction": "retract" }), "correction_reason")]
#[case::with_an_empty_reason(json!({ "source_id": "cdc-1", "correction": "retract", "correction_reason": "  " }), "correction_reason")]
#[case::with_a_reason_too_long(json!({ "source_id": "cdc-1", "correction": "retract", "correction_reason": "长".repeat(501) }), "correction_reason")]
#[case::that_names_somebody(json!({ "source_id": "cdc-1", "correction": "retract", "correction_reason": "13800005678 不是密接" }), "correction_reason")]
#[case::of_no_kind(json!({ "source_id": "cdc-1", "correction": "delete", "correction_reason": "误报" }), "correction")]
#[case::a_reason_alone(json!({ "source_id": "cdc-1", "correction_reason": "误报" }), "correction")]
#[case::without_an_id(json!({ "correction": "retract", "correction_reason": "误报" }), "source_id")]
#[case::of_nothing(json!({ "source_id": "cdc-9", "correction": "retract", "correction_reason": "误报" }), "source_id")]
#[case::by_nothing(json!({ "source_id": "cdc-1", "correction": "replace", "correction_reason": "误报" }), "kind")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_correction_that_says_too_little_changes_nothing(#[case] row: Value, #[case] field: &str) {
    let city = City::new(Embedded).await;
    city.ndjson(CDC, contact("cdc-1", "13800005678")).await;
    let report = city.ndjson(CDC, format!("{row}\n")).await;
    let faults: Vec<&str> =
        report.refused_rows[0].others.iter().map(|fault| fault.field.as_str()).chain([report.refused_rows[0].field.as_str()]).collect();
    assert!(faults.contains(&field), "{faults:?}");
    assert_eq!((counts(&report), changes(&report)), ((0, 0, 1), (0, 0)));
    assert_eq!(ended(&city).await, []);
    city.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_correction_that_comes_before_its_record_is_given_back_to_be_sent_again() {
    let city = City::new(Embedded).await;
    let first = city.ndjson(CDC, takes_back("cdc-1", "同名误报")).await;
    assert_eq!(refused(&first)[0].1, "source_id");
    city.ndjson(CDC, contact("cdc-1", "13800005678")).await;
    let mended = city.refused(CDC, &first).await;
    assert_eq!(changes(&city.ndjson(CDC, mended).await), (0, 1), "the row that was given back is sent as it is");
    city.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_takes_back_what_another_source_delivered() {
    let city = City::new(Embedded).await;
    city.ndjson(CDC, contact("cdc-1", "13800005678")).await;
    let report = city.ndjson(LABORATORY, takes_back("cdc-1", "同名误报")).await;
    assert_eq!((counts(&report), changes(&report)), ((0, 0, 1), (0, 0)));
    assert_eq!(look_up(&city, LABORATORY, "cdc-1").await.1, json!([]), "it does not even see it");
    let (_, seen) = look_up(&city, COMMAND, "cdc-1").await;
    assert_eq!((&seen[0]["source"], &seen[0]["retracted"]), (&json!("市疾控中心"), &json!(false)));
    city.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_corrections_in_one_list_the_last_one_holds() {
    let city = City::new(Embedded).await;
    let line = contact("cdc-1", "13800005678");
    city.ndjson(CDC, line.clone()).await;
    let rows = corrects(&line.replace("high", "low"), "等级") + &corrects(&line.replace("high", "medium"), "等级");
    let report = city.ndjson(CDC, rows).await;
    assert_eq!((counts(&report), changes(&report)), ((0, 0, 1), (1, 0)));
    assert_eq!(refused(&report)[0].0, 1);
    assert_eq!(city.count("select count(*) from ingest.record where level = 'medium'").await, 1);
    city.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_list_of_corrections_sent_twice_at_once_corrects_once() {
    let city = City::new(Postgres).await;
    let lines: Vec<String> = (0..6).map(|n| contact(&format!("cdc-{n}"), "13800005678")).collect();
    city.ndjson(CDC, lines.concat()).await;
    let list: String = lines.iter().map(|line| corrects(&line.replace("high", "low"), "等级")).collect();
    let (one, other) = tokio::join!(city.ndjson(CDC, list.clone()), city.ndjson(CDC, list));
    assert_eq!((one.corrected + other.corrected, one.repeated + other.repeated, one.refused + other.refused), (6, 6, 0));
    assert_eq!(city.count("select count(*) from ingest.record_version").await, 6);
    city.end().await;
}

async fn look_up(city: &City, token: &str, source_id: &str) -> (StatusCode, Value) {
    let answer = city.get(token, &format!("/api/v1/records?source_id={source_id}")).await;
    (answer.status(), answer.json().await.unwrap())
}
