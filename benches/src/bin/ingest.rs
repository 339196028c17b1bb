//! How many risk records a second go by NDJSON over HTTP into PostgreSQL, and how many a bare COPY of the same rows puts there.
//!
//! ```text
//! cargo run --release -p benches --bin ingest -- [--json] [RECORDS]
//! ```
//!
//! Measured is the time from the first byte sent to the report received: the client, the HTTP shell with its API key check,
//! parsing and checking, hashing of phone numbers, matching with residents, storing with three indexes, and the events.
//! Client, service and PostgreSQL share the machine. Every record is about a person of its own by phone number; half of them
//! are registered. Three deliveries of other records are measured and the median is told.
//!
//! The limits: COPY in binary form of the rows that the last delivery made, into a table with the same indexes, and into
//! one with none. The database is made for this on the server at `FENGHUO_TEST_POSTGRES` and dropped at the end.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use async_trait::async_trait;
use bytes::Bytes;
use domain::ids::ApiKeyId;
use domain::risk_record::{Origin, RecordKind};
use futures::{TryStreamExt as _, stream};
use ingest::{LoadReport, Settings};
use platform::clock::Clock;
use platform::crypto::Purpose;
use platform::database::Database;
use platform::http::{Authenticator, Authenticators, Caller, Problem, Server, Shell, SourceCaller};
use platform::{Platform, StoreSettings, scratch};
use tokio_util::sync::CancellationToken;

const RECORDS: u64 = 400_000;
const DELIVERIES: u64 = 3;
const PIECE_BYTES: usize = 64 * 1024;
const TOKEN: &str = "fhk_bench";
/// The first number of the mobile numbers that are made up.
const FIRST_PHONE: u64 = 13_000_000_000;

fn main() -> anyhow::Result<()> {
    let mut json = false;
    let mut records = RECORDS;
    for argument in std::env::args().skip(1) {
        match argument.as_str() {
            "--json" => json = true,
            number => records = number.parse().with_context(|| format!("usage: ingest [--json] [RECORDS], not {number:?}"))?,
        }
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let figures = runtime.block_on(measure(records))?;
    if json {
        println!("{}", serde_json::to_string(&figures)?);
    } else {
        println!("NDJSON over HTTP into PostgreSQL      {:>9.0} records/s", figures.records_per_second);
        println!("COPY of the same rows, same indexes   {:>9.0} records/s", figures.copy_records_per_second);
        println!("COPY of the same rows, no index       {:>9.0} records/s", figures.copy_without_indexes_records_per_second);
        println!("{} deliveries of {} records, {} bytes each", figures.deliveries, figures.records, figures.bytes_per_record);
    }
    Ok(())
}

#[derive(serde::Serialize)]
struct Figures {
    records_per_second: f64,
    copy_records_per_second: f64,
    copy_without_indexes_records_per_second: f64,
    records: u64,
    deliveries: u64,
    bytes_per_record: u64,
    registered_share: f64,
}

async fn measure(records: u64) -> anyhow::Result<Figures> {
    ensure!(records > 0, "there is nothing to measure without records");
    let database = Database::scratch(&scratch::postgres_url()).await.context("PostgreSQL does not answer")?;
    let settings = StoreSettings { keys: scratch::passing_key(), ..StoreSettings::default() };
    let platform = Platform::on(database, &settings, Clock::real()).await?;
    let measured = deliver_and_copy(&platform, records).await;
    // also after a failure nothing is left behind
    scratch::remove(&platform).await?;
    measured
}

async fn deliver_and_copy(platform: &Platform, records: u64) -> anyhow::Result<Figures> {
    platform.database.migrate(resident::SCHEMA, &resident::MIGRATOR).await?;
    platform.database.migrate(ingest::SCHEMA, &ingest::MIGRATOR).await?;
    register(platform, records * DELIVERIES).await?;

    let routes = ingest::start(platform, Settings::default()).await?;
    let router = Shell::new(routes, Authenticators::new().with(OneKey)).router();
    let server = Server::bind(([127, 0, 0, 1], 0).into()).await?;
    let (address, stop) = (server.address(), CancellationToken::new());
    let serving = tokio::spawn(server.serve(router, stop.clone(), Duration::from_secs(5)));

    let client = benches::asking::client();
    let (mut seconds, mut bytes) = (Vec::new(), 0);
    for delivery in 0..DELIVERIES {
        // made beforehand: what a source needs to write its records is not ours to measure
        let pieces = ndjson(delivery * records, records);
        bytes = pieces.iter().map(|piece| piece.len() as u64).sum();
        let body = reqwest::Body::wrap_stream(stream::iter(pieces.into_iter().map(Ok::<_, std::convert::Infallible>)));
        let request = client.post(format!("http://{address}/api/v1/records/stream")).bearer_auth(TOKEN).body(body);
        let begun = Instant::now();
        let answer = request.send().await?.error_for_status()?.text().await?;
        seconds.push(begun.elapsed().as_secs_f64());
        let report: LoadReport = serde_json::from_str(&answer)?;
        if report.accepted != records {
            bail!("of {records} records {} were accepted, {} refused: {:?}", report.accepted, report.refused, report.refused_rows.first());
        }
    }
    stop.cancel();
    serving.await?;
    seconds.sort_by(f64::total_cmp);

    let rows = rows_of_the_last_delivery(platform).await?;
    let rate = |seconds: f64| records as f64 / seconds;
    Ok(Figures {
        records_per_second: rate(seconds[seconds.len() / 2]),
        copy_records_per_second: rate(copy(platform, &rows, records, "including all").await?),
        copy_without_indexes_records_per_second: rate(copy(platform, &rows, records, "including identity including defaults").await?),
        records,
        deliveries: DELIVERIES,
        bytes_per_record: bytes / records,
        registered_share: 0.5,
    })
}

/// Half of the people that the records will be about.
async fn register(platform: &Platform, people: u64) -> anyhow::Result<()> {
    let hashes: Vec<Vec<u8>> = (0..people)
        .step_by(2)
        .map(|person| platform.keyring.hash(Purpose::ResidentPhone, format!("+86{}", FIRST_PHONE + person).as_bytes()).to_vec())
        .collect();
    sqlx::query!(
        "insert into resident.resident (phone_hash, district, township, community, notices, registered_at)
         select hash, 500101, 500101001, 500101001001, true, now() from unnest($1::bytea[]) as person (hash)",
        &hashes
    )
    .execute(platform.database.pool())
    .await?;
    sqlx::query!("analyze resident.resident").execute(platform.database.pool()).await?;
    Ok(())
}

/// Close contacts, one person each, in pieces as a client would send them.
fn ndjson(first: u64, records: u64) -> Vec<Bytes> {
    let mut pieces = Vec::new();
    let mut piece = String::with_capacity(PIECE_BYTES + 512);
    for number in first..first + records {
        // writing to a string does not fail
        let _ = writeln!(
            piece,
            r#"{{"source_id":"cdc-2026-{number:09}","kind":"close_contact","occurred_at":"2026-01-02T{:02}:{:02}:00+08:00","subject":{{"phone":"{}"}},"level":"high","district":"500101","attributes":{{"isolation_site":"渝州宾馆 3 号楼","case":"case-{:06}","nights":7}}}}"#,
            number / 60 % 24,
            number % 60,
            FIRST_PHONE + number,
            number / 50,
        );
        if piece.len() >= PIECE_BYTES {
            pieces.push(Bytes::from(std::mem::take(&mut piece)));
        }
    }
    pieces.push(Bytes::from(piece));
    pieces
}

/// The rows as COPY writes them. Their record ids are left out, so that they can go into a table that gives its own.
async fn rows_of_the_last_delivery(platform: &Platform) -> anyhow::Result<Vec<Bytes>> {
    let mut connection = platform.database.pool().acquire().await?;
    let statement = format!(
        "copy (select {COLUMNS} from ingest.record where chunk_id in (select chunk_id from ingest.chunk where load_id =
             (select max(load_id::text)::uuid from ingest.load))) to stdout (format binary)"
    );
    let rows = connection.driver().copy_out_raw(&statement).await?.try_collect().await?;
    Ok(rows)
}

