//! The condition of a rule: an expression in CEL (Common Expression Language) over one risk record.
//!
//! `kind == "place_visited" && level == "high" && age_hours < 72 && attributes.hours_there >= 0.25`
//!
//! * Only what is needed can be written: the fields of [`FIELDS`], comparisons, `&& || ! ?:`, `in` with a list, and `startsWith`, `endsWith`, `contains`. There
//!   are no loops, no arithmetic, no calls out; a source has 4 KB at most. So an evaluation is short whatever its author wrote.
//! * Everything that can be known beforehand is checked when a condition is compiled: unknown fields, words that a field never
//!   has (`level == "hihg"`), sides that do not compare, a result that is not true or false. Errors name line and column.
//! * What a record lacks is known only when it comes. Conditions fail closed: a record that lacks an attribute which decides does not match, and
//!   [`EvaluationError`] says why. An attribute is read as what it is compared with, whoever sent it in which form. (`"x" in attributes` asks whether it is there; `a || b` holds if `a` does, whatever `b` lacks.)
//!
//! [`Facts`] are made once a record and asked by every condition.

mod check;
mod error;
mod facts;
mod reading;
mod unmet;

use std::fmt;
use std::sync::Arc;

use cel::common::ast::IdedExpr;
use cel::{ExecutionError, Value};
use chrono::{DateTime, Utc};

pub use check::{FIELDS, Field};
pub use error::{ConditionError, EvaluationError};
use facts::ENVIRONMENT;
pub use facts::{Facts, RecordView};
pub use unmet::UnmetPart;

use crate::risk_record::RiskRecord;

/// Octets of a condition's source at most.
pub const MAX_SOURCE: usize = 4096;

/// A condition that can be evaluated.
#[derive(Clone)]
pub struct Condition {
    expression: Arc<IdedExpr>,
    source: Arc<str>,
}

/// What a condition says to sample records.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lint {
    /// Records that match, by their place among the samples.
    pub matched: Vec<usize>,
    /// Records that do not.
    pub unmatched: Vec<usize>,
    /// Records that do not because something is missing: often a misspelt attribute.
    pub undecided: Vec<(usize, EvaluationError)>,
}

impl Condition {
    /// Reads and checks a condition.
    ///
    /// # Errors
    /// The first fault and its position.
    pub fn compile(source: &str) -> Result<Self, ConditionError> {
        if source.len() > MAX_SOURCE {
            let message = format!("条件有 {} 字节，最多 {MAX_SOURCE} 字节，请缩短", source.len());
            return Err(ConditionError { message, line: 1, column: 1 });
        }
        if source.trim().is_empty() {
            return Err(ConditionError { message: "条件为空；如需匹配所有记录，请写 true".to_owned(), line: 1, column: 1 });
        }
        let program = ENVIRONMENT.compile(source).map_err(|errors| syntax_error(&errors))?;
        check::check(&program, source)?;
        let mut expression = program.expression().clone();
        reading::settle(&mut expression);
        Ok(Self { expression: Arc::new(expression), source: source.into() })
    }

    /// The source it was compiled from.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Whether the record of these facts matches.
    ///
    /// # Errors
    /// It does not, because something that decides is missing or of another kind.
    pub fn matches(&self, facts: &Facts) -> Result<bool, EvaluationError> {
        match Value::resolve(&self.expression, facts.context()) {
            Ok(Value::Bool(matches)) => Ok(matches),
            Ok(_) => Err(EvaluationError::WrongKind),
            Err(ExecutionError::NoSuchKey(name)) => Err(EvaluationError::MissingAttribute(name.to_string())),
            Err(ExecutionError::UndeclaredReference(name)) => Err(EvaluationError::MissingField(name.to_string())),
            Err(_) => Err(EvaluationError::WrongKind),
        }
    }

    /// What of the condition the record of these facts does not meet: as few parts as have to change for it to match, none if it matches.
    pub fn unmet(&self, facts: &Facts) -> Vec<UnmetPart> {
        unmet::parts(&self.expression, facts)
    }

    /// Tries the condition on sample records as if it were `now`.
    pub fn lint(&self, samples: &[RiskRecord], now: DateTime<Utc>) -> Lint {
        let mut lint = Lint::default();
        for (index, record) in samples.iter().enumerate() {
            match self.matches(&Facts::of(record, now)) {
                Ok(true) => lint.matched.push(index),
                Ok(false) => lint.unmatched.push(index),
                Err(error) => lint.undecided.push((index, error)),
            }
        }
        lint
    }
}

fn syntax_error(errors: &cel::ParseErrors) -> ConditionError {
    let Some(first) = errors.errors.first() else {
        return ConditionError { message: "语法错误".to_owned(), line: 1, column: 1 };
    };
    let position = |at: isize| u32::try_from(at).unwrap_or(1).max(1);
    // what the parser says about it is neither Chinese nor for the author of a rule
    let message = "语法错误：从这里起无法识别，请检查括号、引号和比较符号（==、&&、||）".to_owned();
    ConditionError { message, line: position(first.pos.0), column: position(first.pos.1) }
}

impl fmt::Debug for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Condition({:?})", self.source)
    }
}

impl PartialEq for Condition {
    fn eq(&self, other: &Self) -> bool {
        self.source == other.source
    }
}

impl Eq for Condition {}

#[cfg(test)]
mod tests;
