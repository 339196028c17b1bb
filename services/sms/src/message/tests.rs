//! Rows and receipts, in every order.

use std::time::Duration;

use chrono::TimeDelta;
use platform::Platform;
use prost::Message as _;
use proto::SmsUndelivered;
use rstest::rstest;

use super::*;
use crate::receipts::{put_aside, receive};
use crate::routes::{Ends, Partly, SmsCounts, count};
use crate::smpp::message_id::plain;
use crate::smpp::receipt::{Delivery, Receipt};

const BATCH: BatchId = BatchId::new(7);

struct Store {
    platform: Platform,
    alert: AlertId,
}

impl Store {
    async fn new() -> Self {
        const TABLES: stages::Tables = stages::Tables { stand_ins: &[], schemas: &[(crate::SCHEMA, &crate::MIGRATOR)] };
        let platform = stages::Store::Embedded.open_at_with(DateTime::UNIX_EPOCH, TABLES).await;
        Self { platform, alert: AlertId::new() }
    }

    async fn store(&self, resident: u32, ids: &[&str]) {
        self.store_once_more(resident, ids, false).await;
    }

    async fn store_once_more(&self, resident: u32, ids: &[&str], again: bool) {
        self.store_of(self.alert, resident, ids, again).await;
    }

    async fn store_of(&self, alert: AlertId, resident: u32, ids: &[&str], again: bool) {
        let at = self.platform.clock.now();
        let parts = ids.iter().map(|id| Taken { id: id.to_string(), at }).collect();
        let message = Message { resident: ResidentNo::new(resident), parts };
        let of = Of { alert, batch: BATCH, again };
        store(&self.platform.database, of, &[message]).await.unwrap();
    }

    async fn receive(&self, receipts: &[(&str, Delivery)]) {
        let receipts: Vec<Receipt> = receipts.iter().map(|(id, delivery)| receipt(id, *delivery, 1)).collect();
        self.receive_all(receipts).await;
    }

    async fn receive_all(&self, receipts: Vec<Receipt>) {
        let (database, now) = (&self.platform.database, self.platform.clock.now());
        let unknown = receive(database, &receipts, now).await.unwrap();
        let early: Vec<Receipt> = receipts.into_iter().filter(|receipt| unknown.contains(&receipt.id)).collect();
        put_aside(database, &early, now).await.unwrap();
    }

