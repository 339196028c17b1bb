//! From a token to a member of staff or a source system, looked at afresh with every request.

use async_trait::async_trait;
use domain::second_factor::{self, Holder};
use platform::Platform;
use platform::http::{Authenticator, Caller, Problem, StaffCaller, TurnedAway, Unproved};

use crate::session::{Session, Sessions};
use crate::token::{API_KEY, SESSION, TokenHash};
use crate::{Error, account, api_key, turned_away};

/// Knows staff and sources.
pub(crate) struct StaffAndSources {
    platform: Platform,
    sessions: Sessions,
}

impl StaffAndSources {
    pub(crate) fn new(platform: &Platform) -> Self {
        Self { platform: platform.clone(), sessions: Sessions::new(platform) }
    }

    /// A session that an end has overtaken is left to run out: it may be the one whose owner has just changed their password, and that goes on.
    async fn staff(&self, token: &TokenHash, session: Option<Session>) -> Result<Option<Caller>, Error> {
        let Some(session) = session else { return Ok(None) };
        let seen = account::seen_by_id(&mut self.platform.database.pool().acquire().await?, session.staff).await?;
        // Role, scope and state come from the account, not from the session: changes hold from the next request on.
        let seen = seen.filter(|seen| seen.staff.disabled_at.is_none() && seen.credential_revision == session.revision);
        let Some(account::Seen { staff, has_factor, enrol_by, .. }) = seen else { return Ok(None) };
        let account::Staff { id, name, role, scope, acts_from, .. } = staff;
        let session_of = token.hex();
        let holder = Holder { role, has_factor, enrol_by };
        Ok(Some(match second_factor::standing(holder, session.came_with(), session.proof(), self.platform.clock.now()) {
            Ok(proof) => Caller::Staff(StaffCaller { id, name, role, scope, acts_from, session: session_of, proof }),
            Err(needs) => Caller::Unproved(Unproved { id, name, role, scope, acts_from, session: session_of, needs }),
        }))
    }

    async fn source(&self, token: &TokenHash) -> Result<Option<Caller>, Error> {
        let source = api_key::source(&self.platform.database, token, self.platform.clock.now()).await?;
        Ok(source.map(Caller::Source))
    }
}

#[async_trait]
impl Authenticator for StaffAndSources {
    fn prefixes(&self) -> &'static [&'static str] {
        &[SESSION, API_KEY]
    }

    async fn authenticate(&self, token: &str) -> Result<Option<Caller>, Problem> {
        let hash = TokenHash::of(token);
        if token.starts_with(SESSION) {
            let session = self.sessions.find(&hash).await?;
            return Ok(self.staff(&hash, session).await?);
        }
        Ok(self.source(&hash).await?)
    }

    async fn look(&self, token: &str) -> Result<Option<Caller>, Problem> {
        let hash = TokenHash::of(token);
        if token.starts_with(SESSION) {
            let session = self.sessions.look(&hash).await?;
            return Ok(self.staff(&hash, session).await?);
        }
        Ok(self.source(&hash).await?)
    }

    async fn turned_away(&self, caller: &Caller, from: TurnedAway<'_>) {
        turned_away::note(&self.platform, caller, from).await;
    }
}
