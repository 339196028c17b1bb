//! The pages, built into the binary: the guide at `/`, the staff console, the residents' app, the player of public screens.
//!
//! `services/web` builds them (`make pages`). A debug build reads them from there as they are now; a binary that was built without
//! them says so instead of showing nothing.

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, Request};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, IF_NONE_MATCH, REFERRER_POLICY, VARY,
};
use http::{HeaderMap, HeaderValue, StatusCode};
use platform::http::Problem;
use rust_embed::{EmbeddedFile, RustEmbed};

/// Nothing from elsewhere, nothing inline, nothing evaluated; no page stands in a frame.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; \
     manifest-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
);
/// A built asset's name changes with its content.
const FOR_GOOD: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");
/// Kept, but asked about each time.
const ASK_AGAIN: HeaderValue = HeaderValue::from_static("no-cache");
const PAGE: &str = "text/html; charset=utf-8";

#[derive(RustEmbed)]
#[folder = "$CARGO_MANIFEST_DIR/../web/dist"]
#[allow_missing = true]
struct Built;

pub(crate) fn router() -> Router {
    Router::new()
        .route("/", get(|request: Request| page("index.html", request)))
        .route("/console", get(|request: Request| page("console.html", request)))
        .route("/console/", get(|request: Request| page("console.html", request)))
        .route("/console/{*page}", get(|request: Request| page("console.html", request)))
        .route("/app", get(|request: Request| page("app.html", request)))
        .route("/app/", get(|request: Request| page("app.html", request)))
        .route("/app/{*file}", get(app))
        .route("/screen", get(|request: Request| page("screen.html", request)))
        .route("/{file}", get(|Path(file): Path<String>, request: Request| own(file, request)))
        .route("/assets/{*file}", get(|Path(file): Path<String>, request: Request| own(format!("assets/{file}"), request)))
        .route("/places/{*file}", get(|Path(file): Path<String>, request: Request| own(format!("places/{file}"), request)))
}

async fn page(name: &'static str, request: Request) -> Response {
    serve(name, request.headers()).unwrap_or_else(|| {
        Problem::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "pages_not_built",
            "此程序编译时未包含页面，请运行 make build 重新编译。",
            "This binary was built without its pages: run `make build`.",
        )
        .into_response()
    })
}

/// A file of the residents' app, or the app itself at one of its addresses.
async fn app(Path(file): Path<String>, request: Request) -> Response {
    match serve(&format!("app/{file}"), request.headers()) {
        Some(found) => found,
        None => page("app.html", request).await,
    }
}

async fn own(file: String, request: Request) -> Response {
    serve(&file, request.headers()).unwrap_or_else(|| StatusCode::NOT_FOUND.into_response())
}

/// The file as this browser wants it: gzipped where it can read that, and not at all where it has it already.
fn serve(name: &str, asked: &HeaderMap) -> Option<Response> {
    if name.ends_with(".gz") {
        return None;
    }
    let plain = Built::get(name)?;
    let tag = tag(&plain)?;
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, content_type(name, &plain)?);
    headers.insert(CACHE_CONTROL, if name.starts_with("assets/") { FOR_GOOD } else { ASK_AGAIN });
    headers.insert(VARY, HeaderValue::from_static("accept-encoding"));
    headers.insert(CONTENT_SECURITY_POLICY, POLICY);
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    headers.insert(ETAG, tag.clone());
    if asked.get(IF_NONE_MATCH) == Some(&tag) {
        return Some((StatusCode::NOT_MODIFIED, headers).into_response());
    }
    let reads_gzip = asked.get(ACCEPT_ENCODING).and_then(|value| value.to_str().ok()).is_some_and(|value| value.contains("gzip"));
    let file = match Built::get(&format!("{name}.gz")).filter(|_| reads_gzip) {
        Some(packed) => {
            headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
            packed
        }
        None => plain,
    };
    Some((headers, Body::from(file.data)).into_response())
}

fn tag(file: &EmbeddedFile) -> Option<HeaderValue> {
    let hash = file.metadata.sha256_hash();
    HeaderValue::from_str(&format!("\"{}\"", hash[..12].iter().map(|byte| format!("{byte:02x}")).collect::<String>())).ok()
}

fn content_type(name: &str, file: &EmbeddedFile) -> Option<HeaderValue> {
    match name.rsplit_once('.')?.1 {
        "html" => Some(HeaderValue::from_static(PAGE)),
        "js" => Some(HeaderValue::from_static("text/javascript; charset=utf-8")),
        "css" => Some(HeaderValue::from_static("text/css; charset=utf-8")),
        "json" | "geojson" => Some(HeaderValue::from_static("application/json")),
        "webmanifest" => Some(HeaderValue::from_static("application/manifest+json")),
        _ => HeaderValue::from_str(file.metadata.mimetype()).ok(),
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt as _;
    use tower::ServiceExt as _;

    use super::*;

    async fn ask(path: &str, headers: &[(http::HeaderName, &str)]) -> Response {
        let mut request = Request::get(path);
        for (name, value) in headers {
            request = request.header(name, *value);
        }
        router().oneshot(request.body(Body::empty()).expect("a sound request")).await.expect("the router answers everything")
    }

    #[tokio::test]
    async fn every_face_is_served_under_a_policy_without_exceptions() {
        for path in ["/", "/console", "/console/", "/console/alerts/0198", "/app", "/app/", "/app/start", "/screen"] {
            let answer = ask(path, &[]).await;
            assert_eq!(answer.status(), StatusCode::OK, "{path}");
            assert_eq!(answer.headers()[CONTENT_TYPE], PAGE);
            let policy = answer.headers()[CONTENT_SECURITY_POLICY].to_str().expect("a text").to_owned();
            assert!(policy.starts_with("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
        }
    }

    #[tokio::test]
    async fn what_a_browser_has_is_not_sent_again_and_what_it_can_unpack_is_sent_packed() {
        let first = ask("/console", &[(ACCEPT_ENCODING, "gzip")]).await;
        assert_eq!(first.headers()[CONTENT_ENCODING], "gzip");
        let tag = first.headers()[ETAG].to_str().expect("a text").to_owned();
        let again = ask("/console", &[(IF_NONE_MATCH, &tag)]).await;
        assert_eq!(again.status(), StatusCode::NOT_MODIFIED);
        assert!(again.into_body().collect().await.expect("a body").to_bytes().is_empty());
    }

    #[tokio::test]
    async fn nothing_outside_the_pages_is_served() {
        for path in ["/assets/..%2f..%2fCargo.toml", "/console.html.gz", "/no-such-file", "/places/500999.json"] {
            assert_eq!(ask(path, &[]).await.status(), StatusCode::NOT_FOUND, "{path}");
        }
    }
}
