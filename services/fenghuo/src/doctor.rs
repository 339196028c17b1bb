//! `fenghuo doctor`: whether this installation can work, as it is configured here: one line for each thing, with the remedy where one is needed.
//!
//! It asks and changes nothing: no table is made, no queue declared, no key written, no message sent to anybody. No line holds a secret.
//!
//! [`finding`] is one line; [`database`], [`broker`], [`cache`], [`keys`], [`providers`] and [`machine`] look at one thing each.

mod broker;
mod cache;
mod clocks;
mod database;
mod finding;
mod keys;
mod machine;
mod providers;

use std::io::Write as _;
use std::path::Path;
use std::pin::Pin;

use anyhow::{Result, ensure};
use clap::Args;
use futures::StreamExt as _;
use futures::stream::FuturesOrdered;
use platform::tasks::chain;

use crate::configuration::Configuration;
use finding::Finding;

/// Check an installation: stores, keys, providers' accounts, certificates, clocks, disk. Exits with 1 if anything fails.
///
/// It looks with the settings of this machine, from this machine, and says for each thing what was found and what would mend it. It changes
/// nothing and sends nothing to anybody: providers are asked for a device that cannot be one, the SMS centre is bound and unbound.
#[derive(Args)]
pub(crate) struct Doctor {
    /// Print one JSON object at the end, nothing else.
    #[arg(long)]
    json: bool,
}

type Looking<'a> = Pin<Box<dyn Future<Output = Vec<Finding>> + Send + 'a>>;

pub(crate) async fn run(config: Option<&Path>, doctor: Doctor) -> Result<()> {
    let mut findings = Vec::new();
    let told = |finding: &Finding| match doctor.json {
        true => Ok(()),
        false => writeln!(std::io::stdout(), "{finding}"),
    };
    match Configuration::load(config) {
        Err(error) => findings.push(Finding::fail(
            "configuration",
            chain(error.as_ref()),
            "mend what is named; deploy/fenghuo.toml shows every setting",
        )),
        Ok(settings) => {
            let read = config.map_or("none; environment and defaults".to_owned(), |file| file.display().to_string());
            findings.push(Finding::ok("configuration", read));
            findings.iter().try_for_each(told)?;
            // all at once, told in this order
            let mut looking: FuturesOrdered<Looking<'_>> = FuturesOrdered::new();
            looking.push_back(Box::pin(database::look(&settings)));
            looking.push_back(Box::pin(broker::look(&settings.bus)));
            looking.push_back(Box::pin(cache::look(&settings.cache)));
            looking.push_back(Box::pin(async { keys::look(&settings) }));
            looking.push_back(Box::pin(providers::apns(&settings.push)));
            looking.push_back(Box::pin(providers::fcm(&settings.push)));
            looking.push_back(Box::pin(async { providers::web_push(&settings.push) }));
            looking.push_back(Box::pin(providers::sms(&settings.sms)));
            looking.push_back(Box::pin(providers::directory(&settings.identity)));
            looking.push_back(Box::pin(machine::look(&settings)));
            while let Some(found) = looking.next().await {
                found.iter().try_for_each(told)?;
                findings.extend(found);
            }
        }
    }
    let failed = findings.iter().filter(|finding| finding.failed()).count();
    if doctor.json {
        let report = serde_json::json!({ "ok": failed == 0, "checks": findings });
        writeln!(std::io::stdout(), "{}", serde_json::to_string_pretty(&report)?)?;
    } else if findings.len() == 1 {
        findings.iter().try_for_each(told)?;
    }
    ensure!(failed == 0, "{failed} of {} checks failed", findings.len());
    Ok(())
}
