//! Reads what somebody kept: a folder of published heads, a file of one, or the answer of the interface; and the key.

use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::check::Kept;
use crate::head::{PublicKey, SignedHead};

/// Why it could not be read.
#[derive(Debug, thiserror::Error)]
pub enum Unkept {
    /// The file or folder does not open.
    #[error("{} cannot be read", path.display())]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// It is no head, and no whole copy of it stands beside it.
    #[error("{} is neither a signed head nor a key: was it altered?", path.display())]
    NoHead {
        /// Which.
        path: PathBuf,
    },
    /// There are several keys, and it was not said which is right.
    #[error("there are several keys: say which is right with --key")]
    SeveralKeys,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Content {
    Head(Box<SignedHead>),
    Key(PublicKey),
    Answer { public_key: PublicKey, heads: Vec<SignedHead> },
}

impl Kept {
    /// Reads all that stands at these places.
    ///
    /// # Errors
    /// When something does not open, or is not what was written.
    pub fn read(places: &[PathBuf], key: Option<PublicKey>) -> Result<Self, Unkept> {
        let (mut heads, mut keys) = (Vec::new(), Vec::new());
        for place in places {
            for path in files_at(place)? {
                match content_of(&path)? {
                    Some(Content::Head(head)) => heads.push(*head),
                    Some(Content::Key(found)) => keys.push(found),
                    Some(Content::Answer { public_key, heads: found }) => {
                        keys.push(public_key);
                        heads.extend(found);
                    }
                    None => {}
                }
            }
        }
        keys.dedup();
        let key = match (key, keys.as_slice()) {
            (Some(key), _) => Some(key),
            (None, [key]) => Some(*key),
            (None, []) => None,
            (None, _) => return Err(Unkept::SeveralKeys),
        };
        Ok(Self { heads, key })
    }
}

fn files_at(place: &Path) -> Result<Vec<PathBuf>, Unkept> {
    let unreadable = |source| Unkept::Unreadable { path: place.to_owned(), source };
    if !place.is_dir() {
        return Ok(vec![place.to_owned()]);
    }
    let paths = fs::read_dir(place).map_err(unreadable)?.map(|file| file.map(|file| file.path()));
    let mut paths: Vec<PathBuf> = paths.collect::<Result<_, _>>().map_err(unreadable)?;
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "json"));
    paths.sort();
    Ok(paths)
}

/// `None` for a file that was cut off when it was written: an empty one, and one that was written again beside it.
fn content_of(path: &Path) -> Result<Option<Content>, Unkept> {
    let text = fs::read(path).map_err(|source| Unkept::Unreadable { path: path.to_owned(), source })?;
    match serde_json::from_slice(&text) {
        Ok(content) => Ok(Some(content)),
        Err(_) if text.is_empty() || again(path).is_some_and(|copy| copy.exists()) => Ok(None),
        Err(_) => Err(Unkept::NoHead { path: path.to_owned() }),
    }
}

/// The name under which a file that was cut off was written the next time.
fn again(path: &Path) -> Option<PathBuf> {
    let stem = path.file_stem()?.to_str()?;
    let (name, attempt) = match stem.rsplit_once('-') {
        Some((name, attempt)) if attempt.len() < 10 => (name, attempt.parse::<u32>().ok()?),
        _ => (stem, 1),
    };
    Some(path.with_file_name(format!("{name}-{}.json", attempt + 1)))
}
