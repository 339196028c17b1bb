//! Deadlines foreseen: alarms before they are missed, and the answer before an approval.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use domain::alert::DeliveryClass::{Routine, Urgent};
use domain::forecast::{Lane, LaneRate, Outlook};
use domain::ids::AlertId;
use domain::outcome::Channel;
use proto::{AlertInDanger, AlertOutOfDanger, OutOfDanger};
use rstest::rstest;
use serde_json::{Value, json};

use super::city::{named, noon};
use super::{City, Store, alert};
use crate::forecast::{Capacity, Forecaster};

/// One message in 50 seconds: 36 recipients in 30 minutes.
const SLOW: f64 = 0.02;

/// Dispatch's forecast with this rate of Firebase.
fn forecaster(city: &City, fcm: f64) -> Forecaster {
    let capacity = Capacity { fcm: LaneRate::Granted(fcm), ..Capacity::default() };
    Forecaster::new(&city.platform, &Arc::new(city.settings.clone()), capacity)
}

/// Looks until there is nothing left to count.
async fn look(forecaster: &Forecaster) {
    while forecaster.turn().await.unwrap() {}
}

/// Residents with an Android phone each.
async fn androids(city: &City, numbers: std::ops::RangeInclusive<u32>) {
    city.residents(numbers, true, true, false).await;
    sqlx::query("update resident.reach set fcm = app").execute(city.database().pool()).await.unwrap();
}

/// What was foreseen last for the alert's first wave.
async fn outlook(city: &City, alert_id: AlertId) -> Outlook {
    let stored: Value = sqlx::query_scalar("select outlook from dispatch.forecast where alert_id = $1 and wave = 1")
        .bind(alert_id.uuid())
        .fetch_one(city.database().pool())
        .await
        .unwrap();
    serde_json::from_value(stored).unwrap()
}

/// The alarms since the last look: (seconds to spare, reason, told before).
async fn alarms(city: &City) -> Vec<(i64, String, bool)> {
    city.told::<AlertInDanger>().await.into_iter().map(|alarm| (alarm.spare_s, alarm.because, alarm.again)).collect()
}

/// How dangers ended since the last look.
async fn relieved(city: &City) -> Vec<OutOfDanger> {
    city.told::<AlertOutOfDanger>().await.iter().map(AlertOutOfDanger::how).collect()
}

#[rstest]
#[case::embedded(Store::Embedded)]
#[case::postgres(Store::Postgres)]
#[tokio::test]
async fn an_alert_that_will_miss_its_deadline_raises_the_alarm_before_once_and_again_when_it_gets_worse(#[case] store: Store) {
    let city = City::new(store).await;
    androids(&city, 1..=40).await;
    let forecaster = forecaster(&city, SLOW);
    let alert_id = city.approve(Urgent, alert(), named(1..=40)).await;
    look(&forecaster).await;
    assert_eq!(alarms(&city).await, [(-200, "rate_fcm".to_owned(), false)], "2,000 seconds do not fit into 1,800, and it is not yet begun");
    assert_eq!(outlook(&city, alert_id).await.last_at, noon() + TimeDelta::seconds(2_000));

    city.forward(4);
    look(&forecaster).await;
    look(&forecaster).await;
    assert!(alarms(&city).await.is_empty(), "it is told, and hardly worse");
    city.forward(1);
    look(&forecaster).await;
    assert_eq!(alarms(&city).await, [(-500, "rate_fcm".to_owned(), true)]);
}

#[rstest]
#[case::embedded(Store::Embedded)]
#[case::postgres(Store::Postgres)]
#[tokio::test]
async fn a_provider_that_turns_out_slow_brings_danger_where_its_quota_would_hold_and_relief_when_it_recovers(#[case] store: Store) {
    let city = City::new(store).await;
    androids(&city, 1..=200).await;
    let forecaster = forecaster(&city, 1_000.0);
    let alert_id = city.approve(Urgent, alert(), named(1..=200)).await;
    city.plan().await;
    look(&forecaster).await;
    assert!(outlook(&city, alert_id).await.holds() && alarms(&city).await.is_empty());

    // One batch of five in a minute.
    let batch = city.pump().await[0];
    city.worker::<false>().work(batch).await.unwrap();
    city.forward(1);
    look(&forecaster).await;
    let [(spare_s, because, false)] = &alarms(&city).await[..] else { panic!("one alarm") };
    assert_eq!((*spare_s, because.as_str()), (1_740 - 1_950, "seen_app"), "195 recipients at 6 a minute");

    // Half of the rest in the next minute.
    while city.phones.sent.lock().unwrap().len() < 105 {
        city.send_window().await;
    }
    city.forward(1);
    look(&forecaster).await;
    assert_eq!(relieved(&city).await, [OutOfDanger::Recovered]);
    look(&forecaster).await;
    city.settle().await;
    look(&forecaster).await;
    assert!(alarms(&city).await.is_empty() && relieved(&city).await.is_empty(), "nothing else is told");
}

