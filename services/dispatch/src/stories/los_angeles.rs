//! Los Angeles, 9 January 2025: an area got lost between the author and the sender, the whole county was taken instead, and ten million were woken by an
//! alert for some thousands. Here what is not as it was approved does not leave.

use domain::alert::AlertContent;
use domain::alert::DeliveryClass::{Routine, Urgent};
use domain::area::Area;
use domain::audience::{Audience, AudienceQuery};
use domain::ids::{AlertId, StaffId};
use domain::outcome::Channel::{App, Sms};
use proto::AuditEntry;
use rstest::rstest;

use super::city::{named, told};
use super::{City, Store, alert};
use crate::settings::Settings;
use crate::unlike::{self, Word};
use crate::{Capacity, Error};

const NOBODY: (Vec<u32>, Vec<u32>) = (Vec::new(), Vec::new());

fn everybody_in(area: &str) -> Audience {
    Audience::Query(AudienceQuery::everybody_in(area.parse().unwrap()))
}

/// What holds an alert, as `part of language on channel`.
async fn held_by(city: &City, alert_id: AlertId) -> Vec<String> {
    let mut connection = city.database().pool().acquire().await.unwrap();
    let unlike = unlike::of(&mut connection, alert_id).await.unwrap();
    let word = |unlike: &unlike::Unlike| {
        let difference = &unlike.difference;
        [Some(difference.part.as_ref()), difference.language.as_ref().map(AsRef::as_ref), difference.channel.as_ref().map(AsRef::as_ref)]
            .into_iter()
            .flatten()
            .collect::<Vec<&str>>()
            .join(" ")
    };
    unlike.iter().map(word).collect()
}

async fn is_held(city: &City, alert_id: AlertId) -> bool {
    city.number("select (unlike_at is not null and held_at is not null)::int::bigint from dispatch.alert where alert_id = $1", alert_id)
        .await
        == 1
}

#[rstest]
#[case::embedded(Store::Embedded)]
#[case::postgres(Store::Postgres)]
#[tokio::test]
async fn what_is_as_it_was_approved_leaves_and_the_proof_has_its_digests(#[case] store: Store) {
    let city = City::new(store).await;
    city.residents(1..=4, true, false, false).await;
    city.residents(5..=6, false, true, false).await;
    let alert_id = city.sealed(Urgent, alert(), everybody_in("500103"), Some(6)).await;
    city.hear_of_approval(alert_id).await;
    city.settle().await;
    assert_eq!(told(&city), (vec![1, 2, 3, 4], vec![5, 6]));
    let mut connection = city.database().pool().acquire().await.unwrap();
    let sent = unlike::sent(&mut connection, alert_id).await.unwrap();
    let channels: Vec<_> = sent.keys().map(|(_, channel)| *channel).collect();
    assert!(channels.contains(&App) && channels.contains(&Sms), "{channels:?}");
    let seal = domain::approval_seal::ApprovalSeal::of(Urgent, &alert(), &everybody_in("500103"), None);
    for ((language, channel), (digest, _)) in &sent {
        assert_eq!(*digest, seal.texts[language].on(*channel).to_string());
    }
}

#[rstest]
#[case::an_area_was_lost("500103001", "500103", "audience")]
#[case::the_whole_county("500103001", "city", "audience")]
#[tokio::test]
async fn an_area_that_gets_lost_on_the_way_wakes_nobody(#[case] approved: &str, #[case] found: &str, #[case] part: &str) {
    let city = City::new(Store::Embedded).await;
    city.residents(1..=40, true, false, false).await;
    let other = city.sealed(Urgent, alert(), named([7]), None).await;
    let alert_id = city.sealed(Urgent, alert(), everybody_in(approved), Some(40)).await;
    let lost = everybody_in(found);
    sqlx::query("update review.approved_alert set audience = $2 where alert_id = $1")
        .bind(alert_id.uuid())
        .bind(lost.to_bytes())
        .execute(city.database().pool())
        .await
        .unwrap();
    city.hear_of_approval(alert_id).await;
    city.hear_of_approval(other).await;
    city.settle().await;
    assert_eq!(told(&city), (vec![7], vec![]), "others go on");
    assert!(is_held(&city, alert_id).await);
    assert_eq!(held_by(&city, alert_id).await, [part]);
    let trace = city.told::<AuditEntry>().await;
    assert_eq!(trace.iter().filter(|entry| entry.action == "alert.unlike_approved").count(), 1, "the auditor reads it");
    let mut tx = city.database().begin().await.unwrap();
    let word = Word { by: StaffId::new(), planned: "40", reason: "说明" };
    let refused = unlike::go_on(&mut tx, alert_id, &word, city.clock().now()).await;
    assert!(matches!(refused, Err(Error::NotAsApproved(_))), "by nobody's word");
}

