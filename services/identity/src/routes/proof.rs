//! Showing the second factor, and signing in with a passkey alone.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use domain::ids::StaffId;
use http::header::SET_COOKIE;
use http::{HeaderMap, StatusCode};
use platform::http::{Access, Credential, FieldFault, Json, Problem, Routes, SessionOwner, routes};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::identity::Identity;
use super::session::{SessionBegun, answered, session_cookie};
use super::visitor::{Knock, device_cookie};
use crate::proving::{Brought, PasskeyShown, SecondFactor};
use crate::session::Session;
use crate::token::{Token, TokenHash};
use crate::{Error, device, known_network, recovery_code};

pub(super) fn routes() -> Routes<Identity> {
    Routes::new("session")
        .allow(Access::Public, routes!(passkey_challenge))
        .allow(Access::Public, routes!(sign_in_with_passkey))
        .allow(Access::SessionOwner, routes!(prove))
}

/// What a browser is asked to show a passkey.
#[derive(Serialize, ToSchema)]
pub(super) struct PasskeyAsked {
    /// To be given back with the browser's answer. Good for five minutes, and once.
    pub state: String,
    /// For `PublicKeyCredential.parseRequestOptionsFromJSON`, or `parseCreationOptionsFromJSON` where one is to be made.
    #[schema(value_type = Object)]
    pub public_key: Value,
}

/// Begin to show a passkey, for signing in or for proving a session
///
/// Nothing is kept here: the state comes back with the browser's answer.
#[utoipa::path(post, path = "/api/v1/session/passkey/challenge", responses(
    (status = 200, description = "What the browser is asked", body = PasskeyAsked),
    (status = 409, description = "Passkeys are not set up"),
))]
async fn passkey_challenge(State(identity): State<Identity>) -> Result<Json<PasskeyAsked>, Problem> {
    let (public_key, state) = identity.prover.challenge()?;
    Ok(Json(PasskeyAsked { state, public_key }))
}

/// A passkey, in the place of name and password.
// no Debug: it signs somebody in
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct PasskeySignIn {
    /// What came with the challenge.
    state: String,
    /// What the browser answered: `PublicKeyCredential.toJSON()`.
    #[schema(value_type = Object)]
    credential: Value,
    /// Whether the session is to be kept in a cookie that pages cannot read. Otherwise the answer holds the token.
    #[serde(default)]
    cookie: bool,
}

/// Sign in with a passkey alone: it is both factors, so neither name nor password is asked.
#[utoipa::path(post, path = "/api/v1/session/passkey", request_body = PasskeySignIn, responses(
    (status = 201, description = "The session began, and is proved", body = SessionBegun),
    (status = 401, description = "The passkey is not known, was not shown to this console, or not now; or the account is disabled"),
    (status = 409, description = "Passkeys are not set up"),
))]
async fn sign_in_with_passkey(
    State(identity): State<Identity>,
    knock: Knock,
    Json(request): Json<PasskeySignIn>,
) -> Result<Response, Problem> {
    let PasskeySignIn { state, credential, cookie } = request;
    let begun = identity.sign_in.by_passkey(&identity.prover, &PasskeyShown { state, credential }, &knock.visitor).await?;
    answered(&identity, begun, cookie, &knock).await
}

/// What proves a session: one of these.
// no Debug: it holds codes
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ProofShown {
    /// The code that an authenticator app shows, or that of a demo.
    code: Option<String>,
    /// A recovery code; it is used up.
    recovery_code: Option<String>,
    /// A passkey.
    passkey: Option<PasskeyShown>,
    /// The token of a device that is known, where it is in no cookie.
    device: Option<String>,
    /// Whether this device is to be known from now on. Browsers with the session in a cookie are, unless this says otherwise.
    remember_device: Option<bool>,
}

/// A session that is proved.
#[derive(Serialize, ToSchema)]
struct SessionProved {
    /// How it stands now.
    second_factor: SecondFactor,
    /// How many recovery codes are left.
    recovery_codes_left: i64,
    /// The token of the session from now on, where it is in no cookie and was proved for the first time: the one before has ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<String>,
    /// The token by which this device is known from now on, where that was asked for and it is in no cookie.
    #[serde(skip_serializing_if = "Option::is_none")]
    device: Option<String>,
}

