//! Showing a second factor: at the sign-in, and again before what cannot be taken back.
//!
//! Whatever is shown is used up in the transaction that notes it, before the session gains anything: of two who bring the same code, recovery
//! code or assertion, one goes on.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use domain::ids::{FactorId, StaffId};
use domain::second_factor::{FactorKind, Needs, Proof, ProofKind, is_new_step};
use platform::Platform;
use platform::database::{Connection, Tx};
use platform::http::SessionOwner;
use proto::AuditEntry;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use utoipa::ToSchema;

use crate::door::{CodeFrom, Door, Visitor};
use crate::offer::{self, What};
use crate::passkey::{Asked, Place, Presented};
use crate::session::{Session, Sessions};
use crate::token::{Token, TokenHash};
use crate::{City, Error, SCHEMA, account, factor, recovery_code, totp};

/// How a session stands to the second factor of its owner.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = SecondFactor)]
pub(crate) struct SecondFactor {
    /// What the session lacks; none: it may do everything that its owner's role may.
    pub needs: Option<Needs>,
    /// With what it can be proved.
    pub kinds: Vec<ProofKind>,
    /// When it was proved last.
    pub proved_at: Option<DateTime<Utc>>,
    /// Until then nothing asks for a fresh proof.
    pub fresh_until: Option<DateTime<Utc>>,
    /// When the newest factor of the account was enrolled.
    pub enrolled_at: Option<DateTime<Utc>>,
    /// When its first was enrolled by who had shown a password alone, if it was: whoever knew the password could have done that.
    pub on_password_at: Option<DateTime<Utc>>,
    /// Of an account from before there were second factors that has none yet: until then it works as it did, and then not at all.
    pub enrol_by: Option<DateTime<Utc>>,
}

/// A passkey as a browser shows it.
// no Debug: it signs somebody in
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PasskeyShown)]
pub(crate) struct PasskeyShown {
    /// What came with the challenge.
    pub state: String,
    /// What the browser answered: `PublicKeyCredential.toJSON()`.
    #[schema(value_type = Object)]
    pub credential: Value,
}

