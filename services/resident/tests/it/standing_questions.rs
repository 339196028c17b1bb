//! Stories of a hospital that asks whether something stands against a person (CQ14).

use chrono::TimeDelta;
use domain::language::Language;
use http::StatusCode;
use resident::Settings;
use rstest::rstest;
use serde_json::{Value, json};
use stages::MINUTE;
use stages::Store::{self, Embedded, Services};

use crate::city::{City, HOSPITAL, WORKER, alert, text};
use crate::standings::contact;

const IDENTITY: &str = "11010519491231002X";
const OF_NOBODY: &str = "110101199003070097";

impl City {
    /// The rules in force name these purposes.
    async fn names_purposes(&self, codes: &[&str]) {
        for code in codes {
            sqlx::query("insert into rules.asked_for values ($1, $2)")
                .bind(code)
                .bind(json!({ "zh-CN": "入院", "en": "Hospital visit" }))
                .execute(self.pool())
                .await
                .unwrap();
        }
    }

    async fn asks(&self, number: &str, purpose: &str) -> (StatusCode, Value) {
        self.post(HOSPITAL, "/api/v1/standings/question", json!({ "identity_number": number, "purpose": purpose })).await
    }
}

#[rstest]
#[tokio::test]
async fn a_hospital_is_told_whether_something_stands_and_the_person_who_asked(#[values(Embedded, Services)] store: Store) {
    let city = City::open(store).await;
    city.names_purposes(&["hospital_visit", "school_entry"]).await;
    let person = city.register("13812345678").await;
    assert_eq!(city.prove(&person, IDENTITY).await.0, StatusCode::OK);
    let none = json!({ "stands": false, "until": null, "measure": null });
    assert_eq!(city.asks(IDENTITY, "hospital_visit").await, (StatusCode::OK, none.clone()), "nothing stands");
    city.tells_of_contact(&alert("AB2C", "请尽快检测"), &person).await;
    let (_, answer) = city.asks(IDENTITY, "hospital_visit").await;
    let measure = contact().measure;
    assert_eq!((&answer["stands"], &answer["measure"]["zh-CN"]), (&json!(true), &json!(measure[&Language::ZhCn])));
    assert_eq!(answer["until"], city.standings(&person).await[0]["until"]);
    assert_eq!(
        city.asks(OF_NOBODY, "hospital_visit").await,
        (StatusCode::OK, none.clone()),
        "who is not known here is answered in the same words"
    );
    assert_eq!(city.asks(IDENTITY, "school_entry").await, (StatusCode::OK, none.clone()), "this rule does not name that purpose");

    let (_, asked) = city.get(&person.token, "/api/v1/me/standing-questions").await;
    let told: Vec<_> =
        asked.as_array().unwrap().iter().map(|one| (text(&one["purpose"]), text(&one["unit"]), one["stood"] == true)).collect();
    let by = |purpose: &str, stood| (purpose.to_owned(), "市第一医院".to_owned(), stood);
    assert_eq!(told, [by("school_entry", false), by("hospital_visit", true), by("hospital_visit", false)]);
    assert_eq!(asked[0]["label"]["en"], json!("Hospital visit"));
    let trail = city.trail().await;
    let traced: Vec<_> = trail.iter().filter(|entry| entry.action == "standing.asked").collect();
    assert_eq!(traced.len(), 4, "also about whom nobody knows");
    assert!(traced.iter().all(|entry| entry.actor_kind == "source" && !entry.detail_json.contains(IDENTITY)));

    city.negative(&person, 10, TimeDelta::hours(1)).await;
    assert_eq!(city.asks(IDENTITY, "hospital_visit").await.1, none, "lifted");
    city.close().await;
}

#[tokio::test]
async fn nobody_asks_for_what_no_rule_names_or_their_key_does_not_or_without_a_key() {
    let city = City::open(Embedded).await;
    assert_eq!(city.asks(IDENTITY, "hospital_visit").await.1["code"], json!("purpose_not_named"), "no rule in force");
    city.names_purposes(&["hospital_visit", "bank_visit"]).await;
    assert_eq!(city.asks(IDENTITY, "bank_visit").await.1["code"], json!("purpose_not_named"), "not this key");
    assert_eq!(city.asks("12", "hospital_visit").await.0, StatusCode::UNPROCESSABLE_ENTITY);
    let question = json!({ "identity_number": IDENTITY, "purpose": "hospital_visit" });
    assert_eq!(city.post(WORKER, "/api/v1/standings/question", question).await.0, StatusCode::FORBIDDEN, "staff look where it is listed");
    assert_eq!(city.count("select count(*) from resident.standing_question").await, 0);
    city.close().await;
}

