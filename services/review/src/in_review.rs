//! The work on an alert that is written and reviewed (CQ8): remarks beside its texts ([`comments`]), who reviews it just now ([`claims`]), who has it open
//! ([`presence`]), what changed since it was sent back ([`returned`]), and decisions about many at once ([`many`]), each after it was looked at ([`looks`]).
//!
//! None of it locks anything: whoever may decide may decide, and is told what they should know before they do ([`cautions`]). What changes is told live
//! to those who see the draft ([`work`]), and forgotten when it matters no more ([`forgetting`]).

mod claims;
mod comments;
mod forgetting;
mod looks;
mod many;
mod presence;
mod returned;
pub(crate) mod work;

use chrono::{DateTime, Utc};
use domain::alert_state::{Action, State};
use domain::before_sending::Caution;
use domain::checklist::{Answer, Answered, Checklist, Item};
use domain::claim::{Claim, is_in_the_way, may_claim};
use domain::comment::are_known;
use domain::ids::StaffId;
use domain::since_return::Changed;
use domain::staff::Role;
use platform::database::{Connection, Tx};
use platform::http::{Routes, StaffCaller};
use proto::AuditEntry;
use serde::Serialize;
use utoipa::ToSchema;

use crate::actor::actor_for;
use crate::store::Alert;
use crate::{Error, SCHEMA, Service, reading};

pub(crate) use claims::{end as end_claim, still_standing};
pub(crate) use comments::as_history;
pub(crate) use forgetting::FORGET;
pub(crate) use returned::steps_back;

use returned::Returned;

/// Who writes and reviews alerts.
const WORKING: &[Role] = &[Role::CityCommandOfficer, Role::DistrictReviewer, Role::SubmittingUnit];
/// Who decides about what waits.
const REVIEWING: &[Role] = &[Role::CityCommandOfficer, Role::DistrictReviewer];

pub(crate) fn routes() -> Routes<Service> {
    comments::routes().merge(claims::routes()).merge(presence::routes()).merge(looks::routes()).merge(many::routes())
}

/// Registers what is done on schedule.
pub(crate) fn register(service: &Service) -> Result<(), Error> {
    forgetting::register(service)
}

/// What an alert shows of the work on it.
#[derive(Serialize, ToSchema)]
pub(crate) struct InReview {
    /// What whoever takes the next step forward answers; none where no review is due. The same for every reader.
    checklist: Option<Checklist>,
    /// Remarks that nobody has said are settled.
    open_comments: i64,
    /// Who reviews it just now, and until when.
    claimed_by: Option<StaffId>,
    claimed_until: Option<DateTime<Utc>>,
    /// Whether the caller may decide about it, and so may claim it.
    may_claim: bool,
    /// Whether the caller has said that they have this version before them.
    looked: bool,
    /// That it was sent back, and has not been approved since.
    returned: Option<Returned>,
    /// What it says otherwise since then.
    changed_since_return: Vec<Changed>,
    /// What of the above has to be named as known before a decision.
    #[serde(skip)]
    pub(crate) cautions: Vec<Caution>,
}

/// What a line of a queue shows of it.
#[derive(Serialize, ToSchema)]
pub(crate) struct LineInReview {
    /// Who reviews it just now, and until when.
    claimed_by: Option<StaffId>,
    claimed_until: Option<DateTime<Utc>>,
    /// Remarks that nobody has said are settled.
    open_comments: i64,
    /// Whether it was sent back before, and has not been approved since.
    returned: bool,
}

impl LineInReview {
    /// For somebody who sees drafts or does not, of an alert that stands here.
    pub(crate) fn of(state: State, sees_drafts: bool, claim: Option<Claim>, open_comments: i64, was_sent_back: bool) -> Self {
        let shown = sees_drafts && state.in_the_making();
        let claim = claim.filter(|_| shown);
        Self {
            claimed_by: claim.map(|claim| claim.by),
            claimed_until: claim.map(|claim| claim.until),
            open_comments: if shown { open_comments } else { 0 },
            returned: shown && was_sent_back,
        }
    }
}

