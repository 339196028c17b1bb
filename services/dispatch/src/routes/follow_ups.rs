//! Follow-up items: who is to be visited, and what came of it. Residents appear by number; whoever may open their contact does so at resident.

use axum::extract::State;
use chrono::{DateTime, Utc};
use domain::ids::{AlertId, ResidentNo};
use platform::database::readable;
use platform::export::{Head, Listing};
use platform::http::{Json, Path, Problem, Query, StaffCaller, Within};
use proto::AuditEntry;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::shared::Shared;
use crate::ledger::number_of;
use crate::{Error, Reason, SCHEMA, VisitOutcome};

/// Items in one answer at most.
const PAGE: i64 = 100;

/// Which items.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Wanted {
    /// Those that have an outcome instead of those that are open.
    #[serde(default)]
    pub(super) closed: bool,
    /// The last id of the page before.
    #[serde(default)]
    pub(super) after: i64,
}

/// One resident to visit about one alert.
#[derive(Serialize, ToSchema)]
pub(super) struct FollowUp {
    id: i64,
    alert_id: AlertId,
    /// The alert's Chinese headline.
    headline: String,
    /// Part of an exercise: nobody is really to be visited.
    exercise: bool,
    resident_no: ResidentNo,
    #[schema(example = 500101001001_i64)]
    community: i64,
    reason: Reason,
    /// They have written back since, and nobody has answered yet: their words are read first, at the feedback of the area.
    wrote_back: bool,
    opened_at: DateTime<Utc>,
    outcome: Option<VisitOutcome>,
    closed_at: Option<DateTime<Utc>>,
}

/// The columns of a file of them.
pub(super) const HEADS: &[Head] = &[
    ("事项编号", "Item"),
    ("弹窗编号", "Alert id"),
    ("标题", "Headline (Chinese)"),
    ("演练", "Exercise"),
    ("居民编号", "Resident number"),
    ("社区代码", "Community"),
    ("原因", "Reason"),
    ("已书面回复", "Wrote back"),
    ("产生时间", "Opened at"),
    ("结果", "Outcome"),
    ("完成时间", "Closed at"),
];

impl FollowUp {
    pub(super) fn id(&self) -> i64 {
        self.id
    }

    /// As a row of a file.
    pub(super) fn cells(&self, listing: &Listing) -> Vec<String> {
        vec![
            self.id.to_string(),
            self.alert_id.to_string(),
            self.headline.clone(),
            listing.yes_or_no(self.exercise),
            self.resident_no.to_string(),
            self.community.to_string(),
            match self.reason {
                Reason::Silent => listing.word("未确认", "silent"),
                Reason::Unreachable => listing.word("未送达", "not reached"),
            },
            listing.yes_or_no(self.wrote_back),
            listing.time(self.opened_at),
            match self.outcome {
                None => String::new(),
                Some(VisitOutcome::Informed) => listing.word("已告知", "informed"),
                Some(VisitOutcome::NotFound) => listing.word("未找到", "not found"),
                Some(VisitOutcome::Refused) => listing.word("拒绝", "refused"),
                Some(VisitOutcome::NeedsHelp) => listing.word("需要帮助", "needs help"),
            },
            self.closed_at.map(|at| listing.time(at)).unwrap_or_default(),
        ]
    }
}

/// The follow-up items of the caller's area, oldest first, 100 at a time. Who has acknowledged in the meantime is not among the open ones, nor who wrote back and was answered, nor anybody whose alert was withdrawn, for all or for them, corrected, or for a whole area and is over.
#[utoipa::path(get, path = "/api/v1/follow-ups", params(Wanted), responses((status = 200, description = "A page of them", body = Vec<FollowUp>)))]
pub(super) async fn list(
    State(shared): State<Shared>,
    caller: StaffCaller,
    Query(wanted): Query<Wanted>,
) -> Result<Json<Vec<FollowUp>>, Problem> {
    Ok(Json(load(&shared, Within::of(&caller.scope), &wanted).await?))
}

/// What came of a visit.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Visit {
    outcome: VisitOutcome,
}

