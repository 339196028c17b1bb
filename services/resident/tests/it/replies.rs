//! Stories of replies by SMS.

use crate::city::{City, OFFICER, REVIEWER, WORKER, alert, e164, text};
use http::StatusCode;
use rstest::rstest;
use serde_json::{Value, json};
use stages::Store::{self, Embedded, Services};
use stages::{DAY, HOUR, MINUTE, views};

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
async fn a_reply_is_about_what_this_phone_was_handed(#[values(Embedded, Services)] store: Store) {
    let city = City::open(store).await;
    let reader = city.register(PHONE).await;
    let by_sms = [(reader.no.cast_signed(), "sms".to_owned())];
    let (sent, held) = (alert("AB2C", "甲"), alert("AB2D", "乙"));
    city.release(&sent, &[&reader]).await;
    city.platform.clock.forward(4 * MINUTE);
    city.release_unsent(&held, &[&reader]).await;

    city.reply(PHONE, "1", "a").await;
    assert_eq!(city.acknowledged(&sent).await, by_sms);
    assert_eq!(city.acknowledged(&held).await, [], "nobody has read what was not sent");
    city.reply(PHONE, "1", "b").await;
    assert_eq!(city.acknowledged(&held).await, [], "to confirm twice confirms nothing else");
    city.hand_over(&held, &[&reader]).await;
    city.reply(PHONE, "1", "c").await;
    assert_eq!(city.acknowledged(&held).await, by_sms);
    city.close().await;
}

#[rstest]
#[tokio::test]
async fn two_alerts_are_confirmed_in_turn_and_the_phone_is_told_which(#[values(Embedded, Services)] store: Store) {
    let city = City::open(store).await;
    let reader = city.register(PHONE).await;
    let (older, newer, in_app) = (alert("AB2C", "旧的"), alert("AB2D", "新的"), alert("AB2E", "应用里已确认的"));
    for alert in [&older, &newer, &in_app] {
        city.release(alert, &[&reader]).await;
    }
    assert_eq!(city.acknowledge(&reader, &in_app).await.0, StatusCode::OK);
    city.written().await;

    city.reply(PHONE, "1", "a").await;
    assert_eq!((city.acknowledged(&newer).await.len(), city.acknowledged(&older).await.len()), (1, 0));
    assert_eq!(city.written().await, [(e164(PHONE), "【烽火】已确认《新的》。".to_owned())]);
    city.reply(PHONE, "1", "b").await;
    assert_eq!(city.acknowledged(&older).await.len(), 1);
    assert_eq!(city.written().await, [(e164(PHONE), "【烽火】已确认《旧的》。".to_owned())]);
    city.close().await;
}

#[rstest]
#[tokio::test]
async fn a_reply_that_the_centre_kept_counts_for_the_time_at_which_it_was_written(#[values(Embedded, Services)] store: Store) {
    let city = City::open(store).await;
    let reader = city.register(PHONE).await;
    let (before, after) = (alert("AB2C", "甲"), alert("AB2D", "乙"));
    city.release(&before, &[&reader]).await;
    city.platform.clock.forward(10 * MINUTE);
    let written_at = city.platform.clock.now();
    city.platform.clock.forward(HOUR);
    city.release(&after, &[&reader]).await;
    city.reply_written(Some(written_at), PHONE, "收到，谢谢", "a").await;
    assert_eq!((city.acknowledged(&before).await.len(), city.acknowledged(&after).await.len()), (1, 0));

    // the first has expired when this comes, and had not when it was written
    let (third, clock) = (alert("AB2E", "丙"), &city.platform.clock);
    city.release(&third, &[&reader]).await;
    clock.forward(3 * HOUR);
    let written_at = clock.now();
    clock.forward(3 * HOUR);
    city.reply_written(Some(written_at), PHONE, "1 AB2E", "b").await;
    assert_eq!(city.acknowledged(&third).await.len(), 1);
    let acknowledged_at = "select count(*) from resident.acknowledged where at = '2026-03-10T08:10:03Z'";
    assert_eq!(city.count(acknowledged_at).await, 1, "with the time at which it was given");
    city.close().await;
}

