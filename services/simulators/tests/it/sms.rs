//! The SMS centre: sessions, texts, segments, receipts, replies, limits.

use std::str::FromStr;

use rstest::rstest;
use rusmpp::{
    CommandStatus,
    extra::concatenation::SubmitSmMultipartExt,
    types::{COctetString, OctetString},
    values::{DataCoding, EsmClass, RegisteredDelivery},
};
use simulators::{Counting, Fault, FaultKind, FaultPlan, Options, Provider};

use crate::story::{City, plain_esm_class, sms, soon};

const PHONE: &str = "+8613800138000";

fn body(delivery: &rusmpp::pdus::DeliverSm) -> String {
    delivery.short_message().to_str().unwrap().to_owned()
}

#[rstest]
#[case::ascii("Stay at home. Reply 1.", 0)]
#[case::chinese("【市疾控】请立即居家,回复1确认。", 8)]
#[tokio::test]
async fn a_message_arrives_as_it_was_written(#[case] text: &str, #[case] data_coding: u8) {
    let city = City::new().await;
    let id = city.bound().await.submit(PHONE, text).await.unwrap();
    let received = city.simulators.sms_to("138 0013 8000");
    assert_eq!(received.len(), 1);
    assert_eq!((received[0].text.as_str(), received[0].segments, received[0].data_coding), (text, 1, data_coding));
    assert_eq!((received[0].from.as_str(), &received[0].message_ids), ("1069012320", &vec![id]));
}

#[rstest]
#[case::chinese("您所在的小区发现密切接触者,请立即居家等待通知。".repeat(9), true)]
#[case::english("Boil water before drinking. ".repeat(12), false)]
#[tokio::test]
async fn a_long_message_is_joined_from_its_segments_in_any_order(#[case] text: String, #[case] ucs2: bool) {
    let city = City::new().await;
    let esme = city.bound().await;
    let multipart = sms(PHONE, "");
    let mut parts: Vec<_> = match ucs2 {
        true => multipart.multipart(&text).reference_u16(4711).ucs2().build().unwrap().into_iter().collect(),
        false => multipart.multipart(&text).reference_u8(7).gsm7bit_unpacked().build().unwrap().into_iter().collect(),
    };
    let segments = parts.len();
    assert!(segments >= 3);
    parts.reverse();
    let last = parts.pop().unwrap();
    for part in parts {
        esme.submit_sm(part).await.unwrap();
    }
    assert_eq!((city.simulators.sms_to(PHONE).len(), city.simulators.statistics().sms.incomplete), (0, 1));
    esme.submit_sm(last).await.unwrap();

    let received = city.simulators.sms_to(PHONE);
    assert_eq!((received.len(), received[0].text.as_str(), received[0].segments), (1, text.as_str(), segments));
    let seen = city.simulators.statistics().sms;
    assert_eq!((seen.submits, seen.accepted, seen.recipients, seen.incomplete), (segments as u64, 1, 1, 0));
}

#[tokio::test]
async fn a_receipt_follows_each_submit_that_asked_for_one() {
    let city = City::new().await;
    let mut esme = city.bound().await;
    let mut quiet = sms(PHONE, "no receipt");
    quiet.registered_delivery = RegisteredDelivery::default();
    esme.submit_sm(quiet).await.unwrap();
    let id = esme.submit(PHONE, "receipt").await.unwrap();

    let receipt = esme.next().await;
    assert_eq!(u8::from(receipt.esm_class), 0x04);
    assert_eq!((receipt.source_addr.as_str(), receipt.destination_addr.as_str()), (PHONE, "1069012320"));
    let text = body(&receipt);
    assert!(text.starts_with(&format!("id:{id} sub:001 dlvrd:001 submit date:")), "{text}");
    assert!(text.contains(" stat:DELIVRD err:000 text:"), "{text}");
    soon(city.simulators.until(|city| city.statistics().sms.deliveries_acknowledged == 1)).await;
    assert_eq!(city.simulators.statistics().sms.deliveries_waiting, 0);
}

