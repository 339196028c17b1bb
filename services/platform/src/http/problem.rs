//! What went wrong, told so that the caller can act on it (RFC 9457).

use std::borrow::Cow;
use std::error::Error;
use std::ops::{Deref, DerefMut};
use std::time::Duration;

use axum::response::{IntoResponse, Response};
use http::header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderValue, StatusCode};
use serde::{Deserialize, Serialize};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use crate::tasks::chain;

/// Media type of a problem.
pub(super) const MEDIA_TYPE: &str = "application/problem+json";

/// A failure as the caller sees it: a [`ProblemDocument`], boxed because every handler returns one or the other.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Problem(Box<ProblemDocument>);

/// What a problem says. `code` is stable and for programs; `detail` and `detail_en` are sentences for people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = Problem)]
pub struct ProblemDocument {
    /// URI that names the kind of problem: `urn:fenghuo:problem:<code>`.
    #[serde(rename = "type")]
    #[schema(example = "urn:fenghuo:problem:outside_scope")]
    pub kind: String,
    /// Short name of the status.
    #[schema(example = "Forbidden")]
    pub title: String,
    /// HTTP status.
    #[schema(example = 403)]
    pub status: u16,
    /// Stable name of the problem, for programs.
    #[schema(example = "outside_scope")]
    pub code: String,
    /// What is wrong and what to do, in Chinese.
    pub detail: String,
    /// The same in English.
    pub detail_en: String,
    /// Id of the request: quote it when asking for help.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance: Option<String>,
    /// Which fields are wrong, where fields are.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldFault>,
    /// Seconds after which trying again makes sense.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<u64>,
}

/// One field that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FieldFault {
    /// Path of the field, such as `texts.zh-CN.headline`; `body` for the whole.
    pub field: String,
    /// What is wrong with it, in Chinese.
    pub reason: String,
    /// The same in English.
    pub reason_en: String,
}

impl FieldFault {
    /// A fault of one field.
    pub fn new(field: impl Into<String>, reason: impl Into<String>, reason_en: impl Into<String>) -> Self {
        Self { field: field.into(), reason: reason.into(), reason_en: reason_en.into() }
    }
}

impl Problem {
    /// A problem with its status, its stable code, and what to do about it in Chinese and English.
    pub fn new(status: StatusCode, code: &str, detail: impl Into<String>, detail_en: impl Into<String>) -> Self {
        Self(Box::new(ProblemDocument {
            kind: format!("urn:fenghuo:problem:{code}"),
            title: status.canonical_reason().unwrap_or("Unknown").to_owned(),
            status: status.as_u16(),
            code: code.to_owned(),
            detail: detail.into(),
            detail_en: detail_en.into(),
            instance: None,
            errors: Vec::new(),
            retry_after: None,
        }))
    }

