//! The processor time that processes take: what remains true of a measurement when the machine is busy with other things.

use std::time::Duration;

use platform::database::Pool;

/// Clock ticks a second in `/proc`, the same on every Linux.
const TICKS: u32 = 100;

/// What a process has taken so far, in user and system mode; nothing if it has ended.
pub fn cpu(process: &str) -> Duration {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    // the second field is the program's name in parentheses and may hold anything; the 14th and 15th are the times
    let after_the_name = stat.rsplit_once(") ").map_or("", |(_, rest)| rest);
    let ticks: u32 = after_the_name.split(' ').skip(11).take(2).filter_map(|ticks| ticks.parse::<u32>().ok()).sum();
    Duration::from_secs(1) * ticks / TICKS
}

/// What the processes of a PostgreSQL server on this machine have taken so far: those that serve this database, and those that
/// write for all.
pub async fn cpu_of_server(pool: &Pool) -> anyhow::Result<Duration> {
    let processes = sqlx::query_scalar!(
        r#"select pid as "pid!" from pg_stat_activity
           where datname = current_database() or backend_type in ('walwriter', 'checkpointer', 'background writer')"#
    )
    .fetch_all(pool)
    .await?;
    Ok(processes.iter().map(|process| cpu(&process.to_string())).sum())
}
