//! One list, as every program writes it: the same records come of it.

use std::collections::BTreeMap;
use std::path::Path;

use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;
use rstest::rstest;
use rust_xlsxwriter::Workbook;
use serde_json::{Value, json};
use stages::Store::Embedded;

use crate::city::{CDC, City, counts, report};

const ANY_FILE: &str = "application/octet-stream";

/// What is kept of each record, by its id.
async fn kept(city: &City) -> BTreeMap<String, Value> {
    let rows: Vec<(String, Value)> = sqlx::query_as(
        "select source_id, jsonb_build_object('kind', kind, 'level', level, 'at', to_char(occurred_at at time zone 'Asia/Shanghai', 'YYYY-MM-DD HH24:MI'),
                'resident', resident_no, 'attributes', attributes) from ingest.record",
    )
    .fetch_all(city.platform.database.pool())
    .await
    .unwrap();
    rows.into_iter().collect()
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_list_of_every_program_is_the_same(
    #[values(
        "openpyxl.xlsx",
        "xlsxwriter.xlsx",
        "exceljs.xlsx",
        "libreoffice-list.xlsx",
        "libreoffice-list.xls",
        "libreoffice-utf8.csv",
        "libreoffice-gb18030.csv",
        "libreoffice-utf16.csv"
    )]
    file: &str,
) {
    let city = City::new(Embedded).await;
    for no in 1..=3 {
        city.register(&format!("+861900000000{no}"), no).await;
    }
    let bytes = std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/fixtures/writers").join(file)).unwrap();
    let load = report(city.post(CDC, "/api/v1/records/upload", ANY_FILE).body(bytes)).await;
    assert_eq!(counts(&load), (3, 0, 0), "{load:?}");
    let record = |kind, level, resident, attributes| json!({ "kind": kind, "level": level, "at": "2026-11-02 08:30", "resident": resident, "attributes": attributes });
    let site = "渝州宾馆";
    let wanted = [
        ("r-1".to_owned(), record("case", "high", 1, json!({ "isolation_site": site }))),
        ("r-2".to_owned(), record("close_contact", "medium", 2, json!({ "isolation_site": site, "note": "第一行\n第二行" }))),
        ("r-3".to_owned(), record("close_contact", "low", 3, json!({ "isolation_site": site, "note": "说\"好\"，没事" }))),
    ];
    assert_eq!(kept(&city).await, BTreeMap::from(wanted));
    // a merged cell holds for its rows in a workbook; in CSV only the first has it, and the others are where the person lives
    let districts = if file.ends_with("csv") { 1 } else { 3 };
    assert_eq!(city.count("select count(*) from ingest.record where district = 500103").await, districts);
    city.end().await;
}

/// Texts as people and programs leave them in cells.
fn cell() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z0-9 ]{0,12}",
        "[\\u{4e00}-\\u{4fff}]{1,6}",
        "[=+@'\"，,;\\t-]{1,3}[0-9a-z]{0,4}",
        "[\\u{20000}-\\u{20010}😷·—…]{1,3}",
        Just("第一行\n第二行".to_owned()),
        Just("#N/A".to_owned()),
        Just("1.9E+17".to_owned()),
        Just("００１２".to_owned()),
        Just("=1+1".to_owned()),
        Just(" 两边有空格 ".to_owned()),
    ]
}

/// One of the ways in which a table is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Writing {
    Workbook,
    Csv { delimiter: u8, line: &'static str, encoding: &'static str },
}

const WRITINGS: [Writing; 6] = [
    Writing::Workbook,
    Writing::Csv { delimiter: b',', line: "\r\n", encoding: "utf-8" },
    Writing::Csv { delimiter: b';', line: "\n", encoding: "gb18030" },
    Writing::Csv { delimiter: b'\t', line: "\r\n", encoding: "utf-16le" },
    Writing::Csv { delimiter: b',', line: "\r", encoding: "utf-8-mark" },
    Writing::Csv { delimiter: b',', line: "\n", encoding: "utf-16be" },
];

