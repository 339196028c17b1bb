//! Signing in and out, who am I, a new password.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use domain::ids::{SessionId, StaffId};
use domain::second_factor::{self, Act, Holder};
use domain::staff::{Role, Scope};
use http::header::SET_COOKIE;
use http::{HeaderValue, StatusCode};
use platform::http::{Access, Credential, Json, Path, PathId, Problem, Routes, SESSION_COOKIE, SessionOwner, StaffCaller, routes};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::identity::Identity;
use super::proof::{Given, given, known_from_now_on};
use super::visitor::Knock;
use crate::account::{self, Staff};
use crate::password::{Lane, Password};
use crate::proving::SecondFactor;
use crate::session::OwnSession;
use crate::sign_in::SignedIn;
use crate::token::TokenHash;
use crate::{Error, SCHEMA};

pub(super) fn routes() -> Routes<Identity> {
    Routes::new("session")
        .allow(Access::Public, routes!(sign_in))
        .allow(Access::Public, routes!(activate))
        .allow(Access::SessionOwner, routes!(who_am_i, sign_out))
        .allow(Access::ANY_STAFF, routes!(change_password))
        .allow(Access::ANY_STAFF, routes!(end_others))
        .allow(Access::ANY_STAFF, routes!(own_sessions))
        .allow(Access::ANY_STAFF, routes!(end_one))
}

/// Name and password.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct SignInRequest {
    /// Login name.
    login: String,
    /// Password.
    password: Password,
    /// Whether the session is to be kept in a cookie that pages cannot read. Otherwise the answer holds the token.
    #[serde(default)]
    cookie: bool,
    /// The token of a device that is known, where it is in no cookie.
    device: Option<String>,
}

/// A session that began.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct SessionBegun {
    /// Token of the session, for `Authorization: Bearer`; absent when it went into the cookie.
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<String>,
    /// When the session ends at the latest.
    ends_at: DateTime<Utc>,
    /// Whose it is.
    staff: SignedInStaff,
}

/// Who is signed in.
#[derive(Debug, Serialize, ToSchema)]
struct SignedInStaff {
    /// The account.
    id: StaffId,
    /// Name shown to colleagues.
    name: String,
    /// What they are.
    role: Role,
    /// Where they are it.
    scope: Scope,
    /// From when on they may approve, confirm and send, if their account waits.
    acts_from: Option<DateTime<Utc>>,
    /// How the session stands to their second factor.
    second_factor: SecondFactor,
}

/// Sign in
///
/// Whoever has a second factor has to show it then (`second_factor.needs`): until they have, the session opens nothing.
#[utoipa::path(post, path = "/api/v1/session", request_body = SignInRequest, responses(
    (status = 201, description = "The session began", body = SessionBegun),
    (status = 401, description = "Name or password are wrong, or the account is disabled"),
    (status = 429, description = "Too many attempts"),
))]
async fn sign_in(State(identity): State<Identity>, knock: Knock, Json(request): Json<SignInRequest>) -> Result<Response, Problem> {
    let knock = knock.with(request.device.as_deref());
    let begun = identity.sign_in.sign_in(&request.login, request.password, &knock.visitor).await?;
    answered(&identity, begun, request.cookie, &knock).await
}

/// A code and the password that its owner chose.
// no Debug: it holds the code
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ActivationRequest {
    /// Login name.
    login: String,
    /// The half of the code that the administrator has who proposed the account or its reset.
    first_half: String,
    /// The half that the administrator has who confirmed it.
    second_half: String,
    /// The password from now on: at least 12 characters, without the login name.
    password: Password,
    /// As for signing in.
    #[serde(default)]
    cookie: bool,
}

