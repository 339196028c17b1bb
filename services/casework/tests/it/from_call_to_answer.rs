//! A mother calls: from the call to an answer that satisfied.

use http::StatusCode;
use serde_json::json;
use stages::{NOBODY, Store, until};

use crate::city::{CENTRE, CLINIC, City, HANDLER, LEAD, OPERATOR, OTHER_HANDLER, RESIDENT, SECOND_OPERATOR, WORKER, question};

#[tokio::test]
async fn a_mother_calls_two_units_work_and_the_answer_satisfies() {
    let city = City::open(Store::Embedded).await;
    let case = city.calls(question()).await;
    city.does(OPERATOR, &case, "register", json!({})).await;
    city.accepted(&case, "complex").await;
    city.routed(&case, CENTRE, &[CLINIC]).await;
    assert_eq!(city.looks(&case).await["who"], "渝中区疾控中心", "she sees who has it");

    city.does(HANDLER, &case, "sign_for", json!({})).await;
    city.does(HANDLER, &case, "ask_citizen", json!({ "text": "孩子体温多少？" })).await;
    let asked = city.looks(&case).await;
    assert_eq!((&asked["state"], &asked["asked"]), (&json!("waiting"), &json!("孩子体温多少？")));
    let (status, shown) = city.says(&case, "supplement", Some("三十七度六")).await;
    assert_eq!((status, &shown["state"]), (StatusCode::OK, &json!("working")));

    assert_eq!(city.refuses(HANDLER, &case, "submit_result", json!({ "text": "已核实", "answer": "可以接种" })).await, "assists_open");
    city.does(OTHER_HANDLER, &case, "finish_assist", json!({ "text": "疫苗有货" })).await;
    city.does(HANDLER, &case, "report_progress", json!({ "text": "正在联系接种点", "visible": true })).await;
    city.does(HANDLER, &case, "submit_result", json!({ "text": "已核实接种安排", "answer": "周六上午九点可接种" })).await;
    assert!(city.looks(&case).await["answer"].is_null(), "nobody is told what was not decided");
    city.does(LEAD, &case, "decide", json!({ "answer": "退热后，周六上午九点可接种。" })).await;
    city.does(HANDLER, &case, "tell", json!({ "by": "sms" })).await;

    let told = city.looks(&case).await;
    assert_eq!(told["answer"]["text"], "退热后，周六上午九点可接种。");
    assert_eq!(told["answer"]["by_unit"], "渝中区疾控中心");
    let said: Vec<_> = told["statements"].as_array().unwrap().iter().map(|said| said["text"].as_str().unwrap()).collect();
    assert_eq!(
        said,
        ["孩子体温多少？", "三十七度六", "正在联系接种点", "退热后，周六上午九点可接种。"],
        "and nothing that is for units alone"
    );
    until("she is told of the question and of the answer", async || city.messages.count() == 2).await;

    let (status, closed) = city.says(&case, "satisfied", None).await;
    assert_eq!((status, &closed["state"]), (StatusCode::OK, &json!("closed")));
    let file = city.file(HANDLER, &case).await;
    let clocks = file["clocks"].as_array().unwrap();
    assert!(clocks.iter().all(|clock| clock["met"] == true), "every promise was kept: {clocks:?}");
    assert_eq!(file["steps"].as_array().unwrap().len(), 13, "every step is in the file");
    until("each step of staff is in the trail", async || city.trail.count() >= 12).await;
    city.close().await;
}

#[tokio::test]
async fn what_can_be_answered_at_once_is_answered_and_closed_in_the_same_call() {
    let city = City::open(Store::Embedded).await;
    let case = city.calls(question()).await;
    let file = city.does(OPERATOR, &case, "answer_at_once", json!({ "text": "退热一周后即可接种。" })).await;
    assert_eq!(file["state"], "closed");
    let shown = city.looks(&case).await;
    assert_eq!((&shown["answer"]["text"], &shown["answer"]["by"]), (&json!("退热一周后即可接种。"), &json!("call")));
    // a review of it begins at the desk again
    let (_, again) = city.says(&case, "not_satisfied", Some("孩子过敏")).await;
    assert_eq!((&again["state"], &again["round"]), (&json!("registered"), &json!(2)));
    city.close().await;
}

