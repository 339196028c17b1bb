//! Taking back what people have, in one step and by two people (CQ2, CQ12): that it was false, that it is over, what is right instead.
//!
//! The words stand ready beside every alert that people have ([`shown`]). One person asks for one of them ([`asking`]), another confirms it
//! ([`deciding`]); who may is `domain::retraction`'s, and who is there to do it now stands in the [`playbook`]. What is confirmed is what both were
//! shown: the words are kept when they are asked for, dispatch and screens send these and no others.
//!
//! One person alone stops an alert at any moment ([`stop`]): from the commit on nothing more of it is sent, and nothing of it is lost. People are told
//! nothing new by that; their inbox and the screens say that it is being checked.
//!
//! Everything happens under the lock of the alert, so of two who decide in the same second one wins, and the other is told what it has become.

mod asking;
mod deciding;
mod kept;
mod playbook;
mod shown;

use chrono::{DateTime, Utc};
use domain::alert_state::{Action, State};
use domain::ids::AlertId;
use domain::public_reason::PublicReason;
use domain::retraction::{Kind, Progress, Standing};
use platform::database::{Connection, Tx};
use platform::http::{Routes, StaffCaller};
use proto::AlertHeld;

pub(crate) use kept::{WaitingLine, waiting, waiting_everywhere};

use crate::store::{self, Alert, Held, Step};
use crate::{Error, SCHEMA, Service, trace};
use asking::Wish;

pub(crate) fn routes() -> Routes<Service> {
    shown::routes().merge(asking::routes()).merge(deciding::routes()).merge(playbook::routes())
}

/// Whether somebody may have the alert, in the hand, in the inbox or on a screen. Where dispatch has more than review has heard of, dispatch is right.
pub(crate) async fn is_handed(connection: &mut Connection, alert: &Alert) -> Result<bool, Error> {
    match alert.state {
        State::Dispatching | State::Active | State::Closed | State::Superseded => Ok(true),
        _ if alert.approved_at.is_none() => Ok(false),
        _ => sqlx::query_scalar!(
            r#"select exists (select from dispatch.alert_progress where alert_id = $1 and released_at is not null) as "handed!""#,
            alert.id.uuid()
        )
        .fetch_one(connection)
        .await
        .map_err(Error::database("asking whether anybody has an alert")),
    }
}

/// The alert, as the rules about taking back know it.
pub(crate) fn standing(alert: &Alert, handed: bool) -> Standing {
    Standing { state: alert.state, district: alert.participants.district, handed, expires_at: alert.content.expires_at }
}

/// Stops an alert, as the caller has decided and may, and asks for its withdrawal, unless a word about it waits already.
pub(crate) async fn stop(
    service: &Service,
    tx: &mut Tx,
    alert: &mut Alert,
    caller: &StaffCaller,
    reason: Option<&str>,
    public_reason: Option<PublicReason>,
) -> Result<(), Error> {
    if alert.held.is_some() {
        return Err(Error::HeldAlready);
    }
    let now = service.platform.clock.now();
    alert.held = Some(Held { at: now, by: caller.id });
    changed(tx, alert, caller, Action::Stop.as_ref(), reason, public_reason, now).await?;
    tell_of_check(tx, alert.id).await?;
    metrics::counter!("alerts_stopped_total", "class" => alert.class.as_ref().to_owned()).increment(1);
    tracing::warn!(alert = %alert.id, "alert stopped: nothing more of it is sent");
    if waiting(tx, alert.id, false).await?.is_none() {
        let wish = Wish { kind: Kind::Withdraw, reason: reason.unwrap_or_default(), public_reason, content: None, by_stop: true };
        match asking::open(service, tx, alert, caller, wish).await {
            // its validity ends in this moment: there is nothing to take back any more
            Err(Error::Retraction(domain::retraction::Refusal::NotStanding { .. })) => {}
            opened => opened?,
        }
    }
    Ok(())
}

/// Lets an alert go on that was stopped, as the caller has decided and may. Not while a word about it waits: that is decided about first.
pub(crate) async fn resume(
    service: &Service,
    tx: &mut Tx,
    alert: &mut Alert,
    caller: &StaffCaller,
    reason: Option<&str>,
) -> Result<(), Error> {
    if alert.held.is_none() {
        return Err(Error::NotHeld);
    }
    if waiting(tx, alert.id, false).await?.is_some() {
        return Err(Error::RetractionWaits);
    }
    alert.held = None;
    changed(tx, alert, caller, Action::Resume.as_ref(), reason, None, service.platform.clock.now()).await?;
    tell_of_check(tx, alert.id).await?;
    tracing::info!(alert = %alert.id, "alert goes on");
    Ok(())
}

/// What waits about an alert that has ended in another way waits no longer.
pub(crate) async fn end_waiting(tx: &mut Tx, alert: AlertId, how: Progress, now: DateTime<Utc>) -> Result<(), Error> {
    if let Some(waiting) = waiting(tx, alert, true).await? {
        kept::decide(tx, &waiting, how, None, now).await?;
    }
    Ok(())
}

async fn tell_of_check(tx: &mut Tx, alert: AlertId) -> Result<(), Error> {
    Ok(tx.publish(SCHEMA, &AlertHeld { alert_id: alert.to_string() }).await?)
}

/// Writes the alert back as what the caller has done to it, with its line in the history and in the trail.
async fn changed(
    tx: &mut Tx,
    alert: &mut Alert,
    caller: &StaffCaller,
    action: &str,
    reason: Option<&str>,
    public_reason: Option<PublicReason>,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    let from = alert.state;
    changed_from(tx, alert, caller, (action, from), reason, public_reason, now).await
}

/// The same for a step that has led to another state.
async fn changed_from(
    tx: &mut Tx,
    alert: &mut Alert,
    caller: &StaffCaller,
    (action, from): (&str, State),
    reason: Option<&str>,
    public_reason: Option<PublicReason>,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    alert.changed_at = now;
    store::save(tx, alert).await?;
    store::record(tx, alert, Step { public_reason, ..Step::of(caller.id, action, from, reason) }).await?;
    trace::leave(tx, caller, action, alert, reason).await
}
