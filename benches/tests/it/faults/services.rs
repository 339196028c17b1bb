//! Processes are killed, as the power would.

use anyhow::Result;
use benches::city::DESK;
use serde_json::Value;

use super::story::Story;

pub(super) async fn are_killed(story: &mut Story) -> Result<()> {
    for group in ["push", "dispatch", "sms", DESK] {
        let deaths = u64::from(group == "push");
        story
            .everybody_is_reached(&format!("{group} is killed"), deaths, Value::Null, async |city| {
                city.kill(group)?;
                city.begin(group)?;
                city.is_ready(group).await
            })
            .await?;
    }
    Ok(())
}
