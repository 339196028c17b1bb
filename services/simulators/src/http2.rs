//! HTTP/2 for the push providers: one task per connection, nothing else.
//!
//! A connection first takes in everything the client has sent, then answers all of it, then lets `h2` write the answers
//! together: one TLS record for many small answers. A task or a wake-up per request would cost more than the request.
//! Every body is read to its end before the answer, as the real providers do.

use std::{
    collections::VecDeque,
    future::poll_fn,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use bytes::{Bytes, BytesMut};
use h2::{
    Reason, RecvStream,
    server::{Builder, Connection, SendResponse},
};
use http::{Response, request::Parts};
use rustls::ServerConfig;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpListener,
    time::{Instant, Sleep, sleep_until},
};
use tokio_rustls::TlsAcceptor;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{fault::Faults, first_stream::FirstStream, statistics::Tallies};

const MAX_STREAMS: u32 = 1_000;
const STREAM_WINDOW: u32 = 65_535;
const CONNECTION_WINDOW: u32 = 8 << 20;
/// What is kept of a body, more than any provider accepts; the rest is read and dropped.
const BODY_KEPT: usize = 64 << 10;

/// A provider decides; this module carries.
pub(crate) trait PushProvider: Send + Sync + 'static {
    /// What one connection remembers between requests, such as the token it has already checked.
    type Memory: Default + Send;
    /// Whether a new connection has one stream until its first valid request.
    const ONE_STREAM_FIRST: bool;

    fn answer(&self, request: &Parts, body: &Bytes, memory: &mut Self::Memory) -> Answer;
    fn faults(&self) -> &Faults;
    fn tallies(&self) -> &Tallies;
}

/// What becomes of a request.
pub(crate) struct Answer {
    pub(crate) action: Action,
    /// Whether the caller showed valid credentials.
    pub(crate) authorised: bool,
}

/// How a request ends.
pub(crate) enum Action {
    /// An answer, its body may be empty.
    Respond(Response<Bytes>),
    /// No answer, ever.
    Hang,
    /// The whole connection breaks.
    Break,
}

/// Accepts connections until stopped.
pub(crate) async fn listen<P: PushProvider>(
    listener: TcpListener,
    tls: Arc<ServerConfig>,
    provider: Arc<P>,
    tasks: TaskTracker,
    stop: CancellationToken,
) {
    let acceptor = TlsAcceptor::from(tls);
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = stop.cancelled() => return,
        };
        let Ok((socket, _)) = accepted else { continue };
        let (provider, acceptor, stop) = (provider.clone(), acceptor.clone(), stop.clone());
        tasks.spawn(async move {
            let serving = async {
                // Small answers must not wait for more of them; where it cannot be set, they just come later.
                socket.set_nodelay(true).ok();
                let tls = match acceptor.accept(socket).await {
                    Ok(tls) => tls,
                    Err(error) => return tracing::debug!(%error, "TLS handshake with a simulated provider failed"),
                };
                let _open = provider.tallies().connection_opened();
                let transport = if P::ONE_STREAM_FIRST { FirstStream::new(tls, MAX_STREAMS) } else { FirstStream::transparent(tls) };
                if let Err(error) = serve(transport, &*provider).await {
                    tracing::debug!(%error, "connection to a simulated provider ended");
                }
            };
            tokio::select! {
                () = serving => {}
                () = stop.cancelled() => {}
            }
        });
    }
}

async fn serve<T: AsyncRead + AsyncWrite + Unpin, P: PushProvider>(transport: T, provider: &P) -> Result<(), h2::Error> {
    let connection = Builder::new()
        .max_concurrent_streams(MAX_STREAMS)
        .initial_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .max_header_list_size(16 << 10)
        .handshake(transport)
        .await?;
    let mut session = Session {
        connection,
        provider,
        memory: P::Memory::default(),
        reading: Vec::new(),
        delayed: VecDeque::new(),
        timer: None,
        hung: Vec::new(),
        requests: 0,
        leaving: false,
        authorised: !P::ONE_STREAM_FIRST,
        limit_raised: !P::ONE_STREAM_FIRST,
    };
    poll_fn(|context| session.poll(context)).await
}

/// A request whose body is still coming.
struct Reading {
    request: Parts,
    body: RecvStream,
    read: Body,
    respond: SendResponse<Bytes>,
}

/// A body as far as it came. One DATA frame, the usual case, is not copied.
#[derive(Default)]
enum Body {
    #[default]
    Empty,
    One(Bytes),
    Many(BytesMut),
}

impl Body {
    fn add(self, data: Bytes) -> Self {
        match self {
            Self::Empty => Self::One(data),
            Self::One(first) => {
                let mut joined = BytesMut::from(first);
                joined.extend_from_slice(&data);
                Self::Many(joined)
            }
            Self::Many(mut joined) => {
                let room = BODY_KEPT.saturating_sub(joined.len());
                joined.extend_from_slice(&data[..data.len().min(room)]);
                Self::Many(joined)
            }
        }
    }

    fn finish(self) -> Bytes {
        match self {
            Self::Empty => Bytes::new(),
            Self::One(data) => data,
            Self::Many(joined) => joined.freeze(),
        }
    }
}

