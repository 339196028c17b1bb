//! What stands before every single handler: its access rule, then its limits.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::header::CONTENT_LENGTH;
use http::{HeaderMap, StatusCode};
use http_body_util::Limited;
use strum::VariantArray;

use domain::staff::Role;

use super::{Access, Authenticators, Problem};

/// How much a request may send and how long it may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Largest body, in bytes.
    pub body: usize,
    /// Longest time until the response begins; `None` for uploads and streams, whose length is their nature.
    pub time: Option<Duration>,
}

impl Limits {
    /// For an upload: this many bytes, as long as it takes.
    pub const fn upload(bytes: usize) -> Self {
        Self { body: bytes, time: None }
    }

    /// For a response that goes on (server-sent events, exports): a small request, as long as it takes.
    pub const fn stream() -> Self {
        Self { body: 64 * 1024, time: None }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self { body: 1024 * 1024, time: Some(Duration::from_secs(30)) }
    }
}

/// What the shell gives to all gates, as an extension of the request.
pub(super) struct Guard {
    pub authenticators: Authenticators,
    pub limits: Limits,
}

/// The rule of one route; `limits` where it has its own.
#[derive(Clone, Copy)]
pub(super) struct Gate {
    pub access: Access,
    pub limits: Option<Limits>,
}

pub(super) async fn pass(State(gate): State<Gate>, request: Request, next: Next) -> Response {
    match admit(gate, request).await {
        Ok((request, limits)) => run(request, limits, next).await,
        Err(problem) => problem.into_response(),
    }
}

async fn admit(gate: Gate, mut request: Request) -> Result<(Request, Limits), Problem> {
    let Some(guard) = request.extensions().get::<Arc<Guard>>().cloned() else {
        // Routes served without the shell: nobody could be identified, so nobody gets in.
        return Err(Problem::of_status(StatusCode::INTERNAL_SERVER_ERROR));
    };
    if gate.access != Access::Public {
        let (caller, credential) = guard.authenticators.identify(request.method(), request.headers()).await?;
        if !gate.access.admits(&caller) {
            return Err(not_admitted(gate.access));
        }
        request.extensions_mut().insert(caller);
        request.extensions_mut().insert(credential);
    }
    let limits = gate.limits.unwrap_or(guard.limits);
    if announced_length(request.headers()).is_some_and(|length| length > limits.body as u64) {
        return Err(Problem::of_status(StatusCode::PAYLOAD_TOO_LARGE));
    }
    Ok((request.map(|body| Body::new(Limited::new(body, limits.body))), limits))
}

async fn run(request: Request, limits: Limits, next: Next) -> Response {
    let Some(time) = limits.time else { return next.run(request).await };
    match tokio::time::timeout(time, next.run(request)).await {
        Ok(response) => response,
        Err(_) => Problem::of_status(StatusCode::GATEWAY_TIMEOUT).into_response(),
    }
}

fn announced_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

fn not_admitted(access: Access) -> Problem {
    let roles = access.roles();
    if roles.is_empty() || roles == Role::VARIANTS {
        return Problem::forbidden(
            "caller_not_allowed",
            "当前身份不能使用此接口，请换用正确的账号。",
            "This call is for another kind of account. Use an account of that kind.",
        );
    }
    let names = roles.iter().map(AsRef::as_ref).collect::<Vec<&str>>().join(", ");
    Problem::forbidden(
        "role_not_allowed",
        format!("您的角色没有此权限，需要以下角色之一：{names}。"),
        format!("Your role may not do this; it takes one of: {names}."),
    )
}
