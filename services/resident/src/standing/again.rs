//! Every hour all that stands is settled again, in case nobody told of something; and every night what ended long ago is forgotten.

use chrono::{DateTime, TimeDelta, Utc};
use domain::retention;
use platform::jobs::{Did, Job};

use super::places::share;
use super::{TOGETHER, opening, settling};
use crate::{Error, Service};

pub(crate) const LOOK_AGAIN: Job = Job {
    name: "resident.settle_standings",
    cron: "0 50 * * * *",
    about: "重新核对仍存续的弹窗状态：依据、解除记录、撤销情况有变化而未收到通知的，立即改正。",
    about_en: "Looks again at everything that stands against people: corrects it where a record or a withdrawal was told by no event.",
    at_start: false,
};

pub(crate) const FORGET: Job = Job {
    name: "resident.forget_standings",
    cron: "0 55 3 * * *",
    about: "清理早已结束的弹窗状态和查询记录。",
    about_en: "Forgets what stood against people and who asked about it, long after it ended.",
    at_start: false,
};

pub(crate) fn start(service: &Service) -> Result<(), Error> {
    let own = service.clone();
    service.platform.jobs.register(&LOOK_AGAIN, move || {
        let service = own.clone();
        async move { Ok(look_again(&service).await?) }
    })?;
    let own = service.clone();
    service.platform.jobs.register(&FORGET, move || {
        let service = own.clone();
        async move { Ok(forget(&service).await?) }
    })?;
    Ok(())
}

/// Looks at everything that stands, the oldest first, each some thousands in a transaction of their own.
async fn look_again(service: &Service) -> Result<Did, Error> {
    let (mut after, mut looked) = (0, 0_u64);
    loop {
        let now = service.platform.clock.now();
        let mut tx = service.platform.database.begin().await?;
        share(&mut tx).await?;
        let ids = sqlx::query_scalar!(
            "select standing_id from resident.standing where standing_id > $1 and ends_at > $2 order by standing_id limit $3",
            after,
            now,
            TOGETHER
        )
        .fetch_all(&mut *tx)
        .await
        .map_err(Error::database("looking again at what stands"))?;
        let Some(last) = ids.last() else {
            tx.rollback().await?;
            return Ok(Did::nothing().and("核对的弹窗状态", "standings looked at", looked));
        };
        after = *last;
        opening::evidence_again(&mut tx, &ids).await?;
        settling::settle(&mut tx, &ids, now).await?;
        tx.commit().await?;
        looked += ids.len() as u64;
    }
}

async fn forget(service: &Service) -> Result<Did, Error> {
    let before = service.platform.clock.now() - TimeDelta::days(retention::STANDINGS.keeping.length().into());
    let mut standings = 0;
    while let some @ 1.. = forget_some(service, before).await? {
        standings += some;
    }
    let pool = service.platform.database.pool();
    let questions = sqlx::query!("delete from resident.standing_question where asked_at < $1", before)
        .execute(pool)
        .await
        .map_err(Error::database("forgetting questions about standings"))?
        .rows_affected();
    sqlx::query!(
        "delete from resident.standing_terms t where t.alert_ends < $1
            and not exists (select from resident.standing s where s.alert_id = t.alert_id)",
        before
    )
    .execute(pool)
    .await
    .map_err(Error::database("forgetting what alerts left standing"))?;
    Ok(Did::nothing().and("清理的弹窗状态", "standings forgotten", standings).and("清理的查询记录", "questions forgotten", questions))
}

/// Some of those that ended before; the records behind them go along.
async fn forget_some(service: &Service, before: DateTime<Utc>) -> Result<u64, Error> {
    let forgotten = sqlx::query!(
        "delete from resident.standing where standing_id in (select standing_id from resident.standing where ends_at < $1 limit $2)",
        before,
        TOGETHER
    )
    .execute(service.platform.database.pool())
    .await
    .map_err(Error::database("forgetting standings"))?;
    Ok(forgotten.rows_affected())
}
