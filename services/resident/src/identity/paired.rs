//! A trusted record source named a phone and a document together: whoever has the phone and claims the document has proved it.
//!
//! Who claims it later proves it with the next such record, or in another way: pairs are not kept.

use domain::binding::Proof;
use platform::BoxError;
use proto::IdentitiesPaired;
use proto::topology::RESIDENT_PAIRED;

use super::binding::{self, Document};
use crate::{Error, Service};

pub(crate) fn subscribe(service: &Service) -> Result<(), Error> {
    let own = service.clone();
    service.platform.bus.subscribe(&RESIDENT_PAIRED, 2, move |event: IdentitiesPaired| {
        let service = own.clone();
        async move { paired(&service, event).await.map_err(BoxError::from) }
    })?;
    Ok(())
}

async fn paired(service: &Service, event: IdentitiesPaired) -> Result<(), Error> {
    let (phones, documents): (Vec<_>, Vec<_>) = event.pairs.into_iter().map(|pair| (pair.phone_hash, pair.identity_hash)).unzip();
    let mut tx = service.platform.database.begin().await?;
    let found = sqlx::query!(
        r#"select r.resident_no, r.claimed_hash as "claimed_hash!", r.claimed_kind
             from unnest($1::bytea[], $2::bytea[]) as pair (phone_hash, identity_hash)
             join resident.resident r on r.phone_hash = pair.phone_hash and r.claimed_hash = pair.identity_hash
            order by r.claimed_hash, r.resident_no"#,
        &phones,
        &documents
    )
    .fetch_all(&mut *tx)
    .await
    .map_err(Error::database("finding who claims paired documents"))?;
    for row in found {
        let document = Document::stored(&row.claimed_hash, row.claimed_kind.as_deref())?;
        binding::bind(&mut tx, service, row.resident_no, document, Proof::Record, None).await?;
    }
    Ok(tx.commit().await?)
}
