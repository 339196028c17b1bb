//! The metrics of requests, by method and route template.
//!
//! Finding a metric by its labels takes longer than counting with it, so what was found is kept. Templates and methods are few,
//! whatever strangers ask for: the maps do not grow.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use http::{Method, StatusCode};
use metrics::{Counter, Gauge, Histogram};

/// Methods as labels: whatever strangers invent is the last.
const METHODS: [&str; 8] = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "OTHER"];

/// The meters of all routes.
#[derive(Default)]
pub(super) struct Meters(RwLock<HashMap<String, [Option<Arc<Meter>>; METHODS.len()]>>);

impl Meters {
    /// The meter of a method on a route.
    pub(super) fn of(&self, route: &str, method: &Method) -> Arc<Meter> {
        let column = METHODS.iter().position(|known| *known == method.as_str()).unwrap_or(METHODS.len() - 1);
        let known = {
            let meters = self.0.read().unwrap_or_else(PoisonError::into_inner);
            meters.get(route).and_then(|row| row[column].clone())
        };
        known.unwrap_or_else(|| {
            let mut meters = self.0.write().unwrap_or_else(PoisonError::into_inner);
            let row = meters.entry(route.to_owned()).or_default();
            Arc::clone(row[column].get_or_insert_with(|| Arc::new(Meter::new(METHODS[column], route))))
        })
    }
}

/// What is measured of one method on one route.
pub(super) struct Meter {
    pub(super) method: &'static str,
    pub(super) route: String,
    in_flight: Gauge,
    durations: Histogram,
    answered: RwLock<Vec<(StatusCode, Counter)>>,
}

impl Meter {
    fn new(method: &'static str, route: &str) -> Self {
        Self {
            method,
            route: route.to_owned(),
            in_flight: metrics::gauge!("http_requests_in_flight"),
            durations: metrics::histogram!("http_request_duration_seconds", "method" => method, "route" => route.to_owned()),
            answered: RwLock::default(),
        }
    }

    /// Counts a request in, and out when what this returns is dropped: also when the client went away meanwhile.
    pub(super) fn enter(&self) -> Leaving {
        self.in_flight.increment(1.0);
        Leaving(self.in_flight.clone())
    }

    /// Counts an answer.
    pub(super) fn answered(&self, status: StatusCode, after: Duration) {
        self.durations.record(after.as_secs_f64());
        let known = {
            let answered = self.answered.read().unwrap_or_else(PoisonError::into_inner);
            answered.iter().find(|(known, _)| *known == status).map(|(_, counter)| counter.increment(1))
        };
        if known.is_none() {
            let (method, route, label) = (self.method, self.route.clone(), status.as_str().to_owned());
            let counter = metrics::counter!("http_requests_total", "method" => method, "route" => route, "status" => label);
            counter.increment(1);
            let mut answered = self.answered.write().unwrap_or_else(PoisonError::into_inner);
            if answered.iter().all(|(known, _)| *known != status) {
                answered.push((status, counter));
            }
        }
    }
}

/// A request under way.
pub(super) struct Leaving(Gauge);

impl Drop for Leaving {
    fn drop(&mut self) {
        self.0.decrement(1.0);
    }
}
