//! Stories of records that become drafts.

use crate::city::{City, OFFICER, REVIEWER, Record, contact};
use http::StatusCode;
use rstest::rstest;
use serde_json::json;
use stages::Store::{self, Embedded, Postgres};
use stages::{DAY, id};

const SITES: [(&str, &str); 2] = [("isolation_site", "区集中隔离点"), ("test_site", "区人民医院")];

#[rstest]
#[tokio::test]
async fn records_of_a_window_are_one_draft_for_each_rule_and_district(#[values(Embedded, Postgres)] store: Store) {
    let city = City::open(store).await;
    city.says("500103", &SITES).await;
    city.report(&[contact(1, 11, "500103001"), contact(2, 13, "500105001")]).await;
    city.report(&[contact(3, 12, "500103002"), Record { kind: "secondary_contact", ..contact(4, 14, "500103001") }]).await;

    let drafts = city.end_of_window().await;
    let told: Vec<_> = drafts.iter().map(|draft| (draft.event.district, draft.event.records, draft.residents())).collect();
    assert_eq!(told.len(), 3, "{told:?}");
    assert!(told.contains(&(500_103, 2, vec![11, 12])), "{told:?}");
    assert!(told.contains(&(500_103, 1, vec![14])), "{told:?}");
    assert_eq!(told[2], (500_105, 1, vec![13]));

    let contacts = drafts.iter().find(|draft| draft.residents() == [11, 12]).unwrap();
    assert_eq!(contacts.event.activated_by, id(OFFICER).to_string());
    assert_eq!(contacts.content.source_note, "2 条记录，来源：市疾控中心；规则：密切接触者：立即隔离 v1");
    assert!(contacts.chinese().sms.contains("立即到区集中隔离点隔离"), "{}", contacts.chinese().sms);
    assert!(contacts.chinese().instruction.contains("渝中区会安排接送"));
    assert_eq!(contacts.content.validate(city.platform.clock.now()), Ok(()));
    assert!(contacts.event.missing.is_empty());
    city.close().await;
}

#[rstest]
#[tokio::test]
async fn a_reviewer_reads_the_records_behind_a_draft_of_their_district_and_never_whom_they_name(
    #[values(Embedded, Postgres)] store: Store,
) {
    let city = City::open(store).await;
    city.says("500103", &SITES).await;
    city.says("500105", &SITES).await;
    city.report(&[contact(1, 11, "500103001"), contact(2, 12, "500103002"), contact(3, 13, "500105001")]).await;
    let drafts = city.end_of_window().await;
    let path = |district: u32| {
        let draft = drafts.iter().find(|draft| draft.event.district == district).unwrap();
        format!("/api/v1/alerts/{}/records", draft.event.draft_id)
    };
    let (status, behind) = city.get(REVIEWER, &path(500_103)).await;
    assert_eq!((status, &behind["total"]), (StatusCode::OK, &json!(2)), "{behind}");
    assert_eq!(behind["rule"]["name"], "密切接触者：立即隔离");
    let areas: Vec<_> = behind["records"].as_array().unwrap().iter().map(|record| record["area"].as_str().unwrap()).collect();
    assert_eq!(areas, ["500103002", "500103001"]);
    assert!(behind["records"][0].get("resident_no").is_none() && behind["records"][0]["about_person"] == true);
    let (status, problem) = city.get(REVIEWER, &path(500_105)).await;
    assert_eq!((status, &problem["code"]), (StatusCode::NOT_FOUND, &json!("no_records")));
    assert_eq!(city.get(OFFICER, &path(500_105)).await.0, StatusCode::OK);
    city.close().await;
}

#[rstest]
#[tokio::test]
async fn what_is_missing_is_listed_for_a_person_to_fill_in(#[values(Embedded, Postgres)] store: Store) {
    let city = City::open(store).await;
    city.report(&[contact(1, 11, "500103001")]).await;
    let [draft] = &city.end_of_window().await[..] else { panic!("one draft") };
    assert_eq!(draft.event.missing, ["isolation_site"]);
    assert!(draft.chinese().sms.contains("{isolation_site}"));
    city.close().await;
}

#[rstest]
#[tokio::test]
async fn a_repeated_event_changes_nothing_before_and_after_its_draft_is_closed(#[values(Embedded, Postgres)] store: Store) {
    let city = City::open(store).await;
    let load = city.report(&[contact(1, 11, "500103001")]).await;
    city.tell_of(&[load, load]).await;
    assert_eq!(city.end_of_window().await.len(), 1);
    city.tell_of(&[load]).await;
    assert_eq!(city.count("select count(*) from rules.draft").await, 1);
    assert!(city.end_of_window().await.is_empty());
    city.close().await;
}

