//! The way of a delivery through the service: bytes are read and cut, one block is checked while the one before is stored.

use std::ops::Range;
use std::sync::Arc;

use bytes::{Buf as _, Bytes};
use domain::list::ColumnNames;
use futures::Stream;
use platform::{BoxError, Platform};
use rules::RulesInForce;
use tokio::sync::{Semaphore, SemaphorePermit, mpsc};

use crate::body::{Body, UTF8_MARK};
use crate::check::Form;
use crate::column_names::{self, Chosen};
use crate::comparing::Extent;
use crate::encoding::{Deciding, Encoding};
use crate::framing::{Block, Cutter, Framing};
use crate::head::{self, Head};
use crate::json_text;
use crate::load::{Ending, Format, LoadReport};
use crate::preview::{Look, Preview};
use crate::sender::Sender;
use crate::shape::Shape;
use crate::storing::Storing;
use crate::work::{End, Means, Work};
use crate::workbook::{self, Found};
use crate::{Error, Settings};

/// Most records of one JSON batch.
pub(crate) const BATCH_RECORDS: usize = 5_000;
/// Largest JSON batch, in bytes: 5,000 records of 3 KB.
pub(crate) const BATCH_BYTES: usize = 16 << 20;
/// Largest file that is one text of JSON, which is read whole.
const JSON_BYTES: usize = 128 << 20;
/// So much of a file says what it is.
const SHAPE_BYTES: usize = 1_024;
/// Workbooks and texts of JSON that are read at once: each is in memory, unlike all other deliveries.
const WHOLE_FILES: usize = 2;
/// Lists that are looked at once: each is held until all of what is looked at has arrived.
const PREVIEWS: usize = 3;
/// A stream that stays open has its whole rows stored after it was silent for so long.
const SILENCE: std::time::Duration = std::time::Duration::from_secs(1);

/// Takes deliveries in. Clones share the stores.
#[derive(Clone)]
pub struct Intake {
    pub(crate) platform: Platform,
    pub(crate) settings: Arc<Settings>,
    /// How many bytes the delivery at hand has, if its sender says so.
    length: Option<u64>,
    whole_files: Arc<Semaphore>,
    previews: Arc<Semaphore>,
    pub(crate) rules: RulesInForce,
}

impl Intake {
    /// Most bytes of a file.
    pub(crate) fn upload_bytes(&self) -> usize {
        self.settings.upload_bytes
    }

    async fn begin<D: End>(&self, sender: Sender, format: Format, form: Form, deciding: Deciding) -> Result<Work<D>, Error> {
        let means = Means { platform: &self.platform, settings: &self.settings, rules: &self.rules };
        Work::begin(means, sender, format, form, deciding).await
    }

    /// On these stores.
    pub fn new(platform: &Platform, settings: Settings) -> Self {
        Self {
            platform: platform.clone(),
            settings: Arc::new(settings),
            length: None,
            whole_files: Arc::new(Semaphore::new(WHOLE_FILES)),
            previews: Arc::new(Semaphore::new(PREVIEWS)),
            rules: RulesInForce::new(&platform.database),
        }
    }

    /// For a delivery that says how many bytes it has.
    #[must_use]
    pub fn expecting(self, length: Option<u64>) -> Self {
        Self { length, ..self }
    }

    /// Takes a batch: one JSON object, or an array of at most 5,000.
    ///
    /// # Errors
    /// When it is neither, or a store fails. Rows that are wrong are in the report.
    pub async fn batch(&self, sender: Sender, body: &[u8]) -> Result<LoadReport, Error> {
        let body = body.strip_prefix(UTF8_MARK).unwrap_or(body);
        let rows = json_text::rows(body)?;
        if rows.len() > BATCH_RECORDS {
            return Err(Error::TooManyRecords { limit: BATCH_RECORDS });
        }
        self.json::<Storing>(sender, body, rows, BATCH_RECORDS).await
    }

    /// Takes the rows of a text of JSON, in blocks of so many.
    async fn json<D: End>(&self, sender: Sender, text: &[u8], rows: Vec<Range<usize>>, block_rows: usize) -> Result<D::Made, Error> {
        let mut work = self.begin::<D>(sender, Format::Json, Form::Json, Encoding::Utf8.into()).await?;
        work.foresee(Extent::Rows(rows.len() as u64));
        let mut line = 0;
        for rows in rows.chunks(block_rows.max(1)) {
            let mut block = Block::default();
            for row in rows {
                line += 1;
                block.add(line, &text[row.clone()]);
            }
            work.take(block).await?;
            if work.has_enough() {
                break;
            }
        }
        work.finish(Ending::Complete).await
    }

