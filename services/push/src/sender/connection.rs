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

use bytes::{Bytes, BytesMut};
use h2::client::{ResponseFuture, SendRequest};
use h2::{Reason, RecvStream, SendStream};
use http::uri::Parts;
use http::{HeaderMap, Method, StatusCode, Uri, Version};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::address::Address;
use super::exchange::{Answer, Failure, Request, Why};
use super::tls::ALPN;
use super::window::Window;

/// How much of an answer's body is kept.
const BODY_KEPT: usize = 64 * 1024;
/// How much of an answer's body is read before the stream is given up: no provider answers with a megabyte.
const BODY_READ: usize = 1024 * 1024;
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

    /// How many streams could be opened at once.
    pub(super) fn free(&self) -> usize {
        self.window.free()
    }

    /// Whether the connection takes no new requests.
    pub(super) fn is_retired(&self) -> bool {
        self.retired.load(Ordering::Acquire)
    }

    fn retire(&self) {
        self.retired.store(true, Ordering::Release);
        self.window.close();
    }

    /// Waits for a free stream, sends, and reads the answer to its end.
    ///
    /// `patience` runs from the moment the stream is open: waiting for a free one is back-pressure, not a fault.
    pub(super) async fn send(&self, request: &Request<'_>, patience: Duration) -> Result<Answer, Failure> {
        let Some(_place) = self.window.enter().await else {
            self.retire();
            return Err(Failure::NotSent(Why::ConnectionLost));
        };
        let answers_before = self.answers.load(Ordering::Relaxed);
        match tokio::time::timeout(patience, self.exchange(request)).await {
            Ok(Ok(answer)) => {
                self.answers.fetch_add(1, Ordering::Relaxed);
                self.window.answered();
                Ok(answer)
            }
            Ok(Err(failure)) => {
                if !matches!(failure.why(), Why::StreamRefused | Why::StreamReset) {
                    self.retire();
                }
                Err(failure)
            }
            Err(_) => {
                // Not one answer in all that time: whatever is behind this connection is not listening any more.
                if self.answers.load(Ordering::Relaxed) == answers_before {
                    self.retire();
                }
                Err(Failure::Unknown(Why::TimedOut))
            }
        }
    }

    async fn exchange(&self, request: &Request<'_>) -> Result<Answer, Failure> {
        let (response, stream) = self.open_stream(self.head(request)?).map_err(|error| not_sent(&error))?;
        write_body(stream, request.body.clone()).map_err(|error| lost(&error))?;
        let (head, body) = response.await.map_err(|error| lost(&error))?.into_parts();
        Ok(Answer { status: head.status, headers: head.headers, body: read_body(head.status, body).await })
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

fn write_body(mut stream: SendStream<Bytes>, mut body: Bytes) -> Result<(), h2::Error> {
    while body.len() > COPIED_PAYLOAD {
        stream.send_data(body.split_to(COPIED_PAYLOAD), false)?;
    }
    stream.send_data(body, true)
}

/// Reads a body to its end. Where it breaks off the status has been said already, so what came is the answer.
async fn read_body(status: StatusCode, mut stream: RecvStream) -> Bytes {
    let mut body = Bytes::new();
    let mut read = 0;
    while !stream.is_end_stream() {
        let chunk = match stream.data().await {
            Some(Ok(chunk)) => chunk,
            Some(Err(error)) => {
                tracing::debug!(%status, %error, "an answer's body broke off");
                break;
            }
            None => break,
        };
        read += chunk.len();
        if stream.flow_control().release_capacity(chunk.len()).is_err() || read > BODY_READ {
            break;
        }
        if body.is_empty() {
            body = chunk;
        } else if body.len() < BODY_KEPT {
            let mut longer = BytesMut::from(body);
            longer.extend_from_slice(&chunk);
            body = longer.freeze();
        }
        body.truncate(BODY_KEPT);
    }
    body
}

/// An error before anything of the request was queued.
fn not_sent(error: &h2::Error) -> Failure {
    Failure::NotSent(if error.is_go_away() { Why::GoingAway } else { Why::ConnectionLost })
}

/// An error after the request was queued. h2 reports the peer's `GOAWAY` only to streams above its last id (RFC 9113 §6.8);
/// those below it, when the connection ends before their answer, see a broken pipe.
fn lost(error: &h2::Error) -> Failure {
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

/// A stream that says it writes no vectors. h2 then gathers frames of many requests in one buffer, and so one TLS record and one
/// system call, where it would else write every payload above 256 bytes by itself.
struct Unvectored<T>(T);

impl<T: AsyncRead + Unpin> AsyncRead for Unvectored<T> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buffer)
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Unvectored<T> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }

    fn is_write_vectored(&self) -> bool {
        false
    }
}
