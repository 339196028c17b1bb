//! The way in from the command line, for whoever has the machine and the database: the first two administrators, and a way back for one who
//! cannot sign in.
//!
//! The first two may act at once, or the city could never begin. Whoever comes later waits like everybody else, and what was done stands
//! among the emergencies, where the other administrators, the city command and the auditor see it.

use std::fmt;

use chrono::{DateTime, Utc};
use domain::staff::{Role, Scope};
use platform::Platform;
use platform::compiled_once;
use platform::database::Tx;
use proto::AuditEntry;
use serde_json::json;
use uuid::Uuid;

use crate::account::{self, Activation, Beginning, Staff};
use crate::half::Half;
use crate::proposal::{self, Proposed};
use crate::settings::Delays;
use crate::{Error, NewStaff, SCHEMA, Settings};

/// Why a change from the command line stands among the emergencies.
const REASON: &str = "由服务器命令行操作 Made on the command line";

/// A code with which an administrator sets their own password, in its halves. They never print.
pub struct Code {
    /// Whose it is.
    pub login: String,
    /// What they enter first.
    pub first: String,
    /// What they enter second.
    pub second: String,
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Code").field("login", &self.login).finish_non_exhaustive()
    }
}

/// Makes the first two administrators of a city that has none. The schema must be migrated. The codes are kept nowhere.
///
/// # Errors
/// [`Error::AdministratorsExist`] where there is one already.
#[compiled_once]
pub async fn first_administrators(platform: &Platform, settings: &Settings, logins: [&str; 2]) -> Result<[Code; 2], Error> {
    let (delays, now) = (settings.delays()?, platform.clock.now());
    if logins[0] == logins[1] {
        return Err(Error::LoginTaken { login: logins[1].to_owned() });
    }
    let mut tx = platform.database.begin().await?;
    // two who begin at once would make four
    sqlx::query!("lock table identity.staff in share row exclusive mode").execute(&mut *tx).await?;
    if others(&mut tx, "").await? {
        return Err(Error::AdministratorsExist);
    }
    let one = made(&mut tx, logins[0], None, delays, now).await?;
    let two = made(&mut tx, logins[1], None, delays, now).await?;
    tx.commit().await?;
    Ok([one, two])
}

/// Gives an administrator who cannot sign in a new code, or makes one. They wait before they confirm anything, and everybody concerned is told.
#[compiled_once]
pub async fn recover_administrator(platform: &Platform, settings: &Settings, login: &str) -> Result<Code, Error> {
    let (delays, now) = (settings.delays()?, platform.clock.now());
    let acts_from = Some(now + delays.acting);
    let mut tx = platform.database.begin().await?;
    let code = match account::by_login(&mut tx, login).await? {
        None => made(&mut tx, login, acts_from, delays, now).await?,
        Some(row) if row.role == Role::Administrator.as_ref() => {
            let staff = row.into_staff()?;
            let (code, activation) = code(login, delays, now);
            account::begin_anew(&mut tx, staff.id, activation, acts_from).await?;
            sqlx::query!("update identity.staff set disabled_at = null where id = $1", staff.id.uuid()).execute(&mut *tx).await?;
            tx.publish(SCHEMA, &did("staff.reset_password", &staff, now)).await?;
            code
        }
        Some(_) => return Err(Error::LoginTaken { login: login.to_owned() }),
    };
    let staff = account::by_login(&mut tx, login).await?.ok_or(Error::Stored { what: "staff.login" })?.into_staff()?;
    proposal::insert_done_alone(&mut tx, &Proposed::ResetAccount, staff.id, REASON, now).await?;
    tx.commit().await?;
    tracing::warn!(staff = %staff.id, "an administrator was given a way in from the command line");
    Ok(code)
}

async fn others(tx: &mut Tx, login: &str) -> Result<bool, Error> {
    Ok(sqlx::query_scalar!(
        r#"select exists (select from identity.staff where role = $1 and login <> $2) as "others!""#,
        Role::Administrator.as_ref(),
        login,
    )
    .fetch_one(&mut **tx)
    .await?)
}

async fn made(tx: &mut Tx, login: &str, acts_from: Option<DateTime<Utc>>, delays: Delays, now: DateTime<Utc>) -> Result<Code, Error> {
    let new = NewStaff { login: login.to_owned(), name: login.to_owned(), role: Role::Administrator, scope: Scope::City };
    new.check()?;
    let (code, activation) = code(login, delays, now);
    let staff = account::insert(tx, &new, Beginning::Code(activation), acts_from, now)
        .await?
        .ok_or_else(|| Error::LoginTaken { login: login.to_owned() })?;
    tx.publish(SCHEMA, &did("staff.create", &staff, now)).await?;
    Ok(code)
}

fn code(login: &str, delays: Delays, now: DateTime<Utc>) -> (Code, Activation) {
    let (first, second) = (Half::of_code(), Half::of_code());
    let activation = Activation { code: first.code_with(&second), expires_at: now + delays.activation };
    (Code { login: login.to_owned(), first: first.into_text(), second: second.into_text() }, activation)
}

/// The trace of what was done without anybody signed in.
pub(crate) fn did(action: &str, staff: &Staff, now: DateTime<Utc>) -> AuditEntry {
    AuditEntry {
        entry_id: Uuid::now_v7().to_string(),
        actor_kind: "system".to_owned(),
        actor: "command-line".to_owned(),
        action: action.to_owned(),
        object_kind: "staff".to_owned(),
        object: staff.id.to_string(),
        district: staff.scope.district().map(|district| district.get()),
        at_ms: now.timestamp_millis(),
        detail_json: json!({ "login": staff.login, "role": staff.role, "scope": staff.scope }).to_string(),
        ..AuditEntry::default()
    }
}
