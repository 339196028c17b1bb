//! How much there is in an .xls file, counted before anything is made of it.
//!
//! Its cells are kept in a table from the first to the last of them. Two cells in far corners make a table of four thousand million, so
//! the corners are looked for first.

use std::io::{Cursor, Read as _};

use super::{LIMIT, not_a_list, other_of};
use crate::Error;

/// Most cells of the table of one sheet: ten times as many as 65,536 rows of a list have, and a few hundred megabytes.
const CELLS: u64 = 2_000_000;
/// How many bytes are walked through at most, however often sheets share them.
const WALKED: usize = 2 * LIMIT;

/// Counts what there is.
///
/// # Errors
/// When the file is damaged, encrypted, no workbook, or holds too much.
pub(super) fn weigh(bytes: &[u8]) -> Result<(), Error> {
    let mut file = cfb::CompoundFile::open(Cursor::new(bytes)).map_err(|_| Error::WorkbookDamaged)?;
    if file.exists("/EncryptedPackage") {
        return Err(Error::WorkbookLocked);
    }
    let Some(name) = ["/Workbook", "/Book"].into_iter().find(|name| file.exists(name)) else {
        let names: Vec<String> = file.walk().map(|entry| entry.name().to_owned()).collect();
        let known: Vec<&str> = names.iter().map(String::as_str).collect();
        return Err(not_a_list(other_of(&known)));
    };
    let mut stream = Vec::new();
    file.open_stream(name)
        .and_then(|stream_of| stream_of.take(LIMIT as u64).read_to_end(&mut stream))
        .map_err(|_| Error::WorkbookDamaged)?;
    let mut walked = 0;
    for sheet in sheets(&stream) {
        let records = stream.get(sheet..).ok_or(Error::WorkbookDamaged)?;
        let mut corners = Corners::default();
        for record in Records(records) {
            walked += record.data.len() + 4;
            if walked > WALKED {
                return Err(too_large());
            }
            corners.add(&record);
            if corners.cells() > CELLS {
                return Err(too_large());
            }
            if record.kind == END {
                break;
            }
        }
    }
    Ok(())
}

fn too_large() -> Error {
    Error::WorkbookTooLarge { limit: LIMIT }
}

/// BoundSheet8, Dimensions, EOF and the kinds of cells ([MS-XLS] 2.3.2).
const SHEET: u16 = 0x0085;
const DIMENSIONS: u16 = 0x0200;
const END: u16 = 0x000A;
const CELL_KINDS: [u16; 9] = [0x0203, 0x0204, 0x00D6, 0x0205, 0x027E, 0x00FD, 0x00BD, 0x0006, 0x0201];

struct Record<'s> {
    kind: u16,
    data: &'s [u8],
}

/// The records of a stream, up to one that is not whole.
struct Records<'s>(&'s [u8]);

impl<'s> Iterator for Records<'s> {
    type Item = Record<'s>;

    fn next(&mut self) -> Option<Record<'s>> {
        let kind = short(self.0, 0)?;
        let length = usize::from(short(self.0, 2)?);
        let data = self.0.get(4..4 + length)?;
        self.0 = &self.0[4 + length..];
        Some(Record { kind, data })
    }
}

fn short(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(bytes.get(at..at + 2)?.try_into().ok()?))
}

fn long(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

/// Where the sheets begin in the stream.
fn sheets(stream: &[u8]) -> Vec<usize> {
    Records(stream)
        .take_while(|record| record.kind != END)
        .filter(|record| record.kind == SHEET)
        .filter_map(|record| long(record.data, 0))
        .map(|at| at as usize)
        .collect()
}

/// The first and the last cell of a sheet.
#[derive(Default)]
struct Corners {
    rows: Option<(u64, u64)>,
    columns: Option<(u64, u64)>,
    /// As many cells as the sheet says that it has.
    said: u64,
}

impl Corners {
    fn add(&mut self, record: &Record<'_>) {
        let widen = |range: &mut Option<(u64, u64)>, at: u64| {
            let (first, last) = range.unwrap_or((at, at));
            *range = Some((first.min(at), last.max(at)));
        };
        let data = record.data;
        if record.kind == DIMENSIONS {
            // rows have four bytes in newer files and two in older ones
            let (first_row, last_row, columns) = if data.len() >= 14 {
                (long(data, 0).map(u64::from), long(data, 4).map(u64::from), 8)
            } else {
                (short(data, 0).map(u64::from), short(data, 2).map(u64::from), 4)
            };
            let columns = (short(data, columns).map(u64::from), short(data, columns + 2).map(u64::from));
            if let (Some(first_row), Some(last_row), (Some(first), Some(last))) = (first_row, last_row, columns) {
                self.said = last_row.saturating_sub(first_row).saturating_mul(last.saturating_sub(first));
            }
        } else if CELL_KINDS.contains(&record.kind)
            && let (Some(row), Some(column)) = (short(data, 0), short(data, 2))
        {
            widen(&mut self.rows, row.into());
            widen(&mut self.columns, column.into());
            if record.kind == 0x00BD
                && let Some(last) = data.len().checked_sub(2).and_then(|at| short(data, at))
            {
                widen(&mut self.columns, last.into());
            }
        }
    }

    fn cells(&self) -> u64 {
        let length = |range: Option<(u64, u64)>| range.map_or(0, |(first, last)| last - first + 1);
        (length(self.rows) * length(self.columns)).max(self.said)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cell(row: u16, column: u16) -> Vec<u8> {
        [0x0203_u16, 14, row, column].into_iter().flat_map(u16::to_le_bytes).chain([0; 10]).collect()
    }

    #[test]
    fn two_cells_in_far_corners_are_many() {
        let mut corners = Corners::default();
        for record in Records(&[cell(0, 0), cell(65_535, 255)].concat()) {
            corners.add(&record);
        }
        assert_eq!(corners.cells(), 65_536 * 256);
        assert!(corners.cells() > CELLS);
    }

    #[test]
    fn records_end_with_the_last_whole_one() {
        assert_eq!(Records(&[cell(1, 2), vec![3, 2, 255]].concat()).count(), 1);
    }
}
