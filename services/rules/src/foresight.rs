//! What the rules in force say to records: which of them would match records that are not there yet, for whoever looks at a list before it
//! counts; and which came nearest to a record that led to nothing, and why it did not match.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use chrono::{DateTime, Utc};
use domain::ids::{ResidentNo, RuleId};
use domain::risk_record::RecordKind;
use platform::database::{Connection, Database};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::matching::Findings;
use crate::nearest::{self, NearMiss, Verdict};
use crate::rulebook::{Rulebook, Shelf};
use crate::{Error, record};

/// Records that no rule meets and of which it is said why, at most: asking for every reason takes longer than asking whether a rule meets.
const EXPLAINED: usize = 1_000;
/// Reasons that are told, the commonest first.
const REASONS: usize = 5;

/// Keeps the rules in force, compiled. Clones share them.
#[derive(Clone)]
pub struct RulesInForce(Arc<Shelf>);

impl RulesInForce {
    /// As this database has them.
    #[must_use]
    pub fn new(database: &Database) -> Self {
        Self(Arc::new(Shelf::new(database.clone())))
    }

    /// Looks at records with the rules that are in force now.
    ///
    /// # Errors
    /// When a statement fails.
    pub async fn now(&self) -> Result<Foresight, Error> {
        Ok(Foresight(self.0.current().await?))
    }
}

/// Looks at records with the rules that were in force at one moment.
pub struct Foresight(Arc<Rulebook>);

/// What a rule would match.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct RuleMatches {
    /// The rule.
    pub rule_id: RuleId,
    /// Its name.
    pub name: String,
    /// Records that meet it.
    pub records: u64,
    /// People whom these name.
    pub people: u64,
}

/// Why some records of a list lead to nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct NearMisses {
    /// Their kind.
    pub kind: RecordKind,
    /// The rule that came nearest, with what they all say instead of what it wants; none if no rule in force looks at records of their kind.
    pub nearest: Option<NearMiss>,
    /// How many they are, of the first 1,000 that no rule meets.
    pub records: u64,
}

/// What the rules would match.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Foreseen {
    /// Rules that meet any record, those that meet most first.
    pub rules: Vec<RuleMatches>,
    /// Records that some rule meets.
    pub matched: u64,
    /// Why others lead to nothing, the commonest reasons.
    pub near_misses: Vec<NearMisses>,
}

impl Foresight {
    /// What the rules say to records, by their number: each is a record of one of these loads, looked at as of a moment.
    ///
    /// # Errors
    /// When a statement fails.
    pub async fn verdicts(
        &self,
        on: impl sqlx::PgExecutor<'_>,
        loads: &[Uuid],
        asked: &BTreeMap<i64, DateTime<Utc>>,
    ) -> Result<BTreeMap<i64, Verdict>, Error> {
        let numbers: Vec<i64> = asked.keys().copied().collect();
        let records = record::of_loads(on, loads, Some(&numbers)).await?;
        let said = records.iter().filter_map(|record| Some((record.id, nearest::verdict(&self.0, record, *asked.get(&record.id)?))));
        Ok(said.collect())
    }

    /// What would match among the records of these loads, as this connection sees them: its own transaction's too. Whom a rule has told
    /// not long ago counts as well.
    ///
    /// # Errors
    /// When a statement fails.
    pub async fn of_loads(&self, connection: &mut Connection, loads: &[Uuid], now: DateTime<Utc>) -> Result<Foreseen, Error> {
        let rulebook = &self.0;
        let records = record::of_loads(connection, loads, None).await?;
        let book = Arc::clone(rulebook);
        let (findings, matched, near_misses) = tokio::task::spawn_blocking(move || {
            let mut findings = Findings::default();
            findings.look_at(&book, &records, now);
            let matched: HashSet<i64> = findings.matches.iter().map(|found| found.record_id).collect();
            let unmatched = records.iter().filter(|record| !matched.contains(&record.id)).take(EXPLAINED);
            let near_misses = reasons(unmatched.map(|record| (record.kind, nearest::verdict(&book, record, now).nearest)));
            (findings, matched, near_misses)
        })
        .await?;
        let mut by_rule: BTreeMap<usize, (u64, HashSet<ResidentNo>)> = BTreeMap::new();
        for found in &findings.matches {
            let (records, people) = by_rule.entry(found.rule).or_default();
            *records += 1;
            people.extend(found.reason.resident);
        }
        let mut rules: Vec<RuleMatches> = by_rule
            .into_iter()
            .map(|(place, (records, people))| {
                let rule = &rulebook.rule(place).rule;
                RuleMatches { rule_id: rule.rule_id, name: rule.name.clone(), records, people: people.len() as u64 }
            })
            .collect();
        rules.sort_by_key(|rule| std::cmp::Reverse(rule.records));
        Ok(Foreseen { rules, matched: matched.len() as u64, near_misses })
    }
}

/// The commonest reasons. What records say instead is kept where it is the same for all.
fn reasons(misses: impl Iterator<Item = (RecordKind, Option<NearMiss>)>) -> Vec<NearMisses> {
    let mut groups: HashMap<(RecordKind, Option<NearMiss>), NearMisses> = HashMap::new();
    for (kind, nearest) in misses {
        let in_general = nearest.as_ref().map(NearMiss::in_general);
        let group = groups.entry((kind, in_general)).or_insert_with(|| NearMisses { kind, nearest: nearest.clone(), records: 0 });
        group.records += 1;
        if let (Some(told), Some(nearest)) = (&mut group.nearest, &nearest) {
            for (told, part) in told.unmet.iter_mut().zip(&nearest.unmet) {
                told.found.take_if(|found| part.found.as_ref() != Some(found));
            }
        }
    }
    let mut reasons: Vec<NearMisses> = groups.into_values().collect();
    reasons.sort_by(|a, b| b.records.cmp(&a.records).then_with(|| (a.kind, &a.nearest).cmp(&(b.kind, &b.nearest))));
    reasons.truncate(REASONS);
    reasons
}
