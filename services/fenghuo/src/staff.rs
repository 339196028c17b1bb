//! `fenghuo staff`: the first way in, and the way back.

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
            no_code_yet(&codes, &[one, two])?;
            for code in identity::first_administrators(&platform, &settings, [one, two]).await? {
                keep(&codes, &code)?;
            }
        }
        Staff::Administrator(Administrator { login, codes }) => {
            no_code_yet(&codes, &[&login])?;
            keep(&codes, &identity::recover_administrator(&platform, &settings, &login).await?)?;
        }
    }
    eprintln!(
        "fenghuo: give each file to its owner alone; at /console, under 新账号或已重置 New or reset account, they set their own password"
    );
    migrate::close(platform).await
}

fn file_of(codes: &Path, login: &str) -> PathBuf {
    codes.join(format!("{login}.code"))
}

/// A code is shown once: it is not made where it could not be written.
fn no_code_yet(codes: &Path, logins: &[&String]) -> Result<()> {
    ensure!(codes.is_dir(), "{} is no directory", codes.display());
    for login in logins {
        let file = file_of(codes, login);
        ensure!(!file.exists(), "{} is there already: remove it, or name another directory with --codes", file.display());
    }
    Ok(())
}

/// Writes a code where only this user can read it, and says where.
fn keep(codes: &Path, Code { login, first, second }: &Code) -> Result<()> {
    let path = file_of(codes, login);
    let failed = || format!("{} cannot be written", path.display());
    let mut file = std::fs::OpenOptions::new().create_new(true).write(true).mode(0o600).open(&path).with_context(failed)?;
    writeln!(file, "{login}\n{first}\n{second}").with_context(failed)?;
    println!("{login} {}", path.display());
    Ok(())
}
