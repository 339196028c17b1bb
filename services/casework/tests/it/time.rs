//! What time does to cases.

use serde_json::{Value, json};
use stages::{DAY, HOUR, MINUTE, Store};

use crate::city::{City, HANDLER, LEAD, SUPERVISOR, question};

fn clock<'a>(file: &'a Value, promise: &str) -> &'a Value {
    file["clocks"].as_array().unwrap().iter().rfind(|clock| clock["promise"] == promise).unwrap_or(&Value::Null)
}

#[tokio::test]
async fn a_period_leaves_golden_week_out_and_says_why_day_by_day() {
    let city = City::open_at(Store::Embedded, "2026-09-30T10:00:00+08:00".parse().unwrap()).await;
    let case = city.at_work("simple").await;
    let due = city.looks(&case).await["due"].clone();
    assert_eq!((&due["day"], &due["provisional"]), (&json!("2026-10-10"), &json!(false)), "8, 9 and the Saturday that makes up");
    let counted: Vec<_> = due["why"].as_array().unwrap().iter().filter(|day| day["counts"] == true).map(|day| day["day"].clone()).collect();
    assert_eq!(counted, [json!("2026-10-08"), json!("2026-10-09"), json!("2026-10-10")]);
    city.close().await;
}

#[tokio::test]
async fn what_reaches_into_a_year_without_a_notice_is_due_provisionally() {
    let city = City::open_at(Store::Embedded, "2026-12-31T10:00:00+08:00".parse().unwrap()).await;
    let case = city.at_work("simple").await;
    let due = city.looks(&case).await["due"].clone();
    assert_eq!((&due["day"], &due["provisional"]), (&json!("2027-01-06"), &json!(true)), "New Year's Day does not count");
    let (_, days) = city.get(HANDLER, "/api/v1/casework/calendar?from=2026-12-31&working_days=3").await;
    assert_eq!(days["due"], "2027-01-06");
    assert_eq!(days["days"][1]["reason"], "provisional_holiday");
    city.close().await;
}

#[tokio::test]
async fn the_clock_stands_still_while_the_citizen_is_asked_and_goes_on_when_their_time_is_over() {
    let city = City::open(Store::Embedded).await;
    let case = city.at_work("complex").await;
    let before = clock(&city.file(HANDLER, &case).await, "finish")["due_at"].clone();
    city.does(HANDLER, &case, "ask_citizen", json!({ "text": "请补充接种记录" })).await;
    // ten working days after 10 March end with the 24th
    city.forward_with_jobs(DAY * 15).await;
    let file = city.file(HANDLER, &case).await;
    assert_eq!(file["state"], "working", "it goes on without what was asked");
    let finish = clock(&file, "finish");
    assert_ne!(finish["due_at"], before);
    assert_eq!((&finish["paused_days"], &finish["changes"][0]["why"]), (&json!(10), &json!("pause")));
    assert_eq!(city.refuses(HANDLER, &case, "ask_citizen", json!({ "text": "再补充" })).await, "pause_used_up");
    city.close().await;
}

#[tokio::test]
async fn more_time_is_asked_for_once_and_given_by_supervision() {
    let city = City::open(Store::Embedded).await;
    let case = city.at_work("complex").await;
    let before = clock(&city.file(HANDLER, &case).await, "finish")["due_day"].clone();
    let too_long = json!({ "working_days": 8, "reason": "需现场核实" });
    assert_eq!(city.refuses(LEAD, &case, "ask_extension", too_long).await, "extension_too_long");
    city.does(LEAD, &case, "ask_extension", json!({ "working_days": 5, "reason": "需现场核实" })).await;
    let (_, asked) = city.get(SUPERVISOR, "/api/v1/casework/cases?list=extensions").await;
    assert_eq!(asked["cases"][0]["number"], json!(case.number));
    let file = city.does(SUPERVISOR, &case, "grant_extension", json!({})).await;
    let finish = clock(&file, "finish");
    assert_eq!(
        (&before, &finish["due_day"], &finish["extended_days"]),
        (&json!("2026-03-31"), &json!("2026-04-08"), &json!(5)),
        "over Qingming"
    );
    assert_eq!(city.refuses(LEAD, &case, "ask_extension", json!({ "working_days": 1, "reason": "再延" })).await, "extension_used");
    city.close().await;
}

