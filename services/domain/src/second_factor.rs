//! The second factor of staff: who must have one, what a session may do before it was shown, and which acts ask for a fresh proof.
//!
//! A password can be stolen without its owner noticing; a phone or a key can hardly be. So every account that approves, sends, writes rules,
//! opens personal data or administers has something beside it ([`needed_by`]), and whoever has enrolled one shows it at every sign-in. A session
//! that has not shown it does nothing but show it ([`standing`]).
//!
//! A session left open in a duty room is somebody else's in a minute. So what cannot be taken back asks for a **fresh proof**: one that is a few
//! minutes old at most ([`permit`], the one place where that is decided).

use chrono::{DateTime, TimeDelta, Utc};

use crate::staff::Role;

#[cfg(test)]
mod tests;

/// Length of a code of an authenticator app (RFC 6238).
pub const CODE_DIGITS: u8 = 6;
/// How long a code of an authenticator app is the current one, in seconds.
pub const CODE_STEP_S: u64 = 30;
/// So many steps before and after the current one are taken too: clocks differ, and people take a while to type.
pub const CODE_SKEW: u16 = 1;

/// An alert to more people than this is approved and sent again with a fresh proof only, where nothing else is set.
pub const MANY_PEOPLE: u64 = 100_000;
/// A proof may be so far ahead of the clock of whoever asks: two machines are never quite together.
const AHEAD: TimeDelta = TimeDelta::seconds(60);

/// So many wrong codes after a right password are an accident; further ones have to wait. Whoever does not know the password spends none of them.
pub const WRONG_CODES: u64 = 10;
/// Wrong codes are counted for so long.
pub const WRONG_CODES_FOR: TimeDelta = TimeDelta::hours(1);

/// One-time codes for whoever has lost their factor.
pub const RECOVERY_CODES: usize = 10;
/// Most factors of one account: a phone, a key, a spare of each, and some that were forgotten.
pub const MOST_FACTORS: usize = 10;

crate::words! {
    /// What somebody has, beside the password they know.
    pub enum FactorKind {
        /// An authenticator app, which shows a code that changes every half minute.
        Totp => "动态口令",
        /// A passkey, which a phone, a computer or a key keeps and a finger, a face or a PIN opens.
        Passkey => "通行密钥",
        /// A fixed code of a city in which nobody is real.
        Demo => "演示口令",
    }

    /// With what a session can be proved.
    pub enum ProofKind {
        /// The code of an authenticator app.
        Totp => "动态口令",
        /// A passkey.
        Passkey => "通行密钥",
        /// The fixed code of a demo.
        Demo => "演示口令",
        /// One of the codes that were printed when the first factor was enrolled.
        RecoveryCode => "恢复码",
    }

    /// What a session lacks.
    pub enum Needs {
        /// Its owner has a factor and has not shown it yet.
        Proof,
        /// Its owner must have a factor and has none: they enrol one, having come with the code of two administrators.
        Enrolment,
        /// The same, but they came with a password, which somebody else may know too: two administrators reset the account first.
        Reset,
    }
}

impl From<FactorKind> for ProofKind {
    fn from(kind: FactorKind) -> Self {
        match kind {
            FactorKind::Totp => Self::Totp,
            FactorKind::Passkey => Self::Passkey,
            FactorKind::Demo => Self::Demo,
        }
    }
}

/// Whether accounts of this role must have a second factor: who approves, sends, writes rules, opens personal data, administers, or runs what
/// the others stand on. Whoever need not have one may.
#[must_use]
pub const fn needed_by(role: Role) -> bool {
    match role {
        Role::CityCommandOfficer | Role::DistrictReviewer | Role::CommunityWorker | Role::TechnicalOperator | Role::Administrator => true,
        Role::HotlineOperator | Role::UnitHandler | Role::UnitLead | Role::Supervisor => true,
        Role::SubmittingUnit | Role::IndustrySupervisor | Role::Auditor => false,
    }
}

/// What a session has shown beside the password.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proof {
    /// Nothing, and nothing was asked: the role needs no factor, and its owner has none.
    NotAsked,
    /// Nothing, and nothing is asked yet: the account is from before there were second factors, and its owner is to enrol one until then.
    Spared {
        /// The end of the grace.
        until: DateTime<Utc>,
    },
    /// The second factor.
    Shown {
        /// When it was shown last.
        at: DateTime<Utc>,
        /// Until then it is fresh.
        fresh_until: DateTime<Utc>,
    },
}

impl Proof {
    /// A proof that was shown at `at`, fresh for so long.
    #[must_use]
    pub fn shown(at: DateTime<Utc>, fresh_for: TimeDelta) -> Self {
        Self::Shown { at, fresh_until: at.checked_add_signed(fresh_for).unwrap_or(at) }
    }

    /// Whether it is fresh. One from a time that has not come yet is none, since a clock was wrong; the machines of a city differ by a little.
    #[must_use]
    pub fn is_fresh(self, now: DateTime<Utc>) -> bool {
        match self {
            Self::NotAsked => false,
            Self::Spared { until } => now < until,
            Self::Shown { at, fresh_until } => at <= now + AHEAD && now < fresh_until,
        }
    }
}

