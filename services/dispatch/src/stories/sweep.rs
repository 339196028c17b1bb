//! What no event has told, and the sweep that finds it.

use domain::alert::DeliveryClass::{Routine, Urgent};
use domain::ids::AlertId;
use domain::outcome::Channel;
use platform::jobs::Did;
use rstest::rstest;
use stages::views;

use super::city::named;
use super::{City, Store, alert};
use crate::sweep;

async fn swept(city: &City) -> Did {
    sweep::turn(&city.platform, &city.settings).await.unwrap()
}

fn taken_over(number: u64) -> Did {
    Did::nothing().and("接管遗漏的变动", "changes taken over that no event had told", number)
}

#[rstest]
#[case::embedded(Store::Embedded)]
#[case::postgres(Store::Postgres)]
#[tokio::test]
async fn an_approval_that_no_event_has_told_is_found_and_everybody_is_told(#[case] store: Store) {
    let city = City::new(store).await;
    city.residents(1..=3, true, false, false).await;
    let alert_id = AlertId::new();
    city.shown_by_review(alert_id, Urgent, &alert(), &named(1..=3)).await;
    assert_eq!(swept(&city).await, taken_over(0), "its event may be on its way");
    city.forward(1);
    assert_eq!(swept(&city).await, taken_over(1));
    assert_eq!(swept(&city).await, taken_over(0));
    city.settle().await;
    assert_eq!(city.phones.take(Channel::App), [1, 2, 3]);
    assert_eq!(city.state(alert_id).await, "active");
}

#[rstest]
#[case::embedded(Store::Embedded)]
#[case::postgres(Store::Postgres)]
#[tokio::test]
async fn a_stop_that_no_event_has_told_is_found_and_nothing_further_is_sent(#[case] store: Store) {
    let city = City::new(store).await;
    city.residents(1..=20, true, false, false).await;
    let alert_id = city.approve(Routine, alert(), named(1..=20)).await;
    city.plan().await;
    assert_eq!(city.send_window().await, 2);
    let told = city.phones.take(Channel::App);
    assert_eq!(told.len(), 10);
    views::standing(&city.platform, alert_id, "superseded").await;
    city.forward(1);
    assert_eq!(swept(&city).await, taken_over(1));
    city.settle().await;
    assert_eq!(city.phones.take(Channel::App), told, "that it has ended, and nobody else");
    assert_eq!(city.state(alert_id).await, "superseded");
}

#[tokio::test]
async fn one_that_cannot_be_taken_over_keeps_no_other_waiting_and_fails_the_run() {
    let city = City::new(Store::Postgres).await;
    city.residents(1..=3, true, false, false).await;
    let (damaged, sound) = (AlertId::new(), AlertId::new());
    for alert_id in [damaged, sound] {
        city.shown_by_review(alert_id, Urgent, &alert(), &named(1..=3)).await;
    }
    city.damage("update review.approved_alert set content = '{}' where alert_id = $1", damaged).await;
    city.forward(1);
    let failure = sweep::turn(&city.platform, &city.settings).await.unwrap_err().to_string();
    assert!(failure.starts_with("1 taken over, 1 failed; the first: content of "), "{failure}");
    assert_eq!(city.state(sound).await, "waiting");
}
