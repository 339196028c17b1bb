//! A few connections for all askers, a stream for each request.

use std::rc::Rc;
use std::time::Instant;

use anyhow::Context as _;
use bytes::Bytes;
use futures::future::try_join_all;
use h2::client::SendRequest;
use http::header::{AUTHORIZATION, HeaderValue};
use http::{HeaderMap, Method, Request, StatusCode, Uri};
use tokio::net::TcpStream;

use super::Shared;

/// Connections that the askers share.
pub(super) const CONNECTIONS: u32 = 4;
/// Askers of one connection at most: the service grants a few more.
pub(super) const STREAMS: u32 = 200;

/// Has this many ask over one connection until nobody is left.
pub(super) async fn keep_busy(stream: TcpStream, askers: u32, shared: Rc<Shared>) -> anyhow::Result<()> {
    let (requests, connection) = h2::client::Builder::new().handshake::<_, Bytes>(stream).await?;
    let driver = tokio::task::spawn_local(connection);
    try_join_all((0..askers).map(|_| ask(requests.clone(), &shared))).await?;
    drop(requests);
    driver.await?.context("the service hung up")
}

async fn ask(mut requests: SendRequest<Bytes>, shared: &Shared) -> anyhow::Result<()> {
    let address: Uri = format!("http://fenghuo/api/v1/me/alerts/{}/acknowledgement", shared.alert).parse()?;
    while let Some((resident, token)) = shared.next() {
        let mut headers = HeaderMap::with_capacity(1);
        headers.insert(AUTHORIZATION, HeaderValue::try_from(format!("Bearer {token}"))?);
        let mut request = Request::new(());
        *request.method_mut() = Method::POST;
        *request.uri_mut() = address.clone();
        *request.headers_mut() = headers;
        let begun = Instant::now();
        requests = requests.ready().await?;
        let (answer, _) = requests.send_request(request, true)?;
        let answer = answer.await?;
        let good = answer.status() == StatusCode::OK;
        let mut body = answer.into_body();
        while let Some(piece) = body.data().await {
            let length = piece?.len();
            body.flow_control().release_capacity(length)?;
        }
        shared.answered(resident, begun, good);
    }
    Ok(())
}
