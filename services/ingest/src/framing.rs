//! Cuts what arrives into rows and gathers them into blocks, without ever holding more than one block and one row.
//!
//! A row longer than [`ROW_LIMIT`] is skipped as it passes and refused. In CSV a row ends with LF, CRLF or CR, and a quoted cell may
//! hold line breaks; if its closing quote is missing, the row grows past the limit and reading goes on at the next line break. No byte
//! that ends rows or cells is ever part of a sign in UTF-8 or GB18030, so rows are cut before the encoding is known.

use platform::http::FieldFault;

use crate::reason::{self, ROW_LIMIT};

/// A block is full at this many bytes, however few its rows.
const BLOCK_BYTES: usize = 4 << 20;

/// What ends a row.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Framing {
    /// LF.
    Lines,
    /// LF, CRLF or CR outside quotes.
    Csv {
        /// What separates cells.
        delimiter: u8,
    },
}

/// Where a row stands in its block, and on which line of the delivery it began (from 1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Row {
    pub start: usize,
    pub end: usize,
    pub line: u64,
}

/// A row that is refused, with what it was; empty for a row that was too long to keep.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub line: u64,
    /// What is wrong with it; at least one.
    pub faults: Vec<FieldFault>,
    pub row: Vec<u8>,
}

impl Refusal {
    /// Of a row with one fault.
    pub(crate) fn of(line: u64, fault: FieldFault, row: Vec<u8>) -> Self {
        Self { line, faults: vec![fault], row }
    }
}

/// Some whole rows, each with its line break.
#[derive(Debug, Default)]
pub(crate) struct Block {
    pub bytes: Vec<u8>,
    pub rows: Vec<Row>,
    pub refusals: Vec<Refusal>,
}

impl Block {
    /// The row without its line break.
    pub(crate) fn row(&self, row: Row) -> &[u8] {
        self.bytes[row.start..row.end].trim_ascii_end()
    }

    /// Adds a row that came by itself, as an element of a JSON array does.
    pub(crate) fn add(&mut self, line: u64, row: &[u8]) {
        if row.len() > ROW_LIMIT {
            self.refusals.push(Refusal::of(line, reason::too_long(), Vec::new()));
            return;
        }
        let start = self.bytes.len();
        self.bytes.extend_from_slice(row);
        self.rows.push(Row { start, end: self.bytes.len(), line });
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rows.is_empty() && self.refusals.is_empty()
    }
}

/// Where in a CSV row the last byte stood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cell {
    Start,
    Plain,
    Quoted,
    /// After CR within quotes, with which LF is one line break.
    QuotedCr,
    /// After a quote within quotes: the end of them, or half of an escaped one.
    QuoteInQuotes,
}

/// Cuts one delivery.
#[derive(Debug)]
pub(crate) struct Cutter {
    framing: Framing,
    block_rows: usize,
    block: Block,
    /// Where the row that is not yet whole begins in the block.
    start: usize,
    /// The line on which it began, and the one being read.
    began: u64,
    line: u64,
    cell: Cell,
    /// The row was too long: it is passed over up to its end.
    skipping: bool,
    /// The row ended with CR: LF may follow and belongs to it.
    after_cr: bool,
}

/// What a row ends with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Lf,
    Cr,
}

impl Cutter {
    /// Begins at `line` of the delivery.
    pub(crate) fn new(framing: Framing, block_rows: usize, line: u64) -> Self {
        let block = Block::default();
        Self {
            framing,
            block_rows: block_rows.max(1),
            block,
            start: 0,
            began: line,
            line,
            cell: Cell::Start,
            skipping: false,
            after_cr: false,
        }
    }

    /// Whether [`Cutter::take`] should be called before more is pushed.
    pub(crate) fn is_full(&self) -> bool {
        self.block.rows.len() + self.block.refusals.len() >= self.block_rows || self.block.bytes.len() >= BLOCK_BYTES + ROW_LIMIT
    }

    /// Reads until the block is full; returns how much of `input` was read.
    pub(crate) fn push(&mut self, input: &[u8]) -> usize {
        let mut read = 0;
        while read < input.len() && !self.is_full() {
            if std::mem::take(&mut self.after_cr) && input[read] == b'\n' {
                read += 1;
                continue;
            }
            let rest = &input[read..];
            // one byte more than a row may have is enough to know that it has too many
            let room = if self.skipping { rest.len() } else { ROW_LIMIT + 1 - (self.block.bytes.len() - self.start) };
            let (length, end) = self.scan(&rest[..rest.len().min(room)]);
            read += length;
            if !self.skipping {
                self.block.bytes.extend_from_slice(&rest[..length]);
            }
            if let Some(end) = end {
                if end == End::Cr {
                    self.after_cr = true;
                    // whoever reads the rows knows one line break only
                    if let Some(last) = self.block.bytes.last_mut().filter(|_| !self.skipping) {
                        *last = b'\n';
                    }
                }
                self.end_row();
            } else if !self.skipping && self.block.bytes.len() - self.start > ROW_LIMIT {
                self.block.bytes.truncate(self.start);
                self.skipping = true;
            }
        }
        read
    }

