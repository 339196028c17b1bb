//! Asking providers whether they take our accounts.

use platform::clock::Clock;
use rcgen::{KeyPair, PKCS_ECDSA_P256_SHA256};
use secrecy::SecretString;
use simulators::{Options, Provider, Simulators};

use super::settings::settings;
use crate::answer::ProviderAnswer;
use crate::apns::Apns;
use crate::error::Error;
use crate::fcm::Fcm;

async fn simulators(directory: &tempfile::TempDir) -> Simulators {
    Simulators::start(Options { directory: Some(directory.path().to_owned()), ..Options::default() }).await.unwrap()
}

#[tokio::test]
async fn good_accounts_are_found_good_and_nobody_gets_anything() {
    let directory = tempfile::tempdir().unwrap();
    let simulators = simulators(&directory).await;
    let (apns, fcm) = settings(&simulators, directory.path());
    assert_eq!(Apns::new(&apns, Clock::real()).unwrap().try_account().await, ProviderAnswer::NoSuchEndpoint { reason: "BadDeviceToken" });
    let fcm = Fcm::new(&fcm, Clock::real()).unwrap();
    let [(project, Ok(ProviderAnswer::NoSuchEndpoint { .. }))] = &fcm.try_accounts().await[..] else { panic!("the account is good") };
    assert_eq!(*project, simulators.credentials().fcm_project);
    assert_eq!(simulators.recipients(Provider::Apns).count() + simulators.recipients(Provider::Fcm).count(), 0);
}

#[tokio::test]
async fn a_key_that_apple_does_not_know_is_told_from_a_good_one() {
    let directory = tempfile::tempdir().unwrap();
    let simulators = simulators(&directory).await;
    let (mut apns, _) = settings(&simulators, directory.path());
    apns.key = SecretString::from(KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap().serialize_pem());
    let answer = Apns::new(&apns, Clock::real()).unwrap().try_account().await;
    assert_eq!(answer, ProviderAnswer::CredentialsRefused { reason: "InvalidProviderToken" });
}

#[tokio::test]
async fn a_service_account_of_somebody_else_gets_no_access() {
    let (directory, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (others, simulators) = (simulators(&elsewhere).await, simulators(&directory).await);
    let (_, mut fcm) = settings(&simulators, directory.path());
    // their key, at our token endpoint
    let ours: serde_json::Value = serde_json::from_str(&simulators.credentials().fcm_service_account).unwrap();
    let mut theirs: serde_json::Value = serde_json::from_str(&others.credentials().fcm_service_account).unwrap();
    theirs["token_uri"] = ours["token_uri"].clone();
    fcm.projects[0].service_account = SecretString::from(theirs.to_string());
    let fcm = Fcm::new(&fcm, Clock::real()).unwrap();
    let [(_, Err(Error::AccessToken(_)))] = &fcm.try_accounts().await[..] else { panic!("no access token is given") };
}