/// Enters what came of a visit. Once: a second outcome is a conflict.
#[utoipa::path(
    post,
    path = "/api/v1/follow-ups/{id}/outcome",
    params(("id" = i64, Path, description = "The item")),
    request_body = Visit,
    responses(
        (status = 204, description = "Entered"),
        (status = 404, description = "No such item in the caller's area"),
        (status = 409, description = "It has an outcome already")
    )
)]
pub(super) async fn enter_outcome(
    State(shared): State<Shared>,
    caller: StaffCaller,
    Path(id): Path<i64>,
    Json(visit): Json<Visit>,
) -> Result<axum::http::StatusCode, Problem> {
    close(&shared, &caller, id, visit.outcome).await?;
    Ok(axum::http::StatusCode::NO_CONTENT)
}

pub(super) async fn load(shared: &Shared, within: Within, wanted: &Wanted) -> Result<Vec<FollowUp>, Error> {
    let rows = sqlx::query!(
        r#"select f.follow_up_id, f.alert_id, f.resident_no, f.community, f.reason, f.opened_at, f.outcome, f.closed_at, a.exercise,
                  coalesce(a.content -> 'texts' -> 'zh-CN' ->> 'headline', '') as "headline!", coalesce(wrote.unread, false) as "wrote_back!"
             from dispatch.follow_up f join dispatch.alert a using (alert_id)
            cross join lateral (
                  -- none of those who have not written
                  select bool_or(not w.read) as unread from resident.wrote_back w
                   where w.alert_id = f.alert_id and w.resident_no = f.resident_no) as wrote
            where ($1 or f.district = $2 or f.community = $3) and f.follow_up_id > $4 and (f.outcome is not null) = $5
              -- nobody is visited about an alert that was withdrawn, or is being checked; a person whom an alert named is visited after its end as well
              and ($5 or a.state in ('waiting', 'dispatching', 'active') or a.state = 'closed' and a.personal)
              and ($5 or a.held_at is null)
              and ($5 or not exists (select from resident.acknowledged k where k.alert_id = f.alert_id and k.resident_no = f.resident_no))
              and ($5 or not exists (select from dispatch.withdrawn_for d where d.alert_id = f.alert_id and d.resident_no = f.resident_no))
              -- what staff have answered is dealt with
              and ($5 or coalesce(wrote.unread, true))
            order by f.follow_up_id limit $6"#,
        within.everywhere,
        within.district,
        within.community,
        wanted.after,
        wanted.closed,
        PAGE,
    )
    .fetch_all(shared.database.pool())
    .await?;
    let items = rows.into_iter().map(|row| {
        let unreadable = |error: strum::ParseError| Error::damaged("follow-up item", row.follow_up_id, error);
        Ok::<_, Error>(FollowUp {
            id: row.follow_up_id,
            alert_id: AlertId::from_uuid(row.alert_id),
            headline: row.headline,
            exercise: row.exercise,
            resident_no: ResidentNo::new(number_of(row.resident_no)?),
            community: row.community,
            reason: row.reason.parse().map_err(unreadable)?,
            wrote_back: row.wrote_back,
            opened_at: row.opened_at,
            outcome: row.outcome.map(|outcome| outcome.parse()).transpose().map_err(unreadable)?,
            closed_at: row.closed_at,
        })
    });
    Ok(readable("follow-ups", items))
}

async fn close(shared: &Shared, caller: &StaffCaller, id: i64, outcome: VisitOutcome) -> Result<(), Error> {
    let (now, within) = (shared.clock.now(), Within::of(&caller.scope));
    let mut tx = shared.database.begin().await?;
    let item = sqlx::query!(
        r#"select alert_id, district, outcome from dispatch.follow_up
            where follow_up_id = $1 and ($2 or district = $3 or community = $4) for update"#,
        id,
        within.everywhere,
        within.district,
        within.community,
    )
    .fetch_optional(&mut *tx)
    .await?
    .ok_or(Error::NoSuchFollowUp)?;
    if item.outcome.is_some() {
        return Err(Error::FollowUpClosed);
    }
    sqlx::query!(
        "update dispatch.follow_up set outcome = $2, closed_by = $3, closed_at = $4 where follow_up_id = $1",
        id,
        outcome.as_ref(),
        caller.id.uuid(),
        now,
    )
    .execute(&mut *tx)
    .await?;
    let entry = AuditEntry {
        entry_id: Uuid::now_v7().to_string(),
        actor_kind: "staff".to_owned(),
        actor: caller.id.to_string(),
        role: caller.role.to_string(),
        action: "follow_up.outcome".to_owned(),
        object_kind: "follow_up".to_owned(),
        object: id.to_string(),
        district: u32::try_from(item.district).ok(),
        at_ms: now.timestamp_millis(),
        detail_json: serde_json::json!({ "alert_id": item.alert_id, "outcome": outcome }).to_string(),
        ..AuditEntry::default()
    };
    tx.publish(SCHEMA, &entry).await?;
    Ok(tx.commit().await?)
}

