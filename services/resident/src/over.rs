//! Lets go of sign-ins that are over, and of what residents were told long ago.

use chrono::TimeDelta;
use domain::retention;
use platform::jobs::{Did, Job};

use crate::{Error, Service, number};

pub(crate) const FORGET: Job = Job {
    name: "resident.forget_sign_ins",
    cron: "0 45 3 * * *",
    about: "清理早已失效的登录、过期的换号申请和半年前的账户提示。",
    about_en: "Removes sign-ins that ended long ago, changes of number nobody came for, and what residents were told half a year ago.",
    at_start: false,
};

/// For so long after it was over a sign-in is kept: it tells when its owner was last heard of, and its device why it ended.
const KEPT: TimeDelta = TimeDelta::days(180);

/// Deleted in one statement: each is short, and what is signed in meanwhile waits for none.
const TOGETHER: i64 = 5_000;

pub(crate) fn forget_old(service: &Service) -> Result<(), Error> {
    let own = service.clone();
    service.platform.jobs.register(&FORGET, move || {
        let service = own.clone();
        async move { Ok(forget(&service).await?) }
    })?;
    Ok(())
}

async fn forget(service: &Service) -> Result<Did, Error> {
    let (pool, now) = (service.platform.database.pool(), service.platform.clock.now());
    let over = service.settings.sign_in_terms().idle.max(service.settings.silent_after());
    let before = now - over - KEPT;
    let (mut sign_ins, mut some) = (0, TOGETHER.unsigned_abs());
    while some == TOGETHER.unsigned_abs() {
        some = sqlx::query!(
            "delete from resident.session where token_hash in
                 (select token_hash from resident.session where greatest(last_used_at, counts_from) < $1 limit $2)",
            before,
            TOGETHER
        )
        .execute(pool)
        .await
        .map_err(Error::database("forgetting sign-ins"))?
        .rows_affected();
        sign_ins += some;
    }
    let changes = sqlx::query!("delete from resident.number_change where asked_at < $1", now - number::lost::WAITS)
        .execute(pool)
        .await
        .map_err(Error::database("forgetting changes of number"))?
        .rows_affected();
    let notices =
        sqlx::query!("delete from resident.notice where at < $1", now - TimeDelta::days(retention::NOTICES.keeping.length().into()))
            .execute(pool)
            .await
            .map_err(Error::database("forgetting notices"))?
            .rows_affected();
    Ok(Did::nothing().and("清理的登录", "sign-ins removed", sign_ins).and("过期的换号申请", "changes of number removed", changes).and(
        "清理的账户提示",
        "notices removed",
        notices,
    ))
}
