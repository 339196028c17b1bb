//! The three ways in: a JSON batch, an NDJSON stream, a file with a list.
//!
//! A delivery is finished even if its sender goes away: what arrived is stored, and the report can be asked for later.

use axum::body::{Body, Bytes};
use axum::extract::multipart::Field;
use axum::extract::{FromRequest as _, Multipart, Request, State};
use domain::ids::UploadId;
use futures::{StreamExt as _, TryStreamExt as _};
use http::HeaderMap;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use platform::http::{Access, Caller, Limits, Problem, Query, Routes, routes};
use serde::Deserialize;
use tokio::sync::oneshot;
use utoipa::IntoParams;

use crate::Error;
use crate::column_names::Chosen;
use crate::intake::{BATCH_BYTES, Intake};
use crate::load::LoadReport;
use crate::loads;
use crate::pieces::{self, Upload};
use crate::preview::Preview;
use crate::record::NewRow;
use crate::sender::{ROLES, Sender};
use crate::upload_fault::UploadFault;

const SENDERS: Access = Access::SourceOrStaff(ROLES);

pub(crate) fn routes(upload_bytes: usize) -> Routes<Intake> {
    Routes::new("records")
        .allow_within(Limits { body: BATCH_BYTES, ..Limits::default() }, SENDERS, routes!(batch))
        .allow_within(Limits { body: usize::MAX, time: None }, SENDERS, routes!(stream))
        .allow_within(Limits::upload(upload_bytes), SENDERS, routes!(upload))
        .allow_within(Limits::upload(upload_bytes), SENDERS, routes!(preview))
}

/// Deliver a batch of risk records
///
/// One record or an array of at most 5,000. Each is kept once by its `source_id`; rows that are wrong are refused alone. A row with
/// `correction` and `correction_reason` corrects (`replace`) or takes back (`retract`) what was delivered under its id, in a stream and in
/// a list too (更正, 更正原因). Every version stays; whom the old one had led to an alert is shown to its reviewers.
#[utoipa::path(post, path = "/api/v1/records", request_body = Vec<NewRow>, responses(
    (status = 200, description = "What became of each row", body = LoadReport),
    (status = 400, description = "Not JSON"),
    (status = 413, description = "More than 5,000 records"),
))]
async fn batch(State(intake): State<Intake>, caller: Caller, body: Bytes) -> Result<axum::Json<LoadReport>, Problem> {
    let sender = sender(caller)?;
    let own = intake.clone();
    Ok(axum::Json(to_its_end(&intake, async move { own.batch(sender, &body).await }).await?))
}

/// Deliver a stream of risk records
///
/// One record a line (NDJSON), as many and for as long as you like. Records are stored as they come.
#[utoipa::path(post, path = "/api/v1/records/stream", request_body(content = NewRow, content_type = "application/x-ndjson"), responses(
    (status = 200, description = "What became of each row", body = LoadReport),
))]
async fn stream(State(intake): State<Intake>, caller: Caller, headers: HeaderMap, body: Body) -> Result<axum::Json<LoadReport>, Problem> {
    let sender = sender(caller)?;
    let own = intake.clone().expecting(length_of(&headers));
    Ok(axum::Json(to_its_end(&intake, async move { own.ndjson(sender, body.into_data_stream()).await }).await?))
}

/// Upload a list of risk records
///
/// CSV in UTF-8, GB18030 or UTF-16 with commas, semicolons or tabs; a workbook (xlsx, xls); JSON or NDJSON: the content decides. The
/// header row names the fields in English or Chinese (`source_id` or 来源编号, `kind` or 类别, `occurred_at` or 发生时间, `phone` or 手机号,
/// `level` or 风险等级, …); any other column is an attribute and text. Times without an offset are the city's.
#[utoipa::path(post, path = "/api/v1/records/upload", params(Names), request_body(content = String, content_type = "text/csv"), responses(
    (status = 200, description = "What became of each row", body = LoadReport),
    (status = 400, description = "The file is no list, or has no header row that can be used"),
    (status = 413, description = "A workbook that is too large"),
    (status = 415, description = "Neither a type that lists have nor a form with a file"),
))]
async fn upload(
    State(intake): State<Intake>,
    caller: Caller,
    Query(names): Query<Names>,
    request: Request,
) -> Result<axum::Json<LoadReport>, Problem> {
    let (sender, chosen) = (sender(caller)?, Chosen::read(names.names.as_deref())?);
    let own = intake.clone().expecting(length_of(request.headers()));
    let report = if let Some(id) = names.upload_id {
        to_its_end(&intake, async move { in_pieces(own, sender, &chosen, id).await }).await?
    } else {
        match file_of(request).await? {
            Sent::Form(form) => to_its_end(&intake, async move { form_file(own, sender, &chosen, form).await }).await?,
            Sent::Bare(body) => to_its_end(&intake, async move { own.file(sender, &chosen, body.into_data_stream()).await }).await?,
        }
    };
    Ok(axum::Json(report))
}

