//! What no event has told a screen, and the sweep that finds it.

use domain::cap::Severity;
use rstest::rstest;
use stages::Store::{self, Embedded, Postgres};
use stages::{MINUTE, views};

use crate::hall::Hall;

#[rstest]
#[tokio::test]
async fn a_release_and_a_stop_that_no_event_has_told_are_taken_over_within_two_minutes(#[values(Embedded, Postgres)] store: Store) {
    let hall = Hall::open(store).await;
    let key = hall.screen("500103", false).await;
    let alert = hall.prepare("渝中区停水", Severity::Moderate, false, "500103").await;
    views::standing(&hall.platform, alert, "approved").await;
    hall.forward_with_jobs(2 * MINUTE).await;
    hall.until_shown(&key, &["渝中区停水"]).await;

    views::standing(&hall.platform, alert, "cancelled").await;
    hall.forward_with_jobs(2 * MINUTE).await;
    hall.until_shown(&key, &[]).await;
    hall.close().await;
}

#[rstest]
#[tokio::test]
async fn one_alert_that_cannot_be_read_leaves_the_others_on_the_screen(#[values(Embedded, Postgres)] store: Store) {
    let hall = Hall::open(store).await;
    let key = hall.screen("500103", false).await;
    hall.release("渝中区停水", Severity::Moderate, false, "500103").await;
    hall.until_shown(&key, &["渝中区停水"]).await;
    sqlx::query("update display.alert set content = '{}', revision = nextval('display.revision')").execute(hall.pool()).await.unwrap();
    hall.release("朝天门封闭", Severity::Moderate, false, "500103").await;
    hall.until_shown(&key, &["朝天门封闭"]).await;
    hall.close().await;
}
