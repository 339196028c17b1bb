//! Files sent in pieces: one that is cut goes on where it was (tus 1.0.0: core, creation, expiration, termination).
//!
//! `POST` begins a file, `PATCH` adds to it, `HEAD` says how far it is. When it is whole it is looked at and delivered by its id
//! ([`crate::records`]), as often as need be: nothing of it counts before, and it becomes one load.

use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use domain::ids::UploadId;
use futures::StreamExt as _;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, LOCATION};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use platform::http::{Access, Caller, Limits, Path, PathId, Problem, Routes, routes};

use crate::Error;
use crate::intake::Intake;
use crate::pieces::{self, PIECE, Upload};
use crate::records::{sender, to_its_end};
use crate::sender::ROLES;
use crate::upload_fault::UploadFault;

/// The protocol, as its headers say it.
const VERSION: HeaderValue = HeaderValue::from_static("1.0.0");
const RESUMABLE: HeaderName = HeaderName::from_static("tus-resumable");
const OFFSET: HeaderName = HeaderName::from_static("upload-offset");
const LENGTH: HeaderName = HeaderName::from_static("upload-length");
const EXPIRES: HeaderName = HeaderName::from_static("upload-expires");
const PIECE_TYPE: &str = "application/offset+octet-stream";

pub(crate) fn routes(upload_bytes: usize) -> Routes<Intake> {
    let senders = Access::SourceOrStaff(ROLES);
    Routes::new("records")
        .allow(senders, routes!(begin))
        .allow_within(Limits::upload(upload_bytes), senders, routes!(add))
        .allow(senders, routes!(look))
        .allow(senders, routes!(give_up))
}

/// Begin a file that is sent in pieces
///
/// By the protocol tus 1.0.0, so that a file that is cut goes on where it was. `Upload-Length` says how many bytes it has. When all have
/// arrived, look at it and deliver it by `upload_id`. A file that gets nothing more for 24 hours is forgotten.
#[utoipa::path(post, path = "/api/v1/uploads", operation_id = "begin_upload",
    params(("Upload-Length" = u64, Header, description = "How many bytes the file has")),
    responses(
        (status = 201, description = "Begun; `Location` says where its pieces go"),
        (status = 409, description = "Too many files of this sender are on their way"),
        (status = 412, description = "Another version of the protocol"),
        (status = 413, description = "Larger than a file may be"),
    ))]
async fn begin(State(intake): State<Intake>, caller: Caller, headers: HeaderMap) -> Result<Response, Problem> {
    let sender = sender(caller)?;
    speaks_tus(&headers)?;
    let bytes = number(&headers, &LENGTH)?;
    let limit = intake.upload_bytes();
    if bytes > limit as u64 {
        return Err(UploadFault::TooLarge { limit }.into());
    }
    if bytes == 0 {
        return Err(UploadFault::Header("Upload-Length").into());
    }
    let upload = pieces::begin(&intake.platform, sender.source(), bytes, limit).await?;
    let location = format!("/api/v1/uploads/{}", upload.id);
    let mut answer = said(&upload, StatusCode::CREATED);
    answer.headers_mut().insert(LOCATION, value(&location));
    Ok(answer)
}

/// Add to a file that is sent in pieces
///
/// `Upload-Offset` says at which byte the body begins: where the file ends so far. What arrived before a cut is kept.
#[utoipa::path(patch, path = "/api/v1/uploads/{id}", operation_id = "add_to_upload",
    params(
        ("id" = Uuid, Path, description = "The file"),
        ("Upload-Offset" = u64, Header, description = "Where the body begins"),
    ),
    request_body(content = String, content_type = "application/offset+octet-stream"),
    responses(
        (status = 204, description = "Added; `Upload-Offset` says how far the file is"),
        (status = 404, description = "There is no such file of this sender, or it was forgotten"),
        (status = 409, description = "The file does not end there, or somebody else goes on with it"),
        (status = 413, description = "More than the file was to have"),
        (status = 415, description = "Another type than application/offset+octet-stream"),
    ))]
