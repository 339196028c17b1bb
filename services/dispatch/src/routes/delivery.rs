//! How the delivery of an alert goes. Numbers only, no persons.

use std::collections::BTreeMap;

use axum::extract::State;
use chrono::{DateTime, Utc};
use domain::alert::DeliveryClass;
use domain::area::DistrictCode;
use domain::ids::AlertId;
use domain::outcome::{Channel, Outcome};
use platform::database::readable_row;
use platform::http::{Json, PathId, Problem, StaffCaller};
use serde::Serialize;
use utoipa::ToSchema;

use super::approved::{self, JustApproved};
use super::shared::Shared;
use super::visits::{Counted, DistrictFollowUps, FollowUps};
use crate::Error;
use crate::aside::{self, Step};

/// The delivery of one alert. People are counted, not messages: whoever is sent to on two devices, or in a message of three parts, is one.
#[derive(Serialize, ToSchema)]
pub(super) struct Delivery {
    alert_id: AlertId,
    class: DeliveryClass,
    /// planning (approved a moment ago), waiting, dispatching, active, closed, cancelled or superseded.
    #[schema(example = "dispatching")]
    state: String,
    exercise: bool,
    approved_at: DateTime<Utc>,
    /// From when it may be sent: later than approval where quiet hours hold a routine alert back.
    release_at: DateTime<Utc>,
    released_at: Option<DateTime<Utc>>,
    /// When everybody has to be reached (CQ10).
    due_at: DateTime<Utc>,
    first_hand_over_at: Option<DateTime<Utc>>,
    /// When the last recipient of the first wave was done with.
    handed_over_at: Option<DateTime<Utc>>,
    /// Done by the deadline, or still possible; for an alert that ended before everybody was reached, whether it ended before the deadline.
    on_time: bool,
    expires_at: DateTime<Utc>,
    /// People who have acknowledged; counted anew every second at most.
    acknowledged: i64,
    follow_ups: FollowUps,
    /// Those districts first in which most are still to be visited.
    districts: Vec<DistrictFollowUps>,
    /// Why people were not reached at the first try, the commonest first. Of the last 500 batches in which some were not.
    failures: Vec<Failures>,
    /// What keeps failing for this alert and is set aside, so that others go on: people are not told because of it.
    set_aside: Vec<SetAside>,
    waves: Vec<WaveDelivery>,
}

/// A step that keeps failing.
#[derive(Debug, PartialEq, Serialize, ToSchema)]
struct SetAside {
    step: Step,
    /// Of which wave; 0: of the alert as a whole.
    wave: i16,
    /// How often in a row it has failed.
    failures: i32,
    since: DateTime<Utc>,
    /// When it is tried again.
    next_at: DateTime<Utc>,
    /// On what it fails, for the technical operator.
    why: String,
}

/// People whom one channel did not reach for one reason.
#[derive(Serialize, ToSchema)]
struct Failures {
    channel: Channel,
    reason: Outcome,
    count: i64,
}

/// One pass over the audience: 1 is the first push, 2 the reminder.
#[derive(Serialize, ToSchema)]
struct WaveDelivery {
    wave: i16,
    /// planning, sending, closed (waiting for acknowledgements) or settled.
    #[schema(example = "sending")]
    state: String,
    due_at: DateTime<Utc>,
    /// People planned so far; final when `planned_at` is there.
    recipients: i64,
    /// People in the audience who are reachable neither by app nor by SMS.
    no_channel: i64,
    planned_at: Option<DateTime<Utc>>,
    closed_at: Option<DateTime<Utc>>,
    channels: Vec<ChannelDelivery>,
}

/// One wave on one channel, in people but for the batches. Who went on in another batch is counted there as well: once as `retried` or
/// `fell_back`, once by what became of them.
#[derive(Serialize, ToSchema)]
struct ChannelDelivery {
    channel: Channel,
    /// Batches in all.
    batches: i64,
    /// Of them: not closed.
    batches_open: i64,
    /// People whose message was handed over to the provider.
    accepted: i64,
    /// People not done with yet.
    open: i64,
    /// People tried again in a later batch of this channel.
    retried: i64,
    /// People sent an SMS instead.
    fell_back: i64,
    /// People given up as unreachable.
    unreachable: i64,
    /// People not sent to: the alert ended, or they acknowledged before the reminder left.
    withdrawn: i64,
    first_hand_over_at: Option<DateTime<Utc>>,
    last_closed_at: Option<DateTime<Utc>>,
}

