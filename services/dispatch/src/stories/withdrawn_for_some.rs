//! An alert is withdrawn for some people and stands for everybody else.

use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use domain::alert::DeliveryClass::{self, Routine, Urgent};
use domain::area::Area;
use domain::audience::{Audience, AudienceQuery};
use domain::ids::{AlertId, WaveNo};
use domain::outcome::Channel::{self, App, Sms};
use domain::outcome::Outcome;
use platform::BoxError;
use platform::jobs::Did;
use proto::AlertHandedOver;
use rstest::rstest;
use stages::{soon, until, views};
use tokio::sync::Notify;

use super::city::{named, noon, shown, told, with_headline};
use super::{City, Store, alert};
use crate::ledger::Claimed;
use crate::sweep;
use crate::worker::{BatchChannel, Noted, Sent, Worker, WorkerSettings};

const WORD: i16 = 10;

/// 1 to 3 have the app and a phone, 4 and 5 a phone, 6 the app alone.
async fn city(store: Store) -> City {
    let city = City::new(store).await;
    city.residents(1..=3, true, true, false).await;
    city.residents(4..=5, false, true, false).await;
    city.residents([6], true, false, false).await;
    city
}

#[rstest]
#[case::embedded(Store::Embedded)]
#[case::postgres(Store::Postgres)]
#[tokio::test]
async fn who_was_told_is_told_once_on_the_channel_that_carried_it_and_nobody_else_notices(#[case] store: Store) {
    let city = city(store).await;
    let alert_id = city.approve(Urgent, with_headline("请立即居家隔离"), named(1..=6)).await;
    city.settle().await;
    told(&city);
    city.acknowledge(alert_id, [2]).await;
    for _ in 0..2 {
        // an event comes twice
        city.withdraw_for(alert_id, if city.in_batches(alert_id, WORD).await.is_empty() { vec![1, 2, 4] } else { vec![] }).await;
        city.settle().await;
    }
    assert_eq!(told(&city), (vec![1, 2], vec![4]), "also who has acknowledged it");
    for (number, by) in [(1, App), (2, App), (4, Sms)] {
        assert_eq!(shown(&city, alert_id, number, by).as_deref(), Some("【已撤销】《请立即居家隔离》"), "in the place of what it was");
    }
    assert_eq!(shown(&city, alert_id, 3, App).as_deref(), Some("请立即居家隔离"));
    city.withdraw_for(alert_id, [5]).await;
    city.settle().await;
    assert_eq!(told(&city), (vec![], vec![5]), "another time");

    // the others go on as they would have
    city.forward(61);
    city.settle().await;
    assert_eq!(told(&city), (vec![6], vec![3]), "nobody else is reminded");
    city.forward(61);
    city.settle().await;
    let visited: Vec<i64> = city.follow_ups(alert_id).await.into_iter().map(|(number, _)| number).collect();
    assert_eq!(visited, [3, 6]);
    city.forward(48 * 60);
    city.settle().await;
    assert_eq!((told(&city), city.follow_ups(alert_id).await.len()), ((vec![], vec![]), 2), "nor at the end of the alert");
    assert_eq!(city.told::<AlertHandedOver>().await.len(), 1, "it is no second hand-over");
}

#[rstest]
#[case::embedded(Store::Embedded)]
#[case::postgres(Store::Postgres)]
#[tokio::test]
async fn who_was_not_told_yet_hears_nothing_of_it(#[case] store: Store) {
    let city = City::new(store).await;
    city.residents(1..=30, true, true, false).await;
    let alert_id = city.approve(Urgent, alert(), named(1..=30)).await;
    // five are planned and on their way, ten are planned, the others are not
    city.plan_chunk().await;
    city.send_window().await;
    city.plan_chunk().await;
    let had_it: Vec<u32> = told(&city).0;
    assert_eq!(had_it, [1, 2, 3, 4, 5]);
    city.withdraw_for(alert_id, [5, 10, 11, 30]).await;
    city.settle().await;
    let expected: Vec<u32> = [5].into_iter().chain(6..=29).filter(|number| ![10, 11].contains(number)).collect();
    assert_eq!(told(&city), (expected, vec![]), "and who had it is told");
    assert_eq!(city.in_batches(alert_id, WORD).await, [5].into());
    city.forward(61);
    city.settle().await;
    let (_, reminded) = told(&city);
    assert!([5, 10, 11, 30].iter().all(|number| !reminded.contains(number)), "{reminded:?}");
    assert_eq!(reminded.len(), 26);
}

