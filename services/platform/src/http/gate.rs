//! What stands before every single handler: its access rule, its limits, and a look at the texts of its address.

use std::convert::Infallible;
use std::sync::Arc;
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

use super::caller::second_factor_needed;
use super::limits::Limits;
use super::seen::Seen;
use super::while_admitted::{Admission, WhileAdmitted};
use super::{Access, Caller, Problem, Unproved, texts};

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
                Ok(Admitted { request, limits: Limits { time: Some(time), .. }, .. }) => within(time, inner.call(request)).await,
                Ok(Admitted { request, admission, .. }) => Ok(while_admitted(admission, inner.call(request).await?)),
                Err(problem) => Ok(problem.into_response()),
            }
        })
    }
}

/// A request that its handler may have.
struct Admitted {
    request: Request,
    limits: Limits,
    /// Of a caller who has to be admitted for as long as it takes.
    admission: Option<Arc<Admission>>,
}

async fn admit(gate: Gate, mut request: Request) -> Result<Admitted, Problem> {
    let Some(Seen { guard, .. }) = request.extensions().get::<Seen>() else {
        // Routes served without the shell: nobody could be identified, so nobody gets in.
        return Err(Problem::of_status(StatusCode::INTERNAL_SERVER_ERROR));
    };
    let limits = gate.limits.unwrap_or(guard.limits);
    let mut admission = None;
    if gate.access != Access::Public {
        let (caller, token) = guard.authenticators.identify(request.method(), request.headers()).await?;
        if !gate.access.admits(&caller) {
            return Err(not_admitted(gate.access, &caller));
        }
        if limits.time.is_none() {
            let (authenticators, clock) = (guard.authenticators.clone(), guard.clock.clone());
            admission = Some(Arc::new(Admission { authenticators, clock, token: token.into(), caller: caller.clone() }));
        }
        request.extensions_mut().insert(caller);
    }
    if announced_length(request.headers()).is_some_and(|length| length > limits.body as u64) {
        return Err(Problem::of_status(StatusCode::PAYLOAD_TOO_LARGE));
    }
    let mut request = texts::check_address(request).await?;
    if !request.body().is_end_stream() {
        request = request.map(|body| {
            let body = Body::new(Limited::new(body, limits.body));
            match &admission {
                Some(admission) => WhileAdmitted::sending(body, admission),
                None => body,
            }
        });
    }
    Ok(Admitted { request, limits, admission })
}

fn while_admitted(admission: Option<Arc<Admission>>, answer: Response) -> Response {
    match admission {
        Some(admission) => WhileAdmitted::hearing(answer, &admission),
        None => answer,
    }
}

async fn within(time: Duration, answering: impl Future<Output = Result<Response, Infallible>>) -> Result<Response, Infallible> {
    match tokio::time::timeout(time, answering).await {
        Ok(answer) => answer,
        Err(_) => Ok(Problem::of_status(StatusCode::GATEWAY_TIMEOUT).into_response()),
    }
}

fn announced_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

fn not_admitted(access: Access, caller: &Caller) -> Problem {
    // the same whatever the role: what it may do nobody learns by a password alone
    if let Caller::Unproved(Unproved { needs, .. }) = caller {
        return second_factor_needed(*needs);
    }
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
