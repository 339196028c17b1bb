//! Around every request: its id, its place in the log, its metrics, its security headers, and problems for all that failed.

use std::any::Any;
use std::convert::Infallible;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Instant;

use axum::extract::{MatchedPath, Request};
use axum::response::{IntoResponse, Response};
use chrono::SecondsFormat;
use domain::address_block::{AddressBlock, any_contains};
use futures::FutureExt as _;
use futures::future::BoxFuture;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderName, HeaderValue, StatusCode};
use tower::{Layer, Service};

use super::client_address::{FORWARDED, peer};
use super::current::{CURRENT, CurrentRequest};
use super::meters::{Meter, Meters};
use super::seen::{Guard, Seen};
use super::{ClientAddress, Problem, RequestId, request_id};
use crate::clock::Clock;

/// Set unless the response says otherwise (pages bring their own content policy).
const SECURITY_HEADERS: [(HeaderName, HeaderValue); 6] = [
    (http::header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (http::header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    (
        http::header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"),
    ),
    // The same as frame-ancestors, for browsers that do not know that.
    (http::header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
    // Over TLS a browser comes back by TLS only; without it no browser heeds this.
    (http::header::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=31536000")),
    // Answers hold what only this caller may see; pages set their own.
    (http::header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
];

/// The platform's time, in RFC 3339: pages count deadlines against it, not against the clock of the device they run on.
pub(super) const TIME_HEADER: HeaderName = HeaderName::from_static("x-fenghuo-time");

/// Template of a request that no route matches, in metrics and log lines.
const NO_ROUTE: &str = "none";

/// Asked for all the time, by machines: no news even where every answer is.
const VITAL: [&str; 3] = ["/healthz", "/readyz", "/metrics"];

/// Stands around every route and around what answers for none.
#[derive(Clone)]
pub(super) struct Observe(Arc<Observer>);

struct Observer {
    proxies: Vec<AddressBlock>,
    clock: Clock,
    guard: Arc<Guard>,
    meters: Meters,
    /// Whether it was said that somebody speaks for others whom nobody has named.
    unnamed_proxy: AtomicBool,
}

impl Observe {
    pub(super) fn new(proxies: Vec<AddressBlock>, clock: Clock, guard: Guard) -> Self {
        Self(Arc::new(Observer {
            proxies,
            clock,
            guard: Arc::new(guard),
            meters: Meters::default(),
            unnamed_proxy: AtomicBool::new(false),
        }))
    }
}

impl Observer {
    /// Says once that requests come from a proxy that is not in `http.trusted_proxies`: to whatever counts attempts by address, everybody behind
    /// it is one person. Whoever writes the header themselves brings this warning about too; what they say is believed by nobody.
    fn warn_of_unnamed_proxy(&self, request: &Request) {
        if self.unnamed_proxy.load(Ordering::Relaxed) || !request.headers().contains_key(FORWARDED) {
            return;
        }
        let is_named = peer(request.extensions()).is_none_or(|peer| any_contains(&self.proxies, peer));
        if !is_named && !self.unnamed_proxy.swap(true, Ordering::Relaxed) {
            // without the address: it may be a person's, who wrote the header themselves
            tracing::warn!(
                "a peer that http.trusted_proxies does not name speaks for others (X-Forwarded-For): if it is a proxy of yours, name it, or all \
                 who come through it count as one address"
            );
        }
    }
}

impl<S> Layer<S> for Observe {
    type Service = Observed<S>;

    fn layer(&self, inner: S) -> Observed<S> {
        Observed { observer: Arc::clone(&self.0), inner }
    }
}

/// A route, observed.
#[derive(Clone)]
pub(super) struct Observed<S> {
    observer: Arc<Observer>,
    inner: S,
}

impl<S> Service<Request> for Observed<S>
where
    S: Service<Request, Response = Response, Error = Infallible>,
    S::Future: Send + 'static,
{
    type Response = Response;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Response, Infallible>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: Request) -> Self::Future {
        let observer = &self.observer;
        let id = RequestId::of(request.headers());
        // The template, never the path: paths and query strings may name people.
        let route = request.extensions().get::<MatchedPath>();
        let meter = observer.meters.of(route.map_or(NO_ROUTE, MatchedPath::as_str), request.method());
        let client = ClientAddress::of(request.extensions(), request.headers(), &observer.proxies);
        observer.warn_of_unnamed_proxy(&request);
        let current = Arc::new(CurrentRequest { id, meter });
        request.extensions_mut().insert(Seen { request: Arc::clone(&current), client, guard: Arc::clone(&observer.guard) });
        let started = Instant::now();
        let leaving = current.meter.enter();
        let seen = Arc::clone(&current);
        let clock = observer.clock.clone();
        let answer = catch_unwind(AssertUnwindSafe(|| self.inner.call(request)));
        let observed = async move {
            let answer = match answer {
                Ok(answering) => AssertUnwindSafe(answering).catch_unwind().await,
                Err(panic) => Err(panic),
            };
            let response = match answer {
                Ok(Ok(response)) => response,
                Err(panic) => after_panic(panic),
            };
            drop(leaving);
            tell(&seen.meter, response.status(), started);
            Ok(finish(response, &seen.id, &clock))
        };
        Box::pin(CURRENT.scope(current, observed))
    }
}

/// Counts the answer and tells of it: of one that went well only to who asks for more than the news, since at the pace at which
/// residents answer an alert its line would cost more than the answer.
fn tell(meter: &Meter, status: StatusCode, started: Instant) {
    let elapsed = started.elapsed();
    meter.answered(status, elapsed);
    let (status, duration_ms) = (status.as_u16(), elapsed.as_secs_f64() * 1000.0);
    if status < 400 || VITAL.contains(&meter.route.as_str()) {
        tracing::debug!(status, duration_ms, "request answered");
    } else {
        tracing::info!(status, duration_ms, "request answered");
    }
}

fn finish(response: Response, id: &RequestId, clock: &Clock) -> Response {
    let mut response = as_problem(response, id);
    let headers = response.headers_mut();
    if let Ok(now) = HeaderValue::from_str(&clock.now().to_rfc3339_opts(SecondsFormat::Millis, true)) {
        headers.insert(TIME_HEADER, now);
    }
    headers.insert(request_id::HEADER, id.header_value());
    for (name, value) in SECURITY_HEADERS {
        headers.entry(name).or_insert(value);
    }
    response
}

/// Problems get the request id; failures that some library answered in plain text become problems.
fn as_problem(mut response: Response, id: &RequestId) -> Response {
    let mut problem = match response.extensions_mut().remove::<Problem>() {
        Some(problem) => problem,
        None if is_bare_failure(&response) => Problem::of_status(response.status()),
        None => return response,
    };
    problem.instance = Some(id.as_str().to_owned());
    let (told_parts, body) = problem.into_response().into_parts();
    let (mut parts, _) = response.into_parts();
    // Keep what the response already says (Allow, Set-Cookie, …).
    parts.headers.remove(CONTENT_LENGTH);
    parts.headers.extend(told_parts.headers);
    Response::from_parts(parts, body)
}

fn is_bare_failure(response: &Response) -> bool {
    let failed = response.status().is_client_error() || response.status().is_server_error();
    let content_type = response.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    failed && (content_type.is_empty() || content_type.starts_with("text/plain"))
}

/// What a panic in a handler becomes. Its message may quote data, so it is not repeated; the panic hook records the place.
fn after_panic(_message: Box<dyn Any + Send>) -> Response {
    metrics::counter!("http_handler_panics_total").increment(1);
    Problem::of_status(StatusCode::INTERNAL_SERVER_ERROR).into_response()
}

/// What an address without a route answers.
pub(super) async fn no_such_address() -> Problem {
    Problem::of_status(StatusCode::NOT_FOUND)
}

/// What a route answers to a method it does not know.
pub(super) async fn no_such_method() -> Problem {
    Problem::of_status(StatusCode::METHOD_NOT_ALLOWED)
}
