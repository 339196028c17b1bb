//! Stories of receipts: how centres write them, and what follows from them.

use domain::cap::Status;
use rstest::rstest;
use simulators::{Fault, FaultKind, MessageIds, Options, Provider};
use sms::smpp::message_id::ReceiptIds;
use stages::Store::Postgres;

use crate::city::{City, phone};

#[rstest]
#[case::alike(MessageIds::Alike, ReceiptIds::Learned)]
#[case::other_case(MessageIds::OtherCaseInReceipts, ReceiptIds::Learned)]
#[case::no_zeros(MessageIds::NoZerosInReceipts, ReceiptIds::AsAnswered)]
#[case::decimal_is_found_out(MessageIds::DecimalInReceipts, ReceiptIds::Learned)]
#[case::decimal_is_said(MessageIds::DecimalInReceipts, ReceiptIds::Decimal)]
#[case::hexadecimal_is_found_out(MessageIds::HexadecimalInReceipts, ReceiptIds::Learned)]
#[case::hexadecimal_is_said(MessageIds::HexadecimalInReceipts, ReceiptIds::Hexadecimal)]
#[tokio::test]
async fn receipts_settle_their_messages_however_the_centre_writes_ids(#[case] sms_ids: MessageIds, #[case] receipt_ids: ReceiptIds) {
    let city = City::new(Postgres, Options { sms_ids, ..Options::default() }).await;
    city.residents(1..=10, false).await;
    city.start(sms::Settings { receipt_ids, ..city.settings() }).await;

    let alert = city.approve(Status::Actual, 1..=10).await;
    city.until_messages(alert, "delivered", 10).await;
    assert_eq!(city.number("select count(*) from sms.receipt where $1::uuid is not null", alert).await, 0);
    city.end().await;
}

#[tokio::test]
async fn a_message_that_was_accepted_and_then_lost_is_lost_and_its_reader_is_visited() {
    let city = City::new(Postgres, Options::default()).await;
    city.residents(1..=3, false).await;
    city.centre.fault(Provider::Sms, Fault::new(FaultKind::AcceptedThenUndeliverable).only(phone(1)));
    city.start(city.settings()).await;

    let alert = city.approve(Status::Actual, 1..=3).await;
    city.until_messages(alert, "delivered", 2).await;
    city.until_messages(alert, "undeliverable", 1).await;

    let visits = "select count(*) from dispatch.follow_up where alert_id = $1 and reason = 'unreachable' and resident_no = 1";
    city.until("they are to be visited", async || city.number(visits, alert).await == 1).await;
    assert_eq!(city.number("select count(*) from dispatch.follow_up where alert_id = $1", alert).await, 1);
    city.end().await;
}
