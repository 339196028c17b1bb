//! A text of JSON that holds records: one object, or an array of them. It is read whole, so what is wrong in it is told with its place and
//! nothing of it counts; numbers stay as they are written.

use std::fmt;
use std::ops::Range;

use encoding_rs::GB18030;
use serde::Deserializer as _;
use serde::de::{Error as _, SeqAccess, Visitor};
use serde_json::error::Category;
use serde_json::value::RawValue;

use crate::Error;

/// Most records of one text: their places are held in memory.
const MOST: usize = 1_000_000;

/// Where each record stands in the text.
///
/// # Errors
/// Where the text is not JSON.
pub(crate) fn rows(text: &[u8]) -> Result<Vec<Range<usize>>, Error> {
    let not_json = |error: serde_json::Error| match error.classify() {
        // only our own limit is no fault of the text
        Category::Data => Error::TooManyRecords { limit: MOST },
        _ => Error::NotJson { line: error.line(), column: error.column() },
    };
    let places = Places { beginning: text.as_ptr().addr() };
    if !text.trim_ascii_start().starts_with(b"[") {
        let row: &RawValue = serde_json::from_slice(text).map_err(not_json)?;
        return Ok(vec![places.of(row)]);
    }
    let mut json = serde_json::Deserializer::from_slice(text);
    let rows = json.deserialize_seq(places).map_err(not_json)?;
    json.end().map_err(not_json)?;
    Ok(rows)
}

/// Finds where the elements of an array stand.
struct Places {
    beginning: usize,
}

impl Places {
    fn of(&self, row: &RawValue) -> Range<usize> {
        let at = row.get().as_ptr().addr() - self.beginning;
        at..at + row.get().len()
    }
}

impl<'de> Visitor<'de> for Places {
    type Value = Vec<Range<usize>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "at most {MOST} records")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Self::Value, A::Error> {
        let mut places = Vec::new();
        while let Some(row) = elements.next_element::<&RawValue>()? {
            if places.len() == MOST {
                return Err(A::Error::custom("too many records"));
            }
            places.push(self.of(row));
        }
        Ok(places)
    }
}

/// The text in UTF-8, if it is in GB18030.
pub(crate) fn in_utf8(text: Vec<u8>) -> Vec<u8> {
    if std::str::from_utf8(&text).is_ok() {
        return text;
    }
    match GB18030.decode_without_bom_handling_and_without_replacement(&text) {
        Some(decoded) => decoded.into_owned().into_bytes(),
        // what is neither is not JSON either
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("[]", &[])]
    #[case(" [ {\"a\":1} ,\n 2, \"[]\" ] ", &["{\"a\":1}", "2", "\"[]\""])]
    #[case("{\n \"a\": 1\n}\n", &["{\n \"a\": 1\n}"])]
    #[case("[12345678901234567890.10]", &["12345678901234567890.10"])]
    fn records_are_found_as_they_are_written(#[case] text: &str, #[case] expected: &[&str]) {
        let found: Vec<&str> = rows(text.as_bytes()).unwrap().into_iter().map(|row| &text[row]).collect();
        assert_eq!(found, expected);
    }

    #[rstest]
    #[case("[{},\n{]", 2, 2)]
    #[case("[{}", 1, 3)]
    #[case("{} {}", 1, 4)]
    fn what_is_no_json_is_told_with_its_place(#[case] text: &str, #[case] line: usize, #[case] column: usize) {
        let error = rows(text.as_bytes()).unwrap_err();
        assert!(matches!(error, Error::NotJson { line: at, column: in_it } if (at, in_it) == (line, column)), "{error:?}");
    }

    #[test]
    fn a_text_in_gb18030_is_read() {
        let text = GB18030.encode("[\"渝州宾馆\"]").0.into_owned();
        assert_eq!(in_utf8(text), "[\"渝州宾馆\"]".as_bytes());
        assert_eq!(in_utf8(b"\xFF\xFF".to_vec()), b"\xFF\xFF");
    }
}
