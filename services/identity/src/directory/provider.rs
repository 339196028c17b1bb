//! The directory as it describes itself: its addresses and its keys, fetched when they are needed and now and then again.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use openidconnect::core::{
    CoreAuthDisplay, CoreClaimName, CoreClaimType, CoreClient, CoreClientAuthMethod, CoreGrantType, CoreJsonWebKey, CoreJsonWebKeySet,
    CoreJweContentEncryptionAlgorithm, CoreJweKeyManagementAlgorithm, CoreResponseMode, CoreResponseType, CoreSubjectIdentifierType,
};
use openidconnect::{
    AdditionalProviderMetadata, DiscoveryError, EndpointMaybeSet, EndpointNotSet, EndpointSet, IssuerUrl, JsonWebKeySet, ProviderMetadata,
};
use platform::clock::Clock;
use platform::compiled_once;
use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;

use super::Fault;
use super::settings::Sound;
use super::wire::{Wire, may_lead_to};
use crate::Error;

/// A description is fetched again after so long.
const GOOD_FOR: TimeDelta = TimeDelta::hours(1);
/// After a fetch that came to nothing, or keys that were fetched anew, the directory is left in peace for so long.
const PEACE: TimeDelta = TimeDelta::seconds(30);

/// As whom we speak to it.
pub(super) type Client = CoreClient<EndpointSet, EndpointNotSet, EndpointNotSet, EndpointNotSet, EndpointMaybeSet, EndpointMaybeSet>;

/// What is read of a description beside what every one has.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Further {
    /// Whether every answer says whose it is (RFC 9207).
    #[serde(default)]
    authorization_response_iss_parameter_supported: bool,
}

impl AdditionalProviderMetadata for Further {}

type Metadata = ProviderMetadata<
    Further,
    CoreAuthDisplay,
    CoreClientAuthMethod,
    CoreClaimName,
    CoreClaimType,
    CoreGrantType,
    CoreJweContentEncryptionAlgorithm,
    CoreJweKeyManagementAlgorithm,
    CoreJsonWebKey,
    CoreResponseMode,
    CoreResponseType,
    CoreSubjectIdentifierType,
>;

/// The directory as it described itself.
#[derive(Debug)]
pub(super) struct Known(Metadata);

impl Known {
    pub(super) fn metadata(&self) -> Metadata {
        self.0.clone()
    }

    pub(super) fn keys(&self) -> CoreJsonWebKeySet {
        self.0.jwks().clone()
    }

    /// Whether every answer of it says whose it is.
    pub(super) fn tells_issuer(&self) -> bool {
        self.0.additional_metadata().authorization_response_iss_parameter_supported
    }

    /// Whether our secret goes into a header, as it does where nothing is said about it.
    pub(super) fn takes_the_secret_in_a_header(&self) -> bool {
        self.0.token_endpoint_auth_methods_supported().is_none_or(|ways| {
            ways.contains(&CoreClientAuthMethod::ClientSecretBasic) || !ways.contains(&CoreClientAuthMethod::ClientSecretPost)
        })
    }
}

#[derive(Default)]
struct State {
    known: Option<(Arc<Known>, DateTime<Utc>)>,
    failed: Option<(Fault, DateTime<Utc>)>,
    keys_at: Option<DateTime<Utc>>,
}

/// What is known of the directory. One fetch at a time; who comes meanwhile waits for it.
pub(super) struct Provider {
    issuer: IssuerUrl,
    wire: Wire,
    clock: Clock,
    state: Mutex<State>,
}

impl Provider {
    pub(super) fn new(settings: &Sound, clock: Clock) -> Result<Self, Error> {
        Ok(Self { issuer: settings.issuer.clone(), wire: Wire::to(settings)?, clock, state: Mutex::default() })
    }

    pub(super) fn wire(&self) -> &Wire {
        &self.wire
    }

    /// The directory as it describes itself. One that is away is what it was last.
    pub(super) async fn known(&self) -> Result<Arc<Known>, Fault> {
        let mut state = self.state.lock().await;
        let now = self.clock.now();
        if let Some((known, at)) = &state.known
            && is_within(GOOD_FOR, *at, now)
        {
            return Ok(Arc::clone(known));
        }
        let last = state.known.as_ref().map(|(known, _)| Arc::clone(known));
        let failed = match state.failed {
            Some((fault, at)) if is_within(PEACE, at, now) => Err(fault),
            _ => self.described().await,
        };
        match failed {
            Ok(known) => {
                let known = Arc::new(known);
                *state = State { known: Some((Arc::clone(&known), now)), failed: None, keys_at: state.keys_at };
                Ok(known)
            }
            Err(fault) => {
                if !state.failed.is_some_and(|(_, at)| is_within(PEACE, at, now)) {
                    tracing::warn!(
                        fault = fault.as_ref(),
                        "the directory does not describe itself: staff sign in with passwords and passkeys"
                    );
                    state.failed = Some((fault, now));
                }
                last.ok_or(fault)
            }
        }
    }

    /// The same with the keys that it has now: once in a while, since nobody changes them more often.
    pub(super) async fn with_new_keys(&self) -> Result<Arc<Known>, Fault> {
        let mut state = self.state.lock().await;
        let now = self.clock.now();
        if state.keys_at.is_some_and(|at| is_within(PEACE, at, now)) {
            return state.known.as_ref().map(|(known, _)| Arc::clone(known)).ok_or(Fault::Unsigned);
        }
        state.keys_at = Some(now);
        let known = Arc::new(self.described().await?);
        state.known = Some((Arc::clone(&known), now));
        Ok(known)
    }

    #[compiled_once]
    async fn described(&self) -> Result<Known, Fault> {
        let metadata = Metadata::discover_async(self.issuer.clone(), &self.wire).await.map_err(fault)?;
        let addresses = [Some(metadata.authorization_endpoint().url()), metadata.token_endpoint().map(|address| address.url())];
        if !addresses.into_iter().flatten().all(|address| may_lead_to(address, self.issuer.url())) {
            return Err(Fault::NotItself);
        }
        let keys: JsonWebKeySet<CoreJsonWebKey> = metadata.jwks().clone();
        if keys.keys().is_empty() {
            return Err(Fault::Unreadable);
        }
        Ok(Known(metadata))
    }
}

/// Whether it was so lately, by a clock that may have been set back since.
fn is_within(time: TimeDelta, at: DateTime<Utc>, now: DateTime<Utc>) -> bool {
    (now - at).abs() < time
}

fn fault(error: DiscoveryError<Fault>) -> Fault {
    match error {
        DiscoveryError::Request(fault) => fault,
        DiscoveryError::Validation(_) => Fault::NotItself,
        _ => Fault::Unreadable,
    }
}