/// Look at a list before it counts
///
/// Takes what an upload takes, and stores nothing: how each column is understood, the first rows, what would be refused and why, what is known
/// already, and which rules would match. At most 10,000 rows are looked at. A header that cannot be used is shown with its names, so that
/// `names` can be chosen.
#[utoipa::path(post, path = "/api/v1/records/preview", params(Names), request_body(content = String, content_type = "text/csv"), responses(
    (status = 200, description = "What would become of it", body = Preview),
    (status = 400, description = "The file is no list"),
    (status = 413, description = "A workbook that is too large"),
    (status = 415, description = "Neither a type that lists have nor a form with a file"),
))]
async fn preview(
    State(intake): State<Intake>,
    caller: Caller,
    Query(names): Query<Names>,
    request: Request,
) -> Result<axum::Json<Preview>, Problem> {
    let (sender, chosen) = (sender(caller)?, Chosen::read(names.names.as_deref())?);
    if let Some(id) = names.upload_id {
        let upload = whole(&intake, &sender, id).await?;
        if let Some(load) = upload.load {
            return Err(Error::from(UploadFault::Delivered(load)).into());
        }
        let (file, lost) = pieces::watched(pieces::read(&intake.platform, &upload));
        let preview = intake.expecting(Some(upload.bytes)).preview(sender, &chosen, file).await?;
        lost.into_result()?;
        return Ok(axum::Json(preview));
    }
    let intake = intake.expecting(length_of(request.headers()));
    let preview = match file_of(request).await? {
        Sent::Form(form) => form_preview(intake, sender, &chosen, form).await?,
        Sent::Bare(body) => intake.preview(sender, &chosen, body.into_data_stream()).await?,
    };
    Ok(axum::Json(preview))
}

/// Which file, and what names of its columns mean where it is not known by itself.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Names {
    /// A file that was sent in pieces, in place of a body. Delivered a second time, it is the same load.
    #[param(value_type = Option<uuid::Uuid>)]
    upload_id: Option<UploadId>,
    /// A JSON object of names in the header and what each means: a field, `attributes.…`, or `-` for what is not kept. With an upload it is
    /// remembered for the sender's next lists.
    #[param(example = r#"{"发病编号":"source_id","备注2":"-"}"#)]
    names: Option<String>,
}

/// A file as it was sent.
enum Sent {
    Form(Multipart),
    Bare(Body),
}

/// How many bytes a request has, with the form around its file; none of a stream.
fn length_of(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// The file of a request, in a form or as its body.
async fn file_of(request: Request) -> Result<Sent, Error> {
    let media_type = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default().to_ascii_lowercase();
    if media_type.starts_with("multipart/form-data") {
        Ok(Sent::Form(Multipart::from_request(request, &()).await.map_err(|_| Error::NoFile)?))
    } else if LISTS.iter().any(|list| media_type.starts_with(list)) || media_type.is_empty() {
        Ok(Sent::Bare(request.into_body()))
    } else {
        Err(Error::MediaType)
    }
}

/// How the types of lists begin. Which one it is says the content: programs often name another one, or none.
const LISTS: [&str; 8] = [
    "text/",
    "application/csv",
    "application/json",
    "application/x-ndjson",
    "application/jsonl",
    "application/octet-stream",
    "application/vnd.ms-excel",
    "application/vnd.openxmlformats-officedocument.spreadsheetml",
];

/// A file that was sent in pieces, once all have arrived.
async fn whole(intake: &Intake, sender: &Sender, id: UploadId) -> Result<Upload, Error> {
    let upload = pieces::find(&intake.platform, sender.source(), id).await?;
    let Upload { received, bytes, .. } = upload;
    if received < bytes { Err(UploadFault::Incomplete { received, bytes }.into()) } else { Ok(upload) }
}

/// Delivers a file that was sent in pieces; one that was delivered before is told again.
async fn in_pieces(intake: Intake, sender: Sender, chosen: &Chosen, id: UploadId) -> Result<LoadReport, Error> {
    let upload = whole(&intake, &sender, id).await?;
    if let Some(load) = upload.load {
        return loads::report(&intake.platform, load, Some(sender.source())).await;
    }
    let (file, lost) = pieces::watched(pieces::read(&intake.platform, &upload));
    let report = intake.clone().expecting(Some(upload.bytes)).file(sender, chosen, file).await?;
    // what came of it before stays, and counts once when it is delivered again
    lost.into_result()?;
    pieces::delivered(&intake.platform, id, report.load_id).await?;
    Ok(report)
}

async fn form_file(intake: Intake, sender: Sender, chosen: &Chosen, mut form: Multipart) -> Result<LoadReport, Error> {
    while let Some(field) = form.next_field().await.map_err(|_| Error::NoFile)? {
        if is_file(&field) {
            return intake.file(sender, chosen, field.into_stream().boxed()).await;
        }
    }
    Err(Error::NoFile)
}

async fn form_preview(intake: Intake, sender: Sender, chosen: &Chosen, mut form: Multipart) -> Result<Preview, Error> {
    while let Some(field) = form.next_field().await.map_err(|_| Error::NoFile)? {
        if is_file(&field) {
            return intake.preview(sender, chosen, field.into_stream().boxed()).await;
        }
    }
    Err(Error::NoFile)
}

/// The file of a form: its field `file`, or the first that has a file name.
fn is_file(field: &Field<'_>) -> bool {
    field.name() == Some("file") || field.file_name().is_some()
}

pub(crate) fn sender(caller: Caller) -> Result<Sender, Problem> {
    // the access rule lets nobody else in
    Sender::of(caller).ok_or_else(|| {
        Problem::forbidden(
            "caller_not_allowed",
            "当前身份不能报送记录，请换用正确的账号。",
            "This account delivers no records. Use another one.",
        )
    })
}

/// Runs what is done with a body as a task of its own: a request whose client goes away is dropped, a load is not, nor is a piece of a file.
pub(crate) async fn to_its_end<F, T>(intake: &Intake, load: F) -> Result<T, Problem>
where
    F: Future<Output = Result<T, Error>> + Send + 'static,
    T: Send + 'static,
{
    let (tell, told) = oneshot::channel();
    intake.platform.tasks.spawn("load", async move {
        match tell.send(load.await) {
            Ok(()) | Err(Ok(_)) => Ok(()),
            // nobody is left to be told, so the log is
            Err(Err(error)) => Err(error),
        }
    });
    Ok(told.await.map_err(|_| Error::Interrupted { step: "a load" })??)
}
