//! What is done about people who are in an alert by a record that holds no longer.

use std::collections::BTreeSet;

use axum::extract::State as Shared;
use domain::alert_state;
use domain::audience::Audience;
use domain::ids::AlertId;
use domain::record_life::{Remedy, remedies};
use domain::second_factor::Act;
use domain::staff::Role;
use platform::database::Tx;
use platform::http::{Access, FieldFault, Json, Path, Problem, Routes, StaffCaller, routes};
use roaring::RoaringBitmap;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::actor::actor;
use crate::reading::{self, AlertDetail};
use crate::store::{self, Alert, Step};
use crate::{Error, Service, reason, trace, withdrawal, writing};

/// Who checks facts and measures.
const DECIDING: &[Role] = &[Role::CityCommandOfficer, Role::DistrictReviewer];
/// Records decided about at once.
const MOST: usize = 10_000;

pub(super) fn routes() -> Routes<Service> {
    Routes::new("review").allow(Access::Staff(DECIDING), routes!(decide))
}

/// What is done about whom some records brought into an alert.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct RemedyRequest {
    /// The version that was looked at.
    version: i32,
    /// The records, by their numbers among those that ended behind this alert.
    records: Vec<i64>,
    remedy: Remedy,
    /// Why, in at most 500 characters; that it stands, or is withdrawn for somebody, needs it.
    #[serde(default)]
    reason: String,
}

/// Decide about records behind an alert that were corrected or taken back
///
/// `leave_out` takes the people whom they name out of the audience of an alert that is not approved yet. `withdraw` withdraws an alert that
/// stands for them alone: who was told is told that it does not hold for them, who was not is not told;
/// corrections of it that wait leave them out. `correct` writes a correction of
/// an alert that stands, for everybody but them; the answer is its draft, and when it is approved those left out are told that the old one
/// does not hold for them. `stand` leaves the alert as it is, and says why.
#[utoipa::path(post, path = "/api/v1/alerts/{alert_id}/ended-records", operation_id = "decide_about_ended_records",
    params(("alert_id" = AlertId, Path, description = "The alert")), request_body = RemedyRequest,
    responses((status = 200, description = "Decided; the alert, or its correction", body = AlertDetail)))]
async fn decide(
    Shared(service): Shared<Service>,
    caller: StaffCaller,
    Path(id): Path<AlertId>,
    Json(request): Json<RemedyRequest>,
) -> Result<axum::Json<AlertDetail>, Problem> {
    let said = reason::check(&request.reason)?;
    check(&request, said)?;
    let mut tx = service.platform.database.begin().await.map_err(Error::from)?;
    let mut corrections = Vec::new();
    if request.remedy == Remedy::Withdraw {
        let now = service.platform.clock.now();
        caller.may_act(now)?;
        caller.must_have_proved(Act::TakeBack, now)?;
        // corrections are locked before what they correct, but not for whoever may not see it
        if !reading::may_see(&caller, &store::load(&mut tx, id, false).await?) {
            return Err(Error::NoSuchAlert(id).into());
        }
        corrections = withdrawal::waiting_corrections(&mut tx, id).await?;
    }
    let mut alert = store::load(&mut tx, id, true).await?;
    if !reading::may_see(&caller, &alert) {
        return Err(Error::NoSuchAlert(id).into());
    }
    if request.version != alert.version {
        return Err(Error::Conflict { expected: request.version, found: alert.version, state: alert.state }.into());
    }
    if !remedies(alert.state, matches!(alert.audience, Audience::Residents(_))).contains(&request.remedy) {
        return Err(Error::NoSuchRemedy(alert.state).into());
    }
    let people = undecided(&mut tx, id, &request.records).await?;
    let now = service.platform.clock.now();
    let correction = match request.remedy {
        Remedy::LeaveOut => {
            leave_out(&mut alert.audience, &people)?;
            let state = alert.state;
            alert.changed_at = now;
            store::save(&mut tx, &mut alert).await?;
            store::record(&mut tx, &alert, Step::of(caller.id, Remedy::LeaveOut.as_ref(), state, said)).await?;
            None
        }
        Remedy::Withdraw => {
            if !alert_state::may_write(alert.area(), &actor(&caller)) {
                return Err(Error::OutsideScope.into());
            }
            if people.is_empty() {
                return Err(Error::NamesNobody.into());
            }
            withdrawal::withdraw_for(&mut tx, &mut alert, &people, caller.id, said, now).await?;
            for correction in &mut corrections {
                withdrawal::leave_out_of_correction(&mut tx, &caller, correction, &people, said, now).await?;
            }
            None
        }
        Remedy::Correct => {
            let mut audience = alert.audience.clone();
            leave_out(&mut audience, &people)?;
            let correction = writing::correct_for_fewer(&mut tx, &caller, &alert, audience, said, now).await?;
            hand_on(&mut tx, &alert, &correction, &request.records).await?;
            Some(correction)
        }
        Remedy::Stand => None,
    };
    // what stands in an alert stands in its correction too, and the other way round; for whom it is withdrawn nothing else is to be decided in it
    let withdrawn_for: Vec<i32> =
        if request.remedy == Remedy::Withdraw { people.iter().map(u32::cast_signed).collect() } else { Vec::new() };
    sqlx::query!(
        "update review.ended_record e set decided_at = $3, decided_by = $4, remedy = $5, note = $6, correction = $7
          where (record_no = any($2) or resident_no = any($9)
                 and exists (select from review.ended_record_open o where o.alert_id = e.alert_id and o.record_no = e.record_no))
            and (alert_id = $1 or $8 and decided_at is null and alert_id in (
                 select alert_id from review.alert where corrects = $1 union select corrects from review.alert where alert_id = $1))",
        id.uuid(),
        &request.records,
        now,
        caller.id.uuid(),
        request.remedy.as_ref(),
        said,
        correction.as_ref().map(|correction| correction.id.uuid()),
        request.remedy == Remedy::Stand,
        &withdrawn_for
    )
    .execute(&mut *tx)
    .await
    .map_err(Error::database("deciding about records that ended"))?;
    trace::leave(&mut tx, &caller, &format!("records_{}", request.remedy), &alert, said).await?;
    let detail = reading::detail(&service, &mut tx, correction.unwrap_or(alert), &caller).await?;
    tx.commit().await.map_err(Error::from)?;
    service.changed.wake();
    tracing::info!(alert = %id, records = request.records.len(), remedy = request.remedy.as_ref(), "records that ended were decided about");
    Ok(axum::Json(detail))
}

