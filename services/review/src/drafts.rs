//! Drafts that rules gathered.
//!
//! A draft that misses nothing goes to the district at once: the officer who activated its rule answers for it as its
//! submitter, so three different people still see every alert. One that misses something, or whose text has a fault, waits
//! for somebody to complete it.

use std::str::FromStr;

use domain::alert_state::{self, Action, Actor, Participants};
use domain::area::DistrictCode;
use domain::audience::Audience;
use platform::BoxError;
use platform::bus::understood;
use proto::DraftGathered;
use proto::topology::REVIEW_DRAFTS;
use uuid::Uuid;

use crate::store::{self, Alert, Step};
use crate::{Error, Service, cautions};

pub(crate) fn subscribe(service: &Service) -> Result<(), Error> {
    let own = service.clone();
    service.platform.bus.subscribe(&REVIEW_DRAFTS, 2, move |event: DraftGathered| {
        let service = own.clone();
        async move { gathered(&service, event).await }
    })?;
    Ok(())
}

async fn gathered(service: &Service, event: DraftGathered) -> Result<(), BoxError> {
    let now = service.platform.clock.now();
    let district = understood("district", DistrictCode::try_from(event.district))?;
    let (draft_id, activated_by) = (understood("draft id", event.draft_id.parse())?, understood("officer", event.activated_by.parse())?);
    let rule_id = understood("rule id", Uuid::from_str(&event.rule_id))?;
    let content: domain::alert::AlertContent = serde_json::from_str(&event.content_json)?;
    let participants = Participants::gathered_by_rule(activated_by, district, true);
    let mut alert = Alert::draft(draft_id, content, Audience::from_bytes(&event.audience)?, participants, now);
    let complete = event.missing.is_empty() && alert.content.check_sending(&cautions::sending(service, &alert, alert.class, now)).is_ok();
    alert.participants = Participants::gathered_by_rule(activated_by, district, complete);
    alert.rule = Some((rule_id, event.rule_version.cast_signed()));
    alert.records = event.records.cast_signed();
    alert.missing = event.missing;
    alert.involved = event.involved.iter().map(|staff| understood("member of staff", staff.parse())).collect::<Result<_, _>>()?;

    let mut tx = service.platform.database.begin().await?;
    if !store::insert(&mut tx, &alert).await? {
        tx.rollback().await?;
        return Ok(());
    }
    store::record(&mut tx, &alert, Step::of_platform("gathered", alert.state).writing()).await?;
    if let Ok(decision) = alert_state::next(alert.state, Action::Submit, &alert.participants, &Actor::System, "") {
        let from = alert.state;
        alert.step(Action::Submit, decision, now);
        store::save(&mut tx, &mut alert).await?;
        store::record(&mut tx, &alert, Step::of_platform(Action::Submit.as_ref(), from)).await?;
    }
    tx.commit().await?;
    service.changed.wake();
    tracing::info!(alert = %alert.id, state = alert.state.as_ref(), records = alert.records, "draft gathered");
    metrics::counter!("alerts_drafted_total", "by" => "rule").increment(1);
    Ok(())
}
