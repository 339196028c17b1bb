//! Several connections to one server, each reopened when it ends.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use arc_swap::ArcSwapOption;
use tokio::sync::Mutex;
use tokio::time::Instant;
use tokio_rustls::TlsConnector;

use super::address::Address;
use super::connection::{Connection, Seat};
use super::exchange::Why;
use super::tls::{Roots, TlsFault};

/// The pause after the first failed connection attempt; it doubles with every further one,
const FIRST_PAUSE: Duration = Duration::from_millis(50);
/// up to this.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// The bounds of one [`Sender`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Connections, at least one.
    pub connections: usize,
    /// Streams open at once on one connection, where the server allows as many.
    pub streams: usize,
    /// How long an answer is waited for, from the opening of the stream; also how long a connection may take to open.
    pub request_timeout: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self { connections: 2, streams: 1000, request_timeout: Duration::from_secs(20) }
    }
}

/// Sends requests to one server over a few connections. Cloning shares them.
#[derive(Clone)]
pub struct Sender(Arc<Pool>);

struct Pool {
    address: Address,
    /// For logs and metrics.
    name: String,
    tls: Option<TlsConnector>,
    limits: Limits,
    slots: Vec<Slot>,
    turn: AtomicUsize,
}

/// The place of one connection.
#[derive(Default)]
struct Slot {
    live: ArcSwapOption<Connection>,
    failed: AtomicU64,
    opening: Mutex<Opening>,
}

/// What the one who opens a slot's connection knows of earlier tries.
#[derive(Default)]
struct Opening {
    failures: u32,
    not_before: Option<Instant>,
}

impl std::fmt::Debug for Sender {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sender").field("address", &self.0.address).field("limits", &self.0.limits).finish_non_exhaustive()
    }
}

impl Sender {
    /// A sender to `address`. No connection is opened before the first request.
    ///
    /// # Errors
    /// When TLS cannot be set up.
    pub fn new(address: Address, roots: &Roots, limits: Limits) -> Result<Self, TlsFault> {
        let name = address.to_string();
        Self::named(name, address, roots, limits)
    }

    /// The same, under another name in logs and metrics than the address: where strangers choose the address.
    ///
    /// # Errors
    /// When TLS cannot be set up.
    pub fn named(name: String, address: Address, roots: &Roots, limits: Limits) -> Result<Self, TlsFault> {
        let tls = address.is_tls().then(|| roots.connector()).transpose()?;
        let slots = (0..limits.connections.max(1)).map(|_| Slot::default()).collect();
        Ok(Self(Arc::new(Pool { address, name, tls, limits, slots, turn: AtomicUsize::new(0) })))
    }

    /// Opens the connections that are not open, so that the first request need not wait for them. What cannot be opened now is tried
    /// again by whoever needs it.
    pub async fn warm(&self) {
        futures::future::join_all(self.0.slots.iter().map(|slot| slot.open(&self.0))).await;
    }

    /// How long an answer is waited for.
    pub(super) fn patience(&self) -> Duration {
        self.0.limits.request_timeout
    }

    /// A free stream, if there is one: of the first connection that has one, since the fuller a connection is, the more requests
    /// share a record and a system call.
    pub(super) fn try_seat(&self) -> Option<Seat> {
        self.0.slots.iter().find_map(|slot| slot.live.load().as_ref().filter(|connection| !connection.is_retired())?.try_seat())
    }

    /// Waits for a free stream, on a connection that is opened if there is none yet.
    pub(super) async fn seat(&self) -> Result<Seat, Why> {
        let turn = self.0.turn.fetch_add(1, Ordering::Relaxed) % self.0.slots.len();
        let connection = self.0.slots[turn].open(&self.0).await?;
        connection.seat().await.ok_or(Why::ConnectionLost)
    }
}

impl Slot {
    fn current(&self) -> Option<Arc<Connection>> {
        self.live.load_full().filter(|connection| !connection.is_retired())
    }

    /// The slot's connection, opened by whoever comes first; the others wait for the result.
    async fn open(&self, pool: &Pool) -> Result<Arc<Connection>, Why> {
        if let Some(connection) = self.current() {
            return Ok(connection);
        }
        let failed_before = self.failed.load(Ordering::Acquire);
        let mut opening = self.opening.lock().await;
        if let Some(connection) = self.current() {
            return Ok(connection);
        }
        if self.failed.load(Ordering::Acquire) != failed_before {
            return Err(Why::Unreachable);
        }
        if let Some(not_before) = opening.not_before {
            tokio::time::sleep_until(not_before).await;
        }
        let connect = Connection::open(&pool.address, pool.tls.as_ref(), pool.limits.streams);
        let error = match tokio::time::timeout(pool.limits.request_timeout, connect).await {
            Ok(Ok(connection)) => {
                *opening = Opening::default();
                self.live.store(Some(Arc::clone(&connection)));
                return Ok(connection);
            }
            Ok(Err(error)) => error,
            Err(_) => std::io::ErrorKind::TimedOut.into(),
        };
        tracing::warn!(provider = pool.name, failures = opening.failures + 1, %error, "a provider cannot be reached");
        metrics::counter!("push_connections_failed_total", "provider" => pool.name.clone()).increment(1);
        let pause = FIRST_PAUSE.saturating_mul(1 << opening.failures.min(16)).min(LONGEST_PAUSE);
        opening.failures += 1;
        opening.not_before = Some(Instant::now() + pause.mul_f64(rand::random_range(0.5..1.0)));
        self.failed.fetch_add(1, Ordering::AcqRel);
        Err(Why::Unreachable)
    }
}
