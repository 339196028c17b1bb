//! Stories of the end of a message: it ends with its alert.

use chrono::TimeDelta;
use domain::alert::DeliveryClass::{self, Routine, Urgent};
use domain::cap::Status;
use domain::language::Language;
use rstest::rstest;
use simulators::{Fault, FaultKind, Options, Provider};
use stages::Store::{self, Embedded, Postgres};

use crate::city::{City, TEXT, phone};

#[rstest]
#[case::with_the_alert(Urgent, TimeDelta::hours(6), "000000055900000R"..="000000060000000R")]
#[case::as_is_set(Urgent, TimeDelta::days(5), "000001235900000R"..="000002000000000R")]
// noon; quiet hours begin at 22:00
#[case::with_the_day(Routine, TimeDelta::days(5), "000000095900000R"..="000000100000000R")]
#[tokio::test]
async fn the_centre_tries_no_longer_than_a_message_is_of_use(
    #[case] class: DeliveryClass,
    #[case] valid_for: TimeDelta,
    #[case] period: std::ops::RangeInclusive<&str>,
) {
    let city = City::new(Postgres, Options::default()).await;
    city.residents([1], false).await;
    city.start(city.settings()).await;

    let mut content = city.content(Status::Actual, &[(Language::ZhCn, TEXT)]);
    content.expires_at = city.platform.clock.now() + valid_for;
    let alert = city.approve_as(class, content, [1]).await;
    city.until_messages(alert, "delivered", 1).await;
    let written = city.centre.sms_to(&phone(1))[0].validity_period.clone().unwrap();
    assert!(period.contains(&written.as_str()), "{written}");
    city.end().await;
}

#[rstest]
#[tokio::test]
async fn what_is_not_delivered_of_a_stopped_alert_is_taken_back(#[values(Embedded, Postgres)] store: Store) {
    let city = City::new(store, Options::default()).await;
    city.residents(1..=30, false).await;
    for number in 1..=20 {
        city.centre.fault(Provider::Sms, Fault::new(FaultKind::NoReceipt).only(phone(number)));
    }
    // several pages
    city.start(sms::Settings { cancel_per_second: 7.try_into().unwrap(), ..city.settings() }).await;
    let alert = city.approve(Status::Actual, 1..=30).await;
    city.until_messages(alert, "delivered", 10).await;
    city.until_messages(alert, "submitted", 20).await;

    city.cancel(alert).await;
    city.until("they are taken back", async || city.centre.sms_taken_back().len() == 60).await;
    let mut taken_back = city.centre.sms_taken_back();
    let mut undelivered: Vec<String> = (1..=20).flat_map(|number| city.centre.sms_to(&phone(number)).remove(0).message_ids).collect();
    taken_back.sort();
    undelivered.sort();
    assert_eq!(taken_back, undelivered);

    let left = "select count(*) from sms.stopped where alert_id = $1";
    city.until("nothing is left to do", async || city.number(left, alert).await == 0).await;
    assert_eq!(city.centre.sms_taken_back().len(), 60, "nobody is asked for twice");
    city.end().await;
}