struct Session<'a, T, P: PushProvider> {
    connection: Connection<T, Bytes>,
    provider: &'a P,
    memory: P::Memory,
    reading: Vec<Reading>,
    delayed: VecDeque<(Instant, Response<Bytes>, SendResponse<Bytes>)>,
    timer: Option<Pin<Box<Sleep>>>,
    hung: Vec<SendResponse<Bytes>>,
    requests: u64,
    leaving: bool,
    authorised: bool,
    limit_raised: bool,
}

impl<T: AsyncRead + AsyncWrite + Unpin, P: PushProvider> Session<'_, T, P> {
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Result<(), h2::Error>> {
        loop {
            loop {
                match self.connection.poll_accept(context) {
                    Poll::Ready(Some(Ok((request, respond)))) => self.admit(request, respond),
                    Poll::Ready(Some(Err(error))) => return Poll::Ready(Err(error)),
                    Poll::Ready(None) => return Poll::Ready(Ok(())),
                    Poll::Pending => break,
                }
            }
            let Some(read) = self.answer_what_is_read(context) else { return Poll::Ready(Ok(())) };
            let released = self.release_delayed(context);
            self.hung.retain_mut(|respond| respond.poll_reset(context).is_pending());
            let raised = self.raise_limit();
            if !(read || released || raised) {
                return Poll::Pending;
            }
        }
    }

    fn admit(&mut self, request: http::Request<RecvStream>, mut respond: SendResponse<Bytes>) {
        let open = self.reading.len() + self.delayed.len() + self.hung.len();
        if !self.authorised && open > 0 {
            respond.send_reset(Reason::REFUSED_STREAM);
            return;
        }
        let (request, body) = request.into_parts();
        self.reading.push(Reading { request, body, read: Body::Empty, respond });
    }

    /// Answers every request whose body is complete. True when something was answered, `None` when the connection shall break.
    fn answer_what_is_read(&mut self, context: &mut Context<'_>) -> Option<bool> {
        let mut answered = false;
        let mut index = 0;
        while index < self.reading.len() {
            match poll_body(&mut self.reading[index], context) {
                Poll::Pending => index += 1,
                Poll::Ready(complete) => {
                    let reading = self.reading.swap_remove(index);
                    if complete {
                        answered = true;
                        self.answer(reading)?;
                    }
                }
            }
        }
        Some(answered)
    }

    fn answer(&mut self, reading: Reading) -> Option<()> {
        let Reading { request, read, mut respond, .. } = reading;
        let answer = self.provider.answer(&request, &read.finish(), &mut self.memory);
        self.authorised |= answer.authorised;
        self.requests += 1;
        let faults = self.provider.faults().now();
        match answer.action {
            Action::Respond(response) if faults.latency.is_zero() => send(response, &mut respond),
            Action::Respond(response) => self.delayed.push_back((Instant::now() + faults.latency, response, respond)),
            Action::Hang => self.hung.push(respond),
            Action::Break => return None,
        }
        if !self.leaving && faults.goaway_after.is_some_and(|limit| self.requests >= limit) {
            self.leaving = true;
            self.connection.graceful_shutdown();
        }
        Some(())
    }

    /// Latency is the same for all, so the answers leave in the order in which they were made.
    fn release_delayed(&mut self, context: &mut Context<'_>) -> bool {
        let mut released = false;
        while let Some((due, ..)) = self.delayed.front() {
            let due = *due;
            let timer = self.timer.get_or_insert_with(|| Box::pin(sleep_until(due)));
            if timer.as_mut().poll(context).is_pending() {
                break;
            }
            self.timer = None;
            if due <= Instant::now()
                && let Some((_, response, mut respond)) = self.delayed.pop_front()
            {
                send(response, &mut respond);
                released = true;
            }
        }
        released
    }

    /// Announces the full number of streams once the client has shown valid credentials and acknowledged the first limit.
    fn raise_limit(&mut self) -> bool {
        if self.limit_raised || !self.authorised {
            return false;
        }
        self.limit_raised = self.connection.set_initial_window_size(STREAM_WINDOW).is_ok();
        self.limit_raised
    }
}

/// Reads on. Ready(true) at the end of the body, Ready(false) when the client gave the request up.
fn poll_body(reading: &mut Reading, context: &mut Context<'_>) -> Poll<bool> {
    loop {
        match reading.body.poll_data(context) {
            Poll::Pending => return Poll::Pending,
            Poll::Ready(None) => return Poll::Ready(true),
            Poll::Ready(Some(Err(_))) => return Poll::Ready(false),
            Poll::Ready(Some(Ok(data))) => {
                // An error means that the stream is over already; then nobody needs the window.
                reading.body.flow_control().release_capacity(data.len()).ok();
                reading.read = std::mem::take(&mut reading.read).add(data);
            }
        }
    }
}

fn send(response: Response<Bytes>, respond: &mut SendResponse<Bytes>) {
    let (head, body) = response.into_parts();
    // An error means that the client has given the request up: there is nobody left to tell.
    if let Ok(mut stream) = respond.send_response(Response::from_parts(head, ()), body.is_empty())
        && !body.is_empty()
    {
        stream.send_data(body, true).ok();
    }
}
