//! Alerts as the table keeps them.

use chrono::{DateTime, Utc};
use domain::alert::{AlertContent, DeliveryClass};
use domain::alert_state::{Action, Decision, Participants, State};
use domain::approval_seal::ApprovalSeal;
use domain::area::{Area, DistrictCode};
use domain::audience::Audience;
use domain::checklist::{Answered, Nature};
use domain::ids::{AlertId, ShortCode, StaffId};
use domain::passage::Passage;
use domain::public_reason::PublicReason;
use domain::since_return::AudienceMark;
use platform::database::Connection;
use platform::database::Tx;
use uuid::Uuid;

use crate::{Error, search};

/// One alert with everything a decision needs.
#[derive(Clone, Debug)]
pub(crate) struct Alert {
    pub(crate) id: AlertId,
    pub(crate) short_code: String,
    pub(crate) state: State,
    pub(crate) class: DeliveryClass,
    pub(crate) content: AlertContent,
    pub(crate) audience: Audience,
    pub(crate) participants: Participants,
    /// Who else had a hand in it: they review nothing of it.
    pub(crate) involved: Vec<StaffId>,
    pub(crate) version: i32,
    pub(crate) rule: Option<(Uuid, i32)>,
    pub(crate) records: i32,
    pub(crate) missing: Vec<String>,
    pub(crate) created_at: DateTime<Utc>,
    pub(crate) changed_at: DateTime<Utc>,
    pub(crate) approved_at: Option<DateTime<Utc>>,
    pub(crate) handed_over_at: Option<DateTime<Utc>>,
    pub(crate) corrects: Option<AlertId>,
    /// Since when nothing more of it is sent, until it is known whether it holds; who stopped it.
    pub(crate) held: Option<Held>,
    /// It is for exactly those who have what it corrects: two people made it.
    pub(crate) for_holders: bool,
    /// What whoever approved it had before them; none: it was not approved, or before there were seals.
    pub(crate) seal: Option<ApprovalSeal>,
}

/// That an alert was stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Held {
    pub(crate) at: DateTime<Utc>,
    pub(crate) by: StaffId,
}

impl Alert {
    /// A draft that nobody has seen yet.
    pub(crate) fn draft(id: AlertId, content: AlertContent, audience: Audience, participants: Participants, now: DateTime<Utc>) -> Self {
        Self {
            id,
            short_code: String::new(),
            state: State::Draft,
            class: DeliveryClass::Routine,
            content,
            audience,
            participants,
            involved: Vec::new(),
            version: 1,
            rule: None,
            records: 0,
            missing: Vec::new(),
            created_at: now,
            changed_at: now,
            approved_at: None,
            handed_over_at: None,
            corrects: None,
            held: None,
            for_holders: false,
            seal: None,
        }
    }

    /// Whose alert it is.
    pub(crate) fn area(&self) -> Area {
        self.participants.district.map_or(Area::City, Area::District)
    }

    /// What of it decides what is asked before it goes on.
    pub(crate) fn nature(&self) -> Nature {
        Nature {
            names_people: matches!(self.audience, Audience::Residents(_)),
            corrects: self.corrects.is_some(),
            crosses_districts: self.participants.district.is_none(),
        }
    }

    /// Others have a hand in it from now on; whoever answered for its text until now had one.
    pub(crate) fn pass_to(&mut self, participants: Participants) {
        let before = std::mem::replace(&mut self.participants, participants).submitter;
        if before != participants.submitter && !self.involved.contains(&before) {
            self.involved.push(before);
        }
    }

    fn involved_ids(&self) -> Vec<Uuid> {
        self.involved.iter().map(|staff| staff.uuid()).collect()
    }

    /// Takes a permitted step.
    pub(crate) fn step(&mut self, action: Action, decision: Decision, now: DateTime<Utc>) {
        self.state = decision.state;
        self.pass_to(decision.participants);
        self.class = decision.class.unwrap_or(self.class);
        self.changed_at = now;
        if self.state.is_final() {
            self.held = None;
        }
        match action {
            Action::Approve | Action::Confirm => self.approved_at = Some(now),
            Action::HandedOver => self.handed_over_at = Some(now),
            _ => {}
        }
    }
}

