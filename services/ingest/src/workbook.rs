//! Workbooks as spreadsheet programs write them (xlsx, xls): the one sheet that is a list, as rows like those of a CSV file.
//!
//! - Sheets that are hidden, and sheets without a header or without rows, are passed over; more than one list is refused.
//! - A cell is its value: a formula's is the one that was calculated last, a date's is the day and time. Macros, links and pictures are
//!   never looked at. Rows and columns that are hidden are read: hiding takes nothing out of a list.
//! - Cells merged downwards hold one value for all their rows.
//! - A workbook is in memory as a whole. How much there is in it is counted before anything is made of it ([`package`], [`binary`]): what
//!   unpacks to more than [`UNPACKED`], or claims to hold more than it does, is refused.

mod binary;
mod cell;
mod package;
mod rows;
#[cfg(test)]
mod tests;

use std::io::Cursor;

use calamine::{Reader as _, SheetType, SheetVisible, Xls, Xlsx};
use domain::list::ColumnNames;

use crate::columns::{Columns, HeaderFault};
use crate::framing::Block;
use crate::head::Search;
use crate::load::Format;
use crate::shape::{self, Other};
use crate::{Error, reason};
use rows::{Merged, Rows, SheetRow};

/// Largest workbook, in bytes.
pub(crate) const LIMIT: usize = 32 << 20;
/// So many bytes a workbook may unpack to.
const UNPACKED: u64 = 1 << 30;
/// From so many rows in any sheet on, those of the list are counted.
const COUNTED: u64 = 1_000;
/// What separates the cells of the rows that are made of a sheet.
const DELIMITER: u8 = b',';

/// What was found in a workbook, in this order.
pub(crate) enum Found {
    /// The header.
    Columns(Box<Columns>),
    /// About how many rows there will be.
    Rows(u64),
    /// Some rows.
    Block(Block),
}

/// Tells what is found, as long as somebody listens.
type Tell<'t> = &'t mut dyn FnMut(Found) -> bool;

/// Reads a workbook, in blocks of so many rows. Takes as long as that takes: not for the threads of requests.
///
/// # Errors
/// When it cannot be read, or none or several of its sheets are lists.
pub(crate) fn read(bytes: Vec<u8>, format: Format, block_rows: usize, names: &ColumnNames, tell: Tell<'_>) -> Result<(), Error> {
    match format {
        Format::Xls => read_binary(&bytes, block_rows, names, tell),
        _ => read_package(&bytes, block_rows, names, tell),
    }
}

/// One of several sheets.
struct Candidate {
    name: String,
    columns: Columns,
    /// The row of its header, from 0.
    header: u32,
}

/// The one sheet that is a list.
struct Choice<'n> {
    names: &'n ColumnNames,
    lists: Vec<Candidate>,
    /// Lists without a row: templates.
    empty: Vec<Candidate>,
    fault: Option<HeaderFault>,
}

impl<'n> Choice<'n> {
    fn by(names: &'n ColumnNames) -> Self {
        Self { names, lists: Vec::new(), empty: Vec::new(), fault: None }
    }

    /// Looks at the rows with which a sheet begins.
    fn look<E>(&mut self, name: &str, rows: impl Iterator<Item = Result<SheetRow, E>>) -> Result<(), E> {
        let mut search = Search::by(self.names);
        let mut found: Option<Candidate> = None;
        for row in rows {
            let row = row?;
            if row.is_blank() {
                continue;
            }
            if let Some(candidate) = found.take() {
                self.lists.push(candidate);
                return Ok(());
            }
            match search.look(u64::from(row.number) + 1, row.texts(), DELIMITER) {
                Ok(None) => {}
                Ok(Some(columns)) => found = Some(Candidate { name: name.to_owned(), columns, header: row.number }),
                Err(fault) => {
                    self.keep(fault);
                    return Ok(());
                }
            }
        }
        match found {
            Some(candidate) => self.empty.push(candidate),
            None => self.keep(search.fault()),
        }
        Ok(())
    }

    fn keep(&mut self, fault: HeaderFault) {
        if self.fault.as_ref().is_none_or(|known| known.known_columns < fault.known_columns) {
            self.fault = Some(fault);
        }
    }

    fn only(mut self) -> Result<Candidate, Error> {
        let mut lists = if self.lists.is_empty() { std::mem::take(&mut self.empty) } else { self.lists };
        match (lists.len(), lists.pop()) {
            (1, Some(list)) => Ok(list),
            (0, _) | (_, None) => Err(self.fault.unwrap_or_else(|| HeaderFault::of_row(1, reason::no_header())).into()),
            (_, Some(last)) => Err(Error::WorkbookSheets(lists.into_iter().chain([last]).map(|list| list.name).collect())),
        }
    }
}

