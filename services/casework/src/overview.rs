//! What supervision sees at a glance: how much is open, late and endangered, where, and with whom.

use axum::extract::State as Shared;
use chrono::{DateTime, TimeDelta, Utc};
use domain::area::DistrictCode;
use platform::http::{Problem, Routes, StaffCaller, Within, routes};
use serde::Serialize;
use utoipa::ToSchema;

use crate::access::SUPERVISING;
use crate::lists::{self, CaseLine, Row, rows};
use crate::{Error, Service};

pub(crate) fn routes() -> Routes<Service> {
    Routes::new("casework").allow(SUPERVISING, routes!(overview))
}

/// Refusals of so long are counted.
const LATELY: TimeDelta = TimeDelta::days(30);

/// How casework stands in an area.
#[derive(Serialize, ToSchema)]
#[schema(as = CaseOverview)]
struct Overview {
    open: i64,
    /// Past what was promised.
    late: i64,
    /// With four fifths of the time gone.
    endangered: i64,
    disputes: i64,
    /// Raised by those who chased them.
    chased: i64,
    /// More time is asked for.
    extensions: i64,
    /// For how many seconds the oldest call for urgent help has waited for somebody; none: none waits.
    urgent_waiting_s: Option<i64>,
    districts: Vec<OfDistrict>,
    /// The units with the most open cases, up to 200.
    units: Vec<OfUnit>,
    /// The twenty that are longest past what was promised.
    oldest: Vec<CaseLine>,
}

/// How it stands in a district.
#[derive(Serialize, ToSchema)]
#[schema(as = CasesOfDistrict)]
struct OfDistrict {
    /// None: nobody said where.
    #[schema(value_type = Option<String>, example = "500103")]
    district: Option<DistrictCode>,
    open: i64,
    late: i64,
    endangered: i64,
}

/// How it stands with a unit.
#[derive(Serialize, ToSchema)]
#[schema(as = CasesOfUnit)]
struct OfUnit {
    unit_id: u32,
    name: String,
    open: i64,
    late: i64,
    endangered: i64,
    /// Orders that it said were not its business, in 30 days.
    refused: i64,
    /// Its part of what all units have open, in percent.
    load_share: i64,
}

/// How casework stands
#[utoipa::path(get, path = "/api/v1/casework/overview", responses((status = 200, description = "In the caller's area", body = Overview)))]
async fn overview(Shared(service): Shared<Service>, caller: StaffCaller) -> Result<axum::Json<Overview>, Problem> {
    let (within, now) = (Within::of(&caller.scope), service.now());
    let districts = sqlx::query!(
        r#"select district, count(*) as "open!", count(*) filter (where due_at < $3) as "late!",
                  count(*) filter (where warned >= 80 and due_at >= $3) as "endangered!", count(*) filter (where state = 'disputed') as "disputes!",
                  count(*) filter (where raised_at is not null) as "chased!", count(extension_days) as "extensions!",
                  min(received_at) filter (where lane = 0 and state = 'received') as "waiting_since"
             from casework.matter
            where state not in ('closed', 'declined', 'withdrawn', 'merged') and ($1 or district = $2)
            group by district order by 2 desc"#,
        within.everywhere,
        within.district,
        now
    )
    .fetch_all(service.platform.database.pool())
    .await
    .map_err(Error::database("counting cases by district"))?;
    let units = sqlx::query!(
        r#"select u.unit_id, u.name, c.open as "open!", c.late as "late!", c.endangered as "endangered!",
                  (select count(*) from casework.work_order w where w.unit = u.unit_id and w.refused_at >= $4) as "refused!",
                  (100 * c.open / sum(c.open) over ())::bigint as "load_share!"
             from (select lead, count(*) as open, count(*) filter (where due_at < $3) as late,
                          count(*) filter (where warned >= 80 and due_at >= $3) as endangered
                     from casework.matter
                    where state not in ('closed', 'declined', 'withdrawn', 'merged') and lead is not null and ($1 or district = $2)
                    group by lead) c
             join casework.unit u on u.unit_id = c.lead order by c.open desc, u.name limit 200"#,
        within.everywhere,
        within.district,
        now,
        now - LATELY
    )
    .fetch_all(service.platform.database.pool())
    .await
    .map_err(Error::database("counting cases by unit"))?;
    let oldest = rows!(
        "where m.state not in ('closed', 'declined', 'withdrawn', 'merged') and m.due_at < $1 and ($2 or m.district = $3) order by m.due_at limit 20",
        now,
        within.everywhere,
        within.district
    )
    .fetch_all(service.platform.database.pool())
    .await
    .map_err(Error::database("finding the oldest cases"))?;
    let waiting: Option<DateTime<Utc>> = districts.iter().filter_map(|row| row.waiting_since).min();
    Ok(axum::Json(Overview {
        open: districts.iter().map(|row| row.open).sum(),
        late: districts.iter().map(|row| row.late).sum(),
        endangered: districts.iter().map(|row| row.endangered).sum(),
        disputes: districts.iter().map(|row| row.disputes).sum(),
        chased: districts.iter().map(|row| row.chased).sum(),
        extensions: districts.iter().map(|row| row.extensions).sum(),
        urgent_waiting_s: waiting.map(|since| (now - since).num_seconds()),
        districts: districts
            .into_iter()
            .map(|row| {
                Ok(OfDistrict {
                    district: row.district.map(DistrictCode::try_from).transpose().map_err(Error::stored("district"))?,
                    open: row.open,
                    late: row.late,
                    endangered: row.endangered,
                })
            })
            .collect::<Result<_, Error>>()?,
        units: units
            .into_iter()
            .map(|row| OfUnit {
                unit_id: row.unit_id.unsigned_abs(),
                name: row.name,
                open: row.open,
                late: row.late,
                endangered: row.endangered,
                refused: row.refused,
                load_share: row.load_share,
            })
            .collect(),
        oldest: lists::lines(&service, oldest).await?,
    }))
}