impl Writing {
    fn write(self, rows: &[Vec<String>]) -> Vec<u8> {
        match self {
            Self::Workbook => {
                let mut book = Workbook::new();
                let sheet = book.add_worksheet();
                for (row, cells) in (0..).zip(rows) {
                    for (column, cell) in (0..).zip(cells) {
                        sheet.write_string(row, column, cell).unwrap();
                    }
                }
                book.save_to_buffer().unwrap()
            }
            Self::Csv { delimiter, line, encoding } => {
                let text: String = rows
                    .iter()
                    .map(|cells| {
                        let cells: Vec<String> = cells.iter().map(|cell| format!("\"{}\"", cell.replace('"', "\"\""))).collect();
                        cells.join(&char::from(delimiter).to_string()) + line
                    })
                    .collect();
                let marked = format!("\u{feff}{text}");
                match encoding {
                    "gb18030" => encoding_rs::GB18030.encode(&text).0.into_owned(),
                    "utf-16le" => marked.encode_utf16().flat_map(u16::to_le_bytes).collect(),
                    "utf-16be" => marked.encode_utf16().flat_map(u16::to_be_bytes).collect(),
                    "utf-8-mark" => marked.into_bytes(),
                    _ => text.into_bytes(),
                }
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn any_table_in_any_writing_is_the_same_records_or_refused_with_its_place() {
    let city = City::new(Embedded).await;
    let mut runner = TestRunner::deterministic();
    let tables = prop::collection::vec(prop::collection::vec(prop::collection::vec(cell(), 2), 1..8), 6);
    let tables = tables.new_tree(&mut runner).unwrap().current();
    let mut read = 0;
    for (number, table) in tables.iter().enumerate() {
        let mut first: Option<BTreeMap<usize, Option<Value>>> = None;
        for (way, writing) in WRITINGS.into_iter().enumerate() {
            let mut rows =
                vec![["编号", "类别", "发生时间", "手机号", "风险等级", "区县", "备注", "attributes.x"].map(str::to_owned).to_vec()];
            for (row, cells) in table.iter().enumerate() {
                let id = format!("t{number}-{way}-{row}");
                let sound = [id.as_str(), "病例", "2026-11-02 08:30", "19000000001", "高", "渝中区"].map(str::to_owned);
                rows.push(sound.into_iter().chain(cells.iter().cloned()).collect());
            }
            let load = report(city.post(CDC, "/api/v1/records/upload", ANY_FILE).body(writing.write(&rows))).await;
            assert_eq!(load.accepted + load.refused, table.len() as u64, "{writing:?}: {table:?}");
            let all = kept(&city).await;
            let of_row = |row: usize| all.get(&format!("t{number}-{way}-{row}")).map(|record| record["attributes"].clone());
            let told: BTreeMap<usize, Option<Value>> = (0..table.len()).map(|row| (row, of_row(row))).collect();
            // refused rows are told by their lines: those of the file, so cells with line breaks count
            let refused = told.values().filter(|kept| kept.is_none()).count();
            assert_eq!((load.refused_rows.len(), refused), (refused, load.refused as usize));
            let mut line = 2;
            for (row, cells) in table.iter().enumerate() {
                if told[&row].is_none() {
                    assert!(
                        load.refused_rows.iter().any(|refused| refused.line == line),
                        "{writing:?}: line {line} of {:?}",
                        load.refused_rows
                    );
                }
                let breaks = cells.iter().map(|cell| cell.matches('\n').count()).sum::<usize>() as u64;
                line += 1 + if writing == Writing::Workbook { 0 } else { breaks };
            }
            read += load.accepted;
            match &first {
                None => first = Some(told),
                Some(first) => assert_eq!(*first, told, "{writing:?} says something else than a workbook: {table:?}"),
            }
        }
    }
    assert!(read > 60, "only {read} rows could be read");
    city.end().await;
}
