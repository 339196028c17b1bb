//! Firebase Cloud Messaging, HTTP v1: one request a device, one or several projects.
//!
//! [`Fcm::letter`] makes what all recipients of a batch in one language share, once ([`letter`]); [`Fcm::send`] splices the token in and reads the
//! answer ([`refusal`]). [`access`] says who we are.
//!
//! Several projects share the load: an endpoint has a project by its id, always the same. A token that turns out to be another project's
//! (`SENDER_ID_MISMATCH`) is tried with each before it counts as gone.

mod access;
mod letter;
mod refusal;

use std::marker::PhantomData;

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::uri::PathAndQuery;
use http::{HeaderMap, HeaderValue};
use platform::clock::Clock;
use platform::tasks::chain;

use crate::answer::{ProviderAnswer, Trouble};
use crate::endpoint::{Addressed, Endpoint, Reach};
use crate::error::{Error, secret_of};
use crate::sender::{Address, Request, Roots, Sender};
use crate::settings::FcmSettings;
use access::Access;
use letter::Body;
use refusal::Reading;

/// A client of FCM.
#[derive(Debug)]
pub struct Fcm {
    sender: Sender,
    projects: Vec<Project>,
    clock: Clock,
}

#[derive(Debug)]
struct Project {
    id: String,
    path: PathAndQuery,
    access: Access,
}

/// A message without its recipient, good for as long as a batch takes.
#[derive(Debug)]
pub struct Letter<R: Reach> {
    /// One for each project; none where no access token can be had.
    headers: Vec<Option<HeaderMap>>,
    body: Body,
    reach: PhantomData<R>,
}

impl Fcm {
    /// A client by these settings. Nothing is connected yet.
    ///
    /// # Errors
    /// When a setting is missing or a service account is not one.
    pub fn new(settings: &FcmSettings, clock: Clock) -> Result<Self, Error> {
        let address = Address::parse(&settings.base_url).map_err(|source| Error::Address { name: "push.fcm.base_url", source })?;
        if settings.projects.is_empty() {
            return Err(Error::Setting { name: "push.fcm.projects", reason: "must name at least one project" });
        }
        let projects = settings.projects.iter().map(|project| {
            let account =
                secret_of("push.fcm.projects.service_account", &project.service_account, project.service_account_file.as_deref())?;
            let (id, access) = Access::of(account).map_err(Error::ServiceAccount)?;
            let path = PathAndQuery::try_from(format!("/v1/projects/{id}/messages:send"))
                .map_err(|_| Error::Setting { name: "push.fcm.projects.service_account", reason: "its project_id is not one" })?;
            Ok(Project { id, path, access })
        });
        let projects = projects.collect::<Result<Vec<_>, Error>>()?;
        let sender = Sender::new(address, &Roots::load(settings.extra_ca.as_deref())?, settings.limits())?;
        Ok(Self { sender, projects, clock })
    }

    /// The names of the projects, in the order of the settings.
    pub fn projects(&self) -> impl Iterator<Item = &str> {
        self.projects.iter().map(|project| project.id.as_str())
    }

    /// Which project an endpoint is sent by: always the same.
    pub fn project_of(&self, endpoint_id: i64) -> usize {
        // A count of projects fits u64, and the remainder is below it.
        (endpoint_id.unsigned_abs() % self.projects.len() as u64) as usize
    }

    /// What all recipients of a notice share.
    pub async fn letter<N: Addressed>(&self, notice: &N) -> Letter<N::To> {
        let mut headers = Vec::with_capacity(self.projects.len());
        for project in &self.projects {
            headers.push(match project.access.authorization().await {
                Ok(authorization) => {
                    let json = HeaderValue::from_static("application/json");
                    Some(HeaderMap::from_iter([(AUTHORIZATION, authorization), (CONTENT_TYPE, json)]))
                }
                Err(error) => {
                    tracing::error!(project = project.id, error = chain(&error), "no access token for a Firebase project");
                    None
                }
            });
        }
        Letter { headers, body: Body::of(notice.notice(), self.clock.now()), reach: PhantomData }
    }

    /// Sends a letter to one device and waits for the answer.
    pub async fn send<R: Reach>(&self, letter: &Letter<R>, endpoint: &Endpoint<R>) -> ProviderAnswer {
        let Some(body) = letter.body.to(&endpoint.token) else { return ProviderAnswer::EndpointGone };
        let first = self.project_of(endpoint.id);
        for project in (first..self.projects.len()).chain(0..first) {
            let Some(headers) = &letter.headers[project] else {
                return ProviderAnswer::CredentialsRefused { reason: "no access token" };
            };
            match self.send_by(project, headers, body.clone()).await {
                Reading::Final(answer) => return answer,
                Reading::Unauthenticated => return self.unauthenticated(project, headers).await,
                Reading::OtherProject => {}
            }
        }
        ProviderAnswer::EndpointGone
    }

    async fn send_by(&self, project: usize, headers: &HeaderMap, body: Bytes) -> Reading {
        let request = Request { path: self.projects[project].path.clone(), headers, own: None, body };
        match self.sender.send(&request).await {
            Ok(answer) => refusal::read(&answer, self.clock.now()),
            Err(failure) => Reading::Final(failure.into()),
        }
    }

    async fn unauthenticated(&self, project: usize, headers: &HeaderMap) -> ProviderAnswer {
        if self.projects[project].access.refused(&headers[AUTHORIZATION]).await {
            ProviderAnswer::Temporary { why: Trouble::TokenExpired }
        } else {
            ProviderAnswer::CredentialsRefused { reason: "UNAUTHENTICATED" }
        }
    }
}
