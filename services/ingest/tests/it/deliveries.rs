//! Stories of deliveries.

use crate::city::{AUDITOR, CDC, COMMAND, City, LABORATORY, REVIEWER, contact, counts, report};
use bytes::Bytes;
use ingest::{Ending, LoadReport};
use rstest::rstest;
use stages::Store::{self, Embedded, Postgres};
use stages::{MINUTE, eventually};
use tokio::io::AsyncWriteExt as _;

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_record_is_kept_once_however_often_it_comes(#[values(Embedded, Postgres)] store: Store) {
    let mut city = City::new(store).await;
    let rows: String = (0..7).map(|n| contact(&format!("cdc-{n}"), "13800005678")).collect();
    assert_eq!(counts(&city.ndjson(CDC, rows.clone()).await), (7, 0, 0));
    assert_eq!(counts(&city.ndjson(CDC, rows.clone()).await), (0, 7, 0));

    let other = contact("cdc-3", "13800005678").replace("high", "low");
    let again = city.ndjson(CDC, format!("{other}{}{}{other}", contact("cdc-9", "13800005679"), contact("cdc-9", "13800005679"))).await;
    assert_eq!(counts(&again), (1, 1, 2));
    let lines: Vec<(u64, &str)> = again.refused_rows.iter().map(|row| (row.line, row.field.as_str())).collect();
    assert_eq!(lines, [(1, "source_id"), (4, "source_id")]);
    assert_eq!(city.count("select count(*) from ingest.record where source_id = 'cdc-3' and level = 'high'").await, 1);

    // another source has ids of its own
    let laboratory = contact("cdc-3", "13800005678").replace("500101", "500103");
    assert_eq!(counts(&city.ndjson(LABORATORY, laboratory).await), (1, 0, 0));

    city.settle().await;
    let mut records = 0;
    while let Ok(event) = city.told.try_recv() {
        records += city.feed(&event).await.len();
    }
    assert_eq!(records, 9, "rules is told of every record once");
    city.end().await;
}

