//! A sender as it is kept with a list that waits: its rows are checked as its own when they are released, whoever releases them.

use domain::ids::{ApiKeyId, StaffId};
use domain::risk_record::{Origin, RecordKind};
use domain::second_factor::Proof;
use domain::staff::Role;
use platform::http::{Caller, SourceCaller, StaffCaller};
use serde::{Deserialize, Serialize};

use crate::Error;
use crate::sender::Sender;

/// Areas and scopes as they are written everywhere.
#[derive(Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case")]
enum Stored {
    Source { key_id: ApiKeyId, unit: String, origin: Origin, area: String, kinds: Vec<RecordKind> },
    Staff { id: StaffId, role: Role, scope: String },
}

/// As it is kept. Neither name nor session of a member of staff is.
pub(crate) fn stored(sender: &Sender) -> Result<serde_json::Value, Error> {
    let stored = match sender.caller() {
        Caller::Source(SourceCaller { key_id, unit, origin, area, kinds, asks: _, networks: _ }) => {
            Stored::Source { key_id, unit, origin, area: area.to_string(), kinds }
        }
        Caller::Staff(StaffCaller { id, role, scope, .. }) => Stored::Staff { id, role, scope: scope.to_string() },
        Caller::Unproved(_) | Caller::Resident(_) | Caller::Screen(_) => return Err(damaged()),
    };
    serde_json::to_value(stored).map_err(|_| damaged())
}

/// The sender that was kept.
pub(crate) fn read(stored: serde_json::Value) -> Result<Sender, Error> {
    let caller = match serde_json::from_value(stored).map_err(|_| damaged())? {
        Stored::Source { key_id, unit, origin, area, kinds } => {
            // it delivers, and asks nothing; from where it came was looked at when it did
            let area = area.parse().map_err(|_| damaged())?;
            Caller::Source(SourceCaller { key_id, unit, origin, area, kinds, asks: Vec::new(), networks: Vec::new() })
        }
        Stored::Staff { id, role, scope } => {
            let scope = scope.parse().map_err(|_| damaged())?;
            Caller::Staff(StaffCaller {
                id,
                name: String::new(),
                role,
                scope,
                acts_from: None,
                session: String::new(),
                proof: Proof::NotAsked,
            })
        }
    };
    Sender::of(caller).ok_or_else(damaged)
}

fn damaged() -> Error {
    Error::Stored { what: "sender of a list that waits" }
}
