//! Stories of an alert that was false, is over, or says something wrong, and of the cities in which nobody was ready for it.

use chrono::TimeDelta;
use domain::staff::Role;
use http::StatusCode;
use proto::StopReason;
use rstest::rstest;
use serde_json::{Value, json};
use stages::Store::{self, Embedded, Services};
use stages::noon;

use crate::city::{City, OFFICER, REVIEWER, SECOND_OFFICER, SUBMITTER, THIRD_OFFICER, path, words};

/// What review shows of an alert to those who tell of its end: state, reason, words.
async fn shown(city: &City, alert: &Value) -> (String, Option<String>, Option<Value>) {
    sqlx::query_as("select state, stop_reason, last_word from review.alert_standing where alert_id = $1::uuid")
        .bind(uuid::Uuid::parse_str(alert["alert_id"].as_str().unwrap()).unwrap())
        .fetch_one(city.pool())
        .await
        .unwrap()
}

fn prepared<'a>(answer: &'a Value, kind: &str) -> &'a Value {
    answer["prepared"].as_array().unwrap().iter().find(|word| word["kind"] == kind).unwrap()
}

/// Hawaii, 13 January 2018: an alert of a missile, sent by mistake, stood for 38 minutes, because no words were prepared to say so.
#[rstest]
#[tokio::test]
async fn hawaii_that_it_was_a_false_alarm_is_ready_beside_the_alert_and_out_with_the_second_officer(
    #[values(Embedded, Services)] store: Store,
) {
    let city = City::open(store).await;
    city.platform.clock.set(noon() + TimeDelta::hours(15));
    let alert = city.urgent_alert_with_people().await;
    // first action: one look, with every word ready on every channel and in every language, and nothing to be written
    let ready = city.retraction(OFFICER, &alert).await;
    let word = prepared(&ready, "withdraw");
    for language in ["zh-CN", "en"] {
        for part in ["headline", "body", "instruction", "sms"] {
            assert!(!word["texts"][language][part].as_str().unwrap().is_empty(), "{language} {part}");
        }
        let segments = word["sms"][language]["segments"].as_u64().unwrap();
        assert!((1..=8).contains(&segments), "{word}");
    }
    assert!(word["texts"]["zh-CN"]["headline"].as_str().unwrap().starts_with("【已撤回】"));

    // second: one asks; nobody is told yet
    let wish = json!({ "kind": "withdraw", "reason": "演练误按实发", "public_reason": "sent_by_mistake" });
    let (status, asked) = city.ask_for(OFFICER, &alert, wish).await;
    assert_eq!(status, StatusCode::CREATED, "{asked}");
    assert!(city.stopped().await.is_empty());
    assert_eq!(shown(&city, &alert).await.0, "dispatching");
    let (status, problem) = city.say(OFFICER, &alert, &asked, "confirm", "").await;
    assert_eq!((status, &problem["code"]), (StatusCode::FORBIDDEN, &json!("same_person")), "nobody alone speaks to a city");

    // third: another confirms, in the night
    city.platform.clock.forward(stages::MINUTE);
    let (status, said) = city.say(SECOND_OFFICER, &alert, &asked, "confirm", "").await;
    assert_eq!((status, &said["state"]), (StatusCode::OK, &json!("cancelled")), "{said}");
    let [stop] = &city.stopped().await[..] else { panic!("one stop") };
    assert_eq!((stop.how(), stop.reason.as_str()), (StopReason::Cancelled, "sent_by_mistake"));
    let (state, reason, last_word) = shown(&city, &alert).await;
    assert_eq!((state.as_str(), reason.as_deref()), ("cancelled", Some("sent_by_mistake")));
    assert_eq!(last_word.unwrap(), asked["waiting"]["texts"], "what leaves is what both were shown, to the letter");
    assert!(asked["waiting"]["texts"]["en"]["sms"].as_str().unwrap().contains("it was sent by mistake"), "{asked}");
    assert_eq!(said["earlier"][0]["ask_to_confirm_s"], json!(60.0));
    let actions = words(&city.look(&alert).await["history"], "action");
    assert_eq!(actions[actions.len() - 2..], ["ask_withdraw", "confirm_withdraw"]);
    city.close().await;
}

