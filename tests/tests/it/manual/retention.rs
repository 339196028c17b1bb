//! `docs/reference/retention.md`, and that the table behind it is whole: every table of the database is kept for a reason.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use domain::retention::{KINDS, Keeping, Kind};
use tests::Whole;

use super::pages;

fn how_long(kind: &Kind) -> String {
    let length = match kind.keeping {
        Keeping::ForGood => "for good".to_owned(),
        Keeping::Months(months) => format!("{months} months and the present one"),
        Keeping::Days(days) => format!("{days} days"),
        Keeping::Hours(hours) => format!("{hours} hours"),
        Keeping::Seconds(seconds) if seconds % 3600 == 0 => format!("{} hours at most", seconds / 3600),
        Keeping::Seconds(seconds) => format!("{} minutes", seconds / 60),
        Keeping::WithThePerson => "until the person ends it".to_owned(),
        Keeping::UntilDone => "until its work is done".to_owned(),
    };
    match kind.setting {
        Some(setting) => format!("{length} (`{setting}`)"),
        None => length,
    }
}

fn page() -> String {
    let mut page = pages::head("What is kept, how long, and why", "the table `services/domain/src/retention.rs`, which the services read");
    page.push_str(
        "\nMonths are those of the alert: its id begins with the time at which it was made, so a table that is partitioned by month loses an old \
         month whole, without a look at its rows. A setting changes the length; in the table stands its default.\n\n\
         | what | how long | why, and what of a person stands in it | for | tables |\n|---|---|---|---|---|\n",
    );
    for kind in KINDS {
        let tables = if kind.tables.is_empty() { "the cache".to_owned() } else { kind.tables.join(", ") };
        writeln!(page, "| {} | {} | {} | {} | {tables} |", kind.what, how_long(kind), kind.why, kind.requirement).unwrap();
    }
    page
}

#[test]
fn the_page_of_retention_is_the_table() {
    pages::is_as_written("docs/reference/retention.md", &page());
}

#[tokio::test]
async fn every_table_of_the_database_is_kept_for_a_reason() {
    let whole = Whole::start("2026-03-02T02:00:00Z".parse().unwrap()).await;
    // The months of a partitioned table are its own; what migrations have run is sqlx's.
    let found = sqlx::query_as::<_, (String, bool)>(
        "select n.nspname || '.' || c.relname, c.relkind = 'p' from pg_class c join pg_namespace n on n.oid = c.relnamespace
          where c.relkind in ('r', 'p') and not c.relispartition and n.nspname not in ('pg_catalog', 'information_schema', 'public')
            and n.nspname not like 'pg\\_%' and c.relname <> '_sqlx_migrations'",
    )
    .fetch_all(whole.platform.database.pool())
    .await
    .unwrap();
    whole.end().await;
    let tables: BTreeSet<&str> = found.iter().map(|(table, _)| table.as_str()).collect();
    let kept: BTreeSet<&str> = KINDS.iter().flat_map(|kind| kind.tables).copied().collect();
    assert_eq!(tables, kept, "left: tables there are, right: tables in domain::retention");
    let by_month: BTreeSet<&str> = found.iter().filter(|(_, partitioned)| *partitioned).map(|(table, _)| table.as_str()).collect();
    let months = KINDS.iter().filter(|kind| matches!(kind.keeping, Keeping::Months(_)));
    assert_eq!(by_month, months.flat_map(|kind| kind.tables).copied().collect(), "a table by month is dropped by month");
}
