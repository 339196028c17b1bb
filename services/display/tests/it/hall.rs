//! A hall with screens; dispatch and review are stood in for by tables, staff by fixed tokens.

use std::collections::BTreeMap;
use std::ops::Deref;

use chrono::TimeDelta;
use domain::alert::{AlertContent, DeliveryClass};
use domain::area::Area;
use domain::audience::{Audience, AudienceQuery};
use domain::cap::Severity;
use domain::ids::AlertId;
use domain::language::Language;
use domain::staff::Role;
use http::StatusCode;
use platform::http::Authenticators;
use proto::{AlertHeld, AlertReleased, AlertStopped, StopReason};
use serde_json::{Value, json};
use stages::{Line, Staff, Stage, Store, Tables, until, views};

pub const ADMINISTRATOR: &str = "fhs_administrator";
pub const STALE_ADMINISTRATOR: &str = "fhs_stale_administrator";
pub const OPERATOR: &str = "fhs_operator";
pub const DISTRICT_REVIEWER: &str = "fhs_reviewer_of_500103";

const STAFF: Staff = Staff(&[
    (ADMINISTRATOR, Role::Administrator, "city"),
    (STALE_ADMINISTRATOR, Role::Administrator, "city"),
    (OPERATOR, Role::TechnicalOperator, "city"),
    (DISTRICT_REVIEWER, Role::DistrictReviewer, "district:500103"),
]);

pub struct Hall(Stage);

impl Deref for Hall {
    type Target = Stage;

    fn deref(&self) -> &Stage {
        &self.0
    }
}

impl Hall {
    pub async fn open(store: Store) -> Self {
        Self::open_with(store, display::Settings::default()).await
    }

    pub async fn open_with(store: Store, settings: display::Settings) -> Self {
        const TABLES: Tables = Tables { stand_ins: &[views::DISPATCH, views::REVIEW], schemas: &[(display::SCHEMA, &display::MIGRATOR)] };
        let platform = store.open_with(TABLES).await;
        let routes = display::start(&platform, settings).await.unwrap();
        let callers = Authenticators::new().with(STAFF).with(display::authenticator(&platform));
        Self(Stage::new(platform, display::SCHEMA, routes, callers))
    }

    /// Registers a screen; its key.
    pub async fn screen(&self, area: &str, drill: bool) -> String {
        let screen = json!({"name": "2 号屏", "place": "江北机场 T3", "area": area, "form": "full", "drill": drill});
        let (status, registered) = self.post(ADMINISTRATOR, "/api/v1/screens", screen).await;
        assert_eq!(status, StatusCode::CREATED, "{registered}");
        registered["key"].as_str().unwrap().to_owned()
    }

    pub async fn release(&self, headline: &str, severity: Severity, urgent: bool, area: &str) -> AlertId {
        let alert = self.prepare(headline, severity, urgent, area).await;
        self.tell_of_release(alert).await;
        alert
    }

    pub async fn release_exercise(&self, headline: &str, area: &str) -> AlertId {
        let alert = self.prepare(headline, Severity::Minor, false, area).await;
        sqlx::query("update dispatch.released_alert set exercise = true").execute(self.pool()).await.unwrap();
        self.tell_of_release(alert).await;
        alert
    }

    /// Dispatch shows the alert as released, but has not told of it.
    pub async fn prepare(&self, headline: &str, severity: Severity, urgent: bool, area: &str) -> AlertId {
        let (alert_id, now) = (AlertId::new(), self.platform.clock.now());
        let texts = [(Language::ZhCn, stages::headline(headline))].into();
        let content = AlertContent { severity, texts, display: true, ..stages::alert(now + TimeDelta::hours(4)) };
        let area: Area = area.parse().unwrap();
        sqlx::query("insert into dispatch.released_alert values ($1, '7KQ3', $2, $3, null, $4, $5, null, false, $6)")
            .bind(alert_id.uuid())
            .bind(if urgent { "urgent" } else { "routine" })
            .bind(serde_json::to_value(&content).unwrap())
            .bind(now)
            .bind(content.expires_at)
            .bind(Audience::Query(AudienceQuery::everybody_in(area)).to_bytes())
            .execute(self.pool())
            .await
            .unwrap();
        alert_id
    }

