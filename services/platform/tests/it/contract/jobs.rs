//! What is promised of scheduled work.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use chrono::{DateTime, TimeDelta, Utc};
use platform::jobs::{Did, Job, JobSettings, Jobs, KEPT};
use platform::tasks::Tasks;
use platform::{BoxError, Platform};

use stages::{DAY, HOUR, PATIENCE, SECOND, soon, until};

/// At 03:30 in Chongqing; the clock of these tests stands at half past ten in the evening.
const NIGHTLY: Job =
    Job { name: "trial.nightly", cron: "0 30 3 * * *", about: "每夜整理", about_en: "Tidies every night.", at_start: false };
const HOURLY: Job =
    Job { name: "trial.hourly", cron: "0 0 * * * *", about: "每小时整理", about_en: "Tidies every hour.", at_start: false };
const AT_START: Job =
    Job { name: "trial.at_start", cron: "0 0 5 * * *", about: "启动时整理", about_en: "Tidies at the start.", at_start: true };

/// One process of several that share a database and the time.
struct Process {
    jobs: Jobs,
    tasks: Tasks,
}

impl Process {
    fn beside(platform: &Platform) -> Self {
        Self::set(platform, &JobSettings::default())
    }

    fn set(platform: &Platform, settings: &JobSettings) -> Self {
        let tasks = Tasks::new();
        Self { jobs: Jobs::new(settings, &platform.database, &platform.clock, &tasks).expect("the settings are sound"), tasks }
    }

    /// Offers a job that only counts how often it ran.
    fn counts(&self, job: &'static Job) -> Arc<AtomicU64> {
        let count = Arc::new(AtomicU64::new(0));
        let counted = Arc::clone(&count);
        let work = move || {
            let number = counted.fetch_add(1, Ordering::SeqCst) + 1;
            async move { Ok(Did::nothing().and("次数", "times", number)) }
        };
        self.jobs.register(job, work).expect("its expression is sound");
        count
    }

    async fn at_rest(&self) {
        until("the jobs come to rest", async || self.jobs.settled().await.expect("the table can tell")).await;
    }

    async fn stops(self) {
        assert!(self.tasks.shutdown(PATIENCE).await);
    }
}

fn ran(count: &AtomicU64) -> u64 {
    count.load(Ordering::SeqCst)
}

/// Outcomes and errors of a job's runs, in order.
async fn runs(platform: &Platform, job: &Job) -> Vec<(Option<String>, Option<String>)> {
    sqlx::query_as("select outcome, error from jobs.run where job = $1 order by run_id")
        .bind(job.name)
        .fetch_all(platform.database.pool())
        .await
        .expect("listed")
}

async fn due_at(platform: &Platform, job: &Job) -> DateTime<Utc> {
    sqlx::query_scalar("select due_at from jobs.job where name = $1")
        .bind(job.name)
        .fetch_one(platform.database.pool())
        .await
        .expect("known")
}

fn done() -> (Option<String>, Option<String>) {
    (Some("done".to_owned()), None)
}

pub async fn the_clock_runs_each_job_once_when_it_passes_its_time(platform: &Platform) {
    let process = Process::beside(platform);
    let (nightly, hourly, at_start) = (process.counts(&NIGHTLY), process.counts(&HOURLY), process.counts(&AT_START));
    process.at_rest().await;
    assert_eq!((ran(&nightly), ran(&hourly), ran(&at_start)), (0, 0, 1), "only what the start makes due");

    platform.clock.forward(HOUR);
    process.at_rest().await;
    assert_eq!((ran(&nightly), ran(&hourly)), (0, 1));

    platform.clock.forward(SECOND);
    process.at_rest().await;
    assert_eq!(ran(&hourly), 1, "its time has passed once");

    platform.clock.forward(DAY);
    process.at_rest().await;
    assert_eq!((ran(&nightly), ran(&hourly), ran(&at_start)), (1, 2, 2), "times that the clock jumped over make one run");
    assert_eq!(runs(platform, &NIGHTLY).await, [done()]);
    let jobs = process.jobs.clone();
    process.stops().await;
    assert_eq!(Arc::strong_count(&nightly), 1, "what has stopped lets go of its work, which may hold the platform");
    drop(jobs);
}

pub async fn of_many_processes_one_runs_the_job(platform: &Platform) {
    let processes = [Process::beside(platform), Process::beside(platform), Process::beside(platform)];
    let counts = processes.each_ref().map(|process| process.counts(&HOURLY));
    for process in &processes {
        process.at_rest().await;
    }
    for rounds in 1..=5 {
        platform.clock.forward(HOUR);
        for process in &processes {
            process.at_rest().await;
        }
        assert_eq!(counts.iter().map(|count| ran(count)).sum::<u64>(), rounds);
    }
    assert_eq!(runs(platform, &HOURLY).await, [done(), done(), done(), done(), done()]);
    for process in processes {
        process.stops().await;
    }
}

