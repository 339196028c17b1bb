//! The access token of a service account (Google, "Using OAuth 2.0 for server to server applications").
//!
//! Google's tokens live an hour of *Google's* time: this module looks at the machine's clock, not at the platform's. A token is
//! renewed when a tenth of its life is left, and at once when FCM does not know it any more.

use std::time::Duration;

use gcp_auth::{CustomServiceAccount, TokenProvider};
use http::HeaderValue;
use platform::clock::Clock;
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::Mutex;
use tokio::time::Instant;

const SCOPES: &[&str] = &["https://www.googleapis.com/auth/firebase.messaging"];
/// A token that FCM refuses so soon after it was issued will not get better by renewing it.
const TOO_YOUNG_TO_EXPIRE: Duration = Duration::from_secs(60);

/// The access token of one project.
pub(super) struct Access {
    account: SecretString,
    current: Mutex<Option<Issued>>,
}

#[derive(Clone)]
struct Issued {
    authorization: HeaderValue,
    at: Instant,
    renew_at: Instant,
}

impl std::fmt::Debug for Access {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Access(…)")
    }
}

impl Access {
    /// The project's id, and its access by this service-account file.
    pub(super) fn of(account: SecretString) -> Result<(String, Self), gcp_auth::Error> {
        let project = CustomServiceAccount::from_json(account.expose_secret())?
            .project_id()
            .map(str::to_owned)
            .ok_or(gcp_auth::Error::Str("the service account names no project_id"))?;
        Ok((project, Self { account, current: Mutex::new(None) }))
    }

    /// The `authorization` header of this moment.
    pub(super) async fn authorization(&self) -> Result<HeaderValue, gcp_auth::Error> {
        let mut current = self.current.lock().await;
        if let Some(issued) = current.as_ref().filter(|issued| Instant::now() < issued.renew_at) {
            return Ok(issued.authorization.clone());
        }
        let issued = self.ask().await?;
        let authorization = issued.authorization.clone();
        *current = Some(issued);
        Ok(authorization)
    }

    /// FCM does not know `authorization`. False when it was issued only just now: then a new one will not help.
    pub(super) async fn refused(&self, authorization: &HeaderValue) -> bool {
        let mut current = self.current.lock().await;
        match current.as_mut() {
            Some(issued) if issued.authorization == authorization => {
                // Whatever the reason, the next batch asks for a new one: an operator may have mended the account meanwhile.
                issued.renew_at = Instant::now();
                issued.at.elapsed() >= TOO_YOUNG_TO_EXPIRE
            }
            // Somebody else has renewed it already.
            _ => true,
        }
    }

    /// gcp_auth keeps a token to within 20 s of its end and cannot be told to forget it, so each is asked for by a fresh account.
    async fn ask(&self) -> Result<Issued, gcp_auth::Error> {
        let token = CustomServiceAccount::from_json(self.account.expose_secret())?.token(SCOPES).await?;
        let life = (token.expires_at() - Clock::real().now()).to_std().unwrap_or_default();
        let mut authorization = HeaderValue::try_from(format!("Bearer {}", token.as_str()))
            .map_err(|_| gcp_auth::Error::Str("the access token cannot stand in a header"))?;
        authorization.set_sensitive(true);
        let at = Instant::now();
        Ok(Issued { authorization, at, renew_at: at + life.mul_f64(0.9) })
    }
}
