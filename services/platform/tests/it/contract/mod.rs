//! What database, bus, cache and keys promise, as tests that hold for every form of them.
//!
//! [`held_by`] turns the promises into tests of one form.

pub mod bus;
pub mod cache;
pub mod crash;
pub mod crypto;
pub mod database;
pub mod jobs;
pub mod monthly;

use std::panic::AssertUnwindSafe;

use chrono::{DateTime, Utc};
use futures::FutureExt as _;
use platform::clock::Clock;
use platform::{Error, Platform, scratch};
use stages::until;

/// The schema of a publisher that exists for these tests only.
pub const SCHEMA: &str = "trial";

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

/// Waits until the bus has nothing in flight.
pub async fn settle(platform: &Platform) {
    until("the bus comes to rest", async || platform.bus.settled().await.expect("the bus can tell")).await;
}

/// Makes a test of each promise for one form of the stores; what stands before the form stands before each test.
macro_rules! held_by {
    ($opened:path: $($parts:tt)+) => {
        held_by! { [cfg(test)] $opened: $($parts)+ }
    };
    ($attribute:tt $opened:path: $($part:ident { $($promise:ident),+ $(,)? })+) => {
        $(mod $part {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            # $attribute
            async fn $promise() {
                let opened = $opened($crate::contract::standing_clock()).await;
                $crate::contract::on(opened, $crate::contract::$part::$promise).await;
            })+
        })+
    };
}
