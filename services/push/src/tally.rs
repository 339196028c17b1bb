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
}

#[derive(Clone, Copy, Default)]
struct Awaited {
    /// Devices without an answer.
    devices: u16,
    /// The best answer so far.
    best: Option<Outcome>,
}

impl<'a> Tally<'a> {
    /// Nobody has a device yet.
    pub(crate) fn of(batch: &'a Claimed, noted: &'a Noted) -> Self {
        Self { batch, noted, residents: Mutex::new(vec![Awaited::default(); batch.recipients.len()]) }
    }

    /// A resident has one more device.
    pub(crate) fn expect(&self, resident_no: ResidentNo) {
        if let Some(position) = self.batch.recipients.position(resident_no.get()) {
            self.residents.lock().unwrap_or_else(PoisonError::into_inner)[position].devices += 1;
        }
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
            self.device(endpoint.resident_no, endpoint.id, Outcome::NoEndpoint);
        }
    }

    /// One device's outcome; with the last of a resident's devices, the resident has one.
    pub(crate) fn device(&self, resident_no: ResidentNo, endpoint_id: i64, outcome: Outcome) {
        if outcome == Outcome::EndpointGone {
            self.noted.gone(GoneEndpoint { resident_no, endpoint_id });
        }
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
