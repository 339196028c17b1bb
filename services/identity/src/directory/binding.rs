//! Which account is bound to whom in the directory.

use chrono::{DateTime, Utc};
use domain::directory::SubjectIdentifier;
use domain::ids::StaffId;
use platform::database::{Connection, Tx};
use serde::Serialize;
use utoipa::ToSchema;

use crate::Error;
use crate::account;

/// The account that is bound to this subject of this directory.
pub(crate) async fn account_of(
    connection: &mut Connection,
    issuer: &str,
    subject: &SubjectIdentifier,
) -> Result<Option<account::Row>, Error> {
    Ok(sqlx::query_as!(
        account::Row,
        "select s.id, s.login, s.name, s.role, s.scope, s.password_hash, s.credential_revision, s.created_at, s.disabled_at, s.acts_from
           from identity.directory_subject d join identity.staff s on s.id = d.staff_id where d.issuer = $1 and d.subject = $2",
        issuer,
        subject.as_str(),
    )
    .fetch_optional(connection)
    .await?)
}

/// Binds an account, which is locked, in the place of whoever it was bound to.
pub(crate) async fn bind(tx: &mut Tx, staff: StaffId, issuer: &str, subject: &SubjectIdentifier, now: DateTime<Utc>) -> Result<(), Error> {
    let bound = sqlx::query!(
        "insert into identity.directory_subject (staff_id, issuer, subject, bound_at) values ($1, $2, $3, $4)
         on conflict do nothing",
        staff.uuid(),
        issuer,
        subject.as_str(),
        now,
    )
    .execute(&mut **tx)
    .await?;
    if bound.rows_affected() == 0 {
        return Err(Error::SubjectTaken);
    }
    sqlx::query!("delete from identity.directory_arrival where issuer = $1 and subject = $2", issuer, subject.as_str())
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// Takes the way in by the directory from an account. Whether there was one.
pub(crate) async fn unbind(tx: &mut Tx, staff: StaffId) -> Result<bool, Error> {
    let unbound = sqlx::query!("delete from identity.directory_subject where staff_id = $1", staff.uuid()).execute(&mut **tx).await?;
    Ok(unbound.rows_affected() > 0)
}

/// An account that is bound to somebody in a directory.
#[derive(Serialize, ToSchema)]
#[schema(as = BoundAccount)]
pub(crate) struct Bound {
    /// The account.
    staff_id: StaffId,
    /// In which directory. One that is not the city's any more lets nobody in, until it is set again.
    issuer: String,
    /// Since when.
    bound_at: DateTime<Utc>,
}

/// The accounts that are bound, to this directory or to another that was set before.
pub(crate) async fn of_everybody(connection: &mut Connection) -> Result<Vec<Bound>, Error> {
    let rows = sqlx::query!("select staff_id, issuer, bound_at from identity.directory_subject").fetch_all(connection).await?;
    Ok(rows.into_iter().map(|row| Bound { staff_id: row.staff_id.into(), issuer: row.issuer, bound_at: row.bound_at }).collect())
}
