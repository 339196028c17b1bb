//! The batch: some hundred recipients of one wave and one channel, the unit of work, lease and record.
//!
//! Three values make one ledger row instead of hundreds: [`RecipientList`] (who, sorted, as a few hundred bytes), [`Outcomes`] (one byte for
//! each of them, in the same order) and [`BatchNumber`] (which batch of its wave and channel this is, always the same however often the
//! planner or the closer runs again after a crash). Decoding is total and strict: damaged bytes are an error, never a wrong recipient.

mod number;
mod outcomes;
mod recipients;

pub use number::{BatchNumber, BatchNumberError, MAX_PLANNED, MAX_RETRIES, Origin};
pub use outcomes::{Outcomes, OutcomesError};
pub use recipients::{MAX_RECIPIENTS, RecipientList, RecipientListError};

/// Recipients in a planned batch, unless a city sets it otherwise: so many that taking, noting and closing it (about a millisecond of the
/// database's time) weigh little beside the sending. Retry and fallback batches hold what is left of one and are smaller.
pub const BATCH_SIZE: u16 = 4000;
