//! Stories of short messages, from the approved alert to the phone and back.

use crate::city::{City, OFFICER, OTHER_REVIEWER, REVIEWER, TEXT, phone};
use chrono::{DateTime, DurationRound as _, TimeDelta, Utc};
use domain::cap::Status;
use http::StatusCode;
use platform::crypto::{Purpose, Sealed};
use proto::topology::AUDIT_IN_DANGER;
use proto::topology::RESIDENT_SMS_REPLIES;
use proto::{AlertInDanger, CodeRequested, SmsReplied};
use rstest::rstest;
use serde_json::json;
use simulators::{Fault, FaultKind, FaultPlan, Options, Provider};
use stages::Store::{self, Embedded, Postgres};
use stages::{Heard, noon, soon, unheard};

#[rstest]
#[tokio::test]
async fn a_long_chinese_text_arrives_whole_and_its_receipts_are_counted(#[values(Embedded, Postgres)] store: Store) {
    let city = City::new(store, Options::default()).await;
    city.residents(1..=20, false).await;
    city.start(city.settings()).await;

    let alert = city.approve(Status::Actual, 1..=20).await;
    city.until_messages(alert, "delivered", 20).await;

    let arrived = city.centre.sms_to(&phone(7)).remove(0);
    let whole = format!("【烽火】{TEXT}。咨询12320。收到请回复1 7KQ3，退订回复T");
    assert_eq!((arrived.text.as_str(), arrived.segments, arrived.data_coding), (whole.as_str(), 3, 8));
    assert_eq!(city.number("select sum(parts) from sms.message where alert_id = $1", alert).await, 60);
    assert_eq!(
        city.number("select count(*) from sms.receipt where $1::uuid is not null", alert).await,
        0,
        "receipts that did their work go"
    );
    city.end().await;
}

#[rstest]
#[tokio::test]
async fn a_phone_that_does_not_get_it_is_undeliverable_and_one_that_does_not_exist_is_pruned(#[values(Embedded, Postgres)] store: Store) {
    let city = City::new(store, Options::default()).await;
    city.residents(1..=3, false).await;
    city.centre.fault(Provider::Sms, Fault::new(FaultKind::Undeliverable).only(phone(1)));
    city.centre.fault(Provider::Sms, Fault::new(FaultKind::Gone).only(phone(2)));
    city.start(city.settings()).await;

    let alert = city.approve(Status::Actual, 1..=3).await;
    city.until_messages(alert, "delivered", 1).await;
    city.until_messages(alert, "undeliverable", 1).await;
    city.until("the batch is closed", async || city.all_closed(alert).await).await;

    assert_eq!(city.number("select sum(unreachable) from dispatch.batch where alert_id = $1", alert).await, 1);
    city.end().await;
}

#[rstest]
#[tokio::test]
async fn a_centre_that_throttles_is_waited_for_and_nobody_is_lost(#[values(Embedded, Postgres)] store: Store) {
    let city = City::new(store, Options::default()).await;
    city.residents(1..=10, false).await;
    city.centre.fault(Provider::Sms, Fault::throttled(0).times(12));
    city.start(city.settings()).await;

    let alert = city.approve(Status::Actual, 1..=10).await;
    city.until_messages(alert, "delivered", 10).await;

    let statistics = city.centre.statistics().sms;
    assert_eq!((statistics.recipients, statistics.duplicates), (10, 0));
    city.end().await;
}

#[rstest]
#[tokio::test]
async fn no_more_than_the_window_is_ever_unanswered(#[values(Embedded, Postgres)] store: Store) {
    // The centre throttles the fifth unanswered message of a session.
    let city = City::new(store, Options { sms_window: 4, ..Options::default() }).await;
    city.residents(1..=40, false).await;
    city.centre.set_faults(Provider::Sms, FaultPlan { latency_ms: 5, ..FaultPlan::default() });
    city.start(sms::Settings { window: 4.try_into().unwrap(), ..city.settings() }).await;

    let alert = city.approve(Status::Actual, 1..=40).await;
    city.until_messages(alert, "delivered", 40).await;

    assert!(city.centre.statistics().sms.refused.is_empty(), "{:?}", city.centre.statistics().sms.refused);
    city.end().await;
}

#[rstest]
#[tokio::test]
async fn a_connection_that_breaks_comes_back_and_everybody_gets_the_message(#[values(Embedded, Postgres)] store: Store) {
    let city = City::new(store, Options::default()).await;
    city.residents(1..=20, false).await;
    city.centre.fault(Provider::Sms, Fault::new(FaultKind::CloseConnection).times(4));
    city.start(city.settings()).await;

    let alert = city.approve(Status::Actual, 1..=20).await;
    city.until_messages(alert, "delivered", 20).await;

    assert_eq!(city.centre.statistics().sms.recipients, 20);
    city.end().await;
}

