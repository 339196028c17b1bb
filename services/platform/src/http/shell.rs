//! The routes of all services of this process, put together.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use axum::Router;
use axum::extract::{DefaultBodyLimit, State};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use domain::address_block::AddressBlock;
use http::header;
use metrics_exporter_prometheus::PrometheusHandle;
use serde::{Deserialize, Serialize};

use super::observe::{self, Observe};
use super::seen::Guard;
use super::server::CONNECTIONS;
use super::{Access, Authenticators, Check, Limits, RouteRule, Routes, health, openapi, routes};
use crate::clock::Clock;

/// Settings of the shell.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct HttpSettings {
    /// Largest body of an ordinary request. Deliveries of records have limits of their own, see `[ingest]`.
    ///
    /// An alert with all its texts takes some kilobytes; whoever sends much more is mistaken.
    ///
    /// Unit: bytes
    pub body_limit: usize,
    /// Longest time until an ordinary response begins.
    ///
    /// Who waits longer has gone. Uploads and streams take as long as they take.
    pub timeout_seconds: u64,
    /// How long open requests may take to finish when the process stops.
    ///
    /// Batches and handlers get 30 s after that: keep the sum below what your supervisor waits before it kills.
    pub drain_seconds: u64,
    /// Addresses and networks of proxies of ours: only they are believed about whom they speak for (`X-Forwarded-For`).
    ///
    /// Attempts to sign in are slowed down by address, and keys are good from their networks alone; a client that could name its own address would get
    /// round both. Name the proxies themselves, not the network in which they stand with others.
    pub trusted_proxies: Vec<AddressBlock>,
    /// Addresses and networks that may read `/metrics`, and in `/readyz` why something is not ready; empty: this machine itself, unless a proxy speaks for
    /// somebody (`X-Forwarded-For`). Behind a proxy on this machine that does not say for whom it speaks, name addresses.
    ///
    /// Everybody else learns only whether the process is ready: the rest tells how the city is doing, and how it is to be attacked. Whom one of our
    /// proxies brings is known by the address that it names.
    pub operations_from: Vec<AddressBlock>,
    /// Connections that may be open at once; whoever comes then waits until one has ended.
    ///
    /// Each takes a file descriptor: keep it below what the process may open.
    ///
    /// Unit: connections
    pub connections: usize,
}

impl Default for HttpSettings {
    fn default() -> Self {
        Self {
            body_limit: 1024 * 1024,
            timeout_seconds: 30,
            drain_seconds: 20,
            trusted_proxies: Vec::new(),
            operations_from: Vec::new(),
            connections: CONNECTIONS,
        }
    }
}

/// Everything that one process answers.
pub struct Shell {
    routes: Routes,
    authenticators: Authenticators,
    settings: HttpSettings,
    checks: Vec<Check>,
    metrics: Option<PrometheusHandle>,
    pages: Option<Router>,
    clock: Clock,
}

impl Shell {
    /// These routes, for callers that these authenticators know.
    pub fn new(routes: Routes, authenticators: Authenticators) -> Self {
        Self {
            routes,
            authenticators,
            settings: HttpSettings::default(),
            checks: Vec::new(),
            metrics: None,
            pages: None,
            clock: Clock::real(),
        }
    }

    /// With other limits.
    #[must_use]
    pub fn settings(mut self, settings: HttpSettings) -> Self {
        self.settings = settings;
        self
    }

    /// What `/readyz` asks.
    #[must_use]
    pub fn checks(mut self, checks: impl IntoIterator<Item = Check>) -> Self {
        self.checks.extend(checks);
        self
    }

    /// What `/metrics` shows.
    #[must_use]
    pub fn metrics(mut self, handle: PrometheusHandle) -> Self {
        self.metrics = Some(handle);
        self
    }

    /// The clock by which streams look whether their caller is still admitted, and that every answer tells the time of
    /// (`x-fenghuo-time`); the machine's, unless this says otherwise.
    #[must_use]
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// The pages: asked for whatever is no route. They are public and set their own content policy.
    #[must_use]
    pub fn pages(mut self, pages: Router) -> Self {
        self.pages = Some(pages);
        self
    }

    /// Every route with its rule, the shell's own included.
    pub fn table(&self) -> Vec<RouteRule> {
        let own = health::routes(Vec::new(), None, Vec::new()).merge(describing(Document::default()));
        self.routes.table().iter().chain(own.table()).cloned().collect()
    }

    /// The router, ready to be served.
    pub fn router(self) -> Router {
        let document = Document::default();
        let routes =
            self.routes.merge(health::routes(self.checks, self.metrics, self.settings.operations_from)).merge(describing(document.clone()));
        // The document describes itself too, so it can only be written once all routes are there.
        document.get_or_init(|| serde_json::to_vec(&openapi::document(&routes)).unwrap_or_default().into());
        let guard = Guard {
            authenticators: self.authenticators,
            limits: Limits { body: self.settings.body_limit, time: Some(Duration::from_secs(self.settings.timeout_seconds)) },
            clock: self.clock.clone(),
        };
        let router = routes.router.method_not_allowed_fallback(observe::no_such_method);
        let router = match self.pages {
            Some(pages) => router.fallback_service(pages.fallback(observe::no_such_address)),
            None => router.fallback(observe::no_such_address),
        };
        router.layer((
            Observe::new(self.settings.trusted_proxies, self.clock, guard),
            DefaultBodyLimit::disable(), // the gate limits every body, read by an extractor or not
        ))
    }
}

/// The OpenAPI document, written once all routes are known.
type Document = Arc<OnceLock<Bytes>>;

fn describing(document: Document) -> Routes {
    Routes::new("operation").allow(Access::Public, routes!(openapi_json)).with_state(document)
}

/// The description of this interface (OpenAPI 3.1).
#[utoipa::path(get, path = "/openapi.json", responses((status = 200, description = "The document", body = Object)))]
async fn openapi_json(State(document): State<Document>) -> Response {
    let document = document.get().cloned().unwrap_or_default();
    ([(header::CONTENT_TYPE, "application/json")], document).into_response()
}
