//! Stories of public screens.

use crate::hall::{ADMINISTRATOR, DISTRICT_REVIEWER, Hall, OPERATOR, STALE_ADMINISTRATOR};
use display::Settings;
use domain::cap::Severity;
use http::StatusCode;
use rstest::rstest;
use serde_json::json;
use stages::Store::{self, Embedded, Postgres};
use stages::{DAY, HOUR, MINUTE, until};

#[rstest]
#[tokio::test]
async fn a_released_alert_is_on_the_screens_of_its_area_until_it_is_cancelled(#[values(Embedded, Postgres)] store: Store) {
    let hall = Hall::open(store).await;
    let inside = hall.screen("500103001", false).await;
    let outside = hall.screen("500105", false).await;
    assert_eq!(hall.headlines(&inside).await, [""; 0]);

    let alert = hall.release("请煮沸饮用水", Severity::Moderate, false, "500103").await;
    hall.until_shown(&inside, &["请煮沸饮用水"]).await;
    assert_eq!(hall.headlines(&outside).await, [""; 0]);

    hall.cancel(alert).await;
    hall.until_shown(&inside, &[]).await;
    hall.close().await;
}

#[rstest]
#[tokio::test]
async fn who_saw_an_alert_on_a_screen_sees_there_that_it_was_taken_back_for_an_hour(#[values(Embedded, Postgres)] store: Store) {
    let hall = Hall::open(store).await;
    let (inside, outside) = (hall.screen("500103001", false).await, hall.screen("500105", false).await);
    let alert = hall.release("请立即避险", Severity::Extreme, true, "500103").await;
    hall.until_shown(&inside, &["请立即避险"]).await;
    hall.take_back(alert, "【已撤回】《请立即避险》").await;
    hall.until_shown(&inside, &["【已撤回】《请立即避险》"]).await;
    assert_eq!(hall.headlines(&outside).await, [""; 0], "nobody saw it there");
    // the event is repeated
    hall.cancel(alert).await;
    hall.settle().await;
    assert_eq!(hall.headlines(&inside).await, ["【已撤回】《请立即避险》"]);
    hall.platform.clock.forward(HOUR);
    assert_eq!(hall.headlines(&inside).await, [""; 0]);
    hall.close().await;
}

#[rstest]
#[tokio::test]
async fn while_an_alert_is_checked_screens_go_on_showing_it_and_say_so(#[values(Embedded, Postgres)] store: Store) {
    let hall = Hall::open(store).await;
    let screen = hall.screen("500103", false).await;
    let alert = hall.release("请煮沸饮用水", Severity::Moderate, false, "500103").await;
    hall.until_shown(&screen, &["请煮沸饮用水"]).await;
    let says = async || {
        hall.get(&screen, "/api/v1/screen/playlist").await.1["items"][0]["texts"][0]["instruction"].to_string().contains("正在核实")
    };
    hall.check(alert, true).await;
    until("the screen says that it is being checked", async || says().await).await;
    assert_eq!(hall.headlines(&screen).await, ["请煮沸饮用水"]);
    // what comes meanwhile is shown when it holds, and not before
    let other = hall.prepare("请绕行", Severity::Minor, false, "500103").await;
    hall.check(other, true).await;
    hall.tell_of_release(other).await;
    hall.settle().await;
    assert_eq!(hall.headlines(&screen).await, ["请煮沸饮用水"]);
    hall.check(other, false).await;
    hall.until_shown(&screen, &["请煮沸饮用水", "请绕行"]).await;
    hall.check(alert, false).await;
    until("the screen says nothing of it any more", async || !says().await).await;
    hall.close().await;
}

#[rstest]
#[tokio::test]
async fn urgent_alerts_come_first_and_an_expired_one_is_gone_at_its_time(#[values(Embedded, Postgres)] store: Store) {
    let hall = Hall::open(store).await;
    let screen = hall.screen("city", false).await;
    hall.release("一般", Severity::Severe, false, "city").await;
    hall.release("紧急", Severity::Minor, true, "500103").await;
    hall.until_shown(&screen, &["紧急", "一般"]).await;

    hall.platform.clock.forward(4 * HOUR);
    assert_eq!(hall.headlines(&screen).await, [""; 0], "no event is needed for that");
    hall.close().await;
}

#[rstest]
#[tokio::test]
async fn a_stop_that_comes_before_the_release_holds(#[values(Embedded, Postgres)] store: Store) {
    let hall = Hall::open(store).await;
    let screen = hall.screen("city", false).await;
    let alert = hall.prepare("误报", Severity::Minor, false, "city").await;
    hall.cancel(alert).await;
    hall.settle().await;
    hall.tell_of_release(alert).await;
    let shown = hall.release("真的", Severity::Minor, false, "city").await;
    hall.until_shown(&screen, &["真的"]).await;
    assert_eq!(hall.get(ADMINISTRATOR, &format!("/api/v1/alerts/{alert}/screens")).await.0, StatusCode::NOT_FOUND);
    assert_eq!(hall.get(ADMINISTRATOR, &format!("/api/v1/alerts/{shown}/screens")).await.0, StatusCode::OK);
    hall.close().await;
}

