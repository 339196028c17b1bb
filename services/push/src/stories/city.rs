//! A small city with phones: dispatch and push as they run, the providers simulated, the other services' views stood in for.

use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use dispatch::ledger::Claimed;
use dispatch::worker::{BatchChannel, Noted, Sent, WorkerSettings};
use domain::alert::{AckWindow, AlertContent, AlertText, DeliveryClass};
use domain::audience::Audience;
use domain::cap;
use domain::ids::AlertId;
use domain::language::Language;
use domain::outcome::{Channel, Outcome};
use platform::{BoxError, Platform};
use proto::topology::{
    AUDIT_IN_DANGER, AUDIT_OUT_OF_DANGER, DISPLAY_RELEASED, DISPLAY_STOPPED, RESIDENT_ENDPOINTS_GONE, RESIDENT_RELEASED, RESIDENT_STOPPED,
    REVIEW_HANDED_OVER, REVIEW_RELEASED, SMS_IN_DANGER, SMS_STOPPED,
};
use proto::{AlertApproved, AlertHandedOver, AlertInDanger, AlertOutOfDanger, AlertReleased, AlertStopped, EndpointsGone, StopReason};
use simulators::{Options, Provider, Simulators};
use stages::views::{self, Reach};
use stages::{Heard, Store, Tables, noon, unheard};

use super::settings::{HUNG_AFTER_MS, settings, web_push_settings};
use crate::Settings;

/// A second Firebase project that the simulators know.
pub(super) const OTHER_PROJECT: &str = "simulated-city-2";

/// Stands in for sms: every phone takes every message.
struct AnyPhone;

impl BatchChannel for AnyPhone {
    const CHANNEL: Channel = Channel::Sms;

    async fn send(&self, batch: &Claimed, noted: &Noted) -> Result<Sent, BoxError> {
        batch.pending().for_each(|(position, _)| noted.outcome(position, Outcome::Accepted));
        Ok(Sent::Done)
    }
}

/// What it begins with.
pub(super) const TABLES: Tables =
    Tables { stand_ins: &[views::RESIDENT, views::REVIEW], schemas: &[(dispatch::SCHEMA, &dispatch::MIGRATOR)] };

/// The city.
pub(super) struct City {
    pub platform: Platform,
    pub simulators: Simulators,
    gone: Heard<EndpointsGone>,
    dispatch: dispatch::Settings,
    _directory: tempfile::TempDir,
}

impl City {
    /// With the settings of push changed as the story wants.
    pub(super) async fn new(change: impl FnOnce(&mut Settings)) -> Self {
        Self::on(Store::Postgres.open_with(TABLES).await, change).await
    }

