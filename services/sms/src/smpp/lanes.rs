//! Who goes next: one part at a time asks for the account's rate and for a place in a window, and while a more pressing one
//! waits, a less pressing one does not ask.
//!
//! So an urgent alert has the whole account, however many routine parts are in hand. A one-time code, for which somebody sits before a screen, waits
//! for one part at most once it stands in line; but it does so at a small rate of its own ([`super::allowance`]), so that those who ask for codes
//! in masses wait for each other and not the alerts for them.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::oneshot;

/// How pressing a part is, the most pressing first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lane {
    /// Word to who is on duty: an alert is in danger.
    Duty,
    /// A one-time code, or the answer to what somebody wrote.
    Code,
    /// Of an urgent alert.
    Urgent,
    /// Of a routine alert.
    Routine,
}

const LANES: usize = 4;

impl Lane {
    const fn place(self) -> usize {
        match self {
            Self::Duty => 0,
            Self::Code => 1,
            Self::Urgent => 2,
            Self::Routine => 3,
        }
    }
}

/// Gives one turn at a time.
#[derive(Debug, Default)]
pub(super) struct Lanes(Mutex<Line>);

#[derive(Debug, Default)]
struct Line {
    taken: bool,
    waiting: [VecDeque<oneshot::Sender<Turn>>; LANES],
}

/// The turn, until dropped.
#[derive(Debug)]
pub(super) struct Turn(Arc<Lanes>);

impl Lanes {
    /// Waits for a turn.
    pub(super) async fn turn(self: &Arc<Self>, lane: Lane) -> Turn {
        loop {
            let waiting = {
                let mut line = self.line();
                if !line.taken {
                    line.taken = true;
                    return Turn(Arc::clone(self));
                }
                let (turn, waiting) = oneshot::channel();
                line.waiting[lane.place()].push_back(turn);
                waiting
            };
            if let Ok(turn) = waiting.await {
                return turn;
            }
        }
    }

    fn line(&self) -> MutexGuard<'_, Line> {
        // Plain values: nothing is left half done by a panic.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let next = {
            let mut line = self.0.line();
            // who has given up waiting is passed over
            let next = line.waiting.iter_mut().find_map(|lane| std::iter::from_fn(|| lane.pop_front()).find(|next| !next.is_closed()));
            line.taken = next.is_some();
            next
        };
        if let Some(next) = next {
            // one that gives up at this very moment drops the turn, which gives it on
            let _ = next.send(Self(Arc::clone(&self.0)));
        }
    }
}

#[cfg(test)]
mod tests {
    use futures::{FutureExt as _, future::join_all};

    use super::*;

    #[tokio::test]
    async fn the_most_pressing_goes_first_and_equals_in_their_order() {
        let (lanes, went) = (Arc::new(Lanes::default()), Mutex::new(Vec::new()));
        let first = lanes.turn(Lane::Routine).await;
        let asked = [(Lane::Routine, 1), (Lane::Routine, 2), (Lane::Urgent, 3), (Lane::Code, 4), (Lane::Urgent, 5), (Lane::Duty, 6)];
        let mut all = Box::pin(join_all(asked.map(|(lane, number)| {
            let (lanes, went) = (&lanes, &went);
            async move {
                let _turn = lanes.turn(lane).await;
                went.lock().unwrap().push(number);
            }
        })));
        assert!(all.as_mut().now_or_never().is_none(), "somebody has the turn");
        drop(first);
        all.await;
        assert_eq!(*went.lock().unwrap(), [6, 4, 3, 5, 1, 2]);
    }

    #[tokio::test]
    async fn who_gives_up_waiting_holds_up_nobody() {
        let lanes = Arc::new(Lanes::default());
        let first = lanes.turn(Lane::Urgent).await;
        let mut gone = Box::pin(lanes.turn(Lane::Code));
        assert!(gone.as_mut().now_or_never().is_none());
        let mut waiting = Box::pin(lanes.turn(Lane::Routine));
        assert!(waiting.as_mut().now_or_never().is_none());
        drop(gone);
        drop(first);
        drop(waiting.await);
        assert!(lanes.turn(Lane::Routine).now_or_never().is_some(), "the turn is free again");
    }

    #[tokio::test]
    async fn a_turn_that_was_given_and_not_taken_goes_on() {
        let lanes = Arc::new(Lanes::default());
        let first = lanes.turn(Lane::Urgent).await;
        let mut given = Box::pin(lanes.turn(Lane::Code));
        assert!(given.as_mut().now_or_never().is_none());
        drop(first);
        drop(given);
        assert!(lanes.turn(Lane::Routine).now_or_never().is_some());
    }
}
