//! A change of number by somebody who has lost the old one: a code to the new one, then staff of the community see them and their document.

use axum::extract::State;
use chrono::TimeDelta;
use domain::identity_document::IdentityKind;
use domain::ids::ResidentNo;
use domain::staff::Role;
use http::StatusCode;
use platform::http::{Access, Json, Path, Problem, ResidentCaller, Routes, StaffCaller, routes};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{Kept, moved, word};
use crate::codes::{self, Opens};
use crate::identity::{self, in_person};
use crate::registration::parse_phone;
use crate::{Error, Service, directory};

/// For so long a change waits for the visit to the community.
pub(crate) const WAITS: TimeDelta = TimeDelta::days(7);

pub(crate) fn routes() -> Routes<Service> {
    Routes::new("lost numbers")
        .allow(Access::Resident, routes!(ask))
        .allow(Access::Resident, routes!(withdraw))
        .allow(Access::Staff(&[Role::CommunityWorker, Role::DistrictReviewer]), routes!(confirm))
}

/// My new number, and the code that came to it.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct LostNumber {
    phone: String,
    new_request: String,
    new_code: String,
}

/// Ask to be moved to my new number, the old one being lost
///
/// My community confirms it when they have seen me with my document, within seven days. The old number is told.
#[utoipa::path(post, path = "/api/v1/me/number/lost", request_body = LostNumber, responses((status = 202, description = "It waits for a check in person")))]
async fn ask(State(service): State<Service>, caller: ResidentCaller, Json(said): Json<LostNumber>) -> Result<StatusCode, Problem> {
    let phone = parse_phone(&said.phone)?;
    let (stored, now) = (directory::stored(caller.no), service.platform.clock.now());
    let hash = directory::phone_hash(&service.platform.keyring, &phone);
    let right = codes::compare(&service, Opens::NewNumber, &hash, &said.new_request, &said.new_code).await?;
    right.use_up(&service).await?;
    let to = Kept::of(&service, &phone);
    let mut tx = service.platform.database.begin().await.map_err(Error::from)?;
    sqlx::query!(
        "insert into resident.number_change (resident_no, phone_hash, phone_sealed, asked_at) values ($1, $2, $3, $4)
         on conflict (resident_no) do update set phone_hash = excluded.phone_hash, phone_sealed = excluded.phone_sealed, asked_at = excluded.asked_at",
        stored,
        to.hash,
        to.sealed,
        now
    )
    .execute(&mut *tx)
    .await
    .map_err(Error::database("noting a change of number"))?;
    let old = sqlx::query_scalar!("select phone_sealed from resident.resident where resident_no = $1", stored)
        .fetch_one(&mut *tx)
        .await
        .map_err(Error::database("reading a number"))?;
    if let Some(old) = old {
        word(
            &mut tx,
            &service,
            old,
            "有人申请把您的登记改到另一个手机号，将由社区当面核验。如非本人，请打开应用在“我的”中撤销，或联系社区。",
            now,
        )
        .await?;
    }
    tx.commit().await.map_err(Error::from)?;
    Ok(StatusCode::ACCEPTED)
}

/// Take back the change of number that waits
#[utoipa::path(delete, path = "/api/v1/me/number/lost", responses((status = 204, description = "None waits")))]
async fn withdraw(State(service): State<Service>, caller: ResidentCaller) -> Result<StatusCode, Problem> {
    sqlx::query!("delete from resident.number_change where resident_no = $1", directory::stored(caller.no))
        .execute(service.platform.database.pool())
        .await
        .map_err(Error::database("withdrawing a change of number"))?;
    Ok(StatusCode::NO_CONTENT)
}

/// The document that was seen.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct DocumentSeen {
    /// What kind it is; traced.
    kind: IdentityKind,
    /// Its number: needed where the resident has given theirs, which it is compared with. It is not kept.
    number: Option<String>,
    /// The country that issued it; needed for a passport.
    country: Option<String>,
}

/// Confirm a resident's new number, the old one being lost
///
/// For who has seen the resident and a document of theirs. Traced.
#[utoipa::path(post, path = "/api/v1/residents/{resident_no}/number-check", params(("resident_no" = u32, Path, description = "The resident")),
    request_body = DocumentSeen, responses((status = 204, description = "Alerts go to the new number"),
        (status = 409, description = "No change waits, or it is another document")))]
async fn confirm(
    State(service): State<Service>,
    caller: StaffCaller,
    Path(no): Path<u32>,
    Json(seen): Json<DocumentSeen>,
) -> Result<StatusCode, Problem> {
    let (no, now) = (ResidentNo::new(no), service.platform.clock.now());
    let document = seen.number.as_deref().map(|number| identity::read(number, Some(seen.kind), seen.country.as_deref())).transpose()?;
    let document = document.map(|document| directory::identity_hash(&service.platform.keyring, &document));
    let mut tx = service.platform.database.begin().await.map_err(Error::from)?;
    let (stored, _) = in_person::of_my_area(&mut tx, &caller, no).await?;
    let given = sqlx::query!("select identity_hash, claimed_hash from resident.resident where resident_no = $1", stored)
        .fetch_one(&mut *tx)
        .await
        .map_err(Error::database("reading a document"))?;
    if let Some(given) = given.identity_hash.or(given.claimed_hash)
        && document.is_none_or(|seen| given[..] != seen)
    {
        return Err(Error::NotAsClaimed.into());
    }
    let to = sqlx::query!(
        "select phone_hash, phone_sealed from resident.number_change where resident_no = $1 and asked_at >= $2",
        stored,
        now - WAITS
    )
    .fetch_optional(&mut *tx)
    .await
    .map_err(Error::database("reading a change of number"))?
    .ok_or(Error::NoNumberWaits)?;
    moved(&mut tx, &service, no, Kept { hash: to.phone_hash, sealed: to.phone_sealed }, Some((&caller, seen.kind))).await?;
    tx.commit().await.map_err(Error::from)?;
    Ok(StatusCode::NO_CONTENT)
}
