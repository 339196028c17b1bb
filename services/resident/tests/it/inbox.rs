//! Stories of the inbox and of "I have read it".

use chrono::TimeDelta;

use crate::city::{Alert, City, Person, alert, text};
use domain::ids::AlertId;
use http::StatusCode;
use proto::{AlertClosed, AlertReleased};
use rstest::rstest;
use serde_json::{Value, json};
use stages::Store::{self, Embedded, Services};
use stages::views;
use stages::{HOUR, MINUTE};

async fn headlines(city: &City, person: &Person) -> Vec<String> {
    city.inbox(person).await.iter().map(|item| text(&item["text"]["headline"])).collect()
}

#[rstest]
#[tokio::test]
async fn an_inbox_holds_the_alerts_for_its_owner_newest_first_in_their_language(#[values(Embedded, Services)] store: Store) {
    let city = City::open(store).await;
    let reader = city.register("13812345678").await;
    let foreigner = city.register_with("13900001111", json!({ "language": "en" })).await;
    let water = Alert { english: Some("Boil your water"), ..alert("AB2C", "请煮沸饮用水") };
    city.release(&water, &[&reader, &foreigner]).await;
    city.release(&alert("AB2D", "请检测"), &[&foreigner]).await;

    assert_eq!(headlines(&city, &reader).await, ["请煮沸饮用水"]);
    assert_eq!(headlines(&city, &foreigner).await, ["请检测", "Boil your water"], "Chinese where there is no English");
    let [item] = &city.inbox(&reader).await[..] else { panic!("one") };
    assert_eq!((&item["state"], &item["acknowledged_at"], &item["short_code"]), (&json!("live"), &Value::Null, &json!("AB2C")));
    city.close().await;
}

#[rstest]
#[tokio::test]
async fn who_is_planned_later_gets_it_with_the_next_event(#[values(Embedded, Services)] store: Store) {
    let city = City::open(store).await;
    let (first, second) = (city.register("13812345678").await, city.register("13900001111").await);
    let water = alert("AB2C", "请煮沸饮用水");
    city.release(&water, &[&first]).await;
    assert_eq!(headlines(&city, &second).await, [""; 0]);
    city.release(&water, &[&first, &second]).await;
    assert_eq!(headlines(&city, &second).await, ["请煮沸饮用水"]);
    assert_eq!(headlines(&city, &first).await, ["请煮沸饮用水"], "once");
    city.close().await;
}

/// Dispatch knows when it reminds the silent only once everybody was told; then it tells of the alert once more.
#[rstest]
#[tokio::test]
async fn until_when_to_acknowledge_is_told_as_dispatch_has_it_last(#[values(Embedded, Services)] store: Store) {
    let city = City::open(store).await;
    let reader = city.register("13812345678").await;
    let water = alert("AB2C", "请煮沸饮用水");
    city.release(&water, &[&reader]).await;
    let told = city.inbox(&reader).await[0]["ack_by"].clone();
    let later =
        "with later as (update dispatch.released_alert set ack_by = ack_by + interval '3 hours' returning 1) select count(*) from later";
    assert_eq!(city.count(later).await, 1);
    assert_eq!(city.inbox(&reader).await[0]["ack_by"], told);
    city.tell(&AlertReleased { alert_id: water.id.to_string() }).await;
    let then = |time: &Value| text(time).parse::<chrono::DateTime<chrono::Utc>>().unwrap();
    assert_eq!(then(&city.inbox(&reader).await[0]["ack_by"]), then(&told) + TimeDelta::hours(3));
    city.close().await;
}

#[rstest]
#[tokio::test]
async fn one_alert_that_cannot_be_read_hides_no_other() {
    let city = City::open(Embedded).await;
    let reader = city.register("13812345678").await;
    city.release(&alert("AB2C", "坏"), &[&reader]).await;
    let damage = "with damaged as (update resident.alert set content = '[]', revision = nextval('resident.alert_revision') returning 1)
        select count(*) from damaged";
    assert_eq!(city.count(damage).await, 1);
    city.release(&alert("AB2D", "好"), &[&reader]).await;
    assert_eq!(headlines(&city, &reader).await, ["好"]);
    city.close().await;
}

