//! Stories of many who say "I have read it" at once, and of how long it is kept.

use crate::city::{Alert, City, Person, alert};
use chrono::TimeDelta;
use domain::ids::AlertId;
use futures::future::join_all;
use http::StatusCode;
use metrics_exporter_prometheus::PrometheusBuilder;
use rstest::rstest;
use serde_json::{Value, json};
use stages::Store::{self, Embedded, Services};
use stages::{HOUR, MINUTE, until};
use uuid::{NoContext, Timestamp, Uuid};

async fn crowd(city: &City, people: u32) -> Vec<Person> {
    let mut crowd = Vec::new();
    for number in 0..people {
        crowd.push(city.register(&format!("138{number:08}")).await);
    }
    crowd
}

/// Everybody taps so many times, all at once; the answers by person.
async fn tap(city: &City, crowd: &[Person], alert: &Alert, times: usize) -> Vec<Vec<(StatusCode, Value)>> {
    join_all(crowd.iter().map(|person| join_all((0..times).map(|_| city.acknowledge(person, alert))))).await
}

#[rstest]
#[tokio::test]
async fn a_flood_of_taps_is_recorded_together_and_each_person_counts_once(#[values(Embedded, Services)] store: Store) {
    let recorder = PrometheusBuilder::new().build_recorder();
    let _counting = metrics::set_default_local_recorder(&recorder);
    let city = City::open(store).await;
    let crowd = crowd(&city, 30).await;
    let water = alert("AB2C", "请煮沸饮用水");
    city.release(&water, &crowd.iter().collect::<Vec<_>>()).await;

    for person in tap(&city, &crowd, &water, 3).await {
        assert!(person.iter().all(|answer| answer.0 == StatusCode::OK && answer == &person[0]), "{person:?}");
    }
    city.platform.clock.forward(HOUR);
    for person in tap(&city, &crowd[..5], &water, 1).await {
        assert_eq!(person[0].1["acknowledged_at"], "2026-03-10T04:00:01Z", "a repeat hears of the first");
    }
    let recorded: Vec<i32> = city.acknowledged(&water).await.into_iter().map(|(no, _)| no).collect();
    assert_eq!(recorded, crowd.iter().map(|person| person.no.cast_signed()).collect::<Vec<_>>());

    let counted = recorder.handle().render();
    assert!(counted.contains("acknowledgements_total{by=\"app\"} 30\n"), "{counted}");
    assert!(counted.contains("gathered_items_total{name=\"resident.acknowledgements\"} 95\n"), "{counted}");
    let batches = counted.lines().find_map(|line| line.strip_prefix("gathered_batches_total{name=\"resident.acknowledgements\"} "));
    assert!(batches.unwrap().parse::<u32>().unwrap() < 48, "{batches:?} statements for 95 taps");
    city.close().await;
}

#[rstest]
#[tokio::test]
async fn an_acknowledgement_that_cannot_be_stored_fails_nobody_elses(#[values(Embedded, Services)] store: Store) {
    let city = City::open(store).await;
    let crowd = crowd(&city, 12).await;
    let water = alert("AB2C", "请煮沸饮用水");
    city.release(&water, &crowd.iter().collect::<Vec<_>>()).await;
    let refuse = format!("alter table resident.acknowledgement add constraint refused check (resident_no <> {})", crowd[7].no);
    sqlx::raw_sql(sqlx::AssertSqlSafe(refuse)).execute(city.pool()).await.unwrap();

    let answers = tap(&city, &crowd, &water, 1).await;
    let refused: Vec<usize> = (0..12).filter(|at| answers[*at][0].0 != StatusCode::OK).collect();
    assert_eq!((refused, answers[7][0].0), (vec![7], StatusCode::SERVICE_UNAVAILABLE));
    assert_eq!(city.acknowledged(&water).await.len(), 11);

    sqlx::raw_sql("alter table resident.acknowledgement drop constraint refused").execute(city.pool()).await.unwrap();
    assert_eq!(city.acknowledge(&crowd[7], &water).await.0, StatusCode::OK, "trying again helps when the cause is gone");
    city.close().await;
}

#[rstest]
#[tokio::test]
async fn in_one_flood_everybody_is_told_of_their_own_inbox(#[values(Embedded, Services)] store: Store) {
    let city = City::open(store).await;
    let crowd = crowd(&city, 6).await;
    let (water, fire) = (alert("AB2C", "请煮沸饮用水"), alert("AB2D", "请勿外出"));
    city.release(&water, &crowd[..3].iter().collect::<Vec<_>>()).await;
    city.release(&fire, &crowd[3..].iter().collect::<Vec<_>>()).await;

    let (of_water, of_fire) = tokio::join!(tap(&city, &crowd, &water, 1), tap(&city, &crowd, &fire, 1));
    let statuses = |answers: Vec<Vec<(StatusCode, Value)>>| answers.into_iter().map(|answer| answer[0].0.as_u16()).collect::<Vec<_>>();
    assert_eq!((statuses(of_water), statuses(of_fire)), (vec![200, 200, 200, 404, 404, 404], vec![404, 404, 404, 200, 200, 200]));
    assert_eq!((city.acknowledged(&water).await.len(), city.acknowledged(&fire).await.len()), (3, 3));
    city.close().await;
}

