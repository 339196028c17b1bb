//! Where the data of this service lies.

/// Schema of this service.
pub const SCHEMA: &str = "audit";

/// Its tables.
pub static MIGRATOR: sqlx::migrate::Migrator = sqlx::migrate!();
