//! Changes of accounts and keys that one administrator proposed and another has to confirm.

mod effect;

use chrono::{DateTime, TimeDelta, Utc};
use domain::address_block::AddressBlock;
use domain::directory::SubjectIdentifier;
use domain::ids::{ApiKeyId, ProposalId, StaffId};
use domain::second_person::{self, Change, Hearing, Post, ProposalState, ProposalStep, StaffMember, Stood, open_steps};
use domain::staff::{Role, Scope};
use platform::database::{Connection, Tx, readable};
use platform::http::StaffCaller;
use proto::AuditEntry;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::account::{self, NewStaff, Staff};
use crate::api_key::NewApiKey;
pub(crate) use crate::half::Half;
use crate::settings::Delays;
use crate::{Error, SCHEMA};

pub(crate) use effect::take;

/// What was decided is listed for so long; the table keeps it for good.
const LISTED: TimeDelta = TimeDelta::days(30);

/// Who somebody is to colleagues.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = AccountStanding)]
pub struct Standing {
    /// Name shown to colleagues.
    pub name: String,
    /// What they are.
    pub role: Role,
    /// Where they are it.
    pub scope: Scope,
}

impl Standing {
    pub(crate) fn of(staff: &Staff) -> Self {
        Self { name: staff.name.clone(), role: staff.role, scope: staff.scope }
    }

    const fn post(&self) -> Post {
        Post { role: self.role, scope: self.scope }
    }
}

/// What was proposed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[schema(as = ProposedChange)]
pub enum Proposed {
    /// A new account.
    MakeAccount {
        /// As it is to be.
        account: NewStaff,
    },
    /// Another name, role or scope.
    ChangeAccount {
        /// As it was when it was proposed.
        before: Standing,
        /// As it is to be.
        after: Standing,
    },
    /// A disabled account may be used again, with a new password that its owner sets with a code.
    EnableAccount,
    /// An account cannot sign in any more, where too few are left for one administrator to decide it.
    DisableAccount,
    /// The owner sets a new password with a new code; the old one ends at once.
    ResetAccount,
    /// The account need not wait any longer.
    LiftWaiting,
    /// Somebody in the city's directory may sign in as the account, and nobody else of it.
    BindDirectory {
        /// Which directory.
        issuer: String,
        /// Whom it means.
        subject: SubjectIdentifier,
    },
    /// A new key of a source.
    MakeKey {
        /// As it is to be.
        key: NewApiKey,
    },
    /// A key is good from other networks.
    MoveKey {
        /// The key.
        key: ApiKeyId,
        /// The unit that holds it.
        unit: String,
        /// From where it was good when it was proposed; none: from everywhere.
        before: Vec<AddressBlock>,
        /// From where it is to be good; none: from everywhere.
        after: Vec<AddressBlock>,
    },
}

impl Proposed {
    /// As the rules about two people see it; `post` is that of the account that it is about, as it is now.
    pub(crate) fn change(&self, post: Option<Post>) -> Result<Change, Error> {
        let of_the_account = || post.ok_or(Error::Stored { what: "proposal.staff_id" });
        Ok(match self {
            Self::MakeAccount { account } => Change::MakeAccount(Post { role: account.role, scope: account.scope }),
            Self::ChangeAccount { before, after } => {
                Change::Alter { from: before.post(), to: after.post(), renamed: before.name != after.name }
            }
            Self::EnableAccount => Change::Enable(of_the_account()?),
            Self::DisableAccount => Change::Disable,
            Self::ResetAccount => Change::Reset(of_the_account()?),
            Self::LiftWaiting => Change::LiftWaiting,
            Self::BindDirectory { .. } => Change::BindDirectory(of_the_account()?),
            Self::MakeKey { .. } => Change::MakeKey,
            Self::MoveKey { .. } => Change::MoveKey,
        })
    }

