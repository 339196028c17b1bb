//! A wave of app batches, from approval to what the ledger and the phones know in the end.

use std::num::NonZeroU32;

use domain::cap::Status;
use domain::language::Language;
use platform::clock::Clock;
use proto::StopReason;
use secrecy::SecretString;
use simulators::{Fault, FaultKind, Provider, Simulators};
use stages::{SECOND, noon, soon};

use super::city::{City, OTHER_PROJECT};
use crate::fcm::Fcm;
use crate::{FcmProject, FcmSettings, PersonalTexts};

#[tokio::test]
async fn everybody_is_reached_once_on_their_own_phone_in_their_own_language() {
    let city = City::new(|push| push.personal_texts = PersonalTexts::Full).await;
    let mut apple = city.apple_users(0..30).await;
    city.resident(30, Language::En, false).await;
    apple.push(city.device(30, 30, "apns", Language::En).await);
    city.resident(31, Language::ZhCn, false).await;
    city.resident(32, Language::ZhCn, false).await;
    let google = [city.device(31, 31, "fcm_token", Language::ZhCn).await, city.device(32, 32, "fcm_fid", Language::ZhCn).await];
    city.resident(33, Language::ZhCn, false).await;

    let alert_id = city.approve(Status::Actual, 0..34).await;
    city.settle().await;

    assert_eq!(city.times(Provider::Apns, &apple), [1; 31]);
    assert_eq!(city.times(Provider::Fcm, &google), [1; 2]);
    assert_eq!(city.simulators.pushes_to(&apple[0])[0].payload["aps"]["alert"]["title"], "请立即居家隔离");
    assert_eq!(city.simulators.pushes_to(&apple[30])[0].payload["aps"]["alert"]["title"], "Isolate at once");
    assert_eq!(city.simulators.pushes_to(&google[1])[0].payload["data"]["title"], "请立即居家隔离");
    assert_eq!(city.reached(alert_id).await, (33, 1), "who has lost the app gets an SMS");
}

#[tokio::test]
async fn of_an_alert_about_a_person_apple_and_google_read_that_there_is_one() {
    let city = City::new(|_| ()).await;
    let apple = city.apple_users(0..1).await;
    city.resident(1, Language::En, false).await;
    let google = city.device(1, 1, "fcm_token", Language::En).await;
    let alert_id = city.approve(Status::Actual, 0..2).await;
    city.settle().await;
    city.stop(alert_id, StopReason::Cancelled, None).await;
    city.settle().await;

    let read = |token: &str| -> Vec<_> { city.simulators.pushes_to(token).into_iter().map(|push| push.payload).collect() };
    assert_eq!(read(&apple[0]).iter().map(|said| said["aps"]["alert"]["title"].clone()).collect::<Vec<_>>(), ["您有一条健康提醒"; 2]);
    assert_eq!(read(&google).iter().map(|said| said["data"]["title"].clone()).collect::<Vec<_>>(), ["You have a health alert"; 2]);
    for said in read(&apple[0]).into_iter().chain(read(&google)) {
        let said_text = said.to_string();
        assert!(!said_text.contains("隔离") && !said_text.to_lowercase().contains("isolate"), "{said}");
        assert_eq!(
            said["alert_id"].as_str().or(said["data"]["alert_id"].as_str()),
            Some(alert_id.to_string().as_str()),
            "it opens all the same"
        );
    }
}

#[tokio::test]
async fn what_a_phone_shows_of_an_alert_is_replaced_when_it_is_cancelled_or_corrected() {
    let city = City::new(|push| push.personal_texts = PersonalTexts::Full).await;
    let apple = city.apple_users(0..2).await;
    city.resident(2, Language::En, false).await;
    let google = city.device(2, 2, "fcm_token", Language::En).await;
    let old = city.approve(Status::Actual, 0..3).await;
    city.settle().await;
    let new = city.correct(old, [1, 2]).await;
    city.settle().await;
    city.stop(new, StopReason::Cancelled, None).await;
    city.settle().await;

    let shown = |token: &str| -> Vec<_> {
        let pushes = city.simulators.pushes_to(token).into_iter();
        pushes.map(|push| (push.collapse_id.unwrap(), push.payload)).collect()
    };
    let place = old.to_string();
    for token in apple.iter().chain([&google]) {
        assert!(shown(token).iter().all(|(collapse_id, _)| *collapse_id == place), "each takes the place of the one before");
    }
    let titles = |token: &str| -> Vec<_> {
        shown(token).iter().map(|(_, said)| said.pointer("/aps/alert/title").or(said.pointer("/data/title")).unwrap().clone()).collect()
    };
    assert_eq!(titles(&apple[0]), ["请立即居家隔离", "【已更正】《请立即居家隔离》"]);
    assert_eq!(titles(&apple[1]), ["请立即居家隔离", "请立即居家隔离", "【已撤销】《请立即居家隔离》"]);
    assert_eq!(titles(&google), ["Isolate at once", "Isolate at once", "WITHDRAWN: Isolate at once"]);
    let opens: Vec<_> = shown(&apple[1]).iter().map(|(_, said)| said["alert_id"].clone()).collect();
    assert_eq!(opens, [old.to_string(), new.to_string(), new.to_string()], "the app opens what the push is about");
}

