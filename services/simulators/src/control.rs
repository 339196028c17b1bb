//! The control API, plain HTTP with JSON: look at the ledger, switch faults, let residents answer.
//!
//! | request | does |
//! |---|---|
//! | `GET /stats` | counts per provider |
//! | `GET /received?token=…` | how often and under which collapse ids a token was reached, and its last pushes; the id of a subscription too |
//! | `GET /sms?phone=…` | the same for a phone |
//! | `GET /recipients?provider=apns` | every recipient with its count, as CSV, streamed |
//! | `POST /faults` | `{"provider":"apns","faults":[…],"latency_ms":0,"goaway_after":null}` replaces that provider's faults |
//! | `POST /sms/reply` | `{"from":"138…","text":"收到"}`: a resident answers |
//! | `POST /reset` | forgets what arrived and heals all faults |

use axum::{
    Json, Router,
    body::Body,
    extract::{Query, State},
    http::{StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use bytes::Bytes;
use futures::stream;
use serde::{Deserialize, Serialize};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::{
    fault::FaultPlan,
    ledger::Count,
    received::{Provider, ReceivedPush, ReceivedSms},
    simulators::Simulators,
    statistics::Statistics,
};

#[derive(Deserialize)]
struct TokenQuery {
    token: String,
}

#[derive(Deserialize)]
struct PhoneQuery {
    phone: String,
}

#[derive(Deserialize)]
struct ProviderQuery {
    provider: Provider,
}

#[derive(Deserialize)]
struct NewFaults {
    provider: Provider,
    #[serde(flatten)]
    plan: FaultPlan,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Reply {
    from: String,
    text: String,
}

#[derive(Serialize)]
struct Received {
    apns: Count,
    fcm: Count,
    web_push: Count,
    pushes: Vec<ReceivedPush>,
}

#[derive(Serialize)]
struct ReceivedByPhone {
    #[serde(flatten)]
    count: Count,
    messages: Vec<ReceivedSms>,
}

async fn stats(State(simulators): State<Simulators>) -> Json<Statistics> {
    Json(simulators.statistics())
}

async fn received(State(simulators): State<Simulators>, Query(TokenQuery { token }): Query<TokenQuery>) -> Json<Received> {
    let count = |provider| simulators.ledger(provider).count(&token);
    let (apns, fcm, web_push) = (count(Provider::Apns), count(Provider::Fcm), count(Provider::WebPush));
    Json(Received { apns, fcm, web_push, pushes: simulators.pushes_to(&token) })
}

async fn sms(State(simulators): State<Simulators>, Query(PhoneQuery { phone }): Query<PhoneQuery>) -> Json<ReceivedByPhone> {
    let count = simulators.ledger(Provider::Sms).count(&crate::smsc::phone_key(&phone));
    Json(ReceivedByPhone { count, messages: simulators.sms_to(&phone) })
}

async fn recipients(State(simulators): State<Simulators>, Query(ProviderQuery { provider }): Query<ProviderQuery>) -> Response {
    let head = stream::iter([Ok::<_, std::convert::Infallible>(Bytes::from_static(b"recipient,times\n"))]);
    let slices = stream::unfold(0, move |index| {
        let lines = simulators.ledger(provider).slice(index).map(|slice| {
            let lines: String = slice.into_iter().map(|(recipient, times)| format!("{recipient},{times}\n")).collect();
            (Ok(Bytes::from(lines)), index + 1)
        });
        std::future::ready(lines)
    });
    ([(CONTENT_TYPE, "text/csv")], Body::from_stream(stream::StreamExt::chain(head, slices))).into_response()
}

async fn faults(State(simulators): State<Simulators>, Json(NewFaults { provider, plan }): Json<NewFaults>) -> StatusCode {
    simulators.set_faults(provider, plan);
    StatusCode::NO_CONTENT
}

async fn reply(State(simulators): State<Simulators>, Json(Reply { from, text }): Json<Reply>) -> StatusCode {
    simulators.reply(&from, &text);
    StatusCode::ACCEPTED
}

async fn reset(State(simulators): State<Simulators>) -> StatusCode {
    simulators.reset();
    StatusCode::NO_CONTENT
}

/// Serves the control API until stopped.
pub(crate) async fn listen(listener: TcpListener, simulators: Simulators, stop: CancellationToken) {
    let routes = Router::new()
        .route("/stats", get(stats))
        .route("/received", get(received))
        .route("/sms", get(sms))
        .route("/recipients", get(recipients))
        .route("/faults", post(faults))
        .route("/sms/reply", post(reply))
        .route("/reset", post(reset))
        .with_state(simulators);
    if let Err(error) = axum::serve(listener, routes).with_graceful_shutdown(stop.cancelled_owned()).await {
        tracing::error!(%error, "control API of the simulators ended");
    }
}
