//! A list that looks unlike what its source usually brings waits for a person before anything of it counts (CQ2, CQ6).
//!
//! A list of ten times the rows, all of one district, or with a column that is empty for once is more likely a mistake at the source than what
//! happened in the city, and people would be told by it. What is usual is learnt from the source's own lists: a source without history has no
//! usual, and a list that a person released is part of it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::area::DistrictCode;
use crate::risk_record::RiskRecord;

/// So many rows of a list are looked at for its profile; what follows is counted only.
pub const PROFILED_ROWS: u64 = 5_000;
/// So many profiles of a source are kept.
pub const PROFILES: usize = 20;
/// Days on which a source delivered that its usual number of rows is taken from.
pub const DAYS: usize = 28;
/// More fields of a list than this are not looked at.
const FIELDS: usize = 200;

/// A list is of one district where so great a share of its records is,
const ALL: f64 = 0.99;
/// and its source brings many districts where never more than this of a list is of one.
const MIXED: f64 = 0.7;
/// A column is usually filled where it is in so great a share of every list,
const FILLED: f64 = 0.9;
/// and empty where it is filled in no more than this.
const EMPTY: f64 = 0.02;
/// Nearly everything is refused,
const REFUSED: f64 = 0.9;
/// where never more than this was.
const SOME_REFUSED: f64 = 0.5;

/// From when on a list is compared; an operator may set it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// So many times the usual rows are unlike the usual; 0: never.
    pub times: u32,
    /// Fewer rows than this are never too many.
    pub fewest_rows: u64,
    /// Of fewer rows than this a profile says nothing.
    pub fewest_profiled: u64,
    /// A source has a usual after so many deliveries.
    pub deliveries: u64,
}

/// What a list looks like.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Profile {
    /// Rows that were looked at.
    pub rows: u64,
    /// The records among them.
    pub records: u64,
    /// The share of them that was refused.
    pub refused: f64,
    /// The share of the records with a district that is of the most frequent one; none where too few name one.
    pub one_district: Option<f64>,
    /// The most frequent one.
    pub district: Option<DistrictCode>,
    /// The share of the records in which a field is filled; nothing of too few.
    pub filled: BTreeMap<String, f64>,
}

/// Counts what becomes a [`Profile`].
#[derive(Debug, Default)]
pub struct Looking {
    rows: u64,
    refused: u64,
    records: u64,
    districts: BTreeMap<DistrictCode, u64>,
    filled: BTreeMap<String, u64>,
}

impl Looking {
    /// Whether nothing more is learnt by looking further.
    #[must_use]
    pub const fn has_enough(&self) -> bool {
        self.rows >= PROFILED_ROWS
    }

    /// Rows that were looked at.
    #[must_use]
    pub const fn rows(&self) -> u64 {
        self.rows
    }

    /// Takes some rows that are no records: refused, or corrections.
    pub const fn add_rows(&mut self, refused: u64, corrections: u64) {
        self.rows += refused + corrections;
        self.refused += refused;
    }

    /// Takes a record, with the areas that it says or implies.
    pub fn add(&mut self, record: &RiskRecord, district: Option<DistrictCode>, township: bool, community: bool) {
        self.rows += 1;
        self.records += 1;
        if let Some(district) = district {
            *self.districts.entry(district).or_default() += 1;
        }
        let areas = [("district", district.is_some()), ("township", township), ("community", community)];
        for (field, _) in areas.into_iter().filter(|(_, filled)| *filled) {
            self.fill(field);
        }
        for name in record.attributes.keys() {
            self.fill(name);
        }
    }

    fn fill(&mut self, field: &str) {
        if let Some(filled) = self.filled.get_mut(field) {
            *filled += 1;
        } else if self.filled.len() < FIELDS {
            self.filled.insert(field.to_owned(), 1);
        }
    }

    /// What was seen; `fewest` as in [`Limits::fewest_profiled`].
    #[must_use]
    pub fn profile(&self, fewest: u64) -> Profile {
        let share = |part: u64, whole: u64| if whole == 0 { 0.0 } else { part as f64 / whole as f64 };
        let placed: u64 = self.districts.values().sum();
        let most = self.districts.iter().max_by_key(|(_, records)| **records).filter(|_| placed >= fewest.max(1));
        let records = if self.records >= fewest.max(1) { self.records } else { 0 };
        Profile {
            rows: self.rows,
            records: self.records,
            refused: share(self.refused, self.rows),
            one_district: most.map(|(_, records)| share(*records, placed)),
            district: most.map(|(district, _)| *district),
            filled: self.filled.iter().filter(|_| records > 0).map(|(field, filled)| (field.clone(), share(*filled, records))).collect(),
        }
    }
}

/// What a source usually brings.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Usual {
    /// How often it has delivered lately.
    pub deliveries: u64,
    /// The largest delivery of each day on which it delivered, in rows.
    pub largest: Vec<u64>,
    /// The largest of its lists that a person has released lately.
    pub released: u64,
    /// What its last lists looked like, of those that were long enough to say something.
    pub profiles: Vec<Profile>,
}