/// Set one's own password on a new or reset account, and sign in
///
/// Until then the account can do nothing; then, where its role needs one, nothing but enrol a second factor. A code is good once, and for a few days.
#[utoipa::path(post, path = "/api/v1/session/activation", request_body = ActivationRequest, responses(
    (status = 201, description = "The password is set and the session began", body = SessionBegun),
    (status = 401, description = "Name or code are wrong, or the code is void"),
    (status = 422, description = "The password is too weak"),
    (status = 429, description = "Too many attempts"),
))]
async fn activate(State(identity): State<Identity>, knock: Knock, Json(request): Json<ActivationRequest>) -> Result<Response, Problem> {
    let halves = [request.first_half.as_str(), &request.second_half];
    let begun = identity.sign_in.activate(&request.login, halves, request.password, &knock.visitor).await?;
    answered(&identity, begun, request.cookie, &knock).await
}

/// A session that began, its token in the cookie or in the answer.
pub(super) async fn answered(identity: &Identity, begun: SignedIn, in_cookie: bool, knock: &Knock) -> Result<Response, Problem> {
    let (Given { headers, token, .. }, body) = entered(identity, begun, in_cookie, knock).await?;
    Ok((StatusCode::CREATED, headers, Json(SessionBegun { token, ..body })).into_response())
}

/// What whoever began a session is given and told. A browser that has shown all there is to show is known from now on.
pub(super) async fn entered(identity: &Identity, begun: SignedIn, in_cookie: bool, knock: &Knock) -> Result<(Given, SessionBegun), Error> {
    let Staff { id, name, role, scope, acts_from, .. } = begun.staff;
    let now = identity.now();
    let mut connection = identity.platform.database.pool().acquire().await?;
    let seen = account::seen_by_id(&mut connection, id).await?.ok_or(Error::NoSuchStaff(id))?;
    let holder = Holder { role, has_factor: seen.has_factor, enrol_by: seen.enrol_by };
    let standing = second_factor::standing(holder, begun.session.came_with(), begun.session.proof(), now);
    let second_factor = identity.prover.second_factor(&mut connection, id, standing).await?;
    drop(connection);
    let device = if standing.is_ok() { known_from_now_on(identity, id, knock, in_cookie).await? } else { None };
    let given = given(identity, &begun.session, Some(begun.token), device, in_cookie)?;
    let staff = SignedInStaff { id, name, role, scope, acts_from, second_factor };
    Ok((given, SessionBegun { token: None, ends_at: begun.session.ends_at, staff }))
}

/// Who is signed in, and what the session lacks before it opens anything.
#[utoipa::path(get, path = "/api/v1/session", responses((status = 200, description = "The caller", body = SignedInStaff)))]
async fn who_am_i(State(identity): State<Identity>, owner: SessionOwner) -> Result<Json<SignedInStaff>, Problem> {
    let SessionOwner { id, name, role, scope, acts_from, standing, .. } = owner;
    let mut connection = identity.platform.database.pool().acquire().await?;
    let second_factor = identity.prover.second_factor(&mut connection, id, standing).await?;
    Ok(Json(SignedInStaff { id, name, role, scope, acts_from, second_factor }))
}

/// Sign out: the session ends at once.
#[utoipa::path(delete, path = "/api/v1/session", responses((status = 204, description = "The session ended")))]
async fn sign_out(State(identity): State<Identity>, owner: SessionOwner, credential: Credential) -> Result<Response, Problem> {
    let mut tx = identity.platform.database.begin().await?;
    let entry = owner.did("session.end", "staff", owner.id, identity.now());
    tx.publish(SCHEMA, &entry).await?;
    tx.commit().await?;
    identity.sessions.end(&TokenHash::of(credential.token())).await?;
    let gone = session_cookie("", chrono::TimeDelta::zero(), identity.cookie_secure)?;
    Ok((StatusCode::NO_CONTENT, [(SET_COOKIE, gone)]).into_response())
}

/// A new password for oneself.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct PasswordChange {
    /// The password until now.
    current: Password,
    /// The one from now on: at least 12 characters, without the login name.
    new: Password,
}

