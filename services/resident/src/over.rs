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
    let sign_ins = sqlx::query!("delete from resident.session where last_used_at < $1", now - over - KEPT)
        .execute(pool)
        .await
        .map_err(Error::database("forgetting sign-ins"))?
        .rows_affected();
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
