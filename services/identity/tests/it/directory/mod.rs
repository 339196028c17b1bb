//! Signing in through the city's directory of staff, and what its word is not worth.

mod bindings;
mod browser;
mod provider;
mod real;
mod words;

use std::time::Duration;

use domain::ids::StaffId;
use domain::staff::{Role, Scope};
use http::{Method, StatusCode};
use identity::{DirectorySettings, Settings};
use serde_json::{Value, json};
use stages::{Store, TwoAdministrators};

use crate::city::{ADDRESS, City};
use browser::Browser;
use provider::{CLIENT, Provider};

/// What the directory and the platform share.
const SECRET: &str = "between the directory and us";
/// Whom the directory means.
const SUBJECT: &str = "f3b0c442-98fc-4c14";

/// A city with a directory, an officer who is bound to somebody in it, and their browser.
struct Town {
    city: City,
    provider: Provider,
    administrators: TwoAdministrators,
    officer: StaffId,
    browser: Browser,
}

impl Town {
    async fn founded() -> Self {
        Self::set(|_| {}).await
    }

    /// The same with other settings of its directory.
    async fn set(change: impl FnOnce(&mut DirectorySettings)) -> Self {
        let platform = Store::Embedded.open_at("2026-11-02T01:00:00Z".parse().unwrap()).await;
        let provider = Provider::opens(platform.clock.clone()).await;
        let mut directory = DirectorySettings {
            issuer: provider.issuer(),
            client_id: CLIENT.to_owned(),
            client_secret: SECRET.into(),
            ..DirectorySettings::default()
        };
        change(&mut directory);
        let settings = Settings { console_address: ADDRESS.to_owned(), directory: Some(directory), ..Settings::default() };
        let city = City::set(platform, &settings).await;
        let administrators = city.administrators().await;
        city.has("zhang.san", Role::CityCommandOfficer, Scope::City).await;
        let officer = city.id_of("zhang.san").await;
        let town = Self { city, provider, administrators, officer, browser: Browser::default() };
        town.binds(town.officer, SUBJECT).await;
        town.city.passes(Duration::from_secs(25 * 3600));
        let administrators = town.city.administrators_again().await;
        Self { administrators, ..town }
    }

    /// Two administrators bind an account.
    async fn binds(&self, account: StaffId, subject: &str) {
        let path = format!("staff/{account}/directory");
        self.administrators.agree(&self.city, Method::PUT, &path, json!({ "subject": subject })).await;
    }

    /// The browser goes to the directory; where it is led.
    async fn sets_out(&mut self, to: &str) -> String {
        self.browser.is_led(&self.city, &format!("/api/v1/session/directory/begin?to={to}")).await
    }

    /// Somebody signs in there and is led back; where they end up.
    async fn comes_back(&mut self, subject: &str) -> String {
        let address = self.sets_out("/console/alerts").await;
        let back = self.provider.lets_in(subject, "zhang.san", &address);
        self.browser.is_led(&self.city, &browser::coming_back(&back)).await
    }

    /// Whether the browser has a session that opens something.
    async fn is_in(&mut self) -> bool {
        self.browser.opens(&self.city, "/whole-city").await.status == StatusCode::OK
    }

    /// Has somebody who came by the directory show the second factor that they have here.
    async fn shows_their_factor(&mut self) {
        let proved = self.browser.sends(&self.city, "/api/v1/session/proof", json!({ "code": identity::demo::CODE })).await;
        assert_eq!(proved.status, StatusCode::OK, "{}", proved.body);
    }

    /// What the browser's session lacks.
    async fn lacks(&mut self) -> Value {
        let me = self.browser.opens(&self.city, "/api/v1/session").await;
        assert_eq!(me.status, StatusCode::OK, "{}", me.body);
        me.body["second_factor"]["needs"].clone()
    }
}
