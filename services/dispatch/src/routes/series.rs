//! A delivery over time: what was handed over and acknowledged in each stretch, for a chart.

use axum::extract::State;
use chrono::{DateTime, DurationRound as _, TimeDelta, Utc};
use domain::ids::AlertId;
use domain::outcome::Channel;
use platform::database::readable;
use platform::http::{Json, PathId, Problem, StaffCaller};
use serde::Serialize;
use utoipa::ToSchema;

use super::shared::Shared;
use super::{approved, delivery};
use crate::Error;

/// Stretches in a chart at most: more than a screen has room for.
const MOST_BINS: i64 = 600;
/// Lengths of a stretch, in seconds.
const LENGTHS: [i64; 8] = [1, 5, 15, 60, 300, 900, 3600, 21_600];

/// A delivery over time.
#[derive(Serialize, ToSchema)]
pub(super) struct DeliverySeries {
    alert_id: AlertId,
    /// When the first stretch begins: at the release.
    from: DateTime<Utc>,
    /// Until when it is told.
    to: DateTime<Utc>,
    /// Seconds in a stretch.
    bin_s: i64,
    hand_overs: Vec<HandOvers>,
    acknowledgements: Vec<Acknowledgements>,
}

/// What one channel was done with in one stretch, in people.
#[derive(Serialize, ToSchema)]
struct HandOvers {
    /// When the stretch begins.
    at: DateTime<Utc>,
    wave: i16,
    channel: Channel,
    /// People whose message was handed over.
    accepted: i64,
    /// People given up as unreachable.
    failed: i64,
}

/// People who acknowledged in one stretch.
#[derive(Serialize, ToSchema)]
struct Acknowledgements {
    /// When the stretch begins.
    at: DateTime<Utc>,
    count: i64,
}

/// A delivery over time
///
/// Hand-overs are told when their batch is closed. Stretches in which nothing happened are left out.
#[utoipa::path(get, path = "/api/v1/alerts/{id}/delivery/series", params(("id" = AlertId, Path, description = "The alert")),
    responses((status = 200, description = "In stretches of the same length", body = DeliverySeries), (status = 404, description = "Not approved yet, or unknown")))]
pub(super) async fn series(
    State(shared): State<Shared>,
    caller: StaffCaller,
    platform::http::Path(alert_id): PathId<AlertId>,
) -> Result<Json<DeliverySeries>, Problem> {
    caller.must_cover_alert_of(delivery::district_of(&shared, alert_id).await?)?;
    Ok(Json(load(&shared, alert_id).await?))
}

async fn load(shared: &Shared, alert_id: AlertId) -> Result<DeliverySeries, Error> {
    let acknowledged = shared.acknowledged.by_minute(alert_id).await?;
    let span = sqlx::query!(
        r#"select coalesce(a.released_at, a.release_at) as "from!", (select max(closed_at) from dispatch.batch b where b.alert_id = a.alert_id and b.wave <= 2) as last
             from dispatch.alert a where alert_id = $1"#,
        alert_id.uuid()
    )
    .fetch_optional(shared.database.pool())
    .await?;
    let Some(span) = span else {
        // approved a moment ago: nothing has happened yet
        let from = approved::find(shared, alert_id).await?.release_at;
        return Ok(DeliverySeries { alert_id, from, to: from, bin_s: LENGTHS[0], hand_overs: Vec::new(), acknowledgements: Vec::new() });
    };
    let from = span.from;
    let to = [span.last, acknowledged.last().map(|(at, _)| *at)].into_iter().flatten().fold(from, DateTime::max);
    let seconds = (to - from).num_seconds().max(1);
    let bin_s = LENGTHS.into_iter().find(|length| seconds / length < MOST_BINS).unwrap_or(seconds / MOST_BINS + 1);
    let rows = sqlx::query!(
        r#"select date_bin(make_interval(secs => $2::float8), closed_at, $3) as "at!", wave, channel, sum(accepted) as "accepted!",
                  sum(unreachable) as "failed!"
             from dispatch.batch where alert_id = $1 and wave <= 2 and closed_at is not null group by 1, 2, 3 order by 1, 2, 3"#,
        alert_id.uuid(),
        bin_s as f64,
        from
    )
    .fetch_all(shared.database.pool())
    .await?;
    let hand_overs = rows.into_iter().map(|row| {
        let channel = row.channel.parse().map_err(|error: strum::ParseError| Error::damaged("channel", alert_id, error))?;
        Ok::<_, Error>(HandOvers { at: row.at, wave: row.wave, channel, accepted: row.accepted, failed: row.failed })
    });
    let hand_overs = readable("stretches of a delivery", hand_overs);
    Ok(DeliverySeries { alert_id, from, to, bin_s, hand_overs, acknowledgements: in_stretches(&acknowledged, bin_s) })
}

/// Minutes put together into stretches; a stretch is a minute at least.
fn in_stretches(minutes: &[(DateTime<Utc>, i64)], bin_s: i64) -> Vec<Acknowledgements> {
    let length = TimeDelta::seconds(bin_s.max(60));
    let mut stretches: Vec<Acknowledgements> = Vec::new();
    for &(minute, count) in minutes {
        let at = minute.duration_trunc(length).unwrap_or(minute);
        match stretches.last_mut().filter(|last| last.at == at) {
            Some(last) => last.count += count,
            None => stretches.push(Acknowledgements { at, count }),
        }
    }
    stretches
}

#[cfg(test)]
mod tests {
    use domain::alert::DeliveryClass::Urgent;

    use super::*;
    use crate::stories::city::{City, Store, alert, named};

    #[tokio::test]
    async fn a_delivery_is_told_in_stretches_of_one_length() {
        let city = City::new(Store::Postgres).await;
        city.residents(1..=6, true, true, false).await;
        let alert_id = city.approve(Urgent, alert(), named(1..=6)).await;
        city.settle().await;
        city.acknowledge(alert_id, [1, 2]).await;
        let shared = Shared::of(&city.platform, &city.settings);
        let series = load(&shared, alert_id).await.unwrap();
        assert_eq!(series.from, city.clock().now());
        let handed_over: i64 = series.hand_overs.iter().map(|stretch| stretch.accepted).sum();
        let acknowledged: i64 = series.acknowledgements.iter().map(|stretch| stretch.count).sum();
        assert_eq!((handed_over, acknowledged), (6, 2));
        assert!(series.hand_overs.iter().all(|stretch| (stretch.at - series.from).num_seconds() % series.bin_s == 0));
        assert!(matches!(load(&shared, AlertId::new()).await, Err(Error::NoSuchAlert)));
    }

    #[test]
    fn minutes_of_one_stretch_are_one_number() {
        let minute = |minute: i64, count| (DateTime::from_timestamp(minute * 60, 0).expect("a time"), count);
        let counts = |bin_s| {
            let stretches = in_stretches(&[minute(0, 2), minute(4, 3), minute(5, 7)], bin_s);
            stretches.iter().map(|stretch| (stretch.at.timestamp() / 60, stretch.count)).collect::<Vec<_>>()
        };
        assert_eq!(counts(1), [(0, 2), (4, 3), (5, 7)]);
        assert_eq!(counts(300), [(0, 5), (5, 7)]);
    }
}
