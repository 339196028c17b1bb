//! Browsers: who has the app nowhere else is told there, can read it alone, and is not lost when the browser is gone.

use aws_lc_rs::aead::{AES_128_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::agreement::{ECDH_P256, PrivateKey, UnparsedPublicKey, agree};
use aws_lc_rs::error::Unspecified;
use aws_lc_rs::hkdf::{HKDF_SHA256, KeyType, Prk, Salt};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::cap::Status;
use domain::exercise::{Live, Sendable};
use domain::ids::ResidentNo;
use domain::language::Language;
use domain::outcome::Outcome;
use domain::web_push::{PushServices, Subscription};
use platform::clock::Clock;
use rstest::rstest;
use serde_json::{Value, json};
use simulators::{Fault, FaultKind, Provider, Simulators};
use stages::{MINUTE, SECOND, noon, views};

use super::city::City;
use super::settings::web_push_settings;
use crate::answer::ProviderAnswer;
use crate::endpoint::{Endpoint, Public, Token};
use crate::notice::Notice;
use crate::notice::tests::notice;
use crate::web_push::WebPush;

/// A browser with its own keys, subscribed at the simulated push service.
pub(super) struct Browser {
    pub(super) id: String,
    pub(super) subscription: Subscription,
    key: PrivateKey,
    public: Vec<u8>,
    auth: [u8; 16],
}

struct Octets(usize);

impl KeyType for Octets {
    fn len(&self) -> usize {
        self.0
    }
}

fn expanded<const N: usize>(secret: &Prk, info: &[&[u8]]) -> [u8; N] {
    let mut octets = [0; N];
    secret.expand(info, Octets(N)).unwrap().fill(&mut octets).unwrap();
    octets
}

impl Browser {
    pub(super) fn subscribed(simulators: &Simulators, id: &str) -> Self {
        let (key, auth) = (PrivateKey::generate(&ECDH_P256).unwrap(), rand::random());
        let public = key.compute_public_key().unwrap().as_ref().to_vec();
        let services: PushServices = vec![simulators.addresses().web_push.to_string()].try_into().unwrap();
        let (p256dh, secret) = (URL_SAFE_NO_PAD.encode(&public), URL_SAFE_NO_PAD.encode(auth));
        let subscription = Subscription::parse(&simulators.addresses().web_push_url(id), &p256dh, &secret, &services).unwrap();
        Self { id: id.to_owned(), subscription, key, public, auth }
    }

    /// What the push service has for it, sealed, oldest first.
    fn received(&self, simulators: &Simulators) -> Vec<Vec<u8>> {
        let body = |push: simulators::ReceivedPush| URL_SAFE_NO_PAD.decode(push.payload["body"].as_str().unwrap()).unwrap();
        simulators.pushes_to(&self.id).into_iter().map(body).collect()
    }

    /// Opens a message as browsers do (RFC 8291 §3.4); none where it was sealed for another.
    fn opened(&self, body: &[u8]) -> Option<Value> {
        let (salt, rest) = body.split_at(16);
        let (sender, record) = rest[5..].split_at(65);
        let shared = agree(&self.key, UnparsedPublicKey::new(&ECDH_P256, sender), Unspecified, |secret| {
            Ok(expanded::<32>(&Salt::new(HKDF_SHA256, &self.auth).extract(secret), &[b"WebPush: info\0", &self.public, sender]))
        });
        let secret = Salt::new(HKDF_SHA256, salt).extract(&shared.ok()?);
        let key = LessSafeKey::new(UnboundKey::new(&AES_128_GCM, &expanded::<16>(&secret, &[b"Content-Encoding: aes128gcm\0"])).ok()?);
        let nonce = Nonce::assume_unique_for_key(expanded::<12>(&secret, &[b"Content-Encoding: nonce\0"]));
        let mut record = record.to_vec();
        let plain = key.open_in_place(nonce, Aad::empty(), &mut record).ok()?;
        let (delimiter, text) = plain.split_last()?;
        assert_eq!(*delimiter, 2, "it is the last record");
        serde_json::from_slice(text).ok()
    }

    /// What it was told, oldest first.
    fn told(&self, city: &City) -> Vec<Value> {
        self.received(&city.simulators).iter().map(|body| self.opened(body).expect("it can be read")).collect()
    }
}

/// A resident with the app in a browser alone.
async fn with_a_browser(city: &City, number: u32, language: Language, drill: bool) -> Browser {
    city.resident(number, language, drill).await;
    let browser = Browser::subscribed(&city.simulators, &format!("browser-{number}"));
    views::device(&city.platform, number, i64::from(number), "web_push", &browser.subscription.to_bytes(), language).await;
    browser
}

fn live(notice: Notice) -> Live<Notice> {
    let Ok(Sendable::Live(live)) = Sendable::of(Status::Actual, notice) else { panic!("an actual alert is live") };
    live
}

#[tokio::test]
async fn a_resident_with_a_browser_alone_is_told_in_words_that_only_it_can_read() {
    let city = City::new(|_| ()).await;
    let chinese = with_a_browser(&city, 0, Language::ZhCn, false).await;
    let english = with_a_browser(&city, 1, Language::En, false).await;

    let alert_id = city.approve(Status::Actual, 0..2).await;
    city.settle().await;

    let expected = json!({
        "alert_id": alert_id.uuid().to_string(), "title": "请立即居家隔离", "body": "body\n12320", "urgent": true, "exercise": false,
        "ended": false, "tag": alert_id.uuid().to_string(),
    });
    assert_eq!(chinese.told(&city), [expected]);
    assert_eq!(english.told(&city)[0]["title"], "Isolate at once");
    assert_eq!(english.opened(&chinese.received(&city.simulators)[0]), None, "another browser cannot read it");
    let received = &city.simulators.pushes_to(&chinese.id)[0];
    let topic = URL_SAFE_NO_PAD.encode(alert_id.uuid().as_bytes());
    assert_eq!((received.collapse_id.as_deref(), received.priority.as_deref()), (Some(topic.as_str()), Some("high")));
    assert_eq!(received.expiration.as_deref(), Some("172800"), "two days, as the alert");
    assert_eq!(city.reached(alert_id).await, (2, 0));
    assert_eq!(city.simulators.statistics().web_push.refused, [].into());
}

#[tokio::test]
async fn a_browser_that_is_gone_is_pruned_and_an_sms_takes_its_place() {
    let city = City::new(|_| ()).await;
    let [gone, never_was, kept] = [0, 1, 2].map(|number| with_a_browser(&city, number, Language::ZhCn, false));
    let (gone, never_was, kept) = futures::join!(gone, never_was, kept);
    city.simulators.fault(Provider::WebPush, Fault::new(FaultKind::Gone).only(&gone.id));
    city.simulators.fault(Provider::WebPush, Fault::new(FaultKind::BadRecipient).only(&never_was.id));

    let alert_id = city.approve(Status::Actual, 0..3).await;
    city.settle().await;

    assert_eq!((kept.told(&city).len(), gone.told(&city).len()), (1, 0));
    assert_eq!(city.reached(alert_id).await, (1, 2));
    assert_eq!(city.gone(), [(0, 0), (1, 1)]);
}

#[tokio::test]
async fn a_push_service_that_says_wait_is_left_alone_until_then_and_phones_do_not_wait_for_it() {
    let city = City::new(|_| ()).await;
    let browser = with_a_browser(&city, 0, Language::ZhCn, false).await;
    let phones = city.apple_users(1..4).await;
    city.simulators.fault(Provider::WebPush, Fault::throttled(30).times(1));

    let alert_id = city.approve(Status::Actual, 0..4).await;
    city.settle().await;
    assert_eq!((city.times(Provider::Apns, &phones), browser.told(&city).len()), (vec![1; 3], 0));
    city.forward(SECOND * 29).await;
    assert_eq!(browser.told(&city).len(), 0);
    city.forward(SECOND).await;
    city.forward(SECOND * 30).await;
    assert_eq!(browser.told(&city).len(), 1);
    assert_eq!(city.reached(alert_id).await, (4, 0));
}

#[tokio::test]
async fn a_push_service_that_hangs_costs_a_retry_under_the_same_topic() {
    let city = City::that_gives_up().await;
    let browser = with_a_browser(&city, 0, Language::ZhCn, false).await;
    city.simulators.fault(Provider::WebPush, Fault::new(FaultKind::Hang).times(1));
    city.approve(Status::Actual, 0..1).await;
    city.settle().await;
    city.simulators.fault(Provider::WebPush, Fault::new(FaultKind::AnswerLost).times(1));
    city.forward(SECOND * 10).await;
    city.forward(SECOND * 60).await;
    assert_eq!(browser.told(&city).len(), 2, "the answer to the first was lost");
    assert_eq!(city.simulators.collapse_ids(Provider::WebPush, &browser.id).len(), 1, "the browser shows one");
}

#[tokio::test]
async fn an_exercise_reaches_enrolled_browsers_only_and_says_what_it_is() {
    let city = City::new(|_| ()).await;
    let public = with_a_browser(&city, 0, Language::ZhCn, false).await;
    let enrolled = with_a_browser(&city, 1, Language::En, true).await;
    city.approve(Status::Exercise, 0..2).await;
    city.settle().await;
    assert_eq!(public.told(&city), [] as [Value; 0]);
    let told = &enrolled.told(&city)[0];
    assert_eq!((&told["title"], &told["exercise"]), (&json!("[EXERCISE] Isolate at once"), &json!(true)));
}

#[tokio::test]
async fn a_phone_and_a_browser_of_one_person_are_both_told_and_count_once() {
    let city = City::new(|_| ()).await;
    let browser = with_a_browser(&city, 0, Language::ZhCn, false).await;
    let phone = city.device(0, 10, "apns", Language::ZhCn).await;
    let alert_id = city.approve(Status::Actual, 0..1).await;
    city.settle().await;
    assert_eq!((browser.told(&city).len(), city.simulators.times(Provider::Apns, &phone)), (1, 1));
    assert_eq!(city.reached(alert_id).await, (1, 0));
}

#[tokio::test]
async fn who_has_an_urgent_alert_in_a_browser_alone_gets_an_sms_when_they_do_not_answer() {
    let city = City::new(|_| ()).await;
    let browsers = [with_a_browser(&city, 0, Language::ZhCn, false).await, with_a_browser(&city, 1, Language::ZhCn, false).await];
    // who has a phone as well has it in their pocket
    city.device(1, 11, "apns", Language::ZhCn).await;
    let alert_id = city.approve(Status::Actual, 0..2).await;
    city.settle().await;
    assert!(browsers.iter().all(|browser| browser.told(&city).len() == 1));
    let by_sms = async || -> i64 {
        let sent = "select coalesce(sum(accepted), 0)::bigint from dispatch.batch where channel = 'sms' and alert_id = $1";
        sqlx::query_scalar(sent).bind(alert_id.uuid()).fetch_one(city.platform.database.pool()).await.unwrap()
    };
    city.forward(MINUTE * 9).await;
    assert_eq!(by_sms().await, 0);
    city.forward(MINUTE).await;
    assert_eq!(by_sms().await, 1);
    assert_eq!(city.reached(alert_id).await, (2, 0), "they count once");
}

/// Somebody registers a subscription that they made with a key of their own, so that the push service refuses ours.
#[tokio::test]
async fn a_subscription_of_another_key_is_pruned_and_holds_nobody_up() {
    let city = City::new(|_| ()).await;
    let theirs = with_a_browser(&city, 0, Language::ZhCn, false).await;
    let others = [with_a_browser(&city, 1, Language::ZhCn, false).await, with_a_browser(&city, 2, Language::ZhCn, false).await];
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("ca.pem"), &city.simulators.credentials().ca_pem).unwrap();
    let sender = WebPush::new(&web_push_settings(&city.simulators, directory.path()), Clock::moved(noon())).unwrap();
    let endpoint =
        Endpoint::<Public>::new(ResidentNo::new(0), 0, Language::ZhCn, Token::WebPush(Box::new(theirs.subscription.clone())), noon());
    let letter = sender.letter(&live(notice()));
    assert_eq!(sender.send(&letter, &endpoint).await.outcome(), Outcome::Accepted);

    let alert_id = city.approve(Status::Actual, 0..3).await;
    city.settle().await;
    assert_eq!(others.each_ref().map(|browser| browser.told(&city).len()), [1, 1]);
    assert_eq!(city.reached(alert_id).await, (2, 1), "who has the useless subscription gets an SMS");
    assert_eq!(city.gone(), [(0, 0)]);
}

