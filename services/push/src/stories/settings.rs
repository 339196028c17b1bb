//! Settings that reach the simulators.

use std::num::NonZeroUsize;
use std::path::Path;

use secrecy::SecretString;
use simulators::Simulators;

use crate::settings::{ApnsSettings, FcmProject, FcmSettings, WebPushSettings};

/// How long an answer may take on a machine that does other things as well.
pub(super) const ANSWERED_WITHIN_MS: u64 = 60_000;
/// After so long a story that has to wait for an answer that never comes takes it that none comes; the others come sooner on any machine.
pub(super) const HUNG_AFTER_MS: u64 = 3_000;

/// For phones.
pub(super) fn settings(simulators: &Simulators, directory: &Path) -> (ApnsSettings, FcmSettings) {
    let (addresses, credentials) = (simulators.addresses(), simulators.credentials());
    let ca = Some(directory.join("ca.pem"));
    let apns = ApnsSettings {
        base_url: addresses.apns_url(),
        topic: "city.alerts".to_owned(),
        key_id: credentials.apns_key_id.clone(),
        team_id: credentials.apns_team_id.clone(),
        key: SecretString::from(credentials.apns_key_p8.clone()),
        extra_ca: ca.clone(),
        connections: NonZeroUsize::MIN,
        request_timeout_ms: ANSWERED_WITHIN_MS,
        ..ApnsSettings::default()
    };
    let project = FcmProject { service_account_file: Some(directory.join("fcm-service-account.json")), ..FcmProject::default() };
    let fcm = FcmSettings {
        base_url: addresses.fcm_url(),
        extra_ca: ca,
        connections: NonZeroUsize::MIN,
        request_timeout_ms: ANSWERED_WITHIN_MS,
        projects: vec![project],
        ..FcmSettings::default()
    };
    (apns, fcm)
}

/// For browsers.
pub(super) fn web_push_settings(simulators: &Simulators, directory: &Path) -> WebPushSettings {
    let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).unwrap();
    WebPushSettings {
        key: SecretString::from(key.serialize_pem()),
        subject: "mailto:duty@example.com".to_owned(),
        allowed_hosts: vec![simulators.addresses().web_push.to_string()].try_into().unwrap(),
        extra_ca: Some(directory.join("ca.pem")),
        request_timeout_ms: ANSWERED_WITHIN_MS,
        ..WebPushSettings::default()
    }
}