impl Usual {
    /// The rows of a large delivery that is nothing unusual: nine of ten days had none that was larger, or a person has let one pass.
    #[must_use]
    pub fn rows(&self) -> u64 {
        let mut largest = self.largest.clone();
        largest.sort_unstable();
        let of_most_days = largest.get((largest.len() * 9).div_ceil(10).saturating_sub(1)).copied().unwrap_or(0);
        of_most_days.max(self.released)
    }
}

/// How a list is unlike its source's usual.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "why", rename_all = "snake_case")]
pub enum Unlike {
    /// It has many more rows.
    ManyRows {
        /// How many, as far as they were counted or can be foreseen.
        rows: u64,
        /// How many are usual.
        usual: u64,
    },
    /// It is all of one district.
    OneDistrict {
        /// Which.
        district: DistrictCode,
    },
    /// A column that is usually filled is empty.
    EmptyColumn {
        /// The field or attribute.
        field: String,
    },
    /// Nearly everything would be refused.
    Refused {
        /// How much, in percent.
        percent: u32,
    },
}

impl Unlike {
    /// A word for it.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::ManyRows { .. } => "many_rows",
            Self::OneDistrict { .. } => "one_district",
            Self::EmptyColumn { .. } => "empty_column",
            Self::Refused { .. } => "refused",
        }
    }

    /// As a sentence, in Chinese.
    #[must_use]
    pub fn sentence(&self) -> String {
        match self {
            Self::ManyRows { rows, usual } => format!("约 {rows} 行，平时最多约 {usual} 行"),
            Self::OneDistrict { district } => format!("全部属于 {}，平时涉及多个区县", named(*district)),
            Self::EmptyColumn { field } => format!("“{field}”列几乎全空，平时都有内容"),
            Self::Refused { percent } => format!("{percent}% 的行会被拒收，平时不是这样"),
        }
    }

    /// The same in English.
    #[must_use]
    pub fn sentence_en(&self) -> String {
        match self {
            Self::ManyRows { rows, usual } => format!("It has about {rows} rows; {usual} are usual."),
            Self::OneDistrict { district } => format!("All of it is in {district}; several districts are usual."),
            Self::EmptyColumn { field } => format!("The column {field} is empty in nearly all rows; it is usually filled."),
            Self::Refused { percent } => format!("{percent}% of its rows would be refused; that is not usual."),
        }
    }
}

fn named(district: DistrictCode) -> String {
    crate::place::district(district).map_or_else(|| district.to_string(), |known| known.name.to_owned())
}

/// Whether so many rows are too many for this source.
#[must_use]
pub fn too_many(rows: u64, usual: &Usual, limits: Limits) -> Option<Unlike> {
    let most = usual.rows();
    let has_usual = usual.deliveries >= limits.deliveries.max(1) && most > 0 && limits.times > 0;
    let many = rows >= limits.fewest_rows && rows >= most.saturating_mul(u64::from(limits.times));
    (has_usual && many).then_some(Unlike::ManyRows { rows, usual: most })
}

