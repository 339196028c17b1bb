//! Nothing personal and no secret lies open anywhere: values are planted in everything that people and sources send, the main job runs in ten
//! processes that log all they can, and then every place is searched.

mod places;
mod ways;

use chrono::TimeDelta;
use platform::clock::Clock;
use reqwest::{Method, StatusCode};
use resident::generate::Person;
use serde_json::{Value, json};
use stages::{PASSWORD, eventually};

use crate::processes::{City, in_a_city_that_logs};
use crate::separate_processes::{CENTRE, EACH_ALONE, a_record_becomes_an_alert};
use places::Ears;

/// Names, numbers and words of nobody, as somebody would send them.
const NAME: &str = "欧阳探针";
const IDENTITY_NUMBER: &str = "50010319491231002X";
const PASSPORT: &str = "PLT7340921";
const WORDS: &str = "我妈在探针路七号楼发高烧";
const WORDS_BY_SMS: &str = "我家在探针巷十九号请来人";
const ANSWER: &str = "已联系探针路社区医生上门";
const IN_A_REFUSED_ROW: &str = "司徒探针住探针新村";
const TYPED_AS_A_LOGIN: &str = "typed-my-password-here";
const NUMBER_OF_NOBODY: &str = "13877340921";
/// What is no secret, and has to be found: a search that finds nothing anywhere is none.
const PLACE: &str = "区集中隔离点";

/// What was planted, by what it is.
struct Planted(Vec<(String, String)>);

impl Planted {
    fn plant(&mut self, what: &str, value: &str) {
        self.0.push((what.to_owned(), value.to_owned()));
    }

