//! What may fail while an alert goes out to everybody, on real PostgreSQL, RabbitMQ and Redis and every service a process of its own: nobody
//! is lost, and whoever gets the alert twice gets it under the same collapse id, so that the phone shows one. Nobody gets two SMS. Where providers
//! become so slow that the deadline would be missed, the alarm rings before it is, and ends when they have recovered.
//!
//! Twenty thousand people in `make test`; `FENGHUO_LOAD_RESIDENTS=1000000` (`make test-load`) makes it a million, and `FENGHUO_LOAD_LONG=1` has the
//! broker away for a quarter of an hour then; `FENGHUO_LOAD_PART=slowed` tells that part alone. The simulated providers, in a process that nothing happens to, count.
//!
//! | part | what happens |
//! |---|---|
//! | [`services`] | processes are killed |
//! | [`stores`] | PostgreSQL, RabbitMQ and Redis fall, and are away |
//! | [`providers`] | providers hang, crawl, say goodbye, forget devices |
//! | [`slowed`] | providers ask a few to wait: how much longer the others take |
//! | [`stop`] | an officer cancels in the middle |
//! | [`moving`] | people move in the middle |

mod moving;
mod providers;
mod services;
mod slowed;
mod stop;
mod stores;
mod story;

use anyhow::{Result, ensure};
use story::{Story, residents};

const PARTS: [&str; 6] = ["services", "stores", "providers", "slowed", "stop", "moving"];

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the programs of PostgreSQL, RabbitMQ and Redis: make test"]
async fn whatever_fails_nobody_is_lost_and_nobody_sees_it_twice() -> Result<()> {
    let mut story = Story::begin(residents()?).await?;
    let told = tell(&mut story).await;
    story.end(told).await
}

async fn tell(story: &mut Story) -> Result<()> {
    let only = std::env::var("FENGHUO_LOAD_PART").ok();
    ensure!(only.as_deref().is_none_or(|only| PARTS.contains(&only)), "FENGHUO_LOAD_PART is one of {PARTS:?}, or left out");
    let told = |part: &str| only.as_deref().is_none_or(|only| only == part);
    if told("services") {
        services::are_killed(story).await?;
    }
    if told("stores") {
        stores::are_away(story).await?;
    }
    if told("providers") {
        providers::fail(story).await?;
    }
    story.half_of_them_lose_the_app().await?;
    if told("slowed") {
        slowed::a_few_devices_that_must_wait_delay_nobody_else(story).await?;
        slowed::a_few_sms_that_must_wait_delay_nobody_else(story).await?;
    }
    if told("stores") {
        stores::fail_over_while_sms_go_out(story).await?;
    }
    if told("stop") {
        stop::whoever_has_an_alert_that_is_cancelled_hears_so_and_nobody_else(story).await?;
    }
    // the last two, since they leave people elsewhere, and without devices
    if told("moving") {
        moving::whoever_moves_in_the_middle_is_told_once(story).await?;
    }
    if told("providers") {
        providers::forget_devices(story).await?;
    }
    Ok(())
}
