//! Where somebody comes from, and how a device is known again.

use axum::extract::FromRequestParts;
use axum_extra::extract::CookieJar;
use chrono::TimeDelta;
use http::HeaderValue;
use http::header::AUTHORIZATION;
use http::request::Parts;
use platform::http::{ClientAddress, Problem};

use crate::Error;
use crate::device::{DEVICE_COOKIE, KNOWN_FOR};
use crate::door::Visitor;
use crate::token::{Token, TokenHash};

/// Longest token of a device, as it may be presented (bytes).
const LONGEST: usize = 128;

/// Who knocks, and whether it is a browser that keeps its session in a cookie.
pub(super) struct Knock {
    pub visitor: Visitor,
    /// The session did not come in a header: it is in a cookie, or there is none.
    pub in_browser: bool,
}

impl<S: Send + Sync> FromRequestParts<S> for Knock {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let ClientAddress(address) = ClientAddress::from_request_parts(parts, state).await?;
        let device = CookieJar::from_headers(&parts.headers).get(DEVICE_COOKIE).and_then(|cookie| presented(cookie.value()));
        Ok(Self { visitor: Visitor { address, device }, in_browser: !parts.headers.contains_key(AUTHORIZATION) })
    }
}

impl Knock {
    /// The same with the token of a device that was named in the body.
    pub(super) fn with(mut self, device: Option<&str>) -> Self {
        self.visitor.device = self.visitor.device.or_else(|| device.and_then(presented));
        self
    }
}

fn presented(token: &str) -> Option<TokenHash> {
    (token.len() <= LONGEST).then(|| TokenHash::of(token))
}

/// The cookie of a known device: not for scripts, not for other sites, and only where somebody signs in.
pub(super) fn device_cookie(token: Token, secure: bool) -> Result<HeaderValue, Error> {
    cookie(&token.into_text(), KNOWN_FOR, secure)
}

/// The same, gone.
pub(super) fn no_device_cookie(secure: bool) -> Result<HeaderValue, Error> {
    cookie("", TimeDelta::zero(), secure)
}

fn cookie(token: &str, lasts: TimeDelta, secure: bool) -> Result<HeaderValue, Error> {
    let (secure, seconds) = (if secure { "; Secure" } else { "" }, lasts.num_seconds());
    let text = format!("{DEVICE_COOKIE}={token}; Path=/api/v1/session; Max-Age={seconds}; HttpOnly; SameSite=Strict{secure}");
    HeaderValue::from_str(&text).map_err(|_| Error::Stored { what: "device token" })
}
