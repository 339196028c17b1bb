//! What a confirmed proposal changes. What is not as it was when it was proposed is not changed: two people agreed to something else.

use domain::ids::StaffId;
use platform::Platform;
use platform::database::Tx;

use super::{Proposed, Standing, Stored, first_half};
use crate::Error;
use crate::account::{self, Activation, Beginning, Staff};
use crate::api_key;
use crate::directory::binding;
use crate::half::Half;
use crate::settings::Delays;

/// What came of it.
pub(crate) struct Effect {
    /// What the trace is about: the account, or the key.
    pub object: (&'static str, String),
    /// The account that was made.
    pub made: Option<StaffId>,
    /// The confirmer's half of the secret.
    pub second_half: Option<Half>,
}

impl Effect {
    fn on(staff: StaffId, second_half: Option<Half>) -> Self {
        Self { object: ("staff", staff.to_string()), made: None, second_half }
    }
}

/// Lets a proposal take effect.
pub(crate) async fn take(tx: &mut Tx, platform: &Platform, stored: &Stored, delays: Delays) -> Result<Effect, Error> {
    let now = platform.clock.now();
    let waits_until = stored.decision().change.begins_waiting().then(|| now + delays.acting);
    match stored.proposed() {
        Proposed::MakeAccount { account } => {
            account.check()?;
            let (second_half, activation) = code(tx, platform, stored, delays).await?;
            let staff = account::insert(tx, account, Beginning::Code(activation), waits_until, now)
                .await?
                .ok_or_else(|| Error::LoginTaken { login: account.login.clone() })?;
            Ok(Effect { made: Some(staff.id), ..Effect::on(staff.id, Some(second_half)) })
        }
        Proposed::ChangeAccount { before, after } => {
            let staff = account::lock(tx, stored.concerned()?).await?;
            if Standing::of(&staff) != *before {
                return Err(Error::ProposalOutdated);
            }
            account::alter(tx, staff.id, after, waits_until).await?;
            Ok(Effect::on(staff.id, None))
        }
        Proposed::EnableAccount => {
            let staff = unchanged(tx, stored).await?;
            if staff.disabled_at.is_none() {
                return Err(Error::ProposalOutdated);
            }
            // as after a reset: whoever it was disabled for knows its old password
            let (second_half, activation) = code(tx, platform, stored, delays).await?;
            sqlx::query!("update identity.staff set disabled_at = null where id = $1", staff.id.uuid()).execute(&mut **tx).await?;
            account::begin_anew(tx, staff.id, activation, waits_until).await?;
            Ok(Effect::on(staff.id, Some(second_half)))
        }
        Proposed::DisableAccount => {
            let staff = unchanged(tx, stored).await?;
            if staff.disabled_at.is_some() {
                return Err(Error::ProposalOutdated);
            }
            account::disable(tx, staff.id, now).await?;
            Ok(Effect::on(staff.id, None))
        }
        Proposed::ResetAccount => {
            let staff = unchanged(tx, stored).await?;
            let (second_half, activation) = code(tx, platform, stored, delays).await?;
            account::begin_anew(tx, staff.id, activation, waits_until).await?;
            Ok(Effect::on(staff.id, Some(second_half)))
        }
        Proposed::LiftWaiting => {
            let staff = unchanged(tx, stored).await?;
            if staff.member().acts_at(now) {
                return Err(Error::ProposalOutdated);
            }
            sqlx::query!("update identity.staff set acts_from = null where id = $1", staff.id.uuid()).execute(&mut **tx).await?;
            Ok(Effect::on(staff.id, None))
        }
        Proposed::BindDirectory { issuer, subject } => {
            let staff = unchanged(tx, stored).await?;
            // whoever it was bound to may be signed in
            if binding::unbind(tx, staff.id).await? {
                account::end_sessions(tx, staff.id).await?;
            }
            binding::bind(tx, staff.id, issuer, subject, now).await?;
            account::wait(tx, staff.id, waits_until).await?;
            Ok(Effect::on(staff.id, None))
        }
        Proposed::MoveKey { key, before, after, .. } => {
            api_key::move_to(tx, *key, before, after).await?;
            Ok(Effect { object: ("api_key", key.to_string()), made: None, second_half: None })
        }
        Proposed::MakeKey { key } => {
            let by = stored.decision().proposed_by.ok_or(Error::Stored { what: "proposal.proposed_by" })?;
            let (first, second_half) = (first_half(tx, platform, stored.id()).await?, Half::second_of_key());
            let made = api_key::insert(tx, key, first.key_with(&second_half), by, now).await?;
            Ok(Effect { object: ("api_key", made.id.to_string()), made: None, second_half: Some(second_half) })
        }
    }
}

/// The account, if it stands as it did when the change was proposed.
async fn unchanged(tx: &mut Tx, stored: &Stored) -> Result<Staff, Error> {
    let row = account::lock_row(tx, stored.concerned()?).await?;
    stored.must_still_stand(&row.stood()?)?;
    row.into_staff()
}

/// The confirmer's half of a code, and the whole as it is stored.
async fn code(tx: &mut Tx, platform: &Platform, stored: &Stored, delays: Delays) -> Result<(Half, Activation), Error> {
    let (first, second) = (first_half(tx, platform, stored.id()).await?, Half::of_code());
    let activation = Activation { code: first.code_with(&second), expires_at: platform.clock.now() + delays.activation };
    Ok((second, activation))
}
