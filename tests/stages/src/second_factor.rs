//! What staff have beside their password, as the people of a story keep it: an app on a phone, and recovery codes in a drawer.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use chrono::{DateTime, Utc};
use http::{Method, StatusCode};
use serde_json::{Value, json};
use totp_rs::{Builder, Secret};

use crate::two_people::Identity;

/// Recovery codes, by account: stories run side by side, and no account is in two.
static DRAWERS: Mutex<BTreeMap<String, Vec<String>>> = Mutex::new(BTreeMap::new());
/// So many codes stay in a drawer: then fresh ones are made.
const LAST_ONES: usize = 2;

/// The code that an app with this secret (in base 32) shows at this time.
pub fn code_at(secret: &str, at: DateTime<Utc>) -> String {
    let app = Builder::new().with_secret(Secret::try_from_base32(secret).unwrap()).build().unwrap();
    app.generate(u64::try_from(at.timestamp()).unwrap()).to_string()
}

/// Enrols an app in a session that needs one; the recovery codes go into the drawer. The session's token from then on.
pub async fn enrol(at: &impl Identity, token: &str) -> String {
    let (status, offer) = at.asked(Method::POST, token, "session/factors/totp/offer", Value::Null).await;
    assert_eq!(status, StatusCode::OK, "{offer}");
    let now: DateTime<Utc> = text(&offer["now"]).parse().unwrap();
    let shown = json!({ "state": offer["state"], "code": code_at(text(&offer["secret"]), now) });
    let (status, enrolled) = at.asked(Method::POST, token, "session/factors", json!({ "name": "手机", "totp": shown })).await;
    assert_eq!(status, StatusCode::CREATED, "{enrolled}");
    let token = goes_on(token, &enrolled);
    let account = account(at, &token).await;
    drawer(|drawers| drawers.insert(account, codes(&enrolled)));
    token
}

/// Shows a recovery code out of the drawer. The session's token from then on.
pub async fn prove(at: &impl Identity, token: &str) -> String {
    let account = account(at, token).await;
    let code = drawer(|drawers| drawers.get_mut(&account).and_then(Vec::pop)).expect("a recovery code is left");
    let (status, proved) = at.asked(Method::POST, token, "session/proof", json!({ "recovery_code": code })).await;
    assert_eq!(status, StatusCode::OK, "{proved}");
    let token = goes_on(token, &proved);
    if drawer(|drawers| drawers.get(&account).map_or(0, Vec::len)) <= LAST_ONES {
        let (status, fresh) = at.asked(Method::POST, &token, "session/recovery-codes", Value::Null).await;
        assert_eq!(status, StatusCode::CREATED, "{fresh}");
        drawer(|drawers| drawers.insert(account, codes(&fresh)));
    }
    token
}

/// The token with which a session goes on: another one when it was proved for the first time.
pub fn goes_on(token: &str, answer: &Value) -> String {
    answer["token"].as_str().unwrap_or(token).to_owned()
}

async fn account(at: &impl Identity, token: &str) -> String {
    let (status, me) = at.asked(Method::GET, token, "session", Value::Null).await;
    assert_eq!(status, StatusCode::OK, "{me}");
    text(&me["id"]).to_owned()
}

fn codes(answer: &Value) -> Vec<String> {
    answer["recovery_codes"].as_array().expect("recovery codes").iter().map(|code| text(code).to_owned()).collect()
}

fn drawer<T>(look: impl FnOnce(&mut BTreeMap<String, Vec<String>>) -> T) -> T {
    look(&mut DRAWERS.lock().unwrap_or_else(PoisonError::into_inner))
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("{value} is a text"))
}