#[tokio::test]
async fn refused_credentials_hold_the_browsers_and_nobody_is_lost() {
    let city = City::new(|_| ()).await;
    let mut browsers = Vec::new();
    for number in 0..10 {
        browsers.push(with_a_browser(&city, number, Language::ZhCn, false).await);
    }
    city.simulators.fault(Provider::WebPush, Fault::new(FaultKind::CredentialsRefused));
    let alert_id = city.approve(Status::Actual, 0..10).await;
    city.settle().await;
    city.forward(SECOND * 61).await;
    assert_eq!(city.reached(alert_id).await, (0, 0));
    city.simulators.heal(Provider::WebPush);
    city.forward(SECOND * 61).await;
    assert_eq!(city.reached(alert_id).await, (10, 0));
    assert!(browsers.iter().all(|browser| browser.told(&city).len() == 1));
}

/// Whatever its push service means by it: the others are told.
#[rstest]
#[case(FaultKind::CredentialsRefused)]
#[case(FaultKind::CredentialsExpired)]
#[tokio::test]
async fn one_browser_that_is_refused_keeps_nobody_waiting(#[case] fault: FaultKind) {
    let city = City::new(|_| ()).await;
    let refused = with_a_browser(&city, 0, Language::ZhCn, false).await;
    let phones = city.apple_users(1..20).await;
    city.simulators.fault(Provider::WebPush, Fault::new(fault).only(&refused.id));
    let alert_id = city.approve(Status::Actual, 0..20).await;
    city.settle().await;
    assert_eq!((city.reached(alert_id).await, city.gone()), ((19, 1), vec![]));
    assert_eq!(city.times(Provider::Apns, &phones), [1; 19]);
}

