//! Made-up callers.

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use domain::ids::StaffId;
use domain::second_factor::Proof;
use domain::staff::Role;
use platform::http::{Authenticator, Caller, Problem, StaffCaller};
use uuid::Uuid;

use crate::store::{DAY, noon};

/// The token of whoever does not sign in.
pub const NOBODY: &str = "";

/// How the tokens of accounts begin that were made this [`noon`] and wait for a day before they approve, confirm or send.
pub const NEW: &str = "fhs_new_";
/// How the tokens of sessions begin whose second factor was shown too long ago for what asks for a fresh proof.
pub const STALE: &str = "fhs_stale_";
/// A second factor that has just been shown, whatever time it is.
pub const FRESH: Proof = Proof::Shown { at: DateTime::UNIX_EPOCH, fresh_until: DateTime::<Utc>::MAX_UTC };

/// Members of staff with their tokens (which begin with `fhs_`), roles and scopes: whoever presents a token is who stands in the list.
/// Nobody else is known.
#[derive(Clone, Copy, Debug)]
pub struct Staff(pub &'static [(&'static str, Role, &'static str)]);

/// The id of the member of staff with this token.
pub fn id(token: &str) -> StaffId {
    StaffId::from_uuid(Uuid::new_v5(&Uuid::NAMESPACE_OID, token.as_bytes()))
}

#[async_trait]
impl Authenticator for Staff {
    fn prefixes(&self) -> &'static [&'static str] {
        &["fhs_"]
    }

    async fn authenticate(&self, token: &str) -> Result<Option<Caller>, Problem> {
        let known = self.0.iter().find(|(known, ..)| *known == token);
        Ok(known.map(|(token, role, scope)| {
            let scope = scope.parse().unwrap();
            Caller::Staff(StaffCaller {
                id: id(token),
                name: (*token).to_owned(),
                role: *role,
                scope,
                acts_from: token.starts_with(NEW).then(|| noon() + DAY),
                session: (*token).to_owned(),
                proof: if token.starts_with(STALE) { Proof::shown(DateTime::UNIX_EPOCH, TimeDelta::minutes(5)) } else { FRESH },
            })
        }))
    }
}
