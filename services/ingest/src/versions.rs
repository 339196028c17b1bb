//! A record by its id, with every version that it had: what its source looks at before it corrects or takes it back, and what is looked at
//! when somebody objects.

use axum::extract::State;
use chrono::{DateTime, Utc};
use domain::area::DistrictCode;
use domain::record_life::Correction;
use domain::risk_record::{Origin, RecordKind, RiskLevel};
use platform::database::readable;
use platform::http::{Caller, Problem, Query, Routes, routes};
use rules::Verdict;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::Error;
use crate::intake::Intake;
use crate::loads::{READERS, seen_by};

/// Sources that may have given the same id to different records.
const MOST_SOURCES: i64 = 20;

pub(crate) fn routes() -> Routes<Intake> {
    Routes::new("records").allow(READERS, routes!(look_up))
}

/// Which record.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Asked {
    /// The id under which it was delivered.
    #[param(example = "cdc-2026-001874")]
    source_id: String,
}

/// A record with every version that it had.
#[derive(Debug, Serialize, ToSchema)]
struct KeptRecord {
    /// Who delivered it.
    source: String,
    source_id: String,
    /// Its source took it back: nothing stands there any more.
    retracted: bool,
    /// The newest first.
    versions: Vec<RecordVersion>,
    /// What the rules in force say to what stands, as of when it was delivered: which meet it, or which came nearest and why it did not. None
    /// of what was taken back.
    rules: Option<Verdict>,
}

/// What a record said, without whom it is about.
#[derive(Debug, Serialize, ToSchema)]
struct RecordVersion {
    /// From 1.
    version: i32,
    kind: RecordKind,
    origin: Origin,
    level: RiskLevel,
    #[schema(value_type = String)]
    district: DistrictCode,
    occurred_at: DateTime<Utc>,
    received_at: DateTime<Utc>,
    /// By what it names its subject: `phone`, `identity`, `resident` or `place`.
    subject: String,
    /// Whether whoever it names is registered; a place always is. What is about somebody else waits for them.
    known: bool,
    /// How it ended; none while it stands.
    ended: Option<Ended>,
}

/// How a version ended.
#[derive(Debug, Serialize, ToSchema)]
struct Ended {
    how: Correction,
    /// As its source wrote it.
    reason: String,
    at: DateTime<Utc>,
}

/// Look a record up by its id
///
/// Sources see their own records, the city command and the technical operator everybody's; several sources may have used one id.
#[utoipa::path(get, path = "/api/v1/records", operation_id = "record", params(Asked), responses(
    (status = 200, description = "The records with this id, with all their versions; none if there is none", body = Vec<KeptRecord>)))]
async fn look_up(State(intake): State<Intake>, caller: Caller, Query(asked): Query<Asked>) -> Result<axum::Json<Vec<KeptRecord>>, Problem> {
    let (own, pool) = (seen_by(caller), intake.platform.database.pool());
    let rows = sqlx::query!(
        r#"with found as (
               select source, source_id from ingest.record where source_id = $1 and ($2::text is null or source = $2) order by source limit $3
           )
           select case when retracted_at is null then record_id end as record_id, chunk_id, source as "source!", version as "version!", kind as "kind!", origin as "origin!", level as "level!", district as "district!",
                  occurred_at as "occurred_at!", received_at as "received_at!", subject_kind as "subject_kind!",
                  resident_no is not null as "known!", retracted_at, null as how, null as reason, null::timestamptz as ended_at
             from found join ingest.record using (source, source_id)
           union all
           select null, null, source, version, kind, origin, level, district, occurred_at, received_at, subject_kind, resident_no is not null,
                  null, how, reason, ended_at
             from found join ingest.record_version using (source, source_id)
            order by 3, 4 desc, how nulls last"#,
        asked.source_id.trim(),
        own,
        MOST_SOURCES
    )
    .fetch_all(pool)
    .await
    .map_err(Error::database("looking a record up"))?;
    let chunks: Vec<Uuid> = rows.iter().filter_map(|row| row.chunk_id).collect();
    let standing = rows.iter().filter_map(|row| Some((row.record_id?, row.received_at))).collect();
    let mut verdicts = intake.rules.now().await.map_err(Error::from)?.verdicts(pool, &chunks, &standing).await.map_err(Error::from)?;
    let versions = rows.into_iter().map(|row| {
        let stored = |what| Error::Stored { what };
        let how: Option<Correction> = row.how.map(|how| how.parse()).transpose().map_err(|_| stored("end of a record"))?;
        let ended = match (how, row.reason, row.ended_at) {
            (Some(how), Some(reason), Some(at)) => Some(Ended { how, reason, at }),
            _ => None,
        };
        let version = RecordVersion {
            version: row.version,
            kind: row.kind.parse().map_err(|_| stored("kind of a record"))?,
            origin: row.origin.parse().map_err(|_| stored("origin of a record"))?,
            level: row.level.parse().map_err(|_| stored("level of a record"))?,
            district: DistrictCode::try_from(row.district).map_err(|_| stored("district of a record"))?,
            occurred_at: row.occurred_at,
            received_at: row.received_at,
            known: row.known || row.subject_kind == "place",
            subject: row.subject_kind,
            ended,
        };
        Ok::<_, Error>((row.source, row.retracted_at.is_some(), row.record_id, version))
    });
    let mut records: Vec<KeptRecord> = Vec::new();
    for (source, retracted, number, version) in readable("versions of a record", versions) {
        if records.last().is_none_or(|record| record.source != source) {
            records.push(KeptRecord {
                source,
                source_id: asked.source_id.trim().to_owned(),
                retracted: false,
                versions: Vec::new(),
                rules: None,
            });
        }
        let Some(record) = records.last_mut() else { continue };
        record.retracted |= retracted;
        record.rules = record.rules.take().or_else(|| verdicts.remove(&number?));
        // what was taken back stands in both tables: the row that says how it ended is the one to show
        if !record.versions.iter().any(|known| known.version == version.version) {
            record.versions.push(version);
        }
    }
    Ok(axum::Json(records))
}