    /// The proposer's half of the secret that the change makes, where it makes one.
    fn first_half(&self) -> Option<Half> {
        match self {
            Self::MakeAccount { .. } | Self::EnableAccount | Self::ResetAccount => Some(Half::of_code()),
            Self::MakeKey { .. } => Some(Half::first_of_key()),
            Self::ChangeAccount { .. } | Self::DisableAccount | Self::LiftWaiting | Self::BindDirectory { .. } | Self::MoveKey { .. } => {
                None
            }
        }
    }

    /// What the trace calls it once it holds.
    pub(crate) const fn action(&self) -> &'static str {
        match self {
            Self::MakeAccount { .. } => "staff.create",
            Self::ChangeAccount { .. } => "staff.change",
            Self::EnableAccount => "staff.enable",
            Self::DisableAccount => "staff.disable",
            Self::ResetAccount => "staff.reset_password",
            Self::LiftWaiting => "staff.lift_waiting",
            Self::BindDirectory { .. } => "staff.bind_directory",
            Self::MakeKey { .. } => "api_key.create",
            Self::MoveKey { .. } => "api_key.move",
        }
    }

    /// What the trace says about it: whose account, from what to what.
    fn detail(&self, concerned: Option<&Concerned>) -> Value {
        let account = concerned.map(|concerned| json!({ "login": concerned.login, "role": concerned.role, "scope": concerned.scope }));
        match self {
            Self::MakeAccount { account } => json!({ "login": account.login, "role": account.role, "scope": account.scope }),
            Self::ChangeAccount { before, after } => json!({
                "login": concerned.map(|concerned| &concerned.login),
                "role": [before.role, after.role], "scope": [before.scope, after.scope], "renamed": before.name != after.name,
            }),
            Self::EnableAccount | Self::DisableAccount | Self::ResetAccount | Self::LiftWaiting => account.unwrap_or_default(),
            // what the directory calls somebody may be an address of theirs: the trace can be held against the account, and names nobody
            Self::BindDirectory { issuer, subject } => json!({
                "login": concerned.map(|concerned| &concerned.login), "role": concerned.map(|concerned| concerned.role),
                "issuer": issuer, "subject_sha256": hex::encode(Sha256::digest(subject.as_str())),
            }),
            Self::MakeKey { key } => json!({
                "unit": key.unit, "area": key.area, "kinds": key.kinds, "asks": key.asks, "networks": key.networks, "expires_at": key.expires_at,
            }),
            Self::MoveKey { key, unit, before, after } => json!({ "key": key, "unit": unit, "networks": [before, after] }),
        }
    }
}

/// The account that a proposal is about, as it is now.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Concerned {
    /// The account.
    pub id: StaffId,
    /// Name to sign in with.
    pub login: String,
    /// Name shown to colleagues.
    pub name: String,
    /// What they are.
    pub role: Role,
    /// Where they are it.
    pub scope: Scope,
}

/// That a change could not wait for a second administrator.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Emergency {
    /// When it was declared.
    pub declared_at: DateTime<Utc>,
    /// Why, in the words of who declared it.
    pub reason: String,
    /// From when on its proposer may confirm it alone.
    pub alone_from: DateTime<Utc>,
}

/// A change that was proposed, and how far it is.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Proposal {
    /// The proposal.
    pub id: ProposalId,
    /// What is to change.
    pub change: Proposed,
    /// Whose account it is about; none for a new account that is not made yet, and for a key.
    pub staff: Option<Concerned>,
    /// Who proposed it; none where it came from the command line.
    pub proposed_by: Option<StaffId>,
    /// When.
    pub proposed_at: DateTime<Utc>,
    /// Until when it may be confirmed.
    pub expires_at: DateTime<Utc>,
    /// Whether it could not wait for a second administrator.
    pub emergency: Option<Emergency>,
    /// How far it is.
    pub state: ProposalState,
    /// Who confirmed, withdrew or stopped it.
    pub decided_by: Option<StaffId>,
    /// When.
    pub decided_at: Option<DateTime<Utc>>,
    /// What the caller can do about it now.
    pub open_steps: Vec<ProposalStep>,
}

