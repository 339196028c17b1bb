//! Whoever lost their phone number to somebody else and began anew is another resident here. Who proves the document that was theirs is the same person:
//! what stands against them comes along, and so does what stood, with every way out of it.

use platform::database::Tx;

use crate::Error;

/// Takes along what stands against whom this document was proved for last, if that number is nobody's any more.
pub(crate) async fn come(tx: &mut Tx, document: &[u8; 32], stored: i32) -> Result<(), Error> {
    sqlx::query!(
        "update resident.standing s set resident_no = now.resident_no, district = now.district, community = now.community
           from resident.resident now
          where now.resident_no = $2 and s.resident_no in (
                select b.resident_no from resident.binding b join resident.resident former using (resident_no)
                 where b.identity_hash = $1 and former.phone_hash is null and b.resident_no <> $2
                   and not exists (select from resident.binding later where later.resident_no = b.resident_no and later.binding_id > b.binding_id))",
        &document[..],
        stored
    )
    .execute(&mut **tx)
    .await
    .map_err(Error::database("taking along what stands against a person"))?;
    Ok(())
}
