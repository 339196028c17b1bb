//! Every setting of the platform: one section a service or store. `deploy/fenghuo.toml` is the same with comments.

use std::net::SocketAddr;
use std::path::Path;

use anyhow::{Context as _, Result};
use platform::StoreSettings;
use platform::bus::BusSettings;
use platform::cache::CacheSettings;
use platform::config;
use platform::crypto::KeySettings;
use platform::database::DatabaseSettings;
use platform::http::HttpSettings;
use platform::jobs::JobSettings;
use platform::telemetry::TelemetrySettings;
use serde::{Deserialize, Serialize};

/// The configuration file.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Configuration {
    pub(crate) server: ServerSettings,
    pub(crate) http: HttpSettings,
    pub(crate) telemetry: TelemetrySettings,
    pub(crate) database: DatabaseSettings,
    pub(crate) bus: BusSettings,
    pub(crate) cache: CacheSettings,
    pub(crate) keys: KeySettings,
    pub(crate) jobs: JobSettings,
    pub(crate) identity: identity::Settings,
    pub(crate) resident: resident::Settings,
    pub(crate) ingest: ingest::Settings,
    pub(crate) rules: rules::Settings,
    pub(crate) review: review::Settings,
    pub(crate) dispatch: dispatch::Settings,
    pub(crate) push: push::Settings,
    pub(crate) sms: sms::Settings,
    pub(crate) display: display::Settings,
    pub(crate) audit: audit::Settings,
}

/// Where the process listens.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct ServerSettings {
    /// Address and port of the HTTP interface.
    pub(crate) listen: SocketAddr,
}

/// A key that somebody has set.
pub(crate) struct Given {
    /// `section.key`.
    pub(crate) key: String,
    /// As it was given; numbers in the environment are texts. It may be a secret.
    pub(crate) value: toml::Value,
    /// The variable of the environment that gives it, unless the file does.
    pub(crate) variable: Option<String>,
}

fn collect(section: &str, table: toml::Table, given: &mut Vec<Given>) {
    for (name, value) in table {
        let key = if section.is_empty() { name } else { format!("{section}.{name}") };
        match value {
            toml::Value::Table(inner) if !inner.is_empty() => collect(&key, inner, given),
            value => given.push(Given { key, value, variable: None }),
        }
    }
}

impl Default for ServerSettings {
    fn default() -> Self {
        Self { listen: SocketAddr::from(([127, 0, 0, 1], 8080)) }
    }
}

impl Configuration {
    /// Reads the file, if one is named, and the environment.
    pub(crate) fn load(file: Option<&Path>) -> Result<Self> {
        config::load(file, config::environment(), &[]).context("the configuration cannot be used")
    }

    /// Every key that the file or the environment gives, whatever its value: `up` and `doctor` want to know what was meant to be set.
    pub(crate) fn given(file: Option<&Path>) -> Result<Vec<Given>> {
        Self::given_by(file, config::environment().collect::<Vec<_>>())
    }

    /// The same with this environment.
    pub(crate) fn given_by(file: Option<&Path>, environment: impl IntoIterator<Item = (String, String)>) -> Result<Vec<Given>> {
        let environment: Vec<_> = environment.into_iter().collect();
        let table: toml::Table = config::load(file, environment.clone(), &[]).context("the configuration cannot be used")?;
        let mut given = Vec::new();
        collect("", table, &mut given);
        for given in &mut given {
            let variable = config::variable_of(&given.key);
            given.variable = environment.iter().map(|(name, _)| name).find(|name| name.starts_with(&variable)).cloned();
        }
        Ok(given)
    }

    /// The sections of the stores.
    pub(crate) fn stores(&self) -> StoreSettings {
        let Self { database, bus, cache, keys, jobs, .. } = self.clone();
        StoreSettings { database, bus, cache, keys, jobs }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use strum::VariantArray as _;

    use super::*;
    use crate::services::Service;

    const COMMENTED: &str = include_str!("../../../deploy/fenghuo.toml");

    /// Every key as `section.key`, whether it is set or stands behind `# `.
    fn keys(text: &str) -> BTreeSet<String> {
        let mut section = String::new();
        let mut keys = BTreeSet::new();
        for line in text.lines() {
            let line = line.strip_prefix("#: ").unwrap_or(line).trim();
            if let Some(name) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
                section = name.trim_matches(['[', ']']).to_owned();
            } else if let Some((key, _)) = line.split_once(" = ").filter(|_| !line.starts_with('#')) {
                keys.insert(format!("{section}.{key}"));
            }
        }
        keys
    }

    #[test]
    fn the_commented_file_says_what_holds_without_it() {
        let commented: Configuration = toml::from_str(COMMENTED).expect("deploy/fenghuo.toml is valid");
        assert_eq!(toml::to_string(&commented).unwrap(), toml::to_string(&Configuration::default()).unwrap());
    }

    #[test]
    fn the_commented_file_names_every_setting() {
        let defaults = toml::to_string(&Configuration::default()).unwrap();
        let missing: Vec<_> = keys(&defaults).difference(&keys(COMMENTED)).cloned().collect();
        assert!(missing.is_empty(), "deploy/fenghuo.toml does not name {missing:?}");
    }

    #[test]
    fn the_commented_file_names_every_job_with_its_time() {
        let (_, section) = COMMENTED.split_once("\n[jobs.cron]\n").expect("there is a section for the jobs");
        let lines = section.lines().map_while(|line| line.strip_prefix('#'));
        let told: BTreeSet<&str> = lines.filter_map(|line| line.strip_prefix(": ")).collect();
        let jobs = Service::VARIANTS.iter().flat_map(|service| service.jobs());
        let declared: Vec<String> = jobs.map(|job| format!("\"{}\" = \"{}\"", job.name, job.cron)).collect();
        assert_eq!(told, declared.iter().map(String::as_str).collect());
    }

    #[test]
    fn the_time_of_a_job_is_set_by_its_name() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("fenghuo.toml");
        std::fs::write(&file, "[jobs]\ntime_zone = \"Asia/Urumqi\"\n[jobs.cron]\n\"sms.forget_receipts\" = \"0 0 4 * * *\"\n").unwrap();
        let settings: Configuration = config::load(Some(&file), [], &[]).unwrap();
        assert_eq!(settings.jobs.cron["sms.forget_receipts"], "0 0 4 * * *");
        assert_eq!(settings.stores().jobs, settings.jobs);
    }

    #[test]
    fn a_key_that_nobody_knows_is_an_error_that_names_it() {
        let error = toml::from_str::<Configuration>("[sms]\nwindwo = 3\n").unwrap_err().to_string();
        assert!(error.contains("windwo"), "{error}");
    }
}