/// Reads an alert. With `lock`, nobody else changes it until the transaction ends.
pub(crate) async fn load(connection: &mut Connection, id: AlertId, lock: bool) -> Result<Alert, Error> {
    if lock {
        sqlx::query!("select alert_id from review.alert where alert_id = $1 for update", id.uuid())
            .fetch_optional(&mut *connection)
            .await
            .map_err(Error::database("locking an alert"))?;
    }
    let row = sqlx::query!(
        "select short_code, state, class, district, content, audience, rule_id, rule_version, records, missing, submitter, automatic,
             district_reviewer, city_reviewer, version, created_at, changed_at, approved_at, handed_over_at, corrects, involved, held_at, held_by, for_holders, seal
         from review.alert where alert_id = $1",
        id.uuid()
    )
    .fetch_optional(connection)
    .await
    .map_err(Error::database("reading an alert"))?
    .ok_or(Error::NoSuchAlert(id))?;
    let stored = |what| move |_| Error::Stored { what };
    Ok(Alert {
        id,
        short_code: row.short_code,
        state: row.state.parse().map_err(|_| Error::Stored { what: "state" })?,
        class: row.class.parse().map_err(|_| Error::Stored { what: "class" })?,
        content: serde_json::from_value(row.content).map_err(stored("content"))?,
        audience: Audience::from_bytes(&row.audience).map_err(|_| Error::Stored { what: "audience" })?,
        participants: Participants {
            district: row.district.map(DistrictCode::try_from).transpose().map_err(|_| Error::Stored { what: "district" })?,
            automatic: row.automatic,
            submitter: StaffId::from_uuid(row.submitter),
            district_reviewer: row.district_reviewer.map(StaffId::from_uuid),
            city_reviewer: row.city_reviewer.map(StaffId::from_uuid),
        },
        involved: row.involved.into_iter().map(StaffId::from_uuid).collect(),
        version: row.version,
        rule: row.rule_id.zip(row.rule_version),
        records: row.records,
        missing: row.missing,
        created_at: row.created_at,
        changed_at: row.changed_at,
        approved_at: row.approved_at,
        handed_over_at: row.handed_over_at,
        corrects: row.corrects.map(AlertId::from_uuid),
        held: row.held_at.zip(row.held_by).map(|(at, by)| Held { at, by: StaffId::from_uuid(by) }),
        for_holders: row.for_holders,
        seal: row.seal.map(serde_json::from_value).transpose().map_err(stored("seal"))?,
    })
}

/// Adds an alert with a free short code. False if it is there already.
pub(crate) async fn insert(tx: &mut Tx, alert: &Alert) -> Result<bool, Error> {
    let candidates: Vec<String> = (0..16).map(|_| ShortCode::from_random(rand::random()).to_string()).collect();
    let short_code = sqlx::query_scalar!(
        r#"select code as "code!" from unnest($1::text[]) as code
           where not exists (select from review.alert where short_code = code
                             and state not in ('closed', 'refused', 'cancelled', 'superseded', 'all_clear')) limit 1"#,
        &candidates
    )
    .fetch_optional(&mut **tx)
    .await
    .map_err(Error::database("drawing a short code"))?
    .ok_or(Error::NoShortCode)?;
    let rows = sqlx::query!(
        "insert into review.alert (alert_id, short_code, state, class, district, content, audience, rule_id, rule_version, records, missing,
             submitter, automatic, version, created_at, changed_at, corrects, involved, for_holders)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $15, $16, $17, $18)
         on conflict (alert_id) do nothing",
        alert.id.uuid(),
        short_code,
        alert.state.as_ref(),
        alert.class.as_ref(),
        alert.participants.district.map(stored_district),
        json(&alert.content)?,
        alert.audience.to_bytes(),
        alert.rule.map(|(id, _)| id),
        alert.rule.map(|(_, version)| version),
        alert.records,
        &alert.missing,
        alert.participants.submitter.uuid(),
        alert.participants.automatic,
        alert.version,
        alert.created_at,
        alert.corrects.map(AlertId::uuid),
        &alert.involved_ids(),
        alert.for_holders,
    )
    .execute(&mut **tx)
    .await
    .map_err(Error::database("adding an alert"))?;
    search::keep(tx, alert).await?;
    Ok(rows.rows_affected() == 1)
}

