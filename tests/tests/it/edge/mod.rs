//! What comes in at any route, however odd: it is taken, or refused with a sentence that names what is wrong. It is never answered as if
//! something of ours were broken, and nothing that is taken keeps anything else from being read.
//!
//! The routes, their parameters and the fields of their bodies come from the description of the interface, so a new one is tried as well.

mod sample;

use axum::body::Body;
use chrono::{DateTime, Utc};
use domain::staff::{Role, Scope};
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{Method, Request, StatusCode};
use resident::generate::{self, People};
use serde_json::{Value, json};
use tests::{Who, Whole};
use uuid::Uuid;

use sample::{Operation, leaves, named, operations, with};

/// Ten in the morning in Chongqing.
fn morning() -> DateTime<Utc> {
    "2026-03-02T02:00:00Z".parse().unwrap()
}

/// A hash that no password has.
const NOBODYS_PASSWORD: &str = "$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHRzYWx0c2FsdA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// A small city with a screen, and what it answers to.
async fn city() -> (Whole, Vec<Operation>) {
    let whole = Whole::start(morning()).await;
    let platform = &whole.platform;
    generate::write(&People::new(3_800, 7), &platform.database, &platform.keyring, morning(), |_| ()).await.unwrap();
    sqlx::query(
        "insert into display.screen (screen_id, name, place, area, languages, form, drill, key_hash, created_by, created_at)
         values ($1, '大厅屏', '解放碑', '500103', '{zh-CN}', 'full', false, sha256('screen'), $1, $2)",
    )
    .bind(Uuid::from_u128(1))
    .bind(morning())
    .execute(platform.database.pool())
    .await
    .unwrap();
    // the staff member who asks: what they make names them
    sqlx::query(
        "insert into identity.staff (id, login, name, role, scope, password_hash, created_at)
         values ($1, 'edge', '边界', 'administrator', 'city', $2, $3)",
    )
    .bind(Uuid::from_u128(1))
    .bind(NOBODYS_PASSWORD)
    .bind(morning())
    .execute(platform.database.pool())
    .await
    .unwrap();
    let (_, document) = whole.ask(None, &Method::GET, "/openapi.json", &Value::Null).await;
    let operations = operations(&document);
    assert!(operations.len() > 80, "{} operations", operations.len());
    (whole, operations)
}

/// Somebody whom an operation admits, in a part of the city that fits their role.
fn admitted(operation: &Operation) -> Option<Who> {
    let staff = |role: &str| {
        let role: Role = role.parse().unwrap();
        let scopes = ["city", "district:500103", "community:500103001001", "industry:education", "unit:1"];
        let scope = scopes.map(|scope| scope.parse::<Scope>().unwrap()).into_iter().find(|scope| role.accepts(scope)).unwrap();
        Who::Staff(role, scope, 1)
    };
    match operation.admits.first()?.as_str() {
        "resident_session" => Some(Who::Resident(1)),
        "source_key" => Some(Who::Source),
        "screen_key" => Some(Who::Screen),
        role => Some(staff(role)),
    }
}

/// Whether two words of English stand one after the other.
fn speaks_english(text: &str) -> bool {
    let is_word = |word: &str| word.len() > 1 && word.bytes().all(|byte| byte.is_ascii_lowercase());
    text.split(' ').collect::<Vec<_>>().windows(2).any(|pair| pair.iter().all(|word| is_word(word)))
}

fn speaks_chinese(text: &str) -> bool {
    text.chars().any(|sign| ('\u{4E00}'..='\u{9FFF}').contains(&sign))
}

/// A problem speaks Chinese to readers of Chinese and English to readers of English, down to each field.
fn is_in_the_readers_language(problem: &Value, context: &str) {
    let said = |text: &Value| text.as_str().unwrap_or_default().to_owned();
    let mut both = vec![(said(&problem["detail"]), said(&problem["detail_en"]))];
    both.extend(problem["errors"].as_array().into_iter().flatten().map(|fault| (said(&fault["reason"]), said(&fault["reason_en"]))));
    for (zh, en) in both {
        assert!(speaks_chinese(&zh) && !speaks_english(&zh), "{context}: {zh}");
        assert!(!en.is_empty() && !speaks_chinese(&en), "{context}: {en}");
    }
}

/// Sends it; the status and the problem, if it is one. No server's error comes back, and no problem in a foreign language.
async fn send(whole: &Whole, who: Option<Who>, operation: &Operation, address: &str, body: &Value) -> (StatusCode, Value) {
    let (status, answer) = whole.begin(who, &operation.method, address, body).await;
    let context = format!("{} {} with {}", operation.method, address.chars().take(200).collect::<String>(), short(body));
    // a platform without Web Push, or a store that is being asked for in vain, would be no fault of the request
    assert!(!status.is_server_error(), "{context}: {status} {answer}");
    if answer["code"].is_string() {
        is_in_the_readers_language(&answer, &context);
    }
    (status, answer)
}

fn short(body: &Value) -> String {
    body.to_string().chars().take(600).collect()
}

