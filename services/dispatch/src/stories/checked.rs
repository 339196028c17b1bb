//! An alert that one officer has stopped: nothing more of it leaves, and nothing of it is lost.

use chrono::TimeDelta;
use domain::alert::DeliveryClass::{Routine, Urgent};
use domain::ids::AlertId;
use domain::outcome::Channel::{App, Sms};
use domain::outcome::Outcome;
use rstest::rstest;
use serde_json::json;
use stages::views;

use super::city::{named, noon};
use super::{City, Store, alert};
use crate::ledger::Standing;
use crate::{checked, sweep};

async fn hold(city: &City, alert_id: AlertId, held: bool) {
    views::held(&city.platform, alert_id, held).await;
    checked::on_held(&city.platform, alert_id).await.unwrap();
}

fn told(city: &City) -> Vec<u32> {
    let mut told = city.phones.take(App);
    told.extend(city.phones.take(Sms));
    told.sort_unstable();
    told
}

#[rstest]
#[case::embedded(Store::Embedded)]
#[case::postgres(Store::Postgres)]
#[tokio::test]
async fn while_it_is_checked_nothing_of_it_leaves_and_when_it_holds_everybody_gets_it_once(#[case] store: Store) {
    let city = City::new(store).await;
    city.residents(1..=40, true, false, false).await;
    let alert_id = city.approve(Urgent, alert(), named(1..=40)).await;
    let other = city.approve(Urgent, alert(), named([7])).await;
    city.plan().await;
    assert_eq!(city.send_window().await, 2);
    let before = told(&city);
    hold(&city, alert_id, true).await;
    hold(&city, alert_id, true).await;
    city.settle().await;
    let meanwhile = told(&city);
    assert!(meanwhile.iter().all(|number| *number == 7) && meanwhile.len() <= 1, "others go on, this one does not: {meanwhile:?}");
    assert_eq!(city.state(alert_id).await, "dispatching", "it has not ended");

    hold(&city, alert_id, false).await;
    city.settle().await;
    let mut all = [before, meanwhile, told(&city)].concat();
    all.sort_unstable();
    let mut expected: Vec<u32> = (1..=40).chain([7]).collect();
    expected.sort_unstable();
    assert_eq!(all, expected, "nobody twice, nobody forgotten");
    assert_eq!((city.state(alert_id).await.as_str(), city.state(other).await.as_str()), ("active", "active"));
}

#[rstest]
#[case::embedded(Store::Embedded)]
#[case::postgres(Store::Postgres)]
#[tokio::test]
async fn whoever_has_a_batch_of_it_in_hand_gives_it_back_and_nobody_takes_one(#[case] store: Store) {
    let city = City::new(store).await;
    city.residents(1..=10, true, false, false).await;
    let alert_id = city.approve(Urgent, alert(), named(1..=10)).await;
    city.plan().await;
    let batches = city.pump().await;
    let claimed = city.ledger.claim(batches[0], "in hand").await.unwrap().unwrap();
    hold(&city, alert_id, true).await;
    let report = crate::ledger::Report {
        outcomes: claimed.outcomes.clone(),
        gone: Vec::new(),
        again: Vec::new(),
        first_hand_over_at: None,
        retry_after: None,
    };
    assert_eq!(city.ledger.checkpoint(&claimed, &report).await.unwrap(), Standing::Held);
    assert!(city.ledger.claim(batches[1], "too late").await.unwrap().is_none(), "it was on its way already");
    city.ledger.release(claimed, report, city.clock().now()).await.unwrap();
    assert_eq!(city.pump().await, [], "nor does it go on its way again");
    let back = "select count(*) from dispatch.batch where alert_id = $1 and state = 'ready'";
    assert_eq!(city.number(back, alert_id).await, 2);
}

