//! Accounts of staff.

use chrono::{DateTime, TimeDelta, Utc};
use domain::ids::StaffId;
use domain::second_person::{Left, Post, StaffMember, Stood};
use domain::staff::{Role, Scope};
use platform::Platform;
use platform::compiled_once;
use platform::database::{Connection, Tx, readable};
use platform::http::FieldFault;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::directory::binding;
use crate::proposal::Standing;
use crate::token::TokenHash;
use crate::{Error, factor};

const LONGEST_LOGIN: usize = 64;
const LONGEST_NAME: usize = 64;
/// An account that waits does so for at least this long after its owner has set a password.
const WATCHED: TimeDelta = TimeDelta::hours(4);

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
    /// From when on it may approve, confirm and send, if it had to wait.
    pub acts_from: Option<DateTime<Utc>>,
    /// Whether its owner has yet to set a password with the code.
    pub awaits_owner: bool,
}

impl Staff {
    pub(crate) const fn post(&self) -> Post {
        Post { role: self.role, scope: self.scope }
    }

    pub(crate) const fn member(&self) -> StaffMember {
        StaffMember { id: self.id, role: self.role, active: self.disabled_at.is_none(), acts_from: self.acts_from }
    }
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
    pub password_hash: Option<String>,
    pub credential_revision: i64,
    pub created_at: DateTime<Utc>,
    pub disabled_at: Option<DateTime<Utc>>,
    pub acts_from: Option<DateTime<Utc>>,
}

/// What somebody is, and where, as it is stored.
fn post(role: &str, scope: &str) -> Result<Post, Error> {
    Ok(Post {
        role: role.parse().map_err(|_| Error::Stored { what: "staff.role" })?,
        scope: scope.parse().map_err(|_| Error::Stored { what: "staff.scope" })?,
    })
}

impl Row {
    /// How the account stands, for a proposal about it.
    pub(crate) fn stood(&self) -> Result<Stood, Error> {
        Ok(Stood {
            post: post(&self.role, &self.scope)?,
            disabled_at: self.disabled_at,
            acts_from: self.acts_from,
            credential_revision: self.credential_revision,
        })
    }

    pub(crate) fn into_staff(self) -> Result<Staff, Error> {
        let Post { role, scope } = post(&self.role, &self.scope)?;
        Ok(Staff {
            id: self.id.into(),
            login: self.login,
            name: self.name,
            role,
            scope,
            disabled_at: self.disabled_at,
            created_at: self.created_at,
            acts_from: self.acts_from,
            awaits_owner: self.password_hash.is_none(),
        })
    }
}

/// The account with this login name.
pub(crate) async fn by_login(connection: &mut Connection, login: &str) -> Result<Option<Row>, Error> {
    Ok(sqlx::query_as!(Row, "select id, login, name, role, scope, password_hash, credential_revision, created_at, disabled_at, acts_from from identity.staff where login = $1", login).fetch_optional(connection).await?)
}

/// The account with this id.
pub(crate) async fn by_id(connection: &mut Connection, id: StaffId) -> Result<Option<Row>, Error> {
    Ok(sqlx::query_as!(Row, "select id, login, name, role, scope, password_hash, credential_revision, created_at, disabled_at, acts_from from identity.staff where id = $1", id.uuid()).fetch_optional(connection).await?)
}

/// An account as a session finds it.
pub(crate) struct Seen {
    pub staff: Staff,
    /// Of its credentials; a session from before the latest change is over.
    pub credential_revision: i64,
    /// Whether it has a second factor.
    pub has_factor: bool,
    /// Of an account from before there were second factors: until then it works without one.
    pub enrol_by: Option<DateTime<Utc>>,
}

/// When its first factor was enrolled on a password alone, if it was.
pub(crate) async fn enrolled_on_password_at(connection: &mut Connection, id: StaffId) -> Result<Option<DateTime<Utc>>, Error> {
    let at = sqlx::query_scalar!("select enrolled_on_password_at from identity.staff where id = $1", id.uuid());
    Ok(at.fetch_optional(connection).await?.flatten())
}

/// Notes that its first factor was enrolled on a password alone.
pub(crate) async fn note_enrolled_on_password(tx: &mut Tx, id: StaffId, now: DateTime<Utc>) -> Result<(), Error> {
    sqlx::query!("update identity.staff set enrolled_on_password_at = $2 where id = $1", id.uuid(), now).execute(&mut **tx).await?;
    Ok(())
}

/// The account with this id, as a session of it finds it: by the view that every process may read.
pub(crate) async fn seen_by_id(connection: &mut Connection, id: StaffId) -> Result<Option<Seen>, Error> {
    let row = sqlx::query!(
        r#"select login as "login!", name as "name!", role as "role!", scope as "scope!", credential_revision as "credential_revision!",
                  created_at as "created_at!", disabled_at, acts_from, awaits_owner as "awaits_owner!", has_factor as "has_factor!", enrol_by
             from identity.account_in_session where id = $1"#,
        id.uuid(),
    )
    .fetch_optional(connection)
    .await?;
    row.map(|row| {
        let Post { role, scope } = post(&row.role, &row.scope)?;
        Ok(Seen {
            staff: Staff {
                id,
                login: row.login,
                name: row.name,
                role,
                scope,
                disabled_at: row.disabled_at,
                created_at: row.created_at,
                acts_from: row.acts_from,
                awaits_owner: row.awaits_owner,
            },
            credential_revision: row.credential_revision,
            has_factor: row.has_factor,
            enrol_by: row.enrol_by,
        })
    })
    .transpose()
}

