//! The outcomes of a batch's residents, each put together from the answers of their devices.

use std::sync::{Mutex, PoisonError};

use dispatch::ledger::{Claimed, GoneEndpoint};
use dispatch::worker::Noted;
use domain::ids::ResidentNo;
use domain::outcome::Outcome;

use crate::answer::of_several_devices;
use crate::endpoint::{Endpoint, Reach};

/// What is still awaited for each resident of a batch.
pub(crate) struct Tally<'a> {
    batch: &'a Claimed,
    noted: &'a Noted,
    residents: Mutex<Vec<Awaited>>,
    gone: Mutex<Vec<GoneEndpoint>>,
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

impl<'a> Tally<'a> {
    /// Nobody has a device yet.
    pub(crate) fn of(batch: &'a Claimed, noted: &'a Noted) -> Self {
        let residents = Mutex::new(vec![Awaited::default(); batch.recipients.len()]);
        Self { batch, noted, residents, gone: Mutex::default() }
    }

    /// A resident has one more device.
    pub(crate) fn expect(&self, resident_no: ResidentNo) {
        if let Some(position) = self.batch.recipients.position(resident_no.get()) {
            let resident = &mut self.residents.lock().unwrap_or_else(PoisonError::into_inner)[position];
            resident.several |= resident.devices > 0;
            resident.devices += 1;
        }
    }

    /// Whether a resident has other devices too: reached on one of them, nobody would try this one again.
    pub(crate) fn has_several(&self, resident_no: ResidentNo) -> bool {
        let position = self.batch.recipients.position(resident_no.get());
        position.is_some_and(|position| self.residents.lock().unwrap_or_else(PoisonError::into_inner)[position].several)
    }

    /// Notes who has no device at all.
    pub(crate) fn note_without_device(&self) {
        let residents = self.residents.lock().unwrap_or_else(PoisonError::into_inner);
        for (position, _) in self.batch.pending().filter(|(position, _)| residents[*position].devices == 0) {
            self.noted.outcome(position, Outcome::NoEndpoint);
        }
    }

    /// The devices of a provider that this installation does not use: their owners have no app, as far as it is concerned.
    pub(crate) fn without_provider<R: Reach>(&self, endpoints: &[Endpoint<R>]) {
        for endpoint in endpoints {
            self.device(endpoint.resident_no, Outcome::NoEndpoint);
        }
    }

    /// A device that is to be pruned.
    pub(crate) fn gone(&self, endpoint: GoneEndpoint) {
        self.gone.lock().unwrap_or_else(PoisonError::into_inner).push(endpoint);
        self.device(endpoint.resident_no, Outcome::EndpointGone);
    }

    /// All answers are in: tells of what is gone, once for the whole batch, so that it is seen which share of it that is.
    pub(crate) fn note_gone(&self) {
        self.gone.lock().unwrap_or_else(PoisonError::into_inner).drain(..).for_each(|endpoint| self.noted.gone(endpoint));
    }

    /// One device's outcome; with the last of a resident's devices, the resident has one.
    pub(crate) fn device(&self, resident_no: ResidentNo, outcome: Outcome) {
        let Some(position) = self.batch.recipients.position(resident_no.get()) else { return };
        let settled = {
            let mut residents = self.residents.lock().unwrap_or_else(PoisonError::into_inner);
            let resident = &mut residents[position];
            let best = resident.best.map_or(outcome, |best| of_several_devices(best, outcome));
            resident.best = Some(best);
            resident.devices = resident.devices.saturating_sub(1);
            // Reached on one device is reached; anything else waits for the others.
            (resident.devices == 0 || outcome == Outcome::Accepted).then_some(best)
        };
        if let Some(outcome) = settled.filter(|outcome| *outcome != Outcome::Pending) {
            self.noted.outcome(position, outcome);
        }
    }
}