/// What is undecided about whoever stays in the audience is to be decided about the correction too: it takes the place of the alert.
pub(crate) async fn hand_on(tx: &mut Tx, from: &Alert, to: &Alert, decided: &[i64]) -> Result<(), Error> {
    sqlx::query!(
        "insert into review.ended_record (alert_id, record_no, resident_no, area, source, how, reason, still_named, still_met, ended_at)
         select $2, record_no, resident_no, area, source, how, reason, still_named, still_met, ended_at from review.ended_record
          where alert_id = $1 and decided_at is null and record_no <> all($3)",
        from.id.uuid(),
        to.id.uuid(),
        decided
    )
    .execute(&mut **tx)
    .await
    .map_err(Error::database("handing records that ended on to a correction"))?;
    Ok(())
}

fn check(request: &RemedyRequest, said: Option<&str>) -> Result<(), Error> {
    let mut faults = Vec::new();
    if request.records.is_empty() || request.records.len() > MOST {
        faults.push(FieldFault::new("records", format!("应为 1 至 {MOST} 条记录"), format!("must be 1 to {MOST} records")));
    }
    match request.remedy {
        Remedy::Stand if said.is_none() => faults.push(FieldFault::new("reason", "维持须写明理由", "is missing: say why it stands")),
        Remedy::Withdraw if said.is_none() => {
            faults.push(FieldFault::new("reason", "撤销须写明理由", "is missing: say why it does not hold for them"));
        }
        _ => {}
    }
    if faults.is_empty() { Ok(()) } else { Err(Error::Invalid(faults)) }
}

/// The people whom these records name and no other record does, if all of them are still to be decided about.
async fn undecided(tx: &mut Tx, alert: AlertId, records: &[i64]) -> Result<RoaringBitmap, Error> {
    let rows = sqlx::query!(
        "select record_no, resident_no from review.ended_record e
          where alert_id = $1 and record_no = any($2)
            and exists (select from review.ended_record_open o where o.alert_id = e.alert_id and o.record_no = e.record_no)
          order by record_no for update",
        alert.uuid(),
        records
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(Error::database("reading records to decide about"))?;
    if rows.len() != records.iter().collect::<BTreeSet<_>>().len() {
        return Err(Error::NothingToDecide);
    }
    Ok(rows.into_iter().filter_map(|row| row.resident_no).map(i32::cast_unsigned).collect())
}

/// Takes people out of an audience that names people; one that names areas stays as it is.
fn leave_out(audience: &mut Audience, people: &RoaringBitmap) -> Result<(), Error> {
    let Audience::Residents(residents) = audience else { return Ok(()) };
    *residents -= people;
    if residents.is_empty() { Err(Error::NobodyLeft) } else { Ok(()) }
}
