//! The inbox of one resident while 1,000 alerts are live.

use std::collections::BTreeMap;

use anyhow::{Context as _, ensure};
use chrono::{TimeDelta, Utc};
use domain::alert::{AckWindow, AlertContent, AlertText};
use domain::cap::{Category, Certainty, MsgType, Severity, Status, Urgency};
use domain::language::Language;
use platform::Platform;
use platform::clock::Clock;
use platform::database::Database;
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use roaring::RoaringBitmap;
use serde_json::Value;
use uuid::Uuid;

use crate::{Client, Times};

const SHOWS: usize = 1_000;

#[derive(serde::Serialize)]
pub(crate) struct Figures {
    pub(crate) shown: Vec<Shown>,
    pub(crate) live: usize,
    pub(crate) audience_bytes: usize,
    pub(crate) memory_bytes: i64,
    pub(crate) load_ms: f64,
}

#[derive(serde::Serialize)]
pub(crate) struct Shown {
    pub(crate) reader: &'static str,
    pub(crate) alerts: usize,
    pub(crate) bytes: usize,
    pub(crate) times: Times,
}

/// Somebody with the app open.
struct Reader {
    no: i32,
    token: String,
}

pub(crate) async fn measure(platform: &Platform, client: &Client) -> anyhow::Result<Figures> {
    let database = &platform.database;
    let ids: Vec<Uuid> = (0..1_000).map(|_| Uuid::now_v7()).collect();
    let (one, all) = (Reader::new(database, "one", 1).await?, Reader::new(database, "all", 2).await?);
    let measured = show(database, client, &ids, &one, &all).await;
    // also after a failure nothing is left behind
    remove(database, &ids, &[&one, &all]).await?;
    measured
}

