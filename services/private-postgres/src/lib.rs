//! A PostgreSQL of one's own: packed into the binary, run beside the process, and gone with it.
//!
//! [`Server::open`] runs it on a directory that outlives the process, [`Server::passing`] on one that does not. What is promised:
//! - it is PostgreSQL itself, with `fsync`, checksums and a log of its own; what was committed survives a killed process group and a
//!   power cut (a passing server forces nothing to the disk: nothing of it is meant to last);
//! - it listens on a socket in its directory, with a password that was made for it, and nowhere else;
//! - it ends with the process, however that ends; one that was left all the same is ended by the next that opens the directory;
//! - a directory serves one process at a time, is never taken over from something else, and never opened by another major version;
//! - what stands in the way is said in one sentence with the remedy ([`Error`]).
//!
//! How the parts meet: [`installation`] unpacks the server once, [`account`] finds who may run it, [`directory`] looks after the
//! place, [`cluster`] makes the data in it, [`child`] starts and ends the server on that.
//!
//! All calls block for up to some seconds; in async code they belong on a thread for that.

mod account;
mod child;
mod cluster;
mod directory;
mod error;
mod installation;
mod layout;
mod version;

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use secrecy::SecretString;

pub use error::Error;
pub use version::MAJOR_VERSION;

use account::Account;
use child::Child;
use cluster::{Cluster, Keeping, USER};
use directory::Directory;
use installation::Installation;

/// How to reach a server.
#[derive(Clone, Debug)]
pub struct Address {
    /// The directory of its socket, short enough for the kernel.
    pub socket_directory: PathBuf,
    /// The part of the socket's name that stands for a port.
    pub port: u16,
    /// Its superuser.
    pub user: &'static str,
    /// That user's password.
    pub password: SecretString,
    /// A database that is there from the beginning.
    pub database: &'static str,
}

/// A running server. It is stopped when dropped, at the latest by the end of the process.
#[derive(Debug)]
pub struct Server {
    address: Address,
    // the directory is let go of after the server is gone
    running: Mutex<Option<(Child, Directory)>>,
}

impl Server {
    /// Runs a server on the data in `directory`, which is made when it is missing. The first time takes some two seconds.
    ///
    /// # Errors
    /// Whatever keeps the server from running there; see [`Error`].
    pub fn open(directory: &Path) -> Result<Self, Error> {
        let account = Account::for_data_in(directory)?;
        let directory = Directory::take(directory, &account)?;
        let installation = Installation::unpacked_in(directory.path())?;
        Self::start(directory, &installation, account, Keeping::Durable)
    }

    /// Runs a server in a new directory under the system's temporary one; both are gone after it.
    ///
    /// # Errors
    /// As [`Server::open`].
    pub fn passing() -> Result<Self, Error> {
        let temporary = std::env::temp_dir();
        let account = Account::for_data_in(&temporary)?;
        let installation = Installation::shared_in(&temporary)?;
        let directory = Directory::passing(&temporary, &account)?;
        Self::start(directory, &installation, account, Keeping::Passing)
    }

    fn start(directory: Directory, installation: &Installation, account: Account, keeping: Keeping) -> Result<Self, Error> {
        child::end_one_left_in(&directory)?;
        let cluster = Cluster::in_directory(&directory, installation, &account, keeping)?;
        let child = Child::start(&directory, installation, &account, keeping)?;
        let address = Address {
            socket_directory: directory.socket().to_owned(),
            port: child::PORT,
            user: USER,
            password: cluster.password,
            database: "postgres",
        };
        Ok(Self { address, running: Mutex::new(Some((child, directory))) })
    }

    /// How to reach it.
    pub fn address(&self) -> &Address {
        &self.address
    }

    /// Ends all connections and the server, with everything on disk, and lets go of the directory. Does nothing the second time.
    ///
    /// # Errors
    /// When it does not end within half a minute.
    pub fn stop(&self) -> Result<(), Error> {
        match self.running.lock().unwrap_or_else(PoisonError::into_inner).take() {
            Some((child, _directory)) => child.stop(),
            None => Ok(()),
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Err(error) = self.stop() {
            tracing::warn!(%error, "the private PostgreSQL did not end");
        }
    }
}
