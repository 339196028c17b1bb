//! The proof of delivery: what was approved and what left, as digests, and what holds an alert back because the two are not the same.

use axum::extract::State;
use axum::http::StatusCode;
use chrono::{DateTime, Utc};
use domain::alert::AlertContent;
use domain::approval_seal::{Digest, Part, may_go_on};
use domain::headcount::HeadCount;
use domain::ids::AlertId;
use domain::language::Language;
use domain::outcome::Channel;
use domain::second_factor::Act;
use platform::http::{FieldFault, Json, Path, PathId, Problem, StaffCaller};
use proto::AuditEntry;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::shared::Shared;
use crate::unlike::{self, Word, seal_of};
use crate::{Error, SCHEMA};

/// Longest reason, in characters.
const LONGEST_REASON: usize = 500;

/// What was approved, and what left.
#[derive(Serialize, ToSchema)]
pub(super) struct DeliveryProof {
    /// About how many people were counted when it was approved; none: they could not be counted, or are named.
    people_approved: Option<HeadCount>,
    /// People found so far in the audience.
    people_planned: i64,
    audience: Digest,
    terms: Digest,
    /// Each language on each channel that carries it.
    texts: Vec<ProvenText>,
}

/// The words of one language on one channel.
#[derive(Serialize, ToSchema)]
struct ProvenText {
    language: Language,
    channel: Channel,
    approved: Digest,
    /// None: nothing has left yet on this channel.
    sent: Option<String>,
    sent_at: Option<DateTime<Utc>>,
    /// Whether what left is what was approved.
    same: Option<bool>,
}

/// That an alert is held because what would leave is not what was approved.
#[derive(Serialize, ToSchema)]
pub(super) struct UnlikeApproved {
    since: DateTime<Utc>,
    parts: Vec<UnlikeNote>,
    /// What it means and what to do, in Chinese.
    sentence: String,
    /// The same in English.
    sentence_en: String,
    /// There are only more people than were approved: an officer of the city command may let it go on.
    may_go_on: bool,
}

/// Something that is not as it was approved.
#[derive(Serialize, ToSchema)]
struct UnlikeNote {
    part: Part,
    language: Option<Language>,
    channel: Option<Channel>,
    /// A digest, or a number of people.
    approved: String,
    /// Empty: it is missing.
    found: String,
    found_at: DateTime<Utc>,
}

/// The proof of an alert's delivery; none: it was approved before there were seals.
pub(super) async fn proof(shared: &Shared, alert_id: AlertId) -> Result<Option<DeliveryProof>, Error> {
    let row = sqlx::query!(
        r#"select a.seal, a.content, (select coalesce(sum(w.recipients + w.no_channel), 0)::bigint from dispatch.wave w
                                       where w.alert_id = $1 and w.wave = 1) as "planned!",
                  s.given, s.given_at as "given_at?"
             from dispatch.alert a left join display.shown_story s on s.alert_id = $1 where a.alert_id = $1"#,
        alert_id.uuid()
    )
    .fetch_optional(shared.database.pool())
    .await?;
    let Some(row) = row else { return Ok(None) };
    let Some(seal) = seal_of(alert_id, row.seal)? else { return Ok(None) };
    let mut connection = shared.database.pool().acquire().await?;
    let mut sent = unlike::sent(&mut connection, alert_id).await?;
    drop(connection);
    if let (Some(given), Some(at)) = (row.given, row.given_at) {
        let given: std::collections::BTreeMap<Language, String> = serde_json::from_value(given).unwrap_or_default();
        sent.extend(given.into_iter().map(|(language, digest)| ((language, Channel::Display), (digest, at))));
    }
    let on_screens = serde_json::from_value::<AlertContent>(row.content).is_ok_and(|content| content.display);
    let channels = [Channel::App, Channel::Sms, Channel::Display].into_iter().filter(|channel| *channel != Channel::Display || on_screens);
    let texts = seal.texts.iter().flat_map(|(language, text)| channels.clone().map(move |channel| (*language, channel, text.on(channel))));
    let texts = texts.map(|(language, channel, approved)| {
        let left = sent.get(&(language, channel)).cloned();
        let same = left.as_ref().map(|(digest, _)| *digest == approved.to_string());
        let (sent, sent_at) = left.unzip();
        ProvenText { language, channel, approved, sent, sent_at, same }
    });
    Ok(Some(DeliveryProof {
        people_approved: seal.people.map(HeadCount::of),
        people_planned: row.planned,
        audience: seal.audience,
        terms: seal.terms,
        texts: texts.collect(),
    }))
}