#[tokio::test]
async fn somebody_who_signed_in_follows_their_own_cases_and_nobody_elses() {
    let city = City::open(Store::Embedded).await;
    let (status, taken) = city.named(RESIDENT, "/api/v1/me/cases", "from-my-app", question()).await;
    assert_eq!(status, StatusCode::CREATED, "{taken}");
    let number = taken["number"].as_str().unwrap();
    let (_, mine) = city.get(RESIDENT, "/api/v1/me/cases").await;
    assert_eq!((&mine[0]["number"], mine.as_array().unwrap().len()), (&taken["number"], 1));
    let (_, shown) = city.get(RESIDENT, &format!("/api/v1/me/cases/{number}")).await;
    assert_eq!((&shown["state"], &shown["who"]), (&json!("received"), &json!("热线坐席")));
    let (status, chased) = city.post(RESIDENT, &format!("/api/v1/me/cases/{number}/steps"), json!({ "event": "chase" })).await;
    assert_eq!((status, &chased["chases"]), (StatusCode::OK, &json!(1)));
    let (status, problem) = city.get("fhr_8", &format!("/api/v1/me/cases/{number}")).await;
    assert_eq!((status, &problem["code"]), (StatusCode::NOT_FOUND, &json!("no_such_case")));
    city.close().await;
}

#[tokio::test]
async fn a_community_enters_for_somebody_who_cannot_and_hands_over_number_and_pin() {
    let city = City::open(Store::Embedded).await;
    let mut matter = question();
    (matter["channel"], matter["kind"]) = (json!("proxy"), json!("urgent_help"));
    let (status, taken) = city.named(WORKER, "/api/v1/casework/cases", "for-a-neighbour", matter.clone()).await;
    assert_eq!(status, StatusCode::CREATED, "{taken}");
    matter["channel"] = json!("call");
    let (status, _) = city.named(WORKER, "/api/v1/casework/cases", "not-a-hotline", matter).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    city.close().await;
}

#[tokio::test]
async fn what_is_out_of_scope_is_declined_with_the_reason_and_where_to_go() {
    let city = City::open(Store::Embedded).await;
    let case = city.brings(json!({ "kind": "problem_report", "text": "路灯坏了", "district": "500103" })).await;
    let declined = json!({ "ground": "out_of_scope", "reason": "路灯由城市管理部门负责", "where_to": "12319 城市管理热线" });
    city.does(OPERATOR, &case, "decline", declined).await;
    let shown = city.looks(&case).await;
    assert_eq!((&shown["state"], &shown["declined"]["ground"]), (&json!("declined"), &json!("out_of_scope")));
    assert!(shown["declined"]["reason"].as_str().unwrap().contains("12319"), "{shown}");
    city.close().await;
}

#[tokio::test]
async fn two_callers_of_one_matter_keep_their_numbers_and_read_the_same_answer() {
    let city = City::open(Store::Embedded).await;
    let main = city.at_work("simple").await;
    let other = city.calls(question()).await;
    let proposed = json!({ "into": main.number, "reason": "同一接种点的同一问题" });
    assert_eq!(
        city.refuses(OPERATOR, &other, "propose_merge", json!({ "into": other.number, "reason": "本件" })).await,
        "cannot_merge_into"
    );
    city.does(OPERATOR, &other, "propose_merge", proposed).await;
    assert_eq!(city.refuses(OPERATOR, &other, "merge", json!({})).await, "same_person");
    city.does(SECOND_OPERATOR, &other, "merge", json!({})).await;
    assert_eq!(city.looks(&other).await["merged_into"], json!(main.number));
    city.answered_by(&main, HANDLER, LEAD).await;
    assert_eq!(city.looks(&other).await["answer"]["text"], "周六上午九点可接种");
    city.close().await;
}

