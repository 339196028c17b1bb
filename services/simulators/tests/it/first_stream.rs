//! A new APNs connection has one stream; after the first valid request it has many.

use std::sync::Arc;

use bytes::Bytes;
use h2::client::SendRequest;
use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, ServerName, pem::PemObject},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use tokio_rustls::{TlsConnector, client::TlsStream};

use crate::story::{City, device, soon};

async fn tls(city: &City) -> TlsStream<TcpStream> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(city.simulators.credentials().ca_pem.as_bytes()).unwrap()).unwrap();
    let mut config = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec()];
    let socket = TcpStream::connect(city.simulators.addresses().apns).await.unwrap();
    TlsConnector::from(Arc::new(config)).connect(ServerName::try_from("localhost").unwrap(), socket).await.unwrap()
}

async fn push(city: &City, connection: &SendRequest<Bytes>, authorization: &str) -> http::StatusCode {
    let request = http::Request::post(format!("{}/3/device/{}", city.simulators.addresses().apns_url(), device(1)))
        .header("authorization", authorization)
        .header("apns-topic", "city.example.alerts")
        .body(())
        .unwrap();
    let (response, mut body) = soon(connection.clone().ready()).await.unwrap().send_request(request, false).unwrap();
    body.send_data(Bytes::from_static(br#"{"aps":{}}"#), true).unwrap();
    soon(response).await.unwrap().status()
}

async fn limit_becomes(connection: &SendRequest<Bytes>, limit: usize) {
    soon(async {
        while connection.current_max_send_streams() != limit {
            tokio::task::yield_now().await
        }
    })
    .await;
}

#[tokio::test]
async fn the_limit_rises_from_one_stream_to_a_thousand_with_the_first_valid_request() {
    let city = City::new().await;
    let (connection, driver) = h2::client::handshake(tls(&city).await).await.unwrap();
    tokio::spawn(driver);
    limit_becomes(&connection, 1).await;

    assert_eq!(push(&city, &connection, "bearer wrong").await, 403);
    assert_eq!(connection.current_max_send_streams(), 1, "a refused token opens nothing");

    assert_eq!(push(&city, &connection, &format!("bearer {}", city.provider_token())).await, 200);
    limit_becomes(&connection, 1_000).await;
    let pushes = (0..200).map(|_| push(&city, &connection, "bearer wrong"));
    assert_eq!(futures::future::join_all(pushes).await.len(), 200, "the connection carries many streams");
}

#[tokio::test]
async fn a_second_stream_before_the_first_valid_request_is_refused() {
    const HEADERS: u8 = 1;
    const RST_STREAM: u8 = 3;
    const SETTINGS: u8 = 4;
    const END_HEADERS: u8 = 4;
    const REFUSED_STREAM: u32 = 7;

    fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
        let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
        [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
    }

    let city = City::new().await;
    let mut socket = tls(&city).await;
    let path = format!("/3/device/{}", device(1));
    // HPACK: POST, https, a literal path.
    let headers = [&[0x83, 0x87, 0x04, u8::try_from(path.len()).unwrap()], path.as_bytes()].concat();
    let opening = [
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec(),
        frame(SETTINGS, 0, 0, &[]),
        frame(HEADERS, END_HEADERS, 1, &headers),
        frame(HEADERS, END_HEADERS, 3, &headers),
    ];
    socket.write_all(&opening.concat()).await.unwrap();

    let refused = soon(async {
        loop {
            let mut header = [0; 9];
            socket.read_exact(&mut header).await.unwrap();
            let mut payload = vec![0; usize::from(header[1]) << 8 | usize::from(header[2])];
            socket.read_exact(&mut payload).await.unwrap();
            if header[3] == RST_STREAM {
                return (header[8], u32::from_be_bytes(payload.try_into().unwrap()));
            }
        }
    });
    assert_eq!(refused.await, (3, REFUSED_STREAM));
}
