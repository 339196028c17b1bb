//! Keys of source systems (CQ6): who delivers records, and which.

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};
use domain::area::Area;
use domain::ids::{ApiKeyId, StaffId};
use domain::risk_record::{Origin, RecordKind, is_attribute_name};
use platform::database::{Connection, Database, Tx, readable};
use platform::http::{FieldFault, SourceCaller};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::Error;
use crate::token::TokenHash;

const LONGEST_UNIT: usize = 128;
const MOST_PURPOSES: usize = 20;
/// The longest life of a key, as the table has it too: who holds it is asked again every year.
const LONGEST_LIFE: TimeDelta = TimeDelta::days(366);

/// A key, without its secret.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ApiKey {
    /// The key.
    pub id: ApiKeyId,
    /// Unit that holds it.
    pub unit: String,
    /// Which of the three kinds of source the unit is.
    pub origin: Origin,
    /// The city, or the one district that the unit reports for.
    pub area: Area,
    /// Kinds of record that it may deliver.
    pub kinds: Vec<RecordKind>,
    /// For which purposes it may ask whether something stands against a person.
    pub asks: Vec<String>,
    /// Who made it.
    pub created_by: StaffId,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it ends.
    pub expires_at: DateTime<Utc>,
    /// When it was revoked, if so.
    pub revoked_at: Option<DateTime<Utc>>,
}

/// A key to be made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct NewApiKey {
    /// Unit that will hold it.
    pub unit: String,
    /// Which of the three kinds of source the unit is.
    pub origin: Origin,
    /// `city`, or the code of the one district that the unit reports for.
    pub area: Area,
    /// Kinds of record that it may deliver.
    pub kinds: Vec<RecordKind>,
    /// For which purposes, as rules name them, it may ask whether something stands against a person; left out, for none.
    #[serde(default)]
    pub asks: Vec<String>,
    /// When it ends: in a year at the latest.
    #[serde(deserialize_with = "domain::instant::read")]
    pub expires_at: DateTime<Utc>,
}

impl NewApiKey {
    /// Refuses keys without a name, a use or an end in the future.
    pub fn check(&self, now: DateTime<Utc>) -> Result<(), Error> {
        let mut faults = Vec::new();
        let unit = self.unit.trim();
        if !(1..=LONGEST_UNIT).contains(&unit.chars().count()) || unit.chars().any(char::is_control) {
            faults.push(FieldFault::new("unit", "须为 1–128 个字符，不含换行", "takes 1 to 128 characters on one line"));
        }
        // what staff enter by hand is kept under such a name
        if unit.starts_with("staff:") {
            faults.push(FieldFault::new("unit", "不能以 staff: 开头", "may not begin with staff:"));
        }
        if !matches!(self.area, Area::City | Area::District(_)) {
            faults.push(FieldFault::new("area", "须为全市或一个区县", "is the city or one district"));
        }
        if self.kinds.is_empty() && self.asks.is_empty() {
            faults.push(FieldFault::new("kinds", "至少选择一种记录", "takes at least one kind of record"));
        }
        if self.asks.len() > MOST_PURPOSES || !self.asks.iter().all(|purpose| is_attribute_name(purpose)) {
            faults.push(FieldFault::new(
                "asks",
                "用途代码应为 1 至 40 个小写字母、数字或下划线，最多 20 种",
                "takes up to 20 purposes of 1 to 40 of a-z, 0-9 and _, beginning with a letter",
            ));
        }
        if self.expires_at <= now {
            faults.push(FieldFault::new("expires_at", "须在将来", "lies in the past"));
        }
        if self.expires_at > now + LONGEST_LIFE {
            faults.push(FieldFault::new("expires_at", "最长一年", "is at most a year ahead"));
        }
        if faults.is_empty() { Ok(()) } else { Err(Error::Invalid(faults)) }
    }
}

struct Row {
    id: Uuid,
    unit: String,
    origin: String,
    area: String,
    kinds: Vec<String>,
    asks: Vec<String>,
    created_by: Uuid,
    created_at: DateTime<Utc>,
    expires_at: DateTime<Utc>,
    revoked_at: Option<DateTime<Utc>>,
}

