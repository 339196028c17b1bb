//! Which rule came nearest to a record that no rule meets, and why it did not match: a decision over what was read, without I/O.

use chrono::{DateTime, Utc};
use domain::condition::UnmetPart;
use domain::ids::RuleId;
use serde::Serialize;
use utoipa::ToSchema;

use crate::matching::{self, NobodyToTell};
use crate::record::Record;
use crate::rulebook::Rulebook;

/// A rule that did not match a record, and why.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, ToSchema)]
pub struct NearMiss {
    /// The rule.
    pub rule_id: RuleId,
    /// Its name.
    pub name: String,
    /// The parts of its condition that the record does not meet.
    pub unmet: Vec<UnmetPart>,
    /// Why it has nobody to tell, whatever its condition says.
    pub nobody_to_tell: Option<NobodyToTell>,
}

impl NearMiss {
    /// How much is between the rule and the record.
    fn distance(&self) -> usize {
        self.unmet.len() + usize::from(self.nobody_to_tell.is_some())
    }

    /// The same for another record of the same list: what each of them says instead is left out.
    pub(crate) fn in_general(&self) -> Self {
        let unmet = self.unmet.iter().map(|part| UnmetPart { found: None, ..part.clone() }).collect();
        Self { unmet, ..self.clone() }
    }
}

/// What the rules in force say to one record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Verdict {
    /// The rules that meet it.
    pub met: Vec<RuleName>,
    /// The rule that came nearest, where none does; none if no rule in force looks at records of this kind.
    pub nearest: Option<NearMiss>,
}

/// A rule by its name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct RuleName {
    /// The rule.
    pub rule_id: RuleId,
    /// Its name.
    pub name: String,
}

/// What the rules say to a record as of `now`.
pub(crate) fn verdict(rulebook: &Rulebook, record: &Record, now: DateTime<Utc>) -> Verdict {
    let facts = record.facts(now);
    let misses: Vec<NearMiss> = rulebook
        .asked_about(record.kind)
        .iter()
        .map(|place| {
            let active = rulebook.rule(*place);
            NearMiss {
                rule_id: active.rule.rule_id,
                name: active.rule.name.clone(),
                unmet: active.condition.unmet(&facts),
                nobody_to_tell: matching::nobody_to_tell(&active.rule, record),
            }
        })
        .collect();
    let met: Vec<RuleName> =
        misses.iter().filter(|miss| miss.distance() == 0).map(|miss| RuleName { rule_id: miss.rule_id, name: miss.name.clone() }).collect();
    let nearest = if met.is_empty() { misses.into_iter().min_by_key(NearMiss::distance) } else { None };
    Verdict { met, nearest }
}
