//! The OAuth token endpoint that a service account's `token_uri` names: a signed assertion comes in, an access token goes out (RFC 7523).

use std::{net::SocketAddr, sync::Arc};

use axum::{Form, Json, Router, extract::State, routing::post};
use http::StatusCode;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::Fcm;
use super::oauth::{Denial, TokenRequest, TokenResponse};

async fn token(State(fcm): State<Arc<Fcm>>, Form(request): Form<TokenRequest>) -> Result<Json<TokenResponse>, (StatusCode, Json<Value>)> {
    let granted = if fcm.faults.now().refuses_credentials() {
        Err(Denial("invalid_grant", "Account not found or disabled."))
    } else {
        fcm.authority.grant(&request)
    };
    granted.map(Json).map_err(|Denial(error, description)| {
        fcm.tallies.refused(error);
        (StatusCode::BAD_REQUEST, Json(json!({ "error": error, "error_description": description })))
    })
}

/// Serves `POST /token` until stopped.
pub(crate) async fn listen(listener: TcpListener, fcm: Arc<Fcm>, stop: CancellationToken) {
    let address = listener.local_addr().ok().map(|address: SocketAddr| address.port());
    let routes = Router::new().route("/token", post(token)).with_state(fcm);
    if let Err(error) = axum::serve(listener, routes).with_graceful_shutdown(stop.cancelled_owned()).await {
        tracing::error!(%error, port = address, "simulated token endpoint ended");
    }
}
