//! The header row of a list, and its rows as [`Fields`].
//!
//! A column whose name is no field of a record is an attribute, with or without `attributes.` before it. A cell has no type of its own, so
//! what stands in a list is text in every row: `12`, `012`, `12A` and `1.10` stay what they are. Conditions read it as what they compare it
//! with ([`domain::condition`]).

use std::borrow::Cow;
use std::collections::HashSet;

use csv::{ByteRecord, ReaderBuilder, Terminator, Writer, WriterBuilder};
use domain::list::{self, ColumnMeaning, ColumnNames, RecordField};
use platform::http::FieldFault;

use crate::fields::{Fields, SUBJECTS, Scalar, is_of_subject};
use crate::framing::{Block, Row};
use crate::reason;

/// Columns that we added when we gave refused rows back.
pub(crate) const REFUSED: [&str; 3] = ["refused_line", "refused_field", "refused_reason"];

/// What the cells of a row mean.
#[derive(Clone, Debug)]
pub(crate) struct Columns {
    columns: Vec<ColumnMeaning>,
    names: Vec<String>,
    delimiter: u8,
}

/// Why a row is no header, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeaderFault {
    /// Its line, from 1.
    pub line: u64,
    /// The column that is wrong, from 1; none for what is missing.
    pub column: Option<usize>,
    /// What is wrong.
    pub fault: FieldFault,
    /// How many of its cells are names of fields: the row of several that has most was meant as the header.
    pub(crate) known_columns: usize,
    /// Its cells, each with what it means as far as that is known.
    pub(crate) read: Box<[(String, Option<ColumnMeaning>)]>,
}

impl HeaderFault {
    /// A fault of a whole row.
    pub(crate) fn of_row(line: u64, fault: FieldFault) -> Self {
        Self { line, column: None, fault, known_columns: 0, read: Box::default() }
    }

    pub(crate) fn on_line(self, line: u64) -> Self {
        Self { line, ..self }
    }

    /// The field as a path.
    pub(crate) fn field(&self) -> String {
        self.column.map_or_else(|| self.fault.field.clone(), |column| format!("column {column}"))
    }
}

impl Columns {
    /// Reads a header of these names.
    ///
    /// # Errors
    /// When it lacks what a record needs, or has a column that means nothing.
    pub(crate) fn of_names(names: Vec<String>, delimiter: u8, known: &ColumnNames) -> Result<Self, HeaderFault> {
        let names: Vec<String> = names.iter().map(|name| list::written(name.trim()).to_owned()).collect();
        let meanings = known.meanings(&names);
        let known_columns = meanings.iter().flatten().filter(|meaning| matches!(meaning, ColumnMeaning::Field(_))).count();
        let wrong = |column: Option<usize>, fault| {
            // a list without a header has somebody's data in its first row
            let shown: &[String] = if known_columns == 0 { &[] } else { &names };
            let read = shown.iter().map(|name| reason::shown_name(name)).zip(known.meanings(shown)).collect();
            HeaderFault { line: 1, column: column.map(|at| at + 1), fault, known_columns, read }
        };
        if known_columns == 0 {
            return Err(wrong(None, reason::no_header()));
        }
        let mut columns = Vec::with_capacity(names.len());
        let mut seen = HashSet::new();
        for (at, (name, meaning)) in names.iter().zip(meanings).enumerate() {
            let meaning = if is_ours(name) { Some(ColumnMeaning::PassedOver) } else { meaning };
            let meaning = meaning.ok_or_else(|| wrong(Some(at), reason::unknown_column(name)))?;
            if meaning != ColumnMeaning::PassedOver && !seen.insert(meaning.clone()) {
                return Err(wrong(Some(at), reason::column_twice(name)));
            }
            columns.push(meaning);
        }
        let has = |field: RecordField| seen.contains(&ColumnMeaning::Field(field));
        // a list that takes records back needs no more than their ids
        let takes_back = has(RecordField::Correction);
        for field in [RecordField::SourceId, RecordField::Kind, RecordField::OccurredAt, RecordField::Level] {
            if !has(field) && (!takes_back || field == RecordField::SourceId) {
                return Err(wrong(None, reason::missing_column(field)));
            }
        }
        if !takes_back && !SUBJECTS.into_iter().any(has) {
            return Err(wrong(None, reason::one_subject()));
        }
        Ok(Self { columns, names, delimiter })
    }

    /// Each column's name with what it means.
    pub(crate) fn read_as(&self) -> impl Iterator<Item = (&str, &ColumnMeaning)> {
        self.names.iter().map(String::as_str).zip(&self.columns)
    }

    pub(crate) fn delimiter(&self) -> u8 {
        self.delimiter
    }

    pub(crate) fn names(&self) -> &[String] {
        &self.names
    }

    /// Whether this column, from 0, says when something happened.
    pub(crate) fn is_time(&self, column: usize) -> bool {
        self.columns.get(column) == Some(&ColumnMeaning::Field(RecordField::OccurredAt))
    }

