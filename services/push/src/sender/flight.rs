//! Many requests in the hands of one task.
//!
//! A future, a timer and a waker for each of a thousand requests would cost more than the requests. Here one task owns them all:
//! they stand in a queue in the order in which they were sent, their answers mostly come in that order too, and whatever the
//! connection brings wakes the one task, which looks from the front. One timer watches the oldest.

use std::collections::VecDeque;
use std::future::{Future as _, poll_fn};
use std::pin::Pin;
use std::task::{Context, Poll};

use futures::future::BoxFuture;
use tokio::time::{Instant, Sleep};

use super::connection::Seat;
use super::exchange::{Answer, Failure, Request, Why};
use super::pool::Sender;
use super::reading::Reading;

/// How often a request is begun before it is given up, counting failed connection attempts.
const ATTEMPTS: u8 = 5;
/// How many that are still without answer are looked at before those that have one are handed out. A look that finds nothing
/// goes through all of them, so none is overlooked when answers come out of order.
const LOOKED_PAST: usize = 16;

/// Requests on their way, each known to its sender by a tag. `F` makes the request of a tag, once for every attempt; a tag of which it makes none
/// comes back as not sent.
pub struct Flight<T, F> {
    sender: Sender,
    request: F,
    /// To be sent as soon as streams are free, with the attempts so far.
    queued: VecDeque<(T, u8)>,
    out: VecDeque<Option<Out<T>>>,
    /// How many at the end of `out` have not been polled: nothing wakes for them.
    unpolled: usize,
    landed: VecDeque<(T, Result<Answer, Failure>)>,
    /// Nothing further is sent for now.
    held: bool,
    /// Waits for a free stream.
    seat: Option<BoxFuture<'static, Result<Seat, Why>>>,
    alarm: Option<Pin<Box<Sleep>>>,
}

impl Sender {
    /// Requests that one task sends; `request` makes the request of a tag.
    pub fn flight<'a, T, F>(&self, request: F) -> Flight<T, F>
    where
        F: Fn(&T) -> Option<Request<'a>>,
    {
        Flight::new(self.clone(), request)
    }

    /// Sends one request and waits for its answer; waits before that while every stream is taken.
    ///
    /// # Errors
    /// [`Failure::NotSent`] when the server certainly did not process it and repeating did not help, [`Failure::Unknown`] otherwise.
    pub async fn send(&self, request: &Request<'_>) -> Result<Answer, Failure> {
        let mut flight = self.flight(|&()| Some(request.clone()));
        flight.launch(());
        flight.next().await.map_or(Err(Failure::NotSent(Why::Unreachable)), |((), ended)| ended)
    }
}

/// A request on the wire.
struct Out<T> {
    tag: T,
    attempt: u8,
    opened: Instant,
    answers_before: u64,
    reading: Reading,
    seat: Seat,
}

