//! The command line as a person meets it.

use std::process::{Command, Output};

fn fenghuo(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_fenghuo")).args(arguments).output().expect("the binary runs")
}

#[test]
fn help_names_every_command() {
    let help = fenghuo(&["--help"]);
    let text = String::from_utf8_lossy(&help.stdout);
    assert!(help.status.success());
    for command in ["up", "serve", "migrate", "residents", "import", "rehearse", "simulate-providers", "staff"] {
        assert!(text.contains(command), "{command} is missing in:\n{text}");
    }
}

#[test]
fn a_configuration_that_is_not_there_is_one_clear_sentence() {
    let failed = fenghuo(&["--config", "no-such-file.toml", "migrate"]);
    let said = String::from_utf8_lossy(&failed.stderr);
    assert!(!failed.status.success());
    assert!(said.starts_with("fenghuo: ") && said.contains("no-such-file.toml"), "{said}");
    assert_eq!(said.lines().count(), 1, "{said}");
}

#[test]
fn an_unknown_key_in_the_environment_is_named() {
    let failed =
        Command::new(env!("CARGO_BIN_EXE_fenghuo")).arg("migrate").env("FENGHUO_SMS__WINDWO", "3").output().expect("the binary runs");
    let said = String::from_utf8_lossy(&failed.stderr);
    assert!(!failed.status.success() && said.contains("windwo"), "{said}");
}

#[test]
fn one_service_alone_is_refused_on_the_embedded_database() {
    let failed = fenghuo(&["serve", "dispatch"]);
    let said = String::from_utf8_lossy(&failed.stderr);
    assert!(!failed.status.success() && said.contains("database.mode"), "{said}");
}
