//! The outcomes of a batch's residents, each put together from the answers of their devices.

use std::sync::{Mutex, MutexGuard, PoisonError};

use dispatch::ledger::{Claimed, GoneEndpoint, OtherDevice};
use dispatch::worker::Noted;
use domain::ids::ResidentNo;
use domain::outcome::Outcome;

use crate::answer::of_several_devices;
use crate::endpoint::{Endpoint, Reach, Token};

/// What is still awaited for each resident of a batch.
pub(crate) struct Tally<'a> {
    batch: &'a Claimed,
    noted: &'a Noted,
    residents: Mutex<Vec<Awaited>>,
    gone: Mutex<Vec<GoneEndpoint>>,
    /// All devices, by the place of their owner in the batch.
    devices: Mutex<Vec<(usize, i64)>>,
    /// Of those whose owners have several: which are done with, reached or not.
    done: Mutex<Vec<i64>>,
}

#[derive(Clone, Copy, Default)]
struct Awaited {
    /// Devices without an answer.
    devices: u16,
    /// There are more than one.
    several: bool,
    /// The best answer so far.
    best: Option<Outcome>,
}

fn locked<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    // Plain values: nothing is left half done by a panic.
    of.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<'a> Tally<'a> {
    /// Nobody has a device yet.
    pub(crate) fn of(batch: &'a Claimed, noted: &'a Noted) -> Self {
        let residents = Mutex::new(vec![Awaited::default(); batch.recipients.len()]);
        Self { batch, noted, residents, gone: Mutex::default(), devices: Mutex::default(), done: Mutex::default() }
    }

    /// A resident has one more device.
    pub(crate) fn expect(&self, resident_no: ResidentNo, endpoint_id: i64) {
        if let Some(position) = self.batch.recipients.position(resident_no.get()) {
            let resident = &mut locked(&self.residents)[position];
            resident.several |= resident.devices > 0;
            resident.devices += 1;
            locked(&self.devices).push((position, endpoint_id));
        }
    }

    /// Whether a resident has other devices too: once they are reached on one of them, this one is tried again apart.
    pub(crate) fn has_several(&self, resident_no: ResidentNo) -> bool {
        let position = self.batch.recipients.position(resident_no.get());
        position.is_some_and(|position| locked(&self.residents)[position].several)
    }

    /// Notes who has no device at all.
    pub(crate) fn note_without_device(&self) {
        let residents = locked(&self.residents);
        for (position, _) in self.batch.pending().filter(|(position, _)| residents[*position].devices == 0) {
            self.noted.outcome(position, Outcome::NoEndpoint);
        }
    }

    /// The devices of a provider that this installation does not use: their owners have no app, as far as it is concerned.
    pub(crate) fn without_provider<R: Reach>(&self, endpoints: &[Endpoint<R>]) {
        for endpoint in endpoints {
            self.device(endpoint, Outcome::NoEndpoint);
        }
    }

    /// A device that is to be pruned.
    pub(crate) fn gone(&self, endpoint: GoneEndpoint) {
        locked(&self.gone).push(endpoint);
        self.answered(endpoint.resident_no, endpoint.endpoint_id, Outcome::EndpointGone);
    }

    /// All answers are in: tells of what is gone, once for the whole batch, so that it is seen which share of it that is.
    pub(crate) fn note_gone(&self) {
        locked(&self.gone).drain(..).for_each(|endpoint| self.noted.gone(endpoint));
    }

    /// All answers are in, or will not come any more: tells of the devices that are to be tried again alone, since their owners were reached by another.
    pub(crate) fn note_again(&self) {
        let (residents, mut done) = (locked(&self.residents), locked(&self.done));
        done.sort_unstable();
        for (position, endpoint_id) in locked(&self.devices).drain(..) {
            let resident = residents[position];
            let is_reached = resident.several && resident.best.is_some_and(Outcome::is_handed_over);
            if let Some(number) = self.batch.recipients.as_slice().get(position)
                && is_reached
                && done.binary_search(&endpoint_id).is_err()
            {
                self.noted.again(OtherDevice { resident_no: ResidentNo::new(*number), endpoint_id });
            }
        }
    }

    /// One device's outcome; with the last of a resident's devices, the resident has one.
    pub(crate) fn device<R: Reach>(&self, endpoint: &Endpoint<R>, outcome: Outcome) {
        let by_browser = outcome == Outcome::Accepted && matches!(endpoint.token, Token::WebPush(_));
        self.answered(endpoint.resident_no, endpoint.id, if by_browser { Outcome::AcceptedByBrowser } else { outcome });
    }

    fn answered(&self, resident_no: ResidentNo, endpoint_id: i64, outcome: Outcome) {
        let Some(position) = self.batch.recipients.position(resident_no.get()) else { return };
        let settled = {
            let mut residents = locked(&self.residents);
            let resident = &mut residents[position];
            let best = resident.best.map_or(outcome, |best| of_several_devices(best, outcome));
            resident.best = Some(best);
            resident.devices = resident.devices.saturating_sub(1);
            if resident.several && outcome.is_final() {
                locked(&self.done).push(endpoint_id);
            }
            // Reached on one device is reached; anything else waits for the others.
            (resident.devices == 0 || outcome.is_handed_over()).then_some(best)
        };
        if let Some(outcome) = settled.filter(|outcome| *outcome != Outcome::Pending) {
            self.noted.outcome(position, outcome);
        }
    }
}
