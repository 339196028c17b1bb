//! Records that hold no longer: their source corrected them or took them back (CQ2, CQ6).
//!
//! An open draft drops what such a record brought into it, and the new version of it is gathered like any other record. A draft that was
//! closed is an alert by now: review is told, record by record, and people decide there. Whom a record that was taken back had used up the
//! cooldown of may be told again by a true one.
//!
//! A load is being evaluated while one of its records ends: [`ENDING_LOCK`] is held shared by whoever puts matches into drafts and
//! exclusively here, so one of the two always sees the other.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use chrono::{DateTime, Utc};
use domain::ids::{AlertId, LoadId};
use domain::record_life::Correction;
use platform::bus::understood;
use platform::database::{Pool, Tx};
use proto::RecordsBehindAlertEnded;
use proto::RecordsEnded;
use proto::events::records_behind_alert_ended::Entry;
use proto::topology::RULES_ENDED;
use uuid::Uuid;

use crate::matching::{Findings, Match};
use crate::rulebook::Rulebook;
use crate::settled::Told;
use crate::{Error, SCHEMA, Service, cooled, lifting, record};

/// The advisory lock between records that end and matches that are kept.
const ENDING_LOCK: i64 = 0x6665_6e67_6875_6f02;

/// Holds the end of records back until the transaction ends; whoever puts matches into drafts, or closes these, does so together.
pub(crate) async fn hold_back(tx: &mut Tx) -> Result<(), Error> {
    sqlx::query!("select pg_advisory_xact_lock_shared($1)", ENDING_LOCK)
        .execute(&mut **tx)
        .await
        .map_err(Error::database("holding the end of records back"))?;
    Ok(())
}

/// Waits for those who hold it back, and lets none begin until the transaction ends.
pub(crate) async fn wait_for_loads(tx: &mut Tx) -> Result<(), Error> {
    sqlx::query!("select pg_advisory_xact_lock($1)", ENDING_LOCK)
        .execute(&mut **tx)
        .await
        .map_err(Error::database("waiting for loads being evaluated"))?;
    Ok(())
}

pub(crate) fn subscribe(service: &Service) -> Result<(), Error> {
    let own = service.clone();
    service.platform.bus.subscribe(&RULES_ENDED, 1, move |event: RecordsEnded| {
        let service = own.clone();
        async move { Ok(end(&service, understood("load id", event.load_id.parse())?).await?) }
    })?;
    Ok(())
}

/// A version of a record that ended, as ingest shows it.
struct Ended {
    record_id: i64,
    how: String,
    reason: String,
    ended_at: DateTime<Utc>,
    /// What took its place, and the load that it is in.
    replaced_by: Option<i64>,
    replaced_in: Option<Uuid>,
}

/// Takes note of what a load ended. A repeat changes nothing.
async fn end(service: &Service, load: LoadId) -> Result<(), Error> {
    let pool = service.platform.database.pool();
    let ended = read(pool, load).await?;
    let rulebook = service.rulebook.current().await?;
    let still_met = still_met(service, &rulebook, &ended).await?;
    let mut tx = service.platform.database.begin().await?;
    wait_for_loads(&mut tx).await?;
    note(&mut tx, &ended).await?;
    let matches = matches(&mut tx, &ended).await?;
    let (open, closed): (Vec<Matched>, Vec<Matched>) = matches.into_iter().partition(|matched| matched.is_open);
    drop_from_drafts(&mut tx, &open).await?;
    cooled::forget(&mut tx, &ended.iter().map(|one| one.record_id).collect::<Vec<_>>()).await?;
    let now = service.platform.clock.now();
    lifting::end(&mut tx, &ended.iter().map(|one| one.record_id).collect::<Vec<_>>(), now).await?;
    let ends = Ends { ended: &ended, still_met: &still_met, rulebook: &rulebook, now };
    let alerts = ends.in_alerts(&mut tx, &closed).await?;
    tx.commit().await?;
    metrics::counter!("rules_records_ended_total").increment(ended.len() as u64);
    tracing::info!(%load, records = ended.len(), dropped_from_drafts = open.len(), alerts, "records ended");
    Ok(())
}

async fn read(pool: &Pool, load: LoadId) -> Result<Vec<Ended>, Error> {
    sqlx::query_as!(
        Ended,
        r#"select record_id as "record_id!", how as "how!", reason as "reason!", ended_at as "ended_at!", replaced_by, replaced_in
             from ingest.ended_feed where load_id = $1 order by record_id"#,
        load.uuid()
    )
    .fetch_all(pool)
    .await
    .map_err(Error::database("reading which records ended"))
}

/// By which rules and for whom what took the place of an ended record would be gathered again: rule, ended record, resident.
type StillMet = HashMap<(Uuid, i64, Option<u32>), Match>;

