//! The question before an approval: can this be held?

use axum::extract::State;
use chrono::{DateTime, Utc};
use domain::alert::DeliveryClass;
use domain::area::Area;
use domain::audience::Audience;
use domain::deadline;
use domain::forecast::{self, HORIZON, LaneOutlook, Mix, Reach, Slowest, Work};
use domain::headcount::HeadCount;
use domain::staff::{Role, Scope};
use platform::http::{Access, FieldFault, Json, Problem, Routes, StaffCaller, routes};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::audience::Counts;
use super::forecaster::{Forecaster, Look};
use crate::Error;

/// More than a city has: no sum of such numbers overflows.
const MOST_PEOPLE: u64 = 1_000_000_000;
/// Parts of the longest SMS.
const MOST_PARTS: u8 = domain::sms_text::MAX_SEGMENTS as u8;

pub(super) fn routes() -> Routes<Forecaster> {
    Routes::new("dispatch").allow(
        Access::Staff(&[Role::CityCommandOfficer, Role::DistrictReviewer, Role::SubmittingUnit, Role::IndustrySupervisor]),
        routes!(ask),
    )
}

/// An alert that might be approved. Give `audience` or `recipients`.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Question {
    class: DeliveryClass,
    /// For whom it is; counted as of now.
    #[serde(default)]
    audience: Option<Audience>,
    /// How many people each way reaches, where that is known.
    #[serde(default)]
    recipients: Option<PeoplePerLane>,
    /// When it would be approved; now, when absent.
    #[serde(default, deserialize_with = "domain::instant::read_option")]
    starts_at: Option<DateTime<Utc>>,
    /// Parts of its SMS, 1 to 8; the number that is set for texts not known yet, when absent.
    #[serde(default)]
    sms_parts: Option<u8>,
}

/// People by what reaches them.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize, ToSchema, PartialEq, Eq)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct PeoplePerLane {
    /// By the app on an iPhone.
    apns: u64,
    /// By the app on an Android phone.
    fcm: u64,
    /// By the app in a browser alone.
    web: u64,
    /// Without the app, by SMS.
    sms: u64,
}

/// Whether the deadline can be held.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Answer {
    class: DeliveryClass,
    /// When it would be approved.
    starts_at: DateTime<Utc>,
    /// When it would be due.
    due_at: DateTime<Utc>,
    /// When the last recipient would be handed over.
    last_at: DateTime<Utc>,
    holds: bool,
    /// Seconds to spare, if it holds.
    spare_s: Option<i64>,
    /// Seconds too late, if it does not.
    misses_by_s: Option<i64>,
    /// What the last hand-over hangs on; none when nobody is to be reached.
    because: Option<Slowest>,
    /// In the audience, in tens; 9 stands for fewer than ten (CQ14). Everything else in the answer is reckoned with these numbers.
    people: HeadCount,
    /// Of them: by neither way.
    unreachable: HeadCount,
    /// By what reaches them, those among SMS who are taken to fall back to it.
    lanes: Vec<LaneOutlook>,
    /// Alerts in line that would hold their deadline without this one and miss it with it.
    others_endangered: usize,
    /// The answer in words, in Chinese.
    #[schema(example = "将超出时限 24 分钟，原因：FCM 每分钟最多 600,000 条，32,054,159 人共需 54 分钟。")]
    sentence: String,
    /// In English.
    #[schema(example = "Misses the deadline by 24 min because of FCM: 600,000 a minute; 32,054,159 recipients take 54 min.")]
    sentence_en: String,
}

/// Can this be held? What is in line already, quiet hours and what the channels lately did are taken into account.
#[utoipa::path(post, path = "/api/v1/forecast", request_body = Question,
    responses((status = 200, description = "As of now", body = Answer)))]
async fn ask(State(forecaster): State<Forecaster>, caller: StaffCaller, Json(question): Json<Question>) -> Result<Json<Answer>, Problem> {
    question.check(forecaster.clock.now())?;
    if let Some(audience) = &question.audience {
        if !may_ask_about(&caller.scope, audience) {
            caller.must_cover(Area::City)?;
        }
        forecaster.questions.ask(&caller, audience).await?;
    }
    let counts = forecaster.count_asked(&question).await?;
    Ok(Json(forecaster.answer(&question, counts).await?))
}

/// Whose sizes a caller may ask for: a district for its own people's, an industry for any area's, as they may without a forecast. Who names people
/// one by one could ask for each of them, so only the city command may.
fn may_ask_about(scope: &Scope, audience: &Audience) -> bool {
    match (audience, scope) {
        (_, Scope::City) | (Audience::Query(_), Scope::Industry(_)) => true,
        (Audience::Query(query), _) => scope.district().is_some_and(|district| query.lies_within(Area::District(district))),
        (Audience::Residents(_), _) => false,
    }
}

