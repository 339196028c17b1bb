//! The way through a city to everybody whom a query may select.

use super::AudienceQuery;
use crate::area::Area;

impl AudienceQuery {
    /// The areas outside of which the query selects nobody: each once, none inside another, in a fixed order. Whoever goes through the
    /// residents of one after the other meets everybody selected once; the query itself decides who that is.
    #[must_use]
    pub fn legs(&self) -> Vec<Area> {
        let named = self.include.iter().flat_map(|selection| match selection.areas.as_slice() {
            [] => &[Area::City],
            areas => areas,
        });
        let mut areas: Vec<Area> = named.copied().collect();
        areas.sort_unstable();
        areas.dedup();
        let inside_another = |area: &Area| areas.iter().any(|other| other != area && other.contains(*area));
        areas.iter().filter(|area| !inside_another(area)).copied().collect()
    }

    /// Whether the query selects everybody who lives in `area`, so that nobody's traits need be asked.
    #[must_use]
    pub fn takes_all_of(&self, area: Area) -> bool {
        let all = |selection: &super::Selection| {
            selection.industries.is_empty()
                && selection.languages.is_empty()
                && (selection.areas.is_empty() || selection.areas.iter().any(|own| own.contains(area)))
        };
        self.exclude.is_empty() && self.include.iter().any(all)
    }
}

#[cfg(test)]
mod tests {
    use strum::VariantArray as _;

    use crate::audience::Selection;
    use crate::industry::Industry;

    use super::*;

    /// Selections apart by `|`, their areas by commas.
    fn query(areas: &str) -> AudienceQuery {
        let selection = |areas: &str| {
            let areas = areas.split(',').filter(|area| !area.is_empty()).map(|area| area.parse().unwrap()).collect();
            Selection { areas, ..Selection::default() }
        };
        AudienceQuery { include: areas.split('|').map(selection).collect(), exclude: vec![] }
    }

    #[rstest::rstest]
    #[case::no_area_is_the_city("", "city")]
    #[case::the_city_takes_everything_in("500103|city", "city")]
    #[case::each_once("500103,500103", "500103")]
    #[case::what_lies_in_another_is_left_out("500101001001,500101001|500101,500103001", "500101,500103001")]
    fn legs_cover_what_is_named_without_overlap(#[case] areas: &str, #[case] expected: &str) {
        let legs: Vec<String> = query(areas).legs().iter().map(ToString::to_string).collect();
        assert_eq!(legs.join(","), expected);
    }

    #[test]
    fn only_a_selection_by_area_alone_takes_all() {
        let district: Area = "500101".parse().unwrap();
        let whole = query("500101");
        assert!(whole.takes_all_of(district) && whole.takes_all_of("500101001".parse().unwrap()));
        assert!(!whole.takes_all_of(Area::City) && !whole.takes_all_of("500103".parse().unwrap()));
        let mut some = whole.clone();
        some.include[0].industries = vec![Industry::VARIANTS[0]];
        assert!(!some.takes_all_of(district));
        let mut but = whole;
        but.exclude = query("500101001").include;
        assert!(!but.takes_all_of(district));
    }
}
