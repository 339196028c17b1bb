//! Two people stand behind power: which changes of accounts and keys wait for a second administrator, and who that may be.
//!
//! What lessens power holds at once: a stolen account has to be stopped by whoever notices. What gives or moves power is only
//! **proposed** by one administrator, and takes effect when another **confirms** it. Neither may be the account that it is about. Whoever has
//! just been given power does not use it for a while ([`StaffMember::acts_at`]), so that there is time to notice.
//!
//! Where only one administrator is there, they may declare an **emergency**: the same person may then confirm, but not before a delay in which
//! everybody else is told and may object. An emergency never shortens the time in which a new account waits.

#[cfg(test)]
mod tests;

use chrono::{DateTime, Utc};
use strum::AsRefStr;

use crate::area::Area;
use crate::ids::StaffId;
use crate::staff::{Role, Scope};

/// What somebody is, and where.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Post {
    /// What they are.
    pub role: Role,
    /// Where they are it.
    pub scope: Scope,
}

impl Post {
    /// Whether whoever has this post could do everything in `other` as well: then `other` gives nothing that was not there.
    #[must_use]
    pub fn holds(&self, other: &Self) -> bool {
        self.role == other.role
            && match other.scope {
                Scope::City => self.scope == Scope::City,
                Scope::District(district) => self.scope.covers(Area::District(district)),
                Scope::Community(community) => self.scope.covers(Area::Community(community)),
                Scope::Industry(_) => self.scope == other.scope,
            }
    }
}

/// A change of an account or a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// A new account.
    MakeAccount(Post),
    /// Another role, scope or name.
    Alter {
        /// What they are.
        from: Post,
        /// What they are to be.
        to: Post,
        /// Whether colleagues are to see another name.
        renamed: bool,
    },
    /// A disabled account may sign in again.
    Enable(Post),
    /// The owner sets a new password, since the old one is forgotten or known to others.
    Reset(Post),
    /// An account that waits may use its power from now on.
    LiftWaiting,
    /// A new key of a source.
    MakeKey,
    /// An account cannot sign in any more.
    Disable,
    /// All sessions of an account end.
    EndSessions,
    /// A key opens nothing any more.
    RevokeKey,
}

impl Change {
    /// Whether a second administrator has to confirm it.
    #[must_use]
    pub fn gives_power(&self) -> bool {
        match self {
            Self::Alter { from, to, renamed } => *renamed || !from.holds(to),
            Self::MakeAccount(_) | Self::Enable(_) | Self::Reset(_) | Self::LiftWaiting | Self::MakeKey => true,
            Self::Disable | Self::EndSessions | Self::RevokeKey => false,
        }
    }

    /// Whether it may be done by one administrator after an emergency was declared. The waiting time is what remains when everything else
    /// has failed, so it is lifted by two people or not at all.
    #[must_use]
    pub const fn allows_emergency(&self) -> bool {
        !matches!(self, Self::LiftWaiting)
    }

    /// Whether the account waits before it uses its power.
    #[must_use]
    pub fn begins_waiting(&self) -> bool {
        match self {
            Self::Alter { from, to, .. } => to.role.releases() && !from.holds(to),
            Self::MakeAccount(post) | Self::Enable(post) | Self::Reset(post) => post.role.releases(),
            Self::LiftWaiting | Self::MakeKey | Self::Disable | Self::EndSessions | Self::RevokeKey => false,
        }
    }
}

impl Role {
    /// Whether this role approves, confirms or sends anything, alone or as one of several: then a new account of it waits.
    #[must_use]
    pub const fn releases(self) -> bool {
        matches!(self, Self::CityCommandOfficer | Self::DistrictReviewer | Self::Administrator)
    }
}

/// A member of staff as they stand now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StaffMember {
    /// Who.
    pub id: StaffId,
    /// As what.
    pub role: Role,
    /// Whether the account is in use, not disabled.
    pub active: bool,
    /// From when on it may use its power, if it has to wait.
    pub acts_from: Option<DateTime<Utc>>,
}

