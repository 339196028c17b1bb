//! Stories of remarks on drafts, and of what changed since an alert was sent back.

use http::StatusCode;
use rstest::rstest;
use serde_json::{Value, json};
use stages::HOUR;
use stages::Store::{self, Embedded, Services};

use crate::city::{AUDITOR, City, OFFICER, OTHER_REVIEWER, REVIEWER, SECOND_REVIEWER, SUBMITTER, WORKER, everybody_in, path, words};

async fn remark(city: &City, token: &str, alert: &Value, body: Value) -> (StatusCode, Value) {
    city.post(token, &format!("{}/comments", path(alert)), body).await
}

async fn resolve(city: &City, token: &str, alert: &Value, comment: &Value, resolved: bool) -> (StatusCode, Value) {
    let path = format!("{}/comments/{}/resolved", path(alert), comment["comment_id"].as_str().unwrap());
    city.put(token, &path, json!({ "resolved": resolved })).await
}

fn passage(quote: &str) -> Value {
    json!({ "language": "zh-CN", "field": "body", "quote": quote })
}

/// An alert that was handed in.
async fn handed_in(city: &City) -> Value {
    city.take(city.write(SUBMITTER).await, &[(SUBMITTER, "submit")]).await
}

/// Its author writes other words.
async fn rewritten(city: &City, alert: &Value, body: &str) -> Value {
    let mut content = alert["content"].clone();
    content["texts"]["zh-CN"]["body"] = json!(body);
    let (status, edited) = city.put(SUBMITTER, &path(alert), json!({ "version": alert["version"], "content": content })).await;
    assert_eq!(status, StatusCode::OK, "{edited}");
    edited
}

#[rstest]
#[tokio::test]
async fn a_remark_on_marked_words_is_answered_settled_and_told_live(#[values(Embedded, Services)] store: Store) {
    let city = City::open(store).await;
    let alert = handed_in(&city).await;
    city.trail().await;
    let mut line = city.listen_as(SUBMITTER).await;
    line.next().await;

    let (status, said) =
        remark(&city, REVIEWER, &alert, json!({ "version": 2, "text": " 是哪种细菌？ ", "passage": passage("细菌超标") })).await;
    assert_eq!((status, &said["open"]), (StatusCode::CREATED, &json!(1)), "{said}");
    let first = &said["comments"][0];
    assert_eq!((&first["text"], &first["version"], &first["stands"]), (&json!("是哪种细菌？"), &json!(2), &json!(true)));
    let mut told = String::new();
    while !told.starts_with("event: work") {
        told = line.next().await;
    }
    assert!(told.contains("\"what\":\"comments\"") && told.contains(alert["alert_id"].as_str().unwrap()), "{told}");

    let reply = json!({ "version": 2, "text": "大肠杆菌", "reply_to": first["comment_id"] });
    let (_, said) = remark(&city, SUBMITTER, &alert, reply).await;
    assert_eq!((&said["comments"][1]["reply_to"], &said["open"]), (&first["comment_id"], &json!(1)), "a reply is no remark of its own");
    let (status, problem) = resolve(&city, SUBMITTER, &alert, &said["comments"][1], true).await;
    assert_eq!((status, &problem["code"]), (StatusCode::CONFLICT, &json!("reply_has_no_end")));
    let (status, problem) = resolve(&city, SECOND_REVIEWER, &alert, first, true).await;
    assert_eq!((status, &problem["code"]), (StatusCode::FORBIDDEN, &json!("not_yours_to_resolve")));
    let (status, said) = resolve(&city, SUBMITTER, &alert, first, true).await;
    assert_eq!((status, &said["open"], &said["comments"][0]["resolved_by"]), (StatusCode::OK, &json!(0), &json!(stages::id(SUBMITTER))));
    assert_eq!(resolve(&city, REVIEWER, &alert, first, false).await.1["open"], json!(1), "whoever made it may open it again");

    let expected = [
        (REVIEWER, "alert_comment"),
        (SUBMITTER, "alert_comment"),
        (SUBMITTER, "alert_resolve_comment"),
        (REVIEWER, "alert_reopen_comment"),
    ];
    assert_eq!(city.trail().await, expected.map(|(token, action)| (stages::id(token).to_string(), action.to_owned())));
    let seen = city.look(&alert).await;
    assert_eq!((&seen["open_comments"], &seen["version"]), (&json!(1), &alert["version"]));
    assert_eq!(words(&seen["history"], "action"), ["write", "submit", "comment", "comment"]);
    assert!(!seen["history"].to_string().contains("细菌？"), "who and when, not what");
    drop(line);
    city.close().await;
}

