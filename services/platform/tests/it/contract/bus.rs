//! What the bus promises to publishers and handlers.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use platform::Platform;
use platform::bus::{ATTEMPTS, DeadLetter};
use proto::topology::{DISPATCH_STOPPED, DISPLAY_STOPPED, RESIDENT_STOPPED, RULES_RECORDS};
use proto::{AlertStopped, Queue, RecordsStored};
use stages::soon;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::{SCHEMA, settle};

pub fn load(number: u32) -> RecordsStored {
    RecordsStored { load_id: format!("load {number}"), records: number }
}

pub async fn publish(platform: &Platform, event: &RecordsStored) {
    let mut tx = platform.database.begin().await.expect("a transaction");
    tx.publish(SCHEMA, event).await.expect("it is written");
    tx.commit().await.expect("it is committed");
}

/// Subscribes a handler that succeeds and tells what it saw.
pub fn listen(platform: &Platform, queue: &'static Queue, told: UnboundedSender<u32>) {
    let heard = move |event: RecordsStored| {
        let told = told.clone();
        async move {
            told.send(event.records)?;
            Ok(())
        }
    };
    platform.bus.subscribe(queue, 4, heard).expect("the queue carries the event");
}

pub async fn next<T>(heard: &mut UnboundedReceiver<T>) -> T {
    soon("a message", heard.recv()).await.expect("the handler lives")
}

pub async fn what_a_committed_transaction_published_arrives_at_every_queue_of_its_topic(platform: &Platform) {
    let (told, mut heard) = unbounded_channel();
    let queues: [&'static Queue; 3] = [&DISPATCH_STOPPED, &RESIDENT_STOPPED, &DISPLAY_STOPPED];
    for queue in queues {
        let told = told.clone();
        let stopped = move |event: AlertStopped| {
            let told = told.clone();
            async move {
                told.send((queue.name, event.alert_id))?;
                Ok(())
            }
        };
        platform.bus.subscribe(queue, 1, stopped).expect("the queue carries the event");
    }
    platform.bus.start_relay(SCHEMA);

    let mut tx = platform.database.begin().await.expect("a transaction");
    let event = AlertStopped { alert_id: "an alert".to_owned(), ..AlertStopped::default() };
    tx.publish(SCHEMA, &event).await.expect("it is written");
    tx.commit().await.expect("it is committed");

    let arrived = BTreeSet::from([next(&mut heard).await, next(&mut heard).await, next(&mut heard).await]);
    assert_eq!(arrived, queues.map(|queue| (queue.name, "an alert".to_owned())).into_iter().collect());
    settle(platform).await;
    assert!(heard.try_recv().is_err(), "once each");
}

pub async fn what_an_undone_transaction_published_never_arrives(platform: &Platform) {
    let (told, mut heard) = unbounded_channel();
    listen(platform, &RULES_RECORDS, told);
    platform.bus.start_relay(SCHEMA);

    let mut undone = platform.database.begin().await.expect("a transaction");
    undone.publish(SCHEMA, &load(1)).await.expect("it is written");
    drop(undone);
    publish(platform, &load(2)).await;

    assert_eq!(next(&mut heard).await, 2);
    settle(platform).await;
    assert!(heard.try_recv().is_err(), "the first was undone");
}

pub async fn what_was_published_before_anybody_listened_arrives(platform: &Platform) {
    publish(platform, &load(1)).await;
    platform.bus.start_relay(SCHEMA);
    publish(platform, &load(2)).await;
    assert!(!platform.bus.settled().await.expect("the bus can tell"), "two messages wait for a reader");

    let (told, mut heard) = unbounded_channel();
    listen(platform, &RULES_RECORDS, told);
    assert_eq!(BTreeSet::from([next(&mut heard).await, next(&mut heard).await]), BTreeSet::from([1, 2]));
    settle(platform).await;
}

pub async fn a_handler_that_fails_twice_sees_the_message_a_third_time(platform: &Platform) {
    let (told, mut heard) = unbounded_channel();
    let seen = Arc::new(AtomicU32::new(0));
    let third_time_lucky = move |event: RecordsStored| {
        let (told, seen) = (told.clone(), Arc::clone(&seen));
        async move {
            match seen.fetch_add(1, Ordering::SeqCst) {
                0 => Err("not now".into()),
                1 => panic!("worse"),
                _ => Ok(told.send(event)?),
            }
        }
    };
    platform.bus.subscribe(&RULES_RECORDS, 1, third_time_lucky).expect("the queue carries the event");
    platform.bus.start_relay(SCHEMA);
    publish(platform, &load(7)).await;

    assert_eq!(next(&mut heard).await, load(7));
    settle(platform).await;
    assert_eq!(platform.bus.dead_letters().await.expect("they can be read"), []);
}

pub async fn a_message_that_always_fails_is_kept_with_its_reason_and_holds_nobody_up(platform: &Platform) {
    let (told, mut heard) = unbounded_channel();
    let attempts = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&attempts);
    let dislikes_thirteen = move |event: RecordsStored| {
        let (told, attempts) = (told.clone(), Arc::clone(&attempts));
        async move {
            if event.records == 13 {
                attempts.fetch_add(1, Ordering::SeqCst);
                return Err("thirteen is not liked here".into());
            }
            Ok(told.send(event.records)?)
        }
    };
    platform.bus.subscribe(&RULES_RECORDS, 1, dislikes_thirteen).expect("the queue carries the event");
    platform.bus.start_relay(SCHEMA);
    publish(platform, &load(13)).await;
    publish(platform, &load(14)).await;

    assert_eq!(next(&mut heard).await, 14);
    settle(platform).await;
    assert_eq!(counted.load(Ordering::SeqCst), u32::from(ATTEMPTS));
    let letters = platform.bus.dead_letters().await.expect("they can be read");
    let [DeadLetter { queue, topic, event_id: Some(_), reason }] = letters.as_slice() else { panic!("one dead letter: {letters:?}") };
    assert_eq!((queue.as_str(), topic.as_str(), reason.as_str()), ("rules.records", "records.stored", "thirteen is not liked here"));
    assert_eq!(platform.bus.dead_letters().await.expect("they can be read"), letters, "reading leaves them");
}