impl Question {
    fn check(&self, now: DateTime<Utc>) -> Result<(), Problem> {
        let mut faults = Vec::new();
        match (&self.audience, &self.recipients) {
            (Some(audience), None) => {
                if let Err(error) = audience.validate() {
                    faults.push(FieldFault::new("audience", error.to_string(), error.english()));
                }
            }
            (None, Some(people)) => {
                if [people.apns, people.fcm, people.web, people.sms].iter().any(|people| *people > MOST_PEOPLE) {
                    faults.push(FieldFault::new("recipients", "人数过大", "is more people than there are"));
                }
            }
            _ => faults.push(FieldFault::new("audience", "请填写 audience 或 recipients 之一", "give either `audience` or `recipients`")),
        }
        if self.sms_parts.is_some_and(|parts| !(1..=MOST_PARTS).contains(&parts)) {
            faults.push(FieldFault::new("sms_parts", format!("应为 1 至 {MOST_PARTS}"), format!("is from 1 to {MOST_PARTS}")));
        }
        // Half of what is looked at belongs to the sending.
        if self.starts_at.is_some_and(|start| start > now + HORIZON / 2) {
            let days = (HORIZON / 2).num_days();
            faults.push(FieldFault::new("starts_at", format!("不得晚于 {days} 天后"), format!("is at most {days} days ahead")));
        }
        if faults.is_empty() { Ok(()) } else { Err(Problem::invalid(faults)) }
    }
}

impl Forecaster {
    /// Counts those whom a question is about, as far as the asker may be told.
    pub(crate) async fn count_asked(&self, question: &Question) -> Result<Counts, Error> {
        match &question.audience {
            None => Ok(question.recipients.unwrap_or_default().into()),
            Some(audience) => {
                let counts = Counts::from(self.count_rounded(audience).await?.counts().everybody).told();
                // of people named one by one it is not told what reaches them
                Ok(if matches!(audience, Audience::Residents(_)) { Counts::unseen(counts.people) } else { counts })
            }
        }
    }

    /// Answers a question that was checked.
    pub(crate) async fn answer(&self, question: &Question, counts: Counts) -> Result<Answer, Error> {
        let now = self.clock.now();
        let Look { line, rates } = {
            let mut connection = self.database.pool().acquire().await?;
            self.look(&mut connection, now).await?
        };
        let (forecast, quiet_hours) = (&self.settings.forecast, &self.settings.quiet_hours);
        let starts_at = question.starts_at.map_or(now, |start| start.max(now));
        let mut works: Vec<Work> =
            line.iter().filter(|entry| entry.over.is_none()).map(|entry| entry.work(now, &rates, forecast)).collect();
        let without = forecast::of_line(now, &works, &rates, quiet_hours);
        works.push(Work {
            class: question.class,
            due_at: deadline::due_at(question.class, starts_at, quiet_hours),
            approved_at: starts_at,
            begins_at: deadline::release_at(question.class, starts_at, quiet_hours),
            app: counts.reach.app,
            sms: counts.reach.sms,
            mix: Mix::of(&counts.reach, &rates, forecast.fallback_share(), question.sms_parts.unwrap_or(forecast.sms_parts)),
            app_waits_until: None,
            sms_waits_until: None,
        });
        let mut with = forecast::of_line(now, &works, &rates, quiet_hours);
        let others_endangered = without.iter().zip(&with).filter(|(without, with)| without.holds() && !with.holds()).count();
        let Some(outlook) = with.pop() else { return Err(Error::NoSuchAlert) };
        let (sentence, spare_s) = (outlook.sentence(starts_at), outlook.spare_s());
        Ok(Answer {
            class: question.class,
            starts_at,
            due_at: outlook.due_at,
            last_at: outlook.last_at,
            holds: outlook.holds(),
            spare_s: (spare_s >= 0).then_some(spare_s),
            misses_by_s: (spare_s < 0).then_some(-spare_s),
            because: outlook.slowest,
            people: HeadCount::of(counts.people),
            unreachable: HeadCount::of(counts.unreachable),
            lanes: outlook.lanes,
            others_endangered,
            sentence: sentence.zh,
            sentence_en: sentence.en,
        })
    }
}

impl From<PeoplePerLane> for Counts {
    /// One device each.
    fn from(people: PeoplePerLane) -> Self {
        let PeoplePerLane { apns, fcm, web, sms } = people;
        let app = apns + fcm + web;
        Self { people: app + sms, reach: Reach { app, apns, fcm, web, sms }, unreachable: 0 }
    }
}
