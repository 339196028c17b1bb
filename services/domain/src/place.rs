//! The gazetteer: which districts, townships and communities the city has, and what they are called.
//!
//! The lists are part of the program (`data/`, origin in its README) and are read once, on first use: 38 districts and
//! counties, 1,031 townships and subdistricts, 11,270 villages and urban communities. Each list is in the order of the
//! codes, so the parts of an area are one slice.

use std::sync::LazyLock;

use crate::area::{Area, CommunityCode, DistrictCode, TownshipCode};

/// The city's name.
pub const CITY_NAME: &str = "重庆市";

/// A district or county.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct District {
    /// Its GB/T 2260 code.
    pub code: DistrictCode,
    /// Its name, for instance 渝中区.
    pub name: &'static str,
    /// Its English name, for instance Yuzhong.
    pub name_en: &'static str,
    /// Its residents in the census of 2020.
    pub population_2020: u32,
}

/// A township or subdistrict.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Township {
    /// Its code.
    pub code: TownshipCode,
    /// Its name, for instance 高笋塘街道.
    pub name: &'static str,
}

/// A village or urban community.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Community {
    /// Its code.
    pub code: CommunityCode,
    /// Its name, for instance 东方广场社区居民委员会.
    pub name: &'static str,
}

struct Gazetteer {
    districts: Vec<District>,
    townships: Vec<Township>,
    communities: Vec<Community>,
}

static GAZETTEER: LazyLock<Gazetteer> = LazyLock::new(|| Gazetteer {
    districts: rows(include_str!("../data/districts.csv"), |fields| {
        let [code, name, name_en, population] = *fields else { return None };
        Some(District { code: code.parse().ok()?, name, name_en, population_2020: population.parse().ok()? })
    }),
    townships: rows(include_str!("../data/townships.csv"), |fields| {
        let [code, name, _district] = *fields else { return None };
        Some(Township { code: code.parse().ok()?, name })
    }),
    communities: rows(include_str!("../data/communities.csv"), |fields| {
        let [code, name, _township, _district] = *fields else { return None };
        Some(Community { code: code.parse().ok()?, name })
    }),
});

/// The rows of an embedded list. Its fields have no quotes, so they can be borrowed from the program itself.
fn rows<T>(csv: &'static str, row: impl Fn(&[&'static str]) -> Option<T>) -> Vec<T> {
    csv.lines()
        .skip(1)
        .map(|line| {
            let fields: Vec<&'static str> = line.split(',').collect();
            row(&fields).expect("the lists are part of the program and a test reads every row")
        })
        .collect()
}

/// All districts and counties, by code.
#[must_use]
pub fn districts() -> &'static [District] {
    &GAZETTEER.districts
}

/// All townships and subdistricts, by code.
#[must_use]
pub fn townships() -> &'static [Township] {
    &GAZETTEER.townships
}

/// All villages and urban communities, by code.
#[must_use]
pub fn communities() -> &'static [Community] {
    &GAZETTEER.communities
}

/// The townships of a district, by code.
#[must_use]
pub fn townships_of(district: DistrictCode) -> &'static [Township] {
    part(townships(), district, |township| township.code.district())
}

/// The communities of a township, by code.
#[must_use]
pub fn communities_of(township: TownshipCode) -> &'static [Community] {
    part(communities(), township, |community| community.code.township())
}

/// The slice of a list in code order that lies in one area.
fn part<T, C: Ord>(list: &'static [T], of: C, lies_in: impl Fn(&T) -> C) -> &'static [T] {
    let start = list.partition_point(|item| lies_in(item) < of);
    let length = list[start..].partition_point(|item| lies_in(item) == of);
    &list[start..start + length]
}

/// The district with this code.
#[must_use]
pub fn district(code: DistrictCode) -> Option<&'static District> {
    districts().binary_search_by_key(&code, |district| district.code).ok().map(|index| &districts()[index])
}

/// The township with this code.
#[must_use]
pub fn township(code: TownshipCode) -> Option<&'static Township> {
    townships().binary_search_by_key(&code, |township| township.code).ok().map(|index| &townships()[index])
}

/// The community with this code.
#[must_use]
pub fn community(code: CommunityCode) -> Option<&'static Community> {
    communities().binary_search_by_key(&code, |community| community.code).ok().map(|index| &communities()[index])
}

/// Whether the city has this area.
#[must_use]
pub fn knows(area: Area) -> bool {
    name(area).is_some()
}

/// The area's own name, without what it lies in.
#[must_use]
pub fn name(area: Area) -> Option<&'static str> {
    match area {
        Area::City => Some(CITY_NAME),
        Area::District(code) => district(code).map(|district| district.name),
        Area::Township(code) => township(code).map(|township| township.name),
        Area::Community(code) => community(code).map(|community| community.name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lists_are_complete_and_in_order() {
        assert_eq!((districts().len(), townships().len(), communities().len()), (38, 1_031, 11_270));
        assert_eq!(districts().iter().map(|district| district.population_2020).sum::<u32>(), 32_054_159);
        assert!(districts().is_sorted_by(|one, other| one.code < other.code));
        assert!(townships().is_sorted_by(|one, other| one.code < other.code));
        assert!(communities().is_sorted_by(|one, other| one.code < other.code));
    }

    #[test]
    fn the_parts_of_all_areas_together_are_the_whole_lists() {
        let townships_found: usize = districts().iter().map(|district| townships_of(district.code).len()).sum();
        let communities_found: usize = townships().iter().map(|township| communities_of(township.code).len()).sum();
        assert_eq!((townships_found, communities_found), (townships().len(), communities().len()));
    }

    #[test]
    fn areas_have_names_or_are_unknown() {
        let name_of = |code: &str| name(code.parse().unwrap());
        assert_eq!(name_of("city"), Some("重庆市"));
        assert_eq!(name_of("500103"), Some("渝中区"));
        assert_eq!(name_of("500101001"), Some("高笋塘街道"));
        assert_eq!(name_of("500101001001"), Some("东方广场社区居民委员会"));
        assert_eq!((name_of("110101"), name_of("500101999"), name_of("500101001999")), (None, None, None));
    }
}
