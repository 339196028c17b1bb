//! Alerts that contradict, double or overlap one that is written or reviewed: what holds or is being reviewed for the same place, whoever sent it.
//!
//! What is between two of them is `domain::conflict`'s to say. A district learns that the city, or a colleague, has one that contradicts its own, also while
//! that is being reviewed; what it says it reads only where it may see the alert. Before an approval a contradiction has to be confirmed by name.

use axum::extract::State as Shared;
use chrono::{DateTime, SecondsFormat, Utc};
use domain::alert::{AlertContent, DeliveryClass};
use domain::alert_state::{self, State};
use domain::area::{Area, DistrictCode};
use domain::audience::Audience;
use domain::conflict::{COMPARED, Compared, Conflict, Demand, Kind, MOST, Measure, Overlap, Said, between};
use domain::ids::{AlertId, StaffId};
use domain::language::Language;
use domain::staff::{Role, Scope};
use platform::database::{Connection, readable};
use platform::http::{Access, Json, Path, Problem, Routes, StaffCaller, routes};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::actor::actor;
use crate::colleagues::Colleagues;
use crate::reading::{self, READING};
use crate::store::{self, Alert, stored_district};
use crate::writing::WRITING;
use crate::{Error, Service};

/// Where an alert stands that holds, or may soon.
const STANDING: [State; 6] =
    [State::DistrictReview, State::CityReview, State::AwaitingConfirmation, State::Approved, State::Dispatching, State::Active];

pub(crate) fn routes() -> Routes<Service> {
    Routes::new("review").allow(Access::Staff(READING), routes!(of_alert)).allow(Access::Staff(WRITING), routes!(of_draft))
}

/// A draft that is being written.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct BeingWritten {
    /// The draft that is changed; left out for a new one.
    alert_id: Option<AlertId>,
    /// The district whose alert it is; left out for the whole city.
    #[schema(value_type = Option<String>, example = "500103")]
    district: Option<DistrictCode>,
    content: AlertContent,
    /// The audience; left out, that of the draft that is changed.
    audience: Option<Audience>,
}

/// What is found beside an alert.
#[derive(Serialize, ToSchema)]
struct AlertConflicts {
    /// Contradictions first, then what is told twice, then what overlaps; the newest first within each.
    conflicts: Vec<AlertConflict>,
    /// Whether there are more than are shown, or more alerts than are compared.
    more: bool,
}

/// Another alert for people in the same place.
#[derive(Serialize, ToSchema)]
struct AlertConflict {
    kind: Kind,
    /// Whether approving takes `known: ["contradicts_another"]`.
    must_be_confirmed: bool,
    /// What is between them, in Chinese.
    sentence: String,
    /// The same in English.
    sentence_en: String,
    /// What this alert asks for.
    measures: Vec<DemandNote>,
    /// What the other asks for.
    other_measures: Vec<DemandNote>,
    overlap: Overlap,
    /// Some of the places in which both hold.
    #[schema(value_type = Vec<String>)]
    areas: Vec<Area>,
    /// None: it is somebody else's draft, which the caller does not read.
    alert_id: Option<AlertId>,
    short_code: Option<String>,
    /// In Chinese.
    headline: Option<String>,
    state: State,
    class: DeliveryClass,
    /// None: the whole city.
    #[schema(value_type = Option<String>)]
    district: Option<DistrictCode>,
    /// When it was approved.
    sent_at: Option<DateTime<Utc>>,
    changed_at: DateTime<Utc>,
    by: ConflictAuthor,
}

/// Who answers for the other alert.
#[derive(Serialize, ToSchema)]
struct ConflictAuthor {
    role: Option<Role>,
    #[schema(value_type = Option<String>, example = "city")]
    scope: Option<Scope>,
    /// None also where the caller does not read the alert.
    name: Option<String>,
}

/// Something that is asked of people.
#[derive(Serialize, ToSchema)]
struct DemandNote {
    measure: Measure,
    /// Whether it is to be taken; else it was lifted, or is not to be taken.
    taken: bool,
}

impl From<Demand> for DemandNote {
    fn from(Demand { measure, taken }: Demand) -> Self {
        Self { measure, taken }
    }
}

