//! An alert of a rule that leaves something standing is released: everybody of its audience whom records brought into it stands from then on.
//!
//! Nobody stands by an alert that was written by hand: there is no record that could be shown to them, corrected or lifted.

use chrono::{DateTime, Utc};
use domain::area::DistrictCode;
use domain::ids::AlertId;
use domain::rule::RuleVersion;
use domain::standing::StandingTerms;
use platform::database::Tx;
use roaring::RoaringBitmap;

use super::{LOCK, TOGETHER, settling};
use crate::Error;

/// Opens what the alert leaves, in the transaction that brought it into inboxes. Who stands by it already is passed over.
pub(crate) async fn open(tx: &mut Tx, alert: AlertId, now: DateTime<Utc>) -> Result<(), Error> {
    let Some((sent_by, terms, says_place)) = left_by(tx, alert).await? else { return Ok(()) };
    sqlx::query!("select pg_advisory_xact_lock($1)", LOCK)
        .execute(&mut **tx)
        .await
        .map_err(Error::database("waiting for news about standings"))?;
    // an exercise asks nobody for anything
    let released = sqlx::query!(
        r#"select audience, expires_at, coalesce(content ->> 'contact', '') as "contact!" from resident.alert
            where alert_id = $1 and content ->> 'status' = 'actual'"#,
        alert.uuid()
    )
    .fetch_optional(&mut **tx)
    .await
    .map_err(Error::database("reading an alert that leaves something standing"))?;
    let Some(released) = released else { return Ok(()) };
    let audience = RoaringBitmap::deserialize_from(&released.audience[..]).map_err(Error::stored_alert("audience", alert))?;
    keep_terms(tx, alert, sent_by, &terms, &released.contact, released.expires_at).await?;
    let named = sqlx::query_scalar!(r#"select distinct resident_no as "no!" from rules.named where alert_id = $1"#, alert.uuid())
        .fetch_all(&mut **tx)
        .await
        .map_err(Error::database("reading whom records named"))?;
    let mut people: Vec<i32> = named.into_iter().filter(|no| audience.contains(no.cast_unsigned())).collect();
    people.sort_unstable();
    let mut opened = 0;
    for some in people.chunks(usize::try_from(TOGETHER).unwrap_or(usize::MAX)) {
        let ids = insert(tx, alert, &terms.reason, some, released.expires_at, now).await?;
        evidence(tx, &ids, says_place).await?;
        settling::settle(tx, &ids, now).await?;
        opened += ids.len();
    }
    metrics::counter!("standings_opened_total").increment(opened as u64);
    tracing::info!(%alert, opened, "standings opened");
    Ok(())
}

/// What the alert's rule leaves, whose draft it was, and whether its text names the place; none: no rule made it, or that leaves nothing.
async fn left_by(tx: &mut Tx, alert: AlertId) -> Result<Option<(DistrictCode, StandingTerms, bool)>, Error> {
    let row = sqlx::query!(
        r#"select sent_by as "sent_by!", definition as "definition!" from rules.leaves_standing where alert_id = $1"#,
        alert.uuid()
    )
    .fetch_optional(&mut **tx)
    .await
    .map_err(Error::database("asking what an alert leaves standing"))?;
    let Some(row) = row else { return Ok(None) };
    let district = DistrictCode::try_from(row.sent_by).map_err(|_| Error::Stored { what: "district of a draft" })?;
    match serde_json::from_value::<RuleVersion>(row.definition) {
        Ok(rule) => {
            let says_place = rule.says("place");
            Ok(rule.standing.map(|terms| (district, terms, says_place)))
        }
        // the alert itself is not held up by a rule that a newer version of the platform wrote
        Err(error) => {
            tracing::error!(%alert, %error, "the rule of an alert cannot be read: it leaves nothing standing");
            Ok(None)
        }
    }
}

async fn keep_terms(
    tx: &mut Tx,
    alert: AlertId,
    sent_by: DistrictCode,
    terms: &StandingTerms,
    contact: &str,
    alert_ends: DateTime<Utc>,
) -> Result<(), Error> {
    let purposes: Vec<String> = terms.asked_for.iter().map(|purpose| purpose.code.clone()).collect();
    sqlx::query!(
        "insert into resident.standing_terms (alert_id, sent_by, terms, clause, purposes, contact, alert_ends)
         values ($1, $2, $3, $4, $5, $6, $7) on conflict (alert_id) do nothing",
        alert.uuid(),
        sent_by.get().cast_signed(),
        serde_json::to_value(terms).map_err(|_| Error::Stored { what: "terms of a standing" })?,
        terms.lifted_by.as_ref().map(domain::standing::LiftingRecord::key),
        &purposes,
        contact,
        alert_ends
    )
    .execute(&mut **tx)
    .await
    .map_err(Error::database("keeping what an alert leaves standing"))?;
    Ok(())
}

/// Those of these people who do not stand by the alert yet; whoever had everything deleted is nobody any more.
async fn insert(
    tx: &mut Tx,
    alert: AlertId,
    reason: &str,
    people: &[i32],
    ends_at: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<Vec<i64>, Error> {
    sqlx::query_scalar!(
        "insert into resident.standing (resident_no, named_no, alert_id, reason, district, community, opened_at, ends_at)
         select r.resident_no, r.resident_no, $1, $5, r.district, r.community, $3, $4
           from unnest($2::int[]) as named (resident_no) join resident.resident r using (resident_no)
          where r.phone_hash is not null order by r.resident_no
         on conflict (named_no, alert_id) do nothing returning standing_id",
        alert.uuid(),
        people,
        now,
        ends_at,
        reason
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(Error::database("opening standings"))
}

/// Whether the text of the alert names the place: then the person knows it already.
pub(super) async fn says_place(tx: &mut Tx, alert: AlertId) -> Result<bool, Error> {
    Ok(left_by(tx, alert).await?.is_some_and(|(_, _, says_place)| says_place))
}

/// Copies the records behind standings of one alert, and how they are now.
pub(super) async fn evidence(tx: &mut Tx, standings: &[i64], says_place: bool) -> Result<(), Error> {
    sqlx::query!(
        "insert into resident.standing_evidence as kept (standing_id, record_id, kind, source, occurred_at, place, ended_at)
         select s.standing_id, n.record_id, n.kind, n.source, n.occurred_at, case when $2 then n.place end, n.ended_at
           from resident.standing s join rules.named n on n.alert_id = s.alert_id and n.resident_no = s.named_no
          where s.standing_id = any($1) order by s.standing_id, n.record_id
         on conflict (standing_id, record_id) do update set ended_at = excluded.ended_at where kept.ended_at is distinct from excluded.ended_at",
        standings,
        says_place
    )
    .execute(&mut **tx)
    .await
    .map_err(Error::database("copying the records behind standings"))?;
    Ok(())
}

/// Looks again which records behind standings of any alerts hold.
pub(super) async fn evidence_again(tx: &mut Tx, standings: &[i64]) -> Result<(), Error> {
    sqlx::query!(
        "update resident.standing_evidence kept set ended_at = n.ended_at
           from resident.standing s join rules.named n on n.alert_id = s.alert_id and n.resident_no = s.named_no
          where s.standing_id = any($1) and kept.standing_id = s.standing_id and kept.record_id = n.record_id
            and kept.ended_at is distinct from n.ended_at",
        standings
    )
    .execute(&mut **tx)
    .await
    .map_err(Error::database("looking again at the records behind standings"))?;
    Ok(())
}
