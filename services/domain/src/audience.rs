//! For whom an alert is: the one type in which rules, review and dispatch hand an audience to each other.
//!
//! Records name people, so a rule's audience is a set of residents; staff name areas, industries and languages, so
//! theirs is a query that dispatch resolves when it plans the first wave. Necessity (CQ4) shows here: a query has to
//! name areas, and one that names nothing reaches nobody.

mod compiled;
mod legs;

use std::collections::BTreeSet;

use roaring::RoaringBitmap;
use serde::{Deserialize, Serialize};
use utoipa::openapi::schema::Schema;
use utoipa::openapi::{ObjectBuilder, OneOfBuilder, Ref, RefOr};
use utoipa::{PartialSchema, ToSchema};

use crate::area::{Area, DistrictCode};
use crate::industry::Industry;
use crate::language::Language;
use crate::place;
pub use compiled::{CompiledQuery, Selected};

/// Selections of one query at most, and the areas that they name together: an author looks through them, and so does every count.
const MOST_SELECTIONS: usize = 100;
const MOST_AREAS: usize = 2_000;

/// An alert's audience.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Audience {
    /// These residents, by number.
    Residents(#[serde(with = "as_numbers")] RoaringBitmap),
    /// Whoever the query selects when the alert is planned.
    Query(AudienceQuery),
}

/// Whoever is in one of `include` and in none of `exclude`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AudienceQuery {
    /// One of these has to select the resident.
    pub include: Vec<Selection>,
    /// None of these may.
    #[serde(default)]
    pub exclude: Vec<Selection>,
}

/// Where an alert's people are: in the district whose alert it is, and for one of city level in those that its audience names. Empty: anywhere
/// in the city, or not known.
#[must_use]
pub fn districts_of(owner: Option<DistrictCode>, audience: Option<&Audience>) -> BTreeSet<DistrictCode> {
    owner.map_or_else(|| audience.map(Audience::districts).unwrap_or_default(), |own| BTreeSet::from([own]))
}

/// Residents by what is known of them: *and* between the kinds, *or* inside each; an empty kind asks nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Selection {
    /// Who lives in one of these.
    #[serde(default)]
    pub areas: Vec<Area>,
    /// Who works in one of these.
    #[serde(default)]
    pub industries: Vec<Industry>,
    /// Who reads one of these.
    #[serde(default)]
    pub languages: Vec<Language>,
}

/// What a query asks about a resident.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ResidentTraits {
    /// The smallest area they are known to live in.
    pub home: Area,
    /// Their industry, if they named one.
    pub industry: Option<Industry>,
    /// The language they read.
    pub language: Language,
}

/// What is wrong with an audience.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AudienceError {
    /// Nobody is selected, or everybody by omission.
    #[error("受众为空：请至少选择一个区域（全市请选“全市”）")]
    NoArea,
    /// An exclusion that asks nothing would exclude everybody.
    #[error("第 {number} 个排除条件没有内容，请填写或删除")]
    EmptyExclusion {
        /// Which one, from 1.
        number: usize,
    },
    /// The city has no such area.
    #[error("本市没有代码为 {area} 的区域，请改正")]
    UnknownArea {
        /// The area named.
        area: Area,
    },
    /// More than anybody looks through before approving it.
    #[error("受众条件过多：最多 {MOST_SELECTIONS} 个条件、{MOST_AREAS} 个区域，请改选更大的区域")]
    TooMany,
    /// Bytes that [`Audience::to_bytes`] did not write.
    #[error("stored audience cannot be read: {reason}")]
    Unreadable {
        /// What is wrong with them.
        reason: String,
    },
}

impl AudienceError {
    /// The same for a reader of English.
    #[must_use]
    pub const fn english(&self) -> &'static str {
        match self {
            Self::NoArea => "Select at least one area; for everybody select the whole city.",
            Self::EmptyExclusion { .. } => "One of the exclusions is empty. Fill it in or remove it.",
            Self::UnknownArea { .. } => "The city has no such area. Correct its code.",
            Self::TooMany => "These are too many selections or areas. Select larger areas.",
            Self::Unreadable { .. } => "What is stored cannot be read.",
        }
    }
}

impl Audience {
    /// The first byte of [`Audience::to_bytes`] for people named by number.
    pub const RESIDENTS: u8 = 1;
    /// The first byte of [`Audience::to_bytes`] for a query.
    pub const QUERY: u8 = 2;