#[rstest]
#[case::before_it_is_heard_of(true)]
#[case::while_it_waits_for_the_morning(false)]
#[tokio::test]
async fn it_never_begins_for_whom_it_was_withdrawn_before(#[case] overtakes: bool) {
    let city = city(Store::Postgres).await;
    city.clock().set(noon() + TimeDelta::minutes(630));
    let alert_id = AlertId::new();
    city.shown_by_review(alert_id, Routine, &alert(), &named(1..=5)).await;
    if !overtakes {
        city.hear_of_approval(alert_id).await;
    }
    city.withdraw_for(alert_id, [1, 4]).await;
    if overtakes {
        city.hear_of_approval(alert_id).await;
    }
    city.settle().await;
    city.clock().set(noon() + TimeDelta::hours(19));
    city.settle().await;
    assert_eq!(told(&city), (vec![2, 3], vec![5]));
    let released: Vec<u8> =
        sqlx::query_scalar("select audience_bitmap from dispatch.shown_alert").fetch_one(city.database().pool()).await.unwrap();
    assert_eq!(roaring::RoaringBitmap::deserialize_from(&released[..]).unwrap().iter().collect::<Vec<_>>(), [2, 3, 5]);
}

/// Sends to the first of a batch, waits until it may go on, and sends to whoever is still wanted.
#[derive(Default)]
struct Slow {
    begun: Notify,
    may_go_on: Notify,
    sent: std::sync::Mutex<Vec<u32>>,
}

impl BatchChannel for Slow {
    const CHANNEL: Channel = App;

    async fn send(&self, batch: &Claimed, noted: &Noted) -> Result<Sent, BoxError> {
        for (position, no) in batch.pending() {
            if noted.is_wanted(position) {
                noted.outcome(position, Outcome::Accepted);
                self.sent.lock().unwrap().push(no.get());
            }
            if position == 0 {
                self.begun.notify_one();
                self.may_go_on.notified().await;
                // the word is there: it is taken in before anybody else is sent to
                while noted.is_wanted(3) {
                    tokio::task::yield_now().await;
                }
            }
        }
        Ok(Sent::Done)
    }
}

#[tokio::test]
async fn who_has_a_batch_in_hand_hears_for_whom_it_is_withdrawn_at_once() {
    let city = City::new(Store::Postgres).await;
    city.residents(1..=5, true, false, false).await;
    let alert_id = city.approve(Urgent, alert(), named(1..=5)).await;
    city.plan().await;
    let batch = city.pump().await[0];
    let slow = Arc::new(Slow::default());
    let worker = Worker {
        ledger: city.ledger.clone(),
        platform: city.platform.clone(),
        // so that the next checkpoint is far away
        settings: WorkerSettings { checkpoint_every: 1000, lease_s: 36_000, ..WorkerSettings::default() },
        holder: "slow".to_owned(),
        asks_every: Duration::ZERO,
        channel: Arc::clone(&slow),
    };
    let working = tokio::spawn(async move { worker.work(batch).await });
    soon("the first is sent", slow.begun.notified()).await;
    city.withdraw_for(alert_id, [1, 4]).await;
    city.plan().await;
    assert!(city.in_batches(alert_id, WORD).await.is_empty(), "whether they have it is not known yet");
    slow.may_go_on.notify_one();
    soon("the batch is done", working).await.unwrap().unwrap();
    assert_eq!(*slow.sent.lock().unwrap(), [1, 2, 3, 5]);
    city.settle().await;
    assert_eq!(told(&city).0, [1], "who had it is told, the other is not");
}

