//! Who gets in where: every route of every service, asked by nobody, by everybody, and by the right role of a wrong district.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use domain::area::{CommunityCode, DistrictCode};
use domain::checklist::all_well;
use domain::ids::StaffId;
use domain::second_factor::Needs;
use domain::staff::{Role, Scope};
use http::{Method, StatusCode};
use platform::crypto::Purpose;
use platform::http::{Access, RouteRule};
use resident::generate::{self, People, Person};
use serde_json::{Value, json};
use stages::until;
use strum::VariantArray as _;
use tests::{Who, Whole};

/// 渝中区, where everything below belongs.
const OWN: &str = "500103";
/// 渝北区, which it does not concern.
const OTHER: &str = "500112";

/// Ten in the morning in Chongqing.
fn morning() -> DateTime<Utc> {
    "2026-03-02T02:00:00Z".parse().unwrap()
}

/// A small city.
fn people() -> People {
    People::new(3_800, 7)
}

/// The first resident of a district.
fn somebody_in(district: &str) -> Person {
    let people = people();
    let district: DistrictCode = district.parse().unwrap();
    people.of_district(district).find_map(|no| people.person(no)).unwrap()
}

/// Where they live.
fn community_of(district: &str) -> CommunityCode {
    somebody_in(district).community
}

/// The route with something in the place of its parameters that reads like one.
fn filled(rule: &RouteRule) -> String {
    let example = |name: &str| match name {
        "code" => OWN.to_owned(),
        "number" => "261128-4071-3392-1".to_owned(),
        "endpoint_id" | "resident_no" => "1".to_owned(),
        _ if rule.path.contains("follow-ups") => "1".to_owned(),
        _ => uuid::Uuid::from_u128(7).to_string(),
    };
    let fill = |part: &str| match part.strip_prefix('{').and_then(|part| part.strip_suffix('}')) {
        Some(name) => example(name),
        None => part.to_owned(),
    };
    rule.path.split('/').map(fill).collect::<Vec<_>>().join("/")
}

#[tokio::test]
async fn without_a_session_only_public_routes_answer() {
    let whole = Whole::start(morning()).await;
    let public: BTreeSet<&str> = whole.table.iter().filter(|rule| rule.access == Access::Public).map(|rule| rule.path.as_str()).collect();
    let expected = [
        "/healthz",
        "/readyz",
        "/metrics",
        "/openapi.json",
        "/api/v1/session",
        "/api/v1/session/activation",
        "/api/v1/session/directory",
        "/api/v1/session/directory/begin",
        "/api/v1/session/directory/return",
        "/api/v1/session/passkey",
        "/api/v1/session/passkey/challenge",
        "/api/v1/registration",
        "/api/v1/registration/code",
        "/api/v1/consent/notice",
        "/api/v1/web-push/key",
        "/api/v1/cases",
        "/api/v1/cases/{number}/state",
        "/api/v1/cases/{number}/steps",
    ];
    assert_eq!(public, expected.into(), "whoever opens a route to everybody says so here");
    for rule in &whole.table {
        let (status, code) = whole.verdict(None, &rule.method, &filled(rule)).await;
        let refused = status == StatusCode::UNAUTHORIZED;
        assert_eq!(refused, rule.access != Access::Public, "{} {}: {status} {code}", rule.method, rule.path);
    }
    whole.end().await;
}

#[tokio::test]
async fn every_route_refuses_every_kind_of_caller_that_its_rule_does_not_name() {
    let whole = Whole::start(morning()).await;
    let everybody = Who::everybody(OWN, &community_of(OWN).to_string());
    for rule in whole.table.iter().filter(|rule| rule.access != Access::Public) {
        for who in &everybody {
            let (status, code) = whole.verdict(Some(*who), &rule.method, &filled(rule)).await;
            let told = (status, code.as_str());
            let context = format!("{} {} by {who:?}: {told:?}", rule.method, rule.path);
            // the answer to HEAD has no body that could say why
            let says =
                if matches!(who, Who::Unproved(..)) { &["second_factor_needed"][..] } else { &["role_not_allowed", "caller_not_allowed"] };
            let says_so = says.contains(&code.as_str()) || rule.method == Method::HEAD;
            let of_the_role = status == StatusCode::FORBIDDEN && says_so;
            assert_eq!(of_the_role, !rule.access.admits(&who.caller()), "{context}");
            // who stands in for staff here has no session that could end
            assert!(status != StatusCode::UNAUTHORIZED || code == "session_over", "{context}");
            assert!(status != StatusCode::INTERNAL_SERVER_ERROR, "{context}");
        }
    }
    whole.end().await;
}