#[tokio::test]
async fn an_audience_that_changes_after_it_was_taken_over_is_held_before_it_is_planned() {
    let city = City::new(Store::Embedded).await;
    city.residents(1..=40, true, false, false).await;
    // it waits for the morning
    city.clock().set(super::city::noon() + chrono::TimeDelta::hours(11));
    let alert_id = city.sealed(Routine, alert(), everybody_in("500103001"), Some(40)).await;
    city.hear_of_approval(alert_id).await;
    city.settle().await;
    city.mend_audience(alert_id, &everybody_in("city")).await;
    city.forward(10 * 60);
    city.settle().await;
    assert_eq!(told(&city), NOBODY);
    assert!(is_held(&city, alert_id).await);
    assert_eq!(city.number("select count(*) from dispatch.wave where alert_id = $1", alert_id).await, 0, "not even its first wave began");
}

#[rstest]
#[case::embedded(Store::Embedded)]
#[case::postgres(Store::Postgres)]
#[tokio::test]
async fn a_word_that_changes_after_the_approval_is_not_sent(#[case] store: Store) {
    let city = City::new(store).await;
    city.residents(1..=3, true, false, false).await;
    let alert_id = city.sealed(Urgent, alert(), named(1..=3), None).await;
    city.hear_of_approval(alert_id).await;
    city.plan().await;
    // a technical step after the approval, as in Wales: the batches are planned by now
    let spoil = "update dispatch.alert set content = jsonb_set(content, '{texts,zh-CN,body}', '\"Vogel\"') where alert_id = $1";
    city.damage(spoil, alert_id).await;
    city.settle().await;
    assert_eq!(told(&city), NOBODY);
    assert!(is_held(&city, alert_id).await);
    assert_eq!(held_by(&city, alert_id).await, ["text zh-CN app"]);
    let waiting = "select count(*) from dispatch.batch where alert_id = $1 and state = 'ready'";
    assert_eq!(city.number(waiting, alert_id).await, 1, "nothing of it is lost");
    city.cancel(alert_id).await;
    city.settle().await;
    assert_eq!(told(&city), NOBODY);
    assert_eq!(city.state(alert_id).await, "cancelled");
}

#[tokio::test]
async fn content_that_changed_between_approval_and_planning_is_not_sent() {
    let city = City::new(Store::Embedded).await;
    city.residents(1..=3, true, false, false).await;
    let alert_id = city.sealed(Urgent, alert(), named(1..=3), None).await;
    let spoil =
        "update review.approved_alert set content = jsonb_set(content, '{expires_at}', '\"2027-01-01T00:00:00Z\"') where alert_id = $1";
    city.damage(spoil, alert_id).await;
    city.hear_of_approval(alert_id).await;
    city.settle().await;
    assert_eq!(told(&city), NOBODY);
    assert_eq!(held_by(&city, alert_id).await, ["terms"]);
}

