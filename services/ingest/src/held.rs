//! What is told of a delivery that waits for a person, or has waited.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use domain::held_list::State;
use domain::ids::LoadId;
use domain::unusual_list::Unlike;
use platform::Platform;
use serde::{Deserialize, Serialize};
use sqlx::types::Json;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::Error;
use crate::load::LoadReport;

/// A delivery that is unlike what its source usually brings.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = HeldDelivery)]
pub struct HeldReport {
    /// Where it stands. Nothing of it counts while it waits.
    pub state: State,
    /// How it is unlike the usual.
    pub why: Vec<HeldReason>,
    /// Rows that are held back, or were.
    pub rows: u64,
    /// Of these, those that would be refused by themselves.
    pub refused: u64,
    /// Since when it waits.
    pub since: DateTime<Utc>,
    /// When it was decided.
    pub decided_at: Option<DateTime<Utc>>,
    /// Why it was discarded.
    pub reason: Option<String>,
}

/// One way in which it is unlike.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = HeldReason)]
pub struct HeldReason {
    /// `many_rows`, `one_district`, `empty_column` or `refused`.
    pub why: String,
    /// In Chinese.
    pub reason: String,
    /// In English.
    pub reason_en: String,
}

impl From<&Unlike> for HeldReason {
    fn from(unlike: &Unlike) -> Self {
        Self { why: unlike.word().to_owned(), reason: unlike.sentence(), reason_en: unlike.sentence_en() }
    }
}

/// A row of the table as it is told.
pub(crate) struct Row {
    pub load_id: Uuid,
    pub why: Json<Vec<Unlike>>,
    pub state: String,
    pub held_at: DateTime<Utc>,
    pub rows: i64,
    pub refused: i64,
    pub decided_at: Option<DateTime<Utc>>,
    pub reason: Option<String>,
}

impl Row {
    pub(crate) fn report(self) -> Result<HeldReport, Error> {
        Ok(HeldReport {
            state: self.state.parse().map_err(|_| Error::Stored { what: "state of a list that waits" })?,
            why: self.why.iter().map(HeldReason::from).collect(),
            rows: self.rows.unsigned_abs(),
            refused: self.refused.unsigned_abs(),
            since: self.held_at,
            decided_at: self.decided_at,
            reason: self.reason,
        })
    }
}

/// Adds to reports what is told of those that wait or have waited.
pub(crate) async fn tell(platform: &Platform, reports: &mut [LoadReport]) -> Result<(), Error> {
    let ids: Vec<Uuid> = reports.iter().map(|report| report.load_id.uuid()).collect();
    let rows = sqlx::query_as!(
        Row,
        r#"select load_id, why as "why: Json<Vec<Unlike>>", state, held_at, rows, refused, decided_at, reason
           from ingest.held_load where load_id = any($1)"#,
        &ids
    )
    .fetch_all(platform.database.pool())
    .await
    .map_err(Error::database("reading lists that wait"))?;
    let mut held: HashMap<LoadId, Row> = rows.into_iter().map(|row| (LoadId::from_uuid(row.load_id), row)).collect();
    for report in reports {
        report.held = held.remove(&report.load_id).map(Row::report).transpose()?;
    }
    Ok(())
}

/// Sets the metrics of what waits. A failure is logged.
pub(crate) async fn measure(platform: &Platform) {
    let row = sqlx::query!(r#"select count(*) as "waiting!", min(held_at) as oldest from ingest.held_load where state = 'waiting'"#)
        .fetch_one(platform.database.pool())
        .await
        .map_err(Error::database("counting lists that wait"));
    match row {
        Ok(row) => {
            let age = row.oldest.map_or(0.0, |oldest| (platform.clock.now() - oldest).num_seconds() as f64);
            metrics::gauge!("ingest_lists_waiting").set(row.waiting as f64);
            metrics::gauge!("ingest_oldest_list_waiting_seconds").set(age);
        }
        Err(error) => tracing::warn!(error = &error as &dyn std::error::Error, "lists that wait could not be counted"),
    }
}
