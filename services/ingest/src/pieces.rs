//! Where a file lies that is sent in pieces: sealed, until it is delivered or forgotten.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use chrono::{DateTime, TimeDelta, Utc};
use domain::ids::{LoadId, UploadId};
use futures::stream::BoxStream;
use futures::{Stream, StreamExt as _, TryStreamExt as _, stream};
use platform::Platform;
use platform::crypto::{Purpose, Sealed};
use platform::jobs::{Did, Job};

use crate::Error;
use crate::upload_fault::UploadFault;

/// Bytes of one piece in the store. What a cut loses is less than that.
pub(crate) const PIECE: usize = 1 << 20;
/// Files of one sender that are on their way at once.
const OPEN: i64 = 10;
/// How many of the largest files all senders together have on their way.
const TOGETHER: i64 = 8;
/// A file that got nothing more for so long is forgotten.
pub(crate) const FORGOTTEN_AFTER: TimeDelta = TimeDelta::hours(domain::retention::UPLOAD_HOURS as i64);

/// For so long the pieces of what was delivered stay.
const STILL_READ: TimeDelta = TimeDelta::minutes(30);

/// Removes files that nobody goes on with.
pub(crate) const FORGET_UPLOADS: Job = Job {
    name: "ingest.forget_uploads",
    cron: "0 25 * * * *",
    about: "删除已报送或超过 24 小时未续传的分段上传文件。",
    about_en: "Removes files sent in pieces that were delivered, or that nobody went on with for 24 hours.",
    at_start: false,
};

/// A file on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Upload {
    pub id: UploadId,
    /// How many bytes it has.
    pub bytes: u64,
    /// How many of them have arrived.
    pub received: u64,
    /// When its last piece came.
    pub touched_at: DateTime<Utc>,
    /// The load that it became.
    pub load: Option<LoadId>,
}

impl Upload {
    /// When it is forgotten.
    pub(crate) fn expires_at(&self) -> DateTime<Utc> {
        self.touched_at + FORGOTTEN_AFTER
    }
}

/// Begins a file of so many bytes. One sender has no more on their way than one file may have, and no more than ten files.
pub(crate) async fn begin(platform: &Platform, source: &str, bytes: u64, limit: usize) -> Result<Upload, Error> {
    let upload = Upload { id: UploadId::new(), bytes, received: 0, touched_at: platform.clock.now(), load: None };
    let mut tx = platform.database.begin().await?;
    // one after the other, so that together they stay within the limits
    sqlx::query!("select pg_advisory_xact_lock(hashtextextended('ingest.upload', 0))")
        .execute(&mut *tx)
        .await
        .map_err(Error::database("beginning an upload"))?;
    let begun = sqlx::query!(
        "insert into ingest.upload (upload_id, source, bytes, touched_at)
         select $1, $2, $3::bigint, $4 from (select count(*) as files, coalesce(sum(bytes), 0) as bytes from ingest.upload where source = $2
            and load_id is null and touched_at > $5) as open
          where open.files < $6 and open.bytes + $3::bigint <= $7::bigint
            and (select coalesce(sum(bytes), 0) from ingest.upload where load_id is null and touched_at > $5 or touched_at > $9) + $3::bigint
                <= $7::bigint * $8::bigint",
        upload.id.uuid(),
        source,
        bytes.cast_signed(),
        upload.touched_at,
        upload.touched_at - FORGOTTEN_AFTER,
        OPEN,
        i64::try_from(limit).unwrap_or(i64::MAX),
        TOGETHER,
        upload.touched_at - STILL_READ
    )
    .execute(&mut *tx)
    .await
    .map_err(Error::database("beginning an upload"))?;
    tx.commit().await?;
    if begun.rows_affected() == 1 { Ok(upload) } else { Err(UploadFault::TooMany.into()) }
}

/// A file of this sender.
pub(crate) async fn find(platform: &Platform, source: &str, id: UploadId) -> Result<Upload, Error> {
    let row = sqlx::query!(
        "select bytes, received, touched_at, load_id from ingest.upload where upload_id = $1 and source = $2 and touched_at > $3",
        id.uuid(),
        source,
        platform.clock.now() - FORGOTTEN_AFTER
    )
    .fetch_optional(platform.database.pool())
    .await
    .map_err(Error::database("looking for an upload"))?
    .ok_or(UploadFault::Unknown(id))?;
    Ok(Upload {
        id,
        bytes: row.bytes.cast_unsigned(),
        received: row.received.cast_unsigned(),
        touched_at: row.touched_at,
        load: row.load_id.map(LoadId::from_uuid),
    })
}

