//! What APNs demands of headers, device token and payload ("Sending notification requests to APNs", table 1).

use http::HeaderMap;
use serde::{Deserialize, de::IgnoredAny};
use uuid::Uuid;

use super::Reason;

/// Octets of a regular notification's payload.
pub(super) const LARGEST_PAYLOAD: usize = 4096;
/// Octets of a collapse id.
const LONGEST_COLLAPSE_ID: usize = 64;
const PUSH_TYPES: [&str; 12] = [
    "alert",
    "background",
    "controls",
    "location",
    "voip",
    "complication",
    "fileprovider",
    "mdm",
    "liveactivity",
    "pushtotalk",
    "widgets",
    "none",
];

/// A device token is hexadecimal; its length is not fixed by Apple, 32 octets today.
pub(super) fn check_device_token(token: &str) -> Result<(), Reason> {
    let plausible = (64..=200).contains(&token.len()) && token.len().is_multiple_of(2);
    (plausible && token.bytes().all(|byte| byte.is_ascii_hexdigit())).then_some(()).ok_or(Reason::BadDeviceToken)
}

/// Checks every header but `authorization`.
pub(super) fn check(headers: &HeaderMap, topics: &[String]) -> Result<(), Reason> {
    let topic = text(headers, "apns-topic", Reason::MissingTopic)?.filter(|topic| !topic.is_empty()).ok_or(Reason::MissingTopic)?;
    if !topics.is_empty() && !topics.iter().any(|allowed| allowed == topic) {
        return Err(Reason::TopicDisallowed);
    }
    if text(headers, "apns-id", Reason::BadMessageId)?.is_some_and(|id| id.len() != 36 || Uuid::try_parse(id).is_err()) {
        return Err(Reason::BadMessageId);
    }
    if headers.get("apns-collapse-id").is_some_and(|id| id.len() > LONGEST_COLLAPSE_ID) {
        return Err(Reason::BadCollapseId);
    }
    if text(headers, "apns-priority", Reason::BadPriority)?.is_some_and(|priority| !["1", "5", "10"].contains(&priority)) {
        return Err(Reason::BadPriority);
    }
    if text(headers, "apns-expiration", Reason::BadExpirationDate)?.is_some_and(|seconds| seconds.parse::<u64>().is_err()) {
        return Err(Reason::BadExpirationDate);
    }
    if text(headers, "apns-push-type", Reason::InvalidPushType)?.is_some_and(|kind| !PUSH_TYPES.contains(&kind)) {
        return Err(Reason::InvalidPushType);
    }
    Ok(())
}

/// A header that may come once, as text.
fn text<'a>(headers: &'a HeaderMap, name: &'static str, unreadable: Reason) -> Result<Option<&'a str>, Reason> {
    let mut values = headers.get_all(name).iter();
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(Reason::DuplicateHeaders);
    }
    value.to_str().map(Some).map_err(|_| unreadable)
}

/// A JSON object with an `aps` object in it.
pub(super) fn check_payload(payload: &[u8]) -> Result<(), Reason> {
    #[derive(Deserialize)]
    struct Payload {
        #[serde(rename = "aps")]
        _aps: std::collections::HashMap<String, IgnoredAny>,
    }
    serde_json::from_slice::<Payload>(payload).map(|_| ()).map_err(|_| Reason::PayloadEmpty)
}
