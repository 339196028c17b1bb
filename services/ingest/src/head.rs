//! Where the table of a list begins: its header row, under a separator hint, blank rows and titles.
//!
//! The header is the first row that names what a record needs. What stands above it can be titles only if no row there has as many filled
//! cells as a record needs: else it may be a table of its own, and the whole is refused with the place of its first fault. A header is one
//! row by its quotes, however many lines it has.

use csv::{ByteRecord, ReaderBuilder};
use domain::list::ColumnNames;

use crate::columns::{Columns, HeaderFault};
use crate::encoding::Encoding;
use crate::reason::{self, ROW_LIMIT};

/// So many rows may stand above the header.
const TITLES: usize = 10;
/// A record has this many cells at least: its id, kind, time, subject and level.
const CELLS_OF_A_RECORD: usize = 5;
/// So much is looked at for the header.
pub(crate) const LOOKED_AT: usize = 2 * ROW_LIMIT;

const DELIMITERS: [u8; 3] = [b',', b';', b'\t'];

/// The head of a list.
#[derive(Debug)]
pub(crate) struct Head {
    pub columns: Columns,
    /// How many bytes it has, and on which line the rows begin.
    pub bytes: usize,
    pub next_line: u64,
    /// The encoding, where the header tells.
    pub encoding: Option<Encoding>,
}

/// Looks for a header row by row, whatever the rows come out of.
#[derive(Debug)]
pub(crate) struct Search<'n> {
    names: &'n ColumnNames,
    seen: usize,
    fault: Option<HeaderFault>,
}

impl<'n> Search<'n> {
    /// For a header in names that are known.
    pub(crate) fn by(names: &'n ColumnNames) -> Self {
        Self { names, seen: 0, fault: None }
    }

    /// Looks at the cells of the next row that has any; tells the columns if they are a header.
    ///
    /// # Errors
    /// When there can be no header any more: the fault of the row that looked most like one.
    pub(crate) fn look(&mut self, line: u64, cells: Vec<String>, delimiter: u8) -> Result<Option<Columns>, HeaderFault> {
        let filled = cells.iter().filter(|cell| !cell.trim().is_empty()).count();
        if filled == 0 {
            return Ok(None);
        }
        match Columns::of_names(cells, delimiter, self.names) {
            Ok(columns) => return Ok(Some(columns)),
            Err(fault) => {
                let fault = fault.on_line(line);
                if self.fault.as_ref().is_none_or(|known| known.known_columns < fault.known_columns) {
                    self.fault = Some(fault);
                }
            }
        }
        self.seen += 1;
        if self.seen > TITLES || filled >= CELLS_OF_A_RECORD { Err(self.fault()) } else { Ok(None) }
    }

    /// Why there is no header.
    pub(crate) fn fault(&mut self) -> HeaderFault {
        self.fault.take().unwrap_or_else(|| HeaderFault::of_row(1, reason::no_header()))
    }
}

/// Looks for the head of a list that begins so. None: more of it is needed, which there is unless it `ended`.
///
/// # Errors
/// When it has no header that can be used.
pub(crate) fn find(start: &[u8], ended: bool, names: &ColumnNames) -> Result<Option<Head>, HeaderFault> {
    let mut search = Search::by(names);
    let (mut at, mut line) = (0, 1);
    let mut hint = None;
    while at < start.len() {
        let Some(row) = LogicalRow::of(&start[at..], ended, hint) else {
            return if start.len() > LOOKED_AT { Err(HeaderFault::of_row(line, reason::too_long())) } else { Ok(None) };
        };
        let raw = &start[at..at + row.length];
        let (began, next_line) = (line, line + row.lines);
        (at, line) = (at + row.bytes, next_line);
        if began == 1
            && let Some(delimiter) = separator_hint(raw)
        {
            hint = Some(delimiter);
            continue;
        }
        if raw.trim_ascii().is_empty() {
            continue;
        }
        let (encoding, text) = match (Encoding::Utf8.text(raw), Encoding::Gb18030.text(raw)) {
            (Some(text), _) => (Encoding::Utf8, text),
            (None, Some(text)) => (Encoding::Gb18030, text),
            (None, None) => return Err(HeaderFault::of_row(began, reason::encoding())),
        };
        let delimiter = hint.unwrap_or_else(|| delimiter(&text));
        if let Some(columns) = search.look(began, cells(&text, delimiter), delimiter)? {
            // a name that is known is one in its own encoding only
            let encoding = (!raw.is_ascii()).then_some(encoding);
            return Ok(Some(Head { columns, bytes: at, next_line, encoding }));
        }
    }
    // a list does not begin with half a megabyte of blank rows
    if ended || start.len() > LOOKED_AT { Err(search.fault()) } else { Ok(None) }
}

