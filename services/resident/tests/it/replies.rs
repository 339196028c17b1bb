//! Stories of replies by SMS.

use crate::city::{City, alert};
use http::StatusCode;
use rstest::rstest;
use serde_json::json;
use stages::HOUR;
use stages::Store::{self, Embedded, Services};

const PHONE: &str = "13812345678";

#[rstest]
#[tokio::test]
async fn one_y_and_received_acknowledge_the_newest_open_alert_and_a_code_the_one_it_names(#[values(Embedded, Services)] store: Store) {
    let city = City::open(store).await;
    let reader = city.register(PHONE).await;
    let by_sms = [(reader.no.cast_signed(), "sms".to_owned())];
    let alerts = [alert("AB2C", "甲"), alert("AB2D", "乙"), alert("AB2E", "丙")];
    for (alert, said) in alerts.iter().zip(["1", "Y", "收到"]) {
        city.release(alert, &[&reader]).await;
        city.reply(PHONE, said, &format!("open {said}")).await;
        assert_eq!(city.acknowledged(alert).await, by_sms, "{said}");
    }

    let (older, newer, stopped) = (alert("XY2C", "旧"), alert("XY2D", "新"), alert("XY2E", "撤"));
    for alert in [&older, &newer, &stopped] {
        city.release(alert, &[&reader]).await;
    }
    city.stop(&stopped, None, "样本有误").await;
    city.reply(PHONE, "收到xy2c", "named").await;
    assert_eq!(city.acknowledged(&older).await, by_sms);
    assert_eq!(city.acknowledged(&newer).await, []);
    city.reply(PHONE, "1", "newest").await;
    assert_eq!(city.acknowledged(&newer).await, by_sms, "the stopped one asks for nothing any more");
    assert_eq!(city.acknowledged(&stopped).await, []);
    city.reply(PHONE, "1 XY2E", "stopped").await;
    assert_eq!(city.acknowledged(&stopped).await, by_sms, "but by its code it can be named");
    assert!(city.meanings().await.iter().all(|(_, meaning)| meaning == "acknowledged"));
    city.close().await;
}

#[rstest]
#[tokio::test]
async fn what_acknowledges_nothing_is_kept_with_its_meaning_and_without_its_text(#[values(Embedded, Services)] store: Store) {
    let city = City::open(store).await;
    let (reader, other) = (city.register(PHONE).await, city.register("13900001111").await);
    let (expired, not_theirs) = (alert("AB2C", "甲"), alert("AB2D", "乙"));
    city.release(&expired, &[&reader]).await;
    city.platform.clock.forward(4 * HOUR);
    city.release(&not_theirs, &[&other]).await;

    city.reply(PHONE, "1", "a").await;
    city.reply(PHONE, "1 AB2C", "b").await;
    city.reply(PHONE, "1 AB2D", "c").await;
    city.reply(PHONE, "请问在哪里检测", "d").await;
    city.reply("13700002222", "1", "e").await;
    let meanings = ["no_open_alert", "no_open_alert", "no_open_alert", "other", "unknown_sender"];
    assert_eq!(city.meanings().await.into_iter().map(|(_, meaning)| meaning).collect::<Vec<_>>(), meanings);
    assert_eq!(city.count("select count(*) from resident.acknowledgement").await, 0);
    assert_eq!(city.tables_with("在哪里检测").await, [""; 0]);
    city.close().await;
}

#[rstest]
#[case("TD")]
#[case("退订")]
#[tokio::test]
async fn a_withdrawal_by_sms_ends_everything_that_is_sent(#[case] said: &str) {
    let city = City::open(Embedded).await;
    let reader = city.register(PHONE).await;
    city.reply(PHONE, said, "a").await;
    assert_eq!(city.reach(&reader).await, Some((false, false)));
    assert_eq!(city.endpoints(&reader).await, [""; 0]);
    assert_eq!(city.meanings().await, [("a".to_owned(), "withdrawn".to_owned())]);
    let trail = city.trail().await;
    assert_eq!(trail.len(), 1);
    assert_eq!((trail[0].action.as_str(), trail[0].detail_json.as_str()), ("consent_withdrawn", r#"{"by":"sms"}"#));
    city.close().await;
}

#[rstest]
#[tokio::test]
async fn a_withdrawal_delivered_again_does_not_undo_a_consent_given_since(#[values(Embedded, Services)] store: Store) {
    let city = City::open(store).await;
    let reader = city.register(PHONE).await;
    city.reply(PHONE, "TD", "the same").await;
    city.platform.clock.forward(HOUR);
    let current = json!({ "version": domain::consent::CURRENT_VERSION });
    assert_eq!(city.post(&reader.token, "/api/v1/me/consent", current).await.0, StatusCode::NO_CONTENT);

    city.reply(PHONE, "TD", "the same").await;
    assert_eq!(city.reach(&reader).await, Some((false, true)));
    city.reply(PHONE, "TD", "a new one").await;
    assert_eq!(city.reach(&reader).await, Some((false, false)));
    city.close().await;
}

#[rstest]
#[tokio::test]
async fn an_acknowledgement_delivered_again_names_no_later_alert(#[values(Embedded, Services)] store: Store) {
    let city = City::open(store).await;
    let reader = city.register(PHONE).await;
    let (first, second) = (alert("AB2C", "甲"), alert("AB2D", "乙"));
    city.release(&first, &[&reader]).await;
    city.reply(PHONE, "1", "the same").await;
    city.release(&second, &[&reader]).await;
    city.reply(PHONE, "1", "the same").await;
    assert_eq!(city.acknowledged(&second).await, []);
    city.close().await;
}
