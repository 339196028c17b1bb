//! What the bus promises to publishers and handlers.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use domain::staff::Role;
use http::StatusCode;
use platform::Platform;
use platform::bus::{ATTEMPTS, DeadLetter, understood};
use platform::http::Authenticators;
use proto::topology::{AUDIT_ENTRIES, DISPATCH_STOPPED, DISPLAY_STOPPED, PUSH_BATCHES, RESIDENT_STOPPED, RULES_RECORDS, SMS_STOPPED};
use proto::{AlertStopped, AppBatchReady, AuditEntry, Queue, RecordsStored};
use serde_json::{Value, json};
use stages::{Desk, Heard, Staff, soon, until};
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
    let queues: [&'static Queue; 4] = [&DISPATCH_STOPPED, &RESIDENT_STOPPED, &DISPLAY_STOPPED, &SMS_STOPPED];
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

    let arrived = BTreeSet::from([next(&mut heard).await, next(&mut heard).await, next(&mut heard).await, next(&mut heard).await]);
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

pub async fn a_message_that_fails_again_and_again_is_never_given_up_and_holds_nobody_up(platform: &Platform) {
    let (told, mut heard) = unbounded_channel();
    let left = Arc::new(AtomicU32::new(u32::from(ATTEMPTS) + 1));
    let mended_in_the_end = move |event: RecordsStored| {
        let (told, left) = (told.clone(), Arc::clone(&left));
        async move {
            if event.records == 13 && left.load(Ordering::SeqCst) > 0 {
                left.fetch_sub(1, Ordering::SeqCst);
                return Err("thirteen is not liked here".into());
            }
            Ok(told.send(event.records)?)
        }
    };
    platform.bus.subscribe(&RULES_RECORDS, 1, mended_in_the_end).expect("the queue carries the event");
    platform.bus.start_relay(SCHEMA);
    publish(platform, &load(13)).await;
    publish(platform, &load(14)).await;

    assert_eq!(next(&mut heard).await, 14, "it does not wait for the one before it");
    assert_eq!(next(&mut heard).await, 13, "after more failures than ring");
    settle(platform).await;
    assert_eq!(platform.bus.dead_letters().await.expect("they can be read"), []);
}

pub async fn what_is_said_again_is_let_go_after_eight_failures(platform: &Platform) {
    let attempts = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&attempts);
    let never = move |_: AppBatchReady| {
        attempts.fetch_add(1, Ordering::SeqCst);
        async { Err("not today".into()) }
    };
    platform.bus.subscribe(&PUSH_BATCHES, 1, never).expect("the queue carries the event");
    platform.bus.start_relay(SCHEMA);
    let mut tx = platform.database.begin().await.expect("a transaction");
    tx.publish(SCHEMA, &AppBatchReady::default()).await.expect("it is written");
    tx.commit().await.expect("it is committed");

    until("it is let go", async || counted.load(Ordering::SeqCst) == u32::from(ATTEMPTS)).await;
    settle(platform).await;
    assert_eq!(platform.bus.dead_letters().await.expect("they can be read"), []);
}

const CALLERS: Staff = Staff(&[("fhs_operator", Role::TechnicalOperator, "city"), ("fhs_auditor", Role::Auditor, "city")]);

pub async fn a_message_that_nobody_understands_is_kept_with_its_reason_until_an_operator_has_it_delivered_again(platform: &Platform) {
    let (told, mut heard) = unbounded_channel();
    let mended = Arc::new(AtomicBool::new(false));
    let learned = Arc::clone(&mended);
    let counts_on_its_fingers = move |event: RecordsStored| {
        let (told, learned) = (told.clone(), Arc::clone(&learned));
        async move {
            if event.records == 13 && !learned.load(Ordering::SeqCst) {
                understood("number", "thirteen".parse::<u32>())?;
            }
            Ok(told.send(event.records)?)
        }
    };
    platform.bus.subscribe(&RULES_RECORDS, 1, counts_on_its_fingers).expect("the queue carries the event");
    let trace = Heard::<AuditEntry>::on(platform, &AUDIT_ENTRIES);
    platform.bus.start_relay(SCHEMA);
    let desk = Desk::of(platform::bus::routes(platform), Authenticators::new().with(CALLERS));
    publish(platform, &load(13)).await;
    publish(platform, &load(14)).await;

    assert_eq!(next(&mut heard).await, 14);
    settle(platform).await;
    let letter = only_letter(platform).await;
    assert_eq!((letter.queue.as_str(), letter.topic.as_str()), ("rules.records", "records.stored"));
    assert_eq!(letter.reason, "the number makes no sense: invalid digit found in string");
    assert_eq!(only_letter(platform).await, letter, "reading leaves it");
    let (_, listed) = desk.get("fhs_auditor", "/api/v1/dead-letters").await;
    assert_eq!((&listed["total"], &listed["letters"][0]["reason"]), (&json!(1), &json!(letter.reason)), "{listed}");
    assert_eq!(listed["letters"][0].get("payload"), None, "it may hold personal data");

    let again = format!("/api/v1/dead-letters/{}/deliveries", letter.letter_id);
    assert_eq!(desk.post("fhs_auditor", &again, Value::Null).await.0, StatusCode::FORBIDDEN);
    assert_eq!(desk.post("fhs_operator", &again, Value::Null).await, (StatusCode::OK, json!({ "letters": 1 })));
    until("it dies again", async || {
        platform.bus.dead_letters().await.is_ok_and(|letters| letters.first().is_some_and(|last| last.died_at > letter.died_at))
    })
    .await;

    mended.store(true, Ordering::SeqCst);
    let (status, delivered) = desk.post("fhs_operator", "/api/v1/dead-letters/deliveries", Value::Null).await;
    assert_eq!((status, delivered), (StatusCode::OK, json!({ "letters": 1 })));
    assert_eq!(next(&mut heard).await, 13);
    settle(platform).await;
    assert_eq!(platform.bus.dead_letters().await.expect("they can be read"), []);
    assert_eq!(desk.post("fhs_operator", &again, Value::Null).await.0, StatusCode::NOT_FOUND);
    let traced: Vec<_> = trace.take().into_iter().map(|entry| (entry.action, entry.actor)).collect();
    let operator = stages::id("fhs_operator").to_string();
    assert_eq!(traced, vec![("dead_letter.deliver_again".to_owned(), operator); 2]);
}

async fn only_letter(platform: &Platform) -> DeadLetter {
    let letters = platform.bus.dead_letters().await.expect("they can be read");
    let [letter] = letters.as_slice() else { panic!("one dead letter: {letters:?}") };
    letter.clone()
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
