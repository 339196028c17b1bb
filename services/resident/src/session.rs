//! The app's sign-in: an opaque token, of which only the hash is kept, on one device.
//!
//! It ends by itself ([`domain::sign_in`]), when its owner ends it ([`crate::sign_ins`]), and when the phone number goes to somebody else
//! ([`crate::former`]). That it was used is noted once a day and beside the request: nobody waits for it, and under the greatest load some of it is
//! left for the next request.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use chrono::{DateTime, Utc};
use domain::ids::ResidentNo;
use domain::sign_in::{Presented, SignIn, Terms, USE_KNOWN_TO};
use http::StatusCode;
use platform::Platform;
use platform::clock::Clock;
use platform::database::{Database, Tx};
use platform::gather::{Batch, Gather, Limits};
use platform::http::{Access, Authenticator, Caller, Credential, Problem, ResidentCaller, Routes, routes};
use sha2::{Digest as _, Sha256};
use tokio::sync::{Mutex, mpsc};

use crate::sign_ins::{self, Because, Which};
use crate::{Error, Service, Settings, directory};

pub(crate) fn routes() -> Routes<Service> {
    Routes::new("session").allow(Access::Resident, routes!(end))
}

/// Sign out on this device
///
/// The token opens nothing any more. The person stays registered: alerts go to their other devices, and by SMS.
#[utoipa::path(delete, path = "/api/v1/me/session", responses((status = 204, description = "The session ended")))]
async fn end(State(service): State<Service>, caller: ResidentCaller, credential: Credential) -> Result<StatusCode, Problem> {
    let which = Which::One(hash(credential.token()).to_vec());
    let mut tx = service.platform.database.begin().await.map_err(Error::from)?;
    sign_ins::end(&mut tx, directory::stored(caller.no), which, Because::SignedOut, service.platform.clock.now()).await?;
    tx.commit().await.map_err(Error::from)?;
    Ok(StatusCode::NO_CONTENT)
}

/// What a resident's token begins with.
const PREFIX: &str = "fhr_";

/// Opens a session on such a device and returns its token, which is never shown again.
pub(crate) async fn open(tx: &mut Tx, no: ResidentNo, device: Option<&str>, now: DateTime<Utc>) -> Result<String, Error> {
    let secret: [u8; 32] = rand::random();
    let token = format!("{PREFIX}{}", hex::encode(secret));
    sqlx::query!(
        "insert into resident.session (token_hash, resident_no, created_at, last_used_at, counts_from, device) values ($1, $2, $3, $3, $3, $4)",
        &hash(&token)[..],
        directory::stored(no),
        now,
        device
    )
    .execute(&mut **tx)
    .await
    .map_err(Error::database("opening a session"))?;
    Ok(token)
}

/// What a session is known by.
pub(crate) fn hash(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}

/// Who is signed in with this token, where a request that anybody may send brings one.
pub(crate) async fn owner(tx: &mut Tx, token: &str, terms: Terms, now: DateTime<Utc>) -> Result<Option<ResidentNo>, Error> {
    let row = sqlx::query!(
        r#"select resident_no, counts_from, greatest(last_used_at, counts_from) as "used!" from resident.session
            where token_hash = $1 and ended_at is null"#,
        &hash(token)[..]
    )
    .fetch_optional(&mut **tx)
    .await
    .map_err(Error::database("finding a session"))?;
    Ok(row
        .filter(|row| SignIn { since: row.counts_from, used: row.used }.presented(now, terms) != Presented::Over)
        .map(|row| directory::resident_no(row.resident_no)))
}

/// Knows residents by the token of their app. What many requests present at once is looked up in one query.
pub struct SessionAuthenticator(Gather<Sessions>);

impl SessionAuthenticator {
    /// Looks sessions up in the database of this platform; they hold as long as the settings say.
    pub fn new(platform: &Platform, settings: &Settings) -> Self {
        let limits = Limits { batches: 2, items: 1_000 };
        let sessions = Sessions {
            database: platform.database.clone(),
            clock: platform.clock.clone(),
            terms: settings.sign_in_terms(),
            uses: Uses::start(platform),
        };
        Self(Gather::new(&platform.tasks, "resident.sessions", limits, sessions))
    }
}

