//! The sweep: what review has approved or stopped and no event has told is taken over all the same.
//!
//! Events arrive at least once, but what carries and handles them is made of programs. So every minute dispatch compares what it has with what
//! review's view says, and takes over what is missing by the same functions that events call. Whatever it finds rings: an event was lost,
//! or waits for what it fails on to be mended.

use std::sync::Arc;

use domain::ids::AlertId;
use platform::jobs::{Did, Job};
use platform::sweep::{GRACE, Sweep};
use platform::{BoxError, Platform};

use crate::settings::Settings;
use crate::{Error, approved, checked, ending, withdrawn_for};

pub(crate) const TAKE_OVER: Job = Job {
    name: "dispatch.take_over",
    cron: "10 * * * * *",
    about: "核对审核记录：接管已批准而推送尚未得知的弹窗，停止已撤销或被更正而仍在推送的弹窗，暂停正在核实的弹窗，不再向已对其撤销的人推送。",
    about_en: "Compares with review: takes over alerts that were approved, stops those that were cancelled or corrected, holds those that are being checked, and hears for whom one was withdrawn, where no event has told.",
    at_start: false,
};

pub(crate) fn register(platform: &Platform, settings: &Arc<Settings>) -> Result<(), Error> {
    let (own, settings) = (platform.clone(), Arc::clone(settings));
    platform.jobs.register(&TAKE_OVER, move || {
        let (platform, settings) = (own.clone(), Arc::clone(&settings));
        async move { turn(&platform, &settings).await }
    })?;
    Ok(())
}

pub(crate) async fn turn(platform: &Platform, settings: &Settings) -> Result<Did, BoxError> {
    let before = platform.clock.now() - GRACE;
    let approved = sqlx::query_scalar!(
        r#"select r.alert_id as "alert_id!" from review.alert_standing r
            where r.state in ('approved', 'dispatching', 'active') and r.approved_at < $1
              and not exists (select from dispatch.alert a where a.alert_id = r.alert_id)"#,
        before,
    )
    .fetch_all(platform.database.pool())
    .await?;
    let stopped = sqlx::query!(
        r#"select a.alert_id, r.state as "state!" from dispatch.alert a join review.alert_standing r using (alert_id)
            where a.state in ('waiting', 'dispatching', 'active') and r.state in ('cancelled', 'superseded') and r.changed_at < $1"#,
        before,
    )
    .fetch_all(platform.database.pool())
    .await?;
    let held = sqlx::query_scalar!(
        r#"select a.alert_id from dispatch.alert a join review.alert_standing r using (alert_id)
            where a.state in ('waiting', 'dispatching', 'active') and r.state in ('approved', 'dispatching', 'active')
              and a.held_at is distinct from least(r.held_at, a.unlike_at) and r.changed_at < $1"#,
        before,
    )
    .fetch_all(platform.database.pool())
    .await?;
    let withdrawn = sqlx::query_scalar!(
        r#"select distinct w.alert_id as "alert_id!" from review.withdrawn_for w join dispatch.alert a using (alert_id)
            where w.at < $1
              and not exists (select from dispatch.withdrawn_for f where f.alert_id = w.alert_id and f.resident_no = w.resident_no)"#,
        before,
    )
    .fetch_all(platform.database.pool())
    .await?;

    let mut sweep = Sweep::of("dispatch");
    for alert_id in approved.into_iter().map(AlertId::from_uuid) {
        sweep.take_over("approval", alert_id, approved::on_approved(platform, settings, alert_id)).await;
    }
    for row in stopped {
        let alert_id = AlertId::from_uuid(row.alert_id);
        let stop = async {
            let how = row.state.parse().map_err(|error: strum::ParseError| Error::damaged("state", alert_id, error))?;
            ending::on_stopped(platform, alert_id, how).await
        };
        sweep.take_over("stop", alert_id, stop).await;
    }
    for alert_id in held.into_iter().map(AlertId::from_uuid) {
        sweep.take_over("check", alert_id, checked::on_held(platform, alert_id)).await;
    }
    for alert_id in withdrawn.into_iter().map(AlertId::from_uuid) {
        sweep.take_over("withdrawal", alert_id, withdrawn_for::on_withdrawn(platform, alert_id)).await;
    }
    sweep.done()
}
