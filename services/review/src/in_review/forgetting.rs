//! What of the work on alerts is forgotten when it matters no more.

use chrono::TimeDelta;
use domain::retention::{Kind, LOOKS, WORK};
use platform::BoxError;
use platform::jobs::{Did, Job};

use crate::{Error, Service};

pub(crate) const FORGET: Job = Job {
    name: "review.forget_work",
    cron: "0 35 3 * * *",
    about: "删去已失效的审核认领、在线变化记录，以及三个月前的“已看过”记录。",
    about_en: "Forgets claims that have lapsed, what the live line has told of, and who looked at what three months ago.",
    at_start: false,
};

pub(super) fn register(service: &Service) -> Result<(), Error> {
    let own = service.clone();
    service.platform.jobs.register(&FORGET, move || {
        let service = own.clone();
        async move { forget(&service).await }
    })?;
    Ok(())
}

async fn forget(service: &Service) -> Result<Did, BoxError> {
    let (pool, now) = (service.platform.database.pool(), service.platform.clock.now());
    let before = |kind: Kind| now - TimeDelta::days(kind.keeping.length().into());
    let claims = sqlx::query!("delete from review.claim where until <= $1", before(WORK)).execute(pool).await?.rows_affected();
    let work = sqlx::query!("delete from review.work where at <= $1", before(WORK)).execute(pool).await?.rows_affected();
    let looks = sqlx::query!("delete from review.look where looked_at <= $1", before(LOOKS)).execute(pool).await?.rows_affected();
    Ok(Did::nothing().and("失效的认领", "claims that had lapsed", claims).and("变化记录", "changes that were told of", work).and(
        "“已看过”记录",
        "notes of what was looked at",
        looks,
    ))
}
