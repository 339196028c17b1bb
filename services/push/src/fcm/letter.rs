//! What all recipients of an alert in one language share: the body around the token (Firebase, "REST Resource: projects.messages").
//!
//! It is a *data message*: the app is woken and shows it. Google keeps messages for a phone that is off. Those that it would show itself,
//! `notification`, are always collapsible and ignore their `collapse_key`: the next takes the place of the one before, though it is about something
//! else; and of collapsible data messages it keeps those of four keys, whichever. Of data messages without a key it keeps a hundred, each of them
//! (Firebase, "Non-collapsible and collapsible messages"). So a phone that was off for days gets every alert, and the app puts a repeat, a
//! reminder or a correction in the place of what it shows, by the `tag`. Neither kind reaches an app that its owner has stopped by force.

use bytes::{Bytes, BytesMut};
use chrono::{DateTime, TimeDelta, Utc};
use domain::alert::DeliveryClass;
use serde::Serialize;

use crate::endpoint::Token;
use crate::notice::{Notice, json, shortened_until};

/// Octets of the data, with room for the JSON around it.
const LARGEST_TEXTS: usize = 3800;
/// Android's longest time to live: four weeks.
const LONGEST_TTL: TimeDelta = TimeDelta::weeks(4);

#[derive(Serialize)]
struct Shared<'a> {
    data: Data<'a>,
    android: Android,
}

/// All that the app needs to show the notice without asking anybody, but for what is about a person. Values are text: Google takes nothing else.
#[derive(Serialize)]
struct Data<'a> {
    /// What the app opens.
    alert_id: &'a str,
    /// Takes the place of an earlier notification with the same that is shown already,
    tag: &'a str,
    /// unless that was sent later: Google does not promise the order. Milliseconds since 1970.
    sent_at_ms: String,
    title: &'a str,
    body: &'a str,
    /// In which channel of the phone's settings it is shown.
    channel_id: &'static str,
}

#[derive(Serialize)]
struct Android {
    priority: &'static str,
    ttl: String,
}

/// A body with a gap for the token.
#[derive(Debug)]
pub(super) struct Body {
    after_token: Bytes,
}

const BEFORE_TOKEN: &[u8] = br#"{"message":{"token":""#;
const BEFORE_FID: &[u8] = br#"{"message":{"fid":""#;

impl Body {
    /// The body of a notice that is sent at `now`.
    pub(super) fn of(notice: &Notice, now: DateTime<Utc>) -> Self {
        let (alert_id, collapse_id) = (notice.id.alert_id.to_string(), notice.id.collapse_id());
        // NORMAL waits for the next maintenance window of a phone that lies still, which may be hours away.
        let priority = if notice.must_be_seen { "HIGH" } else { "NORMAL" };
        let channel_id = match notice.class {
            DeliveryClass::Urgent => "urgent",
            DeliveryClass::Routine => "routine",
        };
        let ttl = (notice.show_until - now).clamp(TimeDelta::zero(), LONGEST_TTL).num_seconds();
        let (title, body) = notice.outside();
        let shared = shortened_until(body, LARGEST_TEXTS, |body| {
            json(&Shared {
                data: Data {
                    alert_id: &alert_id,
                    tag: &collapse_id,
                    sent_at_ms: now.timestamp_millis().to_string(),
                    title,
                    body,
                    channel_id,
                },
                android: Android { priority, ttl: format!("{ttl}s") },
            })
        });
        // The shared object goes on where the token ends: `…","data":…}` and the message's own brace.
        let after_token = [br#"","#, &shared[1..], b"}"].concat();
        Self { after_token: Bytes::from(after_token) }
    }

    /// The body for one device; `None` for a token of another provider. Tokens are parsed to characters that need no escaping.
    pub(super) fn to(&self, token: &Token) -> Option<Bytes> {
        let (before, token) = match token {
            Token::FcmToken(token) => (BEFORE_TOKEN, token),
            Token::FcmFid(fid) => (BEFORE_FID, fid),
            Token::Apns(_) | Token::WebPush(_) => return None,
        };
        let mut body = BytesMut::with_capacity(before.len() + token.len() + self.after_token.len());
        body.extend_from_slice(before);
        body.extend_from_slice(token.as_bytes());
        body.extend_from_slice(&self.after_token);
        Some(body.freeze())
    }
}

#[cfg(test)]
mod tests {
    use domain::language::Language;
    use rstest::rstest;
    use serde_json::{Value, json};

    use super::*;
    use crate::notice::Envelope;
    use crate::notice::tests::notice;

    fn an_hour_before(notice: &Notice) -> DateTime<Utc> {
        notice.show_until - TimeDelta::hours(1)
    }

    #[rstest]
    #[case("fcm_token", "token")]
    #[case("fcm_fid", "fid")]
    fn the_token_is_spliced_into_a_body_that_google_can_read(#[case] kind: &str, #[case] field: &str) {
        let notice = notice();
        let token = Token::parse(kind, b"abc:DEF-1_2").unwrap();
        let body: Value = serde_json::from_slice(&Body::of(&notice, an_hour_before(&notice)).to(&token).unwrap()).unwrap();
        let alert_id = notice.id.collapse_id();
        let expected = json!({ "message": {
            field: "abc:DEF-1_2",
            "data": {
                "alert_id": alert_id, "tag": alert_id, "sent_at_ms": "1799996400000",
                "title": notice.headline, "body": notice.body, "channel_id": "urgent",
            },
            "android": { "priority": "HIGH", "ttl": "3600s" },
        }});
        assert_eq!(body, expected);
    }

    #[rstest]
    #[case(TimeDelta::zero(), "0s")]
    #[case(-TimeDelta::minutes(1), "0s")]
    #[case(TimeDelta::days(365), "2419200s")]
    fn the_time_to_live_keeps_within_what_google_takes(#[case] left: TimeDelta, #[case] ttl: &str) {
        let notice = Notice { class: DeliveryClass::Routine, must_be_seen: false, ..notice() };
        let body = Body::of(&notice, notice.show_until - left).to(&Token::parse("fcm_fid", b"f").unwrap()).unwrap();
        let body: Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(body["message"]["android"]["ttl"], ttl);
        assert_eq!(body["message"]["android"]["priority"], "NORMAL");
    }

    #[test]
    fn of_an_alert_about_a_person_google_reads_nothing_of_them() {
        let sealed = notice().enveloped(Some(Envelope::in_language(Language::En)));
        let body = Body::of(&sealed, an_hour_before(&sealed)).to(&Token::parse("fcm_fid", b"f").unwrap()).unwrap();
        let seen: Value = serde_json::from_slice(&body).unwrap();
        let data = &seen["message"]["data"];
        assert_eq!((&data["title"], &data["body"]), (&json!("You have a health alert"), &json!("Open the app to read it.")));
        assert!(!seen.to_string().contains(&sealed.headline) && !seen.to_string().contains("密切接触者"));
    }

    #[test]
    fn a_long_text_is_cut_to_what_fcm_takes() {
        let notice = Notice { body: "疫".repeat(3000), ..notice() };
        let body = Body::of(&notice, an_hour_before(&notice)).to(&Token::parse("fcm_fid", b"f").unwrap()).unwrap();
        assert!(body.len() < 4096, "{}", body.len());
        assert!(serde_json::from_slice::<Value>(&body).unwrap()["message"]["data"]["body"].as_str().unwrap().ends_with('…'));
    }
}
