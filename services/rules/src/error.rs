//! What can go wrong here, and what a caller is told.

use domain::area::DistrictCode;
use domain::ids::{AlertId, RuleId};
use domain::rule::RuleFault;
use platform::http::{FieldFault, Problem};

/// A failure of the rules service.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A statement failed.
    #[error("the database failed on {action}")]
    Database {
        /// What was being done.
        action: &'static str,
        /// What the database said.
        #[source]
        source: sqlx::Error,
    },
    /// Database, bus or keys failed.
    #[error(transparent)]
    Platform(#[from] platform::Error),
    /// A setting makes no sense.
    #[error("setting {name} {reason}")]
    Setting {
        /// Its key in the configuration file.
        name: &'static str,
        /// What is wrong.
        reason: &'static str,
    },
    /// Fields that are wrong.
    #[error("{} fields of the request are wrong", .0.len())]
    Invalid(Vec<FieldFault>),
    /// The rule has faults.
    #[error("the rule has {} faults", .0.len())]
    Faulty(Vec<RuleFault>),
    /// No such rule.
    #[error("rule {0} does not exist")]
    NoSuchRule(RuleId),
    /// The rule has no such version.
    #[error("rule {rule} has no version {version}")]
    NoSuchVersion {
        /// The rule.
        rule: RuleId,
        /// The version asked for.
        version: u32,
    },
    /// No rule made this alert, or it is of another area.
    #[error("no rule made alert {0}, or it is not the caller's to see")]
    NoSuchDraft(AlertId),
    /// The rule is not in force.
    #[error("rule {0} is not active")]
    NotActive(RuleId),
    /// Somebody else saved a version of the rule at the same moment.
    #[error("version {version} of rule {rule} was saved by somebody else")]
    VersionTaken {
        /// The rule.
        rule: RuleId,
        /// The number both wanted.
        version: u32,
    },
    /// The city has no such district.
    #[error("{0} is no district of the city")]
    NoSuchDistrict(DistrictCode),
    /// Evaluating a load was broken off.
    #[error("the evaluation of a load was broken off")]
    Evaluation(#[from] tokio::task::JoinError),
    /// Stored values that cannot be read back.
    #[error("stored {what} cannot be read")]
    Stored {
        /// What it is.
        what: &'static str,
    },
}

impl Error {
    /// For `map_err`: names what was being done.
    pub(crate) fn database(action: &'static str) -> impl Fn(sqlx::Error) -> Self {
        move |source| Self::Database { action, source }
    }

    /// For `map_err`: what is stored is not what was written.
    pub(crate) fn stored<E>(what: &'static str) -> impl Fn(E) -> Self {
        move |_| Self::Stored { what }
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        match error {
            Error::Database { .. } | Error::Platform(_) => Self::unavailable(&error),
            Error::Stored { .. } | Error::Evaluation(_) | Error::Setting { .. } => Self::internal(&error),
            Error::Invalid(faults) => Self::invalid(faults),
            Error::Faulty(faults) => Self::invalid(faults.into_iter().map(field_fault).collect()),
            Error::NoSuchRule(_) => {
                Self::not_found("no_such_rule", "没有此规则，请刷新规则列表后重试。", "There is no such rule. Reload the list.")
            }
            Error::NoSuchDraft(_) => Self::not_found(
                "no_records",
                "此弹窗不是由规则生成，或不在您的管辖范围内，没有可核对的记录。",
                "No rule made this alert, or it is not in your area: there are no records to check.",
            ),
            Error::NoSuchVersion { version, .. } => Self::not_found(
                "no_such_version",
                format!("该规则没有第 {version} 版，请查看版本列表。"),
                format!("The rule has no version {version}. See the list of its versions."),
            ),
            Error::NotActive(_) => {
                Self::conflict("rule_not_active", "该规则未启用，无需停用。", "The rule is not active, so it cannot be deactivated.")
            }
            Error::VersionTaken { version, .. } => Self::conflict(
                "version_taken",
                format!("其他人刚保存了第 {version} 版，请查看后再保存您的修改。"),
                format!("Somebody else has just saved version {version}. Look at it, then save your changes again."),
            ),
            Error::NoSuchDistrict(_) => {
                Self::not_found("no_such_district", "本市没有此区县，请核对代码。", "The city has no such district. Check the code.")
            }
        }
    }
}

/// A rule's fault as a form shows it: the field, and line and column before the sentence where it has them.
fn field_fault(fault: RuleFault) -> FieldFault {
    match fault.position {
        Some(at) => FieldFault::new(
            fault.field,
            format!("第 {} 行第 {} 列：{}", at.line, at.column, fault.message),
            format!("Line {}, column {}: this does not compile, or names something that does not exist.", at.line, at.column),
        ),
        None => FieldFault::new(fault.field, fault.message, "This is missing or outside its limits."),
    }
}
