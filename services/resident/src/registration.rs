//! Registration by phone and one-time code.
//!
//! The answer to a request for a code is the same whether the number is known or not, so that nobody can ask which numbers
//! are registered. A code is good for five minutes and five tries; a number may ask once a minute and ten times a day.

use std::time::Duration;

use axum::extract::State;
use chrono::TimeDelta;
use domain::area::CommunityCode;
use domain::consent;
use domain::country::{Country, CountryError};
use domain::identity_document::{IdentityDocument, IdentityError, IdentityKind};
use domain::industry::Industry;
use domain::language::Language;
use domain::phone::{PhoneNumber, PhoneNumberError};
use http::StatusCode;
use platform::crypto::Purpose;
use platform::http::{Access, FieldFault, Json, Problem, Routes, routes};
use proto::ResidentRegistered;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::consent::stored_version;
use crate::profile::{self, Place};
use crate::{Error, SCHEMA, Service, directory, session, short_message};

const TRIES: u64 = 5;
const A_DAY: Duration = Duration::from_secs(24 * 3600);

pub(crate) fn routes() -> Routes<Service> {
    Routes::new("registration").allow(Access::Public, routes!(request_code)).allow(Access::Public, routes!(register))
}

/// Asks for a one-time code.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct CodeRequest {
    /// Mobile number: of the mainland as people write it, of another country or region with + and its code.
    #[schema(example = "138 1234 5678")]
    phone: String,
}

/// What to expect after asking for a code.
#[derive(Serialize, ToSchema)]
struct CodeSent {
    /// Seconds for which the code is good.
    valid_s: u32,
    /// Seconds after which another one may be asked for.
    again_s: u32,
}

/// Send a one-time code by SMS
#[utoipa::path(post, path = "/api/v1/registration/code", request_body = CodeRequest,
    responses((status = 202, description = "A code is on its way", body = CodeSent)))]
async fn request_code(
    State(service): State<Service>,
    Json(request): Json<CodeRequest>,
) -> Result<(StatusCode, axum::Json<CodeSent>), Problem> {
    let phone = parse_phone(&request.phone)?;
    let (platform, settings) = (&service.platform, &service.settings);
    let hash = directory::phone_hash(&platform.keyring, &phone);
    let (again, valid) = (Duration::from_secs(settings.code_again_s.into()), Duration::from_secs(settings.code_valid_s.into()));

    let name = hex::encode(hash);
    if platform.cache.incr(&format!("code-again:{name}"), again).await.map_err(Error::from)? > 1 {
        return Err(Error::TooManyCodes { after: again }.into());
    }
    if platform.cache.incr(&format!("code-day:{name}"), A_DAY).await.map_err(Error::from)? > u64::from(settings.codes_per_day) {
        return Err(Error::TooManyCodes { after: A_DAY }.into());
    }

    let code = format!("{:06}", rand::random_range(0..1_000_000u32));
    platform.cache.set(&format!("code:{name}"), &code_hash(&service, &hash, &code), valid).await.map_err(Error::from)?;
    platform.cache.delete(&format!("code-tries:{name}")).await.map_err(Error::from)?;

    let text = format!("【{}】验证码 {code}，{} 分钟内有效。请勿告知他人。", settings.signature, settings.code_valid_s / 60);
    let now = platform.clock.now();
    let phone_sealed = platform.keyring.seal(Purpose::ResidentPhone, phone.e164().as_bytes()).into_bytes();
    let mut tx = platform.database.begin().await.map_err(Error::from)?;
    short_message::send(&mut tx, platform, phone_sealed, &text, now + TimeDelta::seconds(settings.code_valid_s.into())).await?;
    tx.commit().await.map_err(Error::from)?;
    Ok((StatusCode::ACCEPTED, axum::Json(CodeSent { valid_s: settings.code_valid_s, again_s: settings.code_again_s })))
}

