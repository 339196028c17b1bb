//! Starting and stopping all simulators, and the handle that tests hold.

use std::{
    collections::BTreeMap,
    net::{IpAddr, SocketAddr},
    path::Path,
    sync::Arc,
};

use tokio::{net::TcpListener, sync::Notify};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    apns::{Apns, ProviderKey},
    certificate, control,
    error::Error,
    fault::{Fault, FaultPlan, Faults},
    fcm::{self, Fcm, ServiceAccount},
    http2,
    ledger::Ledger,
    options::{Addresses, Credentials, Options},
    received::{Provider, ReceivedPush, ReceivedSms},
    smsc::{self, Smsc, phone_key},
    statistics::Statistics,
    web_push::WebPush,
};

/// The running simulators. Clones share them; they run until [`Simulators::stop`].
#[derive(Debug, Clone)]
pub struct Simulators(Arc<Running>);

#[derive(Debug)]
struct Running {
    apns: Arc<Apns>,
    fcm: Arc<Fcm>,
    web_push: Arc<WebPush>,
    smsc: Arc<Smsc>,
    addresses: Addresses,
    credentials: Credentials,
    changed: Arc<Notify>,
    tasks: TaskTracker,
    stop: CancellationToken,
}

impl Simulators {
    /// Makes certificates and credentials, writes them where `options.directory` says, and listens. When this returns, all ports answer.
    pub async fn start(options: Options) -> Result<Self, Error> {
        let certificate = certificate::make(options.address)?;
        let provider_key = ProviderKey::generate()?;
        let account = ServiceAccount::generate(&options.fcm_project)?;
        let password = options.smpp_password.clone().unwrap_or_else(|| format!("{:08x}", rand::random::<u32>()));

        let (apns_listener, apns_address) = bind(options.address, options.apns_port).await?;
        let (fcm_listener, fcm_address) = bind(options.address, options.fcm_port).await?;
        let (web_push_listener, web_push_address) = bind(options.address, options.web_push_port).await?;
        let (oauth_listener, oauth_address) = bind(options.address, options.oauth_port).await?;
        let (smpp_listener, smpp_address) = bind(options.address, options.smpp_port).await?;
        let (control_listener, control_address) = bind(options.address, options.control_port).await?;
        let addresses = Addresses {
            apns: apns_address,
            fcm: fcm_address,
            web_push: web_push_address,
            oauth: oauth_address,
            smpp: smpp_address,
            control: control_address,
        };
        let credentials = Credentials {
            ca_pem: certificate.ca_pem,
            fcm_service_account: account.file(&addresses.oauth_url()),
            apns_key_id: provider_key.key_id.clone(),
            apns_team_id: provider_key.team_id.clone(),
            apns_key_p8: provider_key.p8.clone(),
            fcm_project: options.fcm_project.clone(),
            smpp_system_id: options.smpp_system_id.clone(),
            smpp_password: password.clone(),
        };
        if let Some(directory) = &options.directory {
            write(directory, &credentials).await?;
        }

        let changed = Arc::new(Notify::new());
        let running = Running {
            apns: Arc::new(Apns::new(&options, &provider_key, changed.clone())?),
            fcm: Arc::new(Fcm::new(&options, &account, changed.clone())?),
            web_push: Arc::new(WebPush::new(&options, web_push_address, changed.clone())),
            smsc: Arc::new(Smsc::new(&options, password, changed.clone())),
            addresses,
            credentials,
            changed,
            tasks: TaskTracker::new(),
            stop: CancellationToken::new(),
        };
        let (tasks, stop) = (&running.tasks, &running.stop);
        tasks.spawn(http2::listen(apns_listener, certificate.tls.clone(), running.apns.clone(), tasks.clone(), stop.clone()));
        tasks.spawn(http2::listen(fcm_listener, certificate.tls.clone(), running.fcm.clone(), tasks.clone(), stop.clone()));
        tasks.spawn(http2::listen(web_push_listener, certificate.tls, running.web_push.clone(), tasks.clone(), stop.clone()));
        tasks.spawn(fcm::listen_oauth(oauth_listener, running.fcm.clone(), stop.clone()));
        tasks.spawn(smsc::listen(smpp_listener, running.smsc.clone(), tasks.clone(), stop.clone()));
        let simulators = Self(Arc::new(running));
        let (tasks, stop) = (&simulators.0.tasks, &simulators.0.stop);
        tasks.spawn(control::listen(control_listener, simulators.clone(), stop.clone()));
        tasks.close();
        Ok(simulators)
    }

    /// Closes all connections and ports; returns when that is done.
    pub async fn stop(&self) {
        self.0.stop.cancel();
        self.0.tasks.wait().await;
    }

    /// Where the simulators listen.
    pub fn addresses(&self) -> Addresses {
        self.0.addresses
    }

    /// What the platform needs to be let in.
    pub fn credentials(&self) -> &Credentials {
        &self.0.credentials
    }

