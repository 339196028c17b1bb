//! Every setting of the platform: one section a service or store. `deploy/fenghuo.toml` is made from it, with the comments of the fields.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use platform::StoreSettings;
use platform::bus::BusSettings;
use platform::cache::CacheSettings;
use platform::config;
use platform::crypto::KeySettings;
use platform::database::DatabaseSettings;
use platform::encryption::Tls;
use platform::http::{Certificate, HttpSettings};
use platform::jobs::JobSettings;
use platform::telemetry::TelemetrySettings;
use serde::{Deserialize, Serialize};

/// The configuration file.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Configuration {
    /// Where the process listens.
    pub(crate) server: ServerSettings,
    /// The HTTP interface.
    pub(crate) http: HttpSettings,
    /// Log lines and metrics.
    pub(crate) telemetry: TelemetrySettings,
    /// PostgreSQL.
    pub(crate) database: DatabaseSettings,
    /// Events between the services.
    pub(crate) bus: BusSettings,
    /// Sessions, one-time codes and send rates: what may be lost.
    pub(crate) cache: CacheSettings,
    /// The master key.
    pub(crate) keys: KeySettings,
    /// Scheduled work 定时任务: an operator sees it at the console, with how it went, and can have a job run at once. The same in every
    /// process.
    pub(crate) jobs: JobSettings,
    /// Staff, sessions, API keys. The same in every process.
    pub(crate) identity: identity::Settings,
    /// The residents' app.
    pub(crate) resident: resident::Settings,
    /// Risk records 风险记录.
    pub(crate) ingest: ingest::Settings,
    /// Rules 规则 and the drafts they gather.
    pub(crate) rules: rules::Settings,
    /// The life of alerts 审核.
    pub(crate) review: review::Settings,
    /// Waves, batches, deadlines, reminders.
    pub(crate) dispatch: dispatch::Settings,
    /// APNs, FCM and Web Push. A provider that is not set is not used: its residents count as having no app and get an SMS.
    pub(crate) push: push::Settings,
    /// The account at the SMS centre, SMPP 3.4. The connection is not encrypted: use a private line or a tunnel.
    pub(crate) sms: sms::Settings,
    /// Public screens.
    pub(crate) display: display::Settings,
    /// What citizens bring 诉求办理: cases, what is promised, working days.
    pub(crate) casework: casework::Settings,
    /// The trace of staff actions 审计.
    pub(crate) audit: audit::Settings,
}

/// Where the process listens.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct ServerSettings {
    /// Address and port of the HTTP interface.
    ///
    /// Only this machine reaches it by default. Beyond this machine it answers through TLS, with the certificate below, or a proxy ends TLS.
    pub(crate) listen: SocketAddr,
    /// Whether what listens beyond this machine has to speak TLS: `required` or `off`.
    ///
    /// `off` is for a proxy on another machine that ends TLS, and a network between the two that is one's own.
    ///
    /// Unit: one of `"required"`, `"off"`
    pub(crate) tls: Tls,
    /// The certificate that visitors are shown, with those that lead to its authority, in a file of PEM; none by default.
    ///
    /// It is read again when it changes: a renewal needs no restart.
    ///
    /// Example: "/etc/fenghuo/city.pem"
    pub(crate) certificate_file: Option<PathBuf>,
    /// Its key, in a file of PEM; none by default.
    ///
    /// Readable by the process alone: whoever has it can stand in the city's place.
    ///
    /// Example: "/etc/fenghuo/secrets/city.key"
    pub(crate) key_file: Option<PathBuf>,
}

impl ServerSettings {
    /// The certificate that is shown, where one is.
    ///
    /// # Errors
    /// When it cannot be read, half of it is named, or the process would answer others in the clear.
    pub(crate) fn certificate(&self) -> Result<Option<Certificate>> {
        match (&self.certificate_file, &self.key_file) {
            (Some(certificate), Some(key)) => Ok(Some(Certificate::of(certificate, key)?)),
            (None, None) if self.listen.ip().to_canonical().is_loopback() || self.tls == Tls::Off => Ok(None),
            (None, None) => bail!(
                "server.listen {} would answer other machines in the clear: set server.certificate_file and server.key_file, or server.tls = \"off\" where a proxy in front ends TLS and the way from it is protected",
                self.listen
            ),
            _ => bail!("server.certificate_file and server.key_file belong together: set both or neither"),
        }
    }
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
        Self { listen: SocketAddr::from(([127, 0, 0, 1], 8080)), tls: Tls::default(), certificate_file: None, key_file: None }
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
    use super::*;

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
