//! A bare HTTP/2 loop: what this machine's two ends of a TLS connection do together when there is no platform between.
//!
//! One connection to each provider, one task each, nothing looked up, nothing decided, nothing kept: the same requests as the platform
//! sends, with the number of the resident counted up in the token, as many streams open as the server allows.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use anyhow::{Context as _, Result, ensure};
use bytes::Bytes;
use futures::StreamExt as _;
use futures::stream::FuturesUnordered;
use h2::client::SendRequest;
use http::{HeaderMap, HeaderValue, Method, Request, Uri, Version};
use push::sender::{Address, Roots, Unvectored};
use tokio::net::TcpStream;

use crate::city::Providers;

/// Streams open at once on a connection: as many as the simulators allow.
const STREAMS: usize = 1000;

/// Sends `apns` + `fcm` messages as fast as the two ends can, to residents numbered from 1, and returns messages a second.
pub async fn bare_http2(providers: &Providers, apns: u32, fcm: u32) -> Result<f64> {
    let roots = Roots::load(Some(&providers.file("ca.pem")))?;
    let apple = Address::parse(&providers.addresses.apns_url())?;
    let google = Address::parse(&providers.addresses.fcm_url())?;
    let project = providers.credentials.fcm_project.clone();
    let (to_apple, to_google) = (Connection::open(&apple, &roots).await?, Connection::open(&google, &roots).await?);
    let began = Instant::now();
    let apple = tokio::spawn(async move { to_apple.run(1..=apns, |no| apns_request(&apple, no)).await });
    let google = tokio::spawn(async move { to_google.run(apns + 1..=apns + fcm, |no| fcm_request(&google, &project, no)).await });
    let answered = apple.await?? + google.await??;
    let seconds = began.elapsed().as_secs_f64();
    ensure!(answered == u64::from(apns) + u64::from(fcm), "{answered} of {} messages were accepted", apns + fcm);
    Ok(answered as f64 / seconds)
}

struct Connection(SendRequest<Bytes>);

impl Connection {
    async fn open(address: &Address, roots: &Roots) -> Result<Self> {
        let socket = TcpStream::connect((address.host(), address.port())).await?;
        socket.set_nodelay(true)?;
        let name = rustls_pki_types::ServerName::try_from(address.host().to_owned())?;
        let socket = roots.connector()?.connect(name, socket).await?;
        let (requests, connection) = h2::client::Builder::new()
            .enable_push(false)
            .initial_window_size(1 << 24)
            .initial_connection_window_size(1 << 24)
            .handshake::<_, Bytes>(Unvectored(socket))
            .await?;
        tokio::spawn(connection);
        Ok(Self(requests))
    }

    /// Keeps as many requests on their way as the server allows.
    async fn run<R>(self, numbers: std::ops::RangeInclusive<u32>, request: R) -> Result<u64>
    where
        R: Fn(u32) -> Result<(Request<()>, Bytes)>,
    {
        let mut requests = self.0;
        let accepted = Arc::new(AtomicU64::new(0));
        let mut flying = FuturesUnordered::new();
        for no in numbers {
            // one stream until the first answer, as APNs wants it
            let most = if accepted.load(Ordering::Relaxed) == 0 { 1 } else { STREAMS };
            while flying.len() >= most {
                flying.next().await.context("there is one")??;
            }
            requests = requests.ready().await?;
            let (head, body) = request(no)?;
            let (answer, mut stream) = requests.send_request(head, false)?;
            stream.send_data(body, true)?;
            let accepted = Arc::clone(&accepted);
            flying.push(async move {
                let mut answer = answer.await?;
                while let Some(data) = answer.body_mut().data().await {
                    let length = data?.len();
                    answer.body_mut().flow_control().release_capacity(length)?;
                }
                if answer.status().is_success() {
                    accepted.fetch_add(1, Ordering::Relaxed);
                }
                Ok::<_, h2::Error>(())
            });
        }
        while let Some(ended) = flying.next().await {
            ended?;
        }
        Ok(accepted.load(Ordering::Relaxed))
    }
}

fn head(address: &Address, path: String, headers: HeaderMap) -> Result<Request<()>> {
    let uri = Uri::builder().scheme(address.scheme().clone()).authority(address.authority().clone()).path_and_query(path).build()?;
    let mut head = Request::new(());
    *head.method_mut() = Method::POST;
    *head.version_mut() = Version::HTTP_2;
    *head.uri_mut() = uri;
    *head.headers_mut() = headers;
    Ok(head)
}

/// The headers and the payload have the size of those that the platform sends.
fn apns_request(address: &Address, no: u32) -> Result<(Request<()>, Bytes)> {
    let mut headers = HeaderMap::with_capacity(8);
    headers.insert("authorization", HeaderValue::from_static(BEARER));
    headers.insert("apns-topic", HeaderValue::from_static("cn.fenghuo.app"));
    headers.insert("apns-push-type", HeaderValue::from_static("alert"));
    headers.insert("apns-priority", HeaderValue::from_static("10"));
    headers.insert("apns-expiration", HeaderValue::from_static("1793000000"));
    headers.insert("apns-collapse-id", HeaderValue::from_static(ALERT));
    let mut id = HeaderValue::from_str(&format!("{no:08x}-0000-5000-8000-000000000000"))?;
    id.set_sensitive(true);
    headers.insert("apns-id", id);
    let path = format!("/3/device/{no:08x}{}", "0123456789abcdef".repeat(4).split_at(56).0);
    Ok((head(address, path, headers)?, Bytes::from_static(APNS_PAYLOAD.as_bytes())))
}

fn fcm_request(address: &Address, project: &str, no: u32) -> Result<(Request<()>, Bytes)> {
    let mut headers = HeaderMap::with_capacity(2);
    headers.insert("authorization", HeaderValue::from_static(BEARER));
    headers.insert("content-type", HeaderValue::from_static("application/json"));
    let body = format!("{{\"message\":{{\"token\":\"{no:08x}:fenghuo-0123456789abcdef0123456789abcdef\",{FCM_REST}");
    Ok((head(address, format!("/v1/projects/{project}/messages:send"), headers)?, Bytes::from(body)))
}

const ALERT: &str = "0199f3a2-0000-7000-8000-000000000000";
const BEARER: &str = "bearer eyJhbGciOiJFUzI1NiIsImtpZCI6IkFCQ0RFRkdISUoifQ.eyJpc3MiOiJBQkNERUZHSElKIiwiaWF0IjoxNzkzMDAwMDAwfQ.0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef012345";
const APNS_PAYLOAD: &str = r#"{"aps":{"alert":{"title":"请勿饮用自来水","body":"主供水管受污染，正在抢修。请饮用瓶装水。咨询电话：12320"},"interruption-level":"time-sensitive","sound":"default","category":"HEALTH_ALERT"},"alert_id":"0199f3a2-0000-7000-8000-000000000000"}"#;
const FCM_REST: &str = r#""data":{"alert_id":"0199f3a2-0000-7000-8000-000000000000","tag":"0199f3a2-0000-7000-8000-000000000000","sent_at_ms":"1799996400000","title":"请勿饮用自来水","body":"主供水管受污染，正在抢修。请饮用瓶装水。咨询电话：12320","channel_id":"urgent"},"android":{"priority":"HIGH","ttl":"21599s"}}}"#;
