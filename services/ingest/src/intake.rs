//! The way of a delivery through the service: bytes are read and cut, one block is checked while the one before is stored.

use std::sync::Arc;

use bytes::{Buf as _, Bytes};
use futures::{Stream, StreamExt as _};
use http_body_util::LengthLimitError;
use platform::{BoxError, Platform};
use tokio::task::JoinHandle;

use crate::check::{Checker, Form};
use crate::columns::Columns;
use crate::framing::{Block, Cutter, Framing};
use crate::load::{Ending, Format, Load, LoadReport};
use crate::sender::Sender;
use crate::store::{self, Stored};
use crate::{Error, Settings};

/// Most records of one JSON batch.
pub(crate) const BATCH_RECORDS: usize = 5_000;
/// Longest header row, in bytes.
const HEADER_LIMIT: usize = 64 * 1024;
/// A stream that stays open has its whole rows stored after it was silent for so long.
const SILENCE: std::time::Duration = std::time::Duration::from_secs(1);

const UTF8_MARK: &[u8] = &[0xEF, 0xBB, 0xBF];
const UTF16_MARKS: [&[u8]; 2] = [&[0xFF, 0xFE], &[0xFE, 0xFF]];

/// Takes deliveries in. Clones share the stores.
#[derive(Clone)]
pub struct Intake {
    pub(crate) platform: Platform,
    settings: Arc<Settings>,
}

impl Intake {
    /// On these stores.
    pub fn new(platform: &Platform, settings: Settings) -> Self {
        Self { platform: platform.clone(), settings: Arc::new(settings) }
    }

    /// Takes a batch: one JSON object, or an array of at most 5,000.
    ///
    /// # Errors
    /// When it is neither, or a store fails. Rows that are wrong are in the report.
    pub async fn batch(&self, sender: Sender, body: &[u8]) -> Result<LoadReport, Error> {
        let body = body.strip_prefix(UTF8_MARK).unwrap_or(body);
        let not_json = |error: serde_json::Error| Error::NotJson { line: error.line(), column: error.column() };
        let mut block = Block::default();
        if body.trim_ascii_start().starts_with(b"[") {
            let rows: Vec<&serde_json::value::RawValue> = serde_json::from_slice(body).map_err(not_json)?;
            if rows.len() > BATCH_RECORDS {
                return Err(Error::TooManyRecords { limit: BATCH_RECORDS });
            }
            for (line, row) in (1..).zip(rows) {
                block.add(line, row.get().as_bytes());
            }
        } else {
            let row: &serde_json::value::RawValue = serde_json::from_slice(body).map_err(not_json)?;
            block.add(1, row.get().as_bytes());
        }
        let load = Load::begin(&self.platform, &sender, Format::Json, None).await?;
        let mut work = Work::new(self, sender, Form::Json, load);
        work.take(block).await?;
        work.finish(Ending::Complete).await
    }

    /// Takes lines of JSON as they come.
    ///
    /// # Errors
    /// When a store fails; what was stored before stays, and the whole may be sent again. Rows that are wrong, and a stream that
    /// breaks off, are in the report.
    pub async fn ndjson<S, E>(&self, sender: Sender, body: S) -> Result<LoadReport, Error>
    where
        S: Stream<Item = Result<Bytes, E>> + Send + Unpin,
        E: Into<BoxError>,
    {
        let mut body = Body { stream: body, ended: None };
        let start = body.start(UTF8_MARK.len(), false).await?;
        let load = Load::begin(&self.platform, &sender, Format::Ndjson, None).await?;
        let cutter = Cutter::new(Framing::Lines, self.settings.chunk_rows, 1);
        self.rows(Work::new(self, sender, Form::Json, load), cutter, start, body).await
    }

    /// Takes a CSV file as it comes.
    ///
    /// # Errors
    /// When its header row cannot be used; else as [`Intake::ndjson`].
    pub async fn csv<S, E>(&self, sender: Sender, body: S) -> Result<LoadReport, Error>
    where
        S: Stream<Item = Result<Bytes, E>> + Send + Unpin,
        E: Into<BoxError>,
    {
        let mut body = Body { stream: body, ended: None };
        let mut start = body.start(HEADER_LIMIT, true).await?;
        let end = start.iter().position(|byte| *byte == b'\n').map_or(start.len(), |at| at + 1);
        let header = start.split_to(end);
        let columns = Arc::new(Columns::of_header(header.trim_ascii_end())?);
        let load = Load::begin(&self.platform, &sender, Format::Csv, Some(&columns)).await?;
        let cutter = Cutter::new(Framing::Csv { delimiter: columns.delimiter() }, self.settings.chunk_rows, 2);
        self.rows(Work::new(self, sender, Form::Csv(columns), load), cutter, start, body).await
    }

