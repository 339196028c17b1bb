//! What is done once a minute: sign the head, publish what is signed, look for what never came. And the check against the running database.

use std::collections::BTreeSet;
use std::sync::Arc;

use futures::TryStreamExt as _;
use platform::compiled_once;
use platform::database::Database;
use platform::jobs::{Did, Job};
use platform::{BoxError, Platform};

use crate::chain::Hash;
use crate::check::{Check, Finding, Kept, Report};
use crate::losses;
use crate::signing::{self, Signing, Which};
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

pub(crate) fn register(platform: &Platform, signing: Arc<Signing>) -> Result<(), Error> {
    let of_run = platform.clone();
    platform.jobs.register(&SIGN_HEADS, move || {
        let (platform, signing) = (of_run.clone(), Arc::clone(&signing));
        async move { turn(&platform, &signing).await.map_err(BoxError::from) }
    })?;
    Ok(())
}

async fn turn(platform: &Platform, signing: &Signing) -> Result<Did, Error> {
    let (database, now) = (&platform.database, platform.clock.now().timestamp_millis());
    let lost = lost_by_now(database).await?;
    metrics::gauge!("audit_entries_lost").set(lost as f64);
    if lost > 0 {
        tracing::error!(lost, "entries of the audit trace were published and never came");
    }
    let signed = signing::sign(platform, signing, now).await.inspect_err(|_| metrics::counter!("audit_heads_refused_total").increment(1));
    metrics::gauge!("audit_entries_outside_tree").set(trace::outside_the_tree(database).await? as f64);
    // what was signed already is published whatever has become of the trace since
    let published = match signing.folder() {
        Some(folder) => publishing::publish(database, folder, now)
            .await
            .inspect_err(|_| metrics::counter!("audit_heads_unpublished_total").increment(1)),
        None => Ok(0),
    };
    Ok(Did::nothing().and("签名", "heads signed", u64::from(signed?)).and("发布", "heads published", published?))
}

async fn lost_by_now(database: &Database) -> Result<u64, Error> {
    let lost = losses::lost(database).await?;
    Ok(lost.iter().map(|loss| loss.last.abs_diff(loss.first).saturating_add(1)).fold(0, u64::saturating_add))
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
    let outside = trace::outside_the_tree(&platform.database).await?;
    let numbers = [
        (waiting.unsigned_abs(), "signed heads not published"),
        (lost, "audit entries lost"),
        (outside, "audit entries that no signed head can cover"),
    ];
    let mut trouble: Vec<String> =
        numbers.into_iter().filter(|(number, _)| *number > 0).map(|(number, what)| format!("{what}: {number}")).collect();
    // whatever it was: a key that is gone, a trace that was rewritten, heads that were deleted
    let failure = sqlx::query_scalar!(
        "select error from jobs.run where job = $1 and finished_at is not null order by run_id desc limit 1",
        SIGN_HEADS.name,
    )
    .fetch_optional(platform.database.pool())
    .await?;
    trouble.extend(failure.flatten().map(|error| format!("signing heads of the audit trace failed: {error}")));
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
    // kept and not there, or named by the head after it and not there
    let there: BTreeSet<u64> = own.iter().map(|head| head.size).collect();
    let named = kept.heads.iter().map(|head| head.size).chain(own.iter().map(|head| head.after).filter(|size| *size > 0));
    let gone: BTreeSet<u64> = named.filter(|size| !there.contains(size)).collect();
    report.findings.extend(gone.into_iter().map(|size| Finding::HeadGone { size }));
    Ok(report)
}
