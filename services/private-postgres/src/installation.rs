//! The programs: packed into the binary, unpacked once, and unpacked again when something of them is gone.

use std::fs;
use std::io::{self, ErrorKind};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use flate2::read::GzDecoder;

use crate::Error;

static ARCHIVE: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/server.tar.gz"));
const VERSION: &str = include_str!(concat!(env!("OUT_DIR"), "/version"));
/// The list of what was unpacked: a line a file, its size and its path.
const CONTENTS: &str = "contents";

/// An unpacked server.
#[derive(Debug)]
pub(crate) struct Installation(PathBuf);

impl Installation {
    /// In the directory of a server, in the place of any that was packed before.
    pub(crate) fn unpacked_in(directory: &Path) -> Result<Self, Error> {
        let name = format!("postgres-{}", identity()?);
        for entry in fs::read_dir(directory).map_err(Error::file(directory))?.flatten() {
            let other = entry.file_name();
            if other.to_string_lossy().starts_with("postgres-") && other.to_string_lossy() != name {
                fs::remove_dir_all(entry.path()).map_err(Error::file(&entry.path()))?;
            }
        }
        Self::at(directory.join(name))
    }

    /// Under the system's temporary directory, for all servers of this user that do not last.
    pub(crate) fn shared_in(temporary: &Path) -> Result<Self, Error> {
        let me = rustix::process::geteuid().as_raw();
        let path = temporary.join(format!("fenghuo-postgres-{me}-{}", identity()?));
        // Anybody may make a directory there, and programs in it would be run.
        if let Ok(meta) = path.symlink_metadata()
            && !(meta.is_dir() && meta.uid() == me && meta.permissions().mode() & 0o022 == 0)
        {
            return Err(Error::OthersDirectory { directory: path, owner: meta.uid() });
        }
        Self::at(path)
    }

    fn at(path: PathBuf) -> Result<Self, Error> {
        if !is_whole(&path) {
            unpack(&path)?;
        }
        Ok(Self(path))
    }

    /// One of its programs.
    pub(crate) fn program(&self, name: &str) -> PathBuf {
        self.0.join("bin").join(name)
    }

    /// The error for a program that the system did not start, or that ended saying `said`.
    pub(crate) fn refused(&self, said: &str) -> Option<Error> {
        const LOADING: &str = "error while loading shared libraries: ";
        if let Some((_, rest)) = said.split_once(LOADING) {
            let library = rest.split(':').next().unwrap_or(rest).trim().to_owned();
            return Some(Error::MissingLibrary { library, installation: self.0.clone() });
        }
        let foreign = ["not found (required by", "Exec format error"];
        foreign
            .iter()
            .any(|sign| said.contains(sign))
            .then(|| Error::NotForThisSystem { said: said.lines().next().unwrap_or(said).to_owned() })
    }

    /// The error for a program that could not be started at all.
    pub(crate) fn not_started(&self, error: io::Error) -> Error {
        match error.kind() {
            // the file is there: what is missing is the loader that it names
            ErrorKind::NotFound => Error::NotForThisSystem { said: "there is no loader for its programs".to_owned() },
            _ => Error::file(&self.0)(error),
        }
    }
}

/// Tells one packed server from another.
fn identity() -> Result<String, Error> {
    if ARCHIVE.is_empty() {
        return Err(Error::NotPacked);
    }
    Ok(format!("{}-{}", VERSION.trim(), ARCHIVE.len()))
}

/// Whether everything that was unpacked there is there.
fn is_whole(path: &Path) -> bool {
    let Ok(contents) = fs::read_to_string(path.join(CONTENTS)) else { return false };
    contents.lines().all(|line| {
        let Some((size, name)) = line.split_once(' ') else { return false };
        path.join(name).metadata().is_ok_and(|meta| meta.len().to_string() == size)
    })
}

/// Unpacks beside `path` and puts the whole in its place, so that what stands there is never half.
fn unpack(path: &Path) -> Result<(), Error> {
    let fresh = path.with_extension(format!("new-{}", std::process::id()));
    let unpacked = unpack_into(&fresh).map_err(|error| match error.kind() {
        ErrorKind::StorageFull => Error::DiskFull { directory: path.to_owned(), free_mb: 0, needed_mb: 200 },
        _ => Error::file(&fresh)(error),
    });
    let placed = unpacked.and_then(|()| {
        let _ = fs::remove_dir_all(path);
        fs::rename(&fresh, path).map_err(Error::file(path))
    });
    if placed.is_err() {
        let _ = fs::remove_dir_all(&fresh);
    }
    match placed {
        // another process was quicker
        Err(_) if is_whole(path) => Ok(()),
        placed => placed,
    }
}

fn unpack_into(fresh: &Path) -> io::Result<()> {
    let _ = fs::remove_dir_all(fresh);
    fs::create_dir_all(fresh)?;
    fs::set_permissions(fresh, fs::Permissions::from_mode(0o755))?;
    let mut contents = String::new();
    let mut archive = tar::Archive::new(GzDecoder::new(ARCHIVE));
    archive.set_preserve_ownerships(false);
    for entry in archive.entries()? {
        let mut entry = entry?;
        let (name, size, file) = (entry.path()?.into_owned(), entry.size(), entry.header().entry_type().is_file());
        entry.unpack_in(fresh)?;
        let place = fresh.join(&name);
        // whoever runs the server must read it, whatever the mask of whoever packed it
        let mode = if place.is_dir() || name.starts_with("bin") { 0o755 } else { 0o644 };
        fs::set_permissions(&place, fs::Permissions::from_mode(mode))?;
        if file {
            contents.push_str(&format!("{size} {}\n", name.display()));
        }
    }
    fs::write(fresh.join(CONTENTS), contents)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_loader_says_is_understood() {
        let installation = Installation("/data/postgres-18".into());
        let said = "/data/postgres-18/bin/postgres: error while loading shared libraries: libstdc++.so.6: cannot open shared object file: No such file";
        assert!(matches!(installation.refused(said), Some(Error::MissingLibrary { library, .. }) if library == "libstdc++.so.6"));
        let said = "postgres: /lib/libc.so.6: version `GLIBC_2.27' not found (required by postgres)";
        assert!(matches!(installation.refused(said), Some(Error::NotForThisSystem { .. })));
        assert!(installation.refused("FATAL:  lock file exists").is_none());
    }

    #[test]
    fn an_installation_that_lost_a_file_is_unpacked_again() {
        let directory = tempfile::tempdir().expect("a directory");
        let installation = Installation::unpacked_in(directory.path()).expect("unpacked");
        let library = installation.0.join("lib/postgresql/plpgsql.so");
        fs::remove_file(&library).expect("it was there");
        Installation::unpacked_in(directory.path()).expect("unpacked again");
        assert!(library.exists());
        let another = directory.path().join("postgres-17.1-5");
        fs::create_dir(&another).expect("made");
        Installation::unpacked_in(directory.path()).expect("still there");
        assert!(!another.exists(), "what another Fenghuo unpacked is not kept");
    }
}
