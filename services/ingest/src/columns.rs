//! The header row of a CSV file, and its rows as [`Fields`].
//!
//! What spreadsheets write is read: a byte order mark, commas, semicolons or tabs, quoted cells, empty columns at the end. A
//! column whose name is no field of a record is an attribute, with or without `attributes.` before it. A cell has no type,
//! so `true`, `false` and plain numbers become what they look like, and `007` stays a text.

use std::borrow::Cow;
use std::collections::HashSet;

use csv::{ByteRecord, ReaderBuilder, Terminator, Writer, WriterBuilder};
use domain::risk_record::is_attribute_name;
use platform::http::FieldFault;

use crate::fields::{Fields, Scalar};
use crate::framing::{Block, Row};
use crate::{Error, reason};

/// Columns that we added when we gave refused rows back.
pub(crate) const REFUSED: [&str; 3] = ["refused_line", "refused_field", "refused_reason"];

const DELIMITERS: [u8; 3] = [b',', b';', b'\t'];

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Own {
    SourceId,
    Kind,
    Origin,
    OccurredAt,
    Phone,
    IdentityNumber,
    ResidentNo,
    Place,
    Level,
    District,
    Township,
    Community,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Column {
    Own(Own),
    Attribute(String),
    /// Without a name, or added by us.
    Ignored,
}

/// What the cells of a row mean.
#[derive(Clone, Debug)]
pub(crate) struct Columns {
    columns: Vec<Column>,
    names: Vec<String>,
    delimiter: u8,
}

impl Columns {
    /// Reads the header row.
    pub(crate) fn of_header(row: &[u8]) -> Result<Self, Error> {
        let text = std::str::from_utf8(row).map_err(|_| Error::NotUtf8)?;
        let delimiter = delimiter(text);
        let mut header = ByteRecord::new();
        ReaderBuilder::new()
            .has_headers(false)
            .delimiter(delimiter)
            .from_reader(row)
            .read_byte_record(&mut header)
            .map_err(|_| Error::Header(reason::not_utf8()))?;
        let names: Vec<String> = header.iter().map(|cell| String::from_utf8_lossy(cell).trim().to_ascii_lowercase()).collect();
        Self::of_names(names, delimiter)
    }

    /// The columns of a file whose header was kept.
    pub(crate) fn of_names(names: Vec<String>, delimiter: u8) -> Result<Self, Error> {
        let columns = names.iter().enumerate().map(|(at, name)| column(at, name)).collect::<Result<Vec<_>, _>>().map_err(Error::Header)?;
        let mut seen = HashSet::new();
        for (name, column) in names.iter().zip(&columns) {
            if *column != Column::Ignored && !seen.insert(column) {
                return Err(Error::Header(reason::twice(name)));
            }
        }
        for (name, own) in [("source_id", Own::SourceId), ("kind", Own::Kind), ("occurred_at", Own::OccurredAt), ("level", Own::Level)] {
            if !seen.contains(&Column::Own(own)) {
                return Err(Error::Header(reason::missing(name)));
            }
        }
        let subjects = [Own::Phone, Own::IdentityNumber, Own::ResidentNo, Own::Place];
        if !subjects.into_iter().any(|own| seen.contains(&Column::Own(own))) {
            return Err(Error::Header(reason::one_subject()));
        }
        Ok(Self { columns, names, delimiter })
    }

    pub(crate) fn delimiter(&self) -> u8 {
        self.delimiter
    }

    pub(crate) fn names(&self) -> &[String] {
        &self.names
    }

    /// Calls `each` with every row of the block, in order. Rows whose cells are all empty are none.
    pub(crate) fn read(&self, block: &Block, mut each: impl FnMut(Row, Result<Fields<'_>, FieldFault>)) {
        let mut reader = self.reader(&block.bytes);
        let mut cells = ByteRecord::new();
        for row in &block.rows {
            if !matches!(reader.read_byte_record(&mut cells), Ok(true)) {
                each(*row, Err(reason::cut_short()));
            } else if !cells.iter().all(|cell| cell.trim_ascii().is_empty()) {
                each(*row, self.fields(&cells));
            }
        }
    }

    /// The same cells with more behind them, as a row of a file. A row with too few cells is filled up.
    pub(crate) fn extended(&self, row: &[u8], more: [&str; 3]) -> Vec<u8> {
        let mut cells = ByteRecord::new();
        // what cannot be taken apart is given back in its first cell
        if !matches!(self.reader(row).read_byte_record(&mut cells), Ok(true)) {
            cells = ByteRecord::from(vec![row]);
        }
        let text: Vec<Cow<'_, str>> = cells.iter().map(String::from_utf8_lossy).collect();
        let kept = self.kept();
        let own = kept.iter().map(|at| text.get(*at).map_or("", |cell| cell.trim_end_matches('\r')));
        let surplus = text.iter().skip(self.columns.len()).map(|cell| cell.as_ref()).filter(|cell| !cell.trim().is_empty());
        self.line(own.chain(more).chain(surplus))
    }

    /// The header row of a file of refused rows.
    pub(crate) fn extended_header(&self) -> Vec<u8> {
        self.line(self.kept().into_iter().map(|at| self.names[at].as_str()).chain(REFUSED))
    }

    /// The columns that are given back: all but those we added before.
    fn kept(&self) -> Vec<usize> {
        (0..self.columns.len()).filter(|at| !REFUSED.contains(&self.names[*at].as_str())).collect()
    }

    fn line<'c>(&self, cells: impl Iterator<Item = &'c str>) -> Vec<u8> {
        let mut writer: Writer<Vec<u8>> = WriterBuilder::new().delimiter(self.delimiter).flexible(true).from_writer(Vec::new());
        // writing to memory does not fail, and an unfinished line would only lack its end
        writer.write_record(cells.map(str::as_bytes)).ok();
        writer.into_inner().unwrap_or_default()
    }

    fn reader<'b>(&self, bytes: &'b [u8]) -> csv::Reader<&'b [u8]> {
        ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .delimiter(self.delimiter)
            .terminator(Terminator::Any(b'\n'))
            .from_reader(bytes)
    }

    fn fields<'r>(&self, cells: &'r ByteRecord) -> Result<Fields<'r>, FieldFault> {
        let surplus = cells.iter().skip(self.columns.len()).any(|cell| !cell.trim_ascii().is_empty());
        if cells.len() < self.columns.len() || surplus {
            return Err(reason::cells(self.columns.len()));
        }
        let mut fields = Fields::default();
        for (column, cell) in self.columns.iter().zip(cells) {
            let text = std::str::from_utf8(cell).map_err(|_| reason::not_utf8())?.trim();
            if text.is_empty() {
                continue;
            }
            match column {
                Column::Own(own) => *slot(&mut fields, *own) = Scalar::Text(Cow::Borrowed(text)),
                Column::Attribute(name) => fields.attributes.push((Cow::Owned(name.clone()), typed(text))),
                Column::Ignored => {}
            }
        }
        Ok(fields)
    }
}

