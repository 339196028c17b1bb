//! The deliveries under way, those in danger first.

use std::collections::BTreeSet;

use axum::extract::State;
use chrono::{DateTime, Utc};
use domain::alert::DeliveryClass;
use domain::area::DistrictCode;
use domain::audience::{Audience, districts_of};
use domain::forecast::Outlook;
use domain::ids::AlertId;
use platform::database::readable;
use platform::http::{Json, Problem, StaffCaller};
use serde::Serialize;
use utoipa::ToSchema;

use super::shared::Shared;
use crate::Error;

/// Deliveries in one answer at most.
const MOST: i64 = 200;

/// One delivery under way.
#[derive(Serialize, ToSchema)]
pub(super) struct RunningDelivery {
    alert_id: AlertId,
    /// In Chinese.
    headline: String,
    class: DeliveryClass,
    exercise: bool,
    /// None: the whole city.
    #[schema(value_type = Option<String>)]
    district: Option<DistrictCode>,
    /// Where its people are: in that district, or in those that an alert of city level names. Empty: anywhere in the city.
    #[schema(value_type = Vec<String>)]
    reaches: BTreeSet<DistrictCode>,
    /// waiting, dispatching or active.
    #[schema(example = "dispatching")]
    state: String,
    approved_at: DateTime<Utc>,
    release_at: DateTime<Utc>,
    due_at: DateTime<Utc>,
    expires_at: DateTime<Utc>,
    handed_over_at: Option<DateTime<Utc>>,
    /// People of the first wave.
    recipients: i64,
    /// Of them: handed over.
    accepted: i64,
    /// Of them: not done with yet.
    open: i64,
    /// Of them: given up as unreachable, or reachable neither by app nor by SMS.
    unreachable: i64,
    /// When the last recipient is reached, as foreseen or as it was.
    last_at: Option<DateTime<Utc>>,
    /// Whether the deadline is, or was, held.
    holds: bool,
    /// Seconds to spare; negative when it is missed.
    spare_s: Option<i64>,
    in_danger_since: Option<DateTime<Utc>>,
    /// What is foreseen in words, in Chinese.
    sentence: String,
    /// In English.
    sentence_en: String,
}

/// Deliveries under way, those in danger first, then by deadline; at most 200
#[utoipa::path(get, path = "/api/v1/deliveries", responses((status = 200, description = "As of now", body = Vec<RunningDelivery>)))]
pub(super) async fn running(State(shared): State<Shared>, caller: StaffCaller) -> Result<Json<Vec<RunningDelivery>>, Problem> {
    Ok(Json(load(&shared, caller.scope.district()).await?))
}