/// A row with the line breaks in its quotes.
struct LogicalRow {
    /// Its bytes without and with the row end.
    length: usize,
    bytes: usize,
    lines: u64,
}

impl LogicalRow {
    /// The row with which the text begins; none if its end is not there yet.
    fn of(text: &[u8], ended: bool, hint: Option<u8>) -> Option<Self> {
        let mut lines = 1;
        let (mut quoted, mut cell_begins) = (false, true);
        let mut at = 0;
        while at < text.len() {
            let byte = text[at];
            let crlf = byte == b'\r' && text.get(at + 1) == Some(&b'\n');
            match byte {
                b'"' if quoted || cell_begins => quoted = !quoted,
                // a quote that is written twice ends and begins again
                b'"' if at > 0 && text[at - 1] == b'"' => quoted = true,
                b'\n' | b'\r' if quoted => lines += 1,
                // LF may come with the next piece
                b'\r' if at + 1 == text.len() && !ended => return None,
                b'\n' | b'\r' => return Some(Self { length: at, bytes: at + 1 + usize::from(crlf), lines }),
                _ => {}
            }
            cell_begins = !quoted && (DELIMITERS.contains(&byte) || Some(byte) == hint);
            at += 1 + usize::from(crlf);
        }
        ended.then_some(Self { length: text.len(), bytes: text.len(), lines })
    }
}

/// What separates cells, by a first line such as `sep=;`, which spreadsheets write and read.
fn separator_hint(row: &[u8]) -> Option<u8> {
    let row = row.trim_ascii_start();
    let row = row.strip_prefix(b"\"").map_or(row, |row| row.strip_suffix(b"\"").unwrap_or(row));
    match row {
        [b's' | b'S', b'e' | b'E', b'p' | b'P', b'=', delimiter]
            if !delimiter.is_ascii_alphanumeric() && delimiter.is_ascii() && *delimiter != b'"' =>
        {
            Some(*delimiter)
        }
        _ => None,
    }
}

/// What separates the cells: whatever stands most often outside quotes.
fn delimiter(header: &str) -> u8 {
    let mut quoted = false;
    let mut counts = [0_usize; DELIMITERS.len()];
    for byte in header.bytes() {
        quoted ^= byte == b'"';
        if let Some(at) = DELIMITERS.iter().position(|delimiter| *delimiter == byte && !quoted) {
            counts[at] += 1;
        }
    }
    // the first one wins where they are equal
    (0..DELIMITERS.len()).rev().max_by_key(|at| counts[*at]).map_or(b',', |at| DELIMITERS[at])
}