/// Alerts for the same place that contradict this one, tell of the same event, or come from somebody else
///
/// Of what holds or is being reviewed, at most 50. Of an alert that the caller may not read it is told that there is one, whose it is and what it asks for.
#[utoipa::path(get, path = "/api/v1/alerts/{alert_id}/conflicts", operation_id = "conflicts_of_alert",
    params(("alert_id" = AlertId, Path, description = "The alert")), responses((status = 200, description = "As of now", body = AlertConflicts)))]
async fn of_alert(
    Shared(service): Shared<Service>,
    caller: StaffCaller,
    Path(id): Path<AlertId>,
) -> Result<axum::Json<AlertConflicts>, Problem> {
    let mut connection = service.platform.database.pool().acquire().await.map_err(Error::database("taking a connection"))?;
    let alert = store::load(&mut connection, id, false).await?;
    if !reading::may_see(&caller, &alert) {
        return Err(Error::NoSuchAlert(id).into());
    }
    Ok(axum::Json(shown(&service, &mut connection, &caller, &said(&alert)).await?))
}

/// The same for a draft while it is written
#[utoipa::path(post, path = "/api/v1/alerts/conflicts", operation_id = "conflicts_of_draft", request_body = BeingWritten,
    responses((status = 200, description = "As of now", body = AlertConflicts)))]
async fn of_draft(
    Shared(service): Shared<Service>,
    caller: StaffCaller,
    Json(draft): Json<BeingWritten>,
) -> Result<axum::Json<AlertConflicts>, Problem> {
    // what could not be kept as a draft is compared with nothing
    draft.content.check_draft().map_err(Error::Content)?;
    draft.audience.as_ref().map_or(Ok(()), Audience::validate).map_err(Error::Audience)?;
    let mut connection = service.platform.database.pool().acquire().await.map_err(Error::database("taking a connection"))?;
    let own = match draft.alert_id {
        None => None,
        Some(id) => {
            let alert = store::load(&mut connection, id, false).await?;
            if !reading::may_see(&caller, &alert) {
                return Err(Error::NoSuchAlert(id).into());
            }
            Some(alert)
        }
    };
    let district = own.as_ref().map_or(draft.district, |alert| alert.participants.district);
    let area = district.map_or(Area::City, Area::District);
    let reaches_outside = matches!(&draft.audience, Some(Audience::Query(query)) if !query.lies_within(area));
    // what holds elsewhere is told to nobody who could not write for there
    if !alert_state::may_write(area, &actor(&caller)) || reaches_outside {
        return Err(Error::OutsideScope.into());
    }
    let audience = match (draft.audience, &own) {
        (Some(audience), _) => audience,
        (None, Some(alert)) => alert.audience.clone(),
        // nobody yet
        (None, None) => return Ok(axum::Json(AlertConflicts { conflicts: Vec::new(), more: false })),
    };
    let said = Said {
        alert: own.as_ref().map(|alert| alert.id),
        corrects: own.as_ref().and_then(|alert| alert.corrects),
        district,
        author: caller.id,
        content: &draft.content,
        audience: &audience,
    };
    Ok(axum::Json(shown(&service, &mut connection, &caller, &said).await?))
}

/// What contradicts an alert first of all; none: nothing does.
pub(crate) async fn contradiction(connection: &mut Connection, alert: &Alert, now: DateTime<Utc>) -> Result<Option<Conflict>, Error> {
    let (others, more) = others(connection, &said(alert), now).await?;
    let own = Compared::of(said(alert));
    let found = others.iter().find_map(|other| between(&own, &Compared::of(other.said())).filter(Conflict::must_be_confirmed));
    // that nothing was found among a part of them is not that there is nothing
    if found.is_none() && more { Err(Error::NotAllCompared) } else { Ok(found) }
}

fn said(alert: &Alert) -> Said<'_> {
    Said {
        alert: Some(alert.id),
        corrects: alert.corrects,
        district: alert.participants.district,
        author: alert.participants.submitter,
        content: &alert.content,
        audience: &alert.audience,
    }
}