/// Writes an alert back as the next version, if it still stands at the version it was read at.
pub(crate) async fn save(tx: &mut Tx, alert: &mut Alert) -> Result<(), Error> {
    let read_at = alert.version;
    alert.version += 1;
    let rows = sqlx::query!(
        "update review.alert set state = $3, class = $4, content = $5, audience = $6, submitter = $7, automatic = $8, district_reviewer = $9,
             city_reviewer = $10, version = $11, changed_at = $12, approved_at = $13, handed_over_at = $14, missing = $15, involved = $16,
             held_at = $17, held_by = $18, seal = $19
         where alert_id = $1 and version = $2",
        alert.id.uuid(),
        read_at,
        alert.state.as_ref(),
        alert.class.as_ref(),
        json(&alert.content)?,
        alert.audience.to_bytes(),
        alert.participants.submitter.uuid(),
        alert.participants.automatic,
        alert.participants.district_reviewer.map(StaffId::uuid),
        alert.participants.city_reviewer.map(StaffId::uuid),
        alert.version,
        alert.changed_at,
        alert.approved_at,
        alert.handed_over_at,
        &alert.missing,
        &alert.involved_ids(),
        alert.held.map(|held| held.at),
        alert.held.map(|held| held.by.uuid()),
        alert.seal.as_ref().map(serde_json::to_value).transpose().map_err(|_| Error::Stored { what: "seal" })?,
    )
    .execute(&mut **tx)
    .await
    .map_err(Error::database("writing an alert"))?;
    if rows.rows_affected() == 1 {
        return Ok(());
    }
    let now = load(tx, alert.id, false).await?;
    Err(Error::Conflict { expected: read_at, found: now.version, state: now.state })
}

/// One line of an alert's history.
pub(crate) struct Step<'a> {
    pub(crate) action: &'a str,
    pub(crate) from: State,
    pub(crate) actor: Option<StaffId>,
    pub(crate) reason: Option<&'a str>,
    /// What the public is told of why.
    pub(crate) public_reason: Option<PublicReason>,
    /// What the reason is about.
    pub(crate) passage: Option<&'a Passage>,
    /// What of the checklist was ticked, before items were answered.
    pub(crate) checked: &'a [String],
    /// What was answered, item by item.
    pub(crate) answers: &'a [Answered],
    /// For whom it was, where it is sent back: to be compared with.
    pub(crate) audience_mark: Option<AudienceMark>,
    /// Whether the alert says something else from here on.
    pub(crate) writes: bool,
}

impl<'a> Step<'a> {
    /// A step of the platform.
    pub(crate) fn of_platform(action: &'a str, from: State) -> Self {
        Self {
            action,
            from,
            actor: None,
            reason: None,
            public_reason: None,
            passage: None,
            checked: &[],
            answers: &[],
            audience_mark: None,
            writes: false,
        }
    }

    /// A step of a person.
    pub(crate) fn of(actor: StaffId, action: &'a str, from: State, reason: Option<&'a str>) -> Self {
        Self { actor: Some(actor), reason, ..Self::of_platform(action, from) }
    }

    /// One that changed what the alert says.
    pub(crate) fn writing(self) -> Self {
        Self { writes: true, ..self }
    }
}

/// Adds the step that led to the alert's present version.
pub(crate) async fn record(tx: &mut Tx, alert: &Alert, step: Step<'_>) -> Result<(), Error> {
    sqlx::query!(
        "insert into review.step (alert_id, version, action, from_state, to_state, actor, reason, at, passage, checked, content, public_reason,
             answers, audience_mark)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)",
        alert.id.uuid(),
        alert.version,
        step.action,
        step.from.as_ref(),
        alert.state.as_ref(),
        step.actor.map(StaffId::uuid),
        step.reason,
        alert.changed_at,
        step.passage.map(serde_json::to_value).transpose().map_err(|_| Error::Stored { what: "passage" })?,
        step.checked,
        step.writes.then(|| json(&alert.content)).transpose()?,
        step.public_reason.map(|reason| reason.to_string()),
        (!step.answers.is_empty())
            .then(|| serde_json::to_value(step.answers.iter().map(Answered::kept).collect::<Vec<_>>()))
            .transpose()
            .map_err(|_| Error::Stored { what: "answers" })?,
        step.audience_mark.as_ref().map(AudienceMark::bytes)
    )
    .execute(&mut **tx)
    .await
    .map_err(Error::database("writing an alert's history"))?;
    if step.writes { search::keep(tx, alert).await } else { Ok(()) }
}

/// A district's code as the tables keep it: six digits fit.
pub(crate) fn stored_district(district: DistrictCode) -> i32 {
    district.get().cast_signed()
}

fn json(content: &AlertContent) -> Result<serde_json::Value, Error> {
    serde_json::to_value(content).map_err(|_| Error::Stored { what: "content" })
}
