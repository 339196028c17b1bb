//! Every service as a process of its own, on PostgreSQL, RabbitMQ and Redis: the main job from a risk record to an
//! acknowledged alert, through HTTP, APNs, FCM, SMPP and a screen, also when processes are killed while they send.

use chrono::TimeDelta;
use domain::area::DistrictCode;
use domain::risk_record::RecordKind;
use domain::shipped::SHIPPED;
use futures::stream::{self, StreamExt as _};
use platform::clock::Clock;
use reqwest::{Method, StatusCode};
use resident::generate::{Device, Person};
use serde_json::{Value, json};
use simulators::{FaultPlan, Provider};
use stages::{TwoAdministrators, eventually};

use crate::processes::{City, in_a_city, text};

/// Every service a process.
pub const EACH_ALONE: [&str; 11] =
    ["identity", "audit", "resident", "ingest", "rules", "review", "dispatch", "push", "sms", "display", "casework"];

/// Where the record is handled: 渝中区.
pub const CENTRE: u32 = 500_103;
/// Where the urgent alert goes: 渝北区.
const NORTH: u32 = 500_112;

/// An alert about a water main, as staff write it.
fn water(display: bool) -> Value {
    let chinese = json!({ "headline": "请勿饮用自来水", "body": "主供水管受污染，正在抢修。", "instruction": "请饮用瓶装水。", "sms": "自来水受污染，请饮用瓶装水" });
    json!({
        "status": "actual", "msg_type": "alert", "category": "health", "urgency": "immediate", "severity": "severe", "certainty": "observed",
        "purpose": "防止饮用受污染的水", "texts": { "zh-CN": chinese }, "contact": "12320",
        "expires_at": Clock::real().now() + TimeDelta::hours(6), "ack_window_s": 3600, "display": display,
    })
}

/// Composes an urgent alert to an area and has a second officer confirm it. Returns its id and short code.
async fn urgent(city: &City, officers: [&str; 2], area: &str) -> (String, String) {
    let draft = json!({ "content": water(true), "audience": { "query": { "include": [{ "areas": [area] }] } } });
    let written = city.post("review", "alerts", officers[0], draft).await;
    let alert = text(&written["alert_id"]).to_owned();
    let composed = city.decide(officers[0], &alert, "compose_urgent").await;
    let own = json!({ "version": composed["version"], "action": "confirm" });
    let (refused, _) = city.ask("review", Method::POST, &format!("alerts/{alert}/decisions"), officers[0], own).await;
    assert!(refused.is_client_error(), "nobody confirms their own alert: {refused}");
    let confirmed = city.decide(officers[1], &alert, "confirm").await;
    assert_eq!((&confirmed["state"], &confirmed["class"]), (&json!("approved"), &json!("urgent")));
    (alert, text(&written["short_code"]).to_owned())
}

/// The delivery of an alert, once everybody is done with.
async fn handed_over(city: &City, officer: &str, alert: &str) -> Value {
    eventually("everybody is handed over", async || {
        let (status, delivery) = city.ask("dispatch", Method::GET, &format!("alerts/{alert}/delivery"), officer, Value::Null).await;
        (status.is_success() && !delivery["handed_over_at"].is_null()).then_some(delivery)
    })
    .await
}

fn accepted(delivery: &Value) -> u64 {
    let channels = delivery["waves"].as_array().into_iter().flatten().flat_map(|wave| wave["channels"].as_array().into_iter().flatten());
    channels.filter_map(|channel| channel["accepted"].as_u64()).sum()
}

/// The item of an alert in a resident's inbox, once it is there and `wanted`.
async fn in_the_inbox(city: &City, token: &str, alert: &str, wanted: impl Fn(&Value) -> bool) -> Value {
    eventually("the alert is in the inbox", async || {
        let inbox = city.get("resident", "me/inbox", token).await;
        inbox.as_array()?.iter().find(|item| item["alert_id"] == *alert && wanted(item)).cloned()
    })
    .await
}