#[rstest]
#[tokio::test]
async fn what_was_acknowledged_without_a_network_counts_from_then(#[values(Embedded, Services)] store: Store) {
    let city = City::open(store).await;
    let crowd = crowd(&city, 5).await;
    let water = alert("AB2C", "请煮沸饮用水");
    city.release(&water, &crowd.iter().collect::<Vec<_>>()).await;
    let clock = &city.platform.clock;
    let minutes = TimeDelta::minutes;

    clock.forward(HOUR);
    let (status, answer) = city.acknowledge_late(&crowd[0], &water, minutes(20)).await;
    assert_eq!((status, &answer["acknowledged_at"]), (StatusCode::OK, &json!("2026-03-10T04:40:01Z")));
    let (status, answer) = city.acknowledge_late(&crowd[1], &water, minutes(10_000)).await;
    assert_eq!((status, &answer["acknowledged_at"]), (StatusCode::OK, &json!("2026-03-10T04:00:01Z")), "not before it was there");

    // ten minutes after its end
    clock.forward(3 * HOUR + 10 * MINUTE);
    let (status, answer) = city.acknowledge_late(&crowd[2], &water, minutes(15)).await;
    assert_eq!((status, &answer["acknowledged_at"]), (StatusCode::OK, &json!("2026-03-10T07:55:01Z")));
    assert_eq!(city.acknowledge_late(&crowd[3], &water, minutes(5)).await.0, StatusCode::NOT_FOUND, "given when it was over");
    assert_eq!(city.acknowledge(&crowd[3], &water).await.0, StatusCode::NOT_FOUND);
    assert!(city.inbox(&crowd[2]).await.is_empty(), "it is in nobody's inbox any more");

    // another alert makes the copy of this process new: what is over is still known
    city.release(&alert("AB2D", "请勿外出"), &[&crowd[4]]).await;
    clock.forward(22 * HOUR);
    assert_eq!(city.acknowledge_late(&crowd[3], &water, minutes(23 * 60)).await.0, StatusCode::OK);
    clock.forward(2 * HOUR);
    assert_eq!(city.acknowledge_late(&crowd[4], &water, minutes(25 * 60)).await.0, StatusCode::NOT_FOUND, "for a day, not for ever");
    assert_eq!(city.acknowledged(&water).await.len(), 4);
    city.close().await;
}

#[rstest]
#[tokio::test]
async fn two_devices_and_a_reply_acknowledge_once_with_the_time_of_the_first(#[values(Embedded, Services)] store: Store) {
    let city = City::open(store).await;
    let reader = city.register("13812345678").await;
    city.platform.clock.forward(2 * MINUTE);
    let again = city.register("13812345678").await;
    assert_eq!(reader.no, again.no);
    let water = alert("AB2C", "请煮沸饮用水");
    city.release(&water, &[&reader]).await;
    let first = city.acknowledge(&reader, &water).await.1;
    city.platform.clock.forward(HOUR);
    city.reply("13812345678", "1", "a").await;
    assert_eq!(city.acknowledge_late(&again, &water, TimeDelta::minutes(50)).await, (StatusCode::OK, first));
    assert_eq!(city.acknowledged(&water).await, [(reader.no.cast_signed(), "app".to_owned())]);
    city.close().await;
}

#[rstest]
#[tokio::test]
async fn acknowledgements_lie_in_the_month_of_their_alert_and_are_dropped_after_two_years(#[values(Embedded, Services)] store: Store) {
    let city = City::open(store).await;
    let reader = city.register("13812345678").await;
    let seconds = city.platform.clock.now().timestamp().unsigned_abs();
    let march = AlertId::from_uuid(Uuid::new_v7(Timestamp::from_unix(NoContext, seconds, 0)));
    let water = Alert { id: march, ..alert("AB2C", "请煮沸饮用水") };
    let there = async |month: &str| {
        let count = format!("select count(*) from pg_class where oid = to_regclass('resident.acknowledgement_{month}')");
        city.count(sqlx::AssertSqlSafe(count)).await == 1
    };
    until("the coming months have their tables", async || there("2026_03").await && there("2026_05").await).await;
    city.release(&water, &[&reader]).await;
    assert_eq!(city.acknowledge(&reader, &water).await.0, StatusCode::OK);
    assert_eq!(city.count("select count(*) from resident.acknowledgement_2026_03").await, 1);

    city.platform.clock.set("2028-03-31T23:59:59Z".parse().unwrap());
    until("the months after have their tables", async || there("2028_05").await).await;
    assert_eq!(city.acknowledged(&water).await.len(), 1, "it is kept for two years");
    // when the job is due next: every six hours, at twelve past, by the city's clock
    city.platform.clock.set("2028-04-01T04:12:00Z".parse().unwrap());
    until("the old month is dropped", async || !there("2026_03").await).await;
    assert!(city.acknowledged(&water).await.is_empty());
    city.close().await;
}

#[tokio::test]
async fn keeping_acknowledgements_for_less_time_than_an_alert_may_live_is_refused() {
    let platform = Embedded.open().await;
    for months in [0, 1, 2] {
        let settings = resident::Settings { keep_acknowledgements_months: months, ..resident::Settings::default() };
        let Err(refused) = resident::start(&platform, settings).await else { panic!("it starts") };
        assert!(refused.to_string().contains("resident.keep_acknowledgements_months"), "{refused}");
    }
    stages::close(&platform).await;
}
