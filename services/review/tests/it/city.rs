//! A city command with its districts, and three people of 500103 who can be reached by SMS. Rules are stood in for by the events they publish, dispatch, resident, display and audit by lists of what they were
//! told, staff by fixed tokens.

use std::ops::Deref;

use chrono::TimeDelta;
use domain::alert::{AlertContent, AlertText};
use domain::audience::Audience;
use domain::checklist::all_well;
use domain::ids::{AlertId, RuleId};
use domain::language::Language;
use domain::quiet_hours::QuietHours;
use domain::staff::Role;
use http::StatusCode;
use platform::http::Authenticators;
use proto::topology::{
    AUDIT_ENTRIES, DISPATCH_APPROVED, DISPATCH_HELD, DISPATCH_STOPPED, DISPATCH_WITHDRAWN_FOR, DISPLAY_CLOSED, DISPLAY_HELD,
    DISPLAY_RELEASED, DISPLAY_STOPPED, RESIDENT_CLOSED, RESIDENT_HELD, RESIDENT_RECORDS_ENDED, RESIDENT_RELEASED, RESIDENT_STOPPED,
    RESIDENT_WITHDRAWN_FOR, RULES_SETTLED, SMS_STOPPED,
};
use proto::{
    AlertApproved, AlertClosed, AlertHeld, AlertReleased, AlertStopped, AlertWithdrawnFor, AuditEntry, DraftGathered, DraftSettled,
    RecordsBehindAlertEnded,
};
use review::Settings;
use serde_json::{Value, json};
use stages::{Heard, Line, Staff, Stage, Store, Tables, id, unheard, views};

pub const SUBMITTER: &str = "fhs_submitter_of_500103";
pub const REVIEWER: &str = "fhs_reviewer_of_500103";
pub const SECOND_REVIEWER: &str = "fhs_second_reviewer_of_500103";
pub const OTHER_REVIEWER: &str = "fhs_reviewer_of_500104";
pub const OFFICER: &str = "fhs_officer";
pub const SECOND_OFFICER: &str = "fhs_second_officer";
pub const THIRD_OFFICER: &str = "fhs_third_officer";
pub const NEW_REVIEWER: &str = "fhs_new_reviewer_of_500103";
pub const NEW_OFFICER: &str = "fhs_new_officer";
/// Whose second factor was shown too long ago.
pub const STALE_OFFICER: &str = "fhs_stale_officer";
pub const WORKER: &str = "fhs_worker_of_500103";
pub const AUDITOR: &str = "fhs_auditor";

const STAFF: Staff = Staff(&[
    (SUBMITTER, Role::SubmittingUnit, "district:500103"),
    (REVIEWER, Role::DistrictReviewer, "district:500103"),
    (SECOND_REVIEWER, Role::DistrictReviewer, "district:500103"),
    (OTHER_REVIEWER, Role::DistrictReviewer, "district:500104"),
    (OFFICER, Role::CityCommandOfficer, "city"),
    (SECOND_OFFICER, Role::CityCommandOfficer, "city"),
    (THIRD_OFFICER, Role::CityCommandOfficer, "city"),
    (NEW_REVIEWER, Role::DistrictReviewer, "district:500103"),
    (NEW_OFFICER, Role::CityCommandOfficer, "city"),
    (STALE_OFFICER, Role::CityCommandOfficer, "city"),
    (WORKER, Role::CommunityWorker, "community:500103001003"),
    (AUDITOR, Role::Auditor, "city"),
]);

/// Those whom the stories name by number, and whom an alert to their district reaches.
const RESIDENTS: &str = "
    insert into resident.resident (resident_no, phone_hash, phone_sealed, district, township, community, notices, registered_at)
    select n, sha256(n::text::bytea), '\\x00', 500103, 500103001, 500103001003, true, now() from generate_series(7, 9) as n";

pub struct City {
    stage: Stage,
    approved: Heard<AlertApproved>,
    stopped: Heard<AlertStopped>,
    held: Heard<AlertHeld>,
    withdrawn_for: Heard<AlertWithdrawnFor>,
    settled: Heard<DraftSettled>,
    trail: Heard<AuditEntry>,
}

impl Deref for City {
    type Target = Stage;

    fn deref(&self) -> &Stage {
        &self.stage
    }
}

const TABLES: Tables = Tables {
    stand_ins: &[views::DISPATCH, views::IDENTITY, views::RULES, views::DISPLAY],
    schemas: &[(review::SCHEMA, &review::MIGRATOR), (resident::SCHEMA, &resident::MIGRATOR)],
};

impl City {
    pub async fn open(store: Store) -> Self {
        Self::open_with(store, Settings::default()).await
    }

