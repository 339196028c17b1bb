//! Signs of life of what runs in the background: when each worker last took a turn, and whether it keeps breaking down.
//!
//! `/readyz` asks ([`Pulses::ailing`]), `/metrics` shows. Real time, also beside a clock that is moved.

use std::borrow::Cow;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use tokio::time::Instant;

use crate::clock::Clock;

/// A turn that takes longer, or that comes by so much too late, is told.
pub(crate) const LONGEST: Duration = Duration::from_secs(300);
/// So many panics, or ends before the stop, in a row are told.
pub(crate) const BREAKDOWNS: u32 = 3;
/// Whatever ran for so long without breaking down is well again.
pub(crate) const WELL_AFTER: Duration = Duration::from_secs(60);

/// All that a process has in the background. Clones share it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Pulses(Arc<Mutex<Vec<Weak<Pulse>>>>);

/// One of them.
#[derive(Debug)]
pub(crate) struct Pulse {
    name: Cow<'static, str>,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    doing: Doing,
    breakdowns: u32,
}

#[derive(Debug)]
enum Doing {
    /// Takes a turn.
    Turn { since: Instant },
    /// Waits for the next one, which comes within so long.
    Wait { since: Instant, at_most: Duration },
    /// Runs without turns.
    Run { since: Instant },
}

impl Pulses {
    /// Listens to something more, for as long as it is kept.
    pub(crate) fn of(&self, name: Cow<'static, str>) -> Arc<Pulse> {
        let pulse = Arc::new(Pulse { name, state: Mutex::new(State { doing: Doing::Run { since: Instant::now() }, breakdowns: 0 }) });
        let mut pulses = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        pulses.retain(|pulse| pulse.strong_count() > 0);
        pulses.push(Arc::downgrade(&pulse));
        pulse
    }

    /// What is wrong, each in a sentence with the name of its worker.
    pub(crate) fn ailing(&self) -> Vec<String> {
        let now = Instant::now();
        let pulses = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        pulses.iter().filter_map(Weak::upgrade).filter_map(|pulse| pulse.ails(now)).collect()
    }
}

impl Pulse {
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // whole between any two statements
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn begins_a_turn(&self) {
        self.state().doing = Doing::Turn { since: Instant::now() };
    }

    /// A turn has ended, well or with an error.
    pub(crate) fn has_turned(&self) {
        self.state().breakdowns = 0;
    }

    pub(crate) fn waits(&self, at_most: Duration) {
        self.state().doing = Doing::Wait { since: Instant::now(), at_most };
    }

    pub(crate) fn runs(&self) {
        self.state().doing = Doing::Run { since: Instant::now() };
    }

    /// It panicked, or ended before the stop.
    pub(crate) fn has_broken_down(&self) {
        let mut state = self.state();
        if let Doing::Run { since } = state.doing
            && since.elapsed() > WELL_AFTER
        {
            state.breakdowns = 0;
        }
        state.breakdowns = state.breakdowns.saturating_add(1);
    }

    fn ails(&self, now: Instant) -> Option<String> {
        let state = self.state();
        let name = &self.name;
        let recovered = matches!(state.doing, Doing::Run { since } if now - since > WELL_AFTER);
        if state.breakdowns >= BREAKDOWNS && !recovered {
            return Some(format!("{name} has broken down {} times in a row", state.breakdowns));
        }
        match state.doing {
            Doing::Turn { since } if now - since > LONGEST => Some(format!("{name} is in one turn for {} s", (now - since).as_secs())),
            Doing::Wait { since, at_most } if now - since > at_most.saturating_add(LONGEST) => {
                Some(format!("{name} has taken no turn for {} s", (now - since).as_secs()))
            }
            _ => None,
        }
    }
}

/// The machine's time, as a metric has it.
pub(crate) fn unix_seconds() -> f64 {
    Clock::real().now().timestamp_micros() as f64 / 1e6
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hurt(times: u32) -> (Pulses, Arc<Pulse>) {
        let pulses = Pulses::default();
        let pulse = pulses.of("dispatch.pump".into());
        for _ in 0..times {
            pulse.begins_a_turn();
            pulse.has_broken_down();
        }
        (pulses, pulse)
    }

    #[test]
    fn a_worker_that_keeps_panicking_ails_until_a_turn_goes_well() {
        let (pulses, pulse) = hurt(BREAKDOWNS - 1);
        assert!(pulses.ailing().is_empty());
        pulse.has_broken_down();
        assert_eq!(pulses.ailing(), ["dispatch.pump has broken down 3 times in a row"]);
        pulse.has_turned();
        assert!(pulses.ailing().is_empty());
    }

    #[test]
    fn a_worker_that_takes_no_turn_for_long_ails() {
        let (_pulses, pulse) = hurt(0);
        pulse.waits(Duration::from_secs(60));
        let now = Instant::now();
        assert_eq!(pulse.ails(now + Duration::from_secs(300)), None, "it is not due for long");
        assert!(pulse.ails(now + Duration::from_secs(370)).is_some_and(|said| said.contains("no turn for 370 s")));
        pulse.begins_a_turn();
        assert!(pulse.ails(now + Duration::from_secs(301)).is_some_and(|said| said.contains("in one turn for")));
    }

    #[test]
    fn what_has_ended_does_not_ail() {
        let (pulses, pulse) = hurt(BREAKDOWNS);
        drop(pulse);
        assert!(pulses.ailing().is_empty());
    }
}
