//! Deliveries and follow-up items taken along as files: numbers of people, and residents by their number only.

use axum::extract::State;
use axum::response::Response;
use chrono::{DateTime, Utc};
use domain::alert::DeliveryClass;
use domain::alert_view::AlertView;
use domain::area::DistrictCode;
use domain::language::Language;
use futures::stream;
use platform::export::{self, Format, Head, Listing};
use platform::http::{FieldFault, Problem, Query, StaffCaller, Within};
use proto::AuditEntry;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::IntoParams;
use uuid::Uuid;

use super::follow_ups::{self, Wanted};
use super::shared::Shared;
use crate::{Error, SCHEMA};

/// Alerts that are read at once.
const PAGE: i64 = 100;

const DELIVERIES: &[Head] = &[
    ("弹窗编号", "Alert id"),
    ("标题", "Headline (Chinese)"),
    ("级别", "Class"),
    ("区县", "District"),
    ("演练", "Exercise"),
    ("状态", "State"),
    ("批准时间", "Approved at"),
    ("开始推送时间", "Released at"),
    ("推送时限", "Due at"),
    ("推送完成时间", "Handed over at"),
    ("有效期至", "Valid until"),
    ("计划人数", "People planned"),
    ("无触达渠道人数", "People without a channel"),
    ("已送达人数", "People handed over to"),
    ("未送达人数", "People not reached"),
    ("二次提醒人数", "People reminded"),
    ("待跟进人数", "Follow-ups open"),
    ("已跟进人数", "Follow-ups done"),
];

/// Which deliveries.
#[derive(Deserialize, Serialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct DeliveryExport {
    /// Of alerts approved at this time or later.
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<DateTime<Utc>>,
    /// Of alerts approved before this time.
    #[serde(skip_serializing_if = "Option::is_none")]
    to: Option<DateTime<Utc>>,
    /// CSV unless asked otherwise.
    #[serde(default)]
    #[param(inline)]
    format: Format,
    /// The language of the columns' heads; Chinese unless asked otherwise.
    #[serde(default)]
    language: Language,
}

/// Export deliveries as CSV or as a workbook.
///
/// A row for each approved alert that the caller sees, the newest first, with its numbers. So many files a day as the operator has set; each export is in
/// the trace, with its filters and its number of rows.
#[utoipa::path(get, path = "/api/v1/deliveries/export", operation_id = "export_deliveries", params(DeliveryExport), responses(
    (status = 200, description = "The file", content((String = "text/csv"), (String = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"))),
    (status = 422, description = "More rows than one file takes"),
    (status = 429, description = "More files than a day may have")
))]
pub(super) async fn deliveries(
    State(shared): State<Shared>,
    caller: StaffCaller,
    Query(query): Query<DeliveryExport>,
) -> Result<Response, Problem> {
    for (field, time) in [("from", query.from), ("to", query.to)] {
        if time.is_some_and(|at| !domain::instant::is_kept(at)) {
            let fault = FieldFault::new(field, "时间超出可查询的范围。", "lies outside the times that are kept");
            return Err(Problem::invalid(vec![fault]));
        }
    }
    let view = AlertView::of(caller.role, &caller.scope);
    let most = i64::try_from(query.format.most_rows()).unwrap_or(i64::MAX).saturating_add(1);
    let rows = sqlx::query_scalar!(
        r#"select count(*) as "rows!" from (
               select from dispatch.alert where ($1 or district is null or district = $2)
                  and ($3::timestamptz is null or approved_at >= $3) and ($4::timestamptz is null or approved_at < $4) limit $5) as found"#,
        view.everywhere,
        view.district.map(|district| district.get().cast_signed()),
        query.from,
        query.to,
        most
    )
    .fetch_one(shared.database.pool())
    .await
    .map_err(Error::from)?;
    export::not_too_large(query.format, rows.unsigned_abs())?;
    export::count(&shared.platform, caller.id, shared.exports_a_day, shared.quiet_hours.tz).await?;
    leave(&shared, &caller, "deliveries.export", "deliveries", json!({ "filters": &query })).await?;
    let listing =
        Listing { format: query.format, language: query.language, name: "deliveries", heads: DELIVERIES, zone: shared.quiet_hours.tz };
    let (reading, columns, period) = (shared.clone(), listing.clone(), (query.from, query.to));
    let pages = stream::try_unfold(Some(None), move |at| {
        let (shared, listing) = (reading.clone(), columns.clone());
        async move {
            let Some(after) = at else { return Ok::<_, Error>(None) };
            let (rows, next) = page(&shared, view, period, after, &listing).await?;
            Ok(Some((rows, next.map(Some))))
        }
    });
    let done = move |rows| async move { leave(&shared, &caller, "deliveries.exported", "deliveries", json!({ "rows": rows })).await };
    listing.answer(pages, done).await
}

