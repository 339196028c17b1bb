//! Alerts come into inboxes when dispatch releases them, and leave when they are stopped or closed.
//!
//! Events may be repeated and may overtake each other: a stop that comes before its release is kept, and holds. An alert that was stopped in its first
//! moments comes into inboxes as stopped, since somebody may have been told of it. One that is being checked stays, with a line that says so. What no event has told is found by a sweep, which compares every minute with what dispatch and review show.

use std::str::FromStr;

use domain::alert::{AlertContent, DeliveryClass};
use domain::approval_seal::{ApprovalSeal, Terms};
use domain::ids::AlertId;
use domain::outcome::Channel;
use platform::BoxError;
use platform::bus::understood;
use platform::database::Tx;
use platform::jobs::{Did, Job};
use platform::sweep::{GRACE, Sweep};
use proto::topology::{RESIDENT_CLOSED, RESIDENT_HELD, RESIDENT_RELEASED, RESIDENT_STOPPED};
use proto::{AlertClosed, AlertHeld, AlertReleased, AlertStopped, StopReason};
use uuid::Uuid;

use crate::{Error, Service, standing};

pub(crate) fn subscribe(service: &Service) -> Result<(), Error> {
    let bus = &service.platform.bus;
    let own = service.clone();
    bus.subscribe(&RESIDENT_RELEASED, 1, move |event: AlertReleased| {
        let service = own.clone();
        async move { Ok(released(&service, understood("alert id", event.alert_id.parse())?).await?) }
    })?;
    let own = service.clone();
    bus.subscribe(&RESIDENT_STOPPED, 1, move |event: AlertStopped| {
        let service = own.clone();
        async move {
            let by = understood("superseding alert", event.by_alert_id.as_deref().map(Uuid::from_str).transpose())?;
            let (state, by) = match event.how() {
                StopReason::Superseded => ("superseded", by),
                StopReason::Cancelled | StopReason::Unspecified => ("cancelled", None),
            };
            let end = End { state, by, reason: Some(&event.reason) };
            Ok(ended(&service, understood("alert id", event.alert_id.parse())?, &end).await?)
        }
    })?;
    let own = service.clone();
    bus.subscribe(&RESIDENT_HELD, 1, move |event: AlertHeld| {
        let service = own.clone();
        async move { Ok(checked(&service, understood("alert id", event.alert_id.parse())?).await?) }
    })?;
    let own = service.clone();
    bus.subscribe(&RESIDENT_CLOSED, 1, move |event: AlertClosed| {
        let service = own.clone();
        async move { Ok(ended(&service, understood("alert id", event.alert_id.parse())?, &CLOSED).await?) }
    })?;
    let own = service.clone();
    service.platform.jobs.register(&TAKE_OVER, move || {
        let service = own.clone();
        async move { sweep(&service).await }
    })?;
    Ok(())
}

pub(crate) const TAKE_OVER: Job = Job {
    name: "resident.take_over",
    cron: "20 * * * * *",
    about: "核对推送与审核记录：补上居民收件箱遗漏的弹窗和受众，撤下已结束的弹窗，标明正在核实的弹窗。",
    about_en: "Compares inboxes with dispatch and review: takes in alerts and audiences, takes out ended alerts, and marks those that are being checked, where no event has told.",
    at_start: false,
};

/// How an alert ended.
struct End<'a> {
    state: &'a str,
    by: Option<Uuid>,
    reason: Option<&'a str>,
}

const CLOSED: End<'static> = End { state: "closed", by: None, reason: None };

