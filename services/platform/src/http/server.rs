//! Serving a router on a socket: HTTP/1.1 and HTTP/2 on the same port, and an orderly end.

use crate::compiled_once;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::Router;
use futures::stream::FuturesUnordered;
use futures::{FutureExt as _, StreamExt as _};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;
use tokio_util::task::{AbortOnDropHandle, TaskTracker};
use tower::ServiceExt;

use super::certificate::Certificate;
use super::client_address::Peer;
use crate::Error;

/// Longest time for a client to send the head of a request: slow ones would hold connections open for nothing.
const HEAD_TIMEOUT: Duration = Duration::from_secs(15);
/// Idle HTTP/2 connections are asked whether they are still there.
const KEEP_ALIVE: Duration = Duration::from_secs(30);
/// Wait after the system refused a new connection (out of descriptors), before asking again.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// Requests that one HTTP/2 connection may have open.
const STREAMS: u32 = 250;
/// A client that takes nothing of what is sent to it is given up after this long: the answer would be held for nothing.
const UNREAD: Duration = Duration::from_secs(60);
/// Connections at once, unless somebody says otherwise.
pub(super) const CONNECTIONS: usize = 10_000;

/// A socket that listens, before anything is served on it: with port 0 the system chooses, and [`Server::address`] tells.
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
    address: SocketAddr,
    connections: usize,
    head_timeout: Duration,
    certificate: Option<Certificate>,
}

