//! Encryption on the way to the stores: which connections have to be encrypted, and whom they believe.
//!
//! A connection that leaves this machine is encrypted, and the server shows a certificate for the name it was called by, unless the settings
//! say that the way is protected otherwise. On this machine nobody listens who could not read the files as well.

use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;

use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;
use serde::{Deserialize, Serialize};
use tokio_rustls::TlsConnector;

use crate::error::Error;

/// Whether a connection to another machine has to be encrypted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Tls {
    /// It has to be.
    #[default]
    Required,
    /// The way is protected otherwise: a network of one's own, a tunnel.
    Off,
}

/// What the settings of a store say about it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asked<'s> {
    pub(crate) tls: Tls,
    pub(crate) ca_file: Option<&'s Path>,
}

impl Asked<'_> {
    /// Whether the connection to this host has to be encrypted. Who names a certificate authority wants it on this machine too.
    pub(crate) fn is_encrypted(self, host: &str) -> bool {
        self.ca_file.is_some() || self.tls == Tls::Required && !is_here(host)
    }

    /// The certificates of the authority that is believed, if one is named.
    ///
    /// # Errors
    /// When the file cannot be read, or holds no certificate.
    pub(crate) fn authority(self, setting: &'static str) -> Result<Option<String>, Error> {
        let Some(path) = self.ca_file else { return Ok(None) };
        let wrong = |why: String| Error::Setting { name: setting, reason: format!("{}: {why}", path.display()) };
        let text = std::fs::read_to_string(path).map_err(|error| wrong(error.to_string()))?;
        if text.contains("-----BEGIN CERTIFICATE-----") {
            Ok(Some(text))
        } else {
            Err(wrong("holds no certificate in the form of PEM".to_owned()))
        }
    }
}

/// Who speaks TLS with a server that is called `host`: none where the connection need not be encrypted. Believed are the authority of the
/// settings, or those of the system where none is named.
///
/// # Errors
/// When the authority's file cannot be used.
pub fn connector(host: &str, tls: Tls, ca_file: Option<&Path>, setting: &'static str) -> Result<Option<TlsConnector>, Error> {
    let asked = Asked { tls, ca_file };
    if !asked.is_encrypted(host) {
        return Ok(None);
    }
    let mut believed = RootCertStore::empty();
    match asked.authority(setting)? {
        Some(text) => {
            let certificates = CertificateDer::pem_slice_iter(text.as_bytes()).filter_map(Result::ok);
            believed.add_parsable_certificates(certificates);
        }
        None => drop(believed.add_parsable_certificates(rustls_native_certs::load_native_certs().certs)),
    }
    let unsound = |error: rustls::Error| Error::Setting { name: setting, reason: error.to_string() };
    let config = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(unsound)?
        .with_root_certificates(believed)
        .with_no_client_auth();
    Ok(Some(TlsConnector::from(Arc::new(config))))
}

/// An address that would send in the clear what has to be encrypted.
pub(crate) fn in_the_clear(setting: &'static str, host: &str, scheme: &str, switch: &str) -> Error {
    Error::Setting {
        name: setting,
        reason: format!(
            "would send in the clear to {host}: begin it with {scheme}, or set {switch} = \"off\" where the way there is protected otherwise"
        ),
    }
}

/// Whether a host is this machine: a socket in its files, or an address that leads nowhere else.
fn is_here(host: &str) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host.starts_with('/') || host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.to_canonical().is_loopback())
}

/// Chooses the library for everybody in this process who speaks TLS. Doing it again changes nothing.
pub(crate) fn choose_library() {
    // an error says that it was chosen before
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::of_this_machine("127.0.0.1", Tls::Required, false, false)]
    #[case::in_long("[::1]", Tls::Required, false, false)]
    #[case::mapped("::ffff:127.0.0.1", Tls::Required, false, false)]
    #[case::by_name("localhost", Tls::Required, false, false)]
    #[case::in_a_file("/run/postgresql", Tls::Required, false, false)]
    #[case::here_but_wanted("127.0.0.1", Tls::Off, true, true)]
    #[case::elsewhere("db.city", Tls::Required, false, true)]
    #[case::in_the_next_rack("10.0.0.7", Tls::Required, false, true)]
    #[case::called_like_here("localhost.city", Tls::Required, false, true)]
    #[case::everywhere("0.0.0.0", Tls::Required, false, true)]
    #[case::protected_otherwise("10.0.0.7", Tls::Off, false, false)]
    fn what_leaves_the_machine_is_encrypted_unless_somebody_says_otherwise(
        #[case] host: &str,
        #[case] tls: Tls,
        #[case] named: bool,
        #[case] encrypted: bool,
    ) {
        let ca_file = named.then_some(Path::new("/etc/fenghuo/ca.pem"));
        assert_eq!(Asked { tls, ca_file }.is_encrypted(host), encrypted);
    }

    #[test]
    fn a_file_without_a_certificate_is_named() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("ca.pem");
        let asked = Asked { tls: Tls::Required, ca_file: Some(&file) };
        assert!(asked.authority("bus.ca_file").unwrap_err().to_string().contains("ca.pem"), "missing");
        std::fs::write(&file, "nothing").unwrap();
        assert!(asked.authority("bus.ca_file").unwrap_err().to_string().contains("no certificate"));
    }
}
