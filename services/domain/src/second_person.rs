//! Two people stand behind power: which changes of accounts and keys wait for a second administrator, and who that may be.
//!
//! What lessens power holds at once: a stolen account has to be stopped by whoever notices. What gives or moves power is only
//! **proposed** by one administrator, and takes effect when another **confirms** it. Neither may be the account that it is about. Whoever has
//! just been given power does not use it for a while ([`StaffMember::acts_at`]), so that there is time to notice.
//!
//! Where only one administrator is there, they may declare an **emergency**: the same person may then confirm, but not before a delay in which
//! everybody else is told and may object, and not long after it. It takes somebody who can object, whom the proposer has not stopped before
//! ([`Hearing`]). An emergency never makes or changes an administrator, who would be the second person, makes no key, and never shortens the
//! time in which a new account waits.

#[cfg(test)]
mod tests;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use strum::AsRefStr;

use crate::area::Area;
use crate::ids::StaffId;
use crate::staff::{Role, Scope};

/// Who has stopped somebody with a say declares and uses no emergency for so long.
pub const SILENCE: TimeDelta = TimeDelta::hours(24);
/// Once the delay of an emergency is over, its proposer may act alone for so long: what could wait longer was none.
pub const ALONE_FOR: TimeDelta = TimeDelta::hours(2);

/// What somebody is, and where.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
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
                Scope::Industry(_) | Scope::Unit(_) => self.scope == other.scope,
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
    /// Somebody in the city's directory may sign in as this account.
    BindDirectory(Post),
    /// A new key of a source.
    MakeKey,
    /// A key is good from other networks than before.
    MoveKey,
    /// Nobody in the city's directory may sign in as this account any more.
    UnbindDirectory,
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
            Self::MakeAccount(_)
            | Self::Enable(_)
            | Self::Reset(_)
            | Self::LiftWaiting
            | Self::BindDirectory(_)
            | Self::MakeKey
            | Self::MoveKey => true,
            Self::UnbindDirectory | Self::Disable | Self::EndSessions | Self::RevokeKey => false,
        }
    }

    /// Whether it may be done by one administrator after an emergency was declared. Not where the account is or becomes an administrator: one
    /// person would be two from then on. Not a key, which has power at once and waits for nothing. Not a way in by the directory: who has it can
    /// sign in with a password meanwhile. The waiting time is what remains when everything else has failed, so it is lifted by two people or not
    /// at all.
    #[must_use]
    pub fn allows_emergency(&self) -> bool {
        let no_administrator = |post: &Post| post.role != Role::Administrator;
        match self {
            Self::MakeAccount(post) | Self::Enable(post) | Self::Reset(post) => no_administrator(post),
            Self::Alter { from, to, .. } => no_administrator(from) && no_administrator(to),
            Self::LiftWaiting
            | Self::BindDirectory(_)
            | Self::MakeKey
            | Self::MoveKey
            | Self::UnbindDirectory
            | Self::Disable
            | Self::EndSessions
            | Self::RevokeKey => false,
        }
    }

    /// Whether the account waits before it uses its power.
    #[must_use]
    pub fn begins_waiting(&self) -> bool {
        match self {
            Self::Alter { from, to, .. } => to.role.releases() && !from.holds(to),
            Self::MakeAccount(post) | Self::Enable(post) | Self::Reset(post) | Self::BindDirectory(post) => post.role.releases(),
            Self::LiftWaiting
            | Self::MakeKey
            | Self::MoveKey
            | Self::UnbindDirectory
            | Self::Disable
            | Self::EndSessions
            | Self::RevokeKey => false,
        }
    }
}

impl Role {
    /// Who may object to what an administrator proposes.
    pub const OBJECTING: [Self; 2] = [Self::Administrator, Self::CityCommandOfficer];

    /// Whether this role may object to what an administrator proposes.
    #[must_use]
    pub fn objects(self) -> bool {
        Self::OBJECTING.contains(&self)
    }

    /// Whether this role approves, confirms or sends anything, alone or as one of several: then a new account of it waits.
    #[must_use]
    pub const fn releases(self) -> bool {
        matches!(self, Self::CityCommandOfficer | Self::DistrictReviewer | Self::Administrator)
    }
}

