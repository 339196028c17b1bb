//! Fenghuo 烽火: the one binary.
//!
//! `fenghuo up` runs the whole platform in one process with simulated providers and a demo city; `fenghuo serve` runs any
//! of its services against real stores. This crate only wires: what the platform decides is in `domain`, what it does in
//! the services.
//!
//! * [`command`]: the command line; [`configuration`]: every setting; [`services`]: what can be served, and how it starts.
//! * [`up`], [`serve`], [`import`], [`residents`], [`migrate`], [`roles`], [`keys`], [`doctor`], [`staff`], [`simulate`]: one command each.
//! * [`logging`], [`stopping`]: how a process that runs for long tells of itself, and how it ends.
//! * [`pages`]: what a browser sees.
//! * [`demo`]: the demo city's staff, screens and rules; [`rehearsal`]: a real outbreak played through the platform.

mod asking;
mod audit;
#[cfg(test)]
mod book;
mod capacity;
mod command;
mod configuration;
mod demo;
mod doctor;
mod import;
mod keys;
mod logging;
mod migrate;
mod pages;
mod rehearsal;
mod residents;
mod roles;
mod serve;
mod services;
mod simulate;
mod staff;
mod stopping;
mod up;

use std::process::ExitCode;

use clap::Parser as _;

/// A push allocates some twenty small things; of the processor time of fan-out the system's allocator takes a sixth.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let arguments = command::Arguments::parse();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return failed(&error.into()),
    };
    let ended = runtime.block_on(arguments.run());
    // what a command has not waited for shall not keep it
    runtime.shutdown_background();
    match ended {
        Ok(code) => code,
        Err(error) => failed(&error),
    }
}

/// One clear sentence: what was tried, and why it failed.
fn failed(error: &anyhow::Error) -> ExitCode {
    let mut said: Vec<String> = Vec::new();
    for cause in error.chain().map(ToString::to_string) {
        if !said.iter().any(|earlier| earlier.contains(&cause)) {
            said.push(cause);
        }
    }
    eprintln!("fenghuo: {}", said.join(": "));
    ExitCode::FAILURE
}