async fn still_met(service: &Service, rulebook: &Rulebook, ended: &[Ended]) -> Result<StillMet, Error> {
    let replaced: BTreeMap<i64, i64> = ended.iter().filter_map(|one| Some((one.replaced_by?, one.record_id))).collect();
    if replaced.is_empty() {
        return Ok(HashMap::new());
    }
    let loads: BTreeSet<Uuid> = ended.iter().filter_map(|one| one.replaced_in).collect();
    let ids: Vec<i64> = replaced.keys().copied().collect();
    let records = record::of_loads(service.platform.database.pool(), &loads.into_iter().collect::<Vec<_>>(), Some(&ids)).await?;
    let mut findings = Findings::default();
    findings.look_at(rulebook, &records, service.platform.clock.now());
    let met = findings.matches.into_iter().filter_map(|found| {
        let rule = rulebook.rule(found.rule).rule.rule_id.uuid();
        Some(((rule, *replaced.get(&found.record_id)?, found.reason.resident.map(|no| no.get())), found))
    });
    Ok(met.collect())
}

/// From now on nobody gathers them.
async fn note(tx: &mut Tx, ended: &[Ended]) -> Result<(), Error> {
    let ids: Vec<i64> = ended.iter().map(|one| one.record_id).collect();
    let hows: Vec<&str> = ended.iter().map(|one| one.how.as_str()).collect();
    let reasons: Vec<&str> = ended.iter().map(|one| one.reason.as_str()).collect();
    let times: Vec<DateTime<Utc>> = ended.iter().map(|one| one.ended_at).collect();
    sqlx::query!(
        "insert into rules.ended_record (record_id, how, reason, ended_at)
         select * from unnest($1::bigint[], $2::text[], $3::text[], $4::timestamptz[]) on conflict (record_id) do nothing",
        &ids,
        &hows as &[&str],
        &reasons as &[&str],
        &times
    )
    .execute(&mut **tx)
    .await
    .map_err(Error::database("noting records that ended"))?;
    Ok(())
}

/// What an ended record brought into a draft.
struct Matched {
    rule_id: Uuid,
    record_id: i64,
    draft_id: Uuid,
    resident_no: Option<i32>,
    area: String,
    source: String,
    is_open: bool,
}

/// The matches of the records that were not attended to yet, their drafts held: in the order in which drafts are opened, so that nobody waits
/// in a circle.
async fn matches(tx: &mut Tx, ended: &[Ended]) -> Result<Vec<Matched>, Error> {
    let ids: Vec<i64> = ended.iter().map(|one| one.record_id).collect();
    sqlx::query_as!(
        Matched,
        r#"select match.rule_id, record_id, match.draft_id, resident_no, area, source, closed_at is null as "is_open!"
             from rules.match join rules.draft using (draft_id)
            where record_id = any($1) and ended_at is null
            order by draft.rule_id, draft.version, draft.district, draft_id, record_id for update of draft"#,
        &ids
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(Error::database("looking for what ended records brought"))
}

async fn drop_from_drafts(tx: &mut Tx, open: &[Matched]) -> Result<(), Error> {
    let (rules, records): (Vec<Uuid>, Vec<i64>) = open.iter().map(|matched| (matched.rule_id, matched.record_id)).unzip();
    sqlx::query!(
        "delete from rules.match using unnest($1::uuid[], $2::bigint[]) as gone (rule_id, record_id)
          where match.rule_id = gone.rule_id and match.record_id = gone.record_id",
        &rules,
        &records
    )
    .execute(&mut **tx)
    .await
    .map_err(Error::database("dropping ended records from drafts"))?;
    Ok(())
}

/// What ended, and what is known of it.
struct Ends<'e> {
    ended: &'e [Ended],
    still_met: &'e StillMet,
    rulebook: &'e Rulebook,
    now: DateTime<Utc>,
}

impl Ends<'_> {
    /// Marks the matches of alerts, gives cooldowns back, and tells review; of how many alerts.
    async fn in_alerts(&self, tx: &mut Tx, closed: &[Matched]) -> Result<usize, Error> {
        let Self { ended, still_met, rulebook, now } = *self;
        if closed.is_empty() {
            return Ok(0);
        }
        let by_record: BTreeMap<i64, &Ended> = ended.iter().map(|one| (one.record_id, one)).collect();
        let resident = |matched: &Matched| matched.resident_no.map(i32::cast_unsigned);
        let met_by = |matched: &Matched| still_met.get(&(matched.rule_id, matched.record_id, resident(matched)));
        let is_met = |matched: &Matched| met_by(matched).is_some();
        let (rules, records): (Vec<Uuid>, Vec<i64>) = closed.iter().map(|matched| (matched.rule_id, matched.record_id)).unzip();
        sqlx::query!(
            "update rules.match set ended_at = ended.ended_at
           from unnest($1::uuid[], $2::bigint[]) as gone (rule_id, record_id) join rules.ended_record ended using (record_id)
          where match.rule_id = gone.rule_id and match.record_id = gone.record_id",
            &rules,
            &records
        )
        .execute(&mut **tx)
        .await
        .map_err(Error::database("marking what ended records brought"))?;
        let named = still_named(tx, closed).await?;
        stay_by_what_replaced(tx, closed.iter().filter_map(|matched| Some((matched, met_by(matched)?)))).await?;
        let freed = closed.iter().filter(|matched| !is_met(matched) && !named.contains(&(matched.draft_id, matched.resident_no)));
        give_back(tx, rulebook, freed, now).await?;

        let mut alerts: BTreeMap<Uuid, Vec<Entry>> = BTreeMap::new();
        for matched in closed {
            let Some(one) = by_record.get(&matched.record_id) else { continue };
            alerts.entry(matched.draft_id).or_default().push(Entry {
                record_no: matched.record_id,
                resident_no: resident(matched),
                area: matched.area.clone(),
                source: matched.source.clone(),
                retracted: one.how == Correction::Retract.as_ref(),
                reason: one.reason.clone(),
                still_named: named.contains(&(matched.draft_id, matched.resident_no)),
                still_met: is_met(matched),
                at_ms: one.ended_at.timestamp_millis(),
            });
        }
        let count = alerts.len();
        for (draft, entries) in alerts {
            let alert_id = AlertId::from_uuid(draft).to_string();
            tx.publish(SCHEMA, &RecordsBehindAlertEnded { alert_id, entries }).await?;
        }
        Ok(count)
    }
}

