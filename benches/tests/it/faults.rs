//! What may fail while an alert goes out to everybody, on real PostgreSQL, RabbitMQ and Redis and every service a process of its own: nobody
//! is lost, and whoever gets the alert twice gets it under the same collapse id, so that the phone shows one. Where providers become so
//! slow that the deadline would be missed, the alarm rings before it is, and ends when they have recovered.
//!
//! Twenty thousand people in `make test`; `FENGHUO_LOAD_RESIDENTS=1000000` (`make test-load`) makes it a million. The simulated
//! providers, in a process that nothing happens to, count.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use benches::city::{City, Plan, eventually};
use domain::area::Area;
use domain::audience::{AudienceQuery, Selection};
use serde_json::{Value, json};

const RESIDENTS: u32 = 20_000;
/// Up to here the providers are slowed down, so that a fault strikes in the middle.
const FEW: u32 = 100_000;
const DESK: &str = "identity audit review resident";
const BATCHES: u64 = 4;
/// An urgent alert has half an hour; here one is in danger when it would take longer than this many seconds.
const ENDANGERED_S: u64 = 60;
const DEADLINE_S: u64 = 30 * 60;
const PATIENCE: Duration = Duration::from_secs(900);

fn residents() -> Result<u32> {
    match std::env::var("FENGHUO_LOAD_RESIDENTS") {
        Ok(count) => count.parse().context("FENGHUO_LOAD_RESIDENTS is a number"),
        Err(_) => Ok(RESIDENTS),
    }
}

/// What everybody is in: a city, and how it is told of.
struct Story {
    city: City,
    residents: u32,
    checkpoint_every: u64,
    streams: u64,
}

impl Story {
    async fn begin(residents: u32) -> Result<Self> {
        let few = residents <= FEW;
        let (batch_size, checkpoint_every, streams) = if few { (200, 50, 50) } else { (4000, 1000, 1000) };
        let sender = json!({ "connections": 1, "streams": streams, "request_timeout_ms": 3000 });
        let plan = Plan {
            residents,
            app_percent: 100,
            database: None,
            processes: [DESK, "dispatch", "push", "sms"].map(str::to_owned).into(),
            settings: json!({
                "dispatch": {
                    "batch_size": batch_size, "lease_s": 4,
                    "forecast": {
                        "every_s": 1, "observed_s": 5, "enough_s": 2, "margin_s": DEADLINE_S - ENDANGERED_S, "step_s": ENDANGERED_S / 2,
                    },
                },
                "push": {
                    "apns": sender, "fcm": sender,
                    "worker": { "batches": BATCHES, "checkpoint_every": checkpoint_every, "lease_s": 4 },
                },
            }),
            own_servers: true,
        };
        Ok(Self { city: City::found(&plan).await?, residents, checkpoint_every, streams })
    }

    /// As many as may get the alert twice after `deaths` interruptions: each batch in hand repeats what came in since its last checkpoint, twice
    /// as much if one was just being written, and what was on the wire.
    fn bound(&self, deaths: u64) -> u64 {
        deaths * (BATCHES * 2 * self.checkpoint_every + 2 * self.streams)
    }

    /// Sends an alert to everybody; when a tenth of them have it, `fault` happens. At the end everybody has it.
    async fn everybody_is_reached(
        &mut self,
        what: &str,
        deaths: u64,
        providers: Value,
        fault: impl AsyncFnOnce(&mut City) -> Result<()>,
    ) -> Result<()> {
        self.city.providers.reset().await?;
        let latency_ms = if self.residents <= FEW { 10 } else { 0 };
        for provider in ["apns", "fcm"] {
            let mut plan = json!({ "provider": provider, "latency_ms": latency_ms });
            plan.as_object_mut().context("an object")?.extend(providers.as_object().cloned().unwrap_or_default());
            self.city.providers.set_faults(&plan).await?;
        }
        let everybody = AudienceQuery { include: vec![Selection { areas: vec![Area::City], ..Selection::default() }], exclude: vec![] };
        let alert = self.city.urgent(&everybody).await?;
        let tenth = u64::from(self.residents) / 10;
        eventually(&format!("{what}: a tenth is reached"), PATIENCE, async || {
            Ok((self.city.providers.counted().await?.recipients >= tenth).then_some(()))
        })
        .await?;
        fault(&mut self.city).await.with_context(|| what.to_owned())?;
        let delivery = self.city.handed_over(&alert, PATIENCE).await.with_context(|| what.to_owned())?;
        let counted = self.city.providers.counted().await?;
        println!(
            "{what}: {} of {} reached, {} twice of at most {}",
            counted.recipients,
            self.residents,
            counted.duplicates,
            self.bound(deaths)
        );
        ensure!(counted.recipients == u64::from(self.residents), "{what}: {} of {} were reached", counted.recipients, self.residents);
        ensure!(counted.repeats == 0, "{what}: {} got it again under another id", counted.repeats);
        ensure!(
            counted.duplicates <= self.bound(deaths),
            "{what}: {} got it twice, at most {} may",
            counted.duplicates,
            self.bound(deaths)
        );
        ensure!(delivery.accepted == i64::from(self.residents), "{what}: the ledger has {} hand-overs", delivery.accepted);
        Ok(())
    }