    /// How many bytes belong to the row, and with what it ends.
    fn scan(&mut self, input: &[u8]) -> (usize, Option<End>) {
        let delimiter = match self.framing {
            Framing::Csv { delimiter } if !self.skipping => delimiter,
            // a quote that was never closed ends with the row that it made too long
            Framing::Csv { .. } => return ended(input, input.iter().position(|byte| matches!(byte, b'\n' | b'\r'))),
            Framing::Lines => return ended(input, input.iter().position(|byte| *byte == b'\n')),
        };
        for (at, byte) in input.iter().copied().enumerate() {
            self.cell = match (self.cell, byte) {
                (Cell::Start, b'"') | (Cell::QuoteInQuotes, b'"') => Cell::Quoted,
                (Cell::Quoted | Cell::QuotedCr, b'"') => Cell::QuoteInQuotes,
                (Cell::QuotedCr, b'\n') => Cell::Quoted,
                (Cell::Quoted, b'\n') => {
                    self.line += 1;
                    Cell::Quoted
                }
                (Cell::Quoted | Cell::QuotedCr, b'\r') => {
                    self.line += 1;
                    Cell::QuotedCr
                }
                (Cell::Quoted | Cell::QuotedCr, _) => Cell::Quoted,
                (_, b'\n') => return (at + 1, Some(End::Lf)),
                (_, b'\r') => return (at + 1, Some(End::Cr)),
                (_, byte) if byte == delimiter => Cell::Start,
                _ => Cell::Plain,
            };
        }
        (input.len(), None)
    }

    fn end_row(&mut self) {
        let (start, end) = (self.start, self.block.bytes.len());
        if self.skipping {
            self.block.refusals.push(Refusal::of(self.began, reason::too_long(), Vec::new()));
        } else if self.block.bytes[start..].iter().all(u8::is_ascii_whitespace) {
            self.block.bytes.truncate(start);
        } else {
            self.block.rows.push(Row { start, end, line: self.began });
        }
        self.skipping = false;
        self.cell = Cell::Start;
        self.line += 1;
        self.began = self.line;
        self.start = self.block.bytes.len();
    }

    /// The whole rows read so far.
    pub(crate) fn take(&mut self) -> Block {
        let rest = self.block.bytes.split_off(self.start);
        self.start = 0;
        // the next block will be about as long as this one
        let mut bytes = Vec::with_capacity(self.block.bytes.capacity());
        bytes.extend_from_slice(&rest);
        std::mem::replace(&mut self.block, Block { bytes, rows: Vec::new(), refusals: Vec::new() })
    }

    /// No more will come. What stands after the last line break is a row, unless the transfer broke off in it.
    pub(crate) fn finish(&mut self, broken_off: bool) {
        let rest = &self.block.bytes[self.start..];
        if self.skipping || rest.iter().all(u8::is_ascii_whitespace) {
            if self.skipping {
                self.end_row();
            }
        } else if broken_off {
            let refusal = Refusal::of(self.began, reason::broken_off(), rest.to_vec());
            self.block.bytes.truncate(self.start);
            self.block.refusals.push(refusal);
        } else {
            self.block.bytes.push(b'\n');
            self.end_row();
        }
    }
}

