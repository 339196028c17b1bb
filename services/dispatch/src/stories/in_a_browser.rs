//! Who has an urgent alert in a browser only gets the SMS, unless they answer.

use domain::alert::DeliveryClass::{self, Routine, Urgent};
use domain::outcome::{Channel, Outcome};
use rstest::rstest;

use super::city::named;
use super::{City, Store, alert};

/// Of these residents, who have the app and a phone, those are reached in a browser only.
async fn with_browsers(store: Store, all: std::ops::RangeInclusive<u32>, in_browsers: &[u32]) -> City {
    let city = City::new(store).await;
    city.residents(all, true, true, false).await;
    city.phones.answers.lock().unwrap().extend(in_browsers.iter().map(|number| (*number, vec![Outcome::AcceptedByBrowser])));
    city
}

#[rstest]
#[case::embedded(Store::Embedded)]
#[case::postgres(Store::Postgres)]
#[tokio::test]
async fn who_has_an_urgent_alert_in_a_browser_only_and_does_not_answer_gets_the_sms(#[case] store: Store) {
    let city = with_browsers(store, 1..=6, &[1, 2, 3, 7]).await;
    // nothing else reaches them
    city.residents([7], true, false, false).await;
    let alert_id = city.approve(Urgent, alert(), named(1..=7)).await;
    city.settle().await;
    assert_eq!(city.phones.take(Channel::App), (1..=7).collect::<Vec<_>>());
    assert_eq!(city.state(alert_id).await, "active", "they are handed over");

    city.forward(9);
    city.settle().await;
    assert!(city.phones.take(Channel::Sms).is_empty());
    city.acknowledge(alert_id, [2]).await;
    city.write_back(alert_id, [3], false).await;
    city.forward(1);
    city.settle().await;
    assert_eq!(city.phones.take(Channel::Sms), [1], "ten minutes are over");
    let counted = "select sum(accepted)::bigint from dispatch.batch b join dispatch.wave using (alert_id, wave) where alert_id = $1";
    assert_eq!(city.number(counted, alert_id).await, 7, "nobody counts twice");

    city.forward(50);
    city.settle().await;
    assert_eq!(city.phones.take(Channel::Sms), [1, 4, 5, 6], "the reminder, once");
    city.forward(600);
    city.settle().await;
    assert!(city.phones.take(Channel::Sms).is_empty());
}

#[rstest]
#[case::a_routine_alert(Routine, false)]
#[case::an_alert_that_was_cancelled(Urgent, true)]
#[tokio::test]
async fn no_sms_follows_a_browser(#[case] class: DeliveryClass, #[case] cancelled: bool) {
    let city = with_browsers(Store::Postgres, 1..=3, &[1, 2]).await;
    let alert_id = city.approve(class, alert(), named(1..=3)).await;
    city.settle().await;
    if cancelled {
        city.cancel(alert_id).await;
        city.settle().await;
    }
    city.forward(30);
    city.settle().await;
    assert!(city.phones.take(Channel::Sms).is_empty());
    assert_eq!(city.number("select count(*) from dispatch.batch where alert_id = $1 and by_browser > 0", alert_id).await, 0);
}

#[tokio::test]
async fn a_city_sets_how_long_it_waits_for_a_browser() {
    let city = with_browsers(Store::Postgres, 1..=2, &[1]).await;
    let settings = crate::Settings { browser_patience_min: 3, ..city.settings.clone() };
    let city = city.with(settings, crate::Capacity::default());
    city.approve(Urgent, alert(), named(1..=2)).await;
    city.settle().await;
    city.forward(2);
    city.settle().await;
    assert!(city.phones.take(Channel::Sms).is_empty());
    city.forward(1);
    city.settle().await;
    assert_eq!(city.phones.take(Channel::Sms), [1]);
}
