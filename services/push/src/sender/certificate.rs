//! When the certificates of a server end. Nothing is parsed here: `rustls`, which has to believe them, is asked whether it still would at a later
//! time, and names the end of the first that it would not.

use std::io;
use std::path::Path;
use std::time::Duration;

use chrono::{DateTime, Utc};
use rustls::CertificateError;
use rustls::client::danger::ServerCertVerifier;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use tokio::net::TcpStream;

use super::address::Address;
use super::tls::{Roots, TlsFault};

/// 9999-12-31T23:59:59Z, which certificates without an end carry (RFC 5280 §4.1.2.5).
const FOR_EVER: Duration = Duration::from_secs(253_402_300_799);
/// Certificates of a chain at most, each of which may end before the one that was found.
const LONGEST_CHAIN: usize = 10;

/// Connects as a [`super::Sender`] does, and says when the first certificate of the server's chain ends; `None` when none ever does, or the
/// connection is not encrypted.
///
/// # Errors
/// When the server cannot be reached within `patience`, is not believed, or does not speak HTTP/2.
pub async fn end_of_chain(address: &Address, roots: &Roots, patience: Duration) -> io::Result<Option<DateTime<Utc>>> {
    let connect = async {
        let socket = TcpStream::connect((address.host(), address.port())).await?;
        if !address.is_tls() {
            return Ok(None);
        }
        let name = ServerName::try_from(address.host().to_owned()).map_err(io::Error::other)?;
        let socket = roots.connector().map_err(io::Error::other)?.connect(name.clone(), socket).await?;
        let session = socket.get_ref().1;
        if session.alpn_protocol() != Some(super::tls::ALPN) {
            return Err(io::Error::new(io::ErrorKind::Unsupported, "the server does not speak HTTP/2"));
        }
        let chain = session.peer_certificates().unwrap_or_default();
        let verifier = roots.verifier().map_err(io::Error::other)?;
        Ok(chain.split_first().and_then(|(server, above)| first_end(verifier.as_ref(), server, above, &name)))
    };
    tokio::time::timeout(patience, connect).await.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
}

/// When the certificates of a PEM file end, in their order; those without an end are left out.
///
/// # Errors
/// When the file cannot be read, or its certificates cannot be roots.
pub fn ends_in_file(path: &Path) -> Result<Vec<DateTime<Utc>>, TlsFault> {
    let verifier = Roots::load(Some(path))?.verifier()?;
    let unreadable = |source| TlsFault::CaFile { path: path.to_owned(), source };
    // validity is looked at before anything that an authority's certificate is not
    let nobody = ServerName::try_from("nobody.invalid").expect("a host name");
    let mut ends = Vec::new();
    for certificate in CertificateDer::pem_file_iter(path).map_err(unreadable)? {
        ends.extend(first_end(verifier.as_ref(), &certificate.map_err(unreadable)?, &[], &nobody));
    }
    Ok(ends)
}

fn first_end(
    verifier: &dyn ServerCertVerifier,
    server: &CertificateDer<'_>,
    above: &[CertificateDer<'_>],
    name: &ServerName<'_>,
) -> Option<DateTime<Utc>> {
    let mut end = None;
    let mut at = UnixTime::since_unix_epoch(FOR_EVER);
    for _ in 0..LONGEST_CHAIN {
        match verifier.verify_server_cert(server, above, name, &[], at) {
            Err(rustls::Error::InvalidCertificate(CertificateError::ExpiredContext { not_after, .. })) => {
                end = Some(not_after);
                at = not_after;
            }
            _ => break,
        }
    }
    end.and_then(|end| DateTime::from_timestamp(i64::try_from(end.as_secs()).ok()?, 0))
}

#[cfg(test)]
mod tests {
    use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, date_time_ymd};

    use super::*;

    /// The PEM of an authority that ends in one year, and the certificate of a server that ends in another.
    fn chain(authority_ends: i32, server_ends: i32) -> (String, CertificateDer<'static>) {
        let mut authority = CertificateParams::default();
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        authority.not_after = date_time_ymd(authority_ends, 5, 1);
        let key = KeyPair::generate().unwrap();
        let pem = authority.self_signed(&key).unwrap().pem();
        let mut server = CertificateParams::new(["localhost".to_owned()]).unwrap();
        server.not_after = date_time_ymd(server_ends, 5, 1);
        let server = server.signed_by(&KeyPair::generate().unwrap(), &Issuer::new(authority, key)).unwrap();
        (pem, server.der().clone())
    }

    fn file(pem: &str) -> (tempfile::TempDir, std::path::PathBuf) {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("ca.pem");
        std::fs::write(&path, pem).unwrap();
        (directory, path)
    }

    fn may(year: i32) -> Option<DateTime<Utc>> {
        Some(DateTime::parse_from_rfc3339(&format!("{year}-05-01T00:00:00Z")).unwrap().to_utc())
    }

    #[test]
    fn the_end_of_a_servers_certificate_is_found_also_when_it_is_past() {
        for year in [2020, 2090] {
            let (authority, server) = chain(2099, year);
            let (_directory, path) = file(&authority);
            let verifier = Roots::load(Some(&path)).unwrap().verifier().unwrap();
            let localhost = ServerName::try_from("localhost").unwrap();
            assert_eq!(first_end(verifier.as_ref(), &server, &[], &localhost), may(year));
        }
    }

    #[test]
    fn every_authority_in_a_file_has_its_end() {
        let (one, other) = (chain(2020, 2090).0, chain(2080, 2090).0);
        let (_directory, path) = file(&format!("{one}{other}"));
        assert_eq!(ends_in_file(&path).unwrap().into_iter().map(Some).collect::<Vec<_>>(), [may(2020), may(2080)]);
    }
}
