//! What came of it, asked of the stores.

use std::time::Duration;

use anyhow::Result;
use serde::Serialize;

use super::cast::Cast;
use super::stage::Stage;

/// The figures of a rehearsal. Numbers of people and messages; times in seconds of the moved clock unless said otherwise.
#[derive(Debug, Serialize)]
pub(crate) struct Figures {
    pub(crate) scenario: &'static str,
    /// `embedded` or `services`.
    pub(crate) set: &'static str,
    pub(crate) residents: u32,
    /// Risk records kept.
    pub(crate) records: i64,
    /// Rows refused.
    pub(crate) refused: i64,
    /// Matches of a rule with a record.
    pub(crate) matched: i64,
    pub(crate) alerts: i64,
    pub(crate) approved: i64,
    /// People in the audiences, once for each alert.
    pub(crate) recipients: i64,
    /// Messages that APNs or FCM took.
    pub(crate) push_accepted: i64,
    /// Messages that the SMS centre took.
    pub(crate) sms_accepted: i64,
    /// Devices that are addressed no more because their provider said they are gone.
    pub(crate) endpoints_pruned: i64,
    /// People who got an SMS because the app could not be reached.
    pub(crate) fallbacks: i64,
    pub(crate) acknowledged: i64,
    /// Of them by SMS.
    pub(crate) acknowledged_by_sms: i64,
    /// People reminded, once for each alert.
    pub(crate) reminded: i64,
    /// People for their community to look after.
    pub(crate) follow_ups: i64,
    /// Share of alerts handed over by their deadline (CQ10), 0 to 1.
    pub(crate) on_time_share: f64,
    /// Longest time from approval to the last hand-over, quiet hours included.
    pub(crate) slowest_hand_over_s: f64,
    /// Longest time from when sending was allowed to the last hand-over.
    pub(crate) slowest_sending_s: f64,
    /// Real seconds that the rehearsal took.
    pub(crate) took_s: f64,
}

/// Asks the stores.
pub(crate) async fn ask(stage: &Stage, cast: &Cast, took: Duration) -> Result<Figures> {
    let pool = stage.platform.database.pool();
    let devices = (1..=cast.people.count()).filter(|no| cast.people.person(*no).is_some_and(|person| person.device.is_some())).count();
    let row = sqlx::query!(
        r#"select
             (select count(*) from ingest.record) as "records!",
             (select coalesce(sum(refused), 0)::bigint from ingest.load) as "refused!",
             (select count(*) from rules.match) as "matched!",
             (select count(*) from review.alert) as "alerts!",
             (select count(*) from review.alert where approved_at is not null) as "approved!",
             (select coalesce(sum(recipients + no_channel), 0)::bigint from dispatch.wave where wave = 1) as "recipients!",
             (select coalesce(sum(accepted), 0) from dispatch.batch where channel = 'app') as "push_accepted!",
             (select coalesce(sum(accepted), 0) from dispatch.batch where channel = 'sms') as "sms_accepted!",
             (select count(*) from resident.device where gone_at is null) as "devices!",
             (select coalesce(sum(fell_back), 0) from dispatch.batch) as "fallbacks!",
             (select count(*) from resident.acknowledgement) as "acknowledged!",
             (select count(*) from resident.acknowledgement where by = 'sms') as "acknowledged_by_sms!",
             (select coalesce(sum(recipients), 0)::bigint from dispatch.wave where wave = 2) as "reminded!",
             (select count(*) from dispatch.follow_up) as "follow_ups!",
             (select coalesce(avg((handed_over_at <= due_at)::int), 0)::float8 from dispatch.alert where released_at is not null) as "on_time_share!",
             (select coalesce(max(extract(epoch from handed_over_at - approved_at)), 0)::float8 from dispatch.alert) as "slowest_hand_over_s!",
             (select coalesce(max(extract(epoch from handed_over_at - release_at)), 0)::float8 from dispatch.alert) as "slowest_sending_s!""#
    )
    .fetch_one(pool)
    .await?;
    Ok(Figures {
        scenario: "mers-2015",
        set: stage.set,
        residents: cast.people.count(),
        records: row.records,
        refused: row.refused,
        matched: row.matched,
        alerts: row.alerts,
        approved: row.approved,
        recipients: row.recipients,
        push_accepted: row.push_accepted,
        sms_accepted: row.sms_accepted,
        endpoints_pruned: i64::try_from(devices)? - row.devices,
        fallbacks: row.fallbacks,
        acknowledged: row.acknowledged,
        acknowledged_by_sms: row.acknowledged_by_sms,
        reminded: row.reminded,
        follow_ups: row.follow_ups,
        on_time_share: row.on_time_share,
        slowest_hand_over_s: row.slowest_hand_over_s,
        slowest_sending_s: row.slowest_sending_s,
        took_s: took.as_secs_f64(),
    })
}