#[rstest]
#[tokio::test]
async fn an_alert_with_open_remarks_goes_on_only_by_somebody_who_knows_of_them(#[values(Embedded, Services)] store: Store) {
    let city = City::open(store).await;
    let alert = handed_in(&city).await;
    remark(&city, SECOND_REVIEWER, &alert, json!({ "version": 2, "text": "时间是否准确？" })).await;
    let seen = city.get(REVIEWER, &path(&alert)).await.1;
    assert_eq!(words(&seen["cautions"], "caution"), ["open_comments"]);
    let (status, problem) = city.decide(REVIEWER, &seen, "pass_district", "").await;
    assert_eq!((status, &problem["code"]), (StatusCode::CONFLICT, &json!("open_comments")));
    // another comes while the reviewer looks
    remark(&city, SECOND_REVIEWER, &alert, json!({ "version": 2, "text": "街道写错了！" })).await;
    let known = |comments: i64| json!({ "version": seen["version"], "action": "pass_district", "known": ["open_comments"], "seen_comments": comments });
    assert_eq!(city.decide_with(REVIEWER, &seen, known(1)).await.1["code"], json!("open_comments"), "nobody knows what they have not seen");
    assert_eq!(city.decide_with(REVIEWER, &seen, known(2)).await.0, StatusCode::OK);

    let (_, said) = city.get(OFFICER, &format!("{}/comments", path(&alert))).await;
    for comment in said["comments"].as_array().unwrap() {
        assert_eq!(resolve(&city, SUBMITTER, &alert, comment, true).await.0, StatusCode::OK);
    }
    let seen = city.look(&alert).await;
    city.take(seen, &[(OFFICER, "approve")]).await;
    let (status, problem) = remark(&city, REVIEWER, &alert, json!({ "version": 4, "text": "晚了" })).await;
    assert_eq!((status, &problem["code"]), (StatusCode::CONFLICT, &json!("comments_closed")));
    city.close().await;
}

#[rstest]
#[tokio::test]
async fn a_remark_on_a_version_that_went_is_kept_where_its_words_still_stand() {
    let city = City::open(Embedded).await;
    let alert = city.write(SUBMITTER).await;
    let edited = rewritten(&city, &alert, "本区水厂检出大肠杆菌超标，已停水。").await;
    let (status, said) = remark(&city, REVIEWER, &edited, json!({ "version": 1, "text": "何时？", "passage": passage("水厂检出") })).await;
    assert_eq!((status, &said["comments"][0]["version"]), (StatusCode::CREATED, &json!(1)), "the words are there in both");
    let (status, problem) =
        remark(&city, REVIEWER, &edited, json!({ "version": 1, "text": "哪种？", "passage": passage("细菌超标。") })).await;
    assert_eq!((status, &problem["code"]), (StatusCode::CONFLICT, &json!("passage_gone")), "{problem}");
    let (_, problem) = remark(&city, REVIEWER, &edited, json!({ "version": 9, "text": "哪种？" })).await;
    assert_eq!(problem["code"], json!("changed_meanwhile"), "nobody has seen that one");

    rewritten(&city, &edited, "本区饮水不合格。").await;
    let (_, said) = city.get(AUDITOR, &format!("{}/comments", path(&alert))).await;
    assert_eq!((&said["comments"][0]["stands"], &said["may_comment"]), (&json!(false), &json!(false)));
    city.close().await;
}

