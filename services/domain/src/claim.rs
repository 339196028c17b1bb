//! Who reviews an alert just now, so that two do not read the same one while another waits.
//!
//! A claim is a word among colleagues and no lock: whoever may decide about the alert still may, once they say that they know somebody is at it. An
//! urgent one must never wait for somebody's lunch. It lapses by itself, with the first decision, and when its owner signs out.

#[cfg(test)]
mod tests;

use chrono::{DateTime, TimeDelta, Utc};
use strum::AsRefStr;

use crate::alert_state::{Action, Actor, Participants, State, open_actions};
use crate::ids::StaffId;

/// How long a claim may be let stand.
pub const SHORTEST: TimeDelta = TimeDelta::minutes(1);
/// A longer one would outlast who made it.
pub const LONGEST: TimeDelta = TimeDelta::hours(4);

/// That somebody reviews an alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Claim {
    /// Who.
    pub by: StaffId,
    /// Until when, unless they say so again.
    pub until: DateTime<Utc>,
}

/// Why an alert is not claimed. The text is for the person who tried; `as_ref()` is a code for programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error, AsRefStr)]
#[strum(serialize_all = "snake_case")]
pub enum Refusal {
    /// No review is due.
    #[error("弹窗当前为“{}”，没有待审核的环节", .0.title())]
    NotWaiting(State),
    /// They could not decide about it.
    #[error("这条弹窗的当前环节不由您决定")]
    NotYoursToDecide,
    /// Somebody else is at it.
    #[error("另一位同事正在审核这条弹窗")]
    ClaimedByOther,
}

impl Claim {
    /// Whether it stands: its time is not over, and its owner is still there.
    #[must_use]
    pub fn stands(&self, signed_in: bool, now: DateTime<Utc>) -> bool {
        signed_in && now < self.until
    }
}

/// Whether somebody may decide about an alert that waits, and so may claim it.
///
/// # Errors
/// Why not.
pub fn may_claim(state: State, participants: &Participants, actor: &Actor) -> Result<(), Refusal> {
    if !state.waits() {
        return Err(Refusal::NotWaiting(state));
    }
    let decides = open_actions(state, participants, actor).into_iter().any(Action::reviews);
    if decides { Ok(()) } else { Err(Refusal::NotYoursToDecide) }
}

/// Somebody who may, claims an alert; `standing` is the claim that stands. Their own is prolonged; somebody else's they only take over.
///
/// # Errors
/// [`Refusal::ClaimedByOther`] where they did not say that they take it over.
pub fn claimed(standing: Option<Claim>, by: StaffId, take_over: bool, now: DateTime<Utc>, lasts: TimeDelta) -> Result<Claim, Refusal> {
    match standing {
        Some(other) if other.by != by && !take_over => Err(Refusal::ClaimedByOther),
        _ => Ok(Claim { by, until: now + lasts }),
    }
}

/// Whether somebody has to know, before they take this step, that a colleague is at it; `standing` is the claim that stands.
#[must_use]
pub fn is_in_the_way(standing: Option<Claim>, by: StaffId, action: Action) -> bool {
    action.reviews() && standing.is_some_and(|claim| claim.by != by)
}
