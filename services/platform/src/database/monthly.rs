//! Tables that lose a whole month at once.
//!
//! Such a table is partitioned by a column that holds UUIDs of version 7 (`partition by range (column)`), which begin with the
//! time they were made at ([`domain::month`]). It has a partition for each month, `<table>_2026_03`, and the partition
//! `<table>_default` for whatever has none, so that a row is never refused. A job makes the coming months' partitions in
//! time, brings what lies in the default partition to its month, and drops the months that are over and done with: a matter
//! of the catalogue, whatever their size, while deleting their rows would have to find and vacuum each of them.
//!
//! Every process may keep the same table: they wait for each other. Whoever writes or reads waits at most for a change of the
//! catalogue, and for rows that are brought from the default partition, where there should be none.

use std::collections::BTreeSet;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use domain::month::{Keeping, Month};
use sqlx::AssertSqlSafe;
use uuid::Uuid;

use super::{Connection, Database, Tx};
use crate::Platform;
use crate::error::Error;
use crate::jobs::{Did, Job};
use crate::worker::Turn;

/// Months made before they begin.
const AHEAD: u32 = 2;

/// A table that is partitioned by month.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Monthly {
    /// The table's schema.
    pub schema: &'static str,
    /// The table.
    pub table: &'static str,
    /// Its column of UUIDs of version 7.
    pub column: &'static str,
    /// How many months before the present one are kept.
    pub months: u32,
}

impl Monthly {
    /// Has `job` keep these tables: take every step that there is to take.
    ///
    /// # Errors
    /// When the job's expression is none.
    pub fn keep(platform: &Platform, job: &'static Job, tables: Vec<Self>) -> Result<(), Error> {
        let (database, clock, tables) = (platform.database.clone(), platform.clock.clone(), Arc::<[Self]>::from(tables));
        platform.jobs.register(job, move || {
            let (database, now, tables) = (database.clone(), clock.now(), Arc::clone(&tables));
            async move {
                let (mut made, mut dropped) = (0, 0);
                for table in &*tables {
                    while let Some(step) = table.step(&database, now).await? {
                        match step {
                            Step::Make(_) => made += 1,
                            Step::Drop(_) => dropped += 1,
                            Step::Forget(_) => {}
                        }
                    }
                }
                Ok(Did::nothing().and("新建月份分区", "months made", made).and("删除到期月份", "months dropped", dropped))
            }
        })
    }

    /// Takes the next step of what the table needs at `now`: makes a month, drops one, or empties the default partition of one.
    ///
    /// # Errors
    /// When the database fails, or others keep the table busy for seconds.
    pub async fn tend(self, database: &Database, now: DateTime<Utc>) -> Result<Turn, Error> {
        Ok(if self.step(database, now).await?.is_some() { Turn::More } else { Turn::Idle })
    }

    /// The same, and which step it was.
    async fn step(self, database: &Database, now: DateTime<Utc>) -> Result<Option<Step>, Error> {
        let mut connection = database.pool().acquire().await?;
        let Some(found) = self.next_step(&mut connection, now).await? else { return Ok(None) };
        drop(connection);
        let mut tx = database.begin().await?;
        self.alone(&mut tx).await?;
        // another process may just have taken it
        if let Some(step) = self.next_step(&mut tx, now).await? {
            self.take(&mut tx, step).await?;
        }
        tx.commit().await?;
        Ok(Some(found))
    }

    fn keeping(self) -> Keeping {
        Keeping { past: self.months, ahead: AHEAD }
    }

    async fn next_step(self, connection: &mut Connection, now: DateTime<Utc>) -> Result<Option<Step>, Error> {
        let (keeping, made) = (self.keeping(), self.made(connection).await?);
        if let Some(month) = keeping.to_make(now, &made).first() {
            return Ok(Some(Step::Make(*month)));
        }
        if let Some(month) = keeping.to_drop(now, &made).first() {
            return Ok(Some(Step::Drop(*month)));
        }
        let Self { schema, table, column, .. } = self;
        let earliest = format!("select {column} from {schema}.{table}_default where {column} < $1 order by {column} limit 1");
        let bound = keeping.last_made(now).later(1).lowest_id();
        let stray: Option<Uuid> = sqlx::query_scalar(AssertSqlSafe(earliest)).bind(bound).fetch_optional(connection).await?;
        Ok(stray.map(|id| match Month::of_id(id) {
            month if month < keeping.first_kept(now) => Step::Forget(keeping.first_kept(now)),
            month => Step::Make(month),
        }))
    }

