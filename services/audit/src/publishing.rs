//! Writes every signed head as a file of its own into a folder that belongs to somebody else: a share that can be written once, a disk of the
//! auditor's. A file is never opened again once it is whole.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use platform::compiled_once;
use platform::database::Database;

use crate::Error;
use crate::head::{PublicKey, SignedHead};
use crate::signing::{Which, heads};

/// Heads written in one turn of the job.
const AT_ONCE: i64 = 500;
/// A file that was cut off in the middle is written again under another name, so often.
const ATTEMPTS: usize = 100;

/// Publishes the heads that stand nowhere yet, and the key. How many.
#[compiled_once]
pub(crate) async fn publish(database: &Database, folder: &Arc<PathBuf>, key: PublicKey, at_ms: i64) -> Result<u64, Error> {
    let mut published = 0;
    for head in heads(database, Which::Unpublished, AT_ONCE).await? {
        let (folder, size) = (Arc::clone(folder), i64::try_from(head.size).map_err(|_| Error::Malformed { field: "size" })?);
        let written = tokio::task::spawn_blocking(move || {
            write_new(&folder, &format!("key-{key}"), &key)?;
            write_new(&folder, &name_of(&head), &head)
        });
        written.await.map_err(io::Error::other).flatten().map_err(|source| Error::Unpublished { source })?;
        sqlx::query!("update audit.signed_head set published_at_ms = $2 where size = $1", size, at_ms).execute(database.pool()).await?;
        published += 1;
    }
    Ok(published)
}

fn name_of(head: &SignedHead) -> String {
    format!("head-{:012}-{}", head.size, &head.root.to_string()[..16])
}

/// Writes what is not there yet, and does not return before it is on the disk.
fn write_new(folder: &Path, name: &str, content: &impl serde::Serialize) -> io::Result<()> {
    let mut text = serde_json::to_vec(content)?;
    text.push(b'\n');
    for attempt in 1..=ATTEMPTS {
        let again = if attempt == 1 { String::new() } else { format!("-{attempt}") };
        let path = folder.join(format!("{name}{again}.json"));
        match File::options().write(true).create_new(true).open(&path) {
            Ok(mut file) => {
                file.write_all(&text)?;
                file.sync_all()?;
                return File::open(folder)?.sync_all();
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                if fs::read(&path)? == text {
                    return Ok(());
                }
            }
            Err(error) => return Err(error),
        }
    }
    Err(io::Error::other("too many files of this name were cut off in the middle"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_written_once_and_one_that_was_cut_off_is_written_again_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        write_new(folder.path(), "head", &1).unwrap();
        write_new(folder.path(), "head", &1).unwrap();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        fs::write(folder.path().join("cut.json"), "").unwrap();
        write_new(folder.path(), "cut", &1).unwrap();
        assert_eq!(fs::read(folder.path().join("cut-2.json")).unwrap(), b"1\n");
    }
}
