//! Why a push service refuses (RFC 8030 §5, §7.3, §8.4; RFC 8292 §4.2).

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header::CONTENT_TYPE};

/// A reason of refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    MethodNotAllowed,
    NoSuchSubscription,
    Gone,
    Unauthorized,
    Forbidden,
    OtherKey,
    NoTtl,
    BadUrgency,
    BadTopic,
    BadEncoding,
    BadBody,
    TooLarge,
    TooManyRequests,
    InternalError,
    Unavailable,
}

impl Refusal {
    fn parts(self) -> (StatusCode, &'static str) {
        match self {
            Self::MethodNotAllowed => (StatusCode::METHOD_NOT_ALLOWED, "method not allowed"),
            Self::NoSuchSubscription => (StatusCode::NOT_FOUND, "no such subscription"),
            Self::Gone => (StatusCode::GONE, "push subscription has unsubscribed or expired"),
            Self::Unauthorized => (StatusCode::UNAUTHORIZED, "no valid VAPID token"),
            Self::Forbidden => (StatusCode::FORBIDDEN, "permission denied"),
            Self::OtherKey => (
                StatusCode::FORBIDDEN,
                "the VAPID credentials in the authorization header do not correspond to the credentials used to create the subscriptions",
            ),
            Self::NoTtl => (StatusCode::BAD_REQUEST, "missing or invalid TTL header"),
            Self::BadUrgency => (StatusCode::BAD_REQUEST, "invalid urgency header"),
            Self::BadTopic => (StatusCode::BAD_REQUEST, "invalid topic header"),
            Self::BadEncoding => (StatusCode::BAD_REQUEST, "content-encoding must be aes128gcm"),
            Self::BadBody => (StatusCode::BAD_REQUEST, "invalid aes128gcm body"),
            Self::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "payload too large"),
            Self::TooManyRequests => (StatusCode::TOO_MANY_REQUESTS, "too many requests"),
            Self::InternalError => (StatusCode::INTERNAL_SERVER_ERROR, "internal error"),
            Self::Unavailable => (StatusCode::SERVICE_UNAVAILABLE, "unavailable"),
        }
    }

    /// The word that refusals are counted by.
    pub(super) fn word(self) -> &'static str {
        self.parts().1
    }

    pub(super) fn response(self) -> Response<Bytes> {
        let (status, word) = self.parts();
        let mut response = Response::new(Bytes::from_static(word.as_bytes()));
        *response.status_mut() = status;
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain"));
        if status == StatusCode::UNAUTHORIZED {
            response.headers_mut().insert(http::header::WWW_AUTHENTICATE, HeaderValue::from_static("vapid"));
        }
        response
    }
}
