//! PostgreSQL, RabbitMQ and Redis fall, come back empty, are away for a while.

use std::time::Duration;

use anyhow::{Result, ensure};
use benches::city::{DESK, eventually};
use domain::area::Area;
use serde_json::Value;
use simulators::Provider;

use super::story::{PATIENCE, Story, query};

/// How long a database is away until another one has taken its place.
const FAILOVER: Duration = Duration::from_secs(5);

pub(super) async fn are_away(story: &mut Story) -> Result<()> {
    story
        .everybody_is_reached("RabbitMQ is away until everybody has noticed", 1, Value::Null, async |city| {
            city.servers()?.stop_rabbitmq()?;
            for group in [DESK, "dispatch", "push", "sms"] {
                city.misses_a_store(group).await?;
            }
            city.servers()?.start_rabbitmq()
        })
        .await?;
    approved_without_a_broker(story).await?;
    story.everybody_is_reached("PostgreSQL is restarted", 1, Value::Null, async |city| city.servers()?.restart_postgres()).await?;
    let away = Duration::from_secs(if story.are_few() { 10 } else { 60 });
    story
        .everybody_is_reached(&format!("Redis is away for {} s", away.as_secs()), 0, Value::Null, async |city| {
            city.servers_mut()?.stop_redis()?;
            tokio::time::sleep(away).await;
            city.servers_mut()?.start_redis()?;
            city.has_its_cache_again().await
        })
        .await?;
    story.everybody_is_reached("Redis is emptied", 0, Value::Null, async |city| city.servers()?.empty_redis()).await?;
    story.city.sign_in_again().await
}

/// What is decided is written down, and waits for the broker.
async fn approved_without_a_broker(story: &Story) -> Result<()> {
    let away = Duration::from_secs(match std::env::var_os("FENGHUO_LOAD_LONG") {
        _ if story.are_few() => 20,
        Some(_) => 15 * 60,
        None => 60,
    });
    let what = format!("approved while RabbitMQ is away, for {} s", away.as_secs());
    story.anew(&Value::Null).await?;
    story.city.servers()?.stop_rabbitmq()?;
    let alert = story.city.urgent(&query(vec![Area::City])).await?;
    tokio::time::sleep(away).await;
    story.city.servers()?.start_rabbitmq()?;
    story.all_have(&alert, &what, story.residents.into(), 0).await?;
    Ok(())
}

/// The database fails over while some SMS are on the wire and others are answered and not yet written down.
pub(super) async fn fail_over_while_sms_go_out(story: &mut Story) -> Result<()> {
    let what = format!("PostgreSQL fails over in {} s while SMS go out", FAILOVER.as_secs());
    let by_sms = story.by_sms_and_by_app().0.count();
    story
        .everybody_is_reached(&what, 1, Value::Null, async |city| {
            let reached = async || {
                Ok::<u64, anyhow::Error>(city.providers.statistics(Provider::Sms).await?["recipients"].as_u64().unwrap_or_default())
            };
            eventually("a tenth has the SMS", PATIENCE, async || Ok((reached().await? >= by_sms / 10).then_some(()))).await?;
            city.servers()?.stop_postgres()?;
            let before = reached().await?;
            ensure!(before < by_sms, "all {by_sms} SMS had gone out before");
            tokio::time::sleep(FAILOVER).await;
            println!("{before} of {by_sms} SMS had gone out when it fell, {} when it was back", reached().await?);
            city.servers()?.start_postgres()
        })
        .await?;
    story.nobody_has_two_sms(&what).await
}
