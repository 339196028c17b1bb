//! Drafts whose window has ended are closed and handed to review.
//!
//! One draft is one transaction: it takes the draft's lock, claims the people for the rule's cooldown, writes the event and
//! closes the draft. So a crash leaves it open as it was, and of two processes one takes it. The claim is what
//! keeps somebody who was reported in two districts from hearing the same twice: only the draft that closes first gets them. It stands
//! while the draft may still be approved, and for the whole cooldown once it is ([`settled`](crate::settled)).

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};
use domain::area::DistrictCode;
use domain::ids::{AlertId, ResidentNo};
use domain::rule::RuleVersion;
use platform::BoxError;
use platform::database::Tx;
use platform::worker::{self, Turn, Wake};
use proto::DraftGathered;
use uuid::Uuid;

use crate::matching::Reason;
use crate::{Error, SCHEMA, Service, cooled, district_facts, drafting, ended};

/// A draft that cannot be made is looked at again after this long, so that it does not hold up the others.
const POSTPONED_BY: TimeDelta = TimeDelta::minutes(1);

pub(crate) fn start(service: &Service) {
    let (platform, own) = (&service.platform, service.clone());
    let interval = service.settings.close_interval();
    worker::run(&platform.tasks, &platform.clock, "rules.closing", interval, &Wake::new(), move || {
        let service = own.clone();
        async move { turn(&service).await.map_err(BoxError::from) }
    });
}

/// Closes the draft that is due longest, if there is one.
async fn turn(service: &Service) -> Result<Turn, Error> {
    let now = service.platform.clock.now();
    let mut tx = service.platform.database.begin().await?;
    // before any draft is locked, as whoever gives people back has it: the two never wait for each other in a circle
    ended::hold_back(&mut tx).await?;
    let Some(due) = due(&mut tx, now).await? else {
        tx.rollback().await?;
        return Ok(Turn::Idle);
    };
    let (id, rule_id, version) = (due.draft_id, due.rule_id, due.version);
    match close(service, &mut tx, due, now).await {
        Ok(closed) => {
            tx.commit().await?;
            closed.told(id, rule_id);
        }
        Err(error @ Error::Stored { .. }) => {
            tx.rollback().await?;
            tracing::error!(draft = %id, rule = %rule_id, version, %error, "a draft cannot be made; it stays open");
            sqlx::query!("update rules.draft set closes_at = $2 where draft_id = $1 and closed_at is null", id, now + POSTPONED_BY)
                .execute(service.platform.database.pool())
                .await
                .map_err(Error::database("postponing a draft"))?;
        }
        Err(error) => return Err(error),
    }
    Ok(Turn::More)
}

/// A draft whose window has ended.
struct Due {
    draft_id: Uuid,
    rule_id: Uuid,
    version: i32,
    district: i32,
    activated_by: Uuid,
    written_by: Uuid,
    definition: serde_json::Value,
}

async fn due(tx: &mut Tx, now: DateTime<Utc>) -> Result<Option<Due>, Error> {
    sqlx::query_as!(
        Due,
        "select draft_id, rule_id, version, district, activated_by, written_by, definition
         from rules.draft join rules.rule_version using (rule_id, version)
         where closed_at is null and closes_at <= $1 order by closes_at limit 1 for update of draft skip locked",
        now
    )
    .fetch_optional(&mut **tx)
    .await
    .map_err(Error::database("looking for drafts to close"))
}

/// What became of a draft.
struct Closed {
    records: usize,
    /// Matches left out because their rule has told the person in the meantime.
    cooling: usize,
    missing: usize,
}

impl Closed {
    fn told(&self, draft: Uuid, rule: Uuid) {
        let Self { records, cooling, missing } = *self;
        metrics::counter!("rules_cooldown_skipped_total", "when" => "closing").increment(cooling as u64);
        metrics::counter!("rules_drafts_total", "ended" => if records > 0 { "gathered" } else { "empty" }).increment(1);
        tracing::info!(%draft, %rule, records, cooling, missing, "draft closed");
    }
}

