//! Recovery codes: for whoever has lost their phone, ten that are good once each. Only keyed hashes of them are kept.

use domain::ids::StaffId;
use domain::second_factor::RECOVERY_CODES;
use platform::crypto::{Keyring, Purpose};
use platform::database::{Connection, Tx};

use crate::Error;

/// Characters of codes that people type: none that is taken for another.
const LETTERS: &[u8] = b"abcdefghjkmnpqrstuvwxyz23456789";
/// Three groups of five characters, 74 bits: nobody guesses one.
const GROUPS: usize = 3;
const GROUP: usize = 5;

/// Makes fresh ones; those that were there are void. They are shown once.
pub(crate) async fn renew(tx: &mut Tx, keyring: &Keyring, staff: StaffId) -> Result<Vec<String>, Error> {
    let letter = || char::from(LETTERS[rand::random_range(..LETTERS.len())]);
    let code = || (0..GROUPS).map(|_| (0..GROUP).map(|_| letter()).collect::<String>()).collect::<Vec<_>>().join("-");
    let codes: Vec<String> = (0..RECOVERY_CODES).map(|_| code()).collect();
    let hashes: Vec<Vec<u8>> = codes.iter().map(|code| hash(keyring, staff, code)).collect();
    sqlx::query!("delete from identity.recovery_code where staff_id = $1", staff.uuid()).execute(&mut **tx).await?;
    sqlx::query!(
        "insert into identity.recovery_code (staff_id, code_hash) select $1, code_hash from unnest($2::bytea[]) as codes (code_hash)",
        staff.uuid(),
        &hashes,
    )
    .execute(&mut **tx)
    .await?;
    Ok(codes)
}

/// Uses a code up. Whether it was one of this account's.
pub(crate) async fn use_up(tx: &mut Tx, keyring: &Keyring, staff: StaffId, code: &str) -> Result<bool, Error> {
    let used = sqlx::query!(
        "delete from identity.recovery_code where staff_id = $1 and code_hash = $2",
        staff.uuid(),
        hash(keyring, staff, code),
    )
    .execute(&mut **tx)
    .await?
    .rows_affected();
    Ok(used == 1)
}

/// How many an account has left.
pub(crate) async fn left(connection: &mut Connection, staff: StaffId) -> Result<i64, Error> {
    let left = sqlx::query_scalar!(r#"select count(*) as "left!" from identity.recovery_code where staff_id = $1"#, staff.uuid())
        .fetch_one(connection)
        .await?;
    Ok(left)
}

/// Voids all of them.
pub(crate) async fn remove(tx: &mut Tx, staff: StaffId) -> Result<(), Error> {
    sqlx::query!("delete from identity.recovery_code where staff_id = $1", staff.uuid()).execute(&mut **tx).await?;
    Ok(())
}

/// As people type it: in any case, with or without what stands between the groups.
fn hash(keyring: &Keyring, staff: StaffId, code: &str) -> Vec<u8> {
    let typed = code.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase());
    let told: String = format!("{staff}:").chars().chain(typed.take(2 * GROUPS * GROUP)).collect();
    keyring.hash(Purpose::RecoveryCode, told.as_bytes()).to_vec()
}