/// How what was seen of a list is unlike the lists before.
#[must_use]
pub fn unlike(seen: &Profile, usual: &Usual, limits: Limits) -> Vec<Unlike> {
    let mut found = Vec::new();
    let (enough, fewest) = (limits.deliveries.max(1), limits.fewest_profiled.max(1));
    let known = &usual.profiles;
    if limits.times == 0 || (known.len() as u64) < enough || seen.rows < fewest {
        return found;
    }
    // of too few records districts and columns say nothing, such as of a list that takes records back
    let of_records: Vec<&Profile> = known.iter().filter(|profile| profile.records >= fewest).collect();
    if seen.records >= fewest && of_records.len() as u64 >= enough {
        if let (Some(share), Some(district)) = (seen.one_district, seen.district)
            && share >= ALL
            && of_records.iter().all(|profile| profile.one_district.is_some_and(|usual| usual <= MIXED))
        {
            found.push(Unlike::OneDistrict { district });
        }
        for field in of_records.first().into_iter().flat_map(|profile| profile.filled.keys()) {
            let is_usual = of_records.iter().all(|profile| profile.filled.get(field).is_some_and(|share| *share >= FILLED));
            if is_usual && seen.filled.get(field).is_none_or(|share| *share <= EMPTY) {
                found.push(Unlike::EmptyColumn { field: field.clone() });
            }
        }
    }
    if seen.refused >= REFUSED && known.iter().all(|profile| profile.refused <= SOME_REFUSED) {
        // a share between 0 and 1
        found.push(Unlike::Refused { percent: (seen.refused * 100.0).round() as u32 });
    }
    found
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    const LIMITS: Limits = Limits { times: 10, fewest_rows: 1_000, fewest_profiled: 20, deliveries: 5 };

    fn usual(rows: &[u64]) -> Usual {
        Usual { deliveries: rows.len() as u64, largest: rows.to_vec(), ..Usual::default() }
    }

    #[rstest]
    #[case::as_usual(200, &[200; 5], false)]
    #[case::nine_times(1_999, &[200; 5], false)]
    #[case::ten_times(2_000, &[200; 5], true)]
    #[case::ten_times_of_little_is_little(999, &[10; 5], false)]
    #[case::a_source_without_history(1_000_000, &[200; 4], false)]
    #[case::a_source_that_never_brought_a_row(1_000_000, &[0; 9], false)]
    #[case::one_freak_day_makes_no_usual(20_000, &[200, 200, 200, 200, 200, 200, 200, 200, 200, 200, 50_000], true)]
    #[case::a_long_list_now_and_then_is_usual(3_000, &[1, 1, 1, 1, 3_000, 1, 1, 1, 1, 3_000], false)]
    fn too_many_rows_are_ten_times_the_usual(#[case] rows: u64, #[case] before: &[u64], #[case] unlike: bool) {
        assert_eq!(too_many(rows, &usual(before), LIMITS).is_some(), unlike);
    }

    #[test]
    fn a_list_that_was_released_is_part_of_the_usual() {
        let released = Usual { released: 2_000, ..usual(&[200; 5]) };
        assert_eq!(too_many(2_000, &released, LIMITS), None);
    }

    #[test]
    fn lists_that_take_records_back_do_not_hide_what_is_usual() {
        let before = profile(0.5, &[("site", 1.0)], 0.0);
        let taken_back = Profile { rows: 30, ..Profile::default() };
        let usual = Usual { profiles: [vec![taken_back.clone(); 3], vec![before; 5]].concat(), ..Usual::default() };
        let words = |seen: &Profile| unlike(seen, &usual, LIMITS).iter().map(Unlike::word).collect::<Vec<_>>();
        assert_eq!(words(&profile(1.0, &[], 0.0)), ["one_district", "empty_column"]);
        assert_eq!(words(&taken_back), Vec::<&str>::new());
    }

    #[test]
    fn nothing_is_held_where_an_operator_says_so() {
        assert_eq!(too_many(u64::MAX, &usual(&[200; 5]), Limits { times: 0, ..LIMITS }), None);
    }

    fn profile(one_district: f64, filled: &[(&str, f64)], refused: f64) -> Profile {
        Profile {
            rows: 100,
            records: 100 - (refused * 100.0) as u64,
            refused,
            one_district: Some(one_district),
            district: Some("500103".parse().unwrap()),
            filled: filled.iter().map(|(field, share)| ((*field).to_owned(), *share)).collect(),
        }
    }

    #[rstest]
    #[case::as_usual(profile(0.4, &[("district", 1.0), ("site", 0.95)], 0.1), &[])]
    #[case::all_of_one_district(profile(1.0, &[("district", 1.0), ("site", 1.0)], 0.0), &["one_district"])]
    #[case::a_column_empty(profile(0.4, &[("district", 1.0)], 0.0), &["empty_column"])]
    #[case::a_column_nearly_empty(profile(0.4, &[("district", 1.0), ("site", 0.01)], 0.0), &["empty_column"])]
    #[case::a_column_half_empty(profile(0.4, &[("district", 1.0), ("site", 0.5)], 0.0), &[])]
    #[case::the_only_column_empty(profile(0.4, &[], 0.0), &["empty_column", "empty_column"])]
    #[case::nearly_everything_refused(profile(0.4, &[], 0.97), &["refused"])]
    #[case::too_few_rows_to_say(Profile { rows: 19, ..profile(1.0, &[("district", 1.0)], 1.0) }, &[])]
    fn a_list_is_unlike_where_none_before_was_like_it(#[case] seen: Profile, #[case] expected: &[&str]) {
        let before = profile(0.5, &[("district", 1.0), ("site", 0.95), ("note", 0.3)], 0.2);
        let usual = Usual { profiles: vec![before; 5], ..Usual::default() };
        assert_eq!(unlike(&seen, &usual, LIMITS).iter().map(Unlike::word).collect::<Vec<_>>(), expected);
        let short = Usual { profiles: usual.profiles[..4].to_vec(), ..Usual::default() };
        assert_eq!(unlike(&seen, &short, LIMITS), [], "a source without history has no usual");
    }

    proptest! {
        /// Whatever came before, a list like the last one passes.
        #[test]
        fn what_passed_once_passes_again(one in 0.0..1.0f64, refused in 0.0..1.0f64, filled in 0.0..1.0f64, rows in 1u64..1_000_000) {
            let seen = profile(one, &[("site", filled)], refused);
            let usual = Usual { deliveries: 9, largest: vec![rows], profiles: vec![seen.clone(); 5], released: 0 };
            prop_assert_eq!(unlike(&seen, &usual, LIMITS), []);
            prop_assert_eq!(too_many(rows, &usual, LIMITS), None);
        }
    }
}
