//! The rules in force, compiled.
//!
//! Compiling takes longer than a load of records, so it is done once a change: [`Shelf::current`] asks for the list of
//! active versions, which is one short query a load, and compiles only when it differs. So every process follows an activation
//! made in any of them, without a signal that could be lost.

use std::collections::BTreeMap;
use std::sync::Arc;

use arc_swap::ArcSwap;
use domain::condition::Condition;
use domain::ids::StaffId;
use domain::risk_record::RecordKind;
use domain::rule::RuleVersion;
use domain::standing::LiftingRecord;
use platform::database::Database;
use uuid::Uuid;

use crate::Error;
use crate::lifting::Clause;

/// A rule in force.
#[derive(Debug)]
pub(crate) struct ActiveRule {
    pub(crate) rule: RuleVersion,
    pub(crate) condition: Condition,
    /// Who answers for the alerts it makes.
    pub(crate) activated_by: StaffId,
}

/// All rules in force at one moment.
#[derive(Debug, Default)]
pub(crate) struct Rulebook {
    /// Rule, version and activator: what it was made of.
    edition: Vec<(Uuid, i32, Uuid)>,
    rules: Vec<ActiveRule>,
    by_kind: BTreeMap<RecordKind, Vec<usize>>,
    /// What lifts something that stands by any version of a rule, whether or not that is in force.
    clauses: Vec<Clause>,
    clauses_by_kind: BTreeMap<RecordKind, Vec<usize>>,
}

impl Rulebook {
    fn new(edition: Vec<(Uuid, i32, Uuid)>, rules: Vec<ActiveRule>, clauses: Vec<Clause>) -> Self {
        let mut by_kind: BTreeMap<RecordKind, Vec<usize>> = BTreeMap::new();
        for (place, active) in rules.iter().enumerate() {
            for kind in &active.rule.kinds {
                by_kind.entry(*kind).or_default().push(place);
            }
        }
        let mut clauses_by_kind: BTreeMap<RecordKind, Vec<usize>> = BTreeMap::new();
        for (at, clause) in clauses.iter().enumerate() {
            for kind in &clause.kinds {
                clauses_by_kind.entry(*kind).or_default().push(at);
            }
        }
        Self { edition, rules, by_kind, clauses, clauses_by_kind }
    }

    /// The places of the clauses by which records of this kind may lift something.
    pub(crate) fn lifted_by(&self, kind: RecordKind) -> &[usize] {
        self.clauses_by_kind.get(&kind).map_or(&[], Vec::as_slice)
    }

    /// The clause at a place that [`Rulebook::lifted_by`] gave.
    pub(crate) fn clause(&self, at: usize) -> &Clause {
        &self.clauses[at]
    }

    /// The places of the rules that are asked about records of this kind.
    pub(crate) fn asked_about(&self, kind: RecordKind) -> &[usize] {
        self.by_kind.get(&kind).map_or(&[], Vec::as_slice)
    }

    /// The place of a rule, if it is in force.
    pub(crate) fn place_of(&self, rule_id: Uuid) -> Option<usize> {
        self.rules.iter().position(|active| active.rule.rule_id.uuid() == rule_id)
    }

    /// The rule at a place that [`Rulebook::asked_about`] gave.
    pub(crate) fn rule(&self, place: usize) -> &ActiveRule {
        &self.rules[place]
    }
}

/// Where the current rulebook is kept.
pub(crate) struct Shelf {
    database: Database,
    current: ArcSwap<Rulebook>,
}

impl Shelf {
    pub(crate) fn new(database: Database) -> Self {
        Self { database, current: ArcSwap::default() }
    }

    /// The rules in force now.
    pub(crate) async fn current(&self) -> Result<Arc<Rulebook>, Error> {
        let edition: Vec<_> = sqlx::query!("select rule_id, version, activated_by from rules.active order by rule_id")
            .fetch_all(self.database.pool())
            .await
            .map_err(Error::database("looking for active rules"))?
            .into_iter()
            .map(|row| (row.rule_id, row.version, row.activated_by))
            .collect();
        let kept = self.current.load_full();
        if kept.edition == edition {
            return Ok(kept);
        }
        let compiled = Arc::new(self.compile().await?);
        self.current.store(Arc::clone(&compiled));
        Ok(compiled)
    }

    async fn compile(&self) -> Result<Rulebook, Error> {
        let rows = sqlx::query!(
            "select rule_id, version, activated_by, definition
             from rules.active join rules.rule_version using (rule_id, version) order by rule_id"
        )
        .fetch_all(self.database.pool())
        .await
        .map_err(Error::database("reading active rules"))?;
        let mut edition = Vec::new();
        let mut rules = Vec::new();
        for row in rows {
            edition.push((row.rule_id, row.version, row.activated_by));
            let compiled = serde_json::from_value::<RuleVersion>(row.definition)
                .ok()
                .and_then(|rule| rule.compile_condition().ok().map(|condition| (rule, condition)));
            match compiled {
                Some((rule, condition)) => {
                    rules.push(ActiveRule { rule, condition, activated_by: StaffId::from_uuid(row.activated_by) });
                }
                // One rule that this version of the program cannot read must not stop the others.
                None => {
                    metrics::counter!("rules_unreadable_total").increment(1);
                    tracing::error!(rule = %row.rule_id, version = row.version, "an active rule cannot be read: save it anew");
                }
            }
        }
        tracing::info!(rules = rules.len(), "rulebook compiled");
        let clauses = self.clauses().await?;
        Ok(Rulebook::new(edition, rules, clauses))
    }

    /// What lifts something, of every version that was ever saved: one that is in force no more has left standings behind.
    async fn clauses(&self) -> Result<Vec<Clause>, Error> {
        let rows = sqlx::query_scalar!(
            r#"select distinct definition -> 'standing' -> 'lifted_by' as "lifting!" from rules.rule_version
                where definition -> 'standing' -> 'lifted_by' is not null"#
        )
        .fetch_all(self.database.pool())
        .await
        .map_err(Error::database("reading what lifts standings"))?;
        let mut clauses: BTreeMap<Uuid, Clause> = BTreeMap::new();
        for row in rows {
            let read = serde_json::from_value::<LiftingRecord>(row).ok();
            match read.and_then(|lifting| lifting.compile_condition().ok().map(|condition| (lifting, condition))) {
                Some((lifting, condition)) => {
                    let (key, kinds) = (lifting.key(), lifting.kinds.into_iter().collect());
                    clauses.insert(key, Clause { key, kinds, condition });
                }
                None => {
                    metrics::counter!("rules_unreadable_total").increment(1);
                    tracing::error!("what lifts a rule's standing cannot be read: save the rule anew");
                }
            }
        }
        Ok(clauses.into_values().collect())
    }
}
