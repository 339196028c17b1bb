//! The units that work on orders: a tree from the city down to the community, each with whoever takes its orders.

use axum::extract::State as Shared;
use domain::area::{CommunityCode, DistrictCode};
use domain::ids::UnitId;
use domain::place;
use http::StatusCode;
use platform::Platform;
use platform::database::{Connection, Tx};
use platform::http::{FieldFault, Json, Problem, Routes, StaffCaller, routes};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::access::{MAKING_UNITS, READING_UNITS};
use crate::texts::{needed, optional};
use crate::{Error, SCHEMA, Service, store};

pub(crate) fn routes() -> Routes<Service> {
    Routes::new("casework units").allow(READING_UNITS, routes!(list)).allow(MAKING_UNITS, routes!(make))
}

domain::words! {
    /// How high a unit stands.
    pub enum UnitLevel {
        /// Of the city.
        City => "市级",
        /// Of a district or county.
        District => "区县",
        /// Of a township or subdistrict.
        Township => "乡镇街道",
        /// Of a community.
        Community => "社区",
    }
}

/// A unit as it is made.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewUnit {
    /// Its name, up to 60 characters; no two units share one.
    #[schema(example = "渝中区疾控中心")]
    pub name: String,
    /// Its English name.
    #[serde(default)]
    pub name_en: Option<String>,
    /// How high it stands.
    pub level: UnitLevel,
    /// The unit above it, to which reviews go.
    #[serde(default)]
    pub parent: Option<u32>,
    /// The district that it works for; none: the city.
    #[serde(default)]
    #[schema(value_type = Option<String>, example = "500103")]
    pub district: Option<DistrictCode>,
    /// The community that it works for.
    #[serde(default)]
    #[schema(value_type = Option<String>, example = "500103001001")]
    pub community: Option<CommunityCode>,
    /// Who takes its orders 联络员, in words: a post, not a person's number.
    #[schema(example = "值班联络员")]
    pub liaison: String,
    /// Where it is called on duty.
    #[serde(default)]
    pub phone: Option<String>,
}

/// A unit.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CaseUnit)]
struct Unit {
    unit_id: u32,
    name: String,
    name_en: Option<String>,
    level: UnitLevel,
    parent: Option<u32>,
    #[schema(value_type = Option<String>, example = "500103")]
    district: Option<DistrictCode>,
    #[schema(value_type = Option<String>, example = "500103001001")]
    community: Option<CommunityCode>,
    liaison: String,
    phone: Option<String>,
}

/// A unit as others name it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = CaseUnitName)]
pub(crate) struct UnitName {
    pub(crate) unit_id: u32,
    pub(crate) name: String,
}

/// More units than a city has.
const MOST: i64 = 5_000;

/// All units, by level and name
#[utoipa::path(get, path = "/api/v1/casework/units", responses((status = 200, description = "At most 5,000", body = Vec<Unit>)))]
async fn list(Shared(service): Shared<Service>) -> Result<axum::Json<Vec<Unit>>, Problem> {
    let rows = sqlx::query!(
        "select unit_id, name, name_en, level, parent, district, community, liaison, phone from casework.unit
          order by array_position(array['city', 'district', 'township', 'community'], level), name limit $1",
        MOST
    )
    .fetch_all(service.platform.database.pool())
    .await
    .map_err(Error::database("reading units"))?;
    let units = rows.into_iter().map(|row| {
        Ok::<_, Error>(Unit {
            unit_id: row.unit_id.unsigned_abs(),
            name: row.name,
            name_en: row.name_en,
            level: row.level.parse().map_err(Error::stored("level"))?,
            parent: row.parent.map(i32::unsigned_abs),
            district: row.district.map(DistrictCode::try_from).transpose().map_err(Error::stored("district"))?,
            community: row
                .community
                .map(|code| CommunityCode::try_from(code.unsigned_abs()))
                .transpose()
                .map_err(Error::stored("community"))?,
            liaison: row.liaison,
            phone: row.phone,
        })
    });
    Ok(axum::Json(platform::database::readable("units", units)))
}