#[tokio::test]
async fn a_release_waits_for_a_stop_that_is_being_written() {
    let hall = Hall::open(Postgres).await;
    let screen = hall.screen("city", false).await;
    let alert = hall.prepare("误报", Severity::Minor, false, "city").await;
    // the stop of another process, not committed yet
    let mut stop = hall.platform.database.begin().await.unwrap();
    for sql in [
        "select pg_advisory_xact_lock(hashtextextended('display.alert:' || $1::uuid::text, 0))",
        "insert into display.stop (alert_id, stopped_at) values ($1, now())",
    ] {
        sqlx::query(sql).bind(alert.uuid()).execute(&mut *stop).await.unwrap();
    }
    hall.tell_of_release(alert).await;
    let waits = "select count(*) from pg_locks where locktype = 'advisory' and not granted
                    and database = (select oid from pg_database where datname = current_database())";
    until("the release waits", async || hall.count(waits).await > 0).await;
    stop.commit().await.unwrap();
    hall.settle().await;
    assert_eq!(hall.count("select count(*) from display.alert").await, 0, "what was stopped is never shown");
    assert_eq!(hall.headlines(&screen).await, [""; 0]);
    hall.close().await;
}

#[rstest]
#[tokio::test]
async fn an_alert_that_is_not_for_screens_or_is_an_exercise_is_not_shown_to_the_public(#[values(Embedded, Postgres)] store: Store) {
    let hall = Hall::open(store).await;
    let (public, drill) = (hall.screen("city", false).await, hall.screen("city", true).await);
    hall.release_exercise("演练", "city").await;
    hall.until_shown(&drill, &["演练"]).await;
    assert_eq!(hall.headlines(&public).await, [""; 0]);
    hall.close().await;
}

#[rstest]
#[tokio::test]
async fn the_event_stream_tells_every_change_and_resumes_after_the_last_one_seen(#[values(Embedded, Postgres)] store: Store) {
    let hall = Hall::open(store).await;
    let screen = hall.screen("500103", false).await;
    let mut stream = hall.follow(&screen, None).await;
    assert_eq!(stream.next().await.headlines, [""; 0]);

    let alert = hall.release("甲", Severity::Minor, false, "500103").await;
    let first = stream.next().await;
    assert_eq!(first.headlines, ["甲"]);
    hall.release("乙", Severity::Minor, false, "500105").await;
    hall.release("丙", Severity::Extreme, false, "500103").await;
    let second = stream.next().await;
    assert_eq!(second.headlines, ["丙", "甲"], "a change elsewhere is not told");

    // The connection is lost; meanwhile one alert is cancelled.
    drop(stream);
    hall.cancel(alert).await;
    hall.until_shown(&screen, &["丙"]).await;
    let mut again = hall.follow(&screen, Some(&second.id)).await;
    let third = again.next().await;
    assert_eq!(third.headlines, ["丙"]);

    // Whoever has seen the last change waits for the next.
    let mut up_to_date = hall.follow(&screen, Some(&third.id)).await;
    hall.release("丁", Severity::Unknown, true, "city").await;
    assert_eq!(up_to_date.next().await.headlines, ["丁", "丙"]);
    hall.close().await;
}

#[tokio::test]
async fn a_stolen_screen_key_writes_only_so_much_a_day_and_that_is_forgotten() {
    let hall = Hall::open_with(Postgres, Settings { plays_per_day: 5, ..Settings::default() }).await;
    let screen = hall.screen("500103", false).await;
    let alert = hall.release("甲", Severity::Minor, false, "500103").await;
    hall.until_shown(&screen, &["甲"]).await;
    let report = async |from: u8| {
        let shown_at = hall.platform.clock.now();
        let play = |id: u8| json!({"play_id": format!("00000000-0000-0000-0000-0000000000{id:02}"), "alert_id": alert, "shown_at": shown_at, "seconds": 10});
        let plays: Vec<_> = (from..from + 4).map(play).collect();
        hall.post(&screen, "/api/v1/screen/plays", json!({ "plays": plays })).await.1["recorded"].clone()
    };
    assert_eq!((report(10).await, report(20).await, report(30).await), (json!(4), json!(1), json!(0)));
    hall.platform.clock.forward(DAY);
    assert_eq!(report(40).await, json!(4), "the next day has its own");
    hall.forward_with_jobs(DAY * 401).await;
    assert_eq!(hall.count("select count(*) from display.play").await, 0);
    let (_, showings) = hall.get(ADMINISTRATOR, &format!("/api/v1/alerts/{alert}/screens")).await;
    assert_eq!(showings[0]["plays"], 9, "how often it was shown is kept");
    hall.close().await;
}

