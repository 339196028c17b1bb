//! Alerts taken along as a file: what a search finds, with the words of the reader's language above the columns.
//!
//! A row has what every line of a queue shows and no person. It is written while it is read, a page at a time; who took what along, and how much it was,
//! is in the trace.

use axum::extract::State as Shared;
use axum::response::Response;
use chrono::{DateTime, Utc};
use domain::alert::DeliveryClass;
use domain::alert_state::State;
use domain::area::DistrictCode;
use domain::found_text::{Wanted, told_of};
use domain::ids::RuleId;
use domain::language::Language;
use futures::stream;
use platform::export::{self, Format, Head, Listing};
use platform::http::{Access, Limits, Problem, Query, Routes, StaffCaller, routes};
use proto::AuditEntry;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::IntoParams;

use crate::reading::READING;
use crate::search::{self, Asked, Author, Found, kept, most_of};
use crate::{Error, SCHEMA, Service};

/// Alerts that are read at once.
const PAGE: i64 = 500;

const HEADS: &[Head] = &[
    ("弹窗编号", "Alert id"),
    ("短码", "Short code"),
    ("标题", "Headline (Chinese)"),
    ("状态", "State"),
    ("级别", "Class"),
    ("区县", "District"),
    ("演练", "Exercise"),
    ("创建时间", "Written at"),
    ("批准时间", "Approved at"),
    ("推送完成时间", "Handed over at"),
    ("有效期至", "Valid until"),
    ("更正的弹窗", "Corrects"),
    ("规则", "Rule"),
    ("咨询方式", "Contact"),
    ("最近一次退回、驳回或撤销的理由", "Last reason"),
];

pub(crate) fn routes() -> Routes<Service> {
    Routes::new("review").allow_within(Limits::stream(), Access::Staff(READING), routes!(export))
}

/// What is exported: as a search asks for it.
#[derive(Deserialize, Serialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct AlertExport {
    /// Words, a code or an id, as in a search.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    q: String,
    /// Only alerts in this state.
    #[serde(skip_serializing_if = "Option::is_none")]
    state: Option<State>,
    /// Only alerts of this class.
    #[serde(skip_serializing_if = "Option::is_none")]
    class: Option<DeliveryClass>,
    /// Only alerts of this district.
    #[param(value_type = Option<String>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    district: Option<DistrictCode>,
    /// Only alerts written at this time or later.
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<DateTime<Utc>>,
    /// Only alerts written before this time.
    #[serde(skip_serializing_if = "Option::is_none")]
    to: Option<DateTime<Utc>>,
    /// Only alerts that the caller answers for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(inline)]
    author: Option<Author>,
    /// Only alerts of this rule.
    #[serde(skip_serializing_if = "Option::is_none")]
    rule: Option<RuleId>,
    /// CSV unless asked otherwise.
    #[serde(default)]
    #[param(inline)]
    format: Format,
    /// The language of the columns' heads; Chinese unless asked otherwise.
    #[serde(default)]
    language: Language,
}

/// Export alerts as CSV or as a workbook
///
/// What a search with the same filters finds, the newest first: at most 1,000,000 rows of CSV or 100,000 of a workbook, and so many files a day as the
/// operator has set. Each export is in the trace, with its filters and its number of rows.
#[utoipa::path(get, path = "/api/v1/alerts/export", operation_id = "export_alerts", params(AlertExport), responses(
    (status = 200, description = "The file", content((String = "text/csv"), (String = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"))),
    (status = 422, description = "More rows than one file takes"),
    (status = 429, description = "More files than a day may have"),
))]
async fn export(Shared(service): Shared<Service>, caller: StaffCaller, Query(query): Query<AlertExport>) -> Result<Response, Problem> {
    let asked = Asked {
        wanted: Wanted::read(&query.q),
        state: query.state,
        class: query.class,
        district: query.district,
        from: kept("from", query.from)?,
        to: kept("to", query.to)?,
        author: query.author.map(|Author::Mine| caller.id),
        rule: query.rule,
    };
    let most = i64::try_from(query.format.most_rows()).unwrap_or(i64::MAX);
    let rows = most_of(&service, &caller, &asked, most.saturating_add(1)).await?;
    export::not_too_large(query.format, rows.unsigned_abs())?;
    export::count(&service.platform, caller.id, service.exports_a_day, service.quiet_hours.tz).await?;
    let filters = AlertExport { q: told_of(&query.q), ..query };
    leave(&service, &caller, "alerts.export", json!({ "filters": &filters })).await?;
    let listing =
        Listing { format: filters.format, language: filters.language, name: "alerts", heads: HEADS, zone: service.quiet_hours.tz };
    let (reading, own, columns) = (service.clone(), caller.clone(), listing.clone());
    let pages = stream::try_unfold(Some((None, asked)), move |at| {
        let (service, caller, listing) = (reading.clone(), own.clone(), columns.clone());
        async move {
            let Some((after, asked)) = at else { return Ok::<_, Error>(None) };
            let page = search::page(&service, &caller, &asked, after, PAGE).await?;
            let rows = page.found.iter().map(|found| cells(&listing, found)).collect();
            Ok(Some((rows, page.next.map(|next| (Some(next), asked)))))
        }
    });
    listing.answer(pages, move |rows| async move { leave(&service, &caller, "alerts.exported", json!({ "rows": rows })).await }).await
}

/// Leaves a trace of an export.
async fn leave(service: &Service, caller: &StaffCaller, action: &str, detail: serde_json::Value) -> Result<(), Error> {
    let entry = caller.did(action, "export", "alerts", service.platform.clock.now());
    let mut tx = service.platform.database.begin().await?;
    tx.publish(SCHEMA, &AuditEntry { detail_json: detail.to_string(), ..entry }).await?;
    Ok(tx.commit().await?)
}

fn cells(listing: &Listing, found: &Found) -> Vec<String> {
    let Found { brief, rule, contact } = found;
    let class = match brief.class {
        DeliveryClass::Urgent => listing.word("紧急", "urgent"),
        DeliveryClass::Routine => listing.word("一般", "routine"),
    };
    let time = |at: Option<DateTime<Utc>>| at.map(|at| listing.time(at)).unwrap_or_default();
    vec![
        brief.alert_id.to_string(),
        brief.short_code.clone(),
        brief.headline.clone(),
        listing.word(brief.state.title(), brief.state.into()),
        class,
        listing.district(brief.district),
        listing.yes_or_no(brief.exercise),
        time(Some(brief.created_at)),
        time(brief.approved_at),
        time(brief.handed_over_at),
        time(brief.expires_at),
        brief.corrects.map(|alert| alert.to_string()).unwrap_or_default(),
        rule.map(|rule| rule.to_string()).unwrap_or_default(),
        contact.clone(),
        brief.last_reason.clone().unwrap_or_default(),
    ]
}
