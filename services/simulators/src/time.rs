//! What time it is in the outside world, which no clock of the platform moves.

use chrono::{DateTime, Utc};

#[expect(clippy::disallowed_methods, reason = "providers have their own time, which is the machine's")]
pub(crate) fn now() -> DateTime<Utc> {
    Utc::now()
}
