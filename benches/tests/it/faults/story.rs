//! What everybody is in: a city, and how it is told of.

use std::ops::RangeInclusive;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use benches::city::{City, DESK, Delivery, Plan, SEED, eventually};
use domain::area::Area;
use domain::audience::{AudienceQuery, Selection};
use domain::place;
use resident::generate::People;
use serde_json::{Value, json};
use simulators::Provider;

const RESIDENTS: u32 = 20_000;
/// Up to here the providers are slowed down, so that a fault strikes in the middle.
const FEW: u32 = 100_000;
/// Parts in which an alert to everybody is planned.
const PARTS: u32 = 40;
const BATCHES: u64 = 4;
/// An urgent alert has half an hour; here one is in danger when it would take longer than this many seconds.
const ENDANGERED_S: u64 = 60;
const DEADLINE_S: u64 = 30 * 60;
pub(super) const PATIENCE: Duration = Duration::from_secs(900);
pub(super) const PUSH: [Provider; 2] = [Provider::Apns, Provider::Fcm];

pub(super) fn residents() -> Result<u32> {
    match std::env::var("FENGHUO_LOAD_RESIDENTS") {
        Ok(count) => count.parse().context("FENGHUO_LOAD_RESIDENTS is a number"),
        Err(_) => Ok(RESIDENTS),
    }
}

pub(super) fn query(areas: Vec<Area>) -> AudienceQuery {
    AudienceQuery { include: vec![Selection { areas, ..Selection::default() }], exclude: vec![] }
}

/// Those who are told in one way, in whole districts.
#[derive(Debug)]
pub(super) struct Share {
    pub(super) districts: Vec<Area>,
    /// Their numbers.
    pub(super) people: RangeInclusive<u32>,
}

impl Share {
    pub(super) fn count(&self) -> u64 {
        u64::from(self.people.end() - self.people.start()) + 1
    }
}

pub(super) struct Story {
    pub(super) city: City,
    pub(super) residents: u32,
    pub(super) people: People,
    checkpoint_every: u64,
    streams: u64,
}

impl Story {
    /// Everybody has the app.
    pub(super) async fn begin(residents: u32) -> Result<Self> {
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
                    "batch_size": batch_size, "chunk": residents / PARTS, "first_chunk": residents / PARTS, "lease_s": 4,
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
        let people = People::new(residents, SEED).with_app(100);
        Ok(Self { city: City::found(&plan).await?, residents, people, checkpoint_every, streams })
    }

    /// Leaves nothing behind; what went wrong is told with the logs of the city.
    pub(super) async fn end(self, told: Result<()>) -> Result<()> {
        if told.is_err() {
            eprintln!("{}", self.city.logs());
        }
        told.and(self.city.end().await)
    }

    pub(super) fn are_few(&self) -> bool {
        self.residents <= FEW
    }

    /// Those without the app, in half of the city, and the others.
    pub(super) fn by_sms_and_by_app(&self) -> (Share, Share) {
        let mut districts: Vec<_> = place::districts().iter().map(|district| district.code).collect();
        districts.sort_unstable();
        // people are numbered district by district
        let (by_sms, by_app): (Vec<_>, Vec<_>) =
            districts.into_iter().partition(|district| self.people.of_district(*district).start <= self.residents / 2);
        let border = by_sms.last().map_or(1, |last| self.people.of_district(*last).end);
        let areas = |districts: Vec<_>| districts.into_iter().map(Area::District).collect();
        (Share { districts: areas(by_sms), people: 1..=border - 1 }, Share { districts: areas(by_app), people: border..=self.residents })
    }

    pub(super) async fn half_of_them_lose_the_app(&self) -> Result<()> {
        self.city.take_app_from(self.by_sms_and_by_app().0.people).await
    }

    /// Forgets what was told before. Providers answer as usual, those of pushes but for what `differs`.
    pub(super) async fn anew(&self, differs: &Value) -> Result<()> {
        self.city.providers.reset().await?;
        for provider in PUSH {
            self.answers(provider, differs).await?;
        }
        self.answers(Provider::Sms, &Value::Null).await
    }

    /// From now on a provider answers as usual, but for what `differs`.
    pub(super) async fn answers(&self, provider: Provider, differs: &Value) -> Result<()> {
        let mut plan = json!({ "provider": provider, "latency_ms": if self.are_few() { 10 } else { 0 } });
        plan.as_object_mut().context("an object")?.extend(differs.as_object().cloned().unwrap_or_default());
        self.city.providers.set_faults(&plan).await
    }

    /// As many as may get the alert twice after `deaths` interruptions: each batch in hand repeats what came in since its last checkpoint, twice
    /// as much if one was just being written, and what was on the wire.
    fn bound(&self, deaths: u64) -> u64 {
        deaths * (BATCHES * 2 * self.checkpoint_every + 2 * self.streams)
    }

    /// Sends an alert to everybody; when a tenth of them have it, `fault` happens. At the end everybody has it.
    pub(super) async fn everybody_is_reached(
        &mut self,
        what: &str,
        deaths: u64,
        providers: Value,
        fault: impl AsyncFnOnce(&mut City) -> Result<()>,
    ) -> Result<()> {
        self.anew(&providers).await?;
        let alert = self.city.urgent(&query(vec![Area::City])).await?;
        let tenth = u64::from(self.residents) / 10;
        eventually(&format!("{what}: a tenth is reached"), PATIENCE, async || {
            Ok((self.city.providers.counted().await?.recipients >= tenth).then_some(()))
        })
        .await?;
        fault(&mut self.city).await.with_context(|| what.to_owned())?;
        self.all_have(&alert, what, self.residents.into(), deaths).await?;
        Ok(())
    }

    /// Waits until an alert to so many is handed over, and looks whether all of them have it, and no phone shows more than one.
    pub(super) async fn all_have(&self, alert: &str, what: &str, all: u64, deaths: u64) -> Result<Delivery> {
        let delivery = self.city.handed_over(alert, PATIENCE).await.with_context(|| what.to_owned())?;
        let counted = self.city.providers.counted().await?;
        println!("{what}: {} of {all} reached, {} twice of at most {}", counted.recipients, counted.duplicates, self.bound(deaths));
        ensure!(counted.recipients == all, "{what}: {} of {all} were reached", counted.recipients);
        ensure!(counted.repeats == 0, "{what}: {} got it again under another id", counted.repeats);
        ensure!(
            counted.duplicates <= self.bound(deaths),
            "{what}: {} got it twice, at most {} may",
            counted.duplicates,
            self.bound(deaths)
        );
        ensure!(u64::try_from(delivery.accepted)? == all, "{what}: the ledger has {} hand-overs", delivery.accepted);
        Ok(delivery)
    }

    /// Phones show every SMS: none may have two.
    pub(super) async fn nobody_has_two_sms(&self, what: &str) -> Result<()> {
        let each = self.city.providers.messages_each(Provider::Sms).await?;
        println!("{what}: phones by the number of their SMS: {each:?}");
        ensure!(each.keys().all(|times| *times == 1), "{what}: phones by the number of their SMS: {each:?}");
        Ok(())
    }
}
