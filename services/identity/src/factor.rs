//! Second factors as they are stored: what an account has beside its password.

use chrono::{DateTime, Utc};
use domain::ids::{FactorId, StaffId};
use domain::second_factor::{FactorKind, MOST_FACTORS, ProofKind};
use platform::crypto::{Keyring, Purpose, Sealed};
use platform::database::{Connection, Tx};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{City, Error};

/// A factor as its owner sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = Factor)]
pub struct Factor {
    /// The factor.
    pub id: FactorId,
    /// What it is.
    pub kind: FactorKind,
    /// What its owner calls it.
    pub name: String,
    /// Since when it is.
    pub created_at: DateTime<Utc>,
    /// When it was shown last.
    pub last_used_at: Option<DateTime<Utc>>,
}

/// What stands sealed in a row. It names its owner: copied into another's row it opens nothing.
#[derive(Serialize, Deserialize)]
struct Kept {
    staff: StaffId,
    secret: Vec<u8>,
}

/// What a factor keeps, by its kind.
pub(crate) enum Secret {
    /// What an authenticator app shares with us.
    Totp(Vec<u8>),
    /// A passkey: its id, its public key, and what changes with its use.
    Passkey { id: Vec<u8>, credential: Vec<u8>, state: Vec<u8> },
    /// The fixed code of a demo.
    Demo(Vec<u8>),
}

impl Secret {
    const fn kind(&self) -> FactorKind {
        match self {
            Self::Totp(_) => FactorKind::Totp,
            Self::Passkey { .. } => FactorKind::Passkey,
            Self::Demo(_) => FactorKind::Demo,
        }
    }
}

/// Stores a factor that its owner has just shown to work.
pub(crate) async fn insert(
    tx: &mut Tx,
    keyring: &Keyring,
    staff: StaffId,
    name: &str,
    secret: Secret,
    last_step: Option<u64>,
    now: DateTime<Utc>,
) -> Result<Factor, Error> {
    let factor = Factor { id: FactorId::new(), kind: secret.kind(), name: name.trim().to_owned(), created_at: now, last_used_at: None };
    let (secret, credential_id, credential_state) = match secret {
        Secret::Totp(secret) | Secret::Demo(secret) => (secret, None, None),
        Secret::Passkey { id, credential, state } => (credential, Some(id), Some(state)),
    };
    let kept = serde_json::to_vec(&Kept { staff, secret }).map_err(|_| Error::Stored { what: "factor.sealed" })?;
    let inserted = sqlx::query!(
        "insert into identity.factor (id, staff_id, kind, name, sealed, last_step, credential_id, credential_state, created_at)
         select $1, $2, $3, $4, $5, $6, $7, $8, $9 where (select count(*) from identity.factor where staff_id = $2) < $10
         on conflict (credential_id) do nothing",
        factor.id.uuid(),
        staff.uuid(),
        factor.kind.as_ref(),
        factor.name,
        keyring.seal(Purpose::FactorSecret, &kept).into_bytes(),
        last_step.map(u64::cast_signed),
        credential_id,
        credential_state,
        now,
        MOST_FACTORS as i64,
    )
    .execute(&mut **tx)
    .await?
    .rows_affected();
    if inserted == 1 { Ok(factor) } else { Err(Error::TooManyFactors) }
}

/// The secret of a row, if it is this person's.
fn opened(keyring: &Keyring, staff: StaffId, sealed: Vec<u8>) -> Result<Vec<u8>, Error> {
    let plain = keyring.open(Purpose::FactorSecret, &Sealed::from_bytes(sealed)?)?;
    let kept: Kept = serde_json::from_slice(&plain).map_err(|_| Error::Stored { what: "factor.sealed" })?;
    if kept.staff == staff { Ok(kept.secret) } else { Err(Error::Stored { what: "factor.staff_id" }) }
}

/// An account's factors, the oldest first.
pub(crate) async fn of_staff(connection: &mut Connection, staff: StaffId) -> Result<Vec<Factor>, Error> {
    let rows = sqlx::query!(
        "select id, kind, name, created_at, last_used_at from identity.factor where staff_id = $1 order by created_at, id",
        staff.uuid(),
    )
    .fetch_all(connection)
    .await?;
    let factor = |kind: &str| kind.parse().map_err(|_| Error::Stored { what: "factor.kind" });
    rows.into_iter()
        .map(|row| {
            let kind = factor(&row.kind)?;
            Ok(Factor { id: row.id.into(), kind, name: row.name, created_at: row.created_at, last_used_at: row.last_used_at })
        })
        .collect()
}

/// With what an account can be proved in this city.
pub(crate) fn proofs(factors: &[Factor], recovery_codes: i64, city: City) -> Vec<ProofKind> {
    let mut kinds: Vec<ProofKind> =
        factors.iter().map(|factor| factor.kind).filter(|kind| city.takes(*kind)).map(ProofKind::from).collect();
    kinds.sort_unstable();
    kinds.dedup();
    if recovery_codes > 0 && !factors.is_empty() {
        kinds.push(ProofKind::RecoveryCode);
    }
    kinds
}

/// A factor that takes a code: an authenticator app, or the fixed code of a demo.
pub(crate) struct OfCodes {
    pub id: FactorId,
    pub kind: FactorKind,
    pub secret: Vec<u8>,
    pub last_step: Option<u64>,
}