    /// The last pushes to a token, installation id or id of a subscription, oldest first; empty unless `keep_payloads`.
    pub fn pushes_to(&self, token: &str) -> Vec<ReceivedPush> {
        let mut pushes = self.0.apns.kept.of(token);
        pushes.extend(self.0.fcm.kept.of(token));
        pushes.extend(self.0.web_push.kept.of(token));
        pushes.sort_by_key(|push| push.at);
        pushes
    }

    /// The last short messages to a phone, however its number is written, oldest first; empty unless `keep_payloads`.
    pub fn sms_to(&self, phone: &str) -> Vec<ReceivedSms> {
        self.0.smsc.kept.of(&phone_key(phone))
    }

    /// A resident answers by SMS. It waits when no receiver is bound.
    pub fn reply(&self, phone: &str, text: &str) {
        self.0.smsc.reply(phone, text);
    }

    /// Adds a fault to a provider.
    pub fn fault(&self, provider: Provider, mut fault: Fault) {
        if provider == Provider::Sms {
            fault.only = fault.only.iter().map(|phone| phone_key(phone)).collect();
        }
        self.faults(provider).add(fault);
    }

    /// Puts a plan in the place of all of a provider's faults.
    pub fn set_faults(&self, provider: Provider, mut plan: FaultPlan) {
        if provider == Provider::Sms {
            for fault in &mut plan.faults {
                fault.only = fault.only.iter().map(|phone| phone_key(phone)).collect();
            }
        }
        self.faults(provider).replace(plan);
    }

    /// Ends all faults of a provider.
    pub fn heal(&self, provider: Provider) {
        self.set_faults(provider, FaultPlan::default());
    }

    /// Counts of everything.
    pub fn statistics(&self) -> Statistics {
        Statistics {
            apns: self.0.apns.tallies.push_statistics(&self.0.apns.ledger),
            fcm: self.0.fcm.tallies.push_statistics(&self.0.fcm.ledger),
            web_push: self.0.web_push.tallies.push_statistics(&self.0.web_push.ledger),
            sms: self.0.smsc.statistics(),
        }
    }

    /// How often a recipient was reached.
    pub fn times(&self, provider: Provider, recipient: &str) -> u64 {
        match provider {
            Provider::Sms => self.ledger(provider).count(&phone_key(recipient)).times,
            _ => self.ledger(provider).count(recipient).times,
        }
    }

    /// How often a token was reached under each collapse id; empty when counting is dense.
    pub fn collapse_ids(&self, provider: Provider, token: &str) -> BTreeMap<String, u64> {
        self.ledger(provider).count(token).collapse_ids
    }

    /// Every recipient with its count, for comparing sets. With dense counting a token is named by its first eight digits.
    pub fn recipients(&self, provider: Provider) -> impl Iterator<Item = (String, u64)> + '_ {
        (0..).map_while(move |index| self.ledger(provider).slice(index)).flatten()
    }

    /// Waits until what arrived or was refused satisfies a condition; returns at once when it already does. The caller sets the time limit.
    pub async fn until(&self, mut condition: impl FnMut(&Self) -> bool) {
        loop {
            let changed = self.0.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            if condition(self) {
                return;
            }
            changed.await;
        }
    }

    /// Forgets what arrived and ends all faults.
    pub fn reset(&self) {
        for provider in [Provider::Apns, Provider::Fcm, Provider::WebPush, Provider::Sms] {
            self.heal(provider);
        }
        self.0.smsc.reset();
        self.0.apns.ledger.reset();
        self.0.apns.kept.reset();
        self.0.apns.tallies.reset();
        self.0.fcm.ledger.reset();
        self.0.fcm.kept.reset();
        self.0.fcm.tallies.reset();
        self.0.web_push.reset();
    }

    pub(crate) fn ledger(&self, provider: Provider) -> &Ledger {
        match provider {
            Provider::Apns => &self.0.apns.ledger,
            Provider::Fcm => &self.0.fcm.ledger,
            Provider::WebPush => &self.0.web_push.ledger,
            Provider::Sms => &self.0.smsc.ledger,
        }
    }

    fn faults(&self, provider: Provider) -> &Faults {
        match provider {
            Provider::Apns => &self.0.apns.faults,
            Provider::Fcm => &self.0.fcm.faults,
            Provider::WebPush => &self.0.web_push.faults,
            Provider::Sms => &self.0.smsc.faults,
        }
    }
}

async fn bind(address: IpAddr, port: u16) -> Result<(TcpListener, SocketAddr), Error> {
    let address = SocketAddr::new(address, port);
    let failed = |source| Error::Listen { address, source };
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    let bound = listener.local_addr().map_err(failed)?;
    Ok((listener, bound))
}

async fn write(directory: &Path, credentials: &Credentials) -> Result<(), Error> {
    let failed = |path: &Path| {
        let path = path.to_owned();
        |source| Error::Write { path, source }
    };
    tokio::fs::create_dir_all(directory).await.map_err(failed(directory))?;
    let files = [
        ("ca.pem", &credentials.ca_pem),
        ("apns.p8", &credentials.apns_key_p8),
        ("fcm-service-account.json", &credentials.fcm_service_account),
    ];
    for (name, content) in files {
        let path = directory.join(name);
        tokio::fs::write(&path, content).await.map_err(failed(&path))?;
    }
    Ok(())
}
