//! What database, bus, cache and keys promise, as tests that hold for every form of them.
//!
//! [`held_by`] turns the promises into tests of one form.

pub mod bus;
pub mod cache;
pub mod crash;
pub mod crypto;
pub mod database;
pub mod monthly;

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use chrono::{DateTime, Utc};
use futures::FutureExt as _;
use platform::clock::Clock;
use platform::{Error, Platform, scratch};

/// The schema of a publisher that exists for these tests only.
pub const SCHEMA: &str = "trial";

/// Long enough for a busy machine; nobody waits so long when the promise holds.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// A clock that stands at a fixed time.
pub fn standing_clock() -> Clock {
    Clock::moved(start())
}

pub fn start() -> DateTime<Utc> {
    DateTime::from_timestamp(1_790_000_000, 0).expect("a valid time")
}

/// Runs one promise on a platform and cleans up behind it, also when the promise is broken.
pub async fn on<P: AsyncFnOnce(&Platform)>(opened: Result<Platform, Error>, promise: P) {
    let platform = opened.expect("the stores answer on their usual ports");
    make_outbox(&platform).await;
    let kept = AssertUnwindSafe(promise(&platform)).catch_unwind().await;
    let removed = scratch::remove(&platform).await;
    if let Err(broken) = kept {
        std::panic::resume_unwind(broken);
    }
    removed.expect("the stores can be cleaned up");
}

/// The outbox that every service's first migration makes.
pub async fn make_outbox(platform: &Platform) {
    sqlx::raw_sql(
        "create schema if not exists trial;
         create table if not exists trial.outbox (id bigint generated always as identity primary key, event_id uuid not null,
             topic text not null, payload bytea not null, occurred_at timestamptz not null);",
    )
    .execute(platform.database.pool())
    .await
    .expect("the outbox is made");
}

/// Waits until `bus` has nothing in flight.
pub async fn settle(platform: &Platform) {
    let settling = async {
        while !platform.bus.settled().await.expect("the bus can tell") {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, settling).await.expect("the bus comes to rest");
}

/// Makes a test of each promise for one form of the stores.
#[macro_export]
macro_rules! held_by {
    ($opened:path: $($part:ident { $($promise:ident),+ $(,)? })+) => {
        $(mod $part {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $promise() {
                let opened = $opened($crate::contract::standing_clock()).await;
                $crate::contract::on(opened, $crate::contract::$part::$promise).await;
            })+
        })+
    };
}
