//! The providers: whether they can be reached, take our accounts, and for how long their certificates are good. Nothing is sent to anybody.

use std::path::Path;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use platform::clock::Clock;
use platform::tasks::chain;
use push::answer::ProviderAnswer;
use push::apns::Apns;
use push::fcm::Fcm;
use push::sender::{Address, Roots, end_of_chain, ends_in_file};
use push::web_push::WebPush;
use sms::smpp::session::{Unbound, try_account};

use super::finding::Finding;

/// For a connection, and again for the answer.
const PATIENCE: Duration = Duration::from_secs(10);
/// A certificate that ends sooner should be renewed by now.
const SOON: TimeDelta = TimeDelta::days(30);

pub(super) async fn apns(settings: &push::Settings) -> Vec<Finding> {
    let Some(settings) = &settings.apns else {
        return vec![Finding::ok("apns", "not set: residents with an iPhone get an SMS")];
    };
    let apns = match Apns::new(settings, Clock::real()) {
        Ok(apns) => apns,
        Err(error) => return vec![Finding::fail("apns", chain(&error), "set [push.apns] as Apple gave it")],
    };
    let mut findings = of_way("apns", &settings.base_url, settings.extra_ca.as_deref()).await;
    if findings.iter().all(|finding| !finding.failed()) {
        let answer = tokio::time::timeout(PATIENCE, apns.try_account()).await.ok();
        let remedy = "give push.apns.key_file, key_id, team_id and topic as Apple's developer account shows them";
        findings.insert(0, of_answer("apns", format!("{} ({})", settings.base_url, settings.topic), answer, remedy));
    }
    findings
}

pub(super) async fn fcm(settings: &push::Settings) -> Vec<Finding> {
    let Some(settings) = &settings.fcm else {
        return vec![Finding::ok("fcm", "not set: residents with an Android phone get an SMS")];
    };
    let fcm = match Fcm::new(settings, Clock::real()) {
        Ok(fcm) => fcm,
        Err(error) => return vec![Finding::fail("fcm", chain(&error), "set [[push.fcm.projects]] to the service-account files of Google")],
    };
    let mut findings = of_way("fcm", &settings.base_url, settings.extra_ca.as_deref()).await;
    if findings.iter().all(|finding| !finding.failed()) {
        let remedy = "give a service account whose key is in force and which may send by Firebase Cloud Messaging";
        let tried = match tokio::time::timeout(PATIENCE, fcm.try_accounts()).await {
            Ok(tried) => tried.into_iter().map(|(project, answer)| match answer {
                Ok(answer) => of_answer("fcm", format!("project {project}"), Some(answer), remedy),
                Err(error) => Finding::fail("fcm", format!("project {project}: {}", chain(&error)), remedy),
            }),
            Err(_) => return vec![of_answer("fcm", settings.base_url.clone(), None, remedy)],
        };
        let ways = std::mem::take(&mut findings);
        findings.extend(tried);
        findings.extend(ways);
    }
    findings
}

/// Push services are as many as there are makers of browsers; what can be known beforehand is whether the key is good.
pub(super) fn web_push(settings: &push::Settings) -> Vec<Finding> {
    let Some(settings) = &settings.web_push else {
        return vec![Finding::ok("web push", "not set: residents with the app in a browser alone get an SMS")];
    };
    let mut findings = vec![match WebPush::new(settings, Clock::real()) {
        Ok(_) => Finding::ok("web push", "the key signs"),
        Err(error) => Finding::fail("web push", chain(&error), "set [push.web_push]; deploy/fenghuo.toml says how its key is made"),
    }];
    findings.extend(settings.extra_ca.as_deref().map(of_authorities));
    findings
}

/// The city's directory: whether it describes itself as it is set, over a connection that is believed.
pub(super) async fn directory(settings: &identity::Settings) -> Vec<Finding> {
    vec![match identity::look_at_directory(settings, Clock::real()).await {
        Ok(None) => Finding::ok("directory", "not set: staff sign in with passwords and passkeys"),
        Ok(Some(issuer)) => Finding::ok("directory", format!("{issuer} describes itself")),
        Err(error) => Finding::fail(
            "directory",
            chain(&error),
            "give identity.directory.issuer as the directory itself writes it, and let this machine reach it; staff sign in with passwords meanwhile",
        ),
    }]
}

