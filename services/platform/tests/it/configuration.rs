//! Whoever changes what the platform is set to leaves a trace, which names the settings and never what they say.

use std::collections::BTreeMap;

use platform::clock::Clock;
use platform::{configuration, scratch};
use proto::AuditEntry;
use proto::topology::AUDIT_ENTRIES;
use stages::{Heard, noon, settle};

fn set(settings: &[(&str, &str)]) -> BTreeMap<String, String> {
    settings.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

#[tokio::test]
async fn a_start_with_other_settings_is_traced_by_their_names_alone() {
    let platform = scratch::temporary(Clock::moved(noon())).await.unwrap();
    let trail = Heard::<AuditEntry>::on(&platform, &AUDIT_ENTRIES);
    platform.bus.start_relay(platform::bus::SCHEMA);
    let first = set(&[("sms.password", "a-secret"), ("dispatch.quiet_hours", "22:00-07:00")]);
    configuration::note(&platform, "dispatch sms", &first).await.unwrap();
    assert!(configuration::note(&platform, "dispatch sms", &first).await.unwrap().is_empty(), "a start as before is no news");

    let other = set(&[("sms.password", "another-one"), ("push.proxy", "p")]);
    let changed = configuration::note(&platform, "dispatch sms", &other).await.unwrap();
    assert_eq!(changed, ["dispatch.quiet_hours", "push.proxy", "sms.password"], "what was changed, added and taken out");
    settle(&platform).await;
    let entries = trail.take();
    assert_eq!(entries.iter().map(|entry| entry.action.as_str()).collect::<Vec<_>>(), ["configuration.change"; 2]);
    let told = &entries[1].detail_json;
    assert!(told.contains("sms.password") && !told.contains("another-one") && !told.contains("22:00"), "{told}");
    let stored: Vec<Vec<u8>> = sqlx::query_scalar("select value from bus.configuration").fetch_all(platform.database.pool()).await.unwrap();
    assert!(stored.iter().all(|value| value.len() == 32), "nor does the table hold it");
}