impl<'a, T, F> Flight<T, F>
where
    F: Fn(&T) -> Option<Request<'a>>,
{
    pub(super) fn new(sender: Sender, request: F) -> Self {
        Self {
            sender,
            request,
            queued: VecDeque::new(),
            out: VecDeque::new(),
            unpolled: 0,
            landed: VecDeque::new(),
            held: false,
            seat: None,
            alarm: None,
        }
    }

    /// Gives a request to be sent. It goes out while [`Flight::next`] is awaited.
    pub fn launch(&mut self, tag: T) {
        self.queued.push_back((tag, 0));
    }

    /// How many wait for a free stream: who launches more than a few beyond those only fills memory.
    pub fn queued(&self) -> usize {
        self.queued.len()
    }

    /// Gives back what was launched and has not been sent.
    pub fn call_off(&mut self) -> Vec<T> {
        self.seat = None;
        self.queued.drain(..).map(|(tag, _)| tag).collect()
    }

    /// Keeps what was launched and has not been sent from being sent, or lets it go again. Free streams are left to others.
    pub fn hold(&mut self, held: bool) {
        self.held = held;
        if held {
            self.seat = None;
        }
    }

    /// The next answer, or why there is none; `None` when nothing is launched. Nothing is lost when the future is dropped.
    ///
    /// The time for an answer runs from the opening of its stream: waiting for a free one is back-pressure, not a fault.
    pub async fn next(&mut self) -> Option<(T, Result<Answer, Failure>)> {
        poll_fn(|cx| self.poll_next(cx)).await
    }

    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<(T, Result<Answer, Failure>)>> {
        loop {
            if let Some(landed) = self.landed.pop_front() {
                return Poll::Ready(Some(landed));
            }
            self.send_queued(cx);
            if self.take_in(cx) || !self.landed.is_empty() {
                continue;
            }
            return if self.out.is_empty() && self.queued.is_empty() { Poll::Ready(None) } else { Poll::Pending };
        }
    }

    /// Sends as many as there are free streams.
    fn send_queued(&mut self, cx: &mut Context<'_>) {
        while let Some((_, attempt)) = self.queued.front().filter(|_| !self.held) {
            let attempt = *attempt;
            let seat = match self.sender.try_seat() {
                Some(seat) => Ok(seat),
                None => {
                    let sender = &self.sender;
                    let waiting = self.seat.get_or_insert_with(|| {
                        let sender = sender.clone();
                        Box::pin(async move { sender.seat().await })
                    });
                    match waiting.as_mut().poll(cx) {
                        Poll::Pending => return,
                        Poll::Ready(seat) => {
                            self.seat = None;
                            seat
                        }
                    }
                }
            };
            let Some((tag, _)) = self.queued.pop_front() else { return };
            match seat {
                Ok(seat) => self.send(tag, attempt, seat),
                Err(why) => self.fail(tag, attempt, Failure::NotSent(why)),
            }
        }
    }

    fn send(&mut self, tag: T, attempt: u8, seat: Seat) {
        let Some(request) = (self.request)(&tag) else {
            return self.landed.push_back((tag, Err(Failure::NotSent(Why::StreamReset))));
        };
        match seat.begin(&request) {
            Ok(response) => {
                let opened = Instant::now();
                let answers_before = seat.connection().answers();
                self.out.push_back(Some(Out { tag, attempt, opened, answers_before, reading: Reading::Head(response), seat }));
                self.unpolled += 1;
            }
            Err(failure) => self.fail(tag, attempt, failure),
        }
    }

    /// What was certainly not processed is begun again.
    fn fail(&mut self, tag: T, attempt: u8, failure: Failure) {
        match failure {
            Failure::NotSent(why) if attempt + 1 < ATTEMPTS => {
                metrics::counter!("push_requests_repeated_total", "why" => why.label()).increment(1);
                self.queued.push_back((tag, attempt + 1));
            }
            failure => self.landed.push_back((tag, Err(failure))),
        }
    }

    /// Looks for answers. True: something has ended.
    fn take_in(&mut self, cx: &mut Context<'_>) -> bool {
        let mut found = self.give_up_overdue(cx);
        let fresh_from = self.out.len() - self.unpolled;
        self.unpolled = 0;
        let mut pending = 0;
        let mut at = 0;
        while at < self.out.len() {
            if found && pending >= LOOKED_PAST && at < fresh_from {
                at = fresh_from;
                continue;
            }
            match self.out[at].as_mut().map(|out| out.reading.poll(cx)) {
                None => {}
                Some(Poll::Pending) => pending += 1,
                Some(Poll::Ready(ended)) => {
                    found = true;
                    if let Some(out) = self.out[at].take() {
                        self.land(out, ended);
                    }
                }
            }
            at += 1;
        }
        while let Some(None) = self.out.front() {
            self.out.pop_front();
        }
        found
    }

    fn land(&mut self, out: Out<T>, ended: Result<Answer, Failure>) {
        match ended {
            Ok(answer) => {
                out.seat.answered();
                self.landed.push_back((out.tag, Ok(answer)));
            }
            Err(failure) => {
                out.seat.failed(failure);
                self.fail(out.tag, out.attempt, failure);
            }
        }
    }

    /// Gives up what has waited too long for its answer, unless that has come and nobody has looked yet: whoever owns the flight may have been kept
    /// from it. The oldest stands in front.
    fn give_up_overdue(&mut self, cx: &mut Context<'_>) -> bool {
        let patience = self.sender.patience();
        let mut found = false;
        loop {
            let Some(oldest) = self.out.iter().flatten().next() else {
                self.alarm = None;
                return found;
            };
            let due = oldest.opened + patience;
            let alarm = self.alarm.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(due)));
            if alarm.as_mut().poll(cx).is_pending() {
                return found;
            }
            let now = Instant::now();
            if due > now {
                alarm.as_mut().reset(due);
                continue;
            }
            while let Some(front) = self.out.front() {
                if front.as_ref().is_some_and(|out| out.opened + patience > now) {
                    break;
                }
                let Some(Some(mut out)) = self.out.pop_front() else { continue };
                found = true;
                if let Poll::Ready(ended) = out.reading.poll(cx) {
                    self.land(out, ended);
                    continue;
                }
                // Not one answer in all that time: whatever is behind this connection is not listening any more.
                if out.seat.connection().answers() == out.answers_before {
                    out.seat.connection().retire();
                }
                self.landed.push_back((out.tag, Err(Failure::Unknown(Why::TimedOut))));
            }
            self.unpolled = self.unpolled.min(self.out.len());
            self.alarm = None;
        }
    }
}

impl<T, F> std::fmt::Debug for Flight<T, F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Flight").field("queued", &self.queued.len()).field("out", &self.out.len()).finish_non_exhaustive()
    }
}
