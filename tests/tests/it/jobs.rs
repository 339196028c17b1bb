//! Scheduled work as an operator has it: what there is, when it is due, how it went, and a run at once.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use domain::staff::{Role, Scope};
use http::{Method, StatusCode};
use platform::jobs::{Did, Job};
use serde_json::{Value, json};
use stages::{DAY, until};
use tests::{Who, Whole};
use tokio::sync::Semaphore;

const OPERATOR: Who = Who::Staff(Role::TechnicalOperator, Scope::City, 21);
const AUDITOR: Who = Who::Staff(Role::Auditor, Scope::City, 22);

const SLOW: Job = Job { name: "trial.slow", cron: "0 0 4 * * *", about: "慢慢整理", about_en: "Tidies slowly.", at_start: false };

/// Ten in the morning in Chongqing.
fn morning() -> DateTime<Utc> {
    "2026-03-02T02:00:00Z".parse().unwrap()
}

async fn at_rest(whole: &Whole) {
    until("the jobs come to rest", async || whole.platform.jobs.settled().await.unwrap()).await;
}

/// The table, by name.
async fn table(whole: &Whole) -> BTreeMap<String, Value> {
    let (status, jobs) = whole.ask(Some(OPERATOR), &Method::GET, "/api/v1/jobs", &Value::Null).await;
    assert_eq!(status, StatusCode::OK, "{jobs}");
    jobs.as_array().unwrap().iter().map(|job| (job["name"].as_str().unwrap().to_owned(), job.clone())).collect()
}

/// Asks for a run of the slow job.
async fn run_now(whole: &Whole, who: Who) -> (StatusCode, Value) {
    whole.ask(Some(who), &Method::POST, "/api/v1/jobs/trial.slow/runs", &Value::Null).await
}

async fn runs(whole: &Whole, job: &str) -> Vec<Value> {
    let (status, runs) = whole.ask(Some(AUDITOR), &Method::GET, &format!("/api/v1/jobs/{job}/runs"), &Value::Null).await;
    assert_eq!(status, StatusCode::OK, "{runs}");
    runs.as_array().unwrap().clone()
}

#[tokio::test]
async fn the_table_tells_of_every_job_what_it_does_and_how_it_went() {
    let whole = Whole::start(morning()).await;
    at_rest(&whole).await;
    let jobs = table(&whole).await;
    let declared = [
        identity::JOBS,
        audit::JOBS,
        resident::JOBS,
        ingest::JOBS,
        rules::JOBS,
        review::JOBS,
        dispatch::JOBS,
        sms::JOBS,
        display::JOBS,
        casework::JOBS,
    ]
    .concat();
    assert_eq!(jobs.keys().map(String::as_str).collect::<Vec<_>>(), {
        let mut names: Vec<&str> = declared.iter().map(|job| job.name).collect();
        names.sort_unstable();
        names
    });
    let receipts = &jobs["sms.forget_receipts"];
    assert_eq!(
        (&receipts["state"], &receipts["due_at"], &receipts["last"]),
        (&json!("waiting"), &json!("2026-03-02T02:40:00Z"), &Value::Null)
    );
    let ledger = &jobs["dispatch.keep_ledger"]["last"];
    assert_eq!((&ledger["outcome"], &ledger["did"][0]["number"]), (&json!("done"), &json!(9)), "three months of three tables: {ledger}");

    whole.platform.clock.forward(DAY);
    at_rest(&whole).await;
    for (name, job) in table(&whole).await {
        assert_eq!((&job["state"], &job["last"]["outcome"]), (&json!("waiting"), &json!("done")), "{name}: {job}");
        assert!(job["due_at"].as_str().unwrap() > "2026-03-03T02:00:00Z", "{name} is planned: {job}");
    }
    whole.end().await;
}