#[rstest]
#[tokio::test]
async fn a_quick_answer_counts_when_the_hand_over_is_written_down_after_it(#[values(Embedded, Services)] store: Store) {
    let city = City::open(store).await;
    let (reader, other) = (city.register(PHONE).await, city.register("13900001111").await);
    let water = alert("AB2C", "请煮沸饮用水");
    city.release_unsent(&water, &[&reader, &other]).await;
    city.reply(PHONE, "1", "a").await;
    city.reply("13900001111", "1", "b").await;
    city.platform.clock.forward(30 * stages::SECOND);
    city.hand_over(&water, &[&reader]).await;
    city.platform.clock.forward(2 * MINUTE);
    stages::until("it is looked at again", async || !city.acknowledged(&water).await.is_empty()).await;
    // what is handed over long after the answer is not what was answered
    city.platform.clock.forward(5 * MINUTE);
    city.hand_over(&water, &[&other]).await;
    city.platform.clock.forward(20 * MINUTE);
    stages::until("nothing is looked for any more", async || {
        city.count("select count(*) from resident.reply where look_until is not null").await == 0
    })
    .await;
    assert_eq!(city.acknowledged(&water).await, [(reader.no.cast_signed(), "sms".to_owned())]);
    let meanings = [("a".to_owned(), "acknowledged".to_owned()), ("b".to_owned(), "no_open_alert".to_owned())];
    assert_eq!(city.meanings().await, meanings);
    city.close().await;
}

