//! The rows of a sheet, out of its cells one by one, and as the rows of a CSV file.

use std::collections::HashMap;

use calamine::{Cell, Data, DataRef, Dimensions, Range, XlsxError};

use super::{DELIMITER, cell};
use crate::columns::Columns;
use crate::framing::{Block, Refusal, Row};
use crate::reason::{self, ROW_LIMIT};

/// A block is full at this many bytes, however few its rows.
const BLOCK_BYTES: usize = 4 << 20;

/// One row: what its filled cells say.
#[derive(Debug, Default, PartialEq)]
pub(super) struct SheetRow {
    /// Its number, from 0.
    pub number: u32,
    /// Columns from 0, in order.
    cells: Vec<(u32, Said)>,
}

/// What a cell says.
#[derive(Clone, Debug, PartialEq)]
struct Said {
    text: String,
    /// What it says in a column of times, where that is something else.
    time: Option<String>,
}

impl SheetRow {
    fn put(&mut self, column: u32, value: DataRef<'_>, since_1904: bool) {
        let time = cell::time(&value, since_1904);
        let text = cell::text(value, since_1904);
        if !text.is_empty() {
            self.cells.push((column, Said { text: text.into_owned(), time }));
        }
    }

    pub(super) fn is_blank(&self) -> bool {
        self.cells.iter().all(|(_, said)| said.text.trim().is_empty())
    }

    /// All cells up to the last filled one.
    pub(super) fn texts(&self) -> Vec<String> {
        let mut texts = vec![String::new(); self.cells.iter().map(|(column, _)| *column as usize + 1).max().unwrap_or(0)];
        for (column, said) in &self.cells {
            texts[*column as usize].clone_from(&said.text);
        }
        texts
    }
}

/// The rows that cells make which come one by one; rows without cells are left out.
pub(super) fn of_cells<'c>(
    mut next: impl FnMut() -> Result<Option<Cell<DataRef<'c>>>, XlsxError>,
    since_1904: bool,
) -> impl Iterator<Item = Result<SheetRow, XlsxError>> {
    let mut row: Option<SheetRow> = None;
    let mut ended = false;
    std::iter::from_fn(move || {
        while !ended {
            match next() {
                Ok(Some(cell)) => {
                    let (number, column) = cell.get_position();
                    let whole = if row.as_ref().is_some_and(|row| row.number != number) { row.take() } else { None };
                    let row = row.get_or_insert_with(|| SheetRow { number, cells: Vec::new() });
                    row.put(column, cell.get_value().clone(), since_1904);
                    if whole.is_some() {
                        return whole.map(Ok);
                    }
                }
                Ok(None) => ended = true,
                Err(error) => {
                    ended = true;
                    return Some(Err(error));
                }
            }
        }
        row.take().map(Ok)
    })
}

/// The rows of a sheet that is in memory.
pub(super) fn of_range(sheet: &Range<Data>, since_1904: bool) -> impl Iterator<Item = SheetRow> {
    let (first_row, first_column) = sheet.start().unwrap_or_default();
    (first_row..).zip(sheet.rows()).map(move |(number, cells)| {
        let mut row = SheetRow { number, cells: Vec::new() };
        for (column, value) in (first_column..).zip(cells) {
            row.put(column, borrowed(value), since_1904);
        }
        row
    })
}

fn borrowed(value: &Data) -> DataRef<'_> {
    match value {
        Data::Int(number) => DataRef::Int(*number),
        Data::Float(number) => DataRef::Float(*number),
        Data::String(text) => DataRef::SharedString(text),
        Data::Bool(value) => DataRef::Bool(*value),
        Data::DateTime(time) => DataRef::DateTime(*time),
        Data::DateTimeIso(text) | Data::DurationIso(text) => DataRef::SharedString(text),
        Data::Error(error) => DataRef::Error(error.clone()),
        Data::Empty => DataRef::Empty,
    }
}

/// Cells that are merged downwards: the first one's value is that of all.
#[derive(Debug, Default)]
pub(super) struct Merged {
    /// First row, last row and column, by first row.
    areas: Vec<(u32, u32, u32)>,
    /// Areas that were begun: their last row, and what they say, by their column.
    begun: HashMap<u32, (u32, Said)>,
    next: usize,
}

impl Merged {
    pub(super) fn of(areas: &[Dimensions]) -> Self {
        let mut areas: Vec<_> =
            areas.iter().filter(|area| area.end.0 > area.start.0).map(|area| (area.start.0, area.end.0, area.start.1)).collect();
        areas.sort_unstable();
        Self { areas, ..Self::default() }
    }

