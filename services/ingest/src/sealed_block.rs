//! A block of rows as it is kept while its list waits: sealed, since rows may name people, and as it came, so that it is checked anew when it is
//! released.

use std::collections::HashSet;

use platform::crypto::{Keyring, Purpose, Sealed};
use platform::http::FieldFault;
use serde::{Deserialize, Serialize};

use crate::Error;
use crate::check::Chunk;
use crate::framing::{Block, Refusal, Row};

/// Where the rows of a block stand, and those that were refused before they were read.
#[derive(Serialize, Deserialize)]
struct Outline {
    /// Start, end, line.
    rows: Vec<(usize, usize, u64)>,
    refusals: Vec<(u64, Vec<FieldFault>, String)>,
}

/// How many bytes say how long the outline is.
const LENGTH: usize = 8;

/// The rows of a chunk as they came.
pub(crate) fn seal(keyring: &Keyring, chunk: &Chunk) -> Result<Vec<u8>, Error> {
    // what is refused and stands in no row was refused while it was cut or decoded
    let read: HashSet<u64> = chunk.block.rows.iter().map(|row| row.line).collect();
    let before = chunk.refusals.iter().filter(|refusal| !read.contains(&refusal.line));
    let outline = Outline {
        rows: chunk.block.rows.iter().map(|row| (row.start, row.end, row.line)).collect(),
        refusals: before
            .map(|refusal| (refusal.line, refusal.faults.clone(), String::from_utf8_lossy(&refusal.row).into_owned()))
            .collect(),
    };
    let outline = serde_json::to_vec(&outline).map_err(|_| Error::Stored { what: "rows of a list that waits" })?;
    let mut plain = Vec::with_capacity(LENGTH + outline.len() + chunk.block.bytes.len());
    plain.extend_from_slice(&(outline.len() as u64).to_be_bytes());
    plain.extend_from_slice(&outline);
    plain.extend_from_slice(&chunk.block.bytes);
    Ok(keyring.seal(Purpose::WaitingRows, &plain).into_bytes())
}

/// The block that was sealed.
pub(crate) fn open(keyring: &Keyring, sealed: Vec<u8>) -> Result<Block, Error> {
    let plain = keyring.open(Purpose::WaitingRows, &Sealed::from_bytes(sealed)?)?;
    let damaged = || Error::Stored { what: "rows of a list that waits" };
    let (length, rest) = plain.split_first_chunk::<LENGTH>().ok_or_else(damaged)?;
    let length = usize::try_from(u64::from_be_bytes(*length)).map_err(|_| damaged())?;
    let (outline, bytes) = rest.split_at_checked(length).ok_or_else(damaged)?;
    let outline: Outline = serde_json::from_slice(outline).map_err(|_| damaged())?;
    let rows: Vec<Row> = outline.rows.into_iter().map(|(start, end, line)| Row { start, end, line }).collect();
    if rows.iter().any(|row| row.start > row.end || row.end > bytes.len()) {
        return Err(damaged());
    }
    let refusal = |(line, faults, row): (u64, Vec<FieldFault>, String)| Refusal { line, faults, row: row.into_bytes() };
    Ok(Block { bytes: bytes.to_vec(), rows, refusals: outline.refusals.into_iter().map(refusal).collect() })
}