async fn load(shared: &Shared, own: Option<DistrictCode>) -> Result<Vec<RunningDelivery>, Error> {
    let rows = sqlx::query!(
        r#"with line as (
               select a.alert_id, a.class, a.exercise, a.district, a.state, a.approved_at, a.release_at, a.due_at, a.expires_at, a.handed_over_at,
                      case when a.district is null and not a.personal then a.audience end as audience,
                      a.content #>> '{texts,zh-CN,headline}' as headline, f.spare_s, f.outlook, f.made_at, f.in_danger_since
                 from dispatch.alert a left join dispatch.forecast f on f.alert_id = a.alert_id and f.wave = 1
                where a.state in ('waiting', 'dispatching', 'active') and ($1::int is null or a.district is null or a.district = $1)
                order by a.handed_over_at is not null, f.in_danger_since is null, a.due_at limit $2)
           select line.alert_id, line.class, line.exercise, line.district, line.state, line.approved_at, line.release_at, line.due_at, line.expires_at,
                  line.audience, line.handed_over_at, line.headline, line.spare_s as "spare_s?", line.outlook as "outlook?", line.made_at as "made_at?",
                  line.in_danger_since, coalesce(w.recipients, 0) as "recipients!", coalesce(w.no_channel, 0) as "no_channel!",
                  coalesce(b.accepted, 0) as "accepted!", coalesce(b.open, 0) as "open!", coalesce(b.unreachable, 0) as "unreachable!"
             from line
             left join dispatch.wave w on w.alert_id = line.alert_id and w.wave = 1
             left join lateral (
                 select sum(accepted) as accepted, sum(size - accepted) filter (where state <> 'closed') as open, sum(unreachable) as unreachable
                   from dispatch.batch b where b.alert_id = line.alert_id and b.wave = 1) b on true
            order by line.handed_over_at is not null, line.in_danger_since is null, line.due_at"#,
        own.map(|district| district.get().cast_signed()),
        MOST
    )
    .fetch_all(shared.database.pool())
    .await?;
    let deliveries = rows.into_iter().map(|row| {
        let alert_id = AlertId::from_uuid(row.alert_id);
        // What is foreseen is made anew every few seconds; the delivery is shown without it.
        let outlook: Option<Outlook> = row.outlook.and_then(|outlook| serde_json::from_value(outlook).ok());
        let sentence = outlook.as_ref().zip(row.made_at).map(|(outlook, made_at)| outlook.sentence(made_at));
        let (zh, en) = sentence.map_or_else(Default::default, |sentence| (sentence.zh, sentence.en));
        let district = row.district.map(DistrictCode::try_from).transpose().map_err(|error| Error::damaged("district", alert_id, error))?;
        let audience = row.audience.map(|bytes| Audience::from_bytes(&bytes)).transpose();
        let audience = audience.map_err(|error| Error::damaged("audience", alert_id, error))?;
        let held = row.handed_over_at.map(|at| at <= row.due_at);
        Ok::<_, Error>(RunningDelivery {
            alert_id,
            headline: row.headline.unwrap_or_default(),
            class: row.class.parse().map_err(|error: strum::ParseError| Error::damaged("class", alert_id, error))?,
            exercise: row.exercise,
            district,
            reaches: districts_of(district, audience.as_ref()),
            state: row.state,
            approved_at: row.approved_at,
            release_at: row.release_at,
            due_at: row.due_at,
            expires_at: row.expires_at,
            handed_over_at: row.handed_over_at,
            recipients: row.recipients + row.no_channel,
            accepted: row.accepted,
            open: row.open,
            unreachable: row.unreachable + row.no_channel,
            last_at: row.handed_over_at.or(outlook.as_ref().map(|outlook| outlook.last_at)),
            holds: held.or(outlook.as_ref().map(Outlook::holds)).unwrap_or(true),
            spare_s: row.handed_over_at.map(|at| (row.due_at - at).num_seconds()).or(row.spare_s),
            in_danger_since: row.in_danger_since.filter(|_| row.handed_over_at.is_none()),
            sentence: zh,
            sentence_en: en,
        })
    });
    Ok(readable("deliveries", deliveries))
}

#[cfg(test)]
mod tests {
    use domain::alert::DeliveryClass::{Routine, Urgent};
    use domain::outcome::Outcome;

    use super::*;
    use crate::stories::city::{City, Store, alert, named};

    #[tokio::test]
    async fn what_is_still_being_sent_stands_before_what_is_done_with_its_own_numbers() {
        let city = City::new(Store::Postgres).await;
        city.residents(1..=6, true, true, false).await;
        let done = city.approve(Urgent, alert(), named(1..=2)).await;
        city.settle().await;
        city.phones.answers.lock().unwrap().extend([(4, vec![Outcome::Temporary])]);
        let under_way = city.approve(Routine, alert(), named(3..=6)).await;
        city.settle().await;
        let shared = Shared::of(&city.platform, &city.settings);

        let running = load(&shared, None).await.unwrap();
        let told: Vec<_> = running.iter().map(|one| (one.alert_id, one.recipients, one.accepted, one.open, one.holds)).collect();
        assert_eq!(told, [(under_way, 4, 3, 1, true), (done, 2, 2, 0, true)]);
        assert_eq!(running[1].last_at, Some(city.clock().now()));
        assert_eq!(running[0].reaches, BTreeSet::from(["500103".parse().unwrap()]), "where its people are");
        assert_eq!(load(&shared, Some("500103".parse().unwrap())).await.unwrap().len(), 2);
        assert!(load(&shared, Some("500105".parse().unwrap())).await.unwrap().is_empty(), "nothing of another district");
    }
}