/// Adds a piece where the file ends so far.
pub(crate) async fn add(platform: &Platform, upload: &mut Upload, piece: &[u8]) -> Result<(), Error> {
    let now = platform.clock.now();
    let sealed = platform.keyring.seal(Purpose::UploadPiece, piece).into_bytes();
    let added = sqlx::query!(
        "with moved as (
             update ingest.upload set received = received + $3, touched_at = $4
              where upload_id = $1 and received = $2 and load_id is null and received + $3 <= bytes returning upload_id
         )
         insert into ingest.upload_piece (upload_id, at, piece_sealed) select upload_id, $2, $5 from moved",
        upload.id.uuid(),
        upload.received.cast_signed(),
        piece.len() as i64,
        now,
        sealed
    )
    .execute(platform.database.pool())
    .await
    .map_err(Error::database("keeping a piece of an upload"))?;
    if added.rows_affected() == 0 {
        // somebody else goes on with the same file
        return Err(UploadFault::Elsewhere.into());
    }
    upload.received += piece.len() as u64;
    upload.touched_at = now;
    Ok(())
}

/// The file from its beginning.
pub(crate) fn read(platform: &Platform, upload: &Upload) -> impl Stream<Item = Result<Bytes, Error>> + Send + use<> {
    let (platform, id, end) = (platform.clone(), upload.id, upload.received);
    stream::try_unfold(0_u64, move |at| {
        let platform = platform.clone();
        async move {
            if at >= end {
                return Ok(None);
            }
            let sealed = sqlx::query_scalar!(
                "select piece_sealed from ingest.upload_piece where upload_id = $1 and at = $2",
                id.uuid(),
                at.cast_signed()
            )
            .fetch_optional(platform.database.pool())
            .await
            .map_err(Error::database("reading a piece of an upload"))?
            .ok_or(Error::Stored { what: "piece of an upload" })?;
            let piece = platform.keyring.open(Purpose::UploadPiece, &Sealed::from_bytes(sealed)?)?;
            let next = at + piece.len() as u64;
            Ok(Some((Bytes::copy_from_slice(&piece), next)))
        }
    })
}

/// Keeps what failed while a file was read: to whoever reads it, a file that cannot be read is one that broke off.
pub(crate) struct Lost(Arc<Mutex<Option<Error>>>);

impl Lost {
    /// Whether all of the file could be read.
    pub(crate) fn into_result(self) -> Result<(), Error> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take().map_or(Ok(()), Err)
    }
}

/// The file, and what fails while it is read.
pub(crate) fn watched(
    file: impl Stream<Item = Result<Bytes, Error>> + Send + 'static,
) -> (BoxStream<'static, Result<Bytes, io::Error>>, Lost) {
    let lost = Arc::new(Mutex::new(None));
    let noted = Arc::clone(&lost);
    let file = file.map_err(move |error| {
        noted.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
        io::Error::from(io::ErrorKind::UnexpectedEof)
    });
    (file.boxed(), Lost(lost))
}

/// Remembers what load a file became.
pub(crate) async fn delivered(platform: &Platform, upload: UploadId, load: LoadId) -> Result<(), Error> {
    sqlx::query!(
        "update ingest.upload set load_id = coalesce(load_id, $2), touched_at = $3 where upload_id = $1",
        upload.uuid(),
        load.uuid(),
        platform.clock.now()
    )
    .execute(platform.database.pool())
    .await
    .map_err(Error::database("noting what an upload became"))?;
    Ok(())
}

/// Forgets a file that its sender gives up.
pub(crate) async fn give_up(platform: &Platform, source: &str, id: UploadId) -> Result<(), Error> {
    let gone = sqlx::query!("delete from ingest.upload where upload_id = $1 and source = $2 and load_id is null", id.uuid(), source)
        .execute(platform.database.pool())
        .await
        .map_err(Error::database("giving an upload up"))?;
    if gone.rows_affected() == 1 { Ok(()) } else { Err(UploadFault::Unknown(id).into()) }
}

/// Forgets the pieces of what was delivered, and files that nobody goes on with.
pub(crate) fn forget_on_schedule(platform: &Platform) -> Result<(), Error> {
    let own = platform.clone();
    platform.jobs.register(&FORGET_UPLOADS, move || {
        let platform = own.clone();
        async move {
            let now = platform.clock.now();
            let pieces = sqlx::query!(
                "delete from ingest.upload_piece using ingest.upload
                  where upload.upload_id = upload_piece.upload_id and load_id is not null and touched_at < $1",
                now - STILL_READ
            )
            .execute(platform.database.pool())
            .await?;
            let files = sqlx::query!("delete from ingest.upload where touched_at < $1", now - FORGOTTEN_AFTER)
                .execute(platform.database.pool())
                .await?;
            Ok(Did::nothing().and("删除已报送文件的分段", "pieces of delivered files removed", pieces.rows_affected()).and(
                "删除过期的上传",
                "uploads removed",
                files.rows_affected(),
            ))
        }
    })?;
    Ok(())
}
