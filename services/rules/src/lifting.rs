//! Records that lift what stands against a person by a rule: a negative test, for instance (CQ12).
//!
//! They are found as a load is evaluated, by their kind first, so that a record of another kind costs nothing. They are kept whether or not something
//! stands: the alert may come after the test. Whom they are about is told to resident, which decides.
//!
//! Rules of every version are heeded that was ever saved: what a person was told lifts theirs stays true when the rule changes or is taken out of force.

use chrono::{DateTime, TimeDelta, Utc};
use domain::condition::Condition;
use domain::ids::ResidentNo;
use domain::risk_record::RecordKind;
use domain::standing::LONGEST;
use platform::Platform;
use platform::database::Tx;
use platform::jobs::{Did, Job};
use proto::LiftingRecordsChanged;
use uuid::Uuid;

use crate::gathering::stored;
use crate::{Error, SCHEMA};

/// Which records lift something, in whichever rules.
#[derive(Debug)]
pub(crate) struct Clause {
    /// `domain::standing::LiftingRecord::key`
    pub(crate) key: Uuid,
    pub(crate) kinds: Vec<RecordKind>,
    pub(crate) condition: Condition,
}

/// A record that lifts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Lifting {
    pub(crate) record_id: i64,
    pub(crate) clause: Uuid,
    pub(crate) resident: ResidentNo,
    pub(crate) sampled_at: DateTime<Utc>,
}

/// No alert is drafted on what is older, and nothing stands for longer.
const MATTERS_FOR: TimeDelta = LONGEST;

pub(crate) const FORGET: Job = Job {
    name: "rules.forget_lifting",
    cron: "0 25 3 * * *",
    about: "清理已不能解除任何弹窗状态的记录摘要（例如两个月前的阴性检测）。",
    about_en: "Forgets which records, negative tests for instance, can lift nothing any more that stands against a person.",
    at_start: false,
};

/// Forgotten in one statement: each is short, and no load waits for it.
const TOGETHER: i64 = 20_000;

/// Forgets every night what is too old to lift anything.
pub(crate) fn forget_old(platform: &Platform) -> Result<(), Error> {
    let own = platform.clone();
    platform.jobs.register(&FORGET, move || {
        let platform = own.clone();
        async move { Ok(forget(&platform).await?) }
    })?;
    Ok(())
}

async fn forget(platform: &Platform) -> Result<Did, Error> {
    let before = platform.clock.now() - MATTERS_FOR;
    let (mut forgotten, mut some) = (0, TOGETHER.unsigned_abs());
    while some == TOGETHER.unsigned_abs() {
        some = sqlx::query!(
            "delete from rules.lifting where (record_id, clause) in (select record_id, clause from rules.lifting where sampled_at < $1 limit $2)",
            before,
            TOGETHER
        )
        .execute(platform.database.pool())
        .await
        .map_err(Error::database("forgetting lifting records"))?
        .rows_affected();
        forgotten += some;
    }
    Ok(Did::nothing().and("清理的解除记录", "lifting records forgotten", forgotten))
}

/// Keeps what a load brought, and tells resident whom it is about. What its source took back before lifts nothing.
pub(crate) async fn keep(tx: &mut Tx, lifting: &[Lifting], now: DateTime<Utc>) -> Result<(), Error> {
    let lifting: Vec<&Lifting> = lifting.iter().filter(|one| one.sampled_at > now - MATTERS_FOR).collect();
    if lifting.is_empty() {
        return Ok(());
    }
    let records: Vec<i64> = lifting.iter().map(|one| one.record_id).collect();
    let clauses: Vec<Uuid> = lifting.iter().map(|one| one.clause).collect();
    let residents: Vec<i32> = lifting.iter().map(|one| stored(one.resident)).collect();
    let times: Vec<DateTime<Utc>> = lifting.iter().map(|one| one.sampled_at).collect();
    sqlx::query!(
        "insert into rules.lifting (record_id, clause, resident_no, sampled_at)
         select * from unnest($1::bigint[], $2::uuid[], $3::int[], $4::timestamptz[]) as found (record_id, clause, resident_no, sampled_at)
          where not exists (select from rules.ended_record ended where ended.record_id = found.record_id)
         on conflict (record_id, clause) do nothing",
        &records,
        &clauses,
        &residents,
        &times
    )
    .execute(&mut **tx)
    .await
    .map_err(Error::database("keeping lifting records"))?;
    metrics::counter!("rules_lifting_records_total").increment(lifting.len() as u64);
    tell(tx, residents).await
}

/// These records ended: they lift nothing any more.
pub(crate) async fn end(tx: &mut Tx, records: &[i64], now: DateTime<Utc>) -> Result<(), Error> {
    let residents = sqlx::query_scalar!(
        "update rules.lifting set ended_at = $2 where record_id = any($1) and ended_at is null returning resident_no",
        records,
        now
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(Error::database("ending lifting records"))?;
    if residents.is_empty() { Ok(()) } else { tell(tx, residents).await }
}

async fn tell(tx: &mut Tx, mut residents: Vec<i32>) -> Result<(), Error> {
    residents.sort_unstable();
    residents.dedup();
    let residents = residents.into_iter().map(i32::cast_unsigned).collect();
    Ok(tx.publish(SCHEMA, &LiftingRecordsChanged { residents }).await?)
}
