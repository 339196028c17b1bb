//! A listener that speaks TLS.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use rustls::RootCertStore;
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, ServerName};
use stages::Signed;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_util::sync::CancellationToken;

use super::*;
use crate::http::{Certificate, Server};

/// Who believes this authority and nobody else, and offers these protocols.
fn visitor(authority: &Path, protocols: &[&str]) -> TlsConnector {
    let mut believed = RootCertStore::empty();
    believed.add(CertificateDer::from_pem_file(authority).unwrap()).unwrap();
    let mut config = rustls::ClientConfig::builder_with_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(believed)
        .with_no_client_auth();
    config.alpn_protocols = protocols.iter().map(|protocol| protocol.as_bytes().to_vec()).collect();
    TlsConnector::from(Arc::new(config))
}

async fn visits(connector: &TlsConnector, address: SocketAddr) -> std::io::Result<(Option<Vec<u8>>, String)> {
    let name = ServerName::try_from("localhost").unwrap();
    let mut connection = connector.connect(name, TcpStream::connect(address).await?).await?;
    let protocol = connection.get_ref().1.alpn_protocol().map(<[u8]>::to_vec);
    let mut answer = String::new();
    if protocol.as_deref() != Some(b"h2") {
        connection.write_all(b"GET /healthz HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").await?;
        connection.read_to_string(&mut answer).await?;
    }
    Ok((protocol, answer))
}

#[tokio::test]
async fn a_listener_with_a_certificate_answers_through_tls_alone_and_shows_a_renewed_one() {
    let (signed, renewed) = (Signed::new("localhost"), Signed::new("localhost"));
    let certificate = Certificate::of(&signed.certificate, &signed.key).unwrap();
    let server = Server::bind("127.0.0.1:0".parse().unwrap()).await.unwrap().encrypted(Some(certificate.clone()));
    assert!(server.url().starts_with("https://127.0.0.1:"));
    let (address, stop) = (server.address(), CancellationToken::new());
    let serving = tokio::spawn(server.serve(shell().router(), stop.clone(), std::time::Duration::from_secs(5)));

    let (protocol, answer) = visits(&visitor(&signed.authority, &["http/1.1"]), address).await.unwrap();
    assert_eq!(protocol.as_deref(), Some(b"http/1.1".as_slice()));
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    let (protocol, _) = visits(&visitor(&signed.authority, &["h2", "http/1.1"]), address).await.unwrap();
    assert_eq!(protocol.as_deref(), Some(b"h2".as_slice()), "who can gets the newer protocol");

    let mut in_the_clear = TcpStream::connect(address).await.unwrap();
    in_the_clear.write_all(b"GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n").await.unwrap();
    let mut answer = Vec::new();
    let _ = in_the_clear.read_to_end(&mut answer).await;
    assert!(!answer.starts_with(b"HTTP"), "nothing is answered in the clear");

    // a renewal that is half written changes nothing
    std::fs::write(&signed.certificate, "half").unwrap();
    assert!(certificate.renew().unwrap_err().to_string().contains("server.certificate_file"));
    assert!(visits(&visitor(&signed.authority, &["http/1.1"]), address).await.is_ok());

    std::fs::copy(&renewed.certificate, &signed.certificate).unwrap();
    std::fs::copy(&renewed.key, &signed.key).unwrap();
    certificate.renew().unwrap();
    assert!(visits(&visitor(&renewed.authority, &["http/1.1"]), address).await.is_ok());
    assert!(visits(&visitor(&signed.authority, &["http/1.1"]), address).await.is_err(), "the old one is shown no more");
    stop.cancel();
    serving.await.unwrap();
}

#[test]
fn a_certificate_and_a_key_that_do_not_belong_together_are_refused() {
    let (one, other) = (Signed::new("localhost"), Signed::new("localhost"));
    assert!(Certificate::of(&one.certificate, &other.key).unwrap_err().to_string().contains("server.key_file"));
    assert!(Certificate::of(&one.key, &one.key).unwrap_err().to_string().contains("server.certificate_file"));
}