#[cfg(test)]
mod tests {
    use domain::alert::DeliveryClass::Urgent;
    use domain::outcome::Outcome;
    use domain::staff::Role;

    use super::*;
    use crate::stories::city::{City, Store, alert, named, staff};

    const OPEN: Wanted = Wanted { closed: false, after: 0 };

    /// A city with two unreachable residents of community 500103001001.
    async fn with_two_items() -> (City, Shared, AlertId) {
        let city = City::new(Store::Postgres).await;
        city.residents(1..=2, true, false, false).await;
        city.phones.answers.lock().unwrap().extend([(1, vec![Outcome::EndpointGone]), (2, vec![Outcome::EndpointGone])]);
        let alert_id = city.approve(Urgent, alert(), named(1..=2)).await;
        city.settle().await;
        let shared = Shared::of(&city.platform, &city.settings);
        (city, shared, alert_id)
    }

    #[rstest::rstest]
    #[case::own_community("community:500103001001", 2)]
    #[case::another_community("community:500103001002", 0)]
    #[case::own_district("district:500103", 2)]
    #[case::another_district("district:500105", 0)]
    #[case::city("city", 2)]
    #[case::an_industry("industry:education", 0)]
    #[tokio::test]
    async fn items_are_shown_within_the_scope(#[case] scope: &str, #[case] shown: usize) {
        let (_city, shared, _) = with_two_items().await;
        assert_eq!(load(&shared, Within::of(&scope.parse().unwrap()), &OPEN).await.unwrap().len(), shown);
    }

    #[tokio::test]
    async fn an_outcome_is_entered_once_by_somebody_of_the_area_and_leaves_a_trace() {
        let (city, shared, alert_id) = with_two_items().await;
        let (worker, stranger) =
            (staff(Role::CommunityWorker, "community:500103001001"), staff(Role::CommunityWorker, "community:500103001002"));
        let items = load(&shared, Within::of(&worker.scope), &OPEN).await.unwrap();

        assert!(matches!(close(&shared, &stranger, items[0].id, VisitOutcome::Informed).await, Err(Error::NoSuchFollowUp)));
        close(&shared, &worker, items[0].id, VisitOutcome::NeedsHelp).await.unwrap();
        assert!(matches!(close(&shared, &worker, items[0].id, VisitOutcome::Informed).await, Err(Error::FollowUpClosed)));
        assert_eq!(city.told::<AuditEntry>().await.len(), 1);

        let closed = load(&shared, Within::of(&worker.scope), &Wanted { closed: true, after: 0 }).await.unwrap();
        assert_eq!((closed.len(), closed[0].outcome), (1, Some(VisitOutcome::NeedsHelp)));
        city.acknowledge(alert_id, [2]).await;
        assert!(load(&shared, Within::of(&worker.scope), &OPEN).await.unwrap().is_empty(), "who has acknowledged need not be visited");
    }

    const CITY: Within = Within { everywhere: true, district: None, community: None };

    /// What the delivery page counts as open, closed and dropped.
    async fn counted(city: &City, alert_id: AlertId) -> serde_json::Value {
        // a page that has not looked before counts anew
        let shared = Shared::of(&city.platform, &city.settings);
        let (delivery, _) = super::super::delivery::load(&shared, alert_id).await.unwrap();
        serde_json::to_value(delivery).unwrap()["follow_ups"].clone()
    }

