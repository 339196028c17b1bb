//! Stories of people whom an alert reaches before, or after, its audience is known here: while it is planned, while an event is late, and when
//! they come into it late.

use chrono::TimeDelta;
use http::{Method, StatusCode};
use proto::AlertReleased;
use rstest::rstest;
use serde_json::{Value, json};
use stages::Store::{self, Embedded, Services};
use stages::{HOUR, MINUTE};

use crate::city::{City, ELSEWHERE, NEXT_DOOR, Person, alert, text};

const NOBODY: [(i32, i32); 0] = [];

async fn headlines(city: &City, person: &Person) -> Vec<String> {
    city.inbox(person).await.iter().map(|item| text(&item["text"]["headline"])).collect()
}

#[rstest]
#[tokio::test]
async fn who_holds_the_push_can_acknowledge_before_the_audience_is_published_as_far_as_to_them(#[values(Embedded, Services)] store: Store) {
    let city = City::open(store).await;
    let [first, second, third, stranger] = [
        city.register("13812345678").await,
        city.register("13900001111").await,
        city.register("13900002222").await,
        city.register("13900003333").await,
    ];
    let water = alert("AB2C", "请煮沸饮用水");
    city.is_growing(&water, true).await;
    city.release(&water, &[&first]).await;
    city.in_a_batch(&water, &[&first]).await;
    // stranger's number lies above theirs; somebody else's does not
    city.in_a_batch(&water, &[&second, &third]).await;

    assert_eq!(city.acknowledge(&second, &water).await.0, StatusCode::OK);
    let again = city.acknowledge(&second, &water).await;
    assert_eq!((again.0, &again.1["acknowledged_at"]), (StatusCode::OK, &city.inbox(&second).await[0]["acknowledged_at"]));
    assert_eq!(city.acknowledge(&stranger, &water).await.0, StatusCode::NOT_FOUND);
    let said = json!({ "kind": "question", "text": "要煮多久？" });
    let path = format!("/api/v1/me/alerts/{}/feedback", water.id);
    assert_eq!(city.post(&third.token, &path, said.clone()).await.0, StatusCode::CREATED);
    assert_eq!(city.post(&stranger.token, &path, said).await.0, StatusCode::NOT_FOUND);
    assert_eq!(city.acknowledged(&water).await, [(second.no.cast_signed(), "app".to_owned())]);

    city.platform.clock.forward(5 * HOUR);
    assert_eq!(city.acknowledge(&third, &water).await.0, StatusCode::NOT_FOUND, "it has expired");
    city.close().await;
}

#[rstest]
#[tokio::test]
async fn the_inbox_of_an_alert_that_grows_shows_it_to_whoever_is_in_a_batch(#[values(Embedded, Services)] store: Store) {
    let city = City::open(store).await;
    let [first, second, stranger] =
        [city.register("13812345678").await, city.register("13900001111").await, city.register("13900003333").await];
    let (fire, water, rain) = (alert("AB2D", "请勿外出"), alert("AB2C", "请煮沸饮用水"), alert("AB2E", "暴雨"));
    city.release(&fire, &[&second]).await;
    city.is_growing(&water, true).await;
    city.release(&water, &[&first]).await;
    city.in_a_batch(&water, &[&second]).await;
    city.release(&rain, &[&second]).await;

    assert_eq!(headlines(&city, &second).await, ["暴雨", "请煮沸饮用水", "请勿外出"], "in its place");
    assert_eq!(headlines(&city, &stranger).await, [""; 0]);
    city.reply("13900001111", "1 AB2C", "m1").await;
    assert_eq!(city.acknowledged(&water).await, [(second.no.cast_signed(), "sms".to_owned())]);

    city.is_growing(&water, false).await;
    city.release(&water, &[&first, &second]).await;
    assert_eq!(headlines(&city, &second).await.len(), 3, "once");
    city.close().await;
}

#[rstest]
#[tokio::test]
async fn while_the_word_of_a_release_is_late_who_holds_the_push_can_acknowledge(#[values(Embedded, Services)] store: Store) {
    let city = City::open(store).await;
    let (first, second) = (city.register("13812345678").await, city.register("13900001111").await);
    let water = alert("AB2C", "请煮沸饮用水");
    city.plan(&water, &[&first]).await;
    city.in_a_batch(&water, &[&first, &second]).await;
    for person in [&first, &second] {
        assert_eq!(city.acknowledge(person, &water).await.0, StatusCode::OK);
    }
    city.tell(&AlertReleased { alert_id: water.id.to_string() }).await;
    for person in [&first, &second] {
        let [item] = &city.inbox(person).await[..] else { panic!("one") };
        assert_ne!(item["acknowledged_at"], Value::Null);
    }
    city.close().await;
}

