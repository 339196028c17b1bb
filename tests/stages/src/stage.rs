//! One service on its platform: asked, told, and waited for.

use std::ops::Deref;
use std::time::Duration;

use platform::Platform;
use platform::database::Pool;
use platform::http::{Authenticators, Routes, Shell};
use proto::{Event, Queue};
use sqlx::SqlSafeStr;

use crate::asking::Desk;
use crate::hearing::Heard;
use crate::patience::until;

/// A service that runs, with the [`Desk`] where it is asked.
#[derive(Debug)]
pub struct Stage {
    /// What it runs on.
    pub platform: Platform,
    desk: Desk,
    schema: &'static str,
}

impl Deref for Stage {
    type Target = Desk;

    fn deref(&self) -> &Desk {
        &self.desk
    }
}

impl Stage {
    /// The service that has this schema and answers on these routes. What a story tells is published from its schema.
    pub fn new(platform: Platform, schema: &'static str, routes: Routes, callers: Authenticators) -> Self {
        Self { platform, desk: Desk::of(routes, callers), schema }
    }

    /// The same, asked where this shell answers.
    pub fn at(platform: Platform, schema: &'static str, shell: Shell) -> Self {
        Self { platform, desk: Desk::at(shell), schema }
    }

    /// What the reader of this queue is told from now on.
    pub fn hears<E: Event + Sync>(&self, queue: &'static Queue) -> Heard<E> {
        Heard::on(&self.platform, queue)
    }

    /// For what a story looks at or prepares behind the interface.
    pub fn pool(&self) -> &Pool {
        self.platform.database.pool()
    }

    /// A number out of the tables.
    pub async fn count(&self, query: impl SqlSafeStr) -> i64 {
        sqlx::query_scalar(query).fetch_one(self.pool()).await.unwrap()
    }

    /// Publishes an event.
    pub async fn publish<E: Event>(&self, event: &E) {
        self.publish_all(std::slice::from_ref(event)).await;
    }

    /// Publishes events in one transaction.
    pub async fn publish_all<E: Event>(&self, events: &[E]) {
        let mut tx = self.platform.database.begin().await.unwrap();
        tx.publish_all(self.schema, events).await.unwrap();
        tx.commit().await.unwrap();
    }

    /// Publishes an event and waits until it was handled.
    pub async fn tell<E: Event>(&self, event: &E) {
        self.publish(event).await;
        self.settle().await;
    }

    /// Waits until everything published was handled, and nothing was given up.
    pub async fn settle(&self) {
        settle(&self.platform).await;
    }

    /// Moves the clock, and waits until the jobs that are due by then have run.
    pub async fn forward_with_jobs(&self, step: Duration) {
        let at_rest = async || self.platform.jobs.settled().await.unwrap();
        until("the jobs are at rest", at_rest).await;
        self.platform.clock.forward(step);
        until("the jobs come to rest", at_rest).await;
    }

    /// Ends the service and removes what it made in its stores.
    pub async fn close(&self) {
        crate::close(&self.platform).await;
    }
}

/// Waits until everything published on this platform was handled, and nothing was given up.
pub async fn settle(platform: &Platform) {
    until("everything published is handled", async || platform.bus.settled().await.unwrap()).await;
    let dead = platform.bus.dead_letters().await.unwrap();
    assert!(dead.is_empty(), "{dead:?}");
}
