//! One's own second factors, recovery codes and known devices.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use domain::ids::FactorId;
use domain::second_factor::{Act, needed_by};
use http::StatusCode;
use platform::http::{Access, Credential, FieldFault, Json, Path, PathId, Problem, Routes, SessionOwner, StaffCaller, routes};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::identity::Identity;
use super::proof::{Given, PasskeyAsked, proved};
use super::visitor::Knock;
use crate::account;
use crate::enrolment::{Enrolled, New, TotpShown};
use crate::factor::{self, Factor};
use crate::proving::{PasskeyShown, SecondFactor};
use crate::token::TokenHash;
use crate::totp::ForApp;
use crate::{Error, SCHEMA, device, recovery_code};

pub(super) fn routes() -> Routes<Identity> {
    Routes::new("second factor")
        .allow(Access::SessionOwner, routes!(offer_totp))
        .allow(Access::SessionOwner, routes!(offer_passkey))
        .allow(Access::SessionOwner, routes!(enrol))
        .allow(Access::ANY_STAFF, routes!(list))
        .allow(Access::ANY_STAFF, routes!(rename, remove))
        .allow(Access::ANY_STAFF, routes!(renew_recovery_codes))
        .allow(Access::ANY_STAFF, routes!(forget_devices))
}

/// A secret for an authenticator app.
// no Debug: it holds the secret
#[derive(Serialize, ToSchema)]
struct TotpOffered {
    /// To be given back with the first code of the app. Good for a quarter of an hour, and once.
    state: String,
    #[serde(flatten)]
    for_app: ForApp,
    /// The platform's time: a phone whose clock is off by more than half a minute shows codes that are not taken.
    now: DateTime<Utc>,
}

/// Begin to enrol an authenticator app: a secret for it
///
/// Nothing is stored before the app's first code has come back.
#[utoipa::path(post, path = "/api/v1/session/factors/totp/offer", responses(
    (status = 200, description = "A secret", body = TotpOffered),
    (status = 403, description = "A fresh proof is needed first, where there is a factor already"),
))]
async fn offer_totp(State(identity): State<Identity>, owner: SessionOwner) -> Result<Json<TotpOffered>, Problem> {
    owner.may_change_factors(identity.now())?;
    let (for_app, state) = identity.enrolment.offer_totp(owner.id).await?;
    Ok(Json(TotpOffered { state, for_app, now: identity.now() }))
}

/// Begin to enrol a passkey: what the browser is asked.
#[utoipa::path(post, path = "/api/v1/session/factors/passkey/offer", responses(
    (status = 200, description = "What the browser is asked", body = PasskeyAsked),
    (status = 403, description = "A fresh proof is needed first, where there is a factor already"),
    (status = 409, description = "Passkeys are not set up"),
))]
async fn offer_passkey(State(identity): State<Identity>, owner: SessionOwner) -> Result<Json<PasskeyAsked>, Problem> {
    owner.may_change_factors(identity.now())?;
    let (public_key, state) = identity.enrolment.offer_passkey(owner.id).await?;
    Ok(Json(PasskeyAsked { state, public_key }))
}

/// A factor that was shown to work.
// no Debug: it holds codes
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewFactor {
    /// What its owner calls it, in 1 to 64 characters.
    name: String,
    /// An authenticator app: this or `passkey`.
    totp: Option<TotpShown>,
    /// A passkey: this or `totp`.
    passkey: Option<PasskeyShown>,
    /// Whether this device is to be known from now on. Browsers with the session in a cookie are, unless this says otherwise.
    remember_device: Option<bool>,
}

/// A factor that was enrolled.
// no Debug: it holds codes
#[derive(Serialize, ToSchema)]
struct FactorEnrolled {
    /// The factor.
    factor: Factor,
    /// With the first factor: codes for whoever loses it, good once each. They are shown this once.
    #[serde(skip_serializing_if = "Option::is_none")]
    recovery_codes: Option<Vec<String>>,
    /// How the session stands now.
    second_factor: SecondFactor,
    /// The token of the session from now on, where it is in no cookie and was proved for the first time: the one before has ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<String>,
    /// The token by which this device is known from now on, where that was asked for and it is in no cookie.
    #[serde(skip_serializing_if = "Option::is_none")]
    device: Option<String>,
}

/// Enrol a second factor that works: the session is proved by it
///
/// An account that needs one and has none does this first, with the code of two administrators or, for a while after second factors came, with its
/// password. The session goes on under another token, as after a first proof. All other sessions of the account have to show it from then on.
#[utoipa::path(post, path = "/api/v1/session/factors", request_body = NewFactor, responses(
    (status = 201, description = "Enrolled", body = FactorEnrolled),
    (status = 403, description = "The code or passkey is wrong or came too late; or a fresh proof is needed first"),
    (status = 409, description = "There are too many, or this one already"),
    (status = 422, description = "A field is wrong"),
))]
async fn enrol(
    State(identity): State<Identity>,
    owner: SessionOwner,
    credential: Credential,
    knock: Knock,
    Json(request): Json<NewFactor>,
) -> Result<Response, Problem> {
    owner.may_change_factors(identity.now())?;
    check_name(&request.name)?;
    let new = match (&request.totp, &request.passkey) {
        (Some(shown), None) => New::Totp(shown),
        (None, Some(shown)) => New::Passkey(shown),
        _ => return Err(Error::Invalid(vec![FieldFault::new("totp", "须提供 totp 或 passkey 之一", "takes totp or passkey")]).into()),
    };
    let token = TokenHash::of(credential.token());
    let Enrolled { factor, recovery_codes, session, token } = identity.enrolment.enrol(&owner, &token, &request.name, new).await?;
    let (second_factor, given) = proved(&identity, owner.id, &knock, request.remember_device, &session, token).await?;
    let Given { headers, token, device } = given;
    Ok((StatusCode::CREATED, headers, Json(FactorEnrolled { factor, recovery_codes, second_factor, token, device })).into_response())
}

