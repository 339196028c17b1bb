//! Alerts that end before everybody was reached.

use chrono::TimeDelta;
use domain::alert::DeliveryClass::{Routine, Urgent};
use domain::area::Area;
use domain::audience::{Audience, AudienceQuery};
use domain::ids::AlertId;
use domain::outcome::{Channel, Outcome};
use proto::{AlertClosed, AlertReleased};
use rstest::rstest;
use stages::soon;

use super::city::{named, noon};
use super::{City, Store, alert};
use crate::ledger::{Report, Standing};
use crate::planning::{Line, Planner};
use crate::{ending, progress};

const WITHDRAWN: &str = "select sum(withdrawn)::bigint from dispatch.batch where alert_id = $1";
const OPEN: &str = "select count(*) from dispatch.batch where alert_id = $1 and state <> 'closed'";

#[rstest]
#[case::embedded(Store::Embedded)]
#[case::postgres(Store::Postgres)]
#[tokio::test]
async fn a_cancellation_withdraws_what_is_not_yet_sent(#[case] store: Store) {
    let city = City::new(store).await;
    city.residents(1..=20, true, true, false).await;
    let alert_id = city.approve(Routine, alert(), named(1..=20)).await;
    city.plan().await;
    let released = city.pump().await;
    let claimed = city.ledger.claim(released[0], "holder").await.unwrap().expect("released");
    city.cancel(alert_id).await;
    city.cancel(alert_id).await;

    assert_eq!(city.state(alert_id).await, "cancelled");
    assert!(city.ledger.claim(released[1], "holder").await.unwrap().is_none());
    assert!(city.pump().await.is_empty());

    // The holder of a claimed batch learns it at the checkpoint; its failures become no retry.
    let mut report =
        Report { outcomes: claimed.outcomes.clone(), gone: vec![], again: vec![], first_hand_over_at: None, retry_after: None };
    report.outcomes.set(0, Outcome::Accepted);
    report.outcomes.set(1, Outcome::Temporary);
    assert_eq!(city.ledger.checkpoint(&claimed, &report).await.unwrap(), Standing::Ended);
    city.ledger.close(claimed, report).await.unwrap();
    assert_eq!(city.number(OPEN, alert_id).await, 0);
    assert_eq!(city.number(WITHDRAWN, alert_id).await, 19);
    city.settle().await;
    assert_eq!(city.phones.take(Channel::App), [1], "whoever was handed it is told, and nobody else");
}

#[rstest]
#[case::embedded(Store::Embedded)]
#[case::postgres(Store::Postgres)]
#[tokio::test]
async fn a_stop_that_arrives_before_the_approval_still_holds(#[case] store: Store) {
    let city = City::new(store).await;
    city.residents([1], true, false, false).await;
    let alert_id = AlertId::new();
    city.shown_by_review(alert_id, Urgent, &alert(), &named([1])).await;
    city.cancel(alert_id).await;
    city.hear_of_approval(alert_id).await;
    city.settle().await;
    assert_eq!(city.state(alert_id).await, "cancelled");
    assert!(city.phones.take(Channel::App).is_empty() && city.told::<AlertReleased>().await.is_empty());
}

#[tokio::test]
async fn a_cancelled_alert_in_the_middle_of_its_planning_plans_no_further() {
    let city = City::new(Store::Postgres).await;
    city.residents(1..=40, true, false, false).await;
    let alert_id = city.approve(Urgent, alert(), named(1..=40)).await;
    city.plan_chunk().await;
    city.cancel(alert_id).await;
    city.settle().await;
    assert_eq!(city.in_batches(alert_id, 1).await, (1..=5).collect());
    assert!(city.phones.take(Channel::App).is_empty());
}

