//! An HTTP/2 server made of bare frames, so that a test says exactly what goes over the wire and when.
//!
//! It does not read header blocks (a request is known by its body) and answers with the one-byte `:status` of HPACK's static table.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const GOAWAY: u8 = 7;
const WINDOW_UPDATE: u8 = 8;
const END_STREAM: u8 = 1;
const ACK: u8 = 1;
const END_HEADERS: u8 = 4;

/// A stream of one connection.
pub type StreamId = u32;

/// What the server does about a complete request.
pub enum Act {
    /// `200` without a body.
    Accept(StreamId),
    /// `200` with this body.
    AcceptWith(StreamId, Vec<u8>),
    /// `200`, the beginning of a body, then a reset.
    BreakOff(StreamId, Vec<u8>),
    /// `REFUSED_STREAM`.
    Refuse(StreamId),
    /// `GOAWAY` with the last stream that will be answered.
    GoAway(StreamId),
    /// More or fewer streams from now on.
    Allow(u32),
    /// A ping; the script is asked again with [`Event::Pong`].
    Ping,
    /// Ends the connection.
    Close,
}

/// What happened on a connection.
pub enum Event {
    /// A request is complete.
    Request(StreamId),
    /// The client answered a ping: what it wanted to send before is here.
    Pong,
}

/// What the server has seen.
#[derive(Default)]
pub struct Seen {
    /// Connections, in the order of their coming.
    pub connections: usize,
    /// Bodies of the requests that were accepted, by connection.
    pub accepted: BTreeMap<usize, Vec<String>>,
    /// Bodies of all complete requests.
    pub arrived: Vec<String>,
    /// Streams that the client reset.
    pub reset: usize,
    /// The most streams open at once.
    pub most_open: usize,
    /// Streams open now, by connection.
    open: BTreeMap<usize, BTreeSet<StreamId>>,
}

impl Seen {
    /// Streams open now on a connection.
    pub fn open_on(&self, connection: usize) -> usize {
        self.open.get(&connection).map_or(0, BTreeSet::len)
    }
}

/// Decides what to do: called with the connection's number, what happened, and everything seen.
pub trait Script: FnMut(usize, Event, &Seen) -> Vec<Act> + Send + 'static {}
impl<F: FnMut(usize, Event, &Seen) -> Vec<Act> + Send + 'static> Script for F {}

/// A running server.
pub struct RawServer {
    pub address: SocketAddr,
    pub seen: Arc<Mutex<Seen>>,
}

impl RawServer {
    /// Serves `script` on a free port, announcing `streams` as MAX_CONCURRENT_STREAMS.
    pub async fn start(streams: u32, tls: Option<TlsAcceptor>, script: impl Script) -> Self {
        Self::on(TcpListener::bind("127.0.0.1:0").await.unwrap(), streams, tls, script)
    }

    /// The same on a port that is bound already.
    pub fn on(listener: TcpListener, streams: u32, tls: Option<TlsAcceptor>, script: impl Script) -> Self {
        let address = listener.local_addr().unwrap();
        let seen = Arc::new(Mutex::new(Seen::default()));
        let script = Arc::new(Mutex::new(script));
        let shared = Arc::clone(&seen);
        tokio::spawn(async move {
            loop {
                let (socket, _) = listener.accept().await.unwrap();
                let (seen, script, tls) = (Arc::clone(&shared), Arc::clone(&script), tls.clone());
                tokio::spawn(async move {
                    // A client that does not trust us, or goes away, is part of some tests.
                    match tls {
                        Some(tls) => {
                            if let Ok(socket) = tls.accept(socket).await {
                                let _ = serve(socket, streams, seen, script).await;
                            }
                        }
                        None => {
                            let _ = serve(socket, streams, seen, script).await;
                        }
                    }
                });
            }
        });
        Self { address, seen }
    }
}