#[async_trait::async_trait]
impl Authenticator for SessionAuthenticator {
    fn prefixes(&self) -> &'static [&'static str] {
        &[PREFIX]
    }

    async fn authenticate(&self, token: &str) -> Result<Option<Caller>, Problem> {
        match self.0.ask(hash(token)).await.map_err(Error::from)? {
            Whose::Of(no) => Ok(Some(Caller::Resident(ResidentCaller { no }))),
            Whose::Nobodys => Ok(None),
            Whose::OfAFormerNumber => Err(Problem::new(
                StatusCode::UNAUTHORIZED,
                "number_changed_hands",
                "您登记的手机号已由他人重新登记，这台设备已退出。如果您换了号码，请用新号码登记；如果号码仍是您的，请重新登录并联系社区。",
                "Your phone number was registered anew by somebody else, so this device was signed out. If you have another number, register with \
                 it; if the number is still yours, sign in again and tell your community.",
            )),
        }
    }
}

/// Whose a session is.
#[derive(Clone, Copy, Debug)]
enum Whose {
    Of(ResidentNo),
    /// Unknown, ended or too old.
    Nobodys,
    /// It ended because its owner's number is somebody else's now: its device is told once, since it forgets the token then.
    OfAFormerNumber,
}

/// Finds whose sessions these hashes of tokens are.
struct Sessions {
    database: Database,
    clock: Clock,
    terms: Terms,
    uses: Uses,
}

impl Batch for Sessions {
    type Item = [u8; 32];
    type Answer = Whose;
    type Error = Error;

    async fn run(&self, hashes: &[[u8; 32]]) -> Result<Vec<Whose>, Error> {
        let rows = sqlx::query!(
            r#"select token_hash, resident_no, counts_from, greatest(last_used_at, counts_from) as "used!", ended_because
                 from resident.session where token_hash = any($1)"#,
            hashes as &[[u8; 32]]
        )
        .fetch_all(self.database.pool())
        .await
        .map_err(Error::database("finding sessions"))?;
        let now = self.clock.now();
        let mut found = HashMap::with_capacity(rows.len());
        for row in rows {
            let sign_in = SignIn { since: row.counts_from, used: row.used };
            let whose = match (row.ended_because.as_deref(), sign_in.presented(now, self.terms)) {
                (None, Presented::Holds { note }) => {
                    if note {
                        self.uses.note(&row.token_hash);
                    }
                    Whose::Of(directory::resident_no(row.resident_no))
                }
                (Some(because), _) if because == Because::NumberChangedHands.as_ref() => Whose::OfAFormerNumber,
                _ => Whose::Nobodys,
            };
            found.insert(row.token_hash, whose);
        }
        Ok(hashes.iter().map(|hash| found.get(&hash[..]).copied().unwrap_or(Whose::Nobodys)).collect())
    }
}

/// Uses waiting to be noted; what does not fit is noted with a later request.
const WAITING: usize = 4_096;
/// Noted in one statement,
const TOGETHER: usize = 1_000;
/// and so long between two: when everybody looks at an alert at once, acknowledgements have the database.
const PAUSE: Duration = Duration::from_millis(200);

/// Notes that sessions were used.
struct Uses(mpsc::Sender<Vec<u8>>);

impl Uses {
    fn start(platform: &Platform) -> Self {
        let (noted, waiting) = mpsc::channel(WAITING);
        let (platform, waiting) = (platform.clone(), Arc::new(Mutex::new(waiting)));
        platform.tasks.clone().keep("resident.sessions-used", move || {
            let (platform, waiting) = (platform.clone(), Arc::clone(&waiting));
            async move { write_down(&platform, &mut *waiting.lock().await).await }
        });
        Self(noted)
    }

    fn note(&self, hash: &[u8]) {
        // full, or about to stop: another day
        let _ = self.0.try_send(hash.to_vec());
    }
}

async fn write_down(platform: &Platform, waiting: &mut mpsc::Receiver<Vec<u8>>) {
    let stop = platform.tasks.token().clone();
    let mut used = Vec::with_capacity(TOGETHER);
    while stop.run_until_cancelled(waiting.recv_many(&mut used, TOGETHER)).await.is_some_and(|taken| taken > 0) {
        let hashes: Vec<Vec<u8>> = used.drain(..).collect::<HashSet<_>>().into_iter().collect();
        let now = platform.clock.now();
        let noted = sqlx::query!(
            "update resident.session set last_used_at = $2 where token_hash = any($1) and last_used_at <= $3 and ended_at is null",
            &hashes,
            now,
            now - USE_KNOWN_TO
        )
        .execute(platform.database.pool())
        .await;
        if let Err(error) = noted {
            tracing::warn!(error = platform::tasks::chain(&error), "when sessions were used could not be noted");
        }
        stop.run_until_cancelled(tokio::time::sleep(PAUSE)).await;
    }
}
