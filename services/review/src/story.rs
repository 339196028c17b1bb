//! The whole story of an alert: from the records behind it to the last acknowledgement, in the order of time, for whoever looks back at it.
//!
//! Every service tells its part in a view that it publishes; who is named there is staff, never a resident. The list is bounded part by part
//! ([`gathered`]), so a page is a piece of something that fits in memory; what grows with people is told as numbers.

mod gathered;

use std::collections::BTreeMap;
use std::fmt;

use axum::extract::State as Shared;
use chrono::{DateTime, Utc};
use domain::alert::{AlertText, DeliveryClass};
use domain::alert_state::State;
use domain::approval_seal::{Part, ToldSeal};
use domain::area::DistrictCode;
use domain::ids::AlertId;
use domain::language::Language;
use domain::outcome::Channel;
use domain::passage::Passage;
use domain::public_reason::PublicReason;
use domain::retraction::{Kind, Progress};
use platform::http::{Access, FieldFault, Path, Problem, Query, Routes, StaffCaller, routes};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::colleagues::Colleague;
use crate::in_review::AnswerShown;
use crate::reading::{self, READING};
use crate::{Error, Service, store};

/// Entries of a page unless asked otherwise, and at most.
const USUAL_PAGE: usize = 200;
const LARGEST_PAGE: usize = 500;

pub(crate) fn routes() -> Routes<Service> {
    Routes::new("review").allow(Access::Staff(READING), routes!(story))
}

/// Which page.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct StoryPage {
    /// `next` of the page before.
    cursor: Option<String>,
    /// At most so many entries, 1 to 500; usually 200.
    limit: Option<u16>,
}

/// An alert's story.
#[derive(Serialize, ToSchema)]
struct AlertStory {
    alert: StoryHead,
    /// The oldest first.
    entries: Vec<StoryEntry>,
    /// Give it as `cursor` for the next page; none: this is the last.
    next: Option<String>,
}

/// Whose story it is.
#[derive(Serialize, ToSchema)]
struct StoryHead {
    alert_id: AlertId,
    short_code: String,
    /// In Chinese.
    headline: String,
    state: State,
    class: DeliveryClass,
    /// None: the whole city.
    #[schema(value_type = Option<String>)]
    district: Option<DistrictCode>,
    rule_id: Option<Uuid>,
    rule_version: Option<i32>,
    /// How many records are behind it.
    records: i32,
    created_at: DateTime<Utc>,
    approved_at: Option<DateTime<Utc>>,
    corrects: Option<AlertId>,
}

/// Something that happened.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct StoryEntry {
    at: DateTime<Utc>,
    #[serde(flatten)]
    event: StoryEvent,
}

/// What happened.
#[derive(Debug, Serialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum StoryEvent {
    /// A record brought somebody or a place into it.
    Record {
        record_no: i64,
        record_kind: Option<String>,
        source: String,
        /// Of a person the district alone.
        area: String,
        /// It is about a place.
        place: bool,
        occurred_at: DateTime<Utc>,
        /// Its source corrected it or took it back.
        ended_at: Option<DateTime<Utc>>,
    },
    /// Somebody, or the platform, took a step.
    Step {
        version: i32,
        action: String,
        from: String,
        to: String,
        /// None: the platform.
        by: Option<Colleague>,
        reason: Option<String>,
        public_reason: Option<PublicReason>,
        passage: Option<Passage>,
        checked: Vec<String>,
        /// What was answered to the checklist.
        answers: Vec<AnswerShown>,
        /// It said something else from then on.
        content_changed: bool,
    },
    /// Whoever approved it had this before them.
    Sealed { seal: ToldSeal },
    /// A word about it was asked for, said, or not.
    Word {
        retraction_id: Uuid,
        what: Kind,
        progress: Progress,
        by: Option<Colleague>,
        reason: Option<String>,
        #[schema(value_type = std::collections::HashMap<String, AlertText>)]
        texts: BTreeMap<Language, AlertText>,
    },
    /// Sending began.
    Released {},
    /// A pass over its people was planned, or is done.
    Wave { wave: i16, event: WaveEvent, people: i64, no_channel: i64 },
    /// How a pass went on one channel, as of now.
    Handed {
        wave: i16,
        channel: Channel,
        handed_over: i64,
        unreachable: i64,
        withdrawn: i64,
        /// Still to be sent to.
        open: i64,
        first_at: Option<DateTime<Utc>>,
    },
    /// Something was not as it was approved, and was not sent.
    UnlikeApproved { part: Part, language: Option<Language>, channel: Option<Channel>, approved: String, found: String },
    /// An officer let it go on to more people than were approved.
    WentOn { by: Colleague, planned: String, reason: Option<String> },
    /// Screens show it, as of now.
    Screens { screens: i64, plays: i64, last_at: Option<DateTime<Utc>> },
    /// So many people acknowledged it within an hour.
    Acknowledged { people: i64 },
    /// So many people were to be visited with this outcome; `open`: none yet.
    FollowUps { outcome: String, people: i64 },
    /// It was withdrawn for so many people.
    WithdrawnFor { people: i64 },
    /// What residents said about it.
    Feedback { kind_of: String, count: i64 },
    /// It was corrected by another alert.
    CorrectedBy { alert_id: AlertId, headline: String, state: State },
    /// Nothing more of it is sent.
    Ended { how: String },
}

