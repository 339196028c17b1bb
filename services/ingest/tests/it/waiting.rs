//! Stories of lists that are unlike what their source usually brings, and wait for a person.

use http::StatusCode;
use ingest::LoadReport;
use rust_xlsxwriter::Workbook;
use serde_json::{Value, json};
use stages::Store::{self, Embedded, Postgres};
use stages::{DAY, MINUTE};

use crate::city::{CDC, COMMAND, City, LABORATORY, OPERATOR, REVIEWER, SUBMITTER, contact, counts, report};

const HEADER: &str = "source_id,kind,occurred_at,phone,level,district,isolation_site\n";
const DISTRICTS: [&str; 4] = ["500101", "500103", "500112", "500113"];

/// Rows with ids that begin with `day`, of several districts.
fn rows(day: &str, count: usize) -> String {
    (0..count)
        .map(|n| format!("{day}-{n},close_contact,2026-11-02 11:00,1380000{n:04},high,{},渝州宾馆\n", DISTRICTS[n % DISTRICTS.len()]))
        .collect()
}

/// A city whose source has brought five lists of thirty rows.
async fn with_a_usual(store: Store, token: &str) -> City {
    let city = City::in_chunks_of(store, 5_000).await;
    for day in 0..5 {
        let load = city.csv(token, format!("{HEADER}{}", rows(&format!("day{day}"), 30))).await;
        assert_eq!(load.held, None, "a source without history is never held");
    }
    city
}

fn why(load: &LoadReport) -> Vec<&str> {
    load.held.iter().flat_map(|held| &held.why).map(|one| one.why.as_str()).collect()
}

async fn release(city: &City, token: &str, load: &LoadReport) -> reqwest::Response {
    city.post(token, &format!("/api/v1/loads/{}/release", load.load_id), "application/json").send().await.unwrap()
}

async fn released(city: &City, load: &LoadReport) -> LoadReport {
    report(city.post(COMMAND, &format!("/api/v1/loads/{}/release", load.load_id), "application/json")).await
}

async fn discard(city: &City, token: &str, load: &LoadReport, reason: &str) -> reqwest::Response {
    let path = format!("/api/v1/loads/{}/discard", load.load_id);
    city.post(token, &path, "application/json").body(json!({ "reason": reason }).to_string()).send().await.unwrap()
}

async fn waiting(city: &City, token: &str) -> Vec<Value> {
    city.get(token, "/api/v1/waiting-loads").await.json().await.unwrap()
}

