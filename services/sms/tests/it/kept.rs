//! Who has the message is not sent it again, whatever happens to the database or to the process.

use domain::cap::Status;
use rstest::rstest;
use simulators::Options;
use stages::Store::{self, Embedded, Postgres};
use stages::until;

use crate::city::City;

const RESIDENTS: u32 = 40;
const BATCH: &str = "select batch_id from dispatch.batch where alert_id = $1";

#[rstest]
#[tokio::test]
async fn a_database_that_fails_while_the_centre_answers_has_nobody_told_twice(#[values(Embedded, Postgres)] store: Store) {
    let city = City::new(store, Options::default()).await;
    city.residents(1..=RESIDENTS, false).await;
    sqlx::raw_sql(
        "create function sms.refuse() returns trigger language plpgsql as $$ begin raise exception 'the disk is full'; end $$;
         create trigger refuse before insert on sms.part for each statement execute function sms.refuse()",
    )
    .execute(city.platform.database.pool())
    .await
    .unwrap();
    city.start(city.settings()).await;

    let alert = city.approve(Status::Actual, 1..=RESIDENTS).await;
    // the clock stands still meanwhile: no lease ends
    until("everybody has it", async || city.centre.statistics().sms.recipients == u64::from(RESIDENTS)).await;
    assert_eq!(
        city.number("select sum(accepted)::bigint from dispatch.batch where alert_id = $1", alert).await,
        0,
        "and nothing is known of it"
    );
    sqlx::raw_sql("drop trigger refuse on sms.part").execute(city.platform.database.pool()).await.unwrap();
    until("it is known", async || city.all_closed(alert).await).await;
    let seen = city.centre.statistics().sms;
    assert_eq!((seen.accepted, seen.duplicates), (u64::from(RESIDENTS), 0));
    assert_eq!(city.number("select count(*) from sms.message where alert_id = $1", alert).await, i64::from(RESIDENTS));
    city.end().await;
}

#[rstest]
#[tokio::test]
async fn whoever_goes_on_with_a_batch_finds_whom_a_killed_process_has_told(#[values(Embedded, Postgres)] store: Store) {
    let city = City::new(store, Options::default()).await;
    city.residents(1..=RESIDENTS, false).await;
    let alert = city.approve(Status::Actual, 1..=RESIDENTS).await;
    until("the batch is on its way", async || {
        city.number("select count(*) from dispatch.batch where alert_id = $1 and state = 'released'", alert).await == 1
    })
    .await;
    // as a holder leaves it that has stored its rows and died before its checkpoint
    let batch = city.number(BATCH, alert).await;
    sqlx::query(
        "insert into sms.part (alert_id, batch_id, resident_no, submitted_at, part, parts, smsc_id)
         select $1, $2, n, now(), 1, 1, 'earlier-' || n from generate_series(1, 25) as n",
    )
    .bind(alert.uuid())
    .bind(batch)
    .execute(city.platform.database.pool())
    .await
    .unwrap();
    sqlx::query("update dispatch.batch set state = 'claimed', lease = 1, holder = 'killed' where alert_id = $1")
        .bind(alert.uuid())
        .execute(city.platform.database.pool())
        .await
        .unwrap();
    city.start(city.settings()).await;
    city.until("it is closed", async || city.all_closed(alert).await).await;

    assert_eq!(city.centre.statistics().sms.recipients, u64::from(RESIDENTS) - 25);
    assert_eq!(city.number("select sum(accepted)::bigint from dispatch.batch where alert_id = $1", alert).await, i64::from(RESIDENTS));
    city.end().await;
}
