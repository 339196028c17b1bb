//! A text of JSON that holds records: one object, or an array of them. It is read whole, so what is wrong in it is told with its place and
//! nothing of it counts; numbers stay as they are written.

use std::ops::Range;

use encoding_rs::GB18030;
use serde_json::value::RawValue;

use crate::Error;

/// Where each record stands in the text.
///
/// # Errors
/// Where the text is not JSON.
pub(crate) fn rows(text: &[u8]) -> Result<Vec<Range<usize>>, Error> {
    let not_json = |error: serde_json::Error| Error::NotJson { line: error.line(), column: error.column() };
    let rows: Vec<&RawValue> = if text.trim_ascii_start().starts_with(b"[") {
        serde_json::from_slice(text).map_err(not_json)?
    } else {
        vec![serde_json::from_slice(text).map_err(not_json)?]
    };
    let beginning = text.as_ptr().addr();
    let place = |row: &RawValue| {
        let at = row.get().as_ptr().addr() - beginning;
        at..at + row.get().len()
    };
    Ok(rows.into_iter().map(place).collect())
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