#[rstest]
#[tokio::test]
async fn refused_credentials_hold_the_batch_until_the_account_is_mended(#[values(Embedded, Postgres)] store: Store) {
    let city = City::new(store, Options::default()).await;
    city.residents(1..=5, false).await;
    city.centre.fault(Provider::Sms, Fault::new(FaultKind::CredentialsRefused));
    city.start(city.settings()).await;

    let alert = city.approve(Status::Actual, 1..=5).await;
    let held = "select count(*) from dispatch.batch where alert_id = $1 and lease > 1 and state <> 'closed'";
    city.until("the batch was given back", async || city.number(held, alert).await == 1).await;
    assert_eq!(city.centre.statistics().sms.accepted, 0);

    city.centre.heal(Provider::Sms);
    city.until_messages(alert, "delivered", 5).await;
    assert_eq!(city.number("select count(*) from dispatch.batch where alert_id = $1 and unreachable > 0", alert).await, 0);
    city.end().await;
}

#[rstest]
#[tokio::test]
async fn a_cancelled_alert_reaches_nobody_further(#[values(Embedded, Postgres)] store: Store) {
    let city = City::new(store, Options::default()).await;
    city.residents(1..=5, false).await;
    city.centre.fault(Provider::Sms, Fault::new(FaultKind::CredentialsRefused));
    city.start(city.settings()).await;

    let alert = city.approve(Status::Actual, 1..=5).await;
    let held = "select count(*) from dispatch.batch where alert_id = $1 and lease > 1";
    city.until("the batch was given back", async || city.number(held, alert).await == 1).await;
    city.cancel(alert).await;
    city.until("the batch is closed", async || city.all_closed(alert).await).await;
    city.centre.heal(Provider::Sms);

    assert_eq!(city.number("select sum(withdrawn) from dispatch.batch where alert_id = $1", alert).await, 5);
    assert_eq!(city.centre.statistics().sms.accepted, 0);
    city.end().await;
}

#[rstest]
#[tokio::test]
async fn who_was_sent_an_alert_is_told_by_sms_that_it_was_cancelled(#[values(Embedded, Postgres)] store: Store) {
    let city = City::new(store, Options::default()).await;
    city.residents(1..=5, false).await;
    city.centre.fault(Provider::Sms, Fault::new(FaultKind::Gone).only(phone(2)));
    city.start(city.settings()).await;

    let alert = city.approve(Status::Actual, 1..=5).await;
    city.until("the batch is closed", async || city.all_closed(alert).await).await;
    city.cancel(alert).await;
    city.until("the others are told", async || city.centre.sms_to(&phone(5)).len() == 2).await;

    let told = city.centre.sms_to(&phone(5));
    let last = told.iter().find(|sms| sms.text.contains("已撤销")).expect("the last word");
    assert_eq!(last.text, "【烽火】【已撤销】此前发给您的提醒《密接告知》已撤销，不再有效。请不要再按原提醒的要求行动。咨询12320。");
    assert_eq!(city.centre.sms_to(&phone(2)).len(), 0, "who never got it hears nothing of it");
    city.end().await;
}

#[rstest]
#[tokio::test]
async fn a_reply_is_passed_on_once_although_it_is_delivered_twice(#[values(Embedded, Postgres)] store: Store) {
    let city = City::new(store, Options::default()).await;
    let heard = Heard::<SmsReplied>::on(&city.platform, &RESIDENT_SMS_REPLIES);
    city.start(city.settings()).await;

    for text in ["收到", "收到", "1 7KQ3"] {
        city.centre.reply(&phone(3), text);
    }
    soon("three replies are taken", city.centre.until(|centre| centre.statistics().sms.deliveries_acknowledged == 3)).await;
    city.until("both replies", async || heard.count() >= 2).await;

    let keyring = &city.platform.keyring;
    let replies = heard.take();
    let read = |reply: &SmsReplied| {
        let sealed = Sealed::from_bytes(reply.text_sealed.clone()).unwrap();
        String::from_utf8(keyring.open(Purpose::SmsReply, &sealed).unwrap().to_vec()).unwrap()
    };
    let mut texts: Vec<String> = replies.iter().map(read).collect();
    texts.sort();
    assert_eq!(texts, ["1 7KQ3", "收到"]);
    let hash = keyring.hash(Purpose::ResidentPhone, format!("+86{}", phone(3)).as_bytes());
    assert!(replies.iter().all(|reply| reply.phone_hash == hash.bytes()));
    city.end().await;
}

