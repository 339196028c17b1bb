//! Stories of what stands against a person, and what lifts it (CQ2, CQ8, CQ12). Beijing: pop-ups stayed because a result came late. Zhengzhou: people were
//! marked without evidence, and those who had marked them answered the objections.

use chrono::{DateTime, TimeDelta, Utc};
use domain::shipped::SHIPPED;
use domain::standing::StandingTerms;
use http::StatusCode;
use proto::events::records_behind_alert_ended::Entry;
use proto::{AlertWithdrawnFor, LiftingRecordsChanged, RecordsBehindAlertEnded};
use rstest::rstest;
use serde_json::{Value, json};
use stages::Store::{self, Embedded, Services};
use stages::{DAY, HOUR, MINUTE, NOBODY, SECOND, id, views};

use crate::city::{
    AUDITOR, Alert, City, ELSEWHERE, HOME, NEW_OFFICER, OFFICER, Person, REVIEWER, SECOND_OFFICER, WORKER, WORKER_ELSEWHERE,
    WORKER_NEXT_DOOR, alert, registration, text,
};

pub const SENDER: i32 = 500_103;

/// A contact of whom an alert tells, that one negative test lifts; the district or the community may.
pub fn contact() -> StandingTerms {
    let mut terms = SHIPPED[1].standing.clone().unwrap();
    terms.asked_for =
        serde_json::from_value(json!([{ "code": "hospital_visit", "label": { "zh-CN": "入院", "en": "Hospital visit" } }])).unwrap();
    terms
}

impl City {
    /// A rule makes this alert, and leaves something standing by it.
    pub async fn leaves(&self, alert: &Alert, terms: StandingTerms) {
        let mut rule = SHIPPED[3].clone();
        rule.standing = Some(terms);
        sqlx::query("insert into rules.leaves_standing values ($1, $2, $3)")
            .bind(alert.id.uuid())
            .bind(SENDER)
            .bind(serde_json::to_value(rule).unwrap())
            .execute(self.pool())
            .await
            .unwrap();
    }

    /// A record brought the person into the alert: so long ago they had the contact.
    pub async fn named(&self, alert: &Alert, person: &Person, record: i64, ago: TimeDelta) {
        sqlx::query("insert into rules.named values ($1, $2, $3, 'place_visited', '市疾控中心', $4, '渝州宾馆')")
            .bind(alert.id.uuid())
            .bind(person.no.cast_signed())
            .bind(record)
            .bind(self.now() - ago)
            .execute(self.pool())
            .await
            .unwrap();
    }

    /// Such an alert is released to a person whom a record named a day ago.
    pub async fn tells_of_contact(&self, alert: &Alert, person: &Person) {
        self.leaves(alert, contact()).await;
        self.named(alert, person, 1, TimeDelta::days(1)).await;
        self.release(alert, &[person]).await;
    }

    /// A negative result about the person arrives: the sample was taken so long ago.
    pub async fn negative(&self, person: &Person, record: i64, ago: TimeDelta) {
        self.tested(person, record, ago).await;
        self.tell(&LiftingRecordsChanged { residents: vec![person.no] }).await;
    }

    /// The same, and nobody is told.
    async fn tested(&self, person: &Person, record: i64, ago: TimeDelta) {
        sqlx::query("insert into rules.lifts values ($1, $2, $3, $4) on conflict do nothing")
            .bind(person.no.cast_signed())
            .bind(contact().lifted_by.unwrap().key())
            .bind(record)
            .bind(self.now() - ago)
            .execute(self.pool())
            .await
            .unwrap();
    }

    /// The laboratory takes a result back.
    async fn takes_back(&self, person: &Person, record: i64) {
        sqlx::query("update rules.lifts set ended_at = $2 where record_id = $1")
            .bind(record)
            .bind(self.now())
            .execute(self.pool())
            .await
            .unwrap();
        self.tell(&LiftingRecordsChanged { residents: vec![person.no] }).await;
    }

    /// The record that named the person ends; another one may take its place.
    async fn evidence_ends(&self, alert: &Alert, person: &Person, record: i64, by: Option<(i64, TimeDelta)>) {
        sqlx::query("update rules.named set ended_at = $2 where record_id = $1")
            .bind(record)
            .bind(self.now())
            .execute(self.pool())
            .await
            .unwrap();
        if let Some((new, ago)) = by {
            self.named(alert, person, new, ago).await;
        }
        let entry = Entry { record_no: record, resident_no: Some(person.no), retracted: by.is_none(), ..Entry::default() };
        self.tell(&RecordsBehindAlertEnded { alert_id: alert.id.to_string(), entries: vec![entry] }).await;
    }