    /// Calls `each` with every row of the block, in order. Rows whose cells are all empty are none, nor are those below the table.
    pub(crate) fn read(&self, block: &Block, mut each: impl FnMut(Row, Result<Fields<'_>, FieldFault>)) {
        let mut reader = self.reader(&block.bytes);
        let mut cells = ByteRecord::new();
        for row in &block.rows {
            if !matches!(reader.read_byte_record(&mut cells), Ok(true)) {
                each(*row, Err(reason::cut_short()));
            } else if !cells.iter().all(|cell| cell.trim_ascii().is_empty()) && !self.is_below(&cells) {
                each(*row, self.fields(&cells));
            }
        }
    }

    /// The same cells with more behind them, as a row of a file. A row with too few cells is filled up. No cell is a formula.
    pub(crate) fn extended(&self, row: &[u8], more: [&str; 3]) -> Vec<u8> {
        let mut cells = ByteRecord::new();
        // what cannot be taken apart is given back in its first cell
        if !matches!(self.reader(row).read_byte_record(&mut cells), Ok(true)) {
            cells = ByteRecord::from(vec![row]);
        }
        let text: Vec<Cow<'_, str>> = cells.iter().map(String::from_utf8_lossy).collect();
        let kept = self.kept();
        let own = kept.iter().map(|at| text.get(*at).map_or("", |cell| list::written(cell.trim_end_matches('\r'))));
        let surplus = text.iter().skip(self.columns.len()).map(|cell| list::written(cell)).filter(|cell| !cell.trim().is_empty());
        self.line(own.chain(more).chain(surplus))
    }

    /// The header row of a file of refused rows.
    pub(crate) fn extended_header(&self) -> Vec<u8> {
        self.line(self.kept().into_iter().map(|at| self.names[at].as_str()).chain(REFUSED))
    }

    /// What this file calls the column of a field; the field itself where it has none, or calls it so.
    pub(crate) fn name_of<'n>(&'n self, field: &'n str) -> &'n str {
        let short = field.strip_prefix("subject.").or_else(|| field.strip_prefix("attributes.")).unwrap_or(field);
        let mut named = self.names.iter().zip(&self.columns).filter(|(_, column)| field_of(column) == field).map(|(name, _)| name.as_str());
        named.next().filter(|name| !name.eq_ignore_ascii_case(short) && !name.eq_ignore_ascii_case(field)).unwrap_or(field)
    }

    /// The columns that are given back: all but those we added before.
    fn kept(&self) -> Vec<usize> {
        (0..self.columns.len()).filter(|at| !is_ours(&self.names[*at])).collect()
    }

    fn line<'c>(&self, cells: impl Iterator<Item = &'c str>) -> Vec<u8> {
        let mut writer: Writer<Vec<u8>> = WriterBuilder::new().delimiter(self.delimiter).flexible(true).from_writer(Vec::new());
        let cells: Vec<Cow<'_, str>> = cells.map(list::neutral).collect();
        // writing to memory does not fail, and an unfinished line would only lack its end
        writer.write_record(cells.iter().map(|cell| cell.as_bytes())).ok();
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

    /// Whether a row stands below the table: nothing in it says what happened, to whom or when, and it begins as a total does.
    fn is_below(&self, cells: &ByteRecord) -> bool {
        let says = |cell: &[u8], meaning: &ColumnMeaning| {
            let of_a_record = match meaning {
                ColumnMeaning::Field(RecordField::Kind | RecordField::OccurredAt | RecordField::Level | RecordField::Correction) => true,
                ColumnMeaning::Field(field) => SUBJECTS.contains(field),
                _ => false,
            };
            of_a_record && !cell.trim_ascii().is_empty() && !list::is_total(&String::from_utf8_lossy(cell))
        };
        if cells.iter().zip(&self.columns).any(|(cell, meaning)| says(cell, meaning)) {
            return false;
        }
        cells.iter().find(|cell| !cell.trim_ascii().is_empty()).is_some_and(|cell| list::below_the_table(&String::from_utf8_lossy(cell)))
    }

    fn fields<'r>(&self, cells: &'r ByteRecord) -> Result<Fields<'r>, FieldFault> {
        if cells.iter().skip(self.columns.len()).any(|cell| !cell.trim_ascii().is_empty()) {
            return Err(reason::cells(self.columns.len()));
        }
        let mut fields = Fields::default();
        for (column, cell) in self.columns.iter().zip(cells) {
            let text = std::str::from_utf8(cell).map_err(|_| reason::encoding())?.trim();
            if list::is_nothing(text) {
                continue;
            }
            let text = list::written(text);
            if let Some(spoilt) = list::spoilt(text) {
                if *column != ColumnMeaning::PassedOver {
                    fields.note(reason::spoilt(&field_of(column), spoilt));
                }
                continue;
            }
            match column {
                ColumnMeaning::Field(field) => *fields.slot(*field) = Scalar::Text(list::plain(text)),
                ColumnMeaning::Attribute(name) => fields.attributes.push((Cow::Owned(name.clone()), Scalar::Text(Cow::Borrowed(text)))),
                ColumnMeaning::PassedOver => {}
            }
        }
        Ok(fields)
    }
}