#[rstest]
#[tokio::test]
async fn what_was_cancelled_or_corrected_says_so_until_it_expires(#[values(Embedded, Services)] store: Store) {
    let city = City::open(store).await;
    let reader = city.register("13812345678").await;
    let [mistaken, imprecise, over] = [alert("AB2C", "误"), alert("AB2D", "不详"), alert("AB2E", "已结束")];
    let precise = Alert { valid: TimeDelta::hours(8), ..alert("AB2F", "详") };
    for alert in [&mistaken, &imprecise, &over, &precise] {
        city.release(alert, &[&reader]).await;
    }
    assert_eq!(city.inbox(&reader).await.len(), 4);
    city.stop(&mistaken, None, "wrong_finding").await;
    city.stop(&imprecise, Some(precise.id), "").await;
    city.tell(&AlertClosed { alert_id: over.id.to_string(), at_ms: 0 }).await;
    city.stop(&over, None, "太迟").await;

    let inbox = city.inbox(&reader).await;
    let told: Vec<_> = inbox.iter().map(|item| (text(&item["text"]["headline"]), text(&item["state"]))).collect();
    let expected = [("详", "live"), ("已结束", "closed"), ("不详", "superseded"), ("误", "cancelled")];
    assert_eq!(told, expected.map(|(headline, state)| (headline.to_owned(), state.to_owned())));
    assert_eq!(inbox[2]["superseded_by"], json!(precise.id));
    assert_eq!(inbox[3]["stop_reason"], json!("依据的检测结果或报告已更正"));

    city.platform.clock.forward(4 * HOUR);
    assert_eq!(headlines(&city, &reader).await, ["详"], "no event is needed for that");
    city.close().await;
}

#[rstest]
#[tokio::test]
async fn while_an_alert_is_checked_it_stands_with_a_line_that_says_so_and_nothing_is_taken_back(
    #[values(Embedded, Services)] store: Store,
) {
    let city = City::open(store).await;
    let reader = city.register("13812345678").await;
    let water = alert("AB2C", "请煮沸饮用水");
    city.release(&water, &[&reader]).await;
    assert_eq!(city.inbox(&reader).await[0]["being_checked"], Value::Null);
    city.check(&water, true).await;
    let item = city.inbox(&reader).await[0].clone();
    assert_eq!((&item["state"], &item["being_checked"]), (&json!("live"), &json!("此提醒正在核实，结论出来前请仍按原要求做。")));

    city.check(&water, false).await;
    assert_eq!(city.inbox(&reader).await[0]["being_checked"], Value::Null, "it holds");
    // a stop of which no event has told is found
    views::held(&city.platform, water.id, true).await;
    city.forward_with_jobs(2 * MINUTE).await;
    assert!(city.inbox(&reader).await[0]["being_checked"].is_string());
    city.stop(&water, None, "over").await;
    let item = city.inbox(&reader).await[0].clone();
    assert_eq!((&item["state"], &item["being_checked"]), (&json!("all_clear"), &Value::Null), "two people have said that it is over");
    city.close().await;
}

#[rstest]
#[tokio::test]
async fn an_alert_that_was_stopped_before_its_release_arrived_is_shown_as_stopped(#[values(Embedded, Services)] store: Store) {
    let city = City::open(store).await;
    let reader = city.register("13812345678").await;
    let mistaken = alert("AB2C", "误");
    // dispatch has not heard of the stop yet: its view still has the alert
    city.plan(&mistaken, &[&reader]).await;
    city.stop(&mistaken, None, "样本有误").await;
    city.tell(&AlertReleased { alert_id: mistaken.id.to_string() }).await;
    let [item] = &city.inbox(&reader).await[..] else { panic!("who was pushed to finds it") };
    assert_eq!((&item["state"], &item["stop_reason"]), (&json!("cancelled"), &Value::Null));
    city.close().await;
}

/// Within its first second an alert may be cancelled when its first people are told and no inbox has it: dispatch then no longer lists it as released.
#[rstest]
#[tokio::test]
async fn an_alert_that_ended_before_any_inbox_had_it_is_found_there_as_withdrawn(#[values(Embedded, Services)] store: Store) {
    let city = City::open(store).await;
    let reader = city.register("13812345678").await;
    let mistaken = alert("AB2C", "误");
    city.plan(&mistaken, &[&reader]).await;
    sqlx::query("insert into dispatch.ended values ($1, 'cancelled', null, 'wrong_finding')")
        .bind(mistaken.id.uuid())
        .execute(city.pool())
        .await
        .unwrap();
    city.tell(&AlertReleased { alert_id: mistaken.id.to_string() }).await;
    city.stop(&mistaken, None, "wrong_finding").await;
    let [item] = &city.inbox(&reader).await[..] else { panic!("who was pushed to finds it") };
    assert_eq!((&item["state"], &item["stop_reason"]), (&json!("cancelled"), &json!("依据的检测结果或报告已更正")));
    city.close().await;
}

/// Numbers of revisions are drawn before they are committed, so a lower one may appear after a higher one was read.
#[rstest]
#[tokio::test]
async fn a_change_that_is_committed_late_is_seen() {
    let city = City::open(Embedded).await;
    let reader = city.register("13812345678").await;
    let [first, second] = [alert("AB2C", "先"), alert("AB2D", "后")];
    city.release(&first, &[&reader]).await;
    city.count("select nextval('resident.alert_revision')").await;
    city.release(&second, &[&reader]).await;
    assert_eq!(headlines(&city, &reader).await, ["后", "先"]);
    let late = "with late as (update resident.alert set state = 'cancelled', revision = revision + 1 where short_code = 'AB2C' returning 1)
        select count(*) from late";
    assert_eq!(city.count(late).await, 1);
    assert_eq!(city.inbox(&reader).await[1]["state"], json!("cancelled"));
    city.close().await;
}

