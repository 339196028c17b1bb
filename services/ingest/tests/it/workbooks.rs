//! Workbooks as spreadsheet programs write them, and as somebody sends them who should not.

use std::io::{Cursor, Write as _};

use crate::city::{CDC, City, counts, report};
use crate::lists::problem;
use domain::risk_record::RecordKind;
use ingest::LoadReport;
use rstest::rstest;
use rust_xlsxwriter::{ExcelDateTime, Format, Formula, Workbook, Worksheet};
use serde_json::Value;
use stages::Store::Embedded;
use strum::VariantArray as _;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

const HEADER: [&str; 7] = ["编号", "类别", "发生时间", "手机号", "风险等级", "区县", "isolation_site"];
const XLSX: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";

async fn upload(city: &City, file: Vec<u8>) -> LoadReport {
    report(city.post(CDC, "/api/v1/records/upload", XLSX).body(file)).await
}

fn header(sheet: &mut Worksheet, row: u32) {
    for (column, name) in (0..).zip(HEADER) {
        sheet.write(row, column, name).unwrap();
    }
}

/// A row whose texts are texts.
fn record(sheet: &mut Worksheet, row: u32, id: &str, cells: [&str; 6]) {
    sheet.write(row, 0, id).unwrap();
    for (column, text) in (1..).zip(cells) {
        sheet.write(row, column, text).unwrap();
    }
}

const SOUND: [&str; 6] = ["病例", "2026-11-02 08:30", "19000000001", "高", "渝中区", "渝州宾馆"];

