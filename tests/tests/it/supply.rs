//! What comes in from outside is what `deny.toml` lets in: by its licence and by where it comes from.

use std::path::Path;
use std::process::Command;

use serde_json::Value;
use spdx::{Expression, LicenseItem, ParseMode};

/// Every package that the platform is built from, as the lock file has them.
fn packages() -> Vec<Value> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    // what was built on this machine is here, and what other machines would need is not
    let platform = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
    command.args(["metadata", "--format-version", "1", "--locked", "--offline", "--filter-platform", &platform]);
    let output = command.current_dir(Path::new(env!("CARGO_MANIFEST_DIR"))).output().expect("cargo is there");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let read: Value = serde_json::from_slice(&output.stdout).unwrap();
    read["packages"].as_array().unwrap().iter().filter(|package| !package["source"].is_null()).cloned().collect()
}

fn rules() -> toml::Table {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../deny.toml")).unwrap().parse().unwrap()
}

fn texts(list: &toml::Value) -> Vec<&str> {
    list.as_array().unwrap().iter().map(|item| item.as_str().unwrap()).collect()
}

#[test]
fn every_dependency_has_a_licence_that_is_let_in_and_comes_from_the_one_registry() {
    let rules = rules();
    let allowed = texts(&rules["licenses"]["allow"]);
    let registries = texts(&rules["sources"]["allow-registry"]);
    let packages = packages();
    let mut wrong = Vec::new();
    for package in &packages {
        let name = format!("{} {}", package["name"].as_str().unwrap(), package["version"].as_str().unwrap());
        let licence = package["license"].as_str().unwrap_or_default();
        let is_let_in = Expression::parse_mode(licence, ParseMode::LAX).is_ok_and(|expression| {
            expression.evaluate(|wanted| matches!(&wanted.license, LicenseItem::Spdx { id, .. } if allowed.contains(&id.name)))
        });
        if !is_let_in {
            wrong.push(format!("{name}: {licence:?}"));
        }
        let source = package["source"].as_str().unwrap();
        if !registries.iter().any(|registry| source == format!("registry+{registry}")) {
            wrong.push(format!("{name} comes from {source}"));
        }
    }
    assert!(wrong.is_empty(), "not let in by deny.toml: {wrong:#?}");
    assert!(packages.len() > 300, "only {} packages", packages.len());
}

#[test]
fn nothing_that_is_denied_is_built_in() {
    let rules = rules();
    let denied: Vec<&str> = rules["bans"]["deny"].as_array().unwrap().iter().map(|ban| ban["crate"].as_str().unwrap()).collect();
    assert!(!denied.is_empty());
    let found: Vec<String> = packages()
        .iter()
        .map(|package| package["name"].as_str().unwrap().to_owned())
        .filter(|name| denied.contains(&name.as_str()))
        .collect();
    assert!(found.is_empty(), "{found:?}");
}
