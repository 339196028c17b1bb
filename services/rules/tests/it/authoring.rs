//! Stories of staff who write rules and put them in force.

use crate::city::{City, NEW_OFFICER, OFFICER, OPERATOR, REVIEWER, STALE_OFFICER, contact};
use domain::shipped::SHIPPED;
use http::{Method, StatusCode};
use rstest::rstest;
use serde_json::{Value, json};
use stages::MINUTE;
use stages::Store::{self, Embedded, Postgres};

/// The shipped rule for close contacts as its author would write it.
fn definition() -> Value {
    let mut rule = serde_json::to_value(&SHIPPED[0]).unwrap();
    let fields = rule.as_object_mut().unwrap();
    fields.remove("rule_id");
    fields.remove("version");
    rule
}

fn versions() -> String {
    format!("/api/v1/rules/{}/versions", SHIPPED[0].rule_id)
}

fn activation() -> String {
    format!("/api/v1/rules/{}/activation", SHIPPED[0].rule_id)
}

#[rstest]
#[tokio::test]
async fn a_new_version_counts_for_records_from_its_activation_on(#[values(Embedded, Postgres)] store: Store) {
    let city = City::open(store).await;
    let mut changed = definition();
    changed["content"]["texts"]["zh-CN"]["headline"] = json!("新的标题");
    let (status, saved) = city.post(OFFICER, &versions(), changed).await;
    assert_eq!((status, &saved["version"]), (StatusCode::CREATED, &json!(2)));

    city.report(&[contact(1, 11, "500103001")]).await;
    let (status, problem) = city.post(NEW_OFFICER, &activation(), json!({ "version": 2 })).await;
    assert_eq!((status, &problem["code"]), (StatusCode::FORBIDDEN, &json!("account_too_new")));
    assert_eq!(city.delete(NEW_OFFICER, &activation()).await, StatusCode::FORBIDDEN, "nor does it take one out of force");
    let (status, problem) = city.post(STALE_OFFICER, &activation(), json!({ "version": 2 })).await;
    assert_eq!((status, &problem["code"]), (StatusCode::FORBIDDEN, &json!("fresh_proof_needed")), "a session that was left open");
    assert_eq!(city.delete(STALE_OFFICER, &activation()).await, StatusCode::FORBIDDEN);
    let (status, _) = city.post(OFFICER, &activation(), json!({ "version": 2 })).await;
    assert_eq!(status, StatusCode::NO_CONTENT);
    city.report(&[contact(2, 12, "500103001")]).await;

    let drafts = city.end_of_window().await;
    let told: Vec<_> =
        drafts.iter().map(|draft| (draft.event.rule_version, draft.residents(), draft.chinese().headline.as_str())).collect();
    assert_eq!(told, [(1, vec![11], "请立即隔离：您是传染病密切接触者"), (2, vec![12], "新的标题")]);
    let actions: Vec<_> = city.trail().await.into_iter().map(|entry| entry.action).filter(|action| action != "rule.install").collect();
    assert_eq!(actions, ["rule.save", "rule.activate"]);
    city.close().await;
}

#[rstest]
#[tokio::test]
async fn a_deactivated_rule_is_silent_and_stays_so_when_the_shipped_rules_are_installed_again(#[values(Embedded, Postgres)] store: Store) {
    let city = City::open(store).await;
    assert_eq!(city.send(Method::DELETE, OFFICER, &activation(), Value::Null).await.0, StatusCode::NO_CONTENT);
    let (status, problem) = city.send(Method::DELETE, OFFICER, &activation(), Value::Null).await;
    assert_eq!((status, &problem["code"]), (StatusCode::CONFLICT, &json!("rule_not_active")));
    assert_eq!(rules::install_shipped(&city.platform, domain::ids::StaffId::new()).await.unwrap(), 0);
    city.report(&[contact(1, 11, "500103001")]).await;
    assert!(city.end_of_window().await.is_empty());

    let (_, listed) = city.get(OPERATOR, "/api/v1/rules").await;
    let listed = listed.as_array().unwrap();
    assert_eq!(listed.len(), 8);
    let silent: Vec<_> = listed.iter().filter(|kept| kept["activated_by"].is_null()).map(|kept| &kept["rule"]["name"]).collect();
    assert_eq!(silent, [&json!(SHIPPED[0].name)]);
    city.close().await;
}

