//! What a resident tells about themselves, and forgetting it all.

use axum::extract::State;
use domain::area::CommunityCode;
use domain::binding::Standing;
use domain::identity_document::IdentityKind;
use domain::industry::Industry;
use domain::language::Language;
use domain::place;
use http::StatusCode;
use platform::crypto::Purpose;
use platform::http::{Access, FieldFault, Json, Problem, ResidentCaller, Routes, routes};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{Error, SCHEMA, Service, directory, number};

pub(crate) fn routes() -> Routes<Service> {
    Routes::new("profile")
        .allow(Access::Resident, routes!(read))
        .allow(Access::Resident, routes!(change))
        .allow(Access::Resident, routes!(forget))
}

/// Where somebody lives, as the tables keep it.
pub(crate) struct Place {
    pub(crate) district: i32,
    pub(crate) township: i32,
    pub(crate) community: i64,
}

impl Place {
    /// The community with its township and district, if the gazetteer knows it.
    pub(crate) fn of(code: CommunityCode) -> Result<Self, Error> {
        let unknown = || {
            Error::Invalid(vec![FieldFault::new(
                "community",
                "没有此社区或村的代码，请从列表中选择。",
                "There is no community with this code; choose one from the list.",
            )])
        };
        place::community(code).ok_or_else(unknown)?;
        Ok(Self {
            district: i32::try_from(code.district().get()).map_err(|_| unknown())?,
            township: i32::try_from(code.township().get()).map_err(|_| unknown())?,
            community: i64::try_from(code.get()).map_err(|_| unknown())?,
        })
    }
}

/// My profile.
#[derive(Serialize, ToSchema)]
struct Profile {
    resident_no: u32,
    /// Masked.
    phone: Option<String>,
    name: Option<String>,
    /// Kind of the identity document that I gave; its number is not kept.
    identity_kind: Option<IdentityKind>,
    /// Whether it is proved, so that risk records find me by it.
    identity: Standing,
    community: String,
    language: String,
    industry: Option<String>,
    /// Whether consent stands.
    notices: bool,
    /// Whether a change to another phone number waits for my community.
    number_waits: bool,
}

/// My profile
#[utoipa::path(get, path = "/api/v1/me", responses((status = 200, description = "What is stored about me", body = Profile)))]
async fn read(State(service): State<Service>, caller: ResidentCaller) -> Result<axum::Json<Profile>, Problem> {
    let row = sqlx::query!(
        r#"select phone_sealed, name_sealed, identity_hash is not null as "proved!", identity_kind,
                  claimed_hash is not null as "claimed!", claimed_kind, community, language, industry, notices,
                  exists (select from resident.number_change c where c.resident_no = r.resident_no and c.asked_at >= $2) as "number_waits!"
             from resident.resident r where resident_no = $1"#,
        directory::stored(caller.no),
        service.platform.clock.now() - number::lost::WAITS
    )
    .fetch_optional(service.platform.database.pool())
    .await
    .map_err(Error::database("reading a profile"))?
    .ok_or(Error::NoSuchResident(caller.no))?;
    let keyring = &service.platform.keyring;
    // What somebody says about another document than the proved one is shown: that is what they are asked to prove.
    let (identity, kind) = match (row.proved, row.claimed) {
        (_, true) => (Standing::Claimed, row.claimed_kind),
        (true, false) => (Standing::Proved, row.identity_kind),
        (false, false) => (Standing::None, None),
    };
    Ok(axum::Json(Profile {
        resident_no: caller.no.get(),
        phone: crate::contact::open_phone(keyring, row.phone_sealed)?.map(|phone| phone.masked()),
        name: crate::contact::open_text(keyring, Purpose::ResidentName, row.name_sealed)?,
        identity_kind: directory::identity_kind(identity != Standing::None, kind.as_deref()),
        identity,
        community: format!("{:012}", row.community),
        language: row.language,
        industry: row.industry,
        notices: row.notices,
        number_waits: row.number_waits,
    }))
}

/// Changes of a profile; what is left out stays.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Change {
    name: Option<String>,
    #[schema(value_type = Option<String>)]
    community: Option<CommunityCode>,
    language: Option<Language>,
    industry: Option<Industry>,
}

