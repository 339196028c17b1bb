//! Retractions as the table keeps them.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use domain::alert::{AlertContent, AlertText, DeliveryClass};
use domain::alert_state::State;
use domain::alert_view::AlertView;
use domain::area::DistrictCode;
use domain::ids::{AlertId, StaffId};
use domain::language::Language;
use domain::public_reason::PublicReason;
use domain::retraction::{Asked, Kind, Person, Progress, Standing};
use platform::database::{Connection, Tx, readable};
use serde::Serialize;
use serde::de::DeserializeOwned;
use uuid::Uuid;

use crate::Error;
use crate::store::stored_district;

/// One that waits for a second person.
#[derive(Clone, Debug)]
pub(crate) struct Waiting {
    pub(crate) id: Uuid,
    pub(crate) asked: Asked,
    pub(crate) asked_at: DateTime<Utc>,
}

/// What somebody asked for.
pub(super) struct New<'a> {
    pub(super) alert: AlertId,
    pub(super) kind: Kind,
    pub(super) reason: &'a str,
    pub(super) public_reason: Option<PublicReason>,
    pub(super) texts: &'a BTreeMap<Language, AlertText>,
    pub(super) content: Option<&'a AlertContent>,
    pub(super) by_stop: bool,
    pub(super) by: Person,
    pub(super) at: DateTime<Utc>,
}

/// One with everything that was said about it.
pub(super) struct Retraction {
    pub(super) id: Uuid,
    pub(super) asked: Asked,
    pub(super) asked_at: DateTime<Utc>,
    pub(super) by_stop: bool,
    pub(super) reason: String,
    pub(super) public_reason: Option<PublicReason>,
    pub(super) texts: BTreeMap<Language, AlertText>,
    pub(super) content: Option<AlertContent>,
    pub(super) decided_by: Option<StaffId>,
    pub(super) decided_at: Option<DateTime<Utc>>,
    pub(super) decided_reason: Option<String>,
    pub(super) correction: Option<AlertId>,
}

/// The second person, what they say and, of a correction, the alert that it has become.
pub(super) struct Second<'a> {
    pub(super) by: StaffId,
    pub(super) reason: Option<&'a str>,
    pub(super) correction: Option<AlertId>,
}

/// What waits about an alert. With `lock`, nobody else decides about it until the transaction ends.
pub(crate) async fn waiting(connection: &mut Connection, alert: AlertId, lock: bool) -> Result<Option<Waiting>, Error> {
    if lock {
        sqlx::query!("select retraction_id from review.retraction where alert_id = $1 and progress = 'asked' for update", alert.uuid())
            .fetch_optional(&mut *connection)
            .await
            .map_err(Error::database("locking what waits about an alert"))?;
    }
    let row = sqlx::query!(
        "select retraction_id, kind, asked_by, asked_role, asked_at from review.retraction where alert_id = $1 and progress = 'asked'",
        alert.uuid()
    )
    .fetch_optional(connection)
    .await
    .map_err(Error::database("looking for what waits about an alert"))?;
    row.map(|row| {
        let by = Person { id: StaffId::from_uuid(row.asked_by), role: word(&row.asked_role, "role of who asked")? };
        let asked = Asked { kind: word(&row.kind, "kind of a retraction")?, by, progress: Progress::Asked };
        Ok(Waiting { id: row.retraction_id, asked, asked_at: row.asked_at })
    })
    .transpose()
}

/// One that waits, with what of its alert decides who may confirm it.
pub(crate) struct WaitingLine {
    pub(crate) alert: AlertId,
    pub(crate) waiting: Waiting,
    pub(crate) standing: Standing,
    pub(crate) class: DeliveryClass,
    pub(crate) headline: String,
    pub(crate) held: bool,
}

/// Everything that waits about alerts in this view: urgent ones first, then those that wait for longest.
pub(crate) async fn waiting_everywhere(connection: &mut Connection, view: AlertView) -> Result<Vec<WaitingLine>, Error> {
    let rows = sqlx::query!(
        r#"select r.retraction_id, r.kind, r.asked_by, r.asked_role, r.asked_at, a.alert_id, a.state, a.class, a.district, a.held_at,
                  a.content #>> '{texts,zh-CN,headline}' as headline, a.content -> 'expires_at' as "expires_at!",
                  exists (select from dispatch.alert_progress p where p.alert_id = a.alert_id and p.released_at is not null) as "released!"
             from review.retraction r join review.alert a using (alert_id)
            where r.progress = 'asked' and review.shows(a.district, a.approved_at is not null, $1, $2, $3)
            order by a.class = 'urgent' desc, r.asked_at"#,
        view.everywhere,
        view.district.map(stored_district),
        view.drafts
    )
    .fetch_all(connection)
    .await
    .map_err(Error::database("listing what waits for a second person"))?;
    let lines = rows.into_iter().map(|row| {
        let by = Person { id: StaffId::from_uuid(row.asked_by), role: word(&row.asked_role, "role of who asked")? };
        let asked = Asked { kind: word(&row.kind, "kind of a retraction")?, by, progress: Progress::Asked };
        let state: State = word(&row.state, "state")?;
        Ok::<_, Error>(WaitingLine {
            alert: AlertId::from_uuid(row.alert_id),
            waiting: Waiting { id: row.retraction_id, asked, asked_at: row.asked_at },
            standing: Standing {
                state,
                district: row.district.map(DistrictCode::try_from).transpose().map_err(|_| Error::Stored { what: "district" })?,
                handed: row.released || state != State::Approved,
                expires_at: read(row.expires_at, "end of an alert's validity")?,
            },
            class: word(&row.class, "class")?,
            headline: row.headline.unwrap_or_default(),
            held: row.held_at.is_some(),
        })
    });
    Ok(readable("what waits for a second person", lines))
}

