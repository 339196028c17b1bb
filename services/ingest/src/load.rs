//! A load: one delivery, from its first byte to its report.

use chrono::{DateTime, Utc};
use domain::ids::LoadId;
use platform::Platform;
use platform::database::Tx;
use platform::http::FieldFault;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::columns::Columns;
use crate::framing::Refusal;
use crate::held::HeldReport;
use crate::sender::Sender;
use crate::store::{Kept, Stored};
use crate::{Error, SCHEMA, reason};

/// How many refused rows a report names; all that are kept can be fetched.
pub(crate) const REPORTED_ROWS: usize = 100;

domain::words! {
    /// How a delivery is written.
    pub enum Format {
        /// One record or an array of them, as JSON.
        Json,
        /// One record a line, as JSON.
        Ndjson,
        /// Cells under a header row, as text.
        Csv,
        /// A sheet of a workbook of Excel 2007 or later.
        Xlsx,
        /// A sheet of an older workbook.
        Xls,
    }
}

domain::words! {
    /// How a delivery ended.
    pub enum Ending {
        /// Everything arrived.
        Complete,
        /// The transfer broke off; what was whole is kept.
        BrokenOff,
        /// The body was larger than the limit; what came before is kept.
        TooLarge,
    }
}

/// A row that was refused: where, and why. It does not repeat the row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RefusedLine {
    /// Line of the delivery, from 1; in a JSON array the number of the element.
    pub line: u64,
    /// The first field that is wrong, `row` for the row as a whole.
    pub field: String,
    /// What is wrong with it, in Chinese.
    pub reason: String,
    /// The same in English.
    pub reason_en: String,
    /// What else is wrong with the row, so that all can be mended at once.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub others: Vec<FieldFault>,
}

/// What became of a delivery.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LoadReport {
    /// The delivery.
    pub load_id: LoadId,
    /// Who sent it.
    pub source: String,
    /// How it came: `json`, `ndjson`, `csv`, `xlsx` or `xls`.
    pub format: String,
    /// When it began.
    pub received_at: DateTime<Utc>,
    /// When it ended; not there while it is running, or when the process was killed in it.
    pub finished_at: Option<DateTime<Utc>>,
    /// How it ended.
    pub ending: Option<Ending>,
    /// Records that were kept.
    pub accepted: u64,
    /// Records that were known already, with the same content.
    pub repeated: u64,
    /// Rows that were refused.
    pub refused: u64,
    /// Records that another content took the place of.
    #[serde(default)]
    pub corrected: u64,
    /// Records that were taken back.
    #[serde(default)]
    pub retracted: u64,
    /// The first 100 of them, in the order of the delivery; none in a list of loads.
    pub refused_rows: Vec<RefusedLine>,
    /// That it is unlike what its source usually brings: it waits for a person, or has waited. Of one that waits `refused_rows` names
    /// what would be refused.
    #[serde(default)]
    pub held: Option<HeldReport>,
}

/// A load that is running.
pub(crate) struct Load {
    pub report: LoadReport,
    pub kept: Kept,
}

impl Load {
    /// Begins a load. What staff bring in leaves a trace.
    pub(crate) async fn begin(
        tx: &mut Tx,
        now: DateTime<Utc>,
        sender: &Sender,
        format: Format,
        columns: Option<&Columns>,
    ) -> Result<Self, Error> {
        let load_id = LoadId::new();
        let header =
            columns.map(|columns| serde_json::to_string(columns.names())).transpose().map_err(|_| Error::Stored { what: "header" })?;
        let delimiter = columns.map(|columns| char::from(columns.delimiter()).to_string());
        sqlx::query!(
            "insert into ingest.load (load_id, source, format, header, delimiter, received_at) values ($1, $2, $3, $4, $5, $6)",
            load_id.uuid(),
            sender.source(),
            format.as_ref(),
            header,
            delimiter,
            now
        )
        .execute(&mut **tx)
        .await
        .map_err(Error::database("beginning a load"))?;
        if let Some(staff) = sender.staff() {
            tx.publish(SCHEMA, &staff.did("records.deliver", "load", load_id, now)).await?;
        }
        let report = LoadReport {
            load_id,
            source: sender.source().to_owned(),
            format: format.as_ref().to_owned(),
            received_at: now,
            finished_at: None,
            ending: None,
            accepted: 0,
            repeated: 0,
            refused: 0,
            corrected: 0,
            retracted: 0,
            refused_rows: Vec::new(),
            held: None,
        };
        Ok(Self { report, kept: Kept::default() })
    }

    /// Adds what became of a chunk.
    pub(crate) fn add(&mut self, stored: Stored) {
        self.kept += stored.kept;
        self.report.accepted += stored.counts.accepted;
        self.report.repeated += stored.counts.repeated;
        self.report.refused += stored.counts.refused;
        self.report.corrected += stored.counts.corrected;
        self.report.retracted += stored.counts.retracted;
        let mut refusals = stored.refusals;
        refusals.sort_by_key(|refusal| refusal.line);
        let room = REPORTED_ROWS - self.report.refused_rows.len();
        self.report.refused_rows.extend(refusals.into_iter().take(room).map(RefusedLine::from));
    }

    /// Ends the load.
    pub(crate) async fn finish(mut self, platform: &Platform, ending: Ending) -> Result<LoadReport, Error> {
        let now = platform.clock.now();
        sqlx::query!(
            "update ingest.load set finished_at = $2, ending = $3 where load_id = $1",
            self.report.load_id.uuid(),
            now,
            ending.as_ref()
        )
        .execute(platform.database.pool())
        .await
        .map_err(Error::database("ending a load"))?;
        self.report.finished_at = Some(now);
        self.report.ending = Some(ending);
        let LoadReport { load_id, accepted, repeated, refused, corrected, retracted, .. } = self.report;
        tracing::info!(load = %load_id, accepted, repeated, refused, corrected, retracted, ending = ending.as_ref(), "load ended");
        Ok(self.report)
    }
}

impl From<Refusal> for RefusedLine {
    fn from(Refusal { line, faults, .. }: Refusal) -> Self {
        let mut faults = faults.into_iter();
        // there is one
        let FieldFault { field, reason, reason_en } = faults.next().unwrap_or_else(reason::cut_short);
        Self { line, field, reason, reason_en, others: faults.collect() }
    }
}
