//! Where the data of this service lies.

/// The schema of this service.
pub const SCHEMA: &str = "sms";

/// Its tables.
pub static MIGRATOR: sqlx::migrate::Migrator = sqlx::migrate!();