#[tokio::test]
async fn how_a_word_back_goes_out_is_measured_from_the_second_officer_on() {
    let city = City::open(Embedded).await;
    let alert = city.urgent_alert_with_people().await;
    let (_, asked) = city.ask_for(OFFICER, &alert, json!({ "kind": "withdraw", "reason": "误发" })).await;
    city.platform.clock.forward(stages::SECOND * 20);
    let said = city.say(SECOND_OFFICER, &alert, &asked, "confirm", "").await.1;
    assert_eq!((&said["earlier"][0]["ask_to_confirm_s"], &said["earlier"][0]["told"]), (&json!(20.0), &Value::Null));
    let now = city.platform.clock.now();
    let goes_out = async |handed_over: i64, open: i64| {
        sqlx::query(
            "insert into dispatch.word_told values ($1::uuid, 9, $2, $3, $4, 1, $5)
                     on conflict (alert_id, wave) do update set handed_over = $4, open = $5",
        )
        .bind(uuid::Uuid::parse_str(alert["alert_id"].as_str().unwrap()).unwrap())
        .bind(now + TimeDelta::milliseconds(300))
        .bind(now + TimeDelta::seconds(9))
        .bind(handed_over)
        .bind(open)
        .execute(city.pool())
        .await
        .unwrap();
        city.retraction(OFFICER, &alert).await["earlier"][0]["told"].clone()
    };
    let under_way = goes_out(4, 5).await;
    assert_eq!(
        (&under_way["people"], &under_way["confirm_to_first_s"], &under_way["confirm_to_last_s"]),
        (&json!(10), &json!(0.3), &Value::Null)
    );
    let done = goes_out(9, 0).await;
    assert_eq!((&done["people"], &done["open"], &done["confirm_to_last_s"]), (&json!(10), &json!(0), &json!(9.0)));
    city.close().await;
}

/// Pickering, Ontario, 12 January 2020: 108 minutes, because nobody knew who may send the second alert.
#[rstest]
#[tokio::test]
async fn pickering_whoever_sees_the_alert_sees_who_may_take_it_back_now_and_what_to_do(#[values(Embedded, Services)] store: Store) {
    let city = City::open(store).await;
    let alert = city.urgent_alert_with_people().await;
    city.on_duty(OFFICER, Role::CityCommandOfficer, "city", true).await;
    city.on_duty(REVIEWER, Role::DistrictReviewer, "district:500103", true).await;
    let playbook = city.retraction(OFFICER, &alert).await["playbook"].clone();
    assert_eq!(words(&playbook["ask"], "name"), [OFFICER], "an alert of the whole city is no district's");
    assert_eq!((words(&playbook["confirm"], "name"), &playbook["signed_in"]), (vec![], &json!(0)));
    assert!(playbook["note"]["zh"].as_str().unwrap().contains("没有第二位"), "honest when nobody is there: {playbook}");

    // somebody has an account, and is at home
    city.on_duty(SECOND_OFFICER, Role::CityCommandOfficer, "city", false).await;
    let playbook = city.get(SUBMITTER, &format!("{}/playbook", path(&alert))).await.1;
    assert_eq!(words(&playbook["ask"], "name"), [OFFICER, SECOND_OFFICER], "who is signed in comes first");
    let of_officer = city.retraction(OFFICER, &alert).await["playbook"].clone();
    assert_eq!(words(&of_officer["confirm"], "name"), [SECOND_OFFICER], "not the one who would ask");
    assert!(of_officer["note"]["en"].as_str().unwrap().contains("call any of the people"), "{of_officer}");

    city.on_duty(THIRD_OFFICER, Role::CityCommandOfficer, "city", true).await;
    city.ask_for(OFFICER, &alert, json!({ "kind": "withdraw", "reason": "误发" })).await;
    let playbook = city.get(THIRD_OFFICER, &format!("{}/playbook", path(&alert))).await.1;
    assert_eq!(words(&playbook["confirm"], "name"), [THIRD_OFFICER, SECOND_OFFICER]);
    assert_eq!((&playbook["signed_in"], &playbook["note"]), (&json!(1), &Value::Null));
    let done: Vec<bool> = playbook["steps"].as_array().unwrap().iter().map(|step| step["done"].as_bool().unwrap()).collect();
    assert_eq!(done, [false, true, false, false]);
    city.close().await;
}