fn book(fill: impl FnOnce(&mut Workbook)) -> Vec<u8> {
    let mut book = Workbook::new();
    fill(&mut book);
    book.save_to_buffer().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cells_are_read_as_what_they_are() {
    let city = City::new(Embedded).await;
    let day = Format::new().set_num_format("yyyy/m/d h:mm");
    let file = book(|book| {
        let sheet = book.add_worksheet();
        sheet.write(0, 0, "密切接触者名单").unwrap();
        header(sheet, 2);
        // a number as its id, a real date, a phone as a number
        sheet.write(3, 0, 17).unwrap();
        sheet.write(3, 1, "密接").unwrap();
        sheet.write_datetime_with_format(3, 2, ExcelDateTime::parse_from_str("2026-11-02 08:30").unwrap(), &day).unwrap();
        sheet.write(3, 3, 19_000_000_001_u64).unwrap();
        sheet.write(3, 4, "高").unwrap();
        sheet.write(3, 5, "渝中区").unwrap();
        sheet.write(3, 6, 1.1).unwrap();
        // the number of a day without its format, a formula with its value
        record(sheet, 5, "x-2", SOUND);
        sheet.write(5, 2, 46_328.354_166_666_664).unwrap();
        sheet.write(5, 6, Formula::new("=\"渝州\"&\"宾馆\"").set_result("渝州宾馆")).unwrap();
        // what failed, what was rounded, and a row that is hidden
        record(sheet, 6, "x-3", SOUND);
        sheet.write(6, 3, 1.9e17).unwrap();
        sheet.write(6, 6, Formula::new("=1/0").set_result("#DIV/0!")).unwrap();
        record(sheet, 7, "x-4", SOUND);
        sheet.set_row_hidden(7).unwrap();
        sheet.write(8, 0, "合计").unwrap();
        sheet.write(8, 6, 4).unwrap();
    });
    let load = upload(&city, file).await;
    assert_eq!((counts(&load), load.format.as_str()), ((3, 0, 1), "xlsx"), "{load:?}");
    let refused = &load.refused_rows[0];
    assert_eq!((refused.line, refused.field.as_str(), refused.others[0].field.as_str()), (7, "attributes.isolation_site", "subject.phone"));
    assert_eq!(city.count("select count(*) from ingest.record where occurred_at = '2026-11-02T08:30:00+08:00'").await, 3);
    let sites: Vec<Value> = sqlx::query_scalar("select attributes -> 'isolation_site' from ingest.record order by source_id")
        .fetch_all(city.platform.database.pool())
        .await
        .unwrap();
    assert_eq!(sites, ["1.1", "渝州宾馆", "渝州宾馆"].map(Value::from));

    // and the refused row comes back as CSV, to be mended
    let csv = city.refused(CDC, &load).await;
    let mended = csv.replace("1.9E+17", "19000000001").replace("#DIV/0!", "");
    assert_eq!(counts(&report(city.post(CDC, "/api/v1/records/upload", "text/csv").body(mended)).await), (1, 0, 0), "{csv}");
    city.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn numbers_of_documents_and_phones_of_other_places_may_be_numbers_of_the_sheet() {
    let city = City::new(Embedded).await;
    city.identify("taiwan_permit:12345678", 1).await;
    city.identify("passport:GBR:123456789", 2).await;
    let file = book(|book| {
        let sheet = book.add_worksheet();
        for (column, name) in (0..).zip(["编号", "类别", "发生时间", "证件类型", "证件号码", "签发国", "风险等级", "区县"])
        {
            sheet.write(0, column, name).unwrap();
        }
        for (row, (id, kind, number, country)) in
            (1..).zip([("w-1", "台胞证", 12_345_678_u64, ""), ("w-2", "护照", 123_456_789, "英国"), ("w-3", "", 12_345_678, "")])
        {
            for (column, text) in [(0, id), (1, "密接"), (2, "2026-11-02 08:30"), (3, kind), (5, country), (6, "高"), (7, "渝中区")] {
                sheet.write(row, column, text).unwrap();
            }
            sheet.write(row, 4, number).unwrap();
        }
    });
    let load = upload(&city, file).await;
    assert_eq!(counts(&load), (2, 0, 1));
    assert_eq!(load.refused_rows[0].field, "subject.identity_kind");
    assert_eq!(city.count("select count(*) from ingest.record where (source_id, resident_no) in (('w-1', 1), ('w-2', 2))").await, 2);
    city.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cells_merged_downwards_hold_for_all_their_rows() {
    let city = City::new(Embedded).await;
    let file = book(|book| {
        let sheet = book.add_worksheet();
        header(sheet, 0);
        for row in 1..4 {
            record(sheet, row, &format!("m-{row}"), SOUND);
            sheet.write_blank(row, 5, &Format::new()).unwrap();
        }
        sheet.merge_range(1, 5, 3, 5, "渝中区", &Format::new()).unwrap();
    });
    assert_eq!(counts(&upload(&city, file).await), (3, 0, 0));
    assert_eq!(city.count("select count(*) from ingest.record where district = 500103").await, 3);
    city.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_several_sheets_the_one_list_is_read_and_more_than_one_are_refused() {
    let city = City::new(Embedded).await;
    let fill = |book: &mut Workbook, second: bool| {
        book.add_worksheet().set_name("说明").unwrap().write(0, 0, "请按模板填写").unwrap();
        let sheet = book.add_worksheet().set_name("名单").unwrap();
        header(sheet, 0);
        record(sheet, 1, "s-1", SOUND);
        header(book.add_worksheet().set_name("模板").unwrap(), 0);
        let hidden = book.add_worksheet().set_name("旧名单").unwrap();
        header(hidden, 0);
        record(hidden, 1, "s-2", SOUND);
        hidden.set_hidden(true);
        if second {
            let sheet = book.add_worksheet().set_name("名单二").unwrap();
            header(sheet, 0);
            record(sheet, 1, "s-3", SOUND);
        }
    };
    assert_eq!(counts(&upload(&city, book(|book| fill(book, false))).await), (1, 0, 0));
    let (status, problem) = problem(&city, book(|book| fill(book, true))).await;
    assert_eq!((status, &problem["code"]), (400, &"workbook_sheets".into()));
    assert!(problem["detail"].as_str().unwrap().contains("名单、名单二"), "{problem}");
    city.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_workbook_without_a_header_says_where() {
    let city = City::new(Embedded).await;
    let (status, problem) = problem(
        &city,
        book(|book| {
            let sheet = book.add_worksheet();
            sheet.write(0, 0, "名单").unwrap();
            header(sheet, 1);
            sheet.write(1, 7, "幸福指数").unwrap();
            record(sheet, 2, "n-1", SOUND);
        }),
    )
    .await;
    assert_eq!((status, &problem["code"]), (400, &"csv_header".into()));
    let detail = problem["detail"].as_str().unwrap();
    assert!(detail.contains("第 2 行第 8 列") && detail.contains("幸福指数"), "{detail}");
    city.end().await;
}

/// An archive of these parts.
fn archive(parts: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in parts {
        writer.start_file(*name, SimpleFileOptions::default()).unwrap();
        writer.write_all(content).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

/// A sound workbook with one of its parts replaced.
fn with_part(name: &str, content: &[u8]) -> Vec<u8> {
    let sound = book(|book| {
        let sheet = book.add_worksheet();
        header(sheet, 0);
        record(sheet, 1, "z-1", SOUND);
    });
    let mut archive_of = zip::ZipArchive::new(Cursor::new(sound)).unwrap();
    let mut parts: Vec<(String, Vec<u8>)> = Vec::new();
    for index in 0..archive_of.len() {
        let mut part = archive_of.by_index(index).unwrap();
        let (part_name, mut bytes) = (part.name().unwrap().into_owned(), Vec::new());
        std::io::copy(&mut part, &mut bytes).unwrap();
        if part_name != name {
            parts.push((part_name, bytes));
        }
    }
    parts.push((name.to_owned(), content.to_vec()));
    archive(&parts.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice())).collect::<Vec<_>>())
}

#[rstest]
#[case::archive(archive(&[("list.csv", b"source_id,kind\n")]), "file_not_a_list")]
#[case::document(archive(&[("[Content_Types].xml", b"<x/>"), ("word/document.xml", b"<x/>")]), "file_not_a_list")]
#[case::torn(with_part("x.xml", b"")[..2_000].to_vec(), "workbook_damaged")]
#[case::no_xml(with_part("xl/workbook.xml", b"no xml"), "workbook_damaged")]
#[case::one_endless_text(with_part("xl/sharedStrings.xml", &vec![b'x'; 3 << 20]), "workbook_too_large")]
#[case::too_many_texts(with_part("xl/sharedStrings.xml", &b"<sst><si><t>x</t></si>".repeat(4 << 20)), "workbook_too_large")]
#[case::a_claim_of_many_texts(
    with_part("xl/sharedStrings.xml", b"<sst uniqueCount=\"99999999999\"><si><t>x</t></si></sst>"),
    "workbook_damaged"
)]
#[case::a_comment_that_hides_a_text(with_part("xl/styles.xml", &[b"<x><!-- ".as_slice(), &b"<a>".repeat(6 << 20), b"-->"].concat()), "workbook_too_large")]
#[case::nothing(Vec::from(*b"PK\x03\x04"), "workbook_damaged")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_workbook_that_is_none_or_holds_too_much_is_refused(#[case] file: Vec<u8>, #[case] code: &str) {
    let city = City::taking(Embedded, 1 << 20).await;
    let (status, problem) = problem(&city, file).await;
    assert!([400, 413].contains(&status));
    assert_eq!(problem["code"], code, "{problem}");
    assert_eq!(city.count("select count(*) from ingest.load").await, 0);
    city.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn macros_pictures_and_links_to_other_files_are_never_looked_at() {
    let city = City::new(Embedded).await;
    // a part that would be refused if anybody unpacked it
    let file = with_part("xl/vbaProject.bin", &vec![0; 3 << 20]);
    assert_eq!(counts(&upload(&city, file).await), (1, 0, 0));
    city.end().await;
}

/// A compound file with these streams.
fn compound(streams: &[(&str, &[u8])]) -> Vec<u8> {
    let mut file = cfb::CompoundFile::create(Cursor::new(Vec::new())).unwrap();
    for (name, content) in streams {
        file.create_stream(name).unwrap().write_all(content).unwrap();
    }
    file.flush().unwrap();
    file.into_inner().into_inner()
}

#[rstest]
#[case::encrypted(compound(&[("/EncryptionInfo", b"x"), ("/EncryptedPackage", b"x")]), "workbook_locked")]
#[case::document(compound(&[("/WordDocument", b"x")]), "file_not_a_list")]
#[case::no_records(compound(&[("/Workbook", b"x")]), "workbook_damaged")]
#[case::torn(compound(&[("/Workbook", b"x")])[..600].to_vec(), "workbook_damaged")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_compound_file_that_is_no_workbook_is_refused(#[case] file: Vec<u8>, #[case] code: &str) {
    let city = City::new(Embedded).await;
    let (_, problem) = problem(&city, file).await;
    assert_eq!(problem["code"], code, "{problem}");
    city.end().await;
}

/// Written by `fixtures/list.py`, with dates from 1904 in the one and from 1900 in the other.
#[rstest]
#[case::since_1900(include_bytes!("fixtures/list.xls").as_slice(), "xls")]
#[case::since_1904(include_bytes!("fixtures/list-1904.xls").as_slice(), "xls")]
#[case::workbook_since_1904(include_bytes!("fixtures/list-1904.xlsx").as_slice(), "xlsx")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_older_workbook_is_the_same_list(#[case] file: &'static [u8], #[case] format: &str) {
    let city = City::new(Embedded).await;
    let load = report(city.post(CDC, "/api/v1/records/upload", "application/vnd.ms-excel").body(file)).await;
    assert_eq!((counts(&load), load.format.as_str()), ((2, 0, 0), format), "{load:?}");
    assert_eq!(
        city.count("select count(*) from ingest.record where occurred_at = '2026-11-02T08:30:00+08:00' and district = 500103").await,
        2
    );
    city.end().await;
}

/// The parts of a workbook.
fn part(file: &[u8], name: &str) -> String {
    let mut archive = zip::ZipArchive::new(Cursor::new(file)).unwrap();
    let mut text = String::new();
    std::io::Read::read_to_string(&mut archive.by_name(name).unwrap(), &mut text).unwrap();
    text
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_template_of_every_kind_is_understood_as_it_is_and_offers_what_can_be_chosen() {
    let city = City::new(Embedded).await;
    for kind in RecordKind::VARIANTS {
        let answer = city.get(CDC, &format!("/api/v1/records/template?kind={kind}")).await;
        assert_eq!(answer.headers()["content-type"], XLSX);
        let file = answer.bytes().await.unwrap().to_vec();
        let (list, choices) = (part(&file, "xl/worksheets/sheet1.xml"), part(&file, "xl/worksheets/sheet3.xml"));
        assert!(list.matches("<dataValidation ").count() >= 5, "{kind}: kind, level, district, document, correction");
        assert!(choices.matches("<row ").count() >= 38, "all districts");
        let looked_at = city.post(CDC, "/api/v1/records/preview", XLSX).body(file).send().await.unwrap();
        let seen: Value = looked_at.json().await.unwrap();
        assert_eq!((&seen["header_fault"], &seen["looked_at"]), (&Value::Null, &0.into()), "{kind}: {seen}");
        assert!(seen["columns"].as_array().unwrap().iter().all(|column| column["meaning"] != "-"), "{kind}: {seen}");
    }
    let answer = city.get(CDC, "/api/v1/records/template?kind=rumour").await;
    assert_eq!(answer.status(), http::StatusCode::UNPROCESSABLE_ENTITY);
    city.end().await;
}