#[rstest]
#[case::reached_by_the_deadline(0, OutOfDanger::DoneInTime)]
#[case::reached_after_it(31, OutOfDanger::DoneLate)]
#[tokio::test]
async fn a_danger_ends_when_everybody_is_reached(#[case] minutes: u32, #[case] how: OutOfDanger) {
    let city = City::new(Store::Postgres).await;
    androids(&city, 1..=40).await;
    let forecaster = forecaster(&city, SLOW);
    city.approve(Urgent, alert(), named(1..=40)).await;
    look(&forecaster).await;
    assert_eq!(alarms(&city).await.len(), 1);
    city.forward(minutes);
    city.settle().await;
    look(&forecaster).await;
    assert_eq!(relieved(&city).await, [how]);
    assert_eq!(open(&city).await, 0);
}

#[tokio::test]
async fn a_danger_ends_when_the_alert_is_cancelled_before_its_release() {
    let city = City::new(Store::Postgres).await;
    androids(&city, 1..=400).await;
    city.clock().set(noon() + TimeDelta::hours(11));
    let forecaster = forecaster(&city, SLOW);
    let alert_id = city.approve(Routine, alert(), named(1..=400)).await;
    look(&forecaster).await;
    let seven: DateTime<Utc> = noon() + TimeDelta::hours(19);
    assert_eq!(outlook(&city, alert_id).await.last_at, seven + TimeDelta::seconds(20_000), "it begins in the morning");
    assert_eq!(alarms(&city).await.len(), 1);
    city.cancel(alert_id).await;
    look(&forecaster).await;
    assert_eq!(relieved(&city).await, [OutOfDanger::Stopped]);
    assert_eq!(open(&city).await, 0);
}

async fn open(city: &City) -> i64 {
    sqlx::query_scalar("select count(*) from dispatch.forecast where ended_at is null or told_s is not null")
        .fetch_one(city.database().pool())
        .await
        .unwrap()
}

#[tokio::test]
async fn who_is_not_planned_yet_counts_and_who_is_done_does_not() {
    let city = City::new(Store::Postgres).await;
    androids(&city, 1..=40).await;
    city.residents(41..=60, false, true, false).await;
    city.residents([61], false, false, false).await;
    let forecaster = forecaster(&city, 1.0);
    let alert_id = city.approve(Urgent, alert(), named(1..=61)).await;
    let left = async || {
        look(&forecaster).await;
        outlook(&city, alert_id).await.lanes.iter().map(|lane| (lane.lane, lane.recipients)).collect::<Vec<_>>()
    };
    assert_eq!(left().await, [(Lane::Fcm, 40), (Lane::Sms, 22)], "two of forty are taken to fall back");
    city.plan_chunk().await;
    assert_eq!(left().await, [(Lane::Fcm, 41), (Lane::Sms, 20)], "five are planned, of the others the shares are known");
    city.plan().await;
    assert_eq!(left().await, [(Lane::Fcm, 40), (Lane::Sms, 22)]);
    city.send_window().await;
    assert_eq!(city.phones.take(Channel::App).len(), 10);
    assert_eq!(left().await, [(Lane::Fcm, 30), (Lane::Sms, 12)]);
}

