//! Rows and receipts, in every order.

use std::time::Duration;

use platform::{Platform, clock::Clock, scratch};
use rstest::rstest;

use super::*;

const BATCH: BatchId = BatchId::new(7);

struct Store {
    platform: Platform,
    alert: AlertId,
}

impl Store {
    async fn new() -> Self {
        let platform = scratch::temporary(Clock::moved(DateTime::UNIX_EPOCH)).await.unwrap();
        platform.database.migrate(crate::SCHEMA, &crate::MIGRATOR).await.unwrap();
        Self { platform, alert: AlertId::new() }
    }

    async fn store(&self, resident: u32, ids: &[&str]) {
        self.store_once_more(resident, ids, false).await;
    }

    async fn store_once_more(&self, resident: u32, ids: &[&str], again: bool) {
        let smsc_ids = ids.iter().map(ToString::to_string).collect();
        let message = Message { resident: ResidentNo::new(resident), smsc_ids, submitted_at: self.platform.clock.now() };
        let of = Of { alert: self.alert, batch: BATCH, again };
        store(&self.platform.database, of, &[message]).await.unwrap();
    }

    async fn receive(&self, receipts: &[(&str, Delivery)]) {
        let receipts: Vec<Receipt> = receipts
            .iter()
            .map(|(id, delivery)| Receipt { id: id.to_string(), delivery: *delivery, detail: format!("{delivery:?}") })
            .collect();
        let (database, now) = (&self.platform.database, self.platform.clock.now());
        let unknown = receive(database, &receipts, now).await.unwrap();
        let early: Vec<Receipt> = receipts.into_iter().filter(|receipt| unknown.contains(&receipt.id)).collect();
        put_aside(database, &early, now).await.unwrap();
    }

    async fn state(&self, resident: u32) -> String {
        sqlx::query_scalar!(r#"select state as "state!" from sms.message where resident_no = $1"#, i64::from(resident))
            .fetch_one(self.platform.database.pool())
            .await
            .unwrap()
    }

    async fn waiting(&self) -> i64 {
        sqlx::query_scalar!(r#"select count(*) as "count!" from sms.receipt"#).fetch_one(self.platform.database.pool()).await.unwrap()
    }
}

use Delivery::{Delivered, Undeliverable, Underway};

#[rstest]
#[case::all_parts(&[("a", Delivered), ("b", Delivered)], "delivered", 0)]
#[case::in_another_order(&[("b", Delivered), ("a", Delivered)], "delivered", 0)]
#[case::one_part_only(&[("a", Delivered)], "submitted", 0)]
#[case::the_same_part_twice(&[("a", Delivered), ("a", Delivered)], "submitted", 0)]
#[case::one_part_failed(&[("a", Delivered), ("b", Undeliverable)], "undeliverable", 0)]
#[case::failed_before_the_other_came(&[("b", Undeliverable)], "undeliverable", 0)]
#[case::underway_says_nothing(&[("a", Underway), ("b", Underway)], "submitted", 0)]
#[case::the_later_word_counts(&[("a", Undeliverable), ("a", Delivered), ("b", Delivered)], "delivered", 0)]
#[tokio::test]
async fn receipts_settle_a_message_whether_they_come_after_its_row_or_before(
    #[case] receipts: &[(&str, Delivery)],
    #[case] state: &str,
    #[case] left: i64,
) {
    let after = Store::new().await;
    after.store(1, &["a", "b"]).await;
    after.receive(receipts).await;
    assert_eq!((after.state(1).await.as_str(), after.waiting().await), (state, left), "after");

    let before = Store::new().await;
    before.receive(receipts).await;
    before.store(1, &["a", "b"]).await;
    assert_eq!((before.state(1).await.as_str(), before.waiting().await), (state, left), "before");
}

#[tokio::test]
async fn a_receipt_delivered_again_changes_nothing() {
    let store = Store::new().await;
    store.store(1, &["a"]).await;
    store.receive(&[("a", Delivered)]).await;
    store.receive(&[("a", Undeliverable)]).await;
    assert_eq!((store.state(1).await.as_str(), store.waiting().await), ("delivered", 0));
}

#[tokio::test]
async fn a_receipt_about_nothing_of_ours_is_swept_away() {
    let store = Store::new().await;
    store.receive(&[("x", Delivered)]).await;
    assert_eq!(store.waiting().await, 1);
    store.platform.clock.forward(Duration::from_secs(10));
    let gone = forget(&store.platform.database, store.platform.clock.now()).await.unwrap();
    assert_eq!((gone.receipts, gone.replies, store.waiting().await), (1, 0, 0));
}

#[tokio::test]
async fn a_message_submitted_again_after_a_crash_is_one_row_that_counts_its_later_ids() {
    let store = Store::new().await;
    store.store(1, &["a"]).await;
    store.receive(&[("a", Undeliverable)]).await;
    store.store_once_more(1, &["c"], true).await;
    assert_eq!(store.state(1).await, "submitted");
    store.receive(&[("c", Delivered)]).await;
    assert_eq!(store.state(1).await, "delivered");
}

#[tokio::test]
async fn receipts_of_others_are_left_alone() {
    let store = Store::new().await;
    store.store(1, &["a"]).await;
    store.store(2, &["b"]).await;
    store.receive(&[("b", Delivered), ("x", Delivered)]).await;
    assert_eq!((store.state(1).await.as_str(), store.state(2).await.as_str(), store.waiting().await), ("submitted", "delivered", 1));
}

#[tokio::test]
async fn a_message_submitted_again_in_fewer_parts_has_no_others_left() {
    let store = Store::new().await;
    store.store(1, &["a", "b", "c"]).await;
    store.store_once_more(1, &["d", "e"], true).await;
    store.receive(&[("d", Delivered), ("c", Undeliverable)]).await;
    assert_eq!(store.state(1).await, "submitted");
    store.receive(&[("e", Delivered)]).await;
    assert_eq!(store.state(1).await, "delivered");
}
