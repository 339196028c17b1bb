//! Urgent first: how long an urgent alert takes while a routine one for millions is going out.
//!
//! ```text
//! cargo run --release -p benches --bin preempt -- [--residents N] [--urgent N] [--database NAME] [--json]
//! ```
//!
//! A city in which everybody has the app. First an urgent alert goes to the townships that together have about 10,000 people while nothing
//! else is to be done. Then a routine alert to the whole city is approved, and when a tenth of it is out, the same people get
//! another urgent alert. First and last hand-over are those of the ledger, from the second officer's confirmation on: a
//! batch's first accepted message, and the end of the last batch.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use benches::city::{City, DESK, Delivery, Plan, SEED, eventually};
use chrono::{DateTime, Utc};
use domain::area::{Area, TownshipCode};
use domain::audience::{AudienceQuery, Selection};
use resident::generate::People;
use serde_json::{Value, json};

const RESIDENTS: u32 = 5_000_000;
const URGENT: u32 = 10_000;
const PATIENCE: Duration = Duration::from_secs(1200);

fn main() -> Result<()> {
    let (mut residents, mut urgent, mut database, mut as_json) = (RESIDENTS, URGENT, None, false);
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        let mut value = || words.next().with_context(|| format!("{word} needs a value"));
        match word.as_str() {
            "--residents" => residents = value()?.parse().context("--residents is a number")?,
            "--urgent" => urgent = value()?.parse().context("--urgent is a number")?,
            "--database" => database = Some(value()?),
            "--json" => as_json = true,
            other => bail!("usage: preempt [--residents N] [--urgent N] [--database NAME] [--json], not {other:?}"),
        }
    }
    ensure!(urgent > 0 && urgent < residents, "the urgent alert is for some of the residents");
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let figures = runtime.block_on(measure(residents, urgent, database))?;
    if as_json {
        println!("{figures}");
    } else {
        for (name, value) in figures.as_object().into_iter().flatten() {
            println!("{name:<28} {value}");
        }
    }
    Ok(())
}

async fn measure(residents: u32, urgent: u32, database: Option<String>) -> Result<Value> {
    let plan = Plan {
        residents,
        app_percent: 100,
        database,
        processes: [DESK, "dispatch", "push"].map(str::to_owned).into(),
        settings: Value::Null,
        own_servers: false,
    };
    let city = City::found(&plan).await?;
    let measured = run(&city, residents, urgent).await;
    if measured.is_err() {
        eprintln!("{}", city.logs());
    }
    city.end().await?;
    measured
}

async fn run(city: &City, residents: u32, urgent: u32) -> Result<Value> {
    let (areas, people) = townships(residents, urgent);
    let few = AudienceQuery { include: vec![Selection { areas, ..Selection::default() }], exclude: vec![] };
    let everybody = AudienceQuery { include: vec![Selection { areas: vec![Area::City], ..Selection::default() }], exclude: vec![] };
    // connections, prepared statements and the providers' first stream are there before anything is measured
    city.handed_over(&city.urgent(&few).await?, PATIENCE).await?;

    let idle = city.handed_over(&city.urgent(&few).await?, PATIENCE).await?;
    let routine = city.routine(&everybody).await?;
    let before = city.providers.counted().await?.accepted;
    eventually("a tenth of the routine alert is out", PATIENCE, async || {
        Ok((city.providers.counted().await?.accepted - before > u64::from(residents) / 10).then_some(()))
    })
    .await?;
    let loaded = city.handed_over(&city.urgent(&few).await?, PATIENCE).await?;
    let left = city.open_recipients(&routine).await?;
    ensure!(left > 0, "the routine alert was out before the urgent one: ask for more residents");
    let whole = city.handed_over(&routine, PATIENCE).await?;
    for delivery in [&idle, &loaded] {
        ensure!(delivery.accepted == i64::from(people), "{} of {people} were reached", delivery.accepted);
    }
    ensure!(whole.accepted == i64::from(residents), "{} of {residents} were reached", whole.accepted);
    let (idle_last, loaded_last) = (last_ms(&idle), last_ms(&loaded));
    Ok(json!({
        "residents": residents,
        "urgent": people,
        "idle_first_ms": first_ms(&idle),
        "idle_last_ms": idle_last,
        "loaded_first_ms": first_ms(&loaded),
        "loaded_last_ms": loaded_last,
        "slower": (loaded_last / idle_last * 1e3).round() / 1e3,
        "routine_left_when_urgent_was_done": left,
        "routine_s": last_ms(&whole) / 1e3,
    }))
}

fn first_ms(delivery: &Delivery) -> f64 {
    after_ms(delivery, delivery.first_hand_over_at)
}

fn last_ms(delivery: &Delivery) -> f64 {
    after_ms(delivery, delivery.complete_at)
}

fn after_ms(delivery: &Delivery, time: DateTime<Utc>) -> f64 {
    (time - delivery.approved_at).num_microseconds().unwrap_or(i64::MAX) as f64 / 1e3
}

/// Townships, one after the other, until they have about that many people together; and how many they have.
fn townships(residents: u32, wanted: u32) -> (Vec<Area>, u32) {
    let people = People::new(residents, SEED);
    let mut found: BTreeMap<TownshipCode, u32> = BTreeMap::new();
    let mut count = 0;
    for person in (1..=residents).rev().filter_map(|no| people.person(no)) {
        let township = person.community.township();
        if count >= wanted && !found.contains_key(&township) {
            break;
        }
        *found.entry(township).or_default() += 1;
        count += 1;
    }
    (found.into_keys().map(Area::Township).collect(), count)
}
