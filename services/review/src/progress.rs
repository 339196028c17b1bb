//! What dispatch reports: released, handed over, closed.
//!
//! Events may be repeated and may overtake each other; a step that the table no longer permits has been taken already. What no event has told is
//! found by a sweep, which compares every minute with what dispatch shows.

use chrono::{DateTime, Utc};
use domain::alert_state::{self, Action, Actor};
use domain::ids::AlertId;
use domain::retraction::Progress;
use platform::BoxError;
use platform::bus::understood;
use platform::jobs::{Did, Job};
use platform::sweep::{GRACE, Sweep};
use proto::topology::{REVIEW_CLOSED, REVIEW_HANDED_OVER, REVIEW_RELEASED};
use proto::{AlertClosed, AlertHandedOver, AlertReleased};

use crate::store::{self, Step};
use crate::{Error, Service, retraction};

pub(crate) fn subscribe(service: &Service) -> Result<(), Error> {
    let bus = &service.platform.bus;
    let own = service.clone();
    bus.subscribe(&REVIEW_RELEASED, 1, move |event: AlertReleased| {
        let service = own.clone();
        async move { Ok(advance(&service, understood("alert id", event.alert_id.parse())?, Action::Release, None).await?) }
    })?;
    let own = service.clone();
    bus.subscribe(&REVIEW_HANDED_OVER, 1, move |event: AlertHandedOver| {
        let (service, at) = (own.clone(), DateTime::from_timestamp_millis(event.at_ms));
        async move { Ok(advance(&service, understood("alert id", event.alert_id.parse())?, Action::HandedOver, at).await?) }
    })?;
    let own = service.clone();
    bus.subscribe(&REVIEW_CLOSED, 1, move |event: AlertClosed| {
        let (service, at) = (own.clone(), DateTime::from_timestamp_millis(event.at_ms));
        async move { Ok(advance(&service, understood("alert id", event.alert_id.parse())?, Action::Close, at).await?) }
    })?;
    let own = service.clone();
    service.platform.jobs.register(&TAKE_OVER, move || {
        let service = own.clone();
        async move { sweep(&service).await }
    })?;
    Ok(())
}

pub(crate) const TAKE_OVER: Job = Job {
    name: "review.take_over",
    cron: "40 * * * * *",
    about: "核对推送进度：补记没有收到消息的“开始推送”“推送完成”“结束”。",
    about_en: "Compares with dispatch: takes the steps released, handed over and closed where no event has told.",
    at_start: false,
};

/// Takes the steps that dispatch shows and no event has told.
async fn sweep(service: &Service) -> Result<Did, BoxError> {
    let behind = sqlx::query!(
        r#"select a.alert_id as "alert_id!", p.state = 'closed' as "closed!", p.released_at, p.handed_over_at, p.ended_at
             from review.alert a join dispatch.alert_progress p using (alert_id)
            where a.state in ('approved', 'dispatching', 'active')
              and (a.state = 'approved' and p.state = 'dispatching' and p.released_at < $1
                   or a.state <> 'active' and p.state in ('active', 'closed') and p.handed_over_at < $1
                   or p.state = 'closed' and p.ended_at < $1)"#,
        service.platform.clock.now() - GRACE
    )
    .fetch_all(service.platform.database.pool())
    .await?;
    let mut sweep = Sweep::of("review");
    for row in behind {
        let alert = AlertId::from_uuid(row.alert_id);
        let steps = [
            ("release", Action::Release, row.released_at.filter(|_| !row.closed && row.handed_over_at.is_none())),
            ("hand-over", Action::HandedOver, row.handed_over_at),
            ("close", Action::Close, row.ended_at.filter(|_| row.closed)),
        ];
        for (what, action, at) in steps {
            if at.is_some() {
                sweep.take_over(what, alert, advance(service, alert, action, at)).await;
            }
        }
    }
    sweep.done()
}

/// Takes the step as of the time when it happened, where the event says when: it may have waited on the bus.
async fn advance(service: &Service, alert: AlertId, action: Action, at: Option<DateTime<Utc>>) -> Result<(), Error> {
    let mut tx = service.platform.database.begin().await?;
    let mut alert = store::load(&mut tx, alert, true).await?;
    let Ok(decision) = alert_state::next(alert.state, action, &alert.participants, &Actor::System, "") else {
        tx.rollback().await?;
        return Ok(());
    };
    let from = alert.state;
    alert.step(action, decision, at.unwrap_or_else(|| service.platform.clock.now()));
    store::save(&mut tx, &mut alert).await?;
    store::record(&mut tx, &alert, Step::of_platform(action.as_ref(), from)).await?;
    if action == Action::Close {
        retraction::end_waiting(&mut tx, alert.id, Progress::Expired, alert.changed_at).await?;
    }
    tx.commit().await?;
    service.changed.wake();
    Ok(())
}