#[rstest]
#[tokio::test]
async fn fetching_is_the_hand_over_and_each_play_counts_once(#[values(Embedded, Postgres)] store: Store) {
    let hall = Hall::open(store).await;
    let screen = hall.screen("500103", false).await;
    hall.screen("500103", false).await;
    let alert = hall.release("甲", Severity::Minor, false, "500103").await;
    hall.until_shown(&screen, &["甲"]).await;

    let now = hall.platform.clock.now();
    let play = |id: u8, at| json!({"play_id": format!("00000000-0000-0000-0000-0000000000{id:02}"), "alert_id": alert, "shown_at": at, "seconds": 10});
    let tomorrow = now + chrono::TimeDelta::days(1);
    let plays = json!({"plays": [play(1, now), play(2, now), play(3, tomorrow)]});
    let (status, answer) = hall.post(&screen, "/api/v1/screen/plays", plays.clone()).await;
    assert_eq!((status, answer), (StatusCode::OK, json!({"recorded": 2, "ignored": 1})));
    let (_, again) = hall.post(&screen, "/api/v1/screen/plays", plays).await;
    assert_eq!(again, json!({"recorded": 0, "ignored": 3}));

    let (_, showings) = hall.get(ADMINISTRATOR, &format!("/api/v1/alerts/{alert}/screens")).await;
    let showings = showings.as_array().unwrap();
    assert_eq!(showings.len(), 1, "the other screen has not fetched it");
    assert_eq!(showings[0]["plays"], 2);
    hall.close().await;
}

#[rstest]
#[tokio::test]
async fn a_silent_screen_is_stale_until_it_gives_a_sign_of_life(#[values(Embedded, Postgres)] store: Store) {
    let hall = Hall::open(store).await;
    let screen = hall.screen("500103", false).await;
    hall.platform.clock.forward(10 * MINUTE);
    assert_eq!(hall.get(OPERATOR, "/api/v1/screens?stale=true").await.1.as_array().unwrap().len(), 1);

    let (status, _) = hall.post(&screen, "/api/v1/screen/heartbeat", json!({"revision": 0})).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(hall.get(OPERATOR, "/api/v1/screens?stale=true").await.1, json!([]));
    assert_eq!(hall.get(OPERATOR, "/api/v1/screens").await.1[0]["stale"], false);
    hall.close().await;
}

#[rstest]
#[tokio::test]
async fn a_retired_screen_is_let_in_no_more(#[values(Embedded, Postgres)] store: Store) {
    let hall = Hall::open(store).await;
    let screen = hall.screen("500103", false).await;
    let id = hall.get(ADMINISTRATOR, "/api/v1/screens").await.1[0]["screen_id"].as_str().unwrap().to_owned();
    assert_eq!(hall.delete(ADMINISTRATOR, &format!("/api/v1/screens/{id}")).await, StatusCode::NO_CONTENT);
    assert_eq!(hall.get(&screen, "/api/v1/screen/playlist").await.0, StatusCode::UNAUTHORIZED);
    assert_eq!(hall.get(ADMINISTRATOR, "/api/v1/screens").await.1, json!([]));
    hall.close().await;
}

#[rstest]
#[tokio::test]
async fn only_registrars_register_and_everybody_sees_the_own_area(#[values(Embedded, Postgres)] store: Store) {
    let hall = Hall::open(store).await;
    hall.screen("500103", false).await;
    hall.screen("500105", false).await;
    let registration = json!({"name": "屏", "place": "站", "area": "500103", "form": "full"});
    for token in [DISTRICT_REVIEWER, OPERATOR] {
        assert_eq!(hall.post(token, "/api/v1/screens", registration.clone()).await.0, StatusCode::FORBIDDEN);
    }
    let (_, problem) = hall.post(STALE_ADMINISTRATOR, "/api/v1/screens", registration.clone()).await;
    assert_eq!(problem["code"], "fresh_proof_needed", "a key takes one, as a source's does");
    let seen = hall.get(DISTRICT_REVIEWER, "/api/v1/screens").await.1;
    assert_eq!(seen.as_array().unwrap().len(), 1);
    assert_eq!(seen[0]["area"], "500103");

    let wrong = json!({"name": "", "place": "站", "area": "999999", "form": "full"});
    let (status, problem) = hall.post(ADMINISTRATOR, "/api/v1/screens", wrong).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    let fields: Vec<&str> = problem["errors"].as_array().unwrap().iter().map(|fault| fault["field"].as_str().unwrap()).collect();
    assert_eq!(fields, ["name", "area"]);
    hall.close().await;
}

#[rstest]
#[tokio::test]
async fn what_is_not_as_it_was_approved_is_on_no_screen_and_is_noted_once(#[values(Embedded, Postgres)] store: Store) {
    let hall = Hall::open(store).await;
    let key = hall.screen("500103", false).await;
    let spoilt = hall.prepare("请撤离", Severity::Severe, true, "500103").await;
    hall.approve(spoilt, "请居家", "500103").await;
    let right = hall.prepare("请检测", Severity::Severe, true, "500103").await;
    hall.approve(right, "请检测", "500103").await;
    for alert in [spoilt, spoilt, right] {
        hall.tell_of_release(alert).await;
    }
    hall.until_shown(&key, &["请检测"]).await;
    until("it is noted", async || hall.count("select count(*) from display.unlike_approved").await == 1).await;
    assert_eq!(hall.count("select count(*) from display.alert where given is not null").await, 1);
}
