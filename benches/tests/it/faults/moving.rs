//! People move while an alert to district after district is planned: some out of what is planned already into what is not, and would be found
//! twice; some out of what is not into what is, and would be found by nobody.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use benches::city::eventually;
use serde_json::Value;
use simulators::Provider;

use super::story::{PATIENCE, Story, query};

/// One in so many moves each way.
const ONE_IN: u64 = 100;
/// Whoever is told a second time is told soon.
const SOON: Duration = Duration::from_secs(1);

/// They stay in the districts that were told of other alerts before, and are told of this one only. SMS, since no phone puts two into one.
pub(super) async fn whoever_moves_in_the_middle_is_told_once(story: &Story) -> Result<()> {
    let (share, _) = story.by_sms_and_by_app();
    let (all, first, last) = (share.count(), *share.people.start(), *share.people.end());
    let movers = u32::try_from(all / ONE_IN)?;
    let home = |number| story.people.person(number).map(|person| person.community).context("nobody has this number");
    let groups = [(first..=first + movers - 1, home(last)?), (last + 1 - movers..=last, home(first)?)];

    story.anew(&Value::Null).await?;
    let alert = story.city.urgent(&query(share.districts.clone())).await?;
    story.city.move_in_the_middle(&alert, &groups).await?;
    eventually("whoever moved is told", PATIENCE, async || Ok((story.city.providers.counted().await?.recipients == all).then_some(())))
        .await?;
    story.city.handed_over(&alert, PATIENCE).await?;
    tokio::time::sleep(SOON).await;
    let each = story.city.providers.messages_each(Provider::Sms).await?;
    let wave = &story.city.report(&alert).await?["waves"][0];
    let what = format!("{movers} move on and {movers} back while an alert to {all} is planned");
    println!("{what}: phones by the number of their SMS: {each:?}, {} people in the ledger", wave["recipients"]);
    ensure!(each == [(1, all)].into(), "{what}: phones by the number of their SMS: {each:?}");
    ensure!(wave["recipients"] == all && wave["accepted"] == all, "{what}: the ledger has others: {wave}");
    Ok(())
}
