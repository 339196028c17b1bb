//! One line of the doctor's report.

use std::fmt;

use serde::Serialize;

/// What was found about one thing.
#[derive(Debug, Serialize)]
pub(super) struct Finding {
    /// The thing.
    check: &'static str,
    #[serde(flatten)]
    state: State,
    /// What was found.
    what: String,
}

/// Whether it will do. What will not has a remedy.
#[derive(Debug, Serialize)]
#[serde(tag = "state", rename_all = "snake_case")]
enum State {
    Ok,
    Warn { remedy: String },
    Fail { remedy: String },
}

impl Finding {
    /// It is well.
    pub(super) fn ok(check: &'static str, what: impl Into<String>) -> Self {
        Self { check, state: State::Ok, what: what.into() }
    }

    /// It works, and will not for long, or not as well as it might.
    pub(super) fn warn(check: &'static str, what: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { check, state: State::Warn { remedy: remedy.into() }, what: what.into() }
    }

    /// The platform cannot work with it.
    pub(super) fn fail(check: &'static str, what: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { check, state: State::Fail { remedy: remedy.into() }, what: what.into() }
    }

    /// Whether the platform cannot work with it.
    pub(super) fn failed(&self) -> bool {
        matches!(self.state, State::Fail { .. })
    }
}

/// `fail  sms              the SMS centre refuses the account → set …`
impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (word, remedy) = match &self.state {
            State::Ok => ("ok", None),
            State::Warn { remedy } => ("warn", Some(remedy)),
            State::Fail { remedy } => ("fail", Some(remedy)),
        };
        // what others have said may have line breaks in it
        let what = self.what.split_whitespace().collect::<Vec<_>>().join(" ");
        write!(f, "{word:<5} {:<16} {what}", self.check)?;
        remedy.map_or(Ok(()), |remedy| write!(f, " → {remedy}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finding_is_one_line_for_people_and_one_object_for_machines() {
        let finding = Finding::fail("sms", "the SMS centre\nrefuses the account", "set sms.password");
        assert_eq!(finding.to_string(), "fail  sms              the SMS centre refuses the account → set sms.password");
        let object = serde_json::json!({ "check": "sms", "state": "fail", "what": "the SMS centre\nrefuses the account", "remedy": "set sms.password" });
        assert_eq!(serde_json::to_value(&finding).unwrap(), object);
        assert_eq!(Finding::ok("disk", "12 GB free").to_string(), "ok    disk             12 GB free");
    }
}