/// A list so long that all of it is taken for new at first.
fn long_list(ids: std::ops::Range<u32>) -> String {
    ids.map(|n| contact(&format!("cdc-{n:04}"), "13800005678")).collect()
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_a_long_list_only_what_is_new_is_kept_wherever_in_it_the_rest_stands(#[values(Embedded, Postgres)] store: Store) {
    let city = City::new(store).await;
    // one that stands in the middle, and one with another content
    let known = format!("{}{}", contact("cdc-0777", "13800005678"), contact("cdc-0778", "13800005678").replace("high", "low"));
    assert_eq!(counts(&city.ndjson(CDC, known).await), (2, 0, 0));
    assert_eq!(counts(&city.ndjson(CDC, long_list(0..1_000)).await), (998, 1, 1));
    assert_eq!(counts(&city.ndjson(CDC, long_list(0..1_000)).await), (0, 999, 1), "nearly all of it is there");
    assert_eq!(counts(&city.ndjson(CDC, long_list(900..1_900)).await), (900, 100, 0));
    assert_eq!(city.count("select count(*) from ingest.record").await, 1_900);
    city.end().await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_long_list_that_comes_twice_at_once_is_kept_once(#[values(Embedded, Postgres)] store: Store) {
    let city = City::new(store).await;
    let (one, other) = tokio::join!(city.ndjson(CDC, long_list(0..1_000)), city.ndjson(CDC, long_list(0..1_000)));
    assert_eq!((one.accepted + other.accepted, one.repeated + other.repeated, one.refused + other.refused), (1_000, 1_000, 0));
    assert_eq!(city.count("select count(*) from ingest.record").await, 1_000);
    city.end().await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn refused_rows_are_fetched_mended_and_sent_again(#[values(Embedded, Postgres)] store: Store) {
    let city = City::new(store).await;
    let good = contact("cdc-1", "13800005678");
    let rows = format!("{good}{}not json\n\n{}", contact("cdc-2", "1380000567"), contact("cdc-3", "13800005678").replace("high", "huge"));
    let load = city.ndjson(CDC, rows).await;
    assert_eq!(counts(&load), (1, 0, 3));
    let named: Vec<(u64, &str)> = load.refused_rows.iter().map(|row| (row.line, row.field.as_str())).collect();
    assert_eq!(named, [(2, "subject.phone"), (3, "row"), (5, "level")]);

    let refused = city.refused(CDC, &load).await;
    assert!(refused.contains(r#""row":"not json""#), "{refused}");
    let mended = refused.replace("1380000567\"", "13800005670\"").replace("huge", "low");
    assert_eq!(counts(&city.ndjson(CDC, mended).await), (2, 0, 1));

    let kept: Vec<Vec<u8>> =
        sqlx::query_scalar("select row_sealed from ingest.refused_row").fetch_all(city.platform.database.pool()).await.unwrap();
    assert!(!kept.concat().windows(10).any(|bytes| bytes == b"1380000567"), "the rows are sealed");
    city.settle().await;
    let traced: Vec<_> = city.traced.take().into_iter().map(|entry| (entry.actor_kind, entry.action, entry.object)).collect();
    let opened = ("source".to_owned(), "refused_rows.open".to_owned(), load.load_id.to_string());
    assert_eq!(traced, [opened], "and whoever opens them leaves a trace, a key too");
    city.end().await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_spreadsheet_is_uploaded_mended_and_uploaded_again(#[values(Embedded, Postgres)] store: Store) {
    let city = City::new(store).await;
    let file = "\u{feff}source_id;kind;occurred_at;phone;level;district;isolation_site\r\n\
                x-1;close_contact;2026/11/2 8:00;13800005678;high;500101;\"渝州宾馆; 3 号楼\"\r\n\
                x-2;close_contact;2026-11-02 08:00;138;high;500101;\"two\nlines\"\r\n\
                x-3;close_contact;2026-11-02 13:00;13800005678;high;500101;\r\n";
    let form = reqwest::multipart::Form::new().part("file", reqwest::multipart::Part::text(file).file_name("contacts.csv"));
    let client = stages::client();
    let upload = client.post(format!("http://{}/api/v1/records/upload", city.address)).bearer_auth(CDC).multipart(form);
    let load = report(upload).await;
    assert_eq!(counts(&load), (1, 0, 2));
    let named: Vec<(u64, &str)> = load.refused_rows.iter().map(|row| (row.line, row.field.as_str())).collect();
    assert_eq!(named, [(3, "subject.phone"), (5, "occurred_at")]);
    assert_eq!(city.count("select count(*) from ingest.record where attributes ->> 'isolation_site' = '渝州宾馆; 3 号楼'").await, 1);

    let refused = city.refused(CDC, &load).await;
    assert!(refused.starts_with("\u{feff}source_id;kind;occurred_at;phone;level;district;isolation_site;refused_line;"), "{refused}");
    let mended = refused.replace(";138;", ";13800005679;").replace("13:00", "11:00");
    assert_eq!(counts(&city.csv(CDC, mended).await), (2, 0, 0));
    assert_eq!(city.count("select count(*) from ingest.record where attributes ->> 'isolation_site' = E'two\\nlines'").await, 1);
    city.end().await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_record_about_a_stranger_waits_until_they_register(#[values(Embedded, Postgres)] store: Store) {
    let mut city = City::new(store).await;
    let rows = contact("cdc-1", "13800005678") + &contact("cdc-2", "13900001111");
    city.ndjson(CDC, rows).await;
    let event = city.next_told().await;
    assert_eq!(city.feed(&event).await, [("cdc-1".into(), None, None), ("cdc-2".into(), None, None)]);

    city.register("+8613800005678", 17).await;
    let event = city.next_told().await;
    assert_eq!(city.feed(&event).await, [("cdc-1".into(), Some(17), Some(500_101_001_001))]);
    city.settle().await;
    assert!(city.told.try_recv().is_err(), "a registration that is told of twice matches once");

    // and what comes later is matched at once, also without a district
    city.ndjson(CDC, contact("cdc-3", "13800005678").replace(r#""district":"500101","#, "")).await;
    let event = city.next_told().await;
    assert_eq!(city.feed(&event).await, [("cdc-3".into(), Some(17), Some(500_101_001_001))]);
    assert_eq!(counts(&city.ndjson(CDC, contact("cdc-1", "13800005678")).await), (0, 1, 0), "matching does not change the content");
    assert_eq!(city.count("select count(*) from ingest.record where subject_hash is not null").await, 1);
    city.end().await;
}

/// The phone went to somebody else, and the hospital writes the patient's old number beside their document.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_document_that_a_trusted_source_names_beside_a_phone_says_whom_it_is_about() {
    let mut city = City::trusting(Embedded, &["市疾控中心"]).await;
    city.register("+8613800005678", 17).await;
    city.identify("11010519491231002X", 18).await;
    let both = |source_id: &str, number: &str| {
        contact(source_id, "13800005678").replace(r#""phone""#, &format!(r#""identity_number":"{number}","phone""#))
    };
    let report = city.ndjson(CDC, both("cdc-1", "11010519491231002X") + &both("cdc-2", "110101199003070097")).await;
    assert_eq!(counts(&report), (2, 0, 0));
    let event = city.next_told().await;
    let about: Vec<_> = city.feed(&event).await.into_iter().map(|(_, resident, _)| resident).collect();
    assert_eq!(about, [Some(18), Some(17)], "who has proved the document, else who has the phone");
    city.settle().await;
    assert_eq!(city.paired.take().iter().map(|event| event.pairs.len()).sum::<usize>(), 2);
    city.end().await;

    let city = City::new(Embedded).await;
    assert_eq!(counts(&city.ndjson(CDC, both("cdc-1", "11010519491231002X")).await), (0, 0, 1), "from others it is one or the other");
    city.end().await;
}

/// Whoever wrote down a number before proof was asked for does not get what a hospital writes about somebody with another phone.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_document_that_nobody_proved_gives_way_to_the_phone_beside_it_and_only_what_was_taken_is_told() {
    let mut city = City::trusting(Embedded, &["市疾控中心"]).await;
    city.register("+8613800005678", 17).await;
    city.identified_by("11010519491231002X", 18, None).await;
    city.identified_by("110101199003070097", 19, Some("earlier")).await;
    let both = |source_id: &str, phone: &str, number: &str| {
        contact(source_id, phone).replace(r#""phone""#, &format!(r#""identity_number":"{number}","phone""#))
    };
    let records = both("cdc-1", "13800005678", "11010519491231002X")
        + &both("cdc-2", "13800005678", "110101199003070097")
        + &both("cdc-3", "13800009999", "11010519491231002X");
    assert_eq!(counts(&city.ndjson(CDC, records).await), (3, 0, 0));
    let event = city.next_told().await;
    let about: Vec<_> = city.feed(&event).await.into_iter().map(|(_, resident, _)| resident).collect();
    assert_eq!(about, [Some(17), Some(17), Some(18)], "who has the phone; where nobody has it, who says that the document is theirs");
    city.settle().await;
    assert_eq!(city.paired.take().iter().map(|event| event.pairs.len()).sum::<usize>(), 3);

    let refused = both("cdc-1", "13800005678", "110101199003070097").replace("渝州宾馆", "山城宾馆");
    assert_eq!(counts(&city.ndjson(CDC, refused).await), (0, 0, 1), "another content under a known id");
    city.settle().await;
    assert_eq!(city.paired.take().len(), 0, "what was refused proves nothing");
    city.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn late_word_of_a_registration_takes_no_records_of_a_document_that_went_on() {
    let city = City::new(Embedded).await;
    city.register("+8613800005678", 17).await;
    let waits = contact("cdc-1", "13800005678").replace(r#""phone":"13800005678""#, r#""identity_number":"11010519491231002X""#);
    assert_eq!(counts(&city.ndjson(CDC, waits).await), (1, 0, 0));
    city.late_word_of("11010519491231002X", 17).await;
    city.settle().await;
    assert_eq!(city.count("select count(*) from ingest.record where resident_no is not null").await, 0);
    city.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_person_needs_a_district_or_a_registration() {
    let city = City::new(Embedded).await;
    let unknown = contact("cdc-1", "13800005678").replace(r#""district":"500101","#, "");
    let number = contact("cdc-2", "13800005678").replace(r#"{"phone":"13800005678"}"#, r#"{"resident_no":99}"#);
    let load = city.ndjson(CDC, unknown + &number).await;
    let named: Vec<&str> = load.refused_rows.iter().map(|row| row.field.as_str()).collect();
    assert_eq!(named, ["district", "subject.resident_no"]);

    city.register("+8613800005678", 17).await;
    assert_eq!(counts(&city.ndjson(CDC, contact("cdc-3", "13800005678").replace(r#""district":"500101","#, "")).await), (1, 0, 0));
    city.end().await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_delivers_for_one_district_learns_of_nobody_whether_or_where_they_live(#[values(Embedded, Postgres)] store: Store) {
    let city = City::new(store).await;
    let nowhere = |id: &str, phone: &str| contact(id, phone).replace(r#""district":"500101","#, "");
    let own = |id: &str, phone: &str| contact(id, phone).replace("500101", "500103");
    // one lives in another district, one is not registered
    city.register("+8613800005678", 17).await;
    let rows = nowhere("1", "13800005678") + &nowhere("2", "13800005677");
    let load = city.ndjson(LABORATORY, rows).await;
    let why: Vec<_> = load.refused_rows.iter().map(|row| (row.field.as_str(), row.reason_en.as_str())).collect();
    assert_eq!((why.len(), why[0].0, why[0]), (2, "district", why[1]), "one answer for all");

    // a record of the own district about who lives elsewhere stays a record of the district, now and for who registers later
    city.ndjson(LABORATORY, own("3", "13800005678") + &own("4", "13800005676")).await;
    city.register("+8613800005676", 19).await;
    city.settle().await;
    let placed = "select count(*) from ingest.record where source_id in ('3', '4') and resident_no is not null and township is null and community is null";
    assert_eq!(city.count(placed).await, 2);
    let exact = contact("5", "13800005678");
    assert_eq!(counts(&city.ndjson(CDC, exact).await), (1, 0, 0));
    assert_eq!(city.count("select count(*) from ingest.record where source_id = '5' and community = 500101001001").await, 1);
    city.end().await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_ends_with_the_key_that_it_came_by(#[values(Embedded, Postgres)] store: Store) {
    let city = City::new(store).await;
    let (more, pieces) = futures::channel::mpsc::unbounded::<Result<String, std::io::Error>>();
    let body = reqwest::Body::wrap_stream(pieces);
    let sending = tokio::spawn(city.post(CDC, "/api/v1/records/stream", "application/x-ndjson").body(body).send());
    let rows = |from: u32| (from..from + 3).map(|n| contact(&format!("cdc-{n}"), "13800005678")).collect::<String>();
    let stored = async || city.count("select count(*) from ingest.record").await;
    for hours in 1..=3 {
        more.unbounded_send(Ok(rows(hours * 10))).unwrap();
        stages::until("they are stored", async || stored().await == i64::from(hours) * 3).await;
        city.platform.clock.forward(60 * MINUTE);
    }

    city.revoke_keys();
    city.platform.clock.forward(MINUTE);
    // it ends by itself, although the source would go on
    assert!(stages::soon("it ends", sending).await.unwrap().is_ok_and(|answer| answer.status() == 200));
    more.unbounded_send(Ok(rows(90))).ok();
    assert_eq!(city.get(CDC, "/api/v1/loads").await.status(), 401);
    assert_eq!(stored().await, 9);
    assert_eq!(city.count("select count(*) from ingest.load where ending = 'broken_off'").await, 1);
    city.end().await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_that_breaks_off_keeps_what_was_whole(#[values(Embedded, Postgres)] store: Store) {
    let city = City::new(store).await;
    let rows: String = (0..5).map(|n| contact(&format!("cdc-{n}"), "13800005678")).collect();
    let cut = rows.len() - 40;
    let head = format!(
        "POST /api/v1/records/stream HTTP/1.1\r\nhost: city\r\nauthorization: Bearer {CDC}\r\ncontent-length: {}\r\n\r\n",
        rows.len()
    );
    let mut line = tokio::net::TcpStream::connect(city.address).await.unwrap();
    line.write_all(head.as_bytes()).await.unwrap();
    line.write_all(&rows.as_bytes()[..cut]).await.unwrap();
    drop(line);

    let load = eventually("the load is finished", async || {
        let loads: Vec<LoadReport> = serde_json::from_str(&city.get(CDC, "/api/v1/loads").await.text().await.unwrap()).unwrap();
        loads.into_iter().find(|load| load.finished_at.is_some())
    })
    .await;
    assert_eq!((load.ending, counts(&load)), (Some(Ending::BrokenOff), (4, 0, 1)));
    let shown: LoadReport =
        serde_json::from_str(&city.get(CDC, &format!("/api/v1/loads/{}", load.load_id)).await.text().await.unwrap()).unwrap();
    assert_eq!((shown.refused_rows[0].line, shown.refused_rows[0].field.as_str()), (5, "row"));
    assert_eq!(counts(&city.ndjson(CDC, rows).await), (1, 4, 0));
    city.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_upload_over_the_limit_keeps_what_came_before() {
    let city = City::new(Embedded).await;
    let rows = (0..2_000).map(|n| format!("x-{n},case,2026-11-02 08:00,13800005678,high,500101\n"));
    let pieces: Vec<Result<Bytes, std::io::Error>> = std::iter::once("source_id,kind,occurred_at,phone,level,district\n".to_owned())
        .chain(rows)
        .map(|row| Ok(Bytes::from(row)))
        .collect();
    // without a length announced, so that only the bytes themselves can tell
    let load = city.csv(CDC, reqwest::Body::wrap_stream(futures::stream::iter(pieces))).await;
    assert_eq!(load.ending, Some(Ending::TooLarge));
    assert!(load.accepted > 1_000, "{load:?}");
    city.end().await;
}

#[rstest]
#[case::utf16("text/csv", b"\xff\xfes\x00o\x00", 400, "csv_header")]
#[case::no_encoding("text/csv", b"\xff\xff,kind\n", 400, "csv_header")]
#[case::no_column("text/csv", b"source_id,kind\n", 400, "csv_header")]
#[case::empty("text/csv", b"", 400, "csv_header")]
#[case::picture("image/png", b"{}", 415, "media_type_unsupported")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_cannot_be_used_is_refused_whole(
    #[case] media_type: &str,
    #[case] file: &'static [u8],
    #[case] status: u16,
    #[case] code: &str,
) {
    let city = City::new(Embedded).await;
    let answer = city.post(CDC, "/api/v1/records/upload", media_type).body(file).send().await.expect("an answer");
    assert_eq!(answer.status(), status);
    let problem: serde_json::Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
    assert_eq!(problem["code"], code);
    assert_eq!(city.count("select count(*) from ingest.load").await, 0);
    city.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_batch_is_one_record_or_an_array_of_at_most_five_thousand() {
    let city = City::new(Embedded).await;
    let batch = |body: String| city.post(CDC, "/api/v1/records", "application/json").body(body);
    assert_eq!(counts(&report(batch(contact("cdc-1", "13800005678"))).await), (1, 0, 0));
    let array = format!("[{},{},17]", contact("cdc-1", "13800005678"), contact("cdc-2", "13800005678"));
    let load = report(batch(array)).await;
    assert_eq!(counts(&load), (1, 1, 1));
    assert_eq!(load.refused_rows[0].line, 3);
    for (body, code) in [("[{}", "json_malformed"), ("", "json_malformed"), (&*format!("[{}17]", "17,".repeat(5_000)), "too_many_records")]
    {
        let problem: serde_json::Value = serde_json::from_str(&batch(body.to_owned()).send().await.unwrap().text().await.unwrap()).unwrap();
        assert_eq!(problem["code"], code);
    }
    city.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn loads_are_seen_by_their_sender_and_the_command_and_rows_by_their_sender_alone() {
    let city = City::new(Embedded).await;
    let own = contact("r-1", "13800005678");
    let load = city.ndjson(REVIEWER, own.replace("500101", "500103") + &own).await;
    assert_eq!((counts(&load), load.refused_rows[0].field.as_str()), ((1, 0, 1), "district"));

    let path = format!("/api/v1/loads/{}", load.load_id);
    let rows = format!("{path}/refused");
    for (token, seen, rows_seen) in [(REVIEWER, 200, 200), (COMMAND, 200, 403), (LABORATORY, 404, 404), (AUDITOR, 403, 403)] {
        assert_eq!(city.get(token, &path).await.status(), seen, "{token}");
        assert_eq!(city.get(token, &rows).await.status(), rows_seen, "{token}");
    }
    assert_eq!(city.post(AUDITOR, "/api/v1/records", "application/json").body("{}").send().await.unwrap().status(), 403);
    city.settle().await;
    let traced = city.traced.count();
    assert_eq!(traced, 2, "the delivery and the one opening of its rows");
    city.end().await;
}

/// The way of a load that finds none of its ids there, and then one of them is.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_id_that_another_load_takes_meanwhile_is_compared_and_the_others_are_kept() {
    let city = City::new(Postgres).await;
    let mut other = city.platform.database.begin().await.unwrap();
    sqlx::query(
        "insert into ingest.record (source, source_id, chunk_id, content_hash, kind, origin, level, district, occurred_at, received_at, subject_kind, attributes)
         values ('市疾控中心', 'cdc-1', gen_random_uuid(), '\\x00', 'case', 'surveillance', 'low', 500101, now(), now(), 'place', '{}')",
    )
    .execute(&mut *other)
    .await
    .unwrap();
    let rows: String = (0..3).map(|n| contact(&format!("cdc-{n}"), "13800005678")).collect();
    let commit = async {
        let waiting = "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'";
        stages::until("the load waits for the other one", async || city.count(waiting).await > 0).await;
        other.commit().await.unwrap();
    };
    let (load, ()) = tokio::join!(city.ndjson(CDC, rows), commit);
    assert_eq!(counts(&load), (2, 0, 1));
    assert_eq!((load.refused_rows[0].line, load.refused_rows[0].field.as_str()), (2, "source_id"));
    assert_eq!(city.count("select count(*) from ingest.record where source_id in ('cdc-0', 'cdc-2')").await, 2);
    city.end().await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_list_says_twice_holds_as_it_was_said_first_however_far_apart(#[values(Embedded, Postgres)] store: Store) {
    let city = City::new(store).await;
    // each four rows and more from the other, so in chunks of their own that may be in the store together
    let others = |from: u32| (from..from + 4).map(|n| contact(&format!("other-{n}"), "13800005678")).collect::<String>();
    for round in 0..20 {
        let (one, from) = (contact(&format!("twice-{round}"), "13800005678"), round * 100);
        let taken_back = format!(r#"{{"source_id":"taken-{round}","correction":"retract","correction_reason":"误报"}}"#);
        let rows = [
            others(from),
            one.clone(),
            others(from + 10),
            one.replace("high", "low"),
            others(from + 20),
            one,
            contact(&format!("taken-{round}"), "13800005678"),
            others(from + 30),
            taken_back + "\n",
            others(from + 40),
        ];
        let load = city.ndjson(CDC, rows.concat()).await;
        assert_eq!((counts(&load), load.retracted), ((20 + 2, 1, 1), 1), "round {round}: {:?}", load.refused_rows);
    }
    let first = "select count(*) from ingest.record where source_id like 'twice-%' and level = 'high'";
    assert_eq!(city.count(first).await, 20);
    city.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn json_as_a_file_is_read_whole_however_many_records_it_has() {
    let city = City::in_chunks_of(Embedded, 1_000).await;
    let record = |id: String| {
        format!(
            "{{\"source_id\":{id},\"kind\":\"case\",\"occurred_at\":\"2026-11-02T03:00:00Z\",\"level\":\"high\",\n \"district\":\"500103\",\"subject\":{{\"phone\":\"13800005678\"}},\"attributes\":{{\"note\":\"渝州宾馆\"}}}}"
        )
    };
    let send = async |file: Vec<u8>| report(city.post(CDC, "/api/v1/records/upload", "application/octet-stream").body(file)).await;

    // more than a batch has, with ids of more digits than a double keeps
    let many: Vec<String> = (0..5_200).map(|n| record(format!("900719925474{n:07}"))).collect();
    let report = send(format!("[{}]", many.join(",\n")).into_bytes()).await;
    assert_eq!((counts(&report), report.format.as_str()), ((5_200, 0, 0), "json"));
    assert_eq!(city.count("select count(*) from ingest.record where source_id = '9007199254740005199'").await, 1);

    // one record written over several lines, and lines and an array in GB18030
    assert_eq!(counts(&send(format!("{{\n{}", &record("\"p-1\"".into())[1..]).into_bytes()).await), (1, 0, 0));
    let gb = |text: &str| encoding_rs::GB18030.encode(text).0.into_owned();
    assert_eq!(counts(&send(gb(&format!("[{}]", record("\"g-1\"".into())))).await), (1, 0, 0));
    assert_eq!(counts(&send(gb(&record("\"g-2\"".into()).replace('\n', ""))).await), (1, 0, 0));
    let notes = "select count(*) from ingest.record where source_id in ('g-1', 'g-2') and attributes ->> 'note' = '渝州宾馆'";
    assert_eq!(city.count(notes).await, 2);

    let broken = city.post(CDC, "/api/v1/records/upload", "application/octet-stream").body(format!("[{},\n{{]", record("\"b-1\"".into())));
    let answer: serde_json::Value = broken.send().await.unwrap().json().await.unwrap();
    assert_eq!(answer["code"], "json_malformed");
    assert_eq!(city.count("select count(*) from ingest.record where source_id = 'b-1'").await, 0, "whole or not at all");
    city.end().await;
}