    /// The months that have a partition.
    async fn made(self, connection: &mut Connection) -> Result<BTreeSet<Month>, Error> {
        let names = sqlx::query_scalar!(
            r#"select relname::text as "name!" from pg_inherits join pg_class on pg_class.oid = inhrelid
               where inhparent = to_regclass($1)"#,
            format!("{}.{}", self.schema, self.table)
        )
        .fetch_all(connection)
        .await?;
        let month = |name: &String| name.strip_prefix(self.table)?.strip_prefix('_')?.parse().ok();
        Ok(names.iter().filter_map(month).collect())
    }

    /// Waits for other processes that keep the table. Who waits for a lock holds up all who come after, so the waiting ends soon.
    async fn alone(self, tx: &mut Tx) -> Result<(), Error> {
        sqlx::query!("set local lock_timeout = '3s'").execute(&mut **tx).await?;
        let name = format!("monthly:{}.{}", self.schema, self.table);
        sqlx::query!("select pg_advisory_xact_lock(hashtextextended($1, 0))", name).execute(&mut **tx).await?;
        Ok(())
    }

    /// The storage options of the default partition, which those of the months have too.
    async fn options(self, tx: &mut Tx) -> Result<String, Error> {
        let options = sqlx::query_scalar!(
            "select array_to_string(reloptions, ', ') from pg_class where oid = to_regclass($1)",
            format!("{}.{}_default", self.schema, self.table)
        )
        .fetch_one(&mut **tx)
        .await?;
        Ok(options.map(|options| format!(" with ({options})")).unwrap_or_default())
    }

    /// Whose the table is: a month is its owner's as well, also where a login that is a member of several roles has made it.
    async fn owner(self, tx: &mut Tx) -> Result<String, Error> {
        let owner = sqlx::query_scalar!(
            r#"select quote_ident(pg_get_userbyid(relowner)) as "owner!" from pg_class where oid = to_regclass($1)"#,
            format!("{}.{}", self.schema, self.table)
        )
        .fetch_one(&mut **tx)
        .await?;
        Ok(owner)
    }

    async fn take(self, tx: &mut Tx, step: Step) -> Result<(), Error> {
        let Self { schema, table, column, .. } = self;
        let whole = format!("{schema}.{table}");
        let statements = match step {
            Step::Make(month) => {
                let (part, from, to) = (format!("{whole}_{month}"), month.lowest_id(), month.later(1).lowest_id());
                let options = self.options(tx).await?;
                // Attached and not made in its place, for that would hold up whoever reads or writes any month. What is
                // written into the default partition until then would be in the way, so nobody may.
                format!(
                    "lock table {whole}_default in access exclusive mode;
                     create table {part} (like {whole} including all excluding identity){options};
                     with stray as (delete from {whole}_default where {column} >= '{from}' and {column} < '{to}' returning *)
                     insert into {part} select * from stray;
                     alter table {whole} attach partition {part} for values from ('{from}') to ('{to}');
                     alter table {part} owner to {}",
                    self.owner(tx).await?
                )
            }
            Step::Drop(month) => {
                format!("alter table {whole} detach partition {whole}_{month}; drop table {whole}_{month}")
            }
            Step::Forget(first_kept) => format!("delete from {whole}_default where {column} < '{}'", first_kept.lowest_id()),
        };
        sqlx::raw_sql(AssertSqlSafe(statements)).execute(&mut **tx).await?;
        match step {
            Step::Make(month) => tracing::info!(table = whole, %month, "partition made"),
            Step::Drop(month) => tracing::info!(table = whole, %month, "partition dropped: its months to keep are over"),
            Step::Forget(first_kept) => tracing::info!(table = whole, %first_kept, "older rows without a partition dropped"),
        }
        Ok(())
    }
}

/// What a table needs.
#[derive(Clone, Copy, Debug)]
enum Step {
    /// A partition for the month, with what the default partition holds of it.
    Make(Month),
    /// An end of the month's partition.
    Drop(Month),
    /// An end of what the default partition holds from before this month.
    Forget(Month),
}
