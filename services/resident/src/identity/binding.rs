//! Binding a document to a resident, in the transaction of whoever found the proof.

use chrono::TimeDelta;
use domain::binding::Proof;
use domain::identity_document::IdentityKind;
use platform::database::Tx;
use platform::http::StaffCaller;
use proto::ResidentRegistered;
use serde_json::json;

use crate::notices::{self, NoticeKind};
use crate::{Error, SCHEMA, Service, directory, former, short_message, standing};

/// A word about one's own document may come late, but not when the time to object is half over.
const TOLD_WITHIN: TimeDelta = TimeDelta::hours(24);

/// A document, as it is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Document {
    pub(crate) hash: [u8; 32],
    pub(crate) kind: IdentityKind,
}

impl Document {
    /// As two columns hold it.
    pub(crate) fn stored(hash: &[u8], kind: Option<&str>) -> Result<Self, Error> {
        let hash = hash.try_into().map_err(|_| Error::Stored { what: "hash of an identity document" })?;
        Ok(Self { hash, kind: directory::identity_kind(true, kind).unwrap_or(IdentityKind::IdentityCard) })
    }
}

/// What a document is bound to somebody by, who holds it.
pub(crate) struct Holder {
    pub(crate) stored: i32,
    pub(crate) proof: Proof,
    pub(crate) phone_sealed: Option<Vec<u8>>,
}

/// Who holds it, and keeps everybody else from changing that until the transaction ends.
pub(crate) async fn holder(tx: &mut Tx, hash: &[u8; 32]) -> Result<Option<Holder>, Error> {
    sqlx::query!("select pg_advisory_xact_lock(hashtextextended(encode($1, 'hex'), 0))", &hash[..])
        .execute(&mut **tx)
        .await
        .map_err(Error::database("waiting for a document"))?;
    let row = sqlx::query!(
        "select resident_no, identity_proof, phone_sealed from resident.resident where identity_hash = $1 for no key update",
        &hash[..]
    )
    .fetch_optional(&mut **tx)
    .await
    .map_err(Error::database("finding whose a document is"))?;
    Ok(row.map(|row| Holder { stored: row.resident_no, proof: proof(row.identity_proof.as_deref()), phone_sealed: row.phone_sealed }))
}

/// What the column says; empty: from before proof was asked for.
pub(crate) fn proof(stored: Option<&str>) -> Proof {
    stored.and_then(|proof| proof.parse().ok()).unwrap_or(Proof::Earlier)
}

/// What came of a proof.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Bound {
    /// It is theirs, and was nobody's.
    Free,
    /// It is theirs, as it was.
    Already,
    /// It is theirs, and was somebody else's, who is told.
    TakenOver,
    /// It stays with who holds it by more than this.
    HeldByMore,
    /// They do not say any more that it is theirs, or have no number that anything about it could go to.
    NotWanted,
}

