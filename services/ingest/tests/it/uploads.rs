//! Stories of files that are sent in pieces, and cut, and gone on with.

use std::time::Duration;

use http::{Method, StatusCode};
use ingest::LoadReport;
use serde_json::Value;
use stages::Store::{Embedded, Postgres};
use tokio::io::AsyncWriteExt as _;

use crate::city::{CDC, City, LABORATORY, contact, counts};

const PIECE: &str = "application/offset+octet-stream";

/// A file on its way.
struct Upload<'c> {
    city: &'c City,
    token: &'static str,
    place: String,
}

impl<'c> Upload<'c> {
    async fn begin(city: &'c City, token: &'static str, bytes: usize) -> Self {
        let answer = city.ask(Method::POST, token, "/api/v1/uploads").header("upload-length", bytes).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::CREATED);
        assert_eq!(
            (&answer.headers()["upload-offset"], &answer.headers()["tus-resumable"]),
            (&"0".parse().unwrap(), &"1.0.0".parse().unwrap())
        );
        let place = answer.headers()["location"].to_str().unwrap().to_owned();
        Self { city, token, place }
    }

    fn id(&self) -> &str {
        self.place.rsplit('/').next().unwrap()
    }

    async fn add(&self, at: usize, piece: impl Into<reqwest::Body>) -> (StatusCode, Option<usize>, Value) {
        let request = self.city.ask(Method::PATCH, self.token, &self.place).header("upload-offset", at).header("content-type", PIECE);
        let answer = request.body(piece).send().await.unwrap();
        let offset = answer.headers().get("upload-offset").map(|offset| offset.to_str().unwrap().parse().unwrap());
        (answer.status(), offset, answer.json().await.unwrap_or_default())
    }

    /// How far it is.
    async fn offset(&self) -> Option<usize> {
        let answer = self.city.ask(Method::HEAD, self.token, &self.place).send().await.unwrap();
        (answer.status() == StatusCode::OK).then(|| answer.headers()["upload-offset"].to_str().unwrap().parse().unwrap())
    }

    async fn ask(&self, what: &str) -> (StatusCode, Value) {
        let path = format!("/api/v1/records/{what}?upload_id={}", self.id());
        let answer = self.city.ask(Method::POST, self.token, &path).send().await.unwrap();
        (answer.status(), answer.json().await.unwrap())
    }

    async fn deliver(&self) -> LoadReport {
        let (status, report) = self.ask("upload").await;
        assert_eq!(status, StatusCode::OK, "{report}");
        serde_json::from_value(report).unwrap()
    }
}

