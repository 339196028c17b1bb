//! The SMS centre, SMPP 3.4 over TCP.
//!
//! [`session`] speaks the protocol with one bound platform; [`submission`] judges a `submit_sm`; [`concatenation`] joins segments and
//! [`text`] decodes them; [`receipt`] writes delivery receipts and replies; [`deliveries`] holds them until the platform has acknowledged them.

mod concatenation;
mod deliveries;
mod gsm;
mod receipt;
mod session;
mod submission;
mod text;

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

pub(crate) use self::session::listen;
use self::{concatenation::Concatenation, deliveries::Deliveries};
use crate::{
    fault::Faults,
    ledger::{Kept, Ledger},
    options::{MessageIds, Options},
    received::ReceivedSms,
    statistics::{SmsStatistics, Tallies},
};

/// The simulator of the SMS centre.
#[derive(Debug)]
pub(crate) struct Smsc {
    strict: bool,
    system_id: String,
    password: String,
    number: String,
    window: usize,
    rate: Option<Mutex<Rate>>,
    ids: MessageIds,
    next_id: AtomicU64,
    /// Ids of messages that the platform took back.
    taken_back: Mutex<Vec<String>>,
    concatenation: Concatenation,
    deliveries: Deliveries,
    pub(crate) faults: Faults,
    pub(crate) ledger: Ledger,
    pub(crate) kept: Kept<ReceivedSms>,
    pub(crate) tallies: Tallies,
}

/// Submits of the running second, over all sessions of the account.
#[derive(Debug)]
struct Rate {
    limit: u32,
    used: u32,
    since: Instant,
}

impl Smsc {
    pub(crate) fn new(options: &Options, password: String, changed: Arc<tokio::sync::Notify>) -> Self {
        Self {
            strict: options.strict,
            system_id: options.smpp_system_id.clone(),
            password,
            number: options.sms_number.clone(),
            window: options.sms_window,
            rate: options.sms_per_second.map(|limit| Mutex::new(Rate { limit, used: 0, since: Instant::now() })),
            ids: options.sms_ids,
            next_id: AtomicU64::new(1),
            taken_back: Mutex::default(),
            concatenation: Concatenation::default(),
            deliveries: Deliveries::default(),
            faults: Faults::default(),
            ledger: Ledger::new(options.counting),
            kept: Kept::new(options.keep_payloads),
            tallies: Tallies::new(changed),
        }
    }

    /// A resident answers: to the number that wrote last, or to the city's.
    pub(crate) fn reply(&self, phone: &str, text: &str) {
        let phone = phone_key(phone);
        let to = self.kept.of(&phone).pop().map_or_else(|| self.number.clone(), |last| last.from);
        self.deliveries.push(receipt::reply(&phone, &to, text));
    }

    pub(crate) fn statistics(&self) -> SmsStatistics {
        let (waiting, acknowledged) = self.deliveries.counts();
        SmsStatistics {
            incomplete: self.concatenation.incomplete(),
            deliveries_waiting: waiting,
            deliveries_acknowledged: acknowledged,
            ..self.tallies.sms_statistics(&self.ledger)
        }
    }

    /// Forgets what arrived; receipts and replies on their way stay.
    pub(crate) fn reset(&self) {
        self.ledger.reset();
        self.kept.reset();
        self.tallies.reset();
        self.concatenation.reset();
        self.taken_back.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// A new id, as the answer and as the receipt writes it.
    fn new_id(&self) -> (String, String) {
        self.ids.of(self.next_id.fetch_add(1, Relaxed))
    }

    /// The platform wants a message to be delivered no more.
    fn take_back(&self, id: &str) {
        self.taken_back.lock().unwrap_or_else(PoisonError::into_inner).push(id.to_owned());
        self.tallies.changed();
    }

    /// Ids of messages that the platform took back, in its order.
    pub(crate) fn taken_back(&self) -> Vec<String> {
        self.taken_back.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Takes one submit from the second's allowance.
    fn within_rate(&self) -> bool {
        let Some(rate) = &self.rate else { return true };
        let mut rate = rate.lock().unwrap_or_else(PoisonError::into_inner);
        if rate.since.elapsed() >= Duration::from_secs(1) {
            rate.since = Instant::now();
            rate.used = 0;
        }
        rate.used += 1;
        rate.used <= rate.limit
    }
}

/// A phone number as the ledger knows it: digits only, a mainland mobile number without its country code, however it was written.
pub(crate) fn phone_key(phone: &str) -> String {
    let digits: String = phone.chars().filter(char::is_ascii_digit).collect();
    let digits = digits.strip_prefix("00").unwrap_or(&digits);
    let national = digits.strip_prefix("86").filter(|national| national.len() == 11 && national.starts_with('1'));
    national.unwrap_or(digits).to_owned()
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::phone_key;

    #[rstest]
    #[case("13800138000", "13800138000")]
    #[case("+86 138-0013-8000", "13800138000")]
    #[case("008613800138000", "13800138000")]
    #[case("8613800138000", "13800138000")]
    #[case("+8523456789", "8523456789")]
    fn a_phone_is_the_same_phone_however_it_is_written(#[case] written: &str, #[case] key: &str) {
        assert_eq!(phone_key(written), key);
    }
}