#[tokio::test]
async fn an_undeliverable_phone_is_told_by_receipt_and_a_silent_one_not_at_all() {
    let city = City::new().await;
    city.simulators.fault(Provider::Sms, Fault::new(FaultKind::Undeliverable).only("13800138001"));
    city.simulators.fault(Provider::Sms, Fault::new(FaultKind::NoReceipt).only("+86 13800138002"));
    let mut esme = city.bound().await;
    for phone in ["13800138002", "13800138001", "13800138003"] {
        esme.submit(phone, "text").await.unwrap();
    }
    let receipts = [esme.next().await, esme.next().await].map(|receipt| (receipt.source_addr.as_str().to_owned(), body(&receipt)));
    assert_eq!(receipts[0].0, "13800138001");
    assert!(receipts[0].1.contains("dlvrd:000") && receipts[0].1.contains("stat:UNDELIV err:001"), "{}", receipts[0].1);
    assert_eq!(receipts[1].0, "13800138003");
    assert!(!city.simulators.sms_to("13800138001")[0].delivered);
    assert!(city.simulators.sms_to("13800138002")[0].delivered);
}

#[rstest]
#[case("1")]
#[case("收到")]
#[case("退订")]
#[tokio::test]
async fn a_residents_reply_reaches_the_number_that_wrote(#[case] text: &str) {
    let city = City::new().await;
    let mut esme = city.bound().await;
    let mut alert = sms(PHONE, "text");
    alert.source_addr = COctetString::from_str("106900001").unwrap();
    alert.registered_delivery = RegisteredDelivery::default();
    esme.submit_sm(alert).await.unwrap();
    city.simulators.reply("138-0013-8000", text);

    let reply = esme.next().await;
    assert_eq!(u8::from(reply.esm_class), 0);
    assert_eq!((reply.source_addr.as_str(), reply.destination_addr.as_str()), ("13800138000", "106900001"));
    let octets = reply.short_message().as_ref();
    let read = match reply.data_coding {
        DataCoding::Ucs2 => {
            String::from_utf16(&octets.as_chunks::<2>().0.iter().map(|pair| u16::from_be_bytes(*pair)).collect::<Vec<_>>()).unwrap()
        }
        _ => String::from_utf8(octets.to_vec()).unwrap(),
    };
    assert_eq!(read, text);
}

#[tokio::test]
async fn what_was_not_acknowledged_comes_again_in_the_next_session() {
    let city = City::new().await;
    city.simulators.reply(PHONE, "1");
    let mut first = city.bound().await;
    let (_, delivery) = first.next_unacknowledged().await;
    assert_eq!(body(&delivery), "1");
    first.client.close().await.unwrap();
    first.ended().await;

    assert_eq!(body(&city.bound().await.next().await), "1");
}

#[tokio::test]
async fn duplicates_of_a_text_are_counted() {
    for counting in [Counting::Named, Counting::Dense] {
        let city = City::with(Options { counting, ..Options::default() }).await;
        let esme = city.bound().await;
        for (phone, text) in [("13800138001", "a"), ("13800138001", "a"), ("13800138001", "b"), ("13800138002", "a")] {
            esme.submit(phone, text).await.unwrap();
        }
        let seen = city.simulators.statistics().sms;
        assert_eq!((seen.accepted, seen.recipients, seen.duplicates, seen.repeats), (4, 2, 1, 1), "{counting:?}");
        assert_eq!(city.simulators.times(Provider::Sms, "+8613800138001"), 3);
    }
}

#[tokio::test]
async fn only_the_account_may_bind() {
    let city = City::new().await;
    let account = city.simulators.credentials().clone();
    assert_eq!(city.bind("nobody", &account.smpp_password).await.err(), Some(CommandStatus::EsmeRinvsysid));
    assert_eq!(city.bind(&account.smpp_system_id, "guess").await.err(), Some(CommandStatus::EsmeRinvpaswd));
    let esme = city.bound().await;
    soon(esme.client.enquire_link()).await.unwrap();
    soon(esme.client.unbind()).await.unwrap();
    esme.ended().await;
}

