//! Which rules meet which records: a decision over what was read, without I/O.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use domain::area::{Area, DistrictCode};
use domain::condition::{Condition, EvaluationError, Facts};
use domain::ids::ResidentNo;
use domain::risk_record::RecordKind;
use domain::rule::{RuleAudience, RuleVersion};
use domain::template::KNOWN_VARIABLES;

use crate::lifting::Lifting;
use crate::record::{About, Attributes, Record};
use crate::rulebook::Rulebook;

/// What a draft needs to know of a record that matched.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Reason {
    /// Whom it is about; none for a place.
    pub(crate) resident: Option<ResidentNo>,
    /// Where they live or the place lies, as closely as is known.
    pub(crate) area: Area,
    /// The unit that reported it.
    pub(crate) source: String,
    pub(crate) occurred_at: DateTime<Utc>,
    /// Those that texts can name; the others are not kept here.
    pub(crate) attributes: Attributes,
}

/// A rule has met a record.
#[derive(Clone, Debug)]
pub(crate) struct Match {
    /// The rule's place in the rulebook.
    pub(crate) rule: usize,
    pub(crate) record_id: i64,
    /// None: kept by an older version of the platform.
    pub(crate) kind: Option<RecordKind>,
    pub(crate) district: DistrictCode,
    pub(crate) reason: Reason,
}

domain::words! {
    /// Why a rule has nobody to tell of a record that meets its condition.
    pub enum NobodyToTell {
        /// The person is not registered: the record comes again when they are.
        Stranger => "条件符合，但该人员尚未登记，登记后再匹配",
        /// The rule tells the person concerned, and there is none.
        NobodyConcerned => "条件符合，但记录只涉及场所，而规则只通知本人",
        /// The rule tells a neighbourhood, and nobody knows which. Telling the whole district instead would disturb too many (CQ4).
        Nowhere => "条件符合，但不知道对象所在的街道或社区，无法确定受众",
    }
}

/// Why a rule that was asked about a record could not use it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unusable {
    /// Something that decides is missing or of another kind.
    #[error(transparent)]
    Undecided(#[from] EvaluationError),
    /// There is nobody whom it could tell.
    #[error("{}", .0.title())]
    NobodyToTell(NobodyToTell),
}

impl Unusable {
    /// Its name in metrics.
    pub(crate) fn label(&self) -> &'static str {
        match self {
            Self::Undecided(_) => "undecided",
            Self::NobodyToTell(why) => (*why).into(),
        }
    }
}

/// Whether the rule meets the record; its kind was looked at already.
pub(crate) fn meets(rule: &RuleVersion, condition: &Condition, record: &Record, facts: &Facts) -> Result<bool, Unusable> {
    if !condition.matches(facts)? {
        return Ok(false);
    }
    nobody_to_tell(rule, record).map_or(Ok(true), |why| Err(Unusable::NobodyToTell(why)))
}

/// Why a rule would have nobody to tell of a record.
pub(crate) fn nobody_to_tell(rule: &RuleVersion, record: &Record) -> Option<NobodyToTell> {
    match (rule.audience, record.about, record.area) {
        (_, About::Stranger, _) => Some(NobodyToTell::Stranger),
        (RuleAudience::Subject, About::Place, _) => Some(NobodyToTell::NobodyConcerned),
        (RuleAudience::SubjectTownship, _, area) if area.township().is_none() => Some(NobodyToTell::Nowhere),
        (RuleAudience::SubjectCommunity, _, area) if !matches!(area, Area::Community(_)) => Some(NobodyToTell::Nowhere),
        _ => None,
    }
}

/// Why the record matched, as far as it is kept.
pub(crate) fn reason(record: &Record) -> Reason {
    Reason {
        resident: if let About::Resident(no) = record.about { Some(no) } else { None },
        area: record.area,
        source: record.source.clone(),
        occurred_at: record.occurred_at,
        attributes: record
            .attributes
            .iter()
            .filter(|(name, _)| KNOWN_VARIABLES.iter().any(|variable| variable.name == name.as_str()))
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect(),
    }
}

/// What was found in a load.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    pub(crate) matches: Vec<Match>,
    /// Which records lift something of somebody.
    pub(crate) lifting: Vec<Lifting>,
    /// Records looked at.
    pub(crate) records: usize,
    /// How often a rule could not use a record, by reason.
    pub(crate) unusable: BTreeMap<&'static str, u64>,
}

impl Findings {
    /// Asks every rule about every record of its kinds, as of `now`.
    pub(crate) fn look_at(&mut self, rulebook: &Rulebook, records: &[Record], now: DateTime<Utc>) {
        self.records += records.len();
        for record in records {
            let asked = rulebook.asked_about(record.kind);
            let clauses = rulebook.lifted_by(record.kind);
            if asked.is_empty() && clauses.is_empty() {
                continue;
            }
            let facts = record.facts(now);
            for &place in asked {
                let active = rulebook.rule(place);
                match meets(&active.rule, &active.condition, record, &facts) {
                    Ok(true) => {
                        let (record_id, kind, district) = (record.id, Some(record.kind), record.district);
                        self.matches.push(Match { rule: place, record_id, kind, district, reason: reason(record) });
                    }
                    Ok(false) => {}
                    Err(unusable) => *self.unusable.entry(unusable.label()).or_default() += 1,
                }
            }
            let About::Resident(resident) = record.about else { continue };
            // a record that lacks what decides lifts nothing
            for clause in clauses.iter().map(|at| rulebook.clause(*at)).filter(|clause| clause.condition.matches(&facts) == Ok(true)) {
                let (record_id, sampled_at) = (record.id, record.occurred_at);
                self.lifting.push(Lifting { record_id, clause: clause.key, resident, sampled_at });
            }
        }
    }
}
