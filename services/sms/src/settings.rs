//! What an operator sets: the account at the SMS centre and how hard it may be driven.

use std::num::{NonZeroU32, NonZeroUsize};

use dispatch::worker::WorkerSettings;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};

/// Settings of the service, section `[sms]`.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Host name or address of the SMS centre.
    pub host: String,
    /// Its TCP port.
    pub port: u16,
    /// The account, up to 15 ASCII characters.
    pub system_id: String,
    /// Its password, up to 8 ASCII characters (SMPP 3.4 §5.2.2).
    #[serde(skip_serializing)]
    pub password: SecretString,
    /// Its system type, where the centre wants one, up to 12 ASCII characters.
    pub system_type: String,
    /// The number that recipients see and reply to, up to 20 digits.
    pub source_address: String,
    /// Who sends, shown in front of every text as 【…】.
    pub signature: String,
    /// How many connections are held to the centre.
    pub binds: NonZeroU32,
    /// How many messages may be unanswered on one connection.
    pub window: NonZeroUsize,
    /// Message parts a second over all connections and processes, as agreed with the centre.
    pub rate_per_second: NonZeroU32,
    /// How this process works through batches.
    pub worker: WorkerSettings,
    /// Seconds between signs of life on a quiet connection.
    pub enquire_link_s: u64,
    /// Seconds to wait for a connection.
    pub connect_timeout_s: u64,
    /// Seconds to wait for the centre's answer.
    pub response_timeout_s: u64,
    /// Seconds a message waits for a connection before it counts as a temporary failure.
    pub unbound_patience_s: u64,
    /// Seconds within which the same words from the same phone are one reply, delivered twice.
    pub reply_repeat_s: u32,
    /// Hours for which a receipt whose message is not known (yet) is kept.
    pub receipt_keep_hours: u32,
    /// For how many months before the present one messages are kept, by when their alert was made; older ones are dropped. At
    /// least 1: alerts live across the end of a month.
    pub keep_messages_months: u32,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            host: "127.0.0.1".into(),
            port: 2775,
            system_id: "fenghuo".into(),
            password: SecretString::default(),
            system_type: String::new(),
            source_address: "106912320".into(),
            signature: "烽火".into(),
            binds: nonzero(2),
            window: nonzero_size(64),
            rate_per_second: nonzero(1000),
            worker: WorkerSettings { checkpoint_every: 500, ..WorkerSettings::default() },
            enquire_link_s: 30,
            connect_timeout_s: 10,
            response_timeout_s: 10,
            unbound_patience_s: 10,
            reply_repeat_s: 120,
            receipt_keep_hours: 72,
            keep_messages_months: 24,
        }
    }
}

const fn nonzero(number: u32) -> NonZeroU32 {
    NonZeroU32::MIN.saturating_add(number.saturating_sub(1))
}

const fn nonzero_size(number: usize) -> NonZeroUsize {
    NonZeroUsize::MIN.saturating_add(number.saturating_sub(1))
}
