//! What is known of a request before anybody looks at it, and how handlers ask for it.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use http::request::Parts;

use super::current::CurrentRequest;
use super::limits::Limits;
use super::{Authenticators, ClientAddress, Problem, RequestId};
use crate::clock::Clock;

/// An extension of every request.
#[derive(Clone)]
pub(super) struct Seen {
    pub(super) request: Arc<CurrentRequest>,
    pub(super) client: ClientAddress,
    pub(super) guard: Arc<Guard>,
}

/// What the shell gives to all gates, with every request.
pub(super) struct Guard {
    pub authenticators: Authenticators,
    pub limits: Limits,
    pub clock: Clock,
}

impl<S: Send + Sync> FromRequestParts<S> for RequestId {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        Ok(parts.extensions.get::<Seen>().map_or_else(|| Self::of(&parts.headers), |seen| seen.request.id.clone()))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for ClientAddress {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        let resolved = parts.extensions.get::<Seen>().map(|seen| seen.client);
        Ok(resolved.unwrap_or_else(|| Self::of(&parts.extensions, &parts.headers, &[])))
    }
}
