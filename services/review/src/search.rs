//! Finding an alert again: by words that stand in it, by its code or id, by state, place, time, author and rule.
//!
//! Words are looked for in an index of pieces ([`index`]), and what it finds is looked at again for the words themselves, so a page may hold fewer than
//! asked for although there are more: `next` says so. Frequent words are among the newest alerts and are looked for there first ([`found`]); only
//! what is rare asks the whole index. Who may see an alert is part of the statement.

mod found;
mod index;

use axum::extract::State as Shared;
use chrono::{DateTime, SecondsFormat, Utc};
use domain::alert::DeliveryClass;
use domain::alert_state::State;
use domain::area::DistrictCode;
use domain::found_text::Wanted;
use domain::ids::RuleId;
use domain::instant::is_kept;
use platform::http::{Access, FieldFault, Problem, Query, Routes, StaffCaller, routes};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::brief::Brief;
use crate::reading::READING;
use crate::{Error, Service};

pub(crate) use found::{Asked, Found, most_of, page};
pub(crate) use index::{INDEX, fill, keep};

/// Lines of a page unless asked otherwise, and at most.
const USUAL_PAGE: u16 = 50;
const LARGEST_PAGE: u16 = 100;

pub(crate) fn routes() -> Routes<Service> {
    Routes::new("review").allow(Access::Staff(READING), routes!(search))
}

domain::words! {
    /// Whose alerts.
    #[schema(as = SearchAuthor)]
    pub(crate) enum Author {
        /// Those that the caller answers for.
        Mine,
    }
}

/// What is looked for.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct AlertSearch {
    /// Words set apart by spaces, all of which have to stand in the alert; two characters or more each. A code or an id finds its alert. There are no
    /// wildcards; what is longer than 200 characters is passed over.
    #[serde(default)]
    q: String,
    /// Only alerts in this state.
    state: Option<State>,
    /// Only alerts of this class.
    class: Option<DeliveryClass>,
    /// Only alerts of this district.
    #[param(value_type = Option<String>)]
    district: Option<DistrictCode>,
    /// Only alerts written at this time or later.
    from: Option<DateTime<Utc>>,
    /// Only alerts written before this time.
    to: Option<DateTime<Utc>>,
    /// Only alerts that the caller answers for.
    #[param(inline)]
    author: Option<Author>,
    /// Only alerts of this rule.
    rule: Option<RuleId>,
    /// `next` of the page before.
    cursor: Option<String>,
    /// At most so many, 1 to 100; usually 50.
    limit: Option<u16>,
}

/// A page of alerts, the newest first.
#[derive(Serialize, ToSchema)]
struct FoundAlerts {
    alerts: Vec<FoundAlert>,
    /// Give it as `cursor` for the next page, which may be empty and name another; none: this is the last.
    next: Option<String>,
}

/// An alert that was found.
#[derive(Serialize, ToSchema)]
struct FoundAlert {
    #[serde(flatten)]
    brief: Brief,
    /// The rule that made it.
    rule_id: Option<Uuid>,
}

impl From<Found> for FoundAlert {
    fn from(Found { brief, rule, contact: _ }: Found) -> Self {
        Self { brief, rule_id: rule }
    }
}

/// Find alerts by words, place, time, author and rule, the newest first
///
/// Among all that the caller may see, however old. Words are looked for in the texts of every language, the contact and the place.
#[utoipa::path(get, path = "/api/v1/alerts/search", operation_id = "search_alerts", params(AlertSearch),
    responses((status = 200, description = "A page", body = FoundAlerts)))]
async fn search(
    Shared(service): Shared<Service>,
    caller: StaffCaller,
    Query(asked): Query<AlertSearch>,
) -> Result<axum::Json<FoundAlerts>, Problem> {
    let limit = asked.limit.unwrap_or(USUAL_PAGE).clamp(1, LARGEST_PAGE);
    let before = asked.cursor.as_deref().map(read_cursor).transpose()?;
    let wanted = Asked {
        wanted: Wanted::read(&asked.q),
        state: asked.state,
        class: asked.class,
        district: asked.district,
        from: kept("from", asked.from)?,
        to: kept("to", asked.to)?,
        author: asked.author.map(|Author::Mine| caller.id),
        rule: asked.rule,
    };
    let page = page(&service, &caller, &wanted, before, i64::from(limit)).await?;
    let next = page.next.map(|(at, alert)| format!("{},{alert}", at.to_rfc3339_opts(SecondsFormat::Micros, true)));
    Ok(axum::Json(FoundAlerts { alerts: page.found.into_iter().map(FoundAlert::from).collect(), next }))
}

/// A time that the tables can be asked for.
pub(crate) fn kept(field: &'static str, time: Option<DateTime<Utc>>) -> Result<Option<DateTime<Utc>>, Error> {
    match time {
        Some(at) if !is_kept(at) => {
            Err(Error::Invalid(vec![FieldFault::new(field, "时间超出可查询的范围。", "lies outside the times that are kept")]))
        }
        time => Ok(time),
    }
}

fn read_cursor(text: &str) -> Result<(DateTime<Utc>, Uuid), Error> {
    let read = text.split_once(',').and_then(|(at, alert)| Some((at.parse().ok()?, alert.parse().ok()?)));
    read.filter(|(at, _)| is_kept(*at))
        .ok_or_else(|| Error::Invalid(vec![FieldFault::new("cursor", "请填写上一页返回的 next。", "Give the `next` of the page before.")]))
}
