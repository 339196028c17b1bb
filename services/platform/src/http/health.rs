//! Is the process alive (`/healthz`), can it work (`/readyz`), what does it count (`/metrics`).
//!
//! Everybody learns whether it can work, since a balancer has to ask. Why not, and what it counts, is for whoever runs it: for this machine itself and
//! the addresses that are set to read it. They tell too much: how many sign-ins fail, what stands behind the service, when an alert was approved.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use domain::address_block::{AddressBlock, any_contains};
use futures::future::join_all;
use http::{HeaderMap, StatusCode, header};
use metrics_exporter_prometheus::PrometheusHandle;
use serde::Serialize;
use utoipa::ToSchema;

use super::client_address::FORWARDED;
use super::{Access, ClientAddress, Json, Problem, Routes, routes};

/// A dependency that does not answer within this time is not ready.
const PATIENCE: Duration = Duration::from_secs(2);

type Probe = dyn Fn() -> Pin<Box<dyn Future<Output = Result<Option<String>, String>> + Send>> + Send + Sync;

/// A thing that the process cannot work without.
#[derive(Clone)]
pub struct Check {
    name: &'static str,
    probe: Arc<Probe>,
}

impl Check {
    /// A check by name; the probe says why not, without personal data.
    pub fn new<F, R>(name: &'static str, probe: F) -> Self
    where
        F: Fn() -> R + Send + Sync + 'static,
        R: Future<Output = Result<(), String>> + Send + 'static,
    {
        Self::noting(name, move || {
            let answer = probe();
            async move { answer.await.map(|()| None) }
        })
    }

    /// A check that also has something to say where all is well.
    pub fn noting<F, R>(name: &'static str, probe: F) -> Self
    where
        F: Fn() -> R + Send + Sync + 'static,
        R: Future<Output = Result<Option<String>, String>> + Send + 'static,
    {
        Self { name, probe: Arc::new(move || Box::pin(probe())) }
    }

    async fn run(&self) -> Finding {
        let (ready, reason, note) = match tokio::time::timeout(PATIENCE, (self.probe)()).await {
            Ok(Ok(note)) => (true, None, note),
            Ok(Err(reason)) => (false, Some(reason), None),
            Err(_) => (false, Some(format!("no answer within {} s", PATIENCE.as_secs())), None),
        };
        if let Some(reason) = &reason {
            tracing::warn!(check = self.name, reason, "not ready");
        }
        Finding { name: self.name, ready, reason, note }
    }
}

impl fmt::Debug for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Check").field(&self.name).finish()
    }
}

#[derive(Clone)]
struct Vitals {
    checks: Arc<[Check]>,
    metrics: Option<PrometheusHandle>,
    readers: Arc<[AddressBlock]>,
}

impl Vitals {
    /// Whether somebody may read all of it. Whom a proxy brings stands for nobody here, though it speaks from this machine.
    fn may_read(&self, client: ClientAddress, headers: &HeaderMap) -> bool {
        let ClientAddress(address) = client;
        let is_brought = [FORWARDED, "forwarded", "x-real-ip"].iter().any(|header| headers.contains_key(*header));
        // a request that came over no connection has no address
        if !self.readers.is_empty() {
            return any_contains(&self.readers, address);
        }
        (address.is_loopback() || address.is_unspecified()) && !is_brought
    }
}

/// What was found.
#[derive(Serialize, ToSchema)]
struct Readiness {
    /// Whether the process can do its work.
    ready: bool,
    /// What it needs, one by one.
    checks: Vec<Finding>,
}

/// One thing the process needs.
#[derive(Serialize, ToSchema)]
#[schema(as = ReadinessCheck)]
struct Finding {
    /// What it is: database, bus, cache, workers.
    name: &'static str,
    /// Whether it answers; of the workers, whether all of them take their turns.
    ready: bool,
    /// Why not.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// What is to be looked at though it is ready, such as dead letters.
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<String>,
}

pub(super) fn routes(checks: Vec<Check>, metrics: Option<PrometheusHandle>, readers: Vec<AddressBlock>) -> Routes {
    Routes::new("operation")
        .allow(Access::Public, routes!(healthz))
        .allow(Access::Public, routes!(readyz))
        .allow(Access::Public, routes!(render_metrics))
        .with_state(Vitals { checks: checks.into(), metrics, readers: readers.into() })
}

/// Whether the process is alive.
#[utoipa::path(get, path = "/healthz", responses((status = 200, description = "It is", body = String, content_type = "text/plain")))]
async fn healthz() -> &'static str {
    "ok\n"
}

/// Whether the process can do its work: database, bus and cache answer, and no worker has stopped.
#[utoipa::path(get, path = "/readyz", responses(
    (status = 200, description = "It can", body = Readiness),
    (status = 503, description = "Something it needs does not answer, or a worker takes no turns", body = Readiness),
))]
async fn readyz(State(vitals): State<Vitals>, client: ClientAddress, headers: HeaderMap) -> Response {
    let mut checks = join_all(vitals.checks.iter().map(Check::run)).await;
    let ready = checks.iter().all(|finding| finding.ready);
    if !vitals.may_read(client, &headers) {
        checks = checks.into_iter().map(|finding| Finding { reason: None, note: None, ..finding }).collect();
    }
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(Readiness { ready, checks })).into_response()
}

/// Counters and timings in the Prometheus text format, for this machine and the addresses and networks of `http.operations_from`.
#[utoipa::path(get, path = "/metrics", responses(
    (status = 200, description = "All metrics", body = String, content_type = "text/plain"),
    (status = 403, description = "The caller's address may not read them"),
))]
async fn render_metrics(State(vitals): State<Vitals>, client: ClientAddress, headers: HeaderMap) -> Result<Response, Problem> {
    if !vitals.may_read(client, &headers) {
        return Err(Problem::forbidden(
            "operations_only",
            "运行指标只对本机和设置中 http.operations_from 列出的地址和网段开放。",
            "What the platform counts is read from its own machine and from the addresses and networks of http.operations_from.",
        ));
    }
    let text = vitals.metrics.as_ref().map(PrometheusHandle::render).unwrap_or_default();
    Ok(([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text).into_response())
}
