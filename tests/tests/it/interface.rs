//! The description of the interface in the repository is the one that the platform gives: the pages' types are made from it.

use std::path::PathBuf;

use http::Method;
use serde_json::Value;
use tests::Whole;

/// `FENGHUO_RENEW=1 cargo test -p tests --test it interface` writes it anew; then `npm run types` in `services/web`.
#[tokio::test]
async fn the_committed_description_of_the_interface_is_the_platforms_own() {
    let whole = Whole::start("2026-03-02T02:00:00Z".parse().unwrap()).await;
    let (_, told) = whole.ask(None, &Method::GET, "/openapi.json", &Value::Null).await;
    whole.end().await;
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../docs/openapi.json");
    if std::env::var_os("FENGHUO_RENEW").is_some() {
        std::fs::write(&file, serde_json::to_string_pretty(&told).unwrap() + "\n").unwrap();
    }
    let committed: Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    let differing: Vec<_> = ["paths", "components", "info"].into_iter().filter(|part| committed[part] != told[part]).collect();
    assert!(differing.is_empty(), "docs/openapi.json is old in {differing:?}: run this test with FENGHUO_RENEW=1, then `npm run types`");
}