#[tokio::test]
async fn a_session_without_its_second_factor_reaches_what_proves_or_ends_it_and_nothing_else() {
    let whole = Whole::start(morning()).await;
    let open: BTreeSet<String> = whole
        .table
        .iter()
        .filter(|rule| rule.access == Access::SessionOwner)
        .map(|rule| format!("{} {}", rule.method, rule.path))
        .collect();
    let expected = [
        "GET /api/v1/session",
        "DELETE /api/v1/session",
        "POST /api/v1/session/proof",
        "POST /api/v1/session/factors",
        "POST /api/v1/session/factors/totp/offer",
        "POST /api/v1/session/factors/passkey/offer",
    ];
    assert_eq!(open, expected.map(str::to_owned).into(), "whoever opens a route to a password alone says so here");
    for needs in [Needs::Proof, Needs::Enrolment, Needs::Reset] {
        for &role in Role::VARIANTS {
            for rule in whole.table.iter().filter(|rule| ![Access::SessionOwner, Access::Public].contains(&rule.access)) {
                let (status, code) = whole.verdict(Some(Who::Unproved(role, needs)), &rule.method, &filled(rule)).await;
                let refused = code == "second_factor_needed" || rule.method == Method::HEAD;
                assert!(status == StatusCode::FORBIDDEN && refused, "{} {} as {role}: {status} {code}", rule.method, rule.path);
            }
        }
    }
    // who has a factor enrols no other one with the password alone
    for path in ["/api/v1/session/factors/totp/offer", "/api/v1/session/factors/passkey/offer"] {
        let who = Who::Unproved(Role::Administrator, Needs::Proof);
        let (_, code) = whole.verdict(Some(who), &Method::POST, path).await;
        assert_eq!(code, "second_factor_needed", "{path}");
    }
    whole.end().await;
}

#[tokio::test]
async fn the_description_of_the_interface_is_whole() {
    let whole = Whole::start(morning()).await;
    assert_eq!(whole.description_faults, Vec::<String>::new());
    let (status, document) = whole.ask(None, &Method::GET, "/openapi.json", &Value::Null).await;
    assert_eq!(status, StatusCode::OK);
    assert!(document["openapi"].as_str().is_some_and(|version| version.starts_with("3.1.")), "{}", document["openapi"]);
    assert!(document["info"]["title"].is_string() && document["info"]["version"].is_string());
    let mut described = 0;
    for rule in &whole.table {
        let operation = &document["paths"][&rule.path][rule.method.as_str().to_lowercase()];
        assert!(operation["responses"].is_object(), "{} {} is not described", rule.method, rule.path);
        let parameters: BTreeSet<&str> = operation["parameters"]
            .as_array()
            .into_iter()
            .flatten()
            .filter(|parameter| parameter["in"] == "path")
            .filter_map(|parameter| parameter["name"].as_str())
            .collect();
        let in_the_path = rule.path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}')).collect();
        assert_eq!(parameters, in_the_path, "{} {}", rule.method, rule.path);
        let protected = operation["security"].as_array().is_some_and(|schemes| !schemes.is_empty());
        assert_eq!(protected, rule.access != Access::Public, "{} {}", rule.method, rule.path);
        described += 1;
    }
    let paths = document["paths"].as_object().unwrap().values();
    let operations = paths
        .flat_map(|item| item.as_object().unwrap().keys())
        .filter(|key| !["summary", "description", "parameters"].contains(&key.as_str()));
    assert_eq!(described, operations.count(), "what is described exists");
    whole.end().await;
}

fn staff(role: Role, district: &str, number: u128) -> Who {
    let scope = match role {
        Role::CommunityWorker => format!("community:{}", community_of(district)),
        Role::CityCommandOfficer => "city".to_owned(),
        _ => format!("district:{district}"),
    };
    Who::Staff(role, scope.parse::<Scope>().unwrap(), number)
}

