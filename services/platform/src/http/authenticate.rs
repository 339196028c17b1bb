//! From a presented token to a caller.
//!
//! Every kind of token has a prefix (`fhs_` staff session, `fhk_` API key, `fhr_` resident, `fhd_` screen); the service that
//! issues it registers the [`Authenticator`] that knows it. Tokens come as `Authorization: Bearer`, staff sessions also as
//! a cookie. A browser attaches cookies to requests that other sites make it send, so a cookie alone never authorises a
//! change: it also takes a header that no other site can set.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use axum::extract::FromRequestParts;
use axum_extra::extract::CookieJar;
use http::header::AUTHORIZATION;
use http::request::Parts;
use http::{HeaderMap, Method, StatusCode};

use super::{Caller, ClientAddress, Problem};

/// Cookie that carries a staff session in a browser.
pub const SESSION_COOKIE: &str = "fenghuo_session";
/// Header that a page of ours sends with every request; another site cannot, without asking us first (CORS).
pub const REQUEST_HEADER: &str = "x-fenghuo-request";
/// No token of ours is longer (bytes).
const LONGEST_TOKEN: usize = 512;

/// Knows one or more kinds of token.
#[async_trait]
pub trait Authenticator: Send + Sync + 'static {
    /// Prefixes of the tokens it knows, such as `fhs_`.
    fn prefixes(&self) -> &'static [&'static str];

    /// The caller that the token stands for; `None` if it is unknown, expired or revoked. An error means that nobody can
    /// tell at the moment.
    async fn authenticate(&self, token: &str) -> Result<Option<Caller>, Problem>;

    /// The same without counting as use of it, where use keeps it alive.
    async fn look(&self, token: &str) -> Result<Option<Caller>, Problem> {
        self.authenticate(token).await
    }

    /// One of its callers was turned away: leaves a trace of it, where somebody has to be able to see that.
    async fn turned_away(&self, _caller: &Caller, _from: TurnedAway<'_>) {}
}

/// From what a caller whose token is good was turned away.
#[derive(Debug, Clone, Copy)]
pub struct TurnedAway<'a> {
    /// Where they came from.
    pub client: ClientAddress,
    /// What they asked for: the template of the route with its method, `POST /api/v1/alerts/{id}/decisions`.
    pub route: &'a str,
    /// Why, as the problem that they were told names it.
    pub code: &'a str,
}

/// All authenticators of this process.
#[derive(Clone, Default)]
pub struct Authenticators {
    known: Vec<Arc<dyn Authenticator>>,
}

impl Authenticators {
    /// None yet: only public routes can be called.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds one.
    #[must_use]
    pub fn with(mut self, authenticator: impl Authenticator) -> Self {
        self.known.push(Arc::new(authenticator));
        self
    }

    /// The caller of a request, by the token presented, and the token.
    pub(super) async fn identify<'h>(&self, method: &Method, headers: &'h HeaderMap) -> Result<(Caller, Cow<'h, str>), Problem> {
        let token = presented(method, headers)?;
        Ok((self.admit(&token).await?, token))
    }

    /// The caller that a token stands for.
    pub(super) async fn admit(&self, token: &str) -> Result<Caller, Problem> {
        self.who_knows(token)?.authenticate(token).await?.ok_or_else(unknown_token)
    }

    /// A caller with this token was turned away.
    pub(super) async fn turned_away(&self, token: &str, caller: &Caller, from: TurnedAway<'_>) {
        if let Ok(knows) = self.who_knows(token) {
            knows.turned_away(caller, from).await;
        }
    }

    /// The same without counting as use of it.
    pub(super) async fn look(&self, token: &str) -> Result<Caller, Problem> {
        self.who_knows(token)?.look(token).await?.ok_or_else(unknown_token)
    }

    fn who_knows(&self, token: &str) -> Result<&dyn Authenticator, Problem> {
        let knows = |authenticator: &&Arc<dyn Authenticator>| authenticator.prefixes().iter().any(|prefix| token.starts_with(prefix));
        self.known.iter().find(knows).map(AsRef::as_ref).ok_or_else(unknown_token)
    }
}

/// The token that the caller presented. A handler asks for it to end a session; it never prints.
#[derive(Clone)]
pub struct Credential {
    token: Arc<str>,
}

impl Credential {
    /// The token itself.
    pub fn token(&self) -> &str {
        &self.token
    }
}

/// The token in the header or, where it may stand there, in the cookie.
fn presented<'a>(method: &Method, headers: &'a HeaderMap) -> Result<Cow<'a, str>, Problem> {
    let token = match headers.get(AUTHORIZATION) {
        Some(header) => match header.to_str().ok().and_then(|value| value.split_once(' ')) {
            Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => Cow::Borrowed(token.trim()),
            _ => return Err(unknown_token()),
        },
        None => {
            let jar = CookieJar::from_headers(headers);
            let cookie = jar.get(SESSION_COOKIE).ok_or_else(|| Problem::of_status(StatusCode::UNAUTHORIZED))?;
            if !method.is_safe() && !sent_by_our_page(headers) {
                return Err(Problem::forbidden(
                    "cross_site_request",
                    "请求不是从本平台页面发出的，已拒绝。请在本平台页面内操作。",
                    "This request did not come from a page of this platform and was refused (send the header x-fenghuo-request: 1).",
                ));
            }
            Cow::Owned(cookie.value().to_owned())
        }
    };
    if token.len() > LONGEST_TOKEN { Err(unknown_token()) } else { Ok(token) }
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credential(…)")
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Credential {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        // only where it has let somebody in
        if parts.extensions.get::<Caller>().is_none() {
            return Err(Problem::of_status(StatusCode::UNAUTHORIZED));
        }
        presented(&parts.method, &parts.headers).map(|token| Self { token: token.into() })
    }
}

fn sent_by_our_page(headers: &HeaderMap) -> bool {
    headers.get(REQUEST_HEADER).is_some_and(|value| value == "1")
        || headers.get("sec-fetch-site").is_some_and(|value| value == "same-origin")
}

fn unknown_token() -> Problem {
    Problem::new(
        StatusCode::UNAUTHORIZED,
        "credential_unknown",
        "登录已失效或凭证无效，请重新登录；接口密钥请联系管理员核对。",
        "The session has ended or the key is not valid. Sign in again, or ask the administrator about the key.",
    )
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use http::header::COOKIE;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn no_header_makes_the_reader_of_tokens_panic_or_give_a_monster(
            scheme in "(Bearer|bearer|Basic|)( |)", token in prop::collection::vec(32..255_u8, 0..800), in_cookie: bool, change: bool, ours: bool
        ) {
            let mut headers = HeaderMap::new();
            let begin = if in_cookie { format!("a=b; {SESSION_COOKIE}=") } else { scheme };
            let value = HeaderValue::from_bytes(&[begin.as_bytes(), &token].concat());
            headers.extend(value.map(|value| (if in_cookie { COOKIE } else { AUTHORIZATION }, value)));
            if ours {
                headers.insert(REQUEST_HEADER, HeaderValue::from_static("1"));
            }
            let method = if change { Method::POST } else { Method::GET };
            if let Ok(token) = presented(&method, &headers) {
                prop_assert!(token.len() <= LONGEST_TOKEN);
                prop_assert!(!in_cookie || !change || sent_by_our_page(&headers), "a cookie alone authorises no change");
            }
        }
    }
}
