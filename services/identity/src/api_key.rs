//! Keys of source systems (CQ6): who delivers records, which, and from where.

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};
use domain::address_block::AddressBlock;
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
const MOST_NETWORKS: usize = 32;
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
    /// From where it is good, as addresses and networks (CIDR); none: from everywhere.
    pub networks: Vec<AddressBlock>,
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
    /// From where it is to be good, as addresses and networks (CIDR); left out, from everywhere.
    #[serde(default)]
    pub networks: Vec<AddressBlock>,
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
        faults.extend(networks_fault(&self.networks));
        if self.expires_at <= now {
            faults.push(FieldFault::new("expires_at", "须在将来", "lies in the past"));
        }
        if self.expires_at > now + LONGEST_LIFE {
            faults.push(FieldFault::new("expires_at", "最长一年", "is at most a year ahead"));
        }
        if faults.is_empty() { Ok(()) } else { Err(Error::Invalid(faults)) }
    }
}

/// What is wrong with the networks of a key.
fn networks_fault(networks: &[AddressBlock]) -> Option<FieldFault> {
    (networks.len() > MOST_NETWORKS).then(|| FieldFault::new("networks", "最多 32 个地址或网段", "takes up to 32 addresses and networks"))
}

/// Refuses networks that no key takes.
pub(crate) fn check_networks(networks: &[AddressBlock]) -> Result<(), Error> {
    networks_fault(networks).map_or(Ok(()), |fault| Err(Error::Invalid(vec![fault])))
}

/// Each once, in order.
pub(crate) fn each_once(networks: &[AddressBlock]) -> Vec<AddressBlock> {
    let each: BTreeSet<AddressBlock> = networks.iter().copied().collect();
    each.into_iter().collect()
}

/// As they are stored.
fn as_texts(networks: &[AddressBlock]) -> Vec<String> {
    each_once(networks).iter().map(ToString::to_string).collect()
}

struct Row {
    id: Uuid,
    unit: String,
    origin: String,
    area: String,
    kinds: Vec<String>,
    asks: Vec<String>,
    networks: Vec<String>,
    created_by: Uuid,
    created_at: DateTime<Utc>,
    expires_at: DateTime<Utc>,
    revoked_at: Option<DateTime<Utc>>,
}

impl Row {
    fn into_key(self) -> Result<ApiKey, Error> {
        let kinds = self.kinds.iter().map(|kind| kind.parse().map_err(|_| Error::Stored { what: "api_key.kinds" }));
        let networks = self.networks.iter().map(|block| block.parse().map_err(|_| Error::Stored { what: "api_key.networks" }));
        Ok(ApiKey {
            id: self.id.into(),
            unit: self.unit,
            origin: self.origin.parse().map_err(|_| Error::Stored { what: "api_key.origin" })?,
            area: self.area.parse().map_err(|_| Error::Stored { what: "api_key.area" })?,
            kinds: kinds.collect::<Result<_, _>>()?,
            asks: self.asks,
            networks: networks.collect::<Result<_, _>>()?,
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
        "insert into identity.api_key (id, token_hash, unit, origin, area, kinds, asks, networks, created_by, created_at, expires_at)
         values ($1, $2, $3, $4, $5, $6, $10, $11, $7, $8, $9)
         returning id, unit, origin, area, kinds, asks, networks, created_by, created_at, expires_at, revoked_at",
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
        &as_texts(&new.networks),
    )
    .fetch_one(&mut **tx)
    .await?;
    row.into_key()
}

/// All keys, newest first.
pub(crate) async fn all(database: &Database) -> Result<Vec<ApiKey>, Error> {
    let rows = sqlx::query_as!(
        Row,
        "select id, unit, origin, area, kinds, asks, networks, created_by, created_at, expires_at, revoked_at
         from identity.api_key order by id desc"
    )
    .fetch_all(database.pool())
    .await?;
    Ok(readable("api keys", rows.into_iter().map(Row::into_key)))
}

/// A key that is in force, for a change of it.
pub(crate) async fn in_force(connection: &mut Connection, id: ApiKeyId, now: DateTime<Utc>) -> Result<ApiKey, Error> {
    sqlx::query_as!(
        Row,
        "select id, unit, origin, area, kinds, asks, networks, created_by, created_at, expires_at, revoked_at
         from identity.api_key where id = $1 and revoked_at is null and expires_at > $2",
        id.uuid(),
        now,
    )
    .fetch_optional(connection)
    .await?
    .ok_or(Error::NoSuchKey(id))?
    .into_key()
}

/// Has a key be good from other networks, if it is still good from where it was when that was proposed.
pub(crate) async fn move_to(tx: &mut Tx, id: ApiKeyId, before: &[AddressBlock], after: &[AddressBlock]) -> Result<(), Error> {
    let moved = sqlx::query!(
        "update identity.api_key set networks = $3 where id = $1 and networks = $2 and revoked_at is null",
        id.uuid(),
        &as_texts(before),
        &as_texts(after),
    )
    .execute(&mut **tx)
    .await?;
    if moved.rows_affected() == 1 { Ok(()) } else { Err(Error::KeyChanged) }
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
        r#"select id as "id!", unit as "unit!", origin as "origin!", area as "area!", kinds as "kinds!", asks as "asks!", networks as "networks!",
                  created_by as "created_by!", created_at as "created_at!", expires_at as "expires_at!", revoked_at
             from identity.presented_key where token_hash = $1 and revoked_at is null and expires_at > $2"#,
        token.bytes(),
        now,
    )
    .fetch_optional(database.pool())
    .await?;
    let Some(row) = row else { return Ok(None) };
    let ApiKey { id, unit, origin, area, kinds, asks, networks, .. } = row.into_key()?;
    Ok(Some(SourceCaller { key_id: id, unit, origin, area, kinds, asks, networks }))
}
