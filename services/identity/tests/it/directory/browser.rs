//! A browser: it keeps cookies, and follows where it is led.

use std::collections::BTreeMap;

use axum::body::Body;
use http::header::{CONTENT_TYPE, COOKIE, LOCATION, SET_COOKIE};
use http::{HeaderMap, Method, Request, StatusCode};
use serde_json::Value;

use crate::city::City;

/// A browser.
#[derive(Clone, Default)]
pub struct Browser {
    pub cookies: BTreeMap<String, String>,
}

/// How it was answered.
pub struct Seen {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Value,
}

impl Browser {
    /// Opens an address.
    pub async fn opens(&mut self, city: &City, path: &str) -> Seen {
        self.asks(city, Request::get(path).body(Body::empty()).unwrap()).await
    }

    /// A page of ours sends something.
    pub async fn sends(&mut self, city: &City, path: &str, body: Value) -> Seen {
        let request = Request::builder().method(Method::POST).uri(path).header(CONTENT_TYPE, "application/json");
        self.asks(city, request.header("x-fenghuo-request", "1").body(Body::from(body.to_string())).unwrap()).await
    }

    /// Opens an address that leads elsewhere; to where.
    pub async fn is_led(&mut self, city: &City, path: &str) -> String {
        let seen = self.opens(city, path).await;
        assert_eq!(seen.status, StatusCode::SEE_OTHER, "{path}: {}", seen.body);
        seen.headers[LOCATION].to_str().unwrap().to_owned()
    }

    async fn asks(&mut self, city: &City, mut request: Request<Body>) -> Seen {
        let cookies: Vec<String> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        if !cookies.is_empty() {
            request.headers_mut().insert(COOKIE, cookies.join("; ").parse().unwrap());
        }
        let (parts, octets) = city.answered(request).await;
        for cookie in parts.headers.get_all(SET_COOKIE) {
            let text = cookie.to_str().unwrap();
            let (name, value) = text.split(';').next().unwrap().split_once('=').unwrap();
            if text.contains("Max-Age=0") {
                self.cookies.remove(name)
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned())
            };
        }
        Seen { status: parts.status, headers: parts.headers, body: serde_json::from_slice(&octets).unwrap_or_default() }
    }
}

/// The address by which a directory leads somebody back with this.
pub fn coming_back(with: &BTreeMap<String, String>) -> String {
    let mut address: openidconnect::url::Url = "https://alerts.example.cn/api/v1/session/directory/return".parse().unwrap();
    address.query_pairs_mut().extend_pairs(with);
    format!("{}?{}", address.path(), address.query().unwrap_or_default())
}
