//! What the operator sees of dead letters, and how they are delivered again.

use axum::extract::State;
use domain::staff::Role;
use proto::AuditEntry;
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;

use super::{DeadLetter, SCHEMA};
use crate::Platform;
use crate::clock::Clock;
use crate::http::{Access, Json, Path, Problem, Routes, StaffCaller, routes};

/// Who sees what could not be delivered.
const READERS: Access = Access::Staff(&[Role::TechnicalOperator, Role::Administrator, Role::Auditor]);
/// Who runs the platform.
const OPERATORS: Access = Access::Staff(&[Role::TechnicalOperator]);

/// The routes of the bus. Every process has the same ones: the table is one.
pub fn routes(platform: &Platform) -> Routes {
    platform.bus.start_relay(SCHEMA);
    Routes::new("bus")
        .allow(READERS, routes!(dead_letters))
        .allow(OPERATORS, routes!(deliver_again))
        .allow(OPERATORS, routes!(deliver_all_again))
        .with_state(platform.clone())
}

/// What could not be delivered.
#[derive(Serialize, ToSchema)]
struct DeadLetters {
    /// How many dead letters there are.
    total: u64,
    /// Messages that have failed eight times or more and are tried on, every few minutes. They need what they fail on to be mended, nothing else.
    stuck: u64,
    /// The oldest, at most 1,000.
    letters: Vec<Listed>,
}

/// One of them. What it said is not shown: it may hold personal data.
#[derive(Serialize, ToSchema)]
#[schema(as = DeadLetterListed)]
struct Listed {
    #[serde(flatten)]
    letter: DeadLetter,
    /// How long it has been one, in seconds.
    age_s: i64,
}

/// What was delivered again.
#[derive(Serialize, ToSchema)]
struct DeliveredAgain {
    /// How many.
    letters: usize,
}

/// Dead letters: messages between services that nobody can make sense of as they are, with the reason.
#[utoipa::path(get, path = "/api/v1/dead-letters", responses((status = 200, description = "The oldest, and how many there are", body = DeadLetters)))]
async fn dead_letters(State(platform): State<Platform>) -> Result<Json<DeadLetters>, Problem> {
    let letters = platform.bus.dead_letters().await?;
    let trouble = platform.bus.trouble().await?;
    // they die by the machine's clock, also beside one that is moved
    let now = Clock::real().now();
    let age_s = |letter: &DeadLetter| (now - letter.died_at).num_seconds().max(0);
    let letters = letters.into_iter().map(|letter| Listed { age_s: age_s(&letter), letter }).collect();
    Ok(Json(DeadLetters { total: trouble.dead, stuck: trouble.stuck, letters }))
}

/// Have one dead letter delivered again: when what it failed on is mended. It becomes a dead letter again if it is not.
#[utoipa::path(post, path = "/api/v1/dead-letters/{letter_id}/deliveries", params(("letter_id" = i64, Path, description = "The dead letter")), responses(
    (status = 200, description = "It is on its way", body = DeliveredAgain),
    (status = 404, description = "It is no dead letter any more, or never was"),
))]
async fn deliver_again(
    State(platform): State<Platform>,
    caller: StaffCaller,
    Path(letter_id): Path<i64>,
) -> Result<Json<DeliveredAgain>, Problem> {
    let delivered = redrive(&platform, &caller, Some(letter_id)).await?;
    if delivered.letters == 0 {
        return Err(no_such_letter());
    }
    Ok(Json(delivered))
}

/// Have all dead letters delivered again, the oldest 1,000 at a time.
#[utoipa::path(post, path = "/api/v1/dead-letters/deliveries", responses((status = 200, description = "They are on their way", body = DeliveredAgain)))]
async fn deliver_all_again(State(platform): State<Platform>, caller: StaffCaller) -> Result<Json<DeliveredAgain>, Problem> {
    Ok(Json(redrive(&platform, &caller, None).await?))
}

async fn redrive(platform: &Platform, caller: &StaffCaller, which: Option<i64>) -> Result<DeliveredAgain, Problem> {
    let mut tx = platform.database.begin().await?;
    let redriven = platform.bus.redrive(&mut tx, which).await?;
    for letter in &redriven {
        let detail_json = json!({ "queue": letter.queue }).to_string();
        let entry = caller.did("dead_letter.deliver_again", "dead_letter", letter.letter_id, platform.clock.now());
        tx.publish(SCHEMA, &AuditEntry { detail_json, ..entry }).await?;
    }
    tx.commit().await?;
    platform.bus.tell_of(&redriven);
    Ok(DeliveredAgain { letters: redriven.len() })
}

fn no_such_letter() -> Problem {
    Problem::not_found(
        "dead_letter_not_found",
        "没有此死信：可能已经重新投递。请刷新列表。",
        "There is no such dead letter: it may have been delivered again. Load the list again.",
    )
}
