//! Casework: what becomes of whatever a citizen brings (HL1 to HL6, RP2 to RP5).
//!
//! A case has one owner at a time, one state, and clocks that say until when what is promised. [`TRANSITIONS`] is all that can happen to it: the
//! service applies it, pages ask it which steps are open to somebody. Above it stand rules that hold in every sequence of steps:
//!
//! * two people where one could err or hide: who checks a registration did not write it, who decides did not write the result, who decides a review
//!   decided nothing of the case before, who calls back did not handle it, who joins two cases did not propose it;
//! * an order does not bounce: the first unit that is not competent says why and who is, the second makes it a dispute that supervision decides, and
//!   that decision cannot be refused;
//! * nobody is told a result that was not decided;
//! * what the platform changes by itself goes upwards only;
//! * pauses together stay under a cap, a period is extended once, and a clock that was started is never counted anew.
//!
//! How a case is called is its [`CaseNumber`]; when it is due, its [`Clock`]s say, by [`Promises`] that are the city's.

mod chase;
mod clock;
mod number;
mod promises;
mod refusal;
mod step;
mod table;
#[cfg(test)]
mod tests;
mod words;

pub use chase::raises;
pub use clock::{Change, Clock, Due, Pause, Period, Why};
pub use number::{CaseNumber, NumberError, Pin, PinError};
pub use promises::{Promise, Promises};
pub use refusal::Refusal;
pub use step::{Actor, Case, Decision, ExtensionAsked, MergeProposed, Step, next, open_events};
pub use table::{By, Event, State, TRANSITIONS, Transition, When};
pub use words::{CallOutcome, Channel, DeclineGround, Grade, Kind, Nature, TellBy, Urgency};