#[tokio::test]
async fn a_promise_warns_before_it_is_broken_and_is_late_afterwards() {
    let city = City::open(Store::Embedded).await;
    let case = city.at_work("complex").await;
    let listed = async |list: &str| {
        let (_, found) = city.get(SUPERVISOR, &format!("/api/v1/casework/cases?list={list}")).await;
        found["cases"].as_array().unwrap().len()
    };
    // the unit tells how far it is, so that only the period itself is near its end
    city.forward_with_jobs(DAY * 17).await;
    city.does(HANDLER, &case, "report_progress", json!({ "text": "核实中" })).await;
    city.forward_with_jobs(DAY).await;
    let file = city.file(SUPERVISOR, &case).await;
    assert_eq!(clock(&file, "finish")["warning"], 80);
    assert_eq!((listed("endangered").await, listed("late").await), (1, 0));
    city.forward_with_jobs(DAY * 7).await;
    assert_eq!((listed("endangered").await, listed("late").await), (0, 1));
    let (_, overview) = city.get(SUPERVISOR, "/api/v1/casework/overview").await;
    assert_eq!((&overview["late"], &overview["units"][0]["late"]), (&json!(1), &json!(1)));
    city.close().await;
}

#[tokio::test]
async fn an_answer_that_nobody_objects_to_is_closed_after_fifteen_days() {
    let city = City::open(Store::Embedded).await;
    let case = city.at_work("simple").await;
    city.answered_by(&case, HANDLER, LEAD).await;
    city.forward_with_jobs(DAY * 14).await;
    assert_eq!(city.looks(&case).await["state"], "told");
    city.forward_with_jobs(DAY + MINUTE).await;
    assert_eq!(city.looks(&case).await["state"], "closed");
    city.close().await;
}

#[tokio::test]
async fn another_grade_wins_a_unit_no_time() {
    let city = City::open(Store::Embedded).await;
    let case = city.at_work("complex").await;
    let before = clock(&city.file(HANDLER, &case).await, "finish")["due_at"].clone();
    let regraded = |grade: &str| json!({ "urgency": "urgent", "grade": grade, "reason": "影响面大" });
    assert_eq!(city.refuses(LEAD, &case, "regrade", regraded("major")).await, "wrong_role");
    let major = city.does(SUPERVISOR, &case, "regrade", regraded("major")).await;
    assert_eq!((&clock(&major, "finish")["due_at"], &major["grade"]), (&before, &json!("major")));
    city.platform.clock.forward(HOUR);
    let simple = city.does(SUPERVISOR, &case, "regrade", regraded("simple")).await;
    assert_eq!(clock(&simple, "finish")["due_day"], "2026-03-13");
    city.close().await;
}

#[tokio::test]
async fn urgent_help_goes_first_and_says_how_long_it_waits() {
    let city = City::open(Store::Embedded).await;
    city.calls(question()).await;
    city.platform.clock.forward(MINUTE);
    let help = json!({ "kind": "urgent_help", "text": "老人独居断药", "district": "500103", "phone": "19012345678" });
    let case = city.brings(help).await;
    let (_, desk) = city.get(crate::city::OPERATOR, "/api/v1/casework/cases?list=desk").await;
    assert_eq!((&desk["cases"][0]["number"], &desk["cases"][0]["urgency"]), (&json!(case.number), &json!("top")));
    city.forward_with_jobs(MINUTE * 3).await;
    let (_, overview) = city.get(SUPERVISOR, "/api/v1/casework/overview").await;
    assert_eq!(overview["urgent_waiting_s"], 180);
    city.close().await;
}

#[tokio::test]
async fn when_the_holidays_of_a_year_are_announced_open_clocks_are_counted_again_and_keep_what_was() {
    let city = City::open_at(Store::Embedded, "2026-12-31T10:00:00+08:00".parse().unwrap()).await;
    let case = city.at_work("simple").await;
    let directory = tempfile::tempdir().unwrap();
    let notice = directory.path().join("working-days.csv");
    // as if the notice moved a day of New Year, and Monday the 4th were free as well
    std::fs::write(&notice, "day,kind,holiday\n2027-01-01,rest,new_year\n2027-01-04,rest,new_year\n").unwrap();
    let settings = casework::Settings { days_file: Some(notice), ..casework::Settings::default() };
    let announced = City::beside_with(&city, settings).await;
    announced.forward_with_jobs(MINUTE * 2).await;
    let file = announced.file(HANDLER, &case).await;
    let finish = clock(&file, "finish");
    assert_eq!((&finish["due_day"], &finish["provisional"]), (&json!("2027-01-07"), &json!(false)));
    let moved = &finish["changes"][0];
    assert_eq!((&moved["why"], &moved["from"]), (&json!("notice"), &json!("2027-01-06T16:00:00Z")));
    city.close().await;
}