/// Show one's second factor: after the password, and again where an act asks for a fresh proof
///
/// Exactly one of `code`, `recovery_code` and `passkey`. Every code is good once. A session that is proved for the first time goes on under another
/// token, in the cookie or in the answer.
#[utoipa::path(post, path = "/api/v1/session/proof", request_body = ProofShown, responses(
    (status = 200, description = "Proved, and fresh for a while", body = SessionProved),
    (status = 403, description = "It is wrong, too late, or was used before"),
    (status = 422, description = "None, or more than one"),
    (status = 429, description = "Too many wrong codes: a passkey or a recovery code still works"),
))]
async fn prove(
    State(identity): State<Identity>,
    owner: SessionOwner,
    credential: Credential,
    knock: Knock,
    Json(request): Json<ProofShown>,
) -> Result<Response, Problem> {
    let brought = match (&request.code, &request.recovery_code, &request.passkey) {
        (Some(code), None, None) => Brought::Code(code),
        (None, Some(code), None) => Brought::RecoveryCode(code),
        (None, None, Some(shown)) => Brought::Passkey(shown),
        _ => {
            let fault = FieldFault::new("code", "须提供 code、recovery_code、passkey 之一", "takes one of code, recovery_code and passkey");
            return Err(Error::Invalid(vec![fault]).into());
        }
    };
    let token = TokenHash::of(credential.token());
    let knock = knock.with(request.device.as_deref());
    let (session, token) = identity.prover.prove(&owner, &token, brought, &knock.visitor).await?;
    let (second_factor, given) = proved(&identity, owner.id, &knock, request.remember_device, &session, token).await?;
    let mut connection = identity.platform.database.pool().acquire().await?;
    let recovery_codes_left = recovery_code::left(&mut connection, owner.id).await?;
    let Given { headers, token, device } = given;
    Ok((StatusCode::OK, headers, Json(SessionProved { second_factor, recovery_codes_left, token, device })).into_response())
}

/// What follows when a session was proved: where it was is known from now on, unless its owner says otherwise, and the caller is told how it stands.
pub(super) async fn proved(
    identity: &Identity,
    owner: StaffId,
    knock: &Knock,
    remember: Option<bool>,
    session: &Session,
    token: Option<Token>,
) -> Result<(SecondFactor, Given), Error> {
    let device = known_from_now_on(identity, owner, knock, remember.unwrap_or(knock.in_browser)).await?;
    let standing = session.proof().ok_or(Error::SessionOver)?;
    let mut connection = identity.platform.database.pool().acquire().await?;
    let second_factor = identity.prover.second_factor(&mut connection, owner, Ok(standing)).await?;
    Ok((second_factor, given(identity, session, token, device, knock.in_browser)?))
}

/// Notes where somebody has signed in with both factors: the network, and a known device, or this one where it is to be known from now on. The
/// token by which it is, which its browser is told anew each time.
pub(super) async fn known_from_now_on(identity: &Identity, staff: StaffId, knock: &Knock, wanted: bool) -> Result<Option<Token>, Error> {
    let now = identity.now();
    let mut tx = identity.platform.database.begin().await?;
    known_network::note(&mut tx, staff, knock.visitor.network(), now).await?;
    let is_known = match &knock.visitor.device {
        Some(token) => device::note_use(&mut tx, staff, token, now).await?,
        None => false,
    };
    let token = match knock.device() {
        Some(token) if is_known && (wanted || knock.in_browser) => Some(token),
        presented if wanted => Some(device::remember(&mut tx, staff, presented, now).await?),
        _ => None,
    };
    tx.commit().await?;
    Ok(token)
}

/// What a caller is given: in cookies, or to be told.
pub(super) struct Given {
    pub headers: HeaderMap,
    pub token: Option<String>,
    pub device: Option<String>,
}

/// The tokens of a session and a device, in cookies or to be told.
pub(super) fn given(
    identity: &Identity,
    session: &Session,
    token: Option<Token>,
    device: Option<Token>,
    in_browser: bool,
) -> Result<Given, Error> {
    let (token, device) = (token.map(Token::into_text), device.map(Token::into_text));
    if !in_browser {
        return Ok(Given { headers: HeaderMap::new(), token, device });
    }
    let mut headers = HeaderMap::new();
    if let Some(token) = token {
        headers.append(SET_COOKIE, session_cookie(&token, session.ends_at - identity.now(), identity.cookie_secure)?);
    }
    if let Some(device) = device {
        headers.append(SET_COOKIE, device_cookie(Token::presented(&device), identity.cookie_secure)?);
    }
    Ok(Given { headers, token: None, device: None })
}
