//! `fenghuo audit`: whether the trace is the one that was signed.

use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, Result, bail};
use audit::check::Kept;
use audit::head::PublicKey;
use audit::{Report, check_database, check_proof};
use clap::{Args, Subcommand};

use crate::migrate;

/// The trace of staff actions.
#[derive(Subcommand)]
pub(crate) enum Audit {
    Verify(Verify),
}

/// Say whether the trace is the one that was signed: offline, an exported proof; or the running database.
///
/// Ends with 0 where it is, held against heads that were kept; with 1 where it is not; with 2 where no head was given, since whoever can write to the
/// database can make everything in it fit.
#[derive(Args)]
pub(crate) struct Verify {
    /// The exported proof (`GET /api/v1/audit/proof`). Without it the database of the configuration is checked, every entry anew.
    #[arg(value_name = "PROOF")]
    proof: Option<PathBuf>,
    /// Signed heads that were kept: the folder they were published to, or a file with an answer of `GET /api/v1/audit/heads`. May be repeated.
    #[arg(long, value_name = "PLACE")]
    heads: Vec<PathBuf>,
    /// The public key that signs them, 64 hexadecimal digits; otherwise the one that stands beside the heads.
    #[arg(long, value_name = "HEX")]
    key: Option<PublicKey>,
}

/// The entries fit each other, and nobody knows whether they are those that were signed.
const NOT_HELD_AGAINST_ANYTHING: u8 = 2;

pub(crate) async fn run(config: Option<&Path>, audit: Audit) -> Result<ExitCode> {
    let Audit::Verify(Verify { proof, heads, key }) = audit;
    let kept = Kept::read(&heads, key)?;
    let held = kept.heads.len();
    if !heads.is_empty() && held == 0 {
        bail!("no signed head was found where --heads says: is the share mounted, and is it the right place?");
    }
    let report = match proof {
        Some(path) => {
            let file = File::open(&path).with_context(|| format!("{} cannot be read", path.display()))?;
            let lines = BufReader::new(file).lines().collect::<Result<Vec<_>, _>>();
            check_proof(kept, lines.with_context(|| format!("{} cannot be read", path.display()))?)
        }
        None => {
            let platform = migrate::open(config).await?;
            let report = check_database(&platform.database, kept).await;
            migrate::close(platform).await?;
            report?
        }
    };
    told(&report, held)
}

/// Says it, and fails unless all is well; `held` heads were kept by somebody else.
fn told(report: &Report, held: usize) -> Result<ExitCode> {
    let Report { last, proved, heads, findings, notes } = report;
    for finding in findings {
        println!("{finding}");
    }
    for note in notes {
        println!("note: {note}");
    }
    if !findings.is_empty() {
        bail!("the trace is not what was signed: {} findings in {last} entries, held against {heads} signed heads", findings.len());
    }
    if held == 0 {
        println!(
            "the {last} entries fit each other; this is all that was proved: give the heads that somebody else keeps (--heads) to learn whether they are those that were signed"
        );
        return Ok(ExitCode::from(NOT_HELD_AGAINST_ANYTHING));
    }
    println!("the trace is whole: {last} entries, of which {proved} are as they were signed, held against {heads} signed heads");
    Ok(ExitCode::SUCCESS)
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    /// A proof of one entry, as it was exported; `altered` by somebody afterwards.
    fn proof(altered: bool) -> tempfile::NamedTempFile {
        let body = r#"{"sequence":1,"action":"alert.approve"}"#;
        let head = audit::Head::GENESIS.then(body);
        let shown = if altered { body.replace("approve", "refuse") } else { body.to_owned() };
        let mut file = tempfile::NamedTempFile::new().unwrap();
        writeln!(file, "{{\"entry\":{shown},\"hash\":\"{}\"}}", head.hash).unwrap();
        writeln!(file, "{{\"head\":{}}}", serde_json::to_string(&head).unwrap()).unwrap();
        file
    }

    async fn verified(proof: &tempfile::NamedTempFile, heads: &[PathBuf]) -> Result<ExitCode> {
        let verify = Verify { proof: Some(proof.path().to_owned()), heads: heads.to_vec(), key: None };
        run(None, Audit::Verify(verify)).await
    }

    #[tokio::test]
    async fn a_proof_is_checked_without_any_store_and_one_that_was_edited_ends_with_a_failure() {
        let code = verified(&proof(false), &[]).await.unwrap();
        assert_eq!(format!("{code:?}"), format!("{:?}", ExitCode::from(2)), "nothing was kept that it could be held against");
        let refused = verified(&proof(true), &[]).await.unwrap_err();
        assert!(refused.to_string().contains("not what was signed"), "{refused}");
    }

    #[tokio::test]
    async fn a_folder_in_which_no_head_stands_proves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let refused = verified(&proof(false), &[folder.path().to_owned()]).await.unwrap_err();
        assert!(refused.to_string().contains("no signed head was found"), "{refused}");
    }
}
