//! `docs/reference/jobs.md`: the scheduled work of all services.

use std::fmt::Write as _;

use strum::VariantArray as _;

use crate::services::Service;

const HEAD: &str = "# Scheduled work

*This page is made from the jobs that the services declare: `FENGHUO_RENEW=1 cargo test -p fenghuo book` writes it.*

What the platform does on time, whatever the number of processes: each time makes one run, and times that passed while nothing was up make one together. A \
job that fails stops no other, and runs again at its next time. An operator sees the table at the console under 定时任务 (Scheduled work), with how each \
run went, and can have a job run at once; that is an entry of the trace. Times are cron expressions by the city's clock (`jobs.time_zone`): second, minute, \
hour, day, month, day of the week. `[jobs.cron]` sets others. What an alert waits for (planning, the pump, the watch, reminders) is no job: it runs by signal, and \
looks every second. The jobs `*.take_over` compare every minute what a service knows of each alert with what its owner shows, and take over what no event has told; what they find rings.

| job | usually | what it does | |
|---|---|---|---|
";

fn page() -> String {
    let mut page = HEAD.to_owned();
    for job in Service::VARIANTS.iter().flat_map(|service| service.jobs()) {
        let start = if job.at_start { ", and when a process starts" } else { "" };
        writeln!(page, "| `{}` | `{}`{start} | {} | {} |", job.name, job.cron, job.about_en, job.about).unwrap();
    }
    page
}

#[test]
fn the_page_of_jobs_is_what_the_services_declare() {
    super::is_as_written("docs/reference/jobs.md", &page());
}