pub async fn a_job_that_fails_or_panics_says_why_runs_again_and_stops_no_other(platform: &Platform) {
    let process = Process::beside(platform);
    let attempts = Arc::new(AtomicU64::new(0));
    let attempted = Arc::clone(&attempts);
    let fails = move || {
        let attempt = attempted.fetch_add(1, Ordering::SeqCst);
        async move {
            match attempt {
                0 => Err(BoxError::from("the disk is full")),
                1 => panic!("out of cheese"),
                _ => Ok(Did::nothing()),
            }
        }
    };
    process.jobs.register(&HOURLY, fails).expect("offered");
    let other = process.counts(&NIGHTLY);
    process.at_rest().await;
    for _ in 0..3 {
        platform.clock.forward(DAY);
        process.at_rest().await;
    }
    let failed = |error: &str| (Some("failed".to_owned()), Some(error.to_owned()));
    let expected = [failed("the disk is full"), failed("the job panicked: out of cheese"), done()];
    assert_eq!(runs(platform, &HOURLY).await, expected);
    assert_eq!(ran(&other), 3);
    process.stops().await;
}

pub async fn what_was_missed_while_nothing_was_up_is_made_up_once(platform: &Platform) {
    let before = Process::beside(platform);
    before.counts(&NIGHTLY);
    before.at_rest().await;
    before.stops().await;
    platform.clock.forward(DAY * 3);

    let after = Process::beside(platform);
    let count = after.counts(&NIGHTLY);
    after.at_rest().await;
    assert_eq!(ran(&count), 1, "three nights make one run");
    assert_eq!(due_at(platform, &NIGHTLY).await.to_rfc3339(), "2026-09-24T19:30:00+00:00", "half past three of the next morning");
    after.stops().await;
}

pub async fn a_run_whose_process_died_is_seen_and_repeated(platform: &Platform) {
    let dies = Process::beside(platform);
    let begun = Arc::new(tokio::sync::Notify::new());
    let beginning = Arc::clone(&begun);
    let hangs = move || {
        beginning.notify_one();
        std::future::pending()
    };
    dies.jobs.register(&AT_START, hangs).expect("offered");
    soon("it begins", begun.notified()).await;
    dies.tasks.token().cancel();
    until("only the run is left of it", async || dies.tasks.running() == 1).await;

    let lives = Process::beside(platform);
    let count = lives.counts(&AT_START);
    // as the minute in which the dead give no sign of life does
    let silent = "update jobs.job set alive_until = clock_timestamp() - interval '1 second' where name = $1 and running is not null";
    sqlx::query(silent).bind(AT_START.name).execute(platform.database.pool()).await.expect("silent");
    lives.at_rest().await;
    assert_eq!(ran(&count), 1);
    assert_eq!(runs(platform, &AT_START).await, [(Some("lost".to_owned()), None), done()]);
    lives.stops().await;
}

pub async fn a_changed_expression_moves_the_next_time(platform: &Platform) {
    let before = Process::beside(platform);
    before.counts(&NIGHTLY);
    before.at_rest().await;
    before.stops().await;
    let own = due_at(platform, &NIGHTLY).await;

    let set = JobSettings { cron: [(NIGHTLY.name.to_owned(), "0 45 4 * * *".to_owned())].into(), ..JobSettings::default() };
    let after = Process::set(platform, &set);
    let count = after.counts(&NIGHTLY);
    after.at_rest().await;
    assert_eq!((due_at(platform, &NIGHTLY).await, ran(&count)), (own + TimeDelta::minutes(75), 0));
    after.stops().await;
}

pub async fn of_each_job_the_last_runs_are_kept(platform: &Platform) {
    let process = Process::beside(platform);
    process.counts(&HOURLY);
    process.at_rest().await;
    let past = "insert into jobs.run (job, due_at, started_at, finished_at, outcome)
                select $1, now(), now(), now(), 'done' from generate_series(1, $2::int8 + 20)";
    sqlx::query(past).bind(HOURLY.name).bind(KEPT).execute(platform.database.pool()).await.expect("written");
    platform.clock.forward(HOUR);
    process.at_rest().await;
    let kept: (i64, i64) = sqlx::query_as("select count(*), max(run_id) - min(run_id) + 1 from jobs.run")
        .fetch_one(platform.database.pool())
        .await
        .expect("counted");
    assert_eq!(kept, (KEPT, KEPT), "the newest, the one just done among them");
    process.stops().await;
}