/// What was answered of an item, with what was asked.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AnswerShown {
    item: Item,
    /// In Chinese.
    question: &'static str,
    /// In English.
    question_en: &'static str,
    answer: Answer,
    note: Option<String>,
}

/// Answers as a history shows them.
pub(crate) fn shown_answers(answers: Vec<Answered>) -> Vec<AnswerShown> {
    let shown = |Answered { item, answer, note }: Answered| AnswerShown {
        item,
        question: item.question(),
        question_en: item.question_en(),
        answer,
        note,
    };
    answers.into_iter().map(shown).collect()
}

/// The work on an alert as the caller sees it. Whoever does not see drafts sees nothing of it.
pub(crate) async fn of_alert(
    connection: &mut Connection,
    alert: &Alert,
    caller: &StaffCaller,
    now: DateTime<Utc>,
) -> Result<InReview, Error> {
    if !sees_draft(caller, alert) || !alert.state.in_the_making() {
        return Ok(InReview {
            checklist: None,
            open_comments: 0,
            claimed_by: None,
            claimed_until: None,
            may_claim: false,
            looked: false,
            returned: None,
            changed_since_return: Vec::new(),
            cautions: Vec::new(),
        });
    }
    let open_comments = comments::open(connection, alert.id).await?;
    let claim = claims::standing(connection, alert.id, now).await?;
    let (returned, changed_since_return) = returned::of_alert(connection, alert).await?.unzip();
    let in_the_way = claim.is_some_and(|claim| claim.by != caller.id);
    let cautions = [(open_comments > 0, Caution::OpenComments), (in_the_way, Caution::ClaimedByOther)];
    Ok(InReview {
        checklist: Checklist::of(alert.state, &alert.nature()),
        open_comments,
        claimed_by: claim.map(|claim| claim.by),
        claimed_until: claim.map(|claim| claim.until),
        may_claim: may_claim(alert.state, &alert.participants, &actor_for(caller, alert)).is_ok(),
        looked: looks::at(connection, &[alert.id], caller.id).await?.get(&alert.id) == Some(&alert.version),
        returned,
        changed_since_return: changed_since_return.unwrap_or_default(),
        cautions: cautions.into_iter().filter_map(|(is_so, caution)| is_so.then_some(caution)).collect(),
    })
}

/// Refuses a step while something of the work of others has to be known that `known` does not name.
///
/// # Errors
/// [`Error::OpenComments`] before a step forward, [`Error::Claim`] before one that reviews.
pub(crate) async fn cautions(
    connection: &mut Connection,
    alert: &Alert,
    by: StaffId,
    action: Action,
    known: &[Caution],
    seen_comments: Option<i64>,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    if action.reviews() && !known.contains(&Caution::ClaimedByOther) {
        let standing = claims::standing(connection, alert.id, now).await?;
        if is_in_the_way(standing, by, action) {
            return Err(domain::claim::Refusal::ClaimedByOther.into());
        }
    }
    if action.goes_forward() {
        let open = comments::open(connection, alert.id).await?;
        if !are_known(open, known.contains(&Caution::OpenComments), seen_comments) {
            return Err(Error::OpenComments(open));
        }
    }
    Ok(())
}

/// Whether the caller sees the alert as those who make it do.
fn sees_draft(caller: &StaffCaller, alert: &Alert) -> bool {
    reading::view(caller).shows(alert.participants.district, false)
}

/// Refuses whoever does not see the alert as those who make it do: to them it is not there.
fn must_see_draft(caller: &StaffCaller, alert: &Alert) -> Result<(), Error> {
    if sees_draft(caller, alert) { Ok(()) } else { Err(Error::NoSuchAlert(alert.id)) }
}

/// Publishes what the caller did to the work on an alert, without a word of what they wrote.
async fn leave_trace(tx: &mut Tx, caller: &StaffCaller, action: &str, alert: &Alert, now: DateTime<Utc>) -> Result<(), Error> {
    let entry = AuditEntry {
        district: alert.participants.district.map(domain::area::DistrictCode::get),
        detail_json: serde_json::json!({ "version": alert.version, "state": alert.state }).to_string(),
        ..caller.did(action, "alert", alert.id, now)
    };
    tx.publish(SCHEMA, &entry).await?;
    Ok(())
}
