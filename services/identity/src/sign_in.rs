//! Signing in: slowed down ([`door`](crate::door)), in the same time for names that exist and names that do not.

use domain::directory::DirectoryRefusal;
use domain::ids::StaffId;
use domain::second_factor::CameWith;
use domain::staff::Role;
use platform::database::Tx;
use platform::{Platform, compiled_once};
use proto::AuditEntry;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::account::{self, Staff};
use crate::directory::{Arrived, Directory, Errand, Returned, arrival, binding};
use crate::door::{Admission, Door, Visitor};
use crate::password::{Hasher, Password};
use crate::proving::{PasskeyShown, Prover};
use crate::session::{Lifetimes, Session, Sessions};
use crate::token::Token;
use crate::{Error, SCHEMA, factor, half};

/// What the trace calls very many attempts on one account, once in a while.
const FLOOD: &str = "session.flood";

/// Checks names and passwords.
#[derive(Clone)]
pub struct SignIn {
    platform: Platform,
    hasher: Hasher,
    sessions: Sessions,
    lifetimes: Lifetimes,
    door: Door,
}

/// What a successful sign-in gives.
pub struct SignedIn {
    /// The session's token.
    pub token: Token,
    /// The session.
    pub session: Session,
    /// Who signed in.
    pub staff: Staff,
}

impl SignIn {
    /// Signs in on this platform; `hasher` is shared, since it bounds the work done at once.
    pub(crate) fn new(platform: &Platform, hasher: Hasher, lifetimes: Lifetimes) -> Self {
        Self { platform: platform.clone(), hasher, sessions: Sessions::new(platform), lifetimes, door: Door::new(platform) }
    }

    /// Begins a session, or refuses without saying why. Whoever has a second factor has yet to show it.
    pub async fn sign_in(&self, login: &str, password: Password, visitor: &Visitor) -> Result<SignedIn, Error> {
        let login = login.trim().to_ascii_lowercase();
        let admission = self.door.admit(&login, visitor).await?;
        let row = account::by_login(&mut self.platform.database.pool().acquire().await?, &login).await?;
        // Also for a disabled account: whether it is one is nobody's business.
        let fits = self.hasher.fits(password, row.as_ref().and_then(|row| row.password_hash.clone()), admission.lane).await?;
        let Some(row) = row else {
            // the same write as for a name that exists: else its absence would be quicker
            self.refuse(None, &admission).await?;
            return Err(Error::SignInRefused);
        };
        let revision = row.credential_revision;
        let staff = row.into_staff()?;
        if !fits || staff.disabled_at.is_some() {
            self.refuse(Some(&staff), &admission).await?;
            return Err(Error::SignInRefused);
        }
        let mut tx = self.platform.database.begin().await?;
        if admission.rings {
            tx.publish(SCHEMA, &self.entry(Some(&staff), FLOOD, json!({}))).await?;
        }
        tx.publish(SCHEMA, &self.entry(Some(&staff), "session.begin", json!({}))).await?;
        self.begin(tx, staff, revision, CameWith::Password).await
    }

    /// Begins a session with a passkey, which is both factors in one: neither name nor password is asked. It waits in no queue and takes from no
    /// bucket: whoever floods the door keeps nobody out who has one.
    pub(crate) async fn by_passkey(&self, prover: &Prover, shown: &PasskeyShown, visitor: &Visitor) -> Result<SignedIn, Error> {
        let checked = prover.check_passkey(shown).await?;
        let row = match &checked {
            Some(checked) => account::by_id(&mut self.platform.database.pool().acquire().await?, checked.staff).await?,
            None => None,
        };
        let (Some(checked), Some(row)) = (checked, row) else {
            if self.door.writes_refusal(visitor.address).await? {
                self.record(None, "session.refuse", json!({})).await?;
            }
            return Err(Error::PasskeyRefused);
        };
        let revision = row.credential_revision;
        let staff = row.into_staff()?;
        if staff.disabled_at.is_some() || checked.offer.use_up(&self.platform).await?.is_none() {
            self.record(Some(&staff), "session.refuse", json!({})).await?;
            return Err(Error::PasskeyRefused);
        }
        let mut tx = self.platform.database.begin().await?;
        if !factor::use_passkey(&mut tx, checked.id, &checked.was, &checked.state, self.platform.clock.now()).await? {
            return Err(Error::PasskeyRefused);
        }
        tx.publish(SCHEMA, &self.entry(Some(&staff), "session.begin", json!({ "kind": "passkey" }))).await?;
        self.begin(tx, staff, revision, CameWith::BothFactors).await
    }

    /// Begins a session for who came back from the directory on this errand. Their account has to be bound to them, enabled, and set up by its owner.
    #[compiled_once]
    pub(crate) async fn by_directory(
        &self,
        directory: &Directory,
        errand: &Errand,
        returned: Returned,
        visitor: &Visitor,
    ) -> Result<SignedIn, Error> {
        self.door.admit_return(visitor).await?;
        let arrived = match directory.arrived(errand, returned).await {
            Ok(arrived) => arrived,
            Err(error) => {
                if let Error::Directory(fault) = &error {
                    tracing::info!(fault = fault.as_ref(), "a sign-in through the directory came to nothing");
                    if fault.refusal() == DirectoryRefusal::Refused && self.door.writes_refusal(visitor.address).await? {
                        self.record(None, "session.refuse", json!({ "kind": "directory", "why": fault.as_ref() })).await?;
                    }
                }
                return Err(error);
            }
        };
        let bound = binding::account_of(&mut self.platform.database.pool().acquire().await?, directory.issuer(), &arrived.subject).await?;
        let Some(row) = bound else {
            self.note_arrival(directory, &arrived, visitor).await?;
            return Err(Error::NotBound);
        };
        let revision = row.credential_revision;
        let staff = row.into_staff()?;
        // a directory begins no account: its owner does, with the code of two administrators
        if staff.disabled_at.is_some() || staff.awaits_owner {
            self.record(Some(&staff), "session.refuse", json!({ "kind": "directory" })).await?;
            return Err(Error::NotBound);
        }
        let mut tx = self.platform.database.begin().await?;
        tx.publish(SCHEMA, &self.entry(Some(&staff), "session.begin", json!({ "kind": "directory" }))).await?;
        self.begin(tx, staff, revision, arrived.came_with).await
    }

