//! Where things lie in a server's directory.

use std::path::{Path, PathBuf};

/// PostgreSQL's data.
pub(crate) fn cluster_of(directory: &Path) -> PathBuf {
    directory.join("cluster")
}