/// A proposal as it is stored, with its proposer as they stand now.
pub(crate) struct Stored {
    shown: Proposal,
    decision: second_person::Proposal,
    proposer: Option<StaffMember>,
    hearing: Hearing,
    stood: Option<Stood>,
}

impl Stored {
    pub(crate) fn id(&self) -> ProposalId {
        self.shown.id
    }

    pub(crate) fn proposed(&self) -> &Proposed {
        &self.shown.change
    }

    pub(crate) fn decision(&self) -> &second_person::Proposal {
        &self.decision
    }

    pub(crate) fn proposer(&self) -> Option<&StaffMember> {
        self.proposer.as_ref()
    }

    /// Who could object if the proposer acted alone.
    pub(crate) fn hearing(&self) -> Hearing {
        self.hearing
    }

    /// Refuses what two people agreed to about another situation than there is now.
    fn must_still_stand(&self, now: &Stood) -> Result<(), Error> {
        let same = self.stood.is_some_and(|stood| stood.still(now, &self.decision.change));
        if same { Ok(()) } else { Err(Error::ProposalOutdated) }
    }

    pub(crate) fn concerned(&self) -> Result<StaffId, Error> {
        self.decision.concerns.ok_or(Error::Stored { what: "proposal.staff_id" })
    }

    /// As this caller sees it now.
    pub(crate) fn seen_by(self, caller: &StaffCaller, now: DateTime<Utc>) -> Proposal {
        let open_steps = open_steps(&self.decision, &caller.member(), self.proposer.as_ref(), self.hearing, now);
        Proposal { state: self.decision.state_at(now), open_steps, ..self.shown }
    }

    /// The trace of a step with it: what it is about, and who stood behind it.
    pub(crate) fn trace(&self, entry: AuditEntry) -> AuditEntry {
        let mut detail = self.shown.change.detail(self.shown.staff.as_ref());
        if let Some(fields) = detail.as_object_mut() {
            fields.insert("proposal".to_owned(), json!(self.shown.id));
            fields.insert("change".to_owned(), json!(self.shown.change.action()));
            fields.insert("proposed_by".to_owned(), json!(self.shown.proposed_by));
            fields.insert("emergency".to_owned(), json!(self.shown.emergency.is_some()));
        }
        let district = self.shown.staff.as_ref().and_then(|staff| staff.scope.district()).map(|district| district.get());
        AuditEntry { detail_json: detail.to_string(), district, ..entry }
    }
}

/// A proposal that was just made, with its maker's half of a secret.
pub(crate) struct Made {
    pub stored: Stored,
    pub first_half: Option<Half>,
}

/// Proposes a change. Whether the caller may was decided before.
pub(crate) async fn propose(
    tx: &mut Tx,
    platform: &platform::Platform,
    caller: &StaffCaller,
    proposed: &Proposed,
    concerns: Option<StaffId>,
    delays: Delays,
) -> Result<Made, Error> {
    let (id, now) = (ProposalId::new(), platform.clock.now());
    let first_half = proposed.first_half();
    let stood = match concerns {
        Some(id) => Some(as_json(&account::lock_row(tx, id).await?.stood()?)?),
        None => None,
    };
    sqlx::query!(
        "insert into identity.proposal (id, change, staff_id, proposed_by, proposed_at, expires_at, secret_half, stood)
         values ($1, $2, $3, $4, $5, $6, $7, $8)",
        id.uuid(),
        as_json(proposed)?,
        concerns.map(StaffId::uuid),
        caller.id.uuid(),
        now,
        now + delays.proposal,
        first_half.as_ref().map(|half| half.sealed(platform)),
        stood,
    )
    .execute(&mut **tx)
    .await?;
    let stored = one(tx, id, now).await?;
    tx.publish(SCHEMA, &stored.trace(caller.did("proposal.propose", "proposal", id, now))).await?;
    Ok(Made { stored, first_half })
}