#[rstest]
#[tokio::test]
async fn a_phone_of_hong_kong_gets_the_alert_and_its_answer_is_known(#[values(Embedded, Postgres)] store: Store) {
    const PHONE: &str = "+85251234567";
    let city = City::new(store, Options::default()).await;
    let heard = Heard::<SmsReplied>::on(&city.platform, &RESIDENT_SMS_REPLIES);
    city.residents(1..=2, false).await;
    city.resident_with(3, "+852 5123 4567").await;
    city.start(city.settings()).await;

    let alert = city.approve(Status::Actual, 1..=3).await;
    city.until_messages(alert, "delivered", 3).await;

    // the centre is given the international number, without +
    let arrived = city.centre.sms_to("85251234567").remove(0);
    assert!(arrived.text.contains(TEXT));
    assert_eq!(city.centre.times(Provider::Sms, PHONE), 1);

    city.centre.reply(PHONE, "1 7KQ3");
    city.until("the reply", async || heard.count() >= 1).await;
    let reply = heard.take().remove(0);
    let keyring = &city.platform.keyring;
    assert_eq!(reply.phone_hash, keyring.hash(Purpose::ResidentPhone, PHONE.as_bytes()).bytes());
    let sealed = keyring.open(Purpose::ResidentPhone, &Sealed::from_bytes(reply.phone_sealed).unwrap()).unwrap();
    assert_eq!(sealed.as_slice(), PHONE.as_bytes());
    city.end().await;
}

#[rstest]
#[tokio::test]
async fn an_exercise_reaches_enrolled_phones_only_and_says_that_it_is_one(#[values(Embedded, Postgres)] store: Store) {
    let city = City::new(store, Options::default()).await;
    city.residents(1..=2, true).await;
    city.residents(3..=4, false).await;
    city.start(city.settings()).await;

    let alert = city.approve(Status::Exercise, 1..=4).await;
    city.until_messages(alert, "delivered", 2).await;

    assert!(city.centre.sms_to(&phone(1))[0].text.starts_with("【烽火】【演练】"));
    assert_eq!(city.centre.sms_to(&phone(3)), []);
    city.end().await;
}

#[rstest]
#[tokio::test]
async fn staff_of_the_area_see_counts_and_others_do_not(#[values(Embedded, Postgres)] store: Store) {
    let city = City::new(store, Options::default()).await;
    city.residents(1..=4, false).await;
    city.centre.fault(Provider::Sms, Fault::new(FaultKind::Undeliverable).only(phone(1)));
    city.centre.fault(Provider::Sms, Fault::new(FaultKind::NoReceipt).only(phone(2)));
    let desk = City::desk(city.start(city.settings()).await);
    let alert = city.approve(Status::Actual, 1..=4).await;
    city.until_messages(alert, "delivered", 2).await;
    city.until_messages(alert, "undeliverable", 1).await;

    let path = format!("/api/v1/alerts/{alert}/sms");
    let mut counts = json!({"submitted": 1, "delivered": 2, "undeliverable": 1, "without_receipt": 0, "segments": 12,
        "partly": {"messages": 0, "arrived": 0, "parts": 0}});
    for (token, status) in [(OFFICER, StatusCode::OK), (REVIEWER, StatusCode::OK), (OTHER_REVIEWER, StatusCode::FORBIDDEN)] {
        let (answered, mut body) = desk.get(token, &path).await;
        assert_eq!(answered, status, "{token}: {body}");
        if status == StatusCode::OK {
            let arrivals = body["arrivals"].take();
            counts["arrivals"] = json!(null);
            assert_eq!(body, counts);
            // the two may have arrived in one minute of the city's time or in two
            let arrived = arrivals.as_array().unwrap();
            assert_eq!(arrived.iter().map(|arrival| arrival["count"].as_i64().unwrap()).sum::<i64>(), 2, "{arrivals}");
            let minute = |at: DateTime<Utc>| at.duration_trunc(TimeDelta::minutes(1)).unwrap();
            let (first, last) = (minute(noon()), minute(city.platform.clock.now()));
            let at = |arrival: &serde_json::Value| arrival["at"].as_str().unwrap().parse::<DateTime<Utc>>().unwrap();
            assert!(arrived.iter().map(at).all(|at| at == minute(at) && (first..=last).contains(&at)), "{arrivals}");
        }
    }
    assert_eq!(desk.get(OFFICER, "/api/v1/alerts/00000000-0000-0000-0000-000000000000/sms").await.0, StatusCode::NOT_FOUND);
    city.end().await;
}

