//! What is foreseen for an alert, as staff read it.

use axum::extract::State;
use chrono::{DateTime, Utc};
use domain::area::DistrictCode;
use domain::forecast::Outlook;
use domain::ids::AlertId;
use platform::database::readable_row;
use platform::http::{Access, Json, PathId, Problem, Routes, StaffCaller, routes};
use serde::Serialize;
use utoipa::ToSchema;

use super::forecaster::Forecaster;
use crate::Error;
use crate::routes::WATCHERS;

pub(super) fn routes() -> Routes<Forecaster> {
    Routes::new("dispatch").allow(Access::Staff(WATCHERS), routes!(read))
}

/// What is foreseen for one alert.
#[derive(Serialize, ToSchema)]
struct AlertForecast {
    alert_id: AlertId,
    /// The first push, and the reminder when there is one. Empty for some seconds after the approval.
    waves: Vec<WaveForecast>,
}

/// What is foreseen for one pass over the audience.
#[derive(Serialize, ToSchema)]
struct WaveForecast {
    /// 1 is the first push, 2 the reminder.
    wave: i16,
    /// Since when this is what is foreseen.
    made_at: DateTime<Utc>,
    /// Whether the deadline will be held.
    holds: bool,
    /// Seconds from the last hand-over to the deadline; negative when it is missed.
    spare_s: i64,
    outlook: Outlook,
    /// The same in words, in Chinese.
    #[schema(example = "将超出时限 24 分钟，原因：FCM 每分钟最多 600,000 条，32,054,159 人共需 54 分钟。")]
    sentence: String,
    /// In English.
    sentence_en: String,
    /// Since when the alarm rings, if it does.
    in_danger_since: Option<DateTime<Utc>>,
    /// When everybody was handed over, or the alert was stopped: what stands here was foreseen last.
    ended_at: Option<DateTime<Utc>>,
}

/// When the last recipient of an alert will be reached, and whether that holds its deadline.
#[utoipa::path(
    get,
    path = "/api/v1/alerts/{id}/forecast",
    params(("id" = AlertId, Path, description = "The alert")),
    responses((status = 200, description = "The newest forecast", body = AlertForecast), (status = 404, description = "Not approved yet, or unknown"))
)]
async fn read(
    State(forecaster): State<Forecaster>,
    caller: StaffCaller,
    platform::http::Path(alert_id): PathId<AlertId>,
) -> Result<Json<AlertForecast>, Problem> {
    let (forecast, district) = load(&forecaster, alert_id).await?;
    caller.must_cover_alert_of(district)?;
    Ok(Json(forecast))
}

async fn load(forecaster: &Forecaster, alert_id: AlertId) -> Result<(AlertForecast, Option<DistrictCode>), Error> {
    let rows = sqlx::query!(
        r#"select a.district, f.wave as "wave?", f.made_at as "made_at?", f.spare_s as "spare_s?", f.outlook as "outlook?", f.in_danger_since,
                  f.ended_at
             from dispatch.alert a left join dispatch.forecast f using (alert_id)
            where a.alert_id = $1 order by f.wave"#,
        alert_id.uuid()
    )
    .fetch_all(forecaster.database.pool())
    .await?;
    let Some(first) = rows.first() else {
        // approved a moment ago, or not at all
        return Ok((AlertForecast { alert_id, waves: Vec::new() }, just_approved(forecaster, alert_id).await?));
    };
    let district = first.district;
    let district = district.map(DistrictCode::try_from).transpose().map_err(|error| Error::damaged("district", alert_id, error))?;
    let mut waves = Vec::new();
    for row in rows {
        let (Some(wave), Some(made_at), Some(spare_s), Some(outlook)) = (row.wave, row.made_at, row.spare_s, row.outlook) else { continue };
        let outlook = serde_json::from_value::<Outlook>(outlook).map_err(|error| Error::damaged("outlook", alert_id, error));
        let Some(outlook) = readable_row("forecasts of an alert", outlook) else { continue };
        let sentence = outlook.sentence(made_at);
        waves.push(WaveForecast {
            wave,
            made_at,
            holds: outlook.holds(),
            spare_s,
            sentence: sentence.zh,
            sentence_en: sentence.en,
            outlook,
            in_danger_since: row.in_danger_since,
            ended_at: row.ended_at,
        });
    }
    Ok((AlertForecast { alert_id, waves }, district))
}

/// Whose alert it is that dispatch has not taken over yet; none: the whole city's.
async fn just_approved(forecaster: &Forecaster, alert_id: AlertId) -> Result<Option<DistrictCode>, Error> {
    let district = sqlx::query_scalar!("select district from review.approved_alert where alert_id = $1", alert_id.uuid())
        .fetch_optional(forecaster.database.pool())
        .await?
        .ok_or(Error::NoSuchAlert)?;
    district.map(DistrictCode::try_from).transpose().map_err(|error| Error::damaged("district", alert_id, error))
}
