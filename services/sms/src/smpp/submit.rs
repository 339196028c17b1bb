//! The account at the SMS centre: all its binds, driven together.
//!
//! Two limits stand before every part that goes out: the account's token bucket, shared by all processes through the cache,
//! and the window of one bind. `ESME_RTHROTTLED` pauses the whole account of this process, since the centre counts per
//! account; the part then goes again, and only when the centre keeps throttling does the message come back as
//! [`Outcome::Throttled`].

use std::{
    num::NonZeroU32,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use chrono::{DateTime, Utc};
use domain::{
    outcome::Outcome,
    phone::PhoneNumber,
    retry::{Backoff, spread},
};
use futures::future::select_all;
use platform::{Platform, cache::Tokens, clock::Clock};
use rusmpp::{
    pdus::SubmitSm,
    types::{COctetString, OctetString},
    values::{EsmClass, Npi, RegisteredDelivery, Ton},
};
use rusmppc::Client;
use tokio::{
    sync::{OwnedSemaphorePermit, mpsc},
    time::{Instant, timeout_at},
};

use super::{
    allowance::Allowance,
    alphabet, answer,
    segments::Segments,
    session::{Delivered, Link, Runner, State, c_string},
};
use crate::{error::Error, settings::Settings};

/// Pauses of the account after `ESME_RTHROTTLED`, and how often a part is tried.
const THROTTLE: Backoff = Backoff { base: Duration::from_secs(1), cap: Duration::from_secs(8), factor: 2 };
const THROTTLE_TRIES: u8 = 4;

/// What is delivered and not yet taken: the centre waits for our answers anyway.
const DELIVERED_BUFFER: usize = 1024;

/// What became of one message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Submitted {
    /// Accepted only when every part was; pending when nothing could be sent since no bind is up.
    pub outcome: Outcome,
    /// The centre's ids of the parts it took, in order.
    pub ids: Vec<String>,
}

/// The account. Clones are not needed: it is shared by reference.
pub struct Account {
    links: Vec<Link>,
    platform: Platform,
    settings: Arc<Settings>,
    source: Source,
    paused_until: Mutex<Option<DateTime<Utc>>>,
    allowance: Allowance,
}

struct Source {
    address: COctetString<1, 21>,
    ton: Ton,
    npi: Npi,
}

/// A place in a bind's window; giving it up frees the place.
struct Place {
    client: Client,
    _permit: OwnedSemaphorePermit,
}

impl Account {
    /// Starts the binds; they connect in the background. What the centre delivers comes out of the receiver.
    pub fn start(platform: &Platform, settings: Arc<Settings>) -> Result<(Arc<Self>, mpsc::Receiver<Delivered>), Error> {
        let source = Source::of(&settings.source_address)?;
        let (delivered, received) = mpsc::channel(DELIVERED_BUFFER);
        let mut links = Vec::new();
        for number in (1..=settings.binds.get()).filter_map(NonZeroU32::new) {
            let (link, runner) = Runner::new(number, &settings, &platform.clock, &delivered);
            let (runner, stop) = (Arc::new(runner), platform.tasks.token().clone());
            platform.tasks.keep("sms.link", move || {
                let (runner, stop) = (Arc::clone(&runner), stop.clone());
                async move {
                    // Cutting a link off loses nothing: unanswered messages are in the ledger, unanswered deliveries come again.
                    stop.run_until_cancelled(runner.run()).await;
                }
            });
            links.push(link);
        }
        let account =
            Self { links, platform: platform.clone(), settings, source, paused_until: Mutex::new(None), allowance: Allowance::default() };
        Ok((Arc::new(account), received))
    }

    /// Whether at least one bind is up.
    pub fn is_bound(&self) -> bool {
        self.links.iter().any(|link| matches!(*link.state.borrow(), State::Bound(_)))
    }

    /// Submits one message, part after part; stops at the first part that is not taken.
    ///
    /// When the connection breaks or the answer stays out, the centre may have the part all the same: the outcome is
    /// `Temporary`, and the retry may reach the phone a second time, under the same concatenation reference.
    pub async fn submit(&self, to: PhoneNumber, segments: &Segments) -> Submitted {
        let mut ids = Vec::with_capacity(segments.parts.len());
        for part in &segments.parts {
            match self.submit_part(to, segments, part).await {
                Ok(id) => ids.push(id),
                // Whoever has some of the parts was sent to.
                Err(Outcome::Pending) if !ids.is_empty() => return Submitted { outcome: Outcome::Temporary, ids },
                Err(outcome) => return Submitted { outcome, ids },
            }
        }
        Submitted { outcome: Outcome::Accepted, ids }
    }

