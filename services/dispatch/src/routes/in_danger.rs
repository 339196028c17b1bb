//! Alerts whose deadline is in danger: what whoever can still do something about it is told, wherever in the console they are.

use axum::extract::State;
use chrono::{DateTime, Utc};
use domain::forecast::Outlook;
use domain::ids::AlertId;
use platform::database::readable;
use platform::http::{Json, Problem};
use serde::Serialize;
use utoipa::ToSchema;

use super::shared::Shared;
use crate::Error;

/// Alarms in one answer at most: whoever has more looks at the city.
const MOST: i64 = 20;

/// An alert that will miss its deadline, or hold it only just.
#[derive(Debug, PartialEq, Serialize, ToSchema)]
#[schema(as = DeadlineInDanger)]
pub(super) struct InDanger {
    alert_id: AlertId,
    /// 1: the first push, 2: the reminder.
    wave: i16,
    /// In Chinese.
    headline: String,
    urgent: bool,
    due_at: DateTime<Utc>,
    since: DateTime<Utc>,
    /// Seconds to spare; negative when it will be missed.
    spare_s: i64,
    /// What is foreseen and why, in Chinese.
    sentence: String,
    /// In English.
    sentence_en: String,
}

/// Alerts whose deadline is in danger, the most urgent first; at most 20
#[utoipa::path(get, path = "/api/v1/deliveries/in-danger", responses((status = 200, description = "As of now; none when all is well", body = Vec<InDanger>)))]
pub(super) async fn in_danger(State(shared): State<Shared>) -> Result<Json<Vec<InDanger>>, Problem> {
    Ok(Json(load(&shared).await?))
}

async fn load(shared: &Shared) -> Result<Vec<InDanger>, Error> {
    let rows = sqlx::query!(
        r#"select f.alert_id, f.wave, a.class = 'urgent' as "urgent!", a.content #>> '{texts,zh-CN,headline}' as headline,
                  coalesce(w.due_at, a.due_at) as "due_at!", f.in_danger_since as "since!", f.spare_s, f.outlook, f.made_at
             from dispatch.forecast f join dispatch.alert a using (alert_id)
             left join dispatch.wave w on w.alert_id = f.alert_id and w.wave = f.wave
            where f.ended_at is null and f.in_danger_since is not null
            order by a.class = 'urgent' desc, 5 limit $1"#,
        MOST,
    )
    .fetch_all(shared.database.pool())
    .await?;
    let endangered = rows.into_iter().map(|row| {
        let alert_id = AlertId::from_uuid(row.alert_id);
        let outlook: Outlook = serde_json::from_value(row.outlook).map_err(|error| Error::damaged("outlook", alert_id, error))?;
        let sentence = outlook.sentence(row.made_at);
        Ok::<_, Error>(InDanger {
            alert_id,
            wave: row.wave,
            headline: row.headline.unwrap_or_default(),
            urgent: row.urgent,
            due_at: row.due_at,
            since: row.since,
            spare_s: row.spare_s,
            sentence: sentence.zh,
            sentence_en: sentence.en,
        })
    });
    Ok(readable("deadline in danger", endangered))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use domain::alert::DeliveryClass::Urgent;
    use domain::forecast::LaneRate;

    use super::*;
    use crate::forecast::{Capacity, Forecaster};
    use crate::stories::city::{City, Store, alert, named};

    #[tokio::test]
    async fn a_deadline_in_danger_is_told_with_its_reason_until_nobody_can_do_anything_about_it() {
        let city = City::new(Store::Postgres).await;
        city.residents(1..=40, true, true, false).await;
        sqlx::query("update resident.reach set fcm = app").execute(city.database().pool()).await.unwrap();
        // one message in 50 seconds
        let capacity = Capacity { fcm: LaneRate::Granted(0.02), ..Capacity::default() };
        let forecaster = Forecaster::new(&city.platform, &Arc::new(city.settings.clone()), capacity);
        let look = async || while forecaster.turn().await.unwrap() {};
        let shared = Shared::of(&city.platform, &city.settings);
        assert_eq!(load(&shared).await.unwrap(), []);

        let alert_id = city.approve(Urgent, alert(), named(1..=40)).await;
        look().await;
        let told = load(&shared).await.unwrap();
        assert_eq!((told.len(), told[0].alert_id, told[0].wave, told[0].spare_s), (1, alert_id, 1, -200));
        assert!(told[0].sentence.contains("FCM") && told[0].sentence_en.contains("FCM"), "{told:?}");

        city.cancel(alert_id).await;
        look().await;
        assert_eq!(load(&shared).await.unwrap(), []);
    }
}