pub async fn two_subscribers_of_one_queue_share_its_messages(platform: &Platform) {
    const MESSAGES: u32 = 600;
    let (told, mut heard) = unbounded_channel();
    for name in ["first", "second"] {
        let told = told.clone();
        let share = move |event: RecordsStored| {
            let told = told.clone();
            async move {
                tokio::task::yield_now().await;
                Ok(told.send((name, event.records))?)
            }
        };
        platform.bus.subscribe(&RULES_RECORDS, 2, share).expect("the queue carries the event");
    }
    let mut tx = platform.database.begin().await.expect("a transaction");
    let events: Vec<_> = (0..MESSAGES).map(load).collect();
    tx.publish_all(SCHEMA, &events).await.expect("they are written");
    tx.commit().await.expect("they are committed");
    let began = std::time::Instant::now();
    platform.bus.start_relay(SCHEMA);

    let mut seen = Vec::new();
    while seen.len() < MESSAGES as usize {
        seen.push(next(&mut heard).await);
    }
    println!("{MESSAGES} messages handled in {} ms", began.elapsed().as_millis());
    settle(platform).await;
    assert!(heard.try_recv().is_err(), "each went to one of the two");
    let numbers: BTreeSet<_> = seen.iter().map(|(_, number)| *number).collect();
    assert_eq!(numbers.len(), MESSAGES as usize);
    let names: BTreeSet<_> = seen.iter().map(|(name, _)| *name).collect();
    assert_eq!(names, BTreeSet::from(["first", "second"]));
}

pub async fn a_handler_may_use_the_database_and_publish(platform: &Platform) {
    let (told, mut heard) = unbounded_channel();
    let database = platform.database.clone();
    let counts_down = move |event: RecordsStored| {
        let (told, database) = (told.clone(), database.clone());
        async move {
            let mut tx = database.begin().await?;
            if event.records > 0 {
                tx.publish(SCHEMA, &load(event.records - 1)).await?;
            }
            tx.commit().await?;
            Ok(told.send(event.records)?)
        }
    };
    platform.bus.subscribe(&RULES_RECORDS, 8, counts_down).expect("the queue carries the event");
    platform.bus.start_relay(SCHEMA);
    for _ in 0..10 {
        publish(platform, &load(5)).await;
    }

    // at rest only when the last of each chain has been handled
    settle(platform).await;
    let mut seen = Vec::new();
    while let Ok(number) = heard.try_recv() {
        seen.push(number);
    }
    seen.sort_unstable();
    assert_eq!(seen, (0..=5).flat_map(|number| [number; 10]).collect::<Vec<u32>>());
}

pub async fn a_queue_is_not_read_as_another_event(platform: &Platform) {
    let refused = platform.bus.subscribe(&RULES_RECORDS, 1, |_: AlertStopped| async { Ok(()) });
    let said = refused.expect_err("the wrong event").to_string();
    assert_eq!(said, "queue rules.records carries records.stored, not alert.stopped");
}
