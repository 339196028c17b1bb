//! Records that waited for a person are matched when the person registers, and told to rules under a load of their own.

use domain::ids::LoadId;
use platform::{BoxError, Platform};
use proto::ResidentRegistered;
use proto::topology::INGEST_REGISTRATIONS;
use uuid::Uuid;

use crate::Error;
use crate::store::{self, MATCHING_LOCK};

/// Under which sender the loads of registrations stand.
const SOURCE: &str = "registration";

pub(crate) fn subscribe(platform: &Platform) -> Result<(), Error> {
    let own = platform.clone();
    platform.bus.subscribe(&INGEST_REGISTRATIONS, 2, move |event: ResidentRegistered| {
        let platform = own.clone();
        async move { registered(&platform, &event).await.map_err(BoxError::from) }
    })?;
    Ok(())
}

/// Gives the person the records that waited for them. A second time there are none left.
async fn registered(platform: &Platform, event: &ResidentRegistered) -> Result<(), Error> {
    let number = i32::try_from(event.resident_no).map_err(|_| Error::Stored { what: "number of a resident" })?;
    let hashes: Vec<&[u8]> = [Some(&event.phone_hash), event.identity_hash.as_ref()]
        .into_iter()
        .flatten()
        .filter(|hash| hash.len() == 32)
        .map(Vec::as_slice)
        .collect();
    let (load, chunk, now) = (LoadId::new(), Uuid::now_v7(), platform.clock.now());
    let mut tx = platform.database.begin().await?;
    // waits for the chunks that did not yet see this person, and lets none begin before this is done
    sqlx::query!("select pg_advisory_xact_lock($1)", MATCHING_LOCK)
        .execute(&mut *tx)
        .await
        .map_err(Error::database("waiting for chunks being stored"))?;
    let matched = sqlx::query_scalar!(
        r#"with matched as (
               update ingest.record set
                   resident_no = person.resident_no,
                   subject_hash = null,
                   -- the home makes the place more exact only within the district that was said
                   community = case
                       when record.community is null and record.district = person.district
                           and coalesce(record.township, person.township) = person.township then person.community
                       else record.community end,
                   township = case
                       when record.district = person.district then coalesce(record.township, person.township)
                       else record.township end
               from resident.subject person
               where person.resident_no = $1 and record.resident_no is null and record.subject_hash = any($2)
                 -- what was told may be over: a number or document that went on since is not theirs
                 and record.subject_hash in (person.phone_hash, person.identity_hash)
                 and record.retracted_at is null
               returning record.source, record.source_id)
           , kept as (insert into ingest.matched (chunk_id, source, source_id) select $3, source, source_id from matched)
           select count(*) as "count!" from matched"#,
        number,
        &hashes as &[&[u8]],
        chunk
    )
    .fetch_one(&mut *tx)
    .await
    .map_err(Error::database("matching the records of a registered person"))?;
    if matched == 0 {
        return Ok(tx.rollback().await?);
    }
    sqlx::query!(
        "insert into ingest.load (load_id, source, format, received_at, finished_at, ending, accepted)
         values ($1, $2, 'registration', $3, $3, 'complete', $4)",
        load.uuid(),
        SOURCE,
        now,
        matched
    )
    .execute(&mut *tx)
    .await
    .map_err(Error::database("noting the load of a registration"))?;
    store::tell(&mut tx, load, chunk, matched.unsigned_abs()).await?;
    tx.commit().await?;
    tracing::info!(%load, records = matched, "records matched with a registration");
    Ok(())
}