async fn add(
    State(intake): State<Intake>,
    caller: Caller,
    Path(id): PathId<UploadId>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let sender = sender(caller)?;
    speaks_tus(&headers)?;
    if headers.get(CONTENT_TYPE).is_none_or(|kind| kind.as_bytes() != PIECE_TYPE.as_bytes()) {
        return Err(UploadFault::PieceType.into());
    }
    let offset = number(&headers, &OFFSET)?;
    let mut upload = pieces::find(&intake.platform, sender.source(), id).await?;
    if offset != upload.received || upload.load.is_some() {
        return Err(UploadFault::Offset { said: offset, is: upload.received }.into());
    }
    let own = intake.clone();
    let upload = to_its_end(&intake, async move {
        take(&own, &mut upload, body).await?;
        Ok(upload)
    })
    .await?;
    Ok(said(&upload, StatusCode::NO_CONTENT))
}

/// Keeps what comes, also what comes before a cut.
async fn take(intake: &Intake, upload: &mut Upload, body: Body) -> Result<(), Error> {
    let mut stream = body.into_data_stream();
    let mut piece: Vec<u8> = Vec::new();
    loop {
        let next = stream.next().await;
        let ends = !matches!(next, Some(Ok(_)));
        if let Some(Ok(bytes)) = next {
            if upload.received + (piece.len() + bytes.len()) as u64 > upload.bytes {
                return Err(UploadFault::TooLong { bytes: upload.bytes }.into());
            }
            piece.extend_from_slice(&bytes);
        }
        while piece.len() >= PIECE || ends && !piece.is_empty() {
            let rest = piece.split_off(piece.len().min(PIECE));
            pieces::add(&intake.platform, upload, &piece).await?;
            piece = rest;
        }
        if ends {
            return Ok(());
        }
    }
}

/// How far a file is that is sent in pieces
#[utoipa::path(head, path = "/api/v1/uploads/{id}", operation_id = "look_at_upload",
    params(("id" = Uuid, Path, description = "The file")),
    responses(
        (status = 200, description = "`Upload-Offset` of `Upload-Length` bytes have arrived"),
        (status = 404, description = "There is no such file of this sender, or it was forgotten"),
    ))]
async fn look(State(intake): State<Intake>, caller: Caller, Path(id): PathId<UploadId>) -> Result<Response, Problem> {
    let sender = sender(caller)?;
    let upload = pieces::find(&intake.platform, sender.source(), id).await?;
    Ok(said(&upload, StatusCode::OK))
}

/// Give up a file that is sent in pieces
#[utoipa::path(delete, path = "/api/v1/uploads/{id}", operation_id = "give_up_upload",
    params(("id" = Uuid, Path, description = "The file")),
    responses(
        (status = 204, description = "Forgotten"),
        (status = 404, description = "There is no such file of this sender, or it was delivered or forgotten"),
    ))]
async fn give_up(State(intake): State<Intake>, caller: Caller, Path(id): PathId<UploadId>) -> Result<Response, Problem> {
    let sender = sender(caller)?;
    pieces::give_up(&intake.platform, sender.source(), id).await?;
    Ok((StatusCode::NO_CONTENT, [(RESUMABLE, VERSION)]).into_response())
}

/// The answer about a file.
fn said(upload: &Upload, status: StatusCode) -> Response {
    let headers = [
        (RESUMABLE, VERSION),
        (OFFSET, HeaderValue::from(upload.received)),
        (LENGTH, HeaderValue::from(upload.bytes)),
        (EXPIRES, value(&upload.expires_at().format("%a, %d %b %Y %H:%M:%S GMT").to_string())),
        (CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ];
    (status, headers).into_response()
}

/// A header of ASCII that we wrote.
fn value(text: &str) -> HeaderValue {
    HeaderValue::from_str(text).unwrap_or_else(|_| HeaderValue::from_static(""))
}

/// A client of another version is told ours; one that says none is taken at its other words.
fn speaks_tus(headers: &HeaderMap) -> Result<(), Problem> {
    if headers.get(&RESUMABLE).is_none_or(|version| version == VERSION) {
        return Ok(());
    }
    Err(UploadFault::Version.into())
}

fn number(headers: &HeaderMap, header: &HeaderName) -> Result<u64, UploadFault> {
    let name = if *header == LENGTH { "Upload-Length" } else { "Upload-Offset" };
    let digits = headers.get(header).and_then(|value| value.to_str().ok()).filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()));
    digits.and_then(|text| text.parse().ok()).ok_or(UploadFault::Header(name))
}
