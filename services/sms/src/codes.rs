//! One-time codes, and answers to what people wrote: resident asks for them with the event `sms.code-requested`, they go out over the same
//! account, [`once`](crate::once), at a rate of their own.

use chrono::DateTime;
use domain::phone::PhoneNumber;
use platform::crypto::{Purpose, Sealed};
use proto::CodeRequested;

use crate::{
    error::Error,
    once::{Once, Word, answer},
    smpp::lanes::Lane,
};

/// Sends one code, unless it has expired.
pub(crate) async fn send(once: &Once, request: CodeRequested) -> Result<(), Error> {
    let Some(until) = DateTime::from_timestamp_millis(request.expires_at_ms) else { return Ok(()) };
    let to: PhoneNumber =
        open(once, Purpose::ResidentPhone, request.phone_sealed)?.parse().map_err(|_| Error::Unreadable { what: "phone number" })?;
    let text = open(once, Purpose::SmsText, request.text_sealed)?;
    let sent = once.send(Word { id: &request.request_id, to, text: &text, lane: Lane::Code, until }).await;
    if let Some(outcome) = answer(&sent) {
        metrics::counter!("sms_codes_total", "answer" => outcome.to_string()).increment(1);
    }
    sent.map(|_| ())
}

fn open(once: &Once, purpose: Purpose, sealed: Vec<u8>) -> Result<String, Error> {
    let plain = once.platform.keyring.open(purpose, &Sealed::from_bytes(sealed)?)?;
    String::from_utf8(plain.to_vec()).map_err(|_| Error::Unreadable { what: "sealed text" })
}
