//! A change of number with a code to the old one and to the new one.

use axum::extract::State;
use http::StatusCode;
use platform::http::{Access, Json, Problem, ResidentCaller, Routes, routes};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Kept, moved};
use crate::codes::{self, CodeSent, Opens};
use crate::registration::parse_phone;
use crate::{Error, Service, directory};

pub(crate) fn routes() -> Routes<Service> {
    Routes::new("number").allow(Access::Resident, routes!(request_codes)).allow(Access::Resident, routes!(change))
}

/// Where I want to be reached.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewNumber {
    /// Mobile number: of the mainland as people write it, of another country or region with + and its code.
    #[schema(example = "138 1234 5678")]
    phone: String,
    /// Whether the old number can no longer be read: then no code goes there.
    #[serde(default)]
    old_is_lost: bool,
}

/// The two codes that were sent.
#[derive(Serialize, ToSchema)]
struct NumberCodes {
    new: CodeSent,
    /// Missing where the old number is lost.
    old: Option<CodeSent>,
}

/// Have a code sent to my new number, and one to my old one
#[utoipa::path(post, path = "/api/v1/me/number/codes", request_body = NewNumber,
    responses((status = 202, description = "The codes are on their way", body = NumberCodes)))]
async fn request_codes(
    State(service): State<Service>,
    caller: ResidentCaller,
    Json(wanted): Json<NewNumber>,
) -> Result<(StatusCode, axum::Json<NumberCodes>), Problem> {
    let phone = parse_phone(&wanted.phone)?;
    codes::admit_resident(&service, caller.no).await?;
    codes::admit_number(&service, &phone).await?;
    let new = Kept::of(&service, &phone);
    let mut tx = service.platform.database.begin().await.map_err(Error::from)?;
    let hash = directory::phone_hash(&service.platform.keyring, &phone);
    let to_new = codes::send(&service, &mut tx, Opens::NewNumber, &hash, new.sealed).await?;
    let mut to_old = None;
    if !wanted.old_is_lost {
        let (hash, sealed) = present(&mut tx, caller).await?;
        to_old = Some(codes::send(&service, &mut tx, Opens::OldNumber, &hash, sealed).await?);
    }
    tx.commit().await.map_err(Error::from)?;
    let sent = |asked| CodeSent::of(asked, &service.settings);
    let codes = NumberCodes { new: sent(to_new), old: to_old.map(sent) };
    Ok((StatusCode::ACCEPTED, axum::Json(codes)))
}

/// The number that somebody has.
async fn present(tx: &mut platform::database::Tx, caller: ResidentCaller) -> Result<([u8; 32], Vec<u8>), Error> {
    let row = sqlx::query!("select phone_hash, phone_sealed from resident.resident where resident_no = $1", directory::stored(caller.no))
        .fetch_optional(&mut **tx)
        .await
        .map_err(Error::database("reading a number"))?
        .ok_or(Error::NoSuchResident(caller.no))?;
    let hash = row.phone_hash.and_then(|hash| hash.try_into().ok());
    hash.zip(row.phone_sealed).ok_or(Error::NoSuchResident(caller.no))
}

/// The codes that came to both numbers.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NumberChange {
    /// The new number.
    phone: String,
    /// What the code to the new number was asked for with, and that code.
    new_request: String,
    new_code: String,
    /// The same of the old number.
    old_request: String,
    old_code: String,
}

/// Move to my new number
///
/// Everything stays as it is; the old number is told. Whoever was registered with the new number has it no more.
#[utoipa::path(put, path = "/api/v1/me/number", request_body = NumberChange, responses((status = 204, description = "Alerts go to the new number")))]
async fn change(State(service): State<Service>, caller: ResidentCaller, Json(said): Json<NumberChange>) -> Result<StatusCode, Problem> {
    let phone = parse_phone(&said.phone)?;
    let hash = directory::phone_hash(&service.platform.keyring, &phone);
    let mut tx = service.platform.database.begin().await.map_err(Error::from)?;
    let (old, _) = present(&mut tx, caller).await?;
    let of_new = codes::compare(&service, Opens::NewNumber, &hash, &said.new_request, &said.new_code).await?;
    let of_old = codes::compare(&service, Opens::OldNumber, &old, &said.old_request, &said.old_code).await?;
    of_new.use_up(&service).await?;
    of_old.use_up(&service).await?;
    moved(&mut tx, &service, caller.no, Kept::of(&service, &phone), None).await?;
    tx.commit().await.map_err(Error::from)?;
    Ok(StatusCode::NO_CONTENT)
}