/// Takes over what dispatch and review show and no event has told.
async fn sweep(service: &Service) -> Result<Did, BoxError> {
    let (database, before) = (&service.platform.database, service.platform.clock.now() - GRACE);
    let missing = sqlx::query_scalar!(
        r#"select r.alert_id as "alert_id!" from dispatch.shown_alert r left join resident.alert a using (alert_id)
            where r.released_at < $1 and r.expires_at > $1 and r.audience_revision > coalesce(a.audience_revision, -1)
              and not exists (select from resident.stop s where s.alert_id = r.alert_id and coalesce(s.state, 'closed') = 'closed')"#,
        before
    )
    .fetch_all(database.pool())
    .await?;
    let over = sqlx::query!(
        r#"select a.alert_id, r.state as "how!", r.superseded_by, r.stop_reason
             from resident.alert a join review.alert_standing r using (alert_id)
            where a.state = 'live' and r.state in ('cancelled', 'superseded') and r.changed_at < $1
           union all
           select a.alert_id, 'closed', null, null from resident.alert a join dispatch.alert_progress p using (alert_id)
            where a.state = 'live' and p.state = 'closed' and p.ended_at < $1"#,
        before
    )
    .fetch_all(database.pool())
    .await?;
    let held = sqlx::query_scalar!(
        r#"select a.alert_id from resident.alert a join review.alert_standing r using (alert_id)
            where a.state = 'live' and r.state in ('approved', 'dispatching', 'active') and a.checked_since is distinct from r.held_at
              and r.changed_at < $1"#,
        before
    )
    .fetch_all(database.pool())
    .await?;
    // a process that died in between, or one of the version before, has opened nothing
    let leaves_nothing_yet = sqlx::query_scalar!(
        r#"select a.alert_id from resident.alert a join rules.leaves_standing using (alert_id)
            where a.state = 'live' and a.content ->> 'status' = 'actual' and a.released_at < $1 and a.expires_at > $1
              and not exists (select from resident.standing_terms t where t.alert_id = a.alert_id)"#,
        before
    )
    .fetch_all(database.pool())
    .await?;
    let mut sweep = Sweep::of("resident");
    for alert in leaves_nothing_yet.into_iter().map(AlertId::from_uuid) {
        sweep.take_over("standing", alert, leave_standing(service, alert)).await;
    }
    for alert in missing.into_iter().map(AlertId::from_uuid) {
        sweep.take_over("release", alert, released(service, alert)).await;
    }
    for alert in held.into_iter().map(AlertId::from_uuid) {
        sweep.take_over("check", alert, checked(service, alert)).await;
    }
    for row in over {
        let (Some(alert), what) = (row.alert_id.map(AlertId::from_uuid), if row.how == "closed" { "close" } else { "stop" }) else {
            continue;
        };
        let end = End { state: &row.how, by: row.superseded_by, reason: row.stop_reason.as_deref() };
        sweep.take_over(what, alert, ended(service, alert, &end)).await;
    }
    sweep.done()
}

/// Copies the alert with its audience, so that inboxes need nothing of dispatch. While a large area is being planned the
/// event comes again and again, each time with the larger audience; and once more when everybody is told, since then it is known when the
/// silent are reminded.
async fn released(service: &Service, alert: AlertId) -> Result<(), Error> {
    let mut tx = service.platform.database.begin().await?;
    one_at_a_time(&mut tx, alert).await?;
    if !is_as_approved(&mut tx, alert).await? {
        return Ok(());
    }
    let rows = sqlx::query!(
        "insert into resident.alert (alert_id, short_code, content, audience, released_at, expires_at, ack_by, audience_revision, growing,
                                     state, superseded_by, stop_reason, checked_since)
         select d.alert_id, d.short_code, d.content, d.audience_bitmap, d.released_at, d.expires_at, d.ack_by, d.audience_revision,
                exists (select from dispatch.growing_alert where alert_id = $1),
                coalesce(s.state, d.state), coalesce(s.superseded_by, d.superseded_by), coalesce(s.reason, d.stop_reason),
                (select r.held_at from review.alert_standing r where r.alert_id = $1)
         from dispatch.shown_alert d left join resident.stop s on s.alert_id = d.alert_id
         where d.alert_id = $1 and (s.alert_id is null or s.state in ('cancelled', 'superseded'))
         on conflict (alert_id) do update
             set audience = excluded.audience, ack_by = excluded.ack_by, audience_revision = excluded.audience_revision,
                 growing = excluded.growing, revision = nextval('resident.alert_revision')
             where (resident.alert.audience, resident.alert.ack_by, resident.alert.audience_revision, resident.alert.growing)
                 is distinct from (excluded.audience, excluded.ack_by, excluded.audience_revision, excluded.growing)",
        alert.uuid()
    )
    .execute(&mut *tx)
    .await
    .map_err(Error::database("taking an alert into inboxes"))?
    .rows_affected();
    tx.commit().await?;
    leave_standing(service, alert).await?;
    // where it corrects another, what stands by that stands by this
    standing::follow(service, alert).await?;
    tracing::info!(%alert, changed = rows == 1, "alert in inboxes");
    Ok(())
}

