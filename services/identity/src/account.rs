//! Accounts of staff.

use chrono::{DateTime, Utc};
use domain::ids::StaffId;
use domain::staff::{Role, Scope};
use platform::Platform;
use platform::compiled_once;
use platform::database::{Connection, Tx, readable};
use platform::http::FieldFault;
use proto::AuditEntry;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::password::{Hasher, Password};
use crate::{Error, SCHEMA};

const LONGEST_LOGIN: usize = 64;
const LONGEST_NAME: usize = 64;

/// An account, as administrators and its owner see it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Staff {
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
    /// Since when they cannot sign in, if so.
    pub disabled_at: Option<DateTime<Utc>>,
    /// Since when there is the account.
    pub created_at: DateTime<Utc>,
}

/// An account to be made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct NewStaff {
    /// Name to sign in with: 2 to 64 of `a–z 0–9 . _ -`, a letter first.
    pub login: String,
    /// Name shown to colleagues.
    pub name: String,
    /// What they are to be.
    pub role: Role,
    /// Where.
    pub scope: Scope,
}

impl NewStaff {
    /// Refuses names that nobody could use and roles without their kind of scope.
    pub fn check(&self) -> Result<(), Error> {
        let mut faults = Vec::new();
        let sound = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || ".-_".contains(c);
        let begins_with_letter = self.login.starts_with(|c: char| c.is_ascii_lowercase());
        if !begins_with_letter || !(2..=LONGEST_LOGIN).contains(&self.login.len()) || !self.login.chars().all(sound) {
            faults.push(FieldFault::new(
                "login",
                "须为 2–64 个字符，只含小写字母、数字和 . _ -，以字母开头",
                "takes 2 to 64 of a–z, 0–9, '.', '_', '-', a letter first",
            ));
        }
        faults.extend(name_fault(&self.name));
        if !faults.is_empty() {
            return Err(Error::Invalid(faults));
        }
        check_scope(self.role, self.scope)
    }
}

/// What is wrong with a name that is to be shown to colleagues.
pub(crate) fn name_fault(name: &str) -> Option<FieldFault> {
    let length = name.trim().chars().count();
    let sound = (1..=LONGEST_NAME).contains(&length) && !name.trim().chars().any(char::is_control);
    (!sound).then(|| FieldFault::new("name", "须为 1–64 个字符，不含换行", "takes 1 to 64 characters on one line"))
}

/// Refuses a role without its kind of scope.
pub(crate) fn check_scope(role: Role, scope: Scope) -> Result<(), Error> {
    if role.accepts(&scope) { Ok(()) } else { Err(Error::ScopeNotForRole { role, scope }) }
}

/// An account as it is stored.
pub(crate) struct Row {
    pub id: Uuid,
    pub login: String,
    pub name: String,
    pub role: String,
    pub scope: String,
    pub password_hash: String,
    pub credential_revision: i64,
    pub created_at: DateTime<Utc>,
    pub disabled_at: Option<DateTime<Utc>>,
}

impl Row {
    pub(crate) fn into_staff(self) -> Result<Staff, Error> {
        Ok(Staff {
            id: self.id.into(),
            login: self.login,
            name: self.name,
            role: self.role.parse().map_err(|_| Error::Stored { what: "staff.role" })?,
            scope: self.scope.parse().map_err(|_| Error::Stored { what: "staff.scope" })?,
            disabled_at: self.disabled_at,
            created_at: self.created_at,
        })
    }
}

/// The account with this login name.
pub(crate) async fn by_login(connection: &mut Connection, login: &str) -> Result<Option<Row>, Error> {
    Ok(sqlx::query_as!(Row, "select * from identity.staff where login = $1", login).fetch_optional(connection).await?)
}

/// The account with this id.
pub(crate) async fn by_id(connection: &mut Connection, id: StaffId) -> Result<Option<Row>, Error> {
    Ok(sqlx::query_as!(Row, "select * from identity.staff where id = $1", id.uuid()).fetch_optional(connection).await?)
}

/// All accounts, by login name.
pub(crate) async fn all(platform: &Platform) -> Result<Vec<Staff>, Error> {
    let rows = sqlx::query_as!(Row, "select * from identity.staff order by login").fetch_all(platform.database.pool()).await?;
    Ok(readable("staff", rows.into_iter().map(Row::into_staff)))
}