/// What one has beside the password.
#[derive(Serialize, ToSchema)]
struct OwnFactors {
    /// The factors, the oldest first.
    factors: Vec<Factor>,
    /// How many recovery codes are left.
    recovery_codes_left: i64,
    /// How many devices are known.
    known_devices: i64,
    /// Whether one's role must have a factor: then the last one stays.
    needed: bool,
}

/// One's own second factors, and how many recovery codes and known devices there are.
#[utoipa::path(get, path = "/api/v1/session/factors", responses((status = 200, description = "What there is", body = OwnFactors)))]
async fn list(State(identity): State<Identity>, caller: StaffCaller) -> Result<Json<OwnFactors>, Problem> {
    let mut connection = identity.platform.database.pool().acquire().await?;
    Ok(Json(OwnFactors {
        factors: factor::of_staff(&mut connection, caller.id).await?,
        recovery_codes_left: recovery_code::left(&mut connection, caller.id).await?,
        known_devices: device::count(&mut connection, caller.id, identity.now()).await?,
        needed: needed_by(caller.role),
    }))
}

/// Another name for a factor.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct FactorName {
    /// What its owner calls it, in 1 to 64 characters.
    name: String,
}

/// Give one of one's own factors another name.
#[utoipa::path(patch, path = "/api/v1/session/factors/{id}", params(("id" = FactorId, Path, description = "The factor")),
    request_body = FactorName, responses(
    (status = 204, description = "Renamed"),
    (status = 404, description = "One has no such factor"),
    (status = 422, description = "The name is empty or too long"),
))]
async fn rename(
    State(identity): State<Identity>,
    caller: StaffCaller,
    Path(id): PathId<FactorId>,
    Json(request): Json<FactorName>,
) -> Result<StatusCode, Problem> {
    check_name(&request.name)?;
    identity.enrolment.rename(&caller.into(), id, &request.name).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Remove one of one's own factors. All other sessions of the account end
///
/// Takes a fresh proof. The last factor of an account that needs one stays.
#[utoipa::path(delete, path = "/api/v1/session/factors/{id}", params(("id" = FactorId, Path, description = "The factor")), responses(
    (status = 204, description = "Removed"),
    (status = 403, description = "A fresh proof is needed first"),
    (status = 404, description = "One has no such factor"),
    (status = 409, description = "It is the last, and one is needed"),
))]
async fn remove(
    State(identity): State<Identity>,
    caller: StaffCaller,
    credential: Credential,
    Path(id): PathId<FactorId>,
) -> Result<StatusCode, Problem> {
    caller.must_have_proved(Act::ChangeOwnFactors, identity.now())?;
    identity.enrolment.remove(&caller.into(), &TokenHash::of(credential.token()), id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Fresh recovery codes.
// no Debug: it holds codes
#[derive(Serialize, ToSchema)]
struct RecoveryCodes {
    /// The codes, good once each. They are shown this once.
    recovery_codes: Vec<String>,
}

/// Make fresh recovery codes: the old ones are void. Takes a fresh proof.
#[utoipa::path(post, path = "/api/v1/session/recovery-codes", responses(
    (status = 201, description = "The codes", body = RecoveryCodes),
    (status = 403, description = "A fresh proof is needed first"),
    (status = 409, description = "There is no factor that they would stand in for"),
))]
async fn renew_recovery_codes(State(identity): State<Identity>, caller: StaffCaller) -> Result<(StatusCode, Json<RecoveryCodes>), Problem> {
    caller.must_have_proved(Act::ChangeOwnFactors, identity.now())?;
    let recovery_codes = identity.enrolment.renew_recovery_codes(&caller.into()).await?;
    Ok((StatusCode::CREATED, Json(RecoveryCodes { recovery_codes })))
}

/// Forget all known devices of one's account, this one too. Takes a fresh proof.
#[utoipa::path(delete, path = "/api/v1/session/devices", responses(
    (status = 204, description = "Forgotten"),
    (status = 403, description = "A fresh proof is needed first"),
))]
async fn forget_devices(State(identity): State<Identity>, caller: StaffCaller) -> Result<StatusCode, Problem> {
    let now = identity.now();
    caller.must_have_proved(Act::ChangeOwnFactors, now)?;
    let mut tx = identity.platform.database.begin().await?;
    device::forget(&mut tx, caller.id).await?;
    tx.publish(SCHEMA, &caller.did("device.forget", "staff", caller.id, now)).await?;
    tx.commit().await?;
    // the cookie stays: colleagues at the same console are known by it
    Ok(StatusCode::NO_CONTENT)
}

fn check_name(name: &str) -> Result<(), Error> {
    account::name_fault(name).map_or(Ok(()), |fault| Err(Error::Invalid(vec![fault])))
}
