//! What carriers know of outboxes.

use sqlx::{AssertSqlSafe, PgExecutor};

use crate::error::Error;

/// Rows carried in one turn.
pub(super) const BATCH: i64 = 200;

/// Whether no outbox of `schemas` holds a row. Their names are constants of the program.
pub(super) async fn all_empty(executor: impl PgExecutor<'_>, schemas: &[&'static str], and: &str) -> Result<bool, Error> {
    let mut statement = String::from("select true");
    for schema in schemas {
        statement.push_str(" and not exists (select from ");
        statement.push_str(schema);
        statement.push_str(".outbox)");
    }
    statement.push_str(and);
    Ok(sqlx::query_scalar(AssertSqlSafe(statement)).fetch_one(executor).await?)
}
