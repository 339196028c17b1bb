//! Those whom a short message did not reach although the SMS centre had taken it.

use domain::alert::DeliveryClass::{Routine, Urgent};
use domain::alert::{AckWindow, AlertContent};
use domain::ids::AlertId;
use domain::outcome::{Channel, Outcome};
use proto::SmsUndelivered;
use proto::events::sms_undelivered::Entry;
use rstest::rstest;

use super::city::named;
use super::{City, Store, alert};
use crate::undelivered::{count, on_undelivered};

impl City {
    /// Receipts say that the messages of the newest SMS batch did not reach these residents.
    async fn undelivered(&self, alert_id: AlertId, residents: &[u32]) {
        let batch_id = self.number("select max(batch_id) from dispatch.batch where alert_id = $1 and channel = 'sms'", alert_id).await;
        let entries = residents.iter().map(|resident_no| Entry { resident_no: *resident_no, batch_id }).collect();
        let event = SmsUndelivered { alert_id: alert_id.to_string(), entries, at_ms: self.clock().now().timestamp_millis() };
        on_undelivered(self.database(), self.clock(), &self.settings, alert_id, &event).await.unwrap();
        self.settle().await;
    }

    async fn installs_the_app(&self, resident: i32) {
        sqlx::query("update resident.reach set app = true where resident_no = $1")
            .bind(resident)
            .execute(self.database().pool())
            .await
            .unwrap();
    }
}

#[rstest]
#[case::embedded(Store::Embedded)]
#[case::postgres(Store::Postgres)]
#[tokio::test]
async fn whom_a_message_did_not_reach_is_told_by_app_or_visited(#[case] store: Store) {
    let city = City::new(store).await;
    city.residents(1..=4, false, true, false).await;
    let alert_id = city.approve(Urgent, alert(), named(1..=4)).await;
    city.settle().await;
    assert_eq!(city.phones.take(Channel::Sms), [1, 2, 3, 4]);
    city.installs_the_app(1).await;
    city.acknowledge(alert_id, [4]).await;

    // each part of a message has its receipt, and each comes twice
    for _ in 0..2 {
        city.undelivered(alert_id, &[1, 2, 4]).await;
    }
    assert_eq!(city.phones.take(Channel::App), [1]);
    assert_eq!(city.phones.take(Channel::Sms), [0_u32; 0]);
    assert_eq!(city.follow_ups(alert_id).await, [(2, "unreachable".to_owned())], "who has acknowledged knows");
    assert_eq!(count(city.database(), alert_id).await.unwrap(), 3);
}

#[tokio::test]
async fn who_is_not_reached_by_the_app_either_is_visited() {
    let city = City::new(Store::Postgres).await;
    city.residents(1..=2, false, true, false).await;
    let alert_id = city.approve(Urgent, alert(), named(1..=2)).await;
    city.settle().await;
    city.installs_the_app(1).await;
    city.phones.answers.lock().unwrap().insert(1, vec![Outcome::EndpointGone]);
    city.phones.sent.lock().unwrap().clear();

    city.undelivered(alert_id, &[1]).await;
    assert_eq!((city.phones.take(Channel::App), city.phones.take(Channel::Sms)), (vec![1], vec![1]), "by SMS once more, instead");
    assert!(city.follow_ups(alert_id).await.is_empty());
    city.undelivered(alert_id, &[1]).await;
    assert_eq!((city.phones.take(Channel::App), city.phones.take(Channel::Sms)), (vec![], vec![]));
    assert_eq!(city.follow_ups(alert_id).await, [(1, "unreachable".to_owned())]);
}

#[tokio::test]
async fn after_the_end_of_an_alert_a_receipt_changes_nothing() {
    let city = City::new(Store::Postgres).await;
    city.residents(1..=2, false, true, false).await;
    let alert_id = city.approve(Urgent, alert(), named(1..=2)).await;
    city.settle().await;
    city.cancel(alert_id).await;
    city.installs_the_app(1).await;
    city.undelivered(alert_id, &[1, 2]).await;
    assert_eq!((city.phones.take(Channel::App), city.follow_ups(alert_id).await), (vec![], vec![]));
}

#[tokio::test]
async fn a_routine_message_that_ended_with_the_evening_goes_out_once_more_in_the_morning() {
    let city = City::new(Store::Postgres).await;
    city.residents(1..=2, false, true, false).await;
    let notice = AlertContent { ack_window_s: AckWindow::NONE, ..alert() };
    let alert_id = city.approve(Routine, notice, named(1..=2)).await;
    city.settle().await;
    // noon; quiet hours from 22:00 to 07:00
    city.forward(10 * 60 + 5);
    city.settle().await;
    city.acknowledge(alert_id, [1]).await;
    city.phones.sent.lock().unwrap().clear();

    city.undelivered(alert_id, &[1, 2]).await;
    assert!(city.phones.take(Channel::Sms).is_empty() && city.follow_ups(alert_id).await.is_empty(), "not at night");
    city.forward(9 * 60);
    city.settle().await;
    assert_eq!(city.phones.take(Channel::Sms), [2]);
    city.undelivered(alert_id, &[2]).await;
    assert_eq!(city.follow_ups(alert_id).await, [(2, "unreachable".to_owned())]);
}
