//! What is left of a process that ends without a word.

use std::future::Future;

use platform::clock::Clock;
use platform::{Error, Platform};
use proto::RecordsStored;
use proto::topology::RULES_RECORDS;
use tokio::sync::mpsc::unbounded_channel;

use super::bus::{listen, load, next, publish};
use super::{SCHEMA, make_outbox, settle, standing_clock};

/// Opens a platform in a runtime of its own, lets a handler begin a message and never end it, publishes more, and lets
/// the runtime go with everything in it. A second platform on the same stores must handle all of them.
pub fn what_was_in_hand_when_the_process_died_is_handled_by_the_next<F, O>(open: F)
where
    F: Fn(Clock) -> O,
    O: Future<Output = Result<Platform, Error>>,
{
    let first = runtime();
    first.block_on(async {
        let platform = open(standing_clock()).await.expect("the stores answer");
        make_outbox(&platform).await;
        let (told, mut begun) = unbounded_channel();
        let never_ends = move |event: RecordsStored| {
            let told = told.clone();
            async move {
                told.send(event.records)?;
                std::future::pending().await
            }
        };
        platform.bus.subscribe(&RULES_RECORDS, 1, never_ends).expect("the queue carries the event");
        platform.bus.start_relay(SCHEMA);
        publish(&platform, &load(1)).await;
        assert_eq!(next(&mut begun).await, 1);
        for number in 2..=20 {
            publish(&platform, &load(number)).await;
        }
    });
    first.shutdown_background();

    runtime().block_on(async {
        let platform = open(standing_clock()).await.expect("the stores can be opened again");
        let (told, mut heard) = unbounded_channel();
        listen(&platform, &RULES_RECORDS, told);
        platform.bus.start_relay(SCHEMA);
        let mut seen = Vec::new();
        while seen.len() < 20 {
            let number = next(&mut heard).await;
            if !seen.contains(&number) {
                seen.push(number);
            }
        }
        settle(&platform).await;
        seen.sort_unstable();
        assert_eq!(seen, (1..=20).collect::<Vec<u32>>());
        platform::scratch::remove(&platform).await.expect("the stores can be cleaned up");
    });
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime")
}