/// A row that ends at this byte, or goes on.
fn ended(input: &[u8], at: Option<usize>) -> (usize, Option<End>) {
    match at {
        Some(at) => (at + 1, Some(if input[at] == b'\r' { End::Cr } else { End::Lf })),
        None => (input.len(), None),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    const CSV: Framing = Framing::Csv { delimiter: b',' };

    /// The rows and refusals of a text that arrives in pieces of this many bytes.
    fn cut(framing: Framing, text: &[u8], piece: usize, broken_off: bool) -> (Vec<(u64, String)>, Vec<u64>) {
        let mut cutter = Cutter::new(framing, 3, 1);
        let (mut rows, mut refused) = (Vec::new(), Vec::new());
        let mut note = |block: Block| {
            rows.extend(block.rows.iter().map(|row| (row.line, String::from_utf8_lossy(block.row(*row)).into_owned())));
            refused.extend(block.refusals.iter().map(|refusal| refusal.line));
        };
        for mut piece in text.chunks(piece) {
            while !piece.is_empty() {
                let read = cutter.push(piece);
                piece = &piece[read..];
                if cutter.is_full() {
                    note(cutter.take());
                }
            }
        }
        cutter.finish(broken_off);
        note(cutter.take());
        (rows, refused)
    }

    fn rows(rows: &[(u64, &str)]) -> Vec<(u64, String)> {
        rows.iter().map(|(line, row)| (*line, (*row).to_owned())).collect()
    }

    #[rstest]
    #[case::lines(Framing::Lines, "a\nb\r\nc", &[(1, "a"), (2, "b"), (3, "c")])]
    #[case::blank_lines_count(Framing::Lines, "a\n\n \r\nb\n", &[(1, "a"), (4, "b")])]
    #[case::a_quote_is_nothing_in_lines(Framing::Lines, "\"a\nb\"\n", &[(1, "\"a"), (2, "b\"")])]
    #[case::a_line_break_in_quotes(CSV, "x,\"1\n2\"\ny,3\n", &[(1, "x,\"1\n2\""), (3, "y,3")])]
    #[case::an_escaped_quote(CSV, "\"1\"\"\n2\",x\ny\n", &[(1, "\"1\"\"\n2\",x"), (3, "y")])]
    #[case::a_quote_within_a_plain_cell(CSV, "5\" pipe\nx\n", &[(1, "5\" pipe"), (2, "x")])]
    #[case::cr(CSV, "a\rb\r\rc", &[(1, "a"), (2, "b"), (4, "c")])]
    #[case::crlf(CSV, "a\r\nb\r\n\r\nc", &[(1, "a"), (2, "b"), (4, "c")])]
    #[case::line_breaks_in_quotes_count_once(CSV, "x,\"1\r\n2\r3\n4\"\r\ny", &[(1, "x,\"1\r\n2\r3\n4\""), (5, "y")])]
    #[case::more_rows_than_a_block_holds(Framing::Lines, "1\n2\n3\n4\n5\n", &[(1, "1"), (2, "2"), (3, "3"), (4, "4"), (5, "5")])]
    fn rows_are_the_same_however_the_bytes_arrive(#[case] framing: Framing, #[case] text: &str, #[case] expected: &[(u64, &str)]) {
        for piece in 1..=text.len() {
            assert_eq!(cut(framing, text.as_bytes(), piece, false), (rows(expected), vec![]), "in pieces of {piece}");
        }
    }

    #[test]
    fn a_row_of_ten_megabytes_is_passed_over_without_being_held() {
        let mut cutter = Cutter::new(Framing::Lines, 10, 1);
        let piece = vec![b'x'; 64 * 1024];
        for _ in 0..160 {
            assert_eq!(cutter.push(&piece), piece.len());
            assert!(cutter.block.bytes.capacity() < 4 * ROW_LIMIT);
        }
        cutter.push(b"\ngood\n");
        let block = cutter.take();
        assert_eq!(
            block.refusals.iter().map(|refusal| (refusal.line, refusal.faults[0].clone())).collect::<Vec<_>>(),
            [(1, reason::too_long())]
        );
        assert_eq!((block.rows[0].line, block.row(block.rows[0])), (2, &b"good"[..]));
    }

    #[test]
    fn a_row_of_exactly_the_limit_is_kept() {
        let mut text = vec![b'x'; ROW_LIMIT];
        text.push(b'\n');
        let fate = |text: &[u8]| {
            let (rows, refused) = cut(Framing::Lines, text, 1_000, false);
            (rows.len(), refused)
        };
        assert_eq!(fate(&text), (1, vec![]));
        text.insert(0, b'x');
        assert_eq!(fate(&text), (0, vec![1]));
    }

    #[test]
    fn after_a_quote_that_is_never_closed_reading_goes_on_past_the_limit() {
        let mut text = b"\"open\n".to_vec();
        text.extend(b"lost\n".repeat(ROW_LIMIT / 5 + 1));
        text.extend(b"found\n");
        let (rows, refused) = cut(CSV, &text, 10_000, false);
        assert_eq!(refused, [1]);
        assert_eq!(rows.last().map(|(line, row)| (*line, row.as_str())), Some((ROW_LIMIT as u64 / 5 + 3, "found")));
    }

    #[test]
    fn a_row_in_which_the_transfer_broke_off_is_refused() {
        assert_eq!(cut(Framing::Lines, b"a\nb", 10, true), (rows(&[(1, "a")]), vec![2]));
        assert_eq!(cut(Framing::Lines, b"a\n", 10, true), (rows(&[(1, "a")]), vec![]));
    }

    proptest! {
        #[test]
        fn no_bytes_make_the_cutter_panic_and_no_row_is_lost(
            bytes in prop::collection::vec(prop_oneof![Just(b'\n'), Just(b'"'), Just(b','), any::<u8>()], 0..500),
            piece in 1..50_usize,
        ) {
            let (rows, _) = cut(CSV, &bytes, piece, false);
            prop_assert_eq!(&rows, &cut(CSV, &bytes, 1_000, false).0);
            let lines = cut(Framing::Lines, &bytes, piece, false).0;
            let expected = bytes.split(|byte| *byte == b'\n').filter(|line| !line.trim_ascii().is_empty()).count();
            prop_assert_eq!(lines.len(), expected);
        }
    }
}
