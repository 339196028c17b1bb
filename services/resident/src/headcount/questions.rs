//! How often somebody asks how many people an audience has: each question is in the trace, and a day has no more than work takes (CQ14). Rounded
//! numbers give away a little with every question; who asks thousands of them could put it together.

use std::time::Duration;

use http::StatusCode;
use platform::Platform;
use platform::http::{Problem, StaffCaller};
use proto::AuditEntry;
use serde_json::json;

use crate::Error;

/// Questions are counted for so long.
const DAY: Duration = Duration::from_hours(24);

/// Counts and traces questions about audiences. Each service that answers them has one.
#[derive(Clone, Debug)]
pub struct AudienceQuestions {
    platform: Platform,
    /// Whose outbox tells the trace.
    schema: &'static str,
    most: u32,
}

/// How it is told over HTTP that somebody has asked as much as a day may have.
pub fn too_many_questions(most: u32) -> Problem {
    Problem::new(
        StatusCode::TOO_MANY_REQUESTS,
        "too_many_audience_questions",
        format!("您今天已查询受众人数 {most} 次，达到上限。提交和审核不受影响；确有需要请联系技术运维调整上限。"),
        format!(
            "You have asked for {most} audiences today, which is all that a day may have. You can go on submitting and reviewing; ask the operator if the work takes more."
        ),
    )
}

impl AudienceQuestions {
    /// Of a service with this schema; `most` a day and member of staff.
    pub fn new(platform: &Platform, schema: &'static str, most: u32) -> Self {
        Self { platform: platform.clone(), schema, most }
    }

    /// Traces a question before it is answered, and refuses one too many. What is asked is traced, the answer is not.
    ///
    /// # Errors
    /// When it is one too many, and when the cache or the database does not answer.
    pub async fn ask(&self, caller: &StaffCaller, about: &impl serde::Serialize) -> Result<(), Error> {
        let asked = self.platform.cache.incr(&format!("audience-day:{}", caller.id), DAY).await?;
        if asked > u64::from(self.most) {
            metrics::counter!("audience_questions_total", "outcome" => "refused").increment(1);
            tracing::warn!(staff = %caller.id, most = self.most, "a member of staff asks for more audiences than a day may have");
            return Err(Error::TooManyQuestions { most: self.most });
        }
        metrics::counter!("audience_questions_total", "outcome" => "answered").increment(1);
        let detail_json = json!({ "asked": about }).to_string();
        let entry = caller.did("audience.ask", "audience", "", self.platform.clock.now());
        let mut tx = self.platform.database.begin().await?;
        tx.publish(self.schema, &AuditEntry { detail_json, ..entry }).await?;
        tx.commit().await?;
        Ok(())
    }
}