impl Server {
    /// Listens. Connections wait until [`Server::serve`].
    #[compiled_once]
    pub async fn bind(address: SocketAddr) -> Result<Self, Error> {
        let failed = |source| Error::Listen { address: address.to_string(), source };
        let listener = TcpListener::bind(address).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        Ok(Self { listener, address, connections: CONNECTIONS, head_timeout: HEAD_TIMEOUT, certificate: None })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Speaks TLS, with this certificate, and nothing else.
    #[must_use]
    pub fn encrypted(self, certificate: Option<Certificate>) -> Self {
        Self { certificate, ..self }
    }

    /// Where it is reached by who is at this machine.
    pub fn url(&self) -> String {
        let scheme = if self.certificate.is_some() { "https" } else { "http" };
        format!("{scheme}://{}", self.address)
    }

    /// At most so many connections at once; whoever comes then waits until one has ended.
    #[must_use]
    pub fn connections(self, connections: usize) -> Self {
        Self { connections: connections.clamp(1, Semaphore::MAX_PERMITS), ..self }
    }

    /// How long a client may take for the head of a request, the first one included.
    #[must_use]
    pub fn heads_within(self, head_timeout: Duration) -> Self {
        Self { head_timeout, ..self }
    }

    /// Serves until `shutdown`; then takes no new connection, lets open requests finish for at most `drain`, and returns.
    #[compiled_once]
    pub async fn serve(self, router: Router, shutdown: CancellationToken, drain: Duration) {
        let acceptor = match self.certificate.as_ref().map(Certificate::acceptor).transpose() {
            Ok(acceptor) => acceptor,
            Err(error) => {
                tracing::error!(%error, "nothing is served");
                return;
            }
        };
        let renewing = self.certificate.clone().map(|certificate| AbortOnDropHandle::new(tokio::spawn(certificate.keep_renewed())));
        let connections = TaskTracker::new();
        // Cancelled when patience with the open requests ends.
        let abort = CancellationToken::new();
        let places = Arc::new(Semaphore::new(self.connections));
        tracing::info!(address = %self.address, "listening");
        loop {
            let accepted = tokio::select! {
                () = shutdown.cancelled() => break,
                accepted = accept(&self.listener, &places) => accepted,
            };
            match accepted {
                Ok((stream, peer, place)) => {
                    let stopping = (shutdown.clone(), abort.clone());
                    let (router, acceptor, head_timeout) = (router.clone(), acceptor.clone(), self.head_timeout);
                    connections.spawn(async move {
                        prepare(&stream);
                        match acceptor {
                            None => serve_connection(stream, Peer(peer), router, head_timeout, stopping).await,
                            Some(acceptor) => match tokio::time::timeout(head_timeout, acceptor.accept(stream)).await {
                                Ok(Ok(stream)) => serve_connection(stream, Peer(peer), router, head_timeout, stopping).await,
                                Ok(Err(error)) => tracing::debug!(%error, "a connection was not encrypted"),
                                Err(_) => tracing::debug!("a connection asked for nothing"),
                            },
                        }
                        drop(place);
                    });
                }
                Err(error) => {
                    tracing::warn!(%error, "connection not accepted");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
        drop(self.listener);
        drop(renewing);
        connections.close();
        tracing::info!(open = connections.len(), drain_s = drain.as_secs(), "draining");
        if tokio::time::timeout(drain, connections.wait()).await.is_err() {
            tracing::warn!(open = connections.len(), "connections cut off after the drain time");
            abort.cancel();
            connections.wait().await;
        }
    }
}

/// The next connection, with its place among those that may be open.
async fn accept(listener: &TcpListener, places: &Arc<Semaphore>) -> std::io::Result<(TcpStream, SocketAddr, OwnedSemaphorePermit)> {
    let free = Arc::clone(places).try_acquire_owned();
    let place = match free {
        Ok(place) => place,
        Err(_) => {
            tracing::warn!("as many connections are open as may be; the next ones wait");
            metrics::counter!("http_connections_full_total").increment(1);
            Arc::clone(places).acquire_owned().await.map_err(std::io::Error::other)?
        }
    };
    let (stream, peer) = listener.accept().await?;
    Ok((stream, peer, place))
}

/// Answers are to leave at once, and nobody holds one by not taking it.
fn prepare(stream: &TcpStream) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "TCP_NODELAY not set");
    }
    #[cfg(target_os = "linux")]
    if let Err(error) = socket2::SockRef::from(stream).set_tcp_user_timeout(Some(UNREAD)) {
        tracing::debug!(%error, "TCP_USER_TIMEOUT not set");
    }
}

async fn serve_connection(
    stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
    peer: Peer,
    router: Router,
    head_timeout: Duration,
    (shutdown, abort): (CancellationToken, CancellationToken),
) {
    let asked = Arc::new(AtomicBool::new(false));
    let has_asked = Arc::clone(&asked);
    let service = TowerToHyperService::new(router.map_request(move |mut request: http::Request<_>| {
        asked.store(true, Ordering::Relaxed);
        request.extensions_mut().insert(peer);
        request.map(axum::body::Body::new)
    }));
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(head_timeout);
    builder.http2().timer(TokioTimer::new()).keep_alive_interval(KEEP_ALIVE).max_concurrent_streams(STREAMS);
    let mut connection = pin!(builder.serve_connection_with_upgrades(TokioIo::new(stream), service));
    // Each is asked when it has something to say, not whenever the connection is woken: they are the same for all connections.
    let mut signals = FuturesUnordered::from_iter([
        shutdown.cancelled_owned().map(|()| Signal::Finish).boxed(),
        abort.cancelled_owned().map(|()| Signal::Leave).boxed(),
    ]);
    // Whoever connects and says nothing, or half of it, is not yet read by a version of HTTP and its times.
    let mut first_request = pin!(tokio::time::sleep(head_timeout));
    loop {
        tokio::select! {
            () = first_request.as_mut(), if !first_request.is_elapsed() => {
                if !has_asked.load(Ordering::Relaxed) {
                    tracing::debug!("a connection asked for nothing");
                    return;
                }
            }
            ended = connection.as_mut() => {
                if let Err(error) = ended {
                    // Clients break off all the time; nobody has to act on it.
                    tracing::debug!(%error, "connection ended early");
                }
                return;
            }
            Some(signal) = signals.next() => match signal {
                Signal::Finish => connection.as_mut().graceful_shutdown(),
                Signal::Leave => return,
            },
        }
    }
}

/// What a connection is told when the server stops.
enum Signal {
    /// Finish what is open and take nothing more.
    Finish,
    /// Time is up.
    Leave,
}