#[rstest]
#[tokio::test]
async fn whom_a_rule_has_told_it_tells_again_only_after_its_cooldown(#[values(Embedded, Postgres)] store: Store) {
    let city = City::open(store).await;
    city.report(&[contact(1, 11, "500103001")]).await;
    assert_eq!(city.end_of_window().await[0].residents(), [11]);

    city.report(&[contact(2, 11, "500103001"), contact(3, 12, "500103001")]).await;
    assert_eq!(city.end_of_window().await[0].residents(), [12], "the first was told");

    city.platform.clock.forward(7 * DAY);
    city.report(&[contact(4, 11, "500103001")]).await;
    assert_eq!(city.end_of_window().await[0].residents(), [11], "a week has passed");
    city.close().await;
}

#[rstest]
#[tokio::test]
async fn a_draft_that_comes_to_nothing_gives_its_people_back(#[values(Embedded, Postgres)] store: Store) {
    let city = City::open(store).await;
    city.report(&[contact(1, 11, "500103001")]).await;
    let refused = &city.end_of_window().await[0];
    city.report(&[contact(2, 11, "500103001")]).await;
    assert!(city.end_of_window().await.is_empty(), "while it may still be approved they are not told by another");
    city.settles(refused, false).await;
    let second = &city.end_of_window().await[0];
    assert_eq!(second.residents(), [11], "nobody has told them: what came meanwhile is heard");
    city.settles(second, false).await;
    city.report(&[contact(3, 11, "500103001")]).await;
    let second = &city.end_of_window().await[0];
    assert_eq!(second.residents(), [11], "and so is what comes next");

    // one that was approved counts, whatever comes late about the other
    city.settles(second, true).await;
    city.settles(refused, false).await;
    city.report(&[contact(4, 11, "500103001")]).await;
    assert!(city.end_of_window().await.is_empty(), "they were told");
    // cancelled after all: what they were told is withdrawn, and the next contact is news
    city.settles(second, false).await;
    city.report(&[contact(5, 11, "500103001")]).await;
    assert_eq!(city.end_of_window().await[0].residents(), [11]);
    city.close().await;
}

#[rstest]
#[tokio::test]
async fn a_draft_that_nobody_decides_about_holds_its_people_no_longer_than_it_would_be_valid(#[values(Embedded, Postgres)] store: Store) {
    let city = City::open(store).await;
    let longer = "update rules.rule_version set definition = jsonb_set(definition, '{validity_s}', '86400')";
    sqlx::query(longer).execute(city.pool()).await.unwrap();
    city.report(&[contact(1, 11, "500103001")]).await;
    assert_eq!(city.end_of_window().await[0].residents(), [11]);
    city.report(&[contact(2, 11, "500103001")]).await;
    assert!(city.end_of_window().await.is_empty(), "the first may still be approved");
    city.platform.clock.forward(DAY);
    stages::until("what came meanwhile is gathered", async || {
        city.count("select count(*) from rules.draft where closed_at is null").await == 1
    })
    .await;
    assert_eq!(city.end_of_window().await[0].residents(), [11], "a week of cooldown has not passed, but nobody was told");
    city.platform.clock.forward(DAY);
    city.report(&[contact(3, 11, "500103001")]).await;
    assert_eq!(city.end_of_window().await[0].residents(), [11], "and so with what comes then");
    city.close().await;
}

#[tokio::test]
async fn what_was_rightly_passed_over_stays_so_whatever_becomes_of_a_later_draft() {
    let city = City::open(Postgres).await;
    city.report(&[contact(1, 11, "500103001")]).await;
    city.settles(&city.end_of_window().await[0], true).await;
    city.report(&[contact(2, 11, "500103001")]).await;
    assert!(city.end_of_window().await.is_empty(), "they were told");
    city.platform.clock.forward(7 * DAY);
    city.report(&[contact(3, 11, "500103001")]).await;
    city.settles(&city.end_of_window().await[0], false).await;
    assert!(city.end_of_window().await.is_empty(), "the second record was answered by the first draft");
    city.close().await;
}

#[tokio::test]
async fn who_is_told_by_a_draft_that_is_approved_after_all_counts_as_told() {
    let city = City::open(Postgres).await;
    let longer = "update rules.rule_version set definition = jsonb_set(definition, '{validity_s}', '86400')";
    sqlx::query(longer).execute(city.pool()).await.unwrap();
    city.report(&[contact(1, 11, "500103001")]).await;
    let draft = &city.end_of_window().await[0];
    city.platform.clock.forward(2 * DAY);
    stages::until("its claim has lapsed", async || city.count("select count(*) from rules.alerted").await == 0).await;
    // its validity was extended in review, and it was approved
    city.settles(draft, true).await;
    city.report(&[contact(2, 11, "500103001")]).await;
    assert!(city.end_of_window().await.is_empty());
    city.close().await;
}

