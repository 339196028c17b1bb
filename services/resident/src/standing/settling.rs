//! Works out anew what became of standings, from everything that is known of them now.
//!
//! Five questions for thousands of standings, none for a single one. Whoever calls holds the lock between openings and news.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use domain::standing::{Course, Happened, Known, LiftedHow, StandingTerms};
use platform::database::Tx;
use uuid::Uuid;

use super::places;
use crate::Error;
use crate::notices::NoticeKind;

/// A standing as it is kept.
struct Kept {
    standing_id: i64,
    resident_no: i32,
    named_no: i32,
    alert_id: Uuid,
    since: Option<DateTime<Utc>>,
    until: Option<DateTime<Utc>>,
    counted: i16,
    lifted_how: Option<String>,
    lifted_at: Option<DateTime<Utc>>,
    ends_at: DateTime<Utc>,
    decided_at: Option<DateTime<Utc>>,
}

/// What an alert left.
struct Left {
    terms: StandingTerms,
    alert_ends: DateTime<Utc>,
}

/// Works out anew what became of these, and tells people whose standing was lifted, or stands again.
pub(crate) async fn settle(tx: &mut Tx, standings: &[i64], now: DateTime<Utc>) -> Result<(), Error> {
    if standings.is_empty() {
        return Ok(());
    }
    let kept = kept(tx, standings).await?;
    let left = left(tx, &kept).await?;
    let known = known(tx, &kept).await?;
    let mut changed = Changed::default();
    for one in &kept {
        let Some(left) = left.get(&one.alert_id) else { continue };
        let course = left.terms.course(&known[&one.standing_id], left.alert_ends);
        changed.note(one, course, now);
    }
    changed.write(tx, now).await
}

