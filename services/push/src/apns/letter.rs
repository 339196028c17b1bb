//! What all recipients of an alert in one language share: payload and headers (Apple, "Generating a remote notification",
//! "Sending notification requests to APNs").

use bytes::Bytes;
use domain::alert::DeliveryClass;
use http::{HeaderMap, HeaderName, HeaderValue, header};
use serde::Serialize;

use crate::notice::{Notice, json, shortened_until};

/// Octets of a regular notification's payload.
const LARGEST_PAYLOAD: usize = 4096;

#[derive(Serialize)]
struct Payload<'a> {
    aps: Aps<'a>,
    /// What the app opens.
    alert_id: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Aps<'a> {
    alert: AlertDictionary<'a>,
    interruption_level: &'static str,
    sound: Sound,
    /// The app offers the acknowledgement button for this category.
    #[serde(skip_serializing_if = "Option::is_none")]
    category: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    mutable_content: Option<u8>,
}

#[derive(Serialize)]
struct AlertDictionary<'a> {
    title: &'a str,
    body: &'a str,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Sound {
    Default(&'static str),
    /// Sounds through the mute switch; needs Apple's entitlement.
    Critical {
        critical: u8,
        name: &'static str,
        volume: f32,
    },
}

/// The payload. A text that is too long for APNs ends in "…"; the app shows all of it.
pub(super) fn payload(notice: &Notice, critical: bool) -> Bytes {
    let (interruption_level, loud) = match (notice.class, critical) {
        (DeliveryClass::Urgent, true) => ("critical", true),
        (DeliveryClass::Urgent, false) => ("time-sensitive", false),
        (DeliveryClass::Routine, _) => ("active", false),
    };
    let alert_id = notice.id.alert_id.to_string();
    let category = (!notice.id.wave.is_withdrawal()).then_some("HEALTH_ALERT");
    // with an envelope the app's extension puts what it fetched in the place of what is shown
    let mutable_content = notice.envelope.is_some().then_some(1);
    let (title, body) = notice.outside();
    Bytes::from(shortened_until(body, LARGEST_PAYLOAD, |body| {
        let sound = if loud { Sound::Critical { critical: 1, name: "default", volume: 1.0 } } else { Sound::Default("default") };
        let alert = AlertDictionary { title, body };
        json(&Payload { aps: Aps { alert, interruption_level, sound, category, mutable_content }, alert_id: &alert_id })
    }))
}

/// The headers without `apns-id`.
pub(super) fn headers(notice: &Notice, topic: &HeaderValue, authorization: HeaderValue) -> HeaderMap {
    // With 5 Apple may wait until the phone is awake for another reason.
    let priority = if notice.must_be_seen { "10" } else { "5" };
    // A repeat, a reminder and the first push take each other's place on the phone.
    let collapse_id = HeaderValue::try_from(notice.id.collapse_id()).expect("a UUID is printable ASCII");
    HeaderMap::from_iter([
        (header::AUTHORIZATION, authorization),
        (HeaderName::from_static("apns-topic"), topic.clone()),
        (HeaderName::from_static("apns-push-type"), HeaderValue::from_static("alert")),
        (HeaderName::from_static("apns-priority"), HeaderValue::from_static(priority)),
        (HeaderName::from_static("apns-expiration"), HeaderValue::from(notice.show_until.timestamp())),
        (HeaderName::from_static("apns-collapse-id"), collapse_id),
    ])
}

#[cfg(test)]
mod tests {
    use domain::ids::{AlertId, WaveNo};
    use domain::language::Language;
    use rstest::rstest;
    use serde_json::Value;
    use uuid::Uuid;

    use super::*;
    use crate::notice::tests::notice;
    use crate::notice::{Envelope, NoticeId};

