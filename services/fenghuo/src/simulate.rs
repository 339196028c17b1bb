//! `fenghuo simulate-providers`: APNs, FCM, a browser's push service and an SMS centre on loopback, for the platform or for anybody's tests.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use clap::Args;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use simulators::{Addresses, Credentials, Options, Simulators};

use crate::configuration::Configuration;

/// Run APNs, FCM, a browser's push service and an SMS centre on loopback, with faults on demand.
#[derive(Args)]
pub(crate) struct SimulateProviders {
    /// Where addresses, CA certificate and keys are written.
    #[arg(long, value_name = "DIR", default_value = "data/providers")]
    directory: PathBuf,
    /// Port of the SMS centre; 0 lets the system choose.
    #[arg(long, default_value_t = 2775)]
    smpp_port: u16,
    /// Port of APNs.
    #[arg(long, default_value_t = 2197)]
    apns_port: u16,
    /// Port of FCM.
    #[arg(long, default_value_t = 2198)]
    fcm_port: u16,
    /// Port of the push service of browsers.
    #[arg(long, default_value_t = 2201)]
    web_push_port: u16,
    /// Port of the OAuth endpoint that FCM's service account names.
    #[arg(long, default_value_t = 2199)]
    oauth_port: u16,
    /// Port of the control interface.
    #[arg(long, default_value_t = 2200)]
    control_port: u16,
    /// Take APNs and VAPID tokens of any age: for a platform whose clock is moved.
    #[arg(long)]
    any_clock: bool,
    /// For measurements with millions: keep no message, count residents by the number their token begins with, and read only what is needed
    /// to answer.
    #[arg(long)]
    benchmark: bool,
}

/// The file in the directory by which others find the simulators.
const FILE: &str = "providers.json";

/// Addresses and keys of running simulators.
#[derive(Serialize, Deserialize)]
pub(crate) struct Providers {
    pub(crate) addresses: Addresses,
    pub(crate) credentials: Credentials,
}

pub(crate) async fn run(providers: SimulateProviders) -> Result<()> {
    let usual = if providers.benchmark { Options::benchmark() } else { Options::default() };
    let options = Options {
        apns_port: providers.apns_port,
        fcm_port: providers.fcm_port,
        web_push_port: providers.web_push_port,
        oauth_port: providers.oauth_port,
        smpp_port: providers.smpp_port,
        control_port: providers.control_port,
        directory: Some(providers.directory.clone()),
        token_age_checked: !providers.any_clock,
        ..usual
    };
    let simulators = Simulators::start(options).await.context("the simulated providers did not start")?;
    let found = Providers { addresses: simulators.addresses(), credentials: simulators.credentials().clone() };
    let file = providers.directory.join(FILE);
    std::fs::write(&file, serde_json::to_vec_pretty(&found)?).with_context(|| format!("{} cannot be written", file.display()))?;
    let addresses = found.addresses;
    println!("APNs     {}", addresses.apns_url());
    println!("FCM      {}", addresses.fcm_url());
    println!("Web Push {}", addresses.web_push_url("…"));
    println!("SMPP     {}", addresses.smpp);
    println!("control  {}   (GET /stats, POST /faults, POST /sms/reply)", addresses.control_url());
    println!("keys     {}", file.display());
    tokio::signal::ctrl_c().await?;
    simulators.stop().await;
    Ok(())
}

impl Providers {
    /// What a running `fenghuo simulate-providers` wrote.
    pub(crate) fn read(directory: &Path) -> Result<Self> {
        let file = directory.join(FILE);
        let text =
            std::fs::read(&file).with_context(|| format!("{} cannot be read: is `fenghuo simulate-providers` running?", file.display()))?;
        serde_json::from_slice(&text).with_context(|| format!("{} is not what simulators write", file.display()))
    }

    /// What these simulators are.
    pub(crate) fn of(simulators: &Simulators) -> Self {
        Self { addresses: simulators.addresses(), credentials: simulators.credentials().clone() }
    }

    /// Points push and sms at them. `directory` takes the CA certificate, and the key for Web Push: it is the platform's own and is kept, as
    /// browsers subscribe with it.
    pub(crate) fn configure(&self, settings: &mut Configuration, directory: &Path) -> Result<()> {
        std::fs::create_dir_all(directory).with_context(|| format!("{} cannot be made", directory.display()))?;
        let ca = directory.join("ca.pem");
        std::fs::write(&ca, &self.credentials.ca_pem).with_context(|| format!("{} cannot be written", ca.display()))?;
        settings.push.apns = Some(push::ApnsSettings {
            base_url: self.addresses.apns_url(),
            topic: "cn.fenghuo.app".to_owned(),
            key_id: self.credentials.apns_key_id.clone(),
            team_id: self.credentials.apns_team_id.clone(),
            key: SecretString::from(self.credentials.apns_key_p8.clone()),
            extra_ca: Some(ca.clone()),
            ..push::ApnsSettings::default()
        });
        settings.push.fcm = Some(push::FcmSettings {
            base_url: self.addresses.fcm_url(),
            extra_ca: Some(ca.clone()),
            projects: vec![push::FcmProject {
                service_account: SecretString::from(self.credentials.fcm_service_account.clone()),
                ..push::FcmProject::default()
            }],
            ..push::FcmSettings::default()
        });
        let key = directory.join("vapid.pem");
        if !key.exists() {
            let pair = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).context("no key for Web Push can be made")?;
            write_secret(&key, pair.serialize_pem().as_bytes()).with_context(|| format!("{} cannot be written", key.display()))?;
        }
        settings.push.web_push = Some(push::WebPushSettings {
            key_file: Some(key),
            subject: "mailto:duty@fenghuo.example".to_owned(),
            allowed_hosts: vec![self.addresses.web_push.to_string()].try_into().context("the push service is at no plain address")?,
            extra_ca: Some(ca),
            ..push::WebPushSettings::default()
        });
        settings.sms.host = self.addresses.smpp.ip().to_string();
        settings.sms.port = self.addresses.smpp.port();
        settings.sms.system_id = self.credentials.smpp_system_id.clone();
        settings.sms.password = SecretString::from(self.credentials.smpp_password.clone());
        Ok(())
    }
}

/// Writes what only this user may read.
fn write_secret(file: &Path, content: &[u8]) -> std::io::Result<()> {
    use std::io::Write as _;
    let mut options = std::fs::OpenOptions::new();
    options.create_new(true).write(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    options.open(file)?.write_all(content)
}
