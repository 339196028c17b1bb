//! What no event has told the inboxes, and the sweep that finds it.

use domain::alert::{AlertContent, DeliveryClass};
use domain::approval_seal::ApprovalSeal;
use domain::audience::Audience;
use domain::language::Language;
use rstest::rstest;
use serde_json::{Value, json};
use stages::Store::{self, Embedded, Services};
use stages::{MINUTE, views};

use crate::city::{City, alert};

#[rstest]
#[tokio::test]
async fn a_release_a_larger_audience_and_a_stop_that_no_event_has_told_are_taken_over(#[values(Embedded, Services)] store: Store) {
    let city = City::open(store).await;
    let (first, second) = (city.register("13812345678").await, city.register("13900001111").await);
    let water = alert("AB2C", "请煮沸饮用水");
    city.plan(&water, &[&first]).await;
    city.forward_with_jobs(2 * MINUTE).await;
    assert_eq!(city.inbox(&first).await.len(), 1);
    assert!(city.inbox(&second).await.is_empty());

    city.plan(&water, &[&first, &second]).await;
    city.forward_with_jobs(2 * MINUTE).await;
    assert_eq!(city.inbox(&second).await.len(), 1);

    views::standing(&city.platform, water.id, "cancelled").await;
    sqlx::query("update review.alert_standing set stop_reason = 'wrong_finding'").execute(city.pool()).await.unwrap();
    city.forward_with_jobs(2 * MINUTE).await;
    let [item] = &city.inbox(&first).await[..] else { panic!("one") };
    assert_eq!((&item["state"], &item["stop_reason"]), (&json!("cancelled"), &json!("依据的检测结果或报告已更正")));
    city.close().await;
}

#[rstest]
#[tokio::test]
async fn an_end_that_no_event_has_told_is_taken_over(#[values(Embedded, Services)] store: Store) {
    let city = City::open(store).await;
    let reader = city.register("13812345678").await;
    let water = alert("AB2C", "请煮沸饮用水");
    city.release(&water, &[&reader]).await;
    views::progress(&city.platform, water.id, "closed").await;
    city.forward_with_jobs(2 * MINUTE).await;
    assert_eq!(city.inbox(&reader).await[0]["state"], json!("closed"));
    city.close().await;
}

#[rstest]
#[tokio::test]
async fn one_alert_that_cannot_be_read_leaves_the_others_in_the_inbox(#[values(Embedded, Services)] store: Store) {
    let city = City::open(store).await;
    let reader = city.register("13812345678").await;
    city.release(&alert("AB2C", "请煮沸饮用水"), &[&reader]).await;
    sqlx::query("update resident.alert set audience = 'x', revision = nextval('resident.alert_revision')")
        .execute(city.pool())
        .await
        .unwrap();
    city.release(&alert("AB2D", "请检测"), &[&reader]).await;
    let inbox = city.inbox(&reader).await;
    assert_eq!(inbox.iter().map(|item| &item["text"]["headline"]).collect::<Vec<_>>(), ["请检测"]);
    city.close().await;
}

#[rstest]
#[tokio::test]
async fn what_is_not_as_it_was_approved_comes_into_no_inbox(#[values(Embedded, Services)] store: Store) {
    let city = City::open(store).await;
    let reader = city.register("13812345678").await;
    let water = alert("AB2C", "请煮沸饮用水");
    city.plan(&water, &[&reader]).await;
    let shown: Value = sqlx::query_scalar("select content from dispatch.released_alert").fetch_one(city.pool()).await.unwrap();
    let shown: AlertContent = serde_json::from_value(shown).unwrap();
    let mut approved = shown.clone();
    approved.texts.get_mut(&Language::ZhCn).unwrap().instruction.push_str("，老人请来电。");
    let sealed = async |content: &AlertContent| {
        let seal = ApprovalSeal::of(DeliveryClass::Urgent, content, &Audience::Residents([reader.no].into_iter().collect()), None);
        sqlx::query("update dispatch.released_alert set class = 'urgent', seal = $1")
            .bind(serde_json::to_value(seal).unwrap())
            .execute(city.pool())
            .await
            .unwrap();
        city.forward_with_jobs(2 * MINUTE).await;
        city.inbox(&reader).await.len()
    };
    assert_eq!(sealed(&approved).await, 0, "a word changed on the way");
    assert_eq!(sealed(&shown).await, 1, "what was approved is shown");
    city.close().await;
}
