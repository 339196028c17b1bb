//! Firebase Cloud Messaging, HTTP v1: one request a device, one or several projects.
//!
//! [`Fcm::letter`] makes what all recipients of a batch in one language share, once ([`letter`]); [`Fcm::send`] splices the token in and reads the
//! answer ([`refusal`]). [`access`] says who we are; [`Fcm::try_accounts`] finds out whether Google agrees.
//!
//! Several projects share the load in proportion to their quotas, so that all of them are at their limits together: an endpoint has a project by
//! its id, always the same. A token that turns out to be another project's
//! (`SENDER_ID_MISMATCH`) is tried with each before it is given up.

mod access;
mod letter;
mod refusal;
mod shares;
mod trial;

use std::marker::PhantomData;

use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::uri::PathAndQuery;
use http::{HeaderMap, HeaderValue};
use platform::clock::Clock;
use platform::tasks::chain;

use crate::answer::{ProviderAnswer, Read, Trouble};
use crate::endpoint::{Addressed, Endpoint, Reach};
use crate::error::{Error, secret_of};
use crate::sender::{Address, Answer, Failure, Request, Roots, Sender, Why};
use crate::settings::FcmSettings;
use access::Access;
use letter::Body;
use refusal::Reading;
use shares::Shares;

/// A client of FCM.
#[derive(Debug)]
pub struct Fcm {
    sender: Sender,
    projects: Vec<Project>,
    shares: Shares,
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
        let shares = Shares::of(settings.projects.iter().map(|project| project.rate_per_minute));
        let sender = Sender::new(address, &Roots::load(settings.extra_ca.as_deref())?, settings.limits())?;
        Ok(Self { sender, projects, shares, clock })
    }

    /// The names of the projects, in the order of the settings.
    pub fn projects(&self) -> impl Iterator<Item = &str> {
        self.projects.iter().map(|project| project.id.as_str())
    }

    /// Which project an endpoint is sent by: always the same.
    pub fn project_of(&self, endpoint_id: i64) -> usize {
        self.shares.of_endpoint(endpoint_id)
    }

    /// Has connections and access tokens at hand before the first letter needs them.
    pub async fn warm(&self) {
        let tokens = self.projects.iter().map(|project| project.access.authorization());
        let (tokens, ()) = futures::join!(futures::future::join_all(tokens), self.sender.warm());
        for (project, error) in self.projects.iter().zip(tokens).filter_map(|(project, token)| Some((project, token.err()?))) {
            tracing::warn!(project = project.id, error = chain(&error), "no access token for a Firebase project");
        }
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
        let mut turn = 0;
        loop {
            let ended = match self.request(letter, endpoint, turn) {
                Some(request) => self.sender.send(&request).await,
                None => Err(Failure::NotSent(Why::StreamReset)),
            };
            match self.read(letter, endpoint, turn, ended).await {
                Read::Final(answer) => return answer,
                Read::NextTurn => turn += 1,
            }
        }
    }

    pub(crate) fn sender(&self) -> &Sender {
        &self.sender
    }

    /// The letter to one device, by its own project first and then by the others; `None` for another provider's device and where no access
    /// token can be had.
    pub(crate) fn request<'a, R: Reach>(&self, letter: &'a Letter<R>, endpoint: &Endpoint<R>, turn: u8) -> Option<Request<'a>> {
        let project = self.project_in(endpoint, turn);
        let headers = letter.headers.get(project)?.as_ref()?;
        Some(Request { path: self.projects[project].path.clone(), headers, own: None, body: letter.body.to(&endpoint.token)? })
    }

    /// What Google says, and whether another project is to be asked.
    pub(crate) async fn read<R: Reach>(
        &self,
        letter: &Letter<R>,
        endpoint: &Endpoint<R>,
        turn: u8,
        ended: Result<Answer, Failure>,
    ) -> Read {
        let project = self.project_in(endpoint, turn);
        let Some(headers) = &letter.headers[project] else {
            return Read::Final(ProviderAnswer::CredentialsRefused { reason: "no access token" });
        };
        let reading = match ended {
            Ok(answer) => refusal::read(&answer, self.clock.now()),
            Err(failure) => Reading::Final(failure.into()),
        };
        match reading {
            Reading::Final(answer) => Read::Final(answer),
            Reading::Unauthenticated => Read::Final(self.unauthenticated(project, headers).await),
            Reading::OtherProject if usize::from(turn) + 1 < self.projects.len() => Read::NextTurn,
            Reading::OtherProject => Read::Final(ProviderAnswer::Permanent { reason: refusal::OTHER_PROJECT }),
        }
    }

    fn project_in<R: Reach>(&self, endpoint: &Endpoint<R>, turn: u8) -> usize {
        (self.project_of(endpoint.id) + usize::from(turn)) % self.projects.len()
    }

    async fn unauthenticated(&self, project: usize, headers: &HeaderMap) -> ProviderAnswer {
        if self.projects[project].access.refused(&headers[AUTHORIZATION]).await {
            ProviderAnswer::Temporary { why: Trouble::TokenExpired }
        } else {
            ProviderAnswer::CredentialsRefused { reason: "UNAUTHENTICATED" }
        }
    }
}
