//! Providers hang, crawl, say goodbye, ask everybody to wait, forget devices.

use anyhow::Result;
use benches::city::{City, eventually};
use serde_json::{Value, json};

use super::story::{PATIENCE, PUSH, Story};

pub(super) async fn fail(story: &mut Story) -> Result<()> {
    let goaway = u64::from(story.residents) / 20;
    story.everybody_is_reached("providers say goodbye again and again", 0, json!({ "goaway_after": goaway }), async |_| Ok(())).await?;
    let throttled = json!({ "faults": [{ "kind": "throttled", "retry_after_s": 3, "share": 0.01, "for_ms": 4000 }] });
    story.everybody_is_reached("providers ask to wait", 0, throttled, async |_| Ok(())).await?;
    let hanging = json!({ "faults": [{ "kind": "hang", "for_ms": 15_000 }] });
    story
        .everybody_is_reached("providers hang for 15 s", 0, Value::Null, async |city| {
            for provider in PUSH {
                let mut plan = hanging.clone();
                plan["provider"] = json!(provider);
                city.providers.set_faults(&plan).await?;
            }
            Ok(())
        })
        .await?;
    in_danger_and_out_again(story).await
}

/// It takes devices away: those people are reached by SMS.
pub(super) async fn forget_devices(story: &mut Story) -> Result<()> {
    story
        .everybody_is_reached(
            "two in a hundred have removed the app",
            0,
            json!({ "faults": [{ "kind": "gone", "share": 0.02 }] }),
            async |_| Ok(()),
        )
        .await
}

/// While the providers crawl, the alarm rings; when they are themselves again, it ends.
async fn in_danger_and_out_again(story: &mut Story) -> Result<()> {
    const RUNG: &str = r#"dispatch_alarms_total{kind="in_danger"}"#;
    const ENDED: &str = r#"dispatch_alarms_total{kind="out_of_danger"}"#;
    let before = (story.city.metric("dispatch", RUNG).await?, story.city.metric("dispatch", ENDED).await?);
    story
        .everybody_is_reached("providers crawl", 0, Value::Null, async |city| {
            crawl(city, 2000).await?;
            eventually("the alarm rings", PATIENCE, async || Ok((city.metric("dispatch", RUNG).await? > before.0).then_some(()))).await?;
            crawl(city, 0).await
        })
        .await?;
    let city = &story.city;
    eventually("the alarm ends", PATIENCE, async || Ok((city.metric("dispatch", ENDED).await? > before.1).then_some(()))).await
}

/// Providers take so long for each message.
async fn crawl(city: &City, latency_ms: u64) -> Result<()> {
    for provider in PUSH {
        city.providers.set_faults(&json!({ "provider": provider, "latency_ms": latency_ms })).await?;
    }
    Ok(())
}
