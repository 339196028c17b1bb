//! How often somebody asks how many people an audience has: each question is in the trace, and a day has no more than work takes (CQ14). Rounded
//! numbers give away a little with every question; who asks thousands of them could put it together. One question that is asked again within the
//! hour, by a page that is opened again or that wants the forecast beside the size, is one question.
//!
//! Nothing but the answer hangs on it: alerts are handed in, confirmed and approved without a number, and while the cache is away every question
//! is answered and traced.

use std::time::Duration;

use domain::audience::{Audience, AudienceQuery};
use domain::headcount::HeadCount;
use http::StatusCode;
use platform::Platform;
use platform::http::{Problem, StaffCaller};
use proto::AuditEntry;
use serde::Serialize;
use serde_json::json;
use sha2::{Digest as _, Sha256};

use crate::Error;

/// Questions are counted for so long.
const DAY: Duration = Duration::from_hours(24);

/// So long a question is the same question.
const AGAIN: Duration = Duration::from_hours(1);

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
    /// When it is one too many, and when the database does not answer.
    pub async fn ask(&self, caller: &StaffCaller, about: &Audience) -> Result<(), Error> {
        let counted = self.count(caller, about).await.unwrap_or_else(|error| {
            tracing::warn!(error = platform::tasks::chain(&error), "questions about audiences are not counted");
            Counted::New
        });
        if counted == Counted::Again {
            return Ok(());
        }
        if counted == Counted::TooMany {
            metrics::counter!("audience_questions_total", "outcome" => "refused").increment(1);
            tracing::warn!(staff = %caller.id, most = self.most, "a member of staff asks for more audiences than a day may have");
            return Err(Error::TooManyQuestions { most: self.most });
        }
        metrics::counter!("audience_questions_total", "outcome" => "answered").increment(1);
        let detail_json = json!({ "asked": Asked::of(about) }).to_string();
        let entry = caller.did("audience.ask", "audience", "", self.platform.clock.now());
        let mut tx = self.platform.database.begin().await?;
        tx.publish(self.schema, &AuditEntry { detail_json, ..entry }).await?;
        tx.commit().await?;
        Ok(())
    }

    async fn count(&self, caller: &StaffCaller, about: &Audience) -> Result<Counted, platform::Error> {
        let cache = &self.platform.cache;
        let known = format!("audience-asked:{}:{}", caller.id, hex::encode(Sha256::digest(about.to_bytes())));
        if cache.get(&known).await?.is_some() {
            return Ok(Counted::Again);
        }
        if cache.incr(&format!("audience-day:{}", caller.id), DAY).await? > u64::from(self.most) {
            return Ok(Counted::TooMany);
        }
        cache.set(&known, b"", AGAIN).await?;
        Ok(Counted::New)
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Counted {
    New,
    Again,
    TooMany,
}

/// What of a question stands in the trace.
#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
enum Asked<'a> {
    Query(&'a AudienceQuery),
    /// About so many people named one by one.
    Residents(HeadCount),
}

impl<'a> Asked<'a> {
    fn of(audience: &'a Audience) -> Self {
        match audience {
            Audience::Query(query) => Self::Query(query),
            Audience::Residents(residents) => Self::Residents(HeadCount::of(residents.len())),
        }
    }
}
