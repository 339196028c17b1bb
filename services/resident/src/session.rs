//! The app's sign-in: an opaque token, of which only the hash is kept.

use chrono::{DateTime, Utc};
use domain::ids::ResidentNo;
use platform::database::{Database, Tx};
use platform::http::{Authenticator, Caller, Problem, ResidentCaller};
use rand::Rng as _;
use sha2::{Digest as _, Sha256};

use crate::{Error, directory};

/// What a resident's token begins with.
const PREFIX: &str = "fhr_";

/// Opens a session and returns its token, which is never shown again.
pub(crate) async fn open(tx: &mut Tx, no: ResidentNo, now: DateTime<Utc>) -> Result<String, Error> {
    let mut secret = [0u8; 32];
    rand::rng().fill_bytes(&mut secret);
    let token = format!("{PREFIX}{}", hex::encode(secret));
    sqlx::query!(
        "insert into resident.session (token_hash, resident_no, created_at, last_used_at) values ($1, $2, $3, $3)",
        &hash(&token)[..],
        directory::stored(no),
        now
    )
    .execute(&mut **tx)
    .await
    .map_err(Error::database("opening a session"))?;
    Ok(token)
}

fn hash(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}

/// Knows residents by the token of their app.
pub struct SessionAuthenticator(Database);

impl SessionAuthenticator {
    /// Looks sessions up in this database.
    pub fn new(database: Database) -> Self {
        Self(database)
    }
}

#[async_trait::async_trait]
impl Authenticator for SessionAuthenticator {
    fn prefixes(&self) -> &'static [&'static str] {
        &[PREFIX]
    }

    async fn authenticate(&self, token: &str) -> Result<Option<Caller>, Problem> {
        let found = sqlx::query_scalar!("select resident_no from resident.session where token_hash = $1", &hash(token)[..])
            .fetch_optional(self.0.pool())
            .await
            .map_err(Error::database("finding a session"))?;
        Ok(found.map(|no| Caller::Resident(ResidentCaller { no: directory::resident_no(no) })))
    }
}
