//! What an operator sets: the account at the SMS centre and how hard it may be driven.

use std::num::{NonZeroU32, NonZeroUsize};
use std::path::PathBuf;

use dispatch::worker::WorkerSettings;
use domain::{phone::PhoneNumber, retention};
use platform::encryption::Tls;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use crate::smpp::message_id::ReceiptIds;

/// Batches in hand. Each ends with the few messages that the centre has asked to wait, a quarter of a second and more, while the others send: with four, at
/// one message in a hundred, half a million people waited two and a half times as long for their SMS.
const BATCHES: u16 = 12;

/// Settings of the service, section `[sms]`.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Host name or address of the SMS centre.
    ///
    /// A centre on another machine is spoken to through TLS, unless `tls` says otherwise.
    pub host: String,
    /// Whether the connection to a centre on another machine has to be encrypted: `required` or `off`.
    ///
    /// SMPP 3.4 knows no encryption of its own. `off` is for a private line or a tunnel, over which names of numbers and texts go in the clear.
    ///
    /// Unit: one of `"required"`, `"off"`
    pub tls: Tls,
    /// The certificate authority that the centre's certificate has to come from, in a file of PEM; those of the system where none is named.
    ///
    /// With it the connection is encrypted also to a centre on this machine.
    ///
    /// Example: "/etc/fenghuo/sms-ca.pem"
    pub ca_file: Option<PathBuf>,
    /// Its TCP port.
    ///
    /// 2775 is the one registered for SMPP.
    ///
    /// Unit: port
    pub port: u16,
    /// The account, up to 15 ASCII characters.
    ///
    /// As agreed with the centre.
    pub system_id: String,
    /// Its password, up to 8 ASCII characters (SMPP 3.4 §5.2.2); empty by default.
    ///
    /// Better read from a file.
    ///
    /// Example: "…"
    #[serde(skip_serializing)]
    pub password: SecretString,
    /// Its system type, where the centre wants one, up to 12 ASCII characters.
    ///
    /// Most want none.
    pub system_type: String,
    /// The number that recipients see and reply to, up to 20 digits.
    ///
    /// Replies acknowledge, so it has to be one that can be answered.
    pub source_address: String,
    /// Who sends 签名, shown in front of every text as 【…】.
    ///
    /// SMS centres pass on only what bears the signature agreed with them.
    pub signature: String,
    /// Mobile numbers of who is on duty at the city command; none by default.
    ///
    /// They get a short message when an alert is in danger of missing its deadline: at night nobody looks at the console.
    ///
    /// Unit: mobile numbers
    ///
    /// Example: ["13800005678"]
    #[serde(skip_serializing)]
    pub duty_phones: Vec<PhoneNumber>,
    /// How many connections this process holds to the centre.
    ///
    /// With a second one SMS go on when the first breaks.
    ///
    /// Unit: connections
    pub binds: NonZeroU32,
    /// How many messages may be unanswered on one connection.
    ///
    /// A far centre needs more to be kept busy; most name the number they allow.
    ///
    /// Unit: messages
    pub window: NonZeroUsize,
    /// Message parts a second over all connections and processes, as agreed with the centre.
    ///
    /// Above it the centre throttles, and pauses cost more than they gain.
    pub rate_per_second: NonZeroU32,
    /// One-time codes, and answers to what people wrote, a second over all processes; they are part of the account's rate, a tenth of it at most.
    ///
    /// However many codes are asked for, the rest is the alerts'. It sends what `resident.codes_per_minute` lets in.
    ///
    /// Unit: messages
    pub codes_per_second: NonZeroU32,
    /// How this process works through batches of short messages.
    ///
    /// More of them than of pushes: the last of each batch, whom the centre has asked to wait, keep it in hand for a moment in which others go.
    pub worker: WorkerSettings,
    /// Time between signs of life on a quiet connection.
    ///
    /// Firewalls forget connections on which nothing is said.
    pub enquire_link_s: u64,
    /// How long to wait for a connection.
    ///
    /// A centre that does not answer by then is away.
    pub connect_timeout_s: u64,
    /// How long to wait for the centre's answer.
    ///
    /// After it nobody knows whether the centre has the message: it goes out once more at most, so a slow centre needs a long time, not
    /// a short one.
    pub response_timeout_s: u64,
    /// For how long at most the centre may try to deliver a message, from its hand-over on.
    ///
    /// It ends with the alert in any case, and for a routine alert at the quiet hours, if enough of the day is left. Longer reaches phones
    /// that were off; what arrives later surprises more than it helps.
    ///
    /// Unit: hours
    pub longest_validity_h: u32,
    /// Messages of a stopped alert that the centre is asked to take back, a second.
    ///
    /// Best effort: what is delivered already stays. Centres count such commands like messages.
    ///
    /// Unit: messages
    pub cancel_per_second: NonZeroU32,
    /// For how long receipts are waited for that stay out.
    ///
    /// From a message's first receipt on for those of its other parts, then it is shown as arrived in part; from the end of its validity on where
    /// none came at all, then it is shown as without a receipt. What comes later still counts. Some centres send one receipt for all parts, others none.
    ///
    /// Unit: minutes
    ///
    /// Example: 60
    pub receipt_patience_min: u32,
    /// In which base receipts write the ids that the centre gave: `learned`, `as_answered`, `decimal` or `hexadecimal`.
    ///
    /// Some centres answer in hexadecimal and write receipts in decimal. `learned` finds out; a centre whose ids are small numbers is better
    /// named. Case and zeros in front never matter.
    ///
    /// Unit: one of `"learned"`, `"as_answered"`, `"decimal"`, `"hexadecimal"`
    pub receipt_ids: ReceiptIds,
    /// How long a message waits for a connection before it counts as a temporary failure.
    ///
    /// A connection that is just being renewed should fail nobody.
    pub unbound_patience_s: u64,
    /// Within this time the same words from the same phone are one reply, delivered twice, where the centre gives replies no id.
    ///
    /// Centres repeat what they were not sure to have delivered; people who confirm two alerts in turn write the same words twice.
    pub reply_repeat_s: u32,
    /// For how long a receipt is kept whose message is not known (yet).
    ///
    /// Receipts may overtake the row of their message; see the table of retention.
    pub receipt_keep_hours: u32,
    /// For how many months before the present one messages are kept, by when their alert was made; older ones are dropped. At least 3.
    ///
    /// An alert is written in one month and may hold until the third after it; beyond that the table of retention says why.
    pub keep_messages_months: u32,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            host: "127.0.0.1".into(),
            tls: Tls::default(),
            ca_file: None,
            port: 2775,
            system_id: "fenghuo".into(),
            password: SecretString::default(),
            system_type: String::new(),
            source_address: "106912320".into(),
            signature: "烽火".into(),
            duty_phones: Vec::new(),
            binds: nonzero(2),
            window: nonzero_size(64),
            rate_per_second: nonzero(1000),
            codes_per_second: nonzero(20),
            worker: WorkerSettings { batches: BATCHES, checkpoint_every: 500, ..WorkerSettings::default() },
            enquire_link_s: 30,
            connect_timeout_s: 10,
            response_timeout_s: 60,
            longest_validity_h: 48,
            cancel_per_second: nonzero(100),
            receipt_patience_min: 60,
            receipt_ids: ReceiptIds::Learned,
            unbound_patience_s: 10,
            reply_repeat_s: 10,
            receipt_keep_hours: retention::RECEIPTS.keeping.length(),
            keep_messages_months: retention::MESSAGES.keeping.length(),
        }
    }
}

const fn nonzero(number: u32) -> NonZeroU32 {
    NonZeroU32::MIN.saturating_add(number.saturating_sub(1))
}

const fn nonzero_size(number: usize) -> NonZeroUsize {
    NonZeroUsize::MIN.saturating_add(number.saturating_sub(1))
}