fn content() -> Value {
    let chinese = json!({ "headline": "请勿饮用自来水", "body": "主供水管受污染，正在抢修。", "instruction": "请饮用瓶装水。", "sms": "自来水受污染，请饮用瓶装水" });
    json!({
        "status": "actual", "msg_type": "alert", "category": "health", "urgency": "immediate", "severity": "severe", "certainty": "observed",
        "purpose": "防止饮用受污染的水", "texts": { "zh-CN": chinese }, "contact": "12320", "expires_at": "2026-03-02T12:00:00Z", "ack_window_s": 3600,
    })
}

fn audience() -> Value {
    json!({ "query": { "include": [{ "areas": [OWN] }] } })
}

fn draft() -> Value {
    json!({ "district": OWN, "content": content(), "audience": audience() })
}

fn record() -> Value {
    json!([{
        "source_id": "report-1", "kind": "community_report", "occurred_at": morning(), "level": "high", "district": OWN,
        "subject": { "place": community_of(OWN).to_string() },
    }])
}

/// What belongs to the district: a draft, an alert that was approved, one that a rule gathers, somebody to visit, what a resident said, a
/// load of records, a resident.
struct Belongings {
    draft: String,
    alert: String,
    gathered: String,
    follow_up: i64,
    feedback: i64,
    objection: i64,
    standing: i64,
    load: String,
    resident_no: u32,
}