async fn code(answer: reqwest::Response) -> (StatusCode, String) {
    let (status, text) = (answer.status(), answer.text().await.unwrap());
    let problem: Value = serde_json::from_str(&text).unwrap_or_else(|_| panic!("{status} {text}"));
    (status, problem["code"].as_str().unwrap_or_default().to_owned())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_list_of_ten_times_the_rows_waits_and_counts_whole_once_it_is_released() {
    let mut city = with_a_usual(Postgres, CDC).await;
    for _ in 0..5 {
        city.next_told().await;
    }
    let list = format!("{HEADER}{}", rows("many", 1_000));
    let load = city.csv(CDC, list.clone()).await;
    assert_eq!((counts(&load), why(&load)), ((0, 0, 0), vec!["many_rows"]));
    let held = load.held.clone().unwrap();
    assert_eq!((held.state.to_string(), held.rows, held.refused), ("waiting".to_owned(), 1_000, 0));
    assert!(held.why[0].reason.contains("约 1000 行，平时最多约 30 行"), "{held:?}");
    assert!(held.why[0].reason_en.contains("1000 rows; 30 are usual"), "{held:?}");
    city.settle().await;
    assert_eq!(city.count("select count(*) from ingest.record where source_id like 'many%'").await, 0);
    assert!(city.told.try_recv().is_err(), "rules hears nothing of it");

    // those whom it concerns see it, and its sender sees why
    let seen = waiting(&city, COMMAND).await;
    assert_eq!((seen.len(), &seen[0]["source"], &seen[0]["yours"]), (1, &json!("市疾控中心"), &json!(true)));
    assert_eq!(waiting(&city, OPERATOR).await[0]["yours"], false, "the operator sees it and does not decide");
    assert_eq!(waiting(&city, REVIEWER).await, Vec::<Value>::new(), "a source of the city is not the district's");
    let shown: LoadReport = city.get(CDC, &format!("/api/v1/loads/{}", load.load_id)).await.json().await.unwrap();
    assert_eq!(why(&shown), ["many_rows"]);

    let after = released(&city, &load).await;
    assert_eq!((counts(&after), after.held.unwrap().state.to_string()), ((1_000, 0, 0), "released".to_owned()));
    assert_eq!(city.next_told().await.records, 1_000);
    assert_eq!(counts(&released(&city, &load).await), (1_000, 0, 0), "released twice it counts once");
    city.settle().await;
    let traced: Vec<_> = city.traced.take().into_iter().map(|entry| (entry.action, entry.object)).collect();
    assert_eq!(traced, [("load.release".to_owned(), load.load_id.to_string())], "one decision leaves one trace");
    assert_eq!(city.count("select count(*) from ingest.record where source_id like 'many%'").await, 1_000);
    assert_eq!(city.count("select count(*) from ingest.held_block").await, 0);
    assert_eq!(waiting(&city, COMMAND).await, Vec::<Value>::new());
    let sealed = "select count(*) from ingest.held_load where sender::text like '%fhk_%'";
    assert_eq!(city.count(sealed).await, 0, "no key is kept");

    let next = city.csv(CDC, format!("{HEADER}{}", rows("next", 1_000))).await;
    assert_eq!((counts(&next), next.held), ((1_000, 0, 0), None), "what was released is part of the usual");
    city.told.close();
    city.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_discarded_list_never_counts_and_its_records_can_come_again() {
    let city = with_a_usual(Embedded, CDC).await;
    let load = city.csv(CDC, format!("{HEADER}{}", rows("many", 1_000))).await;
    assert_eq!(discard(&city, COMMAND, &load, " ").await.status(), StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(discard(&city, COMMAND, &load, "来电 13800000001").await.status(), StatusCode::UNPROCESSABLE_ENTITY);
    let answer = discard(&city, COMMAND, &load, "误报：测试数据").await;
    let after: LoadReport = answer.json().await.unwrap();
    let held = after.held.unwrap();
    assert_eq!((held.state.to_string(), held.reason.as_deref()), ("discarded".to_owned(), Some("误报：测试数据")));
    assert_eq!(code(release(&city, COMMAND, &load).await).await, (StatusCode::CONFLICT, "load_decided".to_owned()));
    assert_eq!(city.count("select count(*) from ingest.held_block").await, 0);
    city.settle().await;
    assert_eq!(city.count("select count(*) from ingest.record where source_id like 'many%'").await, 0);
    let again = city.csv(CDC, format!("{HEADER}{}", rows("many", 40))).await;
    assert_eq!((counts(&again), again.held), ((40, 0, 0), None));
    city.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_list_of_one_district_or_with_an_empty_column_waits() {
    let city = with_a_usual(Embedded, CDC).await;
    let usual = rows("one", 40);
    let one_district = DISTRICTS.iter().fold(usual.clone(), |list, district| list.replace(&format!(",{district},"), ",500103,"));
    assert_eq!(why(&city.csv(CDC, format!("{HEADER}{one_district}")).await), ["one_district"]);
    let empty = city.csv(CDC, format!("{HEADER}{}", usual.replace("渝州宾馆", ""))).await;
    assert_eq!((why(&empty), counts(&empty)), (vec!["empty_column"], (0, 0, 0)));
    assert!(empty.held.unwrap().why[0].reason.contains("isolation_site"));
    let refused = city.csv(CDC, format!("{HEADER}{}", usual.replace(",high,", ",谣言,"))).await;
    assert_eq!((why(&refused), counts(&refused), refused.refused_rows.len()), (vec!["refused"], (0, 0, 0), 40));
    // few rows may be of one district by chance
    let few = city.csv(CDC, format!("{HEADER}{}", &one_district[..one_district.match_indices('\n').nth(9).unwrap().0])).await;
    assert_eq!((counts(&few), few.held), ((10, 0, 0), None));
    assert_eq!(
        counts(&released(&city, &empty_of(&city, "empty_column").await).await),
        (30, 0, 10),
        "what it says otherwise than a list that came meanwhile is refused"
    );
    city.end().await;
}

/// The list that waits for this reason.
async fn empty_of(city: &City, reason: &str) -> LoadReport {
    let waiting = waiting(city, COMMAND).await;
    let one = waiting.iter().find(|one| one["held"]["why"][0]["why"] == reason).unwrap();
    city.get(COMMAND, &format!("/api/v1/loads/{}", one["load_id"].as_str().unwrap())).await.json().await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn how_long_a_file_is_is_foreseen_before_its_first_block_counts() {
    let city = City::in_chunks_of(Embedded, 500).await;
    for day in 0..5 {
        city.csv(CDC, format!("{HEADER}{}", rows(&format!("day{day}"), 30))).await;
    }
    let stream: String = (0..1_150).map(|n| contact(&format!("stream-{n}"), &format!("1380000{n:04}"))).collect();
    assert_eq!(counts(&city.ndjson(CDC, stream).await), (0, 0, 0), "a stream that says how long it is");
    let load = city.csv(CDC, format!("{HEADER}{}", rows("long", 1_200))).await;
    assert_eq!((counts(&load), why(&load)), ((0, 0, 0), vec!["many_rows"]));
    assert_eq!(city.count("select sum(blocks)::bigint from ingest.held_load").await, 3 + 3);
    assert_eq!(counts(&released(&city, &load).await), (1_200, 0, 0));
    city.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_is_held_from_where_it_exceeds_the_usual() {
    let city = City::in_chunks_of(Postgres, 100).await;
    for day in 0..5 {
        city.ndjson(CDC, (0..30).map(|n| contact(&format!("day{day}-{n}"), &format!("1380000{n:04}"))).collect::<String>()).await;
    }
    let stream: String = (0..1_150).map(|n| contact(&format!("many-{n}"), &format!("1380000{n:04}"))).collect();
    let pieces = [Ok::<_, std::io::Error>(stream.clone())];
    let load = city.ndjson(CDC, reqwest::Body::wrap_stream(futures::stream::iter(pieces))).await;
    assert_eq!((counts(&load), why(&load)), ((900, 0, 0), vec!["many_rows"]));
    assert_eq!(load.held.as_ref().unwrap().rows, 250);
    assert_eq!(counts(&released(&city, &load).await), (1_150, 0, 0));
    city.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_that_is_released_while_it_arrives_counts_whole() {
    let city = City::in_chunks_of(Embedded, 100).await;
    for day in 0..5 {
        city.csv(CDC, format!("{HEADER}{}", rows(&format!("day{day}"), 30))).await;
    }
    let piece = |rows: std::ops::Range<u32>| rows.map(|n| contact(&format!("many-{n}"), &format!("1380000{n:04}"))).collect::<String>();
    let (more, pieces) = futures::channel::mpsc::unbounded::<Result<String, std::io::Error>>();
    let body = reqwest::Body::wrap_stream(pieces);
    let sending = tokio::spawn(report(city.post(CDC, "/api/v1/records/stream", "application/x-ndjson").body(body)));
    more.unbounded_send(Ok(piece(0..1_100))).unwrap();
    // all of one district, so it is held from its first block on
    stages::until("what came is held", async || waiting(&city, COMMAND).await.iter().any(|one| one["held"]["rows"] == 1_100)).await;
    let list = waiting(&city, COMMAND).await.remove(0);
    assert_eq!(list["arrived"], false);
    let load: LoadReport = city.get(COMMAND, &format!("/api/v1/loads/{}", list["load_id"].as_str().unwrap())).await.json().await.unwrap();
    assert_eq!(counts(&released(&city, &load).await), (1_100, 0, 0));
    more.unbounded_send(Ok(piece(1_100..1_150))).unwrap();
    drop(more);
    let load = sending.await.unwrap();
    assert_eq!((counts(&load), load.held.unwrap().state.to_string()), ((1_150, 0, 0), "released".to_owned()));
    assert_eq!(city.count("select count(*) from ingest.record where source_id like 'many%'").await, 1_150);
    city.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_workbook_waits_before_its_first_block_counts() {
    let city = City::in_chunks_of(Embedded, 500).await;
    for day in 0..5 {
        city.csv(CDC, format!("{HEADER}{}", rows(&format!("day{day}"), 30))).await;
    }
    let mut book = Workbook::new();
    let sheet = book.add_worksheet();
    for (at, row) in format!("{HEADER}{}", rows("book", 1_200)).lines().enumerate() {
        for (column, cell) in row.split(',').enumerate() {
            sheet.write_string(u32::try_from(at).unwrap(), u16::try_from(column).unwrap(), cell).unwrap();
        }
    }
    let file = book.save_to_buffer().unwrap();
    let load = report(city.post(CDC, "/api/v1/records/upload", "application/octet-stream").body(file)).await;
    assert_eq!((counts(&load), why(&load), load.format.as_str()), ((0, 0, 0), vec!["many_rows"], "xlsx"));
    assert_eq!(counts(&released(&city, &load).await), (1_200, 0, 0));
    city.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_release_that_is_cut_off_goes_on_by_itself_and_doubles_nothing() {
    let city = City::in_chunks_of(Postgres, 300).await;
    for day in 0..5 {
        city.csv(CDC, format!("{HEADER}{}", rows(&format!("day{day}"), 30))).await;
    }
    let rows = rows("many", 1_200).replace("many-700,close_contact", "many-700,谣言");
    let load = city.csv(CDC, format!("{HEADER}{rows}")).await;
    assert_eq!(city.count("select blocks::bigint from ingest.held_load").await, 4);
    // the third block cannot be stored for now
    let broken = "create function ingest.broken() returns trigger language plpgsql as $$ begin raise exception 'broken'; end $$;
                  create trigger broken before insert on ingest.record for each row when (new.source_id = 'many-650')
                  execute function ingest.broken()";
    sqlx::raw_sql(broken).execute(city.platform.database.pool()).await.unwrap();
    assert_eq!(release(&city, COMMAND, &load).await.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(city.count("select count(*) from ingest.record where source_id like 'many%'").await, 600);
    assert_eq!(waiting(&city, COMMAND).await[0]["held"]["state"], "releasing");
    assert_eq!(code(discard(&city, COMMAND, &load, "误报").await).await.1, "load_decided", "some of it counts already");

    sqlx::raw_sql("drop trigger broken on ingest.record").execute(city.platform.database.pool()).await.unwrap();
    city.forward(2 * MINUTE).await;
    assert_eq!(waiting(&city, COMMAND).await, Vec::<Value>::new());
    let after: LoadReport = city.get(CDC, &format!("/api/v1/loads/{}", load.load_id)).await.json().await.unwrap();
    assert_eq!((counts(&after), after.held.unwrap().state.to_string()), ((1_199, 0, 1), "released".to_owned()));
    assert_eq!(after.refused_rows[0].line, 702);
    assert!(city.refused(CDC, &load).await.contains("many-700"), "its refused row is given back as it came");
    assert_eq!(city.count("select sum(records)::bigint from ingest.chunk c join ingest.held_load using (load_id)").await, 1_199);
    city.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_answers_for_the_area_decides_and_never_who_sent_it() {
    let city = City::in_chunks_of(Embedded, 5_000).await;
    let of_the_district = |day: &str, count: usize| {
        DISTRICTS.iter().fold(rows(day, count), |list, district| list.replace(&format!(",{district},"), ",500101,"))
    };
    for day in 0..5 {
        city.csv(REVIEWER, format!("{HEADER}{}", of_the_district(&format!("day{day}"), 30))).await;
    }
    let load = city.csv(REVIEWER, format!("{HEADER}{}", of_the_district("many", 1_000))).await;
    assert_eq!(why(&load), ["many_rows"], "what staff upload is compared with their own");
    assert_eq!(code(release(&city, REVIEWER, &load).await).await, (StatusCode::FORBIDDEN, "own_delivery".to_owned()));
    assert_eq!(release(&city, SUBMITTER, &load).await.status(), StatusCode::FORBIDDEN);
    assert_eq!(release(&city, OPERATOR, &load).await.status(), StatusCode::FORBIDDEN);
    assert_eq!(release(&city, CDC, &load).await.status(), StatusCode::FORBIDDEN);
    let usual = city.csv(REVIEWER, format!("{HEADER}{}", of_the_district("few", 3))).await;
    assert_eq!(code(release(&city, REVIEWER, &usual).await).await, (StatusCode::CONFLICT, "load_not_waiting".to_owned()));
    assert_eq!(release(&city, COMMAND, &load).await.status(), StatusCode::OK);

    for day in 0..5 {
        city.csv(LABORATORY, format!("{HEADER}{}", of_the_district(&format!("lab{day}"), 30).replace("500101", "500103"))).await;
    }
    let load = city.csv(LABORATORY, format!("{HEADER}{}", of_the_district("lab", 1_000).replace("500101", "500103"))).await;
    assert_eq!(code(release(&city, REVIEWER, &load).await).await.0, StatusCode::NOT_FOUND, "another district's source");
    city.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_list_that_nobody_decides_about_is_given_up_in_time() {
    let city = with_a_usual(Embedded, CDC).await;
    let load = city.csv(CDC, format!("{HEADER}{}", rows("many", 1_000))).await;
    city.forward(31 * DAY).await;
    let after: LoadReport = city.get(CDC, &format!("/api/v1/loads/{}", load.load_id)).await.json().await.unwrap();
    assert_eq!((counts(&after), after.held.unwrap().state.to_string()), ((0, 0, 0), "expired".to_owned()));
    assert_eq!(city.count("select count(*) from ingest.held_block").await, 0);
    city.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_preview_says_that_a_list_would_wait() {
    let city = with_a_usual(Embedded, CDC).await;
    let looked = async |list: String| -> Value {
        let answer = city.post(CDC, "/api/v1/records/preview", "text/csv").body(list).send().await.unwrap();
        answer.json().await.unwrap()
    };
    assert_eq!(looked(format!("{HEADER}{}", rows("many", 1_000))).await["would_wait"][0]["why"], "many_rows");
    assert_eq!(looked(format!("{HEADER}{}", rows("few", 30))).await["would_wait"], json!([]));
    city.end().await;
}
