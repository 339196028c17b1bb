//! How much there is in an .xlsx file, counted before anything is made of it.
//!
//! A file of a few kilobytes may unpack to gigabytes, say that it holds a billion texts, or hide one text of a gigabyte. Every part that
//! would be read is unpacked once and counted, in a buffer of fixed size, and nothing of it kept. Pictures, macros and links to other
//! files are never read, so they are not counted either.

use std::io::{Cursor, Read as _};

use zip::ZipArchive;

use super::{UNPACKED, not_a_list, other_of};
use crate::Error;
use crate::shape;

/// More parts than any workbook has.
const PARTS: usize = 10_000;
/// Largest part that is kept in memory as a whole: the texts that cells share.
const SHARED: u64 = 64 << 20;
/// Largest of the other parts that are kept.
const SMALL: u64 = 16 << 20;
/// Longest text between two tags: a cell has 32,767 characters, each of them six bytes long or written as a reference.
const TEXT: u64 = 1 << 20;
/// How a part begins that is looked at for what it claims.
const BEGINNING: usize = 64 * 1024;

/// What was counted.
pub(super) struct Package {
    pub has_merged_cells: bool,
    /// About how many rows the longest sheet has: those that are written, unless they have too few values to be records.
    pub rows: u64,
}

/// Cells that the row of a record has at least.
const RECORD_CELLS: u64 = 5;

/// Counts what there is.
///
/// # Errors
/// When the archive is damaged, encrypted, no workbook, or holds too much.
pub(super) fn weigh(bytes: &[u8]) -> Result<Package, Error> {
    let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(|_| Error::WorkbookDamaged)?;
    let names: Vec<String> =
        archive.file_names().map(|name| name.map(String::from)).collect::<Result<_, _>>().map_err(|_| Error::WorkbookDamaged)?;
    if names.len() > PARTS {
        return Err(too_large());
    }
    let is_workbook = names.iter().any(|name| name.eq_ignore_ascii_case("[Content_Types].xml"));
    let known: Vec<&str> = names.iter().map(String::as_str).collect();
    let other = other_of(&known);
    if !is_workbook || other != shape::ZIP {
        return Err(not_a_list(other));
    }
    let mut package = Package { has_merged_cells: false, rows: 0 };
    let mut left = UNPACKED;
    for index in 0..archive.len() {
        let mut part = archive.by_index(index).map_err(|_| Error::WorkbookDamaged)?;
        if part.encrypted() {
            return Err(Error::WorkbookLocked);
        }
        let name = part.name().map_err(|_| Error::WorkbookDamaged)?.to_ascii_lowercase();
        if !(name.ends_with(".xml") || name.ends_with(".rels")) {
            continue;
        }
        let limit = if name.contains("sheet") && !name.ends_with("styles.xml") {
            left
        } else if name.ends_with("sharedstrings.xml") {
            SHARED
        } else {
            SMALL
        };
        let mut scale = Scale::default();
        let mut buffer = vec![0; BEGINNING];
        loop {
            let read = part.read(&mut buffer).map_err(|_| Error::WorkbookDamaged)?;
            if read == 0 {
                break;
            }
            scale.add(&buffer[..read]);
            if scale.bytes > limit.min(left) || scale.longest_text > TEXT || (scale.has_declarations && scale.bytes > SMALL) {
                return Err(too_large());
            }
        }
        if name.ends_with("sharedstrings.xml") && scale.claims_more_texts_than_it_has() {
            return Err(Error::WorkbookDamaged);
        }
        left -= scale.bytes.min(left);
        package.has_merged_cells |= scale.has_merged_cells;
        package.rows = package.rows.max(scale.rows.min(scale.values / RECORD_CELLS));
    }
    Ok(package)
}

fn too_large() -> Error {
    Error::WorkbookTooLarge { limit: UNPACKED as usize }
}

/// Counts one part.
#[derive(Default)]
struct Scale {
    bytes: u64,
    text: u64,
    longest_text: u64,
    /// Comments, CDATA or declarations, in which `<` begins no tag. Spreadsheet programs write none.
    has_declarations: bool,
    has_merged_cells: bool,
    rows: u64,
    values: u64,
    beginning: Vec<u8>,
    /// The last bytes of the piece before, for what is torn between two.
    tail: Vec<u8>,
}

impl Scale {
    fn add(&mut self, piece: &[u8]) {
        const MERGED: &[u8] = b"mergeCell ";
        self.bytes += piece.len() as u64;
        if self.beginning.len() < BEGINNING {
            self.beginning.extend_from_slice(&piece[..piece.len().min(BEGINNING - self.beginning.len())]);
        }
        let mut seam = std::mem::take(&mut self.tail);
        seam.extend_from_slice(&piece[..piece.len().min(MERGED.len())]);
        let mut tags = piece;
        while let Some(at) = tags.iter().position(|byte| *byte == b'<') {
            self.longest_text = self.longest_text.max(self.text + at as u64);
            self.text = 0;
            tags = &tags[at + 1..];
            self.has_declarations |= tags.first() == Some(&b'!');
            self.has_merged_cells |= is_tag(tags, MERGED);
            // one that is torn between two pieces is one of very many
            self.rows += u64::from(is_tag(tags, b"row "));
            self.values += u64::from(is_tag(tags, b"v>") || is_tag(tags, b"is>"));
        }
        self.text += tags.len() as u64;
        self.longest_text = self.longest_text.max(self.text);
        self.has_declarations |= contains(&seam, b"<!");
        self.has_merged_cells |= contains(&seam, MERGED);
        let kept = piece.len().saturating_sub(MERGED.len() + 4);
        self.tail = piece[kept..].to_vec();
    }

    /// Memory is set aside for as many texts as the part says that it has: each is written with 5 bytes at least (`<si/>`).
    fn claims_more_texts_than_it_has(&self) -> bool {
        let Some(at) = find(&self.beginning, b"uniqueCount") else {
            // what stands further back would be read all the same
            return !contains(&self.beginning, b"sst") && self.bytes > BEGINNING as u64;
        };
        let digits: String = self.beginning[at..]
            .iter()
            .skip_while(|byte| !byte.is_ascii_digit())
            .take_while(|byte| byte.is_ascii_digit())
            .map(|byte| char::from(*byte))
            .collect();
        digits.parse::<u64>().is_ok_and(|texts| texts > self.bytes / 5) || digits.len() > 18
    }
}

/// Whether a tag of this name begins here, with or without a prefix.
fn is_tag(tag: &[u8], name: &[u8]) -> bool {
    const LONGEST_PREFIX: usize = 8;
    tag.starts_with(name)
        || tag.iter().take(LONGEST_PREFIX).position(|byte| *byte == b':').is_some_and(|colon| tag[colon + 1..].starts_with(name))
}

fn find(text: &[u8], wanted: &[u8]) -> Option<usize> {
    text.windows(wanted.len()).position(|window| window == wanted)
}

fn contains(text: &[u8], wanted: &[u8]) -> bool {
    find(text, wanted).is_some()
}