/// An account's factors that take a code.
pub(crate) async fn of_codes(connection: &mut Connection, keyring: &Keyring, staff: StaffId) -> Result<Vec<OfCodes>, Error> {
    let rows = sqlx::query!(
        "select id, kind, sealed, last_step from identity.factor where staff_id = $1 and kind <> 'passkey' order by created_at, id",
        staff.uuid(),
    )
    .fetch_all(connection)
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok(OfCodes {
                id: row.id.into(),
                kind: row.kind.parse().map_err(|_| Error::Stored { what: "factor.kind" })?,
                secret: opened(keyring, staff, row.sealed)?,
                last_step: row.last_step.map(i64::cast_unsigned),
            })
        })
        .collect()
}

/// Notes that a code of this step was used; not where it, or a later one, was used meanwhile. A demo's code has no step.
pub(crate) async fn use_step(tx: &mut Tx, id: FactorId, step: Option<u64>, now: DateTime<Utc>) -> Result<bool, Error> {
    let used = sqlx::query!(
        "update identity.factor set last_step = coalesce($2, last_step), last_used_at = $3
          where id = $1 and ($2::bigint is null or last_step is null or last_step < $2)",
        id.uuid(),
        step.map(u64::cast_signed),
        now,
    )
    .execute(&mut **tx)
    .await?
    .rows_affected();
    Ok(used == 1)
}

/// A passkey that somebody presents.
pub(crate) struct OfPasskey {
    pub id: FactorId,
    pub credential: Vec<u8>,
    pub state: Vec<u8>,
}

/// The passkey of this account with this id.
pub(crate) async fn of_passkey(
    connection: &mut Connection,
    keyring: &Keyring,
    staff: StaffId,
    credential_id: &[u8],
) -> Result<Option<OfPasskey>, Error> {
    let row = sqlx::query!(
        "select id, sealed, credential_state from identity.factor where credential_id = $1 and staff_id = $2 and kind = 'passkey'",
        credential_id,
        staff.uuid(),
    )
    .fetch_optional(connection)
    .await?;
    row.map(|row| {
        let state = row.credential_state.ok_or(Error::Stored { what: "factor.credential_state" })?;
        Ok(OfPasskey { id: row.id.into(), credential: opened(keyring, staff, row.sealed)?, state })
    })
    .transpose()
}

/// Notes the use of a passkey whose state was `was`; not where it was used meanwhile: a counter goes one way.
pub(crate) async fn use_passkey(tx: &mut Tx, id: FactorId, was: &[u8], state: &[u8], now: DateTime<Utc>) -> Result<bool, Error> {
    let used = sqlx::query!(
        "update identity.factor set credential_state = $3, last_used_at = $4 where id = $1 and credential_state = $2",
        id.uuid(),
        was,
        state,
        now,
    )
    .execute(&mut **tx)
    .await?
    .rows_affected();
    Ok(used == 1)
}

/// The ids of an account's passkeys, so that no authenticator makes a second one for it.
pub(crate) async fn credential_ids(connection: &mut Connection, staff: StaffId) -> Result<Vec<Vec<u8>>, Error> {
    let ids = sqlx::query_scalar!(
        r#"select credential_id as "id!" from identity.factor where staff_id = $1 and credential_id is not null"#,
        staff.uuid(),
    )
    .fetch_all(connection)
    .await?;
    Ok(ids)
}

/// Gives a factor another name. Whether there is one.
pub(crate) async fn rename(tx: &mut Tx, staff: StaffId, id: FactorId, name: &str) -> Result<bool, Error> {
    let renamed =
        sqlx::query!("update identity.factor set name = $3 where id = $1 and staff_id = $2", id.uuid(), staff.uuid(), name.trim())
            .execute(&mut **tx)
            .await?
            .rows_affected();
    Ok(renamed == 1)
}

/// Removes a factor.
pub(crate) async fn remove(tx: &mut Tx, staff: StaffId, id: FactorId) -> Result<(), Error> {
    sqlx::query!("delete from identity.factor where id = $1 and staff_id = $2", id.uuid(), staff.uuid()).execute(&mut **tx).await?;
    Ok(())
}

/// Takes all factors, recovery codes, known devices and networks away: the owner begins anew.
pub(crate) async fn remove_all(tx: &mut Tx, staff: StaffId) -> Result<(), Error> {
    sqlx::query!(
        "with codes as (delete from identity.recovery_code where staff_id = $1),
              devices as (delete from identity.known_device where staff_id = $1),
              networks as (delete from identity.known_network where staff_id = $1)
         delete from identity.factor where staff_id = $1",
        staff.uuid(),
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// What administrators see of somebody's factors.
pub(crate) struct Enrolled {
    pub staff: StaffId,
    pub kinds: Vec<FactorKind>,
    pub newest_at: DateTime<Utc>,
    /// When the first was enrolled on a password alone, if it was; that one may be gone since.
    pub on_password_at: Option<DateTime<Utc>>,
}

/// The factors of all accounts that have any.
pub(crate) async fn of_everybody(connection: &mut Connection) -> Result<Vec<Enrolled>, Error> {
    let rows = sqlx::query!(
        r#"select s.id as staff_id, array_agg(distinct f.kind order by f.kind) as "kinds!", max(f.created_at) as "newest_at!",
                  s.enrolled_on_password_at as on_password_at
             from identity.staff s join identity.factor f on f.staff_id = s.id group by s.id"#
    )
    .fetch_all(connection)
    .await?;
    rows.into_iter()
        .map(|row| {
            let kinds = row.kinds.iter().map(|kind| kind.parse().map_err(|_| Error::Stored { what: "factor.kind" }));
            let kinds = kinds.collect::<Result<_, Error>>()?;
            Ok(Enrolled { staff: row.staff_id.into(), kinds, newest_at: row.newest_at, on_password_at: row.on_password_at })
        })
        .collect()
}