pub(super) async fn sms(settings: &sms::Settings) -> Vec<Finding> {
    let place = format!("{}:{}", settings.host, settings.port);
    let error = match try_account(settings).await {
        Ok(()) => return vec![Finding::ok("sms", format!("{place} binds {}", settings.system_id))],
        Err(error) => error,
    };
    // sources below these are the library's, and may quote what was sent
    let cause = match &error {
        Unbound::Connect(cause) | Unbound::Encryption(cause) => format!(": {cause}"),
        _ => String::new(),
    };
    let what = format!("{place}: {error}{cause}");
    vec![match error {
        Unbound::Refused(_) => Finding::fail("sms", what, "set sms.system_id, sms.password and sms.system_type as agreed with the centre"),
        Unbound::NotNow(_) => {
            Finding::warn("sms", what, "if no platform is bound to it now, ask the centre how many binds the account may have")
        }
        Unbound::Setting(_) | Unbound::Authority(_) => Finding::fail("sms", what, "set it as the centre has given it"),
        Unbound::Encryption(_) => Finding::fail(
            "sms",
            what,
            "name the centre's certificate authority in sms.ca_file, or set sms.tls = \"off\" where a private line or a tunnel protects the way",
        ),
        Unbound::Connect(_) | Unbound::Silent(_) | Unbound::Broken(_) => {
            Finding::fail("sms", what, "set sms.host and sms.port, and open the way there (line, tunnel, firewall)")
        }
    }]
}

/// Reaches the provider, and says until when its certificates and those of the extra CA are good.
async fn of_way(check: &'static str, url: &str, extra_ca: Option<&Path>) -> Vec<Finding> {
    let reach = async {
        let address = Address::parse(url).map_err(std::io::Error::other)?;
        let roots = Roots::load(extra_ca).map_err(std::io::Error::other)?;
        end_of_chain(&address, &roots, PATIENCE).await
    };
    let mut findings = match reach.await {
        Err(error) => {
            let text = error.to_string();
            let remedy = if text.contains("certificate") {
                "if it is a server of yours, renew its certificate, or trust its authority with extra_ca"
            } else {
                "set base_url, and open the way there (firewall, proxy)"
            };
            vec![Finding::fail(check, format!("{url}: {text}"), remedy)]
        }
        Ok(end) => end
            .map(|end| of_end(format!("{url}: the server's certificate"), end, "renew it, if it is a server of yours"))
            .into_iter()
            .collect(),
    };
    findings.extend(extra_ca.map(of_authorities));
    findings
}

fn of_authorities(file: &Path) -> Finding {
    match ends_in_file(file) {
        Ok(ends) => match ends.into_iter().min() {
            Some(end) => of_end(file.display().to_string(), end, "put the authority's new certificate there"),
            None => Finding::ok("certificate", format!("{} has no end", file.display())),
        },
        Err(error) => Finding::fail("certificate", chain(&error), "set extra_ca to a file of PEM certificates"),
    }
}

fn of_end(whose: String, end: DateTime<Utc>, remedy: &str) -> Finding {
    let left = end - Clock::real().now();
    let what = format!("{whose} is good until {} ({} days)", end.format("%Y-%m-%d"), left.num_days());
    if left <= TimeDelta::zero() {
        Finding::fail("certificate", what, remedy)
    } else if left < SOON {
        Finding::warn("certificate", what, remedy)
    } else {
        Finding::ok("certificate", what)
    }
}

/// What an answer about a device that cannot be one says of the account.
fn of_answer(check: &'static str, whose: String, answer: Option<ProviderAnswer>, remedy: &str) -> Finding {
    match answer {
        Some(ProviderAnswer::NoSuchEndpoint { .. } | ProviderAnswer::EndpointGone { .. } | ProviderAnswer::Accepted { .. }) => {
            Finding::ok(check, format!("{whose} takes the account"))
        }
        Some(ProviderAnswer::CredentialsRefused { reason }) => {
            Finding::fail(check, format!("{whose} refuses the account: {reason}"), remedy)
        }
        Some(ProviderAnswer::Permanent { reason }) => {
            Finding::warn(check, format!("{whose} answers {reason}"), "the account may be good; watch the first messages")
        }
        Some(ProviderAnswer::Throttled { .. }) => Finding::warn(check, format!("{whose} asks to slow down"), "try again later"),
        Some(ProviderAnswer::Temporary { why }) => Finding::fail(
            check,
            format!("{whose} does not say whether it takes the account: {why:?}"),
            "try again later; see the provider's status page",
        ),
        None => Finding::fail(
            check,
            format!("{whose} did not answer within {} s", PATIENCE.as_secs()),
            "try again later; see the provider's status page",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_is_renewed_in_time() {
        let left = |days| of_end("api.example.com".to_owned(), Clock::real().now() + TimeDelta::days(days), "renew it").to_string();
        assert!(left(90).starts_with("ok    certificate "));
        assert!(left(29).starts_with("warn  certificate ") && left(29).ends_with("→ renew it"));
        assert!(left(-1).starts_with("fail  certificate "));
    }
}
