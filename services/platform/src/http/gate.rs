//! What stands before every single handler: its access rule, its limits, and a look at the texts of its address.

use std::convert::Infallible;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, HttpBody as _};
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use futures::future::BoxFuture;
use http::header::CONTENT_LENGTH;
use http::{HeaderMap, StatusCode};
use http_body_util::Limited;
use strum::VariantArray;
use tower::{Layer, Service};

use domain::staff::Role;

use super::limits::Limits;
use super::seen::Seen;
use super::{Access, Problem, texts};

/// The rule of one route; `limits` where it has its own.
#[derive(Clone, Copy)]
pub(super) struct Gate {
    pub access: Access,
    pub limits: Option<Limits>,
}

impl<S> Layer<S> for Gate {
    type Service = Gated<S>;

    fn layer(&self, inner: S) -> Gated<S> {
        Gated { gate: *self, inner }
    }
}

/// A handler behind its gate.
#[derive(Clone)]
pub(super) struct Gated<S> {
    gate: Gate,
    inner: S,
}

impl<S> Service<Request> for Gated<S>
where
    S: Service<Request, Response = Response, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send,
{
    type Response = Response;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Response, Infallible>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let (gate, ready) = (self.gate, self.inner.clone());
        // the one that has said it is ready is the one to call
        let mut inner = std::mem::replace(&mut self.inner, ready);
        Box::pin(async move {
            match admit(gate, request).await {
                Ok((request, limits)) => within(limits.time, inner.call(request)).await,
                Err(problem) => Ok(problem.into_response()),
            }
        })
    }
}

async fn admit(gate: Gate, mut request: Request) -> Result<(Request, Limits), Problem> {
    let Some(Seen { guard, .. }) = request.extensions().get::<Seen>() else {
        // Routes served without the shell: nobody could be identified, so nobody gets in.
        return Err(Problem::of_status(StatusCode::INTERNAL_SERVER_ERROR));
    };
    let limits = gate.limits.unwrap_or(guard.limits);
    if gate.access != Access::Public {
        let caller = guard.authenticators.identify(request.method(), request.headers()).await?;
        if !gate.access.admits(&caller) {
            return Err(not_admitted(gate.access));
        }
        request.extensions_mut().insert(caller);
    }
    if announced_length(request.headers()).is_some_and(|length| length > limits.body as u64) {
        return Err(Problem::of_status(StatusCode::PAYLOAD_TOO_LARGE));
    }
    let request = texts::check_address(request).await?;
    if request.body().is_end_stream() {
        return Ok((request, limits));
    }
    Ok((request.map(|body| Body::new(Limited::new(body, limits.body))), limits))
}

async fn within(time: Option<Duration>, answering: impl Future<Output = Result<Response, Infallible>>) -> Result<Response, Infallible> {
    let Some(time) = time else { return answering.await };
    match tokio::time::timeout(time, answering).await {
        Ok(answer) => answer,
        Err(_) => Ok(Problem::of_status(StatusCode::GATEWAY_TIMEOUT).into_response()),
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