#[tokio::test]
async fn an_android_phone_that_was_off_gets_every_alert_when_it_is_back() {
    let city = City::new(|_| ()).await;
    city.resident(1, Language::ZhCn, false).await;
    let token = city.device(1, 1, "fcm_token", Language::ZhCn).await;
    city.simulators.leave(&token);
    let mut alerts = Vec::new();
    for _ in 0..5 {
        alerts.push(city.approve(Status::Actual, [1]).await.to_string());
        city.settle().await;
    }
    assert_eq!(city.times(Provider::Fcm, std::slice::from_ref(&token)), [0], "it is off");
    city.simulators.come_back(&token);
    let opened: Vec<_> = city.simulators.pushes_to(&token).into_iter().map(|push| push.payload["data"]["alert_id"].clone()).collect();
    assert_eq!(opened, alerts);
}

#[tokio::test]
async fn a_resident_with_several_devices_is_reached_if_one_is_and_the_gone_ones_are_pruned() {
    let city = City::new(|_| ()).await;
    let mut gone = Vec::new();
    for number in 0..2 {
        city.resident(number, Language::ZhCn, false).await;
        gone.push(city.device(number, i64::from(number) + 10, "apns", Language::ZhCn).await);
    }
    let kept = city.device(0, 20, "fcm_token", Language::ZhCn).await;
    let fault = Fault::new(FaultKind::Gone);
    city.simulators.fault(Provider::Apns, gone.iter().fold(fault, |fault, token| fault.only(token)));

    let alert_id = city.approve(Status::Actual, 0..2).await;
    city.settle().await;

    assert_eq!(city.simulators.times(Provider::Fcm, &kept), 1);
    assert_eq!(city.reached(alert_id).await, (1, 1), "one on the other phone, one by SMS");
    assert_eq!(city.gone(), [(0, 10), (1, 11)]);
}

#[tokio::test]
async fn an_exercise_reaches_enrolled_phones_only_and_says_what_it_is() {
    let city = City::new(|_| ()).await;
    let public = city.apple_users(0..3).await;
    city.resident(3, Language::En, true).await;
    let enrolled = city.device(3, 3, "apns", Language::En).await;

    city.approve(Status::Exercise, 0..4).await;
    city.settle().await;

    assert_eq!(city.times(Provider::Apns, &public), [0; 3]);
    assert_eq!(city.simulators.pushes_to(&enrolled)[0].payload["aps"]["alert"]["title"], "[EXERCISE] Isolate at once");
}

#[tokio::test]
async fn refused_credentials_hold_the_batches_and_nobody_is_lost() {
    let city = City::new(|_| ()).await;
    let tokens = city.apple_users(0..50).await;
    city.simulators.fault(Provider::Apns, Fault::new(FaultKind::CredentialsRefused));

    let alert_id = city.approve(Status::Actual, 0..50).await;
    city.settle().await;
    assert_eq!(city.reached(alert_id).await, (0, 0), "nobody is reached, nobody is given up");
    city.forward(SECOND * 61).await;
    assert_eq!(city.reached(alert_id).await, (0, 0), "an operator has time");

    city.simulators.heal(Provider::Apns);
    city.forward(SECOND * 61).await;
    assert_eq!(city.times(Provider::Apns, &tokens), [1; 50]);
    assert_eq!(city.reached(alert_id).await, (50, 0));
}

#[tokio::test]
async fn a_hanging_provider_costs_a_retry() {
    let city = City::that_gives_up().await;
    let tokens = city.apple_users(0..5).await;
    city.simulators.fault(Provider::Apns, Fault::new(FaultKind::Hang).only(&tokens[2]).times(1));

    let alert_id = city.approve(Status::Actual, 0..5).await;
    city.settle().await;
    assert_eq!(city.times(Provider::Apns, &tokens), [1, 1, 0, 1, 1]);
    city.forward(SECOND * 5).await;
    assert_eq!(city.times(Provider::Apns, &tokens), [1; 5]);
    assert_eq!(city.reached(alert_id).await, (5, 0));
}

#[tokio::test]
async fn a_lost_answer_is_repeated_under_the_same_collapse_id() {
    let city = City::new(|_| ()).await;
    let tokens = city.apple_users(0..1).await;
    city.simulators.fault(Provider::Apns, Fault::new(FaultKind::AnswerLost).times(1));

    let alert_id = city.approve(Status::Actual, 0..1).await;
    city.settle().await;
    city.forward(SECOND * 5).await;

    let seen = city.simulators.collapse_ids(Provider::Apns, &tokens[0]);
    assert_eq!(seen.into_iter().collect::<Vec<_>>(), [(alert_id.to_string(), 2)], "a phone shows one");
}

