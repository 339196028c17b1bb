//! How many people any audience has, exact as of now, without looking at people.
//!
//! An audience is asked for by community, industry and language, so people are counted by these and by how they are reached: some
//! 100,000 cells for 32 million residents. Triggers on `resident.resident` write the difference that each statement makes into
//! `resident.headcount`, in its transaction. The size of any audience is then the sum over the cells that the domain says it selects.
//!
//! A process keeps the cells summed up to a horizon: the oldest transaction that ran when it last looked. Nothing older can still
//! appear, so each question only reads what is not older, in one statement, and the horizon follows when that has become much. Rows are
//! merged by [`fold`] in any process; whoever learns that rows which it had not summed up yet were merged begins anew.
//!
//! [`Headcount`] is used by other services as well (forecasts before an approval); nobody else touches the tables.

mod cells;
mod copy;
mod counts;
mod fold;
#[cfg(test)]
mod padding;
mod questions;
mod reading;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use domain::area::{Area, CommunityCode};
use domain::audience::{Audience, AudienceQuery, Selection};
use platform::Platform;
use platform::clock::Clock;
use platform::database::Database;
use platform::jobs::{Did, Job};
use platform::tasks::Tasks;
use platform::worker::{self, Turn, Wake};
use tokio::sync::Mutex;

use crate::Error;
use cells::Cells;
use copy::Copy;
pub use counts::{AudienceCounts, Counts, RoundedCounts, ToldAudience, ToldCounts};
pub use questions::{AudienceQuestions, too_many_questions};
use reading::Later;

/// How often a process that keeps a copy brings it up to date unasked: oftener than rows are folded.
const KEPT_EVERY: Duration = Duration::from_secs(60);

/// With so many cells that changed after the horizon, a question moves it on.
const MANY: usize = 1_000;

/// The process's copy of the headcount. Clones share it; every question is answered as of the moment it is asked.
///
/// A question takes one connection, so it must not be asked inside a transaction on the embedded database, which has no second one.
#[derive(Clone, Debug)]
pub struct Headcount(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    database: Database,
    copy: RwLock<Option<Arc<Copy>>>,
    /// Held by whoever loads a copy, so that many questions at once load one.
    turn: Mutex<()>,
}

/// What a copy is: for figures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CopySize {
    /// Different combinations of community, industry, language and ways to be reached.
    pub cells: usize,
    /// About how much memory they take.
    pub bytes: usize,
}

/// Merges rows now and then.
pub(crate) const FOLD: Job = Job {
    name: "resident.fold_headcount",
    cron: "0 */5 * * * *",
    about: "合并人数统计的零散变动，使受众规模的计算保持快速。",
    about_en: "Merges the small changes of the headcount, so that the size of an audience stays quick to tell.",
    at_start: true,
};

/// Has rows merged now and then. That belongs to the service resident; others only ask.
///
/// # Errors
/// When the job is set to an expression that is none.
pub(crate) fn keep_folded(platform: &Platform) -> Result<(), platform::Error> {
    let database = platform.database.clone();
    platform.jobs.register(&FOLD, move || {
        let database = database.clone();
        async move { Ok(Did::nothing().and("合并的变动", "changes merged", fold::turn(&database, fold::FEWEST).await?)) }
    })
}

/// Rounds what the cells come to together, place by place.
fn rounded<'a>(query: &AudienceQuery, all: impl IntoIterator<Item = &'a Cells>) -> RoundedCounts {
    let compiled = query.compile();
    let mut communities: BTreeMap<CommunityCode, (Counts, Counts)> = BTreeMap::new();
    for cells in all {
        cells.count(&compiled, |community, everybody, drill| {
            let (all, enrolled) = communities.entry(community).or_default();
            *all += everybody;
            *enrolled += drill;
        });
    }
    RoundedCounts::of(&communities, |place| asks_for_all_of(query, place))
}

/// Whether a query asks for everybody who lives or may live in a place, whoever does: it is looked at, not they.
fn asks_for_all_of(query: &AudienceQuery, place: Area) -> bool {
    let included = query.include.iter().any(|selection| {
        let Selection { areas, industries, languages } = selection;
        industries.is_empty() && languages.is_empty() && (areas.is_empty() || areas.iter().any(|area| area.contains(place)))
    });
    let touches = |area: &Area| area.contains(place) || place.contains(*area);
    included && !query.exclude.iter().any(|selection| selection.areas.is_empty() || selection.areas.iter().any(touches))
}

