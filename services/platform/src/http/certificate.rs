//! The certificate that a listener shows: read from files, and read again when they change, so that a renewal needs no restart.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use rustls::crypto::aws_lc_rs;
use rustls::server::{ClientHello, ResolvesServerCert, ServerConfig};
use rustls::sign::CertifiedKey;
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::TlsAcceptor;

use crate::Error;

/// The files are looked at so often.
const LOOKED_AT_EVERY: Duration = Duration::from_secs(60);

/// A certificate and its key.
#[derive(Clone)]
pub struct Certificate {
    files: [PathBuf; 2],
    shown: Arc<Shown>,
}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Certificate").field("files", &self.files).finish_non_exhaustive()
    }
}

/// What is shown at present, and what it was read from.
struct Shown(RwLock<(Vec<u8>, Arc<CertifiedKey>)>);

impl fmt::Debug for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Shown(…)")
    }
}

impl ResolvesServerCert for Shown {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner).1))
    }
}

impl Certificate {
    /// Reads the certificate with those that lead to its authority, and its key, from files of PEM.
    ///
    /// # Errors
    /// When a file cannot be read or the two do not belong together.
    pub fn of(certificate: &Path, key: &Path) -> Result<Self, Error> {
        let files = [certificate.to_owned(), key.to_owned()];
        let read = read(&files)?;
        Ok(Self { files, shown: Arc::new(Shown(RwLock::new(read))) })
    }

    /// Who speaks TLS with visitors: HTTP/2 to those who can, HTTP/1.1 to the others.
    pub(super) fn acceptor(&self) -> Result<TlsAcceptor, Error> {
        let unsound = |error: rustls::Error| Error::Setting { name: "server.certificate_file", reason: error.to_string() };
        let mut config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(unsound)?
            .with_no_client_auth()
            .with_cert_resolver(Arc::clone(&self.shown) as Arc<dyn ResolvesServerCert>);
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(TlsAcceptor::from(Arc::new(config)))
    }

    /// Shows what the files hold now. Of files that are no certificate the old one stays: a renewal that is half written must not end the service.
    ///
    /// # Errors
    /// When they are none.
    pub fn renew(&self) -> Result<(), Error> {
        let read = read(&self.files)?;
        let mut shown = self.shown.0.write().unwrap_or_else(PoisonError::into_inner);
        if shown.0 != read.0 {
            *shown = read;
            tracing::info!("a renewed certificate is shown");
        }
        Ok(())
    }

    /// Looks at the files again and again.
    pub(super) async fn keep_renewed(self) {
        loop {
            tokio::time::sleep(LOOKED_AT_EVERY).await;
            if let Err(error) = self.renew() {
                tracing::warn!(%error, "the certificate cannot be renewed; the old one is shown on");
            }
        }
    }
}

fn read([certificate, key]: &[PathBuf; 2]) -> Result<(Vec<u8>, Arc<CertifiedKey>), Error> {
    let wrong = |name: &'static str, path: &Path, reason: &dyn fmt::Display| Error::Setting {
        name,
        reason: format!("{}: {reason}", path.display()),
    };
    let of_certificate = |reason: &dyn fmt::Display| wrong("server.certificate_file", certificate, reason);
    let of_key = |reason: &dyn fmt::Display| wrong("server.key_file", key, reason);
    let text = std::fs::read(certificate).map_err(|error| of_certificate(&error))?;
    let chain: Vec<CertificateDer<'static>> =
        CertificateDer::pem_slice_iter(&text).collect::<Result<_, _>>().map_err(|error| of_certificate(&error))?;
    if chain.is_empty() {
        return Err(of_certificate(&"holds no certificate in the form of PEM"));
    }
    let secret = std::fs::read(key).map_err(|error| of_key(&error))?;
    let secret = PrivateKeyDer::from_pem_slice(&secret).map_err(|error| of_key(&error))?;
    let certified = CertifiedKey::from_der(chain, secret, &aws_lc_rs::default_provider()).map_err(|error| of_key(&error))?;
    Ok((text, Arc::new(certified)))
}
