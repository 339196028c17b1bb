//! Areas by their names, as people write them: 渝中区, 渝中, 重庆市渝中区, Yuzhong.

use crate::area::{CommunityCode, DistrictCode, TownshipCode};
use crate::digits::visible;
use crate::place::{self, CITY_NAME};

/// Why a name is no area's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PlaceNameError {
    /// No area of the city has this name.
    #[error("no area of the city has this name")]
    Unknown,
    /// Several have it.
    #[error("several areas of the city have this name")]
    Several,
}

const DISTRICT_ENDINGS: [&str; 6] = ["土家族苗族自治县", "苗族土家族自治县", "土家族自治县", "自治县", "区", "县"];
const TOWNSHIP_ENDINGS: [&str; 5] = ["街道办事处", "街道", "镇", "民族乡", "乡"];
const COMMUNITY_ENDINGS: [&str; 7] = ["社区居民委员会", "社区居委会", "居民委员会", "居委会", "村民委员会", "村委会", "社区"];

/// The district of this name.
///
/// # Errors
/// When none has it.
pub fn district(text: &str) -> Result<DistrictCode, PlaceNameError> {
    let text = visible(text);
    let name = text.strip_prefix(CITY_NAME).unwrap_or(&text);
    let english = name.strip_suffix(" District").or_else(|| name.strip_suffix(" County")).unwrap_or(name);
    let is_this = |known: &str| known == name || short(known, &DISTRICT_ENDINGS) == name;
    only(
        place::districts()
            .iter()
            .filter(|district| is_this(district.name) || district.name_en.eq_ignore_ascii_case(english))
            .map(|district| district.code),
    )
}

/// The township of this name, within a district where that is known.
///
/// # Errors
/// When none has it, or several have.
pub fn township(text: &str, within: Option<DistrictCode>) -> Result<TownshipCode, PlaceNameError> {
    let name = visible(text);
    let list = within.map_or_else(place::townships, place::townships_of);
    let is_this = |known: &str| known == name || short(known, &TOWNSHIP_ENDINGS) == name;
    only(list.iter().filter(|township| is_this(township.name)).map(|township| township.code))
}

/// The community of this name, within a township or district where that is known.
///
/// # Errors
/// When none has it, or several have.
pub fn community(text: &str, township: Option<TownshipCode>, district: Option<DistrictCode>) -> Result<CommunityCode, PlaceNameError> {
    let name = visible(text);
    let own = short(&name, &COMMUNITY_ENDINGS);
    let list = township.map_or_else(place::communities, place::communities_of);
    let lies_within = |code: CommunityCode| district.is_none_or(|district| code.district() == district);
    let same = |known: &str| known == name || short(known, &COMMUNITY_ENDINGS) == own;
    only(list.iter().filter(|community| lies_within(community.code) && same(community.name)).map(|community| community.code))
}

/// A name without what kind of area it is.
fn short<'n>(name: &'n str, endings: &[&str]) -> &'n str {
    endings.iter().find_map(|ending| name.strip_suffix(ending)).filter(|short| !short.is_empty()).unwrap_or(name)
}

fn only<T>(mut found: impl Iterator<Item = T>) -> Result<T, PlaceNameError> {
    let one = found.next().ok_or(PlaceNameError::Unknown)?;
    if found.next().is_some() { Err(PlaceNameError::Several) } else { Ok(one) }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("渝中区")]
    #[case("渝中")]
    #[case("重庆市渝中区")]
    #[case(" 渝中区 ")]
    #[case("Yuzhong")]
    #[case("yuzhong District")]
    fn a_district_is_known_by_its_name(#[case] text: &str) {
        assert_eq!(district(text).map(DistrictCode::get), Ok(500_103));
    }

    #[test]
    fn every_district_is_known_by_its_whole_and_its_short_name() {
        for known in place::districts() {
            assert_eq!(district(known.name), Ok(known.code), "{}", known.name);
            assert_eq!(district(short(known.name, &DISTRICT_ENDINGS)), Ok(known.code), "{}", known.name);
        }
    }

    #[test]
    fn townships_and_communities_are_known_within_what_they_lie_in() {
        let wanzhou = district("万州").unwrap();
        let township_code = township("高笋塘", Some(wanzhou)).unwrap();
        assert_eq!(township_code.get(), 500_101_001);
        assert_eq!(community("东方广场社区", Some(township_code), None).map(CommunityCode::get), Ok(500_101_001_001));
        assert_eq!(community("东方广场社区居民委员会", None, Some(wanzhou)).map(CommunityCode::get), Ok(500_101_001_001));
        assert_eq!(township("高笋塘街道", Some(district("渝中").unwrap())), Err(PlaceNameError::Unknown));
    }

    #[test]
    fn a_name_of_nothing_or_of_several_is_refused() {
        assert_eq!(district("朝阳区"), Err(PlaceNameError::Unknown));
        assert_eq!(district(""), Err(PlaceNameError::Unknown));
        assert_eq!(community("新华社区", None, None), Err(PlaceNameError::Several));
    }
}
