//! Sessions of staff: records in the cache under the hash of their token.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use domain::ids::{SessionId, StaffId};
use domain::second_factor::{CameWith, Proof};
use platform::Platform;
use platform::cache::Cache;
use platform::clock::Clock;
use platform::crypto::{Keyring, Purpose, Sealed};
use platform::database::{Connection, Tx};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::Error;
use crate::token::{SESSION, Token, TokenHash};

/// A session's last use is written down again only after this long: not every request is a write.
const NOTED_EVERY: TimeDelta = TimeDelta::seconds(60);
/// How often a change is tried again when somebody else changes the same session.
const TRIES: usize = 8;
/// How long a proof is fresh in a session that began before anybody said.
const FRESH_SECONDS: u32 = 300;

/// How long sessions live.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lifetimes {
    /// Unused.
    pub idle: Duration,
    /// At most, used or not.
    pub longest: Duration,
    /// How long a second factor that was shown is fresh.
    pub fresh: Duration,
}

/// A session as the cache holds it. It brings its own lifetimes, so a process that only reads needs no setting for them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// Whose it is.
    pub staff: StaffId,
    /// Revision of the account's credentials when it began; a later one ends it.
    pub revision: i64,
    /// When it ends, used or not.
    pub ends_at: DateTime<Utc>,
    /// Last use, to within a minute.
    pub seen_at: DateTime<Utc>,
    /// Ends after so long without use, in seconds.
    pub idle_seconds: u64,
    /// When its owner showed their second factor last; what the directory asked for counts as shown some time before the session began.
    #[serde(default)]
    pub shown_at: Option<DateTime<Utc>>,
    /// For so long that is fresh, in seconds.
    #[serde(default)]
    pub fresh_seconds: u32,
    /// Whether it began with the code that two administrators gave, rather than with a password.
    #[serde(default)]
    pub by_code: bool,
}

impl Session {
    /// How long it lives if it is not used.
    fn left(&self, now: DateTime<Utc>) -> Duration {
        let left = (self.ends_at - now).to_std().unwrap_or_default();
        left.min(Duration::from_secs(self.idle_seconds))
    }

    /// With what its owner came.
    pub const fn came_with(&self) -> CameWith {
        if self.by_code { CameWith::ActivationCode } else { CameWith::Password }
    }

    /// What it has shown.
    pub fn proof(&self) -> Option<Proof> {
        self.shown_at.map(|at| Proof::shown(at, TimeDelta::seconds(self.fresh_seconds.into())))
    }
}

/// A session as its owner sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct OwnSession {
    /// The session.
    pub id: SessionId,
    /// When it began.
    pub began_at: DateTime<Utc>,
    /// When it was last used, to within a minute.
    pub seen_at: DateTime<Utc>,
    /// When it ends at the latest.
    pub ends_at: DateTime<Utc>,
    /// Whether it is the one that asks.
    pub this: bool,
}

/// All sessions.
#[derive(Debug, Clone)]
pub struct Sessions {
    cache: Cache,
    clock: Clock,
    keyring: Keyring,
}

/// A session in the cache, sealed: whoever can write there makes nobody an officer. It names its token, so that one person's is not another's.
#[derive(Serialize, Deserialize)]
struct Kept {
    token: String,
    session: Session,
}

/// A record in the cache, where it stands, and what it says.
struct Found {
    key: String,
    record: Vec<u8>,
    session: Session,
}

impl Sessions {
    /// The sessions in this platform's cache.
    pub fn new(platform: &Platform) -> Self {
        Self { cache: platform.cache.clone(), clock: platform.clock.clone(), keyring: platform.keyring.clone() }
    }