/// The delivery of an alert: progress by wave and channel, deadline, first and last hand-over. From its approval on; until it is planned its state is `planning`.
#[utoipa::path(
    get,
    path = "/api/v1/alerts/{id}/delivery",
    params(("id" = AlertId, Path, description = "The alert")),
    responses((status = 200, description = "How far it is", body = Delivery), (status = 404, description = "Not approved, or unknown"))
)]
pub(super) async fn delivery(
    State(shared): State<Shared>,
    caller: StaffCaller,
    platform::http::Path(alert_id): PathId<AlertId>,
) -> Result<Json<Delivery>, Problem> {
    let (delivery, district) = load(&shared, alert_id).await?;
    caller.must_cover_alert_of(district)?;
    Ok(Json(delivery))
}

/// Whose alert it is; none: the whole city's.
pub(super) async fn district_of(shared: &Shared, alert_id: AlertId) -> Result<Option<DistrictCode>, Error> {
    let taken_over = sqlx::query_scalar!("select district from dispatch.alert where alert_id = $1", alert_id.uuid())
        .fetch_optional(shared.database.pool())
        .await?;
    let Some(district) = taken_over else { return Ok(approved::find(shared, alert_id).await?.district) };
    district.map(DistrictCode::try_from).transpose().map_err(|error| Error::damaged("district", alert_id, error))
}

pub(super) async fn load(shared: &Shared, alert_id: AlertId) -> Result<(Delivery, Option<DistrictCode>), Error> {
    let alert = sqlx::query!(
        r#"select class, state, exercise, district, approved_at, release_at, released_at, due_at, handed_over_at, expires_at, ended_at
             from dispatch.alert where alert_id = $1"#,
        alert_id.uuid()
    )
    .fetch_optional(shared.database.pool())
    .await?;
    let Some(alert) = alert else { return Ok(being_planned(alert_id, approved::find(shared, alert_id).await?)) };
    let waves = waves(shared, alert_id).await?;
    let first_hand_over_at = waves.iter().flat_map(|wave| &wave.channels).filter_map(|channel| channel.first_hand_over_at).min();
    let district = alert.district.map(DistrictCode::try_from).transpose().map_err(|error| Error::damaged("district", alert_id, error))?;
    let Counted { whole: follow_ups, districts } = shared.visits.of(alert_id).await?;
    let delivery = Delivery {
        acknowledged: shared.acknowledged.total(alert_id).await?,
        follow_ups,
        districts,
        failures: failures(shared, alert_id).await?,
        set_aside: set_aside(shared, alert_id).await?,
        alert_id,
        class: alert.class.parse().map_err(|error: strum::ParseError| Error::damaged("class", alert_id, error))?,
        on_time: alert.handed_over_at.or(alert.ended_at).unwrap_or_else(|| shared.clock.now()) <= alert.due_at,
        state: alert.state,
        exercise: alert.exercise,
        approved_at: alert.approved_at,
        release_at: alert.release_at,
        released_at: alert.released_at,
        due_at: alert.due_at,
        first_hand_over_at,
        handed_over_at: alert.handed_over_at,
        expires_at: alert.expires_at,
        waves,
    };
    Ok((delivery, district))
}

/// The delivery of an alert that dispatch has not taken over yet: nothing has happened but its approval.
fn being_planned(alert_id: AlertId, alert: JustApproved) -> (Delivery, Option<DistrictCode>) {
    let delivery = Delivery {
        alert_id,
        class: alert.class,
        state: "planning".to_owned(),
        exercise: alert.exercise,
        approved_at: alert.approved_at,
        release_at: alert.release_at,
        released_at: None,
        due_at: alert.due_at,
        first_hand_over_at: None,
        handed_over_at: None,
        on_time: true,
        expires_at: alert.expires_at,
        acknowledged: 0,
        follow_ups: FollowUps::default(),
        districts: Vec::new(),
        failures: Vec::new(),
        set_aside: Vec::new(),
        waves: Vec::new(),
    };
    (delivery, alert.district)
}

async fn set_aside(shared: &Shared, alert_id: AlertId) -> Result<Vec<SetAside>, Error> {
    let rows = sqlx::query!(
        "select step, wave, failures, since, until, why from dispatch.set_aside where alert_id = $1 and failures >= $2 order by since",
        alert_id.uuid(),
        aside::RINGS,
    )
    .fetch_all(shared.database.pool())
    .await?;
    rows.into_iter()
        .map(|row| {
            let step = row.step.parse().map_err(|error: strum::ParseError| Error::damaged("step", alert_id, error))?;
            Ok(SetAside { step, wave: row.wave, failures: row.failures, since: row.since, next_at: row.until, why: row.why })
        })
        .collect()
}