    /// Whom the directory knows and nobody here, for administrators to see.
    async fn note_arrival(&self, directory: &Directory, arrived: &Arrived, visitor: &Visitor) -> Result<(), Error> {
        let writes = self.door.writes_refusal(visitor.address).await?;
        let mut tx = self.platform.database.begin().await?;
        arrival::note(&mut tx, directory.issuer(), arrived, self.platform.clock.now()).await?;
        if writes {
            tx.publish(SCHEMA, &self.entry(None, "session.refuse", json!({ "kind": "directory", "why": "not_bound" }))).await?;
        }
        Ok(tx.commit().await?)
    }

    /// Begins the first session of an account: its owner sets a password with the two halves of their code. Refuses without saying why.
    pub async fn activate(&self, login: &str, halves: [&str; 2], chosen: Password, visitor: &Visitor) -> Result<SignedIn, Error> {
        let login = login.trim().to_ascii_lowercase();
        let admission = self.door.admit(&login, visitor).await?;
        chosen.check_chosen("password", &login)?;
        let hash = self.hasher.hash(chosen, admission.lane).await?;
        let mut tx = self.platform.database.begin().await?;
        let activated = account::activate(&mut tx, &login, half::code(halves[0], halves[1]), &hash, self.platform.clock.now()).await?;
        let Some(row) = activated else {
            tx.rollback().await?;
            self.refuse(None, &admission).await?;
            return Err(Error::ActivationRefused);
        };
        let revision = row.credential_revision;
        let staff = row.into_staff()?;
        tx.publish(SCHEMA, &self.entry(Some(&staff), "staff.activate", json!({}))).await?;
        self.begin(tx, staff, revision, CameWith::ActivationCode).await
    }

    /// Whether this is the account's password: before it is changed, from inside a session. Counts as an attempt.
    pub async fn confirm(&self, id: StaffId, password: Password) -> Result<Staff, Error> {
        let row = account::by_id(&mut self.platform.database.pool().acquire().await?, id).await?.ok_or(Error::NoSuchStaff(id))?;
        let lane = self.door.admit_own(id).await?;
        let fits = self.hasher.fits(password, row.password_hash.clone(), lane).await?;
        let staff = row.into_staff()?;
        if !fits {
            // whoever tries passwords in somebody's session leaves the same trace as at the door
            self.record(Some(&staff), "session.refuse", json!({})).await?;
            return Err(Error::CurrentPasswordWrong);
        }
        Ok(staff)
    }

    /// Begins a session once what led to it stands in the trace.
    async fn begin(&self, mut tx: Tx, staff: Staff, revision: i64, came_with: CameWith) -> Result<SignedIn, Error> {
        let (token, session) = self.sessions.list_new(&mut tx, staff.id, revision, self.lifetimes, came_with).await?;
        tx.commit().await?;
        self.sessions.open(&token, &session).await?;
        Ok(SignedIn { token, session, staff })
    }

    /// Leaves the trace of an attempt that was let through and was wrong.
    async fn refuse(&self, staff: Option<&Staff>, admission: &Admission) -> Result<(), Error> {
        self.door.was_wrong(admission).await?;
        let mut tx = self.platform.database.begin().await?;
        tx.publish(SCHEMA, &self.entry(staff, "session.refuse", json!({}))).await?;
        if admission.rings {
            tx.publish(SCHEMA, &self.entry(staff, FLOOD, json!({}))).await?;
        }
        Ok(tx.commit().await?)
    }

    async fn record(&self, staff: Option<&Staff>, action: &str, detail: Value) -> Result<(), Error> {
        let mut tx = self.platform.database.begin().await?;
        tx.publish(SCHEMA, &self.entry(staff, action, detail)).await?;
        Ok(tx.commit().await?)
    }

    /// The trace of an attempt. What was typed where no account has that name is not kept: it may be a password.
    fn entry(&self, staff: Option<&Staff>, action: &str, detail: Value) -> AuditEntry {
        let (actor_kind, actor) = staff.map_or(("system", "sign-in".to_owned()), |staff| ("staff", staff.id.to_string()));
        AuditEntry {
            entry_id: Uuid::now_v7().to_string(),
            actor_kind: actor_kind.to_owned(),
            actor,
            role: staff.map(|staff| Role::as_ref(&staff.role).to_owned()).unwrap_or_default(),
            action: action.to_owned(),
            object_kind: "staff".to_owned(),
            object: staff.map_or_else(|| "unknown".to_owned(), |staff| staff.id.to_string()),
            district: staff.and_then(|staff| staff.scope.district()).map(|district| district.get()),
            at_ms: self.platform.clock.now().timestamp_millis(),
            detail_json: detail.to_string(),
            ..AuditEntry::default()
        }
    }
}