#[rstest]
#[case::embedded(Store::Embedded)]
#[case::postgres(Store::Postgres)]
#[tokio::test]
async fn an_alert_is_closed_when_its_validity_is_over_and_the_rest_is_withdrawn(#[case] store: Store) {
    let city = City::new(store).await;
    city.residents(1..=20, true, false, false).await;
    let alert_id = city.approve(Routine, alert(), named(1..=20)).await;
    city.plan().await;
    assert_eq!(city.send_window().await, 2);
    city.clock().set(noon() + TimeDelta::days(2));
    city.settle().await;
    assert_eq!(city.state(alert_id).await, "closed");
    assert_eq!(city.number(WITHDRAWN, alert_id).await, 10);
    assert_eq!(city.told::<AlertClosed>().await.len(), 1);
}

#[rstest]
#[case::embedded(Store::Embedded)]
#[case::postgres(Store::Postgres)]
#[tokio::test]
async fn a_stop_waits_for_no_planner_and_holds_before_the_planner_ends(#[case] store: Store) {
    let city = City::new(store).await;
    city.residents(1..=20, true, true, false).await;
    let alert_id = city.approve(Urgent, alert(), named(1..=20)).await;
    city.plan_chunk().await;
    let released = city.pump().await;
    let claimed = city.ledger.claim(released[0], "holder").await.unwrap().expect("released");
    // a planner in the middle of its chunk
    let mut planner = city.database().begin().await.unwrap();
    sqlx::query("select from dispatch.wave for update").execute(&mut *planner).await.unwrap();

    soon("the stop is there", city.hear_of_stop(alert_id)).await;
    assert_eq!(city.state(alert_id).await, "cancelled");
    let mut report =
        Report { outcomes: claimed.outcomes.clone(), gone: vec![], again: vec![], first_hand_over_at: None, retry_after: None };
    report.outcomes.set(0, Outcome::Accepted);
    assert_eq!(city.ledger.checkpoint(&claimed, &report).await.unwrap(), Standing::Ended, "whoever sends learns it");
    assert!(!ending::withdraw_next(city.database(), city.clock()).await.unwrap(), "nobody waits for the planner");

    planner.rollback().await.unwrap();
    city.ledger.close(claimed, report).await.unwrap();
    city.settle().await;
    assert_eq!((city.number(OPEN, alert_id).await, city.number(WITHDRAWN, alert_id).await), (0, 4));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stops_planners_and_the_watch_never_stand_in_each_others_way() {
    let city = City::new(Store::Postgres).await;
    city.residents(1..=60, true, false, false).await;
    for _ in 0..40 {
        let audience = Audience::Query(AudienceQuery::everybody_in(Area::City));
        let alert_id = city.approve(Urgent, alert(), audience).await;
        city.plan_chunk().await;
        let planning = async { while city.planner.turn().await.unwrap() {} };
        let watching = async {
            for _ in 0..10 {
                progress::close_wave(city.database(), city.clock()).await.unwrap();
                ending::withdraw_next(city.database(), city.clock()).await.unwrap();
            }
        };
        let other = Planner::new(&city.platform, city.settings.clone(), Line::Urgent);
        let planning_too = async { while other.turn().await.unwrap() {} };
        tokio::join!(planning, planning_too, watching, city.hear_of_stop(alert_id));
        city.withdraw().await;
        assert_eq!(city.state(alert_id).await, "cancelled");
        assert_eq!(city.number(OPEN, alert_id).await, 0);
        let failed = "select count(*) from dispatch.set_aside where alert_id = $1";
        assert_eq!(city.number(failed, alert_id).await, 0, "no step failed, as one of two in a deadlock would");
    }
}

#[tokio::test]
async fn an_alert_that_expires_before_the_night_is_over_is_never_released() {
    let city = City::new(Store::Postgres).await;
    city.residents([1], true, false, false).await;
    city.clock().set(noon() + TimeDelta::hours(11));
    let mut brief = alert();
    brief.expires_at = noon() + TimeDelta::hours(19);
    let alert_id = city.approve(Routine, brief, named([1])).await;
    city.settle().await;
    city.clock().set(noon() + TimeDelta::hours(19));
    city.settle().await;
    assert_eq!(city.state(alert_id).await, "closed");
    assert!(city.phones.take(Channel::App).is_empty() && city.told::<AlertReleased>().await.is_empty());
}
