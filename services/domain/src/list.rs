//! Line lists: tables in which people and spreadsheets write records down, one a row under a header.
//!
//! * [`ColumnNames`]: what the header calls a field, in Chinese or English.
//! * [`ListWord`]: what a cell calls a kind, a level or an origin.
//! * [`attribute_value`]: what a cell calls the value of an attribute that rules ask for.
//! * [`template`]: the list that somebody fills in.
//! * [`spoilt`]: what a spreadsheet leaves in a cell when something went wrong in it.
//! * [`neutral`] and [`written`]: how a cell goes out so that no spreadsheet takes it for a formula, and how it is read back.
//! * [`of_serial`]: the day that a spreadsheet's number stands for.
//! * [`below_the_table`]: which rows are no records.

use std::borrow::Cow;

mod attribute;
mod columns;
mod formula;
mod serial;
mod spoilt;
mod template;
mod totals;
mod word;

pub use attribute::{attribute_value, known_values};
pub use columns::{ColumnMeaning, ColumnNames, RecordField};
pub use formula::{neutral, written};
pub use serial::of_serial;
pub use spoilt::{Spoilt, is_nothing, is_rounded, spoilt};
pub use template::{Entry, TemplateColumn, kind_title, template};
pub use totals::{below_the_table, is_total};
pub use word::ListWord;

/// A cell that holds a code, a number or a time, as it is read: without signs that nobody sees, its digits in ASCII.
#[must_use]
pub fn plain(text: &str) -> Cow<'_, str> {
    crate::digits::plain(text)
}
