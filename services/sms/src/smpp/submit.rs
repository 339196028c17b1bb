//! The account at the SMS centre: all its binds, driven together.
//!
//! Two limits stand before every part that goes out: the account's token bucket, shared by all processes through the cache,
//! and the window of one bind; who asks for them goes by [`lanes`](super::lanes). How far both are used depends on what the centre
//! answers ([`pace`](super::pace)). A part that is answered with `ESME_RTHROTTLED` waits a moment by itself and goes again; only when
//! the centre keeps throttling it does the message come back as [`Outcome::Throttled`].
//!
//! **What is unknown is not failed.** A part whose answer stays out may be with the centre: it is submitted once more at most, and its
//! late answer settles it ([`late`](super::late)). A message goes on at the part that is missing.

use std::{
    num::NonZeroU32,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use chrono::{DateTime, TimeDelta, Utc};
use domain::{
    ids::{AlertId, ResidentNo, WaveNo},
    outcome::Outcome,
    phone::PhoneNumber,
    retry::Backoff,
};
use platform::{Platform, cache::Tokens, clock::Clock};
use rusmpp::{
    CommandStatus,
    pdus::SubmitSm,
    types::{EmptyOrFullCOctetString, OctetString},
    values::{EsmClass, Npi, RegisteredDelivery, Ton},
};
use tokio::{sync::mpsc, time::Instant};

use super::{
    allowance::{Allowance, take_for_code},
    alphabet, answer,
    lanes::{Lane, Lanes},
    late::{LateAnswer, PartOf},
    links::{Links, Place},
    pace::{Answer, Pace},
    segments::Segments,
    session::{Delivered, Runner},
    source::Source,
    validity::validity_period,
};
use crate::{error::Error, settings::Settings};

/// How long a throttled part waits, and how often it is tried.
const THROTTLE: Backoff = Backoff { base: Duration::from_millis(250), cap: Duration::from_secs(8), factor: 2 };
const THROTTLE_TRIES: u8 = 8;

/// How often a part may be submitted without an answer: once, and once more.
pub const SUBMISSIONS_UNANSWERED: u8 = 2;

/// However slow the centre wants it, a part goes out this often.
const LONGEST_SPACING_S: f64 = 1.0;

/// What is delivered and not yet taken: the centre waits for our answers anyway.
const DELIVERED_BUFFER: usize = 1024;

/// A message to be submitted.
pub struct Order<'a> {
    /// To whom.
    pub to: PhoneNumber,
    /// What.
    pub segments: &'a Segments,
    /// How pressing it is.
    pub lane: Lane,
    /// Until when it may still arrive; none: as long as the centre keeps it.
    pub until: Option<DateTime<Utc>>,
    /// Which message of an alert it is; none for others, whose late answers settle nothing.
    pub of: Option<MessageOf>,
    /// What became of its parts in earlier tries; empty at the first.
    pub begun: Vec<Progress>,
    /// Whether it is still to be sent; asked before each part.
    pub wanted: &'a (dyn Fn() -> bool + Sync),
}

/// A message of an alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MessageOf {
    /// The alert.
    pub alert: AlertId,
    /// Its wave.
    pub wave: WaveNo,
    /// To whom.
    pub resident: ResidentNo,
}

/// What became of a part.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Progress {
    /// The centre does not have it.
    #[default]
    Open,
    /// It may have it: so often it was submitted without an answer.
    Unanswered(u8),
    /// It has it.
    Taken(Taken),
}

/// A part that the centre took.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taken {
    /// Its id, as the centre wrote it.
    pub id: String,
    /// When it took it.
    pub at: DateTime<Utc>,
}

/// What became of one message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Submitted {
    /// Accepted only when every part was; pending when the rest could not be sent since no bind is up, or was not wanted any more.
    pub outcome: Outcome,
    /// Its parts, in order.
    pub parts: Vec<Progress>,
    /// Whether the centre was asked for one of them.
    pub asked: bool,
    /// How the centre refused one of them.
    pub refused_with: Option<CommandStatus>,
}

impl Submitted {
    /// Whether the answer to a part stays out.
    pub fn is_unanswered(&self) -> bool {
        self.parts.iter().any(|part| matches!(part, Progress::Unanswered(_)))
    }

    /// Whether the centre says by it how it stands: not when it binds the account no more, nor when a connection broke under the message.
    pub fn is_answer_of_centre(&self) -> bool {
        let is_lost = matches!(self.outcome, Outcome::CredentialsRefused | Outcome::Temporary) && self.refused_with.is_none();
        self.asked && (!is_lost || self.is_unanswered())
    }
}

/// Why a part was not taken.
enum Failed {
    /// It may be there.
    Unanswered,
    /// It was not submitted, or it was lost.
    Not(Outcome),
    /// The centre said no.
    Refused(CommandStatus, Outcome),
}