/// Whoever meets the rule by the corrected record as well stays in the draft by that one, as it tells the facts, so that its end is heard of too.
async fn stay_by_what_replaced<'m>(tx: &mut Tx, met: impl Iterator<Item = (&'m Matched, &'m Match)>) -> Result<(), Error> {
    let (mut rules, mut old, mut new) = (Vec::new(), Vec::new(), Vec::new());
    let (mut times, mut attributes, mut kinds) = (Vec::new(), Vec::new(), Vec::new());
    for (matched, by) in met {
        rules.push(matched.rule_id);
        old.push(matched.record_id);
        new.push(by.record_id);
        times.push(by.reason.occurred_at);
        attributes.push(serde_json::to_value(&by.reason.attributes).map_err(Error::stored("attributes of a record"))?);
        kinds.push(by.kind.map(Into::<&str>::into));
    }
    sqlx::query!(
        "insert into rules.match (rule_id, record_id, draft_id, resident_no, area, source, occurred_at, attributes, kind, matched_at)
         select m.rule_id, stays.new, m.draft_id, m.resident_no, m.area, m.source, stays.at, stays.attributes, stays.kind, m.matched_at
           from unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::timestamptz[], $5::jsonb[], $6::text[]) as stays (rule_id, old, new, at, attributes, kind)
           join rules.match m on m.rule_id = stays.rule_id and m.record_id = stays.old
         on conflict (rule_id, record_id) do nothing",
        &rules,
        &old,
        &new,
        &times,
        &attributes,
        &kinds as &[Option<&str>]
    )
    .execute(&mut **tx)
    .await
    .map_err(Error::database("keeping who meets a rule by a corrected record"))?;
    Ok(())
}

/// Who of them is in the draft by another record, which holds.
async fn still_named(tx: &mut Tx, closed: &[Matched]) -> Result<HashSet<(Uuid, Option<i32>)>, Error> {
    let (drafts, residents): (Vec<Uuid>, Vec<Option<i32>>) = closed.iter().map(|matched| (matched.draft_id, matched.resident_no)).unzip();
    let rows = sqlx::query!(
        r#"select distinct draft_id, resident_no from rules.match
             join unnest($1::uuid[], $2::int[]) as wanted (draft_id, resident_no) using (draft_id, resident_no)
            where ended_at is null"#,
        &drafts,
        &residents as &[Option<i32>]
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(Error::database("looking who is named by other records"))?;
    Ok(rows.into_iter().map(|row| (row.draft_id, row.resident_no)).collect())
}

/// They count as not told: a true record about them is to be heard at once, also one that came before this.
async fn give_back<'m>(
    tx: &mut Tx,
    rulebook: &Rulebook,
    matches: impl Iterator<Item = &'m Matched>,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    let (mut rules, mut drafts, mut residents) = (Vec::new(), Vec::new(), Vec::new());
    for matched in matches {
        if let Some(no) = matched.resident_no {
            rules.push(matched.rule_id);
            drafts.push(matched.draft_id);
            residents.push(no);
        }
    }
    let told = sqlx::query_as!(
        Told,
        "delete from rules.alerted using unnest($1::uuid[], $2::uuid[], $3::int[]) as back (rule_id, draft_id, resident_no)
          where alerted.rule_id = back.rule_id and alerted.draft_id = back.draft_id and alerted.resident_no = back.resident_no
         returning alerted.rule_id, alerted.resident_no, alerted.alerted_at",
        &rules,
        &drafts,
        &residents
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(Error::database("giving cooldowns back"))?;
    metrics::counter!("rules_cooldown_given_back_total").increment(told.len() as u64);
    let gathered = cooled::gather(tx, rulebook, &told, now).await?;
    metrics::counter!("rules_matches_total").increment(gathered);
    Ok(())
}
