//! Sending again to whoever an alert did not reach, asked for by an officer.

use axum::extract::State;
use chrono::{DateTime, Utc};
use domain::ids::AlertId;
use domain::second_factor::{Act, MANY_PEOPLE};
use platform::http::{Json, Path, Problem, StaffCaller};
use proto::AuditEntry;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::shared::Shared;
use crate::sending_again::{Asked, ask};
use crate::{Error, SCHEMA, signals};

/// One round of sending again to those who were not reached.
#[derive(Debug, PartialEq, Serialize, ToSchema)]
pub(super) struct SendingAgain {
    /// From 1.
    round: i16,
    asked_at: DateTime<Utc>,
    /// People who were not reached when it was asked for.
    people: i64,
    /// Of them: sent to again so far. The others have acknowledged, or are reachable neither by app nor by SMS.
    sent: i64,
    /// When it was known whom it goes to; until then it is under way.
    planned_at: Option<DateTime<Utc>>,
}

/// For how many people.
#[derive(Clone, Copy, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ForPeople {
    /// How many were not reached as far as the officer knows; when there are more by now, nobody is sent to.
    people: i64,
}

/// Sends an alert again to those it did not reach: all who were given up as unreachable, have not acknowledged, and have the app or a phone.
///
/// For after something was mended that kept it from them. Rounds count from 1; asking for a round that is there already changes nothing and answers
/// with it.
#[utoipa::path(
    put,
    path = "/api/v1/alerts/{id}/delivery/again/{round}",
    params(("id" = AlertId, Path, description = "The alert"), ("round" = i16, Path, description = "The next round: one more than there were")),
    request_body = ForPeople,
    responses(
        (status = 200, description = "The round", body = SendingAgain),
        (status = 404, description = "Not approved, or unknown"),
        (status = 409, description = "It has ended, everybody was reached, another round is under way, or more people than that were not reached")
    )
)]
pub(super) async fn send_again(
    State(shared): State<Shared>,
    caller: StaffCaller,
    Path((alert_id, round)): Path<(AlertId, i16)>,
    Json(body): Json<ForPeople>,
) -> Result<Json<SendingAgain>, Problem> {
    let now = shared.clock.now();
    caller.may_act(now)?;
    caller.must_have_proved(Act::SendAgain { people: u64::try_from(body.people).ok(), many: MANY_PEOPLE }, now)?;
    Ok(Json(noted(&shared, &caller, alert_id, round, body).await?))
}

async fn noted(shared: &Shared, caller: &StaffCaller, alert_id: AlertId, round: i16, body: ForPeople) -> Result<SendingAgain, Error> {
    let now = shared.clock.now();
    let mut tx = shared.database.begin().await?;
    let new = ask(&mut tx, Asked { alert_id, round, people: body.people, by: caller.id }, now).await?;
    let row = sqlx::query!(
        r#"select g.asked_at, g.people, g.sent, g.planned_at, a.district
             from dispatch.sending_again g join dispatch.alert a using (alert_id) where g.alert_id = $1 and g.round = $2"#,
        alert_id.uuid(),
        round,
    )
    .fetch_one(&mut *tx)
    .await?;
    if new {
        let entry = AuditEntry {
            district: row.district.map(i32::cast_unsigned),
            detail_json: serde_json::json!({ "round": round, "people": row.people }).to_string(),
            ..caller.did("alert.send_again", "alert", alert_id, now)
        };
        tx.publish(SCHEMA, &entry).await?;
    }
    tx.commit().await?;
    if new {
        tracing::info!(%alert_id, round, people = row.people, "sending again to those who were not reached was asked for");
        signals::REMINDERS.wake();
    }
    Ok(SendingAgain { round, asked_at: row.asked_at, people: row.people, sent: row.sent, planned_at: row.planned_at })
}

/// The rounds of an alert, oldest first.
pub(super) async fn rounds(shared: &Shared, alert_id: AlertId) -> Result<Vec<SendingAgain>, Error> {
    let rounds = sqlx::query_as!(
        SendingAgain,
        "select round, asked_at, people, sent, planned_at from dispatch.sending_again where alert_id = $1 order by round",
        alert_id.uuid()
    )
    .fetch_all(shared.database.pool())
    .await?;
    Ok(rounds)
}

#[cfg(test)]
mod tests {
    use axum::http::StatusCode;
    use axum::response::IntoResponse as _;
    use domain::alert::DeliveryClass::Urgent;
    use domain::outcome::{Channel, Outcome};
    use domain::staff::Role;

    use super::*;
    use crate::stories::city::{City, Store, alert, named, staff};

    #[tokio::test]
    async fn a_round_is_asked_for_once_leaves_a_trace_and_shows_on_the_page_how_far_it_is() {
        let city = City::new(Store::Postgres).await;
        city.residents(1..=6, false, true, false).await;
        city.phones.answers.lock().unwrap().extend((1..=4).map(|number| (number, vec![Outcome::Permanent])));
        let alert_id = city.approve(Urgent, alert(), named(1..=6)).await;
        city.settle().await;
        let shared = Shared::of(&city.platform, &city.settings);
        let officer = staff(Role::CityCommandOfficer, "city");
        city.phones.sent.lock().unwrap().clear();
        let many = Json(ForPeople { people: 100_001 });
        let refused = send_again(State(shared.clone()), officer.clone(), Path((alert_id, 1)), many).await;
        assert_eq!(refused.err().unwrap().into_response().status(), StatusCode::FORBIDDEN, "to very many with a fresh proof only");

        let first = noted(&shared, &officer, alert_id, 1, ForPeople { people: 4 }).await.unwrap();
        assert_eq!((first.people, first.sent, first.planned_at), (4, 0, None));
        assert_eq!(noted(&shared, &officer, alert_id, 1, ForPeople { people: 4 }).await.unwrap(), first, "a repeat answers the same");
        let trace = city.told::<AuditEntry>().await;
        assert_eq!((trace.len(), trace[0].action.as_str(), trace[0].district), (1, "alert.send_again", Some(500_103)));
        city.settle().await;
        assert_eq!(city.phones.take(Channel::Sms), [1, 2, 3, 4]);
        let after = rounds(&shared, alert_id).await.unwrap();
        assert_eq!((after[0].sent, after[0].planned_at), (4, Some(city.clock().now())));
        assert!(matches!(noted(&shared, &officer, alert_id, 2, ForPeople { people: 4 }).await, Err(Error::EverybodyReached)));
    }
}
