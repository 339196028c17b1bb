//! Who runs the server. PostgreSQL refuses to run as root, so a process that is root runs it as somebody else.
//!
//! That user may be kept out of the data by a directory on the way to it, such as root's own home. The server then gets the one
//! right of root that opens the way, to search directories, where the system lets it be passed on.

use std::io;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};

use crate::Error;
use crate::layout::cluster_of;

/// Users that a system has for such a purpose, the better first.
const CANDIDATES: [&str; 2] = ["postgres", "nobody"];

/// Who runs the server.
#[derive(Clone, Debug)]
pub(crate) enum Account {
    /// Whoever runs this process.
    Own,
    /// Another, because this process is root.
    Other {
        /// Number of the user.
        user: u32,
        /// Number of the user's group.
        group: u32,
        /// Whether the server must be let through closed directories.
        let_through: bool,
    },
}

impl Account {
    /// Who can run a server whose data is in `directory`, which need not be there yet. Data that is there is its owner's.
    pub(crate) fn for_data_in(directory: &Path) -> Result<Self, Error> {
        if !rustix::process::geteuid().is_root() {
            return Ok(Self::Own);
        }
        let (user, group) = match cluster_of(directory).metadata() {
            Ok(meta) if meta.uid() != 0 => (meta.uid(), meta.gid()),
            _ => {
                let users = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
                CANDIDATES.iter().find_map(|name| entry_of(&users, name)).ok_or(Error::NobodyToRunAs)?
            }
        };
        let closed = closed_on_the_way(directory, user, group);
        if let Some(closed) = &closed
            && !privilege::can_be_passed_on()
        {
            return Err(Error::CannotEnter { user, closed: closed.clone() });
        }
        Ok(Self::Other { user, group, let_through: closed.is_some() })
    }

    /// Gives the user a file or directory that this process has made.
    pub(crate) fn give(&self, path: &Path) -> io::Result<()> {
        match self {
            Self::Own => Ok(()),
            Self::Other { user, group, .. } => std::os::unix::fs::chown(path, Some(*user), Some(*group)),
        }
    }

    /// What others may do with a directory that the user must pass: nothing, unless that is another user.
    pub(crate) fn mode_of_passage(&self) -> u32 {
        match self {
            Self::Own => 0o700,
            Self::Other { .. } => 0o711,
        }
    }

    /// Starts `command` as this user.
    pub(crate) fn spawn(&self, mut command: Command) -> io::Result<Child> {
        match *self {
            Self::Own => command.spawn(),
            Self::Other { user, group, let_through } => {
                command.uid(user).gid(group);
                if !let_through {
                    return command.spawn();
                }
                // what a child inherits is the thread's, and this thread has no other use
                std::thread::spawn(move || privilege::pass_on().and_then(|()| command.spawn()))
                    .join()
                    .unwrap_or_else(|_| Err(io::Error::other("the thread that starts it panicked")))
            }
        }
    }
}

/// The numbers of the user `name` and of its group in the text of `/etc/passwd`.
fn entry_of(users: &str, name: &str) -> Option<(u32, u32)> {
    users.lines().find_map(|line| {
        let mut fields = line.split(':');
        (fields.next() == Some(name)).then_some(())?;
        let (user, group) = (fields.nth(1)?.parse().ok()?, fields.next()?.parse().ok()?);
        (user != 0).then_some((user, group))
    })
}

/// The first directory on the way to `directory` that the user may not pass.
fn closed_on_the_way(directory: &Path, user: u32, group: u32) -> Option<PathBuf> {
    let absolute = std::path::absolute(directory).ok()?;
    let there: Vec<&Path> = absolute.ancestors().skip(1).collect();
    let passes = |path: &Path| {
        path.metadata().map_or(true, |meta| {
            let search = match (meta.uid() == user, meta.gid() == group) {
                (true, _) => 0o100,
                (_, true) => 0o010,
                _ => 0o001,
            };
            meta.permissions().mode() & search != 0
        })
    };
    there.into_iter().rev().find(|path| !passes(path)).map(Path::to_owned)
}

#[cfg(target_os = "linux")]
mod privilege {
    //! The right to search any directory, passed on to one child.

    use std::io;

    use rustix::thread::{
        CapabilitiesSecureBits, CapabilitySet, capabilities, configure_capability_in_ambient_set, set_capabilities,
        set_capabilities_secure_bits,
    };

    /// The narrowest first. Containers often have the second alone.
    const WANTED: [CapabilitySet; 2] = [CapabilitySet::DAC_READ_SEARCH, CapabilitySet::DAC_OVERRIDE];

    fn held() -> Option<CapabilitySet> {
        let permitted = capabilities(None).ok()?.permitted;
        permitted.contains(CapabilitySet::SETPCAP).then(|| WANTED.into_iter().find(|wanted| permitted.contains(*wanted))).flatten()
    }

    pub(super) fn can_be_passed_on() -> bool {
        held().is_some()
    }

    /// Lets children of this thread, whoever they run as, keep the right.
    pub(super) fn pass_on() -> io::Result<()> {
        let wanted = held().ok_or(io::ErrorKind::PermissionDenied)?;
        let mut sets = capabilities(None)?;
        sets.inheritable |= wanted;
        set_capabilities(None, sets)?;
        // otherwise the change of the user would take it away
        set_capabilities_secure_bits(CapabilitiesSecureBits::NO_SETUID_FIXUP)?;
        configure_capability_in_ambient_set(wanted, true)?;
        sets.permitted = wanted | CapabilitySet::SETUID | CapabilitySet::SETGID;
        sets.effective = sets.permitted;
        set_capabilities(None, sets)?;
        Ok(())
    }
}

#[cfg(not(target_os = "linux"))]
mod privilege {
    //! Other systems have no such right.

    pub(super) fn can_be_passed_on() -> bool {
        false
    }

    pub(super) fn pass_on() -> std::io::Result<()> {
        Err(std::io::ErrorKind::Unsupported.into())
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_user_is_found_by_the_whole_name_and_is_never_root() {
        let users = "root:x:0:0:root:/root:/bin/sh\npostgres2:x:7:7::/:/bin/sh\npostgres:x:113:120:,,,:/var:/bin/bash\nnobody:x:0:0::/:/\n";
        assert_eq!(entry_of(users, "postgres"), Some((113, 120)));
        assert_eq!(entry_of(users, "nobody"), None, "root by another name");
        assert_eq!(entry_of("postgres:x:many:120::/:/", "postgres"), None);
    }

    #[test]
    fn a_closed_directory_on_the_way_is_named() {
        let outer = tempfile::tempdir().expect("a directory");
        let closed = outer.path().join("closed");
        std::fs::create_dir_all(closed.join("data")).expect("made");
        std::fs::set_permissions(outer.path(), PermissionsExt::from_mode(0o711)).expect("open");
        std::fs::set_permissions(&closed, PermissionsExt::from_mode(0o700)).expect("closed");
        let stranger = 4_000_000;
        assert_eq!(closed_on_the_way(&closed.join("data/not-yet"), stranger, stranger), Some(closed.clone()));
        std::fs::set_permissions(&closed, PermissionsExt::from_mode(0o701)).expect("open to pass");
        assert_eq!(closed_on_the_way(&closed.join("data/not-yet"), stranger, stranger), None);
    }
}
