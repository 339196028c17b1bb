//! Which servers are believed: the system's roots and an extra CA file.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use tokio_rustls::TlsConnector;

/// The protocol that ALPN must agree on: this sender speaks nothing else.
pub(super) const ALPN: &[u8] = b"h2";

/// The trusted certificates.
#[derive(Clone, Debug)]
pub struct Roots(Arc<RootCertStore>);

/// Why no trusted connection can be made.
#[derive(Debug, thiserror::Error)]
pub enum TlsFault {
    /// The extra CA file cannot be read as PEM certificates.
    #[error("the CA file {path} cannot be read")]
    CaFile {
        /// The file of the settings.
        path: PathBuf,
        /// What is wrong with it.
        #[source]
        source: rustls_pki_types::pem::Error,
    },
    /// A certificate of the extra CA file cannot be a root.
    #[error("a certificate in the CA file {path} cannot be used")]
    CaCertificate {
        /// The file of the settings.
        path: PathBuf,
        /// What is wrong with it.
        #[source]
        source: rustls::Error,
    },
    /// Neither the system nor the settings name a root.
    #[error("the system has no root certificates and no CA file is set")]
    NoRoots,
    /// The crypto provider supports no TLS version.
    #[error("TLS cannot be set up")]
    Setup(#[source] rustls::Error),
}

impl Roots {
    /// The system's roots, and those of `extra` (PEM) where it is set.
    ///
    /// # Errors
    /// When the extra file cannot be used, or nothing at all is trusted.
    pub fn load(extra: Option<&Path>) -> Result<Self, TlsFault> {
        let mut roots = RootCertStore::empty();
        let system = rustls_native_certs::load_native_certs();
        for error in &system.errors {
            tracing::warn!(%error, "a system root certificate cannot be loaded");
        }
        roots.add_parsable_certificates(system.certs);
        if let Some(path) = extra {
            let unreadable = |source| TlsFault::CaFile { path: path.to_owned(), source };
            let mut found = 0;
            for certificate in CertificateDer::pem_file_iter(path).map_err(unreadable)? {
                roots.add(certificate.map_err(unreadable)?).map_err(|source| TlsFault::CaCertificate { path: path.to_owned(), source })?;
                found += 1;
            }
            if found == 0 {
                return Err(unreadable(rustls_pki_types::pem::Error::NoItemsFound));
            }
        }
        if roots.is_empty() {
            return Err(TlsFault::NoRoots);
        }
        Ok(Self(Arc::new(roots)))
    }

    /// Who says whether a server's certificates are believed.
    pub(super) fn verifier(&self) -> Result<Arc<WebPkiServerVerifier>, TlsFault> {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        WebPkiServerVerifier::builder_with_provider(Arc::clone(&self.0), provider).build().map_err(|_| TlsFault::NoRoots)
    }

    /// A connector that offers HTTP/2 only.
    ///
    /// # Errors
    /// When the crypto provider supports no TLS version.
    pub fn connector(&self) -> Result<TlsConnector, TlsFault> {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(TlsFault::Setup)?
            .with_root_certificates(Arc::clone(&self.0))
            .with_no_client_auth();
        config.alpn_protocols = vec![ALPN.to_vec()];
        Ok(TlsConnector::from(Arc::new(config)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ca_file_that_is_missing_or_holds_no_certificate_is_named() {
        let directory = tempfile::tempdir().unwrap();
        let missing = directory.path().join("missing.pem");
        assert!(Roots::load(Some(&missing)).unwrap_err().to_string().contains("missing.pem"));
        let empty = directory.path().join("empty.pem");
        std::fs::write(&empty, "no certificate here").unwrap();
        assert!(Roots::load(Some(&empty)).unwrap_err().to_string().contains("empty.pem"));
    }
}
