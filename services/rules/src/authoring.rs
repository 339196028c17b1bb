//! Staff write rules and put them in force.

use std::collections::BTreeSet;

use axum::extract::State;
use axum::http::StatusCode;
use domain::alert::AckWindow;
use domain::ids::RuleId;
use domain::risk_record::RecordKind;
use domain::rule::{ContentTemplate, RuleAudience, RuleVersion};
use domain::second_factor::Act;
use domain::standing::StandingTerms;
use platform::http::{Json, Path, PathId, Problem, Routes, StaffCaller, routes};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::library::{self, KeptVersion};
use crate::{AUTHORS, READERS, Service};

pub(crate) fn routes() -> Routes<Service> {
    Routes::new("rules")
        .allow(READERS, routes!(list))
        .allow(AUTHORS, routes!(create))
        .allow(READERS, routes!(versions))
        .allow(AUTHORS, routes!(change))
        .allow(AUTHORS, routes!(activate))
        .allow(AUTHORS, routes!(deactivate))
}

/// A rule as its author writes it; its id and version are given when it is saved.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RuleDefinition {
    /// Its name for staff, up to 60 characters.
    #[schema(example = "密切接触者：立即隔离")]
    name: String,
    /// The kinds of records it is asked about.
    kinds: BTreeSet<RecordKind>,
    /// Which of them match, in CEL over kind, origin, level, district, township, community, occurred_at, age_hours and attributes.
    #[schema(example = "age_hours < 504 && attributes.result == \"positive\"")]
    condition: String,
    /// What its alerts say. Texts may name variables such as `{district}` and `{isolation_site}`.
    content: ContentTemplate,
    /// Whom its alerts tell.
    audience: RuleAudience,
    /// How long its alerts hold from when they are drafted, in seconds.
    validity_s: u32,
    /// How long recipients have to acknowledge, in seconds.
    #[schema(value_type = u32, maximum = 2_592_000)]
    ack_window_s: AckWindow,
    /// For how long the same person is not told again by it, in seconds, up to 30 days.
    cooldown_s: u32,
    /// How long matching records are gathered into one draft, in seconds, up to 2 hours.
    gather_window_s: u32,
    /// Whether public displays show its alerts.
    #[serde(default)]
    display: bool,
    /// What its alerts leave standing against the person whom they tell; left out, nothing.
    #[serde(default)]
    standing: Option<StandingTerms>,
}

impl RuleDefinition {
    pub(crate) fn into_version(self, rule_id: RuleId, version: u32) -> RuleVersion {
        let Self { name, kinds, condition, content, audience, validity_s, ack_window_s, cooldown_s, gather_window_s, display, standing } =
            self;
        RuleVersion {
            rule_id,
            version,
            name,
            kinds,
            condition,
            content,
            audience,
            validity_s,
            ack_window_s,
            cooldown_s,
            gather_window_s,
            display,
            standing,
        }
    }
}

/// The version that was saved.
#[derive(Debug, Serialize, ToSchema)]
struct SavedVersion {
    rule_id: RuleId,
    version: u32,
}

/// The version to put in force.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct RuleActivation {
    version: u32,
}

/// List all rules
///
/// Each with its version in force, or its latest if none is.
#[utoipa::path(get, path = "/api/v1/rules", responses((status = 200, description = "By name", body = Vec<KeptVersion>)))]
async fn list(State(service): State<Service>) -> Result<Json<Vec<KeptVersion>>, Problem> {
    Ok(Json(library::rules(&service.platform).await?))
}

/// Write a new rule
///
/// It is not in force before it is activated. All faults are told at once, with line and column where they have a place.
#[utoipa::path(post, path = "/api/v1/rules", request_body = RuleDefinition,
    responses((status = 201, description = "Saved as version 1", body = SavedVersion)))]
async fn create(
    State(service): State<Service>,
    caller: StaffCaller,
    Json(definition): Json<RuleDefinition>,
) -> Result<(StatusCode, Json<SavedVersion>), Problem> {
    save(&service, &caller, definition.into_version(RuleId::new(), 1)).await
}

/// List a rule's versions
#[utoipa::path(get, path = "/api/v1/rules/{id}/versions", params(("id" = RuleId, Path, description = "The rule")),
    responses((status = 200, description = "The latest first", body = Vec<KeptVersion>)))]
async fn versions(State(service): State<Service>, Path(id): PathId<RuleId>) -> Result<Json<Vec<KeptVersion>>, Problem> {
    Ok(Json(library::versions(&service.platform, id).await?))
}

/// Change a rule
///
/// Saved versions stay as they are: this saves a new one. It is not in force before it is activated.
#[utoipa::path(post, path = "/api/v1/rules/{id}/versions", params(("id" = RuleId, Path, description = "The rule")),
    request_body = RuleDefinition, responses((status = 201, description = "Saved", body = SavedVersion)))]
async fn change(
    State(service): State<Service>,
    caller: StaffCaller,
    Path(id): PathId<RuleId>,
    Json(definition): Json<RuleDefinition>,
) -> Result<(StatusCode, Json<SavedVersion>), Problem> {
    let version = library::next_version(&service.platform, id).await?;
    save(&service, &caller, definition.into_version(id, version)).await
}

async fn save(service: &Service, caller: &StaffCaller, rule: RuleVersion) -> Result<(StatusCode, Json<SavedVersion>), Problem> {
    library::save(&service.platform, &rule, caller).await?;
    Ok((StatusCode::CREATED, Json(SavedVersion { rule_id: rule.rule_id, version: rule.version })))
}

/// Put a version in force
///
/// It takes the place of the version that was, for records from now on. Whoever activates a rule answers for its alerts as their submitter.
#[utoipa::path(post, path = "/api/v1/rules/{id}/activation", params(("id" = RuleId, Path, description = "The rule")),
    request_body = RuleActivation, responses((status = 204, description = "In force")))]
async fn activate(
    State(service): State<Service>,
    caller: StaffCaller,
    Path(id): PathId<RuleId>,
    Json(activation): Json<RuleActivation>,
) -> Result<StatusCode, Problem> {
    let now = service.platform.clock.now();
    caller.may_act(now)?;
    caller.must_have_proved(Act::ActivateRule, now)?;
    library::activate(&service.platform, id, activation.version, &caller).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Take a rule out of force
///
/// What it has gathered already is still drafted and reviewed.
#[utoipa::path(delete, path = "/api/v1/rules/{id}/activation", params(("id" = RuleId, Path, description = "The rule")),
    responses((status = 204, description = "Out of force")))]
async fn deactivate(State(service): State<Service>, caller: StaffCaller, Path(id): PathId<RuleId>) -> Result<StatusCode, Problem> {
    let now = service.platform.clock.now();
    caller.may_act(now)?;
    caller.must_have_proved(Act::ActivateRule, now)?;
    library::deactivate(&service.platform, id, &caller).await?;
    Ok(StatusCode::NO_CONTENT)
}
