//! Why FCM refuses: Google's status, canonical code and `FcmError` detail (Firebase, "ErrorCode").

use bytes::Bytes;
use http::{
    HeaderValue, Response, StatusCode,
    header::{CONTENT_TYPE, RETRY_AFTER},
};

/// A reason of refusal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Refusal {
    /// Not a path or method of this project.
    NotFound,
    /// No access token, or one that is unknown or too old.
    Unauthenticated,
    /// The body breaks the schema or a limit; says how.
    InvalidArgument(String),
    /// The registration token was never one.
    InvalidToken,
    Unregistered,
    /// The registration token is another project's.
    SenderIdMismatch,
    QuotaExceeded,
    Unavailable,
    Internal,
    ThirdPartyAuthError,
}

impl Refusal {
    /// FCM's own word, as counted.
    pub(super) fn error_code(&self) -> &'static str {
        match self {
            Self::NotFound => "NOT_FOUND",
            Self::Unauthenticated => "UNAUTHENTICATED",
            Self::InvalidArgument(_) | Self::InvalidToken => "INVALID_ARGUMENT",
            Self::Unregistered => "UNREGISTERED",
            Self::SenderIdMismatch => "SENDER_ID_MISMATCH",
            Self::QuotaExceeded => "QUOTA_EXCEEDED",
            Self::Unavailable => "UNAVAILABLE",
            Self::Internal => "INTERNAL",
            Self::ThirdPartyAuthError => "THIRD_PARTY_AUTH_ERROR",
        }
    }

    fn status(&self) -> StatusCode {
        match self {
            Self::NotFound | Self::Unregistered => StatusCode::NOT_FOUND,
            Self::Unauthenticated | Self::ThirdPartyAuthError => StatusCode::UNAUTHORIZED,
            Self::SenderIdMismatch => StatusCode::FORBIDDEN,
            Self::InvalidArgument(_) | Self::InvalidToken => StatusCode::BAD_REQUEST,
            Self::QuotaExceeded => StatusCode::TOO_MANY_REQUESTS,
            Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// `google.rpc.Code`.
    fn canonical(&self) -> &'static str {
        match self {
            Self::Unregistered => "NOT_FOUND",
            Self::SenderIdMismatch => "PERMISSION_DENIED",
            Self::ThirdPartyAuthError => "UNAUTHENTICATED",
            Self::QuotaExceeded => "RESOURCE_EXHAUSTED",
            other => other.error_code(),
        }
    }

    fn message(&self) -> &str {
        match self {
            Self::NotFound | Self::Unregistered => "Requested entity was not found.",
            Self::Unauthenticated => {
                "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other valid authentication credential."
            }
            Self::SenderIdMismatch => "SenderId mismatch",
            Self::InvalidArgument(message) => message,
            Self::InvalidToken => "The registration token is not a valid FCM registration token",
            Self::QuotaExceeded => "Quota exceeded for quota metric 'Send requests' and limit 'Send requests per minute'.",
            Self::Unavailable => "The service is currently unavailable.",
            Self::Internal => "Internal error encountered.",
            Self::ThirdPartyAuthError => "Auth error from APNS or Web Push Service",
        }
    }

    pub(super) fn response(&self, retry_after_s: u32) -> Response<Bytes> {
        let mut error = serde_json::json!({ "code": self.status().as_u16(), "message": self.message(), "status": self.canonical() });
        if !matches!(self, Self::NotFound | Self::Unauthenticated) {
            let detail =
                serde_json::json!({ "@type": "type.googleapis.com/google.firebase.fcm.v1.FcmError", "errorCode": self.error_code() });
            error["details"] = serde_json::json!([detail]);
        }
        let mut response = json(self.status(), Bytes::from(serde_json::json!({ "error": error }).to_string()));
        if retry_after_s > 0 {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(retry_after_s));
        }
        response
    }
}

/// An answer in JSON.
pub(super) fn json(status: StatusCode, body: Bytes) -> Response<Bytes> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json; charset=UTF-8"));
    response
}
