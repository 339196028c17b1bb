//! Enrolling a second factor, and looking after those that one has.
//!
//! Nothing is stored until the factor has been shown to work. The first one of an account comes with recovery codes, and proves the session that
//! enrolled it; every other session of the account has to show it from then on.

use domain::ids::{FactorId, StaffId};
use domain::second_factor::{FactorKind, Proof, may_remove_one};
use platform::Platform;
use platform::http::SessionOwner;
use proto::AuditEntry;
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use crate::account::{self, Row};
use crate::factor::{Factor, Secret};
use crate::offer::{self, What};
use crate::passkey::Asked;
use crate::proving::{PasskeyShown, Prover};
use crate::session::{Session, Sessions};
use crate::token::{Token, TokenHash};
use crate::totp::{self, ForApp};
use crate::{Error, SCHEMA, factor, recovery_code};

/// The code of an app that was given a secret.
// no Debug: it holds the code
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = TotpShown)]
pub(crate) struct TotpShown {
    /// What came with the secret.
    pub state: String,
    /// The code that the app shows.
    pub code: String,
}

/// What somebody enrols.
pub(crate) enum New<'a> {
    /// An authenticator app.
    Totp(&'a TotpShown),
    /// A passkey.
    Passkey(&'a PasskeyShown),
}

/// What came of it.
pub(crate) struct Enrolled {
    pub factor: Factor,
    /// With the first factor only.
    pub recovery_codes: Option<Vec<String>>,
    pub session: Session,
    /// Of the session from now on, where it was not proved before.
    pub token: Option<Token>,
}

/// Enrols, renames and removes.
#[derive(Clone)]
pub(crate) struct Enrolment {
    platform: Platform,
    sessions: Sessions,
    prover: Prover,
}

impl Enrolment {
    pub(crate) fn new(platform: &Platform, prover: Prover) -> Self {
        Self { platform: platform.clone(), sessions: Sessions::new(platform), prover }
    }

    /// A secret for somebody's app, and what has to come back with its first code.
    pub(crate) async fn offer_totp(&self, staff: StaffId) -> Result<(ForApp, String), Error> {
        let row = self.account(staff).await?;
        let secret = totp::generate();
        let for_app = totp::for_app(&secret, &row.login)?;
        Ok((for_app, offer::make(&self.platform, What::Totp, Some(staff), secret)?))
    }

    /// What a browser is asked to make a passkey.
    pub(crate) async fn offer_passkey(&self, staff: StaffId) -> Result<(Value, String), Error> {
        let place = self.prover.place()?;
        let row = self.account(staff).await?;
        let known = factor::credential_ids(&mut self.platform.database.pool().acquire().await?, staff).await?;
        let Asked { options, state } = place.ask_to_make(staff, &row.login, &row.name, known)?;
        Ok((options, offer::make(&self.platform, What::NewPasskey, Some(staff), state)?))
    }

    /// Stores what was shown to work, and proves the session.
    pub(crate) async fn enrol(&self, owner: &SessionOwner, session: &TokenHash, name: &str, new: New<'_>) -> Result<Enrolled, Error> {
        let living = self.sessions.living(session).await?;
        let now = self.platform.clock.now();
        let (offered, secret, step) = self.shown(owner.id, new)?.ok_or(Error::ProofRefused)?;
        offered.use_up(&self.platform).await?.ok_or(Error::ProofRefused)?;
        let mut tx = self.platform.database.begin().await?;
        let row = account::lock_row(&mut tx, owner.id).await?;
        if row.disabled_at.is_some() || row.credential_revision != living.revision {
            return Err(Error::SessionOver);
        }
        let is_first = factor::of_staff(&mut tx, owner.id).await?.is_empty();
        // Of two sessions that had shown no factor one enrols; the other has to show what was enrolled, whatever it was when it asked.
        if !is_first && !matches!(owner.standing, Ok(Proof::Shown { .. })) {
            return Err(Error::ProofRefused);
        }
        let factor = factor::insert(&mut tx, &self.platform.keyring, owner.id, name, secret, step, now).await?;
        let recovery_codes = match is_first {
            true => Some(recovery_code::renew(&mut tx, &self.platform.keyring, owner.id).await?),
            false => None,
        };
        let in_grace = matches!(owner.standing, Ok(Proof::Spared { .. }));
        let mut entry = about(owner, "factor.enrol", factor.kind, now);
        if in_grace {
            // on a password alone: administrators ask whether it was its owner
            account::note_enrolled_on_password(&mut tx, owner.id, now).await?;
            entry.detail_json = json!({ "kind": factor.kind, "on": "password" }).to_string();
        }
        tx.publish(SCHEMA, &entry).await?;
        tx.commit().await?;
        if in_grace {
            tracing::warn!(staff = %owner.id, "an account from before has enrolled its first second factor on its password");
        }
        metrics::counter!("staff_factors_enrolled_total", "kind" => factor.kind.as_ref().to_owned()).increment(1);
        let (session, token) = self.sessions.prove(self.platform.database.begin().await?, session).await?;
        Ok(Enrolled { factor, recovery_codes, session, token })
    }

    /// What was shown, if it is an answer to an offer of ours.
    fn shown(&self, staff: StaffId, new: New<'_>) -> Result<Option<(offer::Taken, Secret, Option<u64>)>, Error> {
        match new {
            New::Totp(shown) => {
                let Some(offer) = offer::take(&self.platform, What::Totp, Some(staff), &shown.state) else { return Ok(None) };
                let step = totp::step_of(&offer.state, &shown.code, self.platform.clock.now())?;
                Ok(step.map(|step| (Secret::Totp(offer.state.clone()), step)).map(|(secret, step)| (offer, secret, Some(step))))
            }
            New::Passkey(shown) => {
                let place = self.prover.place()?;
                let Some(offer) = offer::take(&self.platform, What::NewPasskey, Some(staff), &shown.state) else { return Ok(None) };
                Ok(place.made(&offer.state, &shown.credential).map(|secret| (offer, secret, None)))
            }
        }
    }

    /// Gives one of one's own factors another name.
    pub(crate) async fn rename(&self, owner: &SessionOwner, id: FactorId, name: &str) -> Result<(), Error> {
        let mut tx = self.platform.database.begin().await?;
        let factor = one_of(&factor::of_staff(&mut tx, owner.id).await?, id)?;
        factor::rename(&mut tx, owner.id, id, name).await?;
        tx.publish(SCHEMA, &about(owner, "factor.rename", factor.kind, self.platform.clock.now())).await?;
        Ok(tx.commit().await?)
    }

    /// Removes one of one's own factors, never the last one that is needed. The other sessions end: one of them may be whoever has it now.
    pub(crate) async fn remove(&self, owner: &SessionOwner, session: &TokenHash, id: FactorId) -> Result<(), Error> {
        let living = self.sessions.living(session).await?;
        let mut tx = self.platform.database.begin().await?;
        account::lock_row(&mut tx, owner.id).await?;
        let factors = factor::of_staff(&mut tx, owner.id).await?;
        let factor = one_of(&factors, id)?;
        if !may_remove_one(owner.role, factors.len()) {
            return Err(Error::LastFactor);
        }
        factor::remove(&mut tx, owner.id, id).await?;
        if factors.len() == 1 {
            recovery_code::remove(&mut tx, owner.id).await?;
        }
        let revision = account::end_other_sessions(&mut tx, owner.id, living.revision).await?;
        tx.publish(SCHEMA, &about(owner, "factor.remove", factor.kind, self.platform.clock.now())).await?;
        tx.commit().await?;
        self.sessions.carry_over(session, revision).await
    }

    /// Makes fresh recovery codes; the old ones are void.
    pub(crate) async fn renew_recovery_codes(&self, owner: &SessionOwner) -> Result<Vec<String>, Error> {
        let mut tx = self.platform.database.begin().await?;
        account::lock_row(&mut tx, owner.id).await?;
        if factor::of_staff(&mut tx, owner.id).await?.is_empty() {
            return Err(Error::NoFactor);
        }
        let codes = recovery_code::renew(&mut tx, &self.platform.keyring, owner.id).await?;
        tx.publish(SCHEMA, &owner.did("factor.renew_recovery_codes", "staff", owner.id, self.platform.clock.now())).await?;
        tx.commit().await?;
        Ok(codes)
    }

    async fn account(&self, staff: StaffId) -> Result<Row, Error> {
        account::by_id(&mut self.platform.database.pool().acquire().await?, staff).await?.ok_or(Error::NoSuchStaff(staff))
    }
}

fn one_of(factors: &[Factor], id: FactorId) -> Result<Factor, Error> {
    factors.iter().find(|factor| factor.id == id).cloned().ok_or(Error::NoSuchFactor(id))
}

fn about(owner: &SessionOwner, action: &str, kind: FactorKind, at: chrono::DateTime<chrono::Utc>) -> AuditEntry {
    AuditEntry {
        district: owner.scope.district().map(|district| district.get()),
        detail_json: json!({ "kind": kind }).to_string(),
        ..owner.did(action, "staff", owner.id, at)
    }
}
