//! Stories of what the centre answers: late, not at all, no to everybody, slow down.

use chrono::TimeDelta;
use dispatch::worker::WorkerSettings;
use domain::alert::DeliveryClass;
use domain::cap::Status;
use domain::language::Language;
use platform::crypto::Purpose;
use proto::CodeRequested;
use rstest::rstest;
use simulators::{Fault, FaultKind, Options, Provider};
use stages::Store::Postgres;

use crate::city::{City, TEXT, phone};

/// Parts of a message of the city's text.
const PARTS: u64 = 3;

/// Settings that wait for an answer for a second.
fn impatient(city: &City) -> sms::Settings {
    // the time moves on while an answer is waited for: no batch may be taken from its holder for that
    let worker = WorkerSettings { lease_s: 360_000, ..city.settings().worker };
    sms::Settings { response_timeout_s: 1, worker, ..city.settings() }
}

#[tokio::test]
async fn an_answer_that_comes_late_settles_its_part_and_nobody_gets_it_twice() {
    let city = City::new(Postgres, Options::default()).await;
    city.residents(1..=3, false).await;
    city.centre.fault(Provider::Sms, Fault::new(FaultKind::AnsweredLate { by_ms: 1_500 }).only(phone(1)).times(1));
    city.start(impatient(&city)).await;

    let alert = city.approve(Status::Actual, 1..=3).await;
    let known = "select count(*) from sms.begun where alert_id = $1 and smsc_id is not null and part = 1";
    city.until_now("the late answer is known", async || city.number(known, alert).await == 1).await;
    city.until_messages(alert, "delivered", 3).await;

    let seen = city.centre.statistics().sms;
    assert_eq!((seen.submits, seen.duplicates, seen.recipients), (3 * PARTS, 0, 3));
    let begun = "select count(*) from sms.begun where alert_id = $1";
    city.until_now("of what was begun nothing is left", async || city.number(begun, alert).await == 0).await;
    city.end().await;
}

#[tokio::test]
async fn a_part_without_an_answer_goes_out_once_more_and_not_a_third_time() {
    let city = City::new(Postgres, Options::default()).await;
    city.residents(1..=3, false).await;
    city.centre.fault(Provider::Sms, Fault::new(FaultKind::Hang).only(phone(1)).times(1));
    city.centre.fault(Provider::Sms, Fault::new(FaultKind::Hang).only(phone(2)).times(10));
    city.start(impatient(&city)).await;

    let alert = city.approve(Status::Actual, 1..=3).await;
    city.until("all is closed", async || city.all_closed(alert).await).await;

    // resident 1 once, resident 2 twice for each part
    let hung = city.centre.statistics().sms.refused.get("hung").copied();
    assert_eq!(hung, Some(1 + 2 * PARTS));
    city.until_messages(alert, "delivered", 2).await;
    assert_eq!(city.number("select sum(unreachable) from dispatch.batch where alert_id = $1", alert).await, 1);
    city.end().await;
}

#[rstest]
#[case::it_failed(FaultKind::InternalError, 2)]
#[case::it_was_throttled(FaultKind::Throttled { retry_after_s: 0 }, 4)]
#[tokio::test]
async fn a_message_goes_on_at_its_missing_part(#[case] kind: FaultKind, #[case] times: u64) {
    let city = City::new(Postgres, Options::default()).await;
    city.residents([1], false).await;
    city.centre.fault(Provider::Sms, Fault::new(kind).sparing(1).times(times));
    city.start(city.settings()).await;

    let alert = city.approve(Status::Actual, [1]).await;
    city.until_messages(alert, "delivered", 1).await;

    let arrived = city.centre.sms_to(&phone(1));
    assert_eq!((arrived.len(), arrived[0].segments), (1, 3));
    assert_eq!(city.centre.statistics().sms.submits, PARTS + times, "no part that was taken is sent again");
    city.end().await;
}

#[rstest]
#[case::a_crowd(40)]
#[case::a_few(3)]
#[tokio::test]
async fn what_the_centre_refuses_to_everybody_holds_the_batch_until_it_is_mended(#[case] people: u32) {
    const INVALID_SOURCE_ADDRESS: u32 = 0x0A;
    let city = City::new(Postgres, Options::default()).await;
    city.residents(1..=people, false).await;
    city.centre.fault(Provider::Sms, Fault::new(FaultKind::Refused { status: INVALID_SOURCE_ADDRESS }));
    city.start(city.settings()).await;

    let alert = city.approve(Status::Actual, 1..=people).await;
    let held = "select count(*) from dispatch.batch where alert_id = $1 and lease > 1 and state <> 'closed'";
    city.until("the batch was given back", async || city.number(held, alert).await == 1).await;
    assert!(city.centre.statistics().sms.submits < 40, "not everybody is asked for to see it");

    city.centre.heal(Provider::Sms);
    city.until_messages(alert, "delivered", people.into()).await;
    assert_eq!(city.number("select sum(unreachable) from dispatch.batch where alert_id = $1", alert).await, 0);
    city.end().await;
}

