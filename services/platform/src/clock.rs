//! The only place that knows what time it is.
//!
//! A real clock follows the machine. A shifted clock does too, and can be put forward while it runs: a demo shows in a minute what
//! takes hours. A moved clock stands still until somebody moves it: rehearsals and tests live
//! through days in seconds, and nothing sleeps. Whoever waits on a moved clock is woken when it is moved past the time
//! waited for, in the order of those times.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use tokio::sync::{oneshot, watch};

/// What time it is, and how to wait. Clones share the same time.
#[derive(Clone, Debug)]
pub struct Clock(Kind);

#[derive(Clone, Debug)]
enum Kind {
    Real,
    Shifted(Arc<Shifted>),
    Moved(Arc<Moved>),
}

#[derive(Debug)]
struct Shifted {
    /// By how much it is ahead of the machine.
    ahead: watch::Sender<TimeDelta>,
}

/// The one place where the machine is asked.
#[expect(clippy::disallowed_methods, reason = "the clock has to have the time from somewhere")]
fn machine_time() -> DateTime<Utc> {
    Utc::now()
}

impl Shifted {
    fn now(&self) -> DateTime<Utc> {
        machine_time().checked_add_signed(*self.ahead.borrow()).unwrap_or(DateTime::<Utc>::MAX_UTC)
    }
}

#[derive(Debug)]
struct Moved {
    hands: Mutex<Hands>,
    moves: watch::Sender<u64>,
}

#[derive(Debug)]
struct Hands {
    now: DateTime<Utc>,
    next_sleeper: u64,
    sleepers: BTreeMap<(DateTime<Utc>, u64), oneshot::Sender<()>>,
}

impl Moved {
    fn hands(&self) -> MutexGuard<'_, Hands> {
        // the hands are consistent between any two statements, so a panicked holder has spoilt nothing
        self.hands.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Clock {
    /// Follows the machine's clock.
    pub fn real() -> Self {
        Self(Kind::Real)
    }

    /// Stands at `start` until it is moved.
    pub fn moved(start: DateTime<Utc>) -> Self {
        let hands = Hands { now: start, next_sleeper: 0, sleepers: BTreeMap::new() };
        Self(Kind::Moved(Arc::new(Moved { hands: Mutex::new(hands), moves: watch::Sender::new(0) })))
    }

    /// Follows the machine's clock, `ahead` of it, and can be put further ahead.
    pub fn shifted(ahead: Duration) -> Self {
        let ahead = TimeDelta::from_std(ahead).unwrap_or(TimeDelta::zero());
        Self(Kind::Shifted(Arc::new(Shifted { ahead: watch::Sender::new(ahead) })))
    }

    /// Whether it is the machine's and cannot be moved.
    pub fn is_real(&self) -> bool {
        matches!(self.0, Kind::Real)
    }

    /// Whether it stands still until it is moved by hand.
    pub fn is_moved(&self) -> bool {
        matches!(self.0, Kind::Moved(_))
    }

    /// The time.
    pub fn now(&self) -> DateTime<Utc> {
        match &self.0 {
            Kind::Real => machine_time(),
            Kind::Shifted(shifted) => shifted.now(),
            Kind::Moved(moved) => moved.hands().now,
        }
    }

    /// By how much it is ahead of the machine.
    pub fn ahead(&self) -> TimeDelta {
        match &self.0 {
            Kind::Real => TimeDelta::zero(),
            Kind::Shifted(shifted) => *shifted.ahead.borrow(),
            Kind::Moved(_) => self.now() - machine_time(),
        }
    }

    /// Moves the time forward by `step`. A real clock cannot be moved and ignores it.
    pub fn forward(&self, step: Duration) {
        let step = TimeDelta::from_std(step).unwrap_or(TimeDelta::MAX);
        self.turn(|now| now.checked_add_signed(step).unwrap_or(DateTime::<Utc>::MAX_UTC));
    }

    /// Moves the time to `target`, never backwards. A real clock cannot be moved and ignores it.
    pub fn set(&self, target: DateTime<Utc>) {
        self.turn(|now| now.max(target));
    }

    fn turn(&self, to: impl FnOnce(DateTime<Utc>) -> DateTime<Utc>) {
        let moved = match &self.0 {
            Kind::Real => return,
            Kind::Shifted(shifted) => {
                let now = shifted.now();
                let step = to(now) - now;
                return shifted.ahead.send_modify(|ahead| *ahead = ahead.checked_add(&step).unwrap_or(*ahead));
            }
            Kind::Moved(moved) => moved,
        };
        let due = {
            let mut hands = moved.hands();
            hands.now = to(hands.now);
            let passed = (hands.now, u64::MAX);
            let later = hands.sleepers.split_off(&passed);
            std::mem::replace(&mut hands.sleepers, later)
        };
        for (_, sleeper) in due {
            // a sleeper that has gone away needs no waking
            let _ = sleeper.send(());
        }
        moved.moves.send_modify(|moves| *moves += 1);
    }

    /// When the first of those who wait will wake, on a moved clock: where a rehearsal may jump to.
    pub fn next_waking(&self) -> Option<DateTime<Utc>> {
        match &self.0 {
            Kind::Real | Kind::Shifted(_) => None,
            Kind::Moved(moved) => moved.hands().sleepers.keys().next().map(|(at, _)| *at),
        }
    }

    /// Waits for `duration` of this clock's time.
    pub async fn sleep(&self, duration: Duration) {
        match &self.0 {
            Kind::Real => tokio::time::sleep(duration).await,
            Kind::Shifted(_) | Kind::Moved(_) => {
                let step = TimeDelta::from_std(duration).unwrap_or(TimeDelta::MAX);
                self.sleep_until(self.now().checked_add_signed(step).unwrap_or(DateTime::<Utc>::MAX_UTC)).await;
            }
        }
    }

    /// Waits until `time`; returns at once when it has passed.
    pub async fn sleep_until(&self, time: DateTime<Utc>) {
        match &self.0 {
            Kind::Real => tokio::time::sleep((time - machine_time()).to_std().unwrap_or_default()).await,
            Kind::Shifted(shifted) => {
                let mut ahead = shifted.ahead.subscribe();
                while let Ok(left) = (time - shifted.now()).to_std() {
                    tokio::select! {
                        () = tokio::time::sleep(left) => {}
                        _ = ahead.changed() => {}
                    }
                }
            }
            Kind::Moved(moved) => {
                let (waking, key) = {
                    let mut hands = moved.hands();
                    if time <= hands.now {
                        return;
                    }
                    let (sleeper, waking) = oneshot::channel();
                    let key = (time, hands.next_sleeper);
                    hands.next_sleeper += 1;
                    hands.sleepers.insert(key, sleeper);
                    (waking, key)
                };
                let _bed = Bed { moved, key };
                let _ = waking.await;
            }
        }
    }

    /// Resolves at the next move of a moved clock, never on a real one.
    pub async fn next_move(&self) {
        match &self.0 {
            Kind::Real => std::future::pending().await,
            Kind::Shifted(shifted) => {
                let _ = shifted.ahead.subscribe().changed().await;
            }
            Kind::Moved(moved) => {
                let _ = moved.moves.subscribe().changed().await;
            }
        }
    }
}

/// Takes a sleeper that was dropped before its time off the list.
struct Bed<'a> {
    moved: &'a Moved,
    key: (DateTime<Utc>, u64),
}

