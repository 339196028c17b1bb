//! The simulated providers in a process of their own, seen through their control interface.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use serde_json::Value;
use simulators::{Addresses, Credentials, Provider};

use super::process::Process;
use crate::asking;

/// Running simulators.
#[derive(Debug)]
pub struct Providers {
    /// The process.
    pub process: Process,
    /// Where they listen.
    pub addresses: Addresses,
    /// What lets a sender in.
    pub credentials: Credentials,
    directory: PathBuf,
    client: reqwest::Client,
}

/// What all providers together have counted.
#[derive(Clone, Copy, Debug, Default)]
pub struct Counted {
    /// Messages that arrived.
    pub accepted: u64,
    /// Recipients that got at least one.
    pub recipients: u64,
    /// Messages that repeated the recipient's collapse id, or text: the phone shows one.
    pub duplicates: u64,
    /// Further messages to the same recipient with another collapse id.
    pub repeats: u64,
}

impl Providers {
    /// Starts them; they count residents by number.
    pub fn start(directory: &Path) -> Result<Self> {
        let directory = directory.join("providers");
        std::fs::create_dir_all(&directory)?;
        let config = directory.join("none.toml");
        std::fs::write(&config, "")?;
        let place = directory.to_str().context("the directory's name is no text")?.to_owned();
        let ports =
            ["--smpp-port", "0", "--apns-port", "0", "--fcm-port", "0", "--web-push-port", "0", "--oauth-port", "0", "--control-port", "0"];
        let arguments: Vec<&str> = ["simulate-providers", "--benchmark", "--directory", &place].into_iter().chain(ports).collect();
        let process = Process::start(&config, &arguments, directory.join("providers.log"))?;
        let found: Value = serde_json::from_slice(&std::fs::read(directory.join("providers.json"))?)?;
        Ok(Self {
            process,
            addresses: serde_json::from_value(found["addresses"].clone())?,
            credentials: serde_json::from_value(found["credentials"].clone())?,
            directory,
            client: asking::client(),
        })
    }

    /// A file that they wrote: `ca.pem`, `apns.p8`, `fcm-service-account.json`.
    pub fn file(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }

    /// The counts of one provider.
    pub async fn statistics(&self, provider: Provider) -> Result<Value> {
        let answer = self.client.get(format!("{}/stats", self.addresses.control_url())).send().await?.error_for_status()?;
        let mut all: Value = serde_json::from_slice(&answer.bytes().await?)?;
        Ok(all[provider.to_string()].take())
    }

    /// The counts of all providers together.
    pub async fn counted(&self) -> Result<Counted> {
        let answer = self.client.get(format!("{}/stats", self.addresses.control_url())).send().await?.error_for_status()?;
        let all: Value = serde_json::from_slice(&answer.bytes().await?)?;
        let sum = |field: &str| all.as_object().into_iter().flatten().filter_map(|(_, of)| of[field].as_u64()).sum();
        Ok(Counted { accepted: sum("accepted"), recipients: sum("recipients"), duplicates: sum("duplicates"), repeats: sum("repeats") })
    }

    /// How many of a provider's recipients got how many messages each.
    pub async fn messages_each(&self, provider: Provider) -> Result<BTreeMap<u64, u64>> {
        let address = format!("{}/recipients?provider={provider}", self.addresses.control_url());
        let lines = self.client.get(address).send().await?.error_for_status()?.text().await?;
        let mut each = BTreeMap::new();
        for line in lines.lines().skip(1) {
            let (_, times) = line.rsplit_once(',').with_context(|| format!("no count in {line:?}"))?;
            *each.entry(times.parse()?).or_default() += 1;
        }
        Ok(each)
    }

    /// Puts a plan of faults in the place of a provider's.
    pub async fn set_faults(&self, plan: &Value) -> Result<()> {
        self.client.post(format!("{}/faults", self.addresses.control_url())).json(plan).send().await?.error_for_status()?;
        Ok(())
    }

    /// Forgets what arrived.
    pub async fn reset(&self) -> Result<()> {
        self.client.post(format!("{}/reset", self.addresses.control_url())).send().await?.error_for_status()?;
        Ok(())
    }
}