    /// Whether this can be somebody's audience.
    ///
    /// # Errors
    /// The first thing wrong, for its author.
    pub fn validate(&self) -> Result<(), AudienceError> {
        match self {
            Self::Residents(residents) if residents.is_empty() => Err(AudienceError::NoArea),
            Self::Residents(_) => Ok(()),
            Self::Query(query) => query.validate(),
        }
    }

    /// The districts outside which nobody is in it; empty if that may be anywhere in the city, as with people named by number.
    #[must_use]
    pub fn districts(&self) -> BTreeSet<DistrictCode> {
        match self {
            Self::Residents(_) => BTreeSet::new(),
            Self::Query(query) => query.districts(),
        }
    }

    /// The audience as bytes for a column or an event: a tag, then the Roaring format or JSON.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        match self {
            Self::Residents(residents) => {
                bytes.push(Self::RESIDENTS);
                residents.serialize_into(&mut bytes).expect("writing to memory does not fail");
            }
            Self::Query(query) => {
                bytes.push(Self::QUERY);
                serde_json::to_writer(&mut bytes, query).expect("lists of codes and words are always JSON");
            }
        }
        bytes
    }

    /// The audience that [`Audience::to_bytes`] wrote.
    ///
    /// # Errors
    /// [`AudienceError::Unreadable`] for anything else.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, AudienceError> {
        let unreadable = |reason: String| AudienceError::Unreadable { reason };
        match bytes.split_first() {
            Some((&Self::RESIDENTS, set)) => {
                RoaringBitmap::deserialize_from(set).map(Self::Residents).map_err(|error| unreadable(error.to_string()))
            }
            Some((&Self::QUERY, json)) => serde_json::from_slice(json).map(Self::Query).map_err(|error| unreadable(error.to_string())),
            Some((tag, _)) => Err(unreadable(format!("unknown tag {tag}"))),
            None => Err(unreadable("no bytes".into())),
        }
    }
}

impl AudienceQuery {
    /// Everybody who lives in the area.
    #[must_use]
    pub fn everybody_in(area: Area) -> Self {
        Self { include: vec![Selection { areas: vec![area], ..Selection::default() }], exclude: Vec::new() }
    }

    /// Whether it selects this resident.
    #[must_use]
    pub fn selects(&self, resident: &ResidentTraits) -> bool {
        self.include.iter().any(|selection| selection.selects(resident))
            && !self.exclude.iter().any(|selection| selection.selects(resident))
    }

    /// The districts outside which nobody is selected; empty if that may be anywhere in the city.
    #[must_use]
    pub fn districts(&self) -> BTreeSet<DistrictCode> {
        let named = self.include.iter().flat_map(|selection| {
            // No area at all means anywhere.
            let anywhere = selection.areas.is_empty().then_some(None);
            anywhere.into_iter().chain(selection.areas.iter().map(|area| area.district()))
        });
        named.collect::<Option<_>>().unwrap_or_default()
    }

    /// Whether everybody selected lives in the area: what an author of limited scope may ask for.
    #[must_use]
    pub fn lies_within(&self, area: Area) -> bool {
        self.include.iter().all(|selection| {
            area == Area::City || (!selection.areas.is_empty() && selection.areas.iter().all(|selected| area.contains(*selected)))
        })
    }

    fn validate(&self) -> Result<(), AudienceError> {
        let selections = || self.include.iter().chain(&self.exclude);
        if selections().count() > MOST_SELECTIONS || selections().map(|selection| selection.areas.len()).sum::<usize>() > MOST_AREAS {
            return Err(AudienceError::TooMany);
        }
        if self.include.is_empty() || self.include.iter().any(|selection| selection.areas.is_empty()) {
            return Err(AudienceError::NoArea);
        }
        if let Some(position) = self.exclude.iter().position(|selection| *selection == Selection::default()) {
            return Err(AudienceError::EmptyExclusion { number: position + 1 });
        }
        let mut areas = selections().flat_map(|selection| &selection.areas);
        match areas.find(|area| !place::knows(**area)) {
            Some(&area) => Err(AudienceError::UnknownArea { area }),
            None => Ok(()),
        }
    }
}

