//! A front before a server: it ends TLS and hands on what comes, as a server that speaks TLS itself would answer.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

/// How PostgreSQL is asked whether it speaks TLS.
pub const SSL_REQUEST: [u8; 8] = [0, 0, 0, 8, 4, 210, 22, 47];

/// A certificate authority and what it has signed, in files of PEM.
pub struct Signed {
    /// The authority.
    pub authority: PathBuf,
    /// The certificate.
    pub certificate: PathBuf,
    /// Its key.
    pub key: PathBuf,
    config: Arc<ServerConfig>,
    _directory: tempfile::TempDir,
}

impl Signed {
    /// A new authority signs a certificate for `name`.
    pub fn new(name: &str) -> Self {
        let mut authority = CertificateParams::new(Vec::new()).unwrap();
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate().unwrap()).unwrap();
        let key = KeyPair::generate().unwrap();
        let certificate = CertificateParams::new(vec![name.to_owned()]).unwrap().signed_by(&key, &authority).unwrap();
        let directory = tempfile::tempdir().unwrap();
        let file = |name: &str, text: String| {
            let path = directory.path().join(name);
            std::fs::write(&path, text).unwrap();
            path
        };
        let files = [file("ca.pem", authority.pem()), file("server.pem", certificate.pem()), file("server.key", key.serialize_pem())];
        let provider = Arc::new(tokio_rustls::rustls::crypto::aws_lc_rs::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der())))
            .unwrap();
        let [authority, certificate, key] = files;
        Self { authority, certificate, key, config: Arc::new(config), _directory: directory }
    }
}

/// A front before a server.
pub struct Front {
    /// Where it listens.
    pub address: SocketAddr,
    /// The authority that its certificate comes from.
    pub authority: PathBuf,
    _signed: Signed,
}

impl Front {
    /// A front before `server` that shows a certificate for `name`. PostgreSQL `asks_first`, in the clear.
    pub async fn before(server: String, name: &str, asks_first: bool) -> Self {
        let signed = Signed::new(name);
        let (acceptor, listener) = (TlsAcceptor::from(Arc::clone(&signed.config)), TcpListener::bind("127.0.0.1:0").await.unwrap());
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            while let Ok((outside, _)) = listener.accept().await {
                // who breaks it off is no fault of the front's
                tokio::spawn(hand_on(outside, acceptor.clone(), server.clone(), asks_first));
            }
        });
        Self { address, authority: signed.authority.clone(), _signed: signed }
    }
}

async fn hand_on(mut outside: TcpStream, acceptor: TlsAcceptor, server: String, asks_first: bool) -> std::io::Result<()> {
    if asks_first {
        let mut asked = [0; 8];
        outside.read_exact(&mut asked).await?;
        if asked != SSL_REQUEST {
            return Ok(());
        }
        outside.write_all(b"S").await?;
    }
    let mut plain = acceptor.accept(outside).await?;
    let mut inside = TcpStream::connect(server).await?;
    copy_bidirectional(&mut plain, &mut inside).await.map(drop)
}
