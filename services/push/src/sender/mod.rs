//! The project's HTTP/2 sender: many small requests to one server, as fast as the server takes them.
//!
//! | part | what it is |
//! |---|---|
//! | [`Address`] | where the server is, parsed once from the settings |
//! | [`Roots`] | which certificates are trusted: the system's, and an extra CA file |
//! | `Window` | how many streams one connection may have open now |
//! | `Connection` | one HTTP/2 connection and its driver task |
//! | [`end_of_chain`] | when the certificates of a server end, for those who look after them |
//! | [`Flight`] | many requests in the hands of one task, which is what makes them cheap |
//! | [`Sender`] | several connections, reopened when they end; the face of this module |
//!
//! Guarantees:
//! - a connection starts with **one** stream until the server has answered once (APNs with token auth allows no more), then
//!   follows the server's `MAX_CONCURRENT_STREAMS` and the configured bound, whichever is smaller;
//! - every answer's body is read to its end, within a bound: servers close connections that reset streams (CVE-2023-44487);
//! - a request that the server certainly did not process (`REFUSED_STREAM`, above the last stream of a `GOAWAY`, or never written)
//!   is repeated by itself; any other loss comes back as [`Failure::Unknown`] and is never repeated here;
//! - who calls [`Sender::send`] waits while all streams are taken: that is the back-pressure.
//!
//! Network time (connecting, waiting for an answer, pings) is the machine's, not the platform clock's: a rehearsal that moves
//! the clock by a day must not time out the request on the wire.

mod address;
mod certificate;
mod connection;
mod exchange;
mod flight;
mod pool;
mod reading;
mod tls;
mod unvectored;
mod window;

pub use address::{Address, AddressFault};
pub use certificate::{end_of_chain, ends_in_file};
pub use exchange::{Answer, Failure, Request, Why};
pub use flight::Flight;
pub use pool::{Limits, Sender};
pub use tls::{Roots, TlsFault};
pub use unvectored::Unvectored;
