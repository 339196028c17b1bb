//! The same with a directory of another make: `oidc-provider`, which conforms to the standard, as a process of its own.

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use domain::staff::{Role, Scope};
use http::{Method, StatusCode};
use identity::{DirectorySettings, Settings};
use platform::clock::Clock;
use reqwest::redirect::Policy;
use serde_json::json;
use stages::{Store, until};

use super::SECRET;
use super::browser::Browser;
use super::provider::CLIENT;
use crate::city::{ADDRESS, City};

/// A process that ends with the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Installs what the lock file names, once for as long as it stays the same.
fn installed() -> PathBuf {
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/directory-provider");
    let place = Path::new(env!("CARGO_TARGET_TMPDIR")).join("directory-provider");
    let lock = std::fs::read(sources.join("package-lock.json")).unwrap();
    let is_there = std::fs::read(place.join("installed")).is_ok_and(|installed| installed == lock);
    std::fs::create_dir_all(&place).unwrap();
    for file in ["package.json", "package-lock.json", "provider.js"] {
        std::fs::copy(sources.join(file), place.join(file)).unwrap();
    }
    if !is_there {
        let ci = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"];
        assert!(Command::new("npm").args(ci).current_dir(&place).status().unwrap().success(), "npm ci");
        std::fs::write(place.join("installed"), lock).unwrap();
    }
    place
}

/// A browser at another host: it keeps cookies, and is led by hand.
struct Elsewhere {
    client: reqwest::Client,
    cookies: BTreeMap<String, String>,
}

impl Elsewhere {
    /// Opens an address, or sends a form there; where it is led, or the page.
    async fn asks(&mut self, address: &str, form: Option<&[(&str, &str)]>) -> Result<String, String> {
        let cookies: Vec<String> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let request = match form {
            None => self.client.get(address),
            Some(form) => {
                let mut body: openidconnect::url::Url = "http://form".parse().unwrap();
                body.query_pairs_mut().extend_pairs(form);
                let request = self.client.post(address).header("content-type", "application/x-www-form-urlencoded");
                request.body(body.query().unwrap_or_default().to_owned())
            }
        };
        let answer = request.header("cookie", cookies.join("; ")).send().await.unwrap();
        for cookie in answer.headers().get_all("set-cookie") {
            let (name, value) = cookie.to_str().unwrap().split(';').next().unwrap().split_once('=').unwrap();
            self.cookies.insert(name.to_owned(), value.to_owned());
        }
        match answer.headers().get("location") {
            Some(to) => {
                let base: openidconnect::url::Url = address.parse().unwrap();
                Ok(base.join(to.to_str().unwrap()).unwrap().into())
            }
            None => Err(answer.text().await.unwrap()),
        }
    }

    /// Signs in and agrees, until the directory leads back to the console.
    async fn signs_in(&mut self, mut address: String, login: &str) -> String {
        for _ in 0..10 {
            if address.starts_with(ADDRESS) {
                return address;
            }
            address = match self.asks(&address, None).await {
                Ok(next) => next,
                Err(page) if page.contains("name=\"password\"") => {
                    self.asks(&address, Some(&[("prompt", "login"), ("login", login), ("password", "any")])).await.unwrap()
                }
                Err(page) => {
                    assert!(page.contains("consent"), "{page}");
                    self.asks(&address, Some(&[("prompt", "consent")])).await.unwrap()
                }
            };
        }
        panic!("it does not come back: {address}");
    }
}

#[tokio::test]
#[ignore = "needs Node.js and the npm registry"]
#[expect(clippy::disallowed_methods, reason = "the browser of this story, which keeps no connection of ours")]
async fn staff_sign_in_at_a_directory_of_another_make() {
    let place = installed();
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let back = format!("{ADDRESS}/api/v1/session/directory/return");
    let mut node = Command::new("node");
    let node = node.args(["provider.js", &port.to_string(), &back]).current_dir(&place).stdin(Stdio::piped()).stdout(Stdio::null());
    let _provider = Running(node.spawn().unwrap());
    let issuer = format!("http://127.0.0.1:{port}");
    let client = reqwest::Client::builder().redirect(Policy::none()).no_proxy().build().unwrap();
    until("the directory answers", async || client.get(format!("{issuer}/jwks")).send().await.is_ok()).await;

    // its tokens are of now, by its own clock
    let platform = Store::Embedded.open_at(Clock::real().now()).await;
    let directory =
        DirectorySettings { issuer, client_id: CLIENT.to_owned(), client_secret: SECRET.into(), ..DirectorySettings::default() };
    let settings = Settings { console_address: ADDRESS.to_owned(), directory: Some(directory), ..Settings::default() };
    let city = City::set(platform, &settings).await;
    let administrators = city.administrators().await;
    city.has("zhang.san", Role::Auditor, Scope::City).await;

    let (mut browser, mut elsewhere) = (Browser::default(), Elsewhere { client, cookies: BTreeMap::new() });
    let begin = "/api/v1/session/directory/begin?to=/console/alerts";
    let mut sign_in = async |browser: &mut Browser| {
        let address = browser.is_led(&city, begin).await;
        let back = elsewhere.signs_in(address, "zhang.san").await;
        browser.is_led(&city, &back[ADDRESS.len()..]).await
    };
    assert_eq!(sign_in(&mut browser).await, "/console?directory=not_bound");
    let listed = city.look(&administrators.one, "/api/v1/staff-directory").await.body;
    let arrival = &listed["arrivals"][0];
    let account = city.id_of("zhang.san").await;
    assert_eq!((&arrival["name"], &arrival["proposes"]), (&json!("zhang.san"), &json!(account)));
    let path = format!("staff/{account}/directory");
    administrators.agree(&city, Method::PUT, &path, json!({ "subject": arrival["subject"] })).await;

    assert_eq!(sign_in(&mut browser).await, "/console/alerts", "it asks again who sits there, and believes them");
    let proved = browser.sends(&city, "/api/v1/session/proof", json!({ "code": identity::demo::CODE })).await;
    assert_eq!(proved.status, StatusCode::OK, "{}", proved.body);
    assert_eq!(browser.opens(&city, "/whole-city").await.status, StatusCode::OK);
}