async fn failures(shared: &Shared, alert_id: AlertId) -> Result<Vec<Failures>, Error> {
    let batches = sqlx::query!(
        r#"select channel, outcomes as "outcomes!" from dispatch.batch
            where alert_id = $1 and state = 'closed' and outcomes is not null and unreachable + fell_back + retried > 0
            order by batch_id desc limit 500"#,
        alert_id.uuid()
    )
    .fetch_all(shared.database.pool())
    .await?;
    let mut counted: BTreeMap<(Channel, Outcome), i64> = BTreeMap::new();
    for batch in batches {
        let Some(channel) = channel_of(alert_id, &batch.channel) else { continue };
        let outcomes = batch.outcomes.iter().filter_map(|byte| Outcome::try_from(*byte).ok());
        for outcome in outcomes.filter(|outcome| !matches!(outcome, Outcome::Pending | Outcome::Accepted | Outcome::Withdrawn)) {
            *counted.entry((channel, outcome)).or_default() += 1;
        }
    }
    let mut failures: Vec<_> = counted.into_iter().map(|((channel, reason), count)| Failures { channel, reason, count }).collect();
    failures.sort_by_key(|failure| std::cmp::Reverse(failure.count));
    Ok(failures)
}

/// The channel, if this version knows it.
fn channel_of(alert_id: AlertId, stored: &str) -> Option<Channel> {
    let channel = stored.parse().map_err(|error: strum::ParseError| Error::damaged("channel", alert_id, error));
    readable_row("channels of a delivery", channel)
}

