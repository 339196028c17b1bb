//! Whether there is anybody whom an alert would reach: asked before it is approved, so that nothing is approved into the void by
//! mistake.

use domain::alert_state::{self, Action};
use domain::cap::Status;
use domain::ids::AlertId;
use platform::http::StaffCaller;

use crate::actor::actor;
use crate::store::Alert;
use crate::{Error, Service, reading};

/// Refuses a step that sends, taken on this version, while neither app nor SMS reaches anybody in the audience. Whether the step is
/// permitted at all is judged where it is taken. An alert is not held up because people cannot be counted.
///
/// People are counted on a connection of their own, so this is not to be asked inside a transaction.
pub(crate) async fn check(service: &Service, caller: &StaffCaller, alert: &Alert, action: Action) -> Result<(), Error> {
    let now = service.platform.clock.now();
    let comes_to_it = reading::may_see(caller, alert)
        && alert_state::next(alert.state, action, &alert.participants, &actor(caller), "").is_ok()
        && alert.content.validate(now).is_ok();
    if !comes_to_it {
        return Ok(());
    }
    let counts = match service.headcount.of_audience(&alert.audience).await {
        Ok(counts) if alert.content.status == Status::Exercise => counts.drill,
        Ok(counts) => counts.everybody,
        Err(error) => {
            uncounted(alert.id, &error);
            return Ok(());
        }
    };
    if counts.app + counts.sms > 0 { Ok(()) } else { Err(Error::ReachesNobody { people: counts.people }) }
}

fn uncounted(alert: AlertId, error: &resident::Error) {
    tracing::warn!(%alert, error = platform::tasks::chain(error), "an audience was not counted before its alert was approved");
}