#[tokio::test]
async fn who_goes_on_in_another_case_is_answered_though_its_citizen_takes_it_back() {
    let city = City::open(Store::Embedded).await;
    let main = city.at_work("simple").await;
    let other = city.calls(question()).await;
    city.does(OPERATOR, &other, "propose_merge", json!({ "into": main.number, "reason": "同一问题" })).await;
    assert_eq!(city.refuses(SECOND_OPERATOR, &other, "refuse_merge", json!({})).await, "reason_missing");
    city.does(SECOND_OPERATOR, &other, "refuse_merge", json!({ "reason": "不是同一接种点" })).await;
    assert_eq!(city.refuses(SECOND_OPERATOR, &other, "merge", json!({})).await, "no_merge_proposed");
    city.does(OPERATOR, &other, "propose_merge", json!({ "into": main.number, "reason": "经核实为同一接种点" })).await;
    city.does(SECOND_OPERATOR, &other, "merge", json!({})).await;

    let (status, kept_on) = city.says(&main, "withdraw", Some("不用了")).await;
    assert_eq!((status, &kept_on["state"]), (StatusCode::OK, &json!("working")), "somebody else waits for it");
    city.answered_by(&main, HANDLER, LEAD).await;
    assert_eq!(city.looks(&other).await["answer"]["text"], "周六上午九点可接种");
    city.close().await;
}

#[tokio::test]
async fn a_unit_that_said_it_was_not_its_business_opens_nobody_s_number() {
    let city = City::open(Store::Embedded).await;
    let case = city.calls(question()).await;
    city.does(OPERATOR, &case, "register", json!({})).await;
    city.accepted(&case, "simple").await;
    city.routed(&case, CENTRE, &[]).await;
    city.does(LEAD, &case, "refuse_competence", json!({ "reason": "属卫生服务中心", "proposal": CLINIC })).await;
    city.file(LEAD, &case).await;
    let path = format!("/api/v1/casework/cases/{}/phone", case.number);
    let (status, problem) = city.post(LEAD, &path, json!({ "purpose": "电话核实情况" })).await;
    assert_eq!((status, &problem["code"]), (StatusCode::FORBIDDEN, &json!("outside_unit")));
    city.close().await;
}

#[tokio::test]
async fn a_phone_number_is_opened_with_a_purpose_and_leaves_a_trace() {
    let city = City::open(Store::Embedded).await;
    let case = city.at_work("simple").await;
    let file = city.file(HANDLER, &case).await;
    assert_eq!((&file["caller"]["phone"], &file["caller"]["name"]), (&json!("190****5678"), &json!("王**")));
    let path = format!("/api/v1/casework/cases/{}/phone", case.number);
    let (status, _) = city.post(HANDLER, &path, json!({ "purpose": "看" })).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    let (status, opened) = city.post(HANDLER, &path, json!({ "purpose": "电话核实接种信息" })).await;
    assert_eq!((status, &opened["phone"]), (StatusCode::OK, &json!("+8619012345678")));
    let (status, _) = city.post(OTHER_HANDLER, &path, json!({ "purpose": "电话核实接种信息" })).await;
    assert_eq!(status, StatusCode::NOT_FOUND, "a unit without an order does not know of it");
    until("the opening is in the trail", async || city.trail.take().iter().any(|entry| entry.action == "case_contact_opened")).await;
    city.close().await;
}

#[tokio::test]
async fn what_was_brought_stands_nowhere_in_the_clear() {
    let city = City::open(Store::Embedded).await;
    let case = city.at_work("simple").await;
    city.does(HANDLER, &case, "report_progress", json!({ "text": "孩子发热的情况已核实" })).await;
    for table in ["matter", "statement", "work_order", "step", "outbox"] {
        let query = format!(
            "select count(*) from casework.{table} t where t::text like any(array['%发热%', '%19012345678%', '%王女士%', '%' || encode('发热'::bytea, 'hex') || '%'])"
        );
        assert_eq!(city.count(sqlx::AssertSqlSafe(query)).await, 0, "{table}");
    }
    let (status, _) = city.post(NOBODY, &format!("/api/v1/cases/{}/state", case.number), json!({ "pin": "000000" })).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    city.close().await;
}
