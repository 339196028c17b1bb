//! A load of stored records is evaluated, and what matches is gathered into open drafts.
//!
//! All of it is one transaction that begins with the load's name: who comes second with the same load waits there and
//! then finds it done. Drafts and matches are written in the order of their keys, so two loads never wait for each other
//! in a circle. Taking an open draft locks it until the commit, so it is not closed while something is put into it.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::str::FromStr;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use domain::area::DistrictCode;
use domain::ids::{AlertId, LoadId, ResidentNo};
use platform::bus::understood;
use platform::database::Tx;
use proto::RecordsStored;
use proto::topology::RULES_RECORDS;
use uuid::Uuid;

use crate::matching::{Findings, Match};
use crate::rulebook::Rulebook;
use crate::{Error, Service, cooled, ended, lifting, record};

pub(crate) fn subscribe(service: &Service) -> Result<(), Error> {
    let own = service.clone();
    service.platform.bus.subscribe(&RULES_RECORDS, service.settings.loads_at_once.into(), move |event: RecordsStored| {
        let service = own.clone();
        async move { Ok(evaluate(&service, understood("load id", LoadId::from_str(&event.load_id))?).await?) }
    })?;
    Ok(())
}

async fn evaluate(service: &Service, load: LoadId) -> Result<(), Error> {
    let pool = service.platform.database.pool();
    let known = sqlx::query_scalar!(r#"select exists (select from rules.evaluated_load where load_id = $1) as "known!""#, load.uuid())
        .fetch_one(pool)
        .await
        .map_err(Error::database("looking for an evaluated load"))?;
    if known {
        return Ok(());
    }
    let rulebook = service.rulebook.current().await?;
    let now = service.platform.clock.now();
    let mut findings = Findings::default();
    let (mut unreadable, mut after) = (0, i64::MIN);
    loop {
        let page = record::read(pool, load, after, service.settings.chunk).await?;
        unreadable += page.unreadable;
        let (book, mut so_far) = (Arc::clone(&rulebook), std::mem::take(&mut findings));
        // Tens of thousands of evaluations would hold up everything else on this thread.
        findings = tokio::task::spawn_blocking(move || {
            so_far.look_at(&book, &page.records, now);
            so_far
        })
        .await?;
        match page.next {
            Some(next) => after = next,
            None => break,
        }
    }
    match gather(service, load, &rulebook, &findings, now).await? {
        Some(gathered) => told(load, &findings, unreadable, &gathered),
        None => tracing::debug!(%load, "load was evaluated elsewhere"),
    }
    Ok(())
}

/// What became of the findings.
struct Gathered {
    matched: u64,
    /// Matches left out because their rule has told the person not long ago.
    cooling: usize,
    drafts: usize,
}

fn told(load: LoadId, findings: &Findings, unreadable: usize, gathered: &Gathered) {
    let Gathered { matched, cooling, drafts } = *gathered;
    metrics::counter!("rules_records_total").increment(findings.records as u64);
    metrics::counter!("rules_matches_total").increment(matched);
    metrics::counter!("rules_cooldown_skipped_total", "when" => "gathering").increment(cooling as u64);
    for (why, count) in &findings.unusable {
        metrics::counter!("rules_unusable_total", "why" => *why).increment(*count);
    }
    if unreadable > 0 {
        metrics::counter!("rules_records_unreadable_total").increment(unreadable as u64);
        tracing::error!(%load, records = unreadable, "records of a load cannot be read and were passed over");
    }
    tracing::info!(%load, records = findings.records, matched, cooling, drafts, unusable = findings.unusable.values().sum::<u64>(), "load evaluated");
}

/// Puts the matches into the open drafts of their rules and districts; none if the load was evaluated before.
async fn gather(
    service: &Service,
    load: LoadId,
    rulebook: &Rulebook,
    findings: &Findings,
    now: DateTime<Utc>,
) -> Result<Option<Gathered>, Error> {
    let mut tx = service.platform.database.begin().await?;
    let first = sqlx::query!(
        "insert into rules.evaluated_load (load_id, evaluated_at, records, matched) values ($1, $2, $3, 0) on conflict (load_id) do nothing",
        load.uuid(),
        now,
        i32::try_from(findings.records).unwrap_or(i32::MAX)
    )
    .execute(&mut *tx)
    .await
    .map_err(Error::database("noting an evaluated load"))?
    .rows_affected()
        == 1;
    if !first {
        tx.rollback().await?;
        return Ok(None);
    }
    ended::hold_back(&mut tx).await?;
    lifting::keep(&mut tx, &findings.lifting, now).await?;
    let mut gathered = Gathered { matched: 0, cooling: 0, drafts: 0 };
    if !findings.matches.is_empty() {
        let cooling = cooling(&mut tx, rulebook, &findings.matches, now).await?;
        let is_cooling = |found: &&Match| found.reason.resident.is_some_and(|no| cooling.contains(&(rule_id(rulebook, found), no)));
        let (left_out, mut fresh): (Vec<&Match>, Vec<&Match>) = findings.matches.iter().partition(is_cooling);
        fresh.sort_by_key(|found| (rule_id(rulebook, found), found.record_id));
        gathered.cooling = left_out.len();
        cooled::keep(&mut tx, rulebook, &left_out, now).await?;
        let drafts = open_drafts(&mut tx, rulebook, &fresh, now).await?;
        gathered.drafts = drafts.len();
        gathered.matched = keep(&mut tx, rulebook, &fresh, &drafts, now).await?;
        sqlx::query!(
            "update rules.evaluated_load set matched = $2 where load_id = $1",
            load.uuid(),
            i32::try_from(gathered.matched).unwrap_or(i32::MAX)
        )
        .execute(&mut *tx)
        .await
        .map_err(Error::database("counting a load's matches"))?;
    }
    tx.commit().await?;
    Ok(Some(gathered))
}

/// Puts matches into the open drafts of their rules and districts, sorted by rule and record; how many were new.
pub(crate) async fn put(tx: &mut Tx, rulebook: &Rulebook, fresh: &[&Match], now: DateTime<Utc>) -> Result<u64, Error> {
    let drafts = open_drafts(tx, rulebook, fresh, now).await?;
    keep(tx, rulebook, fresh, &drafts, now).await
}

pub(crate) fn rule_id(rulebook: &Rulebook, found: &Match) -> Uuid {
    rulebook.rule(found.rule).rule.rule_id.uuid()
}

/// Residents as the tables number them.
pub(crate) fn stored(no: ResidentNo) -> i32 {
    no.get().cast_signed()
}

/// Whom which rule has told within its cooldown.
async fn cooling(tx: &mut Tx, rulebook: &Rulebook, matches: &[Match], now: DateTime<Utc>) -> Result<HashSet<(Uuid, ResidentNo)>, Error> {
    let (mut rules, mut residents, mut cutoffs) = (Vec::new(), Vec::new(), Vec::new());
    for found in matches {
        if let Some(no) = found.reason.resident {
            rules.push(rule_id(rulebook, found));
            residents.push(stored(no));
            cutoffs.push(now - TimeDelta::seconds(rulebook.rule(found.rule).rule.cooldown_s.into()));
        }
    }
    let rows = sqlx::query!(
        r#"select alerted.rule_id, alerted.resident_no
             from unnest($1::uuid[], $2::int[], $3::timestamptz[]) as found (rule_id, resident_no, cutoff)
             join rules.alerted using (rule_id, resident_no)
             where alerted.alerted_at > found.cutoff and (alerted.lapses_at is null or alerted.lapses_at > $4)"#,
        &rules,
        &residents,
        &cutoffs,
        now
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(Error::database("looking who was told not long ago"))?;
    Ok(rows.into_iter().map(|row| (row.rule_id, ResidentNo::new(row.resident_no.cast_unsigned()))).collect())
}

/// The open drafts for the matches, by rule, version and district; opened where there was none.
async fn open_drafts(
    tx: &mut Tx,
    rulebook: &Rulebook,
    fresh: &[&Match],
    now: DateTime<Utc>,
) -> Result<HashMap<(Uuid, DistrictCode), Uuid>, Error> {
    // A rulebook has one version of a rule, so the rule stands for it.
    let wanted: BTreeSet<(Uuid, DistrictCode, usize)> =
        fresh.iter().map(|found| (rule_id(rulebook, found), found.district, found.rule)).collect();
    let (mut ids, mut rules, mut versions, mut districts) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let (mut activators, mut closings) = (Vec::new(), Vec::new());
    for (rule_id, district, place) in wanted {
        let active = rulebook.rule(place);
        ids.push(AlertId::new().uuid());
        rules.push(rule_id);
        versions.push(active.rule.version.cast_signed());
        districts.push(district.get().cast_signed());
        activators.push(active.activated_by.uuid());
        closings.push(now + TimeDelta::seconds(active.rule.gather_window_s.into()));
    }
    // The update changes nothing: it locks the draft that is open already, and returns it.
    let rows = sqlx::query!(
        "insert into rules.draft as open (draft_id, rule_id, version, district, activated_by, opened_at, closes_at)
         select draft_id, rule_id, version, district, activated_by, $7, closes_at
         from unnest($1::uuid[], $2::uuid[], $3::int[], $4::int[], $5::uuid[], $6::timestamptz[])
              as wanted (draft_id, rule_id, version, district, activated_by, closes_at)
         order by rule_id, version, district
         on conflict (rule_id, version, district) where closed_at is null do update set closes_at = open.closes_at
         returning draft_id, rule_id, district",
        &ids,
        &rules,
        &versions,
        &districts,
        &activators,
        &closings,
        now
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(Error::database("opening drafts"))?;
    rows.into_iter()
        .map(|row| {
            let district = DistrictCode::try_from(row.district).map_err(Error::stored("district of a draft"))?;
            Ok(((row.rule_id, district), row.draft_id))
        })
        .collect()
}

/// Writes the matches into their drafts; how many were new.
async fn keep(
    tx: &mut Tx,
    rulebook: &Rulebook,
    fresh: &[&Match],
    drafts: &HashMap<(Uuid, DistrictCode), Uuid>,
    now: DateTime<Utc>,
) -> Result<u64, Error> {
    let columns = Columns::of(rulebook, fresh)?;
    let ids = fresh.iter().map(|found| drafts.get(&(rule_id(rulebook, found), found.district)).copied());
    let ids: Vec<Uuid> = ids.collect::<Option<_>>().ok_or(Error::Stored { what: "open draft" })?;
    let written = sqlx::query!(
        "insert into rules.match (rule_id, record_id, draft_id, resident_no, area, source, occurred_at, attributes, kind, matched_at)
         select *, $10::timestamptz
         from unnest($1::uuid[], $2::bigint[], $3::uuid[], $4::int[], $5::text[], $6::text[], $7::timestamptz[], $8::jsonb[], $9::text[])
              as found (rule_id, record_id, draft_id, resident_no, area, source, occurred_at, attributes, kind)
         where not exists (select from rules.ended_record ended where ended.record_id = found.record_id)
         on conflict (rule_id, record_id) do nothing",
        &columns.rules,
        &columns.records,
        &ids,
        &columns.residents as &[Option<i32>],
        &columns.areas,
        &columns.sources,
        &columns.times,
        &columns.attributes,
        &columns.kinds as &[Option<&str>],
        now
    )
    .execute(&mut **tx)
    .await
    .map_err(Error::database("keeping matches"))?;
    Ok(written.rows_affected())
}

/// The columns of some matches, each value at the place of its match.
pub(crate) struct Columns {
    pub(crate) rules: Vec<Uuid>,
    pub(crate) records: Vec<i64>,
    pub(crate) residents: Vec<Option<i32>>,
    pub(crate) districts: Vec<i32>,
    pub(crate) areas: Vec<String>,
    pub(crate) sources: Vec<String>,
    pub(crate) times: Vec<DateTime<Utc>>,
    pub(crate) attributes: Vec<serde_json::Value>,
    pub(crate) kinds: Vec<Option<&'static str>>,
}

impl Columns {
    pub(crate) fn of(rulebook: &Rulebook, matches: &[&Match]) -> Result<Self, Error> {
        let attributes = matches.iter().map(|found| serde_json::to_value(&found.reason.attributes)).collect::<Result<_, _>>();
        Ok(Self {
            rules: matches.iter().map(|found| rule_id(rulebook, found)).collect(),
            records: matches.iter().map(|found| found.record_id).collect(),
            residents: matches.iter().map(|found| found.reason.resident.map(stored)).collect(),
            districts: matches.iter().map(|found| found.district.get().cast_signed()).collect(),
            areas: matches.iter().map(|found| found.reason.area.to_string()).collect(),
            sources: matches.iter().map(|found| found.reason.source.clone()).collect(),
            times: matches.iter().map(|found| found.reason.occurred_at).collect(),
            attributes: attributes.map_err(Error::stored("attributes of a record"))?,
            kinds: matches.iter().map(|found| found.kind.map(Into::into)).collect(),
        })
    }
}
