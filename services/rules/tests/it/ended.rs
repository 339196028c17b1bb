//! Stories of records that hold no longer (CQ2, CQ6; inputs case 16).

use rstest::rstest;
use serde_json::json;
use stages::Store::{self, Embedded, Postgres};

use crate::city::{City, Draft, OFFICER, Record, contact};

#[rstest]
#[tokio::test]
async fn an_open_draft_drops_whom_a_record_that_was_taken_back_had_brought(#[values(Embedded, Postgres)] store: Store) {
    let city = City::open(store).await;
    city.report(&[contact(1, 11, "500103001"), contact(2, 12, "500103001")]).await;
    city.take_back(&[1]).await;
    assert_eq!(city.get(OFFICER, "/api/v1/rules/drafts").await.1[0]["residents"], 1);
    let drafts = city.end_of_window().await;
    assert_eq!(drafts.iter().map(Draft::residents).collect::<Vec<_>>(), [[12]]);
    assert_eq!(drafts[0].event.records, 1);
    assert_eq!(city.ended_behind_alerts().await, []);
    city.close().await;
}

#[tokio::test]
async fn a_draft_of_which_everything_was_taken_back_comes_to_nothing() {
    let city = City::open(Postgres).await;
    city.report(&[contact(1, 11, "500103001")]).await;
    city.take_back(&[1]).await;
    assert!(city.end_of_window().await.is_empty());
    city.report(&[contact(2, 11, "500103001")]).await;
    assert_eq!(city.end_of_window().await[0].residents(), [11], "nobody has told them");
    city.close().await;
}

#[rstest]
#[tokio::test]
async fn a_correction_changes_who_is_in_an_open_draft(#[values(Embedded, Postgres)] store: Store) {
    let city = City::open(store).await;
    city.report(&[contact(1, 11, "500103001"), contact(2, 12, "500103001")]).await;
    city.correct(1, contact(3, 13, "500103001")).await;
    city.correct(2, Record { kind: "secondary_contact", ..contact(4, 12, "500103001") }).await;
    let drafts = city.end_of_window().await;
    let mut told: Vec<_> =
        drafts.iter().map(|draft| (draft.content.source_note.contains("密切接触者：立即隔离"), draft.residents())).collect();
    told.sort();
    assert_eq!(told, [(false, vec![12]), (true, vec![13])]);
    city.close().await;
}

#[rstest]
#[tokio::test]
async fn review_is_told_once_of_whom_a_record_that_was_taken_back_brought_into_an_alert(#[values(Embedded, Postgres)] store: Store) {
    let city = City::open(store).await;
    city.report(&[contact(1, 11, "500103001"), contact(2, 12, "500103001")]).await;
    let draft = &city.end_of_window().await[0];
    city.take_back(&[1]).await;
    let told = city.ended_behind_alerts().await;
    let [(alert, entry)] = &told[..] else { panic!("{told:?}") };
    assert_eq!((alert, entry.record_no, entry.resident_no), (&draft.event.draft_id, 1, Some(11)));
    assert!(entry.retracted && !entry.still_named && !entry.still_met);
    assert_eq!(entry.reason, "同名误报");

    let records = city.get(OFFICER, &format!("/api/v1/alerts/{alert}/records")).await.1;
    let shown: Vec<_> = records["records"].as_array().unwrap().iter().map(|one| (&one["record_no"], &one["ended_how"])).collect();
    assert!(shown.contains(&(&json!(1), &json!("retract"))) && shown.contains(&(&json!(2), &json!(null))), "{records}");

    // a true record about them is told at once, whatever the cooldown of the false one
    city.report(&[contact(3, 11, "500103001"), contact(4, 12, "500103001")]).await;
    assert_eq!(city.end_of_window().await[0].residents(), [11]);
    city.close().await;
}