const COLUMNS: &str = "source, source_id, chunk_id, content_hash, kind, origin, level, district, township, community, occurred_at,
    received_at, resident_no, subject_hash, subject_kind, attributes";

/// Seconds that COPY takes for the rows.
async fn copy(platform: &Platform, rows: &[Bytes], records: u64, like: &'static str) -> anyhow::Result<f64> {
    let mut connection = platform.database.pool().acquire().await?;
    let make = format!("drop table if exists ingest.bare; create table ingest.bare (like ingest.record {like})");
    sqlx::raw_sql(sqlx::AssertSqlSafe(make)).execute(&mut connection).await?;
    let begun = Instant::now();
    let mut copying = connection.driver().copy_in_raw(&format!("copy ingest.bare ({COLUMNS}) from stdin (format binary)")).await?;
    for piece in rows {
        copying.send(&piece[..]).await?;
    }
    let copied = copying.finish().await?;
    let seconds = begun.elapsed().as_secs_f64();
    ensure!(copied == records, "COPY took {copied} of {records} rows");
    Ok(seconds)
}

/// Knows the one API key of this measurement.
struct OneKey;

#[async_trait]
impl Authenticator for OneKey {
    fn prefixes(&self) -> &'static [&'static str] {
        &["fhk_"]
    }

    async fn authenticate(&self, token: &str) -> Result<Option<Caller>, Problem> {
        Ok((token == TOKEN).then(|| {
            Caller::Source(SourceCaller {
                key_id: ApiKeyId::new(),
                unit: "市疾控中心".to_owned(),
                origin: Origin::Surveillance,
                area: domain::area::Area::City,
                kinds: vec![RecordKind::CloseContact],
                asks: Vec::new(),
                networks: Vec::new(),
            })
        }))
    }
}