    /// Fills the cells that are merged with one above.
    fn fill(&mut self, row: &mut SheetRow) {
        if self.areas.is_empty() {
            return;
        }
        while let Some((first, last, column)) = self.areas.get(self.next).filter(|area| area.0 <= row.number) {
            self.next += 1;
            if *first == row.number
                && let Some((_, said)) = row.cells.iter().find(|(at, _)| at == column)
            {
                self.begun.insert(*column, (*last, said.clone()));
            }
        }
        let before = row.cells.len();
        for (column, (last, said)) in &self.begun {
            if row.number <= *last && !row.cells[..before].iter().any(|(at, _)| at == column) {
                row.cells.push((*column, said.clone()));
            }
        }
        self.begun.retain(|_, (last, _)| *last > row.number);
        row.cells.sort_by_key(|(column, _)| *column);
    }
}

/// Makes blocks of the rows below the header.
pub(super) struct Rows {
    columns: Columns,
    header: u32,
    merged: Merged,
    block_rows: usize,
    block: Block,
    line: u64,
}

impl Rows {
    pub(super) fn new(columns: Columns, header: u32, merged: Merged, block_rows: usize) -> Self {
        Self { columns, header, merged, block_rows: block_rows.max(1), block: Block::default(), line: u64::from(header) + 1 }
    }

    pub(super) fn add(&mut self, mut row: SheetRow) {
        if row.number <= self.header {
            return;
        }
        self.merged.fill(&mut row);
        self.line = u64::from(row.number) + 1;
        if row.is_blank() {
            return;
        }
        let start = self.block.bytes.len();
        let mut filled = 0;
        for (column, said) in row.cells {
            // never behind the last column that there is in a sheet
            for _ in filled..column {
                self.block.bytes.push(DELIMITER);
            }
            filled = column;
            let text = said.time.filter(|_| self.columns.is_time(column as usize)).unwrap_or(said.text);
            put(&mut self.block.bytes, &text);
        }
        self.block.bytes.push(b'\n');
        let end = self.block.bytes.len();
        if end - start > ROW_LIMIT {
            self.block.bytes.truncate(start);
            self.block.refusals.push(Refusal::of(self.line, reason::too_long(), Vec::new()));
        } else {
            self.block.rows.push(Row { start, end, line: self.line });
        }
    }

    /// The next row cannot be read.
    pub(super) fn damaged(&mut self) {
        self.block.refusals.push(Refusal::of(self.line + 1, reason::damaged(), Vec::new()));
    }

    pub(super) fn is_full(&self) -> bool {
        self.block.rows.len() + self.block.refusals.len() >= self.block_rows || self.block.bytes.len() >= BLOCK_BYTES
    }

    pub(super) fn take(&mut self) -> Block {
        std::mem::take(&mut self.block)
    }
}

/// Writes a cell of a CSV file.
fn put(bytes: &mut Vec<u8>, text: &str) {
    if !text.bytes().any(|byte| matches!(byte, b'"' | b'\n' | b'\r' | DELIMITER)) {
        bytes.extend_from_slice(text.as_bytes());
        return;
    }
    bytes.push(b'"');
    for piece in text.split_inclusive('"') {
        bytes.extend_from_slice(piece.as_bytes());
        if piece.ends_with('"') {
            bytes.push(b'"');
        }
    }
    bytes.push(b'"');
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(number: u32, cells: &[(u32, &str)]) -> SheetRow {
        let cells = cells.iter().map(|(column, text)| (*column, Said { text: (*text).to_owned(), time: None })).collect();
        SheetRow { number, cells }
    }

    #[test]
    fn cells_merged_downwards_say_the_same_in_all_their_rows() {
        let mut merged = Merged::of(&[
            Dimensions { start: (1, 2), end: (3, 2) },
            Dimensions { start: (2, 0), end: (2, 5) },
            Dimensions { start: (4, 2), end: (5, 3) },
        ]);
        let mut filled = Vec::new();
        for (number, cells) in [
            (0, vec![(2, "a")]),
            (1, vec![(2, "b")]),
            (2, vec![(0, "x")]),
            (3, vec![]),
            (4, vec![(2, "c")]),
            (5, vec![(2, "d")]),
            (6, vec![]),
        ] {
            let mut row = row(number, &cells);
            merged.fill(&mut row);
            filled.push(row.texts().join("|"));
        }
        assert_eq!(filled, ["||a", "||b", "x||b", "||b", "||c", "||d", ""]);
    }

    #[test]
    fn a_row_is_written_as_one_of_a_csv_file() {
        let names = ["source_id", "kind", "occurred_at", "phone", "level", "note"].map(str::to_owned);
        let mut rows =
            Rows::new(Columns::of_names(names.into(), DELIMITER, domain::list::ColumnNames::shipped()).unwrap(), 0, Merged::default(), 10);
        rows.add(row(0, &[(0, "source_id")]));
        rows.add(row(4, &[(0, "x-1"), (2, "a,b"), (5, "5\" pipe\nlong")]));
        let block = rows.take();
        assert_eq!(String::from_utf8(block.bytes.clone()).unwrap(), "x-1,,\"a,b\",,,\"5\"\" pipe\nlong\"\n");
        assert_eq!(block.rows, [Row { start: 0, end: block.bytes.len(), line: 5 }]);
    }
}
