//! A morning at the hotline: what citizens brought, in several states.

use anyhow::{Context as _, Result};
use resident::generate;
use serde_json::{Value, json};

use super::City;
use crate::asking::answer;

/// Who works on what citizens bring, signed in.
struct Desk {
    one: String,
    two: String,
    disease_control: String,
    its_lead: String,
    clinic: String,
    clinic_lead: String,
}

impl City {
    pub(super) async fn hotline(&self) -> Result<()> {
        let desk = Desk {
            one: self.sign_in("hotline.one").await?,
            two: self.sign_in("hotline.two").await?,
            disease_control: self.sign_in("cdc.handler").await?,
            its_lead: self.sign_in("cdc.lead").await?,
            clinic: self.sign_in("clinic.handler").await?,
            clinic_lead: self.sign_in("clinic.lead").await?,
        };
        let units = answer(self.client.get(format!("{}/api/v1/casework/units", self.url)).bearer_auth(&desk.one)).await?;
        let unit = |name: &str| {
            let found = units.as_array().into_iter().flatten().find(|unit| unit["name"].as_str().is_some_and(|one| one.contains(name)));
            found.map(|unit| unit["unit_id"].clone()).with_context(|| format!("the demo has a unit {name}"))
        };
        let (disease_control, clinic) = (unit("疾病预防控制中心")?, unit("解放碑社区")?);

        // With two units: the mother waits for an answer.
        let mother = self.call(&desk, 1, "consultation", "孩子昨晚发热，今天预约的疫苗还能打吗？", None).await?;
        self.accepted(&desk, &mother, "simple", json!({ "lead": disease_control, "assists": [clinic], "task": "请核实接种安排并答复" }))
            .await?;
        self.casework(&desk.disease_control, &mother, "sign_for", json!({})).await?;
        self.casework(&desk.clinic, &mother, "finish_assist", json!({ "text": "周六上午可接种，需退热满三日" })).await?;
        // Answered, and told.
        let told = self.call(&desk, 2, "consultation", "密切接触者居家期间，同住家人可以上班吗？", None).await?;
        self.accepted(&desk, &told, "simple", json!({ "lead": disease_control, "task": "政策解释" })).await?;
        self.casework(&desk.disease_control, &told, "sign_for", json!({})).await?;
        let result = json!({ "text": "按现行方案解释", "answer": "同住家人未被判定为密切接触者的，可正常上班，请做好健康监测。" });
        self.casework(&desk.disease_control, &told, "submit_result", result).await?;
        self.casework(&desk.its_lead, &told, "decide", json!({})).await?;
        self.casework(&desk.disease_control, &told, "tell", json!({ "by": "sms" })).await?;
        // A complaint that a second person checks.
        let against = Some("某社区卫生服务中心");
        let complaint = self.call(&desk, 3, "complaint", "接种窗口排队两小时后被告知当日号已满，无人解释。", against).await?;
        self.casework(&desk.one, &complaint, "register", json!({})).await?;
        // Two units disagree.
        let disputed = self.call(&desk, 4, "problem_report", "小区旁临时采样点的医疗废物袋无人清运。", None).await?;
        self.accepted(&desk, &disputed, "simple", json!({ "lead": clinic, "task": "请核实清运" })).await?;
        let refused = json!({ "reason": "采样点由区疾控设置", "proposal": disease_control });
        self.casework(&desk.clinic_lead, &disputed, "refuse_competence", refused).await?;
        self.casework(&desk.one, &disputed, "route", json!({ "lead": disease_control, "task": "请核实清运" })).await?;
        let refused = json!({ "reason": "清运由社区卫生服务中心负责", "proposal": clinic });
        self.casework(&desk.its_lead, &disputed, "refuse_competence", refused).await?;
        // Answered in the same call.
        let at_once = self.call(&desk, 5, "consultation", "核酸检测点周末开门吗？", None).await?;
        self.casework(&desk.two, &at_once, "answer_at_once", json!({ "text": "周末照常，8:00 至 20:00。" })).await?;
        // Somebody needs help, and nobody has taken it up yet.
        let help = json!({
            "kind": "urgent_help", "text": "独居老人行动不便，降压药只够今天，需要送药上门。", "district": "500103", "phone": generate::phone(6),
        });
        self.bring("cases", None, "demo-morning-6", &help).await.map(drop)
    }

    /// Somebody calls; the number of their case.
    async fn call(&self, desk: &Desk, number: u32, kind: &str, text: &str, against: Option<&str>) -> Result<String> {
        let call = json!({
            "channel": "call", "kind": kind, "text": text, "against": against, "district": "500103", "phone": generate::phone(number),
        });
        self.bring("casework/cases", Some(&desk.one), &format!("demo-morning-{number}"), &call).await
    }

    async fn bring(&self, path: &str, token: Option<&str>, name: &str, body: &Value) -> Result<String> {
        let request = self.client.post(format!("{}/api/v1/{path}", self.url)).header("idempotency-key", name).json(body);
        let taken = answer(token.into_iter().fold(request, reqwest::RequestBuilder::bearer_auth)).await?;
        taken["number"].as_str().map(str::to_owned).context("a case has a number")
    }

    /// Registered, accepted and given to units.
    async fn accepted(&self, desk: &Desk, case: &str, grade: &str, order: Value) -> Result<()> {
        self.casework(&desk.one, case, "register", json!({})).await?;
        let class = json!({ "nature": "consultation", "urgency": "ordinary", "grade": grade });
        self.casework(&desk.one, case, "accept", class).await?;
        self.casework(&desk.one, case, "route", order).await
    }

    /// Takes a step with a case as it stands.
    async fn casework(&self, token: &str, case: &str, event: &str, mut fields: Value) -> Result<()> {
        let path = format!("casework/cases/{case}");
        let file = answer(self.client.get(format!("{}/api/v1/{path}", self.url)).bearer_auth(token)).await?;
        (fields["version"], fields["event"]) = (file["version"].clone(), json!(event));
        self.post(&format!("{path}/steps"), token, fields).await.with_context(|| format!("{event} of the demo")).map(drop)
    }
}