#[rstest]
#[case::not_a_number("12ab567", DataCoding::McSpecific, 0, b"text".to_vec(), CommandStatus::EsmeRinvdstadr)]
#[case::too_short("123", DataCoding::McSpecific, 0, b"text".to_vec(), CommandStatus::EsmeRinvdstadr)]
#[case::half_a_character("13800138000", DataCoding::Ucs2, 0, vec![0x65], CommandStatus::EsmeRsubmitfail)]
#[case::coding_that_phones_do_not_know("13800138000", DataCoding::Jis, 0, b"text".to_vec(), CommandStatus::EsmeRsubmitfail)]
#[case::more_than_140_octets("13800138000", DataCoding::Ucs2, 0, vec![0x65; 142], CommandStatus::EsmeRinvmsglen)]
#[case::header_longer_than_message("13800138000", DataCoding::Ucs2, 0x40, vec![9, 0, 3], CommandStatus::EsmeRinvmsglen)]
#[case::segment_three_of_two("13800138000", DataCoding::Ucs2, 0x40, vec![5, 0, 3, 1, 2, 3, 0, 65], CommandStatus::EsmeRinvesmclass)]
#[tokio::test]
async fn a_malformed_submit_is_refused(
    #[case] phone: &str,
    #[case] data_coding: DataCoding,
    #[case] esm_class: u8,
    #[case] octets: Vec<u8>,
    #[case] status: CommandStatus,
) {
    let city = City::new().await;
    let mut submit = sms(phone, "").with_data_coding(data_coding).with_short_message(OctetString::from_vec(octets).unwrap());
    submit.esm_class = if esm_class == 0 { plain_esm_class() } else { EsmClass::from(esm_class) };
    assert_eq!(city.bound().await.submit_sm(submit).await, Err(status));
    assert_eq!(city.simulators.statistics().sms.accepted, 0);
}

#[tokio::test]
async fn more_than_the_rate_is_throttled() {
    let city = City::with(Options { sms_per_second: Some(5), ..Options::default() }).await;
    let esme = city.bound().await;
    let results = futures::future::join_all((0..50).map(|_| esme.submit(PHONE, "text"))).await;
    assert!(results.contains(&Err(CommandStatus::EsmeRthrottled)));
    assert!(city.simulators.statistics().sms.refused["ESME_RTHROTTLED"] > 0);
}

#[tokio::test]
async fn more_than_the_window_is_throttled() {
    let city = City::with(Options { sms_window: 3, ..Options::default() }).await;
    city.simulators.fault(Provider::Sms, Fault::new(FaultKind::Hang));
    let esme = city.bound().await;
    for _ in 0..10 {
        esme.client.no_wait().submit_sm(sms(PHONE, "text")).await.unwrap();
    }
    soon(city.simulators.until(|city| city.statistics().sms.refused.get("ESME_RTHROTTLED") == Some(&7))).await;
    assert_eq!(city.simulators.statistics().sms.refused["hung"], 3);
}

#[tokio::test]
async fn latency_holds_answers_back_and_keeps_their_order() {
    let city = City::new().await;
    city.simulators.set_faults(Provider::Sms, FaultPlan { latency_ms: 30, ..FaultPlan::default() });
    let esme = city.bound().await;
    let begin = std::time::Instant::now();
    let ids = futures::future::join_all((0..10).map(|_| esme.submit(PHONE, "text"))).await;
    assert!(begin.elapsed() >= std::time::Duration::from_millis(30));
    assert!(ids.is_sorted_by_key(|id| id.clone().unwrap()));
}

#[tokio::test]
async fn a_receiver_may_not_submit() {
    let city = City::new().await;
    let account = city.simulators.credentials();
    let socket = tokio::net::TcpStream::connect(city.simulators.addresses().smpp).await.unwrap();
    let (client, _events) = rusmppc::ConnectionBuilder::new().disable_interface_version_check().connected(socket);
    let refused = client.submit_sm(sms(PHONE, "text")).await.map_err(crate::story::status);
    assert_eq!(refused.err(), Some(CommandStatus::EsmeRinvbndsts), "before the bind");
    let bind = rusmpp::pdus::BindReceiver::builder()
        .system_id(COctetString::from_str(&account.smpp_system_id).unwrap())
        .password(COctetString::from_str(&account.smpp_password).unwrap())
        .build();
    client.bind_receiver(bind).await.unwrap();
    let refused = client.submit_sm(sms(PHONE, "text")).await.map_err(crate::story::status);
    assert_eq!(refused.err(), Some(CommandStatus::EsmeRinvbndsts), "as receiver");
}