#[tokio::test]
async fn a_push_service_that_is_no_longer_allowed_is_never_called_and_an_sms_takes_its_place() {
    let city = City::new(|settings| {
        let Some(web_push) = &mut settings.web_push else { panic!("it is set") };
        web_push.allowed_hosts = PushServices::default();
    })
    .await;
    let browser = with_a_browser(&city, 0, Language::ZhCn, false).await;
    let alert_id = city.approve(Status::Actual, 0..1).await;
    city.settle().await;
    let statistics = city.simulators.statistics().web_push;
    assert_eq!((statistics.requests, statistics.connections), (0, 0));
    assert_eq!(city.reached(alert_id).await, (0, 1));
    assert_eq!(city.gone(), [], "it may be allowed again");

    let sender =
        WebPush::new(&crate::WebPushSettings { allowed_hosts: PushServices::default(), ..allowing_nobody(&city) }, Clock::moved(noon()));
    let endpoint =
        Endpoint::<Public>::new(ResidentNo::new(0), 0, Language::ZhCn, Token::WebPush(Box::new(browser.subscription.clone())), noon());
    let sender = sender.unwrap();
    let answer = sender.send(&sender.letter(&live(notice())), &endpoint).await;
    assert_eq!(answer, ProviderAnswer::Permanent { reason: "the push service is not allowed" });
    assert_eq!(city.simulators.statistics().web_push.connections, 0);
}

fn allowing_nobody(city: &City) -> crate::WebPushSettings {
    crate::WebPushSettings { extra_ca: None, ..web_push_settings(&city.simulators, std::path::Path::new("/")) }
}

#[tokio::test]
async fn without_web_push_a_browser_counts_as_no_app() {
    let city = City::new(|settings| settings.web_push = None).await;
    with_a_browser(&city, 0, Language::ZhCn, false).await;
    let alert_id = city.approve(Status::Actual, 0..1).await;
    city.settle().await;
    assert_eq!((city.reached(alert_id).await, city.simulators.statistics().web_push.requests), ((0, 1), 0));
}