    /// Takes a file that is one text of JSON: it counts whole or not at all.
    async fn json_file<D: End>(&self, sender: Sender, text: Vec<u8>) -> Result<D::Made, Error> {
        let (text, rows) = tokio::task::spawn_blocking(move || {
            let text = json_text::in_utf8(text);
            let rows = json_text::rows(&text)?;
            Ok::<_, Error>((text, rows))
        })
        .await
        .map_err(|_| Error::Interrupted { step: "reading JSON" })??;
        self.json::<D>(sender, &text, rows, self.settings.chunk_rows).await
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
        let mut body = Body::new(body).of(self.length);
        let start = body.start(UTF8_MARK.len(), false).await;
        let (start, _) = body.in_utf8(start);
        self.lines::<Storing, _, _>(sender, Encoding::Utf8.into(), start, body).await
    }

    /// Takes a file as it comes: a list as CSV, as a workbook or as JSON, by its content. What was chosen for names of its columns is
    /// remembered for the sender's next lists.
    ///
    /// # Errors
    /// When it is no list, or has no header that can be used; else as [`Intake::ndjson`].
    pub async fn file<S, E>(&self, sender: Sender, chosen: &Chosen, body: S) -> Result<LoadReport, Error>
    where
        S: Stream<Item = Result<Bytes, E>> + Send + Unpin,
        E: Into<BoxError>,
    {
        let source = sender.source().to_owned();
        let report = self.read::<Storing, _, _>(sender, chosen, body).await?;
        chosen.keep(&self.platform, &source).await?;
        Ok(report)
    }

    /// Looks at a file without taking anything of it: how its columns are understood, and what would become of its rows.
    ///
    /// # Errors
    /// When it is no list, or a store fails. A header that cannot be used is in the preview.
    pub async fn preview<S, E>(&self, sender: Sender, chosen: &Chosen, body: S) -> Result<Preview, Error>
    where
        S: Stream<Item = Result<Bytes, E>> + Send + Unpin,
        E: Into<BoxError>,
    {
        let _turn = self.previews.acquire().await.map_err(|_| Error::Interrupted { step: "waiting for other previews" })?;
        match self.read::<Look, _, _>(sender, chosen, body).await {
            Err(Error::Header(fault)) => Ok(Preview::of_header(&fault)),
            looked => looked,
        }
    }

    async fn read<D, S, E>(&self, sender: Sender, chosen: &Chosen, body: S) -> Result<D::Made, Error>
    where
        D: End,
        S: Stream<Item = Result<Bytes, E>> + Send + Unpin,
        E: Into<BoxError>,
    {
        let mut body = Body::new(body).of(self.length);
        let start = body.start(SHAPE_BYTES, true).await;
        let (shape, start, says_utf8) = match Shape::of_bytes(&start) {
            Some(shape) => (shape, start, false),
            None => {
                let (start, says_utf8) = body.in_utf8(start);
                (Shape::of_text(&start), start, says_utf8)
            }
        };
        match shape {
            Shape::Table => {
                let names = column_names::of(&self.platform, sender.source(), chosen).await?;
                self.table::<D, _, _>(sender, &names, start, says_utf8, body).await
            }
            Shape::Lines => {
                let deciding = Deciding::new(says_utf8.then_some(Encoding::Utf8));
                self.lines::<D, _, _>(sender, deciding, start, body).await
            }
            Shape::Json => {
                let _turn = self.turn().await?;
                let whole = body.whole(start, JSON_BYTES).await.ok_or(Error::JsonTooLarge { limit: JSON_BYTES })?;
                self.json_file::<D>(sender, whole).await
            }
            Shape::Archive | Shape::Compound => {
                let names = column_names::of(&self.platform, sender.source(), chosen).await?;
                let format = if shape == Shape::Archive { Format::Xlsx } else { Format::Xls };
                self.workbook::<D, _, _>(sender, names, format, start, body).await
            }
            Shape::Other(other) => Err(Error::NotAList(other)),
        }
    }