#[tokio::test]
async fn a_provider_that_puts_everything_off_brings_danger() {
    let city = City::new(Store::Postgres).await;
    androids(&city, 1..=10).await;
    let forecaster = forecaster(&city, 1_000.0);
    city.approve(Urgent, alert(), named(1..=10)).await;
    city.plan().await;
    look(&forecaster).await;
    for batch in city.pump().await {
        let claimed = city.ledger.claim(batch, "holder").await.unwrap().unwrap();
        let report = crate::ledger::Report {
            outcomes: claimed.outcomes.clone(),
            gone: vec![],
            again: vec![],
            first_hand_over_at: None,
            retry_after: None,
        };
        city.ledger.release(claimed, report, city.clock().now() + TimeDelta::hours(1)).await.unwrap();
    }
    look(&forecaster).await;
    assert_eq!(alarms(&city).await, [(-1_800, "waiting_app".to_owned(), false)], "nothing is tried before an hour");
}

async fn asked(forecaster: &Forecaster, question: Value) -> Value {
    let question = serde_json::from_value(question).unwrap();
    let asked = forecaster.count_asked(&question).await.unwrap();
    let answer = forecaster.answer(&question, asked).await.unwrap();
    serde_json::to_value(answer).unwrap()
}

/// The residents of the city.
const CITY: u64 = 32_054_159;

#[tokio::test]
async fn before_an_approval_dispatch_says_whether_the_deadline_can_be_held_and_what_stands_against_it() {
    let city = City::new(Store::Postgres).await;
    let question = json!({ "class": "urgent", "recipients": { "fcm": CITY } });
    let no = asked(&forecaster(&city, 10_000.0), question.clone()).await;
    assert_eq!((&no["holds"], &no["misses_by_s"], &no["spare_s"]), (&json!(false), &json!(1_406), &Value::Null));
    assert_eq!(no["because"]["brake"], json!({ "kind": "rate", "of": "fcm" }));
    assert_eq!(no["sentence_en"], "Misses the deadline by 24 min because of FCM: 600,000 a minute; 32,054,159 recipients take 54 min.");
    let yes = asked(&forecaster(&city, 20_000.0), question).await;
    assert_eq!((&yes["holds"], &yes["misses_by_s"], &yes["spare_s"]), (&json!(true), &Value::Null, &json!(197)));
    assert_eq!(city.told::<AlertInDanger>().await.len(), 0, "a question raises no alarm");
}

#[tokio::test]
async fn the_answer_knows_what_is_in_line_and_what_would_be_pushed_past_its_deadline() {
    let city = City::new(Store::Postgres).await;
    androids(&city, 1..=100).await;
    // 100 recipients take 100 of the 120 minutes.
    let forecaster = forecaster(&city, 1.0 / 60.0);
    city.approve(Routine, alert(), named(1..=100)).await;
    look(&forecaster).await;

    let urgent = asked(&forecaster, json!({ "class": "urgent", "audience": { "residents": (1..=25).collect::<Vec<u32>>() } })).await;
    assert_eq!((&urgent["holds"], &urgent["others_endangered"]), (&json!(true), &json!(1)));
    assert_eq!((&urgent["people"], &urgent["lanes"][0]["ahead"]), (&json!(30), &json!(0)));

    let routine = asked(&forecaster, json!({ "class": "routine", "recipients": { "fcm": 25 } })).await;
    assert_eq!((&routine["misses_by_s"], &routine["because"]["ahead"]), (&json!(300), &json!(100)));
    let few = asked(&forecaster, json!({ "class": "urgent", "audience": { "residents": [1, 2, 3] } })).await;
    assert_eq!(few["people"], 9, "fewer than ten");
    let at = |lane: &str| few["lanes"].as_array().unwrap().iter().find(|seen| seen["lane"] == lane).map(|seen| seen["recipients"].clone());
    assert_eq!((at("apns"), at("fcm")), (Some(json!(9)), Some(json!(9))), "whose phone is which is not told of a few");
    for nine in [1..=8, 1..=9] {
        let question = json!({ "class": "urgent", "audience": { "residents": nine.collect::<Vec<u32>>() } });
        assert_eq!(asked(&forecaster, question).await, few, "nor how many a few are");
    }
    let tomorrow = json!({ "class": "routine", "recipients": { "fcm": 25 }, "starts_at": noon() + TimeDelta::days(1) });
    let tomorrow = asked(&forecaster, tomorrow).await;
    assert_eq!((&tomorrow["holds"], &tomorrow["because"]["ahead"]), (&json!(true), &json!(0)));
}