#[rstest]
#[case::embedded(Store::Embedded)]
#[case::postgres(Store::Postgres)]
#[tokio::test]
async fn more_people_than_the_approver_was_shown_wait_for_an_officers_word(#[case] store: Store) {
    let city = City::new(store).await;
    let settings = Settings { more_people: 2, ..city.settings.clone() };
    let city = city.with(settings, Capacity::default());
    city.residents(1..=40, true, false, false).await;
    // she was shown ten people; 10 × 1.2 + 2 = 14 may be found
    let alert_id = city.sealed(Urgent, alert(), everybody_in("500103"), Some(10)).await;
    city.hear_of_approval(alert_id).await;
    city.settle().await;
    let (before, _) = told(&city);
    assert!(before.len() <= 14, "{before:?}");
    assert!(is_held(&city, alert_id).await);
    assert_eq!(held_by(&city, alert_id).await, ["people"]);

    let now = city.clock().now();
    let found: String = sqlx::query_scalar("select found from dispatch.unlike_approved where alert_id = $1")
        .bind(alert_id.uuid())
        .fetch_one(city.database().pool())
        .await
        .unwrap();
    let mut tx = city.database().begin().await.unwrap();
    let wrong = unlike::go_on(&mut tx, alert_id, &Word { by: StaffId::new(), planned: "7", reason: "看错" }, now).await;
    assert!(matches!(wrong, Err(Error::CountChanged { .. })), "another number than was shown");
    drop(tx);
    // each time that there are more than an officer knew of, one is asked again
    for _ in 0..10 {
        if !is_held(&city, alert_id).await {
            break;
        }
        let found: String = sqlx::query_scalar("select found from dispatch.unlike_approved where alert_id = $1 and went_on_at is null")
            .bind(alert_id.uuid())
            .fetch_one(city.database().pool())
            .await
            .unwrap();
        let mut tx = city.database().begin().await.unwrap();
        unlike::go_on(&mut tx, alert_id, &Word { by: StaffId::new(), planned: &found, reason: "新并入一个街道" }, now).await.unwrap();
        tx.commit().await.unwrap();
        unlike::tell_of_going_on(&city.platform, alert_id).await;
        city.settle().await;
    }
    assert!(!found.is_empty());
    let mut all = [before, told(&city).0].concat();
    all.sort_unstable();
    assert_eq!(all, (1..=40).collect::<Vec<u32>>(), "everybody once");
}

#[tokio::test]
async fn what_was_approved_before_there_were_seals_goes_as_it_was() {
    let city = City::new(Store::Embedded).await;
    city.residents(1..=200, true, false, false).await;
    let alert_id = city.approve(Urgent, alert(), everybody_in("500103")).await;
    city.settle().await;
    assert_eq!(told(&city).0.len(), 200);
    assert!(!is_held(&city, alert_id).await);
}

#[tokio::test]
async fn a_seal_that_was_taken_away_is_no_way_round_it() {
    let city = City::new(Store::Embedded).await;
    city.residents(1..=3, true, false, false).await;
    // there have been seals for long
    sqlx::query("update dispatch.seals_since set at = $1")
        .bind(super::city::noon() - chrono::TimeDelta::days(30))
        .execute(city.database().pool())
        .await
        .unwrap();
    let never = city.approve(Urgent, alert(), named(1..=3)).await;
    let later = city.sealed(Urgent, alert(), named(1..=3), None).await;
    city.hear_of_approval(later).await;
    city.plan().await;
    city.damage("update dispatch.alert set seal = null where alert_id = $1", later).await;
    city.settle().await;
    assert_eq!(told(&city), NOBODY);
    for alert_id in [never, later] {
        assert!(is_held(&city, alert_id).await);
        assert_eq!(held_by(&city, alert_id).await, ["seal"]);
    }
}

#[tokio::test]
async fn an_alert_that_is_held_stays_so_when_review_finds_that_it_holds() {
    let city = City::new(Store::Embedded).await;
    city.residents(1..=3, true, false, false).await;
    let content: AlertContent = alert();
    let alert_id = city.sealed(Urgent, content, Audience::Query(AudienceQuery::everybody_in(Area::City)), Some(3)).await;
    city.damage("update review.approved_alert set class = 'routine' where alert_id = $1", alert_id).await;
    city.hear_of_approval(alert_id).await;
    for held in [true, false] {
        stages::views::held(&city.platform, alert_id, held).await;
        crate::checked::on_held(&city.platform, alert_id).await.unwrap();
        assert!(is_held(&city, alert_id).await, "what was not approved goes out by no word of anybody");
    }
    city.settle().await;
    assert_eq!(told(&city), NOBODY);
}
