//! What the cache promises.

use std::time::Duration;

use platform::cache::Tokens;
use platform::{Error, Platform};

use super::start;

const MINUTE: Duration = Duration::from_secs(60);

async fn get(platform: &Platform, key: &str) -> Option<Vec<u8>> {
    platform.cache.get(key).await.expect("the cache answers")
}

pub async fn a_value_lives_as_long_as_the_moved_clock_says(platform: &Platform) {
    let (cache, bytes) = (&platform.cache, b"\0\xff any bytes".as_slice());
    assert_eq!(get(platform, "session").await, None);
    cache.set("session", bytes, MINUTE).await.expect("stored");
    platform.clock.forward(MINUTE - Duration::from_millis(1));
    assert_eq!(get(platform, "session").await.as_deref(), Some(bytes));
    cache.set("session", b"again", MINUTE).await.expect("stored over it");
    platform.clock.forward(MINUTE - Duration::from_millis(1));
    assert_eq!(get(platform, "session").await.as_deref(), Some(b"again".as_slice()));
    platform.clock.forward(Duration::from_millis(1));
    assert_eq!(get(platform, "session").await, None);
}

pub async fn what_was_deleted_is_gone_and_the_rest_stays(platform: &Platform) {
    let cache = &platform.cache;
    cache.set("a", b"1", MINUTE).await.expect("stored");
    cache.set("b", b"2", MINUTE).await.expect("stored");
    cache.delete("a").await.expect("deleted");
    cache.delete("never there").await.expect("nothing to delete");
    assert_eq!((get(platform, "a").await, get(platform, "b").await), (None, Some(b"2".to_vec())));
    cache.clear().await.expect("cleared");
    assert_eq!(get(platform, "b").await, None);
}

pub async fn of_many_who_take_a_value_one_gets_it(platform: &Platform) {
    platform.cache.set("code", b"123456", MINUTE).await.expect("stored");
    let takers = (0..20).map(|_| platform.cache.take("code"));
    let taken = futures::future::try_join_all(takers).await.expect("the cache answers");
    assert_eq!(taken.into_iter().flatten().collect::<Vec<_>>(), [b"123456".to_vec()]);

    platform.cache.set("code", b"old", MINUTE).await.expect("stored");
    platform.clock.forward(MINUTE);
    assert_eq!(platform.cache.take("code").await.expect("the cache answers"), None, "it has expired");
}

pub async fn a_value_is_not_stored_over_a_living_one_when_asked_not_to(platform: &Platform) {
    let cache = &platform.cache;
    assert!(cache.set_if_absent("once", b"first", MINUTE).await.expect("the cache answers"));
    assert!(!cache.set_if_absent("once", b"second", MINUTE).await.expect("the cache answers"));
    assert_eq!(get(platform, "once").await.as_deref(), Some(b"first".as_slice()));
    platform.clock.forward(MINUTE);
    assert!(cache.set_if_absent("once", b"third", MINUTE).await.expect("the cache answers"));
}

pub async fn a_value_is_replaced_only_where_it_is_the_one_that_was_read(platform: &Platform) {
    let cache = &platform.cache;
    assert!(!cache.replace("session", b"nothing", b"new", MINUTE).await.expect("the cache answers"), "there is none");
    cache.set("session", b"first", MINUTE).await.expect("stored");
    assert!(cache.replace("session", b"first", b"second", MINUTE).await.expect("the cache answers"));
    assert!(!cache.replace("session", b"first", b"third", MINUTE).await.expect("the cache answers"), "somebody else was quicker");
    assert_eq!(get(platform, "session").await.as_deref(), Some(b"second".as_slice()));
    cache.delete("session").await.expect("deleted");
    assert!(!cache.replace("session", b"second", b"back", MINUTE).await.expect("the cache answers"), "what was removed stays so");
    assert_eq!(get(platform, "session").await, None);
    cache.set("session", b"old", MINUTE).await.expect("stored");
    platform.clock.forward(MINUTE);
    assert!(!cache.replace("session", b"old", b"new", MINUTE).await.expect("the cache answers"), "it has expired");
}

pub async fn a_counter_counts_for_its_time_and_begins_again(platform: &Platform) {
    let cache = &platform.cache;
    let counts = futures::future::try_join_all((0..10).map(|_| cache.incr("tries", MINUTE))).await.expect("the cache answers");
    assert_eq!(counts.into_iter().max(), Some(10));
    platform.clock.forward(MINUTE / 2);
    assert_eq!(cache.incr("tries", MINUTE).await.expect("the cache answers"), 11);
    platform.clock.forward(MINUTE / 2);
    assert_eq!(cache.incr("tries", MINUTE).await.expect("the cache answers"), 1, "counted from the first");
}

pub async fn a_token_bucket_gives_its_burst_then_its_rate(platform: &Platform) {
    let take = async |wanted| platform.cache.take_tokens("provider", 100.0, 50, wanted).await.expect("the cache answers");
    let at = |millis| Tokens::WaitUntil(start() + Duration::from_millis(millis));
    assert_eq!(take(30).await, Tokens::Granted);
    assert_eq!(take(30).await, at(100), "20 are there, 10 more take 100 ms");
    assert_eq!(take(20).await, Tokens::Granted, "who waits has taken nothing");
    assert_eq!(take(1).await, at(10));
    platform.clock.forward(Duration::from_millis(10));
    assert_eq!(take(1).await, Tokens::Granted);
    platform.clock.forward(MINUTE);
    assert_eq!(take(50).await, Tokens::Granted);
    assert!(matches!(take(1).await, Tokens::WaitUntil(_)), "a rest fills the bucket and no more");
}

pub async fn a_token_bucket_never_gives_more_than_it_has_to_many_at_once(platform: &Platform) {
    let takers = (0..200).map(|_| platform.cache.take_tokens("shared", 1.0, 70, 1));
    let answers = futures::future::try_join_all(takers).await.expect("the cache answers");
    assert_eq!(answers.into_iter().filter(|answer| *answer == Tokens::Granted).count(), 70);
}

pub async fn what_a_bucket_can_never_give_is_an_error(platform: &Platform) {
    for (rate, burst, wanted) in [(1.0, 5, 6), (0.0, 5, 1), (f64::NAN, 5, 1)] {
        let refused = platform.cache.take_tokens("small", rate, burst, wanted).await;
        assert!(matches!(refused, Err(Error::BucketTooSmall { .. })), "{refused:?}");
    }
}