#[tokio::test]
async fn a_draft_says_who_of_staff_had_a_hand_in_it() {
    let city = City::open(Postgres).await;
    let load = city.store(&[contact(1, 11, "500103001"), contact(2, 12, "500103001")]).await;
    let reviewer = uuid::Uuid::from_u128(7);
    let entered = "update ingest.record_feed set source = 'staff:' || $1::text where record_id = 2";
    sqlx::query(entered).bind(reviewer.to_string()).execute(city.pool()).await.unwrap();
    city.tell_of(&[load]).await;
    let drafts = city.end_of_window().await;
    let mut expected = [reviewer.to_string(), id(OFFICER).to_string()];
    expected.sort();
    assert_eq!(drafts[0].event.involved, expected, "who entered a record, and who wrote the rule");
    city.close().await;
}

#[rstest]
#[tokio::test]
async fn who_is_reported_in_two_districts_is_told_once_and_the_empty_draft_closes_silently(#[values(Embedded, Postgres)] store: Store) {
    let city = City::open(store).await;
    city.report(&[contact(1, 11, "500103001"), contact(2, 11, "500105001")]).await;
    assert_eq!(city.count("select count(*) from rules.draft where closed_at is null").await, 2);
    let drafts = city.end_of_window().await;
    assert_eq!(drafts.len(), 1);
    assert_eq!(drafts[0].residents(), [11]);
    city.close().await;
}

#[rstest]
#[tokio::test]
async fn a_stranger_is_told_when_they_have_registered(#[values(Embedded, Postgres)] store: Store) {
    let city = City::open(store).await;
    let stranger = Record { resident: None, subject: "phone", ..contact(1, 0, "500103") };
    city.report(&[stranger]).await;
    assert!(city.end_of_window().await.is_empty());
    // ingest names the record again, under another load, with its resident
    city.report(&[contact(1, 11, "500103001")]).await;
    assert_eq!(city.end_of_window().await[0].residents(), [11]);
    city.close().await;
}

#[rstest]
#[tokio::test]
async fn a_place_is_told_to_its_neighbourhood(#[values(Embedded, Postgres)] store: Store) {
    let city = City::open(store).await;
    let community: &'static str = domain::place::communities()[0].code.to_string().leak();
    let attributes = json!({ "place": "中心农贸市场", "reported_by_name": "某人" });
    let report = Record { kind: "community_report", resident: None, subject: "place", attributes, ..contact(1, 0, community) };
    let nowhere = Record { id: 2, area: &community[..6], ..report.clone() };
    city.report(&[report, nowhere]).await;

    let [draft] = &city.end_of_window().await[..] else { panic!("one draft") };
    let audience = serde_json::to_value(&draft.audience).unwrap();
    assert_eq!(audience["query"]["include"][0]["areas"], json!([community]));
    let place = draft.content.place.as_ref().unwrap();
    assert_eq!((place.name.as_str(), place.area.to_string().as_str()), ("中心农贸市场", community));
    assert_eq!(draft.chinese().headline, "请暂时不要前往中心农贸市场");
    assert_eq!(draft.event.records, 1, "where the other place lies is not known, and a district is no neighbourhood");
    let kept = city.count("select count(*) from rules.match where attributes ? 'reported_by_name'").await;
    assert_eq!(kept, 0, "only what texts can name is kept");
    city.close().await;
}

/// Two sets of handlers and workers stand for two processes: each has its own rulebook, and both read the same queue, one in chunks smaller than a load.
#[rstest]
#[tokio::test]
async fn two_processes_that_evaluate_a_load_at_once_make_one_draft(#[values(Embedded, Postgres)] store: Store) {
    let city = City::open(store).await;
    let other = rules::Settings { chunk: 7, ..rules::Settings::default() };
    let _other = rules::start(&city.platform, other).await.unwrap();
    let mut loads = Vec::new();
    for start in [0, 20, 40] {
        let records: Vec<_> = (start + 1..=start + 20).map(|number| contact(number.into(), number, "500103001")).collect();
        loads.push(city.store(&records).await);
    }
    let each_four_times: Vec<_> = loads.iter().cycle().take(12).copied().collect();
    city.tell_of(&each_four_times).await;

    let [draft] = &city.end_of_window().await[..] else { panic!("one draft") };
    assert_eq!(draft.event.records, 60);
    assert_eq!(draft.residents(), (1..=60).collect::<Vec<u32>>());
    assert_eq!(city.count("select count(*) from rules.draft").await, 1);
    city.close().await;
}