/// Who would still act, were an account disabled: in use, with a password, and not waiting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Left {
    /// Administrators, but for the one who disables it.
    pub administrators: i64,
    /// Officers of the city command.
    pub officers: i64,
}

impl Left {
    /// Whether disabling an account that acts waits for a second administrator: one stolen session could otherwise leave the city with nobody
    /// who sends an urgent alert, which takes two officers, or who mends what it did.
    #[must_use]
    pub const fn is_too_few(self, of: Role) -> bool {
        match of {
            Role::Administrator => self.administrators < 1,
            Role::CityCommandOfficer => self.officers < 2,
            _ => false,
        }
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

    fn acts(&self, now: DateTime<Utc>) -> Result<(), Refusal> {
        match self.acts_from {
            Some(from) if !self.acts_at(now) => Err(Refusal::StillWaiting { from }),
            _ => Ok(()),
        }
    }

    fn is_administrator(&self) -> bool {
        self.active && self.role == Role::Administrator
    }
}

/// Who would be heard, if the proposer acted alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hearing {
    /// Whether anybody but the proposer and the account that it is about may object: an administrator or officer of the city command in use,
    /// who has a password and does not wait.
    pub others: bool,
    /// When the proposer last disabled somebody who may object, or ended their sessions.
    pub silenced_at: Option<DateTime<Utc>>,
}

impl Hearing {
    fn is_fair(&self, now: DateTime<Utc>) -> Result<(), Refusal> {
        match self.silenced_at.map(|at| at + SILENCE) {
            Some(until) if now < until => Err(Refusal::ObjectorStopped { until }),
            _ if !self.others => Err(Refusal::NobodyToObject),
            _ => Ok(()),
        }
    }
}

/// How an account stood when something about it was proposed: two people agree to that situation, not to a later one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stood {
    /// What it was, and where.
    pub post: Post,
    /// Since when it was disabled, if so.
    pub disabled_at: Option<DateTime<Utc>>,
    /// From when on it was to act, if it had to wait.
    pub acts_from: Option<DateTime<Utc>>,
    /// How often its sessions and passwords had ended before.
    pub credential_revision: i64,
}

