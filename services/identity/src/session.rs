//! Sessions of staff: records in the cache under the hash of their token.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use domain::ids::StaffId;
use platform::Platform;
use platform::cache::Cache;
use platform::clock::Clock;
use serde::{Deserialize, Serialize};

use crate::Error;
use crate::token::{SESSION, Token, TokenHash};

/// A session's last use is written down again only after this long: not every request is a write.
const NOTED_EVERY: TimeDelta = TimeDelta::seconds(60);

/// How long sessions live.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lifetimes {
    /// Unused.
    pub idle: Duration,
    /// At most, used or not.
    pub longest: Duration,
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
}

/// All sessions.
#[derive(Debug, Clone)]
pub struct Sessions {
    cache: Cache,
    clock: Clock,
}

impl Sessions {
    /// The sessions in this platform's cache.
    pub fn new(platform: &Platform) -> Self {
        Self { cache: platform.cache.clone(), clock: platform.clock.clone() }
    }

    /// Begins one; the token is its only key.
    pub async fn begin(&self, staff: StaffId, revision: i64, lifetimes: Lifetimes) -> Result<(Token, Session), Error> {
        let now = self.clock.now();
        let token = Token::generate(SESSION);
        let session = Session { staff, revision, ends_at: now + lifetimes.longest, seen_at: now, idle_seconds: lifetimes.idle.as_secs() };
        self.store(&token.hash(), &session, now).await?;
        Ok((token, session))
    }

    /// The session of a presented token, if it still lives; notes its use.
    pub async fn find(&self, token: &TokenHash) -> Result<Option<Session>, Error> {
        let Some(mut session) = self.look(token).await? else { return Ok(None) };
        let now = self.clock.now();
        if now - session.seen_at >= NOTED_EVERY {
            session.seen_at = now;
            self.store(token, &session, now).await?;
        }
        Ok(Some(session))
    }

    /// The same without noting its use: it may end meanwhile as if nobody had asked.
    pub async fn look(&self, token: &TokenHash) -> Result<Option<Session>, Error> {
        let Some(bytes) = self.cache.get(&key(token)).await? else { return Ok(None) };
        // A record of another version of this service is as good as none: its owner signs in again.
        let session = serde_json::from_slice::<Session>(&bytes).ok();
        Ok(session.filter(|session| self.clock.now() < session.ends_at))
    }

    /// Lets this session outlive a change of the account's credentials: for the one that changed them.
    pub async fn carry_over(&self, token: &TokenHash, revision: i64) -> Result<(), Error> {
        match self.find(token).await? {
            Some(session) => self.store(token, &Session { revision, ..session }, self.clock.now()).await,
            None => Ok(()),
        }
    }

    /// Ends one.
    pub async fn end(&self, token: &TokenHash) -> Result<(), Error> {
        Ok(self.cache.delete(&key(token)).await?)
    }

    async fn store(&self, token: &TokenHash, session: &Session, now: DateTime<Utc>) -> Result<(), Error> {
        let record = serde_json::to_vec(session).map_err(|_| Error::Stored { what: "session" })?;
        let left = (session.ends_at - now).to_std().unwrap_or_default();
        let ttl = left.min(Duration::from_secs(session.idle_seconds));
        Ok(self.cache.set(&key(token), &record, ttl).await?)
    }
}

fn key(token: &TokenHash) -> String {
    format!("identity:session:{}", token.hex())
}
