//! Providers ask a few to wait, and the others go on: when they have the alert, beside a run that nothing disturbs.

use anyhow::{Result, ensure};
use benches::city::eventually;
use chrono::{DateTime, Utc};
use platform::clock::Clock;
use resident::generate::Device;
use serde_json::{Value, json};
use simulators::Provider;

use super::story::{PATIENCE, PUSH, Share, Story, query};

/// One device in so many is always asked to wait.
const ONE_IN: usize = 200;
/// Of SMS, the share that the centre does not take at the moment.
const SHARE_OF_SMS: f64 = 0.01;
/// How much longer the others may take,
const SLOWER: f64 = 1.1;
/// and how much longer where they are so few that a moment of another program's weighs as much as they do.
const SLOWER_OF_FEW: f64 = 2.0;
const MOMENT_S: f64 = 10.0;

/// The devices stay the same, as with APNs's `TooManyRequests` and FCM's quota of a device.
pub(super) async fn a_few_devices_that_must_wait_delay_nobody_else(story: &Story) -> Result<()> {
    let (_, by_app) = story.by_sms_and_by_app();
    let devices: Vec<Device> = by_app.people.clone().step_by(ONE_IN).filter_map(|number| story.people.person(number)?.device).collect();
    let others = by_app.count() - devices.len() as u64;
    let before = undisturbed(story, "by app", &by_app, others).await?;

    story.anew(&Value::Null).await?;
    let (mut apns, mut fcm) = (Vec::new(), Vec::new());
    for device in &devices {
        match device {
            Device::Apns(token) => apns.push(token),
            Device::Fcm(token) => fcm.push(token),
        }
    }
    for (provider, tokens) in [(Provider::Apns, apns), (Provider::Fcm, fcm)] {
        story.answers(provider, &json!({ "faults": [{ "kind": "throttled", "only": tokens }] })).await?;
    }
    let what = format!("by app, {} devices always asked to wait", devices.len());
    let alert = story.city.urgent(&query(by_app.districts.clone())).await?;
    let at = reached_at(story, &what, others).await?;
    let waiting = story.city.providers.counted().await?;
    ensure!(waiting.recipients == others, "{what}: they were reached");
    for provider in PUSH {
        story.answers(provider, &Value::Null).await?;
    }
    let delivery = story.all_have(&alert, &what, by_app.count(), 0).await?;
    let usual = if story.are_few() { before } else { before.max(undisturbed(story, "by app", &by_app, others).await?) };
    compare(story, &what, usual, seconds(delivery.approved_at, at))
}

/// Each time it is others, as chance will have it.
pub(super) async fn a_few_sms_that_must_wait_delay_nobody_else(story: &Story) -> Result<()> {
    let (by_sms, _) = story.by_sms_and_by_app();
    let others = by_sms.count() - (by_sms.count() as f64 * SHARE_OF_SMS).ceil() as u64;
    let before = undisturbed(story, "by SMS", &by_sms, others).await?;

    story.anew(&Value::Null).await?;
    story.answers(Provider::Sms, &json!({ "faults": [{ "kind": "throttled", "share": SHARE_OF_SMS }] })).await?;
    let what = "by SMS, one in a hundred asked to wait";
    let alert = story.city.urgent(&query(by_sms.districts.clone())).await?;
    let at = reached_at(story, what, others).await?;
    let delivery = story.all_have(&alert, what, by_sms.count(), 0).await?;
    let refused = story.city.providers.statistics(Provider::Sms).await?["refused"]["ESME_RTHROTTLED"].as_u64();
    ensure!(refused.is_some_and(|parts| parts > 0), "{what}: nobody was");
    story.nobody_has_two_sms(what).await?;
    let usual = if story.are_few() { before } else { before.max(undisturbed(story, "by SMS", &by_sms, others).await?) };
    compare(story, what, usual, seconds(delivery.approved_at, at))
}

/// Seconds from the approval until so many have it, when nothing happens. Where it takes long it is measured before and after, and the longer time
/// counts: a machine that others use too is not as quick at one time as at another.
async fn undisturbed(story: &Story, by: &str, share: &Share, others: u64) -> Result<f64> {
    story.anew(&Value::Null).await?;
    let what = format!("{by}, undisturbed");
    let alert = story.city.urgent(&query(share.districts.clone())).await?;
    let at = reached_at(story, &what, others).await?;
    let delivery = story.all_have(&alert, &what, share.count(), 0).await?;
    ensure!(story.city.providers.counted().await?.duplicates == 0, "{what}: nobody gets it twice");
    let after = |time| seconds(delivery.approved_at, time);
    let (first, others_s, all) = (after(delivery.first_hand_over_at), after(at), after(delivery.complete_at));
    println!("{what}: first hand-over after {first:.2} s, {others} have it after {others_s:.2} s, all after {all:.2} s");
    Ok(others_s)
}

/// When so many had been reached.
async fn reached_at(story: &Story, what: &str, many: u64) -> Result<DateTime<Utc>> {
    eventually(&format!("{what}: {many} are reached"), PATIENCE, async || {
        Ok((story.city.providers.counted().await?.recipients >= many).then(|| Clock::real().now()))
    })
    .await
}

fn seconds(from: DateTime<Utc>, to: DateTime<Utc>) -> f64 {
    (to - from).as_seconds_f64()
}

fn compare(story: &Story, what: &str, usual: f64, others: f64) -> Result<()> {
    let most = if story.are_few() { usual * SLOWER_OF_FEW + MOMENT_S } else { usual * SLOWER };
    println!("{what}: the others have it after {others:.2} s, undisturbed after {usual:.2} s: {:.2} times", others / usual);
    ensure!(others <= most, "{what}: the others have it after {others:.2} s, at most {most:.2} s was allowed");
    Ok(())
}