/// FOSSWarn: the all-clear of a fire arrived, and nobody knew of which.
#[rstest]
#[tokio::test]
async fn an_all_clear_names_the_alert_since_when_it_was_and_what_people_may_do_again(#[values(Embedded, Services)] store: Store) {
    let city = City::open(store).await;
    let alert = city.approved_alert().await;
    city.release(&alert).await;
    let headline = alert["content"]["texts"]["zh-CN"]["headline"].as_str().unwrap();
    let ready = city.retraction(REVIEWER, &alert).await;
    let sms = prepared(&ready, "all_clear")["texts"]["zh-CN"]["sms"].as_str().unwrap().to_owned();
    assert!(sms.contains(&format!("《{headline}》")) && sms.contains("3月10日12:00") && sms.contains("不必再按它的要求做"), "{sms}");
    assert!(!sms.contains("有误"), "it was true: {sms}");

    // the district asks, the city confirms
    let (status, asked) = city.ask_for(REVIEWER, &alert, json!({ "kind": "all_clear", "reason": "水质已恢复" })).await;
    assert_eq!(status, StatusCode::CREATED, "{asked}");
    let (status, said) = city.say(OFFICER, &alert, &asked, "confirm", "已核对检测报告").await;
    assert_eq!((status, &said["state"]), (StatusCode::OK, &json!("all_clear")), "{said}");
    let (state, reason, last_word) = shown(&city, &alert).await;
    assert_eq!((state.as_str(), reason.as_deref()), ("cancelled", Some("over")), "those who show it end it, and say that it is over");
    assert_eq!(last_word.unwrap()["zh-CN"]["sms"], json!(sms));
    let stops = city.stopped().await;
    assert_eq!((stops[0].how(), stops[0].reason.as_str()), (StopReason::Cancelled, "over"));
    // its short code is free for others again, and nothing more can be said of it
    assert_eq!(city.retraction(OFFICER, &alert).await["prepared"], json!([]));
    assert_eq!(city.ask_for(OFFICER, &alert, json!({ "kind": "withdraw", "reason": "误发" })).await.1["code"], json!("not_retractable"));
    city.close().await;
}

#[rstest]
#[tokio::test]
async fn a_correction_by_two_is_approved_by_them_and_goes_to_those_who_have_the_old_one(#[values(Embedded, Services)] store: Store) {
    let city = City::open(store).await;
    city.platform.clock.set(noon() + TimeDelta::hours(15));
    let old = city.urgent_alert_with_people().await;
    let ready = city.retraction(THIRD_OFFICER, &old).await;
    let mut content = prepared(&ready, "correct")["content"].clone();
    assert_eq!(prepared(&ready, "correct")["faults"], json!([]), "it could be sent as it stands");
    assert!(content["texts"]["zh-CN"]["headline"].as_str().unwrap().starts_with("【更正】"), "{content}");
    content["texts"]["zh-CN"]["instruction"] = json!("请煮沸后饮用，不必外出购水。");
    let (status, asked) = city.ask_for(THIRD_OFFICER, &old, json!({ "kind": "correct", "reason": "措施写错", "content": content })).await;
    assert_eq!(status, StatusCode::CREATED, "{asked}");
    let (status, said) = city.say(SECOND_OFFICER, &old, &asked, "confirm", "").await;
    assert_eq!((status, &said["state"]), (StatusCode::OK, &json!("superseded")), "{said}");

    let id = said["earlier"][0]["correction"].as_str().unwrap().to_owned();
    assert_eq!(city.approved().await, [id.as_str()], "at three in the morning, with no third person");
    let new = city.get(OFFICER, &format!("/api/v1/alerts/{id}")).await.1;
    assert_eq!((&new["state"], &new["class"], &new["corrects"]), (&json!("approved"), &json!("urgent"), &old["alert_id"]));
    assert_eq!(new["content"]["texts"]["zh-CN"]["instruction"], json!("请煮沸后饮用，不必外出购水。"));
    assert_eq!((&new["content"]["msg_type"], &new["content"]["references"]), (&json!("update"), &old["alert_id"]));
    assert_eq!((&new["submitter"], &new["city_reviewer"]), (&asked["waiting"]["asked_by"], &said["earlier"][0]["decided_by"]));
    let [stop] = &city.stopped().await[..] else { panic!("one stop") };
    assert_eq!((stop.how(), stop.by_alert_id.as_deref()), (StopReason::Superseded, Some(id.as_str())));
    let for_holders: bool = sqlx::query_scalar("select for_holders from review.approved_alert where alert_id = $1::uuid")
        .bind(uuid::Uuid::parse_str(&id).unwrap())
        .fetch_one(city.pool())
        .await
        .unwrap();
    assert!(for_holders, "dispatch looks in its ledger for whom it is");
    city.close().await;
}

