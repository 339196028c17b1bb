//! What a phone received, as kept for tests and for the control API.

use std::fmt;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// One simulated provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Provider {
    /// Apple Push Notification service.
    Apns,
    /// Firebase Cloud Messaging.
    Fcm,
    /// A browser's push service.
    WebPush,
    /// The SMS centre.
    Sms,
}

impl fmt::Display for Provider {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Apns => "apns",
            Self::Fcm => "fcm",
            Self::WebPush => "web_push",
            Self::Sms => "sms",
        })
    }
}

/// One push as the device would have shown it; to a browser, as its push service passed it on.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ReceivedPush {
    /// Who delivered it.
    pub provider: Provider,
    /// When it was accepted.
    pub at: DateTime<Utc>,
    /// `apns-collapse-id`, Android's `collapse_key` or, where it has none, the `tag` of the data, or `Topic`.
    pub collapse_id: Option<String>,
    /// `apns-priority`, Android's `priority`, or `Urgency`.
    pub priority: Option<String>,
    /// `apns-expiration` (Unix seconds), Android's `ttl`, or `TTL`.
    pub expiration: Option<String>,
    /// `apns-push-type`; the others have none.
    pub push_type: Option<String>,
    /// `apns-topic`; the others have none.
    pub topic: Option<String>,
    /// The Firebase project that sent it; the others have none.
    pub project: Option<String>,
    /// The body: APNs' payload, or FCM's `message`; of a message to a browser `content_encoding` and `body`, sealed, in base64url.
    pub payload: serde_json::Value,
}

/// One short message as the phone would have shown it: segments joined, text decoded.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ReceivedSms {
    /// Sender as shown.
    pub from: String,
    /// The whole text.
    pub text: String,
    /// In how many segments it came.
    pub segments: usize,
    /// SMPP `data_coding` of the last segment: 0 GSM 7-bit, 8 UCS-2.
    pub data_coding: u8,
    /// Message ids given to the segments, in order.
    pub message_ids: Vec<String>,
    /// When the last segment was accepted.
    pub at: DateTime<Utc>,
    /// `validity_period` of the last segment; none: as long as the centre likes.
    pub validity_period: Option<String>,
    /// False when the phone was made undeliverable: the centre accepted it, the phone did not get it.
    pub delivered: bool,
}