    fn now(&self) -> DateTime<Utc> {
        self.platform.clock.now()
    }

    /// What the person reads of what stands against them.
    pub async fn standings(&self, person: &Person) -> Vec<Value> {
        let (status, standings) = self.get(&person.token, "/api/v1/me/standings").await;
        assert_eq!(status, StatusCode::OK, "{standings}");
        standings.as_array().unwrap().clone()
    }

    /// `stands`, or what lifted it; empty where nothing ever stood.
    pub async fn stands(&self, person: &Person) -> String {
        match &self.standings(person).await[..] {
            [] => String::new(),
            [one] if one["state"] == "stands" => "stands".to_owned(),
            [one] => text(&one["lifted"]["how"]),
            more => panic!("{more:?}"),
        }
    }

    /// The numbers of those against whom something stands in the area of this member of staff.
    async fn seen_by(&self, token: &str, query: &str) -> Vec<u64> {
        let (status, page) = self.get(token, &format!("/api/v1/standings{query}")).await;
        assert_eq!(status, StatusCode::OK, "{page}");
        page["standings"].as_array().unwrap().iter().map(|one| one["resident_no"].as_u64().unwrap()).collect()
    }
}

#[rstest]
#[tokio::test]
async fn beijing_a_result_that_comes_late_lifts_at_once_by_when_its_sample_was_taken(#[values(Embedded, Services)] store: Store) {
    let city = City::open(store).await;
    let person = city.register("13812345678").await;
    let told = alert("AB2C", "请尽快检测：您到访过高风险场所");
    city.tells_of_contact(&told, &person).await;
    let [standing] = &city.standings(&person).await[..] else { panic!("one stands") };
    assert_eq!(
        (&standing["state"], &standing["reason"], &standing["contact"]),
        (&json!("stands"), &json!("secondary_contact"), &json!("渝中区疾控中心 023-63840000"))
    );
    let evidence = &standing["evidence"][0];
    assert_eq!(
        (&evidence["kind"], &evidence["source"], &evidence["place"]),
        (&json!("place_visited"), &json!("市疾控中心"), &json!("渝州宾馆")),
        "why me"
    );
    assert_eq!(standing["until"], json!(city.now() - TimeDelta::days(1) - TimeDelta::seconds(1) + TimeDelta::days(7)), "until when");
    assert!(text(&standing["lifted_by"]["lifts"]["zh-CN"]).contains("阴性"), "what lifts it");

    // a sample from before the contact says nothing, also where its result comes today
    city.negative(&person, 10, TimeDelta::hours(25)).await;
    assert_eq!(city.stands(&person).await, "stands");
    // the laboratory was not connected: the sample is from yesterday evening, its result comes two days later
    city.platform.clock.forward(2 * DAY);
    city.negative(&person, 11, TimeDelta::hours(50)).await;
    assert_eq!(city.stands(&person).await, "record", "at once, not in a nightly batch");
    assert_eq!(city.notices(&person).await[0], "standing_lifted");
    assert_eq!(city.seen_by(WORKER, "").await, [0; 0]);
    city.close().await;
}

#[tokio::test]
async fn a_lifting_record_counts_before_the_alert_and_twice_and_for_nobody_else() {
    let city = City::open(Embedded).await;
    let (tested, other) = (city.register("13812345678").await, city.register("13900001111").await);
    let told = alert("AB2C", "请尽快检测");
    city.leaves(&told, contact()).await;
    city.named(&told, &tested, 1, TimeDelta::days(1)).await;
    city.named(&told, &other, 2, TimeDelta::days(1)).await;
    // the result comes before the alert
    city.negative(&tested, 10, TimeDelta::hours(3)).await;
    city.release(&told, &[&tested, &other]).await;
    assert_eq!((city.stands(&tested).await, city.stands(&other).await), ("record".into(), "stands".into()));
    let first = city.standings(&tested).await[0]["lifted"].clone();
    city.platform.clock.forward(HOUR);
    city.negative(&tested, 10, TimeDelta::hours(4)).await;
    assert_eq!(city.standings(&tested).await[0]["lifted"], first, "a repeat changes nothing");
    assert_eq!(city.notices(&tested).await, ["standing_lifted"], "the alert has told them to do what they need not, so they are told once");
    city.close().await;
}