#[tokio::test]
async fn a_faulty_rule_is_refused_with_the_position_of_every_fault() {
    let city = City::open(Embedded).await;
    let cases = [
        ("/condition", "level == \"high\" &&", "condition", "第 1 行第"),
        ("/condition", "level == \"high\" &&\nage > 3", "condition", "第 2 行第 1 列：没有名为“age”的字段"),
        ("/content/texts/zh-CN/sms", "请到{where}", "content.texts.zh-CN.sms", "第 1 行第 3 列：没有名为“where”的变量"),
        ("/name", "", "name", "规则名称未填写"),
    ];
    let mut spoilt_thoroughly = definition();
    for (pointer, text, field, reason) in cases {
        let mut spoilt = definition();
        for rule in [&mut spoilt, &mut spoilt_thoroughly] {
            *rule.pointer_mut(pointer).unwrap() = json!(text);
        }
        let trial = json!({ "rule": spoilt, "records": [] });
        for (path, body) in [("/api/v1/rules", spoilt), (versions().as_str(), trial["rule"].clone()), ("/api/v1/rules/test", trial.clone())]
        {
            let (status, problem) = city.post(OFFICER, path, body).await;
            assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{path} {text}");
            assert_eq!(problem["errors"][0]["field"], field, "{problem}");
            assert!(problem["errors"][0]["reason"].as_str().unwrap().starts_with(reason), "{problem}");
        }
    }
    let (_, problem) = city.post(OFFICER, "/api/v1/rules", spoilt_thoroughly).await;
    let fields: Vec<_> = problem["errors"].as_array().unwrap().iter().map(|fault| fault["field"].as_str().unwrap()).collect();
    assert_eq!(fields, ["name", "condition", "content.texts.zh-CN.sms"]);
    assert_eq!(city.count("select count(*) from rules.rule_version").await, 8, "nothing was saved");
    city.close().await;
}

#[tokio::test]
async fn what_does_not_exist_is_said_to_be_missing() {
    let city = City::open(Embedded).await;
    let unknown = uuid::Uuid::nil();
    let cases = [
        (city.get(OFFICER, &format!("/api/v1/rules/{unknown}/versions")).await, "no_such_rule"),
        (city.post(OFFICER, &format!("/api/v1/rules/{unknown}/versions"), definition()).await, "no_such_rule"),
        (city.post(OFFICER, &activation(), json!({ "version": 7 })).await, "no_such_version"),
        (city.post(OFFICER, &activation(), json!({ "version": u32::MAX })).await, "no_such_version"),
        (city.get(OFFICER, "/api/v1/districts/500999/facts").await, "no_such_district"),
    ];
    for ((status, problem), code) in cases {
        assert_eq!((status, &problem["code"]), (StatusCode::NOT_FOUND, &json!(code)), "{problem}");
    }
    city.close().await;
}