    #[tokio::test]
    async fn the_delivery_page_counts_as_open_what_the_list_shows() {
        let (city, shared, alert_id) = with_two_items().await;
        assert_eq!(counted(&city, alert_id).await, serde_json::json!({ "open": 2, "closed": 0, "dropped": 0 }));
        city.acknowledge(alert_id, [2]).await;
        assert_eq!(load(&shared, CITY, &OPEN).await.unwrap().len(), 1);
        assert_eq!(counted(&city, alert_id).await, serde_json::json!({ "open": 1, "closed": 0, "dropped": 1 }));
        let item = load(&shared, CITY, &OPEN).await.unwrap()[0].id;
        close(&shared, &staff(Role::CityCommandOfficer, "city"), item, VisitOutcome::Informed).await.unwrap();
        assert_eq!(counted(&city, alert_id).await, serde_json::json!({ "open": 0, "closed": 1, "dropped": 1 }));
    }

    #[tokio::test]
    async fn who_has_written_back_is_shown_as_such_until_staff_have_answered() {
        let (city, shared, alert_id) = with_two_items().await;
        let shown = async || {
            let items = load(&shared, CITY, &OPEN).await.unwrap();
            items.into_iter().map(|item| (item.resident_no.get(), item.wrote_back)).collect::<Vec<_>>()
        };
        city.write_back(alert_id, [1], false).await;
        assert_eq!(shown().await, [(1, true), (2, false)]);
        assert_eq!(counted(&city, alert_id).await, serde_json::json!({ "open": 2, "closed": 0, "dropped": 0 }));
        city.write_back(alert_id, [1], true).await;
        assert_eq!(shown().await, [(2, false)], "it is dealt with");
        assert_eq!(counted(&city, alert_id).await, serde_json::json!({ "open": 1, "closed": 0, "dropped": 1 }));
    }

    #[tokio::test]
    async fn nobody_is_visited_about_an_alert_that_was_withdrawn() {
        let (city, shared, alert_id) = with_two_items().await;
        city.cancel(alert_id).await;
        assert!(load(&shared, CITY, &OPEN).await.unwrap().is_empty());
        assert_eq!(counted(&city, alert_id).await, serde_json::json!({ "open": 0, "closed": 0, "dropped": 2 }));
    }

    #[rstest::rstest]
    #[case::of_people_it_named(true, 2)]
    #[case::of_a_whole_area(false, 0)]
    #[tokio::test]
    async fn after_its_end_only_those_are_visited_whom_an_alert_named(#[case] personal: bool, #[case] shown: usize) {
        let (city, shared, alert_id) = with_two_items().await;
        sqlx::query("update dispatch.alert set personal = $2 where alert_id = $1")
            .bind(alert_id.uuid())
            .bind(personal)
            .execute(city.database().pool())
            .await
            .unwrap();
        city.forward(3 * 24 * 60);
        city.settle().await;
        assert_eq!(city.state(alert_id).await, "closed");
        assert_eq!(load(&shared, CITY, &OPEN).await.unwrap().len(), shown);
    }

    #[tokio::test]
    async fn who_has_moved_is_visited_where_they_live_now() {
        let (city, shared, _) = with_two_items().await;
        let here = Within::of(&"community:500103001001".parse().unwrap());
        let there = Within::of(&"community:500104001001".parse().unwrap());
        sqlx::query("update resident.reach set district = 500104, township = 500104001, community = 500104001001 where resident_no = 1")
            .execute(city.database().pool())
            .await
            .unwrap();
        assert_eq!(crate::follow_ups::moved(city.database()).await.unwrap(), 1);
        let shown = async |within| {
            let items = load(&shared, within, &OPEN).await.unwrap();
            items.into_iter().map(|item| item.resident_no.get()).collect::<Vec<_>>()
        };
        assert_eq!((shown(here).await, shown(there).await), (vec![2], vec![1]));
        assert_eq!(crate::follow_ups::moved(city.database()).await.unwrap(), 0);
    }

    #[tokio::test]
    async fn one_item_that_cannot_be_read_hides_no_other() {
        let (city, shared, _) = with_two_items().await;
        sqlx::query("update dispatch.follow_up set resident_no = -1 where resident_no = 1").execute(city.database().pool()).await.unwrap();
        let items = load(&shared, CITY, &OPEN).await.unwrap();
        assert_eq!(items.iter().map(|item| item.resident_no.get()).collect::<Vec<_>>(), [2]);
    }
}