impl Stood {
    /// Whether what this change turns on is still so.
    #[must_use]
    pub fn still(&self, now: &Self, change: &Change) -> bool {
        self.post == now.post
            && match change {
                Change::Enable(_) => self.disabled_at == now.disabled_at,
                Change::Reset(_) | Change::BindDirectory(_) => self.credential_revision == now.credential_revision,
                Change::LiftWaiting => self.acts_from == now.acts_from,
                _ => true,
            }
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
    /// Whoever proposed it was given power since, and does not use it yet.
    #[error("提议人的账号须到 {from} 之后才能参与确认")]
    ProposerWaiting {
        /// From when on they do.
        from: DateTime<Utc>,
    },
    /// Only who made it takes it back; anybody else objects.
    #[error("只有提议人可以撤回；其他人可以否决")]
    NotProposer,
    /// An emergency was declared before.
    #[error("该提议已按紧急情况处理")]
    AlreadyEmergency,
    /// No emergency makes or changes an administrator, makes or moves a key, binds a directory or lifts the waiting time.
    #[error("涉及管理员账号、接口密钥、目录绑定或解除等待期的变更须由两位管理员办理，不能按紧急情况处理")]
    NoEmergency,
    /// The time to act alone is over.
    #[error("按紧急情况单独确认的时限 {at} 已过，请由其他管理员确认，或撤回后重新提议")]
    EmergencyOver {
        /// When it ended.
        at: DateTime<Utc>,
    },
    /// The proposer has stopped somebody who could have objected.
    #[error("您停用了可以否决的人员或结束了其登录，在 {until} 之前不能按紧急情况处理")]
    ObjectorStopped {
        /// Until when there is no emergency for them.
        until: DateTime<Utc>,
    },
    /// There is nobody who could object.
    #[error("没有其他管理员或市级指挥部人员可以否决，不能按紧急情况处理")]
    NobodyToObject,
}

/// Whether somebody may lessen power, at once and alone: also who waits themselves, since what is wrong has to be stopped by whoever notices.
///
/// # Errors
/// Why not.
pub fn lessen(by: &StaffMember, concerns: Option<StaffId>) -> Result<(), Refusal> {
    if !by.is_administrator() {
        return Err(Refusal::NotAdministrator);
    }
    if concerns == Some(by.id) { Err(Refusal::OwnAccount) } else { Ok(()) }
}

/// Whether somebody may propose a change that gives power, for another to confirm. Proposing is half of it, so whoever waits does not.
///
/// # Errors
/// Why not.
pub fn propose(by: &StaffMember, concerns: Option<StaffId>, now: DateTime<Utc>) -> Result<(), Refusal> {
    lessen(by, concerns)?;
    by.acts(now)
}

/// Whether somebody may let a proposal take effect now. `proposer` is whoever proposed it, as they stand now.
///
/// # Errors
/// Why not: what waiting would mend comes last.
pub fn confirm(
    proposal: &Proposal,
    by: &StaffMember,
    proposer: Option<&StaffMember>,
    hearing: Hearing,
    now: DateTime<Utc>,
) -> Result<Confirmed, Refusal> {
    if !by.is_administrator() {
        return Err(Refusal::NotAdministrator);
    }
    if proposal.concerns == Some(by.id) {
        return Err(Refusal::OwnAccount);
    }
    proposal.must_wait(now)?;
    // a proposal of somebody who was stopped in the meantime is what they were stopped for
    let proposer = proposer
        .filter(|proposer| Some(proposer.id) == proposal.proposed_by && proposer.is_administrator())
        .ok_or(Refusal::ProposerGone)?;
    by.acts(now)?;
    if let Some(from) = proposer.acts_from.filter(|_| !proposer.acts_at(now)) {
        return Err(Refusal::ProposerWaiting { from });
    }
    match (proposal.proposed_by == Some(by.id), proposal.alone_from) {
        (false, _) => Ok(Confirmed::ByAnother),
        (true, None) => Err(Refusal::SamePerson),
        (true, Some(_)) if !proposal.change.allows_emergency() => Err(Refusal::NoEmergency),
        (true, Some(at)) if now >= at + ALONE_FOR => Err(Refusal::EmergencyOver { at: at + ALONE_FOR }),
        (true, Some(at)) => {
            hearing.is_fair(now)?;
            if now < at { Err(Refusal::TooEarly { at }) } else { Ok(Confirmed::Alone) }
        }
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
    if !by.active || !by.role.objects() {
        return Err(Refusal::NotAdministrator);
    }
    if proposal.proposed_by == Some(by.id) {
        return Err(Refusal::SamePerson);
    }
    // whose account is to be stopped is not asked
    if proposal.change == Change::Disable && proposal.concerns == Some(by.id) {
        return Err(Refusal::OwnAccount);
    }
    proposal.must_wait(now)
}

/// Whether somebody may declare that a proposal of theirs cannot wait for another administrator.
///
/// # Errors
/// Why not.
pub fn declare_emergency(proposal: &Proposal, by: &StaffMember, hearing: Hearing, now: DateTime<Utc>) -> Result<(), Refusal> {
    if proposal.proposed_by != Some(by.id) || !by.is_administrator() {
        return Err(Refusal::NotProposer);
    }
    proposal.must_wait(now)?;
    if !proposal.change.allows_emergency() {
        return Err(Refusal::NoEmergency);
    }
    if proposal.alone_from.is_some() {
        return Err(Refusal::AlreadyEmergency);
    }
    by.acts(now)?;
    hearing.is_fair(now)
}

/// The steps that are open to somebody now.
#[must_use]
pub fn open_steps(
    proposal: &Proposal,
    by: &StaffMember,
    proposer: Option<&StaffMember>,
    hearing: Hearing,
    now: DateTime<Utc>,
) -> Vec<ProposalStep> {
    let open = [
        (ProposalStep::Confirm, confirm(proposal, by, proposer, hearing, now).is_ok()),
        (ProposalStep::Withdraw, withdraw(proposal, by, now).is_ok()),
        (ProposalStep::Object, object(proposal, by, now).is_ok()),
        (ProposalStep::DeclareEmergency, declare_emergency(proposal, by, hearing, now).is_ok()),
    ];
    open.into_iter().filter(|(_, open)| *open).map(|(step, _)| step).collect()
}
