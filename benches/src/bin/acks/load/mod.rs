//! The load generator: this program again, as a process of its own with one thread.
//!
//! A closed loop: a number of askers, each of which sends a request, waits for its answer, and sends the next. Over HTTP/1.1 each
//! has a connection of its own ([`http1`]); over HTTP/2 they share a few, as they do behind the load balancer of a large
//! installation ([`http2`]).

mod http1;
mod http2;

use std::cell::{Cell, RefCell};
use std::net::SocketAddr;
use std::process::Stdio;
use std::rc::Rc;
use std::time::Instant;

use anyhow::{Context as _, ensure};
use domain::ids::AlertId;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use tokio::net::TcpStream;
use tokio::task::{JoinSet, LocalSet};

use crate::processes;

/// What the generator's process is started with.
pub const ARGUMENT: &str = "--generate-load";

/// How the askers reach the service.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, strum::EnumString, strum::Display)]
pub enum Protocol {
    /// HTTP/1.1, a connection for each.
    #[strum(serialize = "1")]
    #[serde(rename = "HTTP/1.1")]
    Http1,
    /// HTTP/2, [`http2::CONNECTIONS`] together.
    #[strum(serialize = "2")]
    #[serde(rename = "HTTP/2")]
    Http2,
}

/// What is to be done.
#[derive(Clone, Copy, Debug)]
pub struct Task {
    /// Where the service listens.
    pub address: SocketAddr,
    /// What is acknowledged.
    pub alert: AlertId,
    /// By everybody up to this number, once.
    pub residents: u32,
    /// Requests under way at any time.
    pub askers: u32,
    /// How they are sent.
    pub protocol: Protocol,
}

/// What the generator saw.
#[derive(Serialize, Deserialize)]
pub struct Load {
    pub requests: u32,
    pub seconds: f64,
    pub p50_ms: f64,
    pub p99_ms: f64,
    pub p999_ms: f64,
    pub cpu_seconds: f64,
    /// Who was not answered with 200.
    pub refused: Vec<u32>,
}

impl Load {
    pub fn per_second(&self) -> f64 {
        f64::from(self.requests) / self.seconds
    }

    /// Processor time of one request, in microseconds.
    pub fn cpu_us(&self) -> f64 {
        self.cpu_seconds * 1e6 / f64::from(self.requests)
    }
}

/// The session token of a resident: the same in every process.
pub fn token(resident: u32) -> String {
    format!("fhr_{}", hex::encode(Sha256::digest(resident.to_be_bytes())))
}

/// Has every resident acknowledge the alert once.
pub async fn generate(task: &Task) -> anyhow::Result<Load> {
    let Task { address, alert, residents, askers, protocol } = task;
    let output = tokio::process::Command::new(std::env::current_exe()?)
        .args([ARGUMENT, &address.to_string(), &alert.to_string(), &residents.to_string(), &askers.to_string(), &protocol.to_string()])
        .stderr(Stdio::inherit())
        .kill_on_drop(true)
        .output()
        .await
        .context("the load generator does not start")?;
    ensure!(output.status.success(), "the load generator failed");
    serde_json::from_slice(&output.stdout).context("the load generator did not say what it saw")
}

/// The generator's process.
pub fn main(mut arguments: impl Iterator<Item = String>) -> anyhow::Result<()> {
    let mut next = || arguments.next().context("an argument is missing");
    let task = Task {
        address: next()?.parse()?,
        alert: next()?.parse()?,
        residents: next()?.parse()?,
        askers: next()?.parse()?,
        protocol: next()?.parse()?,
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let load = LocalSet::new().block_on(&runtime, acknowledge(task))?;
    println!("{}", serde_json::to_string(&load)?);
    Ok(())
}

/// What the askers share.
struct Shared {
    alert: AlertId,
    tokens: Vec<String>,
    /// The resident whose turn is next.
    next: Cell<u32>,
    latencies_us: RefCell<Vec<u32>>,
    refused: RefCell<Vec<u32>>,
}

impl Shared {
    /// Whose turn it is, and their token.
    fn next(&self) -> Option<(u32, &str)> {
        let resident = self.next.get();
        let token = self.tokens.get(resident as usize - 1)?;
        self.next.set(resident + 1);
        Some((resident, token))
    }

    /// Somebody was answered.
    fn answered(&self, resident: u32, begun: Instant, good: bool) {
        self.latencies_us.borrow_mut().push(u32::try_from(begun.elapsed().as_micros()).unwrap_or(u32::MAX));
        if !good {
            self.refused.borrow_mut().push(resident);
        }
    }
}

async fn acknowledge(task: Task) -> anyhow::Result<Load> {
    let Task { address, alert, residents, askers, protocol } = task;
    let shared = Rc::new(Shared {
        alert,
        tokens: (1..=residents).map(token).collect(),
        next: Cell::new(1),
        latencies_us: RefCell::new(Vec::with_capacity(residents as usize)),
        refused: RefCell::default(),
    });
    let connections = match protocol {
        Protocol::Http1 => askers,
        Protocol::Http2 => http2::CONNECTIONS.min(askers).max(askers.div_ceil(http2::STREAMS)),
    };
    let mut streams = Vec::new();
    for _ in 0..connections {
        let stream = TcpStream::connect(address).await.context("the service is not reached")?;
        stream.set_nodelay(true)?;
        streams.push(stream);
    }
    let mut busy = JoinSet::new();
    let (begun, before) = (Instant::now(), processes::cpu("self"));
    for (at, stream) in (0..connections).zip(streams) {
        match protocol {
            Protocol::Http1 => busy.spawn_local(http1::keep_busy(stream, Rc::clone(&shared))),
            Protocol::Http2 => {
                let of_this = askers / connections + u32::from(at < askers % connections);
                busy.spawn_local(http2::keep_busy(stream, of_this, Rc::clone(&shared)))
            }
        };
    }
    while let Some(ended) = busy.join_next().await {
        ended??;
    }
    let (elapsed, after) = (begun.elapsed(), processes::cpu("self"));
    let mut latencies_us = shared.latencies_us.take();
    latencies_us.sort_unstable();
    let within = |share: f64| {
        let rank = (latencies_us.len() as f64 * share).ceil() as usize;
        latencies_us.get(rank.saturating_sub(1)).map_or(0.0, |us| f64::from(*us) / 1e3)
    };
    Ok(Load {
        requests: residents,
        seconds: elapsed.as_secs_f64(),
        p50_ms: within(0.5),
        p99_ms: within(0.99),
        p999_ms: within(0.999),
        cpu_seconds: (after - before).as_secs_f64(),
        refused: shared.refused.take(),
    })
}
