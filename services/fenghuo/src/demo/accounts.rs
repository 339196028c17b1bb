//! The file with the ways into the demo city: login, password, second factor and what it is good for, one a line. Only this user can read it.

use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use serde::{Deserialize, Serialize};

/// What stands in the place of a code where there is none.
const NO_CODE: &str = "-";

/// A way in: a login with its password, or a source with its key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Access {
    /// Login name, or the source's unit.
    pub(crate) login: String,
    /// Password or key; shown once, so kept by whoever asked for it.
    pub(crate) secret: String,
    /// The code that is the second factor; a key has none.
    #[serde(default)]
    pub(crate) code: Option<String>,
    /// What it is good for.
    pub(crate) title: String,
}

/// The file. It need not be there yet.
#[derive(Clone, Debug)]
pub(crate) struct Accounts(PathBuf);

impl Accounts {
    /// Those of the demo in this data directory.
    pub(crate) fn of(data: &Path) -> Self {
        Self(data.join("staff.txt"))
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// Adds a way in.
    pub(crate) fn keep(&self, access: &Access) -> Result<()> {
        let failed = || format!("{} cannot be written", self.0.display());
        let mut file = std::fs::OpenOptions::new().create(true).append(true).mode(0o600).open(&self.0).with_context(failed)?;
        let code = access.code.as_deref().unwrap_or(NO_CODE);
        writeln!(file, "{:<20} {:<44} {code:<6} {}", access.login, access.secret, access.title).with_context(failed)
    }

    /// All of them; none where there is no file.
    pub(crate) fn read(&self) -> Result<Vec<Access>> {
        let text = match std::fs::read_to_string(&self.0) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error).with_context(|| format!("{} cannot be read", self.0.display())),
        };
        Ok(text.lines().filter_map(read_line).collect())
    }
}

fn read_line(line: &str) -> Option<Access> {
    let mut words = line.split_whitespace();
    let (login, secret) = (words.next()?.to_owned(), words.next()?.to_owned());
    let mut words = words.peekable();
    let code = match words.peek().copied() {
        Some(NO_CODE) => words.next().and(None),
        Some(word) if word.bytes().all(|byte| byte.is_ascii_digit()) => words.next().map(str::to_owned),
        // a line from before there were codes
        _ => None,
    };
    Some(Access { login, secret, code, title: words.collect::<Vec<_>>().join(" ") })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn what_is_kept_is_read_again_by_this_user_alone() {
        let directory = tempfile::tempdir().unwrap();
        let accounts = Accounts::of(directory.path());
        assert_eq!(accounts.read().unwrap(), []);
        let access = |login: &str, code: Option<&str>, title: &str| Access {
            login: login.to_owned(),
            secret: "beacon-tower".to_owned(),
            code: code.map(str::to_owned),
            title: title.to_owned(),
        };
        let kept = [access("command.one", Some("190190"), "市级指挥部 值班一"), access("api-key", None, "数据来源 市疾控中心")];
        kept.iter().for_each(|access| accounts.keep(access).unwrap());
        assert_eq!(accounts.read().unwrap(), kept);
        assert_eq!(std::fs::metadata(accounts.path()).unwrap().permissions().mode() & 0o777, 0o600);
    }
}