/// Whether what inboxes would show is what was approved ([`domain::approval_seal`]): asked when an alert is taken in, since what it says is taken in once.
async fn is_as_approved(tx: &mut Tx, alert: AlertId) -> Result<bool, Error> {
    let row = sqlx::query!(
        r#"select class as "class!", content as "content!", seal as "seal!" from dispatch.shown_alert
            where alert_id = $1 and seal is not null and not exists (select from resident.alert where alert_id = $1)"#,
        alert.uuid()
    )
    .fetch_optional(&mut **tx)
    .await
    .map_err(Error::database("reading what was approved"))?;
    // it is there already, or was approved before there were seals
    let Some(row) = row else { return Ok(true) };
    let content: AlertContent = serde_json::from_value(row.content).map_err(Error::stored_alert("content", alert))?;
    let seal: ApprovalSeal = serde_json::from_value(row.seal).map_err(Error::stored_alert("seal", alert))?;
    let same_terms = row.class.parse().is_ok_and(|class: DeliveryClass| seal.unlike_terms(&Terms::of(class, &content)).is_none());
    let same = same_terms && seal.unlike_words(&content, Channel::App).is_empty();
    if !same {
        metrics::counter!("resident_unlike_approved_total").increment(1);
        tracing::error!(%alert, "what inboxes would show is not what was approved: they do not show it");
    }
    Ok(same)
}

/// Opens what stands against people by it, once it is in inboxes.
async fn leave_standing(service: &Service, alert: AlertId) -> Result<(), Error> {
    let mut tx = service.platform.database.begin().await?;
    standing::opening::open(&mut tx, alert, service.platform.clock.now()).await?;
    Ok(tx.commit().await?)
}

/// Says beside an alert that it is being checked, or no longer: as review shows it, whichever event came last.
async fn checked(service: &Service, alert: AlertId) -> Result<(), Error> {
    let mut tx = service.platform.database.begin().await?;
    one_at_a_time(&mut tx, alert).await?;
    sqlx::query!(
        "update resident.alert a set checked_since = r.held_at, revision = nextval('resident.alert_revision') from review.alert_standing r
          where a.alert_id = $1 and r.alert_id = $1 and a.state = 'live' and a.checked_since is distinct from r.held_at",
        alert.uuid()
    )
    .execute(&mut *tx)
    .await
    .map_err(Error::database("noting that an alert is being checked"))?;
    tx.commit().await?;
    Ok(())
}

async fn ended(service: &Service, alert: AlertId, end: &End<'_>) -> Result<(), Error> {
    let mut tx = service.platform.database.begin().await?;
    one_at_a_time(&mut tx, alert).await?;
    sqlx::query!(
        "insert into resident.stop (alert_id, stopped_at, state, superseded_by, reason) values ($1, $2, $3, $4, $5)
         on conflict (alert_id) do nothing",
        alert.uuid(),
        service.platform.clock.now(),
        end.state,
        end.by,
        end.reason
    )
    .execute(&mut *tx)
    .await
    .map_err(Error::database("keeping the end of an alert"))?;
    sqlx::query!(
        "update resident.alert set state = $2, superseded_by = $3, stop_reason = $4, checked_since = null, revision = nextval('resident.alert_revision')
         where alert_id = $1 and state = 'live'",
        alert.uuid(),
        end.state,
        end.by,
        end.reason
    )
    .execute(&mut *tx)
    .await
    .map_err(Error::database("taking an alert out of inboxes"))?;
    tx.commit().await?;
    standing::follow(service, alert).await?;
    tracing::info!(%alert, state = end.state, "alert left inboxes");
    Ok(())
}

/// Release and end of one alert wait for each other; otherwise neither might see what the other writes.
async fn one_at_a_time(tx: &mut Tx, alert: AlertId) -> Result<(), Error> {
    sqlx::query!("select pg_advisory_xact_lock(hashtextextended('resident.alert:' || $1, 0))", alert.to_string())
        .execute(&mut **tx)
        .await
        .map_err(Error::database("waiting for an alert"))?;
    Ok(())
}
