//! One HTTP/2 connection: opened, driven by a task of its own, and retired as soon as it takes no new requests.
//!
//! ```text
//! open ──▶ one stream ──first answer──▶ window open ──GOAWAY, error, silence──▶ retired ──last stream ends──▶ gone
//! ```
//!
//! A retired connection finishes the streams it has; [`super::Sender`] opens another one beside it.

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::Bytes;
use h2::client::{ResponseFuture, SendRequest};
use h2::{Reason, SendStream};
use http::uri::Parts;
use http::{HeaderMap, Method, Uri, Version};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::address::Address;
use super::exchange::{Failure, Request, Why};
use super::tls::ALPN;
use super::unvectored::Unvectored;
use super::window::Window;

/// The receive windows of a stream and of the connection: answers are small, and none shall wait for a window update.
const RECEIVE_WINDOW: u32 = 16 * 1024 * 1024;
/// h2 copies payloads below this size into its 16 KiB write buffer and flushes each larger one by itself; so larger ones are cut.
const COPIED_PAYLOAD: usize = 1000;
/// An idle or silent connection is probed this often,
const PING_EVERY: Duration = Duration::from_secs(30);
/// and given up when the probe stays unanswered for so long.
const PONG_WITHIN: Duration = Duration::from_secs(10);

/// An open connection.
#[derive(Debug)]
pub(super) struct Connection {
    address: Address,
    streams: Mutex<SendRequest<Bytes>>,
    window: Arc<Window>,
    retired: AtomicBool,
    answers: AtomicU64,
}

impl Connection {
    /// Connects, shakes hands and starts the driver task.
    ///
    /// # Errors
    /// When the server cannot be reached, is not trusted, or does not speak HTTP/2.
    pub(super) async fn open(address: &Address, tls: Option<&TlsConnector>, streams: usize) -> io::Result<Arc<Self>> {
        let socket = TcpStream::connect((address.host(), address.port())).await?;
        socket.set_nodelay(true)?;
        let Some(tls) = tls else {
            return Self::start(address, Unvectored(socket), streams).await;
        };
        let name = rustls_pki_types::ServerName::try_from(address.host().to_owned()).map_err(io::Error::other)?;
        let socket = tls.connect(name, socket).await?;
        if socket.get_ref().1.alpn_protocol() != Some(ALPN) {
            return Err(io::Error::new(io::ErrorKind::Unsupported, "the server does not speak HTTP/2"));
        }
        Self::start(address, Unvectored(socket), streams).await
    }

    async fn start<T>(address: &Address, socket: T, streams: usize) -> io::Result<Arc<Self>>
    where
        T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let (requests, connection) = h2::client::Builder::new()
            .enable_push(false)
            .initial_max_send_streams(1)
            .initial_window_size(RECEIVE_WINDOW)
            .initial_connection_window_size(RECEIVE_WINDOW)
            .handshake::<_, Bytes>(socket)
            .await
            .map_err(io::Error::other)?;
        let window = Arc::new(Window::of_one(streams));
        tokio::spawn(drive(connection, Arc::clone(&window)));
        Ok(Arc::new(Self {
            address: address.clone(),
            streams: Mutex::new(requests),
            window,
            retired: AtomicBool::new(false),
            answers: AtomicU64::new(0),
        }))
    }

    /// Whether the connection takes no new requests.
    pub(super) fn is_retired(&self) -> bool {
        self.retired.load(Ordering::Acquire)
    }

    pub(super) fn retire(&self) {
        self.retired.store(true, Ordering::Release);
        self.window.close();
    }

    /// Takes a free stream, if there is one.
    pub(super) fn try_seat(self: &Arc<Self>) -> Option<Seat> {
        self.window.try_enter().then(|| Seat(Arc::clone(self)))
    }

    /// Waits for a free stream; `None` when the connection takes no more requests.
    pub(super) async fn seat(self: &Arc<Self>) -> Option<Seat> {
        if self.window.enter().await {
            return Some(Seat(Arc::clone(self)));
        }
        self.retire();
        None
    }

    /// How many answers have come; a connection without a new one for long is given up.
    pub(super) fn answers(&self) -> u64 {
        self.answers.load(Ordering::Relaxed)
    }

    fn begin(&self, request: &Request<'_>) -> Result<ResponseFuture, Failure> {
        let (response, stream) = self.open_stream(self.head(request)?).map_err(|error| not_sent(&error))?;
        write_body(stream, request.body.clone()).map_err(|error| lost(&error))?;
        Ok(response)
    }

    fn head(&self, request: &Request<'_>) -> Result<http::Request<()>, Failure> {
        let mut target = Parts::default();
        target.scheme = Some(self.address.scheme().clone());
        target.authority = Some(self.address.authority().clone());
        target.path_and_query = Some(request.path.clone());
        let mut headers: HeaderMap = request.headers.clone();
        if let Some((name, value)) = &request.own {
            headers.insert(name.clone(), value.clone());
        }
        let mut head = http::Request::new(());
        *head.method_mut() = Method::POST;
        *head.version_mut() = Version::HTTP_2;
        *head.uri_mut() = Uri::from_parts(target).map_err(|_| Failure::NotSent(Why::StreamReset))?;
        *head.headers_mut() = headers;
        Ok(head)
    }

    fn open_stream(&self, head: http::Request<()>) -> Result<(ResponseFuture, SendStream<Bytes>), h2::Error> {
        // The lock is held for the few hundred nanoseconds in which h2 queues the head: a clone per request would take h2's own lock twice.
        let mut streams = self.streams.lock().unwrap_or_else(PoisonError::into_inner);
        match streams.poll_ready(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(ready) => ready?,
            // The server has just narrowed its window and one stream waits in h2 for its turn. A fresh handle may queue behind it.
            Poll::Pending => *streams = streams.clone(),
        }
        streams.send_request(head, false)
    }
}

