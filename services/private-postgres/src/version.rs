//! Which PostgreSQL is packed.

/// Its major version.
pub const MAJOR_VERSION: u32 = 18;
