//! A delivery that is looked at before anything counts: how its columns are understood, its first rows, what would be refused and why, what is
//! known already, and which rules would match.
//!
//! What is looked at goes the very way of what is stored, in a transaction that is rolled back: a preview cannot say something else than what
//! would happen. It is opened when the rows have arrived, so that nobody who sends slowly holds anything up.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use domain::list::ColumnMeaning;
use domain::place;
use domain::record_life::Correction;
use domain::risk_record::{AttributeValue, RecordKind, RiskLevel, Subject};
use domain::unusual_list::Unlike;
use platform::Platform;
use platform::http::FieldFault;
use rules::{NearMisses, RuleMatches, RulesInForce};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::check::{Candidate, Chunk};
use crate::columns::{Columns, HeaderFault};
use crate::comparing::{Comparing, Extent};
use crate::held::HeldReason;
use crate::load::{Ending, Format, Load, RefusedLine};
use crate::sender::Sender;
use crate::store;
use crate::work::{End, Means};
use crate::{Error, SCHEMA};

/// Rows that are looked at; what follows is as good or bad as they are.
const LOOKED_AT: usize = 10_000;
/// Bytes of rows that are held until all have arrived.
const HELD_BYTES: usize = 64 << 20;
/// Rows that are shown as they are understood.
const SHOWN: usize = 20;

/// What would become of a delivery.
#[derive(Debug, Default, Serialize, ToSchema)]
pub struct Preview {
    /// How it is written: `json`, `ndjson`, `csv`, `xlsx` or `xls`; nothing where it has no header that can be used.
    pub format: Option<String>,
    /// Its columns, each with what it means; none of JSON.
    pub columns: Vec<ColumnView>,
    /// Why the header cannot be used. Nothing else is known then; meanings for its names can be chosen.
    pub header_fault: Option<HeaderView>,
    /// Rows that were looked at.
    pub looked_at: u64,
    /// Whether these are all.
    pub whole: bool,
    /// Records that would be kept.
    pub accepted: u64,
    /// Of these, those about people who are not registered: they would wait for them.
    pub waiting: u64,
    /// Records that are known already, with the same content.
    pub repeated: u64,
    /// Records that another content would take the place of.
    pub corrected: u64,
    /// Records that would be taken back.
    pub retracted: u64,
    /// Rows that would be refused.
    pub refused: u64,
    /// The first 100 of them.
    pub refused_rows: Vec<RefusedLine>,
    /// The first rows as they are understood.
    pub rows: Vec<RowView>,
    /// The rules in force that would match, those with most records first.
    pub rules: Vec<RuleMatches>,
    /// Records that would be kept and that no rule in force would match.
    pub unmatched: u64,
    /// Why these would lead to nothing, the commonest reasons.
    pub near_misses: Vec<NearMisses>,
    /// How it is unlike what its source usually brings. Where it is, it would wait for a person, and nothing of it would count until then.
    pub would_wait: Vec<HeldReason>,
}

/// A column.
#[derive(Debug, Serialize, ToSchema)]
pub struct ColumnView {
    /// As it stands in the header.
    pub name: String,
    /// A field, `attributes.…`, or `-` for what is not kept; none where nobody knows.
    pub meaning: Option<String>,
}

/// What is wrong with a header.
#[derive(Debug, Serialize, ToSchema)]
pub struct HeaderView {
    /// Its line, from 1.
    pub line: u64,
    /// The column that is wrong, from 1; none for what is missing.
    pub column: Option<usize>,
    /// What is wrong.
    pub fault: FieldFault,
}

/// A row as it is understood. Whom it is about is not shown.
#[derive(Debug, Serialize, ToSchema)]
pub struct RowView {
    /// Line of the delivery, from 1.
    pub line: u64,
    /// The source's id of the record.
    pub source_id: String,
    /// Whether it corrects or takes back a record that was delivered before.
    pub correction: Option<Correction>,
    /// None where a record is taken back, and so on.
    pub kind: Option<RecordKind>,
    /// How high the risk.
    pub level: Option<RiskLevel>,
    /// When it happened or was found.
    pub occurred_at: Option<DateTime<Utc>>,
    /// By what it names its subject: `phone`, `identity`, `resident` or `place`.
    pub subject: Option<String>,
    /// The district's code and name; none where it follows from the person.
    pub district: Option<String>,
    /// What else it says.
    #[schema(value_type = Object)]
    pub attributes: BTreeMap<String, AttributeValue>,
}

impl Preview {
    /// Of a list whose header cannot be used.
    pub(crate) fn of_header(fault: &HeaderFault) -> Self {
        let column = |(name, meaning): &(String, Option<ColumnMeaning>)| ColumnView {
            name: name.clone(),
            meaning: meaning.as_ref().map(ColumnMeaning::word),
        };
        Self {
            columns: fault.read.iter().map(column).collect(),
            header_fault: Some(HeaderView { line: fault.line, column: fault.column, fault: fault.fault.clone() }),
            ..Self::default()
        }
    }
}

/// A delivery that is being looked at.
pub(crate) struct Look {
    platform: Platform,
    rules: RulesInForce,
    sender: Arc<Sender>,
    format: Format,
    columns: Option<Arc<Columns>>,
    chunks: Vec<Chunk>,
    rows: usize,
    bytes: usize,
    shown: Vec<RowView>,
    comparing: Comparing,
    unlike: Vec<Unlike>,
}

