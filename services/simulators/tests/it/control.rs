//! The control API, and starting and stopping.

use serde_json::{Value, json};
use simulators::{Counting, Error, Options, Provider, Simulators};

use crate::story::{City, device, plain_client};

struct Control<'a>(&'a City, reqwest::Client);

impl Control<'_> {
    fn of(city: &City) -> Control<'_> {
        Control(city, plain_client())
    }

    async fn get(&self, path: &str) -> Value {
        let url = format!("{}{path}", self.0.simulators.addresses().control_url());
        self.1.get(url).send().await.unwrap().error_for_status().unwrap().json().await.unwrap()
    }

    async fn post(&self, path: &str, body: Value) -> u16 {
        let url = format!("{}{path}", self.0.simulators.addresses().control_url());
        self.1.post(url).json(&body).send().await.unwrap().status().as_u16()
    }
}

#[tokio::test]
async fn the_ledger_can_be_read_over_http() {
    let city = City::new().await;
    let control = Control::of(&city);
    city.push(&device(1)).send().await.unwrap();
    city.push(&device(1)).send().await.unwrap();
    city.bound().await.submit("13800138000", "收到请回复1").await.unwrap();

    let stats = control.get("/stats").await;
    assert_eq!((&stats["apns"]["accepted"], &stats["apns"]["duplicates"], &stats["sms"]["accepted"]), (&json!(2), &json!(1), &json!(1)));
    let received = control.get(&format!("/received?token={}", device(1))).await;
    assert_eq!((&received["apns"]["times"], &received["apns"]["collapse_ids"]), (&json!(2), &json!({ "alert-1": 2 })));
    assert_eq!(received["pushes"][1]["payload"]["aps"]["alert"]["title"], "请居家");
    let sms = control.get("/sms?phone=%2B8613800138000").await;
    assert_eq!((&sms["times"], &sms["messages"][0]["text"]), (&json!(1), &json!("收到请回复1")));
}

#[tokio::test]
async fn all_recipients_are_listed_for_comparing_sets() {
    for (counting, name) in [(Counting::Named, device as fn(u32) -> String), (Counting::Dense, |n| format!("{n:08x}"))] {
        let city = City::with(Options { counting, ..Options::default() }).await;
        for resident in [5, 70_000, 32_054_158] {
            city.push(&device(resident)).send().await.unwrap();
        }
        let url = format!("{}/recipients?provider=apns", city.simulators.addresses().control_url());
        let csv = plain_client().get(url).send().await.unwrap().text().await.unwrap();
        let mut lines: Vec<_> = csv.lines().collect();
        assert_eq!(lines.remove(0), "recipient,times");
        lines.sort_unstable();
        assert_eq!(lines, [5, 70_000, 32_054_158].map(|resident| format!("{},1", name(resident))), "{counting:?}");
    }
}

#[tokio::test]
async fn faults_are_switched_and_everything_is_reset_over_http() {
    let city = City::new().await;
    let control = Control::of(&city);
    let plan = json!({ "provider": "apns", "faults": [{ "kind": "throttled", "retry_after_s": 3 }] });
    assert_eq!(control.post("/faults", plan).await, 204);
    assert_eq!(city.push(&device(1)).send().await.unwrap().status(), 429);
    assert_eq!(control.post("/faults", json!({ "provider": "apns", "faults": [{ "kind": "earthquake" }] })).await, 422);

    assert_eq!(control.post("/reset", json!(null)).await, 204);
    assert_eq!(city.push(&device(1)).send().await.unwrap().status(), 200);
    assert_eq!(control.get("/stats").await["apns"]["refused"], json!({}));
}

#[tokio::test]
async fn a_resident_answers_over_http() {
    let city = City::new().await;
    let mut esme = city.bound().await;
    assert_eq!(Control::of(&city).post("/sms/reply", json!({ "from": "13800138000", "text": "1" })).await, 202);
    let reply = esme.next().await;
    assert_eq!((reply.source_addr.as_str(), reply.short_message().as_ref()), ("13800138000", b"1".as_slice()));
}

#[tokio::test]
async fn credentials_are_written_where_asked() {
    let directory = tempfile::tempdir().unwrap();
    let nested = directory.path().join("providers");
    let city = City::with(Options { directory: Some(nested.clone()), ..Options::default() }).await;
    let read = |name: &str| std::fs::read_to_string(nested.join(name)).unwrap();
    assert_eq!(read("ca.pem"), city.simulators.credentials().ca_pem);
    assert_eq!(read("apns.p8"), city.simulators.credentials().apns_key_p8);
    let account: Value = serde_json::from_str(&read("fcm-service-account.json")).unwrap();
    assert_eq!(account["token_uri"], city.simulators.addresses().oauth_url());
}

#[tokio::test]
async fn stopping_frees_the_ports_and_a_taken_port_is_named() {
    // kept for the simulators by a socket that does not listen, so that nobody else on this machine gets it in between
    let kept = tokio::net::TcpSocket::new_v4().unwrap();
    kept.set_reuseaddr(true).unwrap();
    kept.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let options = Options { smpp_port: kept.local_addr().unwrap().port(), ..Options::default() };
    let first = Simulators::start(options.clone()).await.unwrap();
    let taken = Simulators::start(options.clone()).await.unwrap_err();
    assert!(matches!(&taken, Error::Listen { address, .. } if *address == first.addresses().smpp), "{taken}");
    first.stop().await;
    Simulators::start(options).await.unwrap().stop().await;
    assert_eq!(first.recipients(Provider::Apns).count(), 0);
}