fn frame(kind: u8, flags: u8, stream: StreamId, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

fn max_streams(streams: u32) -> Vec<u8> {
    let setting = |id: u16, value: u32| [&id.to_be_bytes()[..], &value.to_be_bytes()].concat();
    frame(SETTINGS, 0, 0, &[setting(3, streams), setting(4, 1 << 24)].concat())
}

async fn serve<T, S>(mut socket: T, streams: u32, seen: Arc<Mutex<Seen>>, script: Arc<Mutex<S>>) -> std::io::Result<()>
where
    T: AsyncRead + AsyncWrite + Unpin,
    S: Script,
{
    let connection = {
        let mut seen = seen.lock().unwrap();
        seen.connections += 1;
        seen.connections - 1
    };
    let mut bodies: BTreeMap<StreamId, Vec<u8>> = BTreeMap::new();
    socket.read_exact(&mut [0; 24]).await?;
    socket.write_all(&max_streams(streams)).await?;
    socket.write_all(&frame(WINDOW_UPDATE, 0, 0, &(1_u32 << 30).to_be_bytes())).await?;
    loop {
        let mut head = [0; 9];
        socket.read_exact(&mut head).await?;
        let stream = u32::from_be_bytes([head[5], head[6], head[7], head[8]]);
        let mut payload = vec![0; u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize];
        socket.read_exact(&mut payload).await?;
        let event = match (head[3], head[4]) {
            (SETTINGS, flags) if flags & ACK == 0 => {
                socket.write_all(&frame(SETTINGS, ACK, 0, &[])).await?;
                continue;
            }
            (HEADERS, _) => {
                let mut seen = seen.lock().unwrap();
                seen.open.entry(connection).or_default().insert(stream);
                seen.most_open = seen.most_open.max(seen.open_on(connection));
                continue;
            }
            (DATA, flags) => {
                bodies.entry(stream).or_default().extend(payload);
                if flags & END_STREAM == 0 {
                    continue;
                }
                let body = String::from_utf8_lossy(&bodies[&stream]).into_owned();
                seen.lock().unwrap().arrived.push(body);
                Event::Request(stream)
            }
            (PING, flags) if flags & ACK != 0 => Event::Pong,
            (RST_STREAM, _) => {
                let mut seen = seen.lock().unwrap();
                seen.reset += 1;
                seen.open.entry(connection).or_default().remove(&stream);
                continue;
            }
            _ => continue,
        };
        let acts = script.lock().unwrap()(connection, event, &seen.lock().unwrap());
        for act in acts {
            let Some(bytes) = play(act, connection, &bodies, &seen) else { return Ok(()) };
            socket.write_all(&bytes).await?;
        }
    }
}

/// The frames of an act; none is the end of the connection.
fn play(act: Act, connection: usize, bodies: &BTreeMap<StreamId, Vec<u8>>, seen: &Mutex<Seen>) -> Option<Vec<u8>> {
    const STATUS_200: &[u8] = &[0x88];
    let mut seen = seen.lock().unwrap();
    let mut ended = |stream: StreamId, accepted: bool| {
        seen.open.entry(connection).or_default().remove(&stream);
        if accepted {
            seen.accepted.entry(connection).or_default().push(String::from_utf8_lossy(&bodies[&stream]).into_owned());
        }
    };
    Some(match act {
        Act::Accept(stream) => {
            ended(stream, true);
            frame(HEADERS, END_HEADERS | END_STREAM, stream, STATUS_200)
        }
        Act::AcceptWith(stream, body) => {
            ended(stream, true);
            let mut frames = vec![frame(HEADERS, END_HEADERS, stream, STATUS_200)];
            frames.extend(body.chunks(16_000).map(|chunk| frame(DATA, 0, stream, chunk)));
            frames.push(frame(DATA, END_STREAM, stream, &[]));
            frames.concat()
        }
        Act::BreakOff(stream, body) => {
            ended(stream, true);
            let internal_error = 2_u32.to_be_bytes();
            let begun = frame(HEADERS, END_HEADERS, stream, STATUS_200);
            [begun, frame(DATA, 0, stream, &body), frame(RST_STREAM, 0, stream, &internal_error)].concat()
        }
        Act::Refuse(stream) => {
            ended(stream, false);
            frame(RST_STREAM, 0, stream, &7_u32.to_be_bytes())
        }
        Act::GoAway(last) => frame(GOAWAY, 0, 0, &[last.to_be_bytes(), 0_u32.to_be_bytes()].concat()),
        Act::Allow(streams) => max_streams(streams),
        Act::Ping => frame(PING, 0, 0, &[0; 8]),
        Act::Close => return None,
    })
}
