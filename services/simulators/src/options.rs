//! How the simulators are started, and what the platform needs to know to reach them.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::PathBuf,
};

use serde::{Deserialize, Serialize};

/// How recipients are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Counting {
    /// By name, with every collapse id: for tests and rehearsals.
    #[default]
    Named,
    /// Two bytes per resident: for benchmarks with millions. A push token starts with the resident number as eight
    /// hex digits; a phone number is kept as a number; any other recipient is counted by name.
    Dense,
}

/// How the SMS centre writes a message's id in its answer and in its receipt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum MessageIds {
    /// In ten decimal digits, in both.
    #[default]
    Alike,
    /// Hexadecimal in the answer, decimal in the receipt.
    DecimalInReceipts,
    /// Decimal in the answer, hexadecimal in the receipt.
    HexadecimalInReceipts,
    /// In small letters in the answer, in capitals in the receipt.
    OtherCaseInReceipts,
    /// With zeros in front in the answer, without in the receipt.
    NoZerosInReceipts,
}

impl MessageIds {
    /// The id of the so-manieth message in its answer and in its receipt.
    pub(crate) fn of(self, number: u64) -> (String, String) {
        // a number that is another one in each base
        let large = 0x33E9_5179 + number;
        match self {
            Self::Alike => (format!("{number:010}"), format!("{number:010}")),
            Self::DecimalInReceipts => (format!("{large:X}"), large.to_string()),
            Self::HexadecimalInReceipts => (large.to_string(), format!("{large:x}")),
            Self::OtherCaseInReceipts => (format!("a1b2-{large:08x}"), format!("A1B2-{large:08X}")),
            Self::NoZerosInReceipts => (format!("{number:010}"), number.to_string()),
        }
    }
}

/// How the simulators are started. Port 0 lets the system choose; see [`Addresses`] for what it chose.
#[derive(Debug, Clone)]
pub struct Options {
    /// Where every simulator listens.
    pub address: IpAddr,
    /// APNs over TLS.
    pub apns_port: u16,
    /// FCM HTTP v1 over TLS.
    pub fcm_port: u16,
    /// The push service of browsers over TLS.
    pub web_push_port: u16,
    /// The OAuth token endpoint of FCM, plain HTTP.
    pub oauth_port: u16,
    /// The SMS centre, SMPP 3.4 over plain TCP.
    pub smpp_port: u16,
    /// The control API, plain HTTP.
    pub control_port: u16,
    /// Where `ca.pem`, `apns.p8` and `fcm-service-account.json` are written, if anywhere.
    pub directory: Option<PathBuf>,
    /// Check everything the real provider checks (signatures, headers, JSON). Off, only what routing needs is read.
    pub strict: bool,
    /// Keep the last messages of every recipient, for `pushes_to`, `sms_to`, `GET /received` and `GET /sms`.
    pub keep_payloads: bool,
    /// How recipients are counted.
    pub counting: Counting,
    /// Refuse APNs provider tokens, VAPID tokens and OAuth assertions that are too old or from the future. Off when the platform's clock is moved.
    pub token_age_checked: bool,
    /// Topics (bundle ids) that the APNs key may push to; empty allows any.
    pub apns_topics: Vec<String>,
    /// Firebase project.
    pub fcm_project: String,
    /// More Firebase projects of the same service account.
    pub fcm_other_projects: Vec<String>,
    /// SMPP account.
    pub smpp_system_id: String,
    /// SMPP password, at most 8 octets (SMPP 3.4 §5.2.2); made at random when absent.
    pub smpp_password: Option<String>,
    /// The number that residents see as sender, and that a reply goes to when nothing was received before.
    pub sms_number: String,
    /// Submits of one session that may wait for their answer; more are throttled.
    pub sms_window: usize,
    /// Submits per second of the account; more are throttled. No limit when absent.
    pub sms_per_second: Option<u32>,
    /// How message ids are written.
    pub sms_ids: MessageIds,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            address: IpAddr::V4(Ipv4Addr::LOCALHOST),
            apns_port: 0,
            fcm_port: 0,
            web_push_port: 0,
            oauth_port: 0,
            smpp_port: 0,
            control_port: 0,
            directory: None,
            strict: true,
            keep_payloads: true,
            counting: Counting::Named,
            token_age_checked: true,
            apns_topics: Vec::new(),
            fcm_project: "simulated-city".to_owned(),
            fcm_other_projects: Vec::new(),
            smpp_system_id: "simulated-city".to_owned(),
            smpp_password: None,
            sms_number: "1069012320".to_owned(),
            sms_window: 1_000,
            sms_per_second: None,
            sms_ids: MessageIds::default(),
        }
    }
}

impl Options {
    /// For benchmarks: dense counting, nothing kept, only what routing needs is read.
    pub fn benchmark() -> Self {
        Self { strict: false, keep_payloads: false, counting: Counting::Dense, ..Self::default() }
    }
}

/// Where the simulators listen.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Addresses {
    /// APNs.
    pub apns: SocketAddr,
    /// FCM HTTP v1.
    pub fcm: SocketAddr,
    /// The push service of browsers.
    pub web_push: SocketAddr,
    /// OAuth token endpoint.
    pub oauth: SocketAddr,
    /// SMS centre.
    pub smpp: SocketAddr,
    /// Control API.
    pub control: SocketAddr,
}

impl Addresses {
    /// Base URL of APNs, as the platform's setting wants it.
    pub fn apns_url(&self) -> String {
        format!("https://{}", self.apns)
    }

    /// Base URL of FCM.
    pub fn fcm_url(&self) -> String {
        format!("https://{}", self.fcm)
    }

    /// The address of a subscription at the push service of browsers.
    pub fn web_push_url(&self, id: &str) -> String {
        format!("https://{}/send/{id}", self.web_push)
    }

    /// Token URI of the service account.
    pub fn oauth_url(&self) -> String {
        format!("http://{}/token", self.oauth)
    }

    /// Base URL of the control API.
    pub fn control_url(&self) -> String {
        format!("http://{}", self.control)
    }
}

/// What the platform needs to be let in: made anew at every start, worth nothing outside the simulators.
#[derive(Clone, Serialize, Deserialize)]
pub struct Credentials {
    /// PEM of the authority that signed the certificates of APNs, FCM and the push service.
    pub ca_pem: String,
    /// The `.p8` file: an ES256 key in PKCS#8 PEM.
    pub apns_key_p8: String,
    /// `kid` of provider tokens.
    pub apns_key_id: String,
    /// `iss` of provider tokens.
    pub apns_team_id: String,
    /// The service-account file, JSON.
    pub fcm_service_account: String,
    /// Firebase project.
    pub fcm_project: String,
    /// SMPP account.
    pub smpp_system_id: String,
    /// SMPP password.
    pub smpp_password: String,
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Credentials")
            .field("apns_key_id", &self.apns_key_id)
            .field("fcm_project", &self.fcm_project)
            .finish_non_exhaustive()
    }
}
