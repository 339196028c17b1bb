//! When the process is told to stop: Ctrl-C at a terminal, SIGTERM from whoever supervises.

use std::io::Write as _;

use anyhow::{Context as _, Result};
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// What a shell says of a process that Ctrl-C has ended.
const INTERRUPTED: i32 = 130;

/// A token that is cancelled when the process is told to stop, with `goodbye` on standard output. Ctrl-C after that ends the process at once.
pub(crate) fn listen(goodbye: Option<String>) -> Result<CancellationToken> {
    let failed = "signals cannot be heard";
    let mut interrupt = signal(SignalKind::interrupt()).context(failed)?;
    let mut terminate = signal(SignalKind::terminate()).context(failed)?;
    let told = CancellationToken::new();
    let stop = told.clone();
    tokio::spawn(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        if let Some(goodbye) = goodbye {
            // nobody may be there to read it any more
            let _ = writeln!(std::io::stdout(), "{goodbye}");
        }
        told.cancel();
        interrupt.recv().await;
        std::process::exit(INTERRUPTED);
    });
    Ok(stop)
}