/// Registers, or signs in with a number that is known.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Registration {
    /// The number that received the code.
    phone: String,
    /// The code from the SMS.
    code: String,
    /// Name, if given; shown to community workers, masked to everybody else.
    name: Option<String>,
    /// Number of an identity document, if given, so that risk records find the person. Only its keyed hash is kept.
    identity_number: Option<String>,
    /// What kind of document that is; needed where the number could be of several.
    identity_kind: Option<IdentityKind>,
    /// The country that issued it, by its name or its code of letters; needed for a passport.
    #[schema(example = "GBR")]
    identity_country: Option<String>,
    /// Community or village where the person lives, 12 digits.
    #[schema(value_type = String, example = "500103001001")]
    community: CommunityCode,
    /// Language of alerts.
    #[serde(default)]
    language: Language,
    /// Industry of the person's employer, for alerts to one industry.
    industry: Option<Industry>,
    /// Version of the privacy notice that was shown and agreed to (CQ1).
    consent_version: u16,
}

/// A registered resident's way in.
#[derive(Serialize, ToSchema)]
pub(crate) struct Registered {
    /// The resident's number.
    resident_no: u32,
    /// Bearer token of the app; shown once.
    token: String,
}

/// Register with the code from the SMS
#[utoipa::path(post, path = "/api/v1/registration", request_body = Registration,
    responses((status = 201, description = "Registered and signed in", body = Registered)))]
async fn register(
    State(service): State<Service>,
    Json(request): Json<Registration>,
) -> Result<(StatusCode, axum::Json<Registered>), Problem> {
    let phone = parse_phone(&request.phone)?;
    if request.consent_version != consent::CURRENT_VERSION {
        return Err(Error::ConsentMissing { current: consent::CURRENT_VERSION }.into());
    }
    let identity = parse_identity(&request)?;
    let place = Place::of(request.community)?;
    let name = profile::parse_name(request.name)?;
    let hash = directory::phone_hash(&service.platform.keyring, &phone);
    redeem(&service, &hash, &request.code).await?;

    let platform = &service.platform;
    let identity_kind = identity.as_ref().map(IdentityDocument::kind);
    let identity_hash = identity.map(|document| directory::identity_hash(&platform.keyring, &document));
    let phone_sealed = platform.keyring.seal(Purpose::ResidentPhone, phone.e164().as_bytes()).into_bytes();
    let name_sealed = name.map(|name| platform.keyring.seal(Purpose::ResidentName, name.as_bytes()).into_bytes());
    let now = platform.clock.now();

    let mut tx = platform.database.begin().await.map_err(Error::from)?;
    let stored = sqlx::query_scalar!(
        "insert into resident.resident (phone_hash, phone_sealed, name_sealed, identity_hash, identity_kind, district, township, community, industry,
             language, notices, registered_at)
         values ($1, $2, $3, $4, $11, $5, $6, $7, $8, $9, true, $10)
         on conflict (phone_hash) do update set
             name_sealed = coalesce(excluded.name_sealed, resident.name_sealed),
             identity_hash = coalesce(excluded.identity_hash, resident.identity_hash),
             identity_kind = case when excluded.identity_hash is null then resident.identity_kind else excluded.identity_kind end,
             district = excluded.district, township = excluded.township, community = excluded.community,
             industry = coalesce(excluded.industry, resident.industry), language = excluded.language, notices = true
         returning resident_no",
        &hash[..],
        phone_sealed,
        name_sealed,
        identity_hash.as_ref().map(|hash| &hash[..]),
        place.district,
        place.township,
        place.community,
        request.industry.map(|industry| industry.as_ref().to_owned()),
        request.language.as_ref(),
        now,
        identity_kind.map(|kind| kind.as_ref().to_owned()),
    )
    .fetch_one(&mut *tx)
    .await
    .map_err(identity_taken_or("registering a resident"))?;
    let no = directory::resident_no(stored);

    // a standing consent to an older text ends where the new one begins
    sqlx::query!("update resident.consent set withdrawn_at = $2 where resident_no = $1 and withdrawn_at is null", stored, now)
        .execute(&mut *tx)
        .await
        .map_err(Error::database("ending an older consent"))?;
    sqlx::query!(
        "insert into resident.consent (resident_no, version, told_at, given_at) values ($1, $2, $3, $3)
         on conflict (resident_no, given_at) do update set withdrawn_at = null, withdrawn_by = null",
        stored,
        stored_version(),
        now
    )
    .execute(&mut *tx)
    .await
    .map_err(Error::database("recording consent"))?;
    let token = session::open(&mut tx, no, now).await?;
    tx.publish(
        SCHEMA,
        &ResidentRegistered { resident_no: no.get(), phone_hash: hash.to_vec(), identity_hash: identity_hash.map(|hash| hash.to_vec()) },
    )
    .await
    .map_err(Error::from)?;
    tx.commit().await.map_err(Error::from)?;
    Ok((StatusCode::CREATED, axum::Json(Registered { resident_no: no.get(), token })))
}

