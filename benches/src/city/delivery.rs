//! What the ledger says of one alert.

use std::time::Duration;

use anyhow::{Context as _, Result};
use chrono::{DateTime, Utc};
use reqwest::Method;
use serde_json::Value;
use uuid::Uuid;

use super::{City, eventually};

/// The times of an alert's first wave, and what it took in the database.
#[derive(Clone, Copy, Debug)]
pub struct Delivery {
    /// The last of those who decide has decided.
    pub approved_at: DateTime<Utc>,
    /// Everybody is in a batch.
    pub planned_at: DateTime<Utc>,
    /// A provider has accepted the first message.
    pub first_hand_over_at: DateTime<Utc>,
    /// The last batch is closed: every recipient has an outcome that is on disk.
    pub complete_at: DateTime<Utc>,
    /// Recipients in batches.
    pub recipients: i64,
    /// Of them accepted by a provider.
    pub accepted: i64,
}

/// What the ledger takes.
#[derive(Clone, Copy, Debug)]
pub struct LedgerSize {
    /// Bytes of its tables with their indexes and whatever is dead in them.
    pub bytes: i64,
    /// Rows.
    pub rows: i64,
}

impl City {
    /// Waits until everybody has an outcome.
    pub async fn handed_over(&self, alert: &str, patience: Duration) -> Result<Delivery> {
        let alert: Uuid = alert.parse().context("an alert id")?;
        eventually("everybody is handed over", patience, async || {
            let over = sqlx::query_scalar!(
                r#"select exists (select from dispatch.alert where alert_id = $1 and handed_over_at is not null) as "over!""#,
                alert
            );
            Ok(over.fetch_one(self.database.pool()).await?.then_some(()))
        })
        .await?;
        let found = sqlx::query!(
            r#"select a.approved_at, w.planned_at as "planned_at!", w.recipients,
                      (select min(first_hand_over_at) from dispatch.batch where alert_id = $1 and wave = 1) as "first_hand_over_at!",
                      (select max(closed_at) from dispatch.batch where alert_id = $1 and wave = 1) as "complete_at!",
                      (select sum(accepted) from dispatch.batch where alert_id = $1 and wave = 1) as "accepted!"
                 from dispatch.alert a join dispatch.wave w using (alert_id)
                where alert_id = $1 and w.wave = 1"#,
            alert
        )
        .fetch_one(self.database.pool())
        .await?;
        Ok(Delivery {
            approved_at: found.approved_at,
            planned_at: found.planned_at,
            first_hand_over_at: found.first_hand_over_at,
            complete_at: found.complete_at,
            recipients: found.recipients,
            accepted: found.accepted,
        })
    }

    /// What an officer reads of it.
    pub async fn report(&self, alert: &str) -> Result<Value> {
        self.call("dispatch", Method::GET, &format!("alerts/{alert}/delivery"), self.officer(), Value::Null).await
    }

    /// How many recipients of an alert are not done with, of those in batches.
    pub async fn open_recipients(&self, alert: &str) -> Result<i64> {
        let alert: Uuid = alert.parse().context("an alert id")?;
        let open = sqlx::query_scalar!(
            r#"select coalesce(sum(size), 0)::bigint as "open!" from dispatch.batch where alert_id = $1 and state <> 'closed'"#,
            alert
        );
        Ok(open.fetch_one(self.database.pool()).await?)
    }

    /// What the ledger of all alerts takes now.
    pub async fn ledger_size(&self) -> Result<LedgerSize> {
        let size = sqlx::query!(
            r#"select (select sum(pg_total_relation_size(relid)) from (
                          select relid from pg_partition_tree('dispatch.batch') union all select relid from pg_partition_tree('dispatch.recipient_list')
                      ) as part)::bigint as "bytes!",
                      ((select count(*) from dispatch.batch) + (select count(*) from dispatch.recipient_list)) as "rows!""#
        )
        .fetch_one(self.database.pool())
        .await?;
        Ok(LedgerSize { bytes: size.bytes, rows: size.rows })
    }

    /// Bytes that PostgreSQL has written to its log since it was made; it is the whole server's.
    pub async fn wal_bytes(&self) -> Result<i64> {
        let bytes = sqlx::query_scalar!(r#"select (pg_current_wal_insert_lsn() - '0/0')::bigint as "bytes!""#);
        Ok(bytes.fetch_one(self.database.pool()).await?)
    }
}