    pub async fn open_with(store: Store, settings: Settings) -> Self {
        let platform = store.open_with(TABLES).await;
        sqlx::query(RESIDENTS).execute(platform.database.pool()).await.unwrap();
        let routes = review::start(&platform, settings, QuietHours::default()).await.unwrap();
        unheard::<AlertStopped>(&platform, &[&RESIDENT_STOPPED, &DISPLAY_STOPPED, &SMS_STOPPED]);
        unheard::<AlertReleased>(&platform, &[&RESIDENT_RELEASED, &DISPLAY_RELEASED]);
        unheard::<AlertHeld>(&platform, &[&RESIDENT_HELD, &DISPLAY_HELD]);
        unheard::<AlertClosed>(&platform, &[&RESIDENT_CLOSED, &DISPLAY_CLOSED]);
        unheard::<AlertWithdrawnFor>(&platform, &[&RESIDENT_WITHDRAWN_FOR]);
        unheard::<RecordsBehindAlertEnded>(&platform, &[&RESIDENT_RECORDS_ENDED]);
        let stage = Stage::new(platform, review::SCHEMA, routes, Authenticators::new().with(STAFF));
        let (approved, stopped, trail) = (stage.hears(&DISPATCH_APPROVED), stage.hears(&DISPATCH_STOPPED), stage.hears(&AUDIT_ENTRIES));
        let (settled, withdrawn_for) = (stage.hears(&RULES_SETTLED), stage.hears(&DISPATCH_WITHDRAWN_FOR));
        let held = stage.hears(&DISPATCH_HELD);
        Self { stage, approved, stopped, held, withdrawn_for, settled, trail }
    }

    /// A good alert, valid for a day.
    pub fn content(&self) -> AlertContent {
        stages::alert(self.platform.clock.now() + TimeDelta::days(1))
    }

    /// A rule's draft for these residents of 500103, which the officer answers for.
    pub fn draft(&self, content: &AlertContent, residents: impl IntoIterator<Item = u32>, missing: &[&str]) -> DraftGathered {
        DraftGathered {
            draft_id: AlertId::new().to_string(),
            rule_id: RuleId::new().to_string(),
            rule_version: 3,
            district: 500_103,
            activated_by: id(OFFICER).to_string(),
            content_json: serde_json::to_string(content).unwrap(),
            audience: Audience::Residents(residents.into_iter().collect()).to_bytes(),
            records: 2,
            missing: missing.iter().map(ToString::to_string).collect(),
            gathered_at_ms: self.platform.clock.now().timestamp_millis(),
            involved: Vec::new(),
        }
    }

    /// An alert for all of 500103 as its author sees it.
    pub async fn write(&self, token: &str) -> Value {
        let body = json!({ "district": "500103", "content": self.content(), "audience": everybody_in("500103") });
        let (status, alert) = self.post(token, "/api/v1/alerts", body).await;
        assert_eq!(status, StatusCode::CREATED, "{alert}");
        alert
    }

    /// Takes these steps, each as it has to be.
    pub async fn take(&self, mut alert: Value, steps: &[(&str, &str)]) -> Value {
        for (token, action) in steps {
            let (status, answer) = self.decide(token, &alert, action, "").await;
            assert_eq!(status, StatusCode::OK, "{action}: {answer}");
            alert = answer;
        }
        alert
    }

    /// An alert that went the whole way to its approval.
    pub async fn approved_alert(&self) -> Value {
        let alert = self.write(SUBMITTER).await;
        self.take(alert, &[(SUBMITTER, "submit"), (REVIEWER, "pass_district"), (OFFICER, "approve")]).await
    }

    /// Decides about the alert as it was looked at.
    pub async fn decide(&self, token: &str, alert: &Value, action: &str, reason: &str) -> (StatusCode, Value) {
        self.decide_with(token, alert, json!({ "version": alert["version"], "action": action, "reason": reason })).await
    }

    /// Decides in these words; whoever says nothing of the checklist has found everything as it should be.
    pub async fn decide_with(&self, token: &str, alert: &Value, mut body: Value) -> (StatusCode, Value) {
        if body.get("answers").is_none() {
            body["answers"] = json!(all_well(alert, body["action"].as_str().unwrap()));
        }
        self.post(token, &format!("{}/decisions", path(alert)), body).await
    }

    /// The alert as it stands, seen by an officer.
    pub async fn look(&self, alert: &Value) -> Value {
        self.get(OFFICER, &path(alert)).await.1
    }

    /// Which alerts dispatch was told are approved, since it was last asked.
    pub async fn approved(&self) -> Vec<String> {
        self.settle().await;
        self.approved.take().into_iter().map(|event| event.alert_id).collect()
    }