/// All accounts, by login name.
pub(crate) async fn all(platform: &Platform) -> Result<Vec<Staff>, Error> {
    let rows = sqlx::query_as!(Row, "select id, login, name, role, scope, password_hash, credential_revision, created_at, disabled_at, acts_from from identity.staff order by login").fetch_all(platform.database.pool()).await?;
    Ok(readable("staff", rows.into_iter().map(Row::into_staff)))
}

/// How an account begins.
#[derive(Clone, Copy)]
pub(crate) enum Beginning<'a> {
    /// Its owner sets a password with this code.
    Code(Activation),
    /// With a password that was made for it: only where nobody is real.
    Password(&'a str),
}

/// A code by its hash, and until when it is good.
#[derive(Clone, Copy)]
pub(crate) struct Activation {
    pub code: TokenHash,
    pub expires_at: DateTime<Utc>,
}

/// Makes an account; `None` if the login name is taken.
pub(crate) async fn insert(
    tx: &mut Tx,
    new: &NewStaff,
    beginning: Beginning<'_>,
    acts_from: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
) -> Result<Option<Staff>, Error> {
    let (password_hash, activation) = match beginning {
        Beginning::Code(activation) => (None, Some(activation)),
        Beginning::Password(hash) => (Some(hash), None),
    };
    let inserted = sqlx::query_as!(
        Row,
        "insert into identity.staff (id, login, name, role, scope, password_hash, created_at, acts_from)
         values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict (login) do nothing
         returning id, login, name, role, scope, password_hash, credential_revision, created_at, disabled_at, acts_from",
        StaffId::new().uuid(),
        new.login,
        new.name.trim(),
        new.role.as_ref(),
        new.scope.to_string(),
        password_hash,
        now,
        acts_from,
    )
    .fetch_optional(&mut **tx)
    .await?;
    let Some(staff) = inserted.map(Row::into_staff).transpose()? else { return Ok(None) };
    if let Some(activation) = activation {
        expect_owner(tx, staff.id, activation).await?;
    }
    Ok(Some(staff))
}

/// The account, held until the transaction ends.
pub(crate) async fn lock(tx: &mut Tx, id: StaffId) -> Result<Staff, Error> {
    lock_row(tx, id).await?.into_staff()
}

/// The same, as it is stored.
pub(crate) async fn lock_row(tx: &mut Tx, id: StaffId) -> Result<Row, Error> {
    sqlx::query_as!(Row, "select id, login, name, role, scope, password_hash, credential_revision, created_at, disabled_at, acts_from from identity.staff where id = $1 for update", id.uuid())
        .fetch_optional(&mut **tx)
        .await?
        .ok_or(Error::NoSuchStaff(id))
}

/// Disables an account and voids a code for it. The revision ends the sessions for good, and what its owner had beside the password goes: neither
/// must come back when it is enabled again, since whoever had taken it over may have enrolled them.
pub(crate) async fn disable(tx: &mut Tx, id: StaffId, now: DateTime<Utc>) -> Result<(), Error> {
    sqlx::query!(
        "with void as (delete from identity.activation where staff_id = $1)
         update identity.staff set disabled_at = coalesce(disabled_at, $2), credential_revision = credential_revision + 1, from_before = false,
                enrolled_on_password_at = null
          where id = $1",
        id.uuid(),
        now,
    )
    .execute(&mut **tx)
    .await?;
    binding::unbind(tx, id).await?;
    factor::remove_all(tx, id).await
}

/// Who would still act without this account; the staff is held until the transaction ends, since two who disable at once would each leave enough.
pub(crate) async fn left_without(tx: &mut Tx, id: StaffId, by: StaffId, now: DateTime<Utc>) -> Result<Left, Error> {
    sqlx::query!("lock table identity.staff in share row exclusive mode").execute(&mut **tx).await?;
    Ok(sqlx::query_as!(
        Left,
        r#"select count(*) filter (where role = $3 and id <> $4) as "administrators!", count(*) filter (where role = $5) as "officers!"
             from identity.staff
            where id <> $1 and disabled_at is null and password_hash is not null and (acts_from is null or acts_from <= $2)"#,
        id.uuid(),
        now,
        Role::Administrator.as_ref(),
        by.uuid(),
        Role::CityCommandOfficer.as_ref(),
    )
    .fetch_one(&mut **tx)
    .await?)
}

/// Notes that this administrator has stopped somebody who may object to what they propose.
pub(crate) async fn note_silencing(tx: &mut Tx, by: StaffId, now: DateTime<Utc>) -> Result<(), Error> {
    sqlx::query!("update identity.staff set silenced_at = $2 where id = $1", by.uuid(), now).execute(&mut **tx).await?;
    Ok(())
}

