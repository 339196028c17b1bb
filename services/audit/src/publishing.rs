//! Writes every signed head as a file of its own into a folder that belongs to somebody else: a share that can be written once, a disk of the
//! auditor's. A file is never opened again once it is whole.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use platform::compiled_once;
use platform::database::Database;
use tokio::sync::Semaphore;

use crate::Error;
use crate::head::{PublicKey, SignedHead};
use crate::signing::{Which, heads};

/// So many threads at most hang at a share that does.
static THREADS: Semaphore = Semaphore::const_new(8);
/// A share that hangs is waited for so long.
const WAITED_FOR: Duration = Duration::from_secs(20);
/// Heads written in one turn of the job.
const AT_ONCE: i64 = 500;
/// Files that are looked at for the newest head: the last ones may have been cut off.
const LOOKED_AT: usize = 100;

/// Publishes the heads that stand nowhere yet, and the key. How many. One that cannot be written does not keep back those after it.
#[compiled_once]
pub(crate) async fn publish(database: &Database, folder: &Arc<PathBuf>, at_ms: i64) -> Result<u64, Error> {
    let (mut published, mut failed) = (0, None);
    for head in heads(database, Which::Unpublished, AT_ONCE).await? {
        let size = i64::try_from(head.size).map_err(|_| Error::Malformed { field: "size" })?;
        let written = at_the_folder(folder, move |folder| {
            write_new(folder, &format!("key-{}", head.public_key), &head.public_key)?;
            write_new(folder, &name_of(&head), &head)
        });
        match written.await {
            Ok(()) => {
                sqlx::query!("update audit.signed_head set published_at_ms = $2 where size = $1", size, at_ms)
                    .execute(database.pool())
                    .await?;
                published += 1;
            }
            // a folder that does not answer at all is not asked five hundred times
            Err(source) if source.kind() == io::ErrorKind::TimedOut => return Err(Error::Unpublished { source }),
            Err(source) => failed = failed.or(Some(source)),
        }
    }
    failed.map_or(Ok(published), |source| Err(Error::Unpublished { source }))
}

/// Does something with the folder, which may be another machine's: it is waited for some seconds.
async fn at_the_folder<T: Send + 'static>(
    folder: &Arc<PathBuf>,
    work: impl FnOnce(&Path) -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    let folder = Arc::clone(folder);
    let done = async move {
        let thread = THREADS.acquire().await.map_err(io::Error::other)?;
        let done = tokio::task::spawn_blocking(move || {
            let _held_until_it_ends = thread;
            work(&folder)
        });
        done.await.map_err(io::Error::other)?
    };
    match tokio::time::timeout(WAITED_FOR, done).await {
        Ok(done) => done,
        Err(_) => Err(io::Error::new(io::ErrorKind::TimedOut, "the folder does not answer")),
    }
}

/// The names of what was published, the newest head last.
fn names(folder: &Path) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for file in fs::read_dir(folder)? {
        names.extend(file?.file_name().into_string().ok().filter(|name| name.starts_with("head-") || name.starts_with("key-")));
    }
    names.sort_by_key(|name| (name.starts_with("head-"), name.clone()));
    Ok(names)
}

/// Whether nothing was ever published there.
pub(crate) async fn is_empty(folder: &Arc<PathBuf>) -> Result<bool, Error> {
    at_the_folder(folder, |folder| Ok(names(folder)?.is_empty())).await.map_err(|source| Error::Unpublished { source })
}

/// The newest head there that this key has signed.
pub(crate) async fn newest(folder: &Arc<PathBuf>, key: PublicKey) -> io::Result<Option<SignedHead>> {
    at_the_folder(folder, move |folder| {
        for name in names(folder)?.iter().rev().filter(|name| name.starts_with("head-")).take(LOOKED_AT) {
            let head: Option<SignedHead> = serde_json::from_slice(&fs::read(folder.join(name))?).ok();
            if let Some(head) = head.filter(|head| head.public_key == key && head.is_signed()) {
                return Ok(Some(head));
            }
        }
        Ok(None)
    })
    .await
}

fn name_of(head: &SignedHead) -> String {
    format!("head-{:012}-{}", head.size, &head.root.to_string()[..16])
}

/// Writes what is not there yet, and does not return before it is on the disk. What was cut off in the middle
/// is taken away again where the share allows that, and otherwise written anew beside it.
fn write_new(folder: &Path, name: &str, content: &impl serde::Serialize) -> io::Result<()> {
    let mut text = serde_json::to_vec(content)?;
    text.push(b'\n');
    for attempt in 1_u64.. {
        let again = if attempt == 1 { String::new() } else { format!("-{attempt}") };
        let path = folder.join(format!("{name}{again}.json"));
        match File::options().write(true).create_new(true).open(&path) {
            Ok(mut file) => {
                let written = file.write_all(&text).and_then(|()| file.sync_all());
                if written.is_err() {
                    // what is not whole is not left where that is allowed
                    let _ = fs::remove_file(&path);
                }
                written?;
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
    Err(io::Error::other("there are too many files of this name"))
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
        for attempt in 2..=300 {
            fs::write(folder.path().join(format!("cut-{attempt}.json")), "").unwrap();
        }
        write_new(folder.path(), "cut", &1).unwrap();
        assert_eq!(fs::read(folder.path().join("cut-301.json")).unwrap(), b"1\n", "however often it was cut off");
    }
}
