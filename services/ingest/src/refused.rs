//! Refused rows, given back in the form in which they came, to be mended and sent again.
//!
//! A row of JSON has `refused` added, a row of a list three columns; both are passed over when the row comes again. Rows of a workbook
//! are given back as CSV. No cell of it is one that a spreadsheet would calculate, and each is read back as it was. The rows may
//! name people: only their sender gets them, and staff leave a trace when they do.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use domain::ids::LoadId;
use domain::list::ColumnNames;
use futures::stream;
use http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_TYPE};
use platform::crypto::{Purpose, Sealed};
use platform::http::{Access, Caller, FieldFault, Limits, Path, PathId, Problem, Routes, routes};
use serde_json::{Map, Value, json};
use sqlx::types::Json;

use crate::column_names::{self, Chosen};
use crate::columns::Columns;
use crate::intake::Intake;
use crate::sender::{ROLES, Sender};
use crate::{Error, SCHEMA};

/// Rows fetched at once: at most 256 KB each.
const PAGE: i64 = 200;

pub(crate) fn routes() -> Routes<Intake> {
    Routes::new("records").allow_within(Limits::stream(), Access::SourceOrStaff(ROLES), routes!(fetch))
}

/// The refused rows of a delivery, to be mended and sent again
///
/// In the format in which they came, workbooks as CSV: CSV with the columns `refused_line`, `refused_field` and `refused_reason`, or NDJSON with the
/// field `refused`. Send the mended file as it is: what was added is passed over.
#[utoipa::path(get, path = "/api/v1/loads/{id}/refused", params(("id" = LoadId, Path, description = "The load")), responses(
    (status = 200, description = "The rows", content((String = "application/x-ndjson"), (String = "text/csv"))),
    (status = 404, description = "There is no such load of this sender"),
))]
async fn fetch(State(intake): State<Intake>, caller: Caller, Path(id): PathId<LoadId>) -> Result<Response, Problem> {
    let sender = Sender::of(caller).ok_or(Error::NoSuchLoad(id))?;
    let row = sqlx::query!("select header, delimiter from ingest.load where load_id = $1 and source = $2", id.uuid(), sender.source())
        .fetch_optional(intake.platform.database.pool())
        .await
        .map_err(Error::database("reading a load"))?
        .ok_or(Error::NoSuchLoad(id))?;
    let form = match (row.header, row.delimiter) {
        (Some(header), Some(delimiter)) => {
            let known = column_names::of(&intake.platform, sender.source(), &Chosen::default()).await?;
            Form::Csv(stored_columns(&header, &delimiter, &known)?)
        }
        _ => Form::Ndjson,
    };
    // the rows name people: whoever opens them is traced first
    let mut tx = intake.platform.database.begin().await?;
    tx.publish(SCHEMA, &sender.did("refused_rows.open", "load", id, intake.platform.clock.now())).await?;
    tx.commit().await?;
    let (media_type, extension) = match form {
        Form::Csv(_) => ("text/csv; charset=utf-8", "csv"),
        Form::Ndjson => ("application/x-ndjson", "ndjson"),
    };
    let head = [
        (CONTENT_TYPE, media_type.to_owned()),
        (CONTENT_DISPOSITION, format!("attachment; filename=\"refused-{id}.{extension}\"")),
        (CACHE_CONTROL, "no-store".to_owned()),
    ];
    Ok((head, Body::from_stream(pages(intake, id, form))).into_response())
}

fn stored_columns(header: &str, delimiter: &str, known: &ColumnNames) -> Result<Arc<Columns>, Error> {
    let wrong = Error::Stored { what: "header of a load" };
    match (serde_json::from_str(header), delimiter.as_bytes()) {
        (Ok(names), [delimiter]) => Columns::of_names(names, *delimiter, known).map(Arc::new).map_err(|_| wrong),
        _ => Err(wrong),
    }
}

#[derive(Clone)]
enum Form {
    Ndjson,
    Csv(Arc<Columns>),
}

/// A refused row with its place and its reason.
#[derive(Debug)]
struct RefusedRow {
    line: i64,
    field: String,
    reason: String,
    reason_en: String,
    others: Json<Vec<FieldFault>>,
    row_sealed: Vec<u8>,
}

impl RefusedRow {
    /// All that is wrong with it, in both languages; where it is more than one thing, each with its column.
    fn reasons(&self, columns: &Columns) -> String {
        let first = format!("{} ({})", self.reason, self.reason_en);
        if self.others.is_empty() {
            return first;
        }
        let others = self.others.iter().map(|fault| format!("{}：{} ({})", columns.name_of(&fault.field), fault.reason, fault.reason_en));
        std::iter::once(format!("{}：{first}", columns.name_of(&self.field))).chain(others).collect::<Vec<_>>().join("；")
    }
}

/// The file, page by page.
fn pages(intake: Intake, id: LoadId, form: Form) -> impl stream::Stream<Item = Result<Bytes, Error>> {
    // first the header row, as the line before every line
    stream::try_unfold(None, move |after: Option<i64>| {
        let (intake, form) = (intake.clone(), form.clone());
        async move {
            let Some(after) = after else {
                let head = match &form {
                    Form::Ndjson => Vec::new(),
                    // so that a spreadsheet takes it for what it is
                    Form::Csv(columns) => [&[0xEF, 0xBB, 0xBF][..], &columns.extended_header()].concat(),
                };
                return Ok(Some((Bytes::from(head), Some(0))));
            };
            let rows = sqlx::query_as!(
                RefusedRow,
                r#"select line, field, reason, reason_en, others as "others: Json<Vec<FieldFault>>", row_sealed from ingest.refused_row
                   where load_id = $1 and line > $2 order by line limit $3"#,
                id.uuid(),
                after,
                PAGE
            )
            .fetch_all(intake.platform.database.pool())
            .await
            .map_err(Error::database("reading refused rows"))?;
            let Some(last) = rows.last().map(|row| row.line) else { return Ok(None) };
            let mut page = Vec::new();
            for row in rows {
                let raw = intake.platform.keyring.open(Purpose::RefusedRow, &Sealed::from_bytes(row.row_sealed.clone())?)?;
                page.extend(match &form {
                    Form::Ndjson => json_line(&row, &raw),
                    Form::Csv(columns) => {
                        columns.extended(&raw, [&row.line.to_string(), columns.name_of(&row.field), &row.reasons(columns)])
                    }
                });
            }
            Ok(Some((Bytes::from(page), Some(last))))
        }
    })
}

/// The row with `refused` added; a row that is no object stands in it as text.
fn json_line(row: &RefusedRow, raw: &[u8]) -> Vec<u8> {
    let mut refused = json!({"line": row.line, "field": row.field, "reason": row.reason, "reason_en": row.reason_en});
    if !row.others.is_empty() {
        refused["others"] = json!(row.others.0);
    }
    let mut object = match serde_json::from_slice::<Map<String, Value>>(raw) {
        Ok(object) => object,
        Err(_) => {
            refused["row"] = Value::String(String::from_utf8_lossy(raw).into_owned());
            Map::new()
        }
    };
    object.insert("refused".to_owned(), refused);
    let mut line = Value::Object(object).to_string().into_bytes();
    line.push(b'\n');
    line
}