/// What somebody shows.
pub(crate) enum Brought<'a> {
    /// The code of an app, or of a demo.
    Code(&'a str),
    /// A recovery code.
    RecoveryCode(&'a str),
    /// A passkey.
    Passkey(&'a PasskeyShown),
}

/// A passkey that was shown to us, by whom it belongs to; not used up yet.
pub(crate) struct Checked {
    pub staff: StaffId,
    pub id: FactorId,
    pub was: Vec<u8>,
    pub state: Vec<u8>,
    pub offer: offer::Taken,
}

/// Checks second factors.
#[derive(Clone)]
pub(crate) struct Prover {
    platform: Platform,
    sessions: Sessions,
    door: Door,
    place: Option<Arc<Place>>,
    city: City,
}

impl Prover {
    pub(crate) fn new(platform: &Platform, place: Option<Place>, city: City) -> Self {
        Self { platform: platform.clone(), sessions: Sessions::new(platform), door: Door::new(platform), place: place.map(Arc::new), city }
    }

    /// Where passkeys are shown.
    pub(crate) fn place(&self) -> Result<&Place, Error> {
        self.place.as_deref().ok_or(Error::NoPasskeys)
    }

    /// What a browser is asked to show a passkey.
    pub(crate) fn challenge(&self) -> Result<(Value, String), Error> {
        let Asked { options, state } = self.place()?.ask_to_show()?;
        Ok((options, offer::make(&self.platform, What::Passkey, None, state)?))
    }

    /// How a session of this account stands.
    pub(crate) async fn second_factor(
        &self,
        connection: &mut Connection,
        staff: StaffId,
        standing: Result<Proof, Needs>,
    ) -> Result<SecondFactor, Error> {
        let factors = factor::of_staff(&mut *connection, staff).await?;
        let codes = recovery_code::left(&mut *connection, staff).await?;
        let on_password_at = account::enrolled_on_password_at(connection, staff).await?;
        let (proved_at, fresh_until) = match standing {
            Ok(Proof::Shown { at, fresh_until }) => (Some(at), Some(fresh_until)),
            Ok(Proof::NotAsked | Proof::Spared { .. }) | Err(_) => (None, None),
        };
        let enrol_by = match standing {
            Ok(Proof::Spared { until }) => Some(until),
            _ => None,
        };
        Ok(SecondFactor {
            needs: standing.err(),
            kinds: factor::proofs(&factors, codes, self.city),
            proved_at,
            fresh_until,
            enrolled_at: factors.iter().map(|factor| factor.created_at).max(),
            on_password_at,
            enrol_by,
        })
    }

    /// Proves a session with what its owner brings; the first time it goes on under another token.
    pub(crate) async fn prove(
        &self,
        owner: &SessionOwner,
        session: &TokenHash,
        brought: Brought<'_>,
        visitor: &Visitor,
    ) -> Result<(Session, Option<Token>), Error> {
        let used = match brought {
            Brought::Code(code) => self.code(owner, session, code, visitor).await,
            Brought::RecoveryCode(code) => self.recovery_code(owner, code).await,
            Brought::Passkey(shown) => self.passkey(owner, shown).await,
        };
        match used {
            Ok(kind) => {
                metrics::counter!("staff_proofs_total", "kind" => kind.as_ref().to_owned(), "outcome" => "proved").increment(1);
                self.sessions.prove(self.platform.database.begin().await?, session).await
            }
            // a code that was right and used before is what somebody brings who has watched its owner
            Err(error @ (Error::ProofRefused | Error::CodeUsed)) => {
                self.refused(owner, session, matches!(error, Error::CodeUsed)).await?;
                Err(error)
            }
            Err(error) => Err(error),
        }
    }

    async fn code(&self, owner: &SessionOwner, session: &TokenHash, code: &str, visitor: &Visitor) -> Result<ProofKind, Error> {
        let now = self.platform.clock.now();
        let was_proved = matches!(owner.standing, Ok(Proof::Shown { .. }));
        let counted = self.door.admit_code(CodeFrom { staff: owner.id, session, was_proved, visitor }).await?;
        let mut connection = self.platform.database.pool().acquire().await?;
        let factors = factor::of_codes(&mut connection, &self.platform.keyring, owner.id).await?;
        drop(connection);
        let mut was_used = false;
        for factor in factors.iter().filter(|factor| self.city.takes(factor.kind)) {
            let step = match factor.kind {
                FactorKind::Totp => match totp::step_of(&factor.secret, code, now)? {
                    Some(step) => Some(step),
                    None => continue,
                },
                // hashed, so that comparing them tells nothing
                FactorKind::Demo if Sha256::digest(code.trim()) == Sha256::digest(&factor.secret) => None,
                FactorKind::Demo | FactorKind::Passkey => continue,
            };
            let mut tx = self.platform.database.begin().await?;
            let is_new = step.is_none_or(|step| is_new_step(step, factor.last_step));
            if !is_new || !factor::use_step(&mut tx, factor.id, step, now).await? {
                was_used = true;
                continue;
            }
            self.proved(tx, owner, factor.kind.into(), now).await?;
            self.door.code_was_right(&counted).await?;
            return Ok(factor.kind.into());
        }
        Err(if was_used { Error::CodeUsed } else { Error::ProofRefused })
    }

    async fn recovery_code(&self, owner: &SessionOwner, code: &str) -> Result<ProofKind, Error> {
        let mut tx = self.platform.database.begin().await?;
        if !recovery_code::use_up(&mut tx, &self.platform.keyring, owner.id, code).await? {
            return Err(Error::ProofRefused);
        }
        self.proved(tx, owner, ProofKind::RecoveryCode, self.platform.clock.now()).await?;
        Ok(ProofKind::RecoveryCode)
    }

    async fn passkey(&self, owner: &SessionOwner, shown: &PasskeyShown) -> Result<ProofKind, Error> {
        let now = self.platform.clock.now();
        let checked = self.check_passkey(shown).await?.filter(|checked| checked.staff == owner.id).ok_or(Error::ProofRefused)?;
        checked.offer.use_up(&self.platform).await?.ok_or(Error::ProofRefused)?;
        let mut tx = self.platform.database.begin().await?;
        if !factor::use_passkey(&mut tx, checked.id, &checked.was, &checked.state, now).await? {
            return Err(Error::ProofRefused);
        }
        self.proved(tx, owner, ProofKind::Passkey, now).await?;
        Ok(ProofKind::Passkey)
    }

    /// Whether a passkey was shown to us, a short while ago, by whom it belongs to.
    pub(crate) async fn check_passkey(&self, shown: &PasskeyShown) -> Result<Option<Checked>, Error> {
        let place = self.place()?;
        let Some(offer) = offer::take(&self.platform, What::Passkey, None, &shown.state) else { return Ok(None) };
        let Some(presented) = Presented::read(&shown.credential) else { return Ok(None) };
        let staff = presented.staff();
        let mut connection = self.platform.database.pool().acquire().await?;
        let passkey = factor::of_passkey(&mut connection, &self.platform.keyring, staff, &presented.credential_id()).await?;
        drop(connection);
        let Some(passkey) = passkey else { return Ok(None) };
        let state = place.shown(&offer.state, &presented, &passkey);
        Ok(state.map(|state| Checked { staff, id: passkey.id, was: passkey.state, state, offer }))
    }

    async fn proved(&self, mut tx: Tx, owner: &SessionOwner, kind: ProofKind, now: DateTime<Utc>) -> Result<(), Error> {
        let entry = AuditEntry {
            district: owner.scope.district().map(|district| district.get()),
            detail_json: json!({ "kind": kind }).to_string(),
            ..owner.did("session.prove", "staff", owner.id, now)
        };
        tx.publish(SCHEMA, &entry).await?;
        Ok(tx.commit().await?)
    }

    /// Leaves a trace of what did not prove a session: whoever was here knows the password. After too many the session ends.
    async fn refused(&self, owner: &SessionOwner, session: &TokenHash, was_used: bool) -> Result<(), Error> {
        metrics::counter!("staff_proofs_total", "kind" => "none", "outcome" => "refused").increment(1);
        let now = self.platform.clock.now();
        let mut tx = self.platform.database.begin().await?;
        let entry = AuditEntry {
            district: owner.scope.district().map(|district| district.get()),
            detail_json: if was_used { json!({ "why": "used" }) } else { json!({}) }.to_string(),
            ..owner.did("session.refuse_proof", "staff", owner.id, now)
        };
        tx.publish(SCHEMA, &entry).await?;
        tx.commit().await?;
        if let Some(living) = self.sessions.look(session).await? {
            let left = (living.ends_at - now).to_std().unwrap_or(Duration::from_secs(1));
            if self.door.is_one_too_many(session, left).await? {
                self.sessions.end(session).await?;
            }
        }
        Ok(())
    }
}
