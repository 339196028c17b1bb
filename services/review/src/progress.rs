//! What dispatch reports: released, handed over, closed.
//!
//! Events may be repeated and may overtake each other; a step that the table no longer permits has been taken already.

use std::str::FromStr;

use chrono::{DateTime, Utc};
use domain::alert_state::{self, Action, Actor};
use domain::ids::AlertId;
use platform::BoxError;
use proto::topology::{REVIEW_CLOSED, REVIEW_HANDED_OVER, REVIEW_RELEASED};
use proto::{AlertClosed, AlertHandedOver, AlertReleased};

use crate::store::{self, Step};
use crate::{Error, Service};

pub(crate) fn subscribe(service: &Service) -> Result<(), Error> {
    let bus = &service.platform.bus;
    let own = service.clone();
    bus.subscribe(&REVIEW_RELEASED, 1, move |event: AlertReleased| {
        let service = own.clone();
        async move { advance(&service, &event.alert_id, Action::Release, None).await }
    })?;
    let own = service.clone();
    bus.subscribe(&REVIEW_HANDED_OVER, 1, move |event: AlertHandedOver| {
        let service = own.clone();
        async move { advance(&service, &event.alert_id, Action::HandedOver, DateTime::from_timestamp_millis(event.at_ms)).await }
    })?;
    let own = service.clone();
    bus.subscribe(&REVIEW_CLOSED, 1, move |event: AlertClosed| {
        let service = own.clone();
        async move { advance(&service, &event.alert_id, Action::Close, DateTime::from_timestamp_millis(event.at_ms)).await }
    })?;
    Ok(())
}

/// Takes the step as of the time when it happened, where the event says when: it may have waited on the bus.
async fn advance(service: &Service, alert: &str, action: Action, at: Option<DateTime<Utc>>) -> Result<(), BoxError> {
    let mut tx = service.platform.database.begin().await?;
    let mut alert = store::load(&mut tx, AlertId::from_str(alert)?, true).await?;
    let Ok(decision) = alert_state::next(alert.state, action, &alert.participants, &Actor::System, "") else {
        tx.rollback().await?;
        return Ok(());
    };
    let from = alert.state;
    alert.step(action, decision, at.unwrap_or_else(|| service.platform.clock.now()));
    store::save(&mut tx, &mut alert).await?;
    store::record(&mut tx, &alert, Step::of_platform(action.as_ref(), from)).await?;
    tx.commit().await?;
    service.changed.wake();
    Ok(())
}
