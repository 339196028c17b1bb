//! Why a source is no condition, and why a condition could not be decided.

/// Why a source is no condition, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("第 {line} 行第 {column} 列：{message}")]
pub struct ConditionError {
    /// What is wrong, for the author of the rule.
    pub message: String,
    /// From 1.
    pub line: u32,
    /// In characters, from 1.
    pub column: u32,
}

/// Why a condition could not be decided for a record; the record does not match. Names attributes, never shows their values (CQ14).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EvaluationError {
    /// The record has no such attribute.
    #[error("记录缺少属性“{0}”")]
    MissingAttribute(String),
    /// The record has no such field: nobody knows yet where its subject lives.
    #[error("记录缺少字段“{0}”")]
    MissingField(String),
    /// An attribute is of another kind than what it is compared with.
    #[error("记录的属性类型与条件不符")]
    WrongKind,
}