#[rstest]
#[tokio::test]
async fn remarks_are_short_name_nobody_and_are_the_business_of_those_who_make_the_alert() {
    let city = City::open(Embedded).await;
    let alert = handed_in(&city).await;
    for (text, field) in [("", "text"), ("请问 13800138000", "text"), (&"长".repeat(1_001), "text")] {
        let (status, problem) = remark(&city, REVIEWER, &alert, json!({ "version": 2, "text": text })).await;
        assert_eq!((status, &problem["errors"][0]["field"]), (StatusCode::UNPROCESSABLE_ENTITY, &json!(field)));
        assert!(!problem.to_string().contains("13800138000"));
    }
    // a draft may still hold what is to be taken out, and that is not copied into a remark
    let draft = rewritten(&city, &city.write(SUBMITTER).await, "请拨打 13800138000 咨询。").await;
    let quoting = json!({ "version": draft["version"], "text": "请删去号码", "passage": passage("请拨打 13800138000") });
    assert_eq!(remark(&city, REVIEWER, &draft, quoting).await.1["errors"][0]["field"], json!("passage.quote"));
    let nowhere = json!({ "version": 2, "text": "请改", "reply_to": uuid::Uuid::nil() });
    assert_eq!(remark(&city, REVIEWER, &alert, nowhere).await.1["code"], json!("no_such_comment"));
    assert_eq!(remark(&city, OTHER_REVIEWER, &alert, json!({ "version": 2, "text": "路过" })).await.0, StatusCode::NOT_FOUND);
    assert_eq!(remark(&city, WORKER, &alert, json!({ "version": 2, "text": "路过" })).await.0, StatusCode::FORBIDDEN);
    let lots = "insert into review.comment (comment_id, alert_id, version, words, made_by, made_at)
                select gen_random_uuid(), alert_id, 1, '再看', submitter, created_at from review.alert, generate_series(1, 200)";
    sqlx::query(lots).execute(city.pool()).await.unwrap();
    assert_eq!(remark(&city, REVIEWER, &alert, json!({ "version": 2, "text": "满了" })).await.1["code"], json!("too_many_comments"));
    city.close().await;
}

#[rstest]
#[tokio::test]
async fn whoever_reviews_an_alert_again_sees_what_changed_and_what_did_not(#[values(Embedded, Services)] store: Store) {
    let city = City::open(store).await;
    let alert = handed_in(&city).await;
    assert_eq!((&alert["returned"], &alert["changed_since_return"]), (&Value::Null, &json!([])));
    remark(&city, REVIEWER, &alert, json!({ "version": 2, "text": "是否核实？", "passage": passage("本区水厂") })).await;
    city.platform.clock.forward(HOUR);
    let body = json!({ "version": 2, "action": "return_district", "reason": "请写明是哪种细菌", "passage": passage("细菌超标") });
    let (_, returned) = city.decide_with(REVIEWER, &alert, body).await;
    let sent_back = &returned["returned"];
    assert_eq!((&sent_back["by"], &sent_back["version"]), (&json!(stages::id(REVIEWER)), &json!(2)));
    assert_eq!((&sent_back["action"], &sent_back["reason"]), (&json!("return_district"), &json!("请写明是哪种细菌")));
    assert_eq!(returned["changed_since_return"], json!([]));

    let edited = rewritten(&city, &returned, "本区水厂检出大肠杆菌。").await;
    let elsewhere = json!({ "version": edited["version"], "content": edited["content"], "audience": everybody_in("500103001") });
    let (status, edited) = city.put(SUBMITTER, &path(&alert), elsewhere).await;
    assert_eq!(status, StatusCode::OK, "{edited}");
    let known = json!({ "version": edited["version"], "action": "submit", "known": ["open_comments"] });
    let (_, again) = city.decide_with(SUBMITTER, &edited, known).await;
    let changed: Vec<_> =
        again["changed_since_return"].as_array().unwrap().iter().map(|it| (&it["field"], &it["language"], &it["is"])).collect();
    assert_eq!(
        changed,
        [(&json!("body"), &json!("zh-CN"), &json!("本区水厂检出大肠杆菌。")), (&json!("audience"), &Value::Null, &Value::Null)]
    );
    let marks: Vec<_> =
        again["returned"]["passages"].as_array().unwrap().iter().map(|it| (&it["passage"]["quote"], &it["stands"])).collect();
    assert_eq!(marks, [(&json!("细菌超标"), &json!(false)), (&json!("本区水厂"), &json!(true))], "one was mended, one was not");
    let (_, lines) = city.get(SECOND_REVIEWER, "/api/v1/alerts?waiting=true").await;
    assert_eq!((&lines[0]["returned"], &lines[0]["open_comments"]), (&json!(true), &json!(1)));

    let known = json!({ "version": again["version"], "action": "pass_district", "known": ["open_comments"] });
    let (status, passed) = city.decide_with(SECOND_REVIEWER, &again, known).await;
    assert_eq!(status, StatusCode::OK, "{passed}");
    assert_ne!(passed["returned"], Value::Null, "the city sees it too");
    let approval = json!({ "version": passed["version"], "action": "approve", "known": ["open_comments"] });
    let (status, approved) = city.decide_with(OFFICER, &passed, approval).await;
    assert_eq!((status, &approved["returned"]), (StatusCode::OK, &Value::Null), "{approved}");
    city.close().await;
}