#[rstest]
#[tokio::test]
async fn who_comes_late_has_the_alert_in_their_inbox_at_once(#[values(Embedded, Services)] store: Store) {
    let city = City::open(store).await;
    let (first, newcomer) = (city.register("13812345678").await, city.register("13900001111").await);
    let water = alert("AB2C", "请煮沸饮用水");
    city.release(&water, &[&first]).await;
    let (_, tag) = city.inbox_unless(&newcomer, None).await;
    city.comes_late(&water, &newcomer).await;
    assert_eq!(city.inbox_unless(&newcomer, tag.as_ref()).await.0, StatusCode::OK, "it is another inbox");
    assert_eq!(headlines(&city, &newcomer).await, ["请煮沸饮用水"]);
    city.in_a_batch(&water, &[&newcomer]).await;
    assert_eq!(city.acknowledge(&newcomer, &water).await.0, StatusCode::OK);
    city.stop(&water, None, "误").await;
    assert_eq!(city.inbox(&newcomer).await[0]["state"], json!("cancelled"));
    city.close().await;
}

#[rstest]
#[tokio::test]
async fn whoever_may_come_into_an_audience_has_arrived_and_nobody_else(#[values(Embedded, Services)] store: Store) {
    let city = City::open(store).await;
    let change = async |person: &Person, change: Value| {
        let (status, answer) = city.send(Method::PATCH, &person.token, "/api/v1/me", change).await;
        assert_eq!(status, StatusCode::NO_CONTENT, "{answer}");
    };
    let person = city.register("13812345678").await;
    let no = person.no.cast_signed();
    let arrived = [(no, no)];
    assert_eq!(city.arrived().await, arrived, "who registers");
    city.platform.clock.forward(MINUTE);
    city.register("13812345678").await;
    change(&person, json!({ "name": "王芳" })).await;
    assert_eq!(city.arrived().await, NOBODY, "who signs in again, or changes what no audience asks about");
    for what in [json!({ "community": NEXT_DOOR }), json!({ "industry": "education" }), json!({ "language": "en" })] {
        change(&person, what.clone()).await;
        assert_eq!(city.arrived().await, arrived, "{what}");
        change(&person, what).await;
        assert_eq!(city.arrived().await, NOBODY, "nothing has changed");
    }
    assert_eq!(city.send(Method::DELETE, &person.token, "/api/v1/me/consent", Value::Null).await.0, StatusCode::NO_CONTENT);
    change(&person, json!({ "community": ELSEWHERE })).await;
    assert_eq!(city.arrived().await, NOBODY, "who does not want to be told");
    let consenting = json!({ "version": domain::consent::CURRENT_VERSION });
    assert_eq!(city.post(&person.token, "/api/v1/me/consent", consenting).await.0, StatusCode::NO_CONTENT);
    assert_eq!(city.arrived().await, arrived, "who consents again");
    assert_eq!(city.send(Method::DELETE, &person.token, "/api/v1/me", Value::Null).await.0, StatusCode::NO_CONTENT);
    assert_eq!(city.arrived().await, NOBODY, "who has everything deleted");
    city.close().await;
}

#[tokio::test]
async fn a_mass_of_people_who_move_together_is_one_row() {
    let city = City::open(Embedded).await;
    for number in 0..6 {
        city.register(&format!("138{number:08}")).await;
    }
    city.arrived().await;
    let moved = "with moved as (update resident.resident set community = community + 3 returning 1) select count(*) from moved";
    assert_eq!(city.count(moved).await, 6);
    assert_eq!(city.count("select count(*) from resident.arrival").await, 1);
    assert_eq!(city.arrived().await.len(), 1, "one range");
    city.close().await;
}

/// The times of replies are those of whoever received them.
#[rstest]
#[tokio::test]
async fn a_time_that_runs_ahead_takes_no_alert_out_of_inboxes(#[values(Embedded, Services)] store: Store) {
    let city = City::open(store).await;
    let reader = city.register("13812345678").await;
    city.release(&alert("AB2C", "请煮沸饮用水"), &[&reader]).await;
    city.reply_written(Some(city.platform.clock.now() + TimeDelta::days(2)), "13812345678", "1", "m1").await;
    assert_eq!(headlines(&city, &reader).await, ["请煮沸饮用水"]);
    city.close().await;
}
