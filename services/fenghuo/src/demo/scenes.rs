//! The first hour of the demo city, played by its staff through the interface: alerts in every stage, a screen, records that gather, a morning at
//! the hotline.
//!
//! Played once, after the first start. Nothing here goes round a rule: what the demo shows has been written, reviewed and sent like
//! everything else.

mod hotline;

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result};
use chrono::{DateTime, TimeDelta, Utc};
use domain::before_sending::Caution;
use domain::checklist::all_well;
use resident::generate::{self, People};
use serde_json::{Value, json};

use super::CENTRE;
use super::accounts::Access;
use crate::asking::{self, answer};

/// A file that says that the city has had its first hour.
const PLAYED: &str = "first-hour-played";
/// How often, and with what pause, it is looked whether an alert is with people.
const LOOKS: u32 = 150;
const BETWEEN_LOOKS: Duration = Duration::from_millis(200);

/// The city's staff, signed in.
struct City {
    client: reqwest::Client,
    url: String,
    secrets: BTreeMap<String, String>,
    now: DateTime<Utc>,
    people: People,
}

/// Plays the first hour where it was not played yet. Returns the key of the screen that was put up.
pub(crate) async fn first_hour(url: &str, data: &Path, accounts: &[Access], now: DateTime<Utc>, people: People) -> Result<Option<String>> {
    if data.join(PLAYED).exists() {
        return Ok(None);
    }
    let secrets = accounts.iter().map(|access| (access.login.clone(), access.secret.clone())).collect();
    let city = City { client: asking::client(), url: url.to_owned(), secrets, now, people };
    let key = city.play().await?;
    std::fs::write(data.join(PLAYED), "")?;
    Ok(Some(key))
}

