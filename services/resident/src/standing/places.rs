//! Which alert stands in the place of the one that opened a standing: a correction takes it over, for those whom it still names.

use std::collections::HashMap;

use domain::ids::AlertId;
use domain::standing::Happened;
use platform::database::Tx;
use roaring::RoaringBitmap;
use uuid::Uuid;

use super::{LOCK, TOGETHER, settling};
use crate::{Error, Service};

/// Somebody who stands by an alert.
pub(super) struct Person {
    pub(super) standing: i64,
    /// As whom the alert named them.
    pub(super) named: i32,
    pub(super) alert: Uuid,
}

/// What stands in the place of an alert now.
enum Last {
    /// Itself, or a correction that is not known here yet: nothing has become of it.
    Holds,
    /// A correction for these.
    For(RoaringBitmap),
    /// It was withdrawn, or the correction was.
    Withdrawn,
}

/// Of whom the alert, or what took its place, was withdrawn; standings and what happened to them.
pub(super) async fn withdrawn(tx: &mut Tx, alerts: &[Uuid], people: &[Person]) -> Result<Vec<(i64, Happened)>, Error> {
    let (last, links) = places(tx, alerts).await?;
    let mut happened: Vec<(i64, Happened)> = people
        .iter()
        .filter_map(|person| match last.get(&person.alert)? {
            Last::Holds => None,
            Last::For(audience) if audience.contains(person.named.cast_unsigned()) => None,
            Last::For(_) => Some((person.standing, Happened::WithdrawnForPerson)),
            Last::Withdrawn => Some((person.standing, Happened::AlertWithdrawn)),
        })
        .collect();
    let (origins, taken): (Vec<Uuid>, Vec<Uuid>) = links.into_iter().unzip();
    let (standings, numbers): (Vec<i64>, Vec<i32>) = people.iter().map(|person| (person.standing, person.named)).unzip();
    let by: Vec<Uuid> = people.iter().map(|person| person.alert).collect();
    let for_them = sqlx::query_scalar!(
        r#"select distinct person.standing_id as "standing_id!"
             from unnest($1::bigint[], $2::int[], $3::uuid[]) as person (standing_id, resident_no, origin)
             join unnest($4::uuid[], $5::uuid[]) as link (origin, alert_id) using (origin)
             join review.withdrawn_for w on w.alert_id = link.alert_id and w.resident_no = person.resident_no"#,
        &standings,
        &numbers,
        &by,
        &origins,
        &taken
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(Error::database("reading for whom alerts were withdrawn"))?;
    happened.extend(for_them.into_iter().map(|standing| (standing, Happened::WithdrawnForPerson)));
    Ok(happened)
}

/// What stands in the place of each alert, and every alert that did: itself and the corrections after it.
async fn places(tx: &mut Tx, alerts: &[Uuid]) -> Result<(HashMap<Uuid, Last>, Vec<(Uuid, Uuid)>), Error> {
    let rows = sqlx::query!(
        r#"with recursive chain as (
               select alert_id as origin, alert_id, state, superseded_by, 0 as depth from resident.alert where alert_id = any($1)
                union all
               select c.origin, a.alert_id, a.state, a.superseded_by, c.depth + 1
                 from chain c join resident.alert a on a.alert_id = c.superseded_by where c.depth < 100
           )
           select origin as "origin!", alert_id as "alert_id!", state as "state!", depth as "depth!" from chain order by origin, depth"#,
        alerts
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(Error::database("following corrections"))?;
    let links = rows.iter().map(|row| (row.origin, row.alert_id)).collect();
    // of the rows of one alert the deepest comes last
    let newest: HashMap<Uuid, (Uuid, String, i32)> =
        rows.into_iter().map(|row| (row.origin, (row.alert_id, row.state, row.depth))).collect();
    let corrections: Vec<Uuid> = newest.values().filter(|(_, _, depth)| *depth > 0).map(|(alert, ..)| *alert).collect();
    let audiences = audiences(tx, &corrections).await?;
    let last = newest.into_iter().map(|(origin, (alert, state, _))| {
        let last = match audiences.get(&alert) {
            _ if matches!(state.as_str(), "cancelled" | "all_clear") => Last::Withdrawn,
            // one that was corrected in its turn, by what has not come yet, says nothing any more
            Some(audience) if state != "superseded" => Last::For(audience.clone()),
            _ => Last::Holds,
        };
        (origin, last)
    });
    Ok((last.collect(), links))
}

/// For whom corrections are that are planned to their end; of one that is not nobody can say who is left out.
async fn audiences(tx: &mut Tx, corrections: &[Uuid]) -> Result<HashMap<Uuid, RoaringBitmap>, Error> {
    let rows = sqlx::query!("select alert_id, audience from resident.alert where alert_id = any($1) and not growing", corrections)
        .fetch_all(&mut **tx)
        .await
        .map_err(Error::database("reading for whom corrections are"))?;
    rows.into_iter()
        .map(|row| {
            let alert = AlertId::from_uuid(row.alert_id);
            let audience = RoaringBitmap::deserialize_from(&row.audience[..]).map_err(Error::stored_alert("audience", alert))?;
            Ok((row.alert_id, audience))
        })
        .collect()
}

/// Settles what stands by an alert, or by one whose place it has taken: it came, or it ended.
pub(crate) async fn follow(service: &Service, alert: AlertId) -> Result<(), Error> {
    let mut after = 0;
    loop {
        let now = service.platform.clock.now();
        let mut tx = service.platform.database.begin().await?;
        share(&mut tx).await?;
        let ids = standings_of(&mut tx, alert, after).await?;
        let Some(last) = ids.last() else { return Ok(tx.rollback().await?) };
        after = *last;
        settling::settle(&mut tx, &ids, now).await?;
        tx.commit().await?;
    }
}

async fn standings_of(tx: &mut Tx, alert: AlertId, after: i64) -> Result<Vec<i64>, Error> {
    sqlx::query_scalar!(
        r#"with recursive back as (
               select $1::uuid as alert_id, 0 as depth
                union all
               select a.alert_id, b.depth + 1 from back b join resident.alert a on a.superseded_by = b.alert_id where b.depth < 100
           )
           select s.standing_id as "standing_id!" from back join resident.standing s using (alert_id)
            where s.standing_id > $2 order by s.standing_id limit $3"#,
        alert.uuid(),
        after,
        TOGETHER
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(Error::database("finding what stands by an alert"))
}

/// Waits for openings, and lets none begin until the transaction ends: what they read before is theirs to see.
pub(super) async fn share(tx: &mut Tx) -> Result<(), Error> {
    sqlx::query!("select pg_advisory_xact_lock_shared($1)", LOCK)
        .execute(&mut **tx)
        .await
        .map_err(Error::database("waiting for standings being opened"))?;
    Ok(())
}