async fn shown(service: &Service, connection: &mut Connection, caller: &StaffCaller, own: &Said<'_>) -> Result<AlertConflicts, Error> {
    let (others, mut more) = others(connection, own, service.platform.clock.now()).await?;
    let own = Compared::of(*own);
    let mut found: Vec<(Conflict, &Other)> =
        others.iter().filter_map(|other| Some((between(&own, &Compared::of(other.said()))?, other))).collect();
    // the order of time stays within each kind
    found.sort_by_key(|(conflict, _)| conflict.kind);
    more |= found.len() > MOST;
    found.truncate(MOST);
    let authors: Vec<_> = found.iter().map(|(_, other)| other.author.uuid()).collect();
    let colleagues = Colleagues::of(connection, &authors).await?;
    let view = reading::view(caller);
    let conflicts = found.into_iter().map(|(conflict, other)| {
        let is_seen = view.shows(other.district, other.approved_at.is_some());
        let author = colleagues.with(other.author.uuid());
        let (sentence, sentence_en) = conflict.sentence();
        AlertConflict {
            must_be_confirmed: conflict.must_be_confirmed(),
            kind: conflict.kind,
            sentence,
            sentence_en,
            measures: conflict.demands.into_iter().map(DemandNote::from).collect(),
            other_measures: conflict.other_demands.into_iter().map(DemandNote::from).collect(),
            overlap: conflict.overlap,
            areas: conflict.areas,
            alert_id: is_seen.then_some(other.id),
            short_code: is_seen.then(|| other.short_code.clone()),
            headline: is_seen.then(|| other.content.text(Language::ZhCn).map(|text| text.headline.clone())).flatten(),
            state: other.state,
            class: other.class,
            district: other.district,
            sent_at: other.approved_at,
            changed_at: other.changed_at,
            by: ConflictAuthor { role: author.role, scope: author.scope, name: author.name.filter(|_| is_seen) },
        }
    });
    Ok(AlertConflicts { conflicts: conflicts.collect(), more })
}

/// An alert that holds, or is being reviewed.
struct Other {
    id: AlertId,
    short_code: String,
    state: State,
    class: DeliveryClass,
    district: Option<DistrictCode>,
    content: AlertContent,
    audience: Audience,
    author: StaffId,
    corrects: Option<AlertId>,
    approved_at: Option<DateTime<Utc>>,
    changed_at: DateTime<Utc>,
}

impl Other {
    fn said(&self) -> Said<'_> {
        Said {
            alert: Some(self.id),
            corrects: self.corrects,
            district: self.district,
            author: self.author,
            content: &self.content,
            audience: &self.audience,
        }
    }
}

/// What may be between it and something else: what holds or is being reviewed for its district or the city, those first that
/// select people by where they live, which reach whoever a contradiction would, and the newest of each; whether there is more.
/// A row that cannot be read holds nobody's approval up.
async fn others(connection: &mut Connection, own: &Said<'_>, now: DateTime<Utc>) -> Result<(Vec<Other>, bool), Error> {
    let states: Vec<String> = STANDING.iter().map(|state| state.as_ref().to_owned()).collect();
    let rows = sqlx::query!(
        "select alert_id, short_code, state, class, district, content, audience, submitter, corrects, approved_at, changed_at
           from review.alert
          where state = any($1) and alert_id is distinct from $2 and ($3::int is null or district is null or district = $3)
            -- as contents are written, in UTC, so that text is compared
            and content ->> 'expires_at' > $5
          order by substring(audience from 1 for 1) desc, changed_at desc limit $4",
        &states,
        own.alert.map(AlertId::uuid),
        own.district.map(stored_district),
        i64::try_from(COMPARED + 1).unwrap_or(i64::MAX),
        now.to_rfc3339_opts(SecondsFormat::Secs, true)
    )
    .fetch_all(connection)
    .await
    .map_err(Error::database("looking for alerts for the same place"))?;
    let more = rows.len() > COMPARED;
    let read = rows.into_iter().take(COMPARED).map(|row| {
        Ok::<_, Error>(Other {
            id: AlertId::from_uuid(row.alert_id),
            short_code: row.short_code,
            state: row.state.parse().map_err(|_| Error::Stored { what: "state" })?,
            class: row.class.parse().map_err(|_| Error::Stored { what: "class" })?,
            district: row.district.map(DistrictCode::try_from).transpose().map_err(|_| Error::Stored { what: "district" })?,
            content: serde_json::from_value(row.content).map_err(|_| Error::Stored { what: "content" })?,
            audience: Audience::from_bytes(&row.audience).map_err(|_| Error::Stored { what: "audience" })?,
            author: StaffId::from_uuid(row.submitter),
            corrects: row.corrects.map(AlertId::from_uuid),
            approved_at: row.approved_at,
            changed_at: row.changed_at,
        })
    });
    let mut others: Vec<Other> = readable("alerts for the same place", read);
    others.retain(|other| other.content.expires_at > now);
    Ok((others, more))
}
