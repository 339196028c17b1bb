//! Where a server runs, and where it refuses to.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use private_postgres::{Error, Server};

use crate::takes_connections;

fn refused(directory: &Path) -> Error {
    Server::open(directory).map(|_| ()).expect_err("it must not open there")
}

#[test]
fn a_directory_serves_one_process_and_then_the_next() {
    let place = tempfile::tempdir().expect("a directory");
    let directory = place.path().join("database");
    let server = Server::open(&directory).expect("a new directory");
    assert!(takes_connections(&server));
    match refused(&directory) {
        Error::InUse { process, .. } => assert_eq!(process, std::process::id().to_string()),
        other => panic!("{other}"),
    }
    server.stop().expect("it ends");
    assert!(!takes_connections(&server));
    drop(server);
    assert!(takes_connections(&Server::open(&directory).expect("free again")));
}

#[test]
fn a_directory_with_other_files_is_left_alone() {
    let place = tempfile::tempdir().expect("a directory");
    fs::write(place.path().join("letters.txt"), "dear").expect("written");
    let error = refused(place.path());
    assert!(matches!(&error, Error::NotOurs { found, .. } if found == "letters.txt"), "{error}");
    assert_eq!(fs::read_dir(place.path()).expect("there").count(), 1, "nothing was added");
}

#[test]
fn the_database_of_an_early_fenghuo_is_told_from_a_strangers_files() {
    let place = tempfile::tempdir().expect("a directory");
    fs::create_dir(place.path().join("engine")).expect("made");
    let error = refused(place.path());
    assert!(matches!(error, Error::FormerEngine { .. }), "{error}");
    assert!(error.to_string().contains("move it away"), "{error}");
}

#[test]
fn data_of_another_major_version_is_not_opened() {
    let place = tempfile::tempdir().expect("a directory");
    drop(Server::open(place.path()).expect("a new directory"));
    fs::write(place.path().join("cluster/PG_VERSION"), "17\n").expect("written");
    let error = refused(place.path());
    assert!(matches!(&error, Error::OtherVersion { found, .. } if found == "17"), "{error}");
    assert!(error.to_string().contains("brings PostgreSQL 18"), "{error}");
}

#[test]
fn a_file_in_the_way_is_named() {
    let place = tempfile::tempdir().expect("a directory");
    let file = place.path().join("data");
    fs::write(&file, "").expect("written");
    let error = refused(&file.join("database")).to_string();
    assert!(error.contains("data/database"), "{error}");
}

#[test]
fn a_way_that_is_closed_to_others_and_a_very_long_one_are_no_hindrance() {
    let place = tempfile::tempdir().expect("a directory");
    let closed = place.path().join("closed");
    fs::create_dir(&closed).expect("made");
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o700)).expect("closed");
    let server = Server::open(&closed.join("d".repeat(120))).expect("opened");
    assert!(takes_connections(&server));
}

#[test]
fn nobody_else_may_look_into_the_data() {
    let place = tempfile::tempdir().expect("a directory");
    let directory = place.path().join("database");
    let _server = Server::open(&directory).expect("a new directory");
    for private in ["cluster", "socket", "password", "postgres.log"] {
        let mode = directory.join(private).metadata().expect("there").permissions().mode();
        assert_eq!(mode & 0o077, 0, "{private} is open to others: {mode:o}");
    }
}