#[tokio::test]
async fn an_account_is_not_driven_faster_than_its_rate() {
    let slow = |settings: &mut crate::Settings| {
        if let Some(apns) = &mut settings.apns {
            apns.rate_per_second = NonZeroU32::new(10);
        }
    };
    let city = City::new(slow).await;
    city.apple_users(0..30).await;
    let alert_id = city.approve(Status::Actual, 0..30).await;
    for second in 1..=3 {
        let until = |simulators: &simulators::Simulators| simulators.statistics().apns.requests >= second * 10;
        soon("a second's worth of messages", city.simulators.until(until)).await;
        assert_eq!(city.simulators.statistics().apns.requests, second * 10);
        city.platform.clock.forward(SECOND);
    }
    city.settle().await;
    assert_eq!(city.reached(alert_id).await, (30, 0));
}

/// The project of the settings and another one, each with a quota of messages a minute.
fn two_projects(fcm: &mut FcmSettings, quotas: [u32; 2]) {
    let file = fcm.projects[0].service_account_file.clone().unwrap();
    let mut other: serde_json::Value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
    other["project_id"] = OTHER_PROJECT.into();
    fcm.projects.push(FcmProject { service_account: SecretString::from(other.to_string()), ..FcmProject::default() });
    for (project, quota) in fcm.projects.iter_mut().zip(quotas) {
        project.rate_per_minute = NonZeroU32::new(quota).unwrap();
    }
}

/// How many of the phones each project has reached.
fn reached_by(simulators: &Simulators, tokens: &[String]) -> [usize; 2] {
    let other = |token: &String| simulators.pushes_to(token)[0].project.as_deref() == Some(OTHER_PROJECT);
    let reached: Vec<&String> = tokens.iter().filter(|token| !simulators.pushes_to(token).is_empty()).collect();
    let by_other = reached.iter().filter(|token| other(token)).count();
    [reached.len() - by_other, by_other]
}

#[tokio::test]
async fn two_firebase_projects_share_the_load_each_within_its_own_quota() {
    let mut fcm = None;
    let city = City::new(|settings| {
        two_projects(settings.fcm.as_mut().unwrap(), [120, 120]);
        settings.worker.batches = 1;
        fcm.clone_from(&settings.fcm);
    })
    .await;
    // One batch, half of it for each project.
    let fcm = Fcm::new(&fcm.unwrap(), Clock::moved(noon())).unwrap();
    let of = |project: usize| (1..100).filter(|endpoint| fcm.project_of(*endpoint) == project).take(10).collect::<Vec<i64>>();
    let mut tokens = Vec::new();
    for (number, endpoint) in (0..).zip([of(0), of(1)].concat()) {
        city.resident(number, Language::ZhCn, false).await;
        tokens.push(city.device(number, endpoint, "fcm_token", Language::ZhCn).await);
    }

    let alert_id = city.approve(Status::Actual, 0..20).await;
    for second in 1..=5 {
        let until = |simulators: &Simulators| simulators.statistics().fcm.requests >= second * 4;
        soon("a second's worth of messages of each project", city.simulators.until(until)).await;
        assert_eq!(city.simulators.statistics().fcm.requests, second * 4, "twice what one project may send");
        assert_eq!(reached_by(&city.simulators, &tokens), [second as usize * 2; 2]);
        city.platform.clock.forward(SECOND);
    }
    city.settle().await;
    assert_eq!(city.reached(alert_id).await, (20, 0));
}

#[tokio::test]
async fn a_firebase_project_with_a_larger_quota_takes_a_larger_share() {
    let city = City::new(|settings| two_projects(settings.fcm.as_mut().unwrap(), [600_000, 200_000])).await;
    let mut tokens = Vec::new();
    for number in 0..80 {
        city.resident(number, Language::ZhCn, false).await;
        tokens.push(city.device(number, i64::from(number) + 1, "fcm_token", Language::ZhCn).await);
    }
    city.approve(Status::Actual, 0..80).await;
    city.settle().await;
    let [large, small] = reached_by(&city.simulators, &tokens);
    assert_eq!(large + small, 80);
    assert!(large.abs_diff(60) <= 3, "three quarters of 80: {large}");
}

#[tokio::test]
async fn without_a_provider_its_phones_are_reached_by_sms() {
    let city = City::new(|settings| settings.apns = None).await;
    city.apple_users(0..3).await;
    let alert_id = city.approve(Status::Actual, 0..3).await;
    city.settle().await;
    assert_eq!(city.reached(alert_id).await, (0, 3));
}
