//! A document that was mine was proved to be somebody else's, and I say that it is not.

use axum::extract::State;
use domain::binding::{Objection, Taken};
use platform::http::{Access, Json, Problem, ResidentCaller, Routes, routes};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use super::binding::{self, Document};
use crate::notices::{self, NoticeKind};
use crate::{Error, SCHEMA, Service, directory, former};

pub(crate) fn routes() -> Routes<Service> {
    Routes::new("objections").allow(Access::Resident, routes!(object))
}

/// What I object to.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = IdentityObjection)]
struct Objecting {
    /// As the notice names it.
    binding_id: i64,
}

/// What came of my objection.
#[derive(Serialize, ToSchema)]
struct Objected {
    /// Whether the document is mine again. Staff of the community look at it in any case.
    put_back: bool,
}

/// Object: this document is mine
#[utoipa::path(post, path = "/api/v1/me/identity/objection", request_body = Objecting,
    responses((status = 200, description = "Staff of the community look at it", body = Objected),
        (status = 409, description = "Too late, or somebody has decided since")))]
async fn object(
    State(service): State<Service>,
    caller: ResidentCaller,
    Json(said): Json<Objecting>,
) -> Result<axum::Json<Objected>, Problem> {
    let (stored, now) = (directory::stored(caller.no), service.platform.clock.now());
    let mut tx = service.platform.database.begin().await.map_err(Error::from)?;
    let row = sqlx::query!(
        "select identity_hash, identity_kind, resident_no, proof, before_proof, at from resident.binding
          where binding_id = $1 and before_no = $2 and objected_at is null for update",
        said.binding_id,
        stored
    )
    .fetch_optional(&mut *tx)
    .await
    .map_err(Error::database("finding what is objected to"))?
    .ok_or(Error::NothingToObjectTo)?;
    let document = Document::stored(&row.identity_hash, Some(&row.identity_kind))?;
    let holder = binding::holder(&mut tx, &document.hash).await?;
    let put_back_before = sqlx::query_scalar!(
        r#"select exists (select from resident.binding where identity_hash = $1 and put_back) as "before!""#,
        &document.hash[..]
    )
    .fetch_one(&mut *tx)
    .await
    .map_err(Error::database("looking for earlier objections"))?;
    let mine = sqlx::query!("select identity_hash, phone_hash from resident.resident where resident_no = $1", stored)
        .fetch_one(&mut *tx)
        .await
        .map_err(Error::database("reading the objector"))?;
    let before = binding::proof(row.before_proof.as_deref());
    let taken = Taken { before, by: binding::proof(Some(&row.proof)), at: row.at, put_back_before };
    // Who is proved by another document by now, or whose document went on to a third, is for staff to look at.
    let can_be_put_back =
        holder.is_some_and(|holder| holder.stored == row.resident_no) && mine.identity_hash.is_none() && mine.phone_hash.is_some();
    let put_back = match taken.objected(now, service.settings.objection_within()) {
        Objection::TooLate => return Err(Error::NothingToObjectTo.into()),
        Objection::PutBack => can_be_put_back,
        Objection::LookedAt => false,
    };
    if put_back {
        binding::to_claim(&mut tx, row.resident_no).await?;
        binding::to_proved(&mut tx, stored, document, before).await?;
        notices::tell(&mut tx, row.resident_no, NoticeKind::IdentityPutBack, Some(said.binding_id), now).await?;
        binding::found_by(&mut tx, stored, mine.phone_hash, &document).await?;
    }
    sqlx::query!("update resident.binding set objected_at = $2, put_back = $3 where binding_id = $1", said.binding_id, now, put_back)
        .execute(&mut *tx)
        .await
        .map_err(Error::database("noting an objection"))?;
    tx.publish(SCHEMA, &former::did(stored, "identity.objected", json!({ "put_back": put_back }), now)).await.map_err(Error::from)?;
    tx.commit().await.map_err(Error::from)?;
    Ok(axum::Json(Objected { put_back }))
}