/// What an alert says, in both languages: headline, what happened, what to do.
struct Words {
    zh: [&'static str; 3],
    en: [&'static str; 3],
    place: Option<(&'static str, &'static str)>,
}

const MARKET: Words = Words {
    zh: [
        "请避开某农贸市场",
        "该市场环境采样发现病毒污染，市场已关闭消毒。",
        "请勿前往该市场；7 日内去过者请在 24 小时内做一次检测并自我观察。",
    ],
    en: [
        "Avoid a farmers' market",
        "Samples taken at the market show contamination. It is closed and being disinfected.",
        "Stay away from the market. If you were there in the last 7 days, take one test within 24 hours and watch your health.",
    ],
    place: Some(("某农贸市场", "500103001")),
};
const WATER: Words = Words {
    zh: ["请将自来水煮沸后饮用", "主供水管检修后水质浑浊，正在冲洗管网。", "请将自来水煮沸 1 分钟以上再饮用，婴幼儿请使用瓶装水。"],
    en: [
        "Boil tap water before drinking",
        "After repairs to a main the water is cloudy; the pipes are being flushed.",
        "Boil tap water for at least one minute before drinking. Use bottled water for infants.",
    ],
    place: None,
};
const HEAT: Words = Words {
    zh: ["发热患者请先电话预约", "本区发热门诊就诊人数较多，正在增开诊室。", "发热请先致电 12320 预约，佩戴口罩就诊，避免乘坐公共交通。"],
    en: [
        "Fever? Call before you come",
        "Fever clinics in this district are crowded; more rooms are being opened.",
        "If you have a fever, call 12320 for an appointment, wear a mask and avoid public transport.",
    ],
    place: None,
};
const SCHOOL: Words = Words {
    zh: [
        "某小学诺如病毒聚集提示",
        "某小学出现诺如病毒感染性腹泻聚集，已停课消毒。",
        "有呕吐、腹泻的学生请居家休息至症状消失 72 小时，并告知学校。",
    ],
    en: [
        "Norovirus at a primary school",
        "Several pupils of a primary school have norovirus. Classes are suspended for disinfection.",
        "Pupils with vomiting or diarrhoea stay at home until 72 hours after the symptoms end, and tell the school.",
    ],
    place: None,
};
const GAS: Words = Words {
    zh: [
        "化工泄漏：请立即关窗留在室内",
        "某化工园区发生刺激性气体泄漏，正在处置。",
        "请立即进入室内，关闭门窗和空调，用湿毛巾掩住口鼻，等待解除通知。",
    ],
    en: [
        "Chemical leak: stay indoors, close windows",
        "Irritant gas is leaking at a chemical park and is being contained.",
        "Go indoors now. Close doors and windows, switch off air conditioning, cover nose and mouth with a wet cloth and wait for the all-clear.",
    ],
    place: None,
};

impl City {
    async fn play(&self) -> Result<String> {
        let unit = self.sign_in("unit.centre").await?;
        let reviewer = self.sign_in("review.500103").await?;
        let (one, two) = (self.sign_in("command.one").await?, self.sign_in("command.two").await?);
        let screen =
            json!({ "name": "解放碑 1 号屏", "place": "解放碑步行街", "area": "500103", "languages": ["zh-CN", "en"], "form": "full" });
        let screen = self.post("screens", &one, screen).await?;

        // In force: passed, approved, sent, shown on screens.
        let market = self.draft(&unit, &MARKET, Some("500103"), &["500103001", "500103003"], "actual").await?;
        self.steps(&market, &[(&unit, "submit", ""), (&reviewer, "pass_district", ""), (&one, "approve", "")]).await?;
        // In force, and its correction waits for the city.
        let heat = self.draft(&unit, &HEAT, Some("500103"), &["500103004"], "actual").await?;
        self.steps(&heat, &[(&unit, "submit", ""), (&reviewer, "pass_district", ""), (&two, "approve", "")]).await?;
        let correction = self.post(&format!("alerts/{heat}/correction"), &unit, json!({ "reason": "预约电话已增开 3 条线路" })).await?;
        let correction = id(&correction)?;
        self.steps(&correction, &[(&unit, "submit", ""), (&reviewer, "pass_district", "")]).await?;
        // Waits for the district; waits for the city; sent back; being written.
        let school = self.draft(&unit, &SCHOOL, Some("500103"), &["500103005"], "actual").await?;
        self.steps(&school, &[(&unit, "submit", "")]).await?;
        let water = self.draft(&unit, &WATER, Some("500103"), &["500103007", "500103008"], "actual").await?;
        self.steps(&water, &[(&unit, "submit", ""), (&reviewer, "pass_district", "")]).await?;
        let back = self.draft(&unit, &SCHOOL, Some("500103"), &["500103"], "actual").await?;
        self.steps(&back, &[(&unit, "submit", ""), (&reviewer, "return_district", "范围过大：请缩小到学校所在街道")]).await?;
        self.draft(&unit, &HEAT, Some("500103"), &["500103010"], "actual").await?;
        // Refused, and over after it was sent.
        let refused = self.draft(&unit, &WATER, Some("500103"), &["500103"], "actual").await?;
        self.steps(&refused, &[(&unit, "submit", ""), (&reviewer, "pass_district", ""), (&one, "refuse", "水质已恢复正常，无需提醒")])
            .await?;
        let urgent = self.draft(&one, &GAS, None, &["500115"], "actual").await?;
        self.steps(&urgent, &[(&one, "compose_urgent", ""), (&two, "confirm", "")]).await?;
        self.all_clear(&urgent, &one, &two, "泄漏已排除，全部解除").await?;
        // An exercise is under way, and an urgent alert waits for the second officer.
        let drill = self.draft(&two, &GAS, None, &["500103", "500105"], "exercise").await?;
        self.steps(&drill, &[(&two, "compose_urgent", ""), (&one, "confirm", "")]).await?;
        let waiting = self.draft(&one, &WATER, None, &["500106", "500107"], "actual").await?;
        self.steps(&waiting, &[(&one, "compose_urgent", "")]).await?;

        self.records().await?;
        self.hotline().await?;
        screen["key"].as_str().map(str::to_owned).context("a screen gets a key")
    }

    /// Close contacts of one case: the rule gathers them into a draft.
    async fn records(&self) -> Result<()> {
        let contact = |number: u32| {
            json!({ "source_id": format!("demo-contact-{number}"), "kind": "close_contact", "occurred_at": self.now, "level": "high",
                    "district": "500103", "subject": { "phone": generate::phone(number) } })
        };
        let first = self.people.of_district(CENTRE.try_into()?).start;
        let records: Vec<_> = (0..6).map(|at| contact(first + at)).collect();
        let key = self.secrets.get("api-key").context("the demo has a key for records")?;
        self.post("records", key, json!(records)).await.map(drop)
    }

    async fn sign_in(&self, login: &str) -> Result<String> {
        let secret = self.secrets.get(login).with_context(|| format!("{login} is new"))?;
        let session =
            answer(self.client.post(format!("{}/api/v1/session", self.url)).json(&json!({ "login": login, "password": secret }))).await?;
        let token = session["token"].as_str().map(str::to_owned).context("signing in gives a token")?;
        asking::prove_demo(&self.client, &self.url, &token, &session).await
    }

    async fn draft(&self, token: &str, words: &Words, district: Option<&str>, areas: &[&str], status: &str) -> Result<String> {
        let text = |[headline, body, instruction]: [&str; 3]| json!({ "headline": headline, "body": body, "instruction": instruction, "sms": instruction });
        let content = json!({
            "status": status, "msg_type": "alert", "category": "health", "urgency": "expected", "severity": "moderate", "certainty": "observed",
            "purpose": "减少暴露和传播", "texts": { "zh-CN": text(words.zh), "en": text(words.en) }, "contact": "12320",
            "expires_at": self.now + TimeDelta::days(2), "ack_window_s": 7200, "display": true, "source_note": "区疾控中心现场调查",
            "place": words.place.map(|(name, area)| json!({ "name": name, "area": area })),
        });
        let audience = json!({ "query": { "include": [{ "areas": areas }] } });
        id(&self.post("alerts", token, json!({ "district": district, "content": content, "audience": audience })).await?)
    }

    /// Takes these steps with an alert, one after the other.
    async fn steps(&self, alert: &str, steps: &[(&String, &str, &str)]) -> Result<()> {
        for (token, action, reason) in steps {
            if ["approve", "confirm"].contains(action) {
                // whoever tries the demo may have put its clock forward meanwhile
                asking::show_demo_code(&self.client, &self.url, token).await?;
            }
            let seen = answer(self.client.get(format!("{}/api/v1/alerts/{alert}", self.url)).bearer_auth(token)).await?;
            // a demo city may be so small that nobody lives where a scene is set
            let (version, answers) = (&seen["version"], all_well(&seen, action));
            let decision =
                json!({ "version": version, "action": action, "reason": reason, "answers": answers, "known": [Caution::ReachesNobody] });
            self.post(&format!("alerts/{alert}/decisions"), token, decision).await.with_context(|| format!("{action} of the demo"))?;
        }
        Ok(())
    }

    /// Two people say that what an alert told of is over, once somebody has it.
    async fn all_clear(&self, alert: &str, one: &str, two: &str, reason: &str) -> Result<()> {
        let path = format!("alerts/{alert}/retraction");
        for _ in 0..LOOKS {
            let seen = answer(self.client.get(format!("{}/api/v1/{path}", self.url)).bearer_auth(one)).await?;
            if seen["handed"] == true {
                break;
            }
            tokio::time::sleep(BETWEEN_LOOKS).await;
        }
        asking::show_demo_code(&self.client, &self.url, one).await?;
        let asked = self.post(&path, one, json!({ "kind": "all_clear", "reason": reason })).await.context("an all-clear of the demo")?;
        asking::show_demo_code(&self.client, &self.url, two).await?;
        let decision = json!({ "retraction_id": asked["waiting"]["retraction_id"], "step": "confirm" });
        self.post(&format!("{path}/decisions"), two, decision).await.context("confirming an all-clear of the demo").map(drop)
    }

    async fn post(&self, path: &str, token: &str, body: Value) -> Result<Value> {
        answer(self.client.post(format!("{}/api/v1/{path}", self.url)).bearer_auth(token).json(&body)).await
    }
}

fn id(alert: &Value) -> Result<String> {
    alert["alert_id"].as_str().map(str::to_owned).context("an alert has an id")
}