impl Row {
    fn into_key(self) -> Result<ApiKey, Error> {
        let kinds = self.kinds.iter().map(|kind| kind.parse().map_err(|_| Error::Stored { what: "api_key.kinds" }));
        Ok(ApiKey {
            id: self.id.into(),
            unit: self.unit,
            origin: self.origin.parse().map_err(|_| Error::Stored { what: "api_key.origin" })?,
            area: self.area.parse().map_err(|_| Error::Stored { what: "api_key.area" })?,
            kinds: kinds.collect::<Result<_, _>>()?,
            asks: self.asks,
            created_by: self.created_by.into(),
            created_at: self.created_at,
            expires_at: self.expires_at,
            revoked_at: self.revoked_at,
        })
    }
}

/// Makes the key with this hash.
pub(crate) async fn insert(tx: &mut Tx, new: &NewApiKey, hash: TokenHash, by: StaffId, now: DateTime<Utc>) -> Result<ApiKey, Error> {
    new.check(now)?;
    // Each once, however often it was named.
    let kinds: BTreeSet<String> = new.kinds.iter().map(ToString::to_string).collect();
    let kinds: Vec<String> = kinds.into_iter().collect();
    let asks: BTreeSet<&str> = new.asks.iter().map(String::as_str).collect();
    let asks: Vec<String> = asks.into_iter().map(str::to_owned).collect();
    let row = sqlx::query_as!(
        Row,
        "insert into identity.api_key (id, token_hash, unit, origin, area, kinds, asks, created_by, created_at, expires_at)
         values ($1, $2, $3, $4, $5, $6, $10, $7, $8, $9)
         returning id, unit, origin, area, kinds, asks, created_by, created_at, expires_at, revoked_at",
        ApiKeyId::new().uuid(),
        hash.bytes(),
        new.unit.trim(),
        new.origin.as_ref(),
        new.area.to_string(),
        &kinds,
        by.uuid(),
        now,
        new.expires_at,
        &asks,
    )
    .fetch_one(&mut **tx)
    .await?;
    row.into_key()
}

/// All keys, newest first.
pub(crate) async fn all(database: &Database) -> Result<Vec<ApiKey>, Error> {
    let rows = sqlx::query_as!(
        Row,
        "select id, unit, origin, area, kinds, asks, created_by, created_at, expires_at, revoked_at
         from identity.api_key order by id desc"
    )
    .fetch_all(database.pool())
    .await?;
    Ok(readable("api keys", rows.into_iter().map(Row::into_key)))
}

/// Revokes a key. Whether it was in use until now.
pub(crate) async fn revoke(connection: &mut Connection, id: ApiKeyId, now: DateTime<Utc>) -> Result<bool, Error> {
    let revoked = sqlx::query!(
        "with before as (select id, revoked_at from identity.api_key where id = $1 for update)
         update identity.api_key k set revoked_at = coalesce(k.revoked_at, $2) from before where k.id = before.id
         returning before.revoked_at",
        id.uuid(),
        now,
    )
    .fetch_optional(connection)
    .await?
    .ok_or(Error::NoSuchKey(id))?;
    Ok(revoked.revoked_at.is_none())
}

/// The source that presents this key, if the key is in force.
pub(crate) async fn source(database: &Database, token: &TokenHash, now: DateTime<Utc>) -> Result<Option<SourceCaller>, Error> {
    let row = sqlx::query_as!(
        Row,
        r#"select id as "id!", unit as "unit!", origin as "origin!", area as "area!", kinds as "kinds!", asks as "asks!", created_by as "created_by!",
                  created_at as "created_at!", expires_at as "expires_at!", revoked_at
             from identity.presented_key where token_hash = $1 and revoked_at is null and expires_at > $2"#,
        token.bytes(),
        now,
    )
    .fetch_optional(database.pool())
    .await?;
    let Some(row) = row else { return Ok(None) };
    let ApiKey { id, unit, origin, area, kinds, asks, .. } = row.into_key()?;
    Ok(Some(SourceCaller { key_id: id, unit, origin, area, kinds, asks }))
}
