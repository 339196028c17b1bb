//! Takes risk records in and keeps each one once (CQ6).
//!
//! ```text
//! bytes ─▶ framing ─▶ blocks of whole rows ─▶ encoding ─▶ check ─▶ candidates ─▶ store ─▶ ingest.record, event RecordsStored
//!          (lines, CSV)                                  └────────────┴──▶ refused rows, each with line, fields and reasons
//! workbook ─────────────▶ ┘
//! ```
//!
//! A delivery comes as a JSON batch, an NDJSON stream or a file ([`records`]) and is a **load** ([`load`]). A file is what its content
//! says ([`shape`]): JSON, or a list as CSV ([`head`], [`encoding`]) or as a workbook ([`workbook`]). It is cut into
//! chunks of some thousand rows ([`framing`]); while one chunk is stored ([`store`]), the next one is read and checked
//! ([`check`]). So a load takes the same memory however long it is; a workbook alone is in memory as a whole, within a limit.
//!
//! A file may also come in pieces ([`uploads`]), which lie sealed ([`pieces`]) until it is delivered: one that is cut goes on where it was.
//!
//! Before it counts it can be looked at, by the same way ([`preview`]); names of columns that nobody knows are given a meaning there, which is
//! remembered for the source ([`column_names`]).
//!
//! What is guaranteed:
//! - a record is one by its source and the source's id, however often it comes; another content under the same id is refused;
//! - a row is refused alone, with all that is wrong with it; it is kept sealed, so that its sender can fetch it, mend it and send it again ([`refused`]);
//! - a chunk is stored whole, with its event and its counts, or not at all; what was whole of a stream that broke off stays;
//! - a phone or identity number becomes its keyed hash before anything else is done with it, and is nowhere in clear;
//! - a record is corrected or taken back by its source, by its id; every version stays ([`corrections`], [`versions`]);
//! - a list that is unlike what its source usually brings waits for a person, and nothing of it counts until then ([`comparing`], [`holding`],
//!   [`release`]); a source that falls silent is told of once ([`watching`]);
//! - a record about somebody who is not registered waits for them ([`registrations`]), also when both happen at once.

mod body;
mod check;
mod column_names;
mod columns;
mod comparing;
mod corrections;
mod encoding;
mod error;
mod fields;
mod finding;
mod framing;
mod head;
mod held;
mod holding;
mod intake;
mod json_text;
mod load;
mod loads;
mod pairing;
mod pieces;
mod placed;
mod preview;
mod reason;
mod record;
mod records;
mod refused;
mod registrations;
mod release;
mod schema;
mod sealed_block;
mod sender;
mod settings;
mod shape;
mod source_hours;
mod sources;
mod store;
mod stored_sender;
mod storing;
mod subjects;
mod template;
mod upload_fault;
mod uploads;
mod versions;
mod waiting;
mod watching;
mod work;
mod workbook;

use platform::Platform;
use platform::compiled_once;
use platform::http::Routes;
use platform::jobs::Job;

pub use column_names::Chosen;
pub use error::Error;
pub use held::{HeldReason, HeldReport};
pub use intake::Intake;
pub use load::{Ending, Format, LoadReport, RefusedLine};
pub use preview::{ColumnView, HeaderView, Preview, RowView};
pub use record::{NewRecord, NewRow, NewSubject, Retraction};
pub use schema::{MIGRATOR, SCHEMA};
pub use sender::Sender;
pub use settings::Settings;
pub use upload_fault::UploadFault;

/// What it does on schedule.
pub const JOBS: &[Job] = &[pieces::FORGET_UPLOADS, release::RELEASE_LISTS, watching::WATCH_SOURCES, watching::FORGET];

/// Subscribes to registrations and returns the routes.
///
/// # Errors
/// When the bus refuses the subscription.
#[compiled_once]
pub async fn start(platform: &Platform, settings: Settings) -> Result<Routes, Error> {
    platform.bus.start_relay(SCHEMA);
    registrations::subscribe(platform)?;
    pieces::forget_on_schedule(platform)?;
    let upload_bytes = settings.upload_bytes;
    let intake = Intake::new(platform, settings);
    release::register(platform, &intake.settings)?;
    watching::register(platform, &intake.settings)?;
    let of_sources = waiting::routes().merge(sources::routes());
    Ok(records::routes(upload_bytes)
        .merge(uploads::routes(upload_bytes))
        .merge(loads::routes())
        .merge(versions::routes())
        .merge(finding::routes())
        .merge(refused::routes())
        .merge(template::routes())
        .merge(of_sources)
        .with_state(intake))
}
