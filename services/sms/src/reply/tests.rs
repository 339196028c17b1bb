use chrono::TimeDelta;
use platform::crypto::Sealed;
use proto::topology::RESIDENT_SMS_REPLIES;
use rstest::rstest;
use stages::Store::{self, Embedded, Postgres};
use stages::{Heard, Tables};

use super::*;

struct Centre {
    platform: Platform,
    heard: Heard<SmsReplied>,
}

impl Centre {
    async fn open(store: Store) -> Self {
        const TABLES: Tables = Tables { stand_ins: &[], schemas: &[(SCHEMA, &crate::MIGRATOR)] };
        let platform = store.open_with(TABLES).await;
        let heard = Heard::on(&platform, &RESIDENT_SMS_REPLIES);
        platform.bus.start_relay(SCHEMA);
        Self { platform, heard }
    }

    /// The centre delivers this; how often it is passed on.
    async fn delivers(&self, replies: &[Reply]) -> usize {
        pass_on(&self.platform, &Settings::default(), replies).await.unwrap();
        stages::until("it is handled", async || self.platform.bus.settled().await.unwrap()).await;
        self.heard.take().len()
    }

    fn later(&self, seconds: i64) {
        self.platform.clock.forward(TimeDelta::seconds(seconds).to_std().unwrap());
    }
}

fn says(text: &str) -> Reply {
    Reply { from: "13800000003".into(), text: text.into(), reference: None, written_at: None }
}

fn with_id(id: &str) -> Reply {
    Reply { reference: Some(id.into()), ..says("1") }
}

#[rstest]
#[tokio::test]
async fn the_same_words_are_a_repeat_for_seconds_and_another_answer_after_them(#[values(Embedded, Postgres)] store: Store) {
    let centre = Centre::open(store).await;
    assert_eq!(centre.delivers(&[says("1"), says("1"), says(" 1 "), says("2")]).await, 2, "equal ones of one delivery are one");
    assert_eq!(centre.delivers(&[says("1")]).await, 0);
    centre.later(9);
    assert_eq!(centre.delivers(&[says("1")]).await, 0);
    centre.later(1);
    assert_eq!(centre.delivers(&[says("1")]).await, 1, "the next alert is confirmed with the same word");
    assert_eq!(centre.delivers(&[Reply { from: "13800000004".into(), ..says("1") }]).await, 1, "somebody else's word");
    stages::close(&centre.platform).await;
}

#[rstest]
#[tokio::test]
async fn an_id_names_a_reply_of_one_phone_for_minutes_and_not_for_ever(#[values(Embedded, Postgres)] store: Store) {
    let centre = Centre::open(store).await;
    assert_eq!(centre.delivers(&[with_id("0001")]).await, 1);
    centre.later(60);
    assert_eq!(centre.delivers(&[with_id("0001")]).await, 0, "our answer was lost");
    assert_eq!(centre.delivers(&[with_id("0002")]).await, 1);
    let others = [Reply { from: "13800000004".into(), ..with_id("0001") }, Reply { text: "TD".into(), ..with_id("0001") }];
    assert_eq!(centre.delivers(&others).await, 2, "an id alone names nothing");
    centre.later(24 * 3600);
    assert_eq!(centre.delivers(&[with_id("0001")]).await, 1, "centres begin to count anew");
    stages::close(&centre.platform).await;
}

#[rstest]
#[tokio::test]
async fn the_moment_of_writing_names_a_reply_and_is_passed_on(#[values(Embedded, Postgres)] store: Store) {
    let centre = Centre::open(store).await;
    let now = centre.platform.clock.now();
    let written = |minutes: i64| Reply { written_at: Some(now - TimeDelta::minutes(minutes)), ..says("1") };
    pass_on(&centre.platform, &Settings::default(), &[written(90), written(30)]).await.unwrap();
    stages::until("both are there", async || centre.heard.count() >= 2).await;
    let mut passed_on = centre.heard.take();
    passed_on.sort_by_key(|reply| reply.written_at_ms);
    let at = |minutes| Some((now - TimeDelta::minutes(minutes)).timestamp_millis());
    assert_eq!(passed_on.iter().map(|reply| reply.written_at_ms).collect::<Vec<_>>(), [at(90), at(30)]);
    assert_ne!(passed_on[0].message_ref, passed_on[1].message_ref);
    let sealed = Sealed::from_bytes(passed_on[0].phone_sealed.clone()).unwrap();
    let phone = centre.platform.keyring.open(Purpose::ResidentPhone, &sealed).unwrap();
    assert_eq!(phone.as_slice(), b"+8613800000003");

    centre.later(3600);
    assert_eq!(centre.delivers(&[written(90)]).await, 0);
    for minutes in [-120, 60 * 24 * 30] {
        pass_on(&centre.platform, &Settings::default(), &[written(minutes)]).await.unwrap();
        stages::until("it is there", async || centre.heard.count() >= 1).await;
        assert_eq!(centre.heard.take()[0].written_at_ms, None, "no time at which it can have been written");
        centre.later(60);
    }
    stages::close(&centre.platform).await;
}