#[tokio::test]
async fn a_test_that_is_taken_back_makes_it_stand_again_until_its_time() {
    let city = City::open(Embedded).await;
    let person = city.register("13812345678").await;
    city.tells_of_contact(&alert("AB2C", "请尽快检测"), &person).await;
    city.negative(&person, 10, TimeDelta::hours(1)).await;
    assert_eq!(city.stands(&person).await, "record");
    city.takes_back(&person, 10).await;
    assert_eq!(city.stands(&person).await, "stands");
    assert_eq!(city.notices(&person).await[0], "standing_again");
    city.platform.clock.forward(7 * DAY);
    assert_eq!(city.stands(&person).await, "time", "by itself");
    // a late result of a sample from then still says why it ended, and nobody is told of it any more
    let told = city.notices(&person).await.len();
    city.negative(&person, 11, TimeDelta::days(6)).await;
    assert_eq!((city.stands(&person).await, city.notices(&person).await.len()), ("record".into(), told));
    city.close().await;
}

#[tokio::test]
async fn evidence_that_is_taken_back_lifts_and_evidence_that_is_corrected_moves_the_time() {
    let city = City::open(Embedded).await;
    let (wrong, corrected) = (city.register("13812345678").await, city.register("13900001111").await);
    let told = alert("AB2C", "请尽快检测");
    city.leaves(&told, contact()).await;
    city.named(&told, &wrong, 1, TimeDelta::days(1)).await;
    city.named(&told, &corrected, 2, TimeDelta::days(1)).await;
    city.release(&told, &[&wrong, &corrected]).await;

    city.evidence_ends(&told, &wrong, 1, None).await;
    assert_eq!(city.stands(&wrong).await, "evidence_ended");
    assert!(city.standings(&wrong).await[0]["evidence"][0]["ended_at"].is_string(), "they see which record it was");
    city.evidence_ends(&told, &corrected, 2, Some((3, TimeDelta::days(3)))).await;
    let [standing] = &city.standings(&corrected).await[..] else { panic!("one") };
    assert_eq!(
        (&standing["state"], &standing["since"]),
        (&json!("stands"), &json!(city.now() - TimeDelta::days(3))),
        "it was two days earlier"
    );
    // a test of the day before yesterday counts now
    city.negative(&corrected, 10, TimeDelta::days(2)).await;
    assert_eq!(city.stands(&corrected).await, "record");
    city.close().await;
}

#[rstest]
#[tokio::test]
async fn an_alert_that_is_withdrawn_lifts_what_stood_by_it_and_a_correction_takes_it_over(#[values(Embedded, Services)] store: Store) {
    let city = City::open(store).await;
    let (stays, left_out) = (city.register("13812345678").await, city.register("13900001111").await);
    let (told, right) = (alert("AB2C", "请尽快检测"), alert("AB2D", "请尽快检测（更正）"));
    city.leaves(&told, contact()).await;
    city.named(&told, &stays, 1, TimeDelta::days(1)).await;
    city.named(&told, &left_out, 2, TimeDelta::days(1)).await;
    city.release(&told, &[&stays, &left_out]).await;

    // the correction is approved before anybody knows for whom it is
    city.stop(&told, Some(right.id), "").await;
    assert_eq!((city.stands(&stays).await, city.stands(&left_out).await), ("stands".into(), "stands".into()));
    city.release(&right, &[&stays]).await;
    assert_eq!((city.stands(&stays).await, city.stands(&left_out).await), ("stands".into(), "withdrawn_for_person".into()));

    views::withdrawn_for(&city.platform, right.id, [stays.no]).await;
    city.tell(&AlertWithdrawnFor { alert_id: right.id.to_string() }).await;
    assert_eq!(city.stands(&stays).await, "withdrawn_for_person", "of what took its place");
    city.stop(&right, None, "wrong_finding").await;
    assert_eq!(
        (city.stands(&stays).await, city.stands(&left_out).await),
        ("alert_withdrawn".into(), "alert_withdrawn".into()),
        "for everybody"
    );
    city.close().await;
}

