//! Residents with sessions, one alert for all of them, and the service behind its shell.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use chrono::TimeDelta;
use domain::alert::{AckWindow, AlertContent, AlertText};
use domain::cap;
use domain::ids::AlertId;
use domain::language::Language;
use metrics_exporter_prometheus::PrometheusHandle;
use platform::Platform;
use platform::clock::Clock;
use platform::http::{Authenticators, Server, Shell};
use resident::{SessionAuthenticator, Settings};
use roaring::RoaringBitmap;
use tokio_util::sync::CancellationToken;

use crate::load::{self, Load, Protocol, Task};
use crate::processes;

/// A city in which everybody has the app and an alert.
pub struct City<'a> {
    platform: &'a Platform,
    residents: u32,
    alert: AlertId,
}

/// What came of one load.
pub struct Run {
    pub load: Load,
    /// Processor time of one request, in microseconds.
    pub service_cpu_us: f64,
    pub database_cpu_us: f64,
}

impl<'a> City<'a> {
    pub async fn found(platform: &'a Platform, residents: u32) -> anyhow::Result<Self> {
        platform.database.migrate(resident::SCHEMA, &resident::MIGRATOR).await?;
        let pool = platform.database.pool();
        let count = i32::try_from(residents)?;
        sqlx::query!(
            "insert into resident.resident (resident_no, district, township, community, notices, has_apns, registered_at)
             select no, 500101, 500101001, 500101001001, true, true, now() from generate_series(1, $1::int) as no",
            count
        )
        .execute(pool)
        .await?;
        let tokens: Vec<String> = (1..=residents).map(load::token).collect();
        sqlx::query!(
            "insert into resident.session (token_hash, resident_no, created_at, last_used_at)
             select sha256(token::bytea), no, now(), now() from unnest($1::text[]) with ordinality as session (token, no)",
            &tokens
        )
        .execute(pool)
        .await?;
        let mut audience = Vec::new();
        (1..=residents).collect::<RoaringBitmap>().serialize_into(&mut audience)?;
        let (alert, now) = (AlertId::new(), Clock::real().now());
        sqlx::query!(
            "insert into resident.alert (alert_id, short_code, content, audience, released_at, expires_at, ack_by)
             values ($1, 'AB2C', $2, $3, $4, $5, $5)",
            alert.uuid(),
            serde_json::to_value(content())?,
            audience,
            now,
            now + TimeDelta::hours(4)
        )
        .execute(pool)
        .await?;
        // as they are when nobody has just written them all
        for settled in ["vacuum analyze resident.session", "vacuum analyze resident.alert", "checkpoint"] {
            sqlx::raw_sql(settled).execute(pool).await?;
        }
        Ok(Self { platform, residents, alert })
    }

    /// The service, as it is served.
    pub async fn shell(&self, metrics: PrometheusHandle) -> anyhow::Result<Shell> {
        let routes = resident::start(self.platform, Settings::default()).await?;
        let sessions = SessionAuthenticator::new(self.platform, &Settings::default());
        Ok(Shell::new(routes, Authenticators::new().with(sessions)).checks(self.platform.checks()).metrics(metrics))
    }

    /// Everybody acknowledges the alert once.
    pub async fn run(&self, shell: Shell, askers: u32, protocol: Protocol) -> anyhow::Result<Run> {
        let pool = self.platform.database.pool();
        let server = Server::bind(([127, 0, 0, 1], 0).into()).await?;
        let (address, stop) = (server.address(), CancellationToken::new());
        let serving = tokio::spawn(server.serve(shell.router(), stop.clone(), Duration::from_secs(5)));
        let before = (processes::cpu("self"), processes::cpu_of_server(pool).await?);
        let load = load::generate(&Task { address, alert: self.alert, residents: self.residents, askers, protocol }).await;
        let after = (processes::cpu("self"), processes::cpu_of_server(pool).await?);
        stop.cancel();
        serving.await?;
        let each = |after: Duration, before: Duration| after.saturating_sub(before).as_secs_f64() * 1e6 / f64::from(self.residents);
        Ok(Run { load: load?, service_cpu_us: each(after.0, before.0), database_cpu_us: each(after.1, before.1) })
    }

    /// Asks the table for everybody who was answered.
    pub async fn must_hold_everybody_but(&self, refused: &[u32]) -> anyhow::Result<()> {
        let refused: Vec<i32> = refused.iter().map(|no| no.cast_signed()).collect();
        let missing = sqlx::query_scalar!(
            r#"select count(*) as "missing!" from generate_series(1, $1::int) as no
               where no <> all($2::int[])
                 and not exists (select from resident.acknowledgement where alert_id = $3 and resident_no = no)"#,
            i32::try_from(self.residents)?,
            &refused,
            self.alert.uuid()
        )
        .fetch_one(self.platform.database.pool())
        .await
        .context("the acknowledgements cannot be read")?;
        ensure!(missing == 0, "{missing} residents were answered and are not in the table");
        Ok(())
    }
}

/// The value of a counter in the Prometheus text.
pub fn counted(text: &str, counter: &str, name: &str) -> u64 {
    let line = format!("{counter}{{name=\"{name}\"}} ");
    text.lines().find_map(|said| said.strip_prefix(&line)).and_then(|number| number.parse().ok()).unwrap_or(0)
}

fn content() -> AlertContent {
    AlertContent {
        status: cap::Status::Actual,
        msg_type: cap::MsgType::Alert,
        references: None,
        category: cap::Category::Health,
        urgency: cap::Urgency::Immediate,
        severity: cap::Severity::Severe,
        certainty: cap::Certainty::Observed,
        purpose: "防止饮用受污染的水".into(),
        texts: BTreeMap::from([(Language::ZhCn, AlertText { headline: "请煮沸饮用水".into(), ..AlertText::default() })]),
        contact: "12320".into(),
        expires_at: Clock::real().now() + TimeDelta::hours(4),
        ack_window_s: AckWindow::capped(3_600),
        place: None,
        display: false,
        source_note: String::new(),
    }
}