    fn message(&self, to: PhoneNumber, segments: &Segments, part: &[u8]) -> Option<SubmitSm> {
        // EsmClass::default() of the library is a delivery acknowledgement; zero is the plain message.
        let class = EsmClass::from(0x00);
        let message = SubmitSm::builder()
            .source_addr_ton(self.source.ton)
            .source_addr_npi(self.source.npi)
            .source_addr(self.source.address.clone())
            .dest_addr_ton(Ton::International)
            .dest_addr_npi(Npi::Isdn)
            .destination_addr(c_string(to.e164().trim_start_matches('+'))?)
            .esm_class(if segments.has_header() { class.with_udhi_indicator() } else { class })
            // A receipt for success and for failure (SMPP 3.4 §5.2.17).
            .registered_delivery(RegisteredDelivery::from(0x01))
            .data_coding(alphabet::data_coding(segments.encoding))
            .short_message(OctetString::from_slice(part).ok()?)
            .build();
        Some(message)
    }

    async fn submit_part(&self, to: PhoneNumber, segments: &Segments, part: &[u8]) -> Result<String, Outcome> {
        let mut tries = 0;
        loop {
            let message = self.message(to, segments, part).ok_or(Outcome::Permanent)?;
            self.wait_for_turn().await;
            let place = self.place().await?;
            let outcome = match place.client.submit_sm(message).await {
                Ok(response) => {
                    count(Outcome::Accepted);
                    return Ok(response.message_id().as_str().to_owned());
                }
                Err(rusmppc::error::Error::UnexpectedResponse { response }) => match answer::to_submit(response.status()) {
                    // An answer of another kind under our sequence number: nonsense, and no proof of anything.
                    Outcome::Accepted => Outcome::Temporary,
                    outcome => outcome,
                },
                Err(_) => Outcome::Temporary,
            };
            drop(place);
            count(outcome);
            tries += 1;
            if outcome != Outcome::Throttled || tries == THROTTLE_TRIES {
                return Err(outcome);
            }
            self.pause(THROTTLE.ceiling(tries));
        }
    }

    /// Waits out a pause and takes a token of the account's rate.
    async fn wait_for_turn(&self) {
        let clock: &Clock = &self.platform.clock;
        loop {
            let until = *self.paused_until.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(until) = until.filter(|until| *until > clock.now()) {
                clock.sleep_until(until).await;
                continue;
            }
            match self.allowance.take(&self.platform.cache, &self.settings).await {
                Ok(Tokens::Granted) => return,
                Ok(Tokens::WaitUntil(until)) => clock.sleep_until(until).await,
                Err(error) => {
                    // Without the cache the window still bounds us, and an alert must not wait for a cache.
                    tracing::warn!(%error, "the rate of SMS is not shared between processes now");
                    return;
                }
            }
        }
    }

    fn pause(&self, pause: Duration) {
        metrics::counter!("sms_throttled_pauses_total").increment(1);
        let until = self.platform.clock.now() + spread(pause, rand::random());
        let mut paused_until = self.paused_until.lock().unwrap_or_else(PoisonError::into_inner);
        *paused_until = Some(paused_until.map_or(until, |paused| paused.max(until)));
    }

    /// The bound link with most room in its window.
    fn roomiest(&self) -> Option<(&Link, Client)> {
        let bound = self.links.iter().filter_map(|link| match &*link.state.borrow() {
            // A link that broke a moment ago may not have said so yet.
            State::Bound(client) if !client.is_closed() => Some((link, client.clone())),
            State::Bound(_) | State::Down | State::Refused => None,
        });
        bound.max_by_key(|(link, _)| link.window.available_permits())
    }

    /// A place in the window of the bound link with most room; waits for a link to come up, but not for ever
    /// ([`Outcome::Pending`]: nothing was sent).
    async fn place(&self) -> Result<Place, Outcome> {
        let deadline = Instant::now() + Duration::from_secs(self.settings.unbound_patience_s);
        loop {
            if let Some((link, client)) = self.roomiest() {
                let permit = link.window.clone().acquire_owned().await.map_err(|_| Outcome::Pending)?;
                if client.is_closed() {
                    continue;
                }
                return Ok(Place { client, _permit: permit });
            }
            let mut states: Vec<_> = self.links.iter().map(|link| link.state.clone()).collect();
            let seen: Vec<State> = states.iter_mut().map(|state| state.borrow_and_update().clone()).collect();
            if self.roomiest().is_some() {
                continue;
            }
            if seen.iter().all(|state| matches!(state, State::Refused)) {
                return Err(Outcome::CredentialsRefused);
            }
            let change = select_all(states.iter_mut().map(|state| Box::pin(state.changed())));
            let (change, ..) = timeout_at(deadline, change).await.map_err(|_| Outcome::Pending)?;
            // The links have been stopped: none will come up any more.
            change.map_err(|_| Outcome::Pending)?;
        }
    }
}

impl Source {
    fn of(address: &str) -> Result<Self, Error> {
        let is_number = address.chars().all(|character| character.is_ascii_digit());
        let (ton, npi) = if is_number { (Ton::Unknown, Npi::Isdn) } else { (Ton::Alphanumeric, Npi::Unknown) };
        let address = c_string(address).ok_or(Error::Setting { name: "sms.source_address", reason: "up to 20 ASCII characters" })?;
        Ok(Self { address, ton, npi })
    }
}

fn count(outcome: Outcome) {
    metrics::counter!("sms_parts_total", "answer" => outcome.to_string()).increment(1);
}