#[tokio::test]
async fn one_refusal_among_many_is_that_messages() {
    const INVALID_LENGTH: u32 = 0x01;
    let city = City::new(Postgres, Options::default()).await;
    city.residents(1..=40, false).await;
    city.centre.fault(Provider::Sms, Fault::new(FaultKind::Refused { status: INVALID_LENGTH }).only(phone(7)));
    city.start(city.settings()).await;

    let alert = city.approve(Status::Actual, 1..=40).await;
    city.until("the batch is closed", async || city.all_closed(alert).await).await;
    city.until_messages(alert, "delivered", 39).await;
    assert_eq!(city.number("select sum(unreachable) from dispatch.batch where alert_id = $1", alert).await, 1);
    city.end().await;
}

#[tokio::test]
async fn a_message_that_is_throttled_delays_no_other() {
    let city = City::new(Postgres, Options::default()).await;
    city.residents(1..=40, false).await;
    city.centre.fault(Provider::Sms, Fault::throttled(0).only(phone(1)));
    city.start(city.settings()).await;

    let alert = city.approve(Status::Actual, 1..=40).await;
    let taken = async || city.centre.statistics().sms.recipients == 39;
    city.until_now("the others have it, at this very moment", taken).await;

    city.centre.heal(Provider::Sms);
    city.until_messages(alert, "delivered", 40).await;
    city.end().await;
}

#[tokio::test]
async fn a_one_time_code_goes_before_everything_that_waits() {
    let city = City::new(Postgres, Options::default()).await;
    city.residents(1..=40, false).await;
    // one part a second
    city.start(sms::Settings { rate_per_second: 1.try_into().unwrap(), ..city.settings() }).await;
    let content = city.content(Status::Actual, &[(Language::ZhCn, TEXT)]);
    let alert = city.approve_as(DeliveryClass::Routine, content, 1..=40).await;
    city.until("the first has it", async || city.centre.statistics().sms.recipients >= 1).await;

    let keyring = &city.platform.keyring;
    let before = city.centre.statistics().sms.submits;
    city.publish(&CodeRequested {
        request_id: "code".into(),
        phone_sealed: keyring.seal(Purpose::ResidentPhone, format!("+86{}", phone(99)).as_bytes()).into_bytes(),
        text_sealed: keyring.seal(Purpose::SmsText, "【烽火】验证码 123456".as_bytes()).into_bytes(),
        expires_at_ms: (city.platform.clock.now() + TimeDelta::minutes(5)).timestamp_millis(),
    })
    .await;
    city.until("the code is there", async || !city.centre.sms_to(&phone(99)).is_empty()).await;
    let between = city.centre.statistics().sms.submits - before;
    assert!(between <= 8, "{between} parts went out before the code");
    city.cancel(alert).await;
    city.until("nothing is sent any more", async || city.all_closed(alert).await).await;
    city.end().await;
}

#[tokio::test]
async fn a_language_that_is_too_long_leaves_nobody_without_a_message() {
    let city = City::new(Postgres, Options::default()).await;
    city.residents(1..=2, false).await;
    city.reads_english(2).await;
    city.start(city.settings()).await;

    let long = "Stay at home and wait. ".repeat(60);
    let content = city.content(Status::Actual, &[(Language::ZhCn, "请居家等候"), (Language::En, &long)]);
    let alert = city.approve_as(DeliveryClass::Urgent, content, 1..=2).await;
    city.until_messages(alert, "delivered", 2).await;

    assert_eq!(city.centre.sms_to(&phone(1))[0].text, "【烽火】请居家等候。咨询12320。收到请回复1 7KQ3，退订回复T");
    let english = city.centre.sms_to(&phone(2)).remove(0);
    assert!(english.text.starts_with("【烽火】Stay at home and wait. Stay") && english.text.contains("..."), "{}", english.text);
    assert!(english.text.ends_with("Ask 12320. Reply 1 7KQ3 to confirm, T to stop"), "{}", english.text);
    assert_eq!(english.segments, domain::sms_text::MAX_SEGMENTS);
    city.end().await;
}