impl Belongings {
    async fn of_the_district(whole: &Whole) -> Self {
        let platform = &whole.platform;
        generate::write(&people(), &platform.database, &platform.keyring, morning(), |_| ()).await.unwrap();
        let author = staff(Role::SubmittingUnit, OWN, 10);
        let alert = Self::written(whole, author).await;
        for (who, action) in [
            (author, "submit"),
            (staff(Role::DistrictReviewer, OWN, 11), "pass_district"),
            (staff(Role::CityCommandOfficer, OWN, 12), "approve"),
        ] {
            let (_, seen) = whole.ask(Some(who), &Method::GET, &format!("/api/v1/alerts/{alert}"), &Value::Null).await;
            let body = json!({ "version": seen["version"], "action": action, "answers": all_well(&seen, action) });
            let (status, answer) = whole.ask(Some(who), &Method::POST, &format!("/api/v1/alerts/{alert}/decisions"), &body).await;
            assert_eq!(status, StatusCode::OK, "{action}: {answer}");
        }
        let (officer, delivery) = (staff(Role::CityCommandOfficer, OWN, 12), format!("/api/v1/alerts/{alert}/delivery"));
        until("dispatch knows the alert", async || {
            let (status, delivery) = whole.ask(Some(officer), &Method::GET, &delivery, &Value::Null).await;
            status == StatusCode::OK && delivery["state"] != "planning"
        })
        .await;

        let community = community_of(OWN);
        let resident_no = somebody_in(OWN).resident_no;
        let follow_up = sqlx::query_scalar!(
            "insert into dispatch.follow_up (alert_id, resident_no, district, community, reason, opened_at) values ($1, $2, $3, $4, 'silent', $5)
             returning follow_up_id",
            alert.parse::<uuid::Uuid>().unwrap(),
            i64::from(resident_no),
            OWN.parse::<i32>().unwrap(),
            community.get().cast_signed(),
            morning()
        )
        .fetch_one(platform.database.pool())
        .await
        .unwrap();
        let feedback = sqlx::query_scalar!(
            "insert into resident.feedback (resident_no, alert_id, kind, text_sealed, district, community, at)
             values ($1, $2, 'question', $3, $4, $5, $6) returning feedback_id",
            resident_no.cast_signed(),
            alert.parse::<uuid::Uuid>().unwrap(),
            platform.keyring.seal(Purpose::Feedback, "何时解除？".as_bytes()).into_bytes(),
            OWN.parse::<i32>().unwrap(),
            community.get().cast_signed(),
            morning()
        )
        .fetch_one(platform.database.pool())
        .await
        .unwrap();
        let objection: i64 = sqlx::query_scalar(
            "insert into resident.binding (identity_hash, identity_kind, resident_no, proof, by, at, objected_at)
             values (sha256('a document'), 'identity_card', $1, 'in_person', $2, $3, $3) returning binding_id",
        )
        .bind(resident_no.cast_signed())
        .bind(uuid::Uuid::from_u128(1))
        .bind(morning())
        .fetch_one(platform.database.pool())
        .await
        .unwrap();
        let left = domain::shipped::SHIPPED[1].standing.as_ref().unwrap();
        sqlx::query(
            "insert into resident.standing_terms (alert_id, sent_by, terms, purposes, contact, alert_ends) values ($1, $2, $3, '{}', '12320', $4)",
        )
        .bind(alert.parse::<uuid::Uuid>().unwrap())
        .bind(OWN.parse::<i32>().unwrap())
        .bind(serde_json::to_value(left).unwrap())
        .bind(morning() + chrono::TimeDelta::days(7))
        .execute(platform.database.pool())
        .await
        .unwrap();
        let standing: i64 = sqlx::query_scalar(
            "insert into resident.standing (resident_no, named_no, alert_id, reason, district, community, opened_at, ends_at)
             values ($1, $1, $2, 'secondary_contact', $3, $4, $5, $6) returning standing_id",
        )
        .bind(resident_no.cast_signed())
        .bind(alert.parse::<uuid::Uuid>().unwrap())
        .bind(OWN.parse::<i32>().unwrap())
        .bind(community.get().cast_signed())
        .bind(morning())
        .bind(morning() + chrono::TimeDelta::days(7))
        .fetch_one(platform.database.pool())
        .await
        .unwrap();
        rules::install_shipped(platform, StaffId::from_uuid(uuid::Uuid::from_u128(13))).await.unwrap();
        let reviewer = staff(Role::DistrictReviewer, OWN, 1);
        let (status, report) = whole.ask(Some(reviewer), &Method::POST, "/api/v1/records", &record()).await;
        assert_eq!((status, &report["accepted"]), (StatusCode::OK, &json!(1)), "{report}");
        let mut gathered = String::new();
        until("a rule gathers a draft", async || {
            let (_, drafts) = whole.ask(Some(reviewer), &Method::GET, "/api/v1/rules/drafts", &Value::Null).await;
            gathered = drafts[0]["draft_id"].as_str().unwrap_or_default().to_owned();
            !gathered.is_empty()
        })
        .await;
        let load = report["load_id"].as_str().unwrap().to_owned();
        Self { draft: Self::written(whole, author).await, alert, gathered, follow_up, feedback, objection, standing, load, resident_no }
    }

    async fn written(whole: &Whole, author: Who) -> String {
        let (status, written) = whole.ask(Some(author), &Method::POST, "/api/v1/alerts", &draft()).await;
        assert_eq!(status, StatusCode::CREATED, "{written}");
        written["alert_id"].as_str().unwrap().to_owned()
    }
}

