//! What the push service of browsers accepts, and why it refuses.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode, get_current_timestamp};
use rcgen::{KeyPair, PKCS_ECDSA_P256_SHA256};
use reqwest::{RequestBuilder, Response};
use rstest::rstest;
use serde_json::json;
use simulators::{Fault, FaultKind, Options, Provider};

use crate::story::City;

/// Somebody who sends.
struct Sender(KeyPair);

impl Sender {
    fn new() -> Self {
        Self(KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap())
    }

    fn authorization(&self, city: &City, good_for_s: u64) -> String {
        let audience = format!("https://{}", city.simulators.addresses().web_push);
        let claims = json!({ "aud": audience, "exp": get_current_timestamp() + good_for_s, "sub": "mailto:duty@example.com" });
        let key = EncodingKey::from_ec_pem(self.0.serialize_pem().as_bytes()).unwrap();
        let token = encode(&Header::new(Algorithm::ES256), &claims, &key).unwrap();
        format!("vapid t={token}, k={}", URL_SAFE_NO_PAD.encode(self.0.public_key_raw()))
    }

    fn push(&self, city: &City, id: &str) -> RequestBuilder {
        let mut body = vec![7; 16];
        body.extend(4_096_u32.to_be_bytes());
        body.extend([65, 4]);
        body.extend([9; 64 + 40]);
        city.http
            .post(city.simulators.addresses().web_push_url(id))
            .header("authorization", self.authorization(city, 3_600))
            .header("ttl", "60")
            .header("topic", "alert-1")
            .header("urgency", "high")
            .header("content-encoding", "aes128gcm")
            .body(body)
    }
}

async fn answer(response: Response) -> (u16, String) {
    (response.status().as_u16(), response.text().await.unwrap())
}

#[tokio::test]
async fn a_valid_message_gets_an_address_and_is_kept_sealed() {
    let city = City::new().await;
    let response = Sender::new().push(&city, "browser-1").send().await.unwrap();
    assert_eq!(response.status().as_u16(), 201);
    assert!(response.headers()["location"].to_str().unwrap().starts_with("https://127.0.0.1:"));

    let received = city.http.get(format!("{}/received?token=browser-1", city.simulators.addresses().control_url())).send().await.unwrap();
    let received: serde_json::Value = received.json().await.unwrap();
    assert_eq!(received["web_push"], json!({ "times": 1, "collapse_ids": { "alert-1": 1 } }));
    let push = &received["pushes"][0];
    assert_eq!(
        (&push["priority"], &push["expiration"], &push["payload"]["content_encoding"]),
        (&json!("high"), &json!("60"), &json!("aes128gcm"))
    );
    assert_eq!(URL_SAFE_NO_PAD.decode(push["payload"]["body"].as_str().unwrap()).unwrap().len(), 126);
    assert_eq!(city.simulators.statistics().web_push.accepted, 1);
}

type Change = fn(RequestBuilder) -> RequestBuilder;

#[rstest]
#[case::nobody(401, |push| without(push, "authorization"))]
#[case::a_bearer(401, |push| with(push, "authorization", "Bearer abc"))]
#[case::no_ttl(400, |push| without(push, "ttl"))]
#[case::a_long_topic(400, |push| with(push, "topic", &"x".repeat(33)))]
#[case::in_the_clear(400, |push| without(push, "content-encoding"))]
#[case::an_empty_body(400, |push: RequestBuilder| push.body(""))]
#[case::too_long(413, |push: RequestBuilder| push.body(vec![1; 4_097]))]
#[tokio::test]
async fn a_message_with_one_thing_wrong_is_refused_and_not_counted(#[case] status: u16, #[case] change: Change) {
    let city = City::new().await;
    assert_eq!(answer(change(Sender::new().push(&city, "browser-1")).send().await.unwrap()).await.0, status);
    assert_eq!(city.simulators.times(Provider::WebPush, "browser-1"), 0);
}

#[tokio::test]
async fn a_token_may_be_good_for_a_day_at_most_unless_ages_are_not_checked() {
    let sender = Sender::new();
    for (token_age_checked, status) in [(true, 401), (false, 201)] {
        let city = City::with(Options { token_age_checked, ..Options::default() }).await;
        let push = with(sender.push(&city, "browser-1"), "authorization", &sender.authorization(&city, 25 * 3_600));
        assert_eq!(answer(push.send().await.unwrap()).await.0, status);
    }
}

#[tokio::test]
async fn a_subscription_belongs_to_the_key_that_sent_first() {
    let city = City::new().await;
    let (first, second) = (Sender::new(), Sender::new());
    let send = async |sender: &Sender, id: &str| answer(sender.push(&city, id).send().await.unwrap()).await;
    assert_eq!(send(&first, "browser-1").await.0, 201);
    let (status, words) = send(&second, "browser-1").await;
    assert_eq!(status, 403);
    assert!(words.contains("do not correspond to the credentials"), "{words}");
    assert_eq!(send(&second, "browser-2").await.0, 201);
    assert_eq!(send(&first, "../etc").await.0, 404);
}

#[rstest]
#[case(FaultKind::Gone, 410)]
#[case(FaultKind::BadRecipient, 404)]
#[case(FaultKind::Foreign, 403)]
#[case(FaultKind::BadMessage, 413)]
#[case(FaultKind::Throttled { retry_after_s: 7 }, 429)]
#[case(FaultKind::InternalError, 500)]
#[case(FaultKind::Unavailable, 503)]
#[case(FaultKind::CredentialsRefused, 403)]
#[case(FaultKind::CredentialsExpired, 401)]
#[case(FaultKind::Nonsense, 418)]
#[tokio::test]
async fn faults_speak_as_push_services_do(#[case] fault: FaultKind, #[case] status: u16) {
    let city = City::new().await;
    city.simulators.fault(Provider::WebPush, Fault::new(fault).times(1));
    let sender = Sender::new();
    let response = sender.push(&city, "browser-1").send().await.unwrap();
    let wait = response.headers().get("retry-after").map(|wait| wait.to_str().unwrap().to_owned());
    assert_eq!((response.status().as_u16(), wait), (status, (status == 429).then(|| "7".to_owned())));
    assert_eq!(answer(sender.push(&city, "browser-1").send().await.unwrap()).await.0, 201);
    assert_eq!(city.simulators.times(Provider::WebPush, "browser-1"), 1);
}

fn with(push: RequestBuilder, name: &'static str, value: &str) -> RequestBuilder {
    changed(push, |headers| {
        headers.insert(name, value.parse().unwrap());
    })
}

fn without(push: RequestBuilder, name: &'static str) -> RequestBuilder {
    changed(push, |headers| {
        headers.remove(name);
    })
}

fn changed(push: RequestBuilder, change: impl FnOnce(&mut reqwest::header::HeaderMap)) -> RequestBuilder {
    let (client, request) = push.build_split();
    let mut request = request.unwrap();
    change(request.headers_mut());
    RequestBuilder::from_parts(client, request)
}