    /// Begins one; the token is its only key. It lives once `tx`, which lists it, is committed and [`Sessions::open`] is called.
    pub async fn list_new(
        &self,
        tx: &mut Tx,
        staff: StaffId,
        revision: i64,
        lifetimes: Lifetimes,
        came_with: CameWith,
    ) -> Result<(Token, Session), Error> {
        let now = self.clock.now();
        let token = Token::generate(SESSION);
        let hash = token.hash();
        let fresh_seconds = u32::try_from(lifetimes.fresh.as_secs()).unwrap_or(u32::MAX);
        let session = Session {
            staff,
            revision,
            ends_at: now + lifetimes.longest,
            seen_at: now,
            idle_seconds: lifetimes.idle.as_secs(),
            shown_at: came_with.shown_at(now, TimeDelta::seconds(fresh_seconds.into())),
            fresh_seconds,
            by_code: came_with == CameWith::ActivationCode,
        };
        sqlx::query!("delete from identity.session where staff_id = $1 and ends_at <= $2", staff.uuid(), now).execute(&mut **tx).await?;
        sqlx::query!(
            "insert into identity.session (id, token_hash, staff_id, began_at, ends_at) values ($1, $2, $3, $4, $5)",
            SessionId::new().uuid(),
            hash.bytes(),
            staff.uuid(),
            now,
            session.ends_at,
        )
        .execute(&mut **tx)
        .await?;
        Ok((token, session))
    }

    /// Lets a listed session live.
    pub async fn open(&self, token: &Token, session: &Session) -> Result<(), Error> {
        let hash = token.hash();
        let record = self.record(&hash, session)?;
        Ok(self.cache.set(&key(&hash), &record, session.left(self.clock.now())).await?)
    }

    /// The sessions of an account that live, the newest first. `own` is the one that asks, `revision` that of the account's credentials.
    pub async fn of_staff(&self, connection: &mut Connection, staff: StaffId, revision: i64, own: &str) -> Result<Vec<OwnSession>, Error> {
        let now = self.clock.now();
        let rows = sqlx::query!(
            "select id, token_hash, began_at from identity.session where staff_id = $1 and ends_at > $2 order by began_at desc, id desc",
            staff.uuid(),
            now,
        )
        .fetch_all(connection)
        .await?;
        let mut living = Vec::new();
        for row in rows {
            let hash = hex::encode(&row.token_hash);
            let Some(Found { session, .. }) = self.living_record(&hash).await? else { continue };
            if session.revision == revision {
                let Session { seen_at, ends_at, .. } = session;
                living.push(OwnSession { id: row.id.into(), began_at: row.began_at, seen_at, ends_at, this: hash == own });
            }
        }
        Ok(living)
    }

    /// Ends a session of this account by its id. Whether there was one.
    pub async fn end_of_staff(&self, tx: &mut Tx, staff: StaffId, id: SessionId) -> Result<bool, Error> {
        let ended = sqlx::query_scalar!(
            "delete from identity.session where id = $1 and staff_id = $2 returning token_hash",
            id.uuid(),
            staff.uuid(),
        )
        .fetch_optional(&mut **tx)
        .await?;
        let Some(hash) = ended else { return Ok(false) };
        self.end_record(&hex::encode(hash)).await?;
        Ok(true)
    }

    /// The session of a presented token, if it still lives; notes its use.
    pub async fn find(&self, token: &TokenHash) -> Result<Option<Session>, Error> {
        let Some(found) = self.living_record(&token.hex()).await? else { return Ok(None) };
        let (now, session) = (self.clock.now(), found.session.clone());
        if now - session.seen_at < NOTED_EVERY {
            return Ok(Some(session));
        }
        let seen = Session { seen_at: now, ..session };
        if self.replace(token, &found, &seen).await? {
            return Ok(Some(seen));
        }
        // Somebody else has noted its use, or it was ended meanwhile: then it stays so.
        self.look(token).await
    }

    /// The same without noting its use: it may end meanwhile as if nobody had asked.
    pub async fn look(&self, token: &TokenHash) -> Result<Option<Session>, Error> {
        Ok(self.living_record(&token.hex()).await?.map(|found| found.session))
    }

    /// A living session as it stands in the cache. One from before there were second factors stands where it stood: the processes of then know none
    /// of those that begin now, which may lack a proof that they would not miss.
    async fn living_record(&self, token: &str) -> Result<Option<Found>, Error> {
        for key in [key_of(token), key_from_before(token)] {
            let Some(record) = self.cache.get(&key).await? else { continue };
            let living = self.read(token, record.clone()).filter(|session| self.clock.now() < session.ends_at);
            return Ok(living.map(|session| Found { key, record, session }));
        }
        Ok(None)
    }