impl Drop for Bed<'_> {
    fn drop(&mut self) {
        self.moved.hands().sleepers.remove(&self.key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::FutureExt as _;

    const MINUTE: Duration = Duration::from_secs(60);

    fn noon() -> DateTime<Utc> {
        DateTime::from_timestamp(1_700_049_600, 0).expect("a valid time")
    }

    #[tokio::test]
    async fn a_moved_clock_stands_still_until_it_is_moved() {
        let clock = Clock::moved(noon());
        assert_eq!(clock.now(), noon());
        clock.forward(MINUTE);
        assert_eq!(clock.now(), noon() + MINUTE);
        clock.set(noon());
        assert_eq!(clock.now(), noon() + MINUTE, "time does not run backwards");
    }

    #[tokio::test]
    async fn a_shifted_clock_runs_and_wakes_its_sleepers_when_it_is_put_forward() {
        let clock = Clock::shifted(MINUTE * 60);
        let before = clock.now();
        assert!(before - Clock::real().now() > TimeDelta::minutes(59));
        let sleeper = tokio::spawn({
            let clock = clock.clone();
            async move { clock.sleep(MINUTE * 90).await }
        });
        tokio::task::yield_now().await;
        clock.forward(MINUTE * 120);
        sleeper.await.expect("the sleeper wakes");
        assert!(clock.now() - before >= TimeDelta::minutes(120));
    }

    #[tokio::test]
    async fn sleepers_wake_in_the_order_of_their_times_and_not_before() {
        let clock = Clock::moved(noon());
        let (woken, mut order) = tokio::sync::mpsc::unbounded_channel();
        for minutes in [3, 1, 2, 9] {
            let (clock, woken) = (clock.clone(), woken.clone());
            tokio::spawn(async move {
                clock.sleep(MINUTE * minutes).await;
                woken.send(minutes).expect("the test listens");
            });
        }
        tokio::task::yield_now().await;
        assert_eq!(clock.next_waking(), Some(noon() + MINUTE));
        clock.forward(MINUTE * 3);
        assert_eq!([order.recv().await, order.recv().await, order.recv().await], [Some(1), Some(2), Some(3)]);
        assert!(order.recv().now_or_never().is_none(), "nine minutes have not passed");
    }

    #[tokio::test]
    async fn a_sleeper_that_gives_up_is_forgotten() {
        let clock = Clock::moved(noon());
        assert!(clock.sleep(MINUTE).now_or_never().is_none());
        assert_eq!(clock.next_waking(), None);
        assert!(clock.sleep_until(noon()).now_or_never().is_some(), "the past needs no wait");
    }
}