    #[rstest]
    #[case(DeliveryClass::Routine, false, true, "active", "10")]
    #[case(DeliveryClass::Routine, true, true, "active", "10")]
    #[case::only_informs(DeliveryClass::Routine, false, false, "active", "5")]
    #[case(DeliveryClass::Urgent, false, true, "time-sensitive", "10")]
    #[case(DeliveryClass::Urgent, true, true, "critical", "10")]
    fn only_an_urgent_alert_interrupts_and_only_what_informs_may_wait(
        #[case] class: DeliveryClass,
        #[case] critical: bool,
        #[case] must_be_seen: bool,
        #[case] level: &str,
        #[case] priority: &str,
    ) {
        let notice = Notice { class, must_be_seen, ..notice() };
        let payload: Value = serde_json::from_slice(&payload(&notice, critical)).unwrap();
        assert_eq!(payload["aps"]["interruption-level"], level);
        assert_eq!(payload["aps"]["sound"].is_object(), level == "critical");
        let headers = headers(&notice, &HeaderValue::from_static("city.alerts"), HeaderValue::from_static("bearer x"));
        assert_eq!(headers["apns-priority"], priority);
    }

    #[test]
    fn the_headers_name_topic_expiry_and_the_alert_as_collapse_id() {
        let notice = notice();
        let headers = headers(&notice, &HeaderValue::from_static("city.alerts"), HeaderValue::from_static("bearer x"));
        assert_eq!(headers["apns-topic"], "city.alerts");
        assert_eq!(headers["apns-push-type"], "alert");
        assert_eq!(headers["apns-collapse-id"], notice.id.collapse_id().as_str());
        assert_eq!(headers["apns-expiration"], notice.show_until.timestamp().to_string().as_str());
    }

    #[test]
    fn the_word_that_an_alert_has_ended_asks_for_no_acknowledgement_and_a_correction_opens_itself() {
        let read = |notice: &Notice| serde_json::from_slice::<Value>(&payload(notice, false)).unwrap();
        let first = notice();
        let ended = Notice { id: NoticeId { wave: WaveNo::WITHDRAWAL, ..first.id }, ..notice() };
        assert_eq!((read(&first)["aps"]["category"].as_str(), read(&ended)["aps"].get("category")), (Some("HEALTH_ALERT"), None));
        let correction = Notice { id: NoticeId { alert_id: AlertId::from_uuid(Uuid::from_u128(8)), ..first.id }, ..notice() };
        assert_eq!(read(&correction)["alert_id"], correction.id.alert_id.to_string());
    }

    #[test]
    fn of_an_alert_about_a_person_apple_reads_nothing_of_them() {
        let read = |notice: &Notice| serde_json::from_slice::<Value>(&payload(notice, false)).unwrap();
        let open = read(&notice());
        let sealed = notice().enveloped(Some(Envelope::in_language(Language::ZhCn)));
        let seen = read(&sealed);
        assert_eq!(seen["aps"]["alert"], serde_json::json!({ "title": "您有一条健康提醒", "body": "请打开应用查看。" }));
        assert_eq!((&seen["aps"]["mutable-content"], &open["aps"]["mutable-content"]), (&serde_json::json!(1), &Value::Null));
        assert_eq!(seen["alert_id"], open["alert_id"], "the app fetches the text by it");
        assert!(!seen.to_string().contains(&sealed.headline) && !seen.to_string().contains("密切接触者"));
    }

    #[rstest]
    #[case("疫".repeat(3000))]
    #[case("\"\n".repeat(3000))]
    #[case("a😷".repeat(2000))]
    fn a_long_text_is_cut_to_what_apns_takes(#[case] body: String) {
        let payload = payload(&Notice { body, ..notice() }, false);
        assert!((LARGEST_PAYLOAD - 16..=LARGEST_PAYLOAD).contains(&payload.len()), "{}", payload.len());
        let payload: Value = serde_json::from_slice(&payload).unwrap();
        assert!(payload["aps"]["alert"]["body"].as_str().unwrap().ends_with('…'));
    }
}
