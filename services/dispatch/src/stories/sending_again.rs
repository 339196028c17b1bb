//! Sending again to whoever an alert did not reach.

use domain::alert::DeliveryClass::Urgent;
use domain::ids::{AlertId, StaffId};
use domain::outcome::{Channel, Outcome};
use rstest::rstest;

use super::city::named;
use super::{City, Store, alert};
use crate::Error;
use crate::sending_again::{Asked, ask};

/// An officer asks for a round.
async fn asks(city: &City, alert_id: AlertId, round: i16, people: i64) -> Result<bool, Error> {
    let mut tx = city.database().begin().await.unwrap();
    let asked = ask(&mut tx, Asked { alert_id, round, people, by: StaffId::new() }, city.clock().now()).await;
    tx.commit().await.unwrap();
    asked
}

/// Whom the centre refuses for good, so many times.
fn refused(city: &City, numbers: impl IntoIterator<Item = u32>, times: usize) {
    city.phones.answers.lock().unwrap().extend(numbers.into_iter().map(|number| (number, vec![Outcome::Permanent; times])));
}

const UNREACHABLE: &str = "select coalesce(sum(unreachable), 0)::bigint from dispatch.batch where alert_id = $1 and wave = 1";
const ADDS_UP: &str = "select sum(accepted + unreachable + withdrawn + case when state = 'closed' then 0 else size - accepted end)::bigint
                         from dispatch.batch where alert_id = $1 and wave = 1";

#[rstest]
#[case::embedded(Store::Embedded)]
#[case::postgres(Store::Postgres)]
#[tokio::test]
async fn after_a_setting_was_mended_everybody_who_was_not_reached_is_told_and_reminded_as_anybody(#[case] store: Store) {
    let city = City::new(store).await;
    city.residents(1..=20, false, true, false).await;
    city.residents([21], true, false, false).await;
    refused(&city, 1..=18, 1);
    let alert_id = city.approve(Urgent, alert(), named(1..=21)).await;
    city.settle().await;
    city.phones.sent.lock().unwrap().clear();
    assert_eq!((city.state(alert_id).await.as_str(), city.follow_ups(alert_id).await.len()), ("active", 18));
    city.forward(120);
    city.settle().await;
    let silent = city.phones.take(Channel::Sms);
    assert_eq!(silent, [19, 20], "reminded, before anything was mended");
    city.phones.sent.lock().unwrap().clear();
    city.acknowledge(alert_id, [4]).await;

    assert!(asks(&city, alert_id, 1, 18).await.unwrap());
    assert!(matches!(asks(&city, alert_id, 2, 18).await, Err(Error::SendingAgainAlready)), "one at a time");
    assert!(!asks(&city, alert_id, 1, 18).await.unwrap(), "a repeat changes nothing");
    city.settle().await;
    let told: Vec<u32> = (1..=18).filter(|number| *number != 4).collect();
    assert_eq!(city.phones.take(Channel::Sms), told, "each once, but for who had acknowledged");
    assert_eq!(city.number(UNREACHABLE, alert_id).await, 1, "who acknowledged was not reached, and need not be");
    assert_eq!(city.number(ADDS_UP, alert_id).await, 21);
    let visits = city.follow_ups(alert_id).await;
    assert!(
        !visits.iter().any(|(number, reason)| reason == "unreachable" && *number != 4),
        "nobody is visited for not being reached: {visits:?}"
    );

    city.forward(60);
    city.settle().await;
    assert_eq!(city.phones.take(Channel::Sms), told, "their own hour is over");
    city.forward(60);
    city.settle().await;
    let visited: Vec<_> =
        city.follow_ups(alert_id).await.into_iter().filter(|(_, reason)| reason == "silent").map(|(number, _)| number).collect();
    assert_eq!(visited.len(), told.len() + 3, "with 19, 20 and 21");
    let settled = "select count(*) from dispatch.wave where alert_id = $1 and state = 'settled'";
    assert_eq!(city.number(settled, alert_id).await, 2);
}