fn is_ours(name: &str) -> bool {
    REFUSED.iter().any(|ours| ours.eq_ignore_ascii_case(name))
}

/// The path by which faults name a column.
fn field_of(column: &ColumnMeaning) -> String {
    match column {
        ColumnMeaning::Field(field) if is_of_subject(*field) => format!("subject.{field}"),
        ColumnMeaning::Field(field) => field.to_string(),
        ColumnMeaning::Attribute(name) => format!("attributes.{name}"),
        ColumnMeaning::PassedOver => reason::ROW.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: [&str; 5] = ["source_id", "kind", "occurred_at", "phone", "level"];

    fn columns(more: &[&str]) -> Columns {
        Columns::of_names(HEADER.iter().chain(more).map(|name| (*name).to_owned()).collect(), b',', ColumnNames::shipped()).unwrap()
    }

    fn block(rows: &str) -> Block {
        let mut block = Block::default();
        for (line, row) in (2..).zip(rows.split_inclusive('\n')) {
            block.add(line, row.as_bytes());
        }
        block
    }

    fn read(columns: &Columns, rows: &str) -> Vec<(u64, Option<usize>)> {
        let mut read = Vec::new();
        columns.read(&block(rows), |row, fields| read.push((row.line, fields.ok().map(|fields| fields.attributes.len()))));
        read
    }

    #[test]
    fn a_cell_is_the_text_that_it_looks_like() {
        let columns = columns(&["seat", "site"]);
        let mut seats = Vec::new();
        columns.read(&block("a,b,c,d,e,12,1.10\na,b,c,d,e,012,TRUE\na,b,c,d,e,12A,\n"), |_, fields| {
            seats.extend(fields.unwrap().attributes.into_iter().map(|(_, value)| match value {
                Scalar::Text(text) => text.into_owned(),
                other => format!("{other:?}"),
            }));
        });
        assert_eq!(seats, ["12", "1.10", "012", "TRUE", "12A"]);
    }

    #[test]
    fn cells_left_out_at_the_end_are_empty_and_more_cells_than_columns_are_not_understood() {
        let columns = columns(&["seat"]);
        assert_eq!(read(&columns, "a,b,c,d,e\na,b,c,d,e,12,,,\na,b,c,d,e,12,,x\n"), [(2, Some(0)), (3, Some(1)), (4, None)]);
    }

    #[test]
    fn rows_below_the_table_are_none_and_totals_within_a_record_are_refused_with_it() {
        let columns = columns(&["seat"]);
        assert_eq!(read(&columns, "合计,,,,,12\n填表人：王\n合计,,,13800005678,,12\n,,,,,\n"), [(4, Some(1))]);
        assert_eq!(
            read(&columns, "合计,12\n共计：,12人,,3 条,1,200\n小计,case,12,,,\n"),
            [(4, Some(0))],
            "how many there are may stand anywhere"
        );
    }

    #[test]
    fn a_dash_is_nothing() {
        assert_eq!(read(&columns(&["seat"]), "a,b,c,d,e,-\n"), [(2, Some(0))]);
    }

    #[test]
    fn a_refused_row_is_given_back_with_its_cells_in_their_columns() {
        let columns = columns(&["refused_line", "refused_field", "refused_reason"]);
        assert_eq!(columns.extended_header(), b"source_id,kind,occurred_at,phone,level,refused_line,refused_field,refused_reason\n");
        let row = columns.extended("a-1,\"ca,se\",,1".as_bytes(), ["7", "row", "x"]);
        assert_eq!(row, b"a-1,\"ca,se\",,1,,7,row,x\n");
    }

    #[test]
    fn a_cell_that_a_spreadsheet_would_calculate_goes_out_as_text_and_comes_back() {
        let columns = columns(&["seat"]);
        let row = "=1+1,case,,+8613800005678,high,'@x\n";
        let out = columns.extended(row.as_bytes(), ["2", "level", "x"]);
        assert_eq!(String::from_utf8(out.clone()).unwrap(), "'=1+1,case,,'+8613800005678,high,'@x,2,level,x\n");
        // what came back and was refused again does not grow
        assert_eq!(columns.extended(&out[..out.len() - 11], ["2", "level", "x"]), out);
        columns.read(&block(&String::from_utf8(out).unwrap().replace(",2,level,x", "")), |_, fields| {
            let fields = fields.unwrap();
            assert_eq!(fields.source_id, Scalar::Text("=1+1".into()));
            assert_eq!(fields.phone, Scalar::Text("+8613800005678".into()));
            assert_eq!(fields.attributes[0].1, Scalar::Text("@x".into()));
        });
    }
}