#[rstest]
#[tokio::test]
async fn a_one_time_code_is_sent_once_and_not_after_its_time(#[values(Embedded, Postgres)] store: Store) {
    let city = City::new(store, Options::default()).await;
    city.start(city.settings()).await;
    let keyring = &city.platform.keyring;
    let code = |id: &str, text: &str, minutes| CodeRequested {
        request_id: id.into(),
        phone_sealed: keyring.seal(Purpose::ResidentPhone, format!("+86{}", phone(5)).as_bytes()).into_bytes(),
        text_sealed: keyring.seal(Purpose::SmsText, text.as_bytes()).into_bytes(),
        expires_at_ms: (city.platform.clock.now() + TimeDelta::minutes(minutes)).timestamp_millis(),
    };

    city.publish(&code("late", "【烽火】验证码 000000", 0)).await;
    city.publish(&code("first", "【烽火】验证码 123456", 5)).await;
    soon("the code is sent", city.centre.until(|centre| centre.statistics().sms.accepted == 1)).await;
    city.until("all is handled", async || city.platform.bus.settled().await.unwrap()).await;
    city.publish(&code("first", "【烽火】验证码 123456", 5)).await;
    city.publish(&code("second", "【烽火】验证码 654321", 5)).await;
    city.until("all is handled", async || city.platform.bus.settled().await.unwrap()).await;

    let texts: Vec<String> = city.centre.sms_to(&phone(5)).into_iter().map(|sms| sms.text).collect();
    assert_eq!(texts, ["【烽火】验证码 123456", "【烽火】验证码 654321"]);
    city.end().await;
}

#[rstest]
#[tokio::test]
async fn codes_asked_for_in_masses_wait_for_each_other_and_no_alert_waits_for_them(#[values(Embedded, Postgres)] store: Store) {
    let city = City::new(store, Options::default()).await;
    city.residents(1..=20, false).await;
    city.start(sms::Settings { codes_per_second: 3.try_into().unwrap(), ..city.settings() }).await;
    let keyring = &city.platform.keyring;
    for number in 100..140 {
        city.publish(&CodeRequested {
            request_id: format!("code-{number}"),
            phone_sealed: keyring.seal(Purpose::ResidentPhone, format!("+86{}", phone(number)).as_bytes()).into_bytes(),
            text_sealed: keyring.seal(Purpose::SmsText, "【烽火】验证码 123456".as_bytes()).into_bytes(),
            expires_at_ms: (city.platform.clock.now() + TimeDelta::minutes(5)).timestamp_millis(),
        })
        .await;
    }
    let codes = || (100..140).filter(|number| !city.centre.sms_to(&phone(*number)).is_empty()).count();
    city.until_now("the first codes are sent", async || codes() == 3).await;

    let alert = city.approve(Status::Actual, 1..=20).await;
    let told = || (1..=20).filter(|number| !city.centre.sms_to(&phone(*number)).is_empty()).count();
    city.until_now("everybody has the alert, with the time standing still", async || told() == 20).await;
    assert_eq!(codes(), 3);
    city.until("the codes come, too", async || codes() == 40).await;
    city.until_messages(alert, "delivered", 20).await;
    city.end().await;
}

#[rstest]
#[tokio::test]
async fn who_is_on_duty_is_told_once_that_a_deadline_is_in_danger(#[values(Embedded, Postgres)] store: Store) {
    let city = City::new(store, Options::default()).await;
    unheard::<AlertInDanger>(&city.platform, &[&AUDIT_IN_DANGER]);
    let duty_phones = [5, 6].map(|number| phone(number).parse().unwrap()).to_vec();
    // one of the phones fails at first
    city.centre.fault(Provider::Sms, Fault::new(FaultKind::Unavailable).only(phone(5)).times(1));
    city.start(sms::Settings { duty_phones, ..city.settings() }).await;
    let alert = city.approve(Status::Actual, [1]).await;
    let alarm = |id: &str, again| AlertInDanger {
        alarm_id: id.into(),
        alert_id: alert.to_string(),
        at_ms: city.platform.clock.now().timestamp_millis(),
        sentence: "将超出时限 12 分钟。".into(),
        again,
        ..AlertInDanger::default()
    };

    city.publish(&alarm("first", false)).await;
    city.publish(&alarm("first", false)).await;
    let told = |number| city.centre.sms_to(&phone(number)).into_iter().map(|sms| sms.text).collect::<Vec<_>>();
    let first = "【烽火】时限告警：弹窗「密接告知」将超出时限 12 分钟。请登录控制台处理。";
    let worse = "【烽火】时限告警（加重）：弹窗「密接告知」将超出时限 12 分钟。请登录控制台处理。";
    city.until("both are told", async || !told(5).is_empty() && !told(6).is_empty()).await;
    city.publish(&alarm("second", true)).await;
    let heard_worse = |number| told(number).iter().any(|text| text == worse);
    city.until("both are told that it got worse", async || heard_worse(5) && heard_worse(6)).await;
    assert_eq!((told(5), told(6)), ([first, worse].map(str::to_owned).to_vec(), [first, worse].map(str::to_owned).to_vec()));
    city.end().await;
}