#[tokio::test]
async fn a_stop_that_comes_before_the_release_leaves_nothing_standing() {
    let city = City::open(Embedded).await;
    let person = city.register("13812345678").await;
    let told = alert("AB2C", "请尽快检测");
    city.stop(&told, None, "wrong_finding").await;
    city.tells_of_contact(&told, &person).await;
    assert_eq!(city.stands(&person).await, "alert_withdrawn");
    city.close().await;
}

#[tokio::test]
async fn zhengzhou_whom_no_record_names_does_not_stand() {
    let city = City::open(Embedded).await;
    let (named, by_hand) = (city.register("13812345678").await, city.register("13900001111").await);
    let (gathered, written) = (alert("AB2C", "请尽快检测"), alert("AB2D", "请到社区报到"));
    // somebody was put into the audience of a rule's alert by hand
    city.leaves(&gathered, contact()).await;
    city.named(&gathered, &named, 1, TimeDelta::days(1)).await;
    city.release(&gathered, &[&named, &by_hand]).await;
    // and an alert was written by hand
    city.release(&written, &[&named, &by_hand]).await;
    assert_eq!((city.stands(&named).await, city.stands(&by_hand).await), ("stands".into(), String::new()));
    // whom a reviewer has left out does not stand either, whatever the records say
    let left_out = alert("AB2E", "请尽快检测");
    city.leaves(&left_out, contact()).await;
    city.named(&left_out, &by_hand, 9, TimeDelta::days(1)).await;
    city.release(&left_out, &[&named]).await;
    assert_eq!(city.stands(&by_hand).await, "");
    city.close().await;
}

#[rstest]
#[tokio::test]
async fn zhengzhou_an_objection_is_answered_within_a_day_by_others_than_those_who_sent_the_alert(
    #[values(Embedded, Services)] store: Store,
) {
    let city = City::open(store).await;
    let (person, other) = (city.register("13812345678").await, city.register("13900001111").await);
    let told = alert("AB2C", "请尽快检测");
    city.tells_of_contact(&told, &person).await;
    sqlx::query("insert into review.had_a_hand values ($1, $2)")
        .bind(told.id.uuid())
        .bind(id(OFFICER).uuid())
        .execute(city.pool())
        .await
        .unwrap();
    let standing = city.standings(&person).await[0]["standing_id"].clone();
    let path = format!("/api/v1/me/standings/{standing}/objection");
    let object = async |token: &str, words: &str| city.post(token, &path, json!({ "text": words })).await;
    assert_eq!(object(&other.token, "不是我").await.1["code"], json!("no_such_standing"), "nobody objects for somebody else");
    assert_eq!(object(&person.token, " ").await.0, StatusCode::UNPROCESSABLE_ENTITY);
    let (status, taken) = object(&person.token, "我从未去过那里").await;
    assert_eq!((status, &taken["answer_by"]), (StatusCode::CREATED, &json!(city.now() + TimeDelta::hours(24))));
    assert_eq!(object(&person.token, "我从未去过那里").await.1["code"], json!("objection_waits"));
    assert!(city.tables_with("从未去过").await.is_empty(), "nobody's words are kept in plain text");
    let through = city
        .post(&person.token, &format!("/api/v1/me/alerts/{}/feedback", told.id), json!({ "kind": "objection", "text": "不是我" }))
        .await;
    assert_eq!(through.0, StatusCode::UNPROCESSABLE_ENTITY);

    // the district that sent it sees it with its deadline, and leaves it to others; so does the officer who approved it
    let (_, waiting) = city.get(REVIEWER, "/api/v1/feedback?kind=objection").await;
    assert_eq!(
        (&waiting[0]["kind"], &waiting[0]["answer_by"], &waiting[0]["yours_to_answer"]),
        (&json!("objection"), &taken["answer_by"], &json!(false))
    );
    let answer = format!("/api/v1/feedback/{}/answer", taken["feedback_id"]);
    let words = json!({ "answer": "已核实为同名误报，已撤销。" });
    for sender in [REVIEWER, WORKER, OFFICER] {
        assert_eq!(city.post(sender, &answer, words.clone()).await.1["code"], json!("objection_to_own_alert"), "{sender}");
    }
    assert_eq!(city.get(AUDITOR, "/api/v1/standings/summary").await.1[0]["objections_late"], json!(0));
    city.platform.clock.forward(25 * HOUR);
    assert_eq!(city.get(AUDITOR, "/api/v1/standings/summary").await.1[0]["objections_late"], json!(1), "the auditor sees that it is late");
    assert_eq!(city.get(SECOND_OFFICER, "/api/v1/feedback?kind=objection").await.1[0]["yours_to_answer"], json!(true));
    assert_eq!(city.post(SECOND_OFFICER, &answer, words).await.0, StatusCode::NO_CONTENT);
    let objection = &city.standings(&person).await[0]["objection"];
    assert_eq!(objection["answer"], json!("已核实为同名误报，已撤销。"));
    assert_eq!(object(&person.token, "请再核实").await.0, StatusCode::CREATED, "they may go on");
    city.close().await;
}

