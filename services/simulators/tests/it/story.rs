//! A city with simulated providers, and the clients that a platform would have.

use std::{future::Future, str::FromStr, time::Duration};

use futures::{Stream, StreamExt};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode, get_current_timestamp};
use reqwest::{Certificate, Client, ClientBuilder, RequestBuilder, Response};
use rusmpp::{
    CommandStatus, Pdu,
    pdus::{BindTransceiver, DeliverSm, DeliverSmResp, SubmitSm},
    types::{COctetString, OctetString},
    values::{
        Ansi41Specific, DataCoding, EsmClass, GsmFeatures, InterfaceVersion, MCDeliveryReceipt, MessageType, MessagingMode,
        RegisteredDelivery,
    },
};
use rusmppc::{ConnectionBuilder, Event};
use serde_json::{Value, json};
use simulators::{Options, Simulators};
use tokio::net::TcpStream;

/// Whatever does not happen within this time does not happen.
pub const PATIENCE: Duration = Duration::from_secs(180);

pub async fn soon<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, future).await.expect("it should have happened by now")
}

/// A plausible device token of resident `n`.
pub fn device(n: u32) -> String {
    format!("{n:08x}{:056x}", 7)
}

pub struct City {
    pub simulators: Simulators,
    pub http: Client,
}

impl City {
    pub async fn new() -> Self {
        Self::with(Options::default()).await
    }

    pub async fn with(options: Options) -> Self {
        let simulators = Simulators::start(options).await.unwrap();
        let http = client(&simulators);
        Self { simulators, http }
    }

    pub fn provider_token(&self) -> String {
        let credentials = self.simulators.credentials();
        self.provider_token_of(&credentials.apns_team_id, &credentials.apns_key_id, get_current_timestamp(), &credentials.apns_key_p8)
    }

    pub fn provider_token_of(&self, team_id: &str, key_id: &str, issued_at: u64, p8: &str) -> String {
        let mut header = Header::new(Algorithm::ES256);
        header.kid = Some(key_id.to_owned());
        encode(&header, &json!({ "iss": team_id, "iat": issued_at }), &EncodingKey::from_ec_pem(p8.as_bytes()).unwrap()).unwrap()
    }

    /// A push that APNs accepts.
    pub fn push(&self, token: &str) -> RequestBuilder {
        self.http
            .post(format!("{}/3/device/{token}", self.simulators.addresses().apns_url()))
            .bearer_auth(self.provider_token())
            .header("apns-topic", "city.example.alerts")
            .header("apns-push-type", "alert")
            .header("apns-priority", "10")
            .header("apns-expiration", "1800000000")
            .header("apns-collapse-id", "alert-1")
            .body(r#"{"aps":{"alert":{"title":"请居家","body":"…"},"interruption-level":"time-sensitive"}}"#)
    }

    /// An access token, fetched as the platform does.
    pub async fn access_token(&self) -> Result<String, gcp_auth::Error> {
        use gcp_auth::TokenProvider;
        let account = gcp_auth::CustomServiceAccount::from_json(&self.simulators.credentials().fcm_service_account)?;
        Ok(account.token(&["https://www.googleapis.com/auth/firebase.messaging"]).await?.as_str().to_owned())
    }

    /// A message that FCM accepts.
    pub fn message(token: &str) -> Value {
        json!({ "message": {
            "token": token,
            "notification": { "title": "请居家", "body": "…" },
            "data": { "alert": "1" },
            "android": { "collapse_key": "alert-1", "ttl": "1800s", "priority": "HIGH" },
        }})
    }

    pub async fn send(&self, access_token: &str, body: &Value) -> Response {
        let url =
            format!("{}/v1/projects/{}/messages:send", self.simulators.addresses().fcm_url(), self.simulators.credentials().fcm_project);
        self.http.post(url).bearer_auth(access_token).json(body).send().await.unwrap()
    }

    /// A session with the SMS centre.
    pub async fn bound(&self) -> Esme {
        let credentials = self.simulators.credentials();
        self.bind(&credentials.smpp_system_id, &credentials.smpp_password).await.unwrap()
    }

    pub async fn bind(&self, system_id: &str, password: &str) -> Result<Esme, CommandStatus> {
        let socket = TcpStream::connect(self.simulators.addresses().smpp).await.unwrap();
        socket.set_nodelay(true).unwrap();
        let (client, events) = ConnectionBuilder::new().disable_interface_version_check().no_response_timeout().connected(socket);
        let bind = BindTransceiver::builder()
            .system_id(COctetString::from_str(system_id).unwrap())
            .password(COctetString::from_str(password).unwrap())
            .interface_version(InterfaceVersion::Smpp3_4)
            .build();
        client.bind_transceiver(bind).await.map_err(status)?;
        Ok(Esme { client, events: Box::new(events) })
    }
}

/// A client that trusts the simulators' authority and speaks HTTP/2 only.
pub fn client(simulators: &Simulators) -> Client {
    let ca = Certificate::from_pem(simulators.credentials().ca_pem.as_bytes()).unwrap();
    building().tls_certs_only([ca]).http2_prior_knowledge().build().unwrap()
}

/// A client for what they say without encryption.
pub fn plain_client() -> Client {
    building().build().unwrap()
}

#[expect(clippy::disallowed_methods, reason = "where the clients of these stories are made")]
fn building() -> ClientBuilder {
    Client::builder()
}

/// An answer's status and JSON.
pub async fn answer(response: Response) -> (u16, Value) {
    let status = response.status().as_u16();
    let body = response.bytes().await.unwrap();
    (status, serde_json::from_slice(&body).unwrap_or_default())
}

/// The platform's side of an SMPP session.
pub struct Esme {
    pub client: rusmppc::Client,
    events: Box<dyn Stream<Item = Event> + Unpin + Send>,
}

impl Esme {
    /// Submits one message that fits into one segment and asks for a receipt; gives its id.
    pub async fn submit(&self, phone: &str, text: &str) -> Result<String, CommandStatus> {
        self.submit_sm(sms(phone, text)).await
    }