/// A stream of a connection, given back when dropped.
#[derive(Debug)]
pub(super) struct Seat(Arc<Connection>);

impl Seat {
    /// Opens the stream and queues the request on it.
    pub(super) fn begin(&self, request: &Request<'_>) -> Result<ResponseFuture, Failure> {
        self.0.begin(request).inspect_err(|failure| self.failed(*failure))
    }

    /// The connection it is of.
    pub(super) fn connection(&self) -> &Connection {
        &self.0
    }

    /// Notes that an answer came.
    pub(super) fn answered(&self) {
        self.0.answers.fetch_add(1, Ordering::Relaxed);
        self.0.window.answered();
    }

    /// Notes that none came: the connection is of no more use, unless only this stream failed.
    pub(super) fn failed(&self, failure: Failure) {
        if !matches!(failure.why(), Why::StreamRefused | Why::StreamReset) {
            self.0.retire();
        }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.0.window.leave();
    }
}

fn write_body(mut stream: SendStream<Bytes>, mut body: Bytes) -> Result<(), h2::Error> {
    while body.len() > COPIED_PAYLOAD {
        stream.send_data(body.split_to(COPIED_PAYLOAD), false)?;
    }
    stream.send_data(body, true)
}

/// An error before anything of the request was queued.
fn not_sent(error: &h2::Error) -> Failure {
    Failure::NotSent(if error.is_go_away() { Why::GoingAway } else { Why::ConnectionLost })
}

/// An error after the request was queued. h2 reports the peer's `GOAWAY` only to streams above its last id (RFC 9113 §6.8);
/// those below it, when the connection ends before their answer, see a broken pipe.
pub(super) fn lost(error: &h2::Error) -> Failure {
    match error.reason() {
        Some(_) if error.is_go_away() && error.is_remote() => Failure::NotSent(Why::GoingAway),
        Some(Reason::REFUSED_STREAM) if error.is_reset() && error.is_remote() => Failure::NotSent(Why::StreamRefused),
        Some(_) if error.is_reset() => Failure::Unknown(Why::StreamReset),
        _ => Failure::Unknown(Why::ConnectionLost),
    }
}

/// Drives a connection until it ends, tells the window what the server allows, and probes a silent peer.
async fn drive<T>(mut connection: h2::client::Connection<T, Bytes>, window: Arc<Window>)
where
    T: AsyncRead + AsyncWrite + Unpin,
{
    let pings = connection.ping_pong();
    let mut allowed = 1;
    let driven = poll_fn(|cx| {
        let ended = Pin::new(&mut connection).poll(cx);
        let allows = connection.max_concurrent_send_streams();
        if allows != allowed {
            allowed = allows;
            window.server_allows(allows);
        }
        ended
    });
    tokio::select! {
        ended = driven => match ended {
            Ok(()) => tracing::debug!("a provider connection ended"),
            Err(error) => tracing::info!(%error, "a provider connection broke"),
        },
        () = silence(pings) => tracing::warn!("a provider connection answers no ping and is given up"),
    }
    window.close();
}

/// Returns when the peer does not answer a ping.
async fn silence(pings: Option<h2::PingPong>) {
    let Some(mut pings) = pings else { return std::future::pending().await };
    loop {
        tokio::time::sleep(PING_EVERY).await;
        match tokio::time::timeout(PONG_WITHIN, pings.ping(h2::Ping::opaque())).await {
            Ok(Ok(_)) => {}
            // The connection itself ends, and says why.
            Ok(Err(_)) => return std::future::pending().await,
            Err(_) => return,
        }
    }
}
