//! What is promised of a table that is kept by the month.

use chrono::{DateTime, Utc};
use platform::Platform;
use platform::database::Monthly;
use platform::jobs::Job;
use platform::worker::Turn;
use stages::{DAY, until};
use uuid::{NoContext, Timestamp, Uuid};

use super::{SCHEMA, start};

const SAID: Monthly = Monthly { schema: SCHEMA, table: "said", column: "id", months: 2 };

const KEEP_SAID: Job =
    Job { name: "trial.keep_said", cron: "0 10 */6 * * *", about: "按月保存", about_en: "Keeps it by the month.", at_start: true };

async fn make(platform: &Platform) {
    run(
        platform,
        "create table trial.said (id uuid primary key, word text not null default '' check (word <> 'never')) partition by range (id);
         create table trial.said_default partition of trial.said default",
    )
    .await;
}

async fn run(platform: &Platform, statements: &'static str) {
    sqlx::raw_sql(statements).execute(platform.database.pool()).await.expect("done");
}

fn at(text: &str) -> DateTime<Utc> {
    text.parse().expect("a time")
}

/// A row made at that time; returns the partition it lies in.
async fn say(platform: &Platform, time: &str) -> String {
    let id = Uuid::new_v7(Timestamp::from_unix(NoContext, at(time).timestamp().unsigned_abs(), 0));
    sqlx::query_scalar("insert into trial.said (id) values ($1) returning tableoid::regclass::text")
        .bind(id)
        .fetch_one(platform.database.pool())
        .await
        .expect("no row is refused")
}

/// Takes every step that there is to take.
async fn tend(platform: &Platform, now: &str) {
    while SAID.tend(&platform.database, at(now)).await.expect("the step is taken") == Turn::More {}
}

/// The partitions.
async fn names(platform: &Platform) -> Vec<String> {
    sqlx::query_scalar("select inhrelid::regclass::text from pg_inherits where inhparent = 'trial.said'::regclass order by 1")
        .fetch_all(platform.database.pool())
        .await
        .expect("listed")
}

/// The partitions with the number of their rows.
async fn partitions(platform: &Platform) -> Vec<(String, i64)> {
    let mut counted = Vec::new();
    for name in names(platform).await {
        let count = format!("select count(*) from {name}");
        let rows = sqlx::query_scalar(sqlx::AssertSqlSafe(count)).fetch_one(platform.database.pool()).await.expect("counted");
        counted.push((name, rows));
    }
    counted
}

fn expected(partitions: &[(&str, i64)]) -> Vec<(String, i64)> {
    partitions.iter().map(|(month, rows)| (format!("trial.said_{month}"), *rows)).collect()
}

pub async fn the_coming_months_have_partitions_before_they_begin(platform: &Platform) {
    make(platform).await;
    tend(platform, "2026-11-30T23:59:59Z").await;
    assert_eq!(partitions(platform).await, expected(&[("2026_11", 0), ("2026_12", 0), ("2027_01", 0), ("default", 0)]));
    assert_eq!(say(platform, "2026-11-30T23:59:59Z").await, "trial.said_2026_11");
    assert_eq!(say(platform, "2026-12-01T00:00:00Z").await, "trial.said_2026_12");
    assert_eq!(say(platform, "2027-02-01T00:00:00Z").await, "trial.said_default", "further ahead than anybody should be");
}

pub async fn a_month_is_dropped_with_its_rows_when_the_months_to_keep_have_passed(platform: &Platform) {
    make(platform).await;
    tend(platform, "2026-01-15T00:00:00Z").await;
    for time in ["2026-01-01T00:00:00Z", "2026-01-31T23:59:59Z", "2026-02-01T00:00:00Z"] {
        say(platform, time).await;
    }
    tend(platform, "2026-03-31T23:59:59Z").await;
    let (january, february) = (("2026_01", 2), ("2026_02", 1));
    let coming = [("2026_03", 0), ("2026_04", 0), ("2026_05", 0)];
    assert_eq!(partitions(platform).await, expected(&[&[january, february][..], &coming, &[("default", 0)]].concat()));
    tend(platform, "2026-04-01T00:00:00Z").await;
    assert_eq!(partitions(platform).await, expected(&[&[february][..], &coming, &[("2026_06", 0), ("default", 0)]].concat()));
    let left: Option<String> =
        sqlx::query_scalar("select to_regclass('trial.said_2026_01')::text").fetch_one(platform.database.pool()).await.expect("asked");
    assert_eq!(left, None, "its space is free");
}

pub async fn rows_that_had_no_partition_are_brought_to_their_month_or_dropped_with_it(platform: &Platform) {
    make(platform).await;
    for time in ["2025-10-10T00:00:00Z", "2025-11-30T23:59:59Z", "2026-01-10T00:00:00Z", "2026-01-11T00:00:00Z", "2026-09-01T00:00:00Z"] {
        assert_eq!(say(platform, time).await, "trial.said_default");
    }
    tend(platform, "2026-02-10T00:00:00Z").await;
    let brought = [("2026_01", 2), ("2026_02", 0), ("2026_03", 0), ("2026_04", 0), ("default", 1)];
    assert_eq!(partitions(platform).await, expected(&brought), "what comes in half a year waits for its month");
}

pub async fn many_who_keep_the_same_table_do_not_disturb_each_other(platform: &Platform) {
    make(platform).await;
    say(platform, "2026-01-10T00:00:00Z").await;
    let now = "2026-02-10T00:00:00Z";
    tokio::join!(tend(platform, now), tend(platform, now), tend(platform, now));
    let brought = [("2026_01", 1), ("2026_02", 0), ("2026_03", 0), ("2026_04", 0), ("default", 0)];
    assert_eq!(partitions(platform).await, expected(&brought));
}

pub async fn a_job_keeps_the_table_as_the_clock_moves(platform: &Platform) {
    make(platform).await;
    Monthly::keep(platform, &KEEP_SAID, vec![SAID]).expect("offered");
    let present = |months: u32| domain::month::Month::of(start()).later(months).to_string();
    let kept = async |first: String, last: String| {
        let (first, last) = (format!("trial.said_{first}"), format!("trial.said_{last}"));
        until("the partitions are there", async || {
            let names = names(platform).await;
            names.first() == Some(&first) && names.iter().rev().nth(1) == Some(&last)
        })
        .await;
    };
    kept(present(0), present(2)).await;
    platform.clock.forward(100 * DAY);
    kept(present(1), present(5)).await;
}
