//! What came of each source, hour by hour: from it its health and its usual are told, without a look at its records.
//!
//! It is added to after every chunk, by one statement that waits for no disk, and outside of the chunk's transaction: sources that deliver over
//! many connections do not wait for each other. A chunk whose process dies in between is not in these figures; nothing that counts is lost.

use chrono::{DateTime, Utc};
use domain::source_health::{LATENESS_CLASSES, hour_of};
use domain::unusual_list::{PROFILES, Profile};
use platform::Platform;

use crate::Error;
use crate::store::Counts;

/// Records by how late they came.
pub(crate) type Lateness = [i64; LATENESS_CLASSES];

/// Adds what became of a chunk. A failure is logged: the chunk is stored.
pub(crate) async fn note(platform: &Platform, source: &str, counts: Counts, late: &Lateness, now: DateTime<Utc>) {
    let number = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
    let noted = sqlx::query!(
        "with quick as (select set_config('synchronous_commit', 'off', true)),
              seen as (insert into ingest.source as s (source, last_at) select $1, $3 from quick
                       on conflict (source) do update set last_at = greatest(s.last_at, excluded.last_at))
         insert into ingest.source_hour as h (source, hour, accepted, repeated, refused, corrected, retracted, late)
         select $1, $2, $4, $5, $6, $7, $8, $9::bigint[] from quick
         on conflict (source, hour) do update set
             accepted = h.accepted + excluded.accepted, repeated = h.repeated + excluded.repeated, refused = h.refused + excluded.refused,
             corrected = h.corrected + excluded.corrected, retracted = h.retracted + excluded.retracted,
             late = array(select coalesce(one, 0) + coalesce(more, 0)
                          from unnest(h.late, excluded.late) with ordinality as both_of (one, more, place) order by place)",
        source,
        hour_of(now),
        now,
        number(counts.accepted),
        number(counts.repeated),
        number(counts.refused),
        number(counts.corrected),
        number(counts.retracted),
        &late[..]
    )
    .execute(platform.database.pool())
    .await
    .map_err(Error::database("noting what a source brought"));
    if let Err(error) = noted {
        tracing::warn!(error = &error as &dyn std::error::Error, "what a source brought is not in its health");
    }
}

/// Adds a delivery that ended, of so many rows, and what it looked like, if that is to be part of the usual.
pub(crate) async fn delivered(platform: &Platform, source: &str, rows: u64, profile: Option<Profile>) -> Result<(), Error> {
    let now = platform.clock.now();
    let profile = profile.map(serde_json::to_value).transpose().map_err(|_| Error::Stored { what: "profile of a list" })?;
    sqlx::query!(
        "with quick as (select set_config('synchronous_commit', 'off', true)),
              seen as (insert into ingest.source as s (source, last_at, profiles)
                       select $1, $3, case when $5::jsonb is null then '[]' else jsonb_build_array($5::jsonb) end from quick
                       on conflict (source) do update set last_at = greatest(s.last_at, excluded.last_at),
                           profiles = case when $5::jsonb is null then s.profiles
                                      else jsonb_path_query_array(excluded.profiles || s.profiles, '$[0 to $last]', $7) end)
         insert into ingest.source_hour as h (source, hour, deliveries, largest, late) select $1, $2, 1, $4, $6::bigint[] from quick
         on conflict (source, hour) do update set deliveries = h.deliveries + 1, largest = greatest(h.largest, excluded.largest)",
        source,
        hour_of(now),
        now,
        i64::try_from(rows).unwrap_or(i64::MAX),
        profile,
        &[0; LATENESS_CLASSES][..],
        serde_json::json!({ "last": PROFILES - 1 })
    )
    .execute(platform.database.pool())
    .await
    .map_err(Error::database("noting a delivery"))?;
    Ok(())
}
