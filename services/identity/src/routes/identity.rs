//! What the handlers stand on.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use domain::ids::StaffId;
use domain::second_person;
use http::StatusCode;
use platform::Platform;
use platform::http::{Json, Problem, StaffCaller};
use serde::Serialize;
use utoipa::ToSchema;

use crate::Error;
use crate::directory::Directory;
use crate::enrolment::Enrolment;
use crate::password::Hasher;
use crate::proposal::{self, Made, Proposal, Proposed};
use crate::proving::Prover;
use crate::session::Sessions;
use crate::settings::Delays;
use crate::sign_in::SignIn;

/// The state of the routes.
#[derive(Clone)]
pub(super) struct Identity {
    pub platform: Platform,
    pub hasher: Hasher,
    pub sign_in: SignIn,
    pub sessions: Sessions,
    pub prover: Prover,
    pub enrolment: Enrolment,
    pub directory: Option<Arc<Directory>>,
    pub cookie_secure: bool,
    pub delays: Delays,
}

/// A change that waits for a second administrator.
#[derive(Serialize, ToSchema)]
pub(super) struct ProposalMade {
    /// The proposal.
    pub proposal: Proposal,
    /// The first half of the code or key, for whoever will have the account or key; the administrator who confirms gets the second. It is shown
    /// this once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_half: Option<String>,
}

/// An answer that a change was proposed.
pub(super) type Waiting = (StatusCode, Json<ProposalMade>);

impl Identity {
    pub fn now(&self) -> DateTime<Utc> {
        self.platform.clock.now()
    }

    /// The city's directory.
    pub fn directory(&self) -> Result<&Directory, Error> {
        self.directory.as_deref().ok_or(Error::NoDirectory)
    }

    /// Proposes a change that gives power.
    pub async fn propose(&self, caller: &StaffCaller, change: &Proposed, concerns: Option<StaffId>) -> Result<Waiting, Problem> {
        second_person::propose(&caller.member(), concerns, self.now()).map_err(Error::from)?;
        let mut tx = self.platform.database.begin().await?;
        let Made { stored, first_half } = proposal::propose(&mut tx, &self.platform, caller, change, concerns, self.delays).await?;
        tx.commit().await?;
        metrics::counter!("staff_changes_total", "step" => "proposed").increment(1);
        let proposal = stored.seen_by(caller, self.now());
        Ok((StatusCode::ACCEPTED, Json(ProposalMade { proposal, first_half: first_half.map(proposal::Half::into_text) })))
    }
}
