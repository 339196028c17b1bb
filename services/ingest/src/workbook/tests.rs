//! Workbooks in which something was changed, as a broken disk, a bad converter or somebody with intent would.

use std::io::{Read as _, Write as _};
use std::sync::LazyLock;

use proptest::prelude::*;
use rust_xlsxwriter::{Format as CellFormat, Workbook};

use super::*;

/// The parts of a sound workbook, by their names.
static PARTS: LazyLock<Vec<(String, Vec<u8>)>> = LazyLock::new(|| {
    let mut book = Workbook::new();
    let sheet = book.add_worksheet();
    for (column, name) in (0..).zip(["编号", "类型", "发生时间", "手机号", "风险等级", "区县"]) {
        sheet.write(0, column, name).unwrap();
    }
    for row in 1..4 {
        for (column, value) in (0..).zip(["z-1", "病例", "2026-03-01 10:00", "13800005678", "高", "渝中区"]) {
            sheet.write(row, column, value).unwrap();
        }
        sheet.write_with_format(row, 2, 46_000.5, &CellFormat::new().set_num_format("yyyy-mm-dd hh:mm")).unwrap();
    }
    sheet.merge_range(5, 0, 7, 0, "z-9", &CellFormat::new()).unwrap();
    let mut archive = zip::ZipArchive::new(Cursor::new(book.save_to_buffer().unwrap())).unwrap();
    (0..archive.len())
        .map(|index| {
            let mut part = archive.by_index(index).unwrap();
            let mut bytes = Vec::new();
            part.read_to_end(&mut bytes).unwrap();
            (part.name().unwrap().into_owned(), bytes)
        })
        .collect()
});

fn packed(parts: &[(String, Vec<u8>)]) -> Vec<u8> {
    let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in parts {
        archive.start_file(name.as_str(), zip::write::SimpleFileOptions::default()).unwrap();
        archive.write_all(bytes).unwrap();
    }
    archive.finish().unwrap().into_inner()
}

/// How many rows a workbook gives, if it can be read.
fn rows(bytes: Vec<u8>) -> Result<u64, Error> {
    let mut count = 0;
    read(bytes, Format::Xlsx, 2, ColumnNames::shipped(), &mut |found| {
        count += u64::from(matches!(found, Found::Block(_)));
        true
    })?;
    Ok(count)
}

#[test]
fn the_sound_workbook_is_read() {
    assert!(rows(packed(&PARTS)).is_ok_and(|blocks| blocks >= 2));
}

proptest! {
    #[test]
    fn no_change_to_a_workbook_makes_the_reader_panic(
        part in any::<prop::sample::Index>(), at in any::<prop::sample::Index>(), length in 0..12_usize,
        piece in "[0-9]{0,10}|[A-Z]{1,4}[0-9]{1,8}|\\PC{0,6}|[<>/\"'=& ]{0,3}|(t|s|r|ref|min|max|count|numFmtId)=\"-?[0-9]{1,12}\"", flipped in prop::option::of(any::<prop::sample::Index>())
    ) {
        let mut parts = PARTS.clone();
        let bytes = &mut part.get_mut(&mut parts).1;
        let from = at.index(bytes.len());
        let until = (from + length).min(bytes.len());
        bytes.splice(from..until, piece.bytes());
        let mut whole = packed(&parts);
        if let Some(at) = flipped {
            let at = at.index(whole.len());
            whole[at] ^= 0x55;
        }
        let _ = rows(whole);
    }
}
