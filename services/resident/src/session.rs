//! The app's sign-in: an opaque token, of which only the hash is kept.

use std::collections::HashMap;

use axum::extract::State;
use chrono::{DateTime, Utc};
use domain::ids::ResidentNo;
use http::StatusCode;
use platform::Platform;
use platform::database::{Database, Tx};
use platform::gather::{Batch, Gather, Limits};
use platform::http::{Access, Authenticator, Caller, Credential, Problem, ResidentCaller, Routes, routes};
use sha2::{Digest as _, Sha256};

use crate::{Error, Service, directory};

pub(crate) fn routes() -> Routes<Service> {
    Routes::new("session").allow(Access::Resident, routes!(end))
}

/// Sign out on this device
///
/// The token opens nothing any more. The person stays registered: alerts go to their other devices, and by SMS.
#[utoipa::path(delete, path = "/api/v1/me/session", responses((status = 204, description = "The session ended")))]
async fn end(State(service): State<Service>, caller: ResidentCaller, credential: Credential) -> Result<StatusCode, Problem> {
    sqlx::query!(
        "delete from resident.session where token_hash = $1 and resident_no = $2",
        &hash(credential.token())[..],
        directory::stored(caller.no)
    )
    .execute(service.platform.database.pool())
    .await
    .map_err(Error::database("ending a session"))?;
    Ok(StatusCode::NO_CONTENT)
}

/// What a resident's token begins with.
const PREFIX: &str = "fhr_";

/// Opens a session and returns its token, which is never shown again.
pub(crate) async fn open(tx: &mut Tx, no: ResidentNo, now: DateTime<Utc>) -> Result<String, Error> {
    let secret: [u8; 32] = rand::random();
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

/// Knows residents by the token of their app. What many requests present at once is looked up in one query.
pub struct SessionAuthenticator(Gather<Sessions>);

impl SessionAuthenticator {
    /// Looks sessions up in the database of this platform.
    pub fn new(platform: &Platform) -> Self {
        let limits = Limits { batches: 2, items: 1_000 };
        Self(Gather::new(&platform.tasks, "resident.sessions", limits, Sessions(platform.database.clone())))
    }
}

#[async_trait::async_trait]
impl Authenticator for SessionAuthenticator {
    fn prefixes(&self) -> &'static [&'static str] {
        &[PREFIX]
    }

    async fn authenticate(&self, token: &str) -> Result<Option<Caller>, Problem> {
        let found = self.0.ask(hash(token)).await.map_err(Error::from)?;
        Ok(found.map(|no| Caller::Resident(ResidentCaller { no })))
    }
}

/// Finds whose sessions these hashes of tokens are.
struct Sessions(Database);

impl Batch for Sessions {
    type Item = [u8; 32];
    type Answer = Option<ResidentNo>;
    type Error = Error;

    async fn run(&self, hashes: &[[u8; 32]]) -> Result<Vec<Option<ResidentNo>>, Error> {
        let found: HashMap<Vec<u8>, i32> =
            sqlx::query!("select token_hash, resident_no from resident.session where token_hash = any($1)", hashes as &[[u8; 32]])
                .fetch_all(self.0.pool())
                .await
                .map_err(Error::database("finding sessions"))?
                .into_iter()
                .map(|row| (row.token_hash, row.resident_no))
                .collect();
        Ok(hashes.iter().map(|hash| found.get(&hash[..]).map(|no| directory::resident_no(*no))).collect())
    }
}