#[tokio::test]
async fn a_control_character_in_any_parameter_or_field_is_refused_with_its_name() {
    let (whole, operations) = city().await;
    let mut tried = 0;
    for operation in &operations {
        let who = admitted(operation);
        for parameter in &operation.in_path {
            let (status, problem) = send(&whole, who, operation, &operation.address(Some((parameter, "a%00b"))), &Value::Null).await;
            assert_eq!(status, StatusCode::BAD_REQUEST, "{}", operation.path);
            // the answer to HEAD has no body that could say why
            if operation.method != Method::HEAD {
                let told = (&problem["code"], &problem["errors"][0]["field"]);
                assert_eq!(told, (&json!("invalid_path"), &json!(parameter)), "{}", operation.path);
            }
            tried += 1;
        }
        for parameter in &operation.in_query {
            for odd in ["%00", "a%00b", "%07", "%C2%85"] {
                let address = format!("{}?{parameter}={odd}", operation.address(None));
                let (status, problem) = send(&whole, who, operation, &address, &Value::Null).await;
                let told = (status, &problem["errors"][0]["field"]);
                assert_eq!(told, (StatusCode::UNPROCESSABLE_ENTITY, &json!(parameter)), "{address}: {problem}");
                tried += 1;
            }
        }
        // rows are refused one by one: see below
        let Some(body) = operation.body.as_ref().filter(|_| !operation.path.ends_with("/records")) else { continue };
        for place in leaves(body).into_iter().filter(|place| body.pointer(place).is_some_and(Value::is_string)) {
            let odd = with(body, &place, json!("a\0b"));
            let (status, problem) = send(&whole, who, operation, &operation.address(None), &odd).await;
            let told = (status, &problem["errors"][0]["field"]);
            assert_eq!(
                told,
                (StatusCode::UNPROCESSABLE_ENTITY, &json!(named(&place))),
                "{} {}: {problem}",
                operation.method,
                operation.path
            );
            tried += 1;
        }
    }
    assert!(tried > 150, "{tried} places");
    whole.end().await;
}

/// Numbers, times and texts at the ends of what somebody's type can hold, and beyond.
fn extremes() -> Vec<Value> {
    let mut values: Vec<Value> = vec![
        json!(-1),
        json!(0),
        json!(i32::MAX),
        json!(2_147_483_648_u32),
        json!(u32::MAX),
        json!(i64::MAX),
        json!(i64::MIN),
        json!(u64::MAX),
        json!(1e308),
        json!(-1e308),
        json!(0.5),
        json!(""),
        json!(" "),
        json!("9999-12-31T23:59:59Z"),
        json!("0000-01-01T00:00:00Z"),
        json!("-262143-01-01T00:00:00Z"),
        json!("+262142-12-31T23:59:59Z"),
        json!("2199-12-31T23:59:59Z"),
        json!("00000000-0000-0000-0000-000000000000"),
        json!("ffffffff-ffff-ffff-ffff-ffffffffffff"),
        json!("长".repeat(300_000)),
        Value::Null,
        json!({}),
        json!([]),
    ];
    values.push((0..100).fold(json!(1), |inner, _| json!([inner])));
    values.push(json!("(".repeat(4_000)));
    values
}

