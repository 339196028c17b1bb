//! The HTTP/2 sender against a server that does exactly what a test says: every frame here is on a real socket.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::future::join_all;
use http::uri::PathAndQuery;
use http::{HeaderMap, StatusCode};
use push::sender::{Address, Answer, Failure, Limits, Request, Roots, Sender, Why};
use rustls_pki_types::PrivateKeyDer;
use tokio::net::TcpSocket;
use tokio_rustls::TlsAcceptor;

use crate::raw_http2::{Act, Event, RawServer, Seen};

const MANY: u32 = 1000;

/// After so long a test that has to wait for an answer that never comes takes it that none comes; the others come sooner on any machine.
const HUNG_AFTER: Duration = Duration::from_secs(3);

fn limits(connections: usize) -> Limits {
    Limits { connections, streams: 500, request_timeout: Duration::from_secs(60) }
}

fn sender(server: &RawServer, limits: Limits) -> Sender {
    let address = Address::parse(&format!("http://{}", server.address)).unwrap();
    Sender::new(address, &Roots::load(None).unwrap(), limits).unwrap()
}

async fn send(sender: &Sender, body: &str) -> Result<Answer, Failure> {
    let headers = HeaderMap::new();
    let request =
        Request { path: PathAndQuery::from_static("/3/device/00"), headers: &headers, own: None, body: Bytes::from(body.to_owned()) };
    sender.send(&request).await
}

/// Sends `count` requests at once, with the bodies "0", "1", and so on.
async fn send_many(sender: &Sender, count: usize) -> Vec<Result<Answer, Failure>> {
    join_all((0..count).map(|body| async move { send(sender, &body.to_string()).await })).await
}

fn accept(_: usize, event: Event, _: &Seen) -> Vec<Act> {
    match event {
        Event::Request(stream) => vec![Act::Accept(stream)],
        Event::Pong => Vec::new(),
    }
}

fn all_accepted(answers: &[Result<Answer, Failure>]) -> bool {
    answers.iter().all(|answer| answer.as_ref().is_ok_and(|answer| answer.status == StatusCode::OK))
}

#[tokio::test]
async fn one_stream_is_opened_until_the_server_has_answered_once() {
    let open_before_the_first_answer = Arc::new(std::sync::Mutex::new(None));
    let noted = Arc::clone(&open_before_the_first_answer);
    let mut first = None;
    let server = RawServer::start(MANY, None, move |connection, event, seen: &Seen| match event {
        // Whatever the client wants to send has come when it answers the ping.
        Event::Request(stream) if first.is_none() => {
            first = Some(stream);
            vec![Act::Ping]
        }
        Event::Request(stream) => vec![Act::Accept(stream)],
        Event::Pong => {
            *noted.lock().unwrap() = Some(seen.open_on(connection));
            first.map(Act::Accept).into_iter().collect()
        }
    })
    .await;
    let answers = send_many(&sender(&server, limits(1)), 50).await;
    assert!(all_accepted(&answers));
    assert_eq!(*open_before_the_first_answer.lock().unwrap(), Some(1));
    assert!(server.seen.lock().unwrap().most_open > 1, "the window opens after the first answer");
}

#[tokio::test]
async fn the_servers_bound_on_streams_is_followed_also_when_it_rises() {
    let mut held = Vec::new();
    let mut allowed = 3;
    let mut answered = 0;
    let server = RawServer::start(3, None, move |_, event, _: &Seen| {
        let Event::Request(stream) = event else { return Vec::new() };
        held.push(stream);
        // Answers only when no further stream can be open: 1 at first, then 3 at a time, from the 31st on 5.
        let full = if answered == 0 { 1 } else { allowed };
        if held.len() < full {
            return Vec::new();
        }
        answered += held.len();
        let mut acts: Vec<_> = held.drain(..).map(Act::Accept).collect();
        if answered == 31 {
            allowed = 5;
            acts.insert(0, Act::Allow(5));
        }
        acts
    })
    .await;
    let answers = send_many(&sender(&server, limits(1)), 1 + 30 + 20).await;
    assert!(all_accepted(&answers));
    assert_eq!(server.seen.lock().unwrap().most_open, 5);
}

#[tokio::test]
async fn after_a_goaway_streams_below_its_last_finish_and_those_above_are_repeated_elsewhere() {
    let mut streams = Vec::new();
    let server = RawServer::start(MANY, None, move |connection, event, _: &Seen| match (connection, event) {
        (0, Event::Request(1)) => vec![Act::Accept(1)],
        (0, Event::Request(stream)) => {
            streams.push(stream);
            if streams.len() < 5 {
                return Vec::new();
            }
            vec![Act::GoAway(5), Act::Accept(3), Act::Accept(5)]
        }
        (_, Event::Request(stream)) => vec![Act::Accept(stream)],
        _ => Vec::new(),
    })
    .await;
    let answers = send_many(&sender(&server, limits(1)), 6).await;
    assert!(all_accepted(&answers));
    let seen = server.seen.lock().unwrap();
    assert_eq!((seen.accepted[&0].len(), seen.accepted[&1].len()), (3, 3));
    let mut accepted: Vec<_> = seen.accepted.values().flatten().cloned().collect();
    accepted.sort();
    assert_eq!(accepted, ["0", "1", "2", "3", "4", "5"], "everybody once");
}

