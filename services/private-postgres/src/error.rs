//! What can keep a private server from running, each as a sentence with its remedy.

use std::path::{Path, PathBuf};

/// Why there is no server.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The build has no server in it.
    #[error(
        "this build has no PostgreSQL in it: run `make postgres` and build again, or set database.mode to \"postgres\" and name a server"
    )]
    NotPacked,
    /// Another process has the directory.
    #[error("{} is in use by another Fenghuo (process {process}): stop that one, or name another directory", directory.display())]
    InUse {
        /// The directory.
        directory: PathBuf,
        /// As the other process wrote it down.
        process: String,
    },
    /// There are files in the directory, and no Fenghuo made them.
    #[error("{} holds files that are not Fenghuo's ({found}): name an empty directory, or one that does not exist yet", directory.display())]
    NotOurs {
        /// The directory.
        directory: PathBuf,
        /// One of the files.
        found: String,
    },
    /// The directory belongs to another user.
    #[error("{} belongs to another user (number {owner}): run Fenghuo as that user, or name another directory", directory.display())]
    OthersDirectory {
        /// The directory.
        directory: PathBuf,
        /// The owner's number.
        owner: u32,
    },
    /// The data was made by another major version.
    #[error(
        "{} holds data of PostgreSQL {found} and this Fenghuo brings PostgreSQL {}: open it with the Fenghuo that made it, \
         or move it away to begin anew", directory.display(), crate::MAJOR_VERSION
    )]
    OtherVersion {
        /// The directory.
        directory: PathBuf,
        /// What stands in its `PG_VERSION`.
        found: String,
    },
    /// The data was made by an early Fenghuo with another engine.
    #[error(
        "{} was made by an early Fenghuo whose embedded database this one cannot read: move it away to begin anew", directory.display()
    )]
    FormerEngine {
        /// The directory.
        directory: PathBuf,
    },
    /// No room.
    #[error("the disk of {} is full ({free_mb} MB free, PostgreSQL needs {needed_mb} MB to start): free some, or name a directory on another", directory.display())]
    DiskFull {
        /// The directory.
        directory: PathBuf,
        /// What is left, in millions of bytes.
        free_mb: u64,
        /// What is needed, in millions of bytes.
        needed_mb: u64,
    },
    /// A library of the system is not there.
    #[error(
        "PostgreSQL does not run here because the library {library} is missing: install it ({}), or remove {} so that it is unpacked \
         again if it came with Fenghuo", remedy(library), installation.display()
    )]
    MissingLibrary {
        /// Its name.
        library: String,
        /// Where PostgreSQL was unpacked.
        installation: PathBuf,
    },
    /// The programs are there and the system does not run them.
    #[error(
        "PostgreSQL does not run on this system ({said}): it needs a Linux with the GNU C library 2.27 or newer; otherwise name a \
         server with database.mode = \"postgres\""
    )]
    NotForThisSystem {
        /// What the system said.
        said: String,
    },
    /// The process is root, which PostgreSQL refuses, and there is nobody to run it as.
    #[error("PostgreSQL does not run as root and there is no user `postgres` or `nobody` to run it as: run Fenghuo as another user")]
    NobodyToRunAs,
    /// The process is root, and the user that PostgreSQL runs as cannot get to its data.
    #[error(
        "PostgreSQL does not run as root, and the user who runs it instead (number {user}) cannot enter {}: name a directory that everybody may enter, or run \
         Fenghuo as another user", closed.display()
    )]
    CannotEnter {
        /// The user's number.
        user: u32,
        /// The directory on the way that is closed.
        closed: PathBuf,
    },
    /// A file could not be made, read or removed.
    #[error("{} cannot be used: {source}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The server ended while it started.
    #[error("PostgreSQL did not start on {}: {said} (its log is {})", directory.display(), log.display())]
    DidNotStart {
        /// The directory.
        directory: PathBuf,
        /// The last it said.
        said: String,
        /// Its log.
        log: PathBuf,
    },
    /// The server is there and takes no connections.
    #[error("PostgreSQL on {} was not ready after {seconds} s (its log is {})", directory.display(), log.display())]
    NotReady {
        /// The directory.
        directory: PathBuf,
        /// How long was waited.
        seconds: u64,
        /// Its log.
        log: PathBuf,
    },
    /// A server did not end when it was told to.
    #[error("PostgreSQL (process {process}) did not end within {seconds} s: end it by hand before {} is used again", directory.display())]
    DidNotEnd {
        /// The directory.
        directory: PathBuf,
        /// Its process.
        process: String,
        /// How long was waited.
        seconds: u64,
    },
}

impl Error {
    /// A failure of this file.
    pub(crate) fn file(path: &Path) -> impl FnOnce(std::io::Error) -> Self + use<> {
        let path = path.to_owned();
        move |source| Self::File { path, source }
    }
}

/// Which package brings a library, where that is known (Debian's names).
fn remedy(library: &str) -> &'static str {
    match library.split(".so").next() {
        Some("libstdc++") => "on Debian and Ubuntu: apt-get install libstdc++6",
        Some("libgcc_s") => "on Debian and Ubuntu: apt-get install libgcc-s1",
        _ => "its package has about the same name",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_library_is_named_with_the_package_that_brings_it() {
        let missing =
            |library: &str| Error::MissingLibrary { library: library.to_owned(), installation: "/data/postgres-18".into() }.to_string();
        assert!(missing("libstdc++.so.6").contains("apt-get install libstdc++6"), "{}", missing("libstdc++.so.6"));
        assert!(missing("libicuuc.so.60").contains("remove /data/postgres-18"), "{}", missing("libicuuc.so.60"));
    }
}