/// Routes that reach one thing of a district: how they are asked about it, with a body that goes through for its own people or
/// fails for another reason than whose it is.
fn about_one_thing(own: &Belongings) -> Vec<(&'static str, String, Value)> {
    let Belongings { draft: drafted, alert, gathered, follow_up, feedback, objection, standing, load, resident_no } = own;
    let looked_at_long_ago = 999;
    vec![
        ("POST /api/v1/alerts", "/api/v1/alerts".into(), draft()),
        ("GET /api/v1/alerts/{alert_id}", format!("/api/v1/alerts/{alert}"), Value::Null),
        (
            "PUT /api/v1/alerts/{alert_id}",
            format!("/api/v1/alerts/{drafted}"),
            json!({ "version": looked_at_long_ago, "content": content(), "audience": audience() }),
        ),
        (
            "POST /api/v1/alerts/{alert_id}/decisions",
            format!("/api/v1/alerts/{drafted}/decisions"),
            json!({ "version": looked_at_long_ago, "action": "submit" }),
        ),
        ("PUT /api/v1/alerts/{alert_id}/claim", format!("/api/v1/alerts/{drafted}/claim"), json!({ "take_over": false })),
        ("DELETE /api/v1/alerts/{alert_id}/claim", format!("/api/v1/alerts/{drafted}/claim"), Value::Null),
        ("POST /api/v1/alerts/{alert_id}/look", format!("/api/v1/alerts/{drafted}/look"), json!({ "version": looked_at_long_ago })),
        ("PUT /api/v1/alerts/{alert_id}/presence", format!("/api/v1/alerts/{drafted}/presence"), json!({ "editing": false })),
        ("DELETE /api/v1/alerts/{alert_id}/presence", format!("/api/v1/alerts/{drafted}/presence"), Value::Null),
        ("GET /api/v1/alerts/{alert_id}/comments", format!("/api/v1/alerts/{drafted}/comments"), Value::Null),
        (
            "POST /api/v1/alerts/{alert_id}/comments",
            format!("/api/v1/alerts/{drafted}/comments"),
            json!({ "version": 1, "text": "请补充地点" }),
        ),
        (
            "PUT /api/v1/alerts/{alert_id}/comments/{comment_id}/resolved",
            format!("/api/v1/alerts/{drafted}/comments/{}/resolved", uuid::Uuid::nil()),
            json!({ "resolved": true }),
        ),
        (
            "POST /api/v1/alerts/{alert_id}/ended-records",
            format!("/api/v1/alerts/{alert}/ended-records"),
            json!({ "version": looked_at_long_ago, "records": [1], "remedy": "stand", "reason": "已电话告知" }),
        ),
        ("POST /api/v1/alerts/{alert_id}/correction", format!("/api/v1/alerts/{alert}/correction"), json!({ "reason": "地点有误" })),
        ("GET /api/v1/alerts/{alert_id}/retraction", format!("/api/v1/alerts/{alert}/retraction"), Value::Null),
        (
            "POST /api/v1/alerts/{alert_id}/retraction",
            format!("/api/v1/alerts/{alert}/retraction"),
            json!({ "kind": "withdraw", "reason": "误发" }),
        ),
        (
            "POST /api/v1/alerts/{alert_id}/retraction/decisions",
            format!("/api/v1/alerts/{alert}/retraction/decisions"),
            json!({ "retraction_id": uuid::Uuid::nil(), "step": "refuse", "reason": "内容属实" }),
        ),
        ("POST /api/v1/alerts/conflicts", "/api/v1/alerts/conflicts".into(), draft()),
        ("GET /api/v1/alerts/{alert_id}/conflicts", format!("/api/v1/alerts/{alert}/conflicts"), Value::Null),
        ("GET /api/v1/alerts/{alert_id}/story", format!("/api/v1/alerts/{alert}/story"), Value::Null),
        ("GET /api/v1/alerts/{alert_id}/playbook", format!("/api/v1/alerts/{alert}/playbook"), Value::Null),
        ("GET /api/v1/alerts/{id}/delivery", format!("/api/v1/alerts/{alert}/delivery"), Value::Null),
        ("GET /api/v1/alerts/{id}/delivery/events", format!("/api/v1/alerts/{alert}/delivery/events"), Value::Null),
        ("GET /api/v1/alerts/{id}/delivery/series", format!("/api/v1/alerts/{alert}/delivery/series"), Value::Null),
        ("GET /api/v1/alerts/{id}/audience", format!("/api/v1/alerts/{drafted}/audience"), Value::Null),
        ("GET /api/v1/alerts/{alert_id}/records", format!("/api/v1/alerts/{gathered}/records"), Value::Null),
        ("POST /api/v1/feedback/{id}/answer", format!("/api/v1/feedback/{feedback}/answer"), json!({ "answer": "明早八点" })),
        ("GET /api/v1/alerts/{id}/forecast", format!("/api/v1/alerts/{alert}/forecast"), Value::Null),
        ("GET /api/v1/alerts/{id}/sms", format!("/api/v1/alerts/{alert}/sms"), Value::Null),
        ("POST /api/v1/audience/size", "/api/v1/audience/size".into(), json!({ "include": [{ "areas": [OWN] }] })),
        ("POST /api/v1/forecast", "/api/v1/forecast".into(), json!({ "class": "urgent", "audience": audience() })),
        ("PUT /api/v1/districts/{code}/facts", format!("/api/v1/districts/{OWN}/facts"), json!({ "facts": {} })),
        (
            "POST /api/v1/residents/{resident_no}/contact",
            format!("/api/v1/residents/{resident_no}/contact"),
            json!({ "reason": "上门随访联系" }),
        ),
        (
            "POST /api/v1/residents/{resident_no}/identity-check",
            format!("/api/v1/residents/{resident_no}/identity-check"),
            json!({ "identity_number": "11010519491231002X" }),
        ),
        (
            "POST /api/v1/residents/{resident_no}/number-check",
            format!("/api/v1/residents/{resident_no}/number-check"),
            json!({ "kind": "identity_card" }),
        ),
        ("POST /api/v1/identity-objections/{id}/settled", format!("/api/v1/identity-objections/{objection}/settled"), Value::Null),
        ("POST /api/v1/standings/{standing_id}/lift", format!("/api/v1/standings/{standing}/lift"), json!({ "reason": "流调核实无接触" })),
        ("GET /api/v1/loads/{id}", format!("/api/v1/loads/{load}"), Value::Null),
        ("GET /api/v1/loads/{id}/refused", format!("/api/v1/loads/{load}/refused"), Value::Null),
        ("POST /api/v1/loads/{id}/release", format!("/api/v1/loads/{load}/release"), Value::Null),
        ("POST /api/v1/loads/{id}/discard", format!("/api/v1/loads/{load}/discard"), json!({ "reason": "误报" })),
        ("POST /api/v1/follow-ups/{id}/outcome", format!("/api/v1/follow-ups/{follow_up}/outcome"), json!({ "outcome": "informed" })),
    ]
}

