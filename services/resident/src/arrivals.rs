//! Who may belong to an audience since a moment ago: the database writes it down with every change of a person, dispatch reads it by the view
//! `resident.arrived`. Here it is forgotten when no alert lives any more for which it could matter.

use platform::Platform;
use platform::jobs::{Did, Job};

use crate::Error;

pub(crate) const FORGET: Job = Job {
    name: "resident.forget_arrivals",
    cron: "0 40 3 * * *",
    about: "清理已无有效弹窗可补发的居民变动记录（登记、搬家、重新同意）。",
    about_en: "Forgets who registered, moved or consented again before any alert that still holds.",
    at_start: false,
};

/// Forgets what is older than any alert can be.
pub(crate) fn forget_old(platform: &Platform) -> Result<(), Error> {
    let database = platform.database.clone();
    platform.jobs.register(&FORGET, move || {
        let database = database.clone();
        async move {
            // By the clock of the database, which wrote the times. No alert holds for so long.
            let forgotten = sqlx::query!("delete from resident.arrival where at < now() - interval '62 days'")
                .execute(database.pool())
                .await
                .map_err(Error::database("forgetting arrivals"))?
                .rows_affected();
            Ok(Did::nothing().and("清理的居民变动", "arrivals forgotten", forgotten))
        }
    })?;
    Ok(())
}