/// Change my profile
#[utoipa::path(patch, path = "/api/v1/me", request_body = Change, responses((status = 204, description = "Changed")))]
async fn change(State(service): State<Service>, caller: ResidentCaller, Json(change): Json<Change>) -> Result<StatusCode, Problem> {
    let place = change.community.map(Place::of).transpose()?;
    let name = parse_name(change.name)?.map(|name| service.platform.keyring.seal(Purpose::ResidentName, name.as_bytes()).into_bytes());
    sqlx::query!(
        "update resident.resident set name_sealed = coalesce($2, name_sealed), district = coalesce($3, district),
             township = coalesce($4, township), community = coalesce($5, community), language = coalesce($6, language),
             industry = coalesce($7, industry)
         where resident_no = $1",
        directory::stored(caller.no),
        name,
        place.as_ref().map(|place| place.district),
        place.as_ref().map(|place| place.township),
        place.as_ref().map(|place| place.community),
        change.language.map(|language| language.as_ref().to_owned()),
        change.industry.map(|industry| industry.as_ref().to_owned()),
    )
    .execute(service.platform.database.pool())
    .await
    .map_err(Error::database("changing a profile"))?;
    Ok(StatusCode::NO_CONTENT)
}

/// Delete everything about me
#[utoipa::path(delete, path = "/api/v1/me", responses((status = 204, description = "Phone, name, devices and consents are gone")))]
async fn forget(State(service): State<Service>, caller: ResidentCaller) -> Result<StatusCode, Problem> {
    let stored = directory::stored(caller.no);
    let now = service.platform.clock.now();
    let mut tx = service.platform.database.begin().await.map_err(Error::from)?;
    // Numbers are not given out again, so old bitmaps stay right; the row stays as an empty shell that nothing reaches.
    sqlx::query!(
        "update resident.resident set phone_hash = null, phone_sealed = null, name_sealed = null, identity_hash = null, identity_kind = null,
             identity_proof = null, claimed_hash = null, claimed_kind = null, industry = null, notices = false, has_apns = false, has_fcm = false, has_web = false, enrolled_drill = false
         where resident_no = $1",
        stored
    )
    .execute(&mut *tx)
    .await
    .map_err(Error::database("forgetting a resident"))?;
    sqlx::query!("delete from resident.device where resident_no = $1", stored)
        .execute(&mut *tx)
        .await
        .map_err(Error::database("forgetting devices"))?;
    sqlx::query!("delete from resident.session where resident_no = $1", stored)
        .execute(&mut *tx)
        .await
        .map_err(Error::database("forgetting sessions"))?;
    sqlx::query!("delete from resident.binding where resident_no = $1", stored)
        .execute(&mut *tx)
        .await
        .map_err(Error::database("forgetting proofs"))?;
    sqlx::query!("update resident.binding set before_no = null where before_no = $1", stored)
        .execute(&mut *tx)
        .await
        .map_err(Error::database("forgetting whose a document was"))?;
    sqlx::query!("delete from resident.notice where resident_no = $1", stored)
        .execute(&mut *tx)
        .await
        .map_err(Error::database("forgetting notices"))?;
    sqlx::query!("delete from resident.number_change where resident_no = $1", stored)
        .execute(&mut *tx)
        .await
        .map_err(Error::database("forgetting a change of number"))?;
    sqlx::query!("delete from resident.consent where resident_no = $1", stored)
        .execute(&mut *tx)
        .await
        .map_err(Error::database("forgetting consents"))?;
    sqlx::query!("delete from resident.standing where resident_no = $1", stored)
        .execute(&mut *tx)
        .await
        .map_err(Error::database("forgetting what stood against a resident"))?;
    sqlx::query!("delete from resident.standing_question where resident_no = $1", stored)
        .execute(&mut *tx)
        .await
        .map_err(Error::database("forgetting who asked about a resident"))?;
    sqlx::query!("delete from resident.feedback where resident_no = $1", stored)
        .execute(&mut *tx)
        .await
        .map_err(Error::database("forgetting feedback"))?;
    tx.publish(
        SCHEMA,
        &proto::AuditEntry {
            entry_id: uuid::Uuid::now_v7().to_string(),
            actor_kind: "resident".to_owned(),
            actor: caller.no.to_string(),
            action: "resident_forgotten".to_owned(),
            object_kind: "resident".to_owned(),
            object: caller.no.to_string(),
            at_ms: now.timestamp_millis(),
            detail_json: "{}".to_owned(),
            ..Default::default()
        },
    )
    .await
    .map_err(Error::from)?;
    tx.commit().await.map_err(Error::from)?;
    Ok(StatusCode::NO_CONTENT)
}

/// A name of 1 to 50 characters, or none.
pub(crate) fn parse_name(name: Option<String>) -> Result<Option<String>, Error> {
    let Some(name) = name.map(|name| name.trim().to_owned()).filter(|name| !name.is_empty()) else { return Ok(None) };
    if name.chars().count() > 50 || name.chars().any(char::is_control) {
        return Err(Error::Invalid(vec![FieldFault::new(
            "name",
            "姓名最多 50 个字，不能含控制字符。",
            "The name is at most 50 characters without control characters.",
        )]));
    }
    Ok(Some(name))
}