#[rstest]
#[tokio::test]
async fn staff_whom_the_rule_names_lift_it_in_their_own_area_with_a_reason_that_stays(#[values(Embedded, Services)] store: Store) {
    let city = City::open(store).await;
    let person = city.register("13812345678").await;
    let mut terms = contact();
    terms.who.remove(&domain::standing::Lifter::District);
    let told = alert("AB2C", "请尽快检测");
    city.leaves(&told, terms).await;
    city.named(&told, &person, 1, TimeDelta::days(1)).await;
    city.release(&told, &[&person]).await;
    let no = u64::from(person.no);
    assert_eq!((city.seen_by(WORKER, "").await, city.seen_by(WORKER_NEXT_DOOR, "").await), (vec![no], vec![]));
    assert_eq!((city.seen_by(REVIEWER, "").await, city.seen_by(WORKER_ELSEWHERE, "").await), (vec![no], vec![]));
    assert_eq!(
        (city.seen_by(WORKER, "?reason=secondary_contact").await, city.seen_by(WORKER, "?reason=arrival").await),
        (vec![no], vec![])
    );
    let page = city.get(WORKER, "/api/v1/standings").await.1;
    let seen = &page["standings"][0];
    assert!(!page.to_string().contains("138"), "names and phones are opened elsewhere, with a reason");
    assert_eq!((&seen["you_may_lift"], &page["next"]), (&json!(true), &Value::Null));
    assert_eq!(city.get(REVIEWER, "/api/v1/standings").await.1["standings"][0]["you_may_lift"], json!(false));

    let path = format!("/api/v1/standings/{}/lift", seen["standing_id"]);
    let lift = async |token: &str, reason: &str| {
        let (status, problem) = city.post(token, &path, json!({ "reason": reason })).await;
        (status, text(&problem["code"]))
    };
    assert_eq!(lift(WORKER_ELSEWHERE, "流调核实无接触").await, (StatusCode::NOT_FOUND, "no_such_standing".into()));
    assert_eq!(lift(REVIEWER, "流调核实无接触").await, (StatusCode::FORBIDDEN, "may_not_lift".into()));
    assert_eq!(lift(NEW_OFFICER, "流调核实无接触").await, (StatusCode::FORBIDDEN, "account_too_new".into()));
    assert_eq!(lift(WORKER, "无").await.0, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(lift(WORKER, "流调核实无接触").await.0, StatusCode::NO_CONTENT);
    assert_eq!(lift(WORKER, "流调核实无接触").await, (StatusCode::CONFLICT, "standing_is_over".into()));
    assert_eq!(city.stands(&person).await, "decision");
    assert_eq!((city.seen_by(WORKER, "").await, city.seen_by(WORKER, "?state=lifted").await), (vec![], vec![no]));
    let trail = city.trail().await;
    assert!(trail.iter().any(|entry| entry.action == "standing.lift" && entry.detail_json.contains("流调核实无接触")));
    let summary = &city.get(AUDITOR, "/api/v1/standings/summary").await.1[0];
    assert_eq!((&summary["stands"], &summary["lifted"]["decision"], &summary["district"]), (&json!(0), &json!(1), &json!("500103")));
    assert_eq!(city.get(AUDITOR, "/api/v1/standings").await.0, StatusCode::FORBIDDEN, "counts, and nobody");
    city.close().await;
}

#[tokio::test]
async fn a_long_list_is_turned_page_by_page_and_loses_nobody() {
    let city = City::open(Embedded).await;
    let person = city.register("13812345678").await;
    let told = alert("AB2C", "请尽快检测");
    city.tells_of_contact(&told, &person).await;
    sqlx::raw_sql(
        "insert into resident.resident (resident_no, phone_hash, phone_sealed, district, township, community, notices, registered_at)
         select n, sha256(n::text::bytea), '\\x00', 500103, 500103001, 500103001003, true, now() from generate_series(1001, 1249) as n;
         insert into resident.standing (resident_no, named_no, alert_id, reason, district, community, opened_at, ends_at)
         select n, n, alert_id, reason, district, community, opened_at, ends_at + (n % 3) * interval '1 hour' from resident.standing, generate_series(1001, 1249) as n",
    )
    .execute(city.pool())
    .await
    .unwrap();
    let (mut seen, mut query) = (Vec::new(), String::new());
    loop {
        let (_, page) = city.get(WORKER, &format!("/api/v1/standings{query}")).await;
        seen.extend(page["standings"].as_array().unwrap().iter().map(|one| one["standing_id"].as_i64().unwrap()));
        let Some(next) = page["next"].as_str() else { break };
        query = format!("?after={}", next.replace('+', "%2B"));
    }
    seen.sort_unstable();
    seen.dedup();
    assert_eq!(seen.len(), 250);
    assert_eq!(city.get(WORKER, "/api/v1/standings?after=yesterday").await.0, StatusCode::UNPROCESSABLE_ENTITY);
    city.close().await;
}

#[rstest]
#[tokio::test]
async fn who_moves_or_changes_their_number_takes_it_along_and_nobody_inherits_it(#[values(Embedded, Services)] store: Store) {
    let city = City::open(store).await;
    let person = city.register_with("13812345678", json!({ "name": "张三" })).await;
    assert_eq!(city.prove(&person, "11010519491231002X").await.0, StatusCode::OK);
    city.tells_of_contact(&alert("AB2C", "请尽快检测"), &person).await;
    let no = u64::from(person.no);
    city.patch(&person.token, "/api/v1/me", json!({ "community": ELSEWHERE })).await;
    assert_eq!(
        (city.seen_by(WORKER, "").await, city.seen_by(WORKER_ELSEWHERE, "").await),
        (vec![], vec![no]),
        "their new community looks after them"
    );
    city.patch(&person.token, "/api/v1/me", json!({ "community": HOME })).await;
    assert_eq!((city.seen_by(WORKER, "").await, city.stands(&person).await), (vec![no], "stands".into()));

    // the carrier gives the number to somebody else
    city.platform.clock.forward(91 * DAY);
    let late = alert("AB2D", "请尽快检测");
    city.leaves(&late, contact()).await;
    city.named(&late, &person, 2, TimeDelta::hours(1)).await;
    city.release(&late, &[&person]).await;
    let code = city.code("13812345678").await;
    let (status, answer) =
        city.post(NOBODY, "/api/v1/registration", registration("13812345678", &code, json!({ "begin_anew": true }))).await;
    assert_eq!(status, StatusCode::CREATED, "{answer}");
    let next = Person { no: u32::try_from(answer["resident_no"].as_u64().unwrap()).unwrap(), token: text(&answer["token"]) };
    assert_eq!(city.stands(&next).await, "");

    // who lost it begins anew, and proves who they are: what was named as the one before is lifted by a test of theirs now
    let again = city.register("13900001111").await;
    assert_eq!(city.stands(&again).await, "");
    assert_eq!(city.prove(&again, "11010519491231002X").await.0, StatusCode::OK);
    let states = async || city.standings(&again).await.iter().map(|one| text(&one["state"])).collect::<Vec<_>>();
    assert_eq!(states().await, ["stands", "lifted"], "and what stood before");
    city.negative(&again, 10, TimeDelta::minutes(5)).await;
    assert_eq!(states().await, ["lifted", "lifted"]);
    assert_eq!(city.stands(&next).await, "");
    city.close().await;
}

#[tokio::test]
async fn what_stood_goes_with_everything_else_of_a_person_and_by_itself_after_a_year() {
    let city = City::open(Embedded).await;
    let (leaves, stays) = (city.register("13812345678").await, city.register("13900001111").await);
    let told = alert("AB2C", "请尽快检测");
    city.leaves(&told, contact()).await;
    city.named(&told, &leaves, 1, TimeDelta::days(1)).await;
    city.named(&told, &stays, 2, TimeDelta::days(1)).await;
    city.release(&told, &[&leaves, &stays]).await;
    assert_eq!(city.delete(&leaves.token, "/api/v1/me").await, StatusCode::NO_CONTENT);
    assert_eq!(city.count("select count(*) from resident.standing").await, 1);
    // nor does an alert that is released once more bring back who had everything deleted
    city.release(&told, &[&leaves, &stays]).await;
    assert_eq!(city.count("select count(*) from resident.standing").await, 1);
    city.forward_with_jobs(300 * DAY).await;
    assert_eq!(city.count("select count(*) from resident.standing").await, 1);
    city.forward_with_jobs(80 * DAY).await;
    for table in ["standing", "standing_evidence", "standing_terms"] {
        let count: i64 =
            sqlx::query_scalar(sqlx::AssertSqlSafe(format!("select count(*) from resident.{table}"))).fetch_one(city.pool()).await.unwrap();
        assert_eq!(count, 0, "{table}");
    }
    city.close().await;
}

#[tokio::test]
async fn what_no_event_has_told_is_found_within_the_hour() {
    let city = City::open(Embedded).await;
    let (tested, wrong) = (city.register("13812345678").await, city.register("13900001111").await);
    let told = Alert { valid: TimeDelta::days(3), ..alert("AB2C", "请尽快检测") };
    city.leaves(&told, contact()).await;
    city.named(&told, &tested, 1, TimeDelta::days(1)).await;
    city.named(&told, &wrong, 2, TimeDelta::days(1)).await;
    // the release itself is found by the sweep of the inboxes
    city.plan(&told, &[&tested, &wrong]).await;
    city.forward_with_jobs(2 * MINUTE).await;
    assert_eq!((city.stands(&tested).await, city.stands(&wrong).await), ("stands".into(), "stands".into()));
    city.tested(&tested, 10, TimeDelta::seconds(1)).await;
    sqlx::query("update rules.named set ended_at = $1 where record_id = 2").bind(city.now()).execute(city.pool()).await.unwrap();
    city.forward_with_jobs(HOUR).await;
    assert_eq!((city.stands(&tested).await, city.stands(&wrong).await), ("record".into(), "evidence_ended".into()));
    city.close().await;
}

#[tokio::test]
async fn what_an_alert_in_inboxes_has_not_left_yet_is_opened_within_a_minute() {
    let city = City::open(Embedded).await;
    let person = city.register("13812345678").await;
    city.tells_of_contact(&alert("AB2C", "请尽快检测"), &person).await;
    // as a process of the version before, which knew nothing of standings, has left it
    sqlx::raw_sql("delete from resident.standing; delete from resident.standing_terms").execute(city.pool()).await.unwrap();
    assert!(city.standings(&person).await.is_empty());
    city.forward_with_jobs(2 * MINUTE).await;
    assert_eq!(city.stands(&person).await, "stands");
    city.close().await;
}

#[tokio::test]
async fn an_exercise_leaves_nothing_standing_and_a_larger_audience_stands_when_it_comes() {
    let city = City::open(Embedded).await;
    let (first, second) = (city.register("13812345678").await, city.register("13900001111").await);
    let told = alert("AB2C", "请尽快检测");
    city.leaves(&told, contact()).await;
    city.named(&told, &first, 1, TimeDelta::days(1)).await;
    city.named(&told, &second, 2, TimeDelta::days(1)).await;
    city.release(&told, &[&first]).await;
    assert_eq!((city.stands(&first).await, city.stands(&second).await), ("stands".into(), String::new()));
    city.release(&told, &[&first, &second]).await;
    assert_eq!(city.stands(&second).await, "stands");

    let drill = alert("AB2D", "演练");
    city.leaves(&drill, contact()).await;
    city.named(&drill, &second, 3, TimeDelta::days(1)).await;
    city.platform.clock.forward(SECOND);
    city.plan(&drill, &[&second]).await;
    sqlx::query("update dispatch.released_alert set content = content || '{\"status\": \"exercise\"}' where alert_id = $1")
        .bind(drill.id.uuid())
        .execute(city.pool())
        .await
        .unwrap();
    city.tell(&proto::AlertReleased { alert_id: drill.id.to_string() }).await;
    assert_eq!(city.standings(&second).await.len(), 1);
    city.close().await;
}
