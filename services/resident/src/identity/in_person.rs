//! Staff of a resident's community have seen the person and their document.
//!
//! The resident must have said that the document is theirs: nobody binds a document to somebody who knows nothing of it. The number is compared, not
//! kept. Every check is traced, also one that came to nothing.

use axum::extract::State;
use domain::area::{Area, CommunityCode};
use domain::binding::Proof;
use domain::ids::ResidentNo;
use domain::staff::Role;
use platform::database::Tx;
use platform::http::{Access, Json, Path, Problem, Routes, StaffCaller, routes};
use proto::AuditEntry;
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;

use super::Said;
use super::binding::{self, Bound, Document};
use crate::{Error, SCHEMA, Service, directory};

pub(crate) fn routes() -> Routes<Service> {
    Routes::new("identity checks").allow(Access::Staff(&[Role::CommunityWorker, Role::DistrictReviewer]), routes!(check))
}

/// What came of a check.
#[derive(Serialize, ToSchema)]
struct IdentityChecked {
    /// Whether the document was bound to somebody else until now. They are told, and may object.
    taken_over: bool,
}

/// Confirm a resident's identity document, seen in person
///
/// The resident has to have said that it is theirs. Traced with the kind of document.
#[utoipa::path(post, path = "/api/v1/residents/{resident_no}/identity-check", params(("resident_no" = u32, Path, description = "The resident")),
    request_body = Said, responses((status = 200, description = "Records find the resident by it from now on", body = IdentityChecked),
        (status = 409, description = "It is not the document that the resident claims")))]
async fn check(
    State(service): State<Service>,
    caller: StaffCaller,
    Path(no): Path<u32>,
    Json(said): Json<Said>,
) -> Result<axum::Json<IdentityChecked>, Problem> {
    let seen = said.document()?;
    let now = service.platform.clock.now();
    let mut tx = service.platform.database.begin().await.map_err(Error::from)?;
    let (stored, community) = of_my_area(&mut tx, &caller, ResidentNo::new(no)).await?;
    let hash = directory::identity_hash(&service.platform.keyring, &seen);
    let row = sqlx::query!("select identity_hash, claimed_hash from resident.resident where resident_no = $1", stored)
        .fetch_one(&mut *tx)
        .await
        .map_err(Error::database("reading a claim"))?;
    if ![row.claimed_hash, row.identity_hash].iter().flatten().any(|said| said[..] == hash) {
        let entry = AuditEntry {
            district: Some(community.district().get()),
            detail_json: json!({ "document": seen.kind() }).to_string(),
            ..caller.did("identity.not_as_claimed", "resident", no, now)
        };
        tx.publish(SCHEMA, &entry).await.map_err(Error::from)?;
        tx.commit().await.map_err(Error::from)?;
        return Err(Error::NotAsClaimed.into());
    }
    let bound = binding::bind(&mut tx, &service, stored, Document { hash, kind: seen.kind() }, Proof::InPerson, Some(&caller)).await?;
    if bound == Bound::NotWanted {
        return Err(Error::NotAsClaimed.into());
    }
    // whatever was objected before, somebody has looked now
    sqlx::query!(
        "update resident.binding set looked_at = $2 where identity_hash = $1 and objected_at is not null and looked_at is null",
        &hash[..],
        now
    )
    .execute(&mut *tx)
    .await
    .map_err(Error::database("settling objections"))?;
    tx.commit().await.map_err(Error::from)?;
    Ok(axum::Json(IdentityChecked { taken_over: bound == Bound::TakenOver }))
}

/// The resident and where they live, if that is in the caller's area. The same answer for "does not exist" and "not yours".
pub(crate) async fn of_my_area(tx: &mut Tx, caller: &StaffCaller, no: ResidentNo) -> Result<(i32, CommunityCode), Error> {
    let stored = i32::try_from(no.get()).map_err(|_| Error::OutsideScope)?;
    let community = sqlx::query_scalar!("select community from resident.resident where resident_no = $1 for no key update", stored)
        .fetch_optional(&mut **tx)
        .await
        .map_err(Error::database("reading a resident"))?
        .ok_or(Error::OutsideScope)?;
    let community = CommunityCode::try_from(community.unsigned_abs()).map_err(|_| Error::Stored { what: "community" })?;
    if caller.scope.covers(Area::Community(community)) { Ok((stored, community)) } else { Err(Error::OutsideScope) }
}