#[tokio::test]
async fn who_came_by_the_directory_two_weeks_ago_is_forgotten_in_the_night() {
    let whole = Whole::start(morning()).await;
    let came = "insert into identity.directory_arrival (issuer, subject, name, proposed_login, came_at)
                values ('https://login.example.cn', 'one', '张三', 'zhang.san', '2026-02-17T02:00:00Z'),
                       ('https://login.example.cn', 'two', '李四', 'li.si', '2026-02-18T02:00:00Z')";
    sqlx::query(came).execute(whole.platform.database.pool()).await.unwrap();
    at_rest(&whole).await;
    whole.platform.clock.forward(DAY);
    at_rest(&whole).await;
    let forgot = &table(&whole).await["identity.forget_arrivals"]["last"];
    assert_eq!((&forgot["outcome"], &forgot["did"][0]["number"]), (&json!("done"), &json!(1)), "{forgot}");
    whole.end().await;
}

#[tokio::test]
async fn an_operator_runs_a_job_now_and_the_trace_says_who_did() {
    let whole = Whole::start(morning()).await;
    let may_end = Arc::new(Semaphore::new(0));
    let gate = Arc::clone(&may_end);
    let slowly = move || {
        let gate = Arc::clone(&gate);
        async move {
            gate.acquire().await?.forget();
            Ok(Did::nothing().and("整理的行", "rows tidied", 7))
        }
    };
    whole.platform.jobs.register(&SLOW, slowly).unwrap();
    until("the table knows the job", async || table(&whole).await.contains_key(SLOW.name)).await;

    let (status, run) = run_now(&whole, OPERATOR).await;
    assert_eq!((status, &run["outcome"]), (StatusCode::ACCEPTED, &Value::Null), "{run}");
    let (status, refused) = run_now(&whole, OPERATOR).await;
    assert_eq!((status, &refused["code"]), (StatusCode::CONFLICT, &json!("job_running")), "{refused}");
    until("it runs", async || table(&whole).await[SLOW.name]["state"] == "running").await;
    assert_eq!(run_now(&whole, OPERATOR).await.0, StatusCode::CONFLICT);

    may_end.add_permits(1);
    at_rest(&whole).await;
    let job = &table(&whole).await[SLOW.name];
    assert_eq!((&job["state"], &job["due_at"]), (&json!("waiting"), &json!("2026-03-02T20:00:00Z")), "its next time stays as it was");
    let kept = runs(&whole, SLOW.name).await;
    assert_eq!((kept.len(), &kept[0]), (1, &job["last"]));
    let expected = json!([{ "what": "整理的行", "what_en": "rows tidied", "number": 7 }]);
    assert_eq!((&kept[0]["run_id"], &kept[0]["outcome"], &kept[0]["did"]), (&run["run_id"], &json!("done"), &expected));

    let mut trace = Value::Null;
    until("the trace has it", async || {
        trace = whole.ask(Some(AUDITOR), &Method::GET, "/api/v1/audit/entries?action=job.run", &Value::Null).await.1;
        trace["entries"].as_array().is_some_and(|entries| !entries.is_empty())
    })
    .await;
    let entries = trace["entries"].as_array().unwrap();
    assert_eq!((entries.len(), &entries[0]["object"], &entries[0]["actor"]), (1, &json!(SLOW.name), &kept[0]["asked_by"]), "{trace}");
    whole.end().await;
}

#[tokio::test]
async fn who_does_not_run_the_platform_runs_no_job() {
    let whole = Whole::start(morning()).await;
    at_rest(&whole).await;
    for role in [Role::Administrator, Role::Auditor, Role::CityCommandOfficer] {
        let (status, code) =
            whole.verdict(Some(Who::Staff(role, Scope::City, 1)), &Method::POST, "/api/v1/jobs/sms.forget_receipts/runs").await;
        assert_eq!((status, code.as_str()), (StatusCode::FORBIDDEN, "role_not_allowed"), "{role}");
    }
    assert_eq!(runs(&whole, "sms.forget_receipts").await, Vec::<Value>::new());
    for (method, who) in [(Method::POST, OPERATOR), (Method::GET, AUDITOR)] {
        let (status, code) = whole.verdict(Some(who), &method, "/api/v1/jobs/no.such_job/runs").await;
        assert_eq!((status, code.as_str()), (StatusCode::NOT_FOUND, "job_not_found"));
    }
    whole.end().await;
}
