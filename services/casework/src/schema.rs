//! Where the data of this service lies.

/// The service's part of the database.
pub const SCHEMA: &str = "casework";

/// Its tables.
pub static MIGRATOR: sqlx::migrate::Migrator = sqlx::migrate!();