#[tokio::test]
async fn a_refused_stream_is_repeated() {
    let mut refused = false;
    let server = RawServer::start(MANY, None, move |_, event, _: &Seen| match event {
        Event::Request(stream) if !std::mem::replace(&mut refused, true) => vec![Act::Refuse(stream)],
        Event::Request(stream) => vec![Act::Accept(stream)],
        Event::Pong => Vec::new(),
    })
    .await;
    assert!(send(&sender(&server, limits(1)), "once").await.is_ok());
    let seen = server.seen.lock().unwrap();
    assert_eq!((seen.arrived.len(), seen.connections), (2, 1));
}

#[tokio::test]
async fn a_stream_that_is_always_refused_is_given_up() {
    let server = RawServer::start(MANY, None, |_, event, _: &Seen| match event {
        Event::Request(stream) => vec![Act::Refuse(stream)],
        Event::Pong => Vec::new(),
    })
    .await;
    assert_eq!(send(&sender(&server, limits(1)), "never").await.unwrap_err(), Failure::NotSent(Why::StreamRefused));
}

#[tokio::test]
async fn a_request_that_may_have_been_processed_is_not_repeated() {
    let server = RawServer::start(MANY, None, |connection, event, seen: &Seen| match connection {
        0 => vec![Act::Close],
        _ => accept(connection, event, seen),
    })
    .await;
    let sender = sender(&server, limits(1));
    assert_eq!(send(&sender, "lost").await.unwrap_err(), Failure::Unknown(Why::ConnectionLost));
    assert!(send(&sender, "next").await.is_ok(), "a new connection is opened");
    assert_eq!(server.seen.lock().unwrap().arrived, ["lost", "next"]);
}

#[tokio::test]
async fn a_server_that_hangs_costs_a_time_out_and_its_connection() {
    let server = RawServer::start(MANY, None, |connection, event, seen: &Seen| match connection {
        0 => Vec::new(),
        _ => accept(connection, event, seen),
    })
    .await;
    let sender = sender(&server, Limits { request_timeout: HUNG_AFTER, ..limits(1) });
    assert_eq!(send(&sender, "hangs").await.unwrap_err(), Failure::Unknown(Why::TimedOut));
    assert!(send(&sender, "next").await.is_ok());
    assert_eq!(server.seen.lock().unwrap().connections, 2);
}

#[tokio::test]
async fn an_answer_that_came_while_nobody_looked_counts_however_late_somebody_looks() {
    let server = RawServer::start(MANY, None, accept).await;
    let patience = Duration::from_millis(300);
    let sender = sender(&server, Limits { request_timeout: patience, ..limits(1) });
    assert!(send(&sender, "warm").await.is_ok());
    let headers = HeaderMap::new();
    let request = |body: &usize| {
        let body = Bytes::from(body.to_string());
        Some(Request { path: PathAndQuery::from_static("/3/device/00"), headers: &headers, own: None, body })
    };
    let mut flight = sender.flight(request);
    (0..3).for_each(|tag| flight.launch(tag));
    assert!(futures::poll!(std::pin::pin!(flight.next())).is_pending(), "they are sent");
    // whoever owns the flight is kept from it, by a database that stands still
    tokio::time::sleep(2 * patience).await;
    for tag in 0..3 {
        let (landed, answer) = flight.next().await.unwrap();
        assert_eq!((landed, answer.map(|answer| answer.status)), (tag, Ok(StatusCode::OK)));
    }
}

#[tokio::test]
async fn who_waits_behind_a_hanging_first_request_is_sent_elsewhere() {
    let server = RawServer::start(MANY, None, |connection, event, seen: &Seen| match connection {
        0 => Vec::new(),
        _ => accept(connection, event, seen),
    })
    .await;
    let answers = send_many(&sender(&server, Limits { request_timeout: HUNG_AFTER, ..limits(1) }), 20).await;
    assert_eq!(answers.iter().filter(|answer| answer.is_err()).count(), 1);
}

#[tokio::test]
async fn a_server_that_comes_back_is_reached_again() {
    // nobody else gets the port, and nobody is let in yet
    let closed = TcpSocket::new_v4().unwrap();
    closed.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let address = Address::parse(&format!("http://{}", closed.local_addr().unwrap())).unwrap();
    let sender = Sender::new(address, &Roots::load(None).unwrap(), limits(2)).unwrap();
    assert_eq!(send(&sender, "early").await.unwrap_err(), Failure::NotSent(Why::Unreachable));
    let _server = RawServer::on(closed.listen(16).unwrap(), MANY, None, accept);
    assert!(send(&sender, "late").await.is_ok());
}