#[tokio::test]
async fn who_asks_without_end_is_stopped_for_a_while() {
    let city = City::open_with(Embedded, Settings { standing_questions_per_minute: 3.try_into().unwrap(), ..Settings::default() }).await;
    city.names_purposes(&["hospital_visit"]).await;
    for _ in 0..3 {
        assert_eq!(city.asks(OF_NOBODY, "hospital_visit").await.0, StatusCode::OK);
    }
    assert_eq!(city.asks(OF_NOBODY, "hospital_visit").await.0, StatusCode::TOO_MANY_REQUESTS);
    city.platform.clock.forward(2 * MINUTE);
    assert_eq!(city.asks(OF_NOBODY, "hospital_visit").await.0, StatusCode::OK);
    city.close().await;
}

/// What a plan says of a statement, with tables so small that it would read them whole if it might.
async fn plan(city: &City, statement: &str, casts: &[&str]) -> String {
    let statement =
        casts.iter().enumerate().rev().fold(statement.to_owned(), |text, (at, cast)| text.replace(&format!("${}", at + 1), cast));
    let mut tx = city.platform.database.begin().await.unwrap();
    sqlx::query("set local enable_seqscan = off").execute(&mut *tx).await.unwrap();
    let lines: Vec<String> =
        sqlx::query_scalar(sqlx::AssertSqlSafe(format!("explain (costs off) {statement}"))).fetch_all(&mut *tx).await.unwrap();
    lines.join("\n")
}

#[tokio::test]
async fn a_question_about_one_of_millions_and_a_page_of_an_area_read_no_table_whole() {
    let city = City::open(Embedded).await;
    let told = alert("AB2C", "请尽快检测");
    city.tells_of_contact(&told, &city.register("13812345678").await).await;
    // people of forty districts with a hundred communities each
    sqlx::raw_sql(
        "insert into resident.resident (resident_no, phone_hash, phone_sealed, identity_hash, district, township, community, notices, registered_at)
         select n, sha256(n::text::bytea), '\\x00', sha256(('i' || n)::bytea), 500100 + n % 40, (500100 + n % 40) * 1000 + 1,
                (500100 + n % 40)::bigint * 1000000 + 1000 + n % 4000 / 40, true, now()
           from generate_series(1001, 21000) as n;
         insert into resident.standing (resident_no, named_no, alert_id, reason, district, community, opened_at, ends_at)
         select r.resident_no, r.resident_no, s.alert_id, s.reason, r.district, r.community, s.opened_at, s.ends_at + r.resident_no * interval '1 second'
           from resident.standing s, resident.resident r where r.resident_no > 1000;
         analyze resident.resident; analyze resident.standing",
    )
    .execute(city.pool())
    .await
    .unwrap();
    let question = include_str!("../../src/standing/question.sql");
    let asked = plan(&city, question, &["sha256('x')", "now()", "'hospital_visit'", "'市第一医院'", "'{}'::jsonb"]).await;
    for index in ["resident_by_identity", "standing_of_person", "standing_terms_pkey"] {
        assert!(asked.contains(index), "{index} in\n{asked}");
    }
    assert!(!asked.contains("Seq Scan"), "{asked}");
    let page = include_str!("../../src/standing/page.sql").replace("!\"", "\"");
    let now = format!("'{}'::timestamptz", city.platform.clock.now().to_rfc3339());
    let bounds = [&*now, "null", "null", "9223372036854775807", "null", "101"];
    for (scope, index) in [
        (["true", "null::int", "null::bigint"], "standing_by_end"),
        (["false", "500103", "null::bigint"], "standing_in_district"),
        (["false", "null::int", "500103001003"], "standing_in_community"),
    ] {
        let read = plan(&city, &page, &[&scope[..], &bounds[..]].concat()).await;
        assert!(read.contains(index), "{index} in\n{read}");
        assert!(!read.contains("Seq Scan"), "{read}");
        // the few of a community may be put in order afterwards
        assert!(index == "standing_in_community" || !read.contains("Sort Key: standing.ends_at"), "{read}");
    }
    city.close().await;
}
