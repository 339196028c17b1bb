//! Whether Google takes our accounts, without telling anybody anything.

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue};

use super::refusal::{self, Reading};
use super::{Fcm, Project};
use crate::answer::ProviderAnswer;
use crate::error::Error;
use crate::sender::Request;

/// To be checked and not to be sent; no registration token has blanks in it.
const TO_NOBODY: &[u8] = br#"{"validate_only":true,"message":{"token":"no device"}}"#;

impl Fcm {
    /// Of each project: gets an access token, and has a message to a device that cannot be one checked. Google looks at the account before it looks
    /// at the device, so [`ProviderAnswer::NoSuchEndpoint`] means that the account is good; nothing reaches anybody.
    pub async fn try_accounts(&self) -> Vec<(&str, Result<ProviderAnswer, Error>)> {
        let trials = self.projects.iter().map(async |project| (project.id.as_str(), self.try_account(project).await));
        futures::future::join_all(trials).await
    }

    async fn try_account(&self, project: &Project) -> Result<ProviderAnswer, Error> {
        let authorization = project.access.authorization().await.map_err(Error::AccessToken)?;
        let headers = HeaderMap::from_iter([(AUTHORIZATION, authorization), (CONTENT_TYPE, HeaderValue::from_static("application/json"))]);
        let request = Request { path: project.path.clone(), headers: &headers, own: None, body: Bytes::from_static(TO_NOBODY) };
        let reading = match self.sender.send(&request).await {
            Ok(answer) => refusal::read(&answer, self.clock.now()),
            Err(failure) => Reading::Final(failure.into()),
        };
        Ok(match reading {
            Reading::Final(answer) => answer,
            Reading::Unauthenticated => ProviderAnswer::CredentialsRefused { reason: "UNAUTHENTICATED" },
            // another project's device is none of this one's
            Reading::OtherProject => ProviderAnswer::NoSuchEndpoint { reason: refusal::OTHER_PROJECT },
        })
    }
}
