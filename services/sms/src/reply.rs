//! Replies of residents: each is passed on once, as the event `sms.replied`, in the transaction that remembers it.
//!
//! The centre delivers a message again when our answer was lost, and SMPP 3.4 gives it no identity of its own. Where the
//! centre sends an id, that is the reference; otherwise the same words from the same phone within a short time are one reply.
//! (The fixed periods of the reference make "a short time" between one and two `reply_repeat_s`.) Nothing readable is
//! stored: the reference is a keyed hash, the text leaves sealed.

use chrono::{DateTime, Utc};
use domain::phone::PhoneNumber;
use platform::{
    Platform,
    crypto::{Keyring, Purpose},
};
use proto::SmsReplied;

use crate::{SCHEMA, error::Error, settings::Settings, smpp::incoming::Reply};

/// A reply with the two references under which it may be known already.
struct Referenced {
    current: String,
    previous: String,
    event: SmsReplied,
}

/// Passes on what has not been passed on before.
pub async fn pass_on(platform: &Platform, settings: &Settings, replies: &[Reply]) -> Result<(), Error> {
    let now = platform.clock.now();
    let known: Vec<Referenced> = replies.iter().filter_map(|reply| referenced(&platform.keyring, settings, reply, now)).collect();
    if known.is_empty() {
        return Ok(());
    }
    let current: Vec<String> = known.iter().map(|reply| reply.current.clone()).collect();
    let previous: Vec<String> = known.iter().map(|reply| reply.previous.clone()).collect();

    let mut tx = platform.database.begin().await?;
    let mut fresh = sqlx::query_scalar!(
        r#"insert into sms.reply (message_ref, received_at)
           select current, $3 from unnest($1::text[], $2::text[]) as new (current, previous)
           where not exists (select from sms.reply known where known.message_ref = new.previous)
           on conflict (message_ref) do nothing
           returning message_ref"#,
        &current,
        &previous,
        now,
    )
    .fetch_all(&mut *tx)
    .await?;
    let mut events = Vec::with_capacity(fresh.len());
    for reply in known {
        // Taken out, so that the second of two equal ones is not passed on with the first.
        if let Some(place) = fresh.iter().position(|reference| *reference == reply.current) {
            fresh.swap_remove(place);
            events.push(reply.event);
        }
    }
    metrics::counter!("sms_replies_total").increment(events.len() as u64);
    tx.publish_all(SCHEMA, &events).await?;
    Ok(tx.commit().await?)
}

/// `None` for a sender that is no mobile number of ours: service numbers write to us, too.
fn referenced(keyring: &Keyring, settings: &Settings, reply: &Reply, now: DateTime<Utc>) -> Option<Referenced> {
    let Ok(phone) = reply.from.parse::<PhoneNumber>() else {
        metrics::counter!("sms_replies_of_no_phone_total").increment(1);
        return None;
    };
    let (current, previous) = match &reply.reference {
        Some(id) => {
            let reference = keyring.hash(Purpose::SmsReply, format!("id\0{id}").as_bytes());
            let reference = format!("id:{}", hex(reference.bytes()));
            (reference.clone(), reference)
        }
        None => {
            let words = keyring.hash(Purpose::SmsReply, format!("words\0{}\0{}", phone.e164(), reply.text.trim()).as_bytes());
            let words = hex(words.bytes());
            let period = now.timestamp().div_euclid(i64::from(settings.reply_repeat_s.max(1)));
            (format!("words:{words}:{period}"), format!("words:{words}:{}", period - 1))
        }
    };
    let event = SmsReplied {
        phone_hash: keyring.hash(Purpose::ResidentPhone, phone.e164().as_bytes()).bytes().to_vec(),
        text_sealed: keyring.seal(Purpose::SmsReply, reply.text.as_bytes()).into_bytes(),
        received_at_ms: now.timestamp_millis(),
        message_ref: current.clone(),
    };
    Some(Referenced { current, previous, event })
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
