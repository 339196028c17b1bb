//! Stories of dispatch, told with both databases, a clock that is moved and phones that answer as they are told.
//!
//! The views of review and resident are stood in for by tables. Workers are taken step by step instead of being started, so a story decides what
//! happens between two steps; what is on its way to the broker is read from the outbox.

mod aside;
mod checked;
pub(crate) mod city;
mod delivery;
mod endings;
mod for_holders;
mod forecast;
mod in_a_browser;
mod latecomers;
mod los_angeles;
mod sending;
mod sending_again;
mod sharing;
mod silence;
mod sweep;
mod undelivered;
mod unheard;
mod withdrawal;
mod withdrawn_for_some;

use city::{City, Store, alert};