/// Lists and deliveries of records: they answer everybody of the role, with the caller's own part.
const ONLY_THE_OWN_PART: &[&str] = &[
    "GET /api/v1/alerts",
    "GET /api/v1/alerts/export",
    "GET /api/v1/alerts/overview",
    "POST /api/v1/alerts/decisions",
    "GET /api/v1/alerts/search",
    "GET /api/v1/deliveries",
    "GET /api/v1/deliveries/export",
    "GET /api/v1/events",
    "GET /api/v1/feedback",
    "GET /api/v1/feedback/summary",
    "GET /api/v1/alerts/{id}/screens",
    "GET /api/v1/ended-records",
    "GET /api/v1/follow-ups",
    "GET /api/v1/follow-ups/export",
    "GET /api/v1/identity-objections",
    "GET /api/v1/loads",
    "DELETE /api/v1/uploads/{id}",
    "GET /api/v1/records",
    "GET /api/v1/records/search",
    "HEAD /api/v1/uploads/{id}",
    "PATCH /api/v1/uploads/{id}",
    "GET /api/v1/rules/drafts",
    "GET /api/v1/screens",
    "GET /api/v1/standings",
    "GET /api/v1/standings/summary",
    "GET /api/v1/waiting-loads",
    "POST /api/v1/records",
    "POST /api/v1/records/preview",
    "POST /api/v1/records/stream",
    "POST /api/v1/records/upload",
    "POST /api/v1/casework/cases",
    "POST /api/v1/uploads",
];

/// What is the same for the whole city.
const THE_SAME_FOR_ALL: &[&str] = &[
    "GET /api/v1/colleagues",
    "DELETE /api/v1/session",
    "DELETE /api/v1/session/devices",
    "DELETE /api/v1/session/factors/{id}",
    "DELETE /api/v1/session/others",
    "GET /api/v1/session/factors",
    "PATCH /api/v1/session/factors/{id}",
    "POST /api/v1/session/factors",
    "POST /api/v1/session/factors/passkey/offer",
    "POST /api/v1/session/factors/totp/offer",
    "POST /api/v1/session/proof",
    "POST /api/v1/session/recovery-codes",
    "GET /api/v1/districts/{code}/facts",
    "GET /api/v1/limits",
    "GET /api/v1/records/template",
    "GET /api/v1/rules",
    "GET /api/v1/rules/{id}/versions",
    "GET /api/v1/session",
    "GET /api/v1/session/acts",
    "GET /api/v1/session/own",
    "DELETE /api/v1/session/own/{id}",
    "POST /api/v1/session/password",
];

