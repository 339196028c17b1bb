//! A record as a source sends it, for the description of the interface and for clients written in Rust.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use domain::area::{Area, CommunityCode, DistrictCode, TownshipCode};
use domain::identity_document::IdentityKind;
use domain::ids::ResidentNo;
use domain::record_life::Correction;
use domain::risk_record::{AttributeValue, Origin, RecordKind, RiskLevel};
use serde::Serialize;
use utoipa::ToSchema;

/// What a source sends in one row: a record, the correction of one, or that it takes one back.
#[derive(Clone, Serialize, ToSchema)]
#[serde(untagged)]
pub enum NewRow {
    /// A record, or another content in the place of one that it delivered.
    Record(Box<NewRecord>),
    /// A record that it takes back.
    Retraction(Retraction),
}

/// A record that its source takes back 撤回: it was a mistake, and nothing takes its place.
#[derive(Clone, Serialize, ToSchema)]
pub struct Retraction {
    /// The id under which it was delivered.
    #[schema(example = "cdc-2026-001874")]
    pub source_id: String,
    /// `retract`.
    pub correction: Correction,
    /// Why, in at most 500 characters: reviewers of alerts that it led to read it.
    #[schema(example = "同名误报")]
    pub correction_reason: String,
}

/// One risk record (CQ6). Deliberately without `Debug`: it may name a person.
#[derive(Clone, Serialize, ToSchema)]
pub struct NewRecord {
    /// The source's own id of the record, at most 128 characters: by it a record is kept once.
    #[schema(example = "cdc-2026-001874")]
    pub source_id: String,
    /// What kind of fact.
    pub kind: RecordKind,
    /// Which kind of source; the sender's own when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub origin: Option<Origin>,
    /// When it happened or was found, with its offset.
    pub occurred_at: DateTime<Utc>,
    /// Whom or what it is about.
    pub subject: NewSubject,
    /// How high the risk.
    pub level: RiskLevel,
    /// The district that handles it; a registered person's own when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub district: Option<DistrictCode>,
    /// The township, if it is known more closely.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub township: Option<TownshipCode>,
    /// The community, if it is known more closely.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub community: Option<CommunityCode>,
    /// What else the source says: at most 32 texts, numbers or true/false, by names like `isolation_site`.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub attributes: BTreeMap<String, AttributeValue>,
    /// `replace`, when it takes the place of what was delivered under its id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub correction: Option<Correction>,
    /// Why it does, in at most 500 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub correction_reason: Option<String>,
}

/// Whom or what a record is about: exactly one of these. A source that is trusted with it (`ingest.document_sources`) may give a phone together with
/// an identity document of the same person.
#[derive(Clone, Serialize, ToSchema)]
#[serde(untagged)]
pub enum NewSubject {
    /// Whoever has this phone number. Only its keyed hash is kept.
    Phone {
        /// A mobile number: of the mainland as people write it, of another place with + and its code.
        #[schema(example = "138 0000 5678")]
        phone: String,
        /// Of which country or region it is, if no code stands in it: by its name or its code of letters.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[schema(example = "HK")]
        number_country: Option<String>,
    },
    /// Whoever has this identity document. Only the keyed hash of its number is kept.
    Identity {
        /// Its number.
        #[schema(example = "11010519491231002X")]
        identity_number: String,
        /// What kind of document it is; needed where the number could be of several.
        #[serde(skip_serializing_if = "Option::is_none")]
        identity_kind: Option<IdentityKind>,
        /// The country that issued it, by its name or its code of letters; needed for a passport.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[schema(example = "GBR")]
        number_country: Option<String>,
    },
    /// A registered resident.
    Resident {
        /// Their number.
        resident_no: ResidentNo,
    },
    /// A place.
    Place {
        /// `city` or the code of an area.
        place: Area,
    },
}
