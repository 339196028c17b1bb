//! A delivery that is stored: two of its chunks may be in the store while the next one is checked.
//!
//! What comes of it is what would come of one chunk after the other: a chunk that says anything about an id of one that is not yet stored
//! waits for it, and one with corrections waits for all and is waited for.

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;

use chrono::{DateTime, Utc};
use platform::Platform;
use tokio::task::JoinHandle;

use crate::check::Chunk;
use crate::columns::Columns;
use crate::comparing::{Comparing, Extent};
use crate::holding::{Held, Holding};
use crate::load::{Ending, Format, Load, LoadReport, REPORTED_ROWS};
use crate::sender::Sender;
use crate::store::{self, Stored};
use crate::work::{End, Means};
use crate::{Error, loads, source_hours};

/// Chunks of one delivery that are in the store at once: the server works at one while the other's rows are on their way.
const AT_ONCE: usize = 2;

/// A load at work.
pub(crate) struct Storing {
    platform: Platform,
    sender: Arc<Sender>,
    columns: Option<Arc<Columns>>,
    load: Load,
    /// None once a person has decided about it.
    comparing: Option<Comparing>,
    holding: Option<Holding>,
    /// In the order of the delivery.
    in_store: VecDeque<InStore>,
}

/// A chunk in the store.
struct InStore {
    ids: HashSet<String>,
    corrects: bool,
    stored: JoinHandle<Result<Stored, Error>>,
}

impl InStore {
    /// Whether what becomes of a chunk may depend on this one.
    fn concerns(&self, chunk: &Chunk) -> bool {
        self.corrects || !chunk.corrections.is_empty() || chunk.ids().any(|id| self.ids.contains(id))
    }
}

impl Storing {
    /// Waits for the chunks in the store, until no more than `rest` of them are left.
    async fn settle(&mut self, rest: usize) -> Result<(), Error> {
        let (mut rest, mut failed) = (rest, None);
        while self.in_store.len() > rest
            && let Some(InStore { stored, .. }) = self.in_store.pop_front()
        {
            match stored.await.map_err(|_| Error::Interrupted { step: "storing records" }).flatten() {
                Ok(stored) => self.load.add(stored),
                Err(error) => {
                    // what was on its way counts, and is waited for: nothing goes on behind the answer
                    rest = 0;
                    failed = failed.or(Some(error));
                }
            }
        }
        failed.map_or(Ok(()), Err)
    }

    /// Holds the chunk back if the delivery is unlike what its source usually brings; else gives it back.
    async fn held_back(&mut self, chunk: Chunk) -> Result<Option<Chunk>, Error> {
        if self.holding.is_none()
            && let Some(comparing) = &mut self.comparing
        {
            let why = comparing.see(&self.platform, self.sender.source(), &chunk).await?;
            if !why.is_empty() {
                let load = self.load.report.load_id;
                let profile = comparing.profile();
                self.holding = Some(Holding::begin(&self.platform, &self.sender, load, self.columns.as_ref(), why, &profile).await?);
            }
        }
        let Some(holding) = self.holding.take() else { return Ok(Some(chunk)) };
        match holding.keep(&self.platform, chunk).await? {
            Held::Back(holding) => {
                self.holding = Some(holding);
                Ok(None)
            }
            Held::Released(chunk) => {
                self.comparing = None;
                Ok(Some(chunk))
            }
        }
    }
}

impl End for Storing {
    type Made = LoadReport;

    async fn begin(
        Means { platform, settings, .. }: Means<'_>,
        sender: Arc<Sender>,
        format: Format,
        columns: Option<Arc<Columns>>,
    ) -> Result<Self, Error> {
        let mut tx = platform.database.begin().await?;
        let load = Load::begin(&mut tx, platform.clock.now(), &sender, format, columns.as_deref()).await?;
        tx.commit().await?;
        let comparing = Some(Comparing::new(settings));
        Ok(Self { platform: platform.clone(), sender, columns, load, comparing, holding: None, in_store: VecDeque::new() })
    }

    fn foresee(&mut self, extent: Extent) {
        if let Some(comparing) = &mut self.comparing {
            comparing.foresee(extent);
        }
    }

    async fn take(&mut self, chunk: Chunk, now: DateTime<Utc>) -> Result<(), Error> {
        let Some(chunk) = self.held_back(chunk).await? else { return Ok(()) };
        let together = if self.in_store.iter().any(|earlier| earlier.concerns(&chunk)) { 1 } else { AT_ONCE };
        self.settle(together - 1).await?;
        let (platform, sender) = (self.platform.clone(), Arc::clone(&self.sender));
        let (load, kept) = (self.load.report.load_id, self.load.kept);
        let (ids, corrects) = (chunk.ids().map(str::to_owned).collect(), !chunk.corrections.is_empty());
        let stored = tokio::spawn(async move { store::store(&platform, &sender, load, chunk, kept, now).await });
        self.in_store.push_back(InStore { ids, corrects, stored });
        Ok(())
    }

    async fn finish(mut self, ending: Ending) -> Result<LoadReport, Error> {
        self.settle(0).await?;
        let Self { platform, sender, load, comparing, holding, .. } = self;
        if holding.is_some() || comparing.is_none() {
            let LoadReport { load_id, .. } = load.finish(&platform, ending).await?;
            // it came, though nothing of it counts yet; what counts of it was counted by whoever released it
            source_hours::delivered(&platform, sender.source(), 0, None).await?;
            let mut report = loads::report(&platform, load_id, None).await?;
            let room = REPORTED_ROWS - report.refused_rows.len();
            report.refused_rows.extend(holding.into_iter().flat_map(|holding| holding.refused_rows).take(room));
            return Ok(report);
        }
        let report = load.finish(&platform, ending).await?;
        let (rows, profile) = match comparing {
            Some(comparing) if ending == Ending::Complete => (comparing.rows(), comparing.telling_profile()),
            _ => (0, None),
        };
        source_hours::delivered(&platform, sender.source(), rows, profile).await?;
        Ok(report)
    }
}
