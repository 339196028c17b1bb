//! `fenghuo staff`: the first way in, and the way back.

use std::fs::File;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};
use clap::{Args, Subcommand};
use identity::Code;

use crate::configuration::Configuration;
use crate::migrate;

/// Staff accounts.
#[derive(Subcommand)]
pub(crate) enum Staff {
    Administrators(Administrators),
    Administrator(Administrator),
}

/// Make the first two administrators of a city. The code with which each sets their own password goes into a file of its own.
#[derive(Args)]
pub(crate) struct Administrators {
    /// Login name; given twice, once for each.
    #[arg(long, default_values_t = ["admin.one".to_owned(), "admin.two".to_owned()], num_args = 1)]
    login: Vec<String>,
    /// Where the files with the codes are written, as LOGIN.code; only this user can read them. Hand each to its owner, and to nobody else.
    #[arg(long, default_value = ".")]
    codes: PathBuf,
}

/// Give an administrator who cannot sign in a new code, or make one where too few are left. They wait before they confirm anything, and the
/// other administrators, the city command and the auditor are told.
#[derive(Args)]
pub(crate) struct Administrator {
    /// Login name.
    #[arg(long)]
    login: String,
    /// Where the file with the code is written, as LOGIN.code.
    #[arg(long, default_value = ".")]
    codes: PathBuf,
}

pub(crate) async fn run(config: Option<&Path>, staff: Staff) -> Result<()> {
    let settings = Configuration::load(config)?.identity;
    let platform = migrate::open(config).await?;
    match staff {
        Staff::Administrators(Administrators { login, codes }) => {
            let [one, two] = login.as_slice() else { anyhow::bail!("--login is given twice, once for each of the two administrators") };
            let files = [CodeFile::open(&codes, one)?, CodeFile::open(&codes, two)?];
            let made = identity::first_administrators(&platform, &settings, [one, two]).await?;
            for (file, code) in files.into_iter().zip(&made) {
                file.keep(code)?;
            }
        }
        Staff::Administrator(Administrator { login, codes }) => {
            let file = CodeFile::open(&codes, &login)?;
            file.keep(&identity::recover_administrator(&platform, &settings, &login).await?)?;
        }
    }
    eprintln!(
        "fenghuo: give each file to its owner alone; at /console, under 新账号或已重置 New or reset account, they set their own password"
    );
    migrate::close(platform).await
}

/// The file of a code, which is there before the code is: a code is shown once, so none is made that could not be written. What holds no code in
/// the end is removed.
struct CodeFile {
    path: PathBuf,
    file: File,
    holds_code: bool,
}

impl CodeFile {
    /// A new file that only this user can read.
    fn open(codes: &Path, login: &str) -> Result<Self> {
        ensure!(codes.is_dir(), "{} is no directory", codes.display());
        let path = codes.join(format!("{login}.code"));
        ensure!(!path.exists(), "{} is there already: remove it, or name another directory with --codes", path.display());
        let file = File::options().create_new(true).write(true).mode(0o600).open(&path);
        let file = file.with_context(|| format!("{} cannot be written", path.display()))?;
        Ok(Self { path, file, holds_code: false })
    }

    /// Writes the code, and says where it is.
    fn keep(mut self, Code { login, first, second }: &Code) -> Result<()> {
        let failed = || format!("{} cannot be written", self.path.display());
        writeln!(&self.file, "{login}\n{first}\n{second}").with_context(failed)?;
        self.file.sync_all().with_context(failed)?;
        println!("{login} {}", self.path.display());
        self.holds_code = true;
        Ok(())
    }
}

impl Drop for CodeFile {
    fn drop(&mut self) {
        if !self.holds_code {
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_of_a_code_is_there_before_the_code_and_gone_where_none_was_made() {
        let codes = tempfile::tempdir().unwrap();
        let path = codes.path().join("admin.one.code");
        let file = CodeFile::open(codes.path(), "admin.one").unwrap();
        assert!(path.exists());
        assert!(CodeFile::open(codes.path(), "admin.one").is_err(), "no code is written over another");
        drop(file);
        assert!(!path.exists(), "no account was made");
        let code = Code { login: "admin.one".to_owned(), first: "aaa".to_owned(), second: "bbb".to_owned() };
        CodeFile::open(codes.path(), "admin.one").unwrap().keep(&code).unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "admin.one\naaa\nbbb\n");
    }
}
