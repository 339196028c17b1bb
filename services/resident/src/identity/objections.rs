//! What staff have to look at: documents of which two people say that they are theirs.

use axum::extract::State;
use chrono::{DateTime, Utc};
use domain::binding::Proof;
use domain::identity_document::IdentityKind;
use domain::staff::Role;
use http::StatusCode;
use platform::http::{Access, Path, Problem, Routes, StaffCaller, Within, routes};
use serde::Serialize;
use utoipa::ToSchema;

use super::binding;
use crate::{Error, SCHEMA, Service, directory};

const STAFF: &[Role] = &[Role::CommunityWorker, Role::DistrictReviewer];
const PAGE: i64 = 200;

pub(crate) fn routes() -> Routes<Service> {
    Routes::new("identity objections").allow(Access::Staff(STAFF), routes!(list)).allow(Access::Staff(STAFF), routes!(settle))
}

/// Two people say that one document is theirs.
#[derive(Serialize, ToSchema)]
struct DisputedIdentity {
    binding_id: i64,
    identity_kind: IdentityKind,
    /// Whom it was proved for, and how.
    proved_for: u32,
    proof: Proof,
    proved_at: DateTime<Utc>,
    /// Who held it before and objects.
    objector: Option<u32>,
    objected_at: DateTime<Utc>,
    /// Whether it is the objector's again until somebody has looked.
    put_back: bool,
}

/// Documents that two residents say are theirs, where one of them lives in my area
///
/// Ask both to come with the document. A check in person decides.
#[utoipa::path(get, path = "/api/v1/identity-objections", responses((status = 200, description = "The longest waiting first", body = Vec<DisputedIdentity>)))]
async fn list(State(service): State<Service>, caller: StaffCaller) -> Result<axum::Json<Vec<DisputedIdentity>>, Problem> {
    let within = Within::of(&caller.scope);
    let rows = sqlx::query!(
        r#"select b.binding_id, b.identity_kind, b.resident_no, b.proof, b.at, b.before_no, b.objected_at as "objected_at!", b.put_back
             from resident.binding b
            where b.objected_at is not null and b.looked_at is null
              and exists (select from resident.resident r where r.resident_no in (b.resident_no, b.before_no)
                            and ($1 or r.district = $2 or r.community = $3))
            order by b.objected_at, b.binding_id limit $4"#,
        within.everywhere,
        within.district,
        within.community,
        PAGE
    )
    .fetch_all(service.platform.database.pool())
    .await
    .map_err(Error::database("reading objections"))?;
    let disputed = rows.into_iter().map(|row| DisputedIdentity {
        binding_id: row.binding_id,
        identity_kind: directory::identity_kind(true, Some(&row.identity_kind)).unwrap_or(IdentityKind::IdentityCard),
        proved_for: directory::resident_no(row.resident_no).get(),
        proof: binding::proof(Some(&row.proof)),
        proved_at: row.at,
        objector: row.before_no.map(|no| directory::resident_no(no).get()),
        objected_at: row.objected_at,
        put_back: row.put_back,
    });
    Ok(axum::Json(disputed.collect()))
}

/// I have looked at it, and it is right as it is
#[utoipa::path(post, path = "/api/v1/identity-objections/{id}/settled", params(("id" = i64, Path, description = "The proof that was objected to")),
    responses((status = 204, description = "It waits no more")))]
async fn settle(State(service): State<Service>, caller: StaffCaller, Path(id): Path<i64>) -> Result<StatusCode, Problem> {
    let (within, now) = (Within::of(&caller.scope), service.platform.clock.now());
    let mut tx = service.platform.database.begin().await.map_err(Error::from)?;
    let waits = sqlx::query_scalar!(
        r#"select b.looked_at is null as "waits!" from resident.binding b
            where b.binding_id = $4 and b.objected_at is not null
              and exists (select from resident.resident r where r.resident_no in (b.resident_no, b.before_no)
                            and ($1 or r.district = $2 or r.community = $3)) for update of b"#,
        within.everywhere,
        within.district,
        within.community,
        id
    )
    .fetch_optional(&mut *tx)
    .await
    .map_err(Error::database("finding an objection"))?
    .ok_or(Error::NoSuchObjection)?;
    if waits {
        sqlx::query!("update resident.binding set looked_at = $2 where binding_id = $1", id, now)
            .execute(&mut *tx)
            .await
            .map_err(Error::database("settling an objection"))?;
        tx.publish(SCHEMA, &caller.did("identity.objection_settled", "binding", id, now)).await.map_err(Error::from)?;
    }
    tx.commit().await.map_err(Error::from)?;
    Ok(StatusCode::NO_CONTENT)
}