    /// On a platform that the story has made, with [`TABLES`].
    pub(super) async fn on(platform: Platform, change: impl FnOnce(&mut Settings)) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let options = Options {
            directory: Some(directory.path().to_owned()),
            token_age_checked: false,
            fcm_other_projects: vec![OTHER_PROJECT.to_owned()],
            ..Options::default()
        };
        let simulators = Simulators::start(options).await.unwrap();
        let gone = Heard::on(&platform, &RESIDENT_ENDPOINTS_GONE);
        unheard::<AlertReleased>(&platform, &[&REVIEW_RELEASED, &RESIDENT_RELEASED, &DISPLAY_RELEASED]);
        unheard::<AlertHandedOver>(&platform, &[&REVIEW_HANDED_OVER]);
        unheard::<AlertStopped>(&platform, &[&RESIDENT_STOPPED, &DISPLAY_STOPPED, &SMS_STOPPED]);
        unheard::<AlertInDanger>(&platform, &[&AUDIT_IN_DANGER, &SMS_IN_DANGER]);
        unheard::<AlertOutOfDanger>(&platform, &[&AUDIT_OUT_OF_DANGER]);
        let (apns, fcm) = settings(&simulators, directory.path());
        let worker = WorkerSettings { batches: 2, checkpoint_every: 5, ..WorkerSettings::default() };
        let web_push = web_push_settings(&simulators, directory.path());
        let mut push = Settings { apns: Some(apns), fcm: Some(fcm), web_push: Some(web_push), worker, ..Settings::default() };
        change(&mut push);
        let dispatch = dispatch::Settings { batch_size: 20, first_chunk: 40, ..dispatch::Settings::default() };
        crate::start(&platform, push).await.unwrap();
        dispatch::worker::run(&platform, &WorkerSettings::default(), Arc::new(AnyPhone)).unwrap();
        dispatch::start(&platform, dispatch.clone(), dispatch::Capacity::default()).await.unwrap();
        Self { platform, simulators, gone, dispatch, _directory: directory }
    }

    /// Providers that do not answer are given up after a while.
    pub(super) async fn that_gives_up() -> Self {
        Self::new(|settings| {
            let (Some(apns), Some(fcm), Some(web_push)) = (&mut settings.apns, &mut settings.fcm, &mut settings.web_push) else {
                panic!("all are set")
            };
            for timeout in [&mut apns.request_timeout_ms, &mut fcm.request_timeout_ms, &mut web_push.request_timeout_ms] {
                *timeout = HUNG_AFTER_MS;
            }
        })
        .await
    }

    /// A resident with an app and a phone number.
    pub(super) async fn resident(&self, number: u32, language: Language, drill: bool) {
        views::residents(&self.platform, [number], Reach { app: true, sms: true, drill, language }).await;
    }

    /// Registers a device and returns its token.
    pub(super) async fn device(&self, number: u32, endpoint_id: i64, kind: &str, language: Language) -> String {
        let token = if kind == "apns" { format!("{endpoint_id:064x}") } else { format!("{kind}-{endpoint_id}") };
        views::device(&self.platform, number, endpoint_id, kind, token.as_bytes(), language).await;
        token
    }

    /// Residents with an iPhone each; returns the tokens.
    pub(super) async fn apple_users(&self, numbers: std::ops::Range<u32>) -> Vec<String> {
        let mut tokens = Vec::new();
        for number in numbers {
            self.resident(number, Language::ZhCn, false).await;
            tokens.push(self.device(number, i64::from(number), "apns", Language::ZhCn).await);
        }
        tokens
    }

    /// review approves an urgent alert to these residents.
    pub(super) async fn approve(&self, status: cap::Status, residents: impl IntoIterator<Item = u32>) -> AlertId {
        self.approve_as(status, DeliveryClass::Urgent, cap::Severity::Severe, residents).await
    }

    /// review approves an alert of this class and severity.
    pub(super) async fn approve_as(
        &self,
        status: cap::Status,
        class: DeliveryClass,
        severity: cap::Severity,
        residents: impl IntoIterator<Item = u32>,
    ) -> AlertId {
        let alert_id = AlertId::new();
        let audience = Audience::Residents(residents.into_iter().collect());
        views::approved(&self.platform, alert_id, class, &AlertContent { severity, ..alert(status) }, &audience).await;
        let mut tx = self.platform.database.begin().await.unwrap();
        tx.publish(dispatch::SCHEMA, &AlertApproved { alert_id: alert_id.to_string() }).await.unwrap();
        tx.commit().await.unwrap();
        alert_id
    }

    /// review approves a correction of an alert for these residents; the old one ends with it.
    pub(super) async fn correct(&self, old: AlertId, residents: impl IntoIterator<Item = u32>) -> AlertId {
        let new = AlertId::new();
        let audience = Audience::Residents(residents.into_iter().collect());
        let pool = self.platform.database.pool();
        views::approved(&self.platform, new, DeliveryClass::Urgent, &alert(cap::Status::Actual), &audience).await;
        for sql in [
            "update review.approved_alert set corrects = $2 where alert_id = $1",
            "update review.alert_standing set state = 'superseded', superseded_by = $1 where alert_id = $2",
        ] {
            sqlx::query(sql).bind(new.uuid()).bind(old.uuid()).execute(pool).await.unwrap();
        }
        let mut tx = self.platform.database.begin().await.unwrap();
        tx.publish(dispatch::SCHEMA, &AlertApproved { alert_id: new.to_string() }).await.unwrap();
        tx.commit().await.unwrap();
        self.stop(old, StopReason::Superseded, Some(new)).await;
        new
    }

    /// review tells that an alert has ended.
    pub(super) async fn stop(&self, alert_id: AlertId, how: StopReason, by: Option<AlertId>) {
        let stopped = AlertStopped {
            alert_id: alert_id.to_string(),
            how: how.into(),
            by_alert_id: by.map(|by| by.to_string()),
            reason: String::new(),
        };
        let mut tx = self.platform.database.begin().await.unwrap();
        tx.publish(dispatch::SCHEMA, &stopped).await.unwrap();
        tx.commit().await.unwrap();
    }

    /// Waits until nothing more happens without the clock.
    pub(super) async fn settle(&self) {
        let mut quiet = 0;
        stages::until("the city comes to rest", async || {
            let at_rest = self.platform.bus.settled().await.unwrap() && dispatch::settled(&self.platform, &self.dispatch).await.unwrap();
            // a message may be between two queues at any one look
            quiet = if at_rest { quiet + 1 } else { 0 };
            quiet == 3
        })
        .await;
    }

    /// Moves the clock and waits again.
    pub(super) async fn forward(&self, duration: Duration) {
        self.platform.clock.forward(duration);
        self.settle().await;
    }

    /// (resident, endpoint) as told to resident since it was last asked, in their order.
    pub(super) fn gone(&self) -> Vec<(u32, i64)> {
        let told = self.gone.take();
        let mut gone: Vec<_> = told.iter().flat_map(|told| &told.entries).map(|entry| (entry.resident_no, entry.endpoint_id)).collect();
        gone.sort_unstable();
        gone
    }

    /// (reached by app, reached by SMS) of an alert.
    pub(super) async fn reached(&self, alert_id: AlertId) -> (i64, i64) {
        sqlx::query_as(
            "select coalesce(sum(accepted) filter (where channel = 'app'), 0)::bigint,
                    coalesce(sum(accepted) filter (where channel = 'sms'), 0)::bigint
               from dispatch.batch where alert_id = $1 and wave <> 8",
        )
        .bind(alert_id.uuid())
        .fetch_one(self.platform.database.pool())
        .await
        .unwrap()
    }

    /// How often each token was reached.
    pub(super) fn times(&self, provider: Provider, tokens: &[String]) -> Vec<u64> {
        tokens.iter().map(|token| self.simulators.times(provider, token)).collect()
    }
}

/// In both languages, with nothing to acknowledge, valid for two days.
fn alert(status: cap::Status) -> AlertContent {
    let text = |headline: &str| AlertText { body: "body".to_owned(), instruction: String::new(), ..stages::headline(headline) };
    AlertContent {
        status,
        texts: [(Language::ZhCn, text("请立即居家隔离")), (Language::En, text("Isolate at once"))].into(),
        contact: "12320".to_owned(),
        ack_window_s: AckWindow::NONE,
        ..stages::alert(noon() + TimeDelta::days(2))
    }
}