fn cells(row: &str, delimiter: u8) -> Vec<String> {
    let mut cells = ByteRecord::new();
    let mut reader = ReaderBuilder::new().has_headers(false).delimiter(delimiter).from_reader(row.as_bytes());
    match reader.read_byte_record(&mut cells) {
        Ok(true) => cells.iter().map(|cell| String::from_utf8_lossy(cell).into_owned()).collect(),
        // of bytes in memory only an empty row has no cells
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use encoding_rs::GB18030;
    use rstest::rstest;

    use super::*;

    const HEADER: &str = "source_id,kind,occurred_at,phone,level";

    fn found(text: &[u8]) -> Head {
        let head = find(text, true, ColumnNames::shipped()).expect("a header").expect("all of it is there");
        for end in 0..head.bytes {
            // as long as its row end is missing, it may go on
            assert!(matches!(find(&text[..end], false, ColumnNames::shipped()), Ok(None) | Ok(Some(_))), "cut at {end}");
        }
        head
    }

    #[rstest]
    #[case::comma(HEADER, b',', 2)]
    #[case::semicolon("source_id;kind;occurred_at;phone;level", b';', 2)]
    #[case::tab("source_id\tkind\toccurred_at\tphone\tlevel\r\n", b'\t', 2)]
    #[case::comma_within_quotes("\"source_id\";\"kind\";occurred_at;phone;level", b';', 2)]
    #[case::spaces_and_capitals(" Source_ID , KIND,Occurred_At,Phone,Level,,", b',', 2)]
    #[case::chinese("来源编号,类别,发生时间,手机号,风险等级\n", b',', 2)]
    #[case::cr("source_id,kind,occurred_at,phone,level\rx", b',', 2)]
    #[case::line_break_in_a_cell("source_id,kind,occurred_at,phone,\"level\n\"\r\nx", b',', 3)]
    #[case::hint("sep=;\nsource_id;kind;occurred_at;phone;level\n", b';', 3)]
    #[case::hint_for_another_separator("\"sep=|\"\r\nsource_id|kind|occurred_at|phone|level\r\n", b'|', 3)]
    #[case::blank_rows("\n\r\n,,,\nsource_id,kind,occurred_at,phone,level\n", b',', 5)]
    #[case::title("密切接触者名单,,,,\n填报单位：市疾控中心,,,2026年11月,\n来源编号,类别,发生时间,手机号,风险等级\n", b',', 4)]
    #[case::quote_in_a_title("5\" 名单\nsource_id,kind,occurred_at,phone,level\n", b',', 3)]
    fn a_header_of_a_spreadsheet_is_found(#[case] text: &str, #[case] delimiter: u8, #[case] next_line: u64) {
        let head = found(text.as_bytes());
        assert_eq!((head.columns.delimiter(), head.next_line), (delimiter, next_line));
    }

    #[test]
    fn a_header_with_chinese_names_tells_the_encoding() {
        let header = "来源编号,类别,发生时间,手机号,风险等级\n";
        assert_eq!(found(header.as_bytes()).encoding, Some(Encoding::Utf8));
        assert_eq!(found(&GB18030.encode(header).0).encoding, Some(Encoding::Gb18030));
        assert_eq!(found(HEADER.as_bytes()).encoding, None);
    }

    #[rstest]
    #[case::no_level("source_id,kind,occurred_at,phone", 1, "level")]
    #[case::no_subject("source_id,kind,occurred_at,level", 1, "subject")]
    #[case::twice("source_id,kind,occurred_at,phone,level,kind", 1, "column 6")]
    #[case::twice_by_two_names("source_id,kind,occurred_at,phone,level,手机号", 1, "column 6")]
    #[case::attribute_twice("source_id,kind,occurred_at,phone,level,hotel,attributes.hotel", 1, "column 7")]
    #[case::no_name("source_id,kind,occurred_at,phone,level,幸福指数", 1, "column 6")]
    #[case::two_lines_in_a_name("source_id,kind,occurred_at,phone,level,district,\"note\n(free text)\"\n", 1, "column 7")]
    #[case::under_a_title("名单\nsource_id,kind,occurred_at,phone,level,幸福指数\n", 2, "column 6")]
    #[case::no_header("a-1,case,2026-11-02 08:00,13800005678,high", 1, "row")]
    #[case::nothing("", 1, "row")]
    #[case::a_letter("Dear all,\nhere is the list.\n", 1, "row")]
    fn a_header_that_cannot_be_used_says_where(#[case] text: &str, #[case] line: u64, #[case] field: &str) {
        let fault = find(text.as_bytes(), true, ColumnNames::shipped()).expect_err("the header is wrong");
        assert_eq!((fault.line, fault.field().as_str()), (line, field), "{fault:?}");
    }

    #[test]
    fn a_name_that_nobody_knows_is_shown_as_it_is_written_unless_it_may_be_somebodys_number() {
        let shown = |name: &str| format!("{:?}", find(format!("{HEADER},{name}\n").as_bytes(), true, ColumnNames::shipped()).unwrap_err());
        assert!(shown("幸福指数").contains("幸福指数"));
        assert!(!shown("13800005678x").contains("13800005678"));
    }

    #[test]
    fn what_never_ends_is_given_up() {
        let endless = [b"\"".as_slice(), &vec![b'x'; LOOKED_AT + 1]].concat();
        assert!(find(&endless[..1_000], false, ColumnNames::shipped()).unwrap().is_none());
        assert!(find(&endless, false, ColumnNames::shipped()).is_err());
        assert!(find(&b"\n".repeat(LOOKED_AT + 1), false, ColumnNames::shipped()).is_err());
    }
}
