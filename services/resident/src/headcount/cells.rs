//! People by what a query can ask about and by how they are reached: summed up in memory, counted for any query.

use std::collections::BTreeMap;

use domain::area::{Area, CommunityCode};
use domain::audience::CompiledQuery;
use domain::industry::Industry;
use domain::language::Language;

use super::counts::{Counts, Ways};

/// What the people of a cell have in common, besides their community.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Kind {
    pub(super) industry: Option<Industry>,
    pub(super) language: Language,
    pub(super) ways: Ways,
}

/// The cells of each community, some dozen; or the differences to them.
#[derive(Clone, Debug, Default)]
pub(super) struct Cells(BTreeMap<CommunityCode, Vec<(Kind, i32)>>);

impl Cells {
    /// More people of this kind, or fewer.
    pub(super) fn add(&mut self, community: CommunityCode, kind: Kind, people: i32) {
        let cells = self.0.entry(community).or_default();
        match cells.iter_mut().find(|(known, _)| *known == kind) {
            Some((_, sum)) => *sum += people,
            None => cells.push((kind, people)),
        }
    }

    /// With these differences.
    pub(super) fn add_all(&mut self, differences: &Self) {
        for (&community, cells) in &differences.0 {
            for &(kind, people) in cells {
                self.add(community, kind, people);
            }
        }
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.0.values().map(Vec::len).sum()
    }

    /// About how much memory they take.
    pub(super) fn bytes(&self) -> usize {
        let cells: usize = self.0.values().map(Vec::capacity).sum();
        cells * size_of::<(Kind, i32)>() + self.0.len() * size_of::<(CommunityCode, Vec<(Kind, i32)>)>()
    }

    /// Gives back the room that was kept for growing.
    pub(super) fn shrink(&mut self) {
        self.0.values_mut().for_each(Vec::shrink_to_fit);
    }

    /// Tells whom the query selects: of which community, everybody, and who of them is enrolled for exercises.
    pub(super) fn count(&self, query: &CompiledQuery, mut counted: impl FnMut(CommunityCode, Counts, Counts)) {
        for (&community, cells) in &self.0 {
            let selected = query.among(Area::Community(community));
            if selected.is_nobody() {
                continue;
            }
            let (mut everybody, mut drill) = (Counts::default(), Counts::default());
            for (kind, people) in cells.iter().filter(|(kind, _)| selected.selects(kind.industry, kind.language)) {
                let these = Counts::of(kind.ways, i64::from(*people));
                everybody += these;
                if kind.ways.drill {
                    drill += these;
                }
            }
            counted(community, everybody, drill);
        }
    }
}
