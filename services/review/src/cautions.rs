//! What whoever sends an alert has to know beforehand: shown with the alert, and asked again before it is approved, so that nothing is
//! approved into the void, or into the night, by mistake.

use chrono::{DateTime, Utc};
use domain::alert::DeliveryClass;
use domain::alert_state::{self, Action};
use domain::audience::Audience;
use domain::before_sending::{Caution, Sending};
use domain::cap::Status;
use domain::headcount::HeadCount;
use domain::ids::AlertId;
use platform::http::StaffCaller;

use crate::actor::actor_for;
use crate::store::Alert;
use crate::{Error, Service, conflicts, reading};

/// How this alert would be sent from now on, in a class.
pub(crate) fn sending<'a>(service: &'a Service, alert: &Alert, class: DeliveryClass, now: DateTime<Utc>) -> Sending<'a> {
    Sending {
        class,
        now,
        quiet_hours: &service.quiet_hours,
        signature: &service.signature,
        short_code: alert.short_code.parse().ok(),
        personal: matches!(alert.audience, Audience::Residents(_)),
    }
}

/// Refuses a step that sends, taken on this version, while something has to be known that `known` does not name. Whether the step is
/// permitted at all is judged where it is taken. An alert is not held up because people cannot be counted.
///
/// Says for how many people the alert is; none: they could not be counted. People are counted on a connection of their own, so this is not to be
/// asked inside a transaction.
pub(crate) async fn check(
    service: &Service,
    caller: &StaffCaller,
    alert: &Alert,
    action: Action,
    known: &[Caution],
) -> Result<Option<u64>, Error> {
    /// A step that is refused where it is taken tells nobody anything.
    const REFUSED: Option<u64> = Some(0);
    let now = service.platform.clock.now();
    let Ok(decision) = alert_state::next(alert.state, action, &alert.participants, &actor_for(caller, alert), "") else {
        return Ok(REFUSED);
    };
    let sending = sending(service, alert, decision.class.unwrap_or(alert.class), now);
    if !reading::may_see(caller, alert) || alert.content.check_sending(&sending).is_err() {
        return Ok(REFUSED);
    }
    let is_news = |caution: &Caution| caution.must_be_confirmed() && !known.contains(caution);
    match alert.content.cautions(&sending).into_iter().find(is_news) {
        Some(Caution::CutByQuietHours) => return Err(Error::CutByQuietHours),
        Some(Caution::NoReminder) => return Err(Error::NoReminder),
        // counted below, of no weight, or asked where the step is taken
        Some(
            Caution::ReachesNobody | Caution::ContradictsAnother | Caution::OtherLanguage | Caution::OpenComments | Caution::ClaimedByOther,
        )
        | None => {}
    }
    if !known.contains(&Caution::ContradictsAnother) {
        let mut connection = service.platform.database.pool().acquire().await.map_err(Error::database("taking a connection"))?;
        if let Some(conflict) = conflicts::contradiction(&mut connection, alert, now).await? {
            return Err(Error::ContradictsAnother(Box::new(conflict)));
        }
    }
    let counts = match service.headcount.of_audience(&alert.audience).await {
        Ok(counts) if alert.content.status == Status::Exercise => counts.drill,
        Ok(counts) => counts.everybody,
        Err(error) => {
            uncounted(alert.id, &error);
            return Ok(None);
        }
    };
    if counts.app + counts.sms == 0 && !known.contains(&Caution::ReachesNobody) {
        return Err(Error::ReachesNobody { people: HeadCount::of(counts.people.max(0).unsigned_abs()) });
    }
    Ok(Some(counts.people.unsigned_abs()))
}

fn uncounted(alert: AlertId, error: &resident::Error) {
    tracing::warn!(%alert, error = platform::tasks::chain(error), "an audience was not counted before its alert was approved");
}
