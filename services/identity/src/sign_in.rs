//! Signing in: slowed down, in the same time for names that exist and names that do not.

use std::net::IpAddr;
use std::time::Duration;

use domain::ids::StaffId;
use domain::staff::Role;
use platform::Platform;
use platform::cache::Tokens;
use platform::database::Tx;
use proto::AuditEntry;
use uuid::Uuid;

use crate::account::{self, Staff};
use crate::half;
use crate::password::{Hasher, Password};
use crate::session::{Lifetimes, Session, Sessions};
use crate::token::{Token, TokenHash};
use crate::{Error, SCHEMA};

/// Attempts on one account: so many at once, then one in this time. Slows guessing without locking the owner out for long.
const ACCOUNT: Bucket = Bucket { burst: 10, every: Duration::from_secs(30) };
/// Attempts from one address: offices share one.
const ADDRESS: Bucket = Bucket { burst: 60, every: Duration::from_secs(2) };

struct Bucket {
    burst: u32,
    every: Duration,
}

/// Checks names and passwords.
#[derive(Clone)]
pub struct SignIn {
    platform: Platform,
    hasher: Hasher,
    sessions: Sessions,
    lifetimes: Lifetimes,
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
    pub fn new(platform: &Platform, hasher: Hasher, lifetimes: Lifetimes) -> Self {
        Self { platform: platform.clone(), hasher, sessions: Sessions::new(platform), lifetimes }
    }

    /// Begins a session, or refuses without saying why.
    pub async fn sign_in(&self, login: &str, password: Password, from: IpAddr) -> Result<SignedIn, Error> {
        let login = login.trim().to_ascii_lowercase();
        self.throttle(&login, from).await?;
        let row = account::by_login(&mut self.platform.database.pool().acquire().await?, &login).await?;
        // Also for a disabled account: whether it is one is nobody's business.
        let fits = self.hasher.fits(password, row.as_ref().and_then(|row| row.password_hash.clone())).await?;
        let Some(row) = row else {
            // the same write as for a name that exists: else its absence would be quicker
            self.record(None, "session.refuse").await?;
            return Err(Error::SignInRefused);
        };
        let revision = row.credential_revision;
        let staff = row.into_staff()?;
        if !fits || staff.disabled_at.is_some() {
            self.record(Some(&staff), "session.refuse").await?;
            return Err(Error::SignInRefused);
        }
        let mut tx = self.platform.database.begin().await?;
        tx.publish(SCHEMA, &self.entry(Some(&staff), "session.begin")).await?;
        self.begin(tx, staff, revision).await
    }

    /// Begins the first session of an account: its owner sets a password with the two halves of their code. Refuses without saying why.
    pub async fn activate(&self, login: &str, halves: [&str; 2], chosen: Password, from: IpAddr) -> Result<SignedIn, Error> {
        let login = login.trim().to_ascii_lowercase();
        self.throttle(&login, from).await?;
        chosen.check_chosen("password", &login)?;
        let hash = self.hasher.hash(chosen).await?;
        let mut tx = self.platform.database.begin().await?;
        let activated = account::activate(&mut tx, &login, half::code(halves[0], halves[1]), &hash, self.platform.clock.now()).await?;
        let Some(row) = activated else {
            tx.rollback().await?;
            self.record(None, "session.refuse").await?;
            return Err(Error::ActivationRefused);
        };
        let revision = row.credential_revision;
        let staff = row.into_staff()?;
        tx.publish(SCHEMA, &self.entry(Some(&staff), "staff.activate")).await?;
        self.begin(tx, staff, revision).await
    }

    /// Whether this is the account's password: before it is changed. Counts as an attempt.
    pub async fn confirm(&self, id: StaffId, password: Password, from: IpAddr) -> Result<Staff, Error> {
        let row = account::by_id(&mut self.platform.database.pool().acquire().await?, id).await?.ok_or(Error::NoSuchStaff(id))?;
        self.throttle(&row.login, from).await?;
        let fits = self.hasher.fits(password, row.password_hash.clone()).await?;
        let staff = row.into_staff()?;
        if !fits {
            // whoever tries passwords in somebody's session leaves the same trace as at the door
            self.record(Some(&staff), "session.refuse").await?;
            return Err(Error::CurrentPasswordWrong);
        }
        Ok(staff)
    }

    /// Begins a session once what led to it stands in the trace.
    async fn begin(&self, mut tx: Tx, staff: Staff, revision: i64) -> Result<SignedIn, Error> {
        let (token, session) = self.sessions.list_new(&mut tx, staff.id, revision, self.lifetimes).await?;
        tx.commit().await?;
        self.sessions.open(&token, &session).await?;
        Ok(SignedIn { token, session, staff })
    }

    async fn throttle(&self, login: &str, from: IpAddr) -> Result<(), Error> {
        // Hashed: what people type into a name field by mistake is their password.
        let account = format!("identity:attempts:account:{}", TokenHash::of(login).hex());
        let address = format!("identity:attempts:address:{from}");
        for (bucket, limit) in [(address, ADDRESS), (account, ACCOUNT)] {
            let per_second = 1.0 / limit.every.as_secs_f64();
            if let Tokens::WaitUntil(at) = self.platform.cache.take_tokens(&bucket, per_second, limit.burst, 1).await? {
                let after = (at - self.platform.clock.now()).to_std().unwrap_or_default();
                return Err(Error::TooManyAttempts { after });
            }
        }
        Ok(())
    }

    async fn record(&self, staff: Option<&Staff>, action: &str) -> Result<(), Error> {
        let mut tx = self.platform.database.begin().await?;
        tx.publish(SCHEMA, &self.entry(staff, action)).await?;
        Ok(tx.commit().await?)
    }

    /// The trace of an attempt. What was typed where no account has that name is not kept: it may be a password.
    fn entry(&self, staff: Option<&Staff>, action: &str) -> AuditEntry {
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
            detail_json: "{}".to_owned(),
            ..AuditEntry::default()
        }
    }
}
