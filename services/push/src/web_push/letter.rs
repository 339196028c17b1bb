//! What all recipients of an alert in one language share: what the app's service worker reads, and how the push service is to treat it
//! (RFC 8030 §5).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use chrono::{DateTime, TimeDelta, Utc};
use domain::alert::DeliveryClass;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, HeaderValue};
use serde::Serialize;

use crate::notice::{Notice, json, shortened_until};

/// Octets of the payload: with what sealing adds, a push service must take 4,096 (RFC 8030 §7.2).
const LARGEST_PAYLOAD: usize = 3_800;
/// Nobody keeps a message longer than four weeks.
const LONGEST_TTL: TimeDelta = TimeDelta::weeks(4);

/// Read by `services/web/src/resident/worker.ts`.
#[derive(Serialize)]
struct Payload<'a> {
    /// What the app opens.
    alert_id: &'a str,
    /// Takes the place of an earlier notification with the same that is shown already.
    tag: &'a str,
    /// Whether it tells that the alert has ended.
    ended: bool,
    title: &'a str,
    body: &'a str,
    urgent: bool,
    exercise: bool,
}

/// The payload. A text that is too long ends in "…"; the app shows all of it.
pub(super) fn payload(notice: &Notice, exercise: bool) -> Bytes {
    let (alert_id, tag) = (notice.id.alert_id.to_string(), notice.id.collapse_id());
    let (ended, urgent) = (notice.id.wave.is_withdrawal(), notice.class == DeliveryClass::Urgent);
    Bytes::from(shortened_until(&notice.body, LARGEST_PAYLOAD, |body| {
        json(&Payload { alert_id: &alert_id, tag: &tag, ended, title: &notice.headline, body, urgent, exercise })
    }))
}

/// The headers without `authorization`.
pub(super) fn headers(notice: &Notice, now: DateTime<Utc>) -> HeaderMap {
    let ttl = (notice.show_until - now).clamp(TimeDelta::zero(), LONGEST_TTL).num_seconds();
    // Below "high" a push service waits while the battery is low (RFC 8030 §5.3).
    let urgency = if notice.must_be_seen { "high" } else { "normal" };
    // A repeat, a reminder and the first push take each other's place: 22 characters, of 32 that are allowed.
    let topic = URL_SAFE_NO_PAD.encode(notice.id.root_id.uuid().as_bytes());
    HeaderMap::from_iter([
        (HeaderName::from_static("ttl"), HeaderValue::from(ttl)),
        (HeaderName::from_static("urgency"), HeaderValue::from_static(urgency)),
        (HeaderName::from_static("topic"), HeaderValue::try_from(topic).expect("base64url is printable ASCII")),
        (CONTENT_ENCODING, HeaderValue::from_static("aes128gcm")),
        (CONTENT_TYPE, HeaderValue::from_static("application/octet-stream")),
    ])
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::{Value, json};

    use super::*;
    use crate::notice::tests::notice;

    #[rstest]
    fn the_payload_is_what_the_service_worker_reads(#[values(false, true)] exercise: bool) {
        let notice = notice();
        let read: Value = serde_json::from_slice(&payload(&notice, exercise)).unwrap();
        let alert_id = notice.id.collapse_id();
        assert_eq!(
            read,
            json!({ "alert_id": alert_id, "tag": alert_id, "ended": false, "title": notice.headline, "body": notice.body, "urgent": true, "exercise": exercise })
        );
    }

    #[test]
    fn a_long_text_is_cut_to_what_push_services_take() {
        let notice = Notice { body: "疫".repeat(3000), ..notice() };
        let payload = payload(&notice, false);
        assert!(payload.len() <= LARGEST_PAYLOAD, "{}", payload.len());
        assert!(serde_json::from_slice::<Value>(&payload).unwrap()["body"].as_str().unwrap().ends_with('…'));
    }

    #[rstest]
    #[case::an_hour(TimeDelta::hours(1), "3600")]
    #[case::over(-TimeDelta::minutes(1), "0")]
    #[case::a_year(TimeDelta::days(365), "2419200")]
    fn the_push_service_is_told_how_long_how_urgent_and_what_it_replaces(#[case] left: TimeDelta, #[case] ttl: &str) {
        let notice = notice();
        let urgent = headers(&notice, notice.show_until - left);
        let text = |headers: &HeaderMap, name: &str| headers[name].to_str().unwrap().to_owned();
        assert_eq!(["ttl", "urgency", "content-encoding"].map(|name| text(&urgent, name)), [ttl, "high", "aes128gcm"]);
        let topic = text(&urgent, "topic");
        assert!(topic.len() <= 32 && topic.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_'), "{topic}");
        let informing = Notice { class: DeliveryClass::Routine, must_be_seen: false, ..notice };
        let routine = headers(&informing, informing.show_until);
        assert_eq!([text(&routine, "urgency"), text(&routine, "topic")], ["normal".to_owned(), topic]);
    }
}