/// Makes an account; `None` if the login name is taken.
pub(crate) async fn insert(tx: &mut Tx, new: NewStaff, password_hash: &str, now: DateTime<Utc>) -> Result<Option<Staff>, Error> {
    let inserted = sqlx::query_as!(
        Row,
        "insert into identity.staff (id, login, name, role, scope, password_hash, created_at)
         values ($1, $2, $3, $4, $5, $6, $7) on conflict (login) do nothing returning *",
        StaffId::new().uuid(),
        new.login,
        new.name.trim(),
        new.role.as_ref(),
        new.scope.to_string(),
        password_hash,
        now,
    )
    .fetch_optional(&mut **tx)
    .await?;
    inserted.map(Row::into_staff).transpose()
}

/// Sets a password and ends the sessions that began under another; gives the new revision of the credentials.
pub(crate) async fn set_password(tx: &mut Tx, id: StaffId, password_hash: &str) -> Result<i64, Error> {
    sqlx::query_scalar!(
        "update identity.staff set password_hash = $2, credential_revision = credential_revision + 1
         where id = $1 returning credential_revision",
        id.uuid(),
        password_hash,
    )
    .fetch_optional(&mut **tx)
    .await?
    .ok_or(Error::NoSuchStaff(id))
}

/// Makes the first administrator, or gives a forgotten one a new password, from the command line. The schema must be
/// migrated. Returns the password, which is kept nowhere.
#[compiled_once]
pub async fn create_administrator(platform: &Platform, login: &str) -> Result<String, Error> {
    let new = NewStaff { login: login.to_owned(), name: login.to_owned(), role: Role::Administrator, scope: Scope::City };
    new.check()?;
    let (password, hash) = generated().await?;
    let mut tx = platform.database.begin().await?;
    let now = platform.clock.now();
    let (id, action) = match by_login(&mut tx, login).await? {
        None => {
            let staff = insert(&mut tx, new, &hash, now).await?.ok_or_else(|| Error::LoginTaken { login: login.to_owned() })?;
            (staff.id, "staff.create")
        }
        Some(row) if row.role == Role::Administrator.as_ref() => {
            let id = row.id.into();
            set_password(&mut tx, id, &hash).await?;
            sqlx::query!("update identity.staff set disabled_at = null where id = $1", row.id).execute(&mut *tx).await?;
            (id, "staff.reset_password")
        }
        Some(_) => return Err(Error::LoginTaken { login: login.to_owned() }),
    };
    tx.publish(SCHEMA, &from_command_line(action, id, now)).await?;
    tx.commit().await?;
    Ok(password.into_text())
}

/// Makes the account unless the login name exists: for demo cities and rehearsals. Returns the password of a new account.
#[compiled_once]
pub async fn ensure_staff(platform: &Platform, new: NewStaff) -> Result<Option<String>, Error> {
    new.check()?;
    if by_login(&mut platform.database.pool().acquire().await?, &new.login).await?.is_some() {
        return Ok(None);
    }
    let (password, hash) = generated().await?;
    let mut tx = platform.database.begin().await?;
    let now = platform.clock.now();
    let Some(staff) = insert(&mut tx, new, &hash, now).await? else { return Ok(None) };
    tx.publish(SCHEMA, &from_command_line("staff.create", staff.id, now)).await?;
    tx.commit().await?;
    Ok(Some(password.into_text()))
}

/// The account with this login name.
#[compiled_once]
pub async fn find(platform: &Platform, login: &str) -> Result<Option<StaffId>, Error> {
    Ok(by_login(&mut platform.database.pool().acquire().await?, login).await?.map(|row| row.id.into()))
}

async fn generated() -> Result<(Password, String), Error> {
    let password = Password::generate();
    let hash = Hasher::new().hash(password.clone()).await?;
    Ok((password, hash))
}

fn from_command_line(action: &str, staff: StaffId, now: DateTime<Utc>) -> AuditEntry {
    AuditEntry {
        entry_id: Uuid::now_v7().to_string(),
        actor_kind: "system".to_owned(),
        actor: "command-line".to_owned(),
        action: action.to_owned(),
        object_kind: "staff".to_owned(),
        object: staff.to_string(),
        at_ms: now.timestamp_millis(),
        detail_json: "{}".to_owned(),
        ..AuditEntry::default()
    }
}