async fn close(service: &Service, tx: &mut Tx, due: Due, now: DateTime<Utc>) -> Result<Closed, Error> {
    let rule: RuleVersion = serde_json::from_value(due.definition).map_err(Error::stored("rule"))?;
    let district = DistrictCode::try_from(due.district).map_err(Error::stored("district of a draft"))?;
    let (reasons, cooling) = claim(tx, due.draft_id, &rule, now).await?;
    cooled::fell_away(tx, due.draft_id, district, &cooling, now).await?;
    let mut closed = Closed { records: reasons.len(), cooling: cooling.len(), missing: 0 };
    if !reasons.is_empty() {
        let said = district_facts::said_by(&mut **tx, district).await?;
        let facts = said.iter().map(|(name, (value, _))| (name.clone(), value.clone())).collect();
        let draft = drafting::draft(&rule, district, &facts, &reasons, service.settings.time_zone, now).map_err(Error::stored("rule"))?;
        closed.missing = draft.missing.len();
        let content_json = serde_json::to_string(&draft.content).map_err(Error::stored("content of a draft"))?;
        // whose words stand in the text
        let speakers = said.values().filter(|(value, _)| content_json.contains(value.as_str())).map(|(_, by)| *by);
        let involved = involved(speakers.chain([due.written_by]), &reasons);
        let event = DraftGathered {
            draft_id: AlertId::from_uuid(due.draft_id).to_string(),
            rule_id: rule.rule_id.to_string(),
            rule_version: rule.version,
            district: district.get(),
            activated_by: due.activated_by.to_string(),
            content_json,
            audience: draft.audience.to_bytes(),
            records: u32::try_from(reasons.len()).unwrap_or(u32::MAX),
            missing: draft.missing,
            gathered_at_ms: now.timestamp_millis(),
            involved,
        };
        tx.publish(SCHEMA, &event).await?;
    }
    sqlx::query!("update rules.draft set closed_at = $2 where draft_id = $1", due.draft_id, now)
        .execute(&mut **tx)
        .await
        .map_err(Error::database("closing a draft"))?;
    Ok(closed)
}

/// Who may review nothing of a draft: who wrote its rule or what its text says for the district, and staff who delivered a record behind it.
fn involved(writers: impl Iterator<Item = Uuid>, reasons: &[Reason]) -> Vec<String> {
    let deliverers = reasons.iter().filter_map(|reason| reason.source.strip_prefix("staff:")).map(str::to_owned);
    deliverers.chain(writers.map(|writer| writer.to_string())).collect::<BTreeSet<_>>().into_iter().collect()
}

/// Claims for this draft the people of it whom its rule has not told within its cooldown; why they and its places are in it, and which
/// records' matches fell away.
async fn claim(tx: &mut Tx, draft: Uuid, rule: &RuleVersion, now: DateTime<Utc>) -> Result<(Vec<Reason>, Vec<i64>), Error> {
    let rows = sqlx::query!(
        r#"with claimed as (
             insert into rules.alerted as before (rule_id, resident_no, alerted_at, draft_id, lapses_at)
             select distinct $2::uuid, resident_no, $3::timestamptz, $1::uuid, $5::timestamptz from rules.match
             where draft_id = $1 and resident_no is not null order by resident_no
             on conflict (rule_id, resident_no) do update
               set alerted_at = excluded.alerted_at, draft_id = excluded.draft_id, lapses_at = excluded.lapses_at
               where before.alerted_at <= $4 or before.lapses_at <= $3
                  -- a record may have lifted what they were told of before
                  or exists (select from rules.lifting l join rules.match m using (resident_no)
                              where m.draft_id = $1 and l.resident_no = before.resident_no and l.ended_at is null
                                and l.sampled_at > $4 and l.sampled_at < m.occurred_at)
             returning resident_no)
           select match.record_id, match.resident_no, area, source, occurred_at, attributes,
                  match.resident_no is null or claimed.resident_no is not null as "stays!"
             from rules.match left join claimed using (resident_no) where draft_id = $1 order by record_id"#,
        draft,
        rule.rule_id.uuid(),
        now,
        now - TimeDelta::seconds(rule.cooldown_s.into()),
        now + TimeDelta::seconds(rule.validity_s.into())
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(Error::database("claiming the people of a draft"))?;

    let cooling = rows.iter().filter(|row| !row.stays).map(|row| row.record_id).collect();
    let reasons = rows
        .into_iter()
        .filter(|row| row.stays)
        .map(|row| {
            Ok(Reason {
                resident: row.resident_no.map(|no| ResidentNo::new(no.cast_unsigned())),
                area: row.area.parse().map_err(Error::stored("area of a match"))?,
                source: row.source,
                occurred_at: row.occurred_at,
                attributes: serde_json::from_value(row.attributes).map_err(Error::stored("attributes of a match"))?,
            })
        })
        .collect::<Result<Vec<_>, Error>>()?;
    Ok((reasons, cooling))
}