async fn show(database: &Database, client: &Client, ids: &[Uuid], one: &Reader, all: &Reader) -> anyhow::Result<Figures> {
    let residents = sqlx::query_scalar!(r#"select coalesce(max(resident_no), 0) as "most!" from resident.resident"#)
        .fetch_one(database.pool())
        .await?
        .unsigned_abs();
    let audience_bytes = release(database, ids, residents, all.no.unsigned_abs()).await?;
    sqlx::query!(
        "insert into resident.acknowledgement (alert_id, resident_no, acknowledged_at, by)
         select alert_id, $2, now(), 'app' from unnest($1::uuid[]) with ordinality as alert (alert_id, at) where at % 2 = 0",
        ids,
        all.no
    )
    .execute(database.pool())
    .await?;

    let before = memory()?;
    let (_, first) = client.timed(inbox_of(client, one)).await?;
    let memory_bytes = memory()? - before;
    let mut shown = Vec::new();
    for (reader, what) in [(one, "alerts of the city and of one's own places"), (all, "all of them, every other one acknowledged")] {
        let mut took = Vec::with_capacity(SHOWS);
        let mut last = bytes::Bytes::new();
        for _ in 0..SHOWS {
            let (body, time) = client.timed(inbox_of(client, reader)).await?;
            took.push(time);
            last = body;
        }
        let items: Vec<Value> = serde_json::from_slice(&last)?;
        shown.push(Shown { reader: what, alerts: items.len(), bytes: last.len(), times: Times::of(took) });
    }
    ensure!(shown.last().is_some_and(|shown| shown.alerts >= ids.len()), "an alert is missing");
    Ok(Figures { shown, live: ids.len(), audience_bytes, memory_bytes, load_ms: first.as_secs_f64() * 1e3 })
}

fn inbox_of(client: &Client, reader: &Reader) -> reqwest::RequestBuilder {
    client.http.get(format!("{}/me/inbox", client.base)).bearer_auth(&reader.token)
}

impl Reader {
    /// The resident at this place among all numbers, signed in.
    async fn new(database: &Database, name: &str, place: i32) -> anyhow::Result<Self> {
        let token = format!("fhr_bench_{name}_{}", Uuid::new_v4().simple());
        let no = sqlx::query_scalar!(
            r#"insert into resident.session (token_hash, resident_no, created_at, last_used_at)
               select sha256($1::text::bytea), resident_no, now(), now()
               from (select resident_no from resident.reach where app order by resident_no offset $2 limit 1) as reader
               returning resident_no"#,
            token,
            i64::from(place)
        )
        .fetch_optional(database.pool())
        .await?
        .context("nobody has the app")?;
        Ok(Self { no, token })
    }
}

async fn remove(database: &Database, ids: &[Uuid], readers: &[&Reader]) -> anyhow::Result<()> {
    let pool = database.pool();
    sqlx::query!("delete from resident.alert where alert_id = any($1)", ids).execute(pool).await?;
    sqlx::query!("delete from resident.acknowledgement where alert_id = any($1)", ids).execute(pool).await?;
    let tokens: Vec<String> = readers.iter().map(|reader| reader.token.clone()).collect();
    sqlx::query!(
        "delete from resident.session where token_hash in (select sha256(token::bytea) from unnest($1::text[]) as token)",
        &tokens
    )
    .execute(pool)
    .await?;
    Ok(())
}

/// How many of 1,000 alerts are for how many people.
fn audience_sizes(residents: u32) -> impl Iterator<Item = u32> {
    [(10, residents), (40, residents / 38), (300, residents / 1_031), (500, residents / 11_270), (150, 260)]
        .into_iter()
        .flat_map(move |(alerts, people)| std::iter::repeat_n(people.clamp(1, residents), alerts))
}

/// Releases the alerts, each of them to this resident as well. Returns how many bytes the audiences have.
async fn release(database: &Database, ids: &[Uuid], residents: u32, also: u32) -> anyhow::Result<usize> {
    let mut dice = StdRng::seed_from_u64(1);
    let now = Clock::real().now();
    let mut bytes = 0;
    for (chunk, people) in ids.chunks(50).zip(audience_sizes(residents).collect::<Vec<_>>().chunks(50)) {
        let audiences: Vec<Vec<u8>> = people.iter().map(|people| scattered(*people, residents, also, &mut dice)).collect();
        bytes += audiences.iter().map(Vec::len).sum::<usize>();
        let contents: Vec<Value> = chunk.iter().map(|_| serde_json::to_value(content(now))).collect::<Result<_, _>>()?;
        sqlx::query!(
            "insert into resident.alert (alert_id, short_code, content, audience, released_at, expires_at, ack_by)
             select alert_id, 'AB2C', content, audience, now(), now() + interval '1 day', now() + interval '1 hour'
             from unnest($1::uuid[], $2::jsonb[], $3::bytea[]) as alert (alert_id, content, audience)",
            chunk,
            &contents,
            &audiences
        )
        .execute(database.pool())
        .await?;
    }
    Ok(bytes)
}

/// So many of all numbers, in Roaring's portable format.
fn scattered(people: u32, residents: u32, also: u32, dice: &mut StdRng) -> Vec<u8> {
    let mut audience: RoaringBitmap =
        if people == residents { (1..=residents).collect() } else { (0..people).map(|_| dice.random_range(1..=residents)).collect() };
    audience.insert(also);
    audience.optimize();
    let mut bytes = Vec::with_capacity(audience.serialized_size());
    audience.serialize_into(&mut bytes).expect("writing to memory does not fail");
    bytes
}

/// About as long as alerts are.
fn content(now: chrono::DateTime<Utc>) -> AlertContent {
    let text = |headline: &str, body: &str, instruction: &str| AlertText {
        headline: headline.to_owned(),
        body: body.repeat(3),
        instruction: instruction.repeat(2),
        sms: headline.to_owned(),
    };
    let chinese = text(
        "请于 24 小时内做一次检测",
        "本市新增一例病例，其活动轨迹与您所在区域有交集，现将有关防控要求告知如下。",
        "请前往最近的采样点，出示本提醒即可免费检测；等待结果期间请减少外出。",
    );
    let english = text(
        "Please take a test within 24 hours",
        "A new case was found whose whereabouts crossed your area. This is what we ask of you. ",
        "Go to the nearest sampling point and show this notice: the test is free. Stay at home until you have the result. ",
    );
    AlertContent {
        status: Status::Actual,
        msg_type: MsgType::Alert,
        references: None,
        category: Category::Health,
        urgency: Urgency::Immediate,
        severity: Severity::Severe,
        certainty: Certainty::Observed,
        purpose: "阻断传播".to_owned(),
        texts: BTreeMap::from([(Language::ZhCn, chinese), (Language::En, english)]),
        contact: "渝中区疾控中心 023-63840000".to_owned(),
        expires_at: now + TimeDelta::days(1),
        ack_window_s: AckWindow::capped(3_600),
        place: None,
        display: false,
        source_note: String::new(),
    }
}

/// Resident memory of this process, in bytes.
fn memory() -> anyhow::Result<i64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let kilobytes = status.lines().find_map(|line| line.strip_prefix("VmRSS:")?.trim().strip_suffix(" kB")?.parse::<i64>().ok());
    Ok(kilobytes.context("the system does not tell how much memory is in use")? * 1024)
}
