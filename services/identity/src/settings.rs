//! What the operator sets.

use std::time::Duration;

use chrono::TimeDelta;
use domain::retention;
use serde::{Deserialize, Serialize};

use crate::Error;
use crate::directory::DirectorySettings;
use crate::session::Lifetimes;

/// The section `identity` of the configuration.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// A session ends when it was not used for so long. The same in every process.
    ///
    /// Consoles stand in shared rooms: what somebody left open closes by itself.
    pub session_idle_seconds: u64,
    /// A session ends after so long, used or not.
    ///
    /// No shift is longer, so each begins with a password.
    pub session_longest_seconds: u64,
    /// How long a second factor that was shown is fresh. Urgent alerts, large ones, cancellations, contacts in bulk, keys, proposals and one's own
    /// factors take a fresh one.
    ///
    /// Short, since consoles stand in shared rooms; long enough for a decision and what follows from it.
    pub fresh_proof_seconds: u32,
    /// How many days accounts from before there were second factors work without one, from the upgrade on. Then they can do nothing until two
    /// administrators reset them.
    ///
    /// Long enough that everybody has a shift in it; what is stolen meanwhile is worth as much as before the upgrade.
    ///
    /// Unit: days
    pub second_factor_grace_days: u32,
    /// Address under which staff open the console: passkeys are bound to its name. Empty: there are no passkeys, and authenticator apps alone are
    /// the second factor.
    ///
    /// A passkey cannot be shown to a page of another name; with another name here, those that were enrolled are void.
    ///
    /// Example: "https://alerts.example.cn"
    pub console_address: String,
    /// Whether browsers send the session cookie over https only.
    ///
    /// Switch it off only where pages are served without TLS, as a demo on one machine is.
    pub cookie_secure: bool,
    /// A new, changed, enabled or reset account of a role that approves, confirms or sends may do so after so long.
    ///
    /// So that there is time to notice an account that should not be there. Two administrators can lift it for one account.
    pub acting_after_hours: u32,
    /// A proposed change of an account or key is void when no second administrator has confirmed it within this time.
    ///
    /// Long enough for a weekend; what is still wanted is proposed again.
    pub proposal_hours: u32,
    /// The code with which somebody sets their own password is void after so long.
    ///
    /// Long enough to hand it over in person; a code that lies about longer finds somebody else.
    pub activation_hours: u32,
    /// In an emergency one administrator may act alone, but not before so long has passed since they declared it.
    ///
    /// The time in which other administrators and the city command may object.
    pub emergency_delay_minutes: u32,
    /// The city's own directory of staff, by OpenID Connect: they sign in there, and roles and areas stay ours. Without it there are passwords and
    /// passkeys, which there are with it as well.
    pub directory: Option<DirectorySettings>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            session_idle_seconds: 30 * 60,
            session_longest_seconds: retention::STAFF_SESSIONS.keeping.length().into(),
            fresh_proof_seconds: 5 * 60,
            second_factor_grace_days: 14,
            console_address: String::new(),
            cookie_secure: true,
            acting_after_hours: 24,
            proposal_hours: 72,
            activation_hours: 72,
            emergency_delay_minutes: 15,
            directory: None,
        }
    }
}

impl Settings {
    pub(crate) fn lifetimes(&self) -> Result<Lifetimes, Error> {
        if !(30..=43_200).contains(&self.fresh_proof_seconds) {
            let reason = "must be from 30 to 43200".to_owned();
            return Err(Error::Setting { name: "identity.fresh_proof_seconds", reason });
        }
        Ok(Lifetimes {
            idle: Duration::from_secs(self.session_idle_seconds),
            longest: Duration::from_secs(self.session_longest_seconds),
            fresh: Duration::from_secs(self.fresh_proof_seconds.into()),
        })
    }

    /// How long accounts from before work without a second factor.
    pub(crate) fn second_factor_grace_days(&self) -> Result<i32, Error> {
        match i32::try_from(self.second_factor_grace_days) {
            Ok(days @ 0..=90) => Ok(days),
            _ => Err(Error::Setting { name: "identity.second_factor_grace_days", reason: "must be at most 90".to_owned() }),
        }
    }

    /// How long the parts of a change between two people last.
    pub(crate) fn delays(&self) -> Result<Delays, Error> {
        for (name, value, least) in [
            ("identity.acting_after_hours", self.acting_after_hours, 1),
            ("identity.proposal_hours", self.proposal_hours, 1),
            ("identity.activation_hours", self.activation_hours, 1),
            ("identity.emergency_delay_minutes", self.emergency_delay_minutes, 5),
        ] {
            if value < least {
                return Err(Error::Setting { name, reason: format!("must be at least {least}") });
            }
        }
        if self.emergency_delay_minutes >= self.proposal_hours.saturating_mul(60) {
            return Err(Error::Setting {
                name: "identity.emergency_delay_minutes",
                reason: "must be shorter than identity.proposal_hours, or no emergency takes effect".to_owned(),
            });
        }
        Ok(Delays {
            acting: TimeDelta::hours(self.acting_after_hours.into()),
            proposal: TimeDelta::hours(self.proposal_hours.into()),
            activation: TimeDelta::hours(self.activation_hours.into()),
            emergency: TimeDelta::minutes(self.emergency_delay_minutes.into()),
        })
    }
}

/// How long the parts of a change between two people last.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Delays {
    /// Before a new account acts.
    pub acting: TimeDelta,
    /// Until a proposal expires.
    pub proposal: TimeDelta,
    /// Until a code is void.
    pub activation: TimeDelta,
    /// Before one administrator acts alone.
    pub emergency: TimeDelta,
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(Settings { acting_after_hours: 0, ..Settings::default() }, "identity.acting_after_hours")]
    #[case(Settings { activation_hours: 0, ..Settings::default() }, "identity.activation_hours")]
    #[case(Settings { emergency_delay_minutes: 4, ..Settings::default() }, "identity.emergency_delay_minutes")]
    #[case(Settings { proposal_hours: 1, emergency_delay_minutes: 60, ..Settings::default() }, "identity.emergency_delay_minutes")]
    fn no_setting_takes_the_second_person_or_the_time_to_notice_away(#[case] settings: Settings, #[case] refused: &str) {
        assert!(Settings::default().delays().is_ok());
        assert!(matches!(settings.delays(), Err(Error::Setting { name, .. }) if name == refused));
    }

    #[test]
    fn a_grace_ends() {
        assert_eq!(Settings::default().second_factor_grace_days().ok(), Some(14));
        let endless = Settings { second_factor_grace_days: 91, ..Settings::default() };
        assert!(endless.second_factor_grace_days().is_err());
    }
}