impl Headcount {
    /// Of the residents in this database. Nothing is read before the first question or [`Headcount::keep`].
    pub fn new(database: Database) -> Self {
        Self(Arc::new(Inner { database, copy: RwLock::default(), turn: Mutex::default() }))
    }

    /// Keeps the copy up to date in the background, so that no question has to wait for a whole one.
    pub fn keep(&self, tasks: &Tasks, clock: &Clock) {
        let own = self.clone();
        worker::run(tasks, clock, "headcount", KEPT_EVERY, &Wake::new(), move || {
            let own = own.clone();
            async move {
                own.refresh().await?;
                Ok(Turn::Idle)
            }
        });
    }

    /// How many people the query selects.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn of(&self, query: &AudienceQuery) -> Result<AudienceCounts, Error> {
        let (copy, later) = self.now().await?;
        let query = query.compile();
        let mut counts = AudienceCounts::default();
        for cells in [&*copy.cells, &later.settled, &later.pending] {
            cells.count(&query, |community, everybody, drill| counts.add(community, everybody, drill));
        }
        Ok(counts.without_empty_places())
    }

    /// How many people an audience has. Residents named by number are looked up; who of them is no longer registered counts as unreachable.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn of_audience(&self, audience: &Audience) -> Result<AudienceCounts, Error> {
        match audience {
            Audience::Query(query) => self.of(query).await,
            Audience::Residents(residents) => reading::named(&self.0.database, residents).await,
        }
    }

    /// How many people an audience has, as staff may be told (CQ14).
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn rounded(&self, audience: &Audience) -> Result<RoundedCounts, Error> {
        let query = match audience {
            Audience::Query(query) => query,
            Audience::Residents(residents) => return Ok(RoundedCounts::of_named(&reading::named(&self.0.database, residents).await?)),
        };
        let (copy, later) = self.now().await?;
        Ok(rounded(query, [&*copy.cells, &later.settled, &later.pending]))
    }

    /// Moves the copy's horizon to now, loading the copy if there is none.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn refresh(&self) -> Result<CopySize, Error> {
        let (copy, later) = self.now().await?;
        let copy = self.moved_on(&copy, &later);
        Ok(CopySize { cells: copy.cells.len(), bytes: copy.cells.bytes() })
    }

    /// A copy, and what came after its horizon.
    async fn now(&self) -> Result<(Arc<Copy>, Later), Error> {
        let mut passed = None;
        loop {
            let copy = match self.held().filter(|copy| !passed.as_ref().is_some_and(|passed| Arc::ptr_eq(copy, passed))) {
                Some(copy) => copy,
                None => self.load(passed.as_ref()).await?,
            };
            let later = reading::later(&self.0.database, copy.horizon).await?;
            if !copy.misses(&later) {
                if later.settled.len() >= MANY {
                    self.moved_on(&copy, &later);
                }
                return Ok((copy, later));
            }
            passed = Some(copy);
        }
    }

    fn held(&self) -> Option<Arc<Copy>> {
        self.0.copy.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// A new copy in place of one that rows were folded away from, or of none.
    async fn load(&self, passed: Option<&Arc<Copy>>) -> Result<Arc<Copy>, Error> {
        let _turn = self.0.turn.lock().await;
        // Whoever had the turn before may have done it.
        if let Some(copy) = self.held().filter(|copy| !passed.is_some_and(|passed| Arc::ptr_eq(copy, passed))) {
            return Ok(copy);
        }
        let copy = Arc::new(reading::copy(&self.0.database).await?);
        *self.0.copy.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&copy));
        Ok(copy)
    }

    /// The copy with what has settled since. It is kept, unless somebody else moved the copy on in the meantime.
    fn moved_on(&self, copy: &Arc<Copy>, later: &Later) -> Arc<Copy> {
        let mut cells = Arc::clone(&copy.cells);
        if later.settled.len() > 0 {
            Arc::make_mut(&mut cells).add_all(&later.settled);
        }
        let next = Arc::new(Copy { fold: later.fold, horizon: later.horizon, cells });
        let mut held = self.0.copy.write().unwrap_or_else(PoisonError::into_inner);
        if held.as_ref().is_some_and(|held| Arc::ptr_eq(held, copy)) {
            *held = Some(Arc::clone(&next));
        }
        next
    }
}

impl Copy {
    /// Whether rows that it has not summed up were folded since. With several folds at once nobody knows how far the first ones went.
    fn misses(&self, later: &Later) -> bool {
        match later.fold - self.fold {
            0 => false,
            1 => later.folded_to > self.horizon,
            _ => true,
        }
    }
}
