//! A service's interface, asked without a network.

use axum::Router;
use axum::body::Body;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderMap, Method, Request, Response, StatusCode};
use http_body_util::BodyExt as _;
use platform::http::{Authenticators, Routes, Shell};
use serde_json::Value;
use tower::ServiceExt as _;

use crate::line::Line;

/// Where a service is asked.
#[derive(Clone, Debug)]
pub struct Desk(Router);

/// How a request was answered.
#[derive(Clone, Debug)]
pub struct Answer {
    /// With which status.
    pub status: StatusCode,
    /// With which headers.
    pub headers: HeaderMap,
    /// With which JSON: null where there is no body, a text where it is no JSON.
    pub body: Value,
}

impl Answer {
    /// The text at this place of the body; empty where there is none.
    pub fn text(&self, pointer: &str) -> String {
        self.body.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned()
    }
}

impl Desk {
    /// Where these routes are asked by these callers.
    pub fn of(routes: Routes, callers: Authenticators) -> Self {
        Self::at(Shell::new(routes, callers))
    }

    /// Where what this shell answers is asked.
    pub fn at(shell: Shell) -> Self {
        Self(shell.router())
    }

    /// Reads.
    pub async fn get(&self, token: &str, path: &str) -> (StatusCode, Value) {
        self.send(Method::GET, token, path, Value::Null).await
    }

    /// Makes something, or does something.
    pub async fn post(&self, token: &str, path: &str, body: Value) -> (StatusCode, Value) {
        self.send(Method::POST, token, path, body).await
    }

    /// Replaces something.
    pub async fn put(&self, token: &str, path: &str, body: Value) -> (StatusCode, Value) {
        self.send(Method::PUT, token, path, body).await
    }

    /// Changes something.
    pub async fn patch(&self, token: &str, path: &str, body: Value) -> (StatusCode, Value) {
        self.send(Method::PATCH, token, path, body).await
    }

    /// Takes something away.
    pub async fn delete(&self, token: &str, path: &str) -> StatusCode {
        self.send(Method::DELETE, token, path, Value::Null).await.0
    }

    /// Any request, and what its answer says.
    pub async fn send(&self, method: Method, token: &str, path: &str, body: Value) -> (StatusCode, Value) {
        let answer = self.ask(method, token, path, body).await;
        (answer.status, answer.body)
    }

    /// Any request, and its whole answer.
    pub async fn ask(&self, method: Method, token: &str, path: &str, body: Value) -> Answer {
        let (parts, octets) = self.answered(request(method, token, path, &body)).await;
        let body = match serde_json::from_slice(&octets) {
            Ok(body) => body,
            Err(_) if octets.is_empty() => Value::Null,
            Err(_) => Value::String(String::from_utf8_lossy(&octets).into_owned()),
        };
        Answer { status: parts.status, headers: parts.headers, body }
    }

    /// Reads what is no JSON.
    pub async fn read(&self, token: &str, path: &str) -> (StatusCode, String) {
        let (parts, octets) = self.answered(request(Method::GET, token, path, &Value::Null)).await;
        (parts.status, String::from_utf8(octets).unwrap())
    }

    /// Opens a live line; `after` is the id of the last event that was seen.
    pub async fn listen(&self, token: &str, path: &str, after: Option<&str>) -> Line {
        let mut request = request(Method::GET, token, path, &Value::Null);
        if let Some(after) = after {
            request.headers_mut().insert("last-event-id", after.parse().unwrap());
        }
        let response = self.respond(request).await;
        assert_eq!(response.status(), StatusCode::OK, "{path}");
        Line::new(response.into_body())
    }

    /// The whole answer to a request: how it begins, and its body to the end.
    pub async fn answered(&self, request: Request<Body>) -> (http::response::Parts, Vec<u8>) {
        let (parts, body) = self.respond(request).await.into_parts();
        (parts, body.collect().await.unwrap().to_bytes().to_vec())
    }

    /// The answer to a request; its body is not read.
    pub async fn respond(&self, request: Request<Body>) -> Response<Body> {
        self.0.clone().oneshot(request).await.unwrap()
    }
}

/// A request of whoever has the token, with a body unless it is null.
pub fn request(method: Method, token: &str, path: &str, body: &Value) -> Request<Body> {
    let mut request = Request::builder().method(method).uri(path);
    if !token.is_empty() {
        request = request.header(AUTHORIZATION, format!("Bearer {token}"));
    }
    let request = match body {
        Value::Null => request.body(Body::empty()),
        body => request.header(CONTENT_TYPE, "application/json").body(Body::from(body.to_string())),
    };
    request.unwrap()
}
