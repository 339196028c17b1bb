//! How much stands, where and for what, and how it ended: counts only, also for the auditor (CQ15).

use std::collections::BTreeMap;

use axum::extract::State;
use chrono::TimeDelta;
use domain::area::DistrictCode;
use domain::language::Language;
use domain::staff::Role;
use domain::standing::LiftedHow;
use platform::http::{Access, Problem, Routes, StaffCaller, Within, routes};
use serde::Serialize;
use strum::VariantArray;
use utoipa::ToSchema;

use super::shown;
use crate::{Error, Service};

const COUNTING: Access = Access::Staff(&[Role::CommunityWorker, Role::DistrictReviewer, Role::CityCommandOfficer, Role::Auditor]);

pub(crate) fn routes() -> Routes<Service> {
    Routes::new("standing").allow(COUNTING, routes!(summary))
}

/// What stands in one district for one reason, in numbers.
#[derive(Serialize, ToSchema)]
struct StandingSummary {
    /// The reason code.
    reason: String,
    /// The reason in words.
    label: BTreeMap<Language, String>,
    #[schema(value_type = String, example = "500103")]
    district: DistrictCode,
    stands: i64,
    /// How many ended, by what lifted them, of those that are still kept.
    #[schema(value_type = Object)]
    lifted: BTreeMap<LiftedHow, i64>,
    /// Objections that wait for their answer.
    objections_waiting: i64,
    /// Of those, past the time by which they should have been answered.
    objections_late: i64,
    /// Questions by source systems about people who stand so now, in the last 30 days.
    asked_30_days: i64,
}

/// What stands in my area, in numbers by district and reason
#[utoipa::path(get, path = "/api/v1/standings/summary", responses((status = 200, description = "As of now", body = Vec<StandingSummary>)))]
async fn summary(State(service): State<Service>, caller: StaffCaller) -> Result<axum::Json<Vec<StandingSummary>>, Problem> {
    let (within, now) = (Within::of(&caller.scope), service.platform.clock.now());
    // a row for each way in which it ended, and one for what stands
    let rows = sqlx::query!(
        r#"with counted as (
               select s.reason, s.district, case when s.ends_at <= $4 then coalesce(s.lifted_how, 'time') end as how,
                      max(s.alert_id::text)::uuid as newest, count(*) as standings, coalesce(sum(o.waiting), 0)::bigint as waiting,
                      coalesce(sum(o.late), 0)::bigint as late, coalesce(sum(q.asked) filter (where s.ends_at > $4), 0)::bigint as asked
                 from resident.standing s
                 left join (select standing_id, count(*) as waiting, count(*) filter (where answer_by <= $4) as late from resident.feedback
                             where standing_id is not null and answered_at is null group by standing_id) o using (standing_id)
                 left join (select resident_no, count(*) as asked from resident.standing_question where asked_at > $5 group by resident_no) q
                   on q.resident_no = s.resident_no
                where $1 or s.district = $2 or s.community = $3
                group by 1, 2, 3
           )
           select c.reason, c.district, c.how, c.standings as "standings!", c.waiting as "waiting!", c.late as "late!", c.asked as "asked!", t.terms
             from counted c join resident.standing_terms t on t.alert_id = c.newest order by c.district, c.reason, c.newest"#,
        within.everywhere,
        within.district,
        within.community,
        now,
        now - TimeDelta::days(30)
    )
    .fetch_all(service.platform.database.pool())
    .await
    .map_err(Error::database("counting what stands"))?;
    let mut summaries: BTreeMap<(i32, String), StandingSummary> = BTreeMap::new();
    for row in rows {
        let label = shown::terms(row.terms)?.label;
        let district = DistrictCode::try_from(row.district).map_err(|_| Error::Stored { what: "district" })?;
        let how = row.how.map(|how| how.parse()).transpose().map_err(|_| Error::Stored { what: "how a standing was lifted" })?;
        let sum = summaries.entry((row.district, row.reason.clone())).or_insert_with(|| StandingSummary::of(row.reason, district));
        // of the newest alert
        sum.label = label;
        match how {
            None => sum.stands += row.standings,
            Some(how) => *sum.lifted.entry(how).or_default() += row.standings,
        }
        sum.objections_waiting += row.waiting;
        sum.objections_late += row.late;
        sum.asked_30_days += row.asked;
    }
    Ok(axum::Json(summaries.into_values().collect()))
}

impl StandingSummary {
    fn of(reason: String, district: DistrictCode) -> Self {
        Self {
            reason,
            label: BTreeMap::new(),
            district,
            stands: 0,
            lifted: LiftedHow::VARIANTS.iter().map(|how| (*how, 0)).collect(),
            objections_waiting: 0,
            objections_late: 0,
            asked_30_days: 0,
        }
    }
}
