//! How long recipients have to acknowledge.

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

/// How long recipients have to acknowledge before they are reminded (CQ11), in whole seconds: at most as long as an alert can hold.
/// What a reviewer lets through is less ([`crate::alert::AlertContent::validate`]); what a draft may hold is this, since everything
/// that reads it later counts in numbers of a certain size.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u32", into = "u32")]
pub struct AckWindow(u32);

/// More seconds than there can be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an acknowledgement window has at most {} seconds", AckWindow::LONGEST.0)]
pub struct AckWindowError;

impl AckWindow {
    /// Nothing to acknowledge: nobody is reminded.
    pub const NONE: Self = Self(0);
    /// Thirty days.
    pub const LONGEST: Self = Self(30 * 24 * 3_600);

    /// So many seconds, or the longest there is.
    #[must_use]
    pub const fn capped(seconds: u32) -> Self {
        if seconds < Self::LONGEST.0 { Self(seconds) } else { Self::LONGEST }
    }

    /// In seconds.
    #[must_use]
    pub const fn seconds(self) -> u32 {
        self.0
    }

    /// As a time to add.
    #[must_use]
    pub fn duration(self) -> TimeDelta {
        TimeDelta::seconds(i64::from(self.0))
    }
}

impl TryFrom<u32> for AckWindow {
    type Error = AckWindowError;

    fn try_from(seconds: u32) -> Result<Self, AckWindowError> {
        if seconds <= Self::LONGEST.0 { Ok(Self(seconds)) } else { Err(AckWindowError) }
    }
}

impl From<AckWindow> for u32 {
    fn from(window: AckWindow) -> Self {
        window.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_holds_no_more_than_what_reads_it_counts() {
        assert_eq!(serde_json::from_str::<AckWindow>("2592000").unwrap(), AckWindow::LONGEST);
        for too_much in ["2592001", "2147483648", "4294967295", "4294967296", "-1", "1e308", "\"7\""] {
            assert!(serde_json::from_str::<AckWindow>(too_much).is_err(), "{too_much}");
        }
        assert_eq!(serde_json::to_string(&AckWindow::capped(3_600)).unwrap(), "3600");
        assert_eq!(AckWindow::capped(u32::MAX), AckWindow::LONGEST);
    }
}
