//! A delivery at work: its blocks are read in the encoding of their list and checked, and what was checked goes to its end.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use platform::Platform;
use rules::RulesInForce;

use crate::check::{Checker, Chunk, Form};
use crate::columns::Columns;
use crate::comparing::Extent;
use crate::encoding::{Deciding, Encoding};
use crate::framing::Block;
use crate::load::{Ending, Format};
use crate::sender::Sender;
use crate::{Error, Settings};

/// What a delivery is worked on with.
#[derive(Clone, Copy)]
pub(crate) struct Means<'m> {
    pub platform: &'m Platform,
    pub settings: &'m Settings,
    pub rules: &'m RulesInForce,
}

/// What becomes of a delivery: it is stored, or looked at.
pub(crate) trait End: Sized + Send {
    /// What its sender is told.
    type Made: Send;

    /// Begins; a list has columns.
    fn begin(
        means: Means<'_>,
        sender: Arc<Sender>,
        format: Format,
        columns: Option<Arc<Columns>>,
    ) -> impl Future<Output = Result<Self, Error>> + Send;

    /// How long it will be, as far as that is known.
    fn foresee(&mut self, extent: Extent);

    /// Takes the next chunk, checked as of `now`.
    fn take(&mut self, chunk: Chunk, now: DateTime<Utc>) -> impl Future<Output = Result<(), Error>> + Send;

    /// Whether what follows need not be read.
    fn has_enough(&self) -> bool {
        false
    }

    /// After the last chunk.
    fn finish(self, ending: Ending) -> impl Future<Output = Result<Self::Made, Error>> + Send;
}

/// A delivery on its way to its end.
pub(crate) struct Work<D> {
    platform: Platform,
    checker: Arc<Checker>,
    deciding: Deciding,
    end: D,
}

impl<D: End> Work<D> {
    pub(crate) async fn begin(means: Means<'_>, sender: Sender, format: Format, form: Form, deciding: Deciding) -> Result<Self, Error> {
        let Means { platform, settings, .. } = means;
        let Settings { time_zone, oldest_event_days, .. } = *settings;
        let columns = match &form {
            Form::Json => None,
            Form::List(columns) => Some(Arc::clone(columns)),
        };
        let pairs = settings.trusts_with_documents(&sender);
        let sender = Arc::new(sender);
        let end = D::begin(means, Arc::clone(&sender), format, columns).await?;
        let checker = Checker { keyring: platform.keyring.clone(), sender, form, time_zone, oldest_event_days, pairs };
        Ok(Self { platform: platform.clone(), checker: Arc::new(checker), deciding, end })
    }

    pub(crate) async fn take(&mut self, block: Block) -> Result<(), Error> {
        if block.is_empty() {
            return Ok(());
        }
        for (encoding, block) in self.deciding.take(block) {
            self.check(encoding, block).await?;
        }
        Ok(())
    }

    pub(crate) fn foresee(&mut self, extent: Extent) {
        self.end.foresee(extent);
    }

    pub(crate) fn has_enough(&self) -> bool {
        self.end.has_enough()
    }

    async fn check(&mut self, encoding: Encoding, block: Block) -> Result<(), Error> {
        let (checker, now) = (Arc::clone(&self.checker), self.platform.clock.now());
        let chunk = tokio::task::spawn_blocking(move || checker.check(encoding.read(block), now))
            .await
            .map_err(|_| Error::Interrupted { step: "checking rows" })?;
        self.end.take(chunk, now).await
    }

    pub(crate) async fn finish(mut self, ending: Ending) -> Result<D::Made, Error> {
        for (encoding, block) in self.deciding.finish() {
            self.check(encoding, block).await?;
        }
        self.end.finish(ending).await
    }
}