impl StaffMember {
    /// Whether they may use their power by now.
    #[must_use]
    pub fn acts_at(&self, now: DateTime<Utc>) -> bool {
        self.acts_from.is_none_or(|from| from <= now)
    }

    fn is_administrator(&self) -> bool {
        self.active && self.role == Role::Administrator
    }
}

crate::words! {
    /// How far a proposal is.
    pub enum ProposalState {
        /// For another administrator to confirm.
        Waiting => "待确认",
        /// Confirmed: it holds.
        Effective => "已生效",
        /// Taken back by who made it.
        Withdrawn => "已撤回",
        /// Stopped by somebody else.
        Objected => "已否决",
        /// Nobody confirmed it in time.
        Expired => "已过期",
    }
}

crate::words! {
    /// What can be done about a proposal.
    pub enum ProposalStep {
        /// Let it take effect.
        Confirm => "确认",
        /// Take it back.
        Withdraw => "撤回",
        /// Stop it.
        Object => "否决",
        /// Say that it cannot wait for another administrator.
        DeclareEmergency => "按紧急情况处理",
    }
}

/// A change that was proposed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Proposal {
    /// What is to change.
    pub change: Change,
    /// The account that it is about, if there is one yet.
    pub concerns: Option<StaffId>,
    /// Who proposed it; none where it came from the command line.
    pub proposed_by: Option<StaffId>,
    /// How far it is, as it is stored: what has expired may still say that it waits.
    pub state: ProposalState,
    /// Until when it may be confirmed.
    pub expires_at: DateTime<Utc>,
    /// From when on its proposer may confirm it, where an emergency was declared.
    pub alone_from: Option<DateTime<Utc>>,
}

impl Proposal {
    /// How far it is now.
    #[must_use]
    pub fn state_at(&self, now: DateTime<Utc>) -> ProposalState {
        if self.state == ProposalState::Waiting && self.expires_at <= now { ProposalState::Expired } else { self.state }
    }

    fn must_wait(&self, now: DateTime<Utc>) -> Result<(), Refusal> {
        match self.state_at(now) {
            ProposalState::Waiting => Ok(()),
            state => Err(Refusal::NotWaiting { state }),
        }
    }
}

/// How a confirmation came about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Confirmed {
    /// By a second administrator.
    ByAnother,
    /// By the one who proposed it, after an emergency was declared and nobody objected.
    Alone,
}

/// Why a step is not permitted. The text is for the person who tried; `as_ref()` is a code for programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error, AsRefStr)]
#[strum(serialize_all = "snake_case")]
pub enum Refusal {
    /// Nobody decides about themselves.
    #[error("不能变更自己的账号或确认与自己有关的变更，请由其他管理员操作")]
    OwnAccount,
    /// Only administrators do this.
    #[error("只有管理员可以操作")]
    NotAdministrator,
    /// The one who proposed it does not confirm it.
    #[error("您是提议人，须由另一位管理员确认")]
    SamePerson,
    /// In an emergency the delay is not over.
    #[error("紧急变更须等到 {at} 之后才能生效")]
    TooEarly {
        /// When it is.
        at: DateTime<Utc>,
    },
    /// Whoever was just given power does not use it yet.
    #[error("账号须到 {from} 之后才能审批、确认或发送")]
    StillWaiting {
        /// From when on they do.
        from: DateTime<Utc>,
    },
    /// It was decided, withdrawn, or has expired.
    #[error("该提议{}，不能再处理", .state.title())]
    NotWaiting {
        /// How far it is.
        state: ProposalState,
    },
    /// Whoever proposed it is no administrator any more.
    #[error("提议人已不是可用的管理员，该提议不能确认")]
    ProposerGone,
    /// Only who made it takes it back; anybody else objects.
    #[error("只有提议人可以撤回；其他人可以否决")]
    NotProposer,
    /// An emergency was declared before.
    #[error("该提议已按紧急情况处理")]
    AlreadyEmergency,
    /// No emergency lifts the waiting time.
    #[error("等待期只能由两位管理员解除，不能按紧急情况处理")]
    NoEmergency,
}

