//! News about what stands: a record that lifts, a record that ended, an alert that was withdrawn for some. Each may come twice, in any order, and before the
//! alert: what it says is read where it is shown, and settled for whoever stands.

use domain::ids::AlertId;
use domain::standing::LONGEST;
use platform::bus::understood;
use platform::database::Tx;
use proto::topology::{RESIDENT_LIFTING, RESIDENT_RECORDS_ENDED, RESIDENT_WITHDRAWN_FOR};
use proto::{AlertWithdrawnFor, LiftingRecordsChanged, RecordsBehindAlertEnded};

use super::places::{follow, share};
use super::{opening, settling};
use crate::{Error, Service};

/// Loads are evaluated side by side, and what they lift is as well.
const LOADS_AT_ONCE: usize = 2;

pub(crate) fn subscribe(service: &Service) -> Result<(), Error> {
    let bus = &service.platform.bus;
    let own = service.clone();
    bus.subscribe(&RESIDENT_LIFTING, LOADS_AT_ONCE, move |event: LiftingRecordsChanged| {
        let service = own.clone();
        async move { Ok(lifting(&service, &event.residents).await?) }
    })?;
    let own = service.clone();
    bus.subscribe(&RESIDENT_RECORDS_ENDED, 1, move |event: RecordsBehindAlertEnded| {
        let service = own.clone();
        async move {
            let people: Vec<i32> = event.entries.iter().filter_map(|entry| entry.resident_no).map(u32::cast_signed).collect();
            Ok(ended(&service, understood("alert id", event.alert_id.parse())?, &people).await?)
        }
    })?;
    let own = service.clone();
    bus.subscribe(&RESIDENT_WITHDRAWN_FOR, 1, move |event: AlertWithdrawnFor| {
        let service = own.clone();
        async move { Ok(follow(&service, understood("alert id", event.alert_id.parse())?).await?) }
    })?;
    Ok(())
}

/// Records that may lift something of these people came or ended. Mostly nothing stands against them: then it is one question.
async fn lifting(service: &Service, people: &[u32]) -> Result<(), Error> {
    let people: Vec<i32> = people.iter().map(|no| no.cast_signed()).collect();
    let mut tx = service.platform.database.begin().await?;
    share(&mut tx).await?;
    let ids = sqlx::query_scalar!(
        "select standing_id from resident.standing join resident.standing_terms using (alert_id)
          where (resident_no = any($1) or named_no = any($1)) and clause is not null
            -- of what is older some samples are forgotten: it stays as it was settled last
            and (since is null or since > $2) order by standing_id",
        &people,
        service.platform.clock.now() - LONGEST
    )
    .fetch_all(&mut *tx)
    .await
    .map_err(Error::database("finding what a record may lift"))?;
    settling::settle(&mut tx, &ids, service.platform.clock.now()).await?;
    Ok(tx.commit().await?)
}

/// Records that brought these people into the alert ended, or were corrected.
async fn ended(service: &Service, alert: AlertId, people: &[i32]) -> Result<(), Error> {
    let mut tx = service.platform.database.begin().await?;
    share(&mut tx).await?;
    let ids = standings(&mut tx, alert, people).await?;
    if !ids.is_empty() {
        let says_place = opening::says_place(&mut tx, alert).await?;
        opening::evidence(&mut tx, &ids, says_place).await?;
        settling::settle(&mut tx, &ids, service.platform.clock.now()).await?;
    }
    Ok(tx.commit().await?)
}

async fn standings(tx: &mut Tx, alert: AlertId, people: &[i32]) -> Result<Vec<i64>, Error> {
    sqlx::query_scalar!(
        "select standing_id from resident.standing where named_no = any($2) and alert_id = $1 order by standing_id",
        alert.uuid(),
        people
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(Error::database("finding who stands by ended records"))
}
