//! What became of a draft in review: whom it gathered were told by it, or it came to nothing and they count as not told.
//!
//! A draft that is refused, thrown away or cancelled gives its people back, so that the next record about them is not passed over in a
//! cooldown from a message that nobody received. One that nobody decides about gives them back when its validity ends.

use domain::ids::AlertId;
use platform::bus::understood;
use proto::DraftSettled;
use proto::topology::RULES_SETTLED;

use crate::{Error, Service};

pub(crate) fn subscribe(service: &Service) -> Result<(), Error> {
    let own = service.clone();
    service.platform.bus.subscribe(&RULES_SETTLED, 1, move |event: DraftSettled| {
        let service = own.clone();
        async move { Ok(settle(&service, understood("draft id", event.draft_id.parse())?, event.approved).await?) }
    })?;
    Ok(())
}

async fn settle(service: &Service, draft: AlertId, approved: bool) -> Result<(), Error> {
    let pool = service.platform.database.pool();
    let people = if approved {
        sqlx::query!("update rules.alerted set lapses_at = null where draft_id = $1", draft.uuid()).execute(pool).await
    } else {
        sqlx::query!("delete from rules.alerted where draft_id = $1", draft.uuid()).execute(pool).await
    };
    let people = people.map_err(Error::database("settling the cooldown of a draft"))?.rows_affected();
    if !approved {
        metrics::counter!("rules_cooldown_given_back_total").increment(people);
    }
    tracing::info!(%draft, approved, people, "draft settled");
    Ok(())
}
