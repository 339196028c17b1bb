//! What is no demo is refused: `fenghuo up` makes officers whose passwords anybody can read, and beside them no real phone may ring.
//!
//! A setting names something real when it is a text in a section that is not only the city's own, and differs from the default: an address,
//! a mode, a key, a file. Numbers say how much, not who. So a new section or setting is refused until it is written down here as harmless.

use std::net::IpAddr;
use std::path::Path;

use anyhow::{Result, bail};
use toml::Value;

use crate::configuration::{Configuration, Given};

/// Sections that say how a city works: they name no store and nobody outside.
const OF_THE_CITY: [&str; 13] = [
    "casework",
    "server",
    "http",
    "telemetry",
    "jobs",
    "identity",
    "resident",
    "ingest",
    "rules",
    "review",
    "dispatch",
    "display",
    "audit",
];

/// Sections below those that lead outside all the same.
const OUTSIDE: [&str; 1] = ["identity.directory"];

/// Texts in the other sections that name nobody: what stands in a message.
const IN_MESSAGES: [&str; 2] = ["sms.signature", "sms.source_address"];

/// Refuses a configuration that names stores, keys or providers: `up` brings its own.
pub(super) fn of_production(config: Option<&Path>) -> Result<()> {
    let usual = toml::Table::try_from(Configuration::default())?;
    let named: Vec<String> = Configuration::given(config)?
        .iter()
        .filter(|given| names_something_real(given, &usual))
        .map(|given| match &given.variable {
            Some(variable) => format!("{} ({variable})", given.key),
            None => given.key.clone(),
        })
        .collect();
    if !named.is_empty() {
        bail!(
            "the configuration names stores, keys or providers, and `fenghuo up` is a demo with its own, whose passwords anybody can read: \
             run `fenghuo serve`, or take out {}",
            named.join(", ")
        );
    }
    Ok(())
}

fn names_something_real(given: &Given, usual: &toml::Table) -> bool {
    let section = given.key.split('.').next().unwrap_or_default();
    let leads_outside =
        OUTSIDE.iter().any(|outside| given.key.strip_prefix(outside).is_some_and(|rest| rest.is_empty() || rest.starts_with('.')));
    if (OF_THE_CITY.contains(&section) && !leads_outside) || IN_MESSAGES.contains(&given.key.as_str()) {
        return false;
    }
    let given_text = given.value.as_str();
    match find(usual, &given.key) {
        Some(Value::Integer(_) | Value::Float(_) | Value::Boolean(_)) => false,
        Some(Value::String(usual)) if given_text == Some(usual) => false,
        _ if given.key == "sms.host" && given_text.is_some_and(is_this_machine) => false,
        _ => given_text != Some(""),
    }
}

fn find<'a>(table: &'a toml::Table, key: &str) -> Option<&'a Value> {
    match key.split_once('.') {
        None => table.get(key),
        Some((section, rest)) => find(table.get(section)?.as_table()?, rest),
    }
}

fn is_this_machine(host: &str) -> bool {
    host == "localhost" || host.parse().is_ok_and(|address: IpAddr| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn refused(text: &str) -> Vec<String> {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("city.toml");
        std::fs::write(&file, text).unwrap();
        let usual = toml::Table::try_from(Configuration::default()).unwrap();
        let given = Configuration::given_by(Some(&file), []).unwrap();
        given.iter().filter(|given| names_something_real(given, &usual)).map(|given| given.key.clone()).collect()
    }

    #[rstest]
    #[case("[database]\nmode = 'postgres'", "database.mode")]
    #[case("[database]\nurl = 'postgres://city@db/fenghuo'", "database.url")]
    #[case("[database]\ndata_dir = '/srv/fenghuo'", "database.data_dir")]
    #[case("[bus]\nmode = 'rabbitmq'", "bus.mode")]
    #[case("[bus]\nurl = 'amqp://broker'", "bus.url")]
    #[case("[cache]\nurl = 'redis://cache'", "cache.url")]
    #[case("[keys]\nmaster_key = 'not even a key'", "keys.master_key")]
    #[case("[keys]\nmaster_key_file = 'secrets/master.key'", "keys.master_key_file")]
    #[case("[push.apns]\ntopic = 'cn.example.app'", "push.apns.topic")]
    #[case("[push.apns]\nconnections = 4", "push.apns.connections")]
    #[case("[push.apns]", "push.apns")]
    #[case("[[push.fcm.projects]]\nservice_account_file = 'account.json'", "push.fcm.projects")]
    #[case("[push.web_push]\nsubject = 'mailto:duty@example.com'", "push.web_push.subject")]
    #[case("[identity.directory]\nissuer = 'https://login.example.cn'", "identity.directory.issuer")]
    #[case("[sms]\nhost = 'smsc.example.com'", "sms.host")]
    #[case("[sms]\nhost = '10.0.0.9'", "sms.host")]
    #[case("[sms]\npassword = 'secret'", "sms.password")]
    #[case("[sms]\nsystem_id = 'city'", "sms.system_id")]
    fn what_names_a_store_a_key_or_a_provider_is_refused_by_name(#[case] text: &str, #[case] key: &str) {
        assert_eq!(refused(text), [key]);
    }

    #[rstest]
    #[case::all_defaults(include_str!("../../../../deploy/fenghuo.toml"))]
    #[case::quiet_hours("[dispatch.quiet_hours]\nfrom = '07:00'")]
    #[case::limits("[sms]\nrate_per_second = 10\nwindow = 1\n[database]\nconnections = 3\n[push.worker]\nbatches = 1")]
    #[case::what_stands_in_a_message("[sms]\nsignature = '重庆疾控'\n[resident]\nsignature = '重庆疾控'")]
    #[case::sessions("[identity]\nsession_idle_seconds = 600")]
    #[case::logs("[telemetry]\nlevel = 'debug'\nformat = 'json'")]
    #[case::a_centre_on_this_machine("[sms]\nhost = 'localhost'\nport = 2776")]
    #[case::nothing_in_its_place("[database]\nurl = ''\n[keys]\nmaster_key = ''")]
    fn how_a_city_works_is_anybodys_choice(#[case] text: &str) {
        assert_eq!(refused(text), [""; 0]);
    }

    /// A section that is neither would be refused whatever stands in it that is a text: decide what it is.
    #[test]
    fn of_every_section_it_is_known_whether_it_names_anybody() {
        let outward = ["database", "bus", "cache", "keys", "push", "sms"];
        let sections = toml::Table::try_from(Configuration::default()).unwrap();
        let unknown: Vec<_> =
            sections.keys().filter(|section| !OF_THE_CITY.contains(&section.as_str()) && !outward.contains(&section.as_str())).collect();
        assert!(unknown.is_empty(), "add {unknown:?} to OF_THE_CITY if it names no store and nobody outside, else to this test");
    }
}