type Place = (DateTime<Utc>, Uuid);

/// The next deliveries after a place, and where the ones after them begin.
async fn page(
    shared: &Shared,
    view: AlertView,
    (from, to): (Option<DateTime<Utc>>, Option<DateTime<Utc>>),
    after: Option<Place>,
    listing: &Listing,
) -> Result<(Vec<Vec<String>>, Option<Place>), Error> {
    let (before, last) = after.unzip();
    let rows = sqlx::query!(
        r#"with page as (
               select a.alert_id, a.content #>> '{texts,zh-CN,headline}' as headline, a.class, a.district, a.exercise, a.state, a.approved_at,
                      a.released_at, a.due_at, a.handed_over_at, a.expires_at
                 from dispatch.alert a
                where ($1 or a.district is null or a.district = $2)
                  and ($3::timestamptz is null or a.approved_at >= $3) and ($4::timestamptz is null or a.approved_at < $4)
                  and ($5::timestamptz is null or (a.approved_at, a.alert_id) < ($5, $6::uuid))
                order by a.approved_at desc, a.alert_id desc limit $7
           )
           select p.alert_id as "alert_id!", coalesce(p.headline, '') as "headline!", p.class as "class!", p.district,
                  p.exercise as "exercise!", p.state as "state!", p.approved_at as "approved_at!", p.released_at, p.due_at as "due_at!",
                  p.handed_over_at, p.expires_at as "expires_at!",
                  coalesce(w.recipients, 0)::bigint as "recipients!", coalesce(w.no_channel, 0)::bigint as "no_channel!",
                  coalesce(b.accepted, 0)::bigint as "accepted!", coalesce(b.unreachable, 0)::bigint as "unreachable!",
                  coalesce(r.recipients, 0)::bigint as "reminded!", coalesce(f.open, 0)::bigint as "open!", coalesce(f.done, 0)::bigint as "done!"
             from page p
             left join dispatch.wave w on w.alert_id = p.alert_id and w.wave = 1
             left join dispatch.wave r on r.alert_id = p.alert_id and r.wave = 2
             left join lateral (select sum(accepted) as accepted, sum(unreachable) as unreachable from dispatch.batch
                                 where batch.alert_id = p.alert_id and batch.wave = 1) as b on true
             left join lateral (select count(*) filter (where outcome is null) as open, count(*) filter (where outcome is not null) as done
                                  from dispatch.follow_up where follow_up.alert_id = p.alert_id) as f on true
            order by p.approved_at desc, p.alert_id desc"#,
        view.everywhere,
        view.district.map(|district| district.get().cast_signed()),
        from,
        to,
        before,
        last,
        PAGE
    )
    .fetch_all(shared.database.pool())
    .await?;
    let is_full = rows.len() == usize::try_from(PAGE).unwrap_or(usize::MAX);
    let next = rows.last().filter(|_| is_full).map(|row| (row.approved_at, row.alert_id));
    let time = |at: Option<DateTime<Utc>>| at.map(|at| listing.time(at)).unwrap_or_default();
    let cells = rows.into_iter().map(|row| {
        vec![
            row.alert_id.to_string(),
            row.headline,
            class_word(&row.class, listing),
            listing.district(row.district.and_then(|code| DistrictCode::try_from(code).ok())),
            listing.yes_or_no(row.exercise),
            state_word(&row.state, listing),
            time(Some(row.approved_at)),
            time(row.released_at),
            time(Some(row.due_at)),
            time(row.handed_over_at),
            time(Some(row.expires_at)),
            (row.recipients + row.no_channel).to_string(),
            row.no_channel.to_string(),
            row.accepted.to_string(),
            row.unreachable.to_string(),
            row.reminded.to_string(),
            row.open.to_string(),
            row.done.to_string(),
        ]
    });
    Ok((cells.collect(), next))
}