#[rstest]
#[tokio::test]
async fn what_acknowledges_nothing_is_kept_with_its_meaning(#[values(Embedded, Services)] store: Store) {
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

/// What waits for these members of staff: text, whether it is urgent, and how it came.
async fn waiting(city: &City, token: &str) -> Vec<(String, bool, String)> {
    let (status, list) = city.get(token, "/api/v1/feedback").await;
    assert_eq!(status, StatusCode::OK, "{list}");
    let line = |one: &Value| (text(&one["text"]), one["urgent"].as_bool().unwrap(), text(&one["by"]));
    list.as_array().unwrap().iter().map(line).collect()
}

#[rstest]
#[tokio::test]
async fn what_is_written_back_is_read_by_staff_who_is_in_need_first_and_answered_once(#[values(Embedded, Services)] store: Store) {
    let city = City::open(store).await;
    let (reader, other) = (city.register(PHONE).await, city.register("13900001111").await);
    let water = alert("AB2C", "请煮沸饮用水");
    city.release(&water, &[&reader, &other]).await;
    city.written().await;

    city.reply(PHONE, "我不是密接，请核实", "a").await;
    assert_eq!(
        city.written().await,
        [(e164(PHONE), "【烽火】您的短信已转工作人员。咨询请拨打渝中区疾控中心 023-63840000；确认收到请回复1，退订回复T。".to_owned())]
    );
    city.reply(PHONE, "请问解除了没有", "b").await;
    assert_eq!(city.written().await, [], "one answer says enough");
    city.reply("13900001111", "我发烧了，没人管，求助", "c").await;
    let answer = city.written().await;
    assert!(answer.len() == 1 && answer[0].0 == e164("13900001111") && answer[0].1.contains("120"), "{answer:?}");

    assert!(city.acknowledged(&water).await.is_empty());
    // dispatch is shown who has answered, and whose words wait for staff, of them who is in need
    let answered = "select count(distinct resident_no) from resident.answered";
    let unread = "select count(distinct resident_no) from resident.wrote_back where not read";
    let urgent = "select count(*) from resident.wrote_back where urgent";
    assert_eq!((city.count(answered).await, city.count(unread).await, city.count(urgent).await), (2, 2, 1));
    let sms = || "sms".to_owned();
    let all = [
        ("我发烧了，没人管，求助".to_owned(), true, sms()),
        ("我不是密接，请核实".to_owned(), false, sms()),
        ("请问解除了没有".to_owned(), false, sms()),
    ];
    for staff in [WORKER, REVIEWER, OFFICER] {
        assert_eq!(waiting(&city, staff).await, all, "{staff}");
    }
    let list = city.get(WORKER, "/api/v1/feedback").await.1;
    assert_eq!((&list[0]["alert_id"], &list[0]["headline"]), (&json!(water.id), &json!("请煮沸饮用水")));
    let after = city.get(WORKER, &format!("/api/v1/feedback?after={}", list[0]["feedback_id"])).await.1;
    assert_eq!(after.as_array().unwrap().len(), 2, "a page goes on behind the urgent ones");
    assert!(
        city.tables_with("没人管").await.is_empty() && city.tables_with("请核实").await.is_empty(),
        "nobody's words are kept in plain text"
    );

    // whoever wrote by SMS is answered by SMS
    let path = format!("/api/v1/feedback/{}/answer", list[0]["feedback_id"]);
    assert_eq!(city.post(WORKER, &path, json!({ "answer": "医生十分钟后到。" })).await.0, StatusCode::NO_CONTENT);
    assert_eq!(city.written().await, [(e164("13900001111"), "【烽火】医生十分钟后到。".to_owned())]);
    assert_eq!(city.get(&other.token, "/api/v1/me/feedback").await.1[0]["answer"], "医生十分钟后到。");
    assert_eq!((city.count(answered).await, city.count(unread).await), (2, 1));
    assert_eq!(city.delete(&other.token, "/api/v1/me").await, StatusCode::NO_CONTENT);
    assert_eq!(city.count("select count(*) from resident.feedback").await, 2, "it goes with its author");
    city.close().await;
}

#[rstest]
#[tokio::test]
async fn what_an_unregistered_phone_writes_is_read_by_the_city_and_goes_after_a_year(#[values(Embedded, Services)] store: Store) {
    let city = City::open(store).await;
    city.reply("13700002222", "家里老人呼吸困难", "a").await;
    city.reply("13700002222", "1", "b").await;
    let written = city.written().await;
    assert_eq!(written.iter().map(|(to, _)| to.as_str()).collect::<Vec<_>>(), [&e164("13700002222"), &e164("13700002222")], "{written:?}");
    assert!(written[0].1.contains("120") && written[1].1.contains("未登记"), "{written:?}");
    let all = [("家里老人呼吸困难".to_owned(), true, "sms".to_owned()), ("1".to_owned(), false, "sms".to_owned())];
    assert_eq!(waiting(&city, OFFICER).await, all);
    assert_eq!((waiting(&city, WORKER).await, waiting(&city, REVIEWER).await), (vec![], vec![]), "they have no area");

    let list = city.get(OFFICER, "/api/v1/feedback").await.1;
    let path = format!("/api/v1/feedback/{}/answer", list[0]["feedback_id"]);
    assert_eq!(city.post(WORKER, &path, json!({ "answer": "请拨打120。" })).await.0, StatusCode::NOT_FOUND);
    assert_eq!(city.post(OFFICER, &path, json!({ "answer": "请拨打120。" })).await.0, StatusCode::NO_CONTENT);
    assert_eq!(city.written().await, [(e164("13700002222"), "【烽火】请拨打120。".to_owned())]);

    let (before, after) = ("2027-03-10T03:00:00Z", "2027-03-11T03:35:00+08:00");
    for (at, left) in [(before, 2), (after, 0)] {
        city.platform.clock.set(at.parse().unwrap());
        stages::until("the job has run", async || {
            city.count("select count(*) from resident.feedback").await == left
                && city.count("select count(*) from resident.reply").await == left
        })
        .await;
    }
    city.close().await;
}

#[rstest]
#[tokio::test]
async fn an_answer_about_an_exercise_says_that_it_is_one(#[values(Embedded, Services)] store: Store) {
    let city = City::open(store).await;
    let reader = city.register(PHONE).await;
    let (drill, other) = (alert("AB2C", "请集合"), alert("AB2D", "请集合二"));
    for alert in [&other, &drill] {
        city.release(alert, &[&reader]).await;
    }
    let mark = "update resident.alert set content = jsonb_set(content, '{status}', '\"exercise\"')";
    sqlx::query(mark).execute(city.pool()).await.unwrap();
    city.written().await;
    city.reply(PHONE, "1", "a").await;
    assert_eq!(city.acknowledged(&drill).await.len(), 1);
    assert_eq!(city.written().await, [(e164(PHONE), "【烽火】【演练】已确认《请集合》。".to_owned())]);
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

#[tokio::test]
async fn who_is_silenced_by_a_forged_message_is_told_twice_and_undoes_it_with_one_word() {
    let city = City::open(Embedded).await;
    let reader = city.register(PHONE).await;
    city.written().await;
    city.reply(PHONE, "TD", "forged").await;
    let written = city.written().await;
    assert!(written[0].1.contains("已退订") && written[0].1.contains("回复HF"), "by SMS: {written:?}");
    assert_eq!(city.notices(&reader).await, ["consent_withdrawn_by_sms"], "and in the app");
    city.reply(PHONE, "TD", "again").await;
    assert_eq!(city.notices(&reader).await.len(), 1, "what has ended does not end again");

    city.platform.clock.forward(DAY / 1_440);
    city.reply(PHONE, "HF", "not me").await;
    assert_eq!(city.reach(&reader).await.map(|(_, sms)| sms), Some(true));
    assert!(city.written().await.iter().any(|(_, text)| text.contains("已恢复")));
    assert!(city.notices(&reader).await.contains(&"consent_resumed_by_sms".to_owned()), "and that is told in the app, too");
    let trail: Vec<_> = city.trail().await.into_iter().map(|entry| entry.action).collect();
    assert_eq!(trail, ["consent_withdrawn", "consent_resumed"]);
    let history = city.get(&reader.token, "/api/v1/me/consent").await.1;
    assert!(
        history[0]["withdrawn_at"].is_null() && !history[1]["withdrawn_at"].is_null(),
        "that it was withdrawn stays written: {history}"
    );
}

#[tokio::test]
async fn a_forged_message_takes_no_withdrawal_in_the_app_back() {
    let city = City::open(Embedded).await;
    let reader = city.register(PHONE).await;
    city.reply(PHONE, "T", "a").await;
    assert_eq!(city.delete(&reader.token, "/api/v1/me/consent").await, StatusCode::NO_CONTENT);
    city.reply(PHONE, "HF", "forged").await;
    assert_eq!(city.reach(&reader).await, Some((false, false)), "they said it twice");
}

#[tokio::test]
async fn a_forged_message_takes_back_what_another_phone_withdrew_or_what_is_told_otherwise_now_for_nobody() {
    let city = City::open(Embedded).await;
    for (phone, since) in [
        ("13800000005", "update resident.consent set withdrawn_from = sha256('another phone')"),
        ("13800000006", "update resident.consent set version = version - 1"),
    ] {
        let reader = city.register(phone).await;
        city.reply(phone, "T", &format!("t{phone}")).await;
        sqlx::query(since).execute(city.platform.database.pool()).await.unwrap();
        city.reply(phone, "HF", &format!("hf{phone}")).await;
        assert_eq!(city.reach(&reader).await, Some((false, false)), "{since}");
    }
}

#[tokio::test]
async fn consent_goes_back_and_forth_by_sms_three_times_a_day() {
    let city = City::open(Embedded).await;
    let reader = city.register(PHONE).await;
    city.written().await;
    for round in 0..6 {
        city.reply(PHONE, "T", &format!("t{round}")).await;
        city.reply(PHONE, "HF", &format!("hf{round}")).await;
    }
    assert_eq!(city.reach(&reader).await, Some((false, false)), "then it stays withdrawn, and somebody reads what is meant");
    let changes = city.trail().await.into_iter().filter(|entry| entry.action.starts_with("consent_")).count();
    assert_eq!(changes, 7, "withdrawn four times, resumed three times");
    let written = city.written().await.into_iter().filter(|(_, text)| text.contains("已退订") || text.contains("已恢复")).count();
    assert_eq!(written, 6);
}

#[tokio::test]
async fn a_message_gives_no_consent_that_no_message_took() {
    let city = City::open(Embedded).await;
    let reader = city.register(PHONE).await;
    assert_eq!(city.delete(&reader.token, "/api/v1/me/consent").await, StatusCode::NO_CONTENT);
    city.reply(PHONE, "HF", "forged").await;
    assert_eq!(city.reach(&reader).await, Some((false, false)), "they withdrew in the app, and stay withdrawn");
    let late = city.register("13800000002").await;
    city.reply("13800000002", "T", "a").await;
    city.platform.clock.forward(31 * DAY);
    city.reply("13800000002", "HF", "b").await;
    assert_eq!(city.reach(&late).await, Some((false, false)), "after a month it takes the app");
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

#[rstest]
#[tokio::test]
async fn a_reply_does_not_mean_what_was_withdrawn_for_its_sender(#[values(Embedded, Services)] store: Store) {
    let city = City::open(store).await;
    let reader = city.register(PHONE).await;
    let (older, wrong) = (alert("XY2C", "请煮沸饮用水"), alert("XY2D", "请居家隔离"));
    for alert in [&older, &wrong] {
        city.release(alert, &[&reader]).await;
    }
    views::withdrawn_for(&city.platform, wrong.id, [reader.no]).await;
    city.reply(PHONE, "1", "newest").await;
    assert_eq!((city.acknowledged(&older).await.len(), city.acknowledged(&wrong).await.len()), (1, 0));
    city.reply(PHONE, "1 XY2D", "named").await;
    assert_eq!(city.acknowledged(&wrong).await.len(), 1, "named by its code it is taken all the same");
    city.close().await;
}