#[rstest]
#[tokio::test]
async fn an_acknowledgement_counts_once_and_a_repeat_hears_of_the_first(#[values(Embedded, Services)] store: Store) {
    let city = City::open(store).await;
    let (reader, stranger) = (city.register("13812345678").await, city.register("13900001111").await);
    let water = alert("AB2C", "请煮沸饮用水");
    city.release(&water, &[&reader]).await;

    let first = city.acknowledge(&reader, &water).await;
    assert_eq!(first, (StatusCode::OK, json!({ "acknowledged_at": "2026-03-10T04:00:01Z" })));
    city.platform.clock.forward(HOUR);
    assert_eq!(city.acknowledge(&reader, &water).await, first);
    city.stop(&water, None, "样本有误").await;
    assert_eq!(city.acknowledge(&reader, &water).await, first);
    assert_eq!(city.acknowledged(&water).await, [(reader.no.cast_signed(), "app".to_owned())]);
    assert_eq!(city.inbox(&reader).await[0]["acknowledged_at"], first.1["acknowledged_at"]);

    let (status, problem) = city.acknowledge(&stranger, &water).await;
    assert_eq!((status, &problem["code"]), (StatusCode::NOT_FOUND, &json!("no_such_alert")));
    let unknown = Alert { id: AlertId::new(), ..water.clone() };
    assert_eq!(city.acknowledge(&reader, &unknown).await.0, StatusCode::NOT_FOUND);
    city.platform.clock.forward(4 * HOUR);
    assert_eq!(city.acknowledge(&reader, &water).await.0, StatusCode::NOT_FOUND, "it has expired");
    city.close().await;
}

#[rstest]
#[tokio::test]
async fn a_phone_that_has_it_all_is_sent_nothing_until_something_changes(#[values(Embedded, Services)] store: Store) {
    let city = City::open(store).await;
    let (reader, other) = (city.register("13812345678").await, city.register("13900001111").await);
    let water = alert("AB2C", "请煮沸饮用水");
    city.release(&water, &[&reader, &other]).await;

    let (status, tag) = city.inbox_unless(&reader, None).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(city.inbox_unless(&reader, tag.as_ref()).await, (StatusCode::NOT_MODIFIED, tag.clone()));
    city.acknowledge(&other, &water).await;
    assert_eq!(city.inbox_unless(&reader, tag.as_ref()).await.0, StatusCode::NOT_MODIFIED, "another's acknowledgement is not theirs");

    let mut last = tag;
    city.acknowledge(&reader, &water).await;
    for change in ["acknowledged", "stopped", "expired"] {
        let (status, tag) = city.inbox_unless(&reader, last.as_ref()).await;
        assert_eq!(status, StatusCode::OK, "{change}");
        assert_ne!(tag, last, "{change}");
        last = tag;
        match change {
            "acknowledged" => city.stop(&water, None, "样本有误").await,
            _ => city.platform.clock.forward(4 * HOUR),
        }
    }
    city.close().await;
}

/// A tap on a slow network is repeated; all of them are told one time.
#[rstest]
#[tokio::test]
async fn many_taps_at_once_are_one_acknowledgement(#[values(Embedded, Services)] store: Store) {
    let city = City::open(store).await;
    let reader = city.register("13812345678").await;
    let water = alert("AB2C", "请煮沸饮用水");
    city.release(&water, &[&reader]).await;
    let answers = futures::future::join_all((0..8).map(|_| city.acknowledge(&reader, &water))).await;
    assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
    assert_eq!(city.acknowledged(&water).await.len(), 1);
    city.close().await;
}

#[rstest]
#[tokio::test]
async fn for_whom_an_alert_was_withdrawn_finds_it_as_such_and_nobody_else_does(#[values(Embedded, Services)] store: Store) {
    let city = City::open(store).await;
    let (wrong, right) = (city.register("13812345678").await, city.register("13900001111").await);
    let isolate = alert("AB2C", "请居家隔离");
    city.release(&isolate, &[&wrong, &right]).await;
    views::withdrawn_for(&city.platform, isolate.id, [wrong.no]).await;
    let state = async |person: &Person| city.inbox(person).await[0]["state"].clone();
    assert_eq!((state(&wrong).await, state(&right).await), (json!("withdrawn"), json!("live")));

    // what they had said already, or say all the same, is taken
    assert_eq!(city.acknowledge(&wrong, &isolate).await.0, StatusCode::OK);
    assert_eq!(state(&wrong).await, json!("withdrawn"));
    // whatever becomes of it for the others
    city.stop(&isolate, None, "样本有误").await;
    assert_eq!((state(&wrong).await, state(&right).await), (json!("withdrawn"), json!("cancelled")));
    assert_eq!(city.inbox(&wrong).await[0]["stop_reason"], Value::Null);
    city.close().await;
}
