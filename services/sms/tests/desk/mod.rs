//! A desk from which staff look at the routes of this service.

use async_trait::async_trait;
use axum::{Router, body::Body};
use domain::{
    ids::StaffId,
    staff::{Role, Scope},
};
use http::{Request, StatusCode};
use http_body_util::BodyExt;
use platform::http::{Authenticator, Authenticators, Caller, Problem, Routes, Shell, StaffCaller};
use serde_json::Value;
use tower::ServiceExt;

pub const OFFICER: &str = "fhs_officer";
pub const REVIEWER: &str = "fhs_reviewer_of_500103";
pub const OTHER_REVIEWER: &str = "fhs_reviewer_of_500105";

struct Staff;

#[async_trait]
impl Authenticator for Staff {
    fn prefixes(&self) -> &'static [&'static str] {
        &["fhs_"]
    }

    async fn authenticate(&self, token: &str) -> Result<Option<Caller>, Problem> {
        let (role, scope) = match token {
            OFFICER => (Role::CityCommandOfficer, Scope::City),
            REVIEWER => (Role::DistrictReviewer, "district:500103".parse().unwrap()),
            OTHER_REVIEWER => (Role::DistrictReviewer, "district:500105".parse().unwrap()),
            _ => return Ok(None),
        };
        Ok(Some(Caller::Staff(StaffCaller { id: StaffId::new(), name: token.into(), role, scope, session: token.into() })))
    }
}

pub struct Desk(Router);

impl Desk {
    pub fn of(routes: Routes) -> Self {
        Self(Shell::new(routes, Authenticators::new().with(Staff)).router())
    }

    pub async fn get(&self, token: &str, path: &str) -> (StatusCode, Value) {
        let request = Request::get(path).header("authorization", format!("Bearer {token}")).body(Body::empty()).unwrap();
        let response = self.0.clone().oneshot(request).await.unwrap();
        let status = response.status();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        (status, serde_json::from_slice(&body).unwrap_or_default())
    }
}
