//! What was said about a case after its beginning. Nothing of it is ever changed: a correction is a new statement.

use chrono::{DateTime, Utc};
use domain::casework::{CaseNumber, Event};
use domain::ids::UnitId;
use platform::crypto::{Keyring, Purpose};
use platform::database::{Connection, Tx};
use platform::http::StaffCaller;
use serde::Serialize;
use utoipa::ToSchema;

use crate::{Error, store, texts};

domain::words! {
    /// Who says something about a case.
    #[schema(as = CaseVoice)]
    pub(crate) enum Voice {
        /// Whoever brought it.
        Citizen,
        /// The hotline.
        Operator,
        /// A unit.
        Unit,
        /// Supervision.
        Supervisor,
    }
}

/// Something that was said.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = CaseStatement)]
pub(crate) struct Statement {
    /// Its number within the case.
    pub(crate) statement_id: i32,
    /// When.
    pub(crate) at: DateTime<Utc>,
    /// By whom.
    pub(crate) by: Voice,
    /// Their name, where it was staff.
    pub(crate) name: Option<String>,
    /// Their unit.
    pub(crate) unit: Option<u32>,
    /// With which step.
    pub(crate) event: Event,
    /// The words.
    pub(crate) text: String,
    /// Whether the citizen reads them.
    pub(crate) visible: bool,
}

/// Whose words they are.
#[derive(Clone, Copy)]
pub(crate) enum Speaker<'a> {
    Citizen,
    Staff { caller: &'a StaffCaller, unit: Option<UnitId> },
}

impl Speaker<'_> {
    fn voice(self) -> Voice {
        use domain::staff::Role;
        match self {
            Self::Citizen => Voice::Citizen,
            Self::Staff { caller, .. } => match caller.role {
                Role::UnitHandler | Role::UnitLead => Voice::Unit,
                Role::Supervisor => Voice::Supervisor,
                _ => Voice::Operator,
            },
        }
    }
}

/// Adds a statement; its number within the case.
pub(crate) async fn add(
    tx: &mut Tx,
    keyring: &Keyring,
    number: CaseNumber,
    speaker: Speaker<'_>,
    event: Event,
    (text, visible): (&str, bool),
    now: DateTime<Utc>,
) -> Result<i32, Error> {
    let voice = speaker.voice();
    let (who, name, unit) = match speaker {
        Speaker::Citizen => (None, None, None),
        Speaker::Staff { caller, unit } => (Some(caller.id.uuid()), Some(caller.name.as_str()), unit.map(store::stored_unit)),
    };
    sqlx::query_scalar!(
        r#"insert into casework.statement (number, n, at, by, who, who_name, unit, event, text_sealed, visible)
           select $1, coalesce(max(n), 0) + 1, $2, $3, $4, $5, $6, $7, $8, $9 from casework.statement where number = $1
           returning n"#,
        store::stored(number),
        now,
        voice.as_ref(),
        who,
        name,
        unit,
        event.as_ref(),
        texts::seal(keyring, text),
        visible
    )
    .fetch_one(&mut **tx)
    .await
    .map_err(Error::database("keeping what was said"))
}

/// So many statements of a case are read at the most; the newest.
const READ: i64 = 200;

/// What was said, oldest first; to the citizen only what is meant for them.
pub(crate) async fn of(
    connection: &mut Connection,
    keyring: &Keyring,
    number: CaseNumber,
    only_visible: bool,
) -> Result<Vec<Statement>, Error> {
    let rows = sqlx::query!(
        "select n, at, by, who_name, unit, event, text_sealed, visible from casework.statement
          where number = $1 and (visible or not $2) order by n desc limit $3",
        store::stored(number),
        only_visible,
        READ
    )
    .fetch_all(connection)
    .await
    .map_err(Error::database("reading what was said"))?;
    rows.into_iter()
        .rev()
        .map(|row| {
            Ok(Statement {
                statement_id: row.n,
                at: row.at,
                by: row.by.parse().map_err(Error::stored("voice"))?,
                name: row.who_name,
                unit: row.unit.map(i32::unsigned_abs),
                event: row.event.parse().map_err(Error::stored("event"))?,
                text: texts::open(keyring, Purpose::CaseText, row.text_sealed)?,
                visible: row.visible,
            })
        })
        .collect()
}