    /// Somebody has approved the alert with this headline.
    pub async fn approve(&self, alert: AlertId, headline: &str, area: &str) {
        let content = sqlx::query_scalar("select content from dispatch.released_alert where alert_id = $1").bind(alert.uuid());
        let mut content: AlertContent = serde_json::from_value(content.fetch_one(self.pool()).await.unwrap()).unwrap();
        content.texts.get_mut(&Language::ZhCn).unwrap().headline = headline.to_owned();
        let audience = Audience::Query(AudienceQuery::everybody_in(area.parse().unwrap()));
        views::approved(&self.platform, alert, DeliveryClass::Urgent, &content, &audience).await;
        views::sealed(&self.platform, alert, DeliveryClass::Urgent, &content, &audience, None).await;
    }

    pub async fn tell_of_release(&self, alert: AlertId) {
        self.publish(&AlertReleased { alert_id: alert.to_string() }).await;
    }

    /// The alert is being checked from now on, or is so no longer.
    pub async fn check(&self, alert: AlertId, checked: bool) {
        views::standing(&self.platform, alert, "dispatching").await;
        views::held(&self.platform, alert, checked).await;
        self.publish(&AlertHeld { alert_id: alert.to_string() }).await;
    }

    /// Two people have said that the alert does not hold, with this headline.
    pub async fn take_back(&self, alert: AlertId, headline: &str) {
        views::standing(&self.platform, alert, "cancelled").await;
        let word = serde_json::to_value(BTreeMap::from([(Language::ZhCn, stages::headline(headline))])).unwrap();
        sqlx::query("update review.alert_standing set last_word = $2 where alert_id = $1")
            .bind(alert.uuid())
            .bind(word)
            .execute(self.pool())
            .await
            .unwrap();
        self.cancel(alert).await;
    }

    pub async fn cancel(&self, alert: AlertId) {
        let how = StopReason::Cancelled.into();
        self.publish(&AlertStopped { alert_id: alert.to_string(), how, by_alert_id: None, reason: "误报".into() }).await;
    }

    /// Waits until every event that this service reads was handled. Those that others would read are left.
    pub async fn settle(&self) {
        until("all that concerns screens is handled", async || {
            self.count("select (select count(*) from display.outbox) + (select count(*) from bus.message where queue like 'display.%')")
                .await
                == 0
        })
        .await;
    }

    pub async fn headlines(&self, key: &str) -> Vec<String> {
        let (status, playlist) = self.get(key, "/api/v1/screen/playlist").await;
        assert_eq!(status, StatusCode::OK, "{playlist}");
        headlines(&playlist)
    }

    pub async fn until_shown(&self, key: &str, expected: &[&str]) {
        until(&format!("{expected:?} on the screen"), async || self.headlines(key).await == expected).await;
    }

    /// Opens the screen's event stream.
    pub async fn follow(&self, key: &str, last: Option<&str>) -> Follower {
        Follower(self.listen(key, "/api/v1/screen/events", last).await)
    }
}

/// A screen that listens.
pub struct Follower(Line);

/// One event.
#[derive(Debug)]
pub struct Told {
    pub id: String,
    pub headlines: Vec<String>,
}

impl Follower {
    pub async fn next(&mut self) -> Told {
        loop {
            let event = self.0.next().await;
            let line = |name: &str| event.lines().find_map(|line| line.strip_prefix(name)).map(str::trim).map(str::to_owned);
            if let (Some(id), Some(data)) = (line("id:"), line("data:")) {
                return Told { id, headlines: headlines(&serde_json::from_str(&data).unwrap()) };
            }
        }
    }
}

fn headlines(playlist: &Value) -> Vec<String> {
    let items = playlist["items"].as_array().unwrap();
    items.iter().map(|item| item["texts"][0]["headline"].as_str().unwrap().to_owned()).collect()
}
