//! Alerts that name people by hand, without a record behind each (CQ2, CQ8): who names them says why, and the auditor has a list of all of them.

use axum::extract::State as Shared;
use chrono::{DateTime, SecondsFormat, Utc};
use domain::alert::AlertContent;
use domain::alert_state::State;
use domain::audience::Audience;
use domain::cap::Status;
use domain::ids::{AlertId, StaffId};
use domain::language::Language;
use domain::named_by_hand::{LONGEST, SHORTEST, Unjustified, justified};
use domain::staff::Role;
use platform::database::{Tx, readable_row};
use platform::http::{Access, FieldFault, Problem, Query, Routes, routes};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::{Error, Service};

/// Alerts that are looked at for one page.
const PAGE: i64 = 200;

pub(crate) fn routes() -> Routes<Service> {
    Routes::new("review").allow(Access::Staff(&[Role::Auditor, Role::CityCommandOfficer]), routes!(list))
}

/// People named by hand, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Naming<'a> {
    people: u64,
    justification: Option<&'a str>,
}

impl<'a> Naming<'a> {
    /// What naming this audience takes; none: it names nobody.
    ///
    /// # Errors
    /// [`Error::Invalid`] where a justification is needed.
    pub(crate) fn of(content: &AlertContent, audience: Option<&Audience>, because: Option<&'a str>) -> Result<Option<Self>, Error> {
        let Some(Audience::Residents(people)) = audience else { return Ok(None) };
        let justification = justified(content.status, because).map_err(|fault| Error::Invalid(vec![told(fault)]))?;
        Ok(Some(Self { people: people.len(), justification }))
    }

    /// Keeps it with the alert, in the place of what was said before.
    pub(crate) async fn keep(self, tx: &mut Tx, alert: AlertId, by: StaffId, now: DateTime<Utc>) -> Result<(), Error> {
        sqlx::query!(
            "insert into review.named_by_hand (alert_id, people, justification, named_by, named_at) values ($1, $2, $3, $4, $5)
             on conflict (alert_id) do update set people = excluded.people, justification = excluded.justification,
                 named_by = excluded.named_by, named_at = excluded.named_at",
            alert.uuid(),
            i32::try_from(self.people).unwrap_or(i32::MAX),
            self.justification,
            by.uuid(),
            now
        )
        .execute(&mut **tx)
        .await
        .map_err(Error::database("keeping why people are named"))?;
        metrics::counter!("alerts_naming_by_hand_total").increment(1);
        Ok(())
    }
}

/// The alert names nobody by hand any more.
pub(crate) async fn forget(tx: &mut Tx, alert: AlertId) -> Result<(), Error> {
    sqlx::query!("delete from review.named_by_hand where alert_id = $1", alert.uuid())
        .execute(&mut **tx)
        .await
        .map_err(Error::database("forgetting whom an alert named"))?;
    Ok(())
}

fn told(fault: Unjustified) -> FieldFault {
    match fault {
        Unjustified::Missing => FieldFault::new(
            "named_because",
            format!("直接点名且没有风险记录，须写明理由（{SHORTEST} 至 {LONGEST} 个字）；理由将列入审计清单。"),
            format!("People are named without a record: say why, in {SHORTEST} to {LONGEST} characters. The auditor reads it."),
        ),
        Unjustified::Length(length) => FieldFault::new(
            "named_because",
            format!("理由有 {length} 个字，应为 {SHORTEST} 至 {LONGEST} 个字。"),
            format!("has {length} characters; write {SHORTEST} to {LONGEST}"),
        ),
    }
}

/// Which page.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct NamedFilter {
    /// `next` of the page before.
    after: Option<String>,
}

/// An alert that names people without records.
#[derive(Serialize, ToSchema)]
struct NamedByHand {
    alert_id: AlertId,
    /// In Chinese.
    headline: String,
    state: State,
    status: Status,
    /// How many people it names.
    people: u64,
    named_by: StaffId,
    named_at: DateTime<Utc>,
    /// None: none was needed, or it was written before this was asked.
    justification: Option<String>,
    approved_at: Option<DateTime<Utc>>,
}