domain::words! {
    /// What became of a pass.
    #[schema(as = StoryWaveEvent)]
    pub(crate) enum WaveEvent {
        /// It began.
        Began,
        /// Everybody in it was found.
        Planned,
        /// Everybody in it was handed over to, or is not reached.
        Done,
    }
}

/// How far somebody has read: up to a time, and so many entries of that time. What comes in before it meanwhile doubles nothing and leaves out nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Seen {
    until: i64,
    then: usize,
}

impl Seen {
    fn read(text: &str) -> Result<Self, Error> {
        let read = text.split_once(',').and_then(|(until, then)| Some(Self { until: until.parse().ok()?, then: then.parse().ok()? }));
        read.ok_or_else(|| {
            Error::Invalid(vec![FieldFault::new("cursor", "请填写上一页返回的 next。", "Give the `next` of the page before.")])
        })
    }

    /// What follows.
    fn rest(entries: Vec<StoryEntry>, after: Option<Self>) -> Vec<StoryEntry> {
        let Some(Self { until, then }) = after else { return entries };
        let mut of_then = 0;
        let is_new = |entry: &StoryEntry| {
            let at = entry.at.timestamp_micros();
            of_then += usize::from(at == until);
            at > until || at == until && of_then > then
        };
        entries.into_iter().filter(is_new).collect()
    }

    /// How far one has read with these; none: there are none.
    fn next(shown: &[StoryEntry], after: Option<Self>) -> Option<Self> {
        let until = shown.last()?.at.timestamp_micros();
        let of_then = shown.iter().filter(|entry| entry.at.timestamp_micros() == until).count();
        let before = after.filter(|seen| seen.until == until).map_or(0, |seen| seen.then);
        Some(Self { until, then: before + of_then })
    }
}

impl fmt::Display for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{},{}", self.until, self.then)
    }
}

/// The whole story of an alert, the oldest first
///
/// Records behind it, every step with who took it and why, what was approved, planning, hand-over by wave and channel, screens, acknowledgements by
/// the hour, visits, corrections, words back. Numbers of people, no persons.
#[utoipa::path(get, path = "/api/v1/alerts/{alert_id}/story", operation_id = "alert_story",
    params(("alert_id" = AlertId, Path, description = "The alert"), StoryPage), responses((status = 200, description = "A page", body = AlertStory)))]
async fn story(
    Shared(service): Shared<Service>,
    caller: StaffCaller,
    Path(id): Path<AlertId>,
    Query(page): Query<StoryPage>,
) -> Result<axum::Json<AlertStory>, Problem> {
    let after = page.cursor.as_deref().map(Seen::read).transpose()?;
    let limit = page.limit.map_or(USUAL_PAGE, usize::from).clamp(1, LARGEST_PAGE);
    let mut connection = service.platform.database.pool().acquire().await.map_err(Error::database("taking a connection"))?;
    let alert = store::load(&mut connection, id, false).await?;
    if !reading::may_see(&caller, &alert) {
        return Err(Error::NoSuchAlert(id).into());
    }
    let mut entries = gathered::entries(&mut connection, &alert, reading::view(&caller)).await?;
    // what has one time stays in the order in which it is told: records, steps, what follows from them
    entries.sort_by_key(|entry| entry.at);
    let mut rest = Seen::rest(entries, after);
    let more = rest.split_off(limit.min(rest.len()));
    let next = Seen::next(&rest, after).filter(|_| !more.is_empty()).map(|seen| seen.to_string());
    let entries = rest;
    let headline = alert.content.texts.get(&Language::ZhCn).map(|text| text.headline.clone()).unwrap_or_default();
    let alert = StoryHead {
        alert_id: alert.id,
        short_code: alert.short_code,
        headline,
        state: alert.state,
        class: alert.class,
        district: alert.participants.district,
        rule_id: alert.rule.map(|(rule, _)| rule),
        rule_version: alert.rule.map(|(_, version)| version),
        records: alert.records,
        created_at: alert.created_at,
        approved_at: alert.approved_at,
        corrects: alert.corrects,
    };
    Ok(axum::Json(AlertStory { alert, entries, next }))
}
