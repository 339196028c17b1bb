//! Input of handlers. Same names and use as axum's extractors; what cannot be read is refused with a problem that names
//! the field.

use std::error::Error;

use axum::body::Body;
use axum::extract::path::ErrorKind;
use axum::extract::rejection::{JsonRejection, PathRejection, QueryRejection};
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::response::{IntoResponse, Response};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use http_body_util::{BodyExt, LengthLimitError};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::problem::FieldFault;
use super::unread::{self, Reason};
use super::{Problem, texts};

/// As many headers as an answer has when it leaves: room for them is taken once.
const HEADERS: usize = 8;

/// A JSON body, in or out.
#[derive(Debug, Clone, Copy, Default)]
pub struct Json<T>(pub T);

/// Parameters of the query string.
#[derive(Debug, Clone, Copy, Default)]
pub struct Query<T>(pub T);

/// Parameters of the path.
#[derive(Debug, Clone, Copy, Default)]
pub struct Path<T>(pub T);

/// [`Path`] under a name that utoipa does not look into: for ids of our own types, described by hand:
/// `Path(id): PathId<AlertId>` with `params(("id" = AlertId, Path, description = "…"))`.
pub type PathId<T> = Path<T>;

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _state: &S) -> Result<Self, Problem> {
        let content_type = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        if !content_type.is_some_and(is_json) {
            return Err(Problem::of_status(StatusCode::UNSUPPORTED_MEDIA_TYPE));
        }
        let body = read(request.into_body()).await?;
        texts::check_json(&body)?;
        axum::Json::from_bytes(&body).map(|axum::Json(value)| Self(value)).map_err(|rejection| not_json(&rejection))
    }
}

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        let body = match serde_json::to_vec(&self.0) {
            Ok(body) => body,
            Err(error) => return Problem::internal(&error).into_response(),
        };
        let mut response = Response::new(Body::from(body));
        *response.headers_mut() = HeaderMap::with_capacity(HEADERS);
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        response
    }
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        axum::extract::Query::try_from_uri(&parts.uri)
            .map(|axum::extract::Query(value)| Self(value))
            .map_err(|rejection: QueryRejection| Problem::invalid(vec![field_fault(&innermost(&rejection), "query")]))
    }
}

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Path<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        axum::extract::Path::from_request_parts(parts, state)
            .await
            .map(|axum::extract::Path(value)| Self(value))
            .map_err(|rejection| bad_path(&rejection))
    }
}

async fn read(body: Body) -> Result<bytes::Bytes, Problem> {
    match body.collect().await {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if caused_by_limit(&error) => Err(Problem::of_status(StatusCode::PAYLOAD_TOO_LARGE)),
        Err(_) => Err(Problem::bad_request(
            "body_incomplete",
            "请求内容未完整到达，请重新提交。",
            "The request body did not arrive completely. Send it again.",
        )),
    }
}

fn caused_by_limit(error: &(dyn Error + 'static)) -> bool {
    let mut next = Some(error);
    while let Some(error) = next {
        if error.is::<LengthLimitError>() {
            return true;
        }
        next = error.source();
    }
    false
}

/// `application/json` and `application/…+json`, with or without parameters.
fn is_json(content_type: &str) -> bool {
    let media_type = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    media_type == "application/json" || (media_type.starts_with("application/") && media_type.ends_with("+json"))
}

fn not_json(rejection: &JsonRejection) -> Problem {
    let message = innermost(rejection);
    match rejection {
        JsonRejection::JsonDataError(_) => Problem::invalid(vec![field_fault(&message, "body")]),
        // the text ends where it should go on, or is none at all
        _ => {
            let (line, column) = unread::place(&message).unwrap_or((1, 1));
            Problem::bad_request(
                "json_malformed",
                format!("请求内容不是有效的 JSON（第 {line} 行第 {column} 列），请更正后重新提交。"),
                format!("The body is not valid JSON (line {line}, column {column}). Correct it and send it again."),
            )
        }
    }
}

/// The message of the last cause: serde's own words, with the path of the field before them.
fn innermost(error: &(dyn Error + 'static)) -> String {
    // rejection → axum's wrapper → serde_path_to_error (prints path and reason) → the format's error (reason only)
    let mut chain = vec![error.to_string()];
    let mut next = error.source();
    while let Some(cause) = next {
        chain.push(cause.to_string());
        next = cause.source();
    }
    let reason = chain.last().cloned().unwrap_or_default();
    chain
        .into_iter()
        .rev()
        .take_while(|message| message.ends_with(&reason))
        .filter(|message| starts_with_path(message))
        .last()
        .unwrap_or(reason)
}

fn starts_with_path(message: &str) -> bool {
    message.split_once(": ").is_some_and(|(path, _)| !path.is_empty() && !path.contains(char::is_whitespace))
}

/// Takes serde's message apart: the path before it, and the name of a field that is missing.
fn field_fault(message: &str, whole: &str) -> FieldFault {
    let (path, reason) = match message.split_once(": ") {
        Some((path, reason)) if starts_with_path(message) => (path, reason),
        _ => ("", message),
    };
    let missing = reason.strip_prefix("missing field `").and_then(|rest| rest.split('`').next());
    let field = match (path, missing) {
        ("" | ".", None) => whole.to_owned(),
        ("" | ".", Some(name)) => name.to_owned(),
        (path, None) => path.to_owned(),
        (path, Some(name)) => format!("{path}.{name}"),
    };
    match missing {
        Some(_) => FieldFault::new(field, "缺少此字段", "is missing"),
        None => Reason::of(reason).at(field),
    }
}

fn bad_path(rejection: &PathRejection) -> Problem {
    let PathRejection::FailedToDeserializePathParams(failure) = rejection else {
        return Problem::of_status(StatusCode::INTERNAL_SERVER_ERROR);
    };
    let (field, reason) = match failure.kind() {
        ErrorKind::ParseErrorAtKey { key, expected_type, .. } => (key.clone(), Reason::of_type(expected_type)),
        ErrorKind::DeserializeError { key, message, .. } => (key.clone(), Reason::of(message)),
        ErrorKind::InvalidUtf8InPathParam { key } => (key.clone(), Reason::of("is not UTF-8")),
        ErrorKind::ParseErrorAtIndex { index, expected_type, .. } => (format!("path[{index}]"), Reason::of_type(expected_type)),
        ErrorKind::ParseError { expected_type, .. } => ("path".to_owned(), Reason::of_type(expected_type)),
        ErrorKind::WrongNumberOfParameters { .. } | ErrorKind::UnsupportedType { .. } => {
            return Problem::of_status(StatusCode::INTERNAL_SERVER_ERROR);
        }
        other => ("path".to_owned(), Reason::of(&other.to_string())),
    };
    Problem::invalid_path(reason.at(field))
}
