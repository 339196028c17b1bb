//! One-time codes: resident asks for them with the event `sms.code-requested`, they go out over the same account.
//!
//! A code is sent once; once more when its answer stays out, or when the process dies between the centre's answer and our note of it. It is not sent any more when
//! it has expired; until then a code that cannot be sent now is tried again by the bus. It goes before everything else: somebody
//! waits for it at this moment.

use std::sync::Arc;

use chrono::DateTime;
use domain::{phone::PhoneNumber, sms_text::SmsText};
use platform::{
    Platform,
    crypto::{Purpose, Sealed},
};
use proto::CodeRequested;

use crate::{
    error::Error,
    smpp::{
        lanes::Lane,
        segments::Segments,
        submit::{Account, Order, SUBMISSIONS_UNANSWERED},
    },
};

/// What the handler needs.
#[derive(Clone)]
pub(crate) struct Codes {
    pub(crate) platform: Platform,
    pub(crate) account: Arc<Account>,
}

impl Codes {
    /// Sends one code.
    pub(crate) async fn send(&self, request: CodeRequested) -> Result<(), Error> {
        let Some(until) = DateTime::from_timestamp_millis(request.expires_at_ms) else { return Ok(()) };
        let Some(left) = (until - self.platform.clock.now()).to_std().ok().filter(|left| !left.is_zero()) else { return Ok(()) };
        let done = format!("sms:code:{}", request.request_id);
        if self.platform.cache.get(&done).await?.is_some() {
            return Ok(());
        }
        let number: PhoneNumber =
            self.open(Purpose::ResidentPhone, request.phone_sealed)?.parse().map_err(|_| Error::Unreadable { what: "phone number" })?;
        let text = self.open(Purpose::SmsText, request.text_sealed)?;
        // Two codes to one phone must not be joined.
        let reference = request.request_id.bytes().fold(0_u16, |reference, octet| reference.rotate_left(5) ^ u16::from(octet));
        let segments = Segments::of(&SmsText::new(&text), reference).ok_or(Error::Unreadable { what: "text of a code" })?;
        let order =
            Order { to: number, segments: &segments, lane: Lane::Code, until: Some(until), of: None, begun: Vec::new(), wanted: &|| true };
        let submitted = self.account.submit(order).await;
        let outcome = submitted.outcome;
        metrics::counter!("sms_codes_total", "answer" => outcome.to_string()).increment(1);
        if submitted.is_unanswered() {
            // The centre may have it: once more, and not a third time.
            let unanswered = self.platform.cache.incr(&format!("{done}:unanswered"), left).await?;
            if unanswered >= SUBMISSIONS_UNANSWERED.into() {
                return Ok(self.platform.cache.set(&done, b"1", left).await?);
            }
        }
        if !outcome.is_final() {
            return Err(Error::CodeNotSent { outcome });
        }
        Ok(self.platform.cache.set(&done, b"1", left).await?)
    }

    fn open(&self, purpose: Purpose, sealed: Vec<u8>) -> Result<String, Error> {
        let plain = self.platform.keyring.open(purpose, &Sealed::from_bytes(sealed)?)?;
        String::from_utf8(plain.to_vec()).map_err(|_| Error::Unreadable { what: "sealed text" })
    }
}