    fn phone(&mut self, what: &str, phone: &str) {
        self.plant(what, phone.trim_start_matches("+86"));
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL, RabbitMQ and Redis: make test"]
async fn no_planted_value_is_found_in_any_store_message_log_metric_or_file() {
    in_a_city_that_logs("trace", &EACH_ALONE, async |city| {
        let ears = Ears::on(city.stores()).await;
        let mut planted = Planted(Vec::new());
        let contact =
            city.people.of_district(CENTRE.try_into().unwrap()).filter_map(|no| city.people.person(no)).find(|who| who.device.is_some());
        everybody_says_something(city, &contact.expect("somebody has the app"), &mut planted).await;
        let places = places::all(city, ears).await;

        for (place, seen) in [("PostgreSQL", PLACE), ("RabbitMQ", "alert.approved"), ("Redis", city.stores().cache.prefix.as_str())] {
            assert!(holds(&places[place], seen), "nothing was looked at in {place}");
        }
        assert!(holds(&places["metrics"], "http_requests_total") && holds(&places["files and logs"], "DEBUG"), "nothing was told");
        let searched: usize = places.values().map(Vec::len).sum();
        let mut found = Vec::new();
        for (what, value) in &planted.0 {
            let in_places = places.iter().filter(|(_, all)| holds(all, value)).map(|(place, _)| format!("{what} in {place}"));
            found.extend(in_places);
        }
        eprintln!("{} values planted, {searched} octets searched in {} places, {} found", planted.0.len(), places.len(), found.len());
        assert!(found.is_empty(), "{found:?}");
    })
    .await;
}

/// Whether a text holds a value, in any of the ways in which it may be written.
fn holds(text: &[u8], value: &str) -> bool {
    ways::of(value).iter().any(|way| memchr::memmem::find(text, way).is_some())
}

/// Somebody registers, is named in records, hears of it, answers and is answered; others get things wrong.
async fn everybody_says_something(city: &City, contact: &Person, planted: &mut Planted) {
    let administrators = city.administrators().await;
    planted.plant("a password of staff", PASSWORD);
    let officers = [
        city.staff(&administrators, "command.one", "city_command_officer", "city").await,
        city.staff(&administrators, "command.two", "city_command_officer", "city").await,
    ];
    officers.iter().for_each(|session| planted.plant("a session of staff", session));

    let app = registered_with_everything(city, contact).await;
    planted.phone("a phone number", &contact.phone);
    for (what, value) in [("a name", NAME), ("an identity number", IDENTITY_NUMBER), ("a session of a resident", &app)] {
        planted.plant(what, value);
    }

    let alert = a_record_becomes_an_alert(city, &administrators, [&officers[0], &officers[1]], contact).await;
    eventually("the alert is in the inbox", async || {
        let inbox = city.get("resident", "me/inbox", &app).await;
        inbox.as_array()?.iter().any(|item| item["alert_id"] == *alert).then_some(())
    })
    .await;
    city.post("resident", &format!("me/alerts/{alert}/acknowledgement"), &app, Value::Null).await;
    city.post("resident", &format!("me/alerts/{alert}/feedback"), &app, json!({ "kind": "question", "text": WORDS })).await;
    planted.plant("what somebody asked", WORDS);
    city.simulators.reply(&contact.phone, WORDS_BY_SMS);
    planted.plant("what somebody wrote by SMS", WORDS_BY_SMS);

    let worker = city.staff(&administrators, "worker", "community_worker", &format!("community:{}", contact.community)).await;
    let said = eventually("both questions have come", async || {
        let feedback = city.get("resident", "feedback", &worker).await;
        let items = feedback["items"].as_array().or(feedback.as_array())?.clone();
        (items.len() >= 2).then_some(items)
    })
    .await;
    assert!(said.iter().any(|item| item["text"] == WORDS), "{said:?}");
    for item in &said {
        city.post("resident", &format!("feedback/{}/answer", item["feedback_id"]), &worker, json!({ "answer": ANSWER })).await;
    }
    planted.plant("what a resident was answered", ANSWER);
    let path = format!("residents/{}/contact", contact.resident_no);
    let opened = city.post("resident", &path, &worker, json!({ "reason": "上门随访联系" })).await;
    assert_eq!(opened["name"], NAME);

    let key = json!({
        "unit": "探针医院", "origin": "surveillance", "area": "city", "kinds": ["case", "test_result"], "expires_at": Clock::real().now() + TimeDelta::days(1),
    });
    let key = administrators.key(city, key).await;
    planted.plant("a key of a source", &key);
    what_is_wrong_is_refused(city, &key, &officers[0], planted).await;
}

/// Registers somebody's app, with all that one can say.
async fn registered_with_everything(city: &City, person: &Person) -> String {
    let app = city.register(person).await;
    let claim = json!({ "identity_number": IDENTITY_NUMBER, "identity_kind": "identity_card" });
    city.call("resident", Method::PUT, "me/identity", &app, claim).await;
    city.call("resident", Method::PATCH, "me", &app, json!({ "name": NAME })).await;
    app
}

/// Rows, requests and sign-ins that are refused, each with something that is nobody's business.
async fn what_is_wrong_is_refused(city: &City, key: &str, officer: &str, planted: &mut Planted) {
    let now = Clock::real().now();
    let of_a_stranger = json!([
        { "source_id": "planted-1", "kind": "test_result", "occurred_at": now, "level": "high", "district": CENTRE.to_string(),
          "subject": { "phone": NUMBER_OF_NOBODY, "identity_number": PASSPORT, "identity_kind": "passport", "number_country": "GBR" } },
        { "source_id": "planted-2", "kind": "test_result", "occurred_at": "yesterday", "level": "high", "district": CENTRE.to_string(),
          "subject": { "phone": NUMBER_OF_NOBODY }, "attributes": { "place": IN_A_REFUSED_ROW } },
    ]);
    let report = city.post("ingest", "records", key, of_a_stranger).await;
    assert!(report["refused"].as_u64() >= Some(1), "{report}");
    planted.phone("a phone number of nobody", NUMBER_OF_NOBODY);
    planted.plant("a passport", PASSPORT);
    planted.plant("what stands in a refused row", IN_A_REFUSED_ROW);

    let wrong = [
        ("resident", Method::POST, "registration", "", json!({ "phone": NUMBER_OF_NOBODY, "name": NAME, "unknown": IDENTITY_NUMBER })),
        ("resident", Method::POST, "registration/code", "", json!({ "phone": format!("{NUMBER_OF_NOBODY}9") })),
        ("identity", Method::POST, "session", "", json!({ "login": TYPED_AS_A_LOGIN, "password": PASSWORD, "cookie": false })),
        ("review", Method::POST, "alerts", officer, json!({ "content": { "body": format!("{NAME}{IDENTITY_NUMBER}") } })),
        ("ingest", Method::GET, &format!("loads?unit={IN_A_REFUSED_ROW}"), officer, Value::Null),
    ];
    for (service, method, path, token, body) in wrong {
        let (status, answer) = city.ask(service, method, path, token, body).await;
        assert!(status.is_client_error() || status == StatusCode::OK, "{path}: {status} {answer}");
    }
    planted.plant("what somebody typed for a login", TYPED_AS_A_LOGIN);
}
