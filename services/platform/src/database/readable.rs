//! Lists go on without what cannot be read.

use std::collections::BTreeSet;
use std::error::Error;
use std::sync::{Mutex, PoisonError};

use crate::tasks::chain;

/// So many different rows are told of in the log of one process; the metric counts all of them.
const TOLD: usize = 1_000;

static KNOWN: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

/// Those of a list's rows that can be read. Of each that cannot, the log tells once, and the metric `unreadable_rows_total` every
/// time: one damaged row, or one that only a newer version of the platform understands, hides none of the others.
pub fn readable<T, E: Error + 'static>(list: &'static str, rows: impl IntoIterator<Item = Result<T, E>>) -> Vec<T> {
    rows.into_iter().filter_map(|row| readable_row(list, row)).collect()
}

/// A row, if it can be read; otherwise it is noted like one of [`readable`].
pub fn readable_row<T, E: Error + 'static>(list: &'static str, row: Result<T, E>) -> Option<T> {
    row.map_err(|error| unreadable(list, &error)).ok()
}

fn unreadable(list: &'static str, error: &(dyn Error + 'static)) {
    metrics::counter!("unreadable_rows_total", "list" => list).increment(1);
    let error = chain(error);
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    if known.len() < TOLD && known.insert(format!("{list}: {error}")) {
        tracing::error!(list, error, "a row cannot be read and is left out of its list");
    }
}