fn list(rows: u32) -> String {
    (0..rows).map(|n| contact(&format!("u-{n}"), &format!("1380000{n:04}"))).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_is_cut_goes_on_where_it_was_and_counts_once() {
    let city = City::new(Postgres).await;
    let file = list(20);
    let (first, rest) = file.split_at(700);
    let upload = Upload::begin(&city, CDC, file.len()).await;
    // the connection breaks in the middle of a piece
    let place = &upload.place;
    let head = format!(
        "PATCH {place} HTTP/1.1\r\nhost: city\r\nauthorization: Bearer {CDC}\r\nupload-offset: 0\r\ncontent-type: {PIECE}\r\ncontent-length: {}\r\n\r\n",
        file.len()
    );
    let mut line = tokio::net::TcpStream::connect(city.address).await.unwrap();
    line.write_all(head.as_bytes()).await.unwrap();
    line.write_all(first.as_bytes()).await.unwrap();
    drop(line);
    stages::until("what came before the cut is kept", async || upload.offset().await == Some(first.len())).await;

    assert_eq!(upload.ask("upload").await.1["type"], "urn:fenghuo:problem:upload_incomplete");
    assert_eq!(city.count("select count(*) from ingest.load").await, 0, "nothing of it counts before it is whole");
    assert_eq!(upload.add(first.len(), rest.to_owned()).await.0, StatusCode::NO_CONTENT);

    let (status, seen) = upload.ask("preview").await;
    assert_eq!((status, &seen["accepted"]), (StatusCode::OK, &20.into()), "{seen}");
    assert_eq!(city.count("select count(*) from ingest.record").await, 0);
    let report = upload.deliver().await;
    assert_eq!(counts(&report), (20, 0, 0));

    // the answer was lost, so it is asked for again
    assert_eq!(upload.deliver().await.load_id, report.load_id);
    assert_eq!(city.count("select count(*) from ingest.load").await, 1);
    assert_eq!(upload.ask("preview").await.1["type"], "urn:fenghuo:problem:upload_delivered");
    assert_eq!(upload.add(file.len(), "x").await.0, StatusCode::CONFLICT);
    city.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_large_file_lies_sealed_and_comes_out_as_it_went_in() {
    let city = City::in_chunks_of(Embedded, 1_000).await;
    // in pieces that end anywhere
    let note = "重庆".repeat(80);
    let line = |n: u32| contact(&format!("u-{n}"), &format!("1380000{n:04}")).replace("渝州宾馆", &note);
    let file: Vec<u8> = (0..4_000).map(line).collect::<String>().into_bytes();
    assert!(file.len() > 2 << 20);
    let upload = Upload::begin(&city, CDC, file.len()).await;
    let mut at = 0;
    for piece in file.chunks(1_234_567) {
        let (status, offset, _) = upload.add(at, piece.to_vec()).await;
        at += piece.len();
        assert_eq!((status, offset), (StatusCode::NO_CONTENT, Some(at)));
    }
    let clear = "select count(*) from ingest.upload_piece where position('13800000001'::bytea in piece_sealed) > 0";
    assert_eq!(city.count(clear).await, 0);
    assert_eq!(counts(&upload.deliver().await), (4_000, 0, 0));
    city.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_does_not_fit_is_refused_and_changes_nothing() {
    let city = City::taking(Postgres, 10_000).await;
    let code = |answer: &(StatusCode, Option<usize>, Value)| {
        (answer.0.as_u16(), answer.2["type"].as_str().unwrap_or_default().rsplit(':').next().unwrap_or_default().to_owned())
    };
    let begin = async |length: &str, version: &str| {
        let request = city.ask(Method::POST, CDC, "/api/v1/uploads").header("upload-length", length).header("tus-resumable", version);
        let answer = request.send().await.unwrap();
        (answer.status(), None, answer.json::<Value>().await.unwrap_or_default())
    };
    assert_eq!(code(&begin("10001", "1.0.0").await), (413, "upload_too_large".into()));
    for length in ["0", "-1", "1e3", "99999999999999999999", ""] {
        assert_eq!(code(&begin(length, "1.0.0").await), (400, "upload_header".into()), "{length}");
    }
    assert_eq!(code(&begin("10", "0.2.2").await), (412, "upload_version".into()));

    let upload = Upload::begin(&city, CDC, 10).await;
    assert_eq!(code(&upload.add(3, "xyz").await), (409, "upload_offset".into()));
    assert_eq!(code(&upload.add(0, "more than ten bytes").await), (413, "upload_too_long".into()));
    let request = city.ask(Method::PATCH, CDC, &upload.place).header("upload-offset", 0).header("content-type", "text/csv");
    assert_eq!(request.body("x").send().await.unwrap().status(), StatusCode::UNSUPPORTED_MEDIA_TYPE);
    assert_eq!(upload.offset().await, Some(0));

    // somebody else's is none
    let theirs = Upload { token: LABORATORY, place: upload.place.clone(), city: &city };
    assert_eq!(theirs.offset().await, None);
    assert_eq!(code(&theirs.add(0, "x").await), (404, "no_such_upload".into()));
    assert_eq!(theirs.ask("upload").await.0, StatusCode::NOT_FOUND);

    // what is no list is said when it is delivered, and may be given up
    assert_eq!(upload.add(0, "%PDF-1.4\n1").await.0, StatusCode::NO_CONTENT);
    assert_eq!(upload.ask("upload").await.1["type"], "urn:fenghuo:problem:file_not_a_list");
    let give_up = async || city.ask(Method::DELETE, CDC, &upload.place).send().await.unwrap().status();
    assert_eq!((give_up().await, give_up().await), (StatusCode::NO_CONTENT, StatusCode::NOT_FOUND));
    city.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_that_go_on_with_one_file_at_once_do_not_mix() {
    let city = City::new(Postgres).await;
    let upload = Upload::begin(&city, CDC, 200).await;
    let (one, other) = tokio::join!(upload.add(0, "a".repeat(100)), upload.add(0, "b".repeat(100)));
    let mut answers = [one.0, other.0];
    answers.sort();
    assert_eq!(answers, [StatusCode::NO_CONTENT, StatusCode::CONFLICT]);
    assert_eq!(upload.offset().await, Some(100));
    city.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_fills_the_store_and_what_is_left_behind_is_forgotten() {
    let city = City::taking(Postgres, 10_000).await;
    let begin =
        async |bytes: usize| city.ask(Method::POST, CDC, "/api/v1/uploads").header("upload-length", bytes).send().await.unwrap().status();
    let upload = Upload::begin(&city, CDC, 6_000).await;
    upload.add(0, "x".repeat(1_000)).await;
    assert_eq!(begin(6_000).await, StatusCode::CONFLICT, "together more than one file may have");
    for _ in 0..9 {
        assert_eq!(begin(10).await, StatusCode::CREATED);
    }
    assert_eq!(begin(10).await, StatusCode::CONFLICT, "no more than ten");
    assert_eq!(Upload::begin(&city, LABORATORY, 6_000).await.offset().await, Some(0), "another sender is not held up");

    city.platform.clock.forward(Duration::from_secs(25 * 3600));
    stages::until("they are forgotten", async || city.count("select count(*) from ingest.upload").await == 0).await;
    assert_eq!(city.count("select count(*) from ingest.upload_piece").await, 0);
    assert_eq!(upload.offset().await, None);
    assert_eq!(begin(6_000).await, StatusCode::CREATED);
    city.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_piece_that_cannot_be_read_is_an_error_and_the_file_can_be_delivered_again() {
    let city = City::new(Postgres).await;
    let file = list(20);
    let (first, rest) = file.split_at(700);
    let upload = Upload::begin(&city, CDC, file.len()).await;
    for (at, piece) in [(0, first), (first.len(), rest)] {
        assert_eq!(upload.add(at, piece.to_owned()).await.0, StatusCode::NO_CONTENT);
    }
    let hide = |hidden: bool| {
        let (from, to) = if hidden { (700_i64, 99_i64) } else { (99, 700) };
        sqlx::query("update ingest.upload_piece set at = $2 where at = $1").bind(from).bind(to).execute(city.platform.database.pool())
    };
    assert_eq!(hide(true).await.unwrap().rows_affected(), 1);
    assert_eq!(upload.ask("upload").await.0, StatusCode::INTERNAL_SERVER_ERROR);
    hide(false).await.unwrap();
    let report = upload.deliver().await;
    assert_eq!((report.ending, report.accepted + report.repeated), (Some(ingest::Ending::Complete), 20));
    assert_eq!(city.count("select count(*) from ingest.record").await, 20);
    city.end().await;
}