#[tokio::test]
async fn neither_a_retry_nor_another_net_brings_them_back() {
    let city = city(Store::Postgres).await;
    city.phones.answers.lock().unwrap().extend([
        (1, vec![Outcome::Temporary; 9]),
        (2, vec![Outcome::AcceptedByBrowser]),
        (3, vec![Outcome::AcceptedByBrowser]),
        (6, vec![Outcome::Temporary; 9]),
    ]);
    let alert_id = city.approve(Urgent, alert(), named([1, 2, 3, 6])).await;
    city.settle().await;
    assert_eq!(told(&city).0, [1, 2, 3, 6]);
    city.withdraw_for(alert_id, [1, 2, 6]).await;
    city.settle().await;
    assert_eq!(told(&city), (vec![2], vec![]), "only who had it");
    for _ in 0..12 {
        city.forward(10);
        city.settle().await;
    }
    let (app, sms) = told(&city);
    assert!(app.iter().chain(&sms).all(|number| *number == 3), "{app:?} {sms:?}");
    // they move, give consent again, and so on
    sqlx::query("insert into resident.arrived (first_no, last_no) values (1, 6)").execute(city.database().pool()).await.unwrap();
    city.settle().await;
    assert_eq!(told(&city), (vec![], vec![]));
    assert!(city.follow_ups(alert_id).await.iter().all(|(number, _)| *number == 3));
}

#[tokio::test]
async fn whoever_comes_into_an_area_again_is_not_told_what_was_withdrawn_for_them() {
    let city = City::new(Store::Postgres).await;
    city.residents(1..=3, true, false, false).await;
    let here: Area = "500103".parse().unwrap();
    let alert_id = city.approve(Urgent, alert(), Audience::Query(AudienceQuery::everybody_in(here))).await;
    city.plan().await;
    city.withdraw_for(alert_id, [2, 9]).await;
    city.residents([9], true, false, false).await;
    sqlx::query("insert into resident.arrived (first_no, last_no) values (1, 9)").execute(city.database().pool()).await.unwrap();
    city.settle().await;
    assert_eq!(told(&city).0, [1, 3]);
}

#[rstest]
#[case::routine_waits_for_the_morning(Routine, false)]
#[case::urgent_is_told_at_once(Urgent, true)]
#[tokio::test]
async fn it_heeds_the_night_as_the_alert_did(#[case] class: DeliveryClass, #[case] at_once: bool) {
    let city = city(Store::Postgres).await;
    let alert_id = city.approve(class, alert(), named([1, 4, 5])).await;
    city.settle().await;
    city.acknowledge(alert_id, [1, 4, 5]).await;
    told(&city);
    city.clock().set(noon() + TimeDelta::minutes(630));
    city.withdraw_for(alert_id, [1, 4]).await;
    city.settle().await;
    assert_eq!(told(&city), if at_once { (vec![1], vec![4]) } else { (vec![], vec![]) }, "at half past ten in the evening");
    city.clock().set(noon() + TimeDelta::hours(19));
    city.settle().await;
    assert_eq!(told(&city), if at_once { (vec![], vec![]) } else { (vec![1], vec![4]) }, "at seven");
}

#[tokio::test]
async fn it_is_told_though_the_alert_has_expired_by_then_but_not_for_ever() {
    let city = city(Store::Postgres).await;
    let mut content = alert();
    content.expires_at = noon() + TimeDelta::hours(12);
    let alert_id = city.approve(Routine, content, named([1, 2, 4])).await;
    city.settle().await;
    told(&city);
    city.clock().set(noon() + TimeDelta::minutes(630));
    city.withdraw_for(alert_id, [1]).await;
    city.settle().await;
    city.clock().set(noon() + TimeDelta::hours(19));
    city.settle().await;
    assert_eq!(told(&city).0, [1]);
    assert!(city.follow_ups(alert_id).await.iter().all(|(number, _)| *number != 1));
    // a stop that comes after it has run out tells nobody
    city.hear_of_stop(alert_id).await;
    city.withdraw_for(alert_id, [2]).await;
    city.settle().await;
    assert_eq!(told(&city).0, [2]);
    city.clock().set(noon() + TimeDelta::hours(37));
    city.withdraw_for(alert_id, [4]).await;
    city.settle().await;
    assert_eq!(told(&city), (vec![], vec![]), "what has been over for a day");
}

