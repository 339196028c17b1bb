//! How a standing is shown, to whom it concerns and to staff.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::{DateTime, Utc};
use domain::language::Language;
use domain::risk_record::RecordKind;
use domain::standing::{LiftedHow, Lifter, StandingState, StandingTerms};
use platform::database::Pool;
use serde::Serialize;
use utoipa::ToSchema;

use crate::Error;

/// How it was lifted.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[schema(as = StandingLifted)]
pub(super) struct Lifted {
    how: LiftedHow,
    /// When it became known.
    at: DateTime<Utc>,
}

/// A record behind a standing: what kind of fact, when, from whom. What else it says is shown to nobody.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = StandingEvidence)]
pub(super) struct Evidence {
    /// None: a record from before its kind was kept.
    kind: Option<RecordKind>,
    occurred_at: DateTime<Utc>,
    /// Where, as far as the alert's own text says it.
    place: Option<String>,
    /// The unit that reported it.
    source: String,
    /// Since when it holds no longer: its source corrected it or took it back.
    ended_at: Option<DateTime<Utc>>,
}

/// Which records lift it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = StandingLiftedBy)]
pub(super) struct LiftedBy {
    kinds: BTreeSet<RecordKind>,
    /// How many it takes.
    times: u8,
    /// How many count so far.
    counted: i16,
    /// Hours between two that count, at least.
    apart_hours: u16,
    /// Hours after the newest record behind it until the first may count.
    after_hours: u16,
    /// The same in words.
    lifts: BTreeMap<Language, String>,
}

/// What is said of a standing to everybody who may see it.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct StandingShown {
    /// The reason code.
    reason: String,
    /// The reason in words.
    label: BTreeMap<Language, String>,
    /// What the person is asked to do.
    measure: BTreeMap<Language, String>,
    state: StandingState,
    /// None: it stands.
    lifted: Option<Lifted>,
    opened_at: DateTime<Utc>,
    /// Time of the newest record behind it that holds; none: none holds any more.
    since: Option<DateTime<Utc>>,
    /// When its time is over.
    until: Option<DateTime<Utc>>,
    evidence: Vec<Evidence>,
    /// None: no record lifts it.
    lifted_by: Option<LiftedBy>,
    /// Which staff may lift it.
    who: BTreeSet<Lifter>,
}

/// A standing as the table keeps it.
pub(super) struct Row {
    pub(super) opened_at: DateTime<Utc>,
    pub(super) since: Option<DateTime<Utc>>,
    pub(super) until: Option<DateTime<Utc>>,
    pub(super) counted: i16,
    pub(super) lifted_how: Option<String>,
    pub(super) lifted_at: Option<DateTime<Utc>>,
    pub(super) ends_at: DateTime<Utc>,
}

impl Row {
    /// How it was lifted by `now`; none: it stands.
    pub(super) fn lifted(&self, now: DateTime<Utc>) -> Result<Option<Lifted>, Error> {
        if self.ends_at > now {
            return Ok(None);
        }
        let how =
            self.lifted_how.as_deref().map(str::parse).transpose().map_err(|_| Error::Stored { what: "how a standing was lifted" })?;
        Ok(Some(Lifted { how: how.unwrap_or(LiftedHow::Time), at: self.lifted_at.unwrap_or(self.ends_at) }))
    }

    pub(super) fn shown(self, terms: StandingTerms, evidence: Vec<Evidence>, now: DateTime<Utc>) -> Result<StandingShown, Error> {
        let lifted = self.lifted(now)?;
        Ok(StandingShown {
            reason: terms.reason,
            label: terms.label,
            measure: terms.measure,
            state: if lifted.is_some() { StandingState::Lifted } else { StandingState::Stands },
            lifted,
            opened_at: self.opened_at,
            since: self.since,
            until: self.until,
            evidence,
            lifted_by: terms.lifted_by.map(|lifting| LiftedBy {
                kinds: lifting.kinds,
                times: lifting.times,
                counted: self.counted,
                apart_hours: lifting.apart_hours,
                after_hours: lifting.after_hours,
                lifts: lifting.lifts,
            }),
            who: terms.who,
        })
    }
}

/// Terms as they were kept.
pub(super) fn terms(stored: serde_json::Value) -> Result<StandingTerms, Error> {
    serde_json::from_value(stored).map_err(|_| Error::Stored { what: "terms of a standing" })
}

/// The records behind these standings, the newest first.
pub(super) async fn evidence(pool: &Pool, standings: &[i64]) -> Result<HashMap<i64, Vec<Evidence>>, Error> {
    let rows = sqlx::query!(
        "select standing_id, kind, source, occurred_at, place, ended_at from resident.standing_evidence
          where standing_id = any($1) order by standing_id, occurred_at desc, record_id desc",
        standings
    )
    .fetch_all(pool)
    .await
    .map_err(Error::database("reading the records behind standings"))?;
    let mut behind: HashMap<i64, Vec<Evidence>> = HashMap::new();
    for row in rows {
        behind.entry(row.standing_id).or_default().push(Evidence {
            kind: row.kind.and_then(|kind| kind.parse().ok()),
            occurred_at: row.occurred_at,
            place: row.place,
            source: row.source,
            ended_at: row.ended_at,
        });
    }
    Ok(behind)
}