/// Change one's own password. All other sessions of the account end
///
/// Takes a fresh proof, where there is a second factor.
#[utoipa::path(post, path = "/api/v1/session/password", request_body = PasswordChange, responses(
    (status = 204, description = "Changed"),
    (status = 403, description = "A fresh proof is needed first"),
    (status = 422, description = "The current password is wrong or the new one too weak"),
    (status = 429, description = "Too many attempts"),
))]
async fn change_password(
    State(identity): State<Identity>,
    caller: StaffCaller,
    credential: Credential,
    Json(request): Json<PasswordChange>,
) -> Result<StatusCode, Problem> {
    caller.must_have_proved(Act::ChangeOwnFactors, identity.now())?;
    let token = TokenHash::of(credential.token());
    let session = identity.sessions.living(&token).await?;
    let staff = identity.sign_in.confirm(caller.id, request.current).await?;
    request.new.check_chosen("new", &staff.login)?;
    let hash = identity.hasher.hash(request.new, Lane::Known).await?;
    let mut tx = identity.platform.database.begin().await?;
    let revision = account::set_password(&mut tx, caller.id, &hash, session.revision).await?;
    let entry = caller.did("staff.change_password", "staff", caller.id, identity.now());
    tx.publish(SCHEMA, &entry).await?;
    tx.commit().await?;
    identity.sessions.carry_over(&token, revision).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// End all one's sessions but this one.
#[utoipa::path(delete, path = "/api/v1/session/others", responses((status = 204, description = "They have ended")))]
async fn end_others(State(identity): State<Identity>, caller: StaffCaller, credential: Credential) -> Result<StatusCode, Problem> {
    let token = TokenHash::of(credential.token());
    let session = identity.sessions.living(&token).await?;
    let mut tx = identity.platform.database.begin().await?;
    let revision = account::end_other_sessions(&mut tx, caller.id, session.revision).await?;
    tx.publish(SCHEMA, &caller.did("session.end_others", "staff", caller.id, identity.now())).await?;
    tx.commit().await?;
    identity.sessions.carry_over(&token, revision).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// One's own sessions, the newest first.
#[utoipa::path(get, path = "/api/v1/session/own", responses((status = 200, description = "The sessions that live", body = Vec<OwnSession>)))]
async fn own_sessions(State(identity): State<Identity>, caller: StaffCaller) -> Result<Json<Vec<OwnSession>>, Problem> {
    let mut connection = identity.platform.database.pool().acquire().await?;
    let account = account::by_id(&mut connection, caller.id).await?.ok_or(Error::NoSuchStaff(caller.id))?;
    let revision = account.credential_revision;
    Ok(Json(identity.sessions.of_staff(&mut connection, caller.id, revision, &caller.session).await?))
}

/// End one of one's own sessions at once.
#[utoipa::path(delete, path = "/api/v1/session/own/{id}", params(("id" = Uuid, Path, description = "The session")), responses(
    (status = 204, description = "It has ended"),
    (status = 404, description = "One has no such session"),
))]
async fn end_one(State(identity): State<Identity>, caller: StaffCaller, Path(id): PathId<SessionId>) -> Result<StatusCode, Problem> {
    let mut tx = identity.platform.database.begin().await?;
    if !identity.sessions.end_of_staff(&mut tx, caller.id, id).await? {
        return Err(Error::NoSuchSession(id).into());
    }
    tx.publish(SCHEMA, &caller.did("session.end", "staff", caller.id, identity.now())).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The session cookie: not for scripts, not for other sites.
pub(super) fn session_cookie(token: &str, lasts: chrono::TimeDelta, secure: bool) -> Result<HeaderValue, Error> {
    let secure = if secure { "; Secure" } else { "" };
    let seconds = lasts.num_seconds();
    let text = format!("{SESSION_COOKIE}={token}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Strict{secure}");
    HeaderValue::from_str(&text).map_err(|_| Error::Stored { what: "session token" })
}