#[tokio::test]
async fn whom_another_record_names_stays_named() {
    let city = City::open(Postgres).await;
    city.report(&[contact(1, 11, "500103001"), contact(2, 11, "500103001")]).await;
    city.end_of_window().await;
    city.take_back(&[1]).await;
    assert!(city.ended_behind_alerts().await[0].1.still_named);
    city.take_back(&[2]).await;
    assert!(!city.ended_behind_alerts().await[0].1.still_named, "by none that holds");
    city.close().await;
}

#[tokio::test]
async fn a_corrected_record_that_still_meets_its_rule_for_the_same_person_says_so() {
    let city = City::open(Postgres).await;
    city.report(&[contact(1, 11, "500103001"), contact(2, 12, "500103001"), contact(3, 13, "500103001")]).await;
    city.end_of_window().await;
    city.correct(1, Record { attributes: json!({ "isolation_site": "酒店乙" }), ..contact(4, 11, "500103001") }).await;
    city.correct(2, contact(5, 22, "500103001")).await;
    city.correct(3, Record { kind: "test_result", ..contact(6, 13, "500103001") }).await;
    let met: Vec<_> = city.ended_behind_alerts().await.iter().map(|(_, entry)| (entry.record_no, entry.still_met)).collect();
    assert_eq!(met, [(1, true), (2, false), (3, false)]);
    assert_eq!(city.end_of_window().await[0].residents(), [22], "the right person is told, who was told is not told again");
    city.close().await;
}

#[rstest]
#[tokio::test]
async fn a_true_record_that_came_after_the_false_one_is_heard_when_that_is_taken_back(#[values(Embedded, Postgres)] store: Store) {
    let city = City::open(store).await;
    city.report(&[contact(1, 11, "500103001"), contact(2, 12, "500103001")]).await;
    city.end_of_window().await;
    // passed over: its rule has told them
    city.report(&[contact(3, 11, "500103002")]).await;
    assert!(city.end_of_window().await.is_empty());
    city.take_back(&[1]).await;
    assert!(!city.ended_behind_alerts().await[0].1.still_named);
    let drafts = city.end_of_window().await;
    assert_eq!(drafts.iter().map(Draft::residents).collect::<Vec<_>>(), [[11]], "by the record that holds");
    // and when that is taken back as well, nobody is gathered by it
    city.take_back(&[3]).await;
    assert_eq!(city.ended_behind_alerts().await.len(), 1);
    assert!(city.end_of_window().await.is_empty());
    city.close().await;
}

#[tokio::test]
async fn a_record_that_was_passed_over_and_taken_back_is_heard_by_nobody() {
    let city = City::open(Postgres).await;
    city.report(&[contact(1, 11, "500103001")]).await;
    city.end_of_window().await;
    city.report(&[contact(2, 11, "500103002")]).await;
    city.take_back(&[2]).await;
    city.take_back(&[1]).await;
    assert!(city.end_of_window().await.is_empty());
    city.close().await;
}

#[tokio::test]
async fn a_record_that_was_corrected_and_then_taken_back_is_told_to_review_both_times() {
    let city = City::open(Postgres).await;
    city.report(&[contact(1, 11, "500103001")]).await;
    let draft = &city.end_of_window().await[0];
    city.correct(1, Record { attributes: json!({ "isolation_site": "酒店乙" }), ..contact(2, 11, "500103001") }).await;
    let first = city.ended_behind_alerts().await;
    assert_eq!((first.len(), first[0].1.still_met, first[0].1.still_named), (1, true, false), "they may have been told what was wrong");
    city.take_back(&[2]).await;
    let second = city.ended_behind_alerts().await;
    assert_eq!((second.len(), &second[0].0, second[0].1.record_no), (1, &draft.event.draft_id, 2));
    city.close().await;
}

#[tokio::test]
async fn a_load_that_is_read_after_its_record_ended_brings_nobody() {
    let city = City::open(Postgres).await;
    let load = city.store(&[contact(1, 11, "500103001"), contact(2, 12, "500103001")]).await;
    // the load was read before the record left it, and is evaluated after its end was told
    city.take_back(&[1]).await;
    city.tell_of(&[load]).await;
    assert_eq!(city.end_of_window().await[0].residents(), [12]);
    city.close().await;
}