/// Gives an account another name, role or scope, and has it wait where it must.
pub(crate) async fn alter(tx: &mut Tx, id: StaffId, to: &Standing, acts_from: Option<DateTime<Utc>>) -> Result<(), Error> {
    sqlx::query!(
        "update identity.staff set name = $2, role = $3, scope = $4, acts_from = coalesce($5, acts_from) where id = $1",
        id.uuid(),
        to.name,
        to.role.as_ref(),
        to.scope.to_string(),
        acts_from,
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Has an account wait before it uses its power, where it must.
pub(crate) async fn wait(tx: &mut Tx, id: StaffId, acts_from: Option<DateTime<Utc>>) -> Result<(), Error> {
    sqlx::query!("update identity.staff set acts_from = coalesce($2, acts_from) where id = $1", id.uuid(), acts_from)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// The one code with which the owner sets their password; one that was given before is void.
async fn expect_owner(tx: &mut Tx, id: StaffId, activation: Activation) -> Result<(), Error> {
    sqlx::query!(
        "insert into identity.activation (staff_id, code_hash, expires_at) values ($1, $2, $3)
         on conflict (staff_id) do update set code_hash = excluded.code_hash, expires_at = excluded.expires_at",
        id.uuid(),
        activation.code.bytes(),
        activation.expires_at,
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Takes the password, the way in by the directory, the second factors and the known devices away and ends the sessions: the owner sets a new password with this code, and
/// enrols a factor.
pub(crate) async fn begin_anew(tx: &mut Tx, id: StaffId, activation: Activation, acts_from: Option<DateTime<Utc>>) -> Result<(), Error> {
    sqlx::query!(
        "update identity.staff set password_hash = null, credential_revision = credential_revision + 1, acts_from = coalesce($2, acts_from),
                from_before = false, enrolled_on_password_at = null
         where id = $1",
        id.uuid(),
        acts_from,
    )
    .execute(&mut **tx)
    .await?;
    binding::unbind(tx, id).await?;
    factor::remove_all(tx, id).await?;
    expect_owner(tx, id, activation).await
}

/// Sets the password that the owner chose with this code; none where the code is not this account's, or void. A code is good once. An account
/// that waits does so for a while from now on, however long the code lay about: else there was nobody yet whom anybody could have noticed.
pub(crate) async fn activate(
    tx: &mut Tx,
    login: &str,
    code: TokenHash,
    password_hash: &str,
    now: DateTime<Utc>,
) -> Result<Option<Row>, Error> {
    Ok(sqlx::query_as!(
        Row,
        "with used as (
             delete from identity.activation a using identity.staff s
              where a.staff_id = s.id and s.login = $1 and a.code_hash = $2 and a.expires_at > $4 and s.disabled_at is null
             returning a.staff_id
         )
         update identity.staff s set password_hash = $3, credential_revision = credential_revision + 1, from_before = false,
                acts_from = case when s.acts_from is null then null else greatest(s.acts_from, $5) end
           from used where s.id = used.staff_id
         returning s.id, s.login, s.name, s.role, s.scope, s.password_hash, s.credential_revision, s.created_at, s.disabled_at, s.acts_from",
        login,
        code.bytes(),
        password_hash,
        now,
        now + WATCHED,
    )
    .fetch_optional(&mut **tx)
    .await?)
}

/// Ends all sessions of an account for good.
pub(crate) async fn end_sessions(tx: &mut Tx, id: StaffId) -> Result<(), Error> {
    sqlx::query!("update identity.staff set credential_revision = credential_revision + 1 where id = $1", id.uuid())
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// Ends the sessions of an account for one of them, which began under this revision of its credentials and lives; gives the new revision.
pub(crate) async fn end_other_sessions(tx: &mut Tx, id: StaffId, revision: i64) -> Result<i64, Error> {
    sqlx::query_scalar!(
        "update identity.staff set credential_revision = credential_revision + 1
         where id = $1 and credential_revision = $2 and disabled_at is null returning credential_revision",
        id.uuid(),
        revision,
    )
    .fetch_optional(&mut **tx)
    .await?
    .ok_or(Error::SessionOver)
}

/// Sets a password for a session that began under this revision of the credentials and lives, and ends the others; gives the new revision.
pub(crate) async fn set_password(tx: &mut Tx, id: StaffId, password_hash: &str, revision: i64) -> Result<i64, Error> {
    sqlx::query_scalar!(
        "update identity.staff set password_hash = $2, credential_revision = credential_revision + 1
         where id = $1 and credential_revision = $3 and disabled_at is null returning credential_revision",
        id.uuid(),
        password_hash,
        revision,
    )
    .fetch_optional(&mut **tx)
    .await?
    .ok_or(Error::SessionOver)
}

/// The account with this login name.
#[compiled_once]
pub async fn find(platform: &Platform, login: &str) -> Result<Option<StaffId>, Error> {
    Ok(by_login(&mut platform.database.pool().acquire().await?, login).await?.map(|row| row.id.into()))
}