/// Bodies that read well; where only one of two fields may be there, one for each.
fn bodies(operation: &Operation) -> Vec<Value> {
    let without = |body: &Value, field: &str| {
        let mut body = body.clone();
        body.as_object_mut().unwrap().remove(field);
        body
    };
    match &operation.body {
        None => Vec::new(),
        Some(body) if operation.path == "/api/v1/forecast" => vec![without(body, "recipients"), without(body, "audience")],
        Some(body) => {
            let mut body = body.clone();
            // What an alert that is written refers to is set by the platform.
            if let Some(references) = body.pointer_mut("/content/references") {
                *references = Value::Null;
            }
            vec![body]
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_extreme_value_of_any_field_breaks_its_route_or_any_list() {
    let (whole, operations) = city().await;
    let pages: Vec<&Operation> = operations.iter().filter(|operation| operation.is_a_page()).collect();
    let (extremes, mut taken) = (extremes(), 0);
    for operation in &operations {
        let (who, address) = (admitted(operation), operation.address(None));
        for body in bodies(operation) {
            let (status, answer) = send(&whole, who, operation, &address, &body).await;
            if operation.method == Method::POST && operation.path == "/api/v1/alerts" {
                assert_eq!(status, StatusCode::CREATED, "the sample itself is a draft: {answer}");
            }
            for place in leaves(&body) {
                for extreme in &extremes {
                    let (status, _) = send(&whole, who, operation, &address, &with(&body, &place, extreme.clone())).await;
                    taken += usize::from(status.is_success());
                }
            }
        }
        for page in &pages {
            send(&whole, admitted(page), page, &page.address(None), &Value::Null).await;
        }
    }
    assert!(taken > 100, "{taken} requests were taken");
    whole.end().await;
}

#[tokio::test]
async fn no_extreme_value_of_any_parameter_breaks_its_route() {
    let (whole, operations) = city().await;
    let long = "x".repeat(8_000);
    let odd = [
        "",
        "-1",
        "0",
        "2147483648",
        "4294967296",
        "9223372036854775807",
        "9223372036854775808",
        "1e308",
        "NaN",
        "true",
        "null",
        "%FF",
        "%ED%A0%80",
        "%F0%9F%90%B3",
        "9999-12-31T23:59:59Z",
        "-262143-01-01T00:00:00Z",
        "%2B262142-12-31T23:59:59Z",
        "00000000-0000-0000-0000-000000000000",
        "ffffffff-ffff-ffff-ffff-ffffffffffff",
        "999999",
        "%27%3B--",
        &long,
    ];
    for operation in &operations {
        let who = admitted(operation);
        for value in odd {
            for parameter in operation.in_path.iter().filter(|_| !value.is_empty()) {
                send(&whole, who, operation, &operation.address(Some((parameter, value))), &Value::Null).await;
            }
            for parameter in &operation.in_query {
                send(&whole, who, operation, &format!("{}?{parameter}={value}", operation.address(None)), &Value::Null).await;
            }
        }
    }
    whole.end().await;
}

/// Deliveries have rows: the one with the odd value is refused in words of its own, and the others are taken.
#[tokio::test]
async fn a_row_with_a_value_that_nothing_could_keep_is_refused_alone() {
    let (whole, _) = city().await;
    let good = |id: &str| {
        json!({ "source_id": id, "kind": "case", "occurred_at": "2026-03-02T01:00:00Z", "level": "high", "district": "500103",
                "subject": { "phone": "19000000001" }, "attributes": { "isolation_site": "渝州宾馆" } })
    };
    let spoilt: Vec<Value> = [
        ("/source_id", json!("a\0b")),
        ("/kind", json!("case\0")),
        ("/subject/phone", json!("19000000001\0")),
        ("/attributes/isolation_site", json!("渝州\0宾馆")),
        ("/attributes/isolation_site", json!("渝州\u{b}宾馆")),
        ("/occurred_at", json!("0026-03-02T01:00:00Z")),
        ("/occurred_at", json!("-262143-01-01T00:00:00Z")),
        ("/occurred_at", json!("9999-12-31T23:59:59Z")),
        ("/district", json!(u64::MAX)),
        ("/subject", json!({ "resident_no": 4_294_967_295_u32 })),
        ("/attributes/isolation_site", json!([])),
    ]
    .into_iter()
    .enumerate()
    .map(|(number, (place, value))| with(&with(&good("x"), "/source_id", json!(format!("odd-{number}"))), place, value))
    .collect();
    let mut rows = vec![good("first")];
    rows.extend(spoilt.iter().cloned());
    rows.push(good("last"));
    let (status, report) = whole.ask(Some(Who::Source), &Method::POST, "/api/v1/records", &json!(rows)).await;
    assert_eq!((status, &report["accepted"], &report["refused"]), (StatusCode::OK, &json!(2), &json!(spoilt.len())), "{report}");
    for row in report["refused_rows"].as_array().unwrap() {
        let (zh, en) = (row["reason"].as_str().unwrap(), row["reason_en"].as_str().unwrap());
        assert!(speaks_chinese(zh) && !speaks_english(zh) && !speaks_chinese(en), "{zh} / {en}");
    }

    // as lines and as a table, where a number that JSON cannot hold may come as well
    let lines = rows.iter().map(|row| row.to_string().replace("\"first\"", "\"second\"").replace("\"last\"", "\"third\"") + "\n");
    let lines: String = lines.chain(["{\"source_id\":\"n\",\"attributes\":{\"days\":1e999}}\n".to_owned()]).collect();
    let report = deliver(&whole, "stream", "application/x-ndjson", lines).await;
    assert_eq!((&report["accepted"], &report["refused"]), (&json!(2), &json!(spoilt.len() + 1)), "{report}");
    let table = "source_id,kind,occurred_at,phone,level,district,isolation_site\n\
        t-1,case,2026-03-02 08:30,19000000001,high,500103,渝州宾馆\n\
        t-2\0,case,2026-03-02 08:30,19000000001,high,500103,\n\
        t-3,case,2026-03-02 08:30,19000000001,high,500103,渝州\0宾馆\n\
        t-4,case,-9999-03-02 08:30,19000000001,high,500103,\n\
        t-5,case,26/03/02 08:30,19000000001,high,500103,\n\
        t-6,case,2026-03-02 08:30,19000000001,high,500103,1e308\n";
    let report = deliver(&whole, "upload", "text/csv", table.to_owned()).await;
    assert_eq!((&report["accepted"], &report["refused"]), (&json!(2), &json!(4)), "{report}");
    whole.end().await;
}

async fn deliver(whole: &Whole, way: &str, media_type: &str, body: String) -> Value {
    let request = Request::post(format!("/api/v1/records/{way}"))
        .header(AUTHORIZATION, "Bearer fhk_")
        .header(CONTENT_TYPE, media_type)
        .body(Body::from(body))
        .unwrap();
    let (status, report) = whole.respond(request).await;
    assert_eq!(status, StatusCode::OK, "{report}");
    report
}
