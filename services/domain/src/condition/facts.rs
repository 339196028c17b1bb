//! What conditions are told of a record.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, LazyLock};

use cel::common::types::{CelBool, CelDouble, CelMap, CelMapKey, CelString, CelTimestamp};
use cel::common::value::Val;
use cel::{Context, Env};
use chrono::{DateTime, Utc};

use crate::area::{Area, CommunityCode, DistrictCode, TownshipCode};
use crate::risk_record::{AttributeValue, Origin, RecordKind, RiskLevel, RiskRecord, Subject};

/// The standard functions and types without macros, so without loops. Building it takes longer than thousands of evaluations.
pub(super) static ENVIRONMENT: LazyLock<Arc<Env>> = LazyLock::new(|| Arc::new(Env::default().with_optional_support(false).with_stdlib()));

/// A record as a condition sees it, whether it comes from a source or from the feed of stored records.
#[derive(Clone, Copy, Debug)]
pub struct RecordView<'a> {
    /// What kind of fact.
    pub kind: RecordKind,
    /// Which kind of source.
    pub origin: Origin,
    /// How high the risk.
    pub level: RiskLevel,
    /// The district that handles it.
    pub district: DistrictCode,
    /// Where the subject lives or the place lies, if known so closely.
    pub township: Option<TownshipCode>,
    /// Where the subject lives or the place lies, if known so closely.
    pub community: Option<CommunityCode>,
    /// When it happened or was found.
    pub occurred_at: DateTime<Utc>,
    /// What else the source says.
    pub attributes: &'a BTreeMap<String, AttributeValue>,
}

/// The facts about one record at one moment, ready to be asked by any number of conditions.
pub struct Facts(Context<'static, 'static>);

impl Facts {
    /// The facts about a record as its source sent it; where a person lives is not part of it.
    pub fn of(record: &RiskRecord, now: DateTime<Utc>) -> Self {
        let (township, community) = match record.subject {
            Subject::Place(Area::Township(township)) => (Some(township), None),
            Subject::Place(Area::Community(community)) => (Some(community.township()), Some(community)),
            _ => (None, None),
        };
        let RiskRecord { kind, origin, level, district, occurred_at, ref attributes, .. } = *record;
        Self::new(&RecordView { kind, origin, level, district, township, community, occurred_at, attributes }, now)
    }

    /// The facts about a record at `now`, from which its age counts.
    pub fn new(record: &RecordView<'_>, now: DateTime<Utc>) -> Self {
        let mut context = Context::with_env(Arc::clone(&ENVIRONMENT));
        let mut tell = |name: &str, value: Box<dyn Val>| context.add_variable_as_val(name, value);
        tell("kind", text(record.kind.as_ref()));
        tell("origin", text(record.origin.as_ref()));
        tell("level", text(record.level.as_ref()));
        tell("district", text(&record.district.to_string()));
        if let Some(township) = record.township {
            tell("township", text(&township.to_string()));
        }
        if let Some(community) = record.community {
            tell("community", text(&community.to_string()));
        }
        tell("occurred_at", Box::new(CelTimestamp::from(record.occurred_at.fixed_offset())));
        // Whole milliseconds fit the 52 bits of a double for 140,000 years.
        let age_hours = (now - record.occurred_at).num_milliseconds() as f64 / 3_600_000.0;
        tell("age_hours", Box::new(CelDouble::from(age_hours)));
        let attributes: HashMap<CelMapKey<'static>, Box<dyn Val>> =
            record.attributes.iter().map(|(name, value)| (CelMapKey::from(name.clone()), attribute(value))).collect();
        tell("attributes", Box::new(CelMap::from(attributes)));
        Self(context)
    }

    pub(super) const fn context(&self) -> &Context<'static, 'static> {
        &self.0
    }
}

fn text(text: &str) -> Box<dyn Val> {
    Box::new(CelString::from(text.to_owned()))
}

fn attribute(value: &AttributeValue) -> Box<dyn Val> {
    match value {
        AttributeValue::Bool(yes) => Box::new(CelBool::from(*yes)),
        AttributeValue::Number(number) => Box::new(CelDouble::from(*number)),
        AttributeValue::Text(value) => text(value),
    }
}
