//! Whether Apple takes our account, without telling anybody anything.

use bytes::Bytes;
use http::uri::PathAndQuery;
use http::{HeaderMap, HeaderName, HeaderValue, header};

use super::{Apns, reason};
use crate::answer::ProviderAnswer;
use crate::sender::Request;

/// No device token is written so: they are hexadecimal.
const NO_DEVICE: &str = "/3/device/no-device";

impl Apns {
    /// Asks for a device that cannot be one. Apple looks at the account before it looks at the device, so [`ProviderAnswer::NoSuchEndpoint`] means
    /// that the account is good; nothing reaches anybody.
    pub async fn try_account(&self) -> ProviderAnswer {
        let Ok(authorization) = self.token.authorization().await else {
            return ProviderAnswer::CredentialsRefused { reason: "the signing key does not sign" };
        };
        let own = |name| HeaderName::from_static(name);
        let headers = HeaderMap::from_iter([
            (header::AUTHORIZATION, authorization),
            (own("apns-topic"), self.topic.clone()),
            (own("apns-push-type"), HeaderValue::from_static("background")),
            (own("apns-priority"), HeaderValue::from_static("5")),
            (own("apns-expiration"), HeaderValue::from_static("0")),
        ]);
        let request = Request {
            path: PathAndQuery::from_static(NO_DEVICE),
            headers: &headers,
            own: None,
            body: Bytes::from_static(br#"{"aps":{"content-available":1}}"#),
        };
        match self.sender.send(&request).await {
            Ok(answer) => reason::read(&answer, self.clock.now()),
            Err(failure) => failure.into(),
        }
    }
}
