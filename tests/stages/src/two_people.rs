//! Accounts and keys as two administrators make them.

use http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::asking::Desk;
use crate::callers::NOBODY;
use crate::second_factor::{enrol, prove};

/// What everybody in a story chooses as their password.
pub const PASSWORD: &str = "beacon tower at dusk";

/// Where identity is asked, with paths below `/api/v1/`.
#[allow(async_fn_in_trait, reason = "stories are told in one task")]
pub trait Identity {
    /// Asks.
    async fn asked(&self, method: Method, token: &str, path: &str, body: Value) -> (StatusCode, Value);
}

impl Identity for Desk {
    async fn asked(&self, method: Method, token: &str, path: &str, body: Value) -> (StatusCode, Value) {
        self.send(method, token, &format!("/api/v1/{path}"), body).await
    }
}

/// The sessions of two administrators.
#[derive(Clone, Debug)]
pub struct TwoAdministrators {
    /// Who proposes.
    pub one: String,
    /// Who confirms.
    pub two: String,
}

/// What two administrators agreed on.
#[derive(Clone, Debug)]
pub struct Agreed {
    /// The proposal as it stands after it was confirmed.
    pub proposal: Value,
    /// Both halves of the secret, where there is one.
    pub halves: [String; 2],
}

impl TwoAdministrators {
    /// Those who have just set their passwords with these codes: login, first and second half.
    pub async fn begin(at: &impl Identity, codes: [[&str; 3]; 2]) -> Self {
        let [one, two] = codes;
        Self { one: activate(at, one).await, two: activate(at, two).await }
    }

    /// One proposes, the other confirms.
    pub async fn agree(&self, at: &impl Identity, method: Method, path: &str, body: Value) -> Agreed {
        let (status, made) = asked_proving(at, method, &self.one, path, body).await;
        assert_eq!(status, StatusCode::ACCEPTED, "{path}: {made}");
        let confirmation = format!("proposals/{}/confirmation", text(&made["proposal"]["id"]));
        let (status, confirmed) = asked_proving(at, Method::POST, &self.two, &confirmation, Value::Null).await;
        assert_eq!(status, StatusCode::OK, "{path}: {confirmed}");
        let half = |half: &Value| half.as_str().unwrap_or_default().to_owned();
        Agreed { proposal: confirmed["proposal"].clone(), halves: [half(&made["first_half"]), half(&confirmed["second_half"])] }
    }

    /// An account that waits before it uses its power, and its session.
    pub async fn new_staff(&self, at: &impl Identity, login: &str, role: &str, scope: &str) -> (String, String) {
        let new = json!({ "login": login, "name": login, "role": role, "scope": scope });
        let Agreed { proposal, halves: [first, second] } = self.agree(at, Method::POST, "staff", new).await;
        (text(&proposal["staff"]["id"]).to_owned(), activate(at, [login, &first, &second]).await)
    }

    /// An account that need not wait, and its session.
    pub async fn staff(&self, at: &impl Identity, login: &str, role: &str, scope: &str) -> String {
        let (id, session) = self.new_staff(at, login, role, scope).await;
        let (_, me) = at.asked(Method::GET, &session, "session", Value::Null).await;
        if !me["acts_from"].is_null() {
            self.agree(at, Method::POST, &format!("staff/{id}/waiting-lifted"), Value::Null).await;
        }
        session
    }

    /// A source's key.
    pub async fn key(&self, at: &impl Identity, key: Value) -> String {
        self.agree(at, Method::POST, "api-keys", key).await.halves.concat()
    }
}

/// Asks, and shows the second factor once more where that is wanted.
pub async fn asked_proving(at: &impl Identity, method: Method, token: &str, path: &str, body: Value) -> (StatusCode, Value) {
    let (status, answer) = at.asked(method.clone(), token, path, body.clone()).await;
    if answer["code"] != "fresh_proof_needed" {
        return (status, answer);
    }
    prove(at, token).await;
    at.asked(method, token, path, body).await
}

/// Somebody sets their password with their code, and enrols a second factor where they need one; their session.
pub async fn activate(at: &impl Identity, [login, first, second]: [&str; 3]) -> String {
    let body = json!({ "login": login, "first_half": first, "second_half": second, "password": PASSWORD });
    let (status, begun) = at.asked(Method::POST, NOBODY, "session/activation", body).await;
    assert_eq!(status, StatusCode::CREATED, "{login}: {begun}");
    let session = text(&begun["token"]).to_owned();
    if begun["staff"]["second_factor"]["needs"] == "enrolment" {
        return enrol(at, &session).await;
    }
    session
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("{value} is a text"))
}
