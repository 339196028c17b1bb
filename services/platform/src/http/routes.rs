//! The routes of a service, each registered together with who may call it.

use std::collections::BTreeMap;

use axum::Router;
use utoipa::openapi::path::Paths;
use utoipa::openapi::{RefOr, Schema};
use utoipa_axum::router::UtoipaMethodRouter;

use super::access::{Access, RouteRule};
use super::gate::Gate;
use super::limits::Limits;
use super::operation::{self, operations};

/// Routes with their rules and their description. There is no way to add a route without a rule.
///
/// ```
/// use platform::http::{Access, Json, Routes, routes};
///
/// /// The districts of the city.
/// #[utoipa::path(get, path = "/api/v1/districts", responses((status = 200, description = "All of them", body = Vec<String>)))]
/// async fn districts() -> Json<Vec<String>> {
///     Json(vec!["渝中区".to_owned()])
/// }
///
/// let routes: Routes = Routes::new("places").allow(Access::Public, routes!(districts));
/// assert_eq!(routes.table()[0].path, "/api/v1/districts");
/// ```
pub struct Routes<S = ()> {
    tag: &'static str,
    pub(super) router: Router<S>,
    pub(super) paths: Paths,
    pub(super) schemas: BTreeMap<String, RefOr<Schema>>,
    /// Names of schemas that two routes describe differently.
    pub(super) clashes: Vec<String>,
    table: Vec<RouteRule>,
}

impl<S: Clone + Send + Sync + 'static> Routes<S> {
    /// No routes yet; `tag` is the chapter of the documentation they will stand in.
    pub fn new(tag: &'static str) -> Self {
        Self { tag, router: Router::new(), paths: Paths::new(), schemas: BTreeMap::new(), clashes: Vec::new(), table: Vec::new() }
    }

    /// Adds the handlers of one path, for those that `access` admits, within the server's usual limits.
    #[must_use]
    pub fn allow(self, access: Access, routes: UtoipaMethodRouter<S>) -> Self {
        self.add(Gate { access, limits: None }, routes)
    }

    /// The same, with limits of its own: for uploads and streams.
    #[must_use]
    pub fn allow_within(self, limits: Limits, access: Access, routes: UtoipaMethodRouter<S>) -> Self {
        self.add(Gate { access, limits: Some(limits) }, routes)
    }

    fn add(mut self, gate: Gate, (schemas, paths, method_router): UtoipaMethodRouter<S>) -> Self {
        let method_router = method_router.route_layer(gate);
        let mut described = Paths::new();
        for (path, mut item) in paths.paths {
            for (method, operation) in operations(&mut item) {
                operation::describe(operation, self.tag, gate.access);
                self.table.push(RouteRule { method, path: path.clone(), access: gate.access });
            }
            self.router = self.router.route(&path, method_router.clone());
            described.paths.insert(path, item);
        }
        self.paths.merge(described);
        self.learn(schemas);
        self
    }

    fn learn(&mut self, schemas: impl IntoIterator<Item = (String, RefOr<Schema>)>) {
        for (name, schema) in schemas {
            match self.schemas.get(&name) {
                None => {
                    self.schemas.insert(name, schema);
                }
                Some(known) if *known == schema => {}
                Some(_) => self.clashes.push(name),
            }
        }
    }

    /// Gives the handlers their state.
    pub fn with_state<S2>(self, state: S) -> Routes<S2> {
        let Self { tag, router, paths, schemas, clashes, table } = self;
        Routes { tag, router: router.with_state(state), paths, schemas, clashes, table }
    }

    /// These and those.
    #[must_use]
    pub fn merge(mut self, other: Self) -> Self {
        self.router = self.router.merge(other.router);
        self.paths.merge(other.paths);
        self.learn(other.schemas);
        self.clashes.extend(other.clashes);
        self.table.extend(other.table);
        self
    }

    /// Every route with its rule.
    pub fn table(&self) -> &[RouteRule] {
        &self.table
    }
}
