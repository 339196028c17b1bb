//! Known devices: browsers in which somebody has signed in with both factors. At the door they get their turn whoever else knocks in their
//! owner's name. They open nothing by themselves.
//!
//! A browser has one token, whoever signs in there: the console of a duty room is known for each of its officers.

use chrono::{DateTime, TimeDelta, Utc};
use domain::ids::StaffId;
use platform::database::{Connection, Tx};

use crate::Error;
use crate::token::{DEVICE, Token, TokenHash};

/// Cookie that carries the token of a known device.
pub const DEVICE_COOKIE: &str = "fenghuo_device";
/// What was not used for so long is forgotten.
pub(crate) const KNOWN_FOR: TimeDelta = TimeDelta::days(90);
/// So many of one account, those that were used last.
const MOST: i64 = 10;

/// Makes a device known for this account, under the token that it has for others or a fresh one; the account's oldest are forgotten.
pub(crate) async fn remember(tx: &mut Tx, staff: StaffId, presented: Option<Token>, now: DateTime<Utc>) -> Result<Token, Error> {
    let token = match presented {
        // only what was given out here: nobody else chooses a browser's token
        Some(token) if is_given_out(tx, &token.hash(), now).await? => token,
        _ => Token::generate(DEVICE),
    };
    let hash = token.hash();
    sqlx::query!(
        "insert into identity.known_device (token_hash, staff_id, since, used_at) values ($1, $2, $3, $3)
         on conflict (token_hash, staff_id) do update set since = excluded.since, used_at = excluded.used_at",
        hash.bytes(),
        staff.uuid(),
        now,
    )
    .execute(&mut **tx)
    .await?;
    sqlx::query!(
        "delete from identity.known_device where staff_id = $1 and (used_at <= $2 or token_hash not in
             (select token_hash from identity.known_device where staff_id = $1 order by used_at desc, since desc limit $3))",
        staff.uuid(),
        now - KNOWN_FOR,
        MOST,
    )
    .execute(&mut **tx)
    .await?;
    Ok(token)
}

/// Whether this token was given to some browser, and used lately.
pub(crate) async fn is_given_out(connection: &mut Connection, token: &TokenHash, now: DateTime<Utc>) -> Result<bool, Error> {
    let given_out = sqlx::query_scalar!(
        r#"select exists (select from identity.known_device where token_hash = $1 and used_at > $2) as "given_out!""#,
        token.bytes(),
        now - KNOWN_FOR,
    )
    .fetch_one(connection)
    .await?;
    Ok(given_out)
}

/// Whether this is a known device of this account.
pub(crate) async fn is_known(connection: &mut Connection, login: &str, token: &TokenHash, now: DateTime<Utc>) -> Result<bool, Error> {
    let known = sqlx::query_scalar!(
        r#"select exists (select from identity.known_device d join identity.staff s on s.id = d.staff_id
                           where d.token_hash = $1 and s.login = $2 and d.used_at > $3) as "known!""#,
        token.bytes(),
        login,
        now - KNOWN_FOR,
    )
    .fetch_one(connection)
    .await?;
    Ok(known)
}

/// The same where the account is known already.
pub(crate) async fn is_of(connection: &mut Connection, staff: StaffId, token: &TokenHash, now: DateTime<Utc>) -> Result<bool, Error> {
    let known = sqlx::query_scalar!(
        r#"select exists (select from identity.known_device where token_hash = $1 and staff_id = $2 and used_at > $3) as "known!""#,
        token.bytes(),
        staff.uuid(),
        now - KNOWN_FOR,
    )
    .fetch_one(connection)
    .await?;
    Ok(known)
}

/// Notes that a known device of this account was used. Whether it is one.
pub(crate) async fn note_use(tx: &mut Tx, staff: StaffId, token: &TokenHash, now: DateTime<Utc>) -> Result<bool, Error> {
    let known = sqlx::query!(
        "update identity.known_device set used_at = $3 where token_hash = $1 and staff_id = $2 and used_at > $4",
        token.bytes(),
        staff.uuid(),
        now,
        now - KNOWN_FOR,
    )
    .execute(&mut **tx)
    .await?
    .rows_affected();
    Ok(known == 1)
}

/// How many an account has.
pub(crate) async fn count(connection: &mut Connection, staff: StaffId, now: DateTime<Utc>) -> Result<i64, Error> {
    let count = sqlx::query_scalar!(
        r#"select count(*) as "count!" from identity.known_device where staff_id = $1 and used_at > $2"#,
        staff.uuid(),
        now - KNOWN_FOR,
    )
    .fetch_one(connection)
    .await?;
    Ok(count)
}

/// Forgets all of an account's.
pub(crate) async fn forget(tx: &mut Tx, staff: StaffId) -> Result<(), Error> {
    sqlx::query!("delete from identity.known_device where staff_id = $1", staff.uuid()).execute(&mut **tx).await?;
    Ok(())
}
