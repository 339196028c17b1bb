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
    for command in ["up", "serve", "migrate", "doctor", "residents", "import", "rehearse", "simulate-providers", "staff"] {
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
fn a_time_of_a_job_that_is_none_is_named_before_anything_is_opened() {
    let directory = tempfile::tempdir().expect("a directory");
    let (config, data) = (directory.path().join("city.toml"), directory.path().join("data"));
    std::fs::write(&config, "[jobs.cron]\n\"sms.forget_receipts\" = \"nightly\"\n").expect("a file");
    let failed = Command::new(env!("CARGO_BIN_EXE_fenghuo"))
        .arg("migrate")
        .env("FENGHUO_CONFIG", &config)
        .env("FENGHUO_DATABASE__DATA_DIR", &data)
        .output()
        .expect("the binary runs");
    let said = String::from_utf8_lossy(&failed.stderr);
    assert!(!failed.status.success() && said.contains("jobs.cron") && said.contains("sms.forget_receipts"), "{said}");
    assert!(!said.contains("do not answer") && !data.exists(), "{said}");
}

#[test]
fn one_service_alone_is_refused_on_the_embedded_database() {
    let failed = fenghuo(&["serve", "dispatch"]);
    let said = String::from_utf8_lossy(&failed.stderr);
    assert!(!failed.status.success() && said.contains("database.mode"), "{said}");
}

#[test]
fn a_demo_does_not_start_on_a_configuration_that_names_stores_keys_or_providers() {
    let directory = tempfile::tempdir().expect("a directory");
    let (config, data) = (directory.path().join("city.toml"), directory.path().join("data"));
    std::fs::write(&config, "[push.apns]\ntopic = \"cn.example.app\"\n[dispatch.quiet_hours]\nfrom = \"23:00\"\n").expect("a file");
    let failed = Command::new(env!("CARGO_BIN_EXE_fenghuo"))
        .args(["up", "--listen", "127.0.0.1:0", "--data"])
        .arg(&data)
        .env("FENGHUO_CONFIG", &config)
        .env("FENGHUO_DATABASE__URL", "postgres://city:a-secret@db/fenghuo")
        .output()
        .expect("the binary runs");
    let said = String::from_utf8_lossy(&failed.stderr);
    assert!(!failed.status.success() && failed.stdout.is_empty());
    assert!(
        said.contains("push.apns.topic") && said.contains("database.url (FENGHUO_DATABASE__URL)") && said.contains("fenghuo serve"),
        "{said}"
    );
    assert!(!said.contains("quiet_hours") && !said.contains("a-secret"), "{said}");
    assert_eq!(said.lines().count(), 1, "{said}");
    assert!(!data.exists(), "nothing was made");
}

#[test]
fn a_level_that_is_none_is_named_by_where_it_was_given() {
    for (variable, named) in [("RUST_LOG", "RUST_LOG"), ("FENGHUO_TELEMETRY__LEVEL", "telemetry.level")] {
        let failed = Command::new(env!("CARGO_BIN_EXE_fenghuo"))
            .arg("serve")
            .env_remove("RUST_LOG")
            .env(variable, "info,dispatch=lowd")
            .output()
            .expect("the binary runs");
        let said = String::from_utf8_lossy(&failed.stderr);
        assert!(!failed.status.success() && said.contains(&format!("{named} is not a level")), "{said}");
    }
}
