//! Matches that were left out because their rule had told the person not long ago (CQ4).
//!
//! What had told them may turn out wrong: its record is taken back. Then what was left out counts, and is gathered like a record that has
//! just come. So the true record of a person is heard also where the false one came first.

use chrono::{DateTime, Utc};
use domain::area::DistrictCode;
use domain::ids::ResidentNo;
use platform::database::Tx;
use uuid::Uuid;

use crate::gathering::{self, Columns, rule_id};
use crate::matching::{Match, Reason};
use crate::rulebook::Rulebook;
use crate::settled::Told;
use crate::{Error, record};

/// Keeps matches of a load that were left out, each about somebody. A repeat changes nothing.
pub(crate) async fn keep(tx: &mut Tx, rulebook: &Rulebook, left_out: &[&Match], now: DateTime<Utc>) -> Result<(), Error> {
    if left_out.is_empty() {
        return Ok(());
    }
    let columns = Columns::of(rulebook, left_out)?;
    sqlx::query!(
        "insert into rules.cooled (rule_id, record_id, resident_no, district, area, source, occurred_at, attributes, kind, cooled_at)
         select *, $10::timestamptz
         from unnest($1::uuid[], $2::bigint[], $3::int[], $4::int[], $5::text[], $6::text[], $7::timestamptz[], $8::jsonb[], $9::text[])
         on conflict (rule_id, record_id) do nothing",
        &columns.rules,
        &columns.records,
        &columns.residents as &[Option<i32>],
        &columns.districts,
        &columns.areas,
        &columns.sources,
        &columns.times,
        &columns.attributes,
        &columns.kinds as &[Option<&str>],
        now
    )
    .execute(&mut **tx)
    .await
    .map_err(Error::database("keeping matches that were left out"))?;
    Ok(())
}

/// Keeps those matches of a draft that fell away when it was closed, and takes them out of it: they are in no alert.
pub(crate) async fn fell_away(tx: &mut Tx, draft: Uuid, district: DistrictCode, records: &[i64], now: DateTime<Utc>) -> Result<(), Error> {
    if records.is_empty() {
        return Ok(());
    }
    sqlx::query!(
        "with gone as (delete from rules.match where draft_id = $1 and record_id = any($2) returning *)
         insert into rules.cooled (rule_id, record_id, resident_no, district, area, source, occurred_at, attributes, kind, cooled_at)
         select rule_id, record_id, resident_no, $3, area, source, occurred_at, attributes, kind, $4 from gone where resident_no is not null
         on conflict (rule_id, record_id) do nothing",
        draft,
        records,
        district.get().cast_signed(),
        now
    )
    .execute(&mut **tx)
    .await
    .map_err(Error::database("keeping matches that fell away"))?;
    Ok(())
}

/// Forgets what these records brought: they ended.
pub(crate) async fn forget(tx: &mut Tx, records: &[i64]) -> Result<(), Error> {
    sqlx::query!("delete from rules.cooled where record_id = any($1)", records)
        .execute(&mut **tx)
        .await
        .map_err(Error::database("forgetting matches of ended records"))?;
    Ok(())
}

/// Gathers what was left out of people because of what they count as told by no more; what was left out before that was left out for another
/// reason, and stays so. A rule that is in force no more gathers nobody.
pub(crate) async fn gather(tx: &mut Tx, rulebook: &Rulebook, back: &[Told], now: DateTime<Utc>) -> Result<u64, Error> {
    let rules: Vec<Uuid> = back.iter().map(|told| told.rule_id).collect();
    let residents: Vec<i32> = back.iter().map(|told| told.resident_no).collect();
    let since: Vec<DateTime<Utc>> = back.iter().map(|told| told.alerted_at).collect();
    let rows = sqlx::query!(
        r#"delete from rules.cooled using unnest($1::uuid[], $2::int[], $3::timestamptz[]) as back (rule_id, resident_no, since)
            where cooled.rule_id = back.rule_id and cooled.resident_no = back.resident_no and cooled.cooled_at >= back.since
        returning cooled.rule_id, record_id, cooled.resident_no, district, area, source, occurred_at, attributes, kind"#,
        &rules,
        &residents,
        &since
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(Error::database("taking up matches that were left out"))?;
    let mut matches = Vec::with_capacity(rows.len());
    for row in rows {
        let Some(rule) = rulebook.place_of(row.rule_id) else { continue };
        let attributes: record::Attributes = serde_json::from_value(row.attributes).map_err(Error::stored("attributes of a match"))?;
        matches.push(Match {
            rule,
            record_id: row.record_id,
            kind: row.kind.and_then(|kind| kind.parse().ok()),
            district: DistrictCode::try_from(row.district).map_err(Error::stored("district of a match"))?,
            reason: Reason {
                resident: Some(ResidentNo::new(row.resident_no.cast_unsigned())),
                area: row.area.parse().map_err(Error::stored("area of a match"))?,
                source: row.source,
                occurred_at: row.occurred_at,
                attributes,
            },
        });
    }
    let mut fresh: Vec<&Match> = matches.iter().collect();
    fresh.sort_by_key(|found| (rule_id(rulebook, found), found.record_id));
    gathering::put(tx, rulebook, &fresh, now).await
}
