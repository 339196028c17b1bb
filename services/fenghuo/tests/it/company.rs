//! Which processes may work on one database together.

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Child, Command, Stdio};

use private_postgres::Server;
use secrecy::ExposeSecret as _;

/// A process that serves everything on this database, with these settings besides.
fn serve(database: &str, settings: &[(&str, &str)]) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_fenghuo"));
    command.arg("serve").stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.envs([
        ("FENGHUO_SERVER__LISTEN", "127.0.0.1:0"),
        ("FENGHUO_DATABASE__MODE", "postgres"),
        ("FENGHUO_DATABASE__URL", database),
        ("FENGHUO_DATABASE__CONNECTIONS", "4"),
        ("FENGHUO_KEYS__MASTER_KEY", "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"),
    ]);
    command.envs(settings.iter().copied()).spawn().expect("the binary runs")
}

/// The first line that it prints; empty when it ends without one.
fn said(process: &mut Child) -> String {
    let mut line = String::new();
    BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
    line
}

/// It ends without serving; what it says about it.
fn refusal(mut process: Child) -> String {
    assert_eq!(said(&mut process), "", "it serves");
    let mut error = String::new();
    process.stderr.take().unwrap().read_to_string(&mut error).unwrap();
    assert!(!process.wait().unwrap().success());
    error
}

#[test]
fn two_processes_with_a_bus_or_a_cache_of_their_own_do_not_share_a_database() {
    let server = Server::passing().unwrap();
    let at = server.address();
    let directory = at.socket_directory.to_str().unwrap().replace('/', "%2F");
    let url = format!("postgres://{}:{}@localhost/{}?host={directory}&port={}", at.user, at.password.expose_secret(), at.database, at.port);

    let mut first = serve(&url, &[]);
    assert!(said(&mut first).contains(" at http://"), "{:?}", first.try_wait());
    let second = refusal(serve(&url, &[]));
    assert!(second.starts_with("fenghuo: another process works on this database already") && second.contains("redis"), "{second}");
    assert_eq!(second.lines().count(), 1, "one clear sentence: {second}");
    // neither beside one that shares bus and cache with others
    let shared = [
        ("FENGHUO_BUS__MODE", "rabbitmq"),
        ("FENGHUO_BUS__URL", "amqp://127.0.0.1:1/%2f"),
        ("FENGHUO_CACHE__MODE", "redis"),
        ("FENGHUO_CACHE__URL", "redis://127.0.0.1:1/"),
    ];
    let third = refusal(serve(&url, &shared));
    assert!(third.starts_with("fenghuo: a process with bus.mode or cache.mode \"in_process\" works on this database"), "{third}");

    // killed, it leaves its place at once to the next
    first.kill().unwrap();
    first.wait().unwrap();
    let mut next = serve(&url, &[]);
    assert!(said(&mut next).contains(" at http://"));
    next.kill().unwrap();
    next.wait().unwrap();
}

#[test]
fn some_services_alone_need_a_bus_and_a_cache_to_share() {
    let output = Command::new(env!("CARGO_BIN_EXE_fenghuo"))
        .args(["serve", "review", "dispatch"])
        .envs([("FENGHUO_DATABASE__MODE", "postgres"), ("FENGHUO_DATABASE__URL", "postgres://127.0.0.1:1/none")])
        .output()
        .expect("the binary runs");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && said.contains("bus.mode and cache.mode \"in_process\""), "{said}");
}
