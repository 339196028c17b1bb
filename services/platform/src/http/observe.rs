//! Around every request: its id, its trace span, its metrics, its security headers, and problems for all that failed.

use std::any::Any;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

use axum::body::Body;
use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderName, HeaderValue, Method, StatusCode};
use tracing::Instrument;

use super::{ClientAddress, Problem, RequestId, request_id};

/// Set unless the response says otherwise (pages bring their own content policy).
const SECURITY_HEADERS: [(HeaderName, HeaderValue); 4] = [
    (http::header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (http::header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    (
        http::header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"),
    ),
    // Answers hold what only this caller may see; pages set their own.
    (http::header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
];

/// Template of a request that no route matches, in metrics and spans.
const NO_ROUTE: &str = "none";

pub(super) async fn observe(State(proxies): State<Arc<[IpAddr]>>, mut request: Request, next: Next) -> Response {
    let id = RequestId::of(request.headers());
    let method = known(request.method());
    // The template, never the path: paths and query strings may name people.
    let route = request.extensions().get::<MatchedPath>().map_or_else(|| NO_ROUTE.to_owned(), |path| path.as_str().to_owned());
    let client = ClientAddress::of(request.extensions(), request.headers(), &proxies);
    request.extensions_mut().insert(id.clone());
    request.extensions_mut().insert(client);

    let span = tracing::info_span!("request", request_id = id.as_str(), method, route);
    let started = Instant::now();
    let in_flight = metrics::gauge!("http_requests_in_flight");
    in_flight.increment(1.0);
    let guard = Leaving(in_flight);
    let response = next.run(request).instrument(span.clone()).await;
    drop(guard);

    let elapsed = started.elapsed();
    let status = response.status();
    metrics::counter!("http_requests_total", "method" => method, "route" => route.clone(), "status" => status.as_str().to_owned())
        .increment(1);
    metrics::histogram!("http_request_duration_seconds", "method" => method, "route" => route.clone()).record(elapsed.as_secs_f64());
    let _entered = span.enter();
    let duration_ms = elapsed.as_secs_f64() * 1000.0;
    if matches!(route.as_str(), "/healthz" | "/readyz" | "/metrics") {
        tracing::debug!(status = status.as_u16(), duration_ms, "request answered");
    } else {
        tracing::info!(status = status.as_u16(), duration_ms, "request answered");
    }
    finish(response, &id)
}

/// Counts the request out also when the client went away and the future is dropped.
struct Leaving(metrics::Gauge);

impl Drop for Leaving {
    fn drop(&mut self) {
        self.0.decrement(1.0);
    }
}

/// A method as a label: whatever strangers invent is one label.
fn known(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::HEAD => "HEAD",
        Method::OPTIONS => "OPTIONS",
        _ => "OTHER",
    }
}

fn finish(response: Response, id: &RequestId) -> Response {
    let mut response = as_problem(response, id);
    let headers = response.headers_mut();
    if let Some(value) = id.header_value() {
        headers.insert(request_id::HEADER, value);
    }
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
pub(super) fn after_panic(_message: Box<dyn Any + Send>) -> http::Response<Body> {
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