/// What an account has, when one of its sessions is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Holder {
    /// What its owner is.
    pub role: Role,
    /// Whether there is a second factor.
    pub has_factor: bool,
    /// Of an account from before there were second factors: until then it works without one.
    pub enrol_by: Option<DateTime<Utc>>,
}

/// With what somebody has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CameWith {
    /// A password: ours, or that of the city's directory.
    Password,
    /// The code of which two administrators hold a half each: what it is followed by is the owner's.
    ActivationCode,
    /// Something that is both: a passkey.
    BothFactors,
    /// A sign-in at the city's directory that counts as both, by the directory's word.
    DirectoryFactors,
}

impl CameWith {
    /// When the second factor counts as shown, of somebody who comes now and whose proofs are fresh for so long; none: it was not shown. That the
    /// directory asked for one lets them in and is no fresh proof: whoever runs it could say so of everybody.
    #[must_use]
    pub fn shown_at(self, now: DateTime<Utc>, fresh_for: TimeDelta) -> Option<DateTime<Utc>> {
        match self {
            Self::Password | Self::ActivationCode => None,
            Self::BothFactors => Some(now),
            Self::DirectoryFactors => now.checked_sub_signed(fresh_for)?.checked_sub_signed(AHEAD),
        }
    }
}

/// What a session may do: everything that its owner's role may, with this proof, or nothing but to get what it lacks.
///
/// # Errors
/// What it lacks.
pub fn standing(holder: Holder, came_with: CameWith, shown: Option<Proof>, now: DateTime<Utc>) -> Result<Proof, Needs> {
    match (shown, holder) {
        // what was shown by something that was taken away since counts no longer
        (Some(proof @ Proof::Shown { .. }), Holder { has_factor: true, .. }) => Ok(proof),
        (_, Holder { has_factor: true, .. }) => Err(Needs::Proof),
        (_, Holder { role, .. }) if !needed_by(role) => Ok(Proof::NotAsked),
        (_, Holder { enrol_by: Some(until), .. }) if now < until => Ok(Proof::Spared { until }),
        _ if came_with == CameWith::ActivationCode => Err(Needs::Enrolment),
        _ => Err(Needs::Reset),
    }
}

/// An act that may ask for a fresh proof.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    /// Confirming an urgent alert: it leaves at once.
    ConfirmUrgent,
    /// Approving an alert.
    Approve {
        /// How many people it is for; none: they could not be counted.
        people: Option<u64>,
        /// To more people than this with a fresh proof only.
        many: u64,
    },
    /// Taking back what people were told, for all of them or some.
    TakeBack,
    /// Opening somebody's name and phone number.
    OpenContact {
        /// How many the caller has opened in the last day, this one included.
        opened: u64,
        /// More than so many with a fresh proof only.
        many: u64,
    },
    /// Changing one's own factors, recovery codes, known devices or password.
    ChangeOwnFactors,
    /// Confirming what another administrator has proposed.
    ConfirmProposal,
    /// Making a key for a source system or a screen.
    IssueKey,
    /// Sending an alert once more to those whom it did not reach.
    SendAgain {
        /// How many people; none: they could not be counted.
        people: Option<u64>,
        /// To more people than this with a fresh proof only.
        many: u64,
    },
    /// Keeping a colleague from doing anything: disabling their account, ending their sessions.
    Silence,
    /// Putting a rule in force, or taking it out.
    ActivateRule,
}

impl Act {
    /// Whether it takes a fresh proof.
    #[must_use]
    pub const fn asks(self) -> bool {
        match self {
            Self::ConfirmUrgent
            | Self::TakeBack
            | Self::ChangeOwnFactors
            | Self::ConfirmProposal
            | Self::IssueKey
            | Self::Silence
            | Self::ActivateRule => true,
            // what nobody could count may be everybody
            Self::Approve { people: None, .. } | Self::SendAgain { people: None, .. } => true,
            Self::Approve { people: Some(people), many } | Self::SendAgain { people: Some(people), many } => people > many,
            Self::OpenContact { opened, many } => opened > many,
        }
    }
}

/// The act takes a fresh proof, and there is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a fresh proof of the second factor is needed")]
pub struct NotFresh;

/// Whether a session with this proof may do this now.
///
/// # Errors
/// [`NotFresh`], where the second factor has to be shown again before.
pub fn permit(act: Act, proof: Proof, now: DateTime<Utc>) -> Result<(), NotFresh> {
    match proof {
        _ if !act.asks() || proof.is_fresh(now) => Ok(()),
        // who has no factor cannot show one: that is how the first is enrolled
        Proof::NotAsked if act == Act::ChangeOwnFactors => Ok(()),
        Proof::NotAsked | Proof::Spared { .. } | Proof::Shown { .. } => Err(NotFresh),
    }
}

/// Whether an account may do without one of its factors.
#[must_use]
pub const fn may_remove_one(role: Role, factors: usize) -> bool {
    factors > 1 || !needed_by(role)
}

/// Whether a code of this step may be used by a factor whose last used step is `last`: each once, and none that is older than one that was used.
#[must_use]
pub const fn is_new_step(step: u64, last: Option<u64>) -> bool {
    match last {
        Some(last) => step > last,
        None => true,
    }
}
