//! How the delivery of an alert goes. Numbers only, no persons.

use std::collections::BTreeMap;

use axum::extract::State;
use chrono::{DateTime, Utc};
use domain::alert::DeliveryClass;
use domain::area::{Area, DistrictCode};
use domain::ids::{AlertId, WaveNo};
use domain::outcome::{Channel, Outcome};
use domain::staff::Scope;
use platform::http::{Json, PathId, Problem, StaffCaller};
use serde::Serialize;
use utoipa::ToSchema;

use super::approved::{self, JustApproved};
use super::proof::{self, DeliveryProof, UnlikeApproved};
use super::sending_again::{self, SendingAgain};
use super::shared::Shared;
use super::visits::{Counted, DistrictFollowUps, FollowUps};
use super::waves::{WaveDelivery, channel_of, first_hand_over_at, waves};
use super::withdrawn_for::{self, WithdrawnFor};
use super::wrote_back::Writers;
use crate::Error;
use crate::aside::{self, Step};
use crate::undelivered;

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
    /// Done by the deadline, or still possible; for an alert that was stopped before everybody was reached, whether it was before the deadline. One
    /// whose validity ended before has not held it. Of how many people a deadline was missed stands with each wave.
    on_time: bool,
    expires_at: DateTime<Utc>,
    /// Since when it is being checked: nothing of it is sent until it is known whether it holds.
    held_at: Option<DateTime<Utc>>,
    /// People who have acknowledged, but for those for whom it was withdrawn; counted anew every second at most.
    acknowledged: i64,
    /// People who wrote back in words instead of acknowledging. They are not reminded, and not visited as silent: staff read what they wrote.
    wrote_back: Writers,
    /// People whom an SMS did not reach although the SMS centre had taken it; the app or a visit tells them.
    undelivered: i64,
    follow_ups: FollowUps,
    /// Those districts first in which most are still to be visited.
    districts: Vec<DistrictFollowUps>,
    /// Why people were not reached at the first try, the commonest first. Of the last 500 batches in which some were not.
    failures: Vec<Failures>,
    /// What keeps failing for this alert and is set aside, so that others go on: people are not told because of it.
    set_aside: Vec<SetAside>,
    waves: Vec<WaveDelivery>,
    /// How those are told that the alert has ended to whom it was handed over, where staff ended it. Apart from the waves, so that nobody is counted twice.
    withdrawal: Option<WaveDelivery>,
    /// For whom alone it was withdrawn, while it stands for everybody else.
    withdrawn_for: WithdrawnFor,
    /// How often it was sent again to those it had not reached.
    sent_again: Vec<SendingAgain>,
    /// What was approved and what left, as digests; none of what was approved before there were seals.
    proof: Option<DeliveryProof>,
    /// It is held because what would leave is not what was approved.
    unlike: Option<UnlikeApproved>,
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
    Ok(Json(delivery.seen_from(&caller.scope)))
}

impl Delivery {
    /// Without the districts that the scope does not hold: of an alert of the whole city each sees its own visits.
    pub(super) fn seen_from(mut self, scope: &Scope) -> Self {
        self.districts.retain(|district| scope.covers(Area::District(district.district)));
        self
    }
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
        r#"select class, state, exercise, district, approved_at, release_at, released_at, due_at, handed_over_at, expires_at, ended_at, held_at, unlike_at
             from dispatch.alert where alert_id = $1"#,
        alert_id.uuid()
    )
    .fetch_optional(shared.database.pool())
    .await?;
    let Some(alert) = alert else { return Ok(being_planned(alert_id, approved::find(shared, alert_id).await?)) };
    let mut waves = waves(shared, alert_id).await?;
    let withdrawal = waves.pop_if(|wave| wave.wave == i16::from(WaveNo::WITHDRAWAL.get()));
    let first_hand_over_at = first_hand_over_at(&waves);
    let district = alert.district.map(DistrictCode::try_from).transpose().map_err(|error| Error::damaged("district", alert_id, error))?;
    let Counted { whole: follow_ups, districts } = shared.visits.of(alert_id).await?;
    // what is over waits for nobody's word
    let held_since = alert.unlike_at.filter(|_| matches!(alert.state.as_str(), "waiting" | "dispatching" | "active"));
    let delivery = Delivery {
        acknowledged: shared.acknowledged.total(alert_id).await?,
        wrote_back: shared.wrote_back.of(alert_id).await?,
        undelivered: undelivered::count(&shared.database, alert_id).await?,
        follow_ups,
        districts,
        failures: failures(shared, alert_id).await?,
        set_aside: set_aside(shared, alert_id).await?,
        alert_id,
        class: alert.class.parse().map_err(|error: strum::ParseError| Error::damaged("class", alert_id, error))?,
        on_time: match alert.handed_over_at {
            None if alert.state == "closed" => false,
            handed_over_at => handed_over_at.or(alert.ended_at).unwrap_or_else(|| shared.clock.now()) <= alert.due_at,
        },
        state: alert.state,
        exercise: alert.exercise,
        approved_at: alert.approved_at,
        release_at: alert.release_at,
        released_at: alert.released_at,
        due_at: alert.due_at,
        first_hand_over_at,
        handed_over_at: alert.handed_over_at,
        expires_at: alert.expires_at,
        held_at: alert.held_at,
        waves,
        withdrawal,
        withdrawn_for: withdrawn_for::count(&shared.database, alert_id).await?,
        sent_again: sending_again::rounds(shared, alert_id).await?,
        proof: proof::proof(shared, alert_id).await?,
        unlike: proof::held(shared, alert_id, held_since).await?,
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
        held_at: None,
        acknowledged: 0,
        wrote_back: Writers::default(),
        undelivered: 0,
        follow_ups: FollowUps::default(),
        districts: Vec::new(),
        failures: Vec::new(),
        set_aside: Vec::new(),
        waves: Vec::new(),
        withdrawal: None,
        withdrawn_for: WithdrawnFor::default(),
        sent_again: Vec::new(),
        proof: None,
        unlike: None,
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
            where alert_id = $1 and wave <= 2 and state = 'closed' and outcomes is not null and unreachable + fell_back + retried > 0
            order by batch_id desc limit 500"#,
        alert_id.uuid()
    )
    .fetch_all(shared.database.pool())
    .await?;
    let mut counted: BTreeMap<(Channel, Outcome), i64> = BTreeMap::new();
    for batch in batches {
        let Some(channel) = channel_of(alert_id, &batch.channel) else { continue };
        let outcomes = batch.outcomes.iter().filter_map(|byte| Outcome::try_from(*byte).ok());
        for outcome in outcomes.filter(|outcome| !outcome.is_handed_over() && !matches!(outcome, Outcome::Pending | Outcome::Withdrawn)) {
            *counted.entry((channel, outcome)).or_default() += 1;
        }
    }
    let mut failures: Vec<_> = counted.into_iter().map(|((channel, reason), count)| Failures { channel, reason, count }).collect();
    failures.sort_by_key(|failure| std::cmp::Reverse(failure.count));
    Ok(failures)
}

#[cfg(test)]
mod tests;