fn read_package(bytes: &[u8], block_rows: usize, names: &ColumnNames, tell: Tell<'_>) -> Result<(), Error> {
    let package = package::weigh(bytes)?;
    let damaged = |_| Error::WorkbookDamaged;
    let mut book: Xlsx<_> = Xlsx::new(Cursor::new(bytes)).map_err(damaged)?;
    let since_1904 = book.has_1904_epoch();
    let mut choice = Choice::by(names);
    for name in visible(book.sheets_metadata()) {
        let mut cells = book.worksheet_cells_reader(&name).map_err(damaged)?;
        choice.look(&name, rows::of_cells(|| cells.next_cell(), since_1904)).map_err(damaged)?;
    }
    let Candidate { name, columns, header } = choice.only()?;
    let merged = if package.has_merged_cells { book.merge_cells_by_sheet_name(&name).map_err(damaged)? } else { Vec::new() };
    let mut rows = Rows::new(columns.clone(), header, Merged::of(&merged), block_rows);
    // other sheets have rows too, so those of this one are counted where there may be many
    let below = if package.rows < COUNTED { package.rows } else { filled_rows(&mut book, &name, since_1904).map_err(damaged)? };
    if !tell(Found::Columns(Box::new(columns))) || !tell(Found::Rows(below)) {
        return Ok(());
    }
    let mut cells = book.worksheet_cells_reader(&name).map_err(damaged)?;
    for row in rows::of_cells(|| cells.next_cell(), since_1904) {
        let Ok(row) = row else {
            rows.damaged();
            tell(Found::Block(rows.take()));
            return Ok(());
        };
        rows.add(row);
        if rows.is_full() && !tell(Found::Block(rows.take())) {
            return Ok(());
        }
    }
    tell(Found::Block(rows.take()));
    Ok(())
}

/// How many rows of a sheet say anything.
fn filled_rows(book: &mut Xlsx<Cursor<&[u8]>>, name: &str, since_1904: bool) -> Result<u64, calamine::XlsxError> {
    let mut cells = book.worksheet_cells_reader(name)?;
    let mut filled = 0;
    for row in rows::of_cells(|| cells.next_cell(), since_1904) {
        filled += u64::from(!row?.is_blank());
    }
    Ok(filled)
}

fn read_binary(bytes: &[u8], block_rows: usize, names: &ColumnNames, tell: Tell<'_>) -> Result<(), Error> {
    binary::weigh(bytes)?;
    let mut book: Xls<_> = Xls::new(Cursor::new(bytes)).map_err(|error| match error {
        calamine::XlsError::Password => Error::WorkbookLocked,
        _ => Error::WorkbookDamaged,
    })?;
    let since_1904 = book.has_1904_epoch();
    let mut choice = Choice::by(names);
    for name in &visible(book.sheets_metadata()) {
        let sheet = book.worksheet_range(name).map_err(|_| Error::WorkbookDamaged)?;
        choice.look(name, rows::of_range(&sheet, since_1904).map(Ok::<_, Error>))?;
    }
    let Candidate { name, columns, header } = choice.only()?;
    let merged = book.merge_cells_by_sheet_name(&name).map_err(|_| Error::WorkbookDamaged)?;
    let sheet = book.worksheet_range(&name).map_err(|_| Error::WorkbookDamaged)?;
    let mut rows = Rows::new(columns.clone(), header, Merged::of(&merged), block_rows);
    let below = rows::of_range(&sheet, since_1904).filter(|row| !row.is_blank()).count().saturating_sub(1) as u64;
    if !tell(Found::Columns(Box::new(columns))) || !tell(Found::Rows(below)) {
        return Ok(());
    }
    for row in rows::of_range(&sheet, since_1904) {
        rows.add(row);
        if rows.is_full() && !tell(Found::Block(rows.take())) {
            return Ok(());
        }
    }
    tell(Found::Block(rows.take()));
    Ok(())
}

/// The sheets that somebody can see and that hold cells.
fn visible(sheets: &[calamine::Sheet]) -> Vec<String> {
    sheets
        .iter()
        .filter(|sheet| sheet.visible == SheetVisible::Visible && sheet.typ == SheetType::WorkSheet)
        .map(|sheet| sheet.name.clone())
        .collect()
}

/// That a file is no workbook but something else of the same make.
fn not_a_list(other: Other) -> Error {
    Error::NotAList(other)
}

/// What an archive or compound file is that holds no workbook.
fn other_of(names: &[&str]) -> Other {
    let has = |part: &str| names.iter().any(|name| name.starts_with(part));
    if has("word/") || has("WordDocument") {
        shape::DOCUMENT
    } else if has("ppt/") || has("PowerPoint") {
        shape::SLIDES
    } else if has("xl/workbook.bin") || has("content.xml") {
        shape::OTHER_WORKBOOK
    } else {
        shape::ZIP
    }
}
