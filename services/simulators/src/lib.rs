//! The outside world on loopback: APNs, FCM HTTP v1 with its OAuth endpoint, a browser's push service, and an SMS centre.
//!
//! Each simulator speaks the real protocol to the byte, so the platform reaches it with the same code and the
//! same settings (base URL, extra CA, host and port) as the real provider.
//!
//! What is guaranteed:
//! - **Nothing is forgotten.** A [`ledger`] counts every accepted message per recipient and per collapse id, so a
//!   test or a benchmark can prove that nobody was lost and count duplicates, from two residents to 32 million.
//! - **Only what was accepted is counted.** A refused, hung or broken request never enters the ledger; the one exception
//!   is [`FaultKind::AnswerLost`], where the message arrives and the answer does not.
//! - **Faults are switched while running**, per provider, by [`Simulators::fault`] or `POST /faults` (see [`fault`]).
//! - **Fast.** One task per connection, answers in batches, no logging per request: the simulator must never be
//!   the bottleneck of the fan-out benchmark.
//!
//! How the parts meet: [`apns`], [`fcm`] and [`web_push`] decide what to answer, [`http2`] carries requests and answers over
//! [`certificate`]'s TLS, [`smsc`] does the same over SMPP; all of them ask [`fault`] and write into [`ledger`];
//! [`control`] shows the ledger and takes faults over plain HTTP; [`start`] starts everything, [`Simulators`] is the handle.

mod apns;
mod certificate;
mod control;
mod dice;
mod error;
pub mod fault;
mod fcm;
mod first_stream;
mod http2;
mod ledger;
mod options;
mod received;
mod simulators;
mod smsc;
mod start;
mod statistics;
mod struck;
mod time;
mod web_push;

pub use error::Error;
pub use fault::{Fault, FaultKind, FaultPlan};
pub use options::{Addresses, Counting, Credentials, MessageIds, Options};
pub use received::{Provider, ReceivedPush, ReceivedSms};
pub use simulators::Simulators;
pub use statistics::{PushStatistics, SmsStatistics, Statistics};
