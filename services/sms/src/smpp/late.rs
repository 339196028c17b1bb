//! Answers that come after their time-out. Until one comes it is unknown whether the centre has the part: it is neither there nor
//! failed. Each link remembers the parts whose answer it waits for no longer, by sequence number, until the link ends.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use domain::{
    ids::{AlertId, ResidentNo, WaveNo},
    outcome::Outcome,
};
use rusmpp::{CommandStatus, Pdu};
use tokio::sync::mpsc;

use super::answer;

/// Parts that one link remembers at most: more than a window loses in an hour.
const MOST: usize = 16 * 1024;

/// Which part of which message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct PartOf {
    /// The alert that the message is of.
    pub alert: AlertId,
    /// Its wave.
    pub wave: WaveNo,
    /// To whom.
    pub resident: ResidentNo,
    /// Which part, from 1,
    pub part: u8,
    /// of how many.
    pub parts: u8,
}

/// A part's answer after its time-out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LateAnswer {
    /// The part.
    pub of: PartOf,
    /// The centre's id if it took it; none if it refused it.
    pub id: Option<String>,
}

/// The parts of one link whose answer stays out.
#[derive(Debug)]
pub(super) struct Late {
    owed: Mutex<HashMap<u32, PartOf>>,
    told: mpsc::UnboundedSender<LateAnswer>,
}

impl Late {
    pub(super) fn new(told: mpsc::UnboundedSender<LateAnswer>) -> Self {
        Self { owed: Mutex::default(), told }
    }

    /// The answer to this request is waited for no longer.
    pub(super) fn owes(&self, sequence_number: u32, part: PartOf) {
        let mut owed = self.owed();
        if owed.len() < MOST {
            owed.insert(sequence_number, part);
        }
    }

    /// An answer that nobody waits for.
    pub(super) fn answered(&self, sequence_number: u32, status: CommandStatus, answer: Option<&Pdu>) {
        metrics::counter!("sms_late_answers_total").increment(1);
        let Some(of) = self.owed().remove(&sequence_number) else { return };
        let id = match answer {
            Some(Pdu::SubmitSmResp(response)) if answer::to_submit(status) == Outcome::Accepted => {
                Some(response.message_id().as_str().to_owned())
            }
            _ => None,
        };
        // Nobody listens any more when the process stops.
        let _ = self.told.send(LateAnswer { of, id });
    }

    /// The link has ended: its sequence numbers mean nothing any more.
    pub(super) fn end(&self) {
        self.owed().clear();
    }

    fn owed(&self) -> MutexGuard<'_, HashMap<u32, PartOf>> {
        self.owed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