    /// A turn to have a file in memory.
    async fn turn(&self) -> Result<SemaphorePermit<'_>, Error> {
        self.whole_files.acquire().await.map_err(|_| Error::Interrupted { step: "waiting for other files" })
    }

    async fn lines<D, S, E>(&self, sender: Sender, deciding: Deciding, start: Bytes, body: Body<S>) -> Result<D::Made, Error>
    where
        D: End,
        S: Stream<Item = Result<Bytes, E>> + Send + Unpin,
        E: Into<BoxError>,
    {
        let work = self.begin::<D>(sender, Format::Ndjson, Form::Json, deciding).await?;
        let cutter = Cutter::new(Framing::Lines, self.settings.chunk_rows, 1);
        self.rows(work, cutter, start, body).await
    }

    async fn table<D, S, E>(
        &self,
        sender: Sender,
        names: &ColumnNames,
        start: Bytes,
        says_utf8: bool,
        mut body: Body<S>,
    ) -> Result<D::Made, Error>
    where
        D: End,
        S: Stream<Item = Result<Bytes, E>> + Send + Unpin,
        E: Into<BoxError>,
    {
        let mut start = Vec::from(start);
        let head = loop {
            if let Some(head) = head::find(&start, body.has_ended(), names)? {
                break head;
            }
            if let Some(piece) = body.next().await {
                start.extend_from_slice(&piece);
            }
        };
        let Head { columns, bytes, next_line, encoding } = head;
        let mut start = Bytes::from(start);
        start.advance(bytes);
        let columns = Arc::new(columns);
        let known = if says_utf8 { Some(Encoding::Utf8) } else { encoding };
        let cutter = Cutter::new(Framing::Csv { delimiter: columns.delimiter() }, self.settings.chunk_rows, next_line);
        let work = self.begin::<D>(sender, Format::Csv, Form::List(columns), Deciding::new(known)).await?;
        self.rows(work, cutter, start, body).await
    }

    async fn workbook<D, S, E>(
        &self,
        sender: Sender,
        names: ColumnNames,
        format: Format,
        start: Bytes,
        mut body: Body<S>,
    ) -> Result<D::Made, Error>
    where
        D: End,
        S: Stream<Item = Result<Bytes, E>> + Send + Unpin,
        E: Into<BoxError>,
    {
        let _turn = self.turn().await?;
        let whole = body.whole(start, workbook::LIMIT).await.ok_or(Error::WorkbookTooLarge { limit: workbook::LIMIT })?;
        match body.ending() {
            Ending::Complete => {}
            Ending::BrokenOff => return Err(Error::WorkbookDamaged),
            Ending::TooLarge => return Err(Error::WorkbookTooLarge { limit: self.settings.upload_bytes }),
        }
        let (tell, mut told) = mpsc::channel(1);
        let rows = self.settings.chunk_rows;
        let reading = tokio::task::spawn_blocking(move || {
            workbook::read(whole, format, rows, &names, &mut |found| tell.blocking_send(found).is_ok())
        });
        let mut work = None;
        while let Some(found) = told.recv().await {
            match (found, &mut work) {
                (Found::Columns(columns), _) => {
                    let form = Form::List(Arc::new(*columns));
                    work = Some(self.begin::<D>(sender.clone(), format, form, Encoding::Utf8.into()).await?);
                }
                (Found::Rows(rows), Some(work)) => work.foresee(Extent::Rows(rows)),
                (Found::Block(block), Some(work)) => {
                    work.take(block).await?;
                    if work.has_enough() {
                        break;
                    }
                }
                // rows come behind their header
                (Found::Block(_) | Found::Rows(_), None) => {}
            }
        }
        drop(told);
        // a library that meets what it did not expect may panic
        let read = reading.await.map_err(|_| Error::WorkbookDamaged).flatten();
        match (work, read) {
            (Some(work), Ok(())) => work.finish(Ending::Complete).await,
            (None, Ok(())) => Err(Error::WorkbookDamaged),
            (None, Err(error)) => Err(error),
            // what came before the damage is kept, as of a transfer that broke off
            (Some(work), Err(error)) => {
                tracing::warn!(error = &error as &dyn std::error::Error, "a workbook could not be read to its end");
                work.finish(Ending::BrokenOff).await
            }
        }
    }

    async fn rows<D, S, E>(&self, mut work: Work<D>, mut cutter: Cutter, start: Bytes, mut body: Body<S>) -> Result<D::Made, Error>
    where
        D: End,
        S: Stream<Item = Result<Bytes, E>> + Send + Unpin,
        E: Into<BoxError>,
    {
        let mut next = start;
        loop {
            while next.has_remaining() {
                let read = cutter.push(&next);
                next.advance(read);
                if cutter.is_full() {
                    foresee(&mut work, &body, next.remaining());
                    work.take(cutter.take()).await?;
                    if work.has_enough() {
                        return work.finish(Ending::Complete).await;
                    }
                }
            }
            let silence = self.platform.clock.sleep(SILENCE);
            tokio::select! {
                biased;
                piece = body.next() => match piece {
                    Some(piece) => next = piece,
                    None => break,
                },
                // a file is judged by whole blocks; only a stream stays open
                () = silence, if !body.has_length() => {
                    work.take(cutter.take()).await?;
                    match body.next().await {
                        Some(piece) => next = piece,
                        None => break,
                    }
                }
            }
        }
        let ending = body.ending();
        cutter.finish(ending != Ending::Complete);
        work.take(cutter.take()).await?;
        work.finish(ending).await
    }
}

/// Says how much of a delivery has been read, if it is known how long it is.
fn foresee<D, S, E>(work: &mut Work<D>, body: &Body<S>, rest: usize)
where
    D: End,
    S: Stream<Item = Result<Bytes, E>> + Send + Unpin,
    E: Into<BoxError>,
{
    if let Some(share) = body.share(rest) {
        work.foresee(Extent::Share(share));
    }
}