impl Selection {
    /// Whether it selects this resident.
    #[must_use]
    pub fn selects(&self, resident: &ResidentTraits) -> bool {
        (self.areas.is_empty() || self.areas.iter().any(|area| area.contains(resident.home)))
            && self.asks_for(resident.industry, resident.language)
    }

    /// Whether it selects people of this industry and language, where they live in its areas.
    fn asks_for(&self, industry: Option<Industry>, language: Language) -> bool {
        (self.industries.is_empty() || industry.is_some_and(|industry| self.industries.contains(&industry)))
            && (self.languages.is_empty() || self.languages.contains(&language))
    }
}

/// As the derive would write it, were a bitmap a type it knows.
impl PartialSchema for Audience {
    fn schema() -> RefOr<Schema> {
        let residents = ObjectBuilder::new().property("residents", Vec::<u32>::schema()).required("residents");
        let query = ObjectBuilder::new().property("query", Ref::from_schema_name(AudienceQuery::name())).required("query");
        OneOfBuilder::new().item(residents).item(query).description(Some("Residents by number, or a query")).into()
    }
}

impl ToSchema for Audience {
    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        schemas.push((AudienceQuery::name().into_owned(), AudienceQuery::schema()));
        AudienceQuery::schemas(schemas);
    }
}

/// A set of residents as a list of numbers in JSON.
mod as_numbers {
    use roaring::RoaringBitmap;
    use serde::de::Error as _;
    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(residents: &RoaringBitmap, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(residents)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<RoaringBitmap, D::Error> {
        let numbers = Vec::<u32>::deserialize(deserializer)?;
        if numbers.iter().any(|number| i32::try_from(*number).is_err()) {
            return Err(D::Error::custom("a resident number has 31 bits"));
        }
        Ok(RoaringBitmap::from_iter(numbers))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    fn query(json: &str) -> AudienceQuery {
        serde_json::from_str(json).unwrap()
    }

    fn resident(home: &str, industry: Option<Industry>, language: Language) -> ResidentTraits {
        ResidentTraits { home: home.parse().unwrap(), industry, language }
    }

    #[rstest]
    #[case::in_the_district(r#"{"include":[{"areas":["500103"]}]}"#, true)]
    #[case::elsewhere(r#"{"include":[{"areas":["500101"]}]}"#, false)]
    #[case::one_of_two_areas(r#"{"include":[{"areas":["500101","500103"]}]}"#, true)]
    #[case::area_and_industry(r#"{"include":[{"areas":["city"],"industries":["education"]}]}"#, true)]
    #[case::area_and_another_industry(r#"{"include":[{"areas":["city"],"industries":["transport"]}]}"#, false)]
    #[case::area_and_another_language(r#"{"include":[{"areas":["city"],"languages":["en"]}]}"#, false)]
    #[case::second_selection(r#"{"include":[{"areas":["500101"]},{"areas":["500103001"]}]}"#, true)]
    #[case::excluded(r#"{"include":[{"areas":["city"]}],"exclude":[{"areas":["500103001001"]}]}"#, false)]
    #[case::others_excluded(r#"{"include":[{"areas":["city"]}],"exclude":[{"industries":["transport"]}]}"#, true)]
    #[case::nobody_included(r#"{"include":[]}"#, false)]
    fn a_teacher_in_a_community_of_yuzhong_is_selected(#[case] json: &str, #[case] selected: bool) {
        let teacher = resident("500103001001", Some(Industry::Education), Language::ZhCn);
        assert_eq!(query(json).selects(&teacher), selected);
    }

    #[test]
    fn who_named_no_industry_is_in_none() {
        let anybody = query(r#"{"include":[{"areas":["city"],"industries":["education"]}]}"#);
        assert!(!anybody.selects(&resident("500103", None, Language::ZhCn)));
    }

    #[test]
    fn who_is_known_by_district_only_is_not_in_a_community() {
        assert!(!query(r#"{"include":[{"areas":["500103001001"]}]}"#).selects(&resident("500103", None, Language::En)));
    }

    #[rstest]
    #[case::one_district(r#"{"include":[{"areas":["500103"]}]}"#, &["500103"])]
    #[case::parts_of_one(r#"{"include":[{"areas":["500103001","500103001001"]},{"areas":["500103"]}]}"#, &["500103"])]
    #[case::two_districts(r#"{"include":[{"areas":["500103001","500101001"]}]}"#, &["500101", "500103"])]
    #[case::city(r#"{"include":[{"areas":["500103","city"]}]}"#, &[])]
    #[case::no_area(r#"{"include":[{"areas":["500103"]},{"industries":["education"]}]}"#, &[])]
    #[case::nothing(r#"{"include":[]}"#, &[])]
    fn an_audience_names_the_districts_it_lies_in(#[case] json: &str, #[case] districts: &[&str]) {
        let query = query(json);
        let named: Vec<String> = query.districts().iter().map(ToString::to_string).collect();
        assert_eq!(named, districts);
        if let [district] = districts {
            assert!(query.lies_within(district.parse().unwrap()));
        }
        assert!(query.lies_within(Area::City));
    }

    #[rstest]
    #[case(r#"{"include":[{"areas":["500103"]}]}"#, true)]
    #[case(r#"{"include":[{"areas":["500103","500101001"]}]}"#, false)]
    #[case(r#"{"include":[{"areas":["city"]}]}"#, false)]
    #[case::anywhere(r#"{"include":[{"industries":["education"]}]}"#, false)]
    fn an_author_of_one_district_asks_for_no_other(#[case] json: &str, #[case] within: bool) {
        assert_eq!(query(json).lies_within("500103".parse().unwrap()), within);
    }

    #[rstest]
    #[case::nothing(r#"{"query":{"include":[]}}"#, AudienceError::NoArea)]
    #[case::no_area(r#"{"query":{"include":[{"languages":["en"]}]}}"#, AudienceError::NoArea)]
    #[case::nobody(r#"{"residents":[]}"#, AudienceError::NoArea)]
    #[case::empty_exclusion(r#"{"query":{"include":[{"areas":["city"]}],"exclude":[{}]}}"#, AudienceError::EmptyExclusion { number: 1 })]
    #[case::more_than_anybody_reads(&format!(r#"{{"query":{{"include":[{}]}}}}"#, [r#"{"areas":["city"]}"#; 101].join(",")), AudienceError::TooMany)]
    #[case::foreign(r#"{"query":{"include":[{"areas":["110101"]}]}}"#, AudienceError::UnknownArea { area: "110101".parse().unwrap() })]
    fn an_audience_that_disturbs_nobody_or_everybody_by_mistake_is_refused(#[case] json: &str, #[case] error: AudienceError) {
        assert_eq!(serde_json::from_str::<Audience>(json).unwrap().validate(), Err(error));
    }

    #[test]
    fn everybody_in_a_known_area_is_an_audience() {
        let audience = Audience::Query(AudienceQuery::everybody_in("500103".parse().unwrap()));
        assert_eq!(audience.validate(), Ok(()));
        assert_eq!(
            serde_json::to_string(&audience).unwrap().parse::<serde_json::Value>().unwrap()["query"]["include"][0]["areas"][0],
            "500103"
        );
    }

    proptest! {
        #[test]
        fn residents_survive_bytes_and_json(numbers in prop::collection::vec(0..=i32::MAX.cast_unsigned(), 0..200)) {
            let audience = Audience::Residents(numbers.into_iter().collect());
            prop_assert_eq!(&Audience::from_bytes(&audience.to_bytes()).unwrap(), &audience);
            prop_assert_eq!(&serde_json::from_value::<Audience>(serde_json::to_value(&audience).unwrap()).unwrap(), &audience);
        }

        #[test]
        fn a_query_survives_bytes(districts in prop::collection::vec(100_000_u32..=999_999, 0..5), excluded: bool) {
            let areas = districts.iter().map(|code| Area::District(DistrictCode::try_from(*code).unwrap())).collect();
            let selection = Selection { areas, industries: vec![Industry::Postal], languages: vec![Language::En] };
            let exclude = if excluded { vec![selection.clone()] } else { Vec::new() };
            let audience = Audience::Query(AudienceQuery { include: vec![selection], exclude });
            prop_assert_eq!(Audience::from_bytes(&audience.to_bytes()), Ok(audience));
        }

        #[test]
        fn foreign_bytes_are_refused_without_panic(bytes in prop::collection::vec(any::<u8>(), 0..100)) {
            let _ = Audience::from_bytes(&bytes);
        }
    }
}