/// The account. Clones are not needed: it is shared by reference.
pub struct Account {
    pub(super) links: Links,
    platform: Platform,
    settings: Arc<Settings>,
    pub(super) source: Source,
    lanes: Arc<Lanes>,
    pace: Mutex<Pace>,
    /// Before then no further part goes out.
    next_at: Mutex<DateTime<Utc>>,
    allowance: Allowance,
}

/// What comes from the centre by itself.
pub struct FromCentre {
    /// Receipts and replies.
    pub delivered: mpsc::Receiver<Delivered>,
    /// Answers after their time-out.
    pub late: mpsc::UnboundedReceiver<LateAnswer>,
}

impl Account {
    /// Starts the binds; they connect in the background.
    pub fn start(platform: &Platform, settings: Arc<Settings>) -> Result<(Arc<Self>, FromCentre), Error> {
        let source = Source::of(&settings.source_address)?;
        let (delivered, received) = mpsc::channel(DELIVERED_BUFFER);
        let (late, answered) = mpsc::unbounded_channel();
        let mut links = Vec::new();
        for number in (1..=settings.binds.get()).filter_map(NonZeroU32::new) {
            let (link, runner) = Runner::new(number, &settings, &platform.clock, &delivered, &late);
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
        let window = settings.window.get().saturating_mul(links.len());
        let account = Self {
            links: Links::new(links, Duration::from_secs(settings.unbound_patience_s)),
            platform: platform.clone(),
            settings,
            source,
            lanes: Arc::default(),
            pace: Mutex::new(Pace::new(window)),
            next_at: Mutex::new(DateTime::UNIX_EPOCH),
            allowance: Allowance::default(),
        };
        Ok((Arc::new(account), FromCentre { delivered: received, late: answered }))
    }

    /// Whether at least one bind is up.
    pub fn is_bound(&self) -> bool {
        self.links.is_bound()
    }

    /// Submits what is missing of one message, part after part; stops at the first part that is not taken.
    ///
    /// When the connection breaks, the centre may have the part all the same: the outcome is `Temporary`, and the retry may reach the
    /// phone a second time, under the same concatenation reference. So is that of a message of which an answer stays out; its part is
    /// not submitted a third time.
    pub async fn submit(&self, mut order: Order<'_>) -> Submitted {
        let mut parts = std::mem::take(&mut order.begun);
        parts.resize(order.segments.parts.len(), Progress::Open);
        let mut submitted = Submitted { outcome: Outcome::Accepted, parts, asked: false, refused_with: None };
        for ((number, octets), part) in (1..=u8::MAX).zip(&order.segments.parts).zip(&mut submitted.parts) {
            let unanswered = match part {
                Progress::Taken(_) => continue,
                Progress::Unanswered(SUBMISSIONS_UNANSWERED..) => {
                    submitted.outcome = Outcome::Temporary;
                    continue;
                }
                Progress::Unanswered(times) => *times,
                Progress::Open => 0,
            };
            submitted.asked = true;
            match self.submit_part(&order, number, octets).await {
                Ok(id) => {
                    *part = Progress::Taken(Taken { id, at: self.platform.clock.now() });
                    continue;
                }
                Err(Failed::Unanswered) => {
                    *part = Progress::Unanswered(unanswered + 1);
                    submitted.outcome = Outcome::Temporary;
                }
                Err(Failed::Not(outcome)) => submitted.outcome = outcome,
                Err(Failed::Refused(status, outcome)) => (submitted.outcome, submitted.refused_with) = (outcome, Some(status)),
            }
            break;
        }
        submitted
    }

    fn message(&self, order: &Order<'_>, octets: &[u8]) -> Option<SubmitSm> {
        // EsmClass::default() of the library is a delivery acknowledgement; zero is the plain message.
        let class = EsmClass::from(0x00);
        let left = order.until.map(|until| until - self.platform.clock.now());
        let message = SubmitSm::builder()
            .source_addr_ton(self.source.ton)
            .source_addr_npi(self.source.npi)
            .source_addr(self.source.address.clone())
            .dest_addr_ton(Ton::International)
            .dest_addr_npi(Npi::Isdn)
            .destination_addr(super::session::c_string(order.to.e164().trim_start_matches('+'))?)
            .esm_class(if order.segments.has_header() { class.with_udhi_indicator() } else { class })
            .validity_period(left.map_or_else(EmptyOrFullCOctetString::empty, validity_period))
            // A receipt for success and for failure (SMPP 3.4 §5.2.17).
            .registered_delivery(RegisteredDelivery::from(0x01))
            .data_coding(alphabet::data_coding(order.segments.encoding))
            .short_message(OctetString::from_slice(octets).ok()?)
            .build();
        Some(message)
    }

    async fn submit_part(&self, order: &Order<'_>, number: u8, octets: &[u8]) -> Result<String, Failed> {
        let mut throttled = 0;
        loop {
            let place = self.place(order).await.map_err(Failed::Not)?;
            let message = self.message(order, octets).ok_or(Failed::Not(Outcome::Permanent))?;
            let asked_at = Instant::now();
            let (status, outcome) = match place.client.submit_sm(message).await {
                Ok(response) => {
                    self.took(Outcome::Accepted, Answer::After(asked_at.elapsed()));
                    return Ok(response.message_id().as_str().to_owned());
                }
                Err(rusmppc::error::Error::ResponseTimeout { sequence_number, .. }) => {
                    let parts = u8::try_from(order.segments.parts.len()).unwrap_or(u8::MAX);
                    if let Some(MessageOf { alert, wave, resident }) = order.of {
                        place.late.owes(sequence_number, PartOf { alert, wave, resident, part: number, parts });
                    }
                    metrics::counter!("sms_unanswered_total").increment(1);
                    self.took(Outcome::Temporary, Answer::None);
                    return Err(Failed::Unanswered);
                }
                Err(rusmppc::error::Error::UnexpectedResponse { response }) => {
                    let outcome = match answer::to_submit(response.status()) {
                        // An answer of another kind under our sequence number: nonsense, and no proof of anything.
                        Outcome::Accepted => Outcome::Temporary,
                        outcome => outcome,
                    };
                    let answer = if outcome == Outcome::Throttled { Answer::Throttled } else { Answer::After(asked_at.elapsed()) };
                    self.took(outcome, answer);
                    (response.status(), outcome)
                }
                Err(_) => {
                    count(Outcome::Temporary);
                    return Err(Failed::Not(Outcome::Temporary));
                }
            };
            drop(place);
            throttled += 1;
            if outcome != Outcome::Throttled || throttled == THROTTLE_TRIES {
                return Err(Failed::Refused(status, outcome));
            }
            metrics::counter!("sms_throttled_pauses_total").increment(1);
            self.platform.clock.sleep(THROTTLE.delay(throttled, rand::random())).await;
        }
    }

    /// Waits for the part's turn, for a token of the account's rate and for a place in a window. Only who has the turn asks for the
    /// other two. [`Outcome::Pending`]: no bind is up, or it is not wanted any more; nothing was sent.
    async fn place(&self, order: &Order<'_>) -> Result<Place, Outcome> {
        if order.lane == Lane::Code {
            self.wait_for_code_token().await;
        }
        loop {
            self.links.bound().await?;
            let _turn = self.lanes.turn(order.lane).await;
            if !(order.wanted)() {
                return Err(Outcome::Pending);
            }
            self.wait_for_token().await;
            if let Some(place) = self.links.place(|| self.pace().window()).await {
                return if (order.wanted)() { Ok(place) } else { Err(Outcome::Pending) };
            }
        }
    }

    /// Takes a token of the account's rate, and waits longer where the centre wants it slower.
    async fn wait_for_token(&self) {
        let clock: &Clock = &self.platform.clock;
        if let Some(at) = self.slowed_down() {
            clock.sleep_until(at).await;
        }
        loop {
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

    /// Takes a token of the codes' own rate, before anything of the account is asked for.
    async fn wait_for_code_token(&self) {
        loop {
            match take_for_code(&self.platform.cache, &self.settings).await {
                Ok(Tokens::Granted) => return,
                Ok(Tokens::WaitUntil(until)) => self.platform.clock.sleep_until(until).await,
                // Codes themselves stand in the cache: without it none are asked for.
                Err(error) => {
                    tracing::warn!(%error, "the rate of one-time codes is not shared between processes now");
                    return;
                }
            }
        }
    }

    /// When the next part may go out, where the centre wants it slower than agreed.
    fn slowed_down(&self) -> Option<DateTime<Utc>> {
        let rate = self.pace().rate();
        if rate >= 1.0 {
            return None;
        }
        let spacing_s = (rate * f64::from(self.settings.rate_per_second.get())).recip().min(LONGEST_SPACING_S);
        let now = self.platform.clock.now();
        let mut next_at = self.next_at.lock().unwrap_or_else(PoisonError::into_inner);
        let at = now.max(*next_at);
        *next_at = at + TimeDelta::microseconds((spacing_s * 1e6) as i64);
        Some(at)
    }

    fn took(&self, outcome: Outcome, answer: Answer) {
        count(outcome);
        let mut pace = self.pace();
        let before = (pace.rate(), pace.window());
        pace.took(answer);
        let after = (pace.rate(), pace.window());
        drop(pace);
        if before != after {
            metrics::gauge!("sms_pace_rate").set(after.0);
            metrics::gauge!("sms_pace_window").set(after.1 as f64);
        }
    }

    fn pace(&self) -> MutexGuard<'_, Pace> {
        self.pace.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn count(outcome: Outcome) {
    metrics::counter!("sms_parts_total", "answer" => outcome.to_string()).increment(1);
}
