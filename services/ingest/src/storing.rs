//! A delivery that is stored: one chunk may be in the store while the next one is checked.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use platform::Platform;
use tokio::task::JoinHandle;

use crate::Error;
use crate::check::Chunk;
use crate::columns::Columns;
use crate::load::{Ending, Format, Load, LoadReport};
use crate::sender::Sender;
use crate::store::{self, Stored};
use crate::work::End;

/// A load at work.
pub(crate) struct Storing {
    platform: Platform,
    sender: Arc<Sender>,
    load: Load,
    storing: Option<JoinHandle<Result<Stored, Error>>>,
}

impl Storing {
    /// Waits for the chunk in the store.
    async fn settle(&mut self) -> Result<(), Error> {
        if let Some(storing) = self.storing.take() {
            let stored = storing.await.map_err(|_| Error::Interrupted { step: "storing records" })??;
            self.load.add(stored);
        }
        Ok(())
    }
}

impl End for Storing {
    type Made = LoadReport;

    async fn begin(platform: &Platform, sender: Arc<Sender>, format: Format, columns: Option<Arc<Columns>>) -> Result<Self, Error> {
        let mut tx = platform.database.begin().await?;
        let load = Load::begin(&mut tx, platform.clock.now(), &sender, format, columns.as_deref()).await?;
        tx.commit().await?;
        Ok(Self { platform: platform.clone(), sender, load, storing: None })
    }

    async fn take(&mut self, chunk: Chunk, now: DateTime<Utc>) -> Result<(), Error> {
        self.settle().await?;
        let (platform, sender) = (self.platform.clone(), Arc::clone(&self.sender));
        let (load, kept) = (self.load.report.load_id, self.load.kept);
        self.storing = Some(tokio::spawn(async move { store::store(&platform, &sender, load, chunk, kept, now).await }));
        Ok(())
    }

    async fn finish(mut self, ending: Ending) -> Result<LoadReport, Error> {
        self.settle().await?;
        self.load.finish(&self.platform, ending).await
    }
}
