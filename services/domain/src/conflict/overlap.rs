//! Whether two alerts reach people in one place.

use std::collections::BTreeSet;

use super::Said;
use crate::area::Area;
use crate::audience::{Audience, AudienceQuery, Selection};

/// Places that are told at most.
const TOLD: usize = 10;

crate::words! {
    /// How the places of one alert lie to those of another.
    #[schema(as = ConflictOverlap)]
    pub enum Overlap {
        /// The same places.
        Same => "范围相同",
        /// The other's lie in its own.
        Contains => "包含另一条的范围",
        /// Its own lie in the other's.
        Within => "在另一条的范围内",
        /// Some are in both.
        Partly => "部分重叠",
        /// One of them names people: they live, or may live, where the other holds.
        People => "涉及点名人员",
    }
}

/// How the places of the first lie to those of the second, and where both hold; none: nobody is reached by both, as far as places tell.
#[must_use]
pub fn overlap(one: &Said<'_>, other: &Said<'_>) -> Option<(Overlap, Vec<Area>)> {
    match (one.audience, other.audience) {
        (Audience::Residents(own), Audience::Residents(others)) => {
            (!own.is_disjoint(others)).then(|| (Overlap::People, Vec::from_iter(one.district.or(other.district).map(Area::District))))
        }
        (Audience::Residents(_), Audience::Query(query)) => named_in(one, query),
        (Audience::Query(query), Audience::Residents(_)) => named_in(other, query),
        (Audience::Query(own), Audience::Query(others)) => of_queries(own, others),
    }
}

/// Where people live whom an alert names is not told by their numbers; whose alert it is says in which district most of them do.
fn named_in(names: &Said<'_>, query: &AudienceQuery) -> Option<(Overlap, Vec<Area>)> {
    let home = names.district.map_or(Area::City, Area::District);
    let mut areas: Vec<Area> =
        query.include.iter().flat_map(places).filter_map(|area| smaller(home, area)).filter(|area| !is_excluded(query, *area)).collect();
    tidy(&mut areas);
    (!areas.is_empty()).then_some((Overlap::People, areas))
}

fn of_queries(own: &AudienceQuery, others: &AudienceQuery) -> Option<(Overlap, Vec<Area>)> {
    let pairs = own.include.iter().flat_map(|one| others.include.iter().map(move |other| (one, other)));
    let mut areas: Vec<Area> = pairs
        .filter(|(one, other)| meet(&one.industries, &other.industries) && meet(&one.languages, &other.languages))
        .flat_map(|(one, other)| {
            let own: Vec<Area> = places(one).collect();
            let theirs: Vec<Area> = places(other).collect();
            own.into_iter().flat_map(move |one| theirs.clone().into_iter().filter_map(move |other| smaller(one, other)))
        })
        .filter(|area| !is_excluded(own, *area) && !is_excluded(others, *area))
        .collect();
    if areas.is_empty() {
        return None;
    }
    let all = |query: &AudienceQuery| query.include.iter().flat_map(places).collect::<BTreeSet<Area>>();
    let (own, theirs) = (all(own), all(others));
    let covers = |one: &BTreeSet<Area>, other: &BTreeSet<Area>| other.iter().all(|area| one.iter().any(|large| large.contains(*area)));
    let overlap = match (covers(&own, &theirs), covers(&theirs, &own)) {
        (true, true) => Overlap::Same,
        (true, false) => Overlap::Contains,
        (false, true) => Overlap::Within,
        (false, false) => Overlap::Partly,
    };
    tidy(&mut areas);
    Some((overlap, areas))
}

/// The places of a selection; without any it is for the whole city.
fn places(selection: &Selection) -> impl Iterator<Item = Area> + use<> {
    let areas = if selection.areas.is_empty() { vec![Area::City] } else { selection.areas.clone() };
    areas.into_iter()
}

/// Where both are: the smaller one, if it lies in the other.
fn smaller(one: Area, other: Area) -> Option<Area> {
    if one.contains(other) { Some(other) } else { other.contains(one).then_some(one) }
}

/// Whether everybody there is left out.
fn is_excluded(query: &AudienceQuery, area: Area) -> bool {
    let whole = |selection: &&Selection| selection.industries.is_empty() && selection.languages.is_empty();
    query.exclude.iter().filter(whole).any(|selection| places(selection).any(|excluded| excluded.contains(area)))
}

/// Whether something is asked by both: an empty list asks for all.
fn meet<T: PartialEq>(one: &[T], other: &[T]) -> bool {
    one.is_empty() || other.is_empty() || one.iter().any(|wanted| other.contains(wanted))
}

/// Each once, none that lies in another, a few at most.
fn tidy(areas: &mut Vec<Area>) {
    areas.sort_unstable();
    areas.dedup();
    let all = areas.clone();
    areas.retain(|area| !all.iter().any(|large| large != area && large.contains(*area)));
    areas.truncate(TOLD);
}