fn slot<'f, 'a>(fields: &'f mut Fields<'a>, own: Own) -> &'f mut Scalar<'a> {
    match own {
        Own::SourceId => &mut fields.source_id,
        Own::Kind => &mut fields.kind,
        Own::Origin => &mut fields.origin,
        Own::OccurredAt => &mut fields.occurred_at,
        Own::Phone => &mut fields.phone,
        Own::IdentityNumber => &mut fields.identity_number,
        Own::ResidentNo => &mut fields.resident_no,
        Own::Place => &mut fields.place,
        Own::Level => &mut fields.level,
        Own::District => &mut fields.district,
        Own::Township => &mut fields.township,
        Own::Community => &mut fields.community,
    }
}

fn column(at: usize, name: &str) -> Result<Column, FieldFault> {
    let own = match name.strip_prefix("subject.").unwrap_or(name) {
        "phone" => Own::Phone,
        "identity_number" => Own::IdentityNumber,
        "resident_no" => Own::ResidentNo,
        "place" => Own::Place,
        _ => match name {
            "source_id" => Own::SourceId,
            "kind" => Own::Kind,
            "origin" => Own::Origin,
            "occurred_at" => Own::OccurredAt,
            "level" => Own::Level,
            "district" => Own::District,
            "township" => Own::Township,
            "community" => Own::Community,
            "" => return Ok(Column::Ignored),
            name if REFUSED.contains(&name) => return Ok(Column::Ignored),
            name => {
                let attribute = name.strip_prefix("attributes.").unwrap_or(name);
                if is_attribute_name(attribute) {
                    return Ok(Column::Attribute(attribute.to_owned()));
                }
                let number = at + 1;
                return Err(FieldFault::new(
                    format!("column {number}"),
                    "列名应为字段名，或小写字母、数字和下划线组成的属性名",
                    "must be named like a field, or an attribute of a-z, 0-9 and _",
                ));
            }
        },
    };
    Ok(Column::Own(own))
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

/// What a cell looks like.
fn typed(text: &str) -> Scalar<'_> {
    /// More digits than a float keeps are a number that somebody wrote down, not one to count with.
    const DIGITS: usize = 15;
    match text {
        "true" | "TRUE" => return Scalar::Bool(true),
        "false" | "FALSE" => return Scalar::Bool(false),
        _ => {}
    }
    let magnitude = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = magnitude.split_once('.').unwrap_or((magnitude, "0"));
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let plain = digits(whole) && digits(fraction) && (whole == "0" || !whole.starts_with('0')) && magnitude.len() <= DIGITS;
    match text.parse() {
        Ok(number) if plain => Scalar::Number(number),
        _ => Scalar::Text(Cow::Borrowed(text)),
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    const HEADER: &str = "source_id,kind,occurred_at,phone,level";

    #[rstest]
    #[case::comma(HEADER, b',')]
    #[case::semicolon("source_id;kind;occurred_at;phone;level", b';')]
    #[case::tab("source_id\tkind\toccurred_at\tphone\tlevel\r\n", b'\t')]
    #[case::comma_within_quotes("\"source_id\";\"kind\";occurred_at;phone;level", b';')]
    #[case::spaces_and_capitals(" Source_ID , KIND,Occurred_At,Phone,Level,,", b',')]
    fn a_header_of_a_spreadsheet_is_read(#[case] header: &str, #[case] delimiter: u8) {
        assert_eq!(Columns::of_header(header.as_bytes()).unwrap().delimiter(), delimiter);
    }

    #[rstest]
    #[case::no_level("source_id,kind,occurred_at,phone", "level")]
    #[case::no_subject("source_id,kind,occurred_at,level", "subject")]
    #[case::twice("source_id,kind,occurred_at,phone,level,kind", "kind")]
    #[case::twice_by_two_names("source_id,kind,occurred_at,phone,level,subject.phone", "subject.phone")]
    #[case::attribute_twice("source_id,kind,occurred_at,phone,level,hotel,attributes.hotel", "attributes.hotel")]
    #[case::no_name("source_id,kind,occurred_at,phone,level,隔离地点", "column 6")]
    #[case::no_header("a-1,case,2026-11-02 08:00,13800005678,high", "column 1")]
    fn a_header_that_cannot_be_used_says_where(#[case] header: &str, #[case] field: &str) {
        let Err(Error::Header(fault)) = Columns::of_header(header.as_bytes()) else { panic!("the header is wrong") };
        assert_eq!(fault.field, field);
    }

    #[rstest]
    #[case("7", Scalar::Number(7.0))]
    #[case("-0.5", Scalar::Number(-0.5))]
    #[case("0", Scalar::Number(0.0))]
    #[case("true", Scalar::Bool(true))]
    #[case("007", Scalar::Text("007".into()))]
    #[case("1e5", Scalar::Text("1e5".into()))]
    #[case("inf", Scalar::Text("inf".into()))]
    #[case("渝州宾馆", Scalar::Text("渝州宾馆".into()))]
    #[case("12345678901234567890", Scalar::Text("12345678901234567890".into()))]
    fn a_cell_becomes_what_it_looks_like(#[case] text: &str, #[case] value: Scalar<'static>) {
        assert_eq!(typed(text), value);
    }

    #[test]
    fn a_refused_row_is_given_back_with_its_cells_in_their_columns() {
        let columns = Columns::of_header(format!("{HEADER},refused_line,refused_field,refused_reason").as_bytes()).unwrap();
        assert_eq!(columns.extended_header(), b"source_id,kind,occurred_at,phone,level,refused_line,refused_field,refused_reason\n");
        let row = columns.extended("a-1,\"ca,se\",,1".as_bytes(), ["7", "row", "x"]);
        assert_eq!(row, b"a-1,\"ca,se\",,1,,7,row,x\n");
    }
}