/// Keeps what somebody asked for. One waits at a time: the caller holds the alert, and has looked.
pub(super) async fn insert(tx: &mut Tx, new: New<'_>) -> Result<Uuid, Error> {
    let id = Uuid::now_v7();
    sqlx::query!(
        "insert into review.retraction (retraction_id, alert_id, kind, public_reason, reason, texts, content, by_stop, asked_by, asked_role, asked_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
        id,
        new.alert.uuid(),
        new.kind.as_ref(),
        new.public_reason.map(|reason| reason.to_string()),
        new.reason,
        json(new.texts)?,
        new.content.map(json).transpose()?,
        new.by_stop,
        new.by.id.uuid(),
        new.by.role.as_ref(),
        new.at
    )
    .execute(&mut **tx)
    .await
    .map_err(Error::database("asking for a retraction"))?;
    metrics::counter!("retractions_total", "kind" => new.kind.as_ref().to_owned(), "progress" => Progress::Asked.as_ref().to_owned())
        .increment(1);
    Ok(id)
}

/// Notes what has become of one that waited. The caller holds it.
pub(super) async fn decide(
    tx: &mut Tx,
    waiting: &Waiting,
    how: Progress,
    second: Option<Second<'_>>,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    sqlx::query!(
        "update review.retraction set progress = $2, decided_by = $3, decided_reason = $4, decided_at = $5, correction = $6
          where retraction_id = $1 and progress = 'asked'",
        waiting.id,
        how.as_ref(),
        second.as_ref().map(|second| second.by.uuid()),
        second.as_ref().and_then(|second| second.reason),
        now,
        second.as_ref().and_then(|second| second.correction).map(AlertId::uuid)
    )
    .execute(&mut **tx)
    .await
    .map_err(Error::database("deciding about a retraction"))?;
    let kind = waiting.asked.kind;
    metrics::counter!("retractions_total", "kind" => kind.as_ref().to_owned(), "progress" => how.as_ref().to_owned()).increment(1);
    Ok(())
}

/// All there ever were for an alert, the newest first.
pub(super) async fn of_alert(connection: &mut Connection, alert: AlertId) -> Result<Vec<Retraction>, Error> {
    let rows = sqlx::query!(
        "select retraction_id, kind, public_reason, reason, texts, content, by_stop, asked_by, asked_role, asked_at, progress, decided_by,
                decided_reason, decided_at, correction
           from review.retraction where alert_id = $1 order by asked_at desc, retraction_id desc",
        alert.uuid()
    )
    .fetch_all(connection)
    .await
    .map_err(Error::database("reading the retractions of an alert"))?;
    let all = rows.into_iter().map(|row| {
        let by = Person { id: StaffId::from_uuid(row.asked_by), role: word(&row.asked_role, "role of who asked")? };
        Ok::<_, Error>(Retraction {
            id: row.retraction_id,
            asked: Asked { kind: word(&row.kind, "kind of a retraction")?, by, progress: word(&row.progress, "progress of a retraction")? },
            asked_at: row.asked_at,
            by_stop: row.by_stop,
            reason: row.reason,
            public_reason: row.public_reason.and_then(|word| word.parse().ok()),
            texts: read(row.texts, "words of a retraction")?,
            content: row.content.map(|content| read(content, "content of a correction")).transpose()?,
            decided_by: row.decided_by.map(StaffId::from_uuid),
            decided_at: row.decided_at,
            decided_reason: row.decided_reason,
            correction: row.correction.map(AlertId::from_uuid),
        })
    });
    Ok(readable("retractions of an alert", all))
}

fn word<T: std::str::FromStr>(stored: &str, what: &'static str) -> Result<T, Error> {
    stored.parse().map_err(|_| Error::Stored { what })
}

fn read<T: DeserializeOwned>(stored: serde_json::Value, what: &'static str) -> Result<T, Error> {
    serde_json::from_value(stored).map_err(|_| Error::Stored { what })
}

fn json<T: Serialize>(what: &T) -> Result<serde_json::Value, Error> {
    serde_json::to_value(what).map_err(|_| Error::Stored { what: "words of a retraction" })
}
