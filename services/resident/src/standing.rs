//! What stands against a person, and what lifts it (CQ2, CQ8, CQ12).
//!
//! ```text
//! alert released ─▶ opening ─▶ standing ◀─ settling ◀─ heard: a lifting record, a record that ended, a withdrawal, the end of the alert
//!                                │  ▲                   deciding: staff
//!                 shown to: mine, area, asking          again: every hour, in case nobody told
//! ```
//!
//! What becomes of a standing is decided in [`domain::standing`], each time from everything that is known of it ([`settling`]), so that nothing
//! depends on the order in which it is heard. That its time is over needs nobody: a standing stands while its end lies ahead.
//!
//! It belongs to the person: whoever moves or changes their phone keeps it, also where they lost their number and prove their document anew ([`along`]);
//! the next owner of a phone number does not get it.

pub(crate) mod again;
pub(crate) mod along;
mod area;
mod asking;
mod deciding;
mod heard;
mod mine;
mod objecting;
pub(crate) mod opening;
mod places;
pub(crate) mod settling;
mod shown;
mod summary;

use platform::http::Routes;

use crate::Service;

pub(crate) use heard::subscribe;
pub(crate) use places::follow;

pub(crate) fn routes() -> Routes<Service> {
    mine::routes()
        .merge(objecting::routes())
        .merge(area::routes())
        .merge(deciding::routes())
        .merge(summary::routes())
        .merge(asking::routes())
}

/// Standings that are worked on in one transaction.
const TOGETHER: i64 = 5_000;

/// The advisory lock between alerts that open standings and news about records and withdrawals: whoever comes second sees what the first wrote.
const LOCK: i64 = 0x6665_6e67_6875_6f07;