/// How soon an alert goes.
fn class_word(class: &str, listing: &Listing) -> String {
    match class.parse() {
        Ok(DeliveryClass::Urgent) => listing.word("紧急", "urgent"),
        Ok(DeliveryClass::Routine) => listing.word("一般", "routine"),
        // of a newer version
        Err(_) => class.to_owned(),
    }
}

/// Where a delivery stands.
fn state_word(state: &str, listing: &Listing) -> String {
    match state {
        "waiting" => listing.word("等待推送", "waiting"),
        "dispatching" => listing.word("推送中", "being sent"),
        "active" => listing.word("生效中", "in force"),
        "closed" => listing.word("已结束", "over"),
        "cancelled" => listing.word("已撤销", "cancelled"),
        "superseded" => listing.word("已被更正", "corrected"),
        other => other.to_owned(),
    }
}

/// Which follow-up items.
#[derive(Deserialize, Serialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct FollowUpExport {
    /// Those that have an outcome instead of those that are open.
    #[serde(default)]
    closed: bool,
    /// CSV unless asked otherwise.
    #[serde(default)]
    #[param(inline)]
    format: Format,
    /// The language of the columns' heads; Chinese unless asked otherwise.
    #[serde(default)]
    language: Language,
}

/// Export the follow-up items of the caller's area as CSV or as a workbook.
///
/// What the list shows, all of it, the oldest first. Residents appear by number only. So many files a day as the operator has set; each export is in the trace.
#[utoipa::path(get, path = "/api/v1/follow-ups/export", operation_id = "export_follow_ups", params(FollowUpExport), responses(
    (status = 200, description = "The file", content((String = "text/csv"), (String = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"))),
    (status = 422, description = "More rows than a workbook takes"),
    (status = 429, description = "More files than a day may have")
))]
pub(super) async fn follow_ups(
    State(shared): State<Shared>,
    caller: StaffCaller,
    Query(query): Query<FollowUpExport>,
) -> Result<Response, Problem> {
    export::count(&shared.platform, caller.id, shared.exports_a_day, shared.quiet_hours.tz).await?;
    leave(&shared, &caller, "follow_ups.export", "follow_ups", json!({ "filters": &query })).await?;
    let listing = Listing {
        format: query.format,
        language: query.language,
        name: "follow-ups",
        heads: follow_ups::HEADS,
        zone: shared.quiet_hours.tz,
    };
    let (reading, columns, within) = (shared.clone(), listing.clone(), Within::of(&caller.scope));
    let (format, most) = (query.format, query.format.most_rows());
    let pages = stream::try_unfold(Some((0_u64, 0_i64)), move |at| {
        let (shared, listing) = (reading.clone(), columns.clone());
        async move {
            let Some((taken, after)) = at else { return Ok::<_, Error>(None) };
            let items = follow_ups::load(&shared, within, &Wanted { closed: query.closed, after }).await?;
            let Some(last) = items.last().map(|item| item.id()) else { return Ok(None) };
            let taken = taken + items.len() as u64;
            if taken > most {
                // of CSV the answer breaks off there, and is seen not to be whole
                return Err(Error::ExportTooLarge(format));
            }
            let rows = items.iter().map(|item| item.cells(&listing)).collect();
            Ok(Some((rows, Some((taken, last)))))
        }
    });
    let done = move |rows| async move { leave(&shared, &caller, "follow_ups.exported", "follow_ups", json!({ "rows": rows })).await };
    listing.answer(pages, done).await
}

/// Leaves a trace of an export.
async fn leave(shared: &Shared, caller: &StaffCaller, action: &str, what: &str, detail: serde_json::Value) -> Result<(), Error> {
    let entry = caller.did(action, "export", what, shared.clock.now());
    let mut tx = shared.database.begin().await?;
    tx.publish(SCHEMA, &AuditEntry { detail_json: detail.to_string(), ..entry }).await?;
    Ok(tx.commit().await?)
}

#[cfg(test)]
mod tests;