    pub async fn submit_sm(&self, submit: SubmitSm) -> Result<String, CommandStatus> {
        soon(self.client.submit_sm(submit)).await.map(|response| response.message_id().as_str().to_owned()).map_err(status)
    }

    /// The next receipt or reply, acknowledged.
    pub async fn next(&mut self) -> DeliverSm {
        let (sequence_number, delivery) = self.next_unacknowledged().await;
        self.client.deliver_sm_resp(sequence_number, DeliverSmResp::default()).await.unwrap();
        delivery
    }

    pub async fn next_unacknowledged(&mut self) -> (u32, DeliverSm) {
        loop {
            if let Event::Incoming(command) = soon(self.events.next()).await.expect("the session should still be open")
                && let Some(Pdu::DeliverSm(delivery)) = command.pdu()
            {
                return (command.sequence_number(), delivery.clone());
            }
        }
    }

    /// Waits for the end of the session.
    pub async fn ended(mut self) {
        soon(async { while self.events.next().await.is_some() {} }).await;
    }
}

/// The status that a refused command was answered with.
pub fn status(error: rusmppc::error::Error) -> CommandStatus {
    match error {
        rusmppc::error::Error::UnexpectedResponse { response } => response.status(),
        other => panic!("not refused but failed: {other}"),
    }
}

pub fn plain_esm_class() -> EsmClass {
    EsmClass::new(MessagingMode::Default, MessageType::Default, Ansi41Specific::Other(0), GsmFeatures::NotSelected)
}

pub fn with_receipt() -> RegisteredDelivery {
    RegisteredDelivery::from(u8::from(MCDeliveryReceipt::McDeliveryReceiptRequestedWhereFinalDeliveryOutcomeIsSuccessOrFailure))
}

/// A message of one segment: UCS-2 when it needs to be.
pub fn sms(phone: &str, text: &str) -> SubmitSm {
    let (octets, data_coding) = if text.is_ascii() {
        (text.as_bytes().to_vec(), DataCoding::McSpecific)
    } else {
        (text.encode_utf16().flat_map(u16::to_be_bytes).collect(), DataCoding::Ucs2)
    };
    SubmitSm::builder()
        .source_addr(COctetString::from_str("1069012320").unwrap())
        .destination_addr(COctetString::from_str(phone).unwrap())
        .esm_class(plain_esm_class())
        .registered_delivery(with_receipt())
        .data_coding(data_coding)
        .short_message(OctetString::from_vec(octets).unwrap())
        .build()
}
