//! What is done once a minute: sign the head, publish what is signed, look for what never came. And the check against the running database.

use std::path::PathBuf;
use std::sync::Arc;

use futures::TryStreamExt as _;
use platform::compiled_once;
use platform::database::Database;
use platform::jobs::{Did, Job};
use platform::{BoxError, Platform};

use crate::chain::Hash;
use crate::check::{Check, Finding, Kept, Report};
use crate::losses;
use crate::signing::{self, Signer, Which};
use crate::{Error, publishing, trace};

pub(crate) const SIGN_HEADS: Job = Job {
    name: "audit.sign_heads",
    cron: "50 * * * * *",
    about: "为审计记录的链头签名，并写到 audit.publish_heads_to 指定的目录；查找发布后没有到达的记录。",
    about_en: "Signs the head of the audit trace, writes it into the folder audit.publish_heads_to, and looks for entries that never came.",
    at_start: false,
};

/// A signed head that has not been published after this time is told of: five minutes.
const LATE_MS: i64 = 5 * 60 * 1_000;
/// Heads that are read at once for a check.
const HEADS_AT_ONCE: i64 = 1_000;

pub(crate) fn register(platform: &Platform, signer: Arc<Signer>, folder: Option<PathBuf>) -> Result<(), Error> {
    let (of_run, folder) = (platform.clone(), folder.map(Arc::new));
    platform.jobs.register(&SIGN_HEADS, move || {
        let (platform, signer, folder) = (of_run.clone(), Arc::clone(&signer), folder.clone());
        async move { turn(&platform, &signer, folder.as_ref()).await.map_err(BoxError::from) }
    })?;
    Ok(())
}

async fn turn(platform: &Platform, signer: &Signer, folder: Option<&Arc<PathBuf>>) -> Result<Did, Error> {
    let (database, now) = (&platform.database, platform.clock.now().timestamp_millis());
    let lost = lost_by_now(database).await?;
    metrics::gauge!("audit_entries_lost").set(lost as f64);
    if lost > 0 {
        tracing::error!(lost, "entries of the audit trace were published and never came");
    }
    let signed = signing::sign(database, signer, now).await.inspect_err(|_| metrics::counter!("audit_heads_refused_total").increment(1))?;
    let published = match folder {
        Some(folder) => publishing::publish(database, folder, signer.key(), now)
            .await
            .inspect_err(|_| metrics::counter!("audit_heads_unpublished_total").increment(1))?,
        None => 0,
    };
    Ok(Did::nothing().and("签名", "heads signed", u64::from(signed)).and("发布", "heads published", published))
}

async fn lost_by_now(database: &Database) -> Result<u64, Error> {
    let lost = losses::lost(database).await?;
    Ok(lost.iter().map(|loss| (loss.last - loss.first + 1).unsigned_abs()).sum())
}

/// What an operator has to look at, if anything.
#[compiled_once]
pub(crate) async fn trouble(platform: &Platform, publishes: bool) -> Result<Option<String>, Error> {
    let late = platform.clock.now().timestamp_millis() - LATE_MS;
    let waiting = sqlx::query_scalar!(
        r#"select count(*) as "waiting!" from audit.signed_head where published_at_ms is null and at_ms < $1 and $2"#,
        late,
        publishes,
    )
    .fetch_one(platform.database.pool())
    .await?;
    let lost = lost_by_now(&platform.database).await?;
    let trouble: Vec<String> = [(waiting.unsigned_abs(), "signed heads not published"), (lost, "audit entries lost")]
        .into_iter()
        .filter(|(number, _)| *number > 0)
        .map(|(number, what)| format!("{what}: {number}"))
        .collect();
    Ok((!trouble.is_empty()).then(|| trouble.join("; ")))
}

/// Checks the running database: every entry anew, against the heads that were kept and those in its own table.
#[compiled_once]
pub async fn check_database(database: &Database, kept: Kept) -> Result<Report, Error> {
    let mut all = kept.clone();
    let mut own = Vec::new();
    loop {
        let after = own.last().map_or(0, |head: &crate::head::SignedHead| head.size.cast_signed());
        let more = signing::heads(database, Which::After(after), HEADS_AT_ONCE).await?;
        if more.is_empty() {
            break;
        }
        own.extend(more);
    }
    // what was kept comes first: of two heads that say the same, it is the one to believe
    all.heads.extend(own.iter().cloned());
    let mut tx = database.begin().await?;
    sqlx::query!("set transaction isolation level repeatable read, read only").execute(&mut *tx).await?;
    let end = trace::head(&mut tx).await?;
    let mut check = Check::against(all);
    let mut rows = sqlx::query!("select sequence, body, hash from audit.entry order by sequence").fetch(&mut *tx);
    while let Some(row) = rows.try_next().await? {
        let hash = Hash::try_from(row.hash.as_slice()).map_err(|_| Error::Malformed { field: "hash" })?;
        check.entry(usize::try_from(row.sequence).unwrap_or(usize::MAX), &row.body, hash);
    }
    drop(rows);
    tx.rollback().await?;
    let mut report = check.finish(Some(end));
    let gone = kept.heads.iter().filter(|kept| !own.iter().any(|head| head.size == kept.size));
    report.findings.extend(gone.map(|head| Finding::HeadGone { size: head.size }));
    Ok(report)
}
