//! Replies of residents: each is passed on once, as the event `sms.replied`, in the transaction that remembers it.
//!
//! The centre delivers a message again when our answer was lost, and SMPP 3.4 gives it no identity of its own. The same words from the same phone
//! are one reply when they were written at the same moment ([`SAME_MOMENT_WITHIN`]) or carry the same id ([`SAME_ID_WITHIN`]: centres begin to count
//! anew); otherwise when they come within a few seconds (`reply_repeat_s`). So nobody who answers two alerts in turn is taken for a repeat. Nothing readable is stored: what is remembered is a keyed hash, number and text leave sealed.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use domain::phone::PhoneNumber;
use platform::{
    Platform,
    crypto::{Keyring, Purpose},
};
use proto::SmsReplied;

use crate::{SCHEMA, error::Error, settings::Settings, smpp::incoming::Reply};

/// So long a centre may go on delivering a reply of which it tells when it was written.
const SAME_MOMENT_WITHIN: TimeDelta = TimeDelta::hours(24);
/// So long it keeps to an id.
const SAME_ID_WITHIN: TimeDelta = TimeDelta::minutes(5);
/// A centre keeps replies for a platform that is away for days, not longer: another time is no time of this reply.
const KEPT_BY_CENTRE: TimeDelta = TimeDelta::days(7);

/// A reply that may be known already.
struct Referenced {
    repeats_within: TimeDelta,
    event: SmsReplied,
}

/// Passes on what has not been passed on before.
pub async fn pass_on(platform: &Platform, settings: &Settings, replies: &[Reply]) -> Result<(), Error> {
    let now = platform.clock.now();
    // The second of two equal ones is not passed on with the first.
    let mut replies: BTreeMap<String, Referenced> =
        replies.iter().rev().filter_map(|reply| referenced(&platform.keyring, settings, reply, now)).collect();
    if replies.is_empty() {
        return Ok(());
    }
    let references: Vec<String> = replies.keys().cloned().collect();
    let known_since: Vec<DateTime<Utc>> = replies.values().map(|reply| now - reply.repeats_within).collect();

    let mut tx = platform.database.begin().await?;
    let fresh = sqlx::query_scalar!(
        "insert into sms.reply as known (message_ref, received_at)
         select message_ref, $3 from unnest($1::text[]) as new (message_ref)
         on conflict (message_ref) do update set received_at = excluded.received_at
         where known.received_at <= (select since from unnest($1::text[], $2::timestamptz[]) as new (message_ref, since)
                                      where new.message_ref = known.message_ref)
         returning message_ref",
        &references,
        &known_since,
        now,
    )
    .fetch_all(&mut *tx)
    .await?;
    let events: Vec<SmsReplied> = fresh.iter().filter_map(|reference| replies.remove(reference)).map(|reply| reply.event).collect();
    metrics::counter!("sms_replies_total").increment(events.len() as u64);
    tx.publish_all(SCHEMA, &events).await?;
    Ok(tx.commit().await?)
}

/// `None` for a sender that is no mobile number of ours: service numbers write to us, too.
fn referenced(keyring: &Keyring, settings: &Settings, reply: &Reply, now: DateTime<Utc>) -> Option<(String, Referenced)> {
    let Ok(phone) = PhoneNumber::of_centre(&reply.from) else {
        metrics::counter!("sms_replies_of_no_phone_total").increment(1);
        return None;
    };
    let phone = phone.e164();
    let written_at = reply.written_at.filter(|at| (now - KEPT_BY_CENTRE..=now).contains(at));
    let (id, moment) = (reply.reference.as_deref().unwrap_or_default(), written_at.map(|at| at.to_rfc3339()).unwrap_or_default());
    let same = keyring.hash(Purpose::SmsReply, format!("{phone}\0{}\0{id}\0{moment}", reply.text.trim()).as_bytes());
    let reference = hex(same.bytes());
    let repeats_within = match written_at {
        Some(_) => SAME_MOMENT_WITHIN,
        None if !id.is_empty() => SAME_ID_WITHIN,
        None => TimeDelta::seconds(settings.reply_repeat_s.into()),
    };
    let event = SmsReplied {
        phone_hash: keyring.hash(Purpose::ResidentPhone, phone.as_bytes()).bytes().to_vec(),
        text_sealed: keyring.seal(Purpose::SmsReply, reply.text.as_bytes()).into_bytes(),
        received_at_ms: now.timestamp_millis(),
        // The same words of another time are another reply.
        message_ref: format!("{reference}:{}", now.timestamp_millis()),
        written_at_ms: written_at.map(|at| at.timestamp_millis()),
        phone_sealed: keyring.seal(Purpose::ResidentPhone, phone.as_bytes()).into_bytes(),
    };
    Some((reference, Referenced { repeats_within, event }))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests;
