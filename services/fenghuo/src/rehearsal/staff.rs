//! Staff, played by rule.
//!
//! A district reviewer passes every alert of their district whose text has no fault. The city command approves what the
//! districts passed; two officers take turns, so that nobody approves what they had a hand in.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result};
use domain::checklist::all_well;
use serde_json::{Value, json};

use super::stage::{Stage, answer};
use crate::{asking, demo};

/// What staff decided in one sitting.
#[derive(Default)]
pub(crate) struct Decided {
    /// Headline and district of each alert.
    pub(crate) alerts: Vec<(String, String)>,
}

/// Signs in and returns the token.
async fn sign_in(stage: &Stage, login: &str) -> Result<String> {
    let body = json!({ "login": login, "password": stage.secret(login)? });
    let session = answer(stage.client.post(format!("{}/api/v1/session", stage.url)).json(&body))
        .await
        .with_context(|| format!("{login} cannot sign in"))?;
    let token = session["token"].as_str().map(str::to_owned).context("signing in gave no token")?;
    asking::prove_demo(&stage.client, &stage.url, &token, &session).await
}

/// The alerts in a state, as an officer of the city sees them.
async fn waiting(stage: &Stage, token: &str, state: &str) -> Result<Vec<Value>> {
    let request = stage.client.get(format!("{}/api/v1/alerts?state={state}&limit=200", stage.url)).bearer_auth(token);
    Ok(answer(request).await?.as_array().cloned().unwrap_or_default())
}

/// Every district looks at what waits for it.
pub(crate) async fn district_review(stage: &Stage) -> Result<Decided> {
    let officer = sign_in(stage, "command.one").await?;
    let mut by_district: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for alert in waiting(stage, &officer, "district_review").await? {
        by_district.entry(alert["district"].as_str().unwrap_or_default().to_owned()).or_default().push(alert);
    }
    let mut decided = Decided::default();
    for (district, alerts) in by_district {
        let reviewer = sign_in(stage, &demo::reviewer_login(district.parse()?)).await?;
        decide(stage, &reviewer, &alerts, "pass_district", &mut decided).await?;
    }
    Ok(decided)
}

/// The city command looks at what the districts passed.
pub(crate) async fn city_review(stage: &Stage) -> Result<Decided> {
    let officers = [sign_in(stage, "command.one").await?, sign_in(stage, "command.two").await?];
    let alerts = waiting(stage, &officers[0], "city_review").await?;
    let mut decided = Decided::default();
    for (officer, alert) in officers.iter().cycle().zip(&alerts) {
        decide(stage, officer, std::slice::from_ref(alert), "approve", &mut decided).await?;
    }
    Ok(decided)
}

async fn decide(stage: &Stage, token: &str, alerts: &[Value], action: &str, decided: &mut Decided) -> Result<()> {
    for alert in alerts {
        let id = alert["alert_id"].as_str().context("an alert has an id")?;
        let detail = answer(stage.client.get(format!("{}/api/v1/alerts/{id}", stage.url)).bearer_auth(token)).await?;
        if detail["faults"].as_array().is_some_and(|faults| !faults.is_empty()) {
            continue;
        }
        let body = json!({ "version": detail["version"], "action": action, "answers": all_well(&detail, action) });
        answer(stage.client.post(format!("{}/api/v1/alerts/{id}/decisions", stage.url)).bearer_auth(token).json(&body))
            .await
            .with_context(|| format!("{action} was refused"))?;
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        decided.alerts.push((text(&alert["headline"]), text(&alert["district"])));
    }
    Ok(())
}