#[tokio::test]
async fn who_was_told_so_is_not_told_of_the_end_again_nor_the_other_way_round() {
    let city = city(Store::Postgres).await;
    let alert_id = city.approve(Urgent, alert(), named(1..=5)).await;
    city.settle().await;
    told(&city);
    city.withdraw_for(alert_id, [1, 4]).await;
    // before a word of it is planned
    city.cancel(alert_id).await;
    city.withdraw_for(alert_id, [2]).await;
    city.settle().await;
    assert_eq!(told(&city), (vec![1, 2, 3], vec![4, 5]), "everybody once");
    assert_eq!((city.in_batches(alert_id, WORD).await, city.in_batches(alert_id, 9).await), ([1, 4].into(), [2, 3, 5].into()));
    city.hear_of_withdrawn(alert_id).await;
    city.settle().await;
    assert_eq!(told(&city), (vec![], vec![]));
}

#[tokio::test]
async fn a_correction_without_them_tells_them_nothing_more() {
    let city = city(Store::Postgres).await;
    let old = city.approve(Urgent, with_headline("请隔离十四天"), named(1..=5)).await;
    city.settle().await;
    told(&city);
    city.withdraw_for(old, [1, 4]).await;
    city.settle().await;
    assert_eq!(told(&city), (vec![1], vec![4]));
    let new = city.correct(old, Urgent, with_headline("请隔离七天"), named([2, 5]), false).await;
    city.settle().await;
    assert_eq!(told(&city), (vec![2, 3], vec![5]));
    city.cancel(new).await;
    city.settle().await;
    assert_eq!(told(&city), (vec![2], vec![5]));
}

#[tokio::test]
async fn who_holds_only_what_was_corrected_is_told_that_it_does_not_hold_either() {
    let city = City::new(Store::Postgres).await;
    city.residents(1..=20, true, false, false).await;
    let old = city.approve(Urgent, with_headline("请隔离十四天"), named(1..=20)).await;
    city.settle().await;
    told(&city);
    let new = city.correct(old, Urgent, with_headline("请隔离七天"), named(1..=20), false).await;
    city.plan_chunk().await;
    assert_eq!(city.send_window().await, 1);
    city.plan_chunk().await;
    // 1 has the correction; 8, who is planned, and 20, who is not, have only what was corrected
    assert_eq!(told(&city).0, [1, 2, 3, 4, 5]);
    city.withdraw_for(new, [1, 8, 20]).await;
    city.settle().await;
    let mut after = told(&city).0;
    after.retain(|number| [1, 8, 20].contains(number));
    assert_eq!(after, [1, 8, 20], "each once");
    for number in [1, 8, 20] {
        assert!(shown(&city, old, number, App).unwrap().starts_with("【已"), "the last word of {number} is the true one");
    }
}

#[tokio::test]
async fn what_no_event_has_told_is_found() {
    let city = city(Store::Postgres).await;
    let alert_id = city.approve(Urgent, alert(), named(1..=5)).await;
    city.settle().await;
    told(&city);
    views::withdrawn_for(&city.platform, alert_id, [1]).await;
    city.forward(1);
    let swept = async || sweep::turn(&city.platform, &city.settings).await.unwrap();
    let taken_over = |number| Did::nothing().and("接管遗漏的变动", "changes taken over that no event had told", number);
    assert_eq!((swept().await, swept().await), (taken_over(1), taken_over(0)));
    city.settle().await;
    assert_eq!(told(&city), (vec![1], vec![]));
}

#[tokio::test]
async fn a_short_message_of_it_that_does_not_arrive_leads_to_nothing() {
    let city = city(Store::Postgres).await;
    let alert_id = city.approve(Urgent, alert(), named([1, 4])).await;
    city.settle().await;
    city.withdraw_for(alert_id, [4]).await;
    city.settle().await;
    told(&city);
    let word = "select batch_id from dispatch.batch where alert_id = $1 and wave = 10";
    let batch_id = city.number(word, alert_id).await;
    let event = proto::SmsUndelivered {
        alert_id: alert_id.to_string(),
        entries: vec![proto::events::sms_undelivered::Entry { resident_no: 4, batch_id }],
        at_ms: 0,
    };
    crate::undelivered::on_undelivered(city.database(), city.clock(), &city.settings, alert_id, &event).await.unwrap();
    city.settle().await;
    assert_eq!((told(&city), city.follow_ups(alert_id).await), ((vec![], vec![]), vec![]));
    assert!(WaveNo::WITHDRAWAL_FOR_SOME.is_withdrawal());
    until("it is settled", async || crate::settled(&city.platform, &city.settings).await.unwrap()).await;
}
