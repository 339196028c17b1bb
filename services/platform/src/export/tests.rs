use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use futures::{StreamExt as _, stream};
use http_body_util::BodyExt as _;

use super::*;
use crate::Error;

const HEADS: &[Head] = &[("编号", "Id"), ("标题", "Headline")];

fn listing(format: Format, language: Language) -> Listing {
    Listing { format, language, name: "alerts", heads: HEADS, zone: Tz::Asia__Shanghai }
}

fn rows(cells: &[[&str; 2]]) -> Vec<Vec<String>> {
    cells.iter().map(|row| row.map(str::to_owned).to_vec()).collect()
}

async fn taken(listing: Listing, pages: Vec<Vec<Vec<String>>>) -> (Vec<u8>, u64) {
    let counted = Arc::new(AtomicU64::new(u64::MAX));
    let told = Arc::clone(&counted);
    let answer = listing
        .answer(stream::iter(pages.into_iter().map(Ok::<_, Error>)).boxed(), move |count| async move {
            told.store(count, Ordering::SeqCst);
            Ok(())
        })
        .await
        .unwrap();
    let body = answer.into_body().collect().await.unwrap().to_bytes().to_vec();
    (body, counted.load(Ordering::SeqCst))
}

#[tokio::test]
async fn a_list_has_its_head_in_the_readers_language_and_no_cell_is_a_formula() {
    let page = rows(&[["1", "=HYPERLINK(\"http://192.0.2.1\")"], ["2", "请居家, \"不外出\""]]);
    let (file, count) = taken(listing(Format::Csv, Language::ZhCn), vec![page.clone(), rows(&[["3", "+1"]])]).await;
    let text = String::from_utf8(file).unwrap();
    assert_eq!(count, 3);
    let lines: Vec<&str> = text.trim_start_matches('\u{feff}').trim_end().split("\r\n").collect();
    assert_eq!(lines, ["编号,标题", "1,\"'=HYPERLINK(\"\"http://192.0.2.1\"\")\"", "2,\"请居家, \"\"不外出\"\"\"", "3,'+1"]);
    let (english, _) = taken(listing(Format::Csv, Language::En), vec![page]).await;
    assert!(String::from_utf8(english).unwrap().contains("Id,Headline"));
}

#[tokio::test]
async fn a_workbook_holds_every_row_as_text() {
    let page = rows(&[["1", "=1+1"]]);
    let (file, count) = taken(listing(Format::Xlsx, Language::ZhCn), vec![page.clone(), page]).await;
    assert_eq!(count, 2);
    assert!(file.starts_with(b"PK"), "a workbook is a zip file");
}

#[test]
fn a_list_that_is_too_large_for_a_file_is_refused() {
    assert!(not_too_large(Format::Csv, 1_000_000).is_ok());
    assert_eq!(not_too_large(Format::Xlsx, 100_001).unwrap_err().code, "export_too_large");
}
