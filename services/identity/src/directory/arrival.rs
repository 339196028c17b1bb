//! Who came by the directory and is bound to no account: so that administrators need not type what the directory calls somebody.

use chrono::{DateTime, TimeDelta, Utc};
use domain::directory::{SubjectIdentifier, proposed_login};
use domain::ids::StaffId;
use domain::retention;
use platform::Platform;
use platform::database::{Connection, Tx};
use platform::jobs::{Did, Job};
use serde::Serialize;
use utoipa::ToSchema;

use super::Arrived;
use crate::Error;

/// So many, the last ones: more is a crowd, in which nobody finds anybody.
const MOST: i64 = 200;

/// Somebody whom the directory knows and nobody here.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(as = DirectoryArrival)]
pub(crate) struct Arrival {
    /// What the directory calls them.
    pub subject: SubjectIdentifier,
    /// The name that it tells; it binds nothing.
    pub name: String,
    /// When they came last.
    pub came_at: DateTime<Utc>,
    /// The account whose login the name proposes, where there is one that nobody is bound to.
    pub proposes: Option<StaffId>,
}

fn kept_since(now: DateTime<Utc>) -> DateTime<Utc> {
    now - TimeDelta::days(retention::DIRECTORY_ARRIVALS.keeping.length().into())
}

pub(crate) const FORGET: Job = Job {
    name: "identity.forget_arrivals",
    cron: "0 35 3 * * *",
    about: "清理两周前从统一身份目录来过、未绑定账号的记录。",
    about_en: "Forgets who came by the city's directory more than two weeks ago and is bound to no account.",
    at_start: false,
};

/// Forgets every night who came too long ago, also where the directory was switched off since.
pub(crate) fn forget_old(platform: &Platform) -> Result<(), platform::Error> {
    let (database, clock) = (platform.database.clone(), platform.clock.clone());
    platform.jobs.register(&FORGET, move || {
        let (database, now) = (database.clone(), clock.now());
        async move {
            let gone = sqlx::query!("delete from identity.directory_arrival where came_at <= $1", kept_since(now))
                .execute(database.pool())
                .await?;
            Ok(Did::nothing().and("清理的目录来访记录", "arrivals by the directory forgotten", gone.rows_affected()))
        }
    })
}

/// Notes that somebody came.
pub(crate) async fn note(tx: &mut Tx, issuer: &str, arrived: &Arrived, now: DateTime<Utc>) -> Result<(), Error> {
    sqlx::query!(
        "insert into identity.directory_arrival (issuer, subject, name, proposed_login, came_at) values ($1, $2, $3, $4, $5)
         on conflict (issuer, subject) do update set name = excluded.name, proposed_login = excluded.proposed_login, came_at = excluded.came_at",
        issuer,
        arrived.subject.as_str(),
        arrived.name,
        proposed_login(&arrived.name),
        now,
    )
    .execute(&mut **tx)
    .await?;
    sqlx::query!(
        "delete from identity.directory_arrival where (issuer, subject) not in
             (select issuer, subject from identity.directory_arrival order by came_at desc limit $1)",
        MOST,
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Who came lately, the last first.
pub(crate) async fn listed(connection: &mut Connection, issuer: &str, now: DateTime<Utc>) -> Result<Vec<Arrival>, Error> {
    let rows = sqlx::query!(
        r#"select a.subject, a.name, a.came_at, s.id as "proposes?"
             from identity.directory_arrival a
             left join identity.staff s on s.login = a.proposed_login and s.disabled_at is null
                                       and not exists (select from identity.directory_subject d where d.staff_id = s.id)
            where a.issuer = $1 and a.came_at > $2 order by a.came_at desc, a.subject limit $3"#,
        issuer,
        kept_since(now),
        MOST,
    )
    .fetch_all(connection)
    .await?;
    rows.into_iter()
        .map(|row| {
            let subject = row.subject.parse().map_err(|_| Error::Stored { what: "directory_arrival.subject" })?;
            Ok(Arrival { subject, name: row.name, came_at: row.came_at, proposes: row.proposes.map(StaffId::from_uuid) })
        })
        .collect()
}