/// What holds an alert back; none: nothing of this kind does.
pub(super) async fn held(shared: &Shared, alert_id: AlertId, since: Option<DateTime<Utc>>) -> Result<Option<UnlikeApproved>, Error> {
    let Some(since) = since else { return Ok(None) };
    let mut connection = shared.database.pool().acquire().await?;
    let found = unlike::of(&mut connection, alert_id).await?;
    let (sentence, sentence_en) = unlike::told(&found);
    let may_go_on = may_go_on(found.iter().map(|unlike| unlike.difference.part));
    let parts = found.into_iter().map(|unlike::Unlike { difference, found_at }| UnlikeNote {
        part: difference.part,
        language: difference.language,
        channel: difference.channel,
        approved: difference.approved,
        found: difference.found,
        found_at,
    });
    Ok(Some(UnlikeApproved { since, parts: parts.collect(), sentence, sentence_en, may_go_on }))
}

/// An officer's word.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct GoOn {
    /// How many people are planned, as it was shown: of another number it does not hold.
    planned: u64,
    /// Why, in 1 to 500 characters; it is in the trace.
    reason: String,
}

/// Lets an alert go on to more people than were approved.
///
/// Only where nothing else differs: words, audience or terms that nobody approved are sent by nobody's word. Takes a fresh proof of the second factor.
#[utoipa::path(
    post,
    path = "/api/v1/alerts/{id}/delivery/go-on",
    operation_id = "let_delivery_go_on",
    params(("id" = AlertId, Path, description = "The alert")),
    request_body = GoOn,
    responses(
        (status = 204, description = "It goes on"),
        (status = 404, description = "Not approved, or unknown"),
        (status = 409, description = "Nothing is held, something else differs too, or there are more people by now")
    )
)]
pub(super) async fn go_on(
    State(shared): State<Shared>,
    caller: StaffCaller,
    Path(alert_id): PathId<AlertId>,
    Json(body): Json<GoOn>,
) -> Result<StatusCode, Problem> {
    let (now, reason) = (shared.clock.now(), body.reason.trim());
    if reason.is_empty() || reason.chars().count() > LONGEST_REASON {
        let fault = FieldFault::new(
            "reason",
            format!("请填写 1 至 {LONGEST_REASON} 个字的理由"),
            format!("write 1 to {LONGEST_REASON} characters"),
        );
        return Err(Problem::invalid(vec![fault]));
    }
    caller.may_act(now)?;
    caller.must_have_proved(Act::Approve { people: Some(body.planned), many: 0 }, now)?;
    noted(&shared, &caller, alert_id, body.planned, reason, now).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn noted(
    shared: &Shared,
    caller: &StaffCaller,
    alert_id: AlertId,
    planned: u64,
    reason: &str,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    let mut tx = shared.database.begin().await?;
    let planned = planned.to_string();
    let district = unlike::go_on(&mut tx, alert_id, &Word { by: caller.id, planned: &planned, reason }, now).await?;
    let entry = AuditEntry {
        district: district.map(|district| district.get()),
        detail_json: serde_json::json!({ "planned": planned, "reason": reason }).to_string(),
        ..caller.did("alert.go_on", "alert", alert_id, now)
    };
    tx.publish(SCHEMA, &entry).await?;
    tx.commit().await?;
    unlike::tell_of_going_on(&shared.platform, alert_id).await;
    tracing::warn!(%alert_id, planned, "an officer lets an alert go on to more people than were approved");
    Ok(())
}

#[cfg(test)]
mod tests;