async fn kept(tx: &mut Tx, standings: &[i64]) -> Result<Vec<Kept>, Error> {
    sqlx::query_as!(
        Kept,
        "select standing_id, resident_no, named_no, alert_id, since, until, counted, lifted_how, lifted_at, ends_at, decided_at from resident.standing
          where standing_id = any($1) order by standing_id for update",
        standings
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(Error::database("taking standings"))
}

async fn left(tx: &mut Tx, kept: &[Kept]) -> Result<HashMap<Uuid, Left>, Error> {
    let alerts = alerts_of(kept);
    let rows = sqlx::query!("select alert_id, terms, alert_ends from resident.standing_terms where alert_id = any($1)", &alerts)
        .fetch_all(&mut **tx)
        .await
        .map_err(Error::database("reading what alerts left standing"))?;
    let read = rows.into_iter().filter_map(|row| match serde_json::from_value(row.terms) {
        Ok(terms) => Some((row.alert_id, Left { terms, alert_ends: row.alert_ends })),
        Err(error) => {
            tracing::error!(alert = %row.alert_id, %error, "what an alert left standing cannot be read; it stays as it is");
            None
        }
    });
    Ok(read.collect())
}

fn alerts_of(kept: &[Kept]) -> Vec<Uuid> {
    let mut alerts: Vec<Uuid> = kept.iter().map(|one| one.alert_id).collect();
    alerts.sort_unstable();
    alerts.dedup();
    alerts
}

/// Everything that has happened to these standings.
async fn known(tx: &mut Tx, kept: &[Kept]) -> Result<HashMap<i64, Known>, Error> {
    let ids: Vec<i64> = kept.iter().map(|one| one.standing_id).collect();
    let mut known: HashMap<i64, Known> = ids.iter().map(|id| (*id, Known::default())).collect();
    let mut hear = |standing: i64, happened: Happened| {
        if let Some(known) = known.get_mut(&standing) {
            known.hear(happened);
        }
    };
    let evidence = sqlx::query!(
        r#"select standing_id, record_id, occurred_at, ended_at is not null as "ended!" from resident.standing_evidence where standing_id = any($1)"#,
        &ids
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(Error::database("reading the records behind standings"))?;
    for row in evidence {
        hear(row.standing_id, Happened::Named { record: row.record_id, at: row.occurred_at });
        if row.ended {
            hear(row.standing_id, Happened::RecordEnded { record: row.record_id });
        }
    }
    let samples = sqlx::query!(
        r#"select s.standing_id, l.record_id as "record_id!", l.sampled_at as "sampled_at!", l.ended_at is not null as "ended!"
             from resident.standing s join resident.standing_terms t using (alert_id)
             join rules.lifts l on l.resident_no in (s.resident_no, s.named_no) and l.clause = t.clause
            where s.standing_id = any($1)"#,
        &ids
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(Error::database("reading lifting records"))?;
    for row in samples {
        hear(row.standing_id, Happened::Sampled { record: row.record_id, at: row.sampled_at });
        if row.ended {
            hear(row.standing_id, Happened::RecordEnded { record: row.record_id });
        }
    }
    for (standing, at) in kept.iter().filter_map(|one| Some((one.standing_id, one.decided_at?))) {
        hear(standing, Happened::Decided { at });
    }
    let people: Vec<_> =
        kept.iter().map(|one| places::Person { standing: one.standing_id, named: one.named_no, alert: one.alert_id }).collect();
    for (standing, happened) in places::withdrawn(tx, &alerts_of(kept), &people).await? {
        hear(standing, happened);
    }
    Ok(known)
}

/// What changed, in columns.
#[derive(Default)]
struct Changed {
    ids: Vec<i64>,
    since: Vec<Option<DateTime<Utc>>>,
    until: Vec<Option<DateTime<Utc>>>,
    counted: Vec<i16>,
    how: Vec<Option<&'static str>>,
    lifted_at: Vec<Option<DateTime<Utc>>>,
    ends_at: Vec<DateTime<Utc>>,
    /// Whom it is told, and what.
    told: Vec<i32>,
    kinds: Vec<&'static str>,
}

impl Changed {
    fn note(&mut self, before: &Kept, course: Course, now: DateTime<Utc>) {
        let was: Option<LiftedHow> = before.lifted_how.as_deref().and_then(|how| how.parse().ok());
        let (since, until) = course.span.unzip();
        // what was known before is not known anew, whatever it is called by now
        let lifted_at = course.lifted.map(|_| before.lifted_at.unwrap_or(now));
        // what comes to light when its time is over ends nothing any more
        let ends_at = lifted_at.into_iter().chain(until).min().unwrap_or(before.ends_at);
        let counted = i16::from(course.counted);
        if (since, until, counted, course.lifted, lifted_at, ends_at)
            == (before.since, before.until, before.counted, was, before.lifted_at, before.ends_at)
        {
            return;
        }
        self.ids.push(before.standing_id);
        self.since.push(since);
        self.until.push(until);
        self.counted.push(counted);
        self.how.push(course.lifted.map(Into::into));
        self.lifted_at.push(lifted_at);
        self.ends_at.push(ends_at);
        // one that has just been opened was told of by its alert
        let is_new = before.since.is_none() && was.is_none();
        let (stood, stands) = (before.ends_at > now, ends_at > now);
        match (is_new, stood, stands, course.lifted) {
            (false, true, false, Some(how)) => {
                metrics::counter!("standings_lifted_total", "how" => Into::<&str>::into(how)).increment(1);
                self.tell(before.resident_no, NoticeKind::StandingLifted);
            }
            (false, false, true, _) => self.tell(before.resident_no, NoticeKind::StandingAgain),
            _ => {}
        }
    }

    fn tell(&mut self, no: i32, what: NoticeKind) {
        self.told.push(no);
        self.kinds.push(what.into());
    }

    async fn write(&self, tx: &mut Tx, now: DateTime<Utc>) -> Result<(), Error> {
        if self.ids.is_empty() {
            return Ok(());
        }
        sqlx::query!(
            "update resident.standing s set since = new.since, until = new.until, counted = new.counted, lifted_how = new.how,
                    lifted_at = new.lifted_at, ends_at = new.ends_at
               from unnest($1::bigint[], $2::timestamptz[], $3::timestamptz[], $4::smallint[], $5::text[], $6::timestamptz[], $7::timestamptz[])
                    as new (standing_id, since, until, counted, how, lifted_at, ends_at)
              where s.standing_id = new.standing_id",
            &self.ids,
            &self.since as &[Option<DateTime<Utc>>],
            &self.until as &[Option<DateTime<Utc>>],
            &self.counted,
            &self.how as &[Option<&str>],
            &self.lifted_at as &[Option<DateTime<Utc>>],
            &self.ends_at
        )
        .execute(&mut **tx)
        .await
        .map_err(Error::database("writing what became of standings"))?;
        sqlx::query!(
            "insert into resident.notice (resident_no, kind, at) select resident_no, kind, $3 from unnest($1::int[], $2::text[]) as told (resident_no, kind)",
            &self.told,
            &self.kinds as &[&str],
            now
        )
        .execute(&mut **tx)
        .await
        .map_err(Error::database("telling what became of standings"))?;
        Ok(())
    }
}