    /// Notes that its owner has shown their second factor now. The first time it goes on under another token, which is given: whoever knew the one
    /// that the password was enough for has a share in nothing.
    pub async fn prove(&self, tx: Tx, token: &TokenHash) -> Result<(Session, Option<Token>), Error> {
        let living = self.look(token).await?.ok_or(Error::SessionOver)?;
        if living.shown_at.is_none() {
            return self.go_on_as_another(tx, token).await.map(|(session, token)| (session, Some(token)));
        }
        let now = self.clock.now();
        let proved = self.change(token, |session| Session { shown_at: Some(now), seen_at: now, ..session }).await?;
        Ok((proved.ok_or(Error::SessionOver)?, None))
    }

    async fn go_on_as_another(&self, mut tx: Tx, old: &TokenHash) -> Result<(Session, Token), Error> {
        let (now, token) = (self.clock.now(), Token::generate(SESSION));
        let hash = token.hash();
        let listed = sqlx::query!("update identity.session set token_hash = $2 where token_hash = $1", old.bytes(), hash.bytes(),)
            .execute(&mut *tx)
            .await?
            .rows_affected();
        let Some(found) = self.living_record(&old.hex()).await?.filter(|_| listed == 1) else { return Err(Error::SessionOver) };
        // of two who prove it at once, and of whoever ends it meanwhile, one has it
        if self.cache.take(&found.key).await?.is_none() {
            return Err(Error::SessionOver);
        }
        tx.commit().await?;
        let session = Session { shown_at: Some(now), seen_at: now, ..found.session };
        let session = Session { fresh_seconds: if session.fresh_seconds == 0 { FRESH_SECONDS } else { session.fresh_seconds }, ..session };
        self.open(&token, &session).await?;
        Ok((session, token))
    }

    /// The same, for what only a living session may do.
    pub async fn living(&self, token: &TokenHash) -> Result<Session, Error> {
        self.find(token).await?.ok_or(Error::SessionOver)
    }

    /// Lets this session outlive a change of the account's credentials: for the one that changed them, from one revision to the next.
    pub async fn carry_over(&self, token: &TokenHash, revision: i64) -> Result<(), Error> {
        let next = |session: Session| if session.revision + 1 == revision { Session { revision, ..session } } else { session };
        self.change(token, next).await.map(|_| ())
    }

    /// Changes a session that lives, whoever else changes it at the same time; one that was ended stays so.
    async fn change(&self, token: &TokenHash, change: impl Fn(Session) -> Session) -> Result<Option<Session>, Error> {
        for _ in 0..TRIES {
            let Some(found) = self.living_record(&token.hex()).await? else { return Ok(None) };
            let changed = change(found.session.clone());
            if self.replace(token, &found, &changed).await? {
                return Ok(Some(changed));
            }
        }
        Err(Error::SessionOver)
    }

    async fn replace(&self, token: &TokenHash, was: &Found, session: &Session) -> Result<bool, Error> {
        let record = self.record(token, session)?;
        Ok(self.cache.replace(&was.key, &was.record, &record, session.left(self.clock.now())).await?)
    }

    /// Ends one.
    pub async fn end(&self, token: &TokenHash) -> Result<(), Error> {
        self.end_record(&token.hex()).await
    }

    async fn end_record(&self, token: &str) -> Result<(), Error> {
        self.cache.delete(&key_of(token)).await?;
        Ok(self.cache.delete(&key_from_before(token)).await?)
    }

    /// The session that was kept under this token. A record that is not ours, or of another version of this service, is as good as none: its
    /// owner signs in again.
    fn read(&self, token: &str, record: Vec<u8>) -> Option<Session> {
        let plain = self.keyring.open(Purpose::SessionToken, &Sealed::from_bytes(record).ok()?).ok()?;
        let kept: Kept = serde_json::from_slice(&plain).ok()?;
        (kept.token == token).then_some(kept.session)
    }

    fn record(&self, token: &TokenHash, session: &Session) -> Result<Vec<u8>, Error> {
        let kept = Kept { token: token.hex(), session: session.clone() };
        let record = serde_json::to_vec(&kept).map_err(|_| Error::Stored { what: "session" })?;
        Ok(self.keyring.seal(Purpose::SessionToken, &record).into_bytes())
    }
}

fn key(token: &TokenHash) -> String {
    key_of(&token.hex())
}

fn key_of(hash: &str) -> String {
    format!("identity:staff-session:{hash}")
}

/// Where sessions stood before there were second factors.
fn key_from_before(hash: &str) -> String {
    format!("identity:session:{hash}")
}
