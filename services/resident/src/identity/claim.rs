//! Saying which document is mine, and proving it with a code to the phone that it was bound to before.
//!
//! Whatever is said, the answer is the same: nobody learns by it whether somebody holds the document.

use axum::extract::State;
use domain::binding::Proof;
use domain::ids::ResidentNo;
use http::StatusCode;
use platform::database::Tx;
use platform::http::{Access, Json, Problem, ResidentCaller, Routes, routes};
use serde::Deserialize;
use utoipa::ToSchema;

use super::Said;
use super::binding::{self, Bound, Document};
use crate::codes::{self, CodeSent, Opens};
use crate::{Error, Service, directory, heard};

pub(crate) fn routes() -> Routes<Service> {
    Routes::new("identity")
        .allow(Access::Resident, routes!(claim))
        .allow(Access::Resident, routes!(request_code))
        .allow(Access::Resident, routes!(prove))
}

/// Say which identity document is mine
///
/// Records find me by it once it is proved: with a code to the phone it was bound to before, by my community, or by a record source.
#[utoipa::path(put, path = "/api/v1/me/identity", request_body = Said,
    responses((status = 204, description = "Noted, to be proved; the same whether or not somebody else holds it")))]
async fn claim(State(service): State<Service>, caller: ResidentCaller, Json(said): Json<Said>) -> Result<StatusCode, Problem> {
    let document = said.document()?;
    let hash = directory::identity_hash(&service.platform.keyring, &document);
    let mut tx = service.platform.database.begin().await.map_err(Error::from)?;
    note(&mut tx, directory::stored(caller.no), Document { hash, kind: document.kind() }).await?;
    tx.commit().await.map_err(Error::from)?;
    Ok(StatusCode::NO_CONTENT)
}

/// Notes what somebody says; nothing changes where it is proved to be theirs already.
pub(crate) async fn note(tx: &mut Tx, stored: i32, document: Document) -> Result<(), Error> {
    sqlx::query!(
        "update resident.resident set claimed_hash = $2, claimed_kind = $3 where resident_no = $1 and identity_hash is distinct from $2",
        stored,
        &document.hash[..],
        document.kind.as_ref()
    )
    .execute(&mut **tx)
    .await
    .map_err(Error::database("noting a claim"))?;
    Ok(())
}

/// What somebody claims.
async fn claimed(tx: &mut Tx, no: ResidentNo) -> Result<Option<Document>, Error> {
    let row = sqlx::query!("select claimed_hash, claimed_kind from resident.resident where resident_no = $1", directory::stored(no))
        .fetch_optional(&mut **tx)
        .await
        .map_err(Error::database("reading a claim"))?
        .ok_or(Error::NoSuchResident(no))?;
    row.claimed_hash.map(|hash| Document::stored(&hash, row.claimed_kind.as_deref())).transpose()
}

/// Have a code sent to the phone that my document was bound to before
///
/// If it is bound to another number, a code goes there. The answer is the same if it is not: then it takes my community.
#[utoipa::path(post, path = "/api/v1/me/identity/code", responses((status = 202, description = "Asked for", body = CodeSent)))]
async fn request_code(State(service): State<Service>, caller: ResidentCaller) -> Result<(StatusCode, axum::Json<CodeSent>), Problem> {
    codes::admit_resident(&service, caller.no).await?;
    let mut tx = service.platform.database.begin().await.map_err(Error::from)?;
    let document = claimed(&mut tx, caller.no).await?.ok_or(Error::NothingClaimed)?;
    let holder = binding::holder(&mut tx, &document.hash).await?;
    let other = holder.filter(|holder| holder.stored != directory::stored(caller.no));
    let other = other.and_then(|holder| Some((holder.stored, holder.phone_sealed?)));
    // A number of whose owner nothing was heard for long may be a stranger's by now: what is sent there proves nothing.
    let other = match other {
        Some((of, phone)) if is_heard_of(&mut tx, &service, of).await? => Some((of, phone)),
        _ => None,
    };
    let may_ask = other.is_some() && codes::may_ask_holder(&service, &document.hash).await?;
    let asked = match other.filter(|_| may_ask) {
        Some((of, phone)) => {
            codes::send(&service, &mut tx, Opens::Document { of: directory::resident_no(of) }, &document.hash, phone).await?
        }
        None => codes::decoy(&service, &document.hash).await?,
    };
    tx.commit().await.map_err(Error::from)?;
    Ok((StatusCode::ACCEPTED, axum::Json(CodeSent::of(asked, &service.settings))))
}

async fn is_heard_of(tx: &mut Tx, service: &Service, stored: i32) -> Result<bool, Error> {
    Ok(service.platform.clock.now() - heard::last(tx, stored).await? <= service.settings.silent_after())
}

/// The code that came to the phone my document was bound to.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct IdentityCode {
    /// What the code was asked for with.
    request: String,
    code: String,
}

/// Prove that my document is mine, with the code
///
/// Whom it was bound to is told, and may object.
#[utoipa::path(post, path = "/api/v1/me/identity/proof", request_body = IdentityCode,
    responses((status = 204, description = "Records find me by it from now on")))]
async fn prove(State(service): State<Service>, caller: ResidentCaller, Json(said): Json<IdentityCode>) -> Result<StatusCode, Problem> {
    let mut tx = service.platform.database.begin().await.map_err(Error::from)?;
    let document = claimed(&mut tx, caller.no).await?.ok_or(Error::NothingClaimed)?;
    // A code that went to somebody who does not hold the document any more opens nothing.
    let holder = binding::holder(&mut tx, &document.hash).await?;
    // Where nobody holds it, a guess costs and says the same.
    let of = holder.map_or(caller.no, |holder| directory::resident_no(holder.stored));
    let opens = Opens::Document { of };
    let right = codes::compare(&service, opens, &document.hash, &said.request, &said.code).await?;
    right.use_up(&service).await?;
    match binding::bind(&mut tx, &service, directory::stored(caller.no), document, Proof::Code, None).await? {
        Bound::HeldByMore => return Err(Error::IdentityHeld.into()),
        Bound::NotWanted => return Err(Error::NothingClaimed.into()),
        Bound::Free | Bound::Already | Bound::TakenOver => {}
    }
    tx.commit().await.map_err(Error::from)?;
    Ok(StatusCode::NO_CONTENT)
}