/// The roles that belong to one district or community.
const LOCAL: [Role; 3] = [Role::DistrictReviewer, Role::SubmittingUnit, Role::CommunityWorker];

#[tokio::test]
async fn the_right_role_of_a_wrong_district_is_refused() {
    let whole = Whole::start(morning()).await;
    let own = Belongings::of_the_district(&whole).await;
    let one_thing = about_one_thing(&own);

    // a new route that local roles may call has to be put into one of the three lists
    let name = |rule: &RouteRule| format!("{} {}", rule.method, rule.path);
    let local = whole.table.iter().filter(|rule| LOCAL.iter().any(|role| rule.access.roles().contains(role)));
    let local: BTreeSet<String> = local.map(name).collect();
    let listed = one_thing.iter().map(|(name, ..)| *name).chain(ONLY_THE_OWN_PART.iter().copied()).chain(THE_SAME_FOR_ALL.iter().copied());
    assert_eq!(listed.map(str::to_owned).collect::<BTreeSet<_>>(), local);

    for (route, path, body) in &one_thing {
        let rule = whole.table.iter().find(|rule| name(rule) == *route).unwrap();
        for role in LOCAL.into_iter().filter(|role| rule.access.roles().contains(role)) {
            let (status, code) = whole.verdict_on(Some(staff(role, OTHER, 2)), &rule.method, path, body).await;
            let refused = [StatusCode::FORBIDDEN, StatusCode::NOT_FOUND].contains(&status);
            assert!(refused, "{route} by a {role} of another district: {status} {code}");
        }
        // the same request is none of those when it comes from the district itself, so it was the district that decided
        let served = LOCAL.into_iter().filter(|role| rule.access.roles().contains(role));
        for role in served.filter(|role| !(route.contains("/loads/") && *role != Role::DistrictReviewer)) {
            let (status, code) = whole.verdict_on(Some(staff(role, OWN, 1)), &rule.method, path, body).await;
            let refused = [StatusCode::FORBIDDEN, StatusCode::NOT_FOUND].contains(&status);
            assert!(!refused, "{route} by a {role} of the district: {status} {code}");
        }
    }
    whole.end().await;
}

#[tokio::test]
async fn lists_hold_nothing_of_another_district() {
    let whole = Whole::start(morning()).await;
    Belongings::of_the_district(&whole).await;
    let screen = json!({ "name": "大厅屏", "place": "解放碑", "area": OWN, "form": "full" });
    let (status, _) = whole.ask(Some(staff(Role::CityCommandOfficer, OWN, 1)), &Method::POST, "/api/v1/screens", &screen).await;
    assert_eq!(status, StatusCode::CREATED);
    for list in ["/api/v1/alerts", "/api/v1/feedback", "/api/v1/follow-ups", "/api/v1/loads", "/api/v1/rules/drafts", "/api/v1/screens"] {
        let rows = async |who| {
            let (status, rows) = whole.ask(Some(who), &Method::GET, list, &Value::Null).await;
            assert_eq!(status, StatusCode::OK, "{list}: {rows}");
            rows.as_array().expect("a list").len()
        };
        assert!(rows(staff(Role::DistrictReviewer, OWN, 1)).await > 0, "{list} of the district");
        assert_eq!(rows(staff(Role::DistrictReviewer, OTHER, 2)).await, 0, "{list} of another district");
        assert_eq!(rows(staff(Role::CommunityWorker, OTHER, 3)).await, 0, "{list} of a community elsewhere");
        if list != "/api/v1/loads" {
            assert!(rows(staff(Role::CityCommandOfficer, OTHER, 4)).await > 0, "{list} of the city");
        }
    }

    // a record for another district is refused as a row, whoever sends it
    for role in LOCAL {
        let (status, report) = whole.ask(Some(staff(role, OTHER, 2)), &Method::POST, "/api/v1/records", &record()).await;
        assert_eq!((status, &report["accepted"], &report["refused"]), (StatusCode::OK, &json!(0), &json!(1)), "{role}: {report}");
    }
    whole.end().await;
}