#[tokio::test]
async fn a_rule_is_tried_on_records_and_nothing_is_kept() {
    let city = City::open(Embedded).await;
    city.says("500103", &[("isolation_site", "区集中隔离点")]).await;
    let now = city.platform.clock.now();
    let record = |id: &str, kind: &str, subject: Value, district: &str, attributes: Value| {
        json!({ "source_id": id, "kind": kind, "origin": "surveillance", "occurred_at": now, "subject": subject, "level": "high",
                "district": district, "attributes": attributes })
    };
    let records = json!([
        record("a", "close_contact", json!({ "resident": 11 }), "500103", json!({})),
        record("b", "close_contact", json!({ "resident": 12 }), "500105", json!({ "isolation_site": "酒店甲" })),
        record("c", "case", json!({ "resident": 13 }), "500103", json!({})),
        record("d", "close_contact", json!({ "phone_hash": "0".repeat(64) }), "500103", json!({})),
        record("e", "close_contact", json!({ "place": "500103" }), "500103", json!({})),
    ]);
    let (status, result) = city.post(OFFICER, "/api/v1/rules/test", json!({ "rule": definition(), "records": records })).await;
    assert_eq!(status, StatusCode::OK, "{result}");
    let tried: Vec<_> =
        result["records"].as_array().unwrap().iter().map(|tried| (tried["matches"].clone(), tried["why_not"].is_string())).collect();
    let (yes, no) = ((json!(true), false), (json!(false), true));
    assert_eq!(tried, [yes.clone(), yes, no.clone(), no.clone(), no]);
    let sms: Vec<_> =
        result["drafts"].as_array().unwrap().iter().map(|draft| draft["content"]["texts"]["zh-CN"]["sms"].as_str().unwrap()).collect();
    assert!(sms[0].contains("到区集中隔离点隔离") && sms[1].contains("到酒店甲隔离"), "{sms:?}");
    assert_eq!(city.count("select count(*) from rules.draft").await, 0);

    let faulty = json!([record("f", "close_contact", json!({ "resident": 1 }), "500999", json!({}))]);
    let (status, problem) = city.post(OFFICER, "/api/v1/rules/test", json!({ "rule": definition(), "records": faulty })).await;
    assert_eq!((status, &problem["errors"][0]["field"]), (StatusCode::UNPROCESSABLE_ENTITY, &json!("records[0].district")));
    city.close().await;
}

#[rstest]
#[tokio::test]
async fn a_district_says_what_it_has_to_offer_and_no_other_does(#[values(Embedded, Postgres)] store: Store) {
    let city = City::open(store).await;
    city.trail().await;
    let (own, other) = ("/api/v1/districts/500103/facts", "/api/v1/districts/500105/facts");
    let facts = json!({ "facts": { "isolation_site": " 区集中隔离点 ", "test_site": "区人民医院" } });
    let (status, said) = city.send(Method::PUT, REVIEWER, own, facts.clone()).await;
    assert_eq!((status, &said["facts"]["isolation_site"]), (StatusCode::OK, &json!("区集中隔离点")));
    assert_eq!(city.send(Method::PUT, REVIEWER, other, facts.clone()).await.0, StatusCode::FORBIDDEN);
    assert_eq!(city.send(Method::PUT, OPERATOR, own, facts.clone()).await.0, StatusCode::FORBIDDEN);
    assert_eq!(city.send(Method::PUT, NEW_OFFICER, own, facts).await.1["code"], json!("account_too_new"));

    let fewer = json!({ "facts": { "test_site": "区疾控中心" } });
    city.send(Method::PUT, OFFICER, own, fewer.clone()).await;
    assert_eq!(city.get(OPERATOR, own).await.1, fewer);
    let (status, problem) = city.send(Method::PUT, REVIEWER, own, json!({ "facts": { "hotel": "甲", "test_site": "{x}" } })).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!((&problem["errors"][0]["field"], &problem["errors"][1]["field"]), (&json!("facts.hotel"), &json!("facts.test_site")));

    let trail: Vec<_> = city.trail().await.into_iter().map(|entry| (entry.action, entry.role, entry.district)).collect();
    let replaced = |role: &str| ("district_facts.replace".to_owned(), role.to_owned(), Some(500_103));
    assert_eq!(trail, [replaced("district_reviewer"), replaced("city_command_officer")]);
    city.close().await;
}

#[rstest]
#[tokio::test]
async fn staff_see_what_is_gathering_in_their_area(#[values(Embedded, Postgres)] store: Store) {
    let city = City::open(store).await;
    city.report(&[contact(1, 11, "500103001"), contact(2, 11, "500103001"), contact(3, 12, "500105001")]).await;
    city.platform.clock.forward(MINUTE);
    let (_, all) = city.get(OFFICER, "/api/v1/rules/drafts").await;
    assert_eq!(all.as_array().unwrap().len(), 2);
    let (_, own) = city.get(REVIEWER, "/api/v1/rules/drafts").await;
    let [draft] = own.as_array().unwrap().as_slice() else { panic!("{own}") };
    assert_eq!((&draft["district"], &draft["rule_name"]), (&json!("500103"), &json!(SHIPPED[0].name)));
    assert_eq!((&draft["records"], &draft["residents"], &draft["seconds_left"]), (&json!(2), &json!(1), &json!(240)));
    city.close().await;
}