/// A page of them.
#[derive(Serialize, ToSchema)]
struct NamedByHandPage {
    alerts: Vec<NamedByHand>,
    /// Give it as `after` for the next page, which may be empty and name another; none: this is the last.
    next: Option<String>,
}

struct Row {
    alert_id: Uuid,
    state: String,
    content: serde_json::Value,
    audience: Vec<u8>,
    submitter: Uuid,
    created_at: DateTime<Utc>,
    approved_at: Option<DateTime<Utc>>,
    justification: Option<String>,
    named_by: Option<Uuid>,
    named_at: Option<DateTime<Utc>>,
}

impl Row {
    /// None: it names nobody.
    fn read(self) -> Result<Option<NamedByHand>, Error> {
        let Audience::Residents(people) = Audience::from_bytes(&self.audience).map_err(|_| Error::Stored { what: "audience" })? else {
            return Ok(None);
        };
        let content: AlertContent = serde_json::from_value(self.content).map_err(|_| Error::Stored { what: "content" })?;
        Ok(Some(NamedByHand {
            alert_id: AlertId::from_uuid(self.alert_id),
            headline: content.texts.get(&Language::ZhCn).map(|text| text.headline.clone()).unwrap_or_default(),
            state: self.state.parse().map_err(|_| Error::Stored { what: "state" })?,
            status: content.status,
            people: people.len(),
            named_by: StaffId::from_uuid(self.named_by.unwrap_or(self.submitter)),
            named_at: self.named_at.unwrap_or(self.created_at),
            justification: self.justification,
            approved_at: self.approved_at,
        }))
    }
}

/// Alerts that name people without a record behind each, newest first
#[utoipa::path(get, path = "/api/v1/alerts/named-by-hand", params(NamedFilter),
    responses((status = 200, description = "A page", body = NamedByHandPage)))]
async fn list(Shared(service): Shared<Service>, Query(filter): Query<NamedFilter>) -> Result<axum::Json<NamedByHandPage>, Problem> {
    let (before, last) = filter.after.as_deref().map(read_after).transpose()?.unzip();
    // what no rule made, and drafts of rules whose people were replaced by hand
    let rows = sqlx::query_as!(
        Row,
        r#"with page as (
               (select alert_id from review.alert
                 where rule_id is null and ($1::timestamptz is null or (created_at, alert_id) < ($1, $2))
                 order by created_at desc, alert_id desc limit $3)
                union
               (select alert_id from review.named_by_hand join review.alert using (alert_id)
                 where rule_id is not null and ($1::timestamptz is null or (created_at, alert_id) < ($1, $2))
                 order by created_at desc, alert_id desc limit $3)
           )
           select alert_id as "alert_id!", state as "state!", content as "content!", audience as "audience!", submitter as "submitter!",
                  created_at as "created_at!", approved_at, n.justification, n.named_by as "named_by?", n.named_at as "named_at?"
             from page join review.alert using (alert_id) left join review.named_by_hand n using (alert_id)
            order by created_at desc, alert_id desc limit $3"#,
        before,
        last,
        PAGE
    )
    .fetch_all(service.platform.database.pool())
    .await
    .map_err(Error::database("listing who was named by hand"))?;
    let full = rows.len() == usize::try_from(PAGE).unwrap_or(usize::MAX);
    let next =
        rows.last().filter(|_| full).map(|row| format!("{},{}", row.created_at.to_rfc3339_opts(SecondsFormat::Micros, true), row.alert_id));
    let alerts = rows.into_iter().filter_map(|row| readable_row("alerts that name people", row.read()).flatten()).collect();
    Ok(axum::Json(NamedByHandPage { alerts, next }))
}

fn read_after(text: &str) -> Result<(DateTime<Utc>, Uuid), Error> {
    let read = text.split_once(',').and_then(|(at, alert)| Some((at.parse().ok()?, alert.parse().ok()?)));
    read.filter(|(at, _)| domain::instant::is_kept(*at))
        .ok_or_else(|| Error::Invalid(vec![FieldFault::new("after", "请填写上一页返回的 next。", "Give the `next` of the page before.")]))
}
