//! A query made ready to be asked about many residents: first about a home, then, by one bit each, about who lives there.

use std::collections::BTreeSet;

use strum::VariantArray as _;

use super::{AudienceQuery, Selection};
use crate::area::Area;
use crate::industry::Industry;
use crate::language::Language;

/// An [`AudienceQuery`] ready for many questions. `query.compile().among(home).selects(industry, language)` is what
/// [`AudienceQuery::selects`] says of a resident with these traits.
#[derive(Debug, Clone)]
pub struct CompiledQuery {
    include: Vec<CompiledSelection>,
    exclude: Vec<CompiledSelection>,
}

/// Who is selected among the people of one home, by industry and language.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Selected(u64);

#[derive(Debug, Clone)]
struct CompiledSelection {
    /// Empty asks nothing.
    areas: BTreeSet<Area>,
    /// Whom it selects in its areas.
    traits: Selected,
}

impl AudienceQuery {
    /// The same query, ready for many questions.
    #[must_use]
    pub fn compile(&self) -> CompiledQuery {
        let compiled = |selections: &[Selection]| selections.iter().map(CompiledSelection::of).collect();
        CompiledQuery { include: compiled(&self.include), exclude: compiled(&self.exclude) }
    }
}

impl CompiledQuery {
    /// Whom it selects among those of whom `home` is the smallest area known that they live in.
    #[must_use]
    pub fn among(&self, home: Area) -> Selected {
        let any = |selections: &[CompiledSelection]| {
            let about_here = selections.iter().filter(|selection| selection.is_about(home));
            about_here.fold(0, |selected, selection| selected | selection.traits.0)
        };
        let included = any(&self.include);
        // most homes are in nobody's audience
        if included == 0 { Selected(0) } else { Selected(included & !any(&self.exclude)) }
    }
}

impl Selected {
    /// Nobody at all.
    #[must_use]
    pub const fn is_nobody(self) -> bool {
        self.0 == 0
    }

    /// Whether people of this industry, or of none, with this language are among them.
    #[must_use]
    pub const fn selects(self, industry: Option<Industry>, language: Language) -> bool {
        self.0 & bit(industry, language) != 0
    }
}

impl CompiledSelection {
    fn of(selection: &Selection) -> Self {
        let industries = std::iter::once(None).chain(Industry::VARIANTS.iter().copied().map(Some));
        let combinations = industries.flat_map(|industry| Language::VARIANTS.iter().map(move |language| (industry, *language)));
        let selected = combinations.filter(|(industry, language)| selection.asks_for(*industry, *language));
        Self {
            areas: selection.areas.iter().copied().collect(),
            traits: Selected(selected.fold(0, |bits, (industry, language)| bits | bit(industry, language))),
        }
    }

    /// What contains a home is the home itself and what it lies in: four look-ups, however many areas are named.
    fn is_about(&self, home: Area) -> bool {
        let named = |area: Option<Area>| area.is_some_and(|area| self.areas.contains(&area));
        self.areas.is_empty()
            || named(Some(Area::City))
            || named(home.district().map(Area::District))
            || named(home.township().map(Area::Township))
            || named(Some(home))
    }
}

/// Each combination of industry (or none) and language has a bit of its own.
const fn bit(industry: Option<Industry>, language: Language) -> u64 {
    let industry = match industry {
        None => 0,
        Some(industry) => industry as usize + 1,
    };
    1 << (industry * Language::VARIANTS.len() + language as usize)
}

const _: () = assert!((Industry::VARIANTS.len() + 1) * Language::VARIANTS.len() <= u64::BITS as usize, "a bit for each combination");

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::audience::ResidentTraits;

    /// Few enough places that queries and homes meet, and every way in which they can.
    const AREAS: [&str; 10] =
        ["city", "500101", "500101001", "500101001001", "500101001002", "500101002", "500103", "500103001", "500103001001", "500103002001"];

    fn area() -> impl Strategy<Value = Area> {
        prop::sample::select(&AREAS[..]).prop_map(|code| code.parse().unwrap())
    }

    fn selection() -> impl Strategy<Value = Selection> {
        (
            prop::collection::vec(area(), 0..4),
            prop::collection::vec(prop::sample::select(Industry::VARIANTS), 0..3),
            prop::collection::vec(prop::sample::select(Language::VARIANTS), 0..2),
        )
            .prop_map(|(areas, industries, languages)| Selection { areas, industries, languages })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]
        #[test]
        fn a_compiled_query_selects_whom_the_query_selects(
            include in prop::collection::vec(selection(), 0..4),
            exclude in prop::collection::vec(selection(), 0..3),
            home in area(),
        ) {
            let query = AudienceQuery { include, exclude };
            let selected = query.compile().among(home);
            let mut anybody = false;
            for industry in std::iter::once(None).chain(Industry::VARIANTS.iter().copied().map(Some)) {
                for language in Language::VARIANTS.iter().copied() {
                    let expected = query.selects(&ResidentTraits { home, industry, language });
                    prop_assert_eq!(selected.selects(industry, language), expected, "{:?} {:?}", industry, language);
                    anybody |= expected;
                }
            }
            prop_assert_eq!(selected.is_nobody(), !anybody);
        }
    }
}