#[tokio::test]
async fn a_long_answer_is_read_to_its_end_and_kept_in_part() {
    let server = RawServer::start(MANY, None, |_, event, _: &Seen| match event {
        Event::Request(stream) => vec![Act::AcceptWith(stream, vec![b'x'; 200_000])],
        Event::Pong => Vec::new(),
    })
    .await;
    let sender = sender(&server, limits(1));
    for _ in 0..3 {
        assert_eq!(send(&sender, "long").await.unwrap().body.len(), 64 * 1024);
    }
    let seen = server.seen.lock().unwrap();
    assert_eq!((seen.reset, seen.connections), (0, 1), "no stream is reset, the connection stays");
}

#[tokio::test]
async fn an_endless_answer_is_cut() {
    let server = RawServer::start(MANY, None, |_, event, _: &Seen| match event {
        Event::Request(stream) => vec![Act::AcceptWith(stream, vec![b'x'; 3_000_000])],
        Event::Pong => Vec::new(),
    })
    .await;
    assert_eq!(send(&sender(&server, limits(1)), "endless").await.unwrap().body.len(), 64 * 1024);
}

#[tokio::test]
async fn a_body_that_breaks_off_leaves_the_status_standing() {
    let server = RawServer::start(MANY, None, |_, event, _: &Seen| match event {
        Event::Request(stream) => vec![Act::BreakOff(stream, b"{\"rea".to_vec())],
        Event::Pong => Vec::new(),
    })
    .await;
    let answer = send(&sender(&server, limits(1)), "broken").await.unwrap();
    assert_eq!((answer.status, &answer.body[..]), (StatusCode::OK, &b"{\"rea"[..]));
}

#[tokio::test]
async fn a_body_larger_than_a_buffer_arrives_whole() {
    let server = RawServer::start(MANY, None, accept).await;
    let body = "发热请就诊。".repeat(300);
    assert!(send(&sender(&server, limits(1)), &body).await.is_ok());
    assert_eq!(server.seen.lock().unwrap().arrived, [body]);
}

/// The fuller a connection is, the more requests share a record and a system call: the next one is for what does not fit.
#[tokio::test]
async fn what_one_connection_cannot_hold_goes_over_the_others() {
    let (all_are_full, filled) = tokio::sync::oneshot::channel();
    let mut all_are_full = Some(all_are_full);
    let server = RawServer::start(MANY, None, move |connection, event, seen: &Seen| {
        let Event::Request(stream) = event else { return Vec::new() };
        if !seen.accepted.contains_key(&connection) {
            return vec![Act::Accept(stream)];
        }
        if (0..3).all(|connection| seen.open_on(connection) == 10) {
            let _ = all_are_full.take().map(|full| full.send(()));
        }
        Vec::new()
    })
    .await;
    let sender = sender(&server, Limits { streams: 10, ..limits(3) });
    // One on each connection is answered, which opens its window; the others stay, ten on each.
    tokio::select! {
        _ = send_many(&sender, 3 + 30) => unreachable!("thirty are never answered"),
        filled = filled => filled.unwrap(),
    }
    assert_eq!(server.seen.lock().unwrap().connections, 3);
}

struct Authority {
    pem: String,
    acceptor: TlsAcceptor,
}

fn authority(protocols: &[&[u8]]) -> Authority {
    let own = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![own.cert.der().clone()], PrivateKeyDer::Pkcs8(own.signing_key.serialize_der().into()))
        .unwrap();
    config.alpn_protocols = protocols.iter().map(|protocol| protocol.to_vec()).collect();
    Authority { pem: own.cert.pem(), acceptor: TlsAcceptor::from(Arc::new(config)) }
}

async fn answer_over_tls(authority: Authority, extra_ca: Option<&Path>) -> Result<Answer, Failure> {
    let server = RawServer::start(MANY, Some(authority.acceptor), accept).await;
    let address = Address::parse(&format!("https://{}", server.address)).unwrap();
    let sender = Sender::new(address, &Roots::load(extra_ca).unwrap(), limits(1)).unwrap();
    send(&sender, "secret").await
}

#[tokio::test]
async fn a_server_is_believed_by_the_extra_ca_file_only() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("ca.pem");
    let trusted = authority(&[b"h2"]);
    std::fs::write(&file, &trusted.pem).unwrap();
    assert!(answer_over_tls(trusted, Some(&file)).await.is_ok());
    assert_eq!(answer_over_tls(authority(&[b"h2"]), Some(&file)).await.unwrap_err(), Failure::NotSent(Why::Unreachable));
}

#[tokio::test]
async fn a_server_that_does_not_agree_on_http_2_is_not_spoken_to() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("ca.pem");
    let old = authority(&[]);
    std::fs::write(&file, &old.pem).unwrap();
    assert_eq!(answer_over_tls(old, Some(&file)).await.unwrap_err(), Failure::NotSent(Why::Unreachable));
}
