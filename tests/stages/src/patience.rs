//! Waiting for what another process or thread does: for a signal where there is one, otherwise by looking again.

use std::future::Future;
use std::time::{Duration, Instant};

/// How long anything may take, in real time: much longer than it does on a slow machine that compiles at the same time. Whoever waits in vain
/// has found a fault.
pub const PATIENCE: Duration = Duration::from_secs(180);
/// Between two looks; the longer something takes, the longer are the pauses.
const PAUSE: (Duration, Duration) = (Duration::from_millis(5), Duration::from_millis(50));

/// Waits until it is so.
pub async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    eventually(what, async || is_so().await.then_some(())).await;
}

/// Asks until there is an answer.
pub async fn eventually<T>(what: &str, mut ask: impl AsyncFnMut() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(answer) = ask().await {
            return answer;
        }
        let waited = began.elapsed();
        assert!(waited < PATIENCE, "it never came within {} s: {what}", PATIENCE.as_secs());
        tokio::time::sleep((waited / 20).clamp(PAUSE.0, PAUSE.1)).await;
    }
}

/// Waits for a signal.
pub async fn soon<T>(what: &str, signal: impl Future<Output = T>) -> T {
    match tokio::time::timeout(PATIENCE, signal).await {
        Ok(come) => come,
        Err(_) => panic!("it never came within {} s: {what}", PATIENCE.as_secs()),
    }
}

/// The processor time that this thread has used: what a measurement goes by, since nothing else on the machine adds to it.
pub fn processor_time() -> Duration {
    let schedule = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    Duration::from_nanos(schedule.split_whitespace().next().unwrap().parse().unwrap())
}