/// A unit that was made.
#[derive(Serialize, ToSchema)]
struct UnitMade {
    /// Accounts of its people have the scope `unit:` with this number.
    unit_id: u32,
}

/// Make a unit
#[utoipa::path(post, path = "/api/v1/casework/units", request_body = NewUnit,
    responses((status = 201, description = "Made", body = UnitMade)))]
async fn make(
    Shared(service): Shared<Service>,
    caller: StaffCaller,
    Json(unit): Json<NewUnit>,
) -> Result<(StatusCode, axum::Json<UnitMade>), Problem> {
    let now = service.now();
    let mut tx = service.platform.database.begin().await.map_err(Error::from)?;
    let made = add(&mut tx, &unit).await?;
    tx.publish(SCHEMA, &caller.did("unit_made", "unit", made, now)).await.map_err(Error::from)?;
    tx.commit().await.map_err(Error::from)?;
    Ok((StatusCode::CREATED, axum::Json(UnitMade { unit_id: made.get() })))
}

async fn add(tx: &mut Tx, unit: &NewUnit) -> Result<UnitId, Error> {
    let mut faults = Vec::new();
    let name = needed("name", &unit.name, 60, &mut faults);
    let name_en = optional("name_en", unit.name_en.as_deref(), 120, &mut faults);
    let liaison = needed("liaison", &unit.liaison, 60, &mut faults);
    let phone = optional("phone", unit.phone.as_deref(), 30, &mut faults);
    if unit.district.is_some_and(|code| place::district(code).is_none()) {
        faults.push(FieldFault::new("district", "本市没有此区县", "is not in the city"));
    }
    if unit.community.is_some_and(|code| place::community(code).is_none()) {
        faults.push(FieldFault::new("community", "本市没有此社区", "is not in the city"));
    }
    if !faults.is_empty() {
        return Err(Error::Invalid(faults));
    }
    if let Some(parent) = unit.parent {
        must_exist(tx, &[UnitId::new(parent)]).await?;
    }
    let made = sqlx::query_scalar!(
        "insert into casework.unit (name, name_en, level, parent, district, community, liaison, phone)
         values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict (name) do nothing returning unit_id",
        name,
        name_en,
        unit.level.as_ref(),
        unit.parent.map(u32::cast_signed),
        unit.district.map(store::stored_district),
        unit.community.map(|code| code.get().cast_signed()),
        liaison,
        phone
    )
    .fetch_optional(&mut **tx)
    .await
    .map_err(Error::database("making a unit"))?;
    made.map(store::unit).ok_or(Error::UnitExists)
}

/// The unit of this name, made if there is none: for a demo city.
///
/// # Errors
/// When a field makes no sense or the database fails.
pub async fn ensure(platform: &Platform, unit: &NewUnit) -> Result<UnitId, Error> {
    let mut tx = platform.database.begin().await?;
    let known = sqlx::query_scalar!("select unit_id from casework.unit where name = $1", unit.name)
        .fetch_optional(&mut *tx)
        .await
        .map_err(Error::database("looking for a unit"))?;
    let unit = match known {
        Some(known) => store::unit(known),
        None => add(&mut tx, unit).await?,
    };
    tx.commit().await?;
    Ok(unit)
}

/// Refuses units that there are not.
pub(crate) async fn must_exist(connection: &mut Connection, units: &[UnitId]) -> Result<(), Error> {
    let asked: Vec<i32> = units.iter().map(|unit| store::stored_unit(*unit)).collect();
    let missing = sqlx::query_scalar!(
        r#"select exists (select from unnest($1::int[]) as asked where not exists (select from casework.unit where unit_id = asked)) as "missing!""#,
        &asked
    )
    .fetch_one(connection)
    .await
    .map_err(Error::database("looking for units"))?;
    if missing { Err(Error::NoSuchUnit) } else { Ok(()) }
}

/// The name of a unit.
pub(crate) async fn name(connection: &mut Connection, unit: UnitId) -> Result<String, Error> {
    sqlx::query_scalar!("select name from casework.unit where unit_id = $1", store::stored_unit(unit))
        .fetch_one(connection)
        .await
        .map_err(Error::database("reading a unit"))
}
