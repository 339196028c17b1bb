//! Which rules in force would match records that are not there yet: for whoever looks at a list before it counts.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use chrono::{DateTime, Utc};
use domain::ids::{ResidentNo, RuleId};
use platform::database::{Connection, Database};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::matching::Findings;
use crate::rulebook::{Rulebook, Shelf};
use crate::{Error, record};

/// Looks ahead with the rules in force.
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

/// What the rules would match.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Foreseen {
    /// Rules that meet any record, those that meet most first.
    pub rules: Vec<RuleMatches>,
    /// Records that some rule meets.
    pub matched: u64,
}

impl Foresight {
    /// With the rules that are in force now.
    ///
    /// # Errors
    /// When a statement fails.
    pub async fn now(database: &Database) -> Result<Self, Error> {
        Ok(Self(Shelf::new(database.clone()).current().await?))
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
        let findings = tokio::task::spawn_blocking(move || {
            let mut findings = Findings::default();
            findings.look_at(&book, &records, now);
            findings
        })
        .await?;
        let mut by_rule: BTreeMap<usize, (u64, HashSet<ResidentNo>)> = BTreeMap::new();
        for found in &findings.matches {
            let (records, people) = by_rule.entry(found.rule).or_default();
            *records += 1;
            people.extend(found.reason.resident);
        }
        let matched: HashSet<i64> = findings.matches.iter().map(|found| found.record_id).collect();
        let mut rules: Vec<RuleMatches> = by_rule
            .into_iter()
            .map(|(place, (records, people))| {
                let rule = &rulebook.rule(place).rule;
                RuleMatches { rule_id: rule.rule_id, name: rule.name.clone(), records, people: people.len() as u64 }
            })
            .collect();
        rules.sort_by_key(|rule| std::cmp::Reverse(rule.records));
        Ok(Foreseen { rules, matched: matched.len() as u64 })
    }
}