/// Notes what was done without a second person and without a proposal: it stands among the emergencies.
pub(crate) async fn insert_done_alone(
    tx: &mut Tx,
    proposed: &Proposed,
    concerns: StaffId,
    reason: &str,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    sqlx::query!(
        "insert into identity.proposal (id, change, staff_id, proposed_at, expires_at, emergency_at, emergency_reason, alone_from, state, decided_at)
         values ($1, $2, $3, $4, $4, $4, $5, $4, 'effective', $4)",
        ProposalId::new().uuid(),
        as_json(proposed)?,
        concerns.uuid(),
        now,
        reason,
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// The proposal, held until the transaction ends.
pub(crate) async fn lock(tx: &mut Tx, id: ProposalId, now: DateTime<Utc>) -> Result<Stored, Error> {
    sqlx::query!("select id from identity.proposal where id = $1 for update", id.uuid())
        .fetch_optional(&mut **tx)
        .await?
        .ok_or(Error::NoSuchProposal(id))?;
    one(tx, id, now).await
}

/// The proposal as it is now.
pub(crate) async fn one(connection: &mut Connection, id: ProposalId, now: DateTime<Utc>) -> Result<Stored, Error> {
    rows(connection, Some(id), DateTime::UNIX_EPOCH, now).await?.pop().ok_or(Error::NoSuchProposal(id))?.into_stored()
}

/// What waits, and what was decided lately; newest first.
pub(crate) async fn listed(connection: &mut Connection, now: DateTime<Utc>) -> Result<Vec<Stored>, Error> {
    let rows = rows(connection, None, now - LISTED, now).await?;
    Ok(readable("proposals", rows.into_iter().map(Row::into_stored)))
}

/// Says that a proposal cannot wait.
pub(crate) async fn declare_emergency(
    tx: &mut Tx,
    id: ProposalId,
    reason: &str,
    alone_from: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    sqlx::query!(
        "update identity.proposal set emergency_at = $2, emergency_reason = $3, alone_from = $4 where id = $1",
        id.uuid(),
        now,
        reason,
        alone_from,
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Ends a proposal: its half of a secret is gone. `made` is the account that came of it.
pub(crate) async fn end(
    tx: &mut Tx,
    id: ProposalId,
    state: ProposalState,
    by: StaffId,
    made: Option<StaffId>,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    sqlx::query!(
        "update identity.proposal set state = $2, decided_by = $3, decided_at = $4, staff_id = coalesce(staff_id, $5), secret_half = null
         where id = $1",
        id.uuid(),
        state.as_ref(),
        by.uuid(),
        now,
        made.map(StaffId::uuid),
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// The proposer's half of the secret.
async fn first_half(tx: &mut Tx, platform: &platform::Platform, id: ProposalId) -> Result<Half, Error> {
    let sealed = sqlx::query_scalar!("select secret_half from identity.proposal where id = $1", id.uuid()).fetch_one(&mut **tx).await?;
    Half::opened(platform, sealed.ok_or(Error::Stored { what: "proposal.secret_half" })?)
}

fn as_json(kept: &impl Serialize) -> Result<Value, Error> {
    serde_json::to_value(kept).map_err(|_| Error::Stored { what: "proposal.change" })
}

struct Row {
    id: Uuid,
    change: Value,
    staff_id: Option<Uuid>,
    proposed_by: Option<Uuid>,
    proposed_at: DateTime<Utc>,
    expires_at: DateTime<Utc>,
    emergency_at: Option<DateTime<Utc>>,
    emergency_reason: Option<String>,
    alone_from: Option<DateTime<Utc>>,
    state: String,
    decided_by: Option<Uuid>,
    decided_at: Option<DateTime<Utc>>,
    login: Option<String>,
    name: Option<String>,
    role: Option<String>,
    scope: Option<String>,
    by_role: Option<String>,
    by_disabled_at: Option<DateTime<Utc>>,
    by_acts_from: Option<DateTime<Utc>>,
    by_silenced_at: Option<DateTime<Utc>>,
    stood: Option<Value>,
    heard: bool,
}

async fn rows(
    connection: &mut Connection,
    id: Option<ProposalId>,
    decided_since: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<Vec<Row>, Error> {
    let objectors: Vec<String> = Role::OBJECTING.iter().map(Role::to_string).collect();
    Ok(sqlx::query_as!(
        Row,
        r#"select p.id, p.change, p.staff_id, p.proposed_by, p.proposed_at, p.expires_at, p.emergency_at, p.emergency_reason, p.alone_from,
                  p.state, p.decided_by, p.decided_at, s.login as "login?", s.name as "name?", s.role as "role?", s.scope as "scope?",
                  b.role as "by_role?", b.disabled_at as "by_disabled_at?", b.acts_from as "by_acts_from?",
                  b.silenced_at as "by_silenced_at?", p.stood,
                  exists (select from identity.staff o
                           where o.role = any($4) and o.disabled_at is null and o.password_hash is not null
                             and (o.acts_from is null or o.acts_from <= $3)
                             and o.id is distinct from p.proposed_by and o.id is distinct from p.staff_id) as "heard!"
             from identity.proposal p left join identity.staff s on s.id = p.staff_id left join identity.staff b on b.id = p.proposed_by
            where case when $1::uuid is null then p.proposed_at > $2 else p.id = $1 end
            order by p.proposed_at desc, p.id desc"#,
        id.map(ProposalId::uuid),
        decided_since,
        now,
        &objectors,
    )
    .fetch_all(connection)
    .await?)
}

impl Row {
    fn into_stored(self) -> Result<Stored, Error> {
        let stored = |what| Error::Stored { what };
        let change: Proposed = serde_json::from_value(self.change).map_err(|_| stored("proposal.change"))?;
        let state: ProposalState = self.state.parse().map_err(|_| stored("proposal.state"))?;
        let staff = match (self.staff_id, self.login, self.name, self.role, self.scope) {
            (Some(id), Some(login), Some(name), Some(role), Some(scope)) => Some(Concerned {
                id: id.into(),
                login,
                name,
                role: role.parse().map_err(|_| stored("staff.role"))?,
                scope: scope.parse().map_err(|_| stored("staff.scope"))?,
            }),
            _ => None,
        };
        let proposer = match (self.proposed_by, self.by_role) {
            (Some(id), Some(role)) => Some(StaffMember {
                id: id.into(),
                role: role.parse().map_err(|_| stored("staff.role"))?,
                active: self.by_disabled_at.is_none(),
                acts_from: self.by_acts_from,
            }),
            _ => None,
        };
        let hearing = Hearing { others: self.heard, silenced_at: self.by_silenced_at };
        let stood = self.stood.map(serde_json::from_value).transpose().map_err(|_| stored("proposal.stood"))?;
        let emergency = match (self.emergency_at, self.emergency_reason, self.alone_from) {
            (Some(declared_at), Some(reason), Some(alone_from)) => Some(Emergency { declared_at, reason, alone_from }),
            _ => None,
        };
        let post = staff.as_ref().map(|staff| Post { role: staff.role, scope: staff.scope });
        let decision = second_person::Proposal {
            change: change.change(post)?,
            concerns: staff.as_ref().map(|staff| staff.id),
            proposed_by: self.proposed_by.map(StaffId::from_uuid),
            state,
            expires_at: self.expires_at,
            alone_from: self.alone_from,
        };
        let shown = Proposal {
            id: self.id.into(),
            change,
            staff,
            proposed_by: decision.proposed_by,
            proposed_at: self.proposed_at,
            expires_at: self.expires_at,
            emergency,
            state,
            decided_by: self.decided_by.map(StaffId::from_uuid),
            decided_at: self.decided_at,
            open_steps: Vec::new(),
        };
        Ok(Stored { shown, decision, proposer, hearing, stood })
    }
}