/// Binds the document to this resident, if the proof goes that far.
pub(crate) async fn bind(
    tx: &mut Tx,
    service: &Service,
    stored: i32,
    document: Document,
    proof: Proof,
    by: Option<&StaffCaller>,
) -> Result<Bound, Error> {
    let now = service.platform.clock.now();
    let holder = holder(tx, &document.hash).await?;
    let Some(person) = wanting(tx, stored, &document).await? else { return Ok(Bound::NotWanted) };
    let bound = match &holder {
        Some(holder) if !proof.displaces(holder.proof) => {
            return Ok(if holder.stored == stored { Bound::Already } else { Bound::HeldByMore });
        }
        Some(holder) if holder.stored == stored => Bound::Already,
        Some(_) => Bound::TakenOver,
        None => Bound::Free,
    };
    let before = holder.filter(|_| bound == Bound::TakenOver);
    if let Some(before) = &before {
        to_claim(tx, before.stored).await?;
    }
    to_proved(tx, stored, document, proof).await?;
    let binding = sqlx::query_scalar!(
        "insert into resident.binding (identity_hash, identity_kind, resident_no, proof, by, at, before_no, before_proof)
         values ($1, $2, $3, $4, $5, $6, $7, $8) returning binding_id",
        &document.hash[..],
        document.kind.as_ref(),
        stored,
        proof.as_ref(),
        by.map(|by| by.id.uuid()),
        now,
        before.as_ref().map(|before| before.stored),
        before.as_ref().map(|before| before.proof.as_ref())
    )
    .fetch_one(&mut **tx)
    .await
    .map_err(Error::database("noting a proof"))?;
    if bound == Bound::Free {
        standing::along::come(tx, &document.hash, stored).await?;
    }
    if bound != Bound::Already {
        notices::tell(tx, stored, NoticeKind::IdentityProved, Some(binding), now).await?;
        found_by(tx, stored, Some(person.phone_hash), &document).await?;
    }
    if person.replaces {
        notices::tell(tx, stored, NoticeKind::IdentityReplaced, Some(binding), now).await?;
    }
    if let Some(before) = before {
        notices::tell(tx, before.stored, NoticeKind::IdentityTaken, Some(binding), now).await?;
        if let Some(phone) = before.phone_sealed {
            let text = format!(
                "【{}】您登记的证件已经核验，转到另一位居民名下。如有异议，请在 {} 天内打开应用，在“我的”中提出，或到社区说明。",
                service.settings.signature, service.settings.objection_days
            );
            short_message::send(tx, &service.platform, phone, &text, now + TOLD_WITHIN).await?;
        }
    }
    let detail =
        json!({ "proof": proof, "document": document.kind, "taken_over": bound == Bound::TakenOver, "replaces_another": person.replaces });
    let entry = match by {
        Some(by) => proto::AuditEntry {
            detail_json: detail.to_string(),
            ..by.did("identity.proved", "resident", directory::resident_no(stored), now)
        },
        None => former::did(stored, "identity.proved", detail, now),
    };
    tx.publish(SCHEMA, &entry).await?;
    Ok(bound)
}

/// Somebody who says that a document is theirs, and who is reached.
struct Wanting {
    phone_hash: Vec<u8>,
    /// Whether another document of theirs is proved, which this one takes the place of.
    replaces: bool,
}

async fn wanting(tx: &mut Tx, stored: i32, document: &Document) -> Result<Option<Wanting>, Error> {
    let row = sqlx::query!(
        r#"select phone_hash as "phone_hash!", identity_hash from resident.resident
            where resident_no = $1 and phone_hash is not null and (claimed_hash = $2 or identity_hash = $2) for no key update"#,
        stored,
        &document.hash[..]
    )
    .fetch_optional(&mut **tx)
    .await
    .map_err(Error::database("reading who says that a document is theirs"))?;
    Ok(row.map(|row| Wanting { phone_hash: row.phone_hash, replaces: row.identity_hash.is_some_and(|other| other[..] != document.hash) }))
}

/// The document is no longer theirs; that they say so stays.
pub(crate) async fn to_claim(tx: &mut Tx, stored: i32) -> Result<(), Error> {
    sqlx::query!(
        "update resident.resident set claimed_hash = identity_hash, claimed_kind = coalesce(identity_kind, 'identity_card'),
             identity_hash = null, identity_kind = null, identity_proof = null
         where resident_no = $1 and identity_hash is not null",
        stored
    )
    .execute(&mut **tx)
    .await
    .map_err(Error::database("taking a document from its holder"))?;
    Ok(())
}

/// The document is theirs.
pub(crate) async fn to_proved(tx: &mut Tx, stored: i32, document: Document, proof: Proof) -> Result<(), Error> {
    sqlx::query!(
        "update resident.resident set identity_hash = $2, identity_kind = $3, identity_proof = $4, claimed_hash = null, claimed_kind = null
         where resident_no = $1 and phone_hash is not null",
        stored,
        &document.hash[..],
        document.kind.as_ref(),
        proof.as_ref()
    )
    .execute(&mut **tx)
    .await
    .map_err(Error::database("binding a document"))?;
    Ok(())
}

/// Records that waited for the document are theirs from now on.
pub(crate) async fn found_by(tx: &mut Tx, stored: i32, phone_hash: Option<Vec<u8>>, document: &Document) -> Result<(), Error> {
    let Some(phone_hash) = phone_hash else { return Ok(()) };
    let resident_no = directory::resident_no(stored).get();
    tx.publish(SCHEMA, &ResidentRegistered { resident_no, phone_hash, identity_hash: Some(document.hash.to_vec()) }).await?;
    Ok(())
}