#[tokio::test]
async fn who_is_not_reached_a_second_time_is_visited_and_may_be_tried_a_third_time() {
    let city = City::new(Store::Postgres).await;
    city.residents(1..=12, false, true, false).await;
    refused(&city, 1..=10, 2);
    let alert_id = city.approve(Urgent, alert(), named(1..=12)).await;
    city.settle().await;
    assert!(asks(&city, alert_id, 1, 10).await.unwrap());
    city.settle().await;
    assert_eq!((city.number(UNREACHABLE, alert_id).await, city.follow_ups(alert_id).await.len()), (10, 10));
    assert_eq!(city.number(ADDS_UP, alert_id).await, 12);
    city.phones.sent.lock().unwrap().clear();

    assert!(asks(&city, alert_id, 2, 10).await.unwrap());
    city.settle().await;
    assert_eq!(city.phones.take(Channel::Sms), (1..=10).collect::<Vec<_>>());
    assert_eq!((city.number(UNREACHABLE, alert_id).await, city.follow_ups(alert_id).await.len()), (0, 0));
    assert!(matches!(asks(&city, alert_id, 3, 10).await, Err(Error::EverybodyReached)));
}

#[tokio::test]
async fn who_went_on_in_another_batch_is_sent_to_again_from_there_only() {
    let city = City::new(Store::Postgres).await;
    city.residents(1..=5, true, true, false).await;
    // 1: neither by app nor by SMS; 2: by SMS in the end; 3: at the second try; 4 keeps failing
    city.phones.answers.lock().unwrap().extend([
        (1, vec![Outcome::Permanent, Outcome::Permanent]),
        (2, vec![Outcome::Permanent]),
        (3, vec![Outcome::Temporary]),
        (4, vec![Outcome::Temporary, Outcome::Permanent, Outcome::Permanent]),
    ]);
    let alert_id = city.approve(Urgent, alert(), named(1..=5)).await;
    city.settle().await;
    city.forward(1);
    city.settle().await;
    assert_eq!(city.number(UNREACHABLE, alert_id).await, 2);
    city.phones.sent.lock().unwrap().clear();
    assert!(matches!(asks(&city, alert_id, 1, 1).await, Err(Error::MoreNotReached { people: 2 })), "not more than the officer knows of");
    assert!(asks(&city, alert_id, 1, 2).await.unwrap());
    city.settle().await;
    assert_eq!(city.phones.take(Channel::App), [1, 4]);
    assert_eq!((city.number(UNREACHABLE, alert_id).await, city.number(ADDS_UP, alert_id).await), (0, 5));
}

#[rstest]
#[case::a_round_that_is_not_the_next(2, 10, false)]
#[case::no_round(0, 10, false)]
#[case::the_next(1, 10, true)]
#[tokio::test]
async fn rounds_come_one_after_the_other(#[case] round: i16, #[case] people: i64, #[case] taken: bool) {
    let city = City::new(Store::Embedded).await;
    city.residents(1..=3, false, true, false).await;
    refused(&city, 1..=3, 1);
    let alert_id = city.approve(Urgent, alert(), named(1..=3)).await;
    city.settle().await;
    assert_eq!(asks(&city, alert_id, round, people).await.is_ok(), taken);
}

#[tokio::test]
async fn an_alert_that_has_ended_or_is_unknown_is_not_sent_again() {
    let city = City::new(Store::Embedded).await;
    city.residents(1..=3, false, true, false).await;
    refused(&city, 1..=3, 1);
    let alert_id = city.approve(Urgent, alert(), named(1..=3)).await;
    assert!(matches!(asks(&city, alert_id, 1, 3).await, Err(Error::NotLive)), "it waits to be released");
    city.settle().await;
    city.cancel(alert_id).await;
    assert!(matches!(asks(&city, alert_id, 1, 3).await, Err(Error::NotLive)));
    assert!(matches!(asks(&city, AlertId::new(), 1, 3).await, Err(Error::NoSuchAlert)));
}

#[tokio::test]
async fn a_round_goes_through_a_great_wave_in_chunks_and_nobody_is_told_twice() {
    let city = City::new(Store::Postgres).await;
    city.residents(1..=60, false, true, false).await;
    refused(&city, 1..=60, 1);
    let alert_id = city.approve(Urgent, alert(), named(1..=60)).await;
    city.settle().await;
    city.phones.sent.lock().unwrap().clear();
    assert!(asks(&city, alert_id, 1, 60).await.unwrap());
    let turn = async || crate::sending_again::turn(city.database(), city.clock(), &city.settings).await.unwrap();
    assert!(turn().await, "ten of sixty");
    city.settle().await;
    assert!(!turn().await);
    let mut told = city.phones.take(Channel::Sms);
    told.sort_unstable();
    assert_eq!(told, (1..=60).collect::<Vec<_>>());
    let sent = "select sent from dispatch.sending_again where alert_id = $1 and planned_at is not null";
    assert_eq!(city.number(sent, alert_id).await, 60);
}