    async fn rows<S, E>(&self, mut work: Work, mut cutter: Cutter, start: Bytes, mut body: Body<S>) -> Result<LoadReport, Error>
    where
        S: Stream<Item = Result<Bytes, E>> + Send + Unpin,
        E: Into<BoxError>,
    {
        let mut next = start;
        loop {
            while next.has_remaining() {
                let read = cutter.push(&next);
                next.advance(read);
                if cutter.is_full() {
                    work.take(cutter.take()).await?;
                }
            }
            let silence = self.platform.clock.sleep(SILENCE);
            tokio::select! {
                biased;
                piece = body.next() => match piece {
                    Some(piece) => next = piece,
                    None => break,
                },
                () = silence => {
                    work.take(cutter.take()).await?;
                    match body.next().await {
                        Some(piece) => next = piece,
                        None => break,
                    }
                }
            }
        }
        let ending = body.ended.unwrap_or(Ending::Complete);
        cutter.finish(ending != Ending::Complete);
        work.take(cutter.take()).await?;
        work.finish(ending).await
    }
}

/// A body, and how it ended.
struct Body<S> {
    stream: S,
    ended: Option<Ending>,
}

impl<S, E> Body<S>
where
    S: Stream<Item = Result<Bytes, E>> + Send + Unpin,
    E: Into<BoxError>,
{
    /// The next piece; none at the end, whatever it was.
    async fn next(&mut self) -> Option<Bytes> {
        if self.ended.is_some() {
            return None;
        }
        match self.stream.next().await {
            Some(Ok(piece)) => Some(piece),
            Some(Err(error)) => {
                self.ended = Some(if caused_by_limit(&*error.into()) { Ending::TooLarge } else { Ending::BrokenOff });
                None
            }
            None => {
                self.ended = Some(Ending::Complete);
                None
            }
        }
    }

    /// At least `bytes` of the beginning, or up to the first line break if `line` is enough; without a byte order mark.
    async fn start(&mut self, bytes: usize, line: bool) -> Result<Bytes, Error> {
        let mut start = Vec::new();
        while start.len() < bytes && !(line && start.contains(&b'\n')) {
            match self.next().await {
                Some(piece) => start.extend_from_slice(&piece),
                None => break,
            }
        }
        if UTF16_MARKS.iter().any(|mark| start.starts_with(mark)) {
            return Err(Error::NotUtf8);
        }
        let mut start = Bytes::from(start);
        if start.starts_with(UTF8_MARK) {
            start.advance(UTF8_MARK.len());
        }
        Ok(start)
    }
}

fn caused_by_limit(error: &(dyn std::error::Error + 'static)) -> bool {
    std::iter::successors(Some(error), |error| error.source()).any(|error| error.is::<LengthLimitError>())
}

/// A load at work: one chunk may be in the store while the next one is checked.
struct Work {
    platform: Platform,
    checker: Arc<Checker>,
    load: Load,
    storing: Option<JoinHandle<Result<Stored, Error>>>,
}

impl Work {
    fn new(intake: &Intake, sender: Sender, form: Form, load: Load) -> Self {
        let platform = intake.platform.clone();
        let checker = Checker { keyring: platform.keyring.clone(), sender: Arc::new(sender), form, time_zone: intake.settings.time_zone };
        Self { platform, checker: Arc::new(checker), load, storing: None }
    }

    async fn take(&mut self, block: Block) -> Result<(), Error> {
        if block.is_empty() {
            return Ok(());
        }
        let (checker, now) = (Arc::clone(&self.checker), self.platform.clock.now());
        let chunk = tokio::task::spawn_blocking(move || checker.check(block, now))
            .await
            .map_err(|_| Error::Interrupted { step: "checking rows" })?;
        self.settle().await?;
        let (platform, checker) = (self.platform.clone(), Arc::clone(&self.checker));
        let (load, kept) = (self.load.report.load_id, self.load.kept);
        self.storing = Some(tokio::spawn(async move { store::store(&platform, &checker.sender, load, chunk, kept, now).await }));
        Ok(())
    }

    /// Waits for the chunk in the store.
    async fn settle(&mut self) -> Result<(), Error> {
        if let Some(storing) = self.storing.take() {
            let stored = storing.await.map_err(|_| Error::Interrupted { step: "storing records" })??;
            self.load.add(stored);
        }
        Ok(())
    }

    async fn finish(mut self, ending: Ending) -> Result<LoadReport, Error> {
        self.settle().await?;
        self.load.finish(&self.platform, ending).await
    }
}