    /// 400: the request could not be understood.
    pub fn bad_request(code: &str, detail: impl Into<String>, detail_en: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, detail, detail_en)
    }

    /// 403: understood, but not for this caller.
    pub fn forbidden(code: &str, detail: impl Into<String>, detail_en: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, code, detail, detail_en)
    }

    /// 404: no such object, or none that this caller may know of.
    pub fn not_found(code: &str, detail: impl Into<String>, detail_en: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, code, detail, detail_en)
    }

    /// 409: the object is in another state than the caller thought.
    pub fn conflict(code: &str, detail: impl Into<String>, detail_en: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, code, detail, detail_en)
    }

    /// 422 `invalid_fields`: the request was read, but these fields are wrong.
    pub fn invalid(errors: Vec<FieldFault>) -> Self {
        let mut fields: Vec<_> = errors.iter().map(|fault| fault.field.as_str()).collect();
        fields.dedup();
        let fields = fields.join(", ");
        let mut problem = Self::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "invalid_fields",
            format!("以下字段有误，请更正后重新提交：{fields}。"),
            format!("These fields are wrong; correct them and send again: {fields}."),
        );
        problem.errors = errors;
        problem
    }

    /// 400 `invalid_path`: a parameter in the path is wrong, so there can be nothing at this address.
    pub(super) fn invalid_path(fault: FieldFault) -> Self {
        let field = &fault.field;
        let mut problem = Self::bad_request(
            "invalid_path",
            format!("路径中的 {field} 无效，请核对地址。"),
            format!("The address is not valid at {field}. Check it."),
        );
        problem.errors.push(fault);
        problem
    }

    /// 429 `too_many_requests`: what was asked is fine, but not so often.
    pub fn too_many_requests(after: Duration) -> Self {
        let seconds = after.as_secs().max(1);
        Self::new(
            StatusCode::TOO_MANY_REQUESTS,
            "too_many_requests",
            format!("请求过于频繁，请在 {seconds} 秒后重试。"),
            format!("Too many attempts. Try again in {seconds} seconds."),
        )
        .retry_after(after)
    }

    /// 503: something this service stands on does not answer at the moment. Logs the error with its sources.
    pub fn unavailable(error: &(dyn Error + 'static)) -> Self {
        tracing::warn!(error = chain(error), "request failed: a dependency is unavailable");
        Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "unavailable",
            "服务暂时不可用，请稍后重试。",
            "The service is unavailable at the moment. Try again shortly.",
        )
        .retry_after(Duration::from_secs(5))
    }

    /// 500: our fault. Logs the error with its sources; the caller learns only the request id to quote.
    pub fn internal(error: &(dyn Error + 'static)) -> Self {
        tracing::error!(error = chain(error), "request failed: internal error");
        Self::of_status(StatusCode::INTERNAL_SERVER_ERROR)
    }

    /// Adds a fault of one field.
    #[must_use]
    pub fn fault(mut self, field: impl Into<String>, reason: impl Into<String>, reason_en: impl Into<String>) -> Self {
        self.errors.push(FieldFault::new(field, reason, reason_en));
        self
    }

    /// Says when trying again makes sense (header `Retry-After` as well).
    #[must_use]
    pub fn retry_after(mut self, after: Duration) -> Self {
        self.retry_after = Some(after.as_secs().max(1));
        self
    }

    /// The problem that a bare status stands for: for answers that were not made by a handler.
    pub(super) fn of_status(status: StatusCode) -> Self {
        let (code, detail, detail_en) = match status {
            StatusCode::UNAUTHORIZED => ("sign_in_required", "请先登录。", "Sign in first."),
            StatusCode::FORBIDDEN => ("forbidden", "您没有此操作的权限。", "You may not do this."),
            StatusCode::NOT_FOUND => ("not_found", "没有此地址，请核对路径。", "There is nothing at this address. Check the path."),
            StatusCode::METHOD_NOT_ALLOWED => (
                "method_not_allowed",
                "此地址不支持该请求方法，可用方法见 Allow 头。",
                "This address does not know that method; the Allow header lists those it knows.",
            ),
            StatusCode::PAYLOAD_TOO_LARGE => {
                ("body_too_large", "请求内容超过大小限制，请分批提交。", "The request body is larger than the limit. Send it in parts.")
            }
            StatusCode::UNSUPPORTED_MEDIA_TYPE => (
                "media_type_unsupported",
                "请使用 Content-Type: application/json 提交。",
                "Send the body with Content-Type: application/json.",
            ),
            StatusCode::REQUEST_TIMEOUT | StatusCode::GATEWAY_TIMEOUT => {
                ("timed_out", "处理超时，请稍后重试。", "This took too long. Try again shortly.")
            }
            status if status.is_server_error() => (
                "internal",
                "系统出错，已记录。请稍后重试；如仍失败，请将请求编号告知技术人员。",
                "Something failed on our side and was recorded. Try again shortly; if it fails again, quote the request id.",
            ),
            _ => ("bad_request", "请求有误，请核对后重试。", "The request could not be understood. Check it and try again."),
        };
        Self::new(status, code, detail, detail_en)
    }
}

impl Deref for Problem {
    type Target = ProblemDocument;

    fn deref(&self) -> &ProblemDocument {
        &self.0
    }
}

impl DerefMut for Problem {
    fn deref_mut(&mut self) -> &mut ProblemDocument {
        &mut self.0
    }
}

impl PartialSchema for Problem {
    fn schema() -> RefOr<Schema> {
        ProblemDocument::schema()
    }
}

impl ToSchema for Problem {
    fn name() -> Cow<'static, str> {
        ProblemDocument::name()
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        ProblemDocument::schemas(schemas);
    }
}

/// A store that is away may be back soon; a statement that the database refuses is our fault.
impl From<crate::Error> for Problem {
    fn from(error: crate::Error) -> Self {
        match &error {
            crate::Error::Database(cause) if !is_away(cause) => Self::internal(&error),
            crate::Error::Sealed { .. } | crate::Error::BucketTooSmall { .. } => Self::internal(&error),
            _ => Self::unavailable(&error),
        }
    }
}

impl From<sqlx::Error> for Problem {
    fn from(error: sqlx::Error) -> Self {
        crate::Error::from(error).into()
    }
}

fn is_away(error: &sqlx::Error) -> bool {
    use sqlx::Error::{Io, PoolClosed, PoolTimedOut, Tls, WorkerCrashed};

    match error {
        Io(_) | Tls(_) | PoolTimedOut | PoolClosed | WorkerCrashed => true,
        // Classes 08 and 57: connection lost, server shutting down; 53: out of resources.
        sqlx::Error::Database(error) => error.code().is_some_and(|code| ["08", "53", "57"].iter().any(|class| code.starts_with(class))),
        _ => false,
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        // The type holds text and numbers only, so this cannot fail; an empty body would still carry the status.
        let body = serde_json::to_vec(&self).unwrap_or_default();
        let mut response = (status, [(CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE))], body).into_response();
        if let Some(seconds) = self.retry_after {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        if status == StatusCode::UNAUTHORIZED {
            response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"fenghuo\""));
        }
        // `observe` takes it out again and adds the request id.
        response.extensions_mut().insert(self);
        response
    }
}
