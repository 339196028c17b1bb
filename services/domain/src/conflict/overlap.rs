//! Whether two alerts reach people in one place.

use std::collections::BTreeSet;

use super::Said;
use crate::area::Area;
use crate::audience::{Audience, AudienceQuery, Selection};
use crate::industry::Industry;
use crate::language::Language;
use roaring::RoaringBitmap;

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

/// Whom an alert reaches, ready to be compared: its places can be looked up.
#[derive(Debug)]
pub(super) enum Reach<'a> {
    /// These people; most of them live there.
    Named(&'a RoaringBitmap, Area),
    /// Whoever is in one of these and in none of the excluded places.
    Selected(Vec<Places<'a>>, BTreeSet<Area>),
}

/// The places of one selection, and whom of them it asks for.
#[derive(Debug)]
pub(super) struct Places<'a> {
    areas: BTreeSet<Area>,
    industries: &'a [Industry],
    languages: &'a [Language],
}

impl<'a> Reach<'a> {
    pub(super) fn of(said: &Said<'a>) -> Self {
        match said.audience {
            Audience::Residents(residents) => Self::Named(residents, said.district.map_or(Area::City, Area::District)),
            Audience::Query(AudienceQuery { include, exclude }) => {
                // who is left out for another reason than where they live is still in the place
                let whole = |selection: &&Selection| selection.industries.is_empty() && selection.languages.is_empty();
                let excluded = exclude.iter().filter(whole).flat_map(places).collect();
                let included = include.iter().map(|selection| Places {
                    areas: places(selection).into_iter().collect(),
                    industries: &selection.industries,
                    languages: &selection.languages,
                });
                Self::Selected(included.collect(), excluded)
            }
        }
    }
}

/// How the places of the first lie to those of the second, and where both hold; none: nobody is reached by both, as far as places tell.
pub(super) fn overlap(one: &Reach<'_>, other: &Reach<'_>) -> Option<(Overlap, Vec<Area>)> {
    match (one, other) {
        (Reach::Named(own, home), Reach::Named(others, _)) => (!own.is_disjoint(others)).then(|| (Overlap::People, vec![*home])),
        (Reach::Named(_, home), Reach::Selected(selected, excluded)) | (Reach::Selected(selected, excluded), Reach::Named(_, home)) => {
            named_in(*home, selected, excluded)
        }
        (Reach::Selected(own, left_out), Reach::Selected(others, others_left_out)) => {
            of_places(own, others, |area| !lies_in(left_out, area) && !lies_in(others_left_out, area))
        }
    }
}

/// Where people live whom an alert names is not told by their numbers; whose alert it is says in which district most of them do.
fn named_in(home: Area, selected: &[Places<'_>], excluded: &BTreeSet<Area>) -> Option<(Overlap, Vec<Area>)> {
    let home = BTreeSet::from([home]);
    let areas = selected.iter().flat_map(|places| in_both(&home, &places.areas));
    told(areas.filter(|area| !lies_in(excluded, *area))).map(|areas| (Overlap::People, areas))
}

fn of_places(own: &[Places<'_>], others: &[Places<'_>], holds: impl Fn(Area) -> bool) -> Option<(Overlap, Vec<Area>)> {
    let pairs = own.iter().flat_map(|one| others.iter().map(move |other| (one, other)));
    let areas = pairs
        .filter(|(one, other)| meet(one.industries, other.industries) && meet(one.languages, other.languages))
        .flat_map(|(one, other)| in_both(&one.areas, &other.areas));
    let areas = told(areas.filter(|area| holds(*area)))?;
    let all = |places: &[Places<'_>]| places.iter().flat_map(|places| places.areas.iter().copied()).collect::<BTreeSet<Area>>();
    let (own, theirs) = (all(own), all(others));
    let covers = |one: &BTreeSet<Area>, other: &BTreeSet<Area>| other.iter().all(|area| lies_in(one, *area));
    let overlap = match (covers(&own, &theirs), covers(&theirs, &own)) {
        (true, true) => Overlap::Same,
        (true, false) => Overlap::Contains,
        (false, true) => Overlap::Within,
        (false, false) => Overlap::Partly,
    };
    Some((overlap, areas))
}

/// The places of a selection; without any it is for the whole city.
fn places(selection: &Selection) -> Vec<Area> {
    if selection.areas.is_empty() { vec![Area::City] } else { selection.areas.clone() }
}

/// The areas of each that are, or lie in, one of the other.
fn in_both(one: &BTreeSet<Area>, other: &BTreeSet<Area>) -> Vec<Area> {
    let of_one = one.iter().filter(|area| lies_in(other, **area));
    let of_other = other.iter().filter(|area| lies_in(one, **area));
    of_one.chain(of_other).copied().collect()
}

/// Whether an area is, or lies in, one of these: looked up by what it lies in, however many there are.
fn lies_in(areas: &BTreeSet<Area>, area: Area) -> bool {
    let around = [area.township().map(Area::Township), area.district().map(Area::District), Some(Area::City)];
    areas.contains(&area) || around.into_iter().flatten().any(|larger| areas.contains(&larger))
}

/// Whether something is asked by both: an empty list asks for all.
fn meet<T: PartialEq>(one: &[T], other: &[T]) -> bool {
    one.is_empty() || other.is_empty() || one.iter().any(|wanted| other.contains(wanted))
}

/// Each once, none that lies in another, a few at most; none: there is none.
fn told(areas: impl Iterator<Item = Area>) -> Option<Vec<Area>> {
    let areas: BTreeSet<Area> = areas.collect();
    let is_largest = |area: &Area| {
        let around = [area.township().map(Area::Township), area.district().map(Area::District), Some(Area::City)];
        !around.into_iter().flatten().any(|larger| larger != *area && areas.contains(&larger))
    };
    let largest: Vec<Area> = areas.iter().copied().filter(is_largest).take(TOLD).collect();
    (!largest.is_empty()).then_some(largest)
}