#[tokio::test]
async fn a_routine_alert_of_a_district_is_corrected_by_the_district_and_the_city_in_one_step() {
    let city = City::open(Embedded).await;
    let old = city.approved_alert().await;
    city.release(&old).await;
    city.approved().await;
    let content = prepared(&city.retraction(REVIEWER, &old).await, "correct")["content"].clone();
    let (_, asked) = city.ask_for(REVIEWER, &old, json!({ "kind": "correct", "reason": "时间写错", "content": content })).await;
    let (status, said) = city.say(SECOND_OFFICER, &old, &asked, "confirm", "").await;
    assert_eq!(status, StatusCode::OK, "{said}");
    let [id] = &city.approved().await[..] else { panic!("one approval") };
    let new = city.get(OFFICER, &format!("/api/v1/alerts/{id}")).await.1;
    assert_eq!((&new["class"], &new["district_reviewer"]), (&json!("routine"), &Value::Null));
    // it can be taken back itself
    city.release(&new).await;
    assert_eq!(words(&city.retraction(OFFICER, &new).await["may_ask"], ""), ["withdraw", "all_clear", "correct"]);
    city.close().await;
}

type Spoil = fn(&mut Value);

#[rstest]
#[case::too_long(|content: &mut Value| content["texts"]["zh-CN"]["headline"] = json!("长".repeat(41)), "content.texts.zh-CN.headline")]
#[case::personal_data(|content: &mut Value| content["texts"]["zh-CN"]["body"] = json!("致电13800005678"), "content.texts.zh-CN.body")]
#[case::a_language_is_lost(|content: &mut Value| { content["texts"].as_object_mut().unwrap().remove("en"); }, "content.texts.en")]
#[case::an_exercise_of_a_real_one(|content: &mut Value| content["status"] = json!("exercise"), "content.status")]
#[case::other_screens(|content: &mut Value| content["display"] = json!(!content["display"].as_bool().unwrap()), "content.display")]
#[case::an_end_by_hand(|content: &mut Value| content["msg_type"] = json!("cancel"), "content.msg_type")]
#[case::of_another_alert(|content: &mut Value| content["references"] = json!(uuid::Uuid::now_v7()), "content.references")]
#[case::over_by_now(|content: &mut Value| content["expires_at"] = json!("2026-03-10T03:00:00Z"), "content.expires_at")]
#[tokio::test]
async fn a_correction_is_checked_as_any_text_is(#[case] spoil: Spoil, #[case] field: &str) {
    let city = City::open(Embedded).await;
    let old = city.urgent_alert_with_people().await;
    let mut content = prepared(&city.retraction(OFFICER, &old).await, "correct")["content"].clone();
    spoil(&mut content);
    let (status, problem) = city.ask_for(OFFICER, &old, json!({ "kind": "correct", "reason": "有误", "content": content })).await;
    assert_eq!((status, &problem["errors"][0]["field"]), (StatusCode::UNPROCESSABLE_ENTITY, &json!(field)), "{problem}");
    assert_eq!(city.retraction(OFFICER, &old).await["waiting"], Value::Null);
    city.close().await;
}

#[tokio::test]
async fn words_do_not_need_the_rule_or_template_that_made_the_alert() {
    let city = City::open(Embedded).await;
    let draft = city.draft(&city.content(), [7, 8], &[]);
    city.tell(&draft).await;
    city.settled().await;
    let alert = json!({ "alert_id": draft.draft_id });
    let alert = city.take(city.look(&alert).await, &[(REVIEWER, "pass_district"), (SECOND_OFFICER, "approve")]).await;
    city.release(&alert).await;
    // no rule of that id exists here, nor any template
    let (_, asked) = city.ask_for(OFFICER, &alert, json!({ "kind": "withdraw", "reason": "误报", "public_reason": "wrong_finding" })).await;
    city.settled().await;
    assert_eq!(city.say(SECOND_OFFICER, &alert, &asked, "confirm", "").await.1["state"], json!("cancelled"));
    assert_eq!(city.settled().await, [(draft.draft_id, false)], "its rule tells them anew, should it come again");
    city.close().await;
}
