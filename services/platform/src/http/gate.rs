//! What stands before every single handler: its access rule, its limits, and a look at the texts of its address.

use std::convert::Infallible;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, HttpBody as _};
use axum::extract::{MatchedPath, Request};
use axum::response::{IntoResponse, Response};
use futures::future::BoxFuture;
use http::header::CONTENT_LENGTH;
use http::{HeaderMap, StatusCode};
use http_body_util::Limited;
use strum::VariantArray;
use tower::{Layer, Service};

use domain::staff::Role;

use super::authenticate::TurnedAway;
use super::caller::{key_elsewhere, second_factor_needed};
use super::limits::Limits;
use super::seen::{Guard, Seen};
use super::while_admitted::{Admission, WhileAdmitted};
use super::{Access, Caller, ClientAddress, Problem, Unproved, texts};

/// Problems that say that somebody lacks the right to what they asked for. Where one of staff does, or a key is used elsewhere, that leaves a trace.
const WITHOUT_A_RIGHT: [&str; 4] = ["role_not_allowed", "caller_not_allowed", "outside_scope", "key_elsewhere"];

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
                Ok(Admitted { request, limits, admission, visit }) => {
                    let answer = match limits.time {
                        Some(time) => within(time, inner.call(request)).await?,
                        None => while_admitted(admission, inner.call(request).await?),
                    };
                    if let (Some(visit), Some(code)) = (visit, without_a_right(&answer)) {
                        visit.turned_away(&code).await;
                    }
                    Ok(answer)
                }
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
    /// Of a caller who leaves a trace where the handler turns them away.
    visit: Option<Visit>,
}

/// A caller of whom it is told when they are turned away: one of staff, or a source.
struct Visit {
    guard: Arc<Guard>,
    token: Arc<str>,
    caller: Caller,
    client: ClientAddress,
    route: String,
}

impl Visit {
    fn of(caller: &Caller, token: &str, client: ClientAddress, guard: &Arc<Guard>, request: &Request) -> Option<Self> {
        matches!(caller, Caller::Staff(_) | Caller::Source(_)).then(|| {
            // the template, never the path: paths may name people
            let template = request.extensions().get::<MatchedPath>().map_or("none", MatchedPath::as_str);
            let route = format!("{} {template}", request.method());
            Self { guard: Arc::clone(guard), token: token.into(), caller: caller.clone(), client, route }
        })
    }

    /// Tells that they were turned away with this problem.
    async fn turned_away(&self, code: &str) {
        if WITHOUT_A_RIGHT.contains(&code) {
            let from = TurnedAway { client: self.client, route: &self.route, code };
            self.guard.authenticators.turned_away(&self.token, &self.caller, from).await;
        }
    }
}

/// The problem with which a handler says that somebody lacks the right, if it does.
fn without_a_right(answer: &Response) -> Option<String> {
    let problem = answer.extensions().get::<Problem>().filter(|_| answer.status() == StatusCode::FORBIDDEN);
    problem.map(|problem| problem.code.clone())
}

async fn admit(gate: Gate, mut request: Request) -> Result<Admitted, Problem> {
    let Some(Seen { guard, client, .. }) = request.extensions().get::<Seen>() else {
        // Routes served without the shell: nobody could be identified, so nobody gets in.
        return Err(Problem::of_status(StatusCode::INTERNAL_SERVER_ERROR));
    };
    let limits = gate.limits.unwrap_or(guard.limits);
    let (mut admission, mut visit) = (None, None);
    if gate.access != Access::Public {
        let (caller, token) = guard.authenticators.identify(request.method(), request.headers()).await?;
        visit = Visit::of(&caller, &token, *client, guard, &request);
        if let Err(problem) = may_enter(gate.access, &caller, *client) {
            if let Some(visit) = visit {
                visit.turned_away(&problem.code).await;
            }
            return Err(problem);
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
    Ok(Admitted { request, limits, admission, visit })
}

/// Whether somebody may call a route with this rule from there.
fn may_enter(access: Access, caller: &Caller, client: ClientAddress) -> Result<(), Problem> {
    match caller {
        Caller::Source(source) if !source.is_at_home(client.0) => Err(key_elsewhere()),
        caller if !access.admits(caller) => Err(not_admitted(access, caller)),
        _ => Ok(()),
    }
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
