//! What an operator sets about the push providers.

use std::num::{NonZeroU32, NonZeroUsize};
use std::path::PathBuf;
use std::time::Duration;

use dispatch::worker::WorkerSettings;
use domain::web_push::PushServices;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use crate::sender::Limits;

/// Settings of the service, section `[push]`.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// The Apple Push Notification service. Without it, residents with an iPhone count as having no app and get an SMS.
    pub apns: Option<ApnsSettings>,
    /// Firebase Cloud Messaging, HTTP v1. Without it, residents with an Android phone count as having no app and get an SMS.
    pub fcm: Option<FcmSettings>,
    /// Web Push (RFC 8030, RFC 8292): residents who use the app in a browser. Browsers ask for the public half of the key, so the
    /// processes that serve `resident` need this section too.
    pub web_push: Option<WebPushSettings>,
    /// What Apple and Google, who read along, and a locked screen see of an alert about a person: `neutral`, a line that says nothing of them, and
    /// the app fetches the text; or `full`, the text.
    ///
    /// The text says that somebody is a close contact, or has a positive test.
    pub personal_texts: PersonalTexts,
    /// How this process works through batches of pushes.
    pub worker: WorkerSettings,
}

/// What providers that read along see of an alert about a person.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PersonalTexts {
    /// That there is one.
    #[default]
    Neutral,
    /// All of it.
    Full,
}

/// The Apple Push Notification service.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct ApnsSettings {
    /// Where it is.
    ///
    /// Apple's development service is `https://api.sandbox.push.apple.com`; a simulator is anywhere.
    pub base_url: String,
    /// The app's bundle id.
    ///
    /// Apple delivers to no other app.
    ///
    /// Example: "cn.example.app"
    pub topic: String,
    /// The id of the signing key, ten characters.
    ///
    /// Apple finds the key by it.
    ///
    /// Example: "ABC123DEFG"
    pub key_id: String,
    /// The id of the developer team, ten characters.
    ///
    /// It stands in every token as its issuer.
    ///
    /// Example: "DEF123GHIJ"
    pub team_id: String,
    /// The signing key, the text of the `.p8` file. Give this or `key_file`.
    ///
    /// One key signs for an hour at a time and needs no renewal by hand.
    ///
    /// Example: "-----BEGIN PRIVATE KEY-----…"
    #[serde(skip_serializing)]
    pub key: SecretString,
    /// The `.p8` file.
    ///
    /// A secret in a file of its own stands in no configuration.
    ///
    /// Example: "AuthKey_ABC123DEFG.p8"
    pub key_file: Option<PathBuf>,
    /// PEM certificates that are trusted besides the system's.
    ///
    /// For a provider behind a certificate authority of one's own, such as a simulator.
    ///
    /// Example: "ca.pem"
    pub extra_ca: Option<PathBuf>,
    /// HTTP/2 connections of this process.
    ///
    /// A second one goes on while the first is renewed.
    ///
    /// Unit: connections
    pub connections: NonZeroUsize,
    /// Streams of one connection, where the server allows as many.
    ///
    /// Bounds how many messages wait for an answer at once.
    ///
    /// Unit: streams
    pub streams: NonZeroUsize,
    /// Messages a second over all processes; unlimited when absent.
    ///
    /// Apple names no limit.
    ///
    /// Example: 10000
    pub rate_per_second: Option<NonZeroU32>,
    /// How long to wait for an answer, and for a connection.
    ///
    /// What was not answered by then may have been delivered: it is tried again later under the same collapse id.
    pub request_timeout_ms: u64,
    /// Whether urgent alerts sound through the mute switch.
    ///
    /// Needs Apple's entitlement for critical alerts; without it Apple refuses them.
    pub critical: bool,
}

/// Firebase Cloud Messaging, HTTP v1.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct FcmSettings {
    /// Where it is.
    ///
    /// A simulator is anywhere.
    pub base_url: String,
    /// PEM certificates that are trusted besides the system's.
    ///
    /// For a provider behind a certificate authority of one's own, such as a simulator.
    ///
    /// Example: "ca.pem"
    pub extra_ca: Option<PathBuf>,
    /// HTTP/2 connections of this process.
    ///
    /// A second one goes on while the first is renewed.
    ///
    /// Unit: connections
    pub connections: NonZeroUsize,
    /// Streams of one connection, where the server allows as many.
    ///
    /// Bounds how many messages wait for an answer at once.
    ///
    /// Unit: streams
    pub streams: NonZeroUsize,
    /// How long to wait for an answer, and for a connection.
    ///
    /// What was not answered by then may have been delivered: it is tried again later under the same collapse id.
    pub request_timeout_ms: u64,
    /// A Firebase project; several share the load in proportion to their quotas. One such block each.
    pub projects: Vec<FcmProject>,
}

/// One Firebase project.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct FcmProject {
    /// The service account, the text of the JSON file that Google hands out. Give this or `service_account_file`.
    ///
    /// Access tokens are made with it as they are needed.
    ///
    /// Example: "{…}"
    #[serde(skip_serializing)]
    pub service_account: SecretString,
    /// The JSON file.
    ///
    /// A secret in a file of its own stands in no configuration.
    ///
    /// Example: "service-account.json"
    pub service_account_file: Option<PathBuf>,
    /// The project's quota over all processes.
    ///
    /// Google grants 600,000 messages a minute at first; above it, it answers that one should wait.
    pub rate_per_minute: NonZeroU32,
}

