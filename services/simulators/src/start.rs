//! Starting all simulators.

use std::{
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
    fcm::{self, Fcm, ServiceAccount},
    http2,
    options::{Addresses, Credentials, Options},
    simulators::{Running, Simulators},
    smsc::{self, Smsc},
    web_push::WebPush,
};

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
