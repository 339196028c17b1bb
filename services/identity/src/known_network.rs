//! Networks from which somebody has signed in with both factors. What strangers do in their name from elsewhere takes nothing from them there.

use chrono::{DateTime, Utc};
use domain::ids::StaffId;
use domain::network::Network;
use platform::database::{Connection, Tx};

use crate::Error;
use crate::device::KNOWN_FOR;

/// So many of one account, those that were used last.
const MOST: i64 = 20;

/// Notes that somebody has signed in with both factors from here.
pub(crate) async fn note(tx: &mut Tx, staff: StaffId, network: Network, now: DateTime<Utc>) -> Result<(), Error> {
    sqlx::query!(
        "insert into identity.known_network (staff_id, network, used_at) values ($1, $2, $3)
         on conflict (staff_id, network) do update set used_at = greatest(known_network.used_at, excluded.used_at)",
        staff.uuid(),
        network.widest(),
        now,
    )
    .execute(&mut **tx)
    .await?;
    sqlx::query!(
        "delete from identity.known_network where staff_id = $1 and (used_at <= $2 or network not in
             (select network from identity.known_network where staff_id = $1 order by used_at desc limit $3))",
        staff.uuid(),
        now - KNOWN_FOR,
        MOST,
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Whether the owner of the account with this login name has signed in from there.
pub(crate) async fn is_known(connection: &mut Connection, login: &str, network: Network, now: DateTime<Utc>) -> Result<bool, Error> {
    let known = sqlx::query_scalar!(
        r#"select exists (select from identity.known_network n join identity.staff s on s.id = n.staff_id
                           where s.login = $1 and n.network = $2 and n.used_at > $3) as "known!""#,
        login,
        network.widest(),
        now - KNOWN_FOR,
    )
    .fetch_one(connection)
    .await?;
    Ok(known)
}

/// The same where the account is known already.
pub(crate) async fn is_of(connection: &mut Connection, staff: StaffId, network: Network, now: DateTime<Utc>) -> Result<bool, Error> {
    let known = sqlx::query_scalar!(
        r#"select exists (select from identity.known_network where staff_id = $1 and network = $2 and used_at > $3) as "known!""#,
        staff.uuid(),
        network.widest(),
        now - KNOWN_FOR,
    )
    .fetch_one(connection)
    .await?;
    Ok(known)
}