    /// What the console counts of the alert, whose validity ends an hour after the story began.
    async fn counts(&self) -> SmsCounts {
        let ends =
            Ends { expires_at: DateTime::UNIX_EPOCH + TimeDelta::hours(1), longest: TimeDelta::hours(48), patience: TimeDelta::hours(1) };
        count(&self.platform, self.alert, ends).await.unwrap()
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

fn receipt(id: &str, delivery: Delivery, covers: i16) -> Receipt {
    Receipt { id: plain(id), delivery, detail: format!("{delivery:?}"), covers }
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
#[case::in_other_case(&[("A", Delivered), ("B", Delivered)], "delivered", 0)]
#[case::with_zeros_in_front(&[("00a", Delivered), ("0b", Delivered)], "delivered", 0)]
#[case::underway_and_then_lost(&[("a", Underway), ("a", Undeliverable)], "undeliverable", 0)]
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
async fn an_id_that_the_centre_gives_again_settles_the_newest_part() {
    let store = Store::new().await;
    store.store(1, &["0077"]).await;
    store.platform.clock.forward(Duration::from_secs(3600));
    let later = AlertId::new();
    store.store_of(later, 2, &["77"], false).await;
    store.receive(&[("77", Delivered)]).await;
    assert_eq!((store.state(1).await.as_str(), store.state(2).await.as_str()), ("submitted", "delivered"));
    store.receive(&[("77", Undeliverable)]).await;
    assert_eq!(store.state(1).await, "submitted", "a receipt that comes twice is not about an older part");
}

#[tokio::test]
async fn a_receipt_that_waited_long_is_not_about_a_message_of_today() {
    let store = Store::new().await;
    store.receive(&[("77", Undeliverable)]).await;
    store.platform.clock.forward(Duration::from_secs(3600));
    store.store(1, &["77"]).await;
    assert_eq!((store.state(1).await.as_str(), store.waiting().await), ("submitted", 1));
}

#[tokio::test]
async fn whom_a_message_did_not_reach_is_told_once() {
    let store = Store::new().await;
    store.receive(&[("b", Undeliverable)]).await;
    store.store(1, &["a", "b"]).await;
    store.store(2, &["c"]).await;
    store.store(3, &["d"]).await;
    store.receive(&[("c", Undeliverable), ("d", Delivered)]).await;
    store.receive(&[("c", Undeliverable)]).await;
    let told: Vec<Vec<u8>> = sqlx::query_scalar("delete from sms.outbox where topic = 'sms.undelivered' returning payload")
        .fetch_all(store.platform.database.pool())
        .await
        .unwrap();
    let told = told.iter().map(|payload| SmsUndelivered::decode(payload.as_slice()).unwrap());
    let mut people: Vec<(String, u32, i64)> = told
        .flat_map(|told| told.entries.into_iter().map(move |entry| (told.alert_id.clone(), entry.resident_no, entry.batch_id)))
        .collect();
    people.sort();
    let alert = store.alert.to_string();
    assert_eq!(people, [(alert.clone(), 1, BATCH.get()), (alert, 2, BATCH.get())]);
}

#[tokio::test]
async fn what_a_holder_that_died_had_submitted_is_known() {
    let store = Store::new().await;
    store.store(1, &["a", "b"]).await;
    let of = Of { alert: store.alert, batch: BATCH, again: true };
    let asked = [ResidentNo::new(1), ResidentNo::new(2)];
    let known = stored(&store.platform.database, of, &asked).await.unwrap();
    assert_eq!(known, HashSet::from([ResidentNo::new(1)]));
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

#[tokio::test]
async fn what_is_stored_twice_keeps_what_its_receipts_said() {
    let store = Store::new().await;
    store.store(1, &["a", "b"]).await;
    store.receive(&[("a", Delivered), ("b", Delivered)]).await;
    // the answer to the first statement was lost
    store.store_once_more(1, &["a", "b"], false).await;
    assert_eq!(store.state(1).await, "delivered");
    store.store_once_more(1, &["a", "b"], true).await;
    assert_eq!(store.state(1).await, "delivered");
}

#[tokio::test]
async fn one_receipt_may_speak_for_all_parts_of_a_message_whether_it_comes_after_its_row_or_before() {
    let store = Store::new().await;
    store.receive_all(vec![receipt("d", Delivered, 3)]).await;
    store.store(1, &["a", "b", "c"]).await;
    store.store(2, &["d", "e", "f"]).await;
    store.store(3, &["g", "h"]).await;
    store.receive_all(vec![receipt("b", Delivered, 3), receipt("g", Delivered, 3)]).await;
    let states = [store.state(1).await, store.state(2).await, store.state(3).await];
    assert_eq!(states, ["delivered", "delivered", "submitted"], "a message in two parts is not what three were said of");
    assert_eq!(store.waiting().await, 0);
}

#[tokio::test]
async fn a_message_with_one_receipt_for_three_parts_is_shown_as_one_of_three_when_the_others_stay_out() {
    let store = Store::new().await;
    store.store(1, &["a", "b", "c"]).await;
    store.store(2, &["d"]).await;
    store.receive(&[("a", Delivered), ("d", Delivered)]).await;
    let waiting = store.counts().await;
    assert_eq!((waiting.submitted, waiting.delivered, waiting.partly.messages), (1, 1, 0), "the others may be on their way");
    store.platform.clock.forward(Duration::from_secs(3600));
    let partly = store.counts().await;
    assert_eq!((partly.submitted, partly.delivered, partly.without_receipt), (0, 1, 0));
    assert_eq!(partly.partly, Partly { messages: 1, arrived: 1, parts: 3 });
    store.receive(&[("b", Delivered), ("c", Delivered)]).await;
    let settled = store.counts().await;
    assert_eq!((settled.delivered, settled.partly), (2, Partly::default()), "what comes late still counts");
}

#[tokio::test]
async fn a_message_of_which_no_receipt_ever_comes_is_counted_as_such_after_its_validity() {
    let store = Store::new().await;
    store.store(1, &["a", "b"]).await;
    store.store(2, &["c"]).await;
    store.platform.clock.forward(Duration::from_secs(2 * 3600 - 1));
    let counts = store.counts().await;
    assert_eq!((counts.submitted, counts.without_receipt), (2, 0), "its validity and the patience are not over");
    store.platform.clock.forward(Duration::from_secs(1));
    let counts = store.counts().await;
    assert_eq!((counts.submitted, counts.without_receipt, counts.segments), (0, 2, 3));
    store.receive(&[("c", Undeliverable)]).await;
    let counts = store.counts().await;
    assert_eq!((counts.undeliverable, counts.without_receipt), (1, 1));
    // what tells of the end of an alert is sent after it
    store.store(3, &["d"]).await;
    assert_eq!(store.counts().await.submitted, 1);
}