impl End for Look {
    type Made = Preview;

    async fn begin(
        Means { platform, settings, rules }: Means<'_>,
        sender: Arc<Sender>,
        format: Format,
        columns: Option<Arc<Columns>>,
    ) -> Result<Self, Error> {
        Ok(Self {
            platform: platform.clone(),
            rules: rules.clone(),
            sender,
            format,
            columns,
            chunks: Vec::new(),
            rows: 0,
            bytes: 0,
            shown: Vec::new(),
            comparing: Comparing::new(settings),
            unlike: Vec::new(),
        })
    }

    fn foresee(&mut self, extent: Extent) {
        self.comparing.foresee(extent);
    }

    async fn take(&mut self, chunk: Chunk, _: DateTime<Utc>) -> Result<(), Error> {
        if self.unlike.is_empty() {
            self.unlike = self.comparing.see(&self.platform, self.sender.source(), &chunk).await?;
        }
        self.rows += chunk.candidates.len() + chunk.corrections.len() + chunk.refusals.len();
        self.bytes += chunk.block.bytes.len();
        if self.shown.len() < SHOWN {
            let records = chunk.candidates.iter().map(|candidate| understood(candidate, None));
            let corrections = chunk.corrections.iter().map(|correction| match &correction.by {
                Some(candidate) => understood(candidate, Some(Correction::Replace)),
                None => retraction(correction.row.line, &correction.source_id),
            });
            let mut rows: Vec<RowView> = records.chain(corrections).collect();
            rows.sort_by_key(|row| row.line);
            self.shown.extend(rows.into_iter().take(SHOWN - self.shown.len()));
        }
        self.chunks.push(chunk);
        Ok(())
    }

    fn has_enough(&self) -> bool {
        self.rows >= LOOKED_AT || self.bytes >= HELD_BYTES
    }

    async fn finish(self, ending: Ending) -> Result<Preview, Error> {
        let whole = ending == Ending::Complete && !self.has_enough();
        let Self { platform, rules, sender, format, columns, chunks, rows, shown, unlike, .. } = self;
        let now = platform.clock.now();
        // on a connection of its own, before this one is taken; who looks leaves a trace, since a preview tells who is registered
        let foresight = rules.now().await?;
        let mut trace = platform.database.begin().await?;
        trace.publish(SCHEMA, &sender.did("records.preview", "source", sender.source(), now)).await?;
        trace.commit().await?;
        let mut tx = platform.database.begin().await?;
        let mut load = Load::begin(&mut tx, now, &sender, format, columns.as_deref()).await?;
        let mut stored_in: Vec<Uuid> = Vec::new();
        for chunk in chunks {
            let stored = store::store_in(&mut tx, &platform, &sender, load.report.load_id, chunk, load.kept, now).await?;
            stored_in.push(stored.chunk);
            load.add(stored);
        }
        let waiting = sqlx::query_scalar!(
            r#"select count(*) as "waiting!" from ingest.record where chunk_id = any($1) and resident_no is null and subject_hash is not null"#,
            &stored_in
        )
        .fetch_one(&mut *tx)
        .await
        .map_err(Error::database("counting who is not registered"))?;
        let seen = foresight.of_loads(&mut tx, &stored_in, now).await?;
        tx.rollback().await?;
        let kept = load.report.accepted + load.report.corrected;
        let columns = columns.iter().flat_map(|columns| columns.read_as());
        Ok(Preview {
            format: Some(format.as_ref().to_owned()),
            columns: columns.map(|(name, meaning)| ColumnView { name: name.to_owned(), meaning: Some(meaning.word()) }).collect(),
            header_fault: None,
            looked_at: rows as u64,
            whole,
            accepted: load.report.accepted,
            waiting: waiting.unsigned_abs(),
            repeated: load.report.repeated,
            corrected: load.report.corrected,
            retracted: load.report.retracted,
            refused: load.report.refused,
            refused_rows: load.report.refused_rows,
            rows: shown,
            unmatched: kept.saturating_sub(seen.matched),
            rules: seen.rules,
            near_misses: seen.near_misses,
            would_wait: unlike.iter().map(HeldReason::from).collect(),
        })
    }
}

fn understood(candidate: &Candidate, correction: Option<Correction>) -> RowView {
    let record = &candidate.record;
    let subject = match record.subject {
        Subject::Resident(_) => "resident",
        Subject::PhoneHash(_) => "phone",
        Subject::IdentityHash(_) => "identity",
        Subject::Place(_) => "place",
    };
    let district = candidate.district.map(|code| match place::district(code) {
        Some(district) => format!("{code} {}", district.name),
        None => code.to_string(),
    });
    RowView {
        line: candidate.row.line,
        source_id: record.source_id.clone(),
        correction,
        kind: Some(record.kind),
        level: Some(record.level),
        occurred_at: Some(record.occurred_at),
        subject: Some(subject.to_owned()),
        district,
        attributes: record.attributes.clone(),
    }
}

fn retraction(line: u64, source_id: &str) -> RowView {
    RowView {
        line,
        source_id: source_id.to_owned(),
        correction: Some(Correction::Retract),
        kind: None,
        level: None,
        occurred_at: None,
        subject: None,
        district: None,
        attributes: BTreeMap::new(),
    }
}
