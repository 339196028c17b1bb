//! What stands in for the service at the limit: the same path, the same kind of token, an answer of the same shape, and memory
//! instead of a store.

use std::collections::HashMap;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::ids::{AlertId, ResidentNo};
use platform::clock::Clock;
use platform::http::{Access, Authenticator, Authenticators, Caller, Json, Path, Problem, ResidentCaller, Routes, Shell, routes};
use serde::Serialize;
use sha2::{Digest as _, Sha256};
use utoipa::ToSchema;

use crate::load::token;

/// The shell, knowing so many residents.
pub fn shell(residents: u32) -> Shell {
    let sessions = (1..=residents).map(|no| (Sha256::digest(token(no)).into(), ResidentNo::new(no))).collect();
    Shell::new(Routes::new("inbox").allow(Access::Resident, routes!(acknowledge)), Authenticators::new().with(Remembered(sessions)))
}

#[derive(Serialize, ToSchema)]
struct Acknowledged {
    acknowledged_at: DateTime<Utc>,
}

/// Acknowledge nothing
#[utoipa::path(post, path = "/api/v1/me/alerts/{alert_id}/acknowledgement", params(("alert_id" = AlertId, Path, description = "Any")),
    responses((status = 200, description = "Forgotten", body = Acknowledged)))]
async fn acknowledge(_caller: ResidentCaller, Path(_alert): Path<AlertId>) -> Result<Json<Acknowledged>, Problem> {
    Ok(Json(Acknowledged { acknowledged_at: Clock::real().now() }))
}

struct Remembered(HashMap<[u8; 32], ResidentNo>);

#[async_trait]
impl Authenticator for Remembered {
    fn prefixes(&self) -> &'static [&'static str] {
        &["fhr_"]
    }

    async fn authenticate(&self, token: &str) -> Result<Option<Caller>, Problem> {
        let hash: [u8; 32] = Sha256::digest(token.as_bytes()).into();
        Ok(self.0.get(&hash).map(|no| Caller::Resident(ResidentCaller { no: *no })))
    }
}
