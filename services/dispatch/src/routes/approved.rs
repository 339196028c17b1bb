//! An alert that was approved a moment ago: review shows it, and dispatch has not taken it over yet. Until then its delivery is one
//! that is being planned, and nobody is told that there is no such alert.

use chrono::{DateTime, Utc};
use domain::alert::{AlertContent, DeliveryClass};
use domain::area::DistrictCode;
use domain::deadline;
use domain::ids::AlertId;

use super::shared::Shared;
use crate::Error;

/// What review says of it, with the times that follow from it.
pub(super) struct JustApproved {
    pub(super) class: DeliveryClass,
    pub(super) exercise: bool,
    pub(super) district: Option<DistrictCode>,
    pub(super) approved_at: DateTime<Utc>,
    pub(super) release_at: DateTime<Utc>,
    pub(super) due_at: DateTime<Utc>,
    pub(super) expires_at: DateTime<Utc>,
}

/// The alert as review shows it.
///
/// # Errors
/// [`Error::NoSuchAlert`] for one that is not approved, or does not exist.
pub(super) async fn find(shared: &Shared, alert_id: AlertId) -> Result<JustApproved, Error> {
    let row = sqlx::query!(
        r#"select class as "class!", content as "content!", approved_at as "approved_at!", coalesce(exercise, false) as "exercise!", district
             from review.approved_alert where alert_id = $1"#,
        alert_id.uuid()
    )
    .fetch_optional(shared.database.pool())
    .await?
    .ok_or(Error::NoSuchAlert)?;
    let class: DeliveryClass = row.class.parse().map_err(|error: strum::ParseError| Error::damaged("class", alert_id, error))?;
    let content: AlertContent = serde_json::from_value(row.content).map_err(|error| Error::damaged("content", alert_id, error))?;
    let district = row.district.map(DistrictCode::try_from).transpose().map_err(|error| Error::damaged("district", alert_id, error))?;
    Ok(JustApproved {
        class,
        exercise: row.exercise,
        district,
        approved_at: row.approved_at,
        release_at: deadline::release_at(class, row.approved_at, &shared.quiet_hours),
        due_at: deadline::due_at(class, row.approved_at, &shared.quiet_hours),
        expires_at: content.expires_at,
    })
}