/// Web Push with VAPID (RFC 8030, RFC 8292).
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct WebPushSettings {
    /// The signing key (VAPID), P-256 in PKCS#8 PEM. Give this or `key_file`.
    ///
    /// Browsers subscribe with its public half: with another key all of them have to subscribe anew.
    ///
    /// Example: "-----BEGIN PRIVATE KEY-----…"
    #[serde(skip_serializing)]
    pub key: SecretString,
    /// The PEM file.
    ///
    /// Made by: `openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out vapid.pem`.
    ///
    /// Example: "vapid.pem"
    pub key_file: Option<PathBuf>,
    /// How a push service reaches the operator: a `mailto:` or `https:` address.
    ///
    /// Push services refuse messages of nobody.
    ///
    /// Example: "mailto:duty@example.com"
    pub subject: String,
    /// The push services that may be called: `host`, `host:port`, or `*.domain` for all below it.
    ///
    /// Residents send these addresses, so no other is ever called.
    pub allowed_hosts: PushServices,
    /// PEM certificates that are trusted besides the system's.
    ///
    /// For a provider behind a certificate authority of one's own, such as a simulator.
    ///
    /// Example: "ca.pem"
    pub extra_ca: Option<PathBuf>,
    /// HTTP/2 connections of this process to each push service.
    ///
    /// There are several push services, and each serves a part of the residents.
    ///
    /// Unit: connections
    pub connections: NonZeroUsize,
    /// Streams of one connection, where the server allows as many.
    ///
    /// Push services rarely allow more.
    ///
    /// Unit: streams
    pub streams: NonZeroUsize,
    /// Messages a second over all processes to each push service; unlimited when absent.
    ///
    /// They name no limit, and answer that one should wait when it is too much.
    ///
    /// Example: 1000
    pub rate_per_second: Option<NonZeroU32>,
    /// How long to wait for an answer, and for a connection.
    ///
    /// An address below an allowed domain may lead nowhere: its batch should not wait for it long.
    pub request_timeout_ms: u64,
}

impl Default for ApnsSettings {
    fn default() -> Self {
        Self {
            base_url: "https://api.push.apple.com".to_owned(),
            topic: String::new(),
            key_id: String::new(),
            team_id: String::new(),
            key: SecretString::default(),
            key_file: None,
            extra_ca: None,
            connections: CONNECTIONS,
            streams: STREAMS,
            rate_per_second: None,
            request_timeout_ms: REQUEST_TIMEOUT_MS,
            critical: false,
        }
    }
}

impl Default for FcmSettings {
    fn default() -> Self {
        Self {
            base_url: "https://fcm.googleapis.com".to_owned(),
            extra_ca: None,
            connections: CONNECTIONS,
            streams: STREAMS,
            request_timeout_ms: REQUEST_TIMEOUT_MS,
            projects: Vec::new(),
        }
    }
}

impl Default for WebPushSettings {
    fn default() -> Self {
        Self {
            key: SecretString::default(),
            key_file: None,
            subject: String::new(),
            allowed_hosts: PushServices::default(),
            extra_ca: None,
            connections: NonZeroUsize::MIN,
            streams: WEB_PUSH_STREAMS,
            rate_per_second: None,
            request_timeout_ms: WEB_PUSH_TIMEOUT_MS,
        }
    }
}

impl Default for FcmProject {
    fn default() -> Self {
        Self { service_account: SecretString::default(), service_account_file: None, rate_per_minute: FCM_QUOTA }
    }
}

const CONNECTIONS: NonZeroUsize = NonZeroUsize::MIN.saturating_add(1);
const STREAMS: NonZeroUsize = NonZeroUsize::MIN.saturating_add(999);
const FCM_QUOTA: NonZeroU32 = NonZeroU32::MIN.saturating_add(599_999);
const REQUEST_TIMEOUT_MS: u64 = 20_000;
/// What push services allow at most on one connection, as a rule.
const WEB_PUSH_STREAMS: NonZeroUsize = NonZeroUsize::MIN.saturating_add(99);
/// An address below an allowed domain may lead nowhere: its batch should not wait for it long.
const WEB_PUSH_TIMEOUT_MS: u64 = 10_000;

impl ApnsSettings {
    pub(crate) fn limits(&self) -> Limits {
        limits(self.connections, self.streams, self.request_timeout_ms)
    }
}

impl FcmSettings {
    pub(crate) fn limits(&self) -> Limits {
        limits(self.connections, self.streams, self.request_timeout_ms)
    }
}

impl WebPushSettings {
    pub(crate) fn limits(&self) -> Limits {
        limits(self.connections, self.streams, self.request_timeout_ms)
    }
}

fn limits(connections: NonZeroUsize, streams: NonZeroUsize, request_timeout_ms: u64) -> Limits {
    Limits { connections: connections.get(), streams: streams.get(), request_timeout: Duration::from_millis(request_timeout_ms) }
}