#[rstest]
#[case::embedded(Store::Embedded)]
#[case::postgres(Store::Postgres)]
#[tokio::test]
async fn who_had_it_before_it_was_stopped_hears_the_confirmed_words_and_nobody_else_hears_anything(#[case] store: Store) {
    let city = City::new(store).await;
    city.residents(1..=20, true, false, false).await;
    city.residents(21..=30, false, true, false).await;
    city.clock().set(noon() + TimeDelta::hours(15));
    let alert_id = city.approve(Urgent, alert(), named(1..=30)).await;
    city.plan().await;
    city.send_window().await;
    let had_it = told(&city);
    assert!(!had_it.is_empty() && had_it.len() < 30);
    hold(&city, alert_id, true).await;
    city.settle().await;
    assert_eq!(told(&city), [0; 0], "one person tells nobody anything");

    let word = json!({ "zh-CN": { "headline": "【已撤回】《…》", "body": "误发", "instruction": "请恢复", "sms": "【已撤回】误发" } });
    sqlx::query("update review.alert_standing set state = 'cancelled', held_at = null, last_word = $2, stop_reason = 'sent_by_mistake' where alert_id = $1")
        .bind(alert_id.uuid())
        .bind(word)
        .execute(city.database().pool())
        .await
        .unwrap();
    city.cancel(alert_id).await;
    city.settle().await;
    assert_eq!(told(&city), had_it, "at three in the morning, those who had it and no others");
    let shown = city.phones.shown.lock().unwrap();
    assert!(
        had_it
            .iter()
            .all(|number| [App, Sms].iter().any(|by| shown.get(&(*number, *by, alert_id)).is_some_and(|line| line == "【已撤回】《…》")))
    );
}

#[tokio::test]
async fn a_stop_that_comes_before_its_alert_or_that_no_event_has_told_holds_all_the_same() {
    let city = City::new(Store::Postgres).await;
    city.residents(1..=5, true, false, false).await;
    let early = AlertId::new();
    city.shown_by_review(early, Urgent, &alert(), &named([1])).await;
    views::held(&city.platform, early, true).await;
    checked::on_held(&city.platform, early).await.unwrap();
    city.hear_of_approval(early).await;
    city.settle().await;
    assert_eq!(told(&city), [0; 0]);

    let lost = city.approve(Routine, alert(), named([2])).await;
    views::held(&city.platform, lost, true).await;
    city.forward(2);
    sweep::turn(&city.platform, &city.settings).await.unwrap();
    city.settle().await;
    assert_eq!(told(&city), [0; 0], "what no event has told rings, and holds");
    for alert_id in [early, lost] {
        hold(&city, alert_id, false).await;
    }
    city.settle().await;
    assert_eq!(told(&city), [1, 2]);
}

#[tokio::test]
async fn nobody_is_reminded_of_what_is_being_checked_and_it_ends_with_its_validity() {
    let city = City::new(Store::Postgres).await;
    city.residents(1..=3, true, true, false).await;
    let alert_id = city.approve(Urgent, alert(), named(1..=3)).await;
    city.settle().await;
    assert_eq!(told(&city), [1, 2, 3]);
    hold(&city, alert_id, true).await;
    city.forward(120);
    city.settle().await;
    assert_eq!(told(&city), [0; 0]);
    city.forward(3 * 24 * 60);
    city.settle().await;
    assert_eq!((city.state(alert_id).await.as_str(), told(&city)), ("closed", vec![]));
}

#[tokio::test]
async fn with_the_sms_centre_away_the_word_waits_for_it_and_arrives() {
    let city = City::new(Store::Postgres).await;
    city.residents(1..=3, false, true, false).await;
    city.clock().set(noon() + TimeDelta::hours(15));
    let alert_id = city.approve(Urgent, alert(), named(1..=3)).await;
    city.settle().await;
    assert_eq!(told(&city), [1, 2, 3]);
    city.phones.answers.lock().unwrap().extend((1..=3).map(|number| (number, vec![Outcome::Temporary, Outcome::Temporary])));
    city.cancel(alert_id).await;
    city.settle().await;
    let ended = |city: &City| {
        let shown = city.phones.shown.lock().unwrap();
        (1..=3).filter(|number| shown.get(&(*number, Sms, alert_id)).is_some_and(|line| line.starts_with("【已撤销】"))).count()
    };
    assert_eq!(ended(&city), 0);
    for _ in 0..10 {
        city.forward(5);
        city.settle().await;
    }
    assert_eq!(ended(&city), 3);
}
