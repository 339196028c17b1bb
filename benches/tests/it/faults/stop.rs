//! An officer ends an alert while it goes out: who has it hears so, who does not have it hears nothing of it any more.

use std::time::Duration;

use anyhow::{Result, ensure};
use benches::city::eventually;
use domain::area::Area;
use serde_json::Value;
use simulators::Provider;

use super::story::{PATIENCE, PUSH, Story, query};

/// Whatever would still come of the alert comes soon.
const SOON: Duration = Duration::from_secs(1);

pub(super) async fn whoever_has_an_alert_that_is_cancelled_hears_so_and_nobody_else(story: &Story) -> Result<()> {
    let what = "cancelled in the middle";
    story.anew(&Value::Null).await?;
    let alert = story.city.urgent(&query(vec![Area::City])).await?;
    let tenth = u64::from(story.residents) / 10;
    let reached = async || anyhow::Ok(story.city.providers.counted().await?.recipients);
    eventually("a tenth has it", PATIENCE, async || Ok((reached().await? >= tenth).then_some(()))).await?;
    story.city.cancel(&alert).await?;
    let when_cancelled = reached().await?;
    let report = eventually("those who have it are told of its end", PATIENCE, async || {
        let report = story.city.report(&alert).await?;
        let told = &report["withdrawal"];
        Ok((!told["planned_at"].is_null() && told["open"] == 0).then_some(report))
    })
    .await?;
    tokio::time::sleep(SOON).await;

    let (had_it, told) = (&report["waves"][0]["accepted"], &report["withdrawal"]["accepted"]);
    println!(
        "{what}: {when_cancelled} of {} had it when it was, {had_it} when nothing was on the wire any more; {told} told so",
        story.residents
    );
    ensure!(when_cancelled < story.residents.into(), "{what}: everybody had it before");
    let mut heard = 0;
    for provider in PUSH.into_iter().chain([Provider::Sms]) {
        let each = story.city.providers.messages_each(provider).await?;
        // the alert, and that it is none any more
        ensure!(each.keys().all(|times| *times == 2), "{what}: people by what they heard from {provider}: {each:?}");
        heard += each.values().sum::<u64>();
    }
    ensure!(*had_it == heard && *told == heard, "{what}: {heard} heard of it, {had_it} were handed it, {told} told of its end");
    // a push takes the place of the one before; an SMS stands below it, in other words
    let sms = story.city.providers.statistics(Provider::Sms).await?;
    ensure!(sms["duplicates"] == 0 && sms["repeats"] == sms["recipients"], "{what}: what phones got by SMS: {sms}");
    Ok(())
}