    /// While the providers crawl, the alarm rings; when they are themselves again, it ends.
    async fn in_danger_and_out_again(&mut self) -> Result<()> {
        const RUNG: &str = r#"dispatch_alarms_total{kind="in_danger"}"#;
        const ENDED: &str = r#"dispatch_alarms_total{kind="out_of_danger"}"#;
        let before = (self.city.metric("dispatch", RUNG).await?, self.city.metric("dispatch", ENDED).await?);
        self.everybody_is_reached("providers crawl", 0, Value::Null, async |city| {
            crawl(city, 2000).await?;
            eventually("the alarm rings", PATIENCE, async || Ok((city.metric("dispatch", RUNG).await? > before.0).then_some(()))).await?;
            crawl(city, 0).await
        })
        .await?;
        let city = &self.city;
        eventually("the alarm ends", PATIENCE, async || Ok((city.metric("dispatch", ENDED).await? > before.1).then_some(()))).await
    }

    async fn killed(&mut self, group: &str) -> Result<()> {
        let deaths = u64::from(group == "push");
        self.everybody_is_reached(&format!("{group} is killed"), deaths, Value::Null, async |city| {
            city.kill(group)?;
            city.begin(group)?;
            city.is_ready(group).await
        })
        .await
    }
}

/// Providers take so long for each message.
async fn crawl(city: &City, latency_ms: u64) -> Result<()> {
    for provider in ["apns", "fcm"] {
        city.providers.set_faults(&json!({ "provider": provider, "latency_ms": latency_ms })).await?;
    }
    Ok(())
}

async fn tell(story: &mut Story) -> Result<()> {
    for group in ["push", "dispatch", "sms", DESK] {
        story.killed(group).await?;
    }
    story
        .everybody_is_reached("RabbitMQ is away until everybody has noticed", 1, Value::Null, async |city| {
            city.servers()?.stop_rabbitmq()?;
            for group in [DESK, "dispatch", "push", "sms"] {
                city.misses_a_store(group).await?;
            }
            city.servers()?.start_rabbitmq()
        })
        .await?;
    story.everybody_is_reached("PostgreSQL is restarted", 1, Value::Null, async |city| city.servers()?.restart_postgres()).await?;
    story.everybody_is_reached("Redis is emptied", 0, Value::Null, async |city| city.servers()?.empty_redis()).await?;
    story.city.sign_in_again().await?;
    let goaway = u64::from(story.residents) / 20;
    story.everybody_is_reached("providers say goodbye again and again", 0, json!({ "goaway_after": goaway }), async |_| Ok(())).await?;
    let throttled = json!({ "faults": [{ "kind": "throttled", "retry_after_s": 3, "share": 0.01, "for_ms": 4000 }] });
    story.everybody_is_reached("providers ask to wait", 0, throttled, async |_| Ok(())).await?;
    let hanging = json!({ "faults": [{ "kind": "hang", "for_ms": 15_000 }] });
    story
        .everybody_is_reached("providers hang for 15 s", 0, Value::Null, async |city| {
            for provider in ["apns", "fcm"] {
                let mut plan = hanging.clone();
                plan["provider"] = json!(provider);
                city.providers.set_faults(&plan).await?;
            }
            Ok(())
        })
        .await?;
    story.in_danger_and_out_again().await?;
    // the last, since it takes devices away: those people are reached by SMS
    story
        .everybody_is_reached(
            "two in a hundred have removed the app",
            0,
            json!({ "faults": [{ "kind": "gone", "share": 0.02 }] }),
            async |_| Ok(()),
        )
        .await
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the programs of PostgreSQL, RabbitMQ and Redis: make test"]
async fn whatever_fails_nobody_is_lost_and_nobody_sees_it_twice() -> Result<()> {
    let mut story = Story::begin(residents()?).await?;
    let told = tell(&mut story).await;
    if told.is_err() {
        eprintln!("{}", story.city.logs());
    }
    story.city.end().await?;
    told
}