/// Whether somebody may make or propose this change; what gives power waits for another.
///
/// # Errors
/// Why not.
pub fn propose(by: &StaffMember, concerns: Option<StaffId>) -> Result<(), Refusal> {
    if !by.is_administrator() {
        return Err(Refusal::NotAdministrator);
    }
    if concerns == Some(by.id) { Err(Refusal::OwnAccount) } else { Ok(()) }
}

/// Whether somebody may let a proposal take effect now. `proposer` is whoever proposed it, as they stand now.
///
/// # Errors
/// Why not: what waiting would mend comes last.
pub fn confirm(proposal: &Proposal, by: &StaffMember, proposer: Option<&StaffMember>, now: DateTime<Utc>) -> Result<Confirmed, Refusal> {
    if !by.is_administrator() {
        return Err(Refusal::NotAdministrator);
    }
    if proposal.concerns == Some(by.id) {
        return Err(Refusal::OwnAccount);
    }
    proposal.must_wait(now)?;
    // a proposal of somebody who was stopped in the meantime is what they were stopped for
    if !proposer.is_some_and(|proposer| Some(proposer.id) == proposal.proposed_by && proposer.is_administrator()) {
        return Err(Refusal::ProposerGone);
    }
    if let Some(from) = by.acts_from.filter(|_| !by.acts_at(now)) {
        return Err(Refusal::StillWaiting { from });
    }
    match (proposal.proposed_by == Some(by.id), proposal.alone_from) {
        (false, _) => Ok(Confirmed::ByAnother),
        (true, None) => Err(Refusal::SamePerson),
        (true, Some(at)) if now < at => Err(Refusal::TooEarly { at }),
        (true, Some(_)) => Ok(Confirmed::Alone),
    }
}

/// Whether somebody may take a proposal back.
///
/// # Errors
/// Why not.
pub fn withdraw(proposal: &Proposal, by: &StaffMember, now: DateTime<Utc>) -> Result<(), Refusal> {
    if proposal.proposed_by != Some(by.id) {
        return Err(Refusal::NotProposer);
    }
    proposal.must_wait(now)
}

/// Whether somebody may stop a proposal of somebody else: an administrator, or an officer of the city command.
///
/// # Errors
/// Why not.
pub fn object(proposal: &Proposal, by: &StaffMember, now: DateTime<Utc>) -> Result<(), Refusal> {
    let of_the_command = by.active && by.role == Role::CityCommandOfficer;
    if !of_the_command && !by.is_administrator() {
        return Err(Refusal::NotAdministrator);
    }
    if proposal.proposed_by == Some(by.id) {
        return Err(Refusal::SamePerson);
    }
    proposal.must_wait(now)
}

/// Whether somebody may declare that a proposal of theirs cannot wait for another administrator.
///
/// # Errors
/// Why not.
pub fn declare_emergency(proposal: &Proposal, by: &StaffMember, now: DateTime<Utc>) -> Result<(), Refusal> {
    if proposal.proposed_by != Some(by.id) || !by.is_administrator() {
        return Err(Refusal::NotProposer);
    }
    proposal.must_wait(now)?;
    if !proposal.change.allows_emergency() {
        return Err(Refusal::NoEmergency);
    }
    if proposal.alone_from.is_some() { Err(Refusal::AlreadyEmergency) } else { Ok(()) }
}

/// The steps that are open to somebody now.
#[must_use]
pub fn open_steps(proposal: &Proposal, by: &StaffMember, proposer: Option<&StaffMember>, now: DateTime<Utc>) -> Vec<ProposalStep> {
    let open = [
        (ProposalStep::Confirm, confirm(proposal, by, proposer, now).is_ok()),
        (ProposalStep::Withdraw, withdraw(proposal, by, now).is_ok()),
        (ProposalStep::Object, object(proposal, by, now).is_ok()),
        (ProposalStep::DeclareEmergency, declare_emergency(proposal, by, now).is_ok()),
    ];
    open.into_iter().filter(|(_, open)| *open).map(|(step, _)| step).collect()
}
