//! Wakes at the times of the jobs, by `tokio-cron-scheduler`, beside the real clock.
//!
//! It only wakes: what is due is asked of the table. So nothing depends on it but promptness, and it does no harm that it keeps a time
//! zone's offset as it was at the start, and knows nothing of other processes.

use chrono_tz::Tz;
use domain::schedule::Schedule;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio_cron_scheduler::{Job, JobScheduler, JobSchedulerError};
use tracing::instrument::WithSubscriber as _;
use tracing::subscriber::NoSubscriber;

use crate::error::BoxError;
use crate::tasks::Tasks;
use crate::worker::Wake;

/// Wakes at the times of every schedule that arrives, until the process stops.
pub(super) async fn run(tasks: Tasks, wake: Wake, mut schedules: UnboundedReceiver<Schedule>) -> Result<(), BoxError> {
    let mut scheduler = JobScheduler::new().await?;
    scheduler.start().await?;
    loop {
        tokio::select! {
            () = tasks.cancelled() => break,
            schedule = schedules.recv() => {
                let Some(schedule) = schedule else { break };
                // it tells of each in a line of the log that says nothing
                add(&scheduler, &schedule, &wake).with_subscriber(NoSubscriber::new()).await?;
            }
        }
    }
    Ok(scheduler.shutdown().await?)
}

async fn add(scheduler: &JobScheduler, schedule: &Schedule, wake: &Wake) -> Result<(), JobSchedulerError> {
    let (wake, zone): (Wake, Tz) = (wake.clone(), schedule.zone());
    scheduler.add(Job::new_tz(schedule.expression(), zone, move |_, _| wake.wake())?).await.map(drop)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test]
    async fn every_schedule_that_can_be_set_is_one_for_the_scheduler_as_well() {
        let scheduler = JobScheduler::new().await.unwrap();
        for expression in ["0 30 3 * * *", "0 */5 * * * *", "0 0 9 * * MON", "15 10 2 L * *", "0 0 9 13 * FRI", "0 0 6,18 1-7 JAN *"] {
            let schedule = Schedule::parse(expression, Tz::Asia__Shanghai).unwrap();
            add(&scheduler, &schedule, &Wake::new()).await.unwrap_or_else(|error| panic!("{expression}: {error}"));
        }
    }

    #[tokio::test]
    async fn the_scheduler_ends_with_the_process() {
        let (tasks, (tell, told)) = (Tasks::new(), tokio::sync::mpsc::unbounded_channel());
        tasks.spawn("ticks", run(tasks.clone(), Wake::new(), told));
        tell.send(Schedule::parse("0 30 3 * * *", Tz::Asia__Shanghai).unwrap()).unwrap();
        assert!(tasks.shutdown(Duration::from_secs(10)).await);
    }
}
