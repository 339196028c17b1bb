//! Where the data of this service lies.

/// Schema of all tables here.
pub const SCHEMA: &str = "dispatch";
/// The tables of schema `dispatch`.
pub static MIGRATOR: sqlx::migrate::Migrator = sqlx::migrate!();
