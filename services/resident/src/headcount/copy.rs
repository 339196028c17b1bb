//! What a process has summed up.

use std::sync::Arc;

use super::cells::Cells;

/// The cells, summed up: every row older than the horizon.
#[derive(Debug)]
pub(super) struct Copy {
    /// How many folds there had been.
    pub(super) fold: i64,
    pub(super) horizon: i64,
    pub(super) cells: Arc<Cells>,
}
