//! Where somebody comes from, and how a device is known again.

use axum::extract::FromRequestParts;
use axum_extra::extract::CookieJar;
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
    /// The token by which the device says it is known.
    device: Option<String>,
    /// The session did not come in a header: it is in a cookie, or there is none.
    pub in_browser: bool,
}

impl<S: Send + Sync> FromRequestParts<S> for Knock {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let ClientAddress(address) = ClientAddress::from_request_parts(parts, state).await?;
        let device = CookieJar::from_headers(&parts.headers).get(DEVICE_COOKIE).and_then(|cookie| presented(cookie.value()));
        let visitor = Visitor { address, device: device.as_deref().map(TokenHash::of) };
        Ok(Self { visitor, device, in_browser: !parts.headers.contains_key(AUTHORIZATION) })
    }
}

impl Knock {
    /// The same with the token of a device that was named in the body.
    pub(super) fn with(mut self, device: Option<&str>) -> Self {
        self.device = self.device.or_else(|| device.and_then(presented));
        self.visitor.device = self.device.as_deref().map(TokenHash::of);
        self
    }

    /// The token by which the device says it is known.
    pub(super) fn device(&self) -> Option<Token> {
        self.device.as_deref().map(Token::presented)
    }
}

fn presented(token: &str) -> Option<String> {
    (token.len() <= LONGEST).then(|| token.to_owned())
}

/// The cookie of a known device: not for scripts, not for other sites, and only where somebody signs in.
pub(super) fn device_cookie(token: Token, secure: bool) -> Result<HeaderValue, Error> {
    let (secure, seconds, token) = (if secure { "; Secure" } else { "" }, KNOWN_FOR.num_seconds(), token.into_text());
    let text = format!("{DEVICE_COOKIE}={token}; Path=/api/v1/session; Max-Age={seconds}; HttpOnly; SameSite=Strict{secure}");
    HeaderValue::from_str(&text).map_err(|_| Error::Stored { what: "device token" })
}