/// The shipped rule for close contacts, drafting after a second.
fn rule_for_close_contacts() -> Value {
    let shipped = SHIPPED.iter().find(|rule| rule.kinds.contains(&RecordKind::CloseContact)).expect("there is one");
    let mut rule = serde_json::to_value(shipped).unwrap();
    let fields = rule.as_object_mut().unwrap();
    fields.remove("rule_id");
    fields.remove("version");
    fields.insert("gather_window_s".to_owned(), json!(1));
    rule
}

/// From the record to three different people's approval and the one phone it is for. Returns the alert's id.
pub async fn a_record_becomes_an_alert(city: &City, administrators: &TwoAdministrators, officers: [&str; 2], contact: &Person) -> String {
    let author = city.staff(administrators, "command.rules", "city_command_officer", "city").await;
    let reviewer = city.staff(administrators, "review.centre", "district_reviewer", &format!("district:{CENTRE}")).await;
    let key = json!({
        "unit": "市疾控中心", "origin": "surveillance", "area": "city", "kinds": ["close_contact"],
        "expires_at": Clock::real().now() + TimeDelta::days(1),
    });
    let key = administrators.key(city, key).await;
    let facts = json!({ "facts": { "isolation_site": "区集中隔离点", "test_site": "区人民医院", "risk_area": "风险地区" } });
    city.call("rules", Method::PUT, &format!("districts/{CENTRE}/facts"), &author, facts).await;
    let saved = city.post("rules", "rules", &author, rule_for_close_contacts()).await;
    let activation = format!("rules/{}/activation", text(&saved["rule_id"]));
    city.post("rules", &activation, &author, json!({ "version": saved["version"] })).await;

    let record = json!([{
        "source_id": "contact-1", "kind": "close_contact", "occurred_at": Clock::real().now(), "level": "high",
        "subject": { "phone": contact.phone }, "district": CENTRE.to_string(),
    }]);
    let report = city.post("ingest", "records", &key, record.clone()).await;
    assert_eq!((&report["accepted"], &report["refused"]), (&json!(1), &json!(0)), "{report}");
    let again = city.post("ingest", "records", &key, record).await;
    assert_eq!((&again["accepted"], &again["repeated"]), (&json!(0), &json!(1)), "{again}");

    let line = eventually("the rule's draft waits for the district", async || {
        let waiting = city.get("review", "alerts?state=district_review", &reviewer).await;
        waiting.as_array()?.first().cloned()
    })
    .await;
    let (alert, code) = (text(&line["alert_id"]), text(&line["short_code"]));
    city.decide(&reviewer, alert, "pass_district").await;
    city.decide(officers[0], alert, "approve").await;

    let delivery = handed_over(city, officers[1], alert).await;
    assert_eq!((accepted(&delivery), &delivery["on_time"], &delivery["class"]), (1, &json!(true), &json!("routine")));
    assert_eq!(city.times(contact, alert, code), 1);
    let others = (1..=city.people.count()).filter(|no| *no != contact.resident_no).filter_map(|no| city.people.person(no));
    assert!(others.into_iter().all(|other| city.times(&other, alert, code) == 0), "nobody else heard of it");
    alert.to_owned()
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL, RabbitMQ and Redis: make test"]
async fn ten_processes_bring_a_record_and_an_urgent_alert_to_every_recipient_exactly_once() {
    in_a_city(&EACH_ALONE, async |city| {
        let administrators = city.administrators().await;
        let officers = [
            city.staff(&administrators, "command.one", "city_command_officer", "city").await,
            city.staff(&administrators, "command.two", "city_command_officer", "city").await,
        ];
        let officers = [officers[0].as_str(), officers[1].as_str()];
        let screen = json!({ "name": "大厅屏", "place": "火车北站", "area": NORTH.to_string(), "form": "full" });
        let screen = city.post("display", "screens", officers[0], screen).await;
        let of_district = |code| city.people.of_district(DistrictCode::try_from(code).unwrap());
        let audience: Vec<Person> = of_district(NORTH).filter_map(|no| city.people.person(no)).collect();
        let contact = of_district(CENTRE).filter_map(|no| city.people.person(no)).find(|person| person.device.is_some()).unwrap();

        a_record_becomes_an_alert(city, &administrators, officers, &contact).await;

        let (alert, code) = urgent(city, officers, &NORTH.to_string()).await;
        let delivery = handed_over(city, officers[0], &alert).await;
        assert_eq!((accepted(&delivery), &delivery["on_time"]), (audience.len() as u64, &json!(true)), "{delivery}");
        for person in &audience {
            assert_eq!(city.times(person, &alert, &code), 1, "resident {}", person.resident_no);
        }
        let statistics = city.simulators.statistics();
        assert!(statistics.apns.recipients > 0 && statistics.fcm.recipients > 0 && statistics.sms.recipients > 0);
        let reached = statistics.apns.recipients + statistics.fcm.recipients + statistics.sms.recipients;
        assert_eq!(reached, audience.len() as u64 + 1, "nobody outside the audiences");
        assert_eq!((statistics.apns.duplicates, statistics.fcm.duplicates, statistics.sms.duplicates), (0, 0, 0));

        let playlist = eventually("the screen has the alert on its list", async || {
            let playlist = city.get("display", "screen/playlist", text(&screen["key"])).await;
            playlist["items"].as_array()?.iter().find(|item| item["alert_id"] == *alert).cloned()
        })
        .await;
        assert_eq!((&playlist["urgent"], &playlist["texts"][0]["headline"]), (&json!(true), &json!("请勿饮用自来水")));

        let with_app = audience.iter().find(|person| matches!(person.device, Some(Device::Apns(_)))).unwrap();
        let app = city.register(with_app).await;
        let item = in_the_inbox(city, &app, &alert, |_| true).await;
        assert!(item["acknowledged_at"].is_null());
        city.post("resident", &format!("me/alerts/{alert}/acknowledgement"), &app, Value::Null).await;
        in_the_inbox(city, &app, &alert, |item| !item["acknowledged_at"].is_null()).await;

        let by_sms = audience.iter().find(|person| person.device.is_none()).unwrap();
        city.simulators.reply(&by_sms.phone, &format!("1 {code}"));
        let app = city.register(by_sms).await;
        in_the_inbox(city, &app, &alert, |item| !item["acknowledged_at"].is_null()).await;

        let auditor = city.staff(&administrators, "auditor", "auditor", "city").await;
        eventually("the trace names who confirmed", async || {
            let trace = city.get("audit", "audit/entries?limit=500", &auditor).await;
            trace["entries"]
                .as_array()?
                .iter()
                .find(|entry| entry["object"] == *alert && text(&entry["action"]).contains("confirm"))
                .cloned()
        })
        .await;

        // a session that ends at one process has ended at all of them
        let seen = async || city.ask("review", Method::GET, &format!("alerts/{alert}"), officers[0], Value::Null).await.0;
        assert_eq!(seen().await, StatusCode::OK);
        city.call("identity", Method::DELETE, "session", officers[0], Value::Null).await;
        assert_eq!(seen().await, StatusCode::UNAUTHORIZED);
    })
    .await;
}

/// The push providers take so long for each message.
fn answer_after(city: &City, latency_ms: u64) {
    for provider in [Provider::Apns, Provider::Fcm] {
        city.simulators.set_faults(provider, FaultPlan { latency_ms, ..FaultPlan::default() });
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL, RabbitMQ and Redis: make test"]
async fn everybody_is_reached_when_dispatch_and_push_are_killed_while_sending() {
    let groups = ["identity audit resident ingest rules review display casework", "dispatch", "push", "sms"];
    in_a_city(&groups, async |city| {
        let administrators = city.administrators().await;
        let officers = [
            city.staff(&administrators, "command.one", "city_command_officer", "city").await,
            city.staff(&administrators, "command.two", "city_command_officer", "city").await,
        ];
        // slow enough that there is a middle to be killed in, which nobody can miss
        answer_after(city, 100);
        let (alert, code) = urgent(city, [&officers[0], &officers[1]], "city").await;
        let pushed = |city: &City| {
            let statistics = city.simulators.statistics();
            statistics.apns.accepted + statistics.fcm.accepted
        };
        eventually("sending is in full swing", async || (pushed(city) >= 300).then_some(())).await;
        city.kill("push");
        city.kill("dispatch");
        let everybody: Vec<Person> = (1..=city.people.count()).filter_map(|no| city.people.person(no)).collect();
        let with_app = everybody.iter().filter(|person| person.device.is_some()).count() as u64;
        assert!(pushed(city) < with_app, "there was something left to send");
        answer_after(city, 0);
        city.begin("dispatch");
        city.begin("push");

        let delivery = handed_over(city, &officers[0], &alert).await;
        assert_eq!(accepted(&delivery), everybody.len() as u64, "{delivery}");
        let missed: Vec<u32> = everybody.iter().filter(|p| city.times(p, &alert, &code) == 0).map(|p| p.resident_no).collect();
        assert!(missed.is_empty(), "not reached: {missed:?}");

        let statistics = city.simulators.statistics();
        assert_eq!((statistics.apns.repeats, statistics.fcm.repeats, statistics.sms.repeats), (0, 0, 0), "another collapse id shows twice");
        assert_eq!(statistics.sms.duplicates, 0, "the process for SMS was not killed");
        // four batches in hand, each with what it sent since its last checkpoint and what was on its way
        let duplicates = statistics.apns.duplicates + statistics.fcm.duplicates;
        assert!(duplicates <= 4 * (20 + 2 * 10), "{duplicates} were sent again");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL, RabbitMQ and Redis: make test"]
async fn an_acknowledgement_that_was_answered_is_there_although_the_process_was_killed_at_that_moment() {
    let groups = ["identity audit ingest rules review dispatch push sms display", "resident casework"];
    in_a_city(&groups, async |city| {
        let administrators = city.administrators().await;
        let officers = [
            city.staff(&administrators, "command.one", "city_command_officer", "city").await,
            city.staff(&administrators, "command.two", "city_command_officer", "city").await,
        ];
        let (alert, _) = urgent(city, [&officers[0], &officers[1]], &CENTRE.to_string()).await;
        handed_over(city, &officers[0], &alert).await;
        let people = city.people.of_district(DistrictCode::try_from(CENTRE).unwrap()).filter_map(|no| city.people.person(no)).take(24);
        let apps: Vec<String> = stream::iter(people).then(async |person| city.register(&person).await).collect().await;
        in_the_inbox(city, &apps[0], &alert, |_| true).await;

        let path = format!("me/alerts/{alert}/acknowledgement");
        // more than one tap each, so that something is under way whenever the process dies
        let taps = apps.iter().cycle().take(apps.len() * 20);
        let tapped = async |app: &String| (app.clone(), city.post("resident", &path, app, Value::Null).await["acknowledged_at"].clone());
        let answered: Vec<(String, Value)> = stream::iter(taps).map(tapped).buffered(8).take(apps.len() / 2).collect().await;
        city.kill(groups[1]);

        city.begin(groups[1]);
        city.is_ready(groups[1]).await;
        for (app, at) in &answered {
            let item = in_the_inbox(city, app, &alert, |_| true).await;
            assert!(!at.is_null() && item["acknowledged_at"] == *at, "{item} was answered with {at}");
            let again = city.post("resident", &path, app, Value::Null).await;
            assert_eq!(again["acknowledged_at"], *at, "a repeat hears of the first");
        }
        assert_eq!(answered.len(), apps.len() / 2);
    })
    .await;
}