/// Uses the code up, or counts the wrong try.
async fn redeem(service: &Service, phone_hash: &[u8; 32], code: &str) -> Result<(), Error> {
    let cache = &service.platform.cache;
    let name = hex::encode(phone_hash);
    let valid = Duration::from_secs(service.settings.code_valid_s.into());
    if cache.incr(&format!("code-tries:{name}"), valid).await? > TRIES {
        cache.delete(&format!("code:{name}")).await?;
        return Err(Error::TooManyCodes { after: valid });
    }
    let right = code_hash(service, phone_hash, code.trim());
    // Both sides are keyed hashes, so comparing them tells nothing about the code.
    let guessed = cache.get(&format!("code:{name}")).await?.is_some_and(|stored| stored == right);
    // taken, not just read: of two requests with the right code one is let in
    if guessed && cache.take(&format!("code:{name}")).await?.is_some() {
        cache.delete(&format!("code-tries:{name}")).await?;
        Ok(())
    } else {
        Err(Error::Code)
    }
}

fn code_hash(service: &Service, phone_hash: &[u8; 32], code: &str) -> Vec<u8> {
    let mut told = phone_hash.to_vec();
    told.extend_from_slice(code.as_bytes());
    service.platform.keyring.hash(Purpose::OneTimeCode, &told).to_vec()
}

fn parse_phone(text: &str) -> Result<PhoneNumber, Error> {
    text.parse().map_err(|error: PhoneNumberError| Error::Invalid(vec![FieldFault::new("phone", error.chinese(), error.to_string())]))
}

/// The document that somebody gave, if any.
fn parse_identity(request: &Registration) -> Result<Option<IdentityDocument>, Error> {
    let Some(number) = &request.identity_number else { return Ok(None) };
    let said = request.identity_country.as_deref().map(str::trim).filter(|country| !country.is_empty());
    let country: Option<Country> = said
        .map(str::parse)
        .transpose()
        .map_err(|error: CountryError| Error::Invalid(vec![FieldFault::new("identity_country", error.chinese(), error.to_string())]))?;
    IdentityDocument::read(number, request.identity_kind, country).map(Some).map_err(|error| {
        let field = match error {
            IdentityError::KindNeeded | IdentityError::OtherKind(_) => "identity_kind",
            IdentityError::CountryNeeded => "identity_country",
            _ => "identity_number",
        };
        Error::Invalid(vec![FieldFault::new(field, error.chinese(), error.to_string())])
    })
}

/// A second registration with the same identity number is told so; any other failure stays one of the database.
pub(crate) fn identity_taken_or(action: &'static str) -> impl Fn(sqlx::Error) -> Error {
    move |source| match source.as_database_error().and_then(|error| error.constraint()) {
        Some("resident_by_identity") => Error::IdentityTaken,
        _ => Error::Database { action, source },
    }
}