    /// What dispatch was told to stop, since it was last asked.
    pub async fn stopped(&self) -> Vec<AlertStopped> {
        self.settle().await;
        self.stopped.take()
    }

    /// An urgent alert of the whole city that two officers have sent, and people have.
    pub async fn urgent_alert_with_people(&self) -> Value {
        let mut content = self.content();
        let english = AlertText {
            headline: "Do not drink tap water".into(),
            body: "The main is polluted and being repaired.".into(),
            instruction: "Drink bottled water.".into(),
            sms: "Tap water is polluted: drink bottled water.".into(),
        };
        content.texts.insert(Language::En, english);
        let body = json!({ "content": content, "audience": everybody_in("city") });
        let (status, alert) = self.post(OFFICER, "/api/v1/alerts", body).await;
        assert_eq!(status, StatusCode::CREATED, "{alert}");
        let alert = self.take(alert, &[(OFFICER, "compose_urgent"), (SECOND_OFFICER, "confirm")]).await;
        self.release(&alert).await;
        self.approved().await;
        self.look(&alert).await
    }

    /// Dispatch gives an approved alert to people.
    pub async fn release(&self, alert: &Value) {
        let id: AlertId = alert["alert_id"].as_str().unwrap().parse().unwrap();
        views::progress(&self.platform, id, "dispatching").await;
        self.tell(&AlertReleased { alert_id: id.to_string() }).await;
    }

    /// What can be said of the alert, as somebody sees it.
    pub async fn retraction(&self, token: &str, alert: &Value) -> Value {
        let (status, answer) = self.get(token, &format!("{}/retraction", path(alert))).await;
        assert_eq!(status, StatusCode::OK, "{answer}");
        answer
    }

    /// Asks for a word about the alert.
    pub async fn ask_for(&self, token: &str, alert: &Value, wish: Value) -> (StatusCode, Value) {
        self.post(token, &format!("{}/retraction", path(alert)), wish).await
    }

    /// Decides about the word that waits, as `seen` shows it.
    pub async fn say(&self, token: &str, alert: &Value, seen: &Value, step: &str, reason: &str) -> (StatusCode, Value) {
        let body = json!({ "retraction_id": seen["waiting"]["retraction_id"], "step": step, "reason": reason });
        self.post(token, &format!("{}/retraction/decisions", path(alert)), body).await
    }

    /// Somebody has signed in, or has an account and has not.
    pub async fn on_duty(&self, token: &str, role: Role, scope: &str, signed_in: bool) {
        let now = self.platform.clock.now();
        sqlx::query("insert into identity.officer values ($1, $2, $3, $4, null, true, $5, $6)")
            .bind(id(token).uuid())
            .bind(token)
            .bind(role.as_ref())
            .bind(scope)
            .bind(signed_in.then_some(now))
            .bind(signed_in.then_some(now + TimeDelta::hours(8)))
            .execute(self.pool())
            .await
            .unwrap();
    }

    /// Of which alerts dispatch was told that it changed whether they are being checked, since it was last asked.
    pub async fn held(&self) -> Vec<String> {
        self.settle().await;
        self.held.take().into_iter().map(|event| event.alert_id).collect()
    }

    /// Which alerts dispatch was told do not hold for some people any more, since it was last asked.
    pub async fn withdrawn_for(&self) -> Vec<String> {
        self.settle().await;
        self.withdrawn_for.take().into_iter().map(|event| event.alert_id).collect()
    }

    /// What became of which rule's drafts since it was last asked: approved, or nothing.
    pub async fn settled(&self) -> Vec<(String, bool)> {
        self.settle().await;
        self.settled.take().into_iter().map(|event| (event.draft_id, event.approved)).collect()
    }

    /// What was written into the audit trail since it was last asked: who did what.
    pub async fn trail(&self) -> Vec<(String, String)> {
        self.settle().await;
        self.trail.take().into_iter().map(|entry| (entry.actor, entry.action)).collect()
    }

    /// Opens the live line of somebody's page.
    pub async fn listen_as(&self, token: &str) -> Line {
        self.listen(token, "/api/v1/events", None).await
    }
}

/// The audience of everybody who lives there.
pub fn everybody_in(area: &str) -> Value {
    json!({ "query": { "include": [{ "areas": [area] }] } })
}

pub fn path(alert: &Value) -> String {
    format!("/api/v1/alerts/{}", alert["alert_id"].as_str().unwrap())
}

/// The words of a list in JSON, by a field of theirs or as they are.
pub fn words(list: &Value, field: &str) -> Vec<String> {
    let word = |item: &Value| if field.is_empty() { item.clone() } else { item[field].clone() };
    list.as_array().unwrap().iter().map(|item| word(item).as_str().unwrap_or_default().to_owned()).collect()
}