async fn waves(shared: &Shared, alert_id: AlertId) -> Result<Vec<WaveDelivery>, Error> {
    let rows = sqlx::query!(
        "select wave, state, due_at, recipients, no_channel, planned_at, closed_at from dispatch.wave where alert_id = $1 order by wave",
        alert_id.uuid()
    )
    .fetch_all(shared.database.pool())
    .await?;
    let mut waves: Vec<WaveDelivery> = rows
        .into_iter()
        .map(|row| WaveDelivery {
            wave: row.wave,
            state: row.state,
            due_at: row.due_at,
            recipients: row.recipients,
            no_channel: row.no_channel,
            planned_at: row.planned_at,
            closed_at: row.closed_at,
            channels: Vec::new(),
        })
        .collect();
    let channels = sqlx::query!(
        r#"select wave, channel, count(*) as "batches!", count(*) filter (where state <> 'closed') as "batches_open!",
                  coalesce(sum(accepted), 0) as "accepted!", coalesce(sum(size - accepted) filter (where state <> 'closed'), 0) as "open!",
                  coalesce(sum(retried), 0) as "retried!", coalesce(sum(fell_back), 0) as "fell_back!",
                  coalesce(sum(unreachable), 0) as "unreachable!", coalesce(sum(withdrawn), 0) as "withdrawn!",
                  min(first_hand_over_at) as first_hand_over_at, max(closed_at) as last_closed_at
             from dispatch.batch where alert_id = $1 group by wave, channel order by wave, channel"#,
        alert_id.uuid()
    )
    .fetch_all(shared.database.pool())
    .await?;
    for row in channels {
        let Some(channel) = channel_of(alert_id, &row.channel) else { continue };
        if let Some(wave) = waves.iter_mut().find(|wave| wave.wave == row.wave) {
            wave.channels.push(ChannelDelivery {
                channel,
                batches: row.batches,
                batches_open: row.batches_open,
                accepted: row.accepted,
                open: row.open,
                retried: row.retried,
                fell_back: row.fell_back,
                unreachable: row.unreachable,
                withdrawn: row.withdrawn,
                first_hand_over_at: row.first_hand_over_at,
                last_closed_at: row.last_closed_at,
            });
        }
    }
    Ok(waves)
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use domain::alert::DeliveryClass::Urgent;

    use super::*;
    use crate::stories::city::{City, Store, alert, named, noon};

    #[tokio::test]
    async fn what_keeps_failing_for_an_alert_is_said_on_its_page_until_it_succeeds() {
        let city = City::new(Store::Postgres).await;
        city.residents(1..=3, true, false, false).await;
        let alert_id = city.approve(Urgent, alert(), named(1..=3)).await;
        city.damage("update dispatch.alert set audience = '\\x00' where alert_id = $1", alert_id).await;
        let shared = Shared::of(&city.platform, city.settings.quiet_hours);
        let said = async || load(&shared, alert_id).await.unwrap().0.set_aside;
        for failures in 1..=aside::RINGS {
            assert_eq!(said().await, [], "after fewer than {failures} failures");
            city.plan().await;
            city.forward(1);
        }
        let said_then = said().await;
        assert_eq!((said_then.len(), said_then[0].step, said_then[0].wave), (1, Step::Release, 0));
        assert!(said_then[0].why.starts_with("audience of "), "{said_then:?}");

        city.mend_audience(alert_id, &named(1..=3)).await;
        city.settle().await;
        assert_eq!(said().await, []);
        assert_eq!(city.phones.take(Channel::App), [1, 2, 3]);
    }

    #[tokio::test]
    async fn the_numbers_of_a_delivery_add_up() {
        let city = City::new(Store::Postgres).await;
        city.residents(1..=6, true, true, false).await;
        city.residents([7], false, false, false).await;
        city.phones.answers.lock().unwrap().extend([(1, vec![Outcome::EndpointGone]), (2, vec![Outcome::Temporary])]);
        let alert_id = city.approve(Urgent, alert(), named(1..=7)).await;
        city.settle().await;
        let shared = Shared::of(&city.platform, city.settings.quiet_hours);

        let (delivery, district) = load(&shared, alert_id).await.unwrap();
        let wave = &delivery.waves[0];
        let numbers: Vec<_> = wave.channels.iter().map(|c| (c.channel, c.accepted, c.open, c.retried, c.fell_back)).collect();
        assert_eq!(numbers, [(Channel::App, 4, 1, 1, 1), (Channel::Sms, 1, 0, 0, 0)]);
        assert_eq!((wave.recipients, wave.no_channel), (6, 1));
        assert_eq!(delivery.first_hand_over_at, Some(city.clock().now()));
        assert!(delivery.on_time && delivery.handed_over_at.is_none());
        assert_eq!(district.map(DistrictCode::get), Some(500_103));

        city.forward(31);
        city.settle().await;
        let (delivery, _) = load(&shared, alert_id).await.unwrap();
        assert!(!delivery.on_time, "the retry came after the deadline");
        assert!(matches!(load(&shared, AlertId::new()).await, Err(Error::NoSuchAlert)));
    }

    #[tokio::test]
    async fn an_alert_approved_a_moment_ago_is_being_planned_and_one_that_was_not_is_unknown() {
        let city = City::new(Store::Embedded).await;
        let shared = Shared::of(&city.platform, city.settings.quiet_hours);
        let alert_id = AlertId::new();
        city.shown_by_review(alert_id, Urgent, &alert(), &named(1..=7)).await;

        let (delivery, district) = load(&shared, alert_id).await.unwrap();
        assert_eq!((delivery.state.as_str(), delivery.class, delivery.on_time), ("planning", Urgent, true));
        assert_eq!((delivery.approved_at, delivery.due_at), (noon(), noon() + TimeDelta::minutes(30)));
        assert_eq!(district.map(DistrictCode::get), Some(500_103));
        assert_eq!(district_of(&shared, alert_id).await.unwrap(), district);

        city.hear_of_approval(alert_id).await;
        let (taken_over, _) = load(&shared, alert_id).await.unwrap();
        assert_eq!((taken_over.state.as_str(), taken_over.due_at), ("waiting", delivery.due_at), "what was said before holds");
    }

    #[rstest::rstest]
    #[case::in_time(10, true)]
    #[case::after_the_deadline(31, false)]
    #[tokio::test]
    async fn an_alert_that_was_cancelled_under_way_does_not_become_late_afterwards(#[case] cancelled_after: u32, #[case] on_time: bool) {
        let city = City::new(Store::Embedded).await;
        city.residents(1..=2, true, true, false).await;
        city.phones.answers.lock().unwrap().extend([(1, vec![Outcome::Temporary; 9])]);
        let alert_id = city.approve(Urgent, alert(), named(1..=2)).await;
        city.settle().await;
        city.forward(cancelled_after);
        city.cancel(alert_id).await;
        city.forward(600);
        let (delivery, _) = load(&Shared::of(&city.platform, city.settings.quiet_hours), alert_id).await.unwrap();
        assert_eq!((delivery.state.as_str(), delivery.on_time), ("cancelled", on_time));
    }
}
