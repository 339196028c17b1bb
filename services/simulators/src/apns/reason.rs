//! Why APNs refuses, with Apple's status codes and words ("Handling notification responses from APNs", table 2).

use bytes::Bytes;
use http::StatusCode;

macro_rules! reasons {
    ($($(#[$doc:meta])* $reason:ident = $status:literal),+ $(,)?) => {
        /// A reason of refusal.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum Reason { $($(#[$doc])* $reason),+ }

        impl Reason {
            /// The word in the answer's JSON.
            pub(crate) fn text(self) -> &'static str {
                match self { $(Self::$reason => stringify!($reason)),+ }
            }

            pub(crate) fn status(self) -> StatusCode {
                let code = match self { $(Self::$reason => $status),+ };
                StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
            }
        }
    };
}

reasons! {
    BadCollapseId = 400,
    BadDeviceToken = 400,
    BadExpirationDate = 400,
    BadMessageId = 400,
    BadPriority = 400,
    DeviceTokenNotForTopic = 400,
    DuplicateHeaders = 400,
    InvalidPushType = 400,
    MissingDeviceToken = 400,
    MissingTopic = 400,
    /// Also Apple's answer to a payload that is not JSON.
    PayloadEmpty = 400,
    TopicDisallowed = 400,
    ExpiredProviderToken = 403,
    InvalidProviderToken = 403,
    MissingProviderToken = 403,
    BadPath = 404,
    MethodNotAllowed = 405,
    Unregistered = 410,
    PayloadTooLarge = 413,
    TooManyRequests = 429,
    InternalServerError = 500,
    ServiceUnavailable = 503,
}

impl Reason {
    /// The answer's body. 410 names the time, in milliseconds since 1970, at which the token was found to be gone.
    pub(super) fn body(self, since_ms: i64) -> Bytes {
        let reason = self.text();
        Bytes::from(match self {
            Self::Unregistered => format!(r#"{{"reason":"{reason}","timestamp":{since_ms}}}"#),
            _ => format!(r#"{{"reason":"{reason}"}}"#),
        })
    }
}
