//! The place of a server: the data, the socket, the log and the unpacked programs in one directory, for one process at a time.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use crate::account::Account;
use crate::layout::cluster_of;
use crate::{Error, MAJOR_VERSION};

/// Made first and kept: who holds its lock has the directory.
const LOCK: &str = "lock";
/// What the engine of an early Fenghuo made.
const FORMER_ENGINE: &str = "engine";
/// A socket's path is longer than the kernel takes from here on (108 bytes with its name and end).
const LONGEST_SOCKET_DIRECTORY: usize = 90;
/// Free space that a new server needs: programs, first data and log.
const NEEDED_AT_FIRST: u64 = 200_000_000;
/// Free space without which a server that was there before is not started.
const NEEDED_LATER: u64 = 20_000_000;
/// A log beyond this size is put aside at the next start, in the place of the one before.
const LONGEST_LOG: u64 = 10_000_000;

/// A directory that this process has to itself.
#[derive(Debug)]
pub(crate) struct Directory {
    path: PathBuf,
    socket: PathBuf,
    /// A short way to the socket, where its own path is too long.
    way_to_socket: Option<PathBuf>,
    passing: bool,
    // the lock goes with it
    _lock: Option<File>,
}

impl Directory {
    /// Takes `path`, making it when it is missing.
    pub(crate) fn take(path: &Path, account: &Account) -> Result<Self, Error> {
        refuse_what_is_not_ours(path)?;
        make(path, account.mode_of_passage())?;
        let path = path.canonicalize().map_err(Error::file(path))?;
        let lock = lock(&path)?;
        refuse_another_version(&path)?;
        let needed = if cluster_of(&path).exists() { NEEDED_LATER } else { NEEDED_AT_FIRST };
        room_for(&path, needed)?;
        Self::prepared(path, account, false, Some(lock))
    }

    /// A new directory under `temporary` that is removed with the server.
    pub(crate) fn passing(temporary: &Path, account: &Account) -> Result<Self, Error> {
        room_for(temporary, NEEDED_AT_FIRST)?;
        let path = temporary.join(format!("fenghuo-{:016x}", rand::random::<u64>()));
        fs::DirBuilder::new().mode(0o700).create(&path).map_err(Error::file(&path))?;
        let path = path.canonicalize().map_err(Error::file(&path))?;
        account.give(&path).map_err(Error::file(&path))?;
        Self::prepared(path, account, true, None)
    }

    fn prepared(path: PathBuf, account: &Account, passing: bool, lock: Option<File>) -> Result<Self, Error> {
        let socket = path.join("socket");
        make(&socket, 0o700)?;
        account.give(&socket).map_err(Error::file(&socket))?;
        let way_to_socket = way_to(&socket)?;
        Ok(Self { socket: way_to_socket.clone().unwrap_or(socket), way_to_socket, path, passing, _lock: lock })
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Where the socket is, by a path that the kernel takes.
    pub(crate) fn socket(&self) -> &Path {
        &self.socket
    }

    /// Where PostgreSQL's data is.
    pub(crate) fn cluster(&self) -> PathBuf {
        cluster_of(&self.path)
    }

    /// Where the password is.
    pub(crate) fn password(&self) -> PathBuf {
        self.path.join("password")
    }

    /// Where the server writes what it has to say.
    pub(crate) fn log(&self) -> PathBuf {
        self.path.join("postgres.log")
    }

    /// The directory, if it is to be removed with the server.
    pub(crate) fn to_be_removed(&self) -> Option<&Path> {
        self.passing.then_some(&*self.path)
    }

    /// The log, to be written on.
    pub(crate) fn open_log(&self) -> Result<File, Error> {
        let log = self.log();
        if log.metadata().is_ok_and(|meta| meta.len() > LONGEST_LOG) {
            fs::rename(&log, log.with_extension("log.1")).map_err(Error::file(&log))?;
        }
        OpenOptions::new().create(true).append(true).mode(0o600).open(&log).map_err(Error::file(&log))
    }

    /// The error for a server that was refused room here.
    pub(crate) fn full(&self) -> Error {
        Error::DiskFull {
            directory: self.path.clone(),
            free_mb: free(&self.path).unwrap_or(0) / 1_000_000,
            needed_mb: NEEDED_AT_FIRST / 1_000_000,
        }
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        if let Some(way) = &self.way_to_socket {
            let _ = fs::remove_file(way);
        }
        if self.passing {
            let _ = fs::remove_dir_all(&self.path);
        }
    }
}

/// Makes a directory that only this user may look into.
fn make(path: &Path, mode: u32) -> Result<(), Error> {
    fs::create_dir_all(path).map_err(Error::file(path))?;
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).map_err(Error::file(path))
}

fn refuse_what_is_not_ours(path: &Path) -> Result<(), Error> {
    let meta = match path.metadata() {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        meta => meta.map_err(Error::file(path))?,
    };
    let me = rustix::process::geteuid();
    if !me.is_root() && meta.uid() != me.as_raw() {
        return Err(Error::OthersDirectory { directory: path.to_owned(), owner: meta.uid() });
    }
    if path.join(FORMER_ENGINE).exists() && !cluster_of(path).exists() {
        return Err(Error::FormerEngine { directory: path.to_owned() });
    }
    if path.join(LOCK).exists() {
        return Ok(());
    }
    match fs::read_dir(path).map_err(Error::file(path))?.next() {
        None => Ok(()),
        Some(entry) => {
            let found = entry.map_err(Error::file(path))?.file_name().to_string_lossy().into_owned();
            Err(Error::NotOurs { directory: path.to_owned(), found })
        }
    }
}

fn refuse_another_version(path: &Path) -> Result<(), Error> {
    let file = cluster_of(path).join("PG_VERSION");
    match fs::read_to_string(&file) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(Error::file(&file)(error)),
        Ok(found) if found.trim() == MAJOR_VERSION.to_string() => Ok(()),
        Ok(found) => Err(Error::OtherVersion { directory: path.to_owned(), found: found.trim().to_owned() }),
    }
}

/// The lock of the directory, with this process's number in it for whoever comes second.
fn lock(path: &Path) -> Result<File, Error> {
    let name = path.join(LOCK);
    let mut file =
        OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(&name).map_err(Error::file(&name))?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let mut process = String::new();
            let _ = file.read_to_string(&mut process);
            return Err(Error::InUse { directory: path.to_owned(), process: process.trim().to_owned() });
        }
        Err(TryLockError::Error(error)) => return Err(Error::file(&name)(error)),
    }
    let written = file.set_len(0).and_then(|()| writeln!(file, "{}", std::process::id()));
    written.map_err(Error::file(&name))?;
    Ok(file)
}

fn free(path: &Path) -> Option<u64> {
    rustix::fs::statvfs(path).ok().map(|disk| disk.f_bavail.saturating_mul(disk.f_frsize))
}

fn room_for(path: &Path, needed: u64) -> Result<(), Error> {
    match free(path) {
        Some(free) if free < needed => {
            Err(Error::DiskFull { directory: path.to_owned(), free_mb: free / 1_000_000, needed_mb: needed / 1_000_000 })
        }
        _ => Ok(()),
    }
}

/// A short way to a socket's directory that has a long path.
fn way_to(socket: &Path) -> Result<Option<PathBuf>, Error> {
    if socket.as_os_str().len() <= LONGEST_SOCKET_DIRECTORY {
        return Ok(None);
    }
    let way = std::env::temp_dir().join(format!("fenghuo-{:016x}", rand::random::<u64>()));
    std::os::unix::fs::symlink(socket, &way).map_err(Error::file(&way))?;
    Ok(Some(way))
}
